package activity

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Attributes travel through Reeve as the bytes they came in: repeated OTLP
// KeyValue, field 1 each. The functions here read them; a record that is cut
// or malformed gives what could be read before the damage.

// maxAttributeDepth bounds arrays and maps inside each other: below it stands
// null. Senders nest two or three deep; a hostile one nests ten thousand.
const maxAttributeDepth = 16

// Attributes decodes raw attributes: string, bool, int64, float64, []byte,
// []any and map[string]any; nil for a value of no type. Of a key said twice the
// last counts. No attributes give nil.
func Attributes(raw []byte) map[string]any {
	var out map[string]any
	eachAttribute(raw, func(key, value []byte) bool {
		if out == nil {
			out = make(map[string]any)
		}
		out[validString(key)] = anyValue(value, 0)
		return true
	})
	return out
}

// Attribute decodes one attribute; ok is false when the key is absent.
func Attribute(raw []byte, key string) (value any, ok bool) {
	eachAttribute(raw, func(k, v []byte) bool {
		if string(k) == key {
			value, ok = anyValue(v, 0), true
		}
		return true
	})
	return value, ok
}

// AttributesJSON appends raw attributes as a JSON object to dst. Whole numbers
// beyond 2^53, which many readers would round, and numbers that JSON does not
// know (NaN) are written as strings, bytes in base64; a key said twice stands
// twice, in order. No attributes give {}.
func AttributesJSON(dst, raw []byte) []byte {
	return appendObject(dst, raw, 0)
}

// AttributeText is the text that a search compares an attribute's value with:
// strings as they are, numbers and booleans as JSON writes them, the rest as
// JSON.
func AttributeText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	}
	return string(appendAny(nil, value))
}

// TimeSent and TimeSentEnd are the attributes that keep what a sender said where a
// time was clamped, as RFC 3339 text.
const (
	TimeSent    = "reeve.time.sent"
	TimeSentEnd = "reeve.time.sent.end"
)

// AppendTime appends a time as an attribute of that key.
func AppendTime(attributes []byte, key string, ns int64) []byte {
	text := time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
	value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
	kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
	kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), value)
	return protowire.AppendBytes(protowire.AppendTag(attributes, 1, protowire.BytesType), kv)
}

// WasClamped reports whether raw attributes say that the time was clamped. A value
// that holds the key's name counts, too: it is for identities, which only need to be
// the same each time.
func WasClamped(attributes []byte) bool { return bytes.Contains(attributes, []byte(TimeSent)) }

func eachAttribute(raw []byte, each func(key, value []byte) bool) {
	for len(raw) > 0 {
		if key, value, n := plainAttribute(raw); n > 0 {
			if raw = raw[n:]; !each(key, value) {
				return
			}
			continue
		}
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		if num != 1 || typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
				return
			}
			raw = raw[n:]
			continue
		}
		kv, n := protowire.ConsumeBytes(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		key, value, ok := keyValue(kv)
		if !ok {
			continue
		}
		if !each(key, value) {
			return
		}
	}
}

// plainAttribute reads an attribute as all encoders write one: a key, then a value,
// each once. n is how long it is; 0: it is written otherwise, or damaged.
func plainAttribute(raw []byte) (key, value []byte, n int) {
	kv, n := plainBytes(raw, 1)
	if n == 0 {
		return nil, nil, 0
	}
	key, k := plainBytes(kv, 1)
	if k == 0 {
		return nil, nil, 0
	}
	value, v := plainBytes(kv[k:], 2)
	if v == 0 || k+v != len(kv) {
		return nil, nil, 0
	}
	return key, value, n
}

// plainBytes reads a field of bytes with a number below 16; n is 0 when there is
// something else.
func plainBytes(b []byte, number byte) (value []byte, n int) {
	if len(b) < 2 || b[0] != number<<3|2 {
		return nil, 0
	}
	size, at := int(b[1]), 2
	if size >= 0x80 {
		v, n := protowire.ConsumeVarint(b[1:])
		if n < 0 || v > uint64(len(b)) {
			return nil, 0
		}
		size, at = int(v), 1+n
	}
	if size > len(b)-at {
		return nil, 0
	}
	return b[at : at+size : at+size], at + size
}

func keyValue(kv []byte) (key, value []byte, ok bool) {
	for len(kv) > 0 {
		num, typ, n := protowire.ConsumeTag(kv)
		if n < 0 {
			return nil, nil, false
		}
		kv = kv[n:]
		if typ == protowire.BytesType && (num == 1 || num == 2) {
			b, n := protowire.ConsumeBytes(kv)
			if n < 0 {
				return nil, nil, false
			}
			kv = kv[n:]
			if num == 1 {
				key = b
			} else {
				value = b
			}
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, kv); n < 0 {
			return nil, nil, false
		}
		kv = kv[n:]
	}
	return key, value, true
}

// scalar is a decoded AnyValue whose nested parts are still bytes.
type scalar struct {
	kind  protowire.Number // the oneof's field; 0: none
	bytes []byte           // string, array, kvlist, bytes
	num   uint64           // bool, int, double
}

