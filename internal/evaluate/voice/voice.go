// Package voice checks a text against rule files in the form of Vale: words that
// must not stand, words to be replaced, what occurs too often or is repeated, how
// headings are capitalised, and how hard a text is to read.
//
// What for: how a house speaks is known to its writers, who keep it in such files
// already. They are checked here on what agents say, without a model.
//
// Who calls it: package evaluate.
//
// Promises: pure; a compiled Rule is safe for concurrent use. Patterns are Go's:
// they take time linear in the text, times their size, which is bounded. What a rule file asks for that is not known
// here is refused, never ignored.
//
// How it fails: Parse returns an error that names the key.
//
// Start reading at Parse, then Rule.Check.
package voice

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// The kinds of rules, by Vale's word extends.
const (
	Existence      = "existence"
	Substitution   = "substitution"
	Occurrence     = "occurrence"
	Repetition     = "repetition"
	Capitalization = "capitalization"
	Readability    = "readability"
)

// Rule is one rule, compiled.
type Rule struct {
	Name    string
	Extends string
	Message string // %s stands for what was found
	Level   string // suggestion, warning, error
	Size    int    // of its patterns, in instructions: what a byte of a text may cost
	far     bool   // it looks through FarText bytes of a text alone
	check   func(text string) []Alert
}

// Alert is what a rule found: bytes from Start to End. A rule about the whole
// text has both 0.
type Alert struct {
	Rule       string `json:"rule"`
	Level      string `json:"level"`
	Message    string `json:"message"`
	Match      string `json:"match,omitempty"`
	Start, End int
}

// file is a rule as it is written.
type file struct {
	Extends    string            `yaml:"extends"`
	Message    string            `yaml:"message"`
	Level      string            `yaml:"level"`
	Scope      any               `yaml:"scope"`
	Link       string            `yaml:"link"`
	Code       bool              `yaml:"code"`
	Limit      int               `yaml:"limit"`
	IgnoreCase bool              `yaml:"ignorecase"`
	NonWord    bool              `yaml:"nonword"`
	Append     bool              `yaml:"append"`
	Tokens     []string          `yaml:"tokens"`
	Raw        []string          `yaml:"raw"`
	Exceptions []string          `yaml:"exceptions"`
	Swap       map[string]string `yaml:"swap"`
	Capitalize bool              `yaml:"capitalize"`
	Max        int               `yaml:"max"`
	Min        int               `yaml:"min"`
	Token      string            `yaml:"token"`
	Alpha      bool              `yaml:"alpha"`
	Match      string            `yaml:"match"`
	Style      string            `yaml:"style"`
	Indicators []string          `yaml:"indicators"`
	Metrics    []string          `yaml:"metrics"`
	Grade      float64           `yaml:"grade"`
	Vocab      bool              `yaml:"vocab"`
}

const (
	maxFile   = 256 << 10
	maxTokens = 5000
	maxFound  = 200  // alerts of one rule in one text
	maxTimes  = 5000 // that occurrence counts to
)

// Parse compiles a rule file.
func Parse(name string, text []byte) (*Rule, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("rule %s has more than %d bytes", name, maxFile)
	}
	var f file
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("rule %s: %w", name, err)
	}
	if n := len(f.Tokens) + len(f.Raw) + len(f.Swap); n > maxTokens {
		return nil, fmt.Errorf("rule %s has %d tokens, and %d is the most", name, n, maxTokens)
	}
	r := &Rule{Name: name, Extends: f.Extends, Message: f.Message, Level: f.Level}
	if r.Level == "" {
		r.Level = "warning"
	}
	if !slices.Contains([]string{"suggestion", "warning", "error"}, r.Level) {
		return nil, fmt.Errorf("rule %s: level is suggestion, warning or error, not %q", name, f.Level)
	}
	make, ok := kinds[f.Extends]
	if !ok {
		return nil, fmt.Errorf("rule %s: extends is one of %s, not %q", name, strings.Join(Kinds(), ", "), f.Extends)
	}
	var err error
	if r.check, err = make(r, &f); err != nil {
		return nil, fmt.Errorf("rule %s: %w", name, err)
	}
	return r, nil
}

// Kinds lists what a rule may extend.
func Kinds() []string {
	return []string{Existence, Substitution, Occurrence, Repetition, Capitalization, Readability}
}

var kinds = map[string]func(*Rule, *file) (func(string) []Alert, error){
	Existence: existence, Substitution: substitution, Occurrence: occurrence, Repetition: repetition, Capitalization: capitalization, Readability: readability,
}

