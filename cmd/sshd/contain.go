package sshd

import (
	"crypto/rand"
	"fmt"
	"runtime/debug"
)

// failure records a panic and returns the id it has in the log. The person is
// told the id and nothing else: a panic's text may hold anything.
func (s *Server) failure(where string, reason any) (id string) {
	id = rand.Text()[:10]
	s.panics.Add(1)
	s.log.Error("panic", "id", id, "where", where, "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
	return id
}

// contain is deferred at the top of a goroutine, so that a panic ends what the
// goroutine does and not the process. ASVS 16.5.3
func (s *Server) contain(where string) {
	if reason := recover(); reason != nil {
		s.failure(where, reason)
	}
}

// guard runs f and returns the id of its panic, empty if there was none.
func (s *Server) guard(where string, f func()) (id string) {
	defer func() {
		if reason := recover(); reason != nil {
			id = s.failure(where, reason)
		}
	}()
	f()
	return ""
}

// say is a sentence of the door, from the handler or in English.
func (s *Server) say(v Visitor, line Line, id string) (text string) {
	s.guard("the handler's words", func() { text = clean(s.handler.Say(v, line, id), 1000) })
	if text == "" {
		text = line.english(id)
	}
	return text
}
