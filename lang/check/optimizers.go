package check

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/universe"
)

func (c *checker) checkOptimization(d *decl, b *syntax.Block) {
	fs := d.scope
	table, _ := c.u.Block("optimize")
	s := c.settings(fs, b, table)
	var optimizers []*syntax.Block
	blocks := c.inner(fs, b, table, "an optimization", func(x *syntax.Block) bool {
		if _, own := table.Block(x.KindName()); own {
			return false
		}
		optimizers = append(optimizers, x)
		return true
	})
	o := &program.Optimization{Name: d.full, Names: c.variableNames(fs), Place: d.place}
	c.project.Optimizations = append(c.project.Optimizations, o)
	o.Description, _ = constantOf[string](s["description"])
	o.Program = c.programOf(fs, s["program"])
	o.Train, o.Dev, o.Test = c.datasetOf(fs, s["train"]), c.datasetOf(fs, s["dev"]), c.datasetOf(fs, s["test"])
	o.Model, o.Teacher, o.PromptModel = c.modelOf(fs, s["model"]), c.modelOf(fs, s["teacher"]), c.modelOf(fs, s["prompt_model"])
	o.Concurrency, _ = constantOf[int](s["concurrency"])
	o.EarlyStop = true
	if v, ok := constantOf[bool](s["early_stop"]); ok {
		o.EarlyStop = v
	}
	o.SaveTo, _ = constantOf[string](s["save_to"])
	o.Seed = s["seed"].value()
	c.budget(fs, blocks["budget"], o)
	c.trainingData(fs, s, o)
	opts := c.stages(fs, d, b, optimizers, o)
	c.objectives(fs, d, b, s, o, opts)
	c.tuned(fs, s["tune"], o, opts)
}

func (c *checker) budget(fs *fileScope, b *syntax.Block, o *program.Optimization) {
	if b == nil {
		return
	}
	optimize, _ := c.u.Block("optimize")
	table, _ := optimize.Block("budget")
	s := c.settings(fs, b, table)
	c.onlySettings(fs, b, code("budget"))
	o.Budget = program.Budget{USD: s["usd"].value(), Calls: s["calls"].value(), Place: fs.place(b.KindSpan())}
	o.Budget.Time, _ = constantOf[time.Duration](s["time"])
}

// trainingData checks the data sets against the program and each other.
func (c *checker) trainingData(fs *fileScope, s map[string]*setting, o *program.Optimization) {
	sets := []struct {
		name string
		data *program.Dataset
	}{{"train", o.Train}, {"dev", o.Dev}, {"test", o.Test}}
	for i, x := range sets {
		if x.data == nil {
			continue
		}
		c.dataFits(fs, s[x.name].at, o.Program, x.data)
		for _, earlier := range sets[:i] {
			if earlier.data == x.data && x.name == "test" {
				c.report(diag.New("E0511", s[x.name].at, "these are the rows of "+code(earlier.name)).
					Relate(s[earlier.name].at, "here").
					Say("The rows of `test` are those that the optimizer never sees. On rows that it has seen the result looks better than it is."))
			}
		}
	}
}

// stages reads the blocks that say how is tuned. What could not be read was reported
// and is left out.
func (c *checker) stages(fs *fileScope, d *decl, b *syntax.Block, blocks []*syntax.Block, o *program.Optimization) []*universe.Optimizer {
	if len(blocks) == 0 && !c.opaque(b) {
		c.report(diag.New("E0523", d.place, "nothing says how "+code(d.name)+" tunes").
			Say("An optimizer is a block:\n\n%s", optimizerLines(c.u)).
			Hint("a good first one: bootstrap_few_shot {}"))
	}
	var opts []*universe.Optimizer
	for _, x := range blocks {
		if opt := c.stage(fs, x, o); opt != nil {
			opts = append(opts, opt)
		}
	}
	return opts
}

