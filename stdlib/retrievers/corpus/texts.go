package corpus

import (
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
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
	sections, err := sectionsOf(data, f)
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
			if err := give(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// section is what stands under a heading, or on a page.
type section struct {
	title, text string
	page        int // from 1; 0: there are no pages
}

// sectionsOf parts a text as its kind is parted.
func sectionsOf(data []byte, f File) ([]section, error) {
	ending := strings.ToLower(path.Ext(f.Name))
	base := strings.TrimSuffix(path.Base(f.Name), path.Ext(f.Name))
	switch ending {
	case ".pdf":
		pages, err := pdf.Pages(data)
		if err != nil {
			return nil, faultOf(f, err, pdf.ErrBroken, pdf.ErrLocked, pdf.ErrNoText)
		}
		var out []section
		for i, text := range pages {
			out = append(out, section{base, text, i + 1})
		}
		return out, nil
	case ".html", ".htm", ".xhtml":
		title, list, err := html.Sections(data)
		if err != nil {
			return nil, faultOf(f, err, html.ErrEncoding)
		}
		if title == "" {
			title = base
		}
		var out []section
		for _, s := range list {
			names := s.Headings
			if len(names) == 0 {
				names = []string{title}
			}
			out = append(out, section{title: strings.Join(names, " › "), text: s.Text})
		}
		return out, nil
	}
	text, err := plainText(data, f)
	if err != nil {
		return nil, err
	}
	if isMarkdown(f.Name) {
		return parts(text, base), nil
	}
	return []section{{title: base, text: text}}, nil
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
		return "", fault("line %d of %s is not text in UTF-8", 1+bytes.Count(data[:at], []byte("\n")), f.Name)
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
func parts(text, base string) []section {
	var out []section
	var path [6]string // the headings above, by level
	title := base
	var body strings.Builder
	fence, blank := "", true // blank: no paragraph is under way
	lines := strings.Split(text, "\n")
	lines = lines[frontMatter(lines):]
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

// frontMatter returns how many lines at the start say something about the text
// between two lines `---`.
func frontMatter(lines []string) int {
	if len(lines) == 0 || strings.TrimRight(lines[0], " ") != "---" {
		return 0
	}
	for i, l := range lines[1:] {
		if strings.TrimRight(l, " ") == "---" {
			return i + 2
		}
	}
	return 0
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
