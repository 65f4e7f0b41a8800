package evaluate

import (
	"maps"
	"slices"
)

// Macro F1 is of all rows together, and a program may have several outputs that are one
// of a few classes. The rule is one, here and in Compare: each such output has the mean
// of its classes' F1, over the rows that have its label, and the metric is the mean of
// the outputs. A row is drawn, or exchanged, with all its outputs.

// coded are the classes of one output, row by row, by their place in names: what a row
// has and what it was given; unlabelled where it has no label.
type coded struct {
	names []string
	rows  [][2]int
}

// unlabelled is the class of a row without a label.
const unlabelled = -1

// MacroF1 returns the metric of outputs, of which each has pairs by the number of their
// row, with its interval, nil for fewer than two rows; n counts the rows that have a
// label of at least one.
func MacroF1(outputs []map[int]Pair) (n int, mean float64, interval *Interval) {
	numbers := map[int]bool{}
	for _, pairs := range outputs {
		for row := range pairs {
			numbers[row] = true
		}
	}
	order := slices.Sorted(maps.Keys(numbers))
	sets := make([]*coded, len(outputs))
	for i, pairs := range outputs {
		sets[i] = encode(order, pairs)[0]
	}
	rows := indexes(len(order))
	mean = meanMacroF1(sets, rows)
	if len(order) > 1 {
		i := BootstrapOf(len(order), func(rows []int) float64 { return meanMacroF1(sets, rows) })
		interval = &i
	}
	return len(order), mean, interval
}

// encode writes pairs of rows by the places of their classes, which are in the order of
// their names and the same for all that is given.
func encode(order []int, given ...map[int]Pair) []*coded {
	index := map[string]int{}
	for _, pairs := range given {
		for _, p := range pairs {
			index[p.Want], index[p.Got] = 0, 0
		}
	}
	names := slices.Sorted(maps.Keys(index))
	for i, name := range names {
		index[name] = i
	}
	var out []*coded
	for _, pairs := range given {
		set := &coded{names, make([][2]int, len(order))}
		for i, row := range order {
			set.rows[i] = [2]int{unlabelled, unlabelled}
			if p, ok := pairs[row]; ok {
				set.rows[i] = [2]int{index[p.Want], index[p.Got]}
			}
		}
		out = append(out, set)
	}
	return out
}

func indexes(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// meanMacroF1 is the mean of the outputs' macro F1 over rows, of those outputs of which
// a row has a label.
func meanMacroF1(sets []*coded, rows []int) float64 {
	sum, n := 0.0, 0
	for _, set := range sets {
		if f1, ok := macroF1(set.names, set.rows, rows); ok {
			sum += f1
			n++
		}
	}
	return ratio(sum, n)
}

// macroF1 is the mean F1 of the classes that the rows have or were given; false where no
// row has one.
func macroF1(names []string, coded [][2]int, rows []int) (float64, bool) {
	hit, both := make([]float64, len(names)), make([]int, len(names))
	any := false
	for _, r := range rows {
		want, got := coded[r][0], coded[r][1]
		if want == unlabelled {
			continue
		}
		any = true
		both[want]++
		both[got]++
		if want == got {
			hit[want]++
		}
	}
	sum, n := 0.0, 0
	for i, name := range names {
		if both[i] > 0 && name != NoAnswer {
			sum += 2 * hit[i] / float64(both[i])
			n++
		}
	}
	return ratio(sum, n), any
}
