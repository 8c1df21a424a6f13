package incident

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Each sentence of a timeline leads to its record: what a person did to the audit
// log, what ended by itself to the signal that was heard last.
func TestSentencesHaveEvidence(t *testing.T) {
	t.Parallel()
	b, clk := newTestBook(t, openDB(t), func(o *Options) { o.Settle = time.Minute })
	ctx := t.Context()
	b.Take(ctx, []Signal{sig("a", "tool errors"), sig("b", "slow answers")})
	list := b.live(t)
	for _, i := range list {
		if _, err := b.Acknowledge(ctx, anybody, i.ID, "looking"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reopen(ctx, anybody, i.ID, ""); err != nil && i.State == Mitigated {
			t.Fatal(err)
		}
	}
	title := "down"
	if _, err := b.Update(ctx, anybody, list[0].ID, Edit{Title: &title}); err != nil {
		t.Fatal(err)
	}
	hand, err := b.Open(ctx, anybody, Report{Title: "by hand", Severity: Warning, Team: "support", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.AddTask(ctx, anybody, hand.ID, Task{Kind: TaskStep, Text: "look at it"}); err != nil {
		t.Fatal(err)
	}
	b.Take(ctx, []Signal{sig("c", "alone")})
	b.mustFlush(t)
	clk.add(time.Second)
	b.Take(ctx, []Signal{sig("a", "tool errors", over), sig("b", "slow answers", over), sig("c", "alone", over)})
	clk.add(2 * time.Minute)
	b.settle(clk.now())
	b.mustFlush(t)
	seen := map[string]bool{}
	all, err := b.List(ctx, Filter{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range append(all, hand) {
		entries, err := b.Timeline(ctx, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Evidence == nil || e.Evidence.ID == "" {
				t.Errorf("%q leads nowhere", e.Text)
				continue
			}
			seen[strings.Fields(e.Text)[0]+" "+e.Evidence.Kind] = true
		}
	}
	for _, want := range []string{"Acknowledged audit", "None alert", "Opened audit", "Resolved alert", "Set audit", "Step: audit"} {
		if !seen[want] {
			t.Errorf("no sentence %q: %v", want, seen)
		}
	}
}

// A review's draft says why it happened, in words that cannot act as Markdown, and
// says so where nothing is known.
func TestReviewSaysWhy(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t))
	ctx := t.Context()
	i, err := b.Open(ctx, anybody, Report{Title: "prices are wrong", Severity: Warning, Team: "support", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	name := func(id string) string { return id }
	draft := func(why Why) string {
		t.Helper()
		r, err := b.Review(ctx, i.ID, name, func(context.Context) Why { return why })
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(r.Text, "## Why it happened")
		if !ok {
			t.Fatalf("no such heading:\n%s", r.Text)
		}
		part, _, _ := strings.Cut(after, "## What went well")
		return part
	}
	if got := draft(Why{}); !strings.Contains(got, "unknown") || strings.Contains(got, "Likely") {
		t.Errorf("of nothing: %s", got)
	}
	got := draft(Why{Sentence: "It read a stale price list.", Causes: []string{"data price-list: 9 hours old"}, Unknown: []string{"the prompt; what would tell: system messages"}, RuledOut: []string{"the <b>model</b>"}})
	for _, want := range []string{"It read a stale price list.", "- data price-list: 9 hours old", "- the prompt; what would tell", "&lt;b&gt;model"} {
		if !strings.Contains(got, want) {
			t.Errorf("the draft says nothing of %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Possible") {
		t.Errorf("a heading of nothing:\n%s", got)
	}
}
