package mcp

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"reeve/internal/gateway/llm/wire"
)

// Which tasks there are, and what is new of them, across the eras: 2025-11-25
// lists tasks and says their state on the session's own stream, 2026-07-28 lists
// none and tells of those that a client subscribed to.

const (
	noteStatus = "notifications/tasks/status" // of 2025-11-25
	noteTask   = "notifications/tasks"        // of 2026-07-28

	tasksPage = 20 // of one answer to tasks/list: each that runs is asked for
)

// unlistLocked forgets the oldest task that is kept for lists only, of a caller or,
// where all have too many together, of anybody: what a list leaves out costs less
// than a call that is refused.
func (s *tasks) unlistLocked(of owner, own bool) {
	var oldest *task
	for k, t := range s.all {
		if (k.of == of || !own) && t.listed && (oldest == nil || t.n < oldest.n) {
			oldest = t
		}
	}
	if oldest != nil {
		s.drop(oldest)
	}
}

// page gives a caller's tasks at a server without sessions, in the order in which
// they were made, after the one of a number. more says that there are others.
func (s *tasks) page(of owner, after uint64, now time.Time) (page []*task, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, t := range s.all {
		if k.of == of && (t.listed || t.done != nil) && t.n > after && now.Before(t.until) {
			page = append(page, t)
		}
	}
	slices.SortFunc(page, func(a, b *task) int { return int(int64(a.n) - int64(b.n)) })
	if len(page) > tasksPage {
		return page[:tasksPage], true
	}
	return page, false
}

