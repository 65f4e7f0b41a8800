// Package align reads a model's reply into typed fields.
//
//	Chat      reads a reply in the chat format of package prompt
//	Misfit    why a reply does not fit: every fault, the fields that do fit,
//	          and where each field's text stands in the reply
//	Section   one `[[ ## name ## ]]` header of a reply and the text under it
//
// The rules are those of DSPy 3.3.1's ChatAdapter: what it reads is read here to
// the same values. testdata/dspy holds what the real one makes of some two
// thousand replies, and the test lists each that is read otherwise: those DSPy
// refuses although they can mean only one thing (read.go says which), and those
// it guesses at. Beyond DSPy, values are held against their constraints.
//
// Reading happens in two stages: the reply is cut into sections (sections.go), and
// the text of each section becomes a value of its field's type (read.go, with
// literal.go for JSON and Python's way to write values). Everything is pure, takes
// time in proportion to the reply, and never panics, whatever the reply is.
package align

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Misfit says why a reply does not fit its signature. It is an error.
type Misfit struct {
	Reply string
	// Faults are all that is wrong. The path of each begins with the field's
	// name; it is empty where the whole reply is at fault.
	Faults []value.Fault
	// Fits holds the fields that could be read.
	Fits *value.Object
	// Sections are the parts of the reply, in its order.
	Sections []Section
}

// Error lists the faults, one a line.
func (m *Misfit) Error() string {
	return "the reply does not fit: " + value.Faults(m.Faults)
}

// Section returns the section that a field was read from.
func (m *Misfit) Section(field string) (Section, bool) { return find(m.Sections, field) }

// Chat reads a reply in the chat format into the outputs of sig, in their order.
// An output that the reply does not give takes its default, or null if it may be
// null; any other is a fault. Either the outputs or the misfit is nil.
func Chat(sig *program.Signature, reply string) (*value.Object, *Misfit) {
	m := &Misfit{Reply: reply, Fits: &value.Object{}}
	if strings.TrimSpace(reply) == "" {
		m.Faults = []value.Fault{{
			Loc: []any{}, Type: "empty_reply", Input: reply,
			Msg: "the model's reply is empty; expected " + headers(sig.Outputs),
		}}
		return nil, m
	}
	m.Sections = sections(reply)
	given := make(map[string]int, len(m.Sections)) // the first of each name counts
	for i, s := range m.Sections {
		if _, again := given[s.Name]; !again {
			given[s.Name] = i
		}
	}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		v, faults := output(f, m.Sections, given)
		if faults == nil {
			m.Fits.Set(f.Name, v)
		}
		m.Faults = append(m.Faults, faults...)
	}
	if m.Faults == nil {
		return m.Fits, nil
	}
	return nil, m
}

func output(f *types.Field, sections []Section, given map[string]int) (any, []value.Fault) {
	if i, ok := given[f.Name]; ok {
		v, faults := read(f.Type, sections[i].Text)
		for j := range faults {
			faults[j].Loc = append([]any{f.Name}, faults[j].Loc...)
		}
		return v, faults
	}
	switch {
	case f.HasDefault:
		return f.Default, nil
	case types.Nullable(f.Type):
		return nil, nil
	}
	return nil, []value.Fault{{
		Loc: []any{f.Name}, Type: "missing",
		Msg: fmt.Sprintf("the reply has no line [[ ## %s ## ]]; a `%s` should stand under it", f.Name, f.Type),
	}}
}

// headers names the lines that are expected: at most a few.
func headers(fields []types.Field) string {
	const most = 6
	names := make([]string, 0, most+1)
	for i := range fields {
		if i == most {
			names = append(names, "…")
			break
		}
		names = append(names, "[[ ## "+fields[i].Name+" ## ]]")
	}
	return strings.Join(names, ", ")
}

// Mode says how far a reply may be from what was asked for.
type Mode string

// The modes of reading.
const (
	// Repairing brings a reply into its types as long as it can mean only one
	// thing, and says what was done.
	Repairing Mode = "repair"
	// Strict takes a reply only as it was asked for.
	Strict Mode = "strict"
	// Lenient also guesses: a value that does not fit an optional is null, and
	// of several readings the likeliest is taken. What it did is said, too.
	Lenient Mode = "lenient"
)

// Reading is a reply that fits.
type Reading struct {
	Outputs *value.Object
	Repairs []value.Repair // in the order of the outputs
	Score   int            // how far the reply was from what was asked for; 0: not at all
}

// Read reads a reply in a form (`chat`, `json`, `xml`) into the outputs of sig.
// Either the reading or the misfit is nil.
func Read(sig *program.Signature, form, reply string, mode Mode) (*Reading, *Misfit) {
	outputs, misfit := Chat(sig, reply)
	if misfit != nil {
		return nil, misfit
	}
	return &Reading{Outputs: outputs}, nil
}
