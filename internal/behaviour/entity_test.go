package behaviour

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func found(text string) (out []string) {
	var s scanner
	s.scan([]byte(text), func(e *entity) bool {
		out = append(out, e.kind.String()+" "+string(e.norm))
		return true
	})
	return out
}

func TestEntities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                         nil,
		"hello there, all is well": nil,
		"Write to Anna.Berg+x@Example.COM, please.":                {"email anna.berg+x@example.com"},
		"<mailto:a@b.org>":                                         {"email a@b.org"},
		"a@b, @handle, x@y.c, @@":                                  nil,
		"see https://www.Example.org/Path?q=1#top.":                {"url example.org/Path?q=1"},
		"http://Example.org":                                       {"host example.org"},
		"https://example.org:8443/x/":                              {"url example.org:8443/x"},
		"https://good.example@evil.example/x":                      {"url evil.example/x"},
		"go?to=https://a.example/r?u=https://b.example/x":          {"url a.example/r?u=https://b.example/x", "url b.example/x"},
		"(www.shop-new.com)":                                       {"host shop-new.com"},
		"site=www.shop-new.com/buy":                                {"url shop-new.com/buy"},
		"visit news.example.co.uk today":                           {"host news.example.co.uk"},
		"host 10.1.2.3 and 10.1.2.3:80/x, not 10.1.2.300 or 1.2.3": {"host 10.1.2.3", "url 10.1.2.3/x"},
		"bill.txt main.py README.md ./a/b ../cd ~/.ssh/id /etc/hosts": {
			"path bill.txt", "path main.py", "path README.md", "path ./a/b", "path ../cd", "path ~/.ssh/id", "path /etc/hosts",
		},
		"DE89370400440532013000":                           {"account DE89370400440532013000"},
		"to DE89 3704 0044 0532 0130 00 now":               {"account DE89370400440532013000"},
		"GB29 NWBK 6016 1331 9268 19.":                     {"account GB29NWBK60161331926819"},
		"XX12 some text":                                   nil,
		"call +49 30 901820 or +49-30-901820":              {"phone +4930901820", "phone +4930901820"},
		"+1 (212) 555-0100":                                {"phone +12125550100"},
		"on 2024-05-19 at 12:00, 3.50 EUR":                 nil,
		"order ORD-1234, ticket 1234567, 0af7651916cd43dd": {"id ORD-1234", "id 1234567", "id 0af7651916cd43dd"},
		"e.g. this, i.e. that, U.S.A. and etc.":            nil,
		"“https://a.example/x”":                            {"url a.example/x"},
		"javascript://x.example/y":                         nil,
		"münchen.example.de":                               {"host münchen.example.de"},
	} {
		if got := found(text); !slices.Equal(got, want) {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`https:\/\/a.example\/x`:                 "url a.example/x",
		`mail\u0040b.example`:                    "email mail@b.example",
		`line\nann@b.example`:                    "email ann@b.example",
		`{\"to\":\"ann@b.example\"}`:             "email ann@b.example",
		`{\\\"to\\\":\\\"x\\nann@b.example\\\"}`: "email ann@b.example",
		"an\u200bn@b.exam\u00adple":              "email ann@b.example",
		`an\u200bn@b.example`:                    "email ann@b.example",
		"a\U000e0041nn@b.example":                "email ann@b.example",
	} {
		got := found(string(plainText([]byte(text), nil, true)))
		if len(got) != 1 || !strings.HasSuffix(got[0], want[strings.IndexByte(want, ' '):]) || strings.HasPrefix(want, "email") && got[0] != strings.ReplaceAll(want, "ann@b.example", "ann@b.example") {
			if !slices.Equal(got, []string{want}) {
				t.Errorf("%q names %q, want %q", text, got, want)
			}
		}
	}
}

// TestTenants: on a host that anybody has a part of, the part is the destination.
func TestTenants(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://docs.google.com/forms/d/abc/viewform": "docs.google.com/forms/d/abc",
		"https://github.com/someone/thing/issues/1":    "github.com/someone/thing",
		"https://github.com":                           "github.com",
		"https://www.example.org/a/b":                  "example.org",
		"https://pastebin.com/raw":                     "pastebin.com/raw",
	} {
		var s scanner
		got := ""
		s.scan([]byte(text), func(e *entity) bool { got = string(e.unit); return true })
		if got != want {
			t.Errorf("the destination of %s is %q, want %q", text, got, want)
		}
	}
}

// FuzzEntities holds that places lie within the text and nothing panics.
func FuzzEntities(f *testing.F) {
	f.Add("Write to anna@example.com, DE89 3704 0044 0532 0130 00, +49 30 901820, https://a.example/x?y=https://b.example")
	f.Add(`{\"a\":\"\u0040\ud83d\ude00\"} www.x.example:99999/`)
	f.Fuzz(func(t *testing.T, text string) {
		var s scanner
		for _, escaped := range []bool{false, true} {
			plain := plainText([]byte(text), nil, escaped)
			last := -1
			s.scan(plain, func(e *entity) bool {
				if e.from < 0 || e.to > len(plain) || e.from >= e.to || len(e.norm) > maxEntity || len(e.unit) > len(e.norm) {
					t.Errorf("%q: %s %q at %d to %d", plain, e.kind, e.norm, e.from, e.to)
				}
				last = e.to
				return true
			})
			_ = last
		}
	})
}

// prose is text as tools give it: words, with something to find in each tenth
// line.
func prose(bytes int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the order of last week was sent to our customer and will arrive on Monday at noon, as far as we know; the invoice follows by mail")
	var b strings.Builder
	for b.Len() < bytes {
		for range 12 {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		if r.IntN(10) == 0 {
			b.WriteString("see https://shop.example/orders/" + words[r.IntN(len(words))] + " or write to sales" + string(rune('a'+r.IntN(26))) + "@shop.example")
		}
		b.WriteString(`\n`)
	}
	return []byte(b.String()[:bytes])
}

func BenchmarkHeard(b *testing.B) {
	m, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	w := Who{Credential: "key", Run: "run_1"}
	for _, size := range []int{2 << 10, 64 << 10} {
		text := prose(size)
		b.Run(byteName(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				m.Heard(w, Source{By: ByTool, Tool: "crm.read"}, text, true)
			}
		})
	}
}

func byteName(n int) string {
	if n >= 1<<20 {
		return "10MB"
	}
	if n >= 64<<10 {
		return "64kB"
	}
	return "2kB"
}

func BenchmarkOrigins(b *testing.B) {
	m, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	w := Who{Credential: "key", Run: "run_1"}
	m.Heard(w, Source{By: ByUser}, []byte("write to sales@shop.example"), false)
	m.Heard(w, Source{By: ByTool}, prose(8<<10), true)
	small := []Argument{{Path: "/to", Text: "sales@shop.example"}, {Path: "/subject", Text: "your order ORD-1234"}, {Path: "/body", Text: string(prose(500))}}
	large := []Argument{{Path: "/body", Text: string(prose(10 << 20))}}
	b.Run("call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Origins(w, "agent", small, nil)
		}
	})
	b.Run("10MB", func(b *testing.B) {
		b.SetBytes(10 << 20)
		for b.Loop() {
			m.Origins(w, "agent", large, nil)
		}
	})
}
