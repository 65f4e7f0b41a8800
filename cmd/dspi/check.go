package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/spf13/cobra"
)

func checkCommand(a *app) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check PATH…",
		Short: "Find mistakes before anything is spent",
		Long: `Checks .dsp files: every name resolves, every value has a type, every input is
bound, every setting exists. Nothing runs and nothing is sent.

A folder stands for the .dsp files in it, a file for itself and what it imports.
Without a path the current folder is checked. The exit status is 1 when there are
errors; warnings alone leave it at 0.

With --python the modules that the files name in Python are imported: that each
function and class is there, takes what it is given and gives what is expected, as
far as its annotations tell. The columns of data sets that come from Python are
known, too.`,
		Example: `  dspi check hello.dsp
  dspi check programs --json
  dspi check rank.dsp --python`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.check(cmd.Context(), args, f) },
	}
	jsonFlag(cmd, &f.json, "print one JSON object with all diagnostics")
	cmd.Flags().BoolVar(&f.python, "python", false, "import what is named in Python, and compare")
	completeFiles(cmd)
	return cmd
}

// checkFlags are the flags of `dspi check`.
type checkFlags struct {
	json   bool
	python bool
}

// check is `dspi check`.
func (a *app) check(ctx context.Context, paths []string, f checkFlags) error {
	files, err := dspFiles(paths)
	missing := listOf(err)
	if err != nil && missing == nil {
		return err
	}
	c := &checking{seen: map[string]bool{}, diags: missing, unreadable: missing != nil}
	if f.python {
		p := &checkedPython{app: a, runtimes: map[string]*dspi.Runtime{}}
		defer p.close()
		c.with = func(src *dspi.Source) diag.List { return p.check(ctx, src) }
	}
	for _, root := range roots(c.load(files)) {
		c.check(root)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	reports := c.reports()
	if f.json {
		if err := a.writeJSON(checked{len(c.seen), reports}); err != nil {
			return err
		}
	} else {
		a.tellReports(reports, sources(c.diags))
		switch s := fmt.Sprintf("%s, %s", plural(len(c.seen), "file"), strings.Replace(diag.Summary(reports), "no errors", "no mistakes", 1)); {
		case len(reports) > 0:
			fmt.Fprintf(a.err, "\n%s\n", diag.Summary(reports))
		default:
			fmt.Fprintln(a.out, s)
		}
	}
	switch {
	case c.unreadable:
		return &exit{code: exitUsage}
	case c.diags.HasErrors():
		return &exit{code: exitFailed}
	}
	return nil
}

// checked is what --json prints.
type checked struct {
	Files       int           `json:"files"`
	Diagnostics []diag.Report `json:"diagnostics"`
}

// checking collects what is found in several projects.
type checking struct {
	diags      diag.List
	seen       map[string]bool              // absolute paths of the files that were checked
	unreadable bool                         // a file is not there, or may not be read
	with       func(*dspi.Source) diag.List // checks a source; nil: dspi.Check
}

// load reads files. What cannot be read is reported and left out.
func (c *checking) load(files []string) []*dspi.Source {
	var out []*dspi.Source
	for _, path := range files {
		src, err := dspi.Load(path)
		if err != nil {
			for _, d := range listOf(err) {
				c.unreadable = c.unreadable || d.Code == "E0619"
				c.diags = append(c.diags, d)
			}
			continue
		}
		out = append(out, src)
	}
	return out
}

// check checks a source, unless it was checked as part of another.
func (c *checking) check(src *dspi.Source) {
	if c.seen[absolute(src.File.Source.Name)] {
		return
	}
	var diags diag.List
	if c.with != nil {
		diags = c.with(src)
	} else {
		_, diags = dspi.Check(src)
	}
	_, settings := dspi.LoadSettings(src.File.Source.Name)
	c.diags = append(append(c.diags, diags...), settings...)
	for _, path := range src.Imports() {
		c.seen[path] = true
	}
}

// reports returns everything that was found, once: a file that two projects
// import is checked in each.
func (c *checking) reports() []diag.Report {
	c.diags.Sort()
	out := []diag.Report{}
	told := map[string]bool{}
	for _, r := range c.diags.Reports() {
		key, err := json.Marshal(r)
		if err == nil && told[string(key)] {
			continue
		}
		told[string(key)] = true
		out = append(out, r)
	}
	return out
}

// roots puts files in the order in which they are to be checked: first those that
// no other imports. The rest is reached from them, unless files import each other
// in a ring.
func roots(files []*dspi.Source) []*dspi.Source {
	imported := map[string]bool{}
	for _, src := range files {
		name := src.File.Source.Name
		for _, item := range src.File.Items {
			if imp, ok := item.(*syntax.Import); ok && imp.Path != nil {
				target := absolute(filepath.Join(filepath.Dir(name), filepath.FromSlash(imp.Path.Value)))
				imported[target] = imported[target] || target != absolute(name)
			}
		}
	}
	rank := map[*dspi.Source]int{}
	for _, src := range files {
		if imported[absolute(src.File.Source.Name)] {
			rank[src] = 1
		}
	}
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b *dspi.Source) int { return cmp.Compare(rank[a], rank[b]) })
	return sorted
}
