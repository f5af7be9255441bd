package sshd

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"net"
	"strings"
	"sync"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

func TestAGuestComesInWithoutAKey(t *testing.T) {
	d := open(t, Limits{})
	term := d.terminal(d.client(), 100, 30)
	term.see("size=100x30")
	term.typeKeys("hello")
	term.see("hello")
	term.typeKeys("\x03")
	if code := exitCode(t, term.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
	v := d.handler.visitors[0]
	if v.Key != nil || v.KeyFingerprint != "" || v.KeyLine != "" {
		t.Errorf("a guest has a key: %+v", v)
	}
	if v.User != "ada" || v.Remote.String() != "127.0.0.1" || v.Port == 0 || v.Client != "Go" ||
		!v.PTY || v.Term != "xterm-256color" || v.Width != 100 || v.Height != 30 {
		t.Errorf("visitor: %+v", v)
	}
	eventually(t, "the program's end", func() bool { return d.handler.endedCount() == 1 })
}

// ASVS 6.7.1: identity is what the handshake verified.
func TestAProvedKeyIsTheVisitors(t *testing.T) {
	d := open(t, Limits{})
	key := newKey(t)
	term := d.terminal(d.client(gossh.PublicKeys(key)), 80, 24)
	term.see("size=80x24")
	v := d.handler.visitors[0]
	if v.KeyFingerprint != gossh.FingerprintSHA256(key.PublicKey()) {
		t.Errorf("fingerprint %q", v.KeyFingerprint)
	}
	if line := strings.TrimSpace(string(gossh.MarshalAuthorizedKey(key.PublicKey()))); v.KeyLine != line {
		t.Errorf("line %q, want %q", v.KeyLine, line)
	}
}

// offeringSigner claims a key whose private half it does not have.
type offeringSigner struct {
	gossh.Signer
	claims gossh.PublicKey
}

func (s offeringSigner) PublicKey() gossh.PublicKey { return s.claims }

// Weakness: a server that remembers the key of the callback lets a client offer
// the key of another, prove its own, and be taken for the other (CVE-2024-45337).
func TestAnOfferedKeyIsNobodysIdentity(t *testing.T) {
	d := open(t, Limits{})
	victim, own := newKey(t), newKey(t)
	offered := offeringSigner{Signer: newKey(t), claims: victim.PublicKey()}

	if _, err := d.dial(gossh.PublicKeys(offered)); err == nil {
		t.Fatal("a key that was offered and not proved let its claimant in")
	}
	// Offering the victim's key first and proving the own one later gives the own one.
	client := d.client(gossh.PublicKeys(own, offered))
	sess, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := sess.Output("whoami")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), gossh.FingerprintSHA256(own.PublicKey())) {
		t.Errorf("whoami: %s", out)
	}
	// A false proof ends the connection, so it cannot go on as a guest either.
	if _, err := d.dial(gossh.PublicKeys(offered), guestAuth()); err == nil {
		t.Error("a connection went on after a false proof")
	}
}

