package a2a

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// resolveTime bounds the look-up of a push address.
const resolveTime = 3 * time.Second

func pushFault(why string) *fault.Error {
	return fault.New(fault.KindInvalid, "a2a.push_url", "the peer may not be told to send its updates there: %s", why)
}

// resolver looks up names; *net.Resolver is one.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// pushHost is the host of a push address, which would have the peer reach into a
// private network for the caller if it were not checked. resolve says that its
// name must still be looked up, which waits until the call was decided: a name
// that is looked up is told to whoever answers for it. The peer resolves it
// again when it sends, so this does not replace its own care; an upstream's push
// hosts do.
func pushHost(u *upstream.Upstream, push []byte) (host string, resolve bool, err error) {
	text := textAt(push, "url")
	to, err := url.Parse(text)
	switch {
	case text == "" || err != nil || len(text) > 2000 || to.Opaque != "" || to.Hostname() == "":
		return "", false, pushFault("it is no address")
	case to.User != nil || to.Fragment != "":
		return "", false, pushFault("it has a user or a fragment")
	case to.Scheme != "https" && (to.Scheme != "http" || !u.AllowPrivate):
		return "", false, pushFault("it is not https")
	}
	host = strings.ToLower(strings.TrimSuffix(to.Hostname(), "."))
	if u.Peer != nil && len(u.Peer.PushHosts) > 0 {
		if !slices.ContainsFunc(u.Peer.PushHosts, func(h string) bool {
			return h == host || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
		}) {
			return host, false, pushFault("the upstream's push hosts do not list " + host)
		}
		return host, false, nil // a person said so: names inside the house, too
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return host, false, allowed(ip)
	}
	if odd(host) {
		return host, false, pushFault("it is an address in a form that readers take differently")
	}
	return host, true, nil
}

// resolvePush looks a push host up: all that it stands for must be public.
func (p *Protocol) resolvePush(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	list, err := p.o.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(list) == 0 {
		return pushFault("its name cannot be resolved")
	}
	for _, ip := range list {
		if err := allowed(ip.Unmap()); err != nil {
			return err
		}
	}
	return nil
}

func allowed(ip netip.Addr) error {
	if err := upstream.CheckAddress(ip, false); err != nil {
		return pushFault("its address is private or none that can be called")
	}
	return nil
}

// odd: 127.1, 0x7f000001 and 017700000001 are addresses to some.
func odd(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || last[0] >= '0' && last[0] <= '9' || strings.HasPrefix(host, "0x") || strings.HasSuffix(host, "localhost") ||
		strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 })
}

var _ resolver = (*net.Resolver)(nil)
