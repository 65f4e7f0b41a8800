package format

import (
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/syntax"
)

// same reports whether two files hold the same items, types, texts and comments,
// wherever they stand. How an arrow was misspelled does not count.
func same(a, b *syntax.File) bool {
	return slices.EqualFunc(a.Items, b.Items, sameItem) &&
		slices.EqualFunc(a.Comments, b.Comments, func(x, y syntax.Comment) bool {
			return plain(a.Source.Slice(x.Span)) == plain(b.Source.Slice(y.Span))
		})
}

// plain drops what line ends may differ in.
func plain(s string) string { return strings.ReplaceAll(s, "\r", "") }

func sameItem(a, b syntax.Item) bool {
	switch a := a.(type) {
	case *syntax.Import:
		b, ok := b.(*syntax.Import)
		return ok && sameString(a.Path, b.Path) && samePointer(a.Alias, b.Alias, sameName)
	case *syntax.TypeAlias:
		b, ok := b.(*syntax.TypeAlias)
		return ok && a.Name.Name == b.Name.Name && sameType(a.Type, b.Type)
	case *syntax.Block:
		b, ok := b.(*syntax.Block)
		return ok && a.KindName() == b.KindName() && sameType(a.Type, b.Type) &&
			slices.EqualFunc(a.Labels, b.Labels, func(x, y syntax.Label) bool {
				return x.Name == y.Name && x.Quoted == y.Quoted
			}) &&
			samePointer(a.Body, b.Body, func(x, y *syntax.Body) bool {
				return (x.Close.Len() > 0) == (y.Close.Len() > 0) && slices.EqualFunc(x.Items, y.Items, sameItem)
			})
	case *syntax.Attribute:
		b, ok := b.(*syntax.Attribute)
		return ok && a.Name.Name == b.Name.Name && sameExpr(a.Value, b.Value)
	case *syntax.Let:
		b, ok := b.(*syntax.Let)
		return ok && a.Name.Name == b.Name.Name && sameExpr(a.Value, b.Value)
	case *syntax.Field:
		b, ok := b.(*syntax.Field)
		return ok && a.Name.Name == b.Name.Name && a.Optional == b.Optional && sameType(a.Type, b.Type) &&
			sameExpr(a.Default, b.Default) && sameString(a.Description, b.Description)
	case *syntax.Arrow:
		_, ok := b.(*syntax.Arrow)
		return ok
	case *syntax.EnumMember:
		b, ok := b.(*syntax.EnumMember)
		return ok && a.Name.Name == b.Name.Name && sameString(a.Shown, b.Shown) && sameString(a.Description, b.Description)
	case *syntax.Bad:
		_, ok := b.(*syntax.Bad)
		return ok
	}
	return false
}

func samePointer[T any](a, b *T, equal func(x, y *T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a, b)
}

func sameName(a, b *syntax.Ident) bool { return a.Name == b.Name }

func sameString(a, b *syntax.String) bool {
	return samePointer(a, b, func(x, y *syntax.String) bool {
		return plain(x.Value) == plain(y.Value) && (x.Template.Len() > 0) == (y.Template.Len() > 0)
	})
}

func sameExpr(a, b *syntax.Expr) bool {
	return samePointer(a, b, func(x, y *syntax.Expr) bool { return plain(x.Text) == plain(y.Text) })
}

func sameType(a, b syntax.TypeExpr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	switch a := a.(type) {
	case *syntax.NamedType:
		b, ok := b.(*syntax.NamedType)
		return ok && a.Name() == b.Name() && a.HasArgs == b.HasArgs && slices.EqualFunc(a.Args, b.Args, sameType) &&
			slices.EqualFunc(a.Params, b.Params, func(x, y syntax.Param) bool {
				return samePointer(x.Name, y.Name, sameName) && sameExpr(x.Value, y.Value)
			})
	case *syntax.LiteralType:
		b, ok := b.(*syntax.LiteralType)
		return ok && a.Value == b.Value
	case *syntax.RecordType:
		b, ok := b.(*syntax.RecordType)
		return ok && slices.EqualFunc(a.Items, b.Items, sameItem)
	case *syntax.OptionalType:
		b, ok := b.(*syntax.OptionalType)
		return ok && sameType(a.Elem, b.Elem)
	case *syntax.SliceType:
		b, ok := b.(*syntax.SliceType)
		return ok && sameType(a.Elem, b.Elem)
	case *syntax.UnionType:
		b, ok := b.(*syntax.UnionType)
		return ok && slices.EqualFunc(a.Members, b.Members, sameType)
	case *syntax.BadType:
		_, ok := b.(*syntax.BadType)
		return ok
	}
	return false
}
