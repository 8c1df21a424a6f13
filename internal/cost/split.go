package cost

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Question is what is asked of a period.
type Question struct {
	From, To time.Time
	By       string      // one of Dimensions; "" asks for the whole alone
	Where    search.Expr // of steps; nil: all
	Runs     search.Expr // the same of runs, where a question is about those
	Limit    int         // rows; 0: 200
	// Label is the cost centre that an agent's own label names; may be nil.
	Label func(agent string) string
}

// Line is what one agent, user, model... cost.
type Line struct {
	Name  string            // "" where its records name none
	Parts map[string]string // what else tells it from others: the agent of a version, the run of a call
	At    time.Time         // of a day or month, and of a call; else zero

	Cost     *float64 // in the currency of the settings; nil: unknown
	Calls    int64    // of models
	Unpriced int64    // of them, whose money is unknown
	Tokens   *float64
	Minutes  float64  // of people, waited for
	People   *float64 // what those minutes cost; nil: nobody said what an hour costs
}

// Split is a period's cost by something.
type Split struct {
	Currency string
	Lines    []Line // the dearest first; days and months in their order
	Total    Line
	More     int   // lines that are not told
	Rest     *Line // what they come to together; nil: every line is told
}

// Dimensions are what cost is split by, with what the store calls them. A version
// and a task are told with their agent: their names alone say little.
var Dimensions = []string{"call", "run", "session", "user", "team", "agent", "version", "task", "outcome", "model", "provider", "environment", "centre", "day", "month"}

// groups are the store's dimensions; the first is a line's name.
var groups = map[string][]string{
	"":            {},
	"call":        {"call", "run", "team", "environment", "agent", "model", "at"},
	"run":         {"run", "agent", "run_task", "run_outcome"},
	"session":     {"run_session", "team"},
	"user":        {"run_user"},
	"team":        {"team"},
	"agent":       {"agent", "team"},
	"version":     {"run_version", "agent"},
	"task":        {"run_task", "agent"},
	"outcome":     {"run_outcome"},
	"model":       {"model", "provider"},
	"provider":    {"provider"},
	"environment": {"environment"},
	"centre":      {"team", "agent", "environment"},
}

const (
	defaultLines = 200
	maxLines     = 2000
	maxRows      = 20_000
)

// Split answers a question.
func (b *Book) Split(ctx context.Context, ask Ask, q Question) (Split, error) {
	s := b.Settings()
	out := Split{Currency: s.Currency}
	sum := newSum()
	if err := b.add(ctx, ask, &s, q.Where, q.From, q.To, nil, sum, nil); err != nil {
		return out, err
	}
	whole := sum.lines(&s, nil)
	if len(whole) > 0 {
		out.Total = whole[0]
	}
	if q.By == "" {
		return out, nil
	}
	lines, cut, err := b.lines(ctx, ask, &s, q)
	if err != nil {
		return out, err
	}
	if q.By != "day" && q.By != "month" {
		slices.SortStableFunc(lines, dearest)
	}
	limit := min(cmp.Or(q.Limit, defaultLines), maxLines)
	if len(lines) > limit {
		out.More = len(lines) - limit
		lines = lines[:limit]
	}
	out.Lines = lines
	if out.More > 0 || cut || q.By == "call" {
		out.Rest = rest(&out.Total, lines)
	}
	return out, nil
}

// rest is what a whole has beside its lines; nil for nothing.
func rest(total *Line, lines []Line) *Line {
	var told Line
	for i := range lines {
		told.take(&lines[i])
	}
	less := func(all, some *float64) *float64 {
		if all == nil || some == nil {
			return all
		}
		v := max(0, *all-*some)
		return &v
	}
	r := &Line{Calls: total.Calls - told.Calls, Unpriced: total.Unpriced - told.Unpriced, Minutes: max(0, total.Minutes-told.Minutes), Cost: less(total.Cost, told.Cost), Tokens: less(total.Tokens, told.Tokens), People: less(total.People, told.People)}
	if r.Calls <= 0 {
		return nil
	}
	return r
}

