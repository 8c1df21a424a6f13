package duck

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry/duck/columnar"
)

// source chooses the files of a question: those of its days, by the manifest,
// never by a glob. While it is held, merging and retention do not delete them.
type source struct {
	s         *Store
	days      dayRange
	since, to int64
	last      int64 // the end of the runs asked for, where it is known; else 0
	memo      map[string][]segment
}

func (s *Store) source(from, to time.Time) *source {
	src := &source{s: s, days: allDays, since: -1 << 61, to: 1 << 61, memo: map[string][]segment{}}
	if !from.IsZero() {
		src.since = from.UnixNano()
		src.days.from = dayOf(src.since)
	}
	if !to.IsZero() {
		src.to = to.UnixNano()
		src.days.to = dayOf(src.to)
	}
	s.segs.pin()
	return src
}

// with is a source of the files of both, each once. It is good while both are held.
func (src *source) with(other *source) *source {
	both := &source{s: src.s, since: min(src.since, other.since), to: max(src.to, other.to), memo: map[string][]segment{}}
	both.days = dayRange{min(src.days.from, other.days.from), max(src.days.to, other.days.to)}
	if src.last != 0 && other.last != 0 {
		both.last = max(src.last, other.last)
	}
	for _, t := range allTables {
		l := slices.Concat(src.segments(t), other.segments(t))
		slices.SortFunc(l, func(a, b segment) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.id, b.id)) })
		both.memo[t] = slices.CompactFunc(l, func(a, b segment) bool { return a.id == b.id })
	}
	return both
}

func (src *source) release() { src.s.segs.unpin() }

// slack is how long after its start a run is expected to go on: its steps and
// messages are looked for until then. skew is how far clocks of its senders may
// differ.
const (
	slack     = 12 * time.Hour
	slackDays = 1
	skew      = 5 * time.Minute
)

func (src *source) segments(table string) []segment {
	if l, ok := src.memo[table]; ok {
		return l
	}
	days := src.days
	prune := true
	since, to := src.since-int64(skew), src.to
	switch table {
	case tableOldSteps, tableOldRuns:
		// A revision may have moved to the day before or after.
		days.from, days.to, prune = days.from-1, days.to+1, false
	case tableSteps, tableMessages, tableContent:
		// Runs of a period go on after it, but have nothing from before.
		to += int64(slack)
		days.to += slackDays
		if src.last != 0 {
			to = src.last + int64(skew)
			days.to = dayOf(to)
		}
	}
	l := src.s.segs.of(table, days)
	if prune {
		n := 0
		for _, g := range l {
			if g.tmax >= since && g.tmin <= to {
				l[n] = g
				n++
			}
		}
		l = l[:n]
	}
	src.memo[table] = l
	return l
}

const minuteNanos = int64(time.Minute)

// within is a condition on the time of rows that belong to the runs asked for,
// as whole numbers of unit; "true" where nothing is known.
func (src *source) within(column string, unit int64) string {
	if src.last == 0 {
		return "true"
	}
	return fmt.Sprintf("%s BETWEEN %d AND %d", column, floorDiv(src.since-int64(skew), unit), floorDiv(src.last+int64(skew), unit))
}

// over is until when a run has steps, as its row says: only of those that are not
// over more may come.
const over = `CASE WHEN status = 'done' THEN coalesce(start + duration, updated) WHEN status = 'stale' THEN %s(coalesce(start + duration, 0), updated) END`

// narrow looks up until when the runs that started in a period went on, be it for
// days: until now where one is not over. No step of theirs is in a later file.
func (s *Store) narrow(ctx context.Context, src *source, from, to time.Time) error {
	if to.IsZero() {
		return nil // all that is later is read anyhow
	}
	now := s.o.Now().Add(activity.FutureSkew).UnixNano()
	if from.IsZero() || to.After(s.o.Now().Add(-slack)) {
		src.last = max(now, to.UnixNano())
		return nil
	}
	last, open, err := s.ended(ctx, src, from, to)
	if err != nil {
		return storageFault("reading the period's runs", err)
	}
	for _, r := range s.fresh.all() {
		switch {
		case r.Start < from.UnixNano() || r.Start >= to.UnixNano():
		case r.Status == activity.RunDone && r.End != activity.Unknown:
			last = max(last, r.End)
		default:
			open = true
		}
	}
	if src.last = max(last, to.UnixNano()); open {
		src.last = max(src.last, now)
	}
	return nil
}

