// Notices: what the portal tells people of its own accord, in their inbox and by
// mail. Security notices always come; the others can be switched off by channel.

package core

import (
	"context"
	"maps"
	"slices"
	"time"

	"postern/store"
)

// NoticeKind says what a notice is about; the Writer has the words, as for a message.
type NoticeKind = MessageKind

// The notices.
const (
	NoticeNewDevice       NoticeKind = "new_device" // a sign-in from somewhere new
	NoticeKeyAdded        NoticeKind = "key_added"
	NoticeKeyRemoved      NoticeKind = "key_removed"
	NoticeKeyTerm         NoticeKind = "key_term"   // its end was changed
	NoticeKeyEnding       NoticeKind = "key_ending" // within KeyEndsSoon
	NoticeKeyEnded        NoticeKind = "key_ended"
	NoticeFactorAdded     NoticeKind = "factor_added"
	NoticeFactorRemoved   NoticeKind = "factor_removed"
	NoticeFactorsReset    NoticeKind = "factors_reset"
	NoticeFactorDisabled  NoticeKind = "factor_disabled" // too many failures in a row
	NoticePasswordChanged NoticeKind = "password_changed"
	NoticeEmailChanged    NoticeKind = "email_changed"
	NoticeRecoveryMade    NoticeKind = "recovery_made"
	NoticeRecoveryUsed    NoticeKind = "recovery_used"
	NoticeAccountLocked   NoticeKind = "account_locked"
	NoticeRoleGiven       NoticeKind = "role_given" // or its end was changed
	NoticeRoleEnded       NoticeKind = "role_ended"
	NoticeAccessGiven     NoticeKind = "access_given" // an app was shared, or until when was changed
	NoticeAccessEnded     NoticeKind = "access_ended"
	NoticeScript          NoticeKind = "script"       // from the script that looks at one's delete request
	NoticeScriptOwner     NoticeKind = "script_owner" // to owners, from such a script
	NoticeAllowance       NoticeKind = "allowance"    // to owners: 80 % and 100 % of a service's messages

	// To whoever's account it is.
	NoticeDeleteAsked     NoticeKind = "delete_asked"
	NoticeDeleteApproved  NoticeKind = "delete_approved" // and when it will be
	NoticeDeleteRefused   NoticeKind = "delete_refused"
	NoticeDeleteHeld      NoticeKind = "delete_held"
	NoticeDeleteCancelled NoticeKind = "delete_cancelled"
	NoticeInactive        NoticeKind = "inactive" // it will go unless somebody signs in
	// To those who decide about requests.
	NoticeRequestMade NoticeKind = "request_made"
	NoticeRequestHeld NoticeKind = "request_held" // by the portal: somebody must look at it
	NoticeRequestGone NoticeKind = "request_gone" // taken back
)

// NoticeType is a kind of notice, and whether it can be switched off.
type NoticeType struct {
	Kind     NoticeKind
	Security bool // cannot be switched off (ASVS 6.3.7)
	Owners   bool // for owners only
}

// NoticeTypes returns every kind of notice, in the order of the screens.
func NoticeTypes() []NoticeType {
	return []NoticeType{
		{Kind: NoticeNewDevice},
		{Kind: NoticeAllowance, Owners: true},
		{Kind: NoticeScriptOwner, Owners: true},
		{Kind: NoticeScript},
		{Kind: NoticePasswordChanged, Security: true},
		{Kind: NoticeEmailChanged, Security: true},
		{Kind: NoticeFactorAdded, Security: true},
		{Kind: NoticeFactorRemoved, Security: true},
		{Kind: NoticeFactorsReset, Security: true},
		{Kind: NoticeFactorDisabled, Security: true},
		{Kind: NoticeKeyAdded, Security: true},
		{Kind: NoticeKeyRemoved, Security: true},
		{Kind: NoticeKeyTerm, Security: true},
		{Kind: NoticeKeyEnding, Security: true},
		{Kind: NoticeKeyEnded, Security: true},
		{Kind: NoticeRecoveryMade, Security: true},
		{Kind: NoticeRecoveryUsed, Security: true},
		{Kind: NoticeAccountLocked, Security: true},
		{Kind: NoticeAccessGiven},
		{Kind: NoticeAccessEnded},
		{Kind: NoticeRoleGiven, Security: true},
		{Kind: NoticeRoleEnded, Security: true},
		{Kind: NoticeDeleteAsked, Security: true},
		{Kind: NoticeDeleteApproved, Security: true},
		{Kind: NoticeDeleteRefused, Security: true},
		{Kind: NoticeDeleteHeld, Security: true},
		{Kind: NoticeDeleteCancelled, Security: true},
		{Kind: NoticeInactive, Security: true},
		{Kind: NoticeRequestMade, Security: true, Owners: true},
		{Kind: NoticeRequestHeld, Security: true, Owners: true},
		{Kind: NoticeRequestGone, Owners: true},
	}
}

