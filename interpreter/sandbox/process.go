package sandbox

import (
	_ "embed"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

//go:embed driver.py
var driver string

// process is a Python that runs the driver.
type process struct {
	cmd   *exec.Cmd
	in    *os.File // frames to it
	out   *os.File // and from it
	said  head     // what it writes for people
	ended chan struct{}
	err   error // of Wait, when ended is closed
}

// patience is how long the end of a process that was killed is waited for.
const patience = 5 * time.Second

// python are the arguments that the driver is started with.
func python() []string {
	return []string{"-I", "-S", "-B", "-X", "utf8", "-c", driver}
}

// environment is all that the process finds in its environment. MALLOC_ARENA_MAX
// keeps threads from taking address space, which is limited, for nothing.
func environment(home string) []string {
	return []string{"HOME=" + home, "TMPDIR=" + home, "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "MALLOC_ARENA_MAX=2"}
}

// launch starts a process, confined in a way. A *refusal says that this cannot be.
func launch(way Way, f *facts, l Limits) (*process, error) {
	p := &process{ended: make(chan struct{})}
	var give []*os.File // ends of pipes that are the process's
	defer func() {
		for _, file := range give {
			file.Close()
		}
	}()
	var err error
	var after func(started bool) error
	switch way {
	case Bubblewrap:
		p.cmd, err = bubblewrap(f, l)
	case Landlock:
		p.cmd, after, err = landlock(f, l)
	case None:
		p.cmd = exec.Command(f.Program, python()...)
		p.cmd.Dir, p.cmd.Env = os.TempDir(), environment(os.TempDir())
		alone(p.cmd)
	default:
		err = refused("there is no such way")
	}
	if err != nil {
		return nil, err
	}
	give = append(give, p.cmd.ExtraFiles...)
	if err := p.pipes(&give); err != nil {
		if after != nil {
			after(false)
		}
		return nil, err
	}

	p.cmd.WaitDelay = patience

	// The kernel ends the process when the thread that started it ends; so that
	// thread waits for it.
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if after != nil {
			if failed := after(err == nil); err == nil && failed != nil {
				p.kill()
				p.cmd.Wait()
				err = failed
			}
		}
		started <- err
		if err == nil {
			endGroup(p.cmd.Process.Pid)
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		p.in.Close()
		p.out.Close()
		return nil, startRefusal(way, err)
	}
	return p, nil
}

// pipes connects the process with this one. What is appended to give is to be closed
// when it was started.
func (p *process) pipes(give *[]*os.File) error {
	stdin, in, err := os.Pipe()
	if err != nil {
		return err
	}
	*give = append(*give, stdin)
	out, stdout, err := os.Pipe()
	if err != nil {
		in.Close()
		return err
	}
	*give = append(*give, stdout)
	p.in, p.out = in, out
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, &p.said
	return nil
}

// kill ends the process; what it started ends with it. It may be called at any time.
func (p *process) kill() { p.cmd.Process.Kill() }

// end ends the process, waits until it and all that it started have ended, and says
// what is known: what it wrote, or how it ended.
func (p *process) end() string {
	own := true // it ended by itself
	select {
	case <-p.ended:
	default:
		p.in.Close()
		own = false
		p.kill()
	}
	// Until nobody can write to it. What is not confined may have left somebody behind.
	p.out.SetReadDeadline(time.Now().Add(patience))
	io.Copy(io.Discard, p.out)
	<-p.ended
	p.in.Close()
	p.out.Close()
	if said := strings.TrimSpace(p.said.String()); said != "" {
		return lastLine(said)
	}
	var exit *exec.ExitError
	if own && errors.As(p.err, &exit) {
		return exit.String()
	}
	return ""
}
