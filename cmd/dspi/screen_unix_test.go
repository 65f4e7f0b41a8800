//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is dspi at work on a terminal, and what a person sees of it.
type terminal struct {
	t    *testing.T
	ctx  context.Context
	cmd  *exec.Cmd
	pty  *os.File
	mu   sync.Mutex
	seen *screen
	news chan struct{} // something was written
	gone chan struct{} // the terminal was closed
	row  int           // of the last prompt
}

// startTerminal runs dspi on a terminal of its own.
func startTerminal(t *testing.T, env []string, args ...string) *terminal {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	x := &terminal{t: t, ctx: ctx, cmd: command(ctx, args...), seen: newScreen(), news: make(chan struct{}, 1), gone: make(chan struct{}), row: -1}
	x.cmd.Env = append(append(x.cmd.Env, "TERM=xterm", "NO_COLOR=1"), env...)
	f, err := pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 500, Cols: screenWidth})
	if err != nil {
		t.Fatal(err)
	}
	x.pty = f
	t.Cleanup(func() { f.Close() })
	go func() {
		defer close(x.gone)
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			x.mu.Lock()
			x.seen.write(buf[:n])
			x.mu.Unlock()
			select {
			case x.news <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return x
}

// until waits until the screen is as ok wants it.
func (x *terminal) until(what string, ok func(s *screen) bool) {
	x.t.Helper()
	for {
		x.mu.Lock()
		done := ok(x.seen)
		x.mu.Unlock()
		if done {
			return
		}
		select {
		case <-x.news:
		case <-x.gone:
			x.t.Fatalf("the terminal was closed before there was %s:\n%s", what, x.text())
		case <-x.ctx.Done():
			x.t.Fatalf("there was no %s:\n%s", what, x.text())
		}
	}
}

// prompt waits for a prompt below the last one.
func (x *terminal) prompt(text string) {
	x.t.Helper()
	x.until("prompt "+strconv.Quote(text), func(s *screen) bool {
		if s.y <= x.row || s.row(s.y) != strings.TrimRight(text, " ") || s.x != len([]rune(text)) {
			return false
		}
		x.row = s.y
		return true
	})
}

// shows waits until a text stands on the cursor's row or below it.
func (x *terminal) shows(text string) {
	x.t.Helper()
	x.until(strconv.Quote(text), func(s *screen) bool {
		for y := s.y; y < len(s.rows); y++ {
			if strings.Contains(s.row(y), text) {
				return true
			}
		}
		return false
	})
}

// keys types.
func (x *terminal) keys(text string) {
	x.t.Helper()
	if _, err := x.pty.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// enter types a line and waits for the prompt that follows.
func (x *terminal) enter(line, prompt string) {
	x.t.Helper()
	x.keys(line + "\r")
	x.prompt(prompt)
}

// ends waits for the end of dspi and returns its exit status.
func (x *terminal) ends() int {
	x.t.Helper()
	_ = x.cmd.Wait()
	select {
	case <-x.gone:
	case <-x.ctx.Done():
		x.t.Fatalf("dspi does not end:\n%s", x.text())
	}
	return x.cmd.ProcessState.ExitCode()
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// screen understands what dspi writes to a terminal, so that a test sees what
// stands there in the end. Its height has no end.
type screen struct {
	rows   [][]rune
	x, y   int
	sx, sy int    // where the cursor was saved
	rest   []byte // a sequence that has not ended yet
}

const screenWidth = 110

func newScreen() *screen { return &screen{rows: [][]rune{nil}} }

var sequence = regexp.MustCompile(`^\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[78=>])`)

func (s *screen) write(p []byte) {
	s.rest = append(s.rest, p...)
	for len(s.rest) > 0 {
		if s.rest[0] == 0x1b {
			m := sequence.Find(s.rest)
			if m == nil {
				return // not here yet
			}
			s.rest = s.rest[len(m):]
			s.control(string(m[1:]))
			continue
		}
		r := []rune(string(s.rest))[0]
		n := len(string(r))
		if r == '\ufffd' {
			if len(s.rest) < 4 {
				return
			}
			n = 1
		}
		s.rest = s.rest[n:]
		s.char(r)
	}
}

func (s *screen) char(r rune) {
	switch r {
	case '\n':
		s.y++
	case '\r':
		s.x = 0
	case '\b':
		s.x = max(0, s.x-1)
	default:
		if r < ' ' {
			return
		}
		if s.x == screenWidth {
			s.x, s.y = 0, s.y+1
		}
		s.grow()
		for len(s.rows[s.y]) <= s.x {
			s.rows[s.y] = append(s.rows[s.y], ' ')
		}
		s.rows[s.y][s.x] = r
		s.x++
	}
	s.grow()
}

func (s *screen) grow() {
	for len(s.rows) <= s.y {
		s.rows = append(s.rows, nil)
	}
}

// control obeys an escape sequence, without its first byte.
func (s *screen) control(c string) {
	switch c {
	case "7":
		s.sx, s.sy = s.x, s.y
	case "8":
		s.x, s.y = s.sx, s.sy
	}
	if c[0] != '[' {
		return
	}
	n, err := strconv.Atoi(c[1 : len(c)-1])
	by := n
	if err != nil || n == 0 {
		by = 1
	}
	switch c[len(c)-1] {
	case 'A':
		s.y = max(0, s.y-by)
	case 'B':
		s.y += by
		s.grow()
	case 'C':
		s.x = min(screenWidth-1, s.x+by)
	case 'D':
		s.x = max(0, s.x-by)
	case 'G':
		s.x = by - 1
	case 'K':
		s.clear(s.y, n)
	case 'J':
		s.clear(s.y, n)
		if n == 0 {
			s.rows = s.rows[:s.y+1]
		}
	}
}

// clear empties a row: behind the cursor (0), before it (1), or all of it (2).
func (s *screen) clear(y, how int) {
	switch row := s.rows[y]; how {
	case 0:
		s.rows[y] = row[:min(s.x, len(row))]
	case 1:
		for i := range row[:min(s.x+1, len(row))] {
			row[i] = ' '
		}
	case 2:
		s.rows[y] = nil
	}
}

func (s *screen) row(y int) string { return strings.TrimRight(string(s.rows[y]), " ") }

func (s *screen) String() string {
	var b strings.Builder
	for y := range s.rows {
		b.WriteString(s.row(y) + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
