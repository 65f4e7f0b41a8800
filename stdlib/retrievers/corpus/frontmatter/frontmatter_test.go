package frontmatter

import (
	"errors"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/value"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"---\nowner: Ann\nyear: 2024\nfinal: true\nshare: 0.5\n---\n# A", `6 {"owner":"Ann","year":2024,"final":true,"share":0.5}`},
		{"---\r\nday: 2026-01-20\r\nzip: \"00123\"\r\n---\r\n", `4 {"day":"2026-01-20","zip":"00123"}`},
		{"---\ntags: [a, b]\nby:\n  name: Bo\nlast-change: x\nof the: y\nnone:\n---\n", `8 {"tags":["a","b"],"by":{"name":"Bo"},"last_change":"x","none":null}`},
		{"---\nanswer: yes\nbig: 99999999999999999999\nodd: .inf\n---\n", `5 {"answer":"yes","big":1e+20,"odd":".inf"}`},
		{"---\n# nothing\n---\ntext", "3 null"},
		{"---\nA line between rules.\n---\n", "0 null"},
		{"---\nno: end\n", "0 null"},
		{"# A heading\n---\nno: facts\n---\n", "0 null"},
		{"", "0 null"},
		{"---\na: [1\n---\n", "line 2: did not find expected ',' or ']'"},
		{"---\na: 1\nb: \"x\n---\n", "line 3: found unexpected end of stream"},
		{"---\na: 1\na: 2\n---\n", "line 3: `a` stands there twice"},
		{"---\na: &x [1]\nb: [*x, *x]\n---\n", "line 2: anchors and aliases are not read"},
	} {
		facts, n, err := Read(strings.Split(c.text, "\n"))
		got := ""
		var wrong *Error
		switch {
		case errors.As(err, &wrong):
			got = "line " + string(rune('0'+wrong.Line)) + ": " + wrong.Text
		case err != nil:
			t.Errorf("%q: %v is no *Error", c.text, err)
		case facts == nil:
			got = string(rune('0'+n)) + " null"
		default:
			got = string(rune('0'+n)) + " " + string(value.EncodeJSON(facts))
		}
		if got != c.want {
			t.Errorf("%q\n gives %s\nwanted %s", c.text, got, c.want)
		}
	}
}

// FuzzRead: whatever stands there, it is read or refused with a line of the file.
func FuzzRead(f *testing.F) {
	f.Add("---\na: 1\nb: [x, {y: z}]\n---\ntext")
	f.Add("---\n? [a]\n: b\n---")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		facts, n, err := Read(lines)
		var wrong *Error
		switch {
		case n < 0 || n > len(lines):
			t.Fatalf("%d lines of %d", n, len(lines))
		case err != nil && (!errors.As(err, &wrong) || wrong.Line < 1 || wrong.Text == "" || facts != nil):
			t.Fatalf("%v, %v", facts, err)
		}
		for name := range facts.All() {
			if _, ok := Column(name); !ok {
				t.Fatalf("a condition cannot read %q", name)
			}
		}
	})
}
