package plan

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
)

// named resolves a name from outside the program: a declared model, or
// provider/name (a slash decides).
func (m *maker) named(name, from string, at source.Place) *Model {
	if strings.Contains(name, "/") {
		provider, id, _ := strings.Cut(name, "/")
		p, ok := m.opt.Universe.Provider(provider)
		if !ok || id == "" || p.Models != nil && !slices.Contains(p.Models, id) {
			m.unknownModel(name, from, at)
			return &Model{}
		}
		return m.address(name, from)
	}
	if x, ok := m.project.Model(strings.TrimPrefix(name, "model.")); ok {
		return m.declared(x, from, at)
	}
	m.unknownModel(name, from, at)
	return &Model{}
}

func (m *maker) unknownModel(name, from string, at source.Place) {
	d := diag.New("E0616", at, "no model is called `"+name+"`")
	var names []string
	for _, x := range m.project.Models {
		names = append(names, x.Name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The model `%s`, from %s, is neither declared nor an address `provider/name`.\n", name, from)
	if len(names) > 0 {
		fmt.Fprintf(&b, "\nDeclared are: %s.\n", strings.Join(names, ", "))
	}
	b.WriteString("\nProviders and an address of each:\n\n")
	for _, p := range m.opt.Universe.Providers {
		if p.Mute {
			continue
		}
		fmt.Fprintf(&b, "    %-10s  %s\n", p.Name, p.Example)
	}
	d.Say("%s", b.String())
	if near, ok := diag.Nearest(name, names); ok {
		d.Hint("did you mean `%s`?", near)
	}
	m.diags = append(m.diags, d)
}

func (m *maker) address(address, from string) *Model {
	provider, id, _ := strings.Cut(address, "/")
	key := "/" + address + " " + from
	if x, ok := m.models[key]; ok {
		return x
	}
	x := &Model{
		Address: address, Provider: provider, ID: id, Source: from,
		Timeout: DefaultTimeout, Concurrency: DefaultConcurrency, Retry: lm.DefaultRetry(),
		Breaker: lm.DefaultBreaker(),
	}
	m.finish(x)
	m.models[key] = x
	return x
}

func (m *maker) declared(d *program.Model, from string, at source.Place) *Model {
	key := d.Name + " " + from
	if x, ok := m.models[key]; ok {
		return x
	}
	x := &Model{
		Name: d.Name, Provider: d.Provider, Source: from,
		Timeout: orDefault(d.Timeout, DefaultTimeout), Concurrency: orDefault(d.Concurrency, DefaultConcurrency),
		Retry: lm.DefaultRetry(), Breaker: lm.DefaultBreaker(),
	}
	m.models[key] = x
	x.Retry.Attempts = orDefault(d.Attempts, x.Retry.Attempts)
	x.Retry.Base = orDefault(d.RetryBase, x.Retry.Base)
	x.Retry.Max = orDefault(d.RetryMax, x.Retry.Max)
	x.API = d.API
	x.RequestsPerMinute, x.TokensPerMinute = d.RequestsPerMinute, d.TokensPerMinute
	x.Timeouts = lm.Timeouts{Connect: d.Connect, FirstToken: d.FirstToken, Idle: d.Idle}
	x.Breaker.Failures = orDefault(d.BreakerFailures, x.Breaker.Failures)
	x.Breaker.Cooldown = orDefault(d.BreakerCooldown, x.Breaker.Cooldown)
	x.Hedge = lm.HedgePolicy{After: d.HedgeAfter, Max: orDefault(d.HedgeMax, 1)}
	if d.Price != nil {
		x.Price = &lm.Price{Input: d.Price.Input, Output: d.Price.Output}
	}
	fixed := func(v program.Value) any { return m.fixed(d.Names, v) }
	x.ID, _ = fixed(d.ID).(string)
	x.BaseURL, _ = fixed(d.BaseURL).(string)
	x.Key, _ = fixed(d.APIKey).(string)
	x.Secrets = append(m.secrets(d.Names, d.BaseURL), m.secrets(d.Names, d.APIKey)...)
	x.Params = Params(fixed, d.Temperature, d.TopP, d.MaxTokens, d.Seed, d.Stop, d.ReasoningEffort)
	x.Address = x.Provider + "/" + x.ID
	if d.Route != nil {
		x.Route = m.route(d.Route)
	}
	if x.Provider == "" {
		x.Address = "model." + d.Name
	}
	m.finish(x)
	return x
}

// finish fills in what the provider says: the key from the environment, and that
// it is free, as it is and as a server of one's own on this machine is.
func (m *maker) finish(x *Model) {
	p, ok := m.opt.Universe.Provider(x.Provider)
	if !ok {
		return
	}
	if x.Key == "" && p.KeyVar != "" && x.BaseURL == "" {
		x.Key = m.opt.Getenv(p.KeyVar)
	}
	if x.Price == nil && x.BaseURL == "" && m.opt.Prices != nil {
		x.Price = m.opt.Prices(x.Provider, x.ID)
	}
	if x.Price == nil {
		x.Own = p.Own && onThisMachine(x.BaseURL) && !inCloud(x.ID)
		if x.Own || p.Free {
			x.Price = &lm.Price{}
		}
	}
}

// onThisMachine reports whether a server of one's own is on this machine: it has no
// address but its usual one, or one of this machine.
func onThisMachine(address string) bool {
	if address == "" {
		return true
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// inCloud reports whether a model's name says that the server on this machine hands
// its calls on to a service, as Ollama does with gpt-oss:120b-cloud.
func inCloud(model string) bool {
	return strings.HasSuffix(model, "-cloud") || strings.HasSuffix(model, ":cloud")
}
