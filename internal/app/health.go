package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// Limits at which intake refuses (docs/architecture.md, "What fails how").
const (
	maxWait     = 30 * time.Second // until what comes now is stored
	resumeWait  = 15 * time.Second // intake accepts again
	maxFill     = 0.8              // of the log's quota
	minFreeDisk = 0.05
)

// health looks at the parts twice a second. Intake asks it on every request,
// so the answer is one atomic load.
type health struct {
	a       *App
	refusal atomic.Pointer[fault.Error] // why intake refuses all now; nil when it does not
	slowing atomic.Pointer[fault.Error] // why it refuses those who send most; nil when it does not
	last    atomic.Pointer[state]

	policyFiles string // why they are not in force, as last told; the watch's own
	drain       drain  // the watch's own
}

// state is what one look saw.
type state struct {
	lag     time.Duration // age of the oldest message that is not stored
	wait    time.Duration // of a message that comes now
	failing error
	logFill float64
	logSize uint64
	free    float64
	room    error // why the log takes nothing for want of disk; nil when it does
}

func (h *health) watch(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		h.look(ctx)
		h.watchPolicyFiles(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (h *health) look(ctx context.Context) {
	s := &state{free: 1}
	s.lag, s.failing = h.a.reader.Lag()
	if stats, err := h.a.bus.Activity().Stats(ctx); err == nil && stats.Quota > 0 {
		s.logSize, s.logFill = stats.Bytes, float64(stats.Bytes)/float64(stats.Quota)
		s.wait = h.drain.look(time.Now(), stats, s.lag)
	} else {
		s.wait = longest
	}
	if s.failing != nil {
		s.wait = longest // the pace of before tells nothing
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(h.a.o.Config.Data, &fs); err == nil && fs.Blocks > 0 {
		s.free = float64(fs.Bavail) / float64(fs.Blocks)
	}
	// A small disk ends for the log long before it is full: it leaves room for decisions.
	s.room = h.a.bus.Activity().Room()
	h.last.Store(s)
	before := cmp.Or(h.refusal.Load(), h.slowing.Load())
	now := s.refusal(before != nil)
	all, some := now, (*fault.Error)(nil)
	if now != nil && s.full() == "" {
		all, some = nil, now
	}
	h.refusal.Store(all)
	h.slowing.Store(some)
	switch {
	case now != nil && before == nil:
		h.a.log.Error("intake refuses telemetry", "code", now.Code, "why", now.Message, "of", map[bool]string{true: "all", false: "those who send most"}[all != nil], "lag", s.lag, "wait", s.wait, "log_bytes", s.logSize, "err", s.failing)
	case now == nil && before != nil:
		h.a.log.Info("intake accepts telemetry again", "lag", s.lag, "wait", s.wait, "log_bytes", s.logSize)
	}
}

// refusal says why intake must refuse, or nil; refusing is whether it does.
func (s *state) refusal(refusing bool) *fault.Error {
	most := maxWait
	if refusing {
		most = resumeWait
	}
	switch why := s.full(); {
	case why != "":
		return refused(why)
	case s.lag > behind && s.wait > most:
		return refused(fmt.Sprintf("the store is %s behind, and what comes now would wait longer than %s", s.lag.Round(time.Second), most))
	}
	return nil
}

// full says what has no room for anybody's telemetry; "" while there is some. A store
// that is behind is not: the log holds what comes, and those who send little are not
// refused for what others send (decision 0066).
func (s *state) full() string {
	switch {
	case s.logFill > maxFill:
		return fmt.Sprintf("the log is %.0f %% full", 100*s.logFill)
	case s.free < minFreeDisk:
		return fmt.Sprintf("the disk has %.1f %% left", 100*s.free)
	case s.room != nil:
		return "the disk is full" // senders are not told of which folder
	}
	return ""
}

// slow says why those who send most are refused, or nil.
func (h *health) slow() error {
	if f := h.slowing.Load(); f != nil {
		return f
	}
	return nil
}

// Publish puts one encoded batch into the activity log, or says why not now.
func (h *health) Publish(ctx context.Context, batch []byte) error {
	if f := h.refusal.Load(); f != nil {
		return f
	}
	_, err := h.a.bus.Activity().Publish(ctx, batch)
	return backpressure(err)
}

// publishOwn is Publish for what this process saw itself: calls at the door. A
// sender that is refused sends again and so lets the store catch up; a call is not
// made twice, and its cost counts. So only a log or a disk that is full refuses it.
func (h *health) publishOwn(ctx context.Context, batch []byte) error {
	if s := h.last.Load(); s != nil && s.free < minFreeDisk {
		return (&state{free: s.free}).refusal(false)
	}
	_, err := h.a.bus.Activity().Publish(ctx, batch)
	return backpressure(err)
}

// backpressure says in intake's words that the log refuses for now: the watch
// sees the same only half a second later, and senders resend at once what is
// refused with another kind.
func backpressure(err error) error {
	if err == nil {
		return nil
	}
	f := fault.From(err)
	if f.Code != "bus.full" && f.Code != "bus.disk_full" {
		return err
	}
	if f.Code == "bus.disk_full" {
		return refused("the disk is full").WithCause(err)
	}
	return refused(f.Message).WithCause(err)
}

func refused(why string) *fault.Error {
	return fault.New(fault.KindExhausted, "intake.backpressure", "telemetry is refused for now: %s", why).
		WithHint("send it again after the time in Retry-After; what was accepted is safe")
}

// ready answers 200 when the parts have been looked at and intake accepts. Why not,
// and what else is wrong, names agents and files: it is told on this host only, and
// to others by the health page, which asks who they are.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	f := h.refusal.Load()
	switch {
	case h.last.Load() == nil:
		http.Error(w, "starting", http.StatusServiceUnavailable)
	case f != nil && !h.a.fromThisHost(r):
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	case f != nil:
		http.Error(w, f.Message, http.StatusServiceUnavailable)
	default:
		_, _ = w.Write([]byte("ready\n"))
		if !h.a.fromThisHost(r) {
			return
		}
		for _, p := range h.troubles() {
			_, _ = fmt.Fprintf(w, "%s: %s\n", p.Name, p.Reason)
		}
	}
}

// troubles are what does not keep Reeve from working and a person should know: the
// files that are not in force, and the agents that the door had to refuse.
func (h *health) troubles() (out []client.HealthPart) {
	if err := h.a.policies.FileError(); err != nil {
		out = append(out, client.HealthPart{Name: "policies", State: "degraded", Reason: "the files are not in force, what was before is: " + fault.From(err).Message})
	}
	if s := h.a.config.Load(); s != nil && s.failed != nil {
		out = append(out, client.HealthPart{Name: "configuration", State: "degraded", Reason: "the file was not taken over, what was before holds: " + fault.From(s.failed).Message})
	} else if s != nil && len(s.restart) > 0 {
		out = append(out, client.HealthPart{Name: "configuration", State: "degraded", Reason: "needs a restart for " + strings.Join(s.restart, ", ")})
	}
	for _, c := range h.a.gateway.Concerns() {
		out = append(out, client.HealthPart{
			Name: "door", State: "degraded",
			Reason: fmt.Sprintf("%d calls were refused with 503 %s within ten minutes, the last at %s: %s; agents %s", c.Calls, c.Code, c.Last.UTC().Format(time.RFC3339), c.Message, strings.Join(c.Agents, ", ")),
			Facts:  map[string]any{"code": c.Code, "calls": c.Calls, "last_at": c.Last.UTC(), "agents": c.Agents},
		})
	}
	return out
}

// Health is what GET /health answers.
func (h *health) Health(ctx context.Context) (client.Health, error) {
	out := client.Health{State: "ok", Version: h.a.o.Version, StartedAt: &h.a.started, Dev: h.a.o.Config.Dev, Addresses: h.a.addresses()}
	s := h.last.Load()
	if s == nil {
		s = &state{free: 1}
	}
	lag := s.lag.Milliseconds()
	out.LagMS = &lag
	if at := h.a.intake.Stats().Last; !at.IsZero() {
		out.LastBatchAt = &at
	}
	part := func(name, state, text string) {
		out.Parts = append(out.Parts, client.HealthPart{Name: name, State: state, Reason: text})
		if state == "down" || state != "ok" && out.State == "ok" {
			out.State = state
		}
	}
	if f := h.refusal.Load(); f != nil {
		part("intake", "down", f.Message)
	} else if f := h.slowing.Load(); f != nil {
		part("intake", "degraded", f.Message+"; those who send less than others are not refused")
	} else {
		part("intake", "ok", "accepts telemetry")
	}
	part("activity log", "ok", fmt.Sprintf("%.1f MB waiting, %.1f %% of its quota", float64(s.logSize)/1e6, 100*s.logFill))
	live := h.a.reader.Stats()
	if s.failing != nil {
		part("reader", "down", "the store refuses writes: "+fault.From(s.failing).Message)
	} else {
		part("reader", "ok", fmt.Sprintf("%d runs in memory (%.1f MB), %d ms behind", live.Live, float64(live.LiveBytes)/1e6, lag))
	}
	if err := h.a.decisions.Failing(); err != nil {
		part("decisions", "down", fault.From(err).Message)
	} else {
		part("decisions", "ok", fmt.Sprintf("%d records, %d decisions open", h.a.decisions.Stats().Records, h.a.decisions.Stats().Open))
	}
	for _, p := range h.troubles() {
		part(p.Name, p.State, p.Reason)
		out.Parts[len(out.Parts)-1].Facts = p.Facts
	}
	for _, s := range h.a.siem.Status() {
		if s.Error != "" {
			part("siem "+s.Name, "degraded", "takes no records since "+s.FailingSince.UTC().Format(time.RFC3339))
		}
	}
	for _, d := range h.a.relays.List(ctx) {
		if d.Status.State == "failing" {
			part("relay "+d.Name, "degraded", d.Status.Error)
		}
	}
	stats, err := h.a.store.Stats(ctx)
	if err != nil {
		part("store", "down", fault.From(err).Message)
		return out, nil
	}
	out.StoreBytes = &stats.Bytes
	part("store", "ok", fmt.Sprintf("%d steps, %d runs, %d files, %.1f MB", stats.Steps, stats.Runs, stats.Files, float64(stats.Bytes)/1e6))
	switch {
	case s.free < minFreeDisk:
		part("disk", "down", fmt.Sprintf("%.1f %% free: nothing is taken below %.0f %%", 100*s.free, 100*minFreeDisk))
	case s.room != nil:
		part("disk", "down", fmt.Sprintf("%.0f %% free, and too little for the log: %s", 100*s.free, fault.From(s.room).Message))
	default:
		part("disk", "ok", fmt.Sprintf("%.0f %% free", 100*s.free))
	}
	return out, nil
}
