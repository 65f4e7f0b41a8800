package optimize

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/dspi-lang/dspi/lang/value"
)

// Candidate is one configuration of a program. It does not change once made: the
// With methods return changed copies.
type Candidate struct {
	// Steps are what the predictors of the study get, in their order.
	Steps []Tuning
	// Variables have values by name; one that has none keeps that of the program.
	Variables map[string]any
	// Settings are values for settings of steps by their addresses within the
	// program, `draft.temperature`; what has none keeps what is written.
	Settings map[string]any
	// Members, where there are any, are asked together and the outputs that most of them
	// give are taken. Their variables are those of the candidate, and what else it has is
	// that of the best of them. A changed copy has no members.
	Members []*Candidate
}

// Tuning is what one predictor gets.
type Tuning struct {
	Instructions string
	Demos        []Demo
	// Nearest is how many of Demos each call is shown: those whose inputs are most like
	// its own. 0: all.
	Nearest int
}

// Demo is an example that a prompt shows.
type Demo struct {
	*value.Object // values of fields of the predictor, by name
	// Augmented tells that the program made it; else it is a row of the data.
	Augmented bool
}

// WithDemos returns the candidate with other demos at a predictor.
func (c *Candidate) WithDemos(predictor int, demos []Demo) *Candidate {
	d := c.clone()
	d.Steps[predictor].Demos, d.Steps[predictor].Nearest = slices.Clone(demos), 0
	return d
}

// WithNearest returns the candidate with other demos at a predictor, of which each call
// is shown the k that are nearest to its inputs.
func (c *Candidate) WithNearest(predictor int, demos []Demo, k int) *Candidate {
	d := c.WithDemos(predictor, demos)
	d.Steps[predictor].Nearest = k
	return d
}

// WithInstructions returns the candidate with other instructions at a predictor.
func (c *Candidate) WithInstructions(predictor int, text string) *Candidate {
	d := c.clone()
	d.Steps[predictor].Instructions = text
	return d
}

// WithVariable returns the candidate with a value for a variable.
func (c *Candidate) WithVariable(name string, v any) *Candidate {
	d := c.clone()
	d.Variables[name] = v
	return d
}

// WithSetting returns the candidate with a value for a setting of a step.
func (c *Candidate) WithSetting(address string, v any) *Candidate {
	d := c.clone()
	d.Settings[address] = v
	return d
}

// WithMembers returns the candidate as the best of several members.
func (c *Candidate) WithMembers(members []*Candidate) *Candidate {
	d := c.clone()
	d.Members = slices.Clone(members)
	return d
}

// WithoutDemos returns the candidate with no demos at the predictors whose demos may
// be tuned.
func (c *Candidate) WithoutDemos(s *Study) *Candidate {
	d := c.clone()
	for i, p := range s.Predictors {
		if p.TuneDemos {
			d.Steps[i].Demos, d.Steps[i].Nearest = nil, 0
		}
	}
	return d
}

func (c *Candidate) clone() *Candidate {
	d := &Candidate{Steps: slices.Clone(c.Steps), Variables: maps.Clone(c.Variables), Settings: maps.Clone(c.Settings)}
	if d.Variables == nil {
		d.Variables = map[string]any{}
	}
	if d.Settings == nil {
		d.Settings = map[string]any{}
	}
	return d
}

// Key identifies a candidate: equal ones have the same.
func (c *Candidate) Key() string {
	sum := sha256.Sum256(value.EncodeJSON(c.object()))
	return hex.EncodeToString(sum[:12])
}

func (c *Candidate) object() *value.Object {
	var steps []any
	for _, t := range c.Steps {
		demos := make([]any, len(t.Demos))
		for i, d := range t.Demos {
			demos[i] = d.Object
		}
		step := value.NewObject("instructions", t.Instructions, "demos", demos)
		if t.Nearest > 0 {
			step.Set("nearest", t.Nearest)
		}
		steps = append(steps, step)
	}
	o := value.NewObject("steps", steps, "variables", sorted(c.Variables), "settings", sorted(c.Settings))
	if len(c.Members) > 0 {
		members := make([]any, len(c.Members))
		for i, m := range c.Members {
			members[i] = m.object()
		}
		o.Set("members", members)
	}
	return o
}

func sorted(m map[string]any) *value.Object {
	o := &value.Object{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		o.Set(name, value.FromGo(m[name]))
	}
	return o
}
