package expr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// The limits of one evaluation, unless options say otherwise.
const (
	// DefaultSteps is how many turns of loops and pieces of work an evaluation
	// may take: a few seconds at most.
	DefaultSteps = 3_000_000
	// DefaultMemory is how many bytes it may make in all, freed ones included.
	DefaultMemory = 256 << 20
)

// elementSize is what an element of a list counts for.
const elementSize = 16

// Program is a compiled expression. It may be evaluated by several goroutines.
type Program struct {
	x       *Expr
	direct  func(r *run) (any, error) // for what needs no machine
	machine *vm.Program
}

// EvalKind says why an evaluation ended without a value.
type EvalKind int

const (
	// Failed: a division by zero, a position beyond a list, a null in the way.
	Failed EvalKind = iota
	// TooMuch: it took more steps or memory than allowed.
	TooMuch
	// Cancelled: the context was done.
	Cancelled
)

// EvalError is an evaluation that ended without a value.
type EvalError struct {
	Kind    EvalKind
	Message string       // lower case, without full stop: "division by zero"
	Place   source.Place // of the part that failed, or of the whole expression
	Err     error        // the context's error, or the host's
}

func (e *EvalError) Error() string {
	if e.Place.File == nil {
		return e.Message
	}
	p := e.Place.File.Position(e.Place.Start)
	return fmt.Sprintf("%s:%d:%d: %s", e.Place.File.Name, p.Line, p.Column, e.Message)
}

// Unwrap returns the context's error, or the host's.
func (e *EvalError) Unwrap() error { return e.Err }

// Compile makes the expression ready to run. It uses what the last Check found
// out; an expression that has mistakes does not compile.
func (e *Expr) Compile() (*Program, error) {
	if e.root == nil {
		return nil, errors.New("the expression could not be read; check the file for its mistakes first")
	}
	f := e.facts.Load()
	if f == nil {
		f = &facts{}
	}
	p := &Program{x: e}
	if p.direct = direct(e, f, e.root); p.direct != nil {
		return p, nil
	}
	l := &lowerer{ranges: ranger{e, map[ast.Node][2]int{}}, facts: f}
	tree := &parser.Tree{Node: l.node(e.root), Source: file.NewSource("")}
	m, err := compiler.Compile(tree, config())
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("%s: the expression cannot be compiled: %s", e.file.Name, first)
	}
	p.machine = m
	return p, nil
}

// Option changes the limits of an evaluation or gives it functions of the host.
type Option func(*run)

// WithSteps sets how many steps an evaluation may take.
func WithSteps(n int) Option { return func(r *run) { r.steps = n } }

// WithMemory sets how many bytes an evaluation may make.
func WithMemory(bytes int) Option { return func(r *run) { r.memory = bytes } }

// WithHost supplies a host function, such as "env".
func WithHost(name string, f HostFunc) Option {
	return func(r *run) {
		if r.hosts == nil {
			r.hosts = map[string]HostFunc{}
		}
		r.hosts[name] = f
	}
}

// Eval computes the expression. env gives the value of a root name (`draft` is an
// object with the step's outputs, `var` one with the variables); it and the result
// are values of package value. Eval ends soon after ctx does. Every error is an
// *EvalError.
func (p *Program) Eval(ctx context.Context, env func(root string) (any, bool), options ...Option) (any, error) {
	r := &run{ctx: ctx, env: env, steps: DefaultSteps, memory: DefaultMemory}
	for _, o := range options {
		o(r)
	}
	if err := ctx.Err(); err != nil {
		return nil, p.failure(r.cancelled(err), p.x.span)
	}
	if p.direct != nil {
		v, err := p.direct(r)
		if err != nil {
			return nil, p.failure(err, p.x.span)
		}
		return v, nil
	}
	machine := vm.VM{MemoryBudget: uint(max(r.memory/elementSize, 1))}
	v, err := machine.Run(p.machine, r)
	if err == nil {
		return v, nil
	}
	at := p.x.span
	var f *file.Error
	if errors.As(err, &f) && f.To > f.From && f.From >= int(at.Start) && f.To <= int(at.End) {
		at = locSpan(f.Location)
	}
	return nil, p.failure(err, at)
}

// failure brings any error of a run into words.
func (p *Program) failure(err error, at source.Span) error {
	out := &EvalError{Place: p.x.file.Place(at)}
	var f *failure
	var located *locatedFailure
	var machine *file.Error
	var host *hostError
	if errors.As(err, &located) {
		out.Place = p.x.file.Place(located.at)
	}
	switch {
	case errors.As(err, &f):
		out.Kind, out.Message = f.kind, f.msg
		if f.kind == Cancelled {
			out.Err = f.cause
		}
	case errors.As(err, &host):
		out.Message, out.Err = host.err.Error(), host.err
	case errors.As(err, &machine) && strings.Contains(machine.Message, "memory budget exceeded"):
		out.Kind, out.Message = TooMuch, memoryWords
	case errors.As(err, &machine) && strings.HasPrefix(machine.Message, "reduce of empty"):
		out.Message = "`reduce` needs a start value, as the list is empty: reduce(list, acc + it, 0)"
	case errors.As(err, &machine):
		out.Message = machine.Message
	default:
		out.Message = err.Error()
	}
	return out
}

// run is one evaluation.
type run struct {
	ctx    context.Context
	env    func(string) (any, bool)
	hosts  map[string]HostFunc
	steps  int // left
	memory int // left
	until  int // steps until the context is looked at again
}

const (
	memoryWords = "the expression makes more data than an expression may hold"
	lookEvery   = 1024
)

// hostError is an error of a function that the host supplied.
type hostError struct{ err error }

