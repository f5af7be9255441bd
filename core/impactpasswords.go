// Whose password falls due by a change of the policy, and whose sessions end.

package core

import (
	"bytes"
	"errors"
	"time"

	"postern/store"
)

// passwordDates is what of a credential says when its password is due: reading a
// million of them, what is left out counts.
type passwordDates struct {
	Changed time.Time
	Expired bool
}

// ReadPart implements store.PartReader: it finds the two where a credential has
// them. Nothing of what stands before or between them (hashes in base64, numbers)
// can look like them.
func (d *passwordDates) ReadPart(b []byte) error {
	const changed = `"changed":"`
	_, rest, found := bytes.Cut(b, []byte(changed))
	stamp, _, ended := bytes.Cut(rest, []byte(`"`))
	if !found || !ended {
		return errors.New("core: credential without a date")
	}
	d.Expired = bytes.Contains(b, []byte(`"expired":true`))
	return d.Changed.UnmarshalText(stamp)
}

// credentialDates reads the table of credentials; nothing is ever written by it.
var credentialDates = store.NewTable[passwordDates]("credential", 1)

// passwords counts whose password becomes due.
func (c *counter) passwords() error {
	some, err := apps.Page(c, "", 1)
	if err != nil {
		return err
	}
	rotates := func(account string, d passwordDates) (bool, error) {
		cred := Credential{Changed: d.Changed, Expired: d.Expired}
		due := cred.due(c.next.Password, c.now) && !cred.due(c.old.Password, c.now)
		if !due || len(some) == 0 {
			return due, nil
		}
		was, err := c.under(account, c.old) // a stricter app may have asked already
		return !cred.due(was.Password, c.now), err
	}
	shut := c.newShut()
	for after := ""; ; {
		rows, err := credentialDates.Page(c, after, MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if due, err := rotates(r.ID, r.Value); err != nil {
				return err
			} else if !due {
				continue
			}
			if cannot, err := shut.has(c.txn, r.ID); err != nil {
				return err
			} else if cannot {
				continue
			}
			if err := c.touched(&c.out.Password, 1, r.ID); err != nil {
				return err
			}
		}
		if err := c.looked(len(rows)); err != nil {
			return err
		}
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

// sessions counts the live sessions that a change ends.
func (c *counter) sessions() error {
	old, next := c.old.Session, c.next.Session
	account, live := "", 0
	named := ""
	cut := func() error {
		if more := live - next.Max; account != "" && next.Max > 0 && more > 0 && (old.Max == 0 || next.Max < old.Max) {
			return c.touched(&c.out.SessionsCut, more, account)
		}
		return nil
	}
	err := eachRow(func(after string) ([]store.Row[sessionRecord], error) {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		return sessions.PageBy(c, "live", "", after, MaxPage)
	}, func(s sessionRecord) error {
		if s.Account != account {
			if err := cut(); err != nil {
				return err
			}
			account, live = s.Account, 0
			if err := c.looked(1); err != nil {
				return err
			}
		}
		if over, err := c.over(s); err != nil || over {
			return err
		}
		lives, err := c.under(account, c.next) // with the apps that are shared with it
		if err != nil {
			return err
		}
		s.LastSeen = c.base.live.lastSeen(s.ID, s.LastSeen)
		if s.ID == c.actor.Session {
			s.LastSeen = c.now // it acts at this moment
		}
		if !s.ended(lives.Session, c.now) {
			live++
			return nil
		}
		who := account
		if who == named {
			who = ""
		}
		named = account
		return c.touched(&c.out.SessionsEnd, 1, who)
	})
	if err != nil {
		return err
	}
	return cut()
}

// touched adds n to what is touched, and the name of an account ("": of nobody).
func (c *counter) touched(a *Affected, n int, account string) error {
	a.Count += n
	if account == "" || len(a.Names) >= MaxNames {
		return nil
	}
	of, err := accounts.Get(c, account)
	if err == nil {
		a.Names = append(a.Names, of.UserName)
	}
	return err
}
