package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
)

// told is a health that a test sets.
type told client.Health

func (h told) Health(context.Context) (client.Health, error) { return client.Health(h), nil }

// Quiet (nobody says anything) is told apart from blind (we could not hear it).
func TestQuietIsNotBlind(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) *time.Time { at := testNow.Add(-d); return &at }
	down := []client.HealthPart{{Name: "store", State: "down", Reason: "the disk is full"}}
	old := testRun(1, func(r *activity.Run) { r.Updated = testNow.Add(-time.Hour).UnixNano() })
	for name, c := range map[string]struct {
		health       told
		runs         []activity.Run
		state, words string
	}{
		"nothing ever came":               {told{}, nil, "never", "Connect an agent"},
		"a moment ago":                    {told{LastBatchAt: ago(time.Minute)}, nil, "live", "arrived"},
		"minutes ago":                     {told{LastBatchAt: ago(5 * time.Minute)}, nil, "quiet", "It is quiet"},
		"an hour ago":                     {told{LastBatchAt: ago(time.Hour)}, nil, "blind", "Nothing has arrived"},
		"a part is down":                  {told{LastBatchAt: ago(time.Minute), Parts: down}, nil, "blind", "store: the disk is full"},
		"nothing since the start, before": {told{}, []activity.Run{old}, "blind", "Nothing has arrived"},
		"a clock that was set back":       {told{LastBatchAt: ago(-time.Hour)}, nil, "live", "arrived"},
	} {
		a := newTestAPI(t, func(o *Options) { o.Health, o.Store = c.health, &memStore{runs: c.runs} })
		got := get[client.Overview](t, a, "/overview", "as viewer").Seen
		if got.State != c.state || !strings.Contains(got.Text, c.words) || (got.LastTelemetryAt == nil) != (c.state == "never") {
			t.Errorf("%s: %+v, want %s with %q", name, got, c.state, c.words)
		}
	}
}
