package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
)

// This file is the HTTP face of incidents: who may see which, their shapes, and
// what people do with them.

func incidentOperations() []operation {
	get, post, patch, put := http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut
	created := http.StatusCreated
	view, act := rows(identity.Viewer), rows(identity.Responder)
	return []operation{
		define(operation{Name: "ListIncidents", Method: get, Path: "/incidents", Permission: view, Summary: "lists incidents: live ones by the people they touch, then the newest first"}, listIncidents),
		define(operation{Name: "OpenIncident", Method: post, Path: "/incidents", Permission: act, Audit: AuditChange, Status: created, Idempotent: true, Summary: "opens an incident by hand"}, openIncident),
		define(operation{Name: "GetIncident", Method: get, Path: "/incidents/{id}", Permission: view, Summary: "reads an incident with its timeline, its signals and why each is there"}, getIncident),
		define(operation{Name: "UpdateIncident", Method: patch, Path: "/incidents/{id}", Permission: act, Audit: AuditChange, Summary: "changes title, severity, kind, owner and roles of an incident"}, updateIncident),
		define(operation{Name: "AcknowledgeIncident", Method: post, Path: "/incidents/{id}/acknowledge", Permission: act, Audit: AuditChange, Summary: "says that somebody looks at it: paging ends"}, stateIncident((*incident.Book).Acknowledge)),
		define(operation{Name: "MitigateIncident", Method: post, Path: "/incidents/{id}/mitigate", Permission: act, Audit: AuditChange, Summary: "says that people are safe from it"}, stateIncident((*incident.Book).Mitigate)),
		define(operation{Name: "ResolveIncident", Method: post, Path: "/incidents/{id}/resolve", Permission: act, Audit: AuditChange, Summary: "ends an incident"}, stateIncident((*incident.Book).Resolve)),
		define(operation{Name: "ReopenIncident", Method: post, Path: "/incidents/{id}/reopen", Permission: act, Audit: AuditChange, Summary: "takes back that it was mitigated or resolved"}, stateIncident((*incident.Book).Reopen)),
		define(operation{Name: "NoteIncident", Method: post, Path: "/incidents/{id}/notes", Permission: act, Audit: AuditChange, Summary: "adds a person's words to the timeline"}, noteIncident),
		define(operation{Name: "IncidentTimeline", Method: get, Path: "/incidents/{id}/timeline", Permission: view, Summary: "lists the sentences of an incident, each with its evidence"}, incidentTimeline),
		define(operation{Name: "MergeIncident", Method: post, Path: "/incidents/{id}/merge", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "makes an incident part of another; it can be taken back"}, mergeIncident),
		define(operation{Name: "SplitIncident", Method: post, Path: "/incidents/{id}/split", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "takes signals out into an incident of their own; it can be taken back"}, splitIncident),
		define(operation{Name: "JudgeIncidentSignal", Method: post, Path: "/incidents/{id}/judge", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "says whether a signal belongs to an incident, which moves the weights"}, judgeSignal),
		define(operation{Name: "UndoIncidentMove", Method: post, Path: "/incident-moves/{id}/undo", Permission: act.onlyPeople(), Audit: AuditChange, Summary: "takes a merge or split back, and what it had taught"}, undoMove),
		define(operation{Name: "GetIncidentWeights", Method: get, Path: "/incident-weights", Permission: view, Summary: "reads by which weights signals are joined, and what people's verdicts changed"}, getWeights),
		define(operation{Name: "RevertIncidentWeights", Method: post, Path: "/incident-weights/revert", Permission: everywhere(identity.Responder).onlyPeople(), Audit: AuditChange, Summary: "takes what one verdict changed of the weights back"}, revertWeights),
		define(operation{Name: "ListIncidentOffers", Method: get, Path: "/incidents/{id}/offers", Permission: view, Summary: "lists what can be done about an incident"}, listOffers),
		define(operation{Name: "PreviewIncidentAct", Method: post, Path: "/incidents/{id}/preview", Permission: act.reading(), Summary: "tells what an act would come to, without doing it"}, previewAct),
		twoPeople(define(operation{Name: "ActOnIncident", Method: post, Path: "/incidents/{id}/acts", Permission: act.onlyPeople(), Audit: AuditChange, Status: created, Summary: "does something about an incident: contain, stop, lower a budget, pin, switch, take a source out, tell the affected, for which a second person agrees"}, actOnIncident), askToTell),
		define(operation{Name: "UndoIncidentAct", Method: post, Path: "/incident-acts/{id}/undo", Permission: act.freshly(), Audit: AuditChange, Summary: "takes back what was done about an incident"}, undoAct),
		define(operation{Name: "ListIncidentRecords", Method: get, Path: "/incidents/{id}/records", Permission: rows(identity.Viewer), Summary: "lists what runs of an incident's agents changed since it began"}, listIncidentRecords),
		define(operation{Name: "AddIncidentTask", Method: post, Path: "/incidents/{id}/tasks", Permission: act, Audit: AuditChange, Status: created, Summary: "adds an action with owner and date, a compensation or a step"}, addTask),
		define(operation{Name: "ChangeIncidentTask", Method: post, Path: "/incident-tasks/{id}", Permission: rows(identity.Viewer), Audit: AuditChange, Summary: "changes a task, agrees to a compensation, or says that it is done"}, changeTask),
		define(operation{Name: "ListIncidentActions", Method: get, Path: "/incident-actions", Permission: view, Summary: "lists what is to be done after incidents, the first due first"}, listActions),
		define(operation{Name: "GetIncidentReview", Method: get, Path: "/incidents/{id}/review", Permission: view, Audit: AuditContent, Summary: "reads the review of an incident, or drafts it from the timeline"}, getReview),
		define(operation{Name: "SaveIncidentReview", Method: put, Path: "/incidents/{id}/review", Permission: act, Audit: AuditChange, MaxBody: 400 << 10, Summary: "stores the review of an incident; done ends it as reviewed"}, saveReview),
		define(operation{Name: "ListSilences", Method: get, Path: "/silences", Permission: view, Summary: "lists silences and maintenance windows"}, listSilences),
		define(operation{Name: "CreateSilence", Method: post, Path: "/silences", Permission: act, Audit: AuditChange, Status: created, Summary: "keeps matching signals from making incidents until a time"}, createSilence),
		define(operation{Name: "EndSilence", Method: post, Path: "/silences/{id}/end", Permission: act, Audit: AuditChange, Summary: "ends a silence: what still fires is taken in"}, endSilence),
	}
}

