package template

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kept is what a Miner has learned, for a file.
type Kept struct {
	Groups  []KeptGroup // the longest unseen first
	Into    map[int]int
	Last    int
	Dropped int
	Fresh   float64
}

// KeptGroup is one template.
type KeptGroup struct {
	ID, Count int
	Words     []string
	Merged    bool
}

// Keep copies what was learned.
func (m *Miner) Keep() Kept {
	k := Kept{Into: maps.Clone(m.into), Last: m.last, Dropped: m.Dropped, Fresh: m.fresh}
	for e := m.used.Back(); e != nil; e = e.Prev() {
		g := e.Value.(*group)
		k.Groups = append(k.Groups, KeptGroup{g.id, g.count, slices.Clone(g.words), g.merged})
	}
	return k
}

// Restore makes a Miner of what was kept. ok is false for what no Miner keeps: more
// templates than the options allow, or numbers that were never given.
func Restore(o Options, k Kept) (m *Miner, ok bool) {
	m = New(o)
	if len(k.Groups) > m.o.Templates || len(k.Into) > 4*m.o.Templates+1 || k.Last < 0 {
		return nil, false
	}
	for from, into := range k.Into {
		if from >= into || into > k.Last { // a template becomes part of a later one: no circles
			return nil, false
		}
	}
	for i := range k.Groups {
		kept := &k.Groups[i]
		if kept.ID < 1 || kept.ID > k.Last || len(kept.Words) > maxWords {
			return nil, false
		}
		g := &group{id: kept.ID, count: kept.Count, words: kept.Words, branch: branchOf(kept.Words), key: string(appendKey(nil, kept.Words)), merged: kept.Merged}
		if m.exact[g.key] != nil {
			return nil, false
		}
		g.at, m.exact[g.key] = m.used.PushFront(g), g
	}
	// Within a branch they stand as they came, which is by their numbers.
	for _, g := range slices.SortedFunc(maps.Values(m.exact), func(a, b *group) int { return cmp.Compare(a.id, b.id) }) {
		b := m.tree[g.branch]
		if b == nil {
			b = &branch{}
			m.tree[g.branch] = b
		}
		of := &b.lines
		if g.merged {
			of = &b.merged
		}
		if *of = append(*of, g); len(*of) > mostSiblings {
			*of = slices.Delete(*of, 0, 1)
		}
	}
	m.into, m.last, m.Dropped, m.fresh = maps.Clone(k.Into), k.Last, k.Dropped, k.Fresh
	if m.into == nil {
		m.into = map[int]int{}
	}
	return m, true
}

// Template is one kind of line.
type Template struct {
	ID, Count int
	Text      string // its words, <*> where lines differ
}

// Templates are those that are known, the most frequent first.
func (m *Miner) Templates() []Template {
	out := make([]Template, 0, m.used.Len())
	for e := m.used.Front(); e != nil; e = e.Next() {
		g := e.Value.(*group)
		out = append(out, Template{g.id, g.count, strings.Join(g.words, " ")})
	}
	slices.SortStableFunc(out, func(a, b Template) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Forget drops the templates in whose text gone finds something, and reports how
// many they were; with dry they stay.
func (m *Miner) Forget(gone func(text string) bool, dry bool) (n int) {
	for e := m.used.Front(); e != nil; {
		g := e.Value.(*group)
		e = e.Next()
		if !gone(strings.Join(g.words, " ")) {
			continue
		}
		if n++; !dry {
			m.remove(g)
		}
	}
	return n
}

// KeptNovelty is what a Novelty has learned, for a file.
type KeptNovelty struct {
	Start, Last, Resting time.Time
	Rate                 float64
	Lines                int
}

// Keep copies what was learned.
func (n *Novelty) Keep() KeptNovelty { return KeptNovelty{n.start, n.last, n.resting, n.rate, n.lines} }

// Restore takes what was kept in place of what was learned; the alarms stay.
func (n *Novelty) Restore(k KeptNovelty) {
	n.start, n.last, n.resting, n.rate, n.lines = k.Start, k.Last, k.Resting, k.Rate, max(k.Lines, 0)
}
