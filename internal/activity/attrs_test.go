package activity

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func rawAttributes(tb testing.TB, kvs ...*common.KeyValue) []byte {
	tb.Helper()
	var raw []byte
	for _, kv := range kvs {
		b, err := proto.Marshal(kv)
		if err != nil {
			tb.Fatal(err)
		}
		raw = protowire.AppendTag(raw, 1, protowire.BytesType)
		raw = protowire.AppendBytes(raw, b)
	}
	return raw
}

func keyed(k string, v *common.AnyValue) *common.KeyValue { return &common.KeyValue{Key: k, Value: v} }

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func array(v ...*common.AnyValue) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: v}}}
}

func number(n int64) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	raw := rawAttributes(t,
		keyed("s", text("a \"quoted\"\nline <b>")),
		keyed("i", number(-7)),
		keyed("big", number(math.MaxInt64)),
		keyed("f", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: 1.5}}),
		keyed("nan", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: math.NaN()}}),
		keyed("b", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}),
		keyed("y", &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{1, 2}}}),
		keyed("l", array(text("x"), number(1))),
		keyed("m", &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{
			Values: []*common.KeyValue{keyed("k", text("v"))},
		}}}),
		keyed("empty", &common.AnyValue{}),
		keyed("none", nil),
	)
	want := `{"s":"a \"quoted\"\nline <b>","i":-7,"big":"9223372036854775807","f":1.5,"nan":"NaN","b":true,"y":"AQI=","l":["x",1],"m":{"k":"v"},"empty":null,"none":null}`
	if got := string(AttributesJSON(nil, raw)); got != want {
		t.Errorf("AttributesJSON:\n got %s\nwant %s", got, want)
	}
	got := Attributes(raw)
	delete(got, "nan") // NaN is not equal to itself
	wantMap := map[string]any{
		"s": "a \"quoted\"\nline <b>", "i": int64(-7), "big": int64(math.MaxInt64), "f": 1.5, "b": true, "y": []byte{1, 2},
		"l": []any{"x", int64(1)}, "m": map[string]any{"k": "v"}, "empty": nil, "none": nil,
	}
	if d := cmp.Diff(wantMap, got); d != "" {
		t.Errorf("Attributes (-want +got):\n%s", d)
	}
	if v, ok := Attribute(raw, "i"); !ok || v != int64(-7) {
		t.Errorf("Attribute(i) = %v, %v; want -7, true", v, ok)
	}
	if v, ok := Attribute(raw, "missing"); ok {
		t.Errorf("Attribute(missing) = %v, true; want none", v)
	}
}

func TestAttributesDepth(t *testing.T) {
	t.Parallel()
	v := text("deep")
	for range 10000 {
		v = array(v)
	}
	raw := rawAttributes(t, keyed("a", v), keyed("b", text("after")))
	if !json.Valid(AttributesJSON(nil, raw)) {
		t.Error("AttributesJSON of a 10,000-deep array is no JSON")
	}
	if got, _ := Attribute(raw, "b"); got != "after" {
		t.Errorf("the attribute after a 10,000-deep one is %v, want after", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	ev, err := proto.Marshal(&trace.Span_Event{TimeUnixNano: 42, Name: "exception", Attributes: []*common.KeyValue{keyed("exception.type", text("Timeout"))}})
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for range 3 {
		raw = protowire.AppendTag(raw, 1, protowire.BytesType)
		raw = protowire.AppendBytes(raw, ev)
	}
	got := Events(raw, 2)
	if len(got) != 2 || got[0].Time != 42 || got[0].Name != "exception" {
		t.Fatalf("Events = %+v, want two exceptions at 42", got)
	}
	if d := cmp.Diff(map[string]any{"exception.type": "Timeout"}, Attributes(got[0].Attributes)); d != "" {
		t.Errorf("attributes of an event (-want +got):\n%s", d)
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add(rawAttributes(f, keyed("s", text("x")), keyed("l", array(text("y"), number(1<<60)))))
	f.Add([]byte{0x0a, 0xff})
	f.Add(bytes.Repeat([]byte{0x0a, 0x02, 0x12, 0x00}, 4))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := AttributesJSON(nil, raw)
		if !json.Valid(out) {
			t.Fatalf("AttributesJSON(%x) is no JSON: %s", raw, out)
		}
		for k, v := range Attributes(raw) {
			_ = AttributeText(v)
			if _, ok := Attribute(raw, k); !ok && !strings.ContainsRune(k, utf8.RuneError) {
				t.Fatalf("Attributes has %q, Attribute does not", k)
			}
		}
		_ = Events(raw, 10)
	})
}

func BenchmarkAttributesJSON(b *testing.B) {
	var kvs []*common.KeyValue
	for _, k := range []string{"gen_ai.system", "gen_ai.request.model", "http.route", "server.address", "gen_ai.operation.name"} {
		kvs = append(kvs, keyed(k, text("some-value-of-usual-length")), keyed(k+".n", number(1234)))
	}
	raw := rawAttributes(b, kvs...)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AttributesJSON(buf[:0], raw)
	}
}
