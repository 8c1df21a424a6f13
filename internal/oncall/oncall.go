// Package oncall knows who is on call, and calls people until one answers.
//
// What for: an incident at night is somebody's, by name. A schedule says whose,
// an escalation policy who is next when nobody answers, and a page is one such
// calling that goes on over restarts.
//
// Who calls it: app starts pages for incidents and approvals (Begin), hands in
// what came of deliveries (Settled) and answers (Answer); api and the command
// line keep schedules, policies and contacts, and show pages.
//
// Promises: each level is called in the transaction that notes it, once; the
// next one at its time, or at once when nothing of a level can have arrived or
// nobody knows. What cannot be known to have arrived is shown as unknown. Times
// are computed in the schedule's own zone, over changes of the clock too. Safe
// for concurrent use.
//
// How it fails: oncall.not_found, oncall.invalid, oncall.denied, oncall.conflict.
//
// Start reading at Schedule.At for who, page.go for how long.
package oncall

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Rotation hands call on from person to person.
type Rotation struct {
	People []string  `json:"people"` // in their order
	Start  time.Time `json:"start"`  // of the first one's first shift; also the time of day of handing over
	Every  string    `json:"every"`  // day, week, or a duration of hours such as 12h
	// Days and hours narrow it: outside of them the rotation before holds. None is
	// always.
	Days  []string `json:"days,omitempty"`  // mon, tue...
	Hours string   `json:"hours,omitempty"` // 09:00-17:00, in the schedule's zone; over midnight too
}

// Override puts somebody on call for a time, whatever the rotations say.
type Override struct {
	ID     string    `json:"id"`
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// Schedule is who is on call for a team, when.
type Schedule struct {
	Name      string    `json:"-"`
	Team      string    `json:"-"`
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Zone      string     `json:"zone"`      // Europe/Berlin
	Rotations []Rotation `json:"rotations"` // a later one goes before an earlier one
	Overrides []Override `json:"overrides,omitempty"`
	Feed      string     `json:"feed,omitempty"` // the secret of its calendar's address
	location  *time.Location
}

const (
	maxPeople    = 100
	maxRotations = 10
	maxOverrides = 500
	maxReason    = 500
)

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "oncall.invalid", format, args...)
}