func (a *API) incidents() (*incident.Book, error) {
	if a.o.Incidents == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no incidents")
	}
	return a.o.Incidents, nil
}

func incidentActor(ctx context.Context) incident.Actor {
	who := whoOf(ctx)
	return incident.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Name: who.Name, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}
}

// seesIncident: one that touches a place which the asker may see.
func seesIncident(who identity.Principal, i *incident.Incident) bool {
	if who.Everywhere(identity.Viewer) {
		return true
	}
	return slices.ContainsFunc(i.Places, func(p incident.Place) bool { return seesPlace(who, p.Team, p.Environment) }) ||
		len(i.Places) == 0 && who.Can(identity.Viewer, i.Team, i.Environment)
}

// seesPlace: what names no team is for who sees all teams.
func seesPlace(who identity.Principal, team, environment string) bool {
	if team == "" {
		return who.Everywhere(identity.Viewer)
	}
	return who.Can(identity.Viewer, team, environment) || (environment == "" || environment == "*") && slices.Contains(who.Teams(identity.Viewer), team)
}

// incidentSeen is an incident that the asker may see.
func (a *API) incidentSeen(ctx context.Context, id string) (*incident.Book, incident.Incident, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, incident.Incident{}, err
	}
	i, err := book.Get(ctx, id)
	if err == nil && !seesIncident(whoOf(ctx), &i) {
		err = fault.New(fault.KindNotFound, "incident.not_found", "there is no such incident").WithHint("`reeve incident list` lists incidents")
	}
	return book, i, err
}

// incidentShape is how an incident is shown, people by name; a list of places and
// agents holds only what the asker may know of.
func (a *API) incidentShape(ctx context.Context) func(i incident.Incident) client.Incident {
	names, who := a.personNames(ctx), whoOf(ctx)
	everything := who.Everywhere(identity.Viewer)
	return func(i incident.Incident) client.Incident {
		out := client.Incident{
			ID: i.ID, Number: i.Number, Title: i.Title, State: i.State, Severity: i.Severity, Kind: i.Kind, Team: i.Team, Environment: i.Environment,
			Owner: names(i.Owner), Lead: names(i.Lead), Communications: names(i.Communications), OpenedAt: i.OpenedAt, LastAt: i.LastAt,
			AcknowledgedAt: optionalTime(i.AcknowledgedAt), AcknowledgedBy: names(i.AcknowledgedBy), MitigatedAt: optionalTime(i.MitigatedAt),
			ResolvedAt: optionalTime(i.ResolvedAt), ReviewedAt: optionalTime(i.ReviewedAt), QuietAt: optionalTime(i.QuietAt), MergedInto: i.MergedInto,
			CauseText: i.CauseText, Signals: i.Signals, Firing: i.Firing, Occurrences: i.Occurrences, Runs: i.Runs, Agents: []string{},
			Nodes: []client.IncidentNode{}, Places: []client.IncidentPlace{}, Manual: i.Manual != "", Revision: i.Revision,
		}
		if i.Cause != nil {
			out.Cause = &client.IncidentNode{Kind: i.Cause.Kind, Value: i.Cause.Value}
		}
		if i.People >= 0 {
			n := i.People
			out.People = &n
		}
		for _, name := range i.Agents {
			if everything || a.mayNameAgent(who, name) {
				out.Agents = append(out.Agents, name)
			}
		}
		for _, n := range i.Nodes {
			if n.Kind != "agent" && n.Kind != "version" || everything || a.mayNameAgent(who, strings.SplitN(n.Value, "@", 2)[0]) {
				out.Nodes = append(out.Nodes, client.IncidentNode(n))
			}
		}
		for _, p := range i.Places {
			if seesPlace(who, p.Team, p.Environment) {
				out.Places = append(out.Places, client.IncidentPlace(p))
			}
		}
		return out
	}
}

