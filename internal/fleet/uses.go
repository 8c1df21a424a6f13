package fleet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
)

// Use is that one claim used something: an edge of who depends on what.
type Use struct {
	Claim  Claim
	Agent  string // the registered agent that it is; "" nobody's
	Kind   string // model, tool, server, source, dataset, peer
	Name   string
	Detail string // a model's provider, a tool's server
	// Seen counts uses on the days (UTC) of the period; -1 where the rollups
	// count better than days do (models and tools).
	Seen                int64
	FirstSeen, LastSeen time.Time
	Run                 string // where it was last seen
}

// useKinds are what others may depend on: a prompt or the code of an agent is
// a part of it, and a policy rules it.
var useKinds = []string{KindModel, KindTool, KindServer, KindSource, KindDataset, KindPeer}

// Uses lists who used what in a period, over all claims, by claim, kind and
// name. It reads what is known of each use, never the uses themselves. Both ends
// of the period are required.
func (f *Fleet) Uses(ctx context.Context, from, to time.Time) ([]Use, error) {
	type owner struct {
		claim Claim
		agent string
	}
	owners := make(map[string]owner)
	memory := make(map[string]Use) // by item: what the database may not have yet
	f.mu.Lock()
	gen := f.match.generation()
	for _, c := range f.claims {
		f.settle(c, gen)
		if c.part && c.match.Agent == "" {
			continue // a service whose steps name no agent
		}
		o := owner{c.Claim, c.match.Agent}
		owners[c.id] = o
		for k, it := range c.items {
			if !it.dirty || !slices.Contains(useKinds, k.kind) || !overlaps(it.first, it.last, from, to) {
				continue
			}
			memory[it.id] = Use{o.claim, o.agent, k.kind, k.name, it.detail, within(it.days, from, to), timeOf(it.first), timeOf(it.last), runText(it.lastRun)}
		}
	}
	f.mu.Unlock()
	lo, hi := daysOf(from, to)
	type row struct {
		id, claim string
		Use
	}
	rows, err := control.All(ctx, f.o.DB, func(r control.Row) (u row, err error) {
		var first, last int64
		err = r.Scan(&u.id, &u.claim, &u.Kind, &u.Name, &u.Detail, &first, &last, &u.Run, &u.Seen)
		u.FirstSeen, u.LastSeen = control.Time(first), control.Time(last)
		return u, err
	}, `SELECT i.id, i.claim, i.kind, i.name, i.detail, i.first_seen, i.last_seen, i.run_id,
			CASE WHEN i.kind IN ('model', 'tool') THEN -1 ELSE COALESCE((SELECT SUM(d.seen) FROM fleet_days d WHERE d.item = i.id AND d.day BETWEEN ? AND ?), 0) END
		FROM fleet_items i WHERE i.kind IN ('model', 'tool', 'server', 'source', 'dataset', 'peer') AND i.last_seen >= ? AND i.first_seen < ?`,
		lo, hi, int64(lo)*(dayNanos/1000), (int64(hi)+1)*(dayNanos/1000))
	if err != nil {
		return nil, err
	}
	out := make([]Use, 0, len(rows)+len(memory))
	for _, r := range rows {
		o, ok := owners[r.claim]
		if !ok {
			continue // beyond what is kept, or nobody's
		}
		u := r.Use
		u.Claim, u.Agent = o.claim, o.agent
		if m, ok := memory[r.id]; ok {
			delete(memory, r.id)
			u.LastSeen, u.Run, u.Detail = m.LastSeen, cmp.Or(m.Run, u.Run), cmp.Or(m.Detail, u.Detail)
			if u.Seen >= 0 {
				u.Seen += m.Seen
			}
		}
		if u.Seen != 0 {
			out = append(out, u)
		}
	}
	for _, u := range memory {
		if u.Kind == KindModel || u.Kind == KindTool {
			u.Seen = -1
		}
		if u.Seen != 0 {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(x, y Use) int {
		return cmp.Or(strings.Compare(x.Claim.id(), y.Claim.id()), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name))
	})
	return out, nil
}
