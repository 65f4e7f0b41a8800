package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/dspi-lang/dspi/interpreter/evaluate/report"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// tellResults prints results for reading: the metrics, what failed, the worst rows.
func (a *app) tellResults(r *evaluate.Results, worst int) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s on %s, %s%s\n\n", r.Evaluation, r.Program, r.Data, plural(r.N, "row"), modelsLine(r.Models))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "metric\tmean\t95 %% interval\tn\t\t\n")
	for _, m := range r.Metrics {
		if m.N == 0 {
			fmt.Fprintf(w, "%s\t-\t\t0\t\t%s\n", m.Name, withoutScore(m))
			continue
		}
		span := ""
		if m.Interval != nil {
			span = spanOf(m.Interval)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", m.Name, figure(m.Mean), span, m.N, m.Unit, withoutScore(m))
	}
	_ = w.Flush() // a Builder does not fail
	for _, c := range r.Confusion {
		fmt.Fprintf(&b, "\n%s: accuracy %s, macro F1 %s (%s to %s)\n", c.Output, figure(c.Accuracy), figure(c.MacroF1), figure(c.Macro.Low), figure(c.Macro.High))
		confusionTable(&b, c)
	}
	if l := r.Latency; l != nil {
		fmt.Fprintf(&b, "\nlatency: p50 %s, p95 %s, p99 %s", inSeconds(l.P50), inSeconds(l.P95), inSeconds(l.P99))
		if r.Usage.Cached > 0 {
			fmt.Fprintf(&b, " (with %d kept replies, which take no time)", r.Usage.Cached)
		}
		b.WriteString("\n")
	}
	worstTable(&b, r, worst)
	text := b.String()
	if a.terminal(a.outFile) {
		text = harmless(text)
	}
	fmt.Fprint(a.out, text)
	fmt.Fprintf(a.err, "\n%s: %s\n", plural(r.N, "row"), usageLine(r.Usage, time.Duration(r.Seconds*float64(time.Second))))
	if r.Judging.Calls+r.Judging.Cached > 0 {
		fmt.Fprintf(a.err, "judging: %s, %d tokens in, %d out, %s\n", plural(r.Judging.Calls, "call"), r.Judging.InputTokens, r.Judging.OutputTokens, dollars(r.Judging.USD))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(a.err, "    %s: %s (%s)\n", plural(f.Rows, "row"), f.Title, f.Code)
	}
	if r.GivenUp != "" {
		fmt.Fprintf(a.err, "not all rows were measured: %s\n", r.GivenUp)
	}
	if g := r.Require; g != nil {
		word := "holds"
		if !g.Holds {
			word = "does not hold"
		}
		fmt.Fprintf(a.err, "required: %s %s\n", strings.Join(strings.Fields(g.Condition), " "), word)
	}
}

// spanOf writes an interval, with a digit more where it is narrow.
func spanOf(i *evaluate.Interval) string {
	if i.High-i.Low < 0.01 && i.High-i.Low > 0.00005 && i.High <= 1 {
		return fmt.Sprintf("%.4f to %.4f", i.Low, i.High)
	}
	return figure(i.Low) + " to " + figure(i.High)
}

func withoutScore(m *evaluate.Summary) string {
	if m.Missing == 0 {
		return ""
	}
	return "  " + plural(m.Missing, "row") + " without"
}

func inSeconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }

// shownClasses is how many classes a table on a terminal has at most.
const shownClasses = 12

// confusionTable draws which class was taken for which; with many classes, only the
// most frequent mistakes.
func confusionTable(b *strings.Builder, c *evaluate.Confusion) {
	if len(c.Classes) > shownClasses {
		type mistake struct {
			want, got string
			n         int
		}
		var all []mistake
		for i, want := range c.Classes {
			for j, got := range c.Classes {
				if i != j && c.Counts[i][j] > 0 {
					all = append(all, mistake{want, got, c.Counts[i][j]})
				}
			}
		}
		slices.SortStableFunc(all, func(x, y mistake) int { return cmp.Compare(y.n, x.n) })
		for _, m := range all[:min(len(all), shownClasses)] {
			fmt.Fprintf(b, "    %d: %s taken for %s\n", m.n, m.want, m.got)
		}
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\t")
	for _, name := range c.Classes {
		fmt.Fprintf(w, "%s\t", brief(name, 14))
	}
	fmt.Fprint(w, "F1\t\n")
	for i, name := range c.Classes {
		if name == evaluate.NoAnswer {
			continue
		}
		fmt.Fprintf(w, "%s\t", brief(name, 24))
		for _, n := range c.Counts[i] {
			fmt.Fprintf(w, "%d\t", n)
		}
		at := slices.IndexFunc(c.Each, func(x evaluate.Class) bool { return x.Name == name })
		fmt.Fprintf(w, "%s\t\n", figure(c.Each[at].F1))
	}
	_ = w.Flush()
}

// worstTable lists the rows with the lowest scores.
func worstTable(b *strings.Builder, r *evaluate.Results, n int) {
	rows := evaluate.Imperfect(r)
	n = min(n, len(rows))
	if n == 0 {
		return
	}
	fmt.Fprintf(b, "\nthe worst %s:\n", plural(n, "row"))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "row\t")
	for _, m := range r.Metrics {
		fmt.Fprintf(w, "%s\t", m.Name)
	}
	fmt.Fprint(w, "\n")
	for _, row := range rows[:n] {
		fmt.Fprintf(w, "%d\t", row.N)
		for _, m := range r.Metrics {
			if s, ok := row.Scores[m.Name]; ok {
				fmt.Fprintf(w, "%s\t", figure(s))
			} else {
				fmt.Fprint(w, "-\t")
			}
		}
		fmt.Fprintf(w, "%s\n", rowLine(row))
	}
	_ = w.Flush()
}