func dearest(x, y Line) int {
	v := func(l Line) float64 {
		if l.Cost == nil {
			return -1
		}
		return *l.Cost
	}
	return cmp.Or(cmp.Compare(v(y), v(x)), cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Name, y.Name))
}

// lines are those of a split; cut says that the store had more than it told.
func (b *Book) lines(ctx context.Context, ask Ask, s *Settings, q Question) (lines []Line, cut bool, err error) {
	switch q.By {
	case "day", "month":
		lines, err = b.times(ctx, ask, s, q)
		return lines, false, err
	case "call":
		lines, err = b.calls(ctx, ask, s, q)
		return lines, false, err
	}
	by, ok := groups[q.By]
	if !ok {
		return nil, false, invalid("cost is not split by %.40q", q.By).WithHint("%s", strings.Join(Dimensions, ", "))
	}
	sum := newSum()
	rename := func(parts []string) []string { return parts }
	if q.By == "centre" {
		rename = func(parts []string) []string {
			label := ""
			if q.Label != nil {
				label = q.Label(parts[1])
			}
			return []string{s.Centre(parts[0], parts[1], parts[2], label)}
		}
		by = groups["centre"]
	}
	if err := b.add(ctx, ask, s, q.Where, q.From, q.To, by, sum, rename); err != nil {
		return nil, false, err
	}
	if q.By == "centre" {
		by = []string{"centre"}
	}
	lines = sum.lines(s, by)
	if q.By == "run" {
		for i := range lines {
			lines[i].Name = runName(lines[i].Name)
		}
	}
	return lines, sum.cut, nil
}

func runName(uuid string) string {
	var id activity.RunID
	if !telemetry.ParseUUID(uuid, (*[16]byte)(&id)) {
		return ""
	}
	return id.String()
}

