// The verb that verifies an export away from its portal: it needs no data, only
// the file, its proof and, to know whose they are, the portal's public key.

package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"postern/core"
	"postern/core/signature"
	"postern/core/text"
)

// maxKeyFile bounds a file that is to hold a public key, in bytes.
const maxKeyFile = 64 << 10

// verifyFlags are what verifying is asked for.
type verifyFlags struct {
	head, file, proof, key string
	progress               bool
}

// verifyExport verifies a file, and says what was found.
func (c *Call) verifyExport(ctx context.Context, f verifyFlags) error {
	in := core.ExportToVerify{Noted: f.head, Among: f.proof == ""}
	var err error
	if f.key != "" {
		if in.Key, err = c.publicKey(f.key); err != nil {
			return err
		}
	}
	if f.proof == "" {
		f.proof = f.file
	}
	file, err := c.openFile(f.file)
	if err != nil {
		return err
	}
	defer file.Close()
	proof, err := c.openFile(f.proof)
	if err != nil {
		return err
	}
	defer proof.Close()
	size := int64(0)
	if info, err := file.Stat(); err == nil {
		size = info.Size()
	}
	look, done := c.tell(f.progress, func(percent int64) string { return c.Dict.T("proof.progress", "Percent", percent) })
	in.File, in.Proof = &lookedAt{ctx: ctx, r: file, total: size, look: look}, proof
	r, err := core.VerifyExport(in)
	done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return verifyRefused(err, f)
	}
	err = c.answer(r, func(p *page) { c.proofPage(p, r) })
	if err == nil && r.Found > 0 {
		return errSaid
	}
	return err
}

// verifyRefused says which of the files cannot be meant.
func verifyRefused(err error, f verifyFlags) error {
	var refusal *core.Error
	if errors.As(err, &refusal) && refusal.Code == core.CodeFormat {
		switch refusal.Field {
		case "proof":
			return fail("proof_none", "File", text.Escape(f.proof)).because(err)
		case "version":
			return fail("proof_version", "File", text.Escape(f.proof)).because(err)
		}
	}
	return err
}

// openFile opens a file of this machine for reading.
func (c *Call) openFile(path string) (*os.File, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileUnread(err, path)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // it may be read twice
		_ = f.Close() // Nothing was written.
		return nil, fail("file_not_regular", "File", text.Escape(path))
	}
	return f, nil
}

// publicKey returns a key that was typed, or that a file holds. What a file holds
// that is no key is not repeated: it could be a secret.
func (c *Call) publicKey(given string) (string, error) {
	if line, err := signature.Canonical(given); err == nil {
		return line, nil
	}
	f, err := c.openFile(given)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", fileUnread(err, given)
	}
	line, err := signature.Canonical(string(bytes.TrimSpace(b)))
	if err != nil {
		return "", fail("proof_key", "File", text.Escape(given)).because(err)
	}
	return line, nil
}

// proofPage says it for people.
func (c *Call) proofPage(p *page, r core.ExportReport) {
	d := c.Dict
	switch {
	case r.Found > 0:
		p.line(d.T("proof.fails", "Portal", text.Escape(r.Portal)))
	case r.Given:
		p.line(d.T("proof.holds", "Portal", text.Escape(r.Portal)))
	default: // anybody can make a file and a proof that fit
		p.line(d.T("proof.fits"))
	}
	for _, f := range r.Findings {
		key := "proof.finding." + string(f.Kind)
		switch {
		case f.Kind == core.FoundSignature && f.Block == 0:
			key = "proof.end_signature"
		case f.Kind == core.FoundEdited && f.Entry == "":
			key = "proof.titles"
		}
		p.line("  " + d.T(key, "Line", f.Line, "Entry", text.Escape(f.Entry), "Block", d.Number(int64(min(f.Block, 1<<62))), "Count", f.Count, "Key", text.Escape(f.Key)))
	}
	if n := r.Found - len(r.Findings); n > 0 {
		p.line("  " + d.T("chain.more", "Count", n))
	}
	p.line(d.T("proof.looked", "Count", r.Lines, "Blocks", r.Blocks))
	for _, n := range []struct {
		key   string
		count int
	}{{"proof.open", r.Open}, {"proof.erased", r.Erased}, {"proof.gone", r.Gone}} {
		if n.count > 0 {
			p.line(d.T(n.key, "Count", n.count))
		}
	}
	switch {
	case r.Found > 0:
	case r.Whole:
		p.line(d.T("proof.whole"))
	default:
		p.line(d.T("proof.choice"))
	}
	if !r.CutUntil.IsZero() {
		p.line(d.T("proof.cut", "When", c.when(r.CutUntil)))
	}
	if r.Noted != "" {
		p.line(d.T("proof.noted." + r.Noted))
	}
	if !r.At.IsZero() {
		p.line(d.T("proof.made", "When", c.when(r.At), "Head", text.Escape(r.Head)))
	}
	switch {
	case r.Fingerprint == "":
	case !r.Signed:
		p.line(d.T("proof.key_named", "Key", r.Fingerprint))
	case r.Given:
		p.line(d.T("proof.key_given", "Key", r.Fingerprint))
	default:
		p.line(d.T("proof.key_any", "Key", r.Fingerprint))
	}
}

// lookedAt reads a file and tells how far it is; it ends with its context.
type lookedAt struct {
	ctx         context.Context
	r           io.Reader
	done, total int64
	look        func(done, total int64)
}

func (l *lookedAt) Read(b []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(b)
	if l.done += int64(n); l.look != nil {
		l.look(l.done, l.total)
	}
	return n, err
}
