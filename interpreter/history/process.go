package history

import (
	"errors"
	"os"
	"syscall"
)

// processAlive reports whether there is a process of a number, as far as that can
// be told: where it cannot, it says yes.
func processAlive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
