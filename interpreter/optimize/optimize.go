// Package optimize is what tuning is made of: it measures changed copies of a
// program, and keeps what was found.
//
//	Optimizer  a way to tune: a Study in, candidates out
//	Study      the program, its rows, its space, and the means to try things
//	Candidate  one configuration: instructions, demos, values of variables (candidate.go)
//	Space      what may be changed, as parameters that can be searched (space.go)
//	Outcome    one run of a candidate on one row, with its scores (run.go)
//	Score      a candidate on many rows (evaluate.go)
//	Question   what a model is asked that writes instructions (ask.go)
//	Trial      a candidate that was measured, as it is kept and shown (trial.go)
//	Log        what was answered so far, so that a killed tuning goes on (log.go)
//	Runner     what the host does: runs a program, opens a model
//
// Optimizers are in stdlib/optimizers. They see programs only as a Study's
// Predictors and Space, never as text. An optimizer must be a function of its Study:
// what it does depends on its settings, its seed and what the runs answered, and on
// nothing else, no clock and no order in which goroutines end. Then a tuning that was
// killed and is begun again goes the same way, and what the Log has is not run again.
package optimize

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
)

// Optimizer is a way to tune a program. It is safe for use by many goroutines.
type Optimizer interface {
	// Optimize looks for candidates that are better than s.Start. The first of the
	// result is the best; others are further ones of a front, none of which is better
	// in every respect. What it measures it does with the methods of s, and tells
	// s.Tried. An error that is ErrSpent, or that of ctx, ends the tuning with the best
	// of the trials; what was found so far may be returned with it.
	Optimize(ctx context.Context, s *Study) ([]*Candidate, error)
}

// Ready is an optimizer that can see that it cannot begin before anything is run.
type Ready interface {
	Ready(s *Study) error
}

// ErrSpent says that the budget is used up: no further call is made.
var ErrSpent = errors.New("the budget of the tuning is used up")

// Runner is what the host does for a Study.
type Runner interface {
	// Run runs the program as c says on a row and scores what it gives. A failure of
	// the program is in the Outcome. The error says that nothing is known of the row:
	// ErrSpent, or that of ctx.
	Run(ctx context.Context, c *Candidate, row *Example, v Variation) (*Outcome, error)
	// Check says why a candidate cannot be run: values that a constraint of the
	// program forbids. nil: it can.
	Check(c *Candidate) error
	// Model opens the model that has a role.
	Model(Role) (Model, error)
}

// Role is what a model is asked for.
type Role int

// The roles.
const (
	// PromptModel writes instructions: `prompt_model` of the block.
	PromptModel Role = iota
	// ReflectionModel reflects on runs: `reflection_model` of gepa, else PromptModel.
	ReflectionModel
)

// Study is one tuning: what an optimizer is given. It is safe for use by many
// goroutines.
type Study struct {
	Program *program.Program
	// Predictors are the places of the program that ask a model and can be tuned, in
	// the order of the text.
	Predictors []*Predictor
	// Space is what may be changed.
	Space *Space
	// Start is the program as it is: what is written, or what an earlier tuning found.
	// A later optimizer of the same block starts where the one before it ended.
	Start *Candidate
	// Train are the rows to learn from, Dev those by which candidates are compared.
	Train, Dev []*Example
	// Objectives are what is measured; the first decides where an optimizer weighs one.
	Objectives []Objective
	Settings   Settings
	Seed       uint64
	// Concurrency is how many runs are under way at once; at least 1.
	Concurrency int
	// EarlyStop lets EvaluateAgainst give a candidate up on some of the rows.
	EarlyStop bool
	// Stage names the optimizer, for trials and for the log: "1 bootstrap_few_shot".
	Stage string

	Runner Runner
	Log    *Log        // nil: nothing is kept
	Watch  func(Event) // told what happens, never two at once; may be nil

	state *state
}

// Predictor is a place of the program that asks a model.
type Predictor struct {
	Name string // as DSPy names it: `self`, `draft.predict`
	Path string // names of steps: `draft`, `inner.draft`
	// Module is that of the step: "predict", "chain_of_thought", …
	Module string
	// Inner is what it is called inside the module of the step, where that asks more than
	// one question: `extract.predict`; "" for the step's own.
	Inner string
	// Signature is what it asks: with the `reasoning` that chain_of_thought adds.
	Signature *program.Signature
	// Declared is the signature as it is written.
	Declared *program.Signature
	// TuneDemos and TuneInstructions say what may be changed of it.
	TuneDemos, TuneInstructions bool
}

// Example is a row of data.
type Example struct {
	Set    string        // "train" or "dev"
	N      int           // in its set, from 0
	Values *value.Object // typed: inputs, labels and whatever else the row has
	Inputs *value.Object // those of Values that are inputs of the program
	Labels *value.Object // those that have the name of one of its outputs, and are not null
}

// Objective is a metric that is made better.
type Objective struct {
	Name  string
	Lower bool // less is better
}

// Value orients a score so that more is better.
func (o Objective) Value(score float64) float64 {
	if o.Lower {
		return -score
	}
	return score
}

// Begin readies a study: it must be called before its methods are.
func (s *Study) Begin() *Study {
	s.state = newState()
	return s
}

// Next returns the study of the optimizer that comes after this one in the same
// block: it knows the runs and trials there were.
func (s *Study) Next(stage string, settings Settings, start *Candidate) *Study {
	n := *s
	n.Stage, n.Settings, n.Start = stage, settings, start
	return &n
}

// Rand returns a source of chance for a purpose: the same for the same seed, stage
// and purpose.
func (s *Study) Rand(purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(s.Stage + "\x00" + purpose))
	return rand.New(rand.NewPCG(s.Seed, h.Sum64()))
}

// Predictor returns the index of a predictor of a name, -1 for none.
func (s *Study) Predictor(name string) int {
	for i, p := range s.Predictors {
		if p.Name == name {
			return i
		}
	}
	return -1
}

// Settings are those of an optimizer. What is not written has the default of its
// declaration.
type Settings struct {
	Declared *universe.Optimizer
	Written  map[string]any
}
