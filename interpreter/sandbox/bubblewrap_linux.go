package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// bubblewrap is a command that starts Python in bubblewrap: namespaces of its own for
// everything, a root that holds Python's files, read-only, and an empty /tmp.
func bubblewrap(f *facts, l Limits) (*exec.Cmd, error) {
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, refused("bwrap is not installed")
	}
	filter, err := filterBytes()
	if err != nil {
		return nil, err
	}
	args := []string{
		"--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
		"--hostname", "sandbox", "--size", fmt.Sprint(l.Files), "--tmpfs", "/tmp",
	}
	for _, p := range f.Paths {
		args = append(args, "--ro-bind-try", p, p)
	}
	args = append(args, "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--seccomp", "3", "--", f.Program)
	cmd := exec.Command(bwrap, append(args, python()...)...)
	cmd.Env = environment("/tmp")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	if _, err := write.Write(filter); err != nil { // it fits into the pipe
		read.Close()
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{read}
	return cmd, nil
}

// alone gives a process that is not confined a group of its own.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// endGroup waits until a process has ended, and then ends those of its group; its
// number is not given to another before it is waited for once more.
func endGroup(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	syscall.Kill(-pid, syscall.SIGKILL)
}
