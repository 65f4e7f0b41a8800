package lsp_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sourcegraph/jsonrpc2"
	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// editor is the other end of a server.
type editor struct {
	t     testing.TB
	conn  *jsonrpc2.Conn
	exit  chan int
	heard chan diagnosed

	notes chan progress
	fresh chan string // the parameters of what asks for lenses anew

	process *os.Process // of a server that is one
}

// progress is what a server says of something under way.
type progress struct {
	Token json.RawMessage `json:"token"`
	Value struct {
		Kind    string `json:"kind"`
		Title   string `json:"title"`
		Message string `json:"message"`
	} `json:"value"`
}

// hear takes what the server says.
func (e *editor) hear(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
	if r.Method == "textDocument/publishDiagnostics" {
		var d diagnosed
		if err := json.Unmarshal(*r.Params, &d); err != nil {
			return nil, err
		}
		e.heard <- d
	}
	if r.Method == "$/progress" {
		var p progress
		if err := json.Unmarshal(*r.Params, &p); err != nil {
			return nil, err
		}
		e.notes <- p
	}
	if r.Method == "workspace/codeLens/refresh" {
		params := ""
		if r.Params != nil {
			params = string(*r.Params)
		}
		e.fresh <- params
	}
	return nil, nil
}

type diagnosed struct {
	URI         string `json:"uri"`
	Version     *int   `json:"version"`
	Diagnostics []struct {
		Code            string         `json:"code"`
		Message         string         `json:"message"`
		Range           protocol.Range `json:"range"`
		CodeDescription struct {
			Href string `json:"href"`
		} `json:"codeDescription"`
	} `json:"diagnostics"`
}

func (d diagnosed) codes() string {
	var out []string
	for _, x := range d.Diagnostics {
		out = append(out, x.Code)
	}
	return strings.Join(out, " ")
}

func start(t testing.TB, params string) (*editor, map[string]any) {
	t.Helper()
	return startWith(t, lsp.Options{Options: options(), Version: "test"}, params)
}

// startWith is start with a server that can do more.
func startWith(t testing.TB, opt lsp.Options, params string) (*editor, map[string]any) {
	t.Helper()
	ours, theirs := net.Pipe()
	e := &editor{t: t, exit: make(chan int, 1), heard: make(chan diagnosed, 10_000), notes: make(chan progress, 1000), fresh: make(chan string, 100)}
	s := lsp.New(opt)
	ctx := context.WithoutCancel(t.Context())
	go func() { e.exit <- s.Serve(ctx, ours) }()
	e.conn = jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(theirs, jsonrpc2.VSCodeObjectCodec{}),
		jsonrpc2.HandlerWithError(e.hear))
	var got struct {
		Capabilities map[string]any `json:"capabilities"`
	}
	e.call("initialize", json.RawMessage(params), &got)
	e.note("initialized", map[string]any{})
	return e, got.Capabilities
}

func (e *editor) call(method string, params, result any) {
	e.t.Helper()
	if err := e.conn.Call(e.t.Context(), method, params, result); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func (e *editor) note(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(e.t.Context(), method, params); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

// await returns the diagnostics of a version of a file.
func (e *editor) await(uri string, version int) diagnosed {
	e.t.Helper()
	for {
		select {
		case d := <-e.heard:
			if d.URI == uri && (version == 0 || d.Version != nil && *d.Version == version) {
				return d
			}
		case <-e.t.Context().Done():
			e.t.Fatal("the test is over")
		case <-time.After(30 * time.Second):
			e.t.Fatalf("nothing was said of version %d of %s", version, uri)
		}
	}
}

func (e *editor) leave() {
	e.t.Helper()
	e.call("shutdown", nil, nil)
	e.note("exit", nil)
	if code := <-e.exit; code != 0 {
		e.t.Errorf("exit status %d", code)
	}
	_ = e.conn.Close()
	<-e.conn.DisconnectNotify()
}

func (e *editor) open(uri, text string) {
	e.note("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "dspi", "version": 1, "text": text}})
}

func (e *editor) replace(uri string, version int, text string) {
	e.note("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": uri, "version": version}, "contentChanges": []any{map[string]any{"text": text}},
	})
}

func place(uri string, line, column int) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": line, "character": column}}
}

