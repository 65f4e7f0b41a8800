package dspi_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/parser/format"
)

// fence is a fenced block of a page: ```INFO, its lines, ```.
type fence struct {
	info string
	line int // of its first line of text
	text string
}

// fences returns the fenced blocks of a page.
func fences(t *testing.T, path string) []fence {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []fence
	var open *fence
	for i, line := range strings.SplitAfter(string(data), "\n") {
		switch info, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "```"); {
		case ok && open == nil:
			open = &fence{info: info, line: i + 2}
		case ok:
			out = append(out, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: a block has no end", path, open.line)
	}
	return out
}

// TestLanguage checks the examples of docs/language.md. What a fence says:
//
//	```dsp               a whole file: it checks with no diagnostic and is its own format
//	```dsp file NAME     the same; later examples can import it, and commands name it
//	```dsp fragment      the body of a program `question: string -> answer: string`
//	```dsp error CODE    a whole file that gives this code and no other
//	```dsp warning CODE  likewise
//	```csv file NAME     a file beside the examples; jsonl, hcl and dspvars likewise
//	```console           a command and what it prints: cmd/dspi runs it
//	```ebnf, ```text     no example
func TestLanguage(t *testing.T) {
	const path = "docs/language.md"
	dir := t.TempDir()
	counts := map[string]int{}
	var formatted []string // texts and what takes their place
	// An example may read what stands below it.
	for _, f := range fences(t, path) {
		_, rest, _ := strings.Cut(f.info, " ")
		if arg, ok := strings.CutPrefix(rest, "file "); ok {
			writeText(t, filepath.Join(dir, filepath.FromSlash(arg)), f.text)
		}
	}
	for _, f := range fences(t, path) {
		kind, rest, _ := strings.Cut(f.info, " ")
		word, arg, _ := strings.Cut(rest, " ")
		counts[strings.TrimSpace(kind+" "+word)]++
		switch {
		case kind == "dsp":
		case slices.Contains([]string{"csv", "jsonl", "hcl", "dspvars"}, kind) && word == "file" && arg != "", kind == "console", kind == "ebnf", kind == "text":
			continue
		default:
			t.Errorf("%s:%d: nothing is known of blocks marked %q", path, f.line, f.info)
			continue
		}
		text := f.text
		if word == "fragment" {
			text = "program example {\n  question: string -> answer: string\n" + text + "}\n"
		}
		name := filepath.Join(dir, "example.dsp")
		if word == "file" {
			name = filepath.Join(dir, filepath.FromSlash(arg))
		}
		src := dspi.Parse(name, text)
		_, diags := dspi.Check(src)
		switch word {
		case "", "file", "fragment":
			if len(diags) > 0 {
				t.Errorf("%s:%d: the example does not check:\n%s", path, f.line, rendered(t, name, text, diags))
				continue
			}
			got := string(format.File(src.File))
			if word == "fragment" || got == text {
				continue
			}
			if *update {
				formatted = append(formatted, text, got)
			} else {
				t.Errorf("%s:%d: the example is not its own format, which is\n%s", path, f.line, got)
			}
		case "error", "warning":
			if len(diags) == 0 {
				t.Errorf("%s:%d: the example gives no %s", path, f.line, arg)
			}
			for _, d := range diags {
				if d.Code != diag.Code(arg) || string(d.Level) != word {
					t.Errorf("%s:%d: the example should give %s, but:\n%s", path, f.line, arg, rendered(t, name, text, diag.List{d}))
				}
			}
		default:
			t.Errorf("%s:%d: nothing is known of blocks marked %q", path, f.line, f.info)
		}
	}
	if formatted != nil {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, path, []byte(strings.NewReplacer(formatted...).Replace(string(page))))
	}
	t.Log(counts)
	if counts["dsp"]+counts["dsp file"]+counts["dsp fragment"] < 20 || counts["dsp error"] < 20 {
		t.Errorf("too few examples: %v", counts)
	}
}
