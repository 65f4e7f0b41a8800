package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A program that was started as the helper is one before main: it confines itself and
// becomes Python.
func init() {
	if len(os.Args) == 1 && os.Args[0] == helperName && os.Getpid() == 1 {
		runtime.LockOSThread()
		err := become()
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
}

// become does its task. It returns only when that is not possible.
func become() error {
	file := os.NewFile(3, "task")
	text, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	file.Close()
	var t task
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("the task cannot be read: %w", err)
	}
	for _, step := range []struct {
		what string
		do   func(*task) error
	}{
		{"files cannot be made read-only", frozen},
		{"rights cannot be given up", powerless},
		{"Landlock does not take its rules", fenced},
		{"system calls cannot be filtered (seccomp)", filtered},
	} {
		if err := step.do(&t); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	err = syscall.Exec(t.Argv[0], t.Argv, t.Env)
	return fmt.Errorf("%s cannot be started: %w", t.Argv[0], err)
}

// frozen makes everything read-only, and an empty folder that can be written.
func frozen(t *task) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return err
	}
	options := fmt.Sprintf("size=%d,nr_inodes=4096,mode=0700", t.Files)
	if err := unix.Mount("tmpfs", t.Home, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return err
	}
	_ = unix.Sethostname([]byte("sandbox"))
	return unix.Chdir(t.Home)
}

// powerless gives up all capabilities for good, and closes all files on the way to
// Python.
func powerless(*task) error {
	for c := uintptr(0); c < 64; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			break // there are no more
		}
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&head, &none[0]); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
}

const (
	readAccess = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	fileAccess = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	// allAccess is what version 1 knows; later ones add to it.
	allAccess  = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	homeAccess = allAccess &^ (unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO)
)

// fenced lets Landlock refuse all files but Python's and those in the empty folder,
// TCP, and what else the kernel's version knows.
func fenced(t *task) error {
	abi, err := landlockABI()
	if err != nil {
		return err
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: allAccess}
	home := uint64(homeAccess)
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
		home |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
		home |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	if abi >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
		size += unsafe.Sizeof(attr.Scoped)
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(rules))
	for _, p := range t.Read {
		if err := allow(int(rules), p, readAccess, fileAccess); err != nil {
			return err
		}
	}
	if err := allow(int(rules), t.Home, home, 0); err != nil {
		return err
	}
	for _, p := range []string{"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"} {
		if err := allow(int(rules), p, 0, unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// allow adds a rule for a folder and all in it, or a file. What is not there needs
// none.
func allow(rules int, path string, folder, file uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.EACCES {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	access := file
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		access = folder
	}
	if access == 0 {
		return nil
	}
	// The kernel's structure is packed: twelve bytes, as the fields of this one.
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), 1, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("%s: %w", path, errno)
	}
	return nil
}

// filtered lets the kernel refuse system calls (seccomp_linux.go), also to whatever
// this process becomes.
func filtered(*task) error {
	code, err := filter()
	if err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
