package python

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The cases of testdata/protocol are conversations of a host with a worker. Here the
// host is ours and the worker is played by the case; host.py there plays the host
// against the real worker.

type protocolCase struct {
	About  string `json:"about"`
	Frames []struct {
		Host   map[string]any `json:"host"`
		Worker map[string]any `json:"worker"`
	} `json:"frames"`
}

// TestProtocol plays every case.
func TestProtocol(t *testing.T) {
	paths, err := filepath.Glob("testdata/protocol/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var c protocolCase
			if err := json.Unmarshal(data, &c); err != nil {
				t.Fatal(err)
			}
			c.play(t)
		})
	}
}

// fakeWorker is the other end of a wire.
type fakeWorker struct {
	t     *testing.T
	wire  wire
	names map[string]any
	next  float64
}

// newFake returns a worker whose process is the test itself.
func newFake(t *testing.T, o Options) (*worker, *fakeWorker) {
	o = o.withDefaults()
	toWorker, ours := io.Pipe()
	theirs, fromWorker := io.Pipe()
	w := &worker{opt: &o, dead: make(chan struct{}), stopped: make(chan struct{}), calls: map[int64]*inflight{}, programs: map[string]*creating{}}
	w.end = func() string { return "exit status 0" }
	w.slay = func() { toWorker.Close(); fromWorker.Close() }
	w.wire = &wire{from: theirs, to: ours, most: o.MaxFrame}
	first := make(chan error, 1)
	go func() {
		w.run(first)
		close(w.stopped)
	}()
	f := &fakeWorker{t: t, wire: wire{from: toWorker, to: fromWorker, most: o.MaxFrame}, names: map[string]any{}, next: 100}
	t.Cleanup(func() {
		w.kill()
		<-w.stopped
	})
	f.send(map[string]any{"type": "hello", "protocol": 1, "python": "3.12.1", "dspy": "3.3.1", "pid": 1})
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	return w, f
}

func (f *fakeWorker) send(frame map[string]any) {
	data, err := json.Marshal(frame)
	if err != nil {
		f.t.Error(err)
	}
	if _, err := f.wire.to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)); err != nil {
		f.t.Error(err)
	}
}

func (f *fakeWorker) read() map[string]any {
	var head [4]byte
	if _, err := io.ReadFull(f.wire.from, head[:]); err != nil {
		f.t.Error(err)
		return nil
	}
	data := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(f.wire.from, data); err != nil {
		f.t.Error(err)
		return nil
	}
	var frame map[string]any
	if err := json.Unmarshal(data, &frame); err != nil {
		f.t.Error(err)
	}
	return frame
}

// bound puts numbers in the place of names: `$a`.
func (f *fakeWorker) bound(v any) any {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "$") {
			if f.names[v] == nil {
				f.next++
				f.names[v] = f.next
			}
			return f.names[v]
		}
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = f.bound(x)
		}
		return out
	}
	return v
}

// caseHost answers what the case's worker asks with what its host says.
type caseHost struct{ answers chan map[string]any }

