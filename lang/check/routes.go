package check

import (
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Here are the checks of models that go over several settings: what a route may
// hold, and what makes no sense together.

// checkRoute reads a model that is a choice among others.
func (c *checker) checkRoute(fs *fileScope, d *decl, b *syntax.Block, s map[string]*setting, blocks modelBlocks) {
	c.notOfRoute(fs, d, s, blocks)
	r := &program.Route{Place: d.place}
	if x, ok := s["route"]; ok {
		r.Strategy, _ = constantOf[string](x)
		r.Place = fs.place(x.attr.Span)
	} else if !c.opaque(b) {
		at := d.place
		if x, ok := s["models"]; ok {
			at = fs.place(x.attr.Name.Span)
		} else if len(blocks.members) > 0 {
			at = blocks.members[0].at
		}
		c.report(diag.New("E0502", at, "the model "+code(d.name)+" has no "+code("route")).
			Say("A route says how one of several models is chosen for a call: %s.", quotedList(routes(c.u))).
			Hint("write it in the block: route = \"fallback\""))
	}
	models, listed := s["models"]
	switch {
	case listed && len(blocks.members) > 0:
		c.report(diag.New("E0511", blocks.members[0].at, "the models are listed already").
			Relate(fs.place(models.attr.Span), "here").
			Say("A route lists its models in `models`, or has a `member` block for each, which can say more about it.").
			Hint("make a `member` block of each model in the list, and take the list away"))
	case listed:
		for _, n := range c.nameList(fs, models) {
			at := fs.place(n.Span)
			if ref := c.modelRef(fs, at, at.Text(), false); !ref.IsZero() {
				r.Members = append(r.Members, program.RouteMember{Model: ref})
			}
		}
		if len(r.Members) == 0 && !models.bad && strings.TrimSpace(strings.Trim(models.at.Text(), "[]")) == "" {
			c.report(diag.New("E0502", models.at, "the route "+code(d.name)+" has no models").
				Hint("list the models to choose from: models = [model.fast, model.local]"))
		}
	case len(blocks.members) == 0 && !c.opaque(b):
		c.report(diag.New("E0502", d.place, "the route "+code(d.name)+" has no "+code("models")).
			Hint("list the models to choose from: models = [model.fast, model.local]"))
		return
	}
	for _, x := range blocks.members {
		if m, ok := c.routeMember(fs, x); ok && !listed {
			r.Members = append(r.Members, m)
		}
	}
	c.listedTwice(r)
	r.QualityMin, _ = floatOf(s["quality_min"])
	r.Confidence, _ = constantOf[string](s["confidence"])
	r.ConfidenceMin, _ = floatOf(s["confidence_min"])
	c.strategySettings(fs, d, s, blocks, r)
	d.model.Route = r
}

// routeMember reads a `member` block.
func (c *checker) routeMember(fs *fileScope, x memberBlock) (m program.RouteMember, ok bool) {
	ref, named := x.settings["model"]
	if !named || ref.attr.Value == nil {
		return m, false // settings has spoken
	}
	m.Model = c.modelRef(fs, ref.at, ref.at.Text(), false)
	m.Weight, _ = floatOf(x.settings["weight"])
	if q, ok := floatOf(x.settings["quality"]); ok {
		m.Quality = &q
	}
	m.InputSizeMax, _ = constantOf[int](x.settings["input_size_max"])
	m.CostLimit, _ = floatOf(x.settings["cost_limit"])
	m.MaxLatency, _ = constantOf[time.Duration](x.settings["max_latency"])
	return m, !m.Model.IsZero()
}

// notOfRoute reports settings and blocks that belong to the members of a route.
func (c *checker) notOfRoute(fs *fileScope, d *decl, s map[string]*setting, blocks modelBlocks) {
	if p, ok := s["provider"]; ok {
		c.report(diag.New("E0511", fs.place(p.attr.Name.Span), "a route has no provider of its own").
			Say("A model is either one model (`provider`, `name`) or a choice among several (`route`, `models`)."))
		return
	}
	for _, name := range []string{"name", "base_url", "api_key", "api", "timeout"} {
		if x, ok := s[name]; ok {
			c.report(c.without(diag.New("E0511", fs.place(x.attr.Name.Span), "a route has no "+code(name)+" of its own").
				Say("The route `%s` chooses among models, and each has its own `%s`.", d.name, name), fs, x.attr.Span, code(name)))
		}
	}
	for _, h := range blocks.heads {
		c.report(c.without(diag.New("E0511", h.at, "a route has no "+code(h.name)+" of its own").
			Say("The route `%s` chooses among models, and each has its own `%s`.", d.name, h.name), fs, h.all.Span, code(h.name)))
	}
}

// listedTwice reports a model that is twice in a route.
func (c *checker) listedTwice(r *program.Route) {
	for i, m := range r.Members {
		for _, before := range r.Members[:i] {
			if before.Model.String() == m.Model.String() {
				c.report(diag.New("E0511", m.Model.Place, code(m.Model.String())+" is in the route twice").
					Relate(before.Model.Place, "it is here already").
					Say("A model that could not answer is not asked again by its route. How often it is tried itself, its `retry` says."))
				break
			}
		}
	}
}

// strategySettings checks the settings that only some strategies use.
func (c *checker) strategySettings(fs *fileScope, d *decl, s map[string]*setting, blocks modelBlocks, r *program.Route) {
	only := func(x *setting, strategies ...string) {
		if x == nil || r.Strategy == "" || slices.Contains(strategies, r.Strategy) {
			return
		}
		c.report(c.without(diag.New("E0511", fs.place(x.attr.Name.Span), "a route that is "+code(r.Strategy)+" does not use "+code(x.decl.Name)).
			Relate(r.Place, "the route says how it chooses here").
			Say("`%s` is for routes that are %s. %s", x.decl.Name, quotedList(strategies), x.decl.Doc), fs, x.attr.Span, code(x.decl.Name)))
	}
	for _, name := range []string{"quality_min", "confidence", "confidence_min"} {
		only(s[name], "cost_optimized")
	}
	for _, x := range blocks.members {
		only(x.settings["weight"], "load_balanced")
		only(x.settings["quality"], "cost_optimized", "adaptive")
	}
	sure, least := s["confidence"], s["confidence_min"]
	if r.Strategy != "" && r.Strategy != "cost_optimized" {
		return
	}
	if sure != nil && least == nil {
		c.report(diag.New("E0502", fs.place(sure.attr.Name.Span), "how sure must a reply be?").
			Say("`confidence` names the output that says how sure a reply is; `confidence_min` says what is enough.").
			Hint("write it in the block: confidence_min = 0.7"))
	}
	if least != nil && sure == nil {
		c.report(diag.New("E0502", fs.place(least.attr.Name.Span), "which output says how sure a reply is?").
			Say("`confidence_min` is the least that the output named by `confidence` must be.").
			Hint("write it in the block: confidence = \"sure\""))
	}
	if x := s["quality_min"]; x != nil && r.Strategy == "cost_optimized" {
		for i, m := range r.Members {
			if m.Quality != nil {
				continue
			}
			at := m.Model.Place
			if i < len(blocks.members) {
				at = blocks.members[i].at
			}
			c.report(diag.New("E0502", at, "how good is "+code(m.Model.String())+"?").
				Relate(fs.place(x.attr.Span), "only members whose `quality` is known can be compared with this").
				Hint("say it in its block: member { model = %s, quality = 0.8 }", m.Model.String()))
		}
	}
}

// checkPlainModel checks a model that is no route.
func (c *checker) checkPlainModel(fs *fileScope, d *decl, s map[string]*setting, blocks modelBlocks) {
	for _, name := range []string{"quality_min", "confidence", "confidence_min"} {
		if x, ok := s[name]; ok {
			c.report(c.without(diag.New("E0511", fs.place(x.attr.Name.Span), code(d.name)+" is one model and no route").
				Say("`%s` is for a choice among several models (`route`, `models`).", name), fs, x.attr.Span, code(name)))
		}
	}
	if x, ok := s["api"]; ok && d.model.Provider != "" && d.model.Provider != "openai" {
		c.report(c.without(diag.New("E0511", fs.place(x.attr.Name.Span), "the provider "+code(d.model.Provider)+" has one interface").
			Say("`api` chooses between the two interfaces of the provider `openai`."), fs, x.attr.Span, code("api")))
	}
	whole, at := d.model.Timeout, source.Place{}
	if x, ok := s["timeout"]; ok && whole > 0 {
		at = fs.place(x.attr.Span)
	} else {
		whole = defaultTimeout
	}
	part := func(block, name string) {
		x := blocks.settings[block][name]
		if t, ok := constantOf[time.Duration](x); ok && t >= whole {
			c.report(c.without(diag.New("E0511", x.at, "`timeout` comes first").
				Relate(at, "no reply may take longer").
				Say("A whole reply may take %s (`timeout`), so `%s` of `%s`, which is %s, never has an effect.", span(whole), name, block, span(t)),
				fs, x.attr.Span, code(name)).Hint("or allow more time for the whole reply with `timeout`"))
		}
	}
	part("timeouts", "connect")
	part("timeouts", "first_token")
	part("timeouts", "idle")
	if x := blocks.settings["hedge"]["after"]; x != nil {
		if t, ok := constantOf[time.Duration](x); ok && t >= whole {
			c.report(diag.New("E0511", x.at, "`timeout` comes first").
				Relate(at, "no reply may take longer").
				Say("A whole reply may take %s (`timeout`), so a further request after %s is never sent.", span(whole), span(t)).
				Hint("hedge earlier, or allow more time with `timeout`"))
		}
	}
	if base, most := d.model.RetryBase, d.model.RetryMax; base > 0 && most > 0 && base > most {
		x := blocks.settings["retry"]["base"]
		c.report(diag.New("E0511", x.at, "the first wait is longer than the longest").
			Relate(blocks.settings["retry"]["max"].at, "the longest wait is this").
			Say("`base` is the first wait between attempts, and `max` the longest of all."))
	}
}

// defaultTimeout is the `timeout` of a model that sets none.
const defaultTimeout = time.Minute

func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}

