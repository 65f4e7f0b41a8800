package lsp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Item is one thing that may stand at a place.
type Item struct {
	Label  string
	Kind   protocol.CompletionItemKind
	Detail string // a type, or a few words
	Doc    string // Markdown
	// Insert is what is written, Label when it is empty; with Snippet it has
	// places to fill in.
	Insert  string
	Snippet bool
	Rank    int // the lower, the nearer the top; 0 is what fits best
	// Replaces is what it takes the place of; the word at the cursor where it
	// is empty.
	Replaces source.Span
}

// Complete returns what may stand at a byte, what fits best first.
func Complete(v *View, offset int32) *protocol.CompletionList {
	c := &completer{v: v, offset: offset, text: v.src().Text, word: wordBefore(v.src().Text, offset)}
	c.complete()
	slices.SortStableFunc(c.items, func(a, b Item) int {
		if x, y := c.begins(a), c.begins(b); x != y {
			if x {
				return -1
			}
			return 1
		}
		return a.Rank - b.Rank
	})
	list := &protocol.CompletionList{Items: []protocol.CompletionItem{}}
	seen := map[string]bool{}
	for _, it := range c.items {
		if seen[it.Label] {
			continue
		}
		seen[it.Label] = true
		list.Items = append(list.Items, c.item(it, len(list.Items)))
	}
	return list
}

// begins reports whether an item begins with what has been typed of it.
func (c *completer) begins(it Item) bool {
	at := it.Replaces
	if at == (source.Span{}) {
		at = c.word
	}
	typed := c.text[min(at.Start, c.offset):c.offset]
	if len(typed) > len(it.Label) {
		return false
	}
	return strings.EqualFold(it.Label[:len(typed)], typed)
}

// wordBefore returns the word around an offset whose beginning has been typed.
func wordBefore(text string, offset int32) source.Span {
	w := word(text, offset)
	return source.Span{Start: w.Start, End: w.End}
}

func (c *completer) item(it Item, n int) protocol.CompletionItem {
	at := it.Replaces
	if at == (source.Span{}) {
		at = c.word
	}
	insert := it.Insert
	if insert == "" {
		insert = it.Label
	}
	out := protocol.CompletionItem{
		Label: it.Label, Kind: it.Kind,
		SortText:   protocol.Optional(fmt.Sprintf("%05d", n)),
		FilterText: protocol.Optional(it.Label),
	}
	if it.Detail != "" {
		out.Detail = protocol.Optional(it.Detail)
	}
	if it.Doc != "" {
		out.Documentation = &protocol.MarkupContent{Kind: protocol.Markdown, Value: it.Doc}
	}
	if it.Snippet && c.v.Snippets {
		out.InsertTextFormat = protocol.Snippet
	} else if it.Snippet {
		insert = plain(insert)
	}
	out.TextEdit = &protocol.TextEdit{Range: c.v.Range(at), NewText: insert}
	if n == 0 && it.Rank == 0 {
		out.Preselect = protocol.Optional(true)
	}
	return out
}

var (
	holes  = regexp.MustCompile(`\$\{\d+:([^}]*)\}`)
	places = regexp.MustCompile(`\$\d+`)
)

// plain is a snippet without places to fill in.
func plain(snippet string) string {
	s := places.ReplaceAllString(holes.ReplaceAllString(snippet, "$1"), "")
	return strings.ReplaceAll(s, `\$`, "$")
}

type completer struct {
	v      *View
	offset int32
	text   string
	word   source.Span
	items  []Item
}

func (c *completer) add(it Item) { c.items = append(c.items, it) }

var (
	attributeLine = regexp.MustCompile(`^(?:.*[{,])?\s*([A-Za-z_]\w*)\s*=\s*([^=].*)?$`)
	letLine       = regexp.MustCompile(`^\s*let\s+\w+\s*=`)
	fieldLine     = regexp.MustCompile(`(?:^|[,{>(])\s*[A-Za-z_]\w*\??\s*:\s*([^="]*)$`)
	variableLine  = regexp.MustCompile(`^\s*variable\s+\w+\s*:\s*[^="{]*$`)
	typeLine      = regexp.MustCompile(`^\s*type\s+\w+\s*=\s*[^"]*$`)
	importLine    = regexp.MustCompile(`^\s*import\s+"([^"]*)$`)
	startOfItem   = regexp.MustCompile(`(?:^|[{,])\s*\w*$`)
	dottedKind    = regexp.MustCompile(`(?:^|[{,])\s*\w+\.\w*$`)
)

