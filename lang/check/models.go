package check

import (
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

func (c *checker) declareModels(fs *fileScope) {
	for _, d := range fs.own {
		if d.kind == modelKind {
			d.model = &program.Model{Name: d.full, Place: d.place, Names: c.variableNames(fs)}
			c.project.Models = append(c.project.Models, d.model)
		}
	}
}

func (c *checker) checkModels(fs *fileScope) {
	for _, d := range fs.own {
		if d.kind == modelKind {
			c.checkModel(fs, d)
		}
	}
}

func (c *checker) checkModel(fs *fileScope, d *decl) {
	b := d.node.(*syntax.Block)
	table, _ := c.u.Block("model")
	m := d.model
	s := c.settings(fs, b, table)
	m.Default, _ = constantOf[bool](s["default"])
	m.Timeout, _ = constantOf[time.Duration](s["timeout"])
	m.ID, m.BaseURL, m.APIKey = s["name"].value(), s["base_url"].value(), s["api_key"].value()
	m.Temperature, m.TopP, m.MaxTokens = s["temperature"].value(), s["top_p"].value(), s["max_tokens"].value()
	m.Seed, m.Stop, m.ReasoningEffort = s["seed"].value(), s["stop"].value(), s["reasoning_effort"].value()
	m.API, _ = constantOf[string](s["api"])
	c.mustBeFixed(s)
	blocks := c.modelBlocks(fs, b, table, m)
	if s["route"] != nil || s["models"] != nil || blocks.members != nil {
		c.checkRoute(fs, d, b, s, blocks)
	} else {
		c.checkProvider(fs, d, b, s)
		c.checkPlainModel(fs, d, s, blocks)
	}
}

// modelBlocks are the blocks of a model, as far as checks go over several of them.
type modelBlocks struct {
	settings map[string]map[string]*setting // by block and name
	heads    []blockHead                    // in the order of the text, without members
	members  []memberBlock
}

type blockHead struct {
	name string
	at   source.Place // its first word
	all  source.Place
}

type memberBlock struct {
	block    *syntax.Block
	at       source.Place
	settings map[string]*setting
}

// modelBlocks reads `limits`, `retry`, `price` and the like.
func (c *checker) modelBlocks(fs *fileScope, b *syntax.Block, table *universe.Block, m *program.Model) (out modelBlocks) {
	out.settings = map[string]map[string]*setting{}
	if b.Body == nil {
		return out
	}
	seen := map[string]source.Place{}
	for _, it := range b.Body.Items {
		switch it := it.(type) {
		case *syntax.Attribute, *syntax.Bad:
			continue
		case *syntax.Block:
			inner, ok := table.Block(it.KindName())
			if !ok {
				c.report(unknownInnerBlock(fs, it, "a model", table))
				continue
			}
			if inner.Name != "member" && !c.once(seen, fs, syntax.Ident{Name: inner.Name, Span: it.KindSpan()}, "block") {
				continue
			}
			if len(it.Labels) > 0 {
				c.report(blockWithManyNames(fs, it))
			}
			s := c.settings(fs, it, inner)
			c.onlySettings(fs, it, code(inner.Name))
			c.mustBeFixed(s)
			if inner.Name == "member" {
				out.members = append(out.members, memberBlock{it, fs.place(it.KindSpan()), s})
				continue
			}
			out.settings[inner.Name] = s
			out.heads = append(out.heads, blockHead{inner.Name, fs.place(it.KindSpan()), fs.place(it.Span)})
			switch inner.Name {
			case "limits":
				m.Concurrency, _ = constantOf[int](s["concurrency"])
				m.RequestsPerMinute, _ = constantOf[int](s["requests_per_minute"])
				m.TokensPerMinute, _ = constantOf[int](s["tokens_per_minute"])
			case "timeouts":
				m.Connect, _ = constantOf[time.Duration](s["connect"])
				m.FirstToken, _ = constantOf[time.Duration](s["first_token"])
				m.Idle, _ = constantOf[time.Duration](s["idle"])
			case "breaker":
				m.BreakerFailures, _ = constantOf[int](s["failures"])
				m.BreakerCooldown, _ = constantOf[time.Duration](s["cooldown"])
			case "hedge":
				m.HedgeAfter, _ = constantOf[time.Duration](s["after"])
				m.HedgeMax, _ = constantOf[int](s["max"])
			case "retry":
				m.Attempts, _ = constantOf[int](s["attempts"])
				m.RetryBase, _ = constantOf[time.Duration](s["base"])
				m.RetryMax, _ = constantOf[time.Duration](s["max"])
			case "price":
				in, ok1 := floatOf(s["input"])
				out, ok2 := floatOf(s["output"])
				if ok1 && ok2 {
					m.Price = &program.Price{Input: in, Output: out}
				}
			}
		default:
			c.report(notAllowedHere(fs.place(headOf(it)), "this", "a model", "a model holds settings, `limits`, `retry` and `price`"))
		}
	}
	return out
}

func floatOf(s *setting) (float64, bool) {
	if f, ok := constantOf[float64](s); ok {
		return f, true
	}
	n, ok := constantOf[int](s)
	return float64(n), ok
}

func (c *checker) checkProvider(fs *fileScope, d *decl, b *syntax.Block, s map[string]*setting) {
	p, ok := s["provider"]
	if !ok {
		if _, named := s["name"]; named && c.opaque(b) {
			return
		}
		if !c.opaque(b) {
			c.report(diag.New("E0502", d.place, "the model "+code(d.name)+" has no "+code("provider")).
				Say("A provider says whose protocol the model speaks: %s.", quotedList(c.u.ProviderNames())).
				Hint("write it in the block: provider = \"openai\""))
		}
		return
	}
	name, ok := constantOf[string](p)
	if !ok {
		if !p.bad {
			c.report(diag.New("E0307", p.at, "a provider is written as fixed text"))
		}
		return
	}
	prov, ok := c.u.Provider(name)
	if !ok {
		c.report(c.unknownProvider(p.at, name))
		return
	}
	d.model.Provider = prov.Name
	id, named := s["name"]
	if !named {
		c.report(diag.New("E0502", d.place, "the model "+code(d.name)+" has no "+code("name")).
			Say("`name` is what the provider calls the model, say `%s`.", afterSlash(prov.Example)))
		return
	}
	if text, ok := constantOf[string](id); ok && prov.Mute && !strings.Contains(text, ":") {
		c.report(diag.New("E0310", id.at, "this names no function").
			Say("A function is named `module:function`, say `\"embed:vectors\"` for `vectors` in embed.py beside this file."))
	}
	if text, ok := constantOf[string](id); ok && prov.Models != nil && !slices.Contains(prov.Models, text) {
		c.report(unknownModelOf(id.at, prov, text))
	}
}

// opaque reports whether a part of the block was not understood, so that what
// is missing may have been in it.
func (c *checker) opaque(b *syntax.Block) bool {
	return b.Body == nil || slices.ContainsFunc(b.Body.Items, isBad) || b.Body.Close.Len() == 0
}

func routes(u *universe.Universe) []string {
	b, _ := u.Block("model")
	s, _ := b.Setting("route")
	return s.Choices
}

// modelRef reads `model.NAME`, an address in quotes or, where variables may
// stand, `var.NAME` of type model. The zero ModelRef means that it was reported.
func (c *checker) modelRef(fs *fileScope, at source.Place, text string, variables bool) program.ModelRef {
	if name, ok := strings.CutPrefix(text, "model."); ok {
		d, ok := fs.lookup(modelKind, name)
		if !ok {
			c.report(c.unknownModel(fs, at, name))
			return program.ModelRef{}
		}
		if p, known := c.providerOf(d); known && p.Mute {
			c.report(muteModel(at, text, p).Relate(d.place, "declared here"))
			return program.ModelRef{}
		}
		return program.ModelRef{Model: d.model, Place: at}
	}
	if strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) && len(text) > 2 {
		address := text[1 : len(text)-1]
		provider, name, ok := strings.Cut(address, "/")
		if !ok {
			d := diag.New("E0310", at, "a model is named `model.NAME` or `\"provider/name\"`").
				Say("Without a slash this is not an address.")
			if _, declared := fs.lookup(modelKind, address); declared {
				d.Fix("the declared model is "+code("model."+address), at, "model."+address)
			}
			for _, p := range c.u.Providers { // gpt-… is OpenAI's, as its example says
				family, _, cut := strings.Cut(afterSlash(p.Example), "-")
				if cut && strings.HasPrefix(address, family+"-") {
					d.Fix("name its provider", at, `"`+p.Name+"/"+address+`"`)
				}
			}
			c.report(d)
			return program.ModelRef{}
		}
		p, known := c.u.Provider(provider)
		if !known {
			c.report(c.unknownProvider(at, provider))
			return program.ModelRef{}
		}
		if p.Models != nil && !slices.Contains(p.Models, name) {
			c.report(unknownModelOf(at, p, name))
			return program.ModelRef{}
		}
		if p.Mute {
			c.report(muteModel(at, text, p))
			return program.ModelRef{}
		}
		return program.ModelRef{Address: address, Place: at}
	}
	if name, ok := strings.CutPrefix(text, "var."); ok && variables {
		d, ok := fs.lookup(variableKind, name)
		if !ok {
			c.report(c.unknownVariable(fs, at, name))
			return program.ModelRef{}
		}
		if _, isModel := d.variable.Type.(types.Model); !isModel {
			if !types.IsInvalid(d.variable.Type) {
				c.report(diag.New("E0310", at, code(text)+" is "+article(d.variable.Type.String())+", not a model").
					Relate(d.place, "declared here"))
			}
			return program.ModelRef{}
		}
		return program.ModelRef{Variable: d.variable, Place: at}
	}
	dg := diag.New("E0310", at, "a model is expected here").
		Say("A model is named `model.NAME`, or by its address `\"provider/name\"`.")
	if _, declared := fs.lookup(modelKind, text); declared {
		dg.Fix("did you mean "+code("model."+text)+"?", at, "model."+text)
	}
	c.report(dg)
	return program.ModelRef{}
}

// muteModel says that a model makes vectors and answers nothing.
func muteModel(at source.Place, text string, p *universe.Provider) *diag.Diagnostic {
	return diag.New("E0310", at, code(text)+" answers nothing").
		Say("The models of `%s` make vectors of texts, for retrievers: `embedder = %s`.", p.Name, text)
}

func (c *checker) checkDefaultModel() {
	var first *program.Model
	for _, m := range c.project.Models {
		if !m.Default {
			continue
		}
		if p, known := c.u.Provider(m.Provider); known && p.Mute {
			c.report(muteModel(m.Place, "model."+m.Name, p))
			continue
		}
		if first != nil {
			c.report(diag.New("E0508", m.Place, code(m.Name)+" is a default model, too").
				Relate(first.Place, "%s is the default model already", code(first.Name)).
				Say("The default model answers every step for which nothing else is said, so there can be one."))
			continue
		}
		first = m
	}
}

func afterSlash(address string) string {
	_, name, _ := strings.Cut(address, "/")
	return name
}

// providerOf returns the provider of a declared model; nothing before the model was
// checked.
func (c *checker) providerOf(d *decl) (*universe.Provider, bool) {
	if d.model == nil {
		return nil, false
	}
	return c.u.Provider(d.model.Provider)
}
