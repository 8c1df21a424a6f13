package objective

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"reeve/internal/control"
)

// follow raises and ends alarms, proposes, and keeps what it remembers.
func (b *Book) follow(ctx context.Context, e *entry, c *counter, s Standing) error {
	next := e.state.clone()
	wants := c.alarms(&s)
	frozen := s.State == Frozen || s.State == NoData
	changed := false
	for _, a := range wants {
		h := next.Alarms[a.Key]
		if h == nil && frozen {
			continue // too little is known to raise one
		}
		if h == nil {
			h = &held{Since: s.At}
			b.alarms.Add(1)
		}
		if err := b.tell(ctx, c, &a, h, s.At); err != nil {
			return err
		}
		if old := e.state.Alarms[a.Key]; old == nil || *old != *h {
			changed = true
		}
		next.Alarms[a.Key] = h
	}
	for _, key := range slices.Sorted(maps.Keys(next.Alarms)) {
		h := next.Alarms[key]
		if slices.ContainsFunc(wants, func(a Alarm) bool { return a.Key == key }) {
			continue
		}
		over, why, err := b.over(ctx, e, c, &s, key, h)
		if err != nil {
			return err
		}
		if !over { // it holds on, and whoever shows it is told so
			if err := b.tell(ctx, c, &Alarm{Objective: *c.o, Kind: kindOf(key), Key: key, Severity: h.Severity, Text: h.Text, Measure: c.in.ID, Why: s.Why}, h, s.At); err != nil {
				return err
			}
			continue
		}
		if b.o.Over != nil && h.Finding != "" {
			if err := b.o.Over(ctx, h.Finding, why); err != nil {
				return err
			}
		}
		delete(next.Alarms, key)
		changed = true
		if key == AlarmMissed {
			next.restart(c.o, c.o.goal(c.in), s.At)
		}
	}
	s.held(&next, frozen)
	changed = next.well(!frozen && len(next.Alarms) == 0 && s.Known && !s.Few && s.Budget.Left() >= 0.5, s.At) || changed
	proposals, err := b.propose(ctx, c, &s, &next)
	if err != nil {
		return err
	}
	if changed || len(proposals) > 0 {
		if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
			for i := range proposals {
				if err := proposals[i].write(ctx, tx); err != nil {
					return err
				}
			}
			if changed {
				if err := tx.Event(ctx, control.Event{Type: "objective.moved", Object: c.o.Name}); err != nil {
					return err
				}
			}
			return next.write(ctx, tx, c.o.Name, s.At)
		}); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries[e.Name] == e {
		e.state, e.standing = next, s
	}
	return nil
}

// wellGap is how long nobody may have looked for what was well to be called well
// all the time.
const wellGap = 2 * time.Hour

// well keeps since when it is well; it reports whether that is to be stored.
func (s *state) well(is bool, now time.Time) (changed bool) {
	switch {
	case !is:
		changed = !s.WellSince.IsZero()
		s.WellSince, s.WellSeen = time.Time{}, time.Time{}
	case s.WellSince.IsZero() || now.Sub(s.WellSeen) > wellGap || now.Before(s.WellSeen):
		s.WellSince, s.WellSeen, changed = now, now, true
	case now.Sub(s.WellSeen) >= time.Hour:
		s.WellSeen, changed = now, true
	}
	return changed
}

// held shows the alarms that hold, and names the state by the worst.
func (s *Standing) held(st *state, frozen bool) {
	for _, key := range slices.Sorted(maps.Keys(st.Alarms)) {
		h := st.Alarms[key]
		s.Alarms = append(s.Alarms, Held{Kind: kindOf(key), Severity: h.Severity, Text: h.Text, Finding: h.Finding, Since: h.Since})
		if s.Since.IsZero() || h.Since.Before(s.Since) {
			s.Since = h.Since
		}
	}
	if frozen {
		return
	}
	for _, x := range []struct{ kind, state string }{{AlarmBurn, Burning}, {AlarmMissed, Missed}, {AlarmSpent, Spent}} {
		if slices.ContainsFunc(s.Alarms, func(h Held) bool { return h.Kind == x.kind }) {
			s.State = x.state
		}
	}
}

