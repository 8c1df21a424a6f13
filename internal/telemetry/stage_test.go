package telemetry

import (
	"crypto/sha256"
	"testing"
	"time"
)

func TestStagesCountWork(t *testing.T) {
	t.Parallel()
	var none *Stages
	none.Add(StageFold, time.Second)
	none.End(StageFold, none.Begin())
	if none.Seconds(StageFold) != 0 {
		t.Error("no stages count")
	}
	var s Stages
	began := s.Begin()
	sum := sha256.Sum256(nil)
	for range 20_000 {
		sum = sha256.Sum256(sum[:])
	}
	d := s.End(StageFold, began)
	if d <= 0 || s.Seconds(StageFold) != d.Seconds() {
		t.Errorf("%v of work counts as %v s", d, s.Seconds(StageFold))
	}
	s.Add(StageFold, -2*d)
	if got := s.Seconds(StageFold); got != 0 {
		t.Errorf("a stage that was taken back too often stands at %v", got)
	}
}
