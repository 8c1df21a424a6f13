package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/fleet"
	"reeve/internal/identity"
)

// observedAgent finds an agent that the caller may see, and who observes it.
func (a *API) observedAgent(ctx context.Context, name string) (Fleet, *agent.Agent, error) {
	_, g, err := a.visible(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	all, err := a.fleet()
	return all, g, err
}

func itemOf(p fleet.Part) client.InventoryItem {
	return client.InventoryItem{
		Kind: p.Kind, Name: p.Name, Detail: p.Detail, Known: p.Known, FirstSeen: optionalTime(p.FirstSeen), LastSeen: optionalTime(p.LastSeen), Seen: p.Seen, RunID: p.Run,
	}
}

// getInventory answers with an Inventory, or with a CycloneDX document.
func getInventory(a *API, ctx context.Context, req *client.InventoryRequest) (any, error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	inv, err := all.Inventory(ctx, g, from, to)
	if err != nil {
		return nil, err
	}
	switch req.Format {
	case "":
	case "cyclonedx":
		return fleet.CycloneDX(g, inv, g.Version, a.o.Version, a.o.Now()), nil
	default:
		return nil, fault.New(fault.KindInvalid, "api.invalid", "format is %q", clip(req.Format, 40)).WithHint("cyclonedx, or nothing")
	}
	out := &client.Inventory{Agent: g.Name, From: optionalTime(from), To: optionalTime(to), Items: []client.InventoryItem{}, LeftOut: inv.Left}
	for _, p := range inv.Parts {
		out.Items = append(out.Items, itemOf(p))
	}
	return out, nil
}

func inventoryChanges(a *API, ctx context.Context, req *client.InventoryChangesRequest) (*client.List[client.InventoryChange], error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	from, to, err := a.period(req.From, req.To)
	if err != nil {
		return nil, err
	}
	if from.IsZero() {
		return nil, fault.New(fault.KindInvalid, "fleet.period", "say the first date").WithHint("?from=2026-01-01")
	}
	if to.IsZero() {
		to = a.o.Now()
	}
	changes, err := all.Diff(ctx, g, from, to, orDefault(req.Days, 7))
	return listOf(changes, err, func(c fleet.Change) client.InventoryChange {
		return client.InventoryChange{InventoryItem: itemOf(c.Part), Change: c.Change, Before: c.Before, After: c.After}
	})
}

func approvePart(a *API, ctx context.Context, req *client.ApprovePartRequest) (*struct{}, error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, all.Approve(ctx, actorOf(ctx), g, req.Kind, req.Part, req.Known == nil || *req.Known, req.Reason)
}

func versionOf(v fleet.Version) client.AgentVersion {
	out := client.AgentVersion{
		Hash: v.Hash, Name: v.Name, Parts: v.Parts, MadeOf: v.MadeOf, FirstSeen: v.FirstSeen, LastSeen: v.LastSeen, Changed: append([]string{}, v.Changed...),
		RunID: v.Run, Current: v.Current, Approved: v.ApprovedBy != "", ApprovedBy: v.ApprovedBy, ApprovedAt: optionalTime(v.ApprovedAt), Reason: v.Reason,
	}
	return out
}

func listVersions(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentVersion], error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	list, err := all.Versions(ctx, g.Name)
	return listOf(list, err, versionOf)
}

func approveVersion(a *API, ctx context.Context, req *client.ApproveVersionRequest) (*client.AgentVersion, error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	v, err := all.ApproveVersion(ctx, actorOf(ctx), g, req.Hash, req.Reason)
	if err != nil {
		return nil, err
	}
	if a.o.Watch != nil {
		a.o.Watch.Approved(g.Name)
	}
	out := versionOf(v)
	return &out, nil
}

func listRevisions(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentRevision], error) {
	all, g, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	list, err := all.Revisions(ctx, g.Name)
	if err != nil {
		return nil, err
	}
	out := &client.List[client.AgentRevision]{Items: []client.AgentRevision{}}
	for i, r := range list {
		shape := agentOf(all, &r.Agent, r.At)
		shape.LastSeen, shape.CreatedAt = nil, g.CreatedAt
		one := client.AgentRevision{Revision: r.Revision, At: r.At, Author: r.Author, Action: r.Action, Reason: r.Reason, Changed: []string{}, Agent: *shape}
		if i+1 < len(list) {
			one.Changed = changedFields(&list[i+1].Agent, &r.Agent)
		}
		out.Items = append(out.Items, one)
	}
	return out, nil
}

