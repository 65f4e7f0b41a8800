//go:build unix

package python

import (
	"os"
	"os/exec"
	"syscall"
)

// group is the process group of a worker: what it starts ends with it.
type group struct{ id int }

func newGroup(cmd *exec.Cmd) *group {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is not for it
	return &group{}
}

func (g *group) started(cmd *exec.Cmd) { g.id = cmd.Process.Pid }

func (g *group) kill(cmd *exec.Cmd) {
	if g.id > 0 {
		_ = syscall.Kill(-g.id, syscall.SIGKILL) // it may be gone
	}
}

// end ends what the process left running.
func (g *group) end() {
	if g.id > 0 {
		_ = syscall.Kill(-g.id, syscall.SIGKILL)
	}
}

// openChannel gives a process its pipes, as the descriptors 3 and 4, or a socket.
func openChannel(cmd *exec.Cmd, socket bool) (channel, error) {
	if socket {
		return openSocket(cmd)
	}
	toWorker, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	theirs, fromWorker, err := os.Pipe()
	if err != nil {
		toWorker.Close()
		ours.Close()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{toWorker, fromWorker}
	cmd.Env = append(cmd.Env, "DSPI_WORKER=3,4")
	return &pipes{theirs: []*os.File{toWorker, fromWorker}, from: theirs, to: ours}, nil
}
