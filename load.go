package dspi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// MaxFileSize is the largest file that is read, in bytes.
const MaxFileSize = 16 << 20

// Source is a .dsp text that was read: the root of a project.
type Source struct {
	File   *syntax.File
	loader *loader
	python bool                                    // Python's spellings of types are legal
	rows   func(*program.Python) ([]string, error) // see check.Options

	extension *Extension
}

// Load reads a .dsp file. The error is a *diag.Diagnostic: the file is missing,
// a folder, too large, or not text. What is wrong in the text itself is said by
// Check.
func Load(path string) (*Source, error) {
	l := &loader{files: map[string]*syntax.File{}}
	f, err := l.load(path, path)
	if err != nil {
		return nil, err
	}
	return &Source{File: f, loader: l}, nil
}

// Parse takes a .dsp text from memory. Its imports are looked for beside name.
func Parse(name, text string) *Source {
	l := &loader{files: map[string]*syntax.File{}}
	f := parser.Parse(newFile(name, text))
	if abs, err := filepath.Abs(name); err == nil {
		l.files[abs] = f
	}
	return &Source{File: f, loader: l}
}

// Signature makes a program of a signature alone, as `dspi run -s` takes it:
// `question, context: list[str] -> answer: float`. Python's spellings of types
// are legal in it. The program is called `signature` and has one step, `predict`.
func Signature(text string) *Source {
	src := source.NewFile("signature", text)
	items, comments, faults := parser.ParseSignature(src)
	n := int32(len(text))
	whole := source.Span{Start: 0, End: n}
	end := source.Span{Start: max(n-1, 0), End: n}
	block := &syntax.Block{
		Span:   whole,
		Kind:   []syntax.Ident{{Name: "program", Span: whole}},
		Labels: []syntax.Label{{Ident: syntax.Ident{Name: "signature", Span: whole}}},
		Body:   &syntax.Body{Items: items, Open: source.Span{Start: 0, End: min(n, 1)}, Close: end},
	}
	f := &syntax.File{Source: src, Items: []syntax.Item{block}, Comments: comments, Faults: faults}
	return &Source{File: f, loader: &loader{files: map[string]*syntax.File{}}, python: true}
}

// Check checks a source and all it imports. The project may be planned when the
// list has no errors.
func Check(s *Source) (*program.Project, diag.List) {
	u, err := s.extension.universe()
	if err != nil { // Extend has said so
		u = stdlib.Universe()
	}
	return check.Check(s.File, check.Options{
		Universe: u, Import: s.loader.importFile, Columns: Columns, Passages: PassageColumns, Texts: FolderColumns, Rows: s.rows, Python: s.python,
	})
}

// Imports returns the paths of the files that were read for a checked source,
// itself included, cleaned and absolute.
func (s *Source) Imports() []string {
	var out []string
	for p := range s.loader.files {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// loader reads each file once.
type loader struct{ files map[string]*syntax.File }

// load reads the file at path, which messages call name.
func (l *loader) load(path, name string) (*syntax.File, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fileFault(name, err)
	}
	if f, ok := l.files[abs]; ok {
		return f, nil
	}
	text, err := ReadText(path, name)
	if err != nil {
		return nil, err
	}
	f := parser.Parse(newFile(name, text))
	l.files[abs] = f
	return f, nil
}

func (l *loader) importFile(from *source.File, path string) (*syntax.File, error) {
	if filepath.IsAbs(path) || strings.Contains(path, "\\") {
		return nil, errors.New("an import is relative to the importing file, with `/` between folders")
	}
	name := filepath.ToSlash(filepath.Join(filepath.Dir(from.Name), filepath.FromSlash(path)))
	f, err := l.load(filepath.FromSlash(name), name)
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return nil, errors.New(d.Primary.Text)
	}
	return f, err
}

// ReadText reads a text file. The error is a *diag.Diagnostic that calls it name.
func ReadText(path, name string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fileFault(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fileFault(name, err)
	}
	if info.IsDir() {
		return "", diag.New("E0619", source.Place{}, name+" is a folder").
			Say("`%s` is a folder; a file is expected here.", name)
	}
	if info.Mode().IsRegular() && info.Size() > MaxFileSize {
		return "", tooLarge(name)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return "", fileFault(name, err)
	}
	if len(data) > MaxFileSize {
		return "", tooLarge(name)
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return "", notText(name, fmt.Sprintf("it holds a zero byte at byte %d, so it is probably not a text at all", i))
	}
	if !utf8.Valid(data) {
		i := 0
		for i < len(data) {
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		line := 1 + bytes.Count(data[:i], []byte("\n"))
		return "", notText(name, fmt.Sprintf("line %d is not UTF-8 (byte %d)", line, i))
	}
	return string(data), nil
}

func tooLarge(name string) error {
	return diag.New("E0128", source.Place{}, name+" is too large").
		Say("`%s` is larger than the %d MiB that dspi reads of one file.", name, MaxFileSize>>20)
}

func notText(name, why string) error {
	return diag.New("E0128", source.Place{}, name+" is not text").
		Say("`%s` cannot be read as text: %s.", name, why).
		Hint("a .dsp file is text in UTF-8")
}

func fileFault(name string, err error) error {
	what := err.Error()
	var p *fs.PathError
	if errors.As(err, &p) {
		what = p.Err.Error()
	}
	label := name + " cannot be read"
	if errors.Is(err, fs.ErrNotExist) {
		label, what = "there is no file "+name, "there is no such file"
	}
	d := diag.New("E0619", source.Place{}, label).Say("`%s` cannot be read: %s.", name, what)
	if near, ok := nearFile(name); ok {
		d.Hint("did you mean `%s`?", near)
	}
	return d
}

// nearFile looks for a file of a similar name in the same folder.
func nearFile(name string) (string, bool) {
	dir := filepath.Dir(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if near, ok := diag.Nearest(filepath.Base(name), names); ok {
		return filepath.Join(dir, near), true
	}
	return "", false
}

// Files returns the .dsp files that paths stand for: a file is itself, a folder
// the .dsp and .dspi files below it. Hidden folders are passed over.
func Files(paths ...string) ([]string, error) {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fileFault(p, err)
		}
		if !info.IsDir() {
			out = append(out, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fileFault(path, err)
			case e.IsDir() && path != p && strings.HasPrefix(e.Name(), "."):
				return filepath.SkipDir
			case !e.IsDir() && (strings.HasSuffix(path, ".dsp") || strings.HasSuffix(path, ".dspi")):
				out = append(out, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
