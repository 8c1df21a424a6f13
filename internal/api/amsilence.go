package api

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
)

// Silences as Alertmanager's API v2 has them: the same that the console shows. A
// maintenance window is one too.

type amSilenceMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual"` // older clients do not say; nil is true
}

type amSilenceStatus struct {
	State string `json:"state"` // expired, active, pending
}

type amSilenceShape struct {
	ID        string             `json:"id,omitempty"`
	Matchers  []amSilenceMatcher `json:"matchers"`
	StartsAt  time.Time          `json:"startsAt"`
	EndsAt    time.Time          `json:"endsAt"`
	UpdatedAt *time.Time         `json:"updatedAt,omitempty"`
	CreatedBy string             `json:"createdBy"`
	Comment   string             `json:"comment"`
	Status    *amSilenceStatus   `json:"status,omitempty"`
}

// silencesInForce are those that the asker may view and that hold now.
func (a *API) silencesInForce(ctx context.Context) ([]incident.Silence, error) {
	if a.o.Incidents == nil {
		return nil, nil
	}
	return a.visibleSilences(ctx, false)
}

func (a *API) visibleSilences(ctx context.Context, all bool) ([]incident.Silence, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	list, err := book.Silences(ctx, all)
	who := whoOf(ctx)
	return slices.DeleteFunc(list, func(s incident.Silence) bool {
		return s.Team != "" && !who.Everywhere(identity.Viewer) && !slices.Contains(who.Teams(identity.Viewer), s.Team)
	}), err
}

// signalLike is an alert as incidents compare it with silences.
func signalLike(al *client.Alert) *incident.Signal {
	s := incident.OfAlert(al, func(_, name string) string { return name })
	if team := al.Labels["team"]; s.Team == "" && len(team) <= 100 {
		s.Team = team // a source of no team speaks for each
	}
	return &s
}

// amSilences lists those that hold or will, and those of the last days that are
// over, as Alertmanager does.
func (a *API) amSilences(r *http.Request) ([]amSilenceShape, error) {
	matchers, err := amMatchers(r.URL.Query()["filter"])
	if err != nil {
		return nil, err
	}
	if a.o.Incidents == nil {
		return []amSilenceShape{}, nil // as one that keeps none
	}
	list, err := a.visibleSilences(r.Context(), true)
	if err != nil {
		return nil, err
	}
	shape := a.amSilenceOf(r.Context())
	out := []amSilenceShape{}
	for i := range list {
		// A filter asks for silences that name such a label.
		said := map[string]string{}
		for _, m := range list[i].Matchers {
			said[m.Name] = m.Value
		}
		if !slices.ContainsFunc(matchers, func(m amMatcher) bool { return !m.matches(said) }) {
			out = append(out, shape(&list[i]))
		}
	}
	return out, nil
}

func (a *API) amSilenceOf(ctx context.Context) func(*incident.Silence) amSilenceShape {
	console := a.silenceShape(ctx)
	return func(s *incident.Silence) amSilenceShape {
		c := console(*s)
		out := amSilenceShape{
			ID: c.ID, Matchers: []amSilenceMatcher{}, StartsAt: c.StartsAt, EndsAt: c.EndsAt, UpdatedAt: &c.StartsAt, CreatedBy: c.Author, Comment: c.Reason,
			Status: &amSilenceStatus{c.State},
		}
		for _, m := range c.Matchers {
			out.Matchers = append(out.Matchers, amSilenceMatcher{m.Name, m.Value, m.IsRegex, &m.IsEqual})
		}
		if s.Team != "" && !slices.ContainsFunc(c.Matchers, func(m client.SilenceMatcher) bool { return m.Name == "team" }) {
			yes := true
			out.Matchers = append(out.Matchers, amSilenceMatcher{"team", s.Team, false, &yes})
		}
		return out
	}
}

func (a *API) amOneSilence(r *http.Request, id string) (any, error) {
	list, err := a.visibleSilences(r.Context(), true)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == id {
			return a.amSilenceOf(r.Context())(&list[i]), nil
		}
	}
	return nil, noSilence(id)
}

// maxSilenceBody bounds what is sent: 20 matchers and a comment.
const maxSilenceBody = 64 << 10

// amSilence starts a silence. One that names another's id takes its place: that
// ends, as an Alertmanager does when more than its end changes.
func (a *API) amSilence(r *http.Request) (any, error) {
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxSilenceBody+1))
	if err != nil || len(raw) > maxSilenceBody {
		return nil, fault.New(fault.KindInvalid, "api.body_invalid", "a silence is at most %d bytes", maxSilenceBody).WithCause(err)
	}
	var in amSilenceShape
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fault.New(fault.KindInvalid, "api.body_invalid", "the body is no silence of Alertmanager").
			WithHint(`{"matchers":[{"name":"alertname","value":"Down","isRegex":false,"isEqual":true}],"startsAt":"...","endsAt":"...","createdBy":"...","comment":"..."}`).WithCause(err)
	}
	s := incident.Silence{Kind: "silence", Reason: cmp.Or(in.Comment, "by Alertmanager's API"), StartsAt: in.StartsAt, EndsAt: in.EndsAt}
	if now := a.o.Now(); s.StartsAt.Before(now) {
		s.StartsAt = now // it does not reach back
	}
	for _, m := range in.Matchers {
		equal := m.IsEqual == nil || *m.IsEqual
		if m.Name == "team" && equal && !m.IsRegex && s.Team == "" {
			s.Team = m.Value // whose responder silences their own alerts
		}
		s.Matchers = append(s.Matchers, incident.Matcher{Name: m.Name, Value: m.Value, IsRegex: m.IsRegex, IsEqual: equal})
	}
	if in.ID != "" {
		if err := a.mayReplace(r, in.ID); err != nil {
			return nil, err
		}
	}
	made, err := book.Silence(r.Context(), incidentActor(r.Context()), s)
	if err != nil {
		return nil, err
	}
	if in.ID != "" {
		if _, err := book.EndSilence(r.Context(), incidentActor(r.Context()), in.ID, "replaced by "+made.ID); err != nil && !fault.Is(err, fault.KindConflict) {
			return nil, err
		}
	}
	return struct {
		ID string `json:"silenceID"`
	}{made.ID}, nil
}

// mayReplace looks before the new one is made whether the asker may end the old
// one: else each try would leave one more in force.
func (a *API) mayReplace(r *http.Request, id string) error {
	list, err := a.visibleSilences(r.Context(), true)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(s incident.Silence) bool { return s.ID == id })
	if i < 0 {
		return noSilence(id)
	}
	who := incidentActor(r.Context())
	if role := string(identity.Responder); !who.Can(role, cmp.Or(list[i].Team, "*"), "*") && !who.Can(role, "*", "*") {
		return fault.New(fault.KindDenied, "incident.denied", "this needs the role responder for team %q in all environments", cmp.Or(list[i].Team, "*")).WithHint("make another silence beside it, or ask an admin")
	}
	return nil
}

func noSilence(id string) error {
	return fault.New(fault.KindNotFound, "api.no_such_silence", "there is no silence %s", clip(id, 60)).WithHint("GET /api/v2/silences lists them")
}

// amEndSilence ends one: what it held back and still fires is taken in.
func (a *API) amEndSilence(r *http.Request, id string) (any, error) {
	if _, err := a.amOneSilence(r, id); err != nil {
		return nil, err
	}
	book, err := a.incidents()
	if err != nil {
		return nil, err
	}
	_, err = book.EndSilence(r.Context(), incidentActor(r.Context()), id, "by Alertmanager's API")
	return struct{}{}, err
}