// Cuts reports that of a text only the beginning is looked through.
func (r *Rule) Cuts(text string) bool { return r.far && len(text) > FarText }

// Check finds what a text breaks of the rule.
func (r *Rule) Check(text string) []Alert {
	if r.Cuts(text) {
		n := FarText
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return r.check(text)
}

// alert is what was found, with the message's %s filled in.
func (r *Rule) alert(found string, start, end int, more ...string) Alert {
	return Alert{Rule: r.Name, Level: r.Level, Message: fill(r.Message, append(more, found)...), Match: found, Start: start, End: end}
}

// fill puts values for each %s of a message, in order; the last stands for all
// further ones. Values are never searched: what an agent says may hold %s.
func fill(message string, values ...string) string {
	var b strings.Builder
	for i, part := range strings.Split(message, "%s") {
		if i > 0 {
			b.WriteString(values[min(i, len(values))-1])
		}
		b.WriteString(part)
	}
	return b.String()
}

// pattern joins tokens as Vale does: whole words unless nonword is set.
func (r *Rule) pattern(f *file, tokens []string) (*regexp.Regexp, error) {
	if len(tokens)+len(f.Raw) == 0 {
		return nil, errors.New("tokens are missing")
	}
	body := ""
	if len(tokens) > 0 {
		body = "(?:" + strings.Join(tokens, "|") + ")"
		if !f.NonWord {
			body = `\b` + body + `\b`
		}
	}
	body = strings.Join(f.Raw, "") + body
	if f.IgnoreCase {
		body = "(?i)" + body
	}
	return r.compile(body)
}

// compile adds a pattern to the rule's size, which is bounded while it grows: a
// rule has up to thousands of patterns.
func (r *Rule) compile(text string) (*regexp.Regexp, error) {
	re, n, err := Compile(text)
	if err != nil {
		return nil, err
	}
	r.far = r.far || far(text)
	if r.Size += n; r.Size > MaxPatterns {
		return nil, fmt.Errorf("a rule's patterns have more than %d instructions: %w", MaxPatterns, errLarge)
	}
	return re, nil
}

// excepted reports whether what was found is an exception.
func excepted(f *file, found string) bool {
	return slices.ContainsFunc(f.Exceptions, func(e string) bool { return e == found || f.IgnoreCase && strings.EqualFold(e, found) })
}

func existence(r *Rule, f *file) (func(string) []Alert, error) {
	re, err := r.pattern(f, f.Tokens)
	if err != nil {
		return nil, err
	}
	return func(text string) (out []Alert) {
		for _, at := range re.FindAllStringIndex(text, maxFound) {
			if found := text[at[0]:at[1]]; found != "" && !excepted(f, found) {
				out = append(out, r.alert(found, at[0], at[1]))
			}
		}
		return out
	}, nil
}

func substitution(r *Rule, f *file) (func(string) []Alert, error) {
	type pair struct {
		re *regexp.Regexp
		to string
	}
	if len(f.Swap) == 0 {
		return nil, errors.New("swap is missing")
	}
	words := make([]string, 0, len(f.Swap))
	for w := range f.Swap {
		words = append(words, w)
	}
	slices.Sort(words) // the same text gives the same alerts
	var all []pair
	for _, w := range words {
		re, err := r.pattern(f, []string{w})
		if err != nil {
			return nil, err
		}
		all = append(all, pair{re, f.Swap[w]})
	}
	return func(text string) (out []Alert) {
		for _, p := range all {
			for _, at := range p.re.FindAllStringIndex(text, maxFound) {
				found := text[at[0]:at[1]]
				// A word that already is what it should be is no mistake.
				if found == "" || found == p.to || excepted(f, found) || len(out) >= maxFound {
					continue
				}
				out = append(out, r.alert(found, at[0], at[1], p.to))
			}
		}
		slices.SortStableFunc(out, func(a, b Alert) int { return a.Start - b.Start })
		return out
	}, nil
}

func occurrence(r *Rule, f *file) (func(string) []Alert, error) {
	if f.Token == "" || f.Max < 0 || f.Min < 0 || f.Max == 0 && f.Min == 0 {
		return nil, errors.New("occurrence needs a token, and max or min")
	}
	if f.Max > maxTimes || f.Min > maxTimes {
		return nil, fmt.Errorf("max and min are at most %d", maxTimes)
	}
	g := *f
	g.NonWord = true // Vale takes the token as it is
	re, err := r.pattern(&g, []string{f.Token})
	if err != nil {
		return nil, err
	}
	scope, err := scopeOf(f.Scope)
	if err != nil {
		return nil, err
	}
	return func(text string) (out []Alert) {
		for _, s := range scope(text) {
			n := len(re.FindAllStringIndex(text[s[0]:s[1]], max(f.Max, f.Min)+1)) // further ones change nothing
			if (f.Max > 0 && n > f.Max || f.Min > 0 && n < f.Min) && len(out) < maxFound {
				out = append(out, r.alert(text[s[0]:s[1]], s[0], s[1]))
			}
		}
		return out
	}, nil
}

// scopeOf is the parts of a text that a rule is about. What an agent says has no
// mark-up that is known: headings are lines that begin with #.
func scopeOf(v any) (func(string) [][2]int, error) {
	name, _ := v.(string)
	switch name {
	case "", "text", "raw", "summary":
		return func(text string) [][2]int {
			if strings.TrimSpace(text) == "" {
				return nil
			}
			return [][2]int{{0, len(text)}}
		}, nil
	case "sentence":
		return sentences, nil
	case "paragraph":
		return func(text string) [][2]int { return pieces(text, "\n\n") }, nil
	case "heading":
		return headings, nil
	}
	return nil, fmt.Errorf("scope is text, paragraph, sentence or heading, not %v", v)
}

func pieces(text, by string) (out [][2]int) {
	at := 0
	for _, p := range strings.Split(text, by) {
		if strings.TrimSpace(p) != "" {
			out = append(out, [2]int{at, at + len(p)})
		}
		at += len(p) + len(by)
	}
	return out
}

func headings(text string) (out [][2]int) {
	for _, p := range pieces(text, "\n") {
		line := text[p[0]:p[1]]
		if rest := strings.TrimLeft(line, "#"); len(rest) < len(line) && strings.HasPrefix(rest, " ") {
			out = append(out, [2]int{p[1] - len(strings.TrimLeft(rest, " ")), p[1]})
		}
	}
	return out
}

func sentences(text string) (out [][2]int) {
	start := 0
	for i, c := range text {
		end := i + 1
		if (c == '.' || c == '!' || c == '?') && (end == len(text) || text[end] == ' ' || text[end] == '\n') || c == '\n' {
			if strings.TrimSpace(text[start:end]) != "" {
				out = append(out, [2]int{start, end})
			}
			start = end
		}
	}
	if strings.TrimSpace(text[start:]) != "" {
		out = append(out, [2]int{start, len(text)})
	}
	return out
}

// repetition finds a token that follows itself.
func repetition(r *Rule, f *file) (func(string) []Alert, error) {
	tokens := f.Tokens
	if len(tokens) == 0 {
		tokens = []string{`[^\s]+`}
	}
	g := *f
	g.NonWord = true
	re, err := r.pattern(&g, tokens)
	if err != nil {
		return nil, err
	}
	return func(text string) (out []Alert) {
		var last string
		begin, end, n := 0, 0, 0
		for _, at := range re.FindAllStringIndex(text, -1) {
			word := text[at[0]:at[1]]
			same := last != "" && (word == last || f.IgnoreCase && strings.EqualFold(word, last)) && strings.TrimSpace(text[end:at[0]]) == "" && !strings.Contains(text[end:at[0]], "\n\n")
			if f.Alpha && strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
				same, word = false, ""
			}
			if same {
				if n++; n > max(f.Max, 0) && len(out) < maxFound {
					out = append(out, r.alert(last, begin, at[1]))
				}
			} else {
				begin, n = at[0], 0
			}
			last, end = word, at[1]
		}
		return out
	}, nil
}

