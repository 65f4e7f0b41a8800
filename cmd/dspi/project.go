package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
)

// load reads and checks a file, or the signature that stands for one. Warnings
// are told; the error is a diag.List, with every error and warning.
func (a *app) load(path, signature string) (*program.Project, error) {
	var src *dspi.Source
	if signature != "" {
		if !utf8.ValidString(signature) {
			return nil, wrong("the signature is not UTF-8")
		}
		src = dspi.Signature(signature)
	} else {
		s, err := dspi.Load(path)
		if err != nil {
			return nil, err
		}
		src = s
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	if len(diags) > 0 {
		a.tellReports(diags.Reports(), sources(diags))
		fmt.Fprintln(a.err)
	}
	return project, nil
}

// maxStream is the most that is read of standard input, in bytes.
const maxStream = dspi.MaxFileSize

// readStream reads text to its end.
func readStream(r io.Reader, name string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxStream+1))
	switch {
	case err != nil:
		return "", wrong("%s cannot be read", name).say("%v", err)
	case len(data) > maxStream:
		return "", wrong("%s is too large", name).say("dspi reads at most %d MiB of it.", maxStream>>20)
	case !utf8.Valid(data):
		return "", wrong("%s is not text in UTF-8", name)
	}
	return string(data), nil
}

// dspFiles returns the .dsp files that paths stand for, without paths those of the
// current folder. The error is a diag.List of the paths that are not there.
func dspFiles(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	var diags diag.List
	for _, path := range paths {
		found, err := dspi.Files(path)
		diags = append(diags, listOf(err)...)
		files = append(files, found...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) == 0 && diags == nil {
		return nil, wrong("no .dsp file in %s", strings.Join(paths, ", ")).hint("to begin a project: dspi init")
	}
	return files, diags.Err()
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
