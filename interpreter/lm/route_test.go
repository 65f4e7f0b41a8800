package lm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// actor is a scripted member of a route: its nth call takes so long and fails as it
// says; the last of each stands for all that follow.
type actor struct {
	name    string
	takes   []time.Duration
	fails   []lm.Kind // "" for an answer
	sure    []float64 // what its replies say of themselves
	price   *lm.Price
	quality *float64
	lm.Member
	lacks bool // it takes no media
	calls int
}

func (a *actor) Address() string { return "test/" + a.name }
func (a *actor) Features() lm.Features {
	return lm.Features{JSON: true, Images: !a.lacks, Audio: !a.lacks, Files: !a.lacks}
}

func nth[T any](list []T, n int) (x T) {
	if len(list) > 0 {
		x = list[min(n, len(list))-1]
	}
	return x
}

func (a *actor) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	a.calls++
	n := a.calls
	if d := nth(a.takes, n); d > 0 {
		<-time.After(d)
	}
	if k := nth(a.fails, n); k != "" {
		e := &lm.Error{Kind: k, Model: a.Address(), Message: "as scripted"}
		if k == lm.KindOpen {
			e.RetryAfter, e.Unsent = 10*time.Second, true
		}
		return nil, e
	}
	resp := &lm.Response{Text: fmt.Sprint(nth(a.sure, n)), Usage: lm.Usage{InputTokens: 100, OutputTokens: 50}}
	if a.price != nil {
		usd := a.price.Cost(resp.Usage)
		resp.Cost = &usd
	}
	if req.OnDelta != nil {
		req.OnDelta(lm.Delta{Text: a.name})
	}
	return resp, nil
}

func num(f float64) *float64 { return &f }

func usd(perMillion float64) *lm.Price { return &lm.Price{Input: perMillion, Output: perMillion} }

const ms = time.Millisecond

