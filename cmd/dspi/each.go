package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// eachFlags are the flags that only `run --each` obeys.
type eachFlags struct {
	concurrency int
	limit       int
	carry       []string
	rows        string

	concurrencyGiven bool
}

func (f *eachFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.concurrency, "concurrency", 8, "with --each: rows under way at once")
	flags.IntVar(&f.limit, "limit", 0, "with --each: stop after `N` rows")
	flags.StringSliceVar(&f.carry, "carry", nil, "with --each: copy these `columns` into each line of output")
	flags.StringVar(&f.rows, "rows", "", "with --each: only these `rows`: 7,12-20,121-")
}

// check refuses flags that would not be obeyed.
func (f *eachFlags) check(cmd *cobra.Command, each string) error {
	for _, name := range []string{"concurrency", "limit", "carry", "rows"} {
		if each == "" && cmd.Flags().Changed(name) {
			return wrong("--%s needs --each", name).hint("--each rows.csv runs the program once for every row")
		}
	}
	if f.concurrency < 1 || f.concurrency > 10_000 {
		return wrong("--concurrency cannot be %d", f.concurrency).say("It is a number from 1 to 10000.")
	}
	if f.limit < 0 || f.limit == 0 && cmd.Flags().Changed("limit") {
		return wrong("--limit cannot be %d", f.limit).say("It is a number of rows, at least 1.")
	}
	_, err := parseRanges(f.rows)
	return err
}

// grace is how long rows under way may go on after an interruption, so that what
// was paid for is kept.
const grace = 3 * time.Second

// batch is a program run once for every row of a table.
//
// One goroutine reads rows, a few run them, and the caller's writes their lines.
// A row enters `order` when it is read and leaves it when its line is written;
// order's capacity bounds the rows in memory, however slow the first of them is.
type batch struct {
	app     *app
	plan    *plan.Plan
	runtime *dspi.Runtime
	table   *table
	fixed   map[string]any // inputs that are the same for every row
	flags   eachFlags
	chosen  ranges

	id     string          // of the batch
	resume bool            // it was begun before
	before journal.Journal // of the rows; nil: none
	again  string          // the command that resumes the batch; "" where it cannot be

	order chan *job
	todo  chan *job
	stop  chan struct{} // closed: read no more rows

	display  *display
	progress *progress
	ignored  columns // of rows that bring their own names
	missing  columns // carried columns that no row had yet
	read     int     // the number of the last row that was read
	ended    bool    // there are no more rows to read
	readErr  error
	paused   atomic.Bool  // a row waits for a person
	known    atomic.Int64 // rows that were done before
}

// job is one row on its way.
type job struct {
	row
	done chan struct{} // closed when line is there
	line []byte
	cut  bool // interrupted: no line
	bad  bool // the line holds an error
}

// runEach is `dspi run --each`.
func (a *app) runEach(ctx context.Context, p *plan.Plan, given map[string]any, settings *dspi.Settings, run *runFlags) (err error) {
	path, f := run.each, run.eachFlags
	fixed, err := fixedInputs(p.Checked, given)
	if err != nil {
		return err
	}
	t, err := a.openTable(path)
	if err != nil {
		return err
	}
	defer t.close()
	if err := checkColumns(p.Checked, t, fixed, f.carry); err != nil {
		return err
	}
	chosen, err := parseRanges(f.rows)
	if err != nil {
		return err
	}
	a.noteBaseline(p)
	var display display
	people := a.approver(run.answerFlags, display.hold)
	runtime, err := a.openSession(run.callFlags, run.keepFlags, settings, p, dspi.Options{Approve: people.ask})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	b := &batch{
		app: a, plan: p, runtime: runtime.Runtime, table: t, fixed: fixed, flags: f, chosen: chosen,
		order: make(chan *job, max(64, 4*f.concurrency)), todo: make(chan *job), stop: make(chan struct{}),
		progress: newProgress(), id: run.leg.Run, resume: run.leg.Resume, display: &display,
	}
	if b.id == "" {
		b.id = interpreter.NewID()
	}
	if k := runtime.kept; k != nil && k.journal != nil {
		b.before = journal.Guard(k.journal, journal.Guards{Secrets: k.about.Secrets, Failed: k.failed})
		b.again = runtime.resumeLine(b.id)
	}
	if t.columns != nil {
		b.noteIgnored(unusedColumns(p.Checked.Signature, t.columns, fixed, f.carry))
	}
	b.begin(ctx, runtime)
	err = b.run(ctx, path)
	b.end(runtime.trace, err)
	people.unused()
	if err == nil {
		a.tellReuse(run, b.progress.journaled())
	}
	return err
}

