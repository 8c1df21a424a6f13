package duck

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/telemetry/search"
)

// where turns a search into a condition of SQL. Text from outside becomes a
// parameter or, for ids, digits that were parsed; column names come from the
// tables below only.
type where struct {
	now     time.Time
	args    []any
	lite    bool // for SQLite's run rows: fewer columns, fewer functions
	content bool // phrases look into content
	from    func(table string) string
	within  func(column string, unit int64) string // of rows that belong to a run; nil: any time
}

// errNotHere says that the run rows of the index cannot decide a search.
var errNotHere = fmt.Errorf("not a question for the index")

type fieldKind uint8

const (
	kindText fieldKind = iota // "" is unknown
	kindList                  // elements between separators
	kindNumber
	kindTime
	kindBool
	kindRun
	kindStep
	kindTrace
	kindSpan
	kindFlags
	kindRoot
	kindDecision
)

type sqlField struct {
	expr  string
	kind  fieldKind
	scale float64 // multiplies the asker's number; 0 means 1
	null  bool    // the column may be null
	zero  bool    // an id of zeros is absence
}

func texts(names ...string) map[string]sqlField {
	m := map[string]sqlField{}
	for _, n := range names {
		m[n] = sqlField{expr: quoteName(n)}
	}
	return m
}

func quoteName(n string) string { return `"` + n + `"` }

func with(m map[string]sqlField, more map[string]sqlField) map[string]sqlField {
	for k, v := range more {
		m[k] = v
	}
	return m
}

func numbers(names ...string) map[string]sqlField {
	m := map[string]sqlField{}
	for _, n := range names {
		m[n] = sqlField{expr: quoteName(n), kind: kindNumber, null: true}
	}
	return m
}

// The columns by scope. Never changed.
var (
	liteRunFields = with(with(texts("agent", "team", "environment", "status", "outcome", "session", "user", "task", "version", "mode", "name"),
		numbers("errors", "steps", "tokens")), map[string]sqlField{
		"duration": {expr: "duration", kind: kindNumber, scale: 1e6, null: true},
		"cost":     {expr: "cost", kind: kindNumber, scale: 1e9, null: true},
		"failed":   {expr: "failed", kind: kindBool},
		"started":  {expr: "start", kind: kindTime},
		"updated":  {expr: "updated", kind: kindTime},
	})
	runFields = with(with(texts("agent", "team", "environment", "status", "outcome", "session", "user", "task", "version", "mode", "name", "sender", "error_type"),
		numbers("errors", "steps", "tokens", "model_calls", "tool_calls", "logs", "unknown_usage", "unknown_cost", "input_tokens",
			"output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")), map[string]sqlField{
		"id":       {expr: "run", kind: kindRun},
		"trace_id": {expr: "traces", kind: kindList},
		"agents":   {expr: "agents", kind: kindList},
		"model":    {expr: "models", kind: kindList},
		"tool":     {expr: "tools", kind: kindList},
		"source":   {expr: "sources", kind: kindList},
		"dialect":  {expr: "dialects", kind: kindList},
		"tag":      {expr: "tags", kind: kindList},
		"flag":     {expr: "flags", kind: kindFlags},
		"duration": {expr: "duration", kind: kindNumber, scale: 1e6, null: true},
		"cost":     {expr: "cost", kind: kindNumber, scale: 1e9, null: true},
		"failed":   {expr: "failed", kind: kindBool},
		"partial":  {expr: "partial", kind: kindBool},
		"started":  {expr: "start", kind: kindTime},
		"ended":    {expr: "(start + duration)", kind: kindTime, null: true},
		"updated":  {expr: "updated", kind: kindTime},
	})
	stepFields = with(with(texts("agent", "team", "environment", "status", "session", "user", "task", "version", "name", "kind", "error_type", "error",
		"service", "provider", "model", "model_requested", "response_id", "finish_reason", "tool", "tool_call_id", "decision_id", "dialect", "scope"),
		numbers("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")), map[string]sqlField{
		"id":          {expr: "sid", kind: kindStep},
		"run":         {expr: "run", kind: kindRun},
		"trace_id":    {expr: "trace", kind: kindTrace},
		"span_id":     {expr: "span", kind: kindSpan},
		"root":        {expr: "(psid = 0 AND plo = 0)", kind: kindBool},
		"reported_by": {expr: "source"},
		"tokens":      {expr: stepTokens, kind: kindNumber, null: true},
		"duration":    {expr: "duration", kind: kindNumber, scale: 1e6, null: true},
		"ttft":        {expr: "ttft", kind: kindNumber, scale: 1e6, null: true},
		"cost":        {expr: "cost", kind: kindNumber, scale: 1e9, null: true},
		"counted":     {expr: "counted", kind: kindBool},
		"call":        {expr: "call", kind: kindBool},
		"flag":        {expr: "flags", kind: kindFlags},
		"started":     {expr: "start", kind: kindTime},
		"ended":       {expr: "(start + duration)", kind: kindTime, null: true},
	})
	messageFields = with(texts("field", "role", "format", "agent", "team", "environment"), map[string]sqlField{
		"run":     {expr: "run", kind: kindRun},
		"step":    {expr: "sid", kind: kindStep},
		"started": {expr: "time", kind: kindTime},
		"size":    {expr: "size", kind: kindNumber},
	})
	logFields = with(texts("agent", "service", "session", "event", "body", "scope"), map[string]sqlField{
		"run":      {expr: "run", kind: kindRun},
		"step":     {expr: "sid", kind: kindStep},
		"trace_id": {expr: "trace", kind: kindTrace},
		"severity": {expr: "severity", kind: kindNumber},
		"started":  {expr: "time", kind: kindTime},
	})
)

