package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/pin"
	"reeve/internal/rule"
	"reeve/internal/watch"
)

// Watch measures what agents do; *watch.Watch is one.
type Watch interface {
	Behaviour(names []string, team string, from time.Time) []watch.Behaviour
	LogKinds(names []string, team string) []watch.LogKinds
	// Approved begins the normal of an agent anew, by which drift is told.
	Approved(name string)
}

// DetectorSettings are what people want of detectors; *watch.Settings is one.
type DetectorSettings interface {
	List() []watch.Setting
	Put(ctx context.Context, person, name, via string, v watch.Setting) (watch.Setting, error)
	Reset(ctx context.Context, person, via, detector, agent, reason string) error
}

// RuleBook is the rules that people wrote; *rule.Book is one.
type RuleBook interface {
	List() []*rule.Rule
	Get(name string) (*rule.Rule, error)
	Put(ctx context.Context, who rule.Actor, r rule.Rule) (*rule.Rule, error)
	Delete(ctx context.Context, who rule.Actor, name, reason string) error
	Revisions(ctx context.Context, name string) ([]rule.Rule, error)
}

var errNoWatch = fault.New(fault.KindUnavailable, "api.not_here", "this server watches no behaviour")

// lifeOf reads a duration that a request gives; "" is 0.
func lifeOf(what, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fault.New(fault.KindInvalid, "api.duration", "%s is no duration: %.40q", what, text).WithHint("like 90s, 10m or 24h")
	}
	return d, nil
}

func settingShape(s watch.Setting) client.DetectorSetting {
	return client.DetectorSetting{
		Agent: s.Agent, Off: s.Off, AlarmsPerWeek: s.AlarmsPerWeek, MinimumEffect: s.MinimumEffect, Rest: s.Rest.String(), Severity: s.Severity,
		Revision: s.Revision, By: s.By, Reason: s.Reason, At: optionalTime(s.At),
	}
}

func (a *API) detectorShape(ctx context.Context, d watch.Detector, settings []watch.Setting, open map[string]int) client.Detector {
	who := whoOf(ctx)
	out := client.Detector{Name: d.Name, Title: d.Title, About: d.About, Unit: d.Unit, Fixed: d.Fixed, Agents: []client.DetectorSetting{}, Adjusted: []client.DetectorLearned{}, Open: open[d.Name]}
	bySetting := map[string]float64{}
	for _, s := range settings {
		switch {
		case s.Detector != d.Name:
		case s.Agent == "":
			out.Setting = settingShape(s)
		case len(a.mayName(who, []string{s.Agent})) == 1 || who.Everywhere(identity.Viewer):
			out.Agents = append(out.Agents, settingShape(s))
			bySetting[s.Agent] = s.AlarmsPerWeek
		}
	}
	if a.o.Findings == nil {
		return out
	}
	for name, l := range a.o.Findings.Adjusted(d.Name) {
		out.Useful, out.Noise = out.Useful+l.Useful, out.Noise+l.Noise
		if len(a.mayName(who, []string{name})) == 0 && !who.Everywhere(identity.Viewer) {
			continue
		}
		set := cmp.Or(bySetting[name], out.Setting.AlarmsPerWeek)
		if f := l.Factor(); f != 1 {
			out.Adjusted = append(out.Adjusted, client.DetectorLearned{Agent: name, Useful: l.Useful, Noise: l.Noise, Set: set, Allowed: set * f, Effect: out.Setting.MinimumEffect * l.Effect()})
		}
	}
	slices.SortFunc(out.Adjusted, func(x, y client.DetectorLearned) int { return strings.Compare(x.Agent, y.Agent) })
	if n := out.Useful + out.Noise; n > 0 {
		p := float64(out.Useful) / float64(n)
		out.Precision = &p
	}
	return out
}

func (a *API) openBy() map[string]int {
	out := map[string]int{}
	if a.o.Findings != nil {
		for k, n := range a.o.Findings.Counts() {
			out[k[0]] += n
		}
	}
	return out
}

func listDetectors(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Detector], error) {
	if a.o.Detectors == nil {
		return nil, errNoWatch
	}
	settings, open := a.o.Detectors.List(), a.openBy()
	out := &client.List[client.Detector]{Items: []client.Detector{}}
	for _, d := range watch.Detectors() {
		out.Items = append(out.Items, a.detectorShape(ctx, d, settings, open))
	}
	return out, nil
}

