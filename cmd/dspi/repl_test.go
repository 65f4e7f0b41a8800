package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/value"
)

// newRepl returns a session that has loaded the file of a test.
func newRepl(t *testing.T, text string) *repl {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.dsp")
	writeFile(t, path, text)
	var out, errs bytes.Buffer
	r := &repl{a: newApp(strings.NewReader(""), &out, &errs, []string{"HOME=/no-home", "DSPI_CACHE=memory"})}
	if err := r.load(path); err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	return r
}

const replText = `variable token: string { default = "none", sensitive = true }
variable k: int { default = 3 }
enum Mood { good "fine", bad }
type Person { name: string, age: int? }
model quick { provider = "builtin", name = "incontext" }

program sum {
  question: string, terms: list[int] = [] -> answer: int
}

program meet {
  text: string -> person: Person, mood: Mood

  predict read {
    text: string -> person: Person
  }
  predict feel {
    text: string, person: Person -> mood: Mood
    inputs { person = read.person }
  }
}
`

// TestReplCompletion: what Tab offers at the end of a line. A `|` in the wanted
// words parts the text that stays from the candidate.
func TestReplCompletion(t *testing.T) {
	t.Parallel()
	r := newRepl(t, replText)
	prog, _ := r.project.Program("meet")
	r.last, r.inputs = prog.Signature, value.NewObject("text", "x")
	r.outputs = value.NewObject("person", value.NewObject("name", "Ada", "age", 36), "mood", "good")
	dir := t.TempDir()
	for _, name := range []string{"one.dsp", "other.txt", ".hidden.dsp", "oxen/a.dsp"} {
		writeFile(t, filepath.Join(dir, name), "")
	}
	at := dir + string(filepath.Separator)
	for _, tc := range []struct {
		line string
		want []string // all of them
	}{
		{":p", []string{"|:programs", "|:plan"}},
		{":load " + at + "o", []string{":load |" + at + "one.dsp", ":load |" + at + "oxen/"}},
		{":load " + at, []string{":load |" + at + "one.dsp", ":load |" + at + "oxen/"}},
		{":run ", []string{":run |sum", ":run |meet"}},
		{":run s", []string{":run |sum"}},
		{":run sum ", []string{":run sum |question=", ":run sum |terms="}},
		{`:run sum question="a b" `, []string{`:run sum question="a b" |terms=`}},
		{":run sum question=@" + at + "ot", []string{":run sum |question=@" + at + "other.txt"}},
		{":render meet f", []string{":render meet |feel"}},
		{":render meet feel p", []string{":render meet feel |person="}},
		{":plan m", []string{":plan |meet"}},
		{":model q", []string{":model |quick"}},
		{":model b", []string{":model |bedrock/amazon.nova-lite-v1:0", ":model |builtin/incontext"}},
		{":model n", []string{":model |none"}},
		{":var t", []string{":var |token="}},
		{":type Pe", []string{":type |Person"}},
		{":type prob", []string{":type |probability"}},
		{"pers", []string{"|person"}},
		{"len(pers", []string{"len(|person"}},
		{"1 + person.a", []string{"1 + |person.age"}},
		{"Mood.", []string{"|Mood.good", "|Mood.bad"}},
		{"mood == Mood.g", []string{"mood == |Mood.good"}},
		{"upp", []string{"|upper("}},
		{"q: string -> a: prob", []string{"q: string -> a: |probability"}},
		{"q -> a: list[Per", []string{"q -> a: list[|Person"}},
		{"q -> a", nil},
		{":nosuch x", nil},
		{"nothing.x", nil},
	} {
		start, found := r.complete(tc.line, len(tc.line))
		var got []string
		for _, c := range found {
			got = append(got, tc.line[:start]+"|"+c.value)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q offers %q, want %q", tc.line, got, tc.want)
		}
	}
	// What the library is told: the rest of the word, with a space behind what
	// is whole.
	lines := &terminalLines{complete: r.complete, listening: true}
	rest, length := lines.Do([]rune(":run sum que"), 12)
	if len(rest) != 1 || string(rest[0]) != "stion=" || length != 3 {
		t.Errorf("the library is told %q, %d", rest, length)
	}
	rest, length = lines.Do([]rune(":prog and more"), 5)
	if len(rest) != 1 || string(rest[0]) != "rams " || length != 5 {
		t.Errorf("the library is told %q, %d", rest, length)
	}
}

// TestReplLines: which lines go on, which are signatures, which declarations.
func TestReplLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		line                  string
		open, arrow, declares bool
	}{
		{"a -> b", false, true, false},
		{"a => b", false, true, false},
		{"a: {x: int,", true, false, false},
		{"a: {x: int} -> b: list[", true, true, false},
		{`"a -> b"`, false, false, false},
		{`len("(") < 2`, false, false, false},
		{`'(' + "\"["`, false, false, false},
		{"it's (", true, false, false},
		{"[1, # not ]", true, false, false},
		{"[1, # not ]\n2]", false, false, false},
		{"1)", false, false, false},
		{":load a(b", false, false, false},
		{":run x=[1,", true, false, false},
		{":type (", false, false, false},
		{"5 - 3 > 1", false, false, false},
		{"program x {", true, false, true},
		{"type Mood = string", false, false, true},
		{"type(x)", false, false, false},
		{"enum Queue { a }", false, false, true},
		{`import "a.dsp"`, false, false, true},
		{"variable k: int { default = 1 }", false, false, true},
		{"test + 1", false, false, false},
	} {
		if got := goesOn(tc.line); got != tc.open {
			t.Errorf("%q: goes on: %v", tc.line, got)
		}
		if got := hasArrow(tc.line); got != tc.arrow {
			t.Errorf("%q: a signature: %v", tc.line, got)
		}
		if got := declares(tc.line); got != tc.declares {
			t.Errorf("%q: a declaration: %v", tc.line, got)
		}
	}
}

