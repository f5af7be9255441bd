// One connection: opened, encrypted, signed in, and messages handed over on it.
//
// The steps are go-mail's smtp package; its Client would take them by itself,
// but it tells a timeout from a closed connection only in words, leaves a
// connection open that it could not sign in on, ends a half-written message
// with a dot when it says good-bye, and asks twice per message whether the
// server is still there.

package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

var (
	errNotOffered = errors.New("mail: STARTTLS is not offered")
	errElsewhere  = errors.New("mail: the name is not this machine's")
	errNoMethod   = errors.New("mail: no way to sign in that keeps the password")
	errTooMuch    = errors.New("mail: a reply without end")
)

// lost says whether an error means that the connection is gone.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, errTooMuch)
}

// maxReply bounds what a server may say to one message, in bytes.
const maxReply = 1 << 20

// bounded is a connection that reads no more than it was allowed: lines of a
// reply have no limit of their own.
type bounded struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// conn is a connection that is ready for messages.
type conn struct {
	raw     *bounded
	smtp    *smtp.Client
	timeout time.Duration
	taken   int         // messages that the server has accepted on it
	release func() bool // lets go of the context that would close it
}

// hold closes the connection when ctx ends, until let goes.
func (c *conn) hold(ctx context.Context) {
	c.release = context.AfterFunc(ctx, func() { _ = c.raw.Close() })
}

// let undoes hold. It returns false when the context has ended: the connection
// is closed, or will be.
func (c *conn) let() bool { return c.release() }

// open connects, encrypts and signs in. The whole of it may take the timeout
// once. The connection is held by ctx.
func (s *Sender) open(ctx context.Context) (*conn, error) {
	end := time.Now().Add(s.config.Timeout)
	dialer := net.Dialer{Deadline: end}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port)))
	if err != nil {
		return nil, s.because(ctx, stageDial, err)
	}
	c := &conn{raw: &bounded{Conn: raw, left: maxReply}, timeout: s.config.Timeout}
	c.hold(ctx)
	at, err := s.prepare(c, end)
	if err != nil {
		c.drop()
		return nil, s.because(ctx, at, err)
	}
	return c, nil
}

// because makes an error of a failure, or of the end of the context that caused it.
func (s *Sender) because(ctx context.Context, at stage, err error) error {
	if ctx.Err() != nil {
		return interrupted(ctx.Err())
	}
	return failed(at, err)
}

// prepare does what comes before the first message. The password is sent only
// over what is encrypted for the right host, or hidden by its mechanism.
func (s *Sender) prepare(c *conn, end time.Time) (stage, error) {
	if err := c.raw.SetDeadline(end); err != nil {
		return stageDial, err
	}
	var talk net.Conn = c.raw
	switch s.config.TLS {
	case NoTLS:
		// The name was that of this machine; a resolver may see it otherwise.
		if tcp, ok := c.raw.RemoteAddr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
			return stageTLS, errElsewhere
		}
	case ImplicitTLS:
		encrypted := tls.Client(c.raw, s.tls)
		if err := encrypted.Handshake(); err != nil {
			return stageTLS, err
		}
		talk = encrypted
	}
	client, err := smtp.NewClient(talk, s.config.Host)
	if err != nil {
		return stageGreeting, err
	}
	c.smtp = client
	// What is sent is ASCII on the wire: asking for more would only make it
	// undeliverable further on (RFC 6531 §3.6).
	client.SkipSMTPUTF8(true)
	if err := client.Hello(s.config.Hello); err != nil {
		return stageGreeting, err
	}
	if s.config.TLS == StartTLS {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return stageTLS, errNotOffered
		}
		if err := client.StartTLS(s.tls); err != nil {
			return stageTLS, err
		}
	}
	if s.config.User == "" {
		return 0, nil
	}
	how, err := s.method(client)
	if err != nil {
		return stageAuth, err
	}
	return stageAuth, client.Auth(how)
}

// method chooses the strongest way to sign in that the server offers, in
// go-mail's order.
func (s *Sender) method(client *smtp.Client) (smtp.Auth, error) {
	_, list := client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	user, password := s.config.User, s.config.Password
	state, err := client.GetTLSConnectionState()
	encrypted := err == nil
	for _, m := range []struct {
		name  string
		clear bool // may go over an open connection
		make  func() smtp.Auth
	}{
		{"SCRAM-SHA-256-PLUS", false, func() smtp.Auth { return smtp.ScramSHA256PlusAuth(user, password, state) }},
		{"SCRAM-SHA-256", true, func() smtp.Auth { return smtp.ScramSHA256Auth(user, password) }},
		{"SCRAM-SHA-1-PLUS", false, func() smtp.Auth { return smtp.ScramSHA1PlusAuth(user, password, state) }},
		{"SCRAM-SHA-1", true, func() smtp.Auth { return smtp.ScramSHA1Auth(user, password) }},
		{"CRAM-MD5", true, func() smtp.Auth { return smtp.CRAMMD5Auth(user, password) }},
		{"PLAIN", false, func() smtp.Auth { return smtp.PlainAuth("", user, password, s.config.Host, false) }},
		{"LOGIN", false, func() smtp.Auth { return smtp.LoginAuth(user, password, s.config.Host, false) }},
	} {
		if (encrypted || m.clear) && slices.Contains(offered, m.name) {
			return m.make(), nil
		}
	}
	return nil, errNoMethod
}

