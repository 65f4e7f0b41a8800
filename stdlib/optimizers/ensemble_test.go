package optimizers

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// votingStudy is a study whose candidates are told apart by their instructions: each
// says which rows it answers well. Members vote.
func votingStudy(t *testing.T, size int, good map[string]string) (*bench, *optimize.Study) {
	b := &bench{}
	b.Answer = func(c *optimize.Candidate, row *optimize.Example, _ optimize.Variation) *optimize.Outcome {
		voters := c.Members
		if len(voters) == 0 {
			voters = []*optimize.Candidate{c}
		}
		yes := 0
		for _, m := range voters {
			if good[m.Steps[0].Instructions][row.N] == 'x' {
				yes++
			}
		}
		score := 0.0
		if 2*yes > len(voters) {
			score = 1
		}
		return &optimize.Outcome{Outputs: &value.Object{}, Scores: []float64{score}}
	}
	s := b.study(t, "ensemble", map[string]any{"size": size}, signatures("question -> answer"), numbered("train", 3, 3), numbered("dev", 6, 3))
	return b, s
}

func TestEnsemble(t *testing.T) {
	for _, c := range []struct {
		name     string
		good     map[string]string // the rows that each candidate answers well
		tried    []string
		size     int
		members  []string // of the result; nil: the best candidate alone
		variable string   // the candidate whose variables differ
	}{
		{name: "together they are better", good: map[string]string{"a": "xxxx--", "b": "xx--xx", "c": "--xxxx", "d": "x-----"},
			tried: []string{"d", "a", "a", "b", "c"}, size: 3, members: []string{"a", "b", "c"}},
		{name: "together they are no better", good: map[string]string{"a": "xxxxx-", "b": "xx----", "c": "xx----"},
			tried: []string{"b", "a", "c"}, size: 3},
		{name: "one has other variables", good: map[string]string{"a": "xxxx--", "b": "xx--xx", "c": "--xxxx", "d": "--x-xx"},
			tried: []string{"a", "b", "c", "d"}, size: 3, variable: "c", members: []string{"a", "b", "d"}},
		{name: "one candidate", good: map[string]string{"a": "xxxx--"}, tried: []string{"a", "a"}, size: 3},
		{name: "none was measured", good: map[string]string{"a": "xxxx--"}, size: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			make := func() (*bench, *optimize.Study) {
				b, s := votingStudy(t, c.size, c.good)
				s.Start = s.Start.WithInstructions(0, "a")
				for _, text := range c.tried {
					x := s.Start.WithInstructions(0, text)
					if text == c.variable {
						x = x.WithVariable("k", 2)
					}
					score, err := s.Evaluate(t.Context(), x, s.Dev)
					if err != nil {
						t.Fatal(err)
					}
					s.Tried(score, true, text, nil)
				}
				return b, s
			}
			_, s := make()
			found, err := ensemble{}.Optimize(t.Context(), s)
			if err != nil || len(found) != 1 {
				t.Fatalf("%d candidates, error %v", len(found), err)
			}
			var members []string
			for _, m := range found[0].Members {
				members = append(members, m.Steps[0].Instructions)
			}
			if got, want := len(members), len(c.members); got != want {
				t.Fatalf("members %v, want %v", members, c.members)
			}
			for i, want := range c.members {
				if members[i] != want {
					t.Errorf("members %v, want %v", members, c.members)
				}
			}
			if found[0].Steps[0].Instructions != "a" {
				t.Errorf("the best alone is %q", found[0].Steps[0].Instructions)
			}
			if changed := found[0].WithInstructions(0, "z"); len(changed.Members) > 0 {
				t.Error("a changed copy has members")
			}
			if c.members != nil {
				if found[0].Key() == s.Trials()[1].Candidate.Key() {
					t.Error("an ensemble has the key of its best member")
				}
				if trials := s.Trials(); !trials[len(trials)-1].Best {
					t.Error("the ensemble is not the best trial")
				}
				b, s := make()
				b.Budget = b.used + 2
				if found, err := (ensemble{}).Optimize(t.Context(), s); err != optimize.ErrSpent || len(found) != 1 || len(found[0].Members) > 0 {
					t.Errorf("with a budget for two rows: %d candidates, error %v", len(found), err)
				}
			}
		})
	}
}
