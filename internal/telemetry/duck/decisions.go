package duck

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck/columnar"
	"reeve/internal/telemetry/search"
)

// decisionRow is a completed decision. What is searched, grouped and measured
// has a column; the whole of it is in blob, from which it is read.
type decisionRow struct {
	*activity.Decision
	id   [16]byte
	blob []byte
}

// X is a short name for the columns below.
type X = decisionRow

// Columns are written only: a row is read from its blob.

func nowhere[V any](*X, V) {}

func wordOf(name string, get func(*X) string) column[X] { return word(name, get, nowhere[string]) }

func figure(name string, get func(*X) int64) column[X] {
	return maybe(name, columnar.Delta, func(r *X) (int64, bool) { n := get(r); return n, n != activity.Unknown }, nowhere[int64])
}

func flag(name string, get func(*X) bool) column[X] { return boolean(name, get, nowhere[bool]) }

// separated is a list as kindList reads it.
func separated[T any](of []T, text func(T) string) string {
	if len(of) == 0 {
		return ""
	}
	var b strings.Builder
	for _, e := range of {
		b.WriteByte(unitSep)
		b.WriteString(text(e))
	}
	b.WriteByte(unitSep)
	return b.String()
}

// knownResult is "" for the result that nobody knows, as texts have it.
func knownResult(r activity.Result) string {
	if r == activity.ResultUnknown {
		return ""
	}
	return r.String()
}

func firstReason(d *activity.Decision) string {
	if len(d.Reasons) == 0 {
		return ""
	}
	return d.Reasons[0].Code
}

var decisions = newTable(tableDecisions,
	id("run", columnar.Dictionary, func(r *X) *[16]byte { return (*[16]byte)(&r.Run) }),
	id("trace", columnar.Dictionary, func(r *X) *[16]byte { return (*[16]byte)(&r.Trace) }),
	number("time", columnar.Delta, func(r *X) int64 { return r.At }, nowhere[int64]),
	number("hi", columnar.Delta, func(r *X) int64 { return half(r.id[:8]) }, nowhere[int64]),
	number("lo", columnar.Plain, func(r *X) int64 { return half(r.id[8:]) }, nowhere[int64]),
	number("sid", columnar.Plain, func(r *X) int64 { return half(r.Step[:8]) }, nowhere[int64]),
	figure("ended", func(r *X) int64 { return r.Completed }),
	wordOf("node", func(r *X) string { return r.Node }),
	wordOf("agent", func(r *X) string { return r.Agent }),
	flag("registered", func(r *X) bool { return r.Registered }),
	wordOf("instance", func(r *X) string { return r.Instance }),
	wordOf("version", func(r *X) string { return r.Version }),
	wordOf("team", func(r *X) string { return r.Team }),
	wordOf("environment", func(r *X) string { return r.Environment }),
	wordOf("lifecycle", func(r *X) string { return r.Lifecycle }),
	wordOf("autonomy", func(r *X) string { return r.Autonomy }),
	wordOf("containment", func(r *X) string { return r.Containment }),
	wordOf("credential", func(r *X) string { return r.Credential }),
	wordOf("credential_id", func(r *X) string { return r.CredentialID }),
	wordOf("user", func(r *X) string { return r.User }),
	wordOf("session", func(r *X) string { return r.Session }),
	wordOf("action", func(r *X) string { return r.Action }),
	wordOf("resource", func(r *X) string { return r.Resource }),
	wordOf("upstream", func(r *X) string { return r.Upstream }),
	wordOf("tool", func(r *X) string { return r.Tool }),
	wordOf("model", func(r *X) string { return r.Model }),
	wordOf("effect", func(r *X) string { return r.Effect }),
	wordOf("verdict", func(r *X) string { return r.Verdict.String() }),
	wordOf("would", func(r *X) string { return r.Would.String() }),
	wordOf("floor", func(r *X) string { return r.Floor.String() }),
	flag("enforced", func(r *X) bool { return r.Enforced }),
	flag("local_tool", func(r *X) bool { return r.LocalTool }),
	wordOf("reason", func(r *X) string { return firstReason(r.Decision) }),
	wordOf("reasons", func(r *X) string {
		return separated(r.Reasons, func(e activity.Reason) string { return e.Code })
	}),
	wordOf("policies", func(r *X) string {
		return separated(r.Policies, func(e activity.PolicyRef) string { return e.Policy })
	}),
	wordOf("result", func(r *X) string { return knownResult(r.Result) }),
	wordOf("error_code", func(r *X) string { return r.ErrorCode }),
	figure("status", func(r *X) int64 {
		if r.Status == 0 {
			return activity.Unknown
		}
		return int64(r.Status)
	}),
	figure("latency_us", func(r *X) int64 { return r.LatencyUS }),
	figure("upstream_us", func(r *X) int64 { return r.UpstreamUS }),
	figure("decide_us", func(r *X) int64 { return r.DecideUS }),
	figure("bytes_in", func(r *X) int64 { return r.BytesIn }),
	figure("bytes_out", func(r *X) int64 { return r.BytesOut }),
	figure("input_tokens", func(r *X) int64 { return r.Usage.InputTotal }),
	figure("output_tokens", func(r *X) int64 { return r.Usage.OutputTotal }),
	maybe("cost", columnar.Delta, func(r *X) (int64, bool) { return r.Cost.Nanos, r.Cost.Basis != activity.CostUnknown }, nowhere[int64]),
	blob("blob", func(r *X) *[]byte { return &r.blob }),
)

