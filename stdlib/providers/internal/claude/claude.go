// Package claude says what Claude models take, as far as their names tell. The
// Messages API and Bedrock have the same models under the same names, with a prefix
// or a suffix of their own, and each generation takes other parameters.
//
//	Traits    what a model takes
//	Of        the traits of a name
//	Thinking  how a model can be asked to think
//	Thought   how it is asked
//
// A name that is not understood has no traits: the server is left to judge.
package claude

import (
	"regexp"
	"strconv"
)

// Thinking says how a model is asked to think before it answers.
type Thinking int

// The ways to ask.
const (
	Adaptive Thinking = iota // by an effort; the model decides how long
	Budget                   // by a number of tokens, from LeastBudget
	Never                    // it does not
)

// LeastBudget is the smallest number of tokens that a model thinks with.
const LeastBudget = 1024

// Traits are what a model takes.
type Traits struct {
	Known    bool // the name says which model it is
	Thinking Thinking
	Effort   bool // it takes an effort
	// Unasked: it thinks when nothing is said of it, and what it thinks counts as
	// output.
	Unasked bool
	// Hidden: what it thinks is shown only if that is asked for.
	Hidden bool
	// FixedSampling: temperature and top_p can only be what they are when unset.
	FixedSampling bool
	Schema        bool // it can be held to a JSON Schema, its tools as well
	Vision        bool // it takes pictures and documents
}

// The name of a model: claude-opus-4-5-20251101, claude-3-7-sonnet-latest,
// us.anthropic.claude-sonnet-5, claude-mythos-preview. Up to the third generation the
// version stands in front of the family. A date has more digits than a version.
var (
	name  = regexp.MustCompile(`claude-(opus|sonnet|haiku|fable|mythos)(?:-([0-9]{1,2})(?:[-.]([0-9]{1,2}))?)?(?:[^0-9]|$)`)
	older = regexp.MustCompile(`claude-(?:instant|v?([0-9])(?:[-.]([0-9]))?(?:[^0-9]|$))`)
)

// Of returns the traits of a model.
func Of(model string) Traits {
	if m := name.FindStringSubmatch(model); m != nil {
		version := 10*number(m[2]) + number(m[3])
		newest := m[1] == "fable" || m[1] == "mythos"
		if version == 0 && !newest {
			return Traits{Vision: true} // claude-sonnet-latest: of no known version
		}
		return traits(m[1], version, newest)
	}
	if m := older.FindStringSubmatch(model); m != nil {
		version := 10*number(m[1]) + number(m[2])
		t := Traits{Known: true, Thinking: Never, Vision: version >= 30}
		if version >= 37 {
			t.Thinking = Budget
		}
		return t
	}
	return Traits{Vision: true}
}

func traits(family string, version int, newest bool) Traits {
	t := Traits{Known: true, Vision: true, Schema: newest || version >= 45}
	t.FixedSampling = newest || version >= 47
	t.Hidden = t.FixedSampling
	t.Unasked = newest || version >= 50
	switch {
	case newest || version >= 46:
		t.Effort = true
	case family == "opus" && version == 45:
		t.Thinking, t.Effort = Budget, true
	default:
		t.Thinking = Budget
	}
	return t
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
