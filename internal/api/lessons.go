package api

import (
	"context"
	"net/http"
	"slices"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/lesson"
)

// This file is the people's face of lessons; agents read them at the door.

func lessonOperations() []operation {
	get, post, put := http.MethodGet, http.MethodPost, http.MethodPut
	view, act := rows(identity.Viewer), rows(identity.Responder, identity.Developer).onlyPeople()
	return []operation{
		define(operation{Name: "ListLessons", Method: get, Path: "/lessons", Permission: view, Summary: "lists what was learned of incidents"}, listLessons),
		define(operation{Name: "CreateLesson", Method: post, Path: "/lessons", Permission: act, Audit: AuditChange, Status: http.StatusCreated, Summary: "makes a lesson that agents fetch at the door"}, createLesson),
		define(operation{Name: "GetLesson", Method: get, Path: "/lessons/{id}", Permission: view, Summary: "reads a lesson with who read it and what came of its measure"}, getLesson),
		define(operation{Name: "UpdateLesson", Method: put, Path: "/lessons/{id}", Permission: act, Audit: AuditChange, Summary: "changes a lesson, or lets it hold again"}, updateLesson),
		define(operation{Name: "RevokeLesson", Method: post, Path: "/lessons/{id}/revoke", Permission: act, Audit: AuditChange, Summary: "takes a lesson back: no agent is given it any more"}, revokeLesson),
	}
}

func (a *API) lessons() (*lesson.Book, error) {
	if a.o.Lessons == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no lessons")
	}
	return a.o.Lessons, nil
}

func lessonActor(ctx context.Context) lesson.Actor {
	who := whoOf(ctx)
	return lesson.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID, Can: can(ctx)}
}

func (a *API) lessonShape(ctx context.Context) func(l lesson.Lesson) client.Lesson {
	names, now := a.personNames(ctx), a.o.Now()
	return func(l lesson.Lesson) client.Lesson {
		return client.Lesson{
			ID: l.ID, Title: l.Title, Text: l.Text, Team: l.Team, Environment: l.Environment, Agents: list(l.Agents), Incident: l.Incident, Owner: names(l.Owner), Measure: l.Measure,
			State: l.State(now), By: names(l.By), CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt, ExpiresAt: l.ExpiresAt, RevokedAt: optionalTime(l.RevokedAt), RevokedBy: names(l.RevokedBy), Why: l.Why, Revision: l.Revision,
		}
	}
}

func listLessons(a *API, ctx context.Context, req *client.ListLessonsRequest) (*client.List[client.Lesson], error) {
	book, err := a.lessons()
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", lesson.Active, lesson.Expired, lesson.Revoked}, req.State) {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "state is one of active, expired and revoked")
	}
	all, now := book.List(), a.o.Now()
	if req.Agent != "" {
		var at lesson.Agent
		if a.o.Agents != nil {
			if g, ok := a.o.Agents.Lookup(req.Agent); ok && a.mayNameAgent(whoOf(ctx), req.Agent) {
				at = lesson.Agent{Name: g.Name, Team: g.Team, Environment: g.Environment}
			}
		}
		if all = nil; at.Name != "" {
			all = book.For(at)
		}
	}
	all = slices.DeleteFunc(all, func(l lesson.Lesson) bool {
		return !mayKnowTeam(ctx, l.Team) || req.State != "" && l.State(now) != req.State || req.Incident != "" && l.Incident != req.Incident
	})
	return listOf(all, nil, a.lessonShape(ctx))
}

// lessonSeen is a lesson that the asker may see.
func (a *API) lessonSeen(ctx context.Context, id string) (*lesson.Book, lesson.Lesson, error) {
	book, err := a.lessons()
	if err != nil {
		return nil, lesson.Lesson{}, err
	}
	l, err := book.Get(id)
	if err == nil && !mayKnowTeam(ctx, l.Team) {
		err = fault.New(fault.KindNotFound, "lesson.not_found", "there is no such lesson")
	}
	return book, l, err
}

