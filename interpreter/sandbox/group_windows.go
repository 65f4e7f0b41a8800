package sandbox

import "os/exec"

func alone(*exec.Cmd) {}

func endGroup(int) {}
