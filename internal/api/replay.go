package api

import (
	"crypto/sha256"
	"sync"
	"time"

	"reeve/internal/fault"
)

// replays remembers the answers to creations that carried an idempotency key,
// so that a client that lost the answer asks again without making a second
// thing. It is kept in memory: a restart forgets it, and a client that asks
// after one may get a conflict by name, but never somebody else's answer.
type replays struct {
	mu    sync.Mutex
	byKey map[replayKey]*replay // guarded by mu
	queue []*replay             // guarded by mu; oldest first
}

type replayKey struct {
	operation, who, key string
}

type replay struct {
	id     replayKey
	body   [32]byte
	at     time.Time
	done   bool
	answer []byte // holds secrets made once; never logged
}

const (
	maxReplays   = 1024
	replayFor    = 10 * time.Minute
	maxReplayKey = 255
)

func (s *replays) init() { s.byKey = map[replayKey]*replay{} }

// claim finds the answer to this key, or reserves the key for the caller, who
// releases it.
func (a *API) claim(c *call, key string, body []byte) (*replay, error) {
	if len(key) > maxReplayKey {
		return nil, fault.New(fault.KindInvalid, "api.idempotency_key", "an idempotency key is at most %d bytes long", maxReplayKey)
	}
	who := "dev"
	if c.who != nil {
		who = c.who.Kind + " " + c.who.PersonID + " " + c.who.TokenID
	}
	now, sum := a.o.Now(), sha256.Sum256(body)
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) > 0 && (len(a.queue) > maxReplays || now.Sub(a.queue[0].at) > replayFor) {
		delete(a.byKey, a.queue[0].id)
		a.queue = a.queue[1:]
	}
	id := replayKey{c.op.Name, who, key}
	if r := a.byKey[id]; r != nil {
		switch {
		case r.body != sum:
			return nil, fault.New(fault.KindConflict, "api.idempotency_mismatch", "this idempotency key was used for another body").
				WithHint("take a new key for a new request")
		case !r.done:
			return nil, fault.New(fault.KindConflict, "api.idempotency_running", "the first request with this key is still running").
				WithHint("ask again in a moment")
		}
		return r, nil
	}
	r := &replay{id: id, body: sum, at: now}
	a.byKey[id] = r
	a.queue = append(a.queue, r)
	return r, nil
}

func (a *API) keep(r *replay, answer []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.answer, r.done = answer, true
}

// release forgets a key whose request did not succeed, so that it can be tried
// again.
func (a *API) release(r *replay) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.done {
		return
	}
	delete(a.byKey, r.id)
	for i, q := range a.queue {
		if q == r {
			a.queue = append(a.queue[:i:i], a.queue[i+1:]...)
			return
		}
	}
}
