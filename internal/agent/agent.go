// Package agent is the register of agents: who each one is, how far it may go,
// and the keys it presents.
//
// What for: an agent that acts has a name, a team that answers for it, a
// lifecycle, an autonomy and perhaps a containment. The door and the decisions
// read them for every call.
//
// Who calls it: gateway and token checks look agents and keys up; api changes
// them for people; stop raises an agent's epoch; app opens and runs it.
//
// Promises: look-ups take no lock and no database, and an *Agent never changes
// once it was handed out. A change is checked against who asks and its reason,
// kept as a revision, recorded in the audit log and in force when the call that
// made it returns. Names never change and are never used again. Keys are
// stored as hashes, compared in constant time, shown once, and live 90 days at
// most. Safe for concurrent use.
//
// How it fails: agent.denied, agent.invalid, agent.not_found, agent.exists,
// agent.alias_taken, agent.conflict for a change of an older revision,
// agent.transition for a step that the lifecycle does not have,
// agent.release_needed for a containment that would loosen one, agent.pin_chain
// and agent.not_pinned for pins. A key that is
// unknown, expired, revoked or used from elsewhere is agent.key, which never
// says which.
//
// Start reading at Agent, then Registry; change.go has what people do, pin.go what
// they hold it to, key.go the keys.
package agent

import (
	"maps"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
)

// Lifecycles.
const (
	Draft      = "draft"
	Pilot      = "pilot"
	Production = "production"
	Retired    = "retired"
)

// How far an agent may go by itself, the strictest first.
const (
	ReadOnly   = "read_only"  // it may think and read
	Supervised = "supervised" // writes are held
	Bounded    = "bounded"    // destructive acts are held
	Autonomous = "autonomous"
)

// Containments beside ReadOnly and Supervised.
const (
	None        = "none"
	Throttled   = "throttled"
	Quarantined = "quarantined" // nothing at all
)

// Enforcements: observe records the verdict it would have given.
const (
	Observe = "observe"
	Enforce = "enforce"
)

// Where an agent came from.
const (
	OriginRegistered = "registered"
	OriginAdopted    = "adopted" // from telemetry
	OriginDev        = "dev"     // made by --dev for a call without a credential
)

// The vocabularies; order is meaning for autonomies and containments.
var (
	autonomies   = []string{ReadOnly, Supervised, Bounded, Autonomous}
	containments = []string{None, Throttled, Supervised, ReadOnly, Quarantined}
	lifecycles   = []string{Draft, Pilot, Production, Retired}
	kinds        = []string{"internal", "third_party"}
	modes        = []string{"interactive", "autonomous", "asynchronous"}
	enforcements = []string{Observe, Enforce}
	contents     = []string{"full", "metadata"}
	aliasKinds   = []string{"name", "agent_id", "service"}
)