func (c *completer) complete() {
	if snapshot.IsConfig(c.v.File.Path) {
		c.completeConfig()
		return
	}
	if inComment(c.v.tree(), c.offset) {
		return
	}
	line := c.text[c.v.src().LineStart(c.v.src().LineOf(c.offset)):c.offset]
	blocks := around(c.v.tree(), c.offset)
	if m := importLine.FindStringSubmatch(line); m != nil {
		c.paths(m[1], func(name string) bool { return strings.HasSuffix(name, ".dsp") || strings.HasSuffix(name, ".dspi") })
		return
	}
	t := table(c.v.u(), blocks, c.v.programs())
	if (t == nil || t.Signature || len(blocks) == 0) && c.limits(line) {
		return
	}
	if a := c.attributeAt(blocks, line); a != "" {
		c.value(a, line, blocks, t)
		return
	}
	switch {
	case letLine.MatchString(line):
		c.expression(blocks, nil)
	case typeLine.MatchString(line), variableLine.MatchString(line), fieldLine.MatchString(line) && (t == nil || t.Signature || len(blocks) == 0):
		c.types(line)
	case startOfItem.MatchString(line) && len(blocks) == 0:
		c.top()
	case startOfItem.MatchString(line), dottedKind.MatchString(line):
		c.inBlock(blocks, t)
	}
}

// attributeAt returns the name of the attribute in whose value the cursor stands,
// "" where it is in none.
func (c *completer) attributeAt(blocks []*syntax.Block, line string) string {
	if len(blocks) == 0 {
		return ""
	}
	in := blocks[len(blocks)-1]
	for _, it := range in.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok && a.Value != nil && a.Value.Start <= c.offset && c.offset <= a.Value.End {
			return a.Name.Name
		}
	}
	if letLine.MatchString(line) {
		return ""
	}
	if m := attributeLine.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

// top offers what may stand at the top of a file.
func (c *completer) top() {
	for _, b := range c.v.u().Blocks {
		it := Item{Label: b.Name, Kind: protocol.ItemKeyword, Detail: "block", Doc: describeBlock(b.Name, b.Doc, b.Example), Snippet: true}
		switch {
		case b.Name == "import":
			it.Insert = `import "${1:file.dsp}"`
		case b.Name == "variable":
			it.Insert = "variable ${1:name}: ${2:string} {\n  default = $3\n}"
		case b.Named:
			it.Insert = b.Name + " ${1:name} {\n  $0\n}"
		default:
			it.Insert = b.Name + " {\n  $0\n}"
		}
		c.add(it)
	}
}

// inBlock offers what may begin an item of a block.
func (c *completer) inBlock(blocks []*syntax.Block, t *universe.Block) {
	if t == nil {
		return
	}
	in := blocks[len(blocks)-1]
	has := map[string]bool{}
	for _, it := range in.Body.Items {
		switch it := it.(type) {
		case *syntax.Attribute:
			has[it.Name.Name] = it.Name.Start != c.word.Start
		case *syntax.Block:
			if len(it.Labels) == 0 {
				has[it.KindName()] = it.Start != c.word.Start
			}
		}
	}
	if t.Names {
		c.boundNames(blocks, has)
		return
	}
	if names, _ := c.dotted(); len(names) > 0 {
		if t.Steps {
			c.steps(t)
		}
		return
	}
	for i := range t.Settings {
		s := &t.Settings[i]
		if has[s.Name] || s.Pending != "" {
			continue
		}
		rank := 20
		if s.Required {
			rank = 0
		}
		insert := s.Name + " = $0"
		if s.Kind == universe.Text || s.Kind == universe.Duration {
			insert = s.Name + ` = "$0"`
		}
		c.add(Item{Label: s.Name, Kind: protocol.ItemProperty, Detail: string(s.Kind), Doc: describeSetting(s), Insert: insert, Snippet: true, Rank: rank})
	}
	for _, b := range t.Blocks {
		if has[b.Name] && b.Name != "assert" && b.Name != "member" {
			continue
		}
		insert := b.Name + " {\n  $0\n}"
		if b.Named {
			insert = b.Name + " ${1:name} {\n  $0\n}"
		}
		c.add(Item{Label: b.Name, Kind: protocol.ItemKeyword, Detail: "block", Doc: describeBlock(b.Name, b.Doc, b.Example), Insert: insert, Snippet: true, Rank: 10})
	}
	if t.Name == "optimize" {
		for i := range c.v.u().Optimizers {
			o := &c.v.u().Optimizers[i]
			c.add(Item{Label: o.Name, Kind: protocol.ItemModule, Detail: "optimizer", Doc: describeBlock(o.Name, o.Doc, ""), Insert: o.Name + " {\n  $0\n}", Snippet: true, Rank: 15})
		}
	}
	if t.Steps {
		c.steps(t)
	}
}

