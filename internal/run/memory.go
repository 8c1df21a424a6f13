package run

import (
	"strings"
	"unsafe"

	"reeve/internal/activity"
)

// arena holds the text of one write: copying each field into it costs an
// append, where a string of its own would cost an allocation. Chunks are never
// used again, since a reader of live runs may still look at them; the
// collector takes them.
type arena struct {
	chunk []byte
	used  int
}

const chunkSize = 256 << 10

// room returns n bytes to be filled.
func (a *arena) room(n int) []byte {
	a.used += n
	if n > chunkSize/8 {
		return make([]byte, n)
	}
	if len(a.chunk)+n > cap(a.chunk) {
		a.chunk = make([]byte, 0, chunkSize)
	}
	at := len(a.chunk)
	a.chunk = a.chunk[: at+n : cap(a.chunk)]
	return a.chunk[at : at+n : at+n]
}

func (a *arena) bytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	out := a.room(len(b))
	copy(out, b)
	return out
}

// string copies s; the bytes behind the result are never written again.
func (a *arena) string(s string) string {
	if s == "" {
		return ""
	}
	out := a.room(len(s))
	copy(out, s)
	return unsafe.String(unsafe.SliceData(out), len(out))
}

func (a *arena) reset() { a.chunk, a.used = nil, 0 }

// refs are the references to content of one write, laid side by side. As the texts
// of arena they are never used again.
type refs struct{ chunk []activity.ContentRef }

const refsAtOnce = 256

// room is an empty list with room for n.
func (r *refs) room(n int) []activity.ContentRef {
	if n > refsAtOnce/8 {
		return make([]activity.ContentRef, 0, n)
	}
	if len(r.chunk)+n > cap(r.chunk) {
		r.chunk = make([]activity.ContentRef, 0, refsAtOnce)
	}
	at := len(r.chunk)
	r.chunk = r.chunk[:at+n]
	return r.chunk[at:at:len(r.chunk)]
}

// names shares the few texts that many runs repeat (agents, models, tools).
// Two generations bound it: what nobody asked for lately is forgotten.
type names struct{ young, old map[string]string }

const (
	maxNames    = 16 << 10
	maxNameSize = 128
)

func newNames() *names {
	return &names{young: make(map[string]string), old: make(map[string]string)}
}

// get is a copy of s that outlives its batch.
func (n *names) get(s string) string {
	if s == "" {
		return ""
	}
	if v, ok := n.young[s]; ok {
		return v
	}
	if len(s) > maxNameSize {
		return strings.Clone(s)
	}
	v, ok := n.old[s]
	if !ok {
		v = strings.Clone(s)
	}
	if len(n.young) >= maxNames {
		n.young, n.old = n.old, n.young
		clear(n.young)
	}
	n.young[v] = v
	return v
}

// text appends s to the chunk, whose capacity its caller has made sure of.
func (a *arena) text(s string) string {
	if s == "" {
		return ""
	}
	at := len(a.chunk)
	a.chunk = append(a.chunk, s...)
	return unsafe.String(&a.chunk[at], len(s))
}
