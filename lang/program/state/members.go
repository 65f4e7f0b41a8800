package state

import (
	"fmt"
	"maps"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// A state may be that of several tuned copies of one program, its members. Such a
// program asks all of them and gives the outputs that most of them give. The members
// are whole states under metadata.dspi.members. What stands at the top of the file is
// the best of them alone: that is what DSPy loads, which does not look further.

// Members returns the states of the members; none for a program that is itself.
func (s *State) Members() []*State { return s.members }

// SetMembers makes the state one of several members.
func (s *State) SetMembers(members []*State) { s.members = members }

// readMembers reads metadata.dspi.members.
func (r *reader) readMembers(s *State) {
	list, _ := s.peek("members").([]any)
	at := place(r.file, "metadata", "dspi", "members")
	for i, x := range list {
		o, ok := x.(*value.Object)
		if !ok {
			r.fault(at, "not a list of states", "Under metadata.dspi.members, number %d is %s.", i+1, kindOf(x))
			continue
		}
		m := r.state(o)
		if len(m.members) > 0 {
			r.fault(at, "members of a member", "Under metadata.dspi.members, number %d has members of its own.", i+1)
			continue
		}
		s.members = append(s.members, m)
	}
}

// bindMembers gives the steps of each member what its state says.
func (b *binder) bindMembers() {
	for i, m := range b.state.members {
		t, diags := Bind(m, b.project, b.prog)
		for _, d := range diags {
			if d.Level == diag.Error { // warnings are those of the state itself
				b.report(d)
			}
		}
		b.tuned.members++
		b.tuned.add(i, t)
	}
}

// Ensemble is the step of an ensemble that asks the members, which are called member1,
// member2 …
const Ensemble = "members"

func memberPath(i int) string { return Path(Ensemble, memberName(i)) }

func memberName(i int) string { return fmt.Sprintf("member%d", i+1) }

// add puts what member i gets below its path.
func (t *Tuned) add(i int, member *Tuned) {
	for path, s := range member.Steps {
		t.Steps[Path(memberPath(i), path)] = s
	}
	for name, v := range member.Settings {
		if t.Settings == nil {
			t.Settings = map[string]any{}
		}
		t.Settings[Path(memberPath(i), name)] = v
	}
}

// WithMembers returns t as the best of several members: what a program gets that asks
// all of them. Variables are those of t for every member.
func (t *Tuned) WithMembers(members []*Tuned) *Tuned {
	out := *t
	out.Steps, out.Settings, out.members = maps.Clone(t.Steps), maps.Clone(t.Settings), len(members)
	for i, m := range members {
		out.add(i, m)
	}
	return &out
}

// Alone returns the best member alone; t itself where it has no members. It is what
// tuning begins with.
func (t *Tuned) Alone() *Tuned {
	if t == nil || t.members == 0 {
		return t
	}
	out := *t
	out.members = 0
	return &out
}

// Ensembled returns the program that asks the members of t: a step `members` with the
// module `ensemble`, which holds the program once for each. It is prog itself where
// there are no members.
func (t *Tuned) Ensembled(prog *program.Program) *program.Program {
	if t == nil || t.members == 0 {
		return prog
	}
	out := *prog
	st := &program.Step{
		Name: Ensemble, Module: "ensemble", Declared: prog.Signature, Signature: prog.Signature,
		Inputs: ownInputs(prog), Place: prog.Place, Block: prog.Block,
	}
	for i := range t.members {
		st.Parts = append(st.Parts, &program.Step{
			Name: memberName(i), Program: prog, Declared: prog.Signature, Signature: prog.Signature,
			Inputs: ownInputs(prog), Place: prog.Place, Block: prog.Block,
		})
	}
	out.Steps, out.Lets, out.Outputs = []*program.Step{st}, nil, nil
	for _, f := range prog.Signature.Outputs {
		v := program.Value{Root: st.Name, Field: f.Name, Type: f.Type, Place: prog.Place}
		out.Outputs = append(out.Outputs, program.Binding{Name: f.Name, Value: v, Auto: true})
	}
	return &out
}

// ownInputs binds the inputs of a program by their names.
func ownInputs(prog *program.Program) []program.Binding {
	var out []program.Binding
	for _, f := range prog.Signature.Inputs {
		v := program.Value{Root: f.Name, Type: f.Type, Place: prog.Place}
		out = append(out, program.Binding{Name: f.Name, Value: v, Auto: true})
	}
	return out
}