// mayNameAgent reports whether the asker may know of an agent.
func (a *API) mayNameAgent(who identity.Principal, name string) bool {
	if a.o.Agents == nil {
		return false
	}
	g, ok := a.o.Agents.Lookup(name)
	return ok && slices.ContainsFunc(who.Scopes(identity.Viewer), func(s identity.Grant) bool { return s.Team == identity.Everything || s.Team == g.Team })
}

func listIncidents(a *API, ctx context.Context, req *client.ListIncidentsRequest) (*client.List[client.Incident], error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	f := incident.Filter{Agent: req.Agent, Severity: req.Severity, Team: req.Team, Q: req.Q, Limit: orDefault(req.Limit, 100)}
	switch req.State {
	case "", "live":
		f.States = []string{incident.Open, incident.Acknowledged, incident.Mitigated}
	case "all":
	default:
		for s := range strings.SplitSeq(req.State, ",") {
			if !slices.Contains([]string{incident.Open, incident.Acknowledged, incident.Mitigated, incident.Resolved, incident.Reviewed, incident.Merged}, s) {
				return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is %q", clip(s, 40)).WithHint("open, acknowledged, mitigated, resolved, reviewed, merged, live or all")
			}
			f.States = append(f.States, s)
		}
	}
	if req.Cursor != "" {
		n, err := strconv.ParseInt(req.Cursor, 10, 64)
		if err != nil || n <= 0 {
			return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "the cursor is not one of a list of incidents")
		}
		f.Before = n
	}
	who := whoOf(ctx)
	list, err := book.List(ctx, f, func(i *incident.Incident) bool { return seesIncident(who, i) })
	next := ""
	if len(list) == f.Limit && f.Limit > 0 {
		next = strconv.FormatInt(list[len(list)-1].Number, 10)
	}
	if req.State == "" || req.State == "live" {
		slices.SortStableFunc(list, worstFirst)
	}
	out, err := listOf(list, err, a.incidentShape(ctx))
	if err == nil {
		out.Next = next
	}
	return out, err
}

// worstFirst puts incidents that nobody took up first, then those that touch
// most people, then the worst.
func worstFirst(x, y incident.Incident) int {
	rank := func(i *incident.Incident) int64 {
		n := max(i.People, 0)*10 + int64(slices.Index([]string{incident.Info, incident.Warning, incident.Critical}, i.Severity))
		if i.State == incident.Open {
			n += 1 << 40
		} else if i.State == incident.Acknowledged {
			n += 1 << 39
		}
		return n
	}
	switch rx, ry := rank(&x), rank(&y); {
	case rx > ry:
		return -1
	case rx < ry:
		return 1
	}
	return y.OpenedAt.Compare(x.OpenedAt)
}

func openIncident(a *API, ctx context.Context, req *client.OpenIncidentRequest) (*client.Incident, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	i, err := book.Open(ctx, incidentActor(ctx), incident.Report{
		Title: req.Title, Text: req.Text, Severity: req.Severity, Kind: req.Kind, Team: req.Team, Environment: req.Environment, Agents: req.Agents,
	})
	if err != nil {
		return nil, err
	}
	out := a.incidentShape(ctx)(i)
	return &out, nil
}

// maxIncidentSignals is how many signals one answer holds.
const maxIncidentSignals = 500

