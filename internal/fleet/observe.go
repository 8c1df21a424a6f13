package fleet

import (
	"crypto/sha256"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/telemetry"
)

// Places where an agent was seen, as bits.
const (
	placeTelemetry = 1 << iota
	placeDoor
	placeProven // at the door, with the agent's own credential
)

// place is a name within a team and environment.
type place struct{ team, environment, name string }

func (c *Claim) place() place { return place{c.Team, c.Environment, c.Name} }

// claim is what is known of one Claim.
type claim struct {
	Claim
	id        string
	places    int
	works     bool // did what only agents do: a service that merely sends spans is no agent
	first     int64
	seenAt    int64
	seen      int64 // steps, those in pending included
	pending   int64 // not in the database yet
	run, step string
	lastRun   activity.RunID

	stored bool
	dirty  bool

	news     bool  // used something that no row has yet
	judged   bool  // its place was looked at
	explicit bool  // a sender named it as an agent; else it is a service
	at       int64 // first seen by us, of the observer's clock
	items    map[itemKey]*item
	left     int64 // uses that found no room
	code     *item
	codeName string
	parts    *parts

	gen     uint64 // of the matcher when match was made
	matched bool
	match   Match
	part    bool   // a service that hosts an agent: no agent of its own
	told    string // the agent that the register was told of
}

// derived is an id that follows from its words, so that a crash or a second
// node makes the same one again.
func derived(prefix string, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return prefix + activity.Text32(sum[:10])
}

func (c *Claim) id() string {
	return derived("clm_", c.Team, c.Environment, c.Name, c.AgentID, c.Service)
}

// Observe takes in what the store has just taken. It keeps nothing of w, and
// costs a look-up for each step of an agent.
func (f *Fleet) Observe(w *telemetry.Write) {
	now := f.o.Now().UnixNano()
	f.mu.Lock()
	f.clock = now
	fresh := f.fresh
	for i := range w.Steps {
		f.step(&w.Steps[i], w.Received)
	}
	for i := range w.Messages {
		f.message(&w.Messages[i])
	}
	for i := range w.Runs {
		f.peers(&w.Runs[i])
	}
	f.mark[w.Partition] = mark{w.Cursor, w.Received, true}
	wake := f.fresh && !fresh
	f.mu.Unlock()
	if wake {
		f.poke()
	}
}

// step takes in one folded step.
func (f *Fleet) step(s *activity.Step, received int64) {
	if s.Agent == "" && s.AgentID == "" {
		return
	}
	c := f.claimOf(s)
	if c == nil {
		return
	}
	if s.Revision <= 1 { // later revisions were counted
		c.seen++
		c.pending++
	}
	c.dirty = true
	at := max(min(s.Start, received), received-maxPast)
	c.seenAt = max(c.seenAt, at)
	if c.first == 0 || at < c.first {
		c.first = at
	}
	c.lastRun = s.Run
	if !c.explicit && (s.AgentExplicit || s.AgentID != "") {
		c.explicit = true
		f.hosted(c)
	}
	f.uses(c, s, at)
	if !c.works && (s.AgentExplicit || agentic(s.Kind)) {
		c.works = true
		c.run, c.step = s.Run.String(), s.Step.String()
		f.fresh = true
	}
}

// maxPast bounds how old a sender's time may be: a wrong clock must not make
// days without end.
const maxPast = int64(400 * 24 * time.Hour)

// hosted notes that a service hosts an agent that is named.
func (f *Fleet) hosted(c *claim) {
	if c.Service == "" || c.Name == "" {
		return
	}
	k := place{c.Team, c.Environment, c.Service}
	switch have, ok := f.hosts[k]; {
	case !ok:
		f.hosts[k] = c.Name
		f.rehost++
	case have != c.Name && have != "":
		f.hosts[k] = "" // several
		f.rehost++
	}
}

// agentic reports whether only agents do steps of this kind.
func agentic(k activity.Kind) bool {
	switch k {
	case activity.KindAgent, activity.KindModel, activity.KindTool, activity.KindHandoff, activity.KindMCP, activity.KindA2A, activity.KindPlan:
		return true
	}
	return false
}

// claimOf finds or makes the claim of a step; nil when there are too many.
func (f *Fleet) claimOf(s *activity.Step) *claim {
	if c := f.last; c != nil && c.Name == s.Agent && c.AgentID == s.AgentID && c.Service == s.Service && c.Team == s.Team && c.Environment == s.Environment {
		return c
	}
	key := Claim{s.Team, s.Environment, s.Agent, s.AgentID, s.Service}
	c := f.claims[key]
	if c == nil {
		if c = f.make(key); c == nil {
			return nil
		}
	}
	if s.Source == activity.SourceGateway {
		c.places |= placeDoor
	} else {
		c.places |= placeTelemetry
	}
	f.last = c
	return c
}

