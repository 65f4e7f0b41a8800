package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
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
