package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/detect/chance"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/identity"
	"reeve/internal/pin"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

func (a *API) feedback() (*feedback.Book, error) {
	if a.o.Feedback == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no feedback")
	}
	return a.o.Feedback, nil
}

func feedbackActor(ctx context.Context) feedback.Actor {
	who := actorOf(ctx)
	return feedback.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: who.Can}
}

// feedbackPlaces narrows to what the asker may see; feedback without a team is
// of those who see every team.
func feedbackPlaces(who identity.Principal) []feedback.Place {
	places := placesOf(who)
	if places == nil {
		return nil
	}
	out := make([]feedback.Place, len(places))
	for i, p := range places {
		out[i] = feedback.Place(p)
	}
	return out
}

func seesFeedback(who identity.Principal, f *feedback.Feedback) bool {
	places := feedbackPlaces(who)
	return places == nil || slices.ContainsFunc(places, func(p feedback.Place) bool {
		return (p.Team == "*" || p.Team == f.Team) && (p.Environment == "*" || p.Environment == f.Environment)
	})
}

// feedbackOf is how a feedback is shown to somebody.
func feedbackOf(who identity.Principal, f feedback.Feedback) client.Feedback {
	out := client.Feedback{
		ID: f.ID, Source: f.Source, Giver: f.Giver, Kind: f.Kind, Verdict: f.Verdict, Name: pin.Visible(f.Name), Value: f.Value, Min: f.Min, Max: f.Max, Label: pin.Visible(f.Label),
		HasComment: f.Comment != "", Redacted: list(f.Redacted), User: f.UserRef, Verified: f.Verified, Consent: f.Consent, Contact: len(f.Contact) > 0,
		Run: f.Run, JoinedBy: f.JoinedBy, About: client.FeedbackAbout(f.On), Agent: f.Agent, Version: f.Version, Task: f.Task, Session: f.Session, Failed: f.Failed,
		Team: f.Team, Environment: f.Environment, Times: f.Times, Removed: f.Removed, Erased: f.Erased, Told: []client.FeedbackTelling{}, At: f.At, ReceivedAt: f.ReceivedAt, JoinedAt: optionalTime(f.JoinedAt),
	}
	out.WatchedTill = optionalTime(f.Watched)
	if who.Can(identity.Reader, f.Team, f.Environment) {
		out.Comment = f.Comment
		if f.Status != nil {
			out.Status = &client.FeedbackStatus{State: f.Status.State, Text: f.Status.Text, At: f.Status.At, By: f.Status.By}
		}
		for _, t := range f.Told {
			out.Told = append(out.Told, client.FeedbackTelling{At: t.At, By: t.By, Text: t.Text})
		}
	}
	return out
}

func createFeedback(a *API, ctx context.Context, req *client.CreateFeedbackRequest) (*client.Feedback, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	team, environment, err := senderPlace(ctx, req.Team, req.Environment, identity.Developer, identity.Responder)
	if err != nil {
		return nil, err
	}
	r := feedback.Report{
		Key: req.Key, On: feedback.On(req.FeedbackAbout), Name: req.Name, Kind: req.Kind, Value: req.Value, Min: req.Min, Max: req.Max, Label: req.Label, Comment: req.Comment,
		User: req.User, Giver: req.Giver, Consent: req.Consent, Contact: req.Contact, Removed: req.Removed,
	}
	if req.At != nil {
		r.At = *req.At
	}
	ids, err := book.Take(ctx, feedback.Sender{Source: "api", Team: team, Environment: environment, Verified: true}, []feedback.Report{r})
	if err != nil {
		return nil, err
	}
	f, err := book.Get(ctx, ids[0])
	if err != nil {
		return nil, err
	}
	out := feedbackOf(whoOf(ctx), f)
	return &out, nil
}

