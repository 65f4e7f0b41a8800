package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// use is a place at which a project names something in Python.
type use struct {
	target  string // module:name
	written string // as it stands in the text
	what    string // what calls it: "the step `rank`"
	role    string // "step", "class", "tool", "metric", "dataset", "retriever", "embedder"
	place   source.Place
	inputs  []types.Field // what it is given by name
	outputs []types.Field // what it gives
	names   []string      // of a class: the arguments that it is made with
}

// described is what Python reports of a target.
type described struct {
	Kind       string       `json:"kind"` // module_class, class, module, function, callable, value
	File       string       `json:"file"`
	Line       int          `json:"line"`
	Error      *RemoteError `json:"error"` // why no object can be made of a class
	Signature  string       `json:"signature"`
	Parameters []parameter  `json:"parameters"`
	Returns    string       `json:"returns"`
	Types      []string     `json:"return_types"`
	Rows       bool         `json:"rows"` // it can be gone through as it is
}

type parameter struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"` // both, position, name, positions, names
	Required   bool     `json:"required"`
	Annotation string   `json:"annotation"`
	Types      []string `json:"types"` // of JSON; nil: not known
}

// byPosition and byName report how a parameter can be given.
func (p parameter) byPosition() bool { return p.Kind == "both" || p.Kind == "position" }
func (p parameter) byName() bool     { return p.Kind == "both" || p.Kind == "name" }

// Check asks Python for all that a project names in it, and compares what it reports
// with what the project does with it: that it is there and imports, that it takes what
// it is given, and that no annotation contradicts a type. It calls nothing but the
// modules that it imports, and classes without arguments. Started is false where there
// is no Python that could be asked; the list says why.
func Check(ctx context.Context, pool *Pool, project *program.Project) (diags diag.List, started bool) {
	files := map[string]*source.File{}
	for _, u := range usesOf(project) {
		f := &Function{Pool: pool, Call: u.target, Folder: FolderOf(u.place), Address: u.role + ".", Place: u.place}
		result, err := f.request(ctx, "describe", map[string]any{"target": u.target, "make": u.role != "class"}, nil)
		if ctx.Err() != nil {
			return diags, true
		}
		var found described
		if err == nil {
			err = json.Unmarshal(result, &found)
		}
		if err == nil && found.Error != nil {
			err = found.Error
		}
		if err != nil {
			diags = append(diags, f.diagnostic(err))
			var start *startError
			if errors.As(err, &start) || diags[len(diags)-1].Code == "E0644" {
				return diags, false // the rest would say the same
			}
			continue
		}
		for _, d := range u.check(&found) {
			if at := placeIn(files, found.File, found.Line); !at.IsZero() {
				d.Relate(at, "in Python it is here")
			}
			diags = append(diags, d)
		}
	}
	return diags, true
}

// CheckFault words an error of a data set whose first row was asked for.
func CheckFault(err error, at source.Place) *diag.Diagnostic {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		if d.Primary.Place.IsZero() {
			d.Primary.Place = at
		}
		return d
	}
	return diag.New("E0655", at, "this runs in Python").Say("%s.", upperFirst(strings.TrimSuffix(err.Error(), ".")))
}

// placeIn returns the line of a file of Python's. Files are read once.
func placeIn(files map[string]*source.File, name string, line int) source.Place {
	if name == "" || line <= 0 {
		return source.Place{}
	}
	f, ok := files[name]
	if !ok {
		text, err := os.ReadFile(name)
		if err == nil {
			f = source.NewFile(nearName(name), string(text))
		}
		files[name] = f
	}
	if f == nil {
		return source.Place{}
	}
	start := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(f.Text[start:], '\n')
		if n < 0 {
			return source.Place{}
		}
		start += n + 1
	}
	end := start + len(strings.TrimRight(strings.SplitN(f.Text[start:], "\n", 2)[0], "\r"))
	for start < end && (f.Text[start] == ' ' || f.Text[start] == '\t') {
		start++
	}
	return f.Place(source.Span{Start: int32(start), End: int32(end)})
}

