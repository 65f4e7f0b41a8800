package starlark_test

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/starlark"
)

// TestDefinitions takes the functions out of code, whatever stands in them.
func TestDefinitions(t *testing.T) {
	for _, c := range []struct{ code, want string }{
		{"x = 1\ndef f(n):\n  return n\ny = f(2)", "def f(n):\n  return n\n"},
		{"def f():\n  s = \"\"\"\nx = 1\n\"\"\"\n  return s\n\n\ndef g(a,\n      b): return a\nz = 1\n", "def f():\n  s = \"\"\"\nx = 1\n\"\"\"\n  return s\ndef g(a,\n      b): return a\n"},
		{"def f(:\n", ""},
		{"if True:\n  def f(): return 1", ""},
		{"def f(): return 1", "def f(): return 1\n"},
	} {
		if got := starlark.Definitions(c.code); got != c.want {
			t.Errorf("%q\n%q, want %q", c.code, got, c.want)
		}
	}
}
