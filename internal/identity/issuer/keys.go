package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-jose/go-jose/v4"

	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

const (
	keysFresh = time.Hour        // until they are fetched again
	keysStale = 24 * time.Hour   // until they are no longer used
	keysAgain = 30 * time.Second // between two fetches for a kid that is not there
	fetchTime = 5 * time.Second
	maxKeySet = 256 << 10
	maxKeys   = 64
)

// keySet is an issuer's keys, fetched when they are needed.
type keySet struct {
	fixed []jose.JSONWebKey // given by a person; never fetched then
	fetch func(context.Context) ([]jose.JSONWebKey, error)

	mu    sync.Mutex // held while fetching: one fetch at a time
	keys  []jose.JSONWebKey
	got   time.Time
	tried time.Time
}

// find gives the keys that may have signed: that of the kid, or all without one.
func (s *keySet) find(ctx context.Context, kid string, now time.Time) ([]jose.JSONWebKey, error) {
	if s.fixed != nil {
		return matching(s.fixed, kid), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := matching(s.keys, kid)
	want := now.Sub(s.got) >= keysFresh || len(found) == 0
	if !want || !s.tried.IsZero() && now.Sub(s.tried) < keysAgain {
		return s.usable(found, now, nil)
	}
	s.tried = now
	keys, err := s.fetch(ctx)
	if err != nil {
		return s.usable(found, now, err)
	}
	s.keys, s.got = keys, now
	return matching(s.keys, kid), nil
}

func (s *keySet) usable(found []jose.JSONWebKey, now time.Time, cause error) ([]jose.JSONWebKey, error) {
	if s.got.IsZero() || now.Sub(s.got) >= keysStale {
		if cause == nil {
			cause = errors.New("fetched a moment ago in vain")
		}
		return nil, fault.New(fault.KindUnavailable, "issuer.keys", "the keys of the token's issuer cannot be fetched").WithCause(cause).WithHint("retry later")
	}
	return found, nil
}

func matching(keys []jose.JSONWebKey, kid string) []jose.JSONWebKey {
	if kid == "" {
		return keys
	}
	var out []jose.JSONWebKey
	for _, k := range keys {
		if k.KeyID == kid {
			out = append(out, k)
		}
	}
	return out
}

// usable are the keys of a set that may verify; others (of encryption, of
// algorithms that are not taken) are passed over, since sets hold them.
func usable(set jose.JSONWebKeySet) []jose.JSONWebKey {
	var out []jose.JSONWebKey
	for _, k := range set.Keys {
		if k.Valid() && k.IsPublic() && token.Strong(k.Key) && (k.Use == "" || k.Use == "sig") && len(out) < maxKeys {
			out = append(out, k)
		}
	}
	return out
}

// fetcher fetches an issuer's keys, finding their address by discovery when it
// is not given.
func (r *Registry) fetcher(i Issuer) func(context.Context) ([]jose.JSONWebKey, error) {
	client := r.client(i.AllowPrivate)
	return func(ctx context.Context) ([]jose.JSONWebKey, error) {
		// A caller that goes away must not fail those that wait with it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		address := i.JWKSURL
		if address == "" {
			var doc struct {
				Issuer string `json:"issuer"`
				JWKS   string `json:"jwks_uri"`
			}
			if err := getJSON(ctx, client, strings.TrimSuffix(i.Issuer, "/")+"/.well-known/openid-configuration", &doc); err != nil {
				return nil, err
			}
			if doc.Issuer != i.Issuer {
				return nil, fmt.Errorf("the discovery document is of %q", clip(doc.Issuer))
			}
			if err := r.checkURL(doc.JWKS, i.AllowPrivate); err != nil {
				return nil, err
			}
			address = doc.JWKS
		}
		var raw struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if err := getJSON(ctx, client, address, &raw); err != nil {
			return nil, err
		}
		var set jose.JSONWebKeySet
		for _, text := range raw.Keys[:min(len(raw.Keys), 4*maxKeys)] {
			var k jose.JSONWebKey
			if k.UnmarshalJSON(text) == nil { // one that is not understood spoils no other
				set.Keys = append(set.Keys, k)
			}
		}
		keys := usable(set)
		if len(keys) == 0 {
			return nil, errors.New("the key set has no key that may sign")
		}
		return keys, nil
	}
}

func getJSON(ctx context.Context, client *http.Client, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", req.URL.Host, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return err
	}
	if len(body) > maxKeySet {
		return fmt.Errorf("%s answered more than %d bytes", req.URL.Host, maxKeySet)
	}
	return json.Unmarshal(body, into)
}

// client reaches public addresses only, unless private ones are allowed, looked
// at when dialling so that a name cannot change its mind after it was checked.
// It follows no redirect and uses no proxy.
func (r *Registry) client(private bool) *http.Client {
	dial := &net.Dialer{Timeout: fetchTime, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !r.reachable(a.Addr().Unmap(), private) {
			return fmt.Errorf("%s is not a public address", a.Addr())
		}
		return nil
	}}
	return &http.Client{
		Timeout:       fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial.DialContext, TLSHandshakeTimeout: fetchTime, ResponseHeaderTimeout: fetchTime, MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute, MaxIdleConns: 4,
		},
	}
}

var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

func (r *Registry) reachable(ip netip.Addr, private bool) bool {
	switch {
	case ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false // never: 169.254.169.254 gives out credentials
	case ip.IsLoopback():
		return private && r.o.Loopback
	case ip.IsPrivate():
		return private
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return private && p.Bits() == 10 // addresses shared inside a carrier are used like private ones
		}
	}
	return true
}
