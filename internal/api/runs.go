package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

const (
	defaultRuns     = 50
	defaultSteps    = 10_000
	defaultMessages = 2_000
	defaultLogs     = 200
	defaultPoints   = 1_000
)

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// parseSearch reads a search.
func parseSearch(scope search.Scope, q string) (search.Expr, error) {
	return parsed(search.ParseIn(scope, q))
}

// parseRuns reads a search over runs that somebody looks at: what it asks of topics is
// found out first, in a period.
func (a *API) parseRuns(ctx context.Context, q string, from, to time.Time) (search.Expr, error) {
	e, err := parsed(search.ParseAsked(search.ScopeRun, q))
	if err != nil || !search.Names(e, "topic") {
		return e, err
	}
	return search.Resolve(search.ScopeRun, e, func(c *search.Cmp) (search.Expr, error) { return a.runsAbout(ctx, c, from, to) })
}

// parseRows reads a search over steps or decisions that somebody looks at: which runs
// are of a mode is found out first. Their steps and decisions lie in the period; they
// may have begun a week before it, as figures count.
func (a *API) parseRows(ctx context.Context, scope search.Scope, q string, from, to time.Time) (search.Expr, error) {
	e, err := parsed(search.ParseAsked(scope, q))
	if err != nil || !search.Names(e, search.FieldRunMode) {
		return e, err
	}
	if !from.IsZero() {
		from = from.Add(-7 * 24 * time.Hour)
	}
	return search.Resolve(scope, e, func(c *search.Cmp) (search.Expr, error) { return a.runsOfMode(ctx, c, from, to) })
}

// runsOfMode are the runs that a comparison with their mode means. It asks beyond the
// caller's reach, which narrows the rows that are shown: their runs may be of another
// team.
func (a *API) runsOfMode(ctx context.Context, c *search.Cmp, from, to time.Time) (search.Expr, error) {
	is := &search.Cmp{Field: c.Field, Op: ":", Values: c.Values}
	res, err := a.o.Store.Query(ctx, telemetry.Query{
		Table: "runs", GroupBy: []string{"run"}, From: from, To: to, Limit: mostAbout + 1,
		Where: &search.Cmp{Field: "mode", Op: ":", Values: c.Values}, Select: []telemetry.Measure{{Func: "count", As: "n"}},
	})
	if err != nil {
		return nil, err
	}
	if len(res.Rows) > mostAbout {
		return nil, fault.New(fault.KindInvalid, "search.too_many_runs", "more than %d runs of the period are meant by %s", mostAbout, clip(c.String(), 100)).
			WithHint("give a shorter period, or search runs: mode:... with any(...)")
	}
	out := &search.Among{Runs: make(map[activity.RunID]bool, len(res.Rows)), Said: is}
	for _, row := range res.Rows {
		text, _ := row[0].(string)
		var id activity.RunID
		if telemetry.ParseUUID(text, (*[16]byte)(&id)) {
			out.Runs[id] = true
		}
	}
	if c.Op == "!=" {
		return &search.Not{Of: out}, nil
	}
	return out, nil
}

// parsed turns the error of a search into a problem.
func parsed(e search.Expr, err error) (search.Expr, error) {
	if err == nil {
		return e, nil
	}
	var se *search.SyntaxError
	if errors.As(err, &se) {
		f := fault.New(fault.KindInvalid, "search.syntax", "%s at character %d", se.Problem, se.Offset+1)
		switch {
		case se.Hint != "" && se.Expected != "":
			return nil, f.WithHint("expected %s; %s", se.Expected, se.Hint)
		case se.Expected != "":
			return nil, f.WithHint("expected %s", se.Expected)
		}
		return nil, f.WithHint("%s", se.Hint)
	}
	return nil, err
}

func (a *API) period(from, to string) (f, t time.Time, err error) {
	now := a.o.Now()
	for _, p := range []struct {
		name, text string
		into       *time.Time
	}{{"from", from, &f}, {"to", to, &t}} {
		if p.text == "" {
			continue
		}
		if *p.into, err = search.ParseTime(p.text, now); err != nil {
			return f, t, fault.New(fault.KindInvalid, "api.parameter_invalid", "%s is %q, which is no time", p.name, clip(p.text, 100)).
				WithHint("RFC 3339 such as 2026-01-31T08:00:00Z, or a distance from now such as -24h")
		}
	}
	if !f.IsZero() && !t.IsZero() && !f.Before(t) {
		return f, t, fault.New(fault.KindInvalid, "api.period", "the period ends before it starts")
	}
	return f, t, nil
}

