//go:build dspy

package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDSPyScripts runs the scripts of testdata/python: programs with functions in
// Python behind tools, metrics, data sets, retrievers and embedders.
func TestDSPyScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/python",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DSPI_PYTHON", os.Getenv("DSPI_PYTHON"))
			env.Setenv("GORACE", noPause)
			env.Setenv("DSPI_CACHE", "off")
			env.Setenv("DSPI_HISTORY", "off")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status": status,
		},
	})
}
