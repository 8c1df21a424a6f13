package duck

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

const (
	defaultLimit = 50
	maxLimit     = 10_000
)

func pageLimit(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return min(n, maxLimit)
}

// place is where a page ended: the value it was sorted by and the id that
// breaks ties. Row numbers would shift while rows arrive.
type place struct {
	Sort  string `json:"s"`
	Value int64  `json:"v"`
	ID    []byte `json:"i"`
}

func (p place) cursor() string {
	b, _ := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s, sort string) (*place, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	var p place
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Sort != sort || len(p.ID) > 64 {
		return nil, fault.New(fault.KindInvalid, "telemetry.bad_cursor", "the cursor does not belong to this list").
			WithHint("start again without it")
	}
	return &p, nil
}

var runSorts = map[string]string{
	"started": "start", "duration": "coalesce(duration, -1)", "cost": "coalesce(cost, -1)", "steps": "steps",
	"errors": "errors", "tokens": "coalesce(tokens, -1)", "updated": "updated",
}

func runSortValue(r *activity.Run, sort string) int64 {
	switch sort {
	case "duration":
		return runDuration(r)
	case "cost":
		return runCost(r)
	case "steps":
		return r.Steps
	case "errors":
		return r.Errors
	case "tokens":
		return tokens(r.Usage)
	case "updated":
		return r.Updated
	}
	return r.Start
}

// Runs lists run rows: from the index when it holds the period and its columns
// can decide the filter, else from the segments of runs through DuckDB.
func (s *Store) Runs(ctx context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error) {
	if q.Sort == "" {
		q.Sort = "started"
	}
	name := strings.TrimPrefix(q.Sort, "-")
	if runSorts[name] == "" {
		return telemetry.RunsPage{}, badQuery("runs cannot be sorted by %s", name)
	}
	after, err := parseCursor(q.Cursor, q.Sort)
	if err != nil {
		return telemetry.RunsPage{}, err
	}
	if s.fresh.len() > freshListed {
		s.settleRuns()
	}
	// Before the rest: a row that leaves meanwhile is then found twice, not never.
	fresh := s.fresh.all()
	var got []activity.Run
	if s.indexHolds(q.From) {
		got, err = s.runsFromIndex(ctx, q, after)
	} else {
		err = errNotHere
	}
	if errors.Is(err, errNotHere) {
		s.settleRuns()
		got, err = s.runsFromSegments(ctx, q, after)
	}
	if err == nil {
		got, err = s.withFresh(ctx, got, fresh, q, after)
	}
	if err != nil {
		return telemetry.RunsPage{}, err
	}
	page := telemetry.RunsPage{Runs: got}
	if limit := pageLimit(q.Limit); len(got) > limit {
		last := &got[limit-1]
		page.Runs = got[:limit]
		page.Next = place{q.Sort, runSortValue(last, name), last.ID[:]}.cursor()
	}
	return page, nil
}

