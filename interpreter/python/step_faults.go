package python

import (
	"context"
	"errors"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// fault words why Python gave no outputs. What failed on dspi's side, such as the
// model, keeps its own words.
func (s *Step) fault(call *module.Call, h *stepHost, err error) error {
	var (
		d      *diag.Diagnostic
		start  *startError
		spent  *ExhaustedError
		died   *DiedError
		stuck  *StuckError
		remote *RemoteError
	)
	switch {
	case errors.As(err, &d), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		if d != nil && d.Primary.File == nil {
			c := *d
			c.Related = append([]diag.Label{}, d.Related...)
			return c.Relate(s.op.Step.Place, "this runs in Python")
		}
		return err
	case errors.As(err, &start):
		return StartFault(start, s.op.Step.Place)
	case errors.As(err, &spent):
		return diag.New("E0655", s.op.Step.Place, "this runs in Python").
			Say("Python workers died %d times within %s, so none is started any more. What they said last stands in the log.", spent.Restarts+1, spent.Window).
			Hint("see whether Python is in order: dspi python doctor").
			Hint("a step that ends the process (os._exit, a crash of native code, no memory left) must be put right, or run in a process of its own")
	case errors.As(err, &died):
		again := "Whether the step had done its work is not known, so it is not done again."
		if s.idempotent(call) {
			again = "It was done again once, and the worker ended again."
		}
		d := diag.New("E0653", s.op.Step.Place, "Python ended while `"+s.op.Name+"` was at work").
			Say("The Python process that ran %s is gone: %s. %s%s", s.what(call), died.How, again, saidLast(died.Said))
		if !s.idempotent(call) {
			d.Hint("if it does no harm to call it twice, say so: idempotent = true")
		}
		return d.Hint("os._exit, a crash of native code and a lack of memory end a process so")
	case errors.As(err, &stuck):
		d := diag.New("E0654", s.op.Step.Place, "Python does not come back from `"+s.op.Name+"`").
			Say("%s was at work for %s without asking dspi for anything, which is the limit. The worker is replaced.", upperFirst(s.what(call)), stuck.After)
		if s.op.Module == "python" || s.op.Module == "dspy" {
			d.Hint("if it needs the time, allow it: timeout = \"%s\"", 2*stuck.After)
		}
		return d
	case errors.As(err, &remote):
		return s.remote(call, h, remote)
	}
	return diag.New("E0655", s.op.Step.Place, "this runs in Python").Say("%s.", upperFirst(strings.TrimSuffix(err.Error(), ".")))
}

// remote words what the worker says.
func (s *Step) remote(call *module.Call, h *stepHost, e *RemoteError) error {
	at, what := s.op.Step.Place, s.what(call)
	target := call.Text("call", call.Text("class", ""))
	name, attribute, written := strings.Cut(target, ":")
	mark := ":"
	if i := strings.LastIndexByte(target, '.'); !written && i >= 0 { // a class, `dspy.RLM`
		name, attribute, mark = target[:i], target[i+1:], "."
	}
	near := func(d *diag.Diagnostic, wanted string, form func(string) string) *diag.Diagnostic {
		if n, ok := diag.Nearest(wanted, e.Names); ok {
			return d.Hint("did you mean `%s`?", form(n))
		}
		for i, n := range e.Names {
			if i < 5 {
				d.Hint("there is `%s`", form(n))
			}
		}
		return d
	}
	if known := h.told.known(e); known != nil {
		return known
	}
	switch e.Kind {
	case "ended":
		return context.Canceled
	case "no_module":
		d := diag.New("E0651", at, "there is no module `"+name+"`").
			Say("Python finds no module `%s`, neither in `%s` nor in its own: %s.", name, e.Folder, strings.TrimSuffix(e.Message, "."))
		return near(d, name, func(n string) string { return n + mark + attribute })
	case "import":
		d := diag.New("E0651", at, "the module of "+what+" does not import").
			Say("Importing it fails:\n\n%s", quoted(e.Traceback))
		if e.Missing != "" {
			d.Hint("install what is missing into the Python that dspi takes: python -m pip install %s", e.Missing)
		}
		return d.Hint("which Python that is: dspi python doctor")
	case "no_attribute":
		return near(diag.New("E0651", at, e.Message).Say("The module was imported, and has no `%s` in it.", attribute), attribute, func(n string) string { return name + mark + n })
	case "not_callable":
		return diag.New("E0651", at, what+" cannot be called").Say("%s.", upperFirst(e.Message)).
			Hint("a step calls a function, a class that needs no arguments, or a `dspy.Module`")
	case "construct":
		d := diag.New("E0651", at, what+" cannot be made").
			Say("It is a class, and making an object of it fails:\n\n%s", quoted(e.Traceback))
		if s.op.Module == "dspy" {
			return d.Hint("what it is made with beside the signature stands in the step: arguments = {…}")
		}
		return d.Hint("make the object in the module, as in `ranker = Ranker(…)`, and call that")
	case "parameters":
		if s.op.Module == "dspy" {
			return diag.New("E0651", at, "an argument that "+what+" does not take").
				Say("%s.", upperFirst(e.Message)).Hint("it takes: %s", strings.Join(e.Names, ", "))
		}
		if s.op.Step.Measures != nil {
			return diag.New("E0651", at, what+" is called otherwise than it can be").
				Say("%s.", upperFirst(strings.TrimSuffix(e.Message, "."))).
				Hint("a metric is called with the row and the outputs: metric(example, prediction)")
		}
		return diag.New("E0651", at, what+" takes other inputs").
			Say("The step gives it `%s`, and %s.", strings.Join(names(call.Signature.Inputs), "`, `"), strings.TrimSuffix(e.Message, ".")).
			Hint("give the inputs of the signature the names of its parameters")
	case "outputs":
		if s.op.Step.Measures != nil {
			return diag.New("E0652", at, what+" gives no score").Say("%s.", upperFirst(strings.TrimSuffix(e.Message, "."))).
				Hint("return a number, true or false, or a dspy.Prediction with `score` and `feedback`")
		}
		returned := ""
		if len(e.Names) > 0 {
			returned = " What it returned has: " + strings.Join(e.Names, ", ") + "."
		}
		d := diag.New("E0652", at, what+" gives other outputs").
			Say("The signature asks for `%s`; %s.%s", strings.Join(names(call.Signature.Outputs), "`, `"), strings.TrimSuffix(e.Message, "."), returned)
		return d.Hint("return a dspy.Prediction or a dict with these names; one output alone may be the value itself")
	case "unfit":
		return diag.New("E0652", at, "a value does not go between dspi and Python").Say("%s.", upperFirst(strings.TrimSuffix(e.Message, ".")))
	case "too_large":
		return diag.New("E0652", at, "more than a message holds").Say("What `%s` hands over is too large: %s.", s.op.Name, e.Message).
			Hint("hand over a path or an address in place of the data")
	case "parse":
		file := source.NewFile("reply to "+s.op.Address, e.Reply+"\n")
		first, _, _ := strings.Cut(e.Reply, "\n")
		d := diag.New("E0601", file.Place(source.Span{Start: 0, End: int32(max(1, len(first)))}), "DSPy cannot read this")
		d.Relate(at, "asked by %s", s.op.Address)
		return d.Say("%s", e.Message)
	case "raised":
		if none, ok := gaveUp(e); ok && codes(s.op.Module) {
			return none
		}
		return diag.New("E0650", at, what+" raised an error").Say("%s", quoted(e.Traceback)).
			Hint("the frames are those of the code that the step calls; the innermost is the last")
	}
	return diag.New("E0650", at, what+" failed in Python").Say("%s: %s", e.Kind, e.Message)
}

// StartFault words why a worker does not start; at is what needs it, and may be the
// zero place.
func StartFault(err error, at source.Place) *diag.Diagnostic {
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return d
	}
	var start *startError
	if !errors.As(err, &start) {
		return diag.New("E0655", at, "this runs in Python").Say("%s.", upperFirst(err.Error()))
	}
	p := start.python
	setup := "make one that has all it needs: dspi python setup"
	var remote *RemoteError
	if errors.As(err, &remote) {
		switch remote.Kind {
		case "no_dspy":
			return diag.New("E0644", at, "this needs DSPy").
				Say("The Python at `%s`, from %s, cannot import DSPy: %s.", p.Path, p.Source, remote.Message).
				Hint("%s", setup).
				Hint("or install it there: %s -m pip install dspy", p.Path).
				Hint("or name another Python: python { interpreter = … } in dspi.hcl")
		case "python_version":
			return diag.New("E0655", at, "this needs Python").
				Say("The Python at `%s`, from %s, is version %s. DSPy needs 3.10 or newer.", p.Path, p.Source, remote.Message).
				Hint("name a newer one: python { interpreter = … } in dspi.hcl").
				Hint("%s --python python3.12", setup)
		case "dspy_version":
			return diag.New("E0655", at, "this needs DSPy").
				Say("The Python at `%s`, from %s, has DSPy %s, which is too old.", p.Path, p.Source, remote.Message).
				Hint("renew it: %s -m pip install --upgrade dspy", p.Path)
		case "dspy_broken":
			return diag.New("E0655", at, "this needs DSPy").
				Say("The Python at `%s`, from %s, has DSPy, and importing it fails: %s.", p.Path, p.Source, remote.Message).
				Hint("%s", setup)
		}
		return diag.New("E0655", at, "this runs in Python").Say("The worker does not start: %s\n\n%s", remote.Kind, quoted(remote.Message))
	}
	return diag.New("E0655", at, "this runs in Python").
		Say("The Python at `%s`, from %s, does not start as a worker: %s.%s", p.Path, p.Source, start.err, saidLast(start.said)).
		Hint("see what is wrong: dspi python doctor")
}

func saidLast(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return " It said last:\n\n" + quoted(text)
}

func upperFirst(s string) string {
	if strings.HasPrefix(s, "`") {
		return s
	}
	return upper(s)
}
