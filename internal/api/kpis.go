package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/kpi"
	"reeve/internal/objective"
	"reeve/internal/outcome"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Accounts are how runs ended, and what figures come of it; a nil one is not kept.
type Accounts struct {
	Outcomes *outcome.Book
	KPIs     *kpi.Book

	Objectives *objective.Book
}

func (a *API) kpis() (*kpi.Book, error) {
	if a.o.KPIs == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server computes no KPIs")
	}
	return a.o.KPIs, nil
}

// ask answers the questions of figures within the asker's reach.
func (a *API) ask(ctx context.Context, q telemetry.Query) (*telemetry.Result, error) {
	q.Limit = telemetry.MostRows
	if err := a.restrict(ctx, &q, queryTables[q.Table], q.Where); err != nil {
		return nil, err
	}
	return a.o.Store.Query(ctx, q)
}

// scopeFields are what records are narrowed by, and which tables know it.
var scopeFields = []struct {
	name  string
	value func(*client.KPIScope) string
}{
	{"environment", func(s *client.KPIScope) string { return s.Environment }},
	{"team", func(s *client.KPIScope) string { return s.Team }},
	{"agent", func(s *client.KPIScope) string { return s.Agent }},
	{"version", func(s *client.KPIScope) string { return s.Version }},
	{"task", func(s *client.KPIScope) string { return s.Task }},
}

func (a *API) kpiQuestion(s *client.KPIScope) (q kpi.Question, err error) {
	if q.From, q.To, err = a.period(s.From, s.To); err != nil {
		return q, err
	}
	if q.To.IsZero() {
		q.To = a.o.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-7 * 24 * time.Hour)
	}
	if d := q.To.Sub(q.From); d > 400*24*time.Hour || d < time.Minute {
		return q, invalid("figures are of a minute to 400 days")
	}
	q.From, q.To = q.From.UTC(), q.To.UTC()
	q.Where, q.Unasked = map[string]search.Expr{}, map[string]string{}
	for table, scope := range queryTables {
		for _, f := range scopeFields {
			v := f.value(s)
			if v == "" {
				continue
			}
			if _, ok := search.Lookup(scope, f.name); !ok {
				q.Unasked[table] = table + " know no " + f.name
				continue
			}
			q.Where[table] = search.Both(q.Where[table], search.Is(f.name, v))
		}
	}
	q.Ledger = a.o.KPIs.Assumptions()
	q.Outside = a.outside().Figures(s)
	return q, nil
}

// outside computes what is not of the store alone, within the asker's reach.
func (a *API) outside() Outside {
	return Outside{Topics: a.o.Topics.Topics, Feedback: a.o.Feedback, Evaluations: a.o.Evaluations, Datasets: a.o.Datasets, Experiments: a.o.Experiments, Sources: a.aged(), Runs: a.seenRuns, Ask: a.ask, See: func(ctx context.Context) []alert.Place { return placesOf(whoOf(ctx)) }}
}

// seenKPIs are the definitions that the asker may see.
func seenKPIs(ctx context.Context, book *kpi.Book) []*kpi.Definition {
	who := whoOf(ctx)
	return slices.DeleteFunc(book.All(), func(d *kpi.Definition) bool { return d.Custom && !seesTeam(who, d.Team) })
}

func kpiFigure(f kpi.Figure) client.KPIFigure {
	return client.KPIFigure{Value: f.Value, Low: f.Low, High: f.High, N: f.N, HitCount: f.Hits, Coverage: f.Coverage, Why: f.Why}
}

// kpiShape describes a definition; scope narrows the searches that open its records.
func kpiShape(d *kpi.Definition, narrowed map[string]search.Expr) client.KPI {
	table, records := d.Opens()
	out := client.KPI{
		ID: d.ID, Title: d.Title, About: d.About, Unit: d.Unit, Direction: d.Direction, Owner: d.Owner, Source: d.Source, Version: d.Version,
		Formula: d.Formula(), Method: d.Method(), Guards: d.Guards, Custom: d.Custom, Team: d.Team, Table: table,
		Records: narrow(records, narrowed[table]),
	}
	if hits := d.Hits(); hits != "" {
		out.Hits = narrow(hits, narrowed[table])
	}
	return out
}

// openGroup says which searches open the records of a group.
func openGroup(g *client.KPIGroup, d *kpi.Definition, narrowed map[string]search.Expr, by string) {
	table, records := d.Opens()
	scope, searched := queryTables[table]
	if !searched {
		return // ListKPIRecords lists them
	}
	f, ok := search.Lookup(scope, by)
	if !ok {
		if by != "mode" {
			return
		}
		f, _ = search.Lookup(scope, search.FieldRunMode)
	}
	of := search.Expr(search.Unknown(f.Name))
	if g.Name != "" {
		of = search.Is(f.Name, g.Name)
	}
	where := search.Both(narrowed[table], of)
	g.Records = narrow(records, where)
	if hits := d.Hits(); hits != "" {
		g.Hits = narrow(hits, where)
	}
}

