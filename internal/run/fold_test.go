package run

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// flat prices one token at one nano and knows every model but "mystery".
type flat struct{}

func (flat) Cost(_, model string, _ time.Time, u activity.Usage) activity.Cost {
	if model == "mystery" || !u.Known() {
		return activity.Cost{}
	}
	return activity.Cost{Nanos: max(u.InputTotal, 0) + 10*max(u.OutputTotal, 0), Currency: "USD", Basis: activity.CostBook, Price: "flat " + model}
}

// bench drives a reader without its goroutines.
type harness struct {
	t     testing.TB
	r     *Reader
	store *memory
	seq   uint64
	now   time.Time
	opts  func(*Options)
	log   [][]byte
	use   telemetry.Store
}

func newHarness(t testing.TB, store *memory, opts func(*Options)) *harness {
	return newHarnessOn(t, store, store, opts)
}

// newHarnessOn lets the reader use another store than the one that is looked at.
func newHarnessOn(t testing.TB, store *memory, use telemetry.Store, opts func(*Options)) *harness {
	h := &harness{t: t, store: store, use: use, now: time.Unix(0, start0), opts: opts}
	h.restart()
	return h
}

// restart throws the reader's memory away, as a crash does, and goes on from
// the store's cursor.
func (h *harness) restart() {
	o := Options{Log: newTape(), Store: h.use, HashKey: make([]byte, 32), Prices: flat{}, Now: func() time.Time { return h.now }}
	if h.opts != nil {
		h.opts(&o)
	}
	r, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	r.seq = h.store.cursor
	if err := r.resume(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.r = r
	for seq := h.store.cursor; seq < h.seq; seq++ {
		h.handle(seq+1, h.log[seq])
	}
}

func (h *harness) handle(seq uint64, msg []byte) {
	h.t.Helper()
	msg = bytes.Clone(msg)
	if err := h.r.handle(h.t.Context(), seq, h.now, [][]byte{msg}); err != nil {
		h.t.Fatal(err)
	}
	for i := range msg { // payloads are valid during the call only
		msg[i] = 0xdd
	}
	if h.r.stats.Undecodable > 0 {
		h.t.Fatal("payload was not decoded")
	}
}

func (h *harness) feed(batches ...*activity.Batch) {
	h.t.Helper()
	h.seq++
	var msg []byte
	for _, b := range batches {
		msg = activity.AppendBatch(msg, b)
	}
	h.log = append(h.log, msg)
	h.handle(h.seq, msg)
}

func (h *harness) flush() {
	h.t.Helper()
	before := h.r.stats.Failures
	h.r.commit(h.t.Context(), true)
	if h.r.stats.Failures > before {
		h.t.Fatal(h.r.failing)
	}
}

// pass lets time go by and does what it brings.
func (h *harness) pass(d time.Duration) {
	h.now = h.now.Add(d)
	h.r.mu.Lock()
	h.r.tick(h.t.Context(), h.now)
	h.r.mu.Unlock()
	h.flush()
}

func (h *harness) row(id activity.RunID) activity.Run {
	h.t.Helper()
	row, _, _, ok := h.r.Live(id)
	if !ok {
		h.t.Fatalf("run %v is not live", id)
	}
	return *row
}

// span makes a finished span of run n.
func span1(run, n, parent int, kind activity.Kind, more ...func(*activity.Fragment)) activity.Fragment {
	f := activity.Fragment{
		Run: idOf[activity.RunID](run), Trace: idOf[activity.TraceID](run), Step: idOf[activity.StepID](n), Kind: kind,
		Source: activity.SourceSDK, Status: activity.StatusOK, WholeFragment: true, Name: "step " + strconv.Itoa(n),
		Start: start0 + int64(n)*1e6, End: start0 + int64(n)*1e6 + 5e5, TTFT: activity.Unknown, Usage: activity.NoUsage,
		Agent: "refund-service", Service: "refund-service", Dialect: "otel-genai",
	}
	if parent >= 0 {
		f.Parent = idOf[activity.StepID](parent)
	}
	if kind == activity.KindModel {
		f.Provider, f.Model = "openai", "gpt-4o-mini"
	}
	for _, m := range more {
		m(&f)
	}
	return f
}

func used(in, out int64) func(*activity.Fragment) {
	return func(f *activity.Fragment) { f.Usage.InputTotal, f.Usage.OutputTotal = in, out }
}

func said(field activity.ContentField, format, raw string) func(*activity.Fragment) {
	return func(f *activity.Fragment) {
		f.Contents = append(f.Contents, activity.Content{Field: field, Format: format, From: "attr", Raw: []byte(raw)})
	}
}

func batchOf(f ...activity.Fragment) *activity.Batch {
	return &activity.Batch{Received: start0, Sender: "dev", Team: "support", Environment: "prod", Fragments: f}
}

func TestCounting(t *testing.T) {
	t.Parallel()
	model, agent, tool := activity.KindModel, activity.KindAgent, activity.KindTool
	tests := []struct {
		name      string
		fragments []activity.Fragment
		calls     int64
		unknown   int64
		in        int64
		counted   []int
		flags     activity.Flag
	}{
		{"leaves under an agent that repeats them", []activity.Fragment{
			span1(1, 0, -1, agent, used(30, 3)), span1(1, 1, 0, model, used(10, 1)), span1(1, 2, 0, model, used(20, 2)),
		}, 2, 0, 30, []int{1, 2}, 0},
		{"an agent that says something else", []activity.Fragment{
			span1(1, 0, -1, agent, used(31, 3)), span1(1, 1, 0, model, used(10, 1)), span1(1, 2, 0, model, used(20, 2)),
		}, 2, 0, 30, []int{1, 2}, activity.FlagUsageMismatch},
		{"a provider's span inside an SDK's", []activity.Fragment{
			span1(1, 0, -1, agent), span1(1, 1, 0, model, used(10, 1)), span1(1, 2, 1, model, used(10, 1)),
		}, 1, 0, 10, []int{2}, 0},
		{"the inner one reports nothing", []activity.Fragment{
			span1(1, 1, -1, model, used(10, 1)), span1(1, 2, 1, model), span1(1, 3, 2, model),
		}, 1, 0, 10, []int{1}, 0},
		{"nobody reports anything", []activity.Fragment{
			span1(1, 1, -1, model), span1(1, 2, 1, model),
		}, 1, 1, -1, []int{2}, 0},
		{"a container of two calls", []activity.Fragment{
			span1(1, 1, -1, model, used(30, 3)), span1(1, 2, 1, model, used(10, 1)), span1(1, 3, 1, tool), span1(1, 4, 3, model, used(20, 2)),
		}, 2, 0, 30, []int{2, 4}, 0},
		{"a failed call without usage is not unknown", []activity.Fragment{
			span1(1, 1, -1, model, func(f *activity.Fragment) { f.Status = activity.StatusError }),
		}, 1, 0, -1, []int{1}, 0},
		{"its own parent", []activity.Fragment{span1(1, 1, 1, model, used(10, 1))}, 1, 0, 10, []int{1}, activity.FlagSelfParent},
		{"a circle", []activity.Fragment{
			span1(1, 1, 3, model, used(10, 1)), span1(1, 2, 1, model, used(20, 1)), span1(1, 3, 2, agent), span1(1, 4, 3, model, used(5, 1)),
		}, 3, 0, 35, []int{1, 2, 4}, activity.FlagCycle},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, apart := range []bool{false, true} {
				for range 5 {
					rand.Shuffle(len(test.fragments), func(i, j int) {
						test.fragments[i], test.fragments[j] = test.fragments[j], test.fragments[i]
					})
					h := newHarness(t, newMemory(), nil)
					for _, f := range test.fragments {
						h.feed(batchOf(f))
						if apart {
							h.flush()
						}
					}
					h.flush()
					run := h.row(idOf[activity.RunID](1))
					var counted []int
					for n := range 6 {
						if s := h.store.steps[run.ID][idOf[activity.StepID](n)]; s.Counted {
							counted = append(counted, n)
						}
					}
					if run.ModelCalls != test.calls || run.UnknownUsageCalls != test.unknown || run.Usage.InputTotal != test.in ||
						!slices.Equal(counted, test.counted) {
						t.Errorf("calls %d unknown %d input %d counted %v; want %d, %d, %d, %v", run.ModelCalls, run.UnknownUsageCalls,
							run.Usage.InputTotal, counted, test.calls, test.unknown, test.in, test.counted)
					}
					if run.Flags != test.flags {
						t.Errorf("flags %v, want %v", run.Flags.Names(), test.flags.Names())
					}
				}
			}
		})
	}
}

func TestHistoryIsKeptOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, newMemory(), nil)
	word := strings.Repeat("lorem ipsum ", 45)
	var history []string
	var sent int
	for turn := range 30 {
		history = append(history, fmt.Sprintf(`{"role":"user","content":"%d %s"}`, turn, word))
		raw := "[" + strings.Join(history, ",") + "]"
		sent += len(raw)
		answer := fmt.Sprintf(`{"role":"assistant","content":"answer %d %s"}`, turn, word)
		h.feed(batchOf(span1(1, turn, -1, activity.KindModel,
			said(activity.ContentInput, "openai.messages", raw), said(activity.ContentOutput, "openai.messages", "["+answer+"]"))))
		history = append(history, answer)
		if turn%7 == 3 {
			h.flush()
		}
		if turn == 20 {
			h.flush()
			h.restart()
		}
	}
	h.flush()
	id := idOf[activity.RunID](1)
	if n := len(h.store.messages[id]); n != 60 {
		t.Errorf("%d messages stored, want 60", n)
	}
	s := h.store.steps[id][idOf[activity.StepID](29)]
	if got := s.Refs[0].Messages; got != "0-58" {
		t.Errorf("input of the last call is %q, want 0-58", got)
	}
	if h.r.stats.PrefixHits < 8 {
		t.Errorf("%d prefix hits", h.r.stats.PrefixHits)
	}
	if h.store.raw*8 > int64(sent) {
		t.Errorf("stored %d bytes of %d", h.store.raw, sent)
	}
	// Another run of the day says the same: rows, but no content.
	before := h.store.raw
	h.feed(batchOf(span1(2, 900, -1, activity.KindModel, said(activity.ContentInput, "openai.messages", "["+history[58]+"]"))))
	h.flush()
	if h.store.raw != before {
		t.Errorf("%d bytes stored for what is known", h.store.raw-before)
	}
}

