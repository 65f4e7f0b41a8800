package builtin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// prompt writes messages in the chat format for one-line fields: `name (type) about`.
type prompt struct {
	inputs, outputs []string // "question (str) description"
	notes           map[string]string
	demos           [][2]string // user and assistant text
	values          string      // the final message's values
	objective       string
}

func (p prompt) messages() []lm.Message {
	var b strings.Builder
	list := func(heading string, fields []string) {
		b.WriteString(heading + "\n")
		for i, f := range fields {
			name, rest, _ := strings.Cut(f, " ")
			typeText, about := cutType(strings.TrimPrefix(rest, "("))
			fmt.Fprintf(&b, "%d. `%s` (%s): %s\n", i+1, name, typeText, strings.TrimSpace(about))
		}
	}
	list("Your input fields are:", p.inputs)
	list("Your output fields are:", p.outputs)
	b.WriteString("All interactions will be structured in the following way, with the appropriate values filled in.\n\n")
	for _, f := range p.inputs {
		name, _, _ := strings.Cut(f, " ")
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n{%s}\n\n", name, name)
	}
	for _, f := range p.outputs {
		name, _, _ := strings.Cut(f, " ")
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n{%s}", name, name)
		if note := p.notes[name]; note != "" {
			b.WriteString("        # note: the value you produce " + note)
		}
		b.WriteString("\n\n")
	}
	b.WriteString("[[ ## completed ## ]]\nIn adhering to this structure, your objective is: \n        " + p.objective)
	messages := []lm.Message{{Role: lm.System, Content: b.String()}}
	for _, d := range p.demos {
		messages = append(messages, lm.Message{Role: lm.User, Content: d[0]}, lm.Message{Role: lm.Assistant, Content: d[1]})
	}
	return append(messages, lm.Message{Role: lm.User, Content: p.values + "\n\nRespond with the corresponding output fields, starting with the field `[[ ## x ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`."})
}

func generate(t testing.TB, messages []lm.Message, params lm.Params) *lm.Response {
	t.Helper()
	m, err := New("incontext")
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Generate(context.Background(), &lm.Request{Messages: messages, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outputs asks the prompt and returns the reply's values by name.
func outputs(t testing.TB, p prompt) map[string]string {
	t.Helper()
	return chatValues(generate(t, p.messages(), lm.Params{}).Text)
}

func input(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteString("\n\n")
		}
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s", pairs[i], pairs[i+1])
	}
	return b.String()
}

func TestNames(t *testing.T) {
	m, err := New("incontext")
	if err != nil || m.Address() != "builtin/incontext" {
		t.Fatalf("New(incontext) = %v, %v", m, err)
	}
	_, err = New("gpt")
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindRequest || !strings.Contains(e.Message, "builtin/incontext") {
		t.Errorf("New(gpt): error %v does not name the model there is", err)
	}
}

func TestHello(t *testing.T) {
	got := generate(t, prompt{
		inputs: []string{"question (str)"}, outputs: []string{"answer (str)"},
		values: input("question", "What is 17 * 23?"),
	}.messages(), lm.Params{})
	if want := "[[ ## answer ## ]]\n391\n\n[[ ## completed ## ]]\n"; got.Text != want {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	if got.Finish != lm.FinishStop || !got.Usage.Estimated || got.Usage.InputTokens < 50 || got.Usage.OutputTokens < 5 {
		t.Errorf("finish %q, usage %+v", got.Finish, got.Usage)
	}
}

func TestPlainConversation(t *testing.T) {
	for content, want := range map[string]string{"What is 2 + 2?": "4", "Who are you?": "unknown", "": "unknown"} {
		if got := generate(t, []lm.Message{{Role: lm.User, Content: content}}, lm.Params{}).Text; got != want {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
}

func TestSettings(t *testing.T) {
	messages := prompt{
		inputs: []string{"question (str)"}, outputs: []string{"answer (str)"},
		values: input("question", "What is 6 times 7?"),
	}.messages()
	whole := generate(t, messages, lm.Params{}).Text
	for _, temperature := range []float64{0, 0.7, 2} {
		for seed := range 3 {
			if got := generate(t, messages, lm.Params{Temperature: &temperature, Seed: &seed}).Text; got != whole {
				t.Errorf("temperature %v, seed %d: %q", temperature, seed, got)
			}
		}
	}
	for n := 1; n < 20; n++ {
		r := generate(t, messages, lm.Params{MaxTokens: &n})
		if !strings.HasPrefix(whole, r.Text) {
			t.Fatalf("max_tokens %d: %q is no beginning of the reply", n, r.Text)
		}
		short := len(r.Text) < len(strings.TrimSpace(whole))
		if short != (r.Finish == lm.FinishLength) || r.Usage.OutputTokens > n {
			t.Errorf("max_tokens %d: finish %q, %d tokens, text %q", n, r.Finish, r.Usage.OutputTokens, r.Text)
		}
	}
	r := generate(t, messages, lm.Params{Stop: []string{"completed", "42"}})
	if r.Text != "[[ ## answer ## ]]\n" || r.Finish != lm.FinishStop {
		t.Errorf("stop: %q, %q", r.Text, r.Finish)
	}
}

func TestRefusals(t *testing.T) {
	m, _ := New("incontext")
	zero := 0
	done, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel2 := context.WithTimeout(context.Background(), -1)
	defer cancel2()
	one := []lm.Message{{Role: lm.User, Content: "hi"}}
	for name, c := range map[string]struct {
		ctx  context.Context
		req  *lm.Request
		kind lm.Kind
	}{
		"no request":       {context.Background(), nil, lm.KindRequest},
		"no message":       {context.Background(), &lm.Request{}, lm.KindRequest},
		"max_tokens zero":  {context.Background(), &lm.Request{Messages: one, Params: lm.Params{MaxTokens: &zero}}, lm.KindRequest},
		"canceled context": {done, &lm.Request{Messages: one}, lm.KindCanceled},
		"late context":     {late, &lm.Request{Messages: one}, lm.KindTimeout},
	} {
		_, err := m.Generate(c.ctx, c.req)
		if e := lm.AsError(err); e == nil || e.Kind != c.kind || e.Model != "builtin/incontext" {
			t.Errorf("%s: %v, want kind %s", name, err, c.kind)
		}
		if c.ctx.Err() != nil && !errors.Is(err, c.ctx.Err()) {
			t.Errorf("%s: %v does not wrap the context's error", name, err)
		}
	}
}
