package corpus

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/html"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/pdf"
)

const page = `<!DOCTYPE html><html><head><title>The  handbook</title><style>p{}</style><script>var no = "no"</script></head>
<body><nav><a href="/">Menu</a></nav><p>Before   all &amp; everything.</p>
<h1>Guide</h1><p>Hello <b>there</b>, <i>you</i>.<br>Next line.</p>
<h2>In<em>stall</em></h2><ul><li>Get it</li><li>Run it</li></ul><pre>make
  all</pre>
<table><tr><th>Name</th><th>Age</th></tr><tr><td>Ann</td><td>7</td></tr></table>
<h2>Empty</h2><h3></h3><img alt="A red fox" src="x.png">
<h1>Other</h1><noscript>no</noscript></body></html>`

func TestHTML(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.html", page)
	put(t, dir, "latin.htm", "<meta charset=iso-8859-1><p>Caf\xe9</p>")
	got, _, err := read(t, &Corpus{Folder: dir, Name: "docs"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a.html#1|The handbook|Before all & everything.",
		"a.html#2|Guide|Hello there, you.\nNext line.",
		"a.html#3|Guide › Install|- Get it\n- Run it\n\nmake\n  all\n\nName | Age\nAnn | 7",
		"a.html#4|Guide › Empty|A red fox",
		"latin.htm#1|latin|Café",
	}
	for i := range got {
		got[i].Meta = nil
	}
	if lines := linesOf(got); !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	put(t, dir, "b.html", "<p>Caf\xe9</p>")
	if _, _, err := read(t, &Corpus{Folder: dir, Name: "docs"}); err == nil || !strings.Contains(err.Error(), "b.html is not in UTF-8 and does not say in what") {
		t.Errorf("an unknown encoding gives %v", err)
	}
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte(page))
	f.Add([]byte("<meta charset=utf-16><h7><pre>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := html.Read(data)
		if err != nil {
			return
		}
		list := page.Sections
		for _, s := range list {
			if err != nil || strings.TrimSpace(s.Text) == "" {
				t.Fatalf("%+v, %v", list, err)
			}
		}
	})
}

// document makes a PDF of pages of lines.
func document(pages ...[]string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), fmt.Sprintf(format, args...))
	}
	b.WriteString("%PDF-1.4\n")
	var kids []string
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", 4+2*i))
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages))
	widths := strings.TrimSpace(strings.Repeat("500 ", 224))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FirstChar 32 /LastChar 255 /Widths [%s] >>", widths)
	for i, lines := range pages {
		var text strings.Builder
		text.WriteString("BT /F1 12 Tf 72 720 Td ")
		for _, l := range lines {
			down := 14
			if l == "" {
				down = 30
			}
			fmt.Fprintf(&text, "(%s) Tj 0 -%d Td ", strings.NewReplacer("(", `\(`, ")", `\)`).Replace(l), down)
		}
		text.WriteString("ET")
		object("<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 612 792] /Contents %d 0 R >>", 5+2*i)
		object("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String())
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, x := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", x)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

func TestPDF(t *testing.T) {
	whole := document([]string{"The owl hunts at night and hears a mou-", "se under the snow.", "", "It sleeps by day."}, []string{}, []string{"The second chapter (of two)."})
	dir := t.TempDir()
	put(t, dir, "owls.pdf", string(whole))
	got, _, err := read(t, &Corpus{Folder: dir, Name: "docs"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ID != "owls.pdf#1" || got[0].Title != "owls" || !strings.HasPrefix(got[0].Text, "The owl hunts at night and hears a mouse under the snow.\n") {
		t.Errorf("it holds %q", linesOf(got))
	}
	if n, _ := got[len(got)-1].Meta.Get("page"); n != 3 {
		t.Errorf("the last is of page %v", n)
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"no PDF":  {[]byte("hello"), pdf.ErrBroken},
		"cut":     {whole[:len(whole)/2], pdf.ErrBroken},
		"garbled": {bytes.ReplaceAll(whole, []byte("obj"), []byte("obx")), pdf.ErrBroken},
		"scan":    {document([]string{}), pdf.ErrNoText},
		"empty":   {nil, pdf.ErrBroken},
	} {
		if _, err := pdf.Pages(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s gives %v", name, err)
		}
	}
	put(t, dir, "cut.pdf", string(whole[:len(whole)/2]))
	_, _, err = read(t, &Corpus{Folder: dir, Name: "docs"})
	if err == nil || err.Error() != "cut.pdf is no PDF, or a damaged one" {
		t.Errorf("a broken PDF gives %v", err)
	}
}

func FuzzPDF(f *testing.F) {
	f.Add(document([]string{"An owl."}))
	f.Fuzz(func(t *testing.T, data []byte) {
		pages, err := pdf.Pages(data)
		if err == nil && len(pages) == 0 {
			t.Fatal("neither pages nor an error")
		}
		for _, p := range pages {
			if !utf8.ValidString(p) {
				t.Fatalf("%q is no text", p)
			}
		}
	})
}

// TestSeveral: a pattern in place of a file.
func TestSeveral(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "data/a.jsonl", `{"text": "one"}`)
	put(t, dir, "data/b.jsonl", `{"text": "two", "id": "b"}`)
	put(t, dir, "data/more/c.tsv", "id\ttext\nc\tthree \"3\"\n")
	put(t, dir, "data/d.md", "# Four\n\nfour")
	for name, want := range map[string][]string{
		"data/*.jsonl":         {"data/a.jsonl#1||one", "b||two"},
		"data/**/*.tsv":        {"c||three \"3\""},
		"data/{a.jsonl,d.md}":  {"data/a.jsonl#1||one", "data/d.md#1|Four|four"},
		"data/d.md":            {"data/d.md#1|Four|four"},
		"data/**/[bc].*s*":     {"b||two", "c||three \"3\""},
		"data/nothing/*.jsonl": nil,
	} {
		got, _, err := read(t, &Corpus{File: dir + "/" + name, Name: name})
		if want == nil {
			if err == nil {
				t.Errorf("%s gives %v", name, linesOf(got))
			}
			continue
		}
		for i := range got {
			got[i].Meta = nil
		}
		if lines := linesOf(got); err != nil || !slices.Equal(lines, want) {
			t.Errorf("%s gives %q, %v", name, lines, err)
		}
	}
}
