package mail_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"postern/core/mail"
	"postern/core/mail/mailtest"
)

func TestAMessageArrivesAsItWasWritten(t *testing.T) {
	for name, o := range map[string]mailtest.Options{
		"STARTTLS": {}, "implicit TLS": {ImplicitTLS: true},
		"STARTTLS, signed in": {User: "portal", Password: "päss word"}, "implicit TLS, signed in": {ImplicitTLS: true, User: "portal", Password: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			server := mailtest.New(t, o)
			c := reach(t, server)
			c.User, c.Password, c.FromName = o.User, o.Password, `Ärzte "ohne", Grenzen`
			if o.ImplicitTLS {
				c.TLS = mail.ImplicitTLS
			}
			text := "Olá, Ada!\n\n.\n.. a line of dots, = signs and 日本語 " + strings.Repeat("long ", 300) + "\n\nFrom here on"
			m := mail.Message{
				ID: "01JDX0000000000000000000AB", To: "ada+portal@example.org", Subject: "Seu código é 123456 — não conte a ninguém, nem mesmo a quem pedir com jeitinho 🗝",
				Text: text, HTML: mail.HTML("Código", text, "pt-BR"), Date: when,
			}
			if r := sender(t, c).Send(ctx, []mail.Message{m}); r[0].Err != nil {
				t.Fatal(r[0].Err)
			}
			got := server.Wait(t, 1)[0]
			if got.Err != nil || got.From != c.From || got.To != m.To || got.Subject != m.Subject || got.Text != m.Text ||
				strings.TrimSpace(got.HTML) != strings.TrimSpace(m.HTML) {
				t.Errorf("got %+v", got)
			}
			from, err := got.Header.AddressList("From")
			if err != nil || len(from) != 1 || from[0].Name != c.FromName || from[0].Address != c.From {
				t.Errorf("from %v, %v", from, err)
			}
			if date, err := got.Header.Date(); err != nil || !date.Equal(when) {
				t.Errorf("dated %v, %v", date, err)
			}
			for header, want := range map[string]string{
				"Message-Id": "<01JDX0000000000000000000AB@lab.example>", "Auto-Submitted": "auto-generated",
				"To": "<ada+portal@example.org>", "Mime-Version": "1.0", "X-Mailer": "", "User-Agent": "",
			} {
				if v := got.Header.Get(header); v != want {
					t.Errorf("%s: %q, want %q", header, v, want)
				}
			}
			if kind := got.Header.Get("Content-Type"); !strings.HasPrefix(kind, "multipart/alternative;") {
				t.Error(kind)
			}
			if strings.Contains(got.Raw, "go-mail") || strings.Index(got.Raw, "text/plain") > strings.Index(got.Raw, "text/html") {
				t.Error("the plain form comes first, and nothing tells what wrote it:", got.Raw)
			}
		})
	}
}

func TestTextAloneIsNotMultipart(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	if err := one(t, sender(t, reach(t, server))); err != nil {
		t.Fatal(err)
	}
	if kind := server.Messages()[0].Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain;") {
		t.Error(kind)
	}
}

func TestOneConnectionIsKeptForSeveralBatches(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, code := range codes(s.Send(ctx, letters(5))) {
				if code != "" {
					t.Error(code)
				}
			}
		})
	}
	all.Wait()
	if server.Count() != 20 || server.Connections() != 1 {
		t.Errorf("%d messages over %d connections", server.Count(), server.Connections())
	}
	for i, m := range server.Messages() {
		if want := letters(5)[i%5].To; m.To != want {
			t.Errorf("message %d went to %s, not to %s: batches are mixed up", i, m.To, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	expect(t, one(t, s), "closed", false)
}

func TestAConnectionIsNotKeptForLong(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	mail.SetIdle(s, time.Millisecond)
	if err := one(t, s); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); server.Open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the connection is still there")
		}
	}
	if err := one(t, s); err != nil || server.Connections() != 2 {
		t.Errorf("%v, %d connections", err, server.Connections())
	}
}

// The server went away between two batches: nobody has to fail for that.
func TestAStaleConnectionIsReplaced(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	if err := one(t, s); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Start(t)
	if err := one(t, s); err != nil || server.Connections() != 2 {
		t.Errorf("%v, %d connections", err, server.Connections())
	}
}

// ASVS 16.5.2.
func TestAServerThatIsNotThere(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	server.Stop()
	for _, r := range s.Send(ctx, letters(3)) {
		expect(t, r.Err, "unreachable", false)
	}
	server.Start(t)
	if err := one(t, s); err != nil {
		t.Error("it is back, and yet:", err)
	}
}

