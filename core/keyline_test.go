// Public keys that people paste: which are taken, and what is said of the others.

package core_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/coretest"
	"postern/core/text"
)

// lineOf is a public key as a line of authorized_keys, without a comment.
func lineOf(t testing.TB, public any) string {
	t.Helper()
	k := must(ssh.NewPublicKey(public))(t)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

// wire is a key of a kind that Go has no type for, as a line.
func wire(name string, fields any) string {
	return name + " " + base64.StdEncoding.EncodeToString(ssh.Marshal(fields))
}

func edLine(t testing.TB) string {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	return lineOf(t, public)
}

func ecLine(t testing.TB, c elliptic.Curve) string {
	return lineOf(t, must(ecdsa.GenerateKey(c, rand.Reader))(t).Public())
}

// rsaLine is a key of a size; that it has no factors is no matter here.
func rsaLine(t testing.TB, bits int) string {
	n := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1))))(t)
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	return lineOf(t, &rsa.PublicKey{N: n, E: 65537})
}

func skEdLine(t testing.TB) string {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	return wire(ssh.KeyAlgoSKED25519, struct {
		Name        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, public, "ssh:"})
}

func skECLine(t testing.TB) string {
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	public := must(k.PublicKey.ECDH())(t).Bytes()
	return wire(ssh.KeyAlgoSKECDSA256, struct {
		Name, Curve string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKECDSA256, "nistp256", public, "ssh:"})
}

func dsaLine(t testing.TB) string {
	number := func(bits int) *big.Int {
		n := must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1))))(t)
		return n.SetBit(n, bits-1, 1)
	}
	const dsa = "ssh-dss" // what is refused has to be named
	return wire(dsa, struct {
		Name       string
		P, Q, G, Y *big.Int
	}{dsa, number(1024), number(160), number(1000), number(1000)})
}

func certLine(t testing.TB) string {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	signer := must(ssh.NewSignerFromKey(private))(t)
	cert := &ssh.Certificate{Key: must(ssh.NewPublicKey(public))(t), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	ok(t, cert.SignCert(rand.Reader, signer))
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(cert)))
}

