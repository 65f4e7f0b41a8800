// Package snapshot holds what a language server knows of a project's files.
//
//	Session   the open files of an editor; each edit makes a new Snapshot
//	Snapshot  the files as they were at one moment; it does not change
//	File      a file with its tree, open in the editor or read from the disk
//	Edit      a change of a file's text, in places as editors count them
//	Checked   what lang/check says of a file and all it imports (check.go)
//	Index     the names of a file: what each declares, and what it uses (index.go)
//
// Nothing here starts Python or asks the network; files are read when they are
// asked for, and again when their size or time has changed.
package snapshot

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/parser"
)

// Options are what a session is told by its host.
type Options struct {
	Universe *universe.Universe
	// Read returns the text of a file of the disk.
	Read func(path string) (string, error)
	// Columns is as in check.Options.
	Columns func(from *source.File, path string) ([]string, error)
	// Passages is as in check.Options.
	Passages func(from *source.File, path string) ([]types.Field, error)
	// Texts is as in check.Options.
	Texts func(from *source.File, folder, pattern string) ([]types.Field, error)
}

// Encoding is how an editor counts the columns of a line.
type Encoding int

const (
	// UTF16 counts UTF-16 units: what every editor can.
	UTF16 Encoding = iota
	// UTF8 counts bytes.
	UTF8
)

// Offset returns the byte of a line and column, both from 0. A place beyond the
// end of a line is the line's end.
func (e Encoding) Offset(f *source.File, line, column int) int32 {
	if e == UTF16 {
		return f.Offset(line, column)
	}
	start, text := f.LineStart(line+1), f.Line(line+1)
	return start + int32(min(max(column, 0), len(text)))
}

// Position returns the line and column of a byte, both from 0.
func (e Encoding) Position(f *source.File, offset int32) (line, column int) {
	if e == UTF16 {
		return f.UTF16(offset)
	}
	offset = min(max(offset, 0), int32(len(f.Text)))
	line = f.LineOf(offset)
	return line - 1, int(offset - f.LineStart(line))
}

// File is a file with its tree.
type File struct {
	Path    string
	Tree    *syntax.File
	Open    bool
	Version int32 // of an open file

	modified time.Time // of a file of the disk
	size     int64
	edits    int // since the text was read as a whole
}

// maxEdits is how many times a tree is made of the one before: each may hold a
// part of its own text.
const maxEdits = 64

// edited returns the file with another text.
func (f *File) edited(version int32, text *source.File) *File {
	next := &File{Path: f.Path, Open: true, Version: version, edits: f.edits + 1}
	if next.edits < maxEdits && !IsConfig(f.Path) {
		next.Tree = parser.Reparse(f.Tree, text)
	} else {
		next.Tree, next.edits = parse(text), 0
	}
	return next
}

// parse reads a text; a file around a program is no program, and has an empty tree.
func parse(text *source.File) *syntax.File {
	if IsConfig(text.Name) {
		return &syntax.File{Source: text}
	}
	return parser.Parse(text)
}

// Source returns the file's text.
func (f *File) Source() *source.File { return f.Tree.Source }

// Edit is a change of a file's text. A whole text has no range.
type Edit struct {
	Whole                                      bool
	StartLine, StartColumn, EndLine, EndColumn int
	Text                                       string
}

// Session is the open files of an editor. It may be used by several goroutines.
type Session struct {
	opt Options

	mu       sync.Mutex
	encoding Encoding
	current  *Snapshot
	checkers map[string]*checker
	disk     map[string]*File // as read last
	data     int64            // how often data may have changed
}

// NewSession returns a session without open files.
func NewSession(opt Options) *Session {
	s := &Session{opt: opt, checkers: map[string]*checker{}, disk: map[string]*File{}}
	s.current = &Snapshot{session: s, seen: map[string]*File{}}
	return s
}

// SetEncoding says how the editor counts columns. It is called before any file is
// opened.
func (s *Session) SetEncoding(e Encoding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoding = e
}

// Snapshot returns the files as they are now.
func (s *Session) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// Open takes a file's text from the editor instead of the disk.
func (s *Session) Open(path string, version int32, text string) {
	s.set(path, &File{Path: path, Open: true, Version: version, Tree: parse(source.NewFile(path, text))})
}

// Close takes a file's text from the disk again.
func (s *Session) Close(path string) { s.set(path, nil) }

// Refresh looks at the disk anew, and returns the files as they are then.
func (s *Session) Refresh() *Snapshot { return s.set("", nil) }

// Reread is Refresh when files of the disk have changed, which may be data too: what
// rests on data is checked anew.
func (s *Session) Reread() *Snapshot {
	s.mu.Lock()
	s.data++
	s.mu.Unlock()
	return s.Refresh()
}

func (s *Session) set(path string, f *File) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := maps.Clone(s.current.open)
	if open == nil {
		open = map[string]*File{}
	}
	if f != nil {
		open[path] = f
	} else {
		delete(open, path)
		delete(s.checkers, path)
	}
	seen := map[string]*File{}
	if was := s.current.open[path]; f != nil && was != nil {
		seen = s.current.seen // an edit of one file: the disk is looked at again when nobody types
	}
	s.current = &Snapshot{session: s, encoding: s.encoding, open: open, folders: s.current.folders, id: s.current.id + 1, data: s.data, seen: seen}
	return s.current
}

// SetFolders says which folders are open in the editor.
func (s *Session) SetFolders(folders []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.current.bare()
	next.folders = slices.Clone(folders)
	s.current = &next
}

// ErrStale is the error of an edit that is older than the text, and ErrClosed that
// of an edit of a file that is not open.
var (
	ErrStale  = errors.New("the edit is older than the text")
	ErrClosed = errors.New("the file is not open")
)