const good = `type Contact { name: string }

program p {
  question: string -> answer: string, contact: Contact
  predict find { question: string -> answer: string, contact: Contact }
}
`

// TestSession goes once through a session, as editors do.
func TestSession(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a b.dsp")
	uri := string(protocol.Address(file))
	e, can := start(t, `{"processId":null,"rootUri":"`+string(protocol.Address(dir))+`","initializationOptions":{"commands":true},"capabilities":{"workspace":{"didChangeWatchedFiles":{"dynamicRegistration":true}},"textDocument":{"completion":{"completionItem":{"snippetSupport":true}}}}}`)
	e.open(uri, strings.Replace(good, "contact: Contact }", "contact: Contct }", 1))
	d := e.await(uri, 1)
	if d.codes() != "E0204" || !strings.HasSuffix(d.Diagnostics[0].CodeDescription.Href, "E0204.md") {
		t.Errorf("of a misspelt type was said %+v", d)
	}
	var actions []map[string]any
	e.call("textDocument/codeAction", map[string]any{
		"textDocument": map[string]any{"uri": uri}, "range": d.Diagnostics[0].Range, "context": map[string]any{"diagnostics": []any{}},
	}, &actions)
	if len(actions) == 0 || actions[0]["kind"] != "quickfix" {
		t.Errorf("code actions: %v", actions)
	}
	e.replace(uri, 2, good)
	if d := e.await(uri, 2); len(d.Diagnostics) != 0 {
		t.Errorf("of a good text was said %+v", d)
	}
	e.replace(uri, 1, "nonsense {") // older than what is there
	doc := map[string]any{"textDocument": map[string]any{"uri": uri}}
	requests := map[string]any{
		"hoverProvider":                   "textDocument/hover",
		"completionProvider":              "textDocument/completion",
		"signatureHelpProvider":           "textDocument/signatureHelp",
		"definitionProvider":              "textDocument/definition",
		"typeDefinitionProvider":          "textDocument/typeDefinition",
		"documentHighlightProvider":       "textDocument/documentHighlight",
		"documentSymbolProvider":          "textDocument/documentSymbol",
		"codeLensProvider":                "textDocument/codeLens",
		"documentLinkProvider":            "textDocument/documentLink",
		"foldingRangeProvider":            "textDocument/foldingRange",
		"semanticTokensProvider":          "textDocument/semanticTokens/full",
		"referencesProvider":              "textDocument/references",
		"workspaceSymbolProvider":         "workspace/symbol",
		"codeActionProvider":              "textDocument/codeAction",
		"documentFormattingProvider":      "textDocument/formatting",
		"documentRangeFormattingProvider": "textDocument/rangeFormatting",
		"renameProvider":                  "textDocument/rename",
		"selectionRangeProvider":          "textDocument/selectionRange",
		"inlayHintProvider":               "textDocument/inlayHint",
		"callHierarchyProvider":           "textDocument/prepareCallHierarchy",
		"executeCommandProvider":          "workspace/executeCommand",
	}
	onType := can["documentOnTypeFormattingProvider"] != nil
	delete(can, "documentOnTypeFormattingProvider")
	e.call("textDocument/onTypeFormatting", map[string]any{
		"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": 5, "character": 1}, "ch": "}", "options": map[string]any{},
	}, nil)
	if !onType {
		t.Error("formatting while typing is not announced")
	}
	whole := map[string]any{"start": map[string]any{"line": 0, "character": 0}, "end": map[string]any{"line": 99, "character": 0}}
	for name := range can {
		method, ok := requests[name].(string)
		if !ok {
			if strings.HasSuffix(name, "Provider") {
				t.Errorf("%s is announced and not tried", name)
			}
			continue
		}
		delete(requests, name)
		params := place(uri, 3, 48) // Contact
		for k, v := range map[string]any{
			"range": whole, "positions": []any{params["position"]}, "context": map[string]any{"includeDeclaration": true, "diagnostics": []any{}},
			"options": map[string]any{"tabSize": 2, "insertSpaces": true}, "newName": "Person", "query": "p",
			"command": "dspi.references", "arguments": []any{uri, "p"},
		} {
			params[k] = v
		}
		if method == "textDocument/completion" {
			delete(params, "context")
		}
		var result json.RawMessage
		e.call(method, params, &result)
		if (string(result) == "null" || string(result) == "[]") && method != "textDocument/signatureHelp" && method != "textDocument/typeDefinition" &&
			method != "textDocument/documentLink" && method != "textDocument/codeAction" &&
			method != "textDocument/formatting" && method != "workspace/executeCommand" && method != "textDocument/prepareCallHierarchy" && method != "textDocument/rangeFormatting" {
			t.Errorf("%s answers %s", method, result)
		}
	}
	for name := range requests {
		t.Errorf("%s is not announced", name)
	}
	for _, method := range []string{"dspi/renderPrompt", "dspi/plan", "dspi/schema"} {
		var result map[string]any
		e.call(method, place(uri, 4, 12), &result)
		if len(result) == 0 {
			t.Errorf("%s answers nothing", method)
		}
	}
	var symbols []map[string]any
	e.call("textDocument/documentSymbol", doc, &symbols)
	if len(symbols) != 2 {
		t.Errorf("symbols: %v", symbols)
	}
	e.note("textDocument/didSave", doc)
	e.replace(uri, 3, "nonsense")
	e.await(uri, 3)
	e.note("textDocument/didClose", doc)
	if d := e.await(uri, 0); len(d.Diagnostics) != 0 {
		t.Errorf("of a closed file was said %v", d)
	}
	e.leave()
}

