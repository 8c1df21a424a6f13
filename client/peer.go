package client

import "time"

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

// PeerCard is the card of the agent behind an upstream of kind a2a, as it was
// fetched, and whether people accepted it. Its texts are the peer's own.
type PeerCard struct {
	Upstream    string          `json:"upstream"`
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Description string          `json:"description"`
	Definition  string          `json:"definition"` // what it is called among the tools that wait for a person
	State       string          `json:"state"`      // accepted, held; unknown before it was fetched
	Hash        string          `json:"hash,omitempty"`
	Signature   string          `json:"signature"` // verified, unchecked, none
	Interfaces  []PeerInterface `json:"interfaces"`
	Streaming   bool            `json:"streaming"`
	Push        bool            `json:"push"`
	Extended    bool            `json:"extended"`
	FetchedAt   *time.Time      `json:"fetched_at"`
	Error       string          `json:"error,omitempty"` // why it could not be fetched the last time
	Door        string          `json:"door"`            // where agents find it
}

// PeerInterface is an interface that a peer's card names.
type PeerInterface struct {
	Binding string `json:"binding"`
	Version string `json:"version"`
	URL     string `json:"url"`
	Tenant  string `json:"tenant,omitempty"`
	Refused string `json:"refused,omitempty"` // why it is not used; "" it can be
}
