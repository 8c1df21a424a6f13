package app

import (
	"testing"
	"time"

	"reeve/internal/bus"
)

// A backlog of 60 s that is stored twice as fast as it came: what comes now waits
// as long as what is left takes, and intake accepts long before the last of it is
// stored, though its oldest message is older than intake allows all the while.
func TestDrain(t *testing.T) {
	t.Parallel()
	var d drain
	at := time.Unix(1e9, 0)
	if got := d.look(at, bus.Stats{FirstSeq: 1, LastSeq: 6000, Messages: 6000}); got != longest {
		t.Errorf("before anything moved: %v, want %v", got, longest)
	}
	refusing, accepted := true, 0
	for s := 1; s <= 60; s++ {
		first := uint64(1 + 100*s)
		left := uint64(6000 - 100*s)
		wait := d.look(at.Add(time.Duration(s)*time.Second), bus.Stats{FirstSeq: first, LastSeq: 6000, Messages: left})
		if s > 2 {
			want := time.Duration(left) * time.Second / 100
			if wait < want-time.Second || wait > want+time.Second {
				t.Errorf("after %d s: %v, want about %v", s, wait, want)
			}
		}
		refusing = (&state{lag: time.Minute, wait: wait, free: 1}).refusal(refusing) != nil
		if !refusing && accepted == 0 {
			accepted = s
		}
	}
	if accepted < 35 || accepted > 50 {
		t.Errorf("accepted again after %d s of 60, want when %v were left", accepted, resumeWait)
	}
	if got := d.look(at.Add(61*time.Second), bus.Stats{FirstSeq: 6001, LastSeq: 6000}); got != 0 {
		t.Errorf("nothing waits: %v", got)
	}
}

func TestRefusalByWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lag, wait       time.Duration
		before, refused bool
	}{
		{lag: time.Minute, wait: longest, refused: true},                                 // the store stands still
		{lag: time.Minute, wait: resumeWait + time.Second, before: true, refused: true},  // not yet
		{lag: time.Minute, wait: resumeWait + time.Second, before: false},                // on its way
		{lag: time.Minute, wait: resumeWait - time.Second, before: true, refused: false}, // soon
		{lag: time.Second, wait: longest, before: true},                                  // a log that is held for a backup
		{lag: 10 * time.Second, wait: maxWait + time.Second, refused: true},              // it will be too late
	} {
		got := (&state{lag: c.lag, wait: c.wait, free: 1}).refusal(c.before) != nil
		if got != c.refused {
			t.Errorf("%+v: refused %v", c, got)
		}
	}
}
