package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/change"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/provenance"
	"reeve/internal/provenance/why"
	"reeve/internal/source"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file gathers what is on record of a run, for the question why.

func whyOperations() []operation {
	get := http.MethodGet
	return []operation{
		render[client.WhyRequest, client.Why](operation{Name: "GetRunWhy", Method: get, Path: "/runs/{id}/why", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "says why a run ended as it did: likely causes with their evidence, and what is unknown; format=prov exports it as W3C PROV-JSON"}, getRunWhy),
		define(operation{Name: "GetIncidentWhy", Method: get, Path: "/incidents/{id}/why", Permission: rows(identity.Viewer), Audit: AuditContent, Summary: "says why an incident came about, by its runs and by what its agents stand on"}, getIncidentWhy),
	}
}

// Complaints are what people and downstream systems said against runs.
type Complaints interface {
	// Against lists what was said against a run, in words, the newest first.
	Against(ctx context.Context, run *activity.Run) ([]string, error)
}

func getRunWhy(a *API, ctx context.Context, req *client.WhyRequest) (any, error) {
	if req.Format != "" && req.Format != "prov" {
		return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "format is prov, or nothing").WithHint("format=prov exports the graph as W3C PROV-JSON")
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out, readAs, err := a.why(ctx, run)
	if err != nil {
		return nil, err
	}
	if req.Format == "prov" {
		return why.Prov(out), nil
	}
	if err := a.blast(ctx, &out, run, readAs); err != nil {
		return nil, err
	}
	if out.Wrong {
		end := time.Unix(0, max(run.Start, run.End)).UTC()
		if out.Upstream, err = a.upstream(ctx, []string{run.Agent}, run.Team, run.Environment, end.Add(-time.Hour), end.Add(time.Minute)); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// mostWhy bounds the steps of a run that are looked at for the question why.
const mostWhy = 5000

// why answers for one run. Who may not read content gets no suspects: their
// evidence is what was said. readAs are the names by which its steps call what they
// read.
func (a *API) why(ctx context.Context, run *activity.Run) (w client.Why, readAs map[string][]string, err error) {
	c, messages, err := a.caseOf(ctx, run)
	if err != nil {
		return client.Why{}, nil, err
	}
	readAs = map[string][]string{}
	for _, u := range c.Reads {
		name := cmp.Or(u.Source, u.Name)
		if !slices.Contains(readAs[name], u.Name) {
			readAs[name] = append(readAs[name], u.Name)
		}
	}
	out := why.Explain(c)
	if out.Wrong && whoOf(ctx).Can(identity.Reader, run.Team, run.Environment) {
		weights, err := a.weightsOf(ctx, run.Team)
		if err != nil {
			return client.Why{}, nil, err
		}
		blamed, from := blamable(run, c.Steps, messages, a.breaks(c.Steps, messages, c.Decisions))
		out.Suspects = suspectsOf(blamed, from, c.Steps, weights).Items
	}
	return out, readAs, nil
}

// caseOf gathers what is on record of a run.
func (a *API) caseOf(ctx context.Context, run *activity.Run) (c why.Case, messages []activity.Message, err error) {
	c = why.Case{Run: *run, Empty: map[activity.StepID]bool{}}
	page, err := a.steps(ctx, run, telemetry.StepsQuery{Limit: mostWhy})
	if err != nil {
		return c, nil, err
	}
	c.Steps, c.Whole = page.Steps, !page.More
	if messages, err = a.messages(ctx, run.ID, nil); err != nil {
		return c, nil, err
	}
	c.Empty = emptyRetrievals(c.Steps, messages)
	if c.Complaints, c.Action, err = a.complaints(ctx, run, &c); err != nil {
		return c, nil, err
	}
	if c.Reads, err = a.readOf(ctx, run, c.Steps); err != nil {
		return c, nil, err
	}
	if c.Decisions, err = a.decidedIn(ctx, run); err != nil {
		return c, nil, err
	}
	end := time.Unix(0, max(run.Start, run.End))
	if c.Changes, err = a.changesOf(ctx, run.Agent, run.Team, run.Environment, end.Add(-24*time.Hour), end.Add(time.Millisecond)); err != nil {
		return c, nil, err
	}
	c.Usual, err = a.usual(ctx, run)
	return c, messages, err
}

// emptyRetrievals are those of which it is known that nothing came back.
func emptyRetrievals(steps []activity.Step, messages []activity.Message) map[activity.StepID]bool {
	brought := map[activity.StepID]string{}
	told := map[activity.StepID]bool{}
	for i := range messages {
		m := &messages[i]
		if m.Field == activity.ContentDocuments || m.Field == activity.ContentResult || m.Field == activity.ContentOutput {
			brought[m.Step] += string(m.Raw)
			told[m.Step] = true
		}
	}
	out := map[activity.StepID]bool{}
	for i := range steps {
		s := &steps[i]
		if s.Kind == activity.KindRetrieval && s.Status != activity.StatusError && told[s.Step] && emptyResult(brought[s.Step]) {
			out[s.Step] = true
		}
	}
	return out
}

// wrongActions are the detectors that speak of what an agent did.
var wrongActions = []string{"injected_destination", "hijack"}

// speaks are the detectors that say that something is wrong with a run, not only
// that it is unlike others.
var speaks = []string{"injected_destination", "hijack", "loop", "retry_storm", "cost", "context_growth", "stale_source"}

// complaints are what was said against a run: by people, and by detectors that
// judge what it did.
func (a *API) complaints(ctx context.Context, run *activity.Run, c *why.Case) (words []string, action bool, err error) {
	if a.o.Complaints != nil {
		if words, err = a.o.Complaints.Against(ctx, run); err != nil {
			return nil, false, err
		}
	}
	if a.o.Findings == nil {
		return words, false, nil
	}
	all, err := a.o.Findings.List(ctx, finding.Filter{Run: run.ID.String(), Limit: 50})
	if err != nil {
		return nil, false, err
	}
	who := whoOf(ctx)
	for _, f := range all {
		shape := findingOf(f)
		if !seesFinding(who, &shape) {
			continue
		}
		c.Findings = append(c.Findings, shape)
		if slices.Contains(speaks, f.Detector) && (f.Verdict == nil || f.Verdict.Verdict != finding.Noise) {
			words = append(words, "a detector speaks of it: "+shape.Text)
			action = action || slices.Contains(wrongActions, f.Detector)
		}
	}
	return words, action, nil
}

// readOf is what the steps of a run read, as it was then.
func (a *API) readOf(ctx context.Context, run *activity.Run, steps []activity.Step) ([]client.SourceUse, error) {
	if a.o.Sources == nil {
		return nil, nil
	}
	var reading []activity.Step
	for i := range steps {
		if reads(&steps[i]) {
			reading = append(reading, steps[i])
		}
	}
	full := make([]client.Step, len(reading))
	if err := a.fillContent(ctx, run.ID, reading, full); err != nil {
		return nil, err
	}
	var refs []source.Ref
	for i := range reading {
		refs = append(refs, readBy(&reading[i], full[i].Documents)...)
	}
	return a.o.Sources.AsOf(ctx, run.Team, refs)
}

// changesOf are what was changed of what an agent may stand on.
func (a *API) changesOf(ctx context.Context, agent, team, environment string, from, to time.Time) ([]client.Change, error) {
	if a.o.Changes == nil {
		return nil, nil
	}
	f := change.Filter{Agent: agent, Team: team, Environment: environment, From: from, To: to, Limit: 200}
	if places := placesOf(whoOf(ctx)); places != nil {
		f.Visible = make([]change.Place, len(places))
		for i, p := range places {
			f.Visible[i] = change.Place(p)
		}
	}
	all, _, err := a.o.Changes.List(ctx, f)
	return all, err
}

// usual is what the runs of an agent were like before one of them.
func (a *API) usual(ctx context.Context, run *activity.Run) (why.Usual, error) {
	u := why.Usual{Models: map[string]int{}, Versions: map[string]int{}}
	if run.Agent == "" {
		return u, nil
	}
	q := telemetry.RunsQuery{
		Filter: search.Both(search.Is("agent", run.Agent), search.Is("team", run.Team), search.Is("environment", run.Environment)),
		From:   time.Unix(0, run.Start).AddDate(0, 0, -14), To: time.Unix(0, run.Start), Limit: 500, Sort: "started",
	}
	if run.Team == "" {
		q.Filter = search.Is("agent", run.Agent)
	}
	q.Teams, _ = reachOf(whoOf(ctx), identity.Viewer)
	page, err := a.runs(ctx, q)
	if err != nil {
		return u, err
	}
	for i := range page.Runs {
		r := &page.Runs[i]
		if r.ID == run.ID || r.Flags&activity.FlagJoined != 0 {
			continue
		}
		u.Runs++
		u.Versions[r.Version]++
		for _, m := range r.Models {
			u.Models[m]++
		}
	}
	return u, nil
}

// blast says whom the likeliest cause reached: runs that share it, their users and
// what they changed.
func (a *API) blast(ctx context.Context, w *client.Why, run *activity.Run, readAs map[string][]string) error {
	if len(w.Causes) == 0 {
		return nil
	}
	cause := w.Causes[0]
	q, text := sharing(w, &cause, run, readAs)
	if q.Filter == nil {
		return nil
	}
	who := whoOf(ctx)
	var only search.Expr
	q.Teams, only = reachOf(who, identity.Viewer)
	q.Filter, q.Limit, q.Sort = search.Both(q.Filter, only), runsAtOnce, "started"
	b := &client.WhyBlast{Node: cause.Node, From: q.From.UTC(), To: q.To.UTC(), Agents: []string{}, Records: []client.IncidentRecord{}, RunIDs: []string{}, Search: text}
	users, runs := map[string]bool{}, map[string]bool{}
	var err error
	_, b.Truncated, err = eachRun(ctx, a.runs, q, mostDifferent, func(r *activity.Run) bool {
		if r.Flags&activity.FlagJoined != 0 {
			return false
		}
		b.Runs++
		runs[r.ID.String()] = true
		if len(b.RunIDs) < 50 {
			b.RunIDs = append(b.RunIDs, r.ID.String())
		}
		if r.RootError || r.Outcome == "failed" {
			b.Failed++
		}
		if r.User != "" {
			users[r.User] = true
		}
		if r.Agent != "" && !slices.Contains(b.Agents, r.Agent) {
			b.Agents = append(b.Agents, r.Agent)
		}
		return true
	})
	if err != nil {
		return err
	}
	if n := len(users); n > 0 {
		b.Users = &n
	}
	slices.Sort(b.Agents)
	if err := a.touched(ctx, b, runs); err != nil {
		return err
	}
	b.Sentence = counted(b.Runs, "run") + " of " + counted(len(b.Agents), "agent") + " rest on " + cause.Name
	if b.Users != nil {
		b.Sentence += ", for " + counted(*b.Users, "user")
	}
	w.Blast = b
	return nil
}

// sharing asks for the runs that share a cause; text is the search that finds them.
func sharing(w *client.Why, cause *client.WhyCause, run *activity.Run, readAs map[string][]string) (q telemetry.RunsQuery, text string) {
	node := func(id string) *client.WhyNode {
		if i := slices.IndexFunc(w.Nodes, func(n client.WhyNode) bool { return n.ID == id }); i >= 0 {
			return &w.Nodes[i]
		}
		return &client.WhyNode{}
	}
	q.From, q.To = time.Unix(0, run.Start).Add(-24*time.Hour), time.Unix(0, max(run.Start, run.End)).Add(24*time.Hour)
	field, values := "agent", []string{run.Agent}
	switch of := node(cause.Node); cause.Kind {
	case why.Data:
		// The source that the run read is the first on the path; what was wrong began
		// when the job did not do its part.
		for _, id := range cause.Path {
			if n := node(id); n.Kind == why.Data {
				field, values = "source", readAs[n.Name]
				break
			}
		}
		if of.Role == "job" && of.At != nil {
			q.From = *of.At
		}
	case why.Model:
		field, values = "model", []string{cause.Name}
	case why.Step:
		if slices.Contains(run.Tools, of.Name) {
			field, values = "tool", []string{of.Name}
		}
	}
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	if len(values) == 0 {
		return telemetry.RunsQuery{}, ""
	}
	filter := search.Both(search.Is(field, values...))
	if field == "agent" && run.ErrorType != "" {
		filter = search.Both(filter, search.Is("error_type", run.ErrorType))
	}
	q.Filter = filter
	return q, filter.String()
}

// touched lists what runs changed, by the decisions of the door.
func (a *API) touched(ctx context.Context, b *client.WhyBlast, runs map[string]bool) error {
	if a.o.Decisions == nil || len(b.Agents) == 0 {
		return nil
	}
	teams, only := reachOf(whoOf(ctx), identity.Viewer)
	page, err := a.o.Decisions.List(ctx, telemetry.DecisionsQuery{
		Filter: search.Both(search.Is("agent", b.Agents...), search.Is("effect", "write", "destructive"), only), From: b.From, To: b.To, Teams: teams, Limit: 1000,
	})
	if err != nil {
		return err
	}
	for i := range page.Decisions {
		d := &page.Decisions[i]
		if len(b.Records) == 200 {
			b.Truncated = true
			break
		}
		if !runs[d.Run.String()] || d.Verdict != activity.VerdictAllow || d.Result == activity.ResultDenied {
			continue
		}
		b.Records = append(b.Records, client.IncidentRecord{
			Run: d.Run.String(), Step: d.Step.String(), Decision: d.ID, At: at(d.At), Agent: d.Agent, Action: cmp.Or(d.Tool, d.Action), Target: d.Resource,
			Effect: d.Effect, Outcome: d.Result.String(), User: d.User,
		})
	}
	return nil
}

// suspectsOf ranks the steps of a run that failed.
func suspectsOf(blamed []provenance.Step, from []int, steps []activity.Step, weights provenance.Weights) *client.Suspects {
	suspects := provenance.Blame(blamed, weights)
	out := &client.Suspects{Steps: len(steps), Items: []client.Suspect{}}
	out.Agent, out.AgentP = provenance.BlameAgent(suspects)
	for _, s := range suspects[:min(len(suspects), 20)] {
		step := &steps[from[s.Step]]
		out.Items = append(out.Items, client.Suspect{
			StepID: step.Step.String(), Agent: s.Agent, Kind: step.Kind.String(), Name: step.Name, P: s.P, Reasons: list(s.Reasons),
		})
	}
	return out
}

// mostWhyRuns bounds the runs of an incident that are explained.
const mostWhyRuns = 8

func getIncidentWhy(a *API, ctx context.Context, req *client.IncidentRequest) (*client.IncidentWhy, error) {
	book, i, err := a.incidentSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	runs, of, err := a.incidentRuns(ctx, book, &i)
	if err != nil {
		return nil, err
	}
	m := mergedWhy{out: client.IncidentWhy{Incident: i.ID, RunIDs: []string{}, OfRuns: of}}
	for k := range runs {
		w, readAs, err := a.why(ctx, &runs[k])
		if err != nil {
			return nil, err
		}
		if m.take(&w); len(w.Causes) > 0 && m.out.Blast == nil {
			if err := a.blast(ctx, &w, &runs[k], readAs); err != nil {
				return nil, err
			}
			m.out.Blast = w.Blast
		}
	}
	out := m.answer()
	scope := i.ScopeOf(a.o.Now())
	seen := a.incidentShape(ctx)(i)
	if out.Upstream, err = a.upstream(ctx, seen.Agents, i.Team, i.Environment, scope.From, scope.To); err != nil {
		return nil, err
	}
	return out, nil
}

// incidentRuns are the runs that an incident's signals name, the newest first, and
// how many there are; where they name none, the runs of its agents that failed.
func (a *API) incidentRuns(ctx context.Context, book *incident.Book, i *incident.Incident) (runs []activity.Run, of int, err error) {
	members, err := book.Members(ctx, i.ID, maxIncidentSignals)
	if err != nil {
		return nil, 0, err
	}
	who := whoOf(ctx)
	var ids []string
	for _, m := range members {
		if !seesPlace(who, m.Team, m.Environment) {
			continue
		}
		named := []string{m.Run}
		if m.Kind == "finding" && a.o.Findings != nil {
			if f, err := a.o.Findings.Get(ctx, m.ID); err == nil {
				named = append(named, f.Runs...)
			}
		}
		for _, id := range named {
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	of = len(ids)
	for k := len(ids) - 1; k >= 0 && len(runs) < mostWhyRuns; k-- {
		run, err := a.run(ctx, ids[k])
		if fault.Is(err, fault.KindNotFound) || fault.Is(err, fault.KindDenied) {
			continue // gone, or another team's
		}
		if err != nil {
			return nil, 0, err
		}
		runs = append(runs, *run)
	}
	if len(ids) > 0 || len(i.Agents) == 0 {
		return runs, of, nil
	}
	scope := i.ScopeOf(a.o.Now())
	var only search.Expr
	q := telemetry.RunsQuery{From: scope.From, To: scope.To, Limit: 100, Sort: "started"}
	q.Teams, only = reachOf(who, identity.Viewer)
	q.Filter = search.Both(search.Is("agent", i.Agents...), only)
	page, err := a.runs(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	for k := range page.Runs {
		r := &page.Runs[k]
		if len(why.Wrong(r, nil)) == 0 || r.Flags&activity.FlagJoined != 0 {
			continue
		}
		if of++; len(runs) < mostWhyRuns {
			runs = append(runs, *r)
		}
	}
	return runs, of, nil
}

// mergedWhy puts the answers of several runs together: what is the same in them
// (one source, one rule, one tool) becomes one.
type mergedWhy struct {
	out    client.IncidentWhy
	wrong  int
	known  int
	causes map[string]*client.WhyCause
	likely map[string]int // runs by their first cause
	seen   map[string]bool
}

// sameIn is by what a node of one run is recognised in others.
func sameIn(n *client.WhyNode) string {
	if n.Kind == why.Step || n.Kind == why.Entitlement {
		return n.Kind + "\x00" + n.Role + "\x00" + n.Name
	}
	return n.ID
}

func (m *mergedWhy) take(w *client.Why) {
	if m.causes == nil {
		m.causes, m.likely, m.seen = map[string]*client.WhyCause{}, map[string]int{}, map[string]bool{}
	}
	m.out.RunIDs = append(m.out.RunIDs, w.RunID)
	if !w.Wrong {
		return
	}
	m.wrong++
	key := map[string]string{}
	for i := range w.Nodes {
		n := &w.Nodes[i]
		key[n.ID] = sameIn(n)
		if !m.seen[key[n.ID]] {
			m.seen[key[n.ID]] = true
			m.out.Nodes = append(m.out.Nodes, *n)
		}
	}
	all := w.Causes
	if w.Known {
		m.known++
	} else {
		all = w.Possible
	}
	for i, c := range all {
		k := key[c.Node]
		if m.causes[k] == nil {
			kept := c
			kept.Score = 0
			m.causes[k] = &kept
		}
		m.causes[k].Score += c.Score
		if i == 0 {
			m.likely[k]++
		}
	}
	for _, l := range w.Links {
		if id := key[l.From] + "\x00" + key[l.To]; !m.seen[id] {
			m.seen[id] = true
			m.out.Links = append(m.out.Links, l)
		}
	}
	for _, u := range w.Unknown {
		if id := "unknown\x00" + key[u.Node]; !m.seen[id] {
			m.seen[id] = true
			m.out.Unknown = append(m.out.Unknown, u)
		}
	}
	for _, n := range w.RuledOut {
		if id := "fine\x00" + n.Kind + key[n.Node] + n.Text; !m.seen[id] && len(m.out.RuledOut) < 60 {
			m.seen[id] = true
			m.out.RuledOut = append(m.out.RuledOut, n)
		}
	}
}

// answer ranks the causes by how much of all runs they carry. They are known when
// they are in most of the runs that went wrong.
func (m *mergedWhy) answer() *client.IncidentWhy {
	out := &m.out
	out.Causes, out.Possible = []client.WhyCause{}, []client.WhyCause{}
	all := []client.WhyCause{}
	for k, c := range m.causes {
		c.Score /= float64(m.wrong)
		c.Reasons = append([]string{fmt.Sprintf("the first in %d of %s", m.likely[k], counted(m.wrong, "run"))}, c.Reasons...)
		all = append(all, *c)
	}
	slices.SortFunc(all, func(x, y client.WhyCause) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.Node, y.Node))
	})
	all = all[:min(len(all), 10)]
	switch {
	case m.wrong == 0:
		out.Sentence = "None of its runs that can be read went wrong, or its signals name none: see what its agents stand on."
	case 2*m.known > m.wrong:
		out.Known, out.Causes = true, all
		out.Sentence = fmt.Sprintf("Likely cause: %s, in %d of %s that went wrong.", all[0].Name, m.likely[m.keyOf(all[0].Node)], counted(m.wrong, "run"))
	default:
		out.Possible = all
		out.Sentence = "Why is unknown"
		for i, u := range out.Unknown {
			if i < 3 && u.Blocks {
				out.Sentence += ": " + u.Text
			}
		}
		out.Sentence += "."
	}
	out.Nodes, out.Links, out.Unknown, out.RuledOut = notNil(out.Nodes), notNil(out.Links), notNil(out.Unknown), notNil(out.RuledOut)
	return out
}

func (m *mergedWhy) keyOf(node string) string {
	for i := range m.out.Nodes {
		if m.out.Nodes[i].ID == node {
			return sameIn(&m.out.Nodes[i])
		}
	}
	return node
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// counted is a number with its word.
func counted(n int, word string) string { return count(int64(n)) + " " + plural(int64(n), word) }
