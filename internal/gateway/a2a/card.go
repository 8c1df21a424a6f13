package a2a

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	a2apb "github.com/a2aproject/a2a-go/v2/a2apb/v1"

	"reeve/internal/fault"
	"reeve/internal/pin"
	"reeve/internal/upstream"
)

const (
	maxCard     = 1 << 20
	cardTime    = 10 * time.Second
	cardLife    = 5 * time.Minute // where the peer says nothing
	minCardLife = 30 * time.Second
	maxCardLife = time.Hour
	cardRetry   = 5 * time.Second  // after a card that could not be had
	maxStale    = time.Hour        // how long an old card stands in
	servedLife  = 30 * time.Minute // of a signature of ours
)

// iface is an interface of a peer that can be used.
type iface struct {
	wire
	url    *url.URL
	tenant string
}

// card is a peer's card as it was fetched. It never changes.
type card struct {
	pb       *a2apb.AgentCard  // as 1.0, without signatures
	tool     pin.Tool          // what people are asked about
	hash     string            // of tool
	ifaces   []iface           // that can be used, the peer's preference first
	refused  map[string]string // why interfaces are not used, by address, binding and version
	streams  bool
	pushes   bool
	extended bool
	signed   string // verified, unchecked, none
	etag     string
	fetched  time.Time
	until    time.Time
}

// slot is one upstream's card.
type slot struct {
	fast atomic.Pointer[current] // what calls read, without a lock

	mu     sync.Mutex // around fetching, and what follows
	err    *fault.Error
	next   time.Time // no earlier than this after err
	served *servedCard
}

// current is a card with what of its upstream it is for.
type current struct {
	*card
	url, path, keys, origins string
}

func (c *current) of(u *upstream.Upstream) bool {
	path, keys := cardPlace(u)
	return c != nil && c.url == u.URL && c.path == path && c.keys == keys && c.origins == originsOf(u)
}

func originsOf(u *upstream.Upstream) string {
	if u.Peer == nil || len(u.Peer.Origins) == 0 {
		return ""
	}
	return strings.Join(u.Peer.Origins, " ")
}

// servedCard is a card as clients get it.
type servedCard struct {
	of            *card
	until         time.Time
	new, old, all []byte // 1.0, 0.3, and both in one
}

// cards are the cards of all peers.
type cards struct {
	p  *Protocol
	mu sync.Mutex
	m  map[string]*slot
}

func (c *cards) slot(name string) *slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.m[name]
	if s == nil {
		s = &slot{}
		c.m[name] = s
	}
	return s
}

// get is the upstream's card, fetched when it is not there or too old.
func (c *cards) get(ctx context.Context, u *upstream.Upstream) (*card, error) {
	s := c.slot(u.Name)
	if k := s.fast.Load(); k.of(u) && c.p.o.Now().Before(k.until) {
		return k.card, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, old := c.p.o.Now(), s.fast.Load()
	if !old.of(u) {
		if old != nil && old.url != u.URL {
			c.p.tasks.forget(u.Name) // they were another's
		}
		old, s.err, s.served, s.next = nil, nil, nil, time.Time{}
		s.fast.Store(nil)
	}
	switch {
	case old != nil && now.Before(old.until):
		return old.card, nil // somebody else fetched it meanwhile
	case s.err != nil && now.Before(s.next):
		return old.standIn(now, s.err)
	}
	var known *card
	if old != nil {
		known = old.card
	}
	fresh, err := c.fetch(ctx, u, known)
	if err != nil {
		if ctx.Err() != nil { // the caller went away; the next one tries
			return nil, err
		}
		s.err, s.next = fault.From(err), now.Add(cardRetry)
		return old.standIn(now, s.err)
	}
	c.store(ctx, s, u, fresh)
	return fresh, nil
}

// store puts a card in force. Holds s.mu.
func (c *cards) store(ctx context.Context, s *slot, u *upstream.Upstream, k *card) {
	path, keys := cardPlace(u)
	c.p.seen(ctx, u.Name, k)
	s.fast.Store(&current{k, u.URL, path, keys, originsOf(u)})
	s.err = nil
}

// ahead fetches a card that will be too old soon, while calls go on with it.
func (c *cards) ahead(ctx context.Context, u *upstream.Upstream) error {
	s := c.slot(u.Name)
	old := s.fast.Load()
	if !old.of(u) {
		_, err := c.get(ctx, u)
		return err
	}
	if c.p.o.Now().Before(old.until.Add(-refreshLead)) {
		return nil
	}
	fresh, err := c.fetch(ctx, u, old.card)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = fault.From(err)
		return err
	}
	if s.fast.Load() == old {
		c.store(ctx, s, u, fresh)
	}
	return nil
}

