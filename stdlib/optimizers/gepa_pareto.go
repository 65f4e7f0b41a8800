package optimizers

import (
	"slices"

	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// A front of a row are the candidates that are best on it, by number. A candidate is
// superfluous when each of its fronts has another one that is not: what it can do, the
// others can.

// choose draws a candidate: of those that are not superfluous, each as likely as the
// number of its fronts says.
func choose(fronts []*pyrandom.Set, means []float64, random *pyrandom.Random) int {
	kept := withoutSuperfluous(fronts, means)
	count := make([]int, len(means))
	for _, front := range kept {
		for _, c := range front.List() {
			count[c]++
		}
	}
	var list []int
	for _, c := range appearing(kept) {
		for range count[c] {
			list = append(list, c)
		}
	}
	return pyrandom.Choice(random, list)
}

// needed returns the candidates that are not superfluous.
func needed(fronts []*pyrandom.Set, means []float64) []int {
	all := &pyrandom.Set{}
	for _, front := range withoutSuperfluous(fronts, means) {
		for _, c := range front.List() {
			all.Add(c)
		}
	}
	return all.List()
}

// appearing returns the candidates of fronts in the order in which they appear.
func appearing(fronts []*pyrandom.Set) []int {
	var all []int
	for _, front := range fronts {
		for _, c := range front.List() {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

// withoutSuperfluous returns the fronts without superfluous candidates. Those with a
// low mean are looked at first, so that of two that can do the same the better stays.
func withoutSuperfluous(fronts []*pyrandom.Set, means []float64) []*pyrandom.Set {
	copies := make([]*pyrandom.Set, len(fronts))
	for i, front := range fronts {
		copies[i] = front.Copy()
	}
	all := appearing(copies)
	slices.SortStableFunc(all, func(a, b int) int { return descending(means[b], means[a]) })
	gone := make([]bool, len(means))
	for again := true; again; {
		again = false
		for _, c := range all {
			if !gone[c] && superfluous(c, copies, gone) {
				gone[c], again = true, true
				break
			}
		}
	}
	kept := make([]*pyrandom.Set, len(fronts))
	for i, front := range copies {
		kept[i] = &pyrandom.Set{}
		for _, c := range front.List() {
			if !gone[c] {
				kept[i].Add(c)
			}
		}
	}
	return kept
}

// superfluous reports whether each front of a candidate has another one that is not
// gone.
func superfluous(c int, fronts []*pyrandom.Set, gone []bool) bool {
	for _, front := range fronts {
		if front.Has(c) && !slices.ContainsFunc(front.List(), func(other int) bool { return other != c && !gone[other] }) {
			return false
		}
	}
	return true
}

// batches deals out the training rows, so many at a time: all of them in a new order,
// then all again.
type batches struct {
	size, rows int
	random     *pyrandom.Random
	epoch      int
	order      []int
}

// next returns the rows of a step, whose number only grows.
func (b *batches) next(step int) []int {
	at, epoch := step*b.size, 0
	if b.epoch >= 0 {
		epoch = at / len(b.order)
	}
	if epoch > b.epoch {
		b.epoch = epoch
		b.shuffle()
	}
	at %= len(b.order)
	return b.order[at : at+b.size]
}

// shuffle makes a new order. The last batch is filled up with the rows that come least
// often, from the end.
func (b *batches) shuffle() {
	b.order = make([]int, b.rows)
	for i := range b.order {
		b.order[i] = i
	}
	pyrandom.Shuffle(b.random, b.order)
	for n := b.rows - 1; len(b.order)%b.size != 0; n-- {
		if n < 0 {
			n = b.rows - 1
		}
		b.order = append(b.order, b.order[n])
	}
}
