package alert

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// together is how many rows one statement writes.
const together = 40

// The history of one alert is cut to keepLines when it has more than maxLines.
const (
	keepLines = 200
	maxLines  = 300
	// maxOfOne bounds what one transaction adds to one alert's history: who flaps
	// faster than anybody reads has its middle left out.
	maxOfOne = 40
)

// load reads what memory holds.
func (b *Book) load(ctx context.Context) error {
	type row struct {
		id string
		e  entry
	}
	sources := map[string]string{}
	rows, err := control.All(ctx, b.o.DB, func(s control.Row) (out row, err error) {
		var state, digest string
		var acked int
		e := &out.e
		if err := s.Scan(&out.id, &state, &e.how, &acked, &digest, &e.at, &e.started, &e.changedAt, &e.first, &e.episodes, &e.agent, &e.team, &e.last, &e.expires, &e.receptions, &e.late, &e.lines, &e.source); err != nil {
			return out, err
		}
		e.resolved, e.acked = state == Resolved, acked == 1
		if sources[e.source] == "" {
			sources[e.source] = e.source
		}
		e.source = sources[e.source] // one text for all of a source's
		raw, err := hex.DecodeString(digest)
		if err != nil || len(raw) != 16 {
			return out, fault.New(fault.KindInternal, "alert.stored", "a stored alert cannot be read").WithCause(err)
		}
		copy(e.digest[:], raw)
		copy(e.headline[:], raw[8:])
		return out, nil
	}, `SELECT a.id, a.state, a.how, a.acked, a.digest, s.state_at, a.started_at, a.changed_at, a.first_at, a.episodes, a.agent, a.team, s.last_at, s.expires_at, s.receptions, s.late,
		(SELECT COUNT(*) FROM alert_history h WHERE h.alert = a.id), a.source FROM alerts a JOIN alert_seen s ON s.alert = a.id`)
	if err != nil {
		return err
	}
	b.index = make(map[string]*entry, len(rows))
	firing := int64(0)
	for i := range rows {
		b.index[rows[i].id] = &rows[i].e
		if !rows[i].e.resolved {
			firing++
		}
	}
	b.firing.Store(firing)
	b.kept.Store(int64(len(rows)))
	b.seq, _, err = control.One(ctx, b.o.DB, scanInt, `SELECT COALESCE(MAX(seq), 0) FROM alert_history`)
	return err
}

func scanInt(r control.Row) (v int64, err error) { return v, r.Scan(&v) }

