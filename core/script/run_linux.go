package script

import (
	"os/exec"
	"syscall"
)

// alone gives the child a process group of its own, which is ended as a whole,
// and has the system end it with the thread that has started it.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
