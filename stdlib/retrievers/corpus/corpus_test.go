package corpus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// read returns the passages of a corpus, and what was read of its files.
func read(t testing.TB, c *Corpus) (passages []retrieve.Passage, bytes string, err error) {
	t.Helper()
	files, err := c.Files(t.Context())
	if err != nil {
		return nil, "", err
	}
	var seen strings.Builder
	for _, f := range files {
		err = c.Read(t.Context(), f, func(b []byte) { seen.Write(b) }, func(p retrieve.Passage) error {
			passages = append(passages, p)
			return nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	return passages, seen.String(), nil
}

// rows reads a file of rows.
func rowsOf(t testing.TB, name, text string, c Corpus) ([]retrieve.Passage, error) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, name, text)
	c.File, c.Name = filepath.Join(dir, name), name
	got, bytes, err := read(t, &c)
	if err == nil && bytes != text {
		t.Errorf("%q was read of %q", bytes, text)
	}
	return got, err
}

func line(p retrieve.Passage) string {
	s := p.ID + "|" + p.Title + "|" + p.Text
	if p.Meta != nil {
		s += "|" + string(value.EncodeJSON(p.Meta))
	}
	return s
}

func linesOf(passages []retrieve.Passage) []string {
	var out []string
	for _, p := range passages {
		out = append(out, line(p))
	}
	return out
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		c          Corpus
		want       []string
	}{
		"jsonl":       {"a.jsonl", "{\"id\": \"x\", \"text\": \"one\"}\n\n{\"text\": \"two\", \"id\": 7}\n", Corpus{}, []string{"x||one", "7||two"}},
		"no last end": {"a.jsonl", `{"text": "one"}`, Corpus{}, []string{"1||one"}},
		"rest":        {"a.ndjson", `{"id": "x", "text": "one", "year": 1999, "tags": ["a"]}`, Corpus{}, []string{`x||one|{"year": 1999, "tags": ["a"]}`}},
		"mark":        {"a.jsonl", "\ufeff{\"text\": \"one\"}\r\n{\"text\": \"two\"}\r\n", Corpus{}, []string{"1||one", "2||two"}},
		"columns":     {"a.jsonl", `{"n": "x", "body": "one", "t": "T"}`, Corpus{Text: "body", ID: "n", Title: "t"}, []string{"x|T|one"}},
		"json":        {"a.json", "[\n{\"text\": \"one\"},\n {\"text\": \"two\", \"id\": \"b\"}]\n", Corpus{}, []string{"1||one", "b||two"}},
		"csv":         {"a.csv", "id,text,title\nx,\"one, \"\"two\"\"\nthree\",T\ny,four,\n", Corpus{Title: "title"}, []string{"x|T|one, \"two\"\nthree", "y||four"}},
		"blank":       {"a.csv", "id,text\nx,\ny,four\n", Corpus{}, []string{"y||four"}},
		"no id":       {"a.jsonl", "{\"text\": \"one\", \"id\": null}\n{\"text\": \"two\", \"id\": \"\"}", Corpus{}, []string{"1||one", "2||two"}},
		"parted": {"a.jsonl", `{"id": "x", "text": "First sentence here is not so short. Second sentence is the longer one of both."}`,
			Corpus{MaxLength: 50, Overlap: new(int)}, []string{"x#1||First sentence here is not so short.", "x#2||Second sentence is the longer one of both."}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rowsOf(t, c.file, c.text, c.c)
			if err != nil {
				t.Fatal(err)
			}
			lines := linesOf(got)
			for i := range lines {
				lines[i] = strings.ReplaceAll(strings.ReplaceAll(lines[i], `": `, `":`), `, "`, `,"`)
			}
			want := slices.Clone(c.want)
			for i := range want {
				want[i] = strings.ReplaceAll(strings.ReplaceAll(want[i], `": `, `":`), `, "`, `,"`)
			}
			if !slices.Equal(lines, want) {
				t.Errorf("got  %q\nwant %q", lines, want)
			}
		})
	}
}

