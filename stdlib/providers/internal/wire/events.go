package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// ErrEnd is what the reader of events returns when it has all that it needs: the
// rest, if any, is not waited for, and Events returns nil.
var ErrEnd = errors.New("the reply has ended")

// NameJSON is the name of the event that holds a reply which is one JSON object and
// no stream, though a stream was asked for.
const NameJSON = "json"

// linger is how long the end of a body is waited for after ErrEnd, so that its
// connection can be used again.
const linger = 250 * time.Millisecond

// Events sends body as JSON in one request and calls on with each event of the reply
// as it comes: server-sent events with their name and data, or lines of JSON as
// events without a name. A reply that is one JSON object is one event, NameJSON. data
// is valid until on returns.
//
// It returns nil at the end of the body; whether the model had ended is for on to
// know. An error of on ends the request at once and is returned as it is, ErrEnd as
// nil. Every other failure is an *lm.Error, told as Post tells it.
func (e *Endpoint) Events(ctx context.Context, body any, on func(event string, data []byte) error) error {
	give := on
	on = func(event string, data []byte) error {
		if end := e.ended(ctx); end != nil { // what has come already is not wanted, either
			return end
		}
		return give(event, data)
	}
	return e.Stream(ctx, body, "text/event-stream", func(kind string, r io.Reader) error {
		l := &lines{r: r}
		switch kind {
		case "text/event-stream":
			return l.events(on)
		case "application/x-ndjson", "application/jsonl", "application/x-jsonlines":
			return l.objects(on)
		case "", "text/plain":
			if l.peek() != '{' {
				return l.events(on)
			}
		}
		if !isJSON(kind) {
			return errForeign
		}
		return l.whole(on)
	})
}

// Stream sends body as JSON in one request and gives the body of a success to read,
// with its media type ("" if it has none). accept is the media type that is asked
// for. The request ends when read returns; an error of read is returned as it is,
// unless it is why the body could not be read on.
func (e *Endpoint) Stream(ctx context.Context, body any, accept string, read func(kind string, r io.Reader) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := e.send(inner, body, accept)
	if err != nil {
		if end := e.ended(ctx); end != nil {
			return end
		}
		return err
	}
	defer resp.Body.Close()
	kind := ""
	if header := resp.Header.Get("Content-Type"); header != "" {
		if t, _, err := mime.ParseMediaType(header); err == nil || errors.Is(err, mime.ErrInvalidMediaParameter) {
			kind = t
		} else {
			kind = header
		}
	}
	r := &meter{r: resp.Body}
	err = read(kind, r)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrEnd):
		late := time.AfterFunc(linger, cancel)
		defer late.Stop()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody))
		return nil
	case errors.Is(err, errForeign):
		rest, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if end := e.ended(ctx); end != nil {
			return end
		}
		return e.foreignType(resp, resp.Header.Get("Content-Type"), "a stream", append(r.start, rest...))
	case r.err != nil && errors.Is(err, r.err):
		return e.interrupted(ctx, resp, r)
	}
	if f := lm.AsError(err); f != nil && f.Kind == lm.KindReply && f.Status == 0 {
		f.Status = resp.StatusCode
	}
	return err
}

// interrupted is the failure of a body that could not be read on.
func (e *Endpoint) interrupted(ctx context.Context, resp *http.Response, r *meter) *lm.Error {
	switch {
	case errors.Is(r.err, errTooLong):
		return e.tooLong(resp)
	case errors.Is(r.err, errBroken):
		return e.reply(resp, "the reply is not whole JSON", r.start, nil)
	case errors.Is(r.err, errNothing):
		return e.reply(resp, "the reply is empty", nil, nil)
	}
	return e.brokeOff(ctx, resp, r.err, r.n, r.start)
}

var (
	errForeign = errors.New("the reply is of a type that no stream has")
	errTooLong = errors.New("the reply is too long")
	errBroken  = errors.New("the reply is not whole JSON")
	errNothing = errors.New("the reply is empty")
)

// meter reads a body up to MaxReply and remembers how it began and why it ended.
type meter struct {
	r     io.Reader
	n     int
	start []byte
	err   error // why it could not be read on; nil at a clean end
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(p)
	m.n += n
	if room := maxStart*4 - len(m.start); room > 0 {
		m.start = append(m.start, p[:min(n, room)]...)
	}
	switch {
	case m.n > MaxReply:
		m.err = errTooLong
		return n, m.err
	case err != nil && err != io.EOF:
		m.err = err
	}
	return n, err
}

