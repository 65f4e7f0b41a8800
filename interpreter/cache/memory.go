package cache

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Memory returns a Cache in this process that keeps at most maxSize bytes;
// DefaultMaxSize for 0 or less.
func Memory(maxSize int64) Cache {
	if maxSize <= 0 {
		maxSize = DefaultMaxSize
	}
	return &memory{max: maxSize, entries: map[Key]*list.Element{}, order: list.New()}
}

type memory struct {
	max int64

	mu      sync.Mutex
	entries map[Key]*list.Element // of *kept
	order   *list.List            // the last used in front
	bytes   int64
	hits    int64
	misses  int64
	closed  bool
}

type kept struct {
	key        Key
	value      []byte
	made, ends time.Time // ends is zero for no end
}

func (m *memory) Get(_ context.Context, k Key) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, false, ErrClosed
	}
	e, ok := m.entries[k]
	if ok && e.Value.(*kept).over(time.Now()) {
		m.remove(e)
		ok = false
	}
	if !ok {
		m.misses++
		return nil, false, nil
	}
	m.hits++
	m.order.MoveToFront(e)
	return e.Value.(*kept).value, true, nil
}

func (k *kept) over(now time.Time) bool { return !k.ends.IsZero() && !now.Before(k.ends) }

func (m *memory) Put(_ context.Context, k Key, value []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if e, ok := m.entries[k]; ok {
		m.remove(e)
	}
	if int64(len(value)) > m.max {
		return nil
	}
	for m.bytes+int64(len(value)) > m.max {
		m.remove(m.order.Back())
	}
	entry := &kept{key: k, value: value, made: time.Now()}
	if ttl > 0 {
		entry.ends = entry.made.Add(ttl)
	}
	m.entries[k] = m.order.PushFront(entry)
	m.bytes += int64(len(value))
	return nil
}

// remove removes an entry. The caller holds the lock.
func (m *memory) remove(e *list.Element) {
	k := m.order.Remove(e).(*kept)
	delete(m.entries, k.key)
	m.bytes -= int64(len(k.value))
}

func (m *memory) Delete(_ context.Context, k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if e, ok := m.entries[k]; ok {
		m.remove(e)
	}
	return nil
}

func (m *memory) Stats(context.Context) (Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Stats{}, ErrClosed
	}
	m.sweep(func(k *kept) bool { return k.over(time.Now()) })
	s := Stats{Entries: len(m.entries), Bytes: m.bytes, MaxSize: m.max, Hits: m.hits, Misses: m.misses}
	for e := m.order.Front(); e != nil; e = e.Next() {
		made := e.Value.(*kept).made
		if s.Oldest.IsZero() || made.Before(s.Oldest) {
			s.Oldest = made
		}
		if made.After(s.Newest) {
			s.Newest = made
		}
	}
	return s, nil
}

// sweep removes what a condition holds of, and counts it. The caller holds the
// lock.
func (m *memory) sweep(gone func(*kept) bool) (n int) {
	for e := m.order.Front(); e != nil; {
		next := e.Next()
		if gone(e.Value.(*kept)) {
			m.remove(e)
			n++
		}
		e = next
	}
	return n
}

func (m *memory) Clear(_ context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, ErrClosed
	}
	if before.IsZero() {
		m.hits, m.misses = 0, 0
	}
	return m.sweep(func(k *kept) bool { return before.IsZero() || k.made.Before(before) }), nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.entries, m.bytes = true, nil, 0
	m.order.Init()
	return nil
}
