package python

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// An optimizer of DSPy's works in a worker on a dspy.Module that has the predictors of
// a program, and no code: to be called, it asks the host, which runs the program with
// the instructions and demos that the predictors have at that moment. The host scores
// what comes out, too, and answers the calls of models that the optimizer makes itself.

// OptimizeRequest is one run of an optimizer of DSPy's. Its functions are called by
// many goroutines at once. An error of theirs is one of the program for DSPy, which
// goes on, unless module.Ends says that the run is over: then Optimize ends with it.
type OptimizeRequest struct {
	Place   source.Place // of what asks for it, for errors
	Folder  string       // where code of the user's own is looked for; "": none is
	Address string       // for the log
	// Class is the optimizer: `dspy.MIPROv2`, or `module:Class`. Arguments are for its
	// constructor and for `compile`: each goes to the one that takes it, first the
	// constructor. The name of a model is given for `prompt_model` and the like.
	Class     string
	Arguments *value.Object
	Program   OptimizeProgram
	// Train and Val are rows of data: columns by name, checked. Columns that have the
	// name of an input are the inputs. A row's number is its place in Train, or behind
	// them in Val.
	Train, Val []*value.Object
	Threads    int           // how many runs at once; 0: DSPy's own 8
	Timeout    time.Duration // the longest that Python may have it to itself; 0: that of the pool
	// Model is the name of the model that DSPy has as its own, Models those that
	// Arguments may name beside it, Features what Model can do.
	Model    string
	Models   []string
	Features lm.Features

	// Run runs the program.
	Run func(context.Context, *OptimizeRun) (*OptimizeRan, error)
	// Score is the metric.
	Score func(context.Context, *OptimizeScore) (*OptimizeScored, error)
	// Generate answers what the optimizer itself asks a model: Model, or one of Models.
	Generate func(ctx context.Context, model string, req *lm.Request) (*lm.Response, error)
	// Progress, when set, is told how it goes, one report after another. It must not
	// block.
	Progress func(OptimizeProgress)
}

// OptimizeProgram is the program as the optimizer sees it.
type OptimizeProgram struct {
	Name string // of the class in Python
	// Source is what DSPy's proposers read as its code.
	Source string
	// Signature is that of the program.
	Signature *program.Signature
	// Predictors are those of the program, in its order, before they are tuned.
	Predictors []Predictor
}

// Predictor is a step of a program that asks a model: what an optimizer changes.
type Predictor struct {
	Name string // as DSPy names it: `respond.predict`
	// Signature has its instructions, and the fields that its module adds.
	Signature *program.Signature
	Demos     []*value.Object
}

// Candidate is a program as an optimizer tries it, and gives it back.
type Candidate struct {
	ID         string // equal candidates have the same
	Predictors []Tuned
}

// Tuned is what a candidate has for one predictor.
type Tuned struct {
	Name string
	// Instructions are "" where the predictor had none and has none.
	Instructions string
	// Demos are values by the name of a field, and what else a row has; fields fit
	// their types where they can. `augmented` is true in those that a run made.
	Demos []*value.Object
}

// OptimizeRun is one run of the program that the optimizer wants.
type OptimizeRun struct {
	ID        int64 // from 1
	Candidate *Candidate
	Row       int // whose inputs these are; -1: of no row
	Inputs    *value.Object
	// Rollout tells apart runs that should not give the same, Temperature is one for
	// all calls; nil: none. Model is another one than Model of the request, or "".
	Rollout     int
	Temperature *float64
	Model       string
}

// OptimizeRan is what a run came to.
type OptimizeRan struct {
	Outputs *value.Object
	// Trace are the calls of predictors, in the order in which the program makes them.
	Trace []PredictorCall
}

// PredictorCall is one call of a predictor.
type PredictorCall struct {
	Predictor       string
	Inputs, Outputs *value.Object
}

// OptimizeScore asks for the score of outputs.
type OptimizeScore struct {
	Row     int           // -1: the optimizer made the example itself
	Example *value.Object // the row
	Run     int64         // that gave the outputs; 0: none did
	Outputs *value.Object
	// Bootstrap says that DSPy wants to know whether the run is good enough to be a
	// demo, as its metrics know it by their argument `trace`: it is unless the score
	// is 0.
	Bootstrap bool
	// Predictor is the one that feedback is asked for, by GEPA; "": none is.
	Predictor string
}

// OptimizeScored is a score, the more the better, and what to say of it to a model that
// writes instructions.
type OptimizeScored struct {
	Score    float64 `json:"score"`
	Feedback string  `json:"feedback,omitempty"`
}

// OptimizeProgress is how it goes: one of the two is set.
type OptimizeProgress struct {
	Message   string // what the optimizer logs
	Evaluated *Evaluated
}

// Evaluated is a candidate that was scored on rows.
type Evaluated struct {
	Candidate *Candidate
	Score     float64 // the mean
	Rows      int
	Full      bool // and not on a part of them that was drawn
}

// OptimizeResult is what an optimizer gives back.
type OptimizeResult struct {
	Best  *Candidate
	Score *float64 // as the optimizer reports it, DSPy's of 100; nil where it does not
	Runs  int      // of the program; none counts twice
}

