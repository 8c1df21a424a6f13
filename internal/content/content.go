// Package content finds secrets and personal data in what agents say and are
// told, and blocks, redacts or flags it.
//
// What for: a prompt, an argument or an answer may hold a password, a card
// number or one of Reeve's own keys. Rules say what happens then, for whom and
// in which direction, before it is forwarded and before anything is stored.
//
// Who calls it: the door asks a Plan about each request and each answer; api
// and the command line put, list, delete and try rules.
//
// Promises: Set.For takes no lock; a Plan never changes. What is redacted stays
// valid JSON. Escapes of JSON hide nothing. A message that was scanned is not
// scanned again while the rules are the same. A stream holds back at most 256
// decoded bytes, only where a block or redact rule applies, and gives the same
// whatever pieces it comes in. Findings never contain what was found.
//
// How it fails: content.blocked for what a rule blocks; content.unreadable for a
// body that a rule must read and cannot (compressed, binary); content.class for
// an unknown class; changes fail with content.invalid, content.not_found,
// content.revision and content.pattern.
//
// Start reading at Set.For and Plan.Request, then engine.go; stream.go has the
// answers, secrets.go and personal.go what is looked for.
package content

import (
	"slices"
	"strings"

	"reeve/internal/fault"
)

// Action is what happens to what is found.
type Action uint8

// The actions, strictest last.
const (
	Flag        Action = iota + 1 // noted; nothing changes
	RedactStore                   // forwarded as it is, stored without
	Redact                        // neither forwarded nor stored
	Block                         // the call is refused, an answer is cut
)

var actionNames = [...]string{"", "flag", "redact_store", "redact", "block"}

// String is the action's stable name.
func (a Action) String() string { return actionNames[a] }

func parseAction(s string) (Action, bool) {
	i := slices.Index(actionNames[:], s)
	return Action(max(i, 0)), i > 0
}

// Found says that something was found, and never what.
type Found struct {
	Class  string // "secret.aws-access-token", "pii.payment.card", "custom.ticket"
	Rule   string // the content rule whose action was taken; "" for our own keys by default
	Action Action
	Count  int
}

// classes are all but those of secrets and patterns.
var classes = []string{"pii.email", "pii.phone", "pii.payment.iban", "pii.payment.card", "pii.national_id", "pii.ip", OwnKeys}

// Classes lists what can be looked for, beside the house's own patterns. A rule
// may name a class or what it lies below: "pii", "pii.payment", "secret".
func Classes() []string {
	out := slices.Clone(classes)
	rules, err := secretRules()
	if err != nil {
		return out
	}
	for _, r := range rules {
		out = append(out, r.class)
	}
	slices.Sort(out)
	return out
}

// known reports whether a class, or something below it, can be looked for.
func known(class string, patterns []*pattern) bool {
	if strings.HasPrefix(class, "custom") {
		return slices.ContainsFunc(patterns, func(p *pattern) bool { return covers(class, p.class) })
	}
	return slices.ContainsFunc(Classes(), func(c string) bool { return covers(class, c) })
}

func blocked(f Found) error {
	return fault.New(fault.KindDenied, "content.blocked", "the content holds %s, which rule %s blocks", f.Class, f.Rule).
		WithHint("leave it out; whoever keeps the rules can say what is allowed")
}

// Unreadable refuses a body that a rule must read and cannot; why is what it is:
// compressed, broken.
func Unreadable(why string) *fault.Error {
	return fault.New(fault.KindDenied, "content.unreadable", "the body is %s, and a content rule must read it", why).
		WithHint("send it as plain, uncompressed text or JSON")
}
