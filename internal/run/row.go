package run

import (
	"bytes"
	"cmp"
	"slices"

	"reeve/internal/activity"
)

// row is the summary of a run, computed from what memory knows of its steps:
// it depends on nothing else but the clock, so it is the same in whatever
// order they came.
func (r *Reader) row(l *live, now int64) activity.Run {
	run := activity.Run{
		ID: l.id, Revision: l.revision, Traces: slices.Clone(l.traces), Received: l.received, Updated: l.updated,
		Logs: l.logs, Steps: int64(l.seen), End: activity.Unknown, Usage: activity.NoUsage, Partial: true,
	}
	run.Models, run.Tools, run.Sources, run.Agents, run.Dialects, run.Tags = r.lists[0][:0], r.lists[1][:0], r.lists[2][:0], r.lists[3][:0], r.lists[4][:0], r.lists[5][:0]
	sum := &r.sums
	sum.Reset()
	r.order = resize(r.order, len(l.profiles))
	best := r.order // by profile: the step whose word counts first
	for i := range best {
		best[i] = none
	}
	firstError := none
	var latest int64
	joined := l.seen > 0
	for i := range l.steps {
		st := &l.steps[i]
		if !st.is(bitSeen) {
			continue
		}
		run.Flags |= st.flags &^ activity.FlagJoined
		joined = joined && st.flags&activity.FlagJoined != 0
		if st.is(bitCycle) {
			run.Flags |= activity.FlagCycle
		}
		if run.Start == 0 || st.start < run.Start {
			run.Start = st.start
		}
		run.End = max(run.End, st.end)
		latest = max(latest, st.start)
		if b := best[st.profile]; b == none || l.before(int32(i), b) {
			best[st.profile] = int32(i)
		}
		if st.status == activity.StatusError {
			run.Errors++
			if firstError == none || l.before(int32(i), firstError) {
				firstError = int32(i)
			}
		}
		if l.root(i) {
			run.Partial = false
			run.RootError = run.RootError || st.status == activity.StatusError
		}
		switch {
		case st.is(bitCall):
			if st.kind == activity.KindModel {
				run.ModelCalls++
			}
			run.Models = listed(run.Models, l.texts.at(st.key))
		case st.toolCall() && !l.sameTool(st):
			run.ToolCalls++
			run.Tools = listed(run.Tools, l.texts.at(st.key))
		case st.kind == activity.KindRetrieval:
			run.Sources = listed(run.Sources, l.texts.at(st.key))
		}
		if st.is(bitCounted) {
			u := st.usageOf(l)
			addUsage(&run.Usage, u.Usage)
			if st.usageUnknown(l) {
				run.UnknownUsageCalls++
			}
			if u.basis != activity.CostUnknown {
				sum.Add(u.cost(l))
			} else if st.costUnknown(l) {
				run.UnknownCostCalls++
			}
		}
	}
	if run.End != activity.Unknown {
		run.End = max(run.End, latest) // no run ends before its last step began
	}
	var left int64
	run.Cost, left = sum.Total()
	run.UnknownCostCalls += left
	r.identify(l, &run, best)
	l.describe(&run, firstError)
	if joined {
		run.Flags |= activity.FlagJoined
	}
	if l.overflowing {
		run.Flags |= activity.FlagTruncated
	}
	if l.mismatch() {
		run.Flags |= activity.FlagUsageMismatch
	}
	run.Status = l.statusAt(&run, r.o.Quiet.Nanoseconds(), now)
	if l.settled != "" {
		run.Outcome = l.settled
		run.Flags = settledFlags(run.Flags, l.labelled)
	}
	r.ownLists(&run.Models, &run.Tools, &run.Sources, &run.Agents, &run.Dialects, &run.Tags)
	return run
}

// ownLists sorts the lists of a row, which were made in scratch memory, and gives
// them memory of their own: one piece for all, since there is a row for each run of
// each write.
func (r *Reader) ownLists(lists ...*[]string) {
	n := 0
	for i, l := range lists {
		slices.Sort(*l)
		r.lists[i] = *l
		n += len(*l)
	}
	all := make([]string, 0, n)
	for _, l := range lists {
		at := len(all)
		all = append(all, *l...)
		*l = slices.Clip(all[at:])
		if len(*l) == 0 {
			*l = nil
		}
	}
}

