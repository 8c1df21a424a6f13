package mood

import (
	"math"
	"slices"
	"testing"
)

func TestSigns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		first bool
		want  []string
	}{
		{"Where is my order 1042?", true, nil},
		{"no, I need it by Friday", true, nil}, // nothing was answered that could be wrong
		{"No, that's not what I asked", false, []string{Correction}},
		{"That is still wrong", false, []string{Correction}},
		{"I already told you my order number", false, []string{Correction}},
		{"Can I talk to a real person please", true, []string{Human}},
		{"get me your supervisor now", false, []string{Human}},
		{"I want to speak with someone from the support team", false, []string{Human}},
		{"ich möchte mit einem Menschen sprechen", false, []string{Human}},
		{"This is useless, you’re wasting my time", false, []string{Words}},
		{"WHERE IS MY ORDER NOW", false, []string{Words}},
		{"this is the third order this week, for the third time it is late", false, []string{Words}},
		{"That's wrong!!! Let me talk to a human", false, []string{Correction, Human, Words}},
		{"Our human resources team needs a report", true, nil},
		{"the person who ordered it is my aunt", false, nil},
		{"SKU AB-12 XL", false, nil},
		{"Can you talk me through the return of a jacket", false, nil},
		{"Give me a summary of the annoyance survey", true, nil},
		{"No problem, thanks", false, nil},
		{"", false, nil},
	} {
		if got := Signs(c.text, c.first); !slices.Equal(got, c.want) {
			t.Errorf("Signs(%q, %v) = %v, want %v", c.text, c.first, got, c.want)
		}
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	for kind := range weights {
		if s := Score(map[string]int{kind: 1}); s >= Frustrated || s <= 0 {
			t.Errorf("one %s is %.2f", kind, s)
		}
		if s := Score(map[string]int{kind: 2}); s < Frustrated {
			t.Errorf("two of %s are %.2f", kind, s)
		}
	}
	if a, b := Score(map[string]int{ReAsk: 3}), Score(map[string]int{ReAsk: 30}); math.Abs(a-b) > 1e-12 {
		t.Errorf("a kind counts without end: %v, %v", a, b)
	}
	if s := Score(nil); s != 0 {
		t.Errorf("no sign is %v", s)
	}
}

func FuzzSigns(f *testing.F) {
	for _, s := range []string{"No, that's wrong", "I WANT A HUMAN NOW!!!", "ünïcödé ’ \xff"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, first bool) {
		for _, s := range Signs(text, first) {
			if !slices.Contains(Kinds, s) {
				t.Fatalf("%q has sign %q", text, s)
			}
		}
	})
}
