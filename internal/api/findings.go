package api

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/fleet"
	"reeve/internal/identity"
	"reeve/internal/pin"
)

// Findings is what detectors saw; *finding.Book is one.
type Findings interface {
	List(ctx context.Context, q finding.Filter) ([]finding.Finding, error)
	Live(see func(f *finding.Finding) bool) []finding.Finding
	Get(ctx context.Context, id string) (finding.Finding, error)
	VerdictOf(id string) *finding.Verdict
	Judge(ctx context.Context, who finding.Actor, on finding.About, verdict, reason string) error
	Counts() map[[2]string]int
	Adjusted(detector string) map[string]finding.Learned
	Learned(detector, agent string) finding.Learned
}

func (a *API) findings() (Findings, error) {
	if a.o.Findings == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server watches no behaviour")
	}
	return a.o.Findings, nil
}

func seesFinding(who identity.Principal, f *client.Finding) bool {
	return who.Can(identity.Viewer, f.Team, f.Environment)
}

// findingOf is how a finding is shown.
func findingOf(f finding.Finding) client.Finding {
	out := client.Finding{
		ID: f.ID, Detector: f.Detector, Severity: f.Severity, Agent: f.Agent, Team: f.Team, Environment: f.Environment, Version: f.Version, Task: f.Task,
		Subject: pin.Visible(f.Subject), Text: pin.Visible(f.Text), Measure: f.Measure, Expected: pin.Visible(f.Expected), Seen: pin.Visible(f.Seen), Why: pin.Visible(f.Why), Authenticated: f.Authenticated,
		Runs: list(f.Runs), Steps: list(f.Steps), Count: f.Count, FirstSeen: f.First, LastSeen: f.Last, ClosedAt: optionalTime(f.Closed), Responses: []client.Response{},
	}
	if f.Lag > 0 {
		ms := f.Lag / int64(time.Millisecond)
		out.LagMS = &ms
	}
	out.Verdict = verdictShape(f.Verdict)
	return out
}

func verdictShape(v *finding.Verdict) *client.FindingVerdict {
	if v == nil {
		return nil
	}
	return &client.FindingVerdict{Verdict: v.Verdict, By: v.Name, Reason: v.Reason, At: v.At}
}

// others are the findings of other parts, as the list shows them. They are dealt
// with on their own pages; here they are seen beside the rest, and judged.
func (a *API) others(ctx context.Context) ([]client.Finding, error) {
	var out []client.Finding
	if a.o.Fleet != nil {
		for _, u := range a.o.Fleet.Unknowns(fleet.Open) {
			out = append(out, unknownFinding(u))
		}
	}
	if a.o.Tools != nil {
		rows, err := a.o.Tools.Findings(ctx, true, 0, 200)
		if err != nil {
			return nil, err
		}
		sees, upstreams := a.upstreamsSeen(ctx), a.upstreamPlaces(ctx)
		for _, r := range rows {
			if sees(r.Upstream) {
				out = append(out, toolFinding(r, upstreams[r.Upstream]))
			}
		}
	}
	if a.o.Coverage != nil {
		now := a.o.Now()
		rows, err := a.o.Coverage.List(ctx, "", now.AddDate(0, 0, -1), now, func(string, string) bool { return true })
		if err != nil {
			return nil, err
		}
		for _, c := range rows {
			if f, ok := coverageFinding(c, now); ok {
				out = append(out, f)
			}
		}
	}
	who := whoOf(ctx)
	out = slices.DeleteFunc(out, func(f client.Finding) bool { return !strings.HasPrefix(f.Detector, "tool_") && !seesFinding(who, &f) })
	for i := range out {
		f := &out[i]
		f.Runs, f.Steps, f.Responses = list(f.Runs), list(f.Steps), []client.Response{}
		if a.o.Findings != nil {
			f.Verdict = verdictShape(a.o.Findings.VerdictOf(f.ID))
		}
	}
	return out, nil
}

