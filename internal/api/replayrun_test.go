package api

import (
	"context"
	"strings"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/experiment"
)

type someReplayer struct{}

func (someReplayer) Replay(context.Context, experiment.Actor, *activity.Run, Replay) (experiment.Replayed, experiment.Replaying, error) {
	return experiment.Replayed{Answer: "what it said"}, experiment.Replaying{}, nil
}

// Who may not read at a run's own place does not replay it, whatever its agent is.
func TestReplayNeedsAReaderOfTheRun(t *testing.T) {
	t.Parallel()
	run := activity.Run{ID: activity.RunOfKey("r"), Agent: "refund", Team: "core", Environment: "production", Status: activity.RunDone}
	a := newTestAPI(t, func(o *Options) { o.Store, o.Replayer = &memStore{runs: []activity.Run{run}}, someReplayer{} })
	path := Prefix + "/runs/" + run.ID.String() + "/replay"
	for who, status := range map[string]int{"as viewer@core/production+developer@shop/production": 403, "as developer@shop/production": 404, "as developer@core/production": 200} {
		got := send(a, "POST", path, who, `{}`)
		if got.status != status || strings.Contains(string(got.body), "what it said") != (status == 200) {
			t.Errorf("%s: %d %s", who, got.status, got.body)
		}
	}
}
