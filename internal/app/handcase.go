package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/dataset"
	"reeve/internal/fault"
	"reeve/internal/incident"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// caseHand makes a run of an incident an evaluation case: Target is the run, Level
// the data set, and Words what would have been right. It changes nothing that runs,
// so it can be done after the end too.
type caseHand struct{ app *App }

const (
	maxCaseRuns = 3 // that one page offers
	maxCaseSets = 2 // of each
	maxExcerpt  = 240
)

func datasetActor(who incident.Actor) dataset.Actor {
	return dataset.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}
}

// runs are those that an incident's signals name, the newest first; where they name
// none, the runs of its agents that ended badly.
func (h caseHand) runs(ctx context.Context, i *incident.Incident) (ids []string) {
	members, err := h.app.incidents.Members(ctx, i.ID, 200)
	if err != nil {
		return nil
	}
	for _, m := range slices.Backward(members) {
		if m.Run != "" && !slices.Contains(ids, m.Run) && len(ids) < maxCaseRuns {
			ids = append(ids, m.Run)
		}
	}
	if len(ids) > 0 || len(i.Agents) == 0 {
		return ids
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s := i.ScopeOf(time.Now())
	bad := search.Either(search.Is("failed", "true"), search.Is("outcome", "failed", "escalated", "abandoned"))
	page, err := h.app.store.Runs(ctx, telemetry.RunsQuery{Filter: search.Both(s.Where(), bad), From: s.From, To: s.To.Add(time.Minute), Limit: maxCaseRuns})
	if err != nil {
		return nil // an offer less, of what cannot be looked at now
	}
	for k := range page.Runs {
		ids = append(ids, page.Runs[k].ID.String())
	}
	return ids
}

// setsFor are the data sets that a run of a place fits into; where there is none,
// the name of the one that would be made.
func (h caseHand) setsFor(ctx context.Context, team, environment string) (names []string) {
	all, err := h.app.datasets.List(ctx)
	if err != nil {
		return nil
	}
	for _, s := range all {
		if (s.Team == "" || s.Team == team) && (s.Environment == "" || s.Environment == environment) && len(names) < maxCaseSets {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		names = append(names, ownSet(team))
	}
	return names
}

// ownSet is the data set of a team's incidents.
func ownSet(team string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(team))
	return strings.TrimRight("incidents-"+clean[:min(len(clean), 50)], "-")
}

func (h caseHand) offers(ctx context.Context, i *incident.Incident) (out []incident.Offer) {
	if h.app.datasets == nil {
		return nil
	}
	for _, id := range h.runs(ctx, i) {
		r, err := h.run(ctx, id)
		if err != nil {
			continue // gone, or not stored yet
		}
		for _, name := range h.setsFor(ctx, r.Team, r.Environment) {
			out = append(out, incident.Offer{
				Kind: incident.MakeCase, Target: id, Level: name, Text: fmt.Sprintf("Make a run of %s of %s a case of %s", r.Agent, time.Unix(0, r.Start).UTC().Format("15:04:05 UTC"), name), Why: "it went wrong: what comes next is tried on it",
			})
		}
	}
	return out
}

func (h caseHand) run(ctx context.Context, id string) (*activity.Run, error) {
	run, err := activity.ParseRunID(id)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "incident.act", "%.60q is no run's id", id).WithHint("`reeve incident act INCIDENT` lists the runs of an incident")
	}
	return h.app.store.Run(ctx, run)
}

func (h caseHand) place(ctx context.Context, o incident.Offer) (incident.Place, error) {
	r, err := h.run(ctx, o.Target)
	if err != nil {
		return incident.Place{}, err
	}
	if r.Team == "" {
		return everywhere, nil
	}
	return incident.Place{Team: r.Team, Environment: cmp.Or(r.Environment, "*")}, nil
}

func (h caseHand) caseOf(o incident.Offer) dataset.Case {
	return dataset.Case{Run: o.Target, Verdict: dataset.Bad, Expected: o.Words, Note: "from incident " + o.Incident, Labels: []string{"incident"}}
}

// concerns refuses a run that an incident is not about: no signal names it, and it is
// of none of its agents in its time.
func (h caseHand) concerns(ctx context.Context, o incident.Offer) error {
	i, err := h.app.incidents.Get(ctx, o.Incident)
	if err != nil {
		return err
	}
	members, err := h.app.incidents.Members(ctx, i.ID, 1000)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(members, func(m incident.Member) bool { return m.Run == o.Target }) {
		return nil
	}
	r, err := h.run(ctx, o.Target)
	if err != nil {
		return err
	}
	s := i.ScopeOf(time.Now())
	if slices.Contains(s.Agents, r.Agent) && (len(s.Environments) == 0 || slices.Contains(s.Environments, r.Environment)) && r.Start >= s.From.UnixNano() && r.Start <= s.To.UnixNano() {
		return nil
	}
	return fault.New(fault.KindInvalid, "incident.act", "incident %d is not about run %.60s", i.Number, o.Target).WithHint("`reeve case add` makes a case of any run")
}

