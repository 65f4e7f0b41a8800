package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/tool"
)

// passedOn are the variables of the process that a command sees.
var passedOn = []string{"PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "PATHEXT", "USERPROFILE"}

// afterwards is how long pipes are read after a command has ended: something that
// it left behind may hold them.
const afterwards = time.Second

// Command runs a program, without a shell, in a group of processes of its own: when
// its time is up or it prints too much, all of the group is killed, and what it left
// behind is killed when it has ended.
func (b *Bodies) Command(ctx context.Context, c *tool.Command) (*tool.Printed, error) {
	timeout, limit := or(c.Timeout, DefaultTimeout), or(c.MaxBytes, DefaultMaxBytes)
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	name := filepath.Base(c.Argv[0])
	path := c.Argv[0]
	if strings.ContainsRune(path, '/') && !filepath.IsAbs(path) { // beside the file, not beside us
		path = filepath.Join(c.Folder, path)
	}
	if strings.ContainsRune(path, filepath.Separator) {
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
	}
	cmd := exec.CommandContext(within, path, c.Argv[1:]...)
	cmd.Args[0] = c.Argv[0]
	cmd.Dir = c.Folder
	cmd.Env = environment(c.Env)
	cmd.Stdin = strings.NewReader(c.Stdin)
	cmd.WaitDelay = afterwards
	ownGroup(cmd)
	tooMuch := func() { cancel() }
	stdout, stderr := &limited{left: limit, full: tooMuch}, &limited{left: limit, full: tooMuch}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return nil, notStarted(c, name, err)
	}
	err := cmd.Wait()
	killGroup(cmd)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case stdout.over || stderr.over:
		return nil, fmt.Errorf("%s prints more than %d bytes; `max_bytes` allows more", name, limit)
	case within.Err() != nil:
		return nil, fmt.Errorf("%s did not end within %s", name, timeout)
	}
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if status := cmd.ProcessState.ExitCode(); status >= 0 {
		return &tool.Printed{Stdout: stdout.text(), Stderr: stderr.text(), Status: status}, nil
	}
	return nil, fmt.Errorf("%s was ended: %s", name, cmd.ProcessState)
}

func notStarted(c *tool.Command, name string, err error) error {
	if _, gone := os.Stat(c.Folder); c.Folder != "" && gone != nil {
		return fmt.Errorf("%s cannot run: its folder %s is not there", name, c.Folder)
	}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no program `%s` on this machine", c.Argv[0])
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be run", name)
	}
	return fmt.Errorf("%s cannot be started: %w", name, err)
}

// environment is what a command sees: a little of ours, and what is declared.
func environment(declared []tool.Pair) []string {
	var env []string
	for _, name := range passedOn {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	for _, p := range declared {
		env = append(env, p.Name+"="+p.Value)
	}
	return env
}

// limited keeps what is written to it up to a limit, then says that it is full.
type limited struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	left int
	over bool
	full func()
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(p), l.left)
	l.buf.Write(p[:n])
	l.left -= n
	if n < len(p) && !l.over {
		l.over = true
		l.full()
	}
	return len(p), nil
}

func (l *limited) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.ToValidUTF8(l.buf.String(), "\uFFFD")
}
