// Package pdf reads the text of PDF files, page by page.
//
// A page without text (a scan) gives "": nothing here reads pictures.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ledongthuc/pdf"
)

// Errors of Pages.
var (
	ErrBroken = errors.New("is no PDF, or a damaged one")
	ErrLocked = errors.New("is a PDF that wants a password")
	ErrNoText = errors.New("holds no text: it may be scanned pages, which have to be recognised first")
)

// maxPages is how many pages a file may have: a damaged one names any number.
const maxPages = 100_000

// Pages returns the text of each page, in lines from the top to the bottom. The error
// wraps one of the errors above.
func Pages(file []byte) (pages []string, err error) {
	defer func() { // of what is damaged the library panics
		if x := recover(); x != nil {
			pages, err = nil, fmt.Errorf("%w: %v", ErrBroken, x)
		}
	}()
	if !bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-")) {
		return nil, ErrBroken
	}
	r, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
	if errors.Is(err, pdf.ErrInvalidPassword) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBroken, err)
	}
	if r.NumPage() > maxPages {
		return nil, fmt.Errorf("%w: it says that it has %d pages", ErrBroken, r.NumPage())
	}
	any := false
	for i := 1; i <= r.NumPage(); i++ {
		p := r.Page(i)
		text := ""
		if !p.V.IsNull() {
			text = lines(p.Content().Text)
		}
		any = any || strings.TrimSpace(text) != ""
		pages = append(pages, text)
	}
	if !any {
		return nil, ErrNoText
	}
	return pages, nil
}

// lines puts the pieces of a page in lines. Pieces of one height are a line; a gap
// between two is a blank, and a large step down is the end of a paragraph.
func lines(pieces []pdf.Text) string {
	pieces = slices.DeleteFunc(slices.Clone(pieces), func(t pdf.Text) bool { return t.S == "" })
	var b strings.Builder
	for i, t := range pieces {
		if i > 0 {
			last := pieces[i-1]
			size := math.Max(math.Max(t.FontSize, last.FontSize), 1)
			switch down := last.Y - t.Y; {
			case math.Abs(down) > 1.8*size:
				b.WriteString("\n\n")
			case math.Abs(down) > 0.5*size:
				b.WriteByte('\n')
			case t.X-(last.X+last.W) > 0.15*size && !strings.HasSuffix(last.S, " ") && !strings.HasPrefix(t.S, " "):
				b.WriteByte(' ')
			}
		}
		b.WriteString(t.S)
	}
	return tidy(b.String())
}

// tidy takes out blanks at the ends of lines, and hyphens that part a word between
// two.
func tidy(s string) string {
	list := strings.Split(s, "\n")
	for i, l := range list {
		list[i] = strings.TrimSpace(l)
	}
	var b strings.Builder
	for i, l := range list {
		next := ""
		if i+1 < len(list) {
			next = list[i+1]
		}
		if n := len(l); n > 1 && l[n-1] == '-' && letter(l[n-2]) && next != "" && next[0] >= 'a' && next[0] <= 'z' {
			b.WriteString(l[:n-1])
			continue
		}
		b.WriteString(l)
		if i+1 < len(list) {
			b.WriteByte('\n')
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(b.String(), "\ufffd"))
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }
