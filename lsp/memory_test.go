package lsp_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestMemory: what the server knows of a text goes when the text has changed: a check must not
// keep the one before it.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	file, text, target := dspiProject(dir, 2000)
	uri := "file://" + file
	e, _ := start(t, fmt.Sprintf(`{"processId":null,"rootUri":"file://%s","capabilities":{}}`, dir))
	e.open(uri, text)
	e.await(uri, 1)
	at := strings.Index(text[len(text)/2:], target) + len(text)/2 + len(target)
	line, column := strings.Count(text[:at], "\n"), at-1-strings.LastIndexByte(text[:at], '\n')
	doc := map[string]any{"uri": uri}
	version := 1
	change := func(piece string, end int) {
		version++
		e.note("textDocument/didChange", map[string]any{
			"textDocument": map[string]any{"uri": uri, "version": version},
			"contentChanges": []any{map[string]any{"text": piece, "range": map[string]any{
				"start": map[string]any{"line": line, "character": column}, "end": map[string]any{"line": line, "character": end}}}},
		})
	}
	live := func() int {
		for range 25 {
			change("x", column) // a mistake, and its end
			change("", column+1)
			for _, method := range []string{"textDocument/hover", "textDocument/completion", "textDocument/definition"} {
				var out json.RawMessage
				e.call(method, place(uri, line, column), &out)
			}
			var tokens json.RawMessage
			e.call("textDocument/semanticTokens/full", map[string]any{"textDocument": doc}, &tokens)
			e.await(uri, version)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc >> 20)
	}
	first, second := live(), live()
	if second > first+8 {
		t.Errorf("%d MB are in use after 50 changes, %d MB after 100", first, second)
	}
	e.leave()
}