// small are the words that stay small in a title.
var small = map[string]bool{}

func init() {
	for _, w := range strings.Fields("a an and as at but by en for if in nor of on or per the to v vs via") {
		small[w] = true
	}
}

func capitalization(r *Rule, f *file) (func(string) []Alert, error) {
	var right func(string) bool
	switch f.Match {
	case "$title":
		right = func(s string) bool { return f.eachWord(s, title) }
	case "$sentence":
		right = func(s string) bool { return f.eachWord(s, sentence) }
	case "$lower":
		right = func(s string) bool { return strings.ToLower(s) == s }
	case "$upper":
		right = func(s string) bool { return strings.ToUpper(s) == s }
	case "":
		return nil, errors.New("match is missing: $title, $sentence, $lower, $upper or a pattern")
	default:
		re, err := r.compile(f.Match)
		if err != nil {
			return nil, err
		}
		right = re.MatchString
	}
	scope := f.Scope
	if scope == nil {
		scope = "heading"
	}
	parts, err := scopeOf(scope)
	if err != nil {
		return nil, err
	}
	return func(text string) (out []Alert) {
		for _, p := range parts(text) {
			if s := strings.TrimSpace(text[p[0]:p[1]]); !right(s) && len(out) < maxFound {
				out = append(out, r.alert(s, p[0], p[1]))
			}
		}
		return out
	}, nil
}

