// Package expr reads, checks and evaluates the expressions of .dsp files.
//
//	Expr      an expression that has been read: `len(answer) <= 280` (Parse)
//	Ref       a name it refers to: `draft.answer` (Expr.Refs)
//	Scope     what names mean where it stands; Symbol, Member (scope.go)
//	Info      its type and whether it holds a secret (Expr.Check)
//	Program   its compiled form (Expr.Compile), evaluated by Program.Eval
//	Function  a row of the one table of functions (Functions)
//
// The syntax is expr-lang's and its parser and virtual machine do the work; this
// is the only package that knows them. Around them stands what dspi adds:
//
//	text ──scan──▶ text for expr ──expr's parser──▶ tree ──resolve──▶ tree ──lower──▶ expr's VM
//	                                                       │
//	                                                     check, in dspi's types
//
// scan (scan.go) blanks comments, takes out the strings that expr cannot read
// (templates, heredocs) behind a name of the same length, limits depth and
// recognises habits from other languages. resolve (resolve.go) brings places to
// byte offsets of the file, puts templates back, tells `it`, `acc`, `let` names
// and functions from references. check (check.go and the files beside it) infers
// types and reports every mistake at once. lower (lower.go) turns what could read
// or compute a value into calls of functions of ours, so that objects keep their
// order, a division by zero is an error, and every turn of a loop counts as a step.
//
// A single name, a chain such as `draft.answer` and a literal never reach expr.
package expr

