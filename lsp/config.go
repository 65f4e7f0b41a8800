package lsp

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser/config"
)

// The files around a program: dspi.hcl, which holds the settings of a project, and
// *.dspvars, which hold values for variables. They are HCL. What can be said of them
// is what is wrong, what may stand where, and what a name is.

// project returns what is declared in the programs of the folder of a file of
// values: its names may be of any of them. It is nil where there are none.
func (v *View) project() *program.Project {
	var all *program.Project
	for _, path := range v.Snap.Beside(v.File.Path) {
		if !snapshot.IsProgram(path) {
			continue
		}
		c, err := v.Snap.Check(path)
		if err != nil || c.Project == nil {
			continue
		}
		if all == nil {
			all = &program.Project{Root: c.Project.Root}
		}
		for _, x := range c.Project.Variables {
			if _, ok := all.Variable(x.Name); !ok {
				all.Variables = append(all.Variables, x)
			}
		}
	}
	return all
}

// configMistakes returns what is wrong in a file around a program, and the text in
// which it is.
func configMistakes(v *View) (diag.List, *source.File) {
	own := source.NewFile(v.src().Name, v.src().Text) // reading it marks its secrets
	var list diag.List
	switch {
	case filepath.Base(v.File.Path) == universe.ProjectFile:
		_, list = config.ReadProject(own)
	case strings.HasSuffix(v.File.Path, ".dspvars"):
		if p := v.project(); p != nil {
			list = valuesDiagnostics(own, p)
		}
	}
	return list, own
}

// valuesDiagnostics reads a file of values for the variables of programs.
func valuesDiagnostics(file *source.File, p *program.Project) diag.List {
	given, list := config.Vars(file, p)
	var names []string
	for _, x := range p.Variables {
		names = append(names, x.Name)
	}
	for _, s := range given {
		switch {
		case s.Variable == nil:
			d := diag.New("W0601", s.At, "no program beside this file declares a variable `"+s.Name+"`")
			if near, ok := diag.Nearest(s.Name, names); ok {
				d.Fix("did you mean `"+near+"`?", s.At, near[strings.LastIndexByte(near, '.')+1:])
			}
			list = append(list, d)
		case s.Variable.Type != nil && !s.Sensitive:
			if _, faults := value.Check(s.Variable.Type, s.Value, value.Lax); len(faults) > 0 {
				list = append(list, diag.New("E0310", s.Place, "this does not fit `"+s.Name+": "+s.Variable.Type.String()+"`"))
			}
		}
	}
	list.Sort()
	return list
}

var (
	valueLine = regexp.MustCompile(`^\s*([A-Za-z_]\w*)\s*=\s*(.*)$`)
	blockLine = regexp.MustCompile(`([A-Za-z_]\w*)\s*=?\s*\{[^{}]*$`)
	nameStart = regexp.MustCompile(`^\s*\w*$`)
)

// completeConfig offers settings or variables, and their values.
func (c *completer) completeConfig() {
	src := c.v.src()
	line := c.text[src.LineStart(src.LineOf(c.offset)):c.offset]
	if strings.Contains(line, "#") {
		return
	}
	before := c.text[:c.offset]
	in := ""
	if open, closed := strings.Count(before, "{"), strings.Count(before, "}"); open > closed {
		if m := blockLine.FindStringSubmatch(before); m != nil {
			in = m[1]
		}
	}
	if i := strings.LastIndexByte(line, '{'); i >= 0 {
		line = line[i+1:]
	}
	m := valueLine.FindStringSubmatch(line)
	if strings.HasSuffix(c.v.File.Path, ".dspvars") {
		c.completeVars(in, line, m)
		return
	}
	settings := universe.Project.Settings
	for _, b := range universe.Project.Blocks {
		if b.Name == in {
			settings = b.Settings
		}
	}
	switch {
	case m != nil:
		if i := slices.IndexFunc(settings, func(s universe.Setting) bool { return s.Name == m[1] }); i >= 0 {
			c.configValue(&settings[i], m[2])
		}
	case nameStart.MatchString(line):
		for i := range settings {
			s := &settings[i]
			insert := s.Name + ` = "$0"`
			if s.Kind == universe.Boolean || s.Kind == universe.Integer {
				insert = s.Name + " = $0"
			}
			c.add(Item{Label: s.Name, Kind: protocol.ItemProperty, Detail: string(s.Kind), Doc: describeSetting(s), Insert: insert, Snippet: true})
		}
		if in != "" {
			return
		}
		for _, b := range universe.Project.Blocks {
			c.add(Item{Label: b.Name, Kind: protocol.ItemKeyword, Detail: "block", Doc: describeBlock(b.Name, b.Doc, b.Example), Insert: b.Name + " {\n  $0\n}", Snippet: true, Rank: 1})
		}
	}
}

