package corpus

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/frontmatter"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/html"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/pdf"
)

// maxText is the longest text of a folder, in bytes.
const maxText = 64 << 20

// readText reads a text. Markdown and HTML are parted at their headings, PDF at its
// pages, and what stands under one of them as long texts are; the title of a part is
// the headings that it stands under. Parts are called FILE#1, FILE#2 and so on.
func (c *Corpus) readText(r io.Reader, f File, give func(retrieve.Passage) error) error {
	data, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return err
	}
	if len(data) > maxText {
		return fault("%s is larger than %d MB", f.Name, maxText>>20)
	}
	sections, facts, err := sectionsOf(data, f)
	if err != nil {
		return err
	}
	most := c.MaxLength
	if most == 0 {
		most = DefaultMaxLength
	}
	n := 0
	for _, s := range sections {
		if strings.TrimSpace(s.text) == "" {
			continue
		}
		for _, part := range split(s.text, most, c.overlap(most)) {
			n++
			p := retrieve.Passage{
				ID: f.Name + "#" + strconv.Itoa(n), Title: s.title, Text: part,
				Meta: value.NewObject("file", f.Name),
			}
			if s.page > 0 {
				p.Meta.Set("page", s.page)
			}
			for name, v := range facts.All() {
				if !slices.Contains(ownFacts, name) {
					p.Meta.Set(name, v)
				}
			}
			if err := give(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownFacts are the names of what is known of every text: facts that an author gives
// these names are left out.
var ownFacts = []string{"id", "title", "text", "file", "page"}

// section is what stands under a heading, or on a page.
type section struct {
	title, text string
	page        int // from 1; 0: there are no pages
}

// sectionsOf parts a text as its kind is parted, and returns what its author says about
// it: the front matter of Markdown, the meta elements of HTML; nil for nothing.
func sectionsOf(data []byte, f File) ([]section, *value.Object, error) {
	ending := strings.ToLower(path.Ext(f.Name))
	base := strings.TrimSuffix(path.Base(f.Name), path.Ext(f.Name))
	switch ending {
	case ".pdf":
		pages, err := pdf.Pages(data)
		if err != nil {
			return nil, nil, faultOf(f, err, pdf.ErrBroken, pdf.ErrLocked, pdf.ErrNoText)
		}
		var out []section
		for i, text := range pages {
			out = append(out, section{base, text, i + 1})
		}
		return out, nil, nil
	case ".html", ".htm", ".xhtml":
		page, err := html.Read(data)
		if err != nil {
			return nil, nil, faultOf(f, err, html.ErrEncoding)
		}
		if page.Title == "" {
			page.Title = base
		}
		var out []section
		for _, s := range page.Sections {
			names := s.Headings
			if len(names) == 0 {
				names = []string{page.Title}
			}
			out = append(out, section{title: strings.Join(names, " › "), text: s.Text})
		}
		return out, metaFacts(page.Meta), nil
	}
	text, err := plainText(data, f)
	if err != nil {
		return nil, nil, err
	}
	if !isMarkdown(f.Name) {
		return []section{{title: base, text: text}}, nil, nil
	}
	lines := strings.Split(text, "\n")
	facts, n, err := factsOf(lines, f)
	if err != nil {
		return nil, nil, err
	}
	if title, ok := facts.Get("title"); ok {
		if s, isText := title.(string); isText && strings.TrimSpace(s) != "" {
			base = s
		}
	}
	return parts(lines[n:], base), facts, nil
}

// factsOf reads the front matter of a Markdown text, and how many lines it takes.
func factsOf(lines []string, f File) (*value.Object, int, error) {
	facts, n, err := frontmatter.Read(lines)
	var wrong *frontmatter.Error
	if errors.As(err, &wrong) {
		return nil, 0, fault("line %d of %s: the facts between the lines --- are no YAML that is read: %s", wrong.Line, f.Name, wrong.Text).
			hint("put quotes around a value with a colon, or leave the file out with `pattern`")
	}
	return facts, n, err
}

// metaFacts makes facts of meta elements, whose contents are texts. The first of a name
// counts.
func metaFacts(list [][2]string) *value.Object {
	var facts *value.Object
	for _, m := range list {
		name, ok := frontmatter.Column(m[0])
		if !ok {
			continue
		}
		if facts == nil {
			facts = &value.Object{}
		}
		if _, twice := facts.Get(name); !twice {
			facts.Set(name, m[1])
		}
	}
	return facts
}

// faultOf words what is wrong with a text; known are errors that say it in words of
// ours.
func faultOf(f File, err error, known ...error) error {
	for _, k := range known {
		if errors.Is(err, k) {
			x := fault("%s %v", f.Name, k).hint("leave it out with `pattern`, or put it right")
			x.Err = err
			return x
		}
	}
	return fault("%s cannot be read: %v", f.Name, err)
}

// plainText returns a text that is in UTF-8, with line breaks as Unix has them.
func plainText(data []byte, f File) (string, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return "", fault("line %d of %s holds a zero byte, so it is probably no text", 1+bytes.Count(data[:i], []byte("\n")), f.Name).
			hint("leave it out with `pattern`")
	}
	if !utf8.Valid(data) {
		at := 0
		for at < len(data) {
			if x, n := utf8.DecodeRune(data[at:]); x == utf8.RuneError && n == 1 {
				break
			} else {
				at += n
			}
		}
		return "", notUTF8("line %d of %s", 1+bytes.Count(data[:at], []byte("\n")), f.Name)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n"), nil
}

// isText knows the endings of texts. In a folder others are texts, too, where a pattern
// names them.
func isText(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".txt", ".text", ".html", ".htm", ".xhtml", ".pdf":
		return true
	}
	return isMarkdown(name)
}

func isMarkdown(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".mdx":
		return true
	}
	return false
}

// parts parts a Markdown text at its headings, `# …` and underlined ones, but not
// at what looks like one in a block of code.
func parts(lines []string, base string) []section {
	var out []section
	var path [6]string // the headings above, by level
	title := base
	var body strings.Builder
	fence, blank := "", true // blank: no paragraph is under way
	begin := func(level int, heading string) {
		out = append(out, section{title: title, text: body.String()})
		body.Reset()
		path[level-1] = heading
		clear(path[level:])
		var names []string
		for _, h := range path {
			if h != "" {
				names = append(names, h)
			}
		}
		if title = strings.Join(names, " › "); title == "" {
			title = base
		}
		blank = true
	}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		plain := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(plain, fence) && strings.Trim(plain, fence[:1]) == "" {
				fence = ""
			}
		case strings.HasPrefix(plain, "```"), strings.HasPrefix(plain, "~~~"):
			fence = plain[:len(plain)-len(strings.TrimLeft(plain, plain[:1]))]
		case indent(line) < 4:
			if level, heading := atx(plain); level > 0 {
				begin(level, heading)
				continue
			}
			if i+1 < len(lines) && plain != "" && blank && !strings.HasPrefix(plain, "|") && !strings.HasPrefix(plain, "- ") && !strings.HasPrefix(plain, "* ") {
				if level := underline(lines[i+1]); level > 0 {
					begin(level, plain)
					i++
					continue
				}
			}
		}
		blank = plain == ""
		body.WriteString(line)
		body.WriteByte('\n')
	}
	return append(out, section{title: title, text: body.String()})
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// atx reads `## Heading ##`; level 0 for any other line.
func atx(line string) (level int, heading string) {
	rest := strings.TrimLeft(line, "#")
	level = len(line) - len(rest)
	if level == 0 || level > 6 || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return 0, ""
	}
	heading = strings.TrimSpace(rest)
	if trimmed := strings.TrimRight(heading, "#"); trimmed == "" || strings.HasSuffix(trimmed, " ") {
		heading = strings.TrimSpace(trimmed)
	}
	return level, heading
}

// underline reads the line under a heading: 1 for ===, 2 for ---, 0 for any other.
func underline(line string) int {
	line = strings.TrimRight(line, " \t")
	switch {
	case len(line) >= 3 && strings.Trim(line, "=") == "":
		return 1
	case len(line) >= 3 && strings.Trim(line, "-") == "":
		return 2
	}
	return 0
}
