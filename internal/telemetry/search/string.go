package search

import "strings"

// String is the search's text: Parse reads it back to an equal Expr.
func (e *And) String() string { return join(e.Of, " ", false) }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Or) String() string { return join(e.Of, " or ", true) }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Not) String() string {
	switch e.Of.(type) {
	case *And, *Or, *Not:
		return "-(" + e.Of.String() + ")"
	}
	return "-" + e.Of.String()
}

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Cmp) String() string {
	var b strings.Builder
	b.WriteString(quoteField(e.Field))
	b.WriteString(e.Op)
	for i, v := range e.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteValue(v))
	}
	return b.String()
}

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Text) String() string { return quote(e.Phrase) }

// String is how the runs were asked for: ParseAsked reads it.
func (e *Among) String() string { return e.Said.String() }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Any) String() string { return "any(" + e.Of.String() + ")" }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *All) String() string { return "all(" + e.Of.String() + ")" }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Child) String() string { return "child(" + e.Of.String() + ")" }

// String is the search's text: Parse reads it back to an equal Expr.
func (e *Parent) String() string { return "parent(" + e.Of.String() + ")" }

func join(of []Expr, sep string, or bool) string {
	parts := make([]string, len(of))
	for i, e := range of {
		parts[i] = e.String()
		if _, isOr := e.(*Or); isOr && !or {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, sep)
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

func quoteField(name string) string {
	prefix := dynamicPrefix(name)
	key := name[len(prefix):]
	if prefix == "" || key != "" && strings.IndexFunc(key, func(r rune) bool { return r > 127 || !isName(byte(r)) }) < 0 {
		return name
	}
	return prefix + quote(key)
}

// Quote writes a value so that a search reads it as that value.
func Quote(v string) string { return quoteValue(v) }

// quoteValue writes a value of Cmp.Values so that value reads it back.
func quoteValue(v string) string {
	if v == valueUnknown {
		return v
	}
	text, prefix := unescapeValue(v)
	if prefix {
		if bare(text) || text == "" {
			return text + "*"
		}
		// A prefix with spaces has no spelling of its own in the grammar, so
		// Parse never makes one; "contains" is the nearest for one built by hand.
		return quote(text)
	}
	if bare(text) && !strings.HasSuffix(text, "*") && !strings.EqualFold(text, valueUnknown) {
		return text
	}
	return quote(text)
}

func bare(s string) bool {
	return s != "" && !strings.ContainsAny(s, " \t\r\n,()\"")
}