// Optimize lets an optimizer of DSPy's work. The error is a *diag.Diagnostic, one of
// the functions of the request, or that of ctx. When the worker ends, the optimizer is
// started anew, once, in another one: what it asked before is answered from memory, so
// that one whose way depends on its arguments, its seed and the answers alone goes on
// where it was. The functions of the request are not called again for what they answered.
func (p *Pool) Optimize(ctx context.Context, req *OptimizeRequest) (*OptimizeResult, error) {
	args, err := req.args()
	if err != nil {
		return nil, err
	}
	h := &optimizeHost{req: req, ctx: ctx}
	result, err := p.optimize(ctx, args, h)
	if err != nil {
		return nil, h.fault(ctx, err)
	}
	var out struct {
		Predictors json.RawMessage `json:"predictors"`
		Score      *float64        `json:"score"`
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return nil, fmt.Errorf("what the optimizer gave cannot be read: %w", err)
	}
	best, err := h.candidate(out.Predictors)
	if err != nil {
		return nil, err
	}
	return &OptimizeResult{Best: best, Score: out.Score, Runs: int(h.runs.Load())}, nil
}

// optimizeArgs are those of the command optimize_program.
type optimizeArgs struct {
	Target    string          `json:"target"`
	Arguments *value.Object   `json:"arguments"`
	Program   optimizeProgram `json:"program"`
	Train     []jsonText      `json:"train"`
	Val       []jsonText      `json:"val"`
	Threads   int             `json:"threads,omitempty"`
	Address   string          `json:"address"`
	Model     string          `json:"model"`
	Models    []string        `json:"models,omitempty"`
	Features  map[string]bool `json:"features"`
}

type optimizeProgram struct {
	Name       string              `json:"name"`
	Source     string              `json:"source,omitempty"`
	Signature  *classText          `json:"signature"`
	Predictors []optimizePredictor `json:"predictors"`
}

type optimizePredictor struct {
	Name      string     `json:"name"`
	Signature *classText `json:"signature"`
	Demos     []jsonText `json:"demos,omitempty"`
}

// args writes the request as the worker reads it.
func (r *OptimizeRequest) args() (*optimizeArgs, error) {
	a := &optimizeArgs{
		Target: r.target(), Arguments: r.Arguments, Threads: r.Threads, Address: r.Address, Model: r.Model, Models: r.Models,
		Features: map[string]bool{"json": r.Features.JSON, "schema": r.Features.Schema, "tools": r.Features.Tools},
		Train:    rowsText(r.Program.Signature, r.Train), Val: rowsText(r.Program.Signature, r.Val),
	}
	if a.Arguments == nil {
		a.Arguments = &value.Object{}
	}
	var err error
	if a.Program.Signature, err = signatureText(r.Place, r.Program.Signature); err != nil {
		return nil, err
	}
	a.Program.Name, a.Program.Source = r.Program.Name, r.Program.Source
	for _, p := range r.Program.Predictors {
		out := optimizePredictor{Name: p.Name, Demos: rowsText(p.Signature, p.Demos)}
		if out.Signature, err = signatureText(r.Place, p.Signature); err != nil {
			return nil, err
		}
		a.Program.Predictors = append(a.Program.Predictors, out)
	}
	return a, nil
}

// rowsText writes objects as Python takes them: fields of a signature by their types.
func rowsText(sig *program.Signature, rows []*value.Object) []jsonText {
	out := make([]jsonText, len(rows))
	for i, row := range rows {
		out[i] = jsonText(value.EncodeJSON(rowToPython(sig, row)))
	}
	return out
}

func rowToPython(sig *program.Signature, row *value.Object) *value.Object {
	o := value.MakeObject(row.Len())
	for name, v := range row.All() {
		o.Set(name, toPython(fieldType(sig, name), v))
	}
	return o
}

// fromPython brings an object that came from Python to the types of a signature. What
// does not fit stays as it came.
func fromPython(sig *program.Signature, o *value.Object) *value.Object {
	out := value.MakeObject(o.Len())
	for name, v := range o.All() {
		t := fieldType(sig, name)
		if t != types.JSON {
			if fit, faults := value.Check(t, v, value.Lax); len(faults) == 0 {
				v = fit
			}
		}
		out.Set(name, v)
	}
	return out
}

// optimizeHost answers what the worker asks during one Optimize.
type optimizeHost struct {
	req    *OptimizeRequest
	ctx    context.Context // that of Optimize
	told   confided
	memory remembered
	died   *DiedError // the first worker, once it has
	runs   atomic.Int64

	mu         sync.Mutex
	candidates map[string]*Candidate
}

// candidate reads the predictors of a candidate; equal ones are read once.
func (h *optimizeHost) candidate(text json.RawMessage) (*Candidate, error) {
	sum := sha256.Sum256(text)
	id := hex.EncodeToString(sum[:8])
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.candidates[id]; c != nil {
		return c, nil
	}
	v, err := value.DecodeJSON(text)
	list, ok := v.([]any)
	if err != nil || !ok || len(list) != len(h.req.Program.Predictors) {
		return nil, errors.New("the optimizer gave a program with other predictors")
	}
	c := &Candidate{ID: id}
	for i := range h.req.Program.Predictors {
		p := &h.req.Program.Predictors[i]
		o, _ := list[i].(*value.Object)
		t := Tuned{Name: p.Name}
		x, _ := o.Get("instructions")
		t.Instructions, _ = x.(string)
		if p.Signature.Instructions == "" && t.Instructions == p.Signature.DefaultInstructions() {
			t.Instructions = ""
		}
		demos, _ := o.Get("demos")
		all, _ := demos.([]any)
		for _, d := range all {
			if o, ok := d.(*value.Object); ok {
				t.Demos = append(t.Demos, fromPython(p.Signature, o))
			}
		}
		c.Predictors = append(c.Predictors, t)
	}
	if h.candidates == nil || len(h.candidates) >= maxCandidates {
		h.candidates = map[string]*Candidate{}
	}
	h.candidates[id] = c
	return c, nil
}

// maxCandidates is how many candidates are remembered.
const maxCandidates = 256