func kindOf(key string) string {
	for _, k := range []string{AlarmSpent, AlarmMissed} {
		if key == k {
			return k
		}
	}
	return AlarmBurn
}

// renewEvery is how often the finding of an alarm that holds is told of again.
const renewEvery = 5 * time.Minute

// tell makes or renews the finding of an alarm.
func (b *Book) tell(ctx context.Context, c *counter, a *Alarm, h *held, now time.Time) error {
	if since := now.Sub(h.Told); h.Severity == a.Severity && since >= 0 && since < renewEvery {
		return nil
	}
	h.Severity, h.Text, h.Told = a.Severity, a.Text, now
	if b.o.Alarm == nil {
		return nil
	}
	bad, err := b.badRuns(ctx, c, now.Add(-c.o.Window.Length()), evidenceRuns)
	if err != nil {
		return err
	}
	for i := range bad {
		a.Runs = append(a.Runs, bad[i].ID.String())
		a.Event = max(a.Event, bad[i].Updated)
	}
	told, err := b.o.Alarm(ctx, *a)
	if err != nil {
		return err
	}
	h.Finding, h.Proved = cmp.Or(told.Finding, h.Finding), h.Proved || told.Proved
	return nil
}

// alarms are what the look says is wrong now.
func (c *counter) alarms(s *Standing) (out []Alarm) {
	add := func(a Alarm) {
		a.Objective, a.Measure = *c.o, c.in.ID
		out = append(out, a)
	}
	for _, l := range s.Looks {
		if !l.Fires {
			continue
		}
		expected := fmt.Sprintf("a burn rate below %.4g over %s and %s", l.Factor, span(l.Long), span(l.Short))
		if l.Never != "" {
			expected = fmt.Sprintf("at most %s bad", percent(c.o.rule(c.in).Allow))
		}
		add(Alarm{
			Kind: AlarmBurn, Key: burnKey(l.Alert), Severity: l.Severity,
			Text:     fmt.Sprintf("%s burns its budget at %.1f times the pace that it can keep: %.4g of %d bad in %s", c.title(), l.LongRate, l.LongCounts.Bad, l.LongCounts.N, span(l.Long)),
			Expected: expected, Seen: fmt.Sprintf("%.4g over %s, %.4g over %s", l.LongRate, span(l.Long), l.ShortRate, span(l.Short)),
			Why: fmt.Sprintf("where the objective is just met, so many or more come up with a chance of %.2g", l.Chance),
		})
	}
	if s.Known && !s.Few && s.Budget.Spent >= 1 {
		add(Alarm{
			Kind: AlarmSpent, Key: AlarmSpent, Severity: "critical",
			Text:     fmt.Sprintf("the budget of %s is spent: %.4g bad of %.4g allowed", c.title(), s.Budget.Bad, s.Budget.Allowed),
			Expected: fmt.Sprintf("at most %.4g bad of %d", s.Budget.Allowed, max(s.Budget.N, c.o.rule(c.in).All)), Seen: fmt.Sprintf("%.4g bad of %d", s.Budget.Bad, s.Budget.N),
			Why: fmt.Sprintf("%.0f %% of the budget, in a window since %s", 100*s.Budget.Spent, s.From.UTC().Format("2006-01-02 15:04")),
		})
	}
	if l := s.Stream; l != nil && l.Short {
		add(Alarm{
			Kind: AlarmMissed, Key: AlarmMissed, Severity: "critical",
			Text:     fmt.Sprintf("%s falls short: %s of %d labelled runs, %s wanted", c.title(), percent(float64(l.Passed)/float64(l.N)), l.N, percent(c.o.goal(c.in))),
			Expected: "at least " + percent(c.o.goal(c.in)), Seen: fmt.Sprintf("%s (%s to %s, which holds however often one looks)", percent(float64(l.Passed)/float64(l.N)), percent(l.Low), percent(l.High)),
			Why: fmt.Sprintf("bets against the target are worth %.3g times their stake, and a good stream reaches %.3g with a chance of at most %s", l.Worth, l.Needs, percent(c.o.Stream.Alpha)),
		})
	}
	return out
}

