package run

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/minio/highwayhash"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// Limits on content.
const (
	maxElements = 20_000    // messages of one array; the rest is cut and flagged
	maxMessages = 1_000_000 // distinct messages of a run
	inlineSize  = 512       // smaller messages are stored with every run that has them: their hashes would take what they save
	prefixSize  = 256       // smaller arrays are split anew each time
	scanHashes  = 48        // up to here a scan of words.hashes beats a map
	prefixes    = 4         // histories remembered a run: its agents may interleave
)

// words are the distinct messages of a run. A message's ordinal is the place
// of its hash; the low half of the stored hash is enough within one run.
type words struct {
	hashes   []uint64
	index    map[uint64]int32 // built when they are many
	prefixes []prefix         // most recently used last
}

// prefix remembers an array that was split, so that the next call of the same
// conversation, which resends it with a few messages more, costs one pass of
// the hash and no look at the JSON.
type prefix struct {
	place  place
	length int // bytes of the array without its closing bracket
	hash   [16]byte
	refs   []span
}

// place is where content of one kind comes from; hashes of different places
// are not comparable.
type place struct {
	field  activity.ContentField
	day    int32
	format string
}

// span is a range of ordinals, both ends included.
type span struct{ lo, hi int32 }

func (w *words) size() int {
	if w == nil {
		return 0
	}
	n := 80 + cap(w.hashes)*8 + len(w.index)*24
	for i := range w.prefixes {
		n += 80 + cap(w.prefixes[i].refs)*8
	}
	return n
}

// ordinal is the place of a hash; added is true when it is new.
func (w *words) ordinal(h uint64) (n int32, added bool) {
	if w.index != nil {
		if n, ok := w.index[h]; ok {
			return n, false
		}
	} else if i := slices.Index(w.hashes, h); i >= 0 {
		return int32(i), false
	}
	n = int32(len(w.hashes))
	w.hashes = append(w.hashes, h)
	switch {
	case w.index != nil:
		w.index[h] = n
	case len(w.hashes) > scanHashes:
		w.index = make(map[uint64]int32, 2*scanHashes)
		for i, h := range w.hashes {
			w.index[h] = int32(i)
		}
	}
	return n, true
}

// find is the remembered array that raw continues, moved to the back.
func (w *words) find(p place, raw []byte, d *highwayhash.Digest) *prefix {
	for i := len(w.prefixes) - 1; i >= 0; i-- {
		q := &w.prefixes[i]
		if q.place != p || len(raw) <= q.length || raw[q.length] != ',' && raw[q.length] != ']' {
			continue
		}
		d.Reset()
		d.Write(raw[:q.length]) // a hash never fails
		if sum128(d) != q.hash {
			continue
		}
		if last := len(w.prefixes) - 1; i != last {
			used := *q
			copy(w.prefixes[i:], w.prefixes[i+1:])
			w.prefixes[last] = used
		}
		return &w.prefixes[len(w.prefixes)-1]
	}
	return nil
}

func (w *words) remember(q prefix) {
	if len(w.prefixes) == prefixes {
		copy(w.prefixes, w.prefixes[1:])
		w.prefixes = w.prefixes[:prefixes-1]
	}
	w.prefixes = append(w.prefixes, q)
}

func sum128(d *highwayhash.Digest) (sum [16]byte) {
	d.Sum(sum[:0])
	return sum
}

// hasher makes message hashes: HighwayHash-128 under a key that is derived
// from the store's for one day, one team and one format, so that hashes tell
// nothing to who has no key, and equal nothing across the day's partition or
// across teams: what is stored once would tell a team what another said.
type hasher struct {
	master []byte
	keys   map[hashScope]*[32]byte
	prefix *highwayhash.Digest

	scope hashScope // of the message before, which mostly is the next one's
	key   *[32]byte
}

type hashScope struct {
	day          int32
	team, format string
}

