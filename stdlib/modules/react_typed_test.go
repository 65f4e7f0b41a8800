package modules_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

const agentProgram = `
tool search {
  description = "Search the notes."
  query: string, k: int = 3 -> passages: list[string]
  outputs { passages = [query] }
}

tool area {
  description = "Area of a rectangle."
  width: float, height: float -> square_metres: float
  outputs { square_metres = width * height }
}

program assistant {
  question: string -> answer: string, sure: probability
  react agent {
    tools     = [tool.search, tool.area]
    max_iters = 3
  }
}
`

// spoken is one reply of a scripted model: a text, calls of tools, or a failure.
type spoken struct {
	text  string
	calls []lm.ToolCall
	err   error

	finish lm.Finish
}

func text(s string) spoken { return spoken{text: s} }

// asks are calls of tools: name, arguments, name, arguments, …
func asks(pairs ...string) spoken {
	var s spoken
	for i := 0; i < len(pairs); i += 2 {
		s.calls = append(s.calls, lm.ToolCall{ID: fmt.Sprintf("id_%d", i/2+1), Name: pairs[i], Arguments: json.RawMessage(pairs[i+1])})
	}
	return s
}

func scripted(replies ...spoken) *lmtest.Recorder {
	return lmtest.Func(func(_ context.Context, n int, req *lm.Request) (*lm.Response, error) {
		if n > len(replies) {
			return nil, &lm.Error{Kind: lm.KindRequest, Model: "test/scripted", Message: fmt.Sprintf("call %d, and the test prepared %d replies", n, len(replies))}
		}
		r := replies[n-1]
		if r.err != nil {
			return nil, r.err
		}
		reply := lmtest.Text(req, r.text)
		reply.ToolCalls = r.calls
		if r.finish != "" {
			reply.Finish = r.finish
		}
		if req.OnDelta != nil && r.text != "" {
			for _, piece := range lmtest.Pieces(r.text, 7) {
				req.OnDelta(lm.Delta{Text: piece})
			}
		}
		return reply, nil
	})
}

func searching(_ context.Context, args *value.Object) (any, error) {
	query, _ := args.Get("query")
	if query == "broken" {
		return nil, &tool.Error{Tool: "search", Text: "the index is being rebuilt"}
	}
	return []any{"about " + fmt.Sprint(query)}, nil
}

func measuring(_ context.Context, args *value.Object) (any, error) {
	w, _ := args.Get("width")
	h, _ := args.Get("height")
	return w.(float64) * h.(float64), nil
}

const (
	finished = `{"answer": "12 m²", "sure": 0.9}`
	sections = "[[ ## answer ## ]]\n12 m²\n\n[[ ## sure ## ]]\n0.9\n\n[[ ## completed ## ]]"
)

