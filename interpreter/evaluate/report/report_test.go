package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

func results() *evaluate.Results {
	r := &evaluate.Results{Version: evaluate.Version, Evaluation: "dev", Program: "route", Data: "dev", N: 4, Failed: 1, Seconds: 2}
	var pairs []evaluate.Pair
	for i, s := range []float64{1, 0, 1, 0} {
		row := &evaluate.Row{
			N: i + 1, Run: "r", Seconds: float64(i), Scores: map[string]float64{"right": s, "length": float64(i)},
			Example: value.NewObject("text", "<script>alert(1)</script>"), Outputs: value.NewObject("mood", []any{"good", s}),
		}
		r.Rows = append(r.Rows, row)
		pairs = append(pairs, evaluate.Pair{Want: "good", Got: []string{"bad & worse", "good"}[int(s)]})
	}
	r.Rows[3].Outputs, r.Rows[3].Error = nil, &diag.Report{Code: "E0606", Title: "provider failed", Detail: "It is away."}
	for _, name := range []string{"right", "length"} {
		r.Metrics = append(r.Metrics, evaluate.Summarize(name, "", r.Scores(name), 0))
	}
	r.Confusion = []*evaluate.Confusion{evaluate.NewConfusion("mood", pairs)}
	r.Failures = []evaluate.Failure{{Code: "E0606", Title: "provider failed", Rows: 1}}
	r.Latency = evaluate.NewSpread([]float64{0, 1, 2, 3})
	return r
}

// source has one call of each run.
func source(run string) []history.Call {
	return []history.Call{{
		Address: "program.route", Model: "test/model", Duration: time.Second,
		Request: history.Request{Messages: []history.Message{{Role: "user", Content: "ask <b>" + run + "</b>"}}},
		Reply:   &history.Reply{Text: "it is <i>so</i>"},
	}}
}

// TestRoom: a page has only so many messages, and says how many rows it leaves out.
func TestRoom(t *testing.T) {
	r := results()
	long := func(run string) []history.Call {
		calls := source(run)
		calls[0].Reply.Text = strings.Repeat("x", messagesRoom/3)
		return calls
	}
	var b bytes.Buffer
	if err := Write(&b, r, long); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "class=\"call\""); n != 2 || !strings.Contains(b.String(), "The messages of 2 rows are left out") {
		t.Errorf("%d rows have messages", n)
	}
}

// TestWrite reads the page as a browser would: nothing on it loads or runs something,
// and its figures are those of the results.
func TestWrite(t *testing.T) {
	r := results()
	var b bytes.Buffer
	if err := Write(&b, r, source); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var text strings.Builder
	elements := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.CharData:
			text.Write(x)
		case xml.StartElement:
			elements[x.Name.Local]++
			for _, a := range x.Attr {
				if n := a.Name.Local; n == "src" || n == "href" || n == "style" || strings.HasPrefix(n, "on") {
					t.Errorf("<%s %s=%q>", x.Name.Local, n, a.Value)
				}
			}
		}
	}
	for _, name := range []string{"script", "link", "img", "iframe"} {
		if elements[name] > 0 {
			t.Errorf("there is a <%s> on the page", name)
		}
	}
	if elements["details"] != 4 || elements["svg"] < 3 {
		t.Errorf("elements: %v", elements)
	}
	said := text.String()
	for _, m := range r.Metrics {
		for _, want := range []string{number(m.Mean), number(m.Interval.Low) + " to " + number(m.Interval.High), m.Interval.Method} {
			if !strings.Contains(said, want) {
				t.Errorf("the page lacks %q of %s", want, m.Name)
			}
		}
	}
	for _, want := range []string{"ask <b>r</b>", "it is <i>so</i>", "p99 2.97", "<script>alert(1)</script>", "bad & worse", "provider failed", "It is away.", "macro F1 " + number(r.Confusion[0].MacroF1), number(r.Latency.P95)} {
		if !strings.Contains(said, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if first := strings.Index(said, "row 4"); first < 0 || first > strings.Index(said, "row 1 ") {
		t.Error("the row that failed is not the first")
	}
}

// TestNothingToDraw: of values that are all the same no plot is drawn, which would need a
// width that nobody measured.
func TestNothingToDraw(t *testing.T) {
	r := results()
	price := 0.00012
	for _, row := range r.Rows {
		row.Usage.Calls, row.Usage.USD = 1, &price
	}
	r.Cost = evaluate.NewSpread([]float64{price, price, price, price})
	var b bytes.Buffer
	if err := Write(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "cost, dollars") || !strings.Contains(page, "latency, seconds") {
		t.Error("which plots there are is wrong")
	}
	if !strings.Contains(page, ", 1 call, $0.00012") {
		t.Error("one call is not told as one")
	}
}
