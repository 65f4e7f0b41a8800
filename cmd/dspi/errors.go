package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/spf13/cobra"
)

// usage is a mistake in the command line: what is wrong, and ways out.
type usage struct{ report diag.Report }

func wrong(format string, args ...any) *usage {
	return &usage{diag.Report{Level: diag.Error, Title: fmt.Sprintf(format, args...)}}
}

func (u *usage) say(format string, args ...any) *usage {
	u.report.Detail = strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	return u
}

func (u *usage) hint(format string, args ...any) *usage {
	u.report.Help = append(u.report.Help, fmt.Sprintf(format, args...))
	return u
}

// near offers the candidate that name was meant to be.
func (u *usage) near(name string, candidates []string) *usage {
	if found, ok := diag.Nearest(name, candidates); ok {
		u.hint("did you mean `%s`?", found)
	}
	return u
}

// nearAny offers all the candidates that name may have been meant to be.
func (u *usage) nearAny(name string, candidates []string) *usage {
	found := diag.AllNear(name, candidates)
	for i := range found {
		found[i] = "`" + found[i] + "`"
	}
	switch n := len(found); n {
	case 0:
		return u
	case 1:
		return u.hint("did you mean %s?", found[0])
	default:
		return u.hint("did you mean %s or %s?", strings.Join(found[:n-1], ", "), found[n-1])
	}
}

func (u *usage) Error() string { return u.report.Title }

// exit ends the command with a status. Err is told first, unless it is nil.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// report tells people about err and returns the exit status.
func (a *app) report(err error) int {
	var e *exit
	if errors.As(err, &e) {
		if e.err != nil {
			a.tell(e.err)
		}
		return e.code
	}
	if err == nil {
		return exitFine
	}
	a.tell(err)
	return statusOf(err)
}

// tell writes err on standard error.
func (a *app) tell(err error) {
	reports := reportsOf(err)
	list := listOf(err)
	a.tellReports(reports, sources(list))
	if len(reports) > 1 {
		fmt.Fprintf(a.err, "\n%s\n", diag.Summary(reports))
	}
}

func (a *app) tellReports(reports []diag.Report, texts map[string]string) {
	_ = diag.Text(a.err, reports, diag.TextOptions{
		Color: a.colored(a.errFile), Width: a.width(a.errFile),
		Source: func(name string) (string, bool) { t, ok := texts[name]; return t, ok },
	})
}

// warn writes a warning on standard error; nil is none.
func (a *app) warn(d *diag.Diagnostic) {
	if d != nil {
		a.tellReports(diag.List{d}.Reports(), sources(diag.List{d}))
		fmt.Fprintln(a.err)
	}
}

// note writes one line that is no error.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.err, "note: "+format+"\n", args...)
}

// listOf returns the diagnostics in err.
func listOf(err error) diag.List {
	var l diag.List
	if errors.As(err, &l) {
		return l
	}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		return diag.List{d}
	}
	return nil
}

// reportsOf returns what err says as reports, at least one.
func reportsOf(err error) []diag.Report {
	if l := listOf(err); l != nil {
		return l.Reports()
	}
	var u *usage
	if errors.As(err, &u) {
		return []diag.Report{u.report}
	}
	return []diag.Report{{Level: diag.Error, Title: err.Error()}}
}

// sources returns the texts of all files that diagnostics name, as people may
// see them.
func sources(l diag.List) map[string]string {
	texts := map[string]string{}
	add := func(p source.Place) {
		if p.File != nil {
			texts[p.File.Name] = p.File.Shown()
		}
	}
	for _, d := range l {
		add(d.Primary.Place)
		for _, r := range d.Related {
			add(r.Place)
		}
		for _, f := range d.Fixes {
			for _, e := range f.Edits {
				add(e.Place)
			}
		}
	}
	return texts
}

// misuse lists the codes that say, before anything runs, that the command line
// asks for what is not there.
var misuse = []diag.Code{
	"E0512", "E0608", "E0609", "E0610", "E0611", "E0612", "E0613", "E0616", "E0618", "E0619", "E0620",
	"E0640", "E0641", "E0642", "E0643", "E0644", "E0645",
}

// statusOf returns the exit status for an error that kept a command from
// beginning its work.
func statusOf(err error) int {
	l := listOf(err)
	if l == nil {
		var u *usage
		if errors.As(err, &u) {
			return exitUsage
		}
		return exitFailed
	}
	for _, d := range l {
		if d.Level == diag.Error && !slices.Contains(misuse, d.Code) {
			return exitFailed
		}
	}
	return exitUsage
}

// flagError words what pflag says about a flag.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	help := func(u *usage) *usage { return u.hint("every flag: %s --help", cmd.CommandPath()) }
	if name, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		name, _, _ = strings.Cut(name, "=")
		return help(wrong("unknown flag --%s", name).near("--"+name, flagNames(cmd)))
	}
	if rest, ok := strings.CutPrefix(text, "unknown shorthand flag: "); ok {
		return help(wrong("unknown flag %s", rest))
	}
	return help(wrong("%s", text))
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	for _, f := range allFlags(cmd) {
		names = append(names, "--"+f.Name)
	}
	return names
}
