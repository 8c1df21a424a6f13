// Package response is the only hand in Reeve that acts by itself: a finding leads
// to a containment where a policy says so, and is taken back in one act.
//
// What for: a hijacked agent does harm in seconds. People are minutes away, and
// what they find then should be a narrowed agent and the evidence.
//
// Who calls it: app tells it of findings (Found) and runs it; api keeps policies,
// lists what was done and takes it back.
//
// Promises: it acts on containment alone, and only for findings whose agent had
// proved who it is; it never loosens what a person set. It acts once for a
// finding and a policy, whatever is told twice or killed in between: what is done
// and its record are one transaction. A policy begins in observe, which records
// what it would have done. No more agents are contained in an hour than the brake
// allows; beyond it a person decides. Whatever it did ends by itself once its cause is
// over, unless the policy says otherwise, and is undone to what a person had set. Safe for
// concurrent use.
//
// How it fails: a database that refuses is tried again. response.invalid,
// response.not_found, response.conflict, response.state say what is wrong.
//
// Start reading at Policy, then Responder.Respond.
package response

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/finding"
)

// Policy says what follows from which findings.
type Policy struct {
	Name        string        `json:"-"`
	Text        string        `json:"text,omitempty"`
	Detectors   []string      `json:"detectors,omitempty"` // loop, rule:NAME; none: all
	Severity    string        `json:"severity,omitempty"`  // at least; "" any
	Team        string        `json:"team,omitempty"`      // whose agents; "" all
	Environment string        `json:"environment,omitempty"`
	Agents      []string      `json:"agents,omitempty"` // none: all
	Contain     string        `json:"contain"`
	For         time.Duration `json:"for,omitempty"` // 0: until a person ends it
	Mode        string        `json:"mode"`          // observe, enforce
	Revision    int64         `json:"-"`
	By          string        `json:"-"`
	Reason      string        `json:"-"`
	CreatedAt   time.Time     `json:"-"`
	UpdatedAt   time.Time     `json:"-"`
}

// Modes of a policy.
const (
	Observe = "observe"
	Enforce = "enforce"
)

// States of what was done.
//
//	in_force --its time passed--> ended; in_force again while its cause goes on
//	         --a person--------> reverted
//	braked, would --a person applies it--> in_force
const (
	InForce   = "in_force"
	Ended     = "ended"
	Reverted  = "reverted"
	Would     = "would"      // the policy observes
	Braked    = "braked"     // too many agents in this hour: a person decides
	Claimed   = "claimed"    // the agent had not proved who it is
	NotNeeded = "not_needed" // as narrow as that already
	Failed    = "failed"     // no such agent, or retired
)

// Act is what was done about a finding, or would have been.
type Act struct {
	ID          string    `json:"-"`
	Policy      string    `json:"-"`
	Finding     string    `json:"-"`
	Agent       string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	State       string    `json:"-"`
	At          time.Time `json:"-"`
	Until       time.Time `json:"-"` // zero: until a person ends it
	EndedAt     time.Time `json:"-"`

	Revision  int64     `json:"revision"` // of the policy
	Detector  string    `json:"detector"`
	Text      string    `json:"text"` // of the finding
	Contain   string    `json:"contain"`
	Before    string    `json:"before"`             // the containment that was in force
	Base      string    `json:"base"`               // what a person had set beneath all that Reeve did
	BaseTill  time.Time `json:"base_till,omitzero"` //
	Why       string    `json:"why,omitempty"`      //
	Took      int64     `json:"took,omitempty"`     // ns, from the arrival of the record that led here
	Renewed   time.Time `json:"renewed,omitzero"`   // when it was extended last
	Extended  int       `json:"extended,omitempty"` // how often
	EndedBy   string    `json:"ended_by,omitempty"` // by name
	EndReason string    `json:"end_reason,omitempty"`
}

