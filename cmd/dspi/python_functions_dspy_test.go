//go:build dspy

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDSPyScripts runs the scripts of testdata/python: programs with functions in
// Python behind tools, metrics, data sets, retrievers and embedders.
func TestDSPyScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/python",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DSPI_PYTHON", os.Getenv("DSPI_PYTHON"))
			env.Setenv("GORACE", noPause)
			env.Setenv("DSPI_CACHE", "off")
			env.Setenv("DSPI_HISTORY", "off")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status": status,
		},
	})
}

// TestDSPyGuide runs docs/guides/python.md: a fence `KIND file NAME` is written to that
// file, a console block holds a command and what it prints: standard output, or, where
// that is empty, standard error; times are 0 there.
func TestDSPyGuide(t *testing.T) {
	page, err := filepath.Abs("../../docs/guides/python.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "DSPI_PYTHON=" + os.Getenv("DSPI_PYTHON"), "DSPI_CACHE=off", "DSPI_HISTORY=off"}
	text, ran := string(data), 0
	took := regexp.MustCompile(`\b\d+ ms`)
	block := regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")
	now := block.ReplaceAllStringFunc(text, func(whole string) string {
		m := block.FindStringSubmatch(whole)
		if _, name, ok := strings.Cut(m[1], " file "); ok {
			writeFile(t, filepath.FromSlash(name), m[2])
			return whole
		}
		if m[1] != "console" {
			return whole
		}
		ran++
		first, _, _ := strings.Cut(m[2], "\n")
		_, out, errs := runWith(t, env, shellWords(t, strings.TrimPrefix(first, "$ dspi "))...)
		if out == "" {
			out = errs
		}
		out = took.ReplaceAllString(out, "0 ms")
		return "```console\n" + first + "\n" + out + "```"
	})
	if ran < 6 {
		t.Errorf("only %d commands", ran)
	}
	if now == text {
		return
	}
	if *update {
		writeFile(t, page, now)
		return
	}
	t.Errorf("%s does not show what its commands print; go test -tags dspy ./cmd/dspi -run TestDSPyGuide -update rewrites it to:\n%s", page, now)
}
