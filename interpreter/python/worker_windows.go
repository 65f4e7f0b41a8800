package python

import "os/exec"

// group is the process of a worker. Windows has no process groups to end at once.
type group struct{}

func newGroup(*exec.Cmd) *group { return &group{} }

func (*group) started(*exec.Cmd) {}

func (*group) kill(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = cmd.Process.Kill() // it may be gone
	}
}

func (*group) end() {}

// openChannel gives a process a socket: descriptors beyond the three usual ones are
// not handed on.
func openChannel(cmd *exec.Cmd, _ bool) (channel, error) { return openSocket(cmd) }
