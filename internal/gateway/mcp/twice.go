package mcp

import (
	"bytes"
	"encoding/json"
)

// twice reports whether an object of a JSON text has a name twice, or the text
// is no JSON. It is for what policy could not read, and may take its time.
func twice(b []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	type level struct {
		names map[string]bool // nil for an array
		value bool            // a value comes next, not a name
	}
	var open []level
	for {
		t, err := dec.Token()
		if err != nil {
			return len(open) > 0 || dec.InputOffset() == 0
		}
		top := len(open) - 1
		if text, ok := t.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			if open[top].names[text] {
				return true
			}
			open[top].names[text], open[top].value = true, true
			continue
		}
		switch t {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
			continue
		case json.Delim('['):
			open = append(open, level{})
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
			top--
		}
		if top >= 0 {
			open[top].value = false
		}
	}
}
