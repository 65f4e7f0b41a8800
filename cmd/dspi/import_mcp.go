package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
	"github.com/dspi-lang/dspi/stdlib/tools/mcp"
)

// importWait is how long a server may take to start and to say what it offers.
const importWait = 60 * time.Second

// importMCP writes the tools of an MCP server as tool blocks, typed from their
// schemas: the server is a program with its arguments, or has an address.
func (a *app) importMCP(ctx context.Context, f *importFlags, args []string) error {
	r, body := &tool.Remote{Argv: args}, ""
	if u, err := url.Parse(args[0]); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if len(args) > 1 {
			return wrong("`%s` is one word too many", args[1]).say("A server with an address takes no arguments.")
		}
		r = &tool.Remote{URL: args[0]}
		body = "url = " + quoteHCL(args[0])
	} else {
		words := make([]string, len(args))
		for i, w := range args {
			words[i] = quoteHCL(w)
		}
		body = "command = [" + strings.Join(words, ", ") + "]"
	}
	ctx, cancel := context.WithTimeout(ctx, importWait)
	defer cancel()
	servers := &mcp.Servers{Version: moduleVersion()}
	defer servers.Close()
	offered, err := servers.Tools(ctx, r)
	if err != nil {
		return wrong("the MCP server gives no tools").say("%v.", err)
	}
	if len(offered) == 0 {
		return wrong("the MCP server has no tools")
	}
	text, err := mcp.Declare(offered, body)
	if err != nil {
		return wrong("the tools of the MCP server cannot be written").say("%v.", err)
	}
	file := parser.Parse(source.NewFile("tools.dsp", text))
	text = string(format.File(file))
	if f.out == "" {
		_, err := fmt.Fprint(a.out, text)
		return err
	}
	if err := a.writeResult(f.out, []byte(text), f.force); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "%s written to %s\n\nNext: import it beside your program, and name the tools in a step:\n\n    import %q\n    react agent { tools = [tool.%s] }\n",
		plural(len(offered), "tool"), f.out, f.out, mcp.Name(offered[0]))
	return nil
}

// quoteHCL writes a text as a .dsp file has it.
func quoteHCL(s string) string {
	data, _ := json.Marshal(s)
	return strings.ReplaceAll(string(data), "${", "$${")
}
