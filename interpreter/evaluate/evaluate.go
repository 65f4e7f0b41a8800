// Package evaluate holds what a measurement of a program found, and the statistics
// that say how much of it can be relied on. It runs nothing.
//
//	Results     what an evaluation found: rows and, of each metric, a Summary
//	Row         one row of the data: outputs, scores, what its run used
//	Summary     a metric's mean with its n and its interval
//	Interval    where the true value lies, at a confidence (interval.go)
//	Comparison  two Results on the same rows, paired (compare.go)
//	Confusion   which class was taken for which (confusion.go)
//	Spread      the middle and the upper end of times and costs (spread.go)
//
// Proportions have Wilson's interval, other means the bootstrap's, bias-corrected
// and accelerated. Where chance is drawn it is drawn from a fixed seed, so that the
// same scores give the same figures.
package evaluate

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// Version is that of the saved form of Results.
const Version = 1

// Confidence is that of all intervals.
const Confidence = 0.95

// Results are what an evaluation found.
type Results struct {
	Version    int        `json:"version"`
	Evaluation string     `json:"evaluation"`
	Program    string     `json:"program"`
	Data       string     `json:"data"`
	File       string     `json:"file,omitempty"` // of the rows, as it is written
	Models     []string   `json:"models,omitempty"`
	Metrics    []*Summary `json:"metrics"`
	Rows       []*Row     `json:"rows"`
	// N counts the rows that were measured; Failed those of them whose run
	// failed or that could not be read.
	N        int               `json:"n"`
	Failed   int               `json:"failed"`
	Failures []Failure         `json:"failures"` // why, the most frequent first
	Usage    interpreter.Usage `json:"usage"`    // of the program's runs
	Judging  interpreter.Usage `json:"judging"`  // of the metrics' own steps
	Seconds  float64           `json:"seconds"`  // from the first row to the last
	Latency  *Spread           `json:"latency,omitempty"`
	Cost     *Spread           `json:"cost,omitempty"`
	// Confusion is of the outputs that have few classes and a label.
	Confusion []*Confusion `json:"confusion,omitempty"`
	// GivenUp says why not all rows were measured; "" when all were.
	GivenUp string `json:"given_up,omitempty"`
	// Require is the condition of the evaluation and whether it holds; nil: none.
	Require *Gate `json:"require,omitempty"`
	// Variables are the values of the program's variables; secrets are left out.
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
}

// Gate is a condition over the means.
type Gate struct {
	Condition string `json:"condition"`
	Holds     bool   `json:"holds"`
}

// Failure is why rows failed.
type Failure struct {
	Code  diag.Code `json:"code"`
	Title string    `json:"title"`
	Rows  int       `json:"rows"`
}

// Row is one measured row.
type Row struct {
	N       int           `json:"row"` // in the file, from 1
	Example *value.Object `json:"example,omitempty"`
	Outputs *value.Object `json:"outputs,omitempty"`
	// Scores are those of the metrics, by name. A metric that could not be
	// computed has none.
	Scores   map[string]float64     `json:"scores"`
	Feedback map[string]string      `json:"feedback,omitempty"`
	Errors   map[string]diag.Report `json:"errors,omitempty"` // of metrics
	Error    *diag.Report           `json:"error,omitempty"`  // of the run
	Run      string                 `json:"run,omitempty"`
	Usage    interpreter.Usage      `json:"usage"`
	Judging  *interpreter.Usage     `json:"judging,omitempty"`
	Seconds  float64                `json:"seconds"`
	// Before says that an earlier leg of the evaluation measured it.
	Before bool `json:"-"`
}

// Summary is what a metric came to.
type Summary struct {
	Name string `json:"name"`
	// N counts the rows that have a score. Missing counts those whose score is
	// not known: the metric failed or gave no number.
	N        int       `json:"n"`
	Missing  int       `json:"missing"`
	Mean     float64   `json:"mean"`
	Interval *Interval `json:"interval,omitempty"` // nil for fewer than two scores
	// Proportion tells that each score is 0 or 1.
	Proportion bool   `json:"proportion"`
	Lower      bool   `json:"lower_is_better,omitempty"`
	Unit       string `json:"unit,omitempty"`
	// Whole tells that it is of all rows together: no row has a score of it.
	Whole bool `json:"whole,omitempty"`
}