// rowLine says what a row gave: its outputs, each beside its label.
func rowLine(row *evaluate.Row) string {
	if row.Error != nil {
		return brief("failed: "+row.Error.Title, 90)
	}
	var parts []string
	for name, v := range row.Outputs.All() {
		s := name + " = " + brief(oneLine(v), 40)
		if label, ok := row.Example.Get(name); ok && label != nil {
			s += " (" + brief(oneLine(label), 40) + ")"
		}
		parts = append(parts, s)
	}
	for _, name := range slices.Sorted(maps.Keys(row.Errors)) {
		parts = append(parts, brief(name+" failed: "+innermost(row.Errors[name]), 120))
	}
	return strings.Join(parts, ", ")
}

// innermost says in a line what failed: what code in Python raised, else what the
// report points at, else its title.
func innermost(d diag.Report) string {
	lines := strings.Split(strings.TrimSpace(d.Detail), "\n")
	switch last := strings.TrimSpace(lines[len(lines)-1]); {
	case d.Code == "E0650" && last != "":
		return last
	case d.Primary.Text != "":
		return d.Primary.Text
	}
	return d.Title
}

// brief cuts a text to n characters.
func brief(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// writeLines writes each row as a line of JSON.
func writeLines(w io.Writer, r *evaluate.Results) error {
	for _, row := range r.Rows {
		line, err := jsonLine(row)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// writeCells writes the rows as CSV: a column for each value of the rows, each
// output (as prediction.NAME), each score.
func writeCells(w io.Writer, r *evaluate.Results) error {
	var columns, outputs []string
	for _, row := range r.Rows {
		for name := range row.Example.All() {
			if !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
		for name := range row.Outputs.All() {
			if !slices.Contains(outputs, name) {
				outputs = append(outputs, name)
			}
		}
	}
	header := append([]string{"row"}, columns...)
	for _, name := range outputs {
		header = append(header, "prediction."+name)
	}
	for _, m := range r.Metrics {
		header = append(header, "metric."+m.Name)
	}
	header = append(header, "seconds", "usd", "error")
	c := csv.NewWriter(w)
	_ = c.Write(header) // Error tells
	cell := func(v any, ok bool) string {
		switch s, isText := v.(string); {
		case !ok || v == nil:
			return ""
		case isText:
			return s
		}
		return string(value.EncodeJSON(v))
	}
	for _, row := range r.Rows {
		line := []string{strconv.Itoa(row.N)}
		for _, name := range columns {
			line = append(line, cell(row.Example.Get(name)))
		}
		for _, name := range outputs {
			line = append(line, cell(row.Outputs.Get(name)))
		}
		for _, m := range r.Metrics {
			s, ok := row.Scores[m.Name]
			line = append(line, cell(s, ok))
		}
		usd, failed := "", ""
		if row.Usage.USD != nil {
			usd = strconv.FormatFloat(*row.Usage.USD, 'g', -1, 64)
		}
		if row.Error != nil {
			failed = row.Error.Title
		} else if names := slices.Sorted(maps.Keys(row.Errors)); len(names) > 0 {
			failed = names[0] + ": " + row.Errors[names[0]].Title
		}
		_ = c.Write(append(line, strconv.FormatFloat(row.Seconds, 'g', -1, 64), usd, failed))
	}
	c.Flush()
	return c.Error()
}

// saveResults writes results to a file in the form that its name tells. The file is
// written beside its place and moved there when it is whole. A page shows the messages
// that calls has; nil: none.
func saveResults(path string, r *evaluate.Results, calls report.Source) error {
	var b bytes.Buffer
	var err error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		var line []byte
		if line, err = jsonLine(r); err == nil {
			b.Write(line)
		}
	case ".jsonl":
		err = writeLines(&b, r)
	case ".csv":
		err = writeCells(&b, r)
	case ".html":
		err = report.Write(&b, r, calls)
	}
	if err == nil {
		err = putFile(path, b.Bytes())
	}
	if err != nil {
		return wrong("the results cannot be written to %s", path).say("%v.", err)
	}
	return nil
}

// putFile puts a whole file in place of another.
func putFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".results-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone when all went well
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
