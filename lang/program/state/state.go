// Package state holds what tuning found out about a program, in the form in which
// DSPy saves a program, so that either system loads what the other wrote.
//
//	State      a saved program: predictors and metadata (Read, Write)
//	Predictor  one predictor of it: instructions, fields, demos
//	Variable   dspi's addition: the value of a variable, with its type
//	Tuned      a State bound to a checked program: what each step gets (Bind)
//	Step       what one step gets, or a predictor inside its module
//	Inner      a predictor inside a module that asks more than one question (inner.go)
//
// DSPy's file is {predictor: {traces, train, demos, signature, lm}, metadata}. It
// holds neither types nor modules, so it means something only beside a program.
// What dspi adds stands under metadata.dspi, where DSPy does not look. Keys that
// neither knows are kept when the file is written anew, and the bytes of a file
// that DSPy wrote stay as they were (encode.go).
//
// Everything here is pure: text in, values and text out.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// Format is the release of DSPy whose files are read and written.
const Format = "3.3.1"

// State is a saved program. The zero State has no file; make one with New or Read.
type State struct {
	// File is where the state was read; nil for a new one.
	File *source.File
	// Predictors in the order of the file.
	Predictors []*Predictor

	members []*State

	root *value.Object // the whole file, in its order
	flat bool          // the file is one Predict, whose name is `self`
}

// Predictor is one predictor of a saved program. What is set on it is written by
// State.Write; all else in its object stays as it was.
type Predictor struct {
	Name         string // as DSPy names it: self, draft, draft.predict, steps[0]
	Instructions string
	Fields       []Field // inputs, then outputs
	Demos        []*value.Object
	// Nearest is how many of Demos each call is shown: those that are nearest to its
	// inputs; 0: all. It stands under metadata.dspi.nearest: DSPy shows all.
	Nearest int
	// LM is what the file says of the predictor's model; nil when it says nothing.
	LM *value.Object
	// Place is where the name stands in the file.
	Place source.Place
}

// Field is a field of a saved signature. DSPy saves no names; Prefix is made from
// the name and Description is `${name}` where nobody wrote one.
type Field struct{ Prefix, Description string }

// Variable is the value of a variable, with its type as dspi writes it.
type Variable struct {
	Name  string
	Type  string
	Value any
}

// New returns a state without predictors, which DSPy can load.
func New() *State {
	return &State{root: value.NewObject("metadata", value.NewObject("dependency_versions", value.NewObject("dspy", Format)))}
}

// Read reads a saved program. What is wrong with it is reported as E0640; the
// State is nil then.
func Read(file *source.File) (*State, diag.List) {
	r := &reader{file: file}
	s := r.read()
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	return s, r.diags
}

// Predictor returns the predictor of a name.
func (s *State) Predictor(name string) (*Predictor, bool) {
	i := slices.IndexFunc(s.Predictors, func(p *Predictor) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.Predictors[i], true
}

// Metadata returns what the file says about itself; it may be changed.
func (s *State) Metadata() *value.Object { return child(s.root, "metadata") }

// Additions returns what dspi adds to the file; it may be changed.
func (s *State) Additions() *value.Object { return child(s.Metadata(), "dspi") }

// child returns the object of a name in o, made when there is none.
func child(o *value.Object, name string) *value.Object {
	v, _ := o.Get(name)
	x, ok := v.(*value.Object)
	if !ok {
		x = &value.Object{}
		o.Set(name, x)
	}
	return x
}

// Variables returns the values of variables, in the order of the file.
func (s *State) Variables() []Variable {
	var out []Variable
	v, _ := s.peek("variables").(*value.Object)
	for name, x := range v.All() {
		o, _ := x.(*value.Object)
		t, _ := o.Get("type")
		text, _ := t.(string)
		val, _ := o.Get("value")
		out = append(out, Variable{name, text, val})
	}
	return out
}

// Program returns the name of the program that the state was made for; "" when
// the file does not say.
func (s *State) Program() string {
	name, _ := s.peek("program").(string)
	return name
}

// peek reads one of dspi's additions without making it.
func (s *State) peek(name string) any {
	m, _ := s.root.Get("metadata")
	meta, _ := m.(*value.Object)
	d, _ := meta.Get("dspi")
	own, _ := d.(*value.Object)
	v, _ := own.Get(name)
	return v
}

// SetVariables sets the values of variables. The caller leaves out secrets.
func (s *State) SetVariables(vs []Variable) {
	o := &value.Object{}
	for _, v := range vs {
		o.Set(v.Name, value.NewObject("type", v.Type, "value", v.Value))
	}
	s.Additions().Set("variables", o)
}

// Settings returns the settings of steps, by the path of the step and the name.
func (s *State) Settings() map[string]any {
	out := map[string]any{}
	o, _ := s.peek("settings").(*value.Object)
	for name, v := range o.All() {
		out[name] = v
	}
	return out
}

// readNearest gives predictors what metadata.dspi.nearest says.
func (s *State) readNearest() {
	o, _ := s.peek("nearest").(*value.Object)
	for _, p := range s.Predictors {
		v, _ := o.Get(p.Name)
		if k, ok := v.(int); ok && k > 0 {
			p.Nearest = k
		}
	}
}

// SetSettings sets the settings of steps, by the path of the step and the name.
func (s *State) SetSettings(settings map[string]any) {
	o := &value.Object{}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		o.Set(name, value.FromGo(settings[name]))
	}
	s.Additions().Set("settings", o)
}

