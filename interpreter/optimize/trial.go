package optimize

import "slices"

// Trial is a candidate that was measured.
type Trial struct {
	N         int // from 1, over all stages
	Stage     string
	Candidate *Candidate
	// Means are those of the objectives, in their order; Rows is how many rows they
	// rest on.
	Means []float64
	Rows  int
	// Set names the rows: "dev" or "train". Full tells that they are all of them: only
	// such trials are compared with each other.
	Set  string
	Full bool
	// Note says in a few words how the candidate was made: "bootstrapped, seed 3".
	Note string
	// Params are the values of the searched parameters by address, of a trial of a
	// search; nil for any other.
	Params map[string]any
	Best   bool // it is the best so far
}

// Event is something that happens while tuning.
type Event struct {
	// Trial is one that has ended; nil where Doing says what is done.
	Trial *Trial
	Doing string
}

// Tried keeps a measured candidate. Full scores are compared with each other: the
// best of them is what is left when the budget ends.
func (s *Study) Tried(score *Score, full bool, note string, params map[string]any) *Trial {
	t := &Trial{
		Stage: s.Stage, Candidate: score.Candidate, Means: score.Means, Rows: len(score.Outcomes), Note: note,
		Full: full && !score.GivenUp, Params: params,
	}
	if len(score.Rows) > 0 {
		t.Set = score.Rows[0].Set
	}
	return s.add(t)
}

func (s *Study) add(t *Trial) *Trial {
	s.state.mu.Lock()
	t.N = len(s.state.trials) + 1
	s.state.trials = append(s.state.trials, t)
	best := s.state.best
	if t.Full && (best == nil || best.Set == t.Set && s.Objectives[0].Value(t.Means[0]) > s.Objectives[0].Value(best.Means[0]) || best.Set != t.Set && t.Set == "dev") {
		t.Best = true
		s.state.best = t
	}
	s.state.mu.Unlock()
	s.tell(Event{Trial: t})
	return t
}

// Reported keeps a candidate that an optimizer outside measured on dev rows, by its mean
// on the first objective, oriented so that more is better.
func (s *Study) Reported(c *Candidate, value float64, rows int, full bool) *Trial {
	means := make([]float64, 1)
	means[0] = s.Objectives[0].Value(value) // it is its own inverse
	return s.add(&Trial{Stage: s.Stage, Candidate: c, Means: means, Rows: rows, Set: "dev", Full: full})
}

// Doing tells whoever watches what is done next: "writing 5 instructions for classify".
func (s *Study) Doing(what string) { s.tell(Event{Doing: what}) }

func (s *Study) tell(e Event) {
	if s.Watch == nil {
		return
	}
	s.state.watch.Lock()
	defer s.state.watch.Unlock()
	s.Watch(e)
}

// Trials returns the trials so far, in their order.
func (s *Study) Trials() []*Trial {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return slices.Clone(s.state.trials)
}

// Best returns the best full trial so far, nil for none. Trials on dev rows come
// before those on training rows.
func (s *Study) Best() *Trial {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	return s.state.best
}
