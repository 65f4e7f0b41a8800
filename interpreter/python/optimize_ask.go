package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// What an optimizer asks for: a run of the program, a score, a reply of a model.

func (h *optimizeHost) ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	result, err := h.memory.recall(ctx, command, args, func() (json.RawMessage, error) {
		ctx, cancel := outlive(h.ctx, ctx)
		defer cancel()
		return h.answer(nested(ctx), command, args)
	})
	return result, h.told.tell(ctx, err)
}

func (h *optimizeHost) answer(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	switch command {
	case "run":
		return h.run(ctx, args)
	case "score":
		return h.score(ctx, args)
	case "lm":
		var a asking
		req, err := a.request(args)
		if err != nil {
			return nil, err
		}
		if h.req.Generate == nil {
			return nil, errors.New("the optimizer has no model")
		}
		req.Rollout = a.Rollout
		model := a.Model
		if model == "" {
			model = h.req.Model
		}
		reply, err := h.req.Generate(ctx, model, req)
		if err != nil {
			return nil, err
		}
		return replyText(reply)
	}
	return nil, fmt.Errorf("the worker asks for `%s`, which is not known here", command)
}

// run runs the program with a candidate.
func (h *optimizeHost) run(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	var a struct {
		Row         int             `json:"row"`
		Inputs      json.RawMessage `json:"inputs"`
		Predictors  json.RawMessage `json:"predictors"`
		Rollout     int             `json:"rollout"`
		Temperature *float64        `json:"temperature"`
		Model       string          `json:"model"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("what is to be run cannot be read: %w", err)
	}
	given, err := decodeObject(a.Inputs)
	if err != nil {
		return nil, fmt.Errorf("the inputs of a run cannot be read: %w", err)
	}
	c, err := h.candidate(a.Predictors)
	if err != nil {
		return nil, err
	}
	sig := h.req.Program.Signature
	inputs := value.MakeObject(len(sig.Inputs))
	for i := range sig.Inputs {
		f := &sig.Inputs[i]
		v, ok := given.Get(f.Name)
		if !ok {
			continue
		}
		fit, faults := value.Check(f.Type, v, value.Lax)
		if len(faults) > 0 {
			return nil, fmt.Errorf("the input `%s` does not fit: %s", f.Name, value.Faults(faults))
		}
		inputs.Set(f.Name, fit)
	}
	run := &OptimizeRun{
		ID: h.runs.Add(1), Candidate: c, Row: h.row(a.Row), Inputs: inputs,
		Rollout: a.Rollout, Temperature: a.Temperature, Model: a.Model,
	}
	ran, err := h.req.Run(ctx, run)
	if err != nil {
		return nil, err
	}
	type call struct {
		Predictor string   `json:"predictor"`
		Inputs    jsonText `json:"inputs"`
		Outputs   jsonText `json:"outputs"`
	}
	out := struct {
		Run     int64    `json:"run"`
		Outputs jsonText `json:"outputs"`
		Trace   []call   `json:"trace"`
	}{run.ID, jsonText(value.EncodeJSON(rowToPython(sig, ran.Outputs))), []call{}}
	for _, t := range ran.Trace {
		p := h.predictor(t.Predictor)
		if p == nil {
			return nil, fmt.Errorf("the program has no predictor `%s`", t.Predictor)
		}
		out.Trace = append(out.Trace, call{
			t.Predictor, jsonText(value.EncodeJSON(rowToPython(p.Signature, t.Inputs))), jsonText(value.EncodeJSON(rowToPython(p.Signature, t.Outputs))),
		})
	}
	return json.Marshal(out)
}

func (h *optimizeHost) predictor(name string) *Predictor {
	for i := range h.req.Program.Predictors {
		if p := &h.req.Program.Predictors[i]; p.Name == name {
			return p
		}
	}
	return nil
}

// row is a number that Python gave, or -1.
func (h *optimizeHost) row(n int) int {
	if n < 0 || n >= len(h.req.Train)+len(h.req.Val) {
		return -1
	}
	return n
}

// score scores outputs.
func (h *optimizeHost) score(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	var a struct {
		Row       int             `json:"row"`
		Example   json.RawMessage `json:"example"`
		Run       int64           `json:"run"`
		Outputs   json.RawMessage `json:"outputs"`
		Bootstrap bool            `json:"bootstrap"`
		Predictor string          `json:"predictor"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, fmt.Errorf("what is to be scored cannot be read: %w", err)
	}
	outputs, err := decodeObject(a.Outputs)
	if err != nil {
		return nil, fmt.Errorf("the outputs to score cannot be read: %w", err)
	}
	sig := h.req.Program.Signature
	s := &OptimizeScore{Row: h.row(a.Row), Run: a.Run, Outputs: fromPython(sig, outputs), Bootstrap: a.Bootstrap, Predictor: a.Predictor}
	switch n := len(h.req.Train); {
	case s.Row >= n:
		s.Example = h.req.Val[s.Row-n]
	case s.Row >= 0:
		s.Example = h.req.Train[s.Row]
	default:
		example, err := decodeObject(a.Example)
		if err != nil {
			return nil, fmt.Errorf("the example to score cannot be read: %w", err)
		}
		s.Example = fromPython(sig, example)
	}
	scored, err := h.req.Score(ctx, s)
	if err != nil {
		return nil, err
	}
	return json.Marshal(scored)
}

