// Verbs about the data as a whole: check it, back it up, renew its keys. They
// are for the machine's own operator.

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
	"postern/store"
	"postern/store/bolt"
)

// maxProblems is how many problems a check lists; more are counted.
const maxProblems = 200

func (v verbSet) check() *cobra.Command {
	return v.verb("check", "check", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := c.Portal.Site.MayMaintain(ctx, c.Actor); err != nil {
			return err
		}
		found := checkShape{Problems: []string{}}
		report := func(problem string) {
			if len(found.Problems) < maxProblems {
				found.Problems = append(found.Problems, problem)
			} else {
				found.More++
			}
		}
		if err := c.Data.Check(ctx, report); err != nil {
			return err
		}
		// What does not hold together as a file need not be read as records.
		if len(found.Problems) == 0 {
			if err := c.Portal.Check(ctx, report); err != nil {
				return err
			}
		}
		found.OK = len(found.Problems) == 0
		err := c.answer(found, func(p *page) {
			for _, problem := range found.Problems {
				p.line(text.Escape(problem))
			}
			switch n := len(found.Problems) + found.More; n {
			case 0:
				p.line(c.Dict.T("cmd.check_ok", "Path", text.Escape(c.Data.Path())))
			default:
				p.line(c.Dict.T("cmd.check_bad", "Count", n))
			}
		})
		if err == nil && !found.OK {
			err = errSaid
		}
		return err
	})
}

func (v verbSet) backup() *cobra.Command {
	var verify bool
	cmd := v.verb("backup FILE", "backup", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		path := args[0]
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		if _, err := os.Lstat(path); err == nil {
			return backupError(fs.ErrExist, path) // known before anything is recorded as failed
		}
		var info bolt.BackupInfo
		err := c.Portal.Site.BackUp(ctx, c.Actor, strings.ToValidUTF8(filepath.Base(path), "?"), func() (err error) {
			info, err = writeBackup(ctx, c.Data, path, verify)
			return err
		})
		if err != nil {
			return backupError(err, path)
		}
		shape := backupShape{
			File: path, Database: c.Data.ID(), Keyset: c.Data.Keys().Fingerprint(),
			Created: info.Created, Size: info.Size, Records: info.Pairs,
		}
		return c.answer(shape, func(p *page) {
			p.line(c.Dict.T("done.backup", "File", text.Escape(path), "KiB", (info.Size+1023)/1024))
			p.line(c.Dict.T("done.backup_keyset", "Keyset", text.Escape(filepath.Join(filepath.Dir(c.Data.Path()), bolt.KeysetFile))))
		})
	})
	cmd.Flags().BoolVar(&verify, "verify", true, v.flag("verify"))
	return cmd
}

// writeBackup writes a backup to a new file, and reads it back. What failed
// leaves no file behind: half a backup is worse than none.
func writeBackup(ctx context.Context, data *bolt.Store, path string, verify bool) (info bolt.BackupInfo, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return info, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
		}
	}()
	if err := data.Backup(ctx, f); err != nil {
		return info, err
	}
	if err := f.Sync(); err != nil {
		return info, err
	}
	size, err := f.Stat()
	if err != nil {
		return info, err
	}
	if err := f.Close(); err != nil {
		return info, err
	}
	if !verify {
		return bolt.BackupInfo{Size: size.Size(), Created: size.ModTime().UTC()}, syncDir(filepath.Dir(path))
	}
	if info, err = bolt.VerifyBackup(ctx, path, data.Keys()); err != nil {
		return info, err
	}
	return info, syncDir(filepath.Dir(path))
}

// syncDir makes a new file's name survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// backupError says what the file system refused.
func backupError(err error, path string) error {
	var at *fs.PathError
	switch {
	case errors.Is(err, fs.ErrExist):
		return fail("file_exists", "File", text.Escape(path)).because(err)
	case errors.As(err, &at):
		return fail("file_write", "File", text.Escape(path), "Detail", text.Escape(at.Err.Error())).because(err)
	}
	return err
}

