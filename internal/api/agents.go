package api

import (
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
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
	Contain(ctx context.Context, who agent.Actor, name, level string, till time.Time, reason string) (*agent.Agent, error)
	Release(ctx context.Context, who agent.Actor, name, reason string) (*agent.Agent, error)
	Retire(ctx context.Context, who agent.Actor, name, reason string) (*agent.Agent, error)
	CreateKey(ctx context.Context, who agent.Actor, name string, n agent.NewKey) (k agent.Key, secret string, err error)
	Keys(ctx context.Context, who agent.Actor, name string) ([]agent.Key, error)
	RevokeKey(ctx context.Context, who agent.Actor, name, id, reason string) error
	Leaked(ctx context.Context, text string) (died bool, err error)
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

func agentOf(list Agents, a *agent.Agent, now time.Time) *client.Agent {
	out := &client.Agent{
		Name: a.Name, Team: a.Team, Owner: a.Owner, Sponsor: a.Sponsor, Purpose: a.Purpose, Kind: a.Kind, Environment: a.Environment, Mode: a.Mode,
		DataClasses: append([]string{}, a.DataClasses...), Labels: map[string]string{}, Task: a.Task, Lifecycle: a.Lifecycle, Autonomy: a.Autonomy,
		Containment: a.Contained(now), Enforcement: a.Enforcement, Content: a.Content, Aliases: []client.AgentAlias{}, Origin: a.Origin,
		Version: a.Version, Standard: []client.StandardBreak{}, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
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
		return nil, nil, fault.New(fault.KindNotFound, "agent.not_found", "there is no such agent").WithHint("GET %s/agents lists them", Prefix)
	}
	return all, found, nil
}

func listAgents(a *API, ctx context.Context, req *client.ListAgentsRequest) (*client.List[client.Agent], error) {
	all, err := a.agents()
	if err != nil {
		return nil, err
	}
	who, limit, now := whoOf(ctx), orDefault(req.Limit, 200), a.o.Now()
	out := &client.List[client.Agent]{Items: []client.Agent{}}
	for _, g := range all.List() {
		if g.Name <= req.Cursor || req.Team != "" && g.Team != req.Team || req.Lifecycle != "" && g.Lifecycle != req.Lifecycle ||
			req.Contained && g.Contained(now) == agent.None || !who.Can(identity.Viewer, g.Team, g.Environment) {
			continue
		}
		if len(out.Items) == limit {
			out.Next = out.Items[limit-1].Name
			break
		}
		out.Items = append(out.Items, *agentOf(all, g, now))
	}
	return out, nil
}

func getAgent(a *API, ctx context.Context, req *client.AgentRequest) (*client.Agent, error) {
	all, found, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return agentOf(all, found, a.o.Now()), nil
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
	return agentOf(all, made, a.o.Now()), nil
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
	out.Key = secret
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
	_, err = all.Leaked(ctx, req.Key)
	return &struct{}{}, err
}
