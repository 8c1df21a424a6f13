package decision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/bus"
	"reeve/internal/fault"
)

func openBus(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	b, err := bus.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// running opens a log on stream and runs it; stop ends it and is called at the
// latest when the test ends.
func running(t testing.TB, stream Stream, dir string) (l *Log, stop func()) {
	t.Helper()
	l, err := Open(context.Background(), Options{Stream: stream, Dir: dir, Install: "ins", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return l, stop
}

// sample is a decision with every part filled in from r.
func sample(r *rand.Rand, id string) *activity.Decision {
	text := func(s string) string { return fmt.Sprintf("%s-%d é\"", s, r.IntN(1000)) }
	d := &activity.Decision{
		ID: id, At: 1764220000_000000000 + r.Int64N(1e9)/1000*1000, Completed: activity.Unknown,
		Agent: text("agent"), Registered: r.IntN(2) == 0, Instance: text("i"), Version: text("v"), Team: text("team"),
		Environment: "production", Lifecycle: "pilot", Autonomy: "bounded", Containment: "none", Credential: "agent_key",
		CredentialID: text("key"), Bound: r.IntN(2) == 0, Chain: []string{text("a"), text("b")}, User: text("usr"),
		Action: "call_tool", Resource: text("res"), Upstream: text("up"), Tool: text("tool"), Model: text("model"), Effect: "write", Pin: text("pin"),
		ArgumentsHash: text("hash"), ArgumentsBytes: r.Int64N(1e6),
		Verdict: activity.Verdict(r.IntN(3)), Would: activity.Verdict(r.IntN(3)), Enforced: r.IntN(2) == 0, Floor: activity.Verdict(r.IntN(3)),
		Reasons: []activity.Reason{{Code: "policy.forbid", Text: text("why")}}, Policies: []activity.PolicyRef{{Policy: text("p"), Statement: "s", Hash: "h"}},
		PolicyVersion: r.Int64N(100), Context: []byte(`{"principal":"` + text("x")[:3] + `"}`), Redacted: []string{"email"},
		Run: activity.RunOfKey(text("r")), Step: activity.StepOfKey(text("s")), Trace: activity.TraceID{1, byte(r.IntN(256))}, Span: activity.SpanID{2, byte(r.IntN(256))},
		Session: text("ses"), Approval: text("apr"), Reserved: []activity.Reserve{{Budget: "b", Key: text("k"), Count: 3, Since: 1764220000_000000000, Unit: "tokens", Amount: r.Int64N(1000), Spent: activity.Unknown}},
		LatencyUS: activity.Unknown, UpstreamUS: activity.Unknown, DecideUS: activity.Unknown, Usage: activity.NoUsage,
		Seq: activity.Unknown, EndSeq: activity.Unknown, LocalTool: r.IntN(2) == 0, Parent: text("dec"),
	}
	return d
}

// end completes a sample.
func end(r *rand.Rand, d *activity.Decision) {
	d.Completed = d.At + r.Int64N(1e9)/1000*1000
	d.Result = []activity.Result{activity.ResultOK, activity.ResultError, activity.ResultCut, activity.ResultTimeout, activity.ResultDenied}[r.IntN(5)]
	d.Status, d.ErrorCode = int32(r.IntN(600)), fmt.Sprint("code.", r.IntN(9))
	d.LatencyUS, d.UpstreamUS, d.DecideUS = r.Int64N(1e6), r.Int64N(1e6), r.Int64N(100)
	d.BytesIn, d.BytesOut = r.Int64N(1e6), r.Int64N(1e6)
	d.Usage = activity.Usage{InputTotal: r.Int64N(1000), CacheRead: 0, CacheWrite: activity.Unknown, OutputTotal: r.Int64N(1000), Reasoning: activity.Unknown}
	d.Cost = activity.Cost{Nanos: r.Int64N(1e9), Currency: "USD", Basis: activity.CostBook, Price: "p"}
	for i := range d.Reserved {
		d.Reserved[i].Spent = r.Int64N(100)
	}
}

func TestBodyIsCanonicalAndReadsBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var l Log
	l.o.Now = time.Now
	for i := range 500 {
		d := sample(r, l.NewID())
		if i == 0 {
			*d = blank()
			d.ID, d.At = l.NewID(), 1000
		}
		body, c, err := appendProposed(nil, d, d.User)
		if err != nil {
			t.Fatal(err)
		}
		sameAsCanonical(t, body)
		got, commits, err := readProposed(body)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want := *d
		want.ArgumentsHash, want.Context = "", nil // content stands apart
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("proposed (-want +got):\n%s", diff)
		}
		if !commits.arguments.holds(c.key, "arguments", []byte(d.ArgumentsHash)) || !commits.context.holds(c.key, "context", d.Context) {
			t.Fatalf("%s does not hold its content", body)
		}
		if i > 0 && (commits.context.holds(c.key, "context", append(d.Context, ' ')) || commits.arguments.holds(c.key, "arguments", nil)) {
			t.Fatal("other content holds too")
		}
		if strings.Contains(string(body), "principal") {
			t.Fatalf("content in the record: %s", body)
		}
		end(r, d)
		body = appendCompleted(body[:0], d, int64(i))
		sameAsCanonical(t, body)
		o, err := readCompleted(body, &got)
		if err != nil || o.id != d.ID || o.proposed != int64(i) {
			t.Fatalf("%s: %+v, %v", body, o, err)
		}
		want = *d
		want.ArgumentsHash, want.Context = "", nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("completed (-want +got):\n%s", diff)
		}
		// One record for an action that is refused at once.
		body, _, err = appendProposed(nil, d, d.User)
		if err != nil {
			t.Fatal(err)
		}
		sameAsCanonical(t, body)
		if got, _, err = readProposed(body); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("refused (-want +got):\n%s", diff)
		}
	}
}

