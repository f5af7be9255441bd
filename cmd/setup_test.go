package cmd

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"postern/core"
	"postern/core/password"
	"postern/store/bolt"
)

// goodPassword is one that the recommended policy accepts.
const goodPassword = "otter-brisk-lamp"

// settle sets up the portal in the directory of data as a first run at this
// terminal would: lin is its owner, ada a member with a linked key.
func settle(dir, keyLine, fingerprint string) (err error) {
	ctx := context.Background()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 0)
	if err != nil {
		return err
	}
	data, err := bolt.Open(ctx, bolt.Options{Dir: dir, Command: "test"})
	if err != nil {
		return err
	}
	defer data.Close()
	portal, err := core.New(ctx, core.Config{Store: data, Hasher: hasher, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return err
	}
	defer portal.Close()
	door := core.Actor{Door: core.DoorLocal, Client: "tty1 linux"}
	in, err := portal.Site.SetUp(ctx, door, core.SetUpInput{Portal: "Lab", Preset: "nist", Owner: core.SignUpInput{
		UserName: "lin", DisplayName: "Lin Åkerman", Email: "lin@lab.example", Password: goodPassword,
	}})
	if err != nil {
		return err
	}
	if _, err := portal.Policy.Set(ctx, door.With(in), core.PolicyChange{Values: map[string]string{
		"sign_up.mode": "open", "captcha.sign_in": "off", "captcha.sign_up": "off"}, Reason: "for the test"}); err != nil {
		return err
	}
	for _, name := range []string{"ada", "bob"} {
		peer := core.Actor{Door: core.DoorSSH, Remote: "203.0.113.9", Client: "OpenSSH_10.0"}
		if name == "ada" && keyLine != "" {
			peer.Key, peer.KeyLine = fingerprint, keyLine
		}
		made, err := portal.Accounts.SignUp(ctx, peer, core.SignUpInput{UserName: name, Password: goodPassword})
		if err != nil {
			return err
		}
		if peer.Key != "" {
			if err := portal.Keys.Link(ctx, peer.With(made.SignedIn), "Laptop"); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled is a home whose portal is set up.
func settled(t testing.TB) *home {
	t.Helper()
	h := newHome(t)
	if err := settle(h.data(), "", ""); err != nil {
		t.Fatal(err)
	}
	return h
}
