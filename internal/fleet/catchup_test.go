package fleet

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// shelf is a store that holds what the test put there.
type shelf struct {
	cursor uint64
	steps  []activity.Step
	fail   error
}

func (s *shelf) Cursor(context.Context, int) (uint64, error) { return s.cursor, nil }

func (s *shelf) Runs(context.Context, telemetry.RunsQuery) (telemetry.RunsPage, error) {
	var page telemetry.RunsPage
	for _, st := range s.steps {
		page.Runs = append(page.Runs, activity.Run{ID: st.Run, Agent: st.Agent, Team: st.Team, Environment: st.Environment, Updated: st.Received})
	}
	slices.SortFunc(page.Runs, func(a, b activity.Run) int { return cmp.Compare(b.Updated, a.Updated) })
	return page, s.fail
}

func (s *shelf) StepsPage(_ context.Context, id activity.RunID, _ telemetry.StepsQuery) (telemetry.StepsPage, error) {
	var page telemetry.StepsPage
	for _, st := range s.steps {
		if st.Run == id {
			page.Steps = append(page.Steps, st)
		}
	}
	return page, nil
}

func TestCatchUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	store := &shelf{}
	put := func(name string) {
		h.pass(1e9)
		s := h.named(name)
		s.Received = h.clock().UnixNano()
		store.steps = append(store.steps, s)
		store.cursor++
		h.cursor = store.cursor - 1
		h.observe(s)
	}
	put("a")
	put("a")
	h.flushed()
	put("a") // these two are only in memory when the process dies
	put("b")
	h.restart()
	if u := h.only(Open); u.Seen != 2 {
		t.Fatalf("before: %+v", u)
	}
	if err := h.CatchUp(t.Context(), store, 0); err != nil {
		t.Fatal(err)
	}
	h.flushed()
	seen := map[string]int64{}
	for _, u := range h.Unknowns(Open) {
		seen[u.Name] = u.Seen
	}
	if seen["a"] != 3 || seen["b"] != 1 {
		t.Errorf("after a crash %v", seen)
	}
	h.restart()
	store.fail = errors.New("must not be asked")
	if err := h.CatchUp(t.Context(), store, 0); err != nil {
		t.Errorf("with nothing to catch up with: %v", err)
	}
	store.cursor++
	if err := h.CatchUp(t.Context(), store, 0); err == nil {
		t.Error("a store that fails is no error")
	}
}
