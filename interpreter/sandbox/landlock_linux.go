package sandbox

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// task is what the helper is told to do.
type task struct {
	Argv  []string
	Env   []string
	Read  []string // files and folders that can be read
	Home  string   // becomes an empty folder that can be written
	Files int      // bytes in it
}

// helperName is the name that this program has when it is started as the helper.
const helperName = "dspi-sandbox-helper"

// landlock is a command that starts this program again in namespaces of its own; it
// gives up its rights and becomes Python (helper_linux.go). After must be called when
// it was started, or could not be.
func landlock(f *facts, l Limits) (cmd *exec.Cmd, after func(started bool) error, err error) {
	if abi, err := landlockABI(); err != nil {
		return nil, nil, refused("the kernel has no Landlock (%v)", err)
	} else if abi < 1 {
		return nil, nil, refused("the kernel has no Landlock")
	}
	if _, err := filterBytes(); err != nil {
		return nil, nil, err
	}
	home := homeFor(f)
	if home == "" {
		return nil, nil, refused("there is no folder such as /tmp that can be covered by an empty one")
	}
	text, err := json.Marshal(task{append([]string{f.Program}, python()...), environment(home), f.Paths, home, l.Files})
	if err != nil {
		return nil, nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd = exec.Command("/proc/self/exe")
	cmd.Args = []string{helperName}
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{read}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:      true,
		Pdeathsig:   syscall.SIGKILL,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	return cmd, func(started bool) error {
		defer write.Close()
		if !started {
			return nil
		}
		_, err := write.Write(text)
		return err
	}, nil
}

// homeFor is a folder that holds nothing of Python's.
func homeFor(f *facts) string {
	for _, folder := range []string{"/tmp", "/dev/shm", "/var/tmp", "/mnt", "/run"} {
		info, err := os.Lstat(folder)
		if err != nil || !info.IsDir() {
			continue
		}
		if !slices.ContainsFunc(f.Paths, func(p string) bool { return p == folder || strings.HasPrefix(p, folder+string(filepath.Separator)) }) {
			return folder
		}
	}
	return ""
}

// startRefusal words why a process could not be started.
func startRefusal(way Way, err error) error {
	switch {
	case way != Landlock:
		return refused("it cannot be started: %v", err)
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return refused("this user may not make namespaces: unprivileged user namespaces are off, or a container forbids them")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return refused("no more user namespaces may be made (user.max_user_namespaces)")
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return refused("the kernel has no user and network namespaces")
	}
	return refused("namespaces cannot be made: %v", err)
}

// landlockABI is the version of Landlock that the kernel has.
func landlockABI() (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
