package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
	"github.com/spf13/cobra"
)

// importFlags are the flags of `dspi import dspy`.
type importFlags struct {
	program string
	out     string
	force   bool
}

func importCommand(a *app) *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import dspy MODULE:ATTRIBUTE | dspy STATE.json --program FILE [PROGRAM] | mcp COMMAND … | mcp URL",
		Short: "Make a program of one of DSPy's, or tools of those of an MCP server",
		Long: `Brings in what was made with DSPy, and the tools of servers that speak the Model
Context Protocol.

With MODULE:ATTRIBUTE it imports a dspy.Module in Python and writes it as a .dsp
file: its signatures with their types, its predictors as steps, its forward as the
bindings between them; beside it, as .tuned.json, its instructions and demos. A
forward that cannot be read becomes a step that runs in Python, and is named. The
module's own code runs.

With STATE.json, which program.save() wrote, it binds what DSPy saved to a program
of a .dsp file, by the predictors' names and the fields' order, says what does not
fit, and writes a .tuned.json for --state that DSPy can load, too.

The Python is $DSPI_PYTHON, that of dspi.hcl, of $VIRTUAL_ENV, of a folder .venv
here or above, or python3.

With mcp it starts a server, or asks the one at a URL, and writes its tools as
blocks whose signatures are made of the server's schemas. Arguments of the server
that begin with - stand behind --.`,
		Example: `  dspi import dspy rag:program --out rag.dsp
  dspi import dspy rag.json --program rag.dsp answer
  dspi import mcp --out tools.dsp -- npx -y @modelcontextprotocol/server-everything`,
		Args: arguments(1, 64, "the word `dspy` and MODULE:ATTRIBUTE, or a saved state; or `mcp` and a server"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "mcp" && len(args) > 1 {
				return a.importMCP(cmd.Context(), &f, args[1:])
			}
			if err := system(cmd, args, "dspy", "MODULE:ATTRIBUTE, or a saved state"); err != nil {
				return err
			}
			if len(args) > 3 {
				return wrong("`%s` is one word too many", args[3])
			}
			return a.importDSPy(cmd.Context(), &f, args[1:])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.program, "program", "", "the .dsp `file` that a saved state is bound to")
	flags.StringVar(&f.out, "out", "", "the `file` to write (default: the attribute's name, or that of --program)")
	flags.BoolVar(&f.force, "force", false, "write over a file that exists")
	return cmd
}

// system checks the first word of a command that speaks with another system.
func system(cmd *cobra.Command, args []string, name, needs string) error {
	switch {
	case args[0] != name:
		return wrong("`dspi %s` does not know `%s`", cmd.Name(), args[0]).near(args[0], []string{name}).
			say("It knows `%s`: dspi %s.", name, cmd.Use)
	case len(args) < 2:
		return wrong("dspi %s %s needs %s", cmd.Name(), name, needs).hint("%s", firstExample(cmd))
	}
	return nil
}

func (a *app) importDSPy(ctx context.Context, f *importFlags, args []string) error {
	saved := strings.HasSuffix(args[0], ".json") || f.program != ""
	switch {
	case saved && f.program == "":
		return wrong("a saved state needs a program").
			say("DSPy saves neither types nor modules, so `%s` means something only beside a program.", args[0]).
			hint("dspi import dspy %s --program FILE.dsp", args[0]).
			hint("to make the program, too: dspi import dspy MODULE:ATTRIBUTE")
	case saved:
		return a.importState(f, args)
	case strings.HasSuffix(args[0], ".pkl"):
		return wrong("%s is a pickle", args[0]).say("Reading a pickle runs what is in it. DSPy saves the same as JSON.").
			hint(`in Python: program.save("program.json")`)
	case len(args) > 1:
		return wrong("`%s` is one word too many", args[1]).say("A second word names the program of --program.")
	}
	return a.importModule(ctx, f, args[0])
}

// importState binds a saved state to a program and writes it with dspi's additions.
func (a *app) importState(f *importFlags, args []string) error {
	project, err := a.load(f.program, "")
	if err != nil {
		return err
	}
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	tuned, diags, err := dspi.LoadState(args[0], project, name)
	if err != nil {
		return err
	}
	if err := diags.Err(); err != nil {
		return err
	}
	a.warnAll(diags)
	prog, err := dspi.Choose(project, name)
	if err != nil {
		return err
	}
	tuned.Annotate(prog)
	out := f.out
	if out == "" {
		out = stem(f.program) + ".tuned.json"
	}
	if err := a.writeResult(out, tuned.State.Write(), f.force); err != nil {
		return err
	}
	demos := 0
	for _, s := range tuned.Steps {
		demos += len(s.Demos)
	}
	fmt.Fprintf(a.err, "%s of `%s` bound, with %s\n\nNext:\n\n    dspi run %s --state %s …\n",
		plural(tuned.Bound(), "step"), prog.Name, plural(demos, "demo"), shellWord(f.program), shellWord(out))
	return nil
}

