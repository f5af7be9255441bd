package password

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const staple = "correct horse battery staple"

// eighty is longer than what bcrypt looks at.
var eighty = strings.Repeat("0123456789", 8)

// foreignVectors were made by others: libxcrypt, OpenSSL, passlib's own tests,
// the reference implementation of Argon2, RFC 7914 §12 and RFC 6070 §2.
var foreignVectors = []struct{ scheme, pw, stored string }{
	{"bcrypt", staple, "$2a$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"},
	{"bcrypt", staple, "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"},
	{"bcrypt", staple, "$2y$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"},
	{"bcrypt", "Grüße aus Köln", "$2b$04$abcdefghijklmnopqrstuu8CUm8kgrZsnboz/WhY60Zf2APZzRatm"},
	{"bcrypt", eighty, "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S"},
	{"scrypt", staple, "$scrypt$ln=10,r=8,p=1$yMnKy8zNzs/Q0dLT1NXW1w$xjVgXNlrz3lnxFcgWGKt1hltPPXd6B8f8Nno50q+bQ0"},
	{"scrypt", "password", "$scrypt$ln=10,r=8,p=16$" + rawBase64("4e61436c") + "$" + // "NaCl"
		rawBase64("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")},
	{"pbkdf2", "password", "$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"},
	{"pbkdf2", "password", "$pbkdf2$4096$" + rawBase64("73616c74") + "$" + rawBase64("4b007901b765489abead49d926f721d065a429c1")}, // "salt"
	{"pbkdf2-sha256", "password", "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ"},
	{"pbkdf2-sha256", "Ιωαννης", "$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI"},
	{"pbkdf2-sha512", "password", "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww"},
	{"pbkdf2-sha256", staple, "pbkdf2_sha256$1000$seasalt2Xf9$kg/CNmQe/r0b1qZysUflZDyeVczp/d0qkLMegKK72U4="},
	{"argon2i", "CatCrypto", "$argon2i$v=19$m=4096,t=3,p=1$Q2F0Q3J5cHRv$Ad6gXMVLvZ3uQOeTi6nCmU4Ns2/nPDfPD5B3yyebv8k"},
}

func rawBase64(hexed string) string {
	b, err := hex.DecodeString(hexed)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(b), "+", ".")
}

// Passlib's scrypt writes the plus that its PBKDF2 writes as a dot.
func vector(stored string) string {
	if strings.HasPrefix(stored, "$scrypt$") {
		return strings.ReplaceAll(stored, ".", "+")
	}
	return stored
}

// What other programs made of a password is verified, wrong ones are not, and
// whatever it was, it is to be replaced.
func TestHashesOfOtherProgramsAreVerified(t *testing.T) {
	h := cheap(t, 2)
	for _, v := range foreignVectors {
		stored := vector(v.stored)
		if scheme, err := Scheme(stored); scheme != v.scheme || err != nil {
			t.Errorf("%s: is %q, %v", stored, scheme, err)
		}
		if ok, weaker, err := h.Verify(t.Context(), v.pw, stored); !ok || !weaker || err != nil {
			t.Errorf("%s: %v, weaker %v, %v", stored, ok, weaker, err)
		}
		for _, wrong := range []string{"", v.pw[1:], "x" + v.pw, v.pw[:len(v.pw)/2], "\xff", "a\x00b"} {
			if ok, _, err := h.Verify(t.Context(), wrong, stored); ok || err != nil {
				t.Errorf("%s: %q is taken for it (%v)", stored, wrong, err)
			}
		}
	}
	own, err := h.Hash(t.Context(), staple)
	if err != nil {
		t.Fatal(err)
	}
	if scheme, err := Scheme(own); scheme != "argon2id" || err != nil {
		t.Errorf("our own hash is %q, %v", scheme, err)
	}
}

// bcrypt never looked beyond 72 bytes: whoever had a longer password gets in with
// it, and no other prefix will do.
func TestBcryptEndsAfter72Bytes(t *testing.T) {
	h, stored := cheap(t, 1), "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S"
	for pw, want := range map[string]bool{eighty: true, eighty[:72]: true, eighty[:72] + "another": true, eighty[:71]: false, eighty[:71] + "x": false} {
		if ok, _, err := h.Verify(t.Context(), pw, stored); ok != want || err != nil {
			t.Errorf("%d bytes: %v, %v", len(pw), ok, err)
		}
	}
}

