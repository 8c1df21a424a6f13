package search

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const valueUnknown = "unknown"

// Value is a value of a comparison, read by its field's type.
type Value struct {
	Unknown bool    // the asker looks for absence; nothing else is set
	Prefix  bool    // Text is a prefix
	Text    string  // text, enum, list and dynamic fields
	Number  float64 // number; duration in milliseconds; money in whole units of the currency
	Numeric bool    // Number is set (always for number, duration and money; for dynamic fields when it reads as one)
	Time    int64   // time fields: ns since 1970 UTC
	Bool    bool
}

// Read reads the i-th value by the field's type; relative times count from
// now. It fails only for an Expr that Parse did not make.
func (e *Cmp) Read(scope Scope, i int, now time.Time) (Value, error) {
	f, ok := Lookup(scope, e.Field)
	if !ok {
		return Value{}, fmt.Errorf("reading a value: no field %q in scope %s", e.Field, scope)
	}
	if i >= len(e.Values) {
		return Value{}, fmt.Errorf("reading a value of %s: there is none", e.Field)
	}
	return f.Read(e.Values[i], now)
}

// Read reads a value as Cmp.Values keeps it.
func (f Field) Read(v string, now time.Time) (Value, error) {
	if v == valueUnknown {
		return Value{Unknown: true}, nil
	}
	text, prefix := unescapeValue(v)
	out := Value{Text: text, Prefix: prefix}
	var err error
	switch f.Type {
	case TypeText, TypeList, TypeEnum:
	case TypeBool:
		out.Bool, err = readBool(text)
	case TypeNumber:
		out.Number, err = readNumber(text)
		out.Numeric = true
	case TypeDuration:
		out.Number, err = readDuration(text)
		out.Numeric = true
	case TypeMoney:
		out.Number, err = readMoney(text)
		out.Numeric = true
	case TypeTime:
		var t time.Time
		t, err = ParseTime(text, now)
		out.Time = t.UnixNano()
	case TypeDynamic:
		if n, e := strconv.ParseFloat(text, 64); e == nil && !math.IsNaN(n) {
			out.Number, out.Numeric = n, true
		} else if ms, e := readDuration(text); e == nil {
			out.Number, out.Numeric = ms, true
		}
	}
	return out, err
}

// check refuses a value that the field cannot be compared with.
func (f Field) check(op, v string) *SyntaxError {
	refuse := func(expected, hint string) *SyntaxError {
		text, _ := unescapeValue(v)
		return &SyntaxError{Problem: fmt.Sprintf("%q is no value of %s", text, f.Name), Expected: expected, Hint: hint}
	}
	if v == valueUnknown {
		if op == ":" || op == "!=" {
			return nil
		}
		return refuse("a value", "unknown goes with : or !=")
	}
	val, err := f.Read(v, time.Unix(0, 0))
	if err != nil {
		return refuse(f.example(), "")
	}
	textual := f.Type == TypeText || f.Type == TypeList || f.Type == TypeDynamic
	if val.Prefix && (!textual || op == "~") {
		return refuse(f.example(), "a star at the end goes with : on text")
	}
	switch {
	case len(f.Values) > 0 && op != "~":
		for _, known := range f.Values {
			if known == val.Text {
				return nil
			}
		}
		hint := ""
		if s := nearest(strings.ToLower(val.Text), f.Values); s != "" {
			hint = "did you mean " + s + "?"
		}
		return refuse("one of "+strings.Join(f.Values, ", "), hint)
	case f.Type == TypeTime && (op == ":" || op == "!="):
		return &SyntaxError{Problem: f.Name + " is a time", Expected: "> >= < or <=", Hint: fmt.Sprintf("write %s>-2h", f.Name)}
	case f.Type == TypeDynamic && !val.Numeric && strings.ContainsAny(op, "<>"):
		return refuse("a number", op+" compares numbers")
	}
	return nil
}

func (f Field) example() string {
	switch f.Type {
	case TypeEnum:
		return "one of " + strings.Join(f.Values, ", ")
	case TypeBool:
		return "true or false"
	case TypeNumber:
		return "a number like 12 or 10k"
	case TypeDuration:
		return "a duration like 300ms, 2s or 1h"
	case TypeMoney:
		return "an amount like 0.10"
	case TypeTime:
		return "a time like 2026-01-31, 2026-01-31T08:00:00Z or -2h"
	}
	return "text"
}

