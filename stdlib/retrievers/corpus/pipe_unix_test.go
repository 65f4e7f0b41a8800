//go:build unix

package corpus

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipe: a pipe in a folder is passed over, and nobody waits for what it would give.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.md", "text")
	pipe := filepath.Join(dir, "b.md")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := (&Corpus{Folder: dir, Name: "docs"}).Files(t.Context())
	if err != nil || len(got) != 1 || got[0].Name != "a.md" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := (&Corpus{File: pipe, Name: "b.md"}).Files(t.Context()); err == nil || !strings.Contains(err.Error(), "b.md is no regular file") {
		t.Errorf("a pipe alone: %v", err)
	}
}
