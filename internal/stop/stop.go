// Package stop ends actions while they happen and keeps them from starting
// again.
//
// What for: a person stops an agent, an instance, a run, a session, a user, a
// version, a tool, a model, an upstream, a team, a label, a credential or
// everything. Calls in flight are cut, new ones are refused, and a receipt says
// what was cut and how long that took.
//
// Who calls it: the door enters every call (Board.Enter) before it decides on
// it; api and the command line stop, lift and preview; app runs the loop and
// reports each commit it sees (Heartbeat).
//
// Promises: a stop is in the journal, which outlives the process, before it is in
// force; it is on disk and in the audit log before Stop returns. Cutting waits for
// neither. One that the database did not take is in force all the same, Stop says
// so, and it is stored as soon as the database takes writes, also by the next
// process. New loads what is stored and what the journal has, so no call is
// entered before. A call either sees the stop in Enter or is seen
// by it: none slips between. Enter takes no lock that all calls share. A stop
// of an agent takes the calls of agents acting for it. A node that saw no
// commit for StaleAfter, by the monotonic clock, refuses and cuts.
//
// How it fails: Enter refuses with stop.<kind> or stop.stale; a cut call's
// context ends with the same fault as its cause. Stop and Lift answer
// stop.target, stop.invalid, stop.not_found, stop.too_many, stop.not_stored and
// the database's own faults.
//
// Start reading at Board.Enter and Board.Stop; what matches what is in
// target.go, and what a stop waits for in journal.go.
package stop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Call is a call at the door, as far as a stop can name it. Empty fields match
// nothing.
type Call struct {
	ID         string // the decision's
	Agent      string
	Instance   string
	Run        string
	Session    string
	User       string
	Version    string
	Tool       string
	Model      string
	Upstream   string
	Team       string
	Credential string   // its public id
	Resource   string   // for the receipt
	Chain      []string // agents it acts for
	Labels     map[string]string
	StartedAt  time.Time
	Sent       *atomic.Int64 // bytes that went to the agent; may be nil
	// HangUp ends an answer that has begun, at once; whoever finds it broken off
	// afterwards finds the cause. It waits for nobody. May be nil.
	HangUp func(cause error) `json:"-"`
}

// Agents is what a stop asks of the registered agents.
type Agents interface {
	// Raise raises the agent's epoch in tx, so that every credential made before
	// is dead, and says how many keys died. A name that is not registered gives
	// a KindNotFound fault and changes nothing.
	Raise(ctx context.Context, tx *control.Tx, name string) (keys int, err error)
}

// Options are what a Board needs; DB and Node are required.
type Options struct {
	DB     *control.DB
	Node   string // this node's name, for receipts
	Agents Agents // nil: no credentials to revoke
	// Journal is the file that has a stop until the database has it; "": there is
	// none, and a stop waits for the database before it cuts.
	Journal string
	// Hurry keeps what is less urgent on this node from beginning until release is
	// called; nil: nothing is kept. A stop is the one thing that may not wait.
	Hurry  func() (release func())
	Logger *slog.Logger
	// StaleAfter is how long a node goes on without a Heartbeat; 0 is for ever,
	// for a process that is alone with its own log.
	StaleAfter time.Duration
	// Grace bounds how long Stop waits for cut calls to have left the door; 0 is
	// a second.
	Grace time.Duration
	// Now is the clock, with a monotonic reading; nil means time.Now.
	Now func() time.Time
}

// Board is the stops in force and the calls they may cut.
type Board struct {
	db     *control.DB
	node   string
	agents Agents
	hurry  func() (release func())
	log    *slog.Logger
	stale  time.Duration
	grace  time.Duration
	now    func() time.Time
	start  time.Time

	journal *journal // nil: none

	change   sync.Mutex // around changes of stops
	stops    atomic.Pointer[set]
	unstored []unstored // in force, and the database did not take them; change guards it

	noted chan note // cuts that the audit log does not have yet

	beat  atomic.Int64 // of the last heartbeat, ns after start
	next  atomic.Uint64
	calls [shards]shard

	seen  sync.Map // names of agents that came through the door, up to maxSeen
	known atomic.Int64
}