// TestReplWords: how the words behind a command are parted.
func TestReplWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		line string
		want []string
		err  string
	}{
		{"", nil, ""},
		{" a  b ", []string{"a", "b"}, ""},
		{`q=x r="a b" s='c "d"'`, []string{"q=x", "r=a b", `s=c "d"`}, ""},
		{`q="a\n\"b\" ü"`, []string{"q=a\n\"b\" ü"}, ""},
		{"q=[1, \"a ]\",\n2] r={\"a\": [1]}", []string{"q=[1, \"a ]\",\n2]", "r={\"a\": [1]}"}, ""},
		{"q=[a]b", []string{"q=[a]b"}, ""},
		{"q= r=", []string{"q=", "r="}, ""},
		{"q=a=b", []string{"q=a=b"}, ""},
		{"q=what's", []string{"q=what's"}, ""},
		{`"my program" q=1`, []string{"my program", "q=1"}, ""},
		{`q="open`, nil, "does not end"},
		{`q="a"b`, nil, "a space is missing"},
		{`q="\q"`, nil, "unknown escape"},
		{`q=[1, 2`, nil, "not closed"},
	} {
		got, err := splitWords(tc.line)
		switch {
		case tc.err == "" && (err != nil || !slices.Equal(got, tc.want)):
			t.Errorf("%q: %q, %v, want %q", tc.line, got, err, tc.want)
		case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
			t.Errorf("%q: %q, %v, want an error with %q", tc.line, got, err, tc.err)
		}
	}
}

// TestReplKeeps: what the history keeps of a line.
func TestReplKeeps(t *testing.T) {
	t.Parallel()
	r := newRepl(t, replText)
	for line, want := range map[string]string{
		"q -> a":                     "q -> a",
		":run sum question=x":        ":run sum question=x",
		":var k=4":                   ":var k=4",
		":var":                       ":var",
		":var token":                 ":var token",
		":var token=secret":          ":var token",
		":var var.token = secret":    ":var var.token",
		":var tokn=secret":           ":var tokn",
		":vars token=secret":         ":var token",
		"  :var\ttoken=\"a secret\"": ":var token",
	} {
		if got := r.kept(line); got != want {
			t.Errorf("of %q the history keeps %q, want %q", line, got, want)
		}
	}
	r = newRepl(t, "program p {\n  key: api_key -> n: int\n  outputs { n = 1 }\n}\n")
	for line, want := range map[string]string{
		":run p key=secret": ":run p",
		":run key=\"a=b\"":  ":run",
		":render p key = x": ":render p",
		":model a/b":        ":model a/b",
	} {
		if got := r.kept(line); got != want {
			t.Errorf("of %q the history keeps %q, want %q", line, got, want)
		}
	}
	if got := (&repl{}).kept(":var k=4"); got != ":var k" {
		t.Errorf("without a program it keeps %q", got)
	}
}

// TestHistoryFile: where it is, who can read it, what becomes of a long one.
func TestHistoryFile(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) func(string) string {
		return newApp(nil, nil, nil, pairs).getenv
	}
	slash := filepath.FromSlash
	if got := stateFile(env("XDG_STATE_HOME="+slash("/s"), "HOME="+slash("/h")), "history"); filepath.IsAbs(slash("/s")) && got != slash("/s/dspi/history") {
		t.Errorf("with XDG_STATE_HOME it is %s", got)
	}
	if got := stateFile(env("XDG_STATE_HOME=relative", "HOME="+slash("/h")), "history"); filepath.IsAbs(slash("/h")) && got != slash("/h/.local/state/dspi/history") {
		t.Errorf("with HOME it is %s", got)
	}
	if h, err := openHistory(stateFile(env(), "history")); err == nil || h == nil || h.add("x") != nil {
		t.Errorf("without a folder: %v, %v", h, err)
	}

	path := filepath.Join(t.TempDir(), "deep", "history")
	writeFile(t, path, "a\nb\n\n\x1b[31mc\n")
	h, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "[31mc"}; !slices.Equal(h.lines, want) {
		t.Errorf("lines %q, want %q", h.lines, want)
	}
	for range historyAtMost {
		for _, line := range []string{"x", "x", "y"} {
			if err := h.add(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	h, err = openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.lines) != historyLines || h.lines[historyLines-1] != "y" || h.lines[historyLines-2] != "x" {
		t.Errorf("%d lines, the last %q", len(h.lines), h.lines[len(h.lines)-2:])
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Count(string(data), "\n") != historyLines {
		t.Errorf("the file has %d lines, %v", strings.Count(string(data), "\n"), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside it: %v, %v", entries, err)
	}
}
