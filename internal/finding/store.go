package finding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

const columns = `id, detector, fingerprint, severity, team, environment, agent, body, count, first_at, last_at, closed_at`

func scan(r control.Row) (f Finding, err error) {
	var body string
	var first, last, closed int64
	if err := r.Scan(&f.ID, &f.Detector, &f.Fingerprint, &f.Severity, &f.Team, &f.Environment, &f.Agent, &body, &f.Count, &first, &last, &closed); err != nil {
		return f, err
	}
	if err := json.Unmarshal([]byte(body), &f); err != nil {
		return f, fault.New(fault.KindInternal, "finding.stored", "a stored finding cannot be read").WithCause(err)
	}
	f.First, f.Last = control.Time(first), control.Time(last)
	if closed > 0 {
		f.Closed = control.Time(closed)
	}
	return f, nil
}

func (f *Finding) write(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	var closed int64
	if !f.Closed.IsZero() {
		closed = control.Micros(f.Closed)
	}
	seq, err := tx.Next(ctx, "findings")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO findings (`+columns+`, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, severity = excluded.severity, body = excluded.body, count = excluded.count, last_at = excluded.last_at, closed_at = excluded.closed_at`,
		f.ID, f.Detector, f.Fingerprint, f.Severity, f.Team, f.Environment, f.Agent, string(body), f.Count, control.Micros(f.First), control.Micros(f.Last), closed, seq)
	return err
}

func (b *Book) loadVerdicts(ctx context.Context) error {
	type row struct {
		finding string
		place   place
		v       Verdict
	}
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (out row, err error) {
		var at int64
		err = r.Scan(&out.finding, &out.place.detector, &out.place.agent, &out.v.Verdict, &out.v.Person, &out.v.Name, &out.v.Reason, &at)
		out.v.At = control.Time(at)
		return out, err
	}, `SELECT finding, detector, agent, verdict, person, name, reason, at FROM finding_verdicts`)
	if err != nil {
		return fmt.Errorf("reading what people said of findings: %w", err)
	}
	b.learned = map[place]Learned{}
	since := b.o.Now().Add(-keep)
	for _, r := range list {
		b.verdicts[r.finding] = r.v
		if r.v.At.After(since) {
			b.learned[r.place] = b.learned[r.place].with(r.v.Verdict, 1)
		}
	}
	return nil
}

func (l Learned) with(verdict string, n int) Learned {
	switch verdict {
	case Useful:
		l.Useful += n
	case Noise:
		l.Noise += n
	}
	return l
}

// close ends findings by id.
func (b *Book) close(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	var over []Finding
	b.mu.RLock()
	for _, id := range ids {
		if e := b.byID[id]; e != nil {
			f := b.shape(&e.Finding)
			f.Closed = now
			over = append(over, f)
		}
	}
	b.mu.RUnlock()
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for i := range over {
			if err := over[i].write(ctx, tx); err != nil {
				return err
			}
			if err := event(ctx, tx, "finding.closed", &over[i]); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			for i := range over {
				if b.open[over[i].Fingerprint] == b.byID[over[i].ID] {
					delete(b.open, over[i].Fingerprint)
				}
				delete(b.byID, over[i].ID)
			}
			b.words()
			defer b.moved()
		})
		return nil
	})
}

// Run writes counts, closes what is quiet and drops what is old, until ctx ends,
// whose cause it returns.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	tidied := b.o.Now()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			if err := b.flush(last); err != nil {
				b.o.Logger.Warn("sightings of findings could not be written", "err", err)
			}
			return context.Cause(ctx)
		case <-tick.C:
		}
		err := b.flush(ctx)
		if now := b.o.Now(); err == nil && now.Sub(tidied) >= tidyEvery {
			tidied = now
			err = b.Tidy(ctx)
		}
		if err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("findings could not be written", "err", err)
		}
	}
}

// flush writes what was seen again.
func (b *Book) flush(ctx context.Context) error {
	var dirty []Finding
	b.mu.Lock()
	for _, e := range b.open {
		if e.dirty {
			e.dirty = false
			dirty = append(dirty, b.shape(&e.Finding))
		}
	}
	b.mu.Unlock()
	if len(dirty) == 0 {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for i := range dirty {
			if err := dirty[i].write(ctx, tx); err != nil {
				return err
			}
			if err := event(ctx, tx, "finding.updated", &dirty[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.mu.Lock()
		for i := range dirty {
			if e := b.byID[dirty[i].ID]; e != nil {
				e.dirty = true
			}
		}
		b.mu.Unlock()
	}
	return err
}

// Tidy closes findings that were not seen for an hour and drops those that
// closed long ago; Run does it by itself.
func (b *Book) Tidy(ctx context.Context) error {
	now := b.o.Now()
	var over []string
	b.mu.RLock()
	for id, e := range b.byID {
		if now.Sub(e.Last) >= quiet {
			over = append(over, id)
		}
	}
	b.mu.RUnlock()
	if err := b.close(ctx, over); err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		before := control.Micros(now.Add(-keep))
		if _, err := tx.Exec(ctx, `DELETE FROM findings WHERE closed_at > 0 AND closed_at < ?`, before); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM finding_verdicts WHERE at < ?`, before)
		return err
	})
}

