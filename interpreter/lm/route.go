package lm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A route is one LM before several: for each call it puts its members in an order,
// by its Strategy, and sends the call to the first; when that cannot answer, to the
// next. The list is closed: nobody else ever answers, and who may not by a condition
// does not answer because the others failed. What a route chose, and why, an observer
// is told (Chosen, Passed), and Response.Address says who answered.
//
// Every member has the wrappers of its own settings inside (limits, attempts,
// circuit, price), so that a member is left only when its own attempts are used up.
// A failure that another model would not mend (a wrong key, a refused request, the
// run's budget) ends the call.

// Strategy says how a route orders its members.
type Strategy string

// The strategies.
const (
	// Fallback takes the members as they are listed.
	Fallback Strategy = "fallback"
	// LoadBalanced draws them at random, each with its Weight times the share of
	// its calls that succeeded, of late.
	LoadBalanced Strategy = "load_balanced"
	// CostOptimized takes the cheapest first, of those that are good enough
	// (QualityMin). With Confidence a reply counts only if it is sure of itself;
	// else the next dearer member is asked. A price that is not known comes last.
	CostOptimized Strategy = "cost_optimized"
	// LatencyOptimized takes first whose replies came fastest of late; one that
	// was not measured in the last five minutes counts as one second.
	LatencyOptimized Strategy = "latency_optimized"
	// Adaptive weighs success, speed, cost and quality together; every twentieth
	// call goes to the member that was chosen least often, so that it is known.
	Adaptive Strategy = "adaptive"
)

// Member is one model of a route.
type Member struct {
	Name    string // what messages call it: model.fast; "" for its address
	LM      LM
	Params  Params   // what a call leaves open
	Weight  float64  // for LoadBalanced; zero or less: 1
	Quality *float64 // from 0 to 1; nil: not known
	Price   *Price   // nil: not known

	// Conditions; zero or less means none. Who does not meet one is left out.
	InputSizeMax int           // characters of the messages
	CostLimit    float64       // US dollars that the call is expected to cost
	MaxLatency   time.Duration // its replies of late took longer on average
}

// RouteOptions are the settings of a route.
type RouteOptions struct {
	Name       string  // the route's address: model.steady
	Seed       uint64  // of the draws of LoadBalanced
	QualityMin float64 // for CostOptimized: who is not known to be so good is left out
	// Confidence names the output that says how sure a reply is, from 0 to 1, and
	// ConfidenceMin is what it must be at least. The caller reads it (WithJudge).
	Confidence    string
	ConfidenceMin float64
}

// Judge returns the number that a reply gives for an output of the call; false when
// it gives none.
type Judge func(resp *Response, output string) (float64, bool)

type judgeKey struct{}

// WithJudge returns a context in which a route can tell how sure a reply is: only
// who wrote the prompt can read the reply.
func WithJudge(ctx context.Context, j Judge) context.Context {
	return context.WithValue(ctx, judgeKey{}, j)
}

// NewRoute returns the route of members, of which there is at least one.
func NewRoute(s Strategy, members []Member, opt RouteOptions) LM {
	r := &route{strategy: s, opt: opt, draws: rand.New(rand.NewPCG(opt.Seed, 0x64737069))}
	for _, m := range members {
		if m.Name == "" {
			m.Name = m.LM.Address()
		}
		if m.Weight <= 0 {
			m.Weight = 1
		}
		r.members = append(r.members, &member{Member: m, success: unknownSuccess})
	}
	return r
}

type route struct {
	strategy Strategy
	opt      RouteOptions
	members  []*member

	mu      sync.Mutex // holds draws, choices and what the members have learned
	draws   *rand.Rand
	choices int
}

func (r *route) Address() string { return r.opt.Name }

// Features are those of all members, where they decide how a prompt is written. Media
// are taken if one member takes them: a call with some goes to such a one.
func (r *route) Features() Features {
	f := Features{JSON: true, Schema: true, Tools: true}
	for _, m := range r.members {
		g := m.LM.Features()
		f.JSON, f.Schema, f.Tools = f.JSON && g.JSON, f.Schema && g.Schema, f.Tools && g.Tools
		f.Images, f.Audio, f.Files = f.Images || g.Images, f.Audio || g.Audio, f.Files || g.Files
	}
	return f
}

// trip is one call on its way through the members.
type trip struct {
	*route
	ctx     context.Context
	req     *Request
	pieces  *pieces
	reasons []string // why a member did not answer
	paid    []Spent
	causes  []error
	before  string // why the call goes on to another member
}

