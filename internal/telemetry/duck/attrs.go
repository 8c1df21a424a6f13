package duck

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"reeve/internal/activity"
)

// Attributes are kept in three columns: the keys and the types of the values,
// which repeat from span to span and shrink to a dictionary, and the values as
// text. Next to a JSON text this halves what has to be compressed; DuckDB
// finds words in the values, and a key's value by its place in the keys.
//
//	attr_keys    a.key␟b.key␟c.key
//	attr_types   sil                s string, i int, d double, b bool, n none, l list of strings, x other
//	attr_values  text␟12␟["stop"]
//
// Reading turns them into the bytes they came from. Where that is not possible
// to the byte (maps, bytes, unusual encodings, invalid UTF-8) the raw bytes are
// kept beside, and win.
const unitSep = 0x1f

type attrText struct {
	keys, types, values []byte
	exact               bool
}

// renderer turns raw attributes into attrText. Its results are valid until
// reset.
type renderer struct {
	buf  []byte
	last []byte // raw bytes of the last call of renderCached
	text attrText
}

// keptText is how much memory a renderer keeps for the next rows.
const keptText = 4 << 20

func (r *renderer) reset() {
	r.buf = r.buf[:0]
	if cap(r.buf) > keptText {
		r.buf = nil
	}
	r.last, r.text = nil, attrText{}
}

// cached is render for bytes that mostly are those of the call before.
func (r *renderer) cached(raw []byte) attrText {
	if r.last != nil && bytes.Equal(r.last, raw) {
		return r.text
	}
	r.text, r.last = r.render(raw), raw
	return r.text
}

func (r *renderer) render(raw []byte) attrText {
	if len(raw) == 0 {
		return attrText{exact: true}
	}
	out := attrText{exact: true}
	if cap(r.buf)-len(r.buf) < 3*len(raw)+256 {
		r.buf = make([]byte, 0, max(1<<20, 3*len(raw)+256))
	}
	// Three passes over the keys and values would each be short, but one pass
	// that keeps (key, value) pairs on the stack is enough for most records.
	var pairs [64]struct{ key, value []byte }
	n, ok := 0, true
	var more []struct{ key, value []byte }
	for rest := raw; len(rest) > 0; {
		var key, value []byte
		key, value, rest, ok = cutAttribute(rest)
		if !ok {
			return r.damaged(raw)
		}
		if n < len(pairs) {
			pairs[n].key, pairs[n].value = key, value
		} else {
			more = append(more, struct{ key, value []byte }{key, value})
		}
		n++
	}
	pair := func(i int) ([]byte, []byte) {
		if i < len(pairs) {
			return pairs[i].key, pairs[i].value
		}
		p := more[i-len(pairs)]
		return p.key, p.value
	}
	b := r.buf
	from := len(b)
	for i := range n {
		if i > 0 {
			b = append(b, unitSep)
		}
		k, _ := pair(i)
		b = append(b, k...)
	}
	out.keys = b[from:len(b):len(b)]
	out.exact = plain(out.keys, n)
	var types [64]byte
	ts := types[:0]
	from = len(b)
	for i := range n {
		if i > 0 {
			b = append(b, unitSep)
		}
		at := len(b)
		_, v := pair(i)
		var typ byte
		b, typ = appendValueText(b, v)
		if typ == 'x' {
			out.exact = false
			for j := at; j < len(b); j++ {
				if b[j] == unitSep {
					b[j] = ' '
				}
			}
		}
		ts = append(ts, typ)
	}
	out.values = b[from:len(b):len(b)]
	if !plain(out.values, n) {
		out.exact = false
		b = unseparate(b, from, n, pair)
		out.values = b[from:len(b):len(b)]
	}
	if !utf8.Valid(out.values) {
		out.exact, out.values = false, bytes.ToValidUTF8(out.values, []byte("\uFFFD"))
	}
	if !utf8.Valid(out.keys) {
		out.exact, out.keys = false, bytes.ToValidUTF8(out.keys, []byte("\uFFFD"))
	}
	from = len(b)
	b = append(b, ts...)
	out.types = b[from:len(b):len(b)]
	r.buf = b
	return out
}

// unseparate renders values again without the separators that stand in them.
func unseparate(b []byte, from, n int, pair func(int) (key, value []byte)) []byte {
	b = b[:from]
	for i := range n {
		if i > 0 {
			b = append(b, unitSep)
		}
		at := len(b)
		_, v := pair(i)
		b, _ = appendValueText(b, v)
		for j := at; j < len(b); j++ {
			if b[j] == unitSep {
				b[j] = ' '
			}
		}
	}
	return b
}

// plain reports whether n joined keys come apart again.
func plain(joined []byte, n int) bool {
	return bytes.Count(joined, []byte{unitSep}) == n-1
}

// damaged keeps what activity can read of malformed attributes searchable.
func (r *renderer) damaged(raw []byte) attrText {
	out := attrText{}
	for k, v := range activity.Attributes(raw) {
		if len(out.types) > 0 {
			out.keys, out.values = append(out.keys, unitSep), append(out.values, unitSep)
		}
		clean := strings.NewReplacer("\x1f", " ")
		out.keys = append(out.keys, clean.Replace(k)...)
		out.values = append(out.values, clean.Replace(strings.ToValidUTF8(activity.AttributeText(v), "\uFFFD"))...)
		out.types = append(out.types, 'x')
	}
	return out
}

