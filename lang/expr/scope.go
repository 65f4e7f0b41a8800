package expr

import (
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// Symbol is what a bare name means in a scope: a value (`question`), or a
// namespace whose members are values (`draft`, `var`, `Queue`).
type Symbol struct {
	Name string
	// Kind says what the name stands for, for people: "input", "step", "named
	// value", "variables", "enum". The kinds "step" and "enum" choose the code of
	// a diagnostic about an unknown member; a member of an "enum" is a constant.
	Kind    string
	Type    types.Type // of a value; nil for a namespace
	Members []Member   // of a namespace, in the order in which people should read them
	// Noun is what a member is called: "output", "variable", "value".
	Noun string
	// Converts is what calling the name gives, made optional: `Queue(x)` is a
	// `Queue?`. An enum's own type needs not be said.
	Converts  types.Type
	Sensitive bool
	Place     source.Place // of the declaration; zero when there is none
}

// Member is one name of a namespace: a step's output, a variable, an enum's value.
type Member struct {
	Name string
	Type types.Type // nil for a namespace (see Members) and for a declaration that is no value
	// Doc is a remark for lists: "added by chain_of_thought".
	Doc       string
	Sensitive bool
	// Skipped says that the value is null only where its step was skipped, so
	// that `a.x ?? b.x` is not null if one of the two always runs (Alternatives).
	Skipped bool
	Place   source.Place
	Members []Member // of a nested namespace: the `k` of `var.rag.k`
	Noun    string   // what a member of it is called
}

// Scope is what names mean at one place of a program. Make one with NewScope; it
// must not change while an expression is checked against it.
type Scope struct {
	symbols []Symbol
	index   map[string]int
	parent  *Scope

	// Hidden says of a name that exists but cannot be used here why: "`review` is a
	// step of another program." "" means that there is no such name. It is asked
	// only about names that are not found; nil hides none.
	Hidden func(name string) string
	// Alternatives pairs the names of steps of which exactly one runs.
	Alternatives map[string]string
	// Host names functions of the table that only some places allow: "env".
	Host []string
	// Own are functions that the host adds to the table, by NewMetric.
	Own []Function
}

// NewScope returns a scope of symbols. Of two with one name the later counts.
func NewScope(symbols ...Symbol) *Scope {
	s := &Scope{symbols: symbols}
	if len(symbols) > 8 {
		s.index = make(map[string]int, len(symbols))
		for i := range symbols {
			s.index[symbols[i].Name] = i
		}
	}
	return s
}

// With returns a scope that has the symbols of s and the given ones, which win.
// Hidden, Host and Own are taken over from s.
func (s *Scope) With(symbols ...Symbol) *Scope {
	in := NewScope(symbols...)
	if s != nil {
		in.parent, in.Hidden, in.Host, in.Own, in.Alternatives = s, s.Hidden, s.Host, s.Own, s.Alternatives
	}
	return in
}

// Lookup returns what a bare name means. A nil scope has no names.
func (s *Scope) Lookup(name string) (*Symbol, bool) {
	for ; s != nil; s = s.parent {
		if s.index != nil {
			if i, ok := s.index[name]; ok {
				return &s.symbols[i], true
			}
			continue
		}
		for i := len(s.symbols) - 1; i >= 0; i-- {
			if s.symbols[i].Name == name {
				return &s.symbols[i], true
			}
		}
	}
	return nil, false
}

// Symbols returns every symbol that can be seen, those of the outermost scope
// first.
func (s *Scope) Symbols() []Symbol {
	if s == nil {
		return nil
	}
	var out []Symbol
	for _, sym := range s.parent.Symbols() {
		if seen, ok := s.Lookup(sym.Name); ok && seen.Place == sym.Place && seen.Kind == sym.Kind {
			out = append(out, sym)
		}
	}
	for i := range s.symbols {
		if seen, _ := s.Lookup(s.symbols[i].Name); seen == &s.symbols[i] {
			out = append(out, s.symbols[i])
		}
	}
	return out
}

// function returns the function of a name: of the table, or one of Own.
func (s *Scope) function(name string) (*Function, bool) {
	f, ok := functions[name]
	if ok || s == nil {
		return f, ok
	}
	for i := range s.Own {
		if s.Own[i].Name == name {
			return &s.Own[i], true
		}
	}
	return nil, false
}

func (s *Scope) allows(host string) bool {
	if s == nil {
		return false
	}
	for i := range s.Own {
		if s.Own[i].Name == host {
			return true
		}
	}
	for _, h := range s.Host {
		if h == host {
			return true
		}
	}
	return false
}

// member returns the member of a name.
func member(ms []Member, name string) (*Member, bool) {
	for i := range ms {
		if ms[i].Name == name {
			return &ms[i], true
		}
	}
	return nil, false
}

// converts returns what calling the symbol gives, or nil.
func (s *Symbol) converts() types.Type {
	if s.Converts != nil {
		return s.Converts
	}
	if s.Kind == "enum" {
		for _, m := range s.Members {
			if e, ok := m.Type.(*types.Enum); ok {
				return e
			}
		}
	}
	return nil
}
