package optimizers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

type gepaGolden struct {
	Budgets []struct{ Predictors, Candidates, Rows, Calls int }
	Replies []struct{ Reply, Read string }
	Cases   map[string]struct {
		Program           string
		Train, Dev        int
		Feedback, Failing bool
		Seed              uint64
		Settings          map[string]any
		Calls             []string
		Asked             [][]goldenMessage
		Budget            int
		MetricCalls       int `json:"metric_calls"`
		Parents           [][]int
		Means             []float64
		Found             []goldenStep
	}
}

// TestGEPAGolden runs whole compiles beside the real DSPy (testdata/reflective.py).
func TestGEPAGolden(t *testing.T) {
	var golden gepaGolden
	readGolden(t, "gepa.json", &golden)
	if len(golden.Cases) < 6 {
		t.Fatalf("only %d cases", len(golden.Cases))
	}
	merges := 0
	for name, c := range golden.Cases {
		t.Run(name, func(t *testing.T) {
			predictors := programOf(c.Program)
			b := newReflectiveBench(predictors, c.Feedback, c.Failing, instructionsWritten)
			s := b.study(t, "gepa", numbersOf(c.Settings), predictors, numbered("train", c.Train, 5), numbered("dev", c.Dev, 5))
			s.Seed = c.Seed
			e := newEvolution(s)
			if e.budget != c.Budget {
				t.Errorf("the budget is %d, in DSPy %d", e.budget, c.Budget)
			}
			if err := e.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, b, s, e.best(), c.Calls, c.Asked, c.Found)
			if e.calls != c.MetricCalls {
				t.Errorf("%d rows were measured, by DSPy %d", e.calls, c.MetricCalls)
			}
			var parents [][]int
			for _, x := range e.pool {
				parents = append(parents, append([]int{}, x.parents...))
				if len(x.parents) > 1 {
					merges++
				}
			}
			if fmt.Sprint(parents) != fmt.Sprint(c.Parents) || fmt.Sprint(e.means()) != fmt.Sprint(c.Means) {
				t.Errorf("candidates from %v with %v, in DSPy from %v with %v", parents, e.means(), c.Parents, c.Means)
			}
		})
	}
	if merges == 0 && !t.Failed() {
		t.Error("no case has a merge")
	}
}

func TestGEPABudget(t *testing.T) {
	var golden gepaGolden
	readGolden(t, "gepa.json", &golden)
	for _, c := range golden.Budgets {
		if got := autoBudget(c.Predictors, c.Candidates, c.Rows); got != c.Calls {
			t.Errorf("%d predictors, %d candidates, %d rows: %d, in DSPy %d", c.Predictors, c.Candidates, c.Rows, got, c.Calls)
		}
	}
	b, s := gepaStudy(t, nil)
	for _, c := range []struct {
		settings map[string]any
		want     int
	}{
		{map[string]any{}, autoBudget(2, 6, 6)},
		{map[string]any{"auto": "heavy"}, autoBudget(2, 18, 6)},
		{map[string]any{"max_full_evals": 3}, 3 * (9 + 6)},
		{map[string]any{"max_metric_calls": 77, "max_full_evals": 3}, 77},
	} {
		s = b.study(t, "gepa", c.settings, s.Predictors, s.Train, s.Dev)
		if got := gepaBudget(s); got != c.want {
			t.Errorf("%v: %d, want %d", c.settings, got, c.want)
		}
	}
}

// gepaStudy is a small gepa on training and dev rows.
func gepaStudy(t *testing.T, settings map[string]any) (*reflectiveBench, *optimize.Study) {
	predictors := programOf("Chain")
	b := newReflectiveBench(predictors, true, false, instructionsWritten)
	all := map[string]any{"max_metric_calls": 120}
	maps.Copy(all, settings)
	return b, b.study(t, "gepa", all, predictors, numbered("train", 9, 5), numbered("dev", 6, 5))
}

func TestGEPASpent(t *testing.T) {
	spentAnywhere(t, gepa{}, func() (*bench, *optimize.Study) {
		b, s := gepaStudy(t, map[string]any{"max_metric_calls": 60})
		return &b.bench, s
	})
}