// mute accepts connections and does with them what act does.
func mute(t *testing.T, act func(net.Conn)) (port int, count func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []net.Conn
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, c)
			mu.Unlock()
			done.Go(func() { act(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range all {
			_ = c.Close()
		}
		mu.Unlock()
		done.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port, func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(all)
	}
}

func TestAServerThatDoesNotSpeakCostsOneTimeout(t *testing.T) {
	port, count := mute(t, func(net.Conn) {})
	s := sender(t, mail.Config{Host: "127.0.0.1", Port: port, From: "portal@lab.example", Timeout: 100 * time.Millisecond})
	for _, r := range s.Send(ctx, letters(50)) {
		expect(t, r.Err, "timeout", false)
	}
	if count() != 1 {
		t.Errorf("%d connections were tried", count())
	}
}

func TestServersThatAreNone(t *testing.T) {
	for name, x := range map[string]struct {
		says string
		code string
	}{
		"hangs up":                      {"", "closed"},
		"speaks HTTP":                   {"HTTP/1.1 400 Bad Request\r\n\r\n", "unreachable"},
		"wants nobody":                  {"554 go away, \x1b]0;secret\a\r\n", "unreachable"},
		"is busy":                       {"421 too many\r\n", "deferred"},
		"talks without end":             {"220-" + strings.Repeat("x", 3<<20), "closed"},
		"hangs up after it was greeted": {"220 hello\r\n", "closed"},
	} {
		t.Run(name, func(t *testing.T) {
			port, count := mute(t, func(c net.Conn) {
				_, _ = io.WriteString(c, x.says)
				if strings.Contains(name, "greeted") {
					_, _ = c.Read(make([]byte, 100))
				}
				_ = c.Close()
			})
			s := sender(t, mail.Config{Host: "127.0.0.1", Port: port, From: "portal@lab.example", Timeout: 10 * time.Second})
			for _, r := range s.Send(ctx, letters(3)) {
				expect(t, r.Err, x.code, false)
				if strings.ContainsAny(r.Err.Error(), "\x1b\a") || strings.Contains(r.Err.Error(), "secret") {
					t.Errorf("the server's words are in %q", r.Err)
				}
			}
			if count() != 1 {
				t.Errorf("%d connections were tried", count())
			}
		})
	}
}

func TestASlowServerIsNotWaitedForMessageByMessage(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{Slow: time.Hour})
	c := reach(t, server)
	c.Timeout = 500 * time.Millisecond
	s := sender(t, c)
	for _, r := range s.Send(ctx, letters(20)) {
		expect(t, r.Err, "timeout", false)
	}
	if n := server.Transactions(); n > 2 {
		t.Errorf("%d of 20 messages have waited", n)
	}
	server.Change(func(o *mailtest.Options) { o.Slow = 0 })
	if err := one(t, s); err != nil {
		t.Error(err)
	}
}

// One that takes a message now and then must not cost a timeout for each of the others.
func TestAServerThatKeepsStallingIsNotTriedAThirdTime(t *testing.T) {
	stall := make(chan struct{})
	var mu sync.Mutex
	n := 0
	server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(string) *smtp.SMTPError {
		mu.Lock()
		n++
		stalls := n%2 == 0
		mu.Unlock()
		if stalls {
			<-stall
		}
		return nil
	}})
	t.Cleanup(func() { close(stall) })
	c := reach(t, server)
	c.Timeout = time.Second
	got := codes(sender(t, c).Send(ctx, letters(8)))
	if want := []string{"", "timeout", "", "timeout", "timeout", "timeout", "timeout", "timeout"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if server.Transactions() != 4 {
		t.Errorf("%d were tried", server.Transactions())
	}
}

func TestOneRefusedRecipientDoesNotHarmTheOthers(t *testing.T) {
	for _, x := range []struct {
		refusal *smtp.SMTPError
		code    string
		perm    bool
	}{
		{&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}, "refused", true},
		{&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "greylisted"}, "deferred", false},
		{&smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "sign in first"}, "auth", false},
	} {
		server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(address string) *smtp.SMTPError {
			if address == "ada1@example.org" {
				return x.refusal
			}
			return nil
		}})
		results := sender(t, reach(t, server)).Send(ctx, letters(4))
		if got := codes(results); !slices.Equal(got, []string{"", x.code, "", ""}) || server.Count() != 3 || server.Connections() != 1 {
			t.Errorf("%q, %d came over %d connections", got, server.Count(), server.Connections())
		}
		expect(t, results[1].Err, x.code, x.perm)
		if strings.Contains(results[1].Err.Error(), x.refusal.Message) {
			t.Errorf("the server's words are in %q", results[1].Err)
		}
	}
}

