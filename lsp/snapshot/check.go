package snapshot

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// Checked is what the checker says of a file and all it imports. It does not
// change.
type Checked struct {
	File    *File
	Project *program.Project
	Diags   diag.List

	trees map[string]*syntax.File // what was read, by path; nil: it is not there
	facts map[*syntax.File][]check.Fact
	data  int64 // that of the snapshot: how often data may have changed

	mu      sync.Mutex
	indexes map[*syntax.File]*Index
}

// Trees returns the trees of the file and of all it imports, by path.
func (c *Checked) Trees() map[string]*syntax.File {
	out := map[string]*syntax.File{}
	for path, tree := range c.trees {
		if tree != nil {
			out[path] = tree
		}
	}
	return out
}

// Facts returns the expressions of a file, with what names mean in each.
func (c *Checked) Facts(tree *syntax.File) []check.Fact { return c.facts[tree] }

// checker checks one file again and again.
type checker struct {
	mu      sync.Mutex
	session *check.Session
	now     *Snapshot
	trees   map[string]*syntax.File // of the check under way
	last    *Checked
}

// Check checks a file and all it imports. What has not changed since the last
// check is not checked again.
func (s *Snapshot) Check(path string) (*Checked, error) {
	f, err := s.File(path)
	if err != nil {
		return nil, err
	}
	s.session.mu.Lock()
	c := s.session.checkers[path]
	if c == nil {
		c = s.session.newChecker()
		s.session.checkers[path] = c
	}
	s.session.mu.Unlock()
	return c.check(s, f), nil
}

// Try checks a file as it stands in a snapshot that With made. What is known of the
// files that it imports is used, and the next Check is as fast as if nothing had
// been tried.
func (s *Snapshot) Try(path string) (*Checked, error) {
	f, err := s.File(path)
	if err != nil {
		return nil, err
	}
	s.session.mu.Lock()
	c := s.session.checkers[path]
	s.session.mu.Unlock()
	if c == nil {
		c = s.session.newChecker()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.run(s, f), nil
}

// Recheck returns what Check would say of a file, when that can be told from the last
// check and the one program that has changed since: see check.Session.Recheck.
func (s *Snapshot) Recheck(path string) (*check.Rechecked, bool) {
	f, err := s.File(path)
	if err != nil {
		return nil, false
	}
	s.session.mu.Lock()
	c := s.session.checkers[path]
	s.session.mu.Unlock()
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.last.File == f && c.last.current(s) {
		return &check.Rechecked{Project: c.last.Project, Diags: c.last.Diags, Facts: c.last.Facts(f.Tree)}, true
	}
	if c.last != nil && c.last.stale(s) {
		return nil, false
	}
	c.now, c.trees = s, map[string]*syntax.File{}
	defer func() { c.now, c.trees = nil, nil }()
	return c.session.Recheck(f.Tree)
}

// CheckOnce checks a file as Check does, and keeps nothing for the next time: for
// texts that are tried.
func (s *Snapshot) CheckOnce(path string) (*Checked, error) {
	f, err := s.File(path)
	if err != nil {
		return nil, err
	}
	return s.session.newChecker().check(s, f), nil
}

func (s *Session) newChecker() *checker {
	c := &checker{}
	c.session = check.NewSession(check.Options{
		Universe: s.opt.Universe, Columns: s.opt.Columns, Passages: s.opt.Passages, Texts: s.opt.Texts, Facts: true,
		Import: func(from *source.File, path string) (*syntax.File, error) { return c.importFile(from, path) },
	})
	return c
}

func (c *checker) check(s *Snapshot, f *File) *Checked {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.last.File == f && c.last.current(s) {
		return c.last
	}
	c.last = c.run(s, f)
	return c.last
}

func (c *checker) run(s *Snapshot, f *File) *Checked {
	c.now, c.trees = s, map[string]*syntax.File{f.Path: f.Tree}
	project, diags := c.session.Check(f.Tree)
	out := &Checked{
		File: f, Project: project, Diags: diags, trees: c.trees,
		facts: map[*syntax.File][]check.Fact{}, data: s.data, indexes: map[*syntax.File]*Index{},
	}
	for _, tree := range c.trees {
		out.facts[tree] = c.session.Facts(tree)
	}
	c.now, c.trees = nil, nil
	return out
}

// stale reports whether the check read data that may have changed since.
func (c *Checked) stale(s *Snapshot) bool {
	return c.data != s.data && c.Project != nil && len(c.Project.Datasets)+len(c.Project.Retrievers) > 0
}

// current reports whether all that was read is still the same.
func (c *Checked) current(s *Snapshot) bool {
	if c.stale(s) {
		return false
	}
	for path, tree := range c.trees {
		f, err := s.File(path)
		switch {
		case err != nil && tree != nil, err == nil && f.Tree != tree:
			return false
		}
	}
	return true
}

func (c *checker) importFile(from *source.File, path string) (*syntax.File, error) {
	full, err := Resolve(from.Name, path)
	if err != nil {
		return nil, err
	}
	f, err := c.now.File(full)
	if err != nil {
		c.trees[full] = nil
		return nil, errors.New("there is no file " + path)
	}
	c.trees[full] = f.Tree
	return f.Tree, nil
}

// Resolve returns the path of the file that one file imports by path.
func Resolve(from, path string) (string, error) {
	if filepath.IsAbs(path) || strings.Contains(path, "\\") {
		return "", errors.New("an import is relative to the importing file, with `/` between folders")
	}
	return filepath.Join(filepath.Dir(from), filepath.FromSlash(path)), nil
}
