// Verbs about what proves who somebody is beside the password: linked SSH keys,
// second factors, recovery codes.

package cmd

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) keys() *cobra.Command {
	return v.group("key", "key", v.keyList(), v.keyAdd(), v.keySetEnd(), v.keyRemove())
}

func (v verbSet) keyList() *cobra.Command {
	return v.verb("list [USER]", "key_list", 0, 1, func(ctx context.Context, c *Call, args []string) error {
		var list []core.LinkedKey
		user := first(args)
		err := c.whose(user)
		if err == nil && user == "" {
			list, err = c.Portal.Keys.Mine(ctx, c.Actor)
		} else if err == nil {
			var d core.AccountDetail
			d, err = c.Portal.Accounts.Show(ctx, c.Actor, user)
			list = d.Keys
		}
		if err != nil {
			return err
		}
		return c.answer(keysShape{Keys: shapeKeys(list)}, func(p *page) {
			if len(list) == 0 {
				p.line(c.Dict.T("cmd.no_keys"))
				return
			}
			rows := make([][]string, len(list))
			for i, k := range list {
				kind := or(k.Type())
				if k.Hardware() {
					kind += " · " + c.Dict.T("cmd.hardware")
				}
				rows[i] = []string{k.Fingerprint, or(k.Label), kind, c.when(k.Created), c.when(k.LastUsed), c.keyEnd(k)}
			}
			p.table(c.titles("fingerprint", "label", "type", "created", "last_used", "until"), rows)
		})
	})
}

// keyEnd says until when a key counts.
func (c *Call) keyEnd(k core.LinkedKey) string {
	if !k.Ended.IsZero() {
		return c.when(k.Until) + " · " + c.Dict.T("cmd.key_ended")
	}
	return c.end(k.Until)
}

// first returns the only argument of a verb that may have one.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// keyAdd reads the key before the verb is sent to whoever holds the data: that
// process has an input of its own.
func (v verbSet) keyAdd() *cobra.Command {
	var user, label, until string
	cmd := v.verb("add [KEY]...", "key_add", 0, -1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.whose(user); err != nil {
			return err
		}
		end, err := core.ParseEnd(until, c.Dict.Zone())
		if err != nil {
			return err
		}
		var added core.LinkedKey
		keys := c.Portal.Keys.Until(end)
		if pasted := strings.Join(args, " "); user == "" {
			added, err = keys.Add(ctx, c.Actor, pasted, label)
		} else {
			added, err = keys.AddTo(ctx, c.Actor, user, pasted, label)
		}
		if err != nil {
			return err
		}
		return c.answer(shapeKey(added), func(p *page) {
			if added.Until.IsZero() {
				p.line(c.Dict.T("done.key_add", "Key", added.Fingerprint))
			} else {
				p.line(c.Dict.T("done.key_add_until", "Key", added.Fingerprint, "Until", c.when(added.Until)))
			}
		})
	})
	given := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || len(args) == 1 && args[0] == "-" {
			key, err := v.piped(len(args) == 0)
			if err != nil {
				return err
			}
			args = []string{key}
		}
		return given(cmd, args)
	}
	cmd.Flags().StringVar(&user, "user", "", v.flag("key_user"))
	cmd.Flags().StringVar(&label, "label", "", v.flag("label"))
	cmd.Flags().StringVar(&until, "until", "", v.flag("key_until"))
	return cmd
}

func (v verbSet) keySetEnd() *cobra.Command {
	var user string
	cmd := v.verb("set-end FINGERPRINT WHEN", "key_set_end", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		if err := c.whose(user); err != nil {
			return err
		}
		end, err := core.ParseEnd(args[1], c.Dict.Zone())
		if err != nil {
			return err
		}
		var k core.LinkedKey
		if user == "" {
			k, err = c.Portal.Keys.SetEnd(ctx, c.Actor, args[0], end)
		} else {
			k, err = c.Portal.Keys.SetEndOf(ctx, c.Actor, user, args[0], end)
		}
		if err != nil {
			return err
		}
		return c.answer(shapeKey(k), func(p *page) {
			p.line(c.Dict.T("done.key_set_end", "Key", k.Fingerprint, "Until", c.end(k.Until)))
		})
	})
	cmd.Flags().StringVar(&user, "user", "", v.flag("key_user"))
	return cmd
}

// maxPipedKey bounds a key that is piped in, in bytes.
const maxPipedKey = 8 << 10