var decisionFields = with(with(texts("session", "agent", "version", "instance", "team", "environment", "lifecycle", "autonomy", "containment",
	"credential", "credential_id", "user", "action", "resource", "upstream", "tool", "model", "effect", "verdict", "would", "floor", "result",
	"error_code", "node"), numbers("status")), map[string]sqlField{
	"id":            {expr: "(hi, lo)", kind: kindDecision},
	"run":           {expr: "run", kind: kindRun, zero: true},
	"step":          {expr: "sid", kind: kindStep, zero: true},
	"trace_id":      {expr: "trace", kind: kindTrace, zero: true},
	"registered":    {expr: "registered", kind: kindBool},
	"enforced":      {expr: "enforced", kind: kindBool},
	"local_tool":    {expr: "local_tool", kind: kindBool},
	"reason":        {expr: "reasons", kind: kindList},
	"policy":        {expr: "policies", kind: kindList},
	"started":       {expr: "time", kind: kindTime},
	"ended":         {expr: "ended", kind: kindTime, null: true},
	"latency":       {expr: "latency_us", kind: kindNumber, scale: 1e3, null: true},
	"upstream_time": {expr: "upstream_us", kind: kindNumber, scale: 1e3, null: true},
	"decide_time":   {expr: "decide_us", kind: kindNumber, scale: 1e3, null: true},
	"tokens":        {expr: stepTokens, kind: kindNumber, null: true},
	"cost":          {expr: "cost", kind: kindNumber, scale: 1e9, null: true},
})

var decisionDimensions = func() map[string]string {
	m := map[string]string{}
	for _, n := range []string{
		"agent", "team", "environment", "version", "instance", "lifecycle", "autonomy", "containment", "credential", "user", "session", "action", "resource",
		"upstream", "tool", "model", "effect", "verdict", "would", "floor", "reason", "result", "error_code", "node",
	} {
		m[n] = quoteName(n)
	}
	m["enforced"] = "enforced::VARCHAR"
	m["status"] = "coalesce(status::VARCHAR, '')"
	m["run"] = "run::VARCHAR"
	m["policies"] = fmt.Sprintf("replace(trim(policies, chr(%d)), chr(%d), ' ')", unitSep, unitSep)
	return m
}()

