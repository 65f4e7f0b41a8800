package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
)

// history is the lines of earlier sessions and of this one, as they stand in its
// file. What is kept is decided by the session, so that no secret is.
type history struct {
	path  string // "" when it is not kept
	lines []string
}

const (
	historyLines  = 1000 // kept when the file is cut
	historyAtMost = 2000 // lines at which it is cut
)

// stateFile returns the path of a file in the user's state folder; "" when it is
// not known where that is.
func stateFile(getenv func(string) string, name string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dspi", name)
	}
	if dir := getenv("LOCALAPPDATA"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "dspi", name)
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "dspi", name)
	}
	return ""
}

// openHistory reads the history at path. With an error the history works all the
// same, for this session alone.
func openHistory(path string) (*history, error) {
	h := &history{}
	if path == "" {
		return h, errors.New("neither HOME nor XDG_STATE_HOME names a folder")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		h.path = path
		return h, nil
	}
	if err != nil {
		return h, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := historyLine(s.Text()); line != "" {
			h.lines = append(h.lines, line)
		}
	}
	if err := s.Err(); err != nil {
		return h, err
	}
	h.path = path
	if len(h.lines) > historyAtMost {
		return h, h.cut()
	}
	return h, os.Chmod(path, 0o600)
}

// cut writes the newest lines to a new file in place of the old one.
func (h *history) cut() error {
	h.lines = h.lines[len(h.lines)-historyLines:]
	f, err := os.CreateTemp(filepath.Dir(h.path), "history-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	for _, line := range h.lines {
		fmt.Fprintln(w, line)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), h.path)
}

// historyLine returns a line as it is kept: what commands a terminal is not.
func historyLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s))
}

// add keeps a line, unless it is empty or the last one again.
func (h *history) add(line string) error {
	line = historyLine(line)
	if n := len(h.lines); line == "" || n > 0 && h.lines[n-1] == line {
		return nil
	}
	h.lines = append(h.lines, line)
	if h.path == "" {
		return nil
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		h.path = ""
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}
