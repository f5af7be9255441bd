package otp

import (
	"bytes"
	"encoding/base32"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestURI(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, v := range []struct{ issuer, account, want string }{
		{"Lanterns", "ada", "Lanterns:ada?secret=" + secret + "&issuer=Lanterns"},
		{"", "ada", "Postern:ada?secret=" + secret + "&issuer=Postern"},
		{" : ", "ada", "Postern:ada?secret=" + secret + "&issuer=Postern"},
		{"The Lab", "ada@example.org", "The%20Lab:ada%40example.org?secret=" + secret + "&issuer=The%20Lab"},
		{"A&B=C?#/", "a:b", "A%26B%3DC%3F%23%2F:ab?secret=" + secret + "&issuer=A%26B%3DC%3F%23%2F"},
		{"Lanterns & co", "ada", "Lanterns%20%26%20co:ada?secret=" + secret + "&issuer=Lanterns%20%26%20co"},
		{"Lanterns & co", strings.Repeat("x", 18), "Lanterns:" + strings.Repeat("x", 18) + "?secret=" + secret + "&issuer=Lanterns"}, // no %20 at the end
		{"\u00c5ngstr\u00f6m", strings.Repeat("\u79c1", 2), "%C3%85ngstr:%E7%A7%81%E7%A7%81?secret=" + secret + "&issuer=%C3%85ngstr"},
		{"\U0001f3ee\U0001f3ee", "ada\n\xff ", "%F0%9F%8F%AE:ada?secret=" + secret + "&issuer=%F0%9F%8F%AE"},
		{"Twelve-chars", strings.Repeat("x", 40), "Twelve-chars:" + strings.Repeat("x", 18) + "?secret=" + secret + "&issuer=Twelve-chars"},
		{"Thirteenchars", "ada", "Thirteenchars:ada?secret=" + secret + "&issuer=Thirteenchars"},
		{"Thirteenchars", strings.Repeat("x", 18), "Thirteenchar:" + strings.Repeat("x", 18) + "?secret=" + secret + "&issuer=Thirteenchar"},
		{"X", strings.Repeat("x", 50), "X:" + strings.Repeat("x", 40) + "?secret=" + secret + "&issuer=X"},
	} {
		if got := URI(v.issuer, v.account, rfcSecret); got != "otpauth://totp/"+v.want {
			t.Errorf("URI(%q, %q) = %q, want %q", v.issuer, v.account, got, v.want)
		}
	}
	if n := len(URI("Twelve-chars", strings.Repeat("x", 40), rfcSecret)); n != MaxURI {
		t.Errorf("the longest has %d bytes", n)
	}
}

var uriShape = regexp.MustCompile(`^otpauth://totp/((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+):((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*)\?secret=[A-Z2-7]+&issuer=((?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)$`)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkURI holds one URI to what every app relies on.
func checkURI(t fataler, issuer, account string, secret []byte) {
	t.Helper()
	uri := URI(issuer, account, secret)
	if len(uri) > MaxURI {
		t.Fatalf("%d bytes: %q", len(uri), uri)
	}
	parts := uriShape.FindStringSubmatch(uri)
	if parts == nil || parts[1] != parts[3] {
		t.Fatalf("not the form: %q", uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Fragment != "" {
		t.Fatalf("%q: %v", uri, err)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(q) != 2 {
		t.Fatalf("%q: %v", uri, err)
	}
	back, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(q.Get("secret"))
	if err != nil || !bytes.Equal(back, secret) {
		t.Fatalf("%q: the secret reads back as %x: %v", uri, back, err)
	}
	by, whose, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), ":")
	if by != q.Get("issuer") || by == "" || strings.Contains(whose, ":") {
		t.Fatalf("%q: issuer %q, account %q", uri, by, whose)
	}
	for _, s := range []string{by, whose} {
		if !utf8.ValidString(s) || s != strings.TrimSpace(s) {
			t.Fatalf("%q: %q", uri, s)
		}
	}
	clean := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), ":", "") }
	if !strings.Contains(clean(account), whose) && !strings.ContainsFunc(account, isControl) {
		t.Fatalf("%q: the account is no part of %q", uri, account)
	}
}

func isControl(r rune) bool { return r < 0x20 || 0x7f <= r && r < 0xa0 }

func TestURIsFitAndReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), SecretBytes, SecretBytes).Draw(t, "secret")
		checkURI(t, rapid.String().Draw(t, "issuer"), rapid.String().Draw(t, "account"), secret)
	})
}

func FuzzURI(f *testing.F) {
	f.Add("Lanterns", "ada@example.org", rfcSecret)
	f.Add("A:B %&?#/+", "\u79c1\xff\U0001f3ee\u00a0 ", rfcSecret)
	f.Fuzz(func(t *testing.T, issuer, account string, secret []byte) {
		if len(secret) == 0 || len(secret) > SecretBytes {
			return
		}
		checkURI(t, issuer, account, secret)
	})
}