// What is dearer than the bounds, of another form, or spelled in another way is
// refused before anything is computed. ASVS 11.4.2
func TestForeignHashesHaveBounds(t *testing.T) {
	salt, key := rawBase64(strings.Repeat("ab", 16)), rawBase64(strings.Repeat("cd", 32))
	bcrypted := "abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"
	began := time.Now()
	for _, stored := range []string{
		"", "$", "plain", "x$y$z", "{SSHA}abcdefgh", "$1$abcd1234$VKbHBHRMV.zEa0XWoBOpA1", "$6$salt$key", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
		"$2x$05$" + bcrypted, "$2$05$" + bcrypted, "$2b$15$" + bcrypted, "$2b$31$" + bcrypted, "$2b$03$" + bcrypted, "$2b$5$" + bcrypted, "$2b$05$" + bcrypted + "x",
		"$2b$05$" + bcrypted[:52], "$2b$05$" + bcrypted[:52] + "!", "$2b$+5$" + bcrypted, "$2b$05$" + bcrypted + "$", "$2b$05$" + bcrypted[:20] + "\n" + bcrypted[21:],
		"$scrypt$ln=22,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=20,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=17,r=8,p=3$" + salt + "$" + key, "$scrypt$ln=0,r=8,p=1$" + salt + "$" + key,
		"$scrypt$ln=10,r=1000000000,p=1000000000$" + salt + "$" + key, "$scrypt$ln=10,p=1,r=8$" + salt + "$" + key, "$scrypt$ln=10,r=8$" + salt + "$" + key,
		"$scrypt$ln=10,r=8,p=1$$" + key, "$scrypt$ln=10,r=8,p=1$" + salt + "$", "$scrypt$ln=10,r=8,p=1$" + salt + "$" + key + "==", "$scrypt$ln=010,r=8,p=1$" + salt + "$" + key,
		"$pbkdf2-sha256$5000001$" + salt + "$" + key, "$pbkdf2-sha256$9999999999999999999$" + salt + "$" + key, "$pbkdf2-sha256$0$" + salt + "$" + key, "$pbkdf2-sha256$-1$" + salt + "$" + key,
		"$pbkdf2-sha256$01212$" + salt + "$" + key, "$pbkdf2-sha256$1212$" + salt + "$" + key + "$", "$pbkdf2-sha256$1212$!!!!!!$" + key, "$pbkdf2-sha256$1212$" + salt + "$" + rawBase64("00"),
		"$pbkdf2-sha256$3000000$" + salt + "$" + rawBase64(strings.Repeat("cd", 64)), // two blocks: twice the work
		"$pbkdf2-sha512$2000001$" + salt + "$" + rawBase64(strings.Repeat("cd", 64)),
		"$pbkdf2-md5$1212$" + salt + "$" + key, "pbkdf2_sha256$1000$abc$" + "kg/CNmQe/r0b1qZysUflZDyeVczp/d0qkLMegKK72U4=", "pbkdf2_sha256$1000$seasalt2Xf9$kg/CNmQe",
		"$argon2i$v=16$m=4096,t=3,p=1$" + salt + "$" + key, "$argon2i$v=19$m=262145,t=3,p=1$" + salt + "$" + key, "$argon2i$v=19$m=4096,t=11,p=1$" + salt + "$" + key,
		"$argon2i$v=19$m=4096,t=3,p=17$" + salt + "$" + key, "$argon2i$v=19$m=4096,t=3,p=257$" + salt + "$" + key, "$argon2i$v=19$m=7,t=3,p=1$" + salt + "$" + key, "$argon2i$v=19$m=4294971392,t=3,p=1$" + salt + "$" + key,
		"$argon2d$v=19$m=4096,t=3,p=1$" + salt + "$" + key, "$argon2id$v=19$m=4194304,t=3,p=1$" + salt + "$" + key,
		"$pbkdf2-sha256$1212$" + strings.Repeat("A", 400) + "$" + key,
	} {
		if scheme, err := Scheme(stored); !errors.Is(err, ErrHash) {
			t.Errorf("%q is taken for %q (%v)", stored, scheme, err)
		}
		if ok, _, err := cheap(t, 1).Verify(t.Context(), "password", stored); ok || !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v, %v", stored, ok, err)
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("refusing took %v", took)
	}
}

// The dearest hash of each form that is accepted, beside one of our own.
func BenchmarkVerifyDearest(b *testing.B) {
	salt, key := rawBase64(strings.Repeat("ab", 16)), rawBase64(strings.Repeat("cd", 32))
	h, err := NewHasher(DefaultParams(), 1)
	if err != nil {
		b.Fatal(err)
	}
	own, err := h.Hash(b.Context(), staple)
	if err != nil {
		b.Fatal(err)
	}
	for name, stored := range map[string]string{
		"own": own, "bcrypt": fmt.Sprintf("$2b$%d$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", maxBcryptCost),
		"scrypt": "$scrypt$ln=18,r=8,p=1$" + salt + "$" + key, "pbkdf2-sha256": fmt.Sprintf("$pbkdf2-sha256$%d$%s$%s", maxPBKDF2Blocks, salt, key),
		"pbkdf2-sha512": fmt.Sprintf("$pbkdf2-sha512$%d$%s$%s", maxPBKDF2Blocks*2/5, salt, rawBase64(strings.Repeat("cd", 64))),
		"argon2i":       "$argon2i$v=19$m=262144,t=10,p=1$" + salt + "$" + key,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := h.Verify(b.Context(), staple, stored); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever is given for a hash, it is refused or of a form that is within its
// bounds, and reading it neither fails nor takes long.
func FuzzScheme(f *testing.F) {
	for _, v := range foreignVectors {
		f.Add(v.stored)
	}
	f.Add("$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw")
	f.Add("$pbkdf2-sha256$1212$$")
	f.Fuzz(func(t *testing.T, stored string) {
		scheme, err := Scheme(stored)
		if err != nil {
			if !errors.Is(err, ErrHash) {
				t.Errorf("%q: %v", stored, err)
			}
			return
		}
		if scheme == "" || len(stored) > maxPHC || strings.ContainsAny(stored, "\x00\r\n ") && !strings.HasPrefix(stored, "pbkdf2_") {
			t.Errorf("%q is taken for %q", stored, scheme)
		}
		if f, err := parseForeign(stored); err == nil && f.memory > MaxParams().Memory {
			t.Errorf("%q takes %d KiB", stored, f.memory)
		}
	})
}
