package page

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/history/historytest"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

func write(t *testing.T, w *history.Whole) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, w); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parsed reads a page as a browser would and returns its text. It fails on
// anything that could load or run something.
func parsed(t *testing.T, page string) string {
	t.Helper()
	allowed := map[string]bool{}
	for _, name := range strings.Fields("html head meta title style body header h1 h2 h3 p span pre table tbody tr td a svg rect details summary ul li") {
		allowed[name] = true
	}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	ids, links := map[string]bool{}, map[string]bool{}
	var text strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be parsed: %v", err)
		}
		switch x := token.(type) {
		case xml.CharData:
			text.Write(x)
		case xml.StartElement:
			if !allowed[x.Name.Local] {
				t.Errorf("there is a <%s> on the page", x.Name.Local)
			}
			for _, a := range x.Attr {
				switch name := a.Name.Local; {
				case name == "id":
					if ids[a.Value] {
						t.Errorf("the id %s stands twice", a.Value)
					}
					ids[a.Value] = true
				case name == "href":
					if !strings.HasPrefix(a.Value, "#") {
						t.Errorf("a link leads to %s", a.Value)
					}
					links[strings.TrimPrefix(a.Value, "#")] = true
				case name == "src" || name == "style" || strings.HasPrefix(name, "on"):
					t.Errorf("<%s> has %s=%q", x.Name.Local, name, a.Value)
				}
			}
		}
	}
	for to := range links {
		if !ids[to] {
			t.Errorf("a link leads to #%s, which is not there", to)
		}
	}
	return text.String()
}

// TestEverything: all that a run has is on its page.
func TestEverything(t *testing.T) {
	w := historytest.Sample("abc123", time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	page := write(t, w)
	text := parsed(t, page)
	for _, want := range []string{
		"rag failed", "run abc123", "rag.dsp", "2026-11-21 08:00:00 UTC", "dspi v1", "2 calls, 30 tokens in, 5 out, $0.0012, 1 from the cache",
		"openai/gpt-4o-mini", "E0601", "reply does not fit", "two\nlines", "<b>&", `["a","b"]`, "rag.answer[2]",
		"Be brief.", "what is this?", "<image image/png, 7 bytes, sha256 ab>", "a\nb", "hm", `"look"`, "attempt 1 failed after 1 ms: slow down; again after 1.0 s",
		"passages: took one for a list", "answer: is missing", "from the cache", "cut off", "did not fit", "server (HTTP 500)", "openai/third", "other-1",
		"passed over openai/big: its circuit is open for 3s more", "sent to openai/other: the next of the list", "1 further request", "sent to openai/other again, request 2: no reply within 1s",
		`"temperature":0.5`, `"rollout":3`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;; style-src &#39;sha256-") {
		t.Error("the page has no content security policy")
	}
}

// TestHostile: whatever stands in a record is text on the page.
func TestHostile(t *testing.T) {
	const evil = `</pre></style><script>alert(1)</script><img src=x onerror=alert(1)>"'><!-- {{.}} javascript:alert(1)`
	quoted, _ := json.Marshal(evil)
	w := historytest.Sample(evil, time.Now())
	w.Program, w.File, w.Version, w.Error = evil, evil, evil, &history.Failure{Code: evil, Title: evil, Text: evil}
	w.Models = []history.Model{{Address: evil, Name: evil, BaseURL: evil, Source: evil}}
	w.Inputs, w.Outputs = json.RawMessage(`{"a":`+string(quoted)+`,"b":{"c":`+string(quoted)+`}}`), quoted
	for i := range w.Steps {
		s := &w.Steps[i]
		s.Address, s.Error, s.Inputs, s.Outputs = evil, &history.Failure{Text: evil}, w.Inputs, w.Outputs
	}
	for i := range w.Calls {
		c := &w.Calls[i]
		c.Address, c.Model, c.Error = evil, evil, &history.Failure{Code: evil, Text: evil}
		c.Request.Messages = []history.Message{{Role: lm.Role(evil), Content: evil, ToolCallID: evil}}
		c.Request.ToolChoice = evil
		c.Attempts = []history.Attempt{{Error: history.Failure{Text: evil}}}
		c.Misfit, c.Repairs = []value.Fault{{Loc: []any{evil}, Msg: evil}}, []value.Repair{{Loc: []any{evil}, Msg: evil}}
		c.Reply = &history.Reply{Text: evil, Reasoning: evil, Finish: lm.Finish(evil), Answered: evil, Name: evil, Also: []history.Spent{{Address: evil}},
			ToolCalls: []lm.ToolCall{{ID: evil, Name: evil, Arguments: quoted}}}
	}
	text := parsed(t, write(t, w))
	if n := strings.Count(text, "<script>"); n < 40 {
		t.Errorf("the text is shown %d times", n)
	}
}

// TestShapes: runs that are not whole, and large ones.
func TestShapes(t *testing.T) {
	now := time.Now()
	parsed(t, write(t, &history.Whole{}))
	w := historytest.Sample("x", now)
	w.Steps, w.Ended, w.Status = nil, nil, history.Unended
	text := parsed(t, write(t, w))
	for _, want := range []string{"did not end", "rag.find", "rag.answer", "3.0 s"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page of a run that did not end", want)
		}
	}
	call := w.Calls[0]
	w.Calls = nil
	for i := range 1000 {
		call.Number, call.Step, call.Started = i+1, i/10+1, now.Add(time.Duration(i)*time.Millisecond)
		w.Calls = append(w.Calls, call)
	}
	text = parsed(t, write(t, w))
	if got := strings.Count(text, "Be brief."); got != 1000 {
		t.Errorf("%d calls are on the page", got)
	}
	if !strings.Contains(text, fmt.Sprint("call ", 1000)) {
		t.Error("the last call is not on the page")
	}
}
