package main

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter"
)

func TestUsageLine(t *testing.T) {
	usd := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		usage interpreter.Usage
		took  time.Duration
		want  string
	}{
		{interpreter.Usage{Calls: 1, InputTokens: 52, OutputTokens: 8, USD: usd(0.0001)}, 12 * time.Millisecond, "1 call, 52 tokens in, 8 out, $0.0001, 12 ms"},
		{interpreter.Usage{Calls: 2, InputTokens: 1, OutputTokens: 8}, 1500 * time.Millisecond, "2 calls, 1 token in, 8 out, price unknown, 1.5 s"},
		{interpreter.Usage{Calls: 2, InputTokens: 10, Estimated: true, USD: usd(0)}, 61 * time.Second, "2 calls, about 10 tokens in, 0 out, $0, 1 min 01 s"},
		{interpreter.Usage{Calls: 9, InputTokens: 10, USD: usd(0.00001)}, 2 * time.Hour, "9 calls, 10 tokens in, 0 out, under $0.0001, 2 h 00 min"},
		{interpreter.Usage{Calls: 9, InputTokens: 10, USD: usd(12.345)}, 0, "9 calls, 10 tokens in, 0 out, $12.35, 0 ms"},
		{interpreter.Usage{USD: usd(0)}, 0, "0 calls, 0 ms"},
	} {
		if got := usageLine(tt.usage, tt.took); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestHarmless(t *testing.T) {
	if got, want := harmless("a\x1b[31mb\tc\nd\x7f\u009b"), "a␛[31mb\tc\nd␡\ufffd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressLine(t *testing.T) {
	p := newProgress()
	now := p.start.Add(10 * time.Second)
	if got := p.line(now); got != "0 rows" {
		t.Errorf("at the start: %q", got)
	}
	p.setTotal(600)
	for range 120 {
		p.wrote(false)
	}
	p.wrote(true)
	if got, want := p.line(now), "121 of 600 rows, 12.1 a second, 39.6 s left, 1 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.line(p.start.Add(time.Hour)), "121 of 600 rows, 2.0 a minute, 3 h 57 min left, 1 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFitLine(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  string
	}{{"abcdef", 0, "abcdef"}, {"abcdef", 10, "abcdef"}, {"abcdef", 6, "abcd…"}, {"äöüß€x", 4, "äö…"}} {
		if got := fitLine(tt.line, tt.width); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"a/b.dsp": "a/b.dsp", "a b": "'a b'", "it's": `'it'\''s'`} {
		if got := shellWord(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// broken fails every write.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// TestOutputFailure: a full disk is told, a reader that went away is not.
func TestOutputFailure(t *testing.T) {
	full := errors.New("no space left")
	for _, tt := range []struct {
		err  error
		code int
	}{{full, 1}, {syscall.EPIPE, 0}} {
		var errs recorder
		a := newApp(nil, broken{tt.err}, &errs, os.Environ())
		if code := a.run(t.Context(), []string{"version"}); code != tt.code || (code == 0) != (errs.text == "") {
			t.Errorf("%v: exit status %d, stderr %q", tt.err, code, errs.text)
		}
	}
}

// TestPanic: a fault of dspi's own is a short message, and its place a matter of
// DSPI_DEBUG.
func TestPanic(t *testing.T) {
	for _, debug := range []string{"", "1"} {
		var errs recorder
		a := newApp(nil, &recorder{}, &errs, []string{"DSPI_DEBUG=" + debug})
		a.in = nil
		code := a.run(t.Context(), []string{"fmt", "-"})
		if code != exitUsage || !contains(errs.text, "fault of its own", "version") || contains(errs.text, "goroutine") != (debug != "") {
			t.Errorf("exit status %d, stderr %q", code, errs.text)
		}
	}
}

type recorder struct{ text string }

func (r *recorder) Write(p []byte) (int, error) { r.text += string(p); return len(p), nil }

func contains(text string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}
