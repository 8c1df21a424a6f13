package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// desk is a Book on a database of its own, with its timers running.
type desk struct {
	*Book
	t    *testing.T
	db   *control.DB
	file string
}

var testKey = []byte("0123456789abcdef0123456789abcdef")

func open(t *testing.T, file string, change func(*Options)) *desk {
	t.Helper()
	db, err := controltest.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{DB: db, Key: testKey, Config: Default()}
	if change != nil {
		change(&o)
	}
	b, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{b, t, db, file}
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = b.Run(ctx) })
	loops.Go(func() {
		_ = control.NewTimers(db, map[string]control.TimerFunc{TimerExpire: b.Expire}, nil).Run(ctx)
	})
	t.Cleanup(func() {
		cancel()
		loops.Wait()
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		_ = db.Close()
	})
	return d
}

func newDesk(t *testing.T, change func(*Options)) *desk {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "control.db"), change)
}

// ask is a refund of an amount.
func (d *desk) ask(amount string) Ask {
	body := []byte(`{"amount": ` + amount + `, "to": "DE89"}`)
	k := Ask{
		Decision: "dec_1", Agent: "refunds", Owner: "olga", Sponsor: "sam", Team: "support", Environment: "production", Containment: "none",
		Action: "call_api", Name: "POST /v1/refunds", Resource: "shop POST /v1/refunds", Upstream: "shop", Effect: "write", Run: "run_1",
		Reasons: []activity.Reason{{Code: "policy.hold", Text: "money leaves"}}, Asked: []activity.PolicyRef{{Policy: "p", Statement: "s", Hash: "h"}},
		Forwarded: true, Editable: true, Request: Request{Method: "POST", Path: "/v1/refunds", Body: body},
	}
	k.Arguments = d.Hash(body)
	k.Joins = d.Hash([]byte(k.Agent), []byte(k.Run), body)
	return k
}

func (d *desk) hold(k Ask) *Approval {
	d.t.Helper()
	a, _, err := d.Hold(d.t.Context(), k)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *desk) get(id string) *Approval {
	d.t.Helper()
	a, err := d.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *desk) state(id string, want State) *Approval {
	d.t.Helper()
	for range 5000 {
		if a := d.get(id); a.State == want {
			return a
		}
		<-time.After(time.Millisecond)
	}
	d.t.Fatalf("%s is %s, want %s", id, d.get(id).State, want)
	return nil
}

