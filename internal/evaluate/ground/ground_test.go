package ground

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

const policy = "Refunds are paid within 14 days of the return. Items bought on sale cannot be returned. Shipping to Norway costs 12 euros."

func TestBands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		docs   []string
		band   string
	}{
		"word for word":         {"Items bought on sale cannot be returned.", []string{policy}, Pass},
		"two documents":         {"Items bought on sale cannot be returned. The office opens at nine.", []string{policy, "The office opens at nine."}, Pass},
		"made up":               {"Our premium members enjoy lifetime warranty coverage worldwide.", []string{policy}, Alert},
		"half of it":            {"Refunds are paid within 14 days of the return, and gold customers receive vouchers immediately.", []string{policy}, Judge},
		"nothing claimed":       {"Done.", []string{policy}, Unchecked},
		"a word of it":          {"14 days.", []string{policy}, Pass},
		"no evidence":           {"Items bought on sale cannot be returned.", nil, Unchecked},
		"evidence without word": {"Items bought on sale cannot be returned.", []string{"... --- !!"}, Unchecked},
		"empty":                 {"", []string{policy}, Unchecked},
		"without spaces":        {"退款在十四天内支付。", []string{"退款在十四天内支付。"}, Pass},
	} {
		if r := Check(c.answer, c.docs...); r.Band != c.band || math.IsNaN(r.Score) && r.Band != Unchecked {
			t.Errorf("%s: %s (%+v), want %s", name, r.Band, r, c.band)
		}
	}
}

// The sentence that the evidence does not carry is marked, with the words that
// it has not, and the others lead to where they stand.
func TestSpans(t *testing.T) {
	t.Parallel()
	answer := "Items bought on sale cannot be returned. Dragons guard our warehouse nightly."
	r := Check(answer, "The office opens at nine.", policy)
	if len(r.Sentences) != 2 || !r.Sentences[0].Supported || r.Sentences[1].Supported {
		t.Fatalf("%+v", r.Sentences)
	}
	s := r.Sentences[0].Evidence
	if got := policy[s.Start:s.End]; s.Document != 1 || got != "Items bought on sale cannot be returned." {
		t.Errorf("evidence is %q of document %d", got, s.Document)
	}
	bad := r.Unsupported()
	if len(bad) != 1 || answer[bad[0].Start:bad[0].End] != "Dragons guard our warehouse nightly." {
		t.Fatalf("%+v", bad)
	}
	var missing []string
	for _, w := range bad[0].Missing {
		missing = append(missing, answer[w.Start:w.End])
	}
	if got := strings.Join(missing, " "); got != "Dragons guard warehouse nightly" {
		t.Errorf("missing %q", got)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	r := Check(strings.Repeat("one two three ", MaxAnswer/10), policy)
	if !r.Cut {
		t.Error("a cut answer does not say so")
	}
	if r := Check("one two three", strings.Repeat("one two three ", MaxEvidence/10)); !r.Cut || r.Band != Pass {
		t.Errorf("%+v", r)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("Items bought on sale.", policy)
	f.Add("Mr. A. B. said 12.5 €!", "\xff\xfe. ? !\n\r")
	f.Add("。！？退款", "退款 refund")
	f.Fuzz(func(t *testing.T, answer, text string) {
		r := Check(answer, text)
		if !math.IsNaN(r.Score) && !(r.Score >= 0 && r.Score <= 1.0000001) {
			t.Fatalf("score %v", r.Score)
		}
		for _, s := range r.Sentences {
			if s.Start < 0 || s.End > len(answer) || s.Start > s.End || s.Evidence.End > len(text) || s.Support < 0 || s.Support > 1 {
				t.Fatalf("%+v", s)
			}
			if utf8.ValidString(answer) && !utf8.ValidString(answer[s.Start:s.End]) {
				t.Fatalf("a sentence is cut within a rune: %q", answer[s.Start:s.End])
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	docs := []string{strings.Repeat(policy+" ", 20)}
	for b.Loop() {
		Check("Items bought on sale cannot be returned. Dragons guard our warehouse nightly. Shipping to Norway costs 12 euros.", docs...)
	}
}
