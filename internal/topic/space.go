package topic

import (
	"cmp"
	"math"
	"slices"
	"time"

	"reeve/internal/encoder"
)

// How prompts are grouped. A prompt joins the cell that it is nearest to, if it is
// near enough, or begins one; cells that are near each other on average are a
// topic. The limits are cosines of this encoder: on prompts of 150 labelled intents
// the agreement changes little for limits of .52 to .60 (docs/topics.md).
const (
	joinAt  = .80
	groupAt = .54
	// Few prompts carry few topics: up to groupFew of them the limit is lower, and
	// from groupMany on it is groupAt.
	groupLow  = .46
	groupFew  = 30
	groupMany = 3000

	mostCell = 768 // of one place; then the smallest ones make room
	lessCell = 640
	// leastRuns is how many prompts make a topic: below it, nothing can be said of
	// them, and they are shown as not grouped.
	leastRuns = 3
	// leastShare is the same for places with many prompts.
	leastShare = .0005
	// cellsFor is how long a cell is kept without a new prompt.
	cellsFor = 100 * 24 * time.Hour
)

// cell is prompts that say nearly the same.
type cell struct {
	id    int64
	sum   encoder.Vector // of its prompts
	n     float64
	words map[string]use
	last  time.Time
	topic string // "" when too few prompts are near it
	into  int64  // of one that is no more: what it is part of; 0 none
	dirty bool   // differs from what is stored
}

// space is what is known of the prompts of one place. It is not safe for
// concurrent use: the book's one worker has it.
type space struct {
	team, environment string
	cells             []*cell
	topics            map[string]*Topic
	prompts           float64
	grouped           time.Time
	breathe           func() // called in long work, to make way for calls; nil is not
	moved             int    // prompts that cells were begun or changed by since then
}

// limit is from which cosine on cells are of one topic.
func (s *space) limit() float64 {
	way := math.Log(max(s.prompts, 1)/groupFew) / math.Log(groupMany/groupFew)
	return groupLow + (groupAt-groupLow)*min(max(way, 0), 1)
}

// near is the cosine between a vector of length one and a cell's middle.
func (c *cell) near(v *encoder.Vector) float64 {
	return float64(encoder.Cosine(&c.sum, v)) / max(c.length(), 1e-9)
}

func (c *cell) length() float64 { return math.Sqrt(float64(encoder.Cosine(&c.sum, &c.sum))) }

func (c *cell) add(v *encoder.Vector, words []string, by uint32, at time.Time) {
	for i := range c.sum {
		c.sum[i] += v[i]
	}
	c.n++
	countWords(c.words, words, by)
	if at.After(c.last) {
		c.last = at
	}
	c.dirty = true
}

// nearest is the cell that a vector is nearest to; nil without cells.
func (s *space) nearest(v *encoder.Vector) (best *cell, cosine float64) {
	cosine = -2
	for _, c := range s.cells {
		if x := c.near(v); x > cosine {
			best, cosine = c, x
		}
	}
	return best, cosine
}

// put takes somebody's prompt into the space and returns its cell. next gives a new
// cell's number.
func (s *space) put(v *encoder.Vector, words []string, by uint32, at time.Time, next func() int64) *cell {
	c, cosine := s.nearest(v)
	if c == nil || cosine < joinAt {
		c = &cell{id: next(), words: map[string]use{}}
		s.cells = append(s.cells, c)
	}
	c.add(v, words, by, at)
	s.prompts++
	s.moved++
	return c
}

// groups joins cells by average linkage: the mean cosine between the prompts of
// two groups, which the sums of their vectors give at once. It stops where no two
// are near enough.
func groups(cells []*cell, near float64, breathe func()) [][]*cell {
	n := len(cells)
	sums := make([]encoder.Vector, n)
	size := make([]float64, n)
	member := make([][]*cell, n)
	for i, c := range cells {
		sums[i], size[i], member[i] = c.sum, c.n, []*cell{c}
	}
	mean := func(i, j int) float32 {
		return float32(float64(encoder.Cosine(&sums[i], &sums[j])) / (size[i] * size[j]))
	}
	like := make([][]float32, n)
	for i := range like {
		if breathe != nil && i%64 == 0 {
			breathe()
		}
		like[i] = make([]float32, n)
		for j := range i {
			like[i][j] = mean(i, j)
			like[j][i] = like[i][j]
		}
	}
	best := make([]int, n)
	find := func(i int) {
		best[i] = -1
		for j := range n {
			if j != i && member[j] != nil && (best[i] < 0 || like[i][j] > like[i][best[i]]) {
				best[i] = j
			}
		}
	}
	for i := range n {
		find(i)
	}
	for left := n; left > 1; left-- {
		at := -1
		for i := range n {
			if member[i] != nil && best[i] >= 0 && (at < 0 || like[i][best[i]] > like[at][best[at]]) {
				at = i
			}
		}
		if at < 0 || float64(like[at][best[at]]) < near {
			break
		}
		with := best[at]
		for k := range sums[at] {
			sums[at][k] += sums[with][k]
		}
		size[at] += size[with]
		member[at] = append(member[at], member[with]...)
		member[with] = nil
		for j := range n {
			if j != at && member[j] != nil {
				like[at][j] = mean(at, j)
				like[j][at] = like[at][j]
			}
		}
		for j := range n {
			switch {
			case member[j] == nil:
			case j == at || best[j] == at || best[j] == with:
				find(j)
			case like[j][at] > like[j][best[j]]:
				best[j] = at
			}
		}
	}
	return slices.DeleteFunc(member, func(m []*cell) bool { return m == nil })
}