// steps offers the kinds of steps.
func (c *completer) steps(t *universe.Block) {
	names, from := c.dotted()
	at := source.Span{Start: from, End: c.word.End}
	held := t.Name == "step" // a module that holds one
	if len(names) == 0 {
		for i := range c.v.u().Modules {
			m := &c.v.u().Modules[i]
			if m.Pending != "" {
				continue
			}
			insert := m.Name + " ${1:name} {\n  $0\n}"
			if held {
				insert = m.Name + " {$0}"
			}
			c.add(Item{Label: m.Name, Kind: protocol.ItemModule, Detail: "module", Doc: describeBlock(m.Name, m.Doc, m.Example), Insert: insert, Snippet: true, Rank: 12})
		}
		if !held {
			c.add(Item{Label: "repeat", Kind: protocol.ItemKeyword, Detail: "block", Doc: describeBlock("repeat", universe.RepeatBlock.Doc, universe.RepeatBlock.Example), Insert: "repeat ${1:name} {\n  state { $2 }\n  until      = $3\n  max_rounds = ${4:3}\n  $0\n}", Snippet: true, Rank: 13})
			c.add(Item{Label: "let", Kind: protocol.ItemKeyword, Detail: "named value", Doc: "Names a value: `let NAME = EXPRESSION`.", Insert: "let ${1:name} = $0", Snippet: true, Rank: 14})
		}
	}
	if p := c.v.check().Project; p != nil {
		for _, x := range p.Programs {
			if around := around(c.v.tree(), c.offset); len(around) > 0 && x.Block.Span == around[0].Span && x.Place.File == c.v.src() {
				continue // a program does not call itself
			}
			if len(names) > 0 && !strings.HasPrefix(x.Name, strings.Join(names, ".")+".") {
				continue
			}
			it := Item{Label: x.Name, Kind: protocol.ItemFunction, Detail: "program", Doc: joined(code(x.Signature.String()), x.Doc), Insert: x.Name + " ${1:name} {\n  $0\n}", Snippet: true, Rank: 11, Replaces: at}
			c.add(it)
		}
	}
}

// boundNames offers the names on the left in `inputs { … }` and `outputs { … }`.
func (c *completer) boundNames(blocks []*syntax.Block, has map[string]bool) {
	if len(blocks) < 2 {
		return
	}
	in, of := blocks[len(blocks)-1], blocks[len(blocks)-2]
	p := c.v.check().Project
	if p == nil {
		return
	}
	add := func(name, typ, doc string) {
		if !has[name] {
			c.add(Item{Label: name, Kind: protocol.ItemField, Detail: typ, Doc: doc, Insert: name + " = $0", Snippet: true})
		}
	}
	if in.KindName() == "next" {
		for _, it := range of.Body.Items {
			if state, ok := it.(*syntax.Block); ok && state.KindName() == "state" && state.Body != nil {
				for _, it := range state.Body.Items {
					if a, ok := it.(*syntax.Attribute); ok {
						add(a.Name.Name, "state", "")
					}
				}
			}
		}
		return
	}
	input := in.KindName() == "inputs"
	at := c.v.src().Place(of.Name().Span)
	if _, step := stepAt(p, at); step != nil && step.Declared != nil {
		for _, f := range step.Declared.Inputs {
			add(f.Name, f.Type.String(), f.Description)
		}
		return
	}
	for _, x := range p.Programs {
		if x.Place == at && !input {
			for _, f := range x.Signature.Outputs {
				if !types.IsInvalid(f.Type) {
					add(f.Name, f.Type.String(), f.Description)
				}
			}
		}
	}
	for _, x := range p.Tools {
		if x.Place == at && !input && x.Signature != nil {
			for _, f := range x.Signature.Outputs {
				add(f.Name, f.Type.String(), f.Description)
			}
		}
	}
	for _, x := range p.Tests {
		if x.Place == at && input && x.Program != nil {
			for _, f := range x.Program.Signature.Inputs {
				add(f.Name, f.Type.String(), f.Description)
			}
		}
	}
}
