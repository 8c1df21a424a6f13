package mcp

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// Bounds of sessions.
const (
	sessionIdle  = 30 * time.Minute
	maxSessions  = 20_000 // of all
	maxOfOwner   = 200    // of one caller
	maxOpenAsks  = 64     // of one session
	sessionBytes = 16
)

// owner is whom a session belongs to: a credential as the caller cannot make it
// anew by itself, the user it acts for, and the upstream.
type owner struct{ agent, credential, user, upstream string }

func ownerOf(c *gateway.Call) owner {
	who := &c.Caller
	o := owner{agent: who.Agent.Name, credential: who.Credential, user: who.User, upstream: c.Upstream.Name}
	if atEntry(c) {
		o.upstream = "*"
	}
	switch {
	case who.Instance != "":
		o.credential += "/" + who.Instance
	case who.Credential == "agent_key":
		o.credential += "/" + who.CredentialID
	}
	return o
}

// revisionOf is the revision that a session is bound to; the entry has none.
func revisionOf(c *gateway.Call) int64 {
	if atEntry(c) {
		return 0
	}
	return c.Upstream.Revision
}

// session is a client's session of the versions that have them.
type session struct {
	id       string
	of       owner
	revision int64  // of the upstream that it was made with
	upstream string // the id that the upstream gave; "" none
	key      []byte // seals event ids

	mu      sync.Mutex
	version string
	caps    []byte         // of the client, as it said
	client  []byte         // clientInfo
	asks    map[string]ask // open requests of the server, by their ids
	calls   int            // open
	used    time.Time
	gone    chan struct{} // closed when it ends
	over    bool
	legacy  *legacy                  // nil: the upstream has a session of its own
	held    map[string]chan struct{} // calls that wait for a person, by the client's ids; closed when it cancels one
	paged   map[string]bool          // approvals whose page the client was asked to open
}

// sessions are those of all clients.
type sessions struct {
	now func() time.Time

	mu  sync.Mutex
	all map[string]*session
	of  map[owner]int
}

var errManySessions = fault.New(fault.KindExhausted, "mcp.sessions", "there are too many open sessions").
	WithHint("end those that are not used with DELETE; idle ones end after half an hour")

// open makes a session.
func (s *sessions) open(of owner, revision int64) (*session, error) {
	id, key := make([]byte, sessionBytes), make([]byte, 32)
	_, _ = rand.Read(id) // never fails
	_, _ = rand.Read(key)
	n := &session{id: base64.RawURLEncoding.EncodeToString(id), of: of, revision: revision, key: key, used: s.now(), gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.of = map[string]*session{}, map[owner]int{}
	}
	if s.of[of] >= maxOfOwner && !s.evict(of) || len(s.all) >= maxSessions {
		return nil, errManySessions
	}
	s.all[n.id] = n
	s.of[of]++
	return n, nil
}

// evict ends the caller's session that was used longest ago and has no call
// open: clients forget to end theirs. s.mu is held.
func (s *sessions) evict(of owner) bool {
	var oldest *session
	var at time.Time
	for _, n := range s.all {
		if n.of != of {
			continue
		}
		n.mu.Lock()
		used, busy := n.used, n.calls > 0
		n.mu.Unlock()
		if !busy && (oldest == nil || used.Before(at)) {
			oldest, at = n, used
		}
	}
	if oldest == nil {
		return false
	}
	s.drop(oldest)
	return true
}

// find gives a caller's session; another's is as one that is not there.
func (s *sessions) find(id string, of owner, revision int64) (*session, error) {
	s.mu.Lock()
	n := s.all[id]
	s.mu.Unlock()
	if n == nil || n.of != of || n.revision != revision {
		return nil, errSession
	}
	n.mu.Lock()
	n.used = s.now()
	n.mu.Unlock()
	return n, nil
}

// drop ends a session; s.mu is held.
func (s *sessions) drop(n *session) {
	if s.all[n.id] != n {
		return
	}
	delete(s.all, n.id)
	if s.of[n.of]--; s.of[n.of] <= 0 {
		delete(s.of, n.of)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.over {
		n.over = true
		close(n.gone)
	}
}

func (s *sessions) close(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(n)
}

// sweep ends sessions that nobody used for long and that have no call open.
func (s *sessions) sweep() {
	limit := s.now().Add(-sessionIdle)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.all {
		n.mu.Lock()
		idle := n.calls == 0 && n.used.Before(limit)
		n.mu.Unlock()
		if idle {
			s.drop(n)
		}
	}
}

// end ends all.
func (s *sessions) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range maps.Clone(s.all) {
		s.drop(n)
	}
}

// enter and exit count the calls that are open: a server may ask only within
// one.
func (n *session) enter() {
	n.mu.Lock()
	n.calls++
	n.mu.Unlock()
}

func (n *session) exit(now time.Time) {
	n.mu.Lock()
	n.calls--
	n.used = now
	n.mu.Unlock()
}

// ask is a request of the server that waits for the client's answer.
type ask struct {
	method string
	answer func(*message) // takes it where we carry it ourselves; nil: it goes upstream as it is
}

var errManyAsks = fault.New(fault.KindExhausted, "mcp.asks", "the server has too many open requests")

// asking remembers that the server asked.
func (n *session) asking(id string, a ask) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.asks == nil {
		n.asks = map[string]ask{}
	}
	if _, twice := n.asks[id]; twice || len(n.asks) >= maxOpenAsks {
		return errManyAsks
	}
	n.asks[id] = a
	return nil
}

// answered takes the open request of an id, once.
func (n *session) answered(id string) (ask, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.asks[id]
	delete(n.asks, id)
	return a, ok
}
