//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestApproveOnTerminal: on a terminal a person is asked, and anything but a yes is a
// no.
func TestApproveOnTerminal(t *testing.T) {
	t.Parallel()
	for typed, heard := range map[string]string{
		"y\r": "paid A-17", "YES\r": "paid A-17", "n\r": "a person did not allow this call", "\r": "a person did not allow this call",
		"\x04": "a person did not allow this call",
	} {
		dir := t.TempDir()
		program, replies := filepath.Join(dir, "bank.dsp"), filepath.Join(dir, "replies.jsonl")
		writeFile(t, program, `
tool refund {
  order: string, amount: int -> receipt: string
  outputs { receipt = "paid " + order }
  approve = "always"
}
program desk {
  order: string -> answer: string
  react agent { tools = [tool.refund] }
}
`)
		writeFile(t, replies, `{"reply": "", "finish": "tools", "tool_calls": [{"id": "1", "name": "refund", "arguments": {"order": "A-17", "amount": 900}}]}
{"reply": "", "finish": "tools", "tool_calls": [{"id": "2", "name": "finish", "arguments": {"answer": "so be it"}}]}
`)
		x := startTerminal(t, nil, "run", program, "order=pay back A-17", "--model", "scripted/"+replies)
		x.shows("Allow this call? [y/N]")
		for _, part := range []string{"agent wants to call the tool refund:", `order = "A-17"`, "amount = 900"} {
			if !strings.Contains(x.text(), part) {
				t.Errorf("%q is not asked:\n%s", part, x.text())
			}
		}
		x.keys(typed)
		if code := x.ends(); code != 0 || !strings.Contains(x.text(), "so be it") {
			t.Errorf("%q: exit status %d:\n%s", typed, code, x.text())
		}
		if got := runDspi(t, "show", "--in", program, "--messages"); !strings.Contains(got.stdout, heard) {
			t.Errorf("%q: the model did not hear %q:\n%s", typed, heard, got.stdout)
		}
	}
}

// TestApproveInterrupted: Ctrl-C at the question ends the run, and nobody has
// answered it.
func TestApproveInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, replies := filepath.Join(dir, "bank.dsp"), filepath.Join(dir, "replies.jsonl")
	writeFile(t, program, `
tool refund {
  order: string -> receipt: string
  outputs { receipt = "paid " + order }
  approve = "always"
}
program desk {
  order: string -> answer: string
  react agent { tools = [tool.refund] }
}
`)
	writeFile(t, replies, `{"reply": "", "finish": "tools", "tool_calls": [{"id": "1", "name": "refund", "arguments": {"order": "A-17"}}]}`)
	x := startTerminal(t, nil, "run", program, "order=pay back A-17", "--model", "scripted/"+replies)
	x.shows("Allow this call? [y/N]")
	x.keys("\x03")
	if code := x.ends(); code != exitInterrupted || !strings.Contains(x.text(), "--resume ") {
		t.Errorf("exit status %d:\n%s", code, x.text())
	}
	got := runDspi(t, "run", program, "--resume", "last")
	if got.code != exitPaused || !strings.Contains(got.stderr, "E0635") {
		t.Errorf("exit status %d:\n%s", got.code, got.stderr)
	}
}

// TestApproveInSession: a session asks as well, and goes on whatever is answered.
func TestApproveInSession(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, replies := filepath.Join(dir, "bank.dsp"), filepath.Join(dir, "replies.jsonl")
	writeFile(t, program, `
tool refund {
  order: string -> receipt: string
  outputs { receipt = "paid " + order }
  approve = "always"
}
program desk {
  order: string -> answer: string
  react agent { tools = [tool.refund] }
}
`)
	writeFile(t, replies, `{"reply": "", "finish": "tools", "tool_calls": [{"id": "1", "name": "refund", "arguments": {"order": "A-17"}}]}
{"reply": "", "finish": "tools", "tool_calls": [{"id": "2", "name": "finish", "arguments": {"answer": "so be it"}}]}
`)
	x := startTerminal(t, []string{"XDG_STATE_HOME=" + filepath.Join(dir, "state")}, "repl", program, "--model", "scripted/"+replies)
	x.prompt(sessionPrompt)
	x.enter(":run desk order='pay back A-17'", strings.TrimSpace(allow)+" ")
	x.enter("y", sessionPrompt)
	x.enter(":run desk order='pay back A-17'", strings.TrimSpace(allow)+" ")
	x.keys("\x03") // Ctrl-C leaves the question
	x.prompt(sessionPrompt)
	x.keys("\x04")
	if code := x.ends(); code != 0 || !strings.Contains(x.text(), "so be it") || strings.Contains(x.text(), "E0635") {
		t.Errorf("exit status %d:\n%s", code, x.text())
	}
}
