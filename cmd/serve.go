// The SSH door, for as long as the process lives.

package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	gossh "golang.org/x/crypto/ssh"

	"postern/cmd/sshd"
	"postern/core/text"
)

// hostKeyFile is the name of the host key in a data directory.
const hostKeyFile = "ssh_host_ed25519_key"

func (p *process) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: p.dict.T("verb.serve"), Long: p.dict.T("verb.serve_long"), Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd) },
	}
	cmd.Flags().String("ssh", defaultSSH, p.dict.T("flag.ssh"))
	p.hashFlags(cmd.Flags())
	return cmd
}

// serve opens the data and lets visitors in until a signal comes.
func (p *process) serve(cmd *cobra.Command) error {
	ctx := cmd.Context()
	s, err := p.settings(cmd.Flags())
	if err != nil {
		return err
	}
	log, err := p.logger(s, p.err)
	if err != nil {
		return err
	}
	if err := checkAddress(s.SSH); err != nil {
		return err
	}
	h, err := p.open(ctx, s, "serve", false, log)
	if err != nil {
		return err
	}
	defer h.close()
	door := &reception{portal: h.portal, catalog: p.catalog, log: log}
	server, err := p.listen(s.SSH, filepath.Join(s.Data, hostKeyFile), door, log)
	if err != nil {
		return err
	}
	door.reach = inviteCommand(server.Addr().String())
	defer h.listen(p.catalog, "serve", server.Addr().String(), log)()
	defer keepHouse(ctx, h.portal, log)()
	site, err := h.portal.Site.State(ctx)
	if err != nil {
		return err
	}
	p.welcome(server, s.Data)
	if !site.SetUp {
		code, err := h.portal.Site.SetupCode()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(p.out, p.dict.T("serve.setup_code", "Code", code))
	}
	return p.serveUntil(ctx, server, log)
}

// checkAddress refuses what cannot be listened on before anything is opened.
func checkAddress(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		f := fail("ssh_address", "Address", text.Escape(addr))
		f.exit, f.code = exitUsage, "usage"
		return f
	}
	return nil
}

// listen makes the server and opens its address.
func (p *process) listen(addr, hostKey string, door sshd.Handler, log *slog.Logger) (*sshd.Server, error) {
	server, err := sshd.New(sshd.Config{Addr: addr, HostKeyPath: hostKey, Log: log}, door)
	if err != nil {
		return nil, fail("host_key", "Path", text.Escape(hostKey), "Detail", text.Escape(trimPackage(err))).because(err)
	}
	if err := server.Listen(); err != nil {
		var op *net.OpError
		detail := trimPackage(err)
		if errors.As(err, &op) {
			detail = op.Err.Error()
		}
		return nil, fail("ssh_listen", "Address", text.Escape(addr), "Detail", text.Escape(detail)).because(err)
	}
	return server, nil
}

// trimPackage leaves out which of our packages said it.
func trimPackage(err error) string { return strings.TrimPrefix(err.Error(), "sshd: ") }

// welcome says where the door is and how to recognise it.
func (p *process) welcome(server *sshd.Server, where string) {
	addr := server.Addr().String()
	_, _ = fmt.Fprintln(p.out, p.dict.T("serve.listening", "Address", addr, "Path", text.Escape(where)))
	_, _ = fmt.Fprintln(p.out, p.dict.T("serve.host_key", "Fingerprint", gossh.FingerprintSHA256(server.HostKey())))
	_, _ = fmt.Fprintln(p.out, p.dict.T("serve.come_in", "Command", sshCommand(addr)))
}

// serveUntil serves until ctx ends. Everything that was acknowledged is on the
// disk by then; visitors are told goodbye.
func (p *process) serveUntil(ctx context.Context, server *sshd.Server, log *slog.Logger) error {
	// The heap of a door is small and short-lived cells are most of it: with the
	// default the collector runs so often that the slowest keys wait for it
	// (cmd/sshload measures it). Whoever sets GOGC has decided otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	slog.SetDefault(log) // the SSH library logs panics that it contained there
	err := server.Serve(ctx)
	stats := server.Stats()
	log.Info("the door is closed", slog.Uint64("sessions", stats.Entered), slog.Uint64("refused", stats.Refused))
	return err
}

// sshCommand is how to come in at an address, from this machine where it is
// the machine's own.
func sshCommand(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "ssh " + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.Equal(net.IPv6loopback)) {
		host = "localhost"
	}
	if port == "22" {
		return "ssh " + host
	}
	return "ssh -p " + port + " " + host
}

// inviteCommand is how to come in at an address from elsewhere: where it is every
// address of the machine, by the machine's name.
func inviteCommand(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		if name, err := os.Hostname(); err == nil {
			return sshCommand(net.JoinHostPort(name, port))
		}
	}
	return sshCommand(addr)
}
