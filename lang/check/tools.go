package check

import (
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// A tool is a signature with one body. Which body it is decides what its
// `outputs` may read.

// toolBodies are the blocks of which a tool has at most one.
var toolBodies = []string{"http", "command", "starlark", "python", "mcp"}

// toolUnder is a tool under check.
type toolUnder struct {
	fs     *fileScope
	decl   *decl
	block  *syntax.Block
	tool   *program.Tool
	blocks map[string]*syntax.Block
}

func (c *checker) checkTool(d *decl, b *syntax.Block) {
	fs := d.scope
	table, _ := c.u.Block("tool")
	s := c.settings(fs, b, table)
	u := &toolUnder{fs: fs, decl: d, block: b, tool: d.tool, blocks: c.inner(fs, b, table, "a tool", nil)}
	u.tool.Description, _ = constantOf[string](s["description"])
	body := c.toolBody(u, s["program"])
	c.toolSignature(u, s, body)
	in := u.tool.Signature.Inputs
	scope := c.within(fs, fieldSymbols(in, "input", u.tool.Place), []expr.Symbol{inputsSymbol(in)})
	c.toolApproval(u, s["approve"], scope)
	switch body {
	case "http":
		c.toolHTTP(u, u.blocks[body], scope)
	case "command":
		c.toolCommand(u, u.blocks[body], scope)
	case "starlark":
		c.toolStarlark(u, u.blocks[body], scope)
	case "python":
		c.toolPython(u, u.blocks[body], scope)
	case "mcp":
		c.toolMCP(u, u.blocks[body], scope)
	}
	c.toolOutputs(u, body, scope)
}

// toolBody finds the one body of a tool; "" when that was reported.
func (c *checker) toolBody(u *toolUnder, prog *setting) string {
	var bodies []string
	var first source.Place
	see := func(name string, at source.Place) {
		if len(bodies) == 0 {
			first = at
		} else {
			c.report(diag.New("E0520", at, "a second body").Relate(first, "the tool has this one already").
				Say("A tool is answered by one thing: either expressions, a request, a command, code, an MCP server, or a program."))
		}
		bodies = append(bodies, name)
	}
	if prog != nil {
		u.tool.Program = c.programOf(u.fs, prog)
		see("program", u.fs.place(prog.attr.Name.Span))
	}
	for _, name := range toolBodies {
		if b, ok := u.blocks[name]; ok {
			see(name, u.fs.place(b.KindSpan()))
		}
	}
	if out, ok := u.blocks["outputs"]; ok {
		if len(bodies) == 0 {
			return "outputs"
		}
		if bodies[0] != "http" && bodies[0] != "command" {
			c.report(diag.New("E0520", u.fs.place(out.KindSpan()), "a second body").Relate(first, "the tool has this one already").
				Say("`%s` gives the outputs itself. `outputs` stands alone, or beside `http` or `command`, where it reads their reply.", bodies[0]))
			delete(u.blocks, "outputs")
		}
	}
	if len(bodies) == 0 {
		if !c.opaque(u.block) {
			c.report(toolWithoutBody(u.decl))
		}
		return ""
	}
	return bodies[0]
}

// toolApproval reads when a person is asked before a call.
func (c *checker) toolApproval(u *toolUnder, x *setting, scope *expr.Scope) {
	if x == nil {
		return
	}
	c.checkSetting(x, scope)
	switch {
	case x.bad || x.info.Type == nil:
	case x.fixed && x.constant == any("always"):
		u.tool.Approve.Always = true
	case x.fixed && x.constant == any("never"):
	case types.Fits(x.info.Type, types.Bool):
		u.tool.Approve.When = x.value()
	default:
		c.report(diag.New("E0310", x.at, "this says neither yes nor no").
			Say("`approve` is `\"always\"`, `\"never\"`, or a condition over the inputs of the tool, such as `amount > 100`."))
	}
}

func toolWithoutBody(d *decl) *diag.Diagnostic {
	return diag.New("E0520", d.place, "nothing says how "+code(d.name)+" answers").
		Say("A tool has one body:\n\n" +
			"    outputs  { … }                    expressions over the inputs\n" +
			"    http     { url = \"https://…\" }    a request\n" +
			"    command  { argv = [\"date\"] }      a program of this machine\n" +
			"    starlark { code = <<EOT … }       a function in Starlark\n" +
			"    python   { call = \"module:f\" }    a function in Python\n" +
			"    mcp      { url = \"https://…\" }    a tool of an MCP server\n" +
			"    program = program.NAME            a program of this project")
}

func (c *checker) toolSignature(u *toolUnder, s map[string]*setting, body string) {
	own := c.ownSignature(u.fs, u.block, s["signature"])
	switch {
	case body == "program":
		if own != nil {
			c.report(notAllowedHere(u.decl.place, "a signature", "a tool that is a program", "the tool has the signature of its program"))
		}
		if u.tool.Program != nil {
			u.tool.Signature = u.tool.Program.Signature
		}
	case own != nil:
		u.tool.Signature = own
	case s["signature"] == nil && !c.opaque(u.block) && !slices.ContainsFunc(u.block.Body.Items, isSignaturePart):
		c.report(diag.New("E0126", u.decl.place, code(u.decl.name)+" says neither what goes in nor what comes out").
			Say("A tool begins with its signature:\n\n    tool %s {\n      city: string -> celsius: float\n    }", u.decl.name))
	}
}

// bodySettings reads the settings of a tool's body.
func (c *checker) bodySettings(u *toolUnder, b *syntax.Block, scope *expr.Scope) (map[string]*setting, map[string]*syntax.Block) {
	tool, _ := c.u.Block("tool")
	table, _ := tool.Block(b.KindName())
	s := c.settings(u.fs, b, table)
	c.checkIn(s, scope)
	return s, c.inner(u.fs, b, table, code(table.Name), nil)
}

func (c *checker) toolHTTP(u *toolUnder, b *syntax.Block, scope *expr.Scope) {
	s, blocks := c.bodySettings(u, b, scope)
	h := &program.HTTP{Method: "GET", URL: s["url"].value(), Body: s["body"].value(), Place: u.fs.place(b.KindSpan())}
	if m, ok := constantOf[string](s["method"]); ok {
		h.Method = m
	}
	h.AllowPrivate, _ = constantOf[bool](s["allow_private"])
	h.Timeout, _ = constantOf[time.Duration](s["timeout"])
	h.MaxBytes, _ = constantOf[int](s["max_bytes"])
	h.Headers = c.texts(u.fs, blocks["header"], scope)
	if x := s["url"]; x != nil && x.fixed && !x.bad {
		if text, ok := x.constant.(string); ok && !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
			c.report(diag.New("E0310", x.at, "an address begins with `https://` or `http://`"))
		}
	}
	if x := s["body"]; x != nil && !x.bad && (h.Method == "GET" || h.Method == "HEAD") {
		c.report(diag.New("E0511", u.fs.place(x.attr.Name.Span), "a "+code(h.Method)+" request has no body").
			Hint("write the method that is meant: method = \"POST\""))
	}
	u.tool.HTTP = h
}

