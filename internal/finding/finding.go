// Package finding keeps what detectors saw: one finding is one thing that one
// detector saw of one subject, with what was expected, what was there instead,
// and the runs and steps that show it.
//
// What for: a detector that only raises an alarm asks to be believed. A finding
// can be looked at, called useful or noise by a person, and taken back.
//
// Who calls it: package watch hands in what it saw (See); response is told of
// what is new (Options.Opened); the door asks what is open about an agent
// (About); api lists and judges; app runs it.
//
// Promises: what is seen again while it is open is the same finding and counts
// on. Opening one, and its becoming more severe, is durable before Opened is told. About never waits for the
// database. Whether the agent was authenticated in every record that led to it
// is part of a finding and never changes from claimed to authenticated. Memory
// and rows are bounded. Safe for concurrent use.
//
// How it fails: See returns the database's fault and keeps nothing; later
// sightings open it then. Judge answers finding.not_found, finding.verdict,
// finding.reason.
//
// Start reading at Finding, then Book.See.
package finding

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Severities, mildest first.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Severities lists them, mildest first.
func Severities() []string { return []string{Info, Warning, Critical} }

// Verdicts of people.
const (
	Useful = "useful"
	Noise  = "noise"
)

// Finding is what one detector saw once.
type Finding struct {
	ID          string    `json:"-"`
	Detector    string    `json:"-"` // loop, new_tool, cost, rule:NAME...
	Severity    string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	Agent       string    `json:"-"`
	Fingerprint string    `json:"-"`
	Count       int64     `json:"-"` // how often it was seen
	First       time.Time `json:"-"`
	Last        time.Time `json:"-"`
	Closed      time.Time `json:"-"` // zero: open

	Version  string `json:"version,omitempty"`
	Task     string `json:"task,omitempty"`
	Subject  string `json:"subject,omitempty"`  // the tool, model, destination it is about; "" the agent itself
	Text     string `json:"text"`               // what, in words
	Measure  string `json:"measure,omitempty"`  // the figure that was looked at
	Expected string `json:"expected,omitempty"` // in words with a unit
	Seen     string `json:"seen,omitempty"`
	Why      string `json:"why,omitempty"` // how rare that is, and by what
	// Authenticated says that each record that led here named an agent that had
	// proved who it is. Without it the name is a claim, and nothing acts on it.
	Authenticated bool     `json:"authenticated,omitempty"`
	Runs          []string `json:"runs,omitempty"` // the newest last
	Steps         []string `json:"steps,omitempty"`
	Event         int64    `json:"event,omitempty"` // ns, of the record that led here
	Lag           int64    `json:"lag,omitempty"`   // ns, from that record's arrival to the finding
	// Rose is when it became more severe last; zero: it is as severe as it began.
	Rose time.Time `json:"rose,omitzero"`

	Verdict *Verdict `json:"-"` // nil: nobody judged it
}

// Verdict is what a person said of a finding.
type Verdict struct {
	Verdict string
	Person  string // id
	Name    string
	Reason  string
	At      time.Time
}

// News is when there was last something to respond to: when it began, or became more
// severe.
func (f *Finding) News() time.Time { return later(f.First, f.Rose) }

// Open reports whether it still holds.
func (f *Finding) Open() bool { return f.Closed.IsZero() }

// Line is what was found of an agent in one line: the agent's name before the text,
// unless the text says it.
func Line(agent, text string) string {
	if agent == "" || names(text, agent) {
		return text
	}
	return agent + ": " + text
}

// names reports whether a text has a name as a word of its own.
func names(text, name string) bool {
	within := func(r rune) bool { return r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	for rest := text; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(rest[:i])
		after, _ := utf8.DecodeRuneInString(rest[i+len(name):])
		if !within(before) && !within(after) {
			return true
		}
		rest = rest[i+len(name):]
	}
}

