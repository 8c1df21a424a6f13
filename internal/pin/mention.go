package pin

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// identifier is a word as names of tools are written. What is an everyday word
// too (search, read) counts only where the text says that it means a tool.
var identifier = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}_.\-]*(?:__|/)?[\p{L}\p{N}_.\-]*`)

var (
	toolAfter  = regexp.MustCompile(`^['"` + "`" + `)\]]{0,2}\s{0,2}(tool|function|command|action)\b`)
	toolBefore = regexp.MustCompile(`\b(tool|function|call|calling|invoke|invoking)\s{1,2}['"` + "`" + `(\[]{0,2}$`)
)

// maxMentions of a tool: words beyond are not looked up.
const maxMentions = 300

// mentionsOf lists the words of a definition's texts that may be names of tools,
// folded as names are.
func mentionsOf(t *Tool) []string {
	all := []string{t.Title, t.Description}
	for _, raw := range []json.RawMessage{t.InputSchema, t.OutputSchema} {
		all = append(all, texts(raw)...)
	}
	// Its own name and those of its arguments are no other's.
	own := map[string]bool{fold(t.Name): true}
	for _, a := range shapeOf(t.InputSchema).arguments() {
		own[fold(a.name)] = true
	}
	var out []string
	for _, text := range all {
		if len(text) > maxInspected {
			text = text[:maxInspected]
		}
		for _, at := range identifier.FindAllStringIndex(text, -1) {
			word := strings.TrimRight(text[at[0]:at[1]], ".-_/")
			end := at[0] + len(word)
			before := text[max(0, at[0]-24):at[0]]
			if !looksLikeName(word) && !quoted(text, at[0], end) && !toolAfter.MatchString(strings.ToLower(text[end:min(len(text), end+16)])) && !toolBefore.MatchString(strings.ToLower(before)) {
				continue
			}
			for _, name := range []string{word, afterLast(word, "__"), afterLast(word, "/"), afterLast(word, ".")} {
				if f := fold(name); len(f) > 2 && !own[f] {
					out = append(out, f)
				}
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxMentions)]
}

// looksLikeName: with a seam within, as no word of a language has.
func looksLikeName(w string) bool {
	if strings.Contains(w, "_") || strings.Contains(strings.Trim(w, "."), ".") && !strings.Contains(w, "..") {
		return true
	}
	lower := false
	for _, r := range w {
		if unicode.IsUpper(r) && lower {
			return true
		}
		lower = unicode.IsLower(r)
	}
	return false
}

func quoted(text string, from, to int) bool {
	if from == 0 || to >= len(text) {
		return false
	}
	a, b := text[from-1], text[to]
	return a == b && (a == '`' || a == '"' || a == '\'')
}

func afterLast(s, sep string) string {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[i+len(sep):]
	}
	return s
}

// named are the tools that a word names.
func (c *catalogue) named(word string) []*entry { return c.folded[word] }

// plainLetter reads the letters that look like Latin ones as these.
func plainLetter(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case r >= 0xff01 && r <= 0xff5e: // full width forms
		return r - 0xfee0
	}
	if p, ok := lookAlikes[r]; ok {
		return p
	}
	return r
}

// lookAlikes are the Cyrillic and Greek letters that are drawn as Latin ones.
var lookAlikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h', 'ӏ': 'l', 'ԛ': 'q', 'ԝ': 'w',
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'Х': 'X', 'І': 'I', 'Ј': 'J', 'Ѕ': 'S',
	'α': 'a', 'ο': 'o', 'ρ': 'p', 'ν': 'v', 'ι': 'i', 'κ': 'k', 'τ': 't', 'υ': 'u', 'χ': 'x',
	'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
}
