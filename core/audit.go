// The trail: everything anyone did, with which session, from where, before and
// after. It is written by txn.go, in the transaction of the act itself.

package core

import (
	"context"
	"time"

	"postern/store"
)

// Action names an act. The dictionary says it in words ("action." + Action).
type Action string

// The acts of this core.
const (
	ActSetUp          Action = "portal.setup"
	ActSignUp         Action = "account.signup"
	ActProfile        Action = "account.profile"
	ActSuspend        Action = "account.suspend"
	ActResume         Action = "account.resume"
	ActUnlock         Action = "account.unlock"
	ActApprove        Action = "account.approve"
	ActReject         Action = "account.reject"
	ActCodeIssued     Action = "account.code"
	ActPassword       Action = "password.change"
	ActPasswordExpire Action = "password.expire"
	ActRehash         Action = "password.rehash"
	ActSignIn         Action = "signin.password"
	ActSignInCode     Action = "signin.code"
	ActSignInStep     Action = "signin.step"
	ActCaptcha        Action = "captcha.answer" // one that did not do
	ActStepUp         Action = "signin.step_up"
	ActSignOut        Action = "session.signout"
	ActSessionEnd     Action = "session.end"
	ActSessionEndAll  Action = "session.end_others"
	ActSessionExpired Action = "session.expired"
	ActPolicy         Action = "policy.change"
	ActInvite         Action = "invite.create"
	ActInviteRevoke   Action = "invite.revoke"
	ActKeyLink        Action = "key.link"
	ActKeyRemove      Action = "key.remove"
	ActGrant          Action = "grant.create"

	ActSignInKey         Action = "signin.key"
	ActSignInFactor      Action = "signin.factor"
	ActSignInRecovery    Action = "signin.recovery"
	ActCodeSent          Action = "factor.code_sent"
	ActEnrolBegun        Action = "factor.begin"
	ActEnrolLeft         Action = "factor.abandon"
	ActFactorAdd         Action = "factor.add"
	ActFactorChange      Action = "factor.change"
	ActFactorRemove      Action = "factor.remove"
	ActFactorsReset      Action = "factor.reset"
	ActRecoveryShown     Action = "recovery.show"
	ActRecoveryMade      Action = "recovery.make"
	ActKeyChange         Action = "key.change"
	ActEmailConfirmed    Action = "account.email_confirmed"
	ActNotices           Action = "account.notices"
	ActMessageRead       Action = "message.read"
	ActMessageRetry      Action = "message.retry"
	ActMessageTest       Action = "message.test"
	ActMessageDead       Action = "message.dead" // given up by the portal
	ActBackup            Action = "portal.backup"
	ActSessionsEnd       Action = "session.end_all"
	ActContactSet        Action = "contact.set"
	ActContactClear      Action = "contact.clear"
	ActAgreementPublish  Action = "agreement.publish"
	ActAgreementWithdraw Action = "agreement.withdraw"
	ActAgree             Action = "agreement.accept"
	ActDecline           Action = "agreement.decline"

	ActDenied      Action = "access.denied" // a question that was not answered; Target is the operation, or the key that asked
	ActPolicyDraft Action = "policy.draft"  // put aside, or thrown away

	ActAppCreate   Action = "app.create"
	ActAppChange   Action = "app.change"
	ActAppTransfer Action = "app.transfer" // another owner
	ActAppRetire   Action = "app.retire"
	ActShare       Action = "share.create"
	ActShareChange Action = "share.change"
	ActShareEnd    Action = "share.end"

	ActGrantChange Action = "grant.change"
	ActGrantEnd    Action = "grant.end"
	ActGrantLapsed Action = "grant.lapsed" // by the portal: its time had come

	ActAuditExport Action = "audit.export"

	ActRequestMake     Action = "request.make"
	ActRequestCancel   Action = "request.cancel"
	ActRequestApprove  Action = "request.approve"
	ActRequestRefuse   Action = "request.refuse"
	ActRequestHold     Action = "request.hold"
	ActRequestMove     Action = "request.move"
	ActRequestCarryOut Action = "request.carry_out" // by the portal: the days of grace are over
	ActAccountDelete   Action = "account.delete"    // Target is the id; what is left of the account
	ActTrailForget     Action = "audit.forget"      // by the portal: what was about a deleted account
	ActAuditVerify     Action = "audit.verify"
	ActCompact         Action = "portal.compact"
	ActDataExport      Action = "account.export"
	ActHold            Action = "account.hold"
	ActRelease         Action = "account.release"
	ActRetention       Action = "retention.run"
	ActInactiveWarn    Action = "retention.warn" // by the portal: the account will go
	ActAnalysisSave    Action = "analysis.save"
	ActAnalysisRetire  Action = "analysis.retire"
	ActAnalysisDry     Action = "analysis.dry_run"
	ActAnalysisRun     Action = "analysis.run"     // by the portal, for a request
	ActAnalysisLost    Action = "analysis.lost"    // by the portal: a crash came between
	ActAnalysisResolve Action = "analysis.resolve" // what that run meant
	ActAnalysisPost    Action = "analysis.post"    // by the portal: what became of something a script has posted
	ActAnalysisRepost  Action = "analysis.repost"
	ActKeyLapsed       Action = "key.lapsed"     // by the portal: its time had come
	ActImport          Action = "account.import" // of a batch of lines; Target is the import
	ActTrailAdopt      Action = "audit.adopt"    // of what a former key has signed; Target is its fingerprint
)

