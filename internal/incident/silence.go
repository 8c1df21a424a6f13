package incident

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Matcher is one of Alertmanager's: a label, a value, and how to compare.
type Matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"is_regex"`
	IsEqual bool   `json:"is_equal"` // false: what does not match

	re *regexp.Regexp
}

// Silence keeps signals from opening or joining incidents for a time. A
// maintenance window is one that is planned.
type Silence struct {
	ID       string    `json:"-"`
	Kind     string    `json:"-"` // silence, maintenance
	Team     string    `json:"-"` // "" all teams
	StartsAt time.Time `json:"-"`
	EndsAt   time.Time `json:"-"`

	Matchers []Matcher `json:"matchers"`
	Reason   string    `json:"reason"`
	Author   string    `json:"author"`
	EndedBy  string    `json:"ended_by,omitempty"`
	Held     int64     `json:"-"` // signals since the process began, and those that it held then
}

const (
	maxMatchers = 20
	maxSilences = 2000
	maxSilence  = 90 * 24 * time.Hour
)

const silenceColumns = `id, kind, team, starts_at, ends_at, body FROM silences`

func scanSilence(r control.Row) (*Silence, error) {
	s := &Silence{}
	var starts, ends int64
	var body string
	if err := r.Scan(&s.ID, &s.Kind, &s.Team, &starts, &ends, &body); err != nil {
		return nil, err
	}
	s.StartsAt, s.EndsAt = control.Time(starts), control.Time(ends)
	if err := json.Unmarshal([]byte(body), s); err != nil {
		return nil, err
	}
	return s, s.compile()
}

func (s *Silence) compile() error {
	for i := range s.Matchers {
		m := &s.Matchers[i]
		if !m.IsRegex {
			continue
		}
		re, err := regexp.Compile("^(?:" + m.Value + ")$")
		if err != nil {
			return invalid("the matcher of %.60q is no regular expression", m.Name).WithCause(err)
		}
		m.re = re
	}
	return nil
}

// value is what a signal says under a name: its fields first, then its labels.
func (s *Signal) value(name string) string {
	switch name {
	case "agent":
		return s.Agent
	case "team":
		return s.Team
	case "environment", "env":
		return s.Environment
	case "tool":
		return s.Tool
	case "server":
		return serverOf(s.Tool)
	case "model":
		return s.Model
	case "provider":
		return s.Provider
	case "source":
		return s.Source
	case "policy":
		return s.Policy
	case "version":
		return s.Version
	case "severity":
		return s.Severity
	case "kind":
		return s.Kind
	case "title":
		return s.Title
	case "alertname": // what Alertmanager's clients see as the name of one without
		if name := s.Labels[name]; name != "" {
			return name
		}
		return s.Title
	}
	return s.Labels[name]
}

func (m *Matcher) matches(s *Signal) bool {
	v := s.value(m.Name)
	hit := v == m.Value
	if m.re != nil {
		hit = m.re.MatchString(v)
	}
	return hit == m.IsEqual
}

// Covers reports whether a silence holds a signal back at a time.
func (s *Silence) Covers(sig *Signal, now time.Time) bool {
	if now.Before(s.StartsAt) || !now.Before(s.EndsAt) || s.Team != "" && s.Team != sig.Team {
		return false
	}
	for i := range s.Matchers {
		if !s.Matchers[i].matches(sig) {
			return false
		}
	}
	return true
}

// silencing is the silence that holds a signal back. The caller holds mu.
func (b *Book) silencing(s *Signal, now time.Time) *Silence {
	for _, x := range b.silences {
		if x.Covers(s, now) {
			return x
		}
	}
	return nil
}

// endSilences takes in what still fires and is not held back any more. The
// caller holds mu.
func (b *Book) endSilences(now time.Time) {
	before := len(b.silences)
	b.silences = slices.DeleteFunc(b.silences, func(s *Silence) bool { return !now.Before(s.EndsAt) })
	if len(b.silences) == before && len(b.muted) == 0 {
		return
	}
	for _, p := range sortedKeys(b.muted) {
		s := b.muted[p]
		if b.silencing(&s, now) == nil {
			b.take(s, now)
		}
	}
}

// mute keeps a signal that a silence holds back, and has it stored: a restart would
// lose it else, since its feed is read past it. One that repeats is stored again
// only when it became another or worse. The caller holds mu.
func (b *Book) mute(s Signal) {
	was, known := b.muted[s.Fingerprint]
	if !known && len(b.muted) >= maxUsers {
		b.stats.Lost++
		return
	}
	b.muted[s.Fingerprint] = s
	if !known || was.ID != s.ID || was.Severity != s.Severity {
		b.out.mute(s.Fingerprint, &s)
	}
}

// unmute forgets one that is over or was taken in. The caller holds mu.
func (b *Book) unmute(fingerprint string) {
	if _, known := b.muted[fingerprint]; !known {
		return
	}
	delete(b.muted, fingerprint)
	b.out.mute(fingerprint, nil)
}

func (o *outgoing) mute(fingerprint string, s *Signal) {
	if o.muted == nil {
		o.muted = map[string]*Signal{}
	}
	o.muted[fingerprint] = s
}

// loadMuted reads what silences held back when the process ended. What none holds
// any more is taken in by the next endSilences.
func (b *Book) loadMuted(ctx context.Context) error {
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (s Signal, err error) {
		var body string
		if err := r.Scan(&body); err != nil {
			return s, err
		}
		return s, json.Unmarshal([]byte(body), &s)
	}, `SELECT body FROM silenced_signals LIMIT ?`, maxUsers)
	now := b.now()
	for i := range list {
		s := &list[i]
		b.muted[s.Fingerprint] = *s
		if by := b.silencing(s, now); by != nil {
			by.Held++
		}
	}
	return err
}

// Silences lists those that hold or will, or all of the last 90 days.
func (b *Book) Silences(ctx context.Context, all bool) ([]Silence, error) {
	since := b.now()
	if all {
		since = since.Add(-maxSilence)
	}
	list, err := control.All(ctx, b.o.DB, scanSilence, `SELECT `+silenceColumns+` WHERE ends_at > ? ORDER BY ends_at, id LIMIT ?`, control.Micros(since), maxSilences)
	out := make([]Silence, len(list))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range list {
		out[i] = *s
		for _, x := range b.silences {
			if x.ID == s.ID {
				out[i].Held = x.Held
			}
		}
	}
	return out, err
}

// Silence starts one. A team's responders silence their own team's signals, all
// signals only who responds everywhere.
func (b *Book) Silence(ctx context.Context, who Actor, s Silence) (Silence, error) {
	now := b.now()
	if s.StartsAt.IsZero() {
		s.StartsAt = now
	}
	s.StartsAt, s.EndsAt = s.StartsAt.UTC().Truncate(time.Microsecond), s.EndsAt.UTC().Truncate(time.Microsecond)
	s.Reason = strings.TrimSpace(s.Reason)
	switch {
	case s.Kind != "silence" && s.Kind != "maintenance":
		return s, invalid("a silence is of kind silence or maintenance")
	case len(s.Matchers) == 0 && s.Kind != "maintenance" || len(s.Matchers) > maxMatchers:
		return s, invalid("a silence has 1 to %d matchers", maxMatchers).WithHint(`such as agent="refunds"`)
	case len(s.Matchers) == 0 && s.Team == "":
		return s, invalid("a window for everything of all teams would hide everything").WithHint("name a team or a matcher")
	case s.Reason == "" || len(s.Reason) > maxText:
		return s, invalid("a silence has a reason of at most %d bytes", maxText)
	case !s.EndsAt.After(now) || !s.EndsAt.After(s.StartsAt):
		return s, invalid("a silence ends in the future, after its start")
	case s.EndsAt.Sub(now) > maxSilence:
		return s, invalid("a silence ends within 90 days").WithHint("make the detector quieter instead")
	}
	for _, m := range s.Matchers {
		if m.Name == "" || len(m.Name) > 100 || len(m.Value) > 500 {
			return s, invalid("a matcher has a name of at most 100 bytes and a value of at most 500")
		}
	}
	if len(s.Matchers) > 0 && !slices.ContainsFunc(s.Matchers, narrows) {
		return s, invalid("these matchers would hide everything").WithHint("one of them has to ask for a value")
	}
	team := s.Team
	if team == "" {
		team = "*"
	}
	if !who.can(team, "*") {
		return s, fault.New(fault.KindDenied, "incident.denied", "this needs the role responder for team %q in all environments", team).WithHint("name a team of yours, or ask an admin")
	}
	if err := s.compile(); err != nil {
		return s, err
	}
	s.ID, s.Author, s.EndedBy = activity.Mint("sil_", now.UnixNano()), who.Person, ""
	kept := s
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := s.save(ctx, tx, "silence.started"); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			b.silences = append(b.silences, &kept)
			b.mu.Unlock()
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "incident.silence", Person: who.Person, Via: who.Via, Action: "silence", Object: s.ID, Reason: s.Reason, After: s.state()})
	})
	return s, err
}

// narrows reports a matcher that a signal without the label does not fulfil.
func narrows(m Matcher) bool {
	if !m.IsEqual {
		return m.Value == "" && !m.IsRegex
	}
	if !m.IsRegex {
		return m.Value != ""
	}
	re, err := regexp.Compile("^(?:" + m.Value + ")$")
	return err != nil || !re.MatchString("") // one that cannot be read is refused later, with its name
}

func (s *Silence) state() map[string]any {
	return map[string]any{"kind": s.Kind, "team": s.Team, "starts_at": s.StartsAt, "ends_at": s.EndsAt, "matchers": s.Matchers}
}

func (s *Silence) save(ctx context.Context, tx *control.Tx, event string) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO silences (id, kind, team, starts_at, ends_at, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at, body = excluded.body`,
		s.ID, s.Kind, s.Team, control.Micros(s.StartsAt), control.Micros(s.EndsAt), string(body)); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: event, Object: s.ID})
}

