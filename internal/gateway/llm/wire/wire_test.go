package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestValid(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for in, want := range map[string]error{
		`{}`: nil, `[]`: nil, ` "a" `: nil, `-0.5e+10`: nil, `true`: nil, `null`: nil, `0`: nil,
		`{"a":[1,2,{"b":"\u00e9\\\"\/"}],"c":{}}`: nil,
		`{"a":1,"a":2}`: nil, // skipped objects are not read
		deep(200):       nil,
		deep(201):       ErrDepth,
		``:              ErrSyntax, `{`: ErrSyntax, `[1,]`: ErrSyntax, `{"a":1,}`: ErrSyntax, `[1 2]`: ErrSyntax, `{"a" 1}`: ErrSyntax, `{a:1}`: ErrSyntax,
		`01`: ErrSyntax, `+1`: ErrSyntax, `.5`: ErrSyntax, `1.`: ErrSyntax, `1e`: ErrSyntax, `-`: ErrSyntax, `tru`: ErrSyntax, `nul`: ErrSyntax,
		`"a`: ErrSyntax, `"\x"`: ErrSyntax, `"\u12g4"`: ErrSyntax, `"\u123`: ErrSyntax, "\"a\nb\"": ErrSyntax, "\"12345678901234\x01\"": ErrSyntax,
		`{} {}`: ErrSyntax, `[}`: ErrSyntax, `NaN`: ErrSyntax, "\xef\xbb\xbf{}": ErrSyntax,
		"\"\xff\"": ErrUTF8, `[1]]`: ErrSyntax,
	} {
		if err := Valid([]byte(in)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("Valid(%.60q) = %v, want %v", in, err, want)
		}
	}
}

// read walks every object and array the way readers do.
func read(c *Cursor) any {
	switch c.Kind() {
	case '{':
		m := map[string]any{}
		for o := c.Object(); o.Next(); {
			m[string(o.Key)] = read(c)
		}
		return m
	case '[':
		l := []any{}
		for a := c.Array(); a.Next(); {
			l = append(l, read(c))
		}
		return l
	case '"':
		return c.Text()
	case '0':
		var f float64
		_ = json.Unmarshal(c.Raw(), &f)
		return f
	case 't', 'f':
		return c.True()
	}
	c.Skip()
	return nil
}

func TestTwice(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":1`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for in, want := range map[string]error{
		`{"model":1,"tools":2}`:                         nil,
		`{"model":1,"model":2}`:                         ErrTwice,
		`{"model":1,"mod\u0065l":2}`:                    ErrTwice,
		`{"model":1,"Model":2}`:                         ErrTwice,
		`{"messages":1,"me\u017fſages"`:                 ErrSyntax,
		`{"messages":1,"meſsages":2}`:                   ErrTwice, // long s folds to s
		`{"a":{"b":1,"c":{"b":1}}}`:                     nil,
		`{"":1,"":2}`:                                   ErrTwice,
		many(256):                                       nil,
		many(257):                                       ErrLarge,
		strings.Replace(many(100), `"k99"`, `"k13"`, 1): ErrTwice,
	} {
		c := NewCursor([]byte(in))
		read(&c)
		if err := c.End(); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("reading %.60q gives %v, want %v", in, err, want)
		}
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		n  int64
		ok bool
	}{
		`12`: {12, true}, `-3`: {-3, true}, `1e3`: {1000, true}, `4096.0`: {4096, true}, `1e300`: {1<<63 - 1, true}, `1e999`: {1<<63 - 1, true},
		`-1e300`: {-1 << 63, true}, `99999999999999999999`: {1<<63 - 1, true}, `0.5`: {}, `"12"`: {}, `null`: {}, `{}`: {},
	} {
		c := NewCursor([]byte(in))
		if n, ok := c.Int(); n != want.n || ok != want.ok || c.End() != nil {
			t.Errorf("Int(%s) = %d %v (%v), want %v", in, n, ok, c.Err(), want)
		}
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, cut, want string }{
		{`{"a":1,"b":2,"c":3}`, `"a":1`, `{"b":2,"c":3}`},
		{`{"a":1 , "b":2,"c":3}`, `"b":2`, `{"a":1 , "c":3}`},
		{`{"a":1 , "b":2 }`, `"b":2`, `{"a":1  }`},
		{`{ "a":1 }`, `"a":1`, `{  }`},
		{`[1]`, `1`, `[]`},
	} {
		at := strings.Index(test.in, test.cut)
		got := Apply(nil, []byte(test.in), []Edit{Cut([]byte(test.in), at, at+len(test.cut))})
		if string(got) != test.want {
			t.Errorf("cutting %s of %s gives %s, want %s", test.cut, test.in, got, test.want)
		}
	}
	if got := string(Apply(nil, []byte("abcdef"), []Edit{{From: 1, To: 2, With: []byte("XY")}, {From: 4, To: 4, With: []byte("-")}})); got != "aXYcd-ef" {
		t.Errorf("Apply gives %q", got)
	}
}

