package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// A block whose first line is missing leaves its items in the block around it, or
// at the top of the file, and a `}` that closes nothing. That is one mistake: the
// items are replaced by one that was not understood, so that nothing else is said
// of them, nor of what may have been in them. They are told from the items around
// them by standing further right than the `}`.

// enclosed reports such blocks among items, and in the blocks among them, and
// returns the items without theirs. Trees do not change: what differs is a copy.
func (c *checker) enclosed(fs *fileScope, items []syntax.Item, top bool) []syntax.Item {
	if !slices.ContainsFunc(fs.file.Faults, strayBrace) {
		return items
	}
	items = slices.Clone(items)
	for i, it := range items {
		b, ok := it.(*syntax.Block)
		if !ok || b.Body == nil {
			continue
		}
		body := *b.Body
		body.Items = c.enclosed(fs, b.Body.Items, false)
		block := *b
		block.Body = &body
		items[i] = &block
	}
	for _, f := range fs.file.Faults {
		if !strayBrace(f) {
			continue
		}
		end := slices.IndexFunc(items, func(it syntax.Item) bool {
			return isBad(it) && it.Range().Start <= f.Start && f.Start < it.Range().End
		})
		first := max(end, 0)
		for first > 0 && c.furtherRight(fs, items[first-1], f.Start, top) {
			first--
		}
		if first >= end {
			continue
		}
		if c.headless == nil {
			c.headless = map[source.Place]bool{}
		}
		at := fs.place(f.Span)
		c.headless[at] = true
		c.report(diag.New("E0105", at, "nothing is open that `}` could close").
			Relate(fs.place(headOf(items[first])), "the block of this begins nowhere").
			Say("What stands between looks like the inside of a block, but no `KIND NAME {` begins it. That line is missing, or a `}` before it is one too many."))
		items = slices.Replace(items, first, end, syntax.Item(&syntax.Bad{Span: items[first].Range().To(items[end-1].Range())}))
	}
	return items
}

func strayBrace(f syntax.Fault) bool { return f.Kind == syntax.StrayCloser && f.Found == "}" }

// furtherRight reports whether the line of an item begins further right than that
// of a `}`, which begins its own. At the top of a file it must be an item that
// cannot stand there.
func (c *checker) furtherRight(fs *fileScope, it syntax.Item, closer int32, top bool) bool {
	src := fs.file.Source
	before := src.Text[src.LineStart(src.LineOf(closer)):closer]
	if strings.TrimSpace(before) != "" || len(indentOf(src, it.Range().Start)) <= len(before) {
		return false
	}
	if !top {
		return true
	}
	switch it := it.(type) {
	case *syntax.Attribute, *syntax.Let, *syntax.Field, *syntax.Arrow, *syntax.EnumMember:
		return true
	case *syntax.Block:
		_, stands := c.u.Block(it.KindName())
		return !stands
	}
	return false
}
