package watch

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/evaluate"
)

// This file is what is measured of what was said: whether answers refuse, in which
// language it is, and about what. No text is kept.

// maxRefuses bounds the answers that are known to refuse by their hash: equal answers
// of a day come with their text once.
const maxRefuses = 4_096

// answered takes in what a model answered.
func (w *Watch) answered(r *run, m *activity.Message) {
	declined := false
	if len(m.Raw) == 0 {
		_, declined = w.refuses[m.Hash]
	} else {
		text := m.Raw[:min(len(m.Raw), topicBytes)]
		r.talk.answered(text)
		if declined = evaluate.Refuses(string(text)); declined {
			if w.refuses == nil || len(w.refuses) >= maxRefuses {
				w.refuses = map[[16]byte]struct{}{}
			}
			w.refuses[m.Hash] = struct{}{}
		}
	}
	b := r.of.bucket(w.clock)
	r.answers++
	b.Answers++
	if declined {
		r.declined++
		b.Declined++
	}
	r.of.result("declined", declined)
	if !r.touched { // a door's step may have come before what was said in it
		r.touched = true
		w.touched = append(w.touched, r)
	}
	if !r.of.touched {
		r.of.touched = true
		w.looked = append(w.looked, r.of)
	}
}

// talk is what a run was asked and what it answered, as figures.
type talk struct{ in, out spoken }

func (t *talk) asked(text []byte)    { t.in.add(text) }
func (t *talk) answered(text []byte) { t.out.add(text) }

// spoken is in which language something is, and about what: 24 bytes.
type spoken struct {
	votes [languages]uint8 // short words of each language
	other uint8            // 1 + the script, of what is not written in Latin letters
	words uint16
	bits  [topicBits]int16 // a sum of plus and minus one for each word, by a bit of its hash
}

// topicBits of the hash make groups of texts: those that share most words fall into one
// (Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002).
const topicBits = 3

const (
	languages = 7
	leastSaid = 4 // words of five letters and more, before a text is about something
)

var languageNames = [languages]string{"English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch"}

// smallWords are frequent words that one of the languages has alone, or nearly.
var smallWords = func() map[string]uint8 {
	out := map[string]uint8{}
	for i, list := range [languages][]string{
		{"the", "and", "is", "you", "my", "this", "that", "what", "with", "have", "please", "it"},
		{"der", "und", "ist", "ich", "nicht", "das", "ein", "mit", "wie", "mein", "bitte", "sie"},
		{"le", "et", "est", "je", "vous", "les", "pas", "des", "une", "mon", "avec", "dans"},
		{"el", "los", "es", "por", "las", "una", "mi", "como", "para", "yo", "usted", "está"},
		{"il", "che", "di", "sono", "per", "della", "mio", "gli", "questo", "non", "anche", "è"},
		{"não", "uma", "você", "meu", "os", "ao", "isso", "são", "minha", "seu", "obrigado", "em"},
		{"het", "een", "ik", "niet", "van", "dat", "mijn", "voor", "zijn", "hoe", "wij", "aan"},
	} {
		for _, w := range list {
			out[w] = uint8(i)
		}
	}
	return out
}()

var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Cyrillic", unicode.Cyrillic},
	{"Han", unicode.Han},
	{"Kana", unicode.Hiragana},
	{"Hangul", unicode.Hangul},
	{"Arabic", unicode.Arabic},
	{"Devanagari", unicode.Devanagari},
	{"Greek", unicode.Greek},
	{"Hebrew", unicode.Hebrew},
	{"Thai", unicode.Thai},
}

// add takes in a text.
func (s *spoken) add(text []byte) {
	words(text, func(h uint32) {
		h = (h ^ h>>15) * 2246822519 // all bits take part in those that are looked at
		h ^= h >> 13
		for k := range s.bits {
			if h>>(7*k)&1 == 1 {
				s.bits[k] = min(s.bits[k]+1, 1<<14)
			} else {
				s.bits[k] = max(s.bits[k]-1, -1<<14)
			}
		}
		s.words = min(s.words+1, 1<<15)
	})
	from, buf := -1, [16]byte{}
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z' || text[i] >= 0x80) {
			if from < 0 {
				from = i
			}
			continue
		}
		if from >= 0 && i-from <= len(buf) {
			n := copy(buf[:], text[from:i])
			for k := range buf[:n] {
				if buf[k] >= 'A' && buf[k] <= 'Z' {
					buf[k] += 'a' - 'A'
				}
			}
			if l, ok := smallWords[string(buf[:n])]; ok {
				s.votes[l] = min(s.votes[l], 254) + 1
			}
		}
		from = -1
	}
	if s.other == 0 {
		s.other = scriptOf(text)
	}
}

// scriptOf is 1 + the first script that several of a text's letters are of.
func scriptOf(text []byte) uint8 {
	var seen [16]uint8
	for i := 0; i < len(text); {
		if text[i] < 0x80 {
			i++
			continue
		}
		c, n := utf8.DecodeRune(text[i:])
		i += n
		for k := range scripts {
			if unicode.Is(scripts[k].table, c) {
				if seen[k]++; seen[k] == 4 {
					return uint8(k + 1)
				}
				break
			}
		}
	}
	return 0
}

// language is the name of the language, or of the script, of what was said; "" where
// that is not plain.
func (s *spoken) language() string {
	if s.other > 0 {
		return scripts[s.other-1].name
	}
	best, second := 0, -1
	for i := 1; i < languages; i++ {
		switch {
		case s.votes[i] > s.votes[best]:
			best, second = i, best
		case second < 0 || s.votes[i] > s.votes[second]:
			second = i
		}
	}
	if s.votes[best] < 2 || s.votes[best] <= s.votes[second] {
		return ""
	}
	return languageNames[best]
}

// topic is the group of texts that what was said falls into; "" for few words.
func (s *spoken) topic() string {
	if s.words < leastSaid {
		return ""
	}
	group := 0
	for k, sum := range s.bits {
		if sum > 0 {
			group |= 1 << k
		}
	}
	return "group " + strconv.Itoa(group+1)
}
