package diag

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestText renders each case of testdata/text. A case holds files (those that
// end in .quoted have one Go string a line), what is said about them (say) and
// how that looks (text). Lines of say, parts divided by " :: ":
//
//	E0201 :: qa.dsp:31 :: "answr" :: label            begins a report
//	also :: qa.dsp:3-9 :: "predict" "}" :: label      a related label, from … to …
//	| a line of the detail
//	fix :: qa.dsp:31 :: "answr" :: "answer" :: title  an edit; without title, one more edit
//	help :: words
//	width 60, color, hide qa.dsp                      options
func TestText(t *testing.T) {
	paths, err := filepath.Glob("testdata/text/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := readCase(t, archive)
			var b bytes.Buffer
			if err := Text(&b, c.list.Reports(), c.opt); err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(b.String(), "\x1b", "ESC")
			if !c.opt.Color {
				checkClean(t, b.String())
			}
			want := &archive.Files[len(archive.Files)-1]
			if want.Name != "text" {
				archive.Files = append(archive.Files, txtar.File{Name: "text"})
				want = &archive.Files[len(archive.Files)-1]
			}
			if got == string(want.Data) {
				return
			}
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, want.Data)
		})
	}
}

// checkClean fails when text holds anything that a terminal would obey.
func checkClean(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069) {
			t.Fatalf("%U reaches the terminal", r)
		}
	}
}

type textCase struct {
	files map[string]*source.File
	list  List
	opt   TextOptions
}

func readCase(t *testing.T, archive *txtar.Archive) *textCase {
	t.Helper()
	c := &textCase{files: map[string]*source.File{}}
	hidden := map[string]bool{}
	for _, f := range archive.Files {
		text := string(f.Data)
		if name, ok := strings.CutSuffix(f.Name, ".quoted"); ok {
			f.Name = name
			var b strings.Builder
			for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
				b.WriteString(unquote(t, l))
			}
			text = b.String()
		}
		c.files[f.Name] = source.NewFile(f.Name, text)
	}
	c.opt.Source = func(name string) (string, bool) {
		f := c.files[name]
		if f == nil || hidden[name] {
			return "", false
		}
		return f.Text, true
	}
	say := c.files["say"]
	if say == nil {
		t.Fatal("no file say")
	}
	var d *Diagnostic
	for _, l := range strings.Split(strings.TrimSpace(say.Text), "\n") {
		parts := strings.Split(l, " :: ")
		switch {
		case strings.HasPrefix(l, "|"):
			d.Detail += strings.TrimPrefix(strings.TrimPrefix(l, "|"), " ") + "\n"
		case parts[0] == "also":
			d.Relate(c.place(t, parts[1], parts[2]), "%s", unquoteIf(t, parts[3]))
		case parts[0] == "fix":
			at := c.place(t, parts[1], parts[2])
			if len(parts) < 5 {
				last := &d.Fixes[len(d.Fixes)-1]
				last.Edits = append(last.Edits, Edit{at, unquote(t, parts[3])})
				continue
			}
			d.Fix(parts[4], at, unquote(t, parts[3]))
		case parts[0] == "help":
			d.Hint("%s", strings.Join(parts[1:], " :: "))
		case l == "color":
			c.opt.Color = true
		case strings.HasPrefix(l, "width "):
			if _, err := fmt.Sscan(l[6:], &c.opt.Width); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(l, "hide "):
			hidden[l[5:]] = true
		case len(parts) == 2:
			d = New(Code(parts[0]), source.Place{}, unquoteIf(t, parts[1]))
			c.list = append(c.list, d)
		case len(parts) == 4:
			d = New(Code(parts[0]), c.place(t, parts[1], parts[2]), unquoteIf(t, parts[3]))
			c.list = append(c.list, d)
		default:
			t.Fatalf("cannot read %q", l)
		}
	}
	for _, d := range c.list {
		d.Detail = strings.TrimRight(d.Detail, "\n")
	}
	return c
}

// place reads `qa.dsp:31` and `"from" "to"`.
func (c *textCase) place(t *testing.T, where, needles string) source.Place {
	t.Helper()
	name, lines, _ := strings.Cut(where, ":")
	f := c.files[name]
	if f == nil {
		t.Fatalf("no file %q", name)
	}
	a, b, ok := strings.Cut(lines, "-")
	if !ok {
		b = a
	}
	from, rest := needle(t, needles)
	to := from
	if rest != "" {
		to, _ = needle(t, rest)
	}
	find := func(line, what string) int32 {
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		text := f.Slice(source.Span{Start: f.LineStart(n), End: f.LineStart(n + 1)})
		i := strings.Index(text, what)
		if i < 0 {
			t.Fatalf("no %q in line %d of %s", what, n, name)
		}
		return f.LineStart(n) + int32(i)
	}
	return f.Place(source.Span{Start: find(a, from), End: find(b, to) + int32(len(to))})
}

