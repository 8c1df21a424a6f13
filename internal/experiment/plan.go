package experiment

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// BiasPlan is pairs that are replayed by themselves: at times, and for each new
// version of the agent.
type BiasPlan struct {
	Name        string    `json:"-"`
	Agent       string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	NextAt      time.Time `json:"-"` // zero: not by time

	Revision    int64         `json:"revision"`
	Bias        Bias          `json:"bias"`
	Repeats     int           `json:"repeats"`
	Every       time.Duration `json:"every,omitempty"`      // 0: not by time
	OnVersion   bool          `json:"on_version,omitempty"` // once for each version that is observed
	Paused      bool          `json:"paused,omitempty"`
	By          string        `json:"by,omitempty"`
	Person      string        `json:"person,omitempty"`
	LastVersion string        `json:"last_version,omitempty"`
	Tested      []string      `json:"tested,omitempty"`  // versions, the newest last: two may run side by side
	Looks       int64         `json:"looks,omitempty"`   // results that it has
	Windows     []Window      `json:"windows,omitempty"` // what was looked at of each version lately
	Fine        int           `json:"fine,omitempty"`    // results in a row that say nothing, while its alert fires
	LastAt      time.Time     `json:"last_at,omitzero"`
	Last        string        `json:"last,omitempty"`    // experiment
	Trouble     string        `json:"trouble,omitempty"` // why it could not be started last
	Adverse     bool          `json:"adverse,omitempty"` // by its newest result
}

// Bounds of plans.
const (
	maxPlans     = 200
	maxTested    = 50
	leastEvery   = time.Hour
	adverseRatio = 0.8  // of the four-fifths rule
	adverseAlpha = 0.05 // chance that a plan says adverse of a fair version of an agent within a window
	lookWindow   = 30 * 24 * time.Hour
	fineInARow   = 2 // results that end an alert
)

// Window is what a plan looked at of one version of its agent within 30 days. What its
// looks may be wrong by is shared among them, and a new version, another agent, has all
// of it again.
type Window struct {
	Version string    `json:"version,omitempty"`
	From    time.Time `json:"from"`
	Looks   int64     `json:"looks"`
}

// looks are how many results a plan has of a version in a window at most.
func (p *BiasPlan) looks() int64 {
	n := int64(0)
	if p.Every > 0 {
		n = int64((lookWindow + p.Every - 1) / p.Every)
	}
	if p.OnVersion {
		n++
	}
	return max(n, 1)
}

// Alpha is what each look may be wrong by: all of a window together once by
// adverseAlpha. It is the same for each, so that the last finds what the first does.
func (p *BiasPlan) Alpha() float64 { return adverseAlpha / float64(p.looks()) }

// Needs is how many pairs have to differ, all the same way, before a look can say
// anything: with fewer a plan never would.
func (p *BiasPlan) Needs() int64 { return 1 + int64(math.Floor(1-math.Log2(p.Alpha()))) }

// Pairs are how many it has.
func (p *BiasPlan) Pairs() int64 { return int64(len(p.Bias.Prompts) * len(p.Bias.A)) }

// spend counts a look at a version, and gives what it may be wrong by: nothing where the
// window has had all of its looks.
func (p *BiasPlan) spend(version string, now time.Time) float64 {
	p.Windows = slices.DeleteFunc(p.Windows, func(w Window) bool { return now.Sub(w.From) >= lookWindow })
	at := slices.IndexFunc(p.Windows, func(w Window) bool { return w.Version == version })
	if at < 0 {
		p.Windows = append(p.Windows, Window{Version: version, From: now})
		p.Windows = p.Windows[max(0, len(p.Windows)-maxTested):]
		at = len(p.Windows) - 1
	}
	w := &p.Windows[at]
	w.Looks++
	if w.Looks > p.looks() {
		return 0
	}
	return p.Alpha()
}

// settle says whether the plan's alert fires after a result. It begins with a result
// that is adverse, and ends with two in a row that not even a single look would call so,
// of as many pairs as it needs: one that is merely less certain ends nothing.
func (p *BiasPlan) settle(s *Summary, adverse bool) {
	switch {
	case adverse:
		p.Adverse, p.Fine = true, 0
	case !p.Adverse:
	case s.Pairs == nil || s.Pairs.Pairs < min(p.Needs(), p.Pairs()) || s.Pairs.P < OneLook:
		p.Fine = 0
	default:
		if p.Fine++; p.Fine >= fineInARow {
			p.Adverse, p.Fine = false, 0
		}
	}
}