// senderPlace is the team and environment that what a program sends is of: what
// it names, else the only one it has a role for.
func senderPlace(ctx context.Context, team, environment string, roles ...identity.Role) (string, string, error) {
	who := whoOf(ctx)
	if team == "" && environment == "" {
		var places []identity.Grant
		for _, r := range roles {
			for _, g := range who.Scopes(r) {
				if !slices.ContainsFunc(places, func(p identity.Grant) bool { return p.Team == g.Team && p.Environment == g.Environment }) {
					places = append(places, g)
				}
			}
		}
		if len(places) == 1 {
			if places[0].Team != identity.Everything {
				team = places[0].Team
			}
			if places[0].Environment != identity.Everything {
				environment = places[0].Environment
			}
			return team, environment, nil
		}
	}
	for _, r := range roles {
		if who.Can(r, cmp.Or(team, identity.Everything), cmp.Or(environment, identity.Everything)) {
			return team, environment, nil
		}
	}
	return "", "", fault.New(fault.KindDenied, "feedback.denied", "this needs the role %s for team %q in %q", roles[0], team, environment).WithHint("give the team and the environment that your token is for")
}

func feedbackFilter(a *API, ctx context.Context, req *client.ListFeedbackRequest) (f feedback.Filter, err error) {
	bad := func(what, words string) error {
		return fault.New(fault.KindInvalid, "api.parameter_invalid", "%s is one of %s", what, words)
	}
	switch {
	case !slices.Contains([]string{"", feedback.Positive, feedback.Neutral, feedback.Negative, "none"}, req.Verdict):
		return f, bad("verdict", "positive, neutral, negative and none")
	case !slices.Contains([]string{"", feedback.User, feedback.System}, req.Giver):
		return f, bad("giver", "user and system")
	case !slices.Contains([]string{"", "yes", "no"}, req.Joined):
		return f, bad("joined", "yes and no")
	}
	who := whoOf(ctx)
	f = feedback.Filter{
		Agent: req.Agent, Version: req.Version, Team: req.Team, Environment: req.Environment, Source: req.Source, Verdict: req.Verdict, Giver: req.Giver, Run: req.Run,
		Q: strings.TrimSpace(req.Q), Limit: min(orDefault(req.Limit, 100), 1000), Visible: feedbackPlaces(who),
	}
	if f.Q != "" { // finding words in what one may not read would tell them
		f.Visible = readablePlaces(who)
	}
	if req.Joined != "" {
		yes := req.Joined == "yes"
		f.Joined = &yes
	}
	f.From, f.To, err = a.period(req.From, req.To)
	return f, err
}

// readablePlaces are where the asker may read content; nil is everywhere.
func readablePlaces(who identity.Principal) []feedback.Place {
	out := []feedback.Place{}
	for _, g := range who.Scopes(identity.Reader) {
		p := feedback.Place{Team: g.Team, Environment: g.Environment}
		if p.Team == identity.Everything {
			p.Team = "*"
		}
		if p.Environment == identity.Everything {
			p.Environment = "*"
		}
		if p == (feedback.Place{Team: "*", Environment: "*"}) {
			return nil
		}
		out = append(out, p)
	}
	return out
}

func listFeedback(a *API, ctx context.Context, req *client.ListFeedbackRequest) (*client.List[client.Feedback], error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	f, err := feedbackFilter(a, ctx, req)
	if err != nil {
		return nil, err
	}
	if req.Cursor != "" {
		if err := readCursor(req.Cursor, &f.After); err != nil || f.After.ID == "" {
			return nil, errCursor
		}
	}
	who := whoOf(ctx)
	all, next, err := book.List(ctx, f)
	out, err := listOf(all, err, func(x feedback.Feedback) client.Feedback { return feedbackOf(who, x) })
	if err == nil && next.ID != "" {
		out.Next = writeCursor(next)
	}
	return out, err
}

func getFeedback(a *API, ctx context.Context, req *client.FeedbackRequest) (*client.Feedback, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	f, err := book.Get(ctx, req.ID)
	if err == nil && !seesFeedback(whoOf(ctx), &f) {
		err = fault.New(fault.KindNotFound, "feedback.not_found", "there is no feedback %.60s", req.ID)
	}
	if err != nil {
		return nil, err
	}
	out := feedbackOf(whoOf(ctx), f)
	return &out, nil
}

// runCounts are how many runs there were, and with errors, by agent and version.
type runCounts struct{ all, failed int64 }

type agentVersion struct{ team, environment, agent, version string }

