package genai

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func split(raw string) (out []string, err error) {
	err = Split([]byte(raw), func(e []byte) bool { out = append(out, string(e)); return true })
	return out, err
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want []string
		bad  bool
	}{
		{in: `[]`},
		{in: " [ \n ] "},
		{in: `[1]`, want: []string{"1"}},
		{in: `[ {"a":"]},[\"\\"} , "x\"y" ,[1,[2]],null ]`, want: []string{`{"a":"]},[\"\\"}`, `"x\"y"`, `[1,[2]]`, "null"}},
		{in: `["\\\\","\\\""]`, want: []string{`"\\\\"`, `"\\\""`}},
		{in: ``, bad: true},
		{in: `{"a":1}`, bad: true},
		{in: `[1`, want: []string{"1"}, bad: true},
		{in: `[1,`, want: []string{"1"}, bad: true},
		{in: `[1,]`, want: []string{"1"}, bad: true},
		{in: `["a`, bad: true},
		{in: `[{"a":1]`, want: []string{`{"a":1]`}, bad: true},
		{in: `[1] 2`, want: []string{"1"}, bad: true},
	} {
		got, err := split(c.in)
		if d := cmp.Diff(c.want, got); d != "" || (err != nil) != c.bad || (err != nil && !errors.Is(err, ErrFormat)) {
			t.Errorf("Split(%s): err %v, bad want %v\n%s", c.in, err, c.bad, d)
		}
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"plain"`:                         `"plain"`,
		`"\u00e9t\u00E9 \u20ac"`:          `"été €"`,
		`"\ud83d\ude00 \n"`:               `"😀 \n"`,
		`"\ud83d x \ude00"`:               `"\ud83d x \ude00"`,
		`"\ud83d\u0041"`:                  `"\ud83dA"`,
		`"\\u0041 \u0041"`:                `"\\u0041 A"`,
		`"\u0022\u005c\u0000\/"`:          `"\u0022\u005c\u0000\/"`,
		`"\u12"`:                          `"\u12"`,
		`"\u00zz\"`:                       `"\u00zz\"`,
		`"\u0041\`:                        `"A\`,
		`"` + strings.Repeat(`\u0061`, 3): `"aaa`,
	} {
		if got := string(Unescape([]byte(in))); got != want {
			t.Errorf("Unescape(%s) = %s, want %s", in, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{`[]`, `[{"role":"user","content":"a\"]"},1,[2,3]]`, `["a\\",null]`, `[1,`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got []json.RawMessage
		err := Split(raw, func(e []byte) bool { got = append(got, e); return true })
		var want []json.RawMessage
		if json.Unmarshal(raw, &want) != nil || raw[space(raw, 0)] != '[' {
			return
		}
		if err != nil || len(got) != len(want) {
			t.Fatalf("Split(%s) = %d elements, %v; encoding/json finds %d", raw, len(got), err, len(want))
		}
		for i := range want {
			if string(want[i]) != string(got[i]) {
				t.Fatalf("element %d of %s is %s, want %s", i, raw, got[i], want[i])
			}
		}
	})
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{`"\u00e9\\u0041\ud83d\ude00"`, `{"a\u0022":"\u005c"}`, `"\ud83d"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := Unescape(raw)
		var a, b any
		if json.Unmarshal(raw, &a) != nil {
			return
		}
		if err := json.Unmarshal(got, &b); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("Unescape(%s) = %s: %v", raw, got, err)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	msg := `{"role":"user","parts":[{"type":"text","content":"` + strings.Repeat("some words ", 40) + `"}]}`
	raw := []byte("[" + strings.Repeat(msg+",", 30) + msg + "]")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	n := 0
	each := func([]byte) bool { n++; return true }
	for b.Loop() {
		if err := Split(raw, each); err != nil {
			b.Fatal(err)
		}
	}
}