// stage reads the block of an optimizer; nil when there is none of its name, which
// was reported.
func (c *checker) stage(fs *fileScope, x *syntax.Block, o *program.Optimization) *universe.Optimizer {
	if len(x.Labels) > 0 {
		c.report(blockWithManyNames(fs, x))
	}
	opt, ok := c.u.Optimizer(x.KindName())
	if !ok {
		c.report(c.unknownOptimizer(fs, x))
		return nil
	}
	stage := &program.Stage{Optimizer: opt.Name, Place: fs.place(x.KindSpan())}
	o.Stages = append(o.Stages, stage)
	s := c.settings(fs, x, opt.Block())
	c.onlySettings(fs, x, code(opt.Name))
	c.amount(fs, x, opt.Name, s)
	for i := range opt.Settings {
		v, ok := s[opt.Settings[i].Name]
		if !ok || v.bad {
			continue
		}
		if v.decl.Kind == universe.ModelOf {
			if stage.Models == nil {
				stage.Models = map[string]program.ModelRef{}
			}
			stage.Models[v.decl.Name] = c.modelOf(fs, v)
			continue
		}
		stage.Settings = append(stage.Settings, program.Binding{Name: v.decl.Name, Value: v.value()})
	}
	return opt
}

func optimizerLines(u *universe.Universe) string {
	width := 0
	for _, o := range u.Optimizers {
		width = max(width, len(o.Name))
	}
	var b strings.Builder
	for _, o := range u.Optimizers {
		fmt.Fprintf(&b, "    %-*s  %s\n", width, o.Name, o.Doc)
	}
	return b.String()
}

func (c *checker) unknownOptimizer(fs *fileScope, b *syntax.Block) *diag.Diagnostic {
	name := b.KindName()
	at := fs.place(b.KindSpan())
	var names []string
	for _, o := range c.u.Optimizers {
		names = append(names, o.Name)
	}
	d := diag.New("E0522", at, "no optimizer is called "+code(name))
	near, ok := optimizerHabits[name]
	if _, exact := c.u.Optimizer(snake(name)); !ok && exact {
		near, ok = snake(name), true
	}
	if !ok {
		table, _ := c.u.Block("optimize")
		for _, own := range table.Blocks {
			names = append(names, own.Name)
		}
		near, ok = diag.Nearest(snake(name), names)
	}
	if ok {
		d.Primary.Text = "did you mean " + code(near) + "?"
		d.Fix("write "+code(near), at, near)
	}
	return d.Say("There are:\n\n%s", optimizerLines(c.u))
}

var optimizerHabits = map[string]string{
	"MIPROv2": "mipro_v2", "mipro": "mipro_v2", "MIPRO": "mipro_v2", "miprov2": "mipro_v2", "COPRO": "copro", "SIMBA": "simba", "GEPA": "gepa",
	"KNNFewShot": "knn_few_shot", "BootstrapRS": "bootstrap_few_shot_with_random_search",
	"NSGA2": "nsga2", "nsga_ii": "nsga2", "TPE": "tpe", "bayesian": "tpe", "bayesian_optimizer": "tpe", "optuna": "tpe",
	"grid_search": "grid", "random_search": "random", "hyperband": "successive_halving",
}

// snake writes BootstrapFewShot as bootstrap_few_shot.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// objectives reads what is to become better.
func (c *checker) objectives(fs *fileScope, d *decl, b *syntax.Block, s map[string]*setting, o *program.Optimization, opts []*universe.Optimizer) {
	data := o.Dev
	if data == nil {
		data = o.Train
	}
	one, up, down := s["metric"], s["maximize"], s["minimize"]
	if one != nil && (up != nil || down != nil) {
		other := up
		if other == nil {
			other = down
		}
		c.report(diag.New("E0511", fs.place(other.attr.Name.Span), code("metric")+" says it already").
			Relate(fs.place(one.attr.Name.Span), "here").
			Say("One aim is `metric = …`. Several are `maximize = […]` and `minimize = […]`."))
	}
	if one != nil && !one.bad {
		if use := c.metricAt(fs, one.at, o.Program, data); use != nil {
			o.Maximize = append(o.Maximize, use)
			if m, ok := c.u.Metric(use.Builtin); ok && m.Lower {
				c.report(diag.New("E0511", one.at, "less of "+code(use.Address())+" is better").
					Say("`metric` is made as high as possible.").
					Fix("make it low", source.Place{File: one.at.File, Span: one.attr.Span}, "minimize = ["+one.at.Text()+"]"))
			}
		}
	}
	if one == nil && up == nil && down == nil && !c.opaque(b) {
		c.report(diag.New("E0502", d.place, code(d.name)+" has no "+code("metric")).
			Say("A metric says what better means.").
			Hint("say it: metric = metric.exact_match"))
	}
	if one == nil {
		o.Maximize = c.metricList(fs, up, o.Program, data)
		o.Minimize = c.metricList(fs, down, o.Program, data)
		for _, use := range o.Minimize {
			if slices.ContainsFunc(o.Maximize, func(x *program.MetricUse) bool { return x.Address() == use.Address() }) {
				c.report(diag.New("E0511", down.at, code(use.Address())+" cannot be both").Relate(up.at, "made high here"))
			}
		}
	}
	n := len(o.Maximize) + len(o.Minimize)
	for _, opt := range opts {
		if n <= opt.Objectives {
			continue
		}
		at := d.place
		for _, x := range []*setting{down, up} {
			if x != nil {
				at = fs.place(x.attr.Name.Span)
			}
		}
		var many []string
		for _, x := range c.u.Optimizers {
			if x.Objectives >= n {
				many = append(many, x.Name)
			}
		}
		say := fmt.Sprintf("`%s` can weigh %s, and these are %d.", opt.Name, plural(opt.Objectives, "aim", "aims"), n)
		if len(many) > 0 {
			say += " These weigh several against each other: " + quotedList(many) + "."
		}
		c.report(diag.New("E0523", at, code(opt.Name)+" has too many aims").Say("%s", say))
	}
}

