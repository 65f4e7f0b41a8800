package dspi

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/search"
)

// importance says which searched parameters explain the scores of the first aim, the
// most important first; nil where too few configurations were measured to tell.
func (t *tuning) importance() []Importance {
	const fewest = 10
	params := t.plan.Space.Searched()
	space := &search.Space{}
	for _, p := range params {
		space.Dimensions = append(space.Dimensions, dimension(p))
	}
	var points []search.Point
	var scores []float64
	for _, x := range t.study.Trials() {
		point, ok := pointOf(params, x.Params)
		if ok {
			points, scores = append(points, point), append(scores, x.Means[0])
		}
	}
	if len(params) == 0 || len(points) < fewest {
		return nil
	}
	shares, err := search.Importance(space, points, scores, t.plan.Seed)
	if err != nil {
		return nil
	}
	out := make([]Importance, len(params))
	for i, p := range params {
		out[i] = Importance{p.Address, shares[i]}
	}
	slices.SortStableFunc(out, func(a, b Importance) int { return cmp.Compare(b.Share, a.Share) })
	return out
}

// dimension is a parameter as search knows it.
func dimension(p *optimize.Param) search.Dimension {
	d := search.Dimension{Name: p.Address, Low: p.Low, High: p.High, Log: p.Log, Step: p.Step, Choices: len(p.Values)}
	switch p.Kind {
	case optimize.Int:
		d.Kind = search.Int
	case optimize.Choice:
		d.Kind = search.Choice
	}
	return d
}

// pointOf is a trial as a point; false where it lacks a parameter.
func pointOf(params []*optimize.Param, values map[string]any) (search.Point, bool) {
	point := make(search.Point, len(params))
	for i, p := range params {
		v, ok := values[p.Address]
		if !ok {
			return nil, false
		}
		switch v := v.(type) {
		case float64:
			point[i] = v
		case int:
			point[i] = float64(v)
		}
		if p.Kind == optimize.Choice {
			at := slices.IndexFunc(p.Values, func(x any) bool { return reflect.DeepEqual(x, v) })
			if at < 0 {
				return nil, false
			}
			point[i] = float64(at)
		}
	}
	return point, true
}
