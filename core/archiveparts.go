// The parts of an archive: what is held about an account, table by table. Where a
// new table keeps something of people, its part is a line in archiveParts, and its
// shape one in archiveshape.go and in the schema; a test says which is missing.

package core

import (
	"errors"

	"postern/store"
)

// partTrail is the last part: what the account did and what was done to it.
const partTrail = "trail"

// archivePart is one member of the archive. page returns its records after a
// cursor, and where they go on ("" at the end); one says that there is at most one,
// which then stands for the list.
type archivePart struct {
	name   string
	one    bool
	tables []prefixed
	page   func(t *txn, account, after string) (items []any, next string, err error)
}

// prefixed is a table, whatever its records are.
type prefixed interface{ Prefix() []byte }

// archiveParts are all of them, in their order.
var archiveParts = []archivePart{
	{"account", true, []prefixed{accounts, sites}, single(accountPart)},
	{"password", true, []prefixed{credentials}, single(passwordPart)},
	{"factors", false, []prefixed{factors}, indexed(factors, "account", func(_ *txn, f factorRecord) (any, error) { return f.archived(), nil })},
	{"keys", false, []prefixed{linkedKeys}, indexed(linkedKeys, "account", func(_ *txn, k LinkedKey) (any, error) { return k.archived(), nil })},
	{"recovery_codes", true, []prefixed{recoverySets}, single(recoveryPart)},
	{"enrolments", false, []prefixed{enrolments}, indexed(enrolments, "account", func(_ *txn, e enrolment) (any, error) {
		return archivedEnrolment{e.Kind, e.Address, e.Ends, e.Until, e.Tries}, nil
	})},
	{"codes_sent", false, []prefixed{sentCodes}, indexed(sentCodes, "account", func(_ *txn, c sentCode) (any, error) {
		return archivedCode{c.Factor, c.Until, c.Tries}, nil
	})},
	{"sign_ins_begun", false, []prefixed{attempts}, indexed(attempts, "account", func(_ *txn, a attempt) (any, error) {
		return archivedAttempt{a.Method, a.Factor, a.Later, a.Until, a.Door, a.Remote}, nil
	})},
	{"sessions", false, []prefixed{sessions}, indexed(sessions, "live", sessionItem)},
	{"sessions_ended", false, []prefixed{sessions}, indexed(sessions, "ended", sessionItem)},
	{"devices", false, []prefixed{devices}, devicesPart},
	{"failed_tries", false, []prefixed{guardTable}, triesPart},
	{"grants", false, []prefixed{grants}, indexed(grants, "account", grantItem)},
	{"grants_ended", false, []prefixed{grants}, indexed(grants, "ended", grantItem)},
	{"apps_owned", false, []prefixed{apps}, indexed(grants, "account", appItem)},
	{"invitations", false, []prefixed{invites}, invitesPart},
	{"agreements", false, []prefixed{acceptances}, indexed(acceptances, "account", func(_ *txn, a Acceptance) (any, error) {
		return archivedAnswer{a.Agreement, a.Version, a.Name, !a.Refused, a.At, a.Door, a.Remote, a.Client}, nil
	})},
	{"notices", false, []prefixed{notices}, indexed(notices, "account", func(_ *txn, n Notice) (any, error) {
		return archivedNotice{n.ID, n.Kind, n.At, n.Read, n.Args}, nil
	})},
	{"messages", false, []prefixed{messages}, indexed(messages, "account", func(_ *txn, m Message) (any, error) { return m.archived(), nil })},
	{"named_in_notices", false, []prefixed{notices}, indexed(notices, "about", func(_ *txn, n Notice) (any, error) {
		return archivedNaming{"notice", n.Kind, n.At}, nil
	})},
	{"named_in_messages", false, []prefixed{messages}, indexed(messages, "about", func(_ *txn, m Message) (any, error) {
		return archivedNaming{"message", m.Kind, m.Created}, nil
	})},
	{"delete_requests", false, []prefixed{requests}, indexed(requests, "account", func(_ *txn, r Request) (any, error) { return r.archived(), nil })},
	{"analyses", false, []prefixed{runs}, indexed(runs, "account", func(_ *txn, r Run) (any, error) { return r.archived(), nil })},
	{"posts", false, []prefixed{posts}, indexed(posts, "account", func(_ *txn, p Post) (any, error) { return p.archived(), nil })},
	{"hold", true, []prefixed{accountHolds}, single(holdPart)},
	{"inactive_warning", true, []prefixed{inactiveWarnings}, single(inactivePart)},
	{"policy_draft", true, []prefixed{policyDrafts}, single(draftPart)},
	{"last_export", true, []prefixed{exports}, single(exportPart)},
	{partTrail, false, []prefixed{trail}, trailPart},
}

