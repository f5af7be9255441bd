package core_test

import (
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// officer is a data protection officer.
func officer() core.Contact {
	return core.Contact{Name: "Dr Ines Prata", Email: "dpo@lanterns.example", Phone: "+44 20 7946 0018 x12", Address: "1 Harbour Road, Lisbon"}
}

func TestContactsAreForEverybody(t *testing.T) {
	p := coretest.New(t)
	if list := must(p.Contacts.List(ctx))(t); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	p.SetUp("lin")
	if missing := must(p.Contacts.Missing(ctx))(t); !slices.Equal(missing, core.ContactKinds()) {
		t.Errorf("missing are %v", missing)
	}
	set := must(p.Contacts.Set(ctx, p.Owner, core.ContactSecurity, core.Contact{Name: " Night  watch ", Address: "https://lanterns.example/security"}))(t)
	must(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, officer()))(t)
	list := must(p.Contacts.List(ctx))(t)
	if len(list) != 2 || list[0].Kind != core.ContactDPO || list[0].Phone != officer().Phone || list[1] != set || set.Changed.IsZero() {
		t.Fatalf("%+v", list)
	}
	if site := must(p.Site.State(ctx))(t); site.Contacts != 2 {
		t.Errorf("a stranger sees %d contacts", site.Contacts)
	}
	check := must(p.Accounts.CheckUp(ctx, p.Owner))(t)
	if missing := must(p.Contacts.Missing(ctx))(t); !slices.Equal(missing, []core.ContactKind{core.ContactEEA}) || check.ContactsMissing != 1 || !check.Legal {
		t.Errorf("missing are %v, %+v", missing, check)
	}
}

func TestChangesOfContactsAreInTheTrail(t *testing.T) {
	p := coretest.Open(t)
	must(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, officer()))(t)
	next := officer()
	next.Name, next.Phone = "Rui Mota", ""
	must(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, next))(t)
	e := find(t, p, core.ActContactSet)
	if e.Target != "dpo" || e.Before["name"] != "Dr Ines Prata" || e.After["name"] != "Rui Mota" || e.Before["phone"] == "" || e.After["email"] != "" {
		t.Errorf("%+v", e)
	}
	ok(t, p.Contacts.Clear(ctx, p.Owner, core.ContactDPO))
	if e := find(t, p, core.ActContactClear); e.Target != "dpo" || e.Before["name"] != "Rui Mota" {
		t.Errorf("%+v", e)
	}
	refused(t, p.Contacts.Clear(ctx, p.Owner, core.ContactDPO), core.CodeNotFound, "kind")
	sound(t, p)
}

func TestAContactIsSomebodyWhoCanBeReached(t *testing.T) {
	p := coretest.Open(t)
	refused(t, only(p.Contacts.Set(ctx, p.Owner, "cook", officer())), core.CodeNotFound, "kind")
	for _, c := range []struct {
		in    core.Contact
		code  core.Code
		field string
	}{
		{core.Contact{Email: "a@b.example"}, core.CodeRequired, "name"},
		{core.Contact{Name: "Ines"}, core.CodeRequired, "email"},
		{core.Contact{Name: "Ines", Email: "nobody"}, core.CodeFormat, "email"},
		{core.Contact{Name: "Ines", Phone: "call me"}, core.CodeFormat, "phone"},
		{core.Contact{Name: "Ines", Phone: strings.Repeat("1", 33)}, core.CodeTooLong, "phone"},
		{core.Contact{Name: "Ines", Address: strings.Repeat("x", 201)}, core.CodeTooLong, "address"},
		{core.Contact{Name: "Ines\x1b[2J", Address: "x"}, core.CodeCharacter, "name"},
		{core.Contact{Name: "Ines\xff", Address: "x"}, core.CodeEncoding, "name"},
	} {
		refused(t, only(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, c.in)), c.code, c.field)
	}
	if list := must(p.Contacts.List(ctx))(t); len(list) != 0 {
		t.Errorf("what was refused is there: %+v", list)
	}
}