// importModule describes a module in Python and writes it as a program and its
// state.
func (a *app) importModule(ctx context.Context, f *importFlags, target string) error {
	if strings.HasSuffix(target, ".dsp") {
		return wrong("%s is a program of dspi already", target).hint("to bind a saved state to it: dspi import dspy STATE.json --program %s", target)
	}
	interpreter, err := a.python(".")
	if err != nil {
		return err
	}
	m, err := python.Inspect(ctx, interpreter, ".", target, a.env)
	switch {
	case ctx.Err() != nil:
		return &exit{code: exitInterrupted}
	case err != nil:
		return err
	}
	out := f.out
	if out == "" {
		out = m.Main + ".dsp"
	}
	text := format.File(parser.Parse(source.NewFile(out, m.Source(target))))
	src := dspi.Parse(out, string(text))
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		a.tell(err)
		return wrong("%s cannot be said in dspi as it is", target).
			say("The program that was made of it does not check; nothing was written. What is wrong is said above, in the made text.").
			hint("rename what it names in Python, or write the .dsp by hand and import the saved state: dspi import dspy STATE.json --program FILE.dsp")
	}
	tuned, err := bindImported(out, project, m)
	if err != nil {
		return err
	}
	statePath := stem(out) + ".tuned.json"
	if err := a.mayWrite(f.force, out, statePath); err != nil {
		return err
	}
	if err := a.makeFolder(filepath.Dir(out)); err != nil {
		return err
	}
	if err := a.writeResult(out, text, true); err != nil {
		return err
	}
	if err := a.writeResult(statePath, tuned.State.Write(), true); err != nil {
		return err
	}
	for _, n := range m.Notes {
		a.note("%s", n)
	}
	fmt.Fprintf(a.err, "\nNext:\n\n    dspi check %s\n    dspi run %s %s --state %s …\n", shellWord(out), shellWord(out), m.Main, shellWord(statePath))
	return nil
}

// bindImported binds the state of a module to the program that was made of it.
func bindImported(out string, project *program.Project, m *python.Module) (*state.Tuned, error) {
	s, diags := state.Read(source.NewFile(stem(out)+".tuned.json", string(m.State)))
	if s == nil {
		return nil, diags
	}
	prog, err := dspi.Choose(project, m.Main)
	if err != nil {
		return nil, err
	}
	tuned, diags := state.Bind(s, project, prog)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	tuned.Annotate(prog)
	return tuned, nil
}

// python finds the Python for a folder, its dspi.hcl among the places.
func (a *app) python(folder string) (*python.Interpreter, error) {
	own, diags := dspi.LoadSettings(filepath.Join(folder, "x.dsp"))
	if diags.HasErrors() {
		return nil, diags
	}
	return python.Find(dspi.PythonSettings(own, folder, a.getenv).Search)
}

// mayWrite says whether files may be written: those that exist only with --force.
func (a *app) mayWrite(force bool, paths ...string) error {
	if force {
		return nil
	}
	var there []string
	for _, p := range paths {
		if exists(p) {
			there = append(there, p)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return wrong("a file is in the way").say("Nothing was written. There is already:\n\n    %s", strings.Join(there, "\n    ")).
		hint("to write over it: --force").hint("to write elsewhere: --out")
}

// writeResult writes a file that a command made, and says so.
func (a *app) writeResult(path string, data []byte, force bool) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		fmt.Fprintln(a.out, "unchanged", path)
		return nil
	}
	if err := a.mayWrite(force, path); err != nil {
		return err
	}
	err := writeNew(path, data)
	if errors.Is(err, os.ErrExist) {
		err = replaceFile(path, data)
	}
	if err != nil {
		return wrong("%s cannot be written", path).say("%v.", problem(err))
	}
	fmt.Fprintln(a.out, "wrote", path)
	return nil
}

// stem is a path without its ending.
func stem(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }

// makeFolder makes the folder of a result.
func (a *app) makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return wrong("%s cannot be made", path).say("%v.", problem(err))
	}
	return nil
}
