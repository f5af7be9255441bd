package screens

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// codesOn reads the codes that stand on the screen.
func codesOn(screen string) []string {
	return regexp.MustCompile(`\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b`).FindAllString(screen, -1)
}

// works says whether a recovery code of an account is taken at step-up.
func (p *place) works(in core.SignedIn, code string) bool {
	_, err := p.SignIn.StepUpRecovery(context.Background(), as(in), code)
	return err == nil
}

// guardedBy is ada with an app and, if old is set, with recovery codes.
func (p *place) guardedBy(t testing.TB, old bool) (in core.SignedIn, before []string) {
	t.Helper()
	in = p.signUp(t, "ada", otherPassword)
	p.enrolled(t, in, "Pixel 9")
	if old {
		before = p.coded(t, in).Codes
	}
	return in, before
}

// New codes count once they are called saved, and the old ones are dead then.
func TestRecoveryCodesCountOnceTheyAreSaved(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in, old := p.guardedBy(t, true)
	v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes")
	waitToRead(v, "Of the ones you have, made on 22 Nov 2026, 10 are left.")
	v.Press("enter").WaitFor("I saved them")
	codes := codesOn(v.Text())
	if len(codes) != core.RecoveryCodes {
		t.Fatalf("%d codes:\n%s", len(codes), v.Text())
	}
	if !p.works(in, old[0]) || p.works(in, codes[0]) {
		t.Fatal("something changed before they were saved")
	}
	s := v.Router().Top().(*recovery)
	sheet := s.sheet.Codes
	v.Press("tab", "tab").Burst("enter", "enter", "enter").WaitFor("Your new recovery codes are in force.")
	if p.works(in, old[1]) || !p.works(in, codes[1]) || p.works(in, codes[1]) {
		t.Error("not the new ones count, each once") // ASVS 6.5.1
	}
	if n := p.acts(t, "ada", core.ActRecoveryMade, core.OutcomeDone); n != 2 { // the old ones too
		t.Errorf("made %d times", n)
	}
	if strings.Join(sheet, "") != "" || s.sheet.Seed != "" {
		t.Error("the screen that was left still knows the codes")
	}
}

// Whoever does not call them saved changes nothing, whichever way they leave.
func TestRecoveryCodesThatAreNotSaved(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]string{"esc": {"esc"}, "the first button": {"enter"}} {
		for _, old := range []bool{true, false} {
			p := newPlace(t)
			in, before := p.guardedBy(t, old)
			v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
			codes := codesOn(v.Text())
			v.Press(keys...).WaitFor("Security check-up").Contains("Nothing was changed:")
			if p.works(in, codes[0]) {
				t.Fatalf("%s: a code works that was not saved", name)
			}
			if old && !p.works(in, before[0]) {
				t.Errorf("%s: the old codes are dead", name)
			}
			if have := p.protection(t, in).Recovery; !old && have.Left != 0 {
				t.Errorf("%s: %d codes from nowhere", name, have.Left)
			}
		}
	}
}

// ASVS 7.5.1: new codes ask for a proof first.
func TestRecoveryCodesAskForAProofAndGoOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	secret := p.enrolled(t, in, "Pixel 9")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes")
	v.Press("enter").WaitFor("Is it you?").Press("esc").WaitFor("Show new codes")
	if codes := codesOn(v.Text()); codes != nil {
		t.Fatal("codes without a proof")
	}
	v.Press("enter").WaitFor("Is it you?")
	v.Type(p.codeOf(secret)).Press("enter").WaitFor("I saved them")
	v.Press("tab", "tab", "enter").WaitFor("in force")
}

// Codes that waited too long are gone from the screen, and nothing was changed.
func TestRecoveryCodesThatWaitedTooLong(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "session.idle_minutes", "0")
	in, old := p.guardedBy(t, true)
	v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
	p.clock.Advance(core.RecoveryPendingFor + time.Second)
	v.Press("tab", "tab", "enter")
	waitToRead(v, "they waited for more than 30 min, or others were made meanwhile. Nothing was changed.")
	if codesOn(v.Text()) != nil {
		t.Error("dead codes stay on the screen")
	}
	v.Press("esc").WaitFor("Security check-up")
	if !p.works(in, old[0]) {
		t.Error("the old codes are dead")
	}
}

