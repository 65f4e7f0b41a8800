package history

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// openRun is a run under way: what is known of it so far. A record that was given
// to the writer is not changed any more; a change is made to a copy.
type openRun struct {
	recorder *Recorder

	mu    sync.Mutex
	run   Run
	steps map[int]*Step // that have no end yet
	calls map[int]*Call // whose step has no end yet
}

func newOpenRun(r *Recorder) *openRun {
	return &openRun{recorder: r, steps: map[int]*Step{}, calls: map[int]*Call{}}
}

// see takes an event and returns the records that it made or changed.
func (o *openRun) see(e trace.Event) []any {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.recorder
	switch e.Kind {
	case trace.RunStart:
		o.run = Run{
			ID: e.Run, Program: e.Address, File: r.about.File, Version: r.about.Version, Models: r.about.Models,
			Status: Running, Started: e.Time, Inputs: r.values(e.Address, e.Inputs), Outputs: null(),
			Usage: Usage{USD: new(float64)}, Writer: r.writer.ID, Origin: r.origin(e),
		}
		if e.Resumed {
			return []any{again(e.Run), o.copyRun()}
		}
		return []any{o.copyRun()}
	case trace.RunEnd:
		ended := e.Time
		o.run.Ended = &ended
		o.run.Status, o.run.Error = statusOf(e.Err), r.failureOf(e.Err)
		o.run.Outputs = r.values(e.Address, e.Outputs)
		return []any{o.copyRun()}
	case trace.StepStart:
		o.steps[e.Step] = &Step{
			Run: e.Run, Number: e.Step, Address: e.Address, Element: e.Element, Path: e.Path, Parent: e.Parent, Status: Running, Started: e.Time,
			Inputs: r.values(e.Address, e.Inputs), Outputs: null(),
		}
	case trace.StepEnd:
		s, ok := o.steps[e.Step]
		if !ok {
			return nil
		}
		delete(o.steps, e.Step)
		for number, c := range o.calls {
			if c.Step == e.Step {
				delete(o.calls, number)
			}
		}
		s.Duration, s.Status, s.Error = e.Duration, statusOf(e.Err), r.failureOf(e.Err)
		s.Outputs = r.values(e.Address, e.Outputs)
		return []any{s}
	case trace.CallStart:
		if e.Call == 0 {
			return nil
		}
		o.calls[e.Call] = &Call{
			Run: e.Run, Number: e.Call, Step: e.Step, Address: e.Address, Model: e.Model, Started: e.Time,
			Request: r.request(e),
		}
	case trace.ToolStart, trace.ToolEnd, trace.Asserted:
		if s := o.steps[e.Step]; s != nil {
			r.seeStep(s, e)
		}
	default:
		return o.seeCall(e)
	}
	return nil
}

// seeStep adds what tools did and what was asserted in vain to a step under way.
func (r *Recorder) seeStep(s *Step, e trace.Event) {
	switch e.Kind {
	case trace.ToolStart:
		t := ToolCall{Number: e.Call, Tool: e.Tool, Started: e.Time, Inputs: r.values(e.Address, e.Inputs), Outputs: null()}
		for _, x := range e.Repairs {
			t.Repairs = append(t.Repairs, value.Repair{Loc: x.Loc, Type: x.Type, Msg: r.text(x.Msg)})
		}
		s.Tools = append(s.Tools, t)
	case trace.ToolEnd:
		for i := range s.Tools {
			if t := &s.Tools[i]; t.Number == e.Call {
				t.Duration, t.Outputs, t.Error = e.Duration, r.values(e.Address, e.Outputs), r.failureOf(e.Err)
			}
		}
	case trace.Asserted:
		s.Asserted = append(s.Asserted, Asserted{e.Assert, r.text(e.Reason), e.Suggest, e.Final})
	}
}

