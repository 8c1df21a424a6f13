package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/cost"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/identity"
	"reeve/internal/incident"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// This file is the HTTP face of what agents cost, beside invoices (cost.go).

// Spending is what questions about cost are answered from; a nil Book answers none.
type Spending struct {
	Book    *cost.Book
	Records cost.Records
	Prices  cost.Prices
	Install string // names this installation in files
	// Send mails a written report, as cost.Book.Run does.
	Send cost.Send
}

func spendOperations() []operation {
	return append(costOperations(), readinessOperations()...)
}

func costOperations() []operation {
	get := http.MethodGet
	view := rows(identity.Viewer)
	return []operation{
		define(operation{Name: "SplitCost", Method: get, Path: "/cost/split", Permission: view, Summary: "adds up what was spent by call, run, session, user, team, agent, version, task, outcome, model, provider, environment, cost centre, day or month"}, splitCost),
		define(operation{Name: "ForecastCost", Method: get, Path: "/cost/forecast", Permission: view, Summary: "says what the month will come to, with interval, beside budgets and findings about cost"}, forecastCost),
		define(operation{Name: "Dependency", Method: get, Path: "/cost/dependency", Permission: view, Summary: "says what hangs on each provider, model and region, and what an outage would reach"}, providerDependency),
		define(operation{Name: "Savings", Method: get, Path: "/cost/savings", Permission: view, Summary: "lists what could have been saved, with figure and the runs that prove it"}, savings),
		define(operation{Name: "ListIdleAgents", Method: get, Path: "/cost/idle-agents", Permission: view, Summary: "lists agents that nobody used"}, listIdleAgents),
		define(operation{Name: "CostFile", Method: get, Path: "/cost/file", Permission: view, Summary: "writes a month as a chargeback file or as FOCUS 1.2 (CSV)"}, costFile),
		define(operation{Name: "CostReport", Method: get, Path: "/cost/report", Permission: view, Summary: "writes the report of a month, as Markdown and PDF"}, costReport),
		define(operation{Name: "GetCostSettings", Method: get, Path: "/cost/settings", Permission: view, Summary: "reads currency, rates, zone, cost centres and what people's time costs"}, getCostSettings),
		define(operation{Name: "SendCostReport", Method: http.MethodPost, Path: "/cost/report/send", Permission: everywhere(identity.Admin), Audit: AuditChange, Summary: "mails a month's report now, with its PDF, to those whom the settings name"}, sendCostReport),
		define(operation{Name: "PutCostSettings", Method: http.MethodPut, Path: "/cost/settings", Permission: everywhere(identity.Admin).freshly(), Audit: AuditChange, Summary: "sets currency, rates, zone, cost centres and what people's time costs"}, putCostSettings),
	}
}

func (a *API) spending() (*cost.Book, error) {
	if a.o.Spending.Book == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server adds up no cost")
	}
	return a.o.Spending.Book, nil
}

// askLimited answers the questions of cost within the asker's reach; test runs
// cost as others do.
func (a *API) askLimited(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
	if q.Limit <= 0 || q.Limit > 20_000 {
		q.Limit = 20_000
	}
	if err := a.restrict(ctx, &q, queryTables[q.Table], q.Where); err != nil {
		return nil, err
	}
	return a.o.Store.Query(ctx, q)
}

// costQuestion is the period and the search of a scope.
func (a *API) costQuestion(b *cost.Book, s *client.CostScope) (q cost.Question, err error) {
	settings := b.Settings()
	switch {
	case s.Month != "":
		q.From, q.To, err = settings.Month(s.Month)
	case s.From == "" && s.To == "":
		q.From, q.To, err = settings.Month(settings.MonthOf(a.o.Now()))
	default:
		q.From, q.To, err = a.period(s.From, s.To)
	}
	if err != nil {
		return q, err
	}
	if now := a.o.Now(); q.To.IsZero() || q.To.After(now) {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.AddDate(0, -1, 0)
	}
	if d := q.To.Sub(q.From); d > 800*24*time.Hour {
		return q, invalid("cost is added up over at most 800 days")
	}
	if !q.From.Before(q.To) {
		return q, invalid("the period is to come")
	}
	if q.Where, err = parseSearch(search.ScopeStep, s.Where); err != nil {
		return q, err
	}
	if search.HasText(q.Where) {
		return q, invalid("cost is not searched for by phrases").WithHint("name a field: model:gpt-4o*")
	}
	for _, f := range []struct{ name, value string }{{"environment", s.Environment}, {"team", s.Team}, {"agent", s.Agent}} {
		if f.value != "" {
			q.Where, q.Runs = search.Both(q.Where, search.Is(f.name, f.value)), search.Both(q.Runs, search.Is(f.name, f.value))
		}
	}
	q.Label = a.centreLabel
	return q, nil
}