// make adds a claim. The words are copied: the caller's memory is its own.
func (f *Fleet) make(key Claim) *claim {
	for _, w := range []*string{&key.Team, &key.Environment, &key.Name, &key.AgentID, &key.Service} {
		*w = strings.Clone(cutWord(*w))
	}
	if f.names[key.place()] >= maxOfName {
		key.AgentID, key.Service = "", "" // the rest of a name that numbers its agents without end
	}
	if c := f.claims[key]; c != nil {
		return c
	}
	if len(f.claims) >= maxClaims {
		f.refused++
		return nil
	}
	c := &claim{Claim: key, id: key.id(), at: f.clock}
	f.claims[key] = c
	f.byName[key.place()] = c
	f.names[key.place()]++
	return c
}

// cutWord keeps a claimed word to one short line.
func cutWord(s string) string {
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord], "")
	}
	if strings.ContainsFunc(s, isControl) {
		s = strings.Map(func(r rune) rune {
			if isControl(r) {
				return -1
			}
			return r
		}, s)
	}
	return s
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// Call is a call at the door, as far as the fleet wants to know it.
type Call struct {
	At         time.Time
	Claim      Claim
	Registered bool // the credential was the agent's own
	Decision   string
	Run        activity.RunID
	Step       activity.StepID
	Model      string
	Tool       string
	Upstream   string
	Policies   []string
	Delegates  []string // agents it acts for
}

// Saw takes in a call at the door. It never waits: when calls come faster than
// they are taken in they are counted and dropped, since the steps of the same
// calls come through Observe as well.
func (f *Fleet) Saw(c Call) {
	select {
	case f.calls <- c:
	default:
		f.dropped.Add(1)
	}
}

// Decided is Saw for a decision's record.
func (f *Fleet) Decided(d *activity.Decision) {
	c := Call{
		At:         time.Unix(0, d.At),
		Claim:      Claim{Team: d.Team, Environment: d.Environment, Name: d.Agent},
		Registered: d.Registered, Decision: d.ID, Model: d.Model, Tool: d.Tool, Upstream: d.Upstream, Delegates: d.Chain, Run: d.Run, Step: d.Step,
	}
	for _, p := range d.Policies {
		c.Policies = append(c.Policies, p.Policy)
	}
	f.Saw(c)
}

// saw is the part of Saw that runs in Run.
func (f *Fleet) saw(call Call) {
	if call.Claim.Name == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := call.Claim
	c := f.claims[key]
	if c == nil {
		if c = f.make(key); c == nil {
			return
		}
	}
	at := call.At.UnixNano()
	if c.first == 0 || at < c.first {
		c.first = at
	}
	c.seenAt = max(c.seenAt, at)
	c.places |= placeDoor
	c.dirty, c.explicit = true, true
	if call.Registered { // its steps come through Observe too
		c.places |= placeProven
	} else {
		c.seen++
		c.pending++
	}
	f.called(c, &call, at)
	if !c.works {
		c.works, f.fresh = true, true
		c.run, c.step = runText(call.Run), stepText(call.Step)
	}
}

// called notes what a call at the door used. Models and tools come through
// Observe with the step of the same call; what only the door knows is noted
// here.
func (f *Fleet) called(c *claim, call *Call, at int64) {
	if !call.Run.IsZero() {
		c.lastRun = call.Run
	}
	c.use(KindServer, call.Upstream, "", at, call.Run, 1)
	if it := c.items[itemKey{KindTool, call.Tool}]; it != nil && call.Upstream != "" && it.detail != call.Upstream {
		it.detail, it.dirty = strings.Clone(cutWord(call.Upstream)), true // the door knows a tool's server; steps seldom name it
	}
	for _, p := range call.Policies {
		c.use(KindPolicy, p, "", at, call.Run, 1)
	}
	for _, d := range call.Delegates {
		if it := c.use(KindPeer, d, ActsFor, at, call.Run, 1); it != nil {
			it.detail = ActsFor
		}
	}
}

func stepText(id activity.StepID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// settle brings a claim's match up to date. A service that nobody named as an
// agent, and that hosts one that was named, is that agent: its other steps just
// do not repeat the name.
func (f *Fleet) settle(c *claim, gen uint64) {
	if gen += f.rehost; c.matched && c.gen == gen {
		return
	}
	c.match, c.gen, c.matched, c.part = f.match.Match(c.Claim), gen, true, false
	if c.places&placeProven != 0 {
		if _, ok := f.o.Agents.Lookup(c.Name); ok {
			c.match = Match{Agent: c.Name, Rule: ByCredential, Why: "it showed a credential of the agent at the door"}
		}
	}
	if c.explicit || c.match.Agent != "" {
		return
	}
	host, ok := f.hosts[place{c.Team, c.Environment, c.Service}]
	switch {
	case !ok:
	case host == "":
		c.part = true
		c.match.Why = "its service hosts several agents, and its steps name none"
	default:
		c.part = true
		named := c.Claim
		named.Name, named.AgentID = host, ""
		if m := f.match.Match(named); m.Agent != "" {
			c.match = Match{Agent: m.Agent, Rule: ByService, Why: "matched by its service, which hosts " + host}
		}
	}
}

// sighting tells the register that an agent works.
func (f *Fleet) sighting(c *claim) {
	c.told = c.match.Agent
	if c.match.Agent != "" {
		f.o.Agents.Seen(agent.Sighting{Agent: c.match.Agent, At: time.Unix(0, c.seenAt)})
	}
}
