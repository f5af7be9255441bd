package core

import (
	"context"
	"fmt"
	"testing"
	"time"

	"postern/store"
)

// Whether a factor that GiveFactor gives has failed too often.
const (
	Fresh = false
	Spent = true
)

// GiveFactor gives an account a factor that nobody enrolled.
func GiveFactor(t testing.TB, p *Portal, account string, kind FactorKind, spent bool) {
	t.Helper()
	id, err := p.base.ids.new(p.base.clock.Now())
	if err == nil {
		f := factorRecord{Factor: Factor{ID: id, Account: account, Kind: kind, Label: "given"}, Secret: []byte("12345678901234567890")}
		if spent {
			f.Disabled = p.base.clock.Now()
		}
		err = p.base.db.Update(context.Background(), func(tx store.Tx) error { return factors.Insert(tx, id, f) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// GiveUpPassword makes an account's password one that counts no more.
func GiveUpPassword(t testing.TB, p *Portal, account string) {
	t.Helper()
	err := p.base.db.Update(context.Background(), func(tx store.Tx) error {
		c, err := credentials.Get(tx, account)
		if err != nil {
			return err
		}
		c.Failures = MaxCredentialFailures
		return credentials.Put(tx, account, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Populate writes n accounts as they are after years: three in ten with an app,
// one in ten with a key, one in twenty with a live session, one in fifty suspended.
func Populate(t testing.TB, p *Portal, n int) {
	t.Helper()
	const batch = 1000
	b := p.base
	now := b.clock.Now()
	for from := 0; from < n; from += batch {
		err := b.db.Update(context.Background(), func(tx store.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := populate(tx, i, now); err != nil {
					return err
				}
			}
			count, err := tallies.Get(tx, tallyID)
			if err != nil {
				return err
			}
			count.Accounts += min(batch, n-from)
			return tallies.Put(tx, tallyID, count)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func populate(tx store.Tx, i int, now time.Time) error {
	id := fmt.Sprintf("01JGB%021d", i)
	name := fmt.Sprintf("%c%c%07d", 'a'+rune(i*7%26), 'a'+rune(i*11%26), i)
	made := now.AddDate(0, 0, -(i % 400))
	a := Account{ID: id, UserName: name, DisplayName: "Someone " + name, Email: name + "@example.org", State: StateActive, Created: made, LastSignIn: made, TimeZone: "Europe/Berlin"}
	if i%50 == 7 {
		a.State = StateSuspended
	}
	if err := accounts.Insert(tx, id, a); err != nil {
		return err
	}
	hash := "$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$" + fmt.Sprintf("%043d", i)
	if err := credentials.Insert(tx, id, Credential{Hash: hash, Changed: made, Trail: testTrailKey}); err != nil {
		return err
	}
	if i%10 < 3 {
		f := factorRecord{Factor: Factor{ID: "F" + id, Account: id, Kind: FactorApp, Label: "phone", Created: made}, Secret: make([]byte, 20)}
		if err := factors.Insert(tx, f.ID, f); err != nil {
			return err
		}
	}
	if i%10 == 5 {
		k := LinkedKey{Fingerprint: "SHA256:" + id, Account: id, Line: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + id, Created: made}
		if err := linkedKeys.Insert(tx, k.Fingerprint, k); err != nil {
			return err
		}
	}
	if i%20 == 3 {
		s := sessionRecord{TokenHash: "T" + id, Session: Session{ID: "S" + id, Account: id, Door: DoorSSH, Created: now.Add(-time.Duration(i%11) * time.Hour), LastSeen: now, Proved: now}}
		return sessions.Insert(tx, s.ID, s)
	}
	return nil
}
