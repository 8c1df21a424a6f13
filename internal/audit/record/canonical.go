package record

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"reeve/internal/jcs"
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
		return jcs.AppendString(dst, v), nil
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
		for i, k := range slices.SortedFunc(maps.Keys(v), jcs.Compare) {
			if i > 0 {
				dst = append(dst, ',')
			}
			if !utf8.ValidString(k) {
				return nil, fmt.Errorf("key %q is not UTF-8", k)
			}
			dst = append(jcs.AppendString(dst, k), ':')
			if dst, err = appendCanonical(dst, v[k]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	return nil, fmt.Errorf("a %T has no place in a record", v)
}

// AppendInt writes an integer, which the caller keeps within MaxInteger; one
// beyond it becomes MaxInteger, since no record may hold what readers lose.
func AppendInt(dst []byte, v int64) []byte {
	return strconv.AppendInt(dst, max(min(v, MaxInteger), -MaxInteger), 10)
}
