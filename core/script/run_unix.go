//go:build unix && !linux

package script

import (
	"os/exec"
	"syscall"
)

// alone gives the child a process group of its own, which is ended as a whole.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
