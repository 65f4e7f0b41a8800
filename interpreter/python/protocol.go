package python

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// The protocol between dspi and a worker: frames of four bytes of length, big-endian,
// and JSON. docs/python-protocol.md is its description.

// protocolVersion is the version of the protocol that both sides speak.
const protocolVersion = 1

// maxFrame is the largest frame of either side, in bytes, unless Options say another.
const maxFrame = 64 << 20

// message is one frame.
type message struct {
	Type string `json:"type"` // hello, fault, request, response, partial, cancel

	ID      int64           `json:"id,omitempty"`
	Call    int64           `json:"call,omitempty"` // of a request of the worker: the host's request that it belongs to
	Command string          `json:"command,omitempty"`
	Args    json.RawMessage `json:"args,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"` // of a partial
	Error   *RemoteError    `json:"error,omitempty"`

	hello
}

// hello is the handshake. The host sends what it speaks and the worker's code, the
// worker what it speaks and what it is.
type hello struct {
	Protocols []int             `json:"protocols,omitempty"`
	MaxFrame  int               `json:"max_frame,omitempty"`
	Files     map[string]string `json:"files,omitempty"` // modules by name
	Paths     []string          `json:"paths,omitempty"` // put before sys.path

	Protocol   int    `json:"protocol,omitempty"`
	Python     string `json:"python,omitempty"`
	DSPy       string `json:"dspy,omitempty"`
	PID        int    `json:"pid,omitempty"`
	Executable string `json:"executable,omitempty"`
	RSS        int64  `json:"rss,omitempty"` // bytes of memory
}

// RemoteError is why a request was not done, as the other side says it.
type RemoteError struct {
	Kind      string   `json:"kind"`
	Message   string   `json:"message"`
	Traceback string   `json:"traceback,omitempty"`
	Reply     string   `json:"reply,omitempty"`   // of a model, that does not fit
	Number    int      `json:"number,omitempty"`  // of an error that the host told the worker of
	Name      string   `json:"name,omitempty"`    // the Python that says so
	Names     []string `json:"names,omitempty"`   // what there is instead
	Folder    string   `json:"folder,omitempty"`  // where was looked
	Missing   string   `json:"missing,omitempty"` // the module that an import did not find
}

// Error returns the message.
func (e *RemoteError) Error() string { return e.Message }

// errTooLarge is a frame that is larger than the limit.
var errTooLarge = errors.New("the frame is larger than the limit")

// wire reads and writes frames: one goroutine reads, many write.
type wire struct {
	from io.Reader
	to   io.Writer
	most int

	mu  sync.Mutex
	buf []byte
}

// read returns the next frame.
func (w *wire) read() (*message, error) {
	var head [4]byte
	if _, err := io.ReadFull(w.from, head[:]); err != nil {
		return nil, err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > int64(w.most) {
		return nil, fmt.Errorf("%w: %d bytes, and at most %d", errTooLarge, n, w.most)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(w.from, data); err != nil {
		return nil, err
	}
	m := &message{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("a frame is no message: %w", err)
	}
	return m, nil
}

// write sends a frame. It may wait for the other side to read, not longer than
// writeWait where the pipe can say so.
func (w *wire) write(m *message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(data) > w.most {
		return fmt.Errorf("%w: %d bytes, and at most %d", errTooLarge, len(data), w.most)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = binary.BigEndian.AppendUint32(w.buf[:0], uint32(len(data)))
	w.buf = append(w.buf, data...)
	if d, ok := w.to.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(writeWait)) // a pipe that cannot waits
	}
	_, err = w.to.Write(w.buf)
	if cap(w.buf) > 1<<20 {
		w.buf = nil
	}
	return err
}

// writeWait is how long a worker may leave a frame unread.
const writeWait = 30 * time.Second
