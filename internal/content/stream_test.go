package content

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"reeve/client"
)

// pour sends a text through a stream in pieces.
func pour(p *Plan, text string, cut func(left int) int) (out string, found []Found, held int, err error) {
	s := p.Stream()
	var b strings.Builder
	for len(text) > 0 {
		n := min(max(cut(len(text)), 1), len(text))
		piece, err := s.Next([]byte(text[:n]))
		b.Write(piece)
		if err != nil {
			return b.String(), s.found.list(), s.held, err
		}
		text = text[n:]
	}
	rest, found, err := s.End()
	b.Write(rest)
	return b.String(), found, s.held, err
}

func whole(left int) int { return left }
func bytewise(int) int   { return 1 }

const privateKey = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MfU9P6i2P8wDqYx0\nq1mYVbXx9Xq4vJ0cS2nD3kq8mV7wR5t6Zk1pL0aWmE8bT4uH2sF9gJ6dK3xC7vN5\n" +
	"q1mYVbXx9Xq4vJ0cS2nD3kq8mV7wR5t6Zk1pL0aWmE8bT4uH2sF9gJ6dK3xC7vN5\nq1mYVbXx9Xq4vJ0cS2nD3kq8mV7wR5t6Zk1pL0aWmE8bT4uH2sF9gJ6dK3xC7vN5\n-----END RSA PRIVATE KEY-----"

var jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6Ikpv" + strings.Repeat("aGVsbG8gd29ybGQ", 30) + ".c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

// ingredients are what random texts are made of.
func ingredients() []string {
	return []string{
		"the token of the day ", "api_key = ", awsKey, ghp, " ", ". ", "\n", `"`, `\"`, `\n`, "jo@example.org", "@", "a.b-c", "4111 1111 1111 1111", "4111", "-", "+49 30 901820",
		"DE89 3704 0044 0532 0130 00", "password: ", `hunter2"Xk3`, "q8Zr2LxV0pNs7Tb4Kd1Wm6Yc", "key", "secret=", privateKey, jwt, "eyJ", "203.0.114.7", "AK", "IA", ownKeyText, "rvk_",
		"TCK-1234", "TCK-", "é", `\u0041KIA`, `é`, "-----BEGIN ", "plain words that say nothing at all ", "{", "}", ":", ",",
	}
}

func every() client.ContentRule {
	return client.ContentRule{Name: "all", Action: "redact", Classes: []string{"pii", "secret"}, Pattern: `TCK-[0-9]{4}`}
}

// Whatever pieces an answer comes in, the same goes on; and at most 256 decoded
// bytes are held back.
func TestAnySplitGivesTheSame(t *testing.T) {
	t.Parallel()
	p := rules(t, every()).For("bot", "core", "production")
	parts := ingredients()
	for seed := range uint64(250) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		var b strings.Builder
		if seed%3 == 0 {
			b.WriteString(`{"content":"`)
		}
		for range 1 + rnd.IntN(30) {
			b.WriteString(parts[rnd.IntN(len(parts))])
		}
		text := b.String()
		want, _, _, err := pour(p, text, whole)
		if err != nil {
			t.Fatal(err)
		}
		for i, cut := range []func(int) int{bytewise, func(int) int { return 1 + rnd.IntN(40) }, func(int) int { return 1 + rnd.IntN(400) }} {
			got, _, held, err := pour(p, text, cut)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("seed %d, split %d:\ntext %q\ngot  %q\nwant %q", seed, i, text, got, want)
			}
			if held > 256 {
				t.Fatalf("seed %d, split %d: %d bytes were held back", seed, i, held)
			}
		}
	}
}

