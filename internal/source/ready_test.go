package source

import (
	"context"
	"fmt"
	"testing"
	"time"

	"reeve/client"
)

// A source that breaks a limit is told of, and out of use while it does, where its
// team said so; it comes back by itself. What a person took out stays out.
func TestReadinessKeepsLimits(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	who := Actor{Person: "ada", Can: anyone}
	tenth := 0.1
	for _, in := range []client.PutSourceRequest{
		{Name: "orders", Team: "support", Namespace: "pg", Dataset: "orders", MaxErrorRate: &tenth, OnBreach: Out},
		{Name: "prices", Team: "support", Namespace: "pg", Dataset: "prices", MinAccuracy: ptr(0.9)},
	} {
		if _, err := b.Put(t.Context(), who, in); err != nil {
			t.Fatal(err)
		}
	}
	results := func(failed, all int, day int) {
		t.Helper()
		f := &Facts{}
		for i := range all {
			f.Checks = append(f.Checks, Check{Dataset: Dataset{"pg", "orders"}, Name: fmt.Sprint("not_null_", i), OK: i >= failed, At: t0.Add(time.Duration(day) * 24 * time.Hour)})
		}
		*now = t0.Add(time.Duration(day)*24*time.Hour + time.Minute)
		if err := b.Take(t.Context(), Sender{Team: "support"}, f); err != nil {
			t.Fatal(err)
		}
	}
	var told []Told
	keep := func() {
		t.Helper()
		told = nil
		if err := b.keep(t.Context(), func(_ context.Context, x Told) { told = append(told, x) }); err != nil {
			t.Fatal(err)
		}
	}
	results(3, 9, 1) // too few to say anything
	keep()
	if len(told) != 0 {
		t.Errorf("told of %+v after nine results", told)
	}
	results(3, 20, 2) // 6 of 29: the interval begins below a tenth
	keep()
	if len(told) != 0 {
		t.Errorf("told of %+v, whose interval reaches the limit", told)
	}
	results(15, 20, 3)
	keep()
	if len(told) != 1 || told[0].Source.Name != "orders" || !told[0].Out || told[0].Breaches[0].Limit != "max_error_rate" || !b.IsOut("support", "orders", false) {
		t.Errorf("told %+v, out %t", told, b.IsOut("support", "orders", false))
	}
	keep() // told again while it is so
	if len(told) != 1 || !told[0].Out {
		t.Errorf("the next minute: %+v", told)
	}
	*now = t0.Add(60 * 24 * time.Hour)
	keep()
	if len(told) != 0 || !b.IsOut("support", "orders", false) {
		t.Errorf("nothing was heard of it, and it came back: %+v", told)
	}
	results(0, 20, 61)
	keep()
	if len(told) != 0 || b.IsOut("support", "orders", false) {
		t.Errorf("when the failures are old: %+v, out %t", told, b.IsOut("support", "orders", false))
	}
	if _, err := b.TakeOut(t.Context(), who, client.TakeSourceOutRequest{Name: "orders", Reason: "by hand"}); err != nil {
		t.Fatal(err)
	}
	if keep(); !b.IsOut("support", "orders", false) {
		t.Error("what a person took out came back by itself")
	}

	items := []client.AuditItem{}
	for i := range 20 {
		answer := "The standard price is 12.50 euros a month."
		if i%2 == 0 {
			answer = "The standard price is 9.99 euros a month."
		}
		items = append(items, client.AuditItem{Question: fmt.Sprint("What does plan ", i, " cost?"), Answer: answer, Truth: "12.50 euros a month"})
	}
	a, err := b.Audit(t.Context(), who, client.AuditSourceRequest{Name: "prices", Truth: "price list", Items: items})
	if err != nil || a.Asked != 20 || a.Correct != 10 || len(a.Wrong) != 10 {
		t.Fatalf("the audit: %+v, %v", a, err)
	}
	keep()
	if len(told) != 1 || told[0].Source.Name != "prices" || told[0].Out || told[0].Breaches[0].Limit != "min_accuracy" {
		t.Errorf("after the audit: %+v", told)
	}
	all, err := b.Readiness(t.Context())
	if err != nil || len(all) != 2 || all[0].Source.Name != "prices" || all[0].Accuracy.N != 20 {
		t.Errorf("readiness %+v, %v", all, err)
	}
}

func ptr[T any](v T) *T { return &v }

// At most a few sources are taken out by themselves in an hour.
func TestReadinessBrake(t *testing.T) {
	t.Parallel()
	b, now := open(t)
	who := Actor{Person: "ada", Can: anyone}
	f := &Facts{}
	for i := range 2 * outPerHour {
		name := fmt.Sprint("s", i)
		if _, err := b.Put(t.Context(), who, client.PutSourceRequest{Name: name, Team: "support", Namespace: "pg", Dataset: name, MaxAge: "1h", OnBreach: Out}); err != nil {
			t.Fatal(err)
		}
		f.Versions = append(f.Versions, Version{Dataset: Dataset{"pg", name}, Version: "1", At: t0, Items: -1})
	}
	if err := b.Take(t.Context(), Sender{Team: "support"}, f); err != nil {
		t.Fatal(err)
	}
	*now = t0.Add(2 * time.Hour)
	n, told := 0, 0
	if err := b.keep(t.Context(), func(context.Context, Told) { told++ }); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * outPerHour {
		if b.IsOut("support", fmt.Sprint("s", i), false) {
			n++
		}
	}
	if n != outPerHour || told != 2*outPerHour {
		t.Errorf("%d sources are out and %d were told of, want %d and %d", n, told, outPerHour, 2*outPerHour)
	}
}

func TestAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer, truth string
		want          bool
	}{
		{"You have 30 days to return it.", "30 days", true},
		{"You have 14 days to return it.", "30 days", false},
		{"It costs 1,250.50 a year", "1,250.50", true},
		{"Refunds go to the original card within five days.", "Refunds go back to the original card", true},
		{"We do not refund.", "Refunds go back to the original card", false},
		{"A gift card is not refundable.", "A gift card is refundable", false},
		{"You can't return it: you cannot", "You cannot return it", true},
	} {
		if got := agrees(c.answer, c.truth); got != c.want {
			t.Errorf("%q against %q: %t", c.answer, c.truth, got)
		}
	}
}

func TestReadinessRefusals(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	who := Actor{Person: "ada", Can: anyone}
	for name, in := range map[string]client.PutSourceRequest{
		"a share beyond one": {Name: "s", MaxErrorRate: ptr(1.5)},
		"an unknown act":     {Name: "s", OnBreach: "burn"},
	} {
		if _, err := b.Put(t.Context(), who, in); code(err) != "source.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]client.AuditSourceRequest{
		"no questions": {Name: "s", Truth: "x"},
		"no truth":     {Name: "s", Items: []client.AuditItem{{Question: "q", Truth: "t"}}},
		"nothing said": {Name: "s", Truth: "x", Items: []client.AuditItem{{Question: "q", Answer: "a"}}},
	} {
		if _, err := b.Audit(t.Context(), who, in); code(err) != "source.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Audit(t.Context(), who, client.AuditSourceRequest{Name: "gone", Truth: "x", Items: []client.AuditItem{{Question: "q", Truth: "t"}}}); code(err) != "source.not_found" {
		t.Error("an audit of nothing:", err)
	}
}
