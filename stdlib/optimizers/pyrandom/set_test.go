package pyrandom_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// TestSets compares with the order in which the real Python yields (testdata/sets.py).
func TestSets(t *testing.T) {
	text, err := os.ReadFile("testdata/sets.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Added, Others, List, Copy, Some, And []int }
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 50 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		s, others := pyrandom.SetOf(c.Added...), pyrandom.SetOf(c.Others...)
		some := &pyrandom.Set{}
		for _, x := range s.Copy().List() {
			if x%3 != 0 {
				some.Add(x)
			}
		}
		for what, pair := range map[string][2][]int{
			"list": {s.List(), c.List}, "copy": {s.Copy().List(), c.Copy}, "some": {some.List(), c.Some}, "and": {s.And(others).List(), c.And},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%s of %v: %v, Python has %v", what, c.Added, pair[0], pair[1])
			}
		}
		for _, x := range c.Added {
			if !s.Has(x) {
				t.Errorf("%d is not in %v", x, s.List())
			}
		}
		if s.Len() != len(c.List) || s.Has(6000) {
			t.Errorf("%v has %d members", s.List(), s.Len())
		}
	}
}
