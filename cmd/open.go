// Opening the data: the store, the core on it, and the refusals in words.

package cmd

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"postern/cmd/sshd"
	"postern/core"
	"postern/core/mail"
	"postern/core/password"
	"postern/core/script"
	"postern/core/signature"
	"postern/core/sms"
	"postern/core/text"
	"postern/screens"
	"postern/store/bolt"
	"postern/tui"
)

// holding is an open data directory with the core on it.
type holding struct {
	dir      string
	data     *bolt.Store
	portal   *core.Portal
	breached *password.Breached
	mailer   *mail.Sender // nil: none is configured
}

// open opens the data directory of the settings for a verb or door called
// command. Unless mustExist, a first run makes it.
func (p *process) open(ctx context.Context, s settings, command string, mustExist bool, log *slog.Logger) (*holding, error) {
	params, err := s.hashParams()
	if err != nil {
		return nil, err
	}
	hasher, err := password.NewHasher(params, s.Hash.Slots)
	if err != nil {
		return nil, err
	}
	h := &holding{dir: s.Data}
	if s.Breached != "" {
		if h.breached, err = password.OpenBreached(s.Breached); err != nil {
			return nil, fail("breached", "File", text.Escape(s.Breached)).because(err)
		}
	}
	config := core.Config{Hasher: hasher, Log: log, Breached: h.breached, Writer: screens.Words{Catalog: p.catalog}}
	var texter sms.Sender
	if h.mailer, texter, err = s.transports(); err != nil {
		h.close()
		return nil, err
	}
	config.Poster = script.NewPoster(script.PosterConfig{Private: s.Posts.Private})
	config.Analyst = itself(log)
	// A nil pointer in an interface would be a provider.
	if h.mailer != nil {
		config.Mail = h.mailer
	}
	if texter != nil {
		config.Text = texter
	}
	h.data, err = bolt.Open(ctx, bolt.Options{Dir: s.Data, Command: command, MustExist: mustExist})
	if err != nil {
		h.close()
		return nil, err
	}
	config.Store = h.data
	hostKey, err := sshd.LoadHostKey(filepath.Join(s.Data, hostKeyFile))
	if err != nil {
		h.close()
		return nil, fail("host_key", "Path", text.Escape(filepath.Join(s.Data, hostKeyFile)), "Detail", text.Escape(trimPackage(err))).because(err)
	}
	config.Signer = signature.New(hostKey)
	h.portal, err = core.New(ctx, config)
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// itself runs scripts in children of this very program. Where it cannot be found it
// is nil, and requests that ask for a script are held.
func itself(log *slog.Logger) core.Analyst {
	analyst, err := script.Self()
	if err != nil {
		log.Error("no script can be run", slog.Any("error", err))
		return nil // and no Command that is empty
	}
	return analyst
}

// close lets everything go, the newest first.
func (h *holding) close() {
	if h.portal != nil {
		h.portal.Close()
	}
	if h.data != nil {
		// All that was acknowledged is on the disk already.
		_ = h.data.Close()
	}
	if h.mailer != nil {
		_ = h.mailer.Close()
	}
	if h.breached != nil {
		_ = h.breached.Close()
	}
}

// openSentence says why data was not opened, and what to do. sshAddr is the door
// of the process that holds it, when it is known.
func openSentence(d *tui.Dict, e *bolt.OpenError, sshAddr string) string {
	key := "open." + string(e.Code)
	args := []any{"Path", text.Escape(e.Path), "Mode", "600", "Detail", cause(e)}
	if info, err := os.Stat(e.Path); err == nil && info.IsDir() {
		args = append(args, "Mode", "700")
	}
	if e.Code == bolt.CodeLocked {
		// It is the directory that is in use, whichever of its files showed it.
		args = append(args, "Path", text.Escape(filepath.Dir(e.Path)))
	}
	if e.Code == bolt.CodeLocked && e.Holder != nil {
		key = "open.locked_by"
		args = append(args, "PID", plainNumber(e.Holder.PID), "Command", text.Escape(e.Holder.Command),
			"Since", d.DateTime(e.Holder.Since), "Span", d.Relative(e.Holder.Since, time.Now()))
		if sshAddr != "" {
			return d.T("open.locked_ssh", append(args, "SSH", sshCommand(sshAddr))...)
		}
	}
	if !d.Has(key) {
		key = "open.unknown"
	}
	return d.T(key, args...)
}

// cause is what the system said, without the path that the sentence names already.
func cause(e *bolt.OpenError) string {
	var path *os.PathError
	switch {
	case errors.As(e.Err, &path):
		return text.Escape(path.Err.Error())
	case e.Err != nil:
		return text.Escape(e.Err.Error())
	}
	return text.Escape(e.Detail)
}
