package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestRenderAsDSPy runs `dspi render` on every case that the real DSPy answered
// (interpreter/prompt/testdata/dspy, made by generate.py there), with each adapter
// that is DSPy's, and compares what is printed with DSPy's messages, byte for byte.
// A case that differs on purpose begins with "differs:", says why, and has messages
// of its own.
func TestRenderAsDSPy(t *testing.T) {
	paths, err := filepath.Glob("../../interpreter/prompt/testdata/dspy/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 40 {
		t.Fatalf("only %d cases", len(paths))
	}
	differing := 0
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		form := "messages.json"
		if bytes.HasPrefix(archive.Comment, []byte("differs: ")) {
			differing++
			form = "messages.dspi.json"
		}
		t.Run(name, func(t *testing.T) {
			renderCase(t, archive, "chat", form)
			for _, adapter := range []string{"json", "xml", "two_step"} {
				renderCase(t, archive, adapter, adapter+"."+form)
			}
		})
	}
	if share := float64(differing) / float64(len(paths)); share > 0.05 {
		t.Errorf("%d of %d cases differ from DSPy: %.1f %%", differing, len(paths), 100*share)
	}
}

func renderCase(t *testing.T, archive *txtar.Archive, adapter, expected string) {
	t.Helper()
	dir := t.TempDir()
	var want []byte
	for _, f := range archive.Files {
		if f.Name == expected {
			want = f.Data
			continue
		}
		writeFile(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	got, stderr, code := runHere(t, "render", filepath.Join(dir, "signature.dsp"), "--json", "--adapter", adapter,
		"--input", filepath.Join(dir, "inputs.json"), "--demos", filepath.Join(dir, "demos.json"))
	if code != 0 {
		t.Fatalf("exit status %d\n%s", code, stderr)
	}
	ours, theirs := messagesOf(t, []byte(got)), messagesOf(t, want)
	if len(ours) != len(theirs) {
		t.Errorf("%s: %d messages, want %d", adapter, len(ours), len(theirs))
	}
	for i := range min(len(ours), len(theirs)) {
		if ours[i] != theirs[i] {
			t.Errorf("%s: message %d\ngot  %s\n%q\nwant %s\n%q", adapter, i+1, ours[i].Role, ours[i].Content, theirs[i].Role, theirs[i].Content)
		}
	}
}

// runHere runs a command line in the process of the test, with an empty standard
// input and an empty environment.
func runHere(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = newApp(strings.NewReader(""), &out, &errs, nil).run(t.Context(), args)
	return out.String(), errs.String(), code
}

// message is one of `render --json`.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func messagesOf(t *testing.T, data []byte) []message {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var list []message
	if err := decoder.Decode(&list); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if len(list) == 0 {
		t.Fatal("no messages")
	}
	return list
}
