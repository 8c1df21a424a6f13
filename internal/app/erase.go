package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/erase"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// sayAtOnce bounds the steps and messages of a run that are in memory at once.
const sayAtOnce = 2000

// Subject finds what an erasure is of, before anything goes: which runs, and what was
// said in them. A user's are the runs made for them, those in which a step names them,
// and those of their sessions that name nobody.
func (k *keeping) Subject(ctx context.Context, req client.ErasePersonRequest) (*erase.Subject, error) {
	s := &erase.Subject{User: req.User, Runs: map[activity.RunID]struct{}{}, Names: map[string]bool{}, Words: erase.NewWords(k.neverCut(ctx)...)}
	sessions, users := map[string]bool{}, map[string]bool{}
	take := func(r *activity.Run) {
		if _, ok := s.Runs[r.ID]; ok {
			return
		}
		if r.User != "" {
			users[r.User] = true
		}
		if r.Session != "" {
			sessions[r.Session] = true
		}
		s.Runs[r.ID] = struct{}{}
		if r.Status == activity.RunRunning || r.Status == activity.RunWaiting {
			s.Live++
		}
	}
	switch {
	case req.Run != "":
		if err := k.oneRun(ctx, req.Run, take); err != nil {
			return nil, err
		}
	case req.Session != "":
		s.Words.Name(req.Session)
		sessions[req.Session] = true
		if err := k.runsWith(ctx, search.Is("session", req.Session), take); err != nil {
			return nil, err
		}
	default:
		s.Words.Name(req.User)
		if err := k.runsWith(ctx, search.Is("user", req.User), take); err != nil {
			return nil, err
		}
		if err := k.runsNaming(ctx, req.User, take); err != nil {
			return nil, err
		}
		for name := range sessions {
			err := k.runsWith(ctx, search.Is("session", name), func(r *activity.Run) {
				if r.User == "" {
					take(r)
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for name := range sessions {
		s.Sessions = append(s.Sessions, name)
		if len(name) >= 8 { // shorter ones are anybody's words
			s.Words.Name(name)
		}
	}
	slices.Sort(s.Sessions)
	s.Users = slices.Sorted(maps.Keys(users))
	for id := range s.Runs {
		s.Names[id.String()] = true
		if err := k.say(ctx, id, s.Words); err != nil {
			return nil, err
		}
	}
	return s, s.Words.Err()
}

// neverCut are words that name parts of the house.
func (k *keeping) neverCut(ctx context.Context) (out []string) {
	for _, g := range k.app.agents.List() {
		out = append(out, g.Name)
	}
	teams, err := k.app.identity.Teams(ctx)
	if err != nil {
		return out // then names of teams may be cut, and nothing that matters
	}
	for _, t := range teams {
		out = append(out, t.Name)
	}
	return out
}

func (k *keeping) oneRun(ctx context.Context, text string, take func(*activity.Run)) error {
	id, err := activity.ParseRunID(text)
	if err != nil {
		return fault.New(fault.KindInvalid, "erase.run", "%.80q is no run's id", text).WithHint("as the run's page and `reeve run list` show it")
	}
	if r, ok := k.app.reader.LiveRun(id); ok {
		take(r)
		return nil
	}
	r, err := k.app.store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil // it is gone, and copies of it may be there: a name is enough for those
	}
	if err == nil {
		take(r)
	}
	return err
}

func (k *keeping) runsWith(ctx context.Context, filter search.Expr, take func(*activity.Run)) error {
	live := k.app.reader.LiveRuns(filter)
	for i := range live {
		take(&live[i])
	}
	q := telemetry.RunsQuery{Filter: filter, Limit: 1000}
	for {
		page, err := k.app.store.Runs(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Runs {
			take(&page.Runs[i])
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// runsNaming finds runs of others in which a step names a user.
func (k *keeping) runsNaming(ctx context.Context, user string, take func(*activity.Run)) error {
	res, err := k.app.store.Query(ctx, telemetry.Query{Table: "steps", Where: search.Is("user", user), GroupBy: []string{"run"}, Limit: telemetry.MostRows, Select: []telemetry.Measure{{Func: "count", As: "count"}}})
	if err != nil {
		return err
	}
	for _, row := range res.Rows {
		text, _ := row[0].(string)
		id, err := activity.ParseRunID(text)
		if err != nil {
			continue
		}
		r, err := k.app.store.Run(ctx, id)
		if fault.Is(err, fault.KindNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		take(r)
	}
	return nil
}

// say adds what was said in a run: by its user, by models, to tools and by them. What
// people wrote for the house, instructions and tools' definitions, is not the user's.
func (k *keeping) say(ctx context.Context, id activity.RunID, words *erase.Words) error {
	messages, err := k.app.store.Messages(ctx, id, nil)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return err
	}
	for i := range messages {
		m := &messages[i]
		if m.Role == "system" || m.Role == "developer" || m.Field == activity.ContentSystem || m.Field == activity.ContentTools {
			continue
		}
		words.Say(m.Raw)
	}
	q := telemetry.StepsQuery{Limit: sayAtOnce}
	for {
		page, err := k.app.store.StepsPage(ctx, id, q)
		if fault.Is(err, fault.KindNotFound) {
			break
		}
		if err != nil {
			return err
		}
		for i := range page.Steps {
			s := &page.Steps[i]
			words.Say([]byte(s.StatusMessage))
			for _, l := range s.Labels {
				words.Say([]byte(l.Value))
			}
		}
		if len(page.Steps) < sayAtOnce {
			break
		}
		last := page.Steps[len(page.Steps)-1]
		q.After = telemetry.StepPlace{Start: last.Start, Step: last.Step}
	}
	logs, err := k.app.store.Logs(ctx, telemetry.LogsQuery{Run: id, Limit: sayAtOnce})
	for i := range logs.Logs {
		words.Say([]byte(logs.Logs[i].Body))
	}
	return err
}

// Copies cuts out of what other parts copied, in memory first and then where it is
// stored: what memory holds is written again. With dry it only counts.
func (k *keeping) Copies(ctx context.Context, s *erase.Subject, dry bool) ([]erase.Found, error) {
	a, cut := k.app, erase.Cutter(s.Words.Cut)
	if !dry {
		if a.incidents != nil {
			if err := a.incidents.Cut(ctx, cut); err != nil {
				return nil, err
			}
		}
		if a.watching.findings != nil {
			a.watching.findings.Cut(cut)
		}
		if a.lessons != nil {
			a.lessons.Cut(cut)
		}
	}
	return erase.Sweep{DB: a.control, Words: s.Words, Runs: s.Names, Dry: dry}.Run(ctx)
}

// Learned drops what was learned of agents that names somebody.
func (k *keeping) Learned(s *erase.Subject, dry bool) (n int64) {
	cut := erase.Cutter(s.Words.Cut)
	if k.app.watching.watch != nil {
		n += k.app.watching.watch.Forget(cut, dry)
	}
	if k.app.behaviour != nil {
		n += k.app.behaviour.Forget(s.User, s.Sessions, cut, dry)
	}
	return n
}

// ForgetRuns takes the runs out of the store, with log records and metric points of no
// run that hold words of them. Runs that still go on are left: they would come again.
func (k *keeping) ForgetRuns(ctx context.Context, s *erase.Subject, dry bool) (n, left int64, err error) {
	found := func(text string) bool { _, ok := s.Words.Cut(text); return ok }
	if dry {
		d, err := k.app.store.Forget(ctx, telemetry.Forget{Words: found, Dry: true})
		return int64(len(s.Runs)) + d.Rows, s.Live, err
	}
	gone := make(map[activity.RunID]struct{}, len(s.Runs))
	for id := range s.Runs {
		r, err := k.app.store.Run(ctx, id)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return 0, 0, err
		}
		if r != nil && r.Status != activity.RunRunning && r.Status != activity.RunWaiting {
			gone[id] = struct{}{}
		}
	}
	left = int64(len(s.Runs) - len(gone))
	for id := range k.settled(ctx, gone) {
		delete(gone, id)
		left++
	}
	if len(gone) > 0 {
		if _, err := k.app.store.Forget(ctx, telemetry.Forget{Runs: gone}); err != nil {
			return 0, left, err
		}
	}
	if s.Words.Empty() {
		return int64(len(gone)), left, nil
	}
	d, err := k.app.store.Forget(ctx, telemetry.Forget{Words: found})
	return int64(len(gone)) + d.Rows, left, err
}

// settleTries is how often what memory has of ended runs is waited for.
const settleTries = 20

// settled lets memory forget runs, once the store has all of them; it returns those of
// which it never did.
func (k *keeping) settled(ctx context.Context, runs map[activity.RunID]struct{}) (busy map[activity.RunID]struct{}) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for range settleTries {
		if busy = k.app.reader.Forget(runs); len(busy) == 0 {
			return nil
		}
		if k.app.reader.Flush(ctx) != nil {
			return busy
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return busy
		}
	}
	return busy
}

// Scrub writes the two databases anew, so that nothing of what went is in their free
// pages and logs, and drops what live views were told.
func (k *keeping) Scrub(ctx context.Context) error {
	_, err := k.app.store.Forget(ctx, telemetry.Forget{Scrub: true})
	return errors.Join(err, k.app.bus.Events().Forget(ctx), k.app.control.Scrub(ctx))
}

// Decided counts the decisions about runs, and those made for a user.
func (k *keeping) Decided(ctx context.Context, s *erase.Subject) (n int64, err error) {
	count := func(where search.Expr) error {
		res, err := k.app.store.Query(ctx, telemetry.Query{Table: "decisions", Where: where, Select: []telemetry.Measure{{Func: "count", As: "count"}}})
		if err != nil {
			return err
		}
		for _, row := range res.Rows {
			more, _ := row[0].(int64)
			n += more
		}
		return nil
	}
	field, names := "run", slices.Collect(maps.Keys(s.Names))
	if s.User != "" {
		if k.app.decisions == nil {
			return 0, nil
		}
		field = "user"
		if names, err = k.app.decisions.Pseudonyms(ctx, s.User); err != nil {
			return 0, err
		}
	}
	slices.Sort(names)
	for some := range slices.Chunk(slices.Compact(names), 100) {
		if err := count(search.Is(field, some...)); err != nil {
			return n, err
		}
	}
	return n, nil
}
