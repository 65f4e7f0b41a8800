package journal

import (
	"context"
	"slices"
	"sync"
)

// Memory is a Journal in the process: for runs that are resumed by the process that
// began them, and for tests. Its zero value is ready for use.
type Memory struct {
	mu   sync.Mutex
	runs map[string]map[question][]*Entry // in the order of Nth
}

// Find returns an entry.
func (m *Memory) Find(_ context.Context, run string, k Key) (*Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.runs[run][question{k.Path, k.Hash}] {
		if e.Key.Nth >= k.Nth {
			return e, nil
		}
	}
	return nil, nil
}

// Write keeps an entry.
func (m *Memory) Write(_ context.Context, e *Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[string]map[question][]*Entry{}
	}
	if m.runs[e.Run] == nil {
		m.runs[e.Run] = map[question][]*Entry{}
	}
	q := question{e.Key.Path, e.Key.Hash}
	list := m.runs[e.Run][q]
	i, found := slices.BinarySearchFunc(list, e, func(a, b *Entry) int { return a.Key.Nth - b.Key.Nth })
	if found {
		list[i] = e
	} else {
		list = slices.Insert(list, i, e)
	}
	m.runs[e.Run][q] = list
	return nil
}

// Forget deletes the entries of a run.
func (m *Memory) Forget(_ context.Context, run string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.runs, run)
	return nil
}

// Count counts replies of models.
func (m *Memory) Count(_ context.Context, run string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, list := range m.runs[run] {
		for _, e := range list {
			if e.Kind == Model {
				n++
			}
		}
	}
	return n, nil
}
