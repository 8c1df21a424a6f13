package api

import (
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/identity"
)

// Fleet is the agents as they are observed; *fleet.Fleet is one.
type Fleet interface {
	Unknowns(state string) []fleet.Unknown
	Unknown(id string) (fleet.Unknown, bool)
	Register(ctx context.Context, who agent.Actor, id string, n agent.Agent, reason string) (*agent.Agent, error)
	Merge(ctx context.Context, who agent.Actor, id, into, reason string) (fleet.Unknown, error)
	Block(ctx context.Context, who agent.Actor, id, reason string) (fleet.Unknown, error)
	Dismiss(ctx context.Context, who agent.Actor, id, reason string) (fleet.Unknown, error)
	Undo(ctx context.Context, who agent.Actor, id, reason string) (fleet.Unknown, error)
	Adopt(ctx context.Context, who agent.Actor, ids []string, see func(fleet.Unknown) bool, homeless string, n agent.Agent, reason string) ([]fleet.Adopted, error)
	Match(c fleet.Claim) fleet.Match
	Claims(agent string) []fleet.Seen
	Inventory(ctx context.Context, a *agent.Agent, from, to time.Time) (fleet.Inventory, error)
	Diff(ctx context.Context, a *agent.Agent, from, to time.Time, days int) ([]fleet.Change, error)
	Approve(ctx context.Context, who agent.Actor, a *agent.Agent, kind, name string, known bool, reason string) error
	Versions(ctx context.Context, agent string) ([]fleet.Version, error)
	ApproveVersion(ctx context.Context, who agent.Actor, a *agent.Agent, hash, reason string) (fleet.Version, error)
	Standard() *fleet.Standard
	Uses(ctx context.Context, from, to time.Time) ([]fleet.Use, error)
	Judge() func(*agent.Agent) []fleet.Break
	Conformance(see func(*agent.Agent) bool) []fleet.Conformance
	Waivers() []fleet.Waiver
	Waive(ctx context.Context, who agent.Actor, a *agent.Agent, rule string, till time.Time, reason string) (fleet.Waiver, error)
	Unwaive(ctx context.Context, who agent.Actor, a *agent.Agent, rule, reason string) error
	Presence() map[string]fleet.Presence
	Reads(since time.Time) map[fleet.AgentKey][]string
	Aliases(agent string) []string
	Canonical(alias string) string
	NameState(team, environment, name string) (state, agent string)
}

func (a *API) fleet() (Fleet, error) {
	if a.o.Fleet == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server does not observe agents")
	}
	return a.o.Fleet, nil
}

// mayName drops the agents that the caller may not know to exist.
func (a *API) mayName(who identity.Principal, names []string) []string {
	return slices.DeleteFunc(append([]string{}, names...), func(n string) bool {
		team, environment, ok := "", "", false
		if a.o.Agents != nil {
			var g *agent.Agent
			if g, ok = a.o.Agents.Lookup(n); ok {
				team, environment = g.Team, g.Environment
			}
		}
		return !ok || !who.Can(identity.Viewer, team, environment)
	})
}

func claimOf(c fleet.Claim) client.AgentClaim {
	return client.AgentClaim{Team: c.Team, Environment: c.Environment, Name: c.Name, AgentID: c.AgentID, Service: c.Service}
}

func (a *API) unknownOf(who identity.Principal, u fleet.Unknown) client.UnknownAgent {
	out := client.UnknownAgent{
		ID: u.ID, Name: u.Name, Claims: []client.AgentClaim{}, Team: u.Team, Environment: u.Environment, Where: "telemetry", FirstSeen: u.FirstSeen,
		LastSeen: u.LastSeen, Seen: u.Seen, SeenSince: u.SeenSince, RunID: u.Run, StepID: u.Step, LastRunID: u.LastRun, Why: u.Why, Candidates: a.mayName(who, u.Candidates),
		Suggested: u.Suggested, State: u.State, Agent: u.Agent, DecidedBy: u.By, DecidedAt: optionalTime(u.DecidedAt), Reason: u.Reason, OpenedAt: u.OpenedAt,
	}
	switch {
	case u.Door && u.Telemetry:
		out.Where = "both"
	case u.Door:
		out.Where = "door"
	}
	if len(out.Candidates) < len(u.Candidates) {
		out.Why = "an agent that you may not see has this name"
	}
	for _, c := range u.Claims {
		out.Claims = append(out.Claims, claimOf(c))
	}
	return out
}

