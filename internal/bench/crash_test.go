package bench

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
)

// archive answers the API as a server would that kept exactly these spans.
type archive struct {
	steps map[string][]client.Step // by run
}

func (a *archive) keep(agent string, s SpanTruth) {
	id := activity.RunOfTrace(s.Trace).String()
	step := client.Step{ID: activity.StepOfSpan(s.Trace, s.Span).String(), RunID: id, Agent: agent, Kind: "tool"}
	if s.Truth.ModelCalls > 0 {
		cost := float64(s.Truth.CostNanos) / 1e9
		step.Kind = "model"
		step.Usage = client.Usage{InputTotal: &s.Truth.InputTokens, OutputTotal: &s.Truth.OutputTokens}
		step.Cost.Amount = &cost
	}
	a.steps[id] = append(a.steps[id], step)
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/"), "/")
	switch {
	case path[0] == "query":
		sums := map[string]Truth{}
		for _, steps := range a.steps {
			for _, s := range steps {
				t := sums[s.Agent]
				t.Add(stepTruth(s))
				sums[s.Agent] = t
			}
		}
		res := client.QueryResult{Columns: []client.QueryColumn{{Name: "agent"}, {Name: "n"}, {Name: "input"}, {Name: "output"}, {Name: "cost"}}}
		for agent, t := range sums {
			res.Rows = append(res.Rows, []any{agent, t.Spans, t.InputTokens, t.OutputTokens, float64(t.CostNanos) / 1e9})
		}
		_ = json.NewEncoder(w).Encode(res)
	case a.steps[path[1]] == nil:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"status":404,"code":"x.not_found"}`))
	case len(path) == 3:
		_ = json.NewEncoder(w).Encode(client.List[client.Step]{Items: a.steps[path[1]]})
	default:
		var sum Truth
		for _, s := range a.steps[path[1]] {
			sum.Add(stepTruth(s))
		}
		cost := float64(sum.CostNanos) / 1e9
		_ = json.NewEncoder(w).Encode(client.Run{
			ID: path[1], StepCount: sum.Spans, ModelCalls: sum.ModelCalls,
			Usage: client.Usage{InputTotal: &sum.InputTokens, OutputTotal: &sum.OutputTokens}, Cost: client.Cost{Amount: &cost},
		})
	}
}

// The comparison finds each way in which a server can be wrong, and nothing
// where it is right.
func TestCompareFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                    string
		spoil                   func(a *archive, run string)
		missing, twice, foreign int64
		totals                  bool
	}{
		{name: "nothing wrong", spoil: func(*archive, string) {}},
		{name: "one lost", spoil: func(a *archive, run string) { a.steps[run] = a.steps[run][1:] }, missing: 1},
		{name: "a run lost", spoil: func(a *archive, run string) { delete(a.steps, run) }, missing: -1},
		{name: "one doubled", spoil: func(a *archive, run string) { a.steps[run] = append(a.steps[run], a.steps[run][0]) }, twice: 1, totals: true},
		{name: "one invented", spoil: func(a *archive, run string) {
			a.steps[run] = append(a.steps[run], client.Step{ID: "stp_nobody", Agent: "x"})
		}, foreign: 1, totals: true},
		{name: "tokens changed", spoil: func(a *archive, run string) {
			n := int64(7)
			for i := range a.steps[run] {
				if a.steps[run][i].Kind == "model" {
					a.steps[run][i].Usage.InputTotal = &n
				}
			}
		}, totals: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			kept := &archive{steps: map[string][]client.Step{}}
			l := &ledger{spans: map[activity.RunID]map[string]spanFate{}, report: &CrashReport{}}
			agents := Load{Spans: 300, Agents: 2, OpenRuns: 5, Batch: 50, Cost: true}.AgentsOf()
			for _, a := range agents {
				a.KeepSpans = true
				for i := 0; ; i++ {
					_, truth := a.Body(nil)
					if truth.Spans == 0 {
						break
					}
					acked := i != 1 // the second body was abandoned: half of it is there
					l.note(a.Last, acked)
					for j, s := range a.Last {
						if acked || j%2 == 0 {
							kept.keep(a.name, s)
						}
					}
				}
			}
			s := httptest.NewServer(kept)
			t.Cleanup(s.Close)
			run := activity.RunOfTrace(agents[0].Recent()[0]).String()
			tt.spoil(kept, run)
			if err := l.compareOnce(t.Context(), newAPI(s.URL, ""), window{}); err != nil {
				t.Fatal(err)
			}
			r := l.report
			if tt.missing == -1 && r.Missing > 1 {
				tt.missing = r.Missing
			}
			if r.Missing != tt.missing || r.Twice != tt.twice || r.Foreign != tt.foreign || (len(r.WrongTotals) > 0) != tt.totals {
				t.Errorf("missing %d, twice %d, foreign %d, totals %q", r.Missing, r.Twice, r.Foreign, r.WrongTotals)
			}
			if clean := tt.name == "nothing wrong"; (r.Err() == nil) != clean {
				t.Errorf("verdict: %v", r.Err())
			}
		})
	}
}
