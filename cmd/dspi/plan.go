package main

import (
	"fmt"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/spf13/cobra"
)

func planCommand(a *app) *cobra.Command {
	var s settings
	var signature string
	var input string
	var asJSON, estimate bool
	cmd := &cobra.Command{
		Use:   "plan FILE [PROGRAM] [name=value …]",
		Short: "Show what a run would do",
		Long: `Shows what a run would do and sends nothing: the steps, which wait for which,
where each input comes from, which model answers and why. Steps with the same
number run in parallel. What was bound by name, and not written, says so.

With --estimate it shows how many calls, tokens and dollars a run takes, each from
the least to the most, and how that was reckoned. The inputs that are given make it
narrower; nothing is sent.`,
		Example: `  dspi plan hello.dsp
  dspi plan rag.dsp answer --model openai/gpt-4o-mini --json
  dspi plan rag.dsp answer --estimate question="Why is the sky blue?"`,
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := parseTarget("plan", args, signature, 1)
			if err != nil {
				return err
			}
			if len(t.pairs) > 0 && !estimate {
				return wrong("a plan needs no inputs").say("`%s=…` is a value for a run.", t.pairs[0].name).hint("the messages that a step would send: dspi render").hint("what a run with it takes: dspi plan --estimate")
			}
			if input != "" && !estimate {
				return wrong("--input needs --estimate")
			}
			project, err := a.load(t.file, signature)
			if err != nil {
				return err
			}
			p, err := a.plan(project, t.word(0), s)
			if err != nil {
				return err
			}
			if estimate {
				return a.estimate(p, t.pairs, input, asJSON)
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
	jsonFlag(cmd, &asJSON, "print the plan, or the estimate, as JSON")
	cmd.Flags().BoolVar(&estimate, "estimate", false, "show the calls, tokens and dollars that a run takes")
	cmd.Flags().StringVar(&input, "input", "", "with --estimate: a JSON object of inputs: a `file`, or - for standard input")
	completeRun(a, cmd, &signature)
	return cmd
}