func decodeObject(text json.RawMessage) (*value.Object, error) {
	if len(text) == 0 {
		return nil, errors.New("there are none")
	}
	v, err := value.DecodeJSON(text)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, errors.New("they are no object")
	}
	return o, nil
}

func (h *optimizeHost) partial(v json.RawMessage) {
	if h.req.Progress == nil {
		return
	}
	var said struct {
		Message   string `json:"message"`
		Evaluated *struct {
			Score float64 `json:"score"`
			Rows  int     `json:"rows"`
			Full  bool    `json:"full"`
		} `json:"evaluated"`
		Predictors json.RawMessage `json:"predictors"`
	}
	if json.Unmarshal(v, &said) != nil {
		return // a report is no result
	}
	if !h.memory.news(string(v)) {
		return
	}
	if e := said.Evaluated; e != nil {
		if c, err := h.candidate(said.Predictors); err == nil {
			h.report(OptimizeProgress{Evaluated: &Evaluated{c, e.Score, e.Rows, e.Full}})
		}
		return
	}
	h.report(OptimizeProgress{Message: said.Message})
}

func (h *optimizeHost) report(p OptimizeProgress) {
	if h.req.Progress != nil {
		h.req.Progress(p)
	}
}

// fault words why an optimizer gave nothing.
func (h *optimizeHost) fault(ctx context.Context, err error) error {
	at, what := h.req.Place, "`"+h.req.Class+"`"
	var (
		d      *diag.Diagnostic
		start  *startError
		died   *DiedError
		stuck  *StuckError
		remote *RemoteError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &d):
		return err
	case errors.As(err, &start):
		return StartFault(start, at)
	case errors.As(err, &died):
		d := diag.New("E0653", at, "Python ended while "+what+" was at work")
		if first := h.died; first != nil && first != died {
			d.Say("The Python process of the optimizer is gone, and so is the one that was started in its place: %s, then %s.%s", first.How, died.How, saidLast(died.Said))
		} else {
			d.Say("The Python process of the optimizer is gone: %s.%s", died.How, saidLast(died.Said))
		}
		return d.Hint("os._exit, a crash of native code and a lack of memory end a process so").
			Hint("what was answered is kept: dspi optimize … --resume goes on from there and pays nothing twice")
	case errors.As(err, &stuck):
		return diag.New("E0654", at, "Python does not come back from "+what).
			Say("The optimizer was at work for %s without asking dspi for anything, which is the limit. The worker is replaced.", stuck.After)
	case !errors.As(err, &remote):
		return diag.New("E0655", at, "this runs in Python").Say("%s.", upperFirst(strings.TrimSuffix(err.Error(), ".")))
	}
	if known := h.told.known(remote); known != nil {
		return known
	}
	switch remote.Kind {
	case "no_module", "no_attribute":
		d := diag.New("E0651", at, "there is no "+what).Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, ".")))
		if module, last, ok := cutLast(h.req.Class); ok {
			if n, ok := diag.Nearest(last, remote.Names); ok {
				d.Hint("did you mean `%s`?", module+"."+n)
			}
		}
		return d.Hint("DSPy's optimizers stand in the module `dspy`: dspy.BootstrapFewShot, dspy.MIPROv2, dspy.GEPA")
	case "import":
		d := diag.New("E0651", at, what+" needs what is not there").Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, ".")))
		if remote.Missing != "" {
			d.Hint("install it into the Python that dspi takes: python -m pip install %s", remote.Missing)
		}
		return d.Hint("make a Python that has all that dspi needs: dspi python setup")
	case "not_callable", "construct":
		d := diag.New("E0651", at, what+" cannot be made")
		if remote.Traceback != "" {
			return d.Say("Making it, or giving it the program, fails:\n\n%s", quoted(remote.Traceback)).
				Hint("what it is made with stands in the block: arguments = {…}")
		}
		return d.Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, "."))).
			Hint("`class` names an optimizer of DSPy, or one of your own that has its method `compile`")
	case "parameters":
		return diag.New("E0651", at, "an argument that "+what+" does not take").
			Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, "."))).Hint("it takes: %s", strings.Join(remote.Names, ", "))
	case "outputs":
		return diag.New("E0652", at, what+" gives another program").Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, "."))).
			Hint("take an optimizer that changes instructions and demos")
	case "unfit", "too_large":
		return diag.New("E0652", at, "a value does not go between dspi and Python").Say("%s.", upperFirst(strings.TrimSuffix(remote.Message, ".")))
	case "raised":
		return diag.New("E0650", at, what+" raised an error").Say("%s", quoted(remote.Traceback)).
			Hint("the frames are those of the optimizer; the innermost is the last")
	}
	return diag.New("E0650", at, what+" failed in Python").Say("%s: %s", remote.Kind, remote.Message)
}

// target is a class as the worker resolves it: MODULE:NAME.
func (r *OptimizeRequest) target() string {
	if strings.Contains(r.Class, ":") {
		return r.Class
	}
	module, name, ok := cutLast(r.Class)
	if !ok {
		return r.Class + ":" + r.Class
	}
	return module + ":" + name
}

func cutLast(path string) (before, after string, ok bool) {
	i := strings.LastIndexAny(path, ".:")
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