func getIncident(a *API, ctx context.Context, req *client.IncidentRequest) (*client.IncidentDetail, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := &client.IncidentDetail{
		Incident: a.incidentShape(ctx)(i), Members: []client.IncidentSignal{}, Moves: []client.IncidentMove{}, Acts: []client.IncidentAct{},
		Tasks: []client.IncidentTask{}, Playbook: incident.Playbook(i.Kind),
	}
	if len(i.Agents) > 0 {
		reach := i.ReachOf(time.Now().UTC())
		out.Reach = &client.IncidentReach{Q: reach.Where().String(), From: reach.From, To: reach.To}
	}
	names, who := a.personNames(ctx), whoOf(ctx)
	if out.Timeline, err = a.timelineOf(ctx, book, i.ID); err != nil {
		return nil, err
	}
	members, err := book.Members(ctx, i.ID, maxIncidentSignals)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if seesPlace(who, m.Team, m.Environment) {
			out.Members = append(out.Members, signalShape(&m, names))
		}
	}
	moves, err := book.Moves(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range moves {
		out.Moves = append(out.Moves, client.IncidentMove{
			ID: m.ID, Kind: m.Kind, Source: m.Source, Target: m.Target, At: m.At, Person: names(m.Person), Signals: len(m.Prints), Reasons: reasonShapes(m.Reasons),
			Reason: m.Reason, Weights: m.Revision, UndoneAt: optionalTime(m.UndoneAt), UndoneBy: names(m.UndoneBy),
		})
	}
	acts, err := book.Acts(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range acts {
		if x.Place.Team == "" || x.Place.Team == "*" || seesPlace(who, x.Place.Team, x.Place.Environment) {
			out.Acts = append(out.Acts, actShape(&x, names))
		}
	}
	tasks, err := book.Tasks(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		if t.Place.Team == "" || seesPlace(who, t.Place.Team, t.Place.Environment) {
			out.Tasks = append(out.Tasks, taskShape(&t, names))
		}
	}
	return out, nil
}

func reasonShapes(list []incident.Reason) []client.IncidentReason {
	out := make([]client.IncidentReason, len(list))
	for i, r := range list {
		out[i] = client.IncidentReason(r)
	}
	return out
}

func signalShape(m *incident.Member, names func(string) string) client.IncidentSignal {
	return client.IncidentSignal{
		ID: m.ID, Kind: m.Kind, Fingerprint: m.Fingerprint, Title: m.Title, Text: m.Text, Severity: m.Severity, Firing: !m.Resolved, Claimed: m.Claimed,
		FirstAt: m.First, LastAt: m.Last, Count: m.Count, Team: m.Team, Environment: m.Environment, Agent: m.Agent, Tool: m.Tool, Model: m.Model,
		Provider: m.Provider, Source: m.Source, Policy: m.Policy, Version: m.Version, Run: m.Run, Labels: m.Labels, Score: m.Score,
		Reasons: reasonShapes(m.Reasons), By: names(m.By),
	}
}

func actShape(x *incident.Act, names func(string) string) client.IncidentAct {
	return client.IncidentAct{
		ID: x.ID, State: x.State, At: x.At, Kind: x.Offer.Kind, Target: x.Offer.Target, Level: x.Offer.Level, Text: x.Offer.Text, Person: names(x.Person),
		Reason: x.Reason, Result: x.Result, Until: optionalTime(x.Until), UndoneBy: names(x.UndoneBy), UndoneAt: optionalTime(x.UndoneAt),
	}
}

func evidenceShape(e *incident.Evidence) *client.IncidentEvidence {
	if e == nil {
		return nil
	}
	return &client.IncidentEvidence{Kind: e.Kind, ID: e.ID}
}

func taskShape(t *incident.Task, names func(string) string) client.IncidentTask {
	return client.IncidentTask{
		ID: t.ID, Incident: t.Incident, Kind: t.Kind, Text: t.Text, Owner: names(t.Owner), DueAt: optionalTime(t.DueAt), DoneAt: optionalTime(t.DoneAt),
		DoneBy: names(t.DoneBy), By: names(t.By), ApprovedBy: names(t.ApprovedBy), Result: t.Result, Evidence: evidenceShape(t.Evidence), CreatedAt: t.CreatedAt,
	}
}

func (a *API) timelineOf(ctx context.Context, book *incident.Book, id string) ([]client.IncidentEntry, error) {
	list, err := book.Timeline(ctx, id)
	if err != nil {
		return nil, err
	}
	names, who := a.personNames(ctx), whoOf(ctx)
	out := make([]client.IncidentEntry, 0, len(list))
	for _, e := range list {
		if e.Team != "" && !seesPlace(who, e.Team, e.Environment) {
			continue
		}
		out = append(out, client.IncidentEntry{At: e.At, Kind: e.Kind, Text: nameAll(e.Text, names), Detail: e.Detail, Evidence: evidenceShape(e.Evidence), Person: names(e.Person)})
	}
	return out, nil
}

// nameAll puts names where a sentence has people's ids in braces.
func nameAll(s string, names func(string) string) string {
	for at := 0; ; {
		open := strings.Index(s[at:], "{")
		if open < 0 {
			return s
		}
		open += at
		end := strings.Index(s[open:], "}")
		if end < 0 {
			return s
		}
		name := names(s[open+1 : open+end])
		s = s[:open] + name + s[open+end+1:]
		at = open + len(name)
	}
}

func incidentTimeline(a *API, ctx context.Context, req *client.IncidentRequest) (*client.List[client.IncidentEntry], error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.timelineOf(ctx, book, i.ID)
	return listOf(list, err, func(e client.IncidentEntry) client.IncidentEntry { return e })
}

// stateIncident is an act that takes words alone.
func stateIncident(do func(*incident.Book, context.Context, incident.Actor, string, string) (incident.Incident, error)) func(*API, context.Context, *client.IncidentNoteRequest) (*client.Incident, error) {
	return func(a *API, ctx context.Context, req *client.IncidentNoteRequest) (*client.Incident, error) {
		book, i, err := a.incidentSeen(ctx, req.ID)
		if err != nil {
			return nil, err
		}
		return a.incidentAfter(ctx)(do(book, ctx, incidentActor(ctx), i.ID, req.Note))
	}
}

func (a *API) incidentAfter(ctx context.Context) func(incident.Incident, error) (*client.Incident, error) {
	return func(i incident.Incident, err error) (*client.Incident, error) {
		if err != nil {
			return nil, err
		}
		out := a.incidentShape(ctx)(i)
		return &out, nil
	}
}

func noteIncident(a *API, ctx context.Context, req *client.IncidentNoteRequest) (*client.Incident, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.incidentAfter(ctx)(book.Note(ctx, incidentActor(ctx), i.ID, req.Note, nil))
}

func updateIncident(a *API, ctx context.Context, req *client.UpdateIncidentRequest) (*client.Incident, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	e := incident.Edit{Title: req.Title, Severity: req.Severity, Kind: req.Kind, Revision: req.Revision, Reason: req.Reason}
	for _, f := range []struct {
		from *string
		to   **string
	}{{req.Owner, &e.Owner}, {req.Lead, &e.Lead}, {req.Communications, &e.Communications}} {
		if f.from == nil {
			continue
		}
		id, err := a.personID(ctx, *f.from)
		if err != nil {
			return nil, err
		}
		*f.to = &id
	}
	return a.incidentAfter(ctx)(book.Update(ctx, incidentActor(ctx), i.ID, e))
}

// personID is a person's id by their id or name; "" stays, "me" is the asker.
func (a *API) personID(ctx context.Context, word string) (string, error) {
	if word == "" || word == "dev" && whoOf(ctx).Kind == identity.KindDev {
		return word, nil
	}
	if word == "me" {
		return actor(ctx), nil
	}
	if strings.HasPrefix(word, "per_") {
		p, err := a.o.Identity.Person(ctx, word)
		return p.ID, err
	}
	for after := ""; ; {
		people, next, err := a.o.Identity.People(ctx, after, 1000)
		if err != nil {
			return "", err
		}
		for _, p := range people {
			if strings.EqualFold(p.Name, word) {
				return p.ID, nil
			}
		}
		if after = next; after == "" {
			return "", fault.New(fault.KindNotFound, "identity.not_found", "there is no person %.60q", word)
		}
	}
}

func mergeIncident(a *API, ctx context.Context, req *client.MergeIncidentRequest) (*client.Incident, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	_, into, err := a.incidentSeen(ctx, req.Into)
	if err != nil {
		return nil, err
	}
	return a.incidentAfter(ctx)(book.Merge(ctx, incidentActor(ctx), i.ID, into.ID, req.Reason))
}

func splitIncident(a *API, ctx context.Context, req *client.SplitIncidentRequest) (*client.Incident, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.incidentAfter(ctx)(book.Split(ctx, incidentActor(ctx), i.ID, req.Fingerprints, req.Reason))
}

func judgeSignal(a *API, ctx context.Context, req *client.JudgeSignalRequest) (*client.Incident, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.incidentAfter(ctx)(book.Judge(ctx, incidentActor(ctx), i.ID, req.Fingerprint, req.Right, req.Reason))
}

func undoMove(a *API, ctx context.Context, req *client.UndoMoveRequest) (*client.Incident, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	return a.incidentAfter(ctx)(book.Undo(ctx, incidentActor(ctx), req.ID, req.Reason))
}

func getWeights(a *API, ctx context.Context, _ *struct{}) (*client.IncidentWeights, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	now, history, err := book.Learned(ctx, 200)
	if err != nil {
		return nil, err
	}
	names := a.personNames(ctx)
	out := &client.IncidentWeights{Threshold: incident.Threshold, Weights: []client.IncidentWeight{}, History: []client.IncidentWeightsRevision{}}
	for rule, def := range incident.Defaults() {
		out.Weights = append(out.Weights, client.IncidentWeight{Rule: rule, Text: incident.RuleTexts[rule], Weight: now[rule], Default: def})
	}
	slices.SortFunc(out.Weights, func(x, y client.IncidentWeight) int { return strings.Compare(x.Rule, y.Rule) })
	for _, r := range history {
		shape := client.IncidentWeightsRevision{Revision: r.Revision, At: r.At, Person: names(r.Person), Why: r.Why, Incident: r.Incident, Reverts: r.Reverts, Changes: []client.IncidentWeightChange{}}
		for _, c := range r.Changes {
			shape.Changes = append(shape.Changes, client.IncidentWeightChange(c))
		}
		out.History = append(out.History, shape)
	}
	return out, nil
}

func revertWeights(a *API, ctx context.Context, req *client.RevertWeightsRequest) (*client.IncidentWeights, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	if err := book.Revert(ctx, incidentActor(ctx), req.Revision, req.Reason); err != nil {
		return nil, err
	}
	return getWeights(a, ctx, nil)
}

func offerOf(req *client.IncidentActRequest) incident.Offer {
	return incident.Offer{Kind: req.Kind, Target: req.Target, Level: req.Level, Words: req.Message}
}

func listOffers(a *API, ctx context.Context, req *client.IncidentRequest) (*client.List[client.IncidentOffer], error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	list, err := book.Offers(ctx, i.ID)
	who := whoOf(ctx)
	list = slices.DeleteFunc(list, func(o incident.Offer) bool {
		at, err := book.PlaceOf(ctx, o)
		return err != nil || at.Team != "*" && !seesPlace(who, at.Team, at.Environment) || o.Kind == "switch_upstream" && !a.seesUpstream(ctx, o.Level)
	})
	return listOf(list, err, func(o incident.Offer) client.IncidentOffer {
		return client.IncidentOffer{Kind: o.Kind, Target: o.Target, Level: o.Level, Text: o.Text, Why: o.Why}
	})
}

// seesUpstream reports whether the asker may know of an upstream.
func (a *API) seesUpstream(ctx context.Context, name string) bool {
	if a.o.Upstreams == nil {
		return false
	}
	_, ok := findUpstream(ctx, a.o.Upstreams, name)
	return ok
}

func previewAct(a *API, ctx context.Context, req *client.IncidentActRequest) (*client.IncidentPreview, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	p, err := book.PreviewAct(ctx, incidentActor(ctx), i.ID, offerOf(req))
	if err != nil {
		return nil, err
	}
	return &client.IncidentPreview{Text: p.Text, Hits: list(p.Hits), Undo: p.Undo, Needs: p.Needs, Draft: p.Draft, Second: p.Second}, nil
}

// askToTell: what goes out to people in the house's name is read by two.
func askToTell(a *API, ctx context.Context, req *client.IncidentActRequest) (*question, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	o := offerOf(req)
	p, err := book.PreviewAct(ctx, incidentActor(ctx), i.ID, o)
	if err != nil || !p.Second {
		return nil, err
	}
	o.Incident = i.ID
	at, err := book.PlaceOf(ctx, o)
	if err != nil {
		return nil, err
	}
	return &question{roles: []identity.Role{identity.Responder}, team: at.Team, environment: at.Environment, summary: fmt.Sprintf("Incident %d: %s", i.Number, p.Text), reason: req.Reason}, nil
}

func actOnIncident(a *API, ctx context.Context, req *client.IncidentActRequest) (*client.IncidentAct, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	until := time.Time{}
	if req.Until != nil {
		until = *req.Until
	}
	x, err := book.Do(ctx, incidentActor(ctx), i.ID, offerOf(req), req.Reason, until)
	if err != nil {
		return nil, err
	}
	out := actShape(&x, a.personNames(ctx))
	return &out, nil
}

func undoAct(a *API, ctx context.Context, req *client.UndoActRequest) (*client.IncidentAct, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	x, err := book.UndoAct(ctx, incidentActor(ctx), req.ID, req.Reason)
	if err != nil {
		return nil, err
	}
	out := actShape(&x, a.personNames(ctx))
	return &out, nil
}

func listIncidentRecords(a *API, ctx context.Context, req *client.IncidentRequest) (*client.List[client.IncidentRecord], error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	list, err := book.Records(ctx, i.ID, 500)
	who := whoOf(ctx)
	everything := who.Everywhere(identity.Viewer)
	list = slices.DeleteFunc(list, func(t incident.Touched) bool { return !everything && !a.mayNameAgent(who, t.Agent) })
	return listOf(list, err, func(t incident.Touched) client.IncidentRecord { return client.IncidentRecord(t) })
}

func addTask(a *API, ctx context.Context, req *client.AddIncidentTaskRequest) (*client.IncidentTask, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	t := incident.Task{Kind: req.Kind, Text: req.Text}
	if t.Owner, err = a.personID(ctx, req.Owner); err != nil {
		return nil, err
	}
	if req.DueAt != nil {
		t.DueAt = *req.DueAt
	}
	if req.Evidence != nil {
		t.Evidence = &incident.Evidence{Kind: clip(req.Evidence.Kind, 40), ID: clip(req.Evidence.ID, 200)}
	}
	return a.taskAfter(ctx)(book.AddTask(ctx, incidentActor(ctx), i.ID, t))
}

func (a *API) taskAfter(ctx context.Context) func(incident.Task, error) (*client.IncidentTask, error) {
	return func(t incident.Task, err error) (*client.IncidentTask, error) {
		if err != nil {
			return nil, err
		}
		out := taskShape(&t, a.personNames(ctx))
		return &out, nil
	}
}

func changeTask(a *API, ctx context.Context, req *client.ChangeIncidentTaskRequest) (*client.IncidentTask, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	c := incident.TaskChange{DueAt: req.DueAt, Approve: req.Approve, Done: req.Done, Result: req.Result}
	if req.Owner != nil {
		id, err := a.personID(ctx, *req.Owner)
		if err != nil {
			return nil, err
		}
		c.Owner = &id
	}
	if req.Approve && whoOf(ctx).Kind == identity.KindToken {
		return nil, fault.New(fault.KindDenied, "api.person_only", "a token may not do this").WithHint("sign in as a person")
	}
	return a.taskAfter(ctx)(book.ChangeTask(ctx, incidentActor(ctx), req.ID, c))
}

func listActions(a *API, ctx context.Context, req *client.ListIncidentActionsRequest) (*client.List[client.IncidentTask], error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	var all []incident.Task
	switch req.Kind {
	case "", incident.TaskAction:
		owner := ""
		if req.Mine {
			owner = actor(ctx)
		}
		if req.Unagreed {
			return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "nobody agrees to actions").WithHint("kind=compensation")
		}
		all, err = book.OpenActions(ctx, owner)
	case incident.TaskCompensation:
		all, err = book.OpenCompensations(ctx, req.Unagreed)
		if who := incidentActor(ctx); req.Unagreed {
			all = slices.DeleteFunc(all, func(t incident.Task) bool { return !book.MayAgree(ctx, who, t.Incident, t.By, t.Place) })
		}
		if me := actor(ctx); req.Mine {
			all = slices.DeleteFunc(all, func(t incident.Task) bool { return t.Owner != me })
		}
	default:
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "kind is %.40q", req.Kind).WithHint("action or compensation")
	}
	if err != nil {
		return nil, err
	}
	// Who owns an action reads it wherever it is; of the incident they learn what
	// they may see.
	seen := map[string]*incident.Incident{}
	see := func(id string) *incident.Incident {
		i, ok := seen[id]
		if !ok {
			if _, got, err := a.incidentSeen(ctx, id); err == nil {
				i = &got
			}
			seen[id] = i
		}
		return i
	}
	if !req.Mine {
		all = slices.DeleteFunc(all, func(t incident.Task) bool {
			who := whoOf(ctx)
			return see(t.Incident) == nil || t.Place.Team != "" && !seesPlace(who, t.Place.Team, t.Place.Environment)
		})
	}
	names := a.personNames(ctx)
	return listOf(all, nil, func(t incident.Task) client.IncidentTask {
		out := taskShape(&t, names)
		if i := see(t.Incident); i != nil {
			out.Number, out.Title = i.Number, i.Title
		}
		return out
	})
}

