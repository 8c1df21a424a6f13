package content

import (
	"slices"
)

// marker stands where something was redacted.
func marker(class string) string { return "[redacted:" + class + "]" }

// span is what is redacted of a raw text.
type span struct {
	start, end int
	class      string
}

// merge joins matches that touch; the first names the class.
func merge(list []match, raw func(int) int) []span {
	slices.SortFunc(list, byPlace)
	var out []span
	for _, m := range list {
		s := span{raw(m.start), raw(m.end), m.class}
		if n := len(out); n > 0 && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}

// writer copies raw text and redacts spans in it so that JSON stays JSON: what
// lies inside a string becomes a marker, the quotes stay, and a number keeps its
// form. In a text that is not JSON everything becomes a marker.
type writer struct {
	json   bool
	inside bool // of a string
	escape bool // the last byte was a backslash inside a string
}

// copy appends raw and follows it.
func (w *writer) copy(dst, raw []byte) []byte {
	w.follow(raw)
	return append(dst, raw...)
}

// follow notes where the strings of raw begin and end.
func (w *writer) follow(raw []byte) {
	if w.json {
		for _, c := range raw {
			w.step(c)
		}
	}
}

// step follows one byte; structural tells a quote that begins or ends a string.
func (w *writer) step(c byte) (structural bool) {
	switch {
	case w.escape:
		w.escape = false
	case w.inside && c == '\\':
		w.escape = true
	case c == '"':
		w.inside = !w.inside
		return true
	case c == '\n': // cannot stand in a string: a new event or line begins
		w.inside = false
	}
	return false
}

// redact appends what stands for raw; mark says whether a marker is written, or
// this goes on with what one stands for already.
func (w *writer) redact(dst, raw []byte, class string, mark bool) []byte {
	if !w.json {
		if mark {
			dst = append(dst, marker(class)...)
		}
		return dst
	}
	for _, c := range raw {
		was := w.inside
		switch structural := w.step(c); {
		case structural:
			dst = append(dst, c)
			mark = true // the next string has a marker of its own
		case was && mark:
			dst = append(dst, marker(class)...)
			mark = false
		case was: // stands for by the marker
		case digit(c):
			dst = append(dst, '9')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// looksJSON reports whether a text begins as JSON, or as events that carry it.
func looksJSON(text []byte) bool {
	yes, _ := beginsJSON(text)
	return yes
}

// beginsJSON is looksJSON for the beginning of a text; sure is false when more
// of it could say otherwise.
func beginsJSON(text []byte) (yes, sure bool) {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	rest := text[i:]
	if len(rest) == 0 {
		return false, false
	}
	if rest[0] == '{' || rest[0] == '[' || rest[0] == '"' {
		return true, true
	}
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if n := min(len(rest), len(field)); string(rest[:n]) == field[:n] {
			return n == len(field), n == len(field)
		}
	}
	return false, true
}
