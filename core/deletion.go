// Deleting an account: everything that names its person goes in one transaction.
// The trail keeps what was done under the account's id, and loses the key to what
// it says of the person (trailperson.go); the name is never given again.

package core

import (
	"errors"
	"slices"

	"postern/core/names"
	"postern/store"
)

// Losses counts what an account has that goes with it.
type Losses struct {
	Sessions   int `json:"sessions"` // open ones
	Factors    int `json:"factors"`
	Keys       int `json:"keys"`
	Recovery   int `json:"recovery_codes"`
	Roles      int `json:"roles"`  // on the portal
	Shares     int `json:"shares"` // of apps, other than one's own
	Apps       int `json:"apps"`   // owned; they go to an owner of the portal
	Fields     int `json:"fields"`
	Notices    int `json:"notices"`
	Messages   int `json:"messages"`
	Agreements int `json:"agreements"` // answered
	Devices    int `json:"devices"`
}

// belonging is one kind of thing that goes with an account: take removes it and
// counts what it removed. With t.counting it only counts.
type belonging func(t *removal) error

// belongings are all kinds, in the order in which they go. What a service keeps of
// an account has its line here; TestNothingNamesTheDeleted looks for what was
// forgotten.
var belongings = []belonging{
	(*removal).sessions, (*removal).grants, (*removal).authenticators, (*removal).inbox, (*removal).outbox,
	(*removal).agreements, (*removal).requests, (*removal).runsAndPosts, (*removal).odds,
}

// removal is the deletion of one account, or its preview.
type removal struct {
	*txn
	account Account
	heir    Account // who gets the apps
	dry     bool    // count, and change nothing
	lost    Losses
}

// losses counts what would go with an account.
func (t *txn) losses(a Account) (Losses, error) {
	r := &removal{txn: t, account: a, dry: true}
	err := r.all()
	return r.lost, err
}

// deleteAccount removes an account and everything that names its person.
// CodeLastOwner when the portal would be left without an owner, CodeHeld when a
// hold keeps it.
func (t *txn) deleteAccount(a Account) (Losses, error) {
	if err := t.requireOwnerBeside(a.ID); err != nil {
		return Losses{}, err
	}
	if _, held, err := t.onHold(a.ID); err != nil {
		return Losses{}, err
	} else if held {
		return Losses{}, refuse(CodeHeld)
	}
	lost, err := t.losses(a)
	if err != nil {
		return Losses{}, err
	}
	r := &removal{txn: t, account: a}
	if err := r.findHeir(); err != nil {
		return Losses{}, err
	}
	if err := r.all(); err != nil {
		return Losses{}, err
	}
	if err := t.retireName(a.UserName); err != nil {
		return Losses{}, err
	}
	if err := t.countAccount(a.ID, a.State, ""); err != nil {
		return Losses{}, err
	}
	if err := credentials.Delete(t, a.ID); err != nil {
		return Losses{}, err
	}
	return lost, accounts.Delete(t, a.ID)
}

func (r *removal) all() error {
	r.lost.Fields = len(r.account.Fields)
	for _, take := range belongings {
		if err := take(r); err != nil {
			return err
		}
	}
	return nil
}

// findHeir finds the owner who gets what the account has on behalf of others:
// its apps, and the portal when it was the one that set it up.
func (r *removal) findHeir() error {
	owners, err := r.activeOwners()
	if err != nil {
		return err
	}
	owners = slices.DeleteFunc(owners, func(id string) bool { return id == r.account.ID })
	if len(owners) == 0 {
		return refuse(CodeLastOwner)
	}
	heir := owners[0]
	if slices.Contains(owners, r.site.Owner) {
		heir = r.site.Owner
	}
	if r.heir, err = accounts.Get(r, heir); err != nil || r.site.Owner != r.account.ID {
		return err
	}
	r.site.Owner = heir
	return sites.Put(r, siteID, r.site)
}

