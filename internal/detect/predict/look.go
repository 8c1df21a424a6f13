package predict

import (
	"math"
	"strings"
)

// Kind is what a step is.
type Kind uint8

// The kinds of steps.
const (
	Says   Kind = iota // the agent, to whom it works for
	Calls              // the agent calls a tool
	Result             // what the tool answered
	User               // whom the agent works for
)

// Step is what is looked at of a step.
type Step struct {
	Kind   Kind
	Tool   string
	Text   string // what was said, arguments, result
	Size   int    // of the whole text, where Text is cut; 0 is its length
	Failed bool
}

// Measures of a run that are the same for every agent.
const (
	mSteps = iota
	mCalls
	mTools
	mTurns
	mSaid
	mHeard
	mRead
	mFailed
	mRepeated
	mUnsupported
	mRefusals
	mObjections
	mQuestions
	measures
)

var measureNames = [measures]string{
	"steps", "calls", "different tools", "user turns", "length of what the agent says", "length of what the user says", "length of results",
	"failed calls", "repeated calls", "arguments nobody gave", "refusals and apologies", "objections by the user", "questions by the user",
}

// Run is a run in numbers.
type Run struct {
	measures [measures]float64
	tools    map[string]float64
}

// Look measures a run.
func Look(steps []Step) Run {
	r := Run{tools: map[string]float64{}}
	m := &r.measures
	given, calls := map[string]bool{}, map[string]bool{}
	for _, s := range steps {
		size := float64(max(s.Size, len(s.Text)))
		m[mSteps]++
		if s.Kind != Calls {
			eachFigure(s.Text, func(w string) { given[w] = true })
		}
		switch s.Kind {
		case Says:
			m[mSaid] += size
			m[mRefusals] += has(s.Text, refusals)
		case User:
			m[mTurns]++
			m[mHeard] += size
			m[mObjections] += has(s.Text, objections)
			m[mQuestions] += float64(strings.Count(s.Text, "?"))
		case Calls:
			m[mCalls]++
			r.tools[s.Tool]++
			key := s.Tool + "\x00" + s.Text
			if calls[key] {
				m[mRepeated]++
			}
			calls[key] = true
			eachFigure(s.Text, func(w string) {
				if !given[w] {
					m[mUnsupported]++
				}
			})
		case Result:
			m[mRead] += size
			if s.Failed {
				m[mFailed]++
			}
		}
	}
	m[mTools] = float64(len(r.tools))
	for i := range m {
		m[i] = math.Log1p(m[i]) // twice as long is a step, at any length
	}
	for t, n := range r.tools {
		r.tools[t] = math.Log1p(n)
	}
	return r
}

var (
	refusals   = []string{"sorry", "apolog", "unfortunately", "unable", "cannot", "can't", "not possible", "not allowed"}
	objections = []string{"no,", "not what", "don't", "can't", "instead", "actually", "but ", "really", "frustrat", "wrong", "why "}
)

// has is 1 where one of the words stands in a text.
func has(text string, words []string) float64 {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return 1
		}
	}
	return 0
}

// eachFigure passes on the words of a text that have a digit.
func eachFigure(text string, f func(string)) {
	from, digit := -1, false
	for i := 0; i <= len(text); i++ {
		in := i < len(text) && (text[i] >= '0' && text[i] <= '9' || text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z' || text[i] == '_' || text[i] == '-' || text[i] == '.')
		switch {
		case in && from < 0:
			from, digit = i, false
		case !in && from >= 0:
			if digit {
				f(strings.Trim(text[from:i], ".-"))
			}
			from = -1
		}
		if in && text[i] >= '0' && text[i] <= '9' {
			digit = true
		}
	}
}