// withFresh adds fresh rows to a page of others, which has one more than the
// page's limit where there are more.
func (s *Store) withFresh(ctx context.Context, got, rows []activity.Run, q telemetry.RunsQuery, after *place) ([]activity.Run, error) {
	if len(rows) == 0 {
		return got, nil
	}
	name, sign := strings.TrimPrefix(q.Sort, "-"), -1
	if strings.HasPrefix(q.Sort, "-") {
		sign = 1
	}
	order := func(value int64, id []byte, r *activity.Run) int {
		return sign * cmp.Or(cmp.Compare(value, runSortValue(r, name)), bytes.Compare(id, r.ID[:]))
	}
	have := make(map[activity.RunID]bool, len(got))
	for i := range got {
		have[got[i].ID] = true // it left in between
	}
	now := s.o.Now()
	for i := range rows {
		r := &rows[i]
		if have[r.ID] || !q.From.IsZero() && r.Start < q.From.UnixNano() || !q.To.IsZero() && r.Start >= q.To.UnixNano() ||
			q.Teams != nil && !slices.Contains(q.Teams, r.Team) || after != nil && order(after.Value, after.ID, r) >= 0 {
			continue
		}
		if q.Filter != nil {
			var failed error
			ok, err := search.MatchAt(q.Filter, now, r, func() []activity.Step {
				steps, err := s.Steps(ctx, r.ID)
				failed = err
				return steps
			})
			if err = errors.Join(err, failed); err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		got = append(got, *r)
	}
	slices.SortFunc(got, func(a, b activity.Run) int { return order(runSortValue(&a, name), a.ID[:], &b) })
	return got[:min(len(got), pageLimit(q.Limit)+1)], nil
}

// indexHolds reports whether every run that started since from has a row in
// the index.
func (s *Store) indexHolds(from time.Time) bool {
	keep := s.o.Now().Add(-s.o.RunRows)
	if !from.IsZero() && !from.Before(keep) {
		return true
	}
	for _, g := range s.segs.of(tableRuns, dayRange{allDays.from, dayOf(keep.UnixNano())}) {
		if g.tmin < keep.UnixNano() {
			return false
		}
	}
	return true
}

// runsSQL is the statement both ways share: columns of w's engine.
func runsSQL(w *where, q telemetry.RunsQuery, after *place, what, from, id string) (string, error) {
	cond, err := w.cond(q.Filter, search.ScopeRun)
	if err != nil {
		return "", err
	}
	conds := []string{cond}
	if !q.From.IsZero() {
		conds = append(conds, "start >= "+w.bind(q.From.UnixNano()))
	}
	if !q.To.IsZero() {
		conds = append(conds, "start < "+w.bind(q.To.UnixNano()))
	}
	if q.Teams != nil {
		conds = append(conds, w.teams(q.Teams))
	}
	dir, than := "DESC", "<"
	if strings.HasPrefix(q.Sort, "-") {
		dir, than = "ASC", ">"
	}
	key := runSorts[strings.TrimPrefix(q.Sort, "-")]
	if after != nil {
		conds = append(conds, fmt.Sprintf("(%[1]s %[2]s %[3]s OR %[1]s = %[4]s AND %[5]s %[2]s %[6]s)", key, than, w.bind(after.Value), w.bind(after.Value), id, w.id(after.ID)))
		if key == "start" {
			conds = append(conds, fmt.Sprintf("start %s= %s", than, w.bind(after.Value))) // what the index can seek
		}
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s %s, %s %s LIMIT %d", what, from, strings.Join(conds, " AND "), key, dir, id, dir, pageLimit(q.Limit)+1), nil
}

func (w *where) id(b []byte) string {
	if w.lite {
		return w.bind(b)
	}
	var id [16]byte
	copy(id[:], b)
	return uuid(id)
}

// teams limits rows to what the asker may see.
func (w *where) teams(teams []string) string {
	if len(teams) == 0 {
		return "false"
	}
	parts := make([]string, len(teams))
	for i, t := range teams {
		parts[i] = w.bind(t)
	}
	return "team IN (" + strings.Join(parts, ", ") + ")"
}

func (s *Store) runsFromIndex(ctx context.Context, q telemetry.RunsQuery, after *place) ([]activity.Run, error) {
	w := &where{now: s.o.Now(), lite: true}
	sql, err := runsSQL(w, q, after, rowColumns, "runs", "id")
	if err != nil {
		return nil, err
	}
	rows, err := s.index.r.QueryContext(ctx, sql, w.args...)
	if err != nil {
		return nil, storageFault("listing runs", err)
	}
	defer func() { _ = rows.Close() }()
	var out []activity.Run
	for rows.Next() {
		r, err := scanRun(rows, &s.words)
		if err != nil {
			return nil, storageFault("listing runs", err)
		}
		out = append(out, r)
	}
	return out, storageFault("listing runs", rows.Err())
}

func (s *Store) runsFromSegments(ctx context.Context, q telemetry.RunsQuery, after *place) ([]activity.Run, error) {
	src := s.source(q.From, q.To)
	defer src.release()
	if err := s.narrow(ctx, src, q.From, q.To); err != nil {
		return nil, err
	}
	w := &where{now: s.o.Now(), content: q.Content, from: src.from, within: src.within}
	from := src.from(tableRuns)
	if src.empty(tableRuns) {
		return nil, nil
	}
	sql, err := runsSQL(w, q, after, "to_base64(blob)", from, "run")
	if err != nil {
		return nil, err
	}
	res, err := s.child.query(ctx, sql, w.args)
	if err != nil {
		return nil, err
	}
	out := make([]activity.Run, 0, len(res.Rows))
	for _, row := range res.Rows {
		text, _ := row[0].(string)
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("reading a run from DuckDB: %w", err)
		}
		r, err := unpackRun(b)
		if err != nil {
			return nil, fmt.Errorf("reading a run from DuckDB: %w", err)
		}
		out = append(out, *r)
	}
	return out, nil
}

// Logs lists log records, newest first. Those of one run need no DuckDB.
func (s *Store) Logs(ctx context.Context, q telemetry.LogsQuery) (telemetry.LogsPage, error) {
	after, err := parseCursor(q.Cursor, "logs")
	if err != nil {
		return telemetry.LogsPage{}, err
	}
	limit := pageLimit(q.Limit)
	var rows []located[activity.LogRecord]
	if !q.Run.IsZero() {
		all, err := s.logsOf(ctx, q.Run)
		if err != nil {
			return telemetry.LogsPage{}, err
		}
		for i := range all {
			if logFits(&all[i], &q) {
				rows = append(rows, located[activity.LogRecord]{row: all[i], time: all[i].Time, id: int64(len(all) - i)})
			}
		}
		slices.SortStableFunc(rows, func(a, b located[activity.LogRecord]) int { return cmp.Compare(b.time, a.time) })
		rows = skip(rows, after)
	} else if rows, err = s.logsFromSegments(ctx, q, after, limit); err != nil {
		return telemetry.LogsPage{}, err
	}
	var page telemetry.LogsPage
	for i := range rows {
		if i == limit {
			page.Next = rows[i-1].cursor("logs")
			break
		}
		page.Logs = append(page.Logs, rows[i].row)
	}
	return page, nil
}

// located is a row and its place in a list: its time, and the file and row
// where it lies, which breaks ties.
type located[T any] struct {
	row      T
	time, id int64
}

func (l *located[T]) cursor(sort string) string {
	return place{Sort: sort, Value: l.time, ID: fmt.Appendf(nil, "%d", l.id)}.cursor()
}

func (p *place) number() int64 {
	var n int64
	_, _ = fmt.Sscan(string(p.ID), &n)
	return n
}

func skip[T any](rows []located[T], after *place) []located[T] {
	if after == nil {
		return rows
	}
	return slices.DeleteFunc(rows, func(l located[T]) bool {
		return l.time > after.Value || l.time == after.Value && l.id >= after.number()
	})
}

func logFits(l *activity.LogRecord, q *telemetry.LogsQuery) bool {
	return (q.Agent == "" || l.Agent == q.Agent) && l.Severity >= q.MinSeverity &&
		(q.From.IsZero() || l.Time >= q.From.UnixNano()) && (q.To.IsZero() || l.Time < q.To.UnixNano()) &&
		(q.Text == "" || strings.Contains(strings.ToLower(l.Body), strings.ToLower(q.Text))) && (!q.OnlyLoose || l.Run.IsZero()) &&
		(q.Places == nil || slices.ContainsFunc(q.Places, func(p telemetry.Place) bool { return p.Holds(l.Team, l.Environment) }))
}

// at is the condition that rows are at one of the places. Files of before there were
// such columns hold rows of no place.
func (w *where) at(places []telemetry.Place) string {
	or := []string{}
	for _, p := range places {
		and := []string{"true"}
		if p.Team != telemetry.Anywhere {
			and = append(and, "coalesce(team, '') = "+w.bind(p.Team))
		}
		if p.Environment != telemetry.Anywhere {
			and = append(and, "coalesce(environment, '') = "+w.bind(p.Environment))
		}
		or = append(or, "("+strings.Join(and, " AND ")+")")
	}
	if len(or) == 0 {
		return "false"
	}
	return "(" + strings.Join(or, " OR ") + ")"
}

func (s *Store) logsFromSegments(ctx context.Context, q telemetry.LogsQuery, after *place, limit int) ([]located[activity.LogRecord], error) {
	w := &where{now: s.o.Now()}
	conds := timeConditions(w, q.From, q.To)
	if q.Agent != "" {
		conds = append(conds, "agent = "+w.bind(q.Agent))
	}
	if q.MinSeverity > 0 {
		conds = append(conds, fmt.Sprintf("severity >= %d", q.MinSeverity))
	}
	if q.Text != "" {
		conds = append(conds, w.contains("body", q.Text))
	}
	if q.OnlyLoose {
		conds = append(conds, "run = "+uuid([16]byte{}))
	}
	if q.Places != nil {
		conds = append(conds, w.at(q.Places))
	}
	return listRows(ctx, s, tableLogs, w, conds, q.From, q.To, after, limit, func(o *openSegment, row int64) (activity.LogRecord, error) {
		r, err := logs.read(o, row, 1, nil)
		if err == nil {
			err = r[0].finish()
		}
		if err != nil {
			return activity.LogRecord{}, err
		}
		return r[0].LogRecord, nil
	})
}

// Metrics lists metric points, newest first.
func (s *Store) Metrics(ctx context.Context, q telemetry.MetricsQuery) (telemetry.MetricsPage, error) {
	after, err := parseCursor(q.Cursor, "metrics")
	if err != nil {
		return telemetry.MetricsPage{}, err
	}
	w := &where{now: s.o.Now()}
	conds := timeConditions(w, q.From, q.To)
	if q.Name != "" {
		conds = append(conds, "name = "+w.bind(q.Name))
	}
	if q.Agent != "" {
		conds = append(conds, "agent = "+w.bind(q.Agent))
	}
	if q.Places != nil {
		conds = append(conds, w.at(q.Places))
	}
	limit := pageLimit(q.Limit)
	rows, err := listRows(ctx, s, tableMetrics, w, conds, q.From, q.To, after, limit, func(o *openSegment, row int64) (activity.MetricPoint, error) {
		r := []activity.MetricPoint{{Count: activity.Unknown}}
		err := metrics.fill(o, row, r)
		return r[0], err
	})
	if err != nil {
		return telemetry.MetricsPage{}, err
	}
	var page telemetry.MetricsPage
	for i := range rows {
		if i == limit {
			page.Next = rows[i-1].cursor("metrics")
			break
		}
		page.Points = append(page.Points, rows[i].row)
	}
	return page, nil
}

func timeConditions(w *where, from, to time.Time) []string {
	conds := []string{"true"}
	if !from.IsZero() {
		conds = append(conds, "time >= "+w.bind(from.UnixNano()))
	}
	if !to.IsZero() {
		conds = append(conds, "time < "+w.bind(to.UnixNano()))
	}
	return conds
}

// listRows lets DuckDB find the rows (file and row number) and reads them here,
// so that their bytes are decoded in one place only.
func listRows[T any](ctx context.Context, s *Store, table string, w *where, conds []string, from, to time.Time, after *place, limit int,
	read func(*openSegment, int64) (T, error),
) ([]located[T], error) {
	src := s.source(from, to)
	defer src.release()
	files := src.files(table)
	if len(files) == 0 {
		return nil, nil
	}
	const id = "(seg * 4294967296 + row)"
	if after != nil {
		conds = append(conds, fmt.Sprintf("(time < %[1]s OR time = %[1]s AND %[2]s < %[3]s)", w.bind(after.Value), id, w.bind(after.number())))
	}
	// The files of an older release have fewer columns, and all may be of it.
	sql := fmt.Sprintf(`SELECT time, seg, row FROM (SELECT *, file_row_number AS row, parse_filename(filename, true)::BIGINT AS seg
		FROM read_parquet(%s, filename = true, file_row_number = true, union_by_name = true)
		UNION ALL BY NAME SELECT NULL::VARCHAR AS team, NULL::VARCHAR AS environment WHERE false) WHERE %s ORDER BY time DESC, %s DESC LIMIT %d`,
		src.list(table), strings.Join(conds, " AND "), id, limit+1)
	res, err := s.child.query(ctx, sql, w.args)
	if err != nil {
		return nil, err
	}
	var out []located[T]
	for _, r := range res.Rows {
		t, seg, row := toInt(r[0]), toInt(r[1]), toInt(r[2])
		g, ok := files[seg]
		if !ok {
			return nil, fmt.Errorf("reading %s: DuckDB named an unknown segment", table)
		}
		o, err := s.segs.acquire(g)
		if err != nil {
			return nil, storageFault("reading "+table, err)
		}
		v, err := read(o, row)
		s.segs.release(o)
		if err != nil {
			return nil, storageFault("reading "+table, err)
		}
		out = append(out, located[T]{v, t, seg<<32 + row})
	}
	return out, nil
}

func toInt(v any) int64 {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			f, _ := v.Float64()
			return int64(math.Round(f))
		}
		return n
	case int64:
		return v
	case float64:
		return int64(math.Round(v))
	}
	return 0
}