// standIn is the old card for as long as it may stand in.
func (c *current) standIn(now time.Time, err *fault.Error) (*card, error) {
	if c != nil && now.Sub(c.fetched) < maxStale {
		return c.card, nil
	}
	return nil, err
}

// known is the card as it was last fetched, and why the last try failed.
func (c *cards) known(name string) (*card, *fault.Error) {
	s := c.slot(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.fast.Load(); k != nil {
		return k.card, s.err
	}
	return nil, s.err
}

func cardPlace(u *upstream.Upstream) (path, keys string) {
	if p := u.Peer; p != nil {
		path, keys = p.CardPath, p.CardKeys
	}
	if path == "" {
		path = cardPath
	}
	return path, keys
}

// fetch gets the card; old is the one that is there, which the peer may say is
// still the same.
func (c *cards) fetch(ctx context.Context, u *upstream.Upstream, old *card) (*card, error) {
	ctx, cancel := context.WithTimeout(ctx, cardTime)
	defer cancel()
	path, _ := cardPlace(u)
	resp, err := c.ask(ctx, u, path, old)
	if err == nil && resp.StatusCode == http.StatusNotFound && path == cardPath {
		_ = resp.Body.Close()
		resp, err = c.ask(ctx, u, oldCardPath, nil) // where it was before 0.3
	}
	if err != nil {
		return nil, errCard.WithCause(err)
	}
	defer func() { _ = resp.Body.Close() }()
	now := c.p.o.Now()
	switch {
	case resp.StatusCode == http.StatusNotModified && old != nil:
		same := *old
		same.fetched, same.until = now, now.Add(lifeOf(resp.Header))
		return &same, nil
	case resp.StatusCode != http.StatusOK:
		return nil, errCard.WithHint("its place answers %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxCard+1))
	switch {
	case err != nil:
		return nil, errCard.WithCause(err)
	case len(text) > maxCard:
		return nil, errCard.WithHint("it is larger than %d bytes", maxCard)
	}
	k, err := c.read(u, text)
	if err != nil {
		return nil, err
	}
	k.etag, k.fetched, k.until = resp.Header.Get("Etag"), now, now.Add(lifeOf(resp.Header))
	return k, nil
}

func (c *cards) ask(ctx context.Context, u *upstream.Upstream, path string, old *card) (*http.Response, error) {
	target, err := u.Target(path, "")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("A2A-Version", era10.String())
	if old != nil && old.etag != "" {
		req.Header.Set("If-None-Match", old.etag)
	}
	if err := u.Authorize(req); err != nil {
		return nil, err
	}
	return u.Transport().RoundTrip(req)
}

// lifeOf is how long an answer's headers say that it is good.
func lifeOf(h http.Header) time.Duration {
	life := cardLife
	for d := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(strings.ToLower(d)), "max-age="); ok {
			if n, err := strconv.ParseInt(text, 10, 32); err == nil {
				life = time.Duration(n) * time.Second
			}
		}
	}
	return min(max(life, minCardLife), maxCardLife)
}

// read checks a card.
func (c *cards) read(u *upstream.Upstream, text []byte) (*card, error) {
	if err := strict(text); err != nil {
		return nil, errCard.WithCause(err).WithHint("it is no JSON that reads in one way: %s", err)
	}
	given := text
	if isOldCard(text) {
		v, err := decode(text)
		if err != nil {
			return nil, errCard.WithCause(err)
		}
		o, _ := v.(object)
		if text, err = encode(newCard(o)); err != nil {
			return nil, errCard.WithCause(err)
		}
	}
	pb, err := readCard(text)
	if err != nil {
		return nil, errCard.WithCause(err).WithHint("it is no card of A2A")
	}
	k := &card{pb: pb, signed: "none"}
	if len(pb.GetSignatures()) > 0 {
		k.signed = "unchecked"
	}
	if _, keys := cardPlace(u); keys != "" {
		if err := verifyCard(given, pb, keys); err != nil {
			return nil, fault.New(fault.KindDenied, "a2a.card_signature", "the peer's card has no signature of the keys that it should have").WithCause(err)
		}
		k.signed = "verified"
	}
	pb.Signatures = nil
	if pb.GetName() == "" || len(pb.GetName()) > 1000 {
		return nil, errCard.WithHint("it has no name")
	}
	if k.tool, err = k.definition(u.Name); err != nil {
		return nil, errCard.WithCause(err)
	}
	if k.hash, err = k.tool.Hash(); err != nil {
		return nil, errCard.WithCause(err)
	}
	caps := pb.GetCapabilities()
	k.streams, k.pushes, k.extended = caps.GetStreaming(), caps.GetPushNotifications(), caps.GetExtendedAgentCard()
	k.refused = map[string]string{}
	var reasons []string
	for _, i := range pb.GetSupportedInterfaces() {
		use, why := usableInterface(u, i)
		if why != "" {
			k.refused[i.GetUrl()+i.GetProtocolBinding()+i.GetProtocolVersion()] = why
			reasons = append(reasons, fmt.Sprintf("%s %s at %s: %s", i.GetProtocolBinding(), i.GetProtocolVersion(), i.GetUrl(), why))
			continue
		}
		k.ifaces = append(k.ifaces, use)
	}
	if len(k.ifaces) == 0 {
		return nil, errCard.WithHint("none of its interfaces can be used: %s", strings.Join(reasons, "; "))
	}
	return k, nil
}

// usableInterface says how an interface is spoken to, or why it is not.
func usableInterface(u *upstream.Upstream, i *a2apb.AgentInterface) (use iface, why string) {
	at := slices.Index(bindingNames[:], i.GetProtocolBinding())
	if at < 0 {
		return use, "its binding is not known"
	}
	use.binding, use.tenant = binding(at), i.GetTenant()
	major, minor, _ := strings.Cut(i.GetProtocolVersion(), ".")
	minor, _, _ = strings.Cut(minor, ".")
	switch {
	case major == "1":
		use.era = era10
	case major == "0" && minor == "3" && use.binding == jsonRPC:
		use.era = era03
	default:
		return use, "its version is not spoken here"
	}
	text := i.GetUrl()
	if use.binding == gRPC && !strings.Contains(text, "://") {
		text = u.Base().Scheme + "://" + text
	}
	to, err := url.Parse(text)
	switch {
	case err != nil || to.Hostname() == "" || to.RawQuery != "" || to.Fragment != "":
		return use, "its address cannot be read"
	case use.binding == gRPC && strings.Trim(to.Path, "/") != "":
		return use, "gRPC has no path"
	case !u.May(to):
		return use, "it is at another origin, which the upstream does not list"
	case len(use.tenant) > maxID || strings.ContainsAny(use.tenant, "/?#%"):
		return use, "its tenant cannot be part of an address"
	}
	use.url = to
	return use, ""
}

// choose is the interface to use for a client's wire: one that needs no
// translation, else the peer's first.
func (k *card) choose(u *upstream.Upstream, of wire) (iface, error) {
	fixed := ""
	if u.Peer != nil {
		fixed = u.Peer.Binding
	}
	best, found := iface{}, false
	for _, i := range k.ifaces {
		switch {
		case fixed != "" && i.binding.String() != fixed:
		case i.wire == of:
			return i, nil
		case !found:
			best, found = i, true
		}
	}
	if !found {
		return best, errCard.WithHint("it has no interface of binding %s that can be used", fixed)
	}
	return best, nil
}

// signatureAlgorithms are those that a card's signature may have.
var signatureAlgorithms = []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.EdDSA, jose.PS256, jose.PS384, jose.PS512, jose.RS256, jose.RS384, jose.RS512}

