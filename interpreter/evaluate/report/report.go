// Package report draws the results of an evaluation as an HTML page that needs
// nothing else: no network, no script, no font. Its content security policy allows
// one style sheet, its own.
//
//	Write  the page of results
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
	"github.com/dspi-lang/dspi/lang/value"
)

//go:embed report.html
var pageText string

//go:embed report.css
var style string

// page is the parsed template. It does not change.
var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"number": number, "value": shown, "percent": percent, "dollars": dollars, "score": score, "seconds": seconds, "shade": shade,
}).Parse(pageText))

// shownPage is what the template draws.
type shownPage struct {
	*evaluate.Results
	Policy string
	Style  template.CSS
	Worst  []*evaluate.Row
	Bars   []bar
	Plots  []plot
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

// Write writes the page of results.
func Write(w io.Writer, r *evaluate.Results) error {
	sum := sha256.Sum256([]byte(style))
	s := &shownPage{
		Results: r, Worst: evaluate.Worst(r), Style: template.CSS(style),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
	for _, m := range r.Metrics {
		if i := m.Interval; i != nil && i.Low >= 0 && i.High <= 1 && m.Unit == "" {
			s.Bars = append(s.Bars, bar{m, width * m.Mean, width * i.Low, max(1, width*(i.High-i.Low))})
		}
		if scores := r.Scores(m.Name); !m.Proportion && len(scores) > 1 {
			s.Plots = append(s.Plots, histogram(m.Name, m.Unit, scores))
		}
	}
	var times []float64
	for _, row := range r.Rows {
		if row.Run != "" {
			times = append(times, row.Seconds)
		}
	}
	if len(times) > 1 {
		s.Plots = append(s.Plots, histogram("latency", "seconds", times))
	}
	var b bytes.Buffer
	if err := page.Execute(&b, s); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// histogram counts values in bins of the same width.
func histogram(title, unit string, xs []float64) plot {
	lo, hi := slices.Min(xs), slices.Max(xs)
	if lo == hi {
		hi = lo + 1
	}
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

// number writes a figure as JSON does, cut to six digits.
func number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

func seconds(x float64) string { return number(x) + " s" }

func dollars(x *float64) string {
	if x == nil {
		return "price unknown"
	}
	return "$" + number(*x)
}

// score is a row's score of a metric, "-" where it has none.
func score(row *evaluate.Row, metric string) string {
	if x, ok := row.Scores[metric]; ok {
		return number(x)
	}
	return "-"
}

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