func words(field, values string) search.Expr {
	if values == "" {
		return nil
	}
	c := &search.Cmp{Field: field, Op: ":"}
	for _, v := range strings.Split(values, ",") {
		if v == "unknown" {
			c.Values = append(c.Values, v)
		} else {
			c.Values = append(c.Values, search.Is(field, v).Values...)
		}
	}
	return c
}

func exactly(field, value string) search.Expr {
	if value == "" {
		return nil
	}
	return search.Is(field, value)
}

// sorts are the orders of a list of runs; the key grows with what comes first
// in the default direction.
var sorts = map[string]func(*activity.Run) float64{
	"started":  func(r *activity.Run) float64 { return float64(r.Start) },
	"updated":  func(r *activity.Run) float64 { return float64(r.Updated) },
	"duration": func(r *activity.Run) float64 { return sortable(float64(r.End-r.Start), r.End != activity.Unknown) },
	"cost": func(r *activity.Run) float64 {
		return sortable(float64(r.Cost.Nanos), r.Cost.Basis != activity.CostUnknown)
	},
	"steps":  func(r *activity.Run) float64 { return float64(r.Steps) },
	"errors": func(r *activity.Run) float64 { return float64(r.Errors) },
	"tokens": func(r *activity.Run) float64 {
		return sortable(float64(max(r.Usage.InputTotal, 0)+max(r.Usage.OutputTotal, 0)), r.Usage.Known())
	},
}

func sortable(v float64, known bool) float64 {
	if !known {
		return -1
	}
	return v
}

func listRuns(a *API, ctx context.Context, req *client.ListRunsRequest) (*client.List[client.Run], error) {
	q, err := a.runsQuery(ctx, req)
	if err != nil {
		return nil, err
	}
	page, err := a.runs(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Run]{Items: make([]client.Run, 0, len(page.Runs)), Next: page.Next}
	joined := search.Names(q.Filter, "flag") || req.TraceID != "" // asked for by name
	for i := range page.Runs {
		r := runOf(&page.Runs[i])
		if r.Joined && !joined {
			continue
		}
		a.nameState(&r)
		out.Items = append(out.Items, r)
	}
	return out, nil
}

// nameState says what the register knows of the agent that a run names.
func (a *API) nameState(r *client.Run) {
	if a.o.Fleet != nil && r.Agent != "" {
		r.AgentState, r.Registered = a.o.Fleet.NameState(r.Team, r.Environment, r.Agent)
	}
}

// runsQuery turns a request into a question that the caller may ask.
func (a *API) runsQuery(ctx context.Context, req *client.ListRunsRequest) (telemetry.RunsQuery, error) {
	var q telemetry.RunsQuery
	var err error
	if q.From, q.To, err = a.period(req.From, req.To); err != nil {
		return q, err
	}
	typed, err := a.parseRuns(ctx, req.Query, q.From, q.To)
	if err != nil {
		return q, err
	}
	who := whoOf(ctx)
	typed, role := phrases(who, search.ScopeRun, typed)
	var only search.Expr
	q.Content = role == identity.Reader
	q.Teams, only = reachOf(who, role)
	filters := []search.Expr{
		a.agentIs(who, req.Agent), exactly("session", req.Session), exactly("trace_id", req.TraceID),
		exactly("environment", req.Environment), exactly("team", req.Team), words("outcome", req.Outcome), words("status", req.Status), typed, only,
	}
	q.Filter = search.Both(filters...)
	q.Sort, q.Limit, q.Cursor = cmp.Or(req.Sort, "started"), orDefault(req.Limit, defaultRuns), req.Cursor
	if sorts[strings.TrimPrefix(q.Sort, "-")] == nil {
		return q, fault.New(fault.KindInvalid, "api.sort", "runs cannot be sorted by %s", clip(q.Sort, 50)).
			WithHint("started, updated, duration, cost, steps, errors or tokens; - before it turns it round")
	}
	return q, nil
}

