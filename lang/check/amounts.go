package check

import (
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// amount reports settings of an optimizer that say in two ways how much is tried, or
// in none: the rules that gepa and mipro_v2 have for it.
func (c *checker) amount(fs *fileScope, x *syntax.Block, optimizer string, s map[string]*setting) {
	switch optimizer {
	case "gepa":
		c.gepaAmount(fs, s)
	case "mipro_v2":
		c.miproAmount(fs, x, s)
	}
}

func (c *checker) gepaAmount(fs *fileScope, s map[string]*setting) {
	calls, evals := s["max_metric_calls"], s["max_full_evals"]
	if calls == nil || evals == nil {
		return
	}
	c.report(diag.New("E0511", fs.place(evals.attr.Name.Span), code("max_metric_calls")+" says it already").
		Relate(fs.place(calls.attr.Name.Span), "here").
		Say("How much `gepa` tries is said once: with `auto`, with `max_full_evals` or with `max_metric_calls`."))
}

// miproAmount checks `auto`, `candidates` and `trials`: auto chooses the other two,
// unless it is off or both are given without it.
func (c *checker) miproAmount(fs *fileScope, x *syntax.Block, s map[string]*setting) {
	auto, candidates, trials := s["auto"], s["candidates"], s["trials"]
	size, known := "light", auto == nil
	if auto != nil {
		size, known = constantOf[string](auto)
	}
	one, missing := candidates, "trials"
	if one == nil {
		one, missing = trials, "candidates"
	}
	switch {
	case !known, one == nil && size != "off":
	case candidates != nil && trials != nil && (auto == nil || size == "off"):
	case size == "off" && one == nil:
		c.report(diag.New("E0502", auto.at, "then `candidates` and `trials` say how much is tried").
			Say("With `auto = \"off\"` the block needs both.").
			Hint("give both, such as: candidates = 8, trials = 20"))
	case auto == nil || size == "off":
		c.report(diag.New("E0502", fs.place(one.attr.Name.Span), code(one.attr.Name.Name)+" needs "+code(missing)+" beside it").
			Relate(fs.place(x.KindSpan()), "how much this tries").
			Say("Either `auto` chooses how many `candidates` and `trials` there are, or both are given.").
			Hint("give `%s`, too, or take `%s` out", missing, one.attr.Name.Name))
	default:
		c.report(diag.New("E0511", fs.place(one.attr.Name.Span), code("auto")+" chooses it").
			Relate(auto.at, "here").
			Say("Either `auto` chooses how many `candidates` and `trials` there are, or both are given.").
			Hint("take `%s` out, or say auto = \"off\" and give both", one.attr.Name.Name))
	}
}