// TestAnyOrder is the property the package promises: fragments in any order,
// repeated, grouped in any way, with stores between them, crashes and runs that
// leave memory, make the same runs, steps and rollups.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	seeds := 150
	if testing.Short() {
		seeds = 25
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		story := randomStory(rng)
		want := play(t, rng, story, false)
		for range 4 {
			got := play(t, rng, story, true)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d (-in order +shuffled):\n%s", seed, diff)
			}
		}
	}
}

// result is what a story must come to.
type result struct {
	Runs    map[string]activity.Run
	Steps   map[string]activity.Step
	Said    map[string]string
	Rollups map[string]string
}

func play(t *testing.T, rng *rand.Rand, story []activity.Fragment, shuffled bool) result {
	store := newMemory()
	return playOn(t, rng, story, shuffled, store, store)
}

func playOn(t *testing.T, rng *rand.Rand, story []activity.Fragment, shuffled bool, store *memory, use telemetry.Store) result {
	h := newHarnessOn(t, store, use, func(o *Options) {
		if shuffled && rng.IntN(2) == 0 {
			o.HoldBytes = 1
		}
	})
	todo := slices.Clone(story)
	if shuffled {
		for range rng.IntN(len(story)) {
			todo = append(todo, story[rng.IntN(len(story))])
		}
		rng.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	}
	for len(todo) > 0 {
		n := len(todo)
		if shuffled {
			n = 1 + rng.IntN(min(len(todo), 6))
		}
		h.feed(batchOf(todo[:n]...))
		todo = todo[n:]
		if !shuffled {
			continue
		}
		switch rng.IntN(8) {
		case 0, 1, 2:
			h.flush()
		case 3:
			h.restart()
		case 4:
			h.flush()
			h.r.o.MaxBytes = 1
			h.pass(time.Second) // rows
			h.pass(time.Second) // and out
			h.r.o.MaxBytes = 1 << 30
		}
	}
	h.flush()
	h.pass(time.Hour)
	h.flush()
	return gather(h)
}

func gather(h *harness) result {
	out := result{Runs: map[string]activity.Run{}, Steps: map[string]activity.Step{}, Said: map[string]string{}, Rollups: map[string]string{}}
	for id, run := range h.store.rows {
		run.Revision, run.Received, run.Updated = 0, 0, 0
		out.Runs[id.String()] = run
		for _, s := range h.store.steps[id] {
			for _, ref := range s.Refs {
				var texts []string
				for _, n := range ordinals(ref.Messages) {
					m := h.store.messages[id][n]
					texts = append(texts, string(h.store.content[contentKey(&m)]))
				}
				out.Said[s.Step.String()] += fmt.Sprintln(ref.Field, ref.Format, ref.Order, texts)
			}
			s.Revision, s.Layers, s.Refs, s.Received = 0, nil, nil, 0
			out.Steps[s.Step.String()] = s
		}
	}
	var rows, rolled [7]int64
	for _, r := range out.Runs {
		for i, v := range [...]int64{1, r.Steps, r.Errors, max(r.Usage.InputTotal, 0), max(r.Usage.OutputTotal, 0), r.UnknownUsageCalls, r.Cost.Nanos} {
			rows[i] += v
		}
	}
	for k, d := range h.store.rollups {
		out.Rollups[k] = fmt.Sprint(d)
		if d.Family != telemetry.FamilyAgent {
			continue
		}
		for i, v := range [...]int64{d.Runs, d.Count, d.Errors, d.InputTotal, d.OutputTotal, d.Unknown, d.CostNanos} {
			rolled[i] += v
		}
	}
	if rows != rolled {
		h.t.Fatalf("runs, steps, errors, input, output, unknown, cost: %v in rows, %v in rollups", rows, rolled)
	}
	return out
}

