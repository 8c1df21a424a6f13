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
	Tested      []string      `json:"tested,omitempty"` // versions, the newest last: two may run side by side
	Looks       int64         `json:"looks,omitempty"`  // results that it has, each of which may be wrong
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
	adverseAlpha = 0.05 // chance that a plan of a fair agent ever says adverse
)

// alphaOf is what the k-th look of a plan may spend of adverseAlpha: all looks together
// spend it once, however often it is looked (6/pi^2 is what 1/k^2 adds up to, inverted).
func alphaOf(k int64) float64 {
	k = max(k, 1)
	return adverseAlpha * 6 / (math.Pi * math.Pi) / (float64(k) * float64(k))
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
	return (&Plan{Agent: p.Agent, Kind: BiasKind, Repeats: p.Repeats, Bias: &p.Bias}).check()
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

// PutPlan makes or changes a bias plan; it runs for the first time at once.
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
		p.LastVersion, p.LastAt, p.Last, p.Trouble, p.Adverse, p.Looks = was.LastVersion, was.LastAt, was.Last, was.Trouble, was.Adverse, was.Looks
		p.Tested = was.Tested
		if p.Agent != was.Agent {
			p.Tested = nil
		}
		p.NextAt = time.Time{}
		if p.Every > 0 && !p.Paused {
			p.NextAt = b.o.Now().UTC().Truncate(time.Microsecond)
		}
		if err := p.save(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.bias_plan", Person: who.Person, Via: who.Via, Action: "put", Object: p.Name, After: p})
	})
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
		if p.Paused || !ok || !byTime && !byVersion {
			continue
		}
		if err := b.startPlan(ctx, p, version, now); err != nil {
			return err
		}
	}
	return nil
}

// startPlan starts a plan's experiment and says when the next one is. What cannot be
// started now is tried again at its next time, and says why.
func (b *Book) startPlan(ctx context.Context, p *BiasPlan, version string, now time.Time) error {
	// Who set it may have left; it is the house's since, and its words are its own.
	who := Actor{Person: p.Person, Name: p.By, Via: "plan " + p.Name, Can: func(string, string, string) bool { return true }}
	x, err := b.Start(ctx, who, Plan{Agent: p.Agent, Kind: BiasKind, Repeats: p.Repeats, Bias: &p.Bias, Note: "plan " + p.Name, OfPlan: p.Name})
	var trouble, started string
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		trouble = fault.From(err).Message
	default:
		started = x.ID
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
		if p.Every > 0 {
			p.NextAt = now.Add(p.Every)
		}
		return p.save(ctx, tx)
	})
}

// finished tells what a plan's experiment came to, once it is done.
func (b *Book) finished(ctx context.Context, x *Experiment) {
	if x.OfPlan == "" || x.Kind != BiasKind || x.State != Done || b.o.Tell == nil {
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
		p.Looks++
		adverse, text = s.Adverse(alphaOf(p.Looks))
		before, p.Adverse = p.Adverse, adverse
		return p.save(ctx, tx)
	})
	if err == nil {
		err = b.o.Tell(ctx, Told{Plan: x.OfPlan, Experiment: *x, Adverse: adverse, Before: before, Text: text})
	}
	if err != nil {
		b.o.Logger.Error("what a bias plan came to could not be told", "experiment", x.ID, "err", err)
	}
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
