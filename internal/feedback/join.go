package feedback

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/telemetry"
)

// target is by what a feedback's run is found: the most exact of what its sender
// gave. A session is the fallback of a join key that nobody binds.
type target struct {
	run     activity.RunID
	key     string
	session string
	by      string
}

// target is made of what is stored alone, so that a restart finds the same.
func (f *Feedback) target() target {
	scope := activity.ScopeOf(f.Team, f.Environment)
	switch {
	case f.On.Run != "":
		id, err := activity.ParseRunID(f.On.Run)
		if err != nil { // checked when it came
			return target{}
		}
		return target{run: id, by: "run"}
	case f.On.Trace != "":
		b, err := hex.DecodeString(f.On.Trace)
		if err != nil || len(b) != 16 {
			return target{}
		}
		return target{run: scope.RunOfTrace(activity.TraceID(b)), by: "trace"}
	case f.On.RunKey != "":
		return target{run: scope.RunOfKey(f.On.RunKey), by: "run_key"}
	case f.On.JoinKey != "":
		return target{key: f.On.JoinKey, session: f.On.Session, by: "join_key"}
	case f.On.Session != "":
		return target{session: f.On.Session, by: "session"}
	}
	return target{}
}

// place is the scope of a session or a key.
type place struct{ team, environment, word string }

// waiting is what has no run yet, found by what it waits for; and the runs that
// were joined lately, whose agent, version and errors may still change.
type waiting struct {
	mu       sync.Mutex
	byRun    map[activity.RunID][]string
	byKey    map[place][]string
	session  map[place][]string
	all      map[string]func() // by id: how it is removed
	until    map[string]span   // the same ids: how long they wait, and whose they are
	share    map[sender]int    // how many of each sender's wait
	once     map[string]bool   // looked for once: there was no room to wait
	most     int
	turned   bool // some were turned away since they were last read anew
	due      map[string]time.Time
	recent   map[activity.RunID]Seen
	refresh  map[activity.RunID]Seen
	bindings map[place]binding
}

// sender is whose feedback waits. One of them, a public form say, takes a part of
// the room at most, whatever it sends.
type sender struct{ source, team string }

type span struct {
	of    sender
	until time.Time
}

// waits is until when a feedback waits for its run. What nobody vouches for is
// said while its run goes on or just ended.
func (f *Feedback) waits() time.Time {
	if f.Verified {
		return f.ReceivedAt.Add(waitFor)
	}
	return f.ReceivedAt.Add(waitUnproven)
}

type binding struct {
	run activity.RunID
	at  time.Time
}

func (w *waiting) init(most int) {
	w.most = most
	w.until, w.share, w.once = map[string]span{}, map[sender]int{}, map[string]bool{}
	w.byRun, w.byKey, w.session = map[activity.RunID][]string{}, map[place][]string{}, map[place][]string{}
	w.all, w.due, w.recent, w.refresh, w.bindings = map[string]func(){}, map[string]time.Time{}, map[activity.RunID]Seen{}, map[activity.RunID]Seen{}, map[place]binding{}
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

// add has a feedback looked up, and found again when its run is told of. Where
// there is no room it is looked up all the same, once: most runs are there before.
func (w *waiting) add(f *Feedback) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(f.ID)
	if f.Run != "" || f.Removed {
		return
	}
	t, id := f.target(), f.ID
	of := sender{f.Source, f.Team}
	if len(w.all) >= w.most || w.share[of] >= w.most/4 {
		w.turned = true
		if len(w.once) < w.most {
			w.once[id], w.due[id] = true, time.Time{}
		}
		return
	}
	session, key := place{f.Team, f.Environment, t.session}, place{f.Team, f.Environment, t.key}
	switch {
	case !t.run.IsZero():
		w.byRun[t.run] = append(w.byRun[t.run], id)
	case t.key != "":
		w.byKey[key] = append(w.byKey[key], id)
	}
	if t.session != "" {
		w.session[session] = append(w.session[session], id)
	}
	w.all[id] = func() {
		drop(w.byRun, t.run, id)
		drop(w.byKey, key, id)
		drop(w.session, session, id)
	}
	w.until[id] = span{of, f.waits()}
	w.share[of]++
	w.due[id] = time.Time{} // at once
}

