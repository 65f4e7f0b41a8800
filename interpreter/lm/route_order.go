package lm

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// member is a Member with what was learned of it. The route's mu holds what follows
// the Member.
type member struct {
	Member

	latency  time.Duration // of its replies: nine parts of what it was, one of the last
	measured time.Time     // when the last came; zero: never
	success  float64       // likewise, of 1 for an answer and 0 for a failure
	output   learned       // tokens of its replies
	chosen   int           // how often it was put first
	open     time.Time     // until when its circuit is open
}

const (
	unknownLatency = time.Second
	unknownSuccess = 0.5
	leastSuccess   = 0.05 // so that who failed long ago is drawn now and then
	forgotten      = 5 * time.Minute
	exploreEvery   = 20
	expectedOutput = 500 // tokens of a reply of which nothing is known
	unknownCost    = 0.5 // the factor of Adaptive for a price that is not known
	cheap          = 0.01
)

// pick is a member in its place of the order, and why it is there.
type pick struct {
	*member
	reason string
}

// order returns who may answer the call, the first one first, and passes over the
// others.
func (t *trip) order() []pick {
	length, input, want := size(t.req), EstimateInput(t.req), needs(t.req)
	t.mu.Lock()
	now := time.Now()
	var able []*member
	type out struct {
		*member
		why string
	}
	var left []out
	for _, m := range t.members {
		if why := t.unfit(m, length, input, want, now); why != "" {
			left = append(left, out{m, why})
		} else {
			able = append(able, m)
		}
	}
	t.choices++
	picks := t.sorted(able, input, now)
	if len(picks) > 0 {
		picks[0].chosen++
	}
	t.mu.Unlock()
	for _, o := range left {
		t.pass(o.member, o.why)
	}
	t.before = ""
	return picks
}

// unfit returns the condition that a member does not meet for this call.
func (t *trip) unfit(m *member, length, input int, want Features, now time.Time) string {
	has := m.LM.Features()
	switch {
	case want.Images && !has.Images:
		return "it takes no pictures"
	case want.Audio && !has.Audio:
		return "it takes no sounds"
	case want.Files && !has.Files:
		return "it takes no documents"
	case m.InputSizeMax > 0 && length > m.InputSizeMax:
		return fmt.Sprintf("the messages have %d characters, more than its input_size_max of %d", length, m.InputSizeMax)
	case t.opt.QualityMin > 0 && m.Quality == nil:
		return "its quality is not known"
	case t.opt.QualityMin > 0 && *m.Quality < t.opt.QualityMin:
		return fmt.Sprintf("its quality of %.3g is below quality_min, %.3g", *m.Quality, t.opt.QualityMin)
	case m.CostLimit > 0 && m.Price == nil:
		return "its price is not known, so its cost_limit cannot be kept"
	case m.CostLimit > 0 && t.cost(m, input) > m.CostLimit:
		return fmt.Sprintf("the call would cost about $%s, more than its cost_limit of $%s", dollars(t.cost(m, input)), dollars(m.CostLimit))
	case m.MaxLatency > 0 && m.speed(now) > m.MaxLatency && m.known(now):
		return fmt.Sprintf("its replies take %s on average, more than its max_latency of %s", brief(m.latency), short(m.MaxLatency))
	}
	return ""
}

func (m *member) known(now time.Time) bool {
	return !m.measured.IsZero() && now.Sub(m.measured) <= forgotten
}

func (m *member) speed(now time.Time) time.Duration {
	if m.known(now) {
		return m.latency
	}
	return unknownLatency
}

// cost is what the call is expected to cost with a member whose price is known.
func (t *trip) cost(m *member, input int) float64 {
	out := expectedOutput
	if m.output.seen {
		out = int(m.output.mean)
	}
	limit := t.req.Params.Or(m.Params).MaxTokens
	if limit != nil {
		out = min(out, *limit)
	}
	return m.Price.Cost(Usage{InputTokens: input, OutputTokens: out})
}

