package modules

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
)

// A talk is the conversation of a react step in its own style. Each reply is one of
// three: actions, whose observations are the next message; the answer, which has the
// signature's types; anything else, which is told back with what is wrong with it.
type talk struct {
	call   *module.Call
	box    *toolbox
	native bool   // the model asks for tools itself; else it writes actions
	finish string // the tool whose arguments are the answer
	head   []lm.Message
	turns  []*turn

	misfits []*align.Misfit // in a row
}

// turn is a reply and what the model was told of it.
type turn struct {
	said  []lm.Message // none or one
	heard []lm.Message
	did   []string // the actions, one line each
	cut   bool     // heard was shortened
}

// run talks until the model has answered.
func (t *talk) run(ctx context.Context) (*value.Object, error) {
	most := t.call.Int("max_iters", 20)
	for acted := 0; ; {
		last := acted >= most
		reply, err := t.send(ctx, last)
		if err != nil {
			return nil, err
		}
		m := t.understand(reply, last)
		var told []string
		if len(m.actions) > 0 && !last {
			if told, err = t.box.act(ctx, t.call, m.actions, t.finish); err != nil {
				return nil, err
			}
		}
		if m.reading != nil {
			reply.Show(m.reading.Outputs)
			return m.reading.Outputs, nil
		}
		reply.Withdraw()
		t.hear(m, told, last)
		if m.misfit == nil && !last {
			t.misfits = nil
			if acted++; acted >= most {
				t.turns = append(t.turns, &turn{heard: []lm.Message{{Role: lm.User, Content: t.mustAnswer(acted)}}})
			}
			continue
		}
		if m.misfit == nil {
			m.misfit = noAnswer(reply.Text, "the reply is an action, and no more actions are possible")
		}
		t.misfits = append(t.misfits, m.misfit)
		if len(t.misfits) > t.call.Retries {
			misfit := &module.MisfitError{Misfits: t.misfits, Model: t.call.LM.Address(), Finish: reply.Finish}
			if last {
				return nil, &UnansweredError{Actions: acted, Steps: t.did(), Misfit: misfit}
			}
			return nil, misfit
		}
	}
}

// move is what a reply means.
type move struct {
	said     lm.Message
	actions  []action
	finishID string         // of a native call of finish
	reading  *align.Reading // the answer
	misfit   *align.Misfit  // why the reply is no answer, although it should be
	text     bool           // the reply came as text
}

// understand reads a reply.
func (t *talk) understand(reply *module.Reply, last bool) move {
	if len(reply.ToolCalls) > 0 {
		return t.nativeMove(reply)
	}
	form := t.call.Adapter.Form()
	said := readActions(reply.Text, t.box, t.finish, t.call.Signature)
	if said.loose && (len(said.actions) > 0 || said.finish != nil) {
		if reading, misfit := align.Read(t.call.Signature, form, reply.Text, t.call.Mode); misfit == nil && !t.isThought(reading) {
			said = textTurn{said: reply.Text}
		}
	}
	m := move{said: lm.Message{Role: lm.Assistant, Content: said.said}, actions: said.actions, text: true}
	switch {
	case said.finish != nil && said.fields:
		m.reading, m.misfit = reply.Read("json", *said.finish)
	case said.finish != nil:
		m.reading, m.misfit = reply.Read(form, *said.finish)
	case len(said.actions) > 0:
	default:
		reading, misfit := align.Read(t.call.Signature, form, reply.Text, t.call.Mode)
		if misfit == nil && t.isThought(reading) && !last {
			m.misfit = noAnswer(reply.Text, "the reply is neither an action nor the outputs in the form that was asked for")
			t.call.Host.Emit(trace.Event{Kind: trace.Misfit, Model: t.call.LM.Address(), Err: m.misfit})
			return m
		}
		m.reading, m.misfit = reply.Read(form, reply.Text)
	}
	return m
}

// isThought reports whether a text fits only because it was taken whole: a model that
// writes its actions thinks aloud, too. One that has tools answers with a text.
func (t *talk) isThought(r *align.Reading) bool {
	if t.native {
		return false
	}
	for _, x := range r.Repairs {
		if x.Type == "whole_reply" {
			return true
		}
	}
	return false
}

