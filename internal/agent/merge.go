package agent

import (
	"context"
	"slices"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Merge says that an agent is another one that was registered too: developer
// of both, security when it is in production. It is retired, its credentials
// die, and the other takes its name and aliases as aliases, so that its
// telemetry counts there. What either may do does not change. Unmerge undoes it.
func (r *Registry) Merge(ctx context.Context, who Actor, name, into, reason string) (merged, kept *Agent, err error) {
	if name == into {
		return nil, nil, invalid("an agent cannot be merged into itself")
	}
	err = r.db.Write(ctx, func(tx *control.Tx) error {
		var move []Alias
		merged, err = r.changeIn(ctx, tx, who, name, 0, "merge", reason, func(before, after *Agent) error {
			roles := []string{developer, security}
			if before.Lifecycle == Production {
				roles = roles[1:]
			}
			if err := who.need(before, "merging", roles...); err != nil {
				return err
			}
			if err := needReason(reason); err != nil {
				return err
			}
			if err := alive(before); err != nil {
				return err
			}
			move = append(slices.Clone(before.Aliases), Alias{"name", before.Name})
			after.Lifecycle, after.MergedInto, after.MergedAs, after.Aliases = Retired, into, before.Lifecycle, nil
			after.Epoch++
			return nil
		})
		if err != nil {
			return err
		}
		kept, err = r.changeIn(ctx, tx, who, into, 0, "alias", reason, func(before, after *Agent) error {
			if err := who.need(before, "merging into", developer, security); err != nil {
				return err
			}
			if before.Team != merged.Team {
				return invalid("%s belongs to team %s and %s to %s", name, merged.Team, into, before.Team).WithHint("agents merge within a team")
			}
			for _, al := range move {
				if !slices.Contains(after.Aliases, al) {
					after.Aliases = append(after.Aliases, al)
				}
			}
			return alive(before)
		})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return merged, kept, nil
}

// Unmerge takes a merge back: the agent is what it was, with its aliases, and
// needs new credentials.
func (r *Registry) Unmerge(ctx context.Context, who Actor, name, reason string) (*Agent, error) {
	var out *Agent
	err := r.db.Write(ctx, func(tx *control.Tx) error {
		a, err := load(ctx, tx, name)
		if err != nil {
			return err
		}
		if a.MergedInto == "" {
			return fault.New(fault.KindConflict, "agent.not_merged", "agent %s is not merged", name)
		}
		mine, err := r.aliasesBefore(ctx, tx, a)
		if err != nil {
			return err
		}
		if _, err := r.Unalias(ctx, tx, who, a.MergedInto, append(slices.Clone(mine), Alias{"name", name}), reason); err != nil {
			return err
		}
		out, err = r.changeIn(ctx, tx, who, name, 0, "unmerge", reason, func(before, after *Agent) error {
			roles := []string{developer, security}
			if before.MergedAs == Production {
				roles = roles[1:]
			}
			if err := who.need(before, "unmerging", roles...); err != nil {
				return err
			}
			after.Lifecycle, after.MergedInto, after.MergedAs, after.Aliases = before.MergedAs, "", "", mine
			return needReason(reason)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// aliasesBefore are the aliases that a merged agent had.
func (r *Registry) aliasesBefore(ctx context.Context, tx *control.Tx, a *Agent) ([]Alias, error) {
	all, err := control.All(ctx, tx, scanRevision, revisionQuery+` ORDER BY revision DESC LIMIT 100`, a.Name)
	for _, v := range all {
		if v.Agent.MergedInto == "" {
			return v.Agent.Aliases, err
		}
	}
	return nil, err
}