const (
	shards   = 64
	maxStops = 10_000  // in force at a time
	maxSeen  = 100_000 // names remembered
	maxCut   = 1_000   // calls listed in a receipt; the count is always whole
)

// shard holds a part of the live calls; calls are dealt out in turn, so that
// neighbours do not wait for each other.
type shard struct {
	mu   sync.Mutex
	live map[uint64]*live
	_    [40]byte // a cache line each
}

type live struct {
	call   Call
	cancel context.CancelCauseFunc
	cuts   []*cut // under the shard's mu: who waits for it to leave
}

// New loads the stops that are in force. It starts nothing.
func New(ctx context.Context, o Options) (*Board, error) {
	b := &Board{
		db: o.DB, node: o.Node, agents: o.Agents, hurry: o.Hurry, log: o.Logger, stale: o.StaleAfter, grace: o.Grace, now: o.Now,
		noted: make(chan note, 1000),
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.hurry == nil {
		b.hurry = func() func() { return func() {} }
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.grace == 0 {
		b.grace = time.Second
	}
	b.start = b.now()
	for i := range b.calls {
		b.calls[i].live = map[uint64]*live{}
	}
	var left []*client.Stop
	if o.Journal != "" {
		var err error
		if b.journal, left, err = openJournal(o.Journal); err != nil {
			return nil, err
		}
	}
	list, err := b.load(ctx, left)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.stops.Store(newSet(list))
	return b, nil
}

// unstored is a stop that the database did not take, with what is known of it: nil
// where another process cut for it.
type unstored struct {
	*client.Stop
	receipt *client.Receipt
}

// load gives the stops in force: those of the database, and those that the journal
// has from a process that ended before the database had them.
func (b *Board) load(ctx context.Context, left []*client.Stop) ([]*client.Stop, error) {
	b.stops.Store(newSet(left))
	for _, st := range left {
		if err := b.settle(ctx, unstored{Stop: st}); err != nil {
			b.unstored = append(b.unstored, unstored{Stop: st})
			b.log.Error("a stop of before could not be stored and is in force", "stop", st.ID, "err", err)
		}
	}
	list, err := control.All(ctx, b.db, scan, `SELECT `+columns+` WHERE lifted_at IS NULL AND ended_at IS NULL ORDER BY created_at, id`)
	for _, u := range b.unstored {
		list = append(list, u.Stop)
	}
	return list, err
}

// Close closes the journal. Call it once nothing stops any more.
func (b *Board) Close() error {
	if b.journal == nil {
		return nil
	}
	return b.journal.close()
}

// Enter registers a call, or refuses it when a stop takes it. The context it
// gives ends when a later stop takes the call, with the refusal as its cause;
// leave must be called once the call is over and may be called again. It takes
// well under a microsecond.
func (b *Board) Enter(ctx context.Context, c Call) (_ context.Context, leave func(), err error) {
	if err := b.checkStale(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	l := &live{call: c, cancel: cancel}
	id := b.next.Add(1)
	sh := &b.calls[id%shards]
	sh.mu.Lock()
	sh.live[id] = l
	sh.mu.Unlock()
	// Registered first, compared then: a stop publishes first and looks for
	// calls then, so one of the two sees the other.
	if st := b.stops.Load().find(&l.call, b.now); st != nil {
		b.leave(sh, id, l)
		return nil, nil, refusal(st)
	}
	if c.Agent != "" {
		if _, ok := b.seen.Load(c.Agent); !ok && b.known.Load() < maxSeen {
			b.seen.Store(c.Agent, struct{}{})
			b.known.Add(1)
		}
	}
	return ctx, func() { b.leave(sh, id, l) }, nil
}

// Check says whether Enter would refuse such a call now, without entering it:
// for what is not a call at the door but must not be given either, such as a
// credential.
func (b *Board) Check(c Call) error {
	if err := b.checkStale(); err != nil {
		return err
	}
	if st := b.stops.Load().find(&c, b.now); st != nil {
		return refusal(st)
	}
	return nil
}

func (b *Board) leave(sh *shard, id uint64, l *live) {
	sh.mu.Lock()
	_, there := sh.live[id]
	delete(sh.live, id)
	cuts := l.cuts
	sh.mu.Unlock()
	if !there {
		return
	}
	l.cancel(context.Canceled)
	for _, c := range cuts {
		c.left(l, b.now())
	}
}

// Node is this node's name, as receipts give it.
func (b *Board) Node() string { return b.node }

// Live is how many calls are at the door.
func (b *Board) Live() int {
	n := 0
	for i := range b.calls {
		b.calls[i].mu.Lock()
		n += len(b.calls[i].live)
		b.calls[i].mu.Unlock()
	}
	return n
}

// Heartbeat says that a commit of the log was seen: this node is not cut off.
func (b *Board) Heartbeat() { b.beat.Store(int64(b.now().Sub(b.start))) }

func (b *Board) checkStale() error {
	// The difference of two readings of one process is monotonic: a clock that
	// is set neither opens nor closes the door.
	if b.stale <= 0 || b.now().Sub(b.start)-time.Duration(b.beat.Load()) <= b.stale {
		return nil
	}
	return fault.New(fault.KindUnavailable, "stop.stale", "this node saw no commit for %s and may have missed a stop", b.stale).
		WithHint("retry at another node, or later")
}

// Run ends stops whose time has come and cuts what is live when this node is
// cut off, until ctx ends, whose cause it returns.
func (b *Board) Run(ctx context.Context) error {
	every := time.Second
	if b.stale > 0 {
		every = min(every, max(b.stale/8, 10*time.Millisecond))
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			b.tick(ctx)
		case n := <-b.noted:
			b.write(ctx, n)
		}
	}
}

func (b *Board) tick(ctx context.Context) {
	if err := b.checkStale(); err != nil {
		if n := b.cutAll(err); n > 0 {
			b.log.Error("cut off from the log: live calls are cut", "calls", n, "err", err)
		}
	}
	for _, u := range b.waiting() { // as many as the journal has room for, at most
		if err := b.settle(ctx, u); err != nil {
			b.log.Debug("a stop still cannot be stored", "stop", u.ID, "err", err)
			continue
		}
		b.log.Info("a stop that is in force is stored now", "stop", u.ID)
	}
	if err := b.sweep(ctx); err != nil {
		// They hold no longer all the same: Enter reads the time itself.
		b.log.Warn("stops that ended could not be noted", "err", err)
	}
}

func (b *Board) cutAll(cause error) int {
	all := b.find(client.StopTarget{Kind: KindEverything}, nil)
	cutCalls(all, cause)
	return len(all)
}

// sweep notes the stops that ended by themselves.
func (b *Board) sweep(ctx context.Context) error {
	now := b.now()
	var ended []string
	for _, st := range b.stops.Load().all {
		if over(st, now) {
			ended = append(ended, st.ID)
		}
	}
	if len(ended) == 0 {
		return nil
	}
	return b.db.Write(ctx, func(tx *control.Tx) error {
		for _, id := range ended {
			n, err := tx.Exec(ctx, `UPDATE stops SET ended_at = ? WHERE id = ? AND ended_at IS NULL AND lifted_at IS NULL`, control.Micros(now), id)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := record(ctx, tx, "revoke.ended", "reeve", "end", id, nil, nil, ""); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { b.remove(ended...) })
		return nil
	})
}

// add and remove change the stops in force by publishing a new set.
func (b *Board) add(st *client.Stop) {
	b.change.Lock()
	defer b.change.Unlock()
	all := b.stops.Load().all
	if slices.ContainsFunc(all, func(o *client.Stop) bool { return o.ID == st.ID }) {
		return
	}
	b.stops.Store(newSet(append(slices.Clone(all), st)))
}

func (b *Board) remove(ids ...string) {
	b.change.Lock()
	defer b.change.Unlock()
	gone := func(st *client.Stop) bool { return slices.Contains(ids, st.ID) }
	b.stops.Store(newSet(slices.DeleteFunc(slices.Clone(b.stops.Load().all), gone)))
	b.unstored = slices.DeleteFunc(b.unstored, func(u unstored) bool { return gone(u.Stop) })
}

// find lists the live calls that a stop of t takes; c (may be nil) is told when
// each of them leaves.
func (b *Board) find(t client.StopTarget, c *cut) []*live {
	var out []*live
	for i := range b.calls {
		sh := &b.calls[i]
		sh.mu.Lock()
		for _, l := range sh.live {
			if matches(t, &l.call) {
				out = append(out, l)
				if c != nil {
					l.cuts = append(l.cuts, c)
				}
			}
		}
		sh.mu.Unlock()
	}
	return out
}

// cutCalls ends calls: first what agents see of them, then the calls themselves.
// To end a call's context wakes it, and a hundred calls that settle at once keep
// whoever cuts the rest from its processor.
func cutCalls(all []*live, cause error) {
	for _, l := range all {
		if l.call.HangUp != nil {
			l.call.HangUp(cause)
		}
	}
	for _, l := range all {
		l.cancel(cause)
	}
}

// Cut ends the live calls that a target names, without stopping what comes: for
// an agent that was contained or retired, whose next call is refused anyway.
// It does not wait for them; Run writes the audit record. why is the cause that
// the calls end with.
func (b *Board) Cut(t client.StopTarget, by string, why *fault.Error) int {
	all := b.find(t, nil)
	cutCalls(all, why)
	if len(all) == 0 {
		return 0
	}
	select {
	case b.noted <- note{t, by, why.Code, len(all)}:
	default: // a thousand waiting: the change that cut has a record of its own
		b.log.Warn("calls were cut and the audit log has no room to say so", "kind", t.Kind, "value", t.Value, "calls", len(all))
	}
	return len(all)
}

// note is what Cut leaves for Run to write.
type note struct {
	target client.StopTarget
	by     string
	code   string
	calls  int
}

func (b *Board) write(ctx context.Context, n note) {
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		return record(ctx, tx, "revoke.cut", n.by, "cut", n.target.Value, nil, map[string]any{
			"kind": n.target.Kind, "value": n.target.Value, "calls_cut": n.calls, "code": n.code,
		}, "")
	})
	if err != nil {
		b.log.Error("cut calls could not be noted", "kind", n.target.Kind, "value", n.target.Value, "calls", n.calls, "err", err)
	}
}

