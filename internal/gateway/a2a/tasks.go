package a2a

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"sync"
	"time"

	"reeve/internal/control"
	"reeve/internal/gateway"
)

// Task is a task at a peer, or a context, and whose it is.
type Task struct {
	Upstream, ID                      string
	Owner                             string // a digest of agent, credential and user
	Agent, Instance, Credential, User string
	Team                              string
	Context                           string
	State                             string // of 1.0, as last seen
	Updated                           time.Time
}

// The kinds of what is owned.
const (
	ownsTask    = "task"
	ownsContext = "context"
	// ownsHeld is a task that waits for a person: its id is the approval's, its
	// state the peer's own id of it, once it has one.
	ownsHeld = "held"
)

const (
	maxOwned   = 200_000 // tasks and contexts that are remembered
	maxOfOwner = 10_000  // of one owner
	flushEvery = 200 * time.Millisecond
)

// ownerKey finds what is owned.
type ownerKey struct{ upstream, kind, id string }

// tasks is whose each task and context is. It is kept in memory and written
// behind: what a crash loses is nobody's, and so hidden from all.
type tasks struct {
	db  *control.DB // nil: memory only
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	all   map[ownerKey]*list.Element // of *owned
	order *list.List                 // the longest unchanged first
	count map[string]int             // by owner
	dirty map[ownerKey]struct{}
}

type owned struct {
	key ownerKey
	Task
}

func newTasks(ctx context.Context, db *control.DB, log *slog.Logger, now func() time.Time) (*tasks, error) {
	b := &tasks{db: db, log: log, now: now, all: map[ownerKey]*list.Element{}, order: list.New(), count: map[string]int{}, dirty: map[ownerKey]struct{}{}}
	if db == nil {
		return b, nil
	}
	rows, err := control.All(ctx, db, func(r control.Row) (o owned, err error) {
		var at int64
		err = r.Scan(&o.key.upstream, &o.key.kind, &o.key.id, &o.Owner, &o.Agent, &o.Instance, &o.Credential, &o.User, &o.Team, &o.Context, &o.State, &at)
		o.Upstream, o.ID, o.Updated = o.key.upstream, o.key.id, time.UnixMicro(at)
		return o, err
	}, `SELECT upstream, kind, id, owner, agent, instance, credential, person, team, context, state, updated FROM a2a_tasks ORDER BY updated DESC LIMIT ?`, maxOwned)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		o := rows[i]
		b.all[o.key] = b.order.PushFront(&o)
		b.count[o.Owner]++
	}
	return b, nil
}

// ownerOf is who owns what a call makes at a peer. A short-lived token is no
// owner, since its agent gets the next at will: then it is agent and instance.
func ownerOf(c *gateway.Call) Task {
	k := &c.Caller
	holder := k.Agent.Name + "/" + k.Instance
	if k.Credential == "agent_key" {
		holder = k.CredentialID
	}
	h := sha256.New()
	for _, s := range [...]string{k.Agent.Name, holder, k.User} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return Task{
		Upstream: c.Upstream.Name, Owner: base64.RawURLEncoding.EncodeToString(h.Sum(nil)), Agent: k.Agent.Name, Instance: k.Instance,
		Credential: k.CredentialID, User: k.User, Team: k.Agent.Team,
	}
}

// whose tells whether something is owner's, or is somebody's at all.
func (b *tasks) whose(upstream, kind, id, owner string) (own, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.all[ownerKey{upstream, kind, id}]
	return ok && e.Value.(*owned).Owner == owner, ok
}

// get is something of an owner's.
func (b *tasks) get(upstream, kind, id, owner string) (Task, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.all[ownerKey{upstream, kind, id}]
	if !ok || e.Value.(*owned).Owner != owner {
		return Task{}, false
	}
	return e.Value.(*owned).Task, true
}

// lead says which task of the peer's a held one became.
func (b *tasks) lead(upstream, held, task string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := ownerKey{upstream, ownsHeld, held}
	e, ok := b.all[key]
	if !ok || e.Value.(*owned).State == task {
		return
	}
	o := e.Value.(*owned)
	o.State, o.Updated = task, b.now()
	b.order.MoveToBack(e)
	b.dirty[key] = struct{}{}
}

