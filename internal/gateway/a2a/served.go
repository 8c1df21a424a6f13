package a2a

import (
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"

	a2apb "github.com/a2aproject/a2a-go/v2/a2apb/v1"

	"reeve/internal/upstream"
)

// scheme is the name of what our cards ask of callers.
const scheme = "reeve"

// rewrite makes the card that clients see: the peer's own words about itself,
// our addresses, and what we ask of callers.
func (p *Protocol) rewrite(u *upstream.Upstream, from *a2apb.AgentCard, first binding) *a2apb.AgentCard {
	out := proto.Clone(from).(*a2apb.AgentCard)
	out.Signatures = nil
	base := strings.TrimSuffix(p.o.Base, "/") + "/a2a/" + u.Name
	add := func(b binding, e era) {
		i := &a2apb.AgentInterface{Url: base, ProtocolBinding: b.String(), ProtocolVersion: e.String()}
		if b == gRPC {
			i.Url, i.Tenant = hostPort(p.o.Base), u.Name // a gRPC client is given no path
		}
		out.SupportedInterfaces = append(out.SupportedInterfaces, i)
	}
	out.SupportedInterfaces = nil
	add(first, era10)
	for _, b := range []binding{jsonRPC, httpJSON, gRPC} {
		if b != first {
			add(b, era10)
		}
	}
	add(jsonRPC, era03)
	// What the peer asks of us is ours to have; what we ask is a credential of the
	// agent.
	out.SecuritySchemes, out.SecurityRequirements = nil, nil
	for _, s := range out.GetSkills() {
		s.SecurityRequirements = nil
	}
	if !p.o.Dev {
		out.SecuritySchemes = map[string]*a2apb.SecurityScheme{scheme: {Scheme: &a2apb.SecurityScheme_HttpAuthSecurityScheme{
			HttpAuthSecurityScheme: &a2apb.HTTPAuthSecurityScheme{Scheme: "Bearer", Description: "an agent key or a token of Reeve"},
		}}}
		// No security requirements: of the official libraries one reads only what the
		// specification has, and another only something else.
	}
	return out
}

func hostPort(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if u.Port() == "" {
		if u.Scheme == "http" {
			return u.Host + ":80"
		}
		return u.Host + ":443"
	}
	return u.Host
}

// sign makes a card and its signature.
func (p *Protocol) sign(pb *a2apb.AgentCard) (object, error) {
	payload, err := canonicalCard(pb)
	if err != nil {
		return nil, err
	}
	o, err := cardJSON(pb)
	if err != nil || p.o.Sign == nil {
		return o, err
	}
	protected, signature, err := p.o.Sign(payload)
	if err != nil {
		return nil, err
	}
	o["signatures"] = []any{object{"protected": protected, "signature": signature}}
	return o, nil
}

// serve is the upstream's card as clients get it: that of their version, or of
// both in one where they did not say, which are many.
func (p *Protocol) serve(u *upstream.Upstream, k *card, r *request) ([]byte, error) {
	s := p.cards.slot(u.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := p.o.Now()
	if s.served == nil || s.served.of.hash != k.hash || !now.Before(s.served.until) {
		made, err := p.serving(u, k)
		if err != nil {
			return nil, err
		}
		made.until = now.Add(servedLife)
		s.served = made
	}
	switch {
	case r.bare:
		return s.served.all, nil
	case r.era == era03:
		return s.served.old, nil
	}
	return s.served.new, nil
}

func (p *Protocol) serving(u *upstream.Upstream, k *card) (*servedCard, error) {
	o, err := p.sign(p.rewrite(u, k.pb, k.ifaces[0].binding))
	if err != nil {
		return nil, err
	}
	s := &servedCard{of: k}
	if s.new, err = canonicalJSON(o); err != nil {
		return nil, err
	}
	old := oldCard(o)
	if s.old, err = canonicalJSON(old); err != nil {
		return nil, err
	}
	s.all, err = canonicalJSON(bothCards(o, old))
	return s, err
}

// oldCard makes a card of 0.3 of one of 1.0, which stays as it is.
func oldCard(o object) object {
	out := object{"protocolVersion": "0.3.0", "preferredTransport": jsonRPC.String()}
	for _, name := range []string{"name", "description", "version", "iconUrl", "provider", "documentationUrl", "defaultInputModes", "defaultOutputModes", "skills"} {
		if v, ok := o[name]; ok {
			out[name] = v
		}
	}
	list, _ := o["supportedInterfaces"].([]any)
	for _, v := range list {
		if i, ok := v.(object); ok && i["protocolVersion"] == era03.String() {
			out["url"] = i["url"]
		}
	}
	caps := object{}
	given, _ := o["capabilities"].(object)
	for k, v := range given {
		if k == "extendedAgentCard" {
			out["supportsAuthenticatedExtendedCard"] = v
			continue
		}
		caps[k] = v
	}
	out["capabilities"] = caps
	if _, ok := o["securitySchemes"]; ok {
		out["securitySchemes"] = object{scheme: object{"type": "http", "scheme": "bearer"}}
		out["security"] = []any{object{scheme: []any{}}}
	}
	return out
}

// bothCards is one card that readers of both versions read. Its signature is of
// what a reader of 1.0 finds.
func bothCards(o, old object) object {
	out := object{}
	for k, v := range old {
		out[k] = v
	}
	for k, v := range o {
		out[k] = v
	}
	if schemes, ok := o["securitySchemes"].(object); ok {
		both := object{}
		mine, _ := schemes[scheme].(object)
		for k, v := range mine {
			both[k] = v
		}
		both["type"], both["scheme"] = "http", "bearer"
		out["securitySchemes"] = object{scheme: both}
	}
	return out
}