// take removes the records of a table that an index finds by the account, and
// says how many there are.
func take[T any](r *removal, table *store.Table[T], index string, remove func(id string, v T) error) (n int, err error) {
	after := ""
	for {
		rows, err := table.PageEq(r, index, r.account.ID, after, MaxPage)
		if err != nil {
			return n, err
		}
		for _, row := range rows {
			n++
			if r.dry {
				continue
			}
			if remove == nil {
				err = table.Delete(r, row.ID)
			} else {
				err = remove(row.ID, row.Value)
			}
			if err != nil {
				return n, err
			}
		}
		if len(rows) < MaxPage {
			return n, nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

func (r *removal) sessions() (err error) {
	open, err := r.liveSessions(r.account.ID)
	if err != nil {
		return err
	}
	r.lost.Sessions = len(open) // those whose time is over count for nothing
	if _, err = take(r, sessions, "live", nil); err != nil {
		return err
	}
	_, err = take(r, sessions, "ended", nil)
	return err
}

// grants removes what the account holds and has held.
func (r *removal) grants() error {
	held, err := r.held(r.account.ID)
	if err != nil {
		return err
	}
	for _, g := range held {
		switch {
		case g.App == AppPostern:
			r.lost.Roles++
		case g.Role == RoleAppOwner:
			r.lost.Apps++
			if r.dry {
				continue
			}
			if err := r.handOver(g); err != nil {
				return err
			}
		default:
			r.lost.Shares++
		}
	}
	r.rulesChanged()
	if _, err = take(r, grants, "account", nil); err != nil { // those that are still to begin too
		return err
	}
	_, err = take(r, grants, "ended", nil)
	return err
}

// handOver gives an app to the heir.
func (r *removal) handOver(g Grant) error {
	a, err := apps.Get(r, g.App)
	if err != nil {
		return err
	}
	id, err := r.base.ids.new(r.now)
	if err != nil {
		return err
	}
	return r.transfer(a, r.heir, id)
}

// authenticators removes what proves who somebody is.
func (r *removal) authenticators() (err error) {
	if r.lost.Factors, err = take(r, factors, "account", func(_ string, f factorRecord) error { return r.deleteFactor(f) }); err != nil {
		return err
	}
	if r.lost.Keys, err = take(r, linkedKeys, "account", func(_ string, k LinkedKey) error { return r.deleteKey(k) }); err != nil {
		return err
	}
	set, err := r.recoverySet(r.account.ID)
	if err != nil {
		return err
	}
	r.lost.Recovery = len(set.Hashes)
	if _, err := take(r, enrolments, "account", nil); err != nil {
		return err
	}
	if _, err := take(r, sentCodes, "account", nil); err != nil || r.dry {
		return err
	}
	if err := recoverySets.Delete(r, r.account.ID); err != nil {
		return err
	}
	return r.dropAttempts(r.account.ID)
}

// inbox removes notices: the account's own, and those of others that name it.
func (r *removal) inbox() (err error) {
	if r.lost.Notices, err = take(r, notices, "account", nil); err == nil {
		_, err = take(r, notices, "about", nil)
	}
	return err
}

// outbox does the same for messages. One that is being handed over may still arrive.
func (r *removal) outbox() (err error) {
	if r.lost.Messages, err = take(r, messages, "account", r.dropMessage); err == nil {
		_, err = take(r, messages, "about", r.dropMessage)
	}
	return err
}

func (r *removal) agreements() (err error) {
	r.lost.Agreements, err = take(r, acceptances, "account", func(id string, a Acceptance) error {
		ref := agreementRef(a.Agreement, a.Version)
		n, err := agreementCounts.Get(r, ref)
		if err != nil {
			return err
		}
		if a.Refused {
			n.Refused--
		} else {
			n.Accepted--
		}
		if err := agreementCounts.Put(r, ref, n); err != nil {
			return err
		}
		return acceptances.Delete(r, id)
	})
	return err
}

// requests forgets why the requests of the account were made and decided, also the
// earlier ones: what was decided when stays, under the id.
func (r *removal) requests() error {
	_, err := take(r, requests, "account", func(id string, q Request) error { return forgetRequest(r, id, q) })
	return err
}

func forgetRequest(tx store.Tx, id string, q Request) error {
	return requests.Put(tx, id, q.forgotten())
}

// odds removes what is kept under the account's id alone, and the counts of
// failures under its names.
func (r *removal) odds() error {
	known, err := devices.Get(r, r.account.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	r.lost.Devices = len(known.Known)
	if r.dry {
		return nil
	}
	if err := devices.Delete(r, r.account.ID); err != nil {
		return err
	}
	for _, drop := range []func(store.Tx, string) error{policyDrafts.Delete, inactiveWarnings.Delete, accountHolds.Delete, exports.Delete} {
		if err := drop(r, r.account.ID); err != nil {
			return err
		}
	}
	return r.clearFailures(r.account.guards())
}

// guards are the keys under which failures of an account are counted.
func (a Account) guards() []guardKey {
	list := []guardKey{factorGuard(a.ID), recoveryGuard(a.ID), sendGuard(a.ID, ServiceMail), sendGuard(a.ID, ServiceSMS)}
	for _, login := range []string{a.UserName, a.Email} {
		if login == "" {
			continue
		}
		for _, kind := range []guardKind{guardLogin, guardCode, guardSession} {
			list = append(list, loginGuard(kind, login))
		}
	}
	return list
}

// retiredNames keeps the names of deleted accounts from being given again, as
// keyed hashes of their skeletons.
var retiredNames = store.NewTable[struct{}]("retired_name", 1)

func (t *txn) retiredName(name string) (string, error) {
	return t.keyed("retired name", names.Skeleton(name))
}

func (t *txn) retireName(name string) error {
	id, err := t.retiredName(name)
	if err != nil {
		return err
	}
	return retiredNames.Put(t, id, struct{}{})
}

// requireNew refuses a name that a deleted account had, or a twin of it.
func (t *txn) requireNew(name string) error {
	if !t.site.SetUp() {
		return nil
	}
	id, err := t.retiredName(name)
	if err != nil {
		return err
	}
	_, err = retiredNames.Get(t, id)
	switch {
	case err == nil:
		return refuseField(CodeTaken, "user_name")
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return err
}

// forgetLeft is the step for a table in which an older program has left what was said
// of people whose accounts are gone.
func forgetLeft[T any](why string, table *store.Table[T], of func(T) string, forget func(tx store.Tx, id string, v T) error) migration {
	return migration{why, func(tx store.Tx, after string) (next string, err error) {
		rows, err := table.Page(tx, after, migratePart)
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			if _, err = accounts.Get(tx, of(row.Value)); errors.Is(err, store.ErrNotFound) {
				err = forget(tx, row.ID, row.Value)
			}
			if err != nil {
				return "", err
			}
		}
		if len(rows) < migratePart {
			return "", nil
		}
		return rows[len(rows)-1].Cursor, nil
	}}
}

// described says how much was lost, for the trail and the receipt.
func (l Losses) described() map[string]string {
	m := map[string]string{}
	for k, n := range map[string]int{"sessions": l.Sessions, "factors": l.Factors, "keys": l.Keys, "recovery_codes": l.Recovery,
		"roles": l.Roles, "shares": l.Shares, "apps": l.Apps, "fields": l.Fields, "notices": l.Notices, "messages": l.Messages,
		"agreements": l.Agreements, "devices": l.Devices} {
		if n > 0 {
			m[k] = itoa(n)
		}
	}
	return m
}
