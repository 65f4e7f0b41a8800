package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dspi-lang/dspi/interpreter/starlark"
	"github.com/dspi-lang/dspi/interpreter/tool"
)

// Starlark calls a function in Starlark. The code may load files beside it; nothing
// else can be read.
func (b *Bodies) Starlark(ctx context.Context, c *tool.Code) (any, error) {
	s := &starlark.Script{Name: "code", Code: c.Text, Print: c.Print, Limits: starlark.Limits{Time: c.Timeout}}
	folder := c.Folder
	if c.File != "" {
		path := filepath.FromSlash(c.File)
		if !filepath.IsAbs(path) {
			path = filepath.Join(folder, path)
		}
		folder, s.Name = filepath.Dir(path), filepath.Base(path)
		code, err := readCode(folder, s.Name)
		if err != nil {
			return nil, err
		}
		s.Code = code
	}
	s.Load = func(name string) (string, error) {
		if filepath.Base(name) != name {
			return "", errors.New("only a file beside this one can be loaded, by its name")
		}
		return readCode(folder, name)
	}
	out, err := s.Call(ctx, c.Call, c.Args)
	if err != nil {
		return nil, err
	}
	return out.Value, nil
}

// readCode reads a file of a folder.
func readCode(folder, name string) (string, error) {
	root, err := os.OpenRoot(filepath.Clean(folder))
	if err != nil {
		return "", fmt.Errorf("the folder of %s cannot be read", name)
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", name, errors.Unwrap(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, starlark.DefaultCode+1))
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return string(text), nil
}