// upstreamPlaces are the teams and environments of upstreams by name.
func (a *API) upstreamPlaces(context.Context) map[string][2]string {
	out := map[string][2]string{}
	if a.o.Upstreams != nil {
		for _, u := range a.o.Upstreams.List() {
			out[u.Name] = [2]string{u.Team, u.Environment}
		}
	}
	return out
}

func unknownFinding(u fleet.Unknown) client.Finding {
	f := client.Finding{
		ID: u.ID, Detector: "unknown_agent", Severity: finding.Warning, Agent: pin.Visible(u.Name), Team: u.Team, Environment: u.Environment,
		Text: cmp.Or(pin.Visible(u.Why), "nobody registered it") + ", and it is at work", Expected: "a registered agent", Seen: cmp.Or(pin.Visible(u.Name), "no name"),
		Count: u.Seen, FirstSeen: u.FirstSeen, LastSeen: u.LastSeen, Path: "/agents?show=unknown",
	}
	for _, r := range []string{u.Run, u.LastRun} {
		if r != "" && !slices.Contains(f.Runs, r) {
			f.Runs = append(f.Runs, r)
		}
	}
	if u.Step != "" {
		f.Steps = []string{u.Step}
	}
	return f
}

func toolFinding(r pin.FindingRow, at [2]string) client.Finding {
	severity := finding.Info
	if pin.Serious(r.Code) {
		severity = finding.Critical
	} else if r.Code == "changed" || r.Code == "moved" {
		severity = finding.Warning
	}
	return client.Finding{
		ID: "tfd_" + strconv.FormatInt(r.ID, 10), Detector: "tool_" + r.Code, Severity: severity, Team: at[0], Environment: at[1],
		Subject: pin.Visible(r.Upstream + "/" + r.Tool), Text: pin.Visible(r.Tool + " of " + r.Upstream + ": " + r.Text), Expected: "the definition that a person accepted", Seen: pin.Visible(r.Detail),
		Authenticated: true, Count: 1, FirstSeen: r.At, LastSeen: r.At, Path: "/tools?tool=" + url.QueryEscape(r.Upstream+"/"+r.Tool),
	}
}

func coverageFinding(c client.AgentCoverage, now time.Time) (client.Finding, bool) {
	missed := c.Ungoverned
	if missed <= 0 {
		return client.Finding{}, false
	}
	seen := now
	if c.LastAt != nil {
		seen = *c.LastAt
	}
	return client.Finding{
		ID: "ung_" + c.Agent, Detector: "ungoverned_action", Severity: finding.Warning, Agent: c.Agent, Team: c.Team, Environment: c.Environment,
		Text:     strconv.FormatInt(missed, 10) + " " + plural(missed, "result") + " of tools came back to a model without a decision about the call",
		Expected: "each action decided", Seen: strconv.FormatInt(missed, 10) + " of " + strconv.FormatInt(c.Results, 10),
		Authenticated: true, Count: missed, FirstSeen: seen, LastSeen: seen, Path: "/agents/" + url.PathEscape(c.Agent),
	}, true
}

// wantsFinding reports whether a finding of another part is asked for.
func wantsFinding(req *client.ListFindingsRequest, f *client.Finding) bool {
	has := func(want, have string) bool { return want == "" || want == have }
	verdict := "none"
	if f.Verdict != nil {
		verdict = f.Verdict.Verdict
	}
	return has(req.Agent, f.Agent) && has(req.Detector, f.Detector) && has(req.Severity, f.Severity) && has(req.Team, f.Team) &&
		has(req.Environment, f.Environment) && (req.Run == "" || slices.Contains(f.Runs, req.Run)) && has(req.Verdict, verdict)
}

