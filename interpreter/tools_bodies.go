package interpreter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// shownOfBody is how many characters of a failed reply are told.
const shownOfBody = 500

// declaredTool is a tool of the program, ready to be called by a step.
type declaredTool struct {
	run   *run
	host  *host
	plan  *plan.Tool
	vars  *value.Object
	clean func(string) string // takes secrets away; nil where there are none
}

// declaredTool makes a tool whose body the machine knows.
func (r *run) declaredTool(t *plan.Tool, h *host) (tool.Tool, error) {
	switch body := t.Declared.Body(); body {
	case "python":
		return nil, errors.New("its body is `python`, and this version of dspi cannot run Python yet; `starlark` and `command` are bodies that run")
	case "outputs", "program":
	default:
		if r.env.Bodies == nil {
			return nil, fmt.Errorf("nothing here runs tools with the body `%s`", body)
		}
	}
	d := &declaredTool{run: r, host: h, plan: t, vars: plan.Variables(t.Declared.Names, t.Values)}
	d.clean = cleaner(secretsOf(t))
	return d, nil
}

func (d *declaredTool) Name() string                  { return d.plan.Name }
func (d *declaredTool) Description() string           { return d.plan.Declared.Description }
func (d *declaredTool) Signature() *program.Signature { return d.plan.Declared.Signature }

// Call does what the body says. Nothing secret is in what comes back, even where a
// server repeats what it was sent.
func (d *declaredTool) Call(ctx context.Context, args *value.Object) (*value.Object, error) {
	out, err := d.answer(ctx, args)
	if err != nil {
		return nil, d.discreet(err)
	}
	if d.clean != nil {
		out, _ = d.cleaned(out).(*value.Object)
	}
	return out, nil
}

func (d *declaredTool) answer(ctx context.Context, args *value.Object) (*value.Object, error) {
	t := d.plan.Declared
	switch t.Body() {
	case "http":
		return d.http(ctx, args)
	case "command":
		return d.command(ctx, args)
	case "starlark":
		v, err := d.run.env.Bodies.Starlark(ctx, d.code(args))
		if err != nil {
			return nil, err
		}
		return d.named(v, nil), nil
	case "mcp":
		r, err := d.remote(ctx, args)
		if err != nil {
			return nil, err
		}
		v, err := d.run.env.Bodies.MCP(ctx, r)
		if err != nil {
			return nil, err
		}
		return d.named(v, nil), nil
	case "program":
		return d.program(ctx, args)
	}
	return d.outputs(ctx, args, nil)
}

// program runs the program that answers, as a part of the same run.
func (d *declaredTool) program(ctx context.Context, args *value.Object) (*value.Object, error) {
	depth, _ := ctx.Value(toolDepth{}).(int)
	if depth >= maxToolDepth {
		return nil, fmt.Errorf("tools that are programs call each other more than %d deep", maxToolDepth)
	}
	ctx = context.WithValue(ctx, toolDepth{}, depth+1)
	by := caller{path: d.host.path + "/" + d.plan.Name, step: d.host.step}
	out, err := d.run.plan(ctx, d.plan.Plan, args, by)
	var g *diag.Diagnostic
	if errors.As(err, &g) && !tool.IsPaused(err) {
		return nil, &tool.Error{Tool: d.Name(), Text: inWords(g), Err: err}
	}
	return out, err
}

type toolDepth struct{}

// inWords is a diagnostic for a model: without places.
func inWords(g *diag.Diagnostic) string {
	parts := []string{g.Title}
	for _, p := range []string{g.Primary.Text, g.Detail} {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "\n")
}

