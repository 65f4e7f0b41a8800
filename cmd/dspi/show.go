package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/history/page"
	"github.com/spf13/cobra"
)

// showFlags are the flags of `dspi show`.
type showFlags struct {
	in       string
	json     bool
	html     string
	call     int
	curl     int
	messages bool
	delete   bool
	all      bool
	older    string
}

func showCommand(a *app) *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show a run that is kept: its steps, calls, prompts and replies",
		Long: `Shows a run: its inputs and outputs, each step, each call of a model with what it
took, what was repaired and what did not fit. RUN is the id of a run or the
beginning of it; dspi runs lists them. Without RUN the last one is shown.

--html FILE writes a page that needs nothing else; - is standard output. --curl N
prints the command that sends call N again, with the key as a variable.

Runs are kept with their prompts and replies, in .dspi/dspi.db in the folder of
the dspi.hcl, or beside the .dsp file where there is none, for 30 days. The block
store of dspi.hcl and $DSPI_HISTORY say otherwise; dspi run --no-history keeps
nothing. Keys, sensitive variables and the bytes of pictures, sounds and documents
are never kept.`,
		Example: `  dspi show
  dspi show 3f9c --messages
  dspi show --call 2
  dspi show 3f9c --html run.html
  dspi show --delete --older-than 8w`,
		Args: arguments(0, 1, "the id of a run"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.show(cmd.Context(), cmd, args, f) },
	}
	inFlag(cmd, &f.in)
	flags := cmd.Flags()
	jsonFlag(cmd, &f.json, "print one JSON object: the run with its steps and calls, or the call of --call")
	flags.StringVar(&f.html, "html", "", "write the run as a page to a `file`, - for standard output")
	flags.IntVar(&f.call, "call", 0, "show call `N` in full")
	flags.IntVar(&f.curl, "curl", 0, "print the command that sends call `N` again")
	flags.BoolVar(&f.messages, "messages", false, "show what was sent and answered")
	flags.BoolVar(&f.delete, "delete", false, "delete the run, or those of --all or --older-than")
	flags.BoolVar(&f.all, "all", false, "with --delete: every run")
	flags.StringVar(&f.older, "older-than", "", "with --delete: the runs that are older than a `period`: 12h, 30d, 8w")
	must(cmd.RegisterFlagCompletionFunc("html", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return []cobra.Completion{"html"}, cobra.ShellCompDirectiveFilterFileExt
	}))
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.completeIDs(cmd.Context(), f.in, len(args)), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// completeIDs completes with the ids of runs.
func (a *app) completeIDs(ctx context.Context, in string, given int) []cobra.Completion {
	at, err := a.storeOf(in)
	if given > 0 || err != nil || !at.Exists() {
		return nil
	}
	store, err := at.Open()
	if err != nil {
		return nil
	}
	defer store.Close()
	runs, _ := store.Runs(ctx, 50)
	var out []cobra.Completion
	for _, r := range runs {
		out = append(out, cobra.CompletionWithDesc(r.ID, fmt.Sprintf("%s, %s, %s", strings.TrimPrefix(r.Program, "program."), r.Status, r.Started.Local().Format("2006-01-02 15:04"))))
	}
	return out
}

// check refuses flags that contradict each other.
func (f *showFlags) check(cmd *cobra.Command, args []string) error {
	changed := cmd.Flags().Changed
	ways := 0
	for _, name := range []string{"html", "call", "curl", "delete", "messages"} {
		if changed(name) {
			ways++
		}
	}
	switch {
	case ways > 1:
		return wrong("--html, --call, --curl, --messages and --delete do not go together").say("Each is another way to show a run.")
	case changed("html") && f.html == "":
		return wrong("--html needs a file").hint("such as: --html run.html")
	case f.json && (changed("html") || changed("curl") || changed("delete") || changed("messages")):
		return wrong("--json prints the whole run or, with --call, a call").hint("leave the other flag out")
	case (f.all || f.older != "") && !f.delete:
		return wrong("--all and --older-than need --delete")
	case f.all && f.older != "", (f.all || f.older != "") && len(args) > 0:
		return wrong("--delete deletes one run, those of --older-than, or --all").say("Say one of them.")
	case f.delete && !f.all && f.older == "" && len(args) == 0:
		return wrong("--delete needs to know what").hint("one run: dspi show RUN --delete").hint("old ones: dspi show --delete --older-than 30d").hint("every run: dspi show --delete --all")
	}
	return nil
}

