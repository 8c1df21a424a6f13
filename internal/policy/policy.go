// Package policy decides whether an agent may do what it proposes.
//
// What for: people write policies in Cedar; the engine answers each proposed
// action with allow, hold or deny, why, and with what is due first (a person's
// yes, redaction, a rate).
//
// Who calls it: the gateway, for every call that passes the door.
//
// Promises: the verdict is the stricter of the policies and of the floor, which
// is code that no policy can loosen. What is not permitted is denied; a forbid
// whose evaluation errs denies. Obligations of all matching statements add up.
// Only statements whose scope can match are evaluated, and the answer is that
// of the whole set. Decide does no I/O, takes no lock, and sees a replaced set
// at once and whole.
//
// How it fails: Compile refuses text that does not parse, does not fit the
// schema, or carries an annotation that it cannot read, with policy.invalid,
// line and column. Decide does not fail; it denies.
//
// Start reading at Compile and Engine.Decide; floor.go is the floor.
package policy

import (
	"crypto/sha256"
	_ "embed" // the schema
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

//go:embed reeve.cedarschema
var schemaText []byte

const (
	maxText       = 256 << 10
	maxStatements = 1000
	maxAnnotation = 1000
	maxHoldPeople = 10
)

// Document is a policy as people write it: a named set of Cedar statements.
type Document struct {
	Name      string
	Team      string // whose agents it is about; "" for everybody's
	Guardrail bool   // forbids only
	Observe   bool   // counts in Decision.Would alone
	Cedar     string
}

// HoldGroup is a group of which Count distinct people must agree.
type HoldGroup struct {
	Group string
	Count int
}

// Limit is a rate that a matching statement sets, such as "30/h by agent".
type Limit struct{ Text, Statement string }

// Statement is one statement of a compiled policy.
type Statement struct {
	Policy, ID, Effect, Reason, Owner, Hash string
	Line                                    int
	Hold                                    []HoldGroup
	Redact                                  []string
	Limits                                  []string

	offset  int // of its text in the document
	key     cedar.PolicyID
	rank    int
	cedar   *cedar.Policy
	forbid  bool
	team    string
	observe bool
	obliged bool
	actions actionSet
	scope   [2]scopeOf     // of principal and resource
	paths   []types.String // of arguments, as far as they stand in the text
	anyPath bool           // it also reads a path that it computes
	limits  []Limit        // Limits with the statement they are of
	when    *node          // the conditions; nil leaves them to cedar-go
	texts   reasonTexts
	ref     activity.PolicyRef
}

// scopeOf is what a statement's scope says of the principal or the resource.
type scopeOf struct {
	typ    types.EntityType // "" for any
	entity types.EntityUID  // zero for any
	equal  bool             // it is the entity, and not only below it
}

// reasonTexts are a statement's reasons in words, made once.
type reasonTexts struct{ forbid, hold, failed activity.Reason }

// actionSet is a set of the schema's actions.
type actionSet uint16

var actionNames = [...]string{"call_tool", "call_model", "call_api", "send_task", "read_source", "act_for", "ask_model", "ask_user"}

const allActions = actionSet(1<<len(actionNames) - 1)

func actionBit(name string) actionSet {
	if i := slices.Index(actionNames[:], name); i >= 0 {
		return 1 << i
	}
	return 0
}

// Compiler checks policies against the schema; it is immutable.
type Compiler struct {
	schema    *resolved.Schema
	validator *validate.Validator
}

// NewCompiler reads the embedded schema; failing is a bug in Reeve.
func NewCompiler() (*Compiler, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar(schemaText); err != nil {
		return nil, fmt.Errorf("reading the Cedar schema: %w", err)
	}
	r, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("resolving the Cedar schema: %w", err)
	}
	return &Compiler{schema: r, validator: validate.New(r, validate.WithStrict())}, nil
}

// position is how cedar-go's parser begins its complaint.
var position = regexp.MustCompile(`^(?:parser error: )?parse error at [^\n]*?:(\d+):(\d+) `)

// SyntaxError is where a policy's text is wrong; it is the cause of a fault
// policy.invalid. Lines and columns (in characters) begin at 1.
type SyntaxError struct {
	Line, Column int
	Text         string
}

// Error is the place; what is wrong stands in the fault around it.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d, column %d", e.Line, e.Column) }

