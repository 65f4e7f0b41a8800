package main

import "sync"

// display is what is drawn on the terminal while a command works. A question takes
// it away and lets it begin again.
type display struct {
	mu    sync.Mutex
	begin func() (stop func())
	end   func() // nil: nothing is drawn
}

// show draws what begin draws, until stop.
func (s *display) show(begin func() (stop func())) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin, s.end = begin, begin()
}

// stop ends the drawing for good.
func (s *display) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		s.end()
	}
	s.begin, s.end = nil, nil
}

// hold ends the drawing until release is called.
func (s *display) hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		s.end()
		s.end = nil
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.begin != nil && s.end == nil {
			s.end = s.begin()
		}
	}
}
