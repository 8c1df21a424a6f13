package app

import (
	"math"
	"time"

	"reeve/internal/bus"
)

// drain tells how long a message that comes now waits until it is stored: what
// waits before it, by the pace of the last seconds (Little's law). The age of the
// oldest message tells of the past only: after a burst it grows until the last of
// the backlog is stored, however soon that is.
//
// A pace is how fast the store can only while it is behind: else it is as fast as
// what comes. The zero value is ready.
type drain struct {
	at    time.Time
	first uint64  // the oldest message that waited then
	sum   float64 // of paces, messages a second, the older the less
	known float64 // how much of paceMemory was seen, 0 to 1
}

const (
	// paceMemory is the time constant of the pace: writes come about once a second.
	paceMemory = 8 * time.Second
	// behind is from which age of the oldest message on the store is behind.
	behind = 2 * time.Second
	// enough of paceMemory is a pace that is believed: six seconds.
	enough = 0.5
	// longest is said of a backlog that does not move.
	longest = time.Hour
)

// look takes the state of the log and the age of its oldest message at a time, and
// gives the wait; 0 while it is not known.
func (d *drain) look(now time.Time, s bus.Stats, lag time.Duration) time.Duration {
	if lag < behind || s.Messages == 0 || s.FirstSeq < d.first {
		*d = drain{at: now, first: s.FirstSeq}
		return 0
	}
	if dt := now.Sub(d.at).Seconds(); d.at.IsZero() {
		d.at, d.first = now, s.FirstSeq
	} else if dt > 0 {
		share := 1 - math.Exp(-dt/paceMemory.Seconds())
		d.sum += share * (float64(s.FirstSeq-d.first)/dt - d.sum)
		d.known += share * (1 - d.known)
		d.at, d.first = now, s.FirstSeq
	}
	switch {
	case d.known < enough:
		return 0
	case d.sum == 0: // a store that stands still will for as long as it has
		return lag
	}
	if wait := float64(s.Messages) * d.known / d.sum; wait < longest.Seconds() {
		return time.Duration(wait * float64(time.Second))
	}
	return longest
}
