package alert

import "time"

// The kinds of changes, as the history names them.
const (
	fired     = "fired"
	refired   = "refired"
	changed   = "changed"
	resolved  = "resolved"
	silent    = "silent" // resolved, since nothing more was heard
	closed    = "closed" // resolved by a person
	bySender  = "sender"
	bySilence = "silence"
)

// entry is what is in memory of each alert: enough to say what a report changes
// without asking the database. Times are microseconds.
//
//	            firing report, newer            resolve, not older
//	(unknown) ------------------> firing <----------------------> resolved
//	                                 |  no word until expires         ^
//	                                 '------ or a person closes it ---'
//
// A word about a time before that of the state, by the sender's clock, is late
// and changes nothing.
type entry struct {
	resolved   bool
	acked      bool
	how        string // of a resolved one
	at         int64  // of the state, by the sender's clock
	started    int64
	expires    int64 // 0: never
	changedAt  int64
	digest     [8]byte // of all that is shown
	headline   [8]byte // of title and severity
	receptions int64
	late       int64
	episodes   int64
	first      int64
	last       int64
	lines      int // of history
	team       string
	agent      string
	source     string
}

// effect is what a report did.
type effect struct {
	kinds   []string // lines of history
	at      int64    // of them, by the sender's clock
	content bool     // the row is to be written
}

// take applies a report that was received at now. digest and headline are of
// its content.
func (e *entry) take(r *Report, digest, headline [8]byte, now time.Time) effect {
	us := now.UnixMicro()
	at := us
	if !r.At.IsZero() {
		at = min(r.At.UnixMicro(), us) // a clock that is ahead must not make all later words late
	}
	started := at
	if !r.Started.IsZero() {
		started = min(r.Started.UnixMicro(), us)
	}
	known := e.receptions > 0
	e.receptions++
	e.last = us
	if !known {
		return e.begin(r, digest, headline, at, started, us)
	}
	if r.State == Resolved {
		return e.resolve(at, us)
	}
	return e.fire(r, digest, headline, at, started, us)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func (e *entry) begin(r *Report, digest, headline [8]byte, at, started, us int64) effect {
	e.first, e.changedAt, e.at, e.started, e.digest, e.headline = us, us, at, started, digest, headline
	e.resolved, e.acked = r.State == Resolved, r.Ack == Acked
	out := effect{kinds: []string{fired}, at: at, content: true}
	if e.resolved {
		// Its beginning may still come, late: it must find that this is over.
		e.how, out.kinds = bySender, []string{resolved}
		return out
	}
	e.episodes, e.expires = 1, micros(r.Expires)
	if e.acked {
		out.kinds = append(out.kinds, Acked)
	}
	return out
}

func (e *entry) resolve(at, us int64) effect {
	switch {
	case at < e.at && !(e.resolved && e.how == bySilence):
		e.late++
		return effect{}
	case e.resolved:
		if e.how == bySilence { // now its sender says so itself
			e.how, e.at = bySender, max(at, e.started)
			return effect{content: true}
		}
		e.at = max(e.at, at)
		return effect{}
	}
	e.resolved, e.how, e.at, e.changedAt, e.expires = true, bySender, at, us, 0
	return effect{kinds: []string{resolved}, at: at, content: true}
}

func (e *entry) fire(r *Report, digest, headline [8]byte, at, started, us int64) effect {
	out := effect{at: at}
	switch {
	case e.resolved:
		// At the same time the end wins: a retry of the beginning would else leave
		// an alert that nobody ends.
		again := at > e.at || (e.how == bySilence && micros(r.Expires) > us)
		if !again {
			e.late++
			return effect{}
		}
		e.resolved, e.how, e.acked, e.changedAt, e.started = false, "", false, us, started
		e.episodes++
		e.at = max(e.at, at)
		out.kinds, out.content = append(out.kinds, refired), true
		e.expires = 0
	case at < e.at:
		e.late++
		return effect{}
	case !r.Started.IsZero() && started > e.started: // its end was lost
		e.started, e.acked, e.changedAt = started, false, us
		e.episodes++
		out.kinds, out.content = append(out.kinds, refired), true
	}
	e.at = max(e.at, at)
	e.expires = max(e.expires, micros(r.Expires))
	if e.headline != headline {
		e.headline = headline
		if len(out.kinds) == 0 {
			out.kinds = append(out.kinds, changed)
		}
	}
	if e.digest != digest {
		e.digest, out.content = digest, true
	}
	if acked := r.Ack == Acked; r.Ack != "" && acked != e.acked {
		e.acked, out.content = acked, true
		out.kinds = append(out.kinds, r.Ack)
	}
	return out
}