const (
	reviewWait  = 8 * time.Second // a person waits for the draft
	mostInDraft = 5               // lines of each kind
)

// whyWords is what is known of why an incident came about, for the draft of its
// review. What cannot be read in time is said to be unknown.
func (a *API) whyWords(ctx context.Context, id string) (out incident.Why) {
	ctx, cancel := context.WithTimeout(ctx, reviewWait)
	defer cancel()
	w, err := getIncidentWhy(a, ctx, &client.IncidentRequest{ID: id})
	if err != nil {
		a.o.Logger.WarnContext(ctx, "a review is drafted without why it happened", "incident", id, "err", err)
		return out
	}
	out.Sentence = w.Sentence
	cause := func(c client.WhyCause) string {
		line := strings.ReplaceAll(c.Kind, "_", " ") + " " + c.Name
		if len(c.Reasons) > 0 {
			line += ": " + strings.Join(c.Reasons, "; ")
		}
		return line
	}
	for _, c := range w.Causes[:min(len(w.Causes), mostInDraft)] {
		out.Causes = append(out.Causes, cause(c))
	}
	for _, c := range append(slices.Clone(w.Possible), w.Upstream...) {
		if len(out.Possible) < mostInDraft {
			out.Possible = append(out.Possible, cause(c))
		}
	}
	for _, u := range w.Unknown[:min(len(w.Unknown), mostInDraft)] {
		line := u.Text
		if u.Supply != "" {
			line += "; what would tell: " + u.Supply
		}
		out.Unknown = append(out.Unknown, line)
	}
	for _, n := range w.RuledOut[:min(len(w.RuledOut), mostInDraft)] {
		out.RuledOut = append(out.RuledOut, n.Text)
	}
	return out
}