// Scores returns the scores of a metric in the order of the rows, without those
// that are missing.
func (r *Results) Scores(metric string) []float64 {
	var out []float64
	for _, row := range r.Rows {
		if x, ok := row.Scores[metric]; ok {
			out = append(out, x)
		}
	}
	return out
}

// Metric returns the summary of a metric.
func (r *Results) Metric(name string) (*Summary, bool) {
	i := slices.IndexFunc(r.Metrics, func(s *Summary) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return r.Metrics[i], true
}

// Summarize fills a Summary from scores; missing are rows without one. A score with a
// unit is an amount: it is no proportion, although all of it may be 0.
func Summarize(name, unit string, scores []float64, missing int) *Summary {
	s := &Summary{Name: name, Unit: unit, N: len(scores), Missing: missing, Proportion: len(scores) > 0 && unit == "", Mean: Mean(scores)}
	for _, x := range scores {
		s.Proportion = s.Proportion && (x == 0 || x == 1)
	}
	switch {
	case s.Proportion:
		k := 0
		for _, x := range scores {
			k += int(x)
		}
		i := Wilson(k, len(scores))
		s.Interval = &i
	case len(scores) > 1:
		i := BootstrapMean(scores)
		s.Interval = &i
	}
	return s
}

// Mean returns the mean of xs, 0 for none.
func Mean(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	sum, rest := 0.0, 0.0 // Kahan's sum: the order of rows does not show
	for _, x := range xs {
		y := x - rest
		t := sum + y
		rest = (t - sum) - y
		sum = t
	}
	return sum / float64(len(xs))
}

// largest is the largest score, either way: sums and third powers of such are numbers.
const largest = 1e100

// Known reports whether a score is one: a finite number, from -1e100 to 1e100.
func Known(x float64) bool { return math.Abs(x) <= largest } // which NaN is not

// Worst returns the rows from the worst to the best: those that failed, then by the
// metrics in their order.
func Worst(r *Results) []*Row {
	out := slices.Clone(r.Rows)
	slices.SortStableFunc(out, func(a, b *Row) int {
		if (a.Error != nil) != (b.Error != nil) {
			if a.Error != nil {
				return -1
			}
			return 1
		}
		for _, m := range r.Metrics {
			x, okX := a.Scores[m.Name]
			y, okY := b.Scores[m.Name]
			c := 0
			switch {
			case okX != okY && !okX:
				c = -1
			case okX != okY:
				c = 1
			case m.Lower:
				c = cmp.Compare(y, x)
			default:
				c = cmp.Compare(x, y)
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}

// Imperfect returns the rows of Worst up to the first that is as good as the best one
// in all that is not an amount: where nothing could be better, none.
func Imperfect(r *Results) []*Row {
	rows := Worst(r)
	if len(rows) == 0 {
		return nil
	}
	best := rows[len(rows)-1]
	same := func(row *Row) bool {
		for _, m := range r.Metrics {
			x, okX := row.Scores[m.Name]
			y, okY := best.Scores[m.Name]
			if m.Unit == "" && (okX != okY || x != y) {
				return false
			}
		}
		return row.Error == nil && best.Error == nil && len(row.Errors) == 0
	}
	i := slices.IndexFunc(rows, same)
	if i < 0 {
		return rows
	}
	return rows[:i]
}

// Running is a mean under way, with a rough interval: the normal one. The zero
// Running has seen nothing.
type Running struct {
	n         int
	mean, two float64
}

// Add takes a further value (Welford 1962).
func (r *Running) Add(x float64) {
	r.n++
	d := x - r.mean
	r.mean += d / float64(r.n)
	r.two += d * (x - r.mean)
}

// N returns how many values there were.
func (r *Running) N() int { return r.n }

// Mean returns their mean.
func (r *Running) Mean() float64 { return r.mean }

// Half returns half the width of the interval.
func (r *Running) Half() float64 {
	if r.n < 2 {
		return 0
	}
	return z() * math.Sqrt(r.two/float64(r.n-1)/float64(r.n))
}