// centreLabel is the cost centre that an agent's own label names.
func (a *API) centreLabel(name string) string {
	if a.o.Agents == nil || name == "" {
		return ""
	}
	x, ok := a.o.Agents.Lookup(name)
	if !ok {
		return ""
	}
	return x.Labels["cost_centre"]
}

func splitCost(a *API, ctx context.Context, req *client.CostSplitRequest) (*client.CostSplit, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	q, err := a.costQuestion(book, &client.CostScope{Month: req.Month, From: req.From, To: req.To, Environment: req.Environment, Team: req.Team, Agent: req.Agent, Where: req.Where})
	if err != nil {
		return nil, err
	}
	q.By, q.Limit = cmp.Or(req.By, "agent"), req.Limit
	if q.Limit < 0 || !slices.Contains(cost.Dimensions, q.By) {
		return nil, fault.New(fault.KindInvalid, "cost.invalid", "cost is not split by %q", clip(q.By, 40)).WithHint("%s", strings.Join(cost.Dimensions, ", "))
	}
	s, err := book.Split(ctx, a.askLimited, q)
	if err != nil {
		return nil, err
	}
	out := &client.CostSplit{
		By: q.By, From: q.From.UTC(), To: q.To.UTC(), Zone: book.Settings().Zone, Currency: s.Currency, Total: costLine(&s.Total, nil), Lines: make([]client.CostLine, 0, len(s.Lines)), More: int64(s.More),
	}
	if s.Rest != nil {
		r := costLine(s.Rest, s.Total.Cost)
		out.Rest = &r
	}
	for i := range s.Lines {
		l := costLine(&s.Lines[i], s.Total.Cost)
		l.Records = costRecords(q.By, &s.Lines[i], req.Where)
		if q.By == "centre" && l.Name == "" && l.Share != nil {
			out.Unallocated = l.Share
		}
		out.Lines = append(out.Lines, l)
	}
	if zero := 0.0; q.By == "centre" && out.Unallocated == nil && s.Total.Cost != nil {
		out.Unallocated = &zero
	}
	return out, nil
}

func costLine(l *cost.Line, total *float64) client.CostLine {
	out := client.CostLine{Name: l.Name, Parts: l.Parts, At: optionalTime(l.At), Cost: l.Cost, Calls: l.Calls, Unpriced: l.Unpriced, Tokens: l.Tokens, Minutes: l.Minutes, People: l.People}
	if total != nil && l.Cost != nil && *total > 0 {
		share := *l.Cost / *total
		out.Share = &share
	}
	return out
}

// costRecords is the search that opens a line's calls; "" where steps do not say it
// themselves.
func costRecords(by string, l *cost.Line, where string) string {
	is := func(field, value string) search.Expr {
		if value == "" {
			return search.Unknown(field)
		}
		return search.Is(field, value)
	}
	var e search.Expr
	switch by {
	case "agent", "team", "model", "provider", "environment":
		e = is(by, l.Name)
		if by == "model" {
			e = search.Both(e, is("provider", l.Parts["provider"]))
		}
	case "run":
		e = search.Is("run", l.Name)
	case "call":
		if l.Name == "" {
			return ""
		}
		e = search.Both(search.Is("run", l.Parts["run"]), search.Is("id", l.Name))
	default:
		return ""
	}
	text := search.Both(search.Is("call", "true"), e).String()
	if where != "" {
		text += " (" + where + ")"
	}
	return text
}