// cutAttribute takes one KeyValue in its canonical encoding off raw: key, then
// value, each once, lengths as short as they can be.
func cutAttribute(raw []byte) (key, value, rest []byte, ok bool) {
	kv, rest, ok := cutField(raw, 0x0a)
	if !ok {
		return nil, nil, nil, false
	}
	key, kv, ok = cutField(kv, 0x0a)
	if !ok {
		return nil, nil, nil, false
	}
	value, kv, ok = cutField(kv, 0x12)
	return key, value, rest, ok && len(kv) == 0
}

func cutField(b []byte, tag byte) (field, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	if n := int(b[1]); n < 0x80 {
		if len(b) < 2+n {
			return nil, nil, false
		}
		return b[2 : 2+n], b[2+n:], true
	}
	n, w := protowire.ConsumeVarint(b[1:])
	if w < 0 || protowire.SizeVarint(n) != w || n > uint64(len(b)-1-w) {
		return nil, nil, false
	}
	at := 1 + w
	return b[at : at+int(n)], b[at+int(n):], true
}

// appendValueText appends an AnyValue as text and tells its type.
func appendValueText(dst, v []byte) ([]byte, byte) {
	if len(v) == 0 {
		return dst, 'n'
	}
	switch v[0] {
	case 0x0a:
		if s, rest, ok := cutField(v, 0x0a); ok && len(rest) == 0 {
			return append(dst, s...), 's'
		}
	case 0x10:
		if len(v) == 2 && v[1] < 2 {
			return strconv.AppendBool(dst, v[1] == 1), 'b'
		}
	case 0x18:
		if n, w := protowire.ConsumeVarint(v[1:]); w == len(v)-1 && protowire.SizeVarint(n) == w {
			return strconv.AppendInt(dst, int64(n), 10), 'i'
		}
	case 0x21:
		if len(v) == 9 {
			if f := math.Float64frombits(binary.LittleEndian.Uint64(v[1:])); !math.IsNaN(f) {
				return strconv.AppendFloat(dst, f, 'g', -1, 64), 'd'
			}
		}
	case 0x2a:
		if out, ok := appendStrings(dst, v); ok {
			return out, 'l'
		}
	}
	kv := protowire.AppendTag(nil, 1, protowire.BytesType)
	inner := protowire.AppendBytes(append(protowire.AppendString([]byte{0x0a}, "k"), 0x12), v)
	kv = protowire.AppendBytes(kv, inner)
	if any, ok := activity.Attribute(kv, "k"); ok {
		dst = append(dst, activity.AttributeText(any)...)
	}
	return dst, 'x'
}

// appendStrings writes a list of strings as JSON.
func appendStrings(dst, v []byte) ([]byte, bool) {
	list, rest, ok := cutField(v, 0x2a)
	if !ok || len(rest) != 0 {
		return dst, false
	}
	at := len(dst)
	dst = append(dst, '[')
	for len(list) > 0 {
		var elem, s []byte
		if elem, list, ok = cutField(list, 0x0a); !ok {
			return dst[:at], false
		}
		if s, rest, ok = cutField(elem, 0x0a); !ok || len(rest) != 0 || !utf8.Valid(s) {
			return dst[:at], false
		}
		if dst[len(dst)-1] != '[' || len(dst) > at+1 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(dst, s)
	}
	return append(dst, ']'), true
}

func appendJSONString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// rawAttributes is the inverse of render for exact texts.
func rawAttributes(keys, types, values string) []byte {
	if types == "" {
		return nil
	}
	out := make([]byte, 0, len(keys)+len(values)+8*len(types))
	var tmp []byte
	for i := range len(types) {
		var k, v string
		k, keys, _ = strings.Cut(keys, "\x1f")
		v, values, _ = strings.Cut(values, "\x1f")
		tmp = tmp[:0]
		switch types[i] {
		case 's':
			tmp = protowire.AppendString(append(tmp, 0x0a), v)
		case 'b':
			tmp = append(tmp, 0x10, 0)
			if v == "true" {
				tmp[len(tmp)-1] = 1
			}
		case 'i':
			n, _ := strconv.ParseInt(v, 10, 64)
			tmp = protowire.AppendVarint(append(tmp, 0x18), uint64(n))
		case 'd':
			f, _ := strconv.ParseFloat(v, 64)
			tmp = binary.LittleEndian.AppendUint64(append(tmp, 0x21), math.Float64bits(f))
		case 'l':
			var list []string
			_ = json.Unmarshal([]byte(v), &list)
			var elems []byte
			for _, s := range list {
				elems = protowire.AppendBytes(append(elems, 0x0a), protowire.AppendString([]byte{0x0a}, s))
			}
			tmp = protowire.AppendBytes(append(tmp, 0x2a), elems)
		}
		n := 1 + protowire.SizeBytes(len(k)) + 1 + protowire.SizeBytes(len(tmp))
		out = protowire.AppendVarint(append(out, 0x0a), uint64(n))
		out = protowire.AppendString(append(out, 0x0a), k)
		out = protowire.AppendBytes(append(out, 0x12), tmp)
	}
	return out
}
