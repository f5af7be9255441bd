package cmd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
)

// built is the program as it is shipped: without symbols.
func built(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "postern")
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "postern").CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// untilDrawn starts a command in a terminal and returns the time until it has
// drawn words, and the processor time that it took, which a busy machine does
// not stretch as much.
func untilDrawn(b *testing.B, cmd *exec.Cmd, words string) (took, cpu time.Duration) {
	b.Helper()
	began := time.Now()
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		b.Fatal(err)
	}
	defer master.Close()
	var drawn bytes.Buffer
	buf := make([]byte, 32<<10)
	for !bytes.Contains(drawn.Bytes(), []byte(words)) {
		n, err := master.Read(buf)
		if err != nil {
			b.Fatalf("%v after %q", err, drawn.String())
		}
		drawn.Write(buf[:n])
	}
	took = time.Since(began)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// BenchmarkStartToFirstFrame is what a person waits for: from the start of the
// process to the first frame, with a data directory that was just made (first
// run) and with one that is there (empty).
func BenchmarkStartToFirstFrame(b *testing.B) {
	binary := built(b)
	command := func(h *home, args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Env, cmd.Dir = h.env, h.dir
		return cmd
	}
	measure := func(b *testing.B, words string, next func() *exec.Cmd) {
		var all, allCPU time.Duration
		for range b.N {
			took, cpu := untilDrawn(b, next(), words)
			all, allCPU = all+took, allCPU+cpu
		}
		b.ReportMetric(float64(all.Milliseconds())/float64(b.N), "ms/frame")
		b.ReportMetric(float64(allCPU.Milliseconds())/float64(b.N), "cpu-ms/frame")
	}
	b.Run("first run", func(b *testing.B) {
		measure(b, "Set up", func() *exec.Cmd { return command(newHome(b)) })
	})
	b.Run("empty database", func(b *testing.B) {
		h := newHome(b)
		untilDrawn(b, command(h), "Set up")
		measure(b, "Set up", func() *exec.Cmd { return command(h) })
	})
	b.Run("demo", func(b *testing.B) {
		h := newHome(b)
		measure(b, "Harbour Lab", func() *exec.Cmd { return command(h, "demo") })
	})
}

// BenchmarkBinarySize reports what is shipped; the bound is 40 MB.
func BenchmarkBinarySize(b *testing.B) {
	info, err := os.Stat(built(b))
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}
