// Package corpus reads passages from files.
//
//	Corpus   files of rows or texts, and how passages are made of them
//	File     a file that belongs to a corpus, with what tells whether it changed
//	Fault    what is wrong with a file, and where
//
// The ending of a file tells what it is. Rows are in rows.go (JSON Lines, JSON, CSV),
// texts in texts.go (Markdown, plain text, and those of the packages html and pdf), how
// long texts are parted in split.go, and patterns of file names in pattern.go.
// Everything is read as a stream: no more than one row or one text is in memory.
package corpus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// Defaults of a Corpus.
const (
	DefaultPattern   = "**/*.{md,txt,html,htm,pdf}"
	DefaultText      = "text"
	DefaultID        = "id"
	DefaultMaxLength = 2000 // characters, of the texts of a folder
)

// Corpus is passages in files. Exactly one of File and Folder is set.
type Corpus struct {
	File    string // a file of rows or a text, or a pattern of such: data/*.jsonl
	Folder  string // a folder of texts
	Name    string // the file or folder as the user wrote it, for messages
	Pattern string // which files of the folder; "" for DefaultPattern

	Text  string // the column that is searched; "" for DefaultText
	ID    string // the column that names a passage; "" for DefaultID where there is one, else the row's number
	Title string // the column of titles; "" for none

	// MaxLength is the longest passage in characters; 0 is DefaultMaxLength for texts,
	// and no limit for the rows of a file.
	MaxLength int
	// Overlap is what two parts of a text share, in characters; nil for a tenth of
	// MaxLength.
	Overlap *int

	most int // files that are looked for; 0: all
}

// overlap returns what two parts of a text share where a passage has max characters.
func (c *Corpus) overlap(max int) int {
	if c.Overlap != nil {
		return *c.Overlap
	}
	return max / 10
}

// File is a file of a corpus.
type File struct {
	Path     string // as it is opened
	Name     string // its path in the folder with slashes, or what the user wrote; for ids and messages
	Size     int64
	Modified time.Time
}

// Fault is what is wrong with a corpus. Its text names the file and the line.
type Fault struct {
	Text string
	Hint string
	Err  error
}

// Error returns the text.
func (f *Fault) Error() string { return f.Text }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

func fault(format string, args ...any) *Fault { return &Fault{Text: fmt.Sprintf(format, args...)} }

func (f *Fault) hint(format string, args ...any) *Fault {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// notUTF8 says where there are bytes that are no characters.
func notUTF8(where string, args ...any) *Fault {
	return fault(where+" is not text in UTF-8", args...).hint("save the file in UTF-8: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW, say")
}

// Files returns the files of the corpus in the order in which they are read. The
// error is a *Fault, or that of ctx.
func (c *Corpus) Files(ctx context.Context) ([]File, error) {
	if c.Folder == "" {
		info, err := os.Stat(c.File)
		if errors.Is(err, fs.ErrNotExist) && isPattern(filepath.Base(c.File)) {
			return c.several(ctx)
		}
		if err != nil {
			return nil, c.absent(c.Name, err)
		}
		if info.IsDir() {
			return nil, fault("%s is a folder", c.Name).hint("name it with `folder`, or a file of rows with `file`")
		}
		if !info.Mode().IsRegular() {
			return nil, fault("%s is no regular file, and a corpus is read more than once", c.Name)
		}
		return []File{{c.File, c.Name, info.Size(), info.ModTime()}}, nil
	}
	pattern := c.Pattern
	if pattern == "" {
		pattern = DefaultPattern
	}
	if info, err := os.Stat(c.Folder); err != nil {
		return nil, c.absent(c.Name, err)
	} else if !info.IsDir() {
		return nil, fault("%s is a file", c.Name).hint("name it with `file`, or the folder of texts with `folder`")
	}
	out, err := c.matching(ctx, c.Folder, pattern)
	if err == nil && len(out) == 0 {
		return nil, fault("no file of the folder %s matches %s", c.Name, pattern).hint("say which files are meant: pattern = \"*.md\"")
	}
	return out, err
}

// isPattern reports whether a path stands for several.
func isPattern(path string) bool { return strings.ContainsAny(path, "*?[{") }

// several returns the files that a pattern in place of a file stands for. They are
// called as the user wrote it.
func (c *Corpus) several(ctx context.Context) ([]File, error) {
	folder, pattern := filepath.Dir(c.File), filepath.Base(c.File)
	for isPattern(folder) {
		folder, pattern = filepath.Dir(folder), filepath.Base(folder)+"/"+pattern
	}
	written := strings.TrimSuffix(filepath.ToSlash(c.Name), pattern)
	out, err := c.matching(ctx, folder, pattern)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fault("no file matches %s", c.Name).hint("paths are taken from the folder of the .dsp file")
	}
	for i := range out {
		out[i].Name = written + out[i].Name
	}
	return out, nil
}

// matching returns the files of a folder that match a pattern, by name.
func (c *Corpus) matching(ctx context.Context, folder, pattern string) ([]File, error) {
	match, err := compile(pattern)
	if err != nil {
		return nil, fault("the pattern %s %v", pattern, err)
	}
	root, err := filepath.EvalSymlinks(folder) // a walk does not begin with a link
	if err != nil {
		return nil, c.absent(c.Name, err)
	}
	var out []File
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if end := ctx.Err(); end != nil {
			return end
		}
		if err != nil {
			return c.absent(path, err)
		}
		if path != root && strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		rel, _ := filepath.Rel(root, path)
		name := filepath.ToSlash(rel)
		if e.IsDir() || !match(name) {
			return nil
		}
		info, err := os.Stat(path) // of what a link points at
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			return nil // a folder, or a pipe, which would be waited for
		}
		if err != nil {
			return c.absent(name, err)
		}
		out = append(out, File{path, name, info.Size(), info.ModTime()})
		if len(out) == c.most {
			return filepath.SkipAll
		}
		return nil
	})
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// Read reads the passages of a file, in order. seen is called with all the bytes of
// the file, in their order, as they are read; give with each passage. The error is a
// *Fault, or that of ctx or give.
func (c *Corpus) Read(ctx context.Context, f File, seen func([]byte), give func(retrieve.Passage) error) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return c.absent(f.Name, err)
	}
	defer in.Close()
	r := &watched{ctx: ctx, r: in, seen: seen}
	switch {
	case isRows(f.Name):
		err = c.readRows(r, f, give)
	case c.Folder == "" && !isText(f.Name):
		return fault("the name %s does not tell what the file holds", f.Name).
			hint("a file of rows ends in .jsonl, .json, .csv or .tsv, a text in .md, .txt, .html or .pdf")
	default:
		err = c.readText(r, f, give)
	}
	var p *fs.PathError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &p):
		return c.absent(f.Name, err)
	case err != nil:
		return err
	}
	return r.rest()
}

// absent is the fault of a file that cannot be opened or read.
func (c *Corpus) absent(name string, err error) error {
	var known *Fault
	if errors.As(err, &known) {
		return err
	}
	f := &Fault{Err: err}
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text = "there is no " + name
		f.Hint = "paths are taken from the folder of the .dsp file"
	case errors.As(err, &p):
		f.Text = name + " cannot be read: " + p.Err.Error()
	default:
		f.Text = name + " cannot be read: " + err.Error()
	}
	return f
}