func (d *declaredTool) http(ctx context.Context, args *value.Object) (*value.Object, error) {
	t := d.plan.Declared
	x := &evaluation{tool: d, ctx: ctx, args: args}
	r := &tool.Request{
		Method: t.HTTP.Method, URL: x.text(t.HTTP.URL, "url"), Headers: x.pairs(t.HTTP.Headers, true),
		AllowPrivate: t.HTTP.AllowPrivate, Timeout: t.HTTP.Timeout, MaxBytes: t.HTTP.MaxBytes,
	}
	switch body := x.value(t.HTTP.Body, "body").(type) {
	case nil:
	case string:
		r.Body = []byte(body)
	default:
		r.Body = value.EncodeJSON(body)
		if !slices.ContainsFunc(r.Headers, func(h tool.Pair) bool { return strings.EqualFold(h.Name, "Content-Type") }) {
			r.Headers = append(r.Headers, tool.Pair{Name: "Content-Type", Value: "application/json"})
		}
	}
	if x.err != nil {
		return nil, x.err
	}
	reply, err := d.run.env.Bodies.HTTP(ctx, r)
	if err != nil {
		return nil, err
	}
	text := strings.ToValidUTF8(string(reply.Body), "\uFFFD")
	if reply.Status >= 400 && !d.reads("status") {
		return nil, d.failed("the server answered with status %d%s", reply.Status, told(text))
	}
	body, err := replyValue(reply, text)
	if err != nil {
		return nil, d.failed("the reply says that it is JSON, and it cannot be read: %s%s", err, told(text))
	}
	if t.Outputs == nil {
		return d.named(body, &text), nil
	}
	headers := &value.Object{}
	for _, h := range reply.Headers {
		headers.Set(h.Name, h.Value)
	}
	return d.outputs(ctx, args, map[string]any{"body": body, "status": reply.Status, "headers": headers})
}

// replyValue reads a reply as JSON where it says, or shows, that it is JSON.
func replyValue(r *tool.Reply, text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	if r.Type == "application/json" || strings.HasSuffix(r.Type, "+json") {
		if trimmed == "" {
			return nil, nil
		}
		return value.DecodeJSON([]byte(text))
	}
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if v, err := value.DecodeJSON([]byte(text)); err == nil {
			return v, nil
		}
	}
	return text, nil
}

// told is the beginning of what a server or command said, for a message.
func told(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if utf8.RuneCountInString(text) > shownOfBody {
		text = string([]rune(text)[:shownOfBody]) + "…"
	}
	return ": " + text
}

func (d *declaredTool) command(ctx context.Context, args *value.Object) (*value.Object, error) {
	t := d.plan.Declared
	x := &evaluation{tool: d, ctx: ctx, args: args}
	c := &tool.Command{
		Argv: x.texts(t.Command.Argv, "argv"), Stdin: x.text(t.Command.Stdin, "stdin"), Folder: d.folder(x.text(t.Command.Folder, "folder")),
		Env: x.pairs(t.Command.Env, false), Timeout: t.Command.Timeout, MaxBytes: t.Command.MaxBytes,
	}
	if x.err != nil {
		return nil, x.err
	}
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, d.failed("`argv` names no program")
	}
	printed, err := d.run.env.Bodies.Command(ctx, c)
	if err != nil {
		return nil, err
	}
	if printed.Status != 0 && !d.reads("status") {
		said := told(printed.Stderr)
		if said == "" {
			said = told(printed.Stdout)
		}
		return nil, d.failed("%s ended with status %d%s", filepath.Base(c.Argv[0]), printed.Status, said)
	}
	if t.Outputs != nil {
		return d.outputs(ctx, args, map[string]any{"stdout": printed.Stdout, "stderr": printed.Stderr, "status": printed.Status})
	}
	text := strings.TrimSuffix(strings.TrimSuffix(printed.Stdout, "\n"), "\r")
	var v any = text
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if o, err := value.DecodeJSON([]byte(text)); err == nil {
			v = o
		}
	}
	return d.named(v, &text), nil
}

