package mcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/jcs"
	"reeve/internal/upstream"
)

// links are our connections to servers, one for each caller and upstream and
// for what the caller's client can be asked.
type links struct {
	ids atomic.Int64

	mu  sync.Mutex
	all map[linkKey]*linked
}

type linkKey struct {
	of       owner
	revision int64
	caps     [32]byte
}

// linked is a connection that is made once, by the first who needs it.
type linked struct {
	mu   sync.Mutex
	l    link
	used time.Time
}

const maxLinks = 10_000

var errManyLinks = fault.New(fault.KindExhausted, "mcp.links", "the door has too many sessions with servers")

// of finds or makes the caller's connection to a server with sessions, or over
// pipes. caps are what the client can be asked.
func (s *links) of(x *exchange, like *http.Request, caps, client []byte) (link, error) {
	of := ownerOf(x.c)
	of.upstream = x.c.Upstream.Name // at /mcp too
	return s.get(x.p, x.c.Upstream, of, like, caps, client)
}

// get is of for anybody.
func (s *links) get(p *Protocol, u *upstream.Upstream, of owner, like *http.Request, caps, client []byte) (link, error) {
	k := linkKey{of: of, revision: u.Revision, caps: sumOf(caps)}
	if p.children.shareable(u) {
		k = linkKey{of: owner{upstream: u.Name}, revision: k.revision} // a person said that callers share it
	}
	s.mu.Lock()
	n := s.all[k]
	if n == nil {
		if len(s.all) >= maxLinks {
			s.mu.Unlock()
			return nil, errManyLinks
		}
		if s.all == nil {
			s.all = map[linkKey]*linked{}
		}
		n = &linked{}
		s.all[k] = n
	}
	s.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.used = p.o.Now()
	if n.l != nil && !over(n.l) {
		return n.l, nil
	}
	l, err := p.connect(u, like, caps, client, &s.ids)
	if err != nil {
		return nil, err
	}
	n.l = l
	return l, nil
}

// sumOf is the same for all texts of the same capabilities.
func sumOf(caps []byte) [sha256.Size]byte {
	if len(caps) == 0 {
		caps = []byte("{}")
	}
	if form, err := (jcs.Form{Exact: true}).Append(nil, caps); err == nil {
		caps = form
	}
	return sha256.Sum256(caps)
}

// piped reports whether a server is reached in another way than by streamable
// HTTP.
func piped(u *upstream.Upstream) bool { return u.Dialect == "stdio" || u.Dialect == "sse" }

// over reports whether a connection has ended.
func over(l link) bool {
	switch l := l.(type) {
	case *httpLink:
		return l.gone.Load()
	case interface{ ended() bool }:
		return l.ended()
	}
	return false
}

// sweep ends connections that nobody used for long.
func (s *links) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, n := range s.all {
		if !n.mu.TryLock() {
			continue // somebody makes it
		}
		if now.Sub(n.used) > sessionIdle {
			shut(n.l)
			delete(s.all, k)
		}
		n.mu.Unlock()
	}
}

// end ends all.
func (s *links) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, n := range s.all {
		n.mu.Lock()
		shut(n.l)
		n.mu.Unlock()
		delete(s.all, k)
	}
}

func shut(l link) {
	if c, ok := l.(interface{ close() }); ok {
		c.close()
	}
}

// connect begins a session with a server.
func (p *Protocol) connect(u *upstream.Upstream, like *http.Request, caps, client []byte, ids *atomic.Int64) (link, error) {
	ctx, cancel := context.WithTimeout(like.Context(), 30*time.Second)
	defer cancel()
	switch u.Dialect {
	case "stdio":
		l, err := p.children.start(ctx, u.Name, ids, func(l *pipe) error { return l.greet(ctx, u, caps, client) })
		if err != nil {
			return nil, err
		}
		return l, nil
	case "sse":
		return dialSSE(u, like, caps, client, ids)
	}
	return initialized(ctx, u, like, caps, client, ids)
}

// initialized begins a session over streamable HTTP.
func initialized(ctx context.Context, u *upstream.Upstream, like *http.Request, caps, client []byte, ids *atomic.Int64) (link, error) {
	l := &httpLink{u: u, version: latestSession, ids: ids}
	req := l.request(ctx, like, http.MethodPost, initializeBody(latestSession, caps, client))
	delete(req.Header, "Mcp-Protocol-Version") // not agreed on yet
	resp, err := u.Transport().RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return nil, errLocked
	}
	if l.said, l.version, err = readInitialized(firstMessage(resp)); err != nil {
		return nil, err
	}
	l.session = resp.Header.Get("Mcp-Session-Id")
	if err := l.tell(ctx, like, []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)); err != nil {
		return nil, err
	}
	return l, nil
}

