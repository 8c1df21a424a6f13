package encoder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// group is how many weights of an output share one scale.
const group = 64

const header = "reeve-encoder 1\n"

// model is what use-lite.bin says.
type model struct {
	ids     map[string]int32
	scores  []float64
	lengths []uint8 // letters of each piece

	table  matrix    // a row for each piece
	timing []float32 // frequencies of the positions' waves
	enter  linear    // the first layer's input at the second's width
	layers [2]layer
	last   linear
}

// matrix has a row of inputs for each output: bytes with a scale for each group,
// or, to compare with, the floats themselves.
type matrix struct {
	out, in int
	scales  []float32
	q       string
	exact   []float32 // nil where q stands
}

type linear struct {
	w matrix
	b []float32
}

// layer is one block of the transformer.
type layer struct {
	heads, head       int
	scale             float32
	norm1, norm2      normal
	qkv, join, up, to linear
}

type normal struct{ scale, bias []float32 }

// unpack reads what gen wrote. The bytes of matrices stay where they are.
func unpack(s string) (*model, error) {
	r := &reader{s: s}
	if !strings.HasPrefix(s, header) {
		return nil, errors.New("not weights of this version")
	}
	r.s = s[len(header):]
	m := &model{}
	m.vocabulary(r)
	m.table = r.matrix()
	m.timing = r.vector()
	m.enter = linear{r.matrix(), r.vector()}
	for i := range m.layers {
		l := &m.layers[i]
		l.norm1 = normal{r.vector(), r.vector()}
		l.qkv = linear{r.matrix(), r.vector()}
		l.join = linear{r.matrix(), r.vector()}
		l.norm2 = normal{r.vector(), r.vector()}
		l.up = linear{r.matrix(), r.vector()}
		l.to = linear{r.matrix(), r.vector()}
		l.heads = 4
		l.head = l.qkv.w.out / 3 / l.heads
		l.scale = float32(1 / math.Sqrt(float64(max(l.head, 1))))
	}
	m.last = linear{r.matrix(), r.vector()}
	if r.err == nil && r.s != "" {
		r.err = errors.New("bytes after the end")
	}
	if r.err == nil {
		r.err = m.fits()
	}
	return m, r.err
}

// fits says whether the tensors are of the sizes that the forward pass takes as
// given.
func (m *model) fits() error {
	width := m.table.in
	sizes := []struct {
		name    string
		l       linear
		out, in int
	}{
		{"the first layer's input", m.enter, Size, width},
		{"the last", m.last, Size, Size},
	}
	for i, l := range m.layers {
		in := width
		if i == 1 {
			in = Size
		}
		sizes = append(sizes, []struct {
			name    string
			l       linear
			out, in int
		}{
			{"queries", l.qkv, 3 * in, in},
			{"joining", l.join, Size, in},
			{"widening", l.up, l.up.w.out, Size},
			{"narrowing", l.to, Size, l.up.w.out},
		}...)
		if len(l.norm1.scale) != in || len(l.norm1.bias) != in || len(l.norm2.scale) != Size || len(l.norm2.bias) != Size {
			return errors.New("a norm is of another size")
		}
	}
	for _, s := range sizes {
		if s.l.w.out != s.out || s.l.w.in != s.in || len(s.l.b) != s.out {
			return fmt.Errorf("%s: %d outputs of %d", s.name, s.l.w.out, s.l.w.in)
		}
	}
	if len(m.timing)*2 != width || m.table.out < len(m.scores) {
		return errors.New("the table of pieces is of another size")
	}
	return nil
}

func (m *model) vocabulary(r *reader) {
	n := int(r.uint32())
	if n > len(r.s) {
		r.fail("pieces")
		return
	}
	m.ids = make(map[string]int32, n)
	m.scores = make([]float64, n)
	m.lengths = make([]uint8, n)
	for i := range n {
		text := r.take(int(r.byte()))
		m.scores[i] = r.float64()
		m.lengths[i] = uint8(max(utf8.RuneCountInString(text), 1))
		if i >= reserved {
			m.ids[text] = int32(i) // of a piece that stands twice, the later counts
		}
	}
}

// reader takes values off the front of s; after the first lack it gives nothing.
type reader struct {
	s   string
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("the weights end within %s", what)
	}
	r.s = ""
}

func (r *reader) take(n int) string {
	if n < 0 || n > len(r.s) {
		r.fail("a value")
		return ""
	}
	out := r.s[:n]
	r.s = r.s[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	b := r.take(4)
	if b == "" {
		return 0
	}
	return binary.LittleEndian.Uint32([]byte(b))
}

func (r *reader) float64() float64 {
	b := r.take(8)
	if b == "" {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(b)))
}

func (r *reader) floats(n int) []float32 {
	b := []byte(r.take(4 * n))
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

func (r *reader) vector() []float32 {
	kind := r.byte()
	out, in := int(r.uint32()), int(r.uint32())
	if kind != 'v' || out != 1 {
		r.fail("a vector")
		return nil
	}
	return r.floats(in)
}

func (r *reader) matrix() matrix {
	kind := r.byte()
	m := matrix{out: int(r.uint32()), in: int(r.uint32())}
	switch {
	case m.in%group != 0 || m.in > 1<<16 || m.out > 1<<16:
		r.fail("a matrix")
	case kind == 'q':
		m.scales = r.floats(m.out * m.in / group)
		m.q = r.take(m.out * m.in)
	case kind == 'f':
		m.exact = r.floats(m.out * m.in)
	default:
		r.fail("a matrix")
	}
	return m
}
