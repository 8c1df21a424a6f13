package template

import (
	"container/list"
	"slices"
	"strings"
)

// Options of a Miner; the zero value is useful.
type Options struct {
	Similarity float64 // least part of words that lines of a template share; 0 is .5
	Distinct   int     // lines alike but for some words that make these words values; 0 is 5
	Templates  int     // kept at most; 0 is 2,000
}

// Match is the template of one line.
type Match struct {
	ID    int     // from 1 on; see Miner.Current
	New   bool    // no line of this kind was seen before
	Count int     // lines of this template, with this one
	Share float64 // of the lines just before that were new ones: how unusual that is
}

// Miner finds templates. Lines are compared word by word with those of as many
// words and the same first word, in a tree of fixed depth (Drain: He et al., ICWS
// 2017). Unlike there, a word that differs does not make a value at once: two
// lines that differ in one word are more often two messages ("started",
// "stopped") than one with a value. Only when several differ in the same places
// are those places values, and their templates become one.
type Miner struct {
	o     Options
	exact map[string]*group  // by all words
	tree  map[string]*branch // by number of words and first word
	used  *list.List         // of *group, the longest unseen last
	into  map[int]int        // templates that became part of another one
	words []string           // of the line at hand, and scratch
	seen  []string
	key   []byte
	last  int
	fresh float64 // share of new lines, faded

	Dropped int // templates that found no room any more
}

type group struct {
	id, count int
	words     []string
	branch    string
	key       string
	merged    bool
	at        *list.Element
}

// branch has the templates that a line is compared with; mostSiblings of each
// kind, so that a line costs no more on a log of nothing but new words.
type branch struct {
	lines  []*group // as they came
	merged []*group // made of several
}

const mostSiblings = 64

// New begins without any template.
func New(o Options) *Miner {
	if o.Similarity == 0 {
		o.Similarity = .5
	}
	if o.Distinct == 0 {
		o.Distinct = 5
	}
	if o.Templates == 0 {
		o.Templates = 2000
	}
	return &Miner{o: o, exact: map[string]*group{}, tree: map[string]*branch{}, used: list.New(), into: map[int]int{}, fresh: 1}
}

// freshOver is over how many lines the share of new ones is taken.
const freshOver = 500

// Add finds the template of a line, or makes one.
func (m *Miner) Add(line string) Match {
	m.words = mask(line, m.words)
	out := Match{Share: m.fresh}
	m.fresh *= 1 - 1.0/freshOver
	m.key = appendKey(m.key[:0], m.words)
	g := m.exact[string(m.key)]
	if g == nil {
		g = m.covering()
	}
	if g == nil {
		g, out.New = m.open()
		if out.New {
			m.fresh += 1.0 / freshOver
		}
	} else {
		m.used.MoveToFront(g.at)
	}
	g.count++
	out.ID, out.Count = g.id, g.count
	return out
}

func appendKey(key []byte, words []string) []byte {
	for _, w := range words {
		key = append(append(key, w...), ' ')
	}
	return key
}

// branchOf names the part of the tree: the number of words and the first of them.
func branchOf(words []string) string {
	for _, w := range words {
		if w != wild {
			return string(rune(len(words))) + w
		}
	}
	return string(rune(len(words)))
}

// covering is the template whose words are those of the line where they are no
// values.
func (m *Miner) covering() *group {
	b := m.tree[branchOf(m.words)]
	if b == nil {
		return nil
	}
	for _, g := range b.merged {
		if covers(g.words, m.words) {
			return g
		}
	}
	return nil
}

func covers(template, words []string) bool {
	for i, w := range template {
		if w != wild && w != words[i] {
			return false
		}
	}
	return true
}

// open makes a template of the line, or finds that it and several others are one.
func (m *Miner) open() (g *group, fresh bool) {
	words := make([]string, len(m.words))
	for i, w := range m.words {
		words[i] = strings.Clone(w)
	}
	b := m.tree[branchOf(words)]
	if b == nil {
		return m.insert(words, false), true
	}
	for _, s := range b.lines {
		both, same := common(s.words, words)
		if float64(same) < m.o.Similarity*float64(len(words)) {
			continue
		}
		var parts []*group
		for _, o := range b.lines {
			if covers(both, o.words) {
				parts = append(parts, o)
			}
		}
		if m.values(both, words, parts) {
			return m.merge(both, parts), false
		}
	}
	return m.insert(words, false), true
}

// values says that each place in which some lines differ has enough different
// words there to be one of values. Two places that vary with each other are not:
// "opened" and "closed" stay two messages, whoever's session it is.
func (m *Miner) values(both, words []string, parts []*group) bool {
	if len(parts)+1 < m.o.Distinct {
		return false
	}
	for i := range both {
		if both[i] != wild || words[i] == wild {
			continue
		}
		seen := append(m.seen[:0], words[i])
		for _, p := range parts {
			if !slices.Contains(seen, p.words[i]) {
				seen = append(seen, p.words[i])
			}
		}
		if m.seen = seen; len(seen) < m.o.Distinct {
			return false
		}
	}
	return true
}

// common are the words of two lines, with wild where they differ, and how many
// are the same.
func common(a, b []string) (both []string, same int) {
	both = make([]string, len(a))
	for i := range a {
		both[i] = wild
		if a[i] == b[i] {
			both[i] = a[i]
			if a[i] != wild {
				same++
			}
		}
	}
	return both, same
}

func (m *Miner) insert(words []string, merged bool) *group {
	if m.used.Len() >= m.o.Templates {
		m.remove(m.used.Back().Value.(*group))
		m.Dropped++
	}
	m.last++
	g := &group{id: m.last, words: words, branch: branchOf(words), key: string(appendKey(nil, words)), merged: merged}
	g.at = m.used.PushFront(g)
	m.exact[g.key] = g
	b := m.tree[g.branch]
	if b == nil {
		b = &branch{}
		m.tree[g.branch] = b
	}
	if merged {
		if len(b.merged) >= mostSiblings {
			m.remove(b.merged[0])
			m.Dropped++
		}
		b.merged = append(b.merged, g)
		return g
	}
	if len(b.lines) >= mostSiblings {
		b.lines = slices.Delete(b.lines, 0, 1) // it stays a template, but is merged no more
	}
	b.lines = append(b.lines, g)
	return g
}

func (m *Miner) remove(g *group) {
	m.used.Remove(g.at)
	delete(m.exact, g.key)
	b := m.tree[g.branch]
	isIt := func(o *group) bool { return o == g }
	b.lines, b.merged = slices.DeleteFunc(b.lines, isIt), slices.DeleteFunc(b.merged, isIt)
	if len(b.lines)+len(b.merged) == 0 {
		delete(m.tree, g.branch)
	}
}

// merge makes one template of several.
func (m *Miner) merge(words []string, parts []*group) *group {
	count := 0
	for _, p := range parts {
		m.remove(p)
		count += p.count
	}
	g := m.insert(words, true)
	g.count = count
	if len(m.into) > 4*m.o.Templates {
		clear(m.into)
	}
	for _, p := range parts {
		m.into[p.id] = g.id
	}
	return g
}

// Current is the template that a former one became part of, or itself; long after
// it did, that is forgotten.
func (m *Miner) Current(id int) int {
	for {
		next, ok := m.into[id]
		if !ok {
			return id
		}
		id = next
	}
}

// Text is a template in words, "" when it is not known any more.
func (m *Miner) Text(id int) string {
	id = m.Current(id)
	for e := m.used.Front(); e != nil; e = e.Next() {
		if g := e.Value.(*group); g.id == id {
			return strings.Join(g.words, " ")
		}
	}
	return ""
}
