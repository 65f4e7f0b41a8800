//go:build unix && !linux

package sandbox

import (
	"os/exec"
	"syscall"
)

// alone gives a process that is not confined a group of its own.
func alone(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// endGroup does nothing here: what code started may go on after its process has ended.
func endGroup(int) {}
