package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/objective"
	"reeve/internal/telemetry/search"
)

func objectiveOperations() []operation {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	view, set := rows(identity.Viewer), rows(outcomeRoles...)
	decide := rows(identity.Developer, identity.Responder, identity.Security).onlyPeople()
	return []operation{
		define(operation{Name: "ListObjectives", Method: get, Path: "/objectives", Permission: view, Summary: "lists objectives with what is left of their budgets"}, listObjectives),
		define(operation{Name: "GetObjective", Method: get, Path: "/objectives/{name}", Permission: view, Summary: "reads an objective with how it stands"}, getObjective),
		define(operation{Name: "GetObjectiveStatus", Method: get, Path: "/objectives/{name}/status", Permission: view, Summary: "gives an objective over its window, and what spent its budget"}, objectiveStatus),
		define(operation{Name: "PutObjective", Method: put, Path: "/objectives/{name}", Permission: set, Audit: AuditChange, Summary: "makes or changes an objective; dry_run only says what is wrong and what warns"}, putObjective),
		define(operation{Name: "DeleteObjective", Method: del, Path: "/objectives/{name}", Permission: set, Audit: AuditChange, Summary: "drops an objective; what a response policy did for it stays until a person takes it back"}, deleteObjective),
		define(operation{Name: "ListObjectiveProposals", Method: get, Path: "/objective-proposals", Permission: view, Summary: "lists lasting changes of autonomy that objectives speak for, the newest first"}, listObjectiveProposals),
		define(operation{Name: "AcceptObjectiveProposal", Method: post, Path: "/objective-proposals/{id}/accept", Permission: decide, Audit: AuditChange, Summary: "changes the agent's autonomy as proposed, with one's own rights"}, acceptAutonomy),
		define(operation{Name: "DeclineObjectiveProposal", Method: post, Path: "/objective-proposals/{id}/decline", Permission: decide, Audit: AuditChange, Summary: "leaves the agent's autonomy as it is"}, declineAutonomy),
	}
}

func (a *API) objectives() (*objective.Book, error) {
	if a.o.Objectives == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no objectives")
	}
	return a.o.Objectives, nil
}

func objectiveActor(ctx context.Context) objective.Actor {
	who := actorOf(ctx)
	return objective.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: can(ctx)}
}

// seesObjective reports whether the asker may know what the records of an
// objective came to: all of them, or a share of theirs would tell of others'.
func seesObjective(ctx context.Context, team, environment string) bool {
	return whoOf(ctx).Can(identity.Viewer, cmp.Or(team, identity.Everything), cmp.Or(environment, identity.Everything))
}

// objectiveSeen is an objective that the asker may see.
func (a *API) objectiveSeen(ctx context.Context, name string) (*objective.Book, objective.Objective, objective.Standing, error) {
	book, err := a.objectives()
	if err != nil {
		return nil, objective.Objective{}, objective.Standing{}, err
	}
	o, s, err := book.Standing(name)
	if err == nil && !seesObjective(ctx, o.Team, o.Environment) {
		err = fault.New(fault.KindNotFound, "objective.not_found", "there is no objective %.63q", name)
	}
	return book, o, s, err
}

func (a *API) objectiveShape(o *objective.Objective, s *objective.Standing) client.Objective {
	out := client.Objective{
		Name: o.Name, Title: o.Title, Text: o.Text, Team: o.Team, Environment: o.Environment, Agent: o.Agent, Version: o.Version, Task: o.Task,
		KPI: o.KPI, Target: o.Target, Limit: o.Limit, Window: client.ObjectiveWindow{Rolling: durationText(o.Window.Rolling), Calendar: o.Window.Calendar, Zone: o.Window.Zone, Start: optionalTime(o.Window.Start)},
		Slice: durationText(o.Slice), Alerts: []client.ObjectiveAlert{}, Coverage: o.Coverage, Minimum: o.Minimum, Propose: o.Propose,
		Revision: o.Revision, By: o.By, Reason: o.Reason, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, Status: standingShape(s),
	}
	if a.o.KPIs != nil {
		if d, err := a.o.KPIs.Get(o.KPI); err == nil {
			out.KPITitle, out.Unit, out.Direction = d.Title, d.Unit, d.Direction
		}
	}
	for _, x := range o.Alerts {
		out.Alerts = append(out.Alerts, alertOf(x))
	}
	if x := o.Stream; x != nil {
		out.Stream = &client.ObjectiveStream{Labels: x.Labels, Within: durationText(x.Within), Alpha: x.Alpha, Minimum: x.Minimum}
	}
	return out
}

