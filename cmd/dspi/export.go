package main

import (
	"fmt"
	"path/filepath"

	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/spf13/cobra"
)

func exportCommand(a *app) *cobra.Command {
	var s settings
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:   "export python FILE [PROGRAM]",
		Short: "Write a program as a module of DSPy's",
		Long: `Writes PROGRAM.py, a Python module whose ` + "`program`" + ` is the same program in DSPy:
signature classes with their types, modules, a forward with the bindings; and
PROGRAM.json, its instructions and demos as DSPy saves them. Variables have the
values that a run would give them. What has no simple form in DSPy is refused, with
its place.`,
		Example: `  dspi export python rag.dsp answer --state rag.tuned.json --out python
  dspi export python hello.dsp`,
		Args: arguments(1, 3, "the word `python` and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := system(cmd, args, "python", "a file"); err != nil {
				return err
			}
			args = args[1:]
			project, err := a.load(args[0], "")
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 1 {
				name = args[1]
			}
			p, err := a.plan(project, name, s)
			if err != nil {
				return err
			}
			exported, diags := python.Export(p)
			if err := diags.Err(); err != nil {
				return err
			}
			module, saved := filepath.Join(out, p.Program+".py"), filepath.Join(out, p.Program+".json")
			if err := a.mayWrite(force, module, saved); err != nil {
				return err
			}
			if err := a.makeFolder(out); err != nil {
				return err
			}
			if err := a.writeResult(module, []byte(exported.Module), true); err != nil {
				return err
			}
			if err := a.writeResult(saved, exported.State.Write(), true); err != nil {
				return err
			}
			for _, n := range exported.Notes {
				a.note("%s", n)
			}
			fmt.Fprintf(a.err, "\nNext, in Python:\n\n    from %s import program\n    program.load(%q)\n", p.Program, saved)
			return nil
		},
	}
	s.flags(cmd, true)
	s.stateFlag(cmd)
	cmd.Flags().StringVar(&out, "out", ".", "the `folder` to write to")
	cmd.Flags().BoolVar(&force, "force", false, "write over files that exist")
	return cmd
}
