package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestReference holds docs/reference/commands.md to the commands themselves.
func TestReference(t *testing.T) {
	got := reference(newRoot(newApp(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil)))
	path := filepath.FromSlash("../../docs/reference/commands.md")
	if *update {
		writeFile(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not current: go test ./cmd/dspi -run TestReference -update", path)
	}
}

// TestEveryCommandIsDocumented: help, an example, and what its flags do.
func TestEveryCommandIsDocumented(t *testing.T) {
	root := newRoot(newApp(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, nil))
	for _, c := range root.Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "dspi "+c.Name()) {
			t.Errorf("%s lacks a description or an example", c.Name())
		}
		for line := range strings.Lines(c.Long) {
			if len([]rune(line)) > 84 {
				t.Errorf("%s: a line of its help has %d characters: %s", c.Name(), len([]rune(line)), line)
			}
		}
		for _, f := range allFlags(c) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing", c.Name(), f.Name)
			}
		}
	}
}

// reference writes the page about all commands.
func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nThis page is made from the commands' own help.\n\n")
	b.WriteString("Exit status: 0 all is well, 1 the program failed or has errors, 2 wrong use, 3 it waits for a person, 130 interrupted.\n")
	for _, c := range root.Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		for _, c := range append([]*cobra.Command{c}, c.Commands()...) {
			b.WriteString("\n## " + c.CommandPath() + "\n\n" + strings.TrimSpace(c.Long) + "\n\n")
			b.WriteString("```\n" + c.Parent().CommandPath() + " " + c.Use + "\n```\n\n```sh\n")
			for line := range strings.Lines(c.Example) {
				b.WriteString(strings.TrimPrefix(line, "  "))
			}
			b.WriteString("\n```\n")
			if usages := c.LocalFlags().FlagUsages(); usages != "" {
				b.WriteString("\n```\n" + usages + "```\n")
			}
		}
	}
	b.WriteString("\n## Everywhere\n\n```\n" + root.PersistentFlags().FlagUsages() + "```\n\n")
	b.WriteString("`dspi completion bash|zsh|fish|powershell` prints a script that completes commands, flags,\nfiles, programs, inputs and models.\n")
	return b.String()
}
