package policy

import (
	"iter"
	"slices"
	"strconv"
	"sync/atomic"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"reeve/internal/activity"
)

// Decision is the answer to a Request. Would is the verdict with every policy
// and agent enforced; Verdict is the one in force.
type Decision struct {
	Verdict, Would, Floor activity.Verdict
	Enforced              bool
	Reasons               []activity.Reason
	Policies              []activity.PolicyRef
	Version               int64
	Hold                  []HoldGroup
	Redact                []string
	Limits                []Limit
	// Context is the Cedar request as JSON, without values of arguments, built
	// when called. The Request must not change until then.
	Context func() []byte
}

// Engine holds the policies in force. The zero Engine denies everything.
type Engine struct {
	// Dev lets drafts act; set before the first Decide.
	Dev bool
	set atomic.Pointer[snapshot]
}

type scope struct{ principal, resource types.EntityUID }

type snapshot struct {
	version int64
	index   map[scope][]*Statement
	byKey   map[cedar.PolicyID]*Statement
	all     []*Statement
}

// Replace puts a whole set in force at once.
func (e *Engine) Replace(version int64, statements []Statement) {
	s := &snapshot{version: version, index: map[scope][]*Statement{}, byKey: map[cedar.PolicyID]*Statement{}}
	for i := range statements {
		st := statements[i] // ours: key and rank belong to this set
		st.rank, st.key = i, cedar.PolicyID(strconv.Itoa(i))
		s.all = append(s.all, &st)
		s.byKey[st.key] = &st
		k := scope{st.principal, st.resource}
		s.index[k] = append(s.index[k], &st)
	}
	e.set.Store(s)
}

// Version is the number of the set in force.
func (e *Engine) Version() int64 {
	if s := e.set.Load(); s != nil {
		return s.version
	}
	return 0
}

// candidates are the statements whose scope can match, in the set's order. An
// agent's ancestors are its team; a resource's its upstream and that one's team.
func (s *snapshot) candidates(r *Request, action types.EntityUID) []*Statement {
	var none types.EntityUID
	principals := [...]types.EntityUID{none, uid("Agent", r.Agent.Name), uid("Team", r.Agent.Team)}
	resources := [...]types.EntityUID{none, uid(r.Resource.Type, r.Resource.ID), uid("Upstream", r.Resource.Upstream), uid("Team", r.Resource.UpstreamTeam)}
	out := make([]*Statement, 0, 32)
	for _, p := range principals {
		for _, x := range resources {
			for _, st := range s.index[scope{p, x}] {
				if st.applies(r, action) {
					out = append(out, st)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *Statement) int { return a.rank - b.rank })
	return out
}

// applies is what Cedar's scope does not say: a team's policy is about its own
// agents, and permits only upstreams that are the team's or shared.
func (st *Statement) applies(r *Request, action types.EntityUID) bool {
	if st.actions != nil && !slices.Contains(st.actions, action) {
		return false
	}
	if st.team == "" {
		return true
	}
	return st.team == r.Agent.Team && (st.forbid || r.Resource.UpstreamShared || r.Resource.UpstreamTeam == st.team)
}

// list is a set of statements as cedar-go asks for it.
type list struct {
	of   []*Statement
	pass int
}

// The passes: a Deny does not list the permits that match, and a forbid with an
// obligation is no denial, so each kind is evaluated by itself.
const (
	passPermit = iota
	passForbid
	passUnless
	passes
)

func (st *Statement) pass() int {
	switch {
	case !st.forbid:
		return passPermit
	case st.obliged:
		return passUnless
	}
	return passForbid
}

// All implements cedar.PolicyIterator.
func (l list) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, st := range l.of {
			if st.pass() == l.pass && !yield(st.key, st.cedar) {
				return
			}
		}
	}
}

type outcome struct {
	st  *Statement
	err bool // its evaluation failed
}

// evaluate lists the statements that match or err.
func (s *snapshot) evaluate(of []*Statement, entities types.EntityGetter, req cedar.Request) []outcome {
	var out []outcome
	for pass := range passes {
		_, diag := cedar.Authorize(list{of, pass}, entities, req)
		for _, m := range diag.Reasons {
			out = append(out, outcome{s.byKey[m.PolicyID], false})
		}
		for _, m := range diag.Errors {
			out = append(out, outcome{s.byKey[m.PolicyID], true})
		}
	}
	return out
}

// ruling is what a set of outcomes comes to.
type ruling struct {
	verdict  activity.Verdict
	reasons  []activity.Reason
	policies []activity.PolicyRef
	hold     []HoldGroup
	redact   []string
	limits   []Limit
}

