package check

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// resolveTypes makes types of the declarations `type`, `enum` and `signature`.
func (c *checker) resolveTypes(fs *fileScope) {
	for _, d := range fs.own {
		if d.kind == typeKind {
			c.resolveDecl(d)
		}
	}
	for _, d := range fs.own {
		if r, ok := d.typ.(*types.Record); ok && d.kind == typeKind {
			c.checkEndless(d, r)
		}
		switch {
		case d.sig != nil:
			c.project.Signatures = append(c.project.Signatures, d.sig)
		case d.kind == typeKind && !types.IsInvalid(d.typ):
			c.project.Types = append(c.project.Types, &program.NamedType{Name: d.full, Type: d.typ, Place: d.place})
		}
	}
}

// resolveDecl makes the type of a declaration, once. A declaration that needs
// itself to be made is reported and Invalid.
func (c *checker) resolveDecl(d *decl) types.Type {
	if d.typ != nil {
		return d.typ
	}
	if d.resolving {
		c.report(diag.New("E0312", d.place, code(d.name)+" is made of itself").
			Say("The type `%s` is declared as another name of itself, so it has no values.", d.name))
		d.typ = types.Invalid{}
		return d.typ
	}
	d.resolving = true
	defer func() { d.resolving = false }()
	switch n := d.node.(type) {
	case *syntax.TypeAlias:
		t := c.typeOf(d.scope, n.Type, typeOptions{})
		if d.typ == nil { // not set meanwhile by finding that it needs itself
			d.typ = t
		}
	case *syntax.Block:
		switch d.word {
		case "type":
			r := &types.Record{Name: d.full}
			d.typ = r
			c.recordBody(d, n, r)
		case "enum":
			d.typ = c.enumBody(d, n)
		case "signature":
			d.typ = types.Invalid{} // not a type; typeOf says so
			d.sig = c.signatureBlock(d, n)
		}
	}
	if d.typ == nil {
		d.typ = types.Invalid{}
	}
	return d.typ
}

func (c *checker) recordBody(d *decl, b *syntax.Block, r *types.Record) {
	if b.Body == nil {
		return
	}
	seen := map[string]source.Place{}
	for _, it := range b.Body.Items {
		switch it := it.(type) {
		case *syntax.Field:
			if f, ok := c.field(d.scope, it, false); ok && c.once(seen, d.scope, it.Name, "field") {
				r.Fields = append(r.Fields, f)
			}
		case *syntax.Bad:
		case *syntax.Attribute:
			c.report(fieldWithEquals(d.scope, it))
		case *syntax.EnumMember:
			c.report(diag.New("E0119", d.scope.place(it.Name.Span), "what type has "+code(it.Name.Name)+"?"))
		default:
			c.report(notAllowedHere(d.scope.place(headOf(it)), "this", "a type", "a type holds fields: `name: type`"))
		}
	}
	if len(r.Fields) == 0 && !slices.ContainsFunc(b.Body.Items, isBad) {
		c.report(diag.New("E0127", d.place, "this type has no fields").
			Say("An object needs at least one field, say `name: string`. For any JSON value there is the type `json`."))
	}
}

func (c *checker) enumBody(d *decl, b *syntax.Block) types.Type {
	e := &types.Enum{Name: d.full}
	if b.Body == nil {
		return types.Invalid{}
	}
	seen := map[string]source.Place{}
	shown := map[string]source.Place{}
	for _, it := range b.Body.Items {
		m, ok := it.(*syntax.EnumMember)
		if !ok {
			if !isBad(it) {
				c.report(notAllowedHere(d.scope.place(headOf(it)), "this", "an enum", "an enum holds names: `lost_card = \"lost card\" \"a card is lost or stolen\"`"))
			}
			continue
		}
		if !c.once(seen, d.scope, m.Name, "value") {
			continue
		}
		member := types.Member{Name: m.Name.Name, Shown: m.Name.Name}
		if m.Shown != nil {
			c.fixedText(d.scope, m.Shown, "what the model sees")
			member.Shown = m.Shown.Value
		}
		if m.Description != nil {
			c.fixedText(d.scope, m.Description, "a description")
			member.Description = m.Description.Value
		}
		at := d.scope.place(m.Name.Span)
		if first, twice := shown[member.Shown]; twice {
			c.report(diag.New("E0205", at, "the model would see "+types.FormatLiteral(member.Shown)+" for this, too").
				Relate(first, "and for this").
				Say("Two values that look the same to the model cannot be told apart in its reply."))
		}
		shown[member.Shown] = at
		e.Members = append(e.Members, member)
	}
	if len(e.Members) == 0 {
		if !slices.ContainsFunc(b.Body.Items, isBad) {
			c.report(diag.New("E0127", d.place, "this enum has no values"))
		}
		return types.Invalid{}
	}
	return e
}