// TestReactConversations has one conversation with each thing that may happen, with a
// model that asks for tools and with one that writes its actions.
func TestReactConversations(t *testing.T) {
	type conversation struct {
		name    string
		native  bool
		replies []spoken
		// heard are parts of what the model was told before each call but the first:
		// in the messages since its reply.
		heard []string
		err   string // part of the error; "" when the answer comes
	}
	for _, c := range []conversation{
		{"native: one call", true, []spoken{asks("area", `{"width": 3, "height": 4}`), asks("finish", finished)}, []string{"12"}, ""},
		{"native: parallel calls in order", true, []spoken{
			asks("area", `{"width": 3, "height": 4}`, "search", `{"query": "walls"}`, "area", `{"width": 1, "height": 1}`), asks("finish", finished),
		}, []string{`12.0|["about walls"]|1.0`}, ""},
		{"native: a wrong name", true, []spoken{asks("serch", `{"query": "a"}`), asks("finish", finished)},
			[]string{"There is no tool `serch`; did you mean `search`? The tools are: search, area, finish."}, ""},
		{"native: wrong arguments", true, []spoken{asks("area", `{"width": "wide"}`), asks("finish", finished)},
			[]string{"the arguments do not fit"}, ""},
		{"native: arguments that are no object", true, []spoken{asks("area", `[1, 2]`), asks("finish", finished)},
			[]string{"The arguments are no JSON object"}, ""},
		{"native: null for a default", true, []spoken{asks("search", `{"query": "a", "k": null}`), asks("finish", finished)}, []string{"about a"}, ""},
		{"native: a tool fails", true, []spoken{asks("search", `{"query": "broken"}`), asks("finish", finished)}, []string{"the index is being rebuilt"}, ""},
		{"native: finish does not fit", true, []spoken{asks("finish", `{"answer": "12 m²", "sure": 7}`), asks("finish", finished)},
			[]string{"sure: "}, ""},
		{"native: finish never fits", true, []spoken{asks("finish", `{}`), asks("finish", `{}`), asks("finish", `{}`)},
			[]string{"answer: ", "answer: "}, "reply 3 of 3 does not fit"},
		{"native: actions and finish at once", true, []spoken{asks("area", `{"width": 3, "height": 4}`, "finish", finished)}, nil, ""},
		{"native: a text that answers", true, []spoken{asks("area", `{"width": 3, "height": 4}`), text(sections)}, []string{"12"}, ""},
		{"native: an object that answers", true, []spoken{text(finished)}, nil, ""},
		{"native: a text that does not", true, []spoken{text("Let me see."), asks("finish", finished)}, []string{"Call `finish` with the outputs"}, ""},
		{"native: a written action", true, []spoken{text("Action[area](width = 3, height = 4)"), asks("finish", finished)}, []string{"Observation: 12"}, ""},
		{"native: no finish until it must", true, []spoken{
			asks("search", `{"query": "a"}`), asks("search", `{"query": "b"}`), asks("search", `{"query": "c"}`), asks("finish", finished),
		}, []string{"about a", "about b", "about c\"]|No more actions are possible: 3 were made. Call `finish` now"}, ""},
		{"native: no answer at all", true, []spoken{
			asks("search", `{"query": "a"}`), asks("search", `{"query": "b"}`), asks("search", `{"query": "c"}`),
			asks("search", `{"query": "d"}`), asks("search", `{"query": "e"}`), asks("search", `{"query": "f"}`),
		}, []string{"about a", "about b", "No more actions are possible: 3", "No more actions are possible.", "No more actions are possible."},
			`no answer after 3 actions (max_iters), and none when no more were possible. The last steps:`},
		{"native: the context is full", true, []spoken{
			asks("search", `{"query": "`+strings.Repeat("long ", 200)+`"}`), asks("search", `{"query": "b"}`), {err: full()}, asks("finish", finished),
		}, []string{"about long", "about b", "left out"}, ""},
		{"native: the context stays full", true, []spoken{{err: full()}}, nil, "maximum context length"},

		{"native: arguments that are cut off", true, []spoken{{calls: asks("search", `{"query": "a`).calls, finish: lm.FinishLength}, asks("finish", finished)},
			[]string{"cut off at its length limit"}, ""},
		{"native: a server without tools", true, []spoken{
			{err: &lm.Error{Kind: lm.KindRequest, Message: "registry.ollama.ai/library/tiny does not support tools"}},
			text("Action[area](width = 3, height = 4)"), text(sections),
		}, []string{"reply with actions in place of the outputs", "Observation: 12"}, ""},

		{"text: one call", false, []spoken{text("I multiply.\nAction[area](width = 3, height = 4)"), text(sections)}, []string{"Observation: 12"}, ""},
		{"text: json arguments", false, []spoken{text(`Action[area]({"width": 3, "height": 4.5})`), text(sections)}, []string{"Observation: 13.5"}, ""},
		{"text: quotes and commas", false, []spoken{text(`Action[search](query = "walls, (and) \"roofs\"", k = 2)`), text(sections)},
			[]string{`about walls, (and) \"roofs\"`}, ""},
		{"text: colons and an input line", false, []spoken{text("Thought: look.\nAction: search\nAction Input: {\"query\": \"walls\"}\nObservation: invented\nFinish[no]"), text(sections)},
			[]string{"about walls"}, ""},
		{"text: a value without a name", false, []spoken{text("Action: search(it's old, isn't it)"), text(sections)}, []string{"about it's old"}, ""},
		{"text: two at once", false, []spoken{text("Action[area](width = 1, height = 2)\nAction[area](width = 3, height = 4)"), text(sections)},
			[]string{"Observation 1 (area): 2.0\n\nObservation 2 (area): 12.0"}, ""},
		{"text: a wrong name", false, []spoken{text(`Action[room](width = 1)`), text(sections)}, []string{"There is no tool `room`. The tools are: search, area, finish."}, ""},
		{"text: wrong arguments", false, []spoken{text(`Action[area](width = wide, height = 2)`), text(sections)}, []string{"the arguments do not fit"}, ""},
		{"text: arguments without an end", false, []spoken{text(`Action[area](width = 3, height = 4`), text(sections)}, []string{"have no end"}, ""},
		{"text: a tool fails", false, []spoken{text(`Action[search](query = broken)`), text(sections)}, []string{"the index is being rebuilt"}, ""},
		{"text: Finish with fields", false, []spoken{text(`Finish(answer = "12 m²", sure = 0.9)`)}, nil, ""},
		{"text: Finish with an object", false, []spoken{text("So.\nFinish[" + finished + "]")}, nil, ""},
		{"text: Finish that does not fit", false, []spoken{text(`Finish[12 m²]`), text(sections)}, []string{"This does not fit"}, ""},
		{"text: an answer that speaks of actions", false, []spoken{text("[[ ## answer ## ]]\n12 m²\n\n[[ ## sure ## ]]\n0.9\n\nAction: none\nFinish: matte")}, nil, ""},
		{"text: thinking aloud", false, []spoken{text("Let me think about walls."), text(sections)}, []string{"This does not fit"}, ""},
		{"text: no finish until it must", false, []spoken{
			text("Action[search](query = a)"), text("Action[search](query = b)"), text("Action[search](query = c)"), text(sections),
		}, []string{"about a", "about b", "Answer now"}, ""},
		{"text: the context is full", false, []spoken{
			text("Action[search](query = \"" + strings.Repeat("long ", 200) + "\")"), text("Action[search](query = b)"), {err: full()}, text(sections),
		}, []string{"about long", "about b", "left out"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stageOf(t, agentProgram)
			s.tools["search"], s.tools["area"] = searching, measuring
			model := scripted(c.replies...)
			s.model = model
			if !c.native {
				s.model = withoutTools{model}
			}
			react, _ := modules.Lookup("react")
			outputs, err := react.Run(t.Context(), s.call(t, value.NewObject("question", "How large is it?")))
			switch {
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("error %v, want %q", err, c.err)
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err == "":
				if want := value.NewObject("answer", "12 m²", "sure", 0.9); !value.Equal(any(outputs), any(want)) {
					t.Errorf("outputs %s", value.EncodeJSON(outputs))
				}
			}
			requests := model.Requests()
			if len(requests) != len(c.replies) {
				t.Fatalf("%d calls, want %d", len(requests), len(c.replies))
			}
			for i, want := range c.heard {
				var got []string
				for j := len(requests[i+1].Messages) - 1; j >= 0; j-- {
					m := requests[i+1].Messages[j]
					if m.Role == lm.Assistant && c.replies[i].err == nil {
						break
					}
					got = append([]string{m.Text()}, got...)
				}
				if all := strings.Join(got, "|"); !strings.Contains(all, want) {
					t.Errorf("before call %d the model heard\n%s\nwant\n%s", i+2, all, want)
				}
			}
			for _, r := range requests {
				wellFormed(t, &r)
			}
		})
	}
}

