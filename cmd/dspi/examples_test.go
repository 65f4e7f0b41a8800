package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: each example says how it is run, is laid out, checks and plans.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.dsp")
	if err != nil || len(files) < 4 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") || len(commands(string(text))) == 0 {
				t.Error("no comment at the top says how to run it")
			}
			runDspi(t, "check", path).want(t, 0, "1 file, no mistakes\n")
			runDspi(t, "fmt", "--check", path).want(t, 0, "")
			plan := []string{"plan", path}
			if strings.Contains(string(text), "variable openai_key") {
				plan = append(plan, "--var", "openai_key=for-the-plan") // nothing is sent
			}
			if got := runDspi(t, plan...); got.code != 0 {
				t.Errorf("plan: exit status %d\n%s", got.code, got.stderr)
			}
			// The commands in the comment work. `local` is a server that may
			// not be there.
			for _, line := range commands(string(text)) {
				args := words(line)
				for i := range args {
					if strings.HasPrefix(args[i], "examples/") {
						args[i] = "../../" + args[i]
					}
				}
				if strings.Contains(line, "--model local") {
					args = append(args[:len(args)-1], "builtin/incontext")
				}
				if got := runDspi(t, args[1:]...); got.code != 0 || got.stdout == "" {
					t.Errorf("%s: exit status %d\n%s", line, got.code, got.stderr)
				}
			}
		})
	}
}

// commands returns the lines `#   dspi …` of a comment.
func commands(text string) []string {
	var out []string
	s := bufio.NewScanner(strings.NewReader(text))
	for s.Scan() {
		if line, ok := strings.CutPrefix(s.Text(), "#   dspi "); ok {
			out = append(out, "dspi "+line)
		}
	}
	return out
}

// words takes a command line apart as a shell does, quotes and all.
func words(line string) []string {
	var out []string
	var word strings.Builder
	var quote rune
	open := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, open = r, true
		case quote == 0 && r == ' ':
			if open {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if open {
		out = append(out, word.String())
	}
	return out
}

// TestHello: the first program of all.
func TestHello(t *testing.T) {
	got := runDspi(t, "run", "../../examples/hello.dsp", "question=What is 17 * 23?")
	got.want(t, 0, "391\n", "builtin/incontext")
}

// TestTriage: every field of the example has a value of its type.
func TestTriage(t *testing.T) {
	got := runDspi(t, "run", "../../examples/triage.dsp", "message=My card is gone, please block it now!", "--json")
	for _, part := range []string{`"desk":"cards"`, `"sender":null`, `"refund":{"asked":false,"amount":null}`, `"urgency":`, `"calls":1`} {
		if got.code != 0 || !strings.Contains(got.stdout, part) {
			t.Errorf("exit status %d, no %s in %s", got.code, part, got.stdout)
		}
	}
}
