// Package decision is the log of decisions: each action of an agent is on it
// before it happens, and how it ended after.
//
// What for: to prove that nothing passed the door unrecorded, to answer who was
// allowed what and why, and to show that no record was changed, removed or put
// in later.
//
// Who calls it: the gateway proposes and completes; app runs the log, and api,
// siem and the command line read it.
//
// Promises: when Propose returned nil the record is durable, survives kill -9,
// and is chained to the one before (package record). Records of one node are in
// one order, without a gap; one that could not be written leaves none. A
// decision that was proposed is completed once: what a crash left open is
// completed as unknown at the next start. Names of users are never in the log,
// nor are arguments and contexts, only commitments to them; what they commit
// to can be erased. Everything is safe for concurrent use.
//
//	Propose --.                       .--> archive, tree, checkpoints (keep.go)
//	Propose --+-> queue -> writer -> DECISIONS
//	Complete -'   one batch, one message, all answered   '--> rows of the store (index.go)
//
// How it fails: closed. What cannot be recorded is refused with
// decision.not_recorded, and the caller must not act. Completions wait in
// memory until the log takes them. A store that is down never blocks a call.
//
// Start reading at Log.Propose, then writer.go, then keep.go.
package decision

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/bus"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Stream is what the log needs of bus.Stream.
type Stream interface {
	PublishAfter(ctx context.Context, last uint64, payloads ...[]byte) (uint64, error)
	ReadThrough(ctx context.Context, from, to uint64, handle func(seq uint64, received time.Time, payloads [][]byte) error) error
	DeleteThrough(ctx context.Context, seq uint64) error
	Stats(ctx context.Context) (bus.Stats, error)
}

// Options is what a log needs. Stream, Dir, Install and Node are required.
type Options struct {
	Stream  Stream // DECISIONS
	Dir     string // ours alone; made when missing
	Install string // id of the installation
	Node    string // name of this node, unique in the installation
	Logger  *slog.Logger
	Now     func() time.Time // nil is time.Now

	// DB keeps the names behind the pseudonyms of users; nil forgets them.
	DB *control.DB

	span int64 // of the archive's files; 0 is fileSpan

	// Tree is grown by what is archived; nil: none.
	Tree Tree

	// Turns are taken to compress the archive; may be nil.
	Turns *telemetry.Turns
}

// Tree is what the log needs of tree.Tree.
type Tree interface {
	Size() int64
	Append(from int64, leaves []record.Hash) error
	Sign() error
	Sync(before int64) error
}

