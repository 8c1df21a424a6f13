package series

import "math"

// pattern remembers in which order coarse values follow each other: after the
// last few symbols (the context), which symbol came how often. It says how
// unlikely a symbol is after the longest context that is known well enough.
//
// The idea of contexts over symbols of a value is that of CAD OSE (Smirnov,
// winner of the NAB competition of 2016). That one grows a network of contexts
// over bits and is told the range of values in advance; here contexts are
// counted in two small hashed tables, and the range is learnt. A collision makes
// something new look known, never the other way round.
type pattern struct {
	low, high float64 // of what the symbols divide
	smooth    float64
	last      [contexts]uint8
	length    int
	totals    [512]uint16  // how often a context came, by its hash
	pairs     [2048]uint16 // how often a symbol came after it
}

const (
	symbols     = 12
	contexts    = 3   // symbols of the longest context
	knownWell   = 30  // occurrences of a context from which on it is believed
	rangeLearns = 150 // values in which the range is taken as it comes
	smoothing   = 5   // values
	wider       = .25 // of the range: how far beyond it a value may widen it
)

// look gives the surprise of a value as minus a base-10 logarithm, and learns it.
func (p *pattern) look(v float64, seen int) float64 {
	if seen == 0 {
		p.smooth, p.low, p.high = v, v, v
	}
	p.smooth += (v - p.smooth) / smoothing
	symbol := p.symbol(p.smooth, seen)
	surprise := 0.0
	hash := uint32(2166136261)
	for order := 1; order <= p.length; order++ {
		hash = (hash ^ uint32(p.last[order-1]+1)) * 16777619
		context := (hash ^ hash>>15) * 2654435761
		total := &p.totals[context>>23]
		came := p.pair(context, symbol)
		if *total >= knownWell {
			surprise = math.Log10((float64(*total) + 2) / (float64(*came) + 1))
		}
		*total++
		*came++
		if *total >= 1<<15 {
			p.fade()
		}
	}
	copy(p.last[1:], p.last[:contexts-1])
	p.last[0] = symbol
	p.length = min(p.length+1, contexts)
	return surprise
}

// symbol is the part of the range in which a value stands. The range grows with
// what lies a little outside of it; what lies far outside moves it slowly, so
// that one wild value does not make everything else look alike.
func (p *pattern) symbol(v float64, seen int) uint8 {
	span := p.high - p.low
	if v < p.low {
		if seen < rangeLearns || v >= p.low-wider*span {
			p.low = v
		} else {
			p.low -= span / 100
		}
	}
	if v > p.high {
		if seen < rangeLearns || v <= p.high+wider*span {
			p.high = v
		} else {
			p.high += span / 100
		}
	}
	if !(p.high > p.low) {
		return 0
	}
	return uint8(max(0, min(symbols-1, (v-p.low)/(p.high-p.low)*symbols)))
}

// fade halves what is known.
func (p *pattern) fade() {
	for i := range p.totals {
		p.totals[i] /= 2
	}
	for i := range p.pairs {
		p.pairs[i] /= 2
	}
}

// pair is the place where it is counted how often a symbol came after a context.
func (p *pattern) pair(context uint32, symbol uint8) *uint16 {
	hash := context ^ uint32(symbol+1)*0x9E3779B1
	hash = (hash ^ hash>>13) * 2246822519
	return &p.pairs[hash>>21]
}