// mayTune reports whether the asker may change a detector for an agent, or with
// none for all.
func (a *API) mayTune(ctx context.Context, name string) error {
	who := whoOf(ctx)
	team, environment := identity.Everything, identity.Everything
	if name != "" {
		_, g, err := a.visible(ctx, name)
		if err != nil {
			return err
		}
		team, environment = g.Team, g.Environment
	}
	for _, r := range []identity.Role{identity.Developer, identity.Responder, identity.Security} {
		if name == "" && who.Everywhere(r) || name != "" && who.Can(r, team, environment) {
			return nil
		}
	}
	e := fault.New(fault.KindDenied, "api.role_missing", "this needs the role developer, responder or security for team %q", team)
	if name == "" {
		return e.WithHint("name an agent of yours, or ask somebody with that role for all teams")
	}
	return e.WithHint("an admin can grant it")
}

func putDetector(a *API, ctx context.Context, req *client.PutDetectorRequest) (*client.DetectorSetting, error) {
	if a.o.Detectors == nil {
		return nil, errNoWatch
	}
	if err := a.mayTune(ctx, req.Agent); err != nil {
		return nil, err
	}
	rest, err := lifeOf("rest", req.Rest)
	if err != nil {
		return nil, err
	}
	who := actorOf(ctx)
	s, err := a.o.Detectors.Put(ctx, who.Person, who.Name, who.Via, watch.Setting{
		Detector: req.Name, Agent: req.Agent, Off: req.Off, AlarmsPerWeek: req.AlarmsPerWeek, MinimumEffect: req.MinimumEffect, Rest: rest,
		Severity: req.Severity, Revision: req.Revision, Reason: req.Reason,
	})
	if err != nil {
		return nil, err
	}
	shape := settingShape(s)
	return &shape, nil
}

func resetDetector(a *API, ctx context.Context, req *client.ResetDetectorRequest) (*struct{}, error) {
	if a.o.Detectors == nil {
		return nil, errNoWatch
	}
	if err := a.mayTune(ctx, req.Agent); err != nil {
		return nil, err
	}
	who := actorOf(ctx)
	return &struct{}{}, a.o.Detectors.Reset(ctx, who.Person, who.Via, req.Name, req.Agent, req.Reason)
}

// Rules.

func ruleShape(r *rule.Rule, open map[string]int) client.Rule {
	out := client.Rule{
		Name: r.Name, Text: r.Text, When: r.When, Scope: r.Scope, Severity: r.Severity, Team: r.Team, Environment: r.Environment, Agents: list(r.Agents),
		Rest: r.Rest.String(), Off: r.Off, Revision: r.Revision, By: r.By, Reason: r.Reason, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		Open: open[r.Detector()], Failures: r.Failures(),
	}
	if r.Window > 0 {
		out.Window = r.Window.String()
	}
	if r.Query != nil {
		q := client.RuleQuery(*r.Query)
		out.Query = &q
	}
	return out
}

func ruleQueryFrom(q *client.RuleQuery) *rule.Query {
	if q == nil {
		return nil
	}
	out := rule.Query(*q)
	return &out
}

func listRules(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Rule], error) {
	if a.o.Rules == nil {
		return nil, errNoWatch
	}
	who, open := whoOf(ctx), a.openBy()
	out := &client.List[client.Rule]{Items: []client.Rule{}}
	for _, r := range a.o.Rules.List() {
		if seesTeam(who, r.Team) {
			out.Items = append(out.Items, ruleShape(r, open))
		}
	}
	return out, nil
}

func (a *API) ruleSeen(ctx context.Context, name string) (*rule.Rule, error) {
	if a.o.Rules == nil {
		return nil, errNoWatch
	}
	r, err := a.o.Rules.Get(name)
	if err == nil && !seesTeam(whoOf(ctx), r.Team) {
		return nil, fault.New(fault.KindNotFound, "rule.not_found", "there is no such rule").WithHint("`reeve rule list` lists them")
	}
	return r, err
}

func getRule(a *API, ctx context.Context, req *client.RuleRequest) (*client.Rule, error) {
	r, err := a.ruleSeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := ruleShape(r, a.openBy())
	return &out, nil
}

