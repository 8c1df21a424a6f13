package policy

import (
	"context"
	"slices"
	"strings"

	"reeve/internal/activity"
)

// maxUnknown bounds how many statements of one decision may be left open: each
// of them could have matched, not matched or erred.
const maxUnknown = 3

// replayer tries a set on decisions that were recorded under others.
type replayer struct {
	store  *Store
	engine *Engine
	agents map[string]string         // enforcement to try, by agent
	past   map[int64]map[refKey]bool // statements in force, by version of the set
}

type refKey struct{ policy, statement, hash string }

func keyOf(r activity.PolicyRef) refKey { return refKey{r.Policy, r.Statement, r.Hash} }

// maxPast bounds the earlier sets that are kept at hand.
const maxPast = 64

// replay decides a recorded request again. ok is false when what it depends on
// was not kept.
func (p *replayer) replay(ctx context.Context, w *scratch, d *activity.Decision) (v Decision, r *Request, ok bool, err error) {
	if len(d.Context) == 0 {
		return v, nil, false, nil
	}
	if r, ok = ParseContext(d.Context); !ok {
		return v, nil, false, nil
	}
	if mode := p.agents[r.Agent.Name]; mode != "" {
		r.Agent.Enforcement = mode
	}
	s := p.engine.set.Load()
	w.candidates = s.candidates(w.candidates[:0], r)
	known, open := w.candidates, []*Statement(nil)
	if r.Call.Args.Dropped {
		known = nil
		for _, st := range w.candidates {
			if st.readsValues() {
				open = append(open, st)
			} else {
				known = append(known, st)
			}
		}
	}
	f := frame{r: r, action: r.Action, effect: r.Resource.effect()}
	outcomes := s.evaluate(w, known, &f)
	if len(open) > 0 {
		then, err := p.recorded(ctx, d)
		if err != nil {
			return v, r, false, err
		}
		// What the record says of an unchanged statement is still so.
		rest := open[:0]
		for _, st := range open {
			switch of, was := then[keyOf(st.ref)]; {
			case !was:
				rest = append(rest, st)
			case of:
				outcomes = append(outcomes, outcome{st, failedIn(d, st)})
			}
		}
		open = rest
	}
	return p.open(s, &f, outcomes, open)
}

func (st *Statement) readsValues() bool { return st.anyPath || len(st.paths) > 0 }

// failedIn reports whether a decision says that a statement could not be
// evaluated.
func failedIn(d *activity.Decision, st *Statement) bool {
	return slices.Contains(d.Reasons, st.texts.failed)
}

// recorded is what a decision's record says of the statements in force then:
// whether each took part.
func (p *replayer) recorded(ctx context.Context, d *activity.Decision) (map[refKey]bool, error) {
	inForce, ok := p.past[d.PolicyVersion]
	if !ok {
		docs, err := p.store.SetAt(ctx, d.PolicyVersion)
		if err != nil {
			return nil, err
		}
		inForce = map[refKey]bool{}
		for _, doc := range docs {
			statements, err := p.store.c.Compile(doc)
			if err != nil {
				continue // what it was then is not known now
			}
			for i := range statements {
				inForce[keyOf(statements[i].ref)] = true
			}
		}
		if len(p.past) >= maxPast {
			clear(p.past)
		}
		p.past[d.PolicyVersion] = inForce
	}
	out := make(map[refKey]bool, len(inForce))
	for k := range inForce {
		out[k] = false
	}
	for _, ref := range d.Policies {
		out[keyOf(ref)] = true
	}
	return out, nil
}

// open decides with statements of which it is not known whether they match: the
// answer stands when it is the same in every case.
func (p *replayer) open(s *snapshot, f *frame, outcomes []outcome, open []*Statement) (v Decision, r *Request, ok bool, err error) {
	if len(open) > maxUnknown {
		return v, f.r, false, nil
	}
	cases := 1
	for range open {
		cases *= 3
	}
	for i := range cases {
		all, n := slices.Clone(outcomes), i
		for _, st := range open {
			if n%3 > 0 {
				all = append(all, outcome{st, n%3 == 2})
			}
			n /= 3
		}
		slices.SortFunc(all, func(a, b outcome) int { return a.st.rank - b.st.rank })
		got := p.engine.conclude(s, f, all)
		if i > 0 && (got.Verdict != v.Verdict || got.Would != v.Would) {
			return v, f.r, false, nil
		}
		if i == 0 {
			v = got
		}
	}
	return v, f.r, true, nil
}

// elsewhere reports whether a decision was denied by something else than policy
// and floor, such as a budget or a stop: no set changes that.
func elsewhere(d *activity.Decision) bool {
	return d.Verdict == activity.VerdictDeny && !slices.ContainsFunc(d.Reasons, func(r activity.Reason) bool {
		return strings.HasPrefix(r.Code, "policy.") || strings.HasPrefix(r.Code, "floor.")
	})
}