func (r *route) Generate(ctx context.Context, req *Request) (*Response, error) {
	if e := ContextError(ctx, r.Address()); e != nil {
		return nil, e
	}
	t := &trip{route: r, ctx: ctx, req: req, pieces: newPieces(req)}
	order := t.order()
	judge, _ := ctx.Value(judgeKey{}).(Judge)
	if r.opt.Confidence != "" && judge == nil && len(order) > 1 {
		last := order[len(order)-1]
		last.reason = "this call has no output `" + r.opt.Confidence + "`, so the last of the members answers"
		order = []pick{last}
	}
	for i, p := range order {
		resp, err := t.ask(p)
		if err != nil {
			return nil, err
		}
		if resp == nil {
			continue
		}
		if r.opt.Confidence != "" && i < len(order)-1 && !t.sure(p.member, judge, resp) {
			continue
		}
		return withAlso(resp, t.paid), nil
	}
	return nil, t.nobody()
}

// ask sends the call to a member. Both results are nil when the next should be
// asked.
func (t *trip) ask(p pick) (*Response, error) {
	m := p.member
	if d := t.closedFor(m); d > 0 {
		t.pass(m, fmt.Sprintf("its circuit is open for %s more", brief(d)))
		return nil, nil
	}
	reason := p.reason
	if t.before != "" {
		reason = t.before
	}
	report(t.ctx, Attempt{Event: Chosen, Model: m.LM.Address(), Route: t.Address(), Reason: reason})
	t.pieces.restart()
	c := *t.pieces.request()
	c.Params = c.Params.Or(m.Params)
	began := time.Now()
	resp, err := m.LM.Generate(t.ctx, &c)
	if err == nil {
		t.learn(m, time.Since(began), resp)
		out := *resp
		if out.Address == "" {
			out.Address = m.LM.Address()
		}
		return &out, nil
	}
	e := asError(t.ctx, m.LM, err)
	t.paid = append(t.paid, e.Spent...)
	e.Spent = t.paid
	onward := e.Retryable()
	switch e.Kind {
	case KindOpen, KindTooLarge, KindNoMember:
		onward = true
	}
	if !onward || t.ctx.Err() != nil {
		return nil, e
	}
	t.fail(m, e)
	t.causes = append(t.causes, e)
	t.pass(m, e.summary())
	return nil, nil
}

// sure reports whether a reply is sure enough of itself to stand.
func (t *trip) sure(m *member, judge Judge, resp *Response) bool {
	x, ok := judge(resp, t.opt.Confidence)
	if ok && x >= t.opt.ConfidenceMin {
		return true
	}
	why := fmt.Sprintf("its reply has no `%s`", t.opt.Confidence)
	if ok {
		why = fmt.Sprintf("it answered with `%s` = %.3g, and %.3g is needed", t.opt.Confidence, x, t.opt.ConfidenceMin)
	}
	if !resp.Cached {
		t.paid = append(t.paid, Spent{resp.Address, resp.Usage, resp.Cost})
	}
	t.paid = append(t.paid, resp.Also...)
	t.pass(m, why)
	return false
}

// pass notes why a member does not answer.
func (t *trip) pass(m *member, why string) {
	t.reasons = append(t.reasons, m.Name+": "+why)
	t.before = "after " + m.Name + ": " + why
	report(t.ctx, Attempt{Event: Passed, Model: m.LM.Address(), Route: t.Address(), Reason: why})
}

// nobody is the failure of a call that no member answered.
func (t *trip) nobody() *Error {
	return &Error{
		Kind: KindNoMember, Model: t.Address(), Reasons: t.reasons, Spent: t.paid, Err: errors.Join(t.causes...),
		Message: fmt.Sprintf("none of its %d members answers: %s", len(t.members), strings.Join(t.reasons, "; ")),
		Unsent:  len(t.causes) == 0 && len(t.paid) == 0,
	}
}

// size returns the characters of a request's messages.
func size(req *Request) int {
	n := 0
	for _, m := range req.Messages {
		n += utf8.RuneCountInString(m.Text())
	}
	return n
}

// needs returns what a request sends beyond text.
func needs(req *Request) (f Features) {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Media == nil {
				continue
			}
			switch p.Media.Kind {
			case Image:
				f.Images = true
			case Audio:
				f.Audio = true
			case File:
				f.Files = true
			}
		}
	}
	return f
}
