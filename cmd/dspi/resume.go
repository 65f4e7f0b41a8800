package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// resumeFlags are the flags that take a run up again.
type resumeFlags struct {
	resume string
	answerFlags

	leg    dspi.Leg  // what --resume names
	before *hist.Run // as the history has it
	had    int       // replies in its journal
}

func (f *resumeFlags) flags(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.resume, "resume", "", "go on with a `run` that has no good end: its id or the beginning of\nit, or last; FILE and inputs are those that it had")
	must(cmd.RegisterFlagCompletionFunc("resume", func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return append(a.completeResumable(cmd.Context(), args), "last"), cobra.ShellCompDirectiveNoFileComp
	}))
	f.answerFlags.flags(cmd)
}

// completeResumable completes with the ids of runs that can be resumed.
func (a *app) completeResumable(ctx context.Context, args []string) []cobra.Completion {
	in := "."
	if len(args) > 0 {
		in = args[0]
	}
	return a.resumableIn(ctx, in, false)
}

// resumableIn lists the runs of a file or folder that can be resumed: evaluations, or
// the others.
func (a *app) resumableIn(ctx context.Context, in string, eval bool) []cobra.Completion {
	at, err := a.storeOf(in)
	if err != nil || !at.Exists() {
		return nil
	}
	store, err := at.Open()
	if err != nil {
		return nil
	}
	defer store.Close()
	runs, _ := listed(ctx, store, 50, false)
	var out []cobra.Completion
	for i := range runs {
		if r := &runs[i]; resumable(r) && (r.Origin.Evaluation != "") == eval {
			out = append(out, cobra.CompletionWithDesc(r.ID, fmt.Sprintf("%s, which %s", shownProgram(r), statusWords(r.Status))))
		}
	}
	return out
}

// check refuses flags that would not be obeyed.
func (f *resumeFlags) check(cmd *cobra.Command, signature string) error {
	for _, name := range []string{"rows", "limit", "carry"} {
		if f.resume != "" && cmd.Flags().Changed(name) {
			return wrong("--%s and --resume do not go together", name).say("A run is resumed with the rows that it had.")
		}
	}
	switch {
	case f.resume == "" && len(f.approve)+len(f.deny) > 0:
		return wrong("--approve and --deny need --resume").hint("dspi run --resume RUN --approve KEY, as the run that waits says")
	case f.resume != "" && signature != "":
		return wrong("--signature and --resume do not go together").say("A run is resumed with the signature that it had.")
	}
	return nil
}

// resume finds the run that --resume names, and puts into the flags and the target
// what the run had and the command line does not say.
func (a *app) resume(ctx context.Context, f *runFlags, args []string) (*target, error) {
	in := "."
	var file string
	if len(args) > 0 && !strings.Contains(args[0], "=") {
		file, args = args[0], args[1:]
		in = file
	}
	for _, arg := range args {
		if !strings.Contains(arg, "=") {
			return nil, wrong("`%s` is not name=value", arg).say("The program is that of the run; beside --resume only its file and inputs can be given.")
		}
	}
	t, err := parseTarget("run", args, "-", 0) // what is left are inputs
	if err != nil {
		return nil, err
	}
	at, err := a.storeOf(in)
	if err != nil {
		return nil, err
	}
	store, err := a.openStore(in)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	run, err := a.resumable(ctx, store, f.resume, false)
	if err != nil {
		return nil, err
	}
	o := run.Origin
	f.at, f.before, f.leg = &at, run, dspi.Leg{Run: run.ID, Resume: true}
	if s, ok := store.(journalled); ok {
		if f.had, err = s.Journal().Count(ctx, run.ID); err != nil {
			return nil, err
		}
	}
	t.file, f.signature = file, ""
	if file == "" {
		t.file, f.signature = run.File, o.Signature
	}
	if o.Program != "" {
		t.words = []string{o.Program}
	}
	if f.model == "" {
		f.model = o.Model
	}
	f.defaultModel = o.DefaultModel
	if f.state == "" {
		f.state = o.State
	}
	f.kept = map[string]any{}
	for name, text := range o.Vars {
		if f.kept[name], err = value.DecodeJSON(text); err != nil {
			return nil, fmt.Errorf("the variable %s of the run %s cannot be read: %w", name, run.ID, err)
		}
	}
	if o.Table != nil {
		f.resumeTable(o.Table)
		if f.each == "-" {
			return nil, wrong("the rows of this run came from standard input").say("They are not kept.").hint("give the same rows again: --each FILE, or --each -")
		}
	}
	a.note("going on with the run %s of %s, which %s", run.ID, shownProgram(run), statusWords(run.Status))
	return t, nil
}