func escapeValue(s string) string {
	if !strings.ContainsAny(s, `\*`) && !strings.EqualFold(s, valueUnknown) {
		return s
	}
	if strings.EqualFold(s, valueUnknown) {
		return `\` + s
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(s)
}

func unescapeValue(v string) (text string, prefix bool) {
	if !strings.ContainsAny(v, `\*`) {
		return v, false
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '\\' && i+1 < len(v):
			i++
			b.WriteByte(v[i])
		case v[i] == '*' && i == len(v)-1:
			prefix = true
		default:
			b.WriteByte(v[i])
		}
	}
	return b.String(), prefix
}

func readBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is not true or false", s)
}

func readNumber(s string) (float64, error) {
	factor := 1.0
	if n := len(s); n > 1 {
		switch s[n-1] {
		case 'k', 'K':
			factor, s = 1e3, s[:n-1]
		case 'm', 'M':
			factor, s = 1e6, s[:n-1]
		case 'g', 'G', 'b', 'B':
			factor, s = 1e9, s[:n-1]
		}
	}
	return finite(s, factor)
}

func readMoney(s string) (float64, error) {
	s = strings.TrimPrefix(s, "$")
	if n := len(s); n > 3 && strings.EqualFold(s[n-3:], "usd") {
		s = s[:n-3]
	}
	return readNumber(s)
}

func finite(s string, factor float64) (float64, error) {
	// ParseFloat knows spellings (0x1p4, 1_000, inf) that nobody means here.
	if s == "" || strings.ContainsAny(s, "xXpP_iInN") {
		return 0, fmt.Errorf("%q is no number", s)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(n*factor, 0) || math.IsNaN(n) {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n * factor, nil
}

var durationUnits = []struct {
	suffix string
	ms     float64
}{
	{"ns", 1e-6},
	{"us", 1e-3},
	{"µs", 1e-3},
	{"ms", 1},
	{"s", 1e3},
	{"m", 60e3},
	{"h", 3600e3},
	{"d", 24 * 3600e3},
	{"w", 7 * 24 * 3600e3},
}

// readDuration reads 300ms, 2s, 1h30m or 2d in milliseconds; a bare number is
// milliseconds, as the API's duration_ms.
func readDuration(s string) (float64, error) {
	if n, err := finite(s, 1); err == nil {
		return n, nil
	}
	total, rest := 0.0, s
	for rest != "" {
		i := 0
		for i < len(rest) && (rest[i] >= '0' && rest[i] <= '9' || rest[i] == '.') {
			i++
		}
		n, err := finite(rest[:i], 1)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration", s)
		}
		j := i
		for j < len(rest) && !(rest[j] >= '0' && rest[j] <= '9' || rest[j] == '.') {
			j++
		}
		unit, found := rest[i:j], false
		for _, u := range durationUnits {
			if u.suffix == unit {
				total, found = total+n*u.ms, true
				break
			}
		}
		if !found {
			return 0, fmt.Errorf("%q is no duration", s)
		}
		rest = rest[j:]
	}
	if s == "" || math.IsInf(total, 0) {
		return 0, fmt.Errorf("%q is no duration", s)
	}
	return total, nil
}

// ParseTime reads a time as a search, a query or a URL gives it: RFC 3339, a
// date or a date with minutes (UTC), "now", or a distance from now such as -2h
// or -7d.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if strings.EqualFold(s, "now") {
		return now, nil
	}
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		ms, err := readDuration(s[1:])
		const century = 100 * 365 * 24 * 3600e3
		if err != nil || ms > century {
			return time.Time{}, fmt.Errorf("%q is no time", s)
		}
		d := time.Duration(ms * 1e6)
		if s[0] == '-' {
			d = -d
		}
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		// Outside these years ns since 1970 do not fit an int64.
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1678 && t.Year() < 2262 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", s)
}

// nearest is the candidate that differs from s by the fewest keystrokes, if
// few enough to be a slip of the hand.
func nearest(s string, candidates []string) string {
	best, found := 1+len(s)/3, ""
	for _, c := range candidates {
		if d := distance(s, c); d <= best && (found == "" || d < best) {
			best, found = d, c
		}
	}
	return found
}

// distance is the optimal string alignment distance: insertions, deletions,
// replacements and swaps of neighbours.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 4 || d < -4 || len(a) > 64 {
		return 100
	}
	two, one, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(one[j]+1, cur[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], two[j-2]+1)
			}
		}
		two, one, cur = one, cur, two
	}
	return one[len(b)]
}