var decisionMeasures = map[string]measureColumn{
	"latency_ms":  {"latency_us / 1e3", "ms"},
	"upstream_ms": {"upstream_us / 1e3", "ms"},
	"decide_ms":   {"decide_us / 1e3", "ms"},
	"overhead_ms": {"(latency_us - upstream_us) / 1e3", "ms"},
	"bytes_in":    {"bytes_in", "bytes"}, "bytes_out": {"bytes_out", "bytes"},
	"cost": {"cost / 1e9", "usd"}, "tokens": {stepTokens, "tokens"},
	"input_tokens": {"input_tokens", "tokens"}, "output_tokens": {"output_tokens", "tokens"},
	"errors":       {"(result IN ('error', 'timeout', ''))::INT", "count"},
	"denied":       {"(verdict = 'deny')::INT", "count"},
	"held":         {"(verdict = 'hold')::INT", "count"},
	"would_denied": {"(would = 'deny' AND verdict <> 'deny')::INT", "count"},
	"cut":          {"(result = 'cut')::INT", "count"},
	"run":          {"nullif(run, '00000000-0000-0000-0000-000000000000'::UUID)", "count"}, "session": {"nullif(session, '')", "count"}, "user": {`nullif("user", '')`, "count"},
	"agent": {"nullif(agent, '')", "count"}, "tool": {"nullif(tool, '')", "count"}, "resource": {"nullif(resource, '')", "count"},
}

// decision packs everything but content, which the store does not have.
func (p *packer) decision(d *activity.Decision) {
	for _, s := range []*string{
		&d.ID, &d.Node, &d.Agent, &d.Instance, &d.Version, &d.Team, &d.Environment, &d.Lifecycle, &d.Autonomy, &d.Containment,
		&d.Credential, &d.CredentialID, &d.User, &d.Action, &d.Resource, &d.Upstream, &d.Tool, &d.Model, &d.Effect, &d.Pin,
		&d.Session, &d.Approval, &d.ErrorCode, &d.Parent,
	} {
		p.str(s)
	}
	for _, n := range []*int64{
		&d.At, &d.Completed, &d.ArgumentsBytes, &d.PolicyVersion, &d.LatencyUS, &d.UpstreamUS, &d.DecideUS, &d.BytesIn, &d.BytesOut, &d.Seq, &d.EndSeq,
	} {
		p.int(n)
	}
	for _, b := range []*bool{&d.Registered, &d.Bound, &d.Enforced, &d.LocalTool} {
		p.bool(b)
	}
	for _, v := range []*activity.Verdict{&d.Verdict, &d.Would, &d.Floor} {
		number8(p, v, func(v activity.Verdict) int64 { return int64(v) }, func(n int64) activity.Verdict { return activity.Verdict(n) })
	}
	number8(p, &d.Result, func(v activity.Result) int64 { return int64(v) }, func(n int64) activity.Result { return activity.Result(n) })
	number8(p, &d.Status, func(v int32) int64 { return int64(v) }, func(n int64) int32 { return int32(n) })
	p.strs(&d.Chain)
	p.strs(&d.Redacted)
	list(p, &d.Reasons, func(r *activity.Reason) { p.str(&r.Code); p.str(&r.Text) })
	list(p, &d.Policies, func(r *activity.PolicyRef) { p.str(&r.Policy); p.str(&r.Statement); p.str(&r.Hash) })
	list(p, &d.Reserved, func(r *activity.Reserve) {
		p.str(&r.Budget)
		p.str(&r.Key)
		p.str(&r.Unit)
		for _, n := range []*int64{&r.Count, &r.Since, &r.Amount, &r.Spent} {
			p.int(n)
		}
	})
	p.fixed(d.Run[:])
	p.fixed(d.Step[:])
	p.fixed(d.Trace[:])
	p.fixed(d.Span[:])
	p.usage(&d.Usage)
	p.cost(&d.Cost)
}

func unpackDecision(b []byte) (*activity.Decision, error) {
	p := packer{b: b, reading: true}
	d := &activity.Decision{}
	p.decision(d)
	if p.damaged {
		return nil, errCorrupt
	}
	return d, nil
}

const decisionPrefix = "dec_"

var enc32 = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// decisionKey is an id as 16 bytes; its first half is when it was minted, ns.
func decisionKey(id string) (key [16]byte, ok bool) {
	if len(id) != len(decisionPrefix)+26 || id[:len(decisionPrefix)] != decisionPrefix {
		return key, false
	}
	n, err := enc32.Decode(key[:], []byte(id[len(decisionPrefix):]))
	return key, err == nil && n == len(key)
}

