package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/spf13/cobra"
)

// runFlags are the flags of `dspi run`.
type runFlags struct {
	settings
	signature string
	input     string
	json      bool
	stream    bool
	each      string
	budget    []string
	eachFlags
	callFlags
	keepFlags
	resumeFlags
}

func runCommand(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   `run FILE [PROGRAM] name=value …`,
		Short: "Run a program",
		Long: `Runs a program of a .dsp file, or of a signature alone (-s), and prints its
outputs. A file with one program needs no PROGRAM; else the one that no other
uses is run.

Inputs are written name=value: for a string the text as it is, for anything else
JSON or what reads as the type. name=@FILE takes a file's text, name=- standard
input, --input a JSON object of inputs; name=value wins over it.

The model is that of --model, else what the program says, else $DSPI_MODEL, else
the default of the file, else the built-in baseline, which is no language model.

With --each the program runs once for every row of a table (.csv with a header,
or .jsonl), in parallel; each row gives one line of JSON, in the order of the
rows: {"row":1,"outputs":{…}} or {"row":1,"error":{…}}.

A run that was killed or interrupted, failed, or waits for a person goes on with
--resume: what was answered is not asked for again. With --each all rows are
printed again, and those that were done are not run again.`,
		Example: `  dspi run hello.dsp question="What is 17 * 23?"
  dspi run -s "text -> mood: 'angry' | 'happy'" text=@letter.txt --model openai/gpt-4o-mini
  dspi run triage.dsp --each messages.csv --carry id > answers.jsonl
  dspi run rag.dsp answer --input question.json --var k=6 --json
  dspi run --resume last`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runProgram(cmd.Context(), &f, cmd, args) },
	}
	f.settings.flags(cmd, true)
	f.settings.stateFlag(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.signature, "signature", "s", "", "a `signature` instead of a file: \"question -> answer: int\"")
	flags.StringVar(&f.input, "input", "", "a JSON object of inputs: a `file`, or - for standard input")
	jsonFlag(cmd, &f.json, "print one JSON object: outputs, usage, duration, or the error")
	flags.BoolVar(&f.stream, "stream", false, "show outputs while models write them; with --json a line for each growth")
	flags.StringVar(&f.each, "each", "", "run once for every row of a `table`: rows.jsonl, rows.csv")
	f.eachFlags.flags(cmd)
	budgetFlag(cmd, &f.budget)
	f.callFlags.flags(cmd)
	f.keepFlags.flags(cmd)
	f.resumeFlags.flags(a, cmd)
	completeRun(a, cmd, &f.signature)
	return cmd
}

// runProgram is `dspi run`.
func (a *app) runProgram(ctx context.Context, f *runFlags, cmd *cobra.Command, args []string) error {
	err := a.tryRun(ctx, f, cmd, args)
	// What kept the run from beginning is one JSON object, too.
	var e *exit
	if err != nil && f.json && f.each == "" && !errors.As(err, &e) {
		_ = a.writeJSON(failure(&dspi.Result{}, err))
	}
	return err
}

func (a *app) tryRun(ctx context.Context, f *runFlags, cmd *cobra.Command, args []string) error {
	if err := f.resumeFlags.check(cmd, f.signature); err != nil {
		return err
	}
	f.concurrencyGiven = cmd.Flags().Changed("concurrency")
	var t *target
	var err error
	if f.resume != "" {
		t, err = a.resume(ctx, f, args)
	} else {
		t, err = parseTarget("run", args, f.signature, 1)
	}
	if err != nil {
		return err
	}
	if err := f.eachFlags.check(cmd, f.each); err != nil {
		return err
	}
	project, err := a.load(t.file, f.signature)
	if err != nil {
		return err
	}
	if err := a.tune(project, t.word(0), &f.settings); err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	opt.Program = t.word(0)
	if f.before != nil {
		for _, name := range f.before.Origin.Secrets {
			if d, ok := project.Variable(name); ok && opt.Vars[name] == nil {
				return wrong("the variable `%s` of the run %s is not kept", d.Name, f.before.ID).say("It held a secret.").
					hint("give it again: --var %s=…, or DSPI_VAR_%s in the environment", d.Name, d.Name)
			}
		}
	}
	p, err := dspi.Plan(project, opt)
	if err != nil {
		return err
	}
	inputs, err := a.inputs(p.Checked.Signature, t.pairs, f.input)
	if err != nil {
		return err
	}
	if f.before != nil {
		if inputs, err = a.resumedInputs(f.before, p.Checked, inputs); err != nil {
			return err
		}
	}
	if err := interpreter.Refused(p); err != nil {
		return err
	}
	f.origin = a.originOf(f, t, project, opt)
	if f.before != nil && f.before.Origin.Source != f.origin.Source {
		a.note("the program has changed since the run began: what it still asks for in the same words is not asked for again")
	}
	if f.stream && f.each != "" {
		return wrong("--stream and --each do not go together").hint("--stream shows one run as it goes; rows of --each appear as they are done")
	}
	if ctx, err = withBudget(ctx, f.budget); err != nil {
		return err
	}
	if f.each != "" {
		return a.runEach(ctx, p, inputs, opt.Settings, f)
	}
	checked, err := dspi.CheckInputs(p.Checked, inputs)
	if err != nil {
		return err
	}
	a.noteBaseline(p)
	return a.runOnce(ctx, p, checked, opt.Settings, f)
}