func listFindings(a *API, ctx context.Context, req *client.ListFindingsRequest) (*client.List[client.Finding], error) {
	book, err := a.findings()
	if err != nil {
		return nil, err
	}
	bad := func(what, words string) error {
		return fault.New(fault.KindInvalid, "api.parameter_invalid", "%s is one of %s", what, words)
	}
	switch {
	case !slices.Contains([]string{"", "open", "closed"}, req.State):
		return nil, bad("state", "open and closed")
	case !slices.Contains([]string{"", finding.Useful, finding.Noise, "none"}, req.Verdict):
		return nil, bad("verdict", "useful, noise and none")
	case req.Severity != "" && !slices.Contains(finding.Severities(), req.Severity):
		return nil, bad("severity", "info, warning and critical")
	}
	q := finding.Filter{
		Agent: req.Agent, Detector: req.Detector, Severity: req.Severity, Team: req.Team, Environment: req.Environment, Run: req.Run, Verdict: req.Verdict,
		Before: req.Cursor, Limit: min(orDefault(req.Limit, 100), 1000),
	}
	if req.State != "" {
		open := req.State == "open"
		q.Open = &open
	}
	if q.From, q.To, err = a.period(req.From, req.To); err != nil {
		return nil, err
	}
	out := &client.List[client.Finding]{Items: []client.Finding{}}
	who := whoOf(ctx)
	// What the asker may not see makes a page shorter, so pages are read until one
	// is full.
	limit, partOf := q.Limit, a.partOf(ctx)
	for round := 0; len(out.Items) < limit && round < 20; round++ {
		page, err := book.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page {
			out.Next = page[i].ID
			f := findingOf(page[i])
			if seesFinding(who, &f) {
				f.Incident = partOf(page[i].Fingerprint)
				out.Items = append(out.Items, f)
			}
			if len(out.Items) == limit {
				break
			}
		}
		if len(page) < q.Limit {
			if len(out.Items) < limit || len(page) == 0 || out.Next == page[len(page)-1].ID {
				out.Next = ""
			}
			break
		}
		q.Before = page[len(page)-1].ID
	}
	a.withResponses(ctx, out.Items)
	if req.Cursor == "" && req.State != "closed" {
		more, err := a.others(ctx)
		if err != nil {
			return nil, err
		}
		for i := range more {
			f := &more[i]
			if wantsFinding(req, f) && (q.From.IsZero() || !f.LastSeen.Before(q.From)) && (q.To.IsZero() || f.FirstSeen.Before(q.To)) {
				out.Items = append(out.Items, *f)
			}
		}
		slices.SortStableFunc(out.Items, func(x, y client.Finding) int { return y.LastSeen.Compare(x.LastSeen) })
	}
	return out, nil
}

// findingSeen is a finding of any part that the asker may see.
func (a *API) findingSeen(ctx context.Context, id string) (Findings, *client.Finding, string, error) {
	book, err := a.findings()
	if err != nil {
		return nil, nil, "", err
	}
	missing := fault.New(fault.KindNotFound, "finding.not_found", "there is no such finding").WithHint("GET %s/findings lists them", Prefix)
	if !strings.HasPrefix(id, "fnd_") {
		more, err := a.others(ctx)
		if err != nil {
			return nil, nil, "", err
		}
		for i := range more {
			if more[i].ID == id {
				return book, &more[i], id, nil
			}
		}
		return nil, nil, "", missing
	}
	f, err := book.Get(ctx, id)
	if err != nil {
		return nil, nil, "", err
	}
	shape := findingOf(f)
	if !seesFinding(whoOf(ctx), &shape) {
		return nil, nil, "", missing
	}
	one := []client.Finding{shape}
	a.withResponses(ctx, one)
	return book, &one[0], f.Fingerprint, nil
}

func getFinding(a *API, ctx context.Context, req *client.FindingRequest) (*client.Finding, error) {
	_, f, fingerprint, err := a.findingSeen(ctx, req.ID)
	if err == nil && fingerprint != "" {
		f.Incident = a.partOf(ctx)(fingerprint)
	}
	return f, err
}

// partOf finds the live incident that a finding is part of, by its fingerprint; ""
// for none, and for one that the asker may not see.
func (a *API) partOf(ctx context.Context) func(fingerprint string) string {
	book := a.o.Incidents
	if book == nil {
		return func(string) string { return "" }
	}
	who, seen := whoOf(ctx), map[string]bool{}
	return func(fingerprint string) string {
		id, live, ok := book.Of(fingerprint)
		if !ok || !live {
			return ""
		}
		may, known := seen[id]
		if !known {
			i, err := book.Get(ctx, id)
			may = err == nil && seesIncident(who, &i)
			seen[id] = may
		}
		if !may {
			return ""
		}
		return id
	}
}

