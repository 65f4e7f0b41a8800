package lsp_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// TestTokensDelta asks for tokens, edits, and asks for what has changed: with it, the
// old numbers become the new ones.
func TestTokensDelta(t *testing.T) {
	e, _ := start(t, `{"capabilities":{}}`)
	uri := "untitled:a"
	doc := map[string]any{"textDocument": map[string]any{"uri": uri}}
	e.open(uri, good)
	type answer struct {
		ResultID string   `json:"resultId"`
		Data     []uint32 `json:"data"`
		Edits    []struct {
			Start       int      `json:"start"`
			DeleteCount int      `json:"deleteCount"`
			Data        []uint32 `json:"data"`
		} `json:"edits"`
	}
	var first answer
	e.call("textDocument/semanticTokens/full", doc, &first)
	texts := []string{
		strings.Replace(good, "find {", "found {", 1),
		"# first\n" + good,
		good,
		good, // nothing has changed
		"",
	}
	now := first.Data
	id := first.ResultID
	for i, text := range texts {
		e.replace(uri, i+2, text)
		var delta, full answer
		e.call("textDocument/semanticTokens/full/delta", map[string]any{"textDocument": doc["textDocument"], "previousResultId": id}, &delta)
		if delta.Data != nil {
			t.Errorf("edit %d: everything is sent again", i)
		}
		for _, edit := range delta.Edits {
			now = slices.Concat(now[:edit.Start], edit.Data, now[edit.Start+edit.DeleteCount:])
		}
		e.call("textDocument/semanticTokens/full", doc, &full)
		if !slices.Equal(now, full.Data) {
			t.Errorf("edit %d: the edits make %v, the text has %v", i, now, full.Data)
		}
		id = full.ResultID
	}
	var all answer
	e.replace(uri, 99, good)
	e.call("textDocument/semanticTokens/full/delta", map[string]any{"textDocument": doc["textDocument"], "previousResultId": "unknown"}, &all)
	if !slices.Equal(all.Data, first.Data) {
		t.Error("since an answer that is not known all is sent")
	}
	var part answer
	e.call("textDocument/semanticTokens/range", map[string]any{"textDocument": doc["textDocument"], "range": map[string]any{
		"start": map[string]any{"line": 0, "character": 0}, "end": map[string]any{"line": 0, "character": 99}}}, &part)
	if len(part.Data) == 0 || len(part.Data) >= len(first.Data) || !slices.Equal(part.Data, first.Data[:len(part.Data)]) {
		t.Errorf("the first line has %v of %v", part.Data, first.Data)
	}
	e.leave()
}

// TestResolve asks for completions, and for the explanation of one.
func TestResolve(t *testing.T) {
	e, _ := start(t, `{"capabilities":{"textDocument":{"completion":{"completionItem":{"resolveSupport":{"properties":["documentation"]}}}}}}`)
	uri := "untitled:a"
	e.open(uri, good+"\nmod")
	var list struct {
		Items []map[string]any `json:"items"`
	}
	e.call("textDocument/completion", place(uri, 7, 3), &list)
	if len(list.Items) == 0 || list.Items[0]["documentation"] != nil || list.Items[0]["label"] != "model" {
		t.Fatalf("%v", list.Items[:min(1, len(list.Items))])
	}
	var item map[string]any
	e.call("completionItem/resolve", list.Items[0], &item)
	if doc, ok := item["documentation"].(map[string]any); !ok || !strings.Contains(doc["value"].(string), "**model**") {
		t.Errorf("resolved: %v", item)
	}
	e.call("textDocument/completion", place(uri, 7, 3), nil)
	item = nil
	e.call("completionItem/resolve", list.Items[0], &item)
	if item["documentation"] != nil {
		t.Error("an item of an older list is given the explanation of another")
	}
	e.leave()
}

