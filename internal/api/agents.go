package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/identity"
)

// Agents is the register of agents; *agent.Registry is one.
type Agents interface {
	Lookup(name string) (*agent.Agent, bool)
	List() []*agent.Agent
	LastSeen(name string) time.Time
	Create(ctx context.Context, who agent.Actor, n agent.Agent, reason string) (*agent.Agent, error)
	Update(ctx context.Context, who agent.Actor, name string, c agent.Change) (*agent.Agent, error)
	Promote(ctx context.Context, who agent.Actor, name, to, reason string) (*agent.Agent, error)
	PromoteThrough(ctx context.Context, who agent.Actor, name, to, reason string, revision int64, version string, with func(tx *control.Tx) error) (*agent.Agent, error)
	MayPromote(who agent.Actor, name, to, reason string) error
	Contain(ctx context.Context, who agent.Actor, name, level string, till time.Time, reason string) (*agent.Agent, error)
	BreakGlass(ctx context.Context, who agent.Actor, name string, life time.Duration, reason string) (*agent.Agent, error)
	Release(ctx context.Context, who agent.Actor, name, reason string) (*agent.Agent, error)
	Pin(ctx context.Context, who agent.Actor, name string, p agent.Pin, reason string) (*agent.Agent, error)
	Unpin(ctx context.Context, who agent.Actor, name, kind, from, reason string) (*agent.Agent, error)
	Retire(ctx context.Context, who agent.Actor, name, reason string) (*agent.Agent, error)
	Merge(ctx context.Context, who agent.Actor, name, into, reason string) (merged, kept *agent.Agent, err error)
	Unmerge(ctx context.Context, who agent.Actor, name, reason string) (*agent.Agent, error)
	CreateKey(ctx context.Context, who agent.Actor, name string, n agent.NewKey) (k agent.Key, secret string, err error)
	Keys(ctx context.Context, who agent.Actor, name string) ([]agent.Key, error)
	RevokeKey(ctx context.Context, who agent.Actor, name, id, reason string) error
	Leaked(ctx context.Context, text string) (died bool, err error)
	Revisions(ctx context.Context, name string) ([]agent.Revision, error)
}

func (a *API) agents() (Agents, error) {
	if a.o.Agents == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no register of agents")
	}
	return a.o.Agents, nil
}

func actorOf(ctx context.Context) agent.Actor {
	who := whoOf(ctx)
	w := agent.Actor{Person: who.PersonID, Via: who.SignInID + who.TokenID, Name: who.Name, Can: func(role, team, environment string) bool {
		return who.Can(identity.Role(role), team, environment)
	}}
	if w.Person == "" {
		w.Person = who.Kind
	}
	if w.Name == "" {
		w.Name = who.Kind
	}
	return w
}

// marking fills in what is observed of agents.
type marking struct {
	judge    func(*agent.Agent) []fleet.Break // nil: nobody observes
	presence map[string]fleet.Presence
	now      time.Time
}

// marking looks once at what many agents are marked by.
func (a *API) marking() marking {
	m := marking{now: a.o.Now()}
	if a.o.Fleet != nil {
		m.judge, m.presence = a.o.Fleet.Judge(), a.o.Fleet.Presence()
	}
	return m
}

// agent is the shape of an agent with its marks.
func (m marking) agent(list Agents, g *agent.Agent) *client.Agent {
	out := agentOf(list, g, m.now)
	if m.judge == nil {
		return out
	}
	out.Standard = breaksOf(m.judge(g))
	out.Marks = []client.Mark{m.identity(g), standardMark(out.Standard, g), m.seen(g, out.LastSeen)}
	return out
}

