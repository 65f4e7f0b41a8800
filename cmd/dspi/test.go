package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/spf13/cobra"
)

// testFlags are the flags of `dspi test`.
type testFlags struct {
	settings
	filter   string
	parallel int
	junit    string
	json     bool
	watch    bool
	callFlags
}

func testCommand(a *app) *cobra.Command {
	f := testFlags{parallel: 8}
	cmd := &cobra.Command{
		Use:   "test PATH…",
		Short: "Run the tests that programs declare",
		Long: `Runs the test blocks of .dsp files: each runs its program with its inputs and
judges its assertions. Tests run in parallel, each with models of its own; what
they say comes in the order of the files. Replies that are kept from earlier calls
answer again, as in dspi run, unless --no-cache says otherwise; those of scripts
and of the baseline are never kept.

A folder stands for the .dsp files in it. Without a path the tests of the current
folder are run. The exit status is 1 when a test fails or cannot run, and when a
file has errors.`,
		Example: `  dspi test qa.dsp
  dspi test programs --filter '^paris' --model openai/gpt-4o-mini
  dspi test . --junit results.xml
  dspi test . --watch`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.parallel < 1 {
				return wrong("--parallel is at least 1")
			}
			if f.watch {
				if f.json {
					return wrong("--watch and --json exclude each other").say("--json prints one object for one run.")
				}
				return a.watchTests(cmd.Context(), args, &f)
			}
			_, err := a.runTests(cmd.Context(), args, &f)
			return err
		},
	}
	f.settings.flags(cmd, true)
	f.stateFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.filter, "filter", "", "only tests whose name matches a `pattern` (RE2)")
	flags.IntVar(&f.parallel, "parallel", f.parallel, "the most tests under way at once")
	flags.StringVar(&f.junit, "junit", "", "write the results as JUnit XML to a `file`")
	flags.BoolVar(&f.watch, "watch", false, "run again whenever a file changes")
	jsonFlag(cmd, &f.json, "print one JSON object with all results")
	f.callFlags.flags(cmd)
	completeFiles(cmd)
	return cmd
}

// testFile is a file whose tests are run.
type testFile struct {
	name     string
	diags    diag.List // what the check says
	settings *dspi.Settings
	tests    []*testJob
}

// testJob is a test on its way.
type testJob struct {
	test *program.Test
	plan *plan.Plan
	err  error // why it cannot be planned
	run  *dspi.TestRun
	took time.Duration
	done chan struct{} // closed when run is there
}

// name returns the test's name.
func (j *testJob) name() string { return j.test.Name }

// status is "passed", "failed" (an assertion does not hold), "error" (the program
// gave no outputs) or "skipped" (interrupted before it began).
func (j *testJob) status() string {
	switch {
	case j.run == nil:
		return "skipped"
	case j.run.Err != nil:
		return "error"
	case len(j.run.Failures) > 0:
		return "failed"
	}
	return "passed"
}

// faults returns what is wrong, as diagnostics or another error.
func (j *testJob) faults() error {
	switch {
	case j.run == nil:
		return nil
	case j.run.Err != nil:
		return j.run.Err
	}
	return j.run.Failures.Err()
}

// tested is what a run of tests came to.
type tested struct {
	files       []*testFile
	read        []string // every file that was read
	took        time.Duration
	interrupted bool
}

func (t *tested) jobs() []*testJob {
	var out []*testJob
	for _, f := range t.files {
		out = append(out, f.tests...)
	}
	return out
}

func (t *tested) count(status string) (n int) {
	for _, j := range t.jobs() {
		if j.status() == status {
			n++
		}
	}
	return n
}

func (t *tested) diags() diag.List {
	var out diag.List
	for _, f := range t.files {
		out = append(out, f.diags...)
	}
	return out
}

func (t *tested) usage() interpreter.Usage {
	sum := interpreter.Usage{USD: new(float64)}
	for _, j := range t.jobs() {
		if j.run != nil && j.run.Result.Run != "" {
			sum = sum.Add(j.run.Result.Usage)
		}
	}
	return sum
}