// agentIs is the runs of an agent: for a registered one also those that came
// under another name and were matched to it. Runs keep the name they came with.
func (a *API) agentIs(who identity.Principal, name string) search.Expr {
	if name == "" || a.o.Fleet == nil || len(a.mayName(who, []string{name})) == 0 {
		return exactly("agent", name)
	}
	return search.Is("agent", a.o.Fleet.Aliases(name)...)
}

// phrases decides where the phrases of a search are looked for: in content, and
// then only in what the caller may read, since the answer tells what the
// messages say; or in names and errors for who may read none.
func phrases(who identity.Principal, scope search.Scope, e search.Expr) (search.Expr, identity.Role) {
	switch {
	case !search.HasText(e):
		return e, identity.Viewer
	case !somewhere(who, identity.Reader):
		return search.WithoutContent(scope, e), identity.Viewer
	}
	return e, identity.Reader
}

var errContentSearch = fault.New(fault.KindDenied, "api.content_search", "looking for words in content needs the role reader").
	WithHint("search fields such as agent:, status: or error_type: instead")

// runsCursor is where a merged list goes on: the store's own cursor, and the
// last row shown, so that rows in memory are not shown twice.
type runsCursor struct {
	Store string  `json:"s,omitempty"`
	Key   float64 `json:"k"`
	ID    string  `json:"i"`
	End   bool    `json:"e,omitempty"` // the store has no more
}

var errCursor = fault.New(fault.KindInvalid, "api.cursor", "this cursor is not one of ours").
	WithHint("pass next of the page before with the same filters, or leave it out")

func readCursor(text string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, into) != nil {
		return errCursor
	}
	return nil
}