// TestLensResolve asks for lenses, and how often a program is used.
func TestLensResolve(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	main := write("main.dsp", measured("quality.json"))
	write("quality.json", `{"version":1,"metrics":[{"name":"m","n":4,"mean":0.75}]}`)
	write("better.tuned.json", `{"predict":{},"metadata":{"dspi":{"scores":{"m":0.875,"other":0.1}}}}`)
	write("user.dsp", "import \"main.dsp\"\nprogram q {\n  question: string -> answer: string\n  p one {}\n}\n")
	e, _ := start(t, `{"rootUri":"`+string(protocol.Address(dir))+`","capabilities":{}}`)
	data, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	uri := string(protocol.Address(main))
	e.open(uri, string(data))
	var lenses []map[string]any
	e.call("textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": uri}}, &lenses)
	var titles []string
	for _, l := range lenses {
		if l["command"] == nil {
			e.call("codeLens/resolve", l, &l)
		}
		titles = append(titles, l["command"].(map[string]any)["title"].(string))
	}
	want := "run, 3 references, evaluate (last: m 0.75), optimize (last: m 0.875)"
	if got := strings.Join(titles, ", "); got != want {
		t.Errorf("lenses: %s, want %s", got, want)
	}
	e.leave()
}

// TestExecute runs what a lens offers, with progress, and stops it.
func TestExecute(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.dsp")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := make(chan []string, 10)
	opt := lsp.Options{Options: options(), Execute: func(ctx context.Context, args []string, input string, line func(string)) int {
		ran <- append(args, input)
		line("first")
		if args[0] == "optimize" {
			<-ctx.Done()
			return 130
		}
		line("second")
		return 0
	}}
	e, _ := startWith(t, opt, `{"capabilities":{"window":{"workDoneProgress":true}}}`)
	uri := string(protocol.Address(file))
	e.open(uri, good)
	var result lsp.CommandResult
	for _, test := range []struct {
		command string
		args    []any
		want    string
	}{
		{"dspi.run", []any{file, "p"}, "run|" + file + "|p|"},
		{"dspi.run", []any{uri, "p", map[string]any{"question": "why"}}, "run|" + file + "|p|--input|-|{\"question\":\"why\"}"},
		{"dspi.test", []any{file}, "test|" + file + "|"},
		{"dspi.test", []any{file, "a.b"}, "test|" + file + "|--filter|^a\\.b$|"},
		{"dspi.evaluate", []any{file, "q"}, "eval|" + file + "|q|"},
	} {
		e.call("workspace/executeCommand", map[string]any{"command": test.command, "arguments": test.args}, &result)
		if got := strings.Join(<-ran, "|"); got != test.want {
			t.Errorf("%s runs %s, want %s", test.command, got, test.want)
		}
		if result.Exit != 0 || result.Output != "first\nsecond\n" {
			t.Errorf("%+v", result)
		}
		var said []string
		for range 4 {
			p := <-e.notes
			said = append(said, p.Value.Kind+" "+p.Value.Title+p.Value.Message)
		}
		if !strings.HasPrefix(said[0], "begin ") || said[1] != "report first" || said[3] != "end done" {
			t.Errorf("progress: %q", said)
		}
	}

	// The editor stops it by the token of its progress.
	done := make(chan error, 1)
	go func() {
		done <- e.conn.Call(t.Context(), "workspace/executeCommand", map[string]any{
			"command": "dspi.optimize", "arguments": []any{file, "o"}, "workDoneToken": 7}, nil)
	}()
	for p := range e.notes {
		if p.Value.Kind == "report" {
			e.note("window/workDoneProgress/cancel", map[string]any{"token": p.Token})
		}
		if p.Value.Kind == "end" {
			if p.Value.Message != "stopped" || string(p.Token) != "7" {
				t.Errorf("%+v", p)
			}
			break
		}
	}
	if code := errorCode(<-done); code != protocol.CodeCancelled {
		t.Errorf("a command that was stopped answers %d", code)
	}

	// What is not on the disk is not run.
	e.replace(uri, 2, good+"# more\n")
	err := e.conn.Call(t.Context(), "workspace/executeCommand", map[string]any{"command": "dspi.run", "arguments": []any{file, "p"}}, nil)
	if errorCode(err) != protocol.CodeRequestFailed || !strings.Contains(err.Error(), "save it first") {
		t.Errorf("an edited file: %v", err)
	}
	for _, params := range []map[string]any{
		{"command": "dspi.nothing", "arguments": []any{file}}, {"command": "dspi.run"}, {"command": "dspi.run", "arguments": []any{file, "--model=x"}}, {"command": "dspi.run", "arguments": []any{1}},
	} {
		if err := e.conn.Call(t.Context(), "workspace/executeCommand", params, nil); errorCode(err) != protocol.CodeInvalidParams {
			t.Errorf("%v: %v", params, err)
		}
	}
	e.leave()
}

