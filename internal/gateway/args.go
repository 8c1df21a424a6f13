package gateway

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"reeve/internal/policy"
)

// Bounds of arguments; what is beyond cannot be read by policy.
const (
	maxDepth = 64
	maxPaths = 4096
)

// ArgsOf reads arguments from JSON for policy, by JSON Pointer with "*" for any
// element of an array:
//
//	text, flag         the value; of several elements all texts
//	int, number        the value; of several elements path#max, path#min, path#sum
//	int                path#count of an array
//
// A value that Cedar cannot hold (null, more than four decimals, too large,
// several numbers or flags at one path) is listed as unfit: what it is cannot
// be decided on. JSON that two readers may read differently (a name twice, bad
// UTF-8, anything after the value) is not readable at all.
func ArgsOf(body []byte) policy.Args {
	a := policy.Args{Bytes: int64(len(body))}
	if len(body) == 0 {
		a.Readable = true
		return a
	}
	r := argReader{in: body, args: &a}
	if err := r.document(); err != nil {
		return policy.Args{Bytes: int64(len(body))}
	}
	a.Readable = true
	r.numbers()
	return a
}

// AddText gives policy an argument that does not stand in the body, as text,
// and as a number where it is written as one.
func AddText(a *policy.Args, name string, values []string) {
	if a.Text == nil {
		a.Text = map[string][]string{}
	}
	a.Text[name] = values
	a.Names = append(a.Names, name)
	if len(values) != 1 || !isNumber(values[0]) {
		return
	}
	setNumber(a, name, values[0])
}

func setNumber(a *policy.Args, path, text string) {
	n, ok := newNumber(text)
	if !ok {
		a.Unfit = append(a.Unfit, path)
		return
	}
	n.put(a, path)
}

var errArgs = errors.New("not JSON that reads in one way")

// argReader walks JSON once. encoding/json would lose duplicate names and
// number texts, and costs several times as much.
type argReader struct {
	in    []byte
	at    int
	depth int
	paths int
	path  []byte
	args  *policy.Args
	many  map[string]*numbers // numbers below arrays, by path
}

func (r *argReader) document() error {
	r.space()
	if err := r.value(false); err != nil {
		return err
	}
	r.space()
	if r.at != len(r.in) {
		return errArgs
	}
	return nil
}

func (r *argReader) space() {
	for r.at < len(r.in) && (r.in[r.at] == ' ' || r.in[r.at] == '\t' || r.in[r.at] == '\n' || r.in[r.at] == '\r') {
		r.at++
	}
}

func (r *argReader) value(inArray bool) error {
	if r.at >= len(r.in) {
		return errArgs
	}
	switch c := r.in[r.at]; {
	case c == '{':
		return r.object(inArray)
	case c == '[':
		return r.array(inArray)
	case c == '"':
		s, err := r.text()
		if err != nil {
			return err
		}
		p, err := r.name()
		if err != nil {
			return err
		}
		if r.args.Text == nil {
			r.args.Text = make(map[string][]string, 8)
		}
		r.args.Text[p] = append(r.args.Text[p], s)
		return nil
	case c == 't':
		return r.flag("true", true)
	case c == 'f':
		return r.flag("false", false)
	case c == 'n':
		if err := r.word("null"); err != nil {
			return err
		}
		return r.unfit()
	}
	return r.number(inArray)
}

// name is the path at hand as policy writes it.
func (r *argReader) name() (string, error) {
	if r.paths++; r.paths > maxPaths {
		return "", errArgs
	}
	return string(r.path), nil
}

func (r *argReader) unfit() error {
	p, err := r.name()
	if err == nil && !slices.Contains(r.args.Unfit, p) {
		r.args.Unfit = append(r.args.Unfit, p)
	}
	return err
}

func (r *argReader) word(w string) error {
	if len(r.in)-r.at < len(w) || string(r.in[r.at:r.at+len(w)]) != w {
		return errArgs
	}
	r.at += len(w)
	return nil
}

func (r *argReader) flag(w string, v bool) error {
	if err := r.word(w); err != nil {
		return err
	}
	p, err := r.name()
	if err != nil {
		return err
	}
	if r.args.Flag == nil {
		r.args.Flag = make(map[string]bool, 4)
	}
	if old, ok := r.args.Flag[p]; ok && old != v {
		r.args.Unfit = append(r.args.Unfit, p)
	}
	r.args.Flag[p] = v
	return nil
}

