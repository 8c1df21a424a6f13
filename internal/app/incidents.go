package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/budget"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/incident"
	"reeve/internal/stop"
	"reeve/internal/telemetry"
)

// openIncidents reads the live incidents.
func (a *App) openIncidents(ctx context.Context) (err error) {
	key, err := keyFile(filepath.Join(a.o.Config.Data, "told-key"), 32)
	if err != nil {
		return err
	}
	a.incidents, err = incident.New(ctx, incident.Options{
		DB: a.control, Key: key, AgentPlace: a.agentPlace, Uses: a.usesOfAgents, Logger: a.log.With("part", "incidents"), Reach: incidentReach{a}, Hands: incidentHands{a}, Unrecovered: a.unhappyYet,
		Opened: a.heardOfIncident, Changed: func(i incident.Incident) { a.heardOfIncident(i, "") },
	})
	return err
}

// usesFor is how far back the map is read for incidents.
const usesFor = 24 * time.Hour

// usesOfAgents is what agents were seen to use, in the words of signals.
func (a *App) usesOfAgents(ctx context.Context) (out []incident.Use, err error) {
	now := time.Now()
	seen, err := a.fleet.Uses(ctx, now.Add(-usesFor), now)
	if err != nil {
		return nil, err
	}
	for i := range seen {
		u := &seen[i]
		name := cmp.Or(u.Agent, u.Claim.Name, u.Claim.AgentID, u.Claim.Service)
		if u.Agent == "" {
			name = a.spokenOf(u.Claim.Team, name)
		}
		add := func(kind, value string) {
			if value != "" {
				out = append(out, incident.Use{Agent: name, Node: incident.Node{Kind: kind, Value: value}})
			}
		}
		switch u.Kind {
		case fleet.KindTool:
			add("tool", u.Name)
			if u.Detail != "" {
				add("tool", u.Detail+"/"+u.Name)
				add("server", u.Detail)
			}
		case fleet.KindServer:
			add("server", u.Name)
		case fleet.KindModel:
			add("model", u.Name)
			add("provider", u.Detail)
		case fleet.KindSource, fleet.KindDataset:
			add("source", u.Name)
		case fleet.KindPeer:
			add("agent", u.Name)
		}
	}
	return out, nil
}

// incidentReach counts whom incidents touch, from the store of activity.
type incidentReach struct{ app *App }

func (r incidentReach) People(ctx context.Context, s incident.Scope) (people, runs int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := r.app.store.Query(ctx, telemetry.Query{
		Table: "runs", Where: s.Where(), From: s.From, To: s.To.Add(time.Minute),
		Select: []telemetry.Measure{{Func: "count", As: "runs"}, {Func: "distinct", Field: "user", As: "people"}}, Limit: 1,
	})
	if err != nil {
		return -1, 0, err
	}
	people = -1
	for _, row := range res.Rows {
		for i, c := range res.Columns {
			n, ok := whole(row[i])
			switch {
			case ok && c.Name == "runs":
				runs = n
			case ok && c.Name == "people" && n > 0: // nobody named is unknown, not none
				people = n
			}
		}
	}
	if runs == 0 {
		people = -1
	}
	return people, runs, nil
}

func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		return int64(n), true
	case uint64:
		return int64(n), true
	case int32:
		return int64(n), true
	}
	return 0, false
}

func (r incidentReach) Records(ctx context.Context, s incident.Scope, limit int) ([]incident.Touched, error) {
	page, err := r.app.store.Decisions(ctx, telemetry.DecisionsQuery{Filter: s.Where(), From: s.From, To: s.To, Limit: limit})
	if err != nil {
		return nil, err
	}
	var out []incident.Touched
	for i := range page.Decisions {
		d := &page.Decisions[i]
		if d.Effect == "think" || d.Effect == "read" || d.Verdict != activity.VerdictAllow || d.Result == activity.ResultDenied {
			continue
		}
		t := incident.Touched{
			Decision: d.ID, At: time.Unix(0, d.At).UTC(), Agent: d.Agent, Action: cmp.Or(d.Tool, d.Action), Target: d.Resource, Effect: cmp.Or(d.Effect, "unknown"),
			Outcome: d.Result.String(), User: d.User,
		}
		if !d.Run.IsZero() {
			t.Run, t.Step = d.Run.String(), d.Step.String()
		}
		out = append(out, t)
	}
	return out, nil
}

