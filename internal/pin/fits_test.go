package pin

import (
	"encoding/json"
	"testing"
)

func TestBreaks(t *testing.T) {
	t.Parallel()
	order := `{"type": "object", "required": ["order"], "additionalProperties": false, "properties": {
		"order": {"type": "string", "minLength": 2, "maxLength": 4}, "amount": {"type": "number", "minimum": 0, "maximum": 500}, "count": {"type": "integer"},
		"why": {"enum": ["late", "broken"]}, "to": {"$ref": "#/$defs/place"}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
		"key": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "v": {"const": 1}, "pair": {"prefixItems": [{"type": "string"}, {"type": "number"}]},
		"a/b": {"type": ["boolean", "null"]}, "both": {"allOf": [{"type": "string"}, {"minLength": 3}]}
	}, "$defs": {"place": {"type": "object", "required": ["city"]}}}`
	for _, c := range []struct{ schema, arguments, want string }{
		{order, `{"order": "1234", "amount": 20.5, "count": 3, "why": "late", "to": {"city": "Bonn"}, "tags": ["x"], "key": null, "v": 1, "pair": ["a", 1], "a/b": true, "both": "abc"}`, ""},
		{order, `{"amount": 20}`, "/order is missing"},
		{order, `{"order": 1234}`, "/order is no string"},
		{order, `{"order": "1"}`, "/order is too short"},
		{order, `{"order": "12345"}`, "/order is too long"},
		{order, `{"order": "1234", "amount": -1}`, "/amount is too small"},
		{order, `{"order": "1234", "amount": 501}`, "/amount is too large"},
		{order, `{"order": "1234", "count": 1.5}`, "/count is no integer"},
		{order, `{"order": "1234", "why": "because"}`, "/why is none of those that there are"},
		{order, `{"order": "1234", "to": {}}`, "/to/city is missing"},
		{order, `{"order": "1234", "tags": ["a", 2]}`, "/tags/* is no string"},
		{order, `{"order": "1234", "tags": ["a", "b", "c"]}`, "/tags has too many elements"},
		{order, `{"order": "1234", "key": 7}`, "/key fits none of the forms that it may have"},
		{order, `{"order": "1234", "v": 2}`, "/v is not what it must be"},
		{order, `{"order": "1234", "pair": ["a", "b"]}`, "/pair/* is no number"},
		{order, `{"order": "1234", "a/b": "x"}`, "/a~1b is no boolean or null"},
		{order, `{"order": "1234", "both": "ab"}`, "/both is too short"},
		{order, `{"order": "1234", "secret-name": 1}`, " has an argument that there is not"},
		{order, `["1234"]`, "the whole is no object"},
		{order, `{"order": `, ""},
		{order, `find me 1234`, ""},
		{order, ``, ""},
		{order, `{"order": "12"} {"order": 1}`, ""},
		{`{"properties": {"x": false}}`, `{"x": 1}`, "/x is not allowed"},
		{`{"additionalProperties": {"type": "string"}}`, `{"x": 1}`, "/x is no string"},
		{`{"additionalProperties": false, "patternProperties": {"^x": {}}}`, `{"x": 1}`, ""},
		{`{"$ref": "#"}`, `{"x": 1}`, ""}, // in circles
		{`{"type": "unheard-of"}`, `{"x": 1}`, ""},
		{`no schema`, `{"x": 1}`, ""},
		{``, `{"x": 1}`, ""},
	} {
		if got := shapeOf(json.RawMessage(c.schema)).broken([]byte(c.arguments)); got != c.want {
			t.Errorf("%s: %q, want %q", c.arguments, got, c.want)
		}
	}
}

func FuzzBreaks(f *testing.F) {
	f.Add(`{"type": "object", "properties": {"a": {"$ref": "#"}}}`, `{"a": {"a": {"a": 1}}}`)
	f.Add(`{"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}], "required": [1, "x"], "type": [3]}`, `{"x": [[]]}`)
	f.Fuzz(func(t *testing.T, schema, arguments string) {
		s := shapeOf(json.RawMessage(schema))
		if a, b := s.broken([]byte(arguments)), s.broken([]byte(arguments)); a != b {
			t.Errorf("%q then %q", a, b)
		}
	})
}