// tuned reads `tune = [var.k, program.qa.respond.demos]`.
func (c *checker) tuned(fs *fileScope, s *setting, o *program.Optimization, opts []*universe.Optimizer) {
	if s == nil || s.bad {
		return
	}
	seen := map[string]source.Place{}
	for _, at := range c.list(fs, s, "var.k, program.qa.respond.demos") {
		t, ok := c.tunable(fs, at, o)
		if !ok || !c.once(seen, fs, identAt(at), "entry") {
			continue
		}
		part := "variables"
		if t.Step != nil && !slices.Contains(program.TunableSettings, t.Part) {
			part = t.Part
		}
		if len(opts) > 0 && !slices.ContainsFunc(opts, func(x *universe.Optimizer) bool { return slices.Contains(x.Changes, part) }) {
			opt := opts[0]
			var who []string
			for _, x := range c.u.Optimizers {
				if slices.Contains(x.Changes, part) {
					who = append(who, x.Name)
				}
			}
			c.report(diag.New("E0524", at, code(opt.Name)+" does not change "+part).
				Say("It changes %s. These change %s: %s.", strings.Join(opt.Changes, " and "), part, quotedList(who)))
			continue
		}
		o.Tune = append(o.Tune, t)
	}
}

// tunable reads one thing that a tuner may change.
func (c *checker) tunable(fs *fileScope, at source.Place, o *program.Optimization) (program.Tunable, bool) {
	text := at.Text()
	if name, ok := strings.CutPrefix(text, "var."); ok {
		return c.tunableVariable(fs, at, name)
	}
	path, ok := strings.CutPrefix(text, "program.")
	if !ok {
		d := diag.New("E0524", at, "this cannot be tuned").
			Say("Variables can be tuned, and the demos and instructions of steps:\n\n    tune = [var.k, program.qa.respond.demos, program.qa.respond.instructions]")
		if meant, ok := tunableMeant(fs, text); ok {
			d.Primary.Text += "; did you mean " + code(meant) + "?"
			d.Fix("write "+code(meant), at, meant)
		}
		c.report(d)
		return program.Tunable{}, false
	}
	parts := strings.Split(path, ".")
	var d *decl
	n := 0
	for i := 1; i <= len(parts) && d == nil; i++ {
		if x, ok := fs.lookup(programKind, strings.Join(parts[:i], ".")); ok {
			d, n = x, i
		}
	}
	if d == nil {
		at.End = at.Start + int32(len("program.")+len(parts[0]))
		c.report(c.unknownDeclaration(fs, at, programKind, parts[0]))
		return program.Tunable{}, false
	}
	rest := parts[n:]
	if len(rest) != 2 {
		c.report(diag.New("E0524", at, "it must be said what of it is tuned").
			Say("The demos and instructions of a step can be tuned: `program.%s.STEP.demos`.\n\n%s", d.name, stepLines(d.program)))
		return program.Tunable{}, false
	}
	step, ok := d.program.Step(rest[0])
	if !ok {
		c.report(unknownStep(at, d, rest[0]))
		return program.Tunable{}, false
	}
	t := program.Tunable{Program: d.program, Step: step, Part: rest[1], Place: at}
	if parts := append([]string{"demos", "instructions"}, program.TunableSettings...); !slices.Contains(parts, t.Part) {
		where := at
		where.Start = at.End - int32(len(rest[1]))
		x := diag.New("E0524", where, "a step has no "+code(rest[1])+" to tune").Say("These of a step can be tuned: %s.", quotedList(parts))
		if near, ok := diag.Nearest(rest[1], parts); ok {
			x.Fix("did you mean "+code(near)+"?", where, near)
		}
		c.report(x)
		return program.Tunable{}, false
	}
	if step.Program != nil {
		c.report(diag.New("E0524", at, code(step.Name)+" calls a program").
			Say("Its demos and instructions are those of the steps of `%s`:\n\n%s", step.Program.Name, stepLines(step.Program)))
		return program.Tunable{}, false
	}
	if o.Program != nil && !reaches(o.Program, d.program, map[*program.Program]bool{}) {
		c.report(diag.New("E0524", at, code(o.Program.Name)+" does not use "+code(d.name)).
			Say("What is tuned belongs to the program that is measured, or to one that it calls."))
		return program.Tunable{}, false
	}
	return t, true
}

