package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/policy"
)

// Simulations tries policies on recorded decisions; *policy.Simulator is one.
type Simulations interface {
	Start(p policy.Plan) (policy.Simulation, error)
	Get(id, by string) (policy.Simulation, error)
	Wait(ctx context.Context, id, by string) (policy.Simulation, error)
	Shown(id, by, subject string) error
	Would(ctx context.Context, agent string, from, to time.Time, sees func(team, environment string) bool) (policy.WouldBe, error)
	Propose(ctx context.Context, agent, team string, from, to time.Time) (policy.Proposal, error)
}

func (a *API) simulations() (Simulations, error) {
	if a.o.Simulations == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no decisions")
	}
	return a.o.Simulations, nil
}

const (
	simulationWait = 3 * time.Second // how long an answer waits for its end
	maxSimulated   = 400             // days
	maxProposed    = 100
)

// pastPeriod is a period of recorded decisions; the last week unless it is said.
func (a *API) pastPeriod(from, to string) (f, t time.Time, err error) {
	f, t, err = a.period(from, to)
	if t.IsZero() {
		t = a.o.Now()
	}
	if f.IsZero() {
		f = t.Add(-7 * 24 * time.Hour)
	}
	if err == nil && t.Sub(f) > maxSimulated*24*time.Hour {
		err = fault.New(fault.KindInvalid, "api.period", "a period has at most %d days", maxSimulated)
	}
	return f, t, err
}

// propose reads policies as they would be. Who may not see a team's policies
// may not try on them either.
func (a *API) propose(ctx context.Context, all Policies, in []client.ProposedPolicy, plan *policy.Plan) error {
	if len(in) > maxProposed {
		return fault.New(fault.KindInvalid, "policy.invalid", "at most %d policies are tried at once", maxProposed)
	}
	for _, p := range in {
		old, ok := all.Get(p.Name)
		if ok && !seesPolicy(ctx, old.Team) {
			return noPolicy(p.Name)
		}
		if p.Delete {
			plan.Delete = append(plan.Delete, p.Name)
			continue
		}
		d := policy.Document{Name: p.Name, Team: p.Team, Guardrail: p.Guardrail, Observe: p.Mode == policy.ModeObserve, Cedar: p.Cedar}
		if ok && p.Cedar == "" { // another mode of the same text
			d.Cedar, d.Team, d.Guardrail = old.Cedar, old.Team, old.Guardrail
		}
		if p.Mode != "" && p.Mode != policy.ModeObserve && p.Mode != policy.ModeEnforce {
			return fault.New(fault.KindInvalid, "policy.invalid", "a mode is observe or enforce")
		}
		if !seesPolicy(ctx, d.Team) {
			return fault.New(fault.KindDenied, "policy.denied", "this needs the role viewer for team %s", clip(d.Team, 64)).WithHint("an admin can grant it")
		}
		plan.Documents = append(plan.Documents, d)
	}
	return nil
}

// sees is whose decisions the caller may see.
func sees(ctx context.Context) func(team, environment string) bool {
	who := whoOf(ctx)
	return func(team, environment string) bool { return who.Can(identity.Viewer, team, environment) }
}

func simulatePolicies(a *API, ctx context.Context, req *client.SimulateRequest) (*client.Simulation, error) {
	all, err := a.policies()
	if err != nil {
		return nil, err
	}
	plan := policy.Plan{Whole: req.Whole, Agent: req.Agent, Agents: map[string]string{}}
	if plan.From, plan.To, err = a.pastPeriod(req.From, req.To); err != nil {
		return nil, err
	}
	if err := a.propose(ctx, all, req.Policies, &plan); err != nil {
		return nil, err
	}
	for name, mode := range req.Agents {
		if _, _, err := a.visible(ctx, name); err != nil {
			return nil, err
		}
		if mode != policy.ModeObserve && mode != policy.ModeEnforce {
			return nil, fault.New(fault.KindInvalid, "policy.invalid", "a mode is observe or enforce")
		}
		plan.Agents[name] = mode
	}
	return a.simulate(ctx, plan)
}

// simulate starts a simulation and gives it as it is a moment later.
func (a *API) simulate(ctx context.Context, plan policy.Plan) (*client.Simulation, error) {
	sims, err := a.simulations()
	if err != nil {
		return nil, err
	}
	plan.By, plan.Sees = actor(ctx), sees(ctx)
	s, err := sims.Start(plan)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, simulationWait)
	defer cancel()
	if s, err = sims.Wait(wait, s.ID, plan.By); err != nil {
		return nil, err
	}
	return simulationOf(&s), nil
}