func getReview(a *API, ctx context.Context, req *client.IncidentRequest) (*client.IncidentReview, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if err := seesWhole(whoOf(ctx), &i); err != nil {
		return nil, err
	}
	names := a.personNames(ctx)
	r, err := book.Review(ctx, i.ID, names, func(ctx context.Context) incident.Why { return a.whyWords(ctx, i.ID) })
	if err != nil {
		return nil, err
	}
	return &client.IncidentReview{Incident: i.ID, Number: i.Number, State: r.State, Text: nameAll(r.Text, names), Author: names(r.Author), UpdatedAt: r.UpdatedAt, Revision: r.Revision}, nil
}

// seesWhole is nil for who sees all places that an incident touches: its review
// speaks of all of them.
func seesWhole(who identity.Principal, i *incident.Incident) error {
	if !who.Everywhere(identity.Viewer) && slices.ContainsFunc(i.Places, func(p incident.Place) bool { return !seesPlace(who, p.Team, p.Environment) }) {
		return fault.New(fault.KindDenied, "incident.review", "this review speaks of teams that you may not see").WithHint("ask somebody who sees all of its teams")
	}
	return nil
}

func saveReview(a *API, ctx context.Context, req *client.SaveReviewRequest) (*client.IncidentReview, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if err := seesWhole(whoOf(ctx), &i); err != nil {
		return nil, err
	}
	r, err := book.SaveReview(ctx, incidentActor(ctx), i.ID, req.Text, req.Revision, req.Done)
	if err != nil {
		return nil, err
	}
	return &client.IncidentReview{Incident: i.ID, Number: i.Number, State: r.State, Text: r.Text, Author: a.personNames(ctx)(r.Author), UpdatedAt: r.UpdatedAt, Revision: r.Revision}, nil
}