func isBad(it syntax.Item) bool { _, ok := it.(*syntax.Bad); return ok }

// checkEndless reports a record that needs a value of itself inside every value.
func (c *checker) checkEndless(d *decl, r *types.Record) {
	var path []string
	var visit func(t types.Type, seen []*types.Record) bool
	visit = func(t types.Type, seen []*types.Record) bool {
		switch t := t.(type) {
		case *types.Record:
			if t == r && len(seen) > 0 {
				return true
			}
			if slices.Contains(seen, t) {
				return false
			}
			for _, f := range t.Fields {
				if visit(f.Type, append(seen, t)) {
					path = append([]string{f.Name}, path...)
					return true
				}
			}
		case *types.Tuple:
			for _, e := range t.Elems {
				if visit(e, seen) {
					return true
				}
			}
		case *types.List:
			if m := t.Constraints.MinItems; m != nil && *m > 0 {
				return visit(t.Elem, seen)
			}
		case *types.Union:
			for _, m := range t.Members {
				if !visit(m, seen) {
					return false
				}
			}
			return true
		}
		return false
	}
	if visit(r, nil) {
		c.report(diag.New("E0312", d.place, code(d.name)+" needs another "+code(d.name)+" inside it").
			Say("Every `%s` holds a `%s` in `%s`, so none can ever be complete. Make the inner one optional, `%s?`, or put it in a list.",
				d.name, d.name, strings.Join(path, "."), d.name))
	}
}

// typeOptions say where a type stands.
type typeOptions struct {
	variable bool // of a variable: `step`, model and module are legal
}

// typeOf makes a type of a type expression. A nil expression (about which the
// parser has spoken) is Invalid.
func (c *checker) typeOf(fs *fileScope, te syntax.TypeExpr, opt typeOptions) types.Type {
	switch te := te.(type) {
	case *syntax.NamedType:
		return c.namedType(fs, te, opt)
	case *syntax.LiteralType:
		return &types.Literal{Value: te.Value}
	case *syntax.OptionalType:
		t := c.typeOf(fs, te.Elem, opt)
		if types.IsInvalid(t) {
			return t
		}
		return types.NewOptional(t)
	case *syntax.UnionType:
		members := make([]types.Type, 0, len(te.Members))
		for _, m := range te.Members {
			members = append(members, c.typeOf(fs, m, opt))
		}
		return types.NewUnion(members...)
	case *syntax.SliceType:
		elem := c.typeOf(fs, te.Elem, opt)
		c.report(spelling(fs.place(te.Span), "a list is written `list[…]`", "list["+fs.place(te.Elem.Range()).Text()+"]"))
		return &types.List{Elem: elem}
	case *syntax.RecordType:
		r := &types.Record{}
		seen := map[string]source.Place{}
		for _, it := range te.Items {
			switch it := it.(type) {
			case *syntax.Field:
				if f, ok := c.field(fs, it, false); ok && c.once(seen, fs, it.Name, "field") {
					r.Fields = append(r.Fields, f)
				}
			case *syntax.Bad:
				return types.Invalid{}
			case *syntax.Attribute:
				c.report(fieldWithEquals(fs, it))
			default:
				c.report(notAllowedHere(fs.place(headOf(it)), "this", "an object's type", "an object's type holds fields: `name: type`"))
			}
		}
		return r
	}
	return types.Invalid{}
}

