package incident

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The engine holds live incidents in memory and says where a signal belongs. It
// looks only at incidents that share a node with the signal, adds up the reasons
// that speak for each (as independent evidence: 1 minus the product of doubts),
// takes away what speaks against, and joins the best one above Threshold. What
// was not to be seen from the first signals is seen later: absorb compares
// incidents with each other as they grow.

const (
	// fresh is for how long after an incident's newest signal time says nothing
	// against another one; it fades out until window.
	fresh  = 3 * time.Minute
	window = 30 * time.Minute
	// apartStart is how far the beginnings of two incidents that one cause made
	// lie apart at most.
	apartStart = 10 * time.Minute
	maxTried   = 64 // incidents that a signal is compared with
	maxUsers   = 50_000
)

type member struct {
	Member
	nodes   []Node
	class   class
	tokens  []string
	telling []string
	cause   bool   // it names something beside the agent
	family  string // what signals of other instances of the same alert have in common; "" nothing
	told    string // the rule that told it, of its agent; "" unknown
}

// share is how much of an incident touches a node.
type share struct {
	members int
	agents  map[string]struct{}
	classes map[class]int // kinds of trouble of the members that touch it
	began   time.Time     // when the first of them did
	named   int           // of the members, those that name a version
}

// kinds are the kinds of trouble that a good part of those that touch it speak of.
func (sh *share) kinds() class { return commonKinds(sh.classes, sh.members) }

type group struct {
	inc     Incident
	members map[string]*member
	nodes   map[Node]*share
	plain   map[string]int // members of an agent that name no cause
	peers   map[string]int
	tokens  map[string]int
	telling map[string]int
	classes map[class]int
	family  map[string]int
	told    map[string]int
	places  map[Place]int
	extra   int // members beyond maxMembers, by count alone
	firing  int
	held    bool            // people put it together: machines leave it alone
	apart   map[string]bool // fingerprints and incidents that people said do not belong
	grown   bool            // since absorb looked
	pending pending
}

// pending is what is not stored yet.
type pending struct {
	created bool
	members map[string]bool
	entries []Entry
	told    string   // what Opened is told once it is stored
	gone    []string // fingerprints that moved elsewhere
	grown   bool     // its figures have to be made again
}

func newGroup(inc Incident) *group {
	return &group{
		inc: inc, members: map[string]*member{}, nodes: map[Node]*share{}, plain: map[string]int{}, peers: map[string]int{}, tokens: map[string]int{},
		telling: map[string]int{}, classes: map[class]int{}, family: map[string]int{}, told: map[string]int{}, places: map[Place]int{}, apart: map[string]bool{}, pending: pending{members: map[string]bool{}},
	}
}

type engine struct {
	groups  map[string]*group
	prints  map[string]*group
	byNode  map[Node]map[*group]struct{}
	uses    map[string]map[Node]struct{} // what agents were seen to use
	users   map[Node]map[string]struct{}
	pairs   map[string]int // how many fingerprints carried a label
	seen    int            // fingerprints
	weights Weights
}

func newEngine() *engine {
	return &engine{
		groups: map[string]*group{}, prints: map[string]*group{}, byNode: map[Node]map[*group]struct{}{},
		uses: map[string]map[Node]struct{}{}, users: map[Node]map[string]struct{}{}, pairs: map[string]int{}, weights: Defaults(),
	}
}

// causes are the kinds of nodes that can be at the root of an incident of
// several agents.
var causeKinds = map[string]string{
	"tool": sameTool, "server": sameServer, "source": sameSource, "policy": samePolicy, "version": sameVersion, "model": sameModel, "provider": sameProvider,
}

