package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/bus"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// memStore answers from memory what the tests put in; it pages by offset, so a
// wrong use of cursors shows.
type memStore struct {
	telemetry.Store // what is not overridden panics
	mu              sync.Mutex
	runs            []activity.Run
	steps           map[activity.RunID][]activity.Step
	messages        map[activity.RunID][]activity.Message
	logs            []activity.LogRecord
	points          []activity.MetricPoint
	asked           []telemetry.Query
	answer          func(telemetry.Query) (*telemetry.Result, error)
}

func (m *memStore) Run(_ context.Context, id activity.RunID) (*activity.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.runs {
		if m.runs[i].ID == id {
			r := m.runs[i]
			return &r, nil
		}
	}
	return nil, fault.New(fault.KindNotFound, "run.not_found", "none")
}

func (m *memStore) Runs(_ context.Context, q telemetry.RunsQuery) (telemetry.RunsPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rows []activity.Run
	for i := range m.runs {
		r := &m.runs[i]
		ok, err := search.Match(q.Filter, r, func() []activity.Step { return m.steps[r.ID] })
		if err != nil {
			return telemetry.RunsPage{}, err
		}
		if ok && inPeriod(r, q.From, q.To) && (q.Teams == nil || slices.Contains(q.Teams, r.Team)) {
			rows = append(rows, *r)
		}
	}
	key := sorts[strings.TrimPrefix(q.Sort, "-")]
	slices.SortFunc(rows, func(x, y activity.Run) int {
		c := cmp.Compare(key(&y), key(&x))
		if strings.HasPrefix(q.Sort, "-") {
			c = -c
		}
		return cmp.Or(c, strings.Compare(x.ID.String(), y.ID.String()))
	})
	at := 0
	if q.Cursor != "" {
		at, _ = strconv.Atoi(q.Cursor)
	}
	end := min(at+q.Limit, len(rows))
	page := telemetry.RunsPage{Runs: rows[at:end]}
	if end < len(rows) {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

func (m *memStore) StepsPage(_ context.Context, id activity.RunID, q telemetry.StepsQuery) (page telemetry.StepsPage, err error) {
	after := activity.Step{Fragment: activity.Fragment{Start: q.After.Start, Step: q.After.Step}}
	for _, s := range m.steps[id] {
		if q.After == (telemetry.StepPlace{}) || telemetry.ByStart(s, after) > 0 {
			page.Steps = append(page.Steps, s)
		}
	}
	slices.SortFunc(page.Steps, telemetry.ByStart)
	if page.More = q.Limit > 0 && len(page.Steps) > q.Limit; page.More {
		page.Steps = page.Steps[:q.Limit]
	}
	return page, nil
}

func (m *memStore) Step(_ context.Context, run activity.RunID, id activity.StepID) (*activity.Step, error) {
	for _, s := range m.steps[run] {
		if s.Step == id {
			return &s, nil
		}
	}
	return nil, fault.New(fault.KindNotFound, "telemetry.no_step", "there is no step %s", id)
}

func (m *memStore) Messages(_ context.Context, id activity.RunID, list []int32) ([]activity.Message, error) {
	var out []activity.Message
	for _, msg := range m.messages[id] {
		if list == nil || slices.Contains(list, msg.Ordinal) {
			out = append(out, msg)
		}
	}
	return out, nil
}

func (m *memStore) Logs(_ context.Context, q telemetry.LogsQuery) (telemetry.LogsPage, error) {
	var out []activity.LogRecord
	for _, r := range m.logs {
		if (q.Run.IsZero() || r.Run == q.Run) && (!q.OnlyLoose || r.Run.IsZero()) && (q.Agent == "" || r.Agent == q.Agent) && inPlaces(q.Places, r.Team, r.Environment) {
			out = append(out, r)
		}
	}
	return telemetry.LogsPage{Logs: out}, nil
}

func (m *memStore) Metrics(_ context.Context, q telemetry.MetricsQuery) (telemetry.MetricsPage, error) {
	var out []activity.MetricPoint
	for _, p := range m.points {
		if (q.Agent == "" || p.Agent == q.Agent) && inPlaces(q.Places, p.Team, p.Environment) {
			out = append(out, p)
		}
	}
	return telemetry.MetricsPage{Points: out}, nil
}

func inPlaces(places []telemetry.Place, team, environment string) bool {
	return places == nil || slices.ContainsFunc(places, func(p telemetry.Place) bool { return p.Holds(team, environment) })
}

func (m *memStore) Query(_ context.Context, q telemetry.Query) (*telemetry.Result, error) {
	m.mu.Lock()
	m.asked = append(m.asked, q)
	answer := m.answer
	m.mu.Unlock()
	if answer != nil {
		return answer(q)
	}
	r := &telemetry.Result{Source: "rows"}
	for _, g := range q.GroupBy {
		r.Columns = append(r.Columns, telemetry.Column{Name: g, Kind: "dimension"})
	}
	for _, s := range q.Select {
		r.Columns = append(r.Columns, telemetry.Column{Name: s.As, Kind: "measure"})
	}
	return r, nil
}

// memLive is a hot tail.
type memLive struct {
	runs     map[activity.RunID]activity.Run
	steps    map[activity.RunID][]activity.Step
	messages map[activity.RunID][]activity.Message
}

func (m *memLive) LiveRun(id activity.RunID) (*activity.Run, bool) {
	r, ok := m.runs[id]
	return &r, ok
}

func (m *memLive) Live(id activity.RunID) (*activity.Run, []activity.Step, []activity.Message, bool) {
	r, ok := m.runs[id]
	return &r, m.steps[id], m.messages[id], ok
}

func (m *memLive) LiveRuns(filter search.Expr) []activity.Run {
	var out []activity.Run
	for id, r := range m.runs {
		if ok, err := search.Match(filter, &r, func() []activity.Step { return m.steps[id] }); err == nil && ok {
			out = append(out, r)
		}
	}
	return out
}

// memEvents is a stream of events that forgets those before first.
type memEvents struct {
	mu     sync.Mutex
	first  uint64
	events []bus.Event
	grown  chan struct{}
}

func newMemEvents() *memEvents { return &memEvents{first: 1, grown: make(chan struct{})} }

func (m *memEvents) publish(ev ...bus.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, ev...)
	close(m.grown)
	m.grown = make(chan struct{})
}

func (m *memEvents) Last(context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.first + uint64(len(m.events)) - 1, nil
}

func (m *memEvents) Read(ctx context.Context, after uint64, handle func(uint64, time.Time, bus.Event) error) error {
	for {
		m.mu.Lock()
		if after+1 < m.first || after >= m.first+uint64(len(m.events)) {
			m.mu.Unlock()
			return bus.ErrTooOld
		}
		todo, grown := slices.Clone(m.events[after+1-m.first:]), m.grown
		m.mu.Unlock()
		for _, ev := range todo {
			after++
			if err := handle(after, time.Time{}, ev); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-grown:
		}
	}
}
