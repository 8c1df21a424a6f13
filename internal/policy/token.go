package policy

import "unicode/utf8"

// tokenKind is what a token of Cedar's text is.
type tokenKind uint8

const (
	tokenEnd   tokenKind = iota
	tokenName            // identifiers and words
	tokenText            // a string with its quotes
	tokenCount           // a number
	tokenSign            // everything else, one character or two
)

// token is a piece of text by its place.
type token struct {
	kind     tokenKind
	from, to int
}

// next finds the token at or after an offset. Text that is no Cedar gives tokens
// too: the parser complains about it.
func next(text string, at int) token {
	for at < len(text) {
		c := text[at]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			at++
		case c == '/' && at+1 < len(text) && text[at+1] == '/':
			for at < len(text) && text[at] != '\n' {
				at++
			}
		case c == '"':
			to := at + 1
			for to < len(text) && text[to] != '"' {
				if text[to] == '\\' {
					to++
				}
				to++
			}
			return token{tokenText, at, min(to+1, len(text))}
		case wordByte(c):
			to := at
			for to < len(text) && wordByte(text[to]) {
				to++
			}
			kind := tokenName
			if c >= '0' && c <= '9' {
				kind = tokenCount
			}
			return token{kind, at, to}
		default:
			to := at + 1
			if to < len(text) && twoByteSign(c, text[to]) {
				to++
			}
			return token{tokenSign, at, to}
		}
	}
	return token{tokenEnd, len(text), len(text)}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func twoByteSign(a, b byte) bool {
	switch string([]byte{a, b}) {
	case "::", "==", "!=", "<=", ">=", "&&", "||":
		return true
	}
	return false
}

const (
	maxStatement = 8 << 10 // bytes of one statement
	maxDepth     = 64      // of brackets in brackets
	maxDots      = 32      // one after another
)

// bound refuses text that costs much before it is understood: the parser and the
// validator recurse, and take time with the square of a statement's length.
func bound(d *Document) error {
	text, depth, statements, begun, dots := d.Cedar, 0, 0, -1, 0
	refuse := func(at int, format string, args ...any) error {
		line, column := placeOf(text, at)
		return invalid(d, line, column, format, args...)
	}
	for t := next(text, 0); t.kind != tokenEnd; t = next(text, t.to) {
		if begun < 0 {
			begun = t.from
			if statements++; statements > maxStatements {
				return refuse(t.from, "a policy has at most %d statements", maxStatements)
			}
		}
		if t.to-begun > maxStatement {
			return refuse(begun, "a statement has at most %d bytes", maxStatement)
		}
		if t.kind != tokenSign {
			continue
		}
		if text[t.from] == '.' {
			if dots++; dots > maxDots {
				return refuse(t.from, "at most %d attributes stand one after another", maxDots)
			}
			continue
		}
		dots = 0
		switch text[t.from] {
		case '(', '[', '{':
			if depth++; depth > maxDepth {
				return refuse(t.from, "brackets stand in each other at most %d deep", maxDepth)
			}
		case ')', ']', '}':
			depth--
		case ';':
			begun = -1
		}
	}
	return nil
}

// placeOf is an offset as line and column, which begin at 1; columns count
// characters.
func placeOf(text string, at int) (line, column int) {
	line, begin := 1, 0
	for i := range min(at, len(text)) {
		if text[i] == '\n' {
			line, begin = line+1, i+1
		}
	}
	return line, 1 + utf8.RuneCountInString(text[begin:min(at, len(text))])
}
