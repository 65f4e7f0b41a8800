// Package builtin has the model that needs no key and no network: `builtin/incontext`,
// a small deterministic baseline. It is no language model: it knows nothing but what
// the messages of the request say, and reads them as any model must.
//
//	LM       New("incontext"): messages in, a reply in the format they ask for out
//	task     what the messages ask (task.go): fields, labels, demos, input values
//	shape    what one value may be (shape.go, schema.go): labels, bounds, properties
//	words    text as stems, with what is known about English (words.go, english.go)
//	ranking  labels ordered by how well they fit a text (rank.go, neighbours.go)
//	span     an answer found in passages (passages.go, span.go)
//	result   the value of an expression such as `17 * 23` (arithmetic.go, number.go)
//	piece    an address, an amount, a date, a name found in the input (find.go)
//	filler   puts the above into values that fit their shapes (fill.go, make.go, neutral.go),
//	         by what each output is for (roles.go)
//	reply    values as text: chat, JSON or XML (reply.go)
//
// Nothing is kept between two calls, nothing is random, and no answer depends on
// anything outside the request.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Name is the one model of this provider.
const Name = "incontext"

// New returns the model of that name. There is one, `incontext`; any other name is
// an error of lm.KindRequest that says so.
func New(model string) (lm.LM, error) {
	if model != Name {
		return nil, &lm.Error{
			Kind: lm.KindRequest, Model: "builtin/" + model,
			Message: fmt.Sprintf("there is no built-in model %q; the built-in models are: %s. Write `builtin/%s`", model, Name, Name),
		}
	}
	return incontext{}, nil
}

// incontext is the baseline. It has no state.
type incontext struct{}

// Address returns `builtin/incontext`.
func (incontext) Address() string { return "builtin/" + Name }

// Features says that the baseline takes and gives text only.
func (incontext) Features() lm.Features { return lm.Features{} }

// Generate reads the messages and answers them. Temperature, top_p and seed are
// obeyed by having nothing to choose: the reply is the most likely one at every
// setting. MaxTokens and Stop cut the reply as they do with any model. A context that
// is done gives lm.KindCanceled or lm.KindTimeout; a request without a message, or
// with max_tokens below 1, gives lm.KindRequest.
func (m incontext) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, m.stopped(err)
	}
	if req == nil || len(req.Messages) == 0 {
		return nil, m.refuse("the request has no message; send at least one user message")
	}
	if req.MaxTokens != nil && *req.MaxTokens < 1 {
		return nil, m.refuse(fmt.Sprintf("max_tokens is %d; it must be at least 1", *req.MaxTokens))
	}
	for _, msg := range req.Messages {
		for _, p := range msg.Parts {
			if p.Media != nil {
				return nil, m.refuse("it reads text only, and the prompt holds " + p.Media.String() + "; choose a model that takes such a thing, with --model")
			}
		}
	}
	text, err := answer(ctx, req.Messages)
	if err != nil {
		return nil, m.stopped(err)
	}
	finish := lm.FinishStop
	if i := firstStop(text, req.Stop); i >= 0 {
		text = text[:i]
	}
	if req.MaxTokens != nil {
		if cut := tokenEnd(text, *req.MaxTokens); cut < len(text) && strings.TrimSpace(text[cut:]) != "" {
			text, finish = text[:cut], lm.FinishLength
		}
	}
	usage := lm.Usage{OutputTokens: countTokens(text), Estimated: true}
	for _, msg := range req.Messages {
		usage.InputTokens += countTokens(msg.Text())
	}
	resp := &lm.Response{Text: text, Finish: finish, Usage: usage, Model: Name}
	if req.OnDelta != nil {
		for line := range strings.Lines(text) {
			req.OnDelta(lm.Delta{Text: line})
		}
	}
	return resp, nil
}

func (m incontext) refuse(message string) *lm.Error {
	return &lm.Error{Kind: lm.KindRequest, Model: m.Address(), Message: message}
}

func (m incontext) stopped(err error) *lm.Error {
	kind := lm.KindCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		kind = lm.KindTimeout
	}
	return &lm.Error{Kind: kind, Model: m.Address(), Err: err}
}

// answer is the model's whole way from messages to text.
func answer(ctx context.Context, messages []lm.Message) (string, error) {
	t := readTask(messages)
	if t == nil {
		return plainAnswer(messages), nil
	}
	values, err := newFiller(ctx, t).fill()
	if err != nil {
		return "", err
	}
	return writeReply(t, values), nil
}

// plainAnswer answers a conversation that is in none of the formats.
func plainAnswer(messages []lm.Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == lm.User {
			if r, ok := calculate(messages[i].Content); ok {
				return r.String()
			}
			break
		}
	}
	return unknown
}

// firstStop returns where the earliest stop sequence begins, or -1.
func firstStop(text string, stops []string) int {
	first := -1
	for _, s := range stops {
		if s == "" {
			continue
		}
		if i := strings.Index(text, s); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}

// countTokens counts the words and the punctuation marks of text.
func countTokens(text string) int {
	n := 0
	eachToken(text, func(int) bool { n++; return true })
	return n
}

// tokenEnd returns the offset at which the first max tokens of text end.
func tokenEnd(text string, max int) int {
	n, end := 0, 0
	eachToken(text, func(e int) bool { n, end = n+1, e; return n < max })
	if n < max {
		return len(text)
	}
	return end
}

// eachToken calls yield with the offset where each token ends, until it says false.
// A token is a run of letters and digits, or one other character that is no space.
func eachToken(text string, yield func(end int) bool) {
	inWord := false
	for i, r := range text {
		word := unicode.IsLetter(r) || unicode.IsDigit(r)
		if inWord && !word && !yield(i) {
			return
		}
		inWord = word
		if !word && !unicode.IsSpace(r) {
			size := utf8.RuneLen(r)
			if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
				size = 1
			}
			if !yield(i + size) {
				return
			}
		}
	}
	if inWord {
		yield(len(text))
	}
}
