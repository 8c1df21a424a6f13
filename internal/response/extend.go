package response

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/finding"
)

// What was done for a time ends when its cause is over, not when the clock says so: an
// agent in a loop is throttled for an hour, loops on at its throttled pace, and would be
// let go while it does. So an act whose cause goes on is extended by its policy's time,
// as often as maxPeriods allows; then it ends, and people decide.

const (
	// maxPeriods is how often its policy's time something lasts at most.
	maxPeriods = 24
	maxLife    = 30 * 24 * time.Hour
	// early is how long before its end it is looked whether a cause goes on, so that
	// the agent is not free in between.
	early = time.Second
)

// period is when the time that an act has now began.
func (a *Act) period() time.Time {
	if a.Renewed.After(a.At) {
		return a.Renewed
	}
	return a.At
}

// Says is why an act is what it is, with how often it was extended while it holds.
func (a *Act) Says() string {
	if a.State != InForce || a.Extended == 0 {
		return a.Why
	}
	times := fmt.Sprintf("%d times", a.Extended)
	if a.Extended == 1 {
		times = "once"
	}
	return join(a.Why, "extended "+times+": its cause goes on")
}

// goesOn is the finding for which an act is to hold longer, and until when; nil for
// none. Its cause goes on when an open finding that its policy is about was seen in
// the latter half of its time: what was under way when the agent was contained does
// not count. Whom a person called noise does not either, nor does anything once the
// policy observes, is gone or contains otherwise.
func (r *Responder) goesOn(ctx context.Context, tx *control.Tx, a *Act, now time.Time) (f *finding.Finding, until time.Time, err error) {
	if r.o.Live == nil || a.Until.IsZero() {
		return nil, until, nil
	}
	// From the database: Put holds the lock of the policies while it waits to write.
	p, ok, err := control.One(ctx, tx, scanPolicy, `SELECT `+policyColumns+` FROM response_policies WHERE name = ?`, a.Policy)
	if err != nil || !ok || p.Mode != Enforce || p.Contain != a.Contain {
		return nil, until, err
	}
	half := a.period().Add(a.Until.Sub(a.period()) / 2)
	list := r.o.Live(func(f *finding.Finding) bool {
		return f.Agent == a.Agent && f.Authenticated && !f.Last.Before(half) && p.matches(f)
	})
	list = slices.DeleteFunc(list, func(f finding.Finding) bool { return noise(&f) })
	if len(list) == 0 {
		return nil, until, nil
	}
	f = &list[0]
	if i := slices.IndexFunc(list, func(x finding.Finding) bool { return x.ID == a.Finding }); i >= 0 {
		f = &list[i]
	}
	life := p.For
	if life <= 0 {
		life = a.Until.Sub(a.period())
	}
	until = now.Add(life)
	if a.Until.After(now) {
		until = a.Until.Add(life)
	}
	if last := a.At.Add(min(maxPeriods*life, maxLife)); until.After(last) {
		until = last
	}
	if !until.After(a.Until) || !until.After(now) {
		return f, time.Time{}, nil
	}
	return f, until, nil
}

// extend lets an act hold on. false: somebody set the agent otherwise since, which
// stays.
func (r *Responder) extend(ctx context.Context, tx *control.Tx, a *Act, f *finding.Finding, now, until time.Time) (bool, error) {
	known, ok := r.o.Agents.Lookup(a.Agent)
	if !ok || known.Lifecycle == agent.Retired {
		return false, nil
	}
	ours, err := inForce(ctx, tx, a.Agent)
	if err != nil {
		return false, err
	}
	set := a.Contain // the strictest that Reeve set is what should stand there
	for i := range ours {
		if level(ours[i].Contain) > level(set) {
			set = ours[i].Contain
		}
	}
	lapsed := false
	if known.Containment == agent.None {
		if lapsed, err = r.lapsed(ctx, a.Agent); err != nil {
			return false, err
		}
	}
	if known.Containment != set && !lapsed {
		return false, nil
	}
	held := true
	reason := fmt.Sprintf("%s goes on: %s (%s of %s)", f.Detector, f.Text, a.ID, f.ID)
	if len(reason) > 900 {
		reason = strings.ToValidUTF8(reason[:900], "")
	}
	_, err = r.o.Agents.RespondIn(ctx, tx, r.actor(a.Policy), a.Agent, "extend_response", finding.OneLine(reason), func(g *agent.Agent) (string, time.Time, error) {
		switch {
		case g.Containment != set && !lapsed:
			held = false
			return g.Containment, g.ContainedTill, nil
		case set != a.Contain || g.ContainedTill.IsZero() && !lapsed: // another act holds it, or the timer goes back to what was there
			return g.Containment, g.ContainedTill, nil
		case g.ContainedTill.After(until):
			return g.Containment, g.ContainedTill, nil
		}
		return a.Contain, until, nil
	})
	if err != nil || !held {
		return false, err
	}
	a.Until, a.Renewed, a.Extended = until, now, a.Extended+1
	if err := tx.SetTimer(ctx, control.Timer{ID: "response/" + a.ID, Kind: TimerEnd, Due: until.Add(-early), Body: a.ID}); err != nil {
		return false, err
	}
	if err := a.write(ctx, tx); err != nil {
		return false, err
	}
	data, err := json.Marshal(map[string]any{
		"id": a.ID, "agent": a.Agent, "team": a.Team, "environment": a.Environment, "finding": f.ID, "state": a.State, "contain": a.Contain, "until": until,
	})
	if err != nil {
		return false, err
	}
	return true, tx.Event(ctx, control.Event{Type: "response.extended", Object: a.ID, Data: data})
}

// lapsed reports whether an agent is free only because its containment's own end had
// passed, as after a time in which nobody ran: no person let it go.
func (r *Responder) lapsed(ctx context.Context, name string) (bool, error) {
	list, err := r.o.Agents.Revisions(ctx, name)
	if err != nil {
		return false, err
	}
	for i := range list {
		switch list[i].Action {
		case "end": // of its containment, or of something else of it
			if i+1 < len(list) && list[i].Agent.Containment == agent.None && list[i+1].Agent.Containment != agent.None {
				return true, nil
			}
		case "release", "contain", "respond", "undo_response", "extend_response":
			return false, nil
		}
	}
	return false, nil
}
