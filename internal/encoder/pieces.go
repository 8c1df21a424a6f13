package encoder

// mark stands for a space, and before each text.
const mark = '\u2581'

const (
	reserved    = 6 // the first pieces are signs of the model's own, never read from a text
	longestRune = 16
)

// pieces cuts a text into the model's pieces so that the sum of their scores is
// the largest (a unigram language model, as SentencePiece has it). It does what
// the reference does, its habits included, since vectors are compared with it:
// of equal sums the later start wins; a sum of nought counts as none yet; letters
// that no piece begins with are piece 0, once for each stretch of them.
func (m *model) pieces(letters []rune) []int32 {
	n := len(letters)
	if n == 0 {
		return nil
	}
	best := make([]float64, n+1)
	last := make([]int32, n+1)
	// A piece that begins at i reaches forward only, and every start before i has
	// been looked at by then: best[i] is final when its turn comes.
	buf := make([]byte, 0, 4*longestRune)
	for i := range n {
		buf = buf[:0]
		found := false
		for j := i; j < n && j < i+longestRune; j++ {
			buf = appendRune(buf, letters[j])
			id, ok := m.ids[string(buf)]
			if !ok {
				continue
			}
			found = true
			consider(best, last, j+1, m.scores[id]+best[i], id)
		}
		if !found {
			consider(best, last, i+1, best[i], 0)
		}
	}
	var out []int32
	unknown := false
	for at := n; at > 0; {
		id := last[at]
		if id != 0 || !unknown {
			out = append(out, id)
		}
		unknown = id == 0
		at -= int(m.lengths[id])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func consider(best []float64, last []int32, end int, score float64, id int32) {
	if best[end] == 0 || score >= best[end] {
		best[end], last[end] = score, id
	}
}