// eachWord reports whether every word of a heading is written as want says, but
// for exceptions.
func (f *file) eachWord(s string, want func(word string, first, last bool) bool) bool {
	all := strings.Fields(s)
	for i, w := range all {
		bare := strings.Trim(w, `.,;:!?()"'`)
		if bare == "" || slices.Contains(f.Exceptions, bare) {
			continue
		}
		if !want(bare, i == 0, i == len(all)-1) {
			return false
		}
	}
	return true
}

func startsUpper(w string) bool {
	for _, r := range w {
		return !unicode.IsLetter(r) || unicode.IsUpper(r)
	}
	return true
}

func title(w string, first, last bool) bool {
	if small[strings.ToLower(w)] && !first && !last {
		return !startsUpper(w)
	}
	return startsUpper(w)
}

func sentence(w string, first, _ bool) bool {
	if first {
		return startsUpper(w)
	}
	// A word all in capitals is a name of its own.
	return !startsUpper(w) || strings.ToUpper(w) == w
}

// readability compares the mean grade of the metrics with the most that may be.
func readability(r *Rule, f *file) (func(string) []Alert, error) {
	if !(f.Grade > 0) {
		return nil, errors.New("grade is missing: the most that may be")
	}
	metrics := f.Metrics
	if len(metrics) == 0 {
		metrics = []string{"Flesch-Kincaid"}
	}
	for _, m := range metrics {
		if grades[m] == nil {
			return nil, fmt.Errorf("metrics are Flesch-Kincaid, Gunning Fog, Coleman-Liau, SMOG and Automated Readability, not %q", m)
		}
	}
	return func(text string) []Alert {
		c := count(text)
		if c.words < 20 { // too little to say
			return nil
		}
		sum := 0.0
		for _, m := range metrics {
			sum += grades[m](&c)
		}
		if grade := sum / float64(len(metrics)); grade > f.Grade {
			a := r.alert(fmt.Sprintf("%.2f", grade), 0, 0)
			a.Match = ""
			return []Alert{a}
		}
		return nil
	}, nil
}

// counts are what grades are made of.
type counts struct{ words, sentences, syllables, long, letters float64 }

// grades are the published formulas.
var grades = map[string]func(*counts) float64{
	// Kincaid et al. 1975.
	"Flesch-Kincaid": func(c *counts) float64 { return 0.39*c.words/c.sentences + 11.8*c.syllables/c.words - 15.59 },
	// Gunning 1952.
	"Gunning Fog": func(c *counts) float64 { return 0.4 * (c.words/c.sentences + 100*c.long/c.words) },
	// Coleman and Liau 1975.
	"Coleman-Liau": func(c *counts) float64 { return 5.88*c.letters/c.words - 29.6*c.sentences/c.words - 15.8 },
	// McLaughlin 1969.
	"SMOG": func(c *counts) float64 { return 1.0430*math.Sqrt(c.long*30/c.sentences) + 3.1291 },
	// Smith and Senter 1967.
	"Automated Readability": func(c *counts) float64 { return 4.71*c.letters/c.words + 0.5*c.words/c.sentences - 21.43 },
}

func count(text string) (c counts) {
	c.sentences = max(1, float64(len(sentences(text))))
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' }) {
		n := syllables(w)
		c.words++
		c.syllables += n
		c.letters += float64(len([]rune(w)))
		if n >= 3 {
			c.long++
		}
	}
	c.words = max(c.words, 1)
	return c
}

// syllables of an English word: groups of vowels, without a silent e.
func syllables(w string) float64 {
	w = strings.ToLower(w)
	n, before := 0, false
	for _, r := range w {
		v := strings.ContainsRune("aeiouyäöüáéíóú", r)
		if v && !before {
			n++
		}
		before = v
	}
	if n > 1 && strings.HasSuffix(w, "e") && !strings.HasSuffix(w, "le") {
		n--
	}
	return float64(max(n, 1))
}