func (s *Store) decisionParts(w *telemetry.Write) []part {
	e := &s.enc
	rows := make([]decisionRow, len(w.Decisions))
	for i := range w.Decisions {
		d := &w.Decisions[i]
		rows[i].Decision = d
		rows[i].id, _ = decisionKey(d.ID)
		p := packer{}
		p.decision(d)
		rows[i].blob = p.b
	}
	e.decisions.t = decisions
	return split(&e.decisions, rows, rowsOf[X]{
		day: func(r *X) int32 { return dayOf(r.At) }, at: func(r *X) int64 { return r.At }, key: func(r *X) [16]byte { return r.Run },
		then: func(r *X) int64 { return r.At },
	})
}

// Decisions lists decisions, newest first. Those of one run need no DuckDB.
func (s *Store) Decisions(ctx context.Context, q telemetry.DecisionsQuery) (telemetry.DecisionsPage, error) {
	read := s.decisionsFromSegments
	if !q.Run.IsZero() {
		read = s.decisionsOf
	}
	got, err := read(ctx, q)
	if err != nil {
		return telemetry.DecisionsPage{}, err
	}
	page := telemetry.DecisionsPage{Decisions: got}
	if limit := pageLimit(q.Limit); len(got) > limit {
		page.Decisions, page.More = got[:limit], true
	}
	return page, nil
}

// decisionsOf reads the decisions of a run by the side files.
func (s *Store) decisionsOf(ctx context.Context, q telemetry.DecisionsQuery) ([]activity.Decision, error) {
	var out []activity.Decision
	now := s.o.Now()
	err := again(func() error {
		out = out[:0]
		return s.each(ctx, tableDecisions, allDays, q.Run, func(o *openSegment, r idxRow) error {
			rows, err := decisions.read(o, int64(r.row), int64(r.n), nil, "blob")
			if err != nil {
				return err
			}
			for i := range rows {
				d, err := unpackDecision(rows[i].blob)
				if err != nil {
					return err
				}
				if ok, err := decisionFits(&q, now, d); err != nil || !ok {
					if err != nil {
						return err
					}
					continue
				}
				if before(d, q.After) {
					out = append(out, *d)
				}
			}
			return nil
		})
	})
	slices.SortFunc(out, func(a, b activity.Decision) int {
		ka, _ := decisionKey(a.ID)
		kb, _ := decisionKey(b.ID)
		return cmp.Or(cmp.Compare(b.At, a.At), compareKeys(kb, ka))
	})
	if limit := pageLimit(q.Limit) + 1; len(out) > limit {
		out = out[:limit]
	}
	return out, err
}

// compareKeys orders as SQL does, by two signed halves.
func compareKeys(a, b [16]byte) int {
	return cmp.Or(cmp.Compare(half(a[:8]), half(b[:8])), cmp.Compare(half(a[8:]), half(b[8:])))
}

// before reports whether d comes after a place in a list that begins with the
// newest.
func before(d *activity.Decision, p telemetry.DecisionPlace) bool {
	if p == (telemetry.DecisionPlace{}) {
		return true
	}
	a, _ := decisionKey(d.ID)
	b, _ := decisionKey(p.ID)
	return d.At < p.At || d.At == p.At && compareKeys(a, b) < 0
}

func decisionFits(q *telemetry.DecisionsQuery, now time.Time, d *activity.Decision) (bool, error) {
	if !q.From.IsZero() && d.At < q.From.UnixNano() || !q.To.IsZero() && d.At >= q.To.UnixNano() {
		return false, nil
	}
	if q.Teams != nil && !slices.Contains(q.Teams, d.Team) || d.Run != q.Run { // side files have half of the key
		return false, nil
	}
	return search.MatchDecision(q.Filter, now, d)
}

