package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// DrillPlan is a failover that is tried by itself, at times, and when somebody asks.
//
//	            due, or asked for            done
//	waits ------------------------> runs ----------> waits
//	  ^   claimed with its experiment |
//	  '-------------------------------' Reeve ended: due at once, one time
type DrillPlan struct {
	Name        string    `json:"-"`
	Agent       string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	NextAt      time.Time `json:"-"` // zero: not by time

	Revision   int64         `json:"revision"`
	Drill      Drill         `json:"drill"`
	Dataset    string        `json:"dataset,omitempty"`
	Evaluators []string      `json:"evaluators,omitempty"`
	Every      time.Duration `json:"every,omitempty"` // 0: not so
	At         string        `json:"at,omitempty"`    // each day at HH:MM
	Zone       string        `json:"zone,omitempty"`  // of At, an IANA name; "" UTC
	Paused     bool          `json:"paused,omitempty"`
	By         string        `json:"by,omitempty"`
	Person     string        `json:"person,omitempty"`
	MadeAt     time.Time     `json:"made_at"`
	LastAt     time.Time     `json:"last_at,omitzero"`  // when its last one was started, or could not be
	Last       string        `json:"last,omitempty"`    // experiment
	Running    string        `json:"running,omitempty"` // experiment that is underway or waits
	Again      bool          `json:"again,omitempty"`   // the last one was broken off: this one is in its place
	Trouble    string        `json:"trouble,omitempty"` // why it came to nothing last
	Failing    bool          `json:"failing,omitempty"` // its alert fires
}

const (
	maxDrills    = 200
	drillHistory = 60 // that are read at once
)

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

func (p *DrillPlan) plan() Plan {
	d := p.Drill
	return Plan{Agent: p.Agent, Kind: DrillKind, Dataset: p.Dataset, Repeats: 1, Evaluators: p.Evaluators, Note: "drill " + p.Name, OfPlan: p.Name, Drill: &d}
}

func (p *DrillPlan) check() error {
	switch {
	case !planName.MatchString(p.Name):
		return invalid("a drill's name has small letters, digits, '.', '_' and '-', at most 64")
	case p.Every != 0 && p.At != "":
		return invalid("a drill runs every so often, or each day at a time, not both")
	case p.Every != 0 && p.Every < leastEvery || p.Every > 366*24*time.Hour:
		return invalid("a drill runs at most once an hour and at least once a year")
	case p.At != "" && !clock.MatchString(p.At):
		return invalid("%.20q is no time of a day", p.At).WithHint("04:30")
	case p.At == "" && p.Zone != "":
		return invalid("a zone is that of a time of the day").WithHint("--at 04:30 --zone Europe/Berlin")
	}
	if _, err := p.location(); err != nil {
		return err
	}
	x := p.plan()
	return x.check()
}

func (p *DrillPlan) location() (*time.Location, error) {
	if p.Zone == "" {
		return time.UTC, nil
	}
	z, err := time.LoadLocation(p.Zone)
	if err != nil || p.Zone == "Local" || len(p.Zone) > 64 {
		return time.UTC, invalid("%.64q is no time zone", p.Zone).WithHint("an IANA name such as Europe/Berlin")
	}
	return z, nil
}

// after is when it is due next after a time; zero: not by time.
func (p *DrillPlan) after(now time.Time) time.Time {
	switch {
	case p.Paused:
		return time.Time{}
	case p.Every > 0:
		return now.Add(p.Every)
	case p.At == "":
		return time.Time{}
	}
	zone, _ := p.location() // it was checked; a zone that the system lost is UTC
	at, err := time.Parse("15:04", p.At)
	if err != nil {
		return time.Time{}
	}
	day := now.In(zone)
	for i := range 3 {
		t := time.Date(day.Year(), day.Month(), day.Day()+i, at.Hour(), at.Minute(), 0, 0, zone)
		if t.After(now) {
			return t.UTC()
		}
	}
	return time.Time{}
}

