// Requests to delete an account: a record with a state, and what happened to it.
// Whoever asks, and whichever process the policy has, a request goes one way:
//
//	requested -> held -> approved -> deleted
//	                  -> refused
//	          -> cancelled, by its person, until the account is deleted
//
// A request keeps the process under which it was made.

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"postern/store"
)

// RequestState is where a request stands.
type RequestState string

// The states. In the first three it is open.
const (
	RequestMade      RequestState = "requested" // waits for a decision
	RequestHeld      RequestState = "held"      // waits for somebody to look at it; Why says what for
	RequestApproved  RequestState = "approved"  // will be deleted at Due
	RequestRefused   RequestState = "refused"
	RequestCancelled RequestState = "cancelled"
	RequestDeleted   RequestState = "deleted"
)

// RequestStates returns every state, the open ones first.
func RequestStates() []RequestState {
	return []RequestState{RequestMade, RequestHeld, RequestApproved, RequestRefused, RequestCancelled, RequestDeleted}
}

// Open says whether something will still become of a request in this state.
func (s RequestState) Open() bool {
	return s == RequestMade || s == RequestHeld || s == RequestApproved
}

// HeldWhy says what a held request waits for; the dictionary has the words
// ("request.held." + why). A reason in words may stand beside it.
type HeldWhy string

// Why requests are held.
const (
	HeldByHand    HeldWhy = "hand"       // an admin put it aside
	HeldByScript  HeldWhy = "script"     // the analysis asked for it
	HeldFailed    HeldWhy = "failed"     // the analysis failed
	HeldUnknown   HeldWhy = "unknown"    // whether the analysis has run to its end is not known
	HeldLastOwner HeldWhy = "last_owner" // the portal would be left without an owner
	HeldRetained  HeldWhy = "retained"   // the account is kept by a hold
	HeldNoScript  HeldWhy = "no_script"  // the script is not there any more
)

// RequestStep is one thing that happened to a request. By is an account's id,
// ActorConsole or ActorSystem, or "" where its person is not told who of the staff
// it was; ByName is looked up when it is read. Reason is
// forgotten with the account.
type RequestStep struct {
	At     time.Time    `json:"at"`
	State  RequestState `json:"state"`
	By     string       `json:"by"`
	Why    HeldWhy      `json:"why,omitempty"`
	Reason string       `json:"reason,omitempty"`

	ByName string `json:"by_name,omitempty"`
}

