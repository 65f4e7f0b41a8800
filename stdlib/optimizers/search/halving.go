package search

import (
	"errors"
	"fmt"
	"math"
	"sort"
)

// HalvingOptions are the settings of NewSuccessiveHalving.
type HalvingOptions struct {
	Points int // how many points the first rung has, at least 1
	Min    int // how much each point of the first rung is given, in rows; at least 1
	Max    int // how much the points of the last rung are given, in rows
	Eta    int // one of so many points goes on, with so many times the rows; at least 2, 0: 3
}

// Rung is one round of a successive halving: so many points, each measured with
// so many rows.
type Rung struct {
	Points   int
	Resource int
}

// Job is one thing to measure: a point with so many rows.
type Job struct {
	Point    Point
	Rung     int // from 0
	Resource int // rows
	id       int
}

// SuccessiveHalving gives little to many points and much to the few that are left
// (Karnin, Koren and Somekh 2013; Jamieson and Talwalkar 2016): of each rung the
// best go on to the next, in which they are measured with more rows. What a job
// costs is known before it starts: see Budget. Its points come from a Sampler, which
// is told the last and best-founded score of each point.
type SuccessiveHalving struct {
	sampler Sampler
	rungs   []Rung
	rung    int
	waiting []Point     // points of this rung that are still to be asked
	out     map[int]Job // jobs that were asked and not told
	done    []trial     // what this rung has told
	asked   int
	ended   bool
}

// trial is a job that has been told.
type trial struct {
	job   Job
	score float64
	ok    bool
}

// NewSuccessiveHalving plans the rungs. The number of points and of rows of the
// last rung may be smaller than what Eta makes of the first: a rung has at least one
// point, and none more rows than Max.
func NewSuccessiveHalving(sampler Sampler, options HalvingOptions) (*SuccessiveHalving, error) {
	rungs, err := Rungs(options)
	if err != nil {
		return nil, err
	}
	return &SuccessiveHalving{sampler: sampler, rungs: rungs, out: map[int]Job{}}, nil
}

// Rungs is the plan of a successive halving.
func Rungs(o HalvingOptions) ([]Rung, error) {
	o.Eta = or(o.Eta, 3)
	switch {
	case o.Points < 1:
		return nil, errors.New("successive halving begins with one point at least")
	case o.Eta < 2:
		return nil, fmt.Errorf("eta is 2 at least, and not %d", o.Eta)
	case o.Min < 1 || o.Max < o.Min:
		return nil, fmt.Errorf("successive halving goes from 1 row or more up to at least as many, and not from %d to %d", o.Min, o.Max)
	}
	rungs := []Rung{{o.Points, o.Min}}
	for last := rungs[0]; last.Resource < o.Max; {
		// The last survivor goes straight to all rows: rungs of one point choose nothing.
		next := Rung{max(1, last.Points/o.Eta), o.Max}
		if next.Points > 1 && last.Resource <= o.Max/o.Eta {
			next.Resource = last.Resource * o.Eta
		}
		rungs = append(rungs, next)
		last = next
	}
	return rungs, nil
}

// Rungs returns the plan.
func (s *SuccessiveHalving) Rungs() []Rung { return append([]Rung(nil), s.rungs...) }

// Budget is how many rows all jobs have together: exactly what will be asked, where
// the space has enough points. Rows that a point has had in an earlier rung are
// counted again; who keeps their scores need not pay for them.
func (s *SuccessiveHalving) Budget() int {
	sum := 0
	for _, r := range s.rungs {
		sum += r.Points * r.Resource
	}
	return sum
}

// Ask returns up to n jobs of the present rung. It returns none, and no error, when
// the jobs that are out decide what comes next, and ErrExhausted when the last rung
// is done.
func (s *SuccessiveHalving) Ask(n int) ([]Job, error) {
	if s.ended {
		return nil, ErrExhausted
	}
	r := s.rungs[s.rung]
	if s.rung == 0 {
		if want := min(n, r.Points-s.asked); want > len(s.waiting) {
			points, err := s.sampler.Ask(want - len(s.waiting))
			if errors.Is(err, ErrExhausted) && s.asked > 0 {
				// A space of fewer points: the rung is complete with all of them.
				s.rungs[0].Points = s.asked
				if err := s.advance(); err != nil {
					return nil, err
				}
				return s.Ask(n)
			}
			if err != nil {
				return nil, err
			}
			s.waiting = append(s.waiting, points...)
		}
	}
	var jobs []Job
	for len(jobs) < n && len(s.waiting) > 0 && (s.rung > 0 || s.asked < r.Points) {
		j := Job{Point: s.waiting[0], Rung: s.rung, Resource: r.Resource, id: s.asked}
		s.waiting = s.waiting[1:]
		s.out[s.asked] = j
		s.asked++
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// Tell says what a job has shown: its score, to be minimized, or that measuring
// failed. A failed point never goes on while another is left.
func (s *SuccessiveHalving) Tell(j Job, score float64, ok bool) {
	if known, asked := s.out[j.id]; !asked || known.Rung != j.Rung {
		return
	}
	delete(s.out, j.id)
	s.done = append(s.done, trial{j, score, ok && !math.IsNaN(score)})
	_ = s.advance()
}

// advance goes to the next rung when this one is done.
func (s *SuccessiveHalving) advance() error {
	if len(s.done) < s.rungs[s.rung].Points {
		return nil
	}
	// In the order of asking, so that the order of telling changes nothing.
	sort.Slice(s.done, func(a, b int) bool { return s.done[a].job.id < s.done[b].job.id })
	sort.SliceStable(s.done, func(a, b int) bool {
		x, y := s.done[a], s.done[b]
		return x.ok && (!y.ok || x.score < y.score)
	})
	last := s.rung == len(s.rungs)-1
	keep := 0
	if !last {
		keep = min(s.rungs[s.rung+1].Points, len(s.done))
	}
	// Who goes on is told later, with more rows.
	ended := append([]trial(nil), s.done[keep:]...)
	sort.Slice(ended, func(a, b int) bool { return ended[a].job.id < ended[b].job.id })
	for _, d := range ended {
		s.sampler.Tell(d.job.Point, []float64{d.score}, d.ok)
	}
	if last {
		s.ended = true
		return ErrExhausted
	}
	s.waiting = nil
	for _, d := range s.done[:keep] {
		s.waiting = append(s.waiting, d.job.Point)
	}
	s.done = nil
	s.rung++
	s.rungs[s.rung].Points = keep
	s.asked, s.out = 0, map[int]Job{}
	return nil
}
