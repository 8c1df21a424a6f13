package client

// This file holds the shapes of peers: agents that speak A2A behind an upstream
// of kind a2a.

// Peer is what an upstream of kind a2a says of the agent behind it beside its
// address.
type Peer struct {
	// Agent is the registered agent that answers there; "" for one that is not
	// registered. What is sent to it is a delegation, and it is given a token with
	// which it acts for the sender.
	Agent string `json:"agent,omitempty"`
	// Effect is what a message to it may do: read, write or destructive, which ""
	// also means.
	Effect string `json:"effect,omitempty"`
	// CardPath is where its card is, below the upstream's address; "" is
	// /.well-known/agent-card.json.
	CardPath string `json:"card_path,omitempty"`
	// Binding is the one to speak to it: JSONRPC, HTTP+JSON or GRPC; "" takes the
	// card's first that needs no translation, else its first.
	Binding string `json:"binding,omitempty"`
	// Origins are further places, as scheme://host:port, at which the card's
	// interfaces may be; without any they are at the upstream's own.
	Origins []string `json:"origins,omitempty"`
	// CardKeys is a JWK set; with it the card must have a signature by one of its
	// keys.
	CardKeys string `json:"card_keys,omitempty"`
	// PushHosts are the hosts to which the peer may be told to send its updates; a
	// host that begins with a dot stands for all below it. None: any public one.
	PushHosts []string `json:"push_hosts,omitempty"`
}
