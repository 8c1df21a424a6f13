package app

import (
	"context"
	"net/http"
	"time"

	"reeve/internal/gateway"
	"reeve/internal/lesson"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// openLessons reads the lessons.
func (a *App) openLessons(ctx context.Context) (err error) {
	a.lessons, err = lesson.New(ctx, lesson.Options{DB: a.control, Measured: a.measured, Logger: a.log.With("part", "lessons")})
	return err
}

// lessonServer gives agents their lessons at the door, by the credential of a call.
func (a *App) lessonServer() *lesson.Server {
	return lesson.NewServer(a.lessons, func(r *http.Request) (lesson.Agent, error) {
		c, err := a.gateway.Identify(r)
		if err != nil {
			return lesson.Agent{}, err
		}
		return lesson.Agent{Name: c.Agent.Name, Team: c.Agent.Team, Environment: c.Agent.Environment}, nil
	}, gateway.Refuse, a.o.Version)
}

// measures are how a lesson's measure is read from runs.
var measures = map[string]telemetry.Measure{
	"errors": {Func: "avg", Field: "errors"}, "cost": {Func: "avg", Field: "cost"}, "duration": {Func: "p95", Field: "duration_ms"}, "steps": {Func: "avg", Field: "steps"},
}

// measured reads a measure of agents' runs: a mean of a run, the 95th percentile of
// durations, or the share in which a step failed.
func (a *App) measured(ctx context.Context, measure string, agents []string, environment string, from, to time.Time) (value float64, runs int64, err error) {
	var where search.Expr = search.Is("agent", agents...)
	if environment != "" {
		where = search.Both(where, search.Is("environment", environment))
	}
	ask := func(where search.Expr, m telemetry.Measure) (float64, int64, error) {
		m.As = "value"
		res, err := a.store.Query(ctx, telemetry.Query{Table: "runs", Where: where, From: from, To: to, Select: []telemetry.Measure{{Func: "count", As: "runs"}, m}, Limit: 1})
		if err != nil || len(res.Rows) == 0 {
			return 0, 0, err
		}
		var v float64
		var n int64
		for i, c := range res.Columns {
			switch x := res.Rows[0][i].(type) {
			case float64:
				if c.Name == "runs" {
					n = int64(x)
				} else {
					v = x
				}
			default:
				k, ok := whole(x)
				switch {
				case ok && c.Name == "runs":
					n = k
				case ok:
					v = float64(k)
				}
			}
		}
		return v, n, nil
	}
	m, ok := measures[measure]
	if ok {
		return ask(where, m)
	}
	_, runs, err = ask(where, telemetry.Measure{Func: "sum", Field: "errors"})
	if err != nil || runs == 0 {
		return 0, 0, err
	}
	_, failed, err := ask(search.Both(where, &search.Cmp{Field: "errors", Op: ">", Values: []string{"0"}}), telemetry.Measure{Func: "sum", Field: "errors"})
	return float64(failed) / float64(runs), runs, err
}
