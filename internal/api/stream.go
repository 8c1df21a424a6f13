package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/approval"
	"reeve/internal/bus"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/incident"
)

const (
	heartbeat     = 15 * time.Second
	streamWrite   = 10 * time.Second // a client that takes longer for a line is cut off; it resumes
	streamBacklog = 256
)

// The bounds of open event streams: each holds a reader of the log, and nobody
// takes those of all.
const (
	maxStreams    = 512
	maxStreamsOne = 64
)

// streams counts the open event streams.
type streams struct {
	mu  sync.Mutex
	all int            // guarded by mu
	by  map[string]int // guarded by mu; by caller
}

func (s *streams) enter(who identity.Principal) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := func(n int, whose string) error {
		return fault.New(fault.KindExhausted, "api.streams", "%d streams of events are open%s", n, whose).WithHint("close some, or read the lists")
	}
	id := who.PersonID // of a token: its owner; "" in dev, where there is but one
	switch {
	case s.all >= maxStreams:
		return nil, full(s.all, "")
	case id != "" && s.by[id] >= maxStreamsOne:
		return nil, full(s.by[id], " for this account")
	}
	s.all++
	s.by[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.by[id]--; s.by[id] == 0 {
			delete(s.by, id)
		}
	}, nil
}

type positioned struct {
	at uint64
	bus.Event
}

// follow answers with a stream of events. Only what the caller may see is sent;
// positions of what was left out travel with the next line or heartbeat.
func follow(a *API, w http.ResponseWriter, r *http.Request, req *client.EventsRequest) error {
	if a.o.Events == nil {
		return fault.New(fault.KindUnavailable, "api.events", "there is no stream of events here")
	}
	leave, err := a.streams.enter(whoOf(r.Context()))
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = req.After
	}
	newest, err := a.o.Events.Last(ctx)
	if err != nil {
		return err
	}
	after, reset := newest, false
	if last != "" {
		// An id that is no number is from somewhere else: as good as too old.
		if n, err := strconv.ParseUint(last, 10, 64); err == nil {
			after = n
		} else {
			reset = true
		}
	}
	out := &eventWriter{w: w, c: http.NewResponseController(w), want: wanted(req.Types), run: req.Run, who: whoOf(ctx)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := out.text(fmt.Sprintf("retry: 1000\nid: %d\n\n", after)); err != nil {
		return nil
	}
	if reset {
		_ = out.reset(newest)
	}

	lines := make(chan positioned, streamBacklog)
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("reading events: panic: %v", p)
			}
		}()
		ended <- a.readEvents(ctx, after, lines)
	}()
	defer func() {
		cancel()
		for {
			select {
			case <-lines: // let the reader out of a full channel
			case <-ended:
				return
			}
		}
	}()
	beat := time.NewTicker(a.beat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			// Who was let in may have been signed out, revoked or given other
			// roles since: a stream outlives that by a heartbeat at most.
			who, err := a.o.Identity.Again(ctx, out.who)
			if err != nil || callOf(ctx).op.Permission.allow(&who) != nil {
				return nil // the client comes back and is told why
			}
			if out.who = who; out.beat() != nil {
				return nil
			}
		case ev := <-lines:
			if out.event(ev) != nil {
				return nil // the client left or is too slow; it resumes from its last id
			}
		case err := <-ended:
			ended <- err
			return err
		}
	}
}