// lines reads lines that end with \n, \r\n or \r.
type lines struct {
	r     io.Reader
	buf   []byte // what was read
	at    int    // the start of what was not yet returned
	seen  int    // from where the end of the line is looked for
	skip  bool   // a \r ended the last line: a \n right after it is part of the end
	atEOF bool
}

// fill reads on.
func (l *lines) fill() error {
	if l.at > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.at:])]
		l.seen -= l.at
		l.at = 0
	}
	if len(l.buf) == cap(l.buf) {
		grown := make([]byte, len(l.buf), max(4096, 2*cap(l.buf)))
		copy(grown, l.buf)
		l.buf = grown
	}
	n, err := l.r.Read(l.buf[len(l.buf):cap(l.buf)])
	l.buf = l.buf[:len(l.buf)+n]
	if err == io.EOF {
		l.atEOF = true
		return nil
	}
	return err
}

// peek returns the first byte that is not blank, or 0. It reads only as far.
func (l *lines) peek() byte {
	for {
		if rest := bytes.TrimLeft(l.buf[l.at:], " \t\r\n\ufeff"); len(rest) > 0 {
			return rest[0]
		}
		if l.atEOF || l.fill() != nil {
			return 0
		}
	}
}

// next returns a line without its end, valid until the next call. The last line may
// lack its end. After it, the error is io.EOF.
func (l *lines) next() ([]byte, error) {
	for {
		if l.skip && l.at < len(l.buf) {
			l.skip = false
			if l.buf[l.at] == '\n' {
				l.at++
				l.seen = max(l.seen, l.at)
			}
		}
		rest := l.buf[l.seen:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		if cr := bytes.IndexByte(rest[:end], '\r'); cr >= 0 {
			end = cr
		}
		if end < len(rest) {
			line := l.buf[l.at : l.seen+end]
			l.at = l.seen + end + 1
			l.seen = l.at
			l.skip = rest[end] == '\r'
			return line, nil
		}
		l.seen = len(l.buf)
		if l.atEOF {
			line := l.buf[l.at:]
			l.at = len(l.buf)
			if len(line) == 0 {
				return nil, io.EOF
			}
			return line, nil
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// events reads server-sent events. Comments and the fields id and retry are of no
// use here. An event that the end of the body cuts off is given, too: what is missing
// of it shows in its data.
func (l *lines) events(on func(event string, data []byte) error) error {
	var name string
	var data []byte
	filled := false
	give := func() error {
		if !filled {
			name = ""
			return nil
		}
		err := on(name, data)
		name, data, filled = "", data[:0], false
		return err
	}
	for first := true; ; first = false {
		line, err := l.next()
		if err == io.EOF {
			return give()
		}
		if err != nil {
			return err
		}
		if first {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			if err := give(); err != nil {
				return err
			}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if filled {
				data = append(data, '\n')
			}
			data, filled = append(data, value...), true
		}
	}
}

// objects reads a JSON text in each line.
func (l *lines) objects(on func(event string, data []byte) error) error {
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := on("", line); err != nil {
				return err
			}
		}
	}
}

// whole reads what calls itself JSON: one object, on one line or many, or an object
// in each line.
func (l *lines) whole(on func(event string, data []byte) error) error {
	l.peek()
	var first []byte
	for len(first) == 0 {
		line, err := l.next()
		if err == io.EOF {
			return l.fail(errNothing)
		}
		if err != nil {
			return err
		}
		first = bytes.Clone(bytes.TrimSpace(line))
	}
	if json.Valid(first) {
		if l.peek() != 0 {
			if err := on("", first); err != nil {
				return err
			}
			return l.objects(on)
		}
		if !l.atEOF { // it could not be read on
			return l.fill()
		}
	} else {
		first = append(first, '\n')
		for !l.atEOF {
			if err := l.fill(); err != nil {
				return err
			}
		}
		first = bytes.TrimSpace(append(first, l.buf[l.at:]...))
		if !json.Valid(first) {
			return l.fail(errBroken)
		}
	}
	return on(NameJSON, first)
}

// fail makes err the reason why the body cannot be read on.
func (l *lines) fail(err error) error {
	if m, ok := l.r.(*meter); ok {
		m.err = err
	}
	return err
}