// TestRoutes is the table of choices: which members are called, in order, for calls
// one after another. A member that is asked in vain is in brackets.
func TestRoutes(t *testing.T) {
	fail := func(kinds ...lm.Kind) []lm.Kind { return kinds }
	type members []*actor
	for _, c := range []struct {
		name     string
		strategy lm.Strategy
		members  members
		opt      lm.RouteOptions
		ask      *lm.Request // nil: a short one
		pause    time.Duration
		want     string // "!" for a call that nobody answers
	}{
		{name: "the first", strategy: lm.Fallback, members: members{{name: "a"}, {name: "b"}}, want: "a a"},
		{name: "the next after a failure", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindServer, "")}, {name: "b"}}, want: "(a) b a"},
		{name: "each kind that passes", strategy: lm.Fallback, members: members{
			{name: "a", fails: fail(lm.KindRateLimit)}, {name: "b", fails: fail(lm.KindTimeout)}, {name: "c", fails: fail(lm.KindUnreachable)},
			{name: "d", fails: fail(lm.KindReply)}, {name: "e", fails: fail(lm.KindTooLarge)}, {name: "f", fails: fail(lm.KindNoMember)}, {name: "g"}},
			want: "(a) (b) (c) (d) (e) (f) g"},
		{name: "a refused key ends the call", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindAuth)}, {name: "b"}}, want: "(a) !"},
		{name: "a missing key ends the call", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindNoKey)}, {name: "b"}}, want: "(a) !"},
		{name: "a refused request ends the call", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindRequest)}, {name: "b"}}, want: "(a) !"},
		{name: "the budget ends the call", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindBudget)}, {name: "b"}}, want: "(a) !"},
		{name: "nobody", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindServer)}, {name: "b", fails: fail(lm.KindTimeout)}}, want: "(a) (b) !"},
		{name: "an open circuit is left out until it closes", strategy: lm.Fallback, pause: 4 * time.Second,
			members: members{{name: "a", fails: fail(lm.KindOpen, "")}, {name: "b"}}, want: "(a) b b b a"},
		{name: "all circuits are open", strategy: lm.Fallback, members: members{{name: "a", fails: fail(lm.KindOpen)}, {name: "b", fails: fail(lm.KindOpen)}}, want: "(a) (b) ! !"},
		{name: "too long an input", strategy: lm.Fallback, ask: lmtest.Ask(strings.Repeat("x", 101)),
			members: members{{name: "a", Member: lm.Member{InputSizeMax: 100}}, {name: "b", Member: lm.Member{InputSizeMax: 101}}}, want: "b"},
		{name: "nobody takes the input", strategy: lm.Fallback, ask: lmtest.Ask(strings.Repeat("ü", 101)),
			members: members{{name: "a", Member: lm.Member{InputSizeMax: 100}}, {name: "b", Member: lm.Member{InputSizeMax: 100}}}, want: "!"},
		{name: "characters, not bytes", strategy: lm.Fallback, ask: lmtest.Ask(strings.Repeat("ü", 100)),
			members: members{{name: "a", Member: lm.Member{InputSizeMax: 100}}, {name: "b"}}, want: "a"},
		{name: "pictures", strategy: lm.Fallback, ask: &lm.Request{Messages: []lm.Message{{Role: lm.User, Parts: []lm.Part{{Media: &lm.Media{Kind: lm.Image, URL: "https://x.test/a.png"}}}}}},
			members: members{{name: "a", lacks: true}, {name: "b"}}, want: "b"},
		{name: "too dear a call", strategy: lm.Fallback,
			members: members{{name: "a", price: usd(1000), Member: lm.Member{CostLimit: 0.1}}, {name: "b", price: usd(100), Member: lm.Member{CostLimit: 0.1}}}, want: "b"},
		{name: "a cost limit without a price", strategy: lm.Fallback, members: members{{name: "a", Member: lm.Member{CostLimit: 0.1}}, {name: "b"}}, want: "b"},
		{name: "cost limits learn from replies", strategy: lm.Fallback, // 500 tokens are expected at first, 50 come
			members: members{{name: "a", price: usd(1000), Member: lm.Member{CostLimit: 0.1}}, {name: "b", price: usd(1000)}}, want: "b b"},
		{name: "too slow", strategy: lm.Fallback,
			members: members{{name: "a", takes: []time.Duration{3 * time.Second}, Member: lm.Member{MaxLatency: 2 * time.Second}}, {name: "b"}}, want: "a b b"},
		{name: "slow ones get another chance", strategy: lm.Fallback, pause: 2 * time.Minute,
			members: members{{name: "a", takes: []time.Duration{3 * time.Second}, Member: lm.Member{MaxLatency: 2 * time.Second}}, {name: "b"}}, want: "a b b a"},

		{name: "the cheapest", strategy: lm.CostOptimized, members: members{{name: "a", price: usd(9)}, {name: "b", price: usd(2)}, {name: "c", price: usd(5)}}, want: "b b"},
		{name: "the next cheapest", strategy: lm.CostOptimized, members: members{{name: "a", price: usd(9)}, {name: "b", price: usd(2), fails: fail(lm.KindServer)}, {name: "c", price: usd(5)}}, want: "(b) c"},
		{name: "an unknown price comes last", strategy: lm.CostOptimized, members: members{{name: "a"}, {name: "b", price: usd(90), fails: fail("", lm.KindServer)}}, want: "b (b) a"},
		{name: "equal prices as listed", strategy: lm.CostOptimized, members: members{{name: "a", price: usd(1)}, {name: "b", price: usd(1)}}, want: "a a"},
		{name: "input and output weigh", strategy: lm.CostOptimized, ask: lmtest.Ask(strings.Repeat("word ", 3000)),
			members: members{{name: "a", price: &lm.Price{Input: 10, Output: 1}}, {name: "b", price: &lm.Price{Input: 1, Output: 20}}}, want: "b"},
		{name: "short prompts weigh otherwise", strategy: lm.CostOptimized,
			members: members{{name: "a", price: &lm.Price{Input: 10, Output: 1}}, {name: "b", price: &lm.Price{Input: 1, Output: 20}}}, want: "a"},
		{name: "good enough", strategy: lm.CostOptimized, opt: lm.RouteOptions{QualityMin: 0.7},
			members: members{{name: "a", price: usd(1), quality: num(0.6)}, {name: "b", price: usd(5), quality: num(0.7)}, {name: "c", price: usd(2)}}, want: "b"},
		{name: "nobody is good enough", strategy: lm.CostOptimized, opt: lm.RouteOptions{QualityMin: 0.9},
			members: members{{name: "a", price: usd(1), quality: num(0.6)}}, want: "!"},
		{name: "no weaker one although the good one fails", strategy: lm.CostOptimized, opt: lm.RouteOptions{QualityMin: 0.7},
			members: members{{name: "a", price: usd(1), quality: num(0.6)}, {name: "b", price: usd(5), quality: num(0.8), fails: fail(lm.KindServer)}}, want: "(b) !"},
		{name: "sure enough", strategy: lm.CostOptimized, opt: lm.RouteOptions{Confidence: "sure", ConfidenceMin: 0.7},
			members: members{{name: "dear", price: usd(9)}, {name: "cheap", price: usd(1), sure: []float64{0.9, 0.7, 0.69, 0.1}}}, want: "cheap cheap (cheap) dear (cheap) dear"},
		{name: "the last one stands", strategy: lm.CostOptimized, opt: lm.RouteOptions{Confidence: "sure", ConfidenceMin: 0.7},
			members: members{{name: "a", price: usd(1), sure: []float64{0.1}}, {name: "b", price: usd(2), sure: []float64{0.2}}, {name: "c", price: usd(3), sure: []float64{0.3}}}, want: "(a) (b) c"},
		{name: "unsure and nobody else", strategy: lm.CostOptimized, opt: lm.RouteOptions{Confidence: "sure", ConfidenceMin: 0.7},
			members: members{{name: "a", price: usd(1), sure: []float64{0.1}}, {name: "b", price: usd(2), fails: fail(lm.KindServer)}}, want: "(a) (b) !"},
		{name: "no word of how sure", strategy: lm.CostOptimized, opt: lm.RouteOptions{Confidence: "other", ConfidenceMin: 0.7},
			members: members{{name: "a", price: usd(1), sure: []float64{1}}, {name: "b", price: usd(2)}}, want: "(a) b"},
		{name: "not a call of ours", strategy: lm.CostOptimized, opt: lm.RouteOptions{Confidence: "unjudged", ConfidenceMin: 0.7},
			members: members{{name: "a", price: usd(1)}, {name: "b", price: usd(2)}, {name: "c", price: usd(3)}}, want: "c"},

		{name: "the fastest", strategy: lm.LatencyOptimized,
			members: members{{name: "a", takes: []time.Duration{800 * ms}}, {name: "b", takes: []time.Duration{300 * ms}}}, want: "a a a"},
		{name: "slower than what is not known", strategy: lm.LatencyOptimized,
			members: members{{name: "a", takes: []time.Duration{1500 * ms}}, {name: "b", takes: []time.Duration{300 * ms}}}, want: "a b b"},
		{name: "one slow reply of many weighs a tenth", strategy: lm.LatencyOptimized,
			members: members{{name: "a", takes: []time.Duration{500 * ms, 5 * time.Second, 500 * ms}}, {name: "b"}}, want: "a a a a"},
		{name: "slow of late", strategy: lm.LatencyOptimized,
			members: members{{name: "a", takes: []time.Duration{500 * ms, 9 * time.Second}}, {name: "b", takes: []time.Duration{900 * ms}}}, want: "a a b b"},
		{name: "old measurements are forgotten", strategy: lm.LatencyOptimized, pause: 6 * time.Minute,
			members: members{{name: "a", takes: []time.Duration{1500 * ms}}, {name: "b", takes: []time.Duration{300 * ms}}}, want: "a a"},
		{name: "fails over to the next fastest", strategy: lm.LatencyOptimized,
			members: members{{name: "a", takes: []time.Duration{1500 * ms}}, {name: "b", fails: fail(lm.KindServer)}, {name: "c", takes: []time.Duration{1200 * ms}}}, want: "a (b) c (b) c"},

		{name: "price decides between equals", strategy: lm.Adaptive, members: members{{name: "a", price: usd(90)}, {name: "b", price: usd(1)}}, want: "b b"},
		{name: "speed decides between equals", strategy: lm.Adaptive,
			members: members{{name: "a", price: usd(1), takes: []time.Duration{5 * time.Second}}, {name: "b", price: usd(1), takes: []time.Duration{100 * ms}}}, want: "a b b"},
		{name: "success decides between equals", strategy: lm.Adaptive,
			members: members{{name: "a", price: usd(1), fails: fail(lm.KindServer)}, {name: "b", price: usd(1)}}, want: "(a) b b b"},
		{name: "quality decides between equals", strategy: lm.Adaptive,
			members: members{{name: "a", price: usd(1), quality: num(0.5)}, {name: "b", price: usd(1), quality: num(0.9)}}, want: "b b"},
		{name: "an unknown price is half a reason", strategy: lm.Adaptive, members: members{{name: "a"}, {name: "b", price: usd(10)}}, want: "b"},
		{name: "the twentieth explores", strategy: lm.Adaptive,
			members: members{{name: "a", price: usd(1)}, {name: "b", price: usd(1)}},
			want:    strings.Repeat("a ", 19) + "b " + strings.Repeat("a ", 19) + "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				route := routeOf(c.strategy, c.members, c.opt)
				ctx := t.Context()
				if c.opt.Confidence != "unjudged" {
					ctx = judged(ctx)
				}
				var got []string
				ctx = lm.WithObserver(ctx, func(a lm.Attempt) {
					switch {
					case a.Reason == "" || a.Route != "model.steady":
						t.Errorf("reported without a reason: %+v", a)
					case a.Event == lm.Chosen:
						got = append(got, "("+strings.TrimPrefix(a.Model, "test/")+")")
					}
				})
				calls := strings.Count(c.want, " ") + 1 - strings.Count(c.want, "(")
				for i := range calls {
					if i > 0 {
						<-time.After(c.pause)
					}
					ask := c.ask
					if ask == nil {
						ask = lmtest.Ask("hello")
					}
					resp, err := route.Generate(ctx, ask)
					if err != nil {
						got = append(got, "!")
						continue
					}
					got[len(got)-1] = strings.Trim(got[len(got)-1], "()")
					if want := "test/" + got[len(got)-1]; resp.Address != want {
						t.Errorf("call %d says that %s answered, and it was %s", i+1, resp.Address, want)
					}
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("called %s\nwant   %s", s, c.want)
				}
			})
		})
	}
}