// changedFields names what differs between two revisions.
func changedFields(x, y *agent.Agent) []string {
	out := []string{}
	for _, f := range []struct {
		name   string
		differ bool
	}{
		{"owner", x.Owner != y.Owner},
		{"sponsor", x.Sponsor != y.Sponsor},
		{"purpose", x.Purpose != y.Purpose},
		{"kind", x.Kind != y.Kind},
		{"mode", x.Mode != y.Mode},
		{"lifecycle", x.Lifecycle != y.Lifecycle},
		{"autonomy", x.Autonomy != y.Autonomy},
		{"containment", x.Containment != y.Containment || !x.ContainedTill.Equal(y.ContainedTill)},
		{"enforcement", x.Enforcement != y.Enforcement || !x.ObserveTill.Equal(y.ObserveTill)},
		{"content", x.Content != y.Content},
		{"task", x.Task != y.Task},
		{"data_classes", !slices.Equal(x.DataClasses, y.DataClasses)},
		{"labels", !equalMaps(x.Labels, y.Labels)},
		{"aliases", !slices.Equal(x.Aliases, y.Aliases)},
		{"credentials", x.Epoch != y.Epoch},
	} {
		if f.differ {
			out = append(out, f.name)
		}
	}
	return out
}

func equalMaps(x, y map[string]string) bool {
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func agentTimeline(a *API, ctx context.Context, req *client.AgentRequest) (*client.List[client.AgentEvent], error) {
	_, g, err := a.visible(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	events, err := a.timeline(ctx, g)
	if err != nil {
		return nil, err
	}
	return &client.List[client.AgentEvent]{Items: events}, nil
}

// timeline is what happened to an agent, the newest first: what people changed,
// the versions it was observed to be, its keys and waivers.
func (a *API) timeline(ctx context.Context, g *agent.Agent) ([]client.AgentEvent, error) {
	agents, err := a.agents()
	if err != nil {
		return nil, err
	}
	revisions, err := agents.Revisions(ctx, g.Name)
	if err != nil {
		return nil, err
	}
	out := []client.AgentEvent{}
	for i, r := range revisions {
		var changed []string
		if i+1 < len(revisions) {
			changed = changedFields(&revisions[i+1].Agent, &r.Agent)
		}
		out = append(out, revisionEvent(r, changed))
	}
	if a.o.Fleet != nil {
		versions, err := a.o.Fleet.Versions(ctx, g.Name)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			text := "first version " + v.Hash
			if len(v.Changed) > 0 {
				text = "version " + v.Hash + ": another " + strings.Join(v.Changed, ", another ")
			}
			out = append(out, client.AgentEvent{At: v.FirstSeen, Kind: "version", Text: text, Ref: v.Hash})
			if v.ApprovedBy != "" {
				out = append(out, client.AgentEvent{At: v.ApprovedAt, Kind: "version", Text: "version " + v.Hash + " approved", By: v.ApprovedBy, Reason: v.Reason, Ref: v.Hash})
			}
		}
		for _, w := range a.o.Fleet.Waivers() {
			if w.Agent == g.Name {
				out = append(out, client.AgentEvent{At: w.At, Kind: "waiver", Text: "rule " + w.Rule + " waived until " + w.Till.Format(time.DateOnly), By: w.By, Reason: w.Reason, Ref: w.Rule})
			}
		}
	}
	// Who may not list keys still sees that there were some: no secret is in it.
	system := agent.Actor{Name: "api", Can: func(string, string, string) bool { return true }}
	keys, err := agents.Keys(ctx, system, g.Name)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		out = append(out, client.AgentEvent{At: k.CreatedAt, Kind: "key", Text: "a key was made", Ref: k.ID})
		if !k.RevokedAt.IsZero() {
			out = append(out, client.AgentEvent{At: k.RevokedAt, Kind: "key", Text: "a key was ended", Ref: k.ID})
		}
	}
	slices.SortStableFunc(out, func(x, y client.AgentEvent) int { return y.At.Compare(x.At) })
	return out[:min(len(out), 1000)], nil
}

func revisionEvent(r agent.Revision, changed []string) client.AgentEvent {
	e := client.AgentEvent{At: r.At, Kind: "change", By: r.Author, Reason: r.Reason, Ref: fmt.Sprint(r.Revision)}
	switch r.Action {
	case "create":
		e.Kind, e.Text = "lifecycle", "registered as "+r.Agent.Lifecycle
	case "promote":
		e.Kind, e.Text = "lifecycle", "is "+r.Agent.Lifecycle+" now"
	case "retire", "withdraw":
		e.Kind, e.Text = "lifecycle", "retired"
	case "merge":
		e.Kind, e.Text = "lifecycle", "merged into "+r.Agent.MergedInto
	case "unmerge":
		e.Kind, e.Text = "lifecycle", "taken out of a merge; is "+r.Agent.Lifecycle+" again"
	case "contain":
		e.Kind, e.Text = "containment", "contained: "+r.Agent.Containment
	case "release":
		e.Kind, e.Text = "containment", "released"
	case "alias", "unalias":
		e.Kind, e.Text = "alias", "its aliases changed"
	case "break_glass":
		e.Text = "set to observe in an emergency"
	case "raise":
		e.Kind, e.Text = "containment", "a stop ended its credentials"
	case "end":
		e.Text = "what was set with an end was over: " + strings.Join(changed, ", ")
	default:
		e.Text = "changed: " + cmp.Or(strings.Join(changed, ", "), "nothing")
	}
	return e
}

