package main

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// ownText makes diagnostics speak of what somebody wrote as --type and --types, where
// that was checked as one text: a declaration of a name that is ours, `type Wanted = `,
// with the type, and on the next line what came with it.
type ownText struct {
	whole       string // as it was checked
	name        string // ours
	from        int    // where the type begins in it
	typ, others *source.File
}

// newOwnText returns the text that is to be checked, and what turns what is said of it
// back.
func newOwnText(name, typ, others string) (string, *ownText) {
	before := "type " + name + " = "
	o := &ownText{
		whole: before + typ + "\n" + others + "\n", name: name, from: len(before),
		typ: source.NewFile("--type", typ), others: source.NewFile("types", others),
	}
	return o.whole, o
}

// place returns a place in what was written for one in what was checked; of what is
// ours, the nearest.
func (o *ownText) place(p source.Place) source.Place {
	if p.File == nil || p.File.Text != o.whole {
		return p
	}
	typ := len(o.typ.Text)
	file, from := o.typ, o.from
	if second := o.from + typ + 1; int(p.Start) >= second && strings.TrimSpace(o.others.Text) != "" {
		file, from = o.others, second
	}
	within := func(at int32) int32 { return min(max(at-int32(from), 0), int32(len(file.Text))) }
	return source.Place{File: file, Span: source.Span{Start: within(p.Start), End: within(p.End)}}
}

// said returns diagnostics with their places in what was written, and without our name.
func (o *ownText) said(list diag.List) diag.List {
	out := make(diag.List, len(list))
	quoted := "`" + o.name + "`"
	words := strings.NewReplacer("Declared: "+quoted+". ", "", quoted+", ", "", ", "+quoted, "")
	for i, d := range list {
		c := *d
		c.Primary.Place = o.place(c.Primary.Place)
		c.Related = append([]diag.Label(nil), c.Related...)
		for j := range c.Related {
			c.Related[j].Place = o.place(c.Related[j].Place)
		}
		c.Detail = words.Replace(c.Detail)
		c.Fixes = slices.DeleteFunc(slices.Clone(c.Fixes), func(f diag.Fix) bool {
			return slices.ContainsFunc(f.Edits, func(e diag.Edit) bool { return e.Text == o.name })
		})
		for j := range c.Fixes {
			edits := append([]diag.Edit(nil), c.Fixes[j].Edits...)
			for k := range edits {
				edits[k].Place = o.place(edits[k].Place)
			}
			c.Fixes[j].Edits = edits
		}
		out[i] = &c
	}
	return out
}
