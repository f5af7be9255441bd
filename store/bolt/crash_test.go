package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"postern/store"
)

// Killed at a random moment, a database has every change that was acknowledged,
// and none in part: writers in a child process tell of each commit on a pipe
// until they are killed.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("POSTERN_TEST_KILLED"); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	rounds := 4
	if os.Getenv("POSTERN_LONG") == "1" {
		rounds = 100
	}
	dir := dataDir(t)
	acknowledged := make(map[string]int)
	for round := range rounds {
		cmd := child(t, "POSTERN_TEST_KILLED="+dir, "POSTERN_TEST_ROUND="+strconv.Itoa(round))
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, commits := bufio.NewScanner(pipe), 0
		kill := time.Duration(rand.IntN(300)) * time.Millisecond
		var once sync.Once
		for lines.Scan() {
			if key, n, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "ack "), " "); ok && strings.HasPrefix(lines.Text(), "ack ") {
				acknowledged[key], _ = strconv.Atoi(n)
				commits++
				once.Do(func() { time.AfterFunc(kill, func() { _ = cmd.Process.Kill() }) })
			}
		}
		_ = cmd.Wait() // killed
		if commits == 0 {
			t.Fatal("the child committed nothing")
		}
		wantAcknowledged(t, dir, acknowledged)
	}
}

// writeUntilKilled counts up in pairs of keys that must stay equal. Every tenth
// function fails, so that batches have holes.
func writeUntilKilled(t *testing.T, dir string) {
	s := openTest(t, dir)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			key := fmt.Sprintf("%s-%d", os.Getenv("POSTERN_TEST_ROUND"), w)
			for n := 1; ; n++ {
				err := s.Update(context.Background(), func(tx store.Tx) error {
					value := []byte(strconv.Itoa(n) + strings.Repeat(" ", rand.IntN(2000)))
					err := errors.Join(tx.Put([]byte("left/"+key), value), tx.Put([]byte("right/"+key), value))
					if err == nil && n%10 == 0 {
						err = errors.New("refused")
					}
					return err
				})
				if n%10 == 0 {
					continue
				}
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Printf("ack %s %d\n", key, n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func wantAcknowledged(t *testing.T, dir string, acknowledged map[string]int) {
	t.Helper()
	s := openTest(t, dir)
	defer s.Close()
	err := s.View(t.Context(), func(tx store.Tx) error {
		for key, n := range acknowledged {
			left, err := tx.Get([]byte("left/" + key))
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			right, err := tx.Get([]byte("right/" + key))
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			got, _ := strconv.Atoi(strings.TrimSpace(string(left)))
			if string(left) != string(right) || got < n || got%10 == 0 {
				t.Errorf("%s: acknowledged %d, found %d and %s", key, n, got, strings.TrimSpace(string(right)))
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

// When the disk is full, a commit is refused and leaves nothing behind; reading
// goes on, and so does writing when there is room again. A limit on the size of
// files stands in for the disk.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv("POSTERN_TEST_FULL"); dir != "" {
		writeOnFullDisk(t, dir)
		return
	}
	dir := dataDir(t)
	if out, err := child(t, "POSTERN_TEST_FULL="+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := openTest(t, dir)
	defer s.Close()
	if err := s.Check(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func writeOnFullDisk(t *testing.T, dir string) {
	signal.Ignore(unix.SIGXFSZ) // the write then fails with EFBIG
	s := openTest(t, dir)
	write := func(n int) error {
		return s.Update(t.Context(), func(tx store.Tx) error {
			for part := range 4 {
				if err := tx.Put(fmt.Appendf(nil, "%d/%d", n, part), make([]byte, 100_000)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	wantParts := func(n, want int) {
		t.Helper()
		err := s.View(t.Context(), func(tx store.Tx) error {
			pairs, err := tx.Scan(fmt.Appendf(nil, "%d/", n), nil, 10)
			if len(pairs) != want {
				t.Errorf("change %d has %d parts, want %d", n, len(pairs), want)
			}
			return err
		})
		if err != nil {
			t.Errorf("View: %v", err)
		}
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 3 << 20, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; n < 100; n++ {
		if err := write(n); err != nil {
			t.Logf("after %d changes: %v", n, err)
			break
		}
	}
	if n == 0 || n == 100 {
		t.Fatalf("%d changes went in", n)
	}
	for range 3 {
		if err := write(n); err == nil {
			t.Error("a change goes in on a full disk")
		}
	}
	wantParts(n-1, 4)
	wantParts(n, 0)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := write(n); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wantParts(n, 4)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
