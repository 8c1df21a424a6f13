package oncall

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
)

// The states of a page.
const (
	Paging    = "paging"
	Answered  = "answered"
	Exhausted = "exhausted" // everybody was called, and nobody answered
	Ended     = "ended"     // what it was about is over
)

// TimerEscalate is the kind of the timer that calls the next level.
const TimerEscalate = "page.escalate"

// Target is one contact that a level calls.
type Target struct {
	Person  string `json:"person,omitempty"` // "" a channel as a whole
	Channel string `json:"channel"`
	Address string `json:"address,omitempty"`
}

// Call is one target of one level, with what came of it.
type Call struct {
	Target
	Level    int       `json:"level"`
	At       time.Time `json:"at"`
	Delivery string    `json:"delivery"`
	State    string    `json:"state"` // queued, sent, failed, unknown, cancelled
}

// Page is one calling of people.
type Page struct {
	ID        string    `json:"-"`
	Kind      string    `json:"-"` // incident, approval
	Object    string    `json:"-"`
	Team      string    `json:"-"`
	State     string    `json:"-"`
	CreatedAt time.Time `json:"-"`
	EndedAt   time.Time `json:"-"`

	Policy     string    `json:"policy"`
	Levels     []Level   `json:"levels"` // as they were when it began
	Repeat     int       `json:"repeat,omitempty"`
	Step       int       `json:"step"` // how many levels were called
	NextAt     time.Time `json:"next_at,omitzero"`
	Calls      []Call    `json:"calls,omitempty"`
	AnsweredBy string    `json:"answered_by,omitempty"`
	Why        string    `json:"why,omitempty"` // how it ended, in words
	Title      string    `json:"title"`
	Severity   string    `json:"severity,omitempty"`
}

// Caller tells one target of a page, in its transaction; it gives the id of the
// delivery.
type Caller func(ctx context.Context, tx *control.Tx, p *Page, t Target) (delivery string, err error)

const pageColumns = `id, kind, object, team, state, created_at, ended_at, body FROM pages`

func scanPage(r control.Row) (p Page, err error) {
	var created, ended int64
	var body string
	if err := r.Scan(&p.ID, &p.Kind, &p.Object, &p.Team, &p.State, &created, &ended, &body); err != nil {
		return p, err
	}
	p.CreatedAt, p.EndedAt = control.Time(created), control.Time(ended)
	return p, json.Unmarshal([]byte(body), &p)
}