// EndSilence ends one now: what it held back and still fires is taken in.
func (b *Book) EndSilence(ctx context.Context, who Actor, id, reason string) (Silence, error) {
	s, ok, err := control.One(ctx, b.o.DB, scanSilence, `SELECT `+silenceColumns+` WHERE id = ?`, id)
	switch {
	case err != nil:
		return Silence{}, err
	case !ok:
		return Silence{}, notFound("silence")
	}
	team := s.Team
	if team == "" {
		team = "*"
	}
	if !who.can(team, "*") {
		return Silence{}, fault.New(fault.KindDenied, "incident.denied", "this needs the role responder for team %q in all environments", team).WithHint("an admin can grant it")
	}
	now := b.now()
	if !now.Before(s.EndsAt) {
		return Silence{}, conflict("it is over already")
	}
	s.EndsAt, s.EndedBy = now, who.Person
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := s.save(ctx, tx, "silence.ended"); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			for _, x := range b.silences {
				if x.ID == id {
					x.EndsAt = now
				}
			}
			b.endSilences(now)
			b.mu.Unlock()
			select {
			case b.wake <- struct{}{}:
			default:
			}
		})
		return audit.Append(ctx, tx, audit.Record{Kind: "incident.end_silence", Person: who.Person, Via: who.Via, Action: "end_silence", Object: id, Reason: reason, After: s.state()})
	})
	return *s, err
}
