package python

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// DSPyVersion is the release of DSPy that dspi's prompts follow and its tests run.
const DSPyVersion = "3.3.1"

// pinned are what Setup installs:
// DSPy, what its results depend on, and what dspy.MIPROv2 searches with.
var pinned = []string{"dspy==" + DSPyVersion, "pydantic==2.14.3", "json-repair==0.64.5", "optuna==5.0.0"}

// Found is a Python that runs steps.
type Found struct {
	Path   string        `json:"path"`
	Source string        `json:"source"` // who names it: ".venv", "dspi.hcl", …
	Python string        `json:"python"` // its version
	DSPy   string        `json:"dspy"`
	Took   time.Duration `json:"-"` // to start and import DSPy
	Call   time.Duration `json:"-"` // to call a predictor, without the model
	Memory int64         `json:"memory"`
}

// Examine starts a worker, lets DSPy make and call a module, and says what it found.
// The error is a *diag.Diagnostic, or that of ctx.
func Examine(ctx context.Context, o Options) (*Found, error) {
	o = o.withDefaults()
	python, err := Find(o.Search)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	w, err := startWorker(ctx, &o, python, "")
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, StartFault(err, source.Place{})
	}
	defer w.stop(0)
	f := &Found{Path: python.Path, Source: python.Source, Python: w.hello.Python, DSPy: w.hello.DSPy, Memory: w.hello.RSS, Took: time.Since(start)}
	text := types.String
	class, err := signatureText(source.Place{}, &program.Signature{Inputs: []types.Field{{Name: "question", Type: text}}, Outputs: []types.Field{{Name: "answer", Type: text}}})
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(&programSpec{Kind: "predict", Signature: class, Inputs: []string{"question"}, Outputs: []string{"answer"}, Adapter: prompt.Chat().Name()})
	if err != nil {
		return nil, err
	}
	examined := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return diag.New("E0655", source.Place{}, "").Say("The Python at `%s` starts, and DSPy %s cannot do a call: %s.", f.Path, f.DSPy, strings.TrimSuffix(err.Error(), ".")).
			Hint("take the release that dspi is made for: dspi python setup")
	}
	if err := w.program(ctx, "doctor", data, examiner{}, ""); err != nil {
		return nil, examined(err)
	}
	start = time.Now()
	args := executeArgs{ID: "doctor", Values: jsonText(`{"question":"Does it work?"}`)}
	if _, err := w.call(ctx, "execute_program", "", args, examiner{}, o.Timeout); err != nil {
		return nil, examined(err)
	}
	f.Call = time.Since(start)
	return f, nil
}

// examiner answers as a model would.
type examiner struct{}

func (examiner) ask(context.Context, string, json.RawMessage) (json.RawMessage, error) {
	return json.RawMessage(`{"text":"[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]","finish":"stop"}`), nil
}

func (examiner) partial(json.RawMessage) {}

// Setup makes a virtual environment in a folder with the releases that dspi is made
// for, or installs them into the one that is there. Base is the Python that it is made
// with. Say is told what is done. The error is a *diag.Diagnostic, or that of ctx.
func Setup(ctx context.Context, base, folder string, env []string, say func(string)) (path string, err error) {
	run := func(what string, argv ...string) error {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = env
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		err := cmd.Run()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		d := diag.New("E0655", source.Place{}, "").Say("%s fails: %v.\n\n%s", what, err, quoted(said.String()))
		if strings.Contains(said.String(), "ensurepip") || strings.Contains(said.String(), "No module named venv") {
			d.Hint("Python's venv module is missing; on Debian: apt-get install python3-venv")
		}
		return d
	}
	path = inVenv(folder)
	if _, err := os.Stat(path); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			return "", diag.New("E0655", source.Place{}, "").Say("The folder `%s` cannot be looked into: %v.", folder, err)
		}
		say("making " + folder + " with " + base)
		if err := run("Checking the version of `"+base+"`", base, "-c", `import sys; sys.exit(0 if sys.version_info >= (3, 10) else "DSPy needs Python 3.10 or newer, and this is %d.%d" % sys.version_info[:2])`); err != nil {
			return "", err
		}
		if err := run("Making the virtual environment", base, "-m", "venv", folder); err != nil {
			return "", err
		}
	}
	say("installing " + strings.Join(pinned, ", ") + " into " + folder)
	argv := append([]string{path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, pinned...)
	if err := run("Installing", argv...); err != nil {
		return "", err
	}
	return filepath.Clean(path), nil
}
