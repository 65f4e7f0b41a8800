// Package syntax is the tree of a .dsp file, as the parser found it.
//
//	File        a whole file: items and comments
//	Item        Import, TypeAlias, Block at the top; Attribute, Let, Field,
//	            Arrow, EnumMember, Block in bodies; Bad where nothing was understood
//	TypeExpr    NamedType, LiteralType, RecordType, OptionalType, UnionType, BadType
//	Expr        the raw text of an expression; lang/expr reads it
//
// A tree does not change once made. It knows nothing of meaning: which blocks
// exist, where a field is legal, what a name refers to are the checker's
// questions. The usual mistakes (`=>`, `T[]`, `List[…]`, …) are in the tree, so
// that the checker can speak about them.
package syntax

import "github.com/dspi-lang/dspi/lang/source"

// Node is anything with a place.
type Node interface {
	// Range returns the bytes of the node, from its first token to its last.
	Range() source.Span
}

// Item is one entry of a file or of a body.
type Item interface {
	Node
	item()
}

// File is the tree of one file. Faults are what the parser could not
// understand; the items hold what it could.
type File struct {
	Source   *source.File
	Items    []Item
	Comments []Comment // in the order of the text
	Faults   []Fault
}

// Comment is `# …`, `// …` or `/* … */`, with its marks.
type Comment struct {
	source.Span
	OwnLine bool // nothing but space stands before it on its line
}

// Ident is a name as it stands in the text.
type Ident struct {
	Name string
	source.Span
}

// Range returns the bytes of the name.
func (i Ident) Range() source.Span { return i.Span }

// String is a string literal: Text is the literal as written, quotes or heredoc
// marks included; Value what it means.
type String struct {
	Value string
	source.Span
	// Template is the place of the first `${` in it. It is an error where
	// only a literal may stand. Zero when there is none.
	Template source.Span
}

// Range returns the bytes of the literal.
func (s *String) Range() source.Span { return s.Span }

// Expr is an expression, raw: `len(answer) <= 280`.
type Expr struct {
	Text string // exactly the text of the span
	source.Span
	// Broken says that a fault of the parser's lies in it, so that reading it
	// would only find the same mistake again.
	Broken bool
}

// Range returns the bytes of the expression.
func (e *Expr) Range() source.Span { return e.Span }

// Body is what stands between `{` and `}`.
type Body struct {
	Items []Item
	Open  source.Span // the `{`
	Close source.Span // the `}`; empty when it is missing
}

// Import is `import "lib/rag.dsp"` or `import "lib/rag.dsp" as rag`.
type Import struct {
	source.Span
	Path  *String // nil when it is missing
	Alias *Ident  // nil without `as`
}

// TypeAlias is `type NAME = TYPE`. (`type NAME { … }` is a Block.)
type TypeAlias struct {
	source.Span
	Keyword source.Span
	Name    Ident
	Type    TypeExpr
}

// Label is a block's name: `hello`, or quoted, `"hello"`.
type Label struct {
	Ident
	Quoted bool
}

// Block is `KIND NAME { … }`, `KIND { … }`, `variable NAME: TYPE { … }` or, for
// a step of an imported program, `rag.summarize NAME { … }`.
type Block struct {
	source.Span
	Kind   []Ident // one name, or two for an imported program
	Labels []Label
	Type   TypeExpr // of `variable NAME: TYPE`; nil elsewhere
	Body   *Body    // nil when no `{` follows
}

// KindName returns the block's kind as written: `predict`, `rag.summarize`.
func (b *Block) KindName() string {
	switch len(b.Kind) {
	case 0:
		return ""
	case 1:
		return b.Kind[0].Name
	}
	return b.Kind[0].Name + "." + b.Kind[1].Name
}

// KindSpan returns the bytes of the block's kind.
func (b *Block) KindSpan() source.Span {
	if len(b.Kind) == 0 {
		return b.Span
	}
	return b.Kind[0].Span.To(b.Kind[len(b.Kind)-1].Span)
}

// Name returns the block's first label, or the empty name.
func (b *Block) Name() Ident {
	if len(b.Labels) == 0 {
		return Ident{Span: b.KindSpan()}
	}
	return b.Labels[0].Ident
}

// Attribute is `NAME = EXPRESSION`.
type Attribute struct {
	source.Span
	Name  Ident
	Value *Expr // nil when nothing follows the `=`
}

