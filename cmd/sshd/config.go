package sshd

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// The largest terminal the door admits, in cells. A renderer's memory grows
// with the area, and a client may claim four billion columns.
const (
	MaxWidth  = 500
	MaxHeight = 200
)

const (
	// MaxSessionsPerConnection bounds the session channels open at once on one connection.
	MaxSessionsPerConnection = 2
	// MaxEnv and MaxEnvBytes bound the variables of a session, and one NAME=value in bytes.
	MaxEnv      = 16
	MaxEnvBytes = 256
	// MaxCommand bounds the command of an exec request in bytes.
	MaxCommand = 4096
	// MaxPaste bounds one paste in bytes; the rest of it is dropped.
	MaxPaste = 64 << 10
	// MaxEscape bounds one escape sequence in bytes; a longer one is dropped.
	MaxEscape = 4 << 10
)

// Limits say how much of the server a visitor may use. A zero field stands for
// its default; a negative duration or count switches the limit off where that is said.
type Limits struct {
	// Handshake bounds the time from the first byte to a finished authentication (10 s).
	Handshake time.Duration
	// Unauthenticated bounds the connections that have not finished the
	// handshake, in all (256). Beyond it the oldest of them is closed: a person's
	// handshake takes a second, so what is old is what stalls.
	Unauthenticated int
	// UnauthenticatedPerAddress bounds them for one IPv4 address or IPv6 /64 (16).
	// Beyond it the new one is refused.
	UnauthenticatedPerAddress int
	// Connections bounds all connections (4096), ConnectionsPerAddress those of
	// one IPv4 address or IPv6 /64 (256).
	Connections, ConnectionsPerAddress int
	// Sessions bounds the sessions open at once (2048).
	Sessions int
	// Idle ends a session without input (1 h). Negative: never.
	Idle time.Duration
	// Lifetime ends a session however busy it is (24 h). Negative: never.
	Lifetime time.Duration
	// Sessionless closes an authenticated connection that has no session (1 min).
	Sessionless time.Duration
	// KeepAlive asks a silent client for a sign of life (2 min), and closes the
	// connection when none comes within another such time. Negative: never. A
	// dead peer is also found by TCP's own probes, which cost nothing here.
	KeepAlive time.Duration
	// Write bounds how long a client may refuse to read before it is disconnected (30 s).
	Write time.Duration
	// Drain bounds a shutdown (5 s).
	Drain time.Duration
	// InputBurst and InputRate bound the input of a session: so many bytes at
	// once (64 KiB), and so many a second after that (4 KiB). More is dropped.
	InputBurst, InputRate int
	// VerbInput bounds the standard input of a verb in bytes (1 MiB).
	VerbInput int64
}

func orElse[T int | int64 | time.Duration](v *T, standard T) {
	if *v == 0 {
		*v = standard
	}
}

func (l Limits) withDefaults() Limits {
	orElse(&l.Handshake, 10*time.Second)
	orElse(&l.Unauthenticated, 256)
	orElse(&l.UnauthenticatedPerAddress, 16)
	orElse(&l.Connections, 4096)
	orElse(&l.ConnectionsPerAddress, 256)
	orElse(&l.Sessions, 2048)
	orElse(&l.Idle, time.Hour)
	orElse(&l.Lifetime, 24*time.Hour)
	orElse(&l.Sessionless, time.Minute)
	orElse(&l.KeepAlive, 2*time.Minute)
	orElse(&l.Write, 30*time.Second)
	orElse(&l.Drain, 5*time.Second)
	orElse(&l.InputBurst, MaxPaste)
	orElse(&l.InputRate, 4<<10)
	orElse(&l.VerbInput, 1<<20)
	return l
}

// Config is what a Server needs to know.
type Config struct {
	// Addr is the TCP address to listen on, such as "127.0.0.1:2222" or ":2222".
	Addr string
	// HostKeyPath is the absolute path of the host key. It is made at the first
	// start and kept for good: clients remember it.
	HostKeyPath string
	// Limits are the limits of the door.
	Limits Limits
	// Log gets what an operator should see. Nil discards it.
	Log *slog.Logger
	// Now is the clock that idle times, lifetimes and rates are measured by. Nil
	// is time.Now. Network deadlines follow the operating system's clock.
	Now func() time.Time
	// FPS is the highest frame rate of a session (60, at most 120). A change is
	// drawn at once, and the next one not before the frame's time is over.
	FPS int
}

func (c Config) withDefaults() (Config, error) {
	if c.HostKeyPath == "" {
		return c, errors.New("sshd: no path for the host key")
	}
	if !filepath.IsAbs(c.HostKeyPath) {
		return c, fmt.Errorf("sshd: the host key's path %q is relative: it would depend on where the server was started", c.HostKeyPath)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.FPS == 0 {
		c.FPS = 60
	}
	c.Limits = c.Limits.withDefaults()
	return c, nil
}
