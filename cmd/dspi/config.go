package main

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/spf13/cobra"
)

func configCommand(a *app) *cobra.Command {
	var s settings
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config [FILE]",
		Short: "Show every setting, and where it comes from",
		Long: `Shows what a run would be set to: the model of every step, the value of every
variable, the settings of the project; and for each where it comes from and what
it overrides. Nothing is sent. Secrets are shown as ••••.

The order is one for all: --model and --var, then --vars, the environment
(DSPI_VAR_k), --state, what the program says, $DSPI_MODEL, the file's default,
dspi.hcl, what is built in. A model that is written on a step or program yields
only to --model.

dspi.hcl is that of the file's folder, or the nearest one above. Without FILE the
settings of the current folder are shown.`,
		Example: `  dspi config hello.dsp
  dspi config rag.dsp --vars prod.dspvars --var k=8 --json
  dspi config`,
		Args: arguments(0, 1, "a file"),
		RunE: func(_ *cobra.Command, args []string) error { return a.config(args, s, asJSON) },
	}
	s.flags(cmd, true)
	s.stateFlag(cmd)
	jsonFlag(cmd, &asJSON, "print one JSON object")
	none := ""
	completeRun(a, cmd, &none)
	completeFiles(cmd)
	return cmd
}

// config is `dspi config`.
func (a *app) config(args []string, s settings, asJSON bool) error {
	shown := configured{Models: []configModel{}, Variables: []configVariable{}, Settings: []configSetting{}}
	// Without a file a program that says nothing stands for one.
	at, signature := "", "input -> output"
	if len(args) > 0 {
		at, signature = args[0], ""
		shown.File = at
	}
	project, err := a.load(at, signature)
	if err != nil {
		return err
	}
	if err := a.tune(project, "", &s); err != nil {
		return err
	}
	own, diags := dspi.LoadSettings(project.Root.Name)
	given, err := a.variables(project, s)
	if err != nil {
		return err
	}
	for _, p := range project.Programs {
		if p.Place.File != project.Root {
			continue
		}
		sketch, found, err := dspi.Sketch(project, dspi.PlanOptions{
			Program: p.Name, Model: s.model, DefaultModel: a.getenv("DSPI_MODEL"), Settings: own, Vars: dspi.Values(given), Getenv: a.getenv,
		})
		if err != nil {
			return err
		}
		for _, d := range found {
			if d.Code != "E0512" { // that a variable has no value is shown below
				diags = append(diags, d)
			}
		}
		shown.addModels(sketch, nil, shown.File == "")
	}
	for _, v := range project.Variables {
		shown.Variables = append(shown.Variables, variableOf(v, given[v.Name]))
	}
	if own != nil {
		shown.SettingsFile = own.File.Name
	}
	shown.addSettings(own, &universe.Project, "")
	diags.Sort()
	if asJSON {
		if err := a.writeJSON(shown); err != nil {
			return err
		}
	} else {
		fmt.Fprint(a.out, shown.text())
	}
	if len(diags) > 0 {
		if !asJSON {
			fmt.Fprintln(a.err)
		}
		a.tellReports(diags.Reports(), sources(diags))
	}
	if diags.HasErrors() {
		return &exit{code: statusOf(diags)}
	}
	return nil
}

// configured is what `dspi config` shows.
type configured struct {
	File         string           `json:"file"`          // "" when none was named
	SettingsFile string           `json:"settings_file"` // "" when there is none
	Models       []configModel    `json:"models"`
	Variables    []configVariable `json:"variables"`
	Settings     []configSetting  `json:"settings"`
}

// origin is a value and where it comes from.
type origin struct {
	Value  any    `json:"value"`
	Source string `json:"source"` // "--var", "the program", "dspi.hcl", …
	File   string `json:"file"`   // "" when it is in no file
	Line   int    `json:"line"`
	Column int    `json:"column"`

	said string // the value as people read it
}

func originOf(v any, said, from string, at source.Place) origin {
	o := origin{Value: v, Source: from, said: said}
	if at.File != nil {
		p := at.File.Position(at.Start)
		o.File, o.Line, o.Column = at.File.Name, p.Line, p.Column
	}
	return o
}

// where says where the value comes from.
func (o origin) where() string {
	if o.File == "" {
		return o.Source
	}
	at := fmt.Sprintf("%s:%d", o.File, o.Line)
	if o.Source == "dspi.hcl" || o.Source == "--vars" {
		return at
	}
	return at + ", " + o.Source
}

// configModel is the model of a step.
type configModel struct {
	Step    string   `json:"step"`    // "" for any that names none
	Through []string `json:"through"` // the steps that call its program
	Address string   `json:"address"`
	origin
	Also []origin `json:"also"` // what it overrides
}

