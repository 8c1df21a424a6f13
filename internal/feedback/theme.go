package feedback

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"reeve/internal/control"
)

// Theme is what several comments have in common: words that stand in them.
type Theme struct {
	Words   string
	Example string
	IDs     []string
}

const (
	themeComments = 1000
	maxThemes     = 8
)

// Themes finds what negative comments have in common, by words alone: time after
// time the word, or pair of neighbours, that most of the comments without a
// theme share, pairs before words. Words that more good comments than bad ones
// have say nothing of what is wrong.
func (b *Book) Themes(ctx context.Context, f Filter) ([]Theme, error) {
	read := func(verdict string) ([]Feedback, error) {
		f := f
		f.Verdict, f.Giver, f.After = verdict, User, Cursor{}
		w := f.where()
		w.Add(`body LIKE '%"comment":"%'`)
		return control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM feedback`+w.Text()+` ORDER BY at DESC LIMIT ?`, append(w.Args, themeComments)...)
	}
	bad, err := read(Negative)
	if err != nil {
		return nil, err
	}
	good, err := read(Positive)
	if err != nil {
		return nil, err
	}
	return themes(bad, good), nil
}

func themes(bad, good []Feedback) []Theme {
	terms := make([][]string, len(bad))
	having := map[string][]int{}
	for i := range bad {
		terms[i] = termsOf(bad[i].Comment)
		for _, t := range terms[i] {
			having[t] = append(having[t], i)
		}
	}
	praised := map[string]int{}
	for i := range good {
		for _, t := range termsOf(good[i].Comment) {
			praised[t]++
		}
	}
	taken := make([]bool, len(bad))
	var out []Theme
	for len(out) < maxThemes {
		best, most := "", 1.0
		for t, list := range having {
			n := 0.0
			for _, i := range list {
				if !taken[i] {
					n++
				}
			}
			// As a share of its side, so that many contented users do not hide it.
			if float64(praised[t])*float64(len(bad)) >= float64(len(list))*float64(max(len(good), 1)) {
				continue
			}
			if strings.Contains(t, " ") {
				n *= 1.5 // a pair says more than its words
			}
			if n > most || n == most && n > 1 && cmp.Compare(t, best) < 0 {
				best, most = t, n
			}
		}
		if best == "" {
			break
		}
		th := Theme{Words: best}
		for _, i := range having[best] {
			if taken[i] {
				continue
			}
			taken[i] = true
			th.IDs = append(th.IDs, bad[i].ID)
			if c := bad[i].Comment; th.Example == "" || len(c) < len(th.Example) && len(c) > 20 {
				th.Example = c
			}
		}
		if len(th.IDs) < 2 {
			break
		}
		out = append(out, th)
	}
	slices.SortStableFunc(out, func(a, b Theme) int { return len(b.IDs) - len(a.IDs) })
	return out
}

// termsOf are a comment's words and pairs of neighbours, each once, without
// words of grammar.
func termsOf(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
	seen := map[string]bool{}
	var out []string
	add := func(t string) {
		if !seen[t] && len(out) < 200 {
			seen[t] = true
			out = append(out, t)
		}
	}
	before := ""
	for _, w := range words {
		w = strings.Trim(w, "'")
		if len(w) < 3 || grammar[w] {
			before = ""
			continue
		}
		add(w)
		if before != "" {
			add(before + " " + w)
		}
		before = w
	}
	return out
}

// grammar are words that no theme is named by.
var grammar = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`the and for are but not you all any can had her was one our out has his how its may new now old see two who did get him she use way
		this that with have from they will would there their what about which when make like just into your some could them than then only over also after been very much more most
		were said each did does doing done being because while should really still again even ever never you're it's i'm don't didn't doesn't can't wasn't isn't
		und der die das ist nicht ein eine mit für auf les des une est pas pour dans que los las una por para con`) {
		out[w] = true
	}
	return out
}()
