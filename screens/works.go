// The works: verifying the trail, and what retention lets go.

package screens

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// newVerify verifies the chain over the trail, also against a head that was noted;
// noted is "" where there is none.
func newVerify(env *Env, noted string) tui.Screen {
	audit, actor, d := env.Portal.Audit, env.Actor(), env.Dict
	return newWork(env, workSpec{title: "chain.title", doing: "chain.doing", why: "audit.why_step_up",
		do: func(ctx context.Context, progress func(int, int)) (workResult, error) {
			r, err := audit.Verify(ctx, actor, noted, progress)
			return workResult{good: r.Found == 0, lines: VerifyText(d, r), copy: r.Head}, err
		},
		keys: func(workResult) []workKey {
			return []workKey{{"n", "chain.key_noted", func() tea.Cmd { return tui.Replace(newVerifyAsk(env, noted)) }}}
		}})
}

// VerifyText says what verifying has found, a line each.
func VerifyText(d *tui.Dict, r core.VerifyReport) []string {
	var out, foreign []string
	if r.Found == 0 {
		out = append(out, d.T("chain.holds"))
	}
	for _, f := range r.Findings {
		out = append(out, d.T("chain.finding."+string(f.Kind), "Entry", text.Escape(f.Entry), "Block", d.Number(int64(f.Block)), "Key", text.Escape(f.Key)))
		if f.Key != "" && !slices.Contains(foreign, f.Key) {
			foreign = append(foreign, f.Key)
		}
	}
	if n := r.Found - len(r.Findings); n > 0 {
		out = append(out, d.T("chain.more", "Count", n))
	}
	for _, key := range foreign {
		out = append(out, d.T("chain.adopt", "Key", text.Escape(key)))
	}
	out = append(out, d.T("chain.looked", "Count", r.Entries, "Blocks", r.Blocks))
	if r.Unsealed > 0 {
		out = append(out, d.T("chain.unsealed", "Count", r.Unsealed))
	}
	if r.Removed > 0 {
		out = append(out, d.T("chain.removed", "Count", r.Removed))
	}
	if r.Cut > 0 {
		out = append(out, d.T("chain.cut", "Count", int(r.Cut)))
	}
	if r.Signed {
		out = append(out, d.T("chain.signed", "Key", r.Fingerprint))
	} else {
		out = append(out, d.T("chain.not_signed"))
	}
	for _, k := range r.Former {
		out = append(out, d.T("chain.former", "Key", text.Escape(k.Fingerprint), "Block", d.Number(int64(k.Block)), "When", d.DateTime(k.At)))
	}
	if r.Noted != "" {
		out = append(out, d.T("chain.noted."+r.Noted))
	}
	if r.Head != "" {
		out = append(out, d.T("chain.head", "Head", r.Head))
	}
	return out
}

// NewRetention counts what would go, and lets it go; from it the holds are reached.
func NewRetention(env *Env) tui.Screen {
	retention, actor, d, theme, clock := env.Portal.Retention, env.Actor(), env.Dict, env.Theme, env.Clock
	return newWork(env, workSpec{title: "retention.title", doing: "retention.counting", why: "retention.why_proof",
		do: func(ctx context.Context, progress func(int, int)) (workResult, error) {
			n, err := retention.Preview(ctx, actor, progress)
			if err != nil {
				return workResult{}, err
			}
			holds, err := retention.Holds(ctx, actor, "", core.MaxPage)
			lines := append([]string{d.T("done.retention_preview")}, listed(theme, RetentionText(d, n))...)
			lines = append(lines, "", d.T("retention.by_itself"), "")
			if len(holds.Holds) == 0 {
				lines = append(lines, d.T("retention.no_holds"))
			} else {
				lines = append(lines, d.T("retention.held"))
			}
			for _, h := range holds.Holds {
				line := theme.Signs.Bullet + " " + text.Escape(h.UserName) + ": " + text.Escape(h.Reason)
				if !h.Until.IsZero() {
					line += " (" + d.Relative(h.Until, clock()) + ")"
				}
				lines = append(lines, line)
			}
			return workResult{good: true, lines: lines}, err
		},
		keys: func(workResult) []workKey {
			return []workKey{
				{"h", "retention.key_holds", func() tea.Cmd { return tui.Push(newHolds(env)) }},
				{"x", "retention.key_run", func() tea.Cmd { return askRetention(env) }},
			}
		}})
}

// listed makes a list of lines.
func listed(theme *tui.Theme, lines []string) []string {
	for i, l := range lines {
		lines[i] = theme.Signs.Bullet + " " + l
	}
	return lines
}

// askRetention asks whether what was counted is to go now.
func askRetention(env *Env) tea.Cmd {
	return tui.Push(tui.NewConfirm(env.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{Title: env.T("retention.ask_title"), Text: env.T("retention.ask_text"), Yes: env.T("retention.ask_yes"),
			Do: func() tea.Cmd { return func() tea.Msg { return tui.Confirmed{Result: newRetentionRun(env)} } }}
	}))
}

func newRetentionRun(env *Env) tui.Screen {
	retention, actor, d, theme := env.Portal.Retention, env.Actor(), env.Dict, env.Theme
	return newWork(env, workSpec{title: "retention.title", doing: "retention.running", why: "retention.why_proof",
		do: func(ctx context.Context, progress func(int, int)) (workResult, error) {
			n, err := retention.Run(ctx, actor, progress)
			return workResult{good: true, lines: append([]string{d.T("done.retention_run")}, listed(theme, RetentionText(d, n))...)}, err
		}})
}
