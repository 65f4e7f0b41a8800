package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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
// of its own. What needs Python is run elsewhere, and what is Go.
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
				t.Parallel()
				if ran := runPage(t, path, t.TempDir()); ran == 0 && filepath.Base(path) != "README.md" {
					t.Error("no command was run")
				}
			})
		}
	}
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
