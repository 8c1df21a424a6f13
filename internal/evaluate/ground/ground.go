// Package ground tells, without a model, how far an answer is carried by the
// texts that it was given: which of its words and word pairs stand in the
// evidence, sentence by sentence, and where.
//
// What for: an answer that nothing in its sources supports is the commonest
// wrong answer of an agent. Most of them can be told by their words alone, for
// microseconds and no money; what lies between is left to a judge.
//
// Who calls it: package evaluate for runs that read something; bench measures it
// against people's labels.
//
// Promises: pure and deterministic; time and memory grow with the length of
// answer and evidence, which are cut at MaxAnswer and MaxEvidence bytes (Result
// says so). It knows no language; the list of function words is of a few.
//
// How it fails: it does not. An answer with too little to check, or no evidence,
// has the band Unchecked, which is neither good nor bad.
//
// Limits: it compares words. A contradiction in the evidence's own words passes,
// and a faithful paraphrase in other words is left to the judge.
//
// Start reading at Check.
package ground

import (
	"math"
	"slices"
)

// The bands of a score. They are the product's, stated beforehand, and not
// fitted to a data set.
const (
	Alert     = "alert"     // below AlertBelow: hardly anything of it is in the evidence
	Judge     = "judge"     // between: words alone do not tell
	Pass      = "pass"      // above PassAbove
	Unchecked = "unchecked" // nothing to check, or nothing to check it against
)

// Where the bands meet.
const (
	AlertBelow = 0.30
	PassAbove  = 0.78
)

// Bounds of what is read.
const (
	MaxAnswer   = 64 << 10
	MaxEvidence = 1 << 20
	// minWords is how many content words an answer needs to be found wanting:
	// "Done." claims nothing.
	minWords = 3
)

// The weights of a score's three parts.
const (
	weightRecall  = 0.4
	weightBigrams = 0.3
	weightWeakest = 0.3
)

// Span is a part of a document: bytes from Start to End.
type Span struct {
	Document   int
	Start, End int
}

// Sentence is one of the answer, with the sentence of the evidence that carries
// most of it.
type Sentence struct {
	Start, End int     // bytes of the answer
	Support    float64 // share of its content words that the evidence has
	Supported  bool
	Evidence   Span // of no length when nothing carries it
	Missing    []Word
}

// Word is a content word of the answer that the evidence has not.
type Word struct{ Start, End int }

// Result is what was found of an answer. Score is NaN where there was nothing to
// look for, or nowhere to look.
type Result struct {
	Score     float64
	Band      string
	Recall    float64 // share of content words that the evidence has
	Bigrams   float64 // share of pairs of neighbours that it has
	Weakest   float64 // recall of the sentence that it carries least
	Words     int     // content words that were looked for
	Sentences []Sentence
	Cut       bool // answer or evidence was longer than what is read
}

// supported is the share from which a sentence counts as carried.
const supported = 0.6

// Evidence is texts made ready to be looked up in. Safe for concurrent use.
type Evidence struct {
	words     map[string]struct{}
	pairs     map[[2]string]struct{}
	sentences []passage
	places    map[string][]int32 // sentences that have a word
	cut       bool
	any       bool
}

type passage struct {
	span Span
}

// maxPlaces bounds how many sentences are kept for a word: one that stands in
// more of them finds none.
const maxPlaces = 64

// Prepare reads documents.
func Prepare(documents ...string) *Evidence {
	e := &Evidence{words: map[string]struct{}{}, pairs: map[[2]string]struct{}{}, places: map[string][]int32{}}
	left := MaxEvidence
	for d, text := range documents {
		if left <= 0 {
			e.cut = e.cut || text != ""
			continue
		}
		if len(text) > left {
			text, e.cut = text[:left], true
		}
		left -= len(text)
		e.add(d, text)
	}
	return e
}

func (e *Evidence) add(d int, text string) {
	var before string
	for _, s := range sentencesOf(text) {
		at := int32(len(e.sentences))
		e.sentences = append(e.sentences, passage{Span{d, s.start, s.end}})
		for _, w := range wordsOf(text[s.start:s.end]) {
			e.any = true
			e.words[w.stem] = struct{}{}
			if before != "" {
				e.pairs[[2]string{before, w.stem}] = struct{}{}
			}
			before = w.stem
			if w.content {
				if p := e.places[w.stem]; len(p) < maxPlaces && (len(p) == 0 || p[len(p)-1] != at) {
					e.places[w.stem] = append(p, at)
				}
			}
		}
	}
}

// Check tells how far an answer is carried by documents.
func Check(answer string, documents ...string) Result { return Prepare(documents...).Check(answer) }

// Check tells how far an answer is carried by the evidence.
func (e *Evidence) Check(answer string) Result {
	r := Result{Score: math.NaN(), Band: Unchecked, Cut: e.cut}
	if len(answer) > MaxAnswer {
		answer, r.Cut = answer[:MaxAnswer], true
	}
	var found, pairs, foundPairs int
	var before string
	r.Weakest = 1
	for _, s := range sentencesOf(answer) {
		one := Sentence{Start: s.start, End: s.end}
		votes := map[int32]int{}
		have, all := 0, 0
		for _, w := range wordsOf(answer[s.start:s.end]) {
			if before != "" {
				pairs++
				if _, ok := e.pairs[[2]string{before, w.stem}]; ok {
					foundPairs++
				}
			}
			before = w.stem
			if !w.content {
				continue
			}
			all++
			if _, ok := e.words[w.stem]; !ok {
				one.Missing = append(one.Missing, Word{s.start + w.start, s.start + w.end})
				continue
			}
			have++
			for _, p := range e.places[w.stem] {
				votes[p]++
			}
		}
		if all == 0 {
			continue
		}
		one.Support = float64(have) / float64(all)
		one.Supported = one.Support >= supported
		one.Evidence = e.best(votes)
		r.Sentences = append(r.Sentences, one)
		r.Words += all
		found += have
		if all >= 2 { // of one word it would be all or nothing
			r.Weakest = min(r.Weakest, one.Support)
		}
	}
	if r.Words == 0 || !e.any {
		return r
	}
	r.Recall = float64(found) / float64(r.Words)
	r.Weakest = min(r.Weakest, r.Recall)
	if pairs > 0 {
		r.Bigrams = float64(foundPairs) / float64(pairs)
	}
	r.Score = weightRecall*r.Recall + weightBigrams*r.Bigrams + weightWeakest*r.Weakest
	if r.Band = BandOf(r.Score); r.Band != Pass && r.Words < minWords {
		r.Band = Unchecked
	}
	return r
}

// BandOf is the band of a score.
func BandOf(score float64) string {
	switch {
	case math.IsNaN(score):
		return Unchecked
	case score < AlertBelow:
		return Alert
	case score > PassAbove:
		return Pass
	}
	return Judge
}

// best is the sentence of the evidence that most of the words stand in; the
// first of those that have as many.
func (e *Evidence) best(votes map[int32]int) Span {
	at, most := int32(-1), 0
	for p, n := range votes {
		if n > most || n == most && p < at {
			at, most = p, n
		}
	}
	if at < 0 {
		return Span{}
	}
	return e.sentences[at].span
}

// Unsupported are the answer's sentences that the evidence does not carry.
func (r *Result) Unsupported() []Sentence {
	return slices.DeleteFunc(slices.Clone(r.Sentences), func(s Sentence) bool { return s.Supported })
}
