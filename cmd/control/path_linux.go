package control

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// longestPath is what fits into sockaddr_un with its closing zero.
const longestPath = 107

// socketPath is a name under which the socket can be reached for as long as it is open.
type socketPath struct {
	name string
	dir  *os.File
}

// newSocketPath returns the socket's path in dir. A path too long for a socket
// address is reached through the open directory.
func newSocketPath(dir string) (*socketPath, error) {
	name := filepath.Join(dir, SocketFile)
	if len(name) <= longestPath {
		return &socketPath{name: name}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return &socketPath{name: fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), SocketFile), dir: f}, nil
}

func (p *socketPath) close() {
	if p.dir != nil {
		_ = p.dir.Close() // nothing was written
	}
}

// peerOf asks the kernel who is at the other end, and refuses everybody but this
// process's own user and root, who need no socket to have their way.
func peerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Peer{}, err
	}
	if credErr != nil {
		return Peer{}, fmt.Errorf("control: who is there: %w", credErr)
	}
	if uid := int(cred.Uid); uid != os.Geteuid() && uid != 0 {
		return Peer{}, fmt.Errorf("control: user %d is not the owner", uid)
	}
	return Peer{UID: int(cred.Uid)}, nil
}

// holderOf is the process that listens at the other end, or 0.
func holderOf(c *net.UnixConn) (pid int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}
