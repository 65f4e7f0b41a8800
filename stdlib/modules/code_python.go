package modules

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/sandbox"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// pythonCode runs Python in a confined process.
type pythonCode struct {
	options sandbox.Options
	session *sandbox.Session  // nil before the first piece of code
	kept    map[string]string // variables of each piece; nil: none, or the session has them
}

// openPython finds a Python and checks that it can be confined here, before a model
// is asked. The process is started with the first piece of code.
func openPython(ctx context.Context, call *module.Call, l codeLimits) (runner, error) {
	found, err := python.Find(python.Search{Getenv: os.Getenv})
	if err != nil {
		return nil, err
	}
	p := &pythonCode{options: sandbox.Options{
		Python: found.Path, Way: sandbox.Way(call.Text("sandbox", "auto")), Limits: sandbox.Limits{Time: l.time, Memory: l.memory},
		Functions: map[string]sandbox.Function{},
	}}
	for i, t := range call.Tools {
		p.options.Functions[t.Name()] = func(ctx context.Context, args []any, named *value.Object) (any, error) {
			v, err := callFromCode(ctx, call, i, args, named)
			if err != nil && module.Ends(ctx, err) {
				err = &sandbox.Stop{Err: err}
			}
			return v, err
		}
	}
	return p, pythonFault(sandbox.Check(ctx, p.options))
}

// pythonFault words a Python that cannot be started.
func pythonFault(err error) error {
	if e, ok := errors.AsType[*sandbox.PythonError](err); ok {
		return diag.New("E0644", source.Place{}, e.Path+" cannot be used").Say("The Python that runs the code cannot be used: %s.", e.Why).
			Hint("name another: DSPI_PYTHON=.venv/bin/python")
	}
	return err
}

func (p *pythonCode) run(ctx context.Context, code string) (*ran, error) {
	if p.session == nil {
		s, err := sandbox.Open(ctx, p.options)
		if err != nil {
			return nil, pythonFault(err)
		}
		p.session = s
	}
	if p.kept != nil {
		p.session.Keep(p.kept)
		p.kept = nil
	}
	out, err := p.session.Run(ctx, code)
	if e, ok := errors.AsType[*sandbox.Error](err); ok {
		return &ran{text: e.Printed, fault: e.Message}, nil
	}
	if err != nil {
		return nil, err
	}
	return &ran{text: out.Value, final: out.Submitted}, nil
}

func (p *pythonCode) close() {
	if p.session != nil {
		p.session.Close()
	}
}

var (
	dspyFence  = regexp.MustCompile("(?s)```python[ \n](.*?)[ \n]```?")
	dspyAssign = regexp.MustCompile(`^([\pL\pN_]+)\s*=`)
)

// pythonOf is the code in what a model wrote as code, as DSPy takes it out; fault
// says what is wrong with it.
func pythonOf(text string) (code, fault string) {
	text, _, _ = strings.Cut(text, "---")
	text, _, _ = strings.Cut(text, "\n\n\n")
	block := text
	if m := dspyFence.FindStringSubmatch(text); m != nil {
		block = m[1]
	}
	if block == "" {
		return text, "Error: Empty code after parsing."
	}
	if !strings.Contains(block, "\n") && strings.Count(block, "=") > 1 {
		return text, "Error: Code format is not correct."
	}
	lines := strings.Split(block, "\n")
	if m := dspyAssign.FindStringSubmatch(strings.TrimSpace(lines[len(lines)-1])); m != nil && len(lines) > 1 {
		block += "\n" + m[1]
	}
	return block, ""
}