func ruleRevisions(a *API, ctx context.Context, req *client.RuleRequest) (*client.List[client.Rule], error) {
	if _, err := a.ruleSeen(ctx, req.Name); err != nil {
		return nil, err
	}
	all, err := a.o.Rules.Revisions(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Rule]{Items: []client.Rule{}}
	for i := range all {
		out.Items = append(out.Items, ruleShape(&all[i], nil))
	}
	return out, nil
}

func ruleActor(ctx context.Context) rule.Actor {
	who, p := actorOf(ctx), whoOf(ctx)
	return rule.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return p.Can(identity.Role(role), team, environment)
	}}
}

func putRule(a *API, ctx context.Context, req *client.PutRuleRequest) (*client.Rule, error) {
	if a.o.Rules == nil {
		return nil, errNoWatch
	}
	window, err := lifeOf("window", req.Window)
	if err != nil {
		return nil, err
	}
	rest, err := lifeOf("rest", req.Rest)
	if err != nil {
		return nil, err
	}
	if err := a.seesRuleKPI(whoOf(ctx), req.Query, req.Team); err != nil {
		return nil, err
	}
	if err := mayAskOf(whoOf(ctx), req.Query, req.Team); err != nil {
		return nil, err
	}
	r, err := a.o.Rules.Put(ctx, ruleActor(ctx), rule.Rule{
		Name: req.Name, Text: req.Text, When: req.When, Scope: req.Scope, Window: window, Query: ruleQueryFrom(req.Query), Severity: req.Severity, Team: req.Team, Environment: req.Environment,
		Agents: req.Agents, Rest: rest, Off: req.Off, Revision: req.Revision, Reason: req.Reason,
	})
	if err != nil {
		return nil, err
	}
	out := ruleShape(r, a.openBy())
	return &out, nil
}

func deleteRule(a *API, ctx context.Context, req *client.DeleteRuleRequest) (*struct{}, error) {
	if _, err := a.ruleSeen(ctx, req.Name); err != nil {
		return nil, err
	}
	return &struct{}{}, a.o.Rules.Delete(ctx, ruleActor(ctx), req.Name, req.Reason)
}

func ruleWords(*API, context.Context, *struct{}) (*client.List[client.RuleWord], error) {
	out := &client.List[client.RuleWord]{Items: []client.RuleWord{}}
	for _, v := range rule.Variables() {
		out.Items = append(out.Items, client.RuleWord(v))
	}
	return out, nil
}

// mayAskOf reports why somebody may not have a rule ask of a table: messages are
// content, as they are to a query, and log records name no team.
func mayAskOf(who identity.Principal, q *client.RuleQuery, team string) error {
	switch {
	case q == nil:
		return nil
	case q.Table == "messages" && !who.Everywhere(identity.Reader) && (team == "" || !slices.Contains(who.Teams(identity.Reader), team)):
		return fault.New(fault.KindDenied, "rule.denied", "messages are content: a rule over them needs the role reader for its team").WithHint("name a team whose content you may read")
	case q.Table == "logs" && !who.Everywhere(identity.Viewer):
		return fault.New(fault.KindDenied, "rule.denied", "log records name no team: a rule over them needs the role viewer for all teams")
	}
	return nil
}

