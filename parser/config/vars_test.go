package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

func testProject() *program.Project {
	return &program.Project{Variables: []*program.Variable{
		{Name: "k", Type: types.Int}, {Name: "tone", Type: types.String}, {Name: "on", Type: types.Bool},
		{Name: "tags", Type: &types.List{Elem: types.String}},
		{Name: "key", Type: types.String, Sensitive: true}, {Name: "pin", Type: types.Int, Sensitive: true},
		{Name: "rag.k", Type: types.Int}, {Name: "rag.token", Type: types.String, Sensitive: true},
	}}
}

func TestVars(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`k = 6`, "k = 6"},
		{`k = "6"`, "k = 6"},
		{`tone = 5`, `tone = "5"`},
		{`on = "true"`, "on = true"},
		{`tags = ["a", "b"]`, `tags = ["a","b"]`},
		{"tone = <<EOT\nlong\nEOT\n", `tone = "long\n"`},
		{`key = "abc"`, `key = "abc" secret`},
		{`pin = "12"`, `pin = 12 secret`},
		{`rag = { k = 3, token = "t" }`, "rag.k = 3\nrag.token = \"t\" secret"},
		{`rag = { k = 3, other = 4 }`, "rag.k = 3\nrag.other = 4 undeclared"},
		{`other = { k = 3 }`, `other = {"k":3} undeclared`},
		{`k = null`, "k = null"},
		{"tone = \"a\"\nk = 1", "tone = \"a\"\nk = 1"},
	} {
		file := source.NewFile("v.dspvars", test.text)
		given, diags := Vars(file, testProject())
		if diags != nil {
			t.Errorf("%s: %s", test.text, said(diags))
		}
		var got []string
		for _, s := range given {
			line := fmt.Sprintf("%s = %s", s.Name, value.EncodeJSON(s.Value))
			if s.Sensitive {
				line += " secret"
			}
			if s.Variable == nil {
				line += " undeclared"
			}
			got = append(got, line)
			if last := s.Name[strings.LastIndexByte(s.Name, '.')+1:]; s.At.Text() != last {
				t.Errorf("%s: the name is at `%s`", test.text, s.At.Text())
			}
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.text, strings.Join(got, "\n"), test.want)
		}
	}
}

func TestVarsMistakes(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`k = var.x`, "E0307 1 `var` a fixed value is expected here"},
		{`key = var.x`, "E0116 1 `key` the value behind this cannot be read"},
		{`key = sk-123`, "E0116 1 `key` the value behind this cannot be read"},
		{"k = 1\nk = 2", "E0503 2 `k` `k` is set again"},
		{`rag { k = 1 }`, "E0125 1 `rag` a file of values has no blocks"},
		{`k =`, "E0112 1 `=` a value is expected behind this"},
		{"k = 1\nkey =", "E0112 2 `=` a value is expected behind this"},
		{"key = \"abc\n", "E0116 1 `key` the value behind this cannot be read"},
		{`tone = "a ${b}"`, "E0307 1 `b` a fixed value is expected here"},
	} {
		_, diags := Vars(source.NewFile("v.dspvars", test.text), testProject())
		if first, _, _ := strings.Cut(said(diags), "\n"); first != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.text, said(diags), test.want)
		}
	}
}

// TestHidden: what is shown of a file of values holds no secret, and everything
// else.
func TestHidden(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"k = 6\nkey = \"abcdef\"\ntone = \"x\"\n", "k = 6\nkey = ~\ntone = \"x\"\n"},
		{"kye = \"abcdef\"\n", "kye = ~\n"},
		{"rag = { k = 3, token = \"abcdef\" }\n", "rag = { k = 3, token = ~ }\n"},
		{"key = <<EOT\nabc\ndef\nEOT\n", "key = ~\n~\n~\n~\n"},
		{"key = \"é\u4e16\U0001f600\"\n", "key = ~\n"},
		{"key = abc def\nk = 6\n", "key = ~\nk = 6\n"},
		{"key = \"abc\nk = \n", "key = ~\n~\n"},
		{"tone = \"http://u:pw@host/?token=abc&x=1\"\n", "tone = \"http://~@host/?token=~&x=1\"\n"},
	} {
		file := source.NewFile("v.dspvars", test.text)
		Vars(file, testProject())
		var got strings.Builder
		last := false
		for _, r := range file.Shown() {
			hidden := source.IsHidden(r)
			switch {
			case hidden && !last:
				got.WriteByte('~')
			case !hidden:
				got.WriteRune(r)
			}
			last = hidden
		}
		if got.String() != test.want {
			t.Errorf("%q\n got %q\nwant %q", test.text, got.String(), test.want)
		}
	}
}

func TestURLSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"http://host/a?b=c":                          "http://host/a?b=c",
		"see https://u:p@host and ftp://x@y":         "see https://••••@host and ftp://••••@y",
		"https://h/?api_key=abc&n=1&Access-Token=zz": "https://h/?api_key=••••&n=1&Access-Token=••••",
		"mail@host ://@":                             "mail@host ://@",
		"http://h/x@y":                               "http://h/x@y",
	} {
		if got := WithoutSecrets(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
