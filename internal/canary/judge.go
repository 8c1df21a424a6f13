package canary

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/detect/drift"
)

// Shift is what changed of a canary's answers.
type Shift = drift.Shift

// What is compared of an answer. Its text counts by whether the model gave it to that
// prompt in the first rounds already, in lower case and without its ends, so that
// "Blue." and "blue" are one: with few kinds a change is seen in few rounds.
var features = []drift.Feature{
	{Name: "answering model", Kinds: true},
	{Name: "provider's fingerprint", Kinds: true},
	{Name: "end of the answer", Kinds: true},
	{Name: "answer", Kinds: true},
	{Name: "input tokens", Kinds: true}, // of the same prompts: another tokenizer counts otherwise
	{Name: "output tokens"},
}

// The first rounds tell which answers the model gives, the next are the normal. The
// last ones are compared with it after each round, and what changed must stand out
// twice in a row. Rounds between those do not change the answer, so they are left
// out of the reckoning. With few prompts it takes more rounds to so many answers.
const (
	firstRounds   = 3
	normalAnswers = 56
	windowAnswers = 24
	lastWindows   = 4
)

// judged is what was found of a canary's answers up to one of them.
type judged struct {
	last   int64
	from   int64
	shifts []Shift
	Standing
}

// Standing is how much is known of a canary.
type Standing struct {
	Rounds   int       // answered since its normal began
	Needed   int       // from so many on it can tell a change
	Answered time.Time // the newest answer; zero without
	Failed   time.Time // the newest question without one; zero without
	Silent   int       // rounds up to now that ended without an answer
	Error    string    // of the newest of them
}

// SilentRounds is from how many rounds in a row without an answer on a canary is told
// of as silent: one is a hiccup of its provider.
const SilentRounds = 3

// SilentDetector names the findings of canaries that nothing answers.
const SilentDetector = "canary_silent"

// Stands tells how much is known of a canary, by the same answers as Judge.
func (b *Book) Stands(ctx context.Context, c Canary) (Standing, error) {
	if _, err := b.Judge(ctx, c); err != nil {
		return Standing{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.judged[c.Name].Standing, nil
}

func standing(c *Canary, all []Answer) Standing {
	n := len(c.Questions())
	s := Standing{Needed: firstRounds + (normalAnswers+n-1)/n + (windowAnswers+n-1)/n}
	good := 0
	for _, a := range all {
		if a.Error != "" { // which ended its round
			s.Failed, s.Error = a.At, a.Error
			s.Silent++
			continue
		}
		good++
		s.Answered, s.Silent, s.Error = a.At, 0, ""
	}
	s.Rounds = good / n
	return s
}

// Judge tells what changed of a canary's answers since its normal began. It rests on
// what is kept alone.
func (b *Book) Judge(ctx context.Context, c Canary) ([]Shift, error) {
	last, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COALESCE(MAX(id), 0) FROM canary_answers WHERE canary = ?`, c.Name)
	if err != nil {
		return nil, err
	}
	from := control.Micros(c.From)
	b.mu.Lock()
	was, ok := b.judged[c.Name]
	b.mu.Unlock()
	if ok && was.last == last && was.from == from {
		return was.shifts, nil
	}
	all, err := control.All(ctx, b.o.DB, scanAnswer, `SELECT at, body FROM canary_answers WHERE canary = ? AND at >= ? ORDER BY at, id LIMIT ?`, c.Name, from, maxKept)
	if err != nil {
		return nil, err
	}
	known := standing(&c, all) // before shiftsOf, which leaves errors out in place
	shifts := shiftsOf(&c, all)
	b.mu.Lock()
	b.judged[c.Name] = judged{last, from, shifts, known}
	b.mu.Unlock()
	return shifts, nil
}

// shiftsOf compares answers in the order in which they came.
func shiftsOf(c *Canary, all []Answer) (out []Shift) {
	all = slices.DeleteFunc(all, func(a Answer) bool { return a.Error != "" })
	n := len(c.Questions())
	if len(all) <= firstRounds*n {
		return nil
	}
	known := map[string]bool{}
	for _, a := range all[:firstRounds*n] {
		known[a.said()] = true
	}
	all = all[firstRounds*n:]
	whole := func(answers int) int { return (answers + n - 1) / n * n } // rounds
	ref, window := whole(normalAnswers), whole(windowAnswers)
	if keep := lastWindows * window; len(all) > ref+keep {
		all = append(slices.Clone(all[:ref]), all[len(all)-keep:]...)
	}
	week := (7 * 24 * time.Hour).Seconds() / c.Every.Seconds() * float64(n)
	m := drift.New(features, drift.Options{Reference: ref, Window: window, Every: n, RunsPerWeek: week, MinEffect: .2})
	for _, a := range all {
		out = append(out, m.Look(a.At.UnixNano(), a.values(known))...)
	}
	return out
}

// said is a prompt with its answer, as they count.
func (a *Answer) said() string {
	return strconv.Itoa(a.Prompt) + " " + strings.Trim(strings.ToLower(strings.Join(strings.Fields(a.Text), " ")), " .!\"'")
}

func (a *Answer) values(known map[string]bool) []drift.Value {
	kind := func(s string) drift.Value { return drift.Value{Kind: s, Missing: s == ""} }
	answer, in := drift.Value{Kind: "one that it gives"}, drift.Value{Missing: true}
	if !known[a.said()] {
		answer.Kind = "a new one"
	}
	if a.In > 0 {
		in = drift.Value{Kind: strconv.Itoa(a.Prompt) + " with " + strconv.FormatInt(a.In, 10)}
	}
	return []drift.Value{
		kind(a.Model), kind(a.Fingerprint), kind(a.Finish), answer, in,
		{Number: float64(a.Out), Missing: a.Out <= 0},
	}
}
