package fleet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// house is a fleet over a real register and database, with a clock that the
// test moves and a door that only remembers.
type house struct {
	*Fleet
	t      *testing.T
	db     *control.DB
	agents *agent.Registry
	door   *door
	file   string
	rules  *Standard // nil: the default

	mu     sync.Mutex
	now    time.Time
	cursor uint64
	spans  byte
}

type door struct {
	stops map[string]string // id -> name
	fail  error
}

func (d *door) StopName(_ context.Context, _, name, _ string) (string, error) {
	if d.fail != nil {
		return "", d.fail
	}
	id := fmt.Sprintf("stp_%d", len(d.stops)+1)
	d.stops[id] = name
	return id, nil
}

func (d *door) LiftStop(_ context.Context, _, id, _ string) error {
	delete(d.stops, id)
	return nil
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, door: &door{stops: map[string]string{}}, file: filepath.Join(t.TempDir(), "control.db"), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	h.start()
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), h.db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func bench(b *testing.B) *Fleet {
	db, err := controltest.Open(b.Context(), filepath.Join(b.TempDir(), "control.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	agents, err := agent.New(b.Context(), agent.Options{DB: db})
	if err != nil {
		b.Fatal(err)
	}
	f, err := New(b.Context(), Options{DB: db, Agents: agents})
	if err != nil {
		b.Fatal(err)
	}
	return f
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.db, err = controltest.Open(h.t.Context(), h.file); err != nil {
		h.t.Fatal(err)
	}
	var f *Fleet
	h.agents, err = agent.New(h.t.Context(), agent.Options{
		DB: h.db, Now: h.clock, Changed: func(before, after *agent.Agent) { f.Changed(before, after) },
		Permit: func(before, after *agent.Agent) error { return f.Permit(before, after) }, PermitKey: func(a *agent.Agent, life time.Duration) error { return f.PermitKey(a, life) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if f, err = New(h.t.Context(), Options{DB: h.db, Agents: h.agents, Stops: h.door, Now: h.clock, Standard: h.rules}); err != nil {
		h.t.Fatal(err)
	}
	h.Fleet = f
}

func (h *house) restart() {
	h.t.Helper()
	if err := h.db.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// as is an actor with roles for the team core in every environment.
func as(roles ...string) agent.Actor {
	return agent.Actor{Person: "prs_1", Name: "ann", Can: func(r, team, _ string) bool { return slices.Contains(roles, r) && team == "core" }}
}

var dev = as("developer")

// said is a step by which an agent names itself.
func (h *house) said(edit func(*activity.Step)) activity.Step {
	h.spans++
	s := activity.Step{Revision: 1, Team: "core"}
	s.Run, s.Step = activity.RunOfKey(fmt.Sprint(h.spans)), activity.StepOfKey(fmt.Sprint(h.spans))
	s.Kind, s.Agent, s.AgentExplicit, s.Service, s.Environment = activity.KindAgent, "Refund Agent", true, "refunds", "production"
	s.Start = h.clock().UnixNano()
	edit(&s)
	return s
}

func (h *house) observe(steps ...activity.Step) {
	h.cursor++
	h.Observe(&telemetry.Write{Cursor: h.cursor, Received: h.clock().UnixNano(), Steps: steps})
}

func (h *house) named(name string) activity.Step {
	return h.said(func(s *activity.Step) { s.Agent = name })
}

func (h *house) flushed() {
	h.t.Helper()
	if err := h.flush(h.t.Context(), true); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) register(name string, edit func(*agent.Agent)) *agent.Agent {
	h.t.Helper()
	n := agent.Agent{Name: name, Team: "core", Purpose: "tests"}
	if edit != nil {
		edit(&n)
	}
	a, err := h.agents.Create(h.t.Context(), dev, n, "new")
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) only(state string) Unknown {
	h.t.Helper()
	list := h.Unknowns(state)
	if len(list) != 1 {
		h.t.Fatalf("%d unknown agents are %s, want 1: %+v", len(list), state, list)
	}
	return list[0]
}

func (h *house) none(state string) {
	h.t.Helper()
	if list := h.Unknowns(state); len(list) != 0 {
		h.t.Errorf("unknown agents are %s: %+v", state, list)
	}
}

func (h *house) want(what string, err error, want string) {
	h.t.Helper()
	got := ""
	if err != nil {
		got = fault.From(err).Code
	}
	if got != want {
		h.t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

func TestUnknownAgentIsFoundAndRegistered(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.named("Refund Agent")
	h.observe(first, h.named("Refund Agent"))
	h.flushed()
	u := h.only(Open)
	if u.Name != "Refund Agent" || u.Team != "core" || u.Run != first.Run.String() || u.Step != first.Step.String() || u.Seen != 2 || !u.Telemetry || u.Door {
		t.Errorf("found %+v", u)
	}
	for _, name := range []string{"after a restart", "the same"} {
		h.restart()
		if got := h.only(Open); got.Seen != 2 || got.Run != u.Run || !got.FirstSeen.Equal(u.FirstSeen) || !got.OpenedAt.Equal(u.OpenedAt) {
			t.Errorf("%s: %+v, want %+v", name, got, u)
		}
	}
	a, err := h.Register(t.Context(), dev, u.ID, agent.Agent{}, "ours")
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "refund-agent" || a.Enforcement != agent.Observe || a.Lifecycle != agent.Pilot || a.Origin != agent.OriginAdopted ||
		!slices.Contains(a.Aliases, agent.Alias{Kind: "name", Value: "Refund Agent"}) {
		t.Errorf("registered %+v", a)
	}
	h.none(Open)
	if got := h.only(Registered); got.Agent != "refund-agent" || got.By != "ann" || got.Reason != "ours" {
		t.Errorf("decided %+v", got)
	}
	claims := h.Claims("refund-agent")
	if len(claims) != 1 || claims[0].Match.Why != "matched by alias name=Refund Agent" || claims[0].Seen != 2 {
		t.Errorf("claims %+v", claims)
	}
	h.flushed()
	if got := h.agents.LastSeen("refund-agent"); got.IsZero() {
		t.Error("the register does not know that it works")
	}
	// Undone, it is unknown again; the name is spent.
	if _, err := h.Undo(t.Context(), dev, u.ID, "a mistake"); err != nil {
		t.Fatal(err)
	}
	if got, _ := h.agents.Lookup("refund-agent"); got.Lifecycle != agent.Retired {
		t.Errorf("withdrawn agent is %s", got.Lifecycle)
	}
	h.restart()
	got := h.only(Open)
	if again, _ := h.Unknown(got.ID); again.Suggested != "refund-agent-2" {
		t.Errorf("suggests %q", again.Suggested)
	}
	if _, err := h.Register(t.Context(), dev, u.ID, agent.Agent{Enforcement: agent.Enforce}, ""); err != nil {
		t.Error(err)
	}
	h.none(Open)
}

func TestWhatIsNoAgentIsNotFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("billing", nil)
	h.observe(
		h.said(func(s *activity.Step) {
			s.Agent, s.Service, s.AgentExplicit, s.Kind = "web-shop", "web-shop", false, activity.KindHTTP
		}), // a service that sends spans
		h.said(func(s *activity.Step) { s.Agent = "" }),
		h.named("billing"),
	)
	h.flushed()
	h.none("")
	h.observe(h.said(func(s *activity.Step) {
		s.Agent, s.Service, s.AgentExplicit, s.Kind = "web-shop", "web-shop", false, activity.KindModel
	}))
	h.flushed()
	h.none(Open) // the span that names its agent may still come
	h.pass(25 * time.Second)
	h.flushed()
	if u := h.only(Open); u.Name != "web-shop" || u.Seen != 2 {
		t.Errorf("a service that calls a model: %+v", u)
	}
}

// Spans of one service name their agent on the root only, which comes last.
func TestServiceOfANamedAgentIsThatAgent(t *testing.T) {
	t.Parallel()
	h := open(t)
	bare := func(s *activity.Step) {
		s.Agent, s.Service, s.AgentExplicit, s.Kind, s.Model = "refunds", "refunds", false, activity.KindModel, "gpt-4o"
	}
	h.observe(h.said(bare))
	h.flushed()
	h.pass(5 * time.Second)
	h.observe(h.said(func(s *activity.Step) { s.Agent, s.Service = "refund", "refunds" }))
	h.pass(25 * time.Second)
	h.flushed()
	u := h.only(Open)
	if u.Name != "refund" {
		t.Fatalf("unknown: %+v", u)
	}
	a, err := h.Register(t.Context(), dev, u.ID, agent.Agent{}, "")
	if err != nil {
		t.Fatal(err)
	}
	h.flushed()
	h.none(Open)
	inv, err := h.Inventory(t.Context(), a, time.Time{}, time.Time{})
	if err != nil || len(inv.Parts) != 1 || inv.Parts[0].Name != "gpt-4o" {
		t.Errorf("the model that its service called is not in its inventory: %+v, %v", inv, err)
	}
	if c := h.Claims("refund"); len(c) != 2 || c[1].Match.Why+c[0].Match.Why != "matched by its registered name"+"matched by its service, which hosts refund" && c[0].Match.Why+c[1].Match.Why != "matched by its registered name"+"matched by its service, which hosts refund" {
		t.Errorf("claims %+v", c)
	}
	// A second agent in the service: nobody knows whose the bare steps are.
	h.observe(h.said(func(s *activity.Step) { s.Agent, s.Service = "search", "refunds" }))
	h.flushed()
	if u := h.only(Open); u.Name != "search" {
		t.Errorf("unknown: %+v", u)
	}
	if inv, err = h.Inventory(t.Context(), a, time.Time{}, time.Time{}); err != nil || len(inv.Parts) != 0 {
		t.Errorf("with two agents in the service: %+v, %v", inv, err)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", func(a *agent.Agent) {
		a.Aliases = []agent.Alias{{Kind: "name", Value: "Refund Bot"}, {Kind: "agent_id", Value: "asst_1"}, {Kind: "service", Value: "refunds"}}
	})
	h.register("search", func(a *agent.Agent) { a.Environment = "staging" })
	h.register("gone", nil)
	if _, err := h.agents.Retire(t.Context(), as("security"), "gone", "done"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		claim Claim
		want  Match
	}{
		"the name itself":        {Claim{Name: "refund"}, Match{"refund", ByName, "matched by its registered name", nil}},
		"an alias":               {Claim{Name: "Refund Bot"}, Match{"refund", ByAlias, "matched by alias name=Refund Bot", nil}},
		"an agent id":            {Claim{Name: "anything", AgentID: "asst_1"}, Match{"refund", ByAgentID, "matched by alias agent_id=asst_1", nil}},
		"a service":              {Claim{Name: "worker", Service: "refunds"}, Match{"refund", ByService, "matched by alias service=refunds", nil}},
		"a name before service":  {Claim{Name: "search", Environment: "staging", Service: "refunds"}, Match{"search", ByName, "matched by its registered name", nil}},
		"no team: dev mode":      {Claim{Team: "-", Name: "refund", Environment: "x"}, Match{"refund", ByName, "matched by its registered name", nil}},
		"id and name disagree":   {Claim{Name: "search", Environment: "staging", AgentID: "asst_1"}, Match{Why: "its agent id is that of refund, its name that of search", Candidates: []string{"refund", "search"}}},
		"another team":           {Claim{Team: "shop", Name: "refund"}, Match{Why: "the agent of this name belongs to team core, and this comes with a credential of shop", Candidates: []string{"refund"}}},
		"another team's alias":   {Claim{Team: "shop", Name: "Refund Bot"}, Match{Why: "nobody registered it"}},
		"another environment":    {Claim{Name: "search", Environment: "production"}, Match{Why: "the agent of this name is registered for staging, and this comes from production", Candidates: []string{"search"}}},
		"a retired agent":        {Claim{Name: "gone"}, Match{Why: "the agent of this name is retired", Candidates: []string{"gone"}}},
		"spelt otherwise":        {Claim{Name: "RefundAgent_v2"}, Match{Why: "nobody registered it under this name", Candidates: []string{"refund"}}},
		"spelt as another team":  {Claim{Team: "shop", Name: "RefundAgent"}, Match{Why: "nobody registered it"}},
		"nobody":                 {Claim{Name: "weather"}, Match{Why: "nobody registered it"}},
		"nothing but an id":      {Claim{AgentID: "asst_9"}, Match{Why: "nobody registered it"}},
		"a name of empty words":  {Claim{Name: "the agent"}, Match{Why: "nobody registered it"}},
		"letters of other lands": {Claim{Name: "返金エージェント"}, Match{Why: "nobody registered it"}},
	} {
		switch c.claim.Team {
		case "":
			c.claim.Team = "core"
		case "-":
			c.claim.Team = ""
		}
		got := h.Match(c.claim)
		if got.Agent != c.want.Agent || got.Rule != c.want.Rule || got.Why != c.want.Why || !slices.Equal(got.Candidates, c.want.Candidates) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", nil)
	h.observe(h.named("refund_v2"), h.said(func(s *activity.Step) { s.Agent, s.AgentID = "", "asst_7" }))
	h.flushed()
	list := h.Unknowns(Open)
	if len(list) != 2 {
		t.Fatalf("unknown: %+v", list)
	}
	for _, u := range list {
		if u.Name == "refund_v2" && !slices.Equal(u.Candidates, []string{"refund"}) {
			t.Errorf("candidates %v", u.Candidates)
		}
		if _, err := h.Merge(t.Context(), dev, u.ID, "refund", "same code"); err != nil {
			t.Fatal(err)
		}
	}
	h.none(Open)
	a, _ := h.agents.Lookup("refund")
	if len(a.Aliases) != 2 || len(h.Claims("refund")) != 2 {
		t.Errorf("aliases %v, claims %+v", a.Aliases, h.Claims("refund"))
	}
	h.restart()
	for _, u := range h.Unknowns(Merged) {
		if _, err := h.Undo(t.Context(), dev, u.ID, "not the same"); err != nil {
			t.Fatal(err)
		}
	}
	if a, _ := h.agents.Lookup("refund"); len(a.Aliases) != 0 || len(h.Unknowns(Open)) != 2 {
		t.Errorf("split: aliases %v, open %+v", a.Aliases, h.Unknowns(Open))
	}
	// An alias that goes away by hand opens the finding again, by itself.
	u := h.Unknowns(Open)[0]
	if _, err := h.Merge(t.Context(), dev, u.ID, "refund", "again"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.agents.Update(t.Context(), dev, "refund", agent.Change{Aliases: &[]agent.Alias{}}); err != nil {
		t.Fatal(err)
	}
	h.flushed()
	if got, _ := h.Unknown(u.ID); got.State != Open || got.Agent != "" {
		t.Errorf("without its alias: %+v", got)
	}
	// And a registration by hand closes one.
	h.register("refund_v2", nil)
	h.flushed()
	if got := h.only(Registered); got.Agent != "refund_v2" || got.By != "reeve" {
		t.Errorf("registered by hand: %+v", got)
	}
	_, err := h.Undo(t.Context(), dev, h.only(Registered).ID, "x")
	h.want("undoing what the register says", err, "fleet.state")
}

func TestBlock(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", nil)
	h.observe(h.named("rogue"), h.said(func(s *activity.Step) { s.Agent, s.Team = "refund", "shop" }))
	h.flushed()
	var u, double Unknown
	for _, one := range h.Unknowns(Open) {
		if one.Name == "rogue" {
			u = one
		} else {
			double = one
		}
	}
	all := agent.Actor{Name: "ann", Can: func(string, string, string) bool { return true }}
	_, err := h.Block(t.Context(), dev, u.ID, "odd")
	h.want("a developer blocks", err, "fleet.denied")
	_, err = h.Block(t.Context(), all, u.ID, " ")
	h.want("without a reason", err, "fleet.reason")
	_, err = h.Block(t.Context(), all, double.ID, "odd")
	h.want("a registered agent's name", err, "fleet.block")
	h.door.fail = errors.New("no door")
	if _, err = h.Block(t.Context(), all, u.ID, "odd"); err == nil {
		t.Error("blocked without a stop")
	}
	h.door.fail = nil
	if got, _ := h.Unknown(u.ID); got.State != Open || len(h.door.stops) != 0 {
		t.Errorf("after refusals: %+v, stops %v", got, h.door.stops)
	}
	if _, err := h.Block(t.Context(), as("responder"), u.ID, "odd"); err != nil {
		t.Fatal(err)
	}
	if h.door.stops["stp_1"] != "rogue" {
		t.Errorf("stops %v", h.door.stops)
	}
	h.restart()
	h.observe(h.named("rogue"))
	h.flushed()
	if got := h.only(Blocked); got.Seen != 2 {
		t.Errorf("blocked and seen again: %+v", got)
	}
	_, err = h.Register(t.Context(), dev, u.ID, agent.Agent{}, "")
	h.want("registering what is blocked", err, "fleet.state")
	if _, err := h.Undo(t.Context(), as("responder"), u.ID, "harmless"); err != nil || len(h.door.stops) != 0 {
		t.Errorf("undone: %v, stops %v", err, h.door.stops)
	}
}

func TestAdoptAllAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.register("refund", nil)
	var steps []activity.Step
	for i := range 120 {
		steps = append(steps, h.named(fmt.Sprintf("Worker %d", i)))
	}
	steps = append(steps,
		h.named("worker-3"), // becomes the same agent as Worker 3
		h.named("Refund_Agent"),
		h.said(func(s *activity.Step) { s.Agent, s.Team = "other", "shop" }))
	h.observe(steps...)
	h.flushed()
	done, err := h.Adopt(t.Context(), dev, nil, func(Unknown) bool { return true }, "", agent.Agent{}, "start")
	if err != nil {
		t.Fatal(err)
	}
	skipped := map[string]string{}
	names := map[string]bool{}
	for _, d := range done {
		if d.Agent == nil {
			skipped[d.Unknown.Name] = fault.From(d.Err).Code
			continue
		}
		if names[d.Agent.Name] || d.Agent.Enforcement != agent.Observe {
			t.Errorf("adopted twice or enforced: %+v", d.Agent)
		}
		names[d.Agent.Name] = true
	}
	if len(names) != 120 || len(skipped) != 3 || skipped["worker-3"] != "agent.alias_taken" || skipped["Refund_Agent"] != "fleet.doubtful" || skipped["other"] != "agent.denied" {
		t.Errorf("%d adopted, skipped %v", len(names), skipped)
	}
	h.flushed()
	if n := len(h.Unknowns(Open)); n != 2 {
		t.Errorf("%d are still open", n)
	}
	_, err = h.Adopt(t.Context(), dev, []string{"unk_none"}, func(Unknown) bool { return true }, "", agent.Agent{}, "")
	h.want("adopting nobody", err, "fleet.not_found")
}

func TestDoorFindsUnknownAgents(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Decided(&activity.Decision{At: h.clock().UnixNano(), Agent: "stranger", Team: "core", Environment: "production", Run: activity.RunOfKey("r")})
	h.drain()
	h.flushed()
	if u := h.only(Open); !u.Door || u.Telemetry || u.Run != activity.RunOfKey("r").String() || u.Seen != 1 {
		t.Errorf("seen at the door: %+v", u)
	}
	for range queuedSaws + 10 { // nobody takes them in: none waits
		h.Saw(Call{Claim: Claim{Name: "x"}})
	}
	if h.dropped.Load() != 10 {
		t.Errorf("%d calls dropped", h.dropped.Load())
	}
}

func TestSendersThatInventNames(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 3 * maxOfName {
		h.observe(h.said(func(s *activity.Step) { s.AgentID = fmt.Sprint("copy-", i) }))
	}
	if n := len(h.claims); n != maxOfName+1 {
		t.Errorf("%d claims of one name", n)
	}
	h.observe(h.said(func(s *activity.Step) { s.Agent = "a\x00b\nc" + string(make([]byte, 4000)) }))
	for c := range h.claims {
		if len(c.Name) > maxWord || c.Name != cutWord(c.Name) {
			t.Errorf("kept %q", c.Name)
		}
	}
	h.flushed()
	if n := len(h.Unknowns(Open)); n != 2 {
		t.Errorf("%d unknown agents", n)
	}
}

// Counts are stored with the position up to which they count.
func TestCountsOnceAcrossCrashes(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.observe(h.named("a"), h.named("a"))
	h.flushed()
	h.observe(h.named("a"))
	if err := h.flush(t.Context(), false); err != nil { // not the counts
		t.Fatal(err)
	}
	h.restart() // as after a crash: what was counted since is read again
	if u := h.only(Open); u.Seen != 2 {
		t.Errorf("after a crash %d steps are counted, want the 2 behind the mark", u.Seen)
	}
	if m := h.mark[0]; m.cursor != 1 {
		t.Errorf("mark %+v", m)
	}
}
