//go:build !unix

package tools

import "os/exec"

// ownGroup does nothing: only the command itself is killed here.
func ownGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
