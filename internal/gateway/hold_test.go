package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/stop"
	"reeve/internal/testkit"
)

const holdWrites = `@id("reads") permit (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"read" };
@id("writes") @hold("finance") @reason("money leaves") permit (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"write" };`

// held is a house whose policy holds writes, with an upstream that counts them.
type held struct {
	*house
	book *approval.Book
	key  string
	seen atomic.Int64
	last atomic.Pointer[string] // body that the upstream got
}

func newHeld(t *testing.T, wait time.Duration, change func(*gateway.Options)) *held {
	t.Helper()
	h := &held{}
	h.house = newHouse(t, func(o *gateway.Options) {
		h.book = openBook(t, wait)
		o.Approvals = h.book
		o.Page = func(id string) string { return "https://reeve.example/approvals/" + id }
		if change != nil {
			change(o)
		}
	})
	h.permit(holdWrites)
	h.key = h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		text := string(b)
		h.last.Store(&text)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"refund":`+strconv.FormatInt(h.seen.Add(1), 10)+`}`)
	}), nil)
	return h
}

// openBook is a Book on a database of its own, with its loops running.
func openBook(t *testing.T, wait time.Duration) *approval.Book {
	t.Helper()
	c := approval.Default()
	c.Wait = wait
	db := openDB(t)
	b, err := approval.New(t.Context(), approval.Options{DB: db, Key: make([]byte, approval.KeySize), Config: c, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = b.Run(ctx) })
	loops.Go(func() {
		_ = control.NewTimers(db, map[string]control.TimerFunc{approval.TimerExpire: b.Expire}, nil).Run(ctx)
	})
	t.Cleanup(func() { cancel(); loops.Wait() })
	return b
}

var finance = approval.Person{ID: "per_fin", Name: "fin", Groups: []string{"finance"}, Any: true}

// one waits for the only approval in a state.
func (h *held) one(state approval.State) *approval.Approval {
	h.t.Helper()
	for range 2000 {
		list, err := h.book.List(h.t.Context(), approval.Filter{States: []approval.State{state}})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(list) == 1 {
			return list[0]
		}
		<-time.After(time.Millisecond)
	}
	h.t.Fatalf("no approval is %s", state)
	return nil
}

func (h *held) approve() *approval.Approval {
	h.t.Helper()
	a := h.one(approval.Pending)
	a, err := h.book.Approve(h.t.Context(), a.ID, finance, a.Bound)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// refund calls in the background.
func (h *held) refund(body string, headers ...string) <-chan answer {
	out := make(chan answer, 1)
	headers = append([]string{"Content-Type", "application/json", "X-Reeve-Run", "r1"}, headers...)
	go func() { out <- h.call(h.key, "POST", "/http/shop/v1/refunds", body, headers...) }()
	return out
}

// A held call waits; when people agree it is decided again, recorded and
// forwarded once, byte for byte.
func TestAHeldCallGoesOn(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 10*time.Second, nil)
	waits := h.refund(`{"amount": 12.50}`)
	a := h.one(approval.Pending)
	if a.Ask.Agent != "refunds" || a.Ask.Resource != "shop POST /v1/refunds" || a.Ask.Effect != "write" || len(a.Ask.Groups) != 1 || a.Ask.Groups[0].Name != "finance" || len(a.Ask.Asked) != 1 {
		t.Errorf("asked: %+v", a.Ask)
	}
	if d := h.log.Of(t, a.Ask.Decision); d.Verdict != activity.VerdictHold || d.Result != activity.ResultHeld || d.Approval != a.ID {
		t.Errorf("the decision that holds: %+v", d)
	}
	if n := h.seen.Load(); n != 0 {
		t.Fatalf("%d calls were forwarded before anybody agreed", n)
	}
	h.approve()
	got := <-waits
	if got.status != 200 || got.body != `{"refund":1}` || *h.last.Load() != `{"amount": 12.50}` {
		t.Fatalf("%+v, the upstream got %s", got, *h.last.Load())
	}
	d := h.log.Of(t, got.decision)
	if d.ID == a.Ask.Decision || d.Verdict != activity.VerdictAllow || d.Approval != a.ID || d.Result != activity.ResultOK || d.Reasons[0].Code != "approval.granted" {
		t.Errorf("the decision that uses it: %+v", d)
	}
	done := h.one(approval.Done)
	if done.UsedBy != got.decision || !done.Delivered {
		t.Errorf("%+v", done)
	}
	// The same again is a retry, and happens no second time.
	if got := <-h.refund(`{"amount": 12.50}`); got.status != 200 || got.body != `{"refund":1}` || got.header.Get("X-Reeve-Collected") != a.ID || h.seen.Load() != 1 {
		t.Errorf("%+v", got)
	}
	// In another run it is a new question.
	again := h.refund(`{"amount": 12.50}`, "X-Reeve-Run", "r2")
	if b := h.one(approval.Pending); b.ID == a.ID {
		t.Error("an approval was used twice")
	}
	if _, err := h.book.Deny(t.Context(), h.one(approval.Pending).ID, finance); err != nil {
		t.Fatal(err)
	}
	if got := <-again; got.status != 403 || got.problem != "approval.denied" || h.seen.Load() != 1 {
		t.Errorf("%+v, %d calls", got, h.seen.Load())
	}
	// Denied once is denied for a day, whatever run it claims.
	if got := <-h.refund(`{"amount": 12.50}`, "X-Reeve-Run", "another"); got.status != 403 || got.problem != "approval.denied_before" {
		t.Errorf("%+v", got)
	}
}

// Nobody answers: the call ends with the approval's address and a time to come
// again; the retry joins it, and collects.
func TestARetryJoins(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 20*time.Millisecond, nil)
	got := <-h.refund(`{"amount": 1}`)
	a := h.one(approval.Pending)
	if got.status != 409 || got.problem != "approval.pending" || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "https://reeve.example/approvals/"+a.ID) {
		t.Fatalf("%+v", got)
	}
	for range 3 {
		if got := <-h.refund(`{"amount": 1}`); got.problem != "approval.pending" {
			t.Fatalf("%+v", got)
		}
	}
	if a := h.one(approval.Pending); a.Asked != 4 {
		t.Errorf("asked %d times, want 4", a.Asked)
	}
	h.approve()
	// Without its call nothing happens.
	if h.seen.Load() != 0 {
		t.Fatal("forwarded with nobody there")
	}
	// Another argument does not get it.
	if got := <-h.refund(`{"amount": 2}`); got.problem != "approval.pending" || h.seen.Load() != 0 {
		t.Fatalf("%+v", got)
	}
	// Nor another run, agent or path.
	if got := <-h.refund(`{"amount": 1}`, "X-Reeve-Run", "r2"); got.problem != "approval.pending" || h.seen.Load() != 0 {
		t.Fatalf("%+v", got)
	}
	other := h.agent("other")
	if got := h.call(other, "POST", "/http/shop/v1/refunds", `{"amount": 1}`, "Content-Type", "application/json", "X-Reeve-Run", "r1"); got.problem != "approval.pending" || h.seen.Load() != 0 {
		t.Fatalf("%+v", got)
	}
	if got := <-h.refund(`{"amount": 1}`); got.status != 200 || got.body != `{"refund":1}` {
		t.Fatalf("%+v", got)
	}
	if h.seen.Load() != 1 {
		t.Errorf("%d calls were forwarded", h.seen.Load())
	}
}

// Many callers of the same action join one approval: one is forwarded, the
// others get its answer.
func TestJoinedCallsCollect(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 10*time.Second, nil)
	var waits []<-chan answer
	for range 8 {
		waits = append(waits, h.refund(`{"amount": 3}`))
	}
	for h.one(approval.Pending).Asked < 8 {
		<-time.After(time.Millisecond)
	}
	h.approve()
	for _, w := range waits {
		if got := <-w; got.status != 200 || got.body != `{"refund":1}` || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%+v", got)
		}
	}
	if h.seen.Load() != 1 {
		t.Errorf("%d calls were forwarded", h.seen.Load())
	}
}

// What was edited is forwarded, and only that changes.
func TestEdited(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 10*time.Second, nil)
	h.permit(holdWrites + `@id("most") forbid (principal, action == Action::"call_api", resource) when { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").greaterThan(decimal("500.0")) };`)
	body := "{\n  \"amount\":  400.00, \"note\": \"a\\u0062c\" }"
	waits := h.refund(body)
	a := h.one(approval.Pending)
	request, err := h.book.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	tooMuch, err := approval.Replace(request.Arguments(), []approval.Replacement{{Path: "/amount", Value: []byte("900")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.door.Rehearse(t.Context(), a, tooMuch); code(err) != "approval.edit_denied" {
		t.Errorf("an edit that policy denies: %v", err)
	}
	edited, err := approval.Replace(request.Arguments(), []approval.Replacement{{Path: "/amount", Value: []byte("20.5")}})
	if err != nil {
		t.Fatal(err)
	}
	to, bound, err := h.door.Rehearse(t.Context(), a, edited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Edit(t.Context(), a.ID, finance, "of something else", to, bound); code(err) != "approval.other" {
		t.Errorf("an edit of other arguments than those shown: %v", err)
	}
	if _, err := h.book.Edit(t.Context(), a.ID, finance, a.Bound, to, bound); err != nil {
		t.Fatal(err)
	}
	if got := <-waits; got.status != 200 {
		t.Fatalf("%+v", got)
	}
	if want := "{\n  \"amount\":  20.5, \"note\": \"a\\u0062c\" }"; *h.last.Load() != want {
		t.Errorf("the upstream got %q, want %q", *h.last.Load(), want)
	}
}

// What an approval was given for is still so when it is used, or it is void.
func TestVoid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string // of the approval's end
		problem    string // of the call that comes to use it
		change     func(t *testing.T, h *held)
	}{
		{"contained", "approval.containment", "approval.void", func(t *testing.T, h *held) { contain(agent.Throttled)(t, h.house, "refunds") }},
		{"upstream", "approval.upstream", "approval.void", func(t *testing.T, h *held) {
			u, _ := h.upstreams.Lookup("shop")
			s := u.Shape()
			s.TimeoutMS = 5000
			if _, err := h.upstreams.Put(t.Context(), "ada", s); err != nil {
				t.Fatal(err)
			}
		}},
		{"another key", "approval.credential", "approval.void", func(t *testing.T, h *held) {
			_, key, err := h.agents.CreateKey(t.Context(), testkit.EveryRole(), "refunds", agent.NewKey{Label: "second"})
			if err != nil {
				t.Fatal(err)
			}
			h.key = key
		}},
		{"policy", "approval.other_policy", "approval.void", func(_ *testing.T, h *held) {
			h.permit(holdWrites + `@id("also") @hold("privacy") forbid (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"write" };`)
		}},
		{"a changed statement", "approval.other_policy", "approval.void", func(_ *testing.T, h *held) {
			h.permit(strings.Replace(holdWrites, "money leaves", "money goes", 1))
		}},
		{"autonomy", "approval.other_policy", "approval.void", func(t *testing.T, h *held) {
			to := agent.Supervised
			if _, err := h.agents.Update(t.Context(), testkit.EveryRole(), "refunds", agent.Change{Autonomy: &to}); err != nil {
				t.Fatal(err)
			}
		}},
		{"policy denies now", "", "decision.denied", func(_ *testing.T, h *held) { h.permit(`@id("no") forbid (principal, action, resource);`) }},
		{"stopped", "", "stop.agent", func(t *testing.T, h *held) {
			if _, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: stop.KindRun, Value: h.one(approval.Approved).Ask.Run}, "a test", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHeld(t, 10*time.Millisecond, nil)
			if got := <-h.refund(`{"amount": 1}`); got.problem != "approval.pending" {
				t.Fatalf("%+v", got)
			}
			a := h.approve()
			c.change(t, h)
			got := <-h.refund(`{"amount": 1}`)
			if c.name == "stopped" {
				c.problem = "stop.run"
			}
			if got.problem != c.problem || h.seen.Load() != 0 {
				t.Errorf("%+v, want %s; %d forwarded", got, c.problem, h.seen.Load())
			}
			if c.code == "" {
				return
			}
			if b, err := h.book.Get(t.Context(), a.ID); err != nil || b.State != approval.Void || b.Code != c.code {
				t.Errorf("%s %s %v, want %s", b.State, b.Code, err, c.code)
			}
			if d := h.log.Of(t, got.decision); d.Verdict != activity.VerdictDeny || d.Approval != a.ID || d.Reasons[0].Code != c.code {
				t.Errorf("decision: %+v", d)
			}
		})
	}
}

func code(err error) string {
	if f := fault.From(err); f != nil {
		return f.Code
	}
	return ""
}

// An agent that goes away while what people agreed to is underway loses nothing:
// it happens once, and the retry collects the answer.
func TestTheAgentGoesAway(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before the answer", "in the answer", "while it waits"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			h := newHeld(t, 10*time.Second, nil)
			arrived, go2 := make(chan struct{}, 4), make(chan struct{})
			var calls atomic.Int64
			h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				if when == "in the answer" {
					_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
					_ = http.NewResponseController(w).Flush()
				}
				arrived <- struct{}{}
				<-go2
				_, _ = io.WriteString(w, "whole")
			}), func(u *client.Upstream) { u.Revision = 1 })
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				req, err := http.NewRequestWithContext(ctx, "POST", h.url+"/http/shop/v1/refunds", strings.NewReader(`{"amount": 1}`))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+h.key)
				req.Header.Set("X-Reeve-Run", "r1")
				req.Header.Set("Content-Type", "application/json")
				if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}()
			a := h.one(approval.Pending)
			if when == "while it waits" {
				leave()
				<-gone
				h.approve()
				close(go2)
				if got := <-h.refund(`{"amount": 1}`); got.status != 200 || got.body != "whole" || calls.Load() != 1 {
					t.Errorf("%+v, %d calls", got, calls.Load())
				}
				return
			}
			h.approve()
			<-arrived
			leave()
			<-gone
			retry := h.refund(`{"amount": 1}`)
			close(go2)
			if got := <-retry; got.status != 200 || !strings.HasSuffix(got.body, "whole") || when == "in the answer" && len(got.body) != 100_005 {
				t.Errorf("%d %s, %d bytes", got.status, got.problem, len(got.body))
			}
			if calls.Load() != 1 {
				t.Errorf("%d calls were forwarded", calls.Load())
			}
			done, err := h.book.Get(t.Context(), a.ID)
			if err != nil || done.State != approval.Done || done.Code != "ok" {
				t.Errorf("%+v %v", done, err)
			}
		})
	}
}