func scanDrill(r control.Row) (p DrillPlan, err error) {
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

func (p *DrillPlan) save(ctx context.Context, tx *control.Tx) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	next := int64(math.MaxInt64)
	if !p.NextAt.IsZero() {
		next = control.Micros(p.NextAt)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO drills (`+planColumns+`) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET agent = excluded.agent, team = excluded.team, environment = excluded.environment, body = excluded.body, next_at = excluded.next_at`,
		p.Name, p.Agent, p.Team, p.Environment, string(text), next); err != nil {
		return err
	}
	return p.event(ctx, tx, "drill.updated")
}

func (p *DrillPlan) event(ctx context.Context, tx *control.Tx, kind string) error {
	data, err := json.Marshal(map[string]any{"drill": p.Name, "agent": p.Agent, "team": p.Team, "environment": p.Environment, "running": p.Running != "", "failing": p.Failing})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: p.Name, Data: data})
}

// Drills lists them, by name, of an agent or ("") of all.
func (b *Book) Drills(ctx context.Context, who Actor, agent string) ([]DrillPlan, error) {
	var w control.Where
	w.Is("agent", agent)
	all, err := control.All(ctx, b.o.DB, scanDrill, `SELECT `+planColumns+` FROM drills`+w.Text()+` ORDER BY name`, w.Args...)
	return slices.DeleteFunc(all, func(p DrillPlan) bool { return !who.Can("viewer", p.Team, p.Environment) }), err
}

// Drill is one of them.
func (b *Book) Drill(ctx context.Context, who Actor, name string) (DrillPlan, error) {
	return drillIn(ctx, b.o.DB, who, name)
}

func drillIn(ctx context.Context, r control.Reader, who Actor, name string) (DrillPlan, error) {
	p, ok, err := control.One(ctx, r, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, name)
	if err == nil && (!ok || !who.Can("viewer", p.Team, p.Environment)) {
		err = fault.New(fault.KindNotFound, "experiment.not_found", "there is no drill %.64s", name).WithHint("`reeve drill list` lists them")
	}
	return p, err
}

// DrillHistory are a drill's experiments, the newest first, at most limit of them; 0 is 60.
// Those of an earlier drill of the same name are another's.
func (b *Book) DrillHistory(ctx context.Context, p *DrillPlan, limit int) ([]Experiment, error) {
	if limit <= 0 || limit > drillHistory {
		limit = drillHistory
	}
	return control.All(ctx, b.o.DB, scanExperiment, `SELECT `+experimentColumns+` FROM experiments WHERE kind = 'drill' AND of_plan = ? AND at >= ? AND team = ? AND environment = ? ORDER BY at DESC, id LIMIT ?`,
		p.Name, control.Micros(p.MadeAt), p.Team, p.Environment, limit)
}

// StandIns are what may be called in place of a drill's upstream now.
func (b *Book) StandIns(p *DrillPlan) ([]string, error) {
	if b.o.StandIns == nil {
		return nil, fault.New(fault.KindUnavailable, "experiment.not_possible", "this server has no door")
	}
	all, err := b.o.StandIns(p.Drill.Upstream, p.Team)
	if err == nil && len(all) == 0 {
		err = errNoFallback(p.Drill.Upstream)
	}
	return all, err
}

const noFallback = "experiment.no_fallback"

func errNoFallback(upstream string) error {
	return fault.New(fault.KindConflict, noFallback, "upstream %.64s has no fallback that could stand in for it: nothing is there to be tried", upstream).
		WithHint("`reeve upstream set %.64s --fallback NAME`: one of the same dialect, environment and region, of its team or shared", upstream)
}

// mayDrill refuses who may not run an agent on cases and read what it says.
func (b *Book) mayDrill(who Actor, p *DrillPlan) error {
	team, environment, _, err := b.place(who, p.Agent, "developer")
	if err != nil {
		return err
	}
	if !who.Can("reader", team, environment) {
		return fault.New(fault.KindDenied, "experiment.denied", "a drill compares what is said: this needs the role reader for team %q in %q", team, environment)
	}
	p.Team, p.Environment = team, environment
	return nil
}

// PutDrill makes or changes a drill. One that runs every so often runs for the first time
// at once.
func (b *Book) PutDrill(ctx context.Context, who Actor, p DrillPlan) (DrillPlan, error) {
	if p.Drill.Least == 0 {
		p.Drill.Least = 1
	}
	if p.Drill.Tolerance == 0 {
		p.Drill.Tolerance = usualTolerance
	}
	p.Drill.Fallbacks = nil
	if err := p.check(); err != nil {
		return p, err
	}
	if err := b.mayDrill(who, &p); err != nil {
		return p, err
	}
	if _, err := b.StandIns(&p); err != nil {
		return p, err
	}
	var err error
	if p.Dataset != "" {
		_, err = b.Target(ctx, p.Agent)
	} else {
		err = b.mayProve(who, p.Team, p.Environment)
	}
	if err != nil {
		return p, err
	}
	// The cases are looked for as a drill would: a data set that is not there, or not for
	// who asks, is told now and not at four in the morning. Runs may be recorded later.
	x := Experiment{Team: p.Team, Environment: p.Environment, Plan: p.plan(), who: who}
	tasks, err := b.tasksOf(ctx, &x)
	if err != nil {
		return p, err
	}
	if n := len(tasks); n*2 > maxPlanItems || n == 0 && p.Dataset != "" {
		return p, invalid("a drill has 1 to %d cases; data set %s has %d", maxPlanItems/2, p.Dataset, n)
	}
	p.By, p.Person = who.Name, who.Person
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error { return b.putDrill(ctx, tx, who, &p) })
	select {
	case b.due <- struct{}{}:
	default: // it is told already
	}
	return p, err
}

func (b *Book) putDrill(ctx context.Context, tx *control.Tx, who Actor, p *DrillPlan) error {
	was, known, err := control.One(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, p.Name)
	switch {
	case err != nil:
		return err
	case known && !who.Can("developer", was.Team, was.Environment):
		return fault.New(fault.KindConflict, "experiment.conflict", "another drill has the name %s", p.Name)
	case known && p.Revision != was.Revision || !known && p.Revision != 0:
		return fault.New(fault.KindConflict, "experiment.conflict", "drill %s was changed meanwhile", p.Name).WithHint("read it again and give its revision")
	case known && was.Running != "":
		return fault.New(fault.KindConflict, "experiment.running", "drill %s is underway", p.Name).WithHint("change it when it is done, or stop it: `reeve experiment stop %s`", was.Running)
	}
	if !known {
		n, _, err := control.One(ctx, tx, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM drills`)
		if err != nil {
			return err
		}
		if n >= maxDrills {
			return fault.New(fault.KindExhausted, "experiment.too_many", "there are %d drills; more cannot be kept", n)
		}
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	other := p.Agent != was.Agent || p.Dataset != was.Dataset || p.Drill.Upstream != was.Drill.Upstream || p.Drill.Runs != was.Drill.Runs || p.Drill.Model != was.Drill.Model
	if known {
		softer := p.Drill.Least < was.Drill.Least || p.Drill.Tolerance > was.Drill.Tolerance || !slices.Equal(p.Evaluators, was.Evaluators)
		if err := was.mayQuiet(who, other || softer || p.Paused && !was.Paused); err != nil {
			return err
		}
		p.MadeAt, p.LastAt, p.Last, p.Trouble, p.Failing = was.MadeAt, was.LastAt, was.Last, was.Trouble, was.Failing
	} else {
		p.MadeAt = now
	}
	p.Revision++
	p.NextAt = p.after(now)
	if p.Every > 0 && !p.Paused {
		p.NextAt = now
		if next := was.LastAt.Add(p.Every); known && !other && next.After(now) {
			p.NextAt = next // a change is no drill more
		}
	}
	if err := p.save(ctx, tx); err != nil {
		return err
	}
	return audit.Append(ctx, tx, audit.Record{Kind: "admin.drill", Person: who.Person, Via: who.Via, Action: "put", Object: p.Name, After: p})
}

