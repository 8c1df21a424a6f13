package api

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/dataset"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// Gate computes what an agent has to show; app fills it in. sees says whose places
// the asker may see: what stands elsewhere counts, and is not named.
type Gate interface {
	Look(ctx context.Context, agent string, sees func(team, environment string) bool) (*client.Gate, error)
	// Keep keeps what it came to, in the audit log too, within tx or (nil) by itself.
	Keep(ctx context.Context, tx *control.Tx, who experiment.Actor, agent, outcome, reason string, body any) (id string, err error)
	// Kept is what it came to before, the newest first.
	Kept(ctx context.Context, agent string, limit int) ([]experiment.GateResult, error)
}

func (a *API) gate(ctx context.Context, name string) (*client.Gate, error) {
	if a.o.Gate == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no gate")
	}
	if _, _, err := a.visible(ctx, name); err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	return a.o.Gate.Look(ctx, name, func(team, environment string) bool {
		return who.Can(identity.Viewer, everyOf(team), everyOf(environment))
	})
}

const gateRecords = 20 // that are shown

func getGate(a *API, ctx context.Context, req *client.GateRequest) (*client.Gate, error) {
	g, err := a.gate(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	kept, err := a.o.Gate.Kept(ctx, req.Name, gateRecords)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		var body keptGate
		if err := json.Unmarshal(k.Body, &body); err != nil {
			return nil, err
		}
		g.Records = append(g.Records, client.GateRecord{ID: k.ID, At: k.At, Outcome: k.Outcome, To: body.To, Version: body.Version, By: body.By, Reason: body.Reason, Failed: list(body.failed())})
	}
	return g, nil
}

// keptGate is a gate as it is kept.
type keptGate struct {
	To      string `json:"to"`
	Version string `json:"version,omitempty"`
	By      string `json:"by,omitempty"`
	Reason  string `json:"reason"`
	Dataset string `json:"dataset,omitempty"`
	// DatasetVersion is the newest then: all of its cases were passed.
	DatasetVersion int64              `json:"dataset_version,omitempty"`
	Checks         []client.GateCheck `json:"checks"`
}

func (k *keptGate) failed() (out []string) {
	for _, c := range k.Checks {
		if !c.Passed {
			out = append(out, c.Name)
		}
	}
	return out
}

func putGateSet(a *API, ctx context.Context, req *client.PutGateSetRequest) (*client.Gate, error) {
	book, err := a.experiments()
	if err != nil {
		return nil, err
	}
	if a.o.Datasets == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no data sets")
	}
	who := datasetActor(ctx)
	s, err := a.o.Datasets.Get(ctx, who, req.Dataset)
	if err != nil {
		return nil, err
	}
	var seen experiment.Approved // nothing, unless the asker says what they looked at
	if req.Version > 0 {
		if seen, err = a.looked(ctx, &who, &s, req.Name, req.Version); err != nil {
			return nil, err
		}
	}
	if _, err := book.PutGateSet(ctx, experimentActor(ctx), experiment.GateSet{Agent: req.Name, Dataset: req.Dataset, Least: req.Least}, seen); err != nil {
		return nil, err
	}
	return getGate(a, ctx, &client.GateRequest{Name: req.Name})
}

// mayRead reports whether who may read what the cases of a data set say.
func mayRead(who *dataset.Actor, s *dataset.Set) bool {
	return who.Can("reader", cmp.Or(s.Team, "*"), cmp.Or(s.Environment, "*"))
}

// looked are the cases of a data set as somebody who may read them looked at them: in the
// version that they name, which has to be the newest.
func (a *API) looked(ctx context.Context, who *dataset.Actor, s *dataset.Set, agent string, version int64) (experiment.Approved, error) {
	if !mayRead(who, s) {
		return experiment.Approved{}, fault.New(fault.KindDenied, "experiment.denied", "who approves cases has read them: this needs the role reader for team %q in %q", s.Team, s.Environment)
	}
	st, err := a.o.Datasets.Stands(ctx, s.Name, 0)
	if err == nil && st.Version != version {
		err = fault.New(fault.KindConflict, "experiment.conflict", "data set %s is of version %d now, and %d was looked at", s.Name, st.Version, version).WithHint("`reeve gate cases %s` shows what changed", agent)
	}
	return experiment.Approved{Version: st.Version, Cases: st.Cases, Born: st.Born}, err
}

// gateSetOf is the data set of an agent's gate, for who may see the agent.
func (a *API) gateSetOf(ctx context.Context, agent string) (*experiment.Book, experiment.GateSet, error) {
	var none experiment.GateSet
	book, err := a.experiments()
	if err != nil {
		return nil, none, err
	}
	if a.o.Datasets == nil {
		return nil, none, fault.New(fault.KindUnavailable, "api.not_here", "this server has no data sets")
	}
	if _, _, err := a.visible(ctx, agent); err != nil {
		return nil, none, err
	}
	g, ok, err := book.GateSet(ctx, agent)
	if err == nil && !ok {
		err = fault.New(fault.KindNotFound, "experiment.not_found", "no data set was named as the gate of agent %.64s", agent).WithHint("`reeve gate set %.64s --dataset NAME` names it", agent)
	}
	return book, g, err
}