func seesUnknown(who identity.Principal, u fleet.Unknown) bool {
	return who.Can(identity.Viewer, u.Team, u.Environment)
}

var unknownStates = []string{"open", "registered", "merged", "blocked", "dismissed", "all"}

func listUnknownAgents(a *API, ctx context.Context, req *client.ListUnknownAgentsRequest) (*client.List[client.UnknownAgent], error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	state := req.State
	switch {
	case state == "":
		state = fleet.Open
	case !slices.Contains(unknownStates, state):
		return nil, fault.New(fault.KindInvalid, "api.invalid", "state is %q", clip(state, 40)).WithHint("open, registered, merged, blocked, dismissed or all")
	case state == "all":
		state = ""
	}
	who, limit := whoOf(ctx), orDefault(req.Limit, 200)
	out := &client.List[client.UnknownAgent]{Items: []client.UnknownAgent{}}
	list := slices.DeleteFunc(all.Unknowns(state), func(u fleet.Unknown) bool {
		return !seesUnknown(who, u) || req.Team != "" && u.Team != req.Team
	})
	if req.Cursor != "" {
		// One that was decided meanwhile ends the page where it stood.
		if i := slices.IndexFunc(list, func(u fleet.Unknown) bool { return u.ID == req.Cursor }); i >= 0 {
			list = list[i+1:]
		}
	}
	for _, u := range list {
		if len(out.Items) == limit {
			out.Next = out.Items[limit-1].ID
			break
		}
		out.Items = append(out.Items, a.unknownOf(who, u))
	}
	return out, nil
}

// visibleUnknown finds an unknown agent that the caller may see.
func (a *API) visibleUnknown(ctx context.Context, id string) (Fleet, fleet.Unknown, error) {
	all, err := a.fleet()
	if err != nil {
		return nil, fleet.Unknown{}, err
	}
	u, ok := all.Unknown(id)
	if !ok || !seesUnknown(whoOf(ctx), u) {
		return nil, u, fault.New(fault.KindNotFound, "fleet.not_found", "there is no such unknown agent").WithHint("GET %s/unknown-agents lists them", Prefix)
	}
	return all, u, nil
}

func getUnknownAgent(a *API, ctx context.Context, req *client.UnknownAgentRequest) (*client.UnknownAgent, error) {
	_, u, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := a.unknownOf(whoOf(ctx), u)
	return &out, nil
}

func registerUnknownAgent(a *API, ctx context.Context, req *client.RegisterUnknownRequest) (*client.Agent, error) {
	all, u, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	agents, err := a.agents()
	if err != nil {
		return nil, err
	}
	n := agent.Agent{
		Name: req.Name, Team: req.Team, Environment: req.Environment, Owner: req.Owner, Sponsor: req.Sponsor, Purpose: req.Purpose, Kind: req.Kind,
		Mode: req.Mode, Autonomy: req.Autonomy, Enforcement: req.Enforcement, DataClasses: req.DataClasses, Labels: req.Labels,
	}
	if err := a.teamForAdoption(ctx, u.Team, &n); err != nil {
		return nil, err
	}
	made, err := all.Register(ctx, actorOf(ctx), req.ID, n, req.Reason)
	return a.agentOr(agents, made, err)
}

// teamForAdoption finds the team of an agent that came without one, as what is
// sent in dev mode does.
func (a *API) teamForAdoption(ctx context.Context, claimed string, n *agent.Agent) error {
	if claimed != "" {
		return nil // its key's team is there
	}
	if n.Team == "" && a.o.Dev {
		n.Team = "dev"
	}
	if n.Team == "" {
		return fault.New(fault.KindInvalid, "fleet.team", "it came without a team").WithHint("say which team answers for it")
	}
	return a.needTeam(ctx, whoOf(ctx), n.Team)
}

func (a *API) unknownOr(ctx context.Context, u fleet.Unknown, err error) (*client.UnknownAgent, error) {
	if err != nil {
		return nil, err
	}
	out := a.unknownOf(whoOf(ctx), u)
	return &out, nil
}

func mergeUnknownAgent(a *API, ctx context.Context, req *client.MergeUnknownRequest) (*client.UnknownAgent, error) {
	all, _, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.visible(ctx, req.Into); err != nil {
		return nil, err
	}
	u, err := all.Merge(ctx, actorOf(ctx), req.ID, req.Into, req.Reason)
	return a.unknownOr(ctx, u, err)
}