func noticeType(k NoticeKind) NoticeType {
	for _, n := range NoticeTypes() {
		if n.Kind == k {
			return n
		}
	}
	return NoticeType{Kind: k, Security: true}
}

// Channel is a way for notices to reach a person.
type Channel string

// The channels. Mail goes to a confirmed address only.
const (
	ChannelInbox Channel = "inbox"
	ChannelMail  Channel = "mail"
)

// Notice is one notice in somebody's inbox.
type Notice struct {
	ID      string            `json:"id"` // ULID
	Account string            `json:"account"`
	Kind    NoticeKind        `json:"kind"`
	Args    map[string]string `json:"args,omitempty"`
	At      time.Time         `json:"at"`
	Read    time.Time         `json:"read,omitzero"`
	// About is somebody else whom it names, and with whose account it goes.
	About string `json:"about,omitempty"`
}

// notices is kept under inverted ids: a page begins with the newest.
var notices = store.NewTable("notice", 1,
	store.Index[Notice]{Name: "account", Keys: func(n Notice) []string { return []string{n.Account} }},
	store.Index[Notice]{Name: "unread", Keys: func(n Notice) []string {
		if !n.Read.IsZero() {
			return nil
		}
		return []string{n.Account}
	}},
	store.Index[Notice]{Name: "about", Keys: func(n Notice) []string { return keyIf(n.About) }})

// keyIf is an index key of a value that may be missing.
func keyIf(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// muted names a kind on a channel in Account.Muted.
func muted(k NoticeKind, c Channel) string { return string(k) + "/" + string(c) }

func (a Account) wants(k NoticeKind, c Channel) bool {
	return noticeType(k).Security || !slices.Contains(a.Muted, muted(k, c))
}

// notify tells an account's person, in the transaction of the act. When it was, and
// what ofAct says of it, are added to args.
func (t *txn) notify(account string, k NoticeKind, args map[string]string) error {
	a, err := accounts.Get(t, account)
	if err != nil {
		return err
	}
	return t.notifyAt(a, a.confirmedEmail(), k, args)
}

// notifyOf is notify of something that names somebody else, the account about.
func (t *txn) notifyOf(account, about string, k NoticeKind, args map[string]string) error {
	a, err := accounts.Get(t, account)
	if err != nil {
		return err
	}
	return t.tell(a, a.confirmedEmail(), about, k, args)
}

// notifyAt is notify with the address that mail goes to; "" for none.
func (t *txn) notifyAt(a Account, address string, k NoticeKind, args map[string]string) error {
	return t.tell(a, address, "", k, args)
}

// ofAct is what a notice to an account says of whoever acts. What its own person has
// done, or somebody who came no further than the door in their place, it says from
// where and with what; of somebody else only by which door. A notice to those who
// look after the portal is of something that has come about: whose act happened to
// bring it is no affair of theirs, and would stay with them when that person goes.
func (t *txn) ofAct(account string, k NoticeKind) map[string]string {
	args := map[string]string{}
	if noticeType(k).Owners {
		return args
	}
	args["Door"] = string(t.actor.Door)
	if t.actor.Console || t.actor.Account != "" && t.actor.Account != account {
		return args
	}
	for key, v := range map[string]string{"Remote": t.actor.Remote, "Client": t.actor.Client} {
		if v != "" {
			args[key] = v
		}
	}
	return args
}

func (t *txn) tell(a Account, address, about string, k NoticeKind, args map[string]string) error {
	all := t.ofAct(a.ID, k)
	all["Name"], all["User"], all["When"] = a.DisplayName, a.UserName, t.now.Format(time.RFC3339)
	maps.Copy(all, args)
	if a.wants(k, ChannelInbox) {
		id, err := t.base.ids.new(t.now)
		if err != nil {
			return err
		}
		if err := notices.Insert(t, invert(id), Notice{ID: id, Account: a.ID, Kind: k, Args: all, At: t.now, About: about}); err != nil {
			return err
		}
	}
	if address == "" || !a.wants(k, ChannelMail) {
		return nil
	}
	_, err := t.enqueue(outgoing{account: a, service: ServiceMail, to: address, kind: k, args: all, about: about})
	if CodeOf(err) == CodeAllowance {
		return nil // it is in the inbox; the act it is about goes on
	}
	return err
}

// activeOwners are the accounts that hold the owner's role now, each once.
func (t *txn) activeOwners() (owners []string, err error) {
	err = eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "role", AppPostern+"/"+string(RoleOwner), after, MaxPage)
	}, func(g Grant) error {
		if !g.active(t.now) || slices.Contains(owners, g.Account) {
			return nil
		}
		a, err := accounts.Get(t, g.Account)
		if err == nil && a.State == StateActive {
			owners = append(owners, g.Account)
		}
		return err
	})
	return owners, err
}

