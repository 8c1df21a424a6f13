// Package search is Reeve's search language: predicates over a run and over
// any or all of its steps, the same text in console, API and command line.
//
// What for: `agent:refund-agent cost>0.10 any(kind:tool status:error
// name:lookup_order)` becomes an Expr that an engine turns into its own query
// and that Match decides for runs still in memory.
//
// Who calls it: api and cli parse; telemetry engines translate; run matches.
//
// Promises: Parse and Expr.String are inverse up to spacing; values are never
// pasted into SQL by engines (they bind or quote them); depth and length are
// limited.
//
// How it fails: Parse returns a *SyntaxError with the offset and what was
// expected.
//
// Start reading at Expr and the grammar above Parse.
package search

import "reeve/internal/activity"

// Expr is a node of a parsed search. The types below are all there are.
type Expr interface {
	String() string
	isExpr()
}

// Scope says whose predicates a node holds.
type Scope uint8

// The scopes.
const (
	ScopeRun      Scope = iota // fields of the run
	ScopeStep                  // fields of a step (inside Any, All, Child, Parent, or a search over steps)
	ScopeMessage               // fields of a message (a query over messages)
	ScopeLog                   // fields of a log record (a query over logs)
	ScopeDecision              // fields of a decision
)

var scopeNames = [...]string{"run", "step", "message", "log", "decision"}

// String is the scope's stable name.
func (s Scope) String() string {
	if int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return "run"
}

// And is true when all of its parts are. Empty is true.
type And struct{ Of []Expr }

// Or is true when one of its parts is.
type Or struct{ Of []Expr }

// Not inverts its part.
type Not struct{ Of Expr }

// Cmp compares a field with a value. Op is one of : != > >= < <= ~ where ":"
// is equality, or a set (`status:error,stale`), or a prefix when a value ends in
// "*"; "!=" is its negation; "~" is "contains, ignoring case". A value of
// "unknown" asks for absence.
//
// Field is the canonical name (aliases are resolved by Parse), or a prefix and
// a key: attr.http.route, resource.host.name, label.tier. Values keep their
// escapes (a quoted star is `\*`); engines read them with Cmp.Read, which
// knows the field's type and unit.
type Cmp struct {
	Field  string
	Op     string
	Values []string
}

// Among is true of the runs that somebody found out before, and of the steps and
// decisions that belong to them: see Resolve. Said is how it
// was asked for.
type Among struct {
	Runs map[activity.RunID]bool
	Said Expr
}

// Text is a phrase to be found, ignoring case, in the names and errors of a run
// or its steps and, where the asker may read content, in the run's messages.
// Inside Any it is a phrase in that step's own name, error and content.
type Text struct{ Phrase string }

// Any is true when at least one step fulfils Of.
type Any struct{ Of Expr }

// All is true when every step fulfils Of (and there is at least one).
type All struct{ Of Expr }

// Child is true of a step when one of its direct children fulfils Of.
type Child struct{ Of Expr }

// Parent is true of a step when its direct parent fulfils Of.
type Parent struct{ Of Expr }

func (*And) isExpr()    {}
func (*Or) isExpr()     {}
func (*Not) isExpr()    {}
func (*Cmp) isExpr()    {}
func (*Text) isExpr()   {}
func (*Among) isExpr()  {}
func (*Any) isExpr()    {}
func (*All) isExpr()    {}
func (*Child) isExpr()  {}
func (*Parent) isExpr() {}