// Options of a Responder. DB and Agents are required.
type Options struct {
	DB      *control.DB
	Agents  *agent.Registry
	PerHour int // agents that are contained in an hour without a person; 0 is 5
	PerTeam int // of those, of one team; 0 is all of them
	// Live lists the open findings that see wants, for what was not told of (a kill, a
	// full queue) and for whether a cause goes on. It must not wait for the database.
	// Nil knows of none.
	Live   func(see func(*finding.Finding) bool) []finding.Finding
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
}

// Responder acts. Make one with New, start it with Run.
type Responder struct {
	o Options

	mu       sync.Mutex // guards policies
	policies map[string]*Policy

	act    sync.Mutex // one act at a time: brake and base are read and written
	found  chan finding.Finding
	missed atomic.Int64 // since when (ns) findings found the queue full; 0: none did
}

const (
	defaultPerHour = 5
	maxPolicies    = 200
	queued         = 1024
	// fresh is how old a finding may be that is acted on after a restart.
	fresh = 10 * time.Minute
	keep  = 365 * 24 * time.Hour
)

// TimerEnd is the kind of the timer that ends what was done.
const TimerEnd = "response.end"

// New reads the policies; the first time it keeps some that observe.
func New(ctx context.Context, o Options) (*Responder, error) {
	if o.DB == nil || o.Agents == nil {
		return nil, errors.New("response: Options.DB and Options.Agents are required")
	}
	if o.PerHour <= 0 {
		o.PerHour = defaultPerHour
	}
	if o.PerTeam <= 0 || o.PerTeam > o.PerHour {
		o.PerTeam = o.PerHour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Responder{o: o, policies: map[string]*Policy{}, found: make(chan finding.Finding, queued)}
	if err := r.seed(ctx); err != nil {
		return nil, fmt.Errorf("keeping the first response policies: %w", err)
	}
	list, err := control.All(ctx, o.DB, scanPolicy, `SELECT `+policyColumns+` FROM response_policies`)
	if err != nil {
		return nil, fmt.Errorf("reading the response policies: %w", err)
	}
	for i := range list {
		r.policies[list[i].Name] = &list[i]
	}
	return r, nil
}

// Found takes in a finding that is new or became more severe. It never waits: what
// the queue has no room for is looked up among the open ones once Run has worked
// the queue off.
func (r *Responder) Found(f finding.Finding) {
	select {
	case r.found <- f:
	default:
		if r.missed.CompareAndSwap(0, f.News().UnixNano()) {
			r.o.Logger.Warn("more findings at once than the queue holds: those beyond are responded to after it", "queue", queued)
		}
	}
}

// since responds to the open findings with news since a time, the most severe first:
// the brake may leave the others to people.
func (r *Responder) since(ctx context.Context, t time.Time) {
	if r.o.Live == nil {
		return
	}
	list := r.o.Live(func(f *finding.Finding) bool { return !f.News().Before(t) })
	rank := func(f *finding.Finding) int { return slices.Index(finding.Severities(), f.Severity) }
	slices.SortFunc(list, func(x, y finding.Finding) int {
		return cmp.Or(-cmp.Compare(rank(&x), rank(&y)), x.News().Compare(y.News()), strings.Compare(x.ID, y.ID))
	})
	for _, f := range list {
		if ctx.Err() != nil {
			return
		}
		r.respond(ctx, f)
	}
}

// catchUp responds to what found the queue full, once it is empty.
func (r *Responder) catchUp(ctx context.Context) {
	if len(r.found) > 0 {
		return
	}
	// Emptied before it is looked: what is missed meanwhile sets it again.
	if at := r.missed.Swap(0); at != 0 {
		// Findings are told of after they were seen, several at once: an earlier one may
		// have been missed after a later one.
		r.since(ctx, time.Unix(0, at).Add(-fresh))
	}
}

// Run responds until ctx ends, whose cause it returns; first to what a kill kept from
// being responded to.
func (r *Responder) Run(ctx context.Context) error {
	r.since(ctx, r.o.Now().Add(-fresh))
	tidy := time.NewTicker(24 * time.Hour)
	defer tidy.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case f := <-r.found:
			r.respond(ctx, f)
			r.catchUp(ctx)
		case <-tidy.C:
			if err := r.Tidy(ctx); err != nil && ctx.Err() == nil {
				r.o.Logger.Warn("old responses could not be dropped", "err", err)
			}
		}
	}
}

