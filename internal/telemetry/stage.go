package telemetry

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Stage is a part of the way from a request's body to the store.
type Stage uint8

// The stages; StageNames lists their stable names in this order.
const (
	StageDecode    Stage = iota // JSON to protobuf, and batches of the log
	StageNormalise              // protobuf to fragments
	StageLog                    // handing over to the log
	StageFold                   // fragments to steps and runs
	StageMessages               // content to messages
	StageSegments               // rows to files
	StageMerging                // files to larger files
	StageRollups                // differences, and their folding
	StageRuns                   // run rows, and the commit
	stageCount
)

// StageNames are the stable names of the stages.
var StageNames = [stageCount]string{"decode", "normalise", "log", "fold", "messages", "segments", "merging", "rollups", "run_rows"}

// Stages adds up the processor time that each stage took: the threads' own
// clock, so that waiting and other work beside it do not count (elsewhere than
// on Linux: elapsed time). It is read by batches, not by records. Safe for
// concurrent use; a nil one counts nothing.
type Stages struct {
	Turns *Turns // of the work in them; nil: none
	ns    [stageCount]atomic.Int64
}

// Take waits for a turn to do heavy work (Turns.Take), and Give ends it.
func (s *Stages) Take() {
	if s != nil {
		s.Turns.Take()
	}
}

// Give ends a turn.
func (s *Stages) Give() {
	if s != nil {
		s.Turns.Give()
	}
}

// Begin starts a measurement, which End has to end on the same goroutine: it
// keeps its thread until then.
func (s *Stages) Begin() time.Duration {
	if s == nil {
		return 0
	}
	runtime.LockOSThread()
	return threadTime()
}

// End adds what went since began to a stage and returns it.
func (s *Stages) End(stage Stage, began time.Duration) time.Duration {
	if s == nil {
		return 0
	}
	d := threadTime() - began
	runtime.UnlockOSThread()
	s.ns[stage].Add(int64(d))
	return d
}

// Cost is what a measurement of nothing gives: the least of a few.
func (s *Stages) Cost() time.Duration {
	if s == nil {
		return 0
	}
	var none Stages
	least := time.Duration(1<<63 - 1)
	for range 32 {
		least = min(least, none.End(StageFold, none.Begin()))
	}
	return least
}

// Add adds time to a stage, or takes what another has counted back.
func (s *Stages) Add(stage Stage, d time.Duration) {
	if s != nil {
		s.ns[stage].Add(int64(d))
	}
}

// Seconds is what a stage took so far.
func (s *Stages) Seconds(stage Stage) float64 {
	if s == nil {
		return 0
	}
	return max(0, time.Duration(s.ns[stage].Load()).Seconds())
}
