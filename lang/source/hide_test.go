package source

import (
	"strings"
	"testing"
)

func TestShown(t *testing.T) {
	for _, test := range []struct {
		text  string
		spans []Span
		want  string // ~ for a run of hidden characters
	}{
		{"abc", nil, "abc"},
		{"abcdef", []Span{{1, 3}}, "a~def"},
		{"abcdef", []Span{{4, 6}, {0, 2}}, "~cd~"},
		{"abcdef", []Span{{1, 4}, {2, 3}, {3, 5}}, "a~f"},
		{"abcdef", []Span{{-1, 2}, {5, 99}, {3, 3}}, "~cde~"},
		{"a\r\nb\nc", []Span{{0, 6}}, "~\r\n~\n~"},
		{"é世😀x", []Span{{0, 9}}, "~x"},
	} {
		f := NewFile("f", test.text)
		f.Hide(test.spans...)
		var got strings.Builder
		hidden := false
		for _, r := range f.Shown() {
			if !IsHidden(r) {
				got.WriteRune(r)
			} else if !hidden {
				got.WriteByte('~')
			}
			hidden = IsHidden(r)
		}
		if got.String() != test.want {
			t.Errorf("%q with %v: got %q, want %q", test.text, test.spans, got.String(), test.want)
		}
		shown := NewFile("f", f.Shown())
		for i := range test.text {
			if f.Position(int32(i)) != shown.Position(int32(i)) {
				t.Errorf("%q: place %d is another", test.text, i)
			}
		}
	}
	f := NewFile("f", "abcdef")
	f.Hide(Span{2, 4})
	for s, want := range map[Span]bool{{0, 2}: false, {4, 6}: false, {1, 3}: true, {3, 5}: true, {2, 2}: false} {
		if f.Hides(s) != want {
			t.Errorf("Hides(%v) is %v", s, !want)
		}
	}
}