func needle(t *testing.T, s string) (first, rest string) {
	t.Helper()
	q, err := strconv.QuotedPrefix(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return unquote(t, q), strings.TrimSpace(s[len(q):])
}

func unquote(t *testing.T, s string) string {
	t.Helper()
	u, err := strconv.Unquote(strings.TrimSpace(s))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return u
}

func unquoteIf(t *testing.T, s string) string {
	if strings.HasPrefix(s, `"`) {
		return unquote(t, s)
	}
	return s
}

// TestTextWide: a line of 100,000 characters is cut around its label, and each
// line written stays within the width.
func TestTextWide(t *testing.T) {
	fill := strings.Repeat("値é🙂x ", 20_000)
	for name, text := range map[string]string{
		"start":  "wrong " + fill,
		"middle": fill + "wrong " + fill,
		"end":    fill + "wrong",
	} {
		t.Run(name, func(t *testing.T) {
			f := source.NewFile("a.dsp", text)
			i := int32(strings.Index(text, "wrong"))
			d := New("E0203", f.Place(source.Span{Start: i, End: i + 5}), "no such name")
			began := time.Now()
			var b strings.Builder
			if err := Text(&b, List{d}.Reports(), TextOptions{Width: 80, Source: func(string) (string, bool) { return text, true }}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			lines := strings.Split(b.String(), "\n")
			var code, marks string
			for j, l := range lines {
				if strings.Contains(l, "wrong") && strings.Contains(l, "│") {
					code, marks = l, lines[j+1]
				}
				if w := uniseg.StringWidth(l); w > 80 && !strings.Contains(l, "no such name") {
					t.Errorf("%d columns: %s", w, l)
				}
			}
			if code == "" {
				t.Fatalf("the label's text is not shown:\n%s", b.String())
			}
			at := uniseg.StringWidth(code[:strings.Index(code, "wrong")])
			if got := uniseg.StringWidth(marks[:strings.Index(marks, "^^^^^")]); got != at {
				t.Errorf("marks at column %d, code at %d:\n%s\n%s", got, at, code, marks)
			}
		})
	}
}

// TestTextAligned: the marks stand under the label whatever stands before it.
func TestTextAligned(t *testing.T) {
	for _, before := range []string{
		"", "abc", "\t", "ab\t", "値", "日本語の質問", "e\u0301", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "❤️", "ก็", "한국어", "\u200b", "\x1b[31m", "\xff\xfe", "ｆｕｌｌ",
	} {
		text := before + "mark"
		f := source.NewFile("a.dsp", text)
		d := New("E0203", f.Place(source.Span{Start: int32(len(before)), End: int32(len(text))}), "here")
		var b strings.Builder
		if err := Text(&b, List{d}.Reports(), TextOptions{Source: func(string) (string, bool) { return text, true }}); err != nil {
			t.Fatal(err)
		}
		checkClean(t, b.String())
		lines := strings.Split(b.String(), "\n")
		code, marks := lines[3], lines[4]
		i, j := strings.Index(code, "mark"), strings.Index(marks, "^^^^ here")
		if i < 0 || j < 0 || uniseg.StringWidth(code[:i]) != uniseg.StringWidth(marks[:j]) {
			t.Errorf("%q:\n%s\n%s", before, code, marks)
		}
	}
}

// TestTextStale: places that are not places of the text (the file has changed,
// the report came from elsewhere) are shown without it.
func TestTextStale(t *testing.T) {
	for _, at := range [][2]source.Position{
		{{Line: 9, Column: 1, Byte: 90}, {Line: 9, Column: 2, Byte: 91}},
		{{Line: 1, Column: 1, Byte: 2}, {Line: 1, Column: 2, Byte: 1}},
		{{Line: -4, Column: 0, Byte: -1}, {Line: 0, Column: 0, Byte: 0}},
		{{}, {}},
	} {
		r := Report{Code: "E0203", Level: Error, Title: "unknown name",
			Primary: LabelReport{File: "a.dsp", Start: at[0], End: at[1], Text: "no such name"},
			Fixes: []FixReport{{Title: "do", Edits: []EditReport{
				{File: "a.dsp", Start: 5, End: 2}, {File: "b.dsp", Start: -1, End: 900}, {File: "a.dsp", Start: 0, End: 99}}}},
		}
		var b strings.Builder
		if err := Text(&b, []Report{r}, TextOptions{Source: func(string) (string, bool) { return "short", true }}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "no such name") || strings.Contains(b.String(), "short") {
			t.Errorf("%v:\n%s", at, b.String())
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("pipe is closed") }

func TestTextWriteError(t *testing.T) {
	if err := Text(failing{}, make([]Report, 3), TextOptions{}); err == nil {
		t.Error("no error")
	}
}

func TestSummary(t *testing.T) {
	r := func(level Level, file string) Report {
		return Report{Level: level, Primary: LabelReport{File: file}}
	}
	for _, c := range []struct {
		want    string
		reports []Report
	}{
		{"no errors", nil},
		{"1 error in 1 file", []Report{r(Error, "a")}},
		{"1 error", []Report{r(Error, "")}},
		{"1 warning in 1 file", []Report{r(Warning, "a")}},
		{"2 errors, 1 warning in 3 files", []Report{r(Error, "a"), r(Error, "b"), r(Warning, "c")}},
		{"1 error, 2 warnings in 1 file", []Report{r(Error, "a"), r(Warning, "a"), r(Warning, "a")}},
	} {
		if got := Summary(c.reports); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("question: string -> answr", 3, 9, 12, 20, 80)
	f.Add("値\t👩‍👩‍👧‍👦\r\n\x1b[1m\xff", 0, 4, 9, 12, 40)
	f.Add(strings.Repeat("word ", 60), 200, 205, 10, 20, 60)
	f.Fuzz(func(t *testing.T, text string, a, b, c, e, width int) {
		clamp := func(i int) int32 { return int32(min(max(i, 0), len(text))) }
		file := source.NewFile("a.dsp", text)
		span := func(a, b int) source.Place {
			x, y := clamp(a), clamp(b)
			return file.Place(source.Span{Start: min(x, y), End: max(x, y)})
		}
		d := New("E0203", span(a, b), text).Relate(span(c, e), "%s", text).Say("%s", text).Fix(text, span(c, e), text).Hint("%s", text)
		var out strings.Builder
		err := Text(&out, List{d}.Reports(), TextOptions{Width: width, Source: func(string) (string, bool) { return text, true }})
		if err != nil {
			t.Fatal(err)
		}
		checkClean(t, out.String())
	})
}
