package python

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

//go:embed inspect.py
var inspectScript string

// Module is what a DSPy module is: what inspect.py found. Types, values and
// expressions are texts as dspi writes them.
type Module struct {
	DSPy     string    `json:"dspy"`  // its release
	Main     string    `json:"main"`  // the program that the module is
	Class    string    `json:"class"` // the module's class
	Types    []Type    `json:"types"`
	Programs []Program `json:"programs"` // called ones before those that call them
	// Notes say what could not be carried over, or is carried over otherwise.
	Notes []string `json:"notes"`
	// State is the module as DSPy saves it.
	State json.RawMessage `json:"state"`
}

// Type is a record (a pydantic model) or an enum.
type Type struct {
	Kind    string  `json:"kind"` // "record" or "enum"
	Name    string  `json:"name"`
	Fields  []Field `json:"fields"`
	Members []struct {
		Name  string `json:"name"`
		Shown string `json:"shown"`
	} `json:"members"`
}

// Field is a field of a record or signature.
type Field struct {
	Name        string  `json:"name"`
	Type        string  `json:"type"`
	Description string  `json:"description"`
	Default     *string `json:"default"`
}

// Binding gives an input or output its expression.
type Binding struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Program is a module with a forward.
type Program struct {
	Name     string    `json:"name"`
	Inputs   []Field   `json:"inputs"`
	Outputs  []Field   `json:"outputs"`
	Ops      []Op      `json:"ops"`
	Bindings []Binding `json:"bindings"`
	// Single says that the module is a predictor itself: its one step has the
	// program's signature.
	Single bool `json:"single"`
}

// Op is one line of a forward: a call of a module, or a named value.
type Op struct {
	Kind  string `json:"kind"` // "step" or "let"
	Name  string `json:"name"`
	Value string `json:"value"` // of a let

	Module       string            `json:"module"` // predict, chain_of_thought, python, or a program
	IsProgram    bool              `json:"program"`
	Inputs       []Field           `json:"inputs"`
	Outputs      []Field           `json:"outputs"`
	Instructions *string           `json:"instructions"` // nil: DSPy's sentence
	Settings     map[string]string `json:"settings"`
	Args         []Binding         `json:"args"`
	ForEach      string            `json:"for_each"`
	Call         string            `json:"call"` // of a python step: MODULE:ATTRIBUTE
	Comment      string            `json:"comment"`
}

// refusal is what inspect.py says when it cannot describe the object.
type refusal struct {
	Kind    string   `json:"kind"`
	Message string   `json:"message"`
	Name    string   `json:"name"`
	Where   string   `json:"where"`
	Names   []string `json:"names"`
}

// Inspect imports MODULE:ATTRIBUTE in a folder and describes what it is. The
// module's code runs. The error is a *diag.Diagnostic: E0644 when Python has no
// DSPy, E0645 when the module or the attribute is at fault.
func Inspect(ctx context.Context, p *Interpreter, folder, target string, env []string) (*Module, error) {
	name, attribute, ok := strings.Cut(target, ":")
	if !ok || name == "" || attribute == "" {
		return nil, diag.New("E0645", source.Place{}, "`"+target+"` is not MODULE:ATTRIBUTE").
			Say("What is imported is written as in Python's own tools: the module, a colon, and the name of a `dspy.Module` in it.").
			Hint("such as: dspi import dspy rag:program")
	}
	out, said, err := p.run(ctx, folder, inspectScript, env, target)
	if err != nil && len(out) == 0 {
		if d, ok := err.(*diag.Diagnostic); ok {
			return nil, d
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, diag.New("E0645", source.Place{}, "Python ended before it answered").
			Say("`%s` was being imported when Python ended (%v).\n\n%s", target, err, quoted(said))
	}
	return read(p, target, said, out)
}

// Read reads what inspect.py wrote.
func Read(out []byte) (*Module, error) { return read(&Interpreter{}, "", "", out) }

func read(p *Interpreter, target, said string, out []byte) (*Module, error) {
	var answer struct {
		Module
		Error *refusal `json:"error"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(out), &answer); err != nil {
		return nil, diag.New("E0645", source.Place{}, "Python gave no answer").
			Say("`%s` was imported, and what Python said of it cannot be read: %v.\n\n%s", target, err, quoted(said))
	}
	if answer.Error != nil {
		return nil, answer.Error.diagnostic(p, target, said)
	}
	return &answer.Module, nil
}

func (r *refusal) diagnostic(p *Interpreter, target, said string) *diag.Diagnostic {
	name, attribute, _ := strings.Cut(target, ":")
	offer := func(d *diag.Diagnostic) *diag.Diagnostic {
		if near, ok := diag.Nearest(attribute, r.Names); ok {
			return d.Hint("did you mean `%s:%s`?", name, near)
		}
		for _, n := range r.Names {
			d.Hint("there is `%s:%s`", name, n)
		}
		return d
	}
	where := ""
	if r.Where != "" {
		where = " at " + r.Where
	}
	switch r.Kind {
	case "no dspy":
		return diag.New("E0644", source.Place{}, "this Python has no DSPy").
			Say("The Python at `%s`, from %s, cannot import DSPy: %s.", p.Path, p.Source, r.Message).
			Hint("install it there: %s -m pip install dspy", p.Path).
			Hint("or name another Python: DSPI_PYTHON=.venv/bin/python, or `python { interpreter = … }` in dspi.hcl")
	case "no module":
		d := diag.New("E0645", source.Place{}, "there is no module `"+name+"`").
			Say("Python finds no module `%s` from this folder: %s.", name, r.Message)
		if near, ok := diag.Nearest(name, r.Names); ok {
			d.Hint("did you mean `%s:%s`?", near, attribute)
		}
		return d.Hint("the module is looked for in the current folder and in Python's own; a file is written `folder/file.py:%s`", attribute)
	case "no attribute":
		return offer(diag.New("E0645", source.Place{}, "`"+name+"` has no `"+attribute+"`").
			Say("The module `%s` was imported, and has no `%s` in it.", name, attribute))
	case "not a module":
		return offer(diag.New("E0645", source.Place{}, "`"+attribute+"` is no dspy.Module").
			Say("`%s` is of the type `%s`, and a program in DSPy is a `dspy.Module`: an object, or a class that needs no arguments.", attribute, r.Message))
	case "construct":
		return diag.New("E0645", source.Place{}, "`"+attribute+"` cannot be made").
			Say("`%s` is a class, and calling it without arguments fails%s:\n\n%s", attribute, where, quoted(r.Message)).
			Hint("make the object in the module, as in `program = %s(…)`, and import that", attribute)
	case "no forward":
		return diag.New("E0645", source.Place{}, "`"+attribute+"` cannot be called").
			Say("%s. A program in DSPy is a `dspy.Module` with a `forward`.", r.Message).
			Hint("import a part of it: %s:%s.PART", name, attribute)
	case "fault":
		return diag.New("E0645", source.Place{}, "the module cannot be described").
			Say("`%s` was imported, and looking at it failed:\n\n%s", target, quoted(r.Message))
	}
	return diag.New("E0645", source.Place{}, "`"+name+"` does not import").
		Say("Importing `%s` fails%s:\n\n%s\n%s", name, where, quoted(r.Message), quoted(said)).
		Hint("to see the whole of it: %s -c 'import %s'", orPython(p.Path), strings.TrimSuffix(name, ".py"))
}

func orPython(path string) string {
	if path == "" {
		return "python"
	}
	return path
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// quoted indents the last lines of a text.
func quoted(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
	return b.String()
}
