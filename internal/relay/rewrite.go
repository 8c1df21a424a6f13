package relay

import (
	"encoding/binary"
	"slices"
)

// rewriter copies an export request, leaving records, attributes and pieces of
// text out. What it does not know it copies as it is, so a later version of the
// protocol loses nothing.
type rewriter struct {
	begin  func()                   // told of each group of records, before what it says of them; may be nil
	keep   func() bool              // asked for each record, in order; nil keeps all
	secret func(key []byte) bool    // attributes to leave out; nil keeps all
	text   func(text string) string // what a text becomes; nil leaves it
	bad    bool                     // the body is no such message: nothing of it may go out
}

// shape says which fields of a message are looked into. A message of the shape
// text is a text itself.
type shape struct {
	fields map[uint64]*shape
	kind   kind
}

type kind uint8

const (
	plain    kind = iota
	text          // a string to redact
	pair          // a KeyValue: left out when its key is a credential's
	single        // a span, log record or metric: asked for
	envelope      // holds records: left out when none is left
)

// The shapes of OTLP 1.x, by field numbers of its .proto files.
var (
	textShape           = &shape{kind: text}
	anyShape, pairShape = value()
	resourceShape       = &shape{fields: map[uint64]*shape{1: pairShape}}
	scopeShape          = &shape{fields: map[uint64]*shape{3: pairShape}}
	exemplarShape       = &shape{fields: map[uint64]*shape{7: pairShape}}

	spanShape = &shape{kind: single, fields: map[uint64]*shape{
		5: textShape, 9: pairShape,
		11: {fields: map[uint64]*shape{2: textShape, 3: pairShape}}, // events
		13: {fields: map[uint64]*shape{4: pairShape}},               // links
		15: {fields: map[uint64]*shape{2: textShape}},               // status
	}}
	logShape    = &shape{kind: single, fields: map[uint64]*shape{5: anyShape, 6: pairShape}}
	metricShape = &shape{kind: single, fields: map[uint64]*shape{
		5: points(7, 5), 7: points(7, 5), 9: points(9, 8), 10: points(1, 11), 11: points(7, 0), 12: pairShape,
	}}
	requests = [...]*shape{request(spanShape), request(logShape), request(metricShape)}
)

// value are the shapes of AnyValue and KeyValue, which hold each other.
func value() (anything, pairs *shape) {
	anything = &shape{}
	pairs = &shape{kind: pair, fields: map[uint64]*shape{2: anything}}
	anything.fields = map[uint64]*shape{
		1: {kind: text},
		7: {kind: text}, // bytes: what hides a text there is found as well
		5: {fields: map[uint64]*shape{1: anything}},
		6: {fields: map[uint64]*shape{1: pairs}},
	}
	return anything, pairs
}

// points is the shape of a metric's data: where its points have attributes and
// exemplars.
func points(attributes, exemplars uint64) *shape {
	f := map[uint64]*shape{attributes: pairShape}
	if exemplars > 0 {
		f[exemplars] = exemplarShape
	}
	return &shape{fields: map[uint64]*shape{1: {fields: f}}}
}

func request(of *shape) *shape {
	scope := &shape{kind: envelope, fields: map[uint64]*shape{1: scopeShape, 2: of}}
	resource := &shape{kind: envelope, fields: map[uint64]*shape{1: resourceShape, 2: scope}}
	return &shape{fields: map[uint64]*shape{1: resource}}
}

// maxDepth bounds values inside values.
const maxDepth = 64

// request is a body of that signal as it may go out; the body itself when
// nothing was left out or changed, nil when nothing is left.
func (w *rewriter) request(body []byte, s Signal) []byte {
	out, changed, some := w.message(nil, body, requests[s], 0)
	switch {
	case w.bad || !some:
		return nil
	case !changed:
		return body
	}
	return out
}

// message appends the rewritten message. changed reports whether it differs
// from body; some whether a record is left in it, for what holds records.
func (w *rewriter) message(dst, body []byte, sh *shape, depth int) (out []byte, changed, some bool) {
	if depth > maxDepth {
		return dst, true, false // nobody reads what is deeper
	}
	copied := 0 // of body, up to here
	for at := 0; at < len(body); {
		tag, n := binary.Uvarint(body[at:])
		if n <= 0 {
			w.bad = true
			return dst, true, false
		}
		from := at
		at += n
		size := 0
		if at, size = skip(body, at, tag&7); at < 0 {
			w.bad = true
			return dst, true, false
		}
		sub := sh.fields[tag>>3]
		if sub == nil || tag&7 != 2 {
			continue
		}
		value := body[at-size : at]
		next, same, left := w.field(value, sub, depth)
		some = some || left
		if same {
			continue
		}
		changed = true
		dst = append(dst, body[copied:from]...)
		copied = at
		if next != nil {
			dst = binary.AppendUvarint(dst, tag)
			dst = binary.AppendUvarint(dst, uint64(len(next)))
			dst = append(dst, next...)
		}
	}
	if !changed {
		return dst, false, some
	}
	return append(dst, body[copied:]...), true, some
}

// field is one field's value: nil to leave it out, same for as it is.
func (w *rewriter) field(value []byte, sh *shape, depth int) (next []byte, same, some bool) {
	switch sh.kind {
	case text:
		if w.text == nil || len(value) == 0 {
			return nil, true, false
		}
		old := string(value)
		if t := w.text(old); t != old {
			return append([]byte{}, t...), false, false
		}
		return nil, true, false
	case envelope:
		if w.begin != nil {
			w.begin()
		}
	case pair:
		if w.secret != nil && w.secretPair(value) {
			return nil, false, false
		}
	case single:
		if w.keep != nil && !w.keep() {
			return nil, false, false
		}
		some = true
	}
	if w.text == nil && w.secret == nil && sh.kind != envelope {
		return nil, true, some
	}
	out, changed, left := w.message(make([]byte, 0, len(value)), value, sh, depth+1)
	switch {
	case sh.kind == envelope && !left:
		return nil, false, false
	case !changed:
		return nil, true, some || left
	}
	return out, false, some || left
}

func (w *rewriter) secretPair(value []byte) bool {
	for at := 0; at < len(value); {
		tag, n := binary.Uvarint(value[at:])
		if n <= 0 {
			return true // nobody can say what it is
		}
		size := 0
		if at, size = skip(value, at+n, tag&7); at < 0 {
			return true
		}
		if tag == 1<<3|2 && size > 0 && w.secret(value[at-size:at]) {
			return true
		}
	}
	return false
}

// skip passes over a field's value: where the next field begins, and how long
// the value is where it has a length. at is -1 for bad bytes.
func skip(b []byte, at int, wire uint64) (next, size int) {
	switch wire {
	case 0:
		_, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return -1, 0
		}
		return at + n, 0
	case 1, 5:
		n := 8
		if wire == 5 {
			n = 4
		}
		if len(b)-at < n {
			return -1, 0
		}
		return at + n, 0
	case 2:
		l, n := binary.Uvarint(b[at:])
		if n <= 0 || l > uint64(len(b)-at-n) {
			return -1, 0
		}
		return at + n + int(l), int(l)
	}
	return -1, 0
}

// count is how many records a request has.
func count(body []byte, s Signal) (n int) {
	w := rewriter{keep: func() bool { n++; return true }}
	w.request(body, s)
	return n
}

// passes reports whether a filter lets v pass: an empty one lets all.
func passes(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
