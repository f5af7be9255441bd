package core

// CaptchaAnswer is what a captcha that is out wants to be answered.
func (p *Portal) CaptchaAnswer(id string) string {
	s := p.base.captchas
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id].want
}

// CaptchasOut returns how many are out, and how many may be.
func (p *Portal) CaptchasOut() (n, most int) {
	s := p.base.captchas
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held), maxCaptchas
}
