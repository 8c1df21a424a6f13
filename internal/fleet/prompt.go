package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"reeve/internal/genai"
)

const (
	maxPrompt = 256 << 10 // bytes of a prompt that are looked at
	maxLines  = 200
)

// prompt is the normal form of a system prompt: its hash, and its lines so that
// what two calls have in common can be told from what was filled in.
type prompt struct {
	hash  string
	lines []uint64
}

// readPrompt makes the normal form of text: line ends and runs of white space
// do not count, nor do ids, dates, times, addresses and long numbers, which
// change from call to call and say nothing about who wrote the prompt. Short
// numbers stay: "at most 3 refunds" is a rule. The order of lines counts.
func readPrompt(text string) prompt {
	if len(text) > maxPrompt {
		text = text[:maxPrompt]
	}
	var p prompt
	h := sha256.New()
	var buf []byte
	for line := range strings.SplitSeq(text, "\n") {
		if buf = appendNormal(buf[:0], strings.Fields(line)); len(buf) == 0 {
			continue
		}
		buf = append(buf, '\n')
		h.Write(buf)
		if len(p.lines) < maxLines {
			p.lines = append(p.lines, xxhash.Sum64(buf))
		}
	}
	p.hash = short(h.Sum(nil))
	return p
}

// appendNormal writes the words of a line, with what changes replaced. Signs in
// a row (a date in three words) become one.
func appendNormal(b []byte, words []string) []byte {
	last := ""
	for i, w := range words {
		core := strings.Trim(w, ".,;:!?()[]{}<>\"'`*")
		sign := signOf(core)
		if sign == "" && (isMonth(core) && (i > 0 && number(words[i-1]) || i+1 < len(words) && number(words[i+1])) ||
			number(core) && (i > 0 && isMonth(words[i-1]) || i+1 < len(words) && isMonth(words[i+1]))) {
			sign = "<when>"
		}
		if sign != "" && sign == last {
			continue
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		if last = sign; sign != "" {
			b = append(b, sign...)
		} else {
			b = append(b, w...)
		}
	}
	return b
}

// signOf is what stands for a word that changes; "" for one that stays.
func signOf(w string) string {
	digits, letters, marks, colons, dashes := 0, 0, 0, 0, 0
	for i := range len(w) {
		switch c := w[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '@' && i > 0 && strings.IndexByte(w[i:], '.') > 1:
			return "<mail>"
		case c == ':':
			colons++
		case c == '-' || c == '_':
			dashes++
		case c == '.' || c == '/':
			marks++
		default:
			letters++
		}
	}
	switch {
	case digits == 0:
		if len(w) >= 6 && len(w) <= 9 && strings.EqualFold(w[len(w)-3:], "day") && slices.ContainsFunc(weekdays, func(d string) bool { return strings.EqualFold(d, w) }) {
			return "<when>"
		}
		return ""
	case letters <= 2 && digits >= 3 && (colons > 0 || dashes == 2 || marks == 2): // 10:15, 2026-11-27T10:15Z, 27.11.2026
		return "<when>"
	case letters == 0 && marks+colons+dashes == 0 && digits >= 4:
		return "<number>"
	case len(w) >= 8 && digits >= 2 && marks == 0:
		return "<id>"
	}
	return ""
}

var (
	weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	months   = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
)

// isMonth reports whether a word is a month, or its first three letters.
func isMonth(w string) bool {
	w = strings.Trim(w, ".,;:")
	return len(w) >= 3 && len(w) <= 9 && slices.ContainsFunc(months, func(m string) bool {
		return strings.EqualFold(w, m) || len(w) == 3 && strings.EqualFold(w, m[:3])
	})
}

// number reports whether a word is a day or a year: 27, 27th, 2026.
func number(w string) bool {
	w = strings.TrimRight(strings.Trim(w, ".,;:"), "thsrnd")
	if w == "" || len(w) > 4 {
		return false
	}
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return false
		}
	}
	return true
}

func short(sum []byte) string { return hex.EncodeToString(sum[:8]) }

func hashOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return short(sum[:])
}

// common is the lines that all have, in the order of the first.
func common(all [][]uint64) []uint64 {
	out := slices.Clone(all[0])
	for _, lines := range all[1:] {
		out = subsequence(out, lines)
	}
	return out
}

// subsequence is a common subsequence of a and b: greedy, and so not always the
// longest, but in one pass.
func subsequence(a, b []uint64) []uint64 {
	at := make(map[uint64][]int, len(b))
	for i, l := range b {
		at[l] = append(at[l], i)
	}
	var out []uint64
	next := 0
	for _, l := range a {
		i, _ := slices.BinarySearch(at[l], next)
		if i < len(at[l]) {
			out, next = append(out, l), at[l][i]+1
		}
	}
	return out
}

// covers reports whether all of a template's lines are in lines, in order.
func covers(template, lines []uint64) bool {
	i := 0
	for _, l := range lines {
		if i < len(template) && template[i] == l {
			i++
		}
	}
	return i == len(template) && len(template) > 0
}

// textOf is the text of a system message, whatever its format.
func textOf(format string, raw []byte) string {
	m, err := genai.Parse(format, raw)
	if err != nil {
		return string(raw)
	}
	var b strings.Builder
	for _, p := range m.Parts {
		b.WriteString(p.Text)
		b.WriteByte('\n')
	}
	if strings.TrimSpace(b.String()) == "" {
		return string(raw)
	}
	return b.String()
}

// readTool is the name and the hash of a tool's definition. The order of keys
// and white space do not count, nor what an SDK wraps around it; description
// and schema do. ok is false for what is no definition.
func readTool(format string, raw []byte) (name, hash string, ok bool) {
	m, err := genai.Parse(format, raw)
	if err != nil || len(m.Parts) != 1 || m.Parts[0].Name == "" {
		return "", "", false
	}
	t := m.Parts[0]
	schema := t.Arguments
	var v any
	if json.Unmarshal([]byte(schema), &v) == nil {
		if sorted, err := json.Marshal(v); err == nil { // keys of maps are sorted
			schema = string(sorted)
		}
	}
	return cutWord(t.Name), hashOf(t.Name, strings.Join(strings.Fields(t.Text), " "), schema), true
}