const stepTokens = `(CASE WHEN input_tokens IS NULL AND output_tokens IS NULL THEN NULL ELSE coalesce(input_tokens, 0) + coalesce(output_tokens, 0) END)`

func badQuery(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "telemetry.bad_query", format, args...)
}

func (w *where) bind(v any) string {
	w.args = append(w.args, v)
	if w.lite {
		return fmt.Sprintf("?%d", len(w.args))
	}
	return fmt.Sprintf("$%d", len(w.args))
}

// cond translates e within a scope; nil is always true.
func (w *where) cond(e search.Expr, scope search.Scope) (string, error) {
	switch e := e.(type) {
	case nil:
		return "true", nil
	case *search.And:
		return w.join(e.Of, scope, " AND ", "true")
	case *search.Or:
		return w.join(e.Of, scope, " OR ", "false")
	case *search.Not:
		c, err := w.cond(e.Of, scope)
		return "(NOT " + c + ")", err
	case *search.Cmp:
		return w.compare(e, scope)
	}
	if w.lite {
		return "", errNotHere
	}
	switch e := e.(type) {
	case *search.Text:
		return w.text(e.Phrase, scope)
	case *search.Among:
		if scope != search.ScopeRun && scope != search.ScopeStep && scope != search.ScopeDecision {
			return "", badQuery("runs cannot be named in a search over a %s", scope)
		}
		return among(e.Runs), nil
	case *search.Any:
		return w.nested(scope, search.ScopeRun, e.Of, "run IN (SELECT run FROM %s x WHERE "+w.when("start", 1)+" AND %s)")
	case *search.All:
		return w.nested(scope, search.ScopeRun, e.Of, "run IN (SELECT run FROM %s x WHERE "+w.when("start", 1)+" GROUP BY run HAVING bool_and(%s))")
	case *search.Child:
		return w.nested(scope, search.ScopeStep, e.Of, "(run, sid) IN (SELECT (run, psid) FROM %s x WHERE %s AND psid <> 0)")
	case *search.Parent:
		return w.nested(scope, search.ScopeStep, e.Of, "(psid <> 0 AND (run, psid) IN (SELECT (run, sid) FROM %s x WHERE %s))")
	}
	return "", badQuery("%T cannot stand in a search over a %s", e, scope)
}

func (w *where) nested(scope, needs search.Scope, of search.Expr, format string) (string, error) {
	if scope != needs {
		return "", badQuery("any() and all() belong to a search over runs, child() and parent() to one over steps")
	}
	c, err := w.cond(of, search.ScopeStep)
	return fmt.Sprintf(format, w.from(tableSteps), c), err
}

func (w *where) join(of []search.Expr, scope search.Scope, op, empty string) (string, error) {
	if len(of) == 0 {
		return empty, nil
	}
	parts := make([]string, len(of))
	for i, e := range of {
		c, err := w.cond(e, scope)
		if err != nil {
			return "", err
		}
		parts[i] = c
	}
	return "(" + strings.Join(parts, op) + ")", nil
}

