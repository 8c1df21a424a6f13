// Package incident makes incidents of signals: findings and alerts that have one
// cause as far as is known, with what people did about them.
//
// What for: one broken tool makes a thousand alerts. A person needs the one
// incident, why each signal is in it, who is touched, what can be done, and
// afterwards what to learn from it.
//
// Who calls it: app hands in signals (Take) as findings and alerts change; api
// lists, acts, merges, splits and reviews; app runs it.
//
// Promises: a signal that was taken is placed in memory when Take returns, with
// reasons, and is stored at most FlushEvery later; a signal that repeats joins
// where it is and costs no write of its own. Each join, merge and split can be
// taken back. What people said is never undone by a machine: what they split
// stays apart. Acts of people are in the audit log. Memory is bounded. Safe for
// concurrent use.
//
// How it fails: Take never fails: what could not be stored is tried again with
// the next, and Stats counts it. Acts answer incident.not_found,
// incident.state, incident.conflict, incident.invalid, incident.denied.
//
// Start reading at Signal and Book.Take, then engine.go for how signals are
// joined and weights.go for what people's verdicts change.
package incident

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// The states of an incident.
const (
	Open         = "open"
	Acknowledged = "acknowledged"
	Mitigated    = "mitigated"
	Resolved     = "resolved"
	Reviewed     = "reviewed"
	Merged       = "merged" // into another; it is kept to be taken back
)

// Severities, mildest first.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

var severities = []string{Info, Warning, Critical}

// The kinds of an incident, by what went wrong for people.
const (
	WrongAnswer = "wrong_answer"
	WrongAction = "wrong_action"
	Outage      = "outage" // something does not answer, or not in time
)

// Signal is a finding or an alert as far as incidents read it. Empty fields are
// unknown.
type Signal struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind"` // finding, alert
	Fingerprint string            `json:"fingerprint"`
	At          time.Time         `json:"at"` // by its sender
	Resolved    bool              `json:"resolved,omitempty"`
	Severity    string            `json:"severity"`
	Title       string            `json:"title"`
	Text        string            `json:"text,omitempty"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Agent       string            `json:"agent,omitempty"`
	Peer        string            `json:"peer,omitempty"` // an agent that it acts for or calls
	Version     string            `json:"version,omitempty"`
	Tool        string            `json:"tool,omitempty"` // upstream__tool, or a name alone
	Model       string            `json:"model,omitempty"`
	Provider    string            `json:"provider,omitempty"`
	Source      string            `json:"source,omitempty"` // data that was read
	Policy      string            `json:"policy,omitempty"`
	Run         string            `json:"run,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Claimed     bool              `json:"claimed,omitempty"` // the agent's name is not proved
}

// Node is something that signals are about.
type Node struct {
	Kind  string `json:"kind"` // agent, tool, server, model, provider, source, policy, version, run
	Value string `json:"value"`
}

// Reason is why a signal is where it is, in words.
type Reason struct {
	Rule   string  `json:"rule"`
	Text   string  `json:"text"`
	Weight float64 `json:"weight"` // as it counted
}

// Member is a signal of an incident.
type Member struct {
	Signal
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Count   int64     `json:"count"`
	Score   float64   `json:"score"` // by which it joined; 1 for the one that opened it
	Reasons []Reason  `json:"reasons"`
	By      string    `json:"by,omitempty"` // the person who put it here; "" Reeve itself
}

// Incident is one, as it is stored.
type Incident struct {
	ID          string    `json:"-"`
	Number      int64     `json:"-"`
	State       string    `json:"-"`
	Severity    string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	OpenedAt    time.Time `json:"-"`
	LastAt      time.Time `json:"-"`
	ResolvedAt  time.Time `json:"-"`
	People      int64     `json:"-"` // affected; -1 unknown
	Revision    int64     `json:"-"`

	Title          string    `json:"title"`
	Named          bool      `json:"named,omitempty"`  // by a person: the title stays
	Rated          bool      `json:"rated,omitempty"`  // by a person: the severity stays
	Kind           string    `json:"kind,omitempty"`   // wrong_answer, wrong_action, outage; "" unknown
	Typed          bool      `json:"typed,omitempty"`  // by a person
	Manual         string    `json:"manual,omitempty"` // the person who opened it by hand
	Owner          string    `json:"owner,omitempty"`  // a person
	Lead           string    `json:"lead,omitempty"`
	Communications string    `json:"communications,omitempty"`
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	MitigatedAt    time.Time `json:"mitigated_at,omitzero"`
	ReviewedAt     time.Time `json:"reviewed_at,omitzero"`
	QuietAt        time.Time `json:"quiet_at,omitzero"` // since when no signal of it fires
	MergedInto     string    `json:"merged_into,omitempty"`
	Cause          *Node     `json:"cause,omitempty"` // what most of its signals share, beyond one agent
	CauseText      string    `json:"cause_text,omitempty"`
	Signals        int       `json:"signals"`
	Firing         int       `json:"firing"`
	Occurrences    int64     `json:"occurrences"`
	Agents         []string  `json:"agents,omitempty"`
	Nodes          []Node    `json:"nodes,omitempty"` // the most shared first
	Places         []Place   `json:"places,omitempty"`
	Runs           int64     `json:"runs"`             // affected
	Apart          []string  `json:"apart,omitempty"`  // fingerprints and incidents that people said do not belong
	Held           bool      `json:"held,omitempty"`   // people put it together
	Listed         int       `json:"listed,omitempty"` // entries of signals on its timeline
}