const (
	maxEvidence = 16
	maxText     = 600
	maxOpen     = 20_000 // in memory; beyond it the oldest are closed
	// quiet is after how long without a sighting a finding is over.
	quiet = time.Hour
	// keep is how long closed findings stay.
	keep       = 90 * 24 * time.Hour
	flushEvery = 5 * time.Second
	tidyEvery  = time.Minute
)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
	// Opened is told of each finding once it is durable, and again once it became more
	// severe. It must be quick.
	Opened func(Finding)
	// Moved is told that some finding opened, went on, closed or was judged; it
	// must be quick. Moved of the Book says which. May be nil.
	Moved func()
}

// Book is all findings. Make one with New, start it with Run.
type Book struct {
	o Options

	mu       sync.RWMutex // guards what follows
	open     map[string]*entry
	byID     map[string]*entry
	byAgent  map[string][]string // words for policies of what is proved, by agent; replaced, never changed
	claims   map[claim][]string  // of what is claimed
	verdicts map[string]Verdict  // by finding
	learned  map[place]Learned
}

type entry struct {
	Finding
	dirty bool
	risen bool // it became more severe, and Opened was not told yet
}

// place is where verdicts are counted.
type place struct{ detector, agent string }

// Learned is what people's verdicts say of a detector about an agent.
type Learned struct{ Useful, Noise int }

// Factor is by how much the alarms a week change that a detector may raise: each
// noise leaves a tenth of them, each useful gives half of that step back, a hundredth
// at least, so that no click of anybody's turns a detector off, and never more than was set. The steps are large because what was told was
// rare already: half as rare would be told again.
func (l Learned) Factor() float64 {
	return math.Pow(10, min(max(float64(l.Useful)/2-float64(l.Noise), -2), 0))
}

// Effect is by how much the smallest effect grows that is told: by 30 % a noise, half
// of that back a useful, by half at most.
func (l Learned) Effect() float64 {
	return min(math.Pow(1.3, max(float64(l.Noise)-float64(l.Useful)/2, 0)), 1.5)
}

// New reads the findings that are open.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("finding: Options.DB is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o, open: map[string]*entry{}, byID: map[string]*entry{}, byAgent: map[string][]string{}, verdicts: map[string]Verdict{}}
	list, err := control.All(ctx, o.DB, scan, `SELECT `+columns+` FROM findings WHERE closed_at = 0 ORDER BY last_at`)
	if err != nil {
		return nil, fmt.Errorf("reading the findings: %w", err)
	}
	for _, f := range list {
		e := &entry{Finding: f}
		b.open[f.Fingerprint], b.byID[f.ID] = e, e
	}
	if err := b.loadVerdicts(ctx); err != nil {
		return nil, err
	}
	b.words()
	return b, nil
}

// Fingerprint names what a sighting is about, so that it is known again: its
// detector, its agent and whatever tells subjects apart. The run is not in it.
func Fingerprint(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return activity.Text32(sum[:15])
}

// See takes in what a detector saw, which is a new finding or one more sighting
// of an open one. The answer tells which, with the finding as it is now.
func (b *Book) See(ctx context.Context, f Finding) (Finding, bool, error) {
	b.complete(&f)
	b.mu.Lock()
	if e := b.open[f.Fingerprint]; e != nil && f.First.Sub(e.Last) < quiet {
		again := e.again(&f)
		out, risen := b.shape(&e.Finding), e.risen
		b.mu.Unlock()
		switch {
		case again: // what was claimed is proved now: that is news
			return b.renew(ctx, f, out)
		case risen:
			return out, false, b.rise(ctx, out)
		}
		return out, false, nil
	}
	b.mu.Unlock()
	return b.begin(ctx, f)
}

