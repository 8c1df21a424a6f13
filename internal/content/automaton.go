package content

// automaton finds every occurrence of many words in one walk over a text,
// whatever their case (Aho-Corasick, with all transitions spelled out). Letters
// that no word has share one column, which keeps the table within a cache.
type automaton struct {
	column [256]uint8
	width  int
	next   []uint16  // state*width + column -> state
	ends   [][]int32 // words that end in a state
	depth  []uint16  // how many bytes of a word a state has seen
	long   []int     // bytes of each word
}

// newAutomaton takes words in lower case; a word's index is its name.
func newAutomaton(words []string) *automaton {
	a := &automaton{width: 1}
	for _, w := range words {
		a.long = append(a.long, len(w))
		for i := range len(w) {
			if c := w[i]; a.column[c] == 0 {
				a.column[c] = uint8(a.width)
				if c >= 'a' && c <= 'z' {
					a.column[c-32] = uint8(a.width)
				}
				a.width++
			}
		}
	}
	a.state(0)
	for i, w := range words {
		s := 0
		for j := range len(w) {
			at := s*a.width + int(a.column[w[j]])
			if a.next[at] == 0 {
				n := a.state(a.depth[s] + 1)
				a.next[at] = uint16(n)
			}
			s = int(a.next[at])
		}
		a.ends[s] = append(a.ends[s], int32(i))
	}
	a.link()
	return a
}

func (a *automaton) state(depth uint16) int {
	a.next = append(a.next, make([]uint16, a.width)...)
	a.ends = append(a.ends, nil)
	a.depth = append(a.depth, depth)
	return len(a.ends) - 1
}

// link fills the transitions that lead back into shorter words, breadth first.
func (a *automaton) link() {
	fail := make([]uint16, len(a.ends))
	queue := make([]int, 0, len(a.ends))
	for c := range a.width {
		if s := a.next[c]; s != 0 {
			queue = append(queue, int(s))
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.ends[s] = append(a.ends[s], a.ends[fail[s]]...)
		for c := range a.width {
			at := s*a.width + c
			back := a.next[int(fail[s])*a.width+c]
			if n := a.next[at]; n != 0 {
				fail[n] = back
				queue = append(queue, int(n))
			} else {
				a.next[at] = back
			}
		}
	}
}

// find calls hit for each word that occurs, with the place where it begins, in
// the order of their ends. It answers how much of the text's end may begin a
// word.
func (a *automaton) find(text []byte, hit func(word, at int)) (open int) {
	s := 0
	for i, c := range text {
		s = int(a.next[s*a.width+int(a.column[c])])
		if ends := a.ends[s]; ends != nil {
			for _, w := range ends {
				hit(int(w), i+1-a.long[w])
			}
		}
	}
	return int(a.depth[s])
}
