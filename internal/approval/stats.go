package approval

import (
	"sync/atomic"
	"time"
)

type counters struct {
	requested, refused, again                 atomic.Int64
	approved, edited, denied, taken, unopened atomic.Int64
	answeredMS                                atomic.Int64
}

func (c *counters) answered(a *Approval, verdict string) {
	switch verdict {
	case "approve":
		c.approved.Add(1)
	case "edit":
		c.edited.Add(1)
	case "deny":
		c.denied.Add(1)
	case "takeover":
		c.taken.Add(1)
	}
	v := a.Votes[len(a.Votes)-1]
	if v.OpenedAt.IsZero() && verdict == "approve" {
		c.unopened.Add(1)
	}
	c.answeredMS.Add(v.At.Sub(a.CreatedAt).Milliseconds())
}

// Stats is what the Book counted since the start, and how many wait.
type Stats struct {
	Pending, Approved, Executing int64 // now
	OldestPending                time.Duration
	Requested                    int64
	Refused, DeniedAgain         int64 // never became an approval
	Answers                      map[string]int64
	Unopened                     int64   // approved without having been opened
	AnswerSeconds                float64 // sum of the times from question to answer
}

// Stats reads the counters.
func (b *Book) Stats() Stats {
	c := &b.stats
	s := Stats{
		Requested: c.requested.Load(), Refused: c.refused.Load(), DeniedAgain: c.again.Load(), Unopened: c.unopened.Load(),
		AnswerSeconds: float64(c.answeredMS.Load()) / 1000,
		Answers: map[string]int64{
			"approve": c.approved.Load(), "edit": c.edited.Load(), "deny": c.denied.Load(), "takeover": c.taken.Load(),
		},
	}
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.byID {
		switch l.a.State {
		case Pending:
			s.Pending++
			s.OldestPending = max(s.OldestPending, now.Sub(l.a.CreatedAt))
		case Approved:
			s.Approved++
		case Executing:
			s.Executing++
		}
	}
	return s
}