// Actions returns every action, for filters and for the test that each has its words.
func Actions() []Action {
	return []Action{
		ActSetUp, ActSignUp, ActProfile, ActSuspend, ActResume, ActUnlock, ActApprove, ActReject, ActCodeIssued,
		ActPassword, ActPasswordExpire, ActRehash, ActSignIn, ActSignInCode, ActSignInStep, ActCaptcha, ActStepUp, ActSignOut,
		ActSessionEnd, ActSessionEndAll, ActSessionExpired, ActPolicy, ActInvite, ActInviteRevoke,
		ActKeyLink, ActKeyRemove, ActGrant, ActBackup, ActDenied,
		ActSignInKey, ActSignInFactor, ActSignInRecovery, ActCodeSent, ActEnrolBegun, ActEnrolLeft, ActFactorAdd, ActFactorChange,
		ActFactorRemove, ActFactorsReset, ActRecoveryShown, ActRecoveryMade, ActKeyChange, ActEmailConfirmed, ActNotices,
		ActMessageRead, ActMessageRetry, ActMessageTest, ActMessageDead,
		ActSessionsEnd,
		ActContactSet, ActContactClear, ActAgreementPublish, ActAgreementWithdraw, ActAgree, ActDecline,
		ActPolicyDraft,
		ActGrantChange, ActGrantEnd, ActGrantLapsed,
		ActAppCreate, ActAppChange, ActAppTransfer, ActAppRetire, ActShare, ActShareChange, ActShareEnd,
		ActAuditExport,
		ActRequestMake, ActRequestCancel, ActRequestApprove, ActRequestRefuse, ActRequestHold, ActRequestMove, ActRequestCarryOut,
		ActAccountDelete, ActTrailForget, ActAuditVerify, ActCompact, ActDataExport, ActHold, ActRelease, ActRetention, ActInactiveWarn,
		ActAnalysisSave, ActAnalysisRetire, ActAnalysisDry, ActAnalysisRun, ActAnalysisLost, ActAnalysisResolve, ActAnalysisPost, ActAnalysisRepost,
		ActKeyLapsed, ActImport, ActTrailAdopt,
	}
}

// Outcome says whether an act was done.
type Outcome string

// The outcomes.
const (
	OutcomeDone    Outcome = "done"
	OutcomeRefused Outcome = "refused"
)

