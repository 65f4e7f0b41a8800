package optimize

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Model is a model that a Study asks questions of its own.
type Model struct {
	lm.LM
	Params lm.Params // what its settings say
}

// Question is what a model is asked by an optimizer: a signature, as in a program.
type Question struct {
	Role      Role
	Signature *program.Signature // with its instructions
	Inputs    *value.Object
	Reasons   bool // chain_of_thought: the signature gets an output `reasoning` first
	// Rollout makes the model answer anew; Temperature, where it is not nil, stands in
	// place of the model's own.
	Rollout     int
	Temperature *float64
}

// Messages returns the messages that a question sends: those of DSPy's ChatAdapter.
func (q *Question) Messages() []lm.Message {
	return chat().Messages(q.signature(), nil, q.Inputs)
}

func (q *Question) signature() *program.Signature {
	sig := *q.Signature
	if sig.Instructions == "" {
		sig.Instructions = sig.DefaultInstructions()
	}
	if q.Reasons {
		sig.Outputs = append([]types.Field{{Name: "reasoning", Type: types.String}}, sig.Outputs...)
	}
	return &sig
}

func chat() prompt.Adapter {
	a, _ := prompt.Lookup("chat")
	return a
}

// Ask asks a question and reads the reply into the outputs of its signature. A reply
// that does not fit is asked for once more. The error is ErrSpent, that of ctx, a
// *module.MisfitError for a reply that does not fit, or that of the model: then an
// optimizer goes on without the answer.
func (s *Study) Ask(ctx context.Context, q *Question) (*value.Object, error) {
	m, err := s.Runner.Model(q.Role)
	if err != nil {
		return nil, err
	}
	call := &module.Call{
		Address: "optimize", Signature: q.signature(), Inputs: q.Inputs, LM: m.LM, Params: m.Params, Adapter: chat(),
		Retries: 1, Rollout: q.Rollout, Host: &asking{},
	}
	if q.Temperature != nil {
		call.Params.Temperature = q.Temperature
	}
	out, err := module.Ask(ctx, call)
	return out, spent(ctx, err)
}

// Complete sends messages as they are and returns the text of the reply; errors are
// as those of Ask.
func (s *Study) Complete(ctx context.Context, role Role, messages []lm.Message, temperature *float64, rollout int) (string, error) {
	m, err := s.Runner.Model(role)
	if err != nil {
		return "", err
	}
	req := &lm.Request{Messages: messages, Params: m.Params, Rollout: rollout}
	if temperature != nil {
		req.Params.Temperature = temperature
	}
	r, err := m.Generate(ctx, req)
	if err != nil {
		return "", spent(ctx, err)
	}
	return r.Text, nil
}

// spent makes ErrSpent of the error of a budget, and the cause of ctx of its end.
func spent(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if IsSpent(err) {
		return ErrSpent
	}
	return err
}

// IsSpent reports whether err says that the budget is used up.
func IsSpent(err error) bool {
	if errors.Is(err, ErrSpent) {
		return true
	}
	e := lm.AsError(err)
	return e != nil && e.Kind == lm.KindBudget
}

// Ends reports whether an error ends a tuning: the budget is used up, or ctx has
// ended. After any other an optimizer goes on without what it asked for.
func Ends(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, ErrSpent) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// asking is the machine for a question that belongs to no run.
type asking struct{ calls atomic.Int64 }

func (a *asking) Emit(trace.Event)   {}
func (a *asking) NewCall() int       { return int(a.calls.Add(1)) }
func (a *asking) Count(*lm.Response) {}
func (a *asking) Lost([]lm.Spent)    {}

func (a *asking) Generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error) {
	return m.Generate(ctx, req)
}

func (a *asking) CallTool(context.Context, tool.Tool, *value.Object) (*value.Object, error) {
	return nil, errors.New("an optimizer has no tools")
}
