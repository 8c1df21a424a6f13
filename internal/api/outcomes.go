package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/outcome"
	"reeve/internal/telemetry"
)

func (a *API) outcomes() (*outcome.Book, error) {
	if a.o.Outcomes == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no outcomes")
	}
	return a.o.Outcomes, nil
}

// outcomeRoles may say how runs ended.
var outcomeRoles = []identity.Role{identity.Developer, identity.Responder}

func saidShape(e outcome.Evidence) client.OutcomeEvidence {
	out := client.OutcomeEvidence{
		ID: e.OurID, Kind: e.Kind, Source: e.Source, SenderID: e.ID, Team: e.Team, Environment: e.Environment, Session: e.Session, Key: e.Key,
		Agent: e.Agent, Outcome: e.Outcome, At: at(e.At), ReceivedAt: e.Received, Text: e.Text, Person: e.Person,
		Waiting: e.Unmatched, LookAt: optionalTime(e.Look),
	}
	if !e.Run.IsZero() {
		out.RunID = e.Run.String()
	}
	return out
}

// scopeOf finds whose runs the asker may speak of: what the request names, or the
// only team that the asker has.
func scopeOf(who identity.Principal, team, environment string, roles []identity.Role) (string, string, error) {
	for _, r := range roles {
		if who.Can(r, cmp.Or(team, identity.Everything), cmp.Or(environment, identity.Everything)) {
			return team, environment, nil
		}
	}
	if team == "" {
		for _, r := range roles {
			if g := who.Scopes(r); len(g) == 1 {
				return g[0].Team, cmp.Or(environment, only(g[0].Environment)), scoped(who, r, g[0].Team, cmp.Or(environment, only(g[0].Environment)))
			}
		}
	}
	return "", "", fault.New(fault.KindDenied, "api.role_missing", "this needs the role developer or responder for %s", cmp.Or(team, "all teams")).
		WithHint("name a team of yours, and its environment if your role is of one")
}

func only(name string) string {
	if name == identity.Everything {
		return ""
	}
	return name
}

func scoped(who identity.Principal, r identity.Role, team, environment string) error {
	if who.Can(r, team, cmp.Or(environment, identity.Everything)) {
		return nil
	}
	return fault.New(fault.KindDenied, "api.role_missing", "this needs the role %s for team %q in %q", r, team, environment)
}

func reportOutcome(a *API, ctx context.Context, req *client.ReportOutcomeRequest) (*client.OutcomeEvidence, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	team, environment, err := scopeOf(whoOf(ctx), req.Team, req.Environment, outcomeRoles)
	if err != nil {
		return nil, err
	}
	kind := cmp.Or(req.Kind, activity.EvidenceEvent)
	if !slices.Contains([]string{activity.EvidenceEvent, activity.EvidenceFeedback, activity.EvidenceJudge}, kind) {
		return nil, invalid("evidence of kind %q is not reported", clip(kind, 40)).WithHint("event, feedback or judge; a person decides with POST %s/runs/{id}/outcome", Prefix)
	}
	if req.Source == "" {
		return nil, invalid("evidence names its source").WithHint("a short word such as orders or helpdesk")
	}
	e := activity.Evidence{Kind: kind, Source: req.Source, ID: req.SenderID, Team: team, Environment: environment, Session: req.Session, Key: req.Key, Outcome: req.Outcome, Text: req.Text}
	if req.At != nil {
		e.At = req.At.UnixNano()
	}
	if req.RunID != "" {
		if e.Run, err = activity.ParseRunID(req.RunID); err != nil {
			return nil, invalid("run_id is no id of a run").WithHint("run_ and 26 letters; a run that you named yourself is named by session or key")
		}
	}
	kept, _, err := book.Report(ctx, actor(ctx), e)
	if err != nil {
		return nil, err
	}
	out := saidShape(kept)
	return &out, nil
}