// readEvents reads from a position until ctx ends; where the position is gone
// it says so once and goes on from the newest.
func (a *API) readEvents(ctx context.Context, after uint64, lines chan<- positioned) error {
	send := func(p positioned) error {
		select {
		case lines <- p:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for {
		err := a.o.Events.Read(ctx, after, func(position uint64, _ time.Time, ev bus.Event) error {
			after = position
			return send(positioned{at: position, Event: ev})
		})
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, bus.ErrTooOld) {
			return err
		}
		if after, err = a.o.Events.Last(ctx); err != nil {
			return err
		}
		if err := send(positioned{at: after, Event: bus.Event{Type: eventReset}}); err != nil {
			return nil
		}
	}
}

const eventReset = "reset"

type eventWriter struct {
	w    http.ResponseWriter
	c    *http.ResponseController
	who  identity.Principal
	want map[string]bool // nil: all types
	run  string
	at   uint64 // the newest position, sent or left out
	told uint64 // the newest position that the client knows
}

func wanted(types string) map[string]bool {
	if types == "" {
		return nil
	}
	m := map[string]bool{eventReset: true}
	for _, t := range strings.Split(types, ",") {
		m[strings.TrimSpace(t)] = true
	}
	return m
}

func (w *eventWriter) text(s string) error {
	// A writer without deadlines (a test's recorder) cannot block either.
	_ = w.c.SetWriteDeadline(time.Now().Add(streamWrite))
	if _, err := w.w.Write([]byte(s)); err != nil {
		return err
	}
	return w.c.Flush()
}

func (w *eventWriter) reset(position uint64) error {
	w.told = position
	return w.text(fmt.Sprintf("id: %d\nevent: %s\ndata: {}\n\n", position, eventReset))
}

// beat keeps the connection open through proxies, and moves the client's
// position over events that it was not sent.
func (w *eventWriter) beat() error {
	if w.at > w.told {
		w.told = w.at
		return w.text(fmt.Sprintf(": still here\nid: %d\n\n", w.at))
	}
	return w.text(": still here\n\n")
}

func (w *eventWriter) event(ev positioned) error {
	w.at = max(w.at, ev.at)
	if ev.Type == eventReset {
		return w.reset(ev.at)
	}
	if !w.mayRead(ev.Event) {
		return nil
	}
	data := ev.Data
	if len(data) == 0 {
		b, err := json.Marshal(map[string]string{"id": ev.ID})
		if err != nil { // a string: cannot happen
			panic(err)
		}
		data = b
	}
	w.told = ev.at
	return w.text(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", ev.at, clean(ev.Type), clean(string(data))))
}

// clean keeps an event on its line.
func clean(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }

// mayRead reports whether the caller wants and may have an event. Events about
// a run name its team and environment; other events carry no more than that
// something changed.
func (w *eventWriter) mayRead(ev bus.Event) bool {
	if w.want != nil && !w.want[ev.Type] {
		return false
	}
	if ev.Type == "decision.recorded" {
		var d client.DecisionsRecorded
		if err := json.Unmarshal(ev.Data, &d); err != nil || w.run != "" && !slices.Contains(d.Runs, w.run) {
			return false
		}
		return w.who.Can(identity.Viewer, d.Team, d.Environment)
	}
	if strings.HasPrefix(ev.Type, "approval.") {
		var n approval.Notice
		if err := json.Unmarshal(ev.Data, &n); err != nil || w.run != "" && n.Run != w.run {
			return false
		}
		// Who is asked as one of a group sees the list change when it is read again.
		return w.who.Can(identity.Viewer, n.Team, n.Environment)
	}
	if strings.HasPrefix(ev.Type, "incident.") {
		var n incident.Notice
		if err := json.Unmarshal(ev.Data, &n); err != nil || w.run != "" {
			return false
		}
		return seesPlace(w.who, n.Team, n.Environment)
	}
	if strings.HasPrefix(ev.Type, "finding.") || strings.HasPrefix(ev.Type, "response.") || strings.HasPrefix(ev.Type, "canary.") || strings.HasPrefix(ev.Type, "drill.") {
		var at struct{ Team, Environment string }
		return w.run == "" && json.Unmarshal(ev.Data, &at) == nil && w.who.Can(identity.Viewer, at.Team, at.Environment)
	}
	if !strings.HasPrefix(ev.Type, "run.") {
		return w.run == "" && (w.who.Everywhere(identity.Viewer) || ev.Type == "health.changed")
	}
	var run client.RunUpdated
	if err := json.Unmarshal(ev.Data, &run); err != nil {
		return false
	}
	if w.run != "" && run.ID != w.run {
		return false
	}
	return w.who.Can(identity.Viewer, run.Team, run.Environment)
}
