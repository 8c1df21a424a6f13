package content

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// The rules for secrets are those of gitleaks (MIT, secrets.LICENSE), as data.
//
//go:generate python3 gen/gitleaks.py $GITLEAKS_DIR v8.30.1
//go:embed secrets.json
var secretsJSON []byte

// secretsFile is secrets.json.
type secretsFile struct {
	Source, Version, Licence string
	Allow                    *allowJSON
	Rules                    []struct {
		ID, Regex string
		Group     int
		Entropy   float64
		Keywords  []string
		Allow     []allowJSON
	}
}

type allowJSON struct {
	Target             string
	Regexes, Stopwords []string
}

// secretRule finds one kind of secret near one of its words.
type secretRule struct {
	class    string
	keywords []string
	re       *regexp.Regexp
	group    int
	entropy  float64
	allow    []allowlist

	// What is looked at before the expression is asked, which costs a hundred
	// times as much.
	literal   string // the match begins with it, and so does the keyword; "" unknown
	follow    *[256]bool
	followMin int
	assigned  map[string]bool // keywords that stand before an operator and a value
	value     *[256]bool      // what such a value is made of; nil is anything
	apart     bool            // the keyword may stand anywhere near: it is no part of the match
	longest   int             // bytes of a match; unbounded where nothing bounds it
}

// allowlist says what is no secret after all.
type allowlist struct {
	target    string // "" is the secret, match, line
	regexes   []*regexp.Regexp
	stopwords *automaton
}

const unbounded = math.MaxInt32

// secretRules are gitleaks' rules, compiled once for the process: they are data
// that never changes.
var secretRules = sync.OnceValues(func() ([]*secretRule, error) {
	var f secretsFile
	if err := json.Unmarshal(secretsJSON, &f); err != nil {
		return nil, fmt.Errorf("reading secrets.json: %w", err)
	}
	everywhere, err := compileAllow(*f.Allow)
	if err != nil {
		return nil, err
	}
	out := make([]*secretRule, 0, len(f.Rules))
	for _, r := range f.Rules {
		c := &secretRule{keywords: r.Keywords, group: r.Group, entropy: r.Entropy, allow: []allowlist{everywhere}, class: "secret." + r.ID}
		if c.re, err = regexp.Compile(r.Regex); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		for _, a := range r.Allow {
			list, err := compileAllow(a)
			if err != nil {
				return nil, fmt.Errorf("rule %s: %w", r.ID, err)
			}
			c.allow = append(c.allow, list)
		}
		if err := c.look(r.Regex); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		out = append(out, c)
	}
	return out, nil
})

func compileAllow(a allowJSON) (allowlist, error) {
	out := allowlist{target: a.Target}
	for _, text := range a.Regexes {
		re, err := regexp.Compile(text)
		if err != nil {
			return out, err
		}
		out.regexes = append(out.regexes, re)
	}
	if len(a.Stopwords) > 0 {
		words := make([]string, len(a.Stopwords))
		for i, w := range a.Stopwords {
			words[i] = strings.ToLower(w)
		}
		out.stopwords = newAutomaton(words)
	}
	return out, nil
}

// operators is the middle of gitleaks' expressions for "name = value".
const operators = `(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)`

// look reads off the expression what can be checked without it.
func (r *secretRule) look(text string) error {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return err
	}
	r.longest = longest(tree)
	if name, value, ok := strings.Cut(text, operators); ok {
		name = strings.ToLower(name)
		r.value = madeOf(value)
		r.assigned = map[string]bool{}
		for _, k := range r.keywords {
			r.assigned[k] = strings.Contains(name, k) // else it is in the value
		}
	}
	r.apart = r.assigned == nil
	parts := flatten(nil, tree)
	for len(parts) > 0 && zeroWidth(parts[0]) {
		parts = parts[1:]
	}
	if len(parts) == 0 || parts[0].Op != syntax.OpLiteral || parts[0].Flags&syntax.FoldCase != 0 {
		return nil
	}
	literal := string(parts[0].Rune)
	for _, k := range r.keywords {
		if l := strings.ToLower(literal); !strings.HasPrefix(l, k) && !strings.HasPrefix(k, l) {
			return nil
		}
	}
	r.literal, r.apart = literal, false
	if len(parts) > 1 {
		r.follow, r.followMin = follows(parts[1])
	}
	return nil
}

// madeOf is what the first capture of an expression is made of; nil for anything.
func madeOf(text string) *[256]bool {
	tree, err := syntax.Parse("(?i)"+text, syntax.Perl) // more than it may be where it minds the case
	if err != nil {
		return nil
	}
	var set [256]bool
	if c := firstCapture(tree); c == nil || !addBytes(c, &set) {
		return nil
	}
	return &set
}