func rule(outcomes []outcome, observed bool) ruling {
	var r ruling
	permitted := false
	reason := func(st *Statement, code, text string) {
		if st.Reason != "" {
			text = st.Reason
		}
		r.reasons = append(r.reasons, activity.Reason{Code: code, Text: text})
	}
	for _, o := range outcomes {
		st := o.st
		if st.observe && !observed || o.err && !st.forbid && !st.obliged {
			continue // an erring plain permit permits nothing, as in Cedar
		}
		r.policies = append(r.policies, activity.PolicyRef{Policy: st.Policy, Statement: st.ID, Hash: st.Hash})
		switch {
		case o.err:
			r.verdict = activity.VerdictDeny
			r.reasons = append(r.reasons, activity.Reason{Code: "policy.error", Text: "the statement " + st.ID + " could not be evaluated"})
			continue
		case st.forbid && !st.obliged:
			r.verdict = activity.VerdictDeny
			reason(st, "policy.forbid", "the statement "+st.ID+" forbids it")
			continue
		case !st.forbid:
			permitted = true
		}
		for _, g := range st.Hold {
			i := slices.IndexFunc(r.hold, func(h HoldGroup) bool { return h.Group == g.Group })
			if i < 0 {
				r.hold = append(r.hold, g)
			} else {
				r.hold[i].Count = max(r.hold[i].Count, g.Count)
			}
		}
		if st.Hold != nil {
			r.verdict = max(r.verdict, activity.VerdictHold)
			reason(st, "policy.hold", "the statement "+st.ID+" asks a person")
		}
		for _, c := range st.Redact {
			if !slices.Contains(r.redact, c) {
				r.redact = append(r.redact, c)
			}
		}
		for _, l := range st.Limits {
			r.limits = append(r.limits, Limit{l, st.Policy + "/" + st.ID})
		}
	}
	if !permitted && r.verdict != activity.VerdictDeny {
		r.verdict = activity.VerdictDeny
		r.reasons = append(r.reasons, activity.Reason{Code: "policy.no_permit", Text: "no policy permits it"})
	}
	return r
}

// Decide answers a proposed action.
func (e *Engine) Decide(req *Request) Decision {
	s := e.set.Load()
	if s == nil {
		s = &snapshot{}
	}
	return e.decide(s, req, s.candidates(req, uid("Action", req.Action)))
}

func (e *Engine) decide(s *snapshot, req *Request, of []*Statement) Decision {
	low, code := floor(&req.Agent, req.Resource.effect(), e.Dev)
	outcomes := s.evaluate(of, &world{of: req}, cedar.Request{
		Principal: uid("Agent", req.Agent.Name), Action: uid("Action", req.Action), Resource: uid(req.Resource.Type, req.Resource.ID), Context: req.context(of),
	})
	if len(req.Call.Args.Unfit) > 0 {
		for _, st := range of {
			if slices.ContainsFunc(st.paths, func(p types.String) bool { return slices.Contains(req.Call.Args.Unfit, string(p)) }) {
				// Whether it would match cannot be known, so it denies like one that errs.
				outcomes = append(outcomes, outcome{unfit(st), true})
			}
		}
	}
	would, force := rule(outcomes, true), rule(outcomes, false)
	d := Decision{Floor: low, Version: s.version, Context: req.contextJSON}
	d.Would = max(would.verdict, low)
	d.Enforced = req.Agent.Enforcement != "observe"
	take := force
	if d.Enforced {
		d.Verdict = max(force.verdict, low)
		d.Enforced = d.Verdict == d.Would
		if !d.Enforced {
			take = would
		}
	} else {
		// Observing loosens policies, never the floor.
		d.Verdict, take = low, would
	}
	d.Policies = take.policies
	if low != activity.VerdictAllow {
		d.Reasons = append(d.Reasons, activity.Reason{Code: code, Text: "the agent's standing allows no more"})
	}
	d.Reasons = append(d.Reasons, take.reasons...)
	if req.Agent.Enforcement != "observe" {
		d.Hold, d.Redact, d.Limits = force.hold, force.redact, force.limits
	}
	return d
}

// unfit is a statement that counts as an obligation that cannot be met.
func unfit(st *Statement) *Statement {
	c := *st
	c.obliged = true
	return &c
}

// context builds the attributes that the statements read and no others.
func (r *Request) context(of []*Statement) types.Record {
	m := make(types.RecordMap, 8)
	for _, st := range of {
		fields := st.fields
		if st.allContext {
			fields = fieldNames[:]
		}
		for _, n := range fields {
			if _, ok := m[n]; !ok {
				if v := r.field(n); v != nil {
					m[n] = v
				}
			}
		}
	}
	return types.NewRecord(m)
}

// world keeps the entities that one decision built: most statements ask for the
// same two.
type world struct {
	of    *Request
	known [6]types.Entity
	n     int
}

// Get implements types.EntityGetter.
func (w *world) Get(u types.EntityUID) (types.Entity, bool) {
	for i := range w.known[:w.n] {
		if w.known[i].UID == u {
			return w.known[i], true
		}
	}
	e, ok := w.of.Get(u)
	if ok && w.n < len(w.known) {
		w.known[w.n] = e
		w.n++
	}
	return e, ok
}
