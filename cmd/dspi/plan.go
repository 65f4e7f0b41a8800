package main

import (
	"fmt"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/spf13/cobra"
)

func planCommand(a *app) *cobra.Command {
	var s settings
	var signature string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan FILE [PROGRAM]",
		Short: "Show what a run would do",
		Long: `Shows what a run would do and sends nothing: the steps, which wait for which,
where each input comes from, which model answers and why. Steps with the same
number run in parallel. What was bound by name, and not written, says so.`,
		Example: `  dspi plan hello.dsp
  dspi plan rag.dsp answer --model openai/gpt-4o-mini --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := parseTarget("plan", args, signature, 1)
			if err != nil {
				return err
			}
			if len(t.pairs) > 0 {
				return wrong("a plan needs no inputs").say("`%s=…` is a value for a run.", t.pairs[0].name).hint("the messages that a step would send: dspi render")
			}
			project, err := a.load(t.file, signature)
			if err != nil {
				return err
			}
			p, err := a.plan(project, t.word(0), s)
			if err != nil {
				return err
			}
			if asJSON {
				return a.writeJSON(p)
			}
			fmt.Fprint(a.out, p)
			for _, d := range listOf(interpreter.Refused(p)) {
				a.note("a run would be refused (%s): %s", d.Code, d.Primary.Text)
			}
			return nil
		},
	}
	s.flags(cmd, true)
	s.stateFlag(cmd)
	cmd.Flags().StringVarP(&signature, "signature", "s", "", "a `signature` instead of a file")
	jsonFlag(cmd, &asJSON, "print the plan as JSON")
	completeRun(a, cmd, &signature)
	return cmd
}