func newHasher(master []byte) (*hasher, error) {
	if len(master) != 32 {
		return nil, fmt.Errorf("run: Options.HashKey has %d bytes, want 32", len(master))
	}
	h := &hasher{master: slices.Clone(master), keys: make(map[hashScope]*[32]byte)}
	d, err := highwayhash.NewDigest128(h.derive(hashScope{-1, "", "prefix"})[:])
	h.prefix = d
	return h, err
}

func (h *hasher) derive(k hashScope) *[32]byte {
	m := hmac.New(sha256.New, h.master)
	m.Write(binary.LittleEndian.AppendUint32(nil, uint32(k.day)))
	m.Write([]byte(k.format))
	m.Write([]byte{0})
	m.Write([]byte(k.team))
	return (*[32]byte)(m.Sum(nil))
}

// maxKeys bounds the derived keys that are kept; replays of old data pass
// through many days.
const maxKeys = 4096

func (h *hasher) sum(day int32, team, format string, raw []byte) [16]byte {
	if h.key == nil || h.scope.day != day || h.scope.team != team || h.scope.format != format {
		h.scope, h.key = h.keyOf(hashScope{day, team, format})
	}
	return highwayhash.Sum128(raw, h.key[:])
}

// keyOf is a scope, in memory of its own, with its key.
func (h *hasher) keyOf(k hashScope) (hashScope, *[32]byte) {
	k.team, k.format = strings.Clone(k.team), strings.Clone(k.format)
	key := h.keys[k]
	if key == nil {
		if len(h.keys) >= maxKeys {
			clear(h.keys)
		}
		key = h.derive(k)
		h.keys[k] = key
	}
	return k, key
}

// ForgetContents drops the memory of what was stored: a message that comes again
// is stored again. Whoever takes content out of the store calls it first, or a
// later run would refer to what is gone.
func (r *Reader) ForgetContents() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.contents.young)
	clear(r.contents.old)
}

// seen is a bounded memory of hashes in two generations: when the young one is
// full it becomes the old one, and what nobody asked for since is forgotten.
type seen[K comparable] struct {
	young, old map[K]struct{}
	limit      int
}

func newSeen[K comparable](limit int) *seen[K] {
	return &seen[K]{young: make(map[K]struct{}), old: make(map[K]struct{}), limit: limit}
}

// add reports whether k was there, and puts it there.
func (s *seen[K]) add(k K) bool {
	if _, ok := s.young[k]; ok {
		return true
	}
	_, ok := s.old[k]
	if len(s.young) >= s.limit {
		s.young, s.old = s.old, s.young
		clear(s.young)
	}
	s.young[k] = struct{}{}
	return ok
}