func breaksOf(list []fleet.Break) []client.StandardBreak {
	out := []client.StandardBreak{}
	for _, b := range list {
		out = append(out, client.StandardBreak{Rule: b.Rule, Text: b.Text, Why: b.Why, Refused: b.Refused, WaivedTill: optionalTime(b.WaivedTill), WaiveReason: b.WaiveReason})
	}
	return out
}

func getStandard(a *API, _ context.Context, _ *struct{}) (*client.Standard, error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	s := all.Standard()
	out := &client.Standard{Version: s.Version, Rules: []client.StandardRule{}}
	for _, r := range s.Rules {
		one := client.StandardRule{ID: r.ID, Text: r.Text, Refuse: r.Refuse, When: map[string]any{}, Require: map[string]any{}}
		put := func(m map[string]any, key string, v any, there bool) {
			if there {
				m[key] = v
			}
		}
		put(one.When, "lifecycle", r.When.Lifecycle, len(r.When.Lifecycle) > 0)
		put(one.When, "environment", r.When.Environment, len(r.When.Environment) > 0)
		put(one.When, "team", r.When.Team, len(r.When.Team) > 0)
		put(one.When, "kind", r.When.Kind, len(r.When.Kind) > 0)
		put(one.When, "mode", r.When.Mode, len(r.When.Mode) > 0)
		q := r.Require
		put(one.Require, "owner", true, q.Owner)
		put(one.Require, "sponsor", true, q.Sponsor)
		put(one.Require, "purpose", q.Purpose, q.Purpose > 0)
		put(one.Require, "classes", q.Classes, len(q.Classes) > 0)
		put(one.Require, "classes_not", q.ClassesNot, len(q.ClassesNot) > 0)
		put(one.Require, "autonomy", q.Autonomy, q.Autonomy != "")
		put(one.Require, "enforced", true, q.Enforced)
		put(one.Require, "team", q.Team, q.Team != "")
		put(one.Require, "labels", q.Labels, len(q.Labels) > 0)
		put(one.Require, "key_life", q.KeyLife.String(), q.KeyLife > 0)
		put(one.Require, "no_keys", true, q.NoKeys)
		put(one.Require, "seen", q.Seen.String(), q.Seen > 0)
		put(one.Require, "version_approved", true, q.VersionApproved)
		out.Rules = append(out.Rules, one)
	}
	return out, nil
}

func conformance(a *API, ctx context.Context, _ *struct{}) (*client.Conformance, error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	texts := map[string]string{}
	for _, r := range all.Standard().Rules {
		texts[r.ID] = r.Text
	}
	out := &client.Conformance{Version: all.Standard().Version, Teams: []client.TeamConformance{}}
	for _, c := range all.Conformance(func(g *agent.Agent) bool { return who.Can(identity.Viewer, g.Team, g.Environment) }) {
		t := client.TeamConformance{Team: c.Team, Agents: c.Agents, Conforming: c.Conforming, Waived: c.Waived, Share: float64(c.Conforming) / float64(c.Agents), Rules: []client.BrokenStandard{}}
		for rule, n := range c.Rules {
			t.Rules = append(t.Rules, client.BrokenStandard{Rule: rule, Text: texts[rule], Agents: n})
		}
		slices.SortFunc(t.Rules, func(x, y client.BrokenStandard) int {
			return cmp.Or(cmp.Compare(y.Agents, x.Agents), strings.Compare(x.Rule, y.Rule))
		})
		out.Teams = append(out.Teams, t)
	}
	return out, nil
}

func waiverOf(w fleet.Waiver) client.Waiver {
	return client.Waiver{Agent: w.Agent, Rule: w.Rule, Till: w.Till, Reason: w.Reason, By: w.By, At: w.At}
}

func listWaivers(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Waiver], error) {
	all, err := a.fleet()
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	list := slices.DeleteFunc(all.Waivers(), func(w fleet.Waiver) bool { return len(a.mayName(who, []string{w.Agent})) == 0 })
	return listOf(list, nil, waiverOf)
}

func waive(a *API, ctx context.Context, req *client.WaiveRequest) (*client.Waiver, error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	till, err := a.until(req.Until)
	if err != nil {
		return nil, err
	}
	w, err := all.Waive(ctx, actorOf(ctx), g, req.Rule, till, req.Reason)
	if err != nil {
		return nil, err
	}
	out := waiverOf(w)
	return &out, nil
}

// until reads a date, a time or a life from now.
func (a *API) until(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, fault.New(fault.KindInvalid, "standard.waiver", "a waiver needs an end").WithHint("a date such as 2026-12-31, or 30d")
	}
	if d, err := life(text); err == nil {
		return a.o.Now().Add(d), nil
	}
	_, till, err := a.period("", text)
	return till, err
}

func unwaive(a *API, ctx context.Context, req *client.WaiverRequest) (*struct{}, error) {
	all, g, err := a.observedAgent(ctx, req.Name)
	if err != nil {
		return nil, err
	}
	return &struct{}{}, all.Unwaive(ctx, actorOf(ctx), g, req.Rule, "")
}
