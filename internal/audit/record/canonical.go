package record

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxInteger is the largest integer that every JSON reader keeps exactly.
const MaxInteger = 1<<53 - 1

// Canonical encodes a value as RFC 8785 says, restricted to objects, arrays,
// strings, booleans and integers below 2^53: absent instead of null, and no
// fractions, because these are where encoders differ. Anything else is an error.
func Canonical(v any) ([]byte, error) { return appendCanonical(nil, v) }

func appendCanonical(dst []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("text %q is not UTF-8", v)
		}
		return AppendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int64:
		if v > MaxInteger || v < -MaxInteger {
			return nil, fmt.Errorf("integer %d is beyond 2^53", v)
		}
		return strconv.AppendInt(dst, v, 10), nil
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendCanonical(dst, e); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		for i, k := range slices.SortedFunc(maps.Keys(v), compareUTF16) {
			if i > 0 {
				dst = append(dst, ',')
			}
			if !utf8.ValidString(k) {
				return nil, fmt.Errorf("key %q is not UTF-8", k)
			}
			dst = append(AppendString(dst, k), ':')
			if dst, err = appendCanonical(dst, v[k]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	return nil, fmt.Errorf("a %T has no place in a record", v)
}

// compareUTF16 orders keys by UTF-16 code units, as RFC 8785 §3.2.3 asks:
// beyond the basic plane that differs from the order of bytes.
func compareUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// AppendInt writes an integer, which the caller keeps within MaxInteger; one
// beyond it becomes MaxInteger, since no record may hold what readers lose.
func AppendInt(dst []byte, v int64) []byte {
	return strconv.AppendInt(dst, max(min(v, MaxInteger), -MaxInteger), 10)
}

// plain marks the bytes that stand for themselves in a JSON string. Bytes of
// longer UTF-8 sequences do too.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// AppendString escapes as RFC 8785 §3.2.2.2: the short forms where JSON has
// them, \u00xx for other control characters, and everything else as it is.
// Invalid UTF-8 is replaced, because a record of a refused call must not fail
// for a name that somebody claims.
func AppendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	dst = append(dst, '"')
	at := 0
	for i := range len(s) {
		if c := s[i]; !plain[c] {
			dst = appendEscape(append(dst, s[at:i]...), c)
			at = i + 1
		}
	}
	return append(append(dst, s[at:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
