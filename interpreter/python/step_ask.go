package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// What Python asks for: a reply of the model, a tool, a reward, a part, code that a
// model wrote (step_code.go). Each question
// is answered once; a try that follows the death of a worker gets the answers of the
// one before.

func (h *stepHost) ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	key := command + " " + string(args)
	h.mu.Lock()
	nth := h.asked[key]
	h.asked[key]++
	if past := h.past[key]; nth < len(past) {
		a := past[nth]
		h.mu.Unlock()
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, h.told.tell(ctx, ctx.Err())
		}
		if a.err == nil || !errors.Is(a.err, context.Canceled) {
			return a.result, h.told.tell(ctx, a.err)
		}
		h.mu.Lock()
	}
	a := &answer{done: make(chan struct{})}
	h.past[key] = append(h.past[key], a)
	h.mu.Unlock()
	a.result, a.err = h.answer(nested(ctx), command, args)
	close(a.done)
	return a.result, h.told.tell(ctx, a.err)
}

func (h *stepHost) answer(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	switch command {
	case "lm":
		return h.generate(ctx, args)
	case "tool":
		return h.tool(ctx, args)
	case "retrieve":
		return h.retrieve(ctx, args)
	case "judge":
		return h.judge(ctx, args)
	case "part":
		return h.part(ctx, args)
	case "open_code":
		return h.openCode(ctx, args)
	case "run_code":
		return h.runCode(ctx, args)
	case "resume_code":
		return h.resumeCode(ctx, args)
	}
	return nil, fmt.Errorf("the worker asks for `%s`, which is not known here", command)
}

func (h *stepHost) partial(v json.RawMessage) {
	if !h.call.Stream {
		return
	}
	x, err := value.DecodeJSON(v)
	o, ok := x.(*value.Object)
	if err != nil || !ok {
		return
	}
	for i := range h.call.Signature.Outputs {
		f := &h.call.Signature.Outputs[i]
		if v, ok := o.Get(f.Name); ok {
			if fit, faults := value.Check(f.Type, v, value.Lax); len(faults) == 0 {
				h.call.Host.Emit(trace.Event{Kind: trace.Partial, Field: f.Name, Value: fit})
			}
		}
	}
}

// asking is what the command `lm` says.
type asking struct {
	Messages []wireMessage `json:"messages"`
	Params   struct {
		Temperature     *float64 `json:"temperature"`
		TopP            *float64 `json:"top_p"`
		MaxTokens       *int     `json:"max_tokens"`
		Seed            *int     `json:"seed"`
		Stop            []string `json:"stop"`
		ReasoningEffort string   `json:"reasoning_effort"`
	} `json:"params"`
	Rollout    int       `json:"rollout"`
	Model      string    `json:"model"` // where it is not that of the call
	Tools      []lm.Tool `json:"tools"`
	ToolChoice string    `json:"tool_choice"`
	Format     *struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
	} `json:"format"`
}

// generate asks the model of the step.
func (h *stepHost) generate(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	call := h.call
	if call.LM == nil {
		return nil, errors.New("the step has no model")
	}
	var a asking
	req, err := a.request(args)
	if err != nil {
		return nil, err
	}
	req.Rollout = call.Rollout
	h.mu.Lock()
	for _, n := range []int{h.redone, a.Rollout} {
		if n != 0 {
			req.Rollout = req.Rollout*1000 + n
		}
	}
	h.mu.Unlock()
	for _, f := range call.Feedback {
		if !h.made.shown {
			f = module.Feedback{Messages: f.Messages}
		}
		req.Messages = append(req.Messages, module.Refused(call.Adapter, call.Signature, f)...)
	}
	// What the step says wins; then what the code says; then the model's own.
	req.Params = call.Own.Or(req.Params).Or(call.Params)
	reply, err := module.Exchange(ctx, call, req, h.made.shown)
	if err != nil {
		return nil, err
	}
	return replyText(reply)
}

// tool calls one of the step's tools.
func (h *stepHost) tool(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	v, err := value.DecodeJSON(args)
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, errors.New("the arguments of a tool cannot be read")
	}
	given, _ := o.Get("args")
	input, _ := given.(*value.Object)
	name, _ := o.Get("name")
	for _, t := range h.call.Tools {
		if t.Name() != name {
			continue
		}
		outputs, err := h.call.Host.CallTool(ctx, t, input)
		if err != nil {
			return nil, err
		}
		var seen any = outputs
		sig := t.Signature()
		if sig != nil && len(sig.Outputs) == 1 && outputs.Len() == 1 {
			x, _ := outputs.Get(outputs.Names()[0])
			seen = toPython(sig.Outputs[0].Type, x)
		}
		return value.EncodeJSON(value.NewObject("value", seen)), nil
	}
	return nil, &tool.Error{Tool: fmt.Sprint(name), Text: fmt.Sprintf("the step has no tool `%v`", name)}
}

// judge evaluates a setting over outputs that Python made.
func (h *stepHost) judge(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	v, err := value.DecodeJSON(args)
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, errors.New("the outputs to judge cannot be read")
	}
	x, _ := o.Get("outputs")
	given, _ := x.(*value.Object)
	outputs := &value.Object{}
	for i := range h.call.Signature.Outputs {
		f := &h.call.Signature.Outputs[i]
		v, _ := given.Get(f.Name)
		fit, faults := value.Check(f.Type, v, value.Lax)
		if len(faults) > 0 {
			return nil, fmt.Errorf("the output `%s` does not fit: %s", f.Name, value.Faults(faults))
		}
		outputs.Set(f.Name, fit)
	}
	setting, _ := o.Get("setting")
	name, _ := setting.(string)
	reward, err := h.call.Judge(ctx, name, outputs)
	if err != nil {
		return nil, err
	}
	h.call.Host.Emit(trace.Event{Kind: trace.Note, Reason: fmt.Sprintf("an attempt has the %s %v", name, reward)})
	return value.EncodeJSON(value.NewObject("value", reward)), nil
}

// part runs a part that DSPy cannot hold.
func (h *stepHost) part(ctx context.Context, args json.RawMessage) (json.RawMessage, error) {
	v, err := value.DecodeJSON(args)
	o, ok := v.(*value.Object)
	if err != nil || !ok || len(h.call.Parts) != 1 {
		return nil, errors.New("the inputs of a part cannot be read")
	}
	part := h.call.Parts[0]
	x, _ := o.Get("inputs")
	given, _ := x.(*value.Object)
	n, _ := o.Get("rollout")
	rollout, _ := n.(int)
	var temperature *float64 // as the module of DSPy's samples
	switch t, _ := o.Get("temperature"); t := t.(type) {
	case float64:
		temperature = &t
	case int:
		f := float64(t)
		temperature = &f
	}
	outputs, err := h.call.Try(ctx, part, module.Attempt{Rollout: rollout, Temperature: temperature}, func(c *module.Call) {
		inputs := &value.Object{}
		for i := range c.Signature.Inputs {
			f := &c.Signature.Inputs[i]
			if v, ok := given.Get(f.Name); ok {
				if fit, faults := value.Check(f.Type, v, value.Lax); len(faults) == 0 {
					inputs.Set(f.Name, fit)
				}
			}
		}
		c.Inputs = inputs
	})
	if err != nil {
		return nil, err
	}
	return value.EncodeJSON(outputs), nil
}