// At the local door the codes go to a file, for its owner's eyes, and never over
// another file.
func TestSavingRecoveryCodesToAFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in, _ := p.guardedBy(t, false)
	e := p.env(t)
	var name, content string
	fail := error(nil)
	e.Door.Save = func(n string, c []byte) (string, error) {
		if fail != nil {
			return "/home/ada/" + n, fail
		}
		name, content = n, string(c)
		return "/home/ada/" + n, nil
	}
	v := p.openAbove(t, e, in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
	codes := codesOn(v.Text())
	fail = &fs.PathError{Op: "open", Path: "x", Err: fs.ErrExist}
	v.Press("tab", "enter")
	waitToRead(v, "✗ /home/ada/postern-recovery-ada.txt is there already, and was left as it is.")
	fail = errors.New("no space left")
	v.Press("enter")
	waitToRead(v, "✗ /home/ada/postern-recovery-ada.txt could not be written.")
	fail = nil
	v.Press("enter")
	waitToRead(v, "✓ They are in /home/ada/postern-recovery-ada.txt, which nobody else can read.")
	if name != "postern-recovery-ada.txt" || !strings.HasPrefix(content, "Recovery codes of ada at Lanterns\n") || !strings.HasSuffix(content, "\n") {
		t.Errorf("%s:\n%s", name, content)
	}
	if got := codesOn(content); len(got) != 10 || got[0] != sheetOrder(codes)[0] || got[9] != sheetOrder(codes)[9] {
		t.Errorf("other codes in the file:\n%s", content)
	}
	if p.protection(t, in).Recovery.Left != 0 {
		t.Error("they count though nobody said so") // whoever saved a file has not yet seen that it is there
	}
	v.Press("tab", "enter").WaitFor("in force")
}

// sheetOrder puts codes that were read line by line from two columns in order.
func sheetOrder(codes []string) []string {
	var left, right []string
	for i, c := range codes {
		if i%2 == 0 {
			left = append(left, c)
		} else {
			right = append(right, c)
		}
	}
	return append(left, right...)
}

// Elsewhere they can be copied, as far as the terminal allows.
func TestCopyingRecoveryCodes(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in, _ := p.guardedBy(t, false)
	v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("[ Copy ]")
	codes := sheetOrder(codesOn(v.Text()))
	if got := codesOn(clipboard(t, v, "ctrl+y")); strings.Join(got, " ") != strings.Join(codes, " ") {
		t.Errorf("copied %v", got)
	}
	v.Press("tab", "enter").Contains("Sent to the terminal's clipboard, if it allows that.", "I saved them").Lacks("Save to a file")
	dumb := p.openAbove(t, p.env(t, tuitest.Dumb()), in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
	if dumb.Lacks("Copy", "ctrl+y"); clipboard(t, dumb, "ctrl+y") != "" {
		t.Error("an escape sequence for a terminal that knows none")
	}
}

// Who came by SSH with a linked key can fetch them on their own machine.
func TestFetchingRecoveryCodesBySSH(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in, _ := p.guardedBy(t, false)
	v := p.openAbove(t, p.env(t), in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
	v.Lacks("ssh HOST").Press("esc").WaitFor("Security check-up")
	p.linkedBy(t, in, testKey, "ssh-ed25519 AAAA", "")
	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
	v = p.openAbove(t, e, in, newRecovery).WaitFor("Show new codes").Press("enter").WaitFor("I saved them")
	m := regexp.MustCompile(`ssh HOST factor codes (\S+) > codes.txt`).FindStringSubmatch(v.Text())
	if m == nil {
		t.Fatalf("no line to fetch them with:\n%s", v.Text())
	}
	fetched, err := p.Factors.FetchRecovery(context.Background(), as(in), m[1])
	if err != nil || len(fetched) != 10 || !strings.Contains(v.Text(), fetched[9]) {
		t.Errorf("%v, %v", fetched, err)
	}
	v.Resize(60, 20).Contains(m[0], "I saved them", fetched[9])
}

func TestRecoveryCodesInLines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	l, e, in := p.adaAboveInLines(t, newRecovery)
	e.Door.Save = func(name string, _ []byte) (string, error) { return "/home/ada/" + name, nil }
	p.enrolled(t, in, "Pixel 9")
	l.Hears("2 Show new codes").Answer("2").Hears("1 Not now", "2 Save to a file", "3 I saved them")
	codes := codesOn(l.Since())
	if len(codes) != 10 || !strings.Contains(l.Since(), "1 "+codes[0]+" 2 "+codes[1]) {
		t.Fatalf("%v", codes)
	}
	l.Answer("2").Hears("+ They are in /home/ada/postern-recovery-ada.txt").Answer("3").Hears("Your new recovery codes are in force.")
	if p.protection(t, in).Recovery.Left != 10 {
		t.Error("they do not count")
	}
}