// respond is Respond until it is done.
func (r *Responder) respond(ctx context.Context, f finding.Finding) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		_, err := r.Respond(ctx, f)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.o.Logger.Warn("a finding could not be responded to yet", "finding", f.ID, "agent", f.Agent, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// matches reports whether a policy is about a finding.
func (p *Policy) matches(f *finding.Finding) bool {
	has := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	rank := func(s string) int { return slices.Index(finding.Severities(), s) }
	return has(p.Detectors, f.Detector) && has(p.Agents, f.Agent) && rank(f.Severity) >= rank(p.Severity) &&
		(p.Team == "" || p.Team == f.Team) && (p.Environment == "" || p.Environment == f.Environment)
}

// Respond does what the policies say about a finding: the strictest of those that
// enforce acts, and each that matches leaves its record. Told twice it does
// nothing the second time, unless it became more severe: then those act that asked
// for that. What a person called noise leads to nothing.
func (r *Responder) Respond(ctx context.Context, f finding.Finding) ([]Act, error) {
	if noise(&f) {
		return nil, nil
	}
	r.mu.Lock()
	var list []*Policy
	for _, p := range r.policies {
		if p.matches(&f) && !p.UpdatedAt.After(f.Last) {
			list = append(list, p)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(x, y *Policy) int {
		return cmp.Or(strings.Compare(x.Mode, y.Mode), -cmp.Compare(level(x.Contain), level(y.Contain)), strings.Compare(x.Name, y.Name))
	})
	var out []Act
	for _, p := range list {
		a, err := r.one(ctx, p, &f)
		if err != nil {
			return out, err
		}
		if a != nil {
			out = append(out, *a)
		}
	}
	return out, nil
}

func noise(f *finding.Finding) bool {
	return f.Verdict != nil && f.Verdict.Verdict == finding.Noise
}

// level is how strict a containment is.
func level(word string) int { return slices.Index(agent.Containments(), word) }

func (r *Responder) actor(p string) agent.Actor {
	return agent.Actor{Person: "reeve", Name: "response " + p, Via: "", Can: func(string, string, string) bool { return true }}
}

// one does what one policy says. nil: it was done before.
func (r *Responder) one(ctx context.Context, p *Policy, f *finding.Finding) (*Act, error) {
	r.act.Lock()
	defer r.act.Unlock()
	now := r.o.Now().UTC().Truncate(time.Microsecond)
	a := &Act{
		ID: activity.Mint("rsp_", now.UnixNano()), Policy: p.Name, Finding: f.ID, Agent: f.Agent, Team: f.Team, Environment: f.Environment, At: now,
		Revision: p.Revision, Detector: f.Detector, Text: f.Text, Contain: p.Contain,
	}
	known, there := r.o.Agents.Lookup(f.Agent)
	if there {
		a.Team, a.Environment, a.Before = known.Team, known.Environment, known.Contained(now)
	}
	done := false
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		before, err := control.All(ctx, tx, scanAct, `SELECT `+actColumns+` FROM responses WHERE finding = ? AND policy = ?`, f.ID, p.Name)
		if err != nil {
			return err
		}
		if done = len(before) > 0; done {
			return nil
		}
		a.State, a.Why = r.standing(p, f, known, there, a)
		if a.State == InForce {
			if err := r.brake(ctx, tx, a); err != nil {
				return err
			}
		}
		if a.State == InForce {
			if err := r.contain(ctx, tx, r.actor(p.Name), a, p.For); err != nil {
				return err
			}
			if f.Event > 0 {
				a.Took = r.o.Now().UnixNano() - f.Event
			}
		}
		if err := a.write(ctx, tx); err != nil {
			return err
		}
		return a.event(ctx, tx)
	})
	if err != nil || done {
		return nil, err
	}
	if a.State == InForce {
		r.o.Logger.Info("an agent was contained", "agent", a.Agent, "containment", a.Contain, "finding", a.Finding, "policy", a.Policy, "took", time.Duration(a.Took))
	}
	return a, nil
}

