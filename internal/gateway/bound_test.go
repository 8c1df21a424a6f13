package gateway_test

import (
	"strings"
	"testing"
	"time"

	"reeve/internal/approval"
	"reeve/internal/gateway"
)

// What goes upstream of the headers is part of what people agreed to; what
// clients vary between attempts is not.
func TestAnApprovalIsBoundToHeaders(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 20*time.Millisecond, nil)
	const body = `{"amount": 1}`
	first := []string{"X-Account", "mine", "User-Agent", "a/1", "X-Stainless-Retry-Count", "0", "Idempotency-Key", "k1", "Accept", "*/*"}
	if got := <-h.refund(body, first...); got.problem != "approval.pending" {
		t.Fatalf("%+v", got)
	}
	h.approve()
	for _, more := range [][]string{
		{"X-Account", "another"},
		nil,
		{"X-Account", "mine", "Content-Type", "text/plain"},
		{"X-Account", "mine", "If-Match", "*"},
	} {
		if got := <-h.refund(body, more...); got.problem != "approval.pending" || h.seen.Load() != 0 {
			t.Fatalf("with %q: %+v, %d calls", more, got, h.seen.Load())
		}
	}
	again := []string{"X-Account", "mine", "User-Agent", "b/2", "X-Stainless-Retry-Count", "1", "Idempotency-Key", "k2", "Accept", "application/json", "X-Http-Method-Override", "DELETE"}
	if got := <-h.refund(body, again...); got.status != 200 || h.seen.Load() != 1 {
		t.Fatalf("%+v, %d calls", got, h.seen.Load())
	}
}

// The same JSON written otherwise is the same question: it joins, what people saw
// is what goes, and a denial holds for it.
func TestTheSameJSONIsTheSameQuestion(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 20*time.Millisecond, nil)
	const body = `{"amount": 1.50, "note":"abc"}`
	if got := <-h.refund(body); got.problem != "approval.pending" {
		t.Fatalf("%+v", got)
	}
	h.approve()
	for _, other := range []string{
		`{"amount": 1.51, "note":"abc"}`, `{"amount": 1.50, "note":"abc","x":1}`, `{"amount": "1.50", "note":"abc"}`, `{"amount": 9, "amount": 1.50, "note":"abc"}`,
	} {
		if got := <-h.refund(other); got.problem != "approval.pending" || h.seen.Load() != 0 {
			t.Fatalf("%s: %+v, %d calls", other, got, h.seen.Load())
		}
	}
	if got := <-h.refund(`{ "note":"a\u0062c","amount":15e-1 }`); got.status != 200 || h.seen.Load() != 1 || *h.last.Load() != body {
		t.Fatalf("%+v, the upstream got %s", got, *h.last.Load())
	}

	if got := <-h.refund(`{"amount":7}`, "X-Reeve-Run", "r2"); got.problem != "approval.pending" {
		t.Fatalf("%+v", got)
	}
	list, err := h.book.List(t.Context(), approval.Filter{States: []approval.State{approval.Pending}})
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, a := range list {
		if r, err := h.book.Open(a); err == nil && string(r.Body) == `{"amount":7}` {
			id = a.ID
		}
	}
	if _, err := h.book.Deny(t.Context(), id, finance); err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{`{"amount":7}`, `{"amount": 7}`, "\n{\"amount\" : 7.0}", `{"\u0061mount":7}`} {
		if got := <-h.refund(same, "X-Reeve-Run", "r3"); got.problem != "approval.denied_before" {
			t.Errorf("%s: %+v", same, got)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	same := [][]string{
		{`{"b":1,"a":[1,2.50,-0,1e2]}`, " {\"a\" : [1.0, 2.5, 0, 100],\n\"b\":1}"},
		{`"a\u0062\u00e9\ud83d\ude00\/"`, `"abé😀/"`},
		{`[0.1,1e-7,1e21]`, `[1e-1,0.0000001,1000000000000000000000]`},
	}
	for _, pair := range same {
		a, err1 := gateway.Canonical([]byte(pair[0]), nil)
		b, err2 := gateway.Canonical([]byte(pair[1]), nil)
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s and %s: %s, %s, %v, %v", pair[0], pair[1], a, b, err1, err2)
		}
	}
	other := map[string]bool{}
	all := []string{
		`{}`, `[]`, `null`, `"null"`, `0`, `"0"`, `9007199254740993`, `9007199254740992`, `1e400`, `1e401`, `1e-400`, `0.1`, `0.10000000000000001`,
		`{"a":{"b":1}}`, `{"a":1,"b":1}`, `["a,b"]`, `["a","b"]`, `"\ufffd"`, `""`,
	}
	for _, s := range all {
		form, err := gateway.Canonical([]byte(s), nil)
		if err != nil || other[string(form)] {
			t.Errorf("%s: %s, %v", s, form, err)
		}
		other[string(form)] = true
	}
	for _, s := range []string{
		``, `{`, `[1 2]`, `{} {}`, `{"a":1,"a":1}`, `{"x":{"a":1,"\u0061":2}}`, `"\ud800"`, `"\udc00"`, `"\ud83dx\ude00"`, `"\ud83d\ud83d"`, `{"\udfff":1}`,
		"\"\xff\"", strings.Repeat("[", 300) + strings.Repeat("]", 300), `NaN`, `01`,
	} {
		if form, err := gateway.Canonical([]byte(s), nil); err == nil {
			t.Errorf("%q gave %s", s, form)
		}
	}
	if gateway.LoneSurrogate([]byte(`"\\ud800 \\\\ud800 \ud83d\ude00 \`)) {
		t.Error("a backslash and ud800 is no surrogate")
	}
	leave := func(depth int, in, name string) bool { return depth == 2 && in == "_meta" && name == "t" }
	got, err := gateway.Canonical([]byte(`{"t":1,"_meta":{"t":1,"u":{"_meta":{"t":2}}},"x":[{"_meta":{"t":3}}]}`), leave)
	if want := `{"_meta":{"u":{"_meta":{"t":2}}},"t":1,"x":[{"_meta":{"t":3}}]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":1.50,"a":[null,true,"\ud83d\ude00"]}`, `{"a":1,"a":2}`, `"\ud800"`, `[1e400,-0.0,123456789012345678]`, `"<\u2028>"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		gateway.LoneSurrogate(b)
		once, err := gateway.Canonical(b, nil)
		if err != nil {
			return
		}
		if twice, err := gateway.Canonical(once, nil); err != nil || string(once) != string(twice) {
			t.Errorf("%q gave %q, and that %q, %v", b, once, twice, err)
		}
	})
}
