package policy

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	Policies              []activity.PolicyRef // every statement that matched or could not be evaluated, observed ones too
	Version               int64
	Hold                  []HoldGroup
	Asked                 []activity.PolicyRef // the statements that hold: an approval meets exactly these
	Redact                []string
	Limits                []Limit
	// Context is the Cedar request as JSON, without values of arguments, built
	// when called. The Request must not change until then.
	Context func() []byte
}

// Engine holds the policies in force. The zero Engine denies everything.
type Engine struct {
	// Dev lets drafts act, and agents without a credential reach the upstreams of
	// every team; set before the first Decide.
	Dev bool
	set atomic.Pointer[snapshot]
}

// snapshot is a set, indexed by the entities that scopes name.
type snapshot struct {
	version int64
	all     []*Statement
	byKey   map[cedar.PolicyID]*Statement
	anybody bucket
	by      map[types.EntityUID]*bucket // by the principal's entity
}

// bucket is the statements about one principal, by the resource's entity.
type bucket struct {
	anything []*Statement
	on       map[types.EntityUID][]*Statement
	local    bool // some are about local tools
}

// Replace puts a whole set in force at once.
func (e *Engine) Replace(version int64, statements []Statement) {
	s := &snapshot{version: version, byKey: make(map[cedar.PolicyID]*Statement, len(statements)), by: map[types.EntityUID]*bucket{}}
	own := slices.Clone(statements) // key and rank belong to this set
	for i := range own {
		st := &own[i]
		st.rank, st.key = i, cedar.PolicyID(strconv.Itoa(i))
		s.all = append(s.all, st)
		s.byKey[st.key] = st
		s.bucket(st.scope[0].entity).add(st)
	}
	e.set.Store(s)
}

func (s *snapshot) bucket(principal types.EntityUID) *bucket {
	if principal == (types.EntityUID{}) {
		return &s.anybody
	}
	b := s.by[principal]
	if b == nil {
		b = &bucket{}
		s.by[principal] = b
	}
	return b
}