// TestImports edits a file that another imports: what is wrong there is said too.
func TestImports(t *testing.T) {
	dir := t.TempDir()
	lib, user := filepath.Join(dir, "lib.dsp"), filepath.Join(dir, "user.dsp")
	if err := os.WriteFile(lib, []byte("type A { x: string }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := start(t, `{"capabilities":{}}`)
	text := "import \"lib.dsp\"\n\nprogram p {\n  q: string -> a: A\n}\n"
	e.open(string(protocol.Address(user)), text)
	if d := e.await(string(protocol.Address(user)), 1); len(d.Diagnostics) != 0 {
		t.Errorf("%+v", d)
	}
	e.open(string(protocol.Address(lib)), "type B { x: string }\n")
	e.await(string(protocol.Address(lib)), 1)
	if d := e.await(string(protocol.Address(user)), 1); d.codes() != "E0204" {
		t.Errorf("when the imported file changes: %+v", d)
	}
	e.note("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": string(protocol.Address(lib))}})
	if d := e.await(string(protocol.Address(user)), 1); len(d.Diagnostics) != 0 {
		t.Errorf("when it is as on the disk: %+v", d)
	}
	e.leave()
}

// TestEditStorm makes a thousand edits of random places and sizes; then the server
// says the same as one that opens the text whole.
func TestEditStorm(t *testing.T) {
	for _, encoding := range []string{"utf-16", "utf-8"} {
		t.Run(encoding, func(t *testing.T) {
			params := `{"capabilities":{"general":{"positionEncodings":["` + encoding + `"]}}}`
			e, can := start(t, params)
			if can["positionEncoding"] != encoding {
				t.Fatalf("the server counts in %v", can["positionEncoding"])
			}
			r := rand.New(rand.NewPCG(1, 2))
			text := good + "# 𝄞 漢字 é\u0301\r\n" + good
			uri := "untitled:Untitled-1"
			e.open(uri, text)
			pieces := []string{"", "x", "\n", "\r\n", "\r", "{", "}", "𝄞", "漢", " -> ", "\"", "predict q {\n a: string -> b: int\n}\n", good}
			for version := 2; version < 1002; version++ {
				var changes []any
				for range 1 + r.IntN(2) {
					a := runeStart(text, r.IntN(len(text)+1))
					b := runeStart(text, min(len(text), a+r.IntN(40)))
					if len(text) > 4000 {
						b = runeStart(text, min(len(text), a+400))
					}
					piece := pieces[r.IntN(len(pieces))]
					if strings.HasPrefix(text[b:], "\n") && b > 0 && text[b-1] == '\r' || strings.HasPrefix(text[a:], "\n") && a > 0 && text[a-1] == '\r' {
						continue // no editor stands between the two
					}
					changes = append(changes, map[string]any{"range": map[string]any{"start": at(text, a, encoding), "end": at(text, b, encoding)}, "text": piece})
					text = text[:a] + piece + text[b:]
				}
				e.note("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri, "version": version}, "contentChanges": changes})
			}
			got := said(e, uri)
			symbols := asked(e, "textDocument/semanticTokens/full", uri)
			e.leave()
			fresh, _ := start(t, params)
			fresh.open(uri, text)
			if want := said(fresh, uri); got != want {
				t.Errorf("after the edits\n%s\nof the whole text\n%s", got, want)
			}
			if want := asked(fresh, "textDocument/semanticTokens/full", uri); symbols != want {
				t.Errorf("tokens after the edits\n%s\nof the whole text\n%s", symbols, want)
			}
			fresh.leave()
		})
	}
}

func said(e *editor, uri string) string { return asked(e, "textDocument/diagnostic", uri) }

func asked(e *editor, method, uri string) string {
	var out json.RawMessage
	e.call(method, map[string]any{"textDocument": map[string]any{"uri": uri}}, &out)
	return string(out)
}

// runeStart moves a byte back to the beginning of its character.
func runeStart(text string, i int) int {
	for i > 0 && i < len(text) && text[i]&0xC0 == 0x80 {
		i--
	}
	return i
}

// at is the position of a byte, counted without the server's code.
func at(text string, i int, encoding string) map[string]any {
	line, begin, column := 0, 0, 0
	for k := range text[:i] {
		if text[k] == '\n' || text[k] == '\r' && !strings.HasPrefix(text[k+1:], "\n") {
			line, begin = line+1, k+1
		}
	}
	for _, c := range text[begin:i] {
		switch {
		case encoding == "utf-8":
			column += len(string(c))
		case c > 0xFFFF:
			column += 2
		default:
			column++
		}
	}
	return map[string]any{"line": line, "character": column}
}

// TestTruncated types every example, byte by byte: what is asked while one types
// never fails, and is what a fresh reading of the text would answer.
func TestTruncated(t *testing.T) {
	paths, _ := filepath.Glob("../examples/*.dsp")
	tour, _ := filepath.Glob("../examples/tour/*.dsp")
	if len(paths) == 0 || len(tour) == 0 {
		t.Fatal("no examples")
	}
	for i, path := range append(paths, tour...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			typed(t, string(data))
			for cut := i % 5; cut <= len(data); cut += 29 {
				everything(t, strings.ToValidUTF8(string(data[:cut]), "?"), int32(cut))
			}
			everything(t, strings.ReplaceAll(string(data), "  ", " "), 0)
			if i == 0 {
				everything(t, strings.ReplaceAll(string(data), "\n", "\r\n\r\n"), 0)
			}
		})
	}
}

