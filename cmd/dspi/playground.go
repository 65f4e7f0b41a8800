package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/examples"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp"
	wire "github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/server/playground"
	"github.com/spf13/cobra"
)

// playgroundFlags are the flags of `dspi playground`.
type playgroundFlags struct {
	settings
	port    int
	timeout time.Duration
	budget  []string
}

// playgroundCommand is `dspi playground`.
func playgroundCommand(a *app) *cobra.Command {
	var f playgroundFlags
	cmd := &cobra.Command{
		Use:   "playground [FOLDER or FILE]",
		Short: "Write and run programs in a page of the browser",
		Long: `Serves a page on this machine, at the URL that is printed: an editor with the
language server, and beside it the plan, the messages, the outputs and the trace of
a run. It offers the .dsp files of FOLDER, or FILE, else examples. What is written
in the page stays there: no file is changed, and no run is kept.

The built-in baseline answers, which is no language model, unless --model names
another. Programs that start Python or commands, send requests or search an index
are shown, and not run: dspi run does that. A run ends after --timeout, and when it
has used up --budget.

Only who knows the token at the end of the URL is served.`,
		Example: `  dspi playground
  dspi playground examples
  dspi playground triage.dsp --model openai/gpt-4o-mini --budget usd=0.10`,
		Args: arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error { return a.playground(cmd.Context(), &f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", dspi.Baseline, "the model that answers: a declared `name`, or provider/name")
	flags.StringArrayVar(&f.vars, "var", nil, "a variable's value, `k=v`; may be repeated")
	flags.StringArrayVar(&f.files, "vars", nil, "a `file` of variables' values (.dspvars); may be repeated,\nthe last one wins (else $DSPI_VAR_k)")
	flags.IntVar(&f.port, "port", 0, "the `port` to listen at; 0 takes a free one")
	flags.DurationVar(&f.timeout, "timeout", time.Minute, "the longest that a run may take")
	flags.StringSliceVar(&f.budget, "budget", []string{"calls=200"}, "the most that the calls of a run may use: `usd=0.50,calls=500,tokens=200000,time=10m`")
	return cmd
}

func (a *app) playground(ctx context.Context, f *playgroundFlags, args []string) error {
	if _, err := budgetLimits(f.budget); err != nil {
		return err
	}
	if f.timeout <= 0 {
		return wrong("--timeout must be longer than 0")
	}
	files := offered{}
	if len(args) == 1 {
		info, err := os.Stat(args[0])
		if err != nil {
			_, err = dspi.Files(args[0]) // says it better
			return err
		}
		files.path, files.folder = args[0], absolute(args[0])
		if !info.IsDir() {
			files.folder = filepath.Dir(files.folder)
		}
	}
	if _, err := files.list(); err != nil {
		return err
	}
	a.spendMemory()
	opt := playground.Options{
		Token: rand.Text(), Model: f.model, Files: files.list, Timeout: f.timeout,
		Language: wire.WebSocket(func(r *http.Request, stream wire.Stream) {
			stop := context.AfterFunc(r.Context(), func() { _ = stream.Close() })
			defer stop()
			lsp.New(languageOptions()).ServeStream(r.Context(), stream)
		}),
		Run: func(ctx context.Context, r playground.Request, see func(any)) playground.End {
			return a.playgroundRun(ctx, f, files, r, see)
		},
		Test: func(ctx context.Context, r playground.Request, see func(any), told func(playground.Tested)) playground.End {
			return a.playgroundTests(ctx, f, files, r, see, told)
		},
	}
	if files.folder != "" {
		opt.Root = string(wire.FileURI(files.folder))
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", f.port))
	if err != nil {
		return wrong("the playground cannot listen at port %d", f.port).say("%s.", err.Error()).hint("without --port it takes a free one")
	}
	fmt.Fprintf(a.out, "http://%s/#%s\n", listener.Addr(), opt.Token)
	fmt.Fprintln(a.err, "serving; Ctrl-C ends it")
	return playground.New(opt).Serve(ctx, listener)
}

// offered are the files that the playground offers: those of a path, or the examples.
type offered struct {
	path   string // as it was given; "": the examples
	folder string // absolute
}

// list reads the files.
func (o offered) list() ([]playground.File, error) {
	var out []playground.File
	if o.path == "" {
		err := fs.WalkDir(examples.Files, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := examples.Files.ReadFile(name)
			out = append(out, playground.File{Name: name, URI: "untitled:" + name, Text: string(text)})
			return err
		})
		return out, err
	}
	found, err := dspFiles([]string{o.path})
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		text, err := dspi.ReadText(path, path)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(o.folder, absolute(path))
		if err != nil {
			return nil, err
		}
		out = append(out, playground.File{Name: filepath.ToSlash(name), URI: string(wire.FileURI(absolute(path))), Text: text})
	}
	return out, nil
}

// at returns the path of a file that is offered, and of no other.
func (o offered) at(name string) (string, error) {
	files, err := o.list()
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if f.Name == name {
			return filepath.Join(o.folder, filepath.FromSlash(name)), nil
		}
	}
	return "", wrong("the playground has no file %s any more", name).hint("load the page again")
}

// playgroundRun runs what the page asks for.
func (a *app) playgroundRun(ctx context.Context, f *playgroundFlags, files offered, r playground.Request, see func(any)) playground.End {
	var said strings.Builder
	own := newApp(strings.NewReader(""), &said, &said, a.env)
	own.color = "never"
	res, err := own.playgroundTry(ctx, f, files, r, see)
	end := playground.End{Usage: usageLine(res.Usage, res.Duration)}
	if err != nil {
		said.Reset()
		own.tell(err)
		end.Error = strings.TrimSpace(said.String())
		return end
	}
	end.Outputs = res.Outputs
	return end
}

func (a *app) playgroundTry(ctx context.Context, f *playgroundFlags, files offered, r playground.Request, see func(any)) (*dspi.Result, error) {
	none := &dspi.Result{Usage: interpreter.Usage{USD: new(float64)}, Outputs: &value.Object{}}
	path, err := files.at(r.File)
	if err != nil {
		return none, err
	}
	project, diags := dspi.Check(dspi.Parse(path, r.Text))
	if err := diags.Err(); err != nil {
		return none, err
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return none, err
	}
	opt.Program = r.Program
	p, err := dspi.Plan(project, opt)
	if err != nil {
		return none, err
	}
	if err := interpreter.Refused(p); err != nil {
		return none, err
	}
	if err := harmlessPlan(p); err != nil {
		return none, err
	}
	inputs := map[string]any{}
	for name, text := range r.Inputs {
		inputs[name] = dspi.Text(text)
	}
	if ctx, err = withBudget(ctx, f.budget); err != nil {
		return none, err
	}
	runtime := playgroundRuntime(p, see)
	res, err := runtime.Run(ctx, p, inputs)
	return res, errors.Join(err, runtime.Close())
}

// harmlessPlan says what of a plan the playground does not do.
func harmlessPlan(p *plan.Plan) error {
	refuse := func(what string) error {
		return wrong("the playground does not run this program").say("%s.", what).hint("run it with `dspi run`")
	}
	if p.Checked != nil && p.Checked.LocalFiles != "" {
		return refuse("It reads local files")
	}
	for _, op := range p.Ops {
		if err := harmlessOp(op, refuse); err != nil {
			return err
		}
	}
	return nil
}

func harmlessOp(op *plan.Op, refuse func(string) error) error {
	switch {
	case op.Module == "python" || op.Module == "dspy" || op.Module == "program_of_thought" || op.Module == "code_act" || op.Backend == "python":
		return refuse("The step `" + op.Name + "` starts Python")
	case op.Retriever != nil:
		return refuse("The step `" + op.Name + "` searches an index")
	}
	for _, t := range op.Tools {
		if t.Retriever != nil {
			return refuse("The tool `" + t.Name + "` searches an index")
		}
		if t.Declared != nil {
			switch body := t.Declared.Body(); body {
			case "http", "command", "python", "mcp":
				return refuse("The body of the tool `" + t.Name + "` is `" + body + "`")
			}
		}
		if t.Plan != nil {
			if err := harmlessPlan(t.Plan); err != nil {
				return err
			}
		}
	}
	for _, part := range op.Parts {
		if err := harmlessOp(part, refuse); err != nil {
			return err
		}
	}
	if op.Plan != nil {
		return harmlessPlan(op.Plan)
	}
	return nil
}
