// Package align reads a model's reply into typed values. docs/alignment.md is its
// specification.
//
//	Read       reads a whole reply into the outputs of a signature
//	Value      reads one value of a type from a text
//	Mode       how far a reply may be from what was asked for
//	Reading    a reply that fits: its outputs, what was repaired, the score
//	Misfit     why a reply does not fit: every fault, the fields that do fit,
//	           and where each field's text stands in the reply
//	Section    the text of one field in the reply
//	Kind       one kind of repair, a row of the table (kinds.go)
//
// A reply is read in stages. The form gives each output its text (forms.go;
// sections.go for chat, xml.go for tags). A text that is as asked becomes a value
// at once (section.go; strict.go is the fast path for JSON). Any other goes through
// a parser that takes whatever resembles JSON (candidates.go, parse.go, quotes.go,
// escape.go) and leaves a tree (tree.go), and the tree is brought into the type
// (coerce.go; number.go, choice.go, collections.go, record.go). run.go keeps the
// account: nothing is changed without a repair, nothing is left out without one.
//
// Everything is pure, takes time in proportion to the reply, and never panics,
// whatever the reply is. What DSPy 3.3.1 reads is read here to the same values:
// testdata/dspy holds what the real one makes of some thousands of replies.
package align

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// MaxReply is the size of the longest reply that is read, in bytes.
const MaxReply = 16 << 20

// Misfit says why a reply does not fit its signature. It is an error.
type Misfit struct {
	Reply string
	// Faults are all that is wrong. The path of each begins with the field's
	// name; it is empty where the whole reply is at fault.
	Faults []value.Fault
	// Fits holds the fields that could be read.
	Fits *value.Object
	// Repairs are what was done to read them, and to come as far as the faults.
	Repairs []value.Repair
	// Sections are the parts of the reply, in its order.
	Sections []Section
}

// Error lists the faults, one a line.
func (m *Misfit) Error() string {
	return "the reply does not fit: " + value.Faults(m.Faults)
}

// Section returns the section that a field was read from.
func (m *Misfit) Section(field string) (Section, bool) { return find(m.Sections, field) }

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

// Read reads a reply in a form (`chat`, `json`, `xml`) into the outputs of sig, in
// their order. An output that the reply does not give takes its default, or null if
// it may be null; any other is a fault. Either the reading or the misfit is nil.
func Read(sig *program.Signature, form, reply string, mode Mode) (*Reading, *Misfit) {
	r := begin(mode)
	defer r.end()
	return r.read(sig, form, reply)
}

func (r *run) read(sig *program.Signature, form, reply string) (*Reading, *Misfit) {
	m := &Misfit{Fits: &value.Object{}}
	reply, ok := r.clean(reply)
	m.Reply = reply
	if ok && strings.TrimSpace(reply) == "" {
		r.fault(nil, "empty_reply", "the model's reply is empty; expected "+expected(sig, form), reply)
		ok = false
	}
	if !ok {
		m.Repairs, m.Faults = r.done()
		return nil, m
	}
	if len(r.repairs) == 0 {
		if out, ok := r.asAskedIn(sig, form, strings.TrimSpace(reply)); ok {
			return &Reading{Outputs: out}, nil
		}
	}
	p := r.inForm(sig, form, reply)
	if r.mode != Strict && p.missing > 0 {
		p = r.otherwise(sig, p, form, reply)
	}
	m.Sections = p.sections
	out := r.outputs(sig, p, m.Fits)
	if r.mode == Strict && len(r.faults) == 0 {
		for _, x := range r.repairs { // what was repaired was not asked for
			msg := x.msg
			if msg == "" {
				msg = kinds[x.kind].Doc
			}
			r.fault(x.at, kinds[x.kind].Name, "not as asked: "+msg, nil)
		}
		if len(r.faults) == 0 {
			r.fault(nil, "not_as_asked", "the reply is not in the form "+form, reply)
		}
	}
	repairs, faults := r.done()
	if len(faults) > 0 {
		m.Faults, m.Repairs = faults, repairs
		return nil, m
	}
	return &Reading{Outputs: out, Repairs: repairs, Score: r.score}, nil
}

// otherwise looks for the outputs in the other forms, where p lacks some.
func (r *run) otherwise(sig *program.Signature, p *parts, form, reply string) *parts {
	best := p
	for _, other := range forms {
		if other == form || best.missing == 0 || other == "whole" && best.found > 0 {
			continue
		}
		if q := r.inForm(sig, other, reply); q.found > best.found {
			best = q
		}
	}
	if best != p && best.form != "whole" {
		best.notes = append([]note{{otherForm, -1, "took a reply in the form " + best.form + ", asked for " + form}}, best.notes...)
	}
	if best != p && best.form == "whole" {
		best.form = form
	}
	return best
}

// clean refuses replies that are too long, and replaces what is no UTF-8.
func (r *run) clean(reply string) (string, bool) {
	if len(reply) > MaxReply {
		r.fault(nil, "too_long", "the reply has "+strconv.Itoa(len(reply))+" bytes; expected at most "+strconv.Itoa(MaxReply), nil)
		return "", false
	}
	if !utf8.ValidString(reply) {
		if r.mode == Strict {
			r.fault(nil, "not_utf8", "the reply is no UTF-8 text", nil)
			return "", false
		}
		reply = strings.ToValidUTF8(reply, "\uFFFD")
		r.fix(notUTF8, nil, "")
	}
	return reply, true
}

// Chat reads a reply in the chat format, in the mode Repairing.
func Chat(sig *program.Signature, reply string) (*value.Object, *Misfit) {
	reading, misfit := Read(sig, "chat", reply, Repairing)
	if misfit != nil {
		return nil, misfit
	}
	return reading.Outputs, nil
}

// Value reads a value of t from a text. Either it fits and faults is nil, or all
// that is wrong is in faults. The paths of both begin at the value.
func Value(t types.Type, text string, mode Mode) (v any, repairs []value.Repair, score int, faults []value.Fault) {
	r := begin(mode)
	defer r.end()
	text, ok := r.clean(text)
	if ok {
		v, ok = r.section(t, text, nil)
	}
	repairs, faults = r.done()
	if !ok {
		return nil, repairs, r.score, faults
	}
	return v, repairs, r.score, nil
}

// expected names what a reply should hold: at most a few.
func expected(sig *program.Signature, form string) string {
	const most = 6
	names := make([]string, 0, most+1)
	for i := range sig.Outputs {
		if i == most {
			names = append(names, "…")
			break
		}
		name := sig.Outputs[i].Name
		switch form {
		case "json":
			name = `"` + name + `"`
		case "xml":
			name = "<" + name + ">"
		default:
			name = "[[ ## " + name + " ## ]]"
		}
		names = append(names, name)
	}
	if form == "json" {
		return "an object with " + strings.Join(names, ", ")
	}
	return strings.Join(names, ", ")
}