// Request is one request to delete an account.
type Request struct {
	ID      string          `json:"id"` // ULID; requests ascend
	Account string          `json:"account"`
	Process DeletionProcess `json:"process"`
	Script  string          `json:"script,omitempty"` // of ProcessAnalysis
	State   RequestState    `json:"state"`
	Created time.Time       `json:"created"`
	By      string          `json:"by"`                // who asked for it, mostly the account itself; as a step's
	Due     time.Time       `json:"due,omitzero"`      // of an approved one: when the account is deleted
	Why     HeldWhy         `json:"why,omitempty"`     // of a held one
	Reason  string          `json:"reason,omitempty"`  // of the last step
	Run     string          `json:"run,omitempty"`     // the analysis that was begun for it
	History []RequestStep   `json:"history"`           // the oldest first
	Lost    *Losses         `json:"lost,omitempty"`    // of a deleted one
	Receipt *Receipt        `json:"receipt,omitempty"` // of a deleted one

	// UserName, DisplayName and ByName are looked up when it is read; "" of an
	// account that is deleted.
	UserName    string `json:"user_name,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	ByName      string `json:"by_name,omitempty"`
}

// requests is kept under inverted ids: a page begins with the newest.
var requests = store.NewTable("request", 1,
	store.Index[Request]{Name: "account", Keys: func(r Request) []string { return []string{r.Account} }},
	store.Index[Request]{Name: "open", Unique: true, Keys: func(r Request) []string { return r.whileOpen(r.Account) }},
	store.Index[Request]{Name: "state", Keys: func(r Request) []string { return []string{string(r.State)} }},
	store.Index[Request]{Name: "due", Keys: func(r Request) []string {
		if r.State != RequestApproved {
			return nil
		}
		return []string{dueKey(r.Due)}
	}},
	// What an analysis has to be run for.
	store.Index[Request]{Name: "script", Keys: func(r Request) []string {
		if r.State != RequestMade || r.Process != ProcessAnalysis || r.Run != "" {
			return nil
		}
		return []string{r.ID}
	}})

func (r Request) whileOpen(key string) []string {
	if !r.State.Open() {
		return nil
	}
	return []string{key}
}

// dueKey ascends with time.
func dueKey(at time.Time) string { return at.UTC().Format("20060102150405.000") }

// step moves a request into a state and remembers it.
func (r Request) step(t *txn, to RequestState, why HeldWhy, reason string) Request {
	r.State, r.Why, r.Reason = to, why, reason
	if to != RequestApproved {
		r.Due = time.Time{}
	}
	r.History = append(slices.Clone(r.History), RequestStep{At: t.now, State: to, By: t.entry.Actor, Why: why, Reason: reason})
	return r
}

// forgotten is a request without what was written about its person.
func (r Request) forgotten() Request {
	r.Reason, r.History = "", slices.Clone(r.History)
	for i := range r.History {
		r.History[i].Reason = ""
	}
	return r
}

// Requests makes, decides and follows requests.
type Requests struct{ *base }

// request reads one by its id; CodeNotFound (field "request").
func (t *txn) request(id string) (Request, error) {
	key := invert(id)
	if key == "" {
		return Request{}, refuseField(CodeNotFound, "request")
	}
	r, err := requests.Get(t, key)
	if errors.Is(err, store.ErrNotFound) {
		return r, refuseField(CodeNotFound, "request")
	}
	return r, err
}

func (t *txn) putRequest(r Request) error { return requests.Put(t, invert(r.ID), r) }

// openRequest returns the open request of an account; found is false when there is none.
func (t *txn) openRequest(account string) (r Request, found bool, err error) {
	_, r, err = requests.Find(t, "open", account)
	if errors.Is(err, store.ErrNotFound) {
		return r, false, nil
	}
	return r, err == nil, err
}

// nameRequest fills in names.
func (t *txn) nameRequest(r Request) (Request, error) {
	a, err := accounts.Get(t, r.Account)
	switch {
	case err == nil:
		r.UserName, r.DisplayName = a.UserName, a.DisplayName
	case !errors.Is(err, store.ErrNotFound):
		return r, err
	}
	if r.ByName, err = t.nameOf(r.By); err != nil {
		return r, err
	}
	r.History = slices.Clone(r.History)
	for i := range r.History {
		if r.History[i].ByName, err = t.nameOf(r.History[i].By); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (t *txn) nameRequests(rows []store.Row[Request]) ([]Request, error) {
	list := make([]Request, len(rows))
	for i, row := range rows {
		r, err := t.nameRequest(row.Value)
		if err != nil {
			return nil, err
		}
		list[i] = r
	}
	return list, nil
}

// Mine returns the actor's own requests, newest first, at most MaxPage, without what
// the staff tell each other. CodeDenied for a stranger.
func (s *Requests) Mine(ctx context.Context, actor Actor) ([]Request, error) {
	var list []Request
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		var err error
		list, err = t.requestsOf(actor.Account)
		return err
	})
	return list, err
}

// requestsOf are an account's own requests, as its person sees them.
func (t *txn) requestsOf(account string) ([]Request, error) {
	rows, err := requests.PageEq(t, "account", account, "", MaxPage)
	if err != nil {
		return nil, err
	}
	list, err := t.nameRequests(rows)
	for i := range list {
		list[i] = list[i].forPerson()
	}
	return list, err
}

// forPerson leaves out what the staff tell each other: who of them took a step, and
// why. Only the reason of a refusal is written for the person.
func (r Request) forPerson() Request {
	anonymous := func(by, name *string) {
		if *by != r.Account && *by != ActorConsole && *by != ActorSystem {
			*by = ""
		}
		if *by != r.Account {
			*name = ""
		}
	}
	anonymous(&r.By, &r.ByName)
	r.History = slices.Clone(r.History)
	for i := range r.History {
		h := &r.History[i]
		anonymous(&h.By, &h.ByName)
		if h.By != r.Account && h.State != RequestRefused {
			h.Reason = ""
		}
		r.Reason = h.Reason // of the last step
	}
	return r
}

// RequestPage is a page of requests, newest first; Next continues it.
type RequestPage struct {
	Requests []Request
	Next     string
}

// List returns a page of the queue: of one state, of all open ones ("open"), or of
// all ("").  A page may be shorter than n though there is more. CodeDenied;
// CodeFormat (field "state").
func (s *Requests) List(ctx context.Context, actor Actor, state, after string, n int) (RequestPage, error) {
	var page RequestPage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadRequests, ""); err != nil {
			return err
		}
		n := pageSize(n)
		var rows []store.Row[Request]
		var err error
		switch {
		case state == "":
			rows, err = requests.Page(t, after, n)
		case state == StateOpen:
			rows, err = requests.PageBy(t, "open", "", after, n)
		case slices.Contains(RequestStates(), RequestState(state)):
			rows, err = requests.PageEq(t, "state", state, after, n)
		default:
			return refuseField(CodeFormat, "state")
		}
		if err != nil {
			return err
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		page.Requests, err = t.nameRequests(rows)
		return err
	})
	return page, err
}

// StateOpen asks List for requests of which something will still become.
const StateOpen = "open"

// RequestDetail is what those see who decide: the request, and what would be lost.
type RequestDetail struct {
	Request
	Losses Losses // of an open one: as of now
	State  State  // of the account, "" when it is deleted
	// GoesBy is when the account is deleted if the request is approved now, under the
	// policy as it is; zero: at once.
	GoesBy time.Time
	Terms  DeletionTerms // of the policy as it is
	Email  string        // of the account
	Roles  []Grant       // that the account holds on the portal
}

// Get returns one request. CodeDenied, CodeNotFound (field "request").
func (s *Requests) Get(ctx context.Context, actor Actor, id string) (RequestDetail, error) {
	var d RequestDetail
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadRequests, ""); err != nil {
			return err
		}
		r, err := t.request(id)
		if err != nil {
			return err
		}
		if d.Terms = t.policy.Deletion.terms(); d.Terms.GraceDays > 0 {
			d.GoesBy = t.policy.Deletion.due(t.now)
		}
		if d.Request, err = t.nameRequest(r); err != nil || !r.State.Open() {
			return err
		}
		a, err := accounts.Get(t, r.Account)
		if err != nil {
			return err
		}
		d.State, d.Email = a.State, a.Email
		if d.Losses, err = t.losses(a); err != nil {
			return err
		}
		held, err := t.held(a.ID)
		for _, g := range held {
			if g.App == AppPostern {
				d.Roles = append(d.Roles, g)
			}
		}
		return err
	})
	return d, err
}

// waitingRequests counts those that wait for a decision; at most MaxPage of each kind.
func (t *txn) waitingRequests() (n int, err error) {
	for _, state := range []RequestState{RequestMade, RequestHeld} {
		rows, err := requests.PageEq(t, "state", string(state), "", MaxPage)
		if err != nil {
			return n, err
		}
		n += len(rows)
	}
	return n, nil
}

// openRequests counts the open ones, for the overview; at most MaxPage.
func (t *txn) openRequests() (int, error) {
	rows, err := requests.PageBy(t, "open", "", "", MaxPage)
	return len(rows), err
}
