package content

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// sample writes a random text that an expression matches.
func sample(rnd *rand.Rand, re *syntax.Regexp, b *strings.Builder) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		// Letters and digits first: negated classes hold far stranger things.
		var plain []rune
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for c := max(re.Rune[i], '!'); c <= min(re.Rune[i+1], '~'); c++ {
				if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
					plain = append(plain, c)
				}
			}
		}
		if len(plain) == 0 {
			plain = []rune{re.Rune[0]}
		}
		b.WriteRune(plain[rnd.IntN(len(plain))])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := 0, 3
		switch re.Op {
		case syntax.OpPlus:
			low = 1
		case syntax.OpQuest:
			high = 1
		case syntax.OpRepeat:
			if low, high = re.Min, re.Max; high < 0 {
				high = low + 8
			}
		}
		for range low + rnd.IntN(high-low+1) {
			sample(rnd, re.Sub[0], b)
		}
	case syntax.OpAlternate:
		sample(rnd, re.Sub[rnd.IntN(len(re.Sub))], b)
	case syntax.OpConcat, syntax.OpCapture:
		for _, s := range re.Sub {
			sample(rnd, s, b)
		}
	}
}

// tally counts what was found of one class.
type tally struct{ positives, found, negatives, alarms int }

func (c tally) String() string {
	return fmt.Sprintf("recall %d/%d (%.1f %%), false alarms %d of %d texts", c.found, c.positives, 100*float64(c.found)/float64(max(c.positives, 1)), c.alarms, c.negatives)
}

func classesIn(p *Plan, text string) []string {
	var out []string
	for _, m := range p.scan(&p.request, []byte(text)) {
		out = append(out, m.class)
	}
	return out
}

// Every rule for secrets finds what its expression describes, in prose, in JSON
// and in a stream's text.
func TestSecretRecall(t *testing.T) {
	t.Parallel()
	p := rules(t, on("redact", "secret")).For("bot", "core", "production")
	list, err := secretRules()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, 9))
	var whole, named, allowed, all int
	missed := map[string]int{}
	for _, r := range list {
		tree, err := syntax.Parse(r.re.String(), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			var b strings.Builder
			sample(rnd, tree, &b)
			text := "use " + r.keywords[0] + " " + b.String() + "\n"
			// The expression and its own exceptions say whether it is one.
			is := false
			for _, m := range r.re.FindAllSubmatchIndex([]byte(text), -1) {
				s, e := m[0], m[1]
				for g := 1; 2*g+1 < len(m); g++ {
					if m[2*g] >= 0 && m[2*g+1] > m[2*g] {
						s, e = m[2*g], m[2*g+1]
						break
					}
				}
				is = is || r.counts([]byte(text), s, e, m[0], m[1])
			}
			if !is {
				allowed++
				continue
			}
			all++
			found := classesIn(p, text)
			if len(found) > 0 {
				whole++
			}
			if slices.Contains(found, r.class) {
				named++
			} else {
				missed[r.class]++
			}
		}
	}
	t.Logf("%d rules: of %d made-up secrets %d found (%.2f %%), %d by their own rule; %d more are exceptions of the rules", len(list), all, whole, 100*float64(whole)/float64(all), named, allowed)
	if whole*1000 < all*995 || all < 2500 {
		t.Errorf("found %d of %d; missed %v", whole, all, missed)
	}
}