// again counts a sighting on. It reports whether the sighting is authenticated
// while the finding is not: such a finding is closed and opened anew, since what
// acted on nothing may be acted on now. What is only claimed adds nothing to a
// finding that is proved: it would be made worse by who has proved nothing.
func (e *entry) again(f *Finding) bool {
	switch {
	case f.Authenticated && !e.Authenticated:
		return true
	case e.Authenticated && !f.Authenticated:
		return false
	}
	e.Count++
	e.Last, e.Seen, e.dirty = later(e.Last, f.Last), cmp.Or(f.Seen, e.Seen), true
	if slices.Index(Severities(), f.Severity) > slices.Index(Severities(), e.Severity) {
		e.Severity, e.Text, e.Rose, e.risen = f.Severity, f.Text, f.Last, true
		if f.Event > 0 { // what follows is counted from the record that made it worse
			e.Event, e.Lag = f.Event, f.Lag
		}
	}
	for _, r := range f.Runs {
		e.Runs = evidence(e.Runs, r)
	}
	for _, s := range f.Steps {
		e.Steps = evidence(e.Steps, s)
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// evidence adds an id: the first ones stay, since they show how it began.
func evidence(list []string, id string) []string {
	if id == "" || slices.Contains(list, id) {
		return list
	}
	if len(list) >= maxEvidence {
		list = slices.Delete(slices.Clone(list), maxEvidence/2, maxEvidence/2+1)
	}
	return append(slices.Clip(list), id)
}

func (b *Book) complete(f *Finding) {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	f.ID = activity.Mint("fnd_", now.UnixNano())
	f.First, f.Last, f.Closed, f.Count, f.Verdict = now, now, time.Time{}, 1, nil
	if !slices.Contains(Severities(), f.Severity) {
		f.Severity = Warning
	}
	if f.Fingerprint == "" {
		f.Fingerprint = Fingerprint(f.Detector, f.Team, f.Environment, f.Agent, f.Subject)
	}
	for _, s := range []*string{&f.Text, &f.Why, &f.Expected, &f.Seen, &f.Subject} {
		if len(*s) > maxText {
			*s = strings.ToValidUTF8((*s)[:maxText], "")
		}
	}
	f.Runs, f.Steps = tail(f.Runs), tail(f.Steps)
}

func tail(list []string) []string { return slices.Clone(list[max(0, len(list)-maxEvidence):]) }

// rise makes durable that a finding became more severe, and tells of it as of a new
// one: what follows from a critical finding follows from it too. The sighting after
// one that could not be written tries again.
func (b *Book) rise(ctx context.Context, f Finding) error {
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := f.write(ctx, tx); err != nil {
			return err
		}
		if err := event(ctx, tx, "finding.updated", &f); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			// One that rose further meanwhile is told of by that sighting.
			if e := b.byID[f.ID]; e != nil && e.Severity == f.Severity {
				e.risen = false
			}
			b.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping that a finding of %s about %s is %s: %w", f.Detector, f.Agent, f.Severity, err)
	}
	if b.o.Opened != nil {
		b.o.Opened(f)
	}
	b.moved()
	return nil
}

func (b *Book) renew(ctx context.Context, f, old Finding) (Finding, bool, error) {
	if err := b.close(ctx, []string{old.ID}); err != nil {
		return Finding{}, false, err
	}
	return b.begin(ctx, f)
}

// begin makes a finding durable and tells of it.
func (b *Book) begin(ctx context.Context, f Finding) (Finding, bool, error) {
	b.mu.RLock()
	var over []string // its earlier self, which is long quiet, and the oldest of too many
	if e := b.open[f.Fingerprint]; e != nil {
		over = append(over, e.ID)
	}
	full := len(b.open) >= maxOpen
	b.mu.RUnlock()
	if full {
		over = append(over, b.oldest(maxOpen/20)...)
	}
	if len(over) > 0 {
		if err := b.close(ctx, over); err != nil {
			return Finding{}, false, err
		}
	}
	e := &entry{Finding: f}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := f.write(ctx, tx); err != nil {
			return err
		}
		if err := event(ctx, tx, "finding.opened", &f); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.open[f.Fingerprint], b.byID[f.ID] = e, e
			b.words()
			b.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return Finding{}, false, fmt.Errorf("keeping a finding of %s about %s: %w", f.Detector, f.Agent, err)
	}
	if b.o.Opened != nil {
		b.o.Opened(f)
	}
	b.moved()
	return f, true, nil
}