// before orders steps by whose word counts first: roots, then the earlier.
func (l *live) before(i, j int32) bool {
	a, b := &l.steps[i], &l.steps[j]
	if x, y := l.root(int(i)), l.root(int(j)); x != y {
		return x
	}
	if a.start != b.start {
		return a.start < b.start
	}
	return bytes.Compare(a.id[:], b.id[:]) < 0
}

// sameTool reports whether a tool call only repeats its parent's: an SDK's
// span around a protocol's.
func (l *live) sameTool(st *step) bool {
	if st.parent == none || st.is(bitCycle) {
		return false
	}
	p := &l.steps[st.parent]
	return p.toolCall() && p.key == st.key
}

// identify fills in what steps say about their run: the root's word first,
// then that of the earliest step that has one. An agent that a sender named
// beats one that was guessed from its service.
func (r *Reader) identify(l *live, run *activity.Run, best []int32) {
	var buf [8]int32
	by := buf[:0]
	for p := range best {
		if best[p] != none {
			by = append(by, int32(p))
		}
	}
	slices.SortFunc(by, func(p, q int32) int {
		if l.before(best[p], best[q]) {
			return -1
		}
		return 1
	})
	first := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	// A run that passed the door is a test only if the door says so: its agent
	// could otherwise take its refusals out of all that leaves tests out.
	atDoor, doorsTest := false, false
	for _, k := range by {
		if p := &l.profiles[k]; p.dialect == activity.DialectDoor {
			atDoor, doorsTest = true, doorsTest || p.mode == "test"
		}
	}
	explicit := false
	for _, k := range by {
		p := &l.profiles[k]
		if p.agent != "" && (run.Agent == "" || p.explicit && !explicit) {
			run.Agent, run.AgentID, run.Version, explicit = p.agent, p.agentID, p.version, p.explicit
		} else if p.agent == run.Agent {
			first(&run.AgentID, p.agentID)
			first(&run.Version, p.version)
		}
		if p.explicit {
			run.Agents = listed(run.Agents, p.agent)
		}
		first(&run.Environment, p.environment)
		first(&run.Task, p.task)
		first(&run.Name, p.runName)
		first(&run.Session, p.session)
		first(&run.User, p.user)
		if p.mode != "test" || !atDoor || doorsTest {
			first(&run.Mode, p.mode)
		}
		first(&run.Outcome, p.outcome)
		first(&run.Team, p.team)
		first(&run.Sender, p.sender)
		run.Dialects = listed(run.Dialects, p.dialect)
	}
	run.Agents = listed(run.Agents, run.Agent)
	for _, k := range by { // a version that only a nested step tells is better than none
		first(&run.Version, l.profiles[k].version)
		first(&run.AgentID, l.profiles[k].agentID)
	}
}

