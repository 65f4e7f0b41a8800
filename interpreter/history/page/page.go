// Package page draws a run as an HTML page that needs nothing else: no network, no
// script, no font. Its content security policy allows one style sheet, its own.
//
//	Write  the page of a run
//
// Everything on the page is text that others wrote: prompts, replies, failures.
// html/template escapes each, and a link leads nowhere but to the page itself.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/lang/value"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

// page is the parsed template. It does not change.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"duration": duration, "dollars": dollars, "plural": plural, "value": shownValue, "indent": indented,
	"dict": dict, "set": isSet, "short": short, "params": params, "hedges": hedges, "repairs": value.RepairLines,
}).Parse(pageText))

// bar is a line of the timeline.
type bar struct {
	Label, Target string
	Class         string // step or call, and how it ended
	X, Width      float64
	Start, Length time.Duration
}

// shown is what the template draws.
type shown struct {
	*history.Whole
	Policy string
	Style  template.CSS
	Nodes  []history.Node
	Bars   []bar
	Span   time.Duration
	Few    bool // calls are shown open
}

// openCalls is up to how many calls are shown open.
const openCalls = 3

// width is that of the timeline, in its own units.
const width = 1000

// Write writes the page of a run.
func Write(w io.Writer, run *history.Whole) error {
	sum := sha256.Sum256([]byte(style))
	s := &shown{
		Whole: run, Nodes: run.Tree(), Span: run.Span(), Few: len(run.Calls) <= openCalls,
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(style),
	}
	scale := float64(width) / max(1, float64(s.Span))
	draw := func(label, target, class string, at time.Time, d time.Duration) {
		start := max(0, at.Sub(run.Started))
		x := min(float64(start)*scale, width-2)
		s.Bars = append(s.Bars, bar{label, target, class, x, min(max(float64(d)*scale, 2), width-x), start, d})
	}
	for _, n := range s.Nodes {
		label := short(n.Address)
		if n.Element != nil {
			label += fmt.Sprintf("[%d]", *n.Element)
		}
		draw(label, fmt.Sprintf("step-%d", n.Number), "step "+classOf(n.Status), n.Started, n.Duration)
		for _, m := range n.Made() {
			class := "call ok"
			if t := m.Tool; t != nil {
				if t.Error != nil {
					class = "call failed"
				}
				draw(t.Tool, fmt.Sprintf("call-%d", t.Number), class, t.Started, t.Duration)
				continue
			}
			c := m.Call
			switch {
			case c.Error != nil:
				class = "call failed"
			case len(c.Misfit) > 0:
				class = "call misfit"
			case c.Reply != nil && c.Reply.Cached:
				class = "call cached"
			}
			draw(fmt.Sprintf("call %d", c.Number), fmt.Sprintf("call-%d", c.Number), class, c.Started, c.Duration)
		}
	}
	var out bytes.Buffer
	if err := page.Execute(&out, s); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

func classOf(s history.Status) string { return strings.ReplaceAll(string(s), " ", "-") }

// Class returns the class of the run's status.
func (s *shown) Class() string { return classOf(s.Status) }

// short returns an address without the word that all have.
func short(address string) string { return strings.TrimPrefix(address, "program.") }

// field is a name with a value for people.
type field struct {
	Name  string
	Value string
}

// shownValue returns the fields of an object, each as text; anything else as one
// field without a name. null has none.
func shownValue(raw json.RawMessage) []field {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		if text := strings.TrimSpace(string(raw)); text != "" && text != "null" {
			return []field{{Value: text}}
		}
		return nil
	}
	var out []field
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			break
		}
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			break
		}
		f := field{Name: fmt.Sprint(name), Value: indented(v)}
		var text string
		if json.Unmarshal(v, &text) == nil && len(v) > 0 && v[0] == '"' {
			f.Value = text
		}
		out = append(out, f)
	}
	return out
}

// indented returns JSON over several lines, where it is long.
func indented(v any) string {
	raw, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = plainJSON(v); err != nil {
			return err.Error()
		}
	}
	if len(raw) < 80 {
		return string(raw)
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// plainJSON is json.Marshal without escaping < and &: the template does that.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// params returns the parameters of a call; "" when all are the provider's.
func params(r history.Request) string {
	text, err := plainJSON(struct {
		history.Request
		Messages any `json:"messages,omitempty"`
		Tools    any `json:"tools,omitempty"`
		Format   any `json:"format,omitempty"`
	}{Request: r})
	if err != nil || string(text) == `{"params":{}}` {
		return ""
	}
	return string(text)
}

// hedges returns how many further requests were sent for a call.
func hedges(c history.Call) (n int) {
	for _, x := range c.Choices {
		if x.Kind == history.Hedged {
			n++
		}
	}
	return n
}

// dict makes a map for a template within the template.
func dict(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return out
}

// isSet reports whether raw JSON says something.
func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// dollars writes a cost with as many digits as it needs to be read.
func dollars(usd *float64) string {
	switch {
	case usd == nil:
		return "price unknown"
	case *usd == 0:
		return "$0"
	case *usd < 0.0001:
		return "under $0.0001"
	case *usd < 1:
		return fmt.Sprintf("$%.4f", *usd)
	}
	return fmt.Sprintf("$%.2f", *usd)
}

// duration writes a time as people do.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