func getSimulation(a *API, ctx context.Context, req *client.SimulationRequest) (*client.Simulation, error) {
	sims, err := a.simulations()
	if err != nil {
		return nil, err
	}
	s, err := sims.Get(req.ID, actor(ctx))
	if err != nil {
		return nil, err
	}
	return simulationOf(&s), nil
}

func simulationOf(s *policy.Simulation) *client.Simulation {
	out := &client.Simulation{
		ID: s.ID, State: s.State, Error: s.Error, From: s.Plan.From.UTC(), To: s.Plan.To.UTC(), Until: s.Until.UTC(), Decisions: s.Decisions, Replayed: s.Replayed,
		NotKept: s.NotKept, Elsewhere: s.Elsewhere, Changed: s.Changed, Others: s.Others, Stricter: s.Stricter, Looser: s.Looser, Cut: s.Cut,
		Changes: groupsOf(s.Groups), MoreGroups: s.MoreGroups,
	}
	if whole := s.Plan.To.Sub(s.Plan.From); whole > 0 {
		out.Progress = min(1, max(0, float64(s.Until.Sub(s.Plan.From))/float64(whole)))
	}
	if s.State == policy.SimulationDone {
		out.Progress = 1
	}
	return out
}

func groupsOf(from []policy.Group) []client.ChangeGroup {
	out := []client.ChangeGroup{}
	for _, g := range from {
		out = append(out, client.ChangeGroup{
			Agent: g.Agent, Team: g.Team, Action: g.Action, Resource: g.Resource, Was: g.Was.String(), Becomes: g.Becomes.String(),
			Reason: client.Reason{Code: g.Reason.Code, Text: g.Reason.Text}, Count: g.Count, Examples: list(g.Examples), First: g.First, Last: g.Last,
		})
	}
	return out
}

func wouldRefuse(a *API, ctx context.Context, req *client.WouldRequest) (*client.WouldAnswer, error) {
	sims, err := a.simulations()
	if err != nil {
		return nil, err
	}
	from, to, err := a.pastPeriod(req.From, req.To)
	if err != nil {
		return nil, err
	}
	w, err := sims.Would(ctx, req.Agent, from, to, sees(ctx))
	if err != nil {
		return nil, err
	}
	return &client.WouldAnswer{From: from.UTC(), To: to.UTC(), Decisions: w.Decisions, Refused: w.Refused, Cut: w.Cut, Groups: groupsOf(w.Groups), More: w.More}, nil
}

// lastDays is the period that a preview of enforcing tries.
func (a *API) lastDays(days, without int) (from, to time.Time, err error) {
	days = cmp.Or(days, without)
	if days < 1 || days > maxSimulated/2 {
		return from, to, fault.New(fault.KindInvalid, "api.period", "a number of days is 1 to %d", maxSimulated/2)
	}
	to = a.o.Now()
	return to.Add(-time.Duration(days) * 24 * time.Hour), to, nil
}

// enforce shows what enforcing would refuse, or does it when that was shown.
func (a *API) enforce(ctx context.Context, req *client.EnforceRequest, plan policy.Plan, do func() error) (*client.EnforceAnswer, error) {
	sims, err := a.simulations()
	if err != nil {
		return nil, err
	}
	if req.Simulation == "" || req.Preview {
		if plan.From, plan.To, err = a.lastDays(req.Days, 7); err != nil {
			return nil, err
		}
		s, err := a.simulate(ctx, plan)
		return &client.EnforceAnswer{Simulation: s}, err
	}
	if err := sims.Shown(req.Simulation, actor(ctx), plan.Subject); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	return &client.EnforceAnswer{Enforced: true}, nil
}