// incidentHands do what other parts can do about an incident; those check the
// roles.
type incidentHands struct{ app *App }

// The kinds of acts.
const (
	handContain = "contain"
	handStop    = "stop"
	handBudget  = "lower_budget"
)

// maxOffered bounds the agents that one page offers to contain.
const maxOffered = 6

// stopKinds are the nodes that the door can stop.
var stopKinds = map[string]string{"tool": stop.KindTool, "server": stop.KindUpstream, "model": stop.KindModel}

func (h incidentHands) Offers(ctx context.Context, i *incident.Incident) []incident.Offer {
	var out []incident.Offer
	add := func(kind, target, level, text, why string) { // no text: as it is told when it was done
		out = append(out, incident.Offer{Kind: kind, Target: target, Level: level, Text: text, Why: why})
	}
	if c := i.Cause; c != nil && stopKinds[c.Kind] != "" {
		add(handStop, c.Value, stopKinds[c.Kind], fmt.Sprintf("Block %s %s for all agents", c.Kind, c.Value), i.CauseText)
	}
	for _, name := range i.Agents[:min(len(i.Agents), maxOffered)] {
		g, ok := h.app.agents.Lookup(name)
		if !ok || g.Lifecycle == agent.Retired {
			continue
		}
		now := g.Contained(time.Now())
		for _, level := range []string{agent.Supervised, agent.ReadOnly, agent.Quarantined} {
			if slices.Index([]string{agent.None, agent.Throttled, agent.Supervised, agent.ReadOnly, agent.Quarantined}, now) <
				slices.Index([]string{agent.None, agent.Throttled, agent.Supervised, agent.ReadOnly, agent.Quarantined}, level) {
				add(handContain, name, level, "", "it is "+strings.ReplaceAll(cmp.Or(now, agent.None), "_", " ")+" now")
			}
		}
		for _, b := range h.app.budgets.List() {
			if b.Scope == "agent" && b.Match == name && b.Hard && b.Limit > 0 && b.Spent < b.Limit {
				limit := b.Spent
				add(handBudget, b.Name, strconv.FormatFloat(limit, 'f', -1, 64), fmt.Sprintf("Lower budget %s to what is spent, %g %s", b.Name, limit, b.Unit), fmt.Sprintf("%g of %g are spent", b.Spent, b.Limit))
			}
		}
	}
	for _, kind := range handKinds {
		out = append(out, h.other(kind).offers(ctx, i)...)
	}
	for _, n := range i.Nodes {
		if len(out) >= maxOffers {
			break
		}
		if i.Cause != nil && n == *i.Cause {
			continue
		}
		if kind := stopKinds[n.Kind]; kind != "" {
			add(handStop, n.Value, kind, fmt.Sprintf("Block %s %s for all agents", n.Kind, n.Value), "signals are about it")
		} else if _, hash, ok := strings.Cut(n.Value, "@"); ok && n.Kind == "version" {
			add(handStop, hash, stop.KindVersion, "Stop version "+n.Value, "signals came from it")
		}
	}
	for i := range out {
		out[i].Text = cmp.Or(out[i].Text, actText(out[i]))
	}
	return out
}

func (incidentHands) Text(o incident.Offer) string { return actText(o) }

func agentActor(who incident.Actor) agent.Actor {
	return agent.Actor{Person: who.Person, Via: who.Via, Name: who.Name, Can: who.Can}
}

