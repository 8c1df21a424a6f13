package encoder

import (
	"math"
	"sync"
	"unicode/utf8"
)

func appendRune(b []byte, r rune) []byte { return utf8.AppendRune(b, r) }

// encode runs the forward pass:
//
//	pieces      the text cut into at most 128 pieces, each a row of the table
//	position    each row twice, and waves by where it stands
//	two layers  norm, attention, add; norm, widen, rectify, narrow, add
//	mean        over the pieces, a last layer, tanh, length one
func (m *model) encode(text string) Vector {
	ids := m.pieces(letters(text))
	if len(ids) > mostPieces {
		ids = ids[:mostPieces]
	}
	n := len(ids)
	if n == 0 {
		return Vector{}
	}
	s := pool.Get().(*scratch)
	defer pool.Put(s)
	s.fit(n)
	m.enterInto(s, ids)
	for i := range m.layers {
		m.layers[i].attend(s, n)
		m.layers[i].feed(s, n)
	}
	return m.leave(s, n)
}

// scratch is what one text needs: rows for the pieces, padded to four, since the
// inner product takes four at once.
type scratch struct {
	x, normed, qkv, mixed, wide, add []float32
	scores                           []float32
}

const (
	wideSize = 3 * Size // of the layers' inner widths, the largest
	lanes    = 4
)

var pool = sync.Pool{New: func() any { return new(scratch) }}

func rowsFor(n int) int { return (n + lanes - 1) / lanes * lanes }

// fit makes room for n pieces and clears the padding.
func (s *scratch) fit(n int) {
	rows := rowsFor(n)
	for _, b := range []struct {
		v *[]float32
		n int
	}{
		{&s.x, rows * Size},
		{&s.normed, rows * Size},
		{&s.qkv, rows * wideSize},
		{&s.mixed, rows * Size},
		{&s.wide, rows * wideSize},
		{&s.add, rows * Size},
		{&s.scores, rows},
	} {
		if cap(*b.v) < b.n {
			*b.v = make([]float32, b.n)
		}
		*b.v = (*b.v)[:b.n]
		clear(*b.v)
	}
}

// enterInto puts the pieces' rows into x at the first layer's width and leaves
// in add what the first layer adds its answer to, at the second's.
func (m *model) enterInto(s *scratch, ids []int32) {
	width := m.table.in
	half := len(m.timing)
	for t, id := range ids {
		row := s.x[t*width : (t+1)*width]
		m.table.row(int(id), row)
		for i := range row {
			row[i] *= 2 // the row goes in once as it is and once with its position
		}
		for i, f := range m.timing {
			angle := float64(float32(t) * f)
			row[i] += float32(math.Sin(angle))
			row[half+i] += float32(math.Cos(angle))
		}
	}
	m.enter.apply(s.add, s.x, len(ids))
}

// attend lets each piece look at the others.
func (l *layer) attend(s *scratch, n int) {
	width := l.heads * l.head
	l.norm1.apply(s.normed, s.x, n)
	l.qkv.apply(s.qkv, s.normed, n)
	clear(s.mixed)
	for h := range l.heads {
		for t := range n {
			q := s.qkv[t*3*width+h*l.head:][:l.head]
			scores := s.scores[:n]
			for u := range n {
				k := s.qkv[u*3*width+width+h*l.head:][:l.head]
				scores[u] = dot(q, k) * l.scale
			}
			softmax(scores)
			out := s.mixed[t*width+h*l.head:][:l.head]
			for u, w := range scores {
				v := s.qkv[u*3*width+2*width+h*l.head:][:l.head]
				for i := range out {
					out[i] += w * v[i]
				}
			}
		}
	}
	if width == Size { // the first layer comes in narrower: what it adds to is in add already
		copy(s.add, s.x)
	}
	l.join.apply(s.x, s.mixed, n)
	for i := range n * Size {
		s.x[i] += s.add[i]
	}
}

