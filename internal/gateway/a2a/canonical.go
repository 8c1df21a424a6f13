package a2a

import (
	"encoding/json"
	"slices"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	a2apb "github.com/a2aproject/a2a-go/v2/a2apb/v1"

	"reeve/internal/jcs"
)

// canonicalJSON encodes what decode read as RFC 8785 says.
func canonicalJSON(v any) ([]byte, error) {
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	return jcs.Form{Depth: maxDepth}.Append(nil, text)
}

// readCard reads a card of 1.0; what is not in the specification is dropped, as
// by every reader of its protocol buffers, so that all of them find the same
// card under a signature.
func readCard(text []byte) (*a2apb.AgentCard, error) {
	card := &a2apb.AgentCard{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}).Unmarshal(text, card); err != nil {
		return nil, err
	}
	return card, nil
}

// cardJSON is a card as the specification's canonical form has its fields
// (§8.4.1): without defaults, but with what is required or was set.
func cardJSON(card *a2apb.AgentCard) (object, error) {
	text, err := protojson.Marshal(card)
	if err != nil {
		return nil, err
	}
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	o := v.(object) // a message is an object
	required(card.ProtoReflect(), o)
	return o, nil
}

// required adds the required fields that have their default.
func required(m protoreflect.Message, o object) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		v, ok := o[f.JSONName()]
		if !ok {
			if needed(f) {
				o[f.JSONName()] = defaultOf(f)
			}
			continue
		}
		if f.Message() == nil || f.Message().FullName() == "google.protobuf.Struct" {
			continue
		}
		switch v := v.(type) {
		case object:
			if !f.IsMap() {
				required(m.Get(f).Message(), v)
			} else if f.MapValue().Message() != nil {
				m.Get(f).Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
					if o, ok := v[k.String()].(object); ok {
						required(e.Message(), o)
					}
					return true
				})
			}
		case []any:
			l := m.Get(f).List()
			for i := range min(l.Len(), len(v)) {
				if o, ok := v[i].(object); ok {
					required(l.Get(i).Message(), o)
				}
			}
		}
	}
}

func needed(f protoreflect.FieldDescriptor) bool {
	if f.ContainingOneof() != nil {
		return false
	}
	list, _ := proto.GetExtension(f.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(list, annotations.FieldBehavior_REQUIRED)
}

func defaultOf(f protoreflect.FieldDescriptor) any {
	switch {
	case f.IsList():
		return []any{}
	case f.IsMap(), f.Message() != nil:
		return object{}
	case f.Kind() == protoreflect.BoolKind:
		return false
	case f.Kind() == protoreflect.StringKind, f.Kind() == protoreflect.BytesKind:
		return ""
	}
	return json.Number("0")
}

// canonicalCard is what a signature of a card is over.
func canonicalCard(card *a2apb.AgentCard) ([]byte, error) {
	o, err := cardJSON(card)
	if err != nil {
		return nil, err
	}
	delete(o, "signatures")
	return canonicalJSON(o)
}