func alertOf(x objective.Alert) client.ObjectiveAlert {
	return client.ObjectiveAlert{Severity: x.Severity, Long: durationText(x.Long), Short: durationText(x.Short), Factor: x.Factor}
}

// durationText is a duration as durationOf reads it; "" for none.
func durationText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return ""
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}

func standingShape(s *objective.Standing) client.ObjectiveStanding {
	out := client.ObjectiveStanding{
		State: s.State, At: optionalTime(s.At), From: optionalTime(s.From), To: optionalTime(s.To), Value: s.Value, Low: s.Low, High: s.High, N: s.Budget.N, Bad: s.Budget.Bad,
		Coverage: s.Budget.Coverage(), Few: s.Few, Why: s.Why, Since: optionalTime(s.Since), Burns: []client.ObjectiveBurn{}, Alarms: []client.ObjectiveHeld{}, Warnings: append([]string{}, s.Warnings...),
	}
	if s.Known {
		allowed, left := s.Budget.Allowed, s.Budget.Left()
		out.Allowed, out.Left = &allowed, &left
	}
	for _, l := range s.Looks {
		b := client.ObjectiveBurn{ObjectiveAlert: alertOf(l.Alert), LongN: l.LongCounts.N, LongBad: l.LongCounts.Bad, Chance: l.Chance, Significance: l.Significance, Never: l.Never, Fires: l.Fires, Why: l.Why}
		if l.LongCounts.N > 0 {
			b.LongRate = &l.LongRate
		}
		if l.ShortCounts.N > 0 {
			b.ShortRate = &l.ShortRate
		}
		out.Burns = append(out.Burns, b)
	}
	if x := s.Stream; x != nil {
		out.Stream = &client.ObjectiveLabel{N: x.N, Passed: x.Passed, Low: x.Low, High: x.High, Worth: min(x.Worth, 1e12), Needs: x.Needs, Minimum: x.Minimum, Short: x.Short}
	}
	for _, h := range s.Alarms {
		out.Alarms = append(out.Alarms, client.ObjectiveHeld(h))
	}
	return out
}

func listObjectives(a *API, ctx context.Context, req *client.ListObjectivesRequest) (*client.List[client.Objective], error) {
	book, err := a.objectives()
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Objective]{Items: []client.Objective{}}
	for _, o := range book.List() {
		is := func(want, have string) bool { return want == "" || want == have }
		if !seesObjective(ctx, o.Team, o.Environment) || !is(req.Agent, o.Agent) || !is(req.Team, o.Team) || !is(req.Environment, o.Environment) {
			continue
		}
		o, s, err := book.Standing(o.Name)
		if err != nil || !is(req.State, s.State) {
			continue // deleted meanwhile
		}
		out.Items = append(out.Items, a.objectiveShape(&o, &s))
	}
	return out, nil
}

func getObjective(a *API, ctx context.Context, req *client.ObjectiveRequest) (*client.Objective, error) {
	_, o, s, err := a.objectiveSeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	out := a.objectiveShape(&o, &s)
	return &out, nil
}