// indexed is a part that an index finds by the account. What show returns nil for
// is left out.
func indexed[T any](table *store.Table[T], index string, show func(*txn, T) (any, error)) func(*txn, string, string) ([]any, string, error) {
	return func(t *txn, account, after string) (items []any, next string, err error) {
		rows, err := table.PageEq(t, index, account, after, MaxPage)
		if err != nil {
			return nil, "", err
		}
		for _, r := range rows {
			item, err := show(t, r.Value)
			if err != nil {
				return nil, "", err
			}
			if item != nil {
				items = append(items, item)
			}
		}
		if len(rows) == MaxPage {
			next = rows[len(rows)-1].Cursor
		}
		return items, next, nil
	}
}

// single is a part that there is once, or not at all.
func single(show func(t *txn, account string) (any, error)) func(*txn, string, string) ([]any, string, error) {
	return func(t *txn, account, _ string) ([]any, string, error) {
		item, err := show(t, account)
		if errors.Is(err, store.ErrNotFound) || err == nil && item == nil {
			return nil, "", nil
		} else if err != nil {
			return nil, "", err
		}
		return []any{item}, "", nil
	}
}

func accountPart(t *txn, account string) (any, error) {
	a, err := accounts.Get(t, account)
	if err != nil {
		return nil, err
	}
	return archivedAccount{
		ID: a.ID, UserName: a.UserName, DisplayName: a.DisplayName, Email: a.Email, EmailConfirmed: a.EmailConfirmed, State: a.State, Why: a.Why,
		Created: a.Created, LastSignIn: a.LastSignIn, Language: a.Language, Theme: a.Theme, TimeZone: a.TimeZone, Invite: a.Invite,
		Imported: a.Imported, Muted: a.Muted, Fields: t.policy.SignUp.archivedFields(a.Fields), SetUpPortal: t.site.Owner == a.ID,
	}, nil
}

func passwordPart(t *txn, account string) (any, error) {
	c, err := credentials.Get(t, account)
	return c.archived(), err
}

func recoveryPart(t *txn, account string) (any, error) {
	r, err := recoverySets.Get(t, account)
	return archivedRecovery{len(r.Hashes), r.Made, len(r.Pending), r.PendingUntil}, err
}

func draftPart(t *txn, account string) (any, error) {
	d, err := policyDrafts.Get(t, account)
	return archivedDraft(d), err
}

func holdPart(t *txn, account string) (any, error) {
	h, err := accountHolds.Get(t, account)
	return archivedHold{h.Reason, h.At, h.Until}, err
}

func inactivePart(t *txn, account string) (any, error) {
	w, err := inactiveWarnings.Get(t, account)
	return archivedInactive(w), err
}

func exportPart(t *txn, account string) (any, error) {
	e, err := exports.Get(t, account)
	return archivedExport{e.At, e.Receipt}, err
}

func sessionItem(t *txn, s sessionRecord) (any, error) {
	s.LastSeen = t.base.live.lastSeen(s.ID, s.LastSeen)
	return s.archived(), nil
}

func devicesPart(t *txn, account, _ string) (items []any, next string, err error) {
	known, err := devices.Get(t, account)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	for _, d := range known.Known {
		items = append(items, archivedDevice(d))
	}
	return items, "", err
}

// triesPart looks under the names that an account has now: what was counted under
// others is forgotten in a day.
func triesPart(t *txn, account, _ string) (items []any, next string, err error) {
	a, err := accounts.Get(t, account)
	if err != nil {
		return nil, "", notFound(err, "user")
	}
	for _, k := range a.guards() {
		r, err := guardTable.Get(t, k.id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, "", err
		}
		items = append(items, archivedGuard(k, r))
	}
	return items, "", nil
}

func grantItem(t *txn, g Grant) (any, error) {
	out := g.archived()
	if g.App == AppPostern {
		return out, nil
	}
	a, err := apps.Get(t, g.App)
	out.AppName = a.Name
	return out, err
}

func appItem(t *txn, g Grant) (any, error) {
	if g.App == AppPostern || g.Role != RoleAppOwner {
		return nil, nil
	}
	a, err := apps.Get(t, g.App)
	return archivedApp{a.ID, a.Name, a.Note, a.Created, a.State, a.Roles}, err
}

// invitesPart reads all invitations: there are few, and no index by who made them.
func invitesPart(t *txn, account, after string) (items []any, next string, err error) {
	rows, err := invites.Page(t, after, MaxPage)
	if err != nil {
		return nil, "", err
	}
	for _, r := range rows {
		if i := r.Value; i.By == account {
			items = append(items, archivedInvite{i.ID, i.Note, i.Created, i.Until, i.Uses, i.Of, i.Role, i.RoleUntil})
		}
	}
	if len(rows) == MaxPage {
		next = rows[len(rows)-1].Cursor
	}
	return items, next, nil
}

func trailPart(t *txn, account, after string) (items []any, next string, err error) {
	page, err := pageTrail(t, account, after, MaxPage)
	for _, e := range page.Entries {
		items = append(items, e)
	}
	return items, page.Next, err
}
