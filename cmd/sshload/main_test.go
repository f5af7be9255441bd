package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// The test binary stands in for the program when it starts itself as a server.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-serve" {
		if err := run(os.Args[1:]); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestOnlyThisMachineIsMeasured(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:22", "example.org:22", "[2001:db8::1]:22", "0.0.0.0:22", "127.0.0.1", ""} {
		if _, err := loopback(addr); err == nil {
			t.Errorf("%q was accepted", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:22", "localhost:22", "[::1]:22", "[::ffff:127.0.0.1]:22"} {
		if _, err := loopback(addr); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestARunIsBounded(t *testing.T) {
	for _, args := range []string{
		"-sessions 100000", "-idle 5000", "-idle -1", "-size 9x", "-size 501x30", "-typing 1h", "-watch 6m",
		"-interval 1ms", "-rounds 11", "-firsts 0", "-target 127.0.0.1:1 -cmd x",
	} {
		if _, _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

func TestLeadIn(t *testing.T) {
	keys, err := leadIn("tab, enter,x,down,comma,é")
	if err != nil || keys != "\t\rx\x1b[B,é" {
		t.Errorf("%q, %v", keys, err)
	}
	if split := splitKeys("\t\x1b[Bxé"); strings.Join(split, "|") != "\t|\x1b[B|x|é" {
		t.Errorf("%q", split)
	}
	if _, err := leadIn("return"); err == nil {
		t.Error("an unknown key was accepted")
	}
}

func TestPercentiles(t *testing.T) {
	var times []time.Duration
	for i := 100; i > 0; i-- {
		times = append(times, time.Duration(i))
	}
	if percentile(times, 50) != 50 || percentile(times, 99) != 99 || percentile(times[:1], 99) != 100 || percentile(nil, 50) != 0 {
		t.Error("wrong percentiles")
	}
}

// A whole run, as small as it can be.
func TestASmallRun(t *testing.T) {
	o := options{sessions: 2, idle: 2, rounds: 1, firsts: 1, width: 80, height: 24,
		typing: 300 * time.Millisecond, settle: 100 * time.Millisecond, watch: 100 * time.Millisecond, interval: 50 * time.Millisecond}
	ctx := context.Background()
	bare, err := startSelf(ctx, "bare")
	if err != nil {
		t.Fatal(err)
	}
	defer bare.stop()
	door, err := startSelf(ctx, "door")
	if err != nil {
		t.Fatal(err)
	}
	defer door.stop()
	r, err := measure(ctx, o, bare, door)
	if err != nil {
		t.Fatal(err)
	}
	if r.Bare.Keys == 0 || r.Measured.Keys == 0 || r.Measured.FirstFrame <= 0 || r.Measured.IdleMemory <= 0 {
		t.Errorf("%+v", r)
	}
	var out strings.Builder
	if err := r.table(&out); err != nil || !strings.Contains(out.String(), "key to frame, p99") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
