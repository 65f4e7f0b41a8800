package optimizers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// proposer lets a model write instructions: DSPy's GroundedProposer.
type proposer struct {
	s           *optimize.Study
	plan        *miproPlan
	demos       [][][]optimize.Demo // for each predictor its sets
	random      *pyrandom.Random
	temperature float64

	code    string // the program as text; "" where it is not shown
	summary string // of the data; "" where there is none
}

func newProposer(s *optimize.Study, plan *miproPlan, demos [][][]optimize.Demo, random *pyrandom.Random) *proposer {
	return &proposer{s: s, plan: plan, demos: demos, random: random, temperature: s.Settings.Float("init_temperature")}
}

// proposal is one instruction that is to be written.
type proposal struct {
	predictor, set int
	tip            string
	rollout        int
}

// propose returns for each predictor the instructions that are tried. The first is
// what it has, and the only one where it may not be tuned. The error is ErrSpent, or
// that of ctx.
func (p *proposer) propose(ctx context.Context) ([][]string, error) {
	out := make([][]string, len(p.s.Predictors))
	var jobs []proposal
	n := min(p.plan.instructions, len(p.demos[0]))
	for i, x := range p.s.Predictors {
		out[i] = []string{instructionsOf(p.s, i)}
		if !x.TuneInstructions {
			continue
		}
		for set := range n {
			job := proposal{predictor: i, set: set}
			if p.s.Settings.Bool("tip_aware") {
				job.tip = pyrandom.Choice(p.random, miproTips())
			}
			job.rollout = p.random.Int(0, 1e9)
			if set > 0 { // in place of the first stands what the predictor has
				jobs = append(jobs, job)
			}
		}
	}
	if len(jobs) == 0 {
		return out, nil
	}
	if p.s.Settings.Bool("program_aware") {
		p.code = programText(p.s)
	}
	if p.s.Settings.Bool("data_aware") {
		p.s.Doing("looking at the training rows")
		if err := p.look(ctx); err != nil {
			return nil, err
		}
	}
	written := make([]string, len(jobs))
	failures := make([]error, len(jobs))
	p.s.Doing(fmt.Sprintf("writing %d instructions", len(jobs)))
	err := p.s.Each(ctx, len(jobs), func(ctx context.Context, i int) error {
		text, err := p.write(ctx, jobs[i])
		if optimize.Ends(ctx, err) {
			return err
		}
		written[i], failures[i] = text, err
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, job := range jobs {
		if written[i] != "" {
			out[job.predictor] = append(out[job.predictor], written[i])
		} else if failures[i] != nil {
			p.s.Doing(fmt.Sprintf("an instruction for %s was not written: %v", p.s.Predictors[job.predictor].Path, failures[i]))
		}
	}
	return out, nil
}

// Bounds of the observations: how many further questions are asked, and after how many
// answers without anything new none is.
const (
	mostLooks  = 9
	mostNoMore = 5
)

// look lets the model observe the training rows, some at a time, and sum up. Where
// that fails, instructions are written without it. The error ends the tuning.
func (p *proposer) look(ctx context.Context) error {
	rows, size := p.plan.train, p.s.Settings.Int("view_data_batch_size")
	hot := 1.0
	ask := func(sig *program.Signature, inputs *value.Object) (string, bool, error) {
		out, err := p.s.Ask(ctx, &optimize.Question{Role: optimize.PromptModel, Signature: sig, Inputs: inputs, Temperature: &hot})
		if optimize.Ends(ctx, err) {
			return "", false, err
		}
		if err != nil {
			return "", false, nil
		}
		return textOf(out, sig.Outputs[0].Name), true, nil
	}
	seen, ok, err := ask(observeFirst(), value.NewObject("examples", rowsText(rows[:min(size, len(rows))])))
	if !ok {
		return err
	}
	nothing, looks := 0, 0
	for at := size; at < len(rows) && looks < mostLooks && nothing < mostNoMore; at += size {
		looks++
		more, ok, err := ask(observeFurther(), value.NewObject("examples", rowsText(rows[at:min(at+size, len(rows))]), "prior_observations", seen))
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if strings.HasPrefix(strings.ToUpper(more), "COMPLETE") {
			nothing++
		} else {
			seen += more
		}
	}
	summary, _, err := ask(summarise(), value.NewObject("observations", seen))
	p.summary = stripPrefix(summary)
	return err
}

// write writes an instruction: the model describes the program and the predictor, and
// then writes. A description that cannot be had is left out.
func (p *proposer) write(ctx context.Context, job proposal) (string, error) {
	ask := func(sig *program.Signature, inputs *value.Object) (string, error) {
		out, err := p.s.Ask(ctx, &optimize.Question{
			Role: optimize.PromptModel, Signature: sig, Inputs: inputs, Rollout: job.rollout, Temperature: &p.temperature,
		})
		if err != nil {
			return "", err
		}
		return textOf(out, sig.Outputs[0].Name), nil
	}
	inputs := value.NewObject("dataset_description", p.summary, "task_demos", p.examples(job), "basic_instruction", instructionsOf(p.s, job.predictor), "tip", job.tip)
	if p.code != "" {
		described, err := p.describe(job, ask)
		if optimize.Ends(ctx, err) {
			return "", err
		}
		for name, text := range described.All() {
			inputs.Set(name, text)
		}
	}
	text, err := ask(instruct(p.summary != "", p.code != "", job.tip != ""), inputs)
	return stripPrefix(stripPrefix(text)), err
}

// describe asks what the program and the predictor are for. What could not be had has
// the words that say so.
func (p *proposer) describe(job proposal, ask func(*program.Signature, *value.Object) (string, error)) (*value.Object, error) {
	out := value.NewObject("program_code", p.code, "program_description", noDescription, "module", notProvided, "module_description", notProvided)
	example := p.examples(job)
	text, err := ask(describeProgram(), value.NewObject("program_code", p.code, "program_example", example))
	if err != nil {
		return out, err
	}
	description, module := stripPrefix(text), moduleText(p.s.Predictors[job.predictor])
	out.Set("program_description", description)
	out.Set("module", module)
	text, err = ask(describeModule(), value.NewObject("program_code", p.code, "program_example", example, "program_description", description, "module", module))
	if err != nil {
		return out, err
	}
	out.Set("module_description", text)
	return out, nil
}

// moduleText names a predictor as DSPy does.
func moduleText(p *optimize.Predictor) string {
	var in, out []string
	for _, f := range p.Signature.Inputs {
		in = append(in, f.Name)
	}
	for _, f := range p.Signature.Outputs {
		out = append(out, f.Name)
	}
	return "Predict(" + strings.Join(in, ", ") + ") -> " + strings.Join(out, ", ")
}

// examples are the demos that an instruction is written from: the first that the
// program made, of the set and those after it, then of those before it.
func (p *proposer) examples(job proposal) string {
	if !p.s.Settings.Bool("fewshot_aware") {
		return noDemos
	}
	sets := p.demos[job.predictor]
	var shown []string
	for _, set := range slices.Concat(sets[job.set:], sets[:job.set]) {
		for _, d := range set {
			if d.Augmented && len(shown) < miproContext {
				shown = append(shown, demoText(p.s.Predictors[job.predictor], d))
			}
		}
	}
	if strings.TrimSpace(strings.Join(shown, "")) == "" {
		return noDemos
	}
	return strings.Join(shown, "\n\n") + "\n\n"
}

// demoText writes a demo: a line for each field of the predictor, with the prefix that
// DSPy makes of its name.
func demoText(p *optimize.Predictor, d optimize.Demo) string {
	var lines []string
	for _, f := range slices.Concat(p.Signature.Inputs, p.Signature.Outputs) {
		v, _ := d.Get(f.Name)
		text, ok := v.(string)
		if !ok {
			text = prompt.Repr(withoutMedia(v))
		}
		lines = append(lines, state.InferPrefix(f.Name)+" "+text)
	}
	return strings.Join(lines, "\n")
}

// rowsText writes rows as Python writes a list of DSPy's Examples.
func rowsText(rows []*optimize.Example) string {
	parts := make([]string, len(rows))
	for i, row := range rows {
		keys := "None"
		if row.Inputs != nil && row.Inputs.Len() > 0 {
			var names []string
			for _, name := range row.Inputs.Names() {
				names = append(names, prompt.Repr(name))
			}
			slices.Sort(names)
			keys = "{" + strings.Join(names, ", ") + "}"
		}
		parts[i] = "Example(" + prompt.Repr(withoutMedia(row.Values)) + ") (input_keys=" + keys + ")"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// withoutMedia puts a word in place of the bytes of pictures, sounds and files.
func withoutMedia(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = withoutMedia(x)
		}
		return out
	case *value.Object:
		if v == nil {
			return nil
		}
		_, medium := v.Get("media_type")
		out := &value.Object{}
		for name, x := range v.All() {
			if _, text := x.(string); medium && text && name == "data" {
				x = "…"
			}
			out.Set(name, withoutMedia(x))
		}
		return out
	}
	return v
}

// stripPrefix takes up to five words with a colon from the beginning of a text, which
// models like to write there, and quotation marks from around it.
func stripPrefix(text string) string {
	return strings.Trim(beginning().ReplaceAllString(text, ""), `"`)
}

// beginning is DSPy's expression, with Python's meaning of \w and \s.
var beginning = sync.OnceValue(func() *regexp.Regexp {
	const space, word = `\s\v\x1c-\x1f\x{85}\pZ`, `[\pL\pN_'\-]+`
	return regexp.MustCompile(`^[*` + space + `]*((` + word + `[` + space + `]+){0,4}` + word + `):[` + space + `]*`)
})
