//go:build linux && (amd64 || arm64)

package script

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where a filter finds what it looks at (struct seccomp_data of seccomp(2)).
const (
	dataCall = 0
	dataArch = 4
	dataArg0 = 16 // the lower half: both machines are little-endian
)

// x32 is the bit of the calls of another ABI on amd64.
const x32 = 0x40000000

// filterCalls refuses system calls from here on, in every thread. Its refusals
// are errors and not the end of the process: what is refused was not meant to
// work, and the runtime copes.
func filterCalls() {
	arch := uint32(unix.AUDIT_ARCH_X86_64)
	if runtime.GOARCH == "arm64" {
		arch = unix.AUDIT_ARCH_AARCH64
	}
	refuse := stop(unix.EPERM)
	var program []unix.SockFilter
	add := func(f ...unix.SockFilter) { program = append(program, f...) }
	// Calls of another machine have other numbers: none of them.
	add(load(dataArch), equal(arch, 1, 0), refuse, load(dataCall), atLeast(x32, 0, 1), refuse)
	for _, call := range refusedCalls() {
		add(equal(uint32(call), 0, 1), refuse)
	}
	// A new thread is allowed, a new process is not. clone3 has its flags where a
	// filter cannot look: whoever calls it is told to use clone.
	add(equal(unix.SYS_CLONE3, 0, 1), stop(unix.ENOSYS))
	add(equal(unix.SYS_CLONE, 0, 3), load(dataArg0), anyOf(unix.CLONE_THREAD, 1, 0), refuse)
	add(unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, _ = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
}

// refusedCalls are those that open, connect, start or look into something.
func refusedCalls() []int {
	return append([]int{
		unix.SYS_EXECVE, unix.SYS_EXECVEAT,
		unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MEMFD_CREATE,
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
		unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_PIDFD_SEND_SIGNAL,
		unix.SYS_UNLINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_MKDIRAT, unix.SYS_MKNODAT,
		unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_TRUNCATE, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
		unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_IO_URING_SETUP, unix.SYS_KEYCTL, unix.SYS_ADD_KEY,
		unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
	}, olderCalls()...)
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func equal(k uint32, yes, no uint8) unix.SockFilter   { return jump(unix.BPF_JEQ, k, yes, no) }
func atLeast(k uint32, yes, no uint8) unix.SockFilter { return jump(unix.BPF_JGE, k, yes, no) }
func anyOf(k uint32, yes, no uint8) unix.SockFilter   { return jump(unix.BPF_JSET, k, yes, no) }

// stop answers a call with an error.
func stop(err unix.Errno) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(err)}
}