func writeCursor(c any) string {
	b, err := json.Marshal(c)
	if err != nil { // strings and numbers: cannot happen
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// runs lists runs from the store with those in memory laid over: a run in
// memory stands where its newest state says, and its older row is left out.
func (a *API) runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error) {
	order, desc := sorts[strings.TrimPrefix(q.Sort, "-")], !strings.HasPrefix(q.Sort, "-")
	before := func(x, y *activity.Run) int {
		c := cmp.Compare(order(y), order(x))
		if !desc {
			c = -c
		}
		return cmp.Or(c, strings.Compare(x.ID.String(), y.ID.String()))
	}
	var cur runsCursor
	if q.Cursor != "" {
		if err := readCursor(q.Cursor, &cur); err != nil {
			return telemetry.RunsPage{}, err
		}
	}
	live := a.liveRuns(q)
	hot := make(map[activity.RunID]bool, len(live))
	for i := range live {
		hot[live[i].ID] = true
	}
	if q.Cursor != "" {
		live = slices.DeleteFunc(live, func(r activity.Run) bool {
			c := cmp.Compare(cur.Key, order(&r))
			if !desc {
				c = -c
			}
			return cmp.Or(c, strings.Compare(r.ID.String(), cur.ID)) <= 0
		})
	}
	slices.SortFunc(live, func(x, y activity.Run) int { return before(&x, &y) })

	var out []activity.Run
	next := runsCursor{Store: cur.Store, End: cur.End}
	for len(out) < q.Limit && !next.End {
		ask := q
		ask.Cursor, ask.Limit = next.Store, q.Limit-len(out)
		page, err := a.o.Store.Runs(ctx, ask)
		if err != nil {
			return telemetry.RunsPage{}, err
		}
		rows, used, taken := len(page.Runs), 0, 0
		for used < rows && len(out) < q.Limit {
			r := &page.Runs[used]
			if taken < len(live) && before(&live[taken], r) < 0 {
				out = append(out, live[taken])
				taken++
				continue
			}
			used++
			if newer, ok := a.newer(r, q, hot); !ok {
				continue
			} else if newer != nil {
				r = newer
			}
			out = append(out, *r)
		}
		live = live[taken:]
		switch {
		case used == rows:
			next.Store, next.End = page.Next, page.Next == ""
		case used > 0:
			// Rows in memory took places: the cursor must stand after the rows
			// that were used, and only the store can make it.
			ask.Limit = used
			if page, err = a.o.Store.Runs(ctx, ask); err != nil {
				return telemetry.RunsPage{}, err
			}
			next.Store, next.End = page.Next, page.Next == ""
		}
		if used < rows {
			break
		}
	}
	if next.End {
		n := min(len(live), q.Limit-len(out))
		out, live = append(out, live[:n]...), live[n:]
	}
	page := telemetry.RunsPage{Runs: out}
	if len(out) > 0 && (!next.End || len(live) > 0) {
		last := &out[len(out)-1]
		next.Key, next.ID = order(last), last.ID.String()
		page.Next = writeCursor(next)
	}
	return page, nil
}

// liveRuns are the runs in memory that fulfil a question.
func (a *API) liveRuns(q telemetry.RunsQuery) []activity.Run {
	if a.o.Live == nil {
		return nil
	}
	return slices.DeleteFunc(a.o.Live.LiveRuns(q.Filter), func(r activity.Run) bool {
		return !inPeriod(&r, q.From, q.To) || q.Teams != nil && !slices.Contains(q.Teams, r.Team)
	})
}

func inPeriod(r *activity.Run, from, to time.Time) bool {
	return (from.IsZero() || r.Start >= from.UnixNano()) && (to.IsZero() || r.Start < to.UnixNano())
}

// newer looks whether memory holds a newer state of a stored row. It returns
// the row to show in its place (nil: the stored one), or false when the newer
// state stands elsewhere in the list or no longer fulfils the question.
func (a *API) newer(r *activity.Run, q telemetry.RunsQuery, hot map[activity.RunID]bool) (*activity.Run, bool) {
	if a.o.Live == nil {
		return nil, true
	}
	if hot[r.ID] {
		return nil, false
	}
	run, ok := a.o.Live.LiveRun(r.ID)
	if !ok || run.Revision < r.Revision || run.Revision == r.Revision && run.Updated == r.Updated && run.Status == r.Status {
		return nil, true
	}
	if search.HasText(q.Filter) || search.LooksAtSteps(q.Filter) {
		// Memory does not hold content, nor steps that are stored already: the
		// store's yes counts, and memory gives the newer figures.
		return run, true
	}
	fits, err := search.MatchAt(q.Filter, a.o.Now(), run, nil)
	return run, err == nil && fits && inPeriod(run, q.From, q.To)
}

// run reads one run, the newest of store and memory, that the caller may see.
func (a *API) run(ctx context.Context, text string) (*activity.Run, error) {
	id, err := activity.ParseRunID(text)
	if err != nil {
		return nil, errNoRun(text)
	}
	var run *activity.Run
	if a.o.Live != nil {
		run, _ = a.o.Live.LiveRun(id)
	}
	if run == nil {
		run, err = a.o.Store.Run(ctx, id)
		if fault.Is(err, fault.KindNotFound) {
			return nil, errNoRun(text)
		}
		if err != nil {
			return nil, err
		}
	}
	if !whoOf(ctx).Can(identity.Viewer, run.Team, run.Environment) {
		// Whoever may not know that it exists gets the same answer.
		return nil, errNoRun(text)
	}
	return run, nil
}

func errNoRun(id string) error {
	return fault.New(fault.KindNotFound, "run.not_found", "there is no run %s", clip(id, 60)).
		WithHint("it may have been dropped by retention, or belong to a team you cannot see")
}

func getRun(a *API, ctx context.Context, req *client.RunRequest) (*client.Run, error) {
	r, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := runOf(r)
	a.nameState(&out)
	for _, l := range r.Links {
		out.Linked = append(out.Linked, a.linked(ctx, l))
	}
	return &out, nil
}

// linked is what the caller may know of a linked run.
func (a *API) linked(ctx context.Context, l activity.RunLink) client.LinkedRun {
	out := client.LinkedRun{RunID: l.Run.String(), Kind: l.Kind.String()}
	r, err := a.run(ctx, out.RunID)
	if err != nil {
		return out // gone, of another team, or never seen: the link is all there is
	}
	usage, cost := usageOf(r.Usage), costOf(r.Cost)
	out.Name, out.Agent, out.Status, out.Joined = r.Name, r.Agent, r.Status.String(), r.Flags&activity.FlagJoined != 0
	out.Usage, out.Cost = &usage, &cost
	return out
}

// Reading a page takes some 2 kB a step: 100 MB for the largest. A few large ones
// at a time are read, the others wait.
const (
	largePage     = 20_000 // steps
	maxLargeReads = 2
)

// enterLarge waits for a slot if so many steps are large; the request gives it
// back when its answer is written.
func (a *API) enterLarge(ctx context.Context, steps int64) error {
	if steps < largePage {
		return nil
	}
	select {
	case a.large <- struct{}{}:
		callOf(ctx).release = func() { <-a.large }
		return nil
	case <-ctx.Done():
		return fault.New(fault.KindExhausted, "api.busy", "other large runs are being read").WithHint("ask again in a few seconds")
	}
}

// hotSteps are the steps of a run that the store does not have, or not as new.
func (a *API) hotSteps(id activity.RunID) []activity.Step {
	if a.o.Live == nil {
		return nil
	}
	_, hot, _, _ := a.o.Live.Live(id)
	return hot
}

// steps reads a page of a run's steps, store and memory together, by start.
func (a *API) steps(ctx context.Context, run *activity.Run, q telemetry.StepsQuery) (telemetry.StepsPage, error) {
	if err := a.enterLarge(ctx, min(run.Steps, int64(q.Limit))); err != nil {
		return telemetry.StepsPage{}, err
	}
	// Memory before the store: what moves from one to the other meanwhile is
	// seen twice, not never.
	hot := a.hotSteps(run.ID)
	for {
		page, err := a.o.Store.StepsPage(ctx, run.ID, q)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return telemetry.StepsPage{}, err
		}
		if len(hot) == 0 {
			return page, nil
		}
		last := len(page.Steps) - 1
		if last < 0 || !page.More {
			return overlay(page, hot, q, nil), nil
		}
		end := page.Steps[last]
		if page = overlay(page, hot, q, &end); len(page.Steps) > 0 {
			return page, nil
		}
		// All of them are elsewhere by now.
		q.After = telemetry.StepPlace{Start: end.Start, Step: end.Step}
	}
}

