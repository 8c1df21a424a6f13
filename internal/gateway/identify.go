package gateway

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"

	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// Tokens proves credentials that are not agent keys (token.Verifier).
type Tokens interface {
	Bearer(ctx context.Context, text string, r *http.Request) (token.Principal, error)
	Peer(cert *x509.Certificate) (token.Principal, error)
}

// Subjects says on whose behalf a call is made, from X-Reeve-Subject-Token.
type Subjects interface {
	// Subject verifies text, which must name us as its audience and c's agent as
	// the one that may act, and adds the user, teams, groups and chain to c.
	Subject(ctx context.Context, text string, c *Caller) error
}

const (
	keyPrefix   = "rvk_"
	localPrefix = "rvr_" // of `reeve run`, for its own address alone
)

var (
	errNoCredential = fault.New(fault.KindUnauthenticated, "gateway.credential_missing", "the call has no credential of an agent").
			WithHint("send an agent key as Authorization: Bearer or x-api-key; `reeve agent key create AGENT` makes one")
	errTwoCredentials = fault.New(fault.KindUnauthenticated, "gateway.credential_ambiguous", "the call has credentials that differ").
				WithHint("send one: Authorization: Bearer, x-api-key, api-key or x-goog-api-key")
	errScheme = fault.New(fault.KindUnauthenticated, "gateway.credential_scheme", "a credential of Reeve came in Authorization without its scheme").
			WithHint("send it as Authorization: Bearer, or as x-api-key")
	errUnknownCredential = fault.New(fault.KindUnauthenticated, "gateway.credential", "the credential is none that Reeve knows").
				WithHint("agent keys begin with rvk_; a provider's own key stays with Reeve, which adds it")
	errLocalCredential = fault.New(fault.KindUnauthenticated, "gateway.credential", "the credential is good at the address of its `reeve run` alone, not at the door").
				WithHint("send the call to $REEVE_DOOR; `reeve run --listen 127.0.0.1:7391` gives that a fixed port")
	errOtherCredential = fault.New(fault.KindUnauthenticated, "gateway.credential", "the credential is Reeve's, and none of an agent").
				WithHint("agent keys begin with rvk_; rvt_ and rva_ are people's, rvi_ is for telemetry, rvj_ enrols an instance")
	errSubject = fault.New(fault.KindUnauthenticated, "gateway.subject", "the subject token cannot be verified here")
	errUnknown = fault.New(fault.KindUnauthenticated, "agent.unknown", "the credential's agent is not registered").
			WithHint("`reeve agent create` registers it")
	errDevName = fault.New(fault.KindInvalid, "agent.invalid", "X-Reeve-Agent is no agent's name").
			WithHint("lower-case letters, digits and . _ -, at most 64, a letter or digit first")
)

// presented is the credential in a request's headers, "" for none.
func presented(h http.Header) (string, error) {
	found := ""
	take := func(v string) bool {
		if v == "" || v == found {
			return true
		}
		if found != "" {
			return false
		}
		found = v
		return true
	}
	for _, v := range h["Authorization"] {
		scheme, text, _ := strings.Cut(v, " ")
		switch bearer := strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP"); {
		case bearer && !take(strings.TrimSpace(text)):
			return "", errTwoCredentials
		case !bearer && misplaced(scheme, text):
			return "", errScheme
		}
	}
	for _, name := range [...]string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		for _, v := range h[name] {
			switch {
			case !own(v) && misplaced("", v): // "Bearer rvk_..." under a name that takes the key alone
				return "", errScheme
			case !take(v):
				return "", errTwoCredentials
			}
		}
	}
	return found, nil
}

// misplaced reports whether an Authorization header of another scheme, or of none,
// holds a credential of Reeve: whoever sends one means to be known by it, and is not
// taken for somebody without, in dev mode above all.
func misplaced(scheme, text string) bool {
	if own(scheme) {
		return true
	}
	for word := range strings.FieldsSeq(text) {
		if own(word) {
			return true
		}
	}
	if !strings.EqualFold(scheme, "Basic") {
		return false
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return false
	}
	user, password, _ := strings.Cut(string(pair), ":")
	return own(user) || own(password)
}