func getGateChanges(a *API, ctx context.Context, req *client.GateRequest) (*client.GateChanges, error) {
	_, g, err := a.gateSetOf(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	s, err := a.o.Datasets.Get(ctx, datasetActor(ctx), g.Dataset)
	if err != nil {
		return nil, err
	}
	since := g.Version
	if !s.Born.Equal(g.Born) {
		since = 0 // nothing of what was approved is left
	}
	all, more, err := a.o.Datasets.Changes(ctx, datasetActor(ctx), g.Dataset, since)
	if err != nil {
		return nil, err
	}
	out := &client.GateChanges{Dataset: g.Dataset, Version: s.Version, Since: since, More: more, Items: []client.GateChange{}}
	for i := range all {
		out.Items = append(out.Items, gateChangeOf(&all[i]))
	}
	return out, nil
}

func gateChangeOf(c *dataset.Change) client.GateChange {
	x := client.GateChange{Case: c.Case, What: "changed"}
	for _, side := range []struct {
		from *dataset.Item
		to   **client.DatasetItem
	}{{c.Was, &x.Was}, {c.Is, &x.Is}} {
		if side.from != nil {
			item := datasetItemOf(*side.from)
			*side.to = &item
		}
	}
	gone := c.Is == nil || c.Is.Removed != 0
	switch {
	case c.Was != nil && gone:
		x.What = "removed"
	case c.Was == nil && gone:
		x.What = "passing"
	case c.Was == nil:
		x.What = "added"
	}
	return x
}

func approveGate(a *API, ctx context.Context, req *client.ApproveGateRequest) (*client.Gate, error) {
	book, g, err := a.gateSetOf(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	who := datasetActor(ctx)
	s, err := a.o.Datasets.Get(ctx, who, g.Dataset)
	if err != nil {
		return nil, err
	}
	seen, err := a.looked(ctx, &who, &s, req.Name, req.Version)
	if err != nil {
		return nil, err
	}
	if err := book.ApproveGate(ctx, experimentActor(ctx), req.Name, g.Dataset, seen); err != nil {
		return nil, err
	}
	return getGate(a, ctx, &client.GateRequest{Name: req.Name})
}

// passGate promotes through the gate: what it came to is kept either way, and a
// refusal names what fails, with the run.
func passGate(a *API, ctx context.Context, req *client.PassGateRequest) (*client.Gate, error) {
	if to := cmp.Or(req.To, agent.Production); to != agent.Production {
		return nil, fault.New(fault.KindInvalid, "agent.transition", "only production has a gate, not %.40q", to).WithHint("`reeve agent promote %s pilot` needs none", req.Name)
	}
	g, _, err := a.throughGate(ctx, req.Name, req.Reason, req.Ungated)
	return g, err
}

// throughGate takes an agent into production: there is no other way. What would be
// refused anyway is not kept as a gate's result.
func (a *API) throughGate(ctx context.Context, name, reason string, ungated bool) (*client.Gate, *agent.Agent, error) {
	all, was, err := a.visible(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	who := actorOf(ctx)
	if err := all.MayPromote(who, name, agent.Production, reason); err != nil {
		return nil, nil, err
	}
	if a.o.Gate == nil {
		return nil, nil, fault.New(fault.KindUnavailable, "api.not_here", "this server has no gate")
	}
	if ungated {
		if err := a.fresh(ctx); err != nil {
			return nil, nil, err
		}
	}
	g, err := a.gate(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	kept := keptGate{To: agent.Production, Version: g.Version, By: who.Name, Reason: reason, Dataset: g.Dataset, Checks: g.Checks}
	if g.Cases != nil {
		kept.DatasetVersion = g.Cases.Version
	}
	if !g.Passed && !ungated {
		if _, err := a.o.Gate.Keep(ctx, nil, experimentActor(ctx), name, experiment.GateRefused, reason, kept); err != nil {
			return nil, nil, err
		}
		var why []string
		for _, c := range g.Checks {
			if !c.Passed {
				why = append(why, strings.Join(strings.Fields(c.Name+": "+c.Text+" "+c.Run+" "+c.About), " "))
			}
		}
		return nil, nil, fault.New(fault.KindDenied, "promote.refused", "agent %s does not pass: %s", name, strings.Join(why, "; ")).WithHint("`reeve promote %s --look` shows the whole list; security may go without it, and that is kept (--ungated)", name)
	}
	outcome := experiment.GatePassed
	if !g.Passed {
		outcome = experiment.GateOverridden
	}
	// The list was of this revision and version: whoever changed it meanwhile has it
	// looked at again.
	made, err := all.PromoteThrough(ctx, who, name, agent.Production, reason, was.Revision, g.Version, func(tx *control.Tx) (err error) {
		g.Kept, err = a.o.Gate.Keep(ctx, tx, experimentActor(ctx), name, outcome, reason, kept)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	g.Lifecycle = made.Lifecycle
	return g, made, nil
}
