package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/spf13/cobra"
)

// indexFlags are the flags of `dspi index`.
type indexFlags struct {
	settings
	rebuild bool
	json    bool
}

func indexCommand(a *app) *cobra.Command {
	var f indexFlags
	cmd := &cobra.Command{
		Use:   "index FILE [NAME]",
		Short: "Make the index of a retriever, or bring it up to date",
		Long: `Reads the corpus of a retriever, makes the vectors that it needs and writes its
index, which runs and dspi search use. NAME is the retriever, where FILE declares
several; without it the indexes of all are made.

Only what has changed since the last time is read, embedded and written. What an
interruption leaves is taken up by the next one: vectors that were made are kept.
A run brings an index up to date, too; this command does it beforehand.

The index is a file in .dspi/index, or tables in a Postgres where dspi.hcl says so:

    retrieval { store = "postgres://me@localhost/wiki" }`,
		Example: `  dspi index rag.dsp
  dspi index rag.dsp wiki --rebuild
  dspi index rag.dsp wiki --json`,
		Args: arguments(1, 2, "a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.index(cmd.Context(), &f, args) },
	}
	f.settings.flags(cmd, false)
	cmd.Flags().BoolVar(&f.rebuild, "rebuild", false, "forget what is there, vectors too, and make all of it anew")
	jsonFlag(cmd, &f.json, "print one JSON object for each index, a line each")
	completeRetrievers(a, cmd)
	return cmd
}

// index is `dspi index`.
func (a *app) index(ctx context.Context, f *indexFlags, args []string) error {
	project, err := a.load(args[0], "")
	if err != nil {
		return err
	}
	list, err := chooseRetrievers(project, "index", args)
	if err != nil {
		return err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := a.indexOne(ctx, f, project, d, opt); err != nil {
			return err
		}
	}
	return nil
}

// indexOne makes the index of a retriever.
func (a *app) indexOne(ctx context.Context, f *indexFlags, project *program.Project, d *program.Retriever, opt dspi.PlanOptions) (err error) {
	p, err := dspi.PlanRetriever(project, d.Name, opt)
	if err != nil {
		return err
	}
	progress := newIndexProgress(a)
	runtime, err := a.openSession(callFlags{noCache: true}, keepFlags{}, opt.Settings, nil, dspi.Options{Indexing: progress.see})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	spent := &embedderUse{}
	done, err := runtime.Index(retrieve.WithCounter(ctx, spent), p, dspi.IndexOptions{Rebuild: f.rebuild})
	progress.end()
	switch {
	case ctx.Err() != nil:
		a.note("the index of %s is not finished: what was made of it is kept, and the same command goes on", d.Address())
		return &exit{code: exitInterrupted}
	case err != nil:
		return retrieverError(d, err)
	}
	shown := indexed{Indexed: *done, InputTokens: spent.usage.InputTokens, USD: spent.usd}
	if f.json {
		return a.writeJSON(shown)
	}
	fmt.Fprintln(a.out, shown.line(a.nearPath(done.Index)))
	return nil
}

// indexed is an index that is up to date, and what its vectors cost.
type indexed struct {
	dspi.Indexed
	InputTokens int      `json:"input_tokens,omitempty"`
	USD         *float64 `json:"usd,omitempty"`
}

// line says it in words: `retriever.wiki: 232 passages, 3 of them written, 2 vectors
// made; in .dspi/index/wiki-1.db (0.2 s)`.
func (x indexed) line(at string) string {
	s := x.Retriever + ": " + plural(x.Passages, "passage")
	switch {
	case x.Written == 0:
		s += ", nothing has changed"
	case x.Written == x.Passages:
		s += " written"
	default:
		s += fmt.Sprintf(", %d of them written", x.Written)
	}
	if x.Embedded > 0 {
		s += ", " + plural(x.Embedded, "vector") + " made"
		if x.InputTokens > 0 {
			s += fmt.Sprintf(" of %d tokens", x.InputTokens)
		}
		if x.USD != nil && *x.USD > 0 {
			s += fmt.Sprintf(" for $%.4f", *x.USD)
		}
	}
	return s + "; in " + at + " (" + duration(time.Duration(x.Seconds*float64(time.Second))) + ")"
}

// embedderUse adds up what an embedder uses. Several texts are embedded at once.
type embedderUse struct {
	mu    sync.Mutex
	usage interpreter.Usage
	usd   *float64
}

// Count adds a reply.
func (u *embedderUse) Count(r *lm.Response) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.usage.InputTokens += r.Usage.InputTokens
	if r.Cost != nil {
		if u.usd == nil {
			u.usd = new(float64)
		}
		*u.usd += *r.Cost
	}
}

// Lost does nothing: what failed in the end is told as an error.
func (u *embedderUse) Lost([]lm.Spent) {}

// nearPath shortens a path in the current folder.
func (a *app) nearPath(path string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// chooseRetrievers returns the retriever that the arguments name, or all of the file.
// Command is what the user has called: index or search.
func chooseRetrievers(project *program.Project, command string, args []string) ([]*program.Retriever, error) {
	var own []*program.Retriever
	var names []string
	for _, r := range project.Retrievers {
		names = append(names, r.Name)
		if r.Place.File == project.Root && r.Python == nil {
			own = append(own, r)
		}
	}
	if len(args) < 2 {
		if len(own) == 0 {
			return nil, noRetriever(command, args[0], names)
		}
		return own, nil
	}
	r, ok := project.Retriever(strings.TrimPrefix(args[1], "retriever."))
	switch {
	case len(names) == 0:
		return nil, noRetriever(command, args[0], names)
	case !ok:
		return nil, wrong("%s has no retriever %s", args[0], args[1]).say("It declares: %s.", strings.Join(names, ", ")).near(args[1], names)
	}
	return []*program.Retriever{r}, nil
}

func noRetriever(command, file string, names []string) error {
	if len(names) > 0 {
		call := names[0]
		if command == "search" {
			call += ` "QUERY"`
		}
		return wrong("%s declares no retriever with a corpus", file).say("Those that it uses: %s.", strings.Join(names, ", ")).hint("name one behind the file: dspi %s %s %s", command, file, call)
	}
	return wrong("%s declares no retriever", file).hint("retriever docs { folder = \"docs\" }")
}

// retrieverError words why passages cannot be searched.
func retrieverError(d *program.Retriever, err error) error {
	var e *retrieve.Error
	if !errors.As(err, &e) {
		return err
	}
	u := wrong("%s cannot be searched", d.Address()).say("%s.", sentence(strings.TrimSuffix(e.Text, ".")))
	if e.Hint != "" {
		u.hint("%s", e.Hint)
	}
	return &exit{code: exitFailed, err: u}
}

// sentence begins a text with a capital, unless it begins with a name.
func sentence(s string) string {
	if word, _, _ := strings.Cut(s, " "); strings.ContainsAny(word, "./:_") {
		return s
	}
	return upperFirst(s)
}

// completeRetrievers completes a file and the name of a retriever in it.
func completeRetrievers(a *app, cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return extensions, cobra.ShellCompDirectiveFilterFileExt
		case 1:
			var out []cobra.Completion
			if project, err := a.load(args[0], ""); err == nil {
				for _, r := range project.Retrievers {
					out = append(out, r.Name)
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
