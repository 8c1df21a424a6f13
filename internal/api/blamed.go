package api

import (
	"context"
	"slices"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/pin"
	"reeve/internal/provenance"
	"reeve/internal/provenance/judged"
)

// This file is what people say of suspects, and what the order learns of it.

func (a *API) judgedBook() (*judged.Book, error) {
	if a.o.Judged == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no verdicts on suspects")
	}
	return a.o.Judged, nil
}

// weightsOf are the weights of evidence for runs of a team.
func (a *API) weightsOf(ctx context.Context, team string) (provenance.Weights, error) {
	if a.o.Judged == nil {
		return provenance.DefaultWeights, nil
	}
	l, err := a.o.Judged.Learned(ctx, team)
	if err != nil {
		return provenance.Weights{}, err
	}
	return l.Weights, nil
}

// learnedOf adds what was said of a run, and what its order was learned from.
func (a *API) learnedOf(ctx context.Context, x *suspected) error {
	if a.o.Judged == nil {
		return nil
	}
	v, err := a.o.Judged.Of(ctx, x.run.ID.String())
	if err != nil {
		return err
	}
	if v != nil {
		shape := suspectVerdict(v)
		x.out.Verdict = &shape
	}
	l, err := a.o.Judged.Learned(ctx, x.run.Team)
	if err != nil {
		return err
	}
	if l.Verdicts > 0 {
		shape := suspectWeights(x.run.Team, l)
		x.out.Learned = &shape
	}
	return nil
}

func suspectVerdict(v *judged.Verdict) client.SuspectVerdict {
	return client.SuspectVerdict{
		RunID: v.Run, StepID: v.Step, Kind: v.Kind, StepName: pin.Visible(v.StepName), Agent: pin.Visible(v.Agent), Team: v.Team, Reason: pin.Visible(v.Reason), By: v.By, At: v.At,
	}
}

func suspectWeights(team string, l *judged.Learned) client.SuspectWeights {
	out := client.SuspectWeights{Team: team, Verdicts: l.Verdicts, Changes: []client.SuspectWeightChange{}}
	for _, c := range l.Changes {
		out.Changes = append(out.Changes, client.SuspectWeightChange{Evidence: c.Evidence, Shipped: c.Shipped, Now: c.Now})
	}
	return out
}

func judgeSuspects(a *API, ctx context.Context, req *client.JudgeSuspectsRequest) (*client.Suspects, error) {
	book, err := a.judgedBook()
	if err != nil {
		return nil, err
	}
	x, err := a.suspects(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	run, who := x.run, whoOf(ctx)
	if !who.Can(identity.Developer, run.Team, run.Environment) && !who.Can(identity.Responder, run.Team, run.Environment) {
		return nil, fault.New(fault.KindDenied, "api.role_missing", "this needs the role developer or responder for team %q in %q", run.Team, run.Environment).WithHint("an admin can grant it")
	}
	actor := actorOf(ctx)
	by := judged.Actor{Person: actor.Person, Name: actor.Name, Via: actor.Via}
	if req.StepID == "" {
		err = book.TakeBack(ctx, by, run.ID.String())
	} else {
		var v judged.Verdict
		if v, err = x.verdict(req.StepID); err == nil {
			v.Reason = req.Reason
			err = book.Name(ctx, by, v)
		}
	}
	if err != nil {
		return nil, err
	}
	if x, err = a.suspects(ctx, req.ID); err != nil {
		return nil, err
	}
	return x.out, nil
}

// verdict is that a run went wrong at a step.
func (x *suspected) verdict(step string) (v judged.Verdict, err error) {
	if x.nothing {
		return v, fault.New(fault.KindConflict, "judged.nothing_wrong", "nothing is known to be wrong with this run").WithHint("say first how it ended: reeve outcome decide %s failed --reason ...", x.run.ID)
	}
	at := slices.IndexFunc(x.from, func(i int) bool { return x.steps[i].Step.String() == step })
	if at < 0 {
		return v, fault.New(fault.KindNotFound, "judged.step", "this run has no step %.40q that says or calls something", step).WithHint("reeve run suspects %s lists those that can be named", x.run.ID)
	}
	// A step is several things in turn (what it was asked, what it said): the one that
	// can be guilty is what is named.
	for ; at < len(x.from) && x.steps[x.from[at]].Step.String() == step; at++ {
		blamed := provenance.Verdict{Run: x.blamed, Step: at}
		example, ok := blamed.Example()
		if !ok {
			continue
		}
		s := &x.steps[x.from[at]]
		return judged.Verdict{
			Run: x.run.ID.String(), Team: x.run.Team, Environment: x.run.Environment, Agent: x.blamed[at].Agent,
			Step: step, Kind: s.Kind.String(), StepName: s.Name, Example: example,
		}, nil
	}
	return v, fault.New(fault.KindInvalid, "judged.not_guilty", "what a person or a tool said cannot be where the agent went wrong").WithHint("name the step that asked for it, or made something of it")
}

func listSuspectVerdicts(a *API, ctx context.Context, req *client.ListSuspectVerdictsRequest) (*client.SuspectVerdicts, error) {
	book, err := a.judgedBook()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	list, err := book.List(ctx, req.Team, 1000)
	if err != nil {
		return nil, err
	}
	out := &client.SuspectVerdicts{Items: []client.SuspectVerdict{}, Teams: []client.SuspectWeights{}}
	var teams []string
	for i := range list {
		v := &list[i]
		if !who.Can(identity.Reader, v.Team, v.Environment) {
			continue
		}
		if !slices.Contains(teams, v.Team) {
			teams = append(teams, v.Team)
		}
		if len(out.Items) < orDefault(req.Limit, 100) {
			out.Items = append(out.Items, suspectVerdict(v))
		}
	}
	slices.Sort(teams)
	for _, team := range teams {
		l, err := book.Learned(ctx, team)
		if err != nil {
			return nil, err
		}
		out.Teams = append(out.Teams, suspectWeights(team, l))
	}
	return out, nil
}