func invalid(d *Document, line, column int, format string, args ...any) error {
	at := &SyntaxError{Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
	return fault.New(fault.KindInvalid, "policy.invalid", "policy %s, line %d, column %d: %s", d.Name, line, column, at.Text).WithCause(at)
}

// Compile parses and checks a policy's text.
func (c *Compiler) Compile(d Document) ([]Statement, error) {
	if len(d.Cedar) > maxText {
		return nil, fault.New(fault.KindInvalid, "policy.too_large", "a policy has at most %d bytes", maxText)
	}
	if err := bound(&d); err != nil {
		return nil, err
	}
	list, err := cedar.NewPolicyListFromBytes(d.Name, []byte(d.Cedar))
	if err != nil {
		line, column, text := 1, 1, err.Error()
		if m := position.FindStringSubmatch(text); m != nil {
			line, _ = strconv.Atoi(m[1])
			column, _ = strconv.Atoi(m[2])
			text = "cannot be read: " + text[len(m[0]):]
		}
		return nil, invalid(&d, line, column, "%s", text)
	}
	if len(list) == 0 {
		return nil, invalid(&d, 1, 1, "a policy has at least one statement")
	}
	out := make([]Statement, 0, len(list))
	seen := map[string]bool{}
	for i, p := range list {
		s, err := c.statement(&d, p, i)
		if err != nil {
			return nil, err
		}
		if seen[s.ID] {
			return nil, invalid(&d, p.Position().Line, p.Position().Column, "@id(%q) is there twice", s.ID)
		}
		seen[s.ID] = true
		out = append(out, s)
	}
	return out, nil
}

func (c *Compiler) statement(d *Document, p *cedar.Policy, i int) (Statement, error) {
	at := p.Position()
	tree := (*ast.Policy)(p.AST())
	refuse := func(format string, args ...any) (Statement, error) {
		return Statement{}, invalid(d, at.Line, at.Column, format, args...)
	}
	sum := sha256.Sum256(p.MarshalCedar())
	s := Statement{
		Policy: d.Name, ID: "#" + strconv.Itoa(i+1), Effect: "permit", Hash: hex.EncodeToString(sum[:]), Line: at.Line, offset: at.Offset,
		cedar: p, forbid: p.Effect() == cedar.Forbid, team: d.Team, observe: d.Observe,
	}
	if s.forbid {
		s.Effect = "forbid"
	} else if d.Guardrail {
		return refuse("a guardrail only forbids")
	}
	for _, a := range tree.Annotations {
		v := string(a.Value)
		if strings.TrimSpace(v) == "" || len(v) > maxAnnotation {
			return refuse("@%s needs a value of at most %d bytes", a.Key, maxAnnotation)
		}
		ok := true
		switch a.Key {
		case "id":
			s.ID = v
		case "reason":
			s.Reason = v
		case "owner":
			s.Owner = v
		case "hold":
			s.Hold, ok = parseHold(v)
		case "redact":
			s.Redact, ok = parseNames(v)
		case "limit":
			s.Limits, ok = parseLimits(v)
		default:
			return refuse("there is no annotation @%s; there are @id, @reason, @owner, @hold, @redact and @limit", a.Key)
		}
		if !ok {
			return refuse("@%s(%q) cannot be read", a.Key, v)
		}
	}
	s.obliged = s.Hold != nil || s.Redact != nil || s.Limits != nil
	if err := c.validator.Policy(s.ID, tree); err != nil {
		return Statement{}, c.complain(d, at.Offset, tree, err)
	}
	s.scope = [2]scopeOf{scopeFrom(tree.Principal), scopeFrom(tree.Resource)}
	s.actions = actionsFrom(tree.Action)
	if u, ok := c.unknown(&s, tree); ok {
		line, column := locate(d.Cedar, at.Offset, u.String())
		return Statement{}, invalid(d, line, column, "%s is not one of the values of %s", u, u.Type)
	}
	s.finish(tree)
	return s, nil
}

// complain says what the validator refused, and where.
func (c *Compiler) complain(d *Document, from int, tree *ast.Policy, err error) error {
	b := &blamer{c: c, tree: tree}
	at, why, ok := b.find()
	if ok {
		if b.some {
			why += "; name the actions that are meant in the scope"
		}
		line, column := placeOf(d.Cedar, place(d.Cedar, from, tree, at))
		return invalid(d, line, column, "%s", why)
	}
	// It is the scope: at what the complaint names, if it stands there.
	why = explain(err)
	offset := next(d.Cedar, from).from
	if _, rest, ok := strings.Cut(why, "`"); ok {
		name, _, _ := strings.Cut(rest, "`")
		if i := strings.Index(d.Cedar[from:], name); i >= 0 {
			offset = from + i
		}
	}
	line, column := placeOf(d.Cedar, offset)
	return invalid(d, line, column, "%s", why)
}

// unknown finds a value of an enumerated type that the type does not have, which
// cedar-go's validator lets pass.
func (c *Compiler) unknown(s *Statement, tree *ast.Policy) (found types.EntityUID, ok bool) {
	look := func(u types.EntityUID) {
		if e, isEnum := c.schema.Enums[u.Type]; isEnum && !slices.Contains(e.Values, u) && !ok {
			found, ok = u, true
		}
	}
	look(s.scope[0].entity)
	look(s.scope[1].entity)
	for _, cond := range tree.Conditions {
		ast.Inspect(ast.NewNode(cond.Body), func(n ast.IsNode) bool {
			if v, isValue := n.(ast.NodeValue); isValue {
				walkValue(v.Value, look)
			}
			return true
		})
	}
	return found, ok
}

// finish works out beforehand what each decision needs of a statement.
func (s *Statement) finish(tree *ast.Policy) {
	for _, cond := range tree.Conditions {
		ast.Inspect(ast.NewNode(cond.Body), func(n ast.IsNode) bool {
			switch n := n.(type) {
			case ast.NodeTypeHasTag:
				s.path(n.Left, n.Right)
			case ast.NodeTypeGetTag:
				s.path(n.Left, n.Right)
			}
			return true
		})
	}
	// What the evaluator does not know, cedar-go evaluates.
	if when, err := compileConditions(tree.Conditions); err == nil {
		s.when = when
	}
	s.ref = activity.PolicyRef{Policy: s.Policy, Statement: s.ID, Hash: s.Hash}
	for _, l := range s.Limits {
		s.limits = append(s.limits, Limit{l, s.Policy + "/" + s.ID})
	}
	text := func(code, words string) activity.Reason {
		if s.Reason != "" {
			words = s.Reason
		}
		return activity.Reason{Code: code, Text: words}
	}
	s.texts = reasonTexts{
		forbid: text("policy.forbid", "the statement "+s.ID+" forbids it"),
		hold:   text("policy.hold", "the statement "+s.ID+" asks a person"),
		failed: activity.Reason{Code: "policy.error", Text: "the statement " + s.ID + " could not be evaluated"},
	}
}

// path notes a tag that a statement reads of the call's arguments.
func (s *Statement) path(of, n ast.IsNode) {
	if p, ok := contextPath(of); !ok || !strings.HasPrefix(p, "args.") {
		return // a label of an agent
	}
	if v, ok := n.(ast.NodeValue); ok {
		if text, ok := v.Value.(types.String); ok {
			if !slices.Contains(s.paths, text) {
				s.paths = append(s.paths, text)
			}
			return
		}
	}
	s.anyPath = true
}

func walkValue(v types.Value, uid func(types.EntityUID)) {
	switch v := v.(type) {
	case types.EntityUID:
		uid(v)
	case types.Set:
		for e := range v.All() {
			walkValue(e, uid)
		}
	case types.Record:
		for e := range v.Values() {
			walkValue(e, uid)
		}
	}
}

func scopeFrom(n ast.IsScopeNode) scopeOf {
	switch n := n.(type) {
	case ast.ScopeTypeEq:
		return scopeOf{entity: n.Entity, equal: true}
	case ast.ScopeTypeIn:
		return scopeOf{entity: n.Entity}
	case ast.ScopeTypeIs:
		return scopeOf{typ: n.Type}
	case ast.ScopeTypeIsIn:
		return scopeOf{typ: n.Type, entity: n.Entity}
	}
	return scopeOf{}
}

func actionsFrom(n ast.IsScopeNode) (set actionSet) {
	switch n := n.(type) {
	case ast.ScopeTypeEq:
		return actionBit(string(n.Entity.ID))
	case ast.ScopeTypeIn:
		return actionBit(string(n.Entity.ID))
	case ast.ScopeTypeInSet:
		for _, u := range n.Entities {
			set |= actionBit(string(u.ID))
		}
		return set
	}
	return allActions
}

// locate finds line and column of an entity, from an offset on.
func locate(text string, from int, what string) (line, column int) {
	return placeOf(text, from+max(0, strings.Index(text[from:], what)))
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func parseNames(v string) ([]string, bool) {
	var out []string
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		if !nameForm.MatchString(part) {
			return nil, false
		}
		out = append(out, part)
	}
	return out, true
}

func parseHold(v string) ([]HoldGroup, bool) {
	var out []HoldGroup
	for part := range strings.SplitSeq(v, ",") {
		name, count, counted := strings.Cut(strings.TrimSpace(part), ":")
		g := HoldGroup{name, 1}
		if counted {
			n, err := strconv.Atoi(count)
			if err != nil || n < 1 || n > maxHoldPeople {
				return nil, false
			}
			g.Count = n
		}
		if !nameForm.MatchString(name) {
			return nil, false
		}
		out = append(out, g)
	}
	return out, true
}

var limitForm = regexp.MustCompile(`^[1-9][0-9]{0,8}/[smhd] by (agent|instance|user|team|resource)$`)

func parseLimits(v string) ([]string, bool) {
	var out []string
	for part := range strings.SplitSeq(v, ",") {
		part = strings.TrimSpace(part)
		if !limitForm.MatchString(part) {
			return nil, false
		}
		out = append(out, part)
	}
	return out, true
}