// standing is what can be done at all.
func (r *Responder) standing(p *Policy, f *finding.Finding, known *agent.Agent, there bool, a *Act) (state, why string) {
	switch {
	case !f.Authenticated:
		return Claimed, "telemetry names the agent, and nothing proved that it was the agent"
	case !there:
		return Failed, "no agent of that name is registered"
	case known.Lifecycle == agent.Retired:
		return Failed, "the agent is retired"
	case level(a.Before) >= level(p.Contain):
		return NotNeeded, "the agent is " + a.Before + " already"
	case p.Mode != Enforce:
		return Would, "the policy observes"
	}
	return InForce, ""
}

// brake keeps a mistake from stopping the fleet, and the trouble of one team from
// using up what the agents of others may need.
func (r *Responder) brake(ctx context.Context, tx *control.Tx, a *Act) error {
	type contained struct{ agent, team string }
	list, err := control.All(ctx, tx, func(row control.Row) (c contained, err error) { return c, row.Scan(&c.agent, &c.team) },
		`SELECT DISTINCT agent, team FROM responses WHERE state IN ('in_force', 'ended', 'reverted') AND at > ?`, control.Micros(a.At.Add(-time.Hour)))
	if err != nil {
		return err
	}
	all, team := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		all[c.agent] = true
		if c.team == a.Team {
			team[c.agent] = true
		}
	}
	switch {
	case all[a.Agent]:
	case len(all) >= r.o.PerHour:
		a.State = Braked
		a.Why = fmt.Sprintf("%d agents were contained in this hour, and %d is what happens without a person", len(all), r.o.PerHour)
	case len(team) >= r.o.PerTeam:
		a.State = Braked
		a.Why = fmt.Sprintf("%d agents of team %q were contained in this hour, and %d is what happens without a person", len(team), a.Team, r.o.PerTeam)
	}
	return nil
}

// contain sets the containment of an act and its end.
func (r *Responder) contain(ctx context.Context, tx *control.Tx, who agent.Actor, a *Act, life time.Duration) error {
	ours, err := inForce(ctx, tx, a.Agent)
	if err != nil {
		return err
	}
	if life > 0 {
		a.Until = a.At.Add(life)
		if err := tx.SetTimer(ctx, control.Timer{ID: "response/" + a.ID, Kind: TimerEnd, Due: a.Until.Add(-early), Body: a.ID}); err != nil {
			return err
		}
	}
	reason := a.Detector + ": " + a.Text + " (" + a.Finding + ")"
	if len(reason) > 900 {
		reason = strings.ToValidUTF8(reason[:900], "")
	}
	_, err = r.o.Agents.RespondIn(ctx, tx, who, a.Agent, "respond", finding.OneLine(reason), func(now *agent.Agent) (string, time.Time, error) {
		a.Before = now.Contained(a.At)
		a.Base, a.BaseTill = a.Before, now.ContainedTill
		if a.Before == agent.None {
			a.BaseTill = time.Time{}
		}
		if len(ours) > 0 { // beneath it lies what a person had set
			a.Base, a.BaseTill = ours[0].Base, ours[0].BaseTill
		}
		till := a.Until
		if a.Before != agent.None {
			till = time.Time{} // the timer goes back to what was there
		}
		return a.Contain, till, nil
	})
	return err
}

// inForce are the acts that hold an agent, the first first.
func inForce(ctx context.Context, tx control.Reader, name string) ([]Act, error) {
	return control.All(ctx, tx, scanAct, `SELECT `+actColumns+` FROM responses WHERE agent = ? AND state = 'in_force' ORDER BY at, id`, name)
}

