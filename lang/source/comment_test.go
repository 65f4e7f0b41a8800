package source_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
)

func TestCommentAbove(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"program", ""},
		{"# a\nprogram", "a"},
		{"# apart\n\n  // a\n#b\n  program", "a\nb"},
		{"k = 1 # not above\nprogram", ""},
		{"# apart\nk = 1\n# a\n#\n# b\nprogram", "a\n\nb"},
	} {
		f := source.NewFile("a.dsp", c.text)
		if got := f.CommentAbove(int32(strings.Index(c.text, "program"))); got != c.want {
			t.Errorf("above %q stands %q, want %q", c.text, got, c.want)
		}
	}
}
