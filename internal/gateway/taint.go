package gateway

import (
	"net/netip"
	"sync"

	"golang.org/x/net/publicsuffix"

	"reeve/internal/behaviour"
	"reeve/internal/policy"
)

// who is under which names the caller's taint is kept. An instance and a key
// are made by us; a short-lived token is not, its agent gets the next at will.
func (x *passage) who() behaviour.Who {
	c := &x.Caller
	w := behaviour.Who{User: c.User, Credential: c.Agent.Name}
	switch {
	case c.Instance != "":
		w.Credential += "/" + c.Instance
	case c.Credential == "agent_key":
		w.Credential = c.CredentialID
	}
	if x.named {
		w.Run = x.record.Run.String()
	}
	if x.record.Session != "" {
		w.Session = x.record.Team + "/" + x.record.Session
	}
	return w
}

// taint puts into the request what the caller touched, and where the call sends
// data.
func (d *Door) taint(x *passage, req *policy.Request) {
	m := d.o.Behaviour
	to := &req.Call.Destinations
	if u := x.Upstream; u != nil && req.Resource.Upstream == u.Name && u.Host() != "" {
		host := u.Host()
		domain := registrable(host)
		to.All, to.Domains = []string{host}, []string{domain}
		if m != nil && m.First(req.Agent.Name, domain) {
			to.FirstSeen = to.Domains
		}
	}
	if m != nil {
		t := m.Taint(x.who())
		req.Call.Taint = policy.Taint{Classes: t.Classes, Upstreams: t.Upstreams, Untrusted: t.Untrusted}
	}
	d.origins(x, req)
}

// touched notes what the answer brings, before any of it leaves: the next call
// is decided with it. A model's answer is made of what it was given, which was
// noted when the agent got it.
func (d *Door) touched(x *passage) {
	m := d.o.Behaviour
	if m == nil {
		return
	}
	if host := x.Upstream.Host(); host != "" {
		m.Reached(x.record.Agent, registrable(host))
	}
	if x.kind == "llm" {
		return
	}
	d.goes(x)
	m.Touch(x.who(), behaviour.Taint{
		Classes: x.proposal.Resource.Classes, Upstreams: []string{x.Upstream.Name}, Untrusted: x.Upstream.External,
	})
}

// domains remembers the registrable domains of upstreams' hosts, which are few.
var domains sync.Map

// registrable is the domain that somebody registered: of api.eu.example.co.uk
// example.co.uk. An address is its own.
func registrable(host string) string {
	if v, ok := domains.Load(host); ok {
		return v.(string)
	}
	domain := host
	if _, err := netip.ParseAddr(host); err != nil {
		if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			domain = d
		}
	}
	domains.Store(host, domain)
	return domain
}
