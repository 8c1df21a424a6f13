package ground

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one of a text: where it stands, by what it is compared, and whether it
// says something by itself.
type word struct {
	start, end int
	stem       string
	content    bool
}

// wordsOf splits a text. Scripts that do not put spaces between words give one
// word a rune, so that pairs of them are compared as words are elsewhere.
func wordsOf(text string) []word {
	out := make([]word, 0, len(text)/6+1)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, newWord(text[start:end], start, end))
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unspaced(r):
			flush(i)
			end := i + utf8.RuneLen(r)
			out = append(out, word{i, end, text[i:end], true})
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			flush(i)
		}
	}
	flush(len(text))
	return out
}

func newWord(text string, start, end int) word {
	low := strings.ToLower(text)
	_, function := functionWords[low]
	return word{start, end, stem(low), !function}
}

func unspaced(r rune) bool {
	return r > 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// endings are what is taken off an English word, longest first. A true stemmer
// is not needed: both sides are cut in the same way.
var endings = [...]string{"edly", "ing", "ies", "ed", "es", "ly", "s"}

func stem(w string) string {
	for _, e := range endings {
		if len(w)-len(e) >= 3 && strings.HasSuffix(w, e) {
			w = w[:len(w)-len(e)]
			break
		}
	}
	if n := len(w); n > 4 && w[n-1] == w[n-2] && w[n-1] < utf8.RuneSelf {
		w = w[:n-1]
	}
	if n := len(w); n > 4 && (w[n-1] == 'e' || w[n-1] == 'y') {
		w = w[:n-1]
	}
	return w
}

// piece is a sentence: bytes from start to end.
type piece struct{ start, end int }

// sentencesOf splits at full stops, question and exclamation marks that a space
// follows, and at line ends. A sentence without a word is left out.
func sentencesOf(text string) []piece {
	var out []piece
	start := 0
	has := false
	cut := func(end int) {
		for start < end && (text[start] == ' ' || text[start] == '\n' || text[start] == '\t' || text[start] == '\r') {
			start++
		}
		if has && end > start {
			out = append(out, piece{start, end})
		}
		start, has = end, false
	}
	for i, r := range text {
		switch r {
		case '\n':
			cut(i)
		case '.', '!', '?':
			if next := i + 1; next >= len(text) || text[next] == ' ' || text[next] == '\n' || text[next] == '\t' || text[next] == '\r' {
				if r != '.' || !abbreviated(text[start:i]) {
					cut(next)
				}
			}
		case '。', '！', '？':
			cut(i + utf8.RuneLen(r))
		default:
			has = has || unicode.IsLetter(r) || unicode.IsDigit(r)
		}
	}
	cut(len(text))
	return out
}

// abbreviated reports that a full stop after a text ends a short form ("Mr", an
// initial) rather than a sentence.
func abbreviated(before string) bool {
	at := strings.LastIndexAny(before, " \n\t(") + 1
	last := before[at:]
	if utf8.RuneCountInString(last) == 1 {
		r, _ := utf8.DecodeRuneInString(last)
		return unicode.IsUpper(r)
	}
	switch last {
	case "Mr", "Mrs", "Ms", "Dr", "St", "No", "vs", "e.g", "i.e", "etc", "approx", "Inc", "Ltd":
		return true
	}
	return false
}

// functionWords carry grammar and no claim, in four languages.
var functionWords = set(`a an the of to in on at for and or but is are was were be been being it its this that these those i you he she we they
them his her their our your my me him us as with by from into about than then so if not no do does did done have has had having can could will would
should may might must there here what which who whom whose when where why how all any both each few more most other some such only own same too very
just also up down out over under again s t d ll m o re ve y
der die das und oder ist sind war waren ein eine einer eines einem einen den dem des im zu zum zur mit von für auf als auch nicht sich sie er es wir ihr ich
le la les un une des du de et ou est sont était au aux en dans pour par sur avec que qui ce cette ces il elle ils elles nous vous je ne pas se son sa ses
el los las una unos unas y o es son era del al por para con en que se su sus lo no como más pero`)

func set(words string) map[string]struct{} {
	out := map[string]struct{}{}
	for _, w := range strings.Fields(words) {
		out[w] = struct{}{}
	}
	return out
}