// tryRule replays what is stored through a rule that is kept nowhere.
func tryRule(a *API, ctx context.Context, req *client.TryRuleRequest) (*client.RuleTrial, error) {
	window, err := lifeOf("window", req.Window)
	if err != nil {
		return nil, err
	}
	rest, err := lifeOf("rest", req.Rest)
	if err != nil {
		return nil, err
	}
	days := orDefault(req.Days, 30)
	if days > 90 {
		return nil, fault.New(fault.KindInvalid, "rule.days", "a rule is tried on at most 90 days")
	}
	who := whoOf(ctx)
	if req.Team == "" && !who.Everywhere(identity.Viewer) && len(who.Teams(identity.Viewer)) == 1 {
		req.Team = who.Teams(identity.Viewer)[0]
	}
	if err := a.seesRuleKPI(who, req.Query, req.Team); err != nil {
		return nil, err
	}
	r, err := rule.Compile(rule.Rule{Name: "trial", When: req.When, Scope: req.Scope, Window: window, Query: ruleQueryFrom(req.Query), Team: req.Team, Environment: req.Environment, Agents: req.Agents, Rest: rest})
	if err != nil {
		return nil, err
	}
	if err := mayAskOf(who, req.Query, req.Team); err != nil {
		return nil, err
	}
	role := identity.Viewer
	if req.Query != nil && req.Query.Table == "messages" {
		role = identity.Reader
	}
	teams, only := reachOf(who, role)
	now := a.o.Now()
	past := watch.Past{
		From: now.AddDate(0, 0, -days), To: now, Teams: teams, Only: only,
		See: func(team, environment string) bool { return who.Can(identity.Viewer, team, environment) },
	}
	var t watch.Trial
	if r.Scope == rule.OfQuery {
		if r.Team != "" && !slices.Contains(who.Teams(identity.Viewer), r.Team) && !who.Everywhere(identity.Viewer) {
			return nil, fault.New(fault.KindDenied, "rule.denied", "a rule is tried on the records of your own teams")
		}
		t, err = watch.TryQuery(ctx, a.o.Store, a.ruleKPIs().Rows, r, past)
	} else {
		t, err = watch.Try(ctx, a.o.Store, r, past)
	}
	if err != nil {
		return nil, err
	}
	out := &client.RuleTrial{From: t.From, To: t.To, Runs: t.Runs, Steps: t.Steps, Whole: t.Whole, Fired: t.Fired, Agents: []client.RuleTrialOf{}, Days: []client.RuleTrialDay{}, Findings: []client.Finding{}}
	if t.Runs > 0 {
		weeks := max(t.To.Sub(t.Oldest).Hours()/(7*24), 1.0/7)
		per := float64(t.Fired) / weeks
		out.PerWeek = &per
	}
	for name, n := range t.Agents {
		out.Agents = append(out.Agents, client.RuleTrialOf{Agent: name, Fired: n})
	}
	slices.SortFunc(out.Agents, func(x, y client.RuleTrialOf) int {
		return cmp.Or(cmp.Compare(y.Fired, x.Fired), strings.Compare(x.Agent, y.Agent))
	})
	for day, n := range t.Days {
		out.Days = append(out.Days, client.RuleTrialDay{Day: day, Fired: n})
	}
	slices.SortFunc(out.Days, func(x, y client.RuleTrialDay) int { return strings.Compare(x.Day, y.Day) })
	for _, f := range t.Findings {
		out.Findings = append(out.Findings, findingOf(f))
	}
	return out, nil
}

// Behaviour.

func agentBehaviour(a *API, ctx context.Context, req *client.BehaviourRequest) (*client.AgentBehaviour, error) {
	if a.o.Watch == nil {
		return nil, errNoWatch
	}
	_, g, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	from, _, err := a.period(req.From, "")
	if err != nil {
		return nil, err
	}
	if from.IsZero() {
		from = a.o.Now().Add(-24 * time.Hour)
	}
	names := []string{g.Name}
	if a.o.Fleet != nil {
		names = a.o.Fleet.Aliases(g.Name)
	}
	out := &client.AgentBehaviour{Agent: g.Name, From: from, Seen: []client.Behaviour{}}
	for _, b := range a.o.Watch.Behaviour(names, g.Team, from) {
		out.Seen = append(out.Seen, behaviourShape(&b))
	}
	return out, nil
}

func listLogKinds(a *API, ctx context.Context, req *client.AgentRequest) (*client.LogKinds, error) {
	if a.o.Watch == nil {
		return nil, errNoWatch
	}
	_, g, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	if !who.Can(identity.Reader, g.Team, g.Environment) {
		return nil, errContent
	}
	names := []string{g.Name}
	if a.o.Fleet != nil {
		names = a.o.Fleet.Aliases(g.Name)
	}
	out := &client.LogKinds{Agent: g.Name, Items: []client.LogKindsOne{}}
	for _, k := range a.o.Watch.LogKinds(names, g.Team) {
		if k.Environment != "" && !who.Can(identity.Reader, g.Team, k.Environment) {
			continue
		}
		one := client.LogKindsOne{Source: "telemetry", Name: pin.Visible(k.Agent), Environment: k.Environment, Kinds: []client.LogKind{}}
		if k.Door {
			one.Source = "door"
		}
		for _, t := range k.Kinds {
			one.Kinds = append(one.Kinds, client.LogKind{ID: t.ID, Text: pin.Visible(t.Text), Lines: t.Count})
		}
		out.Items = append(out.Items, one)
	}
	return out, nil
}

