package optimizers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// gepa rewrites instructions: a model reads runs of the program with what the metric
// says of them and writes better ones. All that were better somewhere are kept, and one
// of those that no other makes superfluous is rewritten next (gepa_pareto.go). Two of
// them are merged now and then (gepa_merge.go).
//
// It is GEPA of Lakshya A. Agrawal, Shangyin Tan, Dilara Soylu and others (2025,
// arXiv:2507.19457) as DSPy 3.3.1 runs it with version 0.1.4 of the package gepa: its
// budget, its order of steps, its prompt, and with the same seed its choices. Rows of
// Dev stand for its valset, Train where there are none.
//
// Where it differs from DSPy:
//
//   - Feedback is that of the whole run: a metric is not asked for each predictor. A
//     score that stands for it is written as a float, `1.0`, and never `True`.
//   - Inputs are shown in the order of the signature, records as dicts. Media stand in
//     the text as they are written, no pictures are sent along.
//   - Which questions belong to a predictor is known, and not told from its signature.
//   - A row whose run failed counts the failure score and is not shown. DSPy does so only
//     for a reply that could not be read; any other failure ends it with an error.
//   - With `component_selector = all` a predictor that has nothing to show keeps its
//     instructions, where DSPy drops what is written for the others.
//   - A model that does not answer is not asked a second time, and an empty answer
//     changes nothing.
//   - When two candidates are merged, predictors come in the order of the program; in
//     DSPy it is that of a set of Python, another one in each process. Ancestors that
//     all have a score of 0 or less are equally likely, where the package stops with an
//     error.
//   - Where less is better, scores are turned round, and so are `perfect_score`, whose
//     default is then 0, and `failure_score`, whose default is then 1.
type gepa struct{}

func (gepa) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	e := newEvolution(s)
	if len(e.components) == 0 || len(e.train) == 0 {
		return []*optimize.Candidate{s.Start}, nil
	}
	if _, err := s.Runner.Model(optimize.ReflectionModel); err != nil {
		return nil, err
	}
	err := e.run(ctx)
	if optimize.Ends(ctx, err) || err == nil {
		return []*optimize.Candidate{e.best()}, err
	}
	return nil, err
}

// evolution is a gepa under way.
type evolution struct {
	study      *optimize.Study
	train, dev []*optimize.Example
	components []int // predictors whose instructions may be changed

	budget, calls    int     // rows that are to be measured, that were
	perfect, failure float64 // oriented
	random           *pyrandom.Random
	asked            *pyrandom.Random // picks one of several questions of a predictor
	batches          *batches

	pool   []*individual
	fronts []*pyrandom.Set // of each dev row: who has the best value, by number
	tops   []float64       // that value
	step   int             // from 0
	merger *merger         // nil: nothing is merged
}

// individual is a candidate that was measured on all dev rows.
type individual struct {
	candidate *optimize.Candidate
	values    []float64 // of the dev rows
	mean      float64
	parents   []int
	next      int // which component is rewritten next
}

func newEvolution(s *optimize.Study) *evolution {
	e := &evolution{
		study: s, train: s.Train, dev: s.Dev, budget: gepaBudget(s),
		random: pyrandom.New(int64(s.Seed)), asked: pyrandom.New(int64(s.Seed)),
	}
	if len(e.dev) == 0 {
		e.dev = s.Train
	}
	for i, p := range s.Predictors {
		if p.TuneInstructions {
			e.components = append(e.components, i)
		}
	}
	e.perfect, e.failure = bounds(s)
	e.batches = &batches{size: s.Settings.Int("reflection_minibatch_size"), rows: len(e.train), random: e.random, epoch: -1}
	if s.Settings.Bool("use_merge") {
		e.merger = &merger{most: s.Settings.Int("max_merge_invocations")}
	}
	return e
}

