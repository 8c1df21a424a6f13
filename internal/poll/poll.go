// Package poll asks other systems for records of agents that nobody can
// instrument: Copilot Studio's transcripts in Dataverse, and Amazon Bedrock's
// invocation logs in S3 or CloudWatch.
//
// What for: an agent that somebody else runs sends nothing, but its platform
// writes down what it did. A poller reads that and gives it to intake, where it
// becomes runs like any sender's.
//
// Who calls it: app runs it; api and the command line put, pause, try and remove
// pollers.
//
// Promises: a record is read at least once, and becomes one run however often it
// is read: its place is saved behind what the log has, and ids come from the
// record. The last hours are read again each time, for records that come late
// (late_seconds). Memory is bounded by a page. A poller that fails is tried again
// with growing, jittered pauses, or when the other side says. Addresses and
// credentials are checked as a relay's are. Safe for concurrent use.
//
// How it fails: poll.invalid, poll.not_found, poll.revision and poll.too_many for
// changes; poll.credential, poll.refused, poll.unreachable and poll.answer are
// what a status says of the other side.
//
// Start reading at Poller.Run and worker.once; dataverse.go, s3.go and
// cloudwatch.go each know one kind.
package poll

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Remote is another system's address with its credential; an *upstream.Outside
// is one.
type Remote interface {
	Authorize(req *http.Request) error
	Transport() http.RoundTripper
	Set() bool
	Close()
}

// Taken is what became of records.
type Taken struct {
	Steps, Rejected int64
	Reason          string // why one was rejected
}

// Options are what a Poller needs; DB, Open and Deliver are required.
type Options struct {
	DB *control.DB
	// Open checks an address and its credential, and calls nobody.
	Open func(name, address string, c *client.Credential, allowPrivate bool, timeout time.Duration) (Remote, error)
	// Deliver gives records to intake and returns once they are on the log. A
	// fault of kind exhausted asks to come again.
	Deliver func(ctx context.Context, p *client.Poller, kind Kind, records []byte) (Taken, error)
	// Team refuses a team that is not there; nil takes any.
	Team   func(ctx context.Context, name string) error
	Logger *slog.Logger
	Now    func() time.Time
}

// Kind is a kind of records.
type Kind string

// The kinds of records.
const (
	Transcripts Kind = "copilot_studio"
	Invocations Kind = "bedrock"
)

// Poller is all pollers.
type Poller struct {
	o     Options
	pause time.Duration // the first one after a failure; 0 is a second

	change  sync.Mutex // one change at a time
	all     atomic.Pointer[map[string]*worker]
	changed chan struct{} // to Run, of one
}

const maxPollers = 100

// New loads the pollers. It starts nothing.
func New(ctx context.Context, o Options) (*Poller, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Poller{o: o, changed: make(chan struct{}, 1)}
	stored, err := control.All(ctx, o.DB, scanPoller, `SELECT body FROM pollers`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*worker, len(stored))
	for _, d := range stored {
		w, err := p.worker(d)
		if err != nil {
			// A rule that was tightened since must not keep the house closed.
			o.Logger.Error("a poller cannot be used", "poller", d.Name, "err", err)
			w = &worker{p: p, d: d, broken: err, wake: make(chan struct{}, 1), place: newPlace()}
		}
		if err := w.load(ctx); err != nil {
			return nil, err
		}
		all[d.Name] = w
	}
	p.all.Store(&all)
	return p, nil
}

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	type running struct {
		stop context.CancelFunc
		done chan struct{}
	}
	live := map[*worker]running{}
	defer func() {
		for _, r := range live {
			r.stop()
		}
		for _, r := range live {
			<-r.done
		}
	}()
	for {
		all := *p.all.Load()
		for w, r := range live {
			if all[w.d.Name] != w {
				r.stop()
				<-r.done
				delete(live, w)
			}
		}
		for _, w := range all {
			if _, ok := live[w]; ok || w.d.Paused || w.broken != nil {
				continue
			}
			wctx, stop := context.WithCancel(ctx)
			r := running{stop, make(chan struct{})}
			live[w] = r
			go func() {
				defer close(r.done)
				w.run(wctx)
			}()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.changed:
		}
	}
}

// List is all pollers by name, with how they do.
func (p *Poller) List() []client.Poller {
	all := *p.all.Load()
	out := make([]client.Poller, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name].shape())
	}
	return out
}

// Get is one poller.
func (p *Poller) Get(name string) (client.Poller, error) {
	w := (*p.all.Load())[name]
	if w == nil {
		return client.Poller{}, notFound(name)
	}
	return w.shape(), nil
}

// Poll wakes a poller before its time.
func (p *Poller) Poll(name string) (client.Poller, error) {
	w := (*p.all.Load())[name]
	switch {
	case w == nil:
		return client.Poller{}, notFound(name)
	case w.d.Paused:
		return client.Poller{}, fault.New(fault.KindConflict, "poll.paused", "poller %s is paused", name).WithHint("resume it first")
	}
	select {
	case w.wake <- struct{}{}:
	default: // it was woken already
	}
	return w.shape(), nil
}

// Test asks for a first page and keeps nothing of it.
func (p *Poller) Test(ctx context.Context, name string) (client.PollerTest, error) {
	w := (*p.all.Load())[name]
	if w == nil {
		return client.PollerTest{}, notFound(name)
	}
	began := p.o.Now()
	var n int64
	err := w.broken
	if err == nil {
		var got page
		got, err = w.feed().next(ctx, w.position(), func(string) bool { return true })
		n = int64(got.listed)
	}
	t := client.PollerTest{OK: err == nil, TookMS: p.o.Now().Sub(began).Milliseconds(), Records: n}
	if err != nil {
		f := fault.From(err)
		t.Error, t.Hint = f.Message, f.Hint
	}
	return t, nil
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "poll.not_found", "there is no poller %.60s", name).WithHint("`reeve poller list` lists them")
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "poll.invalid", format, args...)
}
