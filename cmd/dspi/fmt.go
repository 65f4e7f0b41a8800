package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/parser/format"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

// fmtFlags are the flags of `dspi fmt`.
type fmtFlags struct{ check, diff bool }

func fmtCommand(a *app) *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use:   "fmt PATH…",
		Short: "Lay files out in the one form",
		Long: `Lays .dsp files out in the one form: indentation, spaces, aligned = and
descriptions. Comments, blank lines and expressions stay as they are. Files are
rewritten in place, only when they change, and their names are printed; - reads
standard input and writes standard output.

A folder stands for the .dsp files in it; without a path it is the current one.
Files with errors are laid out as far as they were understood.`,
		Example: `  dspi fmt hello.dsp
  dspi fmt --check .          exit status 1 when a file would change
  dspi fmt --diff hello.dsp   show what would change`,
		RunE: func(_ *cobra.Command, args []string) error { return a.format(args, f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; list the files that would change and exit with 1")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing; print what would change")
	completeFiles(cmd)
	return cmd
}

// format is `dspi fmt`.
func (a *app) format(paths []string, f fmtFlags) error {
	if len(paths) == 1 && paths[0] == "-" {
		return a.formatStdin(f)
	}
	files, err := dspFiles(paths)
	if err != nil && listOf(err) == nil {
		return err
	}
	changed := 0
	status := a.report(err)
	for _, path := range files {
		did, err := a.formatFile(path, f)
		if err != nil {
			a.tell(err)
			status = max(status, statusOf(err))
		}
		if did {
			changed++
		}
	}
	if f.check && changed > 0 {
		status = max(status, exitFailed)
	}
	if status != exitFine {
		return &exit{code: status}
	}
	return nil
}

func (a *app) formatStdin(f fmtFlags) error {
	text, err := a.takeStdin("fmt -")
	if err != nil {
		return err
	}
	out := format.File(dspi.Parse("stdin.dsp", text).File)
	same := string(out) == text
	switch {
	case f.diff:
		_, _ = a.out.Write(diff.Diff("standard input", []byte(text), "standard input formatted", out))
	case f.check && !same:
		fmt.Fprintln(a.out, "standard input")
	case !f.check:
		_, _ = a.out.Write(out)
	}
	if f.check && !same {
		return &exit{code: exitFailed}
	}
	return nil
}

// formatFile formats one file and reports whether that changes it.
func (a *app) formatFile(path string, f fmtFlags) (bool, error) {
	src, err := dspi.Load(path)
	if err != nil {
		return false, err
	}
	old := []byte(src.File.Source.Text)
	out := format.File(src.File)
	if bytes.Equal(old, out) {
		return false, nil
	}
	if f.diff {
		_, err := a.out.Write(diff.Diff(path, old, path+" formatted", out))
		return true, err
	}
	if !f.check {
		if err := replaceFile(path, out); err != nil {
			return true, wrong("%s cannot be written", path).say("%v. The file is as it was.", problem(err))
		}
	}
	fmt.Fprintln(a.out, path)
	return true, nil
}

// problem is an error without the name of the file.
func problem(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

// replaceFile gives a file a new content, or leaves it whole: the text is written
// beside it and then takes its name. A link stays a link.
func replaceFile(path string, data []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o200 == 0 {
		return errors.New("it is read-only")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
