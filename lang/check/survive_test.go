package check_test

import (
	"os"
	"strings"
	"testing"
)

// TestSurvive takes lines and tails out of the test programs. Whatever is left,
// the checker must end and say no more than a few things for each line.
func TestSurvive(t *testing.T) {
	n := 0
	for _, name := range []string{"tools", "data", "metrics", "tests", "good"} {
		data, err := os.ReadFile("testdata/" + name + ".dsp")
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range strings.Split(string(data), "\n----\n") {
			lines := strings.SplitAfter(piece, "\n")
			try := func(text string) {
				n++
				if _, diags := checkText(text); len(diags) > 6*len(lines)+20 {
					t.Errorf("%d messages for %d lines:\n%s", len(diags), len(lines), text)
				}
			}
			for i := range lines {
				try(strings.Join(lines[:i], "") + strings.Join(lines[i+1:], ""))
			}
			for i := 0; i < len(piece); i += 11 {
				try(piece[:i])
				try(piece[i:])
			}
		}
	}
	if n < 1000 {
		t.Errorf("%d texts were checked", n)
	}
}
