// Captchas: what is asked of a stranger before a guess is judged, as the policy
// says. Those that are out and those that were solved live in this process, for
// minutes; after a restart another one is asked.

package core

import (
	"context"
	"crypto/rand"
	"image"
	"maps"
	"math/big"
	"strconv"
	"sync"
	"time"

	"postern/core/captcha"
	"postern/core/secret"
)

// CaptchaWhen says when a captcha is asked.
type CaptchaWhen string

// When a captcha is asked.
const (
	CaptchaOff           CaptchaWhen = "off"
	CaptchaAfterFailures CaptchaWhen = "after_failures" // half as many as lead to a wait
	CaptchaAlways        CaptchaWhen = "always"
)

// CaptchaPolicy says of whom a captcha is asked.
type CaptchaPolicy struct {
	SignIn CaptchaWhen `json:"sign_in"`
	SignUp CaptchaWhen `json:"sign_up"` // CaptchaOff or CaptchaAlways
}

// CaptchaKind says how a captcha asks.
type CaptchaKind string

// The kinds of captchas.
const (
	CaptchaPicture CaptchaKind = "picture" // letters are read off a picture
	CaptchaSum     CaptchaKind = "sum"     // two numbers, said in words, are added: for whom no picture can be shown
)

// MaxCaptchaNumber is the largest number of a CaptchaSum; the least is 1.
const MaxCaptchaNumber = 20

// How long a captcha can be answered, how soon nobody can have, and for how long
// whoever has solved one need not solve another.
const (
	CaptchaFor  = 5 * time.Minute
	CaptchaSoon = time.Second // ASVS 2.4.2
	passFor     = 10 * time.Minute
)

// maxCaptchas is how many are out at most, and how many are solved and not used
// yet. Beyond it the oldest ends early.
const maxCaptchas = 10_000

// The rules of a CodeCaptcha with the field "captcha": why an answer did not do.
const (
	CaptchaWrong = "wrong"
	CaptchaEarly = "soon" // sooner than a person can read it
	CaptchaOver  = "over" // its time is over, or it was answered already
)

// Captchas asks captchas.
type Captchas struct{ *base }

// CaptchaAsked is a captcha that waits for its answer.
type CaptchaAsked struct {
	ID      string
	Kind    CaptchaKind
	Picture image.Image // of a CaptchaPicture: captcha.Width by captcha.Height pixels
	Numbers [2]int      // of a CaptchaSum: what is to be added
}

// peer is whom a captcha was asked of: it counts nowhere else.
type peer struct {
	door   Door
	remote string
}

func (a Actor) peer() peer { return peer{a.Door, a.Remote} }

// heldCaptcha is a captcha that is out, or one that was solved (then without want).
type heldCaptcha struct {
	of   peer
	want string
	at   time.Time
}

// captchaShelf holds captchas for a while.
type captchaShelf struct {
	life time.Duration
	mu   sync.Mutex
	held map[string]heldCaptcha
}

func newCaptchaShelf(life time.Duration) *captchaShelf {
	return &captchaShelf{life: life, held: map[string]heldCaptcha{}}
}

// put adds one. Where there are too many, those whose time is over go, or else the oldest.
func (s *captchaShelf) put(id string, h heldCaptcha) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.held) >= maxCaptchas {
		maps.DeleteFunc(s.held, func(_ string, old heldCaptcha) bool { return h.at.Sub(old.at) >= s.life })
	}
	if len(s.held) >= maxCaptchas {
		oldest := id
		for k, old := range s.held {
			if oldest == id || old.at.Before(s.held[oldest].at) {
				oldest = k
			}
		}
		delete(s.held, oldest)
	}
	s.held[id] = h
}

// take returns one and lets go of it, so that it counts once; ok is false when it is
// unknown, somebody else's, or over.
func (s *captchaShelf) take(id string, of peer, now time.Time) (h heldCaptcha, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok = s.held[id]; !ok || h.of != of {
		return h, false
	}
	delete(s.held, id)
	return h, now.Sub(h.at) < s.life
}