var planName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (p *BiasPlan) check() error {
	switch {
	case !planName.MatchString(p.Name):
		return invalid("a plan's name has small letters, digits, '.', '_' and '-', at most 64")
	case p.Every == 0 && !p.OnVersion:
		return invalid("a plan runs every so often, or for each version of the agent, or both")
	case p.Every != 0 && p.Every < leastEvery || p.Every > 366*24*time.Hour:
		return invalid("a plan runs at most once an hour and at least once a year")
	}
	if err := (&Plan{Agent: p.Agent, Kind: BiasKind, Repeats: p.Repeats, Bias: &p.Bias}).check(); err != nil {
		return err
	}
	if p.Pairs() < p.Needs() {
		return invalid("with %d pairs this plan could never find a difference: %d have to differ before chance is ruled out", p.Pairs(), p.Needs()).WithHint("give it more prompts or words, or run it less often")
	}
	return nil
}

const planColumns = `name, agent, team, environment, body, next_at`

func scanPlan(r control.Row) (p BiasPlan, err error) {
	var text string
	var next int64
	if err := r.Scan(&p.Name, &p.Agent, &p.Team, &p.Environment, &text, &next); err != nil {
		return p, err
	}
	if next != math.MaxInt64 {
		p.NextAt = control.Time(next)
	}
	return p, json.Unmarshal([]byte(text), &p)
}

func (p *BiasPlan) save(ctx context.Context, tx *control.Tx) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	next := int64(math.MaxInt64)
	if !p.NextAt.IsZero() {
		next = control.Micros(p.NextAt)
	}
	_, err = tx.Exec(ctx, `INSERT INTO bias_plans (`+planColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET agent = excluded.agent, team = excluded.team, environment = excluded.environment, body = excluded.body, next_at = excluded.next_at`,
		p.Name, p.Agent, p.Team, p.Environment, string(text), next)
	return err
}

// Plans lists bias plans that the actor may see, of an agent or ("") of all.
func (b *Book) Plans(ctx context.Context, who Actor, agent string) ([]BiasPlan, error) {
	var w control.Where
	w.Is("agent", agent)
	all, err := control.All(ctx, b.o.DB, scanPlan, `SELECT `+planColumns+` FROM bias_plans`+w.Text()+` ORDER BY name`, w.Args...)
	var out []BiasPlan
	for _, p := range all {
		if who.Can("viewer", p.Team, p.Environment) {
			out = append(out, p)
		}
	}
	return out, err
}

// Plan is one bias plan.
func (b *Book) Plan(ctx context.Context, who Actor, name string) (BiasPlan, error) {
	return b.plan(ctx, b.o.DB, who, name)
}

func (b *Book) plan(ctx context.Context, r control.Reader, who Actor, name string) (BiasPlan, error) {
	p, ok, err := control.One(ctx, r, scanPlan, `SELECT `+planColumns+` FROM bias_plans WHERE name = ?`, name)
	if err == nil && (!ok || !who.Can("viewer", p.Team, p.Environment)) {
		err = fault.New(fault.KindNotFound, "experiment.not_found", "there is no bias plan %.64s", name)
	}
	return p, err
}

// PutPlan makes or changes a bias plan; it runs for the first time at once, and a change
// leaves its times.
func (b *Book) PutPlan(ctx context.Context, who Actor, p BiasPlan) (BiasPlan, error) {
	p.Repeats = cmp.Or(p.Repeats, 1)
	if err := p.check(); err != nil {
		return p, err
	}
	team, environment, _, err := b.place(who, p.Agent, "developer")
	if err != nil {
		return p, err
	}
	if _, err := b.Target(ctx, p.Agent); err != nil {
		return p, err
	}
	p.Team, p.Environment, p.By, p.Person = team, environment, who.Name, who.Person
	return p, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		was, known, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM bias_plans WHERE name = ?`, p.Name)
		if err != nil {
			return err
		}
		if known && !who.Can("developer", was.Team, was.Environment) {
			return fault.New(fault.KindConflict, "experiment.conflict", "another plan has the name %s", p.Name)
		}
		if known && p.Revision != was.Revision || !known && p.Revision != 0 {
			return fault.New(fault.KindConflict, "experiment.conflict", "plan %s was changed meanwhile", p.Name).WithHint("read it again and give its revision")
		}
		if !known {
			n, _, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM bias_plans`)
			if err != nil {
				return err
			}
			if n >= maxPlans {
				return fault.New(fault.KindExhausted, "experiment.too_many", "there are %d bias plans; more cannot be kept", n)
			}
		}
		p.Revision++
		if known {
			if err := was.mayEnd(who, p.Agent != was.Agent || p.Paused && !was.Paused || !sameBias(&p.Bias, &was.Bias)); err != nil {
				return err
			}
		}
		p.LastVersion, p.LastAt, p.Last, p.Trouble, p.Adverse, p.Looks = was.LastVersion, was.LastAt, was.Last, was.Trouble, was.Adverse, was.Looks
		p.Tested, p.Windows, p.Fine = was.Tested, was.Windows, was.Fine
		if p.Agent != was.Agent {
			p.Tested = nil
		}
		if p.Agent != was.Agent || p.looks() != was.looks() {
			p.Windows = nil // what was looked at was shared otherwise
		}
		p.NextAt = time.Time{}
		if p.Every > 0 && !p.Paused {
			// A change is no look more: they would use up what all of a month may be wrong by,
			// and the plan would see nothing for the rest of it.
			p.NextAt = b.o.Now().UTC().Truncate(time.Microsecond)
			if next := was.LastAt.Add(p.Every); known && p.Agent == was.Agent && next.After(p.NextAt) {
				p.NextAt = next
			}
		}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.bias_plan", Person: who.Person, Via: who.Via, Action: "put", Object: p.Name, After: p})
	})
}

// mayEnd refuses what would end a plan's alert without a result: while it fires, other
// pairs, a pause and its end are security's.
func (p *BiasPlan) mayEnd(who Actor, ends bool) error {
	if !ends || !p.Adverse || who.Can("security", p.Team, p.Environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "experiment.denied", "the alert of plan %s fires: what would end it without a result needs the role security for team %q in %q", p.Name, p.Team, p.Environment).
		WithHint("it ends by itself with two results in a row without a difference")
}

func sameBias(a, b *Bias) bool {
	return a.Attribute == b.Attribute && slices.Equal(a.Prompts, b.Prompts) && slices.Equal(a.A, b.A) && slices.Equal(a.B, b.B) && slices.Equal(a.Favours, b.Favours)
}

// DropPlan ends a bias plan, and the alert that it may have; its experiments stay.
func (b *Book) DropPlan(ctx context.Context, who Actor, name string) error {
	var p BiasPlan
	err := b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		if p, err = b.plan(ctx, tx, who, name); err != nil {
			return err
		}
		if !who.Can("developer", p.Team, p.Environment) {
			return fault.New(fault.KindDenied, "experiment.denied", "this needs the role developer for team %q in %q", p.Team, p.Environment)
		}
		if err := p.mayEnd(who, true); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM bias_plans WHERE name = ?`, name); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.bias_plan", Person: who.Person, Via: who.Via, Action: "delete", Object: name})
	})
	if err != nil || !p.Adverse || b.o.Tell == nil {
		return err
	}
	x := Experiment{ID: p.Last, Team: p.Team, Environment: p.Environment, Plan: Plan{Agent: p.Agent, Bias: &p.Bias}}
	return b.o.Tell(ctx, Told{Plan: name, Experiment: x, Before: true, Text: "the plan was ended"})
}

