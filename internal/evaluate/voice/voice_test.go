package voice

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, text string
		want       []string // messages
	}{
		"existence":          {"extends: existence\nmessage: \"Avoid '%s'.\"\nignorecase: true\ntokens:\n  - obviously\n  - simply\n", "Obviously you simply click. Oversimply is fine.", []string{"Avoid 'Obviously'.", "Avoid 'simply'."}},
		"exceptions":         {"extends: existence\nmessage: \"%s\"\ntokens:\n  - '[A-Z]{3}'\nexceptions:\n  - API\n", "An API and a FOO.", []string{"FOO"}},
		"not whole words":    {"extends: existence\nmessage: \"%s\"\nnonword: true\ntokens:\n  - '!{2,}'\n", "Great!! Fine!", []string{"!!"}},
		"substitution":       {"extends: substitution\nmessage: \"Use '%s' instead of '%s'.\"\nignorecase: true\nswap:\n  utilize: use\n  'log ?in to': sign in to\n", "Utilize it, then login to the shop.", []string{"Use 'use' instead of 'Utilize'.", "Use 'sign in to' instead of 'login to'."}},
		"already right":      {"extends: substitution\nmessage: \"%s %s\"\nignorecase: true\nswap:\n  javascript: JavaScript\n", "JavaScript, and javascript.", []string{"JavaScript javascript"}},
		"occurrence":         {"extends: occurrence\nmessage: long\nscope: sentence\nmax: 4\ntoken: '\\b\\w+\\b'\n", "One two three. One two three four five six.", []string{"long"}},
		"too few":            {"extends: occurrence\nmessage: greet\nmin: 1\ntoken: Hello\n", "Good day.", []string{"greet"}},
		"repetition":         {"extends: repetition\nmessage: \"'%s' is repeated!\"\nlevel: error\nalpha: true\ntokens:\n  - '[^\\s]+'\n", "This is is wrong, 1 1 is not.", []string{"'is' is repeated!"}},
		"title":              {"extends: capitalization\nmessage: \"%s\"\nmatch: $title\n", "# The Way of the Agent\n## the way\ntext", []string{"the way"}},
		"sentence case":      {"extends: capitalization\nmessage: \"%s\"\nmatch: $sentence\nexceptions:\n  - Reeve\n", "# How Reeve works with API keys\n# How It Works\n", []string{"How It Works"}},
		"readability":        {"extends: readability\nmessage: \"Grade %s\"\ngrade: 8\n", strings.Repeat("Notwithstanding organisational considerations, implementation responsibilities necessitate comprehensive documentation of administrative procedures. ", 3), []string{"Grade"}},
		"readable":           {"extends: readability\nmessage: \"Grade %s\"\ngrade: 8\nmetrics:\n  - Flesch-Kincaid\n  - Gunning Fog\n", strings.Repeat("We sent your bag today. You will have it soon. ", 5), nil},
		"too little to read": {"extends: readability\nmessage: \"Grade %s\"\ngrade: 1\n", "Notwithstanding considerations.", nil},
	} {
		r, err := Parse(name, []byte(c.rule))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, a := range r.Check(c.text) {
			got = append(got, a.Message)
			if a.Start < 0 || a.End > len(c.text) || a.Start > a.End {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}

func TestBadRules(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "another kind": "extends: spelling\nmessage: x\n", "an unknown key": "extends: existence\nmessage: x\ntokens: [a]\ncolour: red\n", "no tokens": "extends: existence\nmessage: x\n",
		"look-ahead": "extends: existence\nmessage: x\ntokens: ['(?=a)b']\n", "no swap": "extends: substitution\nmessage: x\n", "no bound": "extends: occurrence\nmessage: x\ntoken: a\n",
		"another scope": "extends: occurrence\nmessage: x\ntoken: a\nmax: 1\nscope: table\n", "no match": "extends: capitalization\nmessage: x\n", "no grade": "extends: readability\nmessage: x\n",
		"another metric": "extends: readability\nmessage: x\ngrade: 8\nmetrics: [Moon]\n", "another level": "extends: existence\nmessage: x\nlevel: loud\ntokens: [a]\n", "no YAML": "[", "a list": "- a\n",
	} {
		if _, err := Parse(name, []byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestMessagesAreFilledOnce: what an agent says may hold what a message is filled
// by, and must not be filled again, for ever.
func TestMessagesAreFilledOnce(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{"'%s'": "'%%ss'", "%s and %s": "to %s and %%ss", "%s %s %s": "to %s %%ss %%ss", "none": "none", "": ""} {
		values := []string{"to %s", "%%ss"}
		if message == "'%s'" {
			values = values[1:]
		}
		if got := fill(message, values...); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
	r, err := Parse("x", []byte("extends: repetition\nmessage: \"'%s' is repeated!\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Check("You get 10 %%ss %%ss off."); len(got) != 1 || got[0].Message != "'%%ss' is repeated!" {
		t.Errorf("%+v", got)
	}
}

// TestSizeIsWhatAPatternBecomes compares with what is really made of patterns.
func TestSizeIsWhatAPatternBecomes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a", "abc", "(?i)abc", "[a-z]+", "x{20}", "x{3,}", "x{3,9}", "(?:.?){100}", "(a|bc|d*)+?", "((x{10}){10}y){9}", `\b(?:one|two|three)\b`, "", "(?:)", "^a$", `\pL{50}`} {
		tree, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if n, is := size(tree), len(program.Inst); n+3 < is || n > is+is/2+3 {
			t.Errorf("%q: %d, and it has %d instructions", text, n, is)
		}
	}
}

// TestFarPatterns: a pattern that looks on for what need not come is asked of the
// beginning of a text alone, however its words repeat.
func TestFarPatterns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`x.*y`: true, `x(?:.*y)?`: true, `(?:x .*y|x)`: true, `(?:a+b)+`: true, `x{3,}y`: true, `\b(?:x.*y)\b`: true, `(x.*)y`: true,
		`[^\s]+`: false, `\b(?:[a-z]+)\b`: false, `x.{0,40}y`: false, `one|two`: false, `x.*`: false, `a{3}`: false,
	} {
		if got := far(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	hostile := strings.Repeat("ä ", 20_000)
	for tokens, want := range map[string]int{`'[^\s]+'`: 199, `'ä(?:.*y)?'`: 199} {
		r, err := Parse("x", []byte("extends: repetition\nmessage: m\ntokens:\n  - "+tokens+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := r.Check(hostile)
		if len(got) < want || r.far && got[len(got)-1].End > FarText {
			t.Errorf("%s: %d found, the last ends at %d", tokens, len(got), got[len(got)-1].End)
		}
	}
}

func TestLargePatterns(t *testing.T) {
	t.Parallel()
	swaps := "extends: substitution\nmessage: m\nswap:\n"
	for i := range 60 {
		swaps += fmt.Sprintf("  'x{900}%d': y\n", i)
	}
	for name, text := range map[string]string{
		"one":        "extends: existence\nmessage: m\ntokens: ['" + strings.Repeat("x{1000}", 3000) + "']\n",
		"optional":   "extends: existence\nmessage: m\nnonword: true\ntokens: ['" + strings.Repeat("(?:.?){1000}", 60) + "z']\n",
		"together":   swaps,
		"a heading":  "extends: capitalization\nmessage: m\nmatch: '" + strings.Repeat("x{1000}", 6) + "'\n",
		"a count":    "extends: occurrence\nmessage: m\nmax: 1\ntoken: '" + strings.Repeat("x{1000}", 6) + "'\n",
		"far counts": "extends: occurrence\nmessage: m\nmax: 1000000\ntoken: a\n",
	} {
		if _, err := Parse(name, []byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	r, err := Parse("x", []byte("extends: existence\nmessage: m\ntokens: ['x{900}']\n"))
	if err != nil || r.Size < 900 || r.Size > 1000 {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("extends: existence\nmessage: \"%s\"\ntokens: [a]\n", "a b a")
	f.Add("extends: repetition\nmessage: \"%s %s\"\n", "a a a")
	f.Add("extends: capitalization\nmatch: $title\nmessage: x\n", "# a\n")
	f.Fuzz(func(t *testing.T, rule, text string) {
		r, err := Parse("f", []byte(rule))
		if err != nil || len(text) > 2000 {
			return
		}
		for _, a := range r.Check(text) {
			if a.Start < 0 || a.End > len(text) || a.Start > a.End {
				t.Fatalf("%+v", a)
			}
		}
	})
}
