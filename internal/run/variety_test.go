package run

import (
	"fmt"
	"testing"

	"reeve/internal/telemetry"
)

// Invented names are counted together; names that were there before, other
// teams and other hours are not touched by them.
func TestVarietyIsBounded(t *testing.T) {
	t.Parallel()
	v := newVariety(100)
	key := func(minute int64, f telemetry.Family, agent, team, key string) shareKey {
		return shareKey{minute, f, agent, team, "prod", key}
	}
	known := key(0, telemetry.FamilyAgent, "refunds", "shop", "")
	tool := key(1, telemetry.FamilyTool, "refunds", "shop", "lookup")
	for _, k := range []shareKey{known, tool} {
		if got := v.fold(k); got != k {
			t.Fatalf("the first of an hour became %+v", got)
		}
	}
	distinct := map[shareKey]bool{}
	for i := range 100_000 {
		name := fmt.Sprint("made-up-", i)
		distinct[v.fold(key(2, telemetry.FamilyAgent, name, "shop", ""))] = true
		distinct[v.fold(key(2, telemetry.FamilyTool, "refunds", "shop", name))] = true
		distinct[v.fold(key(2, telemetry.FamilyModel, name, "shop", name))] = true
	}
	if n := len(distinct); n > 150 {
		t.Errorf("%d distinct rollups, want some 100", n)
	}
	for _, want := range []shareKey{
		key(2, telemetry.FamilyAgent, otherName, "shop", ""), key(2, telemetry.FamilyTool, "refunds", "shop", otherName),
		key(2, telemetry.FamilyModel, otherName, "shop", otherName),
	} {
		if !distinct[want] {
			t.Errorf("nothing is counted under %+v", want)
		}
	}
	for _, k := range []shareKey{
		known, tool, key(59, telemetry.FamilyAgent, "refunds", "shop", ""),
		key(2, telemetry.FamilyAgent, "new", "core", ""), key(60, telemetry.FamilyAgent, "new", "shop", ""),
	} {
		if got := v.fold(k); got != k {
			t.Errorf("%+v is counted under %+v", k, got)
		}
	}
	for hour := range int64(1000) {
		v.fold(key(hour*60, telemetry.FamilyAgent, "a", fmt.Sprint("team-", hour), ""))
	}
	if n := len(v.hours); n > maxHours {
		t.Errorf("%d hours are remembered, want at most %d", n, maxHours)
	}
}