func (m marking) identity(g *agent.Agent) client.Mark {
	switch p := m.presence[g.Name]; {
	case g.Lifecycle == agent.Retired:
		return client.Mark{Name: "identity", State: stateUnknown, Reason: "it is retired"}
	case p.Door:
		return client.Mark{Name: "identity", State: stateGood, Reason: "it showed a credential at the door"}
	case p.Telemetry:
		return client.Mark{Name: "identity", State: stateWarn, Reason: "its telemetry claims its name; it never showed a credential"}
	}
	return client.Mark{Name: "identity", State: stateUnknown, Reason: "it was never seen"}
}

func standardMark(breaks []client.StandardBreak, g *agent.Agent) client.Mark {
	out := client.Mark{Name: "standard", State: stateGood, Reason: "it keeps to the standard"}
	if g.Lifecycle == agent.Retired {
		out.State, out.Reason = stateUnknown, "it is retired"
	}
	for _, b := range breaks {
		state := stateWarn
		switch {
		case b.WaivedTill != nil:
			continue
		case b.Refused:
			state = stateBad
		}
		if badness(state) < badness(out.State) {
			out.State, out.Reason = state, b.Why
		}
	}
	return out
}

const (
	seenLately = 7 * 24 * time.Hour
	seenOnce   = 30 * 24 * time.Hour
)

func (m marking) seen(g *agent.Agent, last *time.Time) client.Mark {
	switch {
	case last == nil:
		return client.Mark{Name: "seen", State: stateUnknown, Reason: "it was never seen at work"}
	case g.Lifecycle == agent.Retired && last.After(g.UpdatedAt):
		return client.Mark{Name: "seen", State: stateBad, Reason: "it is retired and was seen at work"}
	case m.now.Sub(*last) > seenOnce:
		return client.Mark{Name: "seen", State: stateWarn, Reason: "last seen " + duration(float64(m.now.Sub(*last).Milliseconds())) + " ago"}
	case m.now.Sub(*last) > seenLately:
		return client.Mark{Name: "seen", State: stateUnknown, Reason: "last seen " + duration(float64(m.now.Sub(*last).Milliseconds())) + " ago"}
	}
	return client.Mark{Name: "seen", State: stateGood, Reason: "at work in the last days"}
}

// worst orders agents by what needs a person: contained first, then by marks.
func worst(a *client.Agent) int {
	n := 0
	if a.Containment != agent.None {
		n += 1000
	}
	for _, m := range a.Marks {
		switch m.State {
		case stateBad:
			n += 100
		case stateWarn:
			n += 10
		case stateUnknown:
			n++
		}
	}
	if a.Lifecycle == agent.Retired {
		n -= 500
	}
	return n
}

func agentOf(list Agents, a *agent.Agent, now time.Time) *client.Agent {
	out := &client.Agent{
		Name: a.Name, Team: a.Team, Owner: a.Owner, Sponsor: a.Sponsor, Purpose: a.Purpose, Kind: a.Kind, Environment: a.Environment, Mode: a.Mode,
		DataClasses: append([]string{}, a.DataClasses...), Labels: map[string]string{}, Task: a.Task, Lifecycle: a.Lifecycle, Autonomy: a.Autonomy,
		Containment: a.Contained(now), Enforcement: a.Enforcement, Content: a.Content, Aliases: []client.AgentAlias{}, Pins: []client.AgentPin{}, Origin: a.Origin, MergedInto: a.MergedInto,
		Version: a.Version, Standard: []client.StandardBreak{}, Marks: []client.Mark{}, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		LastSeen: optionalTime(list.LastSeen(a.Name)), Revision: a.Revision,
	}
	if out.Containment != agent.None {
		out.ContainedTill = optionalTime(a.ContainedTill)
	}
	if a.Enforced(now) {
		out.Enforcement = agent.Enforce
	} else {
		out.ObserveTill = optionalTime(a.ObserveTill)
	}
	for k, v := range a.Labels {
		out.Labels[k] = v
	}
	for _, p := range a.Pinned(now) {
		out.Pins = append(out.Pins, client.AgentPin{Kind: p.Kind, From: p.From, Value: p.Value, Until: optionalTime(p.Till), By: p.By, At: p.At, Reason: p.Reason})
	}
	for _, al := range a.Aliases {
		out.Aliases = append(out.Aliases, client.AgentAlias{Kind: al.Kind, Value: al.Value})
	}
	return out
}