func (d *declaredTool) code(args *value.Object) *tool.Code {
	k := d.plan.Declared.Starlark
	c := &tool.Code{Text: k.Code, File: k.File, Folder: d.folder(""), Call: k.Call, Args: args, Timeout: k.Timeout}
	c.Print = func(line string) {
		if d.clean != nil {
			line = d.clean(line)
		}
		d.host.Emit(trace.Event{Kind: trace.Note, Tool: d.Name(), Reason: line})
	}
	return c
}

func (d *declaredTool) remote(ctx context.Context, args *value.Object) (*tool.Remote, error) {
	m := d.plan.Declared.MCP
	x := &evaluation{tool: d, ctx: ctx, args: args}
	r := &tool.Remote{
		Name: m.Tool, Args: args, URL: x.text(m.URL, "url"), Headers: x.pairs(m.Headers, true),
		Env: x.pairs(m.Env, false), Folder: d.folder(""), Timeout: m.Timeout,
	}
	if m.Command.Expr != nil {
		r.Argv = x.texts(m.Command, "command")
	}
	return r, x.err
}

// folder brings a path that is relative to the tool's file into one of the process.
func (d *declaredTool) folder(path string) string {
	if file := d.plan.Declared.Place.File; !filepath.IsAbs(path) && file != nil {
		return filepath.Join(filepath.Dir(file.Name), filepath.FromSlash(path))
	}
	return path
}

// outputs evaluates the block `outputs`.
func (d *declaredTool) outputs(ctx context.Context, args *value.Object, reply map[string]any) (*value.Object, error) {
	x := &evaluation{tool: d, ctx: ctx, args: args, reply: reply}
	out := &value.Object{}
	for _, b := range d.plan.Declared.Outputs {
		out.Set(b.Name, x.value(b.Value, "outputs."+b.Name))
	}
	return out, x.err
}

// named makes outputs of one value: its members where it has them, else it is the
// one output itself. Text is the value as it came; nil where it was no text.
func (d *declaredTool) named(v any, text *string) *value.Object {
	sig := d.plan.Declared.Signature
	o, isObject := v.(*value.Object)
	if isObject && (len(sig.Outputs) != 1 || hasName(o, sig.Outputs[0].Name)) {
		return o
	}
	if len(sig.Outputs) != 1 {
		return &value.Object{} // what is missing is said with the outputs
	}
	f := &sig.Outputs[0]
	if text == nil {
		return value.NewObject(f.Name, v)
	}
	if s, wrong := value.Check(f.Type, *text, value.Strict); wrong == nil {
		return value.NewObject(f.Name, s)
	}
	if _, isText := v.(string); isText {
		if read, wrong := value.ParseText(f.Type, strings.TrimSpace(*text)); wrong == nil {
			v = read
		}
	}
	return value.NewObject(f.Name, v)
}

func hasName(o *value.Object, name string) bool {
	_, ok := o.Get(name)
	return ok
}

// reads reports whether `outputs` reads a name.
func (d *declaredTool) reads(name string) bool {
	for _, b := range d.plan.Declared.Outputs {
		if b.Value.Expr == nil {
			continue
		}
		for _, r := range b.Value.Expr.Refs() {
			if r.Root == name {
				return true
			}
		}
	}
	return false
}

func (d *declaredTool) failed(format string, args ...any) error {
	return &tool.Error{Tool: d.Name(), Text: fmt.Sprintf(format, args...)}
}

// evaluation evaluates the expressions of one call; after an error it does nothing.
type evaluation struct {
	tool  *declaredTool
	ctx   context.Context
	args  *value.Object
	reply map[string]any // what the body gave
	err   error
}

