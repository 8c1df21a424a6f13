package app

import (
	"math"
	"time"

	"reeve/internal/bus"
)

// drain tells how long a message that comes now waits until it is stored: what
// waits before it, by the pace of the last seconds (Little's law). The age of the
// oldest message tells of the past only: after a burst it grows until the last of
// the backlog is stored, however soon that is. The zero value is ready.
type drain struct {
	at    time.Time
	first uint64  // the oldest message that waited then
	sum   float64 // of paces, messages a second, the older the less
	known float64 // how much of paceMemory was seen, 0 to 1
}

// paceMemory is the time constant of the pace: writes come about once a second.
const paceMemory = 8 * time.Second

// longest is said of a backlog that does not move.
const longest = time.Hour

// look takes the state of the log at a time and gives the wait.
func (d *drain) look(now time.Time, s bus.Stats) time.Duration {
	if dt := now.Sub(d.at).Seconds(); d.at.IsZero() || s.FirstSeq < d.first {
		d.at, d.first = now, s.FirstSeq
	} else if dt > 0 {
		share := 1 - math.Exp(-dt/paceMemory.Seconds())
		d.sum += share * (float64(s.FirstSeq-d.first)/dt - d.sum)
		d.known += share * (1 - d.known)
		d.at, d.first = now, s.FirstSeq
	}
	if s.Messages == 0 {
		return 0
	}
	if wait := float64(s.Messages) * d.known / d.sum; wait < longest.Seconds() {
		return time.Duration(wait * float64(time.Second))
	}
	return longest
}
