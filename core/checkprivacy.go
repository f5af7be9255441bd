// The check of requests, of the chain over the trail, and of scripts and their runs.

package core

import (
	"errors"

	"postern/core/script"
	"postern/store"
)

// requests looks for open requests of accounts that are not there, and for
// accounts that are there though their deletion is written down.
func (c *checker) requests() error {
	return each(c, requests, func(id string, r Request) error {
		if invert(r.ID) != id {
			c.reportf("request %q says that its id is %q", id, r.ID)
		}
		if r.State.Open() {
			return c.owned("request", r.ID, r.Account)
		}
		there, err := holds(c, accounts, r.Account)
		if err == nil && there && r.State == RequestDeleted {
			c.reportf("request %q has deleted account %q, which is there", r.ID, r.Account)
		}
		return err
	})
}

// chain looks whether the chain over the trail ends where it says; whether the
// trail is what was sealed is Audit.Verify's.
func (c *checker) chain() error {
	if err := each(c, unsealed, func(id string, _ struct{}) error {
		there, err := holds(c, trail, invert(id))
		if err == nil && !there {
			c.reportf("entry %q of the trail waits to be sealed and is not there", id)
		}
		return err
	}); err != nil {
		return err
	}
	head, err := readHead(c)
	if unreadable(err) || err == nil && head.Seq == 0 {
		return nil
	} else if err != nil {
		return err
	}
	cut, err := readCut(c)
	if unreadable(err) || err == nil && cut.Seq == head.Seq {
		return nil // all of it was cut
	} else if err != nil {
		return err
	}
	b, err := chainBlocks.Get(c, blockKey(head.Seq))
	switch hash := b.hash(); {
	case errors.Is(err, store.ErrNotFound), err == nil && !equalHash(hash[:], head.Hash):
		c.reportf("block %d of the trail is not the one that the chain ends with", head.Seq)
		return nil
	case unreadable(err):
		return nil
	}
	return err
}

// analysis looks for the versions of scripts, and for what runs and posts belong to.
func (c *checker) analysis() error {
	if err := each(c, scripts, func(name string, s Script) error {
		there, err := holds(c, scriptVersions, scriptVersionID(name, s.Version))
		if err == nil && (!there || s.Name != name) {
			c.reportf("version %d of script %q was not kept", s.Version, name)
		}
		return err
	}); err != nil {
		return err
	}
	if err := each(c, runs, func(_ string, r Run) error {
		switch r.State {
		case RunRunning, RunDone, RunUnknown:
		default:
			c.reportf("run %q is in no known state (%q)", r.ID, r.State)
		}
		if r.Version == 0 || r.Outcome == script.NotRun {
			return nil
		}
		there, err := holds(c, scriptVersions, scriptVersionID(r.Script, r.Version))
		if err == nil && !there {
			c.reportf("run %q is of a version that was not kept", r.ID)
		}
		return err
	}); err != nil {
		return err
	}
	return each(c, posts, func(id string, p Post) error {
		there, err := holds(c, runs, invert(p.Run))
		if err == nil && (!there || p.ID != id) && (p.State == PostQueued || p.State == PostSending) {
			c.reportf("post %q is of a run that is not there", id)
		}
		return err
	})
}
