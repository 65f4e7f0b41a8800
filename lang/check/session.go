package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Session checks one project again and again, as it is edited. What it found out
// about a file is kept as long as the file's tree, and the trees of all that it
// imports, are the same, so that a check after an edit costs what the edited file
// and those that import it cost.
//
// Only files without errors are kept: what is said of a mistake may name what
// stands in other files. A Session is for one goroutine at a time.
type Session struct {
	opt   Options
	kept  map[*syntax.File]*keptFile
	facts map[*source.File][]Fact
	last  *checkedRoot // see Recheck
}

// keptFile is what a check found out about one file.
type keptFile struct {
	scope     *fileScope
	imports   []importedFile
	diags     diag.List
	bodies    []*body
	programs  []*program.Program
	models    []*program.Model
	variables []*program.Variable
	around    program.Project // what stands around programs
}

// importedFile is an import as it was resolved.
type importedFile struct {
	path string
	tree *syntax.File
}

// NewSession returns a session whose checks are told opt. Its Import must return
// the same tree for a file for as long as the file has not changed.
func NewSession(opt Options) *Session {
	return &Session{opt: opt, kept: map[*syntax.File]*keptFile{}}
}

// reuse takes over what is known of a file, if nothing has changed that it rests
// on. The second result says whether it did.
func (c *checker) reuse(file *syntax.File, prefix string) (*fileScope, bool) {
	found := map[*syntax.File]*keptFile{}
	if !c.unchanged(file, prefix, found) {
		return nil, false
	}
	keys := map[string]bool{}
	for _, k := range found {
		for _, d := range k.scope.own {
			key := string(d.kind) + " " + d.full
			if _, taken := c.owners[key]; taken || keys[key] {
				return nil, false // declared twice now: to be said anew
			}
			keys[key] = true
		}
	}
	for tree, k := range found {
		c.files[tree] = k.scope
		for _, d := range k.scope.own {
			c.owners[string(d.kind)+" "+d.full] = d
		}
		c.diags = append(c.diags, k.diags...)
		c.bodies = append(c.bodies, k.bodies...)
		p := c.project
		p.Files = append(p.Files, tree.Source)
		p.Programs = append(p.Programs, k.programs...)
		p.Models = append(p.Models, k.models...)
		p.Variables = append(p.Variables, k.variables...)
		addAround(p, &k.around)
		c.next[tree] = k
	}
	return c.files[file], true
}

// unchanged collects a file and all it imports, as long as each is kept and each
// import still is the same tree.
func (c *checker) unchanged(file *syntax.File, prefix string, found map[*syntax.File]*keptFile) bool {
	if _, seen := found[file]; seen {
		return true
	}
	k, ok := c.kept[file]
	if !ok || k.scope.prefix != prefix {
		return false
	}
	found[file] = k
	for _, imp := range k.imports {
		tree, err := c.opt.Import(file.Source, imp.path)
		if err != nil || tree != imp.tree {
			return false
		}
		if fs, done := c.files[tree]; done {
			if was, ok := c.kept[tree]; !ok || was.scope != fs {
				return false // it was checked anew
			}
			continue
		}
		was, ok := c.kept[tree]
		if !ok || !c.unchanged(tree, was.scope.prefix, found) {
			return false
		}
	}
	return true
}

// keep notes what was found out about the files that were checked anew.
func (c *checker) keep() {
	by := map[*source.File]*keptFile{}
	for tree, fs := range c.files {
		if _, reused := c.next[tree]; reused {
			continue
		}
		k := &keptFile{scope: fs, imports: fs.imports}
		by[tree.Source] = k
		c.next[tree] = k
	}
	for _, d := range c.diags {
		if k, ok := by[d.Primary.File]; ok {
			k.diags = append(k.diags, d)
		}
	}
	for _, b := range c.bodies {
		if k, ok := by[b.fs.file.Source]; ok {
			k.bodies = append(k.bodies, b)
		}
	}
	for _, p := range c.project.Programs {
		if k, ok := by[p.Place.File]; ok {
			k.programs = append(k.programs, p)
		}
	}
	for _, m := range c.project.Models {
		if k, ok := by[m.Place.File]; ok {
			k.models = append(k.models, m)
		}
	}
	for _, v := range c.project.Variables {
		if k, ok := by[v.Place.File]; ok {
			k.variables = append(k.variables, v)
		}
	}
	c.keepAround(by)
	for tree, k := range c.next {
		if k.diags.HasErrors() || k.scope.outside {
			delete(c.next, tree)
		}
	}
}

// inFileOrder puts the declarations of a project in the order of its files, the
// root's first, and within a file in the order of the text.
func (c *checker) inFileOrder() {
	rank := map[*source.File]int{}
	var visit func(tree *syntax.File)
	p := c.project
	p.Files = nil
	visit = func(tree *syntax.File) {
		if _, seen := rank[tree.Source]; seen {
			return
		}
		rank[tree.Source] = len(rank)
		p.Files = append(p.Files, tree.Source)
		for _, imp := range c.files[tree].imports {
			visit(imp.tree)
		}
	}
	for tree := range c.files {
		if tree.Source == p.Root {
			visit(tree)
		}
	}
	less := func(a, b source.Place) int {
		if d := rank[a.File] - rank[b.File]; d != 0 {
			return d
		}
		return int(a.Start - b.Start)
	}
	slices.SortStableFunc(p.Programs, func(a, b *program.Program) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Models, func(a, b *program.Model) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Variables, func(a, b *program.Variable) int { return less(a.Place, b.Place) })
	sortAround(p, less)
	slices.SortStableFunc(c.bodies, func(a, b *body) int { return less(a.prog.Place, b.prog.Place) })
}