// SetScore sets the score of the state on a metric, from 0 to 1.
func (s *State) SetScore(metric string, score float64) {
	child(s.Additions(), "scores").Set(metric, score)
}

// Add adds a predictor behind those there are, or replaces the one of its name.
func (s *State) Add(p *Predictor) {
	if old, ok := s.Predictor(p.Name); ok {
		*old = *p
		return
	}
	s.Predictors = append(s.Predictors, p)
}

// Write returns the state as DSPy's `module.save` writes it: predictors in their
// order, metadata last, two spaces a level, a newline at the end.
func (s *State) Write() []byte { return append(encode(s.object()), '\n') }

// object returns the state as an object.
func (s *State) object() *value.Object {
	for _, p := range s.Predictors {
		o := s.root
		if !s.flat || p.Name != "self" {
			o = child(s.root, p.Name)
		}
		for _, key := range []string{"traces", "train"} {
			if _, ok := o.Get(key); !ok {
				o.Set(key, []any{})
			}
		}
		demos := make([]any, len(p.Demos))
		for i, d := range p.Demos {
			demos[i] = d
		}
		o.Set("demos", demos)
		sig := child(o, "signature")
		sig.Set("instructions", p.Instructions)
		old, _ := sig.Get("fields")
		was, _ := old.([]any)
		fields := make([]any, len(p.Fields))
		for i, f := range p.Fields {
			x := &value.Object{}
			if i < len(was) {
				if o, ok := was[i].(*value.Object); ok {
					x = o.Clone()
				}
			}
			x.Set("prefix", f.Prefix)
			x.Set("description", f.Description)
			fields[i] = x
		}
		sig.Set("fields", fields)
		if p.LM != nil {
			o.Set("lm", p.LM)
		} else {
			o.Set("lm", nil)
		}
	}
	near := &value.Object{}
	for _, p := range s.Predictors {
		if p.Nearest > 0 {
			near.Set(p.Name, p.Nearest)
		}
	}
	if near.Len() > 0 || s.peek("nearest") != nil {
		s.Additions().Set("nearest", near)
	}
	if len(s.members) > 0 {
		all := make([]any, len(s.members))
		for i, m := range s.members {
			all[i] = m.object()
		}
		s.Additions().Set("members", all)
	}
	out := &value.Object{}
	for name, v := range s.root.All() {
		if name != "metadata" {
			out.Set(name, v)
		}
	}
	out.Set("metadata", s.Metadata())
	s.root = out
	return out
}

// reader reads one file.
type reader struct {
	file  *source.File
	diags diag.List
}

const shape = "A saved program is what DSPy's `program.save(\"x.json\")` writes: an object with one object for each predictor, and `metadata`."

func (r *reader) fault(at source.Place, label, format string, args ...any) {
	r.diags = append(r.diags, diag.New("E0640", at, label).Say("%s\n\n%s", fmt.Sprintf(format, args...), shape).
		Hint("to save one in DSPy: program.save(\"program.json\")"))
}