func listEvidence(a *API, ctx context.Context, req *client.ListEvidenceRequest) (*client.List[client.OutcomeEvidence], error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	q := outcome.Filter{Agent: req.Agent, Team: req.Team, Kind: req.Kind, Waiting: req.Waiting, Limit: min(max(req.Limit, 0), 1000)}
	q.Teams, _ = reachOf(who, identity.Viewer)
	list, err := book.List(ctx, q)
	list = slices.DeleteFunc(list, func(e outcome.Evidence) bool {
		return !who.Can(identity.Viewer, cmp.Or(e.Team, identity.Everything), cmp.Or(e.Environment, identity.Everything)) && !who.Can(identity.Viewer, e.Team, e.Environment)
	})
	return listOf(list, err, saidShape)
}

func runOutcome(a *API, ctx context.Context, req *client.RunRequest) (*client.RunOutcome, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	x, err := book.Explain(ctx, run)
	if err != nil {
		return nil, err
	}
	out := &client.RunOutcome{
		RunID: run.ID.String(), Outcome: outcomeOf(run.Outcome, run.Status.String(), run.RootError), Decided: x.Outcome, Basis: x.Basis, Why: x.Why,
		Settled: x.Settled, SettlesAt: optionalTime(x.Settles), Window: book.Windows().Window(run.Mode).String(), Mode: run.Mode, Evidence: []client.OutcomeEvidence{},
	}
	switch {
	case out.Why != "":
	case run.Mode == "test":
		out.Why = "runs of mode test have no outcome"
	case !outcome.Over(run):
		out.Why = "the run goes on"
	case run.Outcome != "":
		out.Why = "the agent reported it; it is settled when the window has passed"
	default:
		out.Why = "nobody said how it ended; it is settled when the window has passed"
	}
	for _, e := range x.Evidence {
		s := saidShape(e)
		s.Counts = x.By != nil && x.By.OurID == e.OurID && x.By.Source == e.Source
		out.Evidence = append(out.Evidence, s)
	}
	if ms, any, err := a.waited(ctx, run.ID); err != nil {
		return nil, err
	} else if any {
		out.Waiting = &ms
	}
	return out, nil
}

// waited is how long the steps of a run waited for people, without counting a
// moment twice where they overlap.
func (a *API) waited(ctx context.Context, id activity.RunID) (ms float64, some bool, err error) {
	steps, err := a.o.Store.Steps(ctx, id)
	if err != nil {
		return 0, false, err
	}
	slices.SortFunc(steps, telemetry.ByStart)
	var until int64
	for i := range steps {
		s := &steps[i]
		if s.Kind != activity.KindHuman && !s.Waiting {
			continue
		}
		some = true
		end := s.End
		if end < 0 {
			end = a.o.Now().UnixNano()
		}
		if from := max(s.Start, until); end > from {
			ms += float64(end-from) / 1e6
			until = end
		}
	}
	return ms, some, nil
}

func decideOutcome(a *API, ctx context.Context, req *client.DecideOutcomeRequest) (*client.RunOutcome, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	if !slices.ContainsFunc(outcomeRoles, func(r identity.Role) bool { return who.Can(r, run.Team, run.Environment) }) {
		return nil, fault.New(fault.KindDenied, "api.role_missing", "this needs the role developer or responder for team %q in %q", run.Team, run.Environment)
	}
	if req.Reason == "" {
		return nil, invalid("a decision has a reason").WithHint("what you know that the evidence does not say")
	}
	if _, _, err := book.Report(ctx, actor(ctx), activity.Evidence{
		Kind: activity.EvidencePerson, Source: who.Name, Team: run.Team, Environment: run.Environment, Run: run.ID, Outcome: req.Outcome, Text: req.Reason,
	}); err != nil {
		return nil, err
	}
	return runOutcome(a, ctx, &client.RunRequest{ID: req.ID})
}