// A stop ends a wait, and the question with it; it cuts what is underway.
func TestAStopEndsAWait(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 10*time.Second, nil)
	waits := h.refund(`{"amount": 1}`)
	a := h.one(approval.Pending)
	st, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: stop.KindAgent, Value: "refunds"}, "a test", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Receipt.CallsCut) != 1 {
		t.Errorf("%+v", st.Receipt)
	}
	if got := <-waits; got.status != 403 || got.problem != "stop.agent" {
		t.Errorf("%+v", got)
	}
	if b := h.one(approval.Void); b.ID != a.ID || b.Code != "stop.agent" {
		t.Errorf("%+v", b)
	}
	if _, err := h.book.Approve(t.Context(), a.ID, finance, a.Bound); code(err) != "approval.settled" {
		t.Errorf("agreeing to what a stop ended: %v", err)
	}
}

// The end of the process keeps nobody waiting for people.
func TestTheProcessEndsAWait(t *testing.T) {
	t.Parallel()
	h := newHeld(t, time.Minute, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.door.Serve(ctx, l, gateway.Serving{Drain: 30 * time.Second}) }()
	h.url = "http://" + l.Addr().String()
	waits := h.refund(`{"amount": 1}`)
	h.one(approval.Pending)
	end()
	if got := <-waits; got.status != 409 || got.problem != "approval.pending" || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A person takes over: their result is the agent's, further calls of the run wait
// for them, and all that they do is in the run.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	var book *approval.Book
	h := newHeld(t, 10*time.Second, func(o *gateway.Options) { book = o.Approvals })
	book.Tell(h.door.ApprovalChanged)
	waits := h.refund(`{"amount": 1}`)
	a := h.one(approval.Pending)
	by := finance
	by.Reason = "by hand"
	if _, err := h.book.TakeOver(t.Context(), a.ID, by, &approval.Answer{Status: 202, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte("done by hand")}, true); err != nil {
		t.Fatal(err)
	}
	got := <-waits
	if got.status != 202 || got.body != "done by hand" || h.seen.Load() != 0 {
		t.Errorf("%+v", got)
	}
	// A read of that run waits now, one of another run does not.
	read := func(run string) <-chan answer {
		out := make(chan answer, 1)
		go func() { out <- h.call(h.key, "GET", "/http/shop/v1/orders/1", "", "X-Reeve-Run", run) }()
		return out
	}
	if got := <-read("r2"); got.status != 200 {
		t.Errorf("another run: %+v", got)
	}
	waits = read("r1")
	b := h.one(approval.Pending)
	if len(b.Ask.Holds) != 1 || b.Ask.Holds[0] != approval.CodeTaken || b.Ask.Reasons[0].Code != approval.CodeTaken {
		t.Errorf("%+v", b.Ask)
	}
	h.approve()
	if got := <-waits; got.status != 200 {
		t.Errorf("%+v", got)
	}
	if _, err := h.book.GiveBack(t.Context(), a.ID, finance); err != nil {
		t.Fatal(err)
	}
	if got := <-read("r1"); got.status != 200 {
		t.Errorf("after it was given back: %+v", got)
	}
	var human []activity.Fragment
	for range 2000 {
		human = human[:0]
		for _, f := range h.base.Fragments() {
			if f.Kind == activity.KindHuman {
				human = append(human, f)
			}
		}
		if len(human) == 3 {
			break
		}
		<-time.After(time.Millisecond)
	}
	if len(human) != 3 || human[0].Name != "take over POST /v1/refunds" || human[0].Run.String() != a.Ask.Run || human[0].Parent.String() != a.Ask.Step ||
		len(human[0].Contents) != 2 || string(human[0].Contents[1].Raw) != "done by hand" || !slices.Contains(human[0].Tags, "person:fin") {
		t.Errorf("human steps: %+v", human)
	}
}

