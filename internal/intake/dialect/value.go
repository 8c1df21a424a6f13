package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"unsafe"

	"reeve/internal/activity"
)

// Type is which arm of an OTLP AnyValue is set. The zero Type is no value.
type Type uint8

// The types, numbered as the fields of AnyValue are.
const (
	None Type = iota
	String
	Bool
	Int
	Double
	Array
	Pairs // keys and values: KeyValueList
	Bytes
)

// Value is a view of one OTLP AnyValue; it aliases the request.
type Value struct {
	Type Type
	num  uint64
	b    []byte
}

// maxDepth bounds arrays and maps inside each other where they become JSON;
// below it stands null. Senders nest a handful deep, a hostile one thousands.
const maxDepth = 64

// ParseValue reads an encoded AnyValue; what cannot be read is None.
func ParseValue(raw []byte) (v Value) {
	for r := (Reader{B: raw}); r.More(); {
		field, wire := r.Tag()
		switch {
		case (field == 1 || field == 5 || field == 6 || field == 7) && wire == 2:
			v = Value{Type: Type(field), b: r.Bytes()}
		case (field == 2 || field == 3) && wire == 0:
			v = Value{Type: Type(field), num: r.Varint()}
		case field == 4 && wire == 1:
			v = Value{Type: Double, num: r.Fixed64()}
		default:
			r.Skip(wire)
		}
		if r.Bad {
			return Value{}
		}
	}
	return v
}

// TextValue makes a String value of s.
func TextValue(s string) Value {
	return Value{Type: String, b: unsafe.Slice(unsafe.StringData(s), len(s))}
}

// IntValue makes an Int value of n.
func IntValue(n int64) Value { return Value{Type: Int, num: uint64(n)} }

// FloatValue makes a Double value of f.
func FloatValue(f float64) Value { return Value{Type: Double, num: math.Float64bits(f)} }

// Raw is the bytes of a String, Bytes, Array or Pairs (its encoding).
func (v Value) Raw() []byte { return v.b }

// Text is a String as it is (aliasing), a scalar as JSON writes it, else "".
func (v Value) Text() string {
	switch v.Type {
	case String:
		return unsafe.String(unsafe.SliceData(v.b), len(v.b))
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Int:
		return strconv.FormatInt(int64(v.num), 10)
	case Double:
		return strconv.FormatFloat(math.Float64frombits(v.num), 'g', -1, 64)
	}
	return ""
}