// store writes a transaction.
func (t *taking) store(ctx context.Context, tx *control.Tx) error {
	evicted := make([]string, 0, len(t.evict))
	for id := range t.evict {
		evicted = append(evicted, id)
	}
	if err := forget(ctx, tx, evicted); err != nil {
		return err
	}
	var full, state []*change
	var trim []string
	for _, c := range t.order {
		switch {
		case c.report != nil:
			full = append(full, c)
		case c.changed:
			state = append(state, c)
		}
		if n := len(c.lines); n > maxOfOne {
			c.lines = slices.Delete(c.lines, maxOfOne/2, n-maxOfOne/2)
			c.lines[maxOfOne/2].note = "it changed so often that what lies before is not kept"
		}
		if c.entry.lines += len(c.lines); c.entry.lines > maxLines {
			c.entry.lines = keepLines
			trim = append(trim, c.id)
		}
	}
	for _, step := range [...]func() error{
		func() error { return writeAlerts(ctx, tx, full) },
		func() error { return writeStates(ctx, tx, state) },
		func() error { return writeSeen(ctx, tx, t.order) },
		func() error { return writeLines(ctx, tx, t.order) },
		func() error { return trimLines(ctx, tx, trim) },
		func() error { return t.event(ctx, tx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// rows writes n rows by statements of several: head, then row once for each,
// then tail.
func rows(ctx context.Context, tx *control.Tx, n int, head, row, tail string, args func(i int) []any) error {
	for i := 0; i < n; i += together {
		m := min(together, n-i)
		all := make([]any, 0, m*strings.Count(row, "?"))
		for k := range m {
			all = append(all, args(i+k)...)
		}
		if _, err := tx.Exec(ctx, head+strings.TrimSuffix(strings.Repeat(row+",", m), ",")+tail, all...); err != nil {
			return err
		}
	}
	return nil
}

func stateOf(e *entry) string {
	if e.resolved {
		return Resolved
	}
	return Firing
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func writeAlerts(ctx context.Context, tx *control.Tx, all []*change) error {
	return rows(ctx, tx, len(all), `INSERT INTO alerts (id, source, kind, alert_key, state, how, acked, severity, title, body, agent, team, environment, digest, started_at, changed_at, first_at, episodes, raw, raw_bytes) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		` ON CONFLICT (id) DO UPDATE SET state = excluded.state, how = excluded.how, acked = excluded.acked, severity = excluded.severity, title = excluded.title, body = excluded.body,
		agent = excluded.agent, team = excluded.team, environment = excluded.environment, digest = excluded.digest, started_at = excluded.started_at,
		changed_at = excluded.changed_at, episodes = excluded.episodes, raw = excluded.raw, raw_bytes = excluded.raw_bytes`,
		func(i int) []any {
			c := all[i]
			r, e := c.report, &c.entry
			body, err := json.Marshal(shown{r.Text, r.Labels, r.Links, c.reason})
			if err != nil { // strings alone: cannot happen
				panic(err)
			}
			return []any{
				c.id, c.source.Source, c.source.Kind, r.Key, stateOf(e), e.how, flag(e.acked), r.Severity, r.Title, string(body), e.agent, e.team,
				environmentOf(&c.source, r.Labels), hex.EncodeToString(append(e.digest[:], e.headline[:]...)), e.started, e.changedAt, e.first, e.episodes,
				clip(string(c.raw), maxRaw), len(c.raw),
			}
		})
}

// environmentOf is the source's environment, else the one that labels name.
func environmentOf(from *Sender, labels map[string]string) string {
	return cmp.Or(from.Environment, labels["environment"], labels["deployment.environment"], labels["deployment_environment"], labels["env"])
}

func writeStates(ctx context.Context, tx *control.Tx, all []*change) error {
	for _, c := range all {
		e := &c.entry
		set := `UPDATE alerts SET state = ?, how = ?, acked = ?, started_at = ?, changed_at = ?, episodes = ?`
		args := []any{stateOf(e), e.how, flag(e.acked), e.started, e.changedAt, e.episodes}
		if c.raw != nil { // else nobody said anything
			set += `, raw = ?, raw_bytes = ?`
			args = append(args, clip(string(c.raw), maxRaw), len(c.raw))
		}
		if _, err := tx.Exec(ctx, set+` WHERE id = ?`, append(args, c.id)...); err != nil {
			return err
		}
	}
	return nil
}

func writeSeen(ctx context.Context, tx *control.Tx, all []*change) error {
	return rows(ctx, tx, len(all), `INSERT INTO alert_seen (alert, last_at, state_at, expires_at, receptions, late) VALUES `, `(?, ?, ?, ?, ?, ?)`,
		` ON CONFLICT (alert) DO UPDATE SET last_at = excluded.last_at, state_at = excluded.state_at, expires_at = excluded.expires_at, receptions = excluded.receptions, late = excluded.late`,
		func(i int) []any {
			e := &all[i].entry
			return []any{all[i].id, e.last, e.at, e.expires, e.receptions, e.late}
		})
}

func writeLines(ctx context.Context, tx *control.Tx, all []*change) error {
	type of struct {
		id string
		line
	}
	var lines []of
	for _, c := range all {
		for _, l := range c.lines {
			lines = append(lines, of{c.id, l})
		}
	}
	return rows(ctx, tx, len(lines), `INSERT INTO alert_history (seq, alert, kind, at, received_at, severity, person, note) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?)`, ``,
		func(i int) []any {
			l := &lines[i]
			return []any{l.seq, l.id, l.kind, l.at, l.received, l.severity, l.person, l.note}
		})
}

func trimLines(ctx context.Context, tx *control.Tx, ids []string) error {
	for _, id := range ids {
		if _, err := tx.Exec(ctx, `DELETE FROM alert_history WHERE alert = ? AND seq <= (SELECT seq FROM alert_history WHERE alert = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)`, id, id, keepLines); err != nil {
			return err
		}
	}
	return nil
}

// forget removes alerts.
func forget(ctx context.Context, tx *control.Tx, ids []string) error {
	for i := 0; i < len(ids); i += 500 {
		part := ids[i:min(i+500, len(ids))]
		args := make([]any, len(part))
		for k, id := range part {
			args[k] = id
		}
		if _, err := tx.Exec(ctx, `DELETE FROM alerts WHERE id IN (`+strings.TrimSuffix(strings.Repeat("?,", len(part)), ",")+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

// updated is the event of a transaction: live views look again, and who follows
// the history reads up to Seq.
type updated struct {
	Seq    int64    `json:"seq"`
	Alerts int      `json:"alerts"` // that changed
	IDs    []string `json:"ids"`    // the first few
}

// event tells of changes; counts alone are not told.
func (t *taking) event(ctx context.Context, tx *control.Tx) error {
	e := updated{Seq: t.seq, IDs: []string{}}
	for _, c := range t.order {
		if c.changed {
			if e.Alerts++; len(e.IDs) < 20 {
				e.IDs = append(e.IDs, c.id)
			}
		}
	}
	if e.Alerts == 0 {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "alert.updated", Object: e.IDs[0], Data: data})
}

// Place is a team and an environment that somebody may see; "*" is all.
type Place struct{ Team, Environment string }

// Filter says which alerts.
type Filter struct {
	State, Source, Agent, Team, Environment, Q string
	Severities                                 []string
	From, To                                   time.Time // last seen
	Visible                                    []Place   // nil: all
	Limit                                      int
	After                                      Cursor
}

// Cursor is where a page ended; the zero one is the beginning.
type Cursor struct {
	State   string `json:"s,omitempty"`
	Changed int64  `json:"c,omitempty"`
	ID      string `json:"i,omitempty"`
}

// visible narrows to what somebody may see: what names no team is everybody's.
func visible(w *control.Where, places []Place) {
	if places == nil {
		return
	}
	or := []string{"1 = 0"}
	var args []any
	for _, p := range places {
		if p.Team == "*" && p.Environment == "*" {
			return
		}
		cond, sep := "(", ""
		if p.Team != "*" {
			cond, sep = cond+"a.team IN ('', ?)", " AND "
			args = append(args, p.Team)
		}
		if p.Environment != "*" {
			cond += sep + "a.environment IN ('', ?)"
			args = append(args, p.Environment)
		}
		or = append(or, cond+")")
	}
	w.Add("("+strings.Join(or, " OR ")+")", args...)
}

func (f *Filter) where() control.Where {
	var w control.Where
	w.Is("a.state", f.State)
	w.Is("a.source", f.Source)
	w.Is("a.agent", f.Agent)
	w.Is("a.team", f.Team)
	w.Is("a.environment", f.Environment)
	if len(f.Severities) > 0 {
		args := make([]any, len(f.Severities))
		for i, s := range f.Severities {
			args[i] = s
		}
		w.Add("a.severity IN ("+strings.TrimSuffix(strings.Repeat("?,", len(args)), ",")+")", args...)
	}
	if f.Q != "" {
		w.Add(`LOWER(a.title || ' ' || a.alert_key || ' ' || a.body) LIKE ? ESCAPE '\'`, control.Like(f.Q))
	}
	if !f.From.IsZero() { // what fires still counts as seen now
		w.Add("(a.state = 'firing' OR s.last_at >= ?)", control.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.Add("a.first_at < ?", control.Micros(f.To))
	}
	visible(&w, f.Visible)
	return w
}

const columns = `a.id, a.source, a.kind, a.alert_key, a.state, a.how, a.acked, a.severity, a.title, a.body, a.agent, a.team, a.environment, s.state_at, a.started_at, a.changed_at, a.first_at, a.episodes, s.last_at, s.expires_at, s.receptions, s.late`

const from = ` FROM alerts a JOIN alert_seen s ON s.alert = a.id`

func scan(r control.Row) (client.Alert, error) { return scanMore(r) }

func scanMore(r control.Row, more ...any) (a client.Alert, err error) {
	var how, body string
	var acked int
	var at, started, changedAt, first, last, expires int64
	if err := r.Scan(append([]any{
		&a.ID, &a.Source, &a.Kind, &a.Key, &a.State, &how, &acked, &a.Severity, &a.Title, &body, &a.Agent, &a.Team, &a.Environment,
		&at, &started, &changedAt, &first, &a.Episodes, &last, &expires, &a.Receptions, &a.Late,
	}, more...)...); err != nil {
		return a, err
	}
	var s shown
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return a, fault.New(fault.KindInternal, "alert.stored", "a stored alert cannot be read").WithCause(err)
	}
	a.Text, a.Labels, a.AgentReason, a.Acknowledged = s.Text, s.Labels, s.Reason, acked == 1
	for _, l := range s.Links {
		a.Links = append(a.Links, client.AlertLink(l))
	}
	a.StartedAt, a.FirstSeenAt, a.LastSeenAt, a.StateChangedAt = control.Time(started), control.Time(first), control.Time(last), control.Time(changedAt)
	if a.State == Resolved {
		t := control.Time(at)
		a.ResolvedAt, a.ResolvedBy = &t, how
	} else if expires > 0 {
		t := control.Time(expires)
		a.ExpiresAt = &t
	}
	return a, nil
}

// List lists alerts: firing ones first, then the last changed. next is the zero
// cursor at the end.
func (b *Book) List(ctx context.Context, f Filter) (all []client.Alert, next Cursor, err error) {
	w := f.where()
	if c := f.After; c.ID != "" {
		w.Add("(a.state > ? OR (a.state = ? AND (a.changed_at < ? OR (a.changed_at = ? AND a.id > ?))))", c.State, c.State, c.Changed, c.Changed, c.ID)
	}
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, `SELECT `+columns+from+w.Text()+` ORDER BY a.state, a.changed_at DESC, a.id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	last := &all[limit-1]
	return all, Cursor{last.State, control.Micros(last.StateChangedAt), last.ID}, nil
}

func notFound(id string) error {
	return fault.New(fault.KindNotFound, "alert.not_found", "there is no alert %.60s", id).WithHint("`reeve alert list` lists them")
}

// Get reads an alert with its history and its sender's words.
func (b *Book) Get(ctx context.Context, id string) (client.AlertDetail, error) {
	var raw string
	var bytes int64
	a, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (client.Alert, error) { return scanMore(r, &raw, &bytes) },
		`SELECT `+columns+`, a.raw, a.raw_bytes`+from+` WHERE a.id = ?`, id)
	if err != nil {
		return client.AlertDetail{}, err
	}
	if !ok {
		return client.AlertDetail{}, notFound(id)
	}
	out := client.AlertDetail{Alert: a, Raw: &raw, RawBytes: bytes}
	out.History, err = control.All(ctx, b.o.DB, scanLine, `SELECT `+lineColumns+` FROM alert_history WHERE alert = ? ORDER BY seq DESC LIMIT 500`, id)
	if out.History == nil {
		out.History = []client.AlertEvent{}
	}
	return out, err
}

const lineColumns = `seq, alert, kind, at, received_at, severity, person, note`

func scanLine(r control.Row) (e client.AlertEvent, err error) {
	var at, received int64
	err = r.Scan(&e.Seq, &e.AlertID, &e.Kind, &at, &received, &e.Severity, &e.By, &e.Text)
	e.At, e.ReceivedAt = control.Time(at), control.Time(received)
	return e, err
}

// Changes lists what happened to alerts after a sequence, oldest first: for who
// follows all of it, such as what groups alerts.
func (b *Book) Changes(ctx context.Context, after int64, limit int) ([]client.AlertEvent, error) {
	return control.All(ctx, b.o.DB, scanLine, `SELECT `+lineColumns+` FROM alert_history WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
}

// Actor is who closes an alert.
type Actor struct {
	Person, Via string
	// Can reports whether the actor has a role for a team and environment.
	Can func(role, team, environment string) bool
}

// Close resolves an alert by hand. What its sender says of the same episode
// later does not open it again; a new episode does.
func (b *Book) Close(ctx context.Context, who Actor, id, reason string) (client.AlertDetail, error) {
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxLabel {
		return client.AlertDetail{}, fault.New(fault.KindInvalid, "alert.reason", "a reason of at most %d characters is needed", maxLabel)
	}
	b.write.Lock()
	defer b.write.Unlock()
	was := b.index[id]
	if was == nil {
		return client.AlertDetail{}, notFound(id)
	}
	old, err := b.Get(ctx, id)
	if err != nil {
		return client.AlertDetail{}, err
	}
	if !who.Can("responder", old.Team, cmp.Or(old.Environment, "*")) {
		return client.AlertDetail{}, fault.New(fault.KindDenied, "alert.denied", "closing this alert needs the role responder").WithHint("an admin can grant it")
	}
	if was.resolved {
		return client.AlertDetail{}, fault.New(fault.KindConflict, "alert.resolved", "this alert is resolved already")
	}
	us := b.o.Now().UnixMicro()
	t := &taking{b: b, seq: b.seq + 1, seen: map[string]*change{}}
	c := &change{id: id, was: was, entry: *was, changed: true}
	c.entry.resolved, c.entry.how, c.entry.at, c.entry.changedAt, c.entry.expires = true, who.Person, max(us, was.at), us, 0
	c.lines = []line{{seq: t.seq, kind: closed, at: us, received: us, severity: old.Severity, person: who.Person, note: reason}}
	t.order = []*change{c}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := t.store(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.alert_closed", Person: who.Person, Via: who.Via, Action: "close", Object: id, Reason: reason,
			Before: map[string]string{"state": Firing, "title": old.Title}, After: map[string]string{"state": Resolved},
		})
	})
	if err != nil {
		return client.AlertDetail{}, err
	}
	t.apply()
	return b.Get(ctx, id)
}

// Run resolves what nothing more is heard of, and forgets what is old.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
			// What is over is shown as firing a while longer: no reason to stop.
			b.o.Logger.Error("alerts were not tidied", "err", err)
		}
	}
}