func (w *where) contains(expr, phrase string) string {
	if w.lite {
		return fmt.Sprintf("instr(lower(%s), %s) > 0", expr, w.bind(strings.ToLower(phrase)))
	}
	return fmt.Sprintf("contains(lower(%s), %s)", expr, w.bind(strings.ToLower(phrase)))
}

// inContent looks for a phrase in content, ignoring case. DuckDB's regular
// expressions find a fixed text in half the time that lower() and contains()
// take (10 and 21 ms beside 23 ms of reading, 42 MB). The pattern is a literal of
// quoted text, since one given as parameter is compiled for every row.
func (w *where) inContent(phrase string) string {
	if strings.ContainsRune(phrase, 0) {
		return w.contains("raw", phrase)
	}
	return "regexp_matches(raw, " + quoteText("(?i)"+regexp.QuoteMeta(phrase)) + ")"
}

// when limits rows of a run to the time that the runs asked for took.
func (w *where) when(column string, unit int64) string {
	if w.within == nil {
		return "true"
	}
	return w.within(column, unit)
}

// messagesWith are the rows of messages whose content has a phrase: content
// lies under the run and ordinal of its first appearance, and is found by hash
// where another run said it again.
func (w *where) messagesWith(phrase string) string {
	from, found := w.from(tableContent), w.inContent(phrase)
	return "(first = 1 AND (run, ordinal) IN (SELECT (run, ordinal) FROM " + from + " y WHERE " + found + ") OR first = 0 AND hash_lo IS NOT NULL AND " +
		"(hash, hash_lo) IN (SELECT (hash, hash_lo) FROM " + from + " y WHERE hash IS NOT NULL AND " + found + "))"
}

// text finds a phrase in names and errors, and in content when the asker may
// read it.
func (w *where) text(phrase string, scope search.Scope) (string, error) {
	var columns []string
	switch scope {
	case search.ScopeRun:
		columns = []string{"name", "agent", "task", "session", "user", "error_type", "tools", "models"}
	case search.ScopeStep:
		columns = []string{"name", "error", "error_type", "tool", "model", "agent"}
	case search.ScopeMessage:
		if !w.content {
			return "", fault.New(fault.KindDenied, "telemetry.content_denied", "a phrase in messages needs the permission to read content")
		}
		return w.messagesWith(phrase), nil
	case search.ScopeDecision:
		columns = []string{"agent", "resource", "tool", "model", "reasons", "error_code"}
	case search.ScopeLog:
		columns = []string{"body", "event"}
	}
	var parts []string
	for _, c := range columns {
		parts = append(parts, w.contains(quoteName(c), phrase))
	}
	if scope == search.ScopeRun {
		parts = append(parts, "run IN (SELECT run FROM "+w.from(tableSteps)+" x WHERE "+w.when("start", 1)+" AND ("+
			w.contains("name", phrase)+" OR "+w.contains("error", phrase)+"))")
	}
	if w.content && scope == search.ScopeRun {
		// The row of a content names the run where it first appeared, so no join
		// is needed. Another run of the day that only repeats it is not found.
		parts = append(parts, "run IN (SELECT run FROM "+w.from(tableContent)+" x WHERE "+w.when("minute", minuteNanos)+" AND "+w.inContent(phrase)+")")
	}
	if w.content && scope == search.ScopeStep {
		parts = append(parts, "(run, sid) IN (SELECT (run, sid) FROM "+w.from(tableMessages)+" x WHERE "+w.messagesWith(phrase)+")", w.contains("attr_values", phrase))
	}
	return "(" + strings.Join(parts, " OR ") + ")", nil
}

func (w *where) compare(e *search.Cmp, scope search.Scope) (string, error) {
	f, ok := search.Lookup(scope, e.Field)
	if !ok {
		return "", badQuery("a %s has no field %s", scope, e.Field)
	}
	op, negated := e.Op, false
	if op == "!=" {
		op, negated = ":", true
	}
	var parts []string
	for _, text := range e.Values {
		v, err := f.Read(text, w.now)
		if err != nil {
			return "", badQuery("%s: %v", e.Field, err)
		}
		c, err := w.one(f, scope, op, v)
		if err != nil {
			return "", err
		}
		parts = append(parts, c)
	}
	if len(parts) == 0 {
		parts = []string{"false"}
	}
	c := "(" + strings.Join(parts, " OR ") + ")"
	if negated {
		c = "(NOT " + c + ")"
	}
	return c, nil
}