func routeOf(s lm.Strategy, actors []*actor, opt lm.RouteOptions) lm.LM {
	opt.Name = "model.steady"
	var members []lm.Member
	for _, a := range actors {
		m := a.Member
		m.Name, m.LM, m.Price, m.Quality = "model."+a.name, a, a.price, a.quality
		members = append(members, m)
	}
	return lm.NewRoute(s, members, opt)
}

// judged lets a route read how sure replies are: their text says it.
func judged(ctx context.Context) context.Context {
	return lm.WithJudge(ctx, func(resp *lm.Response, output string) (float64, bool) {
		var x float64
		_, err := fmt.Sscan(resp.Text, &x)
		return x, err == nil && output == "sure"
	})
}

// TestLoadBalanced: shares follow weights and success, and a seed repeats the draws.
func TestLoadBalanced(t *testing.T) {
	share := func(seed uint64, n int, actors ...*actor) map[string]int {
		route := routeOf(lm.LoadBalanced, actors, lm.RouteOptions{Seed: seed})
		got := map[string]int{}
		for range n {
			resp, err := route.Generate(t.Context(), lmtest.Ask("x"))
			if err != nil {
				t.Fatal(err)
			}
			got[strings.TrimPrefix(resp.Address, "test/")]++
		}
		return got
	}
	weigh := func(w float64) lm.Member { return lm.Member{Weight: w} }
	for name, c := range map[string]struct {
		actors    []*actor
		want      map[string]float64
		tolerance float64
	}{
		"equal":         {[]*actor{{name: "a"}, {name: "b"}}, map[string]float64{"a": 0.5, "b": 0.5}, 0.03},
		"by weight":     {[]*actor{{name: "a", Member: weigh(3)}, {name: "b"}}, map[string]float64{"a": 0.75, "b": 0.25}, 0.03},
		"three":         {[]*actor{{name: "a", Member: weigh(5)}, {name: "b", Member: weigh(3)}, {name: "c", Member: weigh(2)}}, map[string]float64{"a": 0.5, "b": 0.3, "c": 0.2}, 0.03},
		"who fails":     {[]*actor{{name: "a", fails: []lm.Kind{lm.KindServer}}, {name: "b"}}, map[string]float64{"b": 1}, 0},
		"left out":      {[]*actor{{name: "a", Member: lm.Member{InputSizeMax: 0, CostLimit: 1}}, {name: "b"}}, map[string]float64{"b": 1}, 0},
		"tiny fraction": {[]*actor{{name: "a", Member: weigh(0.01)}, {name: "b"}}, map[string]float64{"a": 0.01, "b": 0.99}, 0.01},
	} {
		got := share(1, 5000, c.actors...)
		for who, want := range c.want {
			if x := float64(got[who]) / 5000; x < want-c.tolerance || x > want+c.tolerance {
				t.Errorf("%s: %s has a share of %.3f, want %.3f", name, who, x, want)
			}
		}
	}
	failing := &actor{name: "a", fails: []lm.Kind{lm.KindServer}}
	share(1, 1000, failing, &actor{name: "b"})
	if failing.calls > 120 || failing.calls < 10 {
		t.Errorf("who always fails was asked %d times of 1000: seldom, but now and then, is right", failing.calls)
	}
	one, same, other := share(4, 50, &actor{name: "a"}, &actor{name: "b"}), share(4, 50, &actor{name: "a"}, &actor{name: "b"}), share(5, 50, &actor{name: "a"}, &actor{name: "b"})
	if !maps.Equal(one, same) || maps.Equal(one, other) {
		t.Errorf("seeds 4, 4 and 5 give %v, %v, %v", one, same, other)
	}
}

