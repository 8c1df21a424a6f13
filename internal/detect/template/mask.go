package template

import "strings"

// wild stands for what differs between lines.
const wild = "<*>"

// Bounds of a line.
const (
	maxBytes = 4096
	maxWords = 96
)

// class says what a byte is for cutting a line into words.
type class uint8

const (
	apart  class = iota // ends a word, and is none: space, punctuation
	letter              // a to z, A to Z, and beyond ASCII
	digit
	joint // stands within a word: . - / @ and the like
	quote
)

var classes = func() (t [256]class) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = digit
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 128:
			t[c] = letter
		case strings.IndexByte(`._-/\@$#%&+~*?:`, byte(c)) >= 0:
			t[c] = joint
		case c == '"':
			t[c] = quote
		}
	}
	return t
}()

// mask cuts a line into words, punctuation left out, with wild for what is a
// value by its look: words with a digit, paths and addresses, names of days and
// months. Neighbouring wild words become one, so that lists have one length.
func mask(line string, out []string) []string {
	out = out[:0]
	if len(line) > maxBytes {
		line = line[:maxBytes]
	}
	add := func(w string) {
		if value(w) {
			w = wild
		}
		if len(out) < maxWords && (w != wild || len(out) == 0 || out[len(out)-1] != wild) {
			out = append(out, w)
		}
	}
	for i := 0; i < len(line) && len(out) < maxWords; {
		switch c := classes[line[i]]; {
		case c == quote:
			n := quoted(line[i:])
			if n > 2 {
				add(line[i+1 : i+n-1])
			}
			i += max(n, 1)
		case c == apart:
			i++
		default:
			n := word(line[i:])
			if i > 0 && line[i-1] == '=' && strings.IndexByte(line[i:i+n], '.') > 0 {
				add(wild) // name=host.example: what has a dot there is an address
			} else {
				pair(line[i:i+n], add)
			}
			i += n
		}
	}
	return out
}

// quoted is the length of a quoted text at the start of s that is one word: one
// without a digit, and not too long; 0 if there is none.
func quoted(s string) int {
	for i := 1; i < len(s) && i < 64; i++ {
		switch classes[s[i]] {
		case quote:
			return i + 1
		case digit:
			return 0
		}
	}
	return 0
}

// word is the length of the word at the start of s. An address goes on to the
// next space, whatever it has in it.
func word(s string) int {
	address := s[0] == '/' || s[0] == '\\'
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		if c == ' ' || c == '\t' || c == '"' || c == '\'' || c == ',' || c == ')' || c == ']' {
			break
		}
		if strings.HasPrefix(s[i:], "://") || i == 2 && s[1] == ':' && c == '\\' {
			address = true
		}
		if !address && (classes[c] == apart || classes[c] == quote) {
			break
		}
	}
	return i
}

// pair cuts "name:value" and such words where a name without digits stands
// before the first colon, and passes the parts on.
func pair(w string, add func(string)) {
	w = strings.Trim(w, ".:-*?")
	if at := strings.IndexByte(w, ':'); at > 0 && !strings.HasPrefix(w[at:], "://") && !strings.HasPrefix(w[at:], `:\`) && plain(w[:at]) {
		add(w[:at])
		pair(w[at+1:], add)
		return
	}
	if w != "" {
		add(w)
	}
}

func plain(s string) bool {
	for i := range len(s) {
		if classes[s[i]] == digit {
			return false
		}
	}
	return true
}

var dates = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec") {
		m[w] = true
	}
	return m
}()

// value says that a word is one by its look.
func value(s string) bool {
	slashes := 0
	for i := range len(s) {
		switch {
		case classes[s[i]] == digit:
			return true
		case s[i] == '/' || s[i] == '\\':
			slashes++
		}
	}
	return slashes > 1 || len(s) == 3 && dates[s]
}