// mayQuiet refuses what would end a drill's alert without a drill that passed: while it
// fires, that is security's.
func (p *DrillPlan) mayQuiet(who Actor, quiets bool) error {
	if !quiets || !p.Failing || who.Can("security", p.Team, p.Environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "experiment.denied", "the alert of drill %s fires: what would end it without a drill that passes needs the role security for team %q in %q", p.Name, p.Team, p.Environment).
		WithHint("it ends by itself with the next one that passes: `reeve drill run %s`", p.Name)
}

// DropDrill ends a drill, and the alert that it may have; its experiments stay.
func (b *Book) DropDrill(ctx context.Context, who Actor, name string) error {
	var p DrillPlan
	err := b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		if p, err = drillIn(ctx, tx, who, name); err != nil {
			return err
		}
		if !who.Can("developer", p.Team, p.Environment) {
			return fault.New(fault.KindDenied, "experiment.denied", "this needs the role developer for team %q in %q", p.Team, p.Environment)
		}
		if err := p.mayQuiet(who, true); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM drills WHERE name = ?`, name); err != nil {
			return err
		}
		if err := p.event(ctx, tx, "drill.removed"); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.drill", Person: who.Person, Via: who.Via, Action: "delete", Object: name})
	})
	if err != nil || !p.Failing || b.o.TellDrill == nil {
		return err
	}
	return b.o.TellDrill(ctx, DrillTold{Plan: p, Experiment: p.Last, Text: "the drill was ended"})
}

// RunDrill starts a drill now, beside its schedule, as who asks.
func (b *Book) RunDrill(ctx context.Context, who Actor, name string) (DrillPlan, *Experiment, error) {
	p, err := b.Drill(ctx, who, name)
	if err == nil && p.Running != "" {
		err = b.unclaim(ctx, name)
	}
	if err != nil {
		return p, nil, err
	}
	x, err := b.startDrill(ctx, who, &p, false)
	if err != nil {
		return p, nil, err
	}
	p, err = b.Drill(ctx, who, name)
	return p, x, err
}

var errDrillTaken = errors.New("the drill is underway, or was changed meanwhile")

// startDrill plans a drill's experiment and claims the drill in one transaction: however
// Reeve ends, it is either not begun or known to be.
func (b *Book) startDrill(ctx context.Context, who Actor, p *DrillPlan, due bool) (*Experiment, error) {
	if err := b.mayDrill(who, p); err != nil {
		return nil, err
	}
	standIns, err := b.StandIns(p)
	if err != nil {
		return nil, err
	}
	plan := p.plan()
	plan.Drill.Fallbacks = standIns
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	x, err := b.start(ctx, who, plan, func(tx *control.Tx, x *Experiment) error {
		is, ok, err := control.One(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, p.Name)
		switch {
		case err != nil:
			return err
		case !ok || is.Revision != p.Revision || due && is.NextAt.After(now):
			return errDrillTaken
		case is.Running != "":
			return fault.New(fault.KindConflict, "experiment.running", "drill %s is underway already", p.Name).WithHint("`reeve drill show %s`", p.Name)
		}
		is.Running, is.Last, is.LastAt, is.Trouble = x.ID, x.ID, now, ""
		is.Team, is.Environment = p.Team, p.Environment
		if due {
			is.NextAt = is.after(now)
		}
		return is.save(ctx, tx)
	})
	if err == nil || errors.Is(err, errDrillTaken) {
		if err != nil && !due {
			err = fault.New(fault.KindConflict, "experiment.conflict", "drill %s was changed meanwhile", p.Name).WithHint("try again")
		}
		return x, err
	}
	return nil, errors.Join(err, b.unclaim(ctx, p.Name))
}

// unclaim gives a drill free whose experiment found no place after all.
func (b *Book) unclaim(ctx context.Context, name string) error {
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		p, ok, err := control.One(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, name)
		if err != nil || !ok || p.Running == "" {
			return err
		}
		x, ok, err := control.One(ctx, tx, scanExperiment, `SELECT `+experimentColumns+` FROM experiments WHERE id = ?`, p.Running)
		if err != nil || ok && (x.State == Waiting || x.State == Running) {
			return err
		}
		p.Running, p.Trouble = "", x.Why
		return p.save(ctx, tx)
	})
}

// drillsDue starts the drills whose time has come.
func (b *Book) drillsDue(ctx context.Context) error {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	all, err := control.All(ctx, b.o.DB, scanDrill, `SELECT `+planColumns+` FROM drills WHERE next_at <= ? ORDER BY next_at, name`, control.Micros(now))
	if err != nil {
		return err
	}
	for i := range all {
		p := &all[i]
		if p.Paused || p.Running != "" {
			if err := b.unclaim(ctx, p.Name); err != nil {
				return err
			}
			continue
		}
		who, err := b.maker(ctx, p)
		if err == nil {
			_, err = b.startDrill(ctx, who, p, true)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil || errors.Is(err, errDrillTaken) {
			continue
		}
		if err := b.notStarted(ctx, p, err, now); err != nil {
			return err
		}
	}
	return nil
}

// maker is who set a drill, with what they may do now: a drill that runs by itself may no
// more than whoever wanted it.
func (b *Book) maker(ctx context.Context, p *DrillPlan) (Actor, error) {
	who := Actor{Person: p.Person, Name: p.By, Via: "drill " + p.Name, Can: func(string, string, string) bool { return false }}
	if b.o.Rights == nil {
		return who, fault.New(fault.KindUnavailable, "experiment.not_possible", "this server knows nobody who could run drills")
	}
	can, err := b.o.Rights(ctx, p.Person)
	if err != nil {
		return who, err
	}
	if !can("developer", p.Team, p.Environment) || !can("reader", p.Team, p.Environment) {
		return who, fault.New(fault.KindDenied, "experiment.denied", "%.60s, who set it, may not run it any more", p.By).WithHint("somebody who is developer and reader of team %q in %q sets it again", p.Team, p.Environment)
	}
	who.Can = can
	return who, nil
}

// notStarted says in a drill why it could not be started. An upstream that lost its
// fallback is what a drill is there to find: that one fails.
func (b *Book) notStarted(ctx context.Context, p *DrillPlan, why error, now time.Time) error {
	f := fault.From(why)
	failing := f.Code == noFallback
	var before, told bool
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		is, ok, err := control.One(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, p.Name)
		if err != nil || !ok || is.Revision != p.Revision {
			return err
		}
		before, told = is.Failing, failing
		is.Trouble, is.LastAt, is.NextAt, is.Again = f.Message, now, is.after(now), false
		is.Failing = is.Failing || failing
		*p = is
		return is.save(ctx, tx)
	})
	if err != nil || !told || b.o.TellDrill == nil {
		return err
	}
	return b.o.TellDrill(ctx, DrillTold{Plan: *p, Experiment: p.Last, Failing: true, Before: before, Text: f.Message})
}

// DrillTold is what a drill came to.
type DrillTold struct {
	Plan       DrillPlan
	Experiment string
	Failing    bool
	Before     bool // it was so the last time
	Text       string
}

// drilled adds a drill up that has ended, and tells what it came to. ending: the process
// ends, and the drill is run again once.
func (b *Book) drilled(ctx context.Context, x *Experiment, ending bool) {
	if x.Kind != DrillKind {
		return
	}
	if err := b.settleDrill(ctx, x, ending); err != nil {
		b.o.Logger.Error("what a drill came to could not be kept", "experiment", x.ID, "err", err)
	}
}

func (b *Book) settleDrill(ctx context.Context, x *Experiment, ending bool) error {
	all, err := b.Results(ctx, x.ID)
	if err != nil {
		return err
	}
	d := drillOf(x.Drill, all)
	if x.State != Done {
		d.Verdict = DrillNothing // of a part of the cases
	}
	x.Drilled = &d
	var p DrillPlan
	var before, known bool
	err = b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		if p, known, err = control.One(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills WHERE name = ?`, x.OfPlan); err != nil || !known {
			return err
		}
		if known = p.Running == x.ID; !known { // another one of its name
			return nil
		}
		before = p.Failing
		p.Running, p.Trouble = "", ""
		switch {
		case ending:
			b.breakOff(&p)
		case x.State != Done:
			p.Trouble, p.Again = "the last one is "+x.State+": "+x.Why, false
		case d.Verdict == DrillNothing:
			p.Trouble, p.Again = d.InWords(x.Drill), false
		default:
			p.Again = false
		}
		switch d.Verdict {
		case DrillFailed:
			p.Failing = true
		case DrillPassed:
			p.Failing = false
		}
		return p.save(ctx, tx)
	})
	if err != nil || !known || b.o.TellDrill == nil || !before && !p.Failing {
		return err
	}
	told := d
	told.Lost = nil // their reasons may quote a provider, and an alert is for everybody
	return b.o.TellDrill(ctx, DrillTold{Plan: p, Experiment: x.ID, Failing: p.Failing, Before: before, Text: told.InWords(x.Drill)})
}

// breakOff makes a drill due again whose experiment Reeve's end broke off: once, so that
// one that ends Reeve does not do so for ever.
func (b *Book) breakOff(p *DrillPlan) {
	p.Running, p.Trouble = "", "the last one was broken off: "+Interrupted
	if p.Again {
		p.Again = false
		return
	}
	p.Again = true
	if !p.Paused {
		p.NextAt = b.o.Now().UTC().Truncate(time.Microsecond)
	}
}

// drillsBrokenOff is breakOff for those that a process before left behind.
func (b *Book) drillsBrokenOff(ctx context.Context, tx *control.Tx) error {
	all, err := control.All(ctx, tx, scanDrill, `SELECT `+planColumns+` FROM drills`)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Running == "" {
			continue
		}
		b.breakOff(&all[i])
		if err := all[i].save(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