func (o *Options) complete() error {
	if o.Stream == nil || o.Dir == "" || o.Install == "" || o.Node == "" {
		return fault.New(fault.KindInternal, "decision.options", "the log of decisions lacks a part")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return nil
}

// name is what the log is called in its records. The node "local" is the log of
// administrative changes.
func (o *Options) name() string { return LogName(o.Install, o.Node) }

// LogName is what the log of decisions of a node is called.
func LogName(install, node string) string {
	if node == "local" {
		node = "node-local"
	}
	return install + "/audit/" + node
}

// Log is an open log of decisions: one writer a node. Run it once.
type Log struct {
	o    Options
	name string
	ids  minter

	mu      sync.Mutex // guards what follows
	queue   []*entry
	later   []*entry // completions that a failed write gave back, before queue
	opened  map[string]opened
	closed  bool
	wake    chan struct{} // holds one token when there is work
	expects time.Time     // until then proposals fail at once: the log did not answer
	failing bool          // the last write failed

	w writer // used by one goroutine at a time: Open, then Run

	users users
	key   []byte // of Commit

	ring              ring
	records, contents *shelf
	keeping           sync.Mutex // guards state, and one writer of the shelves
	state             state
	kept              atomic.Pointer[position]
	dropped           atomic.Int64 // records before it are gone
	keepErr           atomic.Pointer[error]

	stats counters
}

// counters are what the log counts for /metrics.
type counters struct {
	proposed, completed, refused, batches, unmatched atomic.Int64
}

// Stats is what the log counted since its start.
type Stats struct {
	Proposed  int64 // records of decision.proposed
	Completed int64
	Refused   int64 // proposals that could not be recorded
	Batches   int64 // messages written
	Open      int64 // proposed and not completed now
	Records   int64 // of the whole log: the next sequence
	Archive   int64 // bytes of its archive on disk
}

// bodyRoom is what most records of a proposal take.
const bodyRoom = 1536

// endRoom is what most records of a completion take.
const endRoom = 640

// maxOpen bounds decisions that are proposed and not completed, and so also the
// completions that wait while the log does not take them.
const maxOpen = 1 << 18

// Open reads the tail of the log, continues its chain and completes as unknown
// what a crash left open. Faults: decision.forked, decision.gap, and the bus's.
func Open(ctx context.Context, o Options) (*Log, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	l := &Log{o: o, name: o.name(), opened: map[string]opened{}, wake: make(chan struct{}, 1)}
	l.ring.full = make(chan struct{}, 1)
	if err := l.recover(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

const (
	idPrefix = "dec_"
	idLength = len(idPrefix) + 26
)

var enc32 = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// minter makes ids that ascend within the process, also when the clock steps
// back.
type minter struct{ last atomic.Int64 }

// NewID mints an id: it sorts by time, and ids of one node in the order in
// which they were minted.
func (l *Log) NewID() string {
	now := l.o.Now().UnixNano()
	for {
		last := l.ids.last.Load()
		now = max(now, last+1)
		if l.ids.last.CompareAndSwap(last, now) {
			break
		}
	}
	return activity.Mint(idPrefix, now)
}

// mintedAt is the time in an id, ns; ok is false for what is no id.
func mintedAt(id string) (at int64, ok bool) {
	var b [16]byte
	if checkID(id) != nil {
		return 0, false
	}
	if n, err := enc32.Decode(b[:], []byte(id[len(idPrefix):])); err != nil || n != len(b) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[:])), true
}

// entry is a record that waits to be written.
type entry struct {
	kind    string
	id      string
	body    []byte
	content content
	told    told // of kinds that decisions are
	open    bool // a proposal that a completion follows
	state   atomic.Int32
	done    chan error // takes one answer; nil for completions
}

// The states of an entry: who settles it first decides.
const (
	stateWaiting = iota
	stateAnswered
	stateAbandoned // its caller went away
)

// answer tells the caller, and reports whether there was one left.
func (e *entry) answer(err error) bool {
	if e.done == nil {
		return true
	}
	if !e.state.CompareAndSwap(stateWaiting, stateAnswered) {
		return false
	}
	e.done <- err
	return true
}

// Propose records d before its action happens and returns nil once that is
// durable. After an error the action must not happen. d needs an ID of NewID.
// d.User may be a name: the record has its pseudonym. When d.Result is not
// pending (the action is refused and will never happen) the one record says so
// and Complete is not called. d stays the caller's.
//
// Faults: decision.not_recorded, decision.too_large, decision.too_many_open.
func (l *Log) Propose(ctx context.Context, d *activity.Decision) error {
	e := &entry{kind: KindProposed, id: d.ID, open: d.Result == activity.ResultPending, done: make(chan error, 1)}
	if err := checkID(d.ID); err != nil {
		return fault.New(fault.KindInternal, "decision.no_id", "the decision has no id of ours").WithCause(err)
	}
	user, fresh := l.users.pseudonym(d.User)
	var err error
	if e.body, e.content, err = appendProposed(make([]byte, 0, bodyRoom), d, user); err != nil {
		return err
	}
	if fresh {
		e.content.name(cut(d.User))
		defer func() {
			if err != nil {
				l.users.drop(d.User, user)
			}
		}()
	}
	e.told = proposal(d, user)
	if err = l.enqueue(e); err != nil {
		l.stats.refused.Add(1)
		return err
	}
	select {
	case err = <-e.done:
	case <-ctx.Done():
		if e.state.CompareAndSwap(stateWaiting, stateAbandoned) {
			l.stats.refused.Add(1)
			err = notRecorded(context.Cause(ctx))
			return err
		}
		err = <-e.done
	}
	if err != nil {
		l.stats.refused.Add(1)
	}
	return err
}

// Complete records how d ended. It does not wait: the record is written with
// the next batch, in the order of calls, and when Run ends. A decision that is
// not open (never proposed, or completed before) is left alone. d stays the
// caller's.
func (l *Log) Complete(d *activity.Decision) {
	if seq, ok := l.ending(d.ID); ok {
		l.push(&entry{kind: KindCompleted, id: d.ID, body: appendCompleted(make([]byte, 0, endRoom), d, seq), told: ending(d, seq)})
		return
	}
	l.stats.unmatched.Add(1)
	l.o.Logger.Debug("a completion met no open decision", "decision", d.ID)
}

// ending marks an open decision as one whose completion waits to be written; a
// second call finds nothing.
func (l *Log) ending(id string) (seq int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.opened[id]
	if !ok || o.ending {
		return 0, false
	}
	o.ending = true
	l.opened[id] = o
	return o.seq, true
}

// opened is a decision that is proposed and whose completion is not durable.
type opened struct {
	seq    int64
	ending bool // its completion waits
}

// enqueue takes a proposal, unless it would wait for nothing.
func (l *Log) enqueue(e *entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return notRecorded(errors.New("the log is closed"))
	case len(l.opened)+len(l.queue) >= maxOpen:
		return fault.New(fault.KindExhausted, "decision.too_many_open", "%d decisions wait for their end", len(l.opened)).
			WithHint("look for calls that never end")
	case l.o.Now().Before(l.expects):
		return notRecorded(errors.New("the log does not answer"))
	}
	l.queue = append(l.queue, e)
	l.signal()
	return nil
}

// push takes a record that nobody waits for.
func (l *Log) push(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, e)
	l.signal()
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func notRecorded(cause error) *fault.Error {
	return fault.New(fault.KindUnavailable, "decision.not_recorded", "the action was refused: its decision could not be recorded").
		WithHint("nothing was forwarded; try again after a second").WithCause(cause)
}

// Stats counts since the start. Safe to call at any time.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	open := len(l.opened)
	l.mu.Unlock()
	return Stats{
		Proposed: l.stats.proposed.Load(), Completed: l.stats.completed.Load(), Refused: l.stats.refused.Load(),
		Batches: l.stats.batches.Load(), Open: int64(open), Records: l.w.records.Load(),
		Archive: l.records.bytes() + l.contents.bytes(),
	}
}

// Failing says what does not work: recording (then calls are refused), or
// archiving (then the stream fills up). nil when all does.
func (l *Log) Failing() error {
	l.mu.Lock()
	failing := l.failing
	l.mu.Unlock()
	if failing {
		return notRecorded(nil)
	}
	if err := l.keepErr.Load(); err != nil {
		return *err
	}
	return nil
}

// Name is what the log is called in its records: <install>/audit/<node>.
func (l *Log) Name() string { return l.name }