// tidy does it once, in small transactions: who reports waits for each.
func (b *Book) tidy(ctx context.Context) error {
	for {
		more, err := b.tidyOnce(ctx)
		if err != nil || !more {
			return err
		}
	}
}

func (b *Book) tidyOnce(ctx context.Context) (more bool, err error) {
	const most = 500
	b.write.Lock()
	defer b.write.Unlock()
	now := b.o.Now()
	us, old := now.UnixMicro(), now.Add(-b.o.Keep).UnixMicro()
	// What was not heard of since the start may have been told meanwhile.
	patient, opened := now.Before(b.opened.Add(grace)), b.opened.UnixMicro()
	t := &taking{b: b, seq: b.seq, seen: map[string]*change{}, evict: map[string]bool{}}
	for id, e := range b.index {
		switch {
		case len(t.order)+len(t.evict) >= most:
		case e.resolved && e.changedAt < old:
			t.evict[id] = true
		case !e.resolved && e.expires > 0 && e.expires < us && !(patient && e.last < opened):
			c := &change{id: id, was: e, entry: *e, changed: true}
			c.entry.resolved, c.entry.how, c.entry.at, c.entry.changedAt = true, bySilence, max(e.at, e.expires), us
			t.seq++
			c.lines = []line{{seq: t.seq, kind: silent, at: e.expires, received: us, note: "nothing more was heard of it"}}
			t.order = append(t.order, c)
		}
	}
	if len(t.order)+len(t.evict) == 0 {
		return false, nil
	}
	slices.SortFunc(t.order, func(x, y *change) int { return cmp.Compare(x.entry.expires, y.entry.expires) })
	for i, c := range t.order {
		c.lines[0].seq = b.seq + int64(i) + 1
	}
	if err := b.o.DB.Write(ctx, func(tx *control.Tx) error { return t.store(ctx, tx) }); err != nil {
		return false, err
	}
	t.apply()
	return len(t.order)+len(t.evict) >= most, nil
}