// wellFormed holds what the protocols of providers demand: each call of a tool has
// its result, right behind.
func wellFormed(t *testing.T, r *lm.Request) {
	t.Helper()
	var open []string
	for _, m := range r.Messages {
		if m.Role == lm.ToolRole {
			if len(open) == 0 || open[0] != m.ToolCallID {
				t.Errorf("a result of %q, open are %q", m.ToolCallID, open)
				return
			}
			open = open[1:]
			continue
		}
		if len(open) > 0 {
			t.Errorf("%q without a result", open)
		}
		for _, c := range m.ToolCalls {
			open = append(open, c.ID)
		}
	}
	if len(open) > 0 {
		t.Errorf("%q without a result", open)
	}
}

// TestReactLastCall holds the last call to the answer: it offers no other tool.
func TestReactLastCall(t *testing.T) {
	s := stageOf(t, agentProgram)
	s.tools["search"], s.tools["area"] = searching, measuring
	a := asks("search", `{"query": "a"}`)
	model := scripted(a, a, a, asks("finish", finished))
	s.model = model
	react, _ := modules.Lookup("react")
	if _, err := react.Run(t.Context(), s.call(t, value.NewObject("question", "?"))); err != nil {
		t.Fatal(err)
	}
	names := func(r lm.Request) string {
		var out []string
		for _, x := range r.Tools {
			out = append(out, x.Name)
		}
		return strings.Join(out, " ")
	}
	requests := model.Requests()
	if got := names(requests[0]); got != "search area finish" {
		t.Error(got)
	}
	if got := names(requests[3]); got != "finish" {
		t.Error(got)
	}
}

