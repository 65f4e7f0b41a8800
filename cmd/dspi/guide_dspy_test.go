//go:build dspy

package main

import (
	"os"
	"testing"
)

// TestDSPyFromDSPy runs docs/guides/from-dspy.md with its commands that need DSPy.
func TestDSPyFromDSPy(t *testing.T) {
	python := os.Getenv("DSPI_PYTHON")
	p := &pageRun{
		t: t, path: "../../docs/guides/from-dspy.md", dir: t.TempDir(), python: python,
		env: []string{"DSPI_PYTHON=" + python, "HOME=" + t.TempDir()},
	}
	if ran := p.run(); ran < 9 {
		t.Errorf("only %d commands", ran)
	}
}
