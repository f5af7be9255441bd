// Searching the trail. It is kept under inverted ids, which begin with the time:
// a span of time is a place to begin at and one to stop at, whoever or whatever
// is asked for. What no index finds is looked for along the narrowest that there
// is, so far and no further a page.

package core

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"postern/store"
)

// Bounds of a search.
const (
	// AuditLook is how many entries one page looks at, at most.
	AuditLook = 2000
	// MaxAuditWord bounds what can be looked for, in characters.
	MaxAuditWord = 128

	auditChunk = 250 // entries read at once while looking, at most
)

// ActorStranger finds what was done by nobody who was signed in.
const ActorStranger = "stranger"

// AuditQuery says which entries are meant; what is empty asks for nothing.
type AuditQuery struct {
	From time.Time // the first moment that counts, to the millisecond
	To   time.Time // the first moment after it that does not

	Actor   string // who did it: a user name, an id, or ActorConsole, ActorSystem, ActorStranger
	About   string // whom it concerns: a user name or an id
	Account string // whoever did it or whom it concerns
	Action  Action
	Target  string // what the target contains, in any case
	Outcome Outcome
	Code    Code
	Address string // an IPv4 or IPv6 address

	After string // goes on after a page: its Next
	N     int    // entries a page, at most MaxPage
}

// auditPlan is a query made ready: which index to follow, and what to look for
// along it.
type auditPlan struct {
	query   AuditQuery
	index   string // "": the trail itself
	value   string
	match   []func(Entry) bool
	worded  bool      // what an entry says is looked at
	hidden  bool      // custom fields that are hidden may be seen
	from    uint64    // milliseconds, as ids have them
	begin   string    // an inverted id: the search begins after it; "" is the newest
	nothing bool      // no entry can be meant
	created time.Time // when the portal began
}

// Search returns a page of what the query means, newest first. A page may hold
// fewer than N entries, or none, and go on: then AuditLook entries were looked
// at, back to Back. CodeDenied; with the field: CodeNotFound, CodeFormat,
// CodeRange, CodeTooLong, CodeCharacter, CodeEncoding.
func (a *Audit) Search(ctx context.Context, actor Actor, q AuditQuery) (AuditPage, error) {
	var page AuditPage
	err := a.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAudit, ""); err != nil {
			return err
		}
		p, err := t.planAudit(q)
		if err != nil {
			return err
		}
		page, err = t.searchTrail(p)
		return err
	})
	return page, err
}

// planAudit validates a query and decides how it is followed.
func (t *txn) planAudit(q AuditQuery) (p auditPlan, err error) {
	p = auditPlan{query: q, created: t.site.Created}
	switch err := t.decide(OpReadAccounts, ""); CodeOf(err) {
	case "":
		p.hidden = true
	case CodeDenied:
	default:
		return p, err
	}
	if p.query.N = pageSize(q.N); q.N == 0 {
		p.query.N = MaxPage
	}
	if err := p.span(); err != nil {
		return p, err
	}
	// follow takes an index when none is followed yet, the narrowest being asked for first.
	follow := func(index, value string, match func(Entry) bool) {
		if p.index == "" {
			p.index, p.value = index, value
			if index == "account" { // which finds both who did it and whom it concerns
				p.match = append(p.match, match)
			}
			return
		}
		p.match = append(p.match, match)
	}
	for _, who := range []struct {
		field string
		ref   *string // becomes the id of the account that is meant
		is    func(e Entry, id string) bool
	}{
		{"actor", &p.query.Actor, func(e Entry, id string) bool { return e.Actor == id }},
		{"about", &p.query.About, func(e Entry, id string) bool { return e.About == id }},
		{"user", &p.query.Account, func(e Entry, id string) bool { return e.Actor == id || e.About == id }},
	} {
		if *who.ref == "" {
			continue
		}
		if who.field == "actor" && slices.Contains([]string{ActorConsole, ActorSystem, ActorStranger}, *who.ref) {
			id := strings.TrimPrefix(*who.ref, ActorStranger) // a stranger has none
			p.match = append(p.match, func(e Entry) bool { return e.Actor == id })
			continue
		}
		id, err := t.someone(who.field, *who.ref)
		if err != nil {
			return p, err
		}
		*who.ref = id
		follow("account", id, func(e Entry) bool { return who.is(e, id) })
	}
	if q.Address != "" {
		at, err := netip.ParseAddr(q.Address)
		if err != nil {
			return p, refuseField(CodeFormat, "address")
		}
		address := at.Unmap().String()
		follow("address", address, func(e Entry) bool { return e.Remote == address })
	}
	if q.Action != "" {
		if !slices.Contains(Actions(), q.Action) {
			return p, refuseField(CodeFormat, "action")
		}
		follow("action", string(q.Action), func(e Entry) bool { return e.Action == q.Action })
	}
	return p, p.filters()
}