// journalled is a store that has a journal.
type journalled interface{ Journal() journal.Journal }

// resumeTable takes over what a batch goes through.
func (f *runFlags) resumeTable(t *hist.Table) {
	if f.each == "" {
		f.each = t.Path
	}
	f.rows, f.limit, f.carry = t.Rows, t.Limit, t.Carry
	if !f.concurrencyGiven {
		f.concurrency = t.Concurrency
	}
}

// resumable finds the run of an id, or the last one that can be resumed: of those of
// `dspi eval`, or of the others.
func (a *app) resumable(ctx context.Context, store hist.Store, id string, eval bool) (*hist.Run, error) {
	if id == "last" {
		runs, err := store.Runs(ctx, 0)
		if err != nil {
			return nil, err
		}
		for i := range runs {
			if resumable(&runs[i]) && (runs[i].Origin.Evaluation != "") == eval {
				return &runs[i], nil
			}
		}
		if eval {
			return nil, wrong("no evaluation can be resumed").say("All that are kept ended well, or are still running.").hint("which runs there are: dspi runs")
		}
		return nil, wrong("no run can be resumed").say("All runs that are kept ended well, or are still running.").hint("which runs there are: dspi runs")
	}
	run, err := store.Run(ctx, id)
	var several *hist.NoRunError
	if errors.As(err, &several) && len(several.Several) > 0 {
		// The id of a batch is the beginning of its rows'.
		if batch, ok := hist.IsRow(several.Several[0]); ok && !slices.ContainsFunc(several.Several, func(x string) bool { b, _ := hist.IsRow(x); return b != batch }) {
			run, err = store.Run(ctx, batch)
		}
	}
	if err != nil {
		return nil, noRun(err, id)
	}
	if batch, row := hist.IsRow(run.ID); row {
		command := "run"
		if run.Origin != nil && run.Origin.Evaluation != "" {
			command = "eval"
		}
		return nil, wrong("the run %s is a row of a batch", run.ID).hint("resume the batch: dspi %s --resume %s", command, batch)
	}
	switch {
	case run.Status == hist.OK:
		return nil, wrong("the run %s ended well", run.ID).say("There is nothing left to do.").hint("what it made: dspi show %s", run.ID)
	case run.Status == hist.Running:
		return nil, wrong("the run %s is still running", run.ID).say("Another process is at work on it.").hint("which runs there are: dspi runs")
	case run.Origin != nil && run.Origin.Evaluation != "" && !eval:
		return nil, wrong("the run %s is an evaluation", run.ID).hint("resume it: dspi eval --resume %s", run.ID)
	case run.Origin != nil && run.Origin.Evaluation == "" && eval:
		return nil, wrong("the run %s is no evaluation", run.ID).hint("resume it: dspi run --resume %s", run.ID)
	case run.Origin == nil:
		return nil, wrong("the run %s cannot be resumed", run.ID).say("It is not known how it was begun: an older dspi kept it, or it was run by a program.")
	}
	return &run.Run, nil
}

// statusWords says how a run stands, after `which`.
func statusWords(s hist.Status) string {
	return map[hist.Status]string{
		hist.Failed: "failed", hist.Interrupted: "was interrupted", hist.Paused: "waits for a person", hist.Unended: "did not end",
	}[s]
}

func shownProgram(r *hist.Run) string { return strings.TrimPrefix(r.Program, "program.") }

// resumedInputs adds to the inputs that the command line gives those that the run
// had.
func (a *app) resumedInputs(run *hist.Run, p *program.Program, given map[string]any) (map[string]any, error) {
	v, err := value.DecodeJSON(run.Inputs)
	if err != nil {
		return nil, fmt.Errorf("the inputs of the run %s cannot be read: %w", run.ID, err)
	}
	had, _ := v.(*value.Object)
	inputs := maps.Clone(given)
	for name, x := range had.All() {
		if _, ok := given[name]; ok {
			continue
		}
		if _, ok := p.Signature.Input(name); !ok {
			continue // the program was changed
		}
		if !slices.Contains(run.Origin.Unkept, name) {
			inputs[name] = x
			continue
		}
		path := run.Origin.Files[name]
		if path == "" {
			return nil, wrong("the input `%s` of the run %s is not kept", name, run.ID).
				say("The bytes of pictures, sounds and documents are not in the history, and neither are secrets.").
				hint("give it again: dspi run --resume %s %s=…", run.ID, name)
		}
		text, err := mediaInput(path)
		if err != nil {
			var u *usage
			if errors.As(err, &u) {
				u.say("%s", strings.TrimSpace(u.report.Detail+"\n\nThe run had it as its input `"+name+"`.")).hint("give it from elsewhere: dspi run --resume %s %s=@FILE", run.ID, name)
			}
			return nil, err
		}
		inputs[name] = text
	}
	return inputs, nil
}

