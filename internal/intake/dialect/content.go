package dialect

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// contentList turns the content attributes into contents. Of the several that
// one field may have, that of the smallest rank is what was said; the others
// repeat it in another shape and are kept in a higher band of Order.
func (s *Span) contentList(kind activity.Kind) []activity.Content {
	s.assemble()
	for i := range s.contents {
		c := &s.contents[i]
		c.field = fieldOf(c, kind)
	}
	s.chats(kind)
	if s.kept != nil {
		s.recall()
	}
	if len(s.contents) > 1 {
		slices.SortStableFunc(s.contents, func(a, b found) int {
			return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.rank, b.rank))
		})
	}
	band, last := 0, Field(0)
	for i := range s.contents {
		c := &s.contents[i]
		switch {
		case c.event:
		case c.rank >= rankBeside:
			band = activity.BesideBand
		case c.field != last:
			band, last = 0, c.field
		case band == 0:
			band = 2 // 1 is what events and log records say
		default:
			band = min(band+1, activity.BesideBand-1)
		}
		if c.kept > 0 {
			s.kept.place(c, band)
			continue
		}
		format, raw := s.shape(c)
		if c.event {
			s.out.add(activity.Content{
				Field: activity.ContentField(c.field - ContentInput), Format: format, From: c.from,
				Order: activity.ContentBand(1) + c.order, Raw: raw,
			})
			continue
		}
		s.out.add(activity.Content{
			Field: activity.ContentField(c.field - ContentInput), Format: format, From: c.from,
			Order: activity.ContentBand(band), Raw: raw,
		})
	}
	return s.out.take()
}

// rankBeside is the first rank of attributes that hold no words of anybody.
const rankBeside = 95

// fieldOf says what a generic input or output is on a step of this kind.
func fieldOf(c *found, kind activity.Kind) Field {
	if c.event {
		return c.field
	}
	generic := !strings.HasSuffix(c.format, ".messages")
	switch {
	case generic && kind == activity.KindTool && c.field == ContentInput:
		return ContentArguments
	case generic && kind == activity.KindTool && c.field == ContentOutput:
		return ContentResult
	case generic && kind == activity.KindRetrieval && c.field == ContentInput:
		return ContentQuery
	}
	return c.field
}

// shape gives a value its bytes and the format that they really have.
func (s *Span) shape(c *found) (format string, raw []byte) {
	format = c.format
	if c.v.Type != String {
		start := len(s.arena)
		s.arena = c.v.AppendJSON(s.arena)
		raw = s.arena[start:len(s.arena):len(s.arena)]
		if list(format) && (len(raw) == 0 || raw[0] != '[') {
			raw = s.wrap(raw)
		}
		if format == "" || format == genai.Text {
			format = genai.JSON
		}
		return format, raw
	}
	raw = c.v.Raw()
	if format == "" || format == genai.Text {
		return genai.Text, raw
	}
	if format == genai.JSON {
		switch mime := s.mime(c); {
		case strings.Contains(mime, "json"):
			return genai.JSON, raw
		case mime != "":
			return genai.Text, raw
		}
	}
	open, end := ends(raw)
	switch {
	case open == '[' && end == ']':
		return format, raw
	case open == '{' && end == '}':
		if list(format) {
			raw = s.wrap(raw)
		}
		return format, raw
	}
	return genai.Text, raw
}

func (s *Span) mime(c *found) string {
	switch c.from {
	case "input.value":
		return s.Text(InputMime)
	case "output.value":
		return s.Text(OutputMime)
	}
	return ""
}

// wrap makes one element a list of it.
func (s *Span) wrap(raw []byte) []byte {
	start := len(s.arena)
	s.arena = append(s.arena, '[')
	s.arena = append(s.arena, raw...)
	s.arena = append(s.arena, ']')
	return s.arena[start:len(s.arena):len(s.arena)]
}

func list(format string) bool {
	return strings.HasSuffix(format, ".messages") || strings.HasSuffix(format, ".documents") || strings.HasSuffix(format, ".tools")
}

// ends are the first and last bytes that are no white space; 0 for none.
func ends(b []byte) (open, end byte) {
	for i := range b {
		if b[i] > ' ' {
			open = b[i]
			break
		}
	}
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] > ' ' {
			return open, b[i]
		}
	}
	return 0, 0
}