func initializeBody(version string, caps, client []byte) []byte {
	if len(caps) == 0 {
		caps = []byte("{}")
	}
	if len(client) == 0 {
		client = []byte(`{"name":"reeve","version":"1"}`)
	}
	out := append([]byte(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"`+version+`","capabilities":`), caps...)
	return append(append(append(out, `,"clientInfo":`...), client...), `}}`...)
}

// readInitialized reads a server's answer to initialize.
func readInitialized(b []byte) (result []byte, version string, err error) {
	m, err := parse(b)
	if err != nil || m.result.to == 0 {
		return nil, "", errSpeech.WithCause(err)
	}
	result = bytes.Clone(m.result.in(m.raw))
	c := wire.NewCursor(result)
	for o := c.Object(); o.Next(); {
		if string(o.Key) == "protocolVersion" {
			version = c.Text()
		}
	}
	if c.End() != nil || !slices.Contains(sessionVersions, version) {
		return nil, "", errSpeech
	}
	return result, version, nil
}

// discovered is a server without sessions, asked what it is.
func discovered(u *upstream.Upstream, like *http.Request, ids *atomic.Int64) (*httpLink, error) {
	ctx, cancel := context.WithTimeout(like.Context(), probeTime)
	defer cancel()
	l := &httpLink{u: u, now: true, version: modernVersion, ids: ids}
	f, err := l.call(ctx, like, nil, func([]byte) []byte { return discoverBody })
	if err != nil {
		return nil, err
	}
	defer f.end()
	b, err := f.next(ctx)
	if err != nil {
		return nil, errSpeech.WithCause(err)
	}
	m, err := parse(b)
	if err != nil || m.result.to == 0 {
		return nil, errSpeech.WithCause(err)
	}
	l.said = bytes.Clone(m.result.in(m.raw))
	return l, nil
}

// asInitialized is a DiscoverResult as an InitializeResult of a version; tasks is
// whether the server runs tools as tasks for such a client.
func asInitialized(said []byte, version string) (_ []byte, tasks bool) {
	var d struct {
		Capabilities json.RawMessage            `json:"capabilities"`
		Instructions string                     `json:"instructions,omitempty"`
		Meta         map[string]json.RawMessage `json:"_meta"`
	}
	_ = json.Unmarshal(said, &d) // was read before; what is missing gets a value below
	d.Capabilities, tasks = asTasksOf(d.Capabilities, version)
	out := map[string]any{"protocolVersion": version, "capabilities": d.Capabilities, "serverInfo": d.Meta[keyServer]}
	if len(d.Capabilities) == 0 {
		out["capabilities"] = struct{}{}
	}
	if len(d.Meta[keyServer]) == 0 {
		out["serverInfo"] = map[string]string{"name": "unknown", "version": "0"}
	}
	if d.Instructions != "" {
		out["instructions"] = d.Instructions
	}
	return encoded(out), tasks
}

// asDiscovered is an InitializeResult as a DiscoverResult.
func asDiscovered(said []byte) []byte {
	var d struct {
		Capabilities map[string]json.RawMessage `json:"capabilities"`
		Instructions string                     `json:"instructions"`
		Server       json.RawMessage            `json:"serverInfo"`
	}
	_ = json.Unmarshal(said, &d)
	if d.Capabilities == nil {
		d.Capabilities = map[string]json.RawMessage{}
	}
	delete(d.Capabilities, "tasks") // of another form there
	if hasTasks(said) {
		withTasks(d.Capabilities)
	}
	out := map[string]any{
		"resultType": "complete", "supportedVersions": []string{modernVersion}, "capabilities": d.Capabilities,
		"ttlMs": 0, "cacheScope": "private", "_meta": map[string]any{keyServer: d.Server},
	}
	if len(d.Server) == 0 {
		delete(out, "_meta")
	}
	if d.Instructions != "" {
		out["instructions"] = d.Instructions
	}
	return encoded(out)
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // of what was JSON before
		panic(err)
	}
	return b
}