// originOf returns how a run is begun, for whoever resumes it.
func (a *app) originOf(f *runFlags, t *target, project *program.Project, opt dspi.PlanOptions) *hist.Origin {
	o := &hist.Origin{
		Program: t.word(0), Signature: f.signature, Source: sourceSum(project), Model: f.model, DefaultModel: opt.DefaultModel,
		Vars: map[string]json.RawMessage{}, Files: map[string]string{},
	}
	if f.state != "" {
		o.State = absolute(f.state)
	}
	for name, v := range opt.Vars {
		if d, ok := project.Variable(name); ok && d.Sensitive {
			o.Secrets = append(o.Secrets, name)
			continue
		}
		o.Vars[name] = value.EncodeJSON(v)
	}
	slices.Sort(o.Secrets)
	o.Variables = shownVariables(project, opt)
	for _, p := range t.pairs {
		if path, ok := strings.CutPrefix(p.text, "@"); ok && path != "" {
			o.Files[p.name] = absolute(path)
		}
	}
	if f.before != nil {
		for name, path := range f.before.Origin.Files {
			if !slices.ContainsFunc(t.pairs, func(p pair) bool { return p.name == name }) {
				o.Files[name] = path
			}
		}
	}
	if f.each != "" {
		o.Table = &hist.Table{Path: f.each, Rows: f.rows, Limit: f.limit, Carry: f.carry, Concurrency: f.concurrency}
		if f.each != "-" {
			o.Table.Path = absolute(f.each)
		}
	}
	return o
}

// shownVariables returns the values of variables that a run has, but for secrets.
func shownVariables(project *program.Project, opt dspi.PlanOptions) map[string]json.RawMessage {
	values, err := dspi.VariableValues(project, opt)
	if err != nil {
		return nil
	}
	if opt.State != nil {
		for name, v := range opt.State.Variables {
			if _, given := opt.Vars[name]; !given {
				values[name] = v
			}
		}
	}
	out := map[string]json.RawMessage{}
	for name, v := range values {
		if d, ok := project.Variable(name); ok && !d.Sensitive {
			out[name] = value.EncodeJSON(v)
		}
	}
	return out
}

// sourceSum returns the SHA-256 of the texts of a project.
func sourceSum(project *program.Project) string {
	sum := sha256.New()
	for _, f := range project.Files {
		fmt.Fprintf(sum, "%d\n%s", len(f.Text), f.Text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// resumeLine is the command that resumes a run, and finds its store from here; ""
// where it cannot be resumed.
func (s *session) resumeLine(id string) string {
	if s.kept == nil || s.kept.journal == nil || id == "" {
		return ""
	}
	where := ""
	if here, err := s.app.storeOf("."); err != nil || absolute(here.String()) != absolute(s.kept.at.String()) {
		where = s.kept.about.File + " "
	}
	command := "dspi run "
	if o := s.kept.about.Origin; o != nil && o.Evaluation != "" {
		command = "dspi eval "
	}
	return command + where + "--resume " + id
}

// wordResume puts the whole line into the ways out of a run that waits.
func wordResume(err error, id, line string) {
	var d *diag.Diagnostic
	if line == "" || !errors.As(err, &d) || d.Code != "E0635" {
		return
	}
	for i, h := range d.Help {
		d.Help[i] = strings.ReplaceAll(h, "dspi run --resume "+id, line)
	}
}

// isPaused reports whether a run waits for a person.
func isPaused(err error) bool { return tool.IsPaused(err) }

// tellReuse says what became of what the journal had, when a resumed run has ended
// well.
func (a *app) tellReuse(f *runFlags, used int) {
	if f.before == nil || used >= f.had {
		return
	}
	a.note("%d of %s in the journal could be used again; the others were not asked for any more, as the program, its model or what it reads has changed", used, plural(f.had, "reply"))
}
