package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBadInput gives the command what no one should: each ends within seconds
// with a clear error and the right status.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	const hello = "program hello {\n  question: string -> answer: string\n}\n"
	good := file("hello.dsp", hello)
	typed := file("typed.dsp", "program typed {\n  n: int, tags: list[string] -> answer: string\n}\n")
	parens := strings.Repeat("(", 1_000_000)
	endless := file("endless.dsp", `program endless {
  n: int -> total: int
  let total = sum(map(1..n, sum(map(1..n, it))))
  outputs { total = total }
}
`)
	tests := []struct {
		name string
		args []string
		code int
		say  []string // on stderr
	}{
		{"missing file", []string{"run", filepath.Join(dir, "helo.dsp")}, 2, []string{"error[E0619]", "hello.dsp`?"}},
		{"missing file to check", []string{"check", filepath.Join(dir, "helo.dsp")}, 2, []string{"error[E0619]"}},
		{"folder", []string{"run", dir, "question=x"}, 2, []string{"error[E0619]", "is a folder"}},
		{"binary file", []string{"run", file("bin.dsp", "\x7fELF\x00\x01\x02")}, 1, []string{"error[E0128]", "zero byte"}},
		{"binary file to check", []string{"check", filepath.Join(dir, "bin.dsp")}, 1, []string{"error[E0128]"}},
		{"binary file to format", []string{"fmt", filepath.Join(dir, "bin.dsp")}, 1, []string{"error[E0128]"}},
		{"invalid UTF-8", []string{"check", file("utf8.dsp", hello+"# caf\xe9\n")}, 1, []string{"error[E0128]", "line 4"}},
		{"100,000 nested braces", []string{"check", file("braces.dsp", "program a "+strings.Repeat("{ ", 100_000))}, 1, []string{"error["}},
		{"100,000 nested blocks", []string{"check", file("blocks.dsp", strings.Repeat("program a { ", 100_000))}, 1, []string{"error[E0111]"}},
		{"100,000 nested objects", []string{"check", file("objects.dsp", "type A = "+strings.Repeat("{ a: ", 100_000))}, 1, []string{"error[E0111]"}},
		{"a million nested parentheses", []string{"check", file("parens.dsp", "program a {\n  x: int -> y: int\n  outputs { y = "+parens+"1"+strings.ReplaceAll(parens, "(", ")")+" }\n}\n")}, 1, []string{"error[E0111]"}},
		{"a million parentheses that never close", []string{"run", file("open.dsp", "program a {\n  x: int -> y: int\n  outputs { y = "+parens), "x=1"}, 1, []string{"error["}},
		{"50 MB", []string{"check", file("big.dsp", strings.Repeat("# "+strings.Repeat("x", 97)+"\n", 500_000))}, 1, []string{"error[E0128]", "too large"}},
		{"50 MB to run", []string{"run", filepath.Join(dir, "big.dsp"), "x=1"}, 1, []string{"error[E0128]"}},
		{"50 MB as a value", []string{"run", good, "question=@" + filepath.Join(dir, "big.dsp")}, 1, []string{"error[E0128]"}},
		{"wrong input name", []string{"run", good, "qestion=x"}, 2, []string{"error[E0609]", "did you mean `question`?"}},
		{"no input", []string{"run", good}, 2, []string{"error[E0608]", "question=…"}},
		{"wrong type", []string{"run", typed, "n=many", "tags=a"}, 2, []string{"error[E0610]", "expected a whole number", "expected a list"}},
		{"wrong type in JSON", []string{"run", typed, "--input", file("in.json", `{"n": "1", "tags": [1]}`)}, 2, []string{"error[E0610]"}},
		{"JSON nested too deeply", []string{"run", typed, "n=1", "tags=" + strings.Repeat("[", 100_000)}, 2, []string{"error[E0610]"}},
		{"no such program", []string{"run", good, "helo", "question=x"}, 2, []string{"error[E0611]", "did you mean `hello`?"}},
		{"no key", []string{"run", good, "question=x", "--model", "openai/gpt-4o-mini"}, 1, []string{"error[E0607]", "OPENAI_API_KEY"}},
		{"no program", []string{"run", file("types.dsp", "type A = string\n"), "x=1"}, 2, []string{"error[E0613]"}},
		{"an empty file", []string{"run", file("empty.dsp", ""), "x=1"}, 2, []string{"error[E0613]"}},
		{"an expression that never ends", []string{"run", endless, "n=100000"}, 1, []string{"error[E0615]"}},
		{"a signature that is none", []string{"run", "-s", "what is this", "x=1"}, 1, []string{"error["}},
		{"a million braces as a signature", []string{"run", "-s", strings.Repeat("{", 100_000), "x=1"}, 1, []string{"error["}},
		{"an import of itself", []string{"check", file("self.dsp", "import \"self.dsp\"\n"+hello)}, 0, nil},
		{"an import that is not there", []string{"check", file("imp.dsp", "import \"nowhere.dsp\"\n"+hello)}, 1, []string{"error[E0212]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := runDspi(t, tt.args...)
			if got.code != tt.code || got.code != 0 && got.stdout != "" {
				t.Errorf("exit status %d, want %d; stdout %q; stderr:\n%s", got.code, tt.code, head(got.stdout), head(got.stderr))
			}
			for _, part := range tt.say {
				if !strings.Contains(got.stderr, part) {
					t.Errorf("stderr has no %q:\n%s", part, head(got.stderr))
				}
			}
			if got.took > 20*time.Second {
				t.Errorf("it took %s", got.took)
			}
			if len(got.stderr) > 20_000 {
				t.Errorf("%d bytes on stderr", len(got.stderr))
			}
		})
	}
}

func head(s string) string {
	if len(s) > 2000 {
		return s[:2000] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	return s
}