func (b *Book) oldest(n int) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := make([]*entry, 0, len(b.open))
	for _, e := range b.open {
		all = append(all, e)
	}
	// Anybody can claim as much as there is room for: that goes first.
	slices.SortFunc(all, func(x, y *entry) int {
		if x.Authenticated != y.Authenticated {
			if x.Authenticated {
				return 1
			}
			return -1
		}
		return x.Last.Compare(y.Last)
	})
	out := make([]string, 0, n)
	for _, e := range all[:min(n, len(all))] {
		out = append(out, e.ID)
	}
	return out
}

// event tells live views; its data names who may see it.
func event(ctx context.Context, tx *control.Tx, kind string, f *Finding) error {
	data, err := json.Marshal(map[string]any{
		"id": f.ID, "detector": f.Detector, "severity": f.Severity, "agent": f.Agent, "team": f.Team, "environment": f.Environment,
		"open": f.Open(), "count": f.Count, "authenticated": f.Authenticated,
	})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: f.ID, Data: data})
}

// words brings what policies read up to date. The caller holds the lock.
func (b *Book) words() {
	proved, claimed := map[string][]string{}, map[claim][]string{}
	for _, e := range b.open {
		if v, ok := b.verdicts[e.ID]; ok && v.Verdict == Noise || e.Agent == "" {
			continue
		}
		if e.Authenticated {
			if !slices.Contains(proved[e.Agent], e.Detector) {
				proved[e.Agent] = append(proved[e.Agent], e.Detector)
			}
			continue
		}
		by := claim{e.Team, e.Agent}
		if w := "claimed:" + e.Detector; !slices.Contains(claimed[by], w) {
			claimed[by] = append(claimed[by], w)
		}
	}
	for _, list := range proved {
		slices.Sort(list)
	}
	for _, list := range claimed {
		slices.Sort(list)
	}
	b.byAgent, b.claims = proved, claimed
}

// claim is an agent as the telemetry of a team names it; that of nobody's key (dev
// mode) has no team.
type claim struct{ team, agent string }

// About is what is open about an agent, as policies read it in
// context.findings: the detector's name, with "claimed:" before it when the
// agent had not proved who it is. What people called noise is not in it. The
// answer is shared: do not change it. What another team's telemetry claims about
// the agent is not in it either: or whoever may send could have calls of others
// refused.
func (b *Book) About(agent, team string) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	proved, own := b.byAgent[agent], b.claims[claim{team, agent}]
	var nobodys []string
	if team != "" {
		nobodys = b.claims[claim{"", agent}]
	}
	if len(own) == 0 && len(nobodys) == 0 {
		return proved
	}
	out := slices.Concat(own, nobodys, proved)
	slices.Sort(out)
	return slices.Compact(out)
}

// Counts is how many findings are open, by detector and severity.
func (b *Book) Counts() map[[2]string]int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[[2]string]int{}
	for _, e := range b.open {
		out[[2]string{e.Detector, e.Severity}]++
	}
	return out
}

// Learned is what people said of a detector's findings about an agent.
func (b *Book) Learned(detector, agent string) Learned {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.learned[place{detector, agent}]
}

// Adjusted are the agents about whom people judged a detector's findings.
func (b *Book) Adjusted(detector string) map[string]Learned {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[string]Learned{}
	for at, l := range b.learned {
		if at.detector == detector && l != (Learned{}) {
			out[at.agent] = l
		}
	}
	return out
}

// shape is a finding as others see it. The caller holds a lock.
func (b *Book) shape(f *Finding) Finding {
	out := *f
	out.Runs, out.Steps = slices.Clone(f.Runs), slices.Clone(f.Steps)
	if v, ok := b.verdicts[f.ID]; ok {
		out.Verdict = &v
	}
	return out
}

func (b *Book) moved() {
	if b.o.Moved != nil {
		b.o.Moved()
	}
}

func notFound() error {
	return fault.New(fault.KindNotFound, "finding.not_found", "there is no such finding").WithHint("`reeve finding list` lists them")
}

// OneLine is a sender's word as one line.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