func (p *Page) save(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO pages (id, kind, object, team, state, created_at, ended_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, body = excluded.body`,
		p.ID, p.Kind, p.Object, p.Team, p.State, control.Micros(p.CreatedAt), control.Micros(p.EndedAt), string(body)); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "page." + p.State, Object: p.ID})
}

// Begin calls the people of a team about something, unless it is being called
// about already. Without a policy nobody is called: false.
func (b *Book) Begin(ctx context.Context, kind, object, team, title, severity string) (Page, bool, error) {
	what := map[string]string{"incident": "incidents", "approval": "approvals"}[kind]
	policy, ok := b.For(team, what)
	if !ok {
		return Page{}, false, nil
	}
	now := b.now()
	p := Page{ID: activity.Mint("pge_", now.UnixNano()), Kind: kind, Object: object, Team: team, State: Paging, CreatedAt: now, Policy: policy.Name, Levels: policy.Levels, Repeat: policy.Repeat, Title: title, Severity: severity}
	began := false
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, there, err := control.One(ctx, tx, scanPage, `SELECT `+pageColumns+` WHERE object = ? AND state = ?`, object, Paging)
		if err != nil || there {
			return err
		}
		began = true
		return b.callNext(ctx, tx, &p, "")
	})
	return p, began && err == nil, err
}

// callNext calls the next level and sets the time of the one after.
func (b *Book) callNext(ctx context.Context, tx *control.Tx, p *Page, why string) error {
	now := b.now()
	n := len(p.Levels)
	if p.Step >= n*(p.Repeat+1) {
		p.State, p.EndedAt, p.NextAt, p.Why = Exhausted, now, time.Time{}, "everybody was called, and nobody answered"
		if _, err := tx.CancelTimer(ctx, timerOf(p)); err != nil {
			return err
		}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		return b.tell(ctx, tx, p, "Everybody was called, and nobody answered", why)
	}
	level := p.Levels[p.Step%n]
	p.Step++
	targets, nobody := b.targets(level, now)
	var named []string
	for _, t := range targets {
		id, err := b.o.Call(ctx, tx, p, t)
		if err != nil {
			return fmt.Errorf("calling %s on %s: %w", t.Person, t.Channel, err)
		}
		p.Calls = append(p.Calls, Call{Target: t, Level: p.Step, At: now, Delivery: id, State: "queued"})
		who := t.Channel
		if t.Person != "" {
			who = "{" + t.Person + "} on " + t.Channel
		}
		named = append(named, who)
	}
	wait, err := time.ParseDuration(level.After)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		wait = 0 // nobody is there to wait for
	}
	p.NextAt = now.Add(wait)
	if err := tx.SetTimer(ctx, control.Timer{ID: timerOf(p), Kind: TimerEscalate, Due: p.NextAt, Body: p.ID}); err != nil {
		return err
	}
	if err := p.save(ctx, tx); err != nil {
		return err
	}
	text := fmt.Sprintf("Level %d of %s called: %s", (p.Step-1)%n+1, p.Policy, strings.Join(named, ", "))
	if len(targets) == 0 {
		text = fmt.Sprintf("Level %d of %s has nobody to call%s", (p.Step-1)%n+1, p.Policy, nobody)
	}
	return b.tell(ctx, tx, p, text, why)
}

func timerOf(p *Page) string { return "page/" + p.ID }

func (b *Book) tell(ctx context.Context, tx *control.Tx, p *Page, text, detail string) error {
	if b.o.Told == nil {
		return nil
	}
	return b.o.Told(ctx, tx, p, text, detail)
}

// targets are the contacts of a level now. A person without any is named as
// missing.
func (b *Book) targets(l Level, now time.Time) (out []Target, missing string) {
	var people []string
	for _, name := range l.Schedules {
		s, err := b.Schedule(name)
		if err != nil {
			missing += "; schedule " + name + " is gone"
			continue
		}
		person, _, ok := s.At(now)
		if !ok {
			missing += "; nobody is on call in " + name
			continue
		}
		people = append(people, person)
	}
	people = append(people, l.People...)
	for i, person := range people {
		if slices.Contains(people[:i], person) {
			continue
		}
		contacts := b.Contacts(person)
		if len(contacts) == 0 {
			missing += "; {" + person + "} has no contact"
		}
		for _, c := range contacts {
			out = append(out, Target{Person: person, Channel: c.Channel, Address: c.Address})
		}
	}
	for _, c := range l.Channels {
		out = append(out, Target{Channel: c})
	}
	return out, missing
}

// Escalate is the timer's: nobody answered in time.
func (b *Book) Escalate(ctx context.Context, tx *control.Tx, t control.Timer) error {
	p, ok, err := control.One(ctx, tx, scanPage, `SELECT `+pageColumns+` WHERE id = ?`, t.Body)
	if err != nil || !ok || p.State != Paging {
		return err
	}
	return b.callNext(ctx, tx, &p, "nobody answered in time")
}

// Settled notes what came of a delivery of a page. When nothing of a level is
// known to have arrived, the next is called at once.
func (b *Book) Settled(ctx context.Context, page, delivery, state string) error {
	if page == "" {
		return nil
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		p, ok, err := control.One(ctx, tx, scanPage, `SELECT `+pageColumns+` WHERE id = ?`, page)
		if err != nil || !ok {
			return err
		}
		i := slices.IndexFunc(p.Calls, func(c Call) bool { return c.Delivery == delivery })
		if i < 0 || p.Calls[i].State == state {
			return nil
		}
		p.Calls[i].State = state
		level := p.Calls[i].Level
		who := p.Calls[i].Channel
		if p.Calls[i].Person != "" {
			who = "{" + p.Calls[i].Person + "} on " + who
		}
		if state == "failed" || state == "unknown" {
			word := map[string]string{"failed": "did not arrive", "unknown": "may not have arrived: nobody knows"}[state]
			if err := b.tell(ctx, tx, &p, "The call of "+who+" "+word, ""); err != nil {
				return err
			}
		}
		hopeful := slices.ContainsFunc(p.Calls, func(c Call) bool { return c.Level == level && (c.State == "sent" || c.State == "queued") })
		if p.State == Paging && level == p.Step && !hopeful {
			return b.callNext(ctx, tx, &p, "nothing of the level before is known to have arrived")
		}
		return p.save(ctx, tx)
	})
}

// End ends the pages about something: answered by a person, or "" because it is
// over. It is asked for again without harm.
func (b *Book) End(ctx context.Context, object, person, why string) (ended []Page, err error) {
	err = b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		ended, err = b.EndIn(ctx, tx, object, person, why)
		return err
	})
	return ended, err
}

// EndIn is End in the transaction of what follows from it.
func (b *Book) EndIn(ctx context.Context, tx *control.Tx, object, person, why string) (ended []Page, err error) {
	list, err := control.All(ctx, tx, scanPage, `SELECT `+pageColumns+` WHERE object = ? AND state IN (?, ?)`, object, Paging, Exhausted)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		was := p.State
		p.State, p.EndedAt, p.NextAt, p.Why = Ended, b.now(), time.Time{}, why
		if person != "" {
			p.State, p.AnsweredBy = Answered, person
		}
		if was == Exhausted && person == "" {
			continue // it stays on record that nobody came
		}
		if _, err := tx.CancelTimer(ctx, timerOf(&p)); err != nil {
			return nil, err
		}
		if err := p.save(ctx, tx); err != nil {
			return nil, err
		}
		ended = append(ended, p)
	}
	return ended, nil
}

// Open lists what is being paged now, for what a crash kept from being ended.
func (b *Book) Open(ctx context.Context) ([]Page, error) {
	return control.All(ctx, b.o.DB, scanPage, `SELECT `+pageColumns+` WHERE state = ? ORDER BY created_at`, Paging)
}

// Pages lists pages, the newest first; object "" is all.
func (b *Book) Pages(ctx context.Context, object string, limit int) ([]Page, error) {
	if limit <= 0 {
		limit = 100
	}
	return control.All(ctx, b.o.DB, scanPage, `SELECT `+pageColumns+` WHERE (? = '' OR object = ?) ORDER BY created_at DESC, id DESC LIMIT ?`, object, object, min(limit, 1000))
}

// Counts is how many pages of the last day there are in each state.
func (b *Book) Counts(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	type row struct {
		state string
		n     int64
	}
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (x row, err error) { return x, r.Scan(&x.state, &x.n) },
		`SELECT state, COUNT(*) FROM pages WHERE created_at > ? GROUP BY state`, control.Micros(b.now().Add(-24*time.Hour)))
	for _, x := range list {
		out[x.state] = x.n
	}
	return out, err
}

// Page reads one.
func (b *Book) Page(ctx context.Context, id string) (Page, error) {
	p, ok, err := control.One(ctx, b.o.DB, scanPage, `SELECT `+pageColumns+` WHERE id = ?`, id)
	if err == nil && !ok {
		err = notFound("page")
	}
	return p, err
}