// split puts the messages of one content among those of the run and returns
// the list of their ordinals. cut is true when the content was over a limit.
func (r *Reader) split(l *live, s source, c *activity.Content) (list string, cut bool) {
	p := place{c.Field, s.day, c.Format}
	if !isList(c.Format) {
		n, ok := r.message(l, s, p, c.Raw)
		return r.spans(nil, ok, n), !ok
	}
	w := l.words
	raw := c.Raw
	for len(raw) > 0 && isSpace(raw[len(raw)-1]) {
		raw = raw[:len(raw)-1]
	}
	if len(raw) < 2 || raw[0] != '[' || raw[len(raw)-1] != ']' {
		// Not an array after all: kept as one message, so that nothing is lost.
		n, ok := r.message(l, s, p, c.Raw)
		return r.spans(nil, ok, n), !ok
	}
	var refs []span
	rest, body := raw, len(raw)-1
	d := r.hasher.prefix
	known := w.find(p, raw, d)
	if known != nil {
		if known.length == body {
			r.stats.PrefixHits++
			return r.spans(known.refs, false, 0), false
		}
		// The tail alone is an array once its comma is read as a bracket.
		r.tail = append(append(r.tail[:0], '['), raw[known.length+1:]...)
		rest, refs = r.tail, slices.Clone(known.refs)
	}
	count := 0
	err := genai.Split(rest, func(elem []byte) bool {
		if count++; count > maxElements {
			cut = true
			return false
		}
		n, ok := r.message(l, s, p, elem)
		if !ok {
			cut = true
			return false
		}
		refs = appendOrdinal(refs, n)
		return true
	})
	if err != nil && known != nil {
		// A broken tail behind a sound prefix: what could be read is kept, the
		// rest as one piece.
		if n, ok := r.message(l, s, p, rest[1:len(rest)-1]); ok {
			refs = appendOrdinal(refs, n)
		}
		return r.spans(refs, false, 0), true
	}
	if err != nil {
		n, ok := r.message(l, s, p, c.Raw)
		return r.spans(nil, ok, n), true
	}
	if cut {
		return r.spans(refs, false, 0), true
	}
	if known != nil {
		r.stats.PrefixHits++
		d.Write(raw[known.length:body]) // continues the prefix that find hashed
		known.length, known.hash, known.refs = body, sum128(d), refs
	} else if body > prefixSize {
		d.Reset()
		d.Write(raw[:body])
		q := prefix{p, body, sum128(d), slices.Clip(refs)}
		q.place.format = r.names.get(p.format)
		w.remember(q)
	}
	return r.spans(refs, false, 0), false
}

// source is the step that content comes from.
type source struct {
	step  activity.StepID
	time  int64
	day   int32
	agent string
	team  string
	env   string
}

// message gives raw its ordinal, and a row at its first appearance. ok is
// false when the run has too many messages.
func (r *Reader) message(l *live, s source, p place, raw []byte) (n int32, ok bool) {
	hash := r.hasher.sum(p.day, s.team, p.format, raw)
	if len(l.words.hashes) >= maxMessages {
		return 0, false
	}
	n, added := l.words.ordinal(binary.LittleEndian.Uint64(hash[:]))
	r.stats.ContentBytes += int64(len(raw))
	if !added {
		return n, true
	}
	m := activity.Message{
		Run: l.id, Ordinal: n, Step: s.step, Time: s.time, Day: p.day, Field: p.field,
		Format: r.names.get(p.format), Role: genai.Role(p.format, raw), Hash: hash,
		Agent: s.agent, Team: s.team, Env: s.env,
	}
	m.Role = r.names.get(m.Role)
	if len(raw) < inlineSize {
		clear(m.Hash[8:]) // nobody else refers to it
	}
	if len(raw) < inlineSize || !r.contents.add(hash) {
		text := raw
		if p.format != genai.Text { // in plain text \u0041 is six characters that somebody wrote
			text = genai.Unescape(raw)
		}
		m.Raw = append(r.cur.arena.room(len(raw))[:0], text...)
		r.stats.StoredBytes += int64(len(m.Raw))
	}
	m.Size = int32(len(raw))
	r.cur.Messages = append(r.cur.Messages, m)
	return n, true
}

// isList reports whether contents of this format are arrays of messages.
func isList(format string) bool {
	return strings.HasSuffix(format, ".messages") || strings.HasSuffix(format, ".documents") || strings.HasSuffix(format, ".tools")
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func appendOrdinal(refs []span, n int32) []span {
	if last := len(refs) - 1; last >= 0 && refs[last].hi+1 == n {
		refs[last].hi = n
		return refs
	}
	return append(refs, span{n, n})
}

// spans writes ordinals as "0-31,33" into the current write; with one, n follows.
func (r *Reader) spans(refs []span, one bool, n int32) string {
	var buf [64]byte
	b := buf[:0]
	for _, s := range refs {
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(s.lo), 10)
		if s.hi > s.lo {
			b = strconv.AppendInt(append(b, '-'), int64(s.hi), 10)
		}
	}
	if one {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return r.cur.arena.string(unsafe.String(unsafe.SliceData(b), len(b)))
}