func (d *desk) approve(a *Approval) *Approval {
	d.t.Helper()
	out, err := d.Approve(d.t.Context(), a.ID, ann, a.Bound)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

var ann = Person{ID: "per_ann", Name: "ann", Any: true}

func code(err error) string {
	if f := fault.From(err); f != nil {
		return f.Code
	}
	return ""
}

func wants(t *testing.T, what string, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// The states that an approval goes through, and no others.
func TestStates(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	d := newDesk(t, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) } })
	ctx := t.Context()
	a := d.hold(d.ask("1"))
	wants(t, "claiming what nobody agreed to", d.Claim(ctx, a.ID, "dec_2"), "approval.used")
	if a = d.approve(a); a.State != Approved {
		t.Fatalf("%+v", a)
	}
	_, err := d.Approve(ctx, a.ID, Person{ID: "per_bob", Name: "bob", Any: true}, a.Bound)
	wants(t, "agreeing to what is settled", err, "approval.settled")
	_, err = d.Deny(ctx, a.ID, ann)
	wants(t, "denying what is settled", err, "approval.settled")
	if err := d.Claim(ctx, a.ID, "dec_2"); err != nil {
		t.Fatal(err)
	}
	wants(t, "claiming twice", d.Claim(ctx, a.ID, "dec_3"), "approval.used")
	wants(t, "voiding what is underway", d.Void(ctx, a.ID, "x", "y"), "approval.settled")
	if err := d.Finish(ctx, a.ID, "ok", &Answer{Status: 201, Body: []byte("done")}, false); err != nil {
		t.Fatal(err)
	}
	wants(t, "finishing twice", d.Finish(ctx, a.ID, "ok", nil, true), "approval.settled")
	a = d.get(a.ID)
	if got, ok, err := d.Answer(a); !ok || err != nil || string(got.Body) != "done" || a.UsedBy != "dec_2" || a.State != Done {
		t.Errorf("%+v %+v %v", a, got, err)
	}
	if b := d.hold(d.ask("1")); b.ID != a.ID {
		t.Error("a retry whose answer nobody has does not join it")
	}
	if err := d.Collected(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if b := d.hold(d.ask("1")); b.ID != a.ID {
		t.Error("a retry of what was written does not join it")
	}
	later.Store(int64(2 * time.Minute))
	if b := d.hold(d.ask("1")); b.ID == a.ID {
		t.Error("a new call joined what was used and collected")
	}
	kinds := map[string]int{}
	entries, err := audit.List(ctx, d.db, audit.Filter{Kind: "approval.", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		kinds[e.Kind]++
	}
	for _, k := range []string{"approval.requested", "approval.approved", "approval.executing", "approval.done", "approval.collected"} {
		if kinds[k] == 0 {
			t.Errorf("no record of %s in %v", k, kinds)
		}
	}
}

// Many claim at once: one gets it.
func TestOneClaim(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	a := d.approve(d.hold(d.ask("1")))
	var mu sync.Mutex
	got := 0
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			if err := d.Claim(context.Background(), a.ID, fmt.Sprint("dec_", i)); err == nil {
				mu.Lock()
				got++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if got != 1 {
		t.Errorf("%d claims, want 1", got)
	}
}

// Many answer at once: the first wins.
func TestFirstAnswerWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	a := d.hold(d.ask("1"))
	var mu sync.Mutex
	won := map[string]int{}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			p := Person{ID: fmt.Sprint("per_", i), Name: fmt.Sprint("p", i), Any: true}
			var err error
			word := "approve"
			if i%2 == 0 {
				word = "deny"
				_, err = d.Deny(context.Background(), a.ID, p)
			} else {
				_, err = d.Approve(context.Background(), a.ID, p, a.Bound)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won[word]++
			} else if code(err) != "approval.settled" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won["approve"]+won["deny"] != 1 {
		t.Errorf("%v, want one answer", won)
	}
	if end := d.get(a.ID); end.State == Approved != (won["approve"] == 1) {
		t.Errorf("%s after %v", end.State, won)
	}
}

// So many people of each group, and nobody for their own agent.
func TestQuorumAndSeparation(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	ctx := t.Context()
	k := d.ask("1")
	k.Groups = []Group{{"finance", 2}, {"privacy", 1}}
	k.User = "customer-7"
	a := d.hold(k)
	for _, c := range []struct {
		who  Person
		want string
	}{
		{Person{ID: "per_1", Name: "olga", Groups: []string{"finance"}, Any: true}, "approval.own"},
		{Person{ID: "per_2", Name: "Sam", Groups: []string{"finance"}, Any: true}, "approval.own"},
		{Person{ID: "olga", Name: "x", Groups: []string{"finance"}}, "approval.own"},
		{Person{ID: "per_3", Name: "customer-7", Groups: []string{"finance"}}, "approval.own"},
		{Person{ID: "per_4", Name: "any", Any: true}, "approval.group"},
		{Person{ID: "per_5", Name: "none"}, "approval.group"},
		{Person{ID: "per_6", Name: "fin", Groups: []string{"finance"}}, ""},
		{Person{ID: "per_6", Name: "fin", Groups: []string{"finance"}}, "approval.voted"},
		{Person{ID: "per_7", Name: "both", Groups: []string{"finance", "privacy"}}, ""},
	} {
		got, err := d.Approve(ctx, a.ID, c.who, a.Bound)
		wants(t, c.who.Name, err, c.want)
		if err == nil && (got.State == Approved) != (c.who.Name == "both") {
			t.Errorf("after %s it is %s, missing %v", c.who.Name, got.State, got.Missing())
		}
	}
	none := d.hold(d.ask("2"))
	_, err := d.Approve(ctx, none.ID, Person{ID: "per_8", Name: "nobody"}, none.Bound)
	wants(t, "without the role", err, "approval.role")
	_, err = d.Approve(ctx, none.ID, ann, "another hash")
	wants(t, "about other arguments", err, "approval.other")
	_, err = d.Approve(ctx, "apr_none", ann, "")
	wants(t, "of no approval", err, "approval.not_found")
	_, err = d.Deny(ctx, none.ID, Person{ID: "per_9", Name: "x", Reason: strings.Repeat("x", 2000)})
	wants(t, "with a long reason", err, "approval.invalid")
}

// An edit begins the counting anew, and is what is bound from then on.
func TestEditStartsAnew(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	ctx := t.Context()
	k := d.ask("100")
	k.Groups = []Group{{"finance", 2}}
	a := d.hold(k)
	fin := func(n int) Person {
		return Person{ID: fmt.Sprint("per_", n), Name: fmt.Sprint("p", n), Groups: []string{"finance"}}
	}
	if _, err := d.Approve(ctx, a.ID, fin(1), a.Bound); err != nil {
		t.Fatal(err)
	}
	_, err := d.Edit(ctx, a.ID, fin(2), "old", Request{}, "x")
	wants(t, "editing what it was not", err, "approval.other")
	b, err := d.Edit(ctx, a.ID, fin(2), a.Bound, Request{Body: []byte(`{"amount": 1}`)}, "new")
	if err != nil || b.State != Pending || len(b.Missing()) != 1 || b.Missing()[0].Count != 1 {
		t.Fatalf("%+v %v", b, err)
	}
	_, err = d.Approve(ctx, a.ID, fin(3), a.Bound)
	wants(t, "agreeing to what it was before", err, "approval.other")
	// Who agreed before may agree to the edit too.
	if b, err = d.Approve(ctx, a.ID, fin(1), "new"); err != nil || b.State != Approved {
		t.Fatalf("%+v %v", b, err)
	}
	r, err := d.Open(b)
	if err != nil || string(r.Body) != `{"amount": 1}` || r.Path != "/v1/refunds" {
		t.Errorf("%+v %v", r, err)
	}
	if was, err := d.Original(b); err != nil || string(was.Body) != `{"amount": 100, "to": "DE89"}` {
		t.Errorf("%+v %v", was, err)
	}
	fixed := d.ask("7")
	fixed.Editable = false
	c := d.hold(fixed)
	_, err = d.Edit(ctx, c.ID, ann, c.Bound, Request{}, "x")
	wants(t, "editing what cannot be", err, "approval.not_editable")
}

// At most so many wait, and so many are asked for in an hour; identical ones
// join, and what was denied is denied again.
func TestLimits(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	d := newDesk(t, func(o *Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	ctx := t.Context()
	for i := range 5 {
		d.hold(d.ask(fmt.Sprint(i)))
		if a, joined, err := d.Hold(ctx, d.ask(fmt.Sprint(i))); err != nil || !joined || a.State != Pending {
			t.Errorf("an identical one: %v %v", joined, err)
		}
	}
	_, _, err := d.Hold(ctx, d.ask("6"))
	wants(t, "the sixth", err, "approval.too_many")
	other := d.ask("6")
	other.Agent = "other"
	other.Joins = "other"
	if _, _, err := d.Hold(ctx, other); err != nil {
		t.Errorf("another agent's: %v", err)
	}
	list, err := d.List(ctx, Filter{States: []State{Pending}, Agent: "refunds"})
	if err != nil || len(list) != 5 {
		t.Fatal(len(list), err)
	}
	for _, a := range list {
		if _, err := d.Deny(ctx, a.ID, ann); err != nil {
			t.Fatal(err)
		}
	}
	again := d.ask("3")
	again.Run, again.Joins = "run_2", "another run" // its run is the agent's word
	_, _, err = d.Hold(ctx, again)
	wants(t, "a denied one", err, "approval.denied_before")
	for i := 10; i < 25; i++ {
		a := d.hold(d.ask(fmt.Sprint(i)))
		if _, err := d.Deny(ctx, a.ID, ann); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = d.Hold(ctx, d.ask("99"))
	wants(t, "the twenty-first in an hour", err, "approval.too_many")
	mu.Lock()
	now = now.Add(61 * time.Minute)
	mu.Unlock()
	d.hold(d.ask("99"))
	_, _, err = d.Hold(ctx, again)
	wants(t, "a denied one, an hour later", err, "approval.denied_before")
	mu.Lock()
	now = now.Add(23 * time.Hour)
	mu.Unlock()
	if _, _, err := d.Hold(ctx, again); err != nil {
		t.Errorf("a denied one, a day later: %v", err)
	}
	if s := d.Stats(); s.Refused != 2 || s.DeniedAgain != 2 || s.Requested != 23 {
		t.Errorf("%+v", s)
	}
}

// Whoever asks too much is told of, once.
func TestFlood(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	k := d.ask("1")
	for range 100 {
		d.Flooded(t.Context(), &k, fault.New(fault.KindDenied, "approval.too_many", "too many"))
	}
	for range 2000 {
		if l, err := audit.List(t.Context(), d.db, audit.Filter{Kind: "approval.flood"}); err == nil && len(l) > 0 {
			break
		}
		<-time.After(time.Millisecond)
	}
	l, err := audit.List(t.Context(), d.db, audit.Filter{Kind: "approval.flood"})
	if err != nil || len(l) != 1 {
		t.Errorf("%d records of a flood, want 1: %v", len(l), err)
	}
	events, err := d.db.Events(t.Context(), 0, 100)
	if err != nil || !slices.ContainsFunc(events, func(e control.Event) bool { return e.Type == "approval.flood" && e.Object == "refunds" }) {
		t.Errorf("%v %v", events, err)
	}
}

// What nobody answers in time is denied; what nobody uses in time is void.
func TestExpires(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *Options) { o.Life, o.Use = 30*time.Millisecond, 30*time.Millisecond })
	ctx := t.Context()
	a := d.hold(d.ask("1"))
	changed := func() <-chan struct{} { _, c, _ := d.Follow(a.ID); return c }()
	if end := d.state(a.ID, Expired); end.Code != "approval.expired" {
		t.Errorf("%+v", end)
	}
	<-changed // who waits is told
	_, err := d.Approve(ctx, a.ID, ann, a.Bound)
	wants(t, "agreeing too late", err, "approval.settled")

	d.Book.c.Life = time.Hour
	b := d.approve(d.hold(d.ask("2")))
	if end := d.state(b.ID, Expired); !strings.Contains(end.Reason, "did not come") {
		t.Errorf("%+v", end)
	}
	wants(t, "using too late", d.Claim(ctx, b.ID, "dec_9"), "approval.used")
}

// A new process finds what waits and what was agreed to, and never repeats what
// was being forwarded.
func TestRestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "control.db")
	d := open(t, file, nil)
	ctx := t.Context()
	pending, approved, running, denied := d.hold(d.ask("1")), d.hold(d.ask("2")), d.hold(d.ask("3")), d.hold(d.ask("4"))
	d.approve(approved)
	d.approve(running)
	if err := d.Claim(ctx, running.ID, "dec_5"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Deny(ctx, denied.ID, ann); err != nil {
		t.Fatal(err)
	}
	k := d.ask("5")
	k.Run = "run_taken"
	taken := d.hold(k)
	if _, err := d.TakeOver(ctx, taken.ID, ann, &Answer{Status: 200, Body: []byte("by hand")}, true); err != nil {
		t.Fatal(err)
	}

	e := open(t, file, nil)
	for amount, want := range map[string]string{"1": pending.ID, "2": approved.ID} {
		if a, joined, err := e.Hold(ctx, e.ask(amount)); err != nil || !joined || a.ID != want {
			t.Errorf("%s: %v %v", amount, joined, err)
		}
	}
	if a := e.get(running.ID); a.State != Unknown {
		t.Errorf("one that was being forwarded is %s", a.State)
	}
	wants(t, "repeating it", e.Claim(ctx, running.ID, "dec_6"), "approval.used")
	if a, joined, err := e.Hold(ctx, e.ask("3")); err != nil || !joined || a.State != Unknown {
		t.Errorf("its retry: %+v %v %v", a, joined, err)
	}
	_, _, err := e.Hold(ctx, e.ask("4"))
	wants(t, "a denied one", err, "approval.denied_before")
	if run := e.Taken("run_taken"); run == nil || run.Name != "ann" {
		t.Errorf("taken: %+v", run)
	}
	a, _, err := e.Hold(ctx, k)
	if err != nil || a.State != Taken {
		t.Fatalf("%+v %v", a, err)
	}
	if got, ok, err := e.Answer(a); !ok || err != nil || string(got.Body) != "by hand" {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	if err := e.Claim(ctx, approved.ID, "dec_7"); err != nil {
		t.Errorf("using what was agreed to before the restart: %v", err)
	}
}

// Whoever writes into the database makes no approval.
func TestTampered(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"a state without anybody's word": `UPDATE approvals SET state = 'approved' WHERE id = ?1`,
		"a forged vote": `INSERT INTO approval_votes (approval, person, name, verdict, groups, bound, reason, at, mac)
			SELECT id, 'per_x', 'x', 'approve', '[]', bound, '', created_at, 'AAAA' FROM approvals WHERE id = ?1`,
		"another's vote": `INSERT INTO approval_votes (approval, person, name, verdict, groups, bound, reason, at, mac)
			SELECT ?1, person, name, verdict, groups, bound, reason, at, mac FROM approval_votes WHERE approval = ?2`,
		"another's bytes":      `UPDATE approvals SET request = (SELECT request FROM approvals WHERE id = ?2), state = 'approved' WHERE id = ?1`,
		"another hash":         `UPDATE approvals SET bound = 'x', state = 'approved' WHERE id = ?1`,
		"other words":          `UPDATE approvals SET ask = replace(ask, 'refunds', 'reports'), state = 'approved' WHERE id = ?1`,
		"a put in edit":        `UPDATE approvals SET edited = (SELECT request FROM approvals WHERE id = ?2), state = 'approved' WHERE id = ?1`,
		"a taken away edit":    `UPDATE approvals SET bound = 'edited', state = 'approved' WHERE id = ?1`,
		"one that was used":    `UPDATE approvals SET state = 'approved', used_by = '', ended_at = NULL WHERE id = ?2`,
		"one that was refused": `UPDATE approvals SET state = 'approved' WHERE id = ?3`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "control.db")
			d := open(t, file, nil)
			ctx := t.Context()
			victim, used, refused := d.hold(d.ask("1")), d.hold(d.ask("2")), d.hold(d.ask("3"))
			d.approve(used)
			if err := d.Claim(ctx, used.ID, "dec_1"); err != nil {
				t.Fatal(err)
			}
			if err := d.Finish(ctx, used.ID, "ok", nil, true); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Deny(ctx, refused.ID, ann); err != nil {
				t.Fatal(err)
			}
			if err := d.db.Write(ctx, func(tx *control.Tx) error {
				_, err := tx.Exec(ctx, change, victim.ID, used.ID, refused.ID)
				if err == nil && strings.Contains(change, "INSERT") {
					_, err = tx.Exec(ctx, `UPDATE approvals SET state = 'approved' WHERE id = ?`, victim.ID)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "used") { // while the process lives
				if err := d.Claim(ctx, used.ID, "dec_2"); err == nil {
					t.Error("what was used was claimed again")
				}
			}
			// What was agreed to is old by then: that much a word of a person holds.
			e := open(t, file, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } })
			for _, id := range []string{victim.ID, used.ID, refused.ID} {
				if err := e.Claim(ctx, id, "dec_2"); err == nil {
					t.Errorf("%s was claimed", id)
				}
			}
			if strings.Contains(name, "bytes") || strings.Contains(name, "edit") || strings.Contains(name, "another hash") {
				if _, err := e.Open(e.get(victim.ID)); err == nil {
					t.Error("bytes of another were opened")
				}
			}
		})
	}
}