func ordinals(list string) (out []int) {
	for _, part := range strings.Split(list, ",") {
		if part == "" {
			continue
		}
		lo, hi, ok := strings.Cut(part, "-")
		a, _ := strconv.Atoi(lo)
		b := a
		if ok {
			b, _ = strconv.Atoi(hi)
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out
}

// randomStory is the fragments of a few runs, as wild as senders are.
func randomStory(rng *rand.Rand) []activity.Fragment {
	kinds := []activity.Kind{activity.KindAgent, activity.KindModel, activity.KindModel, activity.KindTool, activity.KindRetrieval, activity.KindEmbedding, activity.KindMCP}
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	var out []activity.Fragment
	n := 0
	for run := range 1 + rng.IntN(3) {
		first, steps := n, 1+rng.IntN(12)
		history := `{"role":"user","content":"` + strings.Repeat("hello ", 60) + `"}`
		for i := range steps {
			parent := -1
			switch {
			case i > 0 && rng.IntN(10) < 9:
				parent = first + rng.IntN(i)
			case rng.IntN(4) == 0:
				parent = 1000 + n // never seen
			case rng.IntN(6) == 0:
				parent = first + rng.IntN(steps) // itself, or a circle
			}
			f := span1(run, n, parent, kinds[rng.IntN(len(kinds))])
			f.Start += int64(rng.IntN(3)) * 50e9
			f.End = f.Start + int64(rng.IntN(1e9))
			f.Agent, f.AgentExplicit = pick("", "svc", "refund-agent"), false
			if f.Agent == "refund-agent" || rng.IntN(8) == 0 && f.Agent != "" {
				f.AgentExplicit = true
			}
			f.Session, f.User, f.Task = pick("", "", "conv-1", "conv-2"), pick("", "jane"), pick("", "refund")
			f.AgentVersion, f.ToolName, f.Model = pick("", "1", "2"), pick("", "lookup"), pick("gpt-4o-mini", "mystery", "")
			if rng.IntN(3) > 0 {
				f.Usage = activity.Usage{InputTotal: rng.Int64N(100), CacheRead: activity.Unknown, CacheWrite: activity.Unknown, OutputTotal: rng.Int64N(10), Reasoning: activity.Unknown}
			}
			if rng.IntN(6) == 0 {
				f.Status, f.ErrorType = activity.StatusError, pick("", "timeout", "refused")
			}
			if rng.IntN(12) == 0 {
				f.Outcome = pick("resolved", "failed")
			}
			if rng.IntN(5) == 0 {
				f.Tags, f.Labels = []string{pick("a", "b")}, []activity.Label{{Key: "tier", Value: pick("gold", "tin")}}
			}
			f.Attributes = []byte{0x0a, 1, byte(n)}
			if f.Kind == activity.KindModel && rng.IntN(3) > 0 {
				history += fmt.Sprintf(`,{"role":"user","content":"%d"}`, n)
				said(activity.ContentInput, "openai.messages", "["+history+"]")(&f)
				said(activity.ContentOutput, "text", "answer "+strconv.Itoa(n))(&f)
			}
			switch rng.IntN(5) {
			case 0: // pending, then finished
				p := f
				p.WholeFragment, p.End, p.Status, p.Usage, p.Outcome, p.ErrorType = false, activity.Unknown, activity.StatusRunning, activity.NoUsage, "", ""
				p.Contents = nil
				out = append(out, p, f)
			case 1: // content in log records
				c := activity.Fragment{
					Run: f.Run, Step: f.Step, Trace: f.Trace, Source: activity.SourceSDK, Kind: f.Kind, Start: f.Start, End: activity.Unknown, TTFT: activity.Unknown,
					Usage: activity.NoUsage, OnlyContent: true, Dialect: "otel-genai",
				}
				said(activity.ContentOutput, "openai.messages", `[{"role":"assistant","content":"logged"}]`)(&c)
				d := c
				d.Contents = []activity.Content{{Field: activity.ContentInput, Format: "text", From: "event", Order: 1, Raw: []byte("asked " + strconv.Itoa(n))}}
				out = append(out, f, c, d)
			case 2: // the gateway saw it too
				g := f
				g.Source, g.Attributes, g.Contents, g.Agent, g.AgentExplicit = activity.SourceGateway, []byte{0x0a, 1, 0xff}, nil, "", false
				if g.Usage.Known() {
					g.Usage.InputTotal++
				}
				out = append(out, f, g)
			default:
				out = append(out, f)
			}
			n++
		}
	}
	return out
}