func (v verbSet) keyset() *cobra.Command {
	return v.group("keyset", "keyset", v.verb("rotate", "keyset_rotate", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := c.Portal.Site.MayMaintain(ctx, c.Actor); err != nil {
			return err
		}
		if err := c.Data.Rotate(ctx, nil); err != nil {
			return err
		}
		file := filepath.Join(filepath.Dir(c.Data.Path()), bolt.KeysetFile)
		return c.answer(doneShape{Done: "keyset rotate"}, func(p *page) {
			p.line(c.Dict.T("done.keyset_rotate", "File", text.Escape(file)))
		})
	}))
}

// restore is never sent to another process: it makes a data directory that
// nobody holds.
func (p *process) restore() *cobra.Command {
	var keyset string
	set := verbSet{dict: p.dict, run: func(cmd *cobra.Command, args []string, _ deed) error {
		s, err := p.settings(cmd.Flags())
		if err != nil {
			return err
		}
		if keyset == "" {
			keyset = filepath.Join(s.Data, bolt.KeysetFile)
		}
		keys, err := store.LoadKeyset(keyset)
		if err != nil {
			return keysetError(err, keyset)
		}
		info, err := bolt.Restore(cmd.Context(), args[0], s.Data, keys)
		if err != nil {
			return err
		}
		c := &Call{Out: outlet{p.out}, Err: p.err, JSON: p.wantsJSON(), Dict: p.dict}
		shape := backupShape{File: args[0], Database: info.ID, Keyset: info.Keyset, Created: info.Created, Size: info.Size, Records: info.Pairs}
		return c.answer(shape, func(out *page) {
			out.line(p.dict.T("done.restore", "Path", text.Escape(s.Data), "When", c.when(info.Created), "Count", info.Pairs))
		})
	}}
	cmd := set.verb("restore FILE", "restore", 1, 1, nil)
	cmd.Flags().StringVar(&keyset, "keyset", "", set.flag("keyset"))
	return cmd
}

// compact is never sent to another process either: the file is replaced, so nobody
// may hold it.
func (p *process) compact() *cobra.Command {
	set := verbSet{dict: p.dict, run: func(cmd *cobra.Command, _ []string, _ deed) error {
		s, err := p.settings(cmd.Flags())
		if err != nil {
			return err
		}
		log, err := p.logger(s, p.err)
		if err != nil {
			return err
		}
		done, err := bolt.Compact(cmd.Context(), s.Data, "")
		if err != nil {
			return err
		}
		h, err := p.open(cmd.Context(), s, "compact", true, log)
		if err != nil {
			return err
		}
		defer h.close()
		if err := h.portal.Site.Compacted(cmd.Context(), core.ConsoleActor(userName(os.Getuid())), done.Before, done.After); err != nil {
			return err
		}
		c := &Call{Out: outlet{p.out}, Err: p.err, JSON: p.wantsJSON(), Dict: p.dict}
		shape := compactShape{File: h.data.Path(), Before: done.Before, After: done.After, Records: done.Pairs}
		return c.answer(shape, func(out *page) {
			out.line(p.dict.T("done.compact", "Path", text.Escape(h.data.Path()), "Before", (done.Before+1023)/1024, "After", (done.After+1023)/1024, "Count", done.Pairs))
		})
	}}
	return set.verb("compact", "compact", 0, 0, nil)
}

// keysetError says why a keyset cannot be used, in the words for opening.
func keysetError(err error, path string) error {
	code := bolt.CodeUnreadableFile
	switch {
	case errors.Is(err, store.ErrKeysetMissing):
		code = bolt.CodeMissingKeyset
	case errors.Is(err, store.ErrKeysetDamaged):
		code = bolt.CodeDamagedKeyset
	case errors.Is(err, store.ErrKeysetExposed):
		code = bolt.CodeExposed
	}
	return &bolt.OpenError{Code: code, Path: path, Err: fmt.Errorf("keyset: %w", err)}
}