func TestKeysThatAreTaken(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.key_stands", "nothing")
	me := p.SignUp("mara")
	for kind, line := range map[string]string{
		"ssh-ed25519": edLine(t), "sk-ssh-ed25519@openssh.com": skEdLine(t), "sk-ecdsa-sha2-nistp256@openssh.com": skECLine(t),
		"ecdsa-sha2-nistp256": ecLine(t, elliptic.P256()), "ecdsa-sha2-nistp384": ecLine(t, elliptic.P384()), "ecdsa-sha2-nistp521": ecLine(t, elliptic.P521()),
		"ssh-rsa": rsaLine(t, 2048), "ssh-rsa 16384": rsaLine(t, 16384),
	} {
		k := must(p.Keys.Add(ctx, me, "  "+line+" mara@laptop\r\n", ""))(t)
		public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		ok(t, err)
		kind, _, _ = strings.Cut(kind, " ")
		if k.Line != line || k.Fingerprint != ssh.FingerprintSHA256(public) || k.Account != me.Account || k.Label != "mara@laptop" || k.Type() != kind ||
			k.Hardware() != strings.HasPrefix(kind, "sk-") || !k.Created.Equal(p.Clock.Now()) {
			t.Errorf("%s is linked as %+v", kind, k)
		}
		wasTold(t, p, me, core.NoticeKeyAdded)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	good, other := edLine(t), edLine(t)
	_, blob, _ := strings.Cut(good, " ")
	for what, c := range map[string]struct {
		pasted string
		want   core.Error
	}{
		"nothing":                     {"", core.Error{Code: core.CodeEmpty}},
		"spaces":                      {" \r\n\t ", core.Error{Code: core.CodeEmpty}},
		"too much":                    {good + " " + strings.Repeat("x", core.MaxKeyLine), core.Error{Code: core.CodeTooLong, N: core.MaxKeyLine}},
		"an RSA key that is small":    {rsaLine(t, 2047), core.Error{Code: core.CodeKeyType, Rule: core.KeyTypes}},
		"an RSA key that is tiny":     {rsaLine(t, 1024), core.Error{Code: core.CodeKeyType, Rule: core.KeyTypes}},
		"an RSA key that is huge":     {rsaLine(t, 16385), core.Error{Code: core.CodeFormat}},
		"DSA":                         {dsaLine(t), core.Error{Code: core.CodeKeyType, Rule: core.KeyTypes}},
		"a certificate":               {certLine(t), core.Error{Code: core.CodeKeyType, Rule: core.KeyTypes}},
		"a private key":               {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----", core.Error{Code: core.CodeKeyPrivate}},
		"a private key in PEM":        {"x\r\n-----BEGIN RSA PRIVATE KEY-----", core.Error{Code: core.CodeKeyPrivate}},
		"options":                     {"no-pty " + good, core.Error{Code: core.CodeFormat}},
		"a command":                   {`command="rm -rf /",no-pty ` + good, core.Error{Code: core.CodeFormat}},
		"the owner of all":            {"cert-authority " + good, core.Error{Code: core.CodeFormat}},
		"two keys":                    {good + "\n" + other, core.Error{Code: core.CodeFormat}},
		"two keys, the first damaged": {good[:40] + "\n" + other, core.Error{Code: core.CodeFormat}},
		"a remark above":              {"# mine\n" + good, core.Error{Code: core.CodeFormat}},
		"broken in the middle":        {good[:40] + "\r\n" + good[40:], core.Error{Code: core.CodeFormat}},
		"another type":                {"ssh-rsa " + blob, core.Error{Code: core.CodeFormat}},
		"no type":                     {blob, core.Error{Code: core.CodeFormat}},
		"no key":                      {"ssh-ed25519", core.Error{Code: core.CodeFormat}},
		"a part":                      {good[:len(good)-4], core.Error{Code: core.CodeFormat}},
		"bytes":                       {"\xff\x00" + good, core.Error{Code: core.CodeFormat}},
		"a fingerprint":               {"SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8", core.Error{Code: core.CodeFormat}},
		"PuTTY's form":                {"---- BEGIN SSH2 PUBLIC KEY ----\n" + blob, core.Error{Code: core.CodeFormat}},
		"noise":                       {strings.Repeat("x y", 10<<10/3), core.Error{Code: core.CodeFormat}},
	} {
		c.want.Field = "key"
		before := substance(p.Dump())
		k, err := p.Keys.Add(ctx, me, c.pasted, "laptop")
		if err == nil {
			t.Fatalf("%s: linked as %+v", what, k)
		}
		if got := details(t, err); got != c.want {
			t.Errorf("%s: got %+v, want %+v", what, got, c.want)
		}
		same(t, before, substance(p.Dump()))
		for _, e := range p.Trail()[:1] { // ASVS 16.2.5
			if s := fmt.Sprintf("%+v %v", e, err); strings.Contains(s, "AAAA") || strings.Contains(s, "b3Bl") {
				t.Errorf("%s: what was pasted is in %s", what, s)
			}
		}
	}
}

// A comment becomes the label when none is given, if it can be shown.
func TestACommentIsCleaned(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.key_stands", "nothing")
	me := p.SignUp("mara")
	for comment, label := range map[string]string{
		"": "", " mara@laptop ": "mara@laptop", "mara at home": "mara at home", "é": "é", strings.Repeat("x", core.MaxFactorLabel): strings.Repeat("x", core.MaxFactorLabel),
		strings.Repeat("x", core.MaxFactorLabel+1): "", "a\x1b[2Jb": "", "a" + string([]byte{0xff}) + "b": "", "a\x00b": "", "a\u202eb": "", "a\u0085b": "",
	} {
		if k := must(p.Keys.Add(ctx, me, edLine(t)+" "+comment, ""))(t); k.Label != label || strings.ContainsAny(k.Line, "\x1b\x00") || strings.ContainsRune(k.Line, utf8.RuneError) || strings.Count(k.Line, " ") != 1 {
			t.Errorf("%q became %q in %q", comment, k.Label, k.Line)
		}
	}
	if k := must(p.Keys.Add(ctx, me, edLine(t)+" from the comment", " given "))(t); k.Label != "given" {
		t.Errorf("labelled %q", k.Label)
	}
	for label, code := range map[string]core.Code{"a\x1b": core.CodeCharacter, "\xff": core.CodeEncoding, strings.Repeat("x", 33): core.CodeTooLong} {
		_, err := p.Keys.Add(ctx, me, edLine(t), label)
		refused(t, err, code, "label")
		k := must(p.Keys.Mine(ctx, me))(t)[0]
		refused(t, p.Keys.Rename(ctx, me, k.Fingerprint, label), code, "label")
	}
}

// ASVS 7.5.1, 8.2.1
func TestWhoMayAddAKey(t *testing.T) {
	p := coretest.Open(t)
	me, noor, support := p.SignUp("mara"), p.SignUp("noor"), p.SignUp("sue")
	grant(t, p, support.Account, core.RoleSupport)
	line := edLine(t)
	k := must(p.Keys.Add(ctx, me, line, "laptop"))(t)
	for _, who := range []core.Actor{me, noor} {
		_, err := p.Keys.Add(ctx, who, line, "")
		refused(t, err, core.CodeKeyInUse, "")
	}
	refused(t, p.Keys.Rename(ctx, noor, k.Fingerprint, "hers"), core.CodeNotFound, "key")
	refused(t, p.Keys.Remove(ctx, noor, k.Fingerprint, true), core.CodeNotFound, "key")
	ok(t, p.Keys.Rename(ctx, me, k.Fingerprint, ""))
	for _, who := range []core.Actor{here, coretest.Console()} {
		_, err := p.Keys.Add(ctx, who, edLine(t), "")
		refused(t, err, core.CodeDenied, "")
	}
	for _, who := range []core.Actor{here, noor} {
		_, err := p.Keys.AddTo(ctx, who, "mara", edLine(t), "")
		refused(t, err, core.CodeDenied, "")
		refused(t, p.Keys.RemoveOf(ctx, who, "mara", k.Fingerprint), core.CodeDenied, "")
	}
	_, err := p.Keys.AddTo(ctx, support, "lin", edLine(t), "") // above
	refused(t, err, core.CodeDenied, "")
	added := must(p.Keys.AddTo(ctx, support, "mara", edLine(t), "spare"))(t)
	wasTold(t, p, me, core.NoticeKeyAdded)
	refused(t, p.Keys.RemoveOf(ctx, support, "noor", added.Fingerprint), core.CodeNotFound, "key")
	ok(t, p.Keys.RemoveOf(ctx, support, "mara", added.Fingerprint))
	wasTold(t, p, me, core.NoticeKeyRemoved)
	p.Clock.Advance(core.StepUpFor + 1)
	_, err = p.Keys.Add(ctx, me, edLine(t), "")
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Keys.AddTo(ctx, support, "mara", edLine(t), "")
	refused(t, err, core.CodeStepUp, "")
	refused(t, p.Keys.RemoveOf(ctx, support, "mara", k.Fingerprint), core.CodeStepUp, "")
	p.Set("factors.key_stands", "factor")
	ok(t, change(p, true, "factors.key", "off"))
	_, err = p.Keys.AddTo(ctx, coretest.Console(), "mara", edLine(t), "")
	refused(t, err, core.CodeMethodOff, "key")
}

// Whatever is pasted, it is refused without a word of it or is one key that reads
// back as itself.
func FuzzParseKey(f *testing.F) {
	line := edLine(f)
	for _, s := range []string{"", line, line + " c", "no-pty " + line, rsaLine(f, 2048), rsaLine(f, 512), skEdLine(f), skECLine(f), dsaLine(f), certLine(f),
		"# x\n" + line, line + "\r\n" + line, "PRIVATE KEY", "\xff", `a="\"" ` + line, line + " \x1b[2J", strings.Repeat("ssh-rsa ", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pasted string) {
		fingerprint, clean, comment, err := core.ParseKey(pasted)
		if err != nil {
			var e *core.Error
			if !errors.As(err, &e) || e.Field != "key" || e.Err != nil || fingerprint+clean+comment != "" {
				t.Fatalf("%v, with %q %q %q", err, fingerprint, clean, comment)
			}
			switch e.Code {
			case core.CodeEmpty, core.CodeTooLong, core.CodeFormat, core.CodeKeyType, core.CodeKeyPrivate:
			default:
				t.Fatalf("%v", err)
			}
			return
		}
		again, line, none, err := core.ParseKey(clean)
		if err != nil || again != fingerprint || line != clean || none != "" || strings.Count(clean, " ") != 1 || strings.ContainsAny(clean, "\r\n\x00\x1b") {
			t.Fatalf("%q became %q, and that %q, %v", pasted, clean, line, err)
		}
		if shown, err := text.Clean(comment, core.MaxFactorLabel); err != nil || shown != comment {
			t.Fatalf("the comment %q", comment)
		}
	})
}