func (c *checker) namedType(fs *fileScope, te *syntax.NamedType, opt typeOptions) types.Type {
	name := te.Name()
	at := fs.place(te.Span)
	if t, ok := c.pythonType(fs, te, opt); ok {
		return t
	}
	args := func(n int, form string) ([]types.Type, bool) {
		if len(te.Args) == 0 && opensAngle(at) {
			return nil, false // the parser has seen it
		}
		if len(te.Args) != n {
			c.report(typeArguments(at, name, form, len(te.Args)))
			return nil, false
		}
		out := make([]types.Type, n)
		for i, a := range te.Args {
			out[i] = c.typeOf(fs, a, opt)
		}
		return out, true
	}
	switch name {
	case "list":
		a, ok := args(1, "list[T]")
		if !ok {
			return types.Invalid{}
		}
		t := &types.List{Elem: a[0]}
		t.Constraints = c.constraints(fs, te, t.String(), types.ListLimits)
		c.checkSize(at, "list", t.Constraints)
		return t
	case "map":
		a, ok := args(2, "map[string, T]")
		if !ok {
			return types.Invalid{}
		}
		if !types.IsInvalid(a[0]) && !types.Equal(a[0], types.String) {
			c.report(diag.New("E0311", fs.place(te.Args[0].Range()), "the names in a map are of type `string`").
				Say("A map has text for names, as JSON has.").Fix("make it `string`", fs.place(te.Args[0].Range()), "string"))
		}
		t := &types.Map{Elem: a[1]}
		t.Constraints = c.constraints(fs, te, t.String(), types.MapLimits)
		c.checkSize(at, "map", t.Constraints)
		return t
	case "tuple":
		if len(te.Args) == 0 {
			c.report(typeArguments(at, name, "tuple[A, B]", 0))
			return types.Invalid{}
		}
		t := &types.Tuple{}
		for _, a := range te.Args {
			t.Elems = append(t.Elems, c.typeOf(fs, a, opt))
		}
		c.constraints(fs, te, t.String(), nil)
		return t
	case "model", "module":
		if !opt.variable {
			c.report(diag.New("E0204", at, "only a variable can be of type "+code(name)).
				Say("The type `%s` is for variables that choose one: `variable brain: model { default = model.small }`.", name))
			return types.Invalid{}
		}
		if name == "model" {
			return types.Model{}
		}
		return types.Module{}
	}
	if row, ok := types.Lookup(name); ok {
		if te.HasArgs {
			c.report(diag.New("E0311", at, code(name)+" takes nothing in brackets").
				Fix("without brackets", at, name))
		}
		allowed := row.Allows
		if opt.variable && (row.Base == types.IntBase || row.Base == types.FloatBase) {
			allowed = append(slices.Clone(allowed), "step")
		}
		t := &types.Primitive{Row: row}
		t.Constraints = c.rowConstraints(fs, te, row, allowed)
		c.checkBounds(at, t)
		if l, ok := t.Shape().(*types.List); ok {
			c.checkSize(at, row.Name, l.Constraints)
		}
		return t
	}
	d, ok := fs.lookup(typeKind, name)
	if !ok {
		c.report(c.unknownType(fs, te))
		return types.Invalid{}
	}
	if d.word == "signature" {
		c.report(diag.New("E0204", at, code(name)+" is a signature, not a type").
			Relate(d.place, "declared here").
			Say("A signature says what a step takes and gives; a step uses it with `signature = %s`. A type says what one value may be.", name))
		return types.Invalid{}
	}
	t := c.resolveDecl(d)
	if te.HasArgs {
		c.report(diag.New("E0311", at, code(name)+" takes nothing in brackets").Relate(d.place, "declared here"))
	}
	if len(te.Params) > 0 {
		c.constraints(fs, te, name, nil)
	}
	return t
}