// Place is where what an offer touches lies: an agent or a budget in its place,
// what several teams use everywhere.
func (h incidentHands) Place(ctx context.Context, o incident.Offer) (incident.Place, error) {
	if x := h.other(o.Kind); x != nil {
		return x.place(ctx, o)
	}
	switch {
	case o.Kind == handContain, o.Kind == handStop && o.Level == stop.KindAgent:
		if team, environment, ok := h.app.agentPlace(o.Target); ok && team != "" {
			return incident.Place{Team: team, Environment: environment}, nil
		}
	case o.Kind == handBudget:
		b, err := h.app.budgets.Get(o.Target)
		if err != nil {
			return incident.Place{}, err
		}
		if b.Scope == "agent" {
			if team, environment, ok := h.app.agentPlace(b.Match); ok && team != "" {
				return incident.Place{Team: team, Environment: environment}, nil
			}
		}
	}
	return incident.Place{Team: "*", Environment: "*"}, nil
}

func (h incidentHands) Preview(ctx context.Context, who incident.Actor, o incident.Offer) (incident.Preview, error) {
	if x := h.other(o.Kind); x != nil {
		return x.preview(ctx, who, o)
	}
	switch o.Kind {
	case handContain, handStop:
		t := client.StopTarget{Kind: stop.KindAgent, Value: o.Target}
		text, undo := actText(o)+".", "Undo releases it; from quarantine a second person confirms that on its own page."
		if o.Kind == handStop {
			t.Kind = o.Level
			text, undo = fmt.Sprintf("Cuts calls in flight of %s %s and refuses new ones.", o.Level, o.Target), "Undo lifts the stop; calls that were cut stay cut."
		}
		if err := h.mayStop(who, incident.Offer{Target: t.Value, Level: t.Kind}); err != nil {
			// Whom it would touch is for who may touch them.
			return incident.Preview{Text: text, Undo: undo, Needs: fault.From(err).Message}, nil
		}
		p, err := h.app.stops.Preview(t)
		if err != nil {
			return incident.Preview{}, err
		}
		out := incident.Preview{Text: fmt.Sprintf("%s %d calls are in flight now.", text, p.Total), Hits: p.Agents, Undo: undo}
		if o.Kind == handContain {
			if _, ok := h.app.agents.Lookup(o.Target); !ok {
				return out, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.80s", o.Target)
			}
			if !p.ThroughDoor {
				out.Text += " Its calls do not pass the door, so this reaches only what does."
			}
		}
		return out, nil
	case handBudget:
		b, err := h.app.budgets.Get(o.Target)
		if err != nil {
			return incident.Preview{}, err
		}
		return incident.Preview{Text: fmt.Sprintf("Budget %s goes from %g to %s %s: %g are spent, so further calls are refused.", b.Name, b.Limit, o.Level, b.Unit, b.Spent), Hits: []string{b.Match}, Undo: fmt.Sprintf("Undo sets it to %g again.", b.Limit)}, nil
	}
	return incident.Preview{}, noSuchHand(o.Kind)
}

func noSuchHand(kind string) error {
	return fault.New(fault.KindInvalid, "incident.act", "nothing is called %.40q", kind).WithHint("contain, stop, lower_budget, pin_model, pin_version, switch_upstream, source_out, tell_affected and make_case can be done")
}

// mayStop needs responder where the target lies: what is not an agent's lies
// everywhere.
func (h incidentHands) mayStop(who incident.Actor, o incident.Offer) error {
	team, environment := "*", "*"
	if o.Level == stop.KindAgent {
		if t, e, ok := h.app.agentPlace(o.Target); ok && t != "" {
			team, environment = t, e
		}
	}
	if who.Can != nil && who.Can("responder", team, environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "api.role_missing", "this needs the role responder for team %q in %q", team, environment).WithHint("an admin can grant it")
}

