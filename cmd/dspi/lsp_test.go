package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"
	"golang.org/x/net/websocket"
)

// TestLSP speaks with `dspi lsp` as an editor does: initialize, open, shutdown,
// exit. Standard output holds nothing but messages.
func TestLSP(t *testing.T) {
	in, editor := io.Pipe()
	answers, out := io.Pipe()
	var stderr strings.Builder
	code := make(chan int, 1)
	go func() {
		a := newApp(in, out, &stderr, nil)
		code <- a.run(context.Background(), []string{"lsp", "--stdio"})
		out.Close()
	}()
	r := bufio.NewReader(answers)
	send := func(text string) {
		if _, err := fmt.Fprintf(editor, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(want string) {
		t.Helper()
		var n int
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(line, "Content-Length: %d", &n); err != nil {
			t.Fatalf("%q stands on standard output", line)
		}
		for strings.TrimSpace(line) != "" {
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}`)
	receive(`"hoverProvider":true`)
	send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"untitled:a","languageId":"dspi","version":1,"text":"program p {\n  q: strin -> a: string\n}\n"}}}`)
	receive(`E0204`)
	send(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)
	receive(`"id":2`)
	send(`{"jsonrpc":"2.0","method":"exit"}`)
	if c := <-code; c != 0 || stderr.Len() > 0 {
		t.Errorf("exit status %d, and on standard error: %s", c, stderr.String())
	}
}

// initialize is the first request of an editor, with the header of a stream.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}`

// listening starts `dspi lsp` at a port of its own, and returns the address.
func listening(t *testing.T, flag string) string {
	t.Helper()
	said, stderr := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		a := newApp(strings.NewReader(""), io.Discard, stderr, nil)
		code <- a.run(ctx, []string{"lsp", flag, ":0"})
		stderr.Close()
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	t.Cleanup(func() {
		stop()
		if c := <-code; c != 0 {
			t.Errorf("exit status %d", c)
		}
	})
	_, address, _ := strings.Cut(strings.TrimSpace(line), " at ")
	if !strings.HasPrefix(address, "127.0.0.1:") {
		t.Fatalf("it listens at %q", address)
	}
	return address
}

// TestLSPOverTCP connects twice to one server: each editor has a session of its own.
func TestLSPOverTCP(t *testing.T) {
	address := listening(t, "--tcp")
	for range 2 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s", len(initialize), initialize)
		answer := make([]byte, 4096)
		n, err := conn.Read(answer)
		if err != nil || !strings.HasPrefix(string(answer[:n]), "Content-Length: ") {
			t.Fatalf("%q: %v", answer[:n], err)
		}
	}
}

// TestLSPIsNoWebServer sends what a page of the web can send: it is not answered.
func TestLSPIsNoWebServer(t *testing.T) {
	conn, err := net.Dial("tcp", listening(t, "--tcp"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", len(initialize), initialize)
	if answer, err := io.ReadAll(conn); len(answer) > 0 {
		t.Errorf("%q, %v", answer, err)
	}
}

// TestLSPOverWebSocket speaks over a websocket, and refuses pages of the web.
func TestLSPOverWebSocket(t *testing.T) {
	address := listening(t, "--websocket")
	dial := func(host, origin string) (*websocket.Conn, error) {
		config, err := websocket.NewConfig("ws://"+host+"/", origin)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := websocket.NewClient(config, conn)
		if err != nil {
			conn.Close()
		}
		return c, err
	}
	for _, origin := range []string{"http://" + address, "http://localhost:3000"} {
		c, err := dial(address, origin)
		if err != nil {
			t.Fatalf("a page of %s: %v", origin, err)
		}
		var answer string
		if err := websocket.Message.Send(c, initialize); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(c, &answer); err != nil || !strings.Contains(answer, `"hoverProvider":true`) {
			t.Errorf("%s: %v", answer, err)
		}
		c.Close()
	}
	for _, bad := range [][2]string{{address, "https://example.com"}, {"example.com", "http://example.com"}, {"localhost.example.com:80", "http://localhost"}} {
		if c, err := dial(bad[0], bad[1]); err == nil {
			c.Close()
			t.Errorf("a page of %s at %s is served", bad[1], bad[0])
		}
	}
}

// TestLSPPreview shows the first question of a step whose module asks in its own way,
// and runs a program from a lens.
func TestLSPPreview(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.dsp")
	text := `tool area {
  description = "Area of a rectangle."
  width: float, height: float -> size: float
  outputs { size = width * height }
}
program p {
  question: string -> answer: string
  react look {
    question: string -> answer: string
    tools = [tool.area]
  }
}
program code {
  question: string -> answer: int
  program_of_thought look { question: string -> answer: int }
}
program acts {
  question: string -> answer: string
  code_act look { question: string -> answer: string, tools = [tool.area] }
}
program best {
  question: string -> answer: string
  best_of_n look { reward = 1.0, question: string -> answer: string, predict {} }
}
program better {
  question: string -> answer: string
  refine look { reward = 1.0, threshold = 0.5, question: string -> answer: string, predict {} }
}
program vote {
  question: string -> answer: string
  majority look { n = 3, question: string -> answer: string, chain_of_thought {} }
}
program panel {
  question: string -> answer: string
  ensemble look { question: string -> answer: string, predict a {}, predict b {} }
}
program desk {
  question: string -> answer: string
  agent look {
    question: string -> answer: string
    react one { tools = [tool.area] }
    react two { tools = [tool.area] }
  }
}
program compare {
  question: string -> answer: string
  multi_chain_comparison look { m = 2, question: string -> answer: string, chain_of_thought {} }
}
program q {
  n: int -> m: int
  outputs { m = n + 1 }
}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	s := newApp(strings.NewReader(""), io.Discard, io.Discard, nil).languageServer()
	code := make(chan int, 1)
	go func() { code <- s.Serve(context.Background(), ours) }()
	conn := jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(theirs, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(func(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request) (any, error) { return nil, nil }))
	call := func(method string, params, result any) {
		t.Helper()
		if err := conn.Call(t.Context(), method, params, result); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	call("initialize", map[string]any{"capabilities": map[string]any{}}, nil)
	doc := map[string]any{"uri": "file://" + file}
	if err := conn.Notify(t.Context(), "textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": doc["uri"], "languageId": "dspi", "version": 1, "text": text}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		program, want string
	}{
		{"p", "area"}, {"code", "question"}, {"acts", "area"}, {"best", "question"}, {"better", "question"},
		{"vote", "question"}, {"panel", "question"}, {"desk", "question"}, {"compare", "question"},
	} {
		var prompt struct {
			Step     string
			Messages []map[string]any
			Tools    []string
		}
		call("dspi/renderPrompt", map[string]any{"textDocument": doc, "program": test.program}, &prompt)
		if prompt.Step != "look" || len(prompt.Messages) == 0 || !strings.Contains(fmt.Sprint(prompt.Messages), test.want) {
			t.Errorf("preview of %s: %+v", test.program, prompt)
		}
	}
	var result struct {
		Exit   int
		Output string
	}
	call("workspace/executeCommand", map[string]any{"command": "dspi.run", "arguments": []any{file, "q", map[string]any{"n": 41}}}, &result)
	if result.Exit != 0 || !strings.Contains(result.Output, "42") {
		t.Errorf("run: %+v", result)
	}
	call("shutdown", nil, nil)
	if err := conn.Notify(t.Context(), "exit", nil); err != nil {
		t.Fatal(err)
	}
	if c := <-code; c != 0 {
		t.Errorf("exit status %d", c)
	}
}
