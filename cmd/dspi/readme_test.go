package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the commands of README.md. A block of a file, whose first line
// is `# NAME`, is written to that file; a console block holds a command and what
// it prints: standard output, or, where that is empty, standard error.
func TestReadme(t *testing.T) {
	const path = "../../README.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if n := strings.Count(text, "\n"); n >= 150 {
		t.Errorf("README.md has %d lines", n)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../../examples")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	block := regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	now := block.ReplaceAllStringFunc(text, func(whole string) string {
		m := block.FindStringSubmatch(whole)
		kind, body := m[1], m[2]
		first, rest, _ := strings.Cut(body, "\n")
		switch kind {
		case "console":
			command := strings.TrimPrefix(first, "$ ")
			if target, ok := strings.CutPrefix(command, "make "); ok {
				checkTarget(t, target)
				return whole
			}
			ran++
			return fmt.Sprintf("```console\n%s\n%s```", first, shownBy(t, dir, command))
		default:
			name, ok := strings.CutPrefix(first, "# ")
			if !ok {
				t.Errorf("a block of %s does not begin with its file's name: %s", kind, first)
				return whole
			}
			if kind == "csv" || kind == "jsonl" {
				body = rest
			}
			writeFile(t, filepath.Join(dir, name), body)
		}
		return whole
	})
	if ran < 4 {
		t.Errorf("only %d commands", ran)
	}
	if now == text {
		return
	}
	if *update {
		writeFile(t, path, now)
		return
	}
	t.Errorf("README.md does not show what its commands print; go test ./cmd/dspi -run TestReadme -update rewrites it to:\n%s", now)
}

// shownBy runs a command of dspi and returns what it shows.
func shownBy(t *testing.T, dir, line string) string {
	t.Helper()
	args := words(strings.Replace(line, "go run ./cmd/dspi", "dspi", 1))
	if args[0] != "dspi" {
		t.Fatalf("%q is no command of dspi", line)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := command(ctx, args[1:]...)
	cmd.Dir = dir
	got := finish(t, ctx, cmd)
	if got.stdout != "" {
		return got.stdout
	}
	return got.stderr
}

func checkTarget(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile("../../Makefile")
	if err != nil || !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+`:`).Match(data) {
		t.Errorf("the Makefile has no target %s (%v)", name, err)
	}
}