func TestGEPAIsAFunctionOfItsStudy(t *testing.T) {
	var digests []string
	for _, concurrency := range []int{1, 4, 16} {
		_, s := gepaStudy(t, nil)
		s.Concurrency = concurrency
		found, err := gepa{}.Optimize(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest(found)+notesOf(s))
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Errorf("the same study gave several results:\n%s", strings.Join(digests, "\n"))
	}
	_, s := gepaStudy(t, nil)
	s.Seed = 99
	found, err := gepa{}.Optimize(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if digest(found)+notesOf(s) == digests[0] {
		t.Error("another seed went the same way")
	}
}

// TestGEPAHoldsItsBudget: what is measured goes beyond the budget by less than a step,
// dev rows are never shown, and the best so far only gets better.
func TestGEPAHoldsItsBudget(t *testing.T) {
	for budget := 1; budget <= 150; budget += 7 {
		b, s := gepaStudy(t, map[string]any{"max_metric_calls": budget})
		e := newEvolution(s)
		if err := e.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		const step = 3 + 3 + 6
		if over := e.calls - budget; over < 0 || budget >= 6 && over >= step {
			t.Errorf("a budget of %d: %d rows were measured", budget, e.calls)
		}
		if budget > 40 {
			onlyTrain(t, b)
		}
		all, best := fullMeans(s)
		if !slices.IsSorted(best) || best[len(best)-1] != slices.Max(all) || s.Best().Candidate.Key() != e.best().Key() {
			t.Errorf("a budget of %d: the best so far went %v of %v", budget, best, all)
		}
	}
}

func TestGEPAKeepsWhatIsFixed(t *testing.T) {
	_, s := gepaStudy(t, nil)
	s.Predictors[0].TuneInstructions = false
	s.Start = s.Start.WithDemos(1, []optimize.Demo{{Object: value.NewObject("question", "q", "hint", "h", "reasoning", "r", "answer", "w1")}})
	if _, err := (gepa{}).Optimize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	changed := false
	for _, trial := range s.Trials() {
		c := trial.Candidate
		if c.Steps[0].Instructions != s.Start.Steps[0].Instructions || len(c.Steps[0].Demos) != 0 || len(c.Steps[1].Demos) != 1 {
			t.Fatal("what is fixed was changed")
		}
		changed = changed || c.Steps[1].Instructions != s.Start.Steps[1].Instructions
	}
	if !changed {
		t.Error("nothing was rewritten")
	}
	s.Predictors[1].TuneInstructions = false
	_, s2 := gepaStudy(t, nil)
	s2.Predictors = s.Predictors
	found, err := gepa{}.Optimize(t.Context(), s2)
	if err != nil || found[0] != s2.Start || len(s2.Trials()) > 0 {
		t.Errorf("with nothing to tune: %v, %d trials", err, len(s2.Trials()))
	}
}

// TestGEPAGoesOn: a model that fails or writes nothing, and rows that fail, do not end it.
func TestGEPAGoesOn(t *testing.T) {
	for name, writer := range map[string]func() (string, error){
		"fails":   func() (string, error) { return "", &lm.Error{Kind: lm.KindServer, Message: "down"} },
		"nothing": func() (string, error) { return "``` ```", nil },
	} {
		t.Run(name, func(t *testing.T) {
			b, s := gepaStudy(t, nil)
			reply := b.Reply
			b.Reply = func(role optimize.Role, req *lm.Request) (string, error) {
				if role == optimize.ReflectionModel {
					return writer()
				}
				return reply(role, req)
			}
			found, err := gepa{}.Optimize(t.Context(), s)
			if err != nil || found[0].Key() != s.Start.Key() {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("rows", func(t *testing.T) {
		b, s := gepaStudy(t, map[string]any{"failure_score": -0.5})
		b.Answer = func(*optimize.Candidate, *optimize.Example, optimize.Variation) *optimize.Outcome {
			return &optimize.Outcome{Err: "out of order", Scores: []float64{math.NaN()}}
		}
		e := newEvolution(s)
		if err := e.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(b.asked) > 0 || len(e.pool) != 1 || e.pool[0].mean != -0.5 {
			t.Errorf("%d questions, %d candidates, %v", len(b.asked), len(e.pool), e.pool[0].mean)
		}
	})
}

func TestGEPACanceled(t *testing.T) {
	for _, at := range []int{0, 3, 40} {
		b, s := gepaStudy(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		b.Before = func(run int) {
			if run == at {
				cancel()
			}
		}
		found, err := gepa{}.Optimize(ctx, s)
		cancel()
		if !errors.Is(err, context.Canceled) || len(found) != 1 || found[0] == nil {
			t.Errorf("%v, %v", found, err)
		}
	}
}

// TestGEPASkipsPerfect: rows that are all perfect are passed over.
func TestGEPASkipsPerfect(t *testing.T) {
	for _, skip := range []bool{true, false} {
		b, s := gepaStudy(t, map[string]any{"perfect_score": 0, "skip_perfect_score": skip})
		if _, err := (gepa{}).Optimize(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if asked := len(b.asked) > 0; asked == skip {
			t.Errorf("skip_perfect_score = %v: asked %v", skip, asked)
		}
	}
}

// TestGEPALess: where less is better, the candidate with the lowest scores wins.
func TestGEPALess(t *testing.T) {
	_, s := gepaStudy(t, nil)
	s.Objectives[0].Lower = true
	e := newEvolution(s)
	if e.perfect != 0 || e.failure != -1 {
		t.Errorf("perfect is %v, a failure %v", e.perfect, e.failure)
	}
	if err := e.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(e.pool) < 2 || e.pool[e.leader()].mean != slices.Max(e.means()) || slices.Max(e.means()) > 0 {
		t.Errorf("%v of %v", e.leader(), e.means())
	}
}

// TestGEPAProposed reads replies as the package does.
func TestGEPAProposed(t *testing.T) {
	var golden gepaGolden
	readGolden(t, "gepa.json", &golden)
	if len(golden.Replies) < 10 {
		t.Fatalf("only %d replies", len(golden.Replies))
	}
	for _, c := range golden.Replies {
		if got := proposed(c.Reply); got != c.Read {
			t.Errorf("%q: %q, in DSPy %q", c.Reply, got, c.Read)
		}
	}
}

// FuzzProposed: whatever a model writes, its instructions are a stripped part of it.
func FuzzProposed(f *testing.F) {
	for _, reply := range []string{"", "``````", "```a\nb```", "a ``` b", "```a", "b\n```", "`` ``` ````"} {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		if got := proposed(reply); !strings.Contains(reply, got) || strip(got) != got {
			t.Errorf("%q: %q", reply, got)
		}
	})
}

// TestGEPAShown: a history is shown first and turn by turn, no values as an empty line.
func TestGEPAShown(t *testing.T) {
	row, _ := types.Lookup("history")
	history := &types.Primitive{Row: row}
	p := signatures("question -> answer")[0]
	p.Signature.Inputs = append(p.Signature.Inputs, types.Field{Name: "before", Type: history})
	turns := []any{value.NewObject("question", "Who?", "answer", "It's me."), value.NewObject("question", "When?", "answer", 3.0)}
	e := &evolution{study: &optimize.Study{Predictors: []*optimize.Predictor{p}}, asked: pyrandom.New(0)}
	got := e.shown(0, []*optimize.Outcome{
		{Scores: []float64{0.5}, Asked: []optimize.Asked{{Inputs: value.NewObject("question", " Why? ", "before", turns), Outputs: value.NewObject("answer", []any{"a", 1, true, nil})}}},
		{Scores: []float64{0.5}, Err: "failed", Asked: []optimize.Asked{{Inputs: value.NewObject("question", "no"), Outputs: &value.Object{}}}},
		{Scores: []float64{1}, Feedback: "Good.\n", Asked: []optimize.Asked{{Inputs: &value.Object{}, Outputs: &value.Object{}}}},
		{Scores: []float64{1}, Asked: []optimize.Asked{{Predictor: 1, Inputs: &value.Object{}, Outputs: &value.Object{}}}},
	})
	want := "# Example 1\n## Inputs\n### Context\n```json\n  0: {'question': 'Who?', 'answer': \"It's me.\"}\n  1: {'question': 'When?', 'answer': 3.0}\n```\n\n" +
		"### question\nWhy?\n\n## Generated Outputs\n### answer\n['a', 1, True, None]\n\n## Feedback\nThis trajectory got a score of 0.5.\n\n" +
		"\n\n# Example 2\n## Inputs\n\n## Generated Outputs\n\n## Feedback\nGood.\n\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestParetoFronts compares fronts with what is said of them, worked out by hand and by
// brute force, for pools at random.
func TestParetoFronts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		rows, size := 1+random.IntN(6), 1+random.IntN(7)
		e := &evolution{dev: make([]*optimize.Example, rows)}
		for range size {
			x := &individual{values: make([]float64, rows)}
			for i := range x.values {
				x.values[i] = float64(random.IntN(4)) / 4
			}
			x.mean = sum(x.values) / float64(rows)
			e.add(x, nil)
		}
		for row, front := range e.fronts {
			var want []int
			top := math.Inf(-1)
			for _, x := range e.pool {
				top = max(top, x.values[row])
			}
			for n, x := range e.pool {
				if x.values[row] == top {
					want = append(want, n)
				}
			}
			if !slices.Equal(slices.Sorted(slices.Values(front.List())), want) || e.tops[row] != top {
				t.Fatalf("row %d: front %v with %v, want %v with %v", row, front.List(), e.tops[row], want, top)
			}
		}
		var fronts [][]int
		for _, front := range e.fronts {
			fronts = append(fronts, front.List())
		}
		kept := needed(e.fronts, e.means())
		covers := func(set []int) bool { // each row has a best one among them
			return !slices.ContainsFunc(fronts, func(front []int) bool {
				return !slices.ContainsFunc(front, func(n int) bool { return slices.Contains(set, n) })
			})
		}
		if !covers(kept) {
			t.Fatalf("%v leave a row without its best, of %v", kept, fronts)
		}
		for i := range kept { // and none of them can be spared
			if without := slices.Delete(slices.Clone(kept), i, i+1); covers(without) {
				t.Fatalf("%v would do instead of %v, of %v", without, kept, fronts)
			}
		}
		for n, x := range e.pool { // who is better than all others somewhere stays
			alone := slices.ContainsFunc(fronts, func(front []int) bool { return len(front) == 1 && front[0] == n })
			if alone && !slices.Contains(kept, n) {
				t.Fatalf("candidate %d with %v is gone", n, x.values)
			}
		}
		if n := choose(e.fronts, e.means(), pyrandom.New(int64(rows*size))); !slices.Contains(kept, n) {
			t.Fatalf("%d was chosen of %v", n, kept)
		}
	}
}

// TestParetoChoice: who leads on more rows is chosen as often more.
func TestParetoChoice(t *testing.T) {
	means := []float64{0.4, 0.8, 0.2}
	fronts := []*pyrandom.Set{pyrandom.SetOf(0), pyrandom.SetOf(1), pyrandom.SetOf(1), pyrandom.SetOf(1, 2), pyrandom.SetOf(0, 1)}
	random, count := pyrandom.New(5), make([]int, 3)
	for range 6000 {
		count[choose(fronts, means, random)]++
	}
	if count[2] != 0 || count[0] < 1850 || count[0] > 2150 { // 2 of 6
		t.Errorf("chosen %v times", count)
	}
}

// TestBatches: each epoch deals out every row, and the same number of each, give or take
// one.
func TestBatches(t *testing.T) {
	for rows := 1; rows < 12; rows++ {
		for size := 1; size < 6; size++ {
			b := &batches{size: size, rows: rows, random: pyrandom.New(int64(rows)), epoch: -1}
			steps := (rows + size - 1) / size
			for epoch := range 3 {
				count := make([]int, rows)
				for i := range steps {
					batch := b.next(epoch*steps + i)
					if len(batch) != size {
						t.Fatalf("a batch of %d", len(batch))
					}
					for _, row := range batch {
						count[row]++
					}
				}
				if slices.Min(count) < 1 || slices.Max(count)-slices.Min(count) > 1 {
					t.Errorf("%d rows in batches of %d: dealt %v", rows, size, count)
				}
			}
		}
	}
}

// TestMergeSample: the rows are distinct where there are enough, and of each kind.
func TestMergeSample(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		n := 5 + random.IntN(10)
		a, b := make([]float64, n), make([]float64, n)
		better := [3]int{}
		for j := range a {
			a[j], b[j] = float64(random.IntN(2)), float64(random.IntN(2))
			switch {
			case a[j] > b[j]:
				better[0]++
			case a[j] < b[j]:
				better[1]++
			default:
				better[2]++
			}
		}
		rows := mergeSample(a, b, pyrandom.New(int64(i)))
		if len(rows) != 5 || len(slices.Compact(slices.Sorted(slices.Values(rows)))) != 5 {
			t.Fatalf("rows %v of %d", rows, n)
		}
		of := [3]int{}
		for _, j := range rows {
			switch {
			case a[j] > b[j]:
				of[0]++
			case a[j] < b[j]:
				of[1]++
			default:
				of[2]++
			}
		}
		if of[0] < min(better[0], 2) || of[1] < min(better[1], 2) {
			t.Errorf("%v of %v", of, better)
		}
	}
}