func (a *API) silenceShape(ctx context.Context) func(s incident.Silence) client.Silence {
	names, now := a.personNames(ctx), a.o.Now()
	return func(s incident.Silence) client.Silence {
		out := client.Silence{ID: s.ID, Kind: s.Kind, Team: s.Team, Reason: s.Reason, Author: names(s.Author), StartsAt: s.StartsAt, EndsAt: s.EndsAt, State: "active", EndedBy: names(s.EndedBy), Held: s.Held, Matchers: []client.SilenceMatcher{}}
		switch {
		case !now.Before(s.EndsAt):
			out.State = "expired"
		case now.Before(s.StartsAt):
			out.State = "pending"
		}
		for _, m := range s.Matchers {
			out.Matchers = append(out.Matchers, client.SilenceMatcher{Name: m.Name, Value: m.Value, IsRegex: m.IsRegex, IsEqual: m.IsEqual})
		}
		return out
	}
}

func listSilences(a *API, ctx context.Context, req *client.ListSilencesRequest) (*client.List[client.Silence], error) {
	list, err := a.visibleSilences(ctx, req.All)
	return listOf(list, err, a.silenceShape(ctx))
}

func createSilence(a *API, ctx context.Context, req *client.CreateSilenceRequest) (*client.Silence, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	s := incident.Silence{Kind: req.Kind, Team: req.Team, Reason: req.Reason, EndsAt: req.EndsAt}
	if req.StartsAt != nil {
		s.StartsAt = *req.StartsAt
	}
	for _, m := range req.Matchers {
		s.Matchers = append(s.Matchers, incident.Matcher{Name: m.Name, Value: m.Value, IsRegex: m.IsRegex, IsEqual: m.IsEqual})
	}
	made, err := book.Silence(ctx, incidentActor(ctx), s)
	if err != nil {
		return nil, err
	}
	out := a.silenceShape(ctx)(made)
	return &out, nil
}