func (c *checker) toolCommand(u *toolUnder, b *syntax.Block, scope *expr.Scope) {
	s, blocks := c.bodySettings(u, b, scope)
	cmd := &program.Command{Argv: s["argv"].value(), Stdin: s["stdin"].value(), Folder: s["folder"].value(), Place: u.fs.place(b.KindSpan())}
	cmd.Timeout, _ = constantOf[time.Duration](s["timeout"])
	cmd.MaxBytes, _ = constantOf[int](s["max_bytes"])
	cmd.Env = c.texts(u.fs, blocks["env"], scope)
	if x := s["argv"]; x != nil && x.fixed && !x.bad {
		if list, ok := x.constant.([]any); ok && len(list) == 0 {
			c.report(diag.New("E0310", x.at, "this list is empty").Say("The first text is the program: `argv = [\"git\", \"log\"]`."))
		}
	}
	u.tool.Command = cmd
}

func (c *checker) toolStarlark(u *toolUnder, b *syntax.Block, scope *expr.Scope) {
	s, _ := c.bodySettings(u, b, scope)
	k := &program.Starlark{Call: lastPart(u.tool.Name), Place: u.fs.place(b.KindSpan())}
	k.Code, _ = constantOf[string](s["code"])
	k.File, _ = constantOf[string](s["file"])
	if name, ok := constantOf[string](s["call"]); ok {
		k.Call = name
	}
	k.Timeout, _ = constantOf[time.Duration](s["timeout"])
	c.eitherOf(u.fs, b, s, "code", "file")
	u.tool.Starlark = k
}

func (c *checker) toolPython(u *toolUnder, b *syntax.Block, scope *expr.Scope) {
	s, _ := c.bodySettings(u, b, scope)
	u.tool.Python = c.pythonOf(u.fs, b, s)
}

