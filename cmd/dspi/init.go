package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// projectFiles are what `dspi init` writes.
//
//go:embed project
var projectFiles embed.FS

// projectNames maps the files to their names in a project.
var projectNames = []struct{ from, to string }{
	{"hello.dsp", "hello.dsp"},
	{"local.dspvars", "local.dspvars"},
	{"dspi.hcl", "dspi.hcl"},
	{"gitignore", ".gitignore"},
	{"README.md", "README.md"},
}

func initCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Begin a project that runs",
		Long: `Writes a small project that runs: a .dsp file with two programs, a file of
values for its variable, dspi.hcl with the project's settings, .gitignore and
README.md. Without DIR it goes into the current folder. No file that exists is
changed.`,
		Example: `  dspi init hello
  dspi init`,
		Args: arguments(0, 1, "a folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.initProject(dir)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
}

// initProject is `dspi init`.
func (a *app) initProject(dir string) error {
	var there []string
	for _, f := range projectNames {
		path := filepath.Join(dir, f.to)
		if _, err := os.Lstat(path); err == nil {
			there = append(there, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return wrong("%s cannot be used", dir).say("%v.", problem(err))
		}
	}
	if len(there) > 0 {
		return wrong("a file is in the way").
			say("`dspi init` changes no file that exists, and wrote nothing. There is already:\n\n    %s", strings.Join(there, "\n    ")).
			hint("name another folder: dspi init NAME")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return wrong("%s cannot be made", dir).say("%v.", problem(err))
	}
	for _, f := range projectNames {
		text, err := projectFiles.ReadFile("project/" + f.from)
		if err == nil {
			err = writeNew(filepath.Join(dir, f.to), text)
		}
		if err != nil {
			return wrong("%s cannot be written", filepath.Join(dir, f.to)).say("%v.", problem(err))
		}
		fmt.Fprintln(a.out, "wrote", filepath.Join(dir, f.to))
	}
	hello := shellWord(filepath.Join(dir, "hello.dsp"))
	fmt.Fprintf(a.out, `
Next:

    dspi check %[1]s
    dspi run %[1]s answer question="What is 17 * 23?"
    dspi run %[1]s sort message="My parcel is lost, please hurry"
`, hello)
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// shellWord quotes a word where a shell would take it apart.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t'\"\\$&;|<>*?()[]{}~#`!") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
