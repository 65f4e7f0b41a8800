// Package lmtest holds the suites that language models pass, and a model for tests
// of everything that calls one.
//
//	Exercise    what every provider that speaks HTTP must do (exercise.go, faults.go,
//	            requests.go, streams.go)
//	Forms       the part of it that servers of one dialect may differ in (exercise.go)
//	Requests    what a provider may be asked beyond text, by name (requests.go)
//	Dialect     how a provider's server is spoken for in that suite (dialect.go)
//	Contract    what every lm.LM must do, in the process or not (lmtest.go)
//	Recorder    a model with prepared replies that keeps its requests (recorder.go)
//	Benchmark   one call of a provider against a server in the process (dialect.go)
//
// A provider's test is one call: lmtest.Exercise(t, dialect).
package lmtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// Contract checks what holds for every lm.LM: it has an address, obeys a context that is
// over, reports it as it should, leaves requests as they are and can be called by many
// goroutines. fresh returns a model that answers 50 calls.
func Contract(t *testing.T, fresh func(t *testing.T) lm.LM) {
	t.Run("address", func(t *testing.T) {
		if a := fresh(t).Address(); a == "" {
			t.Error("the address is empty")
		}
	})
	t.Run("canceled before the call", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := fresh(t).Generate(ctx, Ask("hello"))
		wantKind(t, err, lm.KindCanceled)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error %v is no context.Canceled", err)
		}
	})
	t.Run("deadline before the call", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		_, err := fresh(t).Generate(ctx, Ask("hello"))
		wantKind(t, err, lm.KindTimeout)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error %v is no context.DeadlineExceeded", err)
		}
	})
	t.Run("many goroutines", func(t *testing.T) {
		m := fresh(t)
		req, before := rich(), rich()
		req.Stop, before.Stop = nil, nil // not every protocol has it
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := m.Generate(t.Context(), req); err != nil {
					t.Errorf("one of 50 calls at once failed: %v", err)
				}
			})
		}
		all.Wait()
		if !reflect.DeepEqual(req, before) {
			t.Errorf("the request was changed: %+v", req)
		}
	})
}

// Ask returns the request that holds one user message.
func Ask(text string) *lm.Request {
	return &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: text}}}
}

// rich returns a request that uses everything most providers can send.
func rich() *lm.Request {
	temperature, topP, maxTokens := 0.25, 0.5, 77
	return &lm.Request{
		Messages: []lm.Message{
			{Role: lm.System, Content: "Be brief."},
			{Role: lm.User, Content: "One?"},
			{Role: lm.Assistant, Content: "1"},
			{Role: lm.User, Content: "Two? <tag> & \"quotes\"\n\n[[ ## x ## ]] ünïcödé 日本 🙂"},
		},
		Params: lm.Params{Temperature: &temperature, TopP: &topP, MaxTokens: &maxTokens, Stop: []string{"END", "\n--"}},
	}
}

// wantKind checks that err is an *lm.Error of a kind and returns it.
func wantKind(t *testing.T, err error, kind lm.Kind) *lm.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one of kind %s", kind)
	}
	e, ok := errors.AsType[*lm.Error](err)
	if !ok {
		t.Fatalf("the error is a %T and no *lm.Error: %v", err, err)
	}
	if e.Kind != kind {
		t.Fatalf("the error is of kind %s, want %s: %v", e.Kind, kind, e)
	}
	if e.Model == "" {
		t.Errorf("the error does not name the model: %v", e)
	}
	return e
}

// everything returns all that is written in an error, for people or in a dump.
func everything(err error) string {
	text := fmt.Sprintf("%v | %+v | %#v", err, err, err)
	if e := lm.AsError(err); e != nil {
		text += fmt.Sprintf(" | %+v | %+v | %#v", *e, e.Err, e.Err)
	}
	for err != nil {
		text += " | " + err.Error()
		err = errors.Unwrap(err)
	}
	return text
}