// overlay puts what memory knows over a page of the store that reaches to end
// (nil: to the end of the run). A step whose start moved is shown where it is
// now, on this page or another.
func overlay(page telemetry.StepsPage, hot []activity.Step, q telemetry.StepsQuery, end *activity.Step) telemetry.StepsPage {
	begin := activity.Step{Fragment: activity.Fragment{Start: q.After.Start, Step: q.After.Step}}
	inside := func(s activity.Step) bool {
		return (q.After == telemetry.StepPlace{} || telemetry.ByStart(s, begin) > 0) && (end == nil || telemetry.ByStart(s, *end) <= 0)
	}
	newer := make(map[activity.StepID]*activity.Step, len(hot))
	for i := range hot {
		newer[hot[i].Step] = &hot[i]
	}
	steps := page.Steps[:0]
	for _, s := range page.Steps {
		if h := newer[s.Step]; h == nil {
			steps = append(steps, s)
		} else if h.Revision < s.Revision {
			delete(newer, s.Step)
			steps = append(steps, s)
		}
	}
	for i := range hot {
		if newer[hot[i].Step] == &hot[i] && inside(hot[i]) {
			steps = append(steps, hot[i])
		}
	}
	slices.SortFunc(steps, telemetry.ByStart)
	if q.Limit > 0 && len(steps) > q.Limit {
		steps, page.More = steps[:q.Limit], true
	}
	page.Steps = steps
	return page
}

// stepCursor is the last step shown: its start and its id.
func stepCursor(s *activity.Step) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.Start))
	return base64.RawURLEncoding.EncodeToString(append(b, s.Step[:]...))
}