func forecastCost(a *API, ctx context.Context, req *client.CostScope) (*client.CostForecast, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	if req.Month != "" || req.From != "" || req.To != "" {
		return nil, invalid("a forecast is of the month that goes on")
	}
	q, err := a.costQuestion(book, req)
	if err != nil {
		return nil, err
	}
	f, err := book.Forecast(ctx, a.askLimited, q.Where)
	if err != nil {
		return nil, err
	}
	out := &client.CostForecast{
		From: f.From.UTC(), To: f.To.UTC(), Currency: f.Currency, Spent: f.Spent, Unpriced: f.Unpriced, Expected: f.Expected, Low: f.Low, High: f.High,
		Days: int64(f.Days), Method: f.Method, Why: f.Why, Budgets: []client.CostBudget{}, Anomalies: []client.CostAnomaly{},
	}
	if out.Budgets, err = a.budgetsAhead(ctx, book); err != nil {
		return nil, err
	}
	out.Anomalies, err = a.costAnomalies(ctx, &f, req)
	return out, err
}

// maxAhead bounds for how many budgets a forecast of their own is made.
const maxAhead = 12

// budgetsAhead are the monthly budgets in money that the asker sees, each with a
// forecast of what its agents will have spent. Budgets count in dollars.
func (a *API) budgetsAhead(ctx context.Context, book *cost.Book) ([]client.CostBudget, error) {
	out := []client.CostBudget{}
	if a.o.Budgets == nil {
		return out, nil
	}
	who := whoOf(ctx)
	for _, b := range a.o.Budgets.List() {
		if b.Unit != "money" || b.Period != "month" || !maySeeBudget(who, b) {
			continue
		}
		x := client.CostBudget{Name: b.Name, Scope: b.Scope, Match: b.Match, Limit: b.Limit, Spent: b.Spent, Hard: b.Hard}
		if len(out) < maxAhead && b.Match != "*" && b.Match != "" && a.seesWhole(who, b.Scope, b.Match) {
			f, err := book.In("USD").Forecast(ctx, a.askLimited, search.Is(b.Scope, b.Match))
			if err != nil {
				return nil, err
			}
			if f.Expected != nil {
				chance := f.Chance(b.Limit)
				x.Expected, x.Chance = f.Expected, &chance
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// seesWhole reports whether somebody sees all that a budget counts: a part of it
// says nothing of when it is spent.
func (a *API) seesWhole(who identity.Principal, scope, match string) bool {
	switch scope {
	case "team":
		return who.Can(identity.Viewer, match, identity.Everything)
	case "agent":
		if a.o.Agents == nil {
			return false
		}
		x, ok := a.o.Agents.Lookup(match)
		return ok && who.Can(identity.Viewer, x.Team, identity.Everything)
	}
	return false
}

// costDetectors are the detectors whose findings are about money.
var costDetectors = []string{"cost", "loop", "retry_storm", "output_length", "run_length"}

func (a *API) costAnomalies(ctx context.Context, f *cost.Forecast, req *client.CostScope) ([]client.CostAnomaly, error) {
	out := []client.CostAnomaly{}
	if a.o.Findings == nil {
		return out, nil
	}
	var all []finding.Finding
	for _, d := range costDetectors {
		list, err := a.o.Findings.List(ctx, finding.Filter{Detector: d, From: f.From, To: a.o.Now(), Agent: req.Agent, Team: req.Team, Environment: req.Environment, Limit: 50})
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	who := whoOf(ctx)
	for i := range all {
		x := &all[i]
		if !who.Can(identity.Viewer, x.Team, x.Environment) {
			continue
		}
		out = append(out, client.CostAnomaly{ID: x.ID, Detector: x.Detector, Agent: x.Agent, Severity: x.Severity, Text: x.Text, At: x.Last, Open: x.Open()})
	}
	slices.SortFunc(out, func(x, y client.CostAnomaly) int { return y.At.Compare(x.At) })
	return out[:min(len(out), 50)], nil
}

// offers are what the upstreams that the asker sees say of their models.
func (a *API) offers(ctx context.Context) []cost.Offer {
	if a.o.Upstreams == nil {
		return nil
	}
	var out []cost.Offer
	for _, u := range a.o.Upstreams.List() {
		if u.Kind != "llm" || !u.Shared && !seesTeam(whoOf(ctx), u.Team) {
			continue
		}
		o := cost.Offer{Upstream: u.Name, Provider: u.Dialect, Region: u.Region, Fallbacks: u.Fallback}
		for _, m := range u.Models {
			o.Models = append(o.Models, cost.OfferedModel{Name: m.Name, Region: m.Region, Deprecated: m.Deprecated})
		}
		out = append(out, o)
	}
	return out
}

func providerDependency(a *API, ctx context.Context, req *client.CostScope) (*client.Dependency, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	q, err := a.costQuestion(book, req)
	if err != nil {
		return nil, err
	}
	d, err := book.Depend(ctx, a.askLimited, q.Where, q.From, q.To, a.offers(ctx))
	if err != nil {
		return nil, err
	}
	shares := func(all []cost.Share) []client.DependencyShare {
		out := make([]client.DependencyShare, 0, len(all))
		for _, s := range all[:min(len(all), 200)] {
			x := client.DependencyShare{
				Name: s.Name, Provider: s.Provider, Calls: s.Calls, Share: s.Of, Cost: s.Cost, Unpriced: s.Unpriced, Runs: s.Runs, Users: s.Users, Daily: s.Daily,
				Agents: []client.DependedAgent{}, Deprecated: s.Deprecated, Fallbacks: list(s.Fallbacks),
			}
			for _, t := range s.Agents {
				x.Agents = append(x.Agents, client.DependedAgent(t))
			}
			out = append(out, x)
		}
		return out
	}
	return &client.Dependency{
		From: q.From.UTC(), To: q.To.UTC(), Currency: d.Currency, Calls: d.Calls, Providers: shares(d.Providers), Models: shares(d.Models), Regions: shares(d.Regions),
		Concentration: d.Concentration, Even: d.Even,
	}, nil
}

// savingWords say how a saving comes about, and what brings it.
var savingWords = map[string][3]string{
	"prompt_cache": {"Prompt cache", "prompts of a run that go on from the one before within five minutes, priced as if the provider's cache had been read, and written to at its price, less what they cost", "keep the beginning of the prompt the same and switch the provider's prompt cache on"},
	"context":      {"Context that grows", "what the tokens cost by which a run's prompts outgrew four times its first one", "shorten or summarise what a run has said before it is sent again"},
	"repeats":      {"Repeated calls", "model calls that read the answer of a tool call which the run had made before with the same arguments", "keep the answer within the run, or tell the agent that it has it"},
}

func savings(a *API, ctx context.Context, req *client.CostScope) (*client.Savings, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	q, err := a.costQuestion(book, req)
	if err != nil {
		return nil, err
	}
	if req.Where != "" || a.o.Spending.Records == nil || a.o.Spending.Prices == nil {
		return nil, invalid("savings are looked for by agent, team and environment")
	}
	who := whoOf(ctx)
	may := func(team, environment, agent string) bool {
		return (req.Team == "" || req.Team == team) && (req.Environment == "" || req.Environment == environment) && (req.Agent == "" || req.Agent == agent) && who.Can(identity.Viewer, team, environment)
	}
	s, err := book.Save(ctx, a.askLimited, a.o.Spending.Records, a.o.Spending.Prices, may, q)
	if err != nil {
		return nil, err
	}
	out := &client.Savings{From: q.From.UTC(), To: q.To.UTC(), Currency: s.Currency, Looked: s.Looked, Cut: s.Cut, Items: []client.Saving{}}
	for _, x := range s.All {
		w := savingWords[x.ID]
		item := client.Saving{
			ID: x.ID, Title: w[0], How: w[1], Do: w[2], Figure: x.Figure, AtMost: x.AtMost, Proved: x.Proved, Checked: x.Checked, Calls: x.Calls, Tokens: x.Tokens, Unpriced: x.Unpriced,
			Agents: []client.SavingAgent{}, Runs: []client.SavingRun{},
		}
		for _, g := range x.Agents {
			item.Agents = append(item.Agents, client.SavingAgent(g))
		}
		for _, r := range x.Runs {
			item.Runs = append(item.Runs, client.SavingRun(r))
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func listIdleAgents(a *API, ctx context.Context, req *client.IdleRequest) (*client.List[client.IdleAgent], error) {
	days := cmp.Or(req.Days, 30)
	if days < 1 || days > 400 {
		return nil, invalid("days is 1 to 400")
	}
	all, err := a.idle(ctx, "", a.o.Now().AddDate(0, 0, -days))
	return listOf(all, err, func(x client.IdleAgent) client.IdleAgent { return x })
}

// idle are the agents in service without a run since a time.
func (a *API) idle(ctx context.Context, team string, since time.Time) ([]client.IdleAgent, error) {
	agents, err := a.agents()
	if err != nil {
		return nil, err
	}
	res, err := a.askLimited(ctx, telemetry.Query{Table: "runs", From: since, To: a.o.Now(), GroupBy: []string{"agent"}})
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	t := newAnswers(res)
	for _, row := range res.Rows {
		used[t.text(row, "agent")] = true
	}
	who := whoOf(ctx)
	out := []client.IdleAgent{}
	for _, x := range agents.List() {
		seen := agents.LastSeen(x.Name)
		if used[x.Name] || seen.After(since) || x.Lifecycle == agent.Retired || x.MergedInto != "" || x.CreatedAt.After(since) || team != "" && x.Team != team || !who.Can(identity.Viewer, x.Team, x.Environment) {
			continue
		}
		out = append(out, client.IdleAgent{Agent: x.Name, Team: x.Team, Owner: x.Owner, Lifecycle: x.Lifecycle, LastSeen: optionalTime(seen), CreatedAt: x.CreatedAt})
	}
	slices.SortFunc(out, func(x, y client.IdleAgent) int { return strings.Compare(x.Agent, y.Agent) })
	return out, nil
}

// monthBefore is the month that a file or a report is of where none is named.
func (a *API) monthBefore(b *cost.Book, named string) string {
	if named != "" {
		return named
	}
	s := b.Settings()
	from, _, err := s.Month(s.MonthOf(a.o.Now()))
	if err != nil {
		return "" // no month, which the book then says
	}
	return s.MonthOf(from.AddDate(0, 0, -1))
}

func teamOnly(team string) search.Expr {
	if team == "" {
		return nil
	}
	return search.Is("team", team)
}

func costFile(a *API, ctx context.Context, req *client.CostFileRequest) (*client.CostFile, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	month := a.monthBefore(book, req.Month)
	var f cost.File
	switch req.Kind {
	case "chargeback", "":
		f, err = book.Chargeback(ctx, a.askLimited, month, teamOnly(req.Team), a.centreLabel)
	case "focus":
		f, err = book.Focus(ctx, a.askLimited, month, teamOnly(req.Team), a.centreLabel, a.o.Spending.Install, a.offers(ctx))
	default:
		err = fault.New(fault.KindInvalid, "cost.invalid", "there is no file %q", clip(req.Kind, 40)).WithHint("chargeback or focus")
	}
	if err != nil {
		return nil, err
	}
	return &client.CostFile{Name: f.Name, Type: f.Type, Text: f.Text, Rows: f.Rows, Unpriced: f.Unpriced, Currency: f.Currency, Total: f.Total}, nil
}

func costReport(a *API, ctx context.Context, req *client.CostReportRequest) (*client.MonthlyReport, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	month := a.monthBefore(book, req.Month)
	text, err := a.report(ctx, book, month, req.Team)
	if err != nil {
		return nil, err
	}
	out := &client.MonthlyReport{Month: month, Text: text}
	if req.PDF {
		pdf, err := incident.PDF("What agents cost in "+month, text)
		if err != nil {
			return nil, err
		}
		out.PDF = base64.StdEncoding.EncodeToString(pdf)
	}
	return out, nil
}

func (a *API) report(ctx context.Context, book *cost.Book, month, team string) (string, error) {
	m := cost.Monthly{Label: a.centreLabel, Offers: a.offers(ctx)}
	s := book.Settings()
	from, to, err := s.Month(month)
	if err != nil {
		return "", err
	}
	if a.o.Agents != nil {
		all, err := a.idle(ctx, team, from)
		if err != nil {
			return "", err
		}
		for _, x := range all {
			m.Idle = append(m.Idle, cost.Idle{Agent: x.Agent, Team: x.Team, Owner: x.Owner, Lifecycle: x.Lifecycle, LastSeen: x.LastSeen})
		}
	}
	if now := a.o.Now(); now.Before(to) && !now.Before(from) {
		f, err := book.Forecast(ctx, a.askLimited, teamOnly(team))
		if err != nil {
			return "", err
		}
		m.Forecast = &f
	}
	return book.Report(ctx, a.askLimited, month, teamOnly(team), m)
}

// MonthlyReport is the report of a month as one who sees everything reads it: for
// the mail. One without a PDF is better than none.
func (a *API) MonthlyReport(ctx context.Context, month string) (w cost.Written, err error) {
	book, err := a.spending()
	if err != nil {
		return w, err
	}
	w.Month = month
	if w.Text, err = a.report(asHouse(ctx), book, month, ""); err != nil {
		return w, err
	}
	if w.PDF, err = incident.PDF("What agents cost in "+month, w.Text); err != nil {
		a.o.Logger.Warn("the monthly report goes out without its PDF", "err", err)
		w.PDF = nil
	}
	return w, nil
}

// sendCostReport mails a month's report to those whom the settings name.
func sendCostReport(a *API, ctx context.Context, req *client.SendCostReportRequest) (*client.CostSettings, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	if a.o.Spending.Send == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server sends no mail")
	}
	s := book.Settings()
	month := a.monthBefore(book, req.Month)
	who := whoOf(ctx)
	if err := book.SendNow(ctx, cost.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID}, month, a.MonthlyReport, a.o.Spending.Send); err != nil {
		return nil, err
	}
	out := costSettings(s)
	return out, sending(ctx, book, out)
}

// asHouse is a request of this server itself, which sees every team's records.
func asHouse(ctx context.Context) context.Context {
	who := identity.Dev()
	who.Name = "reeve"
	return context.WithValue(ctx, callKey{}, &call{who: &who})
}

func getCostSettings(a *API, ctx context.Context, _ *struct{}) (*client.CostSettings, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	out := costSettings(book.Settings())
	if !whoOf(ctx).Can(identity.Admin, identity.Everything, identity.Everything) {
		out.Report = client.CostReport{} // who reads of everybody's money is admins' to know
		return out, nil
	}
	return out, sending(ctx, book, out)
}

// sending adds to settings what is known of the report's mail.
func sending(ctx context.Context, book *cost.Book, out *client.CostSettings) error {
	x, err := book.Sending(ctx)
	out.Report.LastMonth, out.Report.LastAt, out.Report.NextAt = x.LastMonth, optionalTime(x.LastAt), optionalTime(x.NextAt)
	return err
}

// mayMail refuses a report's channel that is newly named and sends no mail.
func (a *API) mayMail(name, old string) error {
	if name == "" || name == old {
		return nil
	}
	if a.o.OnCall == nil || a.o.OnCall.Notices == nil {
		return fault.New(fault.KindUnavailable, "api.not_here", "this server sends no mail")
	}
	c, err := a.o.OnCall.Notices.Get(name)
	if err != nil || c.Kind != "email" {
		return fault.New(fault.KindInvalid, "cost.invalid", "report.channel: there is no channel of kind email called %.60q", name).WithHint("`reeve channel list` and the page Settings, Channels show them")
	}
	return nil
}

func costSettings(s cost.Settings) *client.CostSettings {
	out := &client.CostSettings{
		Currency: s.Currency, Zone: s.Zone, Hour: s.Hour, Rates: []client.CostRate{}, Centres: []client.CostCentre{},
		Report: client.CostReport{Channel: s.Report.Channel, To: s.Report.To, Day: s.Report.Day}, Revision: s.Revision, By: s.By, At: optionalTime(s.At),
	}
	for _, r := range s.Rates {
		out.Rates = append(out.Rates, client.CostRate(r))
	}
	for _, c := range s.Centres {
		out.Centres = append(out.Centres, client.CostCentre(c))
	}
	return out
}

func putCostSettings(a *API, ctx context.Context, req *client.CostSettings) (*client.CostSettings, error) {
	book, err := a.spending()
	if err != nil {
		return nil, err
	}
	next := cost.Settings{Currency: req.Currency, Zone: req.Zone, Hour: req.Hour, Report: cost.Report{Channel: req.Report.Channel, To: req.Report.To, Day: req.Report.Day}, Revision: req.Revision}
	for _, r := range req.Rates {
		next.Rates = append(next.Rates, cost.Rate(r))
	}
	for _, c := range req.Centres {
		next.Centres = append(next.Centres, cost.Centre(c))
	}
	if err := a.mayMail(next.Report.Channel, book.Settings().Report.Channel); err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	kept, err := book.Put(ctx, cost.Actor{Person: actor(ctx), Via: who.SignInID + who.TokenID}, next)
	if err != nil {
		return nil, err
	}
	out := costSettings(kept)
	return out, sending(ctx, book, out)
}