// claim makes something of's, if it is not another's, and notes how it is. It
// reports whether it is of's now.
func (b *tasks) claim(kind, id string, of Task) bool {
	key := ownerKey{of.Upstream, kind, id}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if e, ok := b.all[key]; ok {
		o := e.Value.(*owned)
		if o.Owner != of.Owner {
			return false
		}
		if of.State != "" && of.State != o.State || of.Context != "" && of.Context != o.Context || now.Sub(o.Updated) > time.Hour {
			if of.State != "" {
				o.State = of.State
			}
			if of.Context != "" {
				o.Context = of.Context
			}
			o.Updated = now
			b.order.MoveToBack(e)
			b.dirty[key] = struct{}{}
		}
		return true
	}
	if b.count[of.Owner] >= maxOfOwner {
		b.dropOldest(of.Owner)
	} else if len(b.all) >= maxOwned {
		b.drop(b.order.Front())
	}
	of.ID, of.Updated = id, now
	b.all[key] = b.order.PushBack(&owned{key: key, Task: of})
	b.count[of.Owner]++
	b.dirty[key] = struct{}{}
	return true
}

// dropOldest forgets the oldest of an owner. Holds mu.
func (b *tasks) dropOldest(owner string) {
	for e := b.order.Front(); e != nil; e = e.Next() {
		if e.Value.(*owned).Owner == owner {
			b.drop(e)
			return
		}
	}
}

// drop forgets one. Holds mu.
func (b *tasks) drop(e *list.Element) {
	o := e.Value.(*owned)
	b.order.Remove(e)
	delete(b.all, o.key)
	if b.count[o.Owner]--; b.count[o.Owner] <= 0 {
		delete(b.count, o.Owner)
	}
	b.dirty[o.key] = struct{}{}
}

// forget drops all of an upstream, which may stand for another peer now.
func (b *tasks) forget(upstream string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for e := b.order.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*owned).Upstream == upstream {
			b.drop(e)
		}
		e = next
	}
}

// open lists the tasks that go on, as far as they were seen.
func (b *tasks) open() []Task {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Task
	for e := b.order.Front(); e != nil; e = e.Next() {
		if o := e.Value.(*owned); o.key.kind == ownsTask && !over(o.State) {
			out = append(out, o.Task)
		}
	}
	return out
}

// of counts the tasks of an owner at an upstream.
func (b *tasks) of(upstream, owner string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count[owner] == 0 {
		return 0
	}
	for _, e := range b.all {
		if o := e.Value.(*owned); o.key.kind == ownsTask && o.Upstream == upstream && o.Owner == owner {
			n++
		}
	}
	return n
}

// run writes behind until ctx ends, and then what is left.
func (b *tasks) run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			b.flush(last)
			return
		case <-tick.C:
			b.flush(ctx)
		}
	}
}

// flush writes what changed. What cannot be written stays in memory and is
// tried again.
func (b *tasks) flush(ctx context.Context) {
	b.mu.Lock()
	if len(b.dirty) == 0 || b.db == nil {
		clear(b.dirty)
		b.mu.Unlock()
		return
	}
	dirty := b.dirty
	b.dirty = map[ownerKey]struct{}{}
	put := make([]owned, 0, len(dirty))
	var gone []ownerKey
	for k := range dirty {
		if e, ok := b.all[k]; ok {
			put = append(put, *e.Value.(*owned))
		} else {
			gone = append(gone, k)
		}
	}
	b.mu.Unlock()
	err := b.db.Write(ctx, func(tx *control.Tx) error {
		for i := range put {
			o := &put[i]
			if _, err := tx.Exec(ctx, `INSERT INTO a2a_tasks (upstream, kind, id, owner, agent, instance, credential, person, team, context, state, updated)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (upstream, kind, id) DO UPDATE SET owner = excluded.owner, agent = excluded.agent,
				instance = excluded.instance, credential = excluded.credential, person = excluded.person, team = excluded.team,
				context = excluded.context, state = excluded.state, updated = excluded.updated`,
				o.key.upstream, o.key.kind, o.key.id, o.Owner, o.Agent, o.Instance, o.Credential, o.User, o.Team, o.Context, o.State, o.Updated.UnixMicro()); err != nil {
				return err
			}
		}
		for _, k := range gone {
			if _, err := tx.Exec(ctx, `DELETE FROM a2a_tasks WHERE upstream = ? AND kind = ? AND id = ?`, k.upstream, k.kind, k.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	b.log.Warn("whose tasks at peers are could not be stored", "err", err)
	b.mu.Lock()
	for k := range dirty {
		b.dirty[k] = struct{}{}
	}
	b.mu.Unlock()
}

// Owner is the agent whose task this is at an upstream; ok is false for one that
// is nobody's.
func (p *Protocol) Owner(upstream, task string) (agent string, ok bool) {
	p.tasks.mu.Lock()
	defer p.tasks.mu.Unlock()
	e, ok := p.tasks.all[ownerKey{upstream, ownsTask, task}]
	if !ok {
		return "", false
	}
	return e.Value.(*owned).Agent, true
}
