package script

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// probeArgument makes the test's own binary try what a confined child may not.
const probeArgument = "script-probe"

func probe() int {
	confine()
	_, opens := os.Open("/etc/passwd")
	_, dials := net.Dial("tcp", "127.0.0.1:1")
	_, _, pipes := syscall.Syscall(syscall.SYS_PIPE2, 0, 0, 0)
	_, starts := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	_, _, forks := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if forks == 0 {
		os.Exit(0) // a second process, or the first one that has made it
	}
	becomes := syscall.Exec("/bin/true", []string{"true"}, nil)
	_, writes := os.Create("/tmp/script-probe")
	fmt.Printf("opens %v\ndials %v\npipes %v\nstarts %v\nforks %v\nbecomes %v\nwrites %v\n", opens, dials, pipes, starts, forks, becomes, writes)
	done := make(chan bool)
	for range 8 { // threads are still to be had
		go func() { syscall.Nanosleep(&syscall.Timespec{Nsec: 1e6}, nil); done <- true }()
	}
	for range 8 {
		<-done
	}
	fmt.Println("end")
	return 0
}

// The child opens nothing, connects to nothing and starts nothing, whoever it
// runs as. ASVS 15.2.5
func TestTheChildIsConfined(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", probeArgument)
	cmd.Env = []string{}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 8 || lines[7] != "end" {
		t.Fatalf("the probe says\n%s", out)
	}
	for _, l := range lines[:7] {
		if !strings.Contains(l, "not permitted") && !strings.Contains(l, "too many open files") {
			t.Errorf("it may: %s", l)
		}
	}
	t.Logf("\n%s", out)
}