func (h caseHost) ask(ctx context.Context, _ string, _ json.RawMessage) (json.RawMessage, error) {
	select {
	case a := <-h.answers:
		if e, ok := a["error"].(map[string]any); ok {
			number, _ := e["number"].(float64)
			return nil, &RemoteError{Kind: e["kind"].(string), Message: e["message"].(string), Number: int(number)}
		}
		return json.Marshal(a["result"])
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h caseHost) partial(json.RawMessage) {}

type callEnd struct {
	result json.RawMessage
	err    error
}

func (c *protocolCase) play(t *testing.T) {
	w, f := newFake(t, Options{})
	hosts := map[float64]caseHost{}
	asking := map[any]float64{} // the call of a question
	ends := map[float64]chan callEnd{}
	cancels := map[float64]context.CancelFunc{}
	cancelled := map[float64]bool{}
	for _, frame := range c.Frames {
		if frame.Worker != nil {
			sent := f.bound(frame.Worker).(map[string]any)
			f.send(sent)
			switch sent["type"] {
			case "request":
				asking[sent["id"]] = sent["call"].(float64)
			case "response":
				id := sent["id"].(float64)
				end := <-ends[id]
				checkEnd(t, sent, end)
				cancels[id]()
			}
			continue
		}
		said := f.bound(frame.Host).(map[string]any)
		switch id := said["id"].(float64); said["type"] {
		case "request":
			h := caseHost{make(chan map[string]any, 1)}
			ctx, cancel := context.WithCancel(t.Context())
			hosts[id], ends[id], cancels[id] = h, make(chan callEnd, 1), cancel
			go func() {
				result, err := w.call(ctx, said["command"].(string), "", said["args"], h, 0)
				ends[id] <- callEnd{result, err}
			}()
		case "response":
			hosts[asking[said["id"]]].answers <- said
		case "cancel":
			cancels[id]()
			cancelled[id] = true
		}
		got := f.read()
		for got["type"] == "response" && cancelled[asking[got["id"]]] && !reflect.DeepEqual(got, said) {
			got = f.read() // a question that the cancelled call asked may be told that it is over
		}
		if !reflect.DeepEqual(got, said) {
			t.Fatalf("the host sends\n%v\nwant\n%v", got, said)
		}
	}
}

// checkEnd compares what a call came to with the response that the worker sent.
func checkEnd(t *testing.T, sent map[string]any, end callEnd) {
	t.Helper()
	if errors.Is(end.err, context.Canceled) {
		return // nobody waited for the response
	}
	if e, ok := sent["error"].(map[string]any); ok {
		var remote *RemoteError
		if !errors.As(end.err, &remote) || remote.Kind != e["kind"] || remote.Message != e["message"] {
			t.Errorf("the call ends with %v, want %v", end.err, e)
		}
		return
	}
	var got any
	if end.err != nil || json.Unmarshal(end.result, &got) != nil || !reflect.DeepEqual(got, sent["result"]) {
		t.Errorf("the call gives %s, %v; want %v", end.result, end.err, sent["result"])
	}
}

// TestFrames: what is no frame ends the worker, and what is too large is not sent.
func TestFrames(t *testing.T) {
	for name, data := range map[string][]byte{
		"too large": {0xff, 0xff, 0xff, 0xff},
		"no JSON":   append([]byte{0, 0, 0, 3}, "abc"...),
		"cut":       {0, 0, 0, 9, '{'},
	} {
		t.Run(name, func(t *testing.T) {
			w, f := newFake(t, Options{})
			if _, err := f.wire.to.Write(data); err != nil {
				t.Fatal(err)
			}
			if name == "cut" {
				f.wire.to.(io.Closer).Close()
			}
			<-w.dead
			_, err := w.call(t.Context(), "ping", "", struct{}{}, nil, 0)
			var died *DiedError
			if !errors.As(err, &died) || !died.Unsent {
				t.Errorf("a call then ends with %v", err)
			}
		})
	}
	w, f := newFake(t, Options{MaxFrame: 1000})
	_, err := w.call(t.Context(), "execute_program", "", strings.Repeat("x", 1000), nil, 0)
	var remote *RemoteError
	if !errors.As(err, &remote) || remote.Kind != "too_large" {
		t.Errorf("a call ends with %v", err)
	}
	done := make(chan callEnd, 1)
	go func() {
		result, err := w.call(t.Context(), "execute_program", "", struct{}{}, caseHost{}, 0)
		done <- callEnd{result, err}
	}()
	id := f.read()["id"]
	f.send(map[string]any{"type": "response", "id": 4711, "result": 1}) // of nobody
	f.send(map[string]any{"type": "request", "id": 1, "call": 4711, "command": "lm"})
	if got := f.read(); got["error"].(map[string]any)["kind"] != "ended" {
		t.Errorf("a question of nobody's call is answered with %v", got)
	}
	f.send(map[string]any{"type": "response", "id": id, "result": 1})
	if end := <-done; end.err != nil || string(end.result) != "1" {
		t.Errorf("the call gives %s, %v", end.result, end.err)
	}
}

// FuzzFrame: whatever a worker writes, reading it ends with a message or an error.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add([]byte("\x00\x00\x00\x10{\"type\":\"hello\"}"))
	f.Add([]byte("\x00\x00\x00\x1d{\"type\":\"response\",\"id\":1e99}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := wire{from: bytes.NewReader(data), most: 1 << 16}
		for {
			m, err := w.read()
			if err != nil {
				return
			}
			var out bytes.Buffer
			again := wire{from: &out, to: &out, most: 1 << 20}
			if err := again.write(m); err != nil {
				t.Fatal(err)
			}
			back, err := again.read()
			if err != nil || back.Type != m.Type || back.ID != m.ID {
				t.Fatalf("%+v comes back as %+v, %v", m, back, err)
			}
		}
	})
}

// TestWorkerCode: the embedded package is whole.
func TestWorkerCode(t *testing.T) {
	boot, files := bootScript()
	if !strings.Contains(boot, "def boot()") {
		t.Error("there is no boot script")
	}
	if got := slices.Sorted(maps.Keys(files)); fmt.Sprint(got) != "[dspi dspi._calls dspi._code dspi._functions dspi._lm dspi._optimize dspi._programs dspi._serve dspi._values dspi._wire]" {
		t.Errorf("the modules are %v", got)
	}
}