import (
	"strings"
	"sync/atomic"

	"github.com/expr-lang/expr/ast"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// The limits on the size of one expression.
const (
	maxDepth  = 200    // brackets and templates inside each other
	maxTokens = 20_000 // words, numbers, strings and signs
)

// Expr is an expression that has been read. It may be used by several goroutines.
type Expr struct {
	file  *source.File
	span  source.Span
	text  string
	root  ast.Node // nil when it could not be read
	refs  []Ref
	pairs []pair
	facts atomic.Pointer[facts] // what the last Check found out for Compile
}

// pair is an opening bracket and its closer, as byte offsets of the file.
type pair struct{ open, close int }

// Ref is one reference of an expression: `question`, `draft.answer`, `var.k`.
// The path ends where an index begins: `docs.passages[0].text` refers to
// `docs.passages`.
type Ref struct {
	Root string
	Path []string
	source.Span
	Parts []source.Span // of the root and of each name of the path
}

// Info is what Check found out about an expression.
type Info struct {
	// Type is types.Invalid when a mistake was reported.
	Type types.Type
	// Sensitive tells that a sensitive value flows into the result.
	Sensitive bool
	// Constant is the value of an expression that is fixed text, a number, or a
	// list or record of such; meaningful when IsConstant.
	Constant   any
	IsConstant bool

	loose bool
}

// Loose reports whether json has a part in the expression, so that values may
// turn out to be of another kind when it runs.
func (i Info) Loose() bool { return i.loose }

// Parse reads an expression. What cannot be read is reported; the expression is
// never nil, and one that could not be read has no references, the type Invalid,
// and does not compile. Unbalanced brackets and strings without an end are
// reported here too, with the codes that the parser of files uses: a caller that
// holds a syntax.Fault inside the expression drops what Parse says.
func Parse(file *source.File, e *syntax.Expr) (*Expr, diag.List) {
	x, diags := parse(file, e)
	x.verify(diags, func(y *Expr, ds diag.List) int { return len(ds) }, len(diags))
	return x, diags
}

func parse(file *source.File, e *syntax.Expr) (*Expr, diag.List) {
	if e == nil {
		return &Expr{file: file}, nil
	}
	x := &Expr{file: file, span: e.Span, text: e.Text}
	r := &reader{reporter: reporter{x: x}}
	root := r.read(e.Text, int(e.Start))
	if !r.fatal && !r.unclear && root != nil {
		x.root = root
	} else {
		x.refs = nil
	}
	r.diags.Sort()
	return x, r.diags
}

// Text returns the expression as it was written.
func (e *Expr) Text() string { return e.text }

// Range returns the bytes of the expression.
func (e *Expr) Range() source.Span { return e.span }

// Place returns the place of the expression.
func (e *Expr) Place() source.Place { return e.file.Place(e.span) }

// Refs returns every reference in the order of the text. Names bound by `let`
// inside the expression and `it`, `it_index`, `acc` are not references.
func (e *Expr) Refs() []Ref { return e.refs }

// Check infers the type of the expression in a scope and reports every mistake.
func (e *Expr) Check(s *Scope) (Info, diag.List) { return e.CheckExpecting(s, nil) }

// CheckExpecting is Check for a place that wants a type: `one_of(x)` and empty
// lists take theirs from it. Whether the result fits is the caller's question.
func (e *Expr) CheckExpecting(s *Scope, want types.Type) (Info, diag.List) {
	return e.checkVerified(s, want, false)
}

// CheckCondition is Check for a place that wants true or false; anything else is
// reported as E0308, a value that may be null as E0304.
func (e *Expr) CheckCondition(s *Scope) (Info, diag.List) {
	return e.checkVerified(s, types.Bool, true)
}

func (e *Expr) checkVerified(s *Scope, want types.Type, condition bool) (Info, diag.List) {
	info, diags := e.check(s, want, condition)
	if len(diags) > 0 {
		e.verify(diags, func(y *Expr, ds diag.List) int {
			got, more := y.check(s, want, condition)
			n := len(ds) + len(more)
			if n == 0 && want != nil && !types.Fits(got.Type, want) {
				n = len(diags) // it would only be the next mistake
			}
			return n
		}, len(diags))
	}
	return info, diags
}

func (e *Expr) check(s *Scope, want types.Type, condition bool) (Info, diag.List) {
	if e.root == nil {
		return Info{Type: types.Invalid{}}, nil
	}
	c := &checker{reporter: reporter{x: e}, scope: s}
	var t types.Type
	if condition {
		t = c.condition(e.root, "")
	} else {
		t = c.value(e.root, want)
	}
	c.doubleBraces()
	c.diags.Sort()
	if c.diags.HasErrors() {
		t = types.Invalid{}
	}
	e.facts.Store(&c.facts)
	info := Info{Type: t, Sensitive: c.sensitive, loose: c.loose}
	if t != nil && !c.diags.HasErrors() {
		info.Constant, info.IsConstant = constant(e.root)
	}
	return info, c.diags
}

// verify keeps the fixes that help: those after which the expression has fewer
// mistakes than before, as counted by count.
func (e *Expr) verify(diags diag.List, count func(*Expr, diag.List) int, before int) {
	left := 40 // a text with hundreds of mistakes needs no hundreds of trials
	for _, d := range diags {
		kept := d.Fixes[:0]
		for _, f := range d.Fixes {
			if left--; left < 0 {
				break
			}
			text, ok := e.apply(f)
			if !ok {
				continue
			}
			file := source.NewFile(e.file.Name, text)
			y, ds := parse(file, &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
			switch n := count(y, ds); {
			case n < before:
				kept = append(kept, f)
			case n == before && strings.HasPrefix(f.Title, "did you mean"): // the name, where its type does not fit either
				d.Hint("%s", f.Title)
			}
		}
		d.Fixes = kept
	}
}

// apply returns the text of the expression after a fix.
func (e *Expr) apply(f diag.Fix) (string, bool) {
	text := e.text
	for i := len(f.Edits) - 1; i >= 0; i-- { // edits stand in the order of the text
		ed := f.Edits[i]
		a, b := int(ed.Start-e.span.Start), int(ed.End-e.span.Start)
		if a < 0 || b < a || b > len(text) {
			return "", false
		}
		text = text[:a] + ed.Text + text[b:]
	}
	return text, true
}
