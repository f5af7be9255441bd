// The impact of a change where apps and roles ask for a factor too.

package core_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// Whoever an app asks for a factor already is not asked anew by the portal, and is
// asked anew by the app when the factor counts no more.
func TestTheImpactWhereAnAppDemandsAFactor(t *testing.T) {
	p, _, noor, _ := withArchive(t, "factors.enforce", "everybody")
	share(t, p, p.Owner, "noor", "reader", time.Time{})
	touches(t, "asked", impact(t, p, p.Owner, "factors.enforce=everybody").Asked, 1, "lin")
	got := impact(t, p, p.Owner, "factors.days=0")
	if touches(t, "asked at once", got.Asked, 0); got.Sooner != 2 || !got.AskBy.Equal(p.Clock.Now()) || got.Quiet() {
		t.Errorf("sooner are %d by %v, want 2 now", got.Sooner, got.AskBy)
	}
	core.GiveFactor(t, p.Portal, noor.Account, core.FactorApp, core.Fresh)
	got = impact(t, p, p.Owner, "factors.app=off")
	touches(t, "losing", got.Losing, 1, "noor")
	touches(t, "asked anew", got.Asked, 1, "noor")
	touches(t, "without a way yet", got.NoWay, 1, "noor") // only a key can be linked
	if by := p.Clock.Now().Add(7 * day); !got.AskBy.Equal(by) {
		t.Errorf("asked by %v, want %v", got.AskBy, by)
	}
	p.Clock.Advance(10 * day)
	if got = impact(t, p, coretest.Console(), "factors.days=0"); got.Sooner != 0 {
		t.Errorf("%d must have one sooner than at once", got.Sooner)
	}
}

// Where the time is over for all who were there, it still runs for who came since.
func TestNewcomersMustHaveOneSooner(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	p.SignUp("mara")
	p.Set("factors.enforce", "everybody", "factors.days", "7")
	p.Clock.Advance(10 * day)
	p.SignUp("noor")
	if got := impact(t, p, coretest.Console(), "factors.days=1"); got.Sooner != 1 || got.Asked.Count != 0 {
		t.Errorf("sooner are %d, want noor", got.Sooner)
	}
}

// Whatever people hold and whatever changes: the impact counts as if everybody had
// been asked, one by one, what is demanded of them before and after.
func TestAnImpactIsWhatAskingEverybodyComesTo(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	counted := 0
	for range 60 {
		p := coretest.Open(t)
		ok(t, core.RandomPortal(ctx, p.Portal, r))
		for range 20 {
			change := randomFactorChange(r)
			want, err := core.CountOneByOne(ctx, p.Portal, coretest.Console(), change)
			if core.CodeOf(err) == core.CodeNoMethod {
				continue
			}
			ok(t, err)
			for _, few := range []core.FewRead{core.ReadAll, core.ReadNone} {
				i := must(core.ImpactBy(ctx, p.Portal, coretest.Console(), change, few))(t)
				if got := (core.FactorImpact{Asked: i.Asked.Count, Sooner: i.Sooner, Losing: i.Losing.Count}); got != want {
					t.Fatalf("%v, %d read one by one, under %+v: it says %+v, want %+v", change, few, must(p.Policy.Current(ctx, coretest.Console()))(t).Factors, got, want)
				}
				if len(i.Asked.Names) != min(i.Asked.Count, core.MaxNames) || len(slices.Compact(slices.Sorted(slices.Values(i.Asked.Names)))) != len(i.Asked.Names) {
					t.Fatalf("%v: of %d asked it names %v", change, i.Asked.Count, i.Asked.Names)
				}
			}
			if want != (core.FactorImpact{}) {
				counted++
			}
		}
	}
	if counted < 100 {
		t.Errorf("only %d changes touched somebody", counted)
	}
}

func randomFactorChange(r *rand.Rand) map[string]string {
	m := map[string]string{}
	for _, s := range []struct {
		path string
		to   []string
	}{
		{"factors.enforce", []string{"nobody", "admins", "everybody"}}, {"factors.days", []string{"0", "3", fmt.Sprint(r.IntN(25))}},
		{"factors.app", []string{"on", "off"}}, {"factors.email", []string{"on", "off"}},
		{"factors.key", []string{"on", "off"}}, {"factors.key_stands", []string{"nothing", "factor", "password"}},
	} {
		if r.IntN(3) == 0 {
			m[s.path] = s.to[r.IntN(len(s.to))]
		}
	}
	return m
}
