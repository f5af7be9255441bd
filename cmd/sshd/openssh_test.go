package sshd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	gossh "golang.org/x/crypto/ssh"
)

// openSSH is the OpenSSH client, set up for this server and nothing else.
type openSSH struct {
	t    *testing.T
	path string
	dir  string
	args []string
}

func newOpenSSH(t *testing.T, d *door) *openSSH {
	t.Helper()
	path, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("the OpenSSH client is not installed")
	}
	dir := t.TempDir()
	host, port, _ := strings.Cut(d.addr, ":")
	known := filepath.Join(dir, "known_hosts")
	line := "[" + host + "]:" + port + " " + string(gossh.MarshalAuthorizedKey(d.HostKey()))
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return &openSSH{t: t, path: path, dir: dir, args: []string{
		"-F", "none", "-p", port, "-l", "ada", "-o", "UserKnownHostsFile=" + known, "-o", "StrictHostKeyChecking=yes",
		"-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "IdentityFile=none", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10",
	}}
}

// key makes a key of a kind and returns its fingerprint.
func (o *openSSH) key(kind ...string) (path, fingerprint string) {
	o.t.Helper()
	path = filepath.Join(o.dir, strings.Join(kind, ""))
	args := append([]string{"-q", "-N", "", "-f", path, "-t"}, kind...)
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		o.t.Skipf("ssh-keygen makes no %v key here: %v %s", kind, err, out)
	}
	text, err := os.ReadFile(path + ".pub")
	if err != nil {
		o.t.Fatal(err)
	}
	public, _, _, _, err := gossh.ParseAuthorizedKey(text)
	if err != nil {
		o.t.Fatal(err)
	}
	return path, gossh.FingerprintSHA256(public)
}

func (o *openSSH) command(args ...string) *exec.Cmd {
	cmd := exec.Command(o.path, append(append([]string{}, o.args...), args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "HOME="+o.dir)
	return cmd
}

// run runs the client to its end and returns what it said and its exit code.
func (o *openSSH) run(stdin string, args ...string) (out, errs string, code int) {
	o.t.Helper()
	cmd := o.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if _, ok := err.(*exec.ExitError); !ok {
			o.t.Fatal(err)
		}
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func TestOpenSSHGuestsKeysAndVerbs(t *testing.T) {
	d := open(t, Limits{})
	ssh := newOpenSSH(t, d)
	out, errs, code := ssh.run("", "127.0.0.1", "whoami")
	if code != 0 || !strings.HasPrefix(out, "ada||127.0.0.1|false|") {
		t.Errorf("guest: %q, %q, %d", out, errs, code)
	}
	for _, kind := range [][]string{{"ed25519"}, {"ecdsa", "-b", "384"}, {"rsa", "-b", "2048"}} {
		path, fingerprint := ssh.key(kind...)
		out, errs, code = ssh.run("", "-i", path, "127.0.0.1", "whoami")
		if code != 0 || !strings.Contains(out, fingerprint) {
			t.Errorf("%v: %q, %q, %d", kind, out, errs, code)
		}
	}
	weak, _ := ssh.key("rsa", "-b", "1024")
	if out, _, _ = ssh.run("", "-i", weak, "127.0.0.1", "whoami"); strings.Contains(out, "SHA256") {
		t.Errorf("a short RSA key was counted: %q", out)
	}
	if out, errs, code = ssh.run("given", "127.0.0.1", "cat"); code != 0 || out != "given" {
		t.Errorf("cat: %q, %q, %d", out, errs, code)
	}
	if _, _, code = ssh.run("", "127.0.0.1", "exit7"); code != 7 {
		t.Errorf("exit7: %d", code)
	}
	if _, errs, code = ssh.run("", "-T", "127.0.0.1"); code != ExitUsage || !strings.Contains(errs, "ssh -t") {
		t.Errorf("no terminal, no verb: %q, %d", errs, code)
	}
	if _, _, code = ssh.run("", "-s", "127.0.0.1", "sftp"); code == 0 {
		t.Error("a subsystem was served")
	}
	if _, _, code = ssh.run("", "-W", "127.0.0.1:22", "127.0.0.1"); code == 0 {
		t.Error("a connection was forwarded")
	}
	if _, _, code = ssh.run("", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "127.0.0.1", "whoami"); code == 0 {
		t.Error("a port was forwarded back")
	}
	if _, errs, code = ssh.run("", "-o", "KexAlgorithms=diffie-hellman-group14-sha1", "127.0.0.1", "whoami"); code == 0 {
		t.Errorf("SHA-1 key exchange: %q", errs)
	}
	// Agent and X11 forwarding are refused, and the session goes on.
	if out, errs, code = ssh.run("", "-A", "-X", "127.0.0.1", "whoami"); code != 0 || !strings.HasPrefix(out, "ada|") {
		t.Errorf("with -A -X: %q, %q, %d", out, errs, code)
	}
}

func TestOpenSSHInATerminal(t *testing.T) {
	d := open(t, Limits{})
	ssh := newOpenSSH(t, d)
	cmd := ssh.command("-o", "SendEnv=LANG COLORTERM", "127.0.0.1")
	cmd.Env = append(cmd.Env, "LANG=pt_BR.UTF-8", "COLORTERM=truecolor")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	var out logBuffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			_, _ = out.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	shows := func(text string) {
		t.Helper()
		eventually(t, text, func() bool { return strings.Contains(out.String(), text) })
	}
	shows("size=100x30")
	if _, err := tty.Write([]byte("olá")); err != nil {
		t.Fatal(err)
	}
	shows("olá")
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	shows("20x40") // The renderer sends what changed.
	v := d.handler.visitors[0]
	if env := strings.Join(v.Env, " "); env != "LANG=pt_BR.UTF-8 COLORTERM=truecolor TERM=xterm-256color" {
		t.Errorf("environment %q", env)
	}
	if _, err := tty.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("ssh ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("ssh did not end")
	}
	_ = tty.Close()
	<-read
}

// A client that is killed leaves nothing behind.
func TestOpenSSHKilled(t *testing.T) {
	d := open(t, Limits{})
	ssh := newOpenSSH(t, d)
	cmd := ssh.command("127.0.0.1")
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a session", func() bool { return d.open.Load() == 1 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	_ = tty.Close()
	eventually(t, "the session's end", func() bool { return d.Stats().Connections == 0 && d.open.Load() == 0 })
}