// sameAsCanonical compares with the slow and general encoder.
func sameAsCanonical(t *testing.T, body []byte) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	want, err := record.Canonical(integers(v))
	if err != nil || string(want) != string(body) {
		t.Fatalf("wrote %s\ncanonical is %s, %v", body, want, err)
	}
}

func integers(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	}
	return v
}

func TestRecordStaysBounded(t *testing.T) {
	t.Parallel()
	var l Log
	l.o.Now = time.Now
	long := strings.Repeat("é\xff", 40_000)
	d := &activity.Decision{ID: l.NewID(), Agent: long, Resource: long, Session: long, User: long, Context: make([]byte, maxContext+1)}
	for range 1000 {
		d.Chain = append(d.Chain, "a")
		d.Policies = append(d.Policies, activity.PolicyRef{Policy: "p", Statement: "s"})
	}
	body, c, err := appendProposed(nil, d, "u")
	if err != nil || len(body) > maxBody || c.context != nil {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	sameAsCanonical(t, body)
	if !strings.Contains(string(body), `"policies_left_out":936`) || !strings.Contains(string(body), fmt.Sprint(`"context_bytes":`, maxContext+1)) {
		t.Errorf("what is left out is not said: %s", body)
	}
	for range 100 {
		d.Reasons = append(d.Reasons, activity.Reason{Code: long, Text: long})
	}
	if _, _, err := appendProposed(nil, d, ""); fault.From(err).Code != "decision.too_large" {
		t.Errorf("too large: %v", err)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	l := Log{o: Options{Now: func() time.Time { return time.Unix(5, 0) }}}
	last := ""
	for range 1000 {
		id := l.NewID()
		if id <= last || checkID(id) != nil {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
	if at, ok := mintedAt(last); !ok || at < 5e9 || at > 5e9+2000 {
		t.Errorf("minted at %d, %v", at, ok)
	}
	for _, bad := range []string{"", "dec_", "dec_x", last + "0", "DEC_" + last[4:], "run_" + last[4:]} {
		if _, ok := mintedAt(bad); ok || checkID(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// chain reads the whole log and checks each link.
func chain(t testing.TB, l *Log) []record.Record {
	t.Helper()
	var out []record.Record
	var prev record.Hash
	for {
		chunks, err := l.since(context.Background(), int64(len(out)))
		if err != nil {
			t.Fatal(err)
		}
		if len(chunks) == 0 {
			return out
		}
		for i := range chunks {
			err := chunks[i].each(int64(len(out)), func(_ int64, e entryAt) error {
				r, err := record.Parse([]byte(string(e.line)))
				if err != nil {
					return err
				}
				if r.Seq != int64(len(out)) || r.Prev != prev || (len(out) > 0 && r.At < out[len(out)-1].At) {
					return fmt.Errorf("record %d does not follow %d", r.Seq, len(out)-1)
				}
				prev = record.Leaf(e.line)
				out = append(out, r)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// outcomes lists what became of each proposal.
func outcomes(t testing.TB, of []record.Record) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range of {
		switch r.Kind {
		case KindProposed:
			d, _, err := readProposed(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := out[d.ID]; ok {
				t.Errorf("%s is proposed twice", d.ID)
			}
			out[d.ID] = d.Result.String()
		case KindCompleted:
			var d activity.Decision
			o, err := readCompleted(r.Body, &d)
			if err != nil {
				t.Fatal(err)
			}
			if out[o.id] != "pending" {
				t.Errorf("%s is completed and was %q", o.id, out[o.id])
			}
			if p, _, err := readProposed(of[o.proposed].Body); err != nil || p.ID != o.id {
				t.Errorf("%s names %s as its proposal", o.id, p.ID)
			}
			out[o.id] = d.Result.String()
		}
	}
	return out
}

func TestProposeAndComplete(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	dir := t.TempDir()
	l, stop := running(t, b.Decisions(), dir)
	r := rand.New(rand.NewPCG(5, 6))
	done, refused, left := sample(r, l.NewID()), sample(r, l.NewID()), sample(r, l.NewID())
	refused.Result, refused.Completed = activity.ResultDenied, refused.At
	for _, d := range []*activity.Decision{done, refused, left} {
		if err := l.Propose(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	end(r, done)
	done.Result = activity.ResultError
	l.Complete(done)
	l.Complete(done)    // once is enough
	l.Complete(refused) // is complete already
	stop()
	if s := l.Stats(); s.Open != 1 || s.Proposed != 3 || s.Completed != 1 {
		t.Errorf("%+v", s)
	}
	got := outcomes(t, chain(t, l))
	if diff := cmp.Diff(map[string]string{done.ID: "error", refused.ID: "denied", left.ID: "pending"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := l.Propose(t.Context(), sample(r, l.NewID())); fault.From(err).Code != "decision.not_recorded" {
		t.Errorf("after the end: %v", err)
	}
	l, stop = running(t, b.Decisions(), dir)
	if err := l.Propose(t.Context(), sample(r, l.NewID())); err != nil {
		t.Fatal(err)
	}
	stop()
	got = outcomes(t, chain(t, l))
	if got[left.ID] != "unknown" || len(got) != 4 {
		t.Errorf("after a restart: %v", got)
	}
}

// faulty hands writes to a real stream and loses answers or whole writes.
type faulty struct {
	Stream
	next atomic.Int32 // what the coming write does
}

const (
	works = iota
	refuses
	losesAnswer // stored, and the writer hears nothing
)

var errLost = errors.New("no answer")

func (f *faulty) PublishAfter(ctx context.Context, last uint64, payloads ...[]byte) (uint64, error) {
	if !strings.Contains(string(payloads[0]), KindProposed) {
		return f.Stream.PublishAfter(ctx, last, payloads...)
	}
	switch f.next.Swap(works) {
	case refuses:
		return 0, errLost
	case losesAnswer:
		if _, err := f.Stream.PublishAfter(ctx, last, payloads...); err != nil {
			return 0, err
		}
		return 0, errLost
	}
	return f.Stream.PublishAfter(ctx, last, payloads...)
}

func TestFailedWritesLeaveNoGap(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	f := &faulty{Stream: b.Decisions()}
	l, stop := running(t, f, t.TempDir())
	r := rand.New(rand.NewPCG(7, 8))
	want := map[string]string{}
	for i := range 60 {
		d := sample(r, l.NewID())
		how := int32(i % 3)
		f.next.Store(how)
		err := l.Propose(t.Context(), d)
		switch how {
		case works:
			if err != nil {
				t.Fatal(err)
			}
			end(r, d)
			l.Complete(d)
			want[d.ID] = d.Result.String()
		case refuses, losesAnswer:
			if fault.From(err).Code != "decision.not_recorded" || !errors.Is(err, errLost) {
				t.Fatalf("%d: %v", how, err)
			}
			if how == losesAnswer {
				want[d.ID] = "denied"
			}
		}
	}
	stop()
	if diff := cmp.Diff(want, outcomes(t, chain(t, l))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGoneCallersAreCompleted(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	hold := &holding{Stream: b.Decisions(), in: make(chan struct{}), out: make(chan struct{})}
	l, stop := running(t, hold, t.TempDir())
	r := rand.New(rand.NewPCG(9, 9))
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	d := sample(r, l.NewID())
	go func() { answered <- l.Propose(ctx, d) }()
	<-hold.in
	cancel()
	if err := <-answered; fault.From(err).Code != "decision.not_recorded" || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(hold.out)
	stop()
	if got := outcomes(t, chain(t, l)); got[d.ID] != "cut" {
		t.Errorf("got %v", got)
	}
}

// holding keeps its first write until out closes.
type holding struct {
	Stream
	in, out chan struct{}
	once    sync.Once
}

func (h *holding) PublishAfter(ctx context.Context, last uint64, payloads ...[]byte) (uint64, error) {
	h.once.Do(func() { close(h.in); <-h.out })
	return h.Stream.PublishAfter(ctx, last, payloads...)
}

func TestDiskFullRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	free.Store(1 << 40)
	b := openBus(t, bus.Options{FreeFunc: func(string) (uint64, error) { return free.Load(), nil }})
	l, stop := running(t, b.Decisions(), t.TempDir())
	r := rand.New(rand.NewPCG(10, 1))
	before := sample(r, l.NewID())
	if err := l.Propose(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	free.Store(100 << 20) // telemetry is refused at this point, decisions are not
	if _, err := b.Activity().Publish(t.Context(), []byte("x")); fault.From(err).Code != "bus.disk_full" {
		t.Errorf("telemetry on a nearly full disk: %v", err)
	}
	if err := l.Propose(t.Context(), sample(r, l.NewID())); err != nil {
		t.Errorf("decisions on a nearly full disk: %v", err)
	}
	free.Store(1)
	err := l.Propose(t.Context(), sample(r, l.NewID()))
	if f := fault.From(err); f.Code != "decision.not_recorded" || f.Kind.HTTPStatus() != 503 || f.Hint == "" {
		t.Errorf("on a full disk: %v", err)
	}
	end(r, before)
	before.Result = activity.ResultOK
	l.Complete(before) // waits until there is room
	free.Store(1 << 40)
	if err := l.Propose(t.Context(), sample(r, l.NewID())); err != nil {
		t.Errorf("after there is room: %v", err)
	}
	stop()
	if got := outcomes(t, chain(t, l)); len(got) != 3 || got[before.ID] != "ok" {
		t.Errorf("got %v", got)
	}
}

func TestForkIsFound(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	dir := t.TempDir()
	l, stop := running(t, b.Decisions(), dir)
	r := rand.New(rand.NewPCG(11, 1))
	for range 3 {
		if err := l.Propose(t.Context(), sample(r, l.NewID())); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	st, err := b.Decisions().Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := record.Record{Log: l.Name(), Seq: 3, Prev: record.Hash{1}, Kind: KindAlive, Body: []byte("{}")}
	if _, err := b.Decisions().PublishAfter(t.Context(), st.LastSeq, append(bad.Append(nil), '\n'), nil); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Stream: b.Decisions(), Dir: dir, Install: "ins", Node: "n1"})
	if fault.From(err).Code != "decision.forked" || !errors.Is(err, errForked) {
		t.Errorf("got %v", err)
	}
}

// FuzzBodies: bytes from the disk never panic, and are read the same each time.
func FuzzBodies(f *testing.F) {
	r := rand.New(rand.NewPCG(12, 1))
	l := Log{o: Options{Now: time.Now}}
	for range 4 {
		d := sample(r, l.NewID())
		body, c, err := appendProposed(nil, d, "u")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, c.append(nil))
		end(r, d)
		f.Add(appendCompleted(nil, d, 7), []byte{})
	}
	f.Fuzz(func(t *testing.T, body, extra []byte) {
		var d activity.Decision
		_, _ = readCompleted(body, &d)
		_ = readContents(extra, func(c content) error {
			if back, rest, err := readContent(c.append(nil)); err != nil || len(rest) > 0 || back.seq != c.seq || back.user != c.user {
				t.Errorf("read %+v, written and read %+v, %v", c, back, err)
			}
			return nil
		})
		got, c, err := readProposed(body)
		if err != nil {
			return
		}
		if again, c2, err := readProposed(body); err != nil || cmp.Diff(got, again) != "" || c != c2 {
			t.Errorf("read twice: %v", err)
		}
	})
}

func BenchmarkPropose(b *testing.B) {
	for _, rate := range []int{1000, 8000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) { paced(b, rate) })
	}
}

// paced proposes and completes at a rate and reports latencies and CPU time.
func paced(b *testing.B, rate int) {
	s := openBus(b, bus.Options{})
	l, stop := running(b, s.Decisions(), b.TempDir())
	r := rand.New(rand.NewPCG(1, 1))
	proto := sample(r, "")
	took := make([]int64, b.N)
	var wg sync.WaitGroup
	start := time.Now()
	cpu := cpuTime()
	b.ResetTimer()
	for i := range b.N {
		if wait := time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))); wait > 0 {
			<-time.After(wait)
		}
		wg.Go(func() {
			d := *proto
			d.ID, d.At = l.NewID(), time.Now().UnixNano()
			began := time.Now()
			if err := l.Propose(context.Background(), &d); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(began).Nanoseconds()
			d.Result, d.Completed = activity.ResultOK, time.Now().UnixNano()
			l.Complete(&d)
		})
	}
	wg.Wait()
	stop()
	b.StopTimer()
	report(b, took, cpuTime()-cpu, float64(b.N)/float64(max(1, l.Stats().Batches)))
}
