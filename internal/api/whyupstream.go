package api

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/provenance"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// windows are the stretches of time by which the parts behind a symptom are
// compared: ordinary ones, those just before, and those since it began.
type windows struct {
	start                 time.Time
	each                  time.Duration
	normal, before, total int
}

const (
	normalWindows = 48
	beforeWindows = 6
)

// windowsOf cuts the time of a symptom, and enough before it, into windows.
func windowsOf(from, to time.Time) windows {
	each := min(max(to.Sub(from)/12, time.Minute), time.Hour).Round(time.Minute)
	now := max(1, int(math.Ceil(float64(to.Sub(from))/float64(each))))
	now = min(now, 48)
	start := from.Truncate(each).Add(-time.Duration(normalWindows+beforeWindows) * each)
	return windows{start: start, each: each, normal: normalWindows, before: beforeWindows, total: normalWindows + beforeWindows + now}
}

func (w *windows) end() time.Time { return w.start.Add(time.Duration(w.total) * w.each) }

func (w *windows) index(t time.Time) int { return int(t.Sub(w.start) / w.each) }

// part cuts figures by window into those of a part.
func (w *windows) part(id string, figures, volumes []float64) provenance.Part {
	p := provenance.Part{ID: id, Normal: figures[:w.normal], Before: figures[w.normal : w.normal+w.before], Now: figures[w.normal+w.before:]}
	most := math.Inf(-1)
	for _, v := range p.Normal {
		if !math.IsNaN(v) {
			most = max(most, v)
		}
	}
	for i, v := range figures[w.normal:] {
		if !math.IsInf(most, -1) && v > most {
			p.Onset = w.start.Add(time.Duration(w.normal+i) * w.each)
			break
		}
	}
	for _, v := range volumes[w.normal+w.before:] {
		p.Volume += v / float64(w.total-w.normal-w.before)
	}
	return p
}

