package topic

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	mostWords = 48 // a cell keeps
	nameWords = 3
	// namedBy is how many people (sessions, where nobody is named) have to use a word
	// before a topic is called by it: everybody who may see a topic reads its name,
	// and what one person wrote is for readers.
	namedBy = 3
)

// wordsOf are a prompt's words, each once, without words of grammar and numbers.
func wordsOf(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' }) {
		w = strings.Trim(w, "'")
		if len(w) < 3 || len(w) > 30 || grammar[w] || slices.Contains(out, w) || strings.ContainsFunc(w, unicode.IsDigit) {
			continue
		}
		if out = append(out, w); len(out) == 40 {
			break
		}
	}
	return out
}

// use is in how many prompts a word stands, and of whom the first ones were.
type use struct {
	n  int32
	by [namedBy]uint32 // keyed hashes; 0: nobody more
}

// add counts a prompt of somebody's.
func (u *use) add(n int32, by ...uint32) {
	u.n += n
	for _, who := range by {
		if who == 0 || slices.Contains(u.by[:], who) {
			continue
		}
		if free := slices.Index(u.by[:], 0); free >= 0 {
			u.by[free] = who
		}
	}
}

// shared says whether enough people use the word.
func (u *use) shared() bool { return u.by[namedBy-1] != 0 }

// MarshalJSON writes the number and the hashes as a list.
func (u use) MarshalJSON() ([]byte, error) {
	list := []uint32{uint32(u.n)}
	for _, who := range u.by {
		if who != 0 {
			list = append(list, who)
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (u *use) UnmarshalJSON(b []byte) error {
	var list []uint32
	if err := json.Unmarshal(b, &list); err != nil || len(list) == 0 || len(list) > namedBy+1 {
		return errors.New("not the use of a word")
	}
	u.n = int32(list[0])
	copy(u.by[:], list[1:])
	return nil
}

func countWords(counts map[string]use, words []string, by uint32) {
	for _, w := range words {
		u, ok := counts[w]
		if !ok {
			w = strings.Clone(w) // not the whole prompt with it
		}
		u.add(1, by)
		counts[w] = u
	}
	trimWords(counts)
}

// trimWords keeps the words that stand in most prompts.
func trimWords(counts map[string]use) {
	if len(counts) <= 2*mostWords {
		return
	}
	all := slices.Collect(maps.Keys(counts))
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b].n, counts[a].n), cmp.Compare(a, b)) })
	for _, w := range all[mostWords:] {
		delete(counts, w)
	}
}

// name sets a topic's size and its words: those that stand in many of its prompts
// and in few of the others'.
func (s *space) name(id string, g []*cell, n float64, now time.Time) {
	t := s.topics[id]
	if t == nil {
		t = &Topic{ID: id, Team: s.team, Environment: s.environment, CreatedAt: now}
		s.topics[id] = t
	}
	words := topWords(g, s.cells, n, s.prompts)
	if t.Prompts != int64(n) || !slices.Equal(t.Words, words) || t.Into != "" {
		t.Prompts, t.Words, t.Into, t.UpdatedAt, t.dirty = int64(n), words, "", now, true
	}
}

func topWords(g, all []*cell, n, prompts float64) []string {
	here, everywhere := map[string]use{}, map[string]float64{}
	for _, c := range g {
		for w, k := range c.words {
			u := here[w]
			u.add(k.n, k.by[:]...)
			here[w] = u
		}
	}
	for _, c := range all {
		for w, k := range c.words {
			if _, ok := here[w]; ok {
				everywhere[w] += float64(k.n)
			}
		}
	}
	type scored struct {
		word  string
		score float64
	}
	var out []scored
	for w, u := range here {
		if !u.shared() {
			continue
		}
		k := float64(u.n)
		// How much more often than among all prompts, weighted by how often at all: a
		// word's part in the divergence between the two.
		share, usual := k/n, max(everywhere[w], k)/max(prompts, n)
		out = append(out, scored{w, share * math.Log((share+1e-9)/(usual+1e-9)+1)})
	}
	slices.SortFunc(out, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.word, b.word)) })
	words := []string{}
	for _, x := range out[:min(len(out), 2*nameWords)] {
		words = append(words, x.word)
	}
	return words
}

// Title is what a topic is called: the name that somebody gave it, else its words.
func (t *Topic) Title() string {
	switch {
	case t.Name != "":
		return t.Name
	case len(t.Words) == 0:
		return "no word in common"
	}
	return strings.Join(t.Words[:min(len(t.Words), nameWords)], ", ")
}

// grammar are words that no topic is called by.
var grammar = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`the and for are but not you all any can had her was one our out has his how its may now two who did get got him she use way
		this that with have from they will would there their what about which when where why make made like just into your some could them than then only over also
		after been very much more most were said each does doing done being because while should really still again even ever never here these those such other
		you're it's i'm i've i'll i'd don't didn't doesn't can't won't wasn't isn't what's that's let's there's please thanks thank hello hey want need know tell give
		help let going gonna off too via per yes okay able anyone anything something someone somebody
		und der die das ist nicht ein eine einen mit für auf ich sie wie was kann bitte les des une est pas pour dans que los las por para con como esta ist den dem zu von`) {
		out[w] = true
	}
	return out
}()
