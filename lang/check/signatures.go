package check

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// signatureBlock makes a signature of `signature NAME { … }`.
func (c *checker) signatureBlock(d *decl, b *syntax.Block) *program.Signature {
	if b.Body == nil {
		return nil
	}
	block, _ := c.u.Block("signature")
	s := c.settings(d.scope, b, block)
	sig := c.signature(d.scope, b)
	if sig == nil {
		if !slices.ContainsFunc(b.Body.Items, isBad) {
			c.report(diag.New("E0118", d.place, "this signature has no fields").
				Say("A signature reads: inputs, then `->`, then outputs.\n\n    question: string -> answer: string"))
		}
		return nil
	}
	sig.Name = d.full
	if v, ok := s["instructions"]; ok {
		if text, ok := v.constant.(string); ok {
			sig.Instructions = text
		}
	}
	for _, it := range b.Body.Items {
		switch it := it.(type) {
		case *syntax.Let:
			c.report(notAllowedHere(d.scope.place(it.Span), "a named value", "a signature", "a signature holds fields, `->` and `instructions`"))
		case *syntax.EnumMember, *syntax.Import, *syntax.TypeAlias:
			c.report(notAllowedHere(d.scope.place(headOf(it)), "this", "a signature", "a signature holds fields, `->` and `instructions`"))
		}
	}
	return sig
}

// signature makes a signature of the fields and the arrow in a block, nil when
// there are none. Faults of the parts are reported; what is left is returned.
func (c *checker) signature(fs *fileScope, b *syntax.Block) *program.Signature {
	if b.Body == nil {
		return nil
	}
	return c.signatureItems(fs, b.Body.Items, fs.place(b.KindSpan()))
}

func (c *checker) signatureItems(fs *fileScope, items []syntax.Item, owner source.Place) *program.Signature {
	var (
		sig    = &program.Signature{}
		arrow  *syntax.Arrow
		first  = -1
		last   int
		split  bool // reported that the signature stands in two places
		seen   = map[string]source.Place{}
		inputs = map[string]source.Place{}
	)
	for i, it := range items {
		switch it := it.(type) {
		case *syntax.Field:
			if first >= 0 && i > last+1 && !split && !slices.ContainsFunc(items[last+1:i], isBad) {
				split = true
				c.report(signatureInTwoPlaces(fs, it, items[last]))
			}
			if first < 0 {
				first = i
			}
			last = i
			bareOK := lineOfArrow(fs, items, it)
			f, ok := c.field(fs, it, bareOK)
			if !ok {
				continue
			}
			if arrow != nil {
				if in, both := inputs[f.Name]; both {
					c.report(diag.New("E0214", fs.place(it.Name.Span), code(f.Name)+" is an output here").
						Relate(in, "and an input here").
						Say("Inputs and outputs of a signature need different names, so that `%s` means one of them.", f.Name))
					continue
				}
			}
			if !c.once(seen, fs, it.Name, "field") {
				continue
			}
			if arrow == nil {
				inputs[f.Name] = fs.place(it.Name.Span)
				sig.Inputs = append(sig.Inputs, f)
			} else {
				sig.Outputs = append(sig.Outputs, f)
			}
		case *syntax.Arrow:
			if it.Text != "->" {
				c.report(wrongArrow(fs, it))
			}
			if arrow != nil {
				c.report(diag.New("E0118", fs.place(it.Span), "a second arrow").
					Relate(fs.place(arrow.Span), "the first one is here").
					Say("A signature has one `->`: inputs before it, outputs behind it."))
				last = i
				continue
			}
			if first < 0 {
				first = i
			} else if i > last+1 && !split && !slices.ContainsFunc(items[last+1:i], isBad) {
				split = true
				c.report(signatureInTwoPlaces(fs, it, items[last]))
			}
			last = i
			arrow = it
		}
	}
	if first < 0 {
		return nil
	}
	switch {
	case arrow == nil:
		if slices.ContainsFunc(items, isBad) {
			return nil
		}
		c.report(withoutArrow(fs, items[first], items[last]))
		return nil
	case len(sig.Outputs) == 0:
		if !slices.ContainsFunc(items, isBad) && last < len(items) && items[last] == syntax.Item(arrow) {
			c.report(diag.New("E0118", fs.place(arrow.Span), "nothing stands behind this arrow").
				Say("A signature names at least one output: `question: string -> answer: string`."))
		}
	}
	return sig
}