func drop[K comparable](m map[K][]string, k K, id string) {
	list := m[k]
	if list = slices.DeleteFunc(list, func(x string) bool { return x == id }); len(list) == 0 {
		delete(m, k)
	} else {
		m[k] = list
	}
}

// remove forgets a feedback. The caller holds the lock.
func (w *waiting) remove(id string) {
	if undo := w.all[id]; undo != nil {
		undo()
		of := w.until[id].of
		if w.share[of]--; w.share[of] == 0 {
			delete(w.share, of)
		}
		delete(w.all, id)
		delete(w.until, id)
	}
	delete(w.once, id)
	delete(w.due, id)
}

// looked forgets what was to be looked up once, unless that is still to come.
func (w *waiting) looked(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, due := w.due[id]; w.once[id] && !due {
		delete(w.once, id)
	}
}

// expire forgets what waited long enough, and tells whether there is room again
// for what was turned away.
func (w *waiting) expire(now time.Time) (again bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, x := range w.until {
		if !x.until.After(now) {
			w.remove(id)
		}
	}
	again = w.turned && len(w.all) < w.most
	if again {
		w.turned = false
	}
	return again
}

// take gives what is to be looked up now.
func (w *waiting) take(now time.Time) (ids []string, runs map[activity.RunID]Seen, binds map[place]binding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.due {
		if !at.After(now) && len(ids) < maxTogether {
			ids = append(ids, id)
			delete(w.due, id)
		}
	}
	runs, w.refresh = w.refresh, map[activity.RunID]Seen{}
	binds, w.bindings = w.bindings, map[place]binding{}
	return ids, runs, binds
}

// again has a feedback looked up at a time, unless it is looked up sooner.
func (w *waiting) again(id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all[id] == nil && !w.once[id] {
		return
	}
	if was, ok := w.due[id]; !ok || at.Before(was) {
		w.due[id] = at
	}
}