func TestNoneAndPasswordsAreRefused(t *testing.T) {
	d := open(t, Limits{})
	for name, auth := range map[string][]gossh.AuthMethod{
		"none":     {},
		"password": {gossh.Password("secret")},
	} {
		client, err := gossh.Dial("tcp", d.addr, &gossh.ClientConfig{
			User: "ada", Auth: auth, HostKeyCallback: gossh.FixedHostKey(d.HostKey()),
		})
		if err == nil {
			_ = client.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}

// ASVS 11.2.3: RSA below 2048 bits proves nothing.
func TestAShortRSAKeyIsNotCounted(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	signer := func(bits int) gossh.Signer {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Skipf("this Go makes no RSA key of %d bits: %v", bits, err)
		}
		s, err := gossh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	d := open(t, Limits{})
	if _, err := d.dial(gossh.PublicKeys(signer(1024))); err == nil {
		t.Error("a key of 1024 bits let its owner in")
	}
	sess, err := d.client(gossh.PublicKeys(signer(2048))).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := sess.Output("whoami"); err != nil || !strings.Contains(string(out), "SHA256:") {
		t.Errorf("whoami with 2048 bits: %s, %v", out, err)
	}
}

// ASVS 12.1.2, RFC 9142: only strong algorithms, and strict key exchange (CVE-2023-48795).
func TestTheServerOffersOnlyStrongAlgorithms(t *testing.T) {
	d := open(t, Limits{})
	c := d.rawDial()
	if _, err := c.Write([]byte("SSH-2.0-probe\r\n")); err != nil {
		t.Fatal(err)
	}
	var hello []byte
	buf := make([]byte, 4096)
	eventually(t, "the server's KEXINIT", func() bool {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		hello = append(hello, buf[:n]...)
		return bytes.Contains(hello, []byte("hmac"))
	})
	for _, weak := range []string{"sha1", "cbc", "group1", "group14", "group-exchange", "arcfour", "3des", "md5", "ssh-rsa", "ssh-dss"} {
		if bytes.Contains(hello, []byte(weak)) {
			t.Errorf("%s is offered: %q", weak, hello)
		}
	}
	for _, strong := range []string{"mlkem768x25519-sha256", "curve25519-sha256", "kex-strict-s-v00@openssh.com", "chacha20-poly1305@openssh.com"} {
		if !bytes.Contains(hello, []byte(strong)) {
			t.Errorf("%s is not offered", strong)
		}
	}
	for _, weak := range []gossh.Config{
		{KeyExchanges: []string{gossh.InsecureKeyExchangeDH14SHA1}},
		{Ciphers: []string{gossh.InsecureCipherAES128CBC}},
		{Ciphers: []string{gossh.CipherAES128CTR}, MACs: []string{gossh.InsecureHMACSHA196}},
	} {
		_, err := gossh.Dial("tcp", d.addr, &gossh.ClientConfig{
			Config: weak, User: "ada", Auth: []gossh.AuthMethod{guestAuth()}, HostKeyCallback: gossh.FixedHostKey(d.HostKey()),
		})
		if err == nil {
			t.Errorf("a client with %+v came in", weak)
		}
	}
}

func TestVerbsAndTheirExitCodes(t *testing.T) {
	d := open(t, Limits{VerbInput: 10})
	client := d.client()
	for _, test := range []struct {
		command, in string
		code        int
		out, errs   string
	}{
		{"exit7", "", 7, "", ""},
		{"nonsense", "", ExitUsage, "", "no such verb"},
		{`args 'a b' "c\"d" e\ f $HOME ; rm`, "", 0, `["args" "a b" "c\"d" "e f" "$HOME" ";" "rm"]`, ""},
		{"args 'open", "", ExitUsage, "", "quotation mark"},
		{"cat", "0123456789", 0, "0123456789", ""},
		{"cat", "0123456789A", ExitRefused, "", "too large"},
		{"panic", "", ExitRefused, "", "Report the id"},
	} {
		sess, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		sess.Stdin, sess.Stdout, sess.Stderr = strings.NewReader(test.in), &out, &errs
		code := exitCode(t, sess.Run(test.command))
		if code != test.code || !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.errs) {
			t.Errorf("%q: code %d, out %q, err %q", test.command, code, out.String(), errs.String())
		}
		if strings.Contains(errs.String(), "secret") {
			t.Errorf("%q tells a panic's text: %q", test.command, errs.String())
		}
	}
	if !strings.Contains(d.log.String(), "the verb's secret") {
		t.Error("the panic is not in the log")
	}
}

func TestAShellWithoutATerminalGetsAPoliteLine(t *testing.T) {
	d := open(t, Limits{})
	sess, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	sess.Stderr = &errs
	if err := sess.Shell(); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, sess.Wait()); code != ExitUsage || !strings.Contains(errs.String(), "ssh -t") {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	d := open(t, Limits{})
	term := d.terminal(d.client(), 80, 24)
	term.see("size=80x24")
	verb, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := verb.Start("wait"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both sessions", func() bool { return d.Stats().Entered == 2 })
	if err := d.stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if code := exitCode(t, term.Wait()); code != ExitRefused || !strings.Contains(term.out.String(), "Auf Wiedersehen.") {
		t.Errorf("code %d, %q", code, term.out.String())
	}
	if code := exitCode(t, verb.Wait()); code != ExitRefused {
		t.Errorf("verb: code %d", code)
	}
	if _, err := net.Dial("tcp", d.addr); err == nil {
		t.Error("the port is still open")
	}
	if d.handler.endedCount() != 1 {
		t.Error("the program was not ended")
	}
}

// Connections that are anywhere in their handshake when the server stops are
// closed with it: none is left in the counts, and none outlives Serve.
func TestStoppingWhileVisitorsComeIn(t *testing.T) {
	for range 20 {
		d := open(t, Limits{})
		var visitors sync.WaitGroup
		first := make(chan struct{}, 4)
		for range 4 {
			visitors.Go(func() {
				client, err := d.dial()
				first <- struct{}{}
				if err != nil {
					return // the door was closed before it
				}
				_ = client.Wait()
			})
		}
		<-first
		if err := d.stop(); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		if st := d.Stats(); st.Connections != 0 || st.Unauthenticated != 0 {
			t.Fatalf("connections outlived the server: %+v", st)
		}
		visitors.Wait()
	}
}