// lineOfArrow reports whether an arrow stands on the field's line.
func lineOfArrow(fs *fileScope, items []syntax.Item, f *syntax.Field) bool {
	src := fs.file.Source
	line := src.LineOf(f.Start)
	for _, it := range items {
		if a, ok := it.(*syntax.Arrow); ok && src.LineOf(a.Start) == line {
			return true
		}
	}
	return false
}

// field makes a field. bareOK says that it may stand without a type.
func (c *checker) field(fs *fileScope, n *syntax.Field, bareOK bool) (types.Field, bool) {
	f := types.Field{Name: n.Name.Name}
	at := fs.place(n.Name.Span)
	before := len(c.diags)
	if reserved(f.Name) {
		c.report(nameIsTaken(at, f.Name, "a field"))
		return f, false
	}
	switch {
	case n.Type != nil:
		f.Type = c.typeOf(fs, n.Type, typeOptions{})
		c.literalAsType(fs, n)
	case bareOK:
		f.Type = types.String
	case at.File.Slice(source.Span{Start: n.Name.End, End: n.End}) == "":
		c.report(diag.New("E0119", at, "what type has "+code(f.Name)+"?").
			Say("A name alone is text only on the line of the arrow, as in `question -> answer`. Elsewhere a field says its type, so that a stray word does not become one.").
			Fix("make it text", source.Place{File: at.File, Span: source.Span{Start: at.End, End: at.End}}, ": string"))
		f.Type = types.Invalid{}
	default:
		f.Type = types.Invalid{} // a `:` with nothing behind it: the parser has spoken
	}
	if n.Optional {
		f.Type = types.NewOptional(f.Type)
	}
	if n.Description != nil {
		c.fixedText(fs, n.Description, "a description")
		f.Description = n.Description.Value
	}
	if n.Default != nil && !c.fieldCallAsDefault(fs, n, before) {
		v, vt, diags := expr.Literal(fs.file.Source, n.Default)
		c.add(diags)
		if !diags.HasErrors() {
			if fixed, ok := c.defaultFits(fs.place(n.Default.Span), v, vt, f.Type); ok {
				f.Default, f.HasDefault = fixed, true
			}
		}
	}
	return f, true
}

// defaultFits brings a default into its type, or reports why it does not fit.
func (c *checker) defaultFits(at source.Place, v any, vt, want types.Type) (any, bool) {
	if types.IsInvalid(want) {
		return nil, false
	}
	got, faults := value.Check(want, v, value.Strict)
	if len(faults) == 0 {
		return got, true
	}
	d := diag.New("E0306", at, "this is "+describe(v, vt)).Say("    wanted    %s\n    given     %s\n\n%s", want, types.FormatLiteral(literalText(v)), faultLines(faults))
	if s, ok := v.(string); ok {
		if near, ok := diag.Nearest(s, literalTexts(want)); ok {
			d.Fix("did you mean "+code(types.FormatLiteral(near))+"?", at, types.FormatLiteral(near))
		}
		if v, faults := value.ParseText(want, s); len(faults) == 0 {
			switch v.(type) {
			case bool, int, float64:
				d.Fix("without quotes", at, types.FormatLiteral(v))
			}
		}
	}
	c.report(d)
	return nil, false
}

// literalAsType warns of `x: "some text"`, where a description was probably meant.
func (c *checker) literalAsType(fs *fileScope, n *syntax.Field) {
	l, ok := n.Type.(*syntax.LiteralType)
	if !ok {
		return
	}
	at := fs.place(l.Span)
	if _, text := l.Value.(string); !text {
		if l.Value == nil {
			return
		}
		c.report(diag.New("W0101", at, "the only value of "+code(n.Name.Name)+" is "+at.Text()).
			Say("`:` starts a type, `=` starts a value. A number or `true` in the place of a type allows just that value."))
		return
	}
	c.report(diag.New("W0101", at, "the only value of "+code(n.Name.Name)+" is this text").
		Say("A text in the place of a type allows just that text. If it is the description of a field, the type is missing before it.").
		Fix("make it the description of a `string`", at, "string "+at.Text()))
}