// Change applies edits, one after another, to an open file.
func (s *Session) Change(path string, version int32, edits []Edit) error {
	snap := s.Snapshot()
	f, ok := snap.open[path]
	if !ok {
		return ErrClosed
	}
	if version <= f.Version {
		return ErrStale
	}
	text := f.Source()
	for _, e := range edits {
		text = source.NewFile(path, Apply(text, e, snap.encoding))
	}
	s.set(path, f.edited(version, text))
	return nil
}

// Apply returns the text of a file after an edit.
func Apply(f *source.File, e Edit, enc Encoding) string {
	if e.Whole {
		return e.Text
	}
	a := enc.Offset(f, e.StartLine, e.StartColumn)
	b := max(a, enc.Offset(f, e.EndLine, e.EndColumn))
	return f.Text[:a] + e.Text + f.Text[b:]
}

// Snapshot is the files as they were at one moment.
type Snapshot struct {
	session  *Session
	encoding Encoding
	open     map[string]*File
	folders  []string
	id       int64
	data     int64 // how often data may have changed

	seen map[string]*File // files of the disk, as this snapshot found them; the session's mu guards it
}

func (s *Snapshot) bare() *Snapshot {
	return &Snapshot{session: s.session, encoding: s.encoding, open: s.open, folders: s.folders, id: s.id, data: s.data, seen: map[string]*File{}}
}

// ID is greater for a later snapshot of a session.
func (s *Snapshot) ID() int64 { return s.id }

// Encoding returns how the editor counts columns.
func (s *Snapshot) Encoding() Encoding { return s.encoding }

// Universe returns the built-in names.
func (s *Snapshot) Universe() *universe.Universe { return s.session.opt.Universe }

// Open returns the paths of the open files, in order.
func (s *Snapshot) Open() []string { return slices.Sorted(maps.Keys(s.open)) }

// Folders returns the folders that are open in the editor.
func (s *Snapshot) Folders() []string { return s.folders }

// File returns a file, open or of the disk.
func (s *Snapshot) File(path string) (*File, error) {
	if f, ok := s.open[path]; ok {
		return f, nil
	}
	if !filepath.IsAbs(path) {
		return nil, fs.ErrNotExist // untitled, and not open
	}
	s.session.mu.Lock()
	f, ok := s.seen[path]
	s.session.mu.Unlock()
	if ok {
		return f, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s.session.mu.Lock()
	f, ok = s.seen[path]
	if !ok {
		f, ok = s.session.disk[path]
		ok = ok && f.size == info.Size() && f.modified.Equal(info.ModTime())
		if ok {
			s.seen[path] = f
		}
	}
	s.session.mu.Unlock()
	if ok {
		return f, nil
	}
	text, err := s.session.opt.Read(path)
	if err != nil {
		return nil, err
	}
	f = &File{Path: path, Tree: parse(source.NewFile(path, text)), modified: info.ModTime(), size: info.Size()}
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	if first, ok := s.seen[path]; ok {
		return first, nil
	}
	s.seen[path], s.session.disk[path] = f, f
	return f, nil
}

// Text returns the text of a file that is no program: data, or what was saved.
func (s *Snapshot) Text(path string) (string, error) {
	if f, ok := s.open[path]; ok {
		return f.Source().Text, nil
	}
	return s.session.opt.Read(path)
}

// OnDisk returns the text of a file as it is on the disk, open or not.
func (s *Snapshot) OnDisk(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fs.ErrNotExist
	}
	return s.session.opt.Read(path)
}

// maxFiles is the most files of the folders that are looked at.
const maxFiles = 2000

// Files returns the paths of the .dsp files that are open or stand in the open
// folders, in order; at most 2000.
func (s *Snapshot) Files() []string {
	found := map[string]bool{}
	for path := range s.open {
		if !IsConfig(path) {
			found[path] = true
		}
	}
	for _, folder := range s.folders {
		_ = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // a folder that cannot be read holds nothing for us
			case len(found) >= maxFiles:
				return filepath.SkipAll
			case e.IsDir() && path != folder && (strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules"):
				return filepath.SkipDir
			case !e.IsDir() && IsProgram(path):
				found[path] = true
			}
			return nil
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// Beside returns the paths of the files that are open or stand in the folder of a file,
// in order.
func (s *Snapshot) Beside(path string) []string {
	dir := filepath.Dir(path)
	found := map[string]bool{}
	for other := range s.open {
		if filepath.Dir(other) == dir {
			found[other] = true
		}
	}
	if filepath.IsAbs(path) {
		entries, _ := os.ReadDir(dir) // a folder that cannot be read holds nothing for us
		for _, e := range entries {
			if !e.IsDir() {
				found[filepath.Join(dir, e.Name())] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// IsProgram reports whether a path is that of a file in dspi's language.
func IsProgram(path string) bool {
	return strings.HasSuffix(path, ".dsp") || strings.HasSuffix(path, ".dspi")
}

// IsConfig reports whether a path is that of a file around programs, in HCL.
func IsConfig(path string) bool {
	return strings.HasSuffix(path, ".hcl") || strings.HasSuffix(path, ".dspvars")
}

// With returns the snapshot with another text in one file, as if it were open.
func (s *Snapshot) With(texts map[string]string) *Snapshot {
	next := s.bare()
	next.seen = s.seen
	next.open = maps.Clone(s.open)
	if next.open == nil {
		next.open = map[string]*File{}
	}
	for path, text := range texts {
		src := source.NewFile(path, text)
		if f, err := s.File(path); err == nil {
			next.open[path] = f.edited(f.Version, src)
		} else {
			next.open[path] = &File{Path: path, Open: true, Tree: parse(src)}
		}
	}
	return next
}
