package builtin

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// FuzzGenerate feeds any texts as the messages: no panic, the same reply twice, and a
// reply that fills every field it was asked for.
func FuzzGenerate(f *testing.F) {
	for _, p := range []prompt{
		library(),
		{inputs: []string{"question (str)", "passages (list[str])"}, outputs: []string{"reasoning (str)", "answer (str)", "sources (list[int])", "c (float)"}},
		{inputs: []string{"x (str)"}, outputs: []string{"y (Contact)", "z (Union[Literal['a', 2], NoneType])"}, notes: map[string]string{"y": "must adhere to the JSON schema: " + contactSchema}},
	} {
		p.values = input("question", "Who is J. Lee?", "passages", `["J. Lee is a baker. 3 of 4."]`)
		p.demos = [][2]string{{input("message", "a"), input("topic", "borrow_book")}}
		m := p.messages()
		f.Add(m[0].Content, m[1].Content, m[2].Content, m[3].Content, false)
	}
	f.Add(jsonSystem+jsonHeading+`{"mood": "{mood}"}`, "{}", `{"mood": 1}`, "[[ ## message ## ]]\n1+1", true)
	f.Add("Your output fields are:\n1. `a` (tuple[Literal['x)\\u00e9'], ...]): b\n<a>", "", "<a>&lt;", "What is ((1)) ** -2 %?", true)
	f.Add("Your output fields are:\n1. `y` (Contact): \n{y}        # note: the value you produce must adhere to the JSON schema: {\"type\": ", "", "", "", false)
	f.Fuzz(func(t *testing.T, system, user, assistant, last string, long bool) {
		messages := []lm.Message{{Role: lm.System, Content: system}, {Role: lm.User, Content: user}, {Role: lm.Assistant, Content: assistant}, {Role: lm.User, Content: last}}
		if long {
			messages[3].Content = strings.Repeat(last+" ", min(20, 1+20000/(len(last)+1)))
		}
		first := generate(t, messages, lm.Params{})
		if again := generate(t, messages, lm.Params{}); again.Text != first.Text {
			t.Fatalf("two replies: %q and %q", first.Text, again.Text)
		}
		task := readTask(messages)
		if task == nil {
			return
		}
		switch task.format {
		case chat:
			values := chatValues(first.Text)
			for _, o := range task.outputs {
				if _, ok := values[o.name]; !ok && headable(o.name) {
					t.Errorf("no value for %q in %q", o.name, first.Text)
				}
			}
		case jsonObject:
			if !json.Valid([]byte(first.Text)) {
				t.Errorf("not JSON: %q", first.Text)
			}
		}
	})
}

// headable says whether a name can stand in a heading and be found again.
func headable(name string) bool {
	return strings.TrimSpace(name) == name && !strings.ContainsAny(name, "\n\r#[]")
}

// FuzzCalculate: no panic and no endless number, whatever the question is.
func FuzzCalculate(f *testing.F) {
	for _, s := range []string{"What is 17 * 23?", "20% of 50", "sum of 3, 4 and 5", "sqrt(2) ** 2 // 3 % 4", "forty-two squared", "1e999 * 1e999", "((((1))))+--1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := calculate(s); ok {
			if text := r.String(); text == "" || len(text) > 3*maxExpression {
				t.Errorf("%q gives %q", s, text)
			}
		}
	})
}

func TestLongInputsAreRead(t *testing.T) {
	big := strings.Repeat("The harbour has boats of many kinds and none is like zq"+"xv another. ", 4000)
	for _, p := range []prompt{
		{inputs: []string{"text (str)"}, outputs: library().outputs, values: input("text", big)},
		{inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)", "summary (str)", "email (str)", "phone (str)", "name (str)", "date (str)"}, values: input("question", "Who has boats?", "context", big)},
		{inputs: []string{"text (str)"}, outputs: []string{"answer (str)"}, values: input("text", strings.Repeat("9", 1<<18))},
		{inputs: []string{"text (str)"}, outputs: []string{"phone (str)", "url (str)", "email (str)"}, values: input("text", strings.Repeat("a@b.", 1<<16))},
		{inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)"}, values: input("question", "Who met Lee?", "context", strings.Repeat("Lee Ann Mor ", 1<<14))},
		{inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)"}, values: input("question", big, "context", big)},
		{inputs: []string{"text (str)"}, outputs: library().outputs, values: input("text", distinctWords(40_000))},
	} {
		if text := generate(t, p.messages(), lm.Params{}).Text; !strings.HasSuffix(text, "[[ ## completed ## ]]\n") {
			t.Errorf("reply %.100q", text)
		}
	}
}

// distinctWords returns n words of which no two are equal.
func distinctWords(n int) string {
	var b strings.Builder
	for i := range n {
		for v := i + 30; v > 0; v /= 26 {
			b.WriteByte(byte('a' + v%26))
		}
		b.WriteString("xq ")
	}
	return b.String()
}

func TestContextIsObeyedWithinACall(t *testing.T) {
	p := prompt{inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)"}}
	p.values = input("question", "Who has boats?", "context", strings.Repeat("A sentence. ", 5000))
	ctx := &countdown{Context: context.Background(), left: 3}
	_, err := incontext{}.Generate(ctx, &lm.Request{Messages: p.messages()})
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindCanceled {
		t.Errorf("got %v, want a canceled call", err)
	}
}

// countdown is a context that is canceled when it has been looked at a few times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