// runOnce runs a plan and prints what it made.
func (a *app) runOnce(ctx context.Context, p *plan.Plan, inputs *value.Object, settings *dspi.Settings, f *runFlags) (err error) {
	asJSON, stream := f.json, f.stream
	w := newWatch(p)
	var display display
	people := a.approver(f.answerFlags, display.hold)
	opt := dspi.Options{Trace: w.see, Stream: stream, Approve: people.ask}
	opt.Python.Log = a.pythonLine(display.hold)
	shown := func(*value.Object) bool { return false }
	if stream {
		s := newStreamed(a, p, asJSON)
		opt.Trace = func(e trace.Event) { w.see(e); s.see(e) }
		shown = s.finish
	}
	runtime, err := a.openSession(f.callFlags, f.keepFlags, settings, p, opt)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	if !stream {
		display.show(func() func() { return w.show(a) })
	}
	res, err := runtime.RunAs(ctx, p, f.leg, objectMap(inputs))
	display.stop()
	people.unused()
	resume := runtime.resumeLine(res.Run)
	wordResume(err, res.Run, resume)
	whole := shown(res.Outputs)
	if asJSON {
		if err != nil {
			_ = a.writeJSON(failure(res, err))
		} else if werr := a.writeJSON(success(res)); werr != nil {
			return werr
		}
	} else if err == nil && !whole {
		a.printOutputs(res.Outputs)
	}
	switch {
	case isPaused(err):
		a.tell(err)
		fmt.Fprintf(a.err, "\npaused: %s; %s\n", w.done(), usageLine(res.Usage, res.Duration))
		return &exit{code: exitPaused}
	case err != nil && ctx.Err() != nil:
		a.tell(err)
		next := "Nothing was kept. The same command runs it again from the start."
		if resume != "" {
			next = "to go on: " + resume
		}
		fmt.Fprintf(a.err, "\ninterrupted: %s; %s\n%s\n", w.done(), usageLine(res.Usage, res.Duration), next)
		return &exit{code: exitInterrupted}
	case err != nil:
		a.tell(err)
		var last []string
		if res.Usage.Calls+res.Usage.Journaled > 0 {
			last = append(last, usageLine(res.Usage, res.Duration))
		}
		if resume != "" {
			last = append(last, "to go on when it is put right: "+resume)
		}
		if last != nil {
			fmt.Fprintf(a.err, "\n%s\n", strings.Join(last, "\n"))
		}
		return &exit{code: exitFailed}
	case !asJSON:
		fmt.Fprintln(a.err, usageLine(res.Usage, res.Duration))
	}
	a.tellReuse(f, res.Usage.Journaled)
	return nil
}

func objectMap(o *value.Object) map[string]any {
	m := make(map[string]any, o.Len())
	for name, v := range o.All() {
		m[name] = v
	}
	return m
}

// ran is what --json prints for a run that gave outputs.
type ran struct {
	Run        string            `json:"run"`
	Program    string            `json:"program"`
	Outputs    *value.Object     `json:"outputs"`
	Usage      interpreter.Usage `json:"usage"`
	DurationMS int64             `json:"duration_ms"`
}

func success(res *dspi.Result) ran {
	return ran{res.Run, res.Program, res.Outputs, res.Usage, res.Duration.Milliseconds()}
}

