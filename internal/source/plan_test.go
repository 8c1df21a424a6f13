package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// auditors answers in place of an agent.
type auditors struct {
	no    error
	asked []AuditPlan
	came  Asked
}

func (x *auditors) Check(context.Context, Actor, string, *AuditPlan) error { return x.no }

func (x *auditors) Ask(_ context.Context, p *AuditPlan) (string, error) {
	x.asked = append(x.asked, *p)
	return "xpr_1", x.no
}

func (x *auditors) Asked(context.Context, string) (Asked, error) { return x.came, nil }

// A plan asks when its time has come; what that came to breaks the source's limit as a
// given audit does, what was lost is asked again at once, and what cannot be says why.
func TestAuditPlan(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	x := &auditors{}
	b.o.Auditor = x
	who := Actor{Person: "ada", Can: anyone}
	if _, err := b.Put(t.Context(), who, client.PutSourceRequest{Name: "prices", Team: "support", MinAccuracy: ptr(0.9), OnBreach: Out}); err != nil {
		t.Fatal(err)
	}
	plan := AuditPlan{Source: "prices", Agent: "refund", Questions: FromSheet, Sheet: []Known{{"What?", "12 euros"}}, Every: 24 * time.Hour}
	other := Actor{Person: "eve", Can: func(_, team, _ string) bool { return team == "sales" }}
	for what, put := range map[string]func() error{
		"another team's plan":    func() error { _, err := b.PutPlan(t.Context(), other, plan); return err },
		"another team's end":     func() error { return b.DropPlan(t.Context(), other, "prices") },
		"another team's request": func() error { _, err := b.PlanNow(t.Context(), other, "prices"); return err },
	} {
		if err := put(); !fault.Is(err, fault.KindDenied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := b.PlanNow(t.Context(), who, "prices"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a plan that is not there: %v", err)
	}
	p, err := b.PutPlan(t.Context(), who, plan)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutPlan(t.Context(), who, plan); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a plan that was changed meanwhile: %v", err)
	}
	look := func(asked int, running string, trouble string) {
		t.Helper()
		if err := b.plansDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p, err = b.Plan(t.Context(), "prices"); err != nil || len(x.asked) != asked || p.Running != running || !strings.Contains(p.Trouble, trouble) || trouble == "" && p.Trouble != "" {
			t.Fatalf("asked %d, %+v %v", len(x.asked), p, err)
		}
	}
	look(1, "xpr_1", "")
	look(1, "xpr_1", "") // it is underway
	if _, err := b.PlanNow(t.Context(), who, "prices"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("asked while it asks: %v", err)
	}
	x.came = Asked{Failed: true, Lost: true}
	look(1, "", "started anew")
	look(2, "xpr_1", "")
	x.came = Asked{Done: true, Items: []Answered{{Item: "1", Why: "no answer within 1m0s"}}}
	look(2, "", "none of 1 questions was answered; the first: no answer within")
	if audits, err := b.Audits(t.Context(), "prices"); err != nil || len(audits) != 0 {
		t.Errorf("an audit of no answers: %+v %v", audits, err)
	}
	look(2, "", "none of") // not before its time
	*now = now.Add(25 * time.Hour)
	x.no = errors.New("the data set cannot be read")
	look(3, "", "went wrong")
	*now = now.Add(59 * time.Minute)
	look(3, "", "went wrong")
	x.no = nil
	if _, err := b.PlanNow(t.Context(), who, "prices"); err != nil {
		t.Fatal(err)
	}
	look(4, "xpr_1", "")
	x.came = Asked{Done: true}
	for i := range 20 {
		x.came.Items = append(x.came.Items, Answered{Item: "1", Said: true, Right: i < 10})
	}
	look(4, "", "")
	var told []Told
	if err := b.keep(t.Context(), func(_ context.Context, x Told) { told = append(told, x) }); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Breaches[0].Limit != "min_accuracy" || !told[0].Out || !b.IsOut("support", "prices", false) {
		t.Errorf("10 of 20 are wrong: told %+v", told)
	}
	for i := range x.came.Items {
		x.came.Items[i].Right = true
	}
	*now = now.Add(25 * time.Hour)
	look(5, "xpr_1", "")
	look(5, "", "")
	if err := b.keep(t.Context(), func(context.Context, Told) {}); err != nil || b.IsOut("support", "prices", false) {
		t.Errorf("all are right, and it is out still: %v", err)
	}
	p.Paused = true
	if p, err = b.PutPlan(t.Context(), who, p); err != nil || !p.NextAt.IsZero() {
		t.Errorf("%+v %v", p, err)
	}
	*now = now.Add(48 * time.Hour)
	look(5, "", "")
	if err := b.DropPlan(t.Context(), who, "prices"); err != nil {
		t.Fatal(err)
	}
	if err := b.DropPlan(t.Context(), who, "prices"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("ended twice: %v", err)
	}
}
