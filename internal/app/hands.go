package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/incident"
	"reeve/internal/source"
	"reeve/internal/stop"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
	"reeve/internal/upstream"
)

// The kinds of acts beside containing, stopping and budgets, one type each.
const (
	handPinModel   = "pin_model"
	handPinVersion = "pin_version"
	handSwitch     = "switch_upstream"
	handSource     = "source_out"
	handTell       = "tell_affected"
)

var handKinds = []string{handPinVersion, handPinModel, handSwitch, handSource, handTell, incident.MakeCase}

// maxOffers bounds what one page offers.
const maxOffers = 60

// hand is one kind of act on an incident.
type hand interface {
	offers(ctx context.Context, i *incident.Incident) []incident.Offer
	place(ctx context.Context, o incident.Offer) (incident.Place, error)
	preview(ctx context.Context, who incident.Actor, o incident.Offer) (incident.Preview, error)
	// do gives what undo needs, as a value that JSON can hold.
	do(ctx context.Context, who incident.Actor, o incident.Offer, reason string, until time.Time) (result string, undo any, err error)
	undo(ctx context.Context, who incident.Actor, o incident.Offer, undo json.RawMessage, reason string) (result string, err error)
}

// actText says an act in words, the same where it is offered and where it was done.
func actText(o incident.Offer) string {
	switch o.Kind {
	case handContain:
		switch o.Level {
		case agent.Supervised:
			return "Hold each write of " + o.Target + " for a person"
		case agent.ReadOnly:
			return "Let " + o.Target + " only think and read"
		case agent.Throttled:
			return "Throttle " + o.Target
		}
		return "Quarantine " + o.Target + ": it may do nothing"
	case handStop:
		if o.Level == stop.KindVersion {
			return "Stop version " + o.Target
		}
		return fmt.Sprintf("Block %s %s for all agents", o.Level, o.Target)
	case handBudget:
		return fmt.Sprintf("Lower budget %s to %s", o.Target, o.Level)
	case handPinVersion:
		return fmt.Sprintf("Roll %s back to version %s", o.Target, o.Level)
	case handPinModel:
		from, to, _ := strings.Cut(o.Level, arrow)
		return fmt.Sprintf("Send %s's calls of %s to %s", o.Target, from, to)
	case handSwitch:
		return fmt.Sprintf("Send calls of %s to %s", o.Target, o.Level)
	case handSource:
		return "Take " + o.Target + " out of use"
	case handTell:
		return "Tell the people whom it touched, through " + o.Target
	case incident.MakeCase:
		return fmt.Sprintf("Make run %s a case of %s", o.Target, o.Level)
	}
	return o.Kind + " " + o.Target
}

// other is the hand of a kind; nil for those that incidentHands does itself.
func (h incidentHands) other(kind string) hand {
	switch kind {
	case handPinModel, handPinVersion:
		return pinHand{h.app, kind}
	case handSwitch:
		return switchHand(h)
	case handSource:
		return sourceHand(h)
	case handTell:
		return tellHand(h)
	case incident.MakeCase:
		return caseHand(h)
	}
	return nil
}

var everywhere = incident.Place{Team: "*", Environment: "*"}

// lost is that what an act left for its undoing cannot be read.
func lost(err error) error {
	return fault.New(fault.KindConflict, "incident.act", "what is needed to take it back was lost").WithHint("take it back on its own page").WithCause(err)
}

// changedSince is that somebody else decided meanwhile.
func changedSince(format string, args ...any) error {
	return fault.New(fault.KindConflict, "incident.act", format, args...).WithHint("that was somebody else's decision: look at its page")
}

// count asks the store for one figure; -1 when it does not answer in time.
func (a *App) count(ctx context.Context, q telemetry.Query) int64 {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	q.Select, q.Limit = []telemetry.Measure{{Func: "count", As: "n"}}, 1
	res, err := a.store.Query(ctx, q)
	if err != nil || len(res.Rows) == 0 || len(res.Rows[0]) == 0 {
		return -1
	}
	n, ok := whole(res.Rows[0][len(res.Rows[0])-1])
	if !ok {
		return -1
	}
	return n
}

// calls are so many calls in words.
func calls(n int64, of string) string {
	switch n {
	case -1:
		return "How many calls " + of + " is not known."
	case 1:
		return "1 call " + of + "."
	}
	return fmt.Sprintf("%d calls %s.", n, of)
}

