package template

import (
	"math"
	"time"
)

// Novelty says which new templates are news. A log that always brings new
// sentences is no reason to call anybody; one that has said the same for a week
// and now says something else is.
//
// The zero value is not ready: use NewNovelty.
type Novelty struct {
	alarms  float64 // a week that a person bears
	start   time.Time
	last    time.Time
	rate    float64 // new templates of the past, faded over memory
	lines   int
	resting time.Time // until then nothing is said
}

const (
	noveltyMemory = 3 * 24 * time.Hour // over which the past fades
	noveltyLearns = time.Hour
	noveltyLines  = 200
	noveltyRest   = 15 * time.Minute // a release brings many new sentences: that is one alarm
)

// NewNovelty bears so many alarms a week from a log that brings new sentences by
// chance; 0 is 1.
func NewNovelty(alarmsPerWeek float64) *Novelty {
	if alarmsPerWeek <= 0 {
		alarmsPerWeek = 1
	}
	return &Novelty{alarms: alarmsPerWeek}
}

// Look says whether a line that was seen at a time is news.
func (n *Novelty) Look(at time.Time, m Match) bool {
	if n.lines == 0 {
		n.start, n.last = at, at
	}
	n.lines++
	if gone := at.Sub(n.last); gone > 0 { // clocks of senders jump: time only goes forward
		n.rate *= math.Exp(-float64(gone) / float64(noveltyMemory))
		n.last = at
	}
	if !m.New {
		return false
	}
	// What the fading adds up to, as a rate a week.
	watched := min(n.last.Sub(n.start), noveltyMemory)
	perWeek := n.rate * float64(7*24*time.Hour) / float64(max(watched, noveltyLearns))
	learning := n.last.Sub(n.start) < noveltyLearns || n.lines < noveltyLines
	if learning {
		return false // what comes at first is new by nature, and says nothing of what is usual
	}
	n.rate++
	if n.last.Before(n.resting) {
		return false
	}
	// The rate is known with the error of a count: one more must fit as well.
	if perWeek > n.alarms*float64(7*24*time.Hour)/float64(noveltyMemory) {
		return false
	}
	n.resting = n.last.Add(noveltyRest)
	return true
}