func (a *API) runsBy(ctx context.Context, f *feedback.Filter) (map[agentVersion]runCounts, error) {
	var and []search.Expr
	for _, is := range [...]struct{ field, value string }{{"agent", f.Agent}, {"version", f.Version}, {"team", f.Team}, {"environment", f.Environment}} {
		if is.value != "" {
			and = append(and, search.Is(is.field, is.value))
		}
	}
	teams, only := reachOf(whoOf(ctx), identity.Viewer)
	if only != nil {
		and = append(and, only)
	}
	out := map[agentVersion]runCounts{}
	for _, failed := range []bool{false, true} {
		q := telemetry.Query{
			Table: "runs", Select: []telemetry.Measure{{Func: "count", As: "n"}}, GroupBy: []string{"team", "environment", "agent", "version"}, From: f.From, To: f.To, Teams: teams, Limit: 1000,
		}
		all := and
		if failed {
			all = append(slices.Clone(and), &search.Cmp{Field: "errors", Op: ">", Values: []string{"0"}})
		}
		if len(all) > 0 {
			q.Where = search.Both(all...)
		}
		res, err := a.o.Store.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("counting runs for feedback: %w", err)
		}
		r := newAnswers(res)
		for _, row := range r.rows {
			key := agentVersion{r.text(row, "team"), r.text(row, "environment"), r.text(row, "agent"), r.text(row, "version")}
			c := out[key]
			if n := r.count(row, "n"); failed {
				c.failed = n
			} else {
				c.all = n
			}
			out[key] = c
		}
	}
	return out, nil
}

// shareOf is a proportion with its interval.
func shareOf(k, n int64) client.Share {
	s := client.Share{N: n}
	if n > 0 {
		v := float64(k) / float64(n)
		low, high := chance.Wilson(float64(k), float64(n))
		s.Value, s.Low, s.High = &v, &low, &high
	}
	return s
}

// figuresOf puts together what was said and by how many of whom.
func figuresOf(c *feedback.Count, r runCounts) client.FeedbackFigures {
	said := c.Positive + c.Neutral + c.Negative
	// A run that the period's feedback is about may have begun before it.
	runs := max(r.all, c.Runs)
	out := client.FeedbackFigures{
		Runs: runs, Answered: c.Runs, Positive: c.Positive, Neutral: c.Neutral, Negative: c.Negative, Other: c.Other,
		ResponseRate: shareOf(c.Runs, runs), Satisfaction: shareOf(c.Positive, said),
	}
	if runs > 0 && said > 0 {
		rate := float64(c.Runs) / float64(runs)
		happy := float64(c.Positive) / float64(said)
		worst, best := rate*happy, rate*happy+1-rate
		out.Worst, out.Best = &worst, &best
	}
	if c.Runs > 0 && r.all > 0 {
		answered, all := float64(c.Failed)/float64(c.Runs), float64(r.failed)/float64(r.all)
		out.FailedAnswered, out.FailedAll = &answered, &all
		saidFailed := said - c.SaidOK
		if c.SaidOK >= 5 && (saidFailed >= 5 || r.failed == 0) {
			v := (1 - all) * float64(c.PositiveOK) / float64(c.SaidOK)
			if saidFailed > 0 {
				v += all * float64(c.Positive-c.PositiveOK) / float64(saidFailed)
			}
			out.Adjusted = &v
		}
	}
	return out
}

