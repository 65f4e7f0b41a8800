package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the commands of README.md.
func TestReadme(t *testing.T) {
	const path = "../../README.md"
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../../examples")); err != nil {
		t.Fatal(err)
	}
	if ran := runPage(t, path, dir); ran < 4 {
		t.Errorf("only %d commands", ran)
	}
	if n := strings.Count(readWhole(t, path), "\n"); n >= 150 {
		t.Errorf("README.md has %d lines", n)
	}
}

// TestGuides runs the commands of the guides and of the cookbook, each page in a folder
// of its own. What needs Python or Go is run elsewhere.
func TestGuides(t *testing.T) {
	elsewhere := []string{"python.md", "extend.md"}
	for _, folder := range []string{"guides", "cookbook"} {
		pages, err := filepath.Glob("../../docs/" + folder + "/*.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pages {
			if slices.Contains(elsewhere, filepath.Base(path)) {
				continue
			}
			t.Run(folder+"/"+filepath.Base(path), func(t *testing.T) {
				if ran := runPage(t, path, t.TempDir()); ran == 0 && filepath.Base(path) != "README.md" {
					t.Error("no command was run")
				}
			})
		}
	}
}

// runPage runs the commands of a page in a folder. A block of a file, whose first line
// is `# NAME`, is written to that file; a console block holds commands, each with what
// it prints: standard output, or, where that is empty, standard error. It returns how
// many commands were run.
func runPage(t *testing.T, path, dir string) int {
	t.Helper()
	text := readWhole(t, path)
	ran := 0
	block := regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	now := block.ReplaceAllStringFunc(text, func(whole string) string {
		m := block.FindStringSubmatch(whole)
		kind, body := m[1], m[2]
		first, rest, _ := strings.Cut(body, "\n")
		switch kind {
		case "console":
			var out strings.Builder
			for line := range strings.Lines(body) {
				command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
				if !ok {
					continue
				}
				if target, ok := strings.CutPrefix(command, "make "); ok {
					checkTarget(t, target)
					return whole
				}
				ran++
				fmt.Fprintf(&out, "$ %s\n%s", command, strings.TrimRight(shownBy(t, dir, command), "\n")+"\n")
			}
			return "```console\n" + out.String() + "```"
		case "text":
			return whole
		default:
			name, ok := strings.CutPrefix(first, "# ")
			if !ok {
				t.Errorf("a block of %s does not begin with its file's name: %s", kind, first)
				return whole
			}
			if kind == "csv" || kind == "jsonl" || kind == "markdown" {
				body = rest
			}
			name = filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			writeFile(t, name, body)
		}
		return whole
	})
	if timeless(now) == timeless(text) {
		return ran
	}
	if *update {
		writeFile(t, path, now)
		return ran
	}
	t.Errorf("%s does not show what its commands print; go test ./cmd/dspi -run 'TestReadme|TestGuides' -update rewrites it to:\n%s", path, now)
	return ran
}

var times = regexp.MustCompile(`\b[\d.]+ (µs|ms|s)\b`)

// timeless takes out of a text how long things took.
func timeless(text string) string { return times.ReplaceAllString(text, "some time") }

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

// readWhole returns the text of a file.
func readWhole(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
