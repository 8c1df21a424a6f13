package api

import (
	"fmt"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/kpi"
)

// What a page of a KPI leaves out, or cannot tell, it says: in the API, so that the
// console and the command line can.
func TestKPISaysWhatIsCut(t *testing.T) {
	t.Parallel()
	v := 0.5
	var many []kpi.Cell
	for i := range maxKPIGroups + 7 {
		many = append(many, kpi.Cell{Group: fmt.Sprint("agent-", i), Figure: kpi.Figure{Value: &v, N: int64(10_000 - i)}})
	}
	var out client.KPIDetail
	split(&out, many)
	if !out.Cut || out.GroupCount != len(many) || len(out.Groups) != maxKPIGroups || out.Groups[0].Name != "agent-0" || out.GroupsWhy != "" {
		t.Errorf("of %d groups %d are shown, cut %v, count %d", len(many), len(out.Groups), out.Cut, out.GroupCount)
	}
	out = client.KPIDetail{}
	split(&out, many[:maxKPIGroups])
	if out.Cut || out.GroupCount != maxKPIGroups || len(out.Groups) != maxKPIGroups {
		t.Errorf("all groups are shown, cut %v, count %d", out.Cut, out.GroupCount)
	}
	const why = "there are more values of agent than can be told apart: ask for a shorter period"
	out = client.KPIDetail{}
	split(&out, []kpi.Cell{{Figure: kpi.Figure{Why: why}}})
	if out.GroupsWhy != why {
		t.Errorf("why no group is known: %q", out.GroupsWhy)
	}
	out = client.KPIDetail{}
	split(&out, []kpi.Cell{{Figure: kpi.Figure{Value: &v, N: 3}}}) // of records that name none
	if out.GroupsWhy != "" || len(out.Groups) != 1 {
		t.Errorf("records that name no agent: %+v", out)
	}
	out = client.KPIDetail{Series: []client.KPIPoint{}}
	course(&out, []kpi.Cell{{Figure: kpi.Figure{Why: why}}})
	if out.SeriesWhy != why || len(out.Series) != 0 {
		t.Errorf("why nothing is known over time: %q, %d points", out.SeriesWhy, len(out.Series))
	}
	out = client.KPIDetail{Series: []client.KPIPoint{}}
	course(&out, []kpi.Cell{{At: time.Unix(60, 0), Figure: kpi.Figure{Value: &v, N: 3}}})
	if out.SeriesWhy != "" || len(out.Series) != 1 {
		t.Errorf("a point: %+v", out)
	}
}
