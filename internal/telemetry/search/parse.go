package search

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits of a search; a longer, deeper or wider one is refused by Parse.
const (
	MaxLength = 4096 // bytes
	MaxDepth  = 32   // parentheses, functions and negations inside each other
	MaxValues = 1000 // values in all comparisons together
	MaxTerms  = 200  // comparisons and phrases
	// MaxPhrases bounds the phrases alone: each is looked for in all content of
	// the period.
	MaxPhrases = 32
)

// SyntaxError says where a search stopped making sense.
type SyntaxError struct {
	Offset   int    // byte offset into the text
	Problem  string // what is wrong, as a sentence without a full stop
	Expected string // what could have stood there; may be empty
	Hint     string // what to do about it; may be empty
}

// Error is the problem, where it is, and the hint.
func (e *SyntaxError) Error() string {
	s := fmt.Sprintf("%s at %d", e.Problem, e.Offset+1)
	if e.Expected != "" {
		s += ", expected " + e.Expected
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Parse reads a search over runs; an empty text is true of every run.
//
//	search  = and { "or" and }
//	and     = not { [ "and" ] not }
//	not     = ( "-" | "not" ) not | "(" search ")" | function "(" search ")" | compare | phrase
//	function= "any" | "all"              of the run's steps, only outside of each other
//	        | "child" | "parent"         of a step, only inside any or all (or a search over steps)
//	compare = field op value { "," value }
//	op      = ":" | "=" | "!=" | ">" | ">=" | "<" | "<=" | "~"
//	value   = word [ "*" ] | quoted | "unknown" | "*"
//	phrase  = word | quoted
//	quoted  = '"' ... '"'                a backslash takes the next character as it is
//
// A star at a word's end makes it a prefix; alone it asks for presence, as
// "unknown" asks for absence.
//
// Words end at a space, a comma (in values) or a parenthesis. Fields, their
// types and units are in Fields. "or", "and" and "not" are words of the
// language in any case; quote them to look for them.
//
// Logic has two values: a comparison with something unknown is false, and its
// negation true (`-cost>1` holds for a run whose cost is unknown; write
// `cost<=1` for the other meaning).
func Parse(text string) (Expr, error) { return ParseIn(ScopeRun, text) }

// ParseIn reads a search over another scope's rows: steps, messages or logs.
func ParseIn(scope Scope, text string) (Expr, error) { return parseIn(scope, text, false) }

// ParseAsked is ParseIn for who resolves the fields that no engine stores before asking
// one: see Resolve.
func ParseAsked(scope Scope, text string) (Expr, error) { return parseIn(scope, text, true) }

func parseIn(scope Scope, text string, asked bool) (Expr, error) {
	if len(text) > MaxLength {
		return nil, &SyntaxError{Offset: MaxLength, Problem: fmt.Sprintf("a search is at most %d bytes long", MaxLength)}
	}
	if !utf8.ValidString(text) {
		return nil, &SyntaxError{Problem: "a search is UTF-8 text"}
	}
	p := &parser{text: text, scope: scope, asked: asked}
	p.space()
	if p.pos == len(text) {
		return &And{}, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(text) {
		return nil, p.fail("nothing is open that this parenthesis could close", "", "quote it to look for it")
	}
	return e, nil
}

type parser struct {
	text   string
	pos    int
	scope  Scope
	asked  bool // fields that are resolved before are taken
	inside int  // functions that are open
	depth  int
	values int
	terms  int
	found  int // phrases
}

func (p *parser) fail(problem, expected, hint string) error {
	return &SyntaxError{Offset: p.pos, Problem: problem, Expected: expected, Hint: hint}
}

func (p *parser) space() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// word looks whether the text goes on with this word of the language.
func (p *parser) word(w string) bool {
	rest := p.text[p.pos:]
	if len(rest) < len(w) || !strings.EqualFold(rest[:len(w)], w) {
		return false
	}
	return len(rest) == len(w) || isSpace(rest[len(w)]) || rest[len(w)] == '(' || rest[len(w)] == ')'
}

func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return p.fail(fmt.Sprintf("a search nests at most %d deep", MaxDepth), "", "")
	}
	return nil
}

func (p *parser) or() (Expr, error) {
	var of []Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if o, ok := e.(*Or); ok {
			of = append(of, o.Of...)
		} else {
			of = append(of, e)
		}
		p.space()
		if !p.word("or") {
			break
		}
		p.pos += len("or")
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return &Or{Of: of}, nil
}

func (p *parser) and() (Expr, error) {
	var of []Expr
	for {
		p.space()
		if len(of) > 0 && p.word("and") {
			p.pos += len("and")
			p.space()
		} else if len(of) > 0 && (p.pos == len(p.text) || p.text[p.pos] == ')' || p.word("or")) {
			break
		}
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		if a, ok := e.(*And); ok {
			of = append(of, a.Of...)
		} else {
			of = append(of, e)
		}
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return &And{Of: of}, nil
}

const expectPredicate = `a field (agent:name), a phrase, or any(...)`

func (p *parser) not() (Expr, error) {
	if p.pos == len(p.text) {
		return nil, p.fail("the search ends too early", expectPredicate, "")
	}
	negated := p.text[p.pos] == '-'
	switch {
	case negated:
		p.pos++
	case p.word("not"):
		negated = true
		p.pos += len("not")
		p.space()
	}
	if !negated {
		return p.primary()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		return nil, p.fail("a minus stands alone", expectPredicate, `write it next to what it negates, or quote it: "-"`)
	}
	e, err := p.not()
	if err != nil {
		return nil, err
	}
	if n, ok := e.(*Not); ok {
		return n.Of, nil
	}
	return &Not{Of: e}, nil
}

func (p *parser) primary() (Expr, error) {
	if p.terms++; p.terms > MaxTerms {
		return nil, p.fail(fmt.Sprintf("a search has at most %d conditions", MaxTerms), "", "")
	}
	switch c := p.text[p.pos]; {
	case c == '(':
		return p.group()
	case c == ')':
		return nil, p.fail("unexpected )", expectPredicate, "")
	case c == '"':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return p.phrase(s)
	case p.word("or"), p.word("and"):
		return nil, p.fail("a word of the language stands alone", expectPredicate, `quote it to look for it: "or"`)
	}
	start := p.pos
	name := p.name()
	if name != "" && p.pos < len(p.text) {
		if p.text[p.pos] == '(' {
			return p.function(start, name)
		}
		if op := p.operator(); op != "" {
			return p.compare(start, name, op)
		}
	}
	p.pos = start
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && p.text[p.pos] != '(' && p.text[p.pos] != ')' {
		p.pos++
	}
	return p.phrase(p.text[start:p.pos])
}

func (p *parser) phrase(s string) (Expr, error) {
	if strings.TrimSpace(s) == "" {
		return nil, p.fail("a phrase is empty", "words to look for", "")
	}
	if p.found++; p.found > MaxPhrases {
		return nil, p.fail(fmt.Sprintf("a search looks for at most %d phrases", MaxPhrases), "", `words that stand together are one phrase in quotes`)
	}
	return &Text{Phrase: s}, nil
}

func (p *parser) group() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	open := p.pos
	p.pos++
	p.space()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos == len(p.text) {
		return nil, &SyntaxError{Offset: open, Problem: "this parenthesis is never closed", Expected: ")"}
	}
	p.pos++ // or stops only at the end or at )
	return e, nil
}

func (p *parser) function(start int, name string) (Expr, error) {
	fn := strings.ToLower(name)
	outside := p.scope
	at := func(problem, hint string) error {
		return &SyntaxError{Offset: start, Problem: problem, Hint: hint}
	}
	switch fn {
	case "any", "all":
		if outside != ScopeRun {
			return nil, at(fn+"(...) looks at the steps of a run and cannot stand here", "use child(...) or parent(...) inside any(...)")
		}
	case "child", "parent":
		if outside != ScopeStep {
			return nil, at(fn+"(...) looks from a step and cannot stand here", fmt.Sprintf("write any(%s(...))", fn))
		}
	default:
		hint := "quote it to look for it"
		if s := nearest(fn, []string{"any", "all", "child", "parent"}); s != "" {
			hint = "did you mean " + s + "?"
		}
		return nil, at("unknown function "+name, hint)
	}
	p.scope = ScopeStep
	p.inside++
	of, err := p.group()
	p.inside--
	p.scope = outside
	if err != nil {
		return nil, err
	}
	switch fn {
	case "any":
		return &Any{Of: of}, nil
	case "all":
		return &All{Of: of}, nil
	case "child":
		return &Child{Of: of}, nil
	}
	return &Parent{Of: of}, nil
}

// name reads what could be a field or a function: letters, digits, _ . - / $ @
// and, after "attr." and its like, a quoted key.
func (p *parser) name() string {
	start := p.pos
	if !isLetter(p.text[p.pos]) {
		return ""
	}
	for p.pos < len(p.text) && isName(p.text[p.pos]) {
		p.pos++
	}
	name := p.text[start:p.pos]
	if p.pos < len(p.text) && p.text[p.pos] == '"' && dynamicPrefix(strings.ToLower(name)) != "" {
		key, err := p.quoted()
		if err != nil {
			p.pos = start
			return ""
		}
		return name + key
	}
	return name
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isName(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || strings.IndexByte("_.-/$@", c) >= 0
}

var operators = []string{"!=", ">=", "<=", ":", "=", ">", "<", "~"}

func (p *parser) operator() string {
	for _, op := range operators {
		if strings.HasPrefix(p.text[p.pos:], op) {
			p.pos += len(op)
			if op == "=" {
				return ":"
			}
			return op
		}
	}
	return ""
}

func (p *parser) compare(start int, name, op string) (Expr, error) {
	f, ok := Lookup(p.scope, name)
	if !ok {
		return nil, p.unknownField(start, name)
	}
	switch {
	case f.Asked && !p.asked:
		return nil, &SyntaxError{Offset: start, Problem: f.Name + " is for searches that somebody looks at", Hint: "what is computed by itself cannot name it"}
	case f.Asked && p.inside > 0:
		return nil, &SyntaxError{Offset: start, Problem: f.Name + " cannot stand inside of a function", Hint: "it is of the whole run: write it outside, where a search over runs has mode:..."}
	}
	if !f.takes(op) {
		return nil, &SyntaxError{
			Offset: start, Problem: fmt.Sprintf("%s is %s and cannot be compared with %s", f.Name, f.Type.article(), op),
			Expected: "one of " + strings.Join(f.Ops(), " "),
		}
	}
	c := &Cmp{Field: f.Name, Op: op}
	for {
		at := p.pos
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		if v == "*" && (op == ":" || op == "!=") {
			if len(c.Values) > 0 || p.pos < len(p.text) && p.text[p.pos] == ',' {
				return nil, p.fail("a star alone asks for presence and stands alone", "", "")
			}
			// One spelling for presence and absence, so that engines know one.
			return &Cmp{Field: f.Name, Op: map[string]string{":": "!=", "!=": ":"}[op], Values: []string{valueUnknown}}, nil
		}
		if err := f.check(op, v); err != nil {
			err.Offset = at
			return nil, err
		}
		c.Values = append(c.Values, v)
		if p.values++; p.values > MaxValues {
			return nil, p.fail(fmt.Sprintf("a search compares at most %d values", MaxValues), "", "")
		}
		if p.pos == len(p.text) || p.text[p.pos] != ',' {
			break
		}
		if op != ":" && op != "!=" && op != "~" {
			return nil, p.fail(op+" compares with one value", "", "")
		}
		p.pos++
	}
	return c, nil
}

func (p *parser) unknownField(start int, name string) error {
	e := &SyntaxError{Offset: start, Problem: "unknown field " + name}
	lower := strings.ToLower(name)
	if p.scope == ScopeRun {
		if f, ok := Lookup(ScopeStep, name); ok {
			e.Problem = f.Name + " is a field of steps"
			if f.Asked {
				e.Hint = "of a run it is " + strings.TrimPrefix(f.Name, "run.") + ":..."
				return e
			}
			e.Hint = fmt.Sprintf("write any(%s:...)", f.Name)
			return e
		}
	}
	if p.scope == ScopeStep {
		if f, ok := Lookup(ScopeRun, name); ok {
			e.Problem = f.Name + " is a field of runs, not of steps"
			e.Hint = "write it outside of any(...)"
			return e
		}
	}
	if s := nearest(lower, names(p.scope)); s != "" {
		e.Hint = "did you mean " + s + "?"
	} else {
		e.Hint = "quote it to look for the words"
	}
	return e
}

// value reads one value and returns it in the form that Cmp.Values keeps:
// escaped, so that a quoted star or a quoted "unknown" is itself.
func (p *parser) value() (string, error) {
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		s, err := p.quoted()
		if err != nil {
			return "", err
		}
		return escapeValue(s), nil
	}
	start := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && strings.IndexByte(`,()"`, p.text[p.pos]) < 0 {
		p.pos++
	}
	if p.pos == start {
		return "", p.fail("a value is missing", "a value", "quote values with spaces, commas or parentheses")
	}
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		return "", p.fail("a quote inside a word", "a space", "quote the whole value")
	}
	w := p.text[start:p.pos]
	if strings.EqualFold(w, valueUnknown) {
		return valueUnknown, nil
	}
	prefix := strings.HasSuffix(w, "*")
	if prefix {
		w = w[:len(w)-1]
	}
	w = escapeValue(w)
	if prefix {
		w += "*"
	}
	return w, nil
}

// quoted reads a quoted text; the position is at its first quote.
func (p *parser) quoted() (string, error) {
	open := p.pos
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; c {
		case '"':
			p.pos = i + 1
			return b.String(), nil
		case '\\':
			if i++; i < len(p.text) {
				b.WriteByte(p.text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", &SyntaxError{Offset: open, Problem: "this quote is never closed", Expected: `"`}
}