// Nothing of the arguments stands in the database as it is.
func TestSealed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	k := d.ask("31337")
	a := d.hold(k)
	if strings.Contains(string(a.request), "31337") || strings.Contains(string(encodeAsk(&a.Ask)), "31337") {
		t.Error("the arguments are not sealed")
	}
	if k.Arguments == d.Hash([]byte("x")) || len(k.Arguments) < 40 {
		t.Errorf("hash %q", k.Arguments)
	}
	other, err := newKeys([]byte("another key of thirty-two bytes!"))
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	wants(t, "with another key", other.unbox(a.ID, "request", a.request, &r), "approval.tampered")
	if _, err := newKeys([]byte("short")); err == nil {
		t.Error("a short key is taken")
	}
}

// Requests and answers go after their time; the record of the approval stays.
func TestDropped(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	d := newDesk(t, func(o *Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	a := d.hold(d.ask("1"))
	open := d.hold(d.ask("2"))
	if _, err := d.Deny(t.Context(), a.ID, ann); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(31 * 24 * time.Hour)
	mu.Unlock()
	if err := d.drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := d.Open(d.get(a.ID))
	wants(t, "opening what was dropped", err, "approval.dropped")
	if _, err := d.Open(d.get(open.ID)); err != nil {
		t.Errorf("what is not settled: %v", err)
	}
	d.forget()
	if _, _, ok := d.Follow(a.ID); ok {
		t.Error("what is long over is still in memory")
	}
}

// A takeover holds the run until it is given back.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	ctx := t.Context()
	a := d.hold(d.ask("1"))
	if d.Taken("run_1") != nil {
		t.Error("taken before")
	}
	if _, err := d.TakeOver(ctx, a.ID, ann, nil, true); err != nil {
		t.Fatal(err)
	}
	if run := d.Taken("run_1"); run == nil || run.Person != ann.ID || d.Taken("run_2") != nil {
		t.Errorf("%+v", run)
	}
	if _, err := d.GiveBack(ctx, a.ID, ann); err != nil {
		t.Fatal(err)
	}
	if d.Taken("run_1") != nil {
		t.Error("taken after it was given back")
	}
	_, err := d.GiveBack(ctx, a.ID, ann)
	wants(t, "giving back twice", err, "approval.not_taken")
}

func TestReplace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		edits []Replacement
		want  string
		code  string
	}{
		{`{"a": 1,  "b":[ {"c":"x"} , 2 ]}`, []Replacement{{"/b/0/c", raw(`"y"`)}, {"/a", raw(`2.50`)}}, `{"a": 2.50,  "b":[ {"c":"y"} , 2 ]}`, ""},
		{`{"a/b": {"~": null}}`, []Replacement{{"/a~1b/~0", raw(`true`)}}, `{"a/b": {"~": true}}`, ""},
		{`[1,2,3]`, []Replacement{{"/1", raw(`{"x":1}`)}}, `[1,{"x":1},3]`, ""},
		{`"all"`, []Replacement{{"", raw(`"none"`)}}, `"none"`, ""},
		{`{"a": 1}`, []Replacement{{"/b", raw(`1`)}}, "", "approval.edit"},
		{`{"a": 1}`, []Replacement{{"/a", raw(`1 2`)}}, "", "approval.edit"},
		{`{"a": 1}`, []Replacement{{"/a", raw(`{"x":1,"x":2}`)}}, "", "approval.edit"},
		{`{"a": {"b": 1}}`, []Replacement{{"/a", raw(`1`)}, {"/a/b", raw(`2`)}}, "", "approval.edit"},
		{`{"a": 1, "a": 2}`, []Replacement{{"/a", raw(`3`)}}, "", "approval.not_json"},
		{`{"a": 1} {}`, []Replacement{{"/a", raw(`3`)}}, "", "approval.not_json"},
		{`{"a": 1`, []Replacement{{"/a", raw(`3`)}}, "", "approval.not_json"},
		{"{\"a\": \"\xff\"}", []Replacement{{"/a", raw(`3`)}}, "", "approval.not_json"},
		{``, []Replacement{{"", raw(`3`)}}, "", "approval.not_json"},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), []Replacement{{"", raw(`3`)}}, "", "approval.not_json"},
	} {
		got, err := Replace([]byte(c.in), c.edits)
		if string(got) != c.want || code(err) != c.code {
			t.Errorf("%s %v: %s %v, want %s %s", c.in, c.edits, got, err, c.want, c.code)
		}
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// What Values reads, encoding/json reads too, and the places are those of the
// values.
func FuzzValues(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",null,true,{"b":{}}]}`, `[]`, `"\u0041\ud83d\ude00"`, `{"a":1,"a":2}`, "{\"\\u0000\":1e9}", ` 1 `, `{"a" : }`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		values, err := Values(in)
		if err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("%q is no JSON", in)
		}
		for _, v := range values {
			if !json.Valid(in[v.From:v.To]) {
				t.Fatalf("%q: %+v is %q", in, v, in[v.From:v.To])
			}
			if v.Path == "" {
				continue
			}
			out, err := Replace(in, []Replacement{{v.Path, raw("7")}})
			if err != nil || string(out) != string(in[:v.From])+"7"+string(in[v.To:]) {
				t.Fatalf("%q at %q: %q %v", in, v.Path, out, err)
			}
		}
	})
}

