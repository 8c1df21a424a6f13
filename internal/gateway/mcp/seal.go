package mcp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
)

// sealFor is how long a sealed state may be brought back.
const sealFor = 15 * time.Minute

const maxSpent = 200_000

var errState = fault.New(fault.KindInvalid, "mcp.state", "the request's state is not one that was given for this request, or was used before").
	WithHint("repeat the request without requestState")

// seals keep what a server gives a client to bring back: sealed over whom it was
// given to and for which request, until a time, and taken once. The key lives as
// long as the process: after a restart a client repeats its request.
type seals struct {
	now   func() time.Time
	aead  cipher.AEAD
	names []byte // the key of names

	mu    sync.Mutex
	spent map[[12]byte]int64 // by nonce: when it would have ended
}

func newSeals(now func() time.Time) *seals {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil { // of 32 bytes: cannot happen
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	names := make([]byte, 32)
	_, _ = rand.Read(names)
	return &seals{now: now, aead: aead, names: names, spent: map[[12]byte]int64{}}
}

// bound is what a state is sealed over; params are in their canonical form.
func bound(of owner, method, name string, params []byte) []byte {
	sum := sha256.New()
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		sum.Write(n[:])
		sum.Write(b)
	}
	for _, s := range []string{of.agent, of.credential, of.user, of.upstream, method, name} {
		part([]byte(s))
	}
	part(params)
	return sum.Sum(nil)
}

// seal gives the text that the client gets for state.
func (s *seals) seal(state, over []byte) string {
	nonce := make([]byte, 12, 20+len(state)+16+12)
	_, _ = rand.Read(nonce)
	plain := make([]byte, 8, 8+len(state))
	binary.BigEndian.PutUint64(plain, uint64(s.now().Add(sealFor).UnixNano()))
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, append(plain, state...), over))
}

// opened is a sealed state that was brought back.
type opened struct {
	state []byte
	nonce [12]byte
	until int64
}

// open reads a sealed state without spending it.
func (s *seals) open(text string, over []byte) (opened, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 12 {
		return opened{}, errState
	}
	o := opened{nonce: [12]byte(b)}
	plain, err := s.aead.Open(nil, o.nonce[:], b[12:], over)
	if err != nil || len(plain) < 8 {
		return opened{}, errState
	}
	o.until, o.state = int64(binary.BigEndian.Uint64(plain)), plain[8:]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.spent[o.nonce]; twice || s.now().UnixNano() > o.until {
		return opened{}, errState
	}
	return o, nil
}

// spend uses a state up: of two that bring the same back one passes.
func (s *seals) spend(o opened) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.spent[o.nonce]; twice || len(s.spent) >= maxSpent {
		return errState
	}
	s.spent[o.nonce] = o.until
	return nil
}

// mark binds a name that a server gave, a task's, to whom it was given to; it
// may be used often. unmark takes it off again.
func (s *seals) mark(name string, of owner) string { return s.tag(name, of) + "." + name }

func (s *seals) tag(name string, of owner) string {
	h := hmac.New(sha256.New, s.names)
	h.Write(bound(of, "task", name, nil))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:tagSize])
}

func (s *seals) unmark(text string, of owner) (name string, ok bool) {
	tag, name, ok := strings.Cut(text, ".")
	return name, ok && hmac.Equal([]byte(tag), []byte(s.tag(name, of)))
}

// sweep forgets spent states that have ended.
func (s *seals) sweep() {
	now := s.now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	for nonce, until := range s.spent {
		if now > until {
			delete(s.spent, nonce)
		}
	}
}

const tagSize = 12

// tagged marks an upstream's event id as given in a session, and untag takes the
// mark off again; another session's is refused.
func (n *session) tagged(id string) string { return n.tag(id) + "." + id }

func (n *session) tag(id string) string {
	h := hmac.New(sha256.New, n.key)
	h.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:tagSize])
}

func (n *session) untag(text string) (id string, ok bool) {
	tag, id, ok := strings.Cut(text, ".")
	return id, ok && hmac.Equal([]byte(tag), []byte(n.tag(id)))
}
