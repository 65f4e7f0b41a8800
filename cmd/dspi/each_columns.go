package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// fixedInputs checks the inputs that are the same for every row.
func fixedInputs(prog *program.Program, given map[string]any) (map[string]any, error) {
	part, sig := *prog, *prog.Signature
	part.Signature, sig.Inputs = &sig, nil
	known := map[string]any{}
	var diags diag.List
	for _, f := range prog.Signature.Inputs {
		if v, ok := given[f.Name]; ok {
			sig.Inputs = append(sig.Inputs, f)
			known[f.Name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := known[name]; !ok {
			diags = append(diags, dspi.UnknownInput(prog, name))
		}
	}
	o, err := dspi.CheckInputs(&part, known)
	diags = append(diags, listOf(err)...)
	return objectMap(o), diags.Err()
}

// checkColumns refuses a table that lacks an input, before anything is sent.
func checkColumns(prog *program.Program, t *table, fixed map[string]any, carry []string) error {
	if t.columns == nil {
		return nil
	}
	var diags diag.List
	for _, f := range prog.Signature.Inputs {
		_, given := fixed[f.Name]
		if given || f.HasDefault || types.Nullable(f.Type) || slices.Contains(t.columns, f.Name) {
			continue
		}
		d := diag.New("E0608", source.Place{}, fmt.Sprintf("%s has no column `%s`", t.name, f.Name)).
			Say("`%s` needs `%s: %s`, and the table has these columns: %s.", prog.Name, f.Name, f.Type, strings.Join(t.columns, ", "))
		if near, ok := diag.Nearest(f.Name, t.columns); ok {
			d.Hint("is `%s` meant? Give the column the input's name in the header line", near)
		}
		diags = append(diags, d.Hint("or give it one value for all rows: %s=…", f.Name))
	}
	if err := diags.Err(); err != nil {
		return err
	}
	for _, name := range carry {
		if !slices.Contains(t.columns, name) {
			return wrong("--carry: %s has no column `%s`", t.name, name).say("Its columns: %s.", strings.Join(t.columns, ", ")).near(name, t.columns)
		}
	}
	return nil
}

// unusedColumns returns the columns that are neither inputs nor carried.
func unusedColumns(sig *program.Signature, all []string, fixed map[string]any, carry []string) []string {
	var out []string
	for _, name := range all {
		_, input := sig.Input(name)
		_, given := fixed[name]
		switch {
		case slices.Contains(carry, name):
		case given:
			out = append(out, givenForAll(name))
		case !input:
			out = append(out, name)
		}
	}
	return out
}

func givenForAll(name string) string { return name + " (given for all rows)" }

// columns collects names of columns, in the order in which they were seen.
type columns struct {
	mu   sync.Mutex
	seen []string
}

func (c *columns) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) < 1000 && !slices.Contains(c.seen, name) {
		c.seen = append(c.seen, name)
	}
}

func (c *columns) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.Clone(c.seen)
	slices.SortFunc(out, cmp.Compare[string])
	return out
}
