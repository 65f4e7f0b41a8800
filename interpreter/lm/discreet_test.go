package lm

import (
	"context"
	"errors"
	"testing"
)

// talker says what it is told to say.
type talker struct {
	reply *Response
	err   error
}

func (t talker) Features() Features                                    { return Features{} }
func (t talker) Address() string                                       { return "test/talker" }
func (t talker) Generate(context.Context, *Request) (*Response, error) { return t.reply, t.err }

func TestWithSecrets(t *testing.T) {
	const key = `sk-"long<enough>`
	forms := []string{key, `sk-\"long<enough>`, `sk-\"long\u003cenough\u003e`, "sk-&#34;long&lt;enough&gt;", "sk-%22long%3Cenough%3E"}
	for _, form := range forms {
		said := "before " + form + " after pin"
		m := WithSecrets(talker{reply: &Response{Text: said, Model: said, Raw: []byte(said), Finish: FinishStop}}, []string{key, "pin", "", "pin1"})
		resp, err := m.Generate(context.Background(), &Request{})
		if err != nil {
			t.Fatal(err)
		}
		const want = "before [redacted] after pin" // a short one may be a word
		if resp.Text != want || resp.Model != want || resp.Raw != nil || resp.Finish != FinishStop {
			t.Errorf("%s: got %+v", form, resp)
		}
		m = WithSecrets(talker{err: &Error{Kind: KindAuth, Status: 401, Message: said, Endpoint: "http://h/" + form, Err: errors.New(said)}}, []string{key})
		_, err = m.Generate(context.Background(), &Request{})
		e := AsError(err)
		if e == nil || e.Kind != KindAuth || e.Status != 401 || e.Message != want || e.Endpoint != "http://h/[redacted]" || e.Err.Error() != want {
			t.Errorf("%s: got %#v", form, e)
		}
	}
	plain := talker{reply: &Response{Text: "x"}}
	if WithSecrets(plain, []string{"", "abc"}) != LM(plain) {
		t.Error("a model without secrets is wrapped")
	}
	m := WithSecrets(talker{err: context.Canceled}, []string{key})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Generate(ctx, &Request{}); AsError(err) == nil || AsError(err).Kind != KindCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("an interruption becomes %v", err)
	}
}