func aliasesFrom(from []client.AgentAlias) []agent.Alias {
	var out []agent.Alias
	for _, al := range from {
		out = append(out, agent.Alias{Kind: al.Kind, Value: al.Value})
	}
	return out
}

func agentKeyOf(k agent.Key) client.AgentKey {
	out := client.AgentKey{
		ID: k.ID, Agent: k.Agent, Label: k.Label, Networks: []string{}, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
		LastUsed: optionalTime(k.LastUsed), RevokedAt: optionalTime(k.RevokedAt),
	}
	for _, n := range k.Networks {
		out.Networks = append(out.Networks, n.String())
	}
	return out
}

// visible finds an agent that the caller may see; to others it is not there.
func (a *API) visible(ctx context.Context, name string) (Agents, *agent.Agent, error) {
	all, err := a.agents()
	if err != nil {
		return nil, nil, err
	}
	found, ok := all.Lookup(name)
	if !ok || !whoOf(ctx).Can(identity.Viewer, found.Team, found.Environment) {
		return nil, nil, fault.New(fault.KindNotFound, "agent.not_found", "there is no such agent").WithHint("reeve agent list (GET %s/agents) lists them", Prefix)
	}
	return all, found, nil
}

func listAgents(a *API, ctx context.Context, req *client.ListAgentsRequest) (*client.List[client.Agent], error) {
	all, err := a.agents()
	if err != nil {
		return nil, err
	}
	who, limit, m := whoOf(ctx), orDefault(req.Limit, 200), a.marking()
	if !slices.Contains([]string{"", "name", "worst", "seen"}, req.Sort) {
		return nil, fault.New(fault.KindInvalid, "api.sort", "agents cannot be sorted by %s", clip(req.Sort, 50)).WithHint("name, worst or seen")
	}
	found := slices.DeleteFunc(all.List(), func(g *agent.Agent) bool {
		return !who.Can(identity.Viewer, g.Team, g.Environment) || !wantsAgent(req, g, m.now)
	})
	if req.Broken && m.judge != nil {
		found = slices.DeleteFunc(found, func(g *agent.Agent) bool {
			return !slices.ContainsFunc(m.judge(g), func(b fleet.Break) bool { return b.WaivedTill.IsZero() })
		})
	}
	if req.Sort == "worst" || req.Sort == "seen" {
		order := make(map[string]int64, len(found))
		for _, g := range found {
			if req.Sort == "worst" {
				order[g.Name] = int64(worst(m.agent(all, g)))
			} else {
				order[g.Name] = all.LastSeen(g.Name).UnixMicro()
			}
		}
		slices.SortStableFunc(found, func(x, y *agent.Agent) int { return cmp.Compare(order[y.Name], order[x.Name]) })
	}
	if req.Cursor != "" { // the last name of the page before
		if i := slices.IndexFunc(found, func(g *agent.Agent) bool { return g.Name == req.Cursor }); i >= 0 {
			found = found[i+1:]
		} else {
			found = slices.DeleteFunc(found, func(g *agent.Agent) bool { return g.Name <= req.Cursor })
		}
	}
	out := &client.List[client.Agent]{Items: []client.Agent{}}
	for _, g := range found[:min(len(found), limit)] {
		out.Items = append(out.Items, *m.agent(all, g))
	}
	if len(found) > limit {
		out.Next = found[limit-1].Name
	}
	return out, nil
}