// sorted puts members in the order of the strategy.
func (t *trip) sorted(able []*member, input int, now time.Time) []pick {
	switch t.strategy {
	case LoadBalanced:
		return t.drawn(able)
	case CostOptimized:
		return byNumber(able, func(m *member) (float64, string) {
			if m.Price == nil {
				return 1e300, "its price is not known, so it comes last"
			}
			usd := t.cost(m, input)
			return usd, fmt.Sprintf("the cheapest: about $%s", dollars(usd))
		})
	case LatencyOptimized:
		return byNumber(able, func(m *member) (float64, string) {
			if !m.known(now) {
				return unknownLatency.Seconds(), "the fastest: not measured of late, so taken as 1s"
			}
			return m.latency.Seconds(), fmt.Sprintf("the fastest: %s on average", brief(m.latency))
		})
	case Adaptive:
		picks := byNumber(able, func(m *member) (float64, string) {
			score := t.score(m, input, now)
			return -score, fmt.Sprintf("the best score: %.3g", score)
		})
		if t.choices%exploreEvery == 0 && len(picks) > 1 {
			i, least := 0, picks[0]
			for j, p := range picks {
				if p.chosen < least.chosen {
					i, least = j, p
				}
			}
			least.reason = fmt.Sprintf("every %dth call goes to who was chosen least often", exploreEvery)
			picks = slices.Insert(slices.Delete(picks, i, i+1), 0, least)
		}
		return picks
	}
	return byNumber(able, func(*member) (float64, string) { return 0, "the first of the list" })
}

// score is what Adaptive orders by: the more, the better.
func (t *trip) score(m *member, input int, now time.Time) float64 {
	s := m.success / (1 + m.speed(now).Seconds())
	if m.Price == nil {
		s *= unknownCost
	} else {
		s /= 1 + t.cost(m, input)/cheap
	}
	if m.Quality != nil {
		s *= *m.Quality
	}
	return s
}

// byNumber orders members by a number, the lowest first; equal ones as they are
// listed.
func byNumber(able []*member, number func(*member) (float64, string)) []pick {
	type row struct {
		pick
		n float64
	}
	rows := make([]row, len(able))
	for i, m := range able {
		n, why := number(m)
		rows[i] = row{pick{m, why}, n}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.n, b.n) })
	picks := make([]pick, len(rows))
	for i, r := range rows {
		picks[i] = r.pick
	}
	return picks
}

// drawn draws members one after another.
func (t *trip) drawn(able []*member) []pick {
	var picks []pick
	able = slices.Clone(able)
	for len(able) > 0 {
		sum := 0.0
		for _, m := range able {
			sum += m.share()
		}
		x, i := t.draws.Float64()*sum, 0
		for i < len(able)-1 && x >= able[i].share() {
			x -= able[i].share()
			i++
		}
		picks = append(picks, pick{able[i], fmt.Sprintf("drawn with a share of %.0f %%", 100*able[i].share()/sum)})
		able = slices.Delete(able, i, i+1)
	}
	return picks
}

func (m *member) share() float64 { return m.Weight * max(m.success, leastSuccess) }

// learn notes that a member answered.
func (r *route) learn(m *member, took time.Duration, resp *Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.success = 0.9*m.success + 0.1
	m.open = time.Time{}
	if resp.Cached {
		return // it says nothing of the model's speed
	}
	now := time.Now()
	if m.known(now) {
		took = time.Duration(0.9*float64(m.latency) + 0.1*float64(took))
	}
	m.latency, m.measured = took, now
	m.output.add(float64(resp.Usage.OutputTokens))
}

// fail notes that a member did not answer.
func (r *route) fail(m *member, e *Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == KindTooLarge {
		return
	}
	m.success *= 0.9
	if e.Kind == KindOpen {
		m.open = time.Now().Add(e.RetryAfter)
	}
}

// closedFor returns how long a member's circuit is open.
func (r *route) closedFor(m *member) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Until(m.open)
}
