// Where an account has been signed in from before, so that a sign-in from
// somewhere new can be told to its person.

package core

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"postern/store"
)

// maxDevices is how many places are remembered for one account; the one that was
// used longest ago is forgotten first.
const maxDevices = 32

// seenEvery is how often the last use of a known place is written at most.
const seenEvery = 24 * time.Hour

// device is a place that an account was signed in from: a key, or else an address.
type device struct {
	Place string    `json:"place"`
	Last  time.Time `json:"last"`
}

type deviceList struct {
	Known []device `json:"known"`
}

// devices is keyed by the account's id.
var devices = store.NewTable[deviceList]("device", 1)

// place names where an actor comes from: the key it brought, its address (IPv6:
// the /64, as providers change the rest), or the machine itself.
func (a Actor) place() string {
	if a.Key != "" {
		return "key " + a.Key
	}
	addr, err := netip.ParseAddr(a.Remote)
	if err != nil {
		return "here"
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return "net " + p.String()
		}
	}
	return "net " + addr.String()
}

// meetDevice remembers where a session begins, and tells the account's person
// when that is new. The first place of an account is no news.
func (t *txn) meetDevice(a Account) error {
	list, err := devices.Get(t, a.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	here := t.actor.place()
	i := slices.IndexFunc(list.Known, func(d device) bool { return d.Place == here })
	switch {
	case i >= 0 && t.now.Sub(list.Known[i].Last) < seenEvery:
		return nil // the common case costs no write
	case i >= 0:
		list.Known[i].Last = t.now
		return devices.Put(t, a.ID, list)
	}
	first := len(list.Known) == 0
	if len(list.Known) >= maxDevices {
		oldest := slices.MinFunc(list.Known, func(a, b device) int { return a.Last.Compare(b.Last) })
		list.Known = slices.DeleteFunc(list.Known, func(d device) bool { return d == oldest })
	}
	list.Known = append(list.Known, device{Place: here, Last: t.now})
	if err := devices.Put(t, a.ID, list); err != nil || first {
		return err
	}
	return t.notify(a.ID, NoticeNewDevice, map[string]string{"Key": t.actor.Key})
}
