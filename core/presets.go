// Presets: policies to begin with.

package core

// Preset is a named policy to begin with. Its name is the dictionary's
// ("setup.preset." + ID).
type Preset struct {
	ID     string
	Policy Policy
}

// Presets returns the presets, the recommended one first.
func Presets() []Preset {
	nist := freshSections()
	nist.Preset = "nist"
	nist.Password = PasswordPolicy{MinLength: 12, MinScore: 3, RefuseCommon: true, RefusePersonal: true}
	nist.Session = SessionPolicy{Lifetime: Span{12, Hours}, IdleMinutes: 30}
	nist.Lockout = LockoutPolicy{Failures: 5, AddressFailures: 20, WaitSeconds: 30, MaxWaitMinutes: 15}
	nist.SignUp = SignUpPolicy{Mode: SignUpInvite}

	tagorun := nist
	tagorun.Preset = "tagorun"
	tagorun.Password.UpperLower = true
	tagorun.Password.LettersDigits = true
	tagorun.Password.Special = true
	tagorun.Password.MinLength = 8
	tagorun.Session.Lifetime = Span{3, Months}
	tagorun.Session.IdleMinutes = 0
	tagorun.SignUp.Mode = SignUpOpen

	notificare := nist
	notificare.Preset = "notificare"
	notificare.Password.UpperLower = true
	notificare.Password.LettersDigits = true
	notificare.Password.Special = true
	notificare.Password.RotateDays = 45
	notificare.Password.HistoryDays = 135

	return []Preset{{"nist", nist}, {"tagorun", tagorun}, {"notificare", notificare}}
}

// freshSections is what every preset says of captchas, factors, messages, retention,
// deletion and analysis.
func freshSections() Policy {
	return Policy{
		Captcha:   CaptchaPolicy{SignIn: CaptchaAfterFailures, SignUp: CaptchaAlways},
		Factors:   FactorPolicy{App: true, Key: true, KeyStands: KeyStandsForFactor, Enforce: EnforceNobody, Days: 7},
		Messages:  MessagePolicy{MailAllowance: 1000},
		Retention: RetentionPolicy{OutboxDays: 30, AuditDays: 180, SessionDays: 30, WarnDays: 14},
		Deletion:  DeletionPolicy{Process: ProcessMail, GraceDays: 7, Trail: TrailPseudonym},
		Analysis:  AnalysisPolicy{Seconds: 10},
	}
}

// presetByID finds a preset; "" is the recommended one.
func presetByID(id string) (Policy, error) {
	for _, p := range Presets() {
		if p.ID == id || id == "" {
			return p.Policy, nil
		}
	}
	return Policy{}, refuseField(CodeNotFound, "preset")
}
