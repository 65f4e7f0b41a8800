package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

const tracedProgram = `program qa {
  question: string -> answer: string

  predict respond {
    suggest long {
      that    = len(answer) > 90
      message = "More, please."
      retries = 1
    }
  }
}
`

// TestTraceFile: `run --trace` writes each event as a line, asserts among them.
func TestTraceFile(t *testing.T) {
	dir := t.TempDir()
	file, lines := filepath.Join(dir, "qa.dsp"), filepath.Join(dir, "trace.jsonl")
	if err := os.WriteFile(file, []byte(tracedProgram), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out := commandLine(t, []string{"run", file, "question=What is 2 + 3?", "--trace", lines}, nil); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	text, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var x struct{ Kind, Run, Path string }
		if err := json.Unmarshal([]byte(line), &x); err != nil || x.Run == "" {
			t.Fatalf("%s: %v", line, err)
		}
		kinds[x.Kind]++
	}
	for kind, want := range map[string]int{"run_start": 1, "step_start": 1, "call_start": 2, "call_end": 2, "asserted": 2, "step_end": 1, "run_end": 1} {
		if kinds[kind] != want {
			t.Errorf("%d lines of %s, want %d:\n%s", kinds[kind], kind, want, text)
		}
	}
	if code, out := commandLine(t, []string{"run", file, "question=?", "--trace", filepath.Join(dir, "no", "folder")}, nil); code != 2 || !strings.Contains(out, "the trace cannot be written to") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestTelemetry sends a run to the collector that dspi.hcl or the environment names,
// and to none otherwise; one that fails stops nothing.
func TestTelemetry(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "qa.dsp")
	if err := os.WriteFile(file, []byte(tracedProgram), 0o666); err != nil {
		t.Fatal(err)
	}
	var got atomic.Int64
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			got.Add(1)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	run := func(env ...string) string {
		t.Helper()
		code, out := commandLine(t, []string{"run", file, "question=What is 2 + 3?"}, env)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, out)
		}
		return out
	}
	if run(); got.Load() != 0 {
		t.Error("spans were sent, and nobody asked for it")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	if run("OTEL_EXPORTER_OTLP_ENDPOINT=" + s.URL); got.Load() == 0 {
		t.Error("the environment names a collector, and nothing was sent")
	}
	os.Unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	got.Store(0)
	settings := "telemetry {\n  otlp = \"" + s.URL + "\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "dspi.hcl"), []byte(settings), 0o666); err != nil {
		t.Fatal(err)
	}
	if run(); got.Load() == 0 {
		t.Error("dspi.hcl names a collector, and nothing was sent")
	}
	status = http.StatusForbidden
	if out := run(); !strings.Contains(out, "is not sent to the OpenTelemetry collector") {
		t.Errorf("a collector that refuses is not noted: %s", out)
	}
}
