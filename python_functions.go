package dspi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// pythonToolTimeout is the longest that Python may have the call of a tool, or a
// search, to itself, unless the declaration says otherwise.
const pythonToolTimeout = 30 * time.Second

// function is what a declaration names in Python.
func (r *Runtime) function(p *program.Python, address string, otherwise time.Duration) *python.Function {
	return &python.Function{
		Pool: r.python, Call: p.Call, Folder: python.FolderOf(p.Place), Address: address,
		Timeout: cmp.Or(p.Timeout, otherwise), Place: p.Place,
	}
}

// pythonTool calls the function that is the body of a tool.
func (r *Runtime) pythonTool(ctx context.Context, t *program.Tool, args *value.Object, by *module.Call) (any, error) {
	return r.function(t.Python, t.Address(), pythonToolTimeout).Tool(ctx, by, t.Signature.Inputs, args)
}

// pythonEmbedder is the model `python/module:name`: a function that makes vectors.
func (r *Runtime) pythonEmbedder(p *plan.Retriever) lm.LM {
	at := p.Declared.Embedder.Place
	if m := p.Declared.Embedder.Model; m != nil {
		at = m.ID.Place
	}
	f := &python.Function{Pool: r.python, Call: p.Embedder.ID, Folder: python.FolderOf(at), Address: "model." + p.Embedder.Name, Place: at}
	return f.Embedder()
}

// OpenDataset opens the rows of a data set as the function OpenDatasetWith does, also
// those that a function in Python gives. It reads until the table is closed, or ctx
// ends. The error is a *diag.Diagnostic.
func (r *Runtime) OpenDataset(ctx context.Context, d *program.Dataset, values map[string]any) (*datasets.Table, error) {
	if d.Python == nil {
		return OpenDatasetWith(d, values)
	}
	c, err := choiceOf(d, values)
	if err != nil {
		return nil, err
	}
	rows := r.function(d.Python, d.Address(), 0).Rows(ctx)
	t := datasets.Choose(datasets.From(d.Python.Call, rows.Next, rows.Close), c)
	t.Name = d.Python.Call
	return t, nil
}

// givenByPython says that rows come from a function, which needs a Runtime.
func givenByPython(d *program.Dataset) error {
	return diag.New("E0655", d.Python.Place, "these rows come from Python").
		Say("`%s` is a function in Python, and nothing here runs Python.", d.Python.Call)
}

// rowsFit reports an input that the first row of a function in Python does not have:
// no row is sent for nothing. Of files the checker has said so.
func rowsFit(e *program.Evaluation, t *datasets.Table) error {
	if e.Data.Python == nil || e.Data.Columns != nil {
		return nil
	}
	row, err := t.Peek()
	if err != nil || row.Err != nil {
		return nil // whoever reads it says so
	}
	columns := row.Values.Names()
	for _, in := range e.Program.Signature.Inputs {
		if _, ok := row.Values.Get(in.Name); ok || in.HasDefault || types.Nullable(in.Type) {
			continue
		}
		d := diag.New("E0220", e.Data.Place, "`"+e.Data.Address()+"` has no column `"+in.Name+"`").
			Relate(e.Program.Place, "`%s` takes `%s`", e.Program.Name, in.Name+": "+in.Type.String()).
			Say("Each input of `%s` is a column of the data. Those of the first row: `%s`.", e.Program.Name, strings.Join(columns, "`, `"))
		from := "…"
		if near, ok := diag.Nearest(in.Name, columns); ok {
			from = near
		}
		return d.Hint("to call a column so: columns { %s = %q }", in.Name, from)
	}
	return nil
}

// Columns returns the names of the first row that a function in Python gives, for a
// checker that may ask Python. The error is a *diag.Diagnostic.
func (r *Runtime) Columns(ctx context.Context, p *program.Python) ([]string, error) {
	rows := r.function(p, "dataset", 0).Rows(ctx)
	defer rows.Close()
	row, fault, err := rows.Next()
	switch {
	case err != nil:
		return nil, err
	case fault != nil:
		fault.Primary.Place = p.Place
		return nil, fault
	}
	return row.Names(), nil
}

// CheckPython checks a source with Python at hand: the columns of rows that Python
// gives are known, and all that the files name in Python is looked at. The project
// may be planned when the list has no errors.
func (r *Runtime) CheckPython(ctx context.Context, s *Source) (*program.Project, diag.List) {
	asked := *s
	failed := map[source.Place]*diag.Diagnostic{}
	asked.rows = func(p *program.Python) ([]string, error) {
		columns, err := r.Columns(ctx, p)
		if err != nil && !errors.Is(err, io.EOF) {
			failed[p.Place] = python.CheckFault(err, p.Place)
		}
		return columns, err
	}
	project, found := Check(&asked)
	if ctx.Err() != nil || project == nil {
		return project, found
	}
	looked, ok := python.Check(ctx, r.python, project)
	found = append(found, looked...)
	for _, d := range looked {
		delete(failed, d.Primary.Place) // what is wrong with the function says more
	}
	if ok {
		for _, d := range failed {
			found = append(found, d)
		}
	}
	found.Sort()
	return project, found
}
