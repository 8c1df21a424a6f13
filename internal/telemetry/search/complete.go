package search

import (
	"sort"
	"strings"
)

// Suggestion is a way to go on with a search: Text replaces what stands
// between the byte offsets From and To.
type Suggestion struct {
	Text     string
	Kind     string // "field", "value", "function" or "word"
	Help     string
	From, To int
}

// maxSuggestions is what a person can look through under a search box.
const maxSuggestions = 20

// Complete proposes how to go on at the cursor (a byte offset). known gives
// the values that a field has in the data, nil when there are none to offer;
// it is asked only for fields whose values are not in the table.
func Complete(text string, cursor int, known func(scope Scope, field string) []string) []Suggestion {
	cursor = min(max(cursor, 0), len(text), MaxLength)
	start, scope := tokenAt(text[:cursor])
	token := strings.TrimPrefix(text[start:cursor], "-")
	start = cursor - len(token)

	if field, op, rest, ok := splitCompare(token); ok {
		f, found := Lookup(scope, field)
		if !found || !f.takes(op) {
			return nil
		}
		if i := strings.LastIndexByte(rest, ','); i >= 0 {
			rest = rest[i+1:]
		}
		return completeValue(f, rest, cursor, known)
	}
	return completeName(token, start, cursor, scope)
}

// tokenAt finds where the word at the end of the text begins and whether it
// stands inside a function over steps. It looks at quotes and parentheses only,
// since a search that is being typed seldom parses.
func tokenAt(text string) (start int, scope Scope) {
	var open []bool // for each open parenthesis: whether a function over steps opened it
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '(':
			word := strings.ToLower(strings.TrimPrefix(text[start:i], "-"))
			open = append(open, word == "any" || word == "all" || word == "child" || word == "parent")
			start = i + 1
		case c == ')':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			start = i + 1
		case isSpace(c):
			start = i + 1
		}
	}
	for _, steps := range open {
		if steps {
			scope = ScopeStep
		}
	}
	return start, scope
}

func splitCompare(token string) (field, op, rest string, ok bool) {
	i := 0
	for i < len(token) && isName(token[i]) {
		i++
	}
	if i == 0 {
		return "", "", "", false
	}
	p := &parser{text: token, pos: i}
	if op = p.operator(); op == "" {
		return "", "", "", false
	}
	return token[:i], op, token[p.pos:], true
}

func completeValue(f Field, typed string, cursor int, known func(Scope, string) []string) []Suggestion {
	from := cursor - len(typed)
	typed = strings.ToLower(strings.TrimPrefix(typed, `"`))
	values := f.Values
	switch {
	case f.Type == TypeBool:
		values = []string{"true", "false"}
	case f.Type == TypeTime:
		values = []string{"-1h", "-24h", "-7d"}
	case len(values) == 0 && known != nil:
		values = known(f.Scope, f.Name)
	}
	values = append(append([]string(nil), values...), valueUnknown)
	var out []Suggestion
	for _, v := range values {
		if !strings.HasPrefix(strings.ToLower(v), typed) || len(out) == maxSuggestions {
			continue
		}
		text := v
		if v != valueUnknown {
			text = quoteValue(escapeValue(v))
		}
		out = append(out, Suggestion{Text: text, Kind: "value", From: from, To: cursor})
	}
	return out
}

func completeName(typed string, from, cursor int, scope Scope) []Suggestion {
	typed = strings.ToLower(typed)
	var out []Suggestion
	add := func(text, kind, help string) {
		if strings.HasPrefix(text, typed) {
			out = append(out, Suggestion{Text: text, Kind: kind, Help: help, From: from, To: cursor})
		}
	}
	for _, f := range Fields(scope) {
		op := ":"
		switch f.Type {
		case TypeNumber, TypeDuration, TypeMoney, TypeTime:
			op = ">"
		case TypeDynamic:
			op = ""
		}
		add(f.Name+op, "field", f.Help)
		if !strings.HasPrefix(f.Name, typed) && typed != "" {
			for _, a := range f.Aliases {
				if strings.HasPrefix(a, typed) {
					out = append(out, Suggestion{Text: f.Name + op, Kind: "field", Help: f.Help, From: from, To: cursor})
					break
				}
			}
		}
	}
	if scope == ScopeRun {
		add("any(", "function", "at least one step fulfils this")
		add("all(", "function", "every step fulfils this")
	} else {
		add("child(", "function", "a direct child of the step fulfils this")
		add("parent(", "function", "the direct parent of the step fulfils this")
	}
	if typed != "" {
		add("or", "word", "one or the other")
		add("not", "word", "the opposite of what follows")
	}
	sort.SliceStable(out, func(i, j int) bool { return len(typed) > 0 && len(out[i].Text) < len(out[j].Text) })
	if typed != "" {
		out = out[:min(len(out), maxSuggestions)]
	}
	return out
}