func (c *checker) toolMCP(u *toolUnder, b *syntax.Block, scope *expr.Scope) {
	s, blocks := c.bodySettings(u, b, scope)
	m := &program.MCP{Command: s["command"].value(), URL: s["url"].value(), Tool: lastPart(u.tool.Name), Place: u.fs.place(b.KindSpan())}
	if name, ok := constantOf[string](s["tool"]); ok {
		m.Tool = name
	}
	m.Timeout, _ = constantOf[time.Duration](s["timeout"])
	m.Headers = c.texts(u.fs, blocks["header"], scope)
	m.Env = c.texts(u.fs, blocks["env"], scope)
	c.eitherOf(u.fs, b, s, "command", "url")
	u.tool.MCP = m
}

// eitherOf reports a block that has none or both of two settings.
func (c *checker) eitherOf(fs *fileScope, b *syntax.Block, s map[string]*setting, one, other string) {
	x, y := s[one], s[other]
	switch {
	case x != nil && y != nil:
		c.report(diag.New("E0511", fs.place(y.attr.Name.Span), code(one)+" is set already").Relate(fs.place(x.attr.Name.Span), "here").
			Say("`%s` has either `%s` or `%s`.", b.KindName(), one, other))
	case x == nil && y == nil && !c.opaque(b):
		c.report(diag.New("E0502", fs.place(b.KindSpan()), code(b.KindName())+" has neither "+code(one)+" nor "+code(other)))
	}
}

// toolOutputs checks the expressions that give a tool's outputs.
func (c *checker) toolOutputs(u *toolUnder, body string, scope *expr.Scope) {
	out := u.blocks["outputs"]
	if out == nil {
		return
	}
	switch body {
	case "http":
		scope = scope.With(
			expr.Symbol{Name: "body", Kind: "reply", Type: types.JSON},
			expr.Symbol{Name: "status", Kind: "reply", Type: types.Int},
			expr.Symbol{Name: "headers", Kind: "reply", Type: &types.Map{Elem: types.String}},
		)
	case "command":
		scope = scope.With(
			expr.Symbol{Name: "stdout", Kind: "what the command printed", Type: types.String},
			expr.Symbol{Name: "stderr", Kind: "what the command printed", Type: types.String},
			expr.Symbol{Name: "status", Kind: "exit status", Type: types.Int},
		)
	}
	sig := u.tool.Signature
	all, broken := c.names(u.fs, out, scope, func(name syntax.Ident) (types.Type, bool) {
		f, ok := sig.Output(name.Name)
		if !ok {
			if len(sig.Outputs) > 0 {
				c.report(unknownToolOutput(u, name))
			}
			return nil, false
		}
		return f.Type, true
	})
	bound := map[string]bool{}
	for _, n := range all {
		bound[n.attr.Name.Name] = true
		f, _ := sig.Output(n.attr.Name.Name)
		if !n.ok {
			continue
		}
		if n.value.Sensitive {
			c.report(secretEscapes(n.value.Place, "the output "+code(f.Name)))
			continue
		}
		if !types.Fits(n.value.Type, f.Type) {
			c.report(diag.New("E0309", n.value.Place, "this is "+article(n.value.Type.String())).
				Relate(fieldPlace(u.fs, u.block, f.Name), "the tool promises %s here", code(f.Type.String())).
				Say("    promised  %s\n    given     %s", f.Type, n.value.Type))
			continue
		}
		u.tool.Outputs = append(u.tool.Outputs, program.Binding{Name: f.Name, Value: n.value})
	}
	if broken || c.opaque(out) {
		return
	}
	for _, f := range sig.Outputs {
		if bound[f.Name] || f.HasDefault || types.Nullable(f.Type) {
			continue
		}
		at := fieldPlace(u.fs, u.block, f.Name)
		if at.IsZero() {
			at = u.tool.Place
		}
		c.report(diag.New("E0403", at, "nothing gives "+code(f.Name)).
			Relate(u.fs.place(out.KindSpan()), "it would stand here").
			Hint("give it a value: outputs { %s = … }", f.Name))
	}
}

func unknownToolOutput(u *toolUnder, name syntax.Ident) *diag.Diagnostic {
	at := u.fs.place(name.Span)
	d := diag.New("E0216", at, code(u.decl.name)+" has no output called "+code(name.Name))
	var names []string
	for _, f := range u.tool.Signature.Outputs {
		names = append(names, f.Name)
	}
	if near, ok := diag.Nearest(name.Name, names); ok {
		d.Fix("did you mean "+code(near)+"?", at, near)
	}
	return d.Say("The tool `%s` has these outputs:\n\n%s", u.decl.name, fieldLines(u.tool.Signature.Outputs, noAddition))
}
