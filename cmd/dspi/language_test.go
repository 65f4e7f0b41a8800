package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLanguage runs the commands of docs/language.md beside the files that its
// examples make (TestLanguage of the root package checks those).
func TestLanguage(t *testing.T) {
	const path = "../../docs/language.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	block := regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")
	ran := 0
	text := string(data)
	now := block.ReplaceAllStringFunc(text, func(whole string) string {
		m := block.FindStringSubmatch(whole)
		if _, name, ok := strings.Cut(m[1], " file "); ok {
			writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), m[2])
			return whole
		}
		if m[1] != "console" {
			return whole
		}
		ran++
		first, _, _ := strings.Cut(m[2], "\n")
		return fmt.Sprintf("```console\n%s\n%s```", first, shownBy(t, dir, strings.TrimPrefix(first, "$ ")))
	})
	if ran < 2 {
		t.Errorf("only %d commands", ran)
	}
	if now == text {
		return
	}
	if *update {
		writeFile(t, path, now)
		return
	}
	t.Errorf("%s does not show what its commands print; go test ./cmd/dspi -run TestLanguage -update rewrites it to:\n%s", path, now)
}