// assemble puts flattened attributes back together: for each rule one JSON
// array, an element for each index.
func (s *Span) assemble() {
	if len(s.flat) == 0 {
		return
	}
	order := func(a, b flat) int {
		return cmp.Or(cmp.Compare(a.rule.Field, b.rule.Field), cmp.Compare(a.rule.Rank, b.rule.Rank),
			cmp.Compare(a.index, b.index), comparePaths(a.path, b.path))
	}
	if !slices.IsSortedFunc(s.flat, order) {
		slices.SortStableFunc(s.flat, order)
	}
	for i := 0; i < len(s.flat); {
		r := s.flat[i].rule
		start := len(s.arena)
		s.arena = append(s.arena, '[')
		j := i
		for j < len(s.flat) && s.flat[j].rule.Field == r.Field && s.flat[j].rule.Rank == r.Rank {
			k := j
			for k < len(s.flat) && s.flat[k].rule.Field == r.Field && s.flat[k].rule.Rank == r.Rank && s.flat[k].index == s.flat[j].index {
				k++
			}
			if j > i {
				s.arena = append(s.arena, ',')
			}
			s.arena = s.element(s.arena, s.flat[j:k], 0, 0)
			j = k
		}
		s.arena = append(s.arena, ']')
		raw := s.arena[start:len(s.arena):len(s.arena)]
		// The text is JSON already: as a String it passes shape untouched.
		s.contents = append(s.contents, found{field: r.Field, rank: r.Rank, format: r.Format, from: r.Key, v: Value{Type: String, b: raw}})
		i = j
	}
}

// maxPath bounds the depth of a flattened path.
const maxPath = 16

// skipped are segments that say only what the list is of.
func skipped(segment string) bool {
	switch segment {
	case "message", "tool_call", "message_content", "document", "tool", "prompt", "completion", "embedding":
		return true
	}
	return false
}

// element appends the JSON of entries whose paths share their first at bytes.
func (s *Span) element(dst []byte, entries []flat, at, depth int) []byte {
	// Leave out the words that repeat the list's name.
	for len(entries) > 0 && at < len(entries[0].path) {
		seg := segment(entries[0].path[at:])
		if !skipped(seg) || at+len(seg) >= len(entries[0].path) {
			break
		}
		prefix := entries[0].path[:at+len(seg)+1]
		if !strings.HasPrefix(entries[len(entries)-1].path, prefix) {
			break
		}
		at += len(seg) + 1
	}
	if len(entries[0].path) <= at { // a leaf; longer paths beside it contradict it
		if len(entries) > 1 {
			s.Flags |= activity.FlagBadIndex
		}
		return leaf(dst, &entries[0])
	}
	if depth >= maxPath {
		s.Flags |= activity.FlagBadIndex
		return append(dst, "null"...)
	}
	array := numeric(segment(entries[0].path[at:]))
	dst = append(dst, "{["[b2i(array)])
	for i := 0; i < len(entries); {
		seg := segment(entries[i].path[at:])
		j := i
		for j < len(entries) && segment(entries[j].path[at:]) == seg {
			j++
		}
		switch {
		case array != numeric(seg):
			s.Flags |= activity.FlagBadIndex // a name among numbers
		case array:
			dst = comma(dst)
			dst = s.element(dst, entries[i:j], at+len(seg)+1, depth+1)
		default:
			dst = comma(dst)
			dst = activity.AppendJSONString(dst, []byte(seg))
			dst = append(dst, ':')
			dst = s.element(dst, entries[i:j], at+len(seg)+1, depth+1)
		}
		i = j
	}
	return append(dst, "}]"[b2i(array)])
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func comma(dst []byte) []byte {
	if c := dst[len(dst)-1]; c == '{' || c == '[' {
		return dst
	}
	return append(dst, ',')
}

// leaf appends one value. A JSON schema comes as text and is embedded.
func leaf(dst []byte, e *flat) []byte {
	if e.v.Type == String && strings.HasSuffix(e.path, "json_schema") && !e.cut && validJSON(e.v.Raw()) {
		return append(dst, e.v.Raw()...)
	}
	return e.v.AppendJSON(dst)
}

func segment(path string) string {
	if i := strings.IndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return path
}

func numeric(seg string) bool {
	if seg == "" {
		return false
	}
	for i := range len(seg) {
		if seg[i] < '0' || seg[i] > '9' {
			return false
		}
	}
	return true
}

// comparePaths orders by segments; a path sorts before those it begins.
func comparePaths(a, b string) int {
	for {
		x, y := segment(a), segment(b)
		if c := compareSegments(x, y); c != 0 {
			return c
		}
		if len(a) == len(x) || len(b) == len(y) {
			return cmp.Compare(len(a)-len(x), len(b)-len(y))
		}
		a, b = a[len(x)+1:], b[len(y)+1:]
	}
}

// compareSegments puts numbers first, by value, and "role" before other names:
// readers that only want the role stop there.
func compareSegments(x, y string) int {
	if x == y {
		return 0
	}
	switch nx, ny := numeric(x), numeric(y); {
	case nx && ny:
		u, v := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		return cmp.Or(cmp.Compare(len(u), len(v)), cmp.Compare(u, v), cmp.Compare(x, y))
	case nx:
		return -1
	case ny:
		return 1
	case x == "role":
		return -1
	case y == "role":
		return 1
	}
	return cmp.Compare(x, y)
}

// validJSON is a cheap doubt, not a parse: text that starts and ends like an
// object. What is no JSON inside makes its element unreadable, not others.
func validJSON(b []byte) bool {
	open, end := ends(b)
	return open == '{' && end == '}' && json.Valid(b)
}
