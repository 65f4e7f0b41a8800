package interpreter

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
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
	by    *module.Call // of the step
	vars  *value.Object
	clean func(string) string // takes secrets away; nil where there are none
}

// declaredTool makes a tool whose body the machine knows.
func (r *run) declaredTool(t *plan.Tool, h *host, by *module.Call) (tool.Tool, error) {
	switch body := t.Declared.Body(); body {
	case "python":
		if r.env.PythonTool == nil {
			return nil, errors.New("its body is `python`, and nothing here runs Python")
		}
	case "outputs", "program":
	default:
		if r.env.Bodies == nil {
			return nil, fmt.Errorf("nothing here runs tools with the body `%s`", body)
		}
	}
	d := &declaredTool{run: r, host: h, plan: t, by: by, vars: plan.Variables(t.Declared.Names, t.Values)}
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
	case "python":
		return d.python(ctx, args)
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

// cannotBeCalled are what is wrong with a function in Python, or with Python, whatever
// the arguments are.
var cannotBeCalled = []diag.Code{"E0644", "E0651", "E0655"}

// python calls the function in Python. What it says of where it failed is for people:
// the model is told the error alone.
func (d *declaredTool) python(ctx context.Context, args *value.Object) (*value.Object, error) {
	v, err := d.run.env.PythonTool(ctx, d.plan.Declared, args, d.by)
	var fault *python.Fault
	if errors.As(err, &fault) {
		if slices.Contains(cannotBeCalled, fault.Diagnostic.Code) {
			return nil, &tool.Broken{Tool: d.Name(), Err: fault.Diagnostic}
		}
		if fault.Traceback != "" {
			d.host.Emit(trace.Event{Kind: trace.Note, Tool: d.Name(), Reason: fault.Traceback})
		}
		return nil, &tool.Error{Tool: d.Name(), Text: fault.Words, Err: fault.Diagnostic}
	}
	if err != nil {
		return nil, err
	}
	return d.named(v, nil), nil
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
	if errors.As(err, &g) && !tool.Ends(err) {
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
