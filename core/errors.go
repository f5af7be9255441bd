// Errors of the core. A refusal is a *Error with a stable code; the sentence a
// person reads is the dictionary's, found by that code. Whatever is not ours (a
// failing disk, a broken record) comes wrapped as CodeInternal: it always denies.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// Code names why something was refused. Codes are stable: scripts, the audit
// trail and the dictionary ("error." + code) rely on them.
type Code string

// The codes of refusals. A method's comment says which of them it returns.
const (
	CodeInternal     Code = "internal"      // nothing the person did; the operator's log has more
	CodeUnavailable  Code = "unavailable"   // the store could not answer in time, or is closed
	CodeDenied       Code = "denied"        // the actor may not do this
	CodeStepUp       Code = "step_up"       // prove yourself again first (SignIn.StepUp)
	CodeSessionEnded Code = "session_ended" // the actor's session is over
	CodeNotFound     Code = "not_found"     // no such account, session, invitation or setting
	CodeConflict     Code = "conflict"      // somebody else changed it meanwhile, or it was done already

	CodeEmpty        Code = "empty"         // a required value is missing
	CodeTooLong      Code = "too_long"      // longer than N
	CodeTooShort     Code = "too_short"     // shorter than N
	CodeCharacter    Code = "character"     // a character that does not belong there
	CodeEncoding     Code = "encoding"      // not valid UTF-8
	CodeMixedScripts Code = "mixed_scripts" // letters of several scripts in one name
	CodeReserved     Code = "reserved"      // a name kept for the portal
	CodeTaken        Code = "taken"         // the name, a look-alike of it, or the address is in use
	CodeFormat       Code = "format"        // not an address, a number, a date or a choice
	CodeRange        Code = "range"         // a number outside its bounds
	CodeRequired     Code = "required"      // the policy demands this value

	CodePassword    Code = "password"     // a rule of the policy fails; Rule says which
	CodeReused      Code = "reused"       // the policy's history forbids this password
	CodeSame        Code = "same"         // the new value is the old one
	CodeCredentials Code = "credentials"  // unknown, wrong, locked or suspended: one answer for all
	CodeWait        Code = "wait"         // too many failures; Wait says how long
	CodeCaptcha     Code = "captcha"      // a captcha is to be solved first, or (with a field) was not: Rule
	CodeTicket      Code = "ticket"       // the sign-in took too long or was not begun
	CodeOutOfOrder  Code = "out_of_order" // another step comes first
	CodeClosed      Code = "closed"       // nobody can sign up now
	CodeFull        Code = "full"         // the quota of accounts is used up
	CodeInvite      Code = "invite"       // the invitation is unknown, used up or over
	CodeSetupCode   Code = "setup_code"   // the one-time setup code is wrong
	CodeSetUp       Code = "set_up"       // the portal is set up already
	CodeNotSetUp    Code = "not_set_up"   // the portal has no owner yet
	CodeLastOwner   Code = "last_owner"   // the last owner who can sign in cannot be lost
	CodeKeyInUse    Code = "key_in_use"   // the key is linked to an account already
	CodeKeyEnded    Code = "key_ended"    // the key's time is over; it is linked anew instead
	CodeKeyCurrent  Code = "key_current"  // the host key of today, where a former one is meant
	CodeNoKey       Code = "no_key"       // this connection proved no key

	CodeCodeFormat  Code = "code_format"   // not six digits
	CodeCodeWrong   Code = "code_wrong"    // a code that is not right
	CodeCodeUsed    Code = "code_used"     // right, but used already; Wait says when the next one comes
	CodeCodeClock   Code = "code_clock"    // a code of another time: a clock is wrong, by N minutes (Rule "ahead" or "behind")
	CodeCodeOver    Code = "code_over"     // the code has ended, by time or by tries: ask for another
	CodeMethodOff   Code = "method_off"    // the policy does not allow this method
	CodeNoMethod    Code = "no_method"     // a factor would be demanded while no method is on
	CodeNoAllowance Code = "no_allowance"  // the method (Field) needs an allowance first (Rule)
	CodeAllowance   Code = "allowance"     // this month's messages of a service (Field) are used up
	CodeLosesFactor Code = "loses_factor"  // N people would be left without a factor
	CodeFactorOff   Code = "factor_off"    // too many failures in a row: this factor counts no more
	CodeLastFactor  Code = "last_factor"   // the policy demands a factor, and this is the last
	CodeKeyType     Code = "key_type"      // a key of a kind or size that is not accepted
	CodeKeyPrivate  Code = "key_private"   // what was pasted is a private key
	CodeKeyPresent  Code = "key_present"   // the key that this connection came with: say so to remove it
	CodeWeakProof   Code = "weak_proof"    // a stronger proof than this one can be given
	CodeNoFactor    Code = "no_factor"     // there is nothing of the kind that was asked for
	CodeAgreement   Code = "agreement"     // an agreement (Field) was not accepted, or was published anew
	CodeFactorDue   Code = "factor_due"    // the policy demands a factor by now, and the account has none
	CodeLockout     Code = "lockout"       // no owner could sign in any more
	CodeLocksOut    Code = "locks_out"     // N people could not sign in any more
	CodeOwnRole     Code = "own_role"      // nobody gives a role to themselves, nor lengthens their own
	CodeOwnAccount  Code = "own_account"   // an act on many that would shut out whoever does it
	CodeNotActive   Code = "not_active"    // the account cannot sign in, so it is given no role
	CodeHasRole     Code = "has_role"      // the account holds this role already
	CodeEndPast     Code = "end_past"      // an end that is not in the future
	CodeEndFar      Code = "end_far"       // an end more than N days ahead
	CodeSameEnd     Code = "same_end"      // it ends then already
	CodeEndBeyond   Code = "end_beyond"    // an end behind that of the giver's own role
	CodeWeaker      Code = "weaker"        // an app's rule (Field) that is weaker than the portal's (Rule)
	CodeRoleInUse   Code = "role_in_use"   // N people hold the role (Rule) that is to go
	CodeNotOwner    Code = "not_owner"     // who decides about requests must be an owner of the portal
	CodeConfirm     Code = "confirm"       // it asks to be confirmed by typing Rule
	CodeRequestOpen Code = "request_open"  // there is a request to delete the account already
	CodeRequestOver Code = "request_over"  // the request has come to its end
	CodeHeld        Code = "held"          // the account is kept by a hold
	CodeScript      Code = "script"        // a script that cannot be run: line N, and what is wrong with it (Rule)
	CodeScriptInUse Code = "script_in_use" // the policy names the script
	CodeState       Code = "state"         // the account is in a state (Rule) that does not allow it
	CodeRetired     Code = "retired"       // the app is retired for good
	CodeNoRole      Code = "no_role"       // an end of a role without the role
	CodeUnchanged   Code = "unchanged"     // nothing would be another than it is
	CodeNotWritten  Code = "not_written"   // what was asked for could not be written in full: a disk is full, a reader has gone
)

// Error is a refusal. Err, when set, is for the log and never for the person.
type Error struct {
	Code  Code
	Field string        // the input it is about ("user_name"), or ""
	Rule  string        // the rule that failed ("min_length"), or ""
	N     int           // the number in the sentence (a bound), when there is one
	Wait  time.Duration // how long to wait, with CodeWait
	Err   error
}

// Error describes the refusal for logs. It never holds what was typed.
func (e *Error) Error() string {
	s := "core: " + string(e.Code)
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Rule != "" {
		s += " " + e.Rule
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: "" for nil, CodeInternal for what is not ours.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

func refuse(code Code) *Error                    { return &Error{Code: code} }
func refuseField(code Code, field string) *Error { return &Error{Code: code, Field: field} }

// asError turns whatever a transaction returned into a *Error.
func asError(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, store.ErrClosed):
		return &Error{Code: CodeUnavailable, Err: err}
	case errors.Is(err, store.ErrCursor):
		return &Error{Code: CodeFormat, Field: "after", Err: err}
	default:
		return &Error{Code: CodeInternal, Err: err}
	}
}