// failed is what --json prints for a run that failed, or could not begin: then
// run and program are empty. More holds the errors behind the first one.
type failed struct {
	Run        string            `json:"run"`
	Program    string            `json:"program"`
	Error      diag.Report       `json:"error"`
	More       []diag.Report     `json:"more,omitempty"`
	Usage      interpreter.Usage `json:"usage"`
	DurationMS int64             `json:"duration_ms"`
}

func failure(res *dspi.Result, err error) failed {
	first, more := firstError(err)
	usage := res.Usage
	if res.Run == "" {
		usage.USD = new(float64) // nothing was sent
	}
	return failed{res.Run, res.Program, first, more, usage, res.Duration.Milliseconds()}
}

// firstError parts the first error of err from the rest, with lists that are
// empty rather than null.
func firstError(err error) (diag.Report, []diag.Report) {
	reports := reportsOf(err)
	for i := range reports {
		r := &reports[i]
		r.Related = append([]diag.LabelReport{}, r.Related...)
		r.Fixes = append([]diag.FixReport{}, r.Fixes...)
		r.Help = append([]string{}, r.Help...)
	}
	i := max(0, slices.IndexFunc(reports, func(r diag.Report) bool { return r.Level == diag.Error }))
	return reports[i], slices.Delete(slices.Clone(reports), i, i+1)
}

// noteBaseline says that the baseline answers because nobody named a model.
func (a *app) noteBaseline(p *plan.Plan) {
	if !usesFallback(p) {
		return
	}
	var keys []string
	example := "openai/gpt-4o-mini"
	for i, m := range stdlib.Universe().Providers {
		if m.KeyVar != "" && a.getenv(m.KeyVar) != "" {
			if len(keys) == 0 && i >= 0 {
				example = m.Example
			}
			keys = append(keys, m.KeyVar)
		}
	}
	found := "no provider's key is in the environment"
	if len(keys) > 0 {
		found = "in the environment there is " + strings.Join(keys, " and ")
	}
	a.note("no model is set, so the baseline %s answers, which is no language model; set one with --model %s or a `model` block with `default = true` (%s)", dspi.Baseline, example, found)
}

func usesFallback(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Ops, func(op *plan.Op) bool {
		return op.Model != nil && op.Model.Source == "nothing else" || op.Plan != nil && usesFallback(op.Plan) ||
			usesFallback(&plan.Plan{Ops: op.Parts})
	})
}

// usageLine says what a run used: `1 call, 52 tokens in, 8 out, $0.0001, 12 ms`.
func usageLine(u interpreter.Usage, d time.Duration) string {
	s := plural(u.Calls, "call")
	if u.Journaled > 0 {
		s += fmt.Sprintf(", %s from the journal", plural(u.Journaled, "call"))
	}
	if u.Cached > 0 {
		s += fmt.Sprintf(", %d from the cache", u.Cached)
	}
	if u.Calls > 0 {
		about := ""
		if u.Estimated {
			about = "about "
		}
		s += fmt.Sprintf(", %s%s in, %d out, %s", about, plural(u.InputTokens, "token"), u.OutputTokens, dollars(u.USD))
	}
	return s + ", " + duration(d)
}

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
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// printOutputs prints outputs for reading: one alone as it is, several by name.
func (a *app) printOutputs(o *value.Object) {
	tty := a.terminal(a.outFile)
	var b strings.Builder
	for name, v := range o.All() {
		text := shown(v)
		if tty {
			text = harmless(text)
		}
		switch {
		case o.Len() == 1:
			b.WriteString(text)
			if !strings.HasSuffix(text, "\n") {
				b.WriteString("\n")
			}
		case strings.Contains(strings.TrimRight(text, "\n"), "\n"):
			b.WriteString(name + ":\n")
			for line := range strings.Lines(strings.TrimRight(text, "\n")) {
				b.WriteString("    " + line)
			}
			b.WriteString("\n")
		default:
			b.WriteString(strings.TrimRight(name+": "+text, " \n") + "\n")
		}
	}
	fmt.Fprint(a.out, b.String())
}

// shown is a value for reading: text as it is, the rest as JSON, over several
// lines when one would be long.
func shown(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	line := string(value.EncodeJSON(v))
	if len(line) > 76 {
		return string(value.EncodeJSONIndent(v))
	}
	return line
}

// harmless shows control characters as pictures, so that a reply cannot command
// the terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		case r >= 0x80 && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, s)
}

// isFile reports whether path is an ordinary file, which can be read twice.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
