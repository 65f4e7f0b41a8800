// Package report draws the results of an evaluation as an HTML page that needs
// nothing else: no network, no script, no font. Its content security policy allows
// one style sheet, its own.
//
//	Write   the page of results
//	Source  where the calls of a row's run are, whose messages the page shows
//
// Each figure of the results stands on the page in a data element: its text for
// people, its value as exact as in the JSON, and in data-of where it stands there.
//
// Everything on the page is text that others wrote: rows, replies, failures.
// html/template escapes each.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/lang/value"
)

//go:embed report.html
var pageText string

//go:embed report.css
var style string

// page is the parsed template. It does not change.
var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"number": number, "value": shown, "dollars": dollars, "has": has, "score": score, "seconds": seconds, "shade": shade,
	"figure": newFigure, "count": newCount,
}).Parse(pageText))

// shownPage is what the template draws.
type shownPage struct {
	*evaluate.Results
	Policy string
	Style  template.CSS
	Worst  []*evaluate.Row
	Bars   []bar
	Plots  []plot
	// Spreads are those of time and cost that are known.
	Spreads []spread

	source Source
	room   int // bytes of messages that may still be shown
	// Unshown counts the rows whose messages are left out. The template asks for it
	// behind the last row.
	Unshown int
}

// Source returns the calls of a run, in their order; none where they are not kept.
type Source func(run string) []history.Call

// messagesRoom is how many bytes of messages a page has at most.
const messagesRoom = 24 << 20

// CallsOf returns the calls of a row's run, as long as there is room for them.
func (s *shownPage) CallsOf(run string) []history.Call {
	if s.source == nil || run == "" {
		return nil
	}
	calls := s.source(run)
	for _, c := range calls {
		for _, m := range c.Request.Messages {
			s.room -= len(m.Content)
			for _, p := range m.Parts {
				s.room -= len(p.Text)
			}
		}
		if c.Reply != nil {
			s.room -= len(c.Reply.Text) + len(c.Reply.Reasoning)
		}
	}
	if s.room < 0 {
		s.room, s.source = 0, func(string) []history.Call { s.Unshown++; return nil }
		s.Unshown++
		return nil
	}
	return calls
}

// spread is how times or costs are spread; Of is its name in the JSON.
type spread struct {
	Of string
	*evaluate.Spread
}

// figure is a number on the page.
type figure struct{ Of, Exact, Text string }

func newFigure(of, name string, x float64) figure {
	return figure{of + "." + name, strconv.FormatFloat(x, 'g', -1, 64), number(x)}
}

func newCount(of, name string, n int) figure {
	return figure{of + "." + name, strconv.Itoa(n), strconv.Itoa(n)}
}

// bar is a metric's mean with its interval on a scale from 0 to 1, in the units of
// the drawing.
type bar struct {
	*evaluate.Summary
	X, Low, Width float64
}

// plot is how often values of a quantity occur.
type plot struct {
	Title, Least, Most string
	Bins               []bin
	Marks              []mark
}

// mark is a line in a plot: a percentile.
type mark struct {
	Name, Value string
	X           float64
}

type bin struct {
	X, Y, Width, Height float64
	Title               string
}

// The size of drawings, in their own units.
const (
	width  = 600
	height = 80
	bins   = 24
)

// Write writes the page of results, with the messages that source has; nil: without.
func Write(w io.Writer, r *evaluate.Results, source Source) error {
	sum := sha256.Sum256([]byte(style))
	s := &shownPage{
		Results: r, source: source, room: messagesRoom, Worst: evaluate.Worst(r), Style: template.CSS(style),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
	for _, m := range r.Metrics {
		if i := m.Interval; i != nil && i.Low >= 0 && i.High <= 1 && m.Unit == "" {
			s.Bars = append(s.Bars, bar{m, width * m.Mean, width * i.Low, max(1, width*(i.High-i.Low))})
		}
		if m.Name == "latency" || m.Name == "cost" {
			continue // they are drawn with their percentiles
		}
		if scores := r.Scores(m.Name); !m.Proportion && differ(scores) {
			s.Plots = append(s.Plots, histogram(m.Name, m.Unit, scores))
		}
	}
	var times, costs []float64
	for _, row := range r.Rows {
		if row.Run == "" {
			continue
		}
		times = append(times, row.Seconds)
		if row.Usage.USD != nil {
			costs = append(costs, *row.Usage.USD)
		}
	}
	for _, x := range []struct {
		of, unit string
		spread   *evaluate.Spread
		values   []float64
	}{{"latency", "seconds", r.Latency, times}, {"cost", "dollars", r.Cost, costs}} {
		if x.spread == nil {
			continue
		}
		s.Spreads = append(s.Spreads, spread{x.of, x.spread})
		if differ(x.values) {
			p := histogram(x.of, x.unit, x.values)
			p.mark(x.values, "p50", x.spread.P50)
			p.mark(x.values, "p95", x.spread.P95)
			p.mark(x.values, "p99", x.spread.P99)
			s.Plots = append(s.Plots, p)
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, s); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// differ reports whether there is something to draw: values that are not all the same.
func differ(xs []float64) bool {
	return len(xs) > 1 && slices.Min(xs) < slices.Max(xs)
}

// histogram counts values that differ in bins of the same width.
func histogram(title, unit string, xs []float64) plot {
	lo, hi := slices.Min(xs), slices.Max(xs)
	counts := make([]int, bins)
	for _, x := range xs {
		counts[min(bins-1, int((x-lo)/(hi-lo)*bins))]++
	}
	most := float64(slices.Max(counts))
	if unit != "" {
		title += ", " + unit
	}
	p := plot{Title: title, Least: number(lo), Most: number(hi)}
	for i, n := range counts {
		h := height * float64(n) / most
		from := lo + (hi-lo)*float64(i)/bins
		p.Bins = append(p.Bins, bin{float64(i) * width / bins, height - h, width/bins - 2, h, fmt.Sprintf("from %s: %d", number(from), n)})
	}
	return p
}

// mark draws a line at a value among those that the plot is of.
func (p *plot) mark(xs []float64, name string, x float64) {
	lo, hi := slices.Min(xs), slices.Max(xs)
	p.Marks = append(p.Marks, mark{name, number(x), min(width-1.5, width*(x-lo)/(hi-lo))})
}

// number writes a figure as JSON does, cut to six digits.
func number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func seconds(x float64) string { return number(x) + " s" }

func dollars(x *float64) string {
	if x == nil {
		return "price unknown"
	}
	return "$" + number(*x)
}

// has reports whether a row has a score of a metric.
func has(row *evaluate.Row, metric string) bool {
	_, ok := row.Scores[metric]
	return ok
}

func score(row *evaluate.Row, metric string) float64 { return row.Scores[metric] }

// shade is the class of a cell of a confusion: how much of its line it holds.
func shade(line []int, n int) string {
	sum := 0
	for _, x := range line {
		sum += x
	}
	if n == 0 || sum == 0 {
		return "s0"
	}
	return "s" + strconv.Itoa(1+min(3, 4*n/sum))
}

func shown(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return strings.TrimRight(string(value.EncodeJSONIndent(v)), "\n")
}
