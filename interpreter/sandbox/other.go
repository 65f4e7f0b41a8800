//go:build !linux

package sandbox

import (
	"os/exec"
	"runtime"
)

func bubblewrap(*facts, Limits) (*exec.Cmd, error) {
	return nil, refused("it is for Linux, and this is %s", runtime.GOOS)
}

func landlock(*facts, Limits) (*exec.Cmd, func(bool) error, error) {
	return nil, nil, refused("it is for Linux, and this is %s", runtime.GOOS)
}

func startRefusal(_ Way, err error) error { return refused("it cannot be started: %v", err) }
