package script

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxPrefixes is how many URL prefixes may be allowed.
const MaxPrefixes = 20

// Prefixes reads a list of URL prefixes, parted by spaces: what may be posted to.
// Each is an absolute URL with a host, without user, query or fragment.
func Prefixes(s string) ([]string, error) {
	list := strings.Fields(s)
	if len(list) > MaxPrefixes {
		return nil, fmt.Errorf("more than %d prefixes", MaxPrefixes)
	}
	for _, p := range list {
		u, err := parse(p)
		if err != nil {
			return nil, err
		}
		if u.query {
			return nil, errors.New("a prefix has no query")
		}
	}
	return list, nil
}

// place is a URL in the parts that are compared.
type place struct {
	scheme, host, port, path string
	query                    bool
}

// parse reads a URL and refuses what two programs might read in two ways.
func parse(raw string) (place, error) {
	if len(raw) > MaxURL {
		return place{}, fmt.Errorf("longer than %d bytes", MaxURL)
	}
	for _, r := range raw {
		if r <= ' ' || r >= 0x7f || r == '\\' {
			return place{}, errors.New("a character that a URL does not have")
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return place{}, errors.New("not a URL")
	}
	p := place{scheme: u.Scheme, host: strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port: u.Port(), path: u.EscapedPath(), query: u.RawQuery != "" || u.ForceQuery}
	switch {
	case p.scheme != "https" && p.scheme != "http":
		return place{}, errors.New("it begins with https:// or http://")
	case u.Opaque != "" || p.host == "":
		return place{}, errors.New("it has no host")
	case u.User != nil:
		return place{}, errors.New("it has a user")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return place{}, errors.New("it has a fragment")
	case strings.Contains(p.host, "%"):
		return place{}, errors.New("it has a zone")
	}
	// An address has one way to be written; a name is none of the many others.
	if ip, err := netip.ParseAddr(p.host); err == nil {
		p.host = ip.Unmap().String()
	} else if last := p.host[strings.LastIndex(p.host, ".")+1:]; last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return place{}, errors.New("neither a name nor an address")
	}
	switch {
	case p.port == "" && p.scheme == "https":
		p.port = "443"
	case p.port == "":
		p.port = "80"
	default:
		if n, err := strconv.Atoi(p.port); err != nil || n < 1 || n > 65535 {
			return place{}, errors.New("not a port")
		}
	}
	if p.path == "" {
		p.path = "/"
	}
	for segment := range strings.SplitSeq(p.path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\\x00") {
			return place{}, errors.New("a path that leads elsewhere")
		}
	}
	return p, nil
}

// Allowed says why a URL may not be posted to: nil when it begins with one of
// the prefixes. Scheme, host and port are the same, and the prefix's path ends
// where a part of the URL's path does.
func Allowed(raw string, prefixes []string) error {
	u, err := parse(raw)
	if err != nil {
		return err
	}
	for _, prefix := range prefixes {
		p, err := parse(prefix)
		if err == nil && u.scheme == p.scheme && u.host == p.host && u.port == p.port && below(u.path, p.path) {
			return nil
		}
	}
	return fmt.Errorf("%s://%s is no address that the policy allows", u.scheme, u.host)
}

func below(path, prefix string) bool {
	rest, found := strings.CutPrefix(path, prefix)
	return found && (rest == "" || strings.HasSuffix(prefix, "/") || strings.HasPrefix(rest, "/"))
}

// Host is a URL without what follows its host, which may hold a secret; "" for
// what is no URL.
func Host(raw string) string {
	p, err := parse(raw)
	if err != nil {
		return ""
	}
	host := p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.scheme == "https" && p.port != "443" || p.scheme == "http" && p.port != "80" {
		host += ":" + p.port
	}
	return p.scheme + "://" + host
}
