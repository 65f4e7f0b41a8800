//go:build amd64 || arm64

package sandbox

import (
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"
)

// The filter of system calls is what both ways share. It lets everything pass that
// Python needs, and refuses to start processes (threads are free: they share the
// memory that is limited), to make sockets of any kind, memory that is no process's,
// and the calls that ask the kernel for more rights.

// denied are refused with EPERM, on every architecture.
var denied = []uint32{
	// the network, and sockets in the file system
	unix.SYS_SOCKET, unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
	// other processes
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
	// memory outside of the process
	unix.SYS_MEMFD_CREATE, unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET, unix.SYS_MSGGET, unix.SYS_MQ_OPEN, memfdSecret,
	// namespaces and mounts
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT,
	unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	// the kernel
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_ACCT, unix.SYS_QUOTACTL,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_PERSONALITY,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MKNODAT,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
}

const memfdSecret = 447 // the same on every architecture that has it

// machines are the architectures that the filter knows: how the kernel calls them,
// and what is denied there beside the rest.
var machines = map[string]struct {
	audit uint32
	more  []uint32
}{
	"amd64": {unix.AUDIT_ARCH_X86_64, []uint32{57, 58, 133, 153, 154}}, // fork, vfork, mknod, vhangup, modify_ldt
	"arm64": {unix.AUDIT_ARCH_AARCH64, nil},
}

// filter is the program for the kernel.
func filter() ([]unix.SockFilter, error) {
	machine := machines[runtime.GOARCH]
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		atMost = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		anyBit = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		end    = unix.BPF_RET | unix.BPF_K

		number, arch, firstArg = 0, 4, 16 // where they are in what is looked at

		pass   = unix.SECCOMP_RET_ALLOW
		refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	code := []unix.SockFilter{
		{Code: load, K: arch},
		{Code: equal, K: machine.audit, Jt: 1},
		{Code: end, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: load, K: number},
		// On amd64 numbers from here on are of another ABI.
		{Code: atMost, K: 0x40000000, Jf: 1},
		{Code: end, K: absent},
		// clone3 hides what it is asked for; without it libraries use clone.
		{Code: equal, K: unix.SYS_CLONE3, Jf: 1},
		{Code: end, K: absent},
		{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		{Code: load, K: firstArg},
		{Code: anyBit, K: unix.CLONE_THREAD, Jt: 1},
		{Code: end, K: refuse},
		{Code: end, K: pass},
	}
	for _, list := range [][]uint32{denied, machine.more} {
		for _, n := range list {
			code = append(code, unix.SockFilter{Code: equal, K: n, Jf: 1}, unix.SockFilter{Code: end, K: refuse})
		}
	}
	return append(code, unix.SockFilter{Code: end, K: pass}), nil
}

// filterBytes is the filter as bubblewrap reads it.
func filterBytes() ([]byte, error) {
	code, err := filter()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, f := range code {
		out = binary.NativeEndian.AppendUint16(out, f.Code)
		out = append(out, f.Jt, f.Jf)
		out = binary.NativeEndian.AppendUint32(out, f.K)
	}
	return out, nil
}