func (r *argReader) object(inArray bool) error {
	if r.depth++; r.depth > maxDepth {
		return errArgs
	}
	defer func() { r.depth-- }()
	r.at++
	top := r.depth == 1 && !inArray
	var few [16]string
	seen := few[:0]
	for first := true; ; first = false {
		r.space()
		if r.at < len(r.in) && r.in[r.at] == '}' {
			r.at++
			return nil
		}
		if !first {
			if err := r.word(","); err != nil {
				return err
			}
			r.space()
		}
		if r.at >= len(r.in) || r.in[r.at] != '"' {
			return errArgs
		}
		key, err := r.text()
		if err != nil {
			return err
		}
		seen = append(seen, key)
		if len(seen) > maxPaths {
			return errArgs
		}
		if len(seen) <= len(few) && slices.Contains(seen[:len(seen)-1], key) {
			return errArgs
		}
		if top {
			r.args.Names = append(r.args.Names, key)
		}
		r.space()
		if err := r.word(":"); err != nil {
			return err
		}
		r.space()
		n := len(r.path)
		r.push(key)
		if err := r.value(inArray); err != nil {
			return err
		}
		r.path = r.path[:n]
		r.space()
		if r.at < len(r.in) && r.in[r.at] == '}' {
			r.at++
			break
		}
	}
	if len(seen) > len(few) { // too many to compare one by one
		sorted := slices.Clone(seen)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != len(seen) {
			return errArgs
		}
	}
	return nil
}

// push adds a name to the path, escaped as JSON Pointer does.
func (r *argReader) push(key string) {
	r.path = append(r.path, '/')
	for i := range len(key) {
		switch key[i] {
		case '~':
			r.path = append(r.path, '~', '0')
		case '/':
			r.path = append(r.path, '~', '1')
		default:
			r.path = append(r.path, key[i])
		}
	}
}

func (r *argReader) array(bool) error {
	if r.depth++; r.depth > maxDepth {
		return errArgs
	}
	defer func() { r.depth-- }()
	r.at++
	own := string(r.path)
	n := len(r.path)
	r.path = append(r.path, '/', '*')
	count := int64(0)
	for {
		r.space()
		if r.at < len(r.in) && r.in[r.at] == ']' && count == 0 {
			break
		}
		if err := r.value(true); err != nil {
			return err
		}
		count++
		r.space()
		if r.at < len(r.in) && r.in[r.at] == ']' {
			break
		}
		if err := r.word(","); err != nil {
			return err
		}
	}
	r.at++
	r.path = r.path[:n]
	if r.args.Int == nil {
		r.args.Int = make(map[string]int64, 4)
	}
	// Of arrays within arrays the longest counts.
	r.args.Int[own+"#count"] = max(r.args.Int[own+"#count"], count)
	return nil
}

// text reads a string.
func (r *argReader) text() (string, error) {
	start := r.at + 1
	for i := start; i < len(r.in); i++ {
		switch c := r.in[i]; {
		case c == '"':
			s := r.in[start:i]
			if !utf8.Valid(s) {
				return "", errArgs
			}
			r.at = i + 1
			return string(s), nil
		case c < 0x20:
			return "", errArgs
		case c == '\\':
			return r.escaped(start, i)
		}
	}
	return "", errArgs
}

// escaped reads a string from its first escape on.
func (r *argReader) escaped(start, i int) (string, error) {
	out := slices.Clone(r.in[start:i])
	for i < len(r.in) {
		c := r.in[i]
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", errArgs
			}
			r.at = i + 1
			return string(out), nil
		case c < 0x20:
			return "", errArgs
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		if i+1 >= len(r.in) {
			return "", errArgs
		}
		e := strings.IndexByte(`"\/bfnrt`, r.in[i+1])
		if e >= 0 {
			out = append(out, "\"\\/\b\f\n\r\t"[e])
			i += 2
			continue
		}
		u, ok := r.hex(i)
		if !ok {
			return "", errArgs
		}
		i += 6
		if u >= 0xD800 && u < 0xE000 {
			low, ok := r.hex(i)
			if u >= 0xDC00 || !ok || low < 0xDC00 || low >= 0xE000 {
				return "", errArgs // half a pair: readers replace it in different ways
			}
			u = 0x10000 + (u-0xD800)<<10 + (low - 0xDC00)
			i += 6
		}
		out = utf8.AppendRune(out, u)
	}
	return "", errArgs
}

func (r *argReader) hex(i int) (rune, bool) {
	if i+6 > len(r.in) || r.in[i] != '\\' || r.in[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.in[i+2:i+6]), 16, 16)
	return rune(n), err == nil
}

