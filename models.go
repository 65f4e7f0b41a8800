package dspi

import (
	"fmt"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/stdlib/providers"
)

// limiters are those of the process, so that all its runs keep within a model's
// limits together.
var limiters = sync.OnceValue(func() *lm.Limiters { return &lm.Limiters{} })

// around puts the wrappers of a model's settings around what its provider opened. From
// the inside: nothing secret leaves the provider; each reply has its cost; each request
// has its time, its turn, and its share of the run's budget; a hedge is a further
// request; the circuit and the attempts are the whole call's.
func around(x lm.LM, m *plan.Model) lm.LM {
	x = lm.WithSecrets(x, secretsOf(m))
	x = lm.WithPrice(x, m.Price)
	times := m.Timeouts
	times.Whole = m.Timeout
	x = lm.WithTimeouts(x, times)
	x = limiters().Of(sameModel(m), lm.Limits{
		Concurrency: m.Concurrency, RequestsPerMinute: m.RequestsPerMinute, TokensPerMinute: m.TokensPerMinute,
	}).Limit(x)
	x = lm.WithBudgetOf(x, m.Price)
	x = lm.WithHedge(x, m.Hedge, m.Price)
	x = lm.WithBreaker(x, m.Breaker)
	return lm.WithRetry(x, m.Retry)
}

// sameModel is equal for models whose calls count together: those of one server,
// name and key.
func sameModel(m *plan.Model) string {
	return fmt.Sprintf("%q %q %q %q", m.Provider, m.BaseURL, m.ID, m.Key)
}

// providerConfig is what a model's provider is told.
func providerConfig(m *plan.Model) providers.Config {
	return providers.Config{Provider: m.Provider, Model: m.ID, BaseURL: m.BaseURL, Key: m.Key, API: m.API}
}

// route opens the members of a route, and the route over them.
func route(m *plan.Model, open func(*plan.Model) (lm.LM, error)) (lm.LM, error) {
	r := m.Route
	members := make([]lm.Member, len(r.Members))
	for i, x := range r.Members {
		opened, err := open(x.Model)
		if err != nil {
			return nil, err
		}
		name := x.Model.Address
		if x.Model.Name != "" {
			name = "model." + x.Model.Name
		}
		members[i] = lm.Member{
			Name: name, LM: opened, Params: x.Model.Params, Price: x.Model.Price,
			Weight: x.Weight, Quality: x.Quality,
			InputSizeMax: x.InputSizeMax, CostLimit: x.CostLimit, MaxLatency: x.MaxLatency,
		}
	}
	return lm.NewRoute(r.Strategy, members, lm.RouteOptions{
		Name: m.Address, QualityMin: r.QualityMin, Confidence: r.Confidence, ConfidenceMin: r.ConfidenceMin,
	}), nil
}
