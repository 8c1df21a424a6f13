package alert

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

var t0 = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

type house struct {
	t    testing.TB
	db   *control.DB
	now  time.Time
	book *Book
	o    Options
}

// open is a book at a time that the test moves.
func open(t testing.TB, o Options) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, db: db, now: t0, o: o}
	h.o.DB, h.o.Now = db, func() time.Time { return h.now }
	h.restart()
	return h
}

func (h *house) restart() {
	h.t.Helper()
	var err error
	if h.book, err = New(h.t.Context(), h.o); err != nil {
		h.t.Fatal(err)
	}
}

var prom = Sender{Source: "prom", Kind: "alertmanager"}

func (h *house) take(from Sender, reports ...Report) {
	h.t.Helper()
	if err := h.book.Take(h.t.Context(), from, reports); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) get(key string) client.AlertDetail {
	h.t.Helper()
	d, err := h.book.Get(h.t.Context(), ID("prom", key))
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// kinds are the lines of an alert's history, oldest first.
func kinds(d client.AlertDetail) string {
	var out []string
	for _, e := range d.History {
		out = append([]string{e.Kind}, out...)
	}
	return strings.Join(out, " ")
}

func firing(minute int) Report {
	return Report{Key: "k", State: Firing, Severity: Error, Title: "disk full", At: t0.Add(time.Duration(minute) * time.Minute), Labels: map[string]string{"a": "b"}, Raw: []byte(`{"n":1}`)}
}

func over(minute int) Report {
	r := firing(minute)
	r.State, r.Severity, r.Title = Resolved, "", "ok"
	return r
}

// What arrives in which order, and what is known then. Times are minutes by the
// sender's clock; + fires, - ends.
func TestOrders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reports []int
		state   string
		kinds   string
		late    int64
	}{
		{"once", []int{+1}, Firing, "fired", 0},
		{"a duplicate", []int{+1, +1}, Firing, "fired", 0},
		{"over", []int{+1, -2}, Resolved, "fired resolved", 0},
		{"over, told twice", []int{+1, -2, -2}, Resolved, "fired resolved", 0},
		{"the end comes first", []int{-2, +1}, Resolved, "resolved", 1},
		{"a late beginning", []int{+1, -2, +1}, Resolved, "fired resolved", 1},
		{"again", []int{+1, -2, +3}, Firing, "fired resolved refired", 0},
		{"a late end", []int{+1, -2, +3, -2}, Firing, "fired resolved refired", 1},
		{"the end at the time of the beginning", []int{+2, -2, +2}, Resolved, "fired resolved", 1},
		{"newer word of the same", []int{+1, +2}, Firing, "fired", 0},
		{"older word of the same", []int{+2, +1}, Firing, "fired", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, Options{})
			h.now = t0.Add(time.Hour)
			for _, m := range c.reports {
				if m > 0 {
					h.take(prom, firing(m))
				} else {
					h.take(prom, over(-m))
				}
				h.now = h.now.Add(time.Second)
			}
			check := func(when string) {
				d := h.get("k")
				if d.State != c.state || kinds(d) != c.kinds || d.Late != c.late || d.Receptions != int64(len(c.reports)) {
					t.Errorf("%s: got %s, %q, %d late of %d; want %s, %q, %d of %d", when, d.State, kinds(d), d.Late, d.Receptions, c.state, c.kinds, c.late, len(c.reports))
				}
			}
			check("as told")
			h.restart()
			check("after a restart")
		})
	}
}

