//go:build unix

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// replFile is the program that the sessions load.
const replFile = `variable token: string { default = "none", sensitive = true }
variable k: int(max = 9) { default = 3 }

enum Mood {
  good "fine"
  bad = "not good"
}

program sum {
  question: string, terms: list[int] = [] -> answer: int
}

program mood {
  text: string -> mood: Mood, about: { who: string, why: string? }
}
`

// TestReplOnTerminal holds a session on a terminal to testdata/repl/session.txt:
// what stands on the screen in the end.
func TestReplOnTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "sums.dsp"), replFile)
	x := startTerminal(t, []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state")}, "repl", "--model", "builtin/incontext")
	x.prompt(sessionPrompt)
	// A signature asks for its inputs; one that does not fit is asked for again.
	x.enter("question: str, numbers: list[int], note: str? -> answer: int", "  question: ")
	x.enter("What is 17 * 23?", "  numbers (list[int]): ")
	x.enter("[1, 2", "  ... ")
	x.enter("", "  numbers (list[int]): ")
	x.enter("[1,", "  ... ")
	x.enter(" 2]", "  note (string?; Enter for null): ")
	x.enter("", sessionPrompt)
	// Expressions over what the run gave.
	x.enter("answer * 2", sessionPrompt)
	x.enter("{twice: answer * 2,", "  ... ")
	x.enter(" numbers: numbers}", sessionPrompt)
	x.enter("answr", sessionPrompt)
	x.enter("answer / 0", sessionPrompt)
	// A file.
	x.enter(":load "+filepath.Join(dir, "sums.dsp"), sessionPrompt)
	x.enter(":run sum", "  question: ")
	x.keys("\x03") // Ctrl-C leaves the question
	x.prompt(sessionPrompt)
	x.enter(`:run sum question="2 + 3?"`, sessionPrompt)
	x.enter(":run", "  question: ")
	x.enter(":type Mood", sessionPrompt) // a command in place of a value
	x.enter(":type answer + 0.5", sessionPrompt)
	x.enter(":run sum qestion=x", sessionPrompt)
	x.enter(":run sum terms=[1,", "  ... ")
	x.enter(`2] question='3 + 4?'`, sessionPrompt)
	x.enter("terms", sessionPrompt)
	// Completion.
	x.keys(":p\t")
	x.shows("lan")
	x.shows("rograms")
	x.keys("rog\t")
	x.shows(":programs")
	x.keys("\r")
	x.prompt(sessionPrompt)
	x.keys(":run mo\t")
	x.shows(":run mood")
	x.keys("te\t")
	x.shows(":run mood text=")
	x.enter("'well done'", sessionPrompt)
	x.keys("about.w\t")
	x.shows("about.wh")
	x.keys("o\t")
	x.shows("about.who")
	x.keys("\r")
	x.prompt(sessionPrompt)
	// Editing: the line before, changed.
	x.keys("\x1b[A")
	x.shows("about.who")
	x.enter(" ?? \"nobody\"", sessionPrompt)
	x.enter(":var k=12", sessionPrompt)
	x.enter(":var k=7", sessionPrompt)
	x.enter(":var", sessionPrompt)
	x.enter(":model nobody/x", sessionPrompt)
	x.enter(":plan mood", sessionPrompt)
	x.enter(":halp", sessionPrompt)
	x.enter("program x {", "  ... ")
	x.enter("}", sessionPrompt)
	x.keys("\x04") // Ctrl-D
	if code := x.ends(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	got := strings.ReplaceAll(x.text(), dir+string(filepath.Separator), "")
	got = regexp.MustCompile(`(?m)^dspi \S+\. A`).ReplaceAllString(got, "dspi VERSION. A")
	got = regexp.MustCompile(`\d+ ms`).ReplaceAllString(got, "N ms")
	golden := filepath.FromSlash("testdata/repl/session.txt")
	if *update {
		writeFile(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("the screen is not that of %s:\n%s", golden, got)
	}
}

// TestReplInterrupt: Ctrl-C cancels a run, and the session goes on.
func TestReplInterrupt(t *testing.T) {
	t.Parallel()
	asking := make(chan struct{}, 10)
	s := serve(t, protocols[0], func(_ http.ResponseWriter, r *http.Request, _ int, _ []lm.Message) bool {
		asking <- struct{}{}
		<-r.Context().Done()
		return true
	})
	x := startTerminal(t, []string{"XDG_STATE_HOME=" + t.TempDir()}, "repl", s.program(t, ""))
	x.prompt(sessionPrompt)
	for range 2 {
		x.keys(":run question=hello\r")
		select {
		case <-asking:
		case <-x.ctx.Done():
			t.Fatalf("the server was not asked:\n%s", x.text())
		}
		x.keys("\x03")
		x.prompt(sessionPrompt)
	}
	x.enter("1 + 1", sessionPrompt)
	x.keys("half a line\x03")
	x.prompt(sessionPrompt)
	x.enter(":quit", "")
	if code := x.ends(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if got := strings.Count(x.text(), "interrupted: 0 of 1 step done; 0 calls"); got != 2 {
		t.Errorf("%d of 2 runs were interrupted:\n%s", got, x.text())
	}
	if !strings.Contains(x.text(), "\n2\n") {
		t.Errorf("the session did not go on:\n%s", x.text())
	}
}

// TestReplHistory: lines come back in the next session, in a file that others
// cannot read; secrets are in no file and not on the screen.
func TestReplHistory(t *testing.T) {
	t.Parallel()
	const typed, unseen = "hunter2-typed", "hunter2-unseen"
	dir := t.TempDir()
	program := filepath.Join(dir, "sums.dsp")
	writeFile(t, program, replFile)
	state := filepath.Join(dir, "state")
	path := filepath.Join(state, "dspi", "history")
	env := []string{"XDG_STATE_HOME=" + state}

	x := startTerminal(t, env, "repl", program, "--model", "builtin/incontext")
	x.prompt(sessionPrompt)
	x.enter(":var token="+typed, sessionPrompt)
	x.enter(":var token", "  token (string): ")
	x.keys(unseen + "x\x7f\r")
	x.prompt(sessionPrompt)
	x.enter(":var", sessionPrompt)
	x.enter(":var tken="+typed, sessionPrompt) // misspelt, so perhaps a secret
	x.enter(":varr token="+typed, sessionPrompt)
	x.enter(":var k=4", sessionPrompt)
	x.enter("[1,", "  ... ")
	x.enter(`"a\\b"]`, sessionPrompt)
	x.enter(":run sum", "  question: ")
	x.enter("an answer is no line", "  terms (list[int]; Enter for []): ")
	x.enter("", sessionPrompt)
	x.keys("\x04")
	x.ends()
	if strings.Contains(x.text(), unseen) {
		t.Errorf("a secret that was asked for unseen is on the screen:\n%s", x.text())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := ":var token\n:var\n:var tken\n:var token\n:var k=4\n[1,\n\"a\\\\b\"]\n:run sum\n"
	if string(data) != want {
		t.Errorf("the history is\n%swant\n%s", data, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder %v, %v", info.Mode(), err)
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	y := startTerminal(t, env, "repl", program, "--model", "builtin/incontext")
	y.prompt(sessionPrompt)
	y.keys("\x1b[A")
	y.shows(":run sum")
	y.keys("\x1b[A\x1b[A\x1b[A")
	y.shows(":var k=4")
	y.keys("\r")
	y.prompt(sessionPrompt)
	y.keys("\x04")
	y.ends()
}
