package script

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestWhatMayBePostedTo(t *testing.T) {
	prefixes := []string{"https://hooks.example.org/postern", "https://h.example.org:8443/a/", "http://old.example.org", "https://[2606:4700::1]/x"}
	for url, allowed := range map[string]bool{
		"https://hooks.example.org/postern":                               true,
		"https://hooks.example.org/postern/":                              true,
		"https://hooks.example.org/postern/x/y?z=1":                       true,
		"https://hooks.example.org:443/postern?x":                         true,
		"https://HOOKS.example.org./postern":                              true,
		"https://h.example.org:8443/a/b":                                  true,
		"http://old.example.org/anything":                                 true,
		"https://[2606:4700:0::1]/x":                                      true,
		"https://hooks.example.org/posternx":                              false,
		"https://hooks.example.org/":                                      false,
		"https://hooks.example.org/Postern":                               false,
		"http://hooks.example.org/postern":                                false,
		"https://hooks.example.org:8443/postern":                          false,
		"https://hooks.example.org.evil.org/postern":                      false,
		"https://hooks.example.org@evil.org/postern":                      false,
		"https://evil.org/https://hooks.example.org/postern":              false,
		"https://hooks.example.org/postern/../admin":                      false,
		"https://hooks.example.org/postern/%2e%2e/admin":                  false,
		"https://hooks.example.org/postern/..%2fadmin":                    false,
		"https://hooks.example.org/postern\\@evil.org":                    false,
		"https://hooks.example.org/postern#x":                             false,
		"https://hooks.example.org/postern#":                              false,
		"https://hooks.example.org /postern":                              false,
		"https://hooks.example.org/postern\r\nX: y":                       false,
		"https:hooks.example.org/postern":                                 false,
		"//hooks.example.org/postern":                                     false,
		"https:///postern":                                                false,
		"https://old.example.org/":                                        false,
		"https://h.example.org:8443/a":                                    false,
		"https://h.example.org:08443/a/":                                  false,
		"https://hööks.example.org/postern":                               false,
		"file:///etc/passwd":                                              false,
		"":                                                                false,
		"https://hooks.example.org/postern" + strings.Repeat("x", MaxURL): false,
	} {
		if err := Allowed(url, prefixes); (err == nil) != allowed {
			t.Errorf("%.80q: %v", url, err)
		}
	}
	if Allowed("https://hooks.example.org/postern", nil) == nil {
		t.Error("with nothing allowed, something is")
	}
	for s, n := range map[string]int{
		"": 0, " https://a.example.org  https://b.example.org/x ": 2, "a.example.org": -1, "https://a.example.org/?x": -1, "https://u:p@a.example.org": -1,
		"ftp://a.example.org": -1, "https://0x7f.1": -1, "https://2130706433/": -1, "https://127.1/": -1, "https://a.example.org:0": -1,
		strings.Repeat("https://a.example.org ", MaxPrefixes+1): -1,
	} {
		list, err := Prefixes(s)
		if (err == nil) != (n >= 0) || err == nil && len(list) != n {
			t.Errorf("%.60q: %v, %v", s, list, err)
		}
	}
}

// receiver is a real server with a certificate, which counts what it is sent.
type receiver struct {
	*httptest.Server
	seen  atomic.Int64
	body  atomic.Value
	roots *x509.CertPool
}

func receive(t testing.TB, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{roots: x509.NewCertPool()}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.seen.Add(1)
		b, _ := io.ReadAll(q.Body)
		r.body.Store(q.Method + " " + q.URL.Path + " " + q.Header.Get("Content-Type") + " " + q.Header.Get("Idempotency-Key") + " " + string(b))
		if answer != nil {
			answer(w, q)
		}
	}))
	r.roots.AddCert(r.Certificate())
	t.Cleanup(r.Close)
	return r
}