func outcomeRuleShape(r outcome.Rule) client.OutcomeRule {
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	return client.OutcomeRule{
		Name: r.Name, Text: r.Text, Where: r.Where, Outcome: r.Outcome, Deadline: text(r.Deadline), Stuck: text(r.Stuck), Team: r.Team, Environment: r.Environment,
		Revision: r.Revision, By: r.By, Reason: r.Reason, UpdatedAt: r.UpdatedAt,
	}
}

func listOutcomeRules(a *API, ctx context.Context, _ *struct{}) (*client.OutcomeRules, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	w := book.Windows()
	out := &client.OutcomeRules{Items: []client.OutcomeRule{}, Windows: map[string]string{"interactive": w.Interactive.String(), "autonomous": w.Autonomous.String(), "asynchronous": w.Asynchronous.String()}}
	for _, r := range book.Rules() {
		if seesTeam(whoOf(ctx), r.Team) {
			out.Items = append(out.Items, outcomeRuleShape(r))
		}
	}
	return out, nil
}

func outcomeActor(ctx context.Context) outcome.Actor {
	who, p := actorOf(ctx), whoOf(ctx)
	return outcome.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return p.Can(identity.Role(role), team, environment)
	}}
}

// maxRuleDays is how far back a rule about outcomes is tried.
const maxRuleDays = 90

// tryOutcomeRule asks a rule that is kept nowhere about runs within the asker's reach.
func tryOutcomeRule(a *API, ctx context.Context, req *client.TryOutcomeRuleRequest) (*client.OutcomeRuleTrial, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	r := outcome.Rule{Name: req.Name, Where: req.Where, Outcome: req.Outcome, Team: req.Team, Environment: req.Environment}
	if r.Deadline, err = lifeOf("deadline", req.Deadline); err != nil {
		return nil, err
	}
	if r.Stuck, err = lifeOf("stuck", req.Stuck); err != nil {
		return nil, err
	}
	days := orDefault(req.Days, 30)
	if days > maxRuleDays {
		return nil, invalid("a rule is tried on at most %d days", maxRuleDays)
	}
	past := outcome.Past{To: a.o.Now().UTC()}
	past.From = past.To.AddDate(0, 0, -days)
	past.Teams, past.Only = reachOf(whoOf(ctx), identity.Viewer)
	t, err := book.Try(ctx, r, past)
	if err != nil {
		return nil, err
	}
	out := &client.OutcomeRuleTrial{
		From: t.From, To: t.To, Whole: t.Whole, Found: t.Found, Decides: t.Decides, Changes: t.Changes, Stronger: t.Stronger, Waits: t.Waits, Late: t.Late,
		Runs: make([]client.OutcomeRuleTrialRun, 0, len(t.Runs)),
	}
	for _, x := range t.Runs {
		out.Runs = append(out.Runs, client.OutcomeRuleTrialRun{
			RunID: x.Run.ID.String(), Agent: x.Run.Agent, Task: x.Run.Task, StartedAt: at(x.Run.Start), Now: x.Now, Then: x.Then, Why: x.Why, Late: x.Late,
		})
	}
	return out, nil
}

func putOutcomeRule(a *API, ctx context.Context, req *client.PutOutcomeRuleRequest) (*client.OutcomeRule, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	r := outcome.Rule{Name: req.Name, Text: req.Text, Where: req.Where, Outcome: req.Outcome, Team: req.Team, Environment: req.Environment, Revision: req.Revision, Reason: req.Reason}
	if r.Deadline, err = lifeOf("deadline", req.Deadline); err != nil {
		return nil, err
	}
	if r.Stuck, err = lifeOf("stuck", req.Stuck); err != nil {
		return nil, err
	}
	kept, err := book.Put(ctx, outcomeActor(ctx), r)
	if err != nil {
		return nil, err
	}
	out := outcomeRuleShape(kept)
	return &out, nil
}

func deleteOutcomeRule(a *API, ctx context.Context, req *client.DeleteOutcomeRuleRequest) (*struct{}, error) {
	book, err := a.outcomes()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, outcomeActor(ctx), req.Name, req.Reason)
}