func (w *where) one(f search.Field, scope search.Scope, op string, v search.Value) (string, error) {
	if prefix, key := search.Dynamic(f.Name); prefix != "" {
		if w.lite {
			return "", errNotHere
		}
		return w.dynamic(prefix, key, scope, op, v)
	}
	fields := map[search.Scope]map[string]sqlField{
		search.ScopeRun: runFields, search.ScopeStep: stepFields, search.ScopeMessage: messageFields, search.ScopeLog: logFields, search.ScopeDecision: decisionFields,
	}[scope]
	if w.lite {
		fields = liteRunFields
	}
	c, ok := fields[f.Name]
	if !ok {
		if w.lite {
			return "", errNotHere
		}
		return "", badQuery("%s cannot be searched over", f.Name)
	}
	x := c.expr
	switch c.kind {
	case kindNumber, kindTime:
		if v.Unknown {
			if c.null {
				return x + " IS NULL", nil
			}
			return "false", nil
		}
		sql := map[string]string{":": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}[op]
		if sql == "" {
			return "", badQuery("%s does not take %s", f.Name, op)
		}
		n := v.Number
		if c.scale != 0 {
			n *= c.scale
		}
		var arg any = n
		if c.kind == kindTime {
			arg = v.Time
		}
		cond := x + " " + sql + " " + w.bind(arg)
		if c.null {
			cond = "coalesce(" + cond + ", false)"
		}
		return cond, nil
	case kindBool:
		if v.Unknown {
			return "false", nil
		}
		if w.lite {
			return fmt.Sprintf("%s = %d", x, b2i(v.Bool)), nil
		}
		return fmt.Sprintf("%s = %t", x, v.Bool), nil
	case kindFlags:
		if v.Unknown {
			return x + " = 0", nil
		}
		i := slices.Index(activity.FlagNames, v.Text)
		if i < 0 || op != ":" {
			return "false", nil
		}
		return fmt.Sprintf("(%s & %d) <> 0", x, 1<<i), nil
	case kindRun, kindStep, kindTrace, kindSpan, kindDecision:
		return idCondition(c, v), nil
	case kindList:
		return w.list(x, op, v), nil
	}
	switch {
	case v.Unknown:
		return x + " = ''", nil
	case op == "~":
		return w.contains(x, v.Text), nil
	case v.Prefix:
		a := w.bind(v.Text)
		return fmt.Sprintf("substr(%s, 1, length(%s)) = %s", x, a, w.bind(v.Text)), nil
	}
	eq := x + " = " + w.bind(v.Text)
	// The planner takes a partial index only when its condition stands there.
	switch {
	case w.lite && f.Name == "session" && v.Text != "":
		eq += " AND session <> '' AND start / 3600000000000 IN " + hoursOfRuns
	case w.lite && f.Name == "status" && v.Text != "done":
		eq += " AND status <> 'done'"
	}
	return eq, nil
}

// hoursOfRuns are the hours that the index may hold runs of: its index by
// session is seeked in each.
const hoursOfRuns = `(WITH RECURSIVE h(n) AS (SELECT max(start) / 3600000000000 FROM runs UNION ALL
	SELECT n - 1 FROM h WHERE n > (SELECT min(start) / 3600000000000 FROM runs)) SELECT n FROM h)`

func (w *where) list(x, op string, v search.Value) string {
	switch {
	case v.Unknown:
		return x + " = ''"
	case op == "~":
		return w.contains(x, v.Text)
	case v.Prefix:
		return fmt.Sprintf("contains(%s, %s)", x, w.bind("\x1f"+v.Text))
	}
	return fmt.Sprintf("contains(%s, %s)", x, w.bind("\x1f"+v.Text+"\x1f"))
}

// idCondition compares an id by its parsed bytes: text that is no id matches
// nothing.
// among holds for runs that are listed: as one list, which DuckDB joins with, and not as
// so many comparisons.
func among(runs map[activity.RunID]bool) string {
	if len(runs) == 0 {
		return "false"
	}
	var b strings.Builder
	b.WriteString("run IN (")
	sep := ""
	for id, in := range runs {
		if in {
			b.WriteString(sep)
			b.WriteString(uuid(id))
			sep = ", "
		}
	}
	b.WriteString(")")
	return b.String()
}