// cut collects when the calls of a stop have left.
type cut struct {
	mu   sync.Mutex
	gone map[*live]time.Time
	want int           // 0 until all calls are known
	done chan struct{} // closed when all have left
}

func (c *cut) left(l *live, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone[l] = at
	if len(c.gone) == c.want {
		close(c.done)
	}
}

// expect says how many there are.
func (c *cut) expect(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = n
	if len(c.gone) == n {
		close(c.done)
	}
}

// Stop stops t until it is lifted or until the given time (zero: no end): it
// commits, kills the agent's credentials, refuses new calls, cuts live ones,
// waits until they have left the door and answers with the receipt. by is who
// asks. A repeated stop of the same target is another stop, with a receipt of
// its own; each is lifted by itself.
func (b *Board) Stop(ctx context.Context, by string, t client.StopTarget, reason string, until time.Time) (client.Stop, error) {
	requested := b.now()
	if err := checkTarget(t); err != nil {
		return client.Stop{}, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxReason || !utf8.ValidString(reason) {
		return client.Stop{}, fault.New(fault.KindInvalid, "stop.invalid", "a stop needs a reason of at most %d bytes", maxReason)
	}
	if !until.IsZero() && !until.After(requested) {
		return client.Stop{}, fault.New(fault.KindInvalid, "stop.invalid", "a stop cannot have ended before it begins")
	}
	if len(b.stops.Load().all) >= maxStops {
		return client.Stop{}, fault.New(fault.KindExhausted, "stop.too_many", "%d stops are in force already", maxStops).WithHint("lift some, or stop a team or everything")
	}
	st := &client.Stop{ID: "stop_" + strings.ToLower(rand.Text()), Target: t, Reason: reason, By: by, CreatedAt: requested.UTC().Truncate(time.Microsecond)}
	if !until.IsZero() {
		u := until.UTC().Truncate(time.Microsecond)
		st.Until = &u
	}
	// Who asks may go away; a stop that has begun is carried through.
	ctx = context.WithoutCancel(ctx)
	release := b.hurry()
	defer release()
	r := client.Receipt{ID: "rcp_" + st.ID[4:], RequestedAt: st.CreatedAt, ThroughDoor: true, CallsCut: []client.CutCall{}, Delegates: []string{}, Notes: []string{}}
	journalled := b.keep(st)
	var committed error
	if !journalled {
		if committed = b.commit(ctx, st, &r); committed != nil {
			b.add(st) // better in force and forgotten by a restart than not in force
		}
	}

	c := &cut{gone: map[*live]time.Time{}, done: make(chan struct{})}
	taken := b.find(t, c)
	cutCalls(taken, refusal(st))
	c.expect(len(taken))
	if journalled {
		if committed = b.commit(ctx, st, &r); committed == nil {
			b.forget(st.ID)
		}
	}
	timer := time.NewTimer(b.grace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	}
	release()
	b.receipt(st, &r, c, taken, requested)

	out := *st
	out.Receipt = &r
	if committed != nil {
		b.log.Error("a stop is in force and could not be stored", "stop", st.ID, "kind", t.Kind, "err", committed)
		return out, b.notStored(st, &r, len(taken), committed, journalled)
	}
	if err := b.storeReceipt(ctx, st.ID, &r); err != nil {
		b.log.Error("a stop's receipt could not be stored", "stop", st.ID, "err", err)
	}
	return out, nil
}

// keep puts a stop in the journal and in force: what comes and what is live can be
// cut while the database stores it. false: there is no room or no journal, and the
// database has to have it first, else the end of this process would forget it.
func (b *Board) keep(st *client.Stop) bool {
	if b.journal == nil {
		return false
	}
	if err := b.journal.put(st); err != nil {
		b.log.Warn("a stop waits for the database: the journal does not take it", "stop", st.ID, "err", err)
		return false
	}
	b.add(st)
	return true
}

// forget takes a stop out of the journal that the database has. One that stays is
// found there by the next process, and found in the database too.
func (b *Board) forget(id string) {
	if b.journal == nil {
		return
	}
	if err := b.journal.drop(id); err != nil {
		b.log.Warn("a stop that is stored could not be taken out of the journal", "stop", id, "err", err)
	}
}

// notStored says that the database did not take a stop that is in force, and what
// becomes of it.
func (b *Board) notStored(st *client.Stop, r *client.Receipt, calls int, cause error, journalled bool) error {
	hint := "it would not survive a restart: stop again once the database takes writes"
	if journalled {
		b.change.Lock()
		b.unstored = append(b.unstored, unstored{st, r})
		b.change.Unlock()
		if err := b.journal.sync(); err == nil {
			hint = "it is kept beside the database, also over a restart, and is stored as soon as that takes writes"
		}
	}
	return fault.New(fault.KindUnavailable, "stop.not_stored", "the stop %s is in force on this node (%d calls cut) but could not be stored", st.ID, calls).
		WithCause(cause).WithHint("%s", hint)
}

// waiting are the stops that the database did not take so far.
func (b *Board) waiting() []unstored {
	b.change.Lock()
	defer b.change.Unlock()
	return slices.Clone(b.unstored)
}

// settle stores a stop that is in force already, unless the database has it.
func (b *Board) settle(ctx context.Context, u unstored) error {
	st, r := u.Stop, b.receiptOf(u)
	stored := false
	err := b.db.WriteFirst(ctx, func(tx *control.Tx) error {
		_, there, err := control.One(ctx, tx, scan, `SELECT `+columns+` WHERE id = ?`, st.ID)
		if err != nil || there {
			return err
		}
		stored = true
		return b.insert(ctx, tx, st, &r)
	})
	if err != nil {
		return err
	}
	b.change.Lock()
	b.unstored = slices.DeleteFunc(b.unstored, func(u unstored) bool { return u.ID == st.ID })
	b.change.Unlock()
	b.forget(st.ID)
	if !stored {
		return nil
	}
	if err := b.storeReceipt(ctx, st.ID, &r); err != nil {
		b.log.Error("a stop's receipt could not be stored", "stop", st.ID, "err", err)
	}
	return nil
}

// receiptOf is what is known of a stop that the database does not have.
func (b *Board) receiptOf(u unstored) client.Receipt {
	if u.receipt != nil {
		r := *u.receipt
		r.Notes = append(slices.Clone(r.Notes), "the database did not take this stop when it began to hold")
		return r
	}
	r := client.Receipt{
		ID: "rcp_" + u.ID[min(len(u.ID), 5):], RequestedAt: u.CreatedAt, StoppedAt: u.CreatedAt, ThroughDoor: true, CallsCut: []client.CutCall{}, Delegates: []string{},
		Notes:   []string{"the process that cut for this stop ended before the database had it: which calls were cut is not known"},
		Targets: []client.StopNode{{Node: b.node, State: "stopped", StoppedAt: u.CreatedAt}},
	}
	if u.Target.Kind == KindAgent {
		r.Agent = u.Target.Value
	}
	return r
}

// held are the stops that hold, the newest first, as they are shown where the
// database does not have them: with their receipt where it is known.
func (b *Board) held() (out []client.Stop) {
	receipts := map[string]client.Receipt{}
	for _, u := range b.waiting() {
		receipts[u.ID] = b.receiptOf(u)
	}
	now := b.now()
	for _, held := range b.stops.Load().all {
		if over(held, now) {
			continue
		}
		st := *held
		if r, ok := receipts[st.ID]; ok {
			st.Receipt = &r
		}
		out = append(out, st)
	}
	return out
}

// commit stores the stop; with the commit it is in force, if it is not yet.
func (b *Board) commit(ctx context.Context, st *client.Stop, r *client.Receipt) error {
	return b.db.WriteFirst(ctx, func(tx *control.Tx) error { return b.insert(ctx, tx, st, r) })
}

func (b *Board) insert(ctx context.Context, tx *control.Tx, st *client.Stop, r *client.Receipt) error {
	var until *int64
	if st.Until != nil {
		us := control.Micros(*st.Until)
		until = &us
	}
	if _, err := tx.Exec(ctx, `INSERT INTO stops (id, kind, value, reason, by_person, created_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		st.ID, st.Target.Kind, st.Target.Value, st.Reason, st.By, control.Micros(st.CreatedAt), until); err != nil {
		return err
	}
	// In force before the agent's epoch is raised: a credential that is made in
	// between would have the new epoch and outlive the stop.
	tx.AfterCommit(func() { b.add(st) })
	if st.Target.Kind == KindAgent && b.agents != nil {
		n, err := b.agents.Raise(ctx, tx, st.Target.Value)
		switch {
		case fault.Is(err, fault.KindNotFound):
			r.Notes = append(r.Notes, "no agent of this name is registered, so it has no credentials of ours")
		case err != nil:
			return err
		}
		r.CredentialsRevoked = n
	}
	return record(ctx, tx, "revoke", st.By, "stop", st.ID, nil, map[string]any{
		"kind": st.Target.Kind, "value": st.Target.Value, "until": until, "credentials_revoked": r.CredentialsRevoked,
	}, st.Reason)
}

// receipt fills in what was cut and how fast.
func (b *Board) receipt(st *client.Stop, r *client.Receipt, c *cut, taken []*live, requested time.Time) {
	c.mu.Lock()
	gone := c.gone
	c.gone = map[*live]time.Time{} // who leaves later finds nobody waiting
	c.want = -1
	c.mu.Unlock()
	end := b.now()
	last := requested
	lingering := 0
	for _, l := range taken {
		at, ok := gone[l]
		if !ok {
			at = end
			lingering++
		}
		if at.After(last) {
			last = at
		}
		one := cutCall(&l.call)
		one.CutMS = millis(at.Sub(requested))
		r.CallsCut = append(r.CallsCut, one)
		if st.Target.Kind == KindAgent && l.call.Agent != st.Target.Value && !slices.Contains(r.Delegates, l.call.Agent) {
			r.Delegates = append(r.Delegates, l.call.Agent)
		}
	}
	if len(taken) == 0 {
		last = end
	}
	slices.Sort(r.Delegates)
	slices.SortFunc(r.CallsCut, byStart)
	if len(r.CallsCut) > maxCut {
		r.CallsCut = r.CallsCut[:maxCut]
		r.Notes = append(r.Notes, "more calls were cut than are listed here; targets has their number")
	}
	if lingering > 0 {
		r.Notes = append(r.Notes, "some calls were told to end and had not left the door when this was written")
	}
	if st.Target.Kind == KindAgent {
		r.Agent = st.Target.Value
		if r.ThroughDoor = b.passes(st.Target.Value, taken); !r.ThroughDoor {
			note := "no call of this agent came through the door since it was started: what it does elsewhere goes on"
			if r.CredentialsRevoked > 0 {
				note += "; the credentials that Reeve gave it are dead"
			}
			r.Notes = append(r.Notes, note, "end its process and revoke the keys it holds at its providers")
		}
	}
	r.TimeToStopMS = millis(last.Sub(requested))
	r.StoppedAt = r.RequestedAt.Add(last.Sub(requested)).Truncate(time.Microsecond)
	r.Targets = []client.StopNode{{Node: b.node, State: "stopped", StoppedAt: r.StoppedAt, CallsCut: len(taken)}}
}

// passes reports whether calls of the agent, or for it, come through the door.
func (b *Board) passes(agent string, taken []*live) bool {
	_, ok := b.seen.Load(agent)
	return ok || len(taken) > 0
}

func millis(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

func byStart(x, y client.CutCall) int {
	if c := x.StartedAt.Compare(y.StartedAt); c != 0 {
		return c
	}
	return strings.Compare(x.DecisionID, y.DecisionID)
}

func cutCall(c *Call) client.CutCall {
	out := client.CutCall{DecisionID: c.ID, Agent: c.Agent, Resource: c.Resource, RunID: c.Run, StartedAt: c.StartedAt}
	if c.Sent != nil {
		out.BytesOut = c.Sent.Load()
	}
	return out
}

func (b *Board) storeReceipt(ctx context.Context, id string, r *client.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE stops SET receipt = ? WHERE id = ?`, string(text), id); err != nil {
			return err
		}
		return record(ctx, tx, "revoke.receipt", "reeve", "stop", id, nil, map[string]any{
			"receipt": r.ID, "time_to_stop_us": int64(r.TimeToStopMS * 1000), "calls_cut": r.Targets[0].CallsCut,
		}, "")
	})
}