// next is when something is due; false when nothing is.
func (w *waiting) next() (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.due {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// KeyLabels are the labels of a run whose values are join keys of it.
var KeyLabels = []string{"reeve.join_key", "join_key", "feedback_join_key", "message_id", "ticket_id", "order_id"}

// SeenOf is what feedback needs of a run's row.
func SeenOf(r *activity.Run) Seen {
	s := Seen{
		Run: r.ID, Team: r.Team, Environment: r.Environment, Agent: r.Agent, Version: r.Version, Task: r.Task, Session: r.Session,
		Failed: r.Errors > 0 || r.RootError, Test: r.Mode == "test", Start: time.Unix(0, r.Start).UTC(),
	}
	for _, l := range r.Labels {
		if l.Value != "" && len(l.Value) <= maxKey && slices.Contains(KeyLabels, l.Key) {
			s.Keys = append(s.Keys, l.Value)
		}
	}
	return s
}

// Observe looks at what the store of activity took, for runs that feedback waits
// for. It must be quick: it is in the reader's way.
func (b *Book) Observe(w *telemetry.Write) {
	if b.wait.observe(w.Runs, b.o.Now()) {
		b.stir()
	}
}

func (w *waiting) observe(runs []activity.Run, now time.Time) (found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range runs {
		r := &runs[i]
		look := func(ids []string, at time.Time) {
			for _, id := range ids {
				if was, ok := w.due[id]; !ok || at.Before(was) {
					w.due[id], found = at, true
				}
			}
		}
		look(w.byRun[r.ID], now)
		if r.Session != "" {
			// The same session may go on: who gave no run is joined once it settles.
			look(w.session[place{r.Team, r.Environment, r.Session}], now.Add(sessionSettles))
		}
		if was, ok := w.recent[r.ID]; ok {
			if s := SeenOf(r); s.Agent != was.Agent || s.Version != was.Version || s.Failed != was.Failed || s.Task != was.Task || s.Test != was.Test {
				s.Keys = nil
				w.recent[r.ID], w.refresh[r.ID], found = s, s, true
			}
		}
		if len(r.Labels) == 0 {
			continue
		}
		for _, key := range SeenOf(r).Keys {
			if len(w.bindings) < maxTogether {
				w.bindings[place{r.Team, r.Environment, key}] = binding{r.ID, now}
				found = true
			}
		}
	}
	return found
}

// joined notes a run that has feedback.
func (w *waiting) joined(s Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.recent) >= maxRecent {
		for id := range w.recent { // any: what changes after so many others is rare
			delete(w.recent, id)
			break
		}
	}
	s.Keys = nil
	w.recent[s.Run] = s
}

// Run joins feedback to runs and drops what is old, until ctx ends, whose cause
// it returns.
func (b *Book) Run(ctx context.Context) error {
	tidy := time.NewTicker(time.Hour)
	defer tidy.Stop()
	for {
		if err := b.Join(ctx); err != nil && ctx.Err() == nil {
			b.o.Logger.Warn("feedback could not be joined; it is tried again", "err", err)
		}
		var due <-chan time.Time
		stop := func() bool { return true }
		if at, ok := b.wait.next(); ok {
			t := time.NewTimer(max(at.Sub(b.o.Now()), 100*time.Millisecond))
			due, stop = t.C, t.Stop
		}
		select {
		case <-b.wake:
		case <-due:
		case <-tidy.C:
			if err := b.tidy(ctx); err != nil && ctx.Err() == nil {
				b.o.Logger.Warn("old feedback could not be dropped", "err", err)
			}
		case <-ctx.Done():
			stop()
			return context.Cause(ctx)
		}
		stop()
	}
}

// Join looks up what waits and is due; Run does it by itself.
func (b *Book) Join(ctx context.Context) error {
	for {
		ids, refresh, binds := b.wait.take(b.o.Now())
		if len(ids)+len(refresh)+len(binds) == 0 {
			return nil
		}
		err := errors.Join(b.bindAll(ctx, binds), b.joinAll(ctx, ids), b.refreshAll(ctx, refresh))
		if err != nil {
			later := b.o.Now().Add(time.Second)
			for _, id := range ids {
				b.wait.again(id, later)
			}
			return err
		}
	}
}

// found is a feedback with the run that it is about.
type found struct {
	id   string
	by   string
	seen Seen
}

func (b *Book) joinAll(ctx context.Context, ids []string) error {
	var all []found
	for _, id := range ids {
		f, ok, err := read(ctx, b.o.DB, id)
		if err != nil {
			return err
		}
		if !ok || f.Run != "" || f.Removed {
			b.forget(id)
			continue
		}
		seen, by, ok, err := b.find(ctx, &f)
		if err != nil {
			return err
		}
		if ok {
			all = append(all, found{id, by, seen})
		} else {
			b.wait.looked(id)
		}
	}
	if len(all) == 0 {
		return nil
	}
	b.write.Lock()
	defer b.write.Unlock()
	var done []Feedback
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		done = nil
		for _, x := range all {
			f, ok, err := read(ctx, tx, x.id)
			if err != nil {
				return err
			}
			if !ok || f.Run != "" || f.Removed {
				continue
			}
			f.join(&x.seen, x.by, b.o.Now())
			if err := f.save(ctx, tx); err != nil {
				return err
			}
			done = append(done, f)
		}
		return b.tell(ctx, tx, done)
	})
	if err != nil {
		return err
	}
	for _, x := range all {
		b.forget(x.id)
		b.wait.joined(x.seen)
	}
	b.stats.joined.Add(int64(len(done)))
	if len(done) > 0 {
		b.o.Moved()
	}
	return nil
}

func (b *Book) forget(id string) {
	b.wait.mu.Lock()
	defer b.wait.mu.Unlock()
	b.wait.remove(id)
}

// join gives a feedback its run.
func (f *Feedback) join(s *Seen, by string, now time.Time) {
	failed := s.Failed
	f.Run, f.Agent, f.Version, f.Task, f.Session, f.Failed = s.Run.String(), s.Agent, s.Version, s.Task, s.Session, &failed
	f.Test, f.JoinedBy = s.Test, by
	if f.JoinedAt.IsZero() {
		f.JoinedAt = now.UTC().Truncate(time.Microsecond)
	}
	// What a sender of the house said belongs to the run's team.
	if f.Team == "" {
		f.Team = s.Team
	}
	if f.Environment == "" {
		f.Environment = s.Environment
	}
}

