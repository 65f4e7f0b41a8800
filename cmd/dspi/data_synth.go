package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
	"github.com/spf13/cobra"
)

// synthFlags are the flags of `dspi data synth`.
type synthFlags struct {
	settings
	n      int
	from   string
	out    string
	seed   uint64
	batch  int
	json   bool
	budget []string
	callFlags
	keepFlags
}

func synthCommand(a *app) *cobra.Command {
	f := synthFlags{n: 20, batch: 10}
	cmd := &cobra.Command{
		Use:   "synth FILE [PROGRAM]",
		Short: "Have a model write rows for a program",
		Long: `Asks a model for rows that a program could be given, with what it should answer.
They are candidates: look at them before anything is measured on them. Each is marked
by a column, synthetic.

A row is kept when it has a value of the right type for each input and output, and
when no other row has the same inputs, or nearly the same words. What is refused is
counted. --from shows the model rows that people made, a file or a data set of FILE;
none of them is written again.`,
		Example: `  dspi data synth route.dsp --n 50 --model openai/gpt-4o-mini --out more.jsonl
  dspi data synth route.dsp route --from dev --budget usd=0.20`,
		Args: arguments(1, 2, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.synthesize(cmd.Context(), &f, args) },
	}
	f.settings.flags(cmd, true)
	flags := cmd.Flags()
	flags.IntVar(&f.n, "n", f.n, "how many rows")
	flags.StringVar(&f.from, "from", "", "rows that people made: a `file`, or the name of a data set of FILE")
	flags.StringVar(&f.out, "out", "", "write the rows to a `file`: .jsonl, .json or .csv (else they are\nprinted, a line of JSON each)")
	flags.Uint64Var(&f.seed, "seed", 0, "which rows a call shows the model is drawn with this `number`")
	flags.IntVar(&f.batch, "batch", f.batch, "how many rows one call is asked for")
	jsonFlag(cmd, &f.json, "print one JSON object: the rows, and what was refused")
	budgetFlag(cmd, &f.budget)
	f.callFlags.flags(cmd)
	f.keepFlags.flags(cmd)
	completeFiles(cmd)
	return cmd
}

// check refuses what cannot be asked for.
func (f *synthFlags) check() error {
	switch ending := strings.ToLower(filepath.Ext(f.out)); {
	case f.n < 1:
		return wrong("--n cannot be %d", f.n).say("It is a number of rows, at least 1.")
	case f.batch < 1 || f.batch > 100:
		return wrong("--batch cannot be %d", f.batch).say("It is a number of rows, from 1 to 100.")
	case f.out != "" && ending != ".jsonl" && ending != ".json" && ending != ".csv":
		return wrong("%s does not tell what shall be written", f.out).say("Its name ends in .jsonl, .json or .csv.")
	}
	return nil
}

// synthesize is `dspi data synth`.
func (a *app) synthesize(ctx context.Context, f *synthFlags, args []string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	project, err := a.load(args[0], "")
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	prog, err := dspi.Choose(project, name)
	if err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	p, err := dspi.PlanSynthesis(project, prog, opt)
	if err != nil {
		return err
	}
	from, err := a.peopleRows(f, project, opt)
	if err != nil {
		return err
	}
	if from != nil {
		defer from.Close()
	}
	if ctx, err = withBudget(ctx, f.budget); err != nil {
		return err
	}
	runtime, err := a.openSession(f.callFlags, f.keepFlags, opt.Settings, p.Plan, dspi.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	made, err := runtime.Synthesize(ctx, p, dspi.SynthOptions{N: f.n, Batch: f.batch, Seed: f.seed, From: from})
	// What was paid for is written, whatever happened then.
	if werr := a.writeRows(f, made); werr != nil {
		return werr
	}
	a.tellSynthetic(f, made)
	switch {
	case err != nil:
		a.tell(err)
		if ctx.Err() != nil {
			return &exit{code: exitInterrupted}
		}
		return &exit{code: exitFailed}
	case made.GivenUp != "":
		return &exit{code: exitFailed}
	}
	return nil
}

// peopleRows opens what --from names; nil where it names nothing.
func (a *app) peopleRows(f *synthFlags, project *program.Project, opt dspi.PlanOptions) (*datasets.Table, error) {
	if f.from == "" {
		return nil, nil
	}
	d, ok := project.Dataset(strings.TrimPrefix(f.from, "dataset."))
	if !ok {
		return datasets.Open(f.from, "")
	}
	values, err := dspi.VariableValues(project, opt)
	if err != nil {
		return nil, err
	}
	return dspi.OpenDatasetWith(d, values)
}

// writeRows writes the rows where they are wanted.
func (a *app) writeRows(f *synthFlags, made *dspi.Synthetic) error {
	var b bytes.Buffer
	switch ending := strings.ToLower(filepath.Ext(f.out)); {
	case f.json && f.out == "":
		return a.writeJSON(made)
	case ending == ".csv":
		writeRowCells(&b, made.Rows)
	case ending == ".json":
		rows := make([]any, len(made.Rows))
		for i, row := range made.Rows {
			rows[i] = row
		}
		b.Write(value.EncodeJSONIndent(rows))
		b.WriteByte('\n')
	default:
		for _, row := range made.Rows {
			b.Write(append(value.EncodeJSON(row), '\n'))
		}
	}
	if f.out == "" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	if err := putFile(f.out, b.Bytes()); err != nil {
		return wrong("the rows cannot be written to %s", f.out).say("%v.", err)
	}
	if f.json {
		return a.writeJSON(made)
	}
	return nil
}

// writeRowCells writes rows as CSV: values that are no text as JSON.
func writeRowCells(b *bytes.Buffer, rows []*value.Object) {
	w := csv.NewWriter(b)
	for i, row := range rows {
		var names, cells []string
		for name, v := range row.All() {
			names = append(names, name)
			text, isText := v.(string)
			if !isText && v != nil {
				text = string(value.EncodeJSON(v))
			}
			cells = append(cells, text)
		}
		if i == 0 {
			_ = w.Write(names) // a Buffer does not fail
		}
		_ = w.Write(cells)
	}
	w.Flush()
}

// tellSynthetic says what was kept and what was not.
func (a *app) tellSynthetic(f *synthFlags, made *dspi.Synthetic) {
	where := ""
	if f.out != "" {
		where = ", written to " + f.out
	}
	fmt.Fprintf(a.err, "%s of %d kept%s; %s\n", plural(len(made.Rows), "row"), made.Written, where, usageLine(made.Usage, 0))
	for _, r := range made.Refused {
		fmt.Fprintf(a.err, "    %s refused: %s\n", plural(r.Rows, "row"), r.Why)
	}
	if made.Unread > 0 {
		fmt.Fprintf(a.err, "    %s without rows\n", plural(made.Unread, "reply"))
	}
	if made.GivenUp != "" && len(made.Rows) < f.n {
		fmt.Fprintf(a.err, "%d were wanted, and it was given up: %s\n", f.n, made.GivenUp)
	}
}