// unknowns are figures that nobody knows.
func (w *windows) unknowns() []float64 {
	out := make([]float64, w.total)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// mostParts bounds the tools, models and sources that are compared.
const mostParts = 60

// upstream ranks what agents stand on by what of it left its ordinary range with
// the symptom. Where the agents' own figures are ordinary the symptom is what
// somebody said, and has none.
func (a *API) upstream(ctx context.Context, agents []string, team, environment string, from, to time.Time) ([]client.WhyCause, error) {
	out := []client.WhyCause{}
	if agents = slices.DeleteFunc(slices.Clone(agents), func(s string) bool { return s == "" }); len(agents) == 0 {
		return out, nil
	}
	u := upstreamAsk{a: a, ctx: ctx, w: windowsOf(from, to)}
	u.where = search.Both(search.Is("agent", agents...), exactly("team", team), exactly("environment", environment))
	symptom := "agent:" + agents[0]
	if len(agents) > 1 {
		symptom = "agents"
	}
	if err := u.symptom(symptom); err != nil {
		return nil, err
	}
	for _, dimension := range []string{"tool", "model"} {
		if err := u.calls(symptom, dimension); err != nil {
			return nil, err
		}
	}
	if err := u.sources(symptom); err != nil {
		return nil, err
	}
	if err := u.changed(agents[0], team, environment, symptom, len(agents) == 1); err != nil {
		return nil, err
	}
	for _, c := range provenance.Rank(symptom, u.parts, u.edges) {
		if c.ID == symptom || c.Score < .01 {
			continue
		}
		kind, name, _ := strings.Cut(c.ID, ":")
		out = append(out, client.WhyCause{Node: c.ID, Kind: kind, Name: name, Score: c.Score, Path: c.Path, Reasons: list(c.Reasons)})
		if len(out) == 10 {
			break
		}
	}
	return out, nil
}

type upstreamAsk struct {
	a     *API
	ctx   context.Context
	w     windows
	where search.Expr
	parts []provenance.Part
	edges []provenance.Edge
}

func (u *upstreamAsk) ask(table string, by []string, measures ...telemetry.Measure) (*answers, error) {
	q := telemetry.Query{Table: table, Select: measures, GroupBy: by, Bucket: u.w.each, From: u.w.start, To: u.w.end(), Limit: maxQueryRows}
	if err := u.a.restrict(u.ctx, &q, queryTables[table], u.where); err != nil {
		return nil, err
	}
	res, err := u.a.o.Store.Query(u.ctx, q)
	if err != nil {
		return nil, err
	}
	return newAnswers(res), nil
}

// symptom is the share of runs that failed.
func (u *upstreamAsk) symptom(id string) error {
	got, err := u.ask("runs", nil, telemetry.Measure{Func: "count", As: "count"}, telemetry.Measure{Func: "sum", Field: "failed", As: "failed"})
	if err != nil {
		return err
	}
	shares, counts := u.w.unknowns(), make([]float64, u.w.total)
	for _, row := range got.rows {
		at, ok := got.bucket(row)
		if i := u.w.index(at); ok && i >= 0 && i < u.w.total {
			if n := got.count(row, "count"); n > 0 {
				shares[i], counts[i] = float64(got.count(row, "failed"))/float64(n), float64(n)
			}
		}
	}
	p := u.w.part(id, shares, counts)
	if len(provenance.Rank(id, []provenance.Part{p}, nil)) == 0 {
		p = provenance.Part{ID: id} // its own figures are ordinary: what was said of it is the symptom
	}
	u.parts = append(u.parts, p)
	return nil
}

// calls are the tools or models that the agents called, by the share of calls that
// failed and by how long they took, whichever is further out.
func (u *upstreamAsk) calls(symptom, dimension string) error {
	got, err := u.ask("steps", []string{dimension}, telemetry.Measure{Func: "count", As: "count"}, telemetry.Measure{Func: "sum", Field: "errors", As: "errors"},
		telemetry.Measure{Func: "p50", Field: "duration_ms", As: "p50"})
	if err != nil {
		return err
	}
	type sums struct{ shares, times, counts []float64 }
	byName := map[string]*sums{}
	var names []string
	for _, row := range got.rows {
		name := got.text(row, dimension)
		at, ok := got.bucket(row)
		i := u.w.index(at)
		if name == "" || !ok || i < 0 || i >= u.w.total {
			continue
		}
		s := byName[name]
		if s == nil {
			if len(names) == mostParts {
				continue
			}
			s = &sums{u.w.unknowns(), u.w.unknowns(), make([]float64, u.w.total)}
			byName[name] = s
			names = append(names, name)
		}
		n := float64(got.count(row, "count"))
		s.counts[i] = n
		if n > 0 {
			s.shares[i] = float64(got.count(row, "errors")) / n
		}
		if v := got.number(row, "p50"); v != nil {
			s.times[i] = *v
		}
	}
	slices.Sort(names)
	for _, name := range names {
		s, id := byName[name], dimension+":"+name
		failing, slow := u.w.part(id, s.shares, s.counts), u.w.part(id, s.times, s.counts)
		best := failing
		if f, t := provenance.Out(failing), provenance.Out(slow); t > f && f < 3 {
			best = slow
			best.Volume = 0 // milliseconds and shares do not add up
		}
		u.parts, u.edges = append(u.parts, best), append(u.edges, provenance.Edge{From: symptom, To: id})
	}
	return nil
}

// sources are what the agents read, by their age, and the jobs that make them.
func (u *upstreamAsk) sources(symptom string) error {
	if u.a.o.Sources == nil {
		return nil
	}
	q := telemetry.RunsQuery{Filter: u.where, From: u.w.end().Add(-time.Duration(u.w.total-u.w.normal) * u.w.each), To: u.w.end(), Limit: 200, Sort: "started"}
	q.Teams, _ = reachOf(whoOf(u.ctx), "viewer")
	page, err := u.a.runs(u.ctx, q)
	if err != nil {
		return err
	}
	read := map[string]bool{}
	for i := range page.Runs {
		for _, s := range page.Runs[i].Sources {
			read[strings.ToLower(s)] = true
		}
	}
	if len(read) == 0 {
		return nil
	}
	all, err := u.a.o.Sources.List(u.ctx)
	if err != nil {
		return err
	}
	who := whoOf(u.ctx)
	for i := range all {
		s := &all[i]
		called := append([]string{s.Name, s.Dataset}, s.Aliases...)
		if !maySeeSource(who, s.Team) || !slices.ContainsFunc(called, func(n string) bool { return n != "" && read[strings.ToLower(n)] }) {
			continue
		}
		if err := u.source(symptom, s.Name); err != nil {
			return err
		}
		if len(u.parts) > 3*mostParts {
			break
		}
	}
	return nil
}

func (u *upstreamAsk) source(symptom, name string) error {
	d, err := u.a.o.Sources.Get(u.ctx, name)
	if err != nil {
		return err
	}
	ages := u.w.unknowns()
	for i := range ages {
		at := u.w.start.Add(time.Duration(i+1) * u.w.each)
		for _, v := range d.History { // the newest first
			if !v.At.After(at) {
				ages[i] = at.Sub(v.At).Hours()
				break
			}
		}
	}
	id := "source:" + name
	u.parts = append(u.parts, u.w.part(id, ages, make([]float64, u.w.total)))
	u.edges = append(u.edges, provenance.Edge{From: symptom, To: id})
	for _, c := range d.Upstream {
		job := "job:" + c.Job
		bad := make([]float64, u.w.total)
		for i := range bad {
			if !c.At.After(u.w.start.Add(time.Duration(i+1) * u.w.each)) {
				bad[i] = 1
			}
		}
		p := u.w.part(job, bad, make([]float64, u.w.total))
		p.Changed, p.Change = c.At, "it was "+c.State
		u.parts = append(u.parts, p)
		u.edges = append(u.edges, provenance.Edge{From: id, To: job})
	}
	return nil
}

// changed notes on the parts what was changed of them.
func (u *upstreamAsk) changed(agent, team, environment, symptom string, one bool) error {
	if u.a.o.Changes == nil {
		return nil
	}
	all, err := u.a.changesOf(u.ctx, agent, team, environment, u.w.end().Add(-24*time.Hour), u.w.end())
	if err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		for k := range u.parts {
			p := &u.parts[k]
			_, name, _ := strings.Cut(p.ID, ":")
			about := len(name) > 2 && (c.Key == name || strings.Contains(c.Title, name)) || one && p.ID == symptom && c.Agent == agent
			if about && c.At.After(p.Changed) {
				p.Changed, p.Change = c.At, c.Title
			}
		}
	}
	return nil
}
