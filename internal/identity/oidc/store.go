package oidc

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"

	"reeve/internal/fault"
)

// store keeps values for a short while under random names, each to be taken
// once. It is bounded: whoever opens pages all day must not fill the memory.
type store[T any] struct {
	now  func() time.Time
	life time.Duration

	mu    sync.Mutex // guards items
	items map[string]kept[T]
}

type kept[T any] struct {
	value T
	until time.Time
}

func (s *store[T]) init(now func() time.Time, life time.Duration) {
	s.now, s.life, s.items = now, life, map[string]kept[T]{}
}

// put keeps a value and gives its name.
func (s *store[T]) put(v T) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.items) >= maxAttempts {
		for name, k := range s.items {
			if !now.Before(k.until) {
				delete(s.items, name)
			}
		}
	}
	if len(s.items) >= maxAttempts {
		return "", fault.New(fault.KindExhausted, "oidc.too_many", "too many sign-ins are under way").WithHint("try again in some minutes")
	}
	name := random()
	s.items[name] = kept[T]{v, now.Add(s.life)}
	return name, nil
}

// take gives the value of a name and forgets it.
func (s *store[T]) take(name string) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.items[name]
	delete(s.items, name)
	if !ok || !s.now().Before(k.until) {
		return v, false
	}
	return k.value, true
}

func random() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