func narrow(query string, more search.Expr) string {
	switch {
	case more == nil:
		return query
	case query == "":
		return more.String()
	}
	return more.String() + " (" + query + ")"
}

func listKPIs(a *API, ctx context.Context, req *client.ListKPIsRequest) (*client.KPIList, error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	q, err := a.kpiQuestion(&client.KPIScope{From: req.From, To: req.To, Environment: req.Environment, Team: req.Team, Agent: req.Agent, Version: req.Version, Task: req.Task})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	defs := seenKPIs(ctx, book)
	out := &client.KPIList{Items: make([]client.KPI, 0, len(defs)), From: q.From, To: q.To}
	var all map[string]*kpi.Answer
	if !req.Definitions {
		if all, err = kpi.Evaluate(ctx, a.ask, defs, q); err != nil {
			return nil, err
		}
	}
	for _, d := range defs {
		k := kpiShape(d, q.Where)
		if x := all[d.ID]; x != nil {
			k.KPIFigure = kpiFigure(x.Whole())
		}
		out.Items = append(out.Items, k)
	}
	out.TookMS = float64(time.Since(began).Microseconds()) / 1e3
	return out, nil
}

// seriesBucket is a bucket of which about sixty are in a period.
func seriesBucket(length time.Duration) time.Duration {
	for _, b := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if length/b <= 70 {
			return b
		}
	}
	return 7 * 24 * time.Hour
}

func getKPI(a *API, ctx context.Context, req *client.KPIRequest) (*client.KPIDetail, error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	d, err := book.Get(req.ID)
	if err != nil {
		return nil, err
	}
	if d.Custom && !seesTeam(whoOf(ctx), d.Team) {
		return nil, fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %.63q", req.ID)
	}
	q, err := a.kpiQuestion(&client.KPIScope{From: req.From, To: req.To, Environment: req.Environment, Team: req.Team, Agent: req.Agent, Version: req.Version, Task: req.Task})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	length := q.To.Sub(q.From)
	bucket := seriesBucket(length)
	if req.Bucket != "" {
		ms, err := (search.Field{Type: search.TypeDuration}).Read(req.Bucket, time.Time{})
		if err != nil || ms.Number < 60_000 || length/time.Duration(ms.Number*1e6) > 1000 {
			return nil, invalid("bucket is %q", clip(req.Bucket, 40)).WithHint("a minute or more, of which at most 1000 are in the period: 1h, 1d")
		}
		bucket = time.Duration(ms.Number * 1e6)
	}
	out := &client.KPIDetail{KPI: kpiShape(d, q.Where), From: q.From, To: q.To, BucketMS: bucket.Milliseconds(), Series: []client.KPIPoint{}, By: req.By}
	if d.Custom {
		out.Shape = shapeOf(d)
	}
	defs := []*kpi.Definition{d}
	before := q
	before.From, before.To = q.From.Add(-length), q.From
	series := q
	series.Bucket = bucket
	asked := []kpi.Question{q, before, series}
	if req.By != "" {
		by := q
		by.By = req.By
		asked = append(asked, by)
	}
	answers := make([]*kpi.Answer, len(asked))
	if err := together(ctx, 3, len(asked), func(ctx context.Context, i int) error {
		all, err := kpi.Evaluate(ctx, a.ask, defs, asked[i])
		if err == nil {
			answers[i] = all[d.ID]
		}
		return err
	}); err != nil {
		return nil, err
	}
	out.KPIFigure = kpiFigure(answers[0].Whole())
	previous := kpiFigure(answers[1].Whole())
	out.Previous = &previous
	course(out, answers[2].Cells)
	if req.By != "" {
		split(out, answers[3].Cells)
		for i := range out.Groups {
			openGroup(&out.Groups[i], d, q.Where, req.By)
		}
	}
	out.TookMS = float64(time.Since(began).Microseconds()) / 1e3
	return out, nil
}

// course is the figure over time; a cell without a time says why there is none.
func course(out *client.KPIDetail, cells []kpi.Cell) {
	for _, c := range cells {
		if c.At.IsZero() {
			out.SeriesWhy = c.Why
			continue
		}
		out.Series = append(out.Series, client.KPIPoint{At: c.At, KPIFigure: kpiFigure(c.Figure)})
	}
}

