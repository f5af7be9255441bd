package mail_test

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core/mail"
)

// scripted is a server whose every answer is chosen by the test.
type scripted struct {
	offers string // what it says to EHLO beside its name
	waits  int    // how many commands of a message it hears before it answers the first
	answer func(line string) string

	mu      sync.Mutex
	content []string // of each DATA that it took
	heard   []string
}

// start lets it run; "" as an answer ends the connection.
func (s *scripted) start(t *testing.T) mail.Config {
	port, _ := mute(t, func(c net.Conn) {
		defer func() { _ = c.Close() }()
		lines := bufio.NewReader(c)
		_, _ = io.WriteString(c, "220 here\r\n")
		for {
			answers := ""
			for range max(s.waits, 1) {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				line = strings.TrimSpace(line)
				s.note(&s.heard, line)
				verb, _, _ := strings.Cut(line, " ")
				said := s.answer(line)
				switch {
				case verb == "EHLO" && s.offers != "":
					answers += "250-here\r\n250 " + s.offers + "\r\n"
				case said == "":
					_, _ = io.WriteString(c, answers)
					return
				default:
					answers += said + "\r\n"
				}
				if strings.HasPrefix(said, "354") {
					if _, err := io.WriteString(c, answers); err != nil {
						return
					}
					answers = s.read(lines) + "\r\n"
				}
				if verb != "MAIL" && verb != "RCPT" {
					break
				}
			}
			if _, err := io.WriteString(c, answers); err != nil {
				return
			}
		}
	})
	return mail.Config{Host: "127.0.0.1", Port: port, TLS: mail.NoTLS, From: "portal@lab.example", Timeout: 5 * time.Second}
}

// read reads a content up to its dot. An empty one is refused, as most do.
func (s *scripted) read(lines *bufio.Reader) string {
	var content strings.Builder
	for {
		line, err := lines.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		content.WriteString(line)
	}
	s.note(&s.content, content.String())
	if content.Len() == 0 {
		return "554 no valid recipients"
	}
	return "250 taken"
}

func (s *scripted) note(in *[]string, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*in = append(*in, what)
}

func (s *scripted) contents() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.content)
}

// agreeable answers as a server does that takes everything.
func agreeable(line string) string {
	switch verb, _, _ := strings.Cut(line, " "); verb {
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 bye"
	}
	return "250 yes"
}

// A server that offers it gets the commands of a message in one go: this one
// answers none of them before it has heard all three.
func TestCommandsGoTogetherWhereTheServerOffersIt(t *testing.T) {
	server := &scripted{offers: "PIPELINING", waits: 3, answer: agreeable}
	if got := codes(sender(t, server.start(t)).Send(ctx, letters(5))); !slices.Equal(got, make([]string, 5)) {
		t.Errorf("%q", got)
	}
	if n := len(server.contents()); n != 5 {
		t.Errorf("%d messages came", n)
	}
}

// One that does not offer it gets one command at a time, and none after a refusal.
func TestCommandsGoOneByOneElsewhere(t *testing.T) {
	server := &scripted{offers: "8BITMIME", answer: func(line string) string {
		if strings.HasPrefix(line, "RCPT TO:<ada1@") {
			return "550 not here"
		}
		return agreeable(line)
	}}
	if got := codes(sender(t, server.start(t)).Send(ctx, letters(3))); !slices.Equal(got, []string{"", "refused", ""}) {
		t.Errorf("%q", got)
	}
	if n := len(server.contents()); n != 2 {
		t.Errorf("%d messages came", n)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if i := slices.Index(server.heard, "RCPT TO:<ada1@example.org>"); i < 0 || server.heard[i+1] != "RSET" {
		t.Errorf("it heard %q", server.heard)
	}
}

// Whatever such a server refuses, and however it answers to what follows: the
// refusal is the message's, its content is not sent, and the others arrive.
func TestARefusalAmongCommandsThatGoTogether(t *testing.T) {
	for name, c := range map[string]struct {
		refuse map[string]string // what is said to a command of the second message
		code   string
	}{
		"the recipient, and the content that follows": {map[string]string{"RCPT": "550 not here", "DATA": "503 no recipient"}, "refused"},
		"the recipient, and then waiting for content": {map[string]string{"RCPT": "550 not here"}, "refused"},
		"the sender, and everything that follows":     {map[string]string{"MAIL": "530 who are you", "RCPT": "503 no sender", "DATA": "503 no sender"}, "auth"},
		"the sender, and nothing else":                {map[string]string{"MAIL": "530 who are you"}, "auth"},
		"the content":                                 {map[string]string{"DATA": "554 no"}, "refused"},
		"the recipient, for the moment":               {map[string]string{"RCPT": "451 later", "DATA": "503 no recipient"}, "deferred"},
		"and says good-bye":                           {map[string]string{"RCPT": "421 closing"}, "deferred"},
		"and hangs up":                                {map[string]string{"RCPT": ""}, "closed"},
		"and hangs up after the refusal":              {map[string]string{"RCPT": "550 not here", "DATA": ""}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			var second atomic.Bool
			server := &scripted{offers: "PIPELINING", waits: 3}
			server.answer = func(line string) string {
				verb, _, _ := strings.Cut(line, " ")
				if verb == "MAIL" {
					second.Store(len(server.contents()) == 1 && !second.Load())
				}
				if said, ok := c.refuse[verb]; ok && second.Load() {
					return said
				}
				return agreeable(line)
			}
			want := []string{"", c.code, ""}
			if got := codes(sender(t, server.start(t)).Send(ctx, letters(3))); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			sent := slices.DeleteFunc(server.contents(), func(s string) bool { return s == "" })
			if len(sent) != 2 || !strings.Contains(sent[0], "<ada0@example.org>") || !strings.Contains(sent[1], "<ada2@example.org>") {
				t.Errorf("what came is %q", sent)
			}
		})
	}
}
