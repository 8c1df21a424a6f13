package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/bus"
	"reeve/internal/fault"
)

// A backlog of 60 s that is stored twice as fast as it came: what comes now waits
// as long as what is left takes, and intake accepts long before the last of it is
// stored, though its oldest message is older than intake allows all the while.
func TestDrain(t *testing.T) {
	t.Parallel()
	var d drain
	at := time.Unix(1e9, 0)
	// For an hour a message a second came and was stored at once: no pace of the store.
	for s := range 3600 {
		if got := d.look(at, bus.Stats{FirstSeq: uint64(s), LastSeq: uint64(s), Messages: 1}, time.Second); got != 0 {
			t.Fatalf("a store that is not behind: %v", got)
		}
		at = at.Add(time.Second)
	}
	refusing, accepted := false, 0
	for s := range 60 {
		first, left := uint64(3699+100*s), uint64(6000-100*s)
		wait := d.look(at.Add(time.Duration(s)*time.Second), bus.Stats{FirstSeq: first, LastSeq: 9698, Messages: left}, time.Minute)
		want := time.Duration(left) * time.Second / 100
		switch {
		case s < 4 && wait != 0:
			t.Errorf("after %d s: %v, before the pace is known", s, wait)
		case s > 8 && (wait < want-2*time.Second || wait > want+2*time.Second):
			t.Errorf("after %d s: %v, want about %v", s, wait, want)
		}
		before := refusing
		if refusing = (&state{lag: time.Minute, wait: wait, free: 1}).refusal(refusing) != nil; before && !refusing {
			accepted = s
		}
	}
	if accepted < 43 || accepted > 47 {
		t.Errorf("accepted again after %d s of 60, want when %v were left", accepted, resumeWait)
	}
	for s := range 30 { // and then nothing moves any more
		if got := d.look(at.Add(time.Duration(60+s)*time.Second), bus.Stats{FirstSeq: 9599, LastSeq: 9698, Messages: 100}, time.Minute); s > 28 && got < maxWait {
			t.Errorf("a store that stands still for %d s: %v", s, got)
		}
	}
	if got := d.look(at.Add(91*time.Second), bus.Stats{FirstSeq: 9699, LastSeq: 9698}, 0); got != 0 {
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

// While senders are refused because the store is behind, what the door saw goes
// into the log: nobody makes a call twice. A disk that is nearly full refuses both.
func TestTheDoorsStepsAreNotRefused(t *testing.T) {
	t.Parallel()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	// A store that is behind is no reason to refuse everybody, a full log is.
	if s := (&state{free: 1, lag: time.Minute, wait: time.Minute}); s.refusal(false) == nil || s.full() != "" {
		t.Errorf("a store that is behind: refusal %v, full %q", s.refusal(false), s.full())
	}
	if s := (&state{free: 1, lag: time.Minute, wait: time.Minute, logFill: 0.81}); s.refusal(false) == nil || s.full() == "" {
		t.Errorf("a log that is full: refusal %v, full %q", s.refusal(false), s.full())
	}
	h := &health{a: &App{bus: b}}
	batch := activity.AppendBatch(nil, &activity.Batch{Sender: "door"})
	h.last.Store(&state{free: 1, lag: time.Minute, wait: time.Minute})
	h.refusal.Store(h.last.Load().refusal(false))
	if err := h.Publish(t.Context(), batch); !fault.Is(err, fault.KindExhausted) {
		t.Errorf("a sender beside a store that is behind: %v", err)
	}
	if err := h.publishOwn(t.Context(), batch); err != nil {
		t.Errorf("the door beside a store that is behind: %v", err)
	}
	// A disk that has room by its share, and too little for the log, is said before
	// anybody is refused: the health page once showed a server in order that took nothing.
	if f := (&state{free: 1, room: errors.New("200 MB are free, the log leaves 256")}).refusal(false); f == nil || !strings.Contains(f.Message, "disk is full") {
		t.Errorf("a small disk: %v, want a refusal that names the disk", f)
	}
	h.last.Store(&state{free: minFreeDisk / 2})
	if err := h.publishOwn(t.Context(), batch); !fault.Is(err, fault.KindExhausted) {
		t.Errorf("the door with a disk that is full: %v", err)
	}
}
