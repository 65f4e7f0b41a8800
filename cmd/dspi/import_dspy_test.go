//go:build dspy

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tests of this file start the real DSPy: `make test` runs them, with the
// Python of `make venv` or that of $DSPI_PYTHON. What DSPy says of many more
// programs is kept in interpreter/python/testdata/dspy.

const ragModule = `
print("what a module says while it is imported is not in the way")

import dspy


class Answer(dspy.Signature):
    """Answer from the passages."""

    question: str = dspy.InputField()
    passages: list[str] = dspy.InputField(desc="best first")
    answer: str = dspy.OutputField()


class Rag(dspy.Module):
    def __init__(self):
        super().__init__()
        self.query = dspy.Predict("question -> query")
        self.respond = dspy.ChainOfThought(Answer)

    def forward(self, question: str):
        query = self.query(question=question)
        return self.respond(question=question, passages=[query.query])


program = Rag()
program.respond.predict.demos = [dspy.Example(question="1?", passages=["one"], reasoning="r", answer="1")]


class Broken(dspy.Module):
    def __init__(self, size):
        super().__init__()


number = 3
`

func realPython(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DSPI_PYTHON")
	if path == "" {
		path = "../../.venv/bin/python"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: `make venv` makes it, or set DSPI_PYTHON", err)
	}
	return path
}

// in runs a command line in a folder with the real Python.
func in(t *testing.T, dir, python string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	code = newApp(strings.NewReader(""), &out, &errs, append(os.Environ(), "DSPI_PYTHON="+python)).run(t.Context(), args)
	return out.String(), errs.String(), code
}

// TestDSPyImport: a module becomes a program and a state that check, plan and
// render as DSPy does, and go back into DSPy.
func TestDSPyImport(t *testing.T) {
	python, dir := realPython(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "rag.py"), ragModule)
	stdout, stderr, code := in(t, dir, python, "import", "dspy", "rag:program", "--out", "made/rag.dsp")
	if code != 0 || !strings.Contains(stdout, "wrote made/rag.dsp\nwrote made/rag.tuned.json\n") {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	text, err := os.ReadFile("made/rag.dsp")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"program rag {", "passages: list[string]  \"best first\"", "passages = [query.query]", "Answer from the passages."} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if _, stderr, code := in(t, dir, python, "check", "made/rag.dsp"); code != 0 {
		t.Errorf("check: %s", stderr)
	}
	stdout, stderr, code = in(t, dir, python, "render", "made/rag.dsp", "respond", "--state", "made/rag.tuned.json", "--json", "question=2?", `passages=["two"]`)
	if code != 0 {
		t.Fatalf("render: %s", stderr)
	}
	ours := messagesOf(t, []byte(stdout))
	const script = `
import json, sys, dspy
sys.stdout = sys.stderr
import rag
rag.program.load("made/rag.tuned.json")
p = rag.program.respond.predict
m = dspy.ChatAdapter().format(p.signature, p.demos, {"question": "2?", "passages": ["two"]})
json.dump([{"role": x["role"], "content": x["content"]} for x in m], sys.__stdout__)
`
	cmd := exec.Command(python, "-c", script)
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := messagesOf(t, data)
	for i := range max(len(ours), len(theirs)) {
		if i >= len(ours) || i >= len(theirs) || ours[i] != theirs[i] {
			t.Errorf("message %d: %d of ours, %d of DSPy's\n%q", i+1, len(ours), len(theirs), ours)
			break
		}
	}
	if _, stderr, code := in(t, dir, python, "export", "python", "made/rag.dsp", "--state", "made/rag.tuned.json", "--out", "back"); code != 0 {
		t.Fatalf("export: %s", stderr)
	}
	cmd = exec.Command(python, "-c", "from rag import program; program.load('rag.json'); print(len(program.respond.predict.demos))")
	cmd.Dir = filepath.Join(dir, "back")
	if data, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(data)) != "1" {
		t.Errorf("the exported module: %v\n%s", err, data)
	}
}

// TestDSPyRefusals: what goes wrong in Python is said with what to do.
func TestDSPyRefusals(t *testing.T) {
	python, dir := realPython(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "rag.py"), ragModule)
	writeFile(t, filepath.Join(dir, "fails.py"), "import dspy\nx = 1 / 0\n")
	writeFile(t, filepath.Join(dir, "syntax.py"), "def (:\n")
	writeFile(t, filepath.Join(dir, "needs.py"), "import not_there_at_all\n")
	for target, parts := range map[string][]string{
		"rag:progam":    {"E0645", "`rag` has no `progam`", "did you mean `rag:program`?"},
		"rag:number":    {"E0645", "`number` is no dspy.Module", "`number` is of the type `int`", "there is `rag:program`"},
		"rag:Broken":    {"E0645", "`Broken` cannot be made", "missing 1 required positional argument"},
		"ragg:program":  {"E0645", "there is no module `ragg`", "did you mean `rag:program`?"},
		"fails:program": {"E0645", "`fails` does not import", "fails.py:2", "ZeroDivisionError"},
		"syntax:x":      {"E0645", "syntax.py:1", "SyntaxError"},
		"needs:x":       {"E0645", "No module named 'not_there_at_all'"},
		"rag":           {"E0645", "is not MODULE:ATTRIBUTE"},
	} {
		_, stderr, code := in(t, dir, python, "import", "dspy", target)
		if code != exitUsage {
			t.Errorf("%s: exit status %d", target, code)
		}
		for _, part := range parts {
			if !strings.Contains(stderr, part) {
				t.Errorf("%s: no %q in\n%s", target, part, stderr)
			}
		}
	}
	// A Python without DSPy, and one that is not there.
	bare := filepath.Join(dir, "bare")
	writeFile(t, bare, "#!/bin/sh\nexec "+python+" -S \"$@\"\n")
	if err := os.Chmod(bare, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, part := range map[string]string{bare: "this Python has no DSPy", filepath.Join(dir, "none"): "cannot be started"} {
		if _, stderr, code := in(t, dir, path, "import", "dspy", "rag:program"); code != exitUsage || !strings.Contains(stderr, part) || !strings.Contains(stderr, "E0644") {
			t.Errorf("exit status %d, no %q in\n%s", code, part, stderr)
		}
	}
	if entries, _ := filepath.Glob(filepath.Join(dir, "*.dsp")); len(entries) > 0 {
		t.Errorf("written: %v", entries)
	}
}
