// Package scripted is a model that answers from a file: for tests of programs, and
// for seeing what a program does with a certain reply or failure.
//
//	Reply    one prepared answer or failure (scripted.go)
//	Model    the lm.LM that gives them out (scripted.go)
//	Open     reads them from a file (file.go)
//
// A file holds one JSON object a line:
//
//	{"reply": "Paris"}                                 the next call gets this text
//	{"match": "17 * 23", "reply": "391"}               a call whose last user message holds the text
//	{"match": "capital", "reply": "Rome", "times": 3}  the same, for three such calls
//	{"match": "", "reply": "yes", "times": "always"}   any call, without end
//	{"error": "rate_limit", "retry_after": "1s"}       the next call fails
//	{"reply": "slow", "delay": "50ms"}                 after a pause
//
// A call gets the first reply in the file that matches its last user message and is not
// used up; when there is none, the next of the replies without match. Calls that run
// in parallel take replies in the order they arrive, so a program with parallel steps
// wants match.
package scripted

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Always is the Times of a reply that is never used up.
const Always = -1

// Reply is what one call, or several, get.
type Reply struct {
	// Match chooses the calls: those whose last user message contains it. nil
	// leaves the reply to the calls that match none, in order.
	Match *string
	Text  string
	// Finish is why the text ends; "" is lm.FinishStop.
	Finish lm.Finish
	// Usage is reported with the text; nil for an estimate, marked as one.
	Usage *lm.Usage
	// Err is the failure that the calls get instead of a text, when not nil. Its
	// Model is set to the model's address.
	Err   *lm.Error
	Times int           // how many calls get it: 0 means one; Always, without end
	Delay time.Duration // how long such a call takes
}

// Model gives out prepared replies. It implements lm.LM and is safe for use by
// many goroutines.
type Model struct {
	address string
	replies []Reply

	mu   sync.Mutex
	left []int // of each reply; Always when it has no end
}

// New returns a model with the address scripted/name that gives out replies.
func New(name string, replies ...Reply) *Model {
	m := &Model{address: "scripted/" + name, replies: replies, left: make([]int, len(replies))}
	for i, r := range replies {
		m.left[i] = r.Times
		if r.Times == 0 {
			m.left[i] = 1
		}
	}
	return m
}

// Address returns scripted/ and the model's name, which is the path of its file.
func (m *Model) Address() string { return m.address }

// Features says that a scripted model can be sent everything: its replies are what
// the file says.
func (m *Model) Features() lm.Features {
	return lm.Features{Tools: true, Images: true, Audio: true, Files: true}
}

// Generate gives out the reply that is due. When none is left for req, it fails
// with KindRequest, so that nothing tries again.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if end := lm.ContextError(ctx, m.address); end != nil {
		return nil, end
	}
	r := m.take(lastUser(req))
	if r == nil {
		return nil, m.exhausted(req)
	}
	if r.Delay > 0 {
		pause := time.NewTimer(r.Delay)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, lm.ContextError(ctx, m.address)
		}
	}
	if r.Err != nil {
		failure := *r.Err
		failure.Model = m.address
		return nil, &failure
	}
	resp := &lm.Response{Text: r.Text, Finish: r.Finish, Model: m.address}
	if resp.Finish == "" {
		resp.Finish = lm.FinishStop
	}
	if r.Usage != nil {
		resp.Usage = *r.Usage
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, r.Text)
	}
	lm.Whole(req, resp)
	return resp, nil
}

// take uses up the reply for a call whose last user message is text, or returns nil.
func (m *Model) take(text string) *Reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	due := -1
	for i, r := range m.replies {
		if m.left[i] == 0 {
			continue
		}
		if r.Match != nil && strings.Contains(text, *r.Match) {
			due = i
			break
		}
		if r.Match == nil && due < 0 {
			due = i
		}
	}
	if due < 0 {
		return nil
	}
	if m.left[due] > 0 {
		m.left[due]--
	}
	return &m.replies[due]
}

// exhausted is the failure of a call that no reply is left for.
func (m *Model) exhausted(req *lm.Request) *lm.Error {
	ordered, matching := 0, 0
	for _, r := range m.replies {
		if r.Match == nil {
			ordered++
		} else {
			matching++
		}
	}
	var has string
	switch {
	case ordered+matching == 0:
		has = "there are no replies"
	case matching == 0:
		has = fmt.Sprintf("%s used up", all(ordered))
	case ordered == 0:
		has = fmt.Sprintf("of %s with `match`, none that is left matches", count(matching))
	default:
		has = fmt.Sprintf("%s without `match` used up, and of %s with `match`, none that is left matches", all(ordered), count(matching))
	}
	return &lm.Error{
		Kind:    lm.KindRequest,
		Model:   m.address,
		Message: fmt.Sprintf("%s; the last user message is: %s", has, start(lastUser(req))),
	}
}

func all(n int) string {
	if n == 1 {
		return "the only reply is"
	}
	return fmt.Sprintf("all %d replies are", n)
}

func count(n int) string {
	if n == 1 {
		return "1 reply"
	}
	return fmt.Sprintf("%d replies", n)
}

// lastUser returns the text of the last message that the user speaks.
func lastUser(req *lm.Request) string {
	for i := len(req.Messages) - 1; i >= 0; i-- {
		if req.Messages[i].Role == lm.User {
			return req.Messages[i].Text()
		}
	}
	return ""
}

// start quotes the beginning of a message.
func start(text string) string {
	const long = 120
	if r := []rune(text); len(r) > long {
		return fmt.Sprintf("%q …", string(r[:long]))
	}
	return fmt.Sprintf("%q", text)
}
