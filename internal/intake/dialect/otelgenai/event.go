package otelgenai

import (
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// roles are the events of which each is one message, with the role they imply.
var roles = map[string]string{
	"gen_ai.system.message":    "system",
	"gen_ai.user.message":      "user",
	"gen_ai.assistant.message": "assistant",
	"gen_ai.tool.message":      "tool",
	"gen_ai.choice":            "assistant",
}

// event reads the second generation: one message an event or log record. The
// facts stand in the body (a map), in the attribute gen_ai.event.content (JSON
// of the body), or one by one among the attributes.
func event(s *dialect.Span, name string, body dialect.Value, attributes []byte) bool {
	role, ok := roles[name]
	if !ok {
		return false
	}
	field := dialect.ContentInput
	if name == "gen_ai.choice" {
		field = dialect.ContentOutput
	}
	if body.Empty() {
		eachAttribute(attributes, func(key string, v dialect.Value) {
			if key == "gen_ai.event.content" {
				body = v
			}
		})
	}
	arena := s.Arena()
	n := len(arena)
	arena = append(arena, `[{"role":"`...)
	arena = append(arena, role...)
	arena = append(arena, '"')
	switch {
	case body.Type == dialect.Pairs:
		body.EachPair(func(key string, v dialect.Value) bool {
			if key != "role" {
				arena = member(arena, key, v)
			}
			return true
		})
	case body.Type == dialect.String && object(body.Text()):
		// JSON of a whole message: its own words after ours, which win.
		if inner := strings.TrimSpace(body.Text()); len(strings.TrimSpace(inner[1:len(inner)-1])) > 0 {
			arena = append(arena, ',')
			arena = append(arena, inner[1:len(inner)-1]...)
		}
	case !body.Empty():
		arena = member(arena, "content", body)
	default:
		eachAttribute(attributes, func(key string, v dialect.Value) {
			switch key {
			case "event.name", "gen_ai.system", "gen_ai.provider.name", "role":
			default:
				arena = member(arena, key, v)
			}
		})
	}
	arena = append(arena, '}', ']')
	s.AddEvent(field, genai.Events, name, s.Keep(arena, n))
	return true
}

func member(dst []byte, key string, v dialect.Value) []byte {
	dst = append(dst, ',')
	dst = activity.AppendJSONString(dst, []byte(key))
	dst = append(dst, ':')
	return v.AppendJSON(dst)
}

func object(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) >= 2 && s[0] == '{' && s[len(s)-1] == '}'
}

func eachAttribute(raw []byte, each func(key string, v dialect.Value)) {
	for r := (dialect.Reader{B: raw}); r.More(); {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			r.Skip(wire)
			continue
		}
		if key, v := dialect.KeyValue(r.Bytes()); !r.Bad {
			each(string(key), v)
		}
	}
}