func endSilence(a *API, ctx context.Context, req *client.EndSilenceRequest) (*client.Silence, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	s, err := book.EndSilence(ctx, incidentActor(ctx), req.ID, req.Reason)
	if err != nil {
		return nil, err
	}
	out := a.silenceShape(ctx)(s)
	return &out, nil
}

// incidentRows are the incidents that nobody took up, and one's own that are not
// waitingIncidents are the incidents that nobody took up, and the asker's own, the
// worst first.
func (a *API) waitingIncidents(ctx context.Context, env, team string) ([]client.Incident, error) {
	l, err := listIncidents(a, ctx, &client.ListIncidentsRequest{Team: team, Limit: 100})
	if err != nil {
		return nil, err
	}
	me := whoOf(ctx).Name
	return slices.DeleteFunc(l.Items, func(i client.Incident) bool {
		if env != "" && i.Environment != env && !slices.ContainsFunc(i.Places, func(p client.IncidentPlace) bool { return p.Environment == env }) {
			return true
		}
		return i.State != incident.Open && (i.Owner != me || me == "")
	}), nil
}

// over, on the overview.
func incidentRows(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
	waiting, err := a.waitingIncidents(ctx, env, team)
	if err != nil {
		return nil, err
	}
	var out []client.OverviewRow
	for _, i := range waiting {
		text := i.Title
		if i.People != nil {
			text += "; it touches " + strconv.FormatInt(*i.People, 10) + " people"
		}
		out = append(out, client.OverviewRow{ID: i.ID, Kind: "incident", Text: text, Since: i.OpenedAt, Owner: i.Owner, Path: "/incidents/" + strconv.FormatInt(i.Number, 10)})
	}
	return out, nil
}

// silenceRows are the silences in force, so that nothing hidden is forgotten.
func silenceRows(a *API, ctx context.Context, _, team string) ([]client.OverviewRow, error) {
	l, err := listSilences(a, ctx, &client.ListSilencesRequest{})
	if err != nil {
		return nil, err
	}
	var out []client.OverviewRow
	for _, s := range l.Items {
		if s.State != "active" || team != "" && s.Team != "" && s.Team != team {
			continue
		}
		ends := s.EndsAt
		out = append(out, client.OverviewRow{ID: s.ID, Kind: s.Kind, Text: "Signals are silenced: " + s.Reason, Since: s.StartsAt, Until: &ends, Owner: s.Author, Path: "/incidents?show=silences"})
	}
	return out, nil
}