func (r *reader) read() *State {
	v, err := value.DecodeJSON([]byte(strings.TrimPrefix(r.file.Text, "\ufeff")))
	if err != nil {
		at := source.Place{File: r.file}
		var syntax *json.SyntaxError
		var whole any
		if errors.As(json.Unmarshal([]byte(r.file.Text), &whole), &syntax) {
			end := min(max(int32(syntax.Offset), 1), int32(len(r.file.Text)))
			at.Span = source.Span{Start: max(end-1, 0), End: end}
		}
		r.fault(at, r.file.Name+" is not JSON", "The file cannot be read as JSON: %v.", err)
		return nil
	}
	root, ok := v.(*value.Object)
	if !ok {
		r.fault(source.Place{File: r.file}, "not an object", "The file holds %s.", kindOf(v))
		return nil
	}
	s := r.state(root)
	if _, ok := root.Get("metadata"); !ok && len(s.Predictors) == 0 && r.diags == nil {
		r.fault(source.Place{File: r.file}, "no predictor and no metadata", "The file is an object without a predictor.")
	}
	for _, x := range s.Variables() {
		if x.Type == "" {
			r.fault(place(r.file, "metadata", "dspi", "variables", x.Name), "a variable needs `type` and `value`", "Under metadata.dspi.variables, `%s` has no `type`.", x.Name)
		}
	}
	return s
}

// state reads the object that is a state: the file, or a member.
func (r *reader) state(root *value.Object) *State {
	s := &State{File: r.file, root: root}
	if s.flat = isPredictor(root); s.flat {
		if p := r.predictor("self", root); p != nil {
			s.Predictors = append(s.Predictors, p)
		}
		s.readNearest()
		r.readMembers(s)
		return s
	}
	for name, v := range root.All() {
		if name == "metadata" {
			if _, ok := v.(*value.Object); !ok {
				r.fault(place(r.file, name), "not an object", "`metadata` is %s.", kindOf(v))
			}
			continue
		}
		if p := r.predictor(name, v); p != nil {
			s.Predictors = append(s.Predictors, p)
		}
	}
	s.readNearest()
	r.readMembers(s)
	return s
}

// isPredictor reports whether a file is that of a program which is a Predict
// itself: DSPy saves it without a name.
func isPredictor(root *value.Object) bool {
	_, demos := root.Get("demos")
	v, _ := root.Get("signature")
	sig, _ := v.(*value.Object)
	_, fields := sig.Get("fields")
	return demos && fields
}

func (r *reader) predictor(name string, v any) *Predictor {
	at := place(r.file, name)
	if at.End == 0 {
		at = place(r.file, "signature") // the predictor is the file
	}
	o, ok := v.(*value.Object)
	if !ok {
		r.fault(at, "not a predictor", "`%s` is %s.", name, kindOf(v))
		return nil
	}
	p := &Predictor{Name: name, Place: at}
	raw, _ := o.Get("signature")
	sig, ok := raw.(*value.Object)
	if !ok {
		r.fault(at, "no `signature`", "The predictor `%s` has no object `signature`.", name)
		return nil
	}
	text, _ := sig.Get("instructions")
	if p.Instructions, ok = text.(string); !ok {
		r.fault(at, "no `instructions`", "The signature of `%s` has no text `instructions`.", name)
		return nil
	}
	raw, _ = sig.Get("fields")
	fields, ok := raw.([]any)
	if !ok {
		r.fault(at, "no `fields`", "The signature of `%s` has no list `fields`.", name)
		return nil
	}
	for i, x := range fields {
		f, _ := x.(*value.Object)
		prefix, _ := f.Get("prefix")
		description, _ := f.Get("description")
		var a, b bool
		var field Field
		field.Prefix, a = prefix.(string)
		field.Description, b = description.(string)
		if !a || !b {
			r.fault(at, "a field without its texts", "Field %d of `%s` lacks its text `prefix` or `description`.", i+1, name)
			return nil
		}
		p.Fields = append(p.Fields, field)
	}
	raw, has := o.Get("demos")
	demos, ok := raw.([]any)
	if has && !ok {
		r.fault(at, "`demos` is not a list", "The `demos` of `%s` are %s.", name, kindOf(raw))
		return nil
	}
	for i, x := range demos {
		d, ok := x.(*value.Object)
		if !ok {
			r.fault(at, "a demo that is no object", "Demo %d of `%s` is %s.", i+1, name, kindOf(x))
			return nil
		}
		p.Demos = append(p.Demos, d)
	}
	lm, _ := o.Get("lm")
	p.LM, _ = lm.(*value.Object)
	return p
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case *value.Object:
		return "an object"
	}
	return "a number"
}
