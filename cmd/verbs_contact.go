// Verbs about legal contacts and agreements.

package cmd

import (
	"context"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) contacts() *cobra.Command {
	return v.group("contact", "contact", v.contactList(), v.contactSet(), v.contactClear())
}

func (v verbSet) contactList() *cobra.Command {
	return v.verb("list", "contact_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		list, err := c.Portal.Contacts.List(ctx)
		if err != nil {
			return err
		}
		missing, err := c.Portal.Contacts.Missing(ctx)
		if err != nil {
			return err
		}
		shape := contactsShape{Contacts: make([]contactShape, len(list)), Missing: append([]core.ContactKind{}, missing...)}
		rows := make([][]string, len(list))
		for i, k := range list {
			shape.Contacts[i] = shapeContact(k)
			rows[i] = []string{string(k.Kind), c.contactKind(k.Kind), or(k.Name), or(k.Email), or(k.Phone), or(k.Address)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) > 0 {
				p.table(c.titles("ident", "contact_for", "display_name", "email", "phone", "address"), rows)
			}
			for _, k := range missing {
				p.line(c.Dict.T("cmd.contact_missing", "Kind", string(k), "Name", c.contactKind(k)))
			}
		})
	})
}

// contactKind says what a contact is for.
func (c *Call) contactKind(k core.ContactKind) string { return c.word("contact.kind.", string(k)) }

// contactSet changes what is named of a contact; the rest stays.
func (v verbSet) contactSet() *cobra.Command {
	return v.verb("set KIND NAME=VALUE...", "contact_set", 2, -1, func(ctx context.Context, c *Call, args []string) error {
		values, err := assignments(args[1:])
		if err != nil {
			return err
		}
		kind := core.ContactKind(args[0])
		list, err := c.Portal.Contacts.List(ctx)
		if err != nil {
			return err
		}
		var in core.Contact
		if i := slices.IndexFunc(list, func(k core.Contact) bool { return k.Kind == kind }); i >= 0 {
			in = list[i]
		}
		fields := map[string]*string{"name": &in.Name, "email": &in.Email, "phone": &in.Phone, "address": &in.Address}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if fields[name] == nil {
				return usage(name + " (name, email, phone, address)")
			}
			*fields[name] = values[name]
		}
		set, err := c.Portal.Contacts.Set(ctx, c.Actor, kind, in)
		if err != nil {
			return err
		}
		return c.answer(shapeContact(set), func(p *page) {
			p.line(c.Dict.T("done.contact_set", "Kind", c.contactKind(kind), "Name", text.Escape(set.Name)))
		})
	})
}

func (v verbSet) contactClear() *cobra.Command {
	return v.verb("clear KIND", "contact_clear", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Contacts.Clear(ctx, c.Actor, core.ContactKind(args[0])); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "contact clear", ID: args[0]}, func(p *page) {
			p.line(c.Dict.T("done.contact_clear", "Kind", c.contactKind(core.ContactKind(args[0]))))
		})
	})
}

func (v verbSet) agreements() *cobra.Command {
	return v.group("agreement", "agreement", v.agreementList(), v.agreementPublish(), v.agreementWithdraw(), v.agreementMine(), v.agreementAccepted())
}

func (v verbSet) agreementList() *cobra.Command {
	var pg paging
	cmd := v.verb("list", "agreement_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		list, next, err := c.Portal.Agreements.List(ctx, c.Actor, pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := agreementsShape{Agreements: make([]agreementShape, len(list)), Next: next}
		rows := make([][]string, len(list))
		for i, a := range list {
			shape.Agreements[i] = shapeAgreement(a)
			rows[i] = []string{a.ID, or(a.Name), plainNumber(a.Version), c.inForce(a), c.Dict.Number(int64(a.Accepted)), c.when(a.Published), or(a.Link)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_agreements"))
			} else {
				p.table(c.titles("ident", "display_name", "version", "state", "accepted", "published", "link"), rows)
			}
			c.more(p, next)
		})
	})
	return v.paged(cmd, &pg)
}

// inForce says where an agreement stands.
func (c *Call) inForce(a core.AgreementStatus) string {
	switch {
	case !a.Withdrawn.IsZero():
		return c.Dict.T("agreements.is_withdrawn")
	case a.Mandatory:
		return c.Dict.T("agreements.mandatory")
	}
	return c.Dict.T("agreements.optional")
}