func notFound(what string) *fault.Error {
	return fault.New(fault.KindNotFound, "oncall.not_found", "there is no such %s", what).WithHint("`reeve oncall now` and `reeve oncall policies` list what there is")
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// length is how long a shift is: whole days by the calendar, or a duration.
func (r *Rotation) length() (days int, hours time.Duration, err error) {
	switch r.Every {
	case "day":
		return 1, 0, nil
	case "week":
		return 7, 0, nil
	}
	d, err := time.ParseDuration(r.Every)
	if err != nil || d < time.Hour || d > 31*24*time.Hour || d%time.Hour != 0 {
		return 0, 0, invalid("a shift is a day, a week, or whole hours such as 12h")
	}
	return 0, d, nil
}

func clockTime(s string) (minutes int, err error) {
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err
}

// window reads the hours that narrow a rotation.
func (r *Rotation) window() (from, to int, ok bool, err error) {
	if r.Hours == "" {
		return 0, 0, false, nil
	}
	a, b, found := strings.Cut(r.Hours, "-")
	from, err1 := clockTime(a)
	to, err2 := clockTime(b)
	if !found || err1 != nil || err2 != nil || from == to {
		return 0, 0, false, invalid("hours are written 09:00-17:00")
	}
	return from, to, true, nil
}

func (s *Schedule) check() error {
	loc, err := time.LoadLocation(cmp.Or(s.Zone, "UTC"))
	if err != nil || s.Zone == "Local" {
		return invalid("%.60q is no time zone such as Europe/Berlin", s.Zone)
	}
	s.location = loc
	if len(s.Rotations) == 0 || len(s.Rotations) > maxRotations {
		return invalid("a schedule has 1 to %d rotations", maxRotations)
	}
	for i := range s.Rotations {
		r := &s.Rotations[i]
		if len(r.People) == 0 || len(r.People) > maxPeople || slices.Contains(r.People, "") {
			return invalid("a rotation has 1 to %d people", maxPeople)
		}
		if r.Start.IsZero() {
			return invalid("a rotation has a start: when the first one's first shift begins")
		}
		if _, _, err := r.length(); err != nil {
			return err
		}
		if _, _, _, err := r.window(); err != nil {
			return err
		}
		for _, d := range r.Days {
			if !slices.Contains(weekdays, d) {
				return invalid("%.20q is no day of the week such as mon", d)
			}
		}
	}
	return nil
}

// days between two dates of a calendar.
func daysBetween(a, b time.Time) int {
	ya, ma, da := a.Date()
	yb, mb, db := b.Date()
	return int(time.Date(yb, mb, db, 0, 0, 0, 0, time.UTC).Sub(time.Date(ya, ma, da, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}

// shift is the number of the shift at a time, from 0, with its bounds; ok is
// false before the first.
func (r *Rotation) shift(at time.Time, loc *time.Location) (n int, from, to time.Time, ok bool) {
	days, hours, err := r.length()
	if err != nil || at.Before(r.Start) {
		return 0, time.Time{}, time.Time{}, false
	}
	if hours > 0 {
		n = int(at.Sub(r.Start) / hours)
		from = r.Start.Add(time.Duration(n) * hours)
		return n, from, from.Add(hours), true
	}
	// By the calendar, so that handing over stays at its time of day when clocks
	// change.
	start := r.Start.In(loc)
	y, m, d := start.Date()
	begin := func(n int) time.Time {
		return time.Date(y, m, d+n*days, start.Hour(), start.Minute(), start.Second(), 0, loc)
	}
	n = daysBetween(start, at.In(loc)) / days
	for begin(n).After(at) {
		n--
	}
	for !begin(n + 1).After(at) {
		n++
	}
	return n, begin(n), begin(n + 1), n >= 0
}

// holds reports whether a rotation's days and hours take a time in.
func (r *Rotation) holds(at time.Time, loc *time.Location) bool {
	local := at.In(loc)
	from, to, narrowed, _ := r.window()
	day := local
	if narrowed {
		now := local.Hour()*60 + local.Minute()
		switch {
		case from < to && (now < from || now >= to):
			return false
		case from > to && now < from && now >= to:
			return false
		case from > to && now < to:
			day = local.AddDate(0, 0, -1) // after midnight it is still the day before's
		}
	}
	return len(r.Days) == 0 || slices.Contains(r.Days, weekdays[day.Weekday()])
}

// Shift is who is on call from when to when.
type Shift struct {
	Person   string
	From, To time.Time // To may be a bound of looking ahead
	Override string    // the id of the override it comes from; "" a rotation
}

// At is who is on call at a time; ok is false when nobody is.
func (s *Schedule) At(at time.Time) (person, override string, ok bool) {
	for i := len(s.Overrides) - 1; i >= 0; i-- {
		if o := &s.Overrides[i]; !at.Before(o.From) && at.Before(o.To) {
			return o.Person, o.ID, true
		}
	}
	for i := len(s.Rotations) - 1; i >= 0; i-- {
		r := &s.Rotations[i]
		if n, _, _, ok := r.shift(at, s.location); ok && r.holds(at, s.location) {
			return r.People[n%len(r.People)], "", true
		}
	}
	return "", "", false
}

// Shifts are the shifts between two times, in order, gaps as shifts of nobody.
func (s *Schedule) Shifts(from, to time.Time) []Shift {
	edges := s.edges(from, to)
	var out []Shift
	for i := 0; i+1 < len(edges); i++ {
		person, override, _ := s.At(edges[i])
		if n := len(out); n > 0 && out[n-1].Person == person && out[n-1].Override == override {
			out[n-1].To = edges[i+1]
			continue
		}
		out = append(out, Shift{Person: person, From: edges[i], To: edges[i+1], Override: override})
	}
	return out
}

// maxEdges bounds what one look ahead computes.
const maxEdges = 5000

// edges are the times at which who is on call may change.
func (s *Schedule) edges(from, to time.Time) []time.Time {
	edges := []time.Time{from, to}
	add := func(t time.Time) {
		if t.After(from) && t.Before(to) && len(edges) < maxEdges {
			edges = append(edges, t)
		}
	}
	for _, o := range s.Overrides {
		add(o.From)
		add(o.To)
	}
	for i := range s.Rotations {
		r := &s.Rotations[i]
		at := from
		if at.Before(r.Start) {
			at = r.Start
			add(at)
		}
		for at.Before(to) && len(edges) < maxEdges {
			_, _, end, ok := r.shift(at, s.location)
			if !ok {
				break
			}
			add(end)
			at = end
		}
		a, b, narrowed, _ := r.window()
		if !narrowed && len(r.Days) == 0 {
			continue
		}
		y, m, d := from.In(s.location).Date()
		for n := -1; ; n++ {
			midnight := time.Date(y, m, d+n, 0, 0, 0, 0, s.location)
			if !midnight.Before(to) || len(edges) >= maxEdges {
				break
			}
			add(midnight)
			if narrowed {
				add(time.Date(y, m, d+n, a/60, a%60, 0, 0, s.location))
				add(time.Date(y, m, d+n, b/60, b%60, 0, 0, s.location))
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	return slices.CompactFunc(edges, time.Time.Equal)
}

// Level is who is called together, and how long they have to answer.
type Level struct {
	Schedules []string `json:"schedules,omitempty"`
	People    []string `json:"people,omitempty"`
	Channels  []string `json:"channels,omitempty"` // told as a whole: a chat, a pager service
	After     string   `json:"after"`              // the next level is called then: 5m
}

// Policy says who is called, and who next.
type Policy struct {
	Name      string    `json:"-"`
	Team      string    `json:"-"` // whose incidents and approvals; "" those of teams without one
	Revision  int64     `json:"-"`
	UpdatedAt time.Time `json:"-"`

	Levels []Level `json:"levels"`
	Repeat int     `json:"repeat,omitempty"` // how often the levels are gone through again
	For    string  `json:"for,omitempty"`    // incidents, approvals, or "" both
}

func (p *Policy) check() error {
	if len(p.Levels) == 0 || len(p.Levels) > 10 || p.Repeat < 0 || p.Repeat > 10 {
		return invalid("a policy has 1 to 10 levels, gone through at most 10 times more")
	}
	if !slices.Contains([]string{"", "incidents", "approvals"}, p.For) {
		return invalid("a policy is for incidents, approvals, or both")
	}
	for _, l := range p.Levels {
		if len(l.Schedules)+len(l.People)+len(l.Channels) == 0 || len(l.Schedules)+len(l.People)+len(l.Channels) > 50 {
			return invalid("a level calls 1 to 50 schedules, people and channels")
		}
		if d, err := time.ParseDuration(l.After); err != nil || d < 10*time.Second || d > 24*time.Hour {
			return invalid("a level waits between 10s and 24h before the next is called")
		}
	}
	return nil
}

// Contact is how one person is reached.
type Contact struct {
	Channel string `json:"channel"`
	Address string `json:"address,omitempty"`
}

// Actor is who changes things.
type Actor struct {
	Person, Via string
	Can         func(role, team, environment string) bool
}

func (a *Actor) may(team string) error {
	if a.Can != nil && (team != "" && a.Can("responder", team, "*") || a.Can("responder", "*", "*")) {
		return nil
	}
	return fault.New(fault.KindDenied, "oncall.denied", "this needs the role responder for team %q", team).WithHint("an admin can grant it")
}

// Options of a Book. DB and Call are required.
type Options struct {
	DB     *control.DB
	Logger *slog.Logger
	Now    func() time.Time
	// Call tells people of a page in its transaction.
	Call Caller
	// Told is called when a page did something, for the timeline of what it is
	// about; in its transaction. May be nil.
	Told func(ctx context.Context, tx *control.Tx, p *Page, text, detail string) error
}

// Book keeps schedules, policies, contacts and pages.
type Book struct {
	o Options

	mu        sync.RWMutex // guards what follows
	schedules map[string]*Schedule
	policies  map[string]*Policy
	contacts  map[string][]Contact
}

// New reads what is kept.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Call == nil {
		return nil, errors.New("oncall: Options.DB and Options.Call are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o, schedules: map[string]*Schedule{}, policies: map[string]*Policy{}, contacts: map[string][]Contact{}}
	list, err := control.All(ctx, o.DB, scanSchedule, `SELECT name, team, body, revision, updated_at FROM oncall_schedules`)
	if err != nil {
		return nil, fmt.Errorf("reading the schedules: %w", err)
	}
	for _, s := range list {
		b.schedules[s.Name] = s
	}
	policies, err := control.All(ctx, o.DB, scanPolicy, `SELECT name, team, body, revision, updated_at FROM oncall_policies`)
	if err != nil {
		return nil, fmt.Errorf("reading the escalation policies: %w", err)
	}
	for _, p := range policies {
		b.policies[p.Name] = p
	}
	contacts, err := control.All(ctx, o.DB, func(r control.Row) (c struct{ person, body string }, err error) { return c, r.Scan(&c.person, &c.body) }, `SELECT person, body FROM oncall_contacts`)
	if err != nil {
		return nil, fmt.Errorf("reading the contacts: %w", err)
	}
	for _, c := range contacts {
		var list []Contact
		if err := json.Unmarshal([]byte(c.body), &list); err != nil {
			return nil, fmt.Errorf("reading how %s is reached: %w", c.person, err)
		}
		b.contacts[c.person] = list
	}
	return b, nil
}

func scanSchedule(r control.Row) (*Schedule, error) {
	s := &Schedule{}
	var body string
	var at int64
	if err := r.Scan(&s.Name, &s.Team, &body, &s.Revision, &at); err != nil {
		return nil, err
	}
	s.UpdatedAt = control.Time(at)
	if err := json.Unmarshal([]byte(body), s); err != nil {
		return nil, err
	}
	return s, s.check()
}

func scanPolicy(r control.Row) (*Policy, error) {
	p := &Policy{}
	var body string
	var at int64
	if err := r.Scan(&p.Name, &p.Team, &body, &p.Revision, &at); err != nil {
		return nil, err
	}
	p.UpdatedAt = control.Time(at)
	return p, json.Unmarshal([]byte(body), p)
}

func (b *Book) now() time.Time { return b.o.Now().UTC().Truncate(time.Microsecond) }

func goodName(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

func (b *Book) write(ctx context.Context, who Actor, action, object string, after any, f func(tx *control.Tx) error) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		if err := tx.Event(ctx, control.Event{Type: "oncall.updated", Object: object}); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.oncall_" + action, Person: who.Person, Via: who.Via, Action: action, Object: object, After: after})
	})
}

func conflictOf(have, want int64) error {
	if want != 0 && want != have {
		return fault.New(fault.KindConflict, "oncall.conflict", "somebody changed it since you read it").WithHint("read it again")
	}
	return nil
}

// PutSchedule makes or changes a schedule; overrides stay.
func (b *Book) PutSchedule(ctx context.Context, who Actor, s Schedule) (Schedule, error) {
	if !goodName(s.Name) {
		return s, invalid("a schedule's name has 1 to 60 of a-z, 0-9, - and _")
	}
	if err := s.check(); err != nil {
		return s, err
	}
	if err := who.may(s.Team); err != nil {
		return s, err
	}
	b.mu.RLock()
	old := b.schedules[s.Name]
	b.mu.RUnlock()
	want := s.Revision
	s.Revision, s.UpdatedAt, s.Feed, s.Overrides = 1, b.now(), rand.Text(), nil
	if old != nil {
		if err := cmp.Or(who.may(old.Team), conflictOf(old.Revision, want)); err != nil {
			return s, err
		}
		s.Revision, s.Feed, s.Overrides = old.Revision+1, old.Feed, old.Overrides
	}
	return s, b.saveSchedule(ctx, who, "put_schedule", &s)
}

func (b *Book) saveSchedule(ctx context.Context, who Actor, action string, s *Schedule) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	kept := *s
	return b.write(ctx, who, action, s.Name, map[string]any{"team": s.Team, "zone": s.Zone, "rotations": s.Rotations, "overrides": s.Overrides}, func(tx *control.Tx) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.schedules[kept.Name] = &kept
			b.mu.Unlock()
		})
		_, err := tx.Exec(ctx, `INSERT INTO oncall_schedules (name, team, body, revision, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET team = excluded.team, body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			s.Name, s.Team, string(body), s.Revision, control.Micros(s.UpdatedAt))
		return err
	})
}

// DeleteSchedule ends a schedule that no policy calls.
func (b *Book) DeleteSchedule(ctx context.Context, who Actor, name string) error {
	s, err := b.Schedule(name)
	if err != nil {
		return err
	}
	if err := who.may(s.Team); err != nil {
		return err
	}
	for _, p := range b.Policies() {
		for _, l := range p.Levels {
			if slices.Contains(l.Schedules, name) {
				return fault.New(fault.KindConflict, "oncall.conflict", "policy %s calls it", p.Name).WithHint("take it out of the policy first")
			}
		}
	}
	return b.write(ctx, who, "delete_schedule", name, nil, func(tx *control.Tx) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			delete(b.schedules, name)
			b.mu.Unlock()
		})
		_, err := tx.Exec(ctx, `DELETE FROM oncall_schedules WHERE name = ?`, name)
		return err
	})
}

// Schedule reads one.
func (b *Book) Schedule(name string) (Schedule, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if s := b.schedules[name]; s != nil {
		return *s, nil
	}
	return Schedule{}, notFound("schedule")
}

// Schedules lists them by name.
func (b *Book) Schedules() []Schedule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Schedule, 0, len(b.schedules))
	for _, s := range b.schedules {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(x, y Schedule) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Override puts somebody on call for a time. A person may always put themselves
// in.
func (b *Book) Override(ctx context.Context, who Actor, name string, o Override) (Schedule, error) {
	s, err := b.Schedule(name)
	if err != nil {
		return s, err
	}
	if err := who.may(s.Team); err != nil && (o.Person != who.Person || !s.known(who)) {
		return s, err
	}
	now := b.now()
	switch {
	case o.Person == "" || len(o.Reason) > maxReason:
		return s, invalid("an override has a person, and a reason of at most %d bytes", maxReason)
	case !o.To.After(o.From) || !o.To.After(now) || o.To.Sub(o.From) > 90*24*time.Hour:
		return s, invalid("an override ends after its start and after now, within 90 days")
	}
	o.ID, o.By, o.From, o.To = activity.Mint("ovr_", now.UnixNano()), who.Person, o.From.UTC(), o.To.UTC()
	s.Overrides = slices.DeleteFunc(slices.Clone(s.Overrides), func(x Override) bool { return x.To.Before(now.Add(-30 * 24 * time.Hour)) })
	if len(s.Overrides) >= maxOverrides {
		return s, fault.New(fault.KindExhausted, "oncall.too_many", "a schedule has at most %d overrides", maxOverrides)
	}
	s.Overrides = append(s.Overrides, o)
	s.Revision, s.UpdatedAt = s.Revision+1, now
	return s, b.saveSchedule(ctx, who, "override", &s)
}

// known reports who may take shifts of the schedule upon themselves: who is in it,
// or approves for its team. Anybody else, also who only sees the team, would be
// called in the place of those who are, and told what they may not read.
func (s *Schedule) known(who Actor) bool {
	return who.Can != nil && s.Team != "" && who.Can("approver", s.Team, "*") ||
		slices.ContainsFunc(s.Rotations, func(r Rotation) bool { return slices.Contains(r.People, who.Person) })
}

// EndOverride takes an override away.
func (b *Book) EndOverride(ctx context.Context, who Actor, name, id string) (Schedule, error) {
	s, err := b.Schedule(name)
	if err != nil {
		return s, err
	}
	i := slices.IndexFunc(s.Overrides, func(o Override) bool { return o.ID == id })
	if i < 0 {
		return s, notFound("override")
	}
	if err := who.may(s.Team); err != nil && s.Overrides[i].Person != who.Person {
		return s, err
	}
	s.Overrides = slices.Delete(slices.Clone(s.Overrides), i, i+1)
	s.Revision, s.UpdatedAt = s.Revision+1, b.now()
	return s, b.saveSchedule(ctx, who, "end_override", &s)
}

// PutPolicy makes or changes an escalation policy.
func (b *Book) PutPolicy(ctx context.Context, who Actor, p Policy) (Policy, error) {
	if !goodName(p.Name) {
		return p, invalid("a policy's name has 1 to 60 of a-z, 0-9, - and _")
	}
	if err := cmp.Or(p.check(), who.may(p.Team)); err != nil {
		return p, err
	}
	for _, l := range p.Levels {
		for _, name := range l.Schedules {
			if _, err := b.Schedule(name); err != nil {
				return p, invalid("there is no schedule %.60s", name).WithHint("a person is person/NAME, a channel channel/NAME")
			}
		}
	}
	b.mu.RLock()
	old := b.policies[p.Name]
	b.mu.RUnlock()
	want := p.Revision
	p.Revision, p.UpdatedAt = 1, b.now()
	if old != nil {
		if err := cmp.Or(who.may(old.Team), conflictOf(old.Revision, want)); err != nil {
			return p, err
		}
		p.Revision = old.Revision + 1
	}
	body, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	return p, b.write(ctx, who, "put_policy", p.Name, map[string]any{"team": p.Team, "levels": p.Levels, "repeat": p.Repeat, "for": p.For}, func(tx *control.Tx) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.policies[p.Name] = &p
			b.mu.Unlock()
		})
		_, err := tx.Exec(ctx, `INSERT INTO oncall_policies (name, team, body, revision, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET team = excluded.team, body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			p.Name, p.Team, string(body), p.Revision, control.Micros(p.UpdatedAt))
		return err
	})
}

// DeletePolicy ends a policy; pages that go by it go on to their end.
func (b *Book) DeletePolicy(ctx context.Context, who Actor, name string) error {
	b.mu.RLock()
	p := b.policies[name]
	b.mu.RUnlock()
	if p == nil {
		return notFound("escalation policy")
	}
	if err := who.may(p.Team); err != nil {
		return err
	}
	return b.write(ctx, who, "delete_policy", name, nil, func(tx *control.Tx) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			delete(b.policies, name)
			b.mu.Unlock()
		})
		_, err := tx.Exec(ctx, `DELETE FROM oncall_policies WHERE name = ?`, name)
		return err
	})
}