func feedbackSummary(a *API, ctx context.Context, req *client.FeedbackSummaryRequest) (*client.FeedbackSummary, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	f, err := feedbackFilter(a, ctx, &client.ListFeedbackRequest{Agent: req.Agent, Version: req.Version, Team: req.Team, Environment: req.Environment, From: cmp.Or(req.From, "-168h"), To: req.To})
	if err != nil {
		return nil, err
	}
	if f.To.IsZero() {
		f.To = a.o.Now()
	}
	counts, err := book.Counts(ctx, f)
	if err != nil {
		return nil, err
	}
	runs, err := a.runsBy(ctx, &f)
	if err != nil {
		return nil, err
	}
	out := &client.FeedbackSummary{From: f.From, To: f.To, Agents: []client.AgentFeedback{}, Series: []client.FeedbackBucket{}, Themes: []client.FeedbackTheme{}}
	var all feedback.Count
	var allRuns runCounts
	for i := range counts {
		c := &counts[i]
		key := agentVersion{c.Team, c.Environment, c.Agent, c.Version}
		r := runs[key]
		delete(runs, key)
		all.Add(c)
		allRuns.all, allRuns.failed = allRuns.all+max(r.all, c.Runs), allRuns.failed+r.failed
		out.Agents = append(out.Agents, client.AgentFeedback{Agent: c.Agent, Version: c.Version, Team: c.Team, Environment: c.Environment, FeedbackFigures: figuresOf(c, r)})
	}
	silent := 0
	for key, r := range runs {
		allRuns.all, allRuns.failed = allRuns.all+r.all, allRuns.failed+r.failed
		if silent++; silent <= 200 && key.agent != "" {
			out.Agents = append(out.Agents, client.AgentFeedback{Agent: key.agent, Version: key.version, Team: key.team, Environment: key.environment, FeedbackFigures: figuresOf(&feedback.Count{}, r)})
		}
	}
	slices.SortStableFunc(out.Agents, func(x, y client.AgentFeedback) int {
		return cmp.Or(cmp.Compare(y.Negative, x.Negative), cmp.Compare(y.Answered, x.Answered), cmp.Compare(y.Runs, x.Runs), cmp.Compare(x.Agent, y.Agent), cmp.Compare(x.Version, y.Version))
	})
	out.All = figuresOf(&all, allRuns)
	if err := summaryParts(book, ctx, f, whoOf(ctx), out); err != nil {
		return nil, err
	}
	return out, nil
}

// summaryParts reads the chart, the themes and what has no run.
func summaryParts(book *feedback.Book, ctx context.Context, f feedback.Filter, who identity.Principal, out *client.FeedbackSummary) error {
	width := time.Hour
	for f.To.Sub(f.From)/width > 200 {
		width *= 2
	}
	series, err := book.Series(ctx, f, width)
	if err != nil {
		return err
	}
	for _, b := range series {
		out.Series = append(out.Series, client.FeedbackBucket{At: b.At, Positive: b.Positive, Neutral: b.Neutral, Negative: b.Negative})
	}
	read := f
	read.Visible = readablePlaces(who)
	themes, err := book.Themes(ctx, read)
	if err != nil {
		return err
	}
	for _, t := range themes {
		out.Themes = append(out.Themes, client.FeedbackTheme{Words: t.Words, Count: len(t.IDs), Example: t.Example, IDs: t.IDs[:min(len(t.IDs), 50)]})
	}
	un := f
	un.Agent, un.Version = "", "" // what has no run has no agent
	out.Unmatched, err = book.Unmatched(ctx, un)
	return err
}

func eraseFeedback(a *API, ctx context.Context, req *client.EraseFeedbackRequest) (*client.ErasedFeedback, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	n, err := book.Erase(ctx, feedbackActor(ctx), req.ID, req.Team, req.User, req.Reason)
	if err != nil {
		return nil, err
	}
	out := &client.ErasedFeedback{Erased: n}
	var more error
	// Who may erase a user's feedback in a team was checked: their cases go with it.
	out.Cases, out.Exports, more = a.withdraw(ctx, req.Team, req.User, req.Reason)
	return erasedEverywhere(out, nil, more)
}

func tellFeedback(a *API, ctx context.Context, req *client.TellFeedbackRequest) (*client.ToldFeedback, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	f, contact, err := book.Tell(ctx, feedbackActor(ctx), req.ID, req.Text)
	if err != nil {
		return nil, err
	}
	return &client.ToldFeedback{Feedback: feedbackOf(whoOf(ctx), f), Contact: contact}, nil
}

func setFeedbackStatus(a *API, ctx context.Context, req *client.SetFeedbackStatusRequest) (*client.Feedback, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	f, err := book.SetStatus(ctx, feedbackActor(ctx), req.ID, req.State, pin.Visible(req.Text))
	if err != nil {
		return nil, err
	}
	out := feedbackOf(whoOf(ctx), f)
	return &out, nil
}

func revokeFeedbackStatus(a *API, ctx context.Context, req *client.FeedbackRequest) (*struct{}, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.RevokeStatus(ctx, feedbackActor(ctx), req.ID)
}

