package align

import (
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// WorkOfRead returns how many steps the reading of a reply takes.
func WorkOfRead(sig *program.Signature, form, reply string, mode Mode) int {
	r := &run{mode: mode}
	r.read(sig, form, reply)
	return r.steps + len(r.repairs) + len(r.faults)
}

// WorkOfValue returns how many steps the reading of a value takes.
func WorkOfValue(t types.Type, text string, mode Mode) int {
	r := &run{mode: mode}
	if text, ok := r.clean(text); ok {
		r.section(t, text, nil)
	}
	return r.steps + len(r.repairs) + len(r.faults)
}