// runTests is `dspi test`. It returns the files that it read even with an error.
func (a *app) runTests(ctx context.Context, paths []string, f *testFlags) ([]string, error) {
	t, err := a.prepareTests(paths, f)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	sessions, err := a.startTests(ctx, t, f)
	if err != nil {
		return t.read, err
	}
	defer sessions.close()
	if !f.json {
		a.tellReports(t.diags().Reports(), sources(t.diags()))
		if len(t.diags()) > 0 {
			fmt.Fprintln(a.err)
		}
	}
	wide := 0
	for _, j := range t.jobs() {
		wide = max(wide, len([]rune(j.name())))
	}
	for _, j := range t.jobs() {
		<-j.done
		if !f.json {
			a.tellTest(j, wide)
		}
	}
	t.took = time.Since(start)
	t.interrupted = ctx.Err() != nil
	if f.junit != "" {
		if err := saveJUnit(f.junit, t, start); err != nil {
			return t.read, err
		}
	}
	if f.json {
		if err := a.writeJSON(testReport(t)); err != nil {
			return t.read, err
		}
	} else {
		fmt.Fprintln(a.err, testSummary(t))
	}
	switch {
	case t.interrupted:
		return t.read, &exit{code: exitInterrupted}
	case t.count("failed")+t.count("error") > 0 || t.diags().HasErrors():
		return t.read, &exit{code: exitFailed}
	}
	return t.read, nil
}