// Nothing that a client sends answers its own question.
func TestTheHeldPartyAnswersNothing(t *testing.T) {
	t.Parallel()
	h := newHeld(t, 20*time.Millisecond, nil)
	if got := <-h.refund(`{"amount": 1}`); got.problem != "approval.pending" {
		t.Fatalf("%+v", got)
	}
	a := h.one(approval.Pending)
	for _, headers := range [][]string{
		{"X-Reeve-Approval", a.ID}, {"X-Reeve-Approval", a.ID + "; approved"}, {"X-Reeve-Decision", a.Ask.Decision}, {"X-Reeve-Verdict", "allow"},
	} {
		if got := <-h.refund(`{"amount": 1}`, headers...); got.problem != "approval.pending" || h.seen.Load() != 0 {
			t.Errorf("%v: %+v", headers, got)
		}
	}
	if got := <-h.refund(`{"amount": 1, "approved": true, "approval": "` + a.ID + `"}`); got.problem != "approval.pending" || h.seen.Load() != 0 {
		t.Errorf("%+v", got)
	}
}

// Beyond its limits an agent is refused, recorded and told of; nothing is
// forwarded.
func TestAnAgentAsksTooMuch(t *testing.T) {
	t.Parallel()
	h := newHeld(t, time.Millisecond, nil)
	for i := range 5 {
		if got := <-h.refund(`{"amount": ` + strconv.Itoa(i) + `}`); got.problem != "approval.pending" {
			t.Fatalf("%d: %+v", i, got)
		}
	}
	got := <-h.refund(`{"amount": 99}`)
	if got.status != 403 || got.problem != "approval.too_many" || h.seen.Load() != 0 {
		t.Fatalf("%+v", got)
	}
	d := h.log.Of(t, got.decision)
	if d.Verdict != activity.VerdictDeny || d.Result != activity.ResultDenied || d.Reasons[0].Code != "approval.too_many" {
		t.Errorf("%+v", d)
	}
}