// bounds returns the perfect score and that of a failure, oriented so that more is
// better.
func bounds(s *optimize.Study) (perfect, failure float64) {
	perfect, failure = s.Settings.Float("perfect_score"), s.Settings.Float("failure_score")
	objective := s.Objectives[0]
	if objective.Lower {
		if _, given := s.Settings.Given("perfect_score"); !given {
			perfect = 0
		}
		if _, given := s.Settings.Given("failure_score"); !given {
			failure = 1
		}
	}
	return objective.Value(perfect), objective.Value(failure)
}

// gepaBudget is how many rows are measured. It is looked at before each step: the last
// one may go beyond it.
func gepaBudget(s *optimize.Study) int {
	if n, ok := s.Settings.Given("max_metric_calls"); ok {
		return n.(int)
	}
	if n, ok := s.Settings.Given("max_full_evals"); ok {
		return n.(int) * (len(s.Train) + len(s.Dev))
	}
	components := 0
	for _, p := range s.Predictors {
		if p.TuneInstructions {
			components++
		}
	}
	rows := len(s.Dev)
	if rows == 0 {
		rows = len(s.Train)
	}
	return autoBudget(max(components, 1), map[string]int{"light": 6, "medium": 12, "heavy": 18}[s.Settings.Text("auto")], rows)
}

// autoBudget is DSPy's estimate of what so many candidates cost that MIPROv2 would
// try: minibatches of 35 rows, and all rows after every fifth.
func autoBudget(predictors, candidates, rows int) int {
	const minibatch, every, bootstrap = 35, 5, 5
	trials := int(math.Max(float64(2*predictors*2)*math.Log2(float64(candidates)), 1.5*float64(candidates)))
	total := rows + candidates*bootstrap + trials*minibatch
	full := (trials+1)/every + 1
	if trials < every {
		full++
	}
	return total + full*rows
}