// prepareTests reads and checks files and plans their tests.
func (a *app) prepareTests(paths []string, f *testFlags) (*tested, error) {
	var filter *regexp.Regexp
	if f.filter != "" {
		var err error
		if filter, err = regexp.Compile(f.filter); err != nil {
			return nil, wrong("--filter cannot be read").say("%s. Patterns are written as in RE2.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	files, err := dspFiles(paths)
	if err != nil {
		return nil, err
	}
	t := &tested{}
	all, noted := []string{}, false
	for _, name := range files {
		src, err := dspi.Load(name)
		if err != nil {
			t.files = append(t.files, &testFile{name: name, diags: listOf(err)})
			t.read = append(t.read, absolute(name))
			continue
		}
		project, diags := dspi.Check(src)
		t.read = append(t.read, src.Imports()...)
		file := &testFile{name: name, diags: diags}
		t.files = append(t.files, file)
		if diags.HasErrors() {
			continue
		}
		plans := &testPlans{app: a, project: project, flags: f, file: file, made: map[string]*plan.Plan{}}
		for _, test := range project.Tests {
			if test.Place.File != project.Root {
				continue // it belongs to an imported file
			}
			all = append(all, test.Name)
			if filter != nil && !filter.MatchString(test.Name) {
				continue
			}
			j := &testJob{test: test, done: make(chan struct{})}
			j.plan, j.err = plans.of(test)
			if u := (*usage)(nil); errors.As(j.err, &u) {
				return nil, u
			}
			if j.plan != nil && !noted && usesFallback(j.plan) {
				noted = true
				a.noteBaseline(j.plan)
			}
			file.tests = append(file.tests, j)
		}
	}
	slices.Sort(t.read)
	t.read = slices.Compact(t.read)
	if len(t.jobs()) > 0 || t.diags().HasErrors() || f.watch {
		return t, nil
	}
	if len(all) > 0 {
		return nil, wrong("no test matches --filter %s", f.filter).say("The tests are: %s.", strings.Join(all, ", ")).near(f.filter, all)
	}
	where := strings.Join(paths, ", ")
	if where == "" {
		where = "the current folder"
	}
	return nil, wrong("there are no tests in %s", where).
		say("A test is a block:\n\n    test greets {\n      program = program.hello\n      inputs { question = \"Who are you?\" }\n      assert { that = len(answer) > 0 }\n    }")
}

// testPlans plans the tests of one file. Tests of one program share a plan, and
// with it the models and their limits, unless its models play a script: then each
// test begins with the first reply.
type testPlans struct {
	app     *app
	project *program.Project
	flags   *testFlags
	file    *testFile
	made    map[string]*plan.Plan
}

func (p *testPlans) of(t *program.Test) (*plan.Plan, error) {
	key := t.Program.Name + " " + t.Model.String()
	if made, ok := p.made[key]; ok {
		return made, nil
	}
	s := p.flags.settings
	if err := p.app.tune(p.project, t.Program.Name, &s); err != nil {
		return nil, err
	}
	opt, err := p.app.planOptions(p.project, s)
	if err != nil {
		return nil, err
	}
	p.file.settings = opt.Settings
	made, err := dspi.Plan(p.project, dspi.TestOptions(t, opt))
	if err != nil {
		return nil, err
	}
	if err := interpreter.Refused(made); err != nil {
		return made, err
	}
	if !scripted(made) {
		p.made[key] = made
	}
	return made, nil
}

// scripted reports whether a model of a plan plays a script.
func scripted(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Ops, func(op *plan.Op) bool {
		return op.Model != nil && op.Model.Provider == "scripted" || op.Plan != nil && scripted(op.Plan) ||
			scripted(&plan.Plan{Ops: op.Parts})
	})
}

// testSessions are the sessions of tests: those whose replies are kept in one place
// share one.
type testSessions map[dspi.CacheAt]*session

// close closes them, when the last test is over.
func (s testSessions) close() {
	for _, x := range s {
		_ = x.close() // tests ask for nothing that is written
	}
}

// startTests runs tests in the background, as many at once as the flags say, and
// closes their channels in any order.
func (a *app) startTests(ctx context.Context, t *tested, f *testFlags) (testSessions, error) {
	type job struct {
		*testJob
		*session
	}
	sessions := testSessions{}
	var jobs []job
	for _, file := range t.files {
		if len(file.tests) == 0 {
			continue
		}
		at := a.cacheAt("", file.settings)
		if sessions[at] == nil {
			s, err := a.openSession(f.callFlags, keepFlags{}, file.settings, nil, dspi.Options{})
			if err != nil {
				sessions.close()
				return nil, err
			}
			sessions[at] = s
		}
		for _, j := range file.tests {
			jobs = append(jobs, job{j, sessions[at]})
		}
	}
	todo := make(chan job)
	for range f.parallel {
		go func() {
			for j := range todo {
				runJob(ctx, j.Runtime, j.testJob)
			}
		}()
	}
	go func() {
		defer close(todo)
		for _, j := range jobs {
			todo <- j
		}
	}()
	return sessions, nil
}

func runJob(ctx context.Context, runtime *dspi.Runtime, j *testJob) {
	defer close(j.done)
	start := time.Now()
	defer func() { j.took = time.Since(start) }()
	switch {
	case j.err != nil:
		j.run = &dspi.TestRun{Test: j.test, Result: &dspi.Result{}, Err: j.err}
	case ctx.Err() != nil:
	default:
		run := runtime.Test(ctx, j.plan, j.test)
		if run.Err != nil && ctx.Err() != nil {
			return // interrupted: it did neither fail nor pass
		}
		j.run = run
	}
}

// tellTest writes a line about a test, and what is wrong with it.
func (a *app) tellTest(j *testJob, wide int) {
	word := map[string]string{"passed": "ok   ", "failed": "FAIL ", "error": "ERROR", "skipped": "-    "}[j.status()]
	if a.colored(a.outFile) {
		word = map[string]string{"passed": "\x1b[32m", "failed": "\x1b[31m", "error": "\x1b[31m", "skipped": "\x1b[2m"}[j.status()] + word + "\x1b[0m"
	}
	line := fmt.Sprintf("%s  %s%s  %s", word, j.name(), strings.Repeat(" ", wide-len([]rune(j.name()))), j.test.Place.File.Name)
	if j.run != nil && j.run.Result.Run != "" {
		line += "  " + usageLine(j.run.Result.Usage, j.run.Result.Duration)
	}
	fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	if err := j.faults(); err != nil {
		a.tellReports(reportsOf(err), sources(listOf(err)))
		fmt.Fprintln(a.err)
	}
}

// testSummary is the last line: `3 tests: 2 passed, 1 failed; 3 calls, 1.2 s`.
func testSummary(t *tested) string {
	var parts []string
	for _, s := range []struct{ status, word string }{
		{"passed", "passed"}, {"failed", "failed"}, {"error", "could not run"}, {"skipped", "not run"},
	} {
		if n := t.count(s.status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.word))
		}
	}
	s := plural(len(t.jobs()), "test")
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, ", ")
	}
	bad := 0
	for _, f := range t.files {
		if f.diags.HasErrors() {
			bad++
		}
	}
	if bad > 0 {
		s += fmt.Sprintf("; %s with errors", plural(bad, "file"))
	}
	if t.interrupted {
		s = "interrupted: " + s
	}
	return s + "; " + usageLine(t.usage(), t.took)
}