// verifyCard asks for one good signature by one of the keys.
func verifyCard(given []byte, pb *a2apb.AgentCard, keys string) error {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(keys), &set); err != nil {
		return err
	}
	payload, err := canonicalCard(pb)
	if err != nil {
		return err
	}
	// A signer that keeps what our reader drops signed what it sent.
	raw, err := rawPayload(given)
	if err != nil {
		return err
	}
	err = errors.New("no signature")
	for _, s := range pb.GetSignatures() {
		for _, p := range [][]byte{payload, raw} {
			if err = verifyOne(s.GetProtected(), s.GetSignature(), p, set); err == nil {
				return nil
			}
		}
	}
	return err
}

func rawPayload(given []byte) ([]byte, error) {
	v, err := decode(given)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("no object")
	}
	delete(o, "signatures")
	return canonicalJSON(o)
}

func verifyOne(protected, signature string, payload []byte, set jose.JSONWebKeySet) error {
	text := protected + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + signature
	sig, err := jose.ParseSignedCompact(text, signatureAlgorithms)
	if err != nil {
		return err
	}
	err = errors.New("no key of that id")
	for _, k := range set.Keys {
		if id := sig.Signatures[0].Protected.KeyID; id != "" && k.KeyID != "" && k.KeyID != id {
			continue
		}
		if !k.IsPublic() || !k.Valid() {
			continue
		}
		if _, err = sig.Verify(k); err == nil {
			return nil
		}
	}
	return err
}

