package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
	"github.com/spf13/cobra"
)

func compareCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare two saved results, row by row",
		Long: `Compares what two evaluations saved (dspi eval --save FILE.json), on the rows that
both have: the difference of each metric, B less A, with its 95 % interval, the
p-value of a paired test (McNemar's, exact, for shares; else a permutation of
signs), corrected by Holm's method for all metrics, the size of the effect, and the
smallest difference that so many rows would show in four of five tries. Of shares
the interval is made of the test, so that both say the same; where they differ, of
another metric, that is said. A metric of all rows together, such as macro_f1, is
compared by drawing rows with the answers of both, and by exchanging the two
answers of rows.

Rows are matched by their number, and they must hold the same.`,
		Example: `  dspi compare before.json after.json
  dspi compare before.json after.json --json`,
		Args: arguments(2, 2, "two FILES of results"),
		RunE: func(_ *cobra.Command, args []string) error { return a.compareResults(args[0], args[1], asJSON) },
	}
	jsonFlag(cmd, &asJSON, "print one JSON object")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return cmd
}

// comparedJSON is what --json prints.
type comparedJSON struct {
	A       string                 `json:"a"`
	B       string                 `json:"b"`
	Rows    int                    `json:"rows"` // that both have
	Metrics []*evaluate.Comparison `json:"metrics"`
}

// compareResults is `dspi compare`.
func (a *app) compareResults(first, second string, asJSON bool) error {
	x, err := readResults(first)
	if err != nil {
		return err
	}
	y, err := readResults(second)
	if err != nil {
		return err
	}
	same, other := evaluate.Matched(x, y)
	switch {
	case same+other == 0:
		return wrong("the results have no row in common").say("%s measured %s, %s %s.", first, x.Data, second, y.Data)
	case other > 0:
		return wrong("%s of the same number hold different things", plural(other, "row")).
			say("%s measured %s (%s), %s %s (%s). Only results on the same rows can be compared.", first, x.Data, x.File, second, y.Data, y.File)
	}
	all := evaluate.Compare(x, y)
	if len(all) == 0 {
		return wrong("the results have no metric in common")
	}
	if asJSON {
		return a.writeJSON(comparedJSON{first, second, same, all})
	}
	a.tellComparison(x, y, same, all)
	return nil
}

// readResults reads results that were saved as JSON.
func readResults(path string) (*evaluate.Results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, wrong("%s cannot be read", path).say("%v.", err)
	}
	r, err := evaluate.Read(data)
	if err != nil {
		u := wrong("%s holds no results", path).say("%v.", err)
		if !json.Valid(data) {
			u.hint("results to compare are saved as JSON: dspi eval FILE --save results.json")
		}
		return nil, u
	}
	return r, nil
}

// tellComparison prints a comparison for reading.
func (a *app) tellComparison(x, y *evaluate.Results, rows int, all []*evaluate.Comparison) {
	var b strings.Builder
	fmt.Fprintf(&b, "A: %s%s\nB: %s%s\n%s in common\n\n", x.Evaluation, modelsLine(x.Models), y.Evaluation, modelsLine(y.Models), plural(rows, "row"))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "metric\tA\tB\tB - A\t95 % interval\tn\tp\tp (Holm)\teffect\ttest\tdetectable\t\n")
	for _, c := range all {
		span := ""
		if c.Interval != nil {
			span = signed(c.Interval.Low) + " to " + signed(c.Interval.High)
		}
		detectable := "-" // where no row differs, nothing says how much rows differ
		if c.Detectable > 0 {
			detectable = figure(c.Detectable)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%.2f\t%s\t%s\t\n", c.Metric, figure(c.A), figure(c.B), signed(c.Difference), span, c.N, pValue(c.P), pValue(c.Adjusted), c.Effect, c.Test, detectable)
	}
	_ = w.Flush() // a Builder does not fail
	b.WriteString("\n")
	for _, c := range all {
		fmt.Fprintf(&b, "%s: %s\n", c.Metric, verdict(c))
	}
	fmt.Fprint(a.out, b.String())
}

func signed(x float64) string {
	if x > 0 {
		return "+" + figure(x)
	}
	return figure(x)
}

func pValue(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

// verdict says in words what a comparison shows.
func verdict(c *evaluate.Comparison) string {
	switch {
	case c.N == 0:
		return "no row has a score of both"
	case c.Better+c.Worse == 0 && c.Difference == 0:
		return "both are the same on every row"
	case !c.Clear():
		s := fmt.Sprintf("the data cannot tell them apart; %s would show a difference of %s or more", plural(c.N, "row"), figure(c.Detectable))
		switch {
		case !c.Agrees():
			s += "; the interval leaves 0 out and the test does not, so it is close"
		case c.P < evaluate.Alpha:
			s += "; by itself it would be clear, but among so many metrics one may be so by chance (Holm)"
		}
		return s
	}
	word := "better"
	if (c.Difference > 0) == c.Lower {
		word = "worse"
	}
	s := fmt.Sprintf("B is %s (higher on %s, lower on %d)", word, plural(c.Better, "row"), c.Worse)
	if !c.Agrees() {
		s += "; the test says so and the interval holds 0, so it is close"
	}
	return s
}
