package api

import (
	"testing"

	"reeve/internal/activity"
	"reeve/internal/telemetry/search"
)

// TestOutcomeOf is the rule that makes an outage visible: what ended in error
// and reported nothing failed. The search behind the figure says the same.
func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	rule, err := search.Parse(failedRuns)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reported string
		status   activity.RunStatus
		failed   bool
		want     string
	}{
		{"", activity.RunDone, true, "failed"},
		{"", activity.RunStale, true, "failed"},
		{"", activity.RunDone, false, ""},
		{"", activity.RunRunning, true, ""},
		{"resolved", activity.RunDone, true, "resolved"},
		{"failed", activity.RunDone, false, "failed"},
		{"escalated", activity.RunRunning, false, "escalated"},
	} {
		if got := outcomeOf(c.reported, c.status.String(), c.failed); got != c.want {
			t.Errorf("%q %s failed=%t counts as %q, want %q", c.reported, c.status, c.failed, got, c.want)
		}
		r := testRun(0, func(r *activity.Run) { r.Outcome, r.Status, r.RootError = c.reported, c.status, c.failed })
		if got, err := search.Match(rule, &r, nil); err != nil || got != (c.want == "failed") {
			t.Errorf("%q %s failed=%t: the search %s says %t, %v", c.reported, c.status, c.failed, failedRuns, got, err)
		}
	}
}

// TestSaidOnce is the rule of bands: what repeats a content in another shape
// and what only stands beside it is not shown as said.
func TestSaidOnce(t *testing.T) {
	t.Parallel()
	refs := []activity.ContentRef{
		{Field: activity.ContentInput, Messages: "0-3"},
		{Field: activity.ContentInput, Messages: "4", Order: activity.ContentBand(2)},
		{Field: activity.ContentInput, Messages: "5", Order: activity.ContentBand(activity.BesideBand)},
		{Field: activity.ContentOutput, Messages: "6", Order: activity.ContentBand(1)},
		{Field: activity.ContentOutput, Messages: "7", Order: activity.ContentBand(1) + 1},
		{Field: activity.ContentOutput, Messages: "6", Order: activity.ContentBand(2)},
		{Field: activity.ContentSystem, Messages: "8", Order: activity.ContentBand(activity.BesideBand)},
	}
	const want = `{"input":"0-3","output":"6,7"}`
	if got := string(appendRefs(nil, refs)); got != want {
		t.Errorf("light rows refer to %s, want %s", got, want)
	}
	if got := refsOf(refs); len(got) != 2 || got["input"] != "0-3" || got["output"] != "6,7" {
		t.Errorf("a step refers to %v, want %s", got, want)
	}
}