func memberOf(s Signal) *member {
	m := &member{Member: Member{Signal: s, First: s.At, Last: s.At, Count: 1}, class: classOf(&s), tokens: tokens(s.Title), telling: telling(s.Labels)}
	add := func(kind, value string) {
		if value != "" {
			m.nodes = append(m.nodes, Node{kind, value})
			m.cause = m.cause || causeKinds[kind] != ""
		}
	}
	if !strings.HasSuffix(s.Tool, "/") { // else a server is all that is named
		add("tool", s.Tool)
	}
	add("server", serverOf(s.Tool))
	add("source", s.Source)
	add("policy", s.Policy)
	if s.Version != "" {
		// A version is on most signals of an agent: it says what runs, and not
		// what is to blame.
		m.nodes = append(m.nodes, Node{"version", s.Agent + "@" + s.Version})
	}
	add("model", s.Model)
	add("provider", s.Provider)
	add("run", s.Run)
	add("agent", s.Agent)
	m.family = familyOf(m)
	if by := cmp.Or(s.Labels["alertname"], s.Labels["detector"]); by != "" && s.Agent != "" {
		m.told = s.Agent + "\x00" + by
	}
	return m
}

// familyOf is the same for the signals of one alert from several instances (pods,
// hosts): the same words about the same things.
func familyOf(m *member) string {
	parts := []string{m.Kind, m.Environment, m.Labels["alertname"], strings.Join(m.tokens, " ")}
	about := len(parts)
	for _, n := range m.nodes {
		if n.Kind != "run" {
			parts = append(parts, n.Kind, n.Value)
		}
	}
	if len(parts) == about {
		return ""
	}
	return strings.Join(parts, "\x00")
}

// learn notes what the agent of a signal uses.
func (e *engine) learn(m *member) {
	if e.seen++; e.seen > 1_000_000 { // an old count of labels is worth less
		e.seen /= 2
		for k, n := range e.pairs {
			if n /= 2; n == 0 {
				delete(e.pairs, k)
			} else {
				e.pairs[k] = n
			}
		}
	}
	for _, t := range m.telling {
		if len(e.pairs) < maxUsers || e.pairs[t] > 0 {
			e.pairs[t]++
		}
	}
	if m.Agent == "" {
		return
	}
	for _, n := range m.nodes {
		if causeKinds[n.Kind] != "" && n.Kind != "version" {
			e.use(m.Agent, n)
		}
	}
	if m.Peer != "" {
		e.use(m.Agent, Node{"agent", m.Peer})
	}
}

// use notes that an agent uses something.
func (e *engine) use(agent string, n Node) {
	if len(e.uses) >= maxUsers && e.uses[agent] == nil || len(e.users) >= maxUsers && e.users[n] == nil {
		return
	}
	if e.uses[agent] == nil {
		e.uses[agent] = map[Node]struct{}{}
	}
	if e.users[n] == nil {
		e.users[n] = map[string]struct{}{}
	}
	e.uses[agent][n], e.users[n][agent] = struct{}{}, struct{}{}
}

// put adds a member to a group and to the indexes.
func (e *engine) put(g *group, m *member) {
	g.members[m.Fingerprint] = m
	e.prints[m.Fingerprint] = g
	for _, n := range m.nodes {
		sh := g.nodes[n]
		if sh == nil {
			sh = &share{agents: map[string]struct{}{}, classes: map[class]int{}, began: m.First}
			g.nodes[n] = sh
			if e.byNode[n] == nil {
				e.byNode[n] = map[*group]struct{}{}
			}
			e.byNode[n][g] = struct{}{}
		}
		sh.members++
		m.class.each(func(c class) { count(sh.classes, c, 1) })
		if m.Version != "" {
			sh.named++
		}
		if m.First.Before(sh.began) {
			sh.began = m.First
		}
		if m.Agent != "" {
			sh.agents[m.Agent] = struct{}{}
		}
	}
	if !m.Resolved {
		g.firing++
	}
	g.tally(m, 1)
	g.grown, g.pending.grown = true, true
}

