// Verbs about scripts that decide about delete requests, and about their runs.

package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/script"
	"postern/core/text"
	"postern/screens"
)

func (v verbSet) analysis() *cobra.Command {
	return v.group("analysis", "analysis", v.analysisList(), v.analysisShow(), v.analysisSave(), v.analysisCheck(), v.analysisRetire(),
		v.analysisDryRun(), v.analysisRuns(), v.analysisRun(), v.analysisResolve(), v.analysisRepost())
}

// scriptsShape is the list of scripts, without their sources.
type scriptsShape struct {
	Scripts []core.Script `json:"scripts"`
}

func (v verbSet) analysisList() *cobra.Command {
	return v.verb("list", "analysis_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		list, err := c.Portal.Analysis.List(ctx, c.Actor)
		if err != nil {
			return err
		}
		if list == nil {
			list = []core.Script{}
		}
		return c.answer(scriptsShape{list}, func(p *page) {
			rows := make([][]string, len(list))
			for i, s := range list {
				state := ""
				switch {
				case s.InUse:
					state = c.Dict.T("analysis.in_use")
				case !s.Retired.IsZero():
					state = c.Dict.T("analysis.retired")
				}
				rows[i] = []string{s.Name, plainNumber(s.Version), c.when(s.Saved), or(text.Escape(s.ByName)), or(state)}
			}
			if len(rows) == 0 {
				p.line(c.Dict.T("analysis.none"))
			} else {
				p.table(c.titles("script", "version", "at", "who", "state"), rows)
			}
		})
	})
}

func (v verbSet) analysisShow() *cobra.Command {
	var version int
	cmd := v.verb("show NAME", "analysis_show", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		s, err := c.Portal.Analysis.Get(ctx, c.Actor, args[0], version)
		if err != nil {
			return err
		}
		return c.answer(s, func(p *page) { p.line(strings.TrimSuffix(escapedLines(s.Source), "\n")) })
	})
	cmd.Flags().IntVar(&version, "version", 0, v.flag("analysis_version"))
	return cmd
}

// escapedLines makes text of several lines harmless.
func escapedLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = text.Escape(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// withFile lets a verb take a text from --file, which is read by whoever typed it.
func (v verbSet) withFile(cmd *cobra.Command, file *string) *cobra.Command {
	given := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *file != "" {
			written, err := v.written(*file)
			if err != nil {
				return err
			}
			if strings.ContainsRune(written, '\uFFFD') {
				return &core.Error{Code: core.CodeEncoding, Field: "source"}
			}
			args = append(args[:min(len(args), 1)], pieces(written)...)
			if err := cmd.Flags().Set("file", ""); err != nil {
				return err
			}
		}
		return given(cmd, args)
	}
	cmd.Flags().StringVar(file, "file", "", v.flag("analysis_file"))
	return cmd
}

func (v verbSet) analysisSave() *cobra.Command {
	var file, why string
	var from int
	cmd := v.verb("save NAME", "analysis_save", 1, -1, func(ctx context.Context, c *Call, args []string) error {
		s, err := c.Portal.Analysis.Save(ctx, c.Actor, core.ScriptInput{Name: args[0], Source: strings.Join(args[1:], ""), Reason: why, From: from})
		if err != nil {
			return err
		}
		return c.answer(s, func(p *page) { p.line(screens.ScriptSavedText(c.Dict, s)) })
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	cmd.Flags().IntVar(&from, "if-version", 0, v.flag("if_version"))
	return v.withFile(cmd, &file)
}

// problemsShape is what is wrong with a script.
type problemsShape struct {
	OK       bool             `json:"ok"`
	Problems []script.Problem `json:"problems"`
}

func (v verbSet) analysisCheck() *cobra.Command {
	var file string
	cmd := v.verb("check", "analysis_check", 0, -1, func(_ context.Context, c *Call, args []string) error {
		found := script.Check(script.Normal(strings.Join(args, "")))
		shape := problemsShape{OK: len(found) == 0, Problems: append([]script.Problem{}, found...)}
		err := c.answer(shape, func(p *page) {
			for _, x := range found {
				p.line(text.Escape(x.String()))
			}
			if shape.OK {
				p.line(c.Dict.T("done.analysis_check"))
			}
		})
		if err == nil && !shape.OK {
			return errSaid
		}
		return err
	})
	return v.withFile(cmd, &file)
}

func (v verbSet) analysisRetire() *cobra.Command {
	return v.verb("retire NAME", "analysis_retire", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Analysis.Retire(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "analysis retire", ID: args[0]}, func(p *page) {
			p.line(c.Dict.T("done.analysis_retire", "Name", text.Escape(args[0])))
		})
	})
}