func parseStepCursor(cursor string) (telemetry.StepPlace, error) {
	if cursor == "" {
		return telemetry.StepPlace{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) != 24 {
		return telemetry.StepPlace{}, errCursor
	}
	return telemetry.StepPlace{Start: int64(binary.BigEndian.Uint64(b)), Step: activity.StepID(b[8:])}, nil
}

// maxFullSteps bounds a page of steps with content: each may carry megabytes.
const maxFullSteps = 1000

func listSteps(a *API, ctx context.Context, req *client.ListStepsRequest) (any, error) {
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if req.Content && !whoOf(ctx).Can(identity.Reader, run.Team, run.Environment) {
		return nil, errContent
	}
	q := telemetry.StepsQuery{Limit: orDefault(req.Limit, defaultSteps), Light: !req.Content}
	if req.Content {
		q.Limit = min(q.Limit, maxFullSteps)
	}
	if q.After, err = parseStepCursor(req.Cursor); err != nil {
		return nil, err
	}
	page, err := a.steps(ctx, run, q)
	if err != nil {
		return nil, err
	}
	steps, next := page.Steps, ""
	if page.More && len(steps) > 0 {
		next = stepCursor(&steps[len(steps)-1])
	}
	if !req.Content {
		return lightSteps{steps: steps, next: next}, nil
	}
	out := &client.List[client.Step]{Items: make([]client.Step, len(steps)), Next: next}
	for i := range steps {
		out.Items[i] = stepOf(&steps[i])
	}
	return out, a.fillContent(ctx, run.ID, steps, out.Items)
}

var errContent = fault.New(fault.KindDenied, "api.content", "reading content needs the role reader for the run's team and environment").
	WithHint("leave out content, or ask an admin for the role")

func getStep(a *API, ctx context.Context, req *client.StepRequest) (*client.Step, error) {
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	id, err := activity.ParseStepID(req.Step)
	if err != nil {
		return nil, errNoStep(req.Step)
	}
	step, err := a.step(ctx, run.ID, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil, errNoStep(req.Step)
	}
	if err != nil {
		return nil, err
	}
	out := []client.Step{stepOf(step)}
	if whoOf(ctx).Can(identity.Reader, run.Team, run.Environment) {
		if err := a.fillContent(ctx, run.ID, []activity.Step{*step}, out); err != nil {
			return nil, err
		}
	}
	return &out[0], nil
}

// step reads one step, the newer of store and memory.
func (a *API) step(ctx context.Context, run activity.RunID, id activity.StepID) (*activity.Step, error) {
	hot := a.hotSteps(run)
	step, err := a.o.Store.Step(ctx, run, id)
	if i := slices.IndexFunc(hot, func(s activity.Step) bool { return s.Step == id }); i >= 0 {
		if fault.Is(err, fault.KindNotFound) || err == nil && hot[i].Revision >= step.Revision {
			return &hot[i], nil
		}
	}
	return step, err
}

func errNoStep(id string) error {
	return fault.New(fault.KindNotFound, "run.step_not_found", "the run has no step %s", clip(id, 60))
}

// fillContent reads the messages that steps refer to and puts them where they
// belong.
func (a *API) fillContent(ctx context.Context, id activity.RunID, steps []activity.Step, out []client.Step) error {
	wanted := map[int32]bool{}
	for i := range steps {
		for k, ref := range steps[i].Refs {
			if !activity.Said(steps[i].Refs, k) {
				continue
			}
			for _, n := range ordinals(ref.Messages) {
				wanted[n] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	list := make([]int32, 0, len(wanted))
	for n := range wanted {
		list = append(list, n)
	}
	slices.Sort(list)
	msgs, err := a.messages(ctx, id, list)
	if err != nil {
		return err
	}
	at := make(map[int32]*activity.Message, len(msgs))
	for i := range msgs {
		at[msgs[i].Ordinal] = &msgs[i]
	}
	for i := range steps {
		for k, ref := range steps[i].Refs {
			if !activity.Said(steps[i].Refs, k) {
				continue
			}
			for _, n := range ordinals(ref.Messages) {
				if m := at[n]; m != nil {
					place(&out[i], ref.Field, m)
				}
			}
		}
	}
	return nil
}

func place(s *client.Step, field activity.ContentField, m *activity.Message) {
	switch field {
	case activity.ContentArguments, activity.ContentResult:
		if s.Tool == nil {
			s.Tool = &client.ToolCall{}
		}
		raw := string(m.Raw)
		if field == activity.ContentArguments {
			s.Tool.Arguments = &raw
		} else {
			s.Tool.Result = &raw
		}
		return
	}
	msg := messageOf(m, false)
	msg.Field = field.String()
	switch field {
	case activity.ContentOutput:
		s.Output = append(s.Output, msg)
	case activity.ContentSystem:
		s.System = append(s.System, msg)
	case activity.ContentTools:
		s.ToolsOffered = append(s.ToolsOffered, msg)
	case activity.ContentDocuments:
		s.Documents = append(s.Documents, msg)
	default:
		s.Input = append(s.Input, msg)
	}
}

// maxOrdinals bounds what a list of ranges may unfold to.
const maxOrdinals = 1 << 20

// ordinals unfolds "0-31,33". What is no ordinal is left out: the text comes
// from our own store.
func ordinals(text string) []int32 {
	var out []int32
	for _, part := range strings.Split(text, ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		from, err := strconv.ParseInt(lo, 10, 32)
		if err != nil || from < 0 {
			continue
		}
		to := from
		if isRange {
			if to, err = strconv.ParseInt(hi, 10, 32); err != nil {
				continue
			}
		}
		for n := from; n <= to && len(out) < maxOrdinals; n++ {
			out = append(out, int32(n))
		}
	}
	return out
}

// messages reads messages by ordinal, store and memory together; nil means
// all.
func (a *API) messages(ctx context.Context, id activity.RunID, list []int32) ([]activity.Message, error) {
	var hot []activity.Message
	if a.o.Live != nil {
		if _, _, m, ok := a.o.Live.Live(id); ok {
			hot = m
		}
	}
	msgs, err := a.o.Store.Messages(ctx, id, list)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return nil, err
	}
	have := make(map[int32]bool, len(msgs))
	for i := range msgs {
		have[msgs[i].Ordinal] = true
	}
	for _, m := range hot {
		_, asked := slices.BinarySearch(list, m.Ordinal)
		if !have[m.Ordinal] && m.Raw != nil && (list == nil || asked) {
			msgs = append(msgs, m)
		}
	}
	slices.SortFunc(msgs, func(x, y activity.Message) int { return cmp.Compare(x.Ordinal, y.Ordinal) })
	return msgs, nil
}

func listMessages(a *API, ctx context.Context, req *client.ListMessagesRequest) (*client.List[client.Message], error) {
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if !whoOf(ctx).Can(identity.Reader, run.Team, run.Environment) {
		return nil, errContent
	}
	var wanted []int32
	if req.Ordinals != "" {
		wanted = ordinals(req.Ordinals)
		slices.Sort(wanted)
		wanted = slices.Compact(wanted)
		if len(wanted) == 0 {
			return nil, fault.New(fault.KindInvalid, "api.parameter_invalid", "ordinals is no list of numbers").WithHint("0-31,33")
		}
	}
	after := int64(-1)
	if req.Cursor != "" {
		if after, err = strconv.ParseInt(req.Cursor, 10, 32); err != nil {
			return nil, errCursor
		}
	}
	limit := orDefault(req.Limit, defaultMessages)
	if wanted != nil {
		wanted = slices.DeleteFunc(wanted, func(n int32) bool { return int64(n) <= after })
		wanted = wanted[:min(len(wanted), limit+1)]
	}
	var msgs []activity.Message
	if wanted == nil || len(wanted) > 0 {
		if msgs, err = a.messages(ctx, run.ID, wanted); err != nil {
			return nil, err
		}
	}
	msgs = slices.DeleteFunc(msgs, func(m activity.Message) bool { return int64(m.Ordinal) <= after })
	out := &client.List[client.Message]{Items: []client.Message{}}
	if len(msgs) > limit {
		msgs = msgs[:limit]
		out.Next = strconv.Itoa(int(msgs[limit-1].Ordinal))
	}
	for i := range msgs {
		out.Items = append(out.Items, messageOf(&msgs[i], req.Raw))
	}
	return out, nil
}

func listRunLogs(a *API, ctx context.Context, req *client.ListRunLogsRequest) (*client.List[client.Log], error) {
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	reader := whoOf(ctx).Can(identity.Reader, run.Team, run.Environment)
	if req.Query != "" && !reader {
		return nil, errContentSearch
	}
	q := telemetry.LogsQuery{MinSeverity: int32(min(req.MinSeverity, 24)), Text: req.Query, Limit: orDefault(req.Limit, defaultLogs), Cursor: req.Cursor}
	if req.Around {
		q.OnlyLoose, q.Agent, q.Places = true, run.Agent, runPlaces(ctx, run)
		q.From, q.To = a.around(run)
	} else {
		q.Run = run.ID
	}
	return a.logs(ctx, q, func(*activity.LogRecord) bool { return reader })
}

// around is the time in which what names no run may be about one: from a minute
// before its start to a minute after its end.
func (a *API) around(run *activity.Run) (from, to time.Time) {
	to = a.o.Now()
	if run.End != activity.Unknown && run.Status != activity.RunRunning {
		to = at(run.End).Add(time.Minute)
	}
	return at(run.Start).Add(-time.Minute), to
}

// runPlaces are where the records and points that name no run are a run's agent's: its
// own place. Who sees everything sees those of no place, too, as older ones are.
func runPlaces(ctx context.Context, run *activity.Run) []telemetry.Place {
	places := []telemetry.Place{{Team: run.Team, Environment: run.Environment}}
	if whoOf(ctx).Everywhere(identity.Viewer) {
		places = append(places, telemetry.Place{})
	}
	return places
}

// rolePlaces are where somebody has a role; nil for everywhere.
func rolePlaces(ctx context.Context, role identity.Role) []telemetry.Place {
	out := []telemetry.Place{}
	for _, g := range whoOf(ctx).Scopes(role) {
		p := telemetry.Place{Team: g.Team, Environment: g.Environment}
		if g.Team == identity.Everything {
			p.Team = telemetry.Anywhere
		}
		if g.Environment == identity.Everything {
			p.Environment = telemetry.Anywhere
		}
		if p.Team == telemetry.Anywhere && p.Environment == telemetry.Anywhere {
			return nil
		}
		out = append(out, p)
	}
	return out
}

func listLogs(a *API, ctx context.Context, req *client.ListLogsRequest) (*client.List[client.Log], error) {
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	q := telemetry.LogsQuery{
		Agent: req.Agent, From: from, To: to, MinSeverity: int32(min(req.MinSeverity, 24)), Text: req.Query, OnlyLoose: req.Loose,
		Limit: orDefault(req.Limit, defaultLogs), Cursor: req.Cursor, Places: rolePlaces(ctx, identity.Viewer),
	}
	if req.Query != "" {
		// What is searched must be readable: a hit tells of it.
		if q.Places = rolePlaces(ctx, identity.Reader); q.Places != nil && len(q.Places) == 0 {
			return nil, errContentSearch
		}
	}
	who := whoOf(ctx)
	return a.logs(ctx, q, func(r *activity.LogRecord) bool {
		// Of records of before their place was kept only those may know who may all.
		if r.Team == "" && r.Environment == "" {
			return who.Everywhere(identity.Reader)
		}
		return who.Can(identity.Reader, r.Team, r.Environment)
	})
}

func (a *API) logs(ctx context.Context, q telemetry.LogsQuery, content func(*activity.LogRecord) bool) (*client.List[client.Log], error) {
	page, err := a.o.Store.Logs(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.Log]{Items: make([]client.Log, len(page.Logs)), Next: page.Next}
	for i := range page.Logs {
		out.Items[i] = logOf(&page.Logs[i], content(&page.Logs[i]))
	}
	return out, nil
}

func runMetrics(a *API, ctx context.Context, req *client.RunMetricsRequest) (*client.List[client.MetricPoint], error) {
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	from, to := a.around(run)
	return a.points(ctx, telemetry.MetricsQuery{
		Name: req.Name, Agent: run.Agent, From: from, To: to, Places: runPlaces(ctx, run), Limit: orDefault(req.Limit, defaultPoints), Cursor: req.Cursor,
	})
}

func listMetricPoints(a *API, ctx context.Context, req *client.ListMetricPointsRequest) (*client.List[client.MetricPoint], error) {
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	return a.points(ctx, telemetry.MetricsQuery{
		Name: req.Name, Agent: req.Agent, From: from, To: to, Places: rolePlaces(ctx, identity.Viewer), Limit: orDefault(req.Limit, defaultPoints), Cursor: req.Cursor,
	})
}

func (a *API) points(ctx context.Context, q telemetry.MetricsQuery) (*client.List[client.MetricPoint], error) {
	page, err := a.o.Store.Metrics(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.MetricPoint]{Items: make([]client.MetricPoint, len(page.Points)), Next: page.Next}
	for i := range page.Points {
		out.Items[i] = pointOf(&page.Points[i])
	}
	return out, nil
}
