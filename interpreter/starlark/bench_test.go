package starlark_test

import (
	"testing"

	"github.com/dspi-lang/dspi/interpreter/starlark"
)

// BenchmarkRun measures short code, and a hundred thousand turns of a loop.
func BenchmarkRun(b *testing.B) {
	for name, code := range map[string]string{
		"short": "def f(x):\n  return x + 1\na = f(2)",
		"loop":  "n = 0\nfor i in range(100000):\n  n += i * 2 % 7",
		"text":  "l = []\nfor i in range(10000):\n  l.append(\"line %d\" % i)\na = len(\",\".join(l))",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := starlark.Run(b.Context(), code, nil, nil, starlark.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