func firstCapture(re *syntax.Regexp) *syntax.Regexp {
	if re.Op == syntax.OpCapture {
		return re
	}
	for _, sub := range re.Sub {
		if c := firstCapture(sub); c != nil {
			return c
		}
	}
	return nil
}

// addBytes adds what an expression may match to a set; false when that is more
// than bytes.
func addBytes(re *syntax.Regexp, set *[256]bool) bool {
	switch re.Op {
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if c >= utf8.RuneSelf {
				return false
			}
			for _, b := range []byte(strings.ToLower(string(c)) + strings.ToUpper(string(c))) {
				set[b] = true
			}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				if c >= utf8.RuneSelf {
					// Letters beyond, as the long s that folds to s, and whole planes.
					for b := utf8.RuneSelf; b < len(set); b++ {
						set[b] = true
					}
					break
				}
				set[c] = true
			}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return false
	}
	for _, sub := range re.Sub {
		if !addBytes(sub, set) {
			return false
		}
	}
	return true
}

// flatten lists the parts of an expression in their order.
func flatten(dst []*syntax.Regexp, re *syntax.Regexp) []*syntax.Regexp {
	if re.Op != syntax.OpCapture && re.Op != syntax.OpConcat {
		return append(dst, re)
	}
	for _, sub := range re.Sub {
		dst = flatten(dst, sub)
	}
	return dst
}

func zeroWidth(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return false
}

// follows is the bytes that a part is made of and how many there are at least.
func follows(re *syntax.Regexp) (*[256]bool, int) {
	least := 1
	if re.Op == syntax.OpRepeat {
		least = re.Min
		re = re.Sub[0]
	} else if re.Op == syntax.OpPlus {
		re = re.Sub[0]
	}
	if re.Op != syntax.OpCharClass || least == 0 {
		return nil, 0
	}
	var set [256]bool
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
			if c >= utf8.RuneSelf {
				return nil, 0 // more than bytes
			}
			set[c] = true
		}
	}
	return &set, least
}

// longest is the most bytes that an expression matches.
func longest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		n := 0
		for _, c := range re.Rune {
			n += utf8.RuneLen(c)
		}
		return n
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		if n := len(re.Rune); re.Op == syntax.OpCharClass && n > 0 && re.Rune[n-1] < utf8.RuneSelf {
			return 1
		}
		return utf8.UTFMax
	case syntax.OpStar, syntax.OpPlus:
		return unbounded
	case syntax.OpRepeat:
		if n := longest(re.Sub[0]); re.Max >= 0 && n < unbounded/max(re.Max, 1) {
			return n * re.Max
		}
		return unbounded
	case syntax.OpAlternate, syntax.OpQuest, syntax.OpCapture:
		n := 0
		for _, sub := range re.Sub {
			n = max(n, longest(sub))
		}
		return n
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n = min(n+longest(sub), unbounded)
		}
		return n
	}
	return 0
}

// state of a place at which a rule's keyword stands.
type verdict uint8

const (
	no verdict = iota
	perhaps
	open // the text ends too early to say
)

// quick looks whether the expression is worth asking at a keyword.
func (r *secretRule) quick(text []byte, at int, keyword string) verdict {
	switch {
	case r.literal != "":
		return r.quickLiteral(text[at:])
	case r.assigned[keyword]:
		return quickAssignment(text[at+len(keyword):], r.value)
	}
	return perhaps
}

func (r *secretRule) quickLiteral(text []byte) verdict {
	n := min(len(r.literal), len(text))
	if string(text[:n]) != r.literal[:n] {
		return no
	}
	if n < len(r.literal) {
		return open
	}
	if r.follow == nil {
		return perhaps
	}
	for i := n; i < n+r.followMin; i++ {
		if i >= len(text) {
			return open
		}
		if !r.follow[text[i]] {
			return no
		}
	}
	return perhaps
}

// quickAssignment looks for an operator and a value, made of what it may be, behind
// a keyword.
func quickAssignment(text []byte, value *[256]bool) verdict {
	i := 0
	for ; i < len(text) && i <= 24 && between[text[i]]; i++ {
	}
	switch {
	case i == len(text):
		return open
	case i > 24 || !operator[text[i]]:
		return no
	}
	for n := 0; i < len(text) && n < 9 && (operator[text[i]] || opening[text[i]]); n++ {
		i++
	}
	for n := 0; n < 8; n++ {
		if i+n >= len(text) {
			return open
		}
		c := text[i+n]
		if c <= ' ' || c == '"' || c == '\'' || c == '`' || value != nil && !value[c] {
			return no
		}
	}
	return perhaps
}

var (
	between  = bytesOf(" \t\r\n\f\v_.-'\"", true)
	operator = bytesOf("=>:|?,", false)
	opening  = bytesOf("`'\" \t\r\n=", false)
	tokenish = bytesOf("_-+/=.~", true) // what long secrets are made of
)

