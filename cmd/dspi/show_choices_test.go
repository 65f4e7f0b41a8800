package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history/historytest"
)

// TestShowChoices: the text and the JSON of a call say whom it was sent to, and why.
func TestShowChoices(t *testing.T) {
	run := historytest.Sample("abc123", time.Now())
	v := &view{width: 200}
	v.run(run, false)
	const want = `            passed over openai/big: its circuit is open for 3s more
            sent to openai/other: the next of the list
            sent to openai/other again, request 2: no reply within 1s
            attempt 1 failed: slow down; again after 1.0 s
`
	if text := v.b.String(); !strings.Contains(text, want) {
		t.Errorf("the run is shown as\n%s", text)
	}
	var out bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &out, nil)
	if err := a.writeJSON(run); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`{"kind":"passed","model":"openai/big","reason":"its circuit is open for 3s more"}`, `{"kind":"hedge","model":"openai/other","number":2,"reason":"no reply within 1s"}`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %s in\n%s", part, out.String())
		}
	}
}
