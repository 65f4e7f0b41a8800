package evaluate

import (
	"cmp"
	"maps"
	"slices"
)

// MostClasses is how many classes an output may have of which a Confusion is made.
const MostClasses = 150

// NoAnswer is the class of rows whose run failed.
const NoAnswer = "(no answer)"

// Pair is the class that a row has and the one that it was given.
type Pair struct{ Want, Got string }

// Confusion says how often which class was taken for which.
type Confusion struct {
	Output  string   `json:"output"`
	Classes []string `json:"classes"`
	// Counts holds a line for each class that rows have, in the order of Classes,
	// with a count for each that they were given.
	Counts   [][]int `json:"counts"`
	N        int     `json:"n"`
	Accuracy float64 `json:"accuracy"`
	// MacroF1 is the mean of the classes' F1, of those that rows have or were
	// given; a row without an answer lowers the recall of its class.
	MacroF1 float64  `json:"macro_f1"`
	Each    []Class  `json:"each"`
	Macro   Interval `json:"macro_f1_interval"`
}

// Class is how well one class is found.
type Class struct {
	Name      string  `json:"name"`
	Rows      int     `json:"rows"` // that have it
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// NewConfusion counts the pairs of an output; nil where there are none or the
// classes are too many.
func NewConfusion(output string, pairs []Pair) *Confusion {
	rows := map[string]int{}
	for _, p := range pairs {
		rows[p.Want]++
		rows[p.Got] += 0
	}
	if len(pairs) == 0 || len(rows) > MostClasses {
		return nil
	}
	c := &Confusion{Output: output, N: len(pairs)}
	c.Classes = slices.SortedFunc(maps.Keys(rows), func(a, b string) int {
		switch {
		case (a == NoAnswer) != (b == NoAnswer): // it stands last
			if a == NoAnswer {
				return 1
			}
			return -1
		}
		return cmp.Compare(a, b)
	})
	index := map[string]int{}
	for i, name := range c.Classes {
		index[name] = i
		c.Counts = append(c.Counts, make([]int, len(c.Classes)))
	}
	coded := make([][2]int, len(pairs))
	all := make([]int, len(pairs))
	right := 0
	for i, p := range pairs {
		coded[i] = [2]int{index[p.Want], index[p.Got]}
		all[i] = i
		c.Counts[coded[i][0]][coded[i][1]]++
		if p.Want == p.Got {
			right++
		}
	}
	c.Accuracy = float64(right) / float64(len(pairs))
	c.Each = classes(c.Classes, c.Counts)
	macro := func(rows []int) float64 {
		f1, _ := macroF1(c.Classes, coded, rows)
		return f1
	}
	c.MacroF1 = macro(all)
	c.Macro = Interval{c.MacroF1, c.MacroF1, "bca"}
	if len(pairs) > 1 {
		c.Macro = BootstrapOf(len(pairs), macro)
	}
	return c
}

func classes(names []string, counts [][]int) []Class {
	var out []Class
	for i, name := range names {
		have, given := 0, 0
		for j := range names {
			have += counts[i][j]
			given += counts[j][i]
		}
		if name == NoAnswer {
			continue
		}
		hit := float64(counts[i][i])
		x := Class{Name: name, Rows: have, Precision: ratio(hit, given), Recall: ratio(hit, have), F1: ratio(2*hit, have+given)}
		out = append(out, x)
	}
	return out
}

func ratio(a float64, b int) float64 {
	if b == 0 {
		return 0
	}
	return a / float64(b)
}
