package lsp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lsp/protocol"
)

// TestData changes the data of a program on the disk: what is wrong then is said, and
// taken back.
func TestData(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := `program p { text: string -> topic: string }
dataset rows { file = "rows.csv" }
metric same { score = prediction.topic == example.topic ? 1.0 : 0.0 }
evaluate quality {
  program = program.p
  data    = dataset.rows
  metric  = metric.same
}
`
	write("rows.csv", "text,topic\na,b\n")
	e, _ := start(t, `{"capabilities":{}}`)
	uri := string(protocol.Address(filepath.Join(dir, "main.dsp")))
	e.open(uri, text)
	if d := e.await(uri, 1); d.codes() != "" {
		t.Errorf("%+v", d)
	}
	for i, step := range []struct{ data, method, want string }{
		{"text,label\na,b\nc,d\n", "workspace/didChangeWatchedFiles", "E0220"},
		{"text,topic\na,b\n", "textDocument/didSave", ""},
		{"", "workspace/didChangeWatchedFiles", "W0521"},
	} {
		write("rows.csv", step.data)
		if step.data == "" {
			if err := os.Remove(filepath.Join(dir, "rows.csv")); err != nil {
				t.Fatal(err)
			}
		}
		e.note(step.method, map[string]any{"changes": []any{}, "textDocument": map[string]any{"uri": uri}})
		if d := e.await(uri, 1); d.codes() != step.want {
			t.Errorf("step %d: %q is said, not %q", i, d.codes(), step.want)
		}
	}
	write("rows.csv", "text,label\na,b\nc,d\n")
	e.note("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{}})
	e.replace(uri, 2, strings.Replace(text, "text: string ->", "text:  string ->", 1))
	if d := e.await(uri, 2); d.codes() != "E0220" {
		t.Errorf("an edit in a program, just after: %q", d.codes())
	}
	e.leave()
}

// TestValuesAlone opens a file of values, and nothing else: the programs that stand
// beside it tell what is wrong there.
func TestValuesAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.dsp"), []byte("variable mood: string { default = \"calm\" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _ := start(t, `{"capabilities":{}}`)
	uri := string(protocol.Address(filepath.Join(dir, "prod.dspvars")))
	e.open(uri, "mod = \"glad\"\n")
	if d := e.await(uri, 1); d.codes() != "W0601" {
		t.Errorf("of a misspelt variable is said %+v", d)
	}
	e.leave()
}
