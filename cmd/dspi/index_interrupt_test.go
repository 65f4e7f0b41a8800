package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// TestIndexInterrupted: an interruption says what becomes of the work, and no more.
func TestIndexInterrupted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.dsp")
	writeFile(t, file, "retriever notes { file = \"notes.jsonl\" }\n")
	writeFile(t, filepath.Join(dir, "notes.jsonl"), "{\"text\": \"a fox\"}\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	status := newApp(strings.NewReader(""), io.Discard, &errs, nil).run(ctx, []string{"index", file})
	if status != exitInterrupted || !strings.Contains(errs.String(), "is not finished") || strings.Contains(errs.String(), "error:") {
		t.Errorf("status %d, %s", status, errs.String())
	}
}