// seeCall takes an event of a call that has begun.
func (o *openRun) seeCall(e trace.Event) []any {
	r := o.recorder
	old, ok := o.calls[e.Call]
	if !ok {
		return nil
	}
	c := *old
	o.calls[e.Call] = &c
	switch e.Kind {
	case trace.Attempt:
		a := Attempt{Number: e.Number, Duration: e.Duration, Wait: e.Wait}
		if f := r.failureOf(e.Err); f != nil {
			a.Error = *f
		}
		c.Attempts = append(slices.Clip(c.Attempts), a)
		return nil // it is written with the end of the call
	case trace.Hedge:
		c.Choices = append(slices.Clip(c.Choices), Choice{Hedged, e.Model, e.Number, r.text(e.Reason)})
		return nil
	case trace.Choice:
		kind := Chosen
		if e.Passed {
			kind = Passed
		}
		c.Choices = append(slices.Clip(c.Choices), Choice{Kind: kind, Model: e.Model, Reason: r.text(e.Reason)})
		return nil
	case trace.CallEnd:
		c.Duration, c.Error = e.Duration, r.failureOf(e.Err)
		if e.Reply != nil {
			c.Reply = r.reply(e)
			o.count(c.Reply)
		}
	case trace.Misfit:
		var m *align.Misfit
		if errors.As(e.Err, &m) {
			c.Misfit = r.faults(m.Faults)
		} else if e.Err != nil {
			c.Misfit = []value.Fault{{Loc: []any{}, Type: "misfit", Msg: r.text(e.Err.Error())}}
		}
	case trace.Repaired:
		c.Repairs = make([]value.Repair, len(e.Repairs))
		for i, x := range e.Repairs {
			c.Repairs[i] = value.Repair{Loc: x.Loc, Type: x.Type, Msg: r.text(x.Msg)}
		}
	default:
		return nil
	}
	if c.Reply == nil && c.Error == nil {
		return nil
	}
	return []any{&c}
}

// copyRun returns a copy of the run that stays as it is.
func (o *openRun) copyRun() *Run {
	c := o.run
	if c.Usage.USD != nil {
		usd := *c.Usage.USD
		c.Usage.USD = &usd
	}
	return &c
}

// count adds a reply to what the run has used.
func (o *openRun) count(reply *Reply) { o.run.Usage.add(reply) }

// add adds a reply and what else was paid for it.
func (u *Usage) add(reply *Reply) {
	if reply.Journaled {
		u.Journaled++
	}
	if reply.Cached {
		u.Cached++
	} else {
		u.spend(reply.Usage, reply.Cost)
	}
	for _, also := range reply.Also {
		u.spend(also.Usage, also.Cost)
	}
}

// spend adds one request. The cost of all is known as long as that of each is.
func (u *Usage) spend(used lm.Usage, cost *float64) {
	u.Calls++
	u.InputTokens += used.InputTokens
	u.OutputTokens += used.OutputTokens
	u.CachedTokens += used.CachedTokens
	u.ReasoningTokens += used.ReasoningTokens
	u.Estimated = u.Estimated || used.Estimated
	if cost == nil || u.USD == nil {
		u.USD = nil
		return
	}
	usd := *u.USD + *cost
	u.USD = &usd
}

// Plus returns what two uses are together. The cost is known when both are.
func (u Usage) Plus(v Usage) Usage {
	sum := Usage{
		Calls: u.Calls + v.Calls, InputTokens: u.InputTokens + v.InputTokens, OutputTokens: u.OutputTokens + v.OutputTokens,
		CachedTokens: u.CachedTokens + v.CachedTokens, ReasoningTokens: u.ReasoningTokens + v.ReasoningTokens,
		Cached: u.Cached + v.Cached, Journaled: u.Journaled + v.Journaled, Estimated: u.Estimated || v.Estimated,
	}
	if u.USD != nil && v.USD != nil {
		usd := *u.USD + *v.USD
		sum.USD = &usd
	}
	return sum
}

// UsageOf returns what calls used together: for a run that has no end.
func UsageOf(calls []Call) Usage {
	u := Usage{USD: new(float64)}
	for i := range calls {
		if calls[i].Reply != nil {
			u.add(calls[i].Reply)
		}
	}
	return u
}