// run does steps until the budget is used up.
func (e *evolution) run(ctx context.Context) error {
	e.study.Doing("measuring the program as it is")
	start, err := e.whole(ctx, e.study.Start, "as it is")
	if err != nil {
		return err
	}
	e.add(start, nil)
	for ; e.calls < e.budget; e.step++ {
		merged, err := e.merge(ctx)
		if err != nil {
			return err
		}
		if merged {
			continue
		}
		if err := e.reflect(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measure measures a candidate on rows; values are oriented and have the failure score
// where nothing is known.
func (e *evolution) measure(ctx context.Context, c *optimize.Candidate, rows []*optimize.Example) (*optimize.Score, []float64, error) {
	score, err := e.study.Evaluate(ctx, c, rows)
	if err != nil {
		return nil, nil, err
	}
	e.calls += len(rows)
	values := score.Values()
	for i, o := range score.Outcomes {
		if unknown(o) {
			values[i] = e.failure
		}
	}
	return score, values, nil
}

// unknown reports whether a run has no score.
func unknown(o *optimize.Outcome) bool {
	return o == nil || o.Failed() || len(o.Scores) == 0 || math.IsNaN(o.Scores[0])
}

// whole measures a candidate on all dev rows.
func (e *evolution) whole(ctx context.Context, c *optimize.Candidate, note string) (*individual, error) {
	score, values, err := e.measure(ctx, c, e.dev)
	if err != nil {
		return nil, err
	}
	e.study.Tried(score, true, note, nil)
	return &individual{candidate: c, values: values, mean: sum(values) / float64(len(values))}, nil
}

// add takes a candidate into the pool and brings the fronts up to date.
func (e *evolution) add(x *individual, parents []int) {
	n := len(e.pool)
	x.parents = parents
	for _, p := range parents {
		x.next = max(x.next, e.pool[p].next)
	}
	e.pool = append(e.pool, x)
	if e.fronts == nil {
		e.fronts, e.tops = make([]*pyrandom.Set, len(e.dev)), make([]float64, len(e.dev))
	}
	for row, v := range x.values {
		switch {
		case e.fronts[row] == nil || v > e.tops[row]:
			e.fronts[row], e.tops[row] = pyrandom.SetOf(n), v
		case v == e.tops[row]:
			e.fronts[row].Add(n)
		}
	}
}

// best returns the candidate with the best mean; the start where none was measured.
func (e *evolution) best() *optimize.Candidate {
	if len(e.pool) == 0 {
		return e.study.Start
	}
	return e.pool[e.leader()].candidate
}

// leader is the number of the candidate with the best mean, the first of equal ones.
func (e *evolution) leader() int {
	at := 0
	for i, x := range e.pool {
		if x.mean > e.pool[at].mean {
			at = i
		}
	}
	return at
}

// means are those of the pool.
func (e *evolution) means() []float64 {
	out := make([]float64, len(e.pool))
	for i, x := range e.pool {
		out[i] = x.mean
	}
	return out
}

// reflect lets a model rewrite one candidate, and keeps what it wrote if that is
// strictly better on the rows which the model saw.
func (e *evolution) reflect(ctx context.Context) error {
	n := e.leader()
	if e.study.Settings.Text("candidate_selection") == "pareto" {
		n = choose(e.fronts, e.means(), e.random)
	}
	parent := e.pool[n]
	var rows []*optimize.Example
	for _, at := range e.batches.next(e.step) {
		rows = append(rows, e.train[at])
	}
	score, before, err := e.measure(ctx, parent.candidate, rows)
	if err != nil {
		return err
	}
	perfect := !slices.ContainsFunc(before, func(v float64) bool { return v < e.perfect })
	if perfect && e.study.Settings.Bool("skip_perfect_score") {
		return nil
	}
	child, changed, err := e.rewrite(ctx, parent, score.Outcomes)
	if err != nil || child == nil {
		return err
	}
	tried, after, err := e.measure(ctx, child, rows)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("candidate %d, %s rewritten", n, strings.Join(changed, ", "))
	if sum(after) <= sum(before) {
		e.study.Tried(tried, false, note+": not better", nil)
		return nil
	}
	e.study.Tried(tried, false, note, nil)
	x, err := e.whole(ctx, child, note)
	if err != nil {
		return err
	}
	e.add(x, []int{n})
	e.merger.schedule()
	return nil
}

// rewrite asks the model for new instructions of the components whose turn it is. It
// returns nil where nothing came of it.
func (e *evolution) rewrite(ctx context.Context, parent *individual, runs []*optimize.Outcome) (*optimize.Candidate, []string, error) {
	turn := e.components
	if e.study.Settings.Text("component_selector") == "round_robin" {
		turn = e.components[parent.next : parent.next+1]
		parent.next = (parent.next + 1) % len(e.components)
	}
	shown := make([]string, len(turn))
	for i, p := range turn {
		shown[i] = e.shown(p, runs)
	}
	var child *optimize.Candidate
	var changed []string
	for i, p := range turn {
		if shown[i] == "" {
			continue
		}
		e.study.Doing("rewriting the instructions of " + e.study.Predictors[p].Name)
		text, err := e.study.Complete(ctx, optimize.ReflectionModel, reflection(told(e.study, parent.candidate, p), shown[i]), nil, 0)
		if optimize.Ends(ctx, err) {
			return nil, nil, err
		}
		if err != nil {
			return nil, nil, nil
		}
		if text = proposed(text); text == "" {
			continue
		}
		if child == nil {
			child = parent.candidate
		}
		child = child.WithInstructions(p, text)
		changed = append(changed, e.study.Predictors[p].Name)
	}
	if child != nil && e.study.Check(child) != nil {
		return nil, nil, nil
	}
	return child, changed, nil
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

// told returns what a candidate tells a predictor to do.
func told(s *optimize.Study, c *optimize.Candidate, predictor int) string {
	if text := c.Steps[predictor].Instructions; text != "" {
		return text
	}
	return instructionsOf(s, predictor)
}