// Whatever the order in which a sender's words arrive, and however often each,
// the newest of them stands: on one book all at once, on another one by one.
func TestAnyOrderEndsTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var all []Report
		for m := 1; m <= 9; m++ {
			r := firing(m)
			if m%2 == 0 {
				r = over(m)
			}
			for range 1 + rnd.IntN(3) {
				all = append(all, r)
			}
		}
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		one, many := open(t, Options{}), open(t, Options{})
		one.now, many.now = t0.Add(time.Hour), t0.Add(time.Hour)
		one.take(prom, append([]Report{}, all...)...)
		for i, r := range all {
			if many.take(prom, r); i%5 == 0 {
				many.restart()
			}
		}
		a, b := one.get("k"), many.get("k")
		if a.State != Firing || kinds(a) != kinds(b) || a.Late != b.Late || a.Receptions != b.Receptions || !cmp.Equal(a.Alert, b.Alert) {
			t.Errorf("seed %d: together %s %q, one by one %s %q\n%s", seed, a.State, kinds(a), b.State, kinds(b), cmp.Diff(a.Alert, b.Alert))
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	h := open(t, Options{Match: func(team string, l map[string]string) (string, string, string) {
		if l["service"] == "refunds" {
			return "refund-agent", "support", "label service=refunds"
		}
		return "", "", ""
	}})
	h.now = t0.Add(time.Hour)
	r := firing(1)
	r.Labels = map[string]string{"service": "refunds", "env": "staging"}
	r.Links = []Link{{"Run", "https://x/1"}, {"Bad", "javascript:alert(1)"}}
	h.take(prom, r)
	d := h.get("k")
	if d.Agent != "refund-agent" || d.Team != "support" || d.AgentReason != "label service=refunds" || d.Environment != "staging" || len(d.Links) != 1 || *d.Raw != `{"n":1}` {
		t.Errorf("got %+v", d)
	}
	r = firing(2)
	r.Severity, r.Labels, r.Raw = Critical, map[string]string{"service": "refunds"}, []byte("later")
	h.take(prom, r)
	if d = h.get("k"); kinds(d) != "fired changed" || d.Severity != Critical || *d.Raw != "later" {
		t.Errorf("got %q, %s, %q", kinds(d), d.Severity, *d.Raw)
	}
	h.take(prom, over(3))
	if d = h.get("k"); d.Title != "disk full" || d.Severity != Critical || d.ResolvedAt == nil || !d.ResolvedAt.Equal(t0.Add(3*time.Minute)) || d.ResolvedBy != "sender" {
		t.Errorf("what is shown of a resolved one: %+v", d.Alert)
	}
	ack := firing(5)
	ack.Ack = Acked
	h.take(prom, ack)
	if d = h.get("k"); !d.Acknowledged || kinds(d) != "fired changed resolved refired acknowledged" || d.Episodes != 2 {
		t.Errorf("got %q, %+v", kinds(d), d.Alert)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	r := Report{Key: strings.Repeat("k", 3000), State: Firing, Title: strings.Repeat("ü", 3000), Text: strings.Repeat("x\x00", 20_000), Raw: []byte(strings.Repeat("r", 200_000)), Labels: map[string]string{}}
	for i := range 1000 {
		r.Labels[fmt.Sprint(i)+strings.Repeat("n", 900)] = strings.Repeat("v", 5000)
	}
	h.take(prom, r)
	all, _, err := h.book.List(t.Context(), Filter{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	d, err := h.book.Get(t.Context(), all[0].ID)
	if err != nil || len(d.Labels) > maxLabels || len(d.Title) > maxTitle || len(d.Text) > maxText || len(*d.Raw) > maxRaw || d.RawBytes != 200_000 || len(d.Key) > maxKey {
		t.Errorf("kept %d labels, title %d, text %d, raw %d of %d, key %d; %v", len(d.Labels), len(d.Title), len(d.Text), len(*d.Raw), d.RawBytes, len(d.Key), err)
	}
	for name, bad := range map[string]Report{"no key": {State: Firing}, "no state": {Key: "k"}, "another state": {Key: "k", State: "open"}} {
		if err := h.book.Take(t.Context(), prom, []Report{firing(1), bad}); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := h.book.Stats(); s.Kept != 1 {
		t.Errorf("%d alerts of refused deliveries were kept", s.Kept-1)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	h.now = t0.Add(time.Hour)
	r := firing(1)
	r.Started, r.Expires = r.At, h.now.Add(4*time.Minute)
	h.take(prom, r)
	h.take(Sender{Source: "prom", ResolveAfter: time.Hour}, Report{Key: "slow", State: Firing, Title: "slow"})
	tidy := func() {
		t.Helper()
		if err := h.book.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.now = h.now.Add(3 * time.Minute)
	tidy()
	if d := h.get("k"); d.State != Firing || d.ExpiresAt == nil {
		t.Errorf("before its time: %+v", d.Alert)
	}
	h.restart() // nobody could be heard while Reeve was down
	h.now = h.now.Add(2 * time.Minute)
	tidy()
	if d := h.get("k"); d.State != Firing {
		t.Errorf("right after a restart: %s", d.State)
	}
	h.now = h.now.Add(10 * time.Minute)
	tidy()
	if d := h.get("k"); d.State != Resolved || d.ResolvedBy != "silence" || kinds(d) != "fired silent" || *d.Raw == "" {
		t.Errorf("after its time: %+v, %q", d.Alert, kinds(d))
	}
	if d := h.get("slow"); d.State != Firing {
		t.Error("a source's own time was not used")
	}
	r.Expires = h.now.Add(4 * time.Minute) // the sender was cut off, and still says so
	h.take(prom, r)
	if d := h.get("k"); d.State != Firing || kinds(d) != "fired silent refired" {
		t.Errorf("heard again: %s, %q", d.State, kinds(d))
	}
	h.now = h.now.Add(2 * time.Hour)
	tidy()
	if d := h.get("slow"); d.State != Resolved {
		t.Error("a source's own time passed")
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	h.now = t0.Add(time.Hour)
	h.take(prom, firing(1))
	id := ID("prom", "k")
	who := Actor{Person: "per_1", Can: func(role, _, _ string) bool { return role == "responder" }}
	for name, err := range map[string]error{
		"invalid":   second(h.book.Close(t.Context(), who, id, " ")),
		"denied":    second(h.book.Close(t.Context(), Actor{Can: func(string, string, string) bool { return false }}, id, "r")),
		"not_found": second(h.book.Close(t.Context(), who, "alt_x", "r")),
	} {
		if err == nil || fault.From(err).Kind.String() != name {
			t.Errorf("want %s, got %v", name, err)
		}
	}
	d, err := h.book.Close(t.Context(), who, id, "a drill")
	if err != nil || d.State != Resolved || d.ResolvedBy != "per_1" || kinds(d) != "fired closed" || d.History[0].Text != "a drill" {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := h.book.Close(t.Context(), who, id, "again"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("closed twice: %v", err)
	}
	h.now = h.now.Add(time.Minute)
	h.take(prom, firing(1)) // the same episode
	if d := h.get("k"); d.State != Resolved {
		t.Error("the same episode opened it again")
	}
	h.take(prom, firing(61))
	if d := h.get("k"); d.State != Firing {
		t.Error("a new episode did not open it")
	}
}

func second[T any](_ T, err error) error { return err }

func TestRoomAndRetention(t *testing.T) {
	t.Parallel()
	h := open(t, Options{Max: 20, Keep: time.Hour})
	other := Sender{Source: "other", Kind: "json", Team: "b"}
	report := func(i int, state string) Report {
		return Report{Key: fmt.Sprint(i), State: state, Title: "x", At: h.now}
	}
	for i := range 10 {
		h.take(prom, report(i, Firing))
	}
	if err := h.book.Take(t.Context(), prom, []Report{report(10, Firing)}); err == nil || fault.From(err).Code != "alert.source_full" {
		t.Fatalf("the eleventh of one source: %v", err)
	}
	for i := range 10 { // the others are heard all the same
		h.take(other, report(i, Firing))
	}
	third := Sender{Source: "third", Kind: "json", Team: "c"}
	if err := h.book.Take(t.Context(), third, []Report{report(0, Firing)}); err == nil || fault.From(err).Code != "alert.too_many" {
		t.Fatalf("one more than is kept: %v", err)
	}
	h.take(prom, report(3, Firing)) // a known one is always heard
	h.now = h.now.Add(time.Minute)
	h.take(prom, report(5, Resolved))
	h.take(prom, report(10, Firing))
	if _, err := h.book.Get(t.Context(), ID("prom", "5")); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("the resolved one should have made room: %v", err)
	}
	if d := h.get("10"); len(d.History) != 1 {
		t.Errorf("got %+v", d)
	}
	h.take(prom, report(6, Resolved))
	h.now = h.now.Add(2 * time.Hour)
	if err := h.book.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Get(t.Context(), ID("prom", "6")); !fault.Is(err, fault.KindNotFound) || h.book.Stats().Kept != 19 || h.book.Stats().Firing != 19 {
		t.Errorf("an old one is kept: %v, %+v", err, h.book.Stats())
	}
	for i := range 340 { // it flaps
		h.now = h.now.Add(time.Second)
		h.take(prom, report(1, []string{Resolved, Firing}[i%2]))
	}
	if d := h.get("1"); len(d.History) > maxLines {
		t.Errorf("%d lines of history", len(d.History))
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	teams := []Sender{{Source: "a", Team: "support", Environment: "production"}, {Source: "b", Team: "billing", Environment: "staging"}, {Source: "c"}}
	for i := range 30 {
		h.now = h.now.Add(time.Second)
		r := Report{Key: fmt.Sprint(i), State: Firing, Severity: Severities[i%4], Title: fmt.Sprintf("title %d 100%%", i), At: h.now}
		h.take(teams[i%3], r)
		if i%5 == 0 {
			r.State = Resolved
			h.take(teams[i%3], r)
		}
	}
	all, next, err := h.book.List(t.Context(), Filter{Limit: 100})
	if err != nil || len(all) != 30 || next.ID != "" || all[0].State != Firing || all[29].State != Resolved {
		t.Fatalf("%d, %v, %v", len(all), next, err)
	}
	var paged []client.Alert
	for c := (Cursor{}); ; {
		page, next, err := h.book.List(t.Context(), Filter{Limit: 7, After: c})
		if err != nil {
			t.Fatal(err)
		}
		if paged = append(paged, page...); next.ID == "" {
			break
		}
		c = next
	}
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Errorf("pages differ from the whole:\n%s", diff)
	}
	for _, c := range []struct {
		name string
		f    Filter
		want int
	}{
		{"resolved", Filter{State: Resolved}, 6},
		{"severity", Filter{Severities: []string{Critical, Info}}, 15},
		{"source", Filter{Source: "a"}, 10},
		{"words", Filter{Q: "TITLE 7 "}, 1},
		{"a sign of LIKE is none", Filter{Q: "7 1_0%"}, 0},
		{"percent", Filter{Q: "7 100%"}, 3},
		{"a team sees its own and the house's", Filter{Visible: []Place{{"support", "*"}}}, 20},
		{"an environment", Filter{Visible: []Place{{"*", "staging"}}}, 20},
		{"nobody's", Filter{Visible: []Place{}}, 0},
		{"all", Filter{Visible: []Place{{"*", "*"}}}, 30},
		{"since", Filter{State: Resolved, From: t0.Add(20 * time.Second)}, 2},
	} {
		got, _, err := h.book.List(t.Context(), c.f)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d, %v; want %d", c.name, len(got), err, c.want)
		}
	}
	events, err := h.book.Changes(t.Context(), 10, 5)
	if err != nil || len(events) != 5 || events[0].Seq != 11 {
		t.Errorf("changes: %v, %v", events, err)
	}
}

// Many callers at once lose nothing, and share transactions.
func TestTogether(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 10 {
				var reports []Report
				for k := range 20 {
					reports = append(reports, Report{Key: fmt.Sprint(g, i, k), State: Firing, Title: "x"}, Report{Key: "shared", State: Firing, Title: "y"})
				}
				if err := h.book.Take(t.Context(), prom, reports); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if d := h.get("shared"); d.Receptions != 3200 {
		t.Errorf("%d receptions of the shared one", d.Receptions)
	}
	before := h.book.Stats()
	h.restart()
	after := h.book.Stats()
	if before.Kept != 3201 || after.Kept != 3201 || after.Firing != 3201 {
		t.Errorf("in memory %+v, on disk %+v", before, after)
	}
}

// A write that fails keeps nothing in memory that is not on disk.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	h := open(t, Options{})
	h.take(prom, firing(0))
	if err := h.db.Write(t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(t.Context(), `DROP TABLE alert_history`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.book.Take(context.Background(), prom, []Report{over(0), {Key: "new", State: Firing}}); err == nil {
		t.Fatal("the write should fail")
	}
	if s := h.book.Stats(); s.Kept != 1 || s.Firing != 1 {
		t.Errorf("memory says %+v", s)
	}
}

func BenchmarkStorm(b *testing.B) {
	for _, c := range []struct {
		name   string
		repeat bool
	}{{"new", false}, {"repeated", true}} {
		b.Run(c.name, func(b *testing.B) {
			h := open(b, Options{Max: 1 << 30})
			labels := map[string]string{"alertname": "Down", "instance": "10.0.0.1:9100", "job": "node", "severity": "critical", "team": "x"}
			n := 0
			report := func() Report {
				key := n
				if n++; c.repeat {
					key %= 1000
				}
				return Report{Key: fmt.Sprint(key), State: Firing, Severity: Critical, Title: "it is down", Text: strings.Repeat("words ", 20), Labels: labels, Raw: []byte(strings.Repeat("r", 600))}
			}
			for b.Loop() { // one request of 20
				reports := make([]Report, 20)
				for i := range reports {
					reports[i] = report()
				}
				// As 25 callers that wait for the write before them.
				if n%500 != 0 {
					h.book.waiting = append(h.book.waiting, &job{from: prom, reports: reports, now: h.now})
					h.book.reports += 20
					continue
				}
				if err := h.book.Take(b.Context(), prom, reports); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
}