// Int is an integer, a whole double or the number that a string writes.
func (v Value) Int() (n int64, ok bool) {
	switch v.Type {
	case Int:
		return int64(v.num), true
	case Double:
		f := math.Float64frombits(v.num)
		if f >= -1<<62 && f <= 1<<62 {
			return int64(f), true
		}
	case String:
		if n, err := strconv.ParseInt(v.Text(), 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(v.Text(), 64)
		if err == nil && f >= -1<<62 && f <= 1<<62 {
			return int64(f), true
		}
	}
	return 0, false
}

// Float is any finite number, also one that a string writes.
func (v Value) Float() (f float64, ok bool) {
	switch v.Type {
	case Int:
		return float64(int64(v.num)), true
	case Double:
		f = math.Float64frombits(v.num)
	case String:
		var err error
		if f, err = strconv.ParseFloat(v.Text(), 64); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// True reports a true bool, the text "true" or a number other than zero.
func (v Value) True() bool {
	switch v.Type {
	case Bool, Int:
		return v.num != 0
	case String:
		return string(v.b) == "true" || string(v.b) == "True" || string(v.b) == "1"
	}
	return false
}

// Empty reports a value that says nothing: none, or a text without letters.
func (v Value) Empty() bool {
	switch v.Type {
	case None:
		return true
	case String, Array, Pairs, Bytes:
		return len(v.b) == 0
	}
	return false
}

// Each calls each with every element of an Array until it returns false.
func (v Value) Each(each func(Value) bool) {
	if v.Type != Array {
		return
	}
	for r := (Reader{B: v.b}); r.More(); {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			r.Skip(wire)
			continue
		}
		if e := ParseValue(r.Bytes()); r.Bad || !each(e) {
			return
		}
	}
}

// EachPair calls each with every entry of Pairs until it returns false.
func (v Value) EachPair(each func(key string, v Value) bool) {
	if v.Type != Pairs {
		return
	}
	for r := (Reader{B: v.b}); r.More(); {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			r.Skip(wire)
			continue
		}
		key, val := KeyValue(r.Bytes())
		if r.Bad || !each(unsafe.String(unsafe.SliceData(key), len(key)), val) {
			return
		}
	}
}

// KeyValue reads an encoded KeyValue.
func KeyValue(raw []byte) (key []byte, v Value) {
	// SDKs write a key below 128 bytes and then the value, the collector the
	// other way round: the loop below would read both, at three times the cost.
	if len(raw) > 2 && raw[0] == 1<<3|2 && raw[1] < 0x80 {
		end := 2 + int(raw[1])
		if end+1 < len(raw) && raw[end] == 2<<3|2 {
			if size, at := length(raw, end+1); at > 0 && at+size == len(raw) {
				return raw[2:end:end], usualValue(raw[at:])
			}
		}
	} else if len(raw) > 2 && raw[0] == 2<<3|2 {
		size, at := length(raw, 1)
		end := at + size
		if at > 0 && end+1 < len(raw) && raw[end] == 1<<3|2 && int(raw[end+1]) == len(raw)-end-2 {
			return raw[end+2:], usualValue(raw[at:end:end])
		}
	}
	for r := (Reader{B: raw}); r.More(); {
		switch field, wire := r.Tag(); field<<3 | wire {
		case 1<<3 | 2:
			key = r.Bytes()
		case 2<<3 | 2:
			v = ParseValue(r.Bytes())
		default:
			r.Skip(wire)
		}
	}
	return key, v
}

// length reads a varint of up to three bytes at i; next is 0 for a longer one.
func length(b []byte, i int) (n, next int) {
	if b[i] < 0x80 {
		return int(b[i]), i + 1
	}
	if i+1 < len(b) && b[i+1] < 0x80 {
		return int(b[i]&0x7f) | int(b[i+1])<<7, i + 2
	}
	if i+2 < len(b) && b[i+2] < 0x80 {
		return int(b[i]&0x7f) | int(b[i+1]&0x7f)<<7 | int(b[i+2])<<14, i + 3
	}
	return 0, 0
}

// usualValue reads text and small numbers at once, the rest by ParseValue.
func usualValue(raw []byte) Value {
	if len(raw) >= 2 {
		switch raw[0] {
		case 1<<3 | 2:
			if n, at := length(raw, 1); at > 0 && at+n == len(raw) {
				return Value{Type: String, b: raw[at:]}
			}
		case 2 << 3, 3 << 3:
			if len(raw) == 2 && raw[1] < 0x80 {
				return Value{Type: Type(raw[0] >> 3), num: uint64(raw[1])}
			}
			if len(raw) == 3 && raw[2] < 0x80 && raw[1] >= 0x80 {
				return Value{Type: Type(raw[0] >> 3), num: uint64(raw[1]&0x7f) | uint64(raw[2])<<7}
			}
		case 4<<3 | 1:
			if len(raw) == 9 {
				return Value{Type: Double, num: binary.LittleEndian.Uint64(raw[1:])}
			}
		}
	}
	return ParseValue(raw)
}

// AppendJSON appends the value as JSON: bytes in base64, numbers that JSON does
// not know as text, none as null.
func (v Value) AppendJSON(dst []byte) []byte { return v.appendJSON(dst, 0) }

func (v Value) appendJSON(dst []byte, depth int) []byte {
	switch v.Type {
	case String:
		return activity.AppendJSONString(dst, v.b)
	case Bool:
		return strconv.AppendBool(dst, v.num != 0)
	case Int:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case Double:
		f := math.Float64frombits(v.num)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return activity.AppendJSONString(dst, []byte(strconv.FormatFloat(f, 'g', -1, 64)))
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case Bytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.b)
		return append(dst, '"')
	case Array:
		if depth >= maxDepth {
			break
		}
		dst = append(dst, '[')
		n := len(dst)
		v.Each(func(e Value) bool {
			if len(dst) > n {
				dst = append(dst, ',')
			}
			dst = e.appendJSON(dst, depth+1)
			return true
		})
		return append(dst, ']')
	case Pairs:
		if depth >= maxDepth {
			break
		}
		dst = append(dst, '{')
		n := len(dst)
		v.EachPair(func(key string, e Value) bool {
			if len(dst) > n {
				dst = append(dst, ',')
			}
			dst = activity.AppendJSONString(dst, []byte(key))
			dst = append(dst, ':')
			dst = e.appendJSON(dst, depth+1)
			return true
		})
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// Reader walks one protobuf message. After the first bad byte it is at its end
// with Bad set and stays there.
type Reader struct {
	B   []byte
	I   int
	Bad bool
}

// More reports whether fields are left.
func (r *Reader) More() bool { return r.I < len(r.B) }

// Tag reads the next field's number and wire type.
func (r *Reader) Tag() (field, wire uint64) {
	t := r.Varint()
	return t >> 3, t & 7
}

// Varint reads one; 0 when it is bad.
func (r *Reader) Varint() uint64 {
	if r.I < len(r.B) && r.B[r.I] < 0x80 {
		r.I++
		return uint64(r.B[r.I-1])
	}
	return r.longVarint()
}

func (r *Reader) longVarint() uint64 {
	var v uint64
	for n := uint(0); n < 70 && r.I < len(r.B); n += 7 {
		c := r.B[r.I]
		r.I++
		v |= uint64(c&0x7f) << n
		if c < 0x80 {
			return v
		}
	}
	r.fail()
	return 0
}

func (r *Reader) fail() {
	r.Bad = true
	r.I = len(r.B)
}

// Fixed64 reads eight bytes, little-endian.
func (r *Reader) Fixed64() uint64 {
	if len(r.B)-r.I < 8 {
		r.fail()
		return 0
	}
	b := r.B[r.I : r.I+8 : r.I+8]
	r.I += 8
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Bytes reads a length and that many bytes, aliasing.
func (r *Reader) Bytes() []byte {
	n := r.Varint()
	if n > uint64(len(r.B)-r.I) {
		r.fail()
		return nil
	}
	b := r.B[r.I : r.I+int(n) : r.I+int(n)]
	r.I += int(n)
	return b
}

// Skip passes over a field of this wire type; groups are bad input.
func (r *Reader) Skip(wire uint64) {
	switch wire {
	case 0:
		r.Varint()
	case 1:
		r.Fixed64()
	case 2:
		r.Bytes()
	case 5:
		if len(r.B)-r.I < 4 {
			r.fail()
		} else {
			r.I += 4
		}
	default:
		r.fail()
	}
}

// AppendVarint appends v.
func AppendVarint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// AppendEntry appends b as a field 1, the form in which activity keeps
// attributes and events.
func AppendEntry(dst, b []byte) []byte {
	dst = append(dst, 1<<3|2)
	return append(AppendVarint(dst, uint64(len(b))), b...)
}