// nativeMove reads a reply that asks for tools.
func (t *talk) nativeMove(reply *module.Reply) move {
	m := move{said: lm.Message{Role: lm.Assistant, Content: reply.Text}}
	finished := false
	for i, c := range reply.ToolCalls {
		a := nativeAction(c, len(t.turns)*100+i+1)
		if reply.Finish == lm.FinishLength && !json.Valid(c.Arguments) {
			a.bad = "The reply was cut off at its length limit, in the middle of the arguments: the call was not made. Make them shorter."
		}
		c.ID = a.id
		if len(c.Arguments) == 0 {
			c.Arguments = []byte("{}")
		}
		m.said.ToolCalls = append(m.said.ToolCalls, c)
		if c.Name != t.finish || finished {
			m.actions = append(m.actions, a)
			continue
		}
		finished, m.finishID = true, a.id
		m.reading, m.misfit = reply.Read("json", string(c.Arguments))
	}
	return m
}

// hear adds a reply to the conversation, with what is told of it.
func (t *talk) hear(m move, told []string, last bool) {
	x := &turn{}
	if m.said.Content != "" || m.said.ToolCalls != nil {
		x.said = []lm.Message{m.said}
	}
	if last {
		told = make([]string, len(m.actions))
		for i := range told {
			told[i] = "No more actions are possible."
		}
	} else {
		for _, a := range m.actions {
			x.did = append(x.did, a.line())
		}
	}
	fault := ""
	if m.misfit != nil || last {
		fault = t.wrong(m)
	}
	if m.text {
		var parts []string
		for i, text := range told {
			parts = append(parts, label(m.actions, i)+text)
		}
		if fault != "" {
			parts = append(parts, fault)
		}
		x.heard = []lm.Message{{Role: lm.User, Content: strings.Join(parts, "\n\n")}}
	} else {
		// Each call has its result, in the order of the calls.
		i := 0
		for _, c := range m.said.ToolCalls {
			text := fault
			if c.ID != m.finishID || m.finishID == "" {
				text = told[i]
				i++
			}
			x.heard = append(x.heard, lm.Message{Role: lm.ToolRole, ToolCallID: c.ID, Content: text})
		}
		if m.finishID == "" && fault != "" {
			x.heard = append(x.heard, lm.Message{Role: lm.User, Content: fault})
		}
	}
	t.turns = append(t.turns, x)
}

// label is what stands before an observation in text.
func label(actions []action, i int) string {
	if len(actions) == 1 {
		return "Observation: "
	}
	return "Observation " + strconv.Itoa(i+1) + " (" + actions[i].tool + "): "
}

// wrong tells the model why its reply is no answer.
func (t *talk) wrong(m move) string {
	var b strings.Builder
	if m.misfit == nil {
		return t.mustAnswer(0)
	}
	b.WriteString("This does not fit:\n\n")
	for _, f := range m.misfit.Faults {
		b.WriteString("- " + f.String() + "\n")
	}
	switch {
	case m.finishID != "":
		b.WriteString("\nCall `" + t.finish + "` again, with this put right.")
	case t.native:
		b.WriteString("\nCall `" + t.finish + "` with the outputs, with this put right, or another tool if something is still missing.")
	default:
		b.WriteString("\nReply with all outputs in the form that was asked for, with this put right, or with an action: Action[tool](name = value).")
	}
	return b.String()
}

// mustAnswer tells the model that it has acted often enough.
func (t *talk) mustAnswer(acted int) string {
	text := "No more actions are possible."
	if acted > 0 {
		text = fmt.Sprintf("No more actions are possible: %d were made.", acted)
	}
	if t.native {
		return text + " Call `" + t.finish + "` now, with the best outputs that can be given with what is known."
	}
	return text + " Answer now, with the best outputs that can be given with what is known, in the form that was asked for."
}

// send sends the conversation. When it does not fit into the model's context, the
// oldest observations are shortened and it is sent again.
func (t *talk) send(ctx context.Context, last bool) (*module.Reply, error) {
	for {
		reply, err := module.Send(ctx, t.call, t.request(last))
		if err == nil {
			return reply, nil
		}
		if t.native && len(t.turns) == 0 && refusesTools(err) {
			note(t.call, "the model takes no tools: it is asked to write its actions")
			t.native = false
			t.head = t.textHead()
			continue
		}
		if !isFull(err) {
			return nil, err
		}
		if !t.shorten() {
			return nil, err
		}
		note(t.call, "the conversation does not fit into the model's context: the oldest observations are shortened")
	}
}