// positives are by class; none of them belongs to anybody.
func positives() map[string][]string {
	card := func(prefix string, n int, sep string) string {
		d := []byte(prefix)
		for i := len(d); i < n-1; i++ {
			d = append(d, byte('0'+(i*7+3)%10))
		}
		for c := byte('0'); c <= '9'; c++ {
			v := append(slices.Clone(d), c)
			digits := slices.Clone(v)
			for i := range digits {
				digits[i] -= '0'
			}
			if luhn(digits) {
				d = v
				break
			}
		}
		if sep == "" {
			return string(d)
		}
		var b strings.Builder
		for i, c := range d {
			if i > 0 && i%4 == 0 {
				b.WriteString(sep)
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	return map[string][]string{
		"pii.email": {
			"jo@example.org", "first.last+tag@mail.example.co.uk", "o'brien@example.com", "x_1@sub-domain.example.museum", "JO@EXAMPLE.ORG", "a@b.io",
			"<jo@example.org>", "mailto:jo@example.org?subject=x", "(jo@example.org)", "jo@example.org.", "user%host@example.org", "über.jo@example.org",
		},
		"pii.phone": {
			"+49 30 901820", "+1 415 555 0132", "+14155550132", "+44 (0)20 7946 0958", "+33-1-42-68-53-00", "(415) 555-0132", "415-555-0132", "415.555.0132",
			"1-415-555-0132", "+91 98765 43210", "+5511987654321", "tel:+4930901820",
		},
		"pii.payment.iban": {
			"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606", "NL91ABNA0417164300", "CH9300762011623852957",
			"es91 2100 0418 4502 0005 1332", "IT60 X054 2811 1010 0000 0123 456", "BE68539007547034", "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "AT611904300234573201",
		},
		"pii.payment.card": {
			card("4", 16, ""), card("4", 16, " "), card("4", 16, "-"), card("51", 16, " "), card("2221", 16, ""), card("34", 15, ""), card("37", 15, ""), card("6011", 16, "-"),
			card("3528", 16, ""), card("36", 14, ""), card("62", 16, " "), card("4", 13, ""), card("65", 16, ""),
		},
		"pii.national_id": {
			"12345678Z", "X1234567L", "1 85 05 78 006 084 91", "RSSMRA85T10A562S", "85.07.30-033.28", "111.444.777-35", "44051401359", "811218-9876", "AB123456C", "AB 12 34 56 C", "856-45-6789",
		},
		"pii.ip": {"81.2.69.142", "203.0.114.7", "2a02:8109:9a80::1", "2001:470:1:18::115", "81.2.69.142:443", "[2a02:8109::7]"},
	}
}

// negatives look like something and are nothing.
var negatives = []string{
	"order A-20391 of 2026-11-20T10:11:12Z, total 129.90", "commit 3f2b1c9d8e7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c", "uuid 550e8400-e29b-41d4-a716-446655440000",
	"version 1.26.8, chrome/120.0.6099.71", "4111 1111 1111 1112", "1234 5678 9012 3456", "0000 0000 0000 0000", "DE00370400440532013000", "the token of appreciation", "press any key: continue",
	"my password is not here", "password: ", "api_key = os.environ[\"API_KEY\"]", "Authorization: Bearer $TOKEN", "secret: ${{ secrets.DEPLOY }}", "key: <your key>", "token = get_token()",
	"call 112 or 911", "room 415-555", "ticket 2026-11-25", "10:15:30", "range 100-200-300", "pi is 3.14159265358979", "192.168.1.10 and 10.0.0.1 and 127.0.0.1", "::1", "fe80::1", "a::b in C++", "std::string",
	"user@localhost", "@mention and a@b", "git@host:path", "import @scope/package", "see section 1.2.3.4 of 5.6", "dial 0800", "ISBN 978-3-16-148410-0", "EAN 4006381333931", "1234567890", "000-00-0000", "123-45-6789", "666-12-1234",
	"12345678A", "AKIAIOSFODNN7EXAMPLE", "for (int i = 0; i < n; i++) { key[i] = value; }", "type Token struct { Key string }", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"eyes and keys", "sk-your-key-here", "ghp_short", "rvk_0123456789ab_notakey", "xoxb-", "BEGIN PUBLIC KEY", "lorem ipsum dolor sit amet consectetur", "https://example.org/path?id=42&page=3", "1.5e-10", "+1", "(see 12)", "2026/11/25",
	"SELECT id, key FROM tokens WHERE secret = ?", "the access to the account can be restored by Friday", "temperature=0.7, max_tokens=1024", "model: gpt-4o-mini-2024-07-18", "claude-3-5-sonnet-20241022", "arn:aws:s3:::bucket/key", "us-east-1",
	"invoice 44051401350", "part 811218-9877", "build 20261125.1", "ratio 16:9", "MAC 00:1a:2b:3c:4d:5e", "0x1f8b", "call_abc123def456ghi789", "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVw", "msg_01XFDUDYJgAACzvnptvVoYEL", "toolu_01A09q90qw90lq917835lq9",
}

// What is found of each class of personal data, and what is taken for it.
func TestPersonalRecall(t *testing.T) {
	t.Parallel()
	p := rules(t, on("redact", "pii", "secret")).For("bot", "core", "production")
	all := map[string]*tally{}
	of := func(class string) *tally {
		if strings.HasPrefix(class, "secret.") {
			class = "secret"
		}
		if all[class] == nil {
			all[class] = &tally{negatives: len(negatives)}
		}
		return all[class]
	}
	for class, texts := range positives() {
		for _, text := range texts {
			for _, around := range []string{"%s", "it is %s, he said", "a\n%s\nb", `{"v":"%s"}`} {
				c := of(class)
				c.positives++
				if slices.Contains(classesIn(p, fmt.Sprintf(around, text)), class) {
					c.found++
				} else {
					t.Logf("missed %s: %s", class, fmt.Sprintf(around, text))
				}
			}
		}
	}
	for _, text := range negatives {
		for _, class := range classesIn(p, text) {
			of(class).alarms++
			t.Logf("false alarm: %s in %q", class, text)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(all)) {
		c := all[class]
		t.Logf("%-18s %s", class, c)
		if c.found*100 < c.positives*95 || c.alarms > 2 {
			t.Errorf("%s: %s", class, c)
		}
	}
}
