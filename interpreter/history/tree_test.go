package history_test

import (
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/history"
)

// TestMade: the calls of models and tools of a step come in the order of their numbers.
func TestMade(t *testing.T) {
	n := history.Node{
		Step:  history.Step{Tools: []history.ToolCall{{Number: 4}, {Number: 3}, {Number: 6}}},
		Calls: []history.Call{{Number: 1}, {Number: 2}, {Number: 5}},
	}
	var got []int
	for _, m := range n.Made() {
		if m.Tool != nil {
			got = append(got, -m.Tool.Number)
		} else {
			got = append(got, m.Call.Number)
		}
	}
	if want := []int{1, 2, -3, -4, 5, -6}; !slices.Equal(got, want) {
		t.Errorf("the calls are %v, want %v (those of tools below 0)", got, want)
	}
}