func (b *bucket) add(st *Statement) {
	x := st.scope[1].entity
	if x == (types.EntityUID{}) {
		b.anything = append(b.anything, st)
		return
	}
	if b.on == nil {
		b.on = map[types.EntityUID][]*Statement{}
	}
	b.on[x] = append(b.on[x], st)
	b.local = b.local || isLocal(x)
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
func (s *snapshot) candidates(out []*Statement, r *Request) []*Statement {
	out = s.anybody.candidates(out, r)
	for _, p := range [...]types.EntityUID{uid("Agent", r.Agent.Name), uid("Team", r.Agent.Team)} {
		if b := s.by[p]; b != nil {
			out = b.candidates(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Statement) int { return a.rank - b.rank })
	return out
}

func (b *bucket) candidates(out []*Statement, r *Request) []*Statement {
	action := actionBit(r.Action)
	pick := func(list []*Statement) {
		for _, st := range list {
			if st.applies(r, action) {
				out = append(out, st)
			}
		}
	}
	pick(b.anything)
	if b.on != nil {
		x := &r.Resource
		pick(b.on[uid(x.Type, x.ID)])
		pick(b.on[uid("Upstream", x.Upstream)])
		pick(b.on[uid("Team", x.UpstreamTeam)])
	}
	return out
}

// applies is the action, and what Cedar's scope does not say: a team's policy is
// about its own agents, and permits only upstreams that are the team's or shared.
func (st *Statement) applies(r *Request, action actionSet) bool {
	if st.actions&action == 0 {
		return false
	}
	return st.team == "" || st.team == r.Agent.Team && (st.forbid || r.Resource.UpstreamShared || r.Resource.UpstreamTeam == st.team)
}

// fits reports whether the scope matches.
func (st *Statement) fits(f *frame) bool {
	return st.actions&actionBit(f.action) != 0 && st.scope[0].fits(f, "Agent", f.r.Agent.Name) && st.scope[1].fits(f, f.r.Resource.Type, f.r.Resource.ID)
}

func (s *scopeOf) fits(f *frame, typ, id string) bool {
	if s.typ != "" && string(s.typ) != typ {
		return false
	}
	switch t, e := string(s.entity.Type), string(s.entity.ID); {
	case t == "":
		return true
	case s.equal:
		return t == typ && e == id
	default:
		return f.below(typ, id, t, e)
	}
}

type outcome struct {
	st  *Statement
	err bool // its evaluation failed
}

// scratch is what one decision works in.
type scratch struct {
	candidates []*Statement
	slow       []*Statement // those that cedar-go evaluates
	outcomes   []outcome
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// evaluate lists the statements that match or err, in the set's order.
func (s *snapshot) evaluate(w *scratch, of []*Statement, f *frame) []outcome {
	out, slow := w.outcomes[:0], w.slow[:0]
	for _, st := range of {
		if st.when == nil {
			slow = append(slow, st)
			continue
		}
		if !st.fits(f) {
			continue
		}
		if is, ok := f.truth(st.when); is || !ok {
			out = append(out, outcome{st, !ok})
		}
	}
	if len(slow) > 0 {
		out = append(out, s.evaluateSlow(slow, f.r, f.r.cedarRequest())...)
		slices.SortFunc(out, func(a, b outcome) int { return a.st.rank - b.st.rank })
	}
	if a := &f.r.Call.Args; len(a.Unfit) > 0 || a.unread() {
		for _, st := range of {
			if st.anyPath || slices.ContainsFunc(st.paths, a.unknown) {
				// Whether it would match cannot be known, so it denies like one that errs.
				out = append(out, outcome{unmet(st), true})
			}
		}
	}
	w.outcomes, w.slow = out, slow
	return out
}

// unread reports whether there are arguments that nobody could read.
func (a *Args) unread() bool { return !a.Readable && a.Bytes > 0 }

// unknown reports whether what stands at a path cannot be known: its value does
// not fit, or it would be in a body that could not be read.
func (a *Args) unknown(path types.String) bool {
	return slices.Contains(a.Unfit, string(path)) || a.unread() && strings.HasPrefix(string(path), "/")
}

// unmet is a statement as one whose obligation cannot be met.
func unmet(st *Statement) *Statement {
	c := *st
	c.obliged = true
	return &c
}

// list is a set of statements as cedar-go asks for it.
type list struct {
	of   []*Statement
	pass int
}

// The passes: a Deny does not list the permits that match, and a forbid with an
// obligation is no denial, so cedar-go evaluates each kind by itself.
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

// evaluateSlow is evaluate by cedar-go.
func (s *snapshot) evaluateSlow(of []*Statement, entities types.EntityGetter, req cedar.Request) []outcome {
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
	denials  int // of the reasons, which stand first
	policies []activity.PolicyRef
	hold     []HoldGroup
	asked    []activity.PolicyRef
	redact   []string
	limits   []Limit
}

func rule(outcomes []outcome, observed bool) ruling {
	r := ruling{policies: make([]activity.PolicyRef, 0, len(outcomes))}
	permitted := false
	deny := func(why activity.Reason) { // before reasons to hold: the first is what people are told
		r.verdict = activity.VerdictDeny
		r.reasons = slices.Insert(r.reasons, r.denials, why)
		r.denials++
	}
	for _, o := range outcomes {
		st := o.st
		if st.observe && !observed || o.err && !st.forbid && !st.obliged {
			continue // an erring plain permit permits nothing, as in Cedar
		}
		r.policies = append(r.policies, st.ref)
		switch {
		case o.err:
			deny(st.texts.failed)
		case st.forbid && !st.obliged:
			deny(st.texts.forbid)
		default:
			permitted = permitted || !st.forbid
			r.oblige(st)
		}
	}
	if !permitted && r.verdict != activity.VerdictDeny {
		deny(activity.Reason{Code: "policy.no_permit", Text: "no policy permits it"})
	}
	return r
}

// oblige adds what a matching statement asks for; none takes another's away.
func (r *ruling) oblige(st *Statement) {
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
		r.reasons = append(r.reasons, st.texts.hold)
		r.asked = append(r.asked, st.ref)
	}
	for _, c := range st.Redact {
		if !slices.Contains(r.redact, c) {
			r.redact = append(r.redact, c)
		}
	}
	r.limits = append(r.limits, st.limits...)
}

// Decide answers a proposed action.
func (e *Engine) Decide(req *Request) Decision {
	s := e.set.Load()
	if s == nil {
		s = &snapshot{}
	}
	w := scratches.Get().(*scratch)
	defer scratches.Put(w)
	w.candidates = s.candidates(w.candidates[:0], req)
	return e.decide(s, w, req, w.candidates)
}

func (e *Engine) decide(s *snapshot, w *scratch, req *Request, of []*Statement) Decision {
	f := frame{r: req, action: req.Action, effect: req.Resource.effect()}
	return e.conclude(s, &f, s.evaluate(w, of, &f))
}

// conclude is what outcomes come to, with the floor.
func (e *Engine) conclude(s *snapshot, f *frame, outcomes []outcome) Decision {
	req := f.r
	low, code := e.floor(req, f.effect)
	would := rule(outcomes, true)
	force := would
	if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.st.observe }) {
		force = rule(outcomes, false)
	}
	d := Decision{Floor: low, Version: s.version, Context: req.contextJSON, Policies: would.policies}
	d.Would = max(would.verdict, low)
	reasons := would.reasons
	if req.Agent.Enforcement != "observe" {
		d.Verdict = max(force.verdict, low)
		d.Enforced = d.Verdict == d.Would
		d.Hold, d.Asked, d.Redact, d.Limits = force.hold, force.asked, force.redact, force.limits
		// An observed permit would loosen: then the reasons are of what is in force.
		if d.Enforced || force.verdict > would.verdict {
			reasons = force.reasons
		}
	} else {
		// Observing loosens policies, never the floor.
		d.Verdict = low
	}
	switch why := floorReason(code); {
	case low == activity.VerdictAllow:
		d.Reasons = reasons
	case low >= max(d.Verdict, d.Would):
		d.Reasons = append([]activity.Reason{why}, reasons...)
	default: // policies are stricter than the floor
		d.Reasons = append(reasons[:len(reasons):len(reasons)], why)
	}
	return d
}