// Entry is one line of the trail. It never holds a secret, nor what was typed
// into a field that could have been one.
type Entry struct {
	ID      string    `json:"id"` // ULID; entries ascend
	At      time.Time `json:"at"`
	Action  Action    `json:"action"`
	Outcome Outcome   `json:"outcome"`
	Code    Code      `json:"code,omitempty"` // why it was refused

	Actor   string `json:"actor,omitempty"` // account id, "console", "system", or "" for a stranger
	Name    string `json:"name,omitempty"`  // the actor's user name; "" when it is no account any more
	Session string `json:"session,omitempty"`
	Door    Door   `json:"door"`
	Remote  string `json:"remote,omitempty"`
	Client  string `json:"client,omitempty"`

	About  string            `json:"about,omitempty"`  // the account it concerns
	Target string            `json:"target,omitempty"` // what was acted on: a user name, a session, a setting
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
	Reason string            `json:"reason,omitempty"`

	// SignedIn says that a sign-in came to its session by this act, whatever its
	// last step was. The session that a sign-up begins is no sign-in.
	SignedIn bool `json:"signed_in,omitempty"`

	// Erased says that the account it concerns was deleted, and with it what the
	// entry said of its person. It is found out when the entry is read.
	Erased bool `json:"erased,omitempty"`
}

// Actors that are no account.
const (
	ActorConsole = "console"
	ActorSystem  = "system"
)

// trail is kept under inverted ids: a page begins with the newest entry.
var trail = store.NewTable("audit", 2,
	store.Index[storedEntry]{Name: "account", Keys: func(e storedEntry) []string {
		var keys []string
		if e.About != "" {
			keys = append(keys, e.About)
		}
		if e.byAccount() {
			keys = append(keys, e.Actor)
		}
		return keys
	}},
	store.Index[storedEntry]{Name: "action", Keys: func(e storedEntry) []string { return []string{string(e.Action)} }},
	store.Index[storedEntry]{Name: "address", Keys: func(e storedEntry) []string {
		if e.Remote == "" {
			return nil
		}
		return []string{e.Remote}
	}})

// newEntry begins the entry of an act.
func (b *base) newEntry(actor Actor, action Action, about string) (Entry, error) {
	now := b.clock.Now()
	id, err := b.ids.new(now)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{
		ID: id, At: now, Action: action, Actor: actor.Account, Session: actor.Session,
		Door: actor.Door, Remote: actor.Remote, Client: actor.Client, About: about,
	}
	if actor.Console {
		e.Actor, e.Name = ActorConsole, actor.Client
	}
	return e, nil
}

// Audit reads the trail.
type Audit struct{ *base }

// AuditPage is a page of the trail, newest first. Next continues it; "" when
// there is no more. Of a search it also says how many entries were looked at,
// and back to when.
type AuditPage struct {
	Entries []Entry
	Next    string
	Looked  int
	Back    time.Time
}

// MaxPage is the most that any paged call returns at once.
const MaxPage = 500

func pageSize(n int) int { return max(1, min(n, MaxPage)) }

// Mine returns the trail of the actor's own account: what it did, and what was
// done to it, hidden fields left out. CodeSessionEnded, CodeDenied for a stranger.
func (a *Audit) Mine(ctx context.Context, actor Actor, after string, n int) (AuditPage, error) {
	var page AuditPage
	err := a.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		page, err = pageTrail(t, actor.Account, after, n)
		for i, e := range page.Entries {
			if e.About == actor.Account {
				page.Entries[i].Before = t.policy.SignUp.withoutHidden(e.Before)
				page.Entries[i].After = t.policy.SignUp.withoutHidden(e.After)
			}
		}
		return err
	})
	return page, err
}

// List returns the whole trail, or what one account did and what was done to it
// (ref: user name or id).
// CodeDenied, CodeNotFound.
func (a *Audit) List(ctx context.Context, actor Actor, ref, after string, n int) (AuditPage, error) {
	var page AuditPage
	err := a.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAudit, ""); err != nil {
			return err
		}
		account := ""
		if ref != "" {
			acc, err := t.account(ref)
			if err != nil {
				return err
			}
			account = acc.ID
		}
		var err error
		page, err = pageTrail(t, account, after, n)
		return err
	})
	return page, err
}

func pageTrail(t *txn, account, after string, n int) (AuditPage, error) {
	n = pageSize(n)
	var rows []store.Row[storedEntry]
	var err error
	if account == "" {
		rows, err = trail.Page(t, after, n)
	} else {
		rows, err = trail.PageEq(t, "account", account, after, n)
	}
	if err != nil {
		return AuditPage{}, err
	}
	var page AuditPage
	if page.Entries, err = t.openRows(rows); err != nil {
		return AuditPage{}, err
	}
	if len(rows) == n {
		page.Next = rows[n-1].Cursor
	}
	return page, nil
}