func (x *evaluation) value(v program.Value, what string) any {
	if x.err != nil || v.IsZero() {
		return nil
	}
	if v.Expr == nil {
		out, _ := x.lookup(v.Root)
		return out
	}
	code, err := v.Expr.Compile()
	var out any
	if err == nil {
		out, err = code.Eval(x.ctx, func(root string) (any, bool) {
			if out, ok := x.lookup(root); ok {
				return out, true
			}
			if root == "model" || root == "module" {
				return plan.NamesIn(v.Expr, root), true
			}
			return nil, false
		})
	}
	if err == nil {
		return out
	}
	var e *expr.EvalError
	switch {
	case v.Sensitive:
		x.err = x.tool.failed("`%s` cannot be evaluated; what went wrong is not shown, because a secret is part of it", what)
	case errors.As(err, &e):
		x.err = x.tool.failed("`%s` cannot be evaluated: %s", what, e.Message)
	default:
		x.err = x.tool.failed("`%s` cannot be evaluated: %s", what, err)
	}
	return nil
}

func (x *evaluation) lookup(root string) (any, bool) {
	if v, ok := x.reply[root]; ok {
		return v, true
	}
	if v, ok := x.args.Get(root); ok {
		return v, true
	}
	switch root {
	case "inputs":
		return x.args, true
	case "var":
		return x.tool.vars, true
	}
	return nil, false
}

// text evaluates a value that is a text; null is "".
func (x *evaluation) text(v program.Value, what string) string {
	switch s := x.value(v, what).(type) {
	case nil:
		return ""
	case string:
		return s
	default:
		return string(value.EncodeJSON(s))
	}
}

func (x *evaluation) texts(v program.Value, what string) []string {
	list, _ := x.value(v, what).([]any)
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			s = string(value.EncodeJSON(e))
		}
		out[i] = s
	}
	return out
}

// pairs evaluates headers or an environment; those that are null are left out. In
// the name of a header an underscore stands for `-`.
func (x *evaluation) pairs(bs []program.Binding, header bool) []tool.Pair {
	var out []tool.Pair
	for _, b := range bs {
		v := x.value(b.Value, b.Name)
		if v == nil {
			continue
		}
		s, ok := v.(string)
		if !ok {
			s = string(value.EncodeJSON(v))
		}
		name := b.Name
		if header {
			name = strings.ReplaceAll(name, "_", "-")
		}
		out = append(out, tool.Pair{Name: name, Value: s})
	}
	return out
}

// secretsOf returns the values of the sensitive variables that a tool can read.
func secretsOf(t *plan.Tool) []string {
	var out []string
	for _, v := range t.Declared.Names {
		if !v.Sensitive {
			continue
		}
		switch x := t.Values[v.Name].(type) {
		case nil:
		case string:
			out = append(out, x)
		default:
			out = append(out, string(value.EncodeJSON(x)))
		}
	}
	return out
}

// shortestSecret is the length from which a secret is taken out of texts; a shorter
// one cannot be told from a word.
const shortestSecret = 4

// cleaner returns what takes secrets out of a text, nil where there are none.
func cleaner(secrets []string) func(string) string {
	var short []string
	for _, s := range secrets {
		if len(s) >= shortestSecret && len(s) < 8 {
			short = append(short, s)
		}
	}
	long := lm.Redactor(secrets)
	if long == nil && short == nil {
		return nil
	}
	return func(text string) string {
		if long != nil {
			text = long(text)
		}
		for _, s := range short {
			text = strings.ReplaceAll(text, s, lm.Redacted)
		}
		return text
	}
}

// cleaned returns a value without secrets.
func (d *declaredTool) cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return d.clean(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = d.cleaned(x)
		}
		return out
	case *value.Object:
		out := value.MakeObject(v.Len())
		for n, x := range v.All() {
			out.Set(d.clean(n), d.cleaned(x))
		}
		return out
	}
	return v
}

// discreet returns an error without secrets.
func (d *declaredTool) discreet(err error) error {
	if d.clean == nil || tool.IsPaused(err) {
		return err
	}
	var e *tool.Error
	if !errors.As(err, &e) {
		e = &tool.Error{Tool: d.Name(), Text: err.Error()}
	}
	return &tool.Error{Tool: e.Tool, Text: d.clean(e.Text)}
}
