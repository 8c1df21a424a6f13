package incident

import "testing"

// What waits for a second person is listed over all incidents, and only for who may
// agree: not for who proposed it, and not for who answers for another team.
func TestWaitsForAgreement(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	ctx := t.Context()
	i, err := b.Open(ctx, anybody, Report{Title: "refunds paid twice", Severity: Critical, Kind: WrongAction, Team: "support", Environment: "production", Agents: []string{"refunds"}})
	if err != nil {
		t.Fatal(err)
	}
	task, err := b.AddTask(ctx, anybody, i.ID, Task{Kind: TaskCompensation, Text: "take refund 17 back"})
	if err != nil {
		t.Fatal(err)
	}
	other := anybody
	other.Person = "per_bob"
	for name, c := range map[string]struct {
		who  Actor
		want bool
	}{"who proposed it": {anybody, false}, "another person": {other, true}, "another team's": {of("x", "sales", "production"), false}} {
		if got := b.MayAgree(ctx, c.who, i.ID, task.By, task.Place); got != c.want {
			t.Errorf("%s may agree: %v", name, got)
		}
	}
	if b.MayAgree(ctx, other, "inc_none", task.By, Place{}) {
		t.Error("somebody may agree for an incident that is none")
	}
	for unagreed, want := range map[bool]int{true: 1, false: 1} {
		if all, err := b.OpenCompensations(ctx, unagreed); err != nil || len(all) != want {
			t.Errorf("unagreed %v: %d, %v", unagreed, len(all), err)
		}
	}
	if _, err := b.ChangeTask(ctx, other, task.ID, TaskChange{Approve: true}); err != nil {
		t.Fatal(err)
	}
	for unagreed, want := range map[bool]int{true: 0, false: 1} {
		if all, err := b.OpenCompensations(ctx, unagreed); err != nil || len(all) != want {
			t.Errorf("agreed to, unagreed %v: %d, %v", unagreed, len(all), err)
		}
	}
	if _, err := b.PutRunbook(ctx, anybody, Runbook{Name: "ask", Approval: true, Steps: []RunbookStep{{Text: "Ask the owners"}}}); err != nil {
		t.Fatal(err)
	}
	r, err := b.StartRunbook(ctx, anybody, i.ID, "ask", "they are wrong")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := b.WaitingRuns(ctx); err != nil || len(all) != 1 || all[0].ID != r.ID {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := b.ApproveRunbook(ctx, other, r.ID); err != nil {
		t.Fatal(err)
	}
	if all, err := b.WaitingRuns(ctx); err != nil || len(all) != 0 {
		t.Errorf("after it was agreed to: %+v, %v", all, err)
	}
}