func findingActor(ctx context.Context) finding.Actor {
	who := actorOf(ctx)
	return finding.Actor{Person: who.Person, Name: who.Name, Via: who.Via}
}

// judges reports whether the asker may say what a finding was worth.
func judges(who identity.Principal, f *client.Finding) error {
	for _, r := range []identity.Role{identity.Developer, identity.Responder, identity.Security} {
		if who.Can(r, f.Team, f.Environment) {
			return nil
		}
	}
	return fault.New(fault.KindDenied, "api.role_missing", "this needs the role developer, responder or security for team %q in %q", f.Team, f.Environment).WithHint("an admin can grant it")
}

// judged is what a verdict on a finding is about. Another team's telemetry may
// name any agent: what its people say of that teaches nothing about the agent of
// that name, or they could make its detectors deaf.
func (a *API) judged(f *client.Finding, fingerprint string) finding.About {
	on := finding.About{ID: f.ID, Detector: f.Detector, Agent: f.Agent, Team: f.Team, Environment: f.Environment, Fingerprint: fingerprint}
	if a.o.Agents == nil || f.Team == "" {
		return on
	}
	if g, ok := a.o.Agents.Lookup(f.Agent); ok && g.Team != f.Team {
		on.Agent = f.Team + "/" + f.Agent
	}
	return on
}

func judgeFinding(a *API, ctx context.Context, req *client.JudgeFindingRequest) (*client.Finding, error) {
	book, f, fingerprint, err := a.findingSeen(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if err := judges(whoOf(ctx), f); err != nil {
		return nil, err
	}
	if err := book.Judge(ctx, findingActor(ctx), a.judged(f, fingerprint), req.Verdict, req.Reason); err != nil {
		return nil, err
	}
	f.Verdict = verdictShape(book.VerdictOf(f.ID))
	return f, nil
}

// findingRows are the findings that nobody judged, as one row of the overview.
func findingRows(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
	l, err := listFindings(a, ctx, &client.ListFindingsRequest{State: "open", Verdict: "none", Team: team, Environment: env, Limit: 200})
	if err != nil {
		return nil, err
	}
	var worst *client.Finding
	n := 0
	for i := range l.Items {
		f := &l.Items[i]
		if !strings.HasPrefix(f.ID, "fnd_") || f.Severity == finding.Info || f.Incident != "" {
			continue // the others have rows of their own, and so has an incident
		}
		if n++; worst == nil || f.Severity == finding.Critical && worst.Severity != finding.Critical {
			worst = f
		}
	}
	if n == 0 {
		return nil, nil
	}
	text := finding.Line(worst.Agent, worst.Text)
	path := "/findings?finding=" + url.QueryEscape(worst.ID)
	if n > 1 {
		text += ", and " + strconv.Itoa(n-1) + " more findings nobody judged"
		path = "/findings"
	}
	return []client.OverviewRow{{ID: "findings", Kind: "finding", Text: text + ".", Since: worst.FirstSeen, Path: path}}, nil
}

// brakedRows are the responses that the brake left to people.
func brakedRows(a *API, ctx context.Context, env, team string) ([]client.OverviewRow, error) {
	l, err := listResponses(a, ctx, &client.ListResponsesRequest{State: "braked", Limit: 50})
	if err != nil {
		return nil, err
	}
	var out []client.OverviewRow
	for _, x := range l.Items {
		if a.o.Now().Sub(x.At) > 24*time.Hour || env != "" && x.Environment != env || team != "" && x.Team != team {
			continue
		}
		out = append(out, client.OverviewRow{
			ID: x.ID, Kind: "response", Text: x.Agent + " would be " + strings.ReplaceAll(x.Contain, "_", " ") + " because of " + x.Detector + ": " + x.Why + ".", Since: x.At, Path: "/findings?show=responses&response=" + x.ID,
		})
	}
	return out, nil
}
