package feedback

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Seen is what is known of a run.
type Seen struct {
	Run                                              activity.RunID
	Team, Environment, Agent, Version, Task, Session string
	Failed                                           bool
	Test                                             bool // it is of mode test: what is said of it is in no figure
	Start                                            time.Time
	Keys                                             []string // join keys that its labels give it
}

// Runs finds runs, in memory or stored.
type Runs interface {
	// Run reads one; false when nobody told of it yet.
	Run(ctx context.Context, id activity.RunID) (Seen, bool, error)
	// OfSession is the last run of a session that began by a time.
	OfSession(ctx context.Context, team, environment, session string, by time.Time) (Seen, bool, error)
}

// Options of a Book. DB, Key and Runs are required.
type Options struct {
	DB *control.DB
	// Key of 32 bytes signs tickets and makes references of users; it never
	// changes.
	Key    []byte
	Runs   Runs
	Logger *slog.Logger
	Now    func() time.Time
	// Redact cuts out of a comment what a team's content rules forbid, and says
	// which classes that were; nil cuts nothing.
	Redact func(team, environment, text string) (string, []string)
	// Seal and Unseal keep contacts; nil refuses them.
	Sealer Sealer
	// Moved is told that feedback came, was joined or changed; it must not wait.
	Moved func()

	waiting int // how many wait for their run; 0: maxWaiting; tests make it small
}

// Sealer encrypts what must be readable again.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

const (
	keep         = 400 * 24 * time.Hour
	waitFor      = 30 * 24 * time.Hour // a feedback whose run nobody tells of stays unmatched then
	waitUnproven = 24 * time.Hour      // the same for what nobody vouches for
	maxRows      = 1_000_000
	maxWaiting   = 100_000 // feedback that waits for its run, in memory
	maxQueued    = 20_000  // reports that wait for the transaction before
	maxTogether  = 1000
	maxRecent    = 20_000
	// sessionSettles is how long a feedback on a session waits for the run's own
	// record: the one before must not be taken for it.
	sessionSettles = 10 * time.Second
)

// Book keeps feedback. Make one with New, start it with Run.
type Book struct {
	o Options

	mu      sync.Mutex // guards the two
	queue   []*job
	reports int

	write sync.Mutex // held by who writes

	wait waiting

	wake  chan struct{} // of one
	stats counters
}

type counters struct {
	taken, duplicates, joined, refused atomic.Int64
	rows                               atomic.Int64
}

// Stats are counts since the start, and how many are kept and wait now.
type Stats struct{ Taken, Duplicates, Joined, Refused, Kept, Waiting int64 }

// Stats reads the counts.
func (b *Book) Stats() Stats {
	return Stats{b.stats.taken.Load(), b.stats.duplicates.Load(), b.stats.joined.Load(), b.stats.refused.Load(), b.stats.rows.Load(), int64(b.wait.len())}
}

// New reads what waits.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil || o.Runs == nil || len(o.Key) != 32 {
		return nil, errors.New("feedback: DB, Runs and a key of 32 bytes are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Redact == nil {
		o.Redact = func(_, _, text string) (string, []string) { return text, nil }
	}
	if o.Moved == nil {
		o.Moved = func() {}
	}
	b := &Book{o: o, wake: make(chan struct{}, 1)}
	b.wait.init(cmp.Or(o.waiting, maxWaiting))
	return b, b.load(ctx)
}

// userRef is how a user is known without being named: within a team, by our key.
func (b *Book) userRef(team, user string) string {
	if user == "" {
		return ""
	}
	return activity.Text32(b.mac("user", team, user)[:15])
}

func (b *Book) mac(words ...string) []byte {
	h := hmac.New(sha256.New, b.o.Key)
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func floatText(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// job is one caller's reports.
type job struct {
	from    Sender
	reports []Report
	ids     []string
	done    bool // guarded by Book.write
	err     error
}

// Take keeps what a sender says; it returns the feedback's ids once that is on
// disk. All of it or nothing.
func (b *Book) Take(ctx context.Context, from Sender, reports []Report) ([]string, error) {
	now := b.o.Now()
	for i := range reports {
		if err := reports[i].check(now); err != nil {
			b.stats.refused.Add(1)
			return nil, err
		}
	}
	if len(reports) == 0 {
		return nil, nil
	}
	j := &job{from: from, reports: reports}
	b.mu.Lock()
	if b.reports+len(reports) > maxQueued {
		b.mu.Unlock()
		return nil, fault.New(fault.KindExhausted, "feedback.busy", "more feedback waits than can be kept now").WithHint("send again in a moment").WithRetryAfter(time.Second)
	}
	b.queue = append(b.queue, j)
	b.reports += len(reports)
	b.mu.Unlock()

	// Whoever gets the turn writes for all who wait; the others find it done.
	b.write.Lock()
	defer b.write.Unlock()
	for !j.done {
		b.commit(context.WithoutCancel(ctx), b.next())
	}
	return j.ids, j.err
}

func (b *Book) next() []*job {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, reports := 0, 0
	for n < len(b.queue) && (n == 0 || reports+len(b.queue[n].reports) <= maxTogether) {
		reports += len(b.queue[n].reports)
		n++
	}
	out := append([]*job(nil), b.queue[:n]...)
	b.queue = append([]*job(nil), b.queue[n:]...)
	b.reports -= reports
	return out
}

// commit writes jobs in one transaction; a failure of the database fails all.
func (b *Book) commit(ctx context.Context, jobs []*job) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var written []Feedback
	var again int64
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		written, again = nil, 0
		for _, j := range jobs {
			j.ids = j.ids[:0]
			for i := range j.reports {
				f, fresh, err := b.put(ctx, tx, &j.from, &j.reports[i])
				if err != nil {
					return err
				}
				j.ids = append(j.ids, f.ID)
				if fresh {
					written = append(written, f)
				} else {
					again++
				}
			}
		}
		return b.tell(ctx, tx, written)
	})
	for _, j := range jobs {
		j.done, j.err = true, err
	}
	if err != nil {
		return
	}
	b.stats.taken.Add(int64(len(written)))
	b.stats.duplicates.Add(again)
	for i := range written {
		b.wait.add(&written[i])
	}
	if len(written) > 0 {
		b.stir()
		b.o.Moved()
	}
}

func (b *Book) stir() {
	select {
	case b.wake <- struct{}{}:
	default: // it looks already
	}
}