// condense makes room: the smallest cells, of equal ones the oldest, become part of
// the one that they are nearest to, or are given up where none is near. It returns
// those that are no more, with what they are part of.
func (s *space) condense() (gone []*cell) {
	if len(s.cells) <= mostCell {
		return nil
	}
	slices.SortStableFunc(s.cells, func(a, b *cell) int {
		return cmp.Or(cmp.Compare(b.n, a.n), b.last.Compare(a.last))
	})
	gone = slices.Clone(s.cells[lessCell:])
	s.cells = slices.Clone(s.cells[:lessCell])
	for _, c := range gone {
		v := c.sum
		scale := float32(1 / max(c.length(), 1e-9))
		for i := range v {
			v[i] *= scale
		}
		if to, cosine := s.nearest(&v); cosine >= groupAt {
			to.absorb(c)
			c.into = to.id
		} else {
			s.prompts -= c.n
		}
	}
	return gone
}

// absorb makes another cell part of this one.
func (c *cell) absorb(other *cell) {
	for i := range c.sum {
		c.sum[i] += other.sum[i]
	}
	c.n += other.n
	for w, n := range other.words {
		u := c.words[w]
		u.add(n.n, n.by[:]...)
		c.words[w] = u
	}
	trimWords(c.words)
	if other.last.After(c.last) {
		c.last = other.last
	}
	c.dirty = true
}

// regroup finds the topics anew. A group keeps the id of the topic that most of
// its prompts were of; what has no group left is made part of where most of its
// prompts went, so that an id that somebody holds stays good.
func (s *space) regroup(now time.Time, mint func(time.Time) string) {
	s.grouped, s.moved = now, 0
	s.cells = slices.DeleteFunc(s.cells, func(c *cell) bool { return now.Sub(c.last) > cellsFor })
	all := groups(s.cells, s.limit(), s.breathe)
	size := func(g []*cell) (n float64) {
		for _, c := range g {
			n += c.n
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b []*cell) int { return int(size(b) - size(a)) })
	least := max(leastRuns, leastShare*s.prompts)
	taken := map[string]bool{}
	went := map[string]map[string]float64{} // of a topic's prompts, where they are now
	for _, g := range all {
		was := map[string]float64{}
		for _, c := range g {
			was[c.topic] += c.n
		}
		id := ""
		if size(g) >= least {
			for t, n := range was {
				if t != "" && !taken[t] && (id == "" || n > was[id] || n == was[id] && t < id) {
					id = t
				}
			}
			if id == "" {
				id = mint(now)
			}
			taken[id] = true
			s.name(id, g, size(g), now)
		}
		for _, c := range g {
			if c.topic != "" && c.topic != id {
				if went[c.topic] == nil {
					went[c.topic] = map[string]float64{}
				}
				went[c.topic][id] += c.n
			}
			if c.topic != id {
				c.topic, c.dirty = id, true
			}
		}
	}
	s.retire(taken, went, now)
}

// retire ends topics that no group kept.
func (s *space) retire(taken map[string]bool, went map[string]map[string]float64, now time.Time) {
	for id, t := range s.topics {
		if taken[id] || t.Into != "" {
			continue
		}
		into := ""
		for to, n := range went[id] {
			if to != "" && (into == "" || n > went[id][into] || n == went[id][into] && to < into) {
				into = to
			}
		}
		if t.Into != into || t.Prompts != 0 {
			t.Into, t.Prompts, t.UpdatedAt, t.dirty = into, 0, now, true
		}
	}
}