// TestReactPause ends the run where a person must answer first, and an interruption
// where it comes; calls that ran beside are not lost.
func TestReactPause(t *testing.T) {
	for _, style := range []string{"typed", "dspy"} {
		s := stageOf(t, strings.Replace(agentProgram, "max_iters = 3", `style = "`+style+`"`, 1))
		var ran sync.Map
		s.tools["area"] = func(_ context.Context, args *value.Object) (any, error) {
			return nil, &tool.Paused{Tool: "area", Args: args, Key: "k"}
		}
		s.tools["search"] = func(ctx context.Context, args *value.Object) (any, error) {
			ran.Store("search", true)
			return searching(ctx, args)
		}
		s.model = scripted(asks("area", `{"width": 3, "height": 4}`, "search", `{"query": "a"}`))
		if style == "dspy" {
			s.model = scripted(text("[[ ## next_thought ## ]]\na\n\n[[ ## next_tool_name ## ]]\narea\n\n[[ ## next_tool_args ## ]]\n{\"width\": 3, \"height\": 4}"))
			ran.Store("search", true)
		}
		react, _ := modules.Lookup("react")
		_, err := react.Run(t.Context(), s.call(t, value.NewObject("question", "?")))
		if !tool.IsPaused(err) {
			t.Errorf("%s: %v is no pause", style, err)
		}
		if _, ok := ran.Load("search"); !ok {
			t.Errorf("%s: the call beside was not made", style)
		}
	}
}

func TestReactCancellation(t *testing.T) {
	for _, style := range []string{"typed", "dspy"} {
		s := stageOf(t, strings.Replace(agentProgram, "max_iters = 3", `style = "`+style+`"`, 1))
		ctx, cancel := context.WithCancel(t.Context())
		s.tools["search"] = searching
		s.tools["area"] = func(ctx context.Context, _ *value.Object) (any, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		s.model = scripted(asks("area", `{"width": 3, "height": 4}`, "area", `{"width": 3, "height": 4}`))
		if style == "dspy" {
			s.model = scripted(text("[[ ## next_thought ## ]]\na\n\n[[ ## next_tool_name ## ]]\narea\n\n[[ ## next_tool_args ## ]]\n{\"width\": 3, \"height\": 4}"))
		}
		react, _ := modules.Lookup("react")
		if _, err := react.Run(ctx, s.call(t, value.NewObject("question", "?"))); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", style, err)
		}
		cancel()
	}
}