// wantsAgent reports whether an agent fulfils the filters of a list.
func wantsAgent(req *client.ListAgentsRequest, g *agent.Agent, now time.Time) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	if !is(req.Team, g.Team) || !is(req.Lifecycle, g.Lifecycle) || !is(req.Environment, g.Environment) || !is(req.Origin, g.Origin) ||
		req.Contained && g.Contained(now) == agent.None || req.Observed && g.Enforced(now) {
		return false
	}
	if req.Query == "" {
		return true
	}
	q := strings.ToLower(req.Query)
	for _, text := range []string{g.Name, g.Owner, g.Purpose, g.Sponsor} {
		if strings.Contains(strings.ToLower(text), q) {
			return true
		}
	}
	for k, v := range g.Labels {
		if strings.Contains(strings.ToLower(k+"="+v), q) {
			return true
		}
	}
	return slices.ContainsFunc(g.Aliases, func(al agent.Alias) bool { return strings.Contains(strings.ToLower(al.Value), q) })
}

// getAgent answers also for a name that is an agent's alias, with that agent.
func getAgent(a *API, ctx context.Context, req *client.AgentRequest) (*client.Agent, error) {
	all, found, err := a.visible(ctx, req.Name)
	if err != nil && a.o.Fleet != nil {
		if name := a.o.Fleet.Canonical(req.Name); name != "" {
			all, found, err = a.visible(ctx, name)
		}
	}
	if err != nil {
		return nil, err
	}
	return a.marking().agent(all, found), nil
}

// needTeam refuses an agent of a team that is not there; who may make teams
// gets it made, as for intake keys.
func (a *API) needTeam(ctx context.Context, who identity.Principal, name string) error {
	teams, err := a.o.Identity.Teams(ctx)
	if err != nil || slices.ContainsFunc(teams, func(t identity.Team) bool { return t.Name == name }) {
		return err
	}
	if !who.Everywhere(identity.Admin) {
		return fault.New(fault.KindInvalid, "api.no_team", "there is no team %q", clip(name, 64)).WithHint("an administrator makes teams, under Settings, Teams")
	}
	_, err = a.o.Identity.CreateTeam(ctx, who, name, "")
	return err
}

func createAgent(a *API, ctx context.Context, req *client.CreateAgentRequest) (*client.Agent, error) {
	all, err := a.agents()
	if err != nil {
		return nil, err
	}
	if err := a.needTeam(ctx, whoOf(ctx), req.Team); err != nil {
		return nil, err
	}
	made, err := all.Create(ctx, actorOf(ctx), agent.Agent{
		Name: req.Name, Team: req.Team, Purpose: req.Purpose, Owner: req.Owner, Sponsor: req.Sponsor, Kind: req.Kind, Environment: req.Environment,
		Mode: req.Mode, Lifecycle: req.Lifecycle, Autonomy: req.Autonomy, Enforcement: req.Enforcement, Content: req.Content, Task: req.Task,
		DataClasses: req.DataClasses, Labels: req.Labels, Aliases: aliasesFrom(req.Aliases),
	}, req.Reason)
	return a.agentOr(all, made, err)
}

func (a *API) agentOr(all Agents, made *agent.Agent, err error) (*client.Agent, error) {
	if err != nil {
		return nil, err
	}
	return a.marking().agent(all, made), nil
}

func updateAgent(a *API, ctx context.Context, req *client.UpdateAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	c := agent.Change{
		Revision: req.Revision, Owner: req.Owner, Sponsor: req.Sponsor, Purpose: req.Purpose, Kind: req.Kind, Mode: req.Mode, Autonomy: req.Autonomy,
		Enforcement: req.Enforcement, Content: req.Content, Task: req.Task, DataClasses: req.DataClasses, Reason: req.Reason,
	}
	if req.Labels != nil {
		c.Labels = &req.Labels
	}
	if req.Aliases != nil {
		aliases := aliasesFrom(*req.Aliases)
		c.Aliases = &aliases
	}
	made, err := all.Update(ctx, actorOf(ctx), req.Name, c)
	return a.agentOr(all, made, err)
}

