package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
)

// TestKPITried: a definition comes to the same before it is kept and after, what is
// kept comes back as it was given, and a trial keeps nothing.
func TestKPITried(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	c := client.New("http://"+a.Address("listen"), "")
	at := time.Now().Add(-time.Minute)
	for i := range 4 {
		attributes := []any{"gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "refunds", "session.id", fmt.Sprintf("s%d", i)}
		if i == 0 {
			attributes = append(attributes, "reeve.outcome", "escalated")
		}
		sendSpans(t, a, spanJSON(i, 0, -1, "agent", at, at.Add(time.Duration(i+1)*time.Second), false, attributes...))
	}
	eventually(t, "four runs to be over", func() bool {
		l, err := c.ListRuns(ctx, client.ListRunsRequest{Query: "status:done"})
		return err == nil && len(l.Items) == 4
	})
	// Figures are of what is stored, a moment behind what lists show.
	eventually(t, "figures of four runs", func() bool {
		n, err := c.TryKPI(ctx, client.TryKPIRequest{Unit: "count", KPIShape: client.KPIShape{Count: &client.KPICount{Table: "runs", Among: "status:done"}}})
		return err == nil && n.N == 4
	})
	escalated := client.KPIShape{Share: &client.KPIShare{Table: "runs", Of: "outcome:escalated", Among: "status:done"}}
	got, err := c.TryKPI(ctx, client.TryKPIRequest{Unit: "share", KPIShape: escalated})
	if err != nil || got.Value == nil || *got.Value != 0.25 || got.N != 4 || got.Low == nil || got.Method != "Wilson, 95 %" || got.Previous == nil || got.Previous.Value != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if l, err := c.ListRuns(ctx, client.ListRunsRequest{Query: got.Records}); err != nil || len(l.Items) != 4 {
		t.Errorf("the records %q are %d runs, %v", got.Records, len(l.Items), err)
	}
	for _, shape := range []client.KPIShape{
		escalated,
		{Mean: &client.KPIMean{Table: "runs", Field: "duration_ms", Scale: 1000, Among: "status:done"}},
		{Ratio: &client.KPIRatio{Table: "runs", Field: "duration_ms", Per: "outcome:escalated", Among: "status:done"}},
		{Quantile: &client.KPIQuantile{Table: "runs", Field: "duration_ms", At: 0.5}},
		{PerRun: &client.KPIPerRun{Table: "steps", Where: "kind:agent", Among: "status:done"}},
		{Repeat: &client.KPIRepeat{What: "spread", Among: "status:done"}},
		{Count: &client.KPICount{Table: "runs", Among: "status:done"}},
	} {
		put := client.PutKPIRequest{ID: "mine", Title: "Mine", About: "x", Owner: "ops", Unit: "count", Direction: "down", KPIShape: shape}
		if shape.Share != nil {
			put.Unit = "share"
		}
		tried, err := c.TryKPI(ctx, client.TryKPIRequest{Unit: put.Unit, KPIShape: shape})
		if err != nil {
			t.Errorf("%+v: %v", shape, err)
			continue
		}
		if _, err := c.GetKPI(ctx, client.KPIRequest{ID: "mine"}); apiCode(err) != "kpi.not_found" {
			t.Errorf("a trial kept something: %v", err)
		}
		if _, err := c.PutKPI(ctx, put); err != nil {
			t.Errorf("%+v: %v", shape, err)
			continue
		}
		kept, err := c.GetKPI(ctx, client.KPIRequest{ID: "mine"})
		if err != nil || !cmp.Equal(kept.Shape, &shape) || !cmp.Equal(kept.KPIFigure, tried.KPIFigure) || kept.Formula != tried.Formula {
			t.Errorf("%s\nkept  %+v\ntried %+v, %v\n%s", tried.Formula, kept.KPIFigure, tried.KPIFigure, err, cmp.Diff(kept.Shape, &shape))
		}
		if err := c.DeleteKPI(ctx, client.DeleteKPIRequest{ID: "mine", Reason: "again"}); err != nil {
			t.Error(err)
		}
	}
	if k, err := c.GetKPI(ctx, client.KPIRequest{ID: "task_completion"}); err != nil || k.Shape != nil {
		t.Errorf("one of the catalogue comes with a form: %+v, %v", k, err)
	}
	for _, bad := range []struct {
		req   client.TryKPIRequest
		place string
	}{
		{client.TryKPIRequest{Unit: "share", KPIShape: client.KPIShape{Share: &client.KPIShare{Table: "runs", Of: "nosuch:1"}}}, "of: "},
		{client.TryKPIRequest{Unit: "share", KPIShape: client.KPIShape{Share: &client.KPIShare{Table: "runs", Of: "task:x", Among: "(("}}}, "among: "},
		{client.TryKPIRequest{Unit: "usd", KPIShape: client.KPIShape{Share: &client.KPIShare{Table: "runs", Of: "task:x"}}}, "a share has the unit share"},
		{client.TryKPIRequest{Unit: "count", KPIShape: client.KPIShape{Count: &client.KPICount{Table: "nothing"}}}, "there is no table"},
		{client.TryKPIRequest{Unit: "count"}, "a definition has exactly one shape"},
		{client.TryKPIRequest{Unit: "usd", KPIShape: client.KPIShape{Mean: &client.KPIMean{Table: "runs", Field: "cost) from x --"}}}, ""},
		{client.TryKPIRequest{Unit: "count", KPIShape: client.KPIShape{Count: &client.KPICount{Table: "runs"}}, From: "-900d"}, "figures are of a minute to 400 days"},
	} {
		if _, err := c.TryKPI(ctx, bad.req); err == nil || !strings.Contains(err.Error(), bad.place) {
			t.Errorf("%+v: %v, want %q", bad.req, err, bad.place)
		}
	}
}