// Policies lists them by name.
func (b *Book) Policies() []Policy {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Policy, 0, len(b.policies))
	for _, p := range b.policies {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(x, y Policy) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// For is the policy by which a team is called about something (incidents or
// approvals): its own, else the one for teams without.
func (b *Book) For(team, what string) (Policy, bool) {
	var house, own *Policy
	for _, p := range b.Policies() {
		if p.For != "" && p.For != what {
			continue
		}
		switch {
		case p.Team == team && team != "" && (own == nil || own.For == "" && p.For != ""):
			own = &p
		case p.Team == "" && (house == nil || house.For == "" && p.For != ""):
			house = &p
		}
	}
	if own == nil {
		own = house
	}
	if own == nil {
		return Policy{}, false
	}
	return *own, true
}

// Contacts are how a person is reached, the first tried together.
func (b *Book) Contacts(person string) []Contact {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.contacts[person])
}

// PutContacts says how a person is reached: only they do, or an admin.
func (b *Book) PutContacts(ctx context.Context, who Actor, person string, list []Contact) error {
	if who.Person != person && (who.Can == nil || !who.Can("admin", "*", "*")) {
		return fault.New(fault.KindDenied, "oncall.denied", "how somebody is reached they say themselves")
	}
	if len(list) > 10 {
		return invalid("a person has at most 10 contacts")
	}
	for _, c := range list {
		if c.Channel == "" || len(c.Address) > 300 || strings.ContainsAny(c.Address, "\r\n") {
			return invalid("a contact has a channel, and an address of at most 300 bytes")
		}
	}
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return b.write(ctx, who, "put_contacts", person, map[string]any{"channels": len(list)}, func(tx *control.Tx) error {
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.contacts[person] = slices.Clone(list)
			b.mu.Unlock()
		})
		_, err := tx.Exec(ctx, `INSERT INTO oncall_contacts (person, body) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET body = excluded.body`, person, string(body))
		return err
	})
}