// Agent is a registered agent at one revision. Values that the Registry hands
// out are shared: do not change them.
type Agent struct {
	Name          string            `json:"name"`
	Team          string            `json:"team"`
	Owner         string            `json:"owner"`
	Sponsor       string            `json:"sponsor,omitempty"`
	Purpose       string            `json:"purpose"`
	Kind          string            `json:"kind"`
	Environment   string            `json:"environment"`
	Mode          string            `json:"mode"`
	Lifecycle     string            `json:"lifecycle"`
	Autonomy      string            `json:"autonomy"`
	Containment   string            `json:"containment"`
	Enforcement   string            `json:"enforcement"`
	Content       string            `json:"content"`
	Task          string            `json:"task,omitempty"`
	Origin        string            `json:"origin"`
	Version       string            `json:"-"` // as last observed; "" unknown
	DataClasses   []string          `json:"data_classes,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Epoch         int64             `json:"-"` // raised by a stop: older credentials are dead
	ContainedTill time.Time         `json:"contained_till,omitzero"`
	ObserveTill   time.Time         `json:"observe_till,omitzero"`
	Pins          []Pin             `json:"pins,omitempty"` // those whose time is over too, for a moment
	CreatedAt     time.Time         `json:"-"`
	UpdatedAt     time.Time         `json:"-"`
	Revision      int64             `json:"-"`
	Aliases       []Alias           `json:"aliases,omitempty"`
	MergedInto    string            `json:"merged_into,omitempty"` // the agent that it turned out to be; it is retired then
	MergedAs      string            `json:"merged_as,omitempty"`   // its lifecycle before
}

// Alias is a way by which telemetry is recognised as an agent's.
type Alias struct {
	Kind  string `json:"kind"` // name, agent_id, service
	Value string `json:"value"`
}

// Contained is the containment in force at now: one with an end is over then,
// also before Run has written so.
func (a *Agent) Contained(now time.Time) string {
	if !a.ContainedTill.IsZero() && !now.Before(a.ContainedTill) {
		return None
	}
	return a.Containment
}

// Enforced reports whether verdicts are enforced at now.
func (a *Agent) Enforced(now time.Time) bool {
	return a.Enforcement != Observe || !a.ObserveTill.IsZero() && !now.Before(a.ObserveTill)
}

// clone is a copy that shares nothing, to change.
func (a *Agent) clone() *Agent {
	c := *a
	c.Pins = slices.Clone(a.Pins)
	c.DataClasses, c.Aliases, c.Labels = slices.Clone(a.DataClasses), slices.Clone(a.Aliases), maps.Clone(a.Labels)
	return &c
}

// Bounds of what comes from outside.
const (
	maxText    = 200
	maxPurpose = 2000
	maxLabels  = 32
	maxClasses = 32
	maxAliases = 32
	maxReason  = 1000
	maxAgents  = 100_000
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "agent.invalid", format, args...)
}

// ValidName reports whether a name can be an agent's. One form only, lower
// case, so that no two names look alike and each fits into a URL and an
// identity's path as it is.
func ValidName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && strings.IndexByte("._-", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// plain is text of one line without control characters.
func plain(s string, limit int) bool {
	return len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}

// oneOf checks a word of a vocabulary.
func oneOf(field, word string, words []string) error {
	if slices.Contains(words, word) {
		return nil
	}
	return invalid("%s is %q", field, cut(word)).WithHint("one of %s", strings.Join(words, ", "))
}

func cut(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

// check refuses an agent that cannot be kept.
func (a *Agent) check() error {
	switch {
	case !ValidName(a.Name):
		return invalid("an agent's name is %q", cut(a.Name)).WithHint("lower-case letters, digits and . _ -, at most 64, a letter or digit first")
	case a.Team == "" || !plain(a.Team, 64) || a.Environment == "" || !plain(a.Environment, 64) || a.Team == "*" || a.Environment == "*":
		return invalid("an agent belongs to one team and one environment")
	case a.Owner == "" || !plain(a.Owner, maxText):
		return invalid("an agent needs an owner").WithHint("a person's name, at most %d bytes", maxText)
	case !plain(a.Sponsor, maxText) || !plain(a.Task, maxText):
		return invalid("sponsor and task are lines of at most %d bytes", maxText)
	case a.Purpose == "" || len(a.Purpose) > maxPurpose:
		return invalid("an agent needs a purpose").WithHint("say in a sentence what it is for, at most %d bytes", maxPurpose)
	case len(a.Pins) > maxPins:
		return invalid("an agent has at most %d pins", maxPins)
	case len(a.Labels) > maxLabels || len(a.DataClasses) > maxClasses || len(a.Aliases) > maxAliases:
		return invalid("at most %d labels, %d data classes and %d aliases", maxLabels, maxClasses, maxAliases)
	}
	for k, v := range a.Labels {
		if k == "" || strings.ContainsAny(k, "= ") || !plain(k, 64) || !plain(v, maxText) {
			return invalid("label %q cannot be kept", cut(k)).WithHint("a name without = or spaces, and a line of at most %d bytes", maxText)
		}
	}
	for _, c := range a.DataClasses {
		if !ValidName(c) {
			return invalid("data class %q cannot be kept", cut(c)).WithHint("lower-case letters, digits and . _ -")
		}
	}
	seen := map[Alias]bool{}
	for _, al := range a.Aliases {
		if err := oneOf("an alias's kind", al.Kind, aliasKinds); err != nil {
			return err
		}
		if al.Value == "" || !plain(al.Value, maxText) || seen[al] {
			return invalid("alias %q is empty, too long or there twice", cut(al.Value))
		}
		seen[al] = true
	}
	for _, w := range []struct {
		field, word string
		words       []string
	}{
		{"kind", a.Kind, kinds},
		{"mode", a.Mode, modes},
		{"lifecycle", a.Lifecycle, lifecycles},
		{"autonomy", a.Autonomy, autonomies},
		{"containment", a.Containment, containments},
		{"enforcement", a.Enforcement, enforcements},
		{"content", a.Content, contents},
	} {
		if err := oneOf(w.field, w.word, w.words); err != nil {
			return err
		}
	}
	return nil
}