// set is the data set that an offer names, and whether it is there; one that is not
// is made for the run's place.
func (h caseHand) set(ctx context.Context, who incident.Actor, o incident.Offer) (s dataset.Set, there bool, err error) {
	if err := h.concerns(ctx, o); err != nil {
		return s, false, err
	}
	s, err = h.app.datasets.Get(ctx, datasetActor(who), o.Level)
	if err == nil || !fault.Is(err, fault.KindNotFound) {
		return s, err == nil, err
	}
	r, err := h.run(ctx, o.Target)
	if err != nil {
		return s, false, err
	}
	if o.Level != ownSet(r.Team) {
		return s, false, fault.New(fault.KindNotFound, "dataset.not_found", "there is no data set %.80s", o.Level).WithHint("`reeve dataset list` lists them")
	}
	return dataset.Set{Name: o.Level, Team: r.Team, Environment: r.Environment, About: "Runs of incidents, as cases"}, false, nil
}

func (h caseHand) preview(ctx context.Context, who incident.Actor, o incident.Offer) (incident.Preview, error) {
	s, there, err := h.set(ctx, who, o)
	if err != nil {
		return incident.Preview{}, err
	}
	out := incident.Preview{Undo: "Undo takes the case out of the newest version; versions with it stay as they were."}
	item, err := h.app.datasets.Preview(ctx, datasetActor(who), s, h.caseOf(o))
	switch {
	case fault.Is(err, fault.KindDenied), fault.Is(err, fault.KindConflict):
		// What the run said is for who may read it.
		out.Text, out.Needs = fmt.Sprintf("Makes run %s a case of %s.", o.Target, s.Name), fault.From(err).Message
		return out, nil
	case err != nil:
		return out, err
	}
	out.Text = fmt.Sprintf("%s becomes version %d with this case. Asked: %s Answered: %s", s.Name, s.Version+1, excerpt(item.Input[len(item.Input)-1].Content), excerpt(item.Answer))
	if !there {
		out.Text = "The data set is made. " + out.Text
	}
	if len(item.Redacted) > 0 {
		out.Text += " Cut out: " + strings.Join(item.Redacted, ", ") + "."
	}
	if item.Consent == dataset.ConsentUnknown || item.Consent == dataset.ConsentRefused {
		out.Text += " Its user has not agreed to further use: it is tried on, and not exported."
	}
	out.Hits = []string{s.Name}
	return out, nil
}

// excerpt is a text as a sentence of a preview shows it.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "nothing that is recorded."
	}
	if r := []rune(text); len(r) > maxExcerpt {
		text = string(r[:maxExcerpt]) + "…"
	}
	return "“" + text + "”."
}

func (h caseHand) do(ctx context.Context, who incident.Actor, o incident.Offer, _ string, _ time.Time) (string, any, error) {
	s, there, err := h.set(ctx, who, o)
	if err != nil {
		return "", nil, err
	}
	by := datasetActor(who)
	// What would be refused is refused before the data set is made.
	if _, err := h.app.datasets.Preview(ctx, by, s, h.caseOf(o)); err != nil {
		return "", nil, err
	}
	if !there {
		if _, err := h.app.datasets.Put(ctx, by, s); err != nil {
			return "", nil, err
		}
	}
	item, err := h.app.datasets.Add(ctx, by, s.Name, h.caseOf(o))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("run %s is case %s of %s", o.Target, item.Case, s.Name), madeCase{item.ID, item.Revision}, nil
}

// madeCase is what undoing needs.
type madeCase struct {
	Item     string `json:"item"`
	Revision int64  `json:"revision"`
}

func (h caseHand) undo(ctx context.Context, who incident.Actor, o incident.Offer, undo json.RawMessage, _ string) (string, error) {
	var was madeCase
	if err := json.Unmarshal(undo, &was); err != nil {
		return "", lost(err)
	}
	err := h.app.datasets.TakeBack(ctx, datasetActor(who), o.Level, was.Item, was.Revision)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return "the case was out already", nil
	case fault.Is(err, fault.KindConflict):
		return "", changedSince("the case was changed since in %s", o.Level)
	case err != nil:
		return "", err
	}
	return "the case is out of " + o.Level, nil
}