// What a content rule takes out is taken out before people look, and before it is
// forwarded; an edit begins from what they saw.
func TestRedactedBeforePeopleLook(t *testing.T) {
	t.Parallel()
	set, err := content.New(t.Context(), content.Options{DB: openDB(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Put(t.Context(), content.Actor{Person: "ada"}, client.ContentRule{Name: "mail", Classes: []string{"pii.email"}, Action: "redact", Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	for _, edit := range []bool{false, true} {
		h := newHeld(t, 10*time.Second, func(o *gateway.Options) { o.Content = set })
		waits := h.refund(`{"amount": 1, "to": "ada.lovelace@example.org"}`)
		a := h.one(approval.Pending)
		r, err := h.book.Open(a)
		if err != nil || strings.Contains(string(r.Body), "lovelace") || !strings.Contains(string(r.Body), `"amount": 1`) {
			t.Errorf("people see %s, %v", r.Body, err)
		}
		want := string(r.Body)
		if !edit {
			h.approve()
		} else {
			body, err := approval.Replace(r.Body, []approval.Replacement{{Path: "/amount", Value: []byte("2")}})
			if err != nil {
				t.Fatal(err)
			}
			want = string(body)
			to, bound, err := h.door.Rehearse(t.Context(), a, body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.book.Edit(t.Context(), a.ID, finance, a.Bound, to, bound); err != nil {
				t.Fatal(err)
			}
		}
		if got := <-waits; got.status != 200 || *h.last.Load() != want {
			t.Errorf("%+v, the upstream got %s, want %s", got, *h.last.Load(), want)
		}
	}
}

// pinning is a protocol whose calls are pinned to a definition.
type pinning struct {
	httpapi.Protocol
	pin *atomic.Pointer[string]
}

func (p pinning) Propose(c *gateway.Call) (*gateway.Proposal, error) {
	out, err := p.Protocol.Propose(c)
	out.Pin = *p.pin.Load()
	return out, err
}

// A definition that changes after people agreed, or while they look, makes an
// approval void.
func TestAChangedPin(t *testing.T) {
	t.Parallel()
	var pin atomic.Pointer[string]
	set := func(s string) { pin.Store(&s) }
	set("one")
	h := newHeld(t, 10*time.Second, func(o *gateway.Options) { o.Protocols = []gateway.Protocol{pinning{pin: &pin}} })
	waits := h.refund(`{"amount": 1}`)
	a := h.one(approval.Pending)
	if a.Ask.Pin != "one" {
		t.Errorf("%+v", a.Ask)
	}
	set("two")
	h.approve()
	if got := <-waits; got.problem != "approval.void" || h.seen.Load() != 0 {
		t.Errorf("%+v", got)
	}
	if b := h.one(approval.Void); b.Code != "approval.pin" {
		t.Errorf("%+v", b)
	}
	waits = h.refund(`{"amount": 1}`)
	h.one(approval.Pending)
	h.approve()
	if got := <-waits; got.status != 200 {
		t.Errorf("%+v", got)
	}
}