// End ends an act when its time has passed, or extends it while its cause goes on; it
// is a control.TimerFunc.
func (r *Responder) End(ctx context.Context, tx *control.Tx, t control.Timer) error {
	a, ok, err := control.One(ctx, tx, scanAct, `SELECT `+actColumns+` FROM responses WHERE id = ?`, t.Body)
	if err != nil || !ok || a.State != InForce {
		return err
	}
	now := r.o.Now().UTC().Truncate(time.Microsecond)
	if now.Before(a.Until.Add(-early)) { // the clock stepped back
		return tx.SetTimer(ctx, control.Timer{ID: t.ID, Kind: t.Kind, Due: a.Until.Add(-early), Body: t.Body})
	}
	f, until, err := r.goesOn(ctx, tx, &a, now)
	if err != nil {
		return err
	}
	if f != nil && !until.IsZero() {
		if extended, err := r.extend(ctx, tx, &a, f, now, until); extended || err != nil {
			return err
		}
	}
	if now.Before(a.Until) {
		return tx.SetTimer(ctx, control.Timer{ID: t.ID, Kind: t.Kind, Due: a.Until, Body: t.Body})
	}
	why := "its time has passed"
	if f != nil && until.IsZero() {
		why += ", and it was extended as often as is done without a person; " + f.Detector + " goes on (" + f.ID + ")"
	}
	return r.end(ctx, tx, r.actor(a.Policy), &a, Ended, why)
}

// end takes an act back: what holds then is the strictest of what else is in
// force and what a person had set.
func (r *Responder) end(ctx context.Context, tx *control.Tx, who agent.Actor, a *Act, state, reason string) error {
	ours, err := inForce(ctx, tx, a.Agent)
	if err != nil {
		return err
	}
	now := r.o.Now().UTC().Truncate(time.Microsecond)
	to, till := a.Base, a.BaseTill
	if to == "" || !till.IsZero() && !now.Before(till) {
		to, till = agent.None, time.Time{}
	}
	set := a.Contain // the strictest that Reeve set is what should stand there
	for i := range ours {
		o := &ours[i]
		if level(o.Contain) > level(set) {
			set = o.Contain
		}
		if o.ID != a.ID && level(o.Contain) > level(to) {
			to, till = o.Contain, time.Time{}
			if o.Base == agent.None {
				till = o.Until
			}
		}
	}
	known, ok := r.o.Agents.Lookup(a.Agent)
	if ok && known.Lifecycle != agent.Retired {
		_, err = r.o.Agents.RespondIn(ctx, tx, who, a.Agent, "undo_response", finding.OneLine(reason+" ("+a.ID+" of "+a.Finding+")"), func(g *agent.Agent) (string, time.Time, error) {
			if is := g.Contained(now); is != set && is != agent.None {
				// A person changed it since: what they set stays.
				a.Why = join(a.Why, "a person had set "+is+" since, which stays")
				return g.Containment, g.ContainedTill, nil
			}
			return to, till, nil
		})
		if err != nil {
			return err
		}
	}
	if _, err := tx.CancelTimer(ctx, "response/"+a.ID); err != nil {
		return err
	}
	a.State, a.EndedAt, a.EndedBy, a.EndReason = state, now, who.Name, reason
	if err := a.write(ctx, tx); err != nil {
		return err
	}
	return a.event(ctx, tx)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func plainReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > 800 || strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.New(fault.KindInvalid, "response.reason", "this needs a reason: a line of at most 800 bytes").WithHint("it is kept with the agent, for whoever asks later")
	}
	return nil
}

// Revert takes an act back: responder or security of the agent's team. Of one
// that holds nothing it only says so.
func (r *Responder) Revert(ctx context.Context, who agent.Actor, id, reason string) (Act, error) {
	if err := plainReason(reason); err != nil {
		return Act{}, err
	}
	return r.change(ctx, id, func(tx *control.Tx, a *Act) error {
		if a.State != InForce {
			return fault.New(fault.KindConflict, "response.state", "this response is %s: there is nothing to take back", a.State)
		}
		if err := may(who, a); err != nil {
			return err
		}
		return r.end(ctx, tx, who, a, Reverted, reason)
	})
}