// A sender that the server does not know is not the recipient's fault: nothing is
// lost by it.
func TestARefusedSenderIsForTheOperatorToMend(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{RefuseSender: &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not yours"}})
	for _, r := range sender(t, reach(t, server)).Send(ctx, letters(2)) {
		expect(t, r.Err, "auth", false)
	}
}

func TestAServerThatRefusesEverything(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{RefuseAll: true})
	for _, r := range sender(t, reach(t, server)).Send(ctx, letters(3)) {
		expect(t, r.Err, "refused", true)
	}
	server.Change(func(o *mailtest.Options) {
		o.RefuseAll, o.RefuseContent = false, &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "spam"}
	})
	for _, r := range sender(t, reach(t, server)).Send(ctx, letters(3)) {
		expect(t, r.Err, "refused", true)
	}
	if server.Count() != 0 || server.Connections() != 2 {
		t.Errorf("%d came over %d connections", server.Count(), server.Connections())
	}
}

func TestAConnectionThatBreaksMidwayCostsOneMessage(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{CloseAfterData: 3})
	results := sender(t, reach(t, server)).Send(ctx, letters(8))
	if got, want := codes(results), []string{"", "", "closed", "", "", "closed", "", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	expect(t, results[2].Err, "closed", false)
	if server.Count() != 6 || server.Connections() != 3 {
		t.Errorf("%d came over %d connections", server.Count(), server.Connections())
	}
}

func TestAServerThatOnlyBreaksIsTriedTwice(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{CloseAfterData: 1})
	for _, r := range sender(t, reach(t, server)).Send(ctx, letters(10)) {
		expect(t, r.Err, "closed", false)
	}
	if server.Connections() != 2 || server.Transactions() != 2 {
		t.Errorf("%d connections, %d messages begun", server.Connections(), server.Transactions())
	}
}

// Exim and Postfix end a connection with 421 after so many messages.
func TestAServerMayLimitTheMessagesOfAConnection(t *testing.T) {
	var mu sync.Mutex
	n := 0
	server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(string) *smtp.SMTPError {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 == 0 {
			return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "too many messages in one connection"}
		}
		return nil
	}})
	got := codes(sender(t, reach(t, server)).Send(ctx, letters(7)))
	if want := []string{"", "", "deferred", "", "", "deferred", ""}; !slices.Equal(got, want) || server.Connections() != 3 {
		t.Errorf("%q, want %q; %d connections", got, want, server.Connections())
	}
}

// Messages to one person come in order, or not yet.
func TestALaneStaysInOrder(t *testing.T) {
	refusal := &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "greylisted"}
	server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(address string) *smtp.SMTPError {
		switch address {
		case "ada0@example.org":
			return refusal
		case "ada1@example.org":
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	}})
	m := letters(6)
	for i, lane := range []string{"ada", "bob", "ada", "bob", "", ""} {
		m[i].Lane = lane
	}
	m[4].To = m[0].To // deferred as well, but in no lane
	results := sender(t, reach(t, server)).Send(ctx, m)
	if got, want := codes(results), []string{"deferred", "refused", "", "", "deferred", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i, r := range results {
		if r.Held != (i == 2) {
			t.Errorf("message %d: held %v", i, r.Held)
		}
	}
	if server.Count() != 2 {
		t.Errorf("%d came", server.Count())
	}
}

func TestABatchEndsWithItsContext(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{Slow: time.Hour})
	s := sender(t, reach(t, server))
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for server.Transactions() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	for _, r := range s.Send(ctx, letters(3)) {
		expect(t, r.Err, "closed", false)
		if !errors.Is(r.Err, context.Canceled) {
			t.Error(r.Err)
		}
	}
	server.Change(func(o *mailtest.Options) { o.Slow = 0 })
	for _, r := range s.Send(ctx, letters(2)) {
		expect(t, r.Err, "closed", false)
	}
	if err := one(t, s); err != nil || server.Count() != 1 {
		t.Errorf("%v, %d came", err, server.Count())
	}
}

func TestADeadlineIsATimeout(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{Slow: time.Hour})
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	expect(t, sender(t, reach(t, server)).Send(ctx, letters(1))[0].Err, "timeout", false)
}

func TestClosingEndsABatchUnderWay(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{Slow: time.Hour})
	s := sender(t, reach(t, server))
	done := make(chan []mail.Result)
	go func() { done <- s.Send(ctx, letters(3)) }()
	for server.Transactions() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, r := range <-done {
		expect(t, r.Err, "closed", false)
	}
}