// drop takes a member out again.
func (e *engine) drop(g *group, m *member) {
	delete(g.members, m.Fingerprint)
	if e.prints[m.Fingerprint] == g {
		delete(e.prints, m.Fingerprint)
	}
	for _, n := range m.nodes {
		sh := g.nodes[n]
		if sh == nil {
			continue
		}
		m.class.each(func(c class) { count(sh.classes, c, -1) })
		if m.Version != "" {
			sh.named--
		}
		if sh.members--; sh.members <= 0 {
			delete(g.nodes, n)
			e.unindex(n, g)
			continue
		}
		if m.Agent != "" && !g.has(n, m.Agent) {
			delete(sh.agents, m.Agent)
		}
	}
	if !m.Resolved {
		g.firing--
	}
	g.tally(m, -1)
	g.pending.grown = true
}

func (e *engine) unindex(n Node, g *group) {
	if delete(e.byNode[n], g); len(e.byNode[n]) == 0 {
		delete(e.byNode, n)
	}
}

// has reports whether another member of the agent touches a node.
func (g *group) has(n Node, agent string) bool {
	for _, o := range g.members {
		if o.Agent == agent && slices.Contains(o.nodes, n) {
			return true
		}
	}
	return false
}

func count[K comparable](m map[K]int, k K, by int) {
	if m[k] += by; m[k] <= 0 {
		delete(m, k)
	}
}

// tally keeps the sums of a group.
func (g *group) tally(m *member, by int) {
	if m.Agent != "" && !m.cause {
		count(g.plain, m.Agent, by)
	}
	if m.Peer != "" {
		count(g.peers, m.Peer, by)
	}
	for _, t := range m.tokens {
		count(g.tokens, t, by)
	}
	for _, t := range m.telling {
		count(g.telling, t, by)
	}
	m.class.each(func(c class) { count(g.classes, c, by) })
	if m.family != "" {
		count(g.family, m.family, by)
	}
	if m.told != "" {
		count(g.told, m.told, by)
	}
	count(g.places, Place{m.Team, m.Environment}, by)
}

// remove forgets a group.
func (e *engine) remove(g *group) {
	for n := range g.nodes {
		e.unindex(n, g)
	}
	for p := range g.members {
		if e.prints[p] == g {
			delete(e.prints, p)
		}
	}
	delete(e.groups, g.inc.ID)
}

// kinds are the kinds of trouble that a good part of a group speaks of.
func (g *group) kinds() class { return commonKinds(g.classes, len(g.members)) }

func commonKinds(classes map[class]int, members int) class {
	var out class
	for c, n := range classes {
		if n*8 >= members {
			out |= c
		}
	}
	return out
}

func (g *group) part(n Node) float64 {
	sh := g.nodes[n]
	if sh == nil || len(g.members) == 0 {
		return 0
	}
	return float64(sh.members) / float64(len(g.members))
}

