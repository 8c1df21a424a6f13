package search

import "strconv"

// Is compares a field with values as they are: a star or the word "unknown" in
// them means itself. It is how programs build what people would quote.
func Is(field string, values ...string) *Cmp {
	c := &Cmp{Field: field, Op: ":"}
	for _, v := range values {
		c.Values = append(c.Values, escapeValue(v))
	}
	return c
}

// Unknown asks for the absence of a field.
func Unknown(field string) *Cmp {
	return &Cmp{Field: field, Op: ":", Values: []string{valueUnknown}}
}

// Both joins searches: all must hold. Nil ones are left out; nil when none is
// left.
func Both(of ...Expr) Expr {
	var kept []Expr
	for _, e := range of {
		switch e := e.(type) {
		case nil:
		case *And:
			kept = append(kept, e.Of...)
		default:
			kept = append(kept, e)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return &And{Of: kept}
}

// Either joins searches: one must hold. Nil ones are left out; nil when none is left.
func Either(of ...Expr) Expr {
	var kept []Expr
	for _, e := range of {
		if e != nil {
			kept = append(kept, e)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return &Or{Of: kept}
}

// AtLeast asks for numbers, money or durations of at least a value.
func AtLeast(field string, value float64) *Cmp {
	return &Cmp{Field: field, Op: ">=", Values: []string{strconv.FormatFloat(value, 'f', -1, 64)}}
}

// HasText reports whether a search looks for a phrase somewhere.
func HasText(e Expr) bool { return holds(e, func(e Expr) bool { _, ok := e.(*Text); return ok }) }

// LooksAtSteps reports whether a search looks at the steps of a run.
func LooksAtSteps(e Expr) bool {
	return holds(e, func(e Expr) bool {
		switch e.(type) {
		case *Any, *All:
			return true
		}
		return false
	})
}

// LooksAtKin reports whether a search over steps looks at their parents or children.
func LooksAtKin(e Expr) bool {
	return holds(e, func(e Expr) bool {
		switch e.(type) {
		case *Child, *Parent:
			return true
		}
		return false
	})
}

func holds(e Expr, is func(Expr) bool) bool {
	if e == nil {
		return false
	}
	if is(e) {
		return true
	}
	var of []Expr
	switch e := e.(type) {
	case *And:
		of = e.Of
	case *Or:
		of = e.Of
	case *Not:
		of = []Expr{e.Of}
	case *Among:
		of = []Expr{e.Said}
	case *Any:
		of = []Expr{e.Of}
	case *All:
		of = []Expr{e.Of}
	case *Child:
		of = []Expr{e.Of}
	case *Parent:
		of = []Expr{e.Of}
	}
	for _, o := range of {
		if holds(o, is) {
			return true
		}
	}
	return false
}

// Names reports whether a search compares one of the fields.
func Names(e Expr, fields ...string) bool {
	return holds(e, func(e Expr) bool {
		c, ok := e.(*Cmp)
		if !ok {
			return false
		}
		for _, f := range fields {
			if c.Field == f {
				return true
			}
		}
		return false
	})
}

// WithoutContent turns phrases into predicates over names, errors and tools,
// for askers who may not read content: what they find then tells them nothing
// about what was said.
func WithoutContent(scope Scope, e Expr) Expr {
	all := func(scope Scope, of []Expr) []Expr {
		out := make([]Expr, len(of))
		for i := range of {
			out[i] = WithoutContent(scope, of[i])
		}
		return out
	}
	switch e := e.(type) {
	case *Text:
		return nameOf(scope, e.Phrase)
	case *And:
		return &And{Of: all(scope, e.Of)}
	case *Or:
		return &Or{Of: all(scope, e.Of)}
	case *Not:
		return &Not{Of: WithoutContent(scope, e.Of)}
	case *Any:
		return &Any{Of: WithoutContent(ScopeStep, e.Of)}
	case *All:
		return &All{Of: WithoutContent(ScopeStep, e.Of)}
	case *Child:
		return &Child{Of: WithoutContent(ScopeStep, e.Of)}
	case *Parent:
		return &Parent{Of: WithoutContent(ScopeStep, e.Of)}
	}
	return e
}

func nameOf(scope Scope, phrase string) Expr {
	contains := func(fields ...string) (of []Expr) {
		for _, f := range fields {
			of = append(of, &Cmp{Field: f, Op: "~", Values: []string{escapeValue(phrase)}})
		}
		return of
	}
	step := &Or{Of: contains("name", "error", "error_type", "tool", "model", "agent")}
	if scope == ScopeStep {
		return step
	}
	return &Or{Of: append(contains("name", "agent", "task", "session", "user", "error_type", "tool", "model"), &Any{Of: step})}
}

// Resolve puts what find makes of each comparison with a field that no engine has in
// the rows of a scope (Field.Asked) into a search over them. It fails where find does.
func Resolve(scope Scope, e Expr, find func(*Cmp) (Expr, error)) (Expr, error) {
	all := func(of []Expr) ([]Expr, error) {
		out := make([]Expr, len(of))
		for i := range of {
			var err error
			if out[i], err = Resolve(scope, of[i], find); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch e := e.(type) {
	case *And:
		of, err := all(e.Of)
		return &And{Of: of}, err
	case *Or:
		of, err := all(e.Of)
		return &Or{Of: of}, err
	case *Not:
		of, err := Resolve(scope, e.Of, find)
		return &Not{Of: of}, err
	case *Cmp:
		if f, ok := Lookup(scope, e.Field); ok && f.Asked {
			return find(e)
		}
	}
	return e, nil // what looks at steps has none of them
}