// Ask makes a captcha of a kind for the actor's door and address. It can be
// answered once, by Solve, within CaptchaFor. CodeNotFound (field "captcha") for an
// unknown kind.
func (s *Captchas) Ask(_ context.Context, actor Actor, kind CaptchaKind) (CaptchaAsked, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return CaptchaAsked{}, asError(err)
	}
	out := CaptchaAsked{ID: id, Kind: kind}
	var want string
	switch kind {
	case CaptchaPicture:
		p, err := captcha.Draw()
		if err != nil {
			return CaptchaAsked{}, asError(err)
		}
		out.Picture, want = p.Image, p.Text
	case CaptchaSum:
		sum := 0
		for i := range out.Numbers {
			n, err := rand.Int(s.random, big.NewInt(MaxCaptchaNumber))
			if err != nil {
				return CaptchaAsked{}, asError(err)
			}
			out.Numbers[i] = int(n.Int64()) + 1
			sum += out.Numbers[i]
		}
		want = strconv.Itoa(sum)
	default:
		return CaptchaAsked{}, refuseField(CodeNotFound, "captcha")
	}
	s.captchas.put(id, heldCaptcha{actor.peer(), want, s.clock.Now()})
	return out, nil
}

// Solve answers a captcha, and returns what lets the actor through (Actor.Pass) the
// next time that one is asked, for ten minutes. It counts from the same door and
// address, and for one act that goes through or tells whoever guesses something.
//
// CodeCaptcha (field "captcha") with the rule CaptchaWrong, CaptchaEarly or
// CaptchaOver: another one has to be asked for then. CodeWait after too many.
func (s *Captchas) Solve(ctx context.Context, actor Actor, id, answer string) (pass string, err error) {
	typing := addressGuard(guardTyping, actor.Remote)
	release, err := s.enter(ctx, typing)
	if err != nil {
		return "", s.refused(ctx, actor, ActCaptcha, "", err)
	}
	defer release()
	now := s.clock.Now()
	h, ok := s.captchas.take(id, actor.peer(), now)
	rule := ""
	switch {
	case !ok:
		rule = CaptchaOver
	case now.Sub(h.at) < CaptchaSoon:
		rule = CaptchaEarly
	case !secret.Equal(captcha.Normalize(answer), h.want):
		rule = CaptchaWrong
	}
	if rule != "" {
		return "", s.count(ctx, actor, ActCaptcha, "", typing, &Error{Code: CodeCaptcha, Field: "captcha", Rule: rule}, nil)
	}
	pass = secret.Token(s.random)
	s.passes.put(pass, heldCaptcha{of: actor.peer(), at: now})
	return pass, nil
}

// human runs try for whoever has solved a captcha, where asks says that one is asked:
// else CodeCaptcha, without a field, and nothing was judged. The pass is used up,
// unless what try refuses tells nobody anything.
func (b *base) human(ctx context.Context, actor Actor, asks func(*txn) (bool, error), try func() error) error {
	var asked bool
	if err := b.read(ctx, Actor{}, func(t *txn) (err error) {
		asked, err = asks(t)
		return err
	}); err != nil {
		return err
	}
	if !asked {
		return try()
	}
	h, ok := b.passes.take(actor.Pass, actor.peer(), b.clock.Now())
	if !ok {
		return refuse(CodeCaptcha)
	}
	err := try()
	if err != nil && !CodeOf(err).tells() {
		b.passes.put(actor.Pass, h)
	}
	return err
}

// atSignIn says whether a captcha is asked before a guess that counts under keys.
func atSignIn(keys []guardKey) func(*txn) (bool, error) {
	return func(t *txn) (bool, error) {
		if when := t.policy.Captcha.SignIn; !t.site.SetUp() || when != CaptchaAfterFailures {
			return t.site.SetUp() && when == CaptchaAlways, nil
		}
		for _, k := range keys {
			r, err := t.guard(k)
			if err != nil {
				return false, err
			}
			if r.Failures >= (t.policy.Lockout.limit(k)+1)/2 {
				return true, nil
			}
		}
		return false, nil
	}
}

// atSignUp says whether a captcha is asked before a sign-up. Where nobody can sign
// up, that is said at once.
func atSignUp(t *txn) (bool, error) {
	return t.site.SetUp() && t.policy.Captcha.SignUp == CaptchaAlways && t.policy.SignUp.Mode != SignUpClosed, nil
}
