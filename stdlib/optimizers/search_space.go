package optimizers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// searched is the space of a study as a search sees it: one axis for each variable
// and setting and, where they were proposed, for the instructions and the sets of
// demos of each predictor.
type searched struct {
	s     *optimize.Study
	rows  []*optimize.Example // by which candidates are compared
	space *search.Space
	axes  []searchAxis
}

// searchAxis is a dimension of the space.
type searchAxis struct {
	param        *optimize.Param
	instructions []string          // of Instructions: what is tried; the first is what there is
	demos        [][]optimize.Demo // of Demos: likewise
}

// searchedVariables is the space of the variables and settings of a study.
func searchedVariables(s *optimize.Study) (*searched, error) {
	x := &searched{s: s, rows: devRows(s), space: &search.Space{}}
	for _, p := range s.Space.Searched() {
		d := search.Dimension{Name: p.Address, Low: p.Low, High: p.High, Step: p.Step, Log: p.Log}
		switch p.Kind {
		case optimize.Int:
			d.Kind = search.Int
		case optimize.Choice:
			d = search.Dimension{Name: p.Address, Kind: search.Choice, Choices: len(p.Values), Ordered: ascending(p.Values)}
		}
		x.add(d, searchAxis{param: p})
	}
	return x, x.check()
}

// searchedAll is the space of all that may be changed. Instructions and sets of demos
// are proposed as mipro_v2 does it, `candidates` of each; the error may be ErrSpent, or
// that of ctx.
func searchedAll(ctx context.Context, s *optimize.Study) (*searched, error) {
	x, err := searchedVariables(s)
	proposes, demos := false, false
	for _, p := range s.Space.Params {
		proposes = proposes || p.Kind == optimize.Instructions || p.Kind == optimize.Demos
		demos = demos || p.Kind == optimize.Demos
	}
	if !proposes || len(s.Train) == 0 {
		return x, err
	}
	mipro := slices.IndexFunc(universe.Optimizers, func(o universe.Optimizer) bool { return o.Name == "mipro_v2" })
	settings := optimize.Settings{Declared: &universe.Optimizers[mipro], Written: map[string]any{"auto": "off", "candidates": s.Settings.Int("candidates"), "trials": 1}}
	if !demos {
		settings.Written["max_bootstrapped_demos"], settings.Written["max_labeled_demos"] = 0, 0
	}
	inner := s.Next(s.Stage, settings, s.Start)
	random := chance(inner, miproSeed)
	plan, err := newMiproPlan(inner, random)
	if err != nil {
		return nil, err
	}
	sets, err := miproDemos(ctx, inner, plan, random)
	if err != nil {
		return nil, err
	}
	instructions, err := newProposer(inner, plan, sets, random).propose(ctx)
	if err != nil {
		return nil, err
	}
	x.rows = plan.dev
	for _, p := range s.Space.Params {
		axis, n := searchAxis{param: p}, 0
		switch p.Kind {
		case optimize.Instructions:
			axis.instructions = instructions[p.Predictor]
			n = len(axis.instructions)
		case optimize.Demos:
			axis.demos = sets[p.Predictor]
			n = len(axis.demos)
		}
		if n > 1 {
			x.add(search.Dimension{Name: p.Address, Kind: search.Choice, Choices: n}, axis)
		}
	}
	return x, x.check()
}

func (x *searched) add(d search.Dimension, a searchAxis) {
	x.space.Dimensions = append(x.space.Dimensions, d)
	x.axes = append(x.axes, a)
	x.space.Valid = func(p search.Point) bool { return x.s.Check(x.candidate(p)) == nil }
}

func (x *searched) check() error {
	if len(x.axes) == 0 {
		return fmt.Errorf("there is nothing to search: the program reads no `variable` that has several values, and `tune` names none")
	}
	return x.space.Check()
}

// ascending reports whether values are numbers that grow: then neighbours are alike.
func ascending(values []any) bool {
	last := 0.0
	for i, v := range values {
		n, ok := number(v)
		if !ok || i > 0 && n <= last {
			return false
		}
		last = n
	}
	return len(values) > 2
}

// number returns v as a number; false for one that is none.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// candidate is the start, changed to what a point says.
func (x *searched) candidate(p search.Point) *optimize.Candidate {
	c := x.s.Start
	for i, a := range x.axes {
		switch k := int(p[i]); {
		case a.instructions != nil && k > 0:
			c = c.WithInstructions(a.param.Predictor, a.instructions[k])
		case a.demos != nil && k > 0:
			c = c.WithDemos(a.param.Predictor, a.demos[k])
		case a.instructions == nil && a.demos == nil:
			c = a.param.With(c, a.value(p[i]))
		}
	}
	return c
}

// value is what a coordinate stands for; of instructions and demos it is the number.
func (a *searchAxis) value(x float64) any {
	switch a.param.Kind {
	case optimize.Float:
		return x
	case optimize.Choice:
		return a.param.Values[int(x)]
	}
	return int(x)
}

// start is the point of the program as it is; false where it is none of the space, as
// when a setting has no value yet.
func (x *searched) start() (search.Point, bool) {
	p := make(search.Point, len(x.axes))
	for i, a := range x.axes {
		if a.instructions != nil || a.demos != nil {
			continue
		}
		now := a.param.Default
		if v, ok := x.s.Start.Variables[a.param.Variable]; ok && a.param.Variable != "" {
			now = v
		}
		if v, ok := x.s.Start.Settings[a.param.Setting]; ok && a.param.Setting != "" {
			now = v
		}
		if a.param.Kind == optimize.Choice {
			k := slices.IndexFunc(a.param.Values, func(v any) bool { return value.Equal(v, now) })
			if k < 0 {
				return nil, false
			}
			p[i] = float64(k)
			continue
		}
		n, ok := number(now)
		if !ok {
			return nil, false
		}
		p[i] = n
	}
	return p, x.space.Contains(p)
}

// params are the values of a point by the addresses of the parameters.
func (x *searched) params(p search.Point) map[string]any {
	out := map[string]any{}
	for i, a := range x.axes {
		out[a.param.Address] = a.value(p[i])
	}
	return out
}

// note says what a point is: "k 3, model qwen/7b, draft.instructions 2".
func (x *searched) note(p search.Point) string {
	var parts []string
	for i, a := range x.axes {
		name := a.param.Variable
		if a.param.Setting != "" {
			name = a.param.Setting
		} else if name == "" {
			name = x.s.Predictors[a.param.Predictor].Path + "." + string(a.param.Kind)
		}
		v := a.value(p[i])
		if f, ok := v.(float64); ok {
			v = fmt.Sprintf("%.4g", f)
		}
		parts = append(parts, fmt.Sprintf("%s %v", name, v))
	}
	return strings.Join(parts, ", ")
}