// run reads, runs and writes all rows.
func (b *batch) run(ctx context.Context, path string) error {
	counting, stopCounting := context.WithCancel(ctx)
	defer stopCounting()
	go func() {
		if n, ok := countRows(counting, path); ok {
			n = b.chosen.count(n)
			if b.flags.limit > 0 {
				n = min(n, b.flags.limit)
			}
			b.progress.setTotal(n)
		}
	}()

	// An interruption ends the reading at once and the rows under way a little
	// later.
	rows, cancelRows := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelRows()
	halt := sync.OnceFunc(func() { close(b.stop) })
	unhook := context.AfterFunc(ctx, func() {
		halt()
		fmt.Fprintf(b.app.err, "stopping: rows under way have %s to end; Ctrl-C again stops at once\n", duration(grace))
		time.AfterFunc(grace, cancelRows)
	})
	defer unhook()

	var work sync.WaitGroup
	work.Go(b.readRows)
	for range b.flags.concurrency {
		work.Go(func() {
			for j := range b.todo {
				b.do(rows, j)
			}
		})
	}
	b.display.show(func() func() { return b.progress.show(b.app) })
	var cut, bad ranges
	for j := range b.order {
		<-j.done
		switch {
		case j.cut:
			cut = cut.add(j.n)
			continue
		case j.bad:
			bad = bad.add(j.n)
		}
		if _, err := b.app.out.Write(j.line); err != nil {
			halt() // nobody reads the lines: begin no more
			cancelRows()
		}
		b.progress.wrote(j.bad)
	}
	work.Wait()
	b.display.stop()
	return b.finish(ctx.Err() != nil, cut, bad)
}

// readRows gives rows to the workers until the table ends or the batch is stopped.
func (b *batch) readRows() {
	defer close(b.order)
	defer close(b.todo)
	given := 0
	for b.flags.limit == 0 || given < b.flags.limit {
		select {
		case <-b.stop:
			return
		default:
		}
		r, err := b.table.next()
		if err != nil {
			b.ended = errors.Is(err, io.EOF)
			if !b.ended {
				b.readErr = err
			}
			return
		}
		if r.n > b.chosen.last() {
			b.ended = true
			return
		}
		if !b.chosen.has(r.n) {
			b.read = r.n
			continue
		}
		j := &job{row: r, done: make(chan struct{})}
		select {
		case b.order <- j:
		case <-b.stop:
			return
		}
		given++
		b.read = r.n
		select {
		case b.todo <- j:
		case <-b.stop:
			j.cut = true
			close(j.done)
			return
		}
	}
	b.ended = true
}

// do runs one row and writes its line.
func (b *batch) do(ctx context.Context, j *job) {
	defer close(j.done)
	defer func() {
		if r := recover(); r != nil {
			j.bad, j.line = true, b.line(j, nil, wrong("dspi has a fault of its own: %v", r).say("%s", debug.Stack()))
		}
	}()
	var res *dspi.Result
	var err error
	if j.err != nil {
		err = j.err
	} else {
		if ctx.Err() != nil {
			j.cut = true
			return
		}
		if j.line = b.doneBefore(ctx, j); j.line != nil {
			return
		}
		res, err = b.runtime.RunAs(ctx, b.plan, dspi.Leg{Run: hist.RowID(b.id, j.n), Resume: b.resume}, b.inputs(j.values))
		if err == nil {
			b.isDone(ctx, j, res)
		}
		wordResume(err, res.Run, b.again)
		if res.Run != "" { // it began
			b.progress.used(res.Usage)
		}
	}
	if err != nil && ctx.Err() != nil {
		j.cut = true
		return
	}
	j.bad = err != nil
	if isPaused(err) {
		b.paused.Store(true)
	}
	if j.bad {
		b.progress.failed(err)
	}
	j.line = b.line(j, res, err)
}