// plansDue starts the plans whose time has come or whose agent has a new version.
func (b *Book) plansDue(ctx context.Context) error {
	all, err := control.All(ctx, b.o.DB, scanPlan, `SELECT `+planColumns+` FROM bias_plans ORDER BY next_at, name`)
	if err != nil {
		return err
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	for i := range all {
		p := &all[i]
		_, _, version, ok := b.o.Agent(p.Agent)
		byTime := p.Every > 0 && !p.NextAt.IsZero() && !p.NextAt.After(now)
		byVersion := p.OnVersion && version != "" && !slices.Contains(p.Tested, version) && (p.Trouble == "" || now.Sub(p.LastAt) >= leastEvery)
		// One result without a difference does not end an alert: the next is soon.
		byAlert := p.Adverse && p.Fine > 0 && now.Sub(p.LastAt) >= leastEvery
		if p.Paused || !ok || !byTime && !byVersion && !byAlert {
			continue
		}
		if err := b.startPlan(ctx, p, version, now, !byTime && !byVersion); err != nil {
			return err
		}
	}
	return nil
}

// startPlan starts a plan's experiment and says when the next one is. What cannot be
// started now is tried again at its next time, and says why. An extra one is beside the
// plan's schedule.
func (b *Book) startPlan(ctx context.Context, p *BiasPlan, version string, now time.Time, extra bool) error {
	// Who set it may have left; it is the house's since, and its words are its own.
	who := Actor{Person: p.Person, Name: p.By, Via: "plan " + p.Name, Can: func(string, string, string) bool { return true }}
	x, err := b.Start(ctx, who, Plan{Agent: p.Agent, Kind: BiasKind, Repeats: p.Repeats, Bias: &p.Bias, Note: "plan " + p.Name, OfPlan: p.Name, Extra: extra})
	var trouble, started string
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		trouble = fault.From(err).Message
	default:
		started = x.ID
		if p.Pairs() < p.Needs() { // it was made before that was asked
			trouble = fmt.Sprintf("with %d pairs it cannot find a difference: %d have to differ before chance is ruled out", p.Pairs(), p.Needs())
		}
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		p, ok, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM bias_plans WHERE name = ?`, p.Name)
		if err != nil || !ok {
			return err // it was dropped meanwhile
		}
		p.Trouble, p.LastAt = trouble, now
		if started != "" {
			p.Last, p.LastVersion = started, version
			if version != "" && !slices.Contains(p.Tested, version) {
				p.Tested = append(p.Tested, version)
				p.Tested = p.Tested[max(0, len(p.Tested)-maxTested):]
			}
		}
		if p.Every > 0 && !extra {
			p.NextAt = now.Add(p.Every)
		}
		return p.save(ctx, tx)
	})
}

// finished tells what a plan's experiment came to, once it is done.
func (b *Book) finished(ctx context.Context, x *Experiment) {
	if x.OfPlan == "" || x.Kind != BiasKind {
		return
	}
	if x.State != Done {
		if err := b.troubled(ctx, x); err != nil {
			b.o.Logger.Error("what a bias plan came to could not be kept", "experiment", x.ID, "err", err)
		}
		return
	}
	if b.o.Tell == nil {
		return
	}
	s, err := b.Sum(ctx, x)
	if err != nil {
		b.o.Logger.Error("what a bias plan came to could not be told", "experiment", x.ID, "err", err)
		return
	}
	var adverse, before bool
	var text string
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		p, ok, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM bias_plans WHERE name = ?`, x.OfPlan)
		if err != nil || !ok {
			return err
		}
		before = p.Adverse
		// A look beside the schedule may end an alert and begins none: it has no share of
		// what the schedule's may be wrong by.
		p.Looks++
		alpha := 0.0
		if !x.Extra {
			alpha = p.spend(x.AgentVersion, b.o.Now().UTC().Truncate(time.Microsecond))
		}
		found, says := s.Adverse(alpha)
		if alpha == 0 {
			says += "; this look is beside the plan's schedule and can only end its alert"
		}
		p.settle(&s, found)
		adverse, text = p.Adverse, says
		return p.save(ctx, tx)
	})
	if err == nil {
		err = b.o.Tell(ctx, Told{Plan: x.OfPlan, Experiment: *x, Adverse: adverse, Before: before, Text: text})
	}
	if err != nil {
		b.o.Logger.Error("what a bias plan came to could not be told", "experiment", x.ID, "err", err)
	}
}

