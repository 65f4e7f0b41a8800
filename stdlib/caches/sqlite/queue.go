package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
)

const (
	// gather is how long the first change waits for more, so that many are written
	// in one transaction.
	gather = 4 * time.Millisecond
	// gatherCounts is how long counts wait when nothing else is written.
	gatherCounts = time.Second
	// maxChanges and maxBytes are how much may wait. Who puts more waits, too.
	maxChanges = 1000
	maxBytes   = 16_000_000
)

// change is what becomes of a key.
type change struct {
	gone  bool // it is removed
	value []byte
	made  int64
	ends  sql.NullInt64
}

// batch is what is written in one transaction.
type batch struct {
	changes      map[cache.Key]change
	used         map[cache.Key]int64 // when values were last of use
	hits, misses int64
	bytes        int64 // of the changes
}

func newBatch() batch {
	return batch{changes: map[cache.Key]change{}, used: map[cache.Key]int64{}}
}

// queue holds what is not written yet, and has it written by one goroutine.
type queue struct {
	mu      sync.Mutex
	waiting batch
	writing batch         // what is in a transaction now
	room    chan struct{} // closed, and replaced, when a batch was written
	err     error         // of a batch, not told yet
	closed  bool

	soon   chan struct{}      // there are changes
	later  chan struct{}      // there are counts
	now    chan chan struct{} // someone waits for the end of a write
	ending chan struct{}      // closed by stop
	ended  chan struct{}      // closed when the goroutine is done
}

// start starts the goroutine.
func (q *queue) start(write func(batch) error) {
	q.waiting, q.writing, q.room = newBatch(), newBatch(), make(chan struct{})
	q.soon, q.later, q.now = make(chan struct{}, 1), make(chan struct{}, 1), make(chan chan struct{})
	q.ending, q.ended = make(chan struct{}), make(chan struct{})
	go q.run(write)
}

// stop writes what waits and ends the goroutine. It reports whether it was the
// first to do so, and the error of what could not be written.
func (q *queue) stop() (first bool, err error) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		<-q.ended
		return false, nil
	}
	q.closed = true
	q.mu.Unlock()
	close(q.ending)
	<-q.ended
	q.mu.Lock()
	defer q.mu.Unlock()
	return true, q.takeError()
}

// takeError returns the error that was not told yet. The caller holds the lock.
func (q *queue) takeError() error {
	err := q.err
	q.err = nil
	return err
}

// look returns what waits to become of a key.
func (q *queue) look(k cache.Key) (change, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return change{}, false, cache.ErrClosed
	}
	c, ok := q.waiting.changes[k]
	if !ok {
		c, ok = q.writing.changes[k]
	}
	return c, ok, nil
}

// count counts a look at a key; used is the time to write for it, 0 for none.
func (q *queue) count(k cache.Key, used int64, hit bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if hit {
		q.waiting.hits++
	} else {
		q.waiting.misses++
	}
	if used > 0 {
		q.waiting.used[k] = used
	}
	wake(q.later)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add puts a change into the queue. It waits while the queue is full. The error
// may be that of an earlier change, which was not written; this one is.
func (q *queue) add(ctx context.Context, k cache.Key, c change) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && (len(q.waiting.changes) >= maxChanges || q.waiting.bytes >= maxBytes) {
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
		q.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if q.closed {
		return cache.ErrClosed
	}
	if c.gone {
		c.value = nil
	}
	q.waiting.bytes += int64(len(c.value)) - int64(len(q.waiting.changes[k].value))
	q.waiting.changes[k] = c
	wake(q.soon)
	return q.takeError()
}

// flush waits until all that waits now is written.
func (q *queue) flush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case q.now <- done:
	case <-q.ending:
		return cache.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.takeError()
}

// run writes batches until stop.
func (q *queue) run(write func(batch) error) {
	defer close(q.ended)
	timer := time.NewTimer(0)
	<-timer.C
	counts, changes := false, false // what the timer runs for
	for {
		select {
		case <-q.ending:
			q.writeAll(write)
			return
		case done := <-q.now:
			q.writeAll(write)
			close(done)
		case <-q.soon:
			if !changes { // they do not wait for counts
				timer.Reset(gather)
				changes = true
			}
			continue
		case <-q.later:
			if !counts && !changes {
				timer.Reset(gatherCounts)
				counts = true
			}
			continue
		case <-timer.C:
			q.writeAll(write)
		}
		timer.Stop()
		counts, changes = false, false
	}
}

// writeAll writes what waits.
func (q *queue) writeAll(write func(batch) error) {
	q.mu.Lock()
	b := q.waiting
	if len(b.changes)+len(b.used) == 0 && b.hits+b.misses == 0 {
		q.mu.Unlock()
		return
	}
	q.writing, q.waiting = b, newBatch()
	close(q.room)
	q.room = make(chan struct{})
	q.mu.Unlock()

	err := write(b)

	q.mu.Lock()
	q.writing = newBatch()
	if err != nil {
		q.err = err
	}
	q.mu.Unlock()
}