// piped reads a key from the standard input. Whoever did not ask for that and
// has a terminal would wait for nothing.
func (v verbSet) piped(unasked bool) (string, error) {
	f, isFile := v.in.(*os.File)
	if v.in == nil || unasked && isFile && term.IsTerminal(int(f.Fd())) {
		f := fail("which_key")
		f.exit, f.code = exitUsage, "usage"
		return "", f
	}
	b, err := io.ReadAll(io.LimitReader(v.in, maxPipedKey+1))
	if err != nil {
		return "", fail("piped").because(err)
	}
	if len(b) > maxPipedKey {
		return "", &core.Error{Code: core.CodeTooLong, Field: "key", N: maxPipedKey}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

func (v verbSet) keyRemove() *cobra.Command {
	var user string
	var yes bool
	cmd := v.verb("remove FINGERPRINT", "key_remove", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		err := c.whose(user)
		if err == nil && user == "" {
			err = c.Portal.Keys.Remove(ctx, c.Actor, args[0], yes)
		} else if err == nil {
			err = c.Portal.Keys.RemoveOf(ctx, c.Actor, user, args[0])
		}
		if err != nil {
			return err
		}
		return c.answer(doneShape{Done: "key remove", User: user, ID: args[0]}, func(p *page) {
			p.line(c.Dict.T("done.key_remove", "Key", text.Escape(args[0])))
		})
	})
	cmd.Flags().StringVar(&user, "user", "", v.flag("key_user"))
	cmd.Flags().BoolVar(&yes, "yes", false, v.flag("key_yes"))
	return cmd
}

func (v verbSet) factors() *cobra.Command {
	return v.group("factor", "factor", v.factorList(), v.factorRemove(), v.factorCodes())
}

func (v verbSet) factorList() *cobra.Command {
	return v.verb("list [USER]", "factor_list", 0, 1, func(ctx context.Context, c *Call, args []string) error {
		var guard core.Protection
		user := first(args)
		err := c.whose(user)
		if err == nil && user == "" {
			guard, err = c.Portal.Factors.Mine(ctx, c.Actor)
		} else if err == nil {
			guard, err = c.Portal.Factors.Of(ctx, c.Actor, user)
		}
		if err != nil {
			return err
		}
		return c.answer(factorsShape{shapeProtection(guard), shapeFactors(guard.Factors)}, func(p *page) {
			if len(guard.Factors) > 0 {
				rows := make([][]string, len(guard.Factors))
				for i, f := range guard.Factors {
					rows[i] = []string{f.ID, c.Dict.T("factor." + string(f.Kind)), or(f.Label), or(f.Address), c.when(f.Created), c.when(f.LastUsed), c.remarks(f)}
				}
				p.table(c.titles("ident", "method", "label", "address", "created", "last_used", "note"), rows)
				p.line("")
			}
			t := c.titles("second_factor", "recovery_codes")
			p.facts(t[0], c.protection(guard), t[1], c.recovery(guard.Recovery))
		})
	})
}

// remarks says what is special about a factor.
func (c *Call) remarks(f core.Factor) string {
	var said []string
	if f.Default {
		said = append(said, c.Dict.T("cmd.factor_first"))
	}
	if !f.Disabled.IsZero() {
		said = append(said, c.Dict.T("cmd.factor_off"))
	}
	return strings.Join(said, " · ")
}

func (v verbSet) factorRemove() *cobra.Command {
	var user string
	cmd := v.verb("remove ID", "factor_remove", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		err := c.whose(user)
		if err == nil && user == "" {
			err = c.Portal.Factors.Remove(ctx, c.Actor, args[0])
		} else if err == nil {
			err = c.Portal.Factors.RemoveOf(ctx, c.Actor, user, args[0])
		}
		if err != nil {
			return err
		}
		return c.answer(doneShape{Done: "factor remove", User: user, ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.factor_remove")) })
	})
	cmd.Flags().StringVar(&user, "user", "", v.flag("key_user"))
	return cmd
}

// factorCodes writes the recovery codes that stand on somebody's screen, for a
// file at the other end of `ssh host`.
func (v verbSet) factorCodes() *cobra.Command {
	return v.verb("codes SEED", "factor_codes", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if c.Actor.Console {
			f := fail("codes_whose")
			f.exit, f.code = exitUsage, "usage"
			return f
		}
		codes, err := c.Portal.Factors.FetchRecovery(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answer(recoveryShape{Codes: codes}, func(p *page) {
			for _, code := range codes {
				p.line(code)
			}
		})
	})
}

// counting are the kinds of factors that protect an account now, the strongest first.
func counting(p core.Protection) []core.FactorKind {
	var kinds []core.FactorKind
	live := slices.ContainsFunc(p.Keys, func(k core.LinkedKey) bool { return k.Ended.IsZero() })
	if live && p.Keyed == core.KeyStandsForFactor {
		kinds = append(kinds, core.FactorKey)
	}
	for _, k := range p.Methods {
		if slices.ContainsFunc(p.Factors, func(f core.Factor) bool { return f.Kind == k && f.Disabled.IsZero() }) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// protection says in a few words what protects an account beside its password.
func (c *Call) protection(p core.Protection) string {
	var kinds []string
	for _, k := range counting(p) {
		kinds = append(kinds, c.Dict.T("factor."+string(k)))
	}
	switch {
	case len(kinds) > 0:
		return strings.Join(kinds, ", ")
	case p.Must:
		return c.Dict.T("cmd.factor_demanded", "When", c.when(p.By))
	}
	return c.Dict.T("cmd.factor_none")
}

// factorList names somebody's factors.
func (c *Call) factorList(list []core.Factor) string {
	said := make([]string, len(list))
	for i, f := range list {
		said[i] = c.Dict.T("factor."+string(f.Kind)) + " " + or(f.Label)
		if !f.Disabled.IsZero() {
			said[i] += " · " + c.Dict.T("cmd.factor_off")
		}
	}
	return strings.Join(said, ", ")
}

// recovery says how many recovery codes are left, "" where none were ever made.
func (c *Call) recovery(r core.RecoveryState) string {
	if r.Made.IsZero() {
		return ""
	}
	return c.Dict.Number(int64(r.Left))
}

// email is an account's address and whether it was shown to be its person's.
func (c *Call) email(a core.Account) string {
	if a.Email == "" || !a.EmailConfirmed.IsZero() {
		return or(a.Email)
	}
	return or(a.Email) + " · " + c.Dict.T("cmd.unconfirmed")
}