// Preview is what a stop of t would cut now.
func (b *Board) Preview(t client.StopTarget) (client.StopPreview, error) {
	if err := checkTarget(t); err != nil {
		return client.StopPreview{}, err
	}
	p := client.StopPreview{Target: t, Calls: []client.CutCall{}, Agents: []string{}, ThroughDoor: true}
	taken := b.find(t, nil)
	for _, l := range taken {
		p.Calls = append(p.Calls, cutCall(&l.call))
		if !slices.Contains(p.Agents, l.call.Agent) {
			p.Agents = append(p.Agents, l.call.Agent)
		}
	}
	p.Total = len(p.Calls)
	slices.SortFunc(p.Calls, byStart)
	slices.Sort(p.Agents)
	p.Calls = p.Calls[:min(len(p.Calls), maxCut)]
	if t.Kind == KindAgent {
		p.ThroughDoor = b.passes(t.Value, taken)
	}
	return p, nil
}

// Lift ends a stop: calls are let in again. It revives no credential.
func (b *Board) Lift(ctx context.Context, by, id, reason string) (client.Stop, error) {
	if reason = strings.TrimSpace(reason); len(reason) > maxReason || !utf8.ValidString(reason) {
		return client.Stop{}, fault.New(fault.KindInvalid, "stop.invalid", "a reason has at most %d bytes", maxReason)
	}
	now := b.now().UTC().Truncate(time.Microsecond)
	var out *client.Stop
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		st, ok, err := control.One(ctx, tx, scan, `SELECT `+columns+` WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !ok {
			// One that could not be stored holds all the same, so it can be lifted.
			i := slices.IndexFunc(b.stops.Load().all, func(st *client.Stop) bool { return st.ID == id })
			if i < 0 {
				return fault.New(fault.KindNotFound, "stop.not_found", "there is no such stop").WithHint("`reeve stop list` lists them")
			}
			held := *b.stops.Load().all[i]
			st = &held
			// It is stored as one that was lifted: its agent's credentials die now, since
			// a lift revives none.
			if err := b.insert(ctx, tx, st, &client.Receipt{}); err != nil {
				return err
			}
		}
		out = st
		if st.LiftedAt != nil {
			return nil // lifted before: nothing changes
		}
		if _, err := tx.Exec(ctx, `UPDATE stops SET lifted_at = ?, lifted_by = ? WHERE id = ?`, control.Micros(now), by, id); err != nil {
			return err
		}
		st.LiftedAt, st.LiftedBy = &now, by
		tx.AfterCommit(func() { b.remove(id); b.forget(id) })
		return record(ctx, tx, "revoke.lifted", by, "lift", id, nil, map[string]any{"kind": st.Target.Kind, "value": st.Target.Value}, reason)
	})
	if err != nil {
		return client.Stop{}, err
	}
	return *out, nil
}

// Get reads one stop.
func (b *Board) Get(ctx context.Context, id string) (client.Stop, error) {
	st, ok, err := control.One(ctx, b.db, scan, `SELECT `+columns+` WHERE id = ?`, id)
	if err != nil {
		return client.Stop{}, err
	}
	if ok {
		return *st, nil
	}
	for _, st := range b.held() {
		if st.ID == id {
			return st, nil
		}
	}
	return client.Stop{}, fault.New(fault.KindNotFound, "stop.not_found", "there is no such stop").WithHint("`reeve stop list` lists them")
}

// List gives the newest stops first, at most limit (0: 1,000); with active only
// those in force.
func (b *Board) List(ctx context.Context, active bool, limit int) ([]client.Stop, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	where := ``
	args := []any{}
	if active {
		where = ` WHERE lifted_at IS NULL AND ended_at IS NULL AND (until_at IS NULL OR until_at > ?)`
		args = append(args, control.Micros(b.now()))
	}
	list, err := control.All(ctx, b.db, scan, `SELECT `+columns+where+` ORDER BY created_at DESC, id LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]bool, len(list))
	out := make([]client.Stop, 0, len(list))
	for _, st := range list {
		stored[st.ID] = true
		out = append(out, *st)
	}
	for _, st := range b.held() {
		if !stored[st.ID] {
			out = append(out, st)
		}
	}
	slices.SortStableFunc(out, func(a, b client.Stop) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out[:min(len(out), limit)], nil
}