// times are the days or months of a period.
func (b *Book) times(ctx context.Context, ask Ask, s *Settings, q Question) ([]Line, error) {
	z := s.Location()
	parts, form := days(q.From, q.To, z), time.DateOnly
	if q.By == "month" {
		form = "2006-01"
		merged := parts[:0]
		for _, d := range parts {
			if n := len(merged); n > 0 && merged[n-1].from.In(z).Format(form) == d.from.In(z).Format(form) {
				merged[n-1].to = d.to
				continue
			}
			merged = append(merged, d)
		}
		parts = merged
	}
	if len(parts) > 400 {
		return nil, invalid("the period has more than 400 days").WithHint("ask by month")
	}
	byDay, err := b.daily(ctx, ask, s, q.Where, q.From, q.To)
	if err != nil {
		return nil, err
	}
	out := make([]Line, 0, len(parts))
	for _, p := range parts {
		l := Line{Name: p.from.In(z).Format(form), At: p.from}
		for _, d := range byDay {
			if !d.At.Before(p.from) && d.At.Before(p.to) {
				l.take(&d)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// take adds a line to another.
func (l *Line) take(o *Line) {
	add := func(to **float64, v *float64) {
		if v == nil {
			return
		}
		sum := *v
		if *to != nil {
			sum += **to
		}
		*to = &sum
	}
	add(&l.Cost, o.Cost)
	add(&l.Tokens, o.Tokens)
	add(&l.People, o.People)
	l.Calls, l.Unpriced, l.Minutes = l.Calls+o.Calls, l.Unpriced+o.Unpriced, l.Minutes+o.Minutes
}

// daily is a line for each piece of time in which something was: hours, or quarters
// of one where the zone's days begin between two hours of UTC.
func (b *Book) daily(ctx context.Context, ask Ask, s *Settings, where search.Expr, from, to time.Time) ([]Line, error) {
	bucket := 24 * time.Hour
	for at := from; at.Before(to); at = at.Add(7 * 24 * time.Hour) {
		switch _, offset := at.In(s.Location()).Zone(); {
		case offset%3600 != 0:
			bucket = 15 * time.Minute
		case offset != 0:
			bucket = min(bucket, time.Hour)
		}
	}
	sum := newSum()
	r := s.rates()
	// Cut in parts that fit into one answer.
	step := 60 * 24 * time.Hour
	for ; from.Before(to); from = from.Add(step) {
		end := from.Add(step)
		if end.After(to) {
			end = to
		}
		q := question(where, from, end, nil)
		q.Bucket = bucket
		res, err := ask(ctx, q)
		if err != nil {
			return nil, err
		}
		t := newTable(res)
		for _, row := range res.Rows {
			ns, _ := t.number(row, "time")
			at := time.Unix(0, int64(ns))
			if at.Before(from) {
				at = from // a bucket begins before the period does
			}
			sum.put(t, row, []string{strconv.FormatInt(at.UnixNano(), 10)}, r, at)
		}
	}
	out := sum.lines(s, []string{"at"})
	for i := range out {
		ns, _ := strconv.ParseInt(out[i].Name, 10, 64) // written above
		out[i].At = time.Unix(0, ns)
	}
	slices.SortFunc(out, func(x, y Line) int { return x.At.Compare(y.At) })
	return out, nil
}

// calls are the dearest calls.
func (b *Book) calls(ctx context.Context, ask Ask, s *Settings, q Question) ([]Line, error) {
	limit := min(cmp.Or(q.Limit, 50), 500)
	where := search.Both(search.Is("call", "true"), search.Is("counted", "true"), q.Where)
	res, err := ask(ctx, telemetry.Query{
		Table: "steps", From: q.From, To: q.To, Where: search.Both(where, search.AtLeast("cost", 0)), GroupBy: []string{"currency"}, Limit: 100,
		Select: []telemetry.Measure{{Func: "count", Field: "cost", As: "n"}},
	})
	if err != nil || len(res.Rows) == 0 {
		return nil, err
	}
	// In one currency all but so many are below a quantile, and need no sorting.
	if n, _ := newTable(res).number(res.Rows[0], "n"); len(res.Rows) == 1 && n > float64(limit) {
		at := 1 - float64(limit)/n
		if res, err = ask(ctx, telemetry.Query{Table: "steps", From: q.From, To: q.To, Where: where, Select: []telemetry.Measure{{Func: "quantile", Field: "cost", At: at, As: "q"}}}); err != nil {
			return nil, err
		}
		if least, ok := newTable(res).number(res.Rows[0], "q"); ok && least > 0 {
			where = search.Both(where, search.AtLeast("cost", least*(1-1e-9)))
		}
	}
	sum := newSum()
	if err := b.add(ctx, ask, s, where, q.From, q.To, groups["call"], sum, nil); err != nil {
		return nil, err
	}
	out := sum.lines(s, groups["call"])
	for i := range out {
		l := &out[i]
		id := telemetry.ParseCall(l.Name, l.Parts["team"], l.Parts["environment"])
		ns, _ := strconv.ParseInt(l.Parts["at"], 10, 64) // 0 where it is none: it is told without a time
		l.Parts["run"] = runName(l.Parts["run"])
		delete(l.Parts, "at")
		if l.Name = ""; !id.IsZero() {
			l.Name = id.String()
		}
		if ns != 0 {
			l.At = time.Unix(0, ns).UTC()
		}
	}
	slices.SortStableFunc(out, dearest)
	return out[:min(len(out), limit)], nil
}

// question is what is asked of steps for any split.
func question(where search.Expr, from, to time.Time, by []string) telemetry.Query {
	call := search.Both(search.Is("call", "true"), search.Is("counted", "true"))
	human := search.Is("kind", "human")
	return telemetry.Query{
		Table: "steps", From: from, To: to, Limit: maxRows, OrderBy: "-cost",
		Where:   search.Both(search.Either(call, human), where),
		GroupBy: append(append([]string{}, by...), "currency"),
		Select: []telemetry.Measure{
			{Func: "count", As: "calls", Where: call},
			{Func: "sum", Field: "cost", As: "cost", Where: call},
			{Func: "count", As: "unpriced", Where: search.Both(call, search.Unknown("cost"))},
			{Func: "sum", Field: "tokens", As: "tokens", Where: call},
			{Func: "sum", Field: "duration_ms", As: "waited", Where: human},
		},
	}
}

// add asks for a period, cut where rates change, and adds up what comes.
func (b *Book) add(ctx context.Context, ask Ask, s *Settings, where search.Expr, from, to time.Time, by []string, into *sum, rename func([]string) []string) error {
	r := s.rates()
	spans, err := r.spans(from, to)
	if err != nil {
		return err
	}
	for _, p := range spans {
		res, err := ask(ctx, question(where, p.from, p.to, by))
		if err != nil {
			return err
		}
		into.cut = into.cut || len(res.Rows) >= maxRows
		t := newTable(res)
		for _, row := range res.Rows {
			parts := make([]string, len(by))
			for i, name := range by {
				parts[i] = t.text(row, name)
			}
			if rename != nil {
				parts = rename(parts)
			}
			into.put(t, row, parts, r, p.from)
		}
	}
	return nil
}

// sum adds up rows of several currencies and times.
type sum struct {
	at    map[string]int
	parts [][]string
	of    []Line
	cut   bool // the store had more rows than it told
}

func newSum() *sum { return &sum{at: map[string]int{}} }

func (s *sum) put(t *table, row []any, parts []string, r *rates, at time.Time) {
	key := strings.Join(parts, "\x00")
	i, ok := s.at[key]
	if !ok {
		i = len(s.of)
		s.at[key] = i
		s.parts, s.of = append(s.parts, parts), append(s.of, Line{})
	}
	l := &s.of[i]
	calls, _ := t.number(row, "calls")
	unpriced, _ := t.number(row, "unpriced")
	l.Calls += int64(calls)
	if money, ok := t.number(row, "cost"); ok {
		if f, known := r.factor(cmp.Or(t.text(row, "currency"), "USD"), at); known {
			v := money * f
			if l.Cost != nil {
				v += *l.Cost
			}
			l.Cost = &v
		} else {
			unpriced = calls
		}
	}
	l.Unpriced += int64(unpriced)
	if n, ok := t.number(row, "tokens"); ok {
		if l.Tokens != nil {
			n += *l.Tokens
		}
		l.Tokens = &n
	}
	if ms, ok := t.number(row, "waited"); ok {
		l.Minutes += ms / 60_000
	}
}

// lines names what was added up.
func (s *sum) lines(settings *Settings, by []string) []Line {
	for i := range s.of {
		l := &s.of[i]
		if len(by) > 0 {
			l.Name = s.parts[i][0]
		}
		for j := 1; j < len(by); j++ {
			if l.Parts == nil {
				l.Parts = map[string]string{}
			}
			l.Parts[strings.TrimPrefix(by[j], "run_")] = s.parts[i][j]
		}
		if settings.Hour > 0 {
			v := l.Minutes / 60 * settings.Hour
			l.People = &v
		}
	}
	return s.of
}

// table reads the rows of an answer by name.
type table struct{ at map[string]int }

func newTable(r *telemetry.Result) *table {
	t := &table{at: map[string]int{}}
	for i, c := range r.Columns {
		t.at[c.Name] = i
	}
	return t
}

func (t *table) text(row []any, name string) string {
	if i, ok := t.at[name]; ok {
		s, _ := row[i].(string)
		return s
	}
	return ""
}

func (t *table) number(row []any, name string) (float64, bool) {
	i, ok := t.at[name]
	if !ok {
		return 0, false
	}
	switch v := row[i].(type) {
	case float64:
		return v, !math.IsNaN(v)
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}