// TestRouteFailure: when nobody answers, the failure lists each member and why.
func TestRouteFailure(t *testing.T) {
	route := routeOf(lm.CostOptimized, []*actor{
		{name: "small", price: usd(1), quality: num(0.9), Member: lm.Member{InputSizeMax: 3}},
		{name: "weak", price: usd(1), quality: num(0.2)},
		{name: "unsure", price: usd(2), quality: num(0.8), sure: []float64{0.25}},
		{name: "broken", price: usd(3), quality: num(0.8), fails: []lm.Kind{lm.KindServer}},
	}, lm.RouteOptions{QualityMin: 0.5, Confidence: "sure", ConfidenceMin: 0.7})
	_, err := route.Generate(judged(t.Context()), lmtest.Ask("hello"))
	e := lm.AsError(err)
	want := []string{
		"model.small: the messages have 5 characters, more than its input_size_max of 3",
		"model.weak: its quality of 0.2 is below quality_min, 0.5",
		"model.unsure: it answered with `sure` = 0.25, and 0.7 is needed",
		"model.broken: server: as scripted",
	}
	if e == nil || e.Kind != lm.KindNoMember || e.Model != "model.steady" || !slices.Equal(e.Reasons, want) {
		t.Fatalf("%+v\nwant %q", e, want)
	}
	if !strings.HasPrefix(err.Error(), "model.steady: no_member: none of its 4 members answers: model.small: the") {
		t.Errorf("it reads %s", err)
	}
	if len(e.Spent) != 1 || e.Spent[0].Address != "test/unsure" || *e.Spent[0].Cost != 0.0003 {
		t.Errorf("paid %+v", e.Spent)
	}
	var inner *lm.Error
	if !errors.As(e.Err, &inner) || inner.Kind != lm.KindServer {
		t.Errorf("the cause is %v", e.Err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = route.Generate(ctx, lmtest.Ask("x"))
	if e := lm.AsError(err); e.Kind != lm.KindCanceled {
		t.Errorf("interrupted: %v", err)
	}
}

// TestRouteReply: what a call of a route costs, says and uses.
func TestRouteReply(t *testing.T) {
	cheap, dear := &actor{name: "cheap", price: usd(1), sure: []float64{0.1}}, &actor{name: "dear", price: usd(9)}
	hot, cold := 0.9, 0.1
	cheap.Params, dear.Params = lm.Params{Temperature: &hot}, lm.Params{Temperature: &hot}
	route := routeOf(lm.CostOptimized, []*actor{dear, cheap}, lm.RouteOptions{Confidence: "sure", ConfidenceMin: 0.7})
	said, resp, err := listen(judged(t.Context()), route)
	if err != nil || said != "cheap|dear" {
		t.Errorf("said %q, %v", said, err)
	}
	if len(resp.Also) != 1 || resp.Also[0].Address != "test/cheap" || *resp.Also[0].Cost != 0.00015 || *resp.Cost != 0.00135 {
		t.Errorf("the reply is %+v", resp)
	}
	var asked []lm.Params
	plain := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		asked = append(asked, req.Params)
		return lmtest.Text(req, "x"), nil
	})
	inner := lm.NewRoute(lm.Fallback, []lm.Member{{LM: plain, Params: lm.Params{Temperature: &hot}}}, lm.RouteOptions{Name: "model.inner"})
	outer := lm.NewRoute(lm.Fallback, []lm.Member{{LM: inner}}, lm.RouteOptions{Name: "model.outer"})
	req := lmtest.Ask("x")
	resp, _ = outer.Generate(t.Context(), req)
	req.Temperature = &cold
	outer.Generate(t.Context(), req)
	if *asked[0].Temperature != hot || *asked[1].Temperature != cold || resp.Address != "test/scripted" {
		t.Errorf("asked with %v and %v, answered by %s", *asked[0].Temperature, *asked[1].Temperature, resp.Address)
	}
	if f := routeOf(lm.Fallback, []*actor{{lacks: true}, {}}, lm.RouteOptions{}).Features(); !f.JSON || f.Schema || !f.Images {
		t.Errorf("the features are %+v", f)
	}
}