const columns = `id, kind, value, reason, by_person, created_at, until_at, lifted_at, lifted_by, receipt FROM stops`

func scan(r control.Row) (*client.Stop, error) {
	st := &client.Stop{}
	var created int64
	var until, lifted *int64
	var receipt string
	if err := r.Scan(&st.ID, &st.Target.Kind, &st.Target.Value, &st.Reason, &st.By, &created, &until, &lifted, &st.LiftedBy, &receipt); err != nil {
		return nil, err
	}
	st.CreatedAt, st.Until, st.LiftedAt = control.Time(created), timeOf(until), timeOf(lifted)
	if receipt != "" {
		st.Receipt = &client.Receipt{}
		if err := json.Unmarshal([]byte(receipt), st.Receipt); err != nil {
			return nil, fault.New(fault.KindInternal, "stop.receipt", "the receipt of stop %s cannot be read", st.ID).WithCause(err)
		}
	}
	return st, nil
}

func timeOf(us *int64) *time.Time {
	if us == nil {
		return nil
	}
	t := control.Time(*us)
	return &t
}

// record writes the audit record and the event of a change.
func record(ctx context.Context, tx *control.Tx, kind, by, action, id string, before, after any, reason string) error {
	if err := audit.Append(ctx, tx, audit.Record{Kind: kind, Person: by, Action: action, Object: id, Before: before, After: after, Reason: reason}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "stop.updated", Object: id})
}
