package sshd

import (
	"errors"
	"io"

	"charm.land/ssh"
)

// ErrInputTooLarge ends the standard input of a verb that is longer than Limits.VerbInput.
var ErrInputTooLarge = errors.New("sshd: input too large")

// verbs is the middleware that serves `ssh host VERB …`. With a terminal or
// without one, a command is never anything but a verb.
func (s *Server) verbs(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		if sess.RawCommand() == "" {
			next(sess)
			return
		}
		ch := channelOf(sess)
		v := visitor(ch, sess)
		args, err := SplitArgs(sess.RawCommand())
		if err != nil {
			s.leaveWith(sess, ch, s.say(v, LineBadCommand, ""), ExitUsage)
			return
		}
		// A client that goes away or stops reading ends the verb with it, by the
		// context and by the channel.
		stop := s.closeAtEnd(ch)
		defer stop()
		code := ExitRefused
		in := &boundedReader{from: sess, left: s.limits.VerbInput}
		if id := s.guard("a verb", func() { code = s.handler.Verb(ch, v, args, in, sess, sess.Stderr()) }); id != "" {
			s.leaveWith(sess, ch, s.say(v, LinePanic, id), ExitRefused)
			return
		}
		if ch.Err() != nil {
			text, _ := s.lastWords(ch, v)
			s.leaveWith(sess, ch, text, ExitRefused)
			return
		}
		_ = sess.Exit(code & 0xff)
	}
}

// boundedReader reads so much and no more.
type boundedReader struct {
	from io.Reader
	left int64
}

// Read fails with ErrInputTooLarge beyond the bound.
func (r *boundedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	n, err := r.from.Read(p)
	if int64(n) > r.left {
		n, r.left = int(r.left), 0
		return n, ErrInputTooLarge
	}
	r.left -= int64(n)
	return n, err
}

var _ io.Reader = (*boundedReader)(nil)

// ErrBadCommand says that a command has an open quotation mark or ends in a backslash.
var ErrBadCommand = errors.New("sshd: command cannot be read")

// SplitArgs splits a command into arguments as a POSIX shell would, without
// everything else a shell does: blanks separate; '…' keeps everything; "…"
// keeps everything, but a backslash before " or \ takes that character as it
// is; outside of quotes a backslash takes the next character as it is. Nothing
// is expanded, and $ ; | & < > * are characters like others.
func SplitArgs(command string) ([]string, error) {
	var args []string
	var arg []byte
	inArg := false
	quote := byte(0)
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote == '\'' && c != '\'':
			arg = append(arg, c)
		case quote == '"' && c == '\\' && i+1 < len(command) && (command[i+1] == '"' || command[i+1] == '\\'):
			i++
			arg = append(arg, command[i])
		case quote == '"' && c != '"':
			arg = append(arg, c)
		case quote != 0:
			quote = 0
		case c == '\'' || c == '"':
			quote, inArg = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inArg {
				args, arg, inArg = append(args, string(arg)), arg[:0], false
			}
		case c == '\\':
			if i++; i == len(command) {
				return nil, ErrBadCommand
			}
			arg, inArg = append(arg, command[i]), true
		default:
			arg, inArg = append(arg, c), true
		}
	}
	if quote != 0 {
		return nil, ErrBadCommand
	}
	if inArg {
		args = append(args, string(arg))
	}
	return args, nil
}
