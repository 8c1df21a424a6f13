package relay

import (
	"bytes"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The queue's messages are ours; a damaged disk is not.
func FuzzParse(f *testing.F) {
	a := Arrival{Signal: Logs, Team: "core", Environment: "production", Body: []byte("body"), Records: []Record{{Agent: "a"}, {Unreadable: true}, {Agent: "a"}, {Agent: "b", Dialect: "x", Environment: "e"}}}
	f.Add(a.append(nil))
	f.Add([]byte{form, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := parse(raw)
		if err != nil {
			return
		}
		again, err := parse(a.append(nil))
		if err != nil || !bytes.Equal(again.Body, a.Body) || len(again.Records) != len(a.Records) {
			t.Fatalf("%+v became %+v: %v", a, again, err)
		}
		for i := range a.Records {
			if a.Records[i] != again.Records[i] {
				t.Fatalf("record %d: %+v became %+v", i, a.Records[i], again.Records[i])
			}
		}
	})
}

// Whatever a sender sent: rewriting gives something that the collector reads
// when it read what came, with as many records as were kept, and keeping all
// changes nothing.
func FuzzRewrite(f *testing.F) {
	var t testing.T
	f.Add(spans(&t, "one", "two", "three").Body, uint8(1))
	f.Add([]byte{1<<3 | 2, 200}, uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, mask uint8) {
		n := count(body, Traces)
		all := rewriter{}
		if out := all.request(body, Traces); out != nil && !bytes.Equal(out, body) {
			t.Fatalf("keeping all changed %q to %q", body, out)
		}
		i, kept := 0, 0
		w := rewriter{
			secret: func(k []byte) bool { return len(k) == 3 },
			text:   func(s string) string { return strings.ReplaceAll(s, "e", "...") },
			keep: func() bool {
				i++
				if mask>>(i%8)&1 == 1 {
					kept++
					return true
				}
				return false
			},
		}
		out := w.request(body, Traces)
		if out == nil {
			return
		}
		if i != n || kept == 0 {
			t.Fatalf("%d records of %d were asked for, %d kept", i, n, kept)
		}
		before, after := ptraceotlp.NewExportRequest(), ptraceotlp.NewExportRequest()
		if before.UnmarshalProto(body) != nil {
			return
		}
		if err := after.UnmarshalProto(out); err != nil {
			t.Fatalf("the collector read %q and not %q: %v", body, out, err)
		}
		if got := after.Traces().SpanCount(); got != kept {
			t.Fatalf("%d spans left, want %d", got, kept)
		}
	})
}
