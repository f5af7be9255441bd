package sms_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"postern/core/sms"
	"postern/core/sms/smstest"
)

// Only a service that cannot be asked is down: whatever it answers, or does not, may
// be for this message.
func TestWhetherItIsTheServiceOrTheMessage(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	secret := receiver(t, smstest.Options{TLS: true})
	for name, c := range map[string]struct {
		url     string
		options smstest.Options
		code    string
		down    bool
	}{
		"nobody is there":             {url: "http://" + free.Addr().String(), code: "unreachable", down: true},
		"its certificate is foreign":  {url: secret.URL(), code: "tls", down: true},
		"it has another's":            {url: strings.Replace(secret.URL(), "127.0.0.1", "localhost", 1), code: "tls", down: true},
		"it lets one wait":            {options: smstest.Options{Slow: time.Hour}, code: "timeout"},
		"it hangs up":                 {options: smstest.Options{Close: true}, code: "closed"},
		"it wants another password":   {options: smstest.Options{Status: 401}, code: "auth"},
		"it forbids":                  {options: smstest.Options{Status: 403}, code: "auth"},
		"it knows nothing of the URL": {options: smstest.Options{Status: 404}, code: "unreachable"},
		"it is overrun":               {options: smstest.Options{Status: 503}, code: "deferred"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.url == "" {
				c.url = receiver(t, c.options).URL()
			}
			for _, s := range both(t, c.url, "", 300*time.Millisecond) {
				err := s.Send(ctx, message)
				expect(t, err, c.code, false)
				if sms.Down(err) != c.down {
					t.Errorf("%v: the service's: %v, want %v", err, sms.Down(err), c.down)
				}
			}
		})
	}
	if sms.Down(nil) || sms.Down(io.EOF) {
		t.Error("nothing, or an error of somebody else's, is the service's")
	}
}
