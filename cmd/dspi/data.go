package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
	"github.com/spf13/cobra"
)

// dataFlags are the flags of `dspi data`.
type dataFlags struct {
	settings
	rows   int
	format string
	json   bool
}

func dataCommand(a *app) *cobra.Command {
	f := dataFlags{rows: 3}
	cmd := &cobra.Command{
		Use:   "data FILE [NAME]",
		Short: "Look at a data set: columns, counts, what is missing",
		Long: `Reads a file of rows to its end and says what it holds: how many rows, and of each
column what kind of values it has, how many rows have none, its most frequent
values or its least and greatest number; then the first rows. Rows that cannot be
read are counted, and the first of them is shown.

FILE is .csv, .tsv, .jsonl, .json or .parquet, or a pattern for several. When it is
a .dsp file, NAME is one of its data sets, with the rows that it chooses in the
order that it gives them. dspi data synth has a model write rows.`,
		Example: `  dspi data questions.csv
  dspi data 'logs/*.jsonl' --rows 0
  dspi data route.dsp dev --json
  dspi data synth route.dsp --n 50`,
		Args: arguments(1, 2, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.lookAtData(cmd.Context(), &f, args) },
	}
	f.settings.flags(cmd, false)
	flags := cmd.Flags()
	flags.IntVar(&f.rows, "rows", f.rows, "show the first `N` rows")
	flags.StringVar(&f.format, "format", "", "what the file holds, where its name does not tell: "+strings.Join(datasets.Formats(), ", "))
	complete(cmd, "format", datasets.Formats()...)
	jsonFlag(cmd, &f.json, "print one JSON object")
	cmd.AddCommand(synthCommand(a))
	return cmd
}

// lookAtData is `dspi data`.
func (a *app) lookAtData(ctx context.Context, f *dataFlags, args []string) error {
	if f.rows < 0 {
		return wrong("--rows cannot be %d", f.rows).say("It is a number of rows.")
	}
	t, err := a.openData(ctx, f, args)
	if err != nil {
		return err
	}
	defer t.Close()
	l, err := datasets.Look(t, f.rows)
	if f.json {
		if werr := a.writeJSON(l); werr != nil {
			return werr
		}
	} else {
		a.tellData(l)
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) { // what Python raised
		if l.Rows > 0 {
			a.note("%s could be read as far as row %d", t.Name, l.Rows)
		}
		return d
	}
	if err != nil {
		return wrong("%s cannot be read further", t.Name).say("After row %d: %v.", l.Rows, err)
	}
	if l.Fault != nil {
		a.report(l.Fault)
		return &exit{code: exitFailed}
	}
	return nil
}

func (a *app) openData(ctx context.Context, f *dataFlags, args []string) (*datasets.Table, error) {
	if !strings.HasSuffix(args[0], ".dsp") && !strings.HasSuffix(args[0], ".dspi") {
		if len(args) > 1 {
			return nil, wrong("dspi data takes no argument `%s`", args[1]).say("A name belongs behind a .dsp file.")
		}
		return datasets.Open(args[0], f.format)
	}
	project, err := a.load(args[0], "")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range project.Datasets {
		names = append(names, d.Name)
	}
	name := ""
	switch {
	case len(args) > 1:
		name = args[1]
	case len(names) == 1:
		name = names[0]
	case len(names) == 0:
		return nil, wrong("%s declares no data set", args[0]).hint("dataset dev { file = \"dev.jsonl\" }")
	default:
		return nil, wrong("which data set of %s?", args[0]).say("It declares: %s.", strings.Join(names, ", ")).
			hint("name one behind the file: dspi data %s %s", args[0], names[0])
	}
	d, ok := project.Dataset(name)
	if !ok {
		return nil, wrong("%s has no data set %s", args[0], name).say("It declares: %s.", strings.Join(names, ", ")).near(name, names)
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return nil, err
	}
	values, err := dspi.VariableValues(project, opt)
	if err != nil {
		return nil, err
	}
	if d.Python == nil {
		return dspi.OpenDatasetWith(d, values)
	}
	r := dspi.NewRuntime(dspi.Options{Python: a.pythonFor(args[0])})
	t, err := r.OpenDataset(ctx, d, values)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return datasets.Closing(t, r.Close), nil
}

// tellData prints what a table holds.
func (a *app) tellData(l *datasets.Looked) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s", l.Name, plural(l.Rows, "row"), plural(len(l.Columns), "column"))
	if l.Bad > 0 {
		fmt.Fprintf(&b, ", %d cannot be read", l.Bad)
	}
	b.WriteString("\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "column\tkind\tmissing\tvalues\n")
	for _, c := range l.Columns {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", c.Name, c.Kind, c.Missing, valuesLine(c))
	}
	_ = w.Flush() // a Builder does not fail
	for i, row := range l.First {
		fmt.Fprintf(&b, "\nrow %d\n", i+1)
		for name, v := range row.All() {
			fmt.Fprintf(&b, "  %s: %s\n", name, brief(oneLine(v), 160))
		}
	}
	text := b.String()
	if a.terminal(a.outFile) {
		text = harmless(text)
	}
	fmt.Fprint(a.out, text)
}

// valuesLine says which values a column has.
func valuesLine(c *datasets.Column) string {
	var parts []string
	switch {
	case c.Distinct > 0:
		parts = append(parts, fmt.Sprintf("%d different", c.Distinct))
	case c.Kind != "empty":
		parts = append(parts, fmt.Sprintf("over %d different", datasets.MostValues))
	}
	if c.Least != nil && c.Most != nil {
		write := value.FormatFloat
		if c.Kind == "int" {
			write = func(x float64) string { return strconv.FormatFloat(x, 'f', 0, 64) }
		}
		parts = append(parts, write(float64(*c.Least))+" to "+write(float64(*c.Most)))
	}
	if c.Longest > 0 && len(c.Values) == 0 {
		parts = append(parts, fmt.Sprintf("up to %d characters", c.Longest))
	}
	s := strings.Join(parts, ", ")
	var most []string
	for _, v := range c.Values {
		most = append(most, fmt.Sprintf("%s %d", brief(strings.Join(strings.Fields(v.Value), " "), 24), v.Rows))
	}
	if len(most) > 0 {
		s += ": " + strings.Join(most, ", ")
		if len(most) < c.Distinct {
			s += ", …"
		}
	}
	return s
}
