// Package examples holds the programs of this folder that need nothing beside them, so
// that the playground can offer them anywhere.
package examples

import "embed"

// Files are the programs.
//
//go:embed hello.dsp triage.dsp three_steps.dsp tour/01_hello.dsp tour/02_signatures.dsp tour/05_flow.dsp
var Files embed.FS