func (c *counter) title() string {
	if c.o.Agent != "" {
		return fmt.Sprintf("the objective %q of %s", c.o.Title, c.o.Agent)
	}
	return fmt.Sprintf("the objective %q", c.o.Title)
}

func percent(v float64) string { return fmt.Sprintf("%.4g %%", 100*v) }

func burnKey(a Alert) string { return AlarmBurn + ":" + a.Severity + ":" + a.Long.String() }

// over says whether an alarm that nothing raises now has passed. Silence does
// not end one: what was bad is over when it is seen to be good.
func (b *Book) over(ctx context.Context, e *entry, c *counter, s *Standing, key string, h *held) (over bool, why string, err error) {
	if s.State == Frozen || s.State == NoData {
		return false, "", nil
	}
	if h.Proved {
		if ok, err := c.provedWell(ctx, s, key, h); err != nil || !ok {
			return false, "", err
		}
	}
	switch kindOf(key) {
	case AlarmSpent:
		if s.Known && !s.Few && s.Budget.Spent <= recovered {
			return true, fmt.Sprintf("the budget has recovered: %.0f %% of it is left", 100*s.Budget.Left()), nil
		}
		return false, "", nil
	case AlarmMissed:
		if c.o.Stream == nil {
			return true, "no sequence is watched any more", nil
		}
		n, good, err := b.since(ctx, e.Name, h.Since, c.o.Stream.Labels)
		if err != nil || n < c.o.Stream.minimum() || float64(good) < c.o.goal(c.in)*float64(n) {
			return false, "", err
		}
		return true, fmt.Sprintf("the last %d labelled runs keep the target: %s", n, percent(float64(good)/float64(n))), nil
	}
	i := slices.IndexFunc(s.Looks, func(l Look) bool { return burnKey(l.Alert) == key })
	if i < 0 {
		return true, "the alert is no longer set", nil
	}
	l := s.Looks[i]
	needs := l.Factor
	if exact, _ := l.Alert.Exact(c.o.rule(c.in)); exact {
		needs = 1
	}
	switch {
	case l.LongCounts.N == 0 || l.ShortCounts.N == 0 && l.LongRate >= needs:
		return false, "", nil
	case l.LongRate < needs || l.ShortRate < needs:
		return true, fmt.Sprintf("it burns at %.4g over %s and %.4g over %s", l.LongRate, span(l.Long), l.ShortRate, span(l.Short)), nil
	}
	return false, "", nil
}

// provedWell reports whether the runs that passed the door alone are well too:
// what raised the alarm did.
func (c *counter) provedWell(ctx context.Context, s *Standing, key string, h *held) (bool, error) {
	r := c.o.rule(c.in)
	from, least, bound := s.From, c.o.minimum(), recovered
	switch kindOf(key) {
	case AlarmMissed:
		from, bound = h.Since, 1
		if c.o.Stream != nil {
			least = c.o.Stream.minimum()
		}
	case AlarmBurn:
		from, least = h.Since, 1
		for _, l := range s.Looks {
			if burnKey(l.Alert) == key {
				from, bound = s.At.Add(-l.Long), l.Factor
			}
		}
	}
	k, err := c.proved(ctx, from, minTime(s.To, s.At))
	if err != nil || k.N < least {
		return false, err
	}
	rate, ok := r.Burn(k)
	return ok && rate <= bound, nil
}

// since counts the last verdicts that came after a time.
func (b *Book) since(ctx context.Context, name string, at time.Time, most int64) (n, good int64, err error) {
	type two struct{ n, good int64 }
	x, _, err := control.One(ctx, b.o.DB, func(r control.Row) (x two, err error) { return x, r.Scan(&x.n, &x.good) },
		`SELECT count(*), coalesce(sum(good), 0) FROM (SELECT good FROM objective_labels WHERE objective = ? AND at > ? ORDER BY at DESC LIMIT ?) AS last`, name, control.Micros(at), most)
	return x.n, x.good, err
}