// without adds the way out of taking an item away, with the comma behind it.
func (c *checker) without(d *diag.Diagnostic, fs *fileScope, at source.Span, what string) *diag.Diagnostic {
	text := fs.file.Source.Text
	end := int(at.End)
	for end < len(text) && (text[end] == ' ' || text[end] == '\t') {
		end++
	}
	if end < len(text) && text[end] == ',' {
		at.End = int32(end + 1)
	}
	return d.Fix("take "+what+" away", fs.place(at), "")
}

// mustBeFixed reports values of a model's settings that variables would change, where
// only fixed ones are read.
func (c *checker) mustBeFixed(s map[string]*setting) {
	for _, x := range s {
		switch x.decl.Name {
		case "provider", "name", "base_url", "api_key":
			continue
		}
		if x.expr == nil || x.bad || x.fixed || slices.ContainsFunc(universe.CallSettings, func(y universe.Setting) bool { return y.Name == x.decl.Name }) {
			continue
		}
		c.report(diag.New("E0307", x.at, code(x.decl.Name)+" is written as a fixed value").
			Say("This setting of a model cannot depend on a variable.").
			Hint("declare one model for each value, and let a variable of type `model` choose"))
	}
}

// checkRouteRings reports routes that choose each other.
func (c *checker) checkRouteRings() {
	state := map[*program.Model]int{} // 1: on the way, 2: done
	var visit func(m *program.Model)
	visit = func(m *program.Model) {
		state[m] = 1
		for i := 0; m.Route != nil && i < len(m.Route.Members); i++ {
			ref := m.Route.Members[i].Model
			switch {
			case ref.Model == nil || state[ref.Model] == 2:
				continue
			case state[ref.Model] == 0:
				visit(ref.Model)
				continue
			}
			label := "the route " + code(m.Name) + " leads back to " + code(ref.Model.Name)
			if ref.Model == m {
				label = "the route " + code(m.Name) + " chooses itself"
			}
			c.report(diag.New("E0405", ref.Place, label).
				Say("A call that is sent round in a ring is answered by nobody.").
				Hint("take it out of the list"))
			m.Route.Members = slices.Delete(m.Route.Members, i, i+1)
			i--
		}
		state[m] = 2
	}
	for _, m := range c.project.Models {
		if state[m] == 0 {
			visit(m)
		}
	}
}