// Place is a team and environment that an incident touches.
type Place struct {
	Team        string `json:"team,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// Live reports whether somebody still has to do something.
func (i *Incident) Live() bool {
	return i.State == Open || i.State == Acknowledged || i.State == Mitigated
}

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
	// Opened is told of an incident when it was stored first, when it becomes
	// worse and when it comes back; it must be quick. May be nil.
	Opened func(i Incident, why string)
	// Changed is told of each change by a person. May be nil.
	Changed func(i Incident)
	// Reach counts whom incidents touch; nil leaves that unknown.
	Reach Reach
	// Key digests the users who were told; keep it, or they are told again.
	Key []byte
	// AgentPlace is where a registered agent belongs; nil: nobody knows. An incident
	// is opened with agents of the opener's places alone.
	AgentPlace func(name string) (team, environment string, ok bool)
	// Hands are what can be done about an incident; nil offers nothing.
	Hands Hands
	// Unrecovered says what has to be well again before an incident may be resolved,
	// "" for nothing; nil asks for nothing. It is asked outside of every lock.
	Unrecovered func(ctx context.Context, i Incident) (string, error)
	// Uses is what agents were seen to use lately, beyond what their signals said; it is
	// asked now and then. nil: what signals say is all that is known.
	Uses func(ctx context.Context) ([]Use, error)
	// FlushEvery is how long a placed signal may wait to be stored: 0 is DefaultFlush.
	FlushEvery time.Duration
	// Settle is how long an incident that nobody took up stays open once nothing
	// of it fires: 0 is 15 minutes.
	Settle time.Duration
}

// DefaultFlush is how long a placed signal waits at most to be stored with others.
const DefaultFlush = 25 * time.Millisecond

const (
	maxMembers = 2000 // kept of one incident; more are counted
	maxOpen    = 5000
	maxEntries = 400 // of signals on one timeline; what people do always is
	maxText    = 2000
	maxTitle   = 200
	maxLabels  = 40
	// comesBack is for how long after its end a signal that fires again belongs
	// to the same incident.
	comesBack = time.Hour
	keep      = 400 * 24 * time.Hour
)

// Book is all incidents. Make one with New, start it with Run.
type Book struct {
	o Options

	mu       sync.Mutex // guards what follows
	engine   *engine
	silences []*Silence
	muted    map[string]Signal // firing signals that a silence holds back, by fingerprint
	dirty    map[string]*group // to be stored
	out      outgoing          // what belongs to no one incident and is not stored yet
	revision int64             // of the weights
	stats    Stats
	lastMS   int64 // of the last incident opened, and how many in that ms
	sameMS   uint32
	wake     chan struct{}
	writing  sync.Mutex // one flush at a time; taken before mu
}

// Stats count what the book did since it was made.
type Stats struct {
	Taken   int64 // signals
	Again   int64 // of those, repetitions
	Joined  int64
	Opened  int64
	Silent  int64
	Absorbs int64 // incidents that were merged by themselves
	Failed  int64 // writes
	Lost    int64 // signals for which there was no room
}

func newBook(o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("incident: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FlushEvery <= 0 {
		o.FlushEvery = DefaultFlush
	}
	if o.Settle <= 0 {
		o.Settle = 15 * time.Minute
	}
	return &Book{o: o, engine: newEngine(), muted: map[string]Signal{}, dirty: map[string]*group{}, wake: make(chan struct{}, 1)}, nil
}

func (b *Book) now() time.Time { return b.o.Now().UTC().Truncate(time.Microsecond) }

// Stats reads the counters, and how many incidents are live by state and severity.
func (b *Book) Stats() (s Stats, live map[[2]string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	live = map[[2]string]int{}
	for _, g := range b.engine.groups {
		if g.inc.Live() {
			live[[2]string{g.inc.State, g.inc.Severity}]++
		}
	}
	return b.stats, live
}

// incidentID sorts by the order in which incidents were opened, so that they are
// numbered so too. The caller holds mu.
func (b *Book) incidentID(now time.Time) string {
	var id [15]byte
	ms := max(now.UnixMilli(), b.lastMS)
	if ms != b.lastMS {
		b.lastMS, b.sameMS = ms, 0
	}
	b.sameMS++
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[7], id[8] = byte(b.sameMS>>16), byte(b.sameMS>>8), byte(b.sameMS)
	rand.Read(id[9:])
	return "inc_" + activity.Text32(id[:])
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "incident.invalid", format, args...)
}

func notFound(what string) *fault.Error {
	return fault.New(fault.KindNotFound, "incident.not_found", "there is no such %s", what).WithHint("`reeve incident list` lists incidents")
}

func conflict(format string, args ...any) *fault.Error {
	return fault.New(fault.KindConflict, "incident.conflict", format, args...)
}

// clean makes a signal fit to be kept.
func (s *Signal) clean(now time.Time) {
	s.At = s.At.UTC().Truncate(time.Microsecond)
	if s.At.IsZero() || s.At.After(now) {
		s.At = now
	}
	if !slices.Contains(severities, s.Severity) {
		s.Severity = Warning
	}
	if s.Fingerprint == "" {
		s.Fingerprint = s.Kind + "/" + s.ID
	}
	s.Title = short(cmp.Or(strings.TrimSpace(s.Title), s.Text, "a signal without words"), maxTitle)
	s.Text = short(s.Text, maxText)
	for _, f := range []*string{&s.Team, &s.Environment, &s.Agent, &s.Peer, &s.Version, &s.Tool, &s.Model, &s.Provider, &s.Source, &s.Policy, &s.Run, &s.Fingerprint} {
		*f = short(*f, 300)
	}
	if len(s.Labels) > maxLabels {
		kept := make(map[string]string, maxLabels)
		for _, k := range sortedKeys(s.Labels)[:maxLabels] {
			kept[k] = s.Labels[k]
		}
		s.Labels = kept
	}
}

func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func worse(a, b string) string {
	if slices.Index(severities, a) >= slices.Index(severities, b) {
		return a
	}
	return b
}