func enforcePolicy(a *API, ctx context.Context, req *client.EnforceRequest) (*client.EnforceAnswer, error) {
	all, p, err := a.visiblePolicy(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	d := p.Document
	d.Observe = false
	plan := policy.Plan{Documents: []policy.Document{d}, Subject: policy.SubjectOf("policy", p.Name, p.Revision)}
	return a.enforce(ctx, req, plan, func() error {
		_, err := all.SetMode(ctx, policyActor(ctx), req.Name, policy.ModeEnforce, req.Reason)
		return err
	})
}

func enforceAgent(a *API, ctx context.Context, req *client.EnforceRequest) (*client.EnforceAnswer, error) {
	all, found, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	plan := policy.Plan{
		Agent: found.Name, Agents: map[string]string{found.Name: policy.ModeEnforce}, Subject: policy.SubjectOf("agent", found.Name, found.Revision),
	}
	return a.enforce(ctx, req, plan, func() error {
		mode := agent.Enforce
		_, err := all.Update(ctx, actorOf(ctx), req.Name, agent.Change{Revision: found.Revision, Enforcement: &mode, Reason: req.Reason})
		return err
	})
}

func proposePolicy(a *API, ctx context.Context, req *client.ProposePolicyRequest) (*client.PolicyProposal, error) {
	sims, err := a.simulations()
	if err != nil {
		return nil, err
	}
	_, found, err := a.visible(ctx, req.Agent)
	if err != nil {
		return nil, err
	}
	from, to, err := a.lastDays(req.Days, 30)
	if err != nil {
		return nil, err
	}
	p, err := sims.Propose(ctx, found.Name, found.Team, from, to)
	if err != nil {
		return nil, err
	}
	out := &client.PolicyProposal{
		Policy: client.ProposedPolicy{Name: p.Name, Team: p.Team, Mode: p.Mode(), Cedar: p.Cedar}, From: from.UTC(), To: to.UTC(),
		Decisions: p.Decisions, Unread: p.Unread, Cut: p.Cut, Used: []client.UsedResource{},
	}
	for _, u := range p.Used {
		out.Used = append(out.Used, client.UsedResource{Action: u.Action, Resource: u.Resource, Effects: list(u.Effects), Classes: list(u.Classes), Count: u.Count, Last: u.Last})
	}
	enforced := p.Document
	enforced.Observe = false
	before := policy.Plan{Documents: []policy.Document{enforced}, Agent: found.Name, From: from.Add(-to.Sub(from)), To: from}
	out.Simulation, err = a.simulate(ctx, before)
	return out, err
}

func breakGlass(a *API, ctx context.Context, req *client.BreakGlassRequest) (*client.Agent, error) {
	all, _, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	made, err := all.BreakGlass(ctx, actorOf(ctx), req.Name, time.Duration(req.Minutes)*time.Minute, req.Reason)
	return a.agentOr(all, made, err)
}

// askGuardrail asks a second person about what changes a guardrail.
func (a *API) askGuardrail(name string, becomes bool, reason, what string) *question {
	was := false
	if a.o.Policies != nil {
		if p, ok := a.o.Policies.Get(name); ok {
			was = p.Guardrail
		}
	}
	if !was && !becomes {
		return nil
	}
	return &question{
		roles: []identity.Role{identity.Security}, team: identity.Everything, environment: identity.Everything,
		summary: what + " guardrail " + clip(name, 64), reason: reason,
	}
}

func askPutGuardrail(a *API, _ context.Context, req *client.PutPolicyRequest) (*question, error) {
	return a.askGuardrail(req.Name, req.Guardrail, req.Reason, "change"), nil
}

func askDeleteGuardrail(a *API, _ context.Context, req *client.DeletePolicyRequest) (*question, error) {
	return a.askGuardrail(req.Name, false, req.Reason, "end"), nil
}

func askGuardrailMode(a *API, _ context.Context, req *client.PolicyModeRequest) (*question, error) {
	return a.askGuardrail(req.Name, false, req.Reason, "set to "+clip(req.Mode, 10)+" the"), nil
}

func askRestoreGuardrail(a *API, ctx context.Context, req *client.RestorePolicyRequest) (*question, error) {
	guardrail := false
	if a.o.Policies != nil {
		list, err := a.o.Policies.Revisions(ctx, req.Name)
		if err != nil {
			return nil, nil // the operation says what is wrong
		}
		guardrail = slices.ContainsFunc(list, func(r policy.Revision) bool { return r.Guardrail && r.Revision == req.Revision })
	}
	return a.askGuardrail(req.Name, guardrail, req.Reason, "restore"), nil
}

func askEnforceGuardrail(a *API, _ context.Context, req *client.EnforceRequest) (*question, error) {
	if req.Simulation == "" || req.Preview {
		return nil, nil
	}
	return a.askGuardrail(req.Name, false, req.Reason, "enforce"), nil
}