// running are the server's names of those that are not over, as far as is known.
func (s *tasks) running(of owner, now time.Time) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, t := range s.all {
		if k.of == of && t.listed && !t.last.over() && now.Before(t.until) {
			ids = append(ids, k.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// state is what was last said of a task.
func (s *tasks) state(t *task) taskFields {
	if t.done != nil {
		return t.fields()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.last
}

// saw notes what a server says of a task that is listed.
func (s *tasks) saw(k taskKey, f taskFields) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.all[k]; t != nil && t.listed {
		t.last = f.short()
	}
}

// lost forgets a task that its server does not know any more.
func (s *tasks) lost(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[t.key] == t {
		s.drop(t)
	}
}

// short is a task without what came of it.
func (f *taskFields) short() taskFields {
	out := *f
	out.Type, out.Result, out.Error, out.Requests = "", nil, nil, nil
	return out
}

// keepListed remembers a task of a server without sessions for tasks/list, and
// has the session listen to what is new of it.
func (x *exchange) keepListed(f taskFields, now time.Time) {
	t := &task{key: taskKey{x.taskOwner(), f.ID}, until: now.Add(life(f.TTLMs)), last: f.short(), listed: true}
	if x.p.tasks.put(t, now) == nil { // one that finds no room is not listed
		x.ses.legacy.listenAnew()
	}
}

// listNew answers tasks/list: 2026-07-28 has no such request, so the door lists
// the tasks that it saw the caller make, each as its server knows it now.
func (x *exchange) listNew(ctx context.Context, req *http.Request, l link) ([]byte, error) {
	var after uint64
	if raw := x.m.cursor.in(x.m.raw); len(raw) > 0 {
		text, err := strconv.Unquote(string(raw))
		if err == nil {
			after, err = strconv.ParseUint(text, 10, 64)
		}
		if err != nil {
			return nil, errParams
		}
	}
	page, more := x.p.tasks.page(x.taskOwner(), after, x.p.o.Now())
	all := make([]taskFields, 0, len(page))
	asking := true
	for _, t := range page {
		f, known, err := x.p.tasks.state(t), true, error(nil)
		if asking {
			f, known, err = x.stateNow(ctx, req, l, t)
		}
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil: // it is as it was when it was last told of, and so are those that follow
			f, known, asking = x.p.tasks.state(t), true, false
		}
		if known {
			f.old()
			all = append(all, f)
		}
	}
	out := map[string]any{"tasks": all}
	if more {
		out["nextCursor"] = strconv.FormatUint(page[len(page)-1].n, 10)
	}
	return x.resultMessage(encoded(out)), nil
}

// stateNow is a task as it is now; known is false when its server has forgotten
// it.
func (x *exchange) stateNow(ctx context.Context, req *http.Request, l link, t *task) (f taskFields, known bool, err error) {
	if f = x.p.tasks.state(t); f.over() {
		return f, true, nil
	}
	result, failed, err := x.aboutTask(ctx, req, l, t.key.id, "tasks/get", nil)
	switch {
	case err != nil:
		return f, false, err
	case failed != nil:
		x.p.tasks.lost(t)
		return f, false, nil
	}
	if f, err = readTask(result); err != nil {
		return f, false, err
	}
	f.ID = t.key.id
	x.p.tasks.saw(t.key, f)
	return f.short(), true, nil
}

// asStatus is what a server without sessions says of a task as a client with one
// has it; nil when that is none of those it was asked about.
func (x *exchange) asStatus(m *message, asked []string) []byte {
	f, err := readTask(m.params.in(m.raw))
	if err != nil || !slices.Contains(asked, f.ID) {
		return nil
	}
	x.p.tasks.saw(taskKey{x.taskOwner(), f.ID}, f)
	f = f.short()
	f.old()
	return append(append([]byte(`{"jsonrpc":"2.0","method":"`+noteStatus+`","params":`), encoded(f)...), '}')
}

// wantsNews reports whether the message subscribes to tasks.
func (x *exchange) wantsNews() bool {
	m := x.m
	return m.method == "subscriptions/listen" && bytes.Contains(m.notes.in(m.raw), []byte(`"taskIds"`))
}

// ownNews puts the server's own names into a subscription to tasks. What is no
// task of this caller's is left out, as servers do with those they do not know.
func (x *exchange) ownNews() error {
	notes := x.m.notes
	var edits []wire.Edit
	c := wire.NewCursor(notes.in(x.m.raw))
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "taskIds" {
			continue
		}
		at := span{from: c.Pos()}
		for a := c.Array(); a.Next(); {
			if own, ok := x.p.seals.unmark(c.Text(), ownerOf(x.c)); ok && len(x.news) < maxTasksOf {
				x.news = append(x.news, own)
			}
		}
		at.to = c.Pos()
		edits = append(edits, wire.Edit{From: notes.from + at.from, To: notes.from + at.to, With: encoded(append([]string{}, x.news...))})
	}
	if c.End() != nil || len(edits) != 1 {
		return errParams
	}
	x.out = wire.Apply(nil, x.out, edits)
	return nil
}

// newsOf are the tasks of a server with sessions that a subscription is about, by
// the server's names; want keeps the names of these.
func (x *exchange) newsOf(req *http.Request, l link, want *subscription) map[string]told {
	news := map[string]told{}
	given := want.Tasks
	want.Tasks = nil
	for _, name := range given {
		own, ok := x.p.seals.unmark(name, ownerOf(x.c))
		if !ok {
			continue
		}
		t := x.p.tasks.find(taskKey{x.taskOwner(), own}, x.p.o.Now())
		if t == nil {
			continue
		}
		at, err := x.p.links.of(x, req, t.caps, t.client)
		if err != nil || at.modern() {
			continue // nothing is promised of it: the client polls
		}
		want.Tasks = append(want.Tasks, name)
		news[own] = told{t, at}
	}
	return news
}

// told is a task that somebody listens to, and the connection of which it is.
type told struct {
	t *task
	l link
}

// overhearAll gives what a server with sessions says by itself, on the client's
// connection and on those of tasks that were made with other capabilities. done
// waits until nothing reads any more; it is called after ctx ends.
func overhearAll(ctx context.Context, req *http.Request, l link, news map[string]told) (heard <-chan []byte, done func(), err error) {
	all := []link{l}
	for _, n := range news {
		if !slices.Contains(all, n.l) {
			all = append(all, n.l)
		}
	}
	if len(all) == 1 {
		heard, err = l.overhear(ctx, req)
		return heard, func() {}, err
	}
	out := make(chan []byte)
	var readers sync.WaitGroup
	for _, l := range all {
		ear, err := l.overhear(ctx, req)
		if err != nil {
			return nil, readers.Wait, err
		}
		readers.Go(func() { pour(ctx, out, ear) })
	}
	return out, readers.Wait, nil
}

// pour hands on what comes until ctx ends.
func pour(ctx context.Context, to chan<- []byte, from <-chan []byte) {
	for {
		select {
		case <-ctx.Done():
			return
		case msg := <-from:
			select {
			case to <- msg:
			case <-ctx.Done():
				return
			}
		}
	}
}

// tellTask tells the client what became of a task, as 2026-07-28 has it: with its
// result or what it waits for, which the server is asked for. What cannot be had
// now is not told; the client polls.
func (x *exchange) tellTask(ctx context.Context, req *http.Request, n told, say emit) error {
	n.t.mu.Lock()
	f, failed, err := x.detail(ctx, req, n.l, n.t)
	n.t.mu.Unlock()
	if failed != nil || err != nil {
		x.p.o.Logger.Debug("a task is not told of", "upstream", x.c.Upstream.Name, "err", err)
		return nil
	}
	members := encoded(f)
	return say(x.subscriptionNote(noteTask, string(members[1:len(members)-1])), false)
}

// acknowledged is what a server of the client's own era agrees to tell of, by our
// names of tasks.
func (x *exchange) acknowledged(params []byte) []byte {
	var edits []wire.Edit
	c := wire.NewCursor(params)
	for o := c.Object(); o.Next(); {
		if string(o.Key) != "notifications" {
			continue
		}
		for in := c.Object(); in.Next(); {
			if string(in.Key) != "taskIds" {
				continue
			}
			for a := c.Array(); a.Next(); {
				from := c.Pos()
				name := x.p.seals.mark(c.Text(), ownerOf(x.c))
				edits = append(edits, wire.Edit{From: from, To: c.Pos(), With: quote(name)})
			}
		}
	}
	if c.End() != nil || len(edits) == 0 {
		return nil
	}
	return wire.Apply(nil, params, edits)
}

// noteOfTask looks at a notification about tasks: names are ours in it, and what a
// task waits for is decided as when the client asks. ok is false for one that does
// not pass; changed is nil when it passes as it is.
func (a *answer) noteOfTask(m *message) (changed []byte, ok bool) {
	x := a.x
	params := m.params.in(m.raw)
	switch m.method {
	case "notifications/subscriptions/acknowledged":
		if len(x.news) > 0 && !x.decided {
			return x.acknowledged(params), true
		}
		return nil, true
	case noteTask, noteStatus:
	default:
		return nil, true
	}
	if x.m != nil && x.m.method == "subscriptions/listen" && !slices.Contains(x.news, m.task) {
		return nil, false // nobody asked about it
	}
	if m.method == noteTask && !x.decided && bytes.Contains(params, []byte(`"inputRequests"`)) {
		out, f := a.taskInputs(params, m.task)
		return out, f == nil
	}
	if out := x.tasks(params); len(out) != len(params) {
		return out, true
	}
	return nil, true
}
