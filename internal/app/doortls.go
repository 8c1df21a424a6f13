package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/identity/ca"
)

// doorTLS is the door's TLS, or nil for none. A client may show a certificate;
// who it speaks for is found on each call and not by TLS, so that a revoked one
// is refused on connections that were there before.
func (a *App) doorTLS() (*tls.Config, error) {
	var secure *tls.Config
	switch a.o.Config.gatewayTLS() {
	case "off":
		return nil, nil
	case "files":
		var err error
		if secure, err = a.fileTLS(); err != nil {
			return nil, err
		}
	case "auto":
		c := &doorCert{ca: a.authority.ca, now: time.Now}
		c.names, c.addresses = a.doorNames()
		if _, err := c.get(nil); err != nil {
			return nil, err
		}
		secure = &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	secure.ClientAuth = tls.RequestClientCert
	return secure, nil
}

// doorNames are the names and addresses by which the door is reached.
func (a *App) doorNames() (names []string, addresses []net.IP) {
	names, addresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	add := func(host string) {
		if ip := net.ParseIP(host); ip != nil {
			if !ip.IsUnspecified() && !slices.ContainsFunc(addresses, ip.Equal) {
				addresses = append(addresses, ip)
			}
			return
		}
		if host = strings.ToLower(strings.TrimSuffix(host, ".")); host != "" && !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	for _, h := range a.o.Config.Hosts {
		add(h)
	}
	if host, _, err := net.SplitHostPort(a.Address("gateway_listen")); err == nil {
		add(host)
	}
	if u, err := urlHost(a.authority.issuer); err == nil {
		add(u)
	}
	if host, err := os.Hostname(); err == nil && !strings.ContainsAny(host, " _") {
		add(host)
	}
	return names, addresses
}

// doorCert is the door's certificate from the built-in authority, renewed at
// half its life, and at once when its root is gone.
type doorCert struct {
	ca        *ca.CA
	names     []string
	addresses []net.IP
	now       func() time.Time

	mu       sync.Mutex // guards what follows
	cert     *tls.Certificate
	sequence int64 // of the authority when cert was made
	renew    time.Time
}

func (c *doorCert) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, sequence := c.now(), c.ca.Sequence()
	if c.cert != nil && sequence == c.sequence && now.Before(c.renew) {
		return c.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	s, err := c.ca.Server("door", c.names, c.addresses, key.Public(), 0)
	if err != nil {
		if c.cert != nil && sequence == c.sequence {
			return c.cert, nil // good for the other half of its life
		}
		return nil, err
	}
	c.cert = &tls.Certificate{Certificate: s.Chain, PrivateKey: key}
	c.sequence, c.renew = sequence, now.Add(s.NotAfter.Sub(now)/2)
	return c.cert, nil
}
