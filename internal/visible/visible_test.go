package visible

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want, kind string }{
		{"plain", "pay 20.00 EUR to ACME\n\tnow", "pay 20.00 EUR to ACME\n\tnow", ""},
		{"other languages", "Zürich, Köln: 東京 Москва Ελλάδα Tシャツ 한국어", "Zürich, Köln: 東京 Москва Ελλάδα Tシャツ 한국어", ""},
		{"escape of a terminal", "a\x1b[2Kb", "a⟦U+001B⟧[2Kb", Control},
		{"carriage return", "real\rfake", "real⟦U+000D⟧fake", Control},
		{"null", "a\x00b", "a⟦U+0000⟧b", Control},
		{"C1", "a\u009bb", "a⟦U+009B⟧b", Control},
		{"right to left override", "invoice\u202Efdp.exe", "invoice⟦U+202E⟧fdp.exe", Bidi},
		{"isolate", "a\u2066b\u2069", "a⟦U+2066⟧b⟦U+2069⟧", Bidi},
		{"Arabic mark", "a\u061cb", "a⟦U+061C⟧b", Bidi},
		{"zero width", "de\u200blete", "de⟦U+200B⟧lete", Invisible},
		{"joiner", "de\u200dlete", "de⟦U+200D⟧lete", Invisible},
		{"byte order mark", "\ufeffx", "⟦U+FEFF⟧x", Invisible},
		{"soft hyphen", "ig\u00adnore", "ig⟦U+00AD⟧nore", Invisible},
		{"Hangul filler", "a\u3164b", "a⟦U+3164⟧b", Invisible},
		{"tags", "hi\U000E0041\U000E007F", "hi⟦U+E0041⟧⟦U+E007F⟧", Tag},
		{"selectors", "x\ufe01\U000E0101", "x⟦U+FE01⟧⟦U+E0101⟧", Tag},
		{"Cyrillic in Latin", "p\u0430ypal.com", "p\u0430⟦U+0430⟧ypal.com", Mixed},
		{"Greek in Latin", "g\u03bfogle", "g\u03bf⟦U+03BF⟧ogle", Mixed},
		{"Latin in Cyrillic", "Мосkва", "Мосk⟦U+006B⟧ва", Mixed},
		{"full width", "ｐay", "ｐ⟦U+FF50⟧ay", Mixed},
		{"mathematical", "𝐩ay", "𝐩⟦U+1D429⟧ay", Mixed},
		{"no-break space", "1\u00a0000", "1⟦U+00A0⟧000", Space},
		{"line separator", "a\u2028b", "a⟦U+2028⟧b", Space},
		{"stacked", "a\u0301\u0302\u0303\u0304", "a\u0301\u0302⟦U+0303⟧⟦U+0304⟧", Stacked},
		{"broken", "a\xff\xc3(", `a⟦\xff⟧⟦\xc3⟧(`, Invalid},
		{"private", "a\ue000b", "a⟦U+E000⟧b", Invalid},
		{"a mark of their own", "⟦U+202E⟧", "⟦U+27E6⟧U+202E⟦U+27E7⟧", Bracket},
	} {
		got := Of(c.in, 0)
		if got.Text() != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Text(), c.want)
		}
		found := c.kind == ""
		for _, p := range got.Pieces {
			found = found || p.Kind == c.kind
		}
		if !found || (got.Marked == 0) != (c.want == c.in) {
			t.Errorf("%s: pieces %v", c.name, got.Pieces)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab\u202e", 1000)
	got := Of(long, 100)
	if !got.Cut || got.Bytes != len(long) || !strings.HasSuffix(got.Text(), "more bytes⟧") {
		t.Errorf("%+v", got)
	}
	if got := Of("äöü", 3); got.Text() != "ä⟦4 more bytes⟧" {
		t.Errorf("%q", got.Text())
	}
	if got := Of("abc", 3); got.Cut || got.Text() != "abc" {
		t.Errorf("%+v", got)
	}
	if got := Line("a\nb\tc", 0); got != "a⟦LF⟧b⟦TAB⟧c" {
		t.Errorf("%q", got)
	}
}

// Whatever the text, nothing of it that is marked can act on a terminal or hide.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "plain", "a\x1b]0;x\a", "p\u0430y", "\U000E0041", "a\u0301\u0301\u0301", "\xff\xfe", "⟦x⟧", "a\u202eb\u2066"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Of(s, limit%1000)
		text := got.Text()
		if !utf8.ValidString(text) {
			t.Fatalf("%q gives %q", s, text)
		}
		for _, r := range text {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cf, r) || selector(r)) {
				t.Fatalf("%q gives %q with %U", s, text, r)
			}
		}
		if got.Bytes != len(s) || got.Cut != (limit%1000 > 0 && len(s) > limit%1000) {
			t.Fatalf("%q: %+v", s, got)
		}
		if line := Line(s, 0); strings.ContainsAny(line, "\n\t\r") {
			t.Fatalf("%q gives the line %q", s, line)
		}
	})
}

// What was made visible once is printed as it is.
func TestSafe(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"plain\n", "a\x1b[2K", "p\u0430y\u202e", "\u2066x", "⟦x⟧", "\xff", "\U000E0041"} {
		once := Text(s)
		if got := Safe(once); got != once {
			t.Errorf("%q made visible is %q, printed %q", s, once, got)
		}
		if got := Safe(s); Safe(got) != got {
			t.Errorf("%q: %q then %q", s, got, Safe(got))
		}
	}
}