// tunableMeant returns what was most likely meant by a name that begins neither with
// `var.` nor with `program.`: the beginning is misspelt, or left out.
func tunableMeant(fs *fileScope, text string) (string, bool) {
	head, rest, dotted := strings.Cut(text, ".")
	if _, ok := fs.lookup(variableKind, text); ok {
		return "var." + text, true
	}
	if !dotted {
		return "", false
	}
	if _, ok := fs.lookup(programKind, head); ok {
		return "program." + text, true
	}
	near, ok := diag.Nearest(head, []string{"program", "var"})
	return near + "." + rest, ok
}

func (c *checker) tunableVariable(fs *fileScope, at source.Place, name string) (program.Tunable, bool) {
	d, ok := fs.lookup(variableKind, name)
	if !ok {
		c.report(c.unknownVariable(fs, at, name))
		return program.Tunable{}, false
	}
	v := d.variable
	switch {
	case v.Tunes():
		return program.Tunable{Variable: v, Place: at}, true
	case v.Sensitive:
		c.report(diag.New("E0524", at, "a secret is not tuned").Relate(d.place, "declared here"))
	case !v.Computed.IsZero():
		c.report(diag.New("E0524", at, code(name)+" is made of other variables").Relate(d.place, "declared here").
			Say("Tune the variables that it is made of."))
	default:
		c.report(diag.New("E0524", at, "the values of "+code(name)+" are not bounded").
			Relate(d.place, "declared here as %s", code(v.Type.String())).
			Say("A tuner needs to know what to try. A number needs both bounds, `int(min = 1, max = 10)`; a text its choices, `\"short\" | \"long\"`; a model or module its `choices`."))
	}
	return program.Tunable{}, false
}

func unknownStep(at source.Place, d *decl, name string) *diag.Diagnostic {
	where := at
	i := strings.LastIndex(at.Text(), "."+name+".")
	where.Start = at.Start + int32(i) + 1
	where.End = where.Start + int32(len(name))
	x := diag.New("E0524", where, code(d.name)+" has no step "+code(name)).Relate(d.place, "declared here")
	var names []string
	for _, s := range d.program.Steps {
		names = append(names, s.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		x.Fix("did you mean "+code(near)+"?", where, near)
	}
	return x.Say("%s", stepLines(d.program))
}

func stepLines(p *program.Program) string {
	var b strings.Builder
	b.WriteString("The steps of `" + p.Name + "`:\n\n")
	for _, s := range p.Steps {
		what := s.Module
		if s.Program != nil {
			what = "calls " + s.Program.Name
		}
		fmt.Fprintf(&b, "    %s  (%s)\n", s.Name, what)
	}
	return b.String()
}

// reaches reports whether running from runs to, too.
func reaches(from, to *program.Program, seen map[*program.Program]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, s := range from.Steps {
		if s.Program != nil && reaches(s.Program, to, seen) {
			return true
		}
	}
	return false
}
