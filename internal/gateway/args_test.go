package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"reeve/internal/policy"
)

func TestArgsOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     policy.Args
	}{
		{"values", `{"amount": 12.5, "currency": "EUR", "n": 3, "ok": true, "a/b~c": "x"}`, policy.Args{
			Names: []string{"amount", "currency", "n", "ok", "a/b~c"}, Text: map[string][]string{"/currency": {"EUR"}, "/a~1b~0c": {"x"}},
			Int: map[string]int64{"/n": 3}, Number: map[string]string{"/amount": "12.5", "/n": "3.0"}, Flag: map[string]bool{"/ok": true},
		}},
		{"elements", `{"to": ["a@x.org", "b\u0040y.org"], "items": [{"n": 2, "p": 1.25}, {"n": 5, "p": -3}]}`, policy.Args{
			Names: []string{"to", "items"}, Text: map[string][]string{"/to/*": {"a@x.org", "b@y.org"}},
			Int:    map[string]int64{"/to#count": 2, "/items#count": 2, "/items/*/n#max": 5, "/items/*/n#min": 2, "/items/*/n#sum": 7, "/items/*/p#min": -3},
			Number: map[string]string{"/items/*/n#max": "5.0", "/items/*/n#min": "2.0", "/items/*/n#sum": "7.0", "/items/*/p#max": "1.25", "/items/*/p#min": "-3.0", "/items/*/p#sum": "-1.75"},
			Unfit:  []string{"/items/*/n", "/items/*/p"},
		}},
		{"one element", `[4]`, policy.Args{
			Int:    map[string]int64{"#count": 1, "/*": 4, "/*#max": 4, "/*#min": 4, "/*#sum": 4},
			Number: map[string]string{"/*": "4.0", "/*#max": "4.0", "/*#min": "4.0", "/*#sum": "4.0"},
		}},
		{"exact numbers", `{"a": 0.0001, "b": 1e3, "c": 0.00001, "d": 1e400, "e": 12345678901234567890, "f": 922337203685477.5807, "g": 9223372036854775807, "h": -0.5}`, policy.Args{
			Names: []string{"a", "b", "c", "d", "e", "f", "g", "h"}, Int: map[string]int64{"/b": 1000},
			Number: map[string]string{"/a": "0.0001", "/b": "1000.0", "/f": "922337203685477.5807", "/h": "-0.5"}, Unfit: []string{"/c", "/d", "/e", "/g"},
		}},
		{"what does not fit", `{"a": null, "b": [true, false], "c": [true, true]}`, policy.Args{
			Names: []string{"a", "b", "c"}, Int: map[string]int64{"/b#count": 2, "/c#count": 2}, Flag: map[string]bool{"/b/*": false, "/c/*": true}, Unfit: []string{"/a", "/b/*"},
		}},
		{"a surrogate pair", `{"a": "\ud83d\ude00"}`, policy.Args{Names: []string{"a"}, Text: map[string][]string{"/a": {"😀"}}}},
	} {
		c.want.Readable, c.want.Bytes = true, int64(len(c.in))
		if diff := cmp.Diff(c.want, ArgsOf([]byte(c.in)), cmpopts.EquateEmpty(), cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, in := range []string{
		`{"a": 1, "a": 2}`, `{"a": 1, "\u0061": 2}`, `{"a": 1} x`, `{"a": 01}`, `{"a": .5}`, `{"a": 1,}`, `[1,]`, `{'a': 1}`, `{"a": "` + "\xff" + `"}`,
		`{"a": "\ud800"}`, `{"a": "` + "\n" + `"}`, `{"a": "\x41"}`, `nul`, `+1`, `1e`, `{"a" 1}`, strings.Repeat("[", 65) + strings.Repeat("]", 65),
		"\ufeff{}", `{"a": NaN}`, `[` + strings.Repeat("1,", maxPaths) + `1]`,
	} {
		if got := ArgsOf([]byte(in)); got.Readable || got.Text != nil || got.Bytes != int64(len(in)) {
			t.Errorf("%.40q was read as %+v", in, got)
		}
	}
}

// What is read is JSON, and what encoding/json reads is read, but for what two
// readers may read differently.
func FuzzArgsOf(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.5, {"b": "c"}], "d": null}`, `[]`, `"x"`, `-0.0e-2`, `{"a":{"b":[[true]]}}`, `{"\u0061":"\ud83d\ude00"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a := ArgsOf(in)
		if a.Readable && len(in) > 0 && !json.Valid(in) {
			t.Fatalf("%q is no JSON and was read as %+v", in, a)
		}
		for path, n := range a.Number {
			if strings.Count(n, ".") != 1 || strings.HasSuffix(n, ".") {
				t.Fatalf("%q: number %s is %q", in, path, n)
			}
		}
	})
}

// Whatever pieces bytes come in, the reader along says the same of them.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, piece uint8) {
		var whole, parts scanner
		want := whole.feed(slices.Clone(in))
		got := true
		for p := range slices.Chunk(in, int(piece)+1) {
			if got = parts.feed(slices.Clone(p)); !got {
				break
			}
		}
		if got != want {
			t.Fatalf("%q in pieces of %d: %v, whole: %v", in, piece+1, got, want)
		}
	})
}

func FuzzTraceparent(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what")
	f.Add("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := parseTraceparent([]string{s}); ok && (c.parent == noSpan || !strings.Contains(s, c.trace.String()) || !strings.Contains(s, c.parent.String())) {
			t.Fatalf("%q was read as %+v", s, c)
		}
	})
}

func TestTraceparent(t *testing.T) {
	t.Parallel()
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for s, want := range map[string]bool{
		good: true, good + "-more": false, "01" + good[2:] + "-more": true, "ff" + good[2:]: false, strings.ToUpper(good): false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false, "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false, good[:54]: false, "": false,
	} {
		if _, ok := parseTraceparent([]string{s}); ok != want {
			t.Errorf("%q: %v, want %v", s, ok, want)
		}
	}
	if _, ok := parseTraceparent([]string{good, good}); ok {
		t.Error("two headers are read as one trace")
	}
}