func getLesson(a *API, ctx context.Context, req *client.LessonRequest) (*client.LessonDetail, error) {
	book, l, err := a.lessonSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return a.lessonDetail(ctx, book, l)
}

func (a *API) lessonDetail(ctx context.Context, book *lesson.Book, l lesson.Lesson) (*client.LessonDetail, error) {
	reads, err := book.Reads(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	everything := who.Everywhere(identity.Viewer)
	seen := slices.DeleteFunc(reads, func(r lesson.Read) bool { return !everything && !a.mayNameAgent(who, r.Agent) })
	out := &client.LessonDetail{Lesson: a.lessonShape(ctx)(l), Reads: []client.LessonRead{}}
	for _, r := range seen {
		out.Reads = append(out.Reads, client.LessonRead{Agent: r.Agent, Revision: r.Revision, How: r.How, FirstAt: r.First, LastAt: r.Last, Count: r.Count})
	}
	e, ok, err := book.Effect(ctx, &l, seen)
	if err != nil {
		return nil, err
	}
	if ok {
		out.Effect = &client.LessonEffect{Measure: e.Measure, Before: e.Before, After: e.After, RunsBefore: e.RunsBefore, RunsAfter: e.RunsAfter, From: e.From, Since: e.Since, To: e.To}
	}
	return out, nil
}

// lessonOf reads what a person wants of a lesson.
func (a *API) lessonOf(ctx context.Context, req *client.CreateLessonRequest) (lesson.Lesson, error) {
	owner, err := a.personID(ctx, req.Owner)
	if err != nil {
		return lesson.Lesson{}, err
	}
	l := lesson.Lesson{Title: req.Title, Text: req.Text, Team: req.Team, Environment: req.Environment, Agents: req.Agents, Owner: owner, Measure: req.Measure, ExpiresAt: req.ExpiresAt}
	if req.Incident != "" {
		book, i, err := a.incidentSeen(ctx, req.Incident)
		if err != nil {
			return l, err
		}
		if err := book.MaySpeak(ctx, incidentActor(ctx), i.ID); err != nil {
			return l, err // its timeline is told of the lesson
		}
		l.Incident = i.ID
	}
	return l, nil
}

func (a *API) putLesson(ctx context.Context, l lesson.Lesson, err error) (*client.LessonDetail, error) {
	if err != nil {
		return nil, err
	}
	book, err := a.lessons()
	if err != nil {
		return nil, err
	}
	if l, err = book.Put(ctx, lessonActor(ctx), l); err != nil {
		return nil, err
	}
	if l.Incident != "" && l.Revision == 1 && a.o.Incidents != nil {
		e := incident.Entry{Kind: "lesson", Text: "A lesson for agents: " + l.Title, Evidence: &incident.Evidence{Kind: "lesson", ID: l.ID}, Person: actor(ctx), Team: l.Team, Environment: l.Environment}
		if err := a.o.Incidents.Tell(ctx, l.Incident, e); err != nil {
			return nil, err
		}
	}
	return a.lessonDetail(ctx, book, l)
}

func createLesson(a *API, ctx context.Context, req *client.CreateLessonRequest) (*client.LessonDetail, error) {
	l, err := a.lessonOf(ctx, req)
	return a.putLesson(ctx, l, err)
}

func updateLesson(a *API, ctx context.Context, req *client.UpdateLessonRequest) (*client.LessonDetail, error) {
	if _, _, err := a.lessonSeen(ctx, req.ID); err != nil {
		return nil, err
	}
	l, err := a.lessonOf(ctx, &req.CreateLessonRequest)
	l.ID, l.Revision = req.ID, req.Revision
	return a.putLesson(ctx, l, err)
}

func revokeLesson(a *API, ctx context.Context, req *client.RevokeLessonRequest) (*client.LessonDetail, error) {
	book, l, err := a.lessonSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if l, err = book.Revoke(ctx, lessonActor(ctx), l.ID, req.Reason); err != nil {
		return nil, err
	}
	return a.lessonDetail(ctx, book, l)
}
