package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/starlark"
	"github.com/dspi-lang/dspi/interpreter/tool"
)

// Starlark calls a function in Starlark. The code may load files beside it; nothing
// else can be read.
func (b *Bodies) Starlark(ctx context.Context, c *tool.Code) (any, error) {
	s := &starlark.Script{Name: "code", Code: outdented(c.Text), Print: c.Print, Limits: starlark.Limits{Time: c.Timeout}}
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

// outdented takes away the space that all lines begin with: code in a block is
// written as far to the right as the block.
func outdented(code string) string {
	common, first := "", true
	for line := range strings.Lines(code) {
		text := strings.TrimLeft(line, " \t")
		if strings.TrimSpace(text) == "" {
			continue
		}
		space := line[:len(line)-len(text)]
		if first {
			common, first = space, false
		}
		for !strings.HasPrefix(space, common) {
			common = common[:len(common)-1]
		}
	}
	if common == "" {
		return code
	}
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimPrefix(line, common))
	}
	return b.String()
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
