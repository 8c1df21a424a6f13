package app

import (
	"net/http"
	"testing"

	"reeve/internal/telemetry"
)

// TestMetricsAreWhole holds that no two parts publish one name: the page would
// be an error, for all of them.
func TestMetricsAreWhole(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	families, err := a.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if code := get(t, "http://"+a.Address("listen")+"/metrics"); code != http.StatusOK {
		t.Errorf("/metrics answers %d", code)
	}
	for _, f := range families {
		if f.GetName() == "reeve_stage_seconds_total" && len(f.GetMetric()) == len(telemetry.StageNames) {
			return
		}
	}
	t.Error("the stages are not published")
}
