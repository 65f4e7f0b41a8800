package main

import (
	"os"
	"time"
)

// watchEvery is how often --watch looks whether a file has changed.
const watchEvery = 300 * time.Millisecond

// stamp tells one state of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

// stampsOf returns the states of files. One that is not there has the zero stamp.
func stampsOf(files []string) map[string]stamp {
	out := make(map[string]stamp, len(files))
	for _, name := range files {
		var s stamp
		if info, err := os.Stat(name); err == nil {
			s = stamp{info.ModTime().Round(0), info.Size()}
		}
		out[name] = s
	}
	return out
}

// ticker returns a channel that has a value every so often, and what ends it.
// Tests put their own channel into app.ticks.
func (a *app) ticker(every time.Duration) (<-chan time.Time, func()) {
	if a.ticks != nil {
		return a.ticks, func() {}
	}
	t := time.NewTicker(every)
	return t.C, t.Stop
}