func behaviourShape(b *watch.Behaviour) client.Behaviour {
	out := client.Behaviour{
		Source: "telemetry", Name: b.Agent, Environment: b.Environment, FirstSeen: b.First, LastSeen: b.Last, StepSeconds: int(b.Step.Seconds()),
		Points: []client.BehaviourPoint{}, Total: pointShape(&b.Total), Runs: b.Runs, Parts: []client.BehaviourPart{}, Hours: make([]float64, len(b.Hours)), Ranges: []client.BehaviourRange{},
	}
	if b.Door {
		out.Source = "door"
	}
	for i := range b.Points {
		out.Points = append(out.Points, pointShape(&b.Points[i]))
	}
	for _, p := range b.Parts {
		part := client.BehaviourPart{
			Kind: p.Kind, Name: finding.OneLine(p.Name), Calls: p.Calls, Errors: p.Errors, InputTokens: p.In, OutputTokens: p.Out, Cost: p.Cost / 1e9,
			FirstSeen: time.Unix(0, p.FirstSeen).UTC(), LastSeen: time.Unix(0, p.LastSeen).UTC(),
		}
		if p.Calls > 0 {
			ms := p.Took / float64(p.Calls)
			part.MeanMS = &ms
		}
		part.Repeated, part.Retries, part.Refused = p.Looped, p.Retries, p.Refused
		calls := p.Calls
		if p.Kind == "version" || p.Kind == "task" {
			part.ModelCalls, part.ToolCalls, part.Handoffs, part.Answers, part.Declined, part.WaitingMS = &p.Models, &p.Tools, &p.Handoffs, &p.Answers, &p.Declined, &p.Waited
			if p.Growns > 0 {
				growth := p.Growth / float64(p.Growns)
				part.ContextGrowth = &growth
			}
			calls = p.Models
		}
		if p.Kind != "error" && p.Out > 0 && calls > 0 {
			each := p.Out / float64(calls)
			part.OutputPerCall = &each
		}
		out.Parts = append(out.Parts, part)
	}
	if b.PathKnown {
		out.Path = &client.BehaviourPath{Entropy: b.Entropy, Repeatable: b.Repeatable, Moves: []client.BehaviourMove{}}
		for _, m := range b.Moves {
			out.Path.Moves = append(out.Path.Moves, client.BehaviourMove{From: m.From, To: m.To, Share: m.Share, Count: m.N})
		}
	}
	for i, n := range b.Hours {
		out.Hours[i] = float64(n)
	}
	for _, r := range b.Ranges {
		out.Ranges = append(out.Ranges, client.BehaviourRange(r))
	}
	return out
}

func pointShape(s *watch.Sum) client.BehaviourPoint {
	out := client.BehaviourPoint{
		At: time.Unix(0, s.At).UTC(), Steps: s.Steps, Runs: s.Runs, EndedRuns: s.Ended, FailedRuns: s.Failed, ModelCalls: s.Models, ToolCalls: s.Tools, Errors: s.Errors,
		Refused: s.Refused, Retries: s.Retries, Repeated: s.Looped, Handoffs: s.Handoffs, Answers: s.Answers, Declined: s.Declined, FirstSeen: s.News, WaitingMS: s.Waited,
		InputTokens: s.In, OutputTokens: s.Out, UnpricedCalls: s.Unpriced,
	}
	set := func(to **float64, known bool, x float64) {
		if known {
			*to = &x
		}
	}
	set(&out.Cost, s.Models > s.Unpriced || s.Models == 0, s.Cost/1e9)
	p50, ok := s.Quantile(0.5)
	set(&out.P50MS, ok, p50)
	p95, ok := s.Quantile(0.95)
	set(&out.P95MS, ok, p95)
	set(&out.ContextGrowth, s.Growns > 0, s.Growth/max(s.Growns, 1))
	set(&out.Surprise, s.Moves > 0, s.Surprise/max(s.Moves, 1))
	set(&out.OutputPerModel, s.Models > 0, s.Out/max(float64(s.Models), 1))
	return out
}
