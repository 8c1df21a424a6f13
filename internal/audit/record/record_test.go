package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		v    any
		want string // "" for refused
	}{
		// The key order is the example of RFC 8785 §3.2.3.
		{"order", map[string]any{"€": "a", "\r": "b", "\ufb33": "c", "1": "d", "😀": "e", "\u0080": "f", "ö": "g"}, "{\"\\r\":\"b\",\"1\":\"d\",\"\u0080\":\"f\",\"ö\":\"g\",\"€\":\"a\",\"😀\":\"e\",\"\ufb33\":\"c\"}"},
		{"escapes", "\x00\b\t\n\f\r\x1f\"\\/<>&\u2028é", `"\u0000\b\t\n\f\r\u001f\"\\/<>&` + "\u2028é\""},
		{"nested", map[string]any{"b": []any{int64(1), true, "x", map[string]any{}}, "a": []any{}}, `{"a":[],"b":[1,true,"x",{}]}`},
		{"largest", int64(MaxInteger), "9007199254740991"},
		{"negative", int64(-5), "-5"},
		{"too large", int64(MaxInteger + 1), ""},
		{"fraction", 1.5, ""},
		{"null", nil, ""},
		{"not UTF-8", "\xff", ""},
		{"key not UTF-8", map[string]any{"\xff": "x"}, ""},
	} {
		got, err := Canonical(c.v)
		if (err != nil) != (c.want == "") || string(got) != c.want {
			t.Errorf("%s: got %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

// random makes a value that a record may hold.
func random(r *rand.Rand, depth int) any {
	text := func() string {
		var b []rune
		for range r.IntN(12) {
			b = append(b, []rune{rune(r.IntN(0x80)), rune(r.IntN(0x20)), '"', '\\', 'é', '😀', '\ufb33', '\u2028', rune(0x800 + r.IntN(0x1000))}[r.IntN(9)])
		}
		return string(b)
	}
	n := 5
	if depth > 4 {
		n = 3
	}
	switch r.IntN(n) {
	case 0:
		return text()
	case 1:
		return r.IntN(2) == 0
	case 2:
		return r.Int64N(2*MaxInteger+1) - MaxInteger
	case 3:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, random(r, depth+1))
		}
		return list
	}
	object := map[string]any{}
	for range r.IntN(5) {
		object[text()] = random(r, depth+1)
	}
	return object
}

// What Canonical writes, Reader accepts; what both agree on, encoding/json reads
// as the same value.
func TestReaderReadsCanonical(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		v := random(r, 0)
		text, err := Canonical(v)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		d := NewReader(text)
		if raw := d.Raw(); !bytes.Equal(raw, text) || d.End() != nil {
			t.Fatalf("%s: read %s, %v", text, raw, d.End())
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var back any
		if err := dec.Decode(&back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(v, integers(back)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `{"a"}`, `{"a":1,}`, `{"b":1,"a":2}`, `{"a":1,"a":2}`, `{ "a":1}`, `{"a": 1}`, `[1,]`, `[1 ,2]`,
		`1.0`, `1e3`, `-0`, `01`, `9007199254740992`, `null`, `{"a":null}`, `"\/"`, `"\u0041"`, `"\u000A"`, `"\u001F"`, `"\u0008"`,
		"\"\x01\"", `"\x"`, `"`, `"\`, `"\u00`, "\"\xff\"", `tru`, `{"a":1}x`, `{"😀":1,"ﬀ":2,"a":1}`,
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		d := NewReader([]byte(text))
		d.Skip()
		if err := d.End(); !errors.Is(err, ErrForm) {
			t.Errorf("%q was taken: %v", text, err)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	want := Record{Log: "x/audit/n", Seq: 7, At: 1764220000000000, Prev: Leaf([]byte("six")), Kind: "alive", Body: []byte(`{"a":1}`)}
	line := want.Append(nil)
	got, err := Parse(line)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	first := Record{Log: "x/audit/n", At: 1, Kind: "alive", Body: []byte(`{}`)}
	if got, err := Parse(first.Append(nil)); err != nil || got.Prev != (Hash{}) {
		t.Errorf("the first record: %+v, %v", got, err)
	}
	for _, change := range [][2]string{
		{`"v":1`, `"v":2`},
		{`,"v":1`, ``},
		{`"seq":7`, `"seq":0`},
		{`"seq":7`, `"seq":-7`},
		{`"kind":"alive"`, `"kind":""`},
		{`"body":{"a":1}`, `"body":1`},
		{`"body":{"a":1}`, `"body":{"a":1.5}`},
		{`"log":"x/audit/n",`, ``},
		{`"prev":"`, `"prev":"_`},
		{`{"at"`, `{ "at"`},
		{`"v":1}`, `"v":1,"x":1}`},
	} {
		text := strings.Replace(string(line), change[0], change[1], 1)
		if text == string(line) {
			t.Fatalf("%s is not in %s", change[0], line)
		}
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrForm) {
			t.Errorf("%s was taken: %v", text, err)
		}
	}
}

// FuzzParse: what is taken has exactly one form, and nothing panics.
func FuzzParse(f *testing.F) {
	for _, r := range []Record{
		{Log: "x/audit/n", Kind: "alive", Body: []byte(`{}`)},
		{Log: "é", Seq: 1, At: 5, Kind: "k", Body: []byte(`{"a":[1,true,"\n"],"b":{"c":-1}}`)},
	} {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := Parse(line)
		if err != nil {
			return
		}
		if back := r.Append(nil); !bytes.Equal(back, line) {
			t.Errorf("taken %q, written %q", line, back)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	body := `{"action":"call_model","agent":"refunds","autonomy":"bounded","bound":true,"credential":"agent_key","id":"dec_01","policies":[{"hash":"0123456789","policy":"p","statement":"s"}],"reasons":[],"resource":"openai/gpt-4o","verdict":"allow"}`
	r := Record{Log: "x/audit/n", Seq: 7, At: 1764220000000000, Kind: "decision.proposed", Body: []byte(body)}
	line := r.Append(nil)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}
