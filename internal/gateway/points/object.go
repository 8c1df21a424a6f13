package points

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"reeve/internal/fault"
)

// object is a JSON object by its exact names: encoding/json takes "ID" for
// "id", and the last of two names, where another reader takes the first.
type object map[string]json.RawMessage

var errNotJSON = fault.New(fault.KindInvalid, "decision.json", "the body is no JSON object that can be read in one way only")

// readObject reads one object whose names all differ, at every level.
func readObject(data []byte) (object, error) {
	if !utf8.Valid(data) {
		return nil, errNotJSON.WithHint("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := distinct(dec, 0); err != nil {
		return nil, errNotJSON.WithHint("%s", err)
	}
	if dec.More() {
		return nil, errNotJSON.WithHint("something follows it")
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return nil, errNotJSON
	}
	return o, nil
}

const maxDepth = 64

// distinct reads one value and refuses a name that stands twice in an object.
func distinct(dec *json.Decoder, depth int) error {
	t, err := dec.Token()
	if err != nil {
		return fmt.Errorf("it is no JSON at byte %d", dec.InputOffset())
	}
	if depth > maxDepth {
		return fmt.Errorf("it is deeper than %d", maxDepth)
	}
	switch t {
	case json.Delim('{'):
		names := map[string]bool{}
		for dec.More() {
			n, err := dec.Token()
			if err != nil {
				return fmt.Errorf("it is no JSON at byte %d", dec.InputOffset())
			}
			name, _ := n.(string)
			if names[name] {
				return fmt.Errorf("the name %.60q stands twice in an object", name)
			}
			names[name] = true
			if err := distinct(dec, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for dec.More() {
			if err := distinct(dec, depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	if _, err := dec.Token(); err != nil { // the end of it
		return fmt.Errorf("it is no JSON at byte %d", dec.InputOffset())
	}
	return nil
}

// into reads a field into v where it is there; absent and null leave v as it is.
func (o object) into(name string, v any) error {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return invalid("%.60s has the wrong type", name)
	}
	return nil
}

// text reads a string; "" for absent.
func (o object) text(name string) (s string, err error) {
	err = o.into(name, &s)
	return s, err
}

// child reads an object; nil for absent.
func (o object) child(name string) (object, error) {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	var c object
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, invalid("%.60s is no object", name)
	}
	return c, nil
}

// only refuses names that the shape does not have.
func (o object) only(names ...string) error {
	known := map[string]bool{}
	for _, n := range names {
		known[n] = true
	}
	for n := range o {
		if !known[n] {
			return invalid("there is no field %.60q", n).WithHint("the fields are %v", names)
		}
	}
	return nil
}