// describe fills in what notes tell: name, error, tags and labels.
func (l *live) describe(run *activity.Run, firstError int32) {
	named, failed := none, none
	var errorType string
	for k := range l.notes {
		n := &l.notes[k]
		switch n.what {
		case noteName:
			if run.Name == "" || named != none {
				if l.root(int(n.step)) && (named == none || l.before(n.step, named)) {
					run.Name, named = n.a, n.step
				}
			}
		case noteError:
			if failed == none || l.before(n.step, failed) {
				errorType, failed = n.a, n.step
			}
		case noteTag:
			run.Tags = listed(run.Tags, n.a)
		case noteLabel:
			x := activity.Label{Key: n.a, Value: n.b}
			if len(run.Labels) < maxListed && !slices.Contains(run.Labels, x) {
				run.Labels = append(run.Labels, x)
			}
		case noteLink:
			x := activity.RunLink{Run: activity.RunID([]byte(n.a)), Kind: activity.LinkKind(n.b[0])}
			if len(run.Links) < maxListed && !slices.Contains(run.Links, x) {
				run.Links = append(run.Links, x)
			}
		}
	}
	if run.Name == "" {
		run.Name = l.orphan.name
	}
	if firstError != none {
		run.ErrorType = errorType
	}
	slices.SortFunc(run.Labels, func(a, b activity.Label) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	slices.SortFunc(run.Links, func(a, b activity.RunLink) int {
		return cmp.Or(compareIDs(activity.StepID(a.Run), activity.StepID(b.Run)), cmp.Compare(a.Kind, b.Kind))
	})
}

// statusAt decides how the run stands.
//
//	an outcome was given                                    done
//	a step says that it waits and nothing started since     waiting
//	every root ended, and quiet since                       done
//	past its deadline                                       stale
//	else                                                    running
func (l *live) statusAt(run *activity.Run, quiet, now int64) activity.RunStatus {
	if run.Outcome != "" {
		return activity.RunDone
	}
	waits := false
	var latest, waitEnd int64
	open := false
	for i := range l.steps {
		st := &l.steps[i]
		if !st.is(bitSeen) {
			continue
		}
		latest = max(latest, st.start)
		if st.is(bitWaiting) {
			if st.end < 0 {
				waits, waitEnd = true, 1<<62
			} else {
				waits, waitEnd = true, max(waitEnd, st.end)
			}
		}
		open = open || l.root(i) && st.end < 0
	}
	switch {
	case waits && latest <= waitEnd && !l.ended:
		return activity.RunWaiting
	case !run.Partial && !open && now-l.updated >= quiet:
		return activity.RunDone
	case l.ended:
		return activity.RunStale
	}
	return activity.RunRunning
}

// mismatch reports whether a container says something else than its counted
// steps add up to. Where one of them says nothing there is nothing to compare.
func (l *live) mismatch() bool {
	candidates := false
	for i := range l.steps {
		if st := &l.steps[i]; st.is(bitSeen) && !st.is(bitCounted) && st.knownUsage(l) {
			candidates = true
			break
		}
	}
	if !candidates {
		return false
	}
	type total struct {
		in, out, calls int64
		unknown        bool
	}
	sums := make(map[int32]*total)
	for i := range l.steps {
		if st := &l.steps[i]; st.is(bitSeen) && !st.is(bitCounted) && !st.is(bitCycle) && st.knownUsage(l) {
			sums[int32(i)] = &total{}
		}
	}
	for i := range l.steps {
		st := &l.steps[i]
		if !st.is(bitCounted) {
			continue
		}
		u := st.usageOf(l)
		// Bounded: a deep chain costs its depth, a circle ends at its mark.
		for p, n := st.parent, 0; p != none && n < 256 && !l.steps[p].is(bitCycle); p, n = l.steps[p].parent, n+1 {
			if t := sums[p]; t != nil {
				t.calls++
				t.unknown = t.unknown || st.usageUnknown(l)
				t.in += max(u.InputTotal, 0)
				t.out += max(u.OutputTotal, 0)
			}
		}
	}
	for i, t := range sums {
		u := l.steps[i].usageOf(l)
		if t.calls > 0 && !t.unknown && (u.InputTotal >= 0 && u.InputTotal != t.in || u.OutputTotal >= 0 && u.OutputTotal != t.out) {
			return true
		}
	}
	return false
}

// addUsage adds what is known; the sum is unknown only while every part is.
func addUsage(sum *activity.Usage, u activity.Usage) {
	add := func(a *int64, b int64) {
		if b >= 0 {
			*a = max(*a, 0) + b
		}
	}
	add(&sum.InputTotal, u.InputTotal)
	add(&sum.CacheRead, u.CacheRead)
	add(&sum.CacheWrite, u.CacheWrite)
	add(&sum.OutputTotal, u.OutputTotal)
	add(&sum.Reasoning, u.Reasoning)
}

// listed adds v to a short set.
func listed(set []string, v string) []string {
	if v == "" || len(set) >= maxListed || slices.Contains(set, v) {
		return set
	}
	return append(set, v)
}
