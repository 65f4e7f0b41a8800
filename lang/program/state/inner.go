package state

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Inner is a predictor inside a module that asks more than one question. DSPy's
// optimizers change each of them by itself, and so does a state.
type Inner struct {
	Name string // in the module, as DSPy names it: `extract.predict`
	Path string // below the path of the step: `extract`
	// Inputs and Outputs are its fields: those of the step, and what the module adds.
	// The names of tools are no part of their types.
	Inputs, Outputs []types.Field
}

// manner is a way in which a module asks: its setting of a name says which.
type manner struct {
	setting, otherwise string // otherwise is the default of the setting
	dspy               string // the value with which DSPy's own words are sent
}

var manners = map[string]manner{
	"react":              {"style", "typed", "dspy"},
	"program_of_thought": {"language", "starlark", "python"},
	"code_act":           {"language", "starlark", "python"},
}

// asDSPy reports whether a step asks with the words of DSPy's module; ok is false for
// a module that has one predictor.
func asDSPy(st *program.Step) (yes, ok bool) {
	m, ok := manners[st.Module]
	if !ok {
		return false, false
	}
	said := m.otherwise
	if st.Settings.Backend == "python" { // where DSPy itself does the work
		said = m.dspy
	}
	for _, o := range st.Options {
		if o.Name != m.setting || o.Value.Expr == nil {
			continue
		}
		if code, err := o.Value.Expr.Compile(); err == nil {
			x, _ := code.Eval(context.Background(), func(string) (any, bool) { return nil, false })
			if text, isText := x.(string); isText {
				said = text
			}
		}
	}
	return said == m.dspy, true
}

// Inners returns the predictors inside the module of a step, in DSPy's order; none
// where the module asks one question, which is the step's own.
func Inners(st *program.Step) []Inner {
	dspy, ok := asDSPy(st)
	if !ok {
		return nil
	}
	field := func(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }
	text := func(names ...string) []types.Field {
		var out []types.Field
		for _, n := range names {
			out = append(out, field(n, types.String))
		}
		return out
	}
	in := func(names ...string) []types.Field {
		own := st.Declared.Inputs
		return append(own[:len(own):len(own)], text(names...)...)
	}
	answer := st.Declared.Outputs
	if _, has := st.Declared.Output("reasoning"); !has {
		answer = append(text("reasoning"), answer...)
	}
	switch st.Module {
	case "react":
		if !dspy {
			return nil
		}
		next := append(text("next_thought", "next_tool_name"), field("next_tool_args", &types.Map{Elem: types.JSON}))
		return []Inner{
			{"react", "react", in("trajectory"), next},
			{"extract.predict", "extract", in("trajectory"), answer},
		}
	case "program_of_thought":
		all := []Inner{
			{"code_generate.predict", "code_generate", in(), text("reasoning", "generated_code")},
			{"code_regenerate.predict", "code_regenerate", in("previous_code", "error"), text("reasoning", "generated_code")},
		}
		if dspy {
			all = append(all, Inner{"generate_output.predict", "generate_output", in("final_generated_code", "code_output"), answer})
		}
		return all
	default: // code_act
		act := text("reasoning", "generated_code")
		if dspy {
			act = append(text("generated_code"), field("finished", types.Bool))
		}
		return []Inner{
			{"codeact", "codeact", append(in(), field("trajectory", types.JSON)), act},
			{"extractor.predict", "extractor", in("trajectory"), answer},
		}
	}
}

// innersOfDSPy are the names of the predictors that the module of a step has in DSPy.
func innersOfDSPy(module string) []string {
	switch module {
	case "react":
		return []string{"react", "extract.predict"}
	case "program_of_thought":
		return []string{"code_generate.predict", "code_regenerate.predict", "generate_output.predict"}
	case "code_act":
		return []string{"codeact", "extractor.predict"}
	}
	return nil
}

// otherManner says that a predictor of DSPy's module is not asked by the step.
func (b *binder) otherManner(p *Predictor, st *program.Step) {
	m := manners[st.Module]
	b.others = append(b.others, st)
	b.report(diag.New("W0640", p.Place, "`"+p.Name+"` is not used").Relate(st.Place, "this step does not ask it").
		Say("The predictor `%s` is that of DSPy's module. The step `%s` asks with words of its own, unless it says %s = %q. What was tuned is kept in the file.", p.Name, st.Name, m.setting, m.dspy).
		Hint("in the step `%s`: %s = %q", st.Name, m.setting, m.dspy))
}

// foreign reports, and says, that a predictor was tuned for words that the step does not
// send: a file that DSPy wrote, for a module that lets a model write Python there and
// Starlark here.
func (b *binder) foreign(p *Predictor, t *target) bool {
	if t.inner == nil {
		return false
	}
	if dspy, _ := asDSPy(t.step); dspy {
		return false
	}
	signatures, _ := b.state.peek("signatures").(*value.Object)
	if _, own := signatures.Get(p.Name); own {
		return false
	}
	b.otherManner(p, t.step)
	return true
}

// toldTool is a line about a tool in the instructions of a predictor, as DSPy writes it.
var toldTool = regexp.MustCompile(`(?m)^\(\d+\) ([^\s.,]+)(?:, whose description is |\. It takes arguments )`)

// otherTools says that instructions were tuned with other tools than the step has: the
// list of them is a part of what was saved.
func (b *binder) otherTools(p *Predictor, t *target) {
	if t.inner == nil {
		return
	}
	var told, has, missing, gone []string
	for _, m := range toldTool.FindAllStringSubmatch(p.Instructions, -1) {
		told = append(told, m[1])
	}
	for _, o := range t.step.Options {
		for _, ref := range o.Refs {
			name := ref[strings.LastIndexByte(ref, '.')+1:]
			if strings.HasPrefix(ref, "retriever.") {
				name = "search_" + name
			}
			has = append(has, name)
			if told != nil && !slices.Contains(told, name) {
				missing = append(missing, "`"+name+"`")
			}
		}
	}
	for _, name := range told {
		if !slices.Contains(has, name) && name != "finish" {
			gone = append(gone, "`"+name+"`")
		}
	}
	var what []string
	if missing != nil {
		what = append(what, "say nothing of "+strings.Join(missing, ", "))
	}
	if gone != nil {
		what = append(what, "speak of "+strings.Join(gone, ", ")+", which the step cannot call")
	}
	if what != nil {
		b.report(diag.New("W0640", p.Place, "tuned with other tools").Relate(t.step.Place, "the step has these: %s", strings.Join(has, ", ")).
			Say("The instructions of `%s` hold the list of the tools that the step had when it was tuned. They %s.", p.Name, strings.Join(what, ", and ")).
			Hint("tune again, or put the list right in the state"))
	}
}