// find looks for a feedback's run. A run of another team is not found: its id may
// be known to anybody.
func (b *Book) find(ctx context.Context, f *Feedback) (s Seen, by string, ok bool, err error) {
	t := f.target()
	by = t.by
	switch {
	case !t.run.IsZero():
		s, ok, err = b.o.Runs.Run(ctx, t.run)
	case t.key != "":
		s, ok, err = b.bound(ctx, place{f.Team, f.Environment, t.key}, f.ID)
	}
	if err != nil {
		return s, by, false, err
	}
	if !ok && t.run.IsZero() && t.session != "" {
		if settled := f.ReceivedAt.Add(sessionSettles); b.o.Now().Before(settled) {
			b.wait.again(f.ID, settled)
			return s, by, false, nil
		}
		by = "session"
		s, ok, err = b.o.Runs.OfSession(ctx, f.Team, f.Environment, t.session, f.At)
	}
	if err != nil || !ok {
		return s, by, false, err
	}
	if f.Team != "" && s.Team != f.Team || f.Environment != "" && s.Environment != "" && s.Environment != f.Environment {
		return s, by, false, nil
	}
	return s, by, true, nil
}

// bound is the run that a join key names.
func (b *Book) bound(ctx context.Context, at place, waits string) (Seen, bool, error) {
	text, ok, err := control.One(ctx, b.o.DB, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT run FROM feedback_keys WHERE team = ? AND environment = ? AND join_key = ?`, at.team, at.environment, at.word)
	if err != nil || !ok {
		return Seen{}, false, err
	}
	id, err := activity.ParseRunID(text)
	if err != nil {
		return Seen{}, false, err
	}
	b.wait.on(id, waits) // before it is looked for: it may be told of meanwhile
	return b.o.Runs.Run(ctx, id)
}

// on has a feedback found when a run is told of.
func (w *waiting) on(run activity.RunID, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	undo := w.all[id]
	if undo == nil || slices.Contains(w.byRun[run], id) {
		return
	}
	w.byRun[run] = append(w.byRun[run], id)
	w.all[id] = func() { undo(); drop(w.byRun, run, id) }
}

// Bind says which run a join key names, before or after feedback comes for it.
// The newest word counts.
func (b *Book) Bind(ctx context.Context, team, environment, key string, run activity.RunID) error {
	if key == "" || len(key) > maxKey || clip(key, maxKey) != key {
		return invalid("a join key has 1 to %d bytes of text", maxKey)
	}
	return b.bindAll(ctx, map[place]binding{{team, environment, key}: {run, b.o.Now()}})
}

func (b *Book) bindAll(ctx context.Context, all map[place]binding) error {
	if len(all) == 0 {
		return nil
	}
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for at, x := range all {
			if _, err := tx.Exec(ctx, `INSERT INTO feedback_keys (team, environment, join_key, run, at) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (team, environment, join_key) DO UPDATE SET run = excluded.run, at = excluded.at`, at.team, at.environment, at.word, x.run.String(), control.Micros(x.at)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.wait.mu.Lock()
	defer b.wait.mu.Unlock()
	for at := range all {
		for _, id := range b.wait.byKey[at] {
			b.wait.due[id] = time.Time{}
		}
	}
	b.stir()
	return nil
}

// refreshAll brings what is known of joined runs up to date.
func (b *Book) refreshAll(ctx context.Context, runs map[activity.RunID]Seen) error {
	if len(runs) == 0 {
		return nil
	}
	b.write.Lock()
	defer b.write.Unlock()
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		var done []Feedback
		for _, id := range slices.Collect(maps.Keys(runs)) {
			s := runs[id]
			list, err := control.All(ctx, tx, scan, `SELECT `+columns+` FROM feedback WHERE run = ? LIMIT 1000`, id.String())
			if err != nil {
				return err
			}
			for _, f := range list {
				f.join(&s, f.JoinedBy, b.o.Now())
				if err := f.save(ctx, tx); err != nil {
					return err
				}
				done = append(done, f)
			}
		}
		return b.tell(ctx, tx, done)
	})
}

// tidy drops what is old, and reads anew what had no room to wait.
func (b *Book) tidy(ctx context.Context) error {
	if b.wait.expire(b.o.Now()) {
		if err := b.loadWaiting(ctx); err != nil {
			return err
		}
	}
	b.write.Lock()
	defer b.write.Unlock()
	before := control.Micros(b.o.Now().Add(-keep))
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM feedback WHERE at < ?`, before)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { b.stats.rows.Add(-n) })
		_, err = tx.Exec(ctx, `DELETE FROM feedback_keys WHERE at < ?`, control.Micros(b.o.Now().Add(-waitFor)))
		return err
	})
}