// values lists what a question is about by how often, the most frequent first.
func (a *App) values(ctx context.Context, q telemetry.Query, limit int) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	q.Select, q.OrderBy, q.Limit = []telemetry.Measure{{Func: "count", As: "n"}}, "-n", limit
	res, err := a.store.Query(ctx, q)
	if err != nil {
		return nil // an offer less, of what cannot be looked at now
	}
	var out []string
	for _, row := range res.Rows {
		if s, ok := row[0].(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

// pinHand holds an agent to a model or to a version that it had before.
type pinHand struct {
	app  *App
	kind string
}

// arrow stands between what is asked for and what is called in its place, in the
// level of a pin.
const arrow = " > "

// pinPast is how far back an agent's other models and versions are looked for.
const pinPast = 30 * 24 * time.Hour

func (h pinHand) offers(ctx context.Context, i *incident.Incident) (out []incident.Offer) {
	var asked []asking
	if h.kind == handPinModel {
		asked = h.app.asked.of(ctx, h.app, i)
	}
	for _, name := range i.Agents[:min(len(i.Agents), maxOffered)] {
		g, ok := h.app.agents.Lookup(name)
		if !ok || g.Lifecycle == agent.Retired {
			continue
		}
		if h.kind == handPinVersion {
			out = append(out, h.versions(ctx, g, i)...)
		} else {
			out = append(out, h.models(g, i, asked)...)
		}
	}
	return out
}

// versions offers what an agent was before: the newest that people approved, and
// the one before the one that it is.
func (h pinHand) versions(ctx context.Context, g *agent.Agent, i *incident.Incident) (out []incident.Offer) {
	if g.PinnedVersion(time.Now()) != "" {
		return nil
	}
	all, err := h.app.fleet.Versions(ctx, g.Name)
	if err != nil {
		return nil
	}
	now := h.app.agents.VersionNow(g.Name)
	approved, before := false, false
	for _, v := range all {
		if v.Hash == now || !v.FirstSeen.Before(i.OpenedAt) {
			continue
		}
		why := "it was this before"
		switch {
		case !v.ApprovedAt.IsZero() && !approved:
			approved, before, why = true, true, "it is the newest version that somebody approved"
		case !before:
			before = true
		default:
			continue
		}
		out = append(out, incident.Offer{Kind: handPinVersion, Target: g.Name, Level: v.Hash, Why: why + ", seen first on " + v.FirstSeen.Format("2 January 15:04 UTC")})
	}
	return out
}

// asking is a model that an agent asked for, and the one that answered: an alias
// and the dated name behind it differ, and the door compares what is asked for.
type asking struct {
	agent, asked, answered string
	n                      int64
}

// askings are what an incident's agents asked for, kept for a while: a page asks for
// offers each time that it is looked at.
type askings struct {
	mu sync.Mutex
	by map[string]askedModels
}

type askedModels struct {
	at   time.Time
	list []asking
}

const (
	askedFor   = time.Minute
	againAfter = 10 * time.Second // of a question that failed, or is under way
	maxAsked   = 500
	maxAskers  = 200 // incidents
)

func (k *askings) of(ctx context.Context, a *App, i *incident.Incident) []asking {
	if len(i.Agents) == 0 {
		return nil
	}
	k.mu.Lock()
	was, ok := k.by[i.ID]
	if ok && time.Since(was.at) < askedFor {
		k.mu.Unlock()
		return was.list
	}
	// Whoever looks meanwhile sees what was known before, and asks nothing.
	if k.by == nil || len(k.by) > maxAskers {
		k.by = map[string]askedModels{}
	}
	k.by[i.ID] = askedModels{time.Now().Add(againAfter - askedFor), was.list}
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	res, err := a.store.Query(ctx, telemetry.Query{
		Table: "steps", Where: search.Both(search.Is("agent", i.Agents[:min(len(i.Agents), maxOffered)]...), search.Is("kind", "model")), GroupBy: []string{"agent", "model_requested", "model"},
		Select: []telemetry.Measure{{Func: "count", As: "n"}}, OrderBy: "-n", From: time.Now().Add(-pinPast), To: time.Now(), Limit: maxAsked,
	})
	if err != nil {
		return nil // an offer less, of what cannot be looked at now
	}
	var list []asking
	for _, row := range res.Rows {
		var x asking
		x.agent, _ = row[0].(string)
		x.asked, _ = row[1].(string)
		x.answered, _ = row[2].(string)
		x.n, _ = whole(row[3])
		x.asked = cmp.Or(x.asked, x.answered)
		list = append(list, x)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[i.ID] = askedModels{time.Now(), list}
	return list
}

// models offers the other models that an agent asked for before, in place of those
// that the incident is about by either name, or of the one that it asks for most.
func (h pinHand) models(g *agent.Agent, i *incident.Incident, asked []asking) (out []incident.Offer) {
	var bad, all []string
	for _, x := range asked {
		if x.agent != g.Name || x.asked == "" {
			continue
		}
		if !slices.Contains(all, x.asked) {
			all = append(all, x.asked)
		}
		if slices.ContainsFunc(i.Nodes, func(n incident.Node) bool { return n.Kind == "model" && (n.Value == x.asked || n.Value == x.answered) }) && !slices.Contains(bad, x.asked) {
			bad = append(bad, x.asked)
		}
	}
	if len(bad) == 0 && len(all) > 0 {
		bad = all[:1]
	}
	for _, from := range bad[:min(len(bad), 2)] {
		if g.PinnedModel(from, time.Now()) != "" {
			continue
		}
		for _, to := range all[:min(len(all), maxOffered)] {
			if to != from && !slices.Contains(bad, to) {
				out = append(out, incident.Offer{Kind: handPinModel, Target: g.Name, Level: from + arrow + to, Why: "it asked for " + to + " before"})
			}
		}
	}
	return out
}

// pin is the pin that an offer stands for.
func (h pinHand) pin(o incident.Offer) (agent.Pin, error) {
	if h.kind == handPinVersion {
		return agent.Pin{Kind: agent.PinVersion, Value: o.Level}, nil
	}
	from, to, ok := strings.Cut(o.Level, strings.TrimSpace(arrow))
	if !ok {
		return agent.Pin{}, fault.New(fault.KindInvalid, "incident.act", "%.80q does not say which model is called in place of which", o.Level).WithHint("such as %q", "gpt-4o"+arrow+"gpt-4o-2024-08-06")
	}
	return agent.Pin{Kind: agent.PinModel, From: strings.TrimSpace(from), Value: strings.TrimSpace(to)}, nil
}

func (h pinHand) place(_ context.Context, o incident.Offer) (incident.Place, error) {
	if team, environment, ok := h.app.agentPlace(o.Target); ok && team != "" {
		return incident.Place{Team: team, Environment: environment}, nil
	}
	return everywhere, nil
}

func (h pinHand) preview(ctx context.Context, _ incident.Actor, o incident.Offer) (incident.Preview, error) {
	p, err := h.pin(o)
	if err != nil {
		return incident.Preview{}, err
	}
	g, ok := h.app.agents.Lookup(o.Target)
	if !ok {
		return incident.Preview{}, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.80s", o.Target)
	}
	out := incident.Preview{Hits: []string{g.Name}, Undo: "Undo takes the pin out."}
	from := time.Now().Add(-24 * time.Hour)
	if p.Kind == agent.PinVersion {
		now := h.app.agents.VersionNow(g.Name)
		out.Text = fmt.Sprintf("The door refuses %s as long as it is observed to be another version than %s, as telemetry of its place tells: this keeps a mistaken release out, and no agent that lies about itself. It is %s now. Reeve deploys nothing: whoever does releases that version again; the event agent.updated tells their systems. ", g.Name, p.Value, cmp.Or(now, "a version that nobody saw")) +
			calls(h.app.count(ctx, telemetry.Query{Table: "decisions", Where: search.Is("agent", g.Name), From: from, To: time.Now()}), "of it passed the door in the last 24 hours")
		return out, nil
	}
	out.Text = fmt.Sprintf("What %s asks of %s goes to %s, at the same upstream; policies decide about that one. ", g.Name, p.From, p.Value) +
		calls(h.app.count(ctx, telemetry.Query{Table: "steps", Where: search.Both(search.Is("agent", g.Name), search.Is("kind", "model"), search.Either(search.Is("model_requested", p.From), search.Both(search.Unknown("model_requested"), search.Is("model", p.From)))), From: from, To: time.Now()}), "of it in the last 24 hours asked for that name")
	out.Text += " What is asked for counts, and not the dated name that answers: a pin of a name that nobody asks for changes nothing."
	return out, nil
}

func (h pinHand) do(ctx context.Context, who incident.Actor, o incident.Offer, reason string, until time.Time) (string, any, error) {
	p, err := h.pin(o)
	if err != nil {
		return "", nil, err
	}
	p.Till = until
	g, err := h.app.agents.Pin(ctx, agentActor(who), o.Target, p, reason)
	if err != nil {
		return "", nil, err
	}
	if p.Kind == agent.PinVersion {
		return fmt.Sprintf("%s is pinned to version %s", g.Name, p.Value), p, nil
	}
	return fmt.Sprintf("%s gets %s in place of %s", g.Name, p.Value, p.From), p, nil
}

func (h pinHand) undo(ctx context.Context, who incident.Actor, o incident.Offer, undo json.RawMessage, reason string) (string, error) {
	var p agent.Pin
	if err := json.Unmarshal(undo, &p); err != nil {
		return "", lost(err)
	}
	g, ok := h.app.agents.Lookup(o.Target)
	if !ok {
		return "", fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.80s", o.Target)
	}
	now := g.PinnedVersion(time.Now())
	if p.Kind == agent.PinModel {
		now = g.PinnedModel(p.From, time.Now())
	}
	switch now {
	case "":
		return "the pin was out already", nil
	case p.Value:
	default:
		return "", changedSince("%s is pinned to %s by now", g.Name, now)
	}
	if _, err := h.app.agents.Unpin(ctx, agentActor(who), o.Target, p.Kind, p.From, reason); err != nil {
		return "", err
	}
	return o.Target + " is not pinned any more", nil
}

// switchHand sends an upstream's calls to another one like it.
type switchHand struct{ app *App }

func (h switchHand) offers(_ context.Context, i *incident.Incident) (out []incident.Offer) {
	about := func(name string, u *upstream.Upstream) bool {
		return slices.ContainsFunc(i.Nodes, func(n incident.Node) bool {
			return n.Kind == "server" && n.Value == name || n.Kind == "model" && u.Kind == "llm" && slices.ContainsFunc(u.Models, func(m client.ModelRule) bool { return m.Name == n.Value })
		})
	}
	for _, kind := range []string{"llm", "http", "a2a"} {
		for _, u := range h.app.upstreams.Of(kind) {
			if !about(u.Name, u) || h.app.upstreams.Switched(u.Name) != nil {
				continue
			}
			for _, to := range h.app.upstreams.Alike(u.Name) {
				out = append(out, incident.Offer{Kind: handSwitch, Target: u.Name, Level: to, Why: "it is of the same kind, place and region"})
			}
		}
	}
	return out[:min(len(out), maxOffered)]
}

func (h switchHand) place(_ context.Context, o incident.Offer) (incident.Place, error) {
	if u, ok := h.app.upstreams.Lookup(o.Target); ok && !u.Shared && u.Team != "" {
		return incident.Place{Team: u.Team, Environment: u.Environment}, nil
	}
	return everywhere, nil
}

func (h switchHand) preview(ctx context.Context, _ incident.Actor, o incident.Offer) (incident.Preview, error) {
	if !slices.Contains(h.app.upstreams.Alike(o.Target), o.Level) {
		return incident.Preview{}, fault.New(fault.KindInvalid, "upstream.unlike", "%.40s cannot stand in for %.40s", o.Level, o.Target).WithHint("one of the same kind, dialect, environment and region, of the same team or shared, and not outside the house for one inside")
	}
	q := telemetry.Query{Table: "decisions", Where: search.Is("upstream", o.Target), From: time.Now().Add(-24 * time.Hour), To: time.Now()}
	text := calls(h.app.count(ctx, q), "of it passed the door in the last 24 hours")
	q.GroupBy = []string{"agent"}
	return incident.Preview{
		Text: fmt.Sprintf("Each new call of %s goes to %s, where policies permit that; what is in flight ends where it is. %s", o.Target, o.Level, text),
		Hits: h.app.values(ctx, q, 20), Undo: "Undo switches it back.",
	}, nil
}

func upstreamActor(who incident.Actor) upstream.Actor {
	return upstream.Actor{Person: who.Person, Via: who.Via, Name: cmp.Or(who.Name, who.Person)}
}

func (h switchHand) do(ctx context.Context, who incident.Actor, o incident.Offer, reason string, until time.Time) (string, any, error) {
	if s := h.app.upstreams.Switched(o.Target); s != nil {
		return "", nil, changedSince("calls of %s go to %s already", o.Target, s.To)
	}
	_, err := h.app.upstreams.Switch(ctx, upstreamActor(who), o.Target, o.Level, until, reason)
	return fmt.Sprintf("calls of %s go to %s", o.Target, o.Level), map[string]string{"to": o.Level}, err
}

func (h switchHand) undo(ctx context.Context, who incident.Actor, o incident.Offer, _ json.RawMessage, reason string) (string, error) {
	switch s := h.app.upstreams.Switched(o.Target); {
	case s == nil:
		return "its calls went to it again already", nil
	case s.To != o.Level:
		return "", changedSince("calls of %s go to %s by now", o.Target, s.To)
	}
	if _, err := h.app.upstreams.SwitchBack(ctx, upstreamActor(who), o.Target, reason); err != nil {
		return "", err
	}
	return "calls of " + o.Target + " go to it again", nil
}

// sourceHand takes a source out of use.
type sourceHand struct{ app *App }

func sourceActor(who incident.Actor) source.Actor {
	return source.Actor{Person: who.Person, Via: who.Via, Can: who.Can}
}

func (h sourceHand) offers(ctx context.Context, i *incident.Incident) (out []incident.Offer) {
	for _, n := range i.Nodes {
		if n.Kind != "source" || len(out) == maxOffered {
			continue
		}
		s, err := h.app.sources.Get(ctx, n.Value)
		if err != nil || s.OutOfUse != nil {
			continue
		}
		out = append(out, incident.Offer{Kind: handSource, Target: s.Name, Why: cmp.Or(s.Reason, "signals are about it")})
	}
	return out
}

func (h sourceHand) place(ctx context.Context, o incident.Offer) (incident.Place, error) {
	s, err := h.app.sources.Get(ctx, o.Target)
	if err != nil {
		return incident.Place{}, err
	}
	if s.Team == "" {
		return everywhere, nil
	}
	return incident.Place{Team: s.Team, Environment: "*"}, nil
}

func (h sourceHand) preview(ctx context.Context, _ incident.Actor, o incident.Offer) (incident.Preview, error) {
	s, err := h.app.sources.Get(ctx, o.Target)
	if err != nil {
		return incident.Preview{}, err
	}
	q := telemetry.Query{Table: "runs", Where: search.Is("source", s.Name), From: time.Now().Add(-24 * time.Hour), To: time.Now()}
	n := h.app.count(ctx, q)
	q.GroupBy = []string{"agent"}
	out := incident.Preview{Text: "The door refuses to read " + s.Name + ", for every agent, whatever policies permit.", Hits: h.app.values(ctx, q, 20), Undo: "Undo puts it back into use."}
	if n >= 0 {
		out.Text += fmt.Sprintf(" %d runs read it in the last 24 hours.", n)
	}
	if s.OutOfUse != nil {
		out.Needs = "it is out of use already"
	}
	return out, nil
}

func (h sourceHand) do(ctx context.Context, who incident.Actor, o incident.Offer, reason string, until time.Time) (string, any, error) {
	s, err := h.app.sources.Get(ctx, o.Target)
	if err != nil {
		return "", nil, err
	}
	if s.OutOfUse != nil {
		return "", nil, changedSince("%s is out of use already", o.Target)
	}
	in := client.TakeSourceOutRequest{Name: o.Target, Reason: strings.Join(strings.Fields(reason), " "), Cause: o.Incident}
	if !until.IsZero() {
		in.For = max(time.Until(until), time.Minute).Round(time.Minute).String()
	}
	out, err := h.app.sources.TakeOut(ctx, sourceActor(who), in)
	if err != nil {
		return "", nil, err
	}
	return o.Target + " is out of use", map[string]any{"at": out.OutOfUse.At}, nil
}

func (h sourceHand) undo(ctx context.Context, who incident.Actor, o incident.Offer, undo json.RawMessage, reason string) (string, error) {
	var was struct{ At time.Time }
	if err := json.Unmarshal(undo, &was); err != nil {
		return "", lost(err)
	}
	s, err := h.app.sources.Get(ctx, o.Target)
	switch {
	case err != nil:
		return "", err
	case s.OutOfUse == nil:
		return o.Target + " was in use already", nil
	case !s.OutOfUse.At.Equal(was.At):
		return "", changedSince("%s took %s out of use since", s.OutOfUse.By, o.Target)
	}
	_, err = h.app.sources.PutBack(ctx, sourceActor(who), client.PutSourceBackRequest{Name: o.Target, Reason: strings.Join(strings.Fields(reason), " ")})
	return o.Target + " is in use again", err
}