func errorCode(err error) int64 {
	var e *jsonrpc2.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// TestVersions sends edits that are older than the text, and one of a file that is
// not open: the text stays.
func TestVersions(t *testing.T) {
	e, _ := start(t, `{"capabilities":{}}`)
	uri := "untitled:a"
	e.open(uri, good)
	e.replace(uri, 5, good+"\ntype New { a: string }\n")
	for _, stale := range []int{5, 4, 1, 0, -1} {
		e.replace(uri, stale, "nonsense {")
	}
	e.replace("untitled:other", 1, "nonsense {")
	var symbols []map[string]any
	e.call("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": uri}}, &symbols)
	if len(symbols) != 3 {
		t.Errorf("%d symbols", len(symbols))
	}
	if err := e.conn.Call(t.Context(), "textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": "untitled:other"}}, nil); errorCode(err) == 0 {
		t.Error("a file that is not open is answered for")
	}
	e.leave()
}

// TestRoots opens two folders: names of both are found, and none of one that is
// closed.
func TestRoots(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	var folders []map[string]any
	for i, dir := range dirs {
		name := []string{"first", "second"}[i]
		if err := os.WriteFile(filepath.Join(dir, "a.dsp"), []byte("program "+name+" {\n  q: string -> a: string\n}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, map[string]any{"uri": string(protocol.Address(dir)), "name": name})
	}
	list, err := json.Marshal(folders)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := start(t, `{"workspaceFolders":`+string(list)+`,"capabilities":{}}`)
	found := func() string {
		var symbols []map[string]any
		e.call("workspace/symbol", map[string]any{"query": "s"}, &symbols)
		var names []string
		for _, s := range symbols {
			names = append(names, s["name"].(string))
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	if got := found(); got != "first second" {
		t.Errorf("in two folders: %s", got)
	}
	e.note("workspace/didChangeWorkspaceFolders", map[string]any{"event": map[string]any{"added": []any{}, "removed": folders[:1]}})
	if got := found(); got != "second" {
		t.Errorf("when one is closed: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dirs[1], "a.dsp"), []byte("program others {\n  q: string -> a: string\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.note("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{}})
	if got := found(); got != "others" {
		t.Errorf("when a file has changed: %s", got)
	}
	e.leave()
}

// TestColumns asks at the places of texts whose characters have several units, in
// either way of counting.
func TestColumns(t *testing.T) {
	for _, test := range []struct{ name, before, end string }{
		{"emoji", "😀👩‍👩‍👧", "\n"}, {"CJK", "漢字かな", "\n"}, {"combining", "e\u0301a\u0308\u0323", "\n"},
		{"CRLF", "x", "\r\n"}, {"CR", "x", "\r"}, {"no final newline", "é", ""},
	} {
		for _, encoding := range []string{"utf-16", "utf-8"} {
			t.Run(test.name+"/"+encoding, func(t *testing.T) {
				e, _ := start(t, `{"capabilities":{"general":{"positionEncodings":["`+encoding+`"]}}}`)
				end := test.end
				if end == "" {
					end = "\n"
				}
				text := "program p {" + end + "  question: string -> answer: string" + end +
					"  predict one { instructions = \"" + test.before + "\", question: string -> answer: string, sure: bool }" + end +
					"  let a = \"" + test.before + "\" + one.answer" + end + "}" + test.end
				e.open("untitled:a", text)
				i := strings.Index(text, "one.answer")
				p := at(text, i+1, encoding)
				var hover struct {
					Contents struct{ Value string }
					Range    struct {
						Start, End struct{ Line, Character int }
					}
				}
				e.call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": "untitled:a"}, "position": p}, &hover)
				a, b := at(text, i, encoding), at(text, i+3, encoding)
				if !strings.Contains(hover.Contents.Value, "predict one") || hover.Range.Start.Character != a["character"] || hover.Range.End.Character != b["character"] {
					t.Errorf("hover: %+v, want from %v to %v", hover, a, b)
				}
				var rename struct {
					Changes map[string][]struct {
						Range   struct{ Start struct{ Line, Character int } }
						NewText string
					}
				}
				e.call("textDocument/rename", map[string]any{"textDocument": map[string]any{"uri": "untitled:a"}, "position": p, "newName": "two"}, &rename)
				edits := rename.Changes["untitled:a"]
				if len(edits) != 2 || edits[1].Range.Start.Character != a["character"] {
					t.Errorf("rename: %+v", rename)
				}
				e.leave()
			})
		}
	}
}

// TestReopened closes a file and opens it again at once: the editor is told what is
// wrong in it each time.
func TestReopened(t *testing.T) {
	e, _ := start(t, `{"capabilities":{}}`)
	for range 3 {
		e.open("untitled:a", "program p {")
		if d := e.await("untitled:a", 1); len(d.Diagnostics) == 0 {
			t.Error("nothing is said of a text with mistakes")
		}
		e.note("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": "untitled:a"}})
	}
	e.leave()
}

// TestConfigs opens the files around a program: what is wrong is said, and no feature
// takes them for programs.
func TestConfigs(t *testing.T) {
	dir := t.TempDir()
	e, _ := start(t, `{"rootUri":"`+string(protocol.Address(dir))+`","capabilities":{}}`)
	uri := string(protocol.Address(filepath.Join(dir, "dspi.hcl")))
	e.open(uri, "default_modle = \"x\"\n")
	if d := e.await(uri, 1); d.codes() != "E0501" {
		t.Errorf("of a misspelt setting was said %+v", d)
	}
	e.replace(uri, 2, "default_model = \"builtin/incontext\"\n")
	if d := e.await(uri, 2); len(d.Diagnostics) != 0 {
		t.Errorf("of a good file was said %+v", d)
	}
	doc := map[string]any{"textDocument": map[string]any{"uri": uri}, "options": map[string]any{}}
	for _, method := range []string{"textDocument/formatting", "textDocument/codeLens", "textDocument/documentSymbol", "textDocument/foldingRange"} {
		var out []any
		e.call(method, doc, &out)
		if len(out) != 0 {
			t.Errorf("%s answers %v", method, out)
		}
	}
	e.leave()
}

// TestPreviews asks for what a panel shows: of a step that sends nothing it is a
// sentence, and the plan says what a run wants.
func TestPreviews(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wiki.csv"), []byte("id,text\na,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := start(t, `{"capabilities":{}}`)
	uri := string(protocol.Address(filepath.Join(dir, "a.dsp")))
	e.open(uri, `variable token: string { sensitive = true, default = "hunter2" }
model own {
  provider = "openai"
  name     = "m"
  api_key  = var.token
  default  = true
}
program p {
  question: string, k: int = 3 -> passages: list[string]
  retrieve docs {
    from = retriever.wiki
    inputs { query = question }
  }
  predict sorted { passages: list[string] -> best: list[string], inputs { passages = docs.passages } }
  outputs { passages = sorted.best }
}
retriever wiki {
  file = "wiki.csv"
  text = "text"
}
`)
	at := place(uri, 9, 4)
	ask := func(method string) string {
		t.Helper()
		var out json.RawMessage
		e.call(method, at, &out)
		if strings.Contains(string(out), "hunter2") {
			t.Errorf("%s tells a secret: %s", method, out)
		}
		return string(out)
	}
	for method, want := range map[string]string{
		"dspi/renderPrompt": `{"program":"p","step":"docs","adapter":"","messages":[],"note":"The step ` + "`docs`" + ` asks no model itself: it searches ` + "`retriever.wiki`",
		"dspi/plan":         `"inputs":[{"name":"question","type":"string","required":true},{"name":"k","type":"int","required":false,"default":3}],"variables":[{"name":"token","type":"string","required":false,"secret":true}]`,
		"dspi/schema":       `{"name":"p.docs","schema":{`,
	} {
		if got := ask(method); !strings.Contains(got, want) {
			t.Errorf("%s answers %s, want %s", method, got, want)
		}
	}
	at["name"] = "p"
	if got := ask("dspi/schema"); !strings.HasPrefix(got, `{"name":"p",`) {
		t.Errorf("the schema of a name is %s", got)
	}
	at["name"] = "p.docs"
	if got := ask("dspi/schema"); !strings.HasPrefix(got, `{"name":"p.docs",`) {
		t.Errorf("the schema of a step's name is %s", got)
	}
	e.leave()
}
