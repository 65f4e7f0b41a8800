// JSON-RPC over a websocket: one message of the protocol is one of the socket.

interface Message {
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string };
}

/** A connection with a language server. */
export class Connection {
  private next = 1;
  private readonly waiting = new Map<number, { resolve: (value: any) => void; reject: (err: Error) => void }>();
  private readonly told = new Map<string, (params: any) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', e => this.received(JSON.parse(e.data as string) as Message));
    socket.addEventListener('close', () => {
      this.waiting.forEach(w => w.reject(new Error('The language server is gone.')));
      this.waiting.clear();
    });
  }

  /** Connects; closed is called when the connection ends. */
  static open(url: string, closed: () => void): Promise<Connection> {
    const socket = new WebSocket(url);
    socket.addEventListener('close', closed);
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve(new Connection(socket)));
      socket.addEventListener('error', () => reject(new Error('The language server does not answer.')));
    });
  }

  /** Calls f for each notification of a method. */
  on<T>(method: string, f: (params: T) => void): void {
    this.told.set(method, f);
  }

  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  request<T>(method: string, params: unknown): Promise<T> {
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ id, method, params });
    });
  }

  private send(message: Message): void {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
    } else if (typeof message.id === 'number') {
      this.waiting.get(message.id)?.reject(new Error('The language server is gone.'));
      this.waiting.delete(message.id);
    }
  }

  private received(m: Message): void {
    if (m.method !== undefined) {
      this.told.get(m.method)?.(m.params);
      if (m.id !== undefined) { // a request of the server's: the page can do none of them
        this.socket.send(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: null }));
      }
      return;
    }
    const w = this.waiting.get(m.id as number);
    this.waiting.delete(m.id as number);
    if (m.error !== undefined) {
      w?.reject(new Error(m.error.message));
    } else {
      w?.resolve(m.result);
    }
  }
}