func objectiveStatus(a *API, ctx context.Context, req *client.ObjectiveRequest) (*client.ObjectiveStatus, error) {
	book, _, _, err := a.objectiveSeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	st, err := book.Status(ctx, req.Name, nil) // whoever sees it sees all of its records
	if err != nil {
		return nil, err
	}
	out := &client.ObjectiveStatus{
		Objective: a.objectiveShape(&st.Objective, &st.Standing), BucketMS: st.Bucket.Milliseconds(), Records: st.Records,
		Table: st.Indicator.Table, Series: []client.ObjectivePoint{}, Spent: []client.ObjectiveSpender{}, Runs: []client.ObjectiveRun{}, Decided: []client.ObjectiveProposal{},
	}
	if st.Indicator.Kind == objective.KindEvents {
		out.Table = st.Indicator.Events
	}
	spent := 0.0
	for _, g := range st.Series {
		p := client.ObjectivePoint{At: g.At, N: g.N, Bad: g.Bad}
		if spent += g.Bad; st.Budget.Allowed > 0 {
			left := 1 - spent/st.Budget.Allowed
			p.Left = &left
		}
		out.Series = append(out.Series, p)
	}
	for _, x := range st.Spent {
		out.Spent = append(out.Spent, client.ObjectiveSpender{By: x.By, Name: x.Name, N: x.N, Bad: x.Bad, Share: x.Share, Records: x.Records})
	}
	for i := range st.Runs {
		r := &st.Runs[i]
		out.Runs = append(out.Runs, client.ObjectiveRun{ID: r.ID.String(), Agent: r.Agent, Version: r.Version, Task: r.Task, Outcome: r.Outcome, Error: r.ErrorType, EndedAt: optionalTime(at(max(r.Start, r.End)))})
	}
	list, err := book.Proposals(ctx, objective.ProposalFilter{Objective: req.Name, Limit: 10})
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if shape := autonomyProposal(p); p.State == objective.ProposalOpen && out.Proposal == nil {
			out.Proposal = &shape
		} else {
			out.Decided = append(out.Decided, shape)
		}
	}
	return out, nil
}

func autonomyProposal(p objective.Proposal) client.ObjectiveProposal {
	return client.ObjectiveProposal{
		ID: p.ID, Objective: p.Objective, Agent: p.Agent, Team: p.Team, Environment: p.Environment, State: p.State, From: p.From, To: p.To, Narrows: p.Narrows(), Why: p.Why,
		Target: p.Target, Value: p.Value, Low: p.Low, High: p.High, N: p.N, Bad: p.Bad, Left: p.Left, At: p.At, DecidedAt: optionalTime(p.DecidedAt), By: p.By, Reason: p.Reason,
	}
}

// durationOf reads a duration such as 30d, 4h, 5m; 0 of "".
func durationOf(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	v, err := (search.Field{Type: search.TypeDuration}).Read(text, time.Time{})
	if err != nil || v.Unknown || !(v.Number > 0 && v.Number < 1e12) {
		return 0, fault.New(fault.KindInvalid, "objective.invalid", "%s is %q: no length of time", field, clip(text, 40)).WithHint("30d, 4h, 5m")
	}
	return time.Duration(v.Number * 1e6), nil
}

// objectiveOf reads what a person wants of an objective.
func objectiveOf(req *client.PutObjectiveRequest) (o objective.Objective, err error) {
	o = objective.Objective{
		Name: req.Name, Title: cmp.Or(req.Title, req.Name), Text: req.Text, Team: req.Team, Environment: req.Environment, Agent: req.Agent, Version: req.Version, Task: req.Task,
		KPI: req.KPI, Target: req.Target, Limit: req.Limit, Coverage: req.Coverage, Minimum: req.Minimum, Propose: req.Propose, Revision: req.Revision, Reason: req.Reason,
	}
	read := func(into *time.Duration, field, text string) {
		if err == nil {
			*into, err = durationOf(field, text)
		}
	}
	read(&o.Slice, "slice", req.Slice)
	if w := req.Window; w != nil {
		o.Window.Calendar, o.Window.Zone = w.Calendar, w.Zone
		if w.Start != nil {
			o.Window.Start = w.Start.UTC()
		}
		read(&o.Window.Rolling, "window.rolling", w.Rolling)
	}
	for i, x := range req.Alerts {
		alert := objective.Alert{Severity: x.Severity, Factor: x.Factor}
		read(&alert.Long, "alerts["+strconv.Itoa(i)+"].long", x.Long)
		read(&alert.Short, "alerts["+strconv.Itoa(i)+"].short", x.Short)
		o.Alerts = append(o.Alerts, alert)
	}
	if x := req.Stream; x != nil {
		o.Stream = &objective.Stream{Labels: x.Labels, Alpha: x.Alpha, Minimum: x.Minimum}
		read(&o.Stream.Within, "stream.within", x.Within)
	}
	return o, err
}