// notifyOwners tells every active owner.
func (t *txn) notifyOwners(k NoticeKind, args map[string]string) error {
	owners, err := t.activeOwners()
	if err != nil {
		return err
	}
	for _, id := range owners {
		if err := t.notify(id, k, args); err != nil {
			return err
		}
	}
	return nil
}

// tellOwnersOf tells every active owner something that names somebody else.
func (t *txn) tellOwnersOf(about string, k NoticeKind, args map[string]string) error {
	owners, err := t.activeOwners()
	if err != nil {
		return err
	}
	for _, id := range owners {
		if err := t.notifyOf(id, about, k, args); err != nil {
			return err
		}
	}
	return nil
}

// Notices reads inboxes and what people want to be told.
type Notices struct{ *base }

// NoticePage is a page of an inbox, newest first; Next continues it.
type NoticePage struct {
	Notices []NoticeRead
	Unread  int // at most MaxPage
	Next    string
}

// NoticeRead is a notice in words.
type NoticeRead struct {
	Notice
	Text
}

// Mine returns a page of the actor's inbox. lang and zone are what it is said
// in; "" as the account prefers.
func (s *Notices) Mine(ctx context.Context, actor Actor, lang, zone, after string, n int) (NoticePage, error) {
	var page NoticePage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		if lang == "" {
			lang = a.Language
		}
		if zone == "" {
			zone = a.TimeZone
		}
		n := pageSize(n)
		rows, err := notices.PageEq(t, "account", actor.Account, after, n)
		if err != nil {
			return err
		}
		for _, r := range rows {
			page.Notices = append(page.Notices, NoticeRead{r.Value, s.writer.Write(Wording{
				Kind: r.Value.Kind, Portal: t.site.Name, Language: lang, Zone: zone, Args: r.Value.Args})})
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		page.Unread, err = t.unread(actor.Account)
		return err
	})
	return page, err
}

// unread counts the notices that were not read, up to MaxPage.
func (t *txn) unread(account string) (int, error) {
	rows, err := notices.PageEq(t, "unread", account, "", MaxPage)
	return len(rows), err
}

// MarkRead marks notices as read; ids that are not the actor's are passed over.
// With none given, all of them. Reading one's own inbox is no act for the trail.
func (s *Notices) MarkRead(ctx context.Context, actor Actor, ids ...string) error {
	now := s.clock.Now()
	return asError(s.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: s.base, actor: actor, now: now}
		if err := t.load(); err != nil {
			return err
		}
		if err := t.requireLive(); err != nil {
			return err
		}
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		return eachRow(func(after string) ([]store.Row[Notice], error) {
			return notices.PageEq(t, "unread", actor.Account, after, MaxPage)
		}, func(n Notice) error {
			if len(ids) > 0 && !slices.Contains(ids, n.ID) {
				return nil
			}
			n.Read = now
			return notices.Put(t, invert(n.ID), n)
		})
	}))
}

// Wish is whether a person wants a kind of notice on a channel.
type Wish struct {
	NoticeType
	Inbox, Mail bool
}

// Wishes returns what the actor wants to be told, and where.
func (s *Notices) Wishes(ctx context.Context, actor Actor) ([]Wish, error) {
	var list []Wish
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		held, err := t.rank(a.ID)
		if err != nil {
			return err
		}
		for _, n := range NoticeTypes() {
			if n.Owners && !held.roles[RoleOwner] {
				continue
			}
			list = append(list, Wish{n, a.wants(n.Kind, ChannelInbox), a.wants(n.Kind, ChannelMail)})
		}
		return nil
	})
	return list, err
}

// SetWish switches a kind of notice on a channel on or off. CodeDenied for a
// security notice, CodeNotFound for a kind or channel that there is not.
func (s *Notices) SetWish(ctx context.Context, actor Actor, k NoticeKind, c Channel, wanted bool) error {
	return s.do(ctx, actor, ActNotices, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		known := slices.ContainsFunc(NoticeTypes(), func(n NoticeType) bool { return n.Kind == k })
		if !known || c != ChannelInbox && c != ChannelMail {
			return refuseField(CodeNotFound, "notice")
		}
		if noticeType(k).Security && !wanted {
			return refuseField(CodeDenied, "notice")
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		t.entry.Target = muted(k, c)
		t.entry.Before, t.entry.After = map[string]string{"wanted": onOff(a.wants(k, c))}, map[string]string{"wanted": onOff(wanted)}
		a.Muted = slices.DeleteFunc(slices.Clone(a.Muted), func(m string) bool { return m == muted(k, c) })
		if !wanted {
			a.Muted = append(a.Muted, muted(k, c))
		}
		return accounts.Put(t, a.ID, a)
	})
}
