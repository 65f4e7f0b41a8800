package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// renderFlags are the flags of `dspi render`.
type renderFlags struct {
	settings
	signature    string
	input        string
	demos        string
	instructions string
	adapter      string
	call         int
	json         bool
}

func renderCommand(a *app) *cobra.Command {
	var f renderFlags
	cmd := &cobra.Command{
		Use:   "render FILE [PROGRAM] [STEP] name=value …",
		Short: "Show the messages a step would send",
		Long: `Shows the messages that a step would send to its model, to the byte, and sends
nothing. The inputs are those of the step. The step of a program without steps is
called predict; without STEP it is the program's first one. The adapter two_step
makes two calls: in the second one, words in angle brackets stand for the reply to
the first. --call 2 shows it alone; --json prints the first one, unless --call
says otherwise.

--demos takes a JSON list of objects: worked examples with values for the step's
inputs and outputs.`,
		Example: `  dspi render hello.dsp question="What is 17 * 23?"
  dspi render -s "question -> answer: int" question="6 * 7?" --demos demos.json
  dspi render rag.dsp answer respond --input step.json --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.render(cmd, &f, args) },
	}
	f.settings.flags(cmd, false)
	f.settings.stateFlag(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.signature, "signature", "s", "", "a `signature` instead of a file: \"question -> answer: int\"")
	flags.StringVar(&f.input, "input", "", "a JSON object of the step's inputs: a `file`, or - for standard input")
	flags.StringVar(&f.demos, "demos", "", "a JSON list of worked examples: a `file`, or -")
	flags.StringVar(&f.instructions, "instructions", "", "a `text` instead of the step's instructions")
	flags.StringVar(&f.adapter, "adapter", "", "write the prompt as this `adapter` does: "+strings.Join(prompt.Names(), ", ")+" (default: the step's)")
	flags.IntVar(&f.call, "call", 0, "show call `N` alone, where the adapter makes several")
	jsonFlag(cmd, &f.json, `print [{"role","content"},…]`)
	completeRun(a, cmd, &f.signature)
	complete(cmd, "adapter", prompt.Names()...)
	return cmd
}

// render is `dspi render`.
func (a *app) render(cmd *cobra.Command, f *renderFlags, args []string) error {
	t, err := parseTarget("render", args, f.signature, 2)
	if err != nil {
		return err
	}
	project, err := a.load(t.file, f.signature)
	if err != nil {
		return err
	}
	prog, step, err := chooseStep(project, t)
	if err != nil {
		return err
	}
	adapter, err := chooseAdapter(f.adapter, step)
	if err != nil {
		return err
	}
	// The step stands for a program of its own: its inputs are given by hand.
	alone := &program.Program{Name: step.Name, Signature: step.Signature, Place: step.Place}
	given, err := a.inputs(step.Signature, t.pairs, f.input)
	if err != nil {
		return err
	}
	inputs, err := dspi.CheckInputs(alone, given)
	if err != nil {
		return err
	}
	demos, err := a.demos(f.demos, step.Signature)
	if err != nil {
		return err
	}
	tuned, err := a.tunedStep(project, prog, step, &f.settings)
	if err != nil {
		return err
	}
	if tuned != nil && f.demos == "" {
		demos = tuned.Demos
		if tuned.Nearest > 0 {
			demos = prompt.Nearest(step.Signature, demos, inputs, tuned.Nearest)
		}
	}
	sig := *tuned.Signature(step.Signature)
	if cmd.Flags().Changed("instructions") {
		sig.Instructions = f.instructions
	} else if tuned != nil && tuned.Instructions != "" {
		sig.Instructions = tuned.Instructions
	} else if sig.Instructions, err = a.instructions(cmd.Context(), project, prog, step, inputs, f.settings); err != nil {
		return err
	}
	if sig.Instructions == "" {
		sig.Instructions = step.Declared.DefaultInstructions()
	}
	calls := [][]lm.Message{adapter.Messages(&sig, demos, inputs)}
	if !asksPlainly(step) {
		wanted := ""
		if cmd.Flags().Changed("instructions") || tuned != nil && tuned.Instructions != "" {
			wanted = sig.Instructions
		}
		first, err := a.question(cmd.Context(), project, prog, step, inputs, wanted, adapter, demos, f.settings)
		if err != nil {
			return err
		}
		calls[0] = first.Messages
		if len(first.Tools) > 0 && !f.json {
			a.note("the model is also given the tools %s", toolNames(first.Tools))
		}
	} else if two, ok := adapter.(prompt.Extractor); ok {
		reading, text := two.Extraction(&sig, unknownReply)
		calls = append(calls, two.Then().Messages(reading, nil, text))
	}
	switch one := cmd.Flags().Changed("call"); {
	case one && (f.call < 1 || f.call > len(calls)):
		return wrong("there is no call %d to show", f.call).say("With the adapter %s a step makes %s.", adapter.Name(), plural(len(calls), "call"))
	case f.json:
		return a.writeJSON(calls[max(f.call, 1)-1])
	case one:
		calls = calls[f.call-1 : f.call]
	}
	for i, messages := range calls {
		if i > 0 {
			on, off := a.heading()
			fmt.Fprintf(a.out, "\n%s=== call %d, which reads the reply to the first ===%s\n\n", on, i+1, off)
		}
		a.printMessages(messages)
	}
	return nil
}

// asksPlainly reports whether a step's first request is what its adapter makes of its
// signature.
func asksPlainly(step *program.Step) bool {
	return step.Module == "predict" || step.Module == "chain_of_thought" || step.Module == "module"
}

// question is the first request of a step whose module asks in its own way.
func (a *app) question(ctx context.Context, project *program.Project, prog *program.Program, step *program.Step, inputs *value.Object,
	instructions string, adapter prompt.Adapter, demos []prompt.Demo, s settings) (*lm.Request, error) {
	p, err := a.plan(project, prog.Name, s)
	if err != nil {
		return nil, err
	}
	op := findOp(p.Ops, step)
	if op == nil {
		return nil, wrong("`%s` is not a step of the plan", step.Name)
	}
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	first, err := runtime.Question(ctx, p, asWanted(op, instructions, adapter, demos), inputs)
	switch {
	case err != nil:
		return nil, err
	case first == nil:
		return nil, wrong("the step `%s` asks no model", step.Name)
	}
	return first, nil
}

// findOp returns the operation of a step, also in the rounds of a repeat.
func findOp(ops []*plan.Op, step *program.Step) *plan.Op {
	for _, op := range ops {
		if op.Step == step {
			return op
		}
		if op.Kind == plan.RepeatOp {
			if x := findOp(op.Plan.Ops, step); x != nil {
				return x
			}
		}
	}
	return nil
}

// asWanted returns an operation, and what it holds, with the adapter, demos and
// instructions that the command line says.
func asWanted(op *plan.Op, instructions string, adapter prompt.Adapter, demos []prompt.Demo) *plan.Op {
	o, step := *op, *op.Step
	step.Settings.Adapter, o.Adapter = adapter.Name(), adapter.Name()
	o.Step = &step
	if instructions != "" {
		o.Instructions = instructions
	}
	if demos != nil {
		o.Demos, o.Nearest = demos, 0 // those that are nearest were chosen
	}
	o.Parts = nil
	for _, part := range op.Parts {
		if part.Plan == nil {
			part = asWanted(part, instructions, adapter, demos)
		}
		o.Parts = append(o.Parts, part)
	}
	return &o
}

func toolNames(tools []lm.Tool) string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	return strings.Join(names, ", ")
}

// unknownReply stands for a reply that is not there yet.
const unknownReply = "<the reply to the first call, which is not known before a run>"

// heading returns what makes a line of a prompt a heading on a terminal, and ends it.
func (a *app) heading() (on, off string) {
	if a.colored(a.outFile) {
		return "\x1b[1;36m", "\x1b[0m"
	}
	return "", ""
}

func (a *app) printMessages(messages []lm.Message) {
	on, off := a.heading()
	tty := a.terminal(a.outFile)
	for i, m := range messages {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		text := m.Text()
		if tty {
			text = harmless(text)
		}
		fmt.Fprintf(a.out, "%s--- %s ---%s\n%s\n", on, m.Role, off, strings.TrimRight(text, "\n"))
	}
}

// chooseStep finds the program and step that a command line names. One word is a
// program, or else a step of the program that needs no naming.
func chooseStep(project *program.Project, t *target) (*program.Program, *program.Step, error) {
	progName, stepName := t.word(0), t.word(1)
	if _, ok := project.Program(progName); !ok && stepName == "" && progName != "" {
		if main, err := dspi.Choose(project, ""); err == nil {
			if _, ok := main.Step(progName); ok {
				progName, stepName = "", progName
			}
		}
	}
	prog, err := dspi.Choose(project, progName)
	if err != nil {
		return nil, nil, err
	}
	var names, lines []string
	for _, s := range prog.Steps {
		names = append(names, s.Name)
		lines = append(lines, "    "+s.Name+"    "+s.Signature.String())
	}
	step, ok := firstStep(prog), true
	if stepName != "" {
		step, ok = prog.Step(stepName)
	}
	switch {
	case !ok:
		return nil, nil, wrong("`%s` has no step `%s`", prog.Name, stepName).near(stepName, names).say("Its steps:\n\n%s", strings.Join(lines, "\n"))
	case step == nil:
		return nil, nil, wrong("`%s` has no step that asks a model", prog.Name)
	case step.Program != nil:
		return nil, nil, wrong("the step `%s` calls a program", step.Name).say("It is the program `%s` that asks models.", step.Program.Name).
			hint("dspi render %s %s", project.Root.Name, step.Program.Name)
	}
	return prog, step, nil
}

// firstStep returns the first step that asks a model itself, or any, or nil.
func firstStep(prog *program.Program) *program.Step {
	for _, s := range prog.Steps {
		if s.Program == nil {
			return s
		}
	}
	if len(prog.Steps) > 0 {
		return prog.Steps[0]
	}
	return nil
}

func chooseAdapter(name string, step *program.Step) (prompt.Adapter, error) {
	if name == "" {
		name = step.Settings.Adapter
	}
	if name == "" {
		name = "chat"
	}
	adapter, ok := prompt.Lookup(name)
	if !ok {
		return nil, wrong("no adapter is called %s", name).near(name, prompt.Names()).say("The adapters: %s.", strings.Join(prompt.Names(), ", "))
	}
	return adapter, nil
}

// instructions evaluates the step's instructions. They may use variables and the
// step's own inputs; what other steps make is not at hand.
func (a *app) instructions(ctx context.Context, project *program.Project, prog *program.Program, step *program.Step, inputs *value.Object, s settings) (string, error) {
	written := step.Settings.Instructions
	if written.Expr == nil {
		if step.Signature.Instructions != "" {
			return step.Signature.Instructions, nil
		}
		return step.Declared.Instructions, nil
	}
	vars := &value.Object{}
	for _, r := range written.Expr.Refs() {
		switch {
		case r.Root == "var":
			// The model is not asked, so its key need not be there.
			s.model = dspi.Baseline
			p, err := a.plan(project, prog.Name, s)
			if err != nil {
				return "", err
			}
			vars = plan.Variables(prog.Names, p.Values)
		case r.Root == "inputs":
		default:
			if _, ok := inputs.Get(r.Root); !ok {
				return "", wrong("the instructions of `%s` need `%s`", step.Name, r.Root).
					say("That is no input of the step: it is known only while the program runs.").
					hint("give the instructions by hand: --instructions \"…\"")
			}
		}
	}
	code, err := written.Expr.Compile()
	if err != nil {
		return "", err
	}
	v, err := code.Eval(ctx, func(root string) (any, bool) {
		switch root {
		case "var":
			return vars, true
		case "inputs":
			return inputs, true
		}
		return inputs.Get(root)
	})
	if err != nil {
		return "", err
	}
	text, _ := v.(string)
	return text, nil
}

// demos reads the JSON list of --demos. Values are shown as they are; one that
// does not fit is named.
func (a *app) demos(path string, sig *program.Signature) ([]prompt.Demo, error) {
	if path == "" {
		return nil, nil
	}
	var text string
	var err error
	if path == "-" {
		text, err = a.takeStdin("--demos -")
	} else {
		text, err = dspi.ReadText(path, path)
	}
	if err != nil {
		return nil, err
	}
	const form = `a list of objects, such as [{"question": "2 + 2?", "answer": "4"}]`
	v, err := value.DecodeJSON([]byte(text))
	if err != nil {
		return nil, wrong("%s is not JSON", path).say("--demos wants %s: %v.", form, err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, wrong("%s is not a JSON list", path).say("--demos wants %s.", form)
	}
	var out []prompt.Demo
	for i, x := range list {
		demo, ok := x.(*value.Object)
		if !ok {
			return nil, wrong("demo %d of %s is no object", i+1, path).say("--demos wants %s.", form)
		}
		for name, v := range demo.All() {
			f, ok := sig.Input(name)
			if !ok {
				f, ok = sig.Output(name)
			}
			if !ok || v == nil {
				continue
			}
			if _, faults := value.Check(f.Type, v, value.Strict); len(faults) > 0 {
				a.note("demo %d: `%s` does not fit `%s` and is shown as it is: %s", i+1, name, f.Type, faults[0])
			}
		}
		out = append(out, demo)
	}
	return out, nil
}
