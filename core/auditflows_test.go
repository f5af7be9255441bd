package core_test

import (
	"io"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
)

// auditFlows are the acts of the trail itself, for the tests in which the store
// fails at any call and in which an act runs twice.
func auditFlows() []flow {
	return []flow{
		{name: "export the trail", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				// Of an act that the failures do not add to: else each would find more to read.
				_, err := p.Audit.Export(ctx, p.Owner, core.AuditQuery{Action: core.ActSetUp}, core.AuditCSV, io.Discard, nil)
				return err
			}
		}},
		{name: "export the trail, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignUp("noor")
			return func() error {
				n, err := p.Audit.Export(ctx, me, core.AuditQuery{}, core.AuditCSV, io.Discard, nil)
				if n > 0 {
					return nil
				}
				return err
			}
		}},
		{name: "adopt a former key, not allowed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			must(p.Audit.SealNow(ctx))(t)
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.Forger{Tx: tx, By: another(t)}.Head() }))
			return func() error {
				_, err := p.Audit.Adopt(ctx, p.Owner, another(t).Fingerprint())
				return err
			}
		}},
		{name: "search the trail, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignUp("noor")
			return func() error {
				page, err := p.Audit.Search(ctx, me, core.AuditQuery{})
				if len(page.Entries) > 0 {
					return nil
				}
				return err
			}
		}},
	}
}