func putObjective(a *API, ctx context.Context, req *client.PutObjectiveRequest) (*client.Objective, error) {
	book, err := a.objectives()
	if err != nil {
		return nil, err
	}
	o, err := objectiveOf(req)
	if err != nil {
		return nil, err
	}
	if old, err := book.Get(req.Name); err == nil && !seesObjective(ctx, old.Team, old.Environment) {
		return nil, fault.New(fault.KindConflict, "objective.taken", "there is an objective of that name already").WithHint("choose another name")
	}
	if d, err := a.o.KPIs.Get(o.KPI); err == nil && d.Custom && !seesTeam(whoOf(ctx), d.Team) {
		return nil, fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %.63q", o.KPI)
	}
	if req.DryRun {
		warnings, err := book.Check(&o)
		if err != nil {
			return nil, err
		}
		out := a.objectiveShape(&o, &objective.Standing{State: objective.Waiting, Warnings: warnings})
		return &out, nil
	}
	kept, err := book.Put(ctx, objectiveActor(ctx), o)
	if err != nil {
		return nil, err
	}
	_, s, err := book.Standing(kept.Name)
	if warnings, checkErr := book.Check(&kept); checkErr == nil {
		s.Warnings = warnings
	}
	out := a.objectiveShape(&kept, &s)
	return &out, err
}

func deleteObjective(a *API, ctx context.Context, req *client.DeleteObjectiveRequest) (*struct{}, error) {
	book, _, _, err := a.objectiveSeen(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, objectiveActor(ctx), req.Name, req.Reason)
}

func listObjectiveProposals(a *API, ctx context.Context, req *client.ListObjectiveProposalsRequest) (*client.List[client.ObjectiveProposal], error) {
	book, err := a.objectives()
	if err != nil {
		return nil, err
	}
	list, err := book.Proposals(ctx, objective.ProposalFilter{Objective: req.Objective, Agent: req.Agent, State: req.State})
	list = slices.DeleteFunc(list, func(p objective.Proposal) bool { return !seesObjective(ctx, p.Team, p.Environment) })
	return listOf(list, err, autonomyProposal)
}

func acceptAutonomy(a *API, ctx context.Context, req *client.DecideObjectiveProposalRequest) (*client.ObjectiveProposal, error) {
	return a.decideProposal(ctx, req, true)
}

func declineAutonomy(a *API, ctx context.Context, req *client.DecideObjectiveProposalRequest) (*client.ObjectiveProposal, error) {
	return a.decideProposal(ctx, req, false)
}

func (a *API) decideProposal(ctx context.Context, req *client.DecideObjectiveProposalRequest, accept bool) (*client.ObjectiveProposal, error) {
	book, err := a.objectives()
	if err != nil {
		return nil, err
	}
	p, err := book.Proposal(ctx, req.ID)
	if err == nil && !seesObjective(ctx, p.Team, p.Environment) {
		err = fault.New(fault.KindNotFound, "objective.not_found", "there is no such proposal")
	}
	if err != nil {
		return nil, err
	}
	p, err = book.Decide(ctx, objectiveActor(ctx), req.ID, accept, req.Reason, func(ctx context.Context, p objective.Proposal) error {
		all, now, err := a.visible(ctx, p.Agent)
		if err != nil {
			return err
		}
		if now.Autonomy != p.From {
			return fault.New(fault.KindConflict, "objective.state", "the agent is %s by now, and the proposal is about one that is %s", now.Autonomy, p.From).WithHint("it lapses with the next look")
		}
		reason := cmp.Or(req.Reason, "objective "+p.Objective+": "+p.Why)
		_, err = all.Update(ctx, actorOf(ctx), p.Agent, agent.Change{Revision: now.Revision, Autonomy: &p.To, Reason: clip(reason, 800)})
		return err
	})
	if err != nil {
		return nil, err
	}
	out := autonomyProposal(p)
	return &out, nil
}
