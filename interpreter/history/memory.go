package history

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a Store in the process. Its zero value is ready for use.
type Memory struct {
	mu      sync.Mutex
	closed  bool
	runs    map[string]*Run
	steps   map[string]map[int]*Step // by run and number
	calls   map[string]map[int]*Call
	writers map[string]*Writer
	pruned  time.Time
}

// Write keeps a batch.
func (m *Memory) Write(_ context.Context, b *Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.runs == nil {
		m.runs, m.writers = map[string]*Run{}, map[string]*Writer{}
		m.steps, m.calls = map[string]map[int]*Step{}, map[string]map[int]*Call{}
	}
	if w := b.Writer; w != nil {
		m.writers[w.ID] = w
		if w.Gone {
			delete(m.writers, w.ID)
		}
	}
	for _, id := range b.Again {
		delete(m.steps, id)
		delete(m.calls, id)
	}
	for _, r := range b.Runs {
		if old := m.runs[r.ID]; old != nil && !old.Started.Equal(r.Started) {
			c := *r
			c.Started = old.Started
			r = &c
		}
		m.runs[r.ID] = r
	}
	for _, s := range b.Steps {
		if m.steps[s.Run] == nil {
			m.steps[s.Run] = map[int]*Step{}
		}
		m.steps[s.Run][s.Number] = s
	}
	for _, c := range b.Calls {
		if m.calls[c.Run] == nil {
			m.calls[c.Run] = map[int]*Call{}
		}
		m.calls[c.Run][c.Number] = c
	}
	return nil
}

// Run returns a run.
func (m *Memory) Run(_ context.Context, id string) (*Whole, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var found []string
	if id == "" {
		if newest := m.newest(); len(newest) > 0 {
			found = []string{newest[0].ID}
		}
	} else {
		for x := range m.runs {
			if strings.HasPrefix(x, id) {
				found = append(found, x)
			}
		}
	}
	if m.runs[id] == nil && len(found) != 1 {
		slices.Sort(found)
		return nil, &NoRunError{ID: id, Several: found}
	}
	if m.runs[id] == nil {
		id = found[0]
	}
	runs := []Run{*m.runs[id]}
	Settle(runs, m.writers, time.Now())
	w := &Whole{Run: runs[0], Steps: []Step{}, Calls: []Call{}}
	for _, s := range m.steps[id] {
		w.Steps = append(w.Steps, *s)
	}
	for _, c := range m.calls[id] {
		w.Calls = append(w.Calls, *c)
	}
	w.Arrange()
	return w, nil
}

// Arrange puts steps and calls into the order in which they began, and counts
// what a run without an end has used: for stores.
func (w *Whole) Arrange() {
	slices.SortFunc(w.Steps, func(a, b Step) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Number, b.Number)) })
	slices.SortFunc(w.Calls, func(a, b Call) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Number, b.Number)) })
	if w.Ended == nil {
		w.Usage = UsageOf(w.Calls)
	}
}

// newest returns the runs, the newest first.
func (m *Memory) newest() []Run {
	out := make([]Run, 0, len(m.runs))
	for _, r := range m.runs {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Run) int { return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.ID, a.ID)) })
	return out
}

// Runs returns runs, the newest first.
func (m *Memory) Runs(_ context.Context, limit int) ([]Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	out := m.newest()
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	Settle(out, m.writers, time.Now())
	for i := range out {
		if out[i].Ended != nil {
			continue
		}
		calls := []Call{}
		for _, c := range m.calls[out[i].ID] {
			calls = append(calls, *c)
		}
		out[i].Usage = UsageOf(calls)
	}
	return out, nil
}

// Delete deletes runs.
func (m *Memory) Delete(_ context.Context, ids ...string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, ErrClosed
	}
	n := 0
	for id := range m.runs {
		if batch, ok := IsRow(id); ok && slices.Contains(ids, batch) && !slices.Contains(ids, id) {
			ids = append(slices.Clip(ids), id)
		}
	}
	for _, id := range ids {
		if m.runs[id] != nil {
			n++
		}
		delete(m.runs, id)
		delete(m.steps, id)
		delete(m.calls, id)
	}
	return n, nil
}

// DeleteBefore deletes old runs.
func (m *Memory) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	runs, err := m.Runs(ctx, 0)
	if err != nil {
		return 0, err
	}
	var old []string
	for _, r := range runs {
		if r.Started.Before(t) && r.Status != Running {
			old = append(old, r.ID)
		}
	}
	return m.Delete(ctx, old...)
}

// Prune deletes old runs, unless it did lately.
func (m *Memory) Prune(ctx context.Context, t, since time.Time) (int, error) {
	m.mu.Lock()
	due := m.pruned.Before(since)
	if due {
		m.pruned = time.Now()
	}
	m.mu.Unlock()
	if !due {
		return 0, nil
	}
	return m.DeleteBefore(ctx, t)
}

// Close forgets everything.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.runs, m.steps, m.calls, m.writers = true, nil, nil, nil, nil
	return nil
}