// statusOf says how what ended with err ended.
func statusOf(err error) Status {
	if err == nil {
		return OK
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) && d.Code == "E0617" {
		return Interrupted
	}
	if tool.IsPaused(err) {
		return Paused
	}
	if e := lm.AsError(err); e != nil && e.Kind == lm.KindCanceled {
		return Interrupted
	}
	return Failed
}

// failureOf returns an error as it is kept; nil for none.
func (r *Recorder) failureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	var list diag.List
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &list) && len(list) > 0:
		d = list[0]
	case errors.As(err, &d):
	default:
		f := &Failure{Text: r.text(err.Error())}
		if e := lm.AsError(err); e != nil {
			f.Code = string(e.Kind)
		}
		return f
	}
	report := d.Report()
	f := &Failure{Code: string(report.Code), Title: report.Title}
	f.Text = r.text(strings.TrimSpace(strings.TrimSpace(report.Primary.Text) + "\n\n" + strings.TrimSpace(report.Detail)))
	if data, err := json.Marshal(report); err == nil {
		f.Report = json.RawMessage(r.text(string(data)))
	}
	return f
}

// request returns what is kept of what a model is sent.
func (r *Recorder) request(e trace.Event) Request {
	req := e.Request
	if req == nil {
		req = &lm.Request{}
	}
	messages := e.Messages
	if messages == nil {
		messages = req.Messages
	}
	out := Request{
		Messages: messagesOf(messages), Params: req.Params, Tools: req.Tools, ToolChoice: req.ToolChoice,
		Format: req.Format, Rollout: req.Rollout,
	}
	if r.clean == nil {
		return out
	}
	for i := range out.Messages {
		m := &out.Messages[i]
		m.Content = r.text(m.Content)
		m.ToolCalls = r.toolCalls(m.ToolCalls)
		for j := range m.Parts {
			m.Parts[j].Text = r.text(m.Parts[j].Text)
		}
	}
	return out
}

// reply returns what is kept of a reply.
func (r *Recorder) reply(e trace.Event) *Reply {
	x := e.Reply
	out := &Reply{
		Text: r.text(x.Text), Reasoning: r.text(x.Reasoning), ToolCalls: r.toolCalls(x.ToolCalls), Finish: x.Finish,
		Usage: x.Usage, Cost: x.Cost, Cached: x.Cached, Journaled: x.Journaled, Answered: x.Address, Name: r.text(x.Model),
	}
	for _, also := range x.Also {
		out.Also = append(out.Also, Spent(also))
	}
	if out.Cost == nil {
		out.Cost = e.Cost
	}
	if out.Name == e.Model {
		out.Name = ""
	}
	return out
}

func (r *Recorder) toolCalls(calls []lm.ToolCall) []lm.ToolCall {
	if r.clean == nil || len(calls) == 0 {
		return sound(calls)
	}
	out := slices.Clone(calls)
	for i := range out {
		out[i].Arguments = json.RawMessage(r.text(string(out[i].Arguments)))
	}
	return sound(out)
}

// sound makes arguments that are no JSON a text, so that they can be written.
func sound(calls []lm.ToolCall) []lm.ToolCall {
	for i, c := range calls {
		if len(c.Arguments) > 0 && !json.Valid(c.Arguments) {
			calls = slices.Clone(calls)
			calls[i].Arguments, _ = json.Marshal(string(c.Arguments))
		}
	}
	return calls
}

// longestInput is how much of a value that does not fit is kept beside the words
// about it, in bytes: the whole stands in the reply.
const longestInput = 200

// faults returns faults as they are kept.
func (r *Recorder) faults(list []value.Fault) []value.Fault {
	out := make([]value.Fault, len(list))
	for i, f := range list {
		out[i] = value.Fault{Loc: f.Loc, Type: f.Type, Msg: r.text(f.Msg)}
		if s, ok := f.Input.(string); ok {
			s = r.text(s)
			for len(s) > longestInput {
				s = s[:longestInput]
				for !utf8.ValidString(s) {
					s = s[:len(s)-1]
				}
			}
			out[i].Input = s
		}
	}
	return out
}
