package pin

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"reeve/internal/jcs"
)

// Difference is what a definition says that another did not, for people: what
// would not be seen in a text is made visible.
type Difference struct {
	Texts []TextDifference
	Parts []PartDifference
}

// TextDifference is how the text at a path changed, word by word.
type TextDifference struct {
	Path  string
	Words []Piece
}

// Changes of a piece or part.
const (
	Same    = "same"
	Added   = "added"
	Removed = "removed"
	Altered = "changed"
)

// Piece is a stretch of a text that stayed, came or went.
type Piece struct{ Change, Text string }

// PartDifference is a value that came, went or changed; Before and After are
// JSON, "" where there is none.
type PartDifference struct{ Path, Change, Before, After string }

// maxParts bounds a difference; more is told in a last part.
const maxParts = 500

// Compare says how one definition became another.
func Compare(from, to *Tool) Difference {
	var d Difference
	before, after := flatten(from), flatten(to)
	for _, path := range sortedKeys(before) {
		b := before[path]
		a, still := after[path]
		switch {
		case still && a == b:
		case still && isText(path, a) && isText(path, b):
			d.Texts = append(d.Texts, TextDifference{path, Words(a2s(b), a2s(a))})
		case still:
			d.Parts = append(d.Parts, PartDifference{path, Altered, show(b), show(a)})
		case isText(path, b):
			d.Texts = append(d.Texts, TextDifference{path, Words(a2s(b), "")})
		default:
			d.Parts = append(d.Parts, PartDifference{path, Removed, show(b), ""})
		}
	}
	for _, path := range sortedKeys(after) {
		a := after[path]
		if _, was := before[path]; was {
			continue
		}
		if isText(path, a) {
			d.Texts = append(d.Texts, TextDifference{path, Words("", a2s(a))})
		} else {
			d.Parts = append(d.Parts, PartDifference{path, Added, "", show(a)})
		}
	}
	slices.SortStableFunc(d.Texts, func(x, y TextDifference) int { return strings.Compare(x.Path, y.Path) })
	slices.SortStableFunc(d.Parts, func(x, y PartDifference) int { return strings.Compare(x.Path, y.Path) })
	if n := len(d.Parts); n > maxParts {
		d.Parts = append(d.Parts[:maxParts:maxParts], PartDifference{"", Altered, "", strconv.Itoa(n-maxParts) + " more parts"})
	}
	if n := len(d.Texts); n > maxParts {
		d.Texts = append(d.Texts[:maxParts:maxParts], TextDifference{"", []Piece{{Added, strconv.Itoa(n-maxParts) + " more texts"}}})
	}
	return d
}

// flatten gives the values of a definition by path. Arrays of plain values are
// one value.
func flatten(t *Tool) map[string]any {
	out := map[string]any{}
	if t.Title != "" {
		out["/title"] = t.Title
	}
	if t.Description != "" {
		out["/description"] = t.Description
	}
	for name, raw := range map[string]json.RawMessage{"/inputSchema": t.InputSchema, "/outputSchema": t.OutputSchema, "/annotations": t.Annotations} {
		if v, ok := parse(raw); ok {
			flattenInto(out, name, v)
		}
	}
	return out
}

func parse(raw json.RawMessage) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	return v, len(raw) > 0 && d.Decode(&v) == nil
}

func flattenInto(out map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			out[path] = "{}" + empty
		}
		for k, e := range v {
			flattenInto(out, path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), e)
		}
	case []any:
		plain := !slices.ContainsFunc(v, func(e any) bool {
			switch e.(type) {
			case map[string]any, []any:
				return true
			}
			return false
		})
		if plain {
			text, _ := json.Marshal(v) // of what was parsed
			out[path] = string(text) + empty
			return
		}
		for i, e := range v {
			flattenInto(out, path+"/"+strconv.Itoa(i), e)
		}
	case json.Number:
		if form, err := (jcs.Form{}).Append(nil, []byte(v)); err == nil {
			v = json.Number(form)
		}
		out[path] = v
	default:
		out[path] = v
	}
}

// empty marks a value that is JSON already.
const empty = "\x00"

func show(v any) string {
	if s, ok := v.(string); ok && strings.HasSuffix(s, empty) {
		return Visible(strings.TrimSuffix(s, empty))
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	if s, ok := v.(string); ok {
		return `"` + Visible(s) + `"`
	}
	return string(text)
}

func a2s(v any) string {
	s, _ := v.(string)
	return s
}

// isText reports whether a value is words for people: what it says is compared
// word by word.
func isText(path string, v any) bool {
	s, ok := v.(string)
	if !ok || strings.HasSuffix(s, empty) {
		return false
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	return name == "description" || name == "title" || name == "$comment" || strings.Count(s, " ") > 3
}

// maxTable bounds the work of a comparison; longer texts show what differs
// between their common ends as a whole.
const maxTable = 4 << 20

// Words compares two texts word by word.
func Words(from, to string) []Piece {
	a, b := split(from), split(to)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out pieces
	out.add(Same, a[:head]...)
	middle(&out, a[head:len(a)-tail], b[head:len(b)-tail])
	out.add(Same, a[len(a)-tail:]...)
	for i := range out {
		out[i].Text = Visible(out[i].Text)
	}
	return out
}

type pieces []Piece

func (p *pieces) add(change string, words ...string) {
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, "")
	if n := len(*p); n > 0 && (*p)[n-1].Change == change {
		(*p)[n-1].Text += text
		return
	}
	*p = append(*p, Piece{change, text})
}

// middle finds the longest common sequence of words.
func middle(out *pieces, a, b []string) {
	if len(a) == 0 || len(b) == 0 || len(a)*len(b) > maxTable {
		out.add(Removed, a...)
		out.add(Added, b...)
		return
	}
	width := len(b) + 1
	table := make([]uint32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out.add(Same, a[i])
			i, j = i+1, j+1
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			out.add(Removed, a[i])
			i++
		default:
			out.add(Added, b[j])
			j++
		}
	}
	out.add(Removed, a[i:]...)
	out.add(Added, b[j:]...)
}

// split cuts a text into words and what stands between them.
func split(s string) (out []string) {
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	from, last := 0, -1
	for i, r := range s {
		k := kind(r)
		if i > 0 && (k != last || k == 0) {
			out = append(out, s[from:i])
			from = i
		}
		last = k
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}