func blockUnknownAgent(a *API, ctx context.Context, req *client.UnknownReasonRequest) (*client.UnknownAgent, error) {
	all, _, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	u, err := all.Block(ctx, actorOf(ctx), req.ID, req.Reason)
	return a.unknownOr(ctx, u, err)
}

func dismissUnknownAgent(a *API, ctx context.Context, req *client.UnknownReasonRequest) (*client.UnknownAgent, error) {
	all, _, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	u, err := all.Dismiss(ctx, actorOf(ctx), req.ID, req.Reason)
	return a.unknownOr(ctx, u, err)
}

func undoUnknownAgent(a *API, ctx context.Context, req *client.UnknownReasonRequest) (*client.UnknownAgent, error) {
	all, _, err := a.visibleUnknown(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	u, err := all.Undo(ctx, actorOf(ctx), req.ID, req.Reason)
	return a.unknownOr(ctx, u, err)
}

func adoptAgents(a *API, ctx context.Context, req *client.AdoptAgentsRequest) (*client.Adoption, error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	agents, err := a.agents()
	if err != nil {
		return nil, err
	}
	if (len(req.IDs) > 0) == req.All {
		return nil, fault.New(fault.KindInvalid, "fleet.adopt", "say which: ids, or all")
	}
	if len(req.IDs) > 1000 {
		return nil, fault.New(fault.KindInvalid, "fleet.adopt", "at most 1000 at a time")
	}
	who, n := whoOf(ctx), agent.Agent{Owner: req.Owner, Sponsor: req.Sponsor, Purpose: req.Purpose}
	homeless := agent.Agent{Team: req.Team}
	if req.Team != "" || a.o.Dev {
		if err := a.teamForAdoption(ctx, "", &homeless); err != nil {
			return nil, err
		}
	}
	done, err := all.Adopt(ctx, actorOf(ctx), req.IDs, func(u fleet.Unknown) bool { return seesUnknown(who, u) }, homeless.Team, n, req.Reason)
	if err != nil && len(done) == 0 {
		return nil, err
	}
	out := &client.Adoption{Adopted: []client.Agent{}, Skipped: []client.SkippedAdoption{}}
	for _, d := range done {
		if d.Agent != nil {
			out.Adopted = append(out.Adopted, *agentOf(agents, d.Agent, a.o.Now()))
			continue
		}
		f := fault.From(d.Err)
		out.Skipped = append(out.Skipped, client.SkippedAdoption{ID: d.Unknown.ID, Name: d.Unknown.Name, Code: f.Code, Why: f.Message})
	}
	return out, nil
}

func matchAgent(a *API, ctx context.Context, req *client.MatchAgentRequest) (*client.AgentMatch, error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	if req.Name == "" && req.AgentID == "" && req.Service == "" {
		return nil, fault.New(fault.KindInvalid, "fleet.match", "say a name, an agent_id or a service")
	}
	if !whoOf(ctx).Can(identity.Viewer, req.Team, req.Environment) {
		return nil, fault.New(fault.KindDenied, "fleet.denied", "this needs the role viewer for team %q in %q", clip(req.Team, 64), clip(req.Environment, 64))
	}
	c := fleet.Claim{Team: req.Team, Environment: req.Environment, Name: req.Name, AgentID: req.AgentID, Service: req.Service}
	return a.matchOf(whoOf(ctx), fleet.Seen{Claim: c, Match: all.Match(c)}), nil
}

func (a *API) matchOf(who identity.Principal, s fleet.Seen) *client.AgentMatch {
	m := &client.AgentMatch{
		Claim: claimOf(s.Claim), Agent: s.Match.Agent, Rule: s.Match.Rule, Why: s.Match.Why, Candidates: a.mayName(who, s.Match.Candidates),
		FirstSeen: optionalTime(s.FirstSeen), LastSeen: optionalTime(s.LastSeen), Seen: s.Seen,
	}
	if m.Agent != "" && len(a.mayName(who, []string{m.Agent})) == 0 {
		m.Agent, m.Rule = "", ""
	}
	if m.Agent != s.Match.Agent || len(m.Candidates) < len(s.Match.Candidates) {
		m.Why = "an agent that you may not see has this name"
	}
	return m
}

func listAgentClaims(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentMatch], error) {
	if _, _, err := a.visible(ctx, req.Name); err != nil {
		return nil, err
	}
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	out := &client.List[client.AgentMatch]{Items: []client.AgentMatch{}}
	for _, s := range all.Claims(req.Name) {
		out.Items = append(out.Items, *a.matchOf(whoOf(ctx), s))
	}
	return out, nil
}