// own reports whether a text begins as Reeve's keys, tokens and passwords do: rvk_,
// rvr_, rvt_, rvi_, rva_, rvj_ and what may follow.
func own(text string) bool {
	return len(text) >= 4 && strings.EqualFold(text[:2], "rv") && text[3] == '_'
}

// signed reports whether a text has the form of a signed token.
func signed(text string) bool { return strings.Count(text, ".") == 2 }

// ours reports whether a text has the form of a credential of Reeve: a key, token
// or password of its own or a signed token. None of them is a client library's dummy: whoever shows one that
// is not valid is told so, in dev mode too.
func ours(text string) bool {
	return own(text) || signed(text)
}

// identify finds out who calls.
func (d *Door) identify(ctx context.Context, x *passage) error {
	r, c := x.Request, &x.Caller
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Address = at.Addr().Unmap()
	}
	text, err := presented(r.Header)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(text, keyPrefix):
		err = d.byKey(text, c)
	case signed(text) && d.o.Tokens != nil:
		var p token.Principal
		if p, err = d.o.Tokens.Bearer(ctx, text, r); err == nil {
			err = d.byPrincipal(p, x)
		}
	case text == "" && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && d.o.Tokens != nil:
		var p token.Principal
		if p, err = d.o.Tokens.Peer(r.TLS.PeerCertificates[0]); err == nil {
			err = d.byPrincipal(p, x)
		}
	case d.o.Dev && !ours(text):
		// Client libraries insist on some key; in dev mode nobody needs one.
		err = d.byName(ctx, r.Header.Get("X-Reeve-Agent"), c)
	case text == "":
		err = errNoCredential
	case strings.HasPrefix(text, localPrefix):
		err = errLocalCredential
	case ours(text) && !signed(text):
		err = errOtherCredential
	default:
		err = errUnknownCredential
	}
	if err != nil {
		return err
	}
	x.identified = true
	if subject := r.Header.Get("X-Reeve-Subject-Token"); subject != "" {
		if d.o.Subjects == nil {
			return errSubject
		}
		if err := d.o.Subjects.Subject(ctx, subject, c); err != nil {
			return err
		}
	}
	d.o.Agents.Seen(agent.Sighting{Agent: c.Agent.Name, At: x.started})
	return nil
}

func (d *Door) byKey(text string, c *Caller) error {
	k, a, err := d.o.Agents.Key(text, c.Address)
	if err != nil {
		return err
	}
	c.Agent, c.Credential, c.CredentialID, c.Epoch, c.Expires = a, "agent_key", k.ID, k.Epoch, k.ExpiresAt
	return nil
}

func (d *Door) byPrincipal(p token.Principal, x *passage) error {
	c := &x.Caller
	a, ok := d.o.Agents.Lookup(p.Agent)
	if !ok {
		x.claimed = p.Agent
		return errUnknown
	}
	if p.Epoch < a.Epoch || a.Lifecycle == agent.Retired {
		return errUnknownCredential
	}
	c.Agent, c.Credential, c.CredentialID, c.Bound = a, p.Credential, p.CredentialID, p.Bound
	c.Instance, c.User, c.UserGroups, c.Chain, c.Epoch, c.Expires = p.Instance, p.User, p.UserGroups, p.Chain, p.Epoch, p.Expires
	if p.Credential == "access_token" {
		c.Scopes = p.Scopes
	}
	return nil
}

// byName is a call of --dev: whoever it says it is.
func (d *Door) byName(ctx context.Context, name string, c *Caller) error {
	if name == "" {
		name = "dev-agent"
	}
	if !agent.ValidName(name) {
		return errDevName
	}
	a, err := d.o.Agents.EnsureDev(ctx, name)
	if err != nil {
		return err
	}
	c.Agent, c.Credential, c.Epoch = a, "dev", a.Epoch
	return nil
}