// someone returns the id of an account, of one that is no longer there too.
func (t *txn) someone(field, ref string) (string, error) {
	ref, err := cleanText(field, ref, MaxAuditWord, true)
	if err != nil {
		return "", err
	}
	a, err := t.account(ref)
	switch {
	case err == nil:
		return a.ID, nil
	case CodeOf(err) != CodeNotFound:
		return "", err
	}
	if _, bad := ulid.ParseStrict(ref); bad == nil {
		return ref, nil
	}
	return "", refuseField(CodeNotFound, field)
}

// filters adds what no index finds.
func (p *auditPlan) filters() error {
	q := p.query
	switch q.Outcome {
	case "":
	case OutcomeDone, OutcomeRefused:
		p.match = append(p.match, func(e Entry) bool { return e.Outcome == q.Outcome })
	default:
		return refuseField(CodeFormat, "outcome")
	}
	if q.Code != "" {
		code, err := cleanText("code", string(q.Code), MaxAuditWord, true)
		if err != nil {
			return err
		}
		p.match = append(p.match, func(e Entry) bool { return string(e.Code) == code })
	}
	if q.Target != "" {
		word, err := cleanText("target", q.Target, MaxAuditWord, false)
		if err != nil {
			return err
		}
		word, p.worded = strings.ToLower(word), true
		p.match = append(p.match, func(e Entry) bool { return strings.Contains(strings.ToLower(e.Target), word) })
	}
	return nil
}

// span turns times into places of the trail.
func (p *auditPlan) span() error {
	q := p.query
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return refuseField(CodeRange, "to")
	}
	p.from = auditMillis(q.From)
	if !q.To.IsZero() {
		last := auditMillis(q.To)
		p.nothing = last == 0
		var id ulid.ULID // the first that a moment could have, and so the last one inverted
		_ = id.SetTime(last)
		p.begin = invert(id.String())
	}
	if q.After == "" {
		return nil
	}
	if _, err := ulid.ParseStrict(q.After); err != nil || len(q.After) != ulid.EncodedSize {
		return refuseField(CodeFormat, "after")
	}
	p.begin = max(p.begin, invert(q.After))
	return nil
}

// auditMillis is a time as ids have it; what they cannot have is the nearest.
func auditMillis(at time.Time) uint64 {
	if at.Unix() < 0 {
		return 0
	}
	if at.Unix() >= int64(ulid.MaxTime()/1000) {
		return ulid.MaxTime()
	}
	return uint64(at.UnixMilli())
}

// means says whether an entry is what is looked for.
func (p *auditPlan) means(e Entry) bool {
	for _, m := range p.match {
		if !m(e) {
			return false
		}
	}
	return true
}

// next reads on along the index of the plan, after an inverted id.
func (p *auditPlan) next(tx store.Tx, after string, n int) ([]store.Row[storedEntry], error) {
	if p.index == "" {
		return trail.Page(tx, after, n)
	}
	if after != "" {
		after = trail.CursorEq(p.value, after)
	}
	return trail.PageEq(tx, p.index, p.value, after, n)
}

// searchTrail reads one page of a plan.
func (t *txn) searchTrail(p auditPlan) (page AuditPage, err error) {
	if p.nothing {
		return page, nil
	}
	chunk := 0
	for after := p.begin; page.Looked < AuditLook; {
		n := p.query.N - len(page.Entries)
		if len(p.match) > 0 { // most of what is read may not be meant: more at a time
			chunk = min(max(2*chunk, n), auditChunk)
			n = min(AuditLook-page.Looked, chunk)
		}
		rows, err := p.next(t, after, n)
		if err != nil {
			return page, err
		}
		for _, r := range rows {
			id, err := ulid.ParseStrict(r.Value.ID)
			if err != nil || invert(r.Value.ID) != r.ID {
				return page, errors.Join(store.ErrCorrupt, err)
			}
			if id.Time() < p.from {
				page.Next = ""
				return page, nil
			}
			page.Looked++
			page.Back, page.Next = r.Value.At, r.Value.ID
			e := r.Value.Entry
			if !p.worded && !p.means(e) { // most need not be opened
				continue
			}
			if e, err = t.reader().open(r.Value); err != nil {
				return page, err
			}
			if p.worded && !p.means(e) {
				continue
			}
			page.Entries = append(page.Entries, t.seenBy(p, e))
			if len(page.Entries) == p.query.N {
				return page, nil
			}
		}
		if len(rows) < n {
			page.Next = ""
			return page, nil
		}
		after = rows[len(rows)-1].ID
	}
	return page, nil
}

// seenBy leaves out of an entry what whoever asks may not see.
func (t *txn) seenBy(p auditPlan, e Entry) Entry {
	if !p.hidden {
		e.Before, e.After = t.policy.SignUp.withoutHidden(e.Before), t.policy.SignUp.withoutHidden(e.After)
	}
	return e
}
