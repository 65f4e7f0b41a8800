package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormatUnchanged: a file that cannot be read as text keeps every byte when it
// is formatted, one that is a single mistake keeps every mark, and nothing is left
// beside either.
func TestFormatUnchanged(t *testing.T) {
	tests := []struct {
		name, text string
		code       int
	}{
		{"binary", "\x7fELF\x00\x01\x02program a{x->y}", 1},
		{"invalid UTF-8", "program a{\nx->y}\n# caf\xe9\n", 1},
		{"too large", strings.Repeat("#x\n", 6<<20), 1},
		{"nested braces", "program a " + strings.Repeat("{ ", 100_000), 0},
		{"nested parentheses", "program a {\n  x: int -> y: int\n  outputs { y = " + strings.Repeat("(", 1_000_000) + " }\n}\n", 0},
		{"only closers", strings.Repeat("}", 100_000), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.dsp")
			writeFile(t, path, tt.text)
			got := runDspi(t, "fmt", path)
			if got.code != tt.code {
				t.Errorf("exit status %d, want %d\n%s", got.code, tt.code, head(got.stderr))
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := strings.Join(strings.Fields(string(after)), ""), strings.Join(strings.Fields(tt.text), ""); a != b {
				t.Errorf("the text is another one: %d bytes were %d", len(after), len(tt.text))
			}
			if tt.code != 0 && string(after) != tt.text {
				t.Error("the file was changed though it could not be read")
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("%d files in the folder: %v", len(entries), err)
			}
		})
	}
}