func idCondition(c sqlField, v search.Value) string {
	switch {
	case v.Unknown && c.zero && c.kind == kindStep:
		return c.expr + " = 0"
	case v.Unknown && c.zero:
		return c.expr + " = " + uuid([16]byte{})
	case v.Unknown || v.Prefix:
		return "false"
	}
	switch c.kind {
	case kindRun:
		if id, err := activity.ParseRunID(v.Text); err == nil {
			return c.expr + " = " + uuid(id)
		}
	case kindDecision:
		if key, ok := decisionKey(v.Text); ok {
			return fmt.Sprintf("(hi = %d AND lo = %d)", half(key[:8]), half(key[8:]))
		}
	case kindStep:
		if id, err := activity.ParseStepID(v.Text); err == nil {
			return fmt.Sprintf("%s = %d", c.expr, half(id[:8]))
		}
	case kindTrace:
		if id, err := activity.ParseTraceID(v.Text); err == nil {
			return c.expr + " = " + uuid(id)
		}
	case kindSpan:
		if b, err := hex.DecodeString(v.Text); err == nil && len(b) == 8 {
			return fmt.Sprintf("%s = %d", c.expr, half(b))
		}
	}
	return "false"
}

func uuid(id [16]byte) string {
	h := hex.EncodeToString(id[:])
	return fmt.Sprintf("'%s-%s-%s-%s-%s'::UUID", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// dynamic compares an attribute, found by its key's place among the keys.
func (w *where) dynamic(prefix, key string, scope search.Scope, op string, v search.Value) (string, error) {
	if prefix == search.PrefixLabel {
		if v.Unknown {
			return fmt.Sprintf("(NOT contains(labels, %s))", w.bind("\x1f"+key+"\x1e")), nil
		}
		x := fmt.Sprintf("regexp_extract(labels, %s, 1)", w.bind("\x1f"+regexp.QuoteMeta(key)+"\x1e([^\x1f]*)\x1f"))
		has := fmt.Sprintf("contains(labels, %s)", w.bind("\x1f"+key+"\x1e"))
		return w.dynamicValue(x, has, "''", op, v)
	}
	keys, values, types := "attr_keys", "attr_values", "attr_types"
	if prefix == search.PrefixResource {
		keys, values, types = "res_keys", "res_values", "res_types"
	}
	place := func() string {
		return fmt.Sprintf("list_position(string_split(%s, chr(31)), %s)", keys, w.bind(key))
	}
	if v.Unknown {
		return fmt.Sprintf("(%s = '' OR coalesce(%s, 0) = 0)", types, place()), nil
	}
	// The plain test for the text first: it rejects most rows without splitting.
	has := fmt.Sprintf("contains(%s, %s)", keys, w.bind(key))
	if op == ":" && !v.Numeric {
		has += fmt.Sprintf(" AND contains(%s, %s)", values, w.bind(v.Text))
	}
	x := fmt.Sprintf("list_extract(string_split(%s, chr(31)), %s)", values, place())
	t := fmt.Sprintf("substr(%s, %s::BIGINT, 1)", types, place())
	return w.dynamicValue(x, has, t, op, v)
}

func (w *where) dynamicValue(x, has, typ, op string, v search.Value) (string, error) {
	var cond string
	switch op {
	case "~":
		cond = w.contains("v", v.Text)
	case ":":
		switch {
		case v.Prefix:
			cond = fmt.Sprintf("(starts_with(v, %s)", w.bind(v.Text)) + fmt.Sprintf(" OR t = 'l' AND contains(v, %s))", w.bind(`"`+v.Text))
		default:
			cond = fmt.Sprintf("(v = %s", w.bind(v.Text)) + fmt.Sprintf(" OR t = 'l' AND contains(v, %s)", w.bind(string(appendJSONString(nil, []byte(v.Text)))))
			if v.Numeric {
				cond += fmt.Sprintf(" OR t IN ('i', 'd', '') AND TRY_CAST(v AS DOUBLE) = %s", w.bind(v.Number))
			}
			cond += ")"
		}
	case ">", ">=", "<", "<=":
		cond = fmt.Sprintf("(t IN ('i', 'd', '') AND TRY_CAST(v AS DOUBLE) %s %s)", op, w.bind(v.Number))
	default:
		return "", badQuery("an attribute does not take %s", op)
	}
	return fmt.Sprintf("(%s AND coalesce((SELECT %s FROM (SELECT %s AS v, %s AS t)), false))", has, cond, x, typ), nil
}
