package activity

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

func stepWith(raw []byte) *Step {
	s := &Step{}
	s.Attributes = raw
	return s
}

func attribute(key, value string) []byte {
	v := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), value)
	kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), key)
	kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), v)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), kv)
}

// slowSource is SourceOf by the general decoder of attributes.
func slowSource(s *Step) string {
	all := map[string]any{}
	for raw := s.Attributes; len(raw) > 0; {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			break
		}
		raw = raw[n:]
		if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
			break
		}
		field := raw[:n]
		raw = raw[n:]
		if num != 1 || typ != protowire.BytesType {
			continue
		}
		kv, _ := protowire.ConsumeBytes(field)
		if key, value, ok := keyValue(kv); ok {
			all[validString(key)] = anyValue(value, 0)
		}
	}
	for _, key := range sourceKeys {
		if v, ok := all[key].(string); ok && v != "" {
			return v
		}
	}
	return ""
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for _, key := range sourceKeys {
		s := stepWith(append(attribute("gen_ai.system", "openai"), attribute(key, "orders")...))
		if got := SourceOf(s); got != "orders" {
			t.Errorf("SourceOf(%s=orders) = %q", key, got)
		}
		s.Attributes = append(s.Attributes, attribute("reeve.source", "mine")...)
		if got := SourceOf(s); got != "mine" {
			t.Errorf("SourceOf(%s=orders, reeve.source=mine) = %q", key, got)
		}
	}
	for _, raw := range [][]byte{nil, attribute("gen_ai.system", "openai"), attribute("db.namespace", ""), attribute("db_namespace", "x"), {0x0a}, {0x0a, 0xff}} {
		if got := SourceOf(stepWith(raw)); got != "" {
			t.Errorf("SourceOf(%x) = %q, want none", raw, got)
		}
	}
}

// FuzzSourceOf compares the quick reader of attributes with the decoder of all.
func FuzzSourceOf(f *testing.F) {
	long := string(make([]byte, 200))
	f.Add(attribute("reeve.source", "orders"))
	f.Add(append(attribute("db.namespace", "a"), attribute("db.namespace", long)...))
	f.Add(append([]byte{0x0a, 0x02, 0x0a, 0x00}, attribute("mcp.resource.uri", "file:///x")...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := stepWith(raw)
		if got, want := SourceOf(s), slowSource(s); got != want {
			t.Errorf("SourceOf(%x) = %q, want %q", raw, got, want)
		}
	})
}