func (r *argReader) number(inArray bool) error {
	start := r.at
	for r.at < len(r.in) && strings.IndexByte("+-.0123456789eE", r.in[r.at]) >= 0 {
		r.at++
	}
	text := string(r.in[start:r.at])
	if !isNumber(text) {
		return errArgs
	}
	p, err := r.name()
	if err != nil {
		return err
	}
	if !inArray {
		setNumber(r.args, p, text)
		return nil
	}
	if r.many == nil {
		r.many = map[string]*numbers{}
	}
	all := r.many[p]
	if all == nil {
		all = &numbers{}
		r.many[p] = all
	}
	all.add(text)
	return nil
}

// isNumber is JSON's grammar of numbers.
func isNumber(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	s = strings.TrimPrefix(s, "-")
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' || !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// number is a value that Cedar can hold: ten-thousandths in an int64, an
// integer, or both.
type number struct {
	decimal, whole     int64
	isDecimal, isWhole bool
}

// maxDigits bounds what is computed with: 1e999999 is no amount of anything.
const maxDigits = 40

// newNumber reads a JSON number exactly; ok is false when Cedar has no place
// for it.
func newNumber(text string) (n number, ok bool) {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		n.whole, n.isWhole = whole, true
		if limit := int64(1<<63-1) / 10_000; whole >= -limit && whole <= limit {
			n.decimal, n.isDecimal = whole*10_000, true
		}
		return n, n.isDecimal
	}
	if i := strings.IndexAny(text, "eE"); len(text) > maxDigits || i >= 0 && len(text)-i > 4 {
		return n, false
	}
	v, ok := new(big.Rat).SetString(text)
	if !ok {
		return n, false
	}
	if v.IsInt() && v.Num().IsInt64() {
		n.whole, n.isWhole = v.Num().Int64(), true
	}
	v.Mul(v, big.NewRat(10_000, 1))
	if v.IsInt() && v.Num().IsInt64() {
		n.decimal, n.isDecimal = v.Num().Int64(), true
	}
	return n, n.isDecimal
}

func (n number) put(a *policy.Args, path string) {
	if a.Number == nil {
		a.Number = make(map[string]string, 8)
	}
	a.Number[path] = decimalText(n.decimal)
	if n.isWhole {
		if a.Int == nil {
			a.Int = make(map[string]int64, 8)
		}
		a.Int[path] = n.whole
	}
}

// decimalText writes ten-thousandths as Cedar's decimal.
func decimalText(v int64) string {
	sign, u := "", uint64(v)
	if v < 0 {
		sign, u = "-", -uint64(v)
	}
	fraction := strings.TrimRight(strconv.FormatUint(u%10_000+10_000, 10)[1:], "0")
	if fraction == "" {
		fraction = "0"
	}
	return sign + strconv.FormatUint(u/10_000, 10) + "." + fraction
}

// numbers are those of an array's elements at one path.
type numbers struct {
	all   []number
	unfit bool
}

func (n *numbers) add(text string) {
	v, ok := newNumber(text)
	n.unfit = n.unfit || !ok
	n.all = append(n.all, v)
}

// numbers gives policy what it can ask of the numbers below arrays.
func (r *argReader) numbers() {
	for path, n := range r.many {
		if n.unfit {
			r.args.Unfit = append(r.args.Unfit, path, path+"#max", path+"#min", path+"#sum")
			continue
		}
		byValue := func(a, b number) int { return cmp.Compare(a.decimal, b.decimal) }
		slices.MaxFunc(n.all, byValue).put(r.args, path+"#max")
		slices.MinFunc(n.all, byValue).put(r.args, path+"#min")
		if sum, ok := total(n.all); ok {
			sum.put(r.args, path+"#sum")
		} else {
			r.args.Unfit = append(r.args.Unfit, path+"#sum")
		}
		if len(n.all) == 1 {
			n.all[0].put(r.args, path)
		} else {
			r.args.Unfit = append(r.args.Unfit, path) // not one number
		}
	}
}

func total(all []number) (sum number, ok bool) {
	sum.isDecimal, sum.isWhole = true, true
	for _, n := range all {
		d := sum.decimal + n.decimal
		if (d > sum.decimal) != (n.decimal > 0) && n.decimal != 0 {
			return sum, false
		}
		sum.decimal, sum.isWhole = d, sum.isWhole && n.isWhole
	}
	sum.whole = sum.decimal / 10_000
	return sum, true
}
