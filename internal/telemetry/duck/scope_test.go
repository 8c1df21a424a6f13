package duck

import (
	"testing"

	"reeve/internal/activity"
)

// The second half of a step's id is derived when it is read, for ids in a
// team's scope as well: it is 8 bytes a step that nothing can compress.
func TestStepIDsAreDerived(t *testing.T) {
	t.Parallel()
	trace, span := activity.TraceID{1, 2}, activity.SpanID{3}
	scope := activity.Scope{Team: "support", Environment: "production"}
	for _, tc := range []struct {
		name  string
		id    activity.StepID
		whole bool
	}{
		{"a team's", scope.StepOfSpan(trace, span), false},
		{"nobody's", activity.StepOfSpan(trace, span), false},
		{"a decision's", activity.StepOfKey("dec_1"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var attrs, resources renderer
			row := stepRow{Step: &activity.Step{}}
			row.Step.Step, row.Trace, row.Span, row.Team, row.Environment = tc.id, trace, span, scope.Team, scope.Environment
			row.prepare(&attrs, &resources)
			back := stepRow{Step: &activity.Step{}, rest: row.rest, sid: row.sid, whole: row.whole}
			back.Trace, back.Span, back.Team, back.Environment = trace, span, scope.Team, scope.Environment
			if row.whole {
				back.slo = row.slo
			}
			if err := back.finish(); err != nil {
				t.Fatal(err)
			}
			if back.Step.Step != tc.id || row.whole != tc.whole {
				t.Errorf("id %v came back as %v, stored whole: %v, want %v", tc.id, back.Step.Step, row.whole, tc.whole)
			}
		})
	}
}