func (e *hostError) Error() string { return e.err.Error() }

// locatedFailure is a failure of an expression that needs no machine.
type locatedFailure struct {
	error
	at source.Span
}

func (e *locatedFailure) Unwrap() error { return e.error }

// spend counts n steps.
func (r *run) spend(n int) error {
	r.steps -= n
	if r.steps < 0 {
		return &failure{kind: TooMuch, msg: "the expression takes more steps than an expression may"}
	}
	r.until -= n
	if r.until <= 0 {
		r.until = lookEvery
		if err := r.ctx.Err(); err != nil {
			return r.cancelled(err)
		}
	}
	return nil
}

func (r *run) cancelled(err error) error {
	words := "the expression was interrupted"
	if errors.Is(err, context.DeadlineExceeded) {
		words = "the time for the expression ran out"
	}
	return &failure{kind: Cancelled, msg: words, cause: err}
}

// grow counts bytes that the evaluation makes.
func (r *run) grow(bytes int) error {
	if bytes < 0 || bytes > r.memory {
		return &failure{kind: TooMuch, msg: memoryWords}
	}
	r.memory -= bytes
	return nil
}

// growBy is grow(n * size) without overflow.
func (r *run) growBy(n, size int) error {
	if n > 0 && size > 0 && n > r.memory/size {
		return &failure{kind: TooMuch, msg: memoryWords}
	}
	return r.grow(n * size)
}

func (r *run) name(root string) (any, error) {
	v, ok := r.env(root)
	if !ok {
		return nil, failed("`%s` has no value yet", root)
	}
	return v, nil
}

func (r *run) host(name string, args []any) (any, error) {
	f, ok := r.hosts[name]
	if !ok {
		return nil, failed("`%s` cannot be called here", name)
	}
	v, err := f(r.ctx, args)
	if err != nil {
		return nil, &hostError{err}
	}
	return v, nil
}

// text joins the text forms of values.
func (r *run) text(parts []any) (any, error) {
	if len(parts) == 1 {
		s := textOf(parts[0])
		return s, r.grow(len(s))
	}
	texts := make([]string, len(parts))
	size := 0
	for i, p := range parts {
		texts[i] = textOf(p)
		size += len(texts[i])
	}
	return r.joined(texts, "", size)
}

func (r *run) joined(parts []string, between string, size int) (any, error) {
	if err := r.grow(size); err != nil {
		return nil, err
	}
	if err := r.spend(1 + size/64); err != nil {
		return nil, err
	}
	return strings.Join(parts, between), nil
}

// numbers makes the list `from..to`.
func (r *run) numbers(from, to any) (any, error) {
	a, err := asInt(from)
	if err != nil {
		return nil, err
	}
	b, err := asInt(to)
	if err != nil {
		return nil, err
	}
	if b < a {
		return []any{}, nil
	}
	if n := b - a + 1; n <= 0 || n > r.memory/elementSize {
		return nil, &failure{kind: TooMuch, msg: memoryWords}
	}
	n := b - a + 1
	if err := r.grow(elementSize * n); err != nil {
		return nil, err
	}
	if err := r.spend(n / 8); err != nil {
		return nil, err
	}
	out := make([]any, n)
	for i := range out {
		out[i] = a + i
	}
	return out, nil
}

// direct makes the evaluation of an expression that needs no machine: a literal,
// a name, a chain of names, a template of such. It returns nil for any other.
func direct(e *Expr, f *facts, n ast.Node) func(r *run) (any, error) {
	fixed := func(v any) func(*run) (any, error) {
		return func(*run) (any, error) { return v, nil }
	}
	switch x := n.(type) {
	case *ast.NilNode:
		return fixed(nil)
	case *ast.BoolNode:
		return fixed(x.Value)
	case *ast.IntegerNode:
		return fixed(x.Value)
	case *ast.FloatNode:
		return fixed(x.Value)
	case *ast.StringNode:
		return fixed(x.Value)
	case *ast.ArrayNode, *ast.MapNode:
		if v, ok := constant(n); ok {
			return func(*run) (any, error) { return copied(v), nil }
		}
	case *ast.IdentifierNode:
		return func(r *run) (any, error) { return r.name(x.Value) }
	case *ast.MemberNode:
		if name, ok := f.members[x]; ok {
			return fixed(name)
		}
		p, ok := x.Property.(*ast.StringNode)
		of := direct(e, f, x.Node)
		if !ok || x.Optional || of == nil {
			return nil
		}
		return func(r *run) (any, error) {
			v, err := of(r)
			if err != nil {
				return nil, err
			}
			if v, err = get(v, p.Value); err != nil {
				return nil, &locatedFailure{err, e.rangeOf(x)}
			}
			return v, nil
		}
	case *ast.CallNode:
		if id, ok := x.Callee.(*ast.IdentifierNode); !ok || id.Value != textCall {
			return nil
		}
		parts := make([]func(*run) (any, error), len(x.Arguments))
		for i, a := range x.Arguments {
			if parts[i] = direct(e, f, a); parts[i] == nil {
				return nil
			}
		}
		return func(r *run) (any, error) {
			values := make([]any, len(parts))
			for i, p := range parts {
				v, err := p(r)
				if err != nil {
					return nil, err
				}
				values[i] = v
			}
			return r.text(values)
		}
	}
	return nil
}

// copied returns a copy of a constant, as values may be changed by who holds them.
func copied(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = copied(x)
		}
		return out
	case *value.Object:
		out := &value.Object{}
		for n, x := range v.All() {
			out.Set(n, copied(x))
		}
		return out
	}
	return v
}