// Apply does what a braked or observing policy would have done: responder or
// security of the agent's team.
func (r *Responder) Apply(ctx context.Context, who agent.Actor, id, reason string) (Act, error) {
	if err := plainReason(reason); err != nil {
		return Act{}, err
	}
	return r.change(ctx, id, func(tx *control.Tx, a *Act) error {
		if a.State != Braked && a.State != Would {
			return fault.New(fault.KindConflict, "response.state", "this response is %s", a.State).WithHint("only what was braked or would have been done can be applied")
		}
		if err := may(who, a); err != nil {
			return err
		}
		// From the database: Put holds the lock of the policies while it waits to write.
		p, there, err := control.One(ctx, tx, scanPolicy, `SELECT `+policyColumns+` FROM response_policies WHERE name = ?`, a.Policy)
		if err != nil {
			return err
		}
		life := time.Hour
		if there {
			life = p.For
		}
		known, ok := r.o.Agents.Lookup(a.Agent)
		now := r.o.Now().UTC().Truncate(time.Microsecond)
		if ok && level(known.Contained(now)) >= level(a.Contain) {
			return fault.New(fault.KindConflict, "response.state", "the agent is %s already", known.Contained(now))
		}
		a.At = now
		a.State, a.Why = InForce, "applied by "+who.Name+": "+reason
		if err := r.contain(ctx, tx, who, a, life); err != nil {
			return err
		}
		if err := a.write(ctx, tx); err != nil {
			return err
		}
		return a.event(ctx, tx)
	})
}

// Passed ends what is in force for a finding whose cause has passed; nothing
// where nothing is.
func (r *Responder) Passed(ctx context.Context, finding, why string) error {
	if finding == "" {
		return nil
	}
	r.act.Lock()
	defer r.act.Unlock()
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		acts, err := control.All(ctx, tx, scanAct, `SELECT `+actColumns+` FROM responses WHERE finding = ? AND state = 'in_force'`, finding)
		if err != nil {
			return err
		}
		for i := range acts {
			if err := r.end(ctx, tx, r.actor(acts[i].Policy), &acts[i], Ended, why); err != nil {
				return err
			}
		}
		return nil
	})
}

func may(who agent.Actor, a *Act) error {
	for _, role := range []string{"responder", "security"} {
		if who.Can != nil && who.Can(role, a.Team, a.Environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "response.denied", "this needs the role responder or security for team %q in %q", a.Team, a.Environment).WithHint("an admin can grant it")
}

func (r *Responder) change(ctx context.Context, id string, f func(tx *control.Tx, a *Act) error) (Act, error) {
	r.act.Lock()
	defer r.act.Unlock()
	var out Act
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		a, ok, err := control.One(ctx, tx, scanAct, `SELECT `+actColumns+` FROM responses WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.KindNotFound, "response.not_found", "there is no such response").WithHint("`reeve response list` lists them")
		}
		if err := f(tx, &a); err != nil {
			return err
		}
		out = a
		return nil
	})
	return out, err
}

// event tells live views.
func (a *Act) event(ctx context.Context, tx *control.Tx) error {
	data, err := json.Marshal(map[string]any{"id": a.ID, "agent": a.Agent, "team": a.Team, "environment": a.Environment, "finding": a.Finding, "state": a.State, "contain": a.Contain})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "response." + a.State, Object: a.ID, Data: data})
}

// record is the audit record of a change of a policy.
func record(ctx context.Context, tx *control.Tx, who Actor, action, name, reason string, before, after any) error {
	return audit.Append(ctx, tx, audit.Record{Kind: "admin.response_policy", Person: who.Person, Via: who.Via, Action: action, Object: name, Reason: reason, Before: before, After: after})
}