// inputs brings the values of a row and those that are fixed together.
func (b *batch) inputs(values *value.Object) map[string]any {
	inputs := maps.Clone(b.fixed)
	sig := b.plan.Checked.Signature
	for name, v := range values.All() {
		if _, fixed := b.fixed[name]; fixed {
			if b.table.columns == nil && !slices.Contains(b.flags.carry, name) {
				b.ignored.add(givenForAll(name))
			}
			continue
		}
		f, ok := sig.Input(name)
		switch {
		case !ok:
			if b.table.columns == nil && !slices.Contains(b.flags.carry, name) {
				b.ignored.add(name)
			}
		case b.table.columns == nil:
			inputs[name] = v
		default:
			if cell, given := cellInput(f, v.(string)); given {
				inputs[name] = cell
			}
		}
	}
	return inputs
}

// cellInput reads a cell. An empty one is an empty text for a type that holds
// text; for others it is null or the default, where there is one.
func cellInput(f *types.Field, cell string) (any, bool) {
	if strings.TrimSpace(cell) == "" && !isText(f.Type) {
		switch {
		case f.HasDefault:
			return nil, false
		case types.Nullable(f.Type):
			return nil, true
		}
	}
	return dspi.Text(cell), true
}

// line is a row's line of output.
func (b *batch) line(j *job, res *dspi.Result, err error) []byte {
	var carry *value.Object
	if len(b.flags.carry) > 0 {
		carry = &value.Object{}
		for _, name := range b.flags.carry {
			if v, ok := j.values.Get(name); ok {
				carry.Set(name, v)
			} else if j.err == nil {
				b.missing.add(name)
			}
		}
		if j.err != nil && carry.Len() == 0 {
			carry = nil // nothing could be read
		}
	}
	var line []byte
	var werr error
	if err != nil {
		first, more := firstError(err)
		line, werr = jsonLine(struct {
			Row   int           `json:"row"`
			Error diag.Report   `json:"error"`
			More  []diag.Report `json:"more,omitempty"`
			Carry *value.Object `json:"carry,omitempty"`
		}{j.n, first, more, carry})
	} else {
		line, werr = jsonLine(struct {
			Row     int           `json:"row"`
			Outputs *value.Object `json:"outputs"`
			Carry   *value.Object `json:"carry,omitempty"`
		}{j.n, res.Outputs, carry})
	}
	if werr != nil {
		panic(werr) // values and reports always encode
	}
	return line
}

// finish says how it went.
func (b *batch) finish(interrupted bool, cut, bad ranges) error {
	b.noteIgnored(b.ignored.names())
	if names := b.missing.names(); len(names) > 0 {
		b.app.note("not every row has what --carry asks for: %s", strings.Join(names, ", "))
	}
	fmt.Fprintln(b.app.err, b.progress.summary())
	if n := b.known.Load(); n > 0 {
		fmt.Fprintf(b.app.err, "%s of them done before, and not run again\n", plural(int(n), "row"))
	}
	if b.readErr != nil {
		return wrong("%s cannot be read further", b.table.name).say("After row %d: %v.", b.read, b.readErr)
	}
	if rest := b.rest(cut); interrupted && rest != "" {
		fmt.Fprintf(b.app.err, "interrupted: every line that was printed is whole; to go on: the same command with %s\n", rest)
		b.tellResume()
		return &exit{code: exitInterrupted}
	}
	if len(bad) > 0 {
		for _, line := range b.progress.failures() {
			fmt.Fprintln(b.app.err, "    "+line)
		}
		if s := bad.String(); len(s) <= 60 {
			fmt.Fprintf(b.app.err, "to run the failed rows again: --rows %s\n", s)
		}
		b.tellResume()
		if b.paused.Load() {
			return &exit{code: exitPaused}
		}
		return &exit{code: exitFailed}
	}
	return nil
}

// rest returns the flags that choose the rows that have no line yet, "" when
// there are none.
func (b *batch) rest(cut ranges) string {
	left := slices.Clone(cut)
	if !b.ended {
		left = left.join(b.chosen.from(b.read + 1))
	}
	if len(left) == 0 {
		return ""
	}
	s := "--rows " + left.String()
	if b.flags.limit > 0 {
		s += fmt.Sprintf(" --limit %d", b.flags.limit-b.progress.rows())
	}
	return s
}

// noteIgnored names the columns that are no inputs.
func (b *batch) noteIgnored(names []string) {
	if len(names) == 0 {
		return
	}
	more := ""
	if len(names) > 12 {
		more = fmt.Sprintf(" and %d more", len(names)-12)
		names = names[:12]
	}
	b.app.note("columns ignored, as they are no inputs of `%s`: %s%s", b.plan.Program, strings.Join(names, ", "), more)
}
