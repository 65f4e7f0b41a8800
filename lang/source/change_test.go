package source_test

import (
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
)

func TestChange(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want source.Change
	}{
		{"", "", source.Change{}},
		{"", "abc", source.Change{Delta: 3}},
		{"abc", "", source.Change{End: 3, Delta: -3}},
		{"abcdef", "abXdef", source.Change{Start: 2, End: 3}},
		{"abcdef", "abdef", source.Change{Start: 2, End: 3, Delta: -1}},
		{"aaa", "aaaa", source.Change{Start: 3, End: 3, Delta: 1}}, // the parts in common do not overlap
		{"abcabc", "abc", source.Change{Start: 3, End: 6, Delta: -3}},
	} {
		a, b := source.NewFile("a", c.a), source.NewFile("a", c.b)
		got := source.ChangeBetween(a, b)
		if got != c.want || got.None() != (c.a == c.b) {
			t.Errorf("%q to %q: %+v", c.a, c.b, got)
		}
		if made := c.a[:got.Start] + c.b[got.Start:got.End+got.Delta] + c.a[got.End:]; made != c.b {
			t.Errorf("%q to %q: it makes %q", c.a, c.b, made)
		}
		for i := range len(c.a) + 1 {
			to := got.At(int32(i))
			if to < 0 || int(to) > len(c.b) || i > 0 && to < got.At(int32(i-1)) {
				t.Errorf("%q to %q: %d moves to %d", c.a, c.b, i, to)
			}
		}
	}
	c := source.Change{Start: 4, End: 6, Delta: 3}
	for s, want := range map[source.Span]source.Span{{0, 4}: {0, 4}, {2, 8}: {2, 11}, {5, 9}: {5, 12}, {6, 7}: {9, 10}} {
		if c.Of(s) != want {
			t.Errorf("%v moves to %v", s, c.Of(s))
		}
	}
	for s, want := range map[source.Span]bool{{0, 3}: false, {0, 4}: true, {5, 5}: true, {6, 9}: true, {7, 9}: false} {
		if c.Touches(s) != want {
			t.Errorf("touches %v: %v", s, !want)
		}
	}
}