// isOldCard reports whether a card is of 0.3.
func isOldCard(text []byte) bool {
	return find(text, "supportedInterfaces") == nil && textAt(text, "url") != ""
}

// newCard makes a card of 1.0 of one of 0.3. What security it asks for is
// between the peer and us, and is not told.
func newCard(o object) object {
	version, _ := o["protocolVersion"].(string)
	if version == "" {
		version = "0.3.0"
	}
	// Cards of 0.3 name three numbers.
	if parts := strings.SplitN(version, ".", 3); len(parts) == 3 {
		version = parts[0] + "." + parts[1]
	}
	first, _ := o["preferredTransport"].(string)
	if first == "" {
		first = jsonRPC.String()
	}
	list := []any{object{"url": o["url"], "protocolBinding": first, "protocolVersion": version}}
	more, _ := o["additionalInterfaces"].([]any)
	for _, m := range more {
		if i, ok := m.(object); ok && (i["url"] != o["url"] || i["transport"] != first) {
			list = append(list, object{"url": i["url"], "protocolBinding": i["transport"], "protocolVersion": version})
		}
	}
	out := object{"supportedInterfaces": list}
	for _, name := range []string{"name", "description", "version", "iconUrl", "provider", "documentationUrl", "capabilities", "defaultInputModes", "defaultOutputModes", "skills", "signatures"} {
		if v, ok := o[name]; ok {
			out[name] = v
		}
	}
	caps, _ := out["capabilities"].(object)
	if caps == nil {
		caps = object{}
	}
	delete(caps, "stateTransitionHistory")
	if v, ok := o["supportsAuthenticatedExtendedCard"].(bool); ok {
		caps["extendedAgentCard"] = v
	}
	out["capabilities"] = caps
	skills, _ := out["skills"].([]any)
	for _, s := range skills {
		if s, ok := s.(object); ok {
			delete(s, "security")
		}
	}
	return out
}
