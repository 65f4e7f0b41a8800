package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

// The most that tool.files gives at once, and the largest file it reads.
const (
	maxText    = 20_000 // characters
	maxEntries = 1000
	maxFile    = 16 << 20 // bytes
)

// files is tool.files: it reads text files and lists folders of the folder that the
// program names as its `local_files`. It writes nothing.
type files struct {
	builtin
	folder fs.FS
}

var _ tool.Reader = (*files)(nil)

// In returns the tool for a folder.
func (f *files) In(folder fs.FS) tool.Tool { return &files{f.builtin, folder} }

func (f *files) Call(_ context.Context, args *value.Object) (*value.Object, error) {
	v, _ := args.Get("path")
	name, _ := v.(string)
	v, _ = args.Get("from_line")
	from, _ := v.(int)
	out, err := f.read(name, from)
	if err != nil {
		return nil, &tool.Error{Tool: f.name, Text: err.Error()}
	}
	return out, nil
}

func (f *files) read(given string, from int) (*value.Object, error) {
	if f.folder == nil {
		return nil, errors.New("there is no folder to read")
	}
	name := path.Clean(strings.ReplaceAll(strings.TrimSpace(given), "\\", "/"))
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%s is outside of the folder: paths begin in it, such as notes/today.md", given)
	}
	file, err := f.folder.Open(name)
	if err != nil {
		return nil, f.notOpened(name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, f.notOpened(name, err)
	case info.IsDir():
		return f.list(name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file that can be read", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", name, info.Size(), maxFile)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read", name)
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s is no text", name)
	}
	return part(string(text), max(from, 1))
}

// notOpened says why a file cannot be read, and what is there instead.
func (f *files) notOpened(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be read: it is outside of the folder, or may not be opened", name)
	}
	around := path.Dir(name)
	entries, listed := fs.ReadDir(f.folder, around)
	if listed != nil || len(entries) == 0 {
		return fmt.Errorf("there is no %s", name)
	}
	var names []string
	for _, e := range entries[:min(len(entries), 20)] {
		names = append(names, entryName(e))
	}
	if len(entries) > 20 {
		names = append(names, "…")
	}
	return fmt.Errorf("there is no %s; %s has %s", name, folderName(around), strings.Join(names, ", "))
}

func folderName(name string) string {
	if name == "." {
		return "the folder"
	}
	return name + "/"
}

func entryName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

func (f *files) list(name string) (*value.Object, error) {
	entries, err := fs.ReadDir(f.folder, name)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be listed", folderName(name))
	}
	var b strings.Builder
	for i, e := range entries {
		if i == maxEntries {
			fmt.Fprintf(&b, "… and %d more\n", len(entries)-i)
			break
		}
		b.WriteString(entryName(e) + "\n")
	}
	return value.NewObject("text", b.String(), "next_line", nil), nil
}

// part is the lines of a text from one on, as many as may be given at once.
func part(text string, from int) (*value.Object, error) {
	lines := slices.Collect(strings.Lines(text))
	if from > max(len(lines), 1) {
		return nil, fmt.Errorf("the file has %d lines", len(lines))
	}
	var b strings.Builder
	left := maxText
	for i := from - 1; i < len(lines); i++ {
		n := utf8.RuneCountInString(lines[i])
		if n > left && i > from-1 {
			return value.NewObject("text", b.String(), "next_line", i+1), nil
		}
		if n > left { // one line that is too long by itself
			cut := string([]rune(lines[i])[:left]) + "…\n"
			if i+1 < len(lines) {
				return value.NewObject("text", cut, "next_line", i+2), nil
			}
			return value.NewObject("text", cut, "next_line", nil), nil
		}
		b.WriteString(lines[i])
		left -= n
	}
	return value.NewObject("text", b.String(), "next_line", nil), nil
}
