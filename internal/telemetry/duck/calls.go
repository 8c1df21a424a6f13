package duck

import (
	"context"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// callColumns are what a call's price depends on, and what tells it from others.
var callColumns = []string{
	"run", "trace", "sid", "slo", "span", "revision", "start", "team", "environment", "agent", "kind", "provider", "model", "model_requested",
	"input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost", "cost_basis", "currency", "price", "counted", "call",
}

// callRows is how many rows are looked at together: a step takes 1.6 kB.
const callRows = 4096

// Calls visits the newest revision of every model call of a time, day by day; a
// few columns of each segment are read. The call is the visitor's while it looks
// at it. What arrives meanwhile may be missed.
func (s *Store) Calls(ctx context.Context, from, to time.Time, visit func(*telemetry.Call) error) error {
	lo, hi := from.UnixNano(), to.UnixNano()
	rows := make([]stepRow, callRows)
	for day := dayOf(lo); day <= dayOf(hi-1); day++ {
		all := s.segs.of(tableSteps, dayRange{day, day})
		if len(all) == 0 {
			continue
		}
		dead, _, err := s.deadRows(tableSteps, day)
		if err != nil {
			return err
		}
		for _, g := range all {
			if g.tmax < lo || g.tmin >= hi {
				continue
			}
			if err := s.callsOf(ctx, g, dead, lo, hi, rows, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) callsOf(ctx context.Context, g segment, dead map[int64]int64, lo, hi int64, rows []stepRow, visit func(*telemetry.Call) error) error {
	o, err := s.segs.acquire(g)
	if err != nil {
		return storageFault("reading calls", err)
	}
	defer s.segs.release(o)
	for at := int64(0); at < o.rows; at += callRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := rows[:min(callRows, o.rows-at)]
		for i := range part {
			part[i] = blankStep()
		}
		if err := steps.fill(o, at, part, callColumns...); err != nil {
			return storageFault("reading calls", err)
		}
		for i := range part {
			r := &part[i]
			if !r.Call || r.Start < lo || r.Start >= hi {
				continue
			}
			if newest, ok := dead[r.sid]; ok && int64(r.Revision) < newest {
				continue
			}
			c := telemetry.Call{
				Run: r.Run, Start: r.Start, Kind: r.Kind, Agent: r.Agent, Team: r.Team, Environment: r.Environment,
				Provider: r.Provider, Model: r.Model, ModelRequested: r.ModelRequested, Usage: r.Usage, Cost: r.Cost, Counted: r.Counted,
			}
			if r.whole {
				c.Step = join(r.sid, r.slo)
			} else {
				c.Step = derivedStep(&r.Step, r.sid)
			}
			if c.Cost.Basis == activity.CostUnknown {
				c.Cost = activity.Cost{}
			}
			if err := visit(&c); err != nil {
				return err
			}
		}
	}
	return nil
}