// rowConstraints reads the parameters of a type of the table: its argument, the
// 1536 of `embedding(1536)`, and its constraints.
func (c *checker) rowConstraints(fs *fileScope, te *syntax.NamedType, row *types.Row, allowed []string) types.Constraints {
	if row.Argument == nil || len(te.Params) == 0 {
		return c.constraints(fs, te, row.Name, allowed)
	}
	first := te.Params[0]
	if first.Name != nil {
		if first.Value == nil || !slices.Contains(argumentHabits, first.Name.Name) {
			return c.constraints(fs, te, row.Name, allowed)
		}
		c.report(diag.New("E0305", fs.place(first.Name.Span), row.Argument.Name+" has no name here").
			Say("In parentheses, `%s` takes %s as it is: %s.", row.Name, row.Argument.Name, row.Argument.Doc).
			Fix("without the name", fs.place(first.Span), fs.place(first.Value.Span).Text()))
	}
	rest := *te
	rest.Params = te.Params[1:]
	out := c.constraints(fs, &rest, row.Name, allowed)
	if first.Value == nil {
		return out
	}
	v, vt, diags := expr.Literal(fs.file.Source, first.Value)
	c.add(diags)
	if !diags.HasErrors() && !out.SetArgument(row, v) {
		want := "a text"
		if row.Argument.Base == types.IntBase {
			want = fmt.Sprintf("a whole number from 1 to %d", row.Argument.Max)
		}
		c.report(diag.New("E0305", fs.place(first.Value.Span), fmt.Sprintf("%s is %s, this is %s", row.Argument.Name, want, describe(v, vt))).
			Say("In parentheses, `%s` takes %s: %s.", row.Name, row.Argument.Name, row.Argument.Doc))
	}
	return out
}

// argumentHabits are names that people give to what has none.
var argumentHabits = []string{"dimensions", "dimension", "dims", "dim", "size", "length", "n", "lang", "language"}

// constraints reads the parameters of a type, of which those named in allowed apply.
func (c *checker) constraints(fs *fileScope, te *syntax.NamedType, typ string, allowed []string) types.Constraints {
	var out types.Constraints
	seen := map[string]source.Place{}
	for _, p := range te.Params {
		at := fs.place(p.Span)
		if p.Name == nil {
			c.report(diag.New("E0305", at, "a constraint has a name").
				Say("%s", constraintsFor(typ, allowed)))
			continue
		}
		name := p.Name.Name
		if !slices.Contains(allowed, name) {
			d := diag.New("E0305", fs.place(p.Name.Span), code(typ)+" has no constraint "+code(name)).
				Say("%s", constraintsFor(typ, allowed))
			if near, ok := diag.Nearest(name, allowed); ok {
				d.Fix("did you mean "+code(near)+"?", fs.place(p.Name.Span), near)
			} else if near, ok := constraintHabits[name]; ok && slices.Contains(allowed, near) {
				d.Fix("did you mean "+code(near)+"?", fs.place(p.Name.Span), near)
			}
			c.report(d)
			continue
		}
		if !c.once(seen, fs, *p.Name, "constraint") || p.Value == nil {
			continue
		}
		v, vt, diags := expr.Literal(fs.file.Source, p.Value)
		c.add(diags)
		if diags.HasErrors() {
			continue
		}
		if !out.Set(name, v) {
			want := "a number"
			switch name {
			case "pattern":
				want = "a text"
			case "min_length", "max_length", "min_items", "max_items":
				want = "a whole number from 0"
			case "multiple_of", "step":
				want = "a number above 0"
			case "unique":
				want = "true or false"
			case "format":
				c.report(unknownFormat(fs.place(p.Value.Span), v))
				continue
			}
			c.report(diag.New("E0305", fs.place(p.Value.Span), fmt.Sprintf("%s is %s, this is %s", code(name), want, describe(v, vt))))
			continue
		}
		if name == "pattern" {
			if _, err := regexp.Compile(*out.Pattern); err != nil {
				c.report(diag.New("E0305", fs.place(p.Value.Span), "this pattern cannot be read").
					Say("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")+". Patterns are written as in RE2."))
				out.Pattern = nil
			}
		}
	}
	return out
}