// splitter is what the three splitters have in common.
type splitter interface {
	Push(piece []byte, each func(*Event) error) error
	End(each func(*Event) error) error
}

// events runs a stream through a splitter in pieces of n bytes.
func events(s splitter, stream []byte, n int) (out []string, err error) {
	each := func(e *Event) error {
		out = append(out, fmt.Sprintf("%s|%s|%q|odd=%v|%s", e.Name, e.Failure, e.Data, e.Odd, e.Raw))
		return nil
	}
	for at := 0; at < len(stream); at += n {
		// A copy, as network buffers are used again.
		if err := s.Push(bytes.Clone(stream[at:min(at+n, len(stream))]), each); err != nil {
			return out, err
		}
	}
	return out, s.End(each)
}

func sameInPieces(t *testing.T, fresh func() splitter, stream []byte) []string {
	t.Helper()
	want, wantErr := events(fresh(), stream, len(stream)+1)
	for n := 1; n <= len(stream) && n < 40; n++ {
		got, err := events(fresh(), stream, n)
		if d := cmp.Diff(want, got); d != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("pieces of %d: %v, whole: %v\n%s", n, err, wantErr, d)
		}
	}
	return want
}

func TestSSE(t *testing.T) {
	t.Parallel()
	stream := "\xef\xbb\xbfdata: {\"a\":1}\n\n: ping\n\nevent: x\r\ndata:{\r\ndata: }\r\ndata: 3\r\n\r\nid: 5\rdata\r\rretry: 1\nwhat: is this\n\n\n\ndata: last"
	got := sameInPieces(t, func() splitter { return &SSE{Limit: 1 << 20} }, []byte(stream))
	want := []string{
		"||\"{\\\"a\\\":1}\"|odd=false|\xef\xbb\xbfdata: {\"a\":1}\n\n",
		"||\"\"|odd=false|: ping\n\n",
		"x||\"{\\n}\\n3\"|odd=false|event: x\r\ndata:{\r\ndata: }\r\ndata: 3\r\n\r\n",
		"||\"\"|odd=false|id: 5\rdata\r\r",
		"||\"\"|odd=true|retry: 1\nwhat: is this\n\n",
		"||\"\"|odd=false|\n",
		"||\"\"|odd=false|\n",
		"||\"last\"|odd=false|data: last",
	}
	// Blank lines may also belong to the event before them.
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	s := &SSE{Limit: 100}
	if _, err := events(s, []byte("data: "+strings.Repeat("x", 200)), 50); !errors.Is(err, ErrLarge) {
		t.Errorf("an event over the limit gives %v", err)
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	head := func(pairs ...string) (h []byte) {
		for i := 0; i < len(pairs); i += 2 {
			h = AppendHeader(h, pairs[i], pairs[i+1])
		}
		return h
	}
	var stream []byte
	stream = AppendFrame(stream, head(":event-type", "contentBlockDelta", ":content-type", "application/json", ":message-type", "event"), []byte(`{"a":1}`))
	stream = AppendFrame(stream, append([]byte{1, 'n', 8, 0, 0, 0, 0, 0, 0, 0, 1}, head(":message-type", "exception", ":exception-type", "throttlingException")...), []byte(`{"message":"slow"}`))
	stream = AppendFrame(stream, nil, nil)
	got := sameInPieces(t, func() splitter { return &Frames{Limit: 1 << 20} }, stream)
	if len(got) != 3 || !strings.HasPrefix(got[0], `contentBlockDelta||"{\"a\":1}"|odd=false|`) || !strings.HasPrefix(got[1], `|throttlingException|"{\"message\":\"slow\"}"|odd=false`) ||
		!strings.HasPrefix(got[2], `||""|odd=true`) {
		t.Errorf("got %q", got)
	}
	for i := range stream[:60] {
		broken := bytes.Clone(stream)
		broken[i] ^= 1
		if out, err := events(&Frames{Limit: 1 << 20}, broken, 1000); err == nil {
			t.Errorf("a changed byte %d is not found: %q", i, out)
		}
	}
	if _, err := events(&Frames{Limit: 1 << 20}, stream[:len(stream)-1], 7); !errors.Is(err, ErrFrame) {
		t.Errorf("a cut stream gives %v", err)
	}
	if _, err := events(&Frames{Limit: 20}, stream, 7); !errors.Is(err, ErrLarge) {
		t.Errorf("a large frame gives %v", err)
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	got := sameInPieces(t, func() splitter { return &Elements{Limit: 1 << 20} }, []byte("[{\"a\":\"]}\\\"\"}\n,\r\n{\"b\":[{}]}\n]\n"))
	want := []string{
		`||"{\"a\":\"]}\\\"\"}"|odd=false|[{"a":"]}\""}`,
		"||\"{\\\"b\\\":[{}]}\"|odd=false|\n,\r\n{\"b\":[{}]}",
		"||\"\"|odd=false|\n]",
		"||\"\"|odd=false|\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{`{"a":1}`, `[1]`, `[{}`, `[{}] x`, `}`, `["a"]`, ``, `[[]]`} {
		if out, err := events(&Elements{Limit: 100}, []byte(bad), 2); err == nil {
			t.Errorf("%s gives %q", bad, out)
		}
	}
}

func fields(body []byte, n, keep int) map[string]string {
	out := map[string]string{}
	f := Fields{
		Want: func(key []byte) int {
			if string(key) == "skip" {
				return 0
			}
			return keep
		},
		Each: func(key, value []byte, cut bool) {
			out[string(key)] = fmt.Sprintf("%s cut=%v", bytes.TrimSpace(value), cut)
		},
	}
	for at := 0; at < len(body); at += n {
		f.Push(body[at:min(at+n, len(body))])
	}
	return out
}

func TestFields(t *testing.T) {
	t.Parallel()
	body := []byte(` {"id" : "a\"}b", "skip":{"usage":1}, "usage":{"n":[1,2,{"x":"}]"}]} ,"n":1,"long":"0123456789012345678901234567890123456789", "e\u0061":2,"z":null}`)
	want := map[string]string{
		"id": `"a\"}b" cut=false`, "usage": `{"n":[1,2,{"x":"}]"}]} cut=false`, "n": "1 cut=false", "long": `"01234567890123456789012345678 cut=true`, "z": "null cut=false",
	}
	for n := 1; n < len(body)+1; n++ {
		if d := cmp.Diff(want, fields(body, n, 30)); d != "" {
			t.Errorf("pieces of %d: %s", n, d)
		}
	}
	for _, other := range []string{`[1]`, `"x"`, ``, `12`} {
		if got := fields([]byte(other), 1, 30); len(got) > 0 {
			t.Errorf("%s gives %v", other, got)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{`{"model":"m","n":[1,2.5e3,true,null,"\u00e9"],"o":{"p":{}}}`, `[}`, `{"a":1,"A":2}`, `"`, `{"a":"12345678\n"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := Valid(b)
		if ok := json.Valid(b) && utf8.Valid(b); (err == nil) != ok && !errors.Is(err, ErrDepth) {
			t.Fatalf("Valid(%q) = %v, encoding/json says %v", b, err, ok)
		}
		c := NewCursor(b)
		got := read(&c)
		if c.End() != nil {
			return
		}
		var want any
		if e := json.Unmarshal(b, &want); e != nil {
			if strings.Contains(e.Error(), "out of range") {
				return
			}
			t.Fatalf("%q is read as %v, encoding/json: %v", b, got, e)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q:\n%s", b, d)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("data: {}\n\nevent: a\r\ndata: 1\r\n\r\n: c\r\r"), 3)
	f.Add([]byte("[{\"a\":1},\n{}]"), 1)
	f.Add(AppendFrame(nil, AppendHeader(nil, ":event-type", "chunk"), []byte("{}")), 5)
	f.Add([]byte(`{"usage":{"a":1},"id":"x"}`), 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 1 || len(b) > 1<<16 {
			return
		}
		for _, fresh := range []func() splitter{
			func() splitter { return &SSE{Limit: 1 << 20} }, func() splitter { return &Frames{Limit: 1 << 20} }, func() splitter { return &Elements{Limit: 1 << 20} },
		} {
			want, wantErr := events(fresh(), b, len(b)+1)
			got, err := events(fresh(), b, n)
			if d := cmp.Diff(want, got); d != "" || (err == nil) != (wantErr == nil) {
				t.Fatalf("%T of %q in pieces of %d: %v against %v\n%s", fresh(), b, n, err, wantErr, d)
			}
			if _, frames := fresh().(*Frames); wantErr == nil && !frames {
				all := ""
				for _, e := range want {
					parts := strings.SplitN(e, "|odd=", 2)
					_, raw, _ := strings.Cut(parts[1], "|")
					all += raw
				}
				if all != string(b) && !strings.Contains(string(b), "|odd=") {
					t.Fatalf("%T of %q gives %q", fresh(), b, all)
				}
			}
		}
		if d := cmp.Diff(fields(b, len(b)+1, 50), fields(b, n, 50)); d != "" {
			t.Fatalf("fields of %q in pieces of %d:\n%s", b, n, d)
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			return
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(b, &m) != nil || m == nil {
			return
		}
		for k, v := range fields(b, n, 1<<20) {
			raw, ok := m[k]
			var x, y any
			_ = json.Unmarshal(raw, &x)
			if json.Unmarshal([]byte(strings.TrimSuffix(v, " cut=false")), &y) != nil || !ok || (len(m) == strings.Count(string(b), `":`) && !cmp.Equal(x, y)) {
				t.Fatalf("field %q of %q is %s, want %s", k, b, v, raw)
			}
		}
	})
}

func BenchmarkValid(b *testing.B) {
	body := []byte(`{"messages":[` + strings.Repeat(`{"role":"user","content":"`+strings.Repeat("Words of a conversation, with a \\n now and then. ", 20)+`"},`, 1000) + `{}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Valid(body); err != nil {
			b.Fatal(err)
		}
	}
}
