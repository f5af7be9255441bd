package screens

import (
	"testing"

	"postern/core"
)

func TestAnOpenSignUpJudgesByTheNewRules(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.on(t, p.env(t), NewSignUp)
	v.Type("ada").Press("tab", "tab").Type("ada@example.org").Press("tab", "enter").WaitFor("at least 12 characters")
	p.set(t, "password.min_length", "20", "password.special", "on")
	v.WaitFor("at least 20 characters").Contains("special")
}

func TestAnOpenChangeOfPasswordJudgesByTheNewRules(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.at(t, p.env(t), p.owner, NewPassword).WaitFor("at least 12 characters")
	p.set(t, "password.min_length", "20")
	v.WaitFor("at least 20 characters")
	v.Press("esc").WaitFor("Security check-up")
}

// A policy that comes between the judgement and the change is told, and nothing
// typed under the old rules is taken.
func TestAChangeUnderOldRulesIsRefusedAndTheNewOnesShown(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.at(t, p.env(t), p.owner, NewPassword).WaitFor("at least 12 characters")
	top := v.Router().Top().(*changePassword)
	top.ear.shut() // it hears nothing, as when the news is still on its way
	p.set(t, "password.min_length", "64")
	v.Type(goodPassword).Press("tab").Type(otherPassword).Press("tab").Type(otherPassword).Press("tab", "tab", "enter")
	v.WaitFor("at least 64 characters")
	if _, err := p.Portal.SignIn.Password(t.Context(), core.Actor{Door: core.DoorSSH}, "lin", goodPassword); err != nil {
		t.Errorf("the old password: %v", err)
	}
}