func unknownFormat(at source.Place, v any) *diag.Diagnostic {
	names := make([]string, len(types.Formats))
	lines := make([]string, len(types.Formats))
	for i, f := range types.Formats {
		names[i] = f.Name
		lines[i] = fmt.Sprintf("    %-10s%s", f.Name, f.Doc)
	}
	d := diag.New("E0305", at, "there is no such format").
		Say("%s is not a format. These are:\n\n%s\n\nThe types `date`, `datetime` and `duration` have forms of their own; any other is a `pattern`.",
			types.FormatLiteral(literalText(v)), strings.Join(lines, "\n"))
	if s, ok := v.(string); ok {
		if near, ok := diag.Nearest(s, names); ok {
			d.Fix("did you mean "+code(near)+"?", at, types.FormatLiteral(near))
		}
	}
	return d
}

var constraintHabits = map[string]string{
	"ge": "min", "le": "max", "gt": "min", "lt": "max", "minimum": "min", "maximum": "max",
	"len": "max_length", "max_len": "max_length", "min_len": "min_length", "regex": "pattern",
	"maxLength": "max_length", "minLength": "min_length", "max_size": "max_items", "min_size": "min_items",
}

func constraintsFor(typ string, allowed []string) string {
	if len(allowed) == 0 {
		return "The type `" + typ + "` takes no constraints."
	}
	quoted := make([]string, len(allowed))
	for i, a := range allowed {
		quoted[i] = code(a)
	}
	return "These constraints apply to `" + typ + "`: " + strings.Join(quoted, ", ") + "."
}

// checkBounds reports constraints that leave no value.
func (c *checker) checkBounds(at source.Place, t *types.Primitive) {
	lo, hi := t.Bounds()
	least, most := t.Lengths()
	k := t.Constraints
	number := types.FormatFloat
	switch {
	case lo != nil && hi != nil && *lo > *hi:
		c.report(diag.New("E0313", at, fmt.Sprintf("nothing is at least %s and at most %s", number(*lo), number(*hi))))
	case lo != nil && hi != nil && t.Row.Base == types.IntBase && math.Ceil(*lo) > math.Floor(*hi):
		c.report(diag.New("E0313", at, fmt.Sprintf("no whole number is at least %s and at most %s", number(*lo), number(*hi))))
	case lo != nil && hi != nil && k.MultipleOf != nil && math.Ceil(*lo / *k.MultipleOf - 1e-9)**k.MultipleOf > *hi+1e-9:
		c.report(diag.New("E0313", at, fmt.Sprintf("no multiple of %s is at least %s and at most %s", number(*k.MultipleOf), number(*lo), number(*hi))))
	case least != nil && most != nil && *least > *most:
		c.report(diag.New("E0313", at, fmt.Sprintf("no text has at least %d and at most %d characters", *least, *most)))
	}
}

// checkSize reports numbers of items that no list or map has.
func (c *checker) checkSize(at source.Place, what string, k types.Constraints) {
	if k.MinItems != nil && k.MaxItems != nil && *k.MinItems > *k.MaxItems {
		c.report(diag.New("E0313", at, fmt.Sprintf("no %s has at least %d and at most %d items", what, *k.MinItems, *k.MaxItems)))
	}
}

// once reports a name that was seen before and remembers it.
func (c *checker) once(seen map[string]source.Place, fs *fileScope, name syntax.Ident, what string) bool {
	at := fs.place(name.Span)
	if first, ok := seen[name.Name]; ok {
		c.report(declaredTwice(at, first, name.Name, what, what))
		return false
	}
	seen[name.Name] = at
	return true
}

// fixedText reports a template where only fixed text may stand.
func (c *checker) fixedText(fs *fileScope, s *syntax.String, what string) {
	if s.Template.Len() > 0 {
		c.report(templateInLiteral(fs.place(s.Template), what))
	}
}