// pythonType meets Python's spellings of types: they are mistakes with a fix,
// or legal where Options.Python says so.
func (c *checker) pythonType(fs *fileScope, te *syntax.NamedType, opt typeOptions) (types.Type, bool) {
	name := te.Name()
	if _, declared := fs.lookup(typeKind, name); declared {
		return nil, false
	}
	at := fs.place(te.Span)
	head := at
	head.End = head.Start + int32(len(name))
	simple := func(want string) (types.Type, bool) {
		if !c.opt.Python {
			c.report(spelling(head, "dspi writes "+code(want)+" for this", want))
		}
		row, _ := types.Lookup(want)
		t := &types.Primitive{Row: row}
		t.Constraints = c.constraints(fs, te, row.Name, row.Allows)
		return t, true
	}
	say := func(written string) {
		if !c.opt.Python {
			c.report(spelling(at, "dspi writes "+code(written)+" for this", written))
		}
	}
	// heads says it of a type with arguments, whose own spelling is in the same fix.
	heads := func(want string, nested []diag.Edit) {
		if !c.opt.Python {
			d := spelling(head, "dspi writes "+code(want)+" for this", want)
			d.Fixes[0].Edits = append(d.Fixes[0].Edits, nested...)
			c.report(d)
		}
	}
	switch name {
	case "str", "String", "text", "Text":
		return simple("string")
	case "integer", "Int", "Integer", "number":
		if name == "number" {
			return simple("float")
		}
		return simple("int")
	case "Float", "double":
		return simple("float")
	case "boolean", "Bool", "Boolean":
		return simple("bool")
	case "any", "Any", "object":
		return simple("json")
	case "None", "NoneType", "nil", "undefined":
		if !c.opt.Python {
			c.report(spelling(at, "dspi writes `null` for this", "null"))
		}
		return types.Null, true
	case "List", "Sequence", "array", "Array", "set", "Set":
		switch len(te.Args) {
		case 0:
			if c.opt.Python {
				return &types.List{Elem: types.JSON}, true
			}
			say("list[string]")
			return &types.List{Elem: types.Invalid{}}, true
		case 1:
			elems, _, nested := c.respelled(fs, te, opt)
			heads("list", nested)
			return &types.List{Elem: elems[0]}, true
		}
	case "list":
		if c.opt.Python && len(te.Args) == 0 {
			return &types.List{Elem: types.JSON}, true
		}
	case "dict", "Dict", "Map", "Mapping", "Record":
		switch len(te.Args) {
		case 0:
			if c.opt.Python {
				return &types.Map{Elem: types.JSON}, true
			}
			say("map[string, json]")
			return &types.Map{Elem: types.JSON}, true
		case 2:
			elems, _, nested := c.respelled(fs, te, opt)
			heads("map", nested)
			return &types.Map{Elem: elems[1]}, true
		}
	case "Tuple":
		elems, _, nested := c.respelled(fs, te, opt)
		heads("tuple", nested)
		return &types.Tuple{Elems: elems}, true
	case "Optional":
		if len(te.Args) == 1 {
			elems, texts, _ := c.respelled(fs, te, opt)
			say(texts[0] + "?")
			return types.NewOptional(elems[0]), true
		}
	case "Union":
		if len(te.Args) > 0 {
			members, texts, _ := c.respelled(fs, te, opt)
			say(strings.Join(texts, " | "))
			return types.NewUnion(members...), true
		}
	case "Literal":
		if len(te.Args) > 0 {
			members, texts, _ := c.respelled(fs, te, opt)
			for i := range members {
				if l, ok := members[i].(*types.Literal); ok {
					texts[i] = types.FormatLiteral(l.Value)
				}
			}
			say(strings.Join(texts, " | "))
			return types.NewUnion(members...), true
		}
	}
	return nil, false
}