// agreementPublish reads the text before the verb is sent to whoever holds the
// data: that process has files and an input of its own. The text then travels as
// arguments, in pieces that fit.
func (v verbSet) agreementPublish() *cobra.Command {
	var name, link, file string
	var optional bool
	cmd := v.verb("publish", "agreement_publish", 0, -1, func(ctx context.Context, c *Call, args []string) error {
		a, err := c.Portal.Agreements.Publish(ctx, c.Actor, core.AgreementInput{
			Name: name, Link: link, Text: strings.Join(args, ""), Mandatory: !optional,
		})
		if err != nil {
			return err
		}
		return c.answer(shapeAgreement(core.AgreementStatus{Agreement: a}), func(p *page) {
			p.line(a.ID)
			p.line(c.Dict.T("done.agreement_publish", "Name", text.Escape(a.Name), "Version", a.Version))
		})
	})
	given := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file != "" && len(args) == 0 {
			written, err := v.written(file)
			if err != nil {
				return err
			}
			args = pieces(written)
		}
		return given(cmd, args)
	}
	cmd.Flags().StringVar(&name, "name", "", v.flag("agreement_name"))
	cmd.Flags().StringVar(&link, "link", "", v.flag("agreement_link"))
	cmd.Flags().StringVar(&file, "text", "", v.flag("agreement_text"))
	cmd.Flags().BoolVar(&optional, "optional", false, v.flag("agreement_optional"))
	return cmd
}

// written reads a text from a file of this machine or, with "-", from what was
// piped in. Whoever comes from afar has only the latter: no file here is theirs.
func (v verbSet) written(file string) (string, error) {
	in := v.in
	if file != "-" {
		if v.far {
			return "", usage("--text " + file + " (-)")
		}
		f, err := os.Open(file)
		if err != nil {
			return "", fail("piped").because(err)
		}
		defer f.Close()
		in = f
	}
	if in == nil {
		return "", usage("--text " + file)
	}
	b, err := io.ReadAll(io.LimitReader(in, core.MaxAgreementText+1))
	if err != nil {
		return "", fail("piped").because(err)
	}
	if len(b) > core.MaxAgreementText {
		return "", &core.Error{Code: core.CodeTooLong, Field: "text", N: core.MaxAgreementText}
	}
	written := strings.ToValidUTF8(string(b), "\uFFFD")
	if strings.ContainsFunc(written, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t\f", r) }) {
		return "", &core.Error{Code: core.CodeCharacter, Field: "text"}
	}
	return written, nil
}

// pieceSize bounds an argument that is a part of a text, well below what a request
// takes.
const pieceSize = 4 << 10

// pieces cuts a text between characters. There is at least one.
func pieces(s string) []string {
	var out []string
	for len(s) > pieceSize {
		at := pieceSize
		for at > 0 && s[at]&0xC0 == 0x80 { // within a character
			at--
		}
		out, s = append(out, s[:at]), s[at:]
	}
	return append(out, s)
}

func (v verbSet) agreementWithdraw() *cobra.Command {
	return v.verb("withdraw ID", "agreement_withdraw", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Agreements.Withdraw(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "agreement withdraw", ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.agreement_withdraw")) })
	})
}

func (v verbSet) agreementMine() *cobra.Command {
	return v.verb("mine", "agreement_mine", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		list, err := c.Portal.Agreements.Mine(ctx, c.Actor)
		if err != nil {
			return err
		}
		shape := acceptancesShape{Answers: make([]acceptanceShape, len(list))}
		rows := make([][]string, len(list))
		for i, a := range list {
			shape.Answers[i] = acceptanceShape{
				Agreement: a.Agreement, Version: a.Version, Name: a.Name, Accepted: !a.Refused, At: a.At, Door: a.Door, Remote: a.Remote, Client: a.Client,
			}
			said := "cmd.agreed"
			if a.Refused {
				said = "cmd.not_agreed"
			}
			rows[i] = []string{or(a.Name), plainNumber(a.Version), c.Dict.T(said), c.when(a.At), c.Dict.T("door." + string(a.Door)), or(a.Remote), or(a.Client)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_answers"))
				return
			}
			p.table(c.titles("display_name", "version", "state", "at", "door", "remote", "client"), rows)
		})
	})
}

func (v verbSet) agreementAccepted() *cobra.Command {
	return v.verb("accepted ID", "agreement_accepted", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		a, err := c.Portal.Agreements.Status(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answer(shapeAgreement(a), func(p *page) {
			p.line(c.Dict.T("done.agreement_accepted", "Name", text.Escape(a.Name), "Version", a.Version, "Count", a.Accepted))
		})
	})
}
