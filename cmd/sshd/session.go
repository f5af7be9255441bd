package sshd

import (
	"context"
	"errors"
	"io"
	"time"

	"charm.land/ssh"
)

// room is the outermost middleware: it contains panics, bounds the sessions of
// the server and marks the end of a session for those who wait for it.
func (s *Server) room(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		ch := channelOf(sess)
		defer close(ch.handled)
		id := s.guard("a session", func() {
			if !s.enter() {
				s.leaveWith(sess, ch, s.say(visitor(ch, sess), LineFull, ""), ExitRefused)
				return
			}
			defer s.open.Add(-1)
			next(sess)
		})
		if id != "" {
			s.leaveWith(sess, ch, LinePanic.english(id), ExitRefused)
		}
		ch.ended.Store(s.now().UnixNano())
	}
}

// enter takes one of the places for sessions.
func (s *Server) enter() bool {
	if s.open.Add(1) > int64(s.limits.Sessions) {
		s.open.Add(-1)
		return false
	}
	s.entered.Add(1)
	return true
}

// leaveWith writes a last sentence and ends the session. A client that does not
// take the sentence is not waited for. On a terminal it goes where the screens
// went: by the other stream it may overtake the sequence that gives the screen
// back, and is wiped away with the screen.
func (s *Server) leaveWith(sess ssh.Session, ch *channel, text string, code int) {
	cut := time.AfterFunc(time.Second, func() { _ = ch.Channel.Close() })
	defer cut.Stop()
	if text != "" {
		var to io.Writer = sess.Stderr()
		if _, _, terminal := sess.Pty(); terminal {
			to = ch.Channel
		}
		_, _ = io.WriteString(to, text+"\r\n")
	}
	_ = sess.Exit(code)
}

// lastWords are what a session that had to end is told, and its exit code.
func (s *Server) lastWords(ctx context.Context, v Visitor) (text string, code int) {
	var why ended
	if errors.As(context.Cause(ctx), &why) && why.say {
		return s.say(v, why.line, ""), ExitRefused
	}
	return "", ExitOK
}