// addModels adds the models of a plan's steps.
func (c *configured) addModels(p *plan.Plan, through []string, unnamed bool) {
	for _, op := range p.Ops {
		for _, held := range op.Parts {
			if held.Plan != nil {
				c.addModels(held.Plan, append(through[:len(through):len(through)], op.Address), unnamed)
			}
		}
		if op.Plan != nil {
			c.addModels(op.Plan, append(through[:len(through):len(through)], op.Address), unnamed)
			continue
		}
		if len(op.Choices) == 0 {
			continue
		}
		m := configModel{Step: op.Address, Through: append([]string{}, through...), Also: []origin{}}
		if unnamed {
			m.Step = ""
		}
		if op.Model != nil {
			m.Address = op.Model.Address
		}
		for i, choice := range op.Choices {
			from := strings.Replace(choice.Source, "nothing else", "built in", 1)
			name := config.WithoutSecrets(choice.Name)
			o := originOf(name, name, from, choice.Place)
			switch {
			case i == 0:
				m.origin = o
			case from != "built in": // nobody set it
				m.Also = append(m.Also, o)
			}
		}
		c.Models = append(c.Models, m)
	}
}

// configVariable is a variable and its value.
type configVariable struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Sensitive bool     `json:"sensitive"`
	Set       bool     `json:"set"` // false: it has no value
	Value     any      `json:"value"`
	Origin    *origin  `json:"origin"` // null: it has no value
	Also      []origin `json:"also"`
}

func variableOf(v *program.Variable, given []dspi.Given) configVariable {
	out := configVariable{Name: v.Name, Type: v.Type.String(), Sensitive: v.Sensitive, Set: len(given) > 0, Also: []origin{}}
	for i, g := range given {
		x := g.Value
		if v.Sensitive {
			x = diag.Mask
		}
		o := originOf(x, dspi.Shown(v, g.Value), g.Source, g.Place)
		if i == 0 {
			out.Value, out.Origin = x, &o
		} else {
			out.Also = append(out.Also, o)
		}
	}
	return out
}

// configSetting is a setting of the project.
type configSetting struct {
	Name    string `json:"name"` // default_model, cache.url
	Set     bool   `json:"set"`  // false: it is not in dspi.hcl, and Value is null
	Obeyed  bool   `json:"obeyed"`
	Default string `json:"default"` // what holds when it is not set, in words
	origin
}

// addSettings adds the settings of a block of dspi.hcl.
func (c *configured) addSettings(own *dspi.Settings, table *universe.Block, prefix string) {
	for i := range table.Settings {
		decl := &table.Settings[i]
		s := configSetting{Name: prefix + decl.Name, Obeyed: decl.Pending == "", Default: decl.Default}
		if v, ok := own.Value(s.Name); ok {
			s.Set = true
			s.origin = originOf(shownSetting(v.Value, v.Shown()), v.Shown(), universe.ProjectFile, v.At)
		} else {
			s.origin = origin{Source: "built in"}
		}
		c.Settings = append(c.Settings, s)
	}
	for i := range table.Blocks {
		c.addSettings(own, &table.Blocks[i], prefix+table.Blocks[i].Name+".")
	}
}

// shownSetting is a setting's value for machines: text without its secrets.
func shownSetting(v any, shown string) any {
	if _, ok := v.(string); ok {
		return strings.TrimSuffix(strings.TrimPrefix(shown, `"`), `"`)
	}
	return v
}

// text returns c for people.
func (c *configured) text() string {
	var b strings.Builder
	also := func(list []origin) {
		for _, o := range list {
			fmt.Fprintf(&b, "      also set in %s: %s\n", o.where(), o.said)
		}
	}
	b.WriteString("Models\n\n")
	for _, m := range c.Models {
		name := strings.Join(append(m.Through, m.Step), " > ")
		if m.Step == "" {
			name = "where none is named"
		}
		model := m.said
		if m.Address != "" && m.Address != m.said {
			model += " (" + m.Address + ")"
		}
		fmt.Fprintf(&b, "  %s = %s    from %s\n", name, model, m.where())
		also(m.Also)
	}
	if len(c.Models) == 0 {
		b.WriteString("  no step asks a model\n")
	}
	if len(c.Variables) > 0 {
		b.WriteString("\nVariables\n\n")
	}
	for _, v := range c.Variables {
		if v.Origin == nil {
			fmt.Fprintf(&b, "  %s has no value; give it one: --var %s=…\n", v.Name, v.Name)
			continue
		}
		fmt.Fprintf(&b, "  %s = %s    from %s\n", v.Name, v.Origin.said, v.Origin.where())
		also(v.Also)
	}
	if c.SettingsFile == "" {
		b.WriteString("\nProject (there is no dspi.hcl in the folder or above)\n\n")
	} else {
		fmt.Fprintf(&b, "\nProject (%s)\n\n", c.SettingsFile)
	}
	for _, s := range c.Settings {
		line := fmt.Sprintf("  %s = %s    from %s", s.Name, s.said, s.where())
		switch {
		case !s.Set:
			line = fmt.Sprintf("  %s is not set: %s", s.Name, s.Default)
		case !s.Obeyed:
			line += ", not obeyed yet"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