// maxKPIGroups is how many groups a page has: names come from senders.
const maxKPIGroups = 500

// split is the figure of each group, those with the most records first. What is not
// known of any group comes as one cell of none.
func split(out *client.KPIDetail, cells []kpi.Cell) {
	if len(cells) == 1 && cells[0].Group == "" && cells[0].Value == nil && cells[0].N == 0 && cells[0].Why != "" {
		out.GroupsWhy = cells[0].Why
	}
	out.GroupCount = len(cells)
	out.Cut = len(cells) > maxKPIGroups
	for _, c := range cells[:min(len(cells), maxKPIGroups)] {
		out.Groups = append(out.Groups, client.KPIGroup{Name: c.Group, KPIFigure: kpiFigure(c.Figure)})
	}
}

func listKPIRecords(a *API, ctx context.Context, req *client.ListKPIRecordsRequest) (*client.List[client.KPIRecord], error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	d, err := book.Get(req.ID)
	if err != nil {
		return nil, err
	}
	if d.Custom && !seesTeam(whoOf(ctx), d.Team) {
		return nil, fault.New(fault.KindNotFound, "kpi.not_found", "there is no KPI %.63q", req.ID)
	}
	table, query := d.Opens()
	if _, searched := queryTables[table]; searched {
		return nil, fault.New(fault.KindInvalid, "kpi.searched", "the records of %s are found by a search over %s", d.ID, table).WithHint("%s", query)
	}
	scope := client.KPIScope{From: req.From, To: req.To, Environment: req.Environment, Team: req.Team, Agent: req.Agent, Version: req.Version}
	q, err := a.kpiQuestion(&scope)
	if err != nil {
		return nil, err
	}
	r := recordsOf{KPIScope: scope, by: req.By, group: req.Group, hits: req.Hits, limit: orDefault(req.Limit, 100), from: q.From, to: q.To, visible: placesOf(whoOf(ctx))}
	if !slices.Contains([]string{"", "agent", "version", "team", "environment"}, r.by) || r.by == "" && r.group != "" {
		return nil, invalid("by is %q", clip(req.By, 40)).WithHint("agent, version, team or environment, with group")
	}
	if req.Cursor != "" {
		if err := readCursor(req.Cursor, &r.after); err != nil || r.after == (recordPlace{}) {
			return nil, errCursor
		}
	}
	list, next, err := a.outside().records(ctx, d.ID, &r)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.KPIRecord]{Items: list}
	if out.Items == nil {
		out.Items = []client.KPIRecord{}
	}
	if next != (recordPlace{}) {
		out.Next = writeCursor(next)
	}
	return out, nil
}

func kpiActor(ctx context.Context) kpi.Actor {
	who, p := actorOf(ctx), whoOf(ctx)
	return kpi.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return p.Can(identity.Role(role), team, environment)
	}}
}

func putKPI(a *API, ctx context.Context, req *client.PutKPIRequest) (*client.KPI, error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	d := kpi.Definition{ID: req.ID, Title: req.Title, About: req.About, Unit: req.Unit, Direction: req.Direction, Owner: req.Owner, Team: req.Team, Version: req.Version}
	shapeInto(&d, &req.KPIShape)
	// What the store cannot compute is refused now and not on somebody's page.
	if err := d.Compile(); err != nil {
		return nil, err
	}
	now := a.o.Now()
	if _, err := kpi.Evaluate(ctx, a.ask, []*kpi.Definition{&d}, kpi.Question{From: now.Add(-time.Minute), To: now}); err != nil {
		return nil, err
	}
	kept, err := book.Put(ctx, kpiActor(ctx), d, req.Reason)
	if err != nil {
		return nil, err
	}
	out := kpiShape(kept, nil)
	return &out, nil
}

func deleteKPI(a *API, ctx context.Context, req *client.DeleteKPIRequest) (*struct{}, error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, kpiActor(ctx), req.ID, req.Reason)
}

func kpiVersions(a *API, ctx context.Context, req *client.IDRequest) (*client.List[client.KPIVersion], error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	list, err := book.Versions(ctx, req.ID)
	list = slices.DeleteFunc(list, func(c kpi.Custom) bool { return !seesTeam(whoOf(ctx), c.Team) })
	return listOf(list, err, func(c kpi.Custom) client.KPIVersion {
		v := client.KPIVersion{Version: c.Version, Title: c.Title, By: c.By, Reason: c.Reason, At: c.At, Dropped: c.Title == ""}
		if !v.Dropped {
			v.Formula = c.Formula()
			v.About, v.Unit, v.Direction, v.Owner, v.Team = c.About, c.Unit, c.Direction, c.Owner, c.Team
		}
		return v
	})
}

