package check

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/universe"
)

// What a step may call stands in a list: each tool is called by the last part of its
// name, so no two may have the same, and some need a setting of the program.

// toolRefs reads the list of tools of a step.
func (c *checker) toolRefs(b *body, x *setting) []string {
	var out []string
	type entry struct {
		ref string
		source.Place
	}
	called := map[string]entry{}
	for _, n := range c.nameList(b.fs, x) {
		at, word := place{b.fs.place(n.Span)}, "tool"
		if strings.HasPrefix(at.Text(), "retriever.") {
			word = "retriever" // it is searched by a tool
		}
		for _, ref := range c.refs(b.fs, x, word, []place{at}) {
			out = append(out, ref)
			name := calledAs(ref)
			if first, taken := called[name]; taken {
				if first.ref != ref { // the same tool twice is one
					c.report(toolNameTaken(at.Place, first.Place, name))
				}
				continue
			}
			called[name] = entry{ref, at.Place}
			c.toolNeeds(b, at.Place, ref)
		}
	}
	return out
}

// calledAs is what a model calls the tool of an address: `area` for `tool.lib.area`,
// `search_wiki` for `retriever.wiki`.
func calledAs(ref string) string {
	kind, name, _ := strings.Cut(ref, ".")
	name = lastPart(name)
	if kind == "retriever" {
		return "search_" + name
	}
	return name
}

func toolNameTaken(at, first source.Place, name string) *diag.Diagnostic {
	return diag.New("E0528", at, "a model would call this `"+name+"`").Relate(first, "this is `%s` already", name).
		Say("A model calls a tool by the last part of its name, and a retriever `NAME` as `search_NAME`. Of two with one name it could call one only.").
		Hint("leave one of them out, or declare a tool with another name that stands for it")
}

// toolNeeds reports a built-in tool that needs a setting which the program does not have.
func (c *checker) toolNeeds(b *body, at source.Place, ref string) {
	name, ok := strings.CutPrefix(ref, "tool.")
	if !ok {
		return
	}
	if _, declared := b.fs.lookup(toolKind, name); declared {
		return
	}
	tool, ok := c.u.Tool(name)
	if !ok || tool.Needs == "" {
		return
	}
	root := b.root()
	if _, written := root.settings[tool.Needs]; written || root.opaque {
		return
	}
	table, _ := c.u.Block("program")
	setting, known := table.Setting(tool.Needs)
	if !known {
		return
	}
	if root.block.KindName() != "program" {
		c.report(diag.New("E0502", at, code(ref)+" needs "+code(setting.Name)).
			Relate(root.fs.place(root.block.KindSpan()), "only a program has it").
			Say("`%s` cannot be called from steps of a `%s`: it needs the setting `%s`, which programs have.", ref, root.block.KindName(), setting.Name).
			Hint("let a program do this step: it can be called here"))
		return
	}
	d := diag.New("E0502", at, code(ref)+" needs "+code(setting.Name)).
		Relate(root.prog.Place, "which this program does not set").
		Say("`%s` works in the folder that the program names, relative to this file, and reaches nothing outside of it.", ref)
	if edit, ok := c.lastLine(root, neededSetting(setting)); ok {
		d.Fix("let it read the folder of this file", edit.Place, edit.Text)
	} else {
		d.Hint("write it into the program: %s", neededSetting(setting))
	}
	c.report(d)
}

// neededSetting is a setting as it is proposed: the folder of the file.
func neededSetting(s *universe.Setting) string { return s.Name + ` = "."` }

// lastLine returns the edit that puts a line at the end of a block; false for one that
// stands on one line.
func (c *checker) lastLine(b *body, text string) (diag.Edit, bool) {
	if b.block.Body == nil || b.block.Body.Close.Len() == 0 {
		return diag.Edit{}, false
	}
	src := b.fs.file.Source
	closing := src.LineOf(b.block.Body.Close.Start)
	start := src.LineStart(closing)
	if src.LineOf(b.block.Body.Open.Start) == closing || strings.TrimSpace(src.Slice(source.Span{Start: start, End: b.block.Body.Close.Start})) != "" {
		return diag.Edit{}, false
	}
	indent := src.Slice(source.Span{Start: start, End: b.block.Body.Close.Start})
	return diag.Edit{Place: b.fs.place(source.Span{Start: start, End: start}), Text: indent + "  " + text + "\n"}, true
}
