//go:build unix

package dspi_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/source"
)

// TestColumnsPipe: a pipe is not waited for.
func TestColumnsPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "rows.jsonl"), 0o600); err != nil {
		t.Fatal(err)
	}
	from := source.NewFile(filepath.Join(dir, "a.dsp"), "")
	const says = "rows.jsonl is no regular file"
	if _, err := dspi.Columns(from, "rows.jsonl"); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("columns: %v", err)
	}
	if _, err := dspi.PassageColumns(from, "rows.jsonl"); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("columns of passages: %v", err)
	}
}
