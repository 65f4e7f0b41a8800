package protocol_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lsp/protocol"
)

// TestMalformed sends what makes no sense: it is answered, and the session goes on
// with the next message.
func TestMalformed(t *testing.T) {
	s := &protocol.Server{}
	served(s)
	ours, theirs := net.Pipe()
	done := make(chan int, 1)
	go func() { done <- s.Serve(t.Context(), ours) }()
	r := bufio.NewReader(theirs)
	// said sends the bytes of a message and returns the answer.
	said := func(header, body string) (id, code string) {
		t.Helper()
		if _, err := io.WriteString(theirs, header+body); err != nil {
			t.Fatal(err)
		}
		var length int
		if _, err := fmt.Fscanf(r, "Content-Length: %d\r\n\r\n", &length); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, length)
		if _, err := io.ReadFull(r, data); err != nil {
			t.Fatal(err)
		}
		var answer struct {
			ID    json.RawMessage
			Error struct{ Code json.Number }
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		return string(answer.ID), answer.Error.Code.String()
	}
	length := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) }
	for _, test := range []struct{ header, body, id, code string }{
		{"", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`, "1", ""},
		{"", `{"jsonrpc":"2.0","id":5,`, "null", "-32700"},
		{"", `not json at all`, "null", "-32700"},
		{"", `[]`, "null", "-32600"},
		{"", `"text"`, "null", "-32600"},
		{"", `{"jsonrpc":"2.0","id":7,"method":5}`, "null", "-32600"},
		{"", `{"jsonrpc":"2.0","id":[1],"method":"x"}`, "null", "-32600"},
		{"", `{}` + strings.Repeat(" ", 100_000), "null", "-32600"},
		{"", `{"jsonrpc":"2.0","id":8,"method":"unknown"}` + strings.Repeat("\n", 100_000), "8", "-32601"},
		{"content-type: a/b; charset=utf-8\r\ncontent-length:43\r\n\r\n", `{"jsonrpc":"2.0","id":9,"method":"unknown"}`, "9", "-32601"},
		{"", `{"jsonrpc":"2.0","id":10,"method":"shutdown"}`, "10", ""},
	} {
		header := test.header
		if header == "" {
			header = length(test.body)
		}
		if id, code := said(header, test.body); id != test.id || code != test.code {
			t.Errorf("%.60s: answers %s with code %q, want %s with %q", test.body, id, code, test.id, test.code)
		}
	}
	exit := `{"jsonrpc":"2.0","method":"exit"}`
	if _, err := io.WriteString(theirs, length(exit)+exit); err != nil {
		t.Fatal(err)
	}
	if code := <-done; code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// TestHeaders sends headers after which nobody knows where a message begins: the
// session ends.
func TestHeaders(t *testing.T) {
	for _, header := range []string{"nonsense\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 99999999999\r\n\r\n", "Content-Length: x\r\n\r\n", "A: b\r\n\r\n", "Content-Length: 20\r\n\r\n{"} {
		s := &protocol.Server{}
		ours, theirs := net.Pipe()
		done := make(chan int, 1)
		go func() { done <- s.Serve(t.Context(), ours) }()
		if _, err := io.WriteString(theirs, header); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(header, "{") {
			_ = theirs.Close()
		}
		if code := <-done; code != 1 {
			t.Errorf("%q: exit status %d", header, code)
		}
		_ = theirs.Close()
	}
}