// decisionsFromSegments looks into the newest days first: a page is mostly
// filled from them, and what is older stays closed.
func (s *Store) decisionsFromSegments(ctx context.Context, q telemetry.DecisionsQuery) ([]activity.Decision, error) {
	to := q.To
	if at := q.After.At; at != 0 && (to.IsZero() || to.UnixNano() > at) {
		to = timeOf(at + 1)
	}
	limit := pageLimit(q.Limit) + 1
	days := s.decisionDays(q.From, to)
	var out []activity.Decision
	for width := 1; len(days) > 0 && len(out) < limit; width *= 4 {
		n := min(width, len(days))
		from, until := days[n-1], days[0]
		days = days[n:]
		part := q
		if start := timeOf(int64(from) * nsPerDay); part.From.Before(start) {
			part.From = start
		}
		if end := timeOf(int64(until+1) * nsPerDay); part.To.IsZero() || part.To.After(end) {
			part.To = end
		}
		got, err := s.decisionsOfDays(ctx, part, limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// decisionDays are the days that have decisions, newest first.
func (s *Store) decisionDays(from, to time.Time) []int32 {
	r := allDays
	if !from.IsZero() {
		r.from = dayOf(from.UnixNano())
	}
	if !to.IsZero() {
		r.to = dayOf(to.UnixNano())
	}
	var days []int32
	for _, g := range s.segs.of(tableDecisions, r) {
		days = append(days, g.day)
	}
	slices.Sort(days)
	days = slices.Compact(days)
	slices.Reverse(days)
	return days
}

func (s *Store) decisionsOfDays(ctx context.Context, q telemetry.DecisionsQuery, limit int) ([]activity.Decision, error) {
	src := s.source(q.From, q.To)
	defer src.release()
	if src.empty(tableDecisions) {
		return nil, nil
	}
	w := &where{now: s.o.Now(), from: src.from}
	cond, err := w.cond(q.Filter, search.ScopeDecision)
	if err != nil {
		return nil, err
	}
	conds := append(timeConditions(w, q.From, q.To), cond)
	if q.Teams != nil {
		conds = append(conds, w.teams(q.Teams))
	}
	if q.After != (telemetry.DecisionPlace{}) {
		key, _ := decisionKey(q.After.ID)
		conds = append(conds, fmt.Sprintf("(time < %[1]s OR time = %[1]s AND (hi < %[2]s OR hi = %[2]s AND lo < %[3]s))",
			w.bind(q.After.At), w.bind(half(key[:8])), w.bind(half(key[8:]))))
	}
	return s.unpackDecisions(ctx, fmt.Sprintf("SELECT to_base64(blob) FROM %s WHERE %s ORDER BY time DESC, hi DESC, lo DESC LIMIT %d",
		src.from(tableDecisions), strings.Join(conds, " AND "), limit), w.args)
}

func (s *Store) unpackDecisions(ctx context.Context, sql string, args []any) ([]activity.Decision, error) {
	res, err := s.child.query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	out := make([]activity.Decision, 0, len(res.Rows))
	for _, row := range res.Rows {
		text, _ := row[0].(string)
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("reading a decision from DuckDB: %w", err)
		}
		d, err := unpackDecision(b)
		if err != nil {
			return nil, fmt.Errorf("reading a decision from DuckDB: %w", err)
		}
		out = append(out, *d)
	}
	return out, nil
}

// idSlack is how far an id's time may be from its decision's: it is minted when
// the call arrives.
const idSlack = time.Hour

// Decision reads one decision; its id says around when to look.
func (s *Store) Decision(ctx context.Context, id string) (*activity.Decision, error) {
	missing := fault.New(fault.KindNotFound, "telemetry.no_decision", "there is no decision %s", clipID(id))
	key, ok := decisionKey(id)
	if !ok {
		return nil, missing
	}
	at := timeOf(half(key[:8]))
	src := s.source(at.Add(-idSlack), at.Add(idSlack))
	defer src.release()
	if src.empty(tableDecisions) {
		return nil, missing
	}
	w := &where{now: s.o.Now()}
	got, err := s.unpackDecisions(ctx, fmt.Sprintf("SELECT to_base64(blob) FROM %s WHERE hi = %s AND lo = %s LIMIT 1", src.from(tableDecisions),
		w.bind(half(key[:8])), w.bind(half(key[8:]))), w.args)
	if err != nil {
		return nil, err
	}
	if len(got) == 0 {
		return nil, missing
	}
	return &got[0], nil
}

func clipID(id string) string { return strings.ToValidUTF8(id[:min(len(id), 40)], "\uFFFD") }