func (h incidentHands) Do(ctx context.Context, who incident.Actor, o incident.Offer, reason string, until time.Time) (string, json.RawMessage, error) {
	if x := h.other(o.Kind); x != nil {
		result, undo, err := x.do(ctx, who, o, reason, until)
		if err != nil {
			return "", nil, err
		}
		raw, err := json.Marshal(undo)
		return result, raw, err
	}
	switch o.Kind {
	case handContain:
		g, err := h.app.agents.Contain(ctx, agentActor(who), o.Target, o.Level, until, reason)
		if err != nil {
			return "", nil, err
		}
		undo, err := json.Marshal(map[string]any{"level": o.Level})
		return fmt.Sprintf("%s is %s", g.Name, strings.ReplaceAll(o.Level, "_", " ")), undo, err
	case handStop:
		if err := h.mayStop(who, o); err != nil {
			return "", nil, err
		}
		st, err := h.app.stops.Stop(ctx, who.Person, client.StopTarget{Kind: o.Level, Value: o.Target}, reason, until)
		if err != nil {
			return "", nil, err
		}
		cut := 0
		if st.Receipt != nil {
			cut = len(st.Receipt.CallsCut)
		}
		undo, err := json.Marshal(map[string]any{"stop": st.ID})
		return fmt.Sprintf("%s %s is stopped, %d calls were cut", o.Level, o.Target, cut), undo, err
	case handBudget:
		limit, err := strconv.ParseFloat(o.Level, 64)
		if err != nil || limit < 0 {
			return "", nil, fault.New(fault.KindInvalid, "incident.act", "%.40q is no limit of a budget", o.Level)
		}
		b, err := h.app.budgets.Get(o.Target)
		if err != nil {
			return "", nil, err
		}
		if limit >= b.Limit {
			return "", nil, fault.New(fault.KindConflict, "incident.act", "budget %s is at %g already", b.Name, b.Limit)
		}
		before := b.Limit
		b.Limit = limit
		if b, err = h.app.budgets.Put(ctx, budget.Actor{Person: who.Person, Via: who.Via, Can: who.Can}, b); err != nil {
			return "", nil, err
		}
		undo, err := json.Marshal(map[string]any{"limit": before, "set": limit})
		return fmt.Sprintf("budget %s is %g %s", b.Name, b.Limit, b.Unit), undo, err
	}
	return "", nil, noSuchHand(o.Kind)
}

func (h incidentHands) Undo(ctx context.Context, who incident.Actor, o incident.Offer, undo json.RawMessage, reason string) (string, error) {
	if x := h.other(o.Kind); x != nil {
		return x.undo(ctx, who, o, undo, reason)
	}
	var u struct {
		Level, Stop string
		Limit, Set  float64
	}
	if err := json.Unmarshal(undo, &u); err != nil {
		return "", fault.New(fault.KindConflict, "incident.act", "what is needed to take it back was lost").WithHint("release the agent, lift the stop or set the budget on their own pages").WithCause(err)
	}
	switch o.Kind {
	case handContain:
		g, ok := h.app.agents.Lookup(o.Target)
		if !ok {
			return "", fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.80s", o.Target)
		}
		switch now := g.Contained(time.Now()); {
		case now == agent.None || now == "":
			return o.Target + " was released already", nil
		case now != u.Level:
			return "", fault.New(fault.KindConflict, "incident.act", "%s is %s by now: that was somebody else's decision", o.Target, now).WithHint("look at its page")
		case now == agent.Quarantined:
			return "", fault.New(fault.KindConflict, "incident.act", "from quarantine a second person confirms the release").WithHint("`reeve agent release %s`, or its page in the console", o.Target)
		}
		if _, err := h.app.agents.Release(ctx, agentActor(who), o.Target, reason); err != nil {
			return "", err
		}
		return o.Target + " is released", nil
	case handStop:
		if err := h.mayStop(who, o); err != nil {
			return "", err
		}
		if _, err := h.app.stops.Lift(ctx, who.Person, u.Stop, reason); err != nil {
			return "", err
		}
		return "the stop is lifted", nil
	case handBudget:
		b, err := h.app.budgets.Get(o.Target)
		if err != nil {
			return "", err
		}
		if b.Limit != u.Set {
			return "", fault.New(fault.KindConflict, "incident.act", "somebody set budget %s to %g since", b.Name, b.Limit).WithHint("set it on its own page")
		}
		b.Limit = u.Limit
		if _, err := h.app.budgets.Put(ctx, budget.Actor{Person: who.Person, Via: who.Via, Can: who.Can}, b); err != nil {
			return "", err
		}
		return fmt.Sprintf("budget %s is %g again", b.Name, u.Limit), nil
	}
	return "", noSuchHand(o.Kind)
}
