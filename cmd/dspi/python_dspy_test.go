//go:build dspy

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/lang/diag"
)

// TestDSPyPages runs the examples on the pages of codes that need a Python, with one.
func TestDSPyPages(t *testing.T) {
	for _, code := range []diag.Code{"E0650", "E0651", "E0652", "E0653", "E0654", "E0655", "E0657"} {
		for _, ex := range diag.Examples(code) {
			t.Run(string(code)+"/"+ex.Kind, func(t *testing.T) {
				archive := txtar.Parse([]byte(ex.Text))
				t.Chdir(t.TempDir())
				for _, f := range archive.Files {
					writeFile(t, filepath.FromSlash(f.Name), string(f.Data))
				}
				command, _ := strings.CutPrefix(strings.TrimSpace(string(archive.Comment)), "$ dspi ")
				env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "DSPI_CACHE=off", "DSPI_HISTORY=off"}
				if code != "E0655" || ex.Kind == "right" {
					env = append(env, "DSPI_PYTHON="+os.Getenv("DSPI_PYTHON"))
				}
				status, out, errs := runWith(t, env, shellWords(t, command)...)
				if has := strings.Contains(errs, string(code)); has != (ex.Kind == "show") || (status == exitFine) != (ex.Kind == "right") {
					t.Errorf("$ dspi %s\nexit status %d\n%s%s", command, status, errs, out)
				}
			})
		}
	}
}

func runWith(t *testing.T, env []string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	a := newApp(strings.NewReader(""), &o, &e, env)
	root := newRoot(a)
	root.SetArgs(args)
	status = a.report(root.ExecuteContext(t.Context()))
	return status, o.String(), e.String()
}

// TestDSPyDoctor: what is found is said, in words and in JSON.
func TestDSPyDoctor(t *testing.T) {
	env := []string{"DSPI_PYTHON=" + os.Getenv("DSPI_PYTHON"), "OPENAI_API_KEY=secret"}
	t.Chdir(t.TempDir())
	status, out, errs := runWith(t, env, "python", "doctor")
	if status != exitFine || !strings.Contains(out, "DSPy     3.3.1\n") || !strings.Contains(out, "from DSPI_PYTHON") {
		t.Errorf("exit status %d\n%s%s", status, out, errs)
	}
	status, out, errs = runWith(t, env, "python", "doctor", "--json")
	var found struct {
		DSPy   string `json:"dspy"`
		Memory int64  `json:"memory"`
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || status != exitFine || found.DSPy != "3.3.1" || found.Memory == 0 {
		t.Errorf("exit status %d, %v\n%s%s", status, err, out, errs)
	}
}

// TestDSPyLog: what a step prints stands on stderr with its address, and keys of
// providers do not reach Python.
func TestDSPyLog(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "p.dsp", "program p {\n  n: int -> keys: list[string]\n\n  python call { call = \"code:keys\" }\n}\n")
	writeFile(t, "code.py", "import os\n\n\ndef keys(n):\n    print(\"at work\")\n    return [k for k in os.environ if \"KEY\" in k]\n")
	env := []string{"DSPI_PYTHON=" + os.Getenv("DSPI_PYTHON"), "OPENAI_API_KEY=secret", "ANTHROPIC_API_KEY=secret", "DSPI_CACHE=off", "DSPI_HISTORY=off", "MY_KEY=1"}
	status, out, errs := runWith(t, env, "run", "p.dsp", "n=1")
	if status != exitFine || out != "[\"MY_KEY\"]\n" || !strings.Contains(errs, "program.p.call: at work\n") {
		t.Errorf("exit status %d\n%s%s", status, out, errs)
	}

	// Nor does one that a model is given under another name.
	writeFile(t, "own.dsp", `variable key: string { default = env("MY_KEY"), sensitive = true }

model own { provider = "openai", name = "gpt-4o-mini", api_key = var.key }

program p {
  n: int -> keys: list[string]
  model = model.own

  python call { call = "code:keys" }
}
`)
	status, out, errs = runWith(t, append(env[:len(env)-1], "MY_KEY=own-key-1234", "SAME_KEY=own-key-1234", "OTHER_KEY=other-key-1234"), "run", "own.dsp", "n=1")
	if status != exitFine || out != "[\"OTHER_KEY\"]\n" {
		t.Errorf("exit status %d\n%s%s", status, out, errs)
	}
}