// noTools are the words of servers whose model, or whose own settings, have no tools
// although their protocol has.
var noTools = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)not support (?:tool|function)|(?:tool|function)[a-z ]* (?:is|are) not supported|support tool use|tool choice requires|tools param requires`)
})

func refusesTools(err error) bool {
	e := lm.AsError(err)
	return e != nil && e.Kind == lm.KindRequest && noTools().MatchString(e.Message)
}

func (t *talk) request(last bool) *lm.Request {
	req := &lm.Request{Messages: t.head[:len(t.head):len(t.head)]}
	for _, x := range t.turns {
		req.Messages = append(append(req.Messages, x.said...), x.heard...)
	}
	switch {
	case t.native:
		req.Tools = t.definitions(last)
	case last || len(t.box.tools) == 0:
		req.Format = t.call.Adapter.Format(t.call.Signature, t.call.LM.Features())
	}
	return req
}

// leftOut stands in place of an observation that was shortened.
const leftOut = "(left out, since the conversation became too long)"

// shorten makes the conversation shorter, by a third of its observations or more, the
// oldest first; then by half of the latest; then by whole turns. It returns false
// when nothing is left to take.
func (t *talk) shorten() bool {
	total := 0
	for _, x := range t.turns {
		total += x.size()
	}
	gone := 0
	for i, x := range t.turns {
		if x.cut || i == len(t.turns)-1 {
			continue
		}
		before := x.size()
		for j := range x.heard {
			if len(x.heard[j].Content) > len(leftOut) {
				x.heard[j].Content = leftOut
			}
		}
		x.cut = true
		if gone += before - x.size(); gone*3 >= total && gone > 0 {
			return true
		}
	}
	if gone > 0 {
		return true
	}
	if n := len(t.turns); n > 0 {
		x, halved := t.turns[n-1], false
		for j := range x.heard {
			const least = 400
			if r := []rune(x.heard[j].Content); len(r) > least {
				x.heard[j].Content = string(r[:len(r)/2]) + "\n(cut: the whole did not fit)"
				halved = true
			}
		}
		if halved {
			return true
		}
	}
	if len(t.turns) > 1 {
		t.turns = t.turns[1:]
		return true
	}
	return false
}

func (x *turn) size() int {
	n := 0
	for _, m := range x.heard {
		n += len(m.Content)
	}
	return n
}

// did are the actions that were made, with the beginning of what came of each turn.
func (t *talk) did() []string {
	var out []string
	for _, x := range t.turns {
		if len(x.did) == 0 {
			continue
		}
		seen := make([]string, len(x.heard))
		for i, m := range x.heard {
			seen[i] = clipped(m.Content, 200)
		}
		out = append(out, strings.Join(x.did, "; ")+" -> "+strings.Join(seen, "; "))
	}
	return out
}

// clipped is a text in one line, cut where it is long.
func clipped(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// noAnswer is a misfit with one fault that is ours.
func noAnswer(reply, why string) *align.Misfit {
	return &align.Misfit{Reply: reply, Fits: &value.Object{}, Faults: []value.Fault{{Loc: []any{}, Type: "no_answer", Msg: why, Input: reply}}}
}

// UnansweredError is a model that acted as often as it may and did not answer then.
type UnansweredError struct {
	Actions int
	Steps   []string // what it did, one line for each turn
	Misfit  *module.MisfitError
}

// Error shows the last steps and what was wrong with the last reply.
func (e *UnansweredError) Error() string {
	const shown = 5
	var b strings.Builder
	fmt.Fprintf(&b, "no answer after %d actions (max_iters), and none when no more were possible.", e.Actions)
	if n := len(e.Steps); n > 0 {
		b.WriteString(" The last steps:\n")
		for i := max(0, n-shown); i < n; i++ {
			fmt.Fprintf(&b, "\n    %d. %s", i+1, e.Steps[i])
		}
		b.WriteString("\n")
	}
	last := e.Misfit.Misfits[len(e.Misfit.Misfits)-1]
	fmt.Fprintf(&b, "\nThe last reply: %s\nIt does not fit: %s", clipped(last.Reply, 200), value.Faults(last.Faults))
	return b.String()
}

// Advice says what may help.
func (e *UnansweredError) Advice() string {
	return "allow more actions with `max_iters`, or say in the instructions when to stop"
}
