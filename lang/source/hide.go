package source

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Hide marks parts of the text that people must not be shown: the values of
// secrets. Places and Text stay as they are; Shown leaves the parts out. It is
// called by whoever makes the file, before others use it.
func (f *File) Hide(spans ...Span) {
	n := int32(len(f.Text))
	for _, s := range spans {
		s.Start, s.End = min(max(s.Start, 0), n), min(max(s.End, 0), n)
		if s.Start < s.End {
			f.hidden = append(f.hidden, s)
		}
	}
	slices.SortFunc(f.hidden, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
}

// Hidden returns the parts that Hide was given.
func (f *File) Hidden() []Span { return slices.Clone(f.hidden) }

// Hides reports whether a part of s is hidden.
func (f *File) Hides(s Span) bool {
	return slices.ContainsFunc(f.hidden, func(h Span) bool { return h.Start < s.End && s.Start < h.End })
}

// Shown returns the text with every hidden character replaced by one of as many
// bytes for which IsHidden is true, so that places in the text stay true. Lines
// stay lines. Whoever prints it writes a run of such characters as a fixed mark,
// so that its length is not told.
func (f *File) Shown() string {
	if len(f.hidden) == 0 {
		return f.Text
	}
	var b strings.Builder
	done := int32(0)
	for _, h := range f.hidden {
		if h.End <= done {
			continue
		}
		start := max(h.Start, done)
		b.WriteString(f.Text[done:start])
		for i := start; i < h.End; {
			r, size := utf8.DecodeRuneInString(f.Text[i:h.End])
			if r == '\n' || r == '\r' {
				b.WriteRune(r)
			} else {
				b.WriteRune(covers[size-1])
			}
			i += int32(size)
		}
		done = h.End
	}
	b.WriteString(f.Text[done:])
	return b.String()
}

// covers stand for hidden characters of 1, 2, 3 and 4 bytes. None of them can be
// typed: zero bytes are in no text, and the last two are no characters at all.
var covers = [4]rune{0, '\u0080', '\ufdd0', '\U0001fffe'}

// IsHidden reports whether r stands for a hidden character in what Shown returns.
func IsHidden(r rune) bool { return slices.Contains(covers[:], r) }