// nearName is a path as it is best said: relative, where it is below this folder.
func nearName(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if here, err = filepath.EvalSymlinks(here); err != nil {
		return path
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(here, real)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return filepath.ToSlash(rel)
}

// usesOf returns all that a project names in Python, in the order of the text.
func usesOf(project *program.Project) []use {
	var out []use
	var step func(s *program.Step)
	step = func(s *program.Step) {
		if s == nil {
			return
		}
		name := "call"
		if s.Module == "dspy" {
			name = "class"
		}
		if target, at, ok := writtenText(s, name); ok && (s.Module == "python" || s.Module == "dspy") {
			u := use{target: target, written: target, role: "step", what: "the step `" + s.Name + "`", place: at, inputs: s.Declared.Inputs, outputs: s.Signature.Outputs}
			if s.Module == "dspy" {
				u.role, u.names = "class", arguments(s)
				if !strings.Contains(target, ":") {
					i := strings.LastIndexByte(target, '.')
					u.target = target[:max(i, 0)] + ":" + target[i+1:]
				}
			}
			out = append(out, u)
		}
		step(s.Inner)
		for _, p := range s.Parts {
			step(p)
		}
		if s.Repeat != nil {
			for _, x := range s.Repeat.Steps {
				step(x)
			}
		}
	}
	steps := func(p *program.Program) {
		if p == nil {
			return
		}
		for _, s := range p.Steps {
			step(s)
		}
	}
	for _, p := range project.Programs {
		steps(p)
	}
	declared := func(p *program.Python, role, name string, inputs, outputs []types.Field) {
		if p != nil && p.Call != "" {
			out = append(out, use{target: p.Call, written: p.Call, role: role, what: "`" + name + "`", place: p.Place, inputs: inputs, outputs: outputs})
		}
	}
	for _, t := range project.Tools {
		declared(t.Python, "tool", t.Address(), t.Signature.Inputs, t.Signature.Outputs)
	}
	for _, m := range project.Metrics {
		if m.Python != nil {
			declared(m.Python, "metric", m.Address(), nil, nil)
		} else if m.Use != nil {
			steps(m.Use.Body)
		}
	}
	for _, d := range project.Datasets {
		declared(d.Python, "dataset", d.Address(), nil, nil)
	}
	for _, r := range project.Retrievers {
		declared(r.Python, "retriever", r.Address(), nil, nil)
		if name, ok := strings.CutPrefix(r.Embedder.Address, "python/"); ok {
			declared(&program.Python{Call: name, Place: r.Embedder.Place}, "embedder", r.Address(), nil, nil)
		}
	}
	for _, m := range project.Models {
		if l, ok := m.ID.Type.(*types.Literal); ok && m.Provider == "python" {
			name, _ := l.Value.(string)
			declared(&program.Python{Call: name, Place: m.ID.Place}, "embedder", "model."+m.Name, nil, nil)
		}
	}
	return out
}

// writtenText returns a setting of a step that is a fixed text, and where it stands.
func writtenText(s *program.Step, setting string) (string, source.Place, bool) {
	for _, o := range s.Options {
		if o.Name != setting {
			continue
		}
		if l, ok := o.Value.Type.(*types.Literal); ok {
			t, ok := l.Value.(string)
			return t, o.Value.Place, ok
		}
	}
	return "", source.Place{}, false
}

// arguments returns the names of the setting `arguments`.
func arguments(s *program.Step) []string {
	var out []string
	for _, o := range s.Options {
		if r, ok := o.Value.Type.(*types.Record); ok && o.Name == "arguments" {
			out = names(r.Fields)
		}
	}
	return out
}

// check compares a target with its use.
func (u *use) check(d *described) []*diag.Diagnostic {
	wrong := func(label, format string, args ...any) []*diag.Diagnostic {
		return []*diag.Diagnostic{diag.New("E0651", u.place, label).Say(format, args...)}
	}
	what := "`" + u.written + "`"
	if u.role == "class" {
		switch {
		case d.Kind != "module_class":
			return wrong(what+" is no dspy.Module", "`dspy` steps make an object of a class of DSPy's, and this is %s.", kinds[d.Kind])
		case d.Parameters != nil:
			for _, n := range u.names {
				if !takes(d.Parameters, n) {
					return wrong(what+" takes no `"+n+"`", "It is made with `%s`.", d.Signature)
				}
			}
		}
		return nil
	}
	if u.role == "dataset" && d.Rows {
		return nil
	}
	if d.Kind == "value" {
		return wrong(what+" cannot be called", "It is there, and it is no function.")
	}
	if d.Parameters == nil {
		return nil // nobody knows what it takes
	}
	switch u.role {
	case "step", "tool":
		return append(u.checkNames(d), u.checkTypes(d)...)
	case "metric":
		return u.checkPositions(d, 2, "a metric is called with the row and the outputs: metric(example, prediction)", nil)
	case "retriever":
		return u.checkPositions(d, 1, "a retriever is called with a query and, where it takes one, `k`: find(query, k)", []string{"k"})
	case "embedder":
		return u.checkPositions(d, 1, "it is called with a list of texts", []string{})
	}
	return u.checkPositions(d, 0, "it is called without arguments", []string{})
}

var kinds = map[string]string{"class": "another class", "module": "an object", "function": "a function", "callable": "an object", "value": "a value"}

func takes(all []parameter, name string) bool {
	return slices.ContainsFunc(all, func(p parameter) bool { return p.Name == name && p.byName() || p.Kind == "names" })
}

// checkNames compares the inputs with the parameters.
func (u *use) checkNames(d *described) []*diag.Diagnostic {
	var out []*diag.Diagnostic
	for _, f := range u.inputs {
		if !takes(d.Parameters, f.Name) {
			x := diag.New("E0651", u.place, "`"+u.written+"` takes no `"+f.Name+"`").
				Say("%s gives it `%s`, and it takes `%s`.", upperFirst(u.what), strings.Join(names(u.inputs), "`, `"), d.Signature)
			var free []string
			for _, p := range d.Parameters {
				if _, given := field(u.inputs, p.Name); p.byName() && !given {
					free = append(free, p.Name)
				}
			}
			if near, ok := diag.Nearest(f.Name, free); ok {
				x.Hint("did you mean `%s`?", near)
			} else {
				x.Hint("give the inputs of the signature the names of its parameters")
			}
			out = append(out, x)
		}
	}
	if len(out) > 0 {
		return out // what is missing is most likely what is called otherwise
	}
	for _, p := range d.Parameters {
		if _, given := field(u.inputs, p.Name); p.Required && !given {
			out = append(out, diag.New("E0651", u.place, "`"+u.written+"` needs `"+p.Name+"`").
				Say("%s gives it %s, and it takes `%s`.", upperFirst(u.what), listed(u.inputs), d.Signature).
				Hint("make it an input, or give the parameter a default in Python"))
		}
	}
	return out
}

func listed(fields []types.Field) string {
	if len(fields) == 0 {
		return "nothing"
	}
	return "`" + strings.Join(names(fields), "`, `") + "`"
}

func field(fields []types.Field, name string) (*types.Field, bool) {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i], true
		}
	}
	return nil, false
}

// checkPositions compares a call with n arguments with the parameters. Further ones
// may be given where they have a name of the list; nil: any.
func (u *use) checkPositions(d *described, n int, how string, further []string) []*diag.Diagnostic {
	room, any := 0, false
	for _, p := range d.Parameters {
		switch {
		case p.Kind == "positions":
			any = true
		case p.byPosition():
			if room++; room > n && p.Required && further != nil && !slices.Contains(further, p.Name) {
				return u.otherwise(d, how)
			}
		case p.Kind == "name" && p.Required && further != nil && !slices.Contains(further, p.Name):
			return u.otherwise(d, how)
		}
	}
	if room < n && !any {
		return u.otherwise(d, how)
	}
	return nil
}

func (u *use) otherwise(d *described, how string) []*diag.Diagnostic {
	return []*diag.Diagnostic{diag.New("E0651", u.place, "`"+u.written+"` is called otherwise than it can be").
		Say("It takes `%s`.", d.Signature).Hint("%s", how)}
}

// checkTypes compares annotations with the types of inputs and outputs. Only what can
// never fit is reported.
func (u *use) checkTypes(d *described) []*diag.Diagnostic {
	var out []*diag.Diagnostic
	for _, p := range d.Parameters {
		f, ok := field(u.inputs, p.Name)
		if !ok {
			continue
		}
		if has := jsonTypes(f.Type); disjoint(has, p.Types) {
			out = append(out, diag.New("E0657", u.place, fmt.Sprintf("`%s` is %s here, and `%s` in Python", f.Name, f.Type, p.Annotation)).
				Say("%s gives it a value of the type `%s`, and the annotation of the parameter takes no such value.", upperFirst(u.what), f.Type).
				Hint("change one of the two: the annotation in Python, or the type of the input"))
		}
	}
	if d.Types == nil || len(u.outputs) == 0 || slices.Contains(d.Types, "object") {
		return out
	}
	if len(u.outputs) > 1 {
		return append(out, diag.New("E0657", u.place, fmt.Sprintf("it gives %d outputs, and returns `%s`", len(u.outputs), d.Returns)).
			Say("Several outputs come as a dict, or as a dspy.Prediction, with their names: `%s`.", strings.Join(names(u.outputs), "`, `")))
	}
	if has := jsonTypes(u.outputs[0].Type); disjoint(d.Types, has) {
		f := u.outputs[0]
		out = append(out, diag.New("E0657", u.place, fmt.Sprintf("`%s` is %s here, and it returns `%s` in Python", f.Name, f.Type, d.Returns)).
			Say("What it returns is checked against the type `%s`, and no such value fits.", f.Type).
			Hint("change one of the two: the annotation in Python, or the type of the output"))
	}
	return out
}

