package main

import (
	"context"
	"path/filepath"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/diag"
)

// checkedPython checks sources with Python at hand: one Runtime for each folder.
type checkedPython struct {
	app      *app
	runtimes map[string]*dspi.Runtime
}

// check checks a source.
func (p *checkedPython) check(ctx context.Context, src *dspi.Source) diag.List {
	name := src.File.Source.Name
	folder := filepath.Dir(name)
	r, ok := p.runtimes[folder]
	if !ok {
		o := dspi.Options{Python: p.app.pythonFor(name)}
		o.Python.Max = 1
		r = dspi.NewRuntime(o)
		p.runtimes[folder] = r
	}
	_, diags := r.CheckPython(ctx, src)
	return diags
}

// pythonFor is the Python of a .dsp file: what its settings say, with what it prints on
// stderr. Mistakes in the settings are said by who reads them for more.
func (a *app) pythonFor(file string) python.Options {
	settings, _ := dspi.LoadSettings(file)
	o := a.pythonOptions(settings, filepath.Dir(file))
	o.Log = a.pythonLine(func() func() { return func() {} })
	return o
}

func (p *checkedPython) close() {
	for _, r := range p.runtimes {
		_ = r.Close()
	}
}