func bytesOf(chars string, alphanumeric bool) *[256]bool {
	var set [256]bool
	for i := range len(chars) {
		set[chars[i]] = true
	}
	for c := range 256 {
		if alphanumeric && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			set[c] = true
		}
	}
	return &set
}

// before is how much of the text in front of a keyword an expression sees: the
// rest of a name, as "my_service_" in "my_service_token".
const before = 64

// beyond is how far a whole text is searched for the end of a secret.
const beyond = 16 << 10

// reach is how far behind a keyword a whole text is looked at.
func (r *secretRule) reach() int {
	if r.longest == unbounded {
		return beyond
	}
	if r.apart {
		return min(r.longest, 1200) + lookahead
	}
	return min(r.longest, 1200) + 2
}

// ask runs the expression around a keyword at a place, up to another.
func (r *secretRule) ask(text []byte, at, until int, dst []match) []match {
	from := max(at-before, 0)
	switch {
	case r.literal != "":
		from = max(at-1, 0)
	case r.apart:
		from = max(at-lookahead, 0)
	}
	window := text[from:until]
	for _, m := range r.re.FindAllSubmatchIndex(window, -1) {
		if !r.apart && (from+m[0] > at || from+m[1] <= at) {
			continue // of another place, which is looked at for itself
		}
		s, e := m[0], m[1]
		if g := r.group; g > 0 && 2*g+1 < len(m) && m[2*g] >= 0 {
			s, e = m[2*g], m[2*g+1]
		} else {
			for g := 1; 2*g+1 < len(m); g++ {
				if m[2*g] >= 0 && m[2*g+1] > m[2*g] {
					s, e = m[2*g], m[2*g+1]
					break
				}
			}
		}
		if r.counts(window, s, e, m[0], m[1]) {
			dst = append(dst, match{start: from + s, end: from + e, at: at, class: r.class})
		}
	}
	return dst
}

// counts reports whether a match is secret enough and not a known example.
func (r *secretRule) counts(window []byte, s, e, from, to int) bool {
	secret := window[s:e]
	if len(secret) == 0 || r.entropy > 0 && entropy(secret) <= r.entropy {
		return false
	}
	for i := range r.allow {
		a := &r.allow[i]
		target := secret
		switch a.target {
		case "match":
			target = window[from:to]
		case "line":
			target = lineOf(window, from, to)
		}
		if a.allows(target, secret) {
			return false
		}
	}
	return true
}

func (a *allowlist) allows(target, secret []byte) bool {
	for _, re := range a.regexes {
		if re.Match(target) {
			return true
		}
	}
	if a.stopwords == nil {
		return false
	}
	found := false
	a.stopwords.find(secret, func(int, int) { found = true })
	return found
}

func lineOf(text []byte, from, to int) []byte {
	for from > 0 && text[from-1] != '\n' {
		from--
	}
	for to < len(text) && text[to] != '\n' {
		to++
	}
	return text[from:to]
}

// entropy is Shannon's, in bits a byte.
func entropy(b []byte) float64 {
	var counts [256]int
	for _, c := range b {
		counts[c]++
	}
	var sum float64
	n := float64(len(b))
	for _, k := range counts {
		if k > 0 {
			p := float64(k) / n
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// Secrets that may be longer than what a stream holds back: how they begin, and
// how they end. What begins so is a secret before its end was seen.
var longSecrets = map[string]struct {
	begin *regexp.Regexp
	ends  []string // empty: with the first byte that is no part of a token
}{
	"secret.private-key": {regexp.MustCompile(`(?i)-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----`), []string{"KEY-----", "BLOCK-----"}},
	"secret.jwt":         {regexp.MustCompile(`ey[a-zA-Z0-9]{17,}\.ey[a-zA-Z0-9/\\_-]{17,}`), nil},
	"secret.jwt-base64":  {regexp.MustCompile(`ZX[a-zA-Z0-9+/_=-]{100,}`), nil},
}

// lengthen looks at what ask found (from n on) in a window that ends before its
// text, and at secrets whose end it could not see: they go on with the text.
func (r *secretRule) lengthen(text []byte, at, until, n int, dst []match) []match {
	for i := n; i < len(dst); i++ {
		if dst[i].end == until {
			dst[i].more = true
		}
	}
	long, ok := longSecrets[r.class]
	if !ok || len(dst) > n {
		return dst
	}
	window := text[at:until]
	m := long.begin.FindIndex(window)
	if m == nil || m[0] != 0 || long.ends == nil && m[1] != len(window) {
		return dst
	}
	return append(dst, match{start: at, end: until, at: at, class: r.class, more: true})
}