// What a stream redacts is what the same text redacts as a whole.
func TestStreamAgreesWithWhole(t *testing.T) {
	t.Parallel()
	p := rules(t, every()).For("bot", "core", "production")
	for _, text := range []string{
		"key " + awsKey + " end", "mail jo@example.org.", "card 4111 1111 1111 1111, thanks", "pay to DE89370400440532013000 please", "see TCK-1234 there",
		"api_key = q8Zr2LxV0pNs7Tb4Kd1Wm6Yc\n", "a " + privateKey + " b", "token " + jwt + " end", `{"a":"` + awsKey + `","card":4111111111111111}`, "call +49 30 901820 now", "nothing here",
		"it is " + ownKeyText,
	} {
		got, _, _, err := pour(p, text, bytewise)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := p.Answer([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%q:\nstream %q\nwhole  %q", text, got, want)
		}
	}
}

// tell adds the parts of a text and gives what may go on of it after each, and
// how much waits.
func tell(p *Plan, json bool, parts ...string) (out string, waits []int64, found []Found, err error) {
	t := p.Text(json)
	var all string
	var cuts []Cut
	var decided int64
	take := func(more []Cut, to int64) {
		cuts, decided = append(cuts, more...), to
		out, _ = applied(all[:decided], cuts)
		waits = append(waits, int64(len(all))-decided)
	}
	for _, part := range parts {
		all += part
		more, to, err := t.Add([]byte(part))
		if err != nil {
			return out, waits, t.Found(), err
		}
		take(more, to)
	}
	more, err := t.End()
	if err == nil {
		take(more, int64(len(all)))
	}
	return out, waits, t.Found(), err
}

// applied makes the cuts that are whole in text.
func applied(text string, cuts []Cut) (string, bool) {
	var b strings.Builder
	at := int64(0)
	for _, c := range cuts {
		if c.From < at || c.To < c.From || c.To > int64(len(text)) {
			return text, false
		}
		b.WriteString(text[at:c.From] + c.With)
		at = c.To
	}
	return b.String() + text[at:], true
}

// A secret in two events of a model's stream is whole again in its text.
func TestSecretOverTwoEvents(t *testing.T) {
	t.Parallel()
	p := rules(t, on("redact", "secret")).For("bot", "core", "production")
	got, _, found, err := tell(p, false, "the key is ", awsKey[:7], awsKey[7:], ", keep", " it")
	if err != nil || got != "the key is [redacted:secret.aws-access-token], keep it" || len(found) != 1 {
		t.Errorf("got %q, %v, %v", got, found, err)
	}
	p = rules(t, on("block", "secret")).For("bot", "core", "production")
	sent, _, _, err := tell(p, false, "the key is ", awsKey[:7], awsKey[7:], ", keep it in a safe place", strings.Repeat(" and more words", 20))
	if code(err) != "content.blocked" || strings.Contains(sent, "AKIA") {
		t.Errorf("sent %q, %v", sent, err)
	}
}

// Text in which nothing could begin goes on at once.
func TestPlainTextDoesNotWait(t *testing.T) {
	t.Parallel()
	p := rules(t, on("redact", "secret")).For("bot", "core", "production")
	parts := strings.SplitAfter("Once upon a time there was a small boat that went out on the wide sea. ", " ")
	_, waits, _, err := tell(p, false, parts...)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range waits {
		if n > 3 {
			t.Errorf("%d bytes wait after %q", n, parts[min(i, len(parts)-1)])
		}
	}
}

// A text in parts gives what the same text gives as a stream, cuts say so in
// places of the text, JSON stays JSON, and at most 256 bytes wait.
func TestTextIsTheStream(t *testing.T) {
	t.Parallel()
	p := rules(t, every()).For("bot", "core", "production")
	parts := ingredients()
	for seed := range uint64(250) {
		rnd := rand.New(rand.NewPCG(seed, 17))
		var b strings.Builder
		for range 1 + rnd.IntN(30) {
			b.WriteString(parts[rnd.IntN(len(parts))])
		}
		text, json1 := b.String(), seed%2 == 0
		if json1 {
			raw, err := json.Marshal(map[string]string{"q": text})
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		} else if looksJSON([]byte(text)) {
			text = "- " + text
		}
		want, _, _, err := pour(p, text, whole)
		if err != nil {
			t.Fatal(err)
		}
		var pieces []string
		for rest := text; rest != ""; {
			n := min(1+rnd.IntN(40), len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		got, waits, _, err := tell(p, json1, pieces...)
		if err != nil || got != want {
			t.Fatalf("seed %d:\ntext %q\ngot  %q\nwant %q (%v)", seed, text, got, want, err)
		}
		if json1 && !json.Valid([]byte(got)) {
			t.Fatalf("seed %d: %q is no JSON", seed, got)
		}
		// In decoded bytes: an escape may take six for one.
		for _, n := range waits {
			if n > 256*6 || !strings.Contains(text, `\`) && n > 256 {
				t.Fatalf("seed %d: %d bytes wait", seed, n)
			}
		}
	}
}

func TestStreamKeepsJSON(t *testing.T) {
	t.Parallel()
	p := rules(t, every()).For("bot", "core", "production")
	for i := range 200 {
		rnd := rand.New(rand.NewPCG(uint64(i), 3))
		parts := ingredients()
		list := []any{}
		for range 1 + rnd.IntN(6) {
			list = append(list, parts[rnd.IntN(len(parts))]+parts[rnd.IntN(len(parts))], 4111111111111111, map[string]string{parts[rnd.IntN(len(parts))]: parts[rnd.IntN(len(parts))]})
		}
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		got, _, _, err := pour(p, string(raw), func(int) int { return 1 + rnd.IntN(50) })
		if err != nil || !json.Valid([]byte(got)) {
			t.Fatalf("%s\nbecame %s: %v", raw, got, err)
		}
		if out, _, err := p.Answer(raw); err != nil || !json.Valid(out) {
			t.Fatalf("%s\nbecame %s: %v", raw, out, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	p := rules(f, every()).For("bot", "core", "production")
	for _, s := range ingredients() {
		f.Add("x "+s+" y", uint8(3))
		f.Add(`{"a":"`+s+`"}`, uint8(1))
	}
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		if len(text) > 4096 {
			return
		}
		want, _, _, err := pour(p, text, whole)
		if err != nil {
			t.Fatal(err)
		}
		got, _, held, err := pour(p, text, func(int) int { return int(n) })
		if err != nil || got != want || held > 256 {
			t.Fatalf("%q by %d:\ngot  %q\nwant %q\nheld %d, %v", text, n, got, want, held, err)
		}
	})
}

func FuzzRequest(f *testing.F) {
	p := rules(f, every()).For("bot", "core", "production")
	for _, s := range ingredients() {
		f.Add([]byte(`{"messages":[{"content":"` + strings.ReplaceAll(strings.ReplaceAll(s, `"`, `\"`), "\n", `\n`) + `"}]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		out, _, err := p.Request(body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed in place")
		}
		if err != nil {
			return
		}
		if json.Valid(before) && utf8.Valid(before) && looksJSON(before) && !json.Valid(out) {
			t.Fatalf("%s\nbecame %s", before, out)
		}
	})
}
