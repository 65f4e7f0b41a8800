package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Store keeps runs. It is safe for use by many goroutines. Every implementation
// passes the suite in historytest.
type Store interface {
	// Write keeps a batch: all of it, or with an error nothing. A run, step or
	// call that is there already is replaced; a run keeps the time at which it
	// began. A store that has a journal, too, forgets with the end of a run that is
	// OK what the journal has of it.
	Write(ctx context.Context, b *Batch) error
	// Run returns a run by its id or the beginning of it; "" is the one that
	// began last. The error is a *NoRunError when there is none or several.
	Run(ctx context.Context, id string) (*Whole, error)
	// Runs returns runs without their steps and calls, the newest first. A limit
	// of 0 is none.
	Runs(ctx context.Context, limit int) ([]Run, error)
	// Delete deletes runs by their ids, with steps and calls, those of a batch with
	// the runs of its rows, and returns how many there were.
	Delete(ctx context.Context, ids ...string) (int, error)
	// DeleteBefore deletes the runs that began before t, except those that are
	// running, and returns how many there were.
	DeleteBefore(ctx context.Context, t time.Time) (int, error)
	// Prune does the same, unless it was done since `since`.
	Prune(ctx context.Context, t, since time.Time) (int, error)
	Close() error
}

// Batch is what is written at once.
type Batch struct {
	Writer *Writer // who writes; nil: no change
	// Again are the ids of runs that go on: the steps and calls that they have are
	// deleted before anything else is written, since the run goes through them
	// again.
	Again []string
	Runs  []*Run
	Steps []*Step
	Calls []*Call
}

// Size returns how many records a batch has.
func (b *Batch) Size() int { return len(b.Again) + len(b.Runs) + len(b.Steps) + len(b.Calls) }

// Writer is a Recorder that is at work. What it says of itself is how others know
// whether a run without an end is running.
type Writer struct {
	ID   string
	Host string
	PID  int
	Seen time.Time // when it was last known to be there
	Gone bool      // it ended: the store forgets it
}

// Beat is how often a Recorder with runs under way says that it is there.
const Beat = 5 * time.Second

// Alive reports whether a writer may still be at work at a time. One on this
// machine is looked for among its processes; any other has lately said so.
func (w *Writer) Alive(now time.Time) bool {
	if w == nil || w.Gone || now.Sub(w.Seen) > 4*Beat {
		return false
	}
	if host, err := os.Hostname(); err != nil || host != w.Host {
		return true
	}
	return processAlive(w.PID)
}

// settle gives a run that has no end the right status.
func (r *Run) settle(w *Writer, now time.Time) {
	if r.Status == Running && !w.Alive(now) {
		r.Status = Unended
	}
}

// Settle gives runs that have no end the right status: for stores.
func Settle(runs []Run, writers map[string]*Writer, now time.Time) {
	for i := range runs {
		runs[i].settle(writers[runs[i].Writer], now)
	}
}

// NoRunError says that an id names no run, or several.
type NoRunError struct {
	ID      string
	Several []string // ids that begin with ID; empty: none does
}

// Error says which.
func (e *NoRunError) Error() string {
	switch {
	case len(e.Several) > 0:
		return fmt.Sprintf("several runs begin with %q: %s", e.ID, strings.Join(e.Several, ", "))
	case e.ID == "":
		return "no run is kept"
	}
	return fmt.Sprintf("no run that is kept begins with %q", e.ID)
}

// ErrClosed is the error of a store that was closed.
var ErrClosed = errors.New("the store of runs is closed")