func bindFeedbackKey(a *API, ctx context.Context, req *client.BindFeedbackKeyRequest) (*client.FeedbackKey, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	team, environment, err := senderPlace(ctx, req.Team, req.Environment, identity.Developer, identity.Responder)
	if err != nil {
		return nil, err
	}
	var run activity.RunID
	switch {
	case (req.Run == "") == (req.Trace == ""):
		return nil, fault.New(fault.KindInvalid, "feedback.invalid", "give a run or a trace")
	case req.Run != "":
		run, err = activity.ParseRunID(req.Run)
	default:
		var t activity.TraceID
		t, err = activity.ParseTraceID(req.Trace)
		run = activity.ScopeOf(team, environment).RunOfTrace(t)
	}
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "feedback.invalid", "that is no id of a run or a trace").WithCause(err)
	}
	if err := book.Bind(ctx, team, environment, req.Key, run); err != nil {
		return nil, err
	}
	return &client.FeedbackKey{Key: req.Key, Run: run.String(), Team: team, Environment: environment}, nil
}

func createFeedbackLink(a *API, ctx context.Context, req *client.CreateFeedbackLinkRequest) (*client.FeedbackLink, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	team, environment, err := senderPlace(ctx, req.Team, req.Environment, identity.Developer, identity.Responder)
	if err != nil {
		return nil, err
	}
	life, err := time.ParseDuration(cmp.Or(req.Expires, "168h"))
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "feedback.invalid", "expires is a duration such as 168h")
	}
	ticket, expires, err := book.Sign(feedback.Ticket{Team: team, Environment: environment, On: feedback.On(req.FeedbackAbout), User: req.User, Question: req.Question}, life)
	if err != nil {
		return nil, err
	}
	url := a.o.FeedbackURL("/f/" + ticket)
	return &client.FeedbackLink{Ticket: ticket, URL: url, Up: url + "?v=up", Down: url + "?v=down", ExpiresAt: expires}, nil
}

func (a *API) formOf(f feedback.Form) client.FeedbackForm {
	return client.FeedbackForm{
		Name: f.Name, Key: f.Key, Team: f.Team, Environment: f.Environment, Origins: list(f.Origins), Ticket: f.Ticket, Question: f.Question, Revision: f.Revision,
		Snippet: fmt.Sprintf("<script src=\"%s\" data-form=\"%s\" defer></script>\n<reeve-feedback trace=\"TRACE\"></reeve-feedback>", a.o.FeedbackURL("/feedback.js"), f.Key),
	}
}

func listFeedbackForms(a *API, ctx context.Context, _ *client.ListFeedbackFormsRequest) (*client.List[client.FeedbackForm], error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	all, err := book.Forms(ctx)
	all = slices.DeleteFunc(all, func(f feedback.Form) bool {
		return !who.Can(identity.Viewer, cmp.Or(f.Team, identity.Everything), cmp.Or(f.Environment, identity.Everything))
	})
	return listOf(all, err, a.formOf)
}

func putFeedbackForm(a *API, ctx context.Context, req *client.PutFeedbackFormRequest) (*client.FeedbackForm, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	team, environment, err := senderPlace(ctx, req.Team, req.Environment, identity.Developer)
	if err != nil {
		return nil, err
	}
	f, err := book.PutForm(ctx, wideActor(ctx), feedback.Form{Name: req.Name, Team: team, Environment: environment, Origins: req.Origins, Ticket: req.Ticket, Question: req.Question, Revision: req.Revision})
	if err != nil {
		return nil, err
	}
	out := a.formOf(f)
	return &out, nil
}

// wideActor asks for the role everywhere where a thing names no team.
func wideActor(ctx context.Context) feedback.Actor {
	who := feedbackActor(ctx)
	can := who.Can
	who.Can = func(role, team, environment string) bool {
		return can(role, cmp.Or(team, identity.Everything), cmp.Or(environment, identity.Everything))
	}
	return who
}

func deleteFeedbackForm(a *API, ctx context.Context, req *client.FeedbackFormRequest) (*struct{}, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.DeleteForm(ctx, wideActor(ctx), req.Name)
}
