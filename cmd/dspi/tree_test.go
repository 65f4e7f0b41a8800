package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/trace"
)

// TestTree draws a run: programs with their steps under them, elements as one line,
// rounds by their number.
func TestTree(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	element := func(i int) *int { return &i }
	x := newTree()
	for _, e := range []trace.Event{
		{Kind: trace.StepStart, Time: at(0), Step: 1, Path: "docs"},
		{Kind: trace.StepEnd, Time: at(0.2), Step: 1, Path: "docs"},
		{Kind: trace.StepStart, Time: at(0.2), Step: 2, Path: "each[0]", Element: element(0)},
		{Kind: trace.StepStart, Time: at(0.2), Step: 3, Path: "each[1]", Element: element(1)},
		{Kind: trace.StepStart, Time: at(0.2), Step: 4, Path: "each[2]", Element: element(2)},
		{Kind: trace.StepStart, Time: at(0.2), Step: 9, Parent: 4, Path: "each[2]/inner", Element: element(2)},
		{Kind: trace.StepEnd, Time: at(0.5), Step: 2, Path: "each[0]", Element: element(0)},
		{Kind: trace.StepEnd, Time: at(0.6), Step: 3, Path: "each[1]", Element: element(1), Err: errors.New("no")},
		{Kind: trace.StepStart, Time: at(0.7), Step: 5, Path: "rag"},
		{Kind: trace.StepStart, Time: at(0.8), Step: 6, Parent: 5, Path: "rag/respond"},
		{Kind: trace.CallStart, Time: at(0.8), Step: 6, Model: "openai/x"},
		{Kind: trace.StepStart, Time: at(0.9), Step: 7, Path: "improve#2/critique"},
		{Kind: trace.ToolStart, Time: at(0.9), Step: 7, Tool: "weather"},
	} {
		x.see(e)
	}
	got := strings.Join(x.lines(at(2.2), "*"), "\n")
	want := `✓ docs  0.2 s
* each  2.0 s  2 done, 1 at work, 1 failed
* rag  1.5 s
  * respond  1.4 s  asks openai/x
* improve#2/critique  1.3 s  calls weather`
	if got != want {
		t.Errorf("drawn as\n%s\nwant\n%s", got, want)
	}
}

// TestTreeIsShort leaves out what is done where there is no room.
func TestTreeIsShort(t *testing.T) {
	x := newTree()
	for i := range 40 {
		x.see(trace.Event{Kind: trace.StepStart, Step: i + 1, Path: "s"})
		if i < 35 {
			x.see(trace.Event{Kind: trace.StepEnd, Step: i + 1, Path: "s"})
		}
	}
	lines := x.lines(time.Time{}, "*")
	if len(lines) != maxTree+1 || lines[0] != "… 24 steps more" || strings.Count(strings.Join(lines, "\n"), "*") != 5 {
		t.Errorf("drawn as\n%s", strings.Join(lines, "\n"))
	}
}