func (v verbSet) analysisDryRun() *cobra.Command {
	var user string
	var version int
	cmd := v.verb("dry-run NAME", "analysis_dry_run", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		r, err := c.Portal.Analysis.DryRun(ctx, c.Actor, core.DryInput{Name: args[0], Version: version, User: user})
		if err != nil {
			return err
		}
		return c.answerRun(core.RunDetail{Run: r})
	})
	cmd.Flags().StringVar(&user, "user", "", v.flag("analysis_user"))
	cmd.Flags().IntVar(&version, "version", 0, v.flag("analysis_version"))
	return cmd
}

// answerRun says what a run has come to.
func (c *Call) answerRun(d core.RunDetail) error {
	return c.answer(d, func(p *page) {
		t := c.titles("ident", "script", "user", "at", "state", "outcome", "reason", "problem")
		p.facts(t[0], d.ID, t[1], d.Script+" "+plainNumber(d.Version), t[2], or(text.Escape(d.User)), t[3], c.when(d.Began),
			t[4], c.Dict.T("analysis.state."+string(d.State)), t[5], c.runOutcome(d.Run), t[6], text.Escape(d.Reason), t[7], text.Escape(d.Detail))
		for _, e := range d.Effects {
			p.line(c.Dict.T("analysis.effect."+string(e.Kind), "To", text.Escape(e.To+e.URL), "Text", text.Escape(e.Text+e.Body)))
		}
		for _, x := range d.Posts {
			p.line(c.Dict.T("analysis.post", "ID", x.ID, "URL", text.Escape(x.URL), "State", c.Dict.T("analysis.post_state."+string(x.State))))
		}
		if d.Log != "" {
			p.line("")
			p.line(strings.TrimSuffix(escapedLines(d.Log), "\n"))
		}
	})
}

// runOutcome says what a run has decided, or how it ended.
func (c *Call) runOutcome(r core.Run) string {
	switch {
	case r.State != core.RunDone:
		return "-"
	case r.Outcome != script.Decided && r.Resolved.IsZero():
		return c.Dict.T("analysis.outcome." + string(r.Outcome))
	}
	return c.Dict.T("analysis.verdict." + string(r.Verdict))
}

// runsShape is a page of runs, newest first; Next is for --after.
type runsShape struct {
	Runs []core.Run `json:"runs"`
	Next string     `json:"next,omitempty"`
}

func (v verbSet) analysisRuns() *cobra.Command {
	var unknown bool
	var pg paging
	cmd := v.verb("runs", "analysis_runs", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		state := core.RunState("")
		if unknown {
			state = core.RunUnknown
		}
		list, err := c.Portal.Analysis.Runs(ctx, c.Actor, state, pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := runsShape{Runs: append([]core.Run{}, list.Runs...), Next: list.Next}
		return c.answer(shape, func(p *page) {
			rows := make([][]string, len(list.Runs))
			for i, r := range list.Runs {
				rows[i] = []string{r.ID, r.Script + " " + plainNumber(r.Version), or(text.Escape(r.User)), c.when(r.Began),
					c.Dict.T("analysis.state." + string(r.State)), c.runOutcome(r)}
			}
			if len(rows) == 0 {
				p.line(c.Dict.T("analysis.no_runs"))
			} else {
				p.table(c.titles("ident", "script", "user", "at", "state", "outcome"), rows)
			}
			c.more(p, list.Next)
		})
	})
	cmd.Flags().BoolVar(&unknown, "unknown", false, v.flag("analysis_unknown"))
	return v.paged(cmd, &pg)
}

func (v verbSet) analysisRun() *cobra.Command {
	return v.verb("run ID", "analysis_run", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		d, err := c.Portal.Analysis.Show(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answerRun(d)
	})
}

func (v verbSet) analysisResolve() *cobra.Command {
	var why, typed string
	cmd := v.verb("resolve ID VERDICT", "analysis_resolve", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		r, err := c.Portal.Analysis.Resolve(ctx, c.Actor, args[0], script.Verdict(args[1]), why, typed)
		if err != nil {
			return err
		}
		return c.answerRun(core.RunDetail{Run: r})
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	cmd.Flags().StringVar(&typed, "confirm", "", v.flag("request_approve_confirm"))
	return cmd
}

func (v verbSet) analysisRepost() *cobra.Command {
	return v.verb("repost POST", "analysis_repost", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Analysis.Repost(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "analysis repost", ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.analysis_repost")) })
	})
}