// configValue offers what a setting of a project may be.
func (c *completer) configValue(s *universe.Setting, typed string) {
	quote := `"`
	if strings.HasPrefix(typed, `"`) {
		quote = ""
	}
	add := func(x, detail string, rank int) {
		c.add(Item{Label: quote + x + quote, Kind: protocol.ItemValue, Detail: detail, Rank: rank})
	}
	switch s.Kind {
	case universe.Boolean:
		if quote != "" {
			c.add(Item{Label: "true", Kind: protocol.ItemKeyword})
			c.add(Item{Label: "false", Kind: protocol.ItemKeyword})
		}
		return
	case universe.Integer:
		c.add(Item{Label: s.Default, Kind: protocol.ItemValue, Detail: "default"})
		return
	}
	for _, x := range s.Choices {
		add(x, s.Name, 1)
	}
	if s.Default != "" && !strings.Contains(s.Default, " ") && !slices.Contains(s.Choices, s.Default) {
		add(s.Default, "default", 0)
	}
	if s.Name == "default_model" {
		for _, m := range c.models() {
			add(m, "model", 2)
		}
	}
}

// completeVars offers the variables of the programs beside a file of values, and
// what each may be.
func (c *completer) completeVars(in, line string, m []string) {
	p := c.v.project()
	if p == nil {
		return
	}
	prefix := ""
	if in != "" {
		prefix = in + "."
	}
	if m != nil {
		if x, ok := p.Variable(prefix + m[1]); ok {
			c.variableValue(x, strings.HasPrefix(m[2], `"`))
		}
		return
	}
	if !nameStart.MatchString(line) {
		return
	}
	groups := map[string]bool{}
	for _, x := range p.Variables {
		name, ok := strings.CutPrefix(x.Name, prefix)
		if !ok || !x.Computed.IsZero() {
			continue
		}
		if group, _, dotted := strings.Cut(name, "."); dotted {
			if !groups[group] {
				groups[group] = true
				c.add(Item{Label: group, Kind: protocol.ItemModule, Detail: "an imported file", Insert: group + " = { $0 }", Snippet: true, Rank: 2})
			}
			continue
		}
		rank := 1
		if !x.HasDefault && x.Env == "" {
			rank = 0
		}
		insert := name + " = $0"
		if x.Type == types.String {
			insert = name + ` = "$0"`
		}
		c.add(Item{Label: name, Kind: protocol.ItemVariable, Detail: typeText(x.Type), Doc: x.Description, Insert: insert, Snippet: true, Rank: rank})
	}
}

func (c *completer) variableValue(x *program.Variable, quoted bool) {
	add := func(text, detail string) {
		if quoted {
			text = strings.Trim(text, `"`)
		}
		c.add(Item{Label: text, Kind: protocol.ItemValue, Detail: detail})
	}
	for _, choice := range x.Choices {
		if choice == "" {
			continue // a mistake
		}
		add(`"`+choice+`"`, x.Name)
	}
	if _, ok := x.Type.(types.Model); ok && len(c.items) == 0 {
		for _, m := range c.models() {
			add(`"`+m+`"`, "model")
		}
	}
	for _, l := range literalsOf(x.Type) {
		add(l, x.Name)
	}
	if e := enumOf(x.Type); e != nil {
		for _, m := range e.Members {
			add(`"`+m.Name+`"`, e.Name)
		}
	}
	if isBool(x.Type) {
		add("true", "bool")
		add("false", "bool")
	}
	if x.HasDefault && !x.Sensitive && len(c.items) == 0 {
		add(fmt.Sprint(types.FormatLiteral(x.Default)), "default")
	}
}

func typeText(t types.Type) string {
	if t == nil {
		return ""
	}
	return t.String()
}

// hoverConfig describes a setting of a project, or a variable.
func hoverConfig(v *View, offset int32) (string, source.Span) {
	at := word(v.src().Text, offset)
	name := v.src().Slice(at)
	if strings.HasSuffix(v.File.Path, ".dspvars") {
		if p := v.project(); p != nil {
			for _, x := range p.Variables {
				if x.Name == name || strings.HasSuffix(x.Name, "."+name) {
					return joined(code("variable "+x.Name+": "+typeText(x.Type)), x.Description), at
				}
			}
		}
		return "", at
	}
	for i := range universe.Project.Settings {
		if s := &universe.Project.Settings[i]; s.Name == name {
			return describeSetting(s), at
		}
	}
	for _, b := range universe.Project.Blocks {
		if b.Name == name {
			return describeBlock(b.Name, b.Doc, b.Example), at
		}
		for i := range b.Settings {
			if s := &b.Settings[i]; s.Name == name {
				return describeSetting(s), at
			}
		}
	}
	return "", at
}
