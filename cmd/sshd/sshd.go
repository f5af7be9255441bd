// Package sshd is the SSH door: a server that anybody on the network may knock
// at, hardened so that nobody without an account can hurt the people inside.
// It knows no accounts and no screens. Who comes in is described by a Visitor;
// what they see is made by a Handler; how much of anything a visitor may use is
// said by Limits.
//
// A visitor proves an SSH key or none at all. Any proved key lets its owner in
// and is told to the Handler, which decides what it stands for; a visitor
// without a key comes in as a guest. The door itself asks for no password.
//
// The way of a connection: gate (how many, from where) -> handshake (auth.go)
// -> session channel (channel.go: the one choke point for requests) -> program
// (program.go, input.go) or verb (verb.go).
package sshd

import (
	"context"
	"io"
	"net/netip"

	tea "charm.land/bubbletea/v2"
	gossh "golang.org/x/crypto/ssh"
)

// Visitor says who knocked, as far as the door can know. Every string in it
// came from outside and was cleaned: valid UTF-8, printable, bounded.
type Visitor struct {
	// Remote is the address of the peer; an IPv4-mapped IPv6 address is given as IPv4.
	Remote netip.Addr
	// Port is the peer's port.
	Port uint16
	// User is the name in front of the @. It was proved by nothing: it may fill
	// in a field of a form, and must not decide anything.
	User string
	// Client is the version the client announced, without the leading "SSH-2.0-".
	Client string
	// Key is the key whose possession the finished handshake proved, nil for a guest.
	Key gossh.PublicKey
	// KeyFingerprint is the key's SHA-256 fingerprint ("SHA256:…"), empty for a guest.
	KeyFingerprint string
	// KeyLine is the key as a line of an authorized_keys file without a comment, empty for a guest.
	KeyLine string
	// Env holds what the client sent of TERM, COLORTERM, NO_COLOR, LANG and LC_*,
	// as NAME=value. With a terminal the last entry is its TERM.
	Env []string
	// Term is the terminal's type, empty without a terminal.
	Term string
	// Width and Height are the terminal's size in cells when the session began,
	// from 1x1 to MaxWidth x MaxHeight; zero without a terminal.
	Width, Height int
	// PTY says that the visitor has a terminal.
	PTY bool
}

// Program is one interactive session, as the Handler wants it run.
type Program struct {
	// Model is what the visitor sees and drives. It must not be nil, but with Lines.
	Model tea.Model
	// Lines, if set, is run instead of Model, for a terminal that can only be
	// written to. in is the visitor's keys as they come: nothing is echoed. It
	// has to return when in or ctx ends; a moment after ctx, in does.
	Lines func(ctx context.Context, in io.Reader, out io.Writer)
	// Options are applied before the door's own, which win: input, output,
	// environment, colour profile, window size, context, signals and filter.
	Options []tea.ProgramOption
	// Filter, if set, sees every message before the model does, after the door's
	// own filter (which turns a suspension into a resumption).
	Filter func(tea.Model, tea.Msg) tea.Msg
	// Started, if set, gets the program before it runs, so that messages can be sent to it.
	Started func(p *tea.Program)
	// Farewell, if set, is asked after the program has ended by itself and the
	// terminal is restored: what it returns is the last line that the visitor reads.
	Farewell func() string
	// Ended, if set, is called once when the session is over, however it ended.
	Ended func()
}

// Handler is what stands behind the door. Its methods are called from many
// goroutines at once. A panic in any of them ends that visitor's session only.
type Handler interface {
	// Program makes an interactive session. ctx ends when the visitor leaves, a
	// limit is reached or the server shuts down.
	Program(ctx context.Context, v Visitor) Program
	// Verb runs `ssh host VERB …` and returns its exit code. args are split by
	// SplitArgs; no shell ever sees them. in ends with ErrInputTooLarge beyond Limits.VerbInput.
	Verb(ctx context.Context, v Visitor, args []string, in io.Reader, out, errw io.Writer) int
	// Say is a sentence of the door itself in the visitor's language, without a
	// line break. id is the id in the log for LinePanic, and empty otherwise. An
	// empty answer stands for the English sentence.
	Say(v Visitor, line Line, id string) string
}

// Line is something that the door itself says to a visitor.
type Line int

// The lines of the door.
const (
	// LineNoTerminal answers a shell without a terminal and without a verb.
	LineNoTerminal Line = iota
	// LineShutdown is the last sentence of a session when the server stops.
	LineShutdown
	// LineIdle ends a session without input for Limits.Idle.
	LineIdle
	// LineExpired ends a session after Limits.Lifetime.
	LineExpired
	// LinePanic ends a session in which the program failed.
	LinePanic
	// LineFull answers a session beyond Limits.Sessions.
	LineFull
	// LineBadCommand answers a command that SplitArgs refuses.
	LineBadCommand
)

// english is what the door says when its Handler says nothing.
func (l Line) english(id string) string {
	switch l {
	case LineNoTerminal:
		return "This is an account portal. Connect with a terminal (ssh -t), or name a command after the host."
	case LineShutdown:
		return "The server is shutting down. Please connect again in a moment."
	case LineIdle:
		return "Nothing was typed for a while, so this session was closed."
	case LineExpired:
		return "This session has lasted as long as it may. Please connect again."
	case LinePanic:
		return "Something went wrong here, and this session had to end. Nothing you did is lost. Report the id " + id + "."
	case LineFull:
		return "Too many people are here right now. Please try again in a moment."
	case LineBadCommand:
		return "That command cannot be read: a quotation mark is left open, or it is too long."
	}
	return "The session has ended."
}

// Exit codes of a session, as the client sees them.
const (
	ExitOK      = 0
	ExitRefused = 1
	ExitUsage   = 2
)