// disjoint reports whether no value of the types of one side fits the other. A whole
// number fits where a number does.
func disjoint(given, wanted []string) bool {
	if given == nil || wanted == nil {
		return false
	}
	return !slices.ContainsFunc(given, func(t string) bool {
		return slices.Contains(wanted, t) || t == "integer" && slices.Contains(wanted, "number")
	})
}

// jsonTypes returns the types that values of t have in JSON; nil where any may come,
// or one that Python has a class for.
func jsonTypes(t types.Type) []string {
	switch t := t.(type) {
	case *types.Optional:
		return with(jsonTypes(t.Elem), "null")
	case *types.List, *types.Tuple:
		return []string{"array"}
	case *types.Map, *types.Record:
		return []string{"object"}
	case *types.Enum:
		var out []string
		for _, m := range t.Members {
			out = with(out, jsonType(m.Shown))
		}
		return out
	case *types.Literal:
		return []string{jsonType(t.Value)}
	case *types.Union:
		var out []string
		for _, m := range t.Members {
			of := jsonTypes(m)
			if of == nil {
				return nil
			}
			for _, x := range of {
				out = with(out, x)
			}
		}
		return out
	case *types.Primitive:
		switch t.Row.Base {
		case types.StringBase:
			return []string{"string"}
		case types.IntBase:
			return []string{"integer"}
		case types.FloatBase:
			return []string{"number"}
		case types.BoolBase:
			return []string{"boolean"}
		}
	}
	return nil
}

func with(list []string, x string) []string {
	if list == nil && x == "null" || slices.Contains(list, x) {
		return list
	}
	return append(slices.Clone(list), x)
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int, int64:
		return "integer"
	case float64:
		return "number"
	case []any:
		return "array"
	case *value.Object:
		return "object"
	}
	return "string"
}
