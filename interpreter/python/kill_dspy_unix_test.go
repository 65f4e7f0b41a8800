//go:build dspy && unix

package python_test

import "syscall"

// killOne kills a process, and reports whether it was there.
func killOne(pid int) bool { return syscall.Kill(pid, syscall.SIGKILL) == nil }
