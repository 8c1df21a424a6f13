package a2a

import (
	"strings"

	"reeve/client"
	"reeve/internal/pin"
)

// Card is a peer's card as people see it. It fetches nothing; an upstream that
// was never asked has none.
func (p *Protocol) Card(upstream string) client.PeerCard {
	out := client.PeerCard{
		Upstream: upstream, Definition: PinName(upstream), State: "unknown", Signature: "none", Interfaces: []client.PeerInterface{},
		Door: strings.TrimSuffix(p.o.Base, "/") + "/a2a/" + upstream,
	}
	k, err := p.cards.known(upstream)
	if err != nil {
		out.Error = err.Message
		if err.Hint != "" {
			out.Error += ": " + err.Hint
		}
	}
	if k == nil {
		return out
	}
	out.Name, out.Version, out.Description = k.pb.GetName(), k.pb.GetVersion(), k.pb.GetDescription()
	out.Hash, out.Signature, out.FetchedAt = k.hash, k.signed, &k.fetched
	out.Streaming, out.Push, out.Extended = k.streams, k.pushes, k.extended
	if out.State = pin.Held; p.o.Pins != nil {
		if _, accepted := p.pinned(upstream, k); accepted {
			out.State = pin.Accepted
		}
	}
	for _, i := range k.pb.GetSupportedInterfaces() {
		out.Interfaces = append(out.Interfaces, client.PeerInterface{
			Binding: i.GetProtocolBinding(), Version: i.GetProtocolVersion(), URL: i.GetUrl(), Tenant: i.GetTenant(), Refused: k.refused[i.GetUrl()+i.GetProtocolBinding()+i.GetProtocolVersion()],
		})
	}
	return out
}