// A step that is told after a later one says nothing any more: its call would
// wait for what was decided.
func TestToldOutOfOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	a := d.hold(d.ask("1"))
	err := d.db.Write(t.Context(), func(tx *control.Tx) error {
		tx.AfterCommit(func() { // before this transaction's own step is told
			if _, err := d.Deny(context.Background(), a.ID, ann); err != nil {
				t.Error(err)
			}
		})
		return d.record(t.Context(), tx, a, "opened", "ann", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if now, _, ok := d.Follow(a.ID); !ok || now.State != Denied {
		t.Errorf("%+v", now)
	}
}

// Of approvals of a user or of a run that are over, nothing of what was asked is left,
// in memory neither; one that waits stays whole.
func TestForget(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	hold := func(amount, user, run string) *Approval {
		k := d.ask(amount)
		k.User, k.Run, k.Session, k.Destinations = user, run, "chat-1", []string{"DE89"}
		k.Joins = d.Hash([]byte(user), []byte(run), k.Request.Body)
		return d.hold(k)
	}
	deny := func(a *Approval) {
		t.Helper()
		if _, err := d.Deny(t.Context(), a.ID, ann); err != nil {
			t.Fatal(err)
		}
		d.state(a.ID, Denied)
	}
	over, waits, run, others := hold("11", "kim", "run_1"), hold("12", "kim", "run_2"), hold("13", "", "run_3"), hold("14", "ada", "run_4")
	deny(over)
	deny(run)
	deny(others)
	of := map[string]bool{"run_3": true}
	for _, dry := range []bool{true, true, false} {
		if n, left, err := d.Forget(t.Context(), "kim", of, dry); n != 2 || left != 1 || err != nil {
			t.Errorf("dry %v: %d, %d left, %v", dry, n, left, err)
		}
	}
	if n, left, err := d.Forget(t.Context(), "kim", of, false); n != 0 || left != 1 || err != nil {
		t.Errorf("again: %d, %d left, %v", n, left, err)
	}
	check := func(when string, b *desk) {
		t.Helper()
		for _, a := range []*Approval{over, run} {
			x := b.get(a.ID)
			if x.State != Denied || x.Ask.User+x.Ask.Session != "" || len(x.request)+len(x.Ask.Destinations) > 0 || x.Ask.Agent != "refunds" || len(x.Votes) != 1 {
				t.Errorf("%s: %+v", when, x)
			}
			if k, ok := b.Known(t.Context(), a.ID); !ok || k.Ask.User != "" {
				t.Errorf("%s: memory has %+v", when, k)
			}
		}
		for _, a := range []*Approval{waits, others} {
			if x := b.get(a.ID); x.Ask.User == "" || len(x.request) == 0 {
				t.Errorf("%s: %+v", when, x)
			}
		}
	}
	check("forgotten", d)
	d.approve(d.get(waits.ID)) // it is worth as much as before
}
