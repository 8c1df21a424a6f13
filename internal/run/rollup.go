package run

import (
	"cmp"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// account is whose numbers a run's are in the rollups: those of the run's
// agent, not of each step's, so that they agree with the runs' rows. When a
// better name arrives the whole run moves over.
type account struct {
	agent, team, environment string
	minute                   int64 // of the run's start
	open                     bool
}

type shareKey struct {
	minute                        int64
	family                        telemetry.Family
	agent, team, environment, key string
}

// share is what changed in one rollup.
type share struct {
	telemetry.RollupDelta
}

func (w *write) share(k shareKey) *telemetry.RollupDelta {
	s := w.shares[k]
	if s == nil {
		s = w.blank.take()
		s.RollupDelta = telemetry.RollupDelta{
			Minute: k.minute, Family: k.family, Agent: k.agent, Team: k.team, Environment: k.environment, Key: k.key, Latency: s.Latency[:0],
		}
		w.shares[k] = s
	}
	return &s.RollupDelta
}

// blankShares are shares whose memory, and that of their latencies, is used by one
// write after the other: a write has thousands.
type blankShares struct {
	all  [][]share
	used int
}

const (
	sharesAtOnce = 256
	// keptShares and keptLatencies bound what is kept of an odd write.
	keptShares    = 16 << 10
	keptLatencies = 64
)

func (b *blankShares) take() *share {
	at := b.used / sharesAtOnce
	if at == len(b.all) {
		b.all = append(b.all, make([]share, sharesAtOnce))
	}
	s := &b.all[at][b.used%sharesAtOnce]
	b.used++
	return s
}

// reset makes all blank again; nobody may look at them any more.
func (b *blankShares) reset() {
	for i := range b.used {
		s := &b.all[i/sharesAtOnce][i%sharesAtOnce]
		latency := s.Latency[:0]
		if cap(latency) > keptLatencies {
			latency = nil
		}
		s.RollupDelta = telemetry.RollupDelta{Latency: latency}
	}
	b.used = 0
	if len(b.all) > keptShares/sharesAtOnce {
		clear(b.all[keptShares/sharesAtOnce:])
		b.all = b.all[:keptShares/sharesAtOnce]
	}
}

// share is the current write's for k, or for what k is counted under.
func (r *Reader) share(k shareKey) *telemetry.RollupDelta {
	if s := r.cur.shares[k]; s != nil {
		return &s.RollupDelta
	}
	return r.cur.share(r.variety.fold(k))
}

// retract takes the share of step i back before anything of it changes.
func (r *Reader) retract(l *live, i int32) {
	if st := &l.steps[i]; st.is(bitContributed) {
		st.set(bitContributed, false)
		r.book(l, i, -1, nil)
	}
}

// contribute gives the shares of l that the rollups lack.
func (r *Reader) contribute(l *live, row *activity.Run) {
	now := account{row.Agent, row.Team, row.Environment, row.Start / minute, l.counts(row)}
	if l.account != now {
		a := l.account
		if a.agent != now.agent || a.team != now.team || a.environment != now.environment {
			for i := range l.steps {
				r.retract(l, int32(i))
			}
		}
		if a.open {
			r.share(a.key()).Runs--
		}
		// Names of the row may lie in a write's arena.
		now.agent, now.team, now.environment = r.names.get(now.agent), r.names.get(now.team), r.names.get(now.environment)
		l.account = now
		if now.open {
			r.share(now.key()).Runs++
		}
	}
	var last *telemetry.RollupDelta
	for i := range l.steps {
		if st := &l.steps[i]; st.bits&(bitSeen|bitContributed) == bitSeen {
			st.set(bitContributed, true)
			last = r.book(l, int32(i), 1, last)
		}
	}
}

// counts says whether the run is one of its agent's: one that only repeats a call
// of another run is not.
func (l *live) counts(row *activity.Run) bool {
	return l.seen > 0 && row.Flags&activity.FlagJoined == 0
}

func (a *account) key() shareKey {
	return shareKey{a.minute, telemetry.FamilyAgent, a.agent, a.team, a.environment, ""}
}

// book adds sign times the share of step i. last is the agent's share of the
// step before, which is mostly the same.
func (r *Reader) book(l *live, i int32, sign int64, last *telemetry.RollupDelta) *telemetry.RollupDelta {
	st, a := &l.steps[i], &l.account
	k := shareKey{st.start / minute, telemetry.FamilyAgent, a.agent, a.team, a.environment, ""}
	d := last
	if d == nil || d.Minute != k.minute {
		d = r.share(k)
	}
	d.Count += sign
	r.bookStep(d, l, st, sign)
	switch {
	case st.is(bitCall):
		k.family, k.key = telemetry.FamilyModel, l.texts.at(st.key)
	case st.toolCall():
		k.family, k.key = telemetry.FamilyTool, l.texts.at(st.key)
	default:
		return d
	}
	e := r.share(k)
	e.Count += sign
	r.bookStep(e, l, st, sign)
	return d
}

func (r *Reader) bookStep(d *telemetry.RollupDelta, l *live, st *step, sign int64) {
	if st.status == activity.StatusError {
		d.Errors += sign
	}
	if st.end >= st.start {
		d.Latency = append(d.Latency, telemetry.Bucket{Index: telemetry.Index(st.end - st.start), Count: sign})
	}
	if !st.is(bitCounted) {
		return
	}
	u := st.usageOf(l)
	d.InputTotal += sign * max(u.InputTotal, 0)
	d.OutputTotal += sign * max(u.OutputTotal, 0)
	d.CacheRead += sign * max(u.CacheRead, 0)
	if st.usageUnknown(l) {
		d.Unknown += sign
	}
	if u.basis != activity.CostUnknown {
		d.CostNanos += sign * u.nanos
	} else if st.costUnknown(l) {
		d.CostUnknown += sign
	}
}

// usageUnknown reports whether a call's usage is missing. A call that failed
// without usage used nothing that anybody will ever tell.
func (s *step) usageUnknown(l *live) bool {
	return !s.knownUsage(l) && s.status != activity.StatusError
}

func (s *step) costUnknown(l *live) bool {
	return s.usageOf(l).basis == activity.CostUnknown && (s.knownUsage(l) || s.status != activity.StatusError)
}

// appendRollups writes the shares that are not zero, in a fixed order.
func appendRollups(dst []telemetry.RollupDelta, shares map[shareKey]*share) []telemetry.RollupDelta {
	order := make([]*telemetry.RollupDelta, 0, len(shares)) // sorting moves pointers, not rows
	for _, s := range shares {
		d := &s.RollupDelta
		d.Latency = compact(d.Latency)
		if d.Runs|d.Count|d.Errors|d.InputTotal|d.OutputTotal|d.CacheRead|d.Unknown|d.CostNanos|d.CostUnknown == 0 && len(d.Latency) == 0 {
			continue
		}
		order = append(order, d)
	}
	slices.SortFunc(order, func(a, b *telemetry.RollupDelta) int {
		// One after the other: cmp.Or would compare every text of every pair.
		if c := cmp.Compare(a.Family, b.Family); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Minute, b.Minute); c != 0 {
			return c
		}
		if c := strings.Compare(a.Agent, b.Agent); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Team, b.Team), strings.Compare(a.Environment, b.Environment))
	})
	for _, d := range order {
		dst = append(dst, *d)
	}
	return dst
}

// compact joins buckets of one index and drops those that came to nothing.
func compact(b []telemetry.Bucket) []telemetry.Bucket {
	slices.SortFunc(b, func(x, y telemetry.Bucket) int { return cmp.Compare(x.Index, y.Index) })
	out := b[:0]
	for i := 0; i < len(b); {
		sum := b[i]
		for i++; i < len(b) && b[i].Index == sum.Index; i++ {
			sum.Count += b[i].Count
		}
		if sum.Count != 0 {
			out = append(out, sum)
		}
	}
	return out
}
