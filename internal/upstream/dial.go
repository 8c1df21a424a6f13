package upstream

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"reeve/internal/fault"
)

// private are the ranges that lead into somebody's own network and that netip
// does not name.
var private = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), // IPv4 in an old form
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"), // Teredo hides an IPv4 address
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// metadata are the addresses at which clouds hand out credentials of the host.
// No upstream is there, so nothing allows them.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("168.63.129.16"),
	netip.MustParseAddr("fd00:ec2::254"),
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
	siit   = netip.MustParsePrefix("::ffff:0:0:0/96")
)

// inner is the IPv4 address that an IPv6 address stands for, if any: a guard
// that does not look inside is walked around.
func inner(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case ip.Is4In6():
		return ip.Unmap()
	case ip.Is6() && (nat64.Contains(ip) || siit.Contains(ip)):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case ip.Is6() && sixTo4.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

// CheckAddress refuses addresses that the door must not dial. Link-local,
// multicast and metadata addresses are refused even where private ones are
// allowed.
func CheckAddress(ip netip.Addr, allowPrivate bool) error {
	ip = inner(ip.WithZone(""))
	refused := func(why string) error {
		return fault.New(fault.KindDenied, "upstream.address", "the upstream's address is %s", why)
	}
	for _, m := range metadata {
		if ip == m {
			return refused("where a cloud hands out credentials")
		}
	}
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return refused("none that can be called")
	case ip.IsLinkLocalUnicast():
		return refused("link-local")
	case allowPrivate:
		return nil
	}
	inside := ip.IsPrivate() || ip.IsLoopback()
	for _, p := range private {
		inside = inside || p.Contains(ip)
	}
	if inside {
		return fault.New(fault.KindDenied, "upstream.address", "the upstream's address is %s", "private").
			WithHint("set allow_private if it is meant to be inside the house")
	}
	return nil
}

// Guarded is a transport that dials only what an upstream may be at, for what is
// asked about an upstream somewhere else, such as its authorization server.
func Guarded(allowPrivate bool, timeout time.Duration) *http.Transport {
	return newTransport(allowPrivate, timeout)
}

// newTransport dials only allowed addresses, uses no proxy from the environment
// (it would resolve names where nobody checks) and leaves bodies as they are.
func newTransport(allowPrivate bool, timeout time.Duration) *http.Transport {
	d := &net.Dialer{
		Timeout:   10 * time.Second,
		KeepAlive: 30 * time.Second,
		// Called with the resolved address of each attempt: a name that resolves
		// to something else the second time gains nothing.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fault.New(fault.KindDenied, "upstream.address", "the upstream's address is %s", "not an address").WithCause(err)
			}
			return CheckAddress(at.Addr(), allowPrivate)
		},
	}
	return &http.Transport{
		DialContext: d.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 256 << 10,
	}
}
