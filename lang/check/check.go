// Package check turns syntax trees into a checked program.Project, or says
// everything that is wrong with them.
//
// It works in passes over the files of a project, each of which leaves what it
// found for the next:
//
//	faults.go      what the parser did not understand, as diagnostics
//	declare.go     every declaration of every file gets its place in a table
//	types.go       type expressions become types
//	signatures.go  fields and arrows become signatures
//	settings.go    attributes become settings, against the universe's table
//	variables.go   variables, their defaults and choices; computed ones in computed.go
//	models.go      models: provider, key, limits, price
//	steps.go       programs: steps, bindings, outputs
//	order.go       what waits for what; rings
//	tools.go       tools, retrievers, data sets: what programs and tuning use
//	metrics.go     metrics, by themselves and at each use
//	python.go      functions in Python behind tools, metrics, data sets, retrievers
//	evaluations.go, optimizers.go, constraints.go, tests.go
//
// A Session (session.go) keeps what it found out about files that have not changed;
// recheck.go looks at one program alone, when nothing else has.
//
// The checker asks and does not import: built-in names come as a
// universe.Universe, imported files through Options.Import. It opens no file.
//
// One cause makes one message. What could not be understood has the type
// types.Invalid, which fits everything, so that what only failed because of it
// stays quiet. The words of the messages stand together in messages.go.
package check

import (
	"fmt"
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Options are what the checker is told by its host.
type Options struct {
	Universe *universe.Universe
	// Import returns the tree of an imported file: the same tree each time
	// for the same file. A nil Import refuses every import.
	Import func(from *source.File, path string) (*syntax.File, error)
	// Columns returns the names of the columns of a file of rows that from
	// names by path. The error of an absent file is fs.ErrNotExist; any other
	// is shown to people. A nil Columns leaves columns unchecked.
	Columns func(from *source.File, path string) ([]string, error)
	// Passages returns what is known of each passage of a retriever's file, with
	// types: its columns. Errors are as those of Columns, and leave them unchecked.
	Passages func(from *source.File, path string) ([]types.Field, error)
	// Texts is Passages for a folder of texts, whose files match a pattern; "" for the
	// usual one. A nil Texts leaves the facts of texts unchecked.
	Texts func(from *source.File, folder, pattern string) ([]types.Field, error)
	// Rows returns the names of the columns of rows that a function in Python gives:
	// those of the first row. An error leaves them unchecked; whoever runs Python says
	// why. A nil Rows, too: an editor starts no Python.
	Rows func(*program.Python) ([]string, error)
	// Facts has the session keep what it found out about expressions (Session.Facts).
	Facts bool
	// Python lets Python's spellings of types stand (`str`, `List[int]`): for
	// signatures given on the command line.
	Python bool
}

// Check checks the file at the root of a project and all it imports. The project
// holds what could be understood; it may be run when the list has no errors.
func Check(root *syntax.File, opt Options) (*program.Project, diag.List) {
	return NewSession(opt).Check(root)
}

// Check checks the file at the root of the session's project and all it imports,
// as the function Check does.
func (s *Session) Check(root *syntax.File) (*program.Project, diag.List) {
	c := &checker{
		opt: s.opt, u: s.opt.Universe,
		kept: s.kept, next: map[*syntax.File]*keptFile{},
		files:   map[*syntax.File]*fileScope{},
		owners:  map[string]*decl{},
		project: &program.Project{Root: root.Source},
	}
	defer c.forget()
	c.declareFile(root, "")
	for _, fs := range c.order {
		c.reportFaults(fs.file)
	}
	for _, fs := range c.order {
		c.resolveTypes(fs)
	}
	for _, fs := range c.order {
		c.checkVariables(fs)
	}
	c.checkComputed()
	for _, fs := range c.order {
		c.declareModels(fs)
	}
	for _, fs := range c.order {
		c.checkModels(fs)
	}
	c.checkRouteRings()
	for _, fs := range c.order {
		c.declarePrograms(fs)
		c.declareAround(fs)
	}
	for _, fs := range c.order {
		c.checkAround(fs)
	}
	for _, fs := range c.order {
		c.checkPrograms(fs)
	}
	last := &checkedRoot{checker: c, root: root, early: slices.Clone(c.diags)}
	c.checkUses()
	c.keep()
	c.inFileOrder()
	c.checkDefaultModel()
	c.checkRings()
	last.late = slices.Clone(c.diags[len(last.early):])
	c.diags.Sort()
	s.kept, s.last = c.next, last
	s.keepFacts(c)
	return c.project, c.diags
}

type checker struct {
	opt     Options
	u       *universe.Universe
	kept    map[*syntax.File]*keptFile // of the check before
	next    map[*syntax.File]*keptFile // for the check after
	files   map[*syntax.File]*fileScope
	order   []*fileScope     // those that are checked anew, the root first
	owners  map[string]*decl // "program rag.answer" → who declared it first
	project *program.Project
	bodies  []*body // the programs, in order

	stepOwners   *stepOwners                // see hiddenNames
	moduleBlocks map[string]*universe.Block // see moduleBlock
	quiet        map[source.Place]bool      // see reportHeaders
	headless     map[source.Place]bool      // see enclosed
	diags        diag.List

	computations map[*decl]*computation           // see computed.go
	facts        map[*source.File][]Fact          // see note
	metricUses   map[metricUse]*program.MetricUse // see useMetric
}

// report adds a message.
func (c *checker) report(d *diag.Diagnostic) *diag.Diagnostic {
	if c.quiet != nil && c.isQuiet(d.Primary.Place) {
		return d
	}
	c.diags = append(c.diags, d)
	return d
}

// add adds the messages of another package.
func (c *checker) add(l diag.List) { c.diags = append(c.diags, l...) }

// parseExpr parses an expression and reports what is wrong with it. It returns
// nil when the expression cannot be read.
func (c *checker) parseExpr(fs *fileScope, e *syntax.Expr) *expr.Expr {
	if e == nil || e.Broken {
		return nil // the parser has said what is missing or wrong
	}
	x, diags := expr.Parse(fs.file.Source, e)
	c.add(diags)
	if diags.HasErrors() {
		return nil
	}
	return x
}

func code(s string) string { return "`" + s + "`" }

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