func readAny(raw []byte) (s scalar) {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return s
		}
		raw = raw[n:]
		switch {
		case typ == protowire.BytesType && (num == 1 || num == 5 || num == 6 || num == 7):
			b, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return s
			}
			s = scalar{kind: num, bytes: b}
			raw = raw[n:]
		case typ == protowire.VarintType && (num == 2 || num == 3):
			v, n := protowire.ConsumeVarint(raw)
			if n < 0 {
				return s
			}
			s = scalar{kind: num, num: v}
			raw = raw[n:]
		case typ == protowire.Fixed64Type && num == 4:
			v, n := protowire.ConsumeFixed64(raw)
			if n < 0 {
				return s
			}
			s = scalar{kind: num, num: v}
			raw = raw[n:]
		default:
			if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
				return s
			}
			raw = raw[n:]
		}
	}
	return s
}

func eachField1(raw []byte, each func(value []byte)) {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return
		}
		raw = raw[n:]
		if num == 1 && typ == protowire.BytesType {
			b, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return
			}
			each(b)
			raw = raw[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
			return
		}
		raw = raw[n:]
	}
}

func anyValue(raw []byte, depth int) any {
	if depth >= maxAttributeDepth {
		return nil
	}
	switch s := readAny(raw); s.kind {
	case 1:
		return validString(s.bytes)
	case 2:
		return s.num != 0
	case 3:
		return int64(s.num)
	case 4:
		return math.Float64frombits(s.num)
	case 5:
		out := []any{}
		eachField1(s.bytes, func(v []byte) { out = append(out, anyValue(v, depth+1)) })
		return out
	case 6:
		out := map[string]any{}
		eachAttribute(s.bytes, func(k, v []byte) bool {
			out[validString(k)] = anyValue(v, depth+1)
			return true
		})
		return out
	case 7:
		return append([]byte{}, s.bytes...)
	}
	return nil
}

func validString(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]rune, 0, len(b))
	for _, r := range string(b) {
		out = append(out, r)
	}
	return string(out)
}

func appendObject(dst, raw []byte, depth int) []byte {
	dst = append(dst, '{')
	first := true
	eachAttribute(raw, func(k, v []byte) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendJSONString(dst, k)
		dst = append(dst, ':')
		dst = appendRaw(dst, v, depth)
		return true
	})
	return append(dst, '}')
}

func appendRaw(dst, raw []byte, depth int) []byte {
	if depth >= maxAttributeDepth {
		return append(dst, "null"...)
	}
	switch s := readAny(raw); s.kind {
	case 1:
		return AppendJSONString(dst, s.bytes)
	case 2:
		return strconv.AppendBool(dst, s.num != 0)
	case 3:
		return appendInt(dst, int64(s.num))
	case 4:
		return appendFloat(dst, math.Float64frombits(s.num))
	case 5:
		dst = append(dst, '[')
		first := true
		eachField1(s.bytes, func(v []byte) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendRaw(dst, v, depth+1)
		})
		return append(dst, ']')
	case 6:
		return appendObject(dst, s.bytes, depth+1)
	case 7:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, s.bytes)
		return append(dst, '"')
	}
	return append(dst, "null"...)
}

// appendAny writes what anyValue decoded.
func appendAny(dst []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return AppendJSONString(dst, []byte(v))
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return appendInt(dst, v)
	case float64:
		return appendFloat(dst, v)
	case []byte:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v)
		return append(dst, '"')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendAny(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		first := true
		for k, e := range v {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = AppendJSONString(dst, []byte(k))
			dst = append(dst, ':')
			dst = appendAny(dst, e)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendInt(dst []byte, n int64) []byte {
	const exact = 1 << 53
	if n > exact || n < -exact {
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, n, 10)
		return append(dst, '"')
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = append(dst, '"')
		dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
		return append(dst, '"')
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

const hexDigits = "0123456789abcdef"

// AppendJSONString writes b as a JSON string; invalid UTF-8 becomes U+FFFD.
// encoding/json would escape <, > and & and allocate; here the text has to stay
// searchable as it is.
func AppendJSONString(dst, b []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, b[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, b[start:i]...)
			dst = append(dst, "�"...)
			i++
			start = i
			continue
		}
		i += size
	}
	dst = append(dst, b[start:]...)
	return append(dst, '"')
}

// Event is one event of a step: a moment with a name.
type Event struct {
	Time       int64 // ns
	Name       string
	Attributes []byte // raw OTLP repeated KeyValue, field 3 of the event turned into field 1
}

// Events decodes raw events (repeated OTLP Span.Event, field 1 each), at most
// limit of them.
func Events(raw []byte, limit int) []Event {
	var out []Event
	eachField1(raw, func(b []byte) {
		if len(out) < limit {
			out = append(out, readEvent(b))
		}
	})
	return out
}

func readEvent(b []byte) (e Event) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return e
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.Fixed64Type:
			v, n := protowire.ConsumeFixed64(b)
			if n < 0 {
				return e
			}
			e.Time = int64(v)
			b = b[n:]
		case num == 2 && typ == protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return e
			}
			e.Name = validString(v)
			b = b[n:]
		case num == 3 && typ == protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return e
			}
			e.Attributes = protowire.AppendTag(e.Attributes, 1, protowire.BytesType)
			e.Attributes = protowire.AppendBytes(e.Attributes, v)
			b = b[n:]
		default:
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				return e
			}
			b = b[n:]
		}
	}
	return e
}
