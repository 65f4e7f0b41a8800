// Package scripted is a model that answers from a file: for tests of programs, and
// for seeing what a program does with a certain reply or failure.
//
//	Reply    one prepared answer or failure (scripted.go)
//	Model    the lm.LM that gives them out (scripted.go)
//	Open     reads them from a file (file.go)
//	Recorder writes such a file from the replies of other models (record.go)
//
// A file holds one JSON object a line:
//
//	{"reply": "Paris"}                                 the next call gets this text
//	{"match": "17 * 23", "reply": "391"}               a call whose last user message holds the text
//	{"match": "capital", "reply": "Rome", "times": 3}  the same, for three such calls
//	{"match": "", "reply": "yes", "times": "always"}   any call, without end
//	{"error": "rate_limit", "retry_after": "1s"}       the next call fails
//	{"reply": "slow", "delay": "50ms"}                 after a pause
//	{"reply": "", "tool_calls": [{"id": "1", "name": "look", "arguments": {"at": 1}}]}
//	{"request": "9f86d0…", "reply": "391"}             a call that sends exactly this
//	{"features": {"json": true, "schema": true}}       what the model can do
//
// A call gets the first reply in the file that is for its request, or matches its last
// user message, and is not used up; when there is none, the next of the replies without
// request and match. Calls that run in parallel take replies in the order they arrive,
// so a program with parallel steps wants match. "request" is what RequestID says of the
// call: Recorder writes it.
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
	// Request chooses the calls whose RequestID it is; "" chooses none.
	Request   string
	Text      string
	Reasoning string
	ToolCalls []lm.ToolCall
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
	address  string
	replies  []Reply
	exact    map[string][]int // the replies of a request, in order
	features lm.Features

	mu   sync.Mutex
	left []int // of each reply; Always when it has no end
}

// New returns a model with the address scripted/name that gives out replies.
func New(name string, replies ...Reply) *Model {
	m := &Model{
		address: "scripted/" + name, replies: replies, left: make([]int, len(replies)), exact: map[string][]int{},
		features: lm.Features{Tools: true, Images: true, Audio: true, Files: true},
	}
	for i, r := range replies {
		if r.Request != "" {
			m.exact[r.Request] = append(m.exact[r.Request], i)
		}
		m.left[i] = r.Times
		if r.Times == 0 {
			m.left[i] = 1
		}
	}
	return m
}

// Address returns scripted/ and the model's name, which is the path of its file.
func (m *Model) Address() string { return m.address }

// Features says what the file says; else that a scripted model can be sent
// everything: its replies are what the file says.
func (m *Model) Features() lm.Features { return m.features }

// Generate gives out the reply that is due. When none is left for req, it fails
// with KindRequest, so that nothing tries again.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	if end := lm.ContextError(ctx, m.address); end != nil {
		return nil, end
	}
	r := m.take(req)
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
	resp := &lm.Response{Text: r.Text, Reasoning: r.Reasoning, ToolCalls: r.ToolCalls, Finish: r.Finish, Model: m.address}
	if resp.Finish == "" {
		resp.Finish = lm.FinishStop
		if len(r.ToolCalls) > 0 {
			resp.Finish = lm.FinishTools
		}
	}
	if r.Usage != nil {
		resp.Usage = *r.Usage
	} else {
		resp.Usage = lm.EstimateUsage(req.Messages, r.Text)
	}
	lm.Whole(req, resp)
	return resp, nil
}

// take uses up the reply for a call, or returns nil.
func (m *Model) take(req *lm.Request) *Reply {
	id := ""
	if len(m.exact) > 0 {
		id = RequestID(req)
	}
	text := lastUser(req)
	m.mu.Lock()
	defer m.mu.Unlock()
	due := -1
	for _, i := range m.exact[id] {
		if m.left[i] != 0 {
			due = i
			break
		}
	}
	ordered := -1
	for i := 0; due < 0 && i < len(m.replies); i++ {
		r := &m.replies[i]
		switch {
		case m.left[i] == 0 || r.Request != "":
		case r.Match != nil && strings.Contains(text, *r.Match):
			due = i
		case r.Match == nil && ordered < 0:
			ordered = i
		}
	}
	if due < 0 {
		due = ordered
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
	ordered, matching, exact := 0, 0, 0
	for _, r := range m.replies {
		if r.Request != "" {
			exact++
		} else if r.Match == nil {
			ordered++
		} else {
			matching++
		}
	}
	var has string
	switch {
	case exact > 0 && len(m.exact[RequestID(req)]) > 0:
		has = "the recorded replies to this request are used up"
	case exact > 0 && ordered+matching == 0:
		has = fmt.Sprintf("none of %s is to this request: the program, its inputs or its settings have changed since, so record again", recorded(exact))
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

func recorded(n int) string {
	if n == 1 {
		return "1 recorded reply"
	}
	return fmt.Sprintf("%d recorded replies", n)
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
