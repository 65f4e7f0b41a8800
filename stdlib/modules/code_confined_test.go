//go:build sandbox

package modules_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// TestCodeConfined has the conversations of testdata/code with code that is run in a
// confined Python, in each way.
func TestCodeConfined(t *testing.T) {
	for _, way := range []string{"bubblewrap", "landlock", "auto"} {
		t.Run(way, func(t *testing.T) {
			eachCodeCase(t, func(c *codeCase) module.Module {
				c.call.Settings.Set("sandbox", way)
				m, _ := modules.Lookup(c.module)
				return m
			})
		})
	}
}

const computes = `program t {
  question: string -> answer: int
  program_of_thought solve {
    language  = "python"
    max_iters = 2
    timeout   = "1s"
    memory    = 128
    sandbox   = "bubblewrap"
  }
}`

// TestCodeLimits tells the model which limit its code met, and goes on.
func TestCodeLimits(t *testing.T) {
	for _, c := range []struct{ code, told string }{
		{"while True: pass", "the code takes longer than 1s. Its variables are lost."},
		{"x = 'a' * 10**10", "MemoryError: the code needs more than 128 MB of memory"},
		{"import os\nwhile True: os.fork()", "PermissionError: [1, 'Operation not permitted']"},
		{"open('/etc/passwd').read()", "FileNotFoundError: [2, 'No such file or directory']"},
		{"while True: print('x' * 1000)", "the code prints more than 65536 characters"},
		{"import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/')", "URLError: "},
		{"list(range(10**6))", "the value has more than 65536 characters"},
	} {
		s := stageOf(t, computes)
		out, model, err := coded(t, s, value.NewObject("question", "How much?"),
			said(value.NewObject("reasoning", "r", "generated_code", "```python\n"+c.code+"\n```")),
			said(value.NewObject("reasoning", "r", "generated_code", "SUBMIT({'answer': 4})")),
			said(value.NewObject("reasoning", "r", "answer", 4)))
		if err != nil {
			t.Fatal(err)
		}
		if answer, _ := out.Get("answer"); answer != 4 {
			t.Errorf("%s", value.EncodeJSON(out))
		}
		if text := last(model.Requests()[1]); !strings.Contains(text, "[[ ## error ## ]]\n"+c.told) {
			t.Errorf("%s\n%s", c.code, text)
		}
	}
}

// TestCodeRefused refuses the step before a model is asked, with what is missing.
func TestCodeRefused(t *testing.T) {
	python, err := exec.Command("python3", "-c", "import os, sys; print(os.path.realpath(sys.executable), end='')").Output()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "python") // one that was not confined before
	if err := os.Symlink(string(python), link); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DSPI_PYTHON", link)
	t.Setenv("PATH", t.TempDir())
	model := lmtest.Func(func(context.Context, int, *lm.Request) (*lm.Response, error) {
		return nil, errors.New("nobody asks")
	})
	_, err = ran(t, planned(t, computes), model, nil, value.NewObject("question", "How much?"))
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok || d.Code != "E0637" || !strings.Contains(d.Detail, "bwrap is not installed") {
		t.Errorf("%+v", err)
	}
	if n := len(model.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
}
