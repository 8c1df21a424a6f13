package api

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/dataset"
	"reeve/internal/experiment"
	"reeve/internal/kpi"
)

// From a complaint to the gate that has it: counted once the gate is passed after the run
// became a case, and of those alone whom the asker may see.
func TestFixes(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	said := map[string]time.Time{}
	sets, err := dataset.New(t.Context(), dataset.Options{
		DB: db, Now: clock,
		Read: func(_ context.Context, run string) (dataset.Recorded, bool, error) {
			return dataset.Recorded{Agent: "refund", Team: "core", Environment: "production", Input: []dataset.Message{{Role: "user", Content: "?"}}, Feedback: "fb_" + run, FeedbackAt: said[run]}, true, nil
		},
		Redact: func(_, _, text string) (string, []string, error) { return text, nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	nobody := errors.New("nobody asks for this")
	tests, err := experiment.New(t.Context(), experiment.Options{
		DB: db, Now: clock, Agent: func(string) (string, string, string, bool) { return "core", "production", "v1", true },
		Cases: func(context.Context, experiment.Actor, string, int64) ([]experiment.Task, int64, error) {
			return nil, 0, nobody
		},
		Recording: func(context.Context, string) (*experiment.Recording, error) { return nil, nobody },
		Invoke: func(context.Context, *experiment.Test, *experiment.Target, *experiment.Task) (experiment.Said, error) {
			return experiment.Said{}, nobody
		},
		Look: func(context.Context, experiment.Actor, string, string, *experiment.Task, string) (experiment.Check, error) {
			return experiment.Check{}, nobody
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	anybody := func(string, string, string) bool { return true }
	if _, err := sets.Put(t.Context(), dataset.Actor{Can: anybody}, dataset.Set{Name: "golden", Team: "core", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	after := func(d float64) { now = now.Add(time.Duration(d * 24 * float64(time.Hour))) }
	complain := func(run string, kept float64) {
		said[run] = now
		after(kept)
		if _, err := sets.Add(t.Context(), dataset.Actor{Can: anybody}, "golden", dataset.Case{Run: run, Expected: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	pass := func(outcome, set string) {
		st, err := sets.Stands(t.Context(), "golden", 0)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *control.Tx) error {
			_, err := tests.KeepGate(t.Context(), tx, experiment.Actor{}, "refund", outcome, "why", map[string]any{"dataset": set, "dataset_version": st.Version})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	from := now
	pass(experiment.GatePassed, "golden") // before the complaint
	complain("run_1", 1)
	pass(experiment.GateRefused, "golden")
	pass(experiment.GatePassed, "other")
	after(2)
	pass(experiment.GatePassed, "golden") // three days
	after(1)
	complain("run_2", 0.5)
	o := Outside{Datasets: sets, Experiments: tests}
	ask := func(s client.KPIScope, by string) kpi.Figure {
		q := &kpi.Question{From: from, To: now.Add(time.Hour), By: by}
		cells, known, err := o.Figures(&s)(t.Context(), "feedback_to_fix", q)
		if err != nil || !known || len(cells) != 1 {
			t.Fatalf("%+v, %v, %v", cells, known, err)
		}
		return cells[0].Figure
	}
	if f := ask(client.KPIScope{}, ""); f.Value == nil || *f.Value != 3 || f.N != 1 || *f.Coverage != 0.5 || f.Low != nil {
		t.Errorf("%+v", f)
	}
	after(4.5)
	pass(experiment.GatePassed, "golden") // five days of the second
	after(0.5)
	if f := ask(client.KPIScope{Agent: "refund"}, "agent"); f.Value == nil || *f.Value != 4 || f.N != 2 || *f.Coverage != 1 {
		t.Errorf("%+v", f)
	}
	// They are listed as many as they are, page by page, each with its case and its days.
	list := func(r recordsOf) (out []client.KPIRecord) {
		t.Helper()
		r.from, r.to, r.limit = from, now.Add(time.Hour), 1
		for {
			page, next, err := o.records(t.Context(), "feedback_to_fix", &r)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, page...)
			if r.after = next; next == (recordPlace{}) {
				return out
			}
		}
	}
	if l := list(recordsOf{}); len(l) != 2 || *l[0].Value != 5 || l[0].Run != "run_2" || *l[1].Value != 3 || l[1].Run != "run_1" || l[1].Dataset != "golden" || l[1].ID == "" {
		t.Errorf("%+v", l)
	}
	if l := list(recordsOf{by: "agent", group: "other"}); len(l) != 0 {
		t.Errorf("of another agent: %+v", l)
	}
	if l := list(recordsOf{visible: []alert.Place{{Team: "shop", Environment: "production"}}}); len(l) != 0 {
		t.Errorf("for another team: %+v", l)
	}
	// A case that was taken out before the gate was passed is not in it.
	said["run_3"] = now
	gone, err := sets.Add(t.Context(), dataset.Actor{Can: anybody}, "golden", dataset.Case{Run: "run_3", Expected: "x"})
	if err == nil {
		err = sets.Remove(t.Context(), dataset.Actor{Can: anybody}, "golden", gone.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	after(1)
	pass(experiment.GatePassed, "golden")
	after(1)
	if f := ask(client.KPIScope{}, ""); f.N != 2 || *f.Coverage != 2.0/3 {
		t.Errorf("with one that was taken out: %+v", f)
	}
	if f := ask(client.KPIScope{Version: "v1"}, ""); f.Value != nil || f.Why == "" {
		t.Errorf("by version: %+v", f)
	}
	o.See = func(context.Context) []alert.Place { return []alert.Place{{Team: "shop", Environment: "production"}} }
	if cells, _, err := o.Figures(&client.KPIScope{})(t.Context(), "feedback_to_fix", &kpi.Question{From: from, To: now}); err != nil || len(cells) != 0 {
		t.Errorf("of another team: %+v, %v", cells, err)
	}
}
