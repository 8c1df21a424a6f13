package points

import (
	"context"
	"crypto/sha256"
	"strconv"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// keys gives the same answer to the same question under the same key. What was
// allowed is told again only while it would be allowed again, and not for long:
// else the question is decided anew. Its zero value is empty. It is memory: a restart forgets, and a question asked again is
// then decided again, under a record of its own.
type keys struct {
	mu    sync.Mutex
	known map[asked]*asking
	order []asked // the oldest first
}

// asked is a key of an agent: one agent's keys say nothing about another's.
type asked struct{ agent, key string }

type asking struct {
	digest [sha256.Size]byte
	at     time.Time
	done   chan struct{} // closed with the answer
	answer *client.DecisionAnswer
	ground ground // of an answer that allows
	err    error
}

// ground is when and on what an answer was made.
type ground struct {
	at       time.Time
	standing gateway.Standing
	record   activity.Decision
}

const (
	maxKeys = 20_000
	// maxKept bounds the arguments of an answer that is kept: a question with more
	// is decided again.
	maxKept = 8 << 10
	keyLife = 24 * time.Hour
	// allowLife is how long an answer that allows is told again.
	allowLife = 10 * time.Minute
	// maxJoins bounds how often a question under a key waits for the answer to
	// another before it is decided by itself.
	maxJoins = 4
)

var errKeyUsed = fault.New(fault.KindConflict, "decision.key_used", "this key was used for another question").
	WithHint("a key stands for one action: make a new one for each")

var errUndecided = fault.New(fault.KindUnavailable, "decision.undecided", "it could not be decided").WithHint("ask again")

// digest is what makes two questions the same.
func digest(o *gateway.Outside) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range [...][]byte{
		[]byte(o.Point), []byte(o.Caller.Credential), []byte(o.Caller.User), []byte(o.Tool), []byte(o.CallID), o.Body,
		[]byte(strconv.FormatBool(o.Replaces)), []byte(strconv.FormatBool(o.Unreported)),
	} {
		h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		h.Write([]byte{':'})
		h.Write(part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// once decides, unless the key's question was decided or is being decided. holds
// says whether an answer that allows may be told again.
func (k *keys) once(ctx context.Context, now time.Time, id asked, d [sha256.Size]byte, holds func(ground) bool, decide func() (*client.DecisionAnswer, ground)) (*client.DecisionAnswer, error) {
	if id.key == "" {
		a, _ := decide()
		return a, nil
	}
	for range maxJoins {
		a, first := k.ask(id, now, d)
		if a.digest != d {
			return nil, errKeyUsed
		}
		if first {
			return k.first(id, a, decide)
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if a.err != nil || a.answer.Verdict != activity.VerdictAllow.String() || holds(a.ground) {
			return a.answer, a.err
		}
		k.forget(id, a)
	}
	a, _ := decide()
	return a, nil
}

func (k *keys) first(id asked, a *asking, decide func() (*client.DecisionAnswer, ground)) (*client.DecisionAnswer, error) {
	a.err = errUndecided // unless it is decided: a panic leaves nothing to tell
	defer close(a.done)
	defer func() {
		if a.err != nil || a.answer.ID == "" || len(a.answer.Arguments) > maxKept {
			k.forget(id, a) // not decided, or too large to keep: the next one tries again
		}
	}()
	a.answer, a.ground = decide()
	a.err = nil
	return a.answer, nil
}

func (k *keys) ask(id asked, now time.Time, d [sha256.Size]byte) (a *asking, first bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[asked]*asking{}
	}
	for len(k.order) > 0 {
		old, ok := k.known[k.order[0]]
		if ok && len(k.order) < maxKeys && now.Sub(old.at) < keyLife {
			break
		}
		delete(k.known, k.order[0])
		k.order = k.order[1:]
	}
	if a, ok := k.known[id]; ok {
		return a, false
	}
	a = &asking{digest: d, at: now, done: make(chan struct{})}
	k.known[id] = a
	k.order = append(k.order, id)
	return a, true
}

func (k *keys) forget(id asked, a *asking) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known[id] == a {
		delete(k.known, id)
	}
}