func promoteAgent(a *API, ctx context.Context, req *client.PromoteAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	if req.To == agent.Production {
		_, made, err := a.throughGate(ctx, req.Name, req.Reason, req.Ungated)
		return a.agentOr(all, made, err)
	}
	made, err := all.Promote(ctx, actorOf(ctx), req.Name, req.To, req.Reason)
	return a.agentOr(all, made, err)
}

func containAgent(a *API, ctx context.Context, req *client.ContainAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	var till time.Time
	if req.Until != nil {
		till = *req.Until
	}
	made, err := all.Contain(ctx, actorOf(ctx), req.Name, req.Containment, till, req.Reason)
	return a.agentOr(all, made, err)
}

func pinAgent(a *API, ctx context.Context, req *client.PinAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	p := agent.Pin{Kind: req.Kind, From: req.From, Value: req.Value}
	if req.Until != nil {
		p.Till = *req.Until
	}
	made, err := all.Pin(ctx, actorOf(ctx), req.Name, p, req.Reason)
	return a.agentOr(all, made, err)
}

func unpinAgent(a *API, ctx context.Context, req *client.UnpinAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.Unpin(ctx, actorOf(ctx), req.Name, req.Kind, req.From, req.Reason)
	return a.agentOr(all, made, err)
}

func releaseAgent(a *API, ctx context.Context, req *client.AgentReasonRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.Release(ctx, actorOf(ctx), req.Name, req.Reason)
	return a.agentOr(all, made, err)
}

func retireAgent(a *API, ctx context.Context, req *client.AgentReasonRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.Retire(ctx, actorOf(ctx), req.Name, req.Reason)
	return a.agentOr(all, made, err)
}

func mergeAgent(a *API, ctx context.Context, req *client.MergeAgentRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.visible(ctx, req.Into); err != nil {
		return nil, err
	}
	_, kept, err := all.Merge(ctx, actorOf(ctx), req.Name, req.Into, req.Reason)
	return a.agentOr(all, kept, err)
}

func unmergeAgent(a *API, ctx context.Context, req *client.AgentReasonRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.Unmerge(ctx, actorOf(ctx), req.Name, req.Reason)
	return a.agentOr(all, made, err)
}

func listAgentKeys(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentKey], error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	keys, err := all.Keys(ctx, actorOf(ctx), req.Name)
	return listOf(keys, err, agentKeyOf)
}

func createAgentKey(a *API, ctx context.Context, req *client.CreateAgentKeyRequest) (*client.AgentKey, error) {
	all, found, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	if found.Lifecycle == agent.Production {
		if err := a.fresh(ctx); err != nil {
			return nil, err
		}
	}
	d, err := life(req.ExpiresIn)
	if err != nil {
		return nil, err
	}
	k, secret, err := all.CreateKey(ctx, actorOf(ctx), req.Name, agent.NewKey{Label: req.Label, Networks: req.Networks, Life: d})
	if err != nil {
		return nil, err
	}
	out := agentKeyOf(k)
	out.Key, out.Secret = secret, secret
	return &out, nil
}

func revokeAgentKey(a *API, ctx context.Context, req *client.AgentKeyRequest) (*struct{}, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, all.RevokeKey(ctx, actorOf(ctx), req.Name, req.ID, "")
}

// leakedKey answers the same whether the key lived, so that it tells nobody
// which keys do.
func leakedKey(a *API, ctx context.Context, req *client.LeakedKeyRequest) (*struct{}, error) {
	all, err := a.agents()
	if err != nil {
		return nil, err
	}
	keys := []string{req.Key}
	for i, r := range req.Reported {
		if i == 0 {
			keys = keys[:0]
		}
		keys = append(keys, r.Token)
	}
	for _, key := range keys {
		died, err := all.Leaked(ctx, key)
		if err == nil && !died {
			_, err = a.o.Identity.Leaked(ctx, key)
		}
		if err != nil {
			return nil, err
		}
	}
	return &struct{}{}, nil
}
