package reference

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/universe"
)

// blocks is the page about blocks at the top of a file.
func blocks(u *universe.Universe) string {
	p := &page{}
	p.line("# Blocks\n\n" + made)
	p.line("These stand at the top of a file. Values marked *known before a run* may use variables, but no inputs and no steps.")
	for _, b := range u.Blocks {
		p.block(b, "##")
		if b.Example != "" {
			p.fence("dsp", b.Example)
		}
	}
	p.line("\n## Built-in tools\n\n| tool | signature | |\n|---|---|---|")
	for _, t := range u.Tools {
		p.line("| %s | %s | %s |", code("tool."+t.Name), code(cell(fields(t.Inputs)+" -> "+fields(t.Outputs))), cell(t.Doc))
	}
	p.line("\n## Built-in metrics\n\n| metric | gives | better | called in expressions | |\n|---|---|---|---|---|")
	for _, m := range u.Metrics {
		better, call, gives := "higher", "", m.Type.String()
		if m.Lower {
			better = "lower"
		}
		if m.Params != "" {
			call = code(m.Name + "(" + m.Params + ")")
		}
		if m.Unit != "" {
			gives += ", " + m.Unit
		}
		p.line("| %s | %s | %s | %s | %s |", code("metric."+m.Name), gives, better, call, cell(m.Doc))
	}
	return p.String()
}

// optimizers is the page about ways to tune.
func optimizers(u *universe.Universe) string {
	p := &page{}
	p.line("# Optimizers\n\n" + made)
	p.line("One stands as a block in an [`optimize`](blocks.md#optimize) block.\n\n| optimizer | changes | aims | |\n|---|---|---|---|")
	for _, o := range u.Optimizers {
		p.line("| [%s](#%s) | %s | %d | %s |", o.Name, o.Name, strings.Join(o.Changes, ", "), o.Objectives, cell(o.Doc))
	}
	for _, o := range u.Optimizers {
		p.line("\n## %s\n\n%s", o.Name, o.Doc)
		p.settingTable(o.Settings)
		if o.Example != "" {
			p.line("\n```dsp fragment\n%s\n```", o.Example)
		}
	}
	return p.String()
}

// block writes what may stand in a block; its inner blocks follow one level below.
func (p *page) block(b universe.Block, level string) {
	p.line("\n%s %s\n\n%s", level, b.Name, b.Doc)
	var holds []string
	if b.Signature {
		holds = append(holds, "fields")
	}
	if b.Names {
		holds = append(holds, "`name = value` for names of yours")
	}
	if b.Steps {
		holds = append(holds, "steps", "named values (`let`)")
	}
	if len(b.Settings) > 0 {
		holds = append(holds, "settings")
	}
	for _, inner := range b.Blocks {
		holds = append(holds, code(inner.Name))
	}
	if len(holds) > 0 {
		p.line("It holds %s.", strings.Join(holds, ", "))
	}
	if b.Pending != "" {
		p.line("*Not obeyed yet: %s is missing.*", b.Pending)
	}
	p.settingTable(b.Settings)
	for _, inner := range b.Blocks {
		p.block(inner, level+"#")
	}
}

// steps is the page about modules.
func steps(u *universe.Universe) string {
	p := &page{}
	p.line("# Steps\n\n" + made)
	p.line("A step is `MODULE NAME { … }` in a program. MODULE is one of these, or a declared program.")
	p.block(u.Step, "##")
	p.fence("dsp", u.Step.Example)
	p.block(universe.RepeatBlock, "##")
	p.fence("dsp", universe.RepeatBlock.Example)
	p.line("\n## Adapters\n\n| adapter | |\n|---|---|")
	for _, a := range u.Adapters {
		p.line("| %s | %s |", code(a.Name), cell(a.Doc))
	}
	p.line("\n## Modules\n\n| module | |\n|---|---|")
	for _, m := range u.Modules {
		p.line("| [%s](#%s) | %s |", m.Name, m.Name, cell(m.Doc))
	}
	for _, m := range u.Modules {
		p.module(m)
	}
	return p.String()
}

func (p *page) module(m universe.Module) {
	p.line("\n### %s\n\n%s.", m.Name, strings.ToUpper(m.Doc[:1])+m.Doc[1:])
	if m.Pending != "" {
		p.line("*Not run yet: %s is missing; it is checked and planned.*", m.Pending)
	}
	if m.Outputs != nil {
		p.line("Its signature is its own: `%s -> %s`.", fields(m.Inputs), fields(m.Outputs))
	}
	if len(m.Adds) > 0 {
		p.line("It adds the outputs `%s` before those of the signature.", fields(m.Adds))
	}
	if m.Wraps {
		p.line("It holds one module as a block without a name.")
	}
	if m.Opaque {
		p.line("It calls no model by itself.")
	}
	p.settingTable(m.Settings)
	p.fence("dsp", m.Example)
}

// settings is the page about dspi.hcl.
func settings() string {
	p := &page{}
	p.line("# Project settings\n\n" + made)
	p.line("A `%s` holds them. %s `dspi config` shows the value of each and where it came from.", universe.Project.Name, universe.Project.Doc)
	p.settingTable(universe.Project.Settings)
	for _, b := range universe.Project.Blocks {
		p.block(b, "##")
	}
	p.fence("hcl", universe.Project.Example)
	return p.String()
}