// alive asks a connection that has lain idle whether it is still one. A new one
// is soon made, so it does not wait for long.
func (c *conn) alive() bool {
	c.raw.left = maxReply
	return c.smtp.UpdateDeadline(min(c.timeout, defaultIdle)) == nil && c.smtp.Noop() == nil
}

// deliver hands one message over. It returns how far it came, and whether the
// connection can be used for another.
func (c *conn) deliver(from, to string, msg *mail.Msg) (at stage, usable bool, err error) {
	c.raw.left = maxReply
	if err := c.smtp.UpdateDeadline(c.timeout); err != nil {
		return stageSender, false, err
	}
	if at, err := c.address(from, to); err != nil {
		return at, c.reset(err), err
	}
	w := c.smtp.Text.DotWriter()
	if _, err := msg.WriteTo(w); err != nil {
		return stageContent, false, err // no dot: half a message is none
	}
	if err := w.Close(); err != nil {
		return stageContent, false, err
	}
	if _, _, err := c.smtp.Text.ReadResponse(250); err != nil {
		return stageContent, c.reset(err), err
	}
	c.taken++
	return stageContent, true, nil
}

// address says from whom and to whom a message is, and asks for its content.
func (c *conn) address(from, to string) (at stage, err error) {
	if together, _ := c.smtp.Extension("PIPELINING"); together {
		return c.addressTogether(from, to)
	}
	if err := c.smtp.Mail("<" + from + ">"); err != nil {
		return stageSender, err
	}
	if err := c.smtp.Rcpt("<" + to + ">"); err != nil {
		return stageRecipient, err
	}
	if err := c.say("DATA"); err != nil {
		return stageContent, err
	}
	_, _, err = c.smtp.Text.ReadResponse(354)
	return stageContent, err
}

// addressTogether says it to a server that hears all commands at once and then
// answers them (RFC 2920): a message costs two ways there and back, not four. It
// may keep its answers back until it has the last one (§3.2), so a silence after
// them is not one about the sender: it may be this recipient that takes so long.
func (c *conn) addressTogether(from, to string) (at stage, err error) {
	text := c.smtp.Text
	if err := c.say("MAIL FROM:<" + from + ">\r\nRCPT TO:<" + to + ">\r\nDATA"); err != nil {
		return stageSender, err
	}
	for _, answer := range [...]struct {
		to   stage
		want int
	}{{stageSender, 250}, {stageRecipient, 25}, {stageContent, 354}} {
		_, _, said := text.ReadResponse(answer.want)
		if err == nil {
			at, err = answer.to, said
			if at == stageSender && said != nil && !replyOf(said) {
				at = stageRecipient
			}
		}
		switch {
		case said == nil && answer.to == stageContent && err != nil:
			// It waits for the content of a message that it has refused, and gets
			// none, whatever it says to that (RFC 2920 §3.1).
			if c.say(".") == nil {
				_, _, _ = text.ReadResponse(0)
			}
		case said != nil && !refused(said):
			return at, err // there are no more answers
		}
	}
	return at, err
}

// say sends lines of commands.
func (c *conn) say(lines string) error {
	if _, err := c.smtp.Text.W.WriteString(lines + "\r\n"); err != nil {
		return err
	}
	return c.smtp.Text.W.Flush()
}

// replyOf says whether an error is an answer of the server's.
func replyOf(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

// refused says whether an error is an answer, after which the connection goes on. A
// 421 closes it (RFC 5321 §3.8).
func refused(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply) && reply.Code != 421
}

// reset clears the way for the next message after a refusal, and says whether
// there is a way.
func (c *conn) reset(err error) bool { return refused(err) && c.smtp.Reset() == nil }

// drop ends the connection without a word.
func (c *conn) drop() {
	c.release()
	_ = c.raw.Close()
}

// quit ends a connection that is in order, politely but without patience.
func (c *conn) quit() {
	c.raw.left = maxReply
	if c.smtp.UpdateDeadline(farewell) == nil {
		_ = c.smtp.Quit()
	}
	_ = c.raw.Close()
}

// farewell is how long a server has to answer good-bye.
const farewell = time.Second
