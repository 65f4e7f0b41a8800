package optimizers

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

const (
	mergeAttempts = 10 // to find two candidates, and an ancestor of two
	mergeRows     = 5  // on which a merged candidate is measured first; with fewer dev rows nothing is merged
)

// merger remembers what was merged.
type merger struct {
	most      int // merges that are kept
	kept, due int
	found     bool // the last step has found a candidate
	tried     []mergeOf
	made      []string
}

// mergeOf is two candidates and their ancestor, by number.
type mergeOf struct{ a, b, ancestor int }

// schedule says that a candidate was found: two may be merged.
func (m *merger) schedule() {
	if m == nil {
		return
	}
	m.found = true
	if m.kept < m.most {
		m.due++
	}
}

// merge merges two candidates, if it is time to: the step was one of merging if it
// reports true. The merged one is kept if on a few dev rows it is as good as the
// better of the two.
func (e *evolution) merge(ctx context.Context) (bool, error) {
	m := e.merger
	if m == nil {
		return false, nil
	}
	found := m.found
	m.found = false
	if !found || m.due == 0 {
		return false, nil
	}
	c, of := e.merged()
	if c == nil {
		return false, nil
	}
	m.tried = append(m.tried, of)
	a, b := e.pool[of.a], e.pool[of.b]
	rows := mergeSample(a.values, b.values, e.random)
	sample := make([]*optimize.Example, len(rows))
	var ofA, ofB float64
	for i, row := range rows {
		sample[i] = e.dev[row]
		ofA += a.values[row]
		ofB += b.values[row]
	}
	note := fmt.Sprintf("candidates %d and %d merged", of.a, of.b)
	e.study.Doing(note)
	score, values, err := e.measure(ctx, c, sample)
	if err != nil {
		return true, err
	}
	if sum(values) < max(ofA, ofB) {
		e.study.Tried(score, false, note+": not as good", nil)
		return true, nil
	}
	e.study.Tried(score, false, note, nil)
	x, err := e.whole(ctx, c, note)
	if err != nil {
		return true, err
	}
	e.add(x, []int{of.a, of.b})
	m.due--
	m.kept++
	return true, nil
}

// merged returns two candidates in one; nil where no two are fit for it.
func (e *evolution) merged() (*optimize.Candidate, mergeOf) {
	candidates, means := needed(e.fronts, e.means()), e.means()
	if len(candidates) < 2 || len(e.pool) < 3 {
		return nil, mergeOf{}
	}
	for range mergeAttempts {
		of, ok := e.relatives(candidates, means)
		if !ok {
			continue
		}
		c, description := e.join(of, means)
		description = fmt.Sprint(of.a, of.b, description)
		if slices.Contains(e.merger.made, description) || len(e.dev) < mergeRows {
			continue
		}
		if e.study.Check(c) != nil {
			continue
		}
		e.merger.made = append(e.merger.made, description)
		return c, of
	}
	return nil, mergeOf{}
}

// relatives draws two of the candidates that have a common ancestor and do not descend
// from each other, and the ancestor: one that is better than neither, and from which
// one of the two has a component that the other has changed.
func (e *evolution) relatives(candidates []int, means []float64) (mergeOf, bool) {
	for range mergeAttempts {
		pair := pyrandom.Sample(e.random, candidates, 2)
		a, b := min(pair[0], pair[1]), max(pair[0], pair[1])
		ofA, ofB := e.ancestors(a), e.ancestors(b)
		if ofA.Has(b) || ofB.Has(a) {
			continue
		}
		var common []int
		var weights []float64
		total := 0.0
		for _, x := range ofA.And(ofB).List() {
			of := mergeOf{a, b, x}
			if !slices.Contains(e.merger.tried, of) && means[x] <= means[a] && means[x] <= means[b] && e.complementary(of) {
				common = append(common, x)
				weights = append(weights, max(means[x], 0))
				total += weights[len(weights)-1]
			}
		}
		if len(common) == 0 {
			continue
		}
		if total <= 0 {
			weights = nil
		}
		return mergeOf{a, b, pyrandom.Choices(e.random, common, weights, 1)[0]}, true
	}
	return mergeOf{}, false
}

// ancestors returns those of a candidate.
func (e *evolution) ancestors(n int) *pyrandom.Set {
	out := &pyrandom.Set{}
	var visit func(int)
	visit = func(n int) {
		for _, p := range e.pool[n].parents {
			if !out.Has(p) {
				out.Add(p)
				visit(p)
			}
		}
	}
	visit(n)
	return pyrandom.SetOf(out.List()...)
}

// complementary reports whether there is a component that one of the two has from the
// ancestor and the other has not.
func (e *evolution) complementary(of mergeOf) bool {
	return slices.ContainsFunc(e.components, func(p int) bool {
		a, b, ancestor := e.text(of.a, p), e.text(of.b, p), e.text(of.ancestor, p)
		return a != b && (ancestor == a || ancestor == b)
	})
}

func (e *evolution) text(n, predictor int) string {
	return told(e.study, e.pool[n].candidate, predictor)
}

// join takes each component from the one that has changed it; where both have, from
// the better. The second result tells which ones were taken.
func (e *evolution) join(of mergeOf, means []float64) (*optimize.Candidate, string) {
	c := e.pool[of.ancestor].candidate
	var taken []int
	for _, p := range e.components {
		a, b, ancestor := e.text(of.a, p), e.text(of.b, p), e.text(of.ancestor, p)
		from := of.a
		switch {
		case a == b:
		case ancestor == a:
			from = of.b
		case ancestor == b:
		case means[of.b] > means[of.a]:
			from = of.b
		case means[of.b] == means[of.a]:
			from = pyrandom.Choice(e.random, []int{of.a, of.b})
		}
		c = c.WithInstructions(p, e.text(from, p))
		taken = append(taken, from)
	}
	return c, fmt.Sprint(taken)
}

// mergeSample draws the dev rows for a merged candidate: some on which the one is
// better, some on which the other is, some on which they are alike.
func mergeSample(a, b []float64, random *pyrandom.Random) []int {
	var parts [3][]int
	var all []int
	for i := range a {
		at := 2
		if a[i] > b[i] {
			at = 0
		} else if b[i] > a[i] {
			at = 1
		}
		parts[at] = append(parts[at], i)
		all = append(all, i)
	}
	each := int(math.Ceil(mergeRows / 3.0))
	var rows []int
	for _, part := range parts {
		if n := min(len(part), each, mergeRows-len(rows)); n > 0 {
			rows = append(rows, pyrandom.Sample(random, part, n)...)
		}
	}
	if rest := mergeRows - len(rows); rest > 0 {
		unused := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return slices.Contains(rows, i) })
		if len(unused) >= rest {
			rows = append(rows, pyrandom.Sample(random, unused, rest)...)
		} else {
			rows = append(rows, pyrandom.Choices(random, all, nil, rest)...)
		}
	}
	return rows
}