// testedJSON is what --json prints.
type testedJSON struct {
	Tests       []testJSON        `json:"tests"`
	Passed      int               `json:"passed"`
	Failed      int               `json:"failed"`
	Errors      int               `json:"errors"`
	Skipped     int               `json:"skipped"`
	Diagnostics []diag.Report     `json:"diagnostics"` // of the check
	Usage       interpreter.Usage `json:"usage"`
	DurationMS  int64             `json:"duration_ms"`
}

type testJSON struct {
	Name       string            `json:"name"`
	File       string            `json:"file"`
	Line       int               `json:"line"`
	Program    string            `json:"program"`
	Status     string            `json:"status"` // passed, failed, error, skipped
	Asserts    int               `json:"asserts"`
	Faults     []diag.Report     `json:"faults"` // the assertions that do not hold, or why it could not run
	Usage      interpreter.Usage `json:"usage"`
	DurationMS int64             `json:"duration_ms"`
}

func testReport(t *tested) testedJSON {
	out := testedJSON{
		Tests:  []testJSON{},
		Passed: t.count("passed"), Failed: t.count("failed"), Errors: t.count("error"), Skipped: t.count("skipped"),
		Diagnostics: append([]diag.Report{}, t.diags().Reports()...),
		Usage:       t.usage(), DurationMS: t.took.Milliseconds(),
	}
	for _, j := range t.jobs() {
		x := testJSON{
			Name: j.name(), File: j.test.Place.File.Name, Line: lineOf(j.test.Place),
			Program: j.test.Program.Name, Status: j.status(), Asserts: len(j.test.Asserts), Faults: []diag.Report{},
			Usage: interpreter.Usage{USD: new(float64)}, DurationMS: j.took.Milliseconds(),
		}
		if j.run != nil && j.run.Result.Run != "" {
			x.Usage = j.run.Result.Usage
		}
		if err := j.faults(); err != nil {
			first, more := firstError(err)
			x.Faults = append([]diag.Report{first}, more...)
		}
		out.Tests = append(out.Tests, x)
	}
	return out
}

func lineOf(p source.Place) int { return p.File.LineOf(p.Start) }

// watchTests runs tests again and again, whenever a file changes that they read.
func (a *app) watchTests(ctx context.Context, paths []string, f *testFlags) error {
	ticks, stop := a.ticker(watchEvery)
	defer stop()
	seen := stampsOf(a.watched(paths, nil))
	for {
		read, err := a.runTests(ctx, paths, f)
		var e *exit
		if err != nil && !errors.As(err, &e) {
			a.report(err)
		}
		if ctx.Err() != nil {
			return &exit{code: exitInterrupted}
		}
		now := stampsOf(a.watched(paths, read))
		for name := range now {
			if before, known := seen[name]; known {
				now[name] = before // it may have changed while the tests ran
			} else if !slices.Contains(read, name) {
				delete(now, name) // it came while they ran
			}
		}
		seen = now
		fmt.Fprintln(a.err, "waiting for a change; Ctrl-C ends it")
		for changed := false; !changed; {
			select {
			case <-ctx.Done():
				return &exit{code: exitInterrupted}
			case <-ticks:
			}
			now := stampsOf(a.watched(paths, read))
			changed = !maps.Equal(now, seen)
			seen = now
		}
		fmt.Fprintln(a.err)
	}
}

// watched returns the files whose change matters: those that paths stand for and
// those that were read.
func (a *app) watched(paths, read []string) []string {
	files, _ := dspFiles(paths) // what is not there now may come
	out := slices.Clone(read)
	for _, name := range files {
		out = append(out, absolute(name))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