// most are the keys that a third of the members have, sorted.
func most(m map[string]int, members int) []string {
	var out []string
	for k, n := range m {
		if n*3 >= members {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// place finds where a signal belongs: nil is an incident of its own. The score
// and reasons are of the best that was found.
func (e *engine) place(m *member) (*group, float64, []Reason) {
	tried := map[*group]bool{}
	var best *group
	var score float64
	var reasons []Reason
	look := func(n Node) {
		for g := range e.byNode[n] {
			if tried[g] || len(tried) >= maxTried {
				continue
			}
			tried[g] = true
			if !g.inc.Live() || g.apart[m.Fingerprint] {
				continue
			}
			s, r := e.score(m, g)
			if s > score || s == score && best != nil && g.inc.ID < best.inc.ID {
				best, score, reasons = g, s, r
			}
		}
	}
	for _, n := range m.nodes {
		look(n)
	}
	if m.Peer != "" {
		look(Node{"agent", m.Peer})
	}
	if m.Agent != "" {
		for n := range e.uses[m.Agent] {
			look(n)
		}
	} else {
		for _, n := range m.nodes {
			for a := range e.users[n] {
				look(Node{"agent", a})
			}
		}
	}
	if score < Threshold {
		return nil, score, reasons
	}
	return best, score, reasons
}

// tally of reasons for one incident.
type weighing struct {
	weights Weights
	doubt   float64
	reasons []Reason
	struct_ bool // something other than words and labels speaks for it
}

func (w *weighing) add(rule string, factor float64, format string, args ...any) {
	weight := min(w.weights[rule]*factor, 0.98)
	if weight < 0.03 {
		return
	}
	w.doubt *= 1 - weight
	w.reasons = append(w.reasons, Reason{rule, fmt.Sprintf(format, args...), math.Round(weight*100) / 100})
	w.struct_ = w.struct_ || weight >= 0.3 && rule != labels && rule != text
}

// score is how well a signal fits an incident, with the reasons.
func (e *engine) score(m *member, g *group) (float64, []Reason) {
	when := fading(m.Last.Sub(g.inc.LastAt))
	if when == 0 || len(g.members) == 0 {
		return 0, nil
	}
	w := &weighing{weights: e.weights, doubt: 1}
	fit := fits(m.class, g.kinds())
	if m.family != "" && g.family[m.family] > 0 {
		w.add(sameAlert, 1, "the same alert from another instance")
	}
	shared := e.things(w, m, g)
	e.agents(w, m, g, shared)
	e.neighbours(w, m, g, fit)
	e.wording(w, m, g)
	score := (1 - w.doubt) * when
	for _, against := range e.against(m, g, shared) {
		score += against.Weight
		w.reasons = append(w.reasons, against)
	}
	if when < 1 {
		w.reasons = append(w.reasons, Reason{"time", fmt.Sprintf("%s after its newest signal: counts %.0f %%", ago(m.Last.Sub(g.inc.LastAt)), when*100), 0})
	}
	slices.SortStableFunc(w.reasons, func(a, b Reason) int { return cmp.Compare(b.Weight, a.Weight) })
	return score, w.reasons
}

// fading is how much time leaves of the evidence.
func fading(gap time.Duration) float64 {
	switch gap = gap.Abs(); {
	case gap <= fresh:
		return 1
	case gap >= window:
		return 0
	default:
		return math.Pow(0.5, float64(gap-fresh)/float64(10*time.Minute))
	}
}

func ago(d time.Duration) string {
	d = d.Abs()
	if d < time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}

// things weighs the tools, data, models and so on that both are about. What counts
// is what those that touch the thing speak of, not all of the incident.
func (e *engine) things(w *weighing, m *member, g *group) (shared bool) {
	tool := false
	for _, n := range m.nodes {
		sh := g.nodes[n]
		if sh == nil || n.Kind == "agent" {
			continue
		}
		spread := 0.5 + 0.5*min(1, 2*g.part(n))
		fit := fits(m.class, sh.kinds()) * min(blame(n.Kind, m.class), blame(n.Kind, sh.kinds()))
		switch n.Kind {
		case "run":
			w.add(sameRun, 1, "the same run")
			shared = true
		case "model", "provider":
			factor := e.covered(n, sh, m.Agent) * spread * fit
			w.add(causeKinds[n.Kind], factor, "the same %s %s%s", n.Kind, n.Value, e.coverText(n, sh, m.Agent))
			shared = shared || factor > 0.5
		case "version":
			w.add(sameVersion, 0.35*spread*fit, "the same version %s", n.Value)
		case "server":
			if tool {
				continue // the tool says it already
			}
			w.add(sameServer, spread*(0.4+0.6*fit), "tools of the same server %s", n.Value)
			shared = true
		default:
			w.add(causeKinds[n.Kind], spread*(0.5+0.5*fit), "the same %s %s", n.Kind, n.Value)
			shared, tool = true, tool || n.Kind == "tool"
		}
	}
	return shared
}

// covered is how far something that many use is to blame: by the share of its
// users that are in trouble. Two of thirty agents of a provider say little of
// the provider.
func (e *engine) covered(n Node, sh *share, agent string) float64 {
	users := len(e.users[n])
	hit := len(sh.agents)
	if _, in := sh.agents[agent]; !in && agent != "" {
		hit++
	}
	if users <= 2 {
		return 1
	}
	return min(1, 0.35+1.3*float64(hit)/float64(users))
}

func (e *engine) coverText(n Node, sh *share, agent string) string {
	users, hit := len(e.users[n]), len(sh.agents)
	if _, in := sh.agents[agent]; !in && agent != "" {
		hit++
	}
	if users <= 2 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d agents that use it)", hit, max(users, hit))
}

// soon is what the time between the beginnings of two troubles of one agent leaves
// of their belonging together. It falls by orders of magnitude, so that of two
// incidents the one that began nearer wins, be it by seconds or by minutes.
func soon(gap time.Duration) float64 {
	return max(0.7, 1-0.04*math.Log2(1+gap.Abs().Seconds()))
}

// agents weighs that both are about one agent: a symptom belongs to the trouble of
// its kind that began just before it.
func (e *engine) agents(w *weighing, m *member, g *group, shared bool) {
	sh := g.nodes[Node{"agent", m.Agent}]
	if m.Agent == "" || sh == nil {
		return
	}
	plain := g.plain[m.Agent]
	caused := sh.members - plain
	factor := sameKind(m.class, sh.kinds()) * soon(m.First.Sub(sh.began))
	if m.Version != "" && sh.named == 0 && !shared {
		factor *= 0.4 // it speaks of a version, and nothing there does: that may be a cause of its own
	}
	if m.told != "" && g.told[m.told] > 0 && g.family[m.family] == 0 {
		factor *= 0.6 // one rule told both of this agent, and told them apart
	}
	switch {
	case shared:
		w.add(sameAgent, 0.35*factor, "the same agent %s", m.Agent)
	case !m.cause && caused == 0:
		w.add(sameAgent, factor, "the same agent %s", m.Agent)
	case !m.cause:
		w.add(symptom, factor, "agent %s is in it, and this one names no cause of its own", m.Agent)
	case plain > 0 && g.caused():
		// It has its cause: another one of the same agent is another fault's, and
		// joining it would chain faults together by whom they touch.
		w.add(sameAgent, 0.3*factor, "the same agent %s, whose trouble here has another cause", m.Agent)
	case plain > 0:
		w.add(symptom, factor, "agent %s is in it without a cause, which this may be", m.Agent)
	default:
		w.add(sameAgent, 0.3*factor, "the same agent %s, about something else", m.Agent)
	}
}

// caused reports whether a good part of an incident names one thing beside its
// agents.
func (g *group) caused() bool {
	for n := range g.nodes {
		if causeKinds[n.Kind] != "" && n.Kind != "version" && g.part(n) >= 0.25 {
			return true
		}
	}
	return false
}

// neighbours weighs edges of the graph: who uses what, and who works for whom.
func (e *engine) neighbours(w *weighing, m *member, g *group, fit float64) {
	if m.Agent != "" {
		me := Node{"agent", m.Agent}
		if n := g.peers[m.Agent]; n > 0 {
			w.add(delegation, fit, "agents of it work with %s", m.Agent)
		} else if sh := g.nodes[Node{"agent", m.Peer}]; m.Peer != "" && sh != nil {
			w.add(delegation, fit, "%s works with %s, which is in it", m.Agent, m.Peer)
		} else if g.nodes[me] == nil {
			for n := range e.uses[m.Agent] {
				if n.Kind == "agent" && g.part(n) >= 0.5 {
					w.add(delegation, fit, "%s works with %s, which it is about", m.Agent, n.Value)
					break
				}
			}
		}
		if g.nodes[me] == nil && !m.cause {
			e.usesCentre(w, m, g)
		}
		return
	}
	// Something that is no agent's own: a job that did not run, a server that is
	// down. Its users are in it without a cause.
	for _, n := range m.nodes {
		if causeKinds[n.Kind] == "" || g.nodes[n] != nil {
			continue
		}
		in, of := 0, 0
		for a := range g.plain {
			of++
			if _, ok := e.uses[a][n]; ok {
				in++
			}
		}
		if in > 0 && in*2 >= of {
			w.add(adjacent, 1.25*fit, "%d of its %d agents use %s %s", in, of, n.Kind, n.Value)
			return
		}
	}
}

// usesCentre weighs that an agent without a cause of its own uses what the
// incident is about.
func (e *engine) usesCentre(w *weighing, m *member, g *group) {
	best, at := 0.0, Node{}
	for n := range e.uses[m.Agent] {
		sh := g.nodes[n]
		if sh == nil || n.Kind == "agent" || g.part(n) < 0.5 {
			continue
		}
		cover := e.covered(n, sh, m.Agent)
		if cover > best || cover == best && n.Value < at.Value {
			best, at = cover, n
		}
	}
	if best > 0 {
		of := g.nodes[at].kinds()
		fit := fits(m.class, of)
		if m.class == 0 || of == 0 {
			fit = unknownKind // being able to is little when nobody knows what it is
		}
		w.add(adjacent, (0.5+0.75*best)*fit*blame(at.Kind, m.class), "%s uses %s %s, which it is about%s", m.Agent, at.Kind, at.Value, e.coverText(at, g.nodes[at], m.Agent))
	}
}

// wording weighs labels and words. Alone they are weak: faults of one kind are
// told in the same words wherever they are.
func (e *engine) wording(w *weighing, m *member, g *group) {
	factor := 1.0
	if !w.struct_ {
		factor = 0.4
	}
	if len(m.telling) > 0 {
		var both, all float64
		named := ""
		for _, t := range m.telling {
			rare := e.rarity(t)
			all += rare
			if g.telling[t]*3 >= len(g.members) && rare > 0 {
				both += rare
				named = cmp.Or(named, t)
			}
		}
		if both > 0 {
			w.add(labels, factor*both/max(all, 1), "label %s", strings.Replace(named, "=", " ", 1))
		}
	}
	if like := likeness(m.tokens, most(g.tokens, len(g.members))); like >= 0.25 {
		w.add(text, factor*like, "similar words")
	}
}

// rarity is what a label tells: one that most signals carry tells nothing.
func (e *engine) rarity(pair string) float64 {
	if e.seen < 20 {
		return 0.7
	}
	return max(0, 1-2.5*float64(e.pairs[pair])/float64(e.seen))
}

// against are the reasons that keep a signal out.
func (e *engine) against(m *member, g *group, shared bool) []Reason {
	var out []Reason
	if !shared {
		for _, kind := range []string{"tool", "source", "policy"} {
			own := ""
			for _, n := range m.nodes {
				if n.Kind == kind {
					own = n.Value
				}
			}
			if own == "" {
				continue
			}
			if other, part := g.main(kind); other != "" && other != own && part >= 0.5 {
				out = append(out, Reason{otherThing, fmt.Sprintf("it is about %s %s, this about %s", kind, other, own), -e.weights[otherThing]})
				break
			}
		}
	}
	if m.Environment != "" && !shared {
		own, all := 0, 0
		for p, n := range g.places {
			if p.Environment != "" {
				if all += n; p.Environment == m.Environment {
					own += n
				}
			}
		}
		if all > 0 && own == 0 {
			out = append(out, Reason{otherPlace, "it is in another environment than " + m.Environment, -e.weights[otherPlace]})
		}
	}
	return out
}

// main is the node of a kind that most of a group's members touch.
func (g *group) main(kind string) (string, float64) {
	best, at := 0, ""
	for n, sh := range g.nodes {
		if n.Kind == kind && (sh.members > best || sh.members == best && n.Value < at) {
			best, at = sh.members, n.Value
		}
	}
	return at, float64(best) / float64(max(len(g.members), 1))
}