// Let is `let NAME = EXPRESSION`.
type Let struct {
	source.Span
	Name  Ident
	Value *Expr
}

// Field is `NAME: TYPE = DEFAULT "DESCRIPTION"`, `NAME?: TYPE`, or a bare `NAME`.
type Field struct {
	source.Span
	Name        Ident
	Optional    bool     // `NAME?: TYPE`
	Type        TypeExpr // nil for a bare field
	Default     *Expr    // nil without `= …`
	Description *String  // nil without one
}

// Arrow is the `->` between inputs and outputs. Text holds what was written:
// also `=>`, `→` and the like, which are mistakes.
type Arrow struct {
	source.Span
	Text string
}

// EnumMember is `NAME`, `NAME = "SHOWN"`, `NAME "MEANING"` or all three.
type EnumMember struct {
	source.Span
	Name        Ident
	Shown       *String // what the model sees; nil: the name
	Description *String // what it means
}

// Bad is text in which no item was recognised. A Fault says why.
type Bad struct{ source.Span }

func (n *Import) Range() source.Span     { return n.Span }
func (n *TypeAlias) Range() source.Span  { return n.Span }
func (n *Block) Range() source.Span      { return n.Span }
func (n *Attribute) Range() source.Span  { return n.Span }
func (n *Let) Range() source.Span        { return n.Span }
func (n *Field) Range() source.Span      { return n.Span }
func (n *Arrow) Range() source.Span      { return n.Span }
func (n *EnumMember) Range() source.Span { return n.Span }
func (n *Bad) Range() source.Span        { return n.Span }

func (*Import) item()     {}
func (*TypeAlias) item()  {}
func (*Block) item()      {}
func (*Attribute) item()  {}
func (*Let) item()        {}
func (*Field) item()      {}
func (*Arrow) item()      {}
func (*EnumMember) item() {}
func (*Bad) item()        {}

// TypeExpr is a type as written.
type TypeExpr interface {
	Node
	typeExpr()
}

// NamedType is `string`, `list[T]`, `map[string, T]`, `embedding(1536)`,
// `rag.Passage`, `int(min = 1)`, `list[T](max_items = 3)`.
type NamedType struct {
	source.Span
	Path []Ident    // one name, or two for a type of an imported file
	Args []TypeExpr // in brackets
	// HasArgs tells `list[]` from `list`.
	HasArgs bool
	Params  []Param // in parentheses
}

// Name returns the type's name as written, `rag.Passage`.
func (t *NamedType) Name() string {
	if len(t.Path) == 2 {
		return t.Path[0].Name + "." + t.Path[1].Name
	}
	return t.Path[0].Name
}

// Param is a constraint `min = 1`, or, without a name, an argument: the 1536 of
// `embedding(1536)`.
type Param struct {
	source.Span
	Name  *Ident
	Value *Expr // a literal
}

// LiteralType is `"angry"`, `1`, `true` or `null` in the place of a type.
type LiteralType struct {
	source.Span
	Value any // string, int, float64, bool or nil
}

// RecordType is `{ asked: bool, amount: float? }`.
type RecordType struct {
	source.Span
	Items []Item // fields; whatever else stands there is a mistake
}

// OptionalType is `T?`.
type OptionalType struct {
	source.Span
	Elem TypeExpr
}

// UnionType is `A | B`.
type UnionType struct {
	source.Span
	Members []TypeExpr
}

// SliceType is `T[]`, a habit from other languages: dspi writes `list[T]`.
type SliceType struct {
	source.Span
	Elem TypeExpr
}

// BadType is text in which no type was recognised. A Fault says why.
type BadType struct{ source.Span }

func (t *NamedType) Range() source.Span    { return t.Span }
func (t *LiteralType) Range() source.Span  { return t.Span }
func (t *RecordType) Range() source.Span   { return t.Span }
func (t *OptionalType) Range() source.Span { return t.Span }
func (t *UnionType) Range() source.Span    { return t.Span }
func (t *SliceType) Range() source.Span    { return t.Span }
func (t *BadType) Range() source.Span      { return t.Span }

func (*NamedType) typeExpr()    {}
func (*LiteralType) typeExpr()  {}
func (*RecordType) typeExpr()   {}
func (*OptionalType) typeExpr() {}
func (*UnionType) typeExpr()    {}
func (*SliceType) typeExpr()    {}
func (*BadType) typeExpr()      {}
