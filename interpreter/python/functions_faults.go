package python

import (
	"context"
	"errors"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// Fault is why a function in Python gave nothing: a diagnostic, the few words of it
// that a model can do something with, and what Python says of where it was.
type Fault struct {
	Diagnostic *diag.Diagnostic
	Words      string // ValueError: no such city
	Traceback  string // "" where Python did not fail
}

// Error returns the words.
func (f *Fault) Error() string { return f.Words }

// Unwrap returns the diagnostic.
func (f *Fault) Unwrap() error { return f.Diagnostic }

// words are what a model, or a line, says of an error.
func (f *Function) words(err error) string {
	var remote *RemoteError
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &remote):
		return remote.Message
	case errors.As(err, &d):
		return d.Title + ": " + d.Primary.Text
	}
	return err.Error()
}

// fault words why the function gave nothing: a *Fault, or what ended the run.
func (f *Function) fault(ctx context.Context, h *stepHost, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var remote *RemoteError
	if errors.As(err, &remote) {
		if known := h.told.known(remote); known != nil {
			return known
		}
	}
	out := &Fault{Diagnostic: f.diagnostic(err), Words: f.words(err)}
	if remote != nil {
		out.Traceback = remote.Traceback
	}
	return out
}

// diagnostic words an error of the function for people.
func (f *Function) diagnostic(err error) *diag.Diagnostic {
	var (
		d      *diag.Diagnostic
		start  *startError
		spent  *ExhaustedError
		died   *DiedError
		stuck  *StuckError
		remote *RemoteError
	)
	at, what := f.Place, "`"+f.Call+"`"
	switch {
	case errors.As(err, &d):
		if d.Primary.Place.IsZero() {
			c := *d
			c.Primary.Place = at
			return &c
		}
		return d
	case errors.As(err, &start):
		return StartFault(start, at)
	case errors.As(err, &spent):
		return diag.New("E0655", at, "this runs in Python").
			Say("Python workers died %d times within %s, so none is started any more. What they said last stands in the log.", spent.Restarts+1, spent.Window).
			Hint("see whether Python is in order: dspi python doctor")
	case errors.As(err, &died):
		return diag.New("E0653", at, "Python ended while "+what+" was at work").
			Say("The Python process that ran %s is gone: %s. Whether it had done its work is not known, so it is not done again.%s", what, died.How, saidLast(died.Said)).
			Hint("os._exit, a crash of native code and a lack of memory end a process so")
	case errors.As(err, &stuck):
		return diag.New("E0654", at, "Python does not come back from "+what).
			Say("%s was at work for %s without asking dspi for anything, which is the limit.", what, stuck.After).
			Hint("if it needs the time, allow it: timeout = \"%s\"", 2*stuck.After)
	case errors.As(err, &remote):
		return f.remote(at, what, remote)
	}
	return diag.New("E0655", at, "this runs in Python").Say("%s.", upperFirst(strings.TrimSuffix(err.Error(), ".")))
}

// remote words what the worker says of the function.
func (f *Function) remote(at source.Place, what string, e *RemoteError) *diag.Diagnostic {
	name, attribute, _ := strings.Cut(f.Call, ":")
	if d := notFound(at, what, name, attribute, e); d != nil {
		return d
	}
	switch e.Kind {
	case "parameters":
		return diag.New("E0651", at, what+" is called otherwise than it can be").
			Say("%s.", upperFirst(strings.TrimSuffix(e.Message, "."))).
			Hint("%s", f.calledWith())
	case "outputs", "unfit":
		return diag.New("E0652", at, what+" gives something else").Say("%s.", upperFirst(strings.TrimSuffix(e.Message, ".")))
	case "too_large":
		return diag.New("E0652", at, "more than a message holds").Say("What %s hands over is too large: %s.", what, e.Message)
	case "raised":
		return diag.New("E0650", at, what+" raised an error").Say("%s", quoted(e.Traceback)).
			Hint("the frames are those of the code that is called; the innermost is the last")
	}
	return diag.New("E0650", at, what+" failed in Python").Say("%s: %s", e.Kind, e.Message)
}

// calledWith says how the function is called.
func (f *Function) calledWith() string {
	switch kind, _, _ := strings.Cut(f.Address, "."); kind {
	case "tool":
		return "a tool's function takes the inputs of the tool by name"
	case "retriever":
		return "a retriever is called with a query and, where it takes one, `k`: find(query, k)"
	case "dataset":
		return "a function that gives rows is called without arguments"
	}
	return "a function that makes vectors is called with a list of texts"
}

// notFound words that a target cannot be had; nil for any other error.
func notFound(at source.Place, what, name, attribute string, e *RemoteError) *diag.Diagnostic {
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
	switch e.Kind {
	case "no_module":
		d := diag.New("E0651", at, "there is no module `"+name+"`").
			Say("Python finds no module `%s`, neither in `%s` nor in its own: %s.", name, e.Folder, strings.TrimSuffix(e.Message, "."))
		return near(d, name, func(n string) string { return n + ":" + attribute })
	case "import":
		d := diag.New("E0651", at, "the module of "+what+" does not import").Say("Importing it fails:\n\n%s", quoted(e.Traceback))
		if e.Missing != "" {
			d.Hint("install what is missing into the Python that dspi takes: python -m pip install %s", e.Missing)
		}
		return d.Hint("which Python that is: dspi python doctor")
	case "no_attribute":
		d := diag.New("E0651", at, e.Message).Say("The module was imported, and has no `%s` in it.", attribute)
		return near(d, attribute, func(n string) string { return name + ":" + n })
	case "not_callable":
		return diag.New("E0651", at, what+" cannot be called").Say("%s.", upperFirst(strings.TrimSuffix(e.Message, ".")))
	case "construct":
		return diag.New("E0651", at, what+" cannot be made").
			Say("It is a class, and making an object of it fails:\n\n%s", quoted(e.Traceback)).
			Hint("make the object in the module, as in `%s = %s(…)`, and call that", strings.ToLower(attribute), attribute)
	}
	return nil
}