// feed is the block's inner net.
func (l *layer) feed(s *scratch, n int) {
	l.norm2.apply(s.normed, s.x, n)
	l.up.apply(s.wide, s.normed, n)
	for i, v := range s.wide {
		s.wide[i] = max(v, 0)
	}
	l.to.apply(s.add, s.wide, n)
	for i := range n * Size {
		s.x[i] += s.add[i]
	}
}

// leave is the mean of the pieces through the last layer.
func (m *model) leave(s *scratch, n int) Vector {
	mean := s.normed[:lanes*Size]
	clear(mean)
	for t := range n {
		for i, v := range s.x[t*Size : (t+1)*Size] {
			mean[i] += v
		}
	}
	for i := range Size {
		mean[i] /= float32(n)
	}
	m.last.apply(s.add, mean, 1)
	var out Vector
	var sum float64
	for i := range out {
		v := math.Tanh(float64(s.add[i]))
		out[i] = float32(v)
		sum += v * v
	}
	scale := float32(1 / math.Sqrt(max(sum, 1e-12)))
	for i := range out {
		out[i] *= scale
	}
	return out
}

// apply writes w·x+b for each of n rows of x into y. Both have room for rows up
// to a multiple of four.
func (l linear) apply(y, x []float32, n int) {
	var sums [lanes]float32
	in, out := l.w.in, l.w.out
	for o := range out {
		bias := l.b[o]
		for t := 0; t < n; t += lanes {
			l.w.dot4(o, x[t*in:(t+lanes)*in], &sums)
			for k := range min(lanes, n-t) {
				y[(t+k)*out+o] = sums[k] + bias
			}
		}
	}
}

// row writes the o-th row as floats.
func (m *matrix) row(o int, to []float32) {
	if m.exact != nil {
		copy(to, m.exact[o*m.in:(o+1)*m.in])
		return
	}
	q := m.q[o*m.in : (o+1)*m.in]
	scales := m.scales[o*m.in/group:]
	for i := range to {
		to[i] = float32(int8(q[i])) * scales[i/group]
	}
}

// dot4 is the inner product of the o-th row with four rows of x.
func (m *matrix) dot4(o int, x []float32, sums *[lanes]float32) {
	in := m.in
	if m.exact != nil {
		for k := range lanes {
			sums[k] = dot(m.exact[o*in:(o+1)*in], x[k*in:(k+1)*in])
		}
		return
	}
	dotBytes(m.q[o*in:(o+1)*in], m.scales[o*in/group:(o+1)*in/group], x, sums)
}

// dotPlain is dotBytes in Go: for machines without the instructions, and the
// reference of the one with them.
func dotPlain(q string, scales, x []float32, sums *[lanes]float32) {
	in := len(q)
	x0, x1, x2, x3 := x[:in], x[in:2*in], x[2*in:3*in], x[3*in:4*in]
	*sums = [lanes]float32{}
	for g, scale := range scales {
		var s0, s1, s2, s3 float32
		for i := g * group; i < (g+1)*group; i++ {
			w := float32(int8(q[i]))
			s0 += w * x0[i]
			s1 += w * x1[i]
			s2 += w * x2[i]
			s3 += w * x3[i]
		}
		sums[0] += s0 * scale
		sums[1] += s1 * scale
		sums[2] += s2 * scale
		sums[3] += s3 * scale
	}
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func softmax(v []float32) {
	most := v[0]
	for _, x := range v {
		most = max(most, x)
	}
	var sum float32
	for i, x := range v {
		v[i] = float32(math.Exp(float64(x - most)))
		sum += v[i]
	}
	for i := range v {
		v[i] /= sum
	}
}

// apply writes the rows of x, each with mean nought and variance one, scaled.
func (l normal) apply(y, x []float32, n int) {
	width := len(l.scale)
	for t := range n {
		row, to := x[t*width:(t+1)*width], y[t*width:(t+1)*width]
		var mean, variance float32
		for _, v := range row {
			mean += v
		}
		mean /= float32(width)
		for _, v := range row {
			variance += (v - mean) * (v - mean)
		}
		by := float32(1 / math.Sqrt(float64(variance/float32(width))+1e-6))
		for i, v := range row {
			to[i] = (v-mean)*by*l.scale[i] + l.bias[i]
		}
	}
}