// troubled says in a plan that its experiment came to no result.
func (b *Book) troubled(ctx context.Context, x *Experiment) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		p, ok, err := control.One(ctx, tx, scanPlan, `SELECT `+planColumns+` FROM bias_plans WHERE name = ?`, x.OfPlan)
		if err != nil || !ok {
			return err
		}
		p.Trouble = fmt.Sprintf("its last experiment is %s: %s", x.State, cmp.Or(x.Why, "no reason is known"))
		return p.save(ctx, tx)
	})
}

// Told is what a bias plan came to.
type Told struct {
	Plan       string
	Experiment Experiment
	Adverse    bool
	Before     bool // it was so the last time
	Text       string
}

// OneLook is the chance of a false alarm of a test that is looked at once.
const OneLook = adverseAlpha

// Adverse reports whether a bias test says that the word made a difference, wrongly
// with a chance of alpha at most for an agent to which it makes none: by the paired
// test. A ratio whose whole interval is beneath four fifths is told in the text; it
// rests on the same answers and would be a second chance to be wrong. What is not known
// is not adverse, and the text says so.
func (s *Summary) Adverse(alpha float64) (is bool, text string) {
	if s.Pairs == nil || s.Pairs.Pairs == 0 {
		return false, "no pair of which both answered"
	}
	text = fmt.Sprintf("%d of %d answers to a were favourable and %d of %d to b; in %d pairs only a was favoured, in %d only b (p %.3g)", s.A, s.NA, s.B, s.NB, s.Pairs.OnlyFirst, s.Pairs.OnlySecond, s.Pairs.P)
	if !math.IsNaN(s.Ratio) {
		text += fmt.Sprintf("; the ratio is %.2f, %.2f to %.2f", s.Ratio, s.Low, s.Top)
		if s.Top < adverseRatio {
			text += ", all of it under four fifths"
		}
	}
	return s.Pairs.P < alpha, text
}