// TestReactPrompt looks at the messages of the first call: demos, refused answers and
// tuned instructions are in them.
func TestReactPrompt(t *testing.T) {
	for _, native := range []bool{true, false} {
		s := stageOf(t, agentProgram)
		model := scripted(asks("finish", finished))
		s.model = model
		if !native {
			model = scripted(text(sections))
			s.model = withoutTools{model}
		}
		call := s.call(t, value.NewObject("question", "How large?"))
		call.Signature.Instructions = "Tuned words."
		call.Demos = []prompt.Demo{
			value.NewObject("question", "How many?", "answer", "two", "sure", 0.5),
			value.NewObject("question", "Which?", "answer", "that one"),
		}
		call.Feedback = []module.Feedback{
			{Outputs: value.NewObject("answer", "big", "sure", 1.0), Messages: []string{"give a number"}},
			{Messages: []string{"give a unit"}},
		}
		react, _ := modules.Lookup("react")
		if _, err := react.Run(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		request := model.Requests()[0]
		wellFormed(t, &request)
		var all strings.Builder
		for _, m := range request.Messages {
			all.WriteString(string(m.Role) + ": " + m.Text())
			for _, c := range m.ToolCalls {
				all.WriteString(" " + c.Name + string(c.Arguments))
			}
			all.WriteString("\n")
		}
		want := []string{"Tuned words.", "This is an example of the task, though", "Which?", "that one", "How many?", "two", "How large?", "big", "- give a number", "- give a unit"}
		if !native {
			want = append([]string{"Tuned words.", "search: Search the notes.", "takes {", "query: string", "k?: int // default 3", "Action[search](query = "}, want[1:]...)
		}
		rest := all.String()
		for _, part := range want {
			i := strings.Index(rest, part)
			if i < 0 {
				t.Fatalf("native %v: %q is missing, or not in its place:\n%s", native, part, all.String())
			}
			rest = rest[i:]
		}
		if native == strings.Contains(all.String(), "Action[") {
			t.Errorf("native %v:\n%s", native, all.String())
		}
	}
}

// TestReactStream shows the answer while it is written, and withdraws what turns out
// to be none.
func TestReactStream(t *testing.T) {
	for name, c := range map[string]struct {
		replies []spoken
		native  bool
		want    string
		adapter string
	}{
		"a written answer":      {[]spoken{text("Action[area](width = 3, height = 4)"), text(sections)}, false, "answer=12 m² sure=0.9", ""},
		"a call of finish":      {[]spoken{asks("finish", finished)}, true, "answer=12 m² sure=0.9", ""},
		"one that is no answer": {[]spoken{text("[[ ## answer ## ]]\n11 m²\n"), text(sections)}, false, "answer=12 m² sure=0.9", ""},
		"the adapter json":      {[]spoken{text(`Action[search]({"query": "a", "answer": 7})`), text(finished)}, false, "answer=12 m² sure=0.9", "json"},
		"the adapter xml":       {[]spoken{text("<answer>12 m²</answer><sure>0.9</sure>")}, false, "answer=12 m² sure=0.9", "xml"},
		"the adapter compact":   {[]spoken{text("```json\n" + finished + "\n```")}, false, "answer=12 m² sure=0.9", "compact"},
		"the adapter two_step":  {[]spoken{text(sections)}, false, "answer=12 m² sure=0.9", "two_step"},
	} {
		s := stageOf(t, strings.Replace(agentProgram, "max_iters = 3", "adapter = \""+cmp.Or(c.adapter, "chat")+"\"", 1))
		s.tools["search"], s.tools["area"] = searching, measuring
		s.model = scripted(c.replies...)
		if !c.native {
			s.model = withoutTools{s.model.(*lmtest.Recorder)}
		}
		call := s.call(t, value.NewObject("question", "?"))
		call.Stream = true
		react, _ := modules.Lookup("react")
		if _, err := react.Run(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		shown := value.NewObject()
		for _, e := range s.seen(trace.Partial) {
			if e.Restart {
				shown = value.NewObject()
				continue
			}
			shown.Set(e.Field, e.Value)
		}
		var got []string
		for field, v := range shown.All() {
			got = append(got, fmt.Sprintf("%s=%v", field, v))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: shown %q, want %q", name, got, c.want)
		}
	}
}