func TestRowFaults(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		c          Corpus
		says       string
	}{
		"jsonl":         {"a.jsonl", "{\"text\": \"one\"}\n{", Corpus{}, "line 2 of a.jsonl is not JSON"},
		"no object":     {"a.jsonl", "[1]", Corpus{}, "line 1 of a.jsonl is not an object"},
		"no text":       {"a.jsonl", `{"body": "one"}`, Corpus{}, "line 1 of a.jsonl has no column `text`"},
		"no title":      {"a.jsonl", `{"text": "one"}`, Corpus{Title: "name"}, "no column `name`, which `title` names"},
		"no id":         {"a.jsonl", `{"text": "one"}`, Corpus{ID: "name"}, "no name in `name`, which `id` names"},
		"twice":         {"a.csv", "id,text\nx,one\nx,two\n", Corpus{}, `line 3 of a.csv has the id "x", as line 2 has`},
		"twice in json": {"a.json", `[{"id": 1, "text": "a"}, {"id": 1, "text": "b"}]`, Corpus{}, `row 2 of a.json has the id "1", as row 1 has`},
		"json":          {"a.json", "[{\"text\": \"a\"},\n{\"text\" \"b\"}]", Corpus{}, "a.json is not JSON"},
		"json cut":      {"a.json", "[{\"text\": \"a\"},\n", Corpus{}, "a.json is not JSON"},
		"json object":   {"a.json", `{"text": "a"}`, Corpus{}, "a.json is not a list of objects"},
		"json numbers":  {"a.json", `[1]`, Corpus{}, "row 1 of a.json is not an object"},
		"cells":         {"a.csv", "id,text\nx\n", Corpus{}, "line 2 of a.csv has 1 cells, its header 2"},
		"quotes":        {"a.csv", "id,text\nx,\"a\" b\n", Corpus{}, "line 2 of a.csv"},
		"two columns":   {"a.csv", "text,text\nx,y\n", Corpus{}, "two columns of a.csv are called `text`"},
		"UTF-8":         {"a.csv", "id,text\nx,\xff\n", Corpus{}, "line 2 of a.csv is not text in UTF-8"},
		"nothing":       {"a.csv", "", Corpus{}, "a.csv holds no rows"},
		"header only":   {"a.csv", "id,text\n", Corpus{}, "a.csv holds no rows"},
		"ending":        {"a.xml", "<a/>", Corpus{}, "the name a.xml does not tell"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rowsOf(t, c.file, c.text, c.c)
			var f *Fault
			if !errors.As(err, &f) || !strings.Contains(f.Text, c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	c := &Corpus{File: filepath.Join(t.TempDir(), "none.jsonl"), Name: "none.jsonl"}
	if _, err := c.Files(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no none.jsonl") || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	c = &Corpus{File: t.TempDir(), Name: "folder"}
	if _, err := c.Files(t.Context()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Error(err)
	}
}

const guide = `---
layout: page
---
Before all.

# Guide

Hello there.

## Install ##

Run it.

` + "```sh\n# not a heading\nmake\n```" + `

Settings
--------

- a list
---

### Deep

Text below.

# Other
`

func TestMarkdown(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "guide/a.md", guide)
	put(t, dir, "notes.txt", "One.\r\n\r\nTwo.")
	put(t, dir, ".hidden/b.md", "# No")
	put(t, dir, "c.xml", "<p>no</p>")
	put(t, dir, "empty.md", "\n")
	c := &Corpus{Folder: dir, Name: "docs"}
	got, _, err := read(t, c)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"guide/a.md#1|a|Before all.",
		"guide/a.md#2|Guide|Hello there.",
		"guide/a.md#3|Guide › Install|Run it.\n\n```sh\n# not a heading\nmake\n```",
		"guide/a.md#4|Guide › Settings|- a list\n---",
		"guide/a.md#5|Guide › Settings › Deep|Text below.",
		"notes.txt#1|notes|One.\n\nTwo.",
	}
	for i := range got {
		if file, _ := got[i].Meta.Get("file"); !strings.HasPrefix(got[i].ID, file.(string)+"#") {
			t.Errorf("%s is of the file %v", got[i].ID, file)
		}
		got[i].Meta = nil
	}
	if lines := linesOf(got); !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if whole := got[2].Whole(); !strings.HasPrefix(whole, "Guide › Install | Run it.") {
		t.Errorf("models read %q", whole)
	}

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if linked, _, err := read(t, &Corpus{Folder: link, Name: "link"}); err != nil || len(linked) != len(got) {
		t.Errorf("through a link: %v, %v", linesOf(linked), err)
	}

	c.Pattern = "*.txt"
	if got, _, err := read(t, c); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", linesOf(got), err)
	}
	put(t, dir, "bad.txt", "a\nb\xff")
	if _, _, err := read(t, c); err == nil || !strings.Contains(err.Error(), "line 2 of bad.txt is not text in UTF-8") {
		t.Error(err)
	} else if f, ok := errors.AsType[*Fault](err); !ok || !strings.Contains(f.Hint, "iconv") {
		t.Errorf("%v: no way out", err)
	}
	put(t, dir, "bad.txt", "a\n\nb\x00")
	if _, _, err := read(t, c); err == nil || !strings.Contains(err.Error(), "line 3 of bad.txt holds a zero byte") {
		t.Error(err)
	}
	for pattern, says := range map[string]string{"*.rst": "no file of the folder docs matches *.rst", "{a": "{ without its }", "a}": "} without its {", "[a": "[ without its ]"} {
		c.Pattern = pattern
		if _, err := c.Files(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&Corpus{Folder: dir, Name: "docs"}).Files(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPattern(t *testing.T) {
	for pattern, c := range map[string]struct{ yes, no string }{
		"*.md":             {"a.md b.md", "a.txt d/a.md"},
		"**/*.md":          {"a.md d/a.md d/e/a.md", "a.mdx"},
		"**/*.{md,txt}":    {"a.md d/a.txt", "a.rst"},
		"docs/**":          {"docs/a docs/b/c", "a other/docs/a"},
		"docs/**/[ab].txt": {"docs/a.txt docs/x/y/b.txt", "docs/c.txt"},
		"{a,b}/{c,d}?.md":  {"a/c1.md b/d2.md", "a/c.md c/c1.md"},
		"./a.md":           {"a.md", "b/a.md"},
	} {
		match, err := compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(c.yes) {
			if !match(name) {
				t.Errorf("%s does not match %s", pattern, name)
			}
		}
		for _, name := range strings.Fields(c.no) {
			if match(name) {
				t.Errorf("%s matches %s", pattern, name)
			}
		}
	}
}

// TestSplit: parts are as long as they may be, share what they should, and lose
// nothing.
func TestSplit(t *testing.T) {
	var b strings.Builder
	for i := range 400 {
		fmt.Fprintf(&b, "word%d", i)
		switch {
		case i%50 == 49:
			b.WriteString(".\n\n")
		case i%10 == 9:
			b.WriteString(". ")
		default:
			b.WriteByte(' ')
		}
	}
	text := b.String()
	for _, c := range []struct{ max, overlap int }{{100, 0}, {100, 20}, {100, 99}, {500, 50}, {2000, 200}, {50, 10}} {
		parts := split(text, c.max, c.overlap)
		words, at := strings.Fields(text), 0
		for i, p := range parts {
			if n := utf8.RuneCountInString(p); n > c.max || p == "" {
				t.Errorf("%v: part %d has %d characters", c, i, n)
			}
			fields := strings.Fields(p)
			begin := slices.Index(words, fields[0])
			if begin < 0 || begin > at {
				t.Fatalf("%v: between part %d and the one before something is lost, or a word is cut: %q", c, i, p)
			}
			if c.overlap > 0 && c.overlap < 60 && i > 0 && begin == at {
				t.Errorf("%v: part %d shares nothing with the one before", c, i)
			}
			at = begin + len(fields)
			if !slices.Equal(words[begin:at], fields) {
				t.Fatalf("%v: part %d is %q", c, i, p)
			}
		}
		if at != len(words) {
			t.Errorf("%v: the end is lost", c)
		}
	}
	if parts := split(text, 500, 0); !strings.HasSuffix(parts[0], "word49.") {
		t.Errorf("a part ends within a paragraph: %q", parts[0])
	}
	if parts := split(strings.Repeat("ä", 250), 100, 10); len(parts) != 3 || strings.Join(parts, "") == "" {
		t.Errorf("a long word is parted into %d", len(parts))
	}
}

// FuzzSplit: no text, no size and no overlap makes an endless loop or too long a
// part, and every letter is in some part.
func FuzzSplit(f *testing.F) {
	f.Add("A b. C d.\n\nE", 50, 10)
	f.Add(strings.Repeat("é", 300), 50, 49)
	f.Add(strings.Repeat(" \n", 300), 60, 0)
	f.Fuzz(func(t *testing.T, text string, max, overlap int) {
		if max < 50 || max > 1000 || overlap < 0 || overlap >= max || !utf8.ValidString(text) {
			return
		}
		parts := split(text, max, overlap)
		all := strings.Join(parts, " ")
		for _, p := range parts {
			if utf8.RuneCountInString(p) > max {
				t.Fatalf("a part of %d characters", utf8.RuneCountInString(p))
			}
		}
		for _, r := range text {
			if !strings.ContainsRune(all, r) && strings.TrimSpace(string(r)) != "" {
				t.Fatalf("%q is lost", r)
			}
		}
	})
}

// FuzzMarkdown: no text makes a section without a title, or one of words that it
// does not hold.
func FuzzMarkdown(f *testing.F) {
	f.Add(guide)
	f.Add("a\n===\nb\n---\n```\n# c\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range parts(strings.Split(text, "\n"), "base") {
			if s.title == "" {
				t.Fatal("a section without a title")
			}
			for _, w := range strings.Fields(s.text) {
				if !strings.Contains(text, w) {
					t.Fatalf("%q is not in the text", w)
				}
			}
		}
	})
}