func assumption(a kpi.Assumption) client.Assumption { return client.Assumption(a) }

func assumptionsShape(a *kpi.Assumptions) *client.ValueAssumptions {
	if a == nil {
		return nil
	}
	out := &client.ValueAssumptions{
		Hour: assumption(a.Hour), Tasks: map[string]client.TaskWorth{}, Harm: map[string]client.Assumption{}, Source: a.Source, Version: a.Version, By: a.By, Reason: a.Reason, At: optionalTime(a.At),
	}
	for k, w := range a.Tasks {
		out.Tasks[k] = client.TaskWorth{Minutes: assumption(w.Minutes), Money: assumption(w.Money)}
	}
	for k, h := range a.Harm {
		out.Harm[k] = assumption(h)
	}
	return out
}

func listAssumptions(a *API, ctx context.Context, _ *struct{}) (*client.List[client.ValueAssumptions], error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	list, err := book.AssumptionVersions(ctx)
	return listOf(list, err, func(x kpi.Assumptions) client.ValueAssumptions { return *assumptionsShape(&x) })
}

func putAssumptions(a *API, ctx context.Context, req *client.ValueAssumptions) (*client.ValueAssumptions, error) {
	book, err := a.kpis()
	if err != nil {
		return nil, err
	}
	next := kpi.Assumptions{Hour: kpi.Assumption(req.Hour), Tasks: map[string]kpi.Worth{}, Harm: map[string]kpi.Assumption{}, Source: req.Source, Version: req.Version}
	for k, w := range req.Tasks {
		next.Tasks[k] = kpi.Worth{Minutes: kpi.Assumption(w.Minutes), Money: kpi.Assumption(w.Money)}
	}
	for k, h := range req.Harm {
		next.Harm[k] = kpi.Assumption(h)
	}
	kept, err := book.Assume(ctx, kpiActor(ctx), next, req.Reason)
	return assumptionsShape(kept), err
}

func valueLedger(a *API, ctx context.Context, req *client.KPIScope) (*client.ValueLedger, error) {
	if _, err := a.kpis(); err != nil {
		return nil, err
	}
	q, err := a.kpiQuestion(req)
	if err != nil {
		return nil, err
	}
	out := &client.ValueLedger{From: q.From, To: q.To, Currency: "USD", Assumptions: assumptionsShape(q.Ledger), Sensitivity: []client.ValueSwing{}, Lines: []client.ValueLine{}}
	res, err := a.ask(ctx, telemetry.Query{Table: "runs", From: q.From, To: q.To, Where: search.Both(q.Where["runs"], search.Is("status", "done", "stale"), search.Unknown("outcome"), search.Is("failed", "false"))})
	if err != nil {
		return nil, err
	}
	if len(res.Rows) == 1 {
		out.Unknown = newAnswers(res).count(res.Rows[0], "count")
	}
	if q.Ledger == nil {
		return out, nil
	}
	l, err := kpi.Value(ctx, a.ask, q)
	if err != nil {
		return nil, err
	}
	out.Value, out.Cost, out.People, out.Harm, out.Net, out.Low, out.High = &l.Value, &l.Cost, &l.People, &l.Harm, &l.Net, &l.Low, &l.High
	out.Runs, out.Valued, out.Priced = l.Runs, l.Valued, l.Priced
	for _, s := range l.Sensitivity {
		out.Sensitivity = append(out.Sensitivity, client.ValueSwing{Name: s.Name, Low: s.Low.At, NetLow: s.Low.Net, High: s.High.At, NetHigh: s.High.Net})
	}
	for _, x := range l.Lines {
		where := q.Where["runs"]
		if x.Task == "" {
			where = search.Both(where, search.Unknown("task"))
		} else {
			where = search.Both(where, search.Is("task", x.Task))
		}
		query := "outcome:" + x.Outcome
		if x.Outcome == outcomeFailed {
			query = failedRuns
		}
		query = narrow("("+query+") -mode:test", where) // the ledger has no test runs
		out.Lines = append(out.Lines, client.ValueLine{Task: x.Task, Outcome: x.Outcome, Runs: x.Runs, Value: x.Value, Cost: x.Cost, Minutes: x.Waiting, Harm: x.Harm, Records: query})
	}
	slices.SortFunc(out.Lines, func(x, y client.ValueLine) int {
		return cmp.Or(cmp.Compare(x.Task, y.Task), cmp.Compare(y.Runs, x.Runs), cmp.Compare(x.Outcome, y.Outcome))
	})
	return out, nil
}

// together does n things, at most so many at once.
func together(ctx context.Context, atOnce, n int, do func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range n {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}
