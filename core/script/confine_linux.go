package script

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// confine gives up, for good and for every thread of this process, what a script
// has no use for: opening files and connections, starting processes, looking
// into others. It is the first thing that a child does.
//
// Two fences stand one behind the other. No further file descriptor can be had
// (RLIMIT_NOFILE), which every file, socket and pipe would need. And where the
// kernel lets a process filter its own system calls (seccomp, which needs no
// privilege), those that start processes, open or connect are refused. A kernel
// without it is no reason not to run: the language itself has none of these.
func confine() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Timers of the runtime wait on a descriptor: it must have it by now.
	time.Sleep(time.Microsecond)
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	for resource, most := range map[int]uint64{
		unix.RLIMIT_NOFILE: 0,
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
	} {
		_ = syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most})
	}
	filterCalls()
}

// addressSpace is what the Go runtime wants to reserve beyond what it uses.
const addressSpace = 2 << 30

// limit bounds memory and processor time, before the script is looked at. What
// the program itself takes is not counted: a build that takes more of it must
// not leave less to scripts.
func limit(l Limits) error {
	space, data := taken()
	seconds := uint64(math.Ceil(l.Wall.Seconds())) + 1
	for _, r := range []struct {
		resource  int
		soft, top uint64
	}{
		{unix.RLIMIT_CPU, seconds, seconds + 1},
		{unix.RLIMIT_AS, space + uint64(l.Memory) + addressSpace, 0},
		{unix.RLIMIT_DATA, data + uint64(l.Memory), 0},
	} {
		if r.top == 0 {
			r.top = r.soft
		}
		if err := syscall.Setrlimit(r.resource, &syscall.Rlimit{Cur: r.soft, Max: r.top}); err != nil {
			return err
		}
	}
	// The collector works harder before the end comes.
	debug.SetMemoryLimit(int64(heap()) + l.Memory*3/4)
	return nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}

// statm is read before files can no longer be opened.
var statm, _ = readStatm()

func readStatm() ([]byte, error) {
	if len(os.Args) != 2 || os.Args[1] != ChildArgument {
		return nil, nil
	}
	return os.ReadFile("/proc/self/statm")
}

// taken is the address space and the data that the process has, in bytes; what a
// Go program usually has where the system does not say.
func taken() (space, data uint64) {
	fields := bytes.Fields(statm)
	number := func(i int, otherwise uint64) uint64 {
		if i >= len(fields) {
			return otherwise
		}
		n, err := strconv.ParseUint(string(fields[i]), 10, 64)
		if err != nil {
			return otherwise
		}
		return n * uint64(os.Getpagesize())
	}
	return number(0, addressSpace), number(5, 256<<20)
}