// ended is the latest that a run which started in a period went on, and whether one
// still does: from the index, or from the segments for runs that have left it.
func (s *Store) ended(ctx context.Context, src *source, from, to time.Time) (last int64, open bool, err error) {
	if s.indexHolds(from) {
		var end, n sql.NullInt64
		err = s.index.r.QueryRowContext(ctx, "SELECT max("+fmt.Sprintf(over, "max")+"), sum(status NOT IN ('done', 'stale')) FROM runs WHERE start >= ? AND start < ?",
			from.UnixNano(), to.UnixNano()).Scan(&end, &n)
		return end.Int64, n.Int64 > 0, err
	}
	if src.empty(tableRuns) {
		return 0, false, nil
	}
	res, err := s.child.query(ctx, "SELECT max("+fmt.Sprintf(over, "greatest")+"), count(*) FILTER (WHERE status NOT IN ('done', 'stale')) FROM "+src.from(tableRuns)+" WHERE start >= $1 AND start < $2",
		[]any{from.UnixNano(), to.UnixNano()})
	if err != nil || len(res.Rows) != 1 {
		return 0, false, err
	}
	return toInt(res.Rows[0][0]), toInt(res.Rows[0][1]) > 0, nil
}

// tight prunes steps, messages and content by the segments' times too: for
// questions about them, not about the runs they belong to.
func (src *source) tight() {
	for _, t := range []string{tableSteps, tableMessages, tableContent} {
		var l []segment
		for _, g := range src.s.segs.of(t, src.days) {
			if g.tmax >= src.since && g.tmin <= src.to {
				l = append(l, g)
			}
		}
		src.memo[t] = l
	}
}

func (src *source) empty(table string) bool { return len(src.segments(table)) == 0 }

func (src *source) files(table string) map[int64]segment {
	out := map[int64]segment{}
	for _, g := range src.segments(table) {
		out[g.id] = g
	}
	return out
}

func (src *source) rows(table string) (n int64) {
	for _, g := range src.segments(table) {
		n += g.rows
	}
	return n
}

// list is the table's files as a list of SQL. Names are ours; the folder is the
// operator's, so it is quoted.
func (src *source) list(table string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, g := range src.segments(table) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteText(src.s.segs.path(g)))
	}
	b.WriteByte(']')
	return b.String()
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// from is a table of SQL with the live rows of the chosen files: rows that a
// later revision replaced are left out.
func (src *source) from(table string) string {
	if src.empty(table) {
		return src.nothing(table)
	}
	files := "read_parquet(" + src.list(table) + ")"
	if table == tableLogs || table == tableMetrics {
		files = "read_parquet(" + src.list(table) + ", union_by_name = true)" // an older release wrote fewer columns
	}
	var old, key string
	switch table {
	case tableSteps:
		old, key = tableOldSteps, "sid"
	case tableRuns:
		old, key = tableOldRuns, "rid"
	default:
		return files
	}
	if src.empty(old) {
		return files
	}
	return fmt.Sprintf("(SELECT t.* FROM %s t ANTI JOIN (SELECT key, max(revision) AS r FROM read_parquet(%s) GROUP BY key) o ON t.%s = o.key AND t.revision < o.r)",
		files, src.list(old), key)
}

// nothing is a table without rows that has the columns conditions may name.
func (src *source) nothing(table string) string {
	var cols []string
	switch table {
	case tableSteps:
		cols = nullColumns(steps)
	case tableMessages:
		cols = nullColumns(messages)
	case tableContent:
		cols = nullColumns(content)
	case tableLogs:
		cols = nullColumns(logs)
	case tableRuns:
		cols = nullColumns(runs)
	case tableDecisions:
		cols = nullColumns(decisions)
	case tableMetrics:
		cols = nullColumns(metrics)
	}
	return "(SELECT " + strings.Join(cols, ", ") + " WHERE false)"
}

func nullColumns[T any](t *table[T]) []string {
	var out []string
	for _, c := range t.cols {
		typ := map[columnar.Kind]string{
			columnar.Text: "VARCHAR", columnar.Bytes: "BLOB", columnar.ID: "UUID", columnar.Int64: "BIGINT", columnar.Bool: "BOOLEAN", columnar.Double: "DOUBLE",
		}[c.Kind]
		out = append(out, "NULL::"+typ+" AS "+quoteName(c.Name))
	}
	return out
}