// Filter narrows a list of findings. Empty fields narrow nothing.
type Filter struct {
	Agent, Detector, Severity, Team, Environment, Run string
	Open                                              *bool
	Verdict                                           string // useful, noise, none
	From, To                                          time.Time
	Before                                            string // a finding of the page before
	Limit                                             int
}

// List reads findings, the last seen first; those that are open as they are now.
func (b *Book) List(ctx context.Context, q Filter) ([]Finding, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(cond string, v ...any) { where, args = append(where, cond), append(args, v...) }
	for _, c := range []struct{ column, value string }{
		{"agent", q.Agent}, {"detector", q.Detector}, {"severity", q.Severity}, {"team", q.Team}, {"environment", q.Environment},
	} {
		if c.value != "" {
			add(c.column+" = ?", c.value)
		}
	}
	if q.Run != "" {
		add("body LIKE ? ESCAPE '!'", "%\""+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", `"`, "").Replace(q.Run)+"\"%")
	}
	switch {
	case q.Open == nil:
	case *q.Open:
		add("closed_at = 0")
	default:
		add("closed_at > 0")
	}
	switch q.Verdict {
	case "":
	case "none":
		add("id NOT IN (SELECT finding FROM finding_verdicts)")
	default:
		add("id IN (SELECT finding FROM finding_verdicts WHERE verdict = ?)", q.Verdict)
	}
	if !q.From.IsZero() {
		add("last_at >= ?", control.Micros(q.From))
	}
	if !q.To.IsZero() {
		add("first_at < ?", control.Micros(q.To))
	}
	if q.Before != "" {
		add("id < ?", q.Before)
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	list, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM findings WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, q.Limit)...)
	if err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := range list {
		list[i] = b.now(list[i])
	}
	return list, nil
}

// now is a stored finding with what is in memory of it. The caller holds a lock.
func (b *Book) now(f Finding) Finding {
	if e := b.byID[f.ID]; e != nil {
		f = e.Finding
	}
	return b.shape(&f)
}

// Live lists the open findings that see wants, the newest first: from memory, so that none is left out for being one of many.
func (b *Book) Live(see func(f *Finding) bool) []Finding {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []Finding
	for _, e := range b.byID {
		if e.Open() && see(&e.Finding) {
			out = append(out, b.shape(&e.Finding))
		}
	}
	slices.SortFunc(out, func(x, y Finding) int { return strings.Compare(y.ID, x.ID) })
	return out
}

// Moved are the findings that changed after a place in the order of their
// changes, with the place to go on from: for who follows them durably. A finding
// that changed twice comes once, as it is now.
func (b *Book) Moved(ctx context.Context, after int64, limit int) (list []Finding, last int64, err error) {
	last = after
	list, err = control.All(ctx, b.o.DB, func(r control.Row) (Finding, error) {
		var seq int64
		f, err := scan(more{r, []any{&seq}})
		last = max(last, seq)
		return f, err
	}, `SELECT `+columns+`, seq FROM findings WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := range list {
		if v, ok := b.verdicts[list[i].ID]; ok {
			list[i].Verdict = &v
		}
	}
	return list, last, err
}

// more is a row that has columns behind those that are scanned.
type more struct {
	control.Row
	rest []any
}

// Scan implements control.Row.
func (m more) Scan(dest ...any) error { return m.Row.Scan(append(dest, m.rest...)...) }

// Get reads one.
func (b *Book) Get(ctx context.Context, id string) (Finding, error) {
	f, ok, err := control.One(ctx, b.o.DB, scan, `SELECT `+columns+` FROM findings WHERE id = ?`, id)
	if err != nil {
		return f, err
	}
	if !ok {
		return f, notFound()
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now(f), nil
}

// VerdictOf is what a person said of a finding of any part; nil for nothing.
func (b *Book) VerdictOf(id string) *Verdict {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if v, ok := b.verdicts[id]; ok {
		return &v
	}
	return nil
}

// Actor is who judges.
type Actor struct{ Person, Name, Via string }

// About is what a verdict is given on: a finding here, or one of another part
// by its id.
type About struct{ ID, Detector, Agent, Team, Environment, Fingerprint string }

// Judge says what a finding was worth; an empty verdict takes that back.
// Verdicts change how many alarms the detector may raise about the agent
// (Learned), and are taken back with all they changed.
func (b *Book) Judge(ctx context.Context, who Actor, on About, verdict, reason string) error {
	if !slices.Contains([]string{"", Useful, Noise}, verdict) {
		return fault.New(fault.KindInvalid, "finding.verdict", "a finding is useful or noise").WithHint("an empty verdict takes one back")
	}
	if len(reason) > 1000 || strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.New(fault.KindInvalid, "finding.reason", "a reason is a line of at most 1000 bytes")
	}
	if on.ID == "" {
		return errors.New("finding: a verdict on nothing")
	}
	v := Verdict{verdict, who.Person, who.Name, reason, b.o.Now().UTC().Truncate(time.Microsecond)}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		b.mu.RLock()
		before, had := b.verdicts[on.ID]
		b.mu.RUnlock()
		if before.Verdict == verdict {
			return nil
		}
		var err error
		if verdict == "" {
			_, err = tx.Exec(ctx, `DELETE FROM finding_verdicts WHERE finding = ?`, on.ID)
		} else {
			_, err = tx.Exec(ctx, `INSERT INTO finding_verdicts (finding, detector, agent, subject, verdict, person, name, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (finding) DO UPDATE SET verdict = excluded.verdict, person = excluded.person, name = excluded.name, reason = excluded.reason, at = excluded.at`,
				on.ID, on.Detector, on.Agent, on.Fingerprint, verdict, who.Person, who.Name, reason, control.Micros(v.At))
		}
		if err != nil {
			return err
		}
		if err := b.touch(ctx, tx, on.ID); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{
			Kind: "admin.finding_judged", Person: who.Person, Via: who.Via, Action: "judge", Object: on.ID, Reason: reason,
			Before: map[string]string{"verdict": before.Verdict}, After: map[string]string{"verdict": verdict},
		}); err != nil {
			return err
		}
		data, err := json.Marshal(map[string]string{"id": on.ID, "team": on.Team, "environment": on.Environment, "verdict": verdict, "agent": on.Agent, "detector": on.Detector})
		if err != nil {
			return err
		}
		if err := tx.Event(ctx, control.Event{Type: "finding.judged", Object: on.ID, Data: data}); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			at := place{on.Detector, on.Agent}
			if had {
				b.learned[at] = b.learned[at].with(before.Verdict, -1)
			}
			if verdict == "" {
				delete(b.verdicts, on.ID)
			} else {
				b.verdicts[on.ID] = v
				b.learned[at] = b.learned[at].with(verdict, 1)
			}
			b.words()
			defer b.moved()
		})
		return nil
	})
}

// touch moves a finding to the end of the order of changes; one of another part
// has no place there.
func (b *Book) touch(ctx context.Context, tx *control.Tx, id string) error {
	seq, err := tx.Next(ctx, "findings")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE findings SET seq = ? WHERE id = ?`, seq, id)
	return err
}
