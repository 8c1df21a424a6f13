package points

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/gateway"
)

// Coverage counts by agent and day how much of what agents do was decided here.
// The door never waits for it: it is written every few seconds, and a kill loses
// those. Safe for concurrent use.
type Coverage struct {
	db  *control.DB
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	fresh map[coverageKey]counts // not written yet
}

type coverageKey struct {
	agent string
	day   int64
}

type counts struct {
	team, environment            string
	results, governed, unchecked int64
	last                         time.Time
}

const (
	coverageEvery = 5 * time.Second
	coverageDays  = 90
	maxFresh      = 50_000
)

// NewCoverage makes a counter that keeps its counts in db. Run writes them.
func NewCoverage(db *control.DB, log *slog.Logger, now func() time.Time) *Coverage {
	return &Coverage{db: db, log: log, now: now, fresh: map[coverageKey]counts{}}
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// Results implements gateway.Coverage.
func (c *Coverage) Results(agent, team, environment string, all, governed int) {
	c.count(agent, counts{team: team, environment: environment, results: int64(all), governed: int64(governed)})
}

// Unchecked implements gateway.Coverage.
func (c *Coverage) Unchecked(agent, team, environment string) {
	c.count(agent, counts{team: team, environment: environment, unchecked: 1})
}

func (c *Coverage) count(agent string, n counts) {
	if agent == "" {
		return
	}
	now := c.now()
	if n.unchecked > 0 || n.governed < n.results {
		n.last = now
	}
	k := coverageKey{agent, dayOf(now)}
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.fresh[k]
	if !ok && len(c.fresh) >= maxFresh {
		return // the database has not answered for long, and agents are registered: this is far from what is met
	}
	c.fresh[k] = have.plus(n)
}

func (c counts) plus(n counts) counts {
	c.team, c.environment = n.team, n.environment
	c.results, c.governed, c.unchecked = c.results+n.results, c.governed+n.governed, c.unchecked+n.unchecked
	if n.last.After(c.last) {
		c.last = n.last
	}
	return c
}

// Run writes what was counted until ctx ends, and then what is left.
func (c *Coverage) Run(ctx context.Context) error {
	tick := time.NewTicker(coverageEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			c.flush(last)
			return context.Cause(ctx)
		case <-tick.C:
			c.flush(ctx)
		}
	}
}

// flush writes what was counted. What cannot be written now is written later.
func (c *Coverage) flush(ctx context.Context) {
	c.mu.Lock()
	fresh := c.fresh
	c.fresh = map[coverageKey]counts{}
	c.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	if err := c.write(ctx, fresh); err != nil {
		c.log.Warn("coverage was not written", "err", err)
		c.mu.Lock()
		for k, n := range fresh {
			c.fresh[k] = n.plus(c.fresh[k]).named(n)
		}
		c.mu.Unlock()
	}
}

// named keeps the team of the first, where the second has none.
func (c counts) named(of counts) counts {
	c.team, c.environment = cmp.Or(c.team, of.team), cmp.Or(c.environment, of.environment)
	return c
}

func (c *Coverage) write(ctx context.Context, fresh map[coverageKey]counts) error {
	return c.db.Write(ctx, func(tx *control.Tx) error {
		for _, k := range slices.SortedFunc(maps.Keys(fresh), func(a, b coverageKey) int { return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.day, b.day)) }) {
			n := fresh[k]
			var last int64
			if !n.last.IsZero() {
				last = control.Micros(n.last)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO coverage (agent, day, team, environment, results, governed, unchecked, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (agent, day) DO UPDATE SET team = excluded.team, environment = excluded.environment, results = coverage.results + excluded.results,
				governed = coverage.governed + excluded.governed, unchecked = coverage.unchecked + excluded.unchecked,
				last_at = CASE WHEN excluded.last_at > coverage.last_at THEN excluded.last_at ELSE coverage.last_at END`,
				k.agent, k.day, n.team, n.environment, n.results, n.governed, n.unchecked, last); err != nil {
				return err
			}
			if n.results > n.governed || n.unchecked > 0 {
				data, err := json.Marshal(map[string]any{
					"agent": k.agent, "team": n.team, "environment": n.environment, "code": gateway.UngovernedAction,
					"ungoverned": n.results - n.governed, "unchecked": n.unchecked,
				})
				if err != nil {
					return err
				}
				if err := tx.Event(ctx, control.Event{Type: "finding.ungoverned_action", Object: k.agent, Data: data}); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, `DELETE FROM coverage WHERE day < ?`, dayOf(c.now())-coverageDays)
		return err
	})
}

// List reads coverage by agent, the least covered first. agent is "" for all;
// may says which rows the reader may see.
func (c *Coverage) List(ctx context.Context, agent string, from, to time.Time, may func(team, environment string) bool) ([]client.AgentCoverage, error) {
	type row struct {
		coverageKey
		counts
	}
	rows, err := control.All(ctx, c.db, func(r control.Row) (v row, err error) {
		var last int64
		err = r.Scan(&v.agent, &v.day, &v.team, &v.environment, &v.results, &v.governed, &v.unchecked, &last)
		if last > 0 {
			v.last = control.Time(last)
		}
		return v, err
	}, `SELECT agent, day, team, environment, results, governed, unchecked, last_at FROM coverage WHERE day >= ? AND day <= ? AND (? = '' OR agent = ?) ORDER BY day`,
		dayOf(from), dayOf(to), agent, agent)
	if err != nil {
		return nil, err
	}
	sums := map[string]counts{}
	for _, v := range rows {
		sums[v.agent] = sums[v.agent].plus(v.counts)
	}
	c.mu.Lock()
	for k, n := range c.fresh {
		if k.day >= dayOf(from) && k.day <= dayOf(to) && (agent == "" || k.agent == agent) {
			sums[k.agent] = sums[k.agent].plus(n)
		}
	}
	c.mu.Unlock()
	out := []client.AgentCoverage{}
	for name, n := range sums {
		if may(n.team, n.environment) {
			out = append(out, n.shape(name))
		}
	}
	slices.SortFunc(out, func(a, b client.AgentCoverage) int {
		return cmp.Or(cmp.Compare(share(a), share(b)), cmp.Compare(a.Agent, b.Agent))
	})
	return out, nil
}

func share(c client.AgentCoverage) float64 {
	if c.Share == nil {
		return 2
	}
	return *c.Share
}

func (c counts) shape(agent string) client.AgentCoverage {
	out := client.AgentCoverage{
		Agent: agent, Team: c.team, Environment: c.environment, Results: c.results, Governed: c.governed, Ungoverned: c.results - c.governed, Unchecked: c.unchecked,
	}
	if seen := c.results + c.unchecked; seen > 0 {
		v := float64(c.governed) / float64(seen)
		out.Share = &v
	}
	if !c.last.IsZero() {
		out.LastAt = &c.last
	}
	return out
}
