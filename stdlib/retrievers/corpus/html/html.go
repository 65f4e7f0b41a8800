// Package html reads the text of HTML pages: what a reader would see, parted at its
// headings.
//
//	Read     a page: its title, what its meta elements say, and its text, parted
//	Section  what stands under a heading
package html

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// Section is what stands under a heading.
type Section struct {
	// Headings are those that it stands under, the outermost first; none for what
	// stands before the first.
	Headings []string
	Text     string
}

// ErrEncoding says that a page is neither in UTF-8 nor says what it is in.
var ErrEncoding = errors.New("is not in UTF-8 and does not say in what")

// Page is what was read of a page.
type Page struct {
	Title    string      // "" for none
	Meta     [][2]string // names and contents of its meta elements
	Sections []Section
}

// Read returns the text of a page, parted at its headings. Scripts, styles and menus
// (nav) are left out. A page in another encoding than UTF-8 says so in a meta element.
func Read(page []byte) (*Page, error) {
	if !utf8.Valid(page) {
		enc, _, certain := charset.DetermineEncoding(page, "text/html")
		if !certain && !bytes.Contains(bytes.ToLower(page[:min(len(page), 1024)]), []byte("charset=")) { // it guesses
			return nil, ErrEncoding
		}
		var err error
		if page, err = enc.NewDecoder().Bytes(page); err != nil {
			return nil, err
		}
	}
	root, err := html.ParseWithOptions(strings.NewReader(string(page)), html.ParseOptionEnableScripting(false))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r := &reader{}
	r.node(root)
	r.end()
	return &Page{r.title, r.meta, r.out}, nil
}

// reader writes text as it walks through a page.
type reader struct {
	title  string
	meta   [][2]string
	out    []Section
	path   [6]string // the headings above, by level
	text   strings.Builder
	space  bool // a blank is due
	breaks int  // line breaks that are due
	pre    int  // how many pre elements are around
}

// node walks through a node; its depth is that of the parser, which limits it.
func (r *reader) node(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		r.write(n.Data)
		return
	case html.CommentNode, html.DoctypeNode:
		return
	case html.ElementNode:
		switch n.DataAtom {
		case atom.Script, atom.Style, atom.Template, atom.Nav, atom.Svg, atom.Iframe, atom.Select, atom.Button, atom.Noscript:
			return
		case atom.Title:
			if r.title == "" {
				r.title = inner(n)
			}
			return
		case atom.Meta:
			name, content := attribute(n, "name"), attribute(n, "content")
			if name != "" && content != "" {
				r.meta = append(r.meta, [2]string{name, strings.TrimSpace(content)})
			}
			return
		case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			r.heading(int(n.Data[1]-'0'), inner(n))
			return
		case atom.Img:
			for _, a := range n.Attr {
				if a.Key == "alt" && strings.TrimSpace(a.Val) != "" {
					r.write(" " + a.Val + " ")
				}
			}
		case atom.Br:
			r.line(1)
		case atom.Pre:
			r.pre++
			defer func() { r.pre-- }()
		}
	}
	lines := around[n.DataAtom]
	if n.Type == html.ElementNode {
		r.line(lines)
		switch n.DataAtom {
		case atom.Li:
			r.write("- ")
		case atom.Td, atom.Th:
			if n.PrevSibling != nil && r.text.Len() > 0 && r.breaks == 0 {
				r.write(" | ")
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.node(c)
	}
	if n.Type == html.ElementNode {
		r.line(lines)
	}
}

// around is how many line breaks stand around an element.
var around = map[atom.Atom]int{
	atom.P: 2, atom.Div: 1, atom.Section: 2, atom.Article: 2, atom.Main: 2, atom.Header: 2, atom.Footer: 2, atom.Aside: 2,
	atom.Ul: 2, atom.Ol: 2, atom.Li: 1, atom.Dl: 2, atom.Dt: 1, atom.Dd: 1, atom.Table: 2, atom.Tr: 1, atom.Blockquote: 2,
	atom.Pre: 2, atom.Figure: 2, atom.Figcaption: 1, atom.Form: 2, atom.Hr: 2, atom.Body: 2, atom.Details: 2, atom.Summary: 1, atom.Caption: 1,
}

// write adds a text. Blanks are one blank, but in pre.
func (r *reader) write(s string) {
	if r.pre > 0 {
		r.due()
		r.text.WriteString(s)
		return
	}
	for i, word := range strings.FieldsFunc(s, blank) {
		if i > 0 || startsBlank(s) {
			r.space = true
		}
		r.due()
		r.text.WriteString(word)
	}
	if s != "" && blank(rune(s[len(s)-1])) {
		r.space = true
	}
}

func blank(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }

func startsBlank(s string) bool { return s != "" && blank(rune(s[0])) }

// due writes the blanks that are due before a word.
func (r *reader) due() {
	switch {
	case r.text.Len() == 0:
	case r.breaks > 0:
		r.text.WriteString(strings.Repeat("\n", r.breaks))
	case r.space:
		r.text.WriteByte(' ')
	}
	r.space, r.breaks = false, 0
}

// line asks for line breaks before what comes next.
func (r *reader) line(n int) { r.breaks = max(r.breaks, n) }

// heading ends a section and begins the next.
func (r *reader) heading(level int, text string) {
	r.end()
	r.path[level-1] = text
	clear(r.path[level:])
}

// end ends a section.
func (r *reader) end() {
	if s := strings.TrimSpace(r.text.String()); s != "" {
		var path []string
		for _, h := range r.path {
			if h != "" {
				path = append(path, h)
			}
		}
		r.out = append(r.out, Section{path, s})
	}
	r.text.Reset()
	r.space, r.breaks = false, 0
}

// attribute returns an attribute of an element, "" for none.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// inner returns the text in a node on one line.
func inner(n *html.Node) string {
	r := &reader{}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		r.node(c)
	}
	return strings.Join(strings.Fields(r.text.String()), " ")
}