// show is `dspi show`.
func (a *app) show(ctx context.Context, cmd *cobra.Command, args []string, f showFlags) error {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	store, err := a.openStore(f.in)
	if err != nil {
		return err
	}
	defer store.Close()
	id := ""
	if len(args) > 0 {
		id = args[0]
	}
	if f.delete {
		return a.deleteRuns(ctx, store, id, f.all, f.older)
	}
	run, err := a.findRun(ctx, store, id)
	if err != nil {
		return err
	}
	number := max(f.call, f.curl)
	var call *hist.Call
	var tool *hist.ToolCall
	if cmd.Flags().Changed("call") || cmd.Flags().Changed("curl") {
		if call, tool, err = callOf(run, number); err != nil {
			return err
		}
	}
	switch {
	case f.json && call != nil:
		return a.writeJSON(call)
	case f.json && tool != nil:
		return a.writeJSON(tool)
	case f.json:
		return a.writeJSON(run)
	case f.html != "":
		return a.writePage(run, f.html)
	case f.curl != 0 && tool != nil:
		return wrong("call %d of the run %s is one of the tool %s", number, run.ID, tool.Tool).say("--curl sends a call of a model again.").hint("what it took and gave: dspi show %s --call %d", run.ID, number)
	case f.curl != 0:
		return a.showCurl(ctx, run, call)
	}
	v := viewOf(a)
	switch {
	case call != nil:
		v.call(call, true)
	case tool != nil:
		v.tool(tool, true)
	default:
		v.run(run, f.messages)
	}
	fmt.Fprint(a.out, v.b.String())
	return nil
}

// findRun returns the run of an id.
func (a *app) findRun(ctx context.Context, store hist.Store, id string) (*hist.Whole, error) {
	run, err := store.Run(ctx, id)
	return run, noRun(err, id)
}

// noRun words that an id names no run; other errors stay as they are.
func noRun(err error, id string) error {
	var none *hist.NoRunError
	if !errors.As(err, &none) {
		return err
	}
	u := wrong("%s", none.Error())
	if id != "" {
		u.hint("the runs that are kept: dspi runs")
	}
	return u
}

// callOf returns the call of a number: one of a model or, the other nil, of a tool.
func callOf(run *hist.Whole, number int) (*hist.Call, *hist.ToolCall, error) {
	var numbers []int
	for i := range run.Calls {
		if run.Calls[i].Number == number {
			return &run.Calls[i], nil, nil
		}
		numbers = append(numbers, run.Calls[i].Number)
	}
	for i := range run.Steps {
		for j := range run.Steps[i].Tools {
			t := &run.Steps[i].Tools[j]
			if t.Number == number {
				return nil, t, nil
			}
			numbers = append(numbers, t.Number)
		}
	}
	if len(numbers) == 0 {
		return nil, nil, wrong("the run %s has no calls", run.ID)
	}
	slices.Sort(numbers)
	var list []string
	for i, n := range numbers {
		if i == 20 {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprint(n))
	}
	return nil, nil, wrong("the run %s has no call %d", run.ID, number).say("Its calls are: %s.", strings.Join(list, ", "))
}

// writePage writes the page of a run, readable by its owner alone.
func (a *app) writePage(run *hist.Whole, path string) error {
	if path == "-" {
		return page.Write(a.out, run)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return wrong("the page cannot be written to %s", path).say("%v.", err)
	}
	err = page.Write(file, run)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		fmt.Fprintf(a.err, "the run %s is in %s\n", run.ID, path)
	}
	return err
}
