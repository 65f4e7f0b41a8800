package modules

import (
	"context"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/metrics"
)

// What the modules share that ask several times: samples, and the vote among them.

// varied is the temperature of samples of a part as DSPy's Predict has it for
// several generations: 0.7, unless the model's own is high enough to vary them.
func varied(p *module.Part) *float64 {
	if t := p.Call.Params.Temperature; t != nil && *t > 0.15 {
		return nil
	}
	t := 0.7
	return &t
}

// hot is the temperature of attempts of which the best is taken.
func hot() *float64 {
	t := 1.0
	return &t
}

// together calls do for each of n attempts at once, which failures do not stop: the
// outputs of an attempt that failed are nil. When all have failed, the error is that
// of the last; one that ends the run is returned at once.
func together(ctx context.Context, call *module.Call, n int, do func(ctx context.Context, i int) (*value.Object, error)) ([]*value.Object, error) {
	outputs, errs := make([]*value.Object, n), make([]error, n)
	err := module.Together(ctx, n, func(ctx context.Context, i int) error {
		outputs[i], errs[i] = do(ctx, i)
		if errs[i] != nil && module.Ends(ctx, errs[i]) {
			return errs[i]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var last error
	failed := 0
	for i, err := range errs {
		if err == nil {
			continue
		}
		last = err
		failed++
		note(call, "attempt %d of %d failed: %s", i+1, n, err)
	}
	if failed == n {
		return nil, &module.AttemptsError{Attempts: n, Err: last}
	}
	return outputs, nil
}

// vote returns the outputs whose field has the value that most others have, too: the
// first of them; of values that are as frequent, the first. Values are compared as
// DSPy's majority compares them, and those of which nothing is left then do not
// count, unless there are no others. Weight says how much one counts; nil: one.
func vote(answers []*value.Object, field string, weight func(i int) float64) *value.Object {
	type candidate struct {
		votes float64
		first int
	}
	var order []string
	found := map[string]*candidate{}
	count := func(empty bool) {
		for i, o := range answers {
			if o == nil {
				continue
			}
			v, _ := o.Get(field)
			text, ok := v.(string)
			if !ok && v != nil {
				text = string(value.EncodeJSON(v))
			}
			text = metrics.Normalize(text)
			if (text == "") != empty {
				continue
			}
			c := found[text]
			if c == nil {
				c = &candidate{first: i}
				found[text] = c
				order = append(order, text)
			}
			if weight == nil {
				c.votes++
			} else {
				c.votes += weight(i)
			}
		}
	}
	count(false)
	if len(order) == 0 {
		count(true)
	}
	var winner *candidate
	for _, text := range order {
		if c := found[text]; winner == nil || c.votes > winner.votes {
			winner = c
		}
	}
	return answers[winner.first]
}

// votedField is the output that is voted on: the setting `field`, else the last one.
func votedField(call *module.Call) string {
	outputs := call.Signature.Outputs
	return call.Text("field", outputs[len(outputs)-1].Name)
}

// rewarded evaluates the reward of outputs.
func rewarded(ctx context.Context, call *module.Call, outputs *value.Object) (float64, error) {
	v, err := call.Judge(ctx, "reward", outputs)
	if err != nil {
		return 0, err
	}
	return number(v), nil
}

func number(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// note says in the trace what a module does next.
func note(call *module.Call, format string, args ...any) {
	call.Host.Emit(trace.Event{Kind: trace.Note, Reason: fmt.Sprintf(format, args...)})
}