func posted(t testing.TB, err error, code string, unsent bool) {
	t.Helper()
	var e *PostError
	if code == "" {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if !errors.As(err, &e) || e.Code != code || e.Unsent != unsent {
		t.Fatalf("got %v (%+v), want %q", err, e, code)
	}
}

func TestPosting(t *testing.T) {
	ctx := context.Background()
	r := receive(t, nil)
	p := NewPoster(PosterConfig{Private: true, Roots: r.roots})
	posted(t, p.Post(ctx, r.URL+"/hook", []string{r.URL}, "01P", []byte(`{"a":1}`)), "", false)
	if got := r.body.Load(); got != `POST /hook application/json 01P {"a":1}` {
		t.Errorf("it was sent %q", got)
	}
	posted(t, p.Post(ctx, r.URL+"/hook", []string{r.URL + "/other"}, "01P", nil), "not_allowed", true)
	posted(t, NewPoster(PosterConfig{Private: true}).Post(ctx, r.URL, []string{r.URL}, "01P", nil), "tls", true)
	posted(t, p.Post(ctx, "https://127.0.0.1:1/", []string{"https://127.0.0.1:1"}, "01P", nil), "unreachable", true)

	refuses := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	posted(t, NewPoster(PosterConfig{Private: true, Roots: refuses.roots}).Post(ctx, refuses.URL, []string{refuses.URL}, "01P", nil), "status", false)

	breaks := receive(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	posted(t, NewPoster(PosterConfig{Private: true, Roots: breaks.roots}).Post(ctx, breaks.URL, []string{breaks.URL}, "01P", nil), "unreachable", false)
	if breaks.seen.Load() != 1 {
		t.Errorf("it was posted %d times", breaks.seen.Load())
	}
	endless := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		for part := make([]byte, 64<<10); ; {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	posted(t, NewPoster(PosterConfig{Private: true, Roots: endless.roots}).Post(ctx, endless.URL, []string{endless.URL}, "01P", nil), "", false)
}

// A redirect is a failure, wherever it leads: what was allowed is the first place.
func TestARedirectIsNotFollowed(t *testing.T) {
	inside := receive(t, nil)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := receive(t, func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, inside.URL+"/admin", status) })
		p := NewPoster(PosterConfig{Private: true, Roots: r.roots})
		posted(t, p.Post(context.Background(), r.URL, []string{r.URL, inside.URL}, "01P", nil), "redirect", false)
	}
	if inside.seen.Load() != 0 {
		t.Error("it was followed")
	}
}

// Nothing is posted to this machine or its network, however it is written and by
// whatever name it is found. ASVS 1.3.6
func TestNothingIsPostedInside(t *testing.T) {
	r := receive(t, nil)
	p := NewPoster(PosterConfig{Roots: r.roots})
	_, port, err := net.SplitHostPort(r.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "[::ffff:10.0.0.1]", "198.18.0.1", "192.0.2.1", "[2001:db8::1]", "[fec0::1]",
	} {
		url := "https://" + host + ":" + port
		posted(t, p.Post(context.Background(), url, []string{url}, "01P", nil), "private", true)
	}
	for _, host := range []string{"1.1.1.1:443", "[2606:4700:4700::1111]:443", "172.15.255.255:80", "172.32.0.1:80"} {
		if public(host) != nil {
			t.Errorf("%s is refused", host)
		}
	}
	if r.seen.Load() != 0 {
		t.Error("something has arrived")
	}
}

// A public name that leads inside is refused by the address that it has at that
// moment: a name that leads elsewhere the second time gains nothing (DNS rebinding).
func TestANameThatLeadsInside(t *testing.T) {
	r := receive(t, nil)
	_, port, _ := net.SplitHostPort(r.Listener.Addr().String())
	names := nameServer(t, net.IPv4(127, 0, 0, 1))
	url := "https://hooks.example.org:" + port + "/x"
	for private, code := range map[bool]string{false: "private", true: "tls"} { // its certificate is for another name: so far it came
		p := NewPoster(PosterConfig{Private: private, Resolver: names})
		posted(t, p.Post(context.Background(), url, []string{"https://hooks.example.org:" + port}, "01P", nil), code, true)
	}
	if r.seen.Load() != 0 {
		t.Error("something has arrived")
	}
}

// A proxy of the environment would connect in our place, to wherever it likes.
func TestNoProxyIsUsed(t *testing.T) {
	proxy := receive(t, nil)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	p := NewPoster(PosterConfig{Resolver: nameServer(t, net.IPv4(10, 0, 0, 1))})
	posted(t, p.Post(context.Background(), "http://hooks.example.org/", []string{"http://hooks.example.org"}, "01P", nil), "private", true)
	if proxy.seen.Load() != 0 {
		t.Error("the proxy was asked")
	}
}

// nameServer answers that every name has this address.
func nameServer(t testing.TB, ip net.IP) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12 // behind the question: its name, type and class
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			if end > n {
				continue
			}
			kind := binary.BigEndian.Uint16(b[end-4:])
			answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
			if kind == 1 {
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, ip.To4()...)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
