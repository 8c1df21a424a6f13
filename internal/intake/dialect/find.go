package dialect

import (
	"bytes"
	"encoding/json"
)

// Find looks in JSON for the first member of that name whose value is not null,
// at most depth levels down; nil for none.
func Find(raw []byte, name string, depth int) json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if depth == 0 || len(raw) < 2 || !bytes.Contains(raw, []byte(`"`+name+`"`)) {
		return nil
	}
	switch raw[0] {
	case '{':
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return nil
		}
		if v, ok := o[name]; ok && string(v) != "null" {
			return v
		}
		for _, k := range Keys(o) {
			if v := Find(o[k], name, depth-1); v != nil {
				return v
			}
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil
		}
		for _, e := range list {
			if v := Find(e, name, depth-1); v != nil {
				return v
			}
		}
	}
	return nil
}