// typed opens an empty file and puts one byte after the other at its end, as far as
// they are whole characters; at each it asks what editors ask.
func typed(t *testing.T, text string) {
	t.Helper()
	s := snapshot.NewSession(options())
	s.Open("untitled:typed", 1, "")
	at := 0
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("at %d of %q: %v", at, text[:at], r)
		}
	}()
	line, column := 0, 0
	for at < len(text) {
		_, size := utf8.DecodeRuneInString(text[at:])
		piece := text[at : at+size]
		if err := s.Change("untitled:typed", int32(at+2), []snapshot.Edit{{StartLine: line, StartColumn: column, EndLine: line, EndColumn: column, Text: piece}}); err != nil {
			t.Fatal(err)
		}
		at += size
		if column += len(utf16.Encode([]rune(piece))); piece == "\n" {
			line, column = line+1, 0
		}
		v, err := lsp.Look(s.Snapshot(), "untitled:typed")
		if err != nil {
			t.Fatal(err)
		}
		if v.File.Source().Text != text[:at] {
			t.Fatalf("the text is %q, not %q", v.File.Source().Text, text[:at])
		}
		lsp.Complete(v, int32(at))
		lsp.Hover(v, int32(at))
		lsp.Symbols(v)
		lsp.Tokens(v)
	}
}

// TestLegend holds that what the editor is told of tokens is in the legend.
func TestLegend(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range lsp.TokenTypes {
		if seen[k] {
			t.Errorf("%s stands twice", k)
		}
		seen[k] = true
	}
	if !reflect.DeepEqual(lsp.TokenModifiers, []string{"declaration", "readonly", "defaultLibrary"}) {
		t.Error("the modifiers are bits in this order")
	}
}
