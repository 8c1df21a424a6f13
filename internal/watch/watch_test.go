package watch

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/rule"
	"reeve/internal/telemetry"
)

var t0 = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) // a Monday

// keeper keeps findings in memory.
type keeper struct {
	mu    sync.Mutex
	list  []finding.Finding
	noise finding.Learned
}

func (k *keeper) See(_ context.Context, f finding.Finding) (finding.Finding, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, f)
	return f, true, nil
}

func (k *keeper) Learned(string, string) finding.Learned { return k.noise }

func (k *keeper) of(detector string) (out []finding.Finding) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.list {
		if f.Detector == detector {
			out = append(out, f)
		}
	}
	return out
}

// world feeds a watch.
type world struct {
	t    testing.TB
	w    *Watch
	k    *keeper
	now  time.Time
	n    uint64
	door bool
	wr   telemetry.Write
}

func newWorld(t testing.TB, change func(*Options)) *world {
	t.Helper()
	k := &keeper{}
	x := &world{t: t, k: k, now: t0}
	o := Options{Findings: k, Now: func() time.Time { return x.now }}
	if change != nil {
		change(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	x.w = w
	return x
}

func (x *world) id() (out [16]byte) {
	x.n++
	binary.BigEndian.PutUint64(out[8:], x.n)
	return out
}

// sim is a run that goes on.
type sim struct {
	x     *world
	agent string
	id    activity.RunID
}

func (x *world) run(agent string) *sim { return &sim{x, agent, activity.RunID(x.id())} }

// step adds a finished step; edit changes it.
func (s *sim) step(kind activity.Kind, name string, took time.Duration, edit func(*activity.Step)) {
	x := s.x
	x.now = x.now.Add(took)
	st := activity.Step{Fragment: activity.Fragment{
		Run: s.id, Step: activity.StepID(x.id()), Agent: s.agent, Kind: kind, Status: activity.StatusOK, Name: name,
		Start: x.now.Add(-took).UnixNano(), End: x.now.UnixNano(), Usage: activity.NoUsage, Environment: "production",
	}, Revision: 1, Received: x.now.UnixNano(), Team: "core"}
	if kind == activity.KindModel {
		st.Model, st.Counted, st.Call = name, true, true
	} else {
		st.ToolName = name
	}
	if x.door {
		st.Source = activity.SourceGateway
		x.w.proven.add(st.Step)
	}
	if edit != nil {
		edit(&st)
	}
	x.wr.Steps = append(x.wr.Steps, st)
}

// args makes a step's arguments the message of a number.
func args(n int) func(*activity.Step) {
	return func(s *activity.Step) {
		s.Refs = []activity.ContentRef{{Field: activity.ContentArguments, Format: "text", Messages: fmt.Sprint(n)}}
	}
}

func (s *sim) end(bad bool) {
	s.x.wr.Runs = append(s.x.wr.Runs, activity.Run{ID: s.id, Agent: s.agent, Status: activity.RunDone, RootError: bad})
	s.x.flush()
}

func (x *world) flush() {
	x.wr.Received = x.now.UnixNano()
	x.wr.Cursor++
	x.w.Observe(&x.wr)
	x.w.Drain(x.t.Context())
	x.wr = telemetry.Write{Cursor: x.wr.Cursor}
}

// usual lets an agent do n ordinary runs.
func (x *world) usual(agent string, n int) {
	for i := range n {
		r := x.run(agent)
		r.step(activity.KindModel, "gpt-4o", time.Duration(900+i%7*40)*time.Millisecond, usage(800+int64(i%5)*30, 120, 2e6+int64(i%9)*1e5))
		r.step(activity.KindTool, "search_orders", time.Duration(200+i%5*15)*time.Millisecond, args(1))
		r.step(activity.KindTool, "get_customer", 150*time.Millisecond, args(2))
		r.step(activity.KindModel, "gpt-4o", time.Duration(950+i%6*45)*time.Millisecond, usage(1000+int64(i%5)*30, 160, 2e6+int64(i%9)*1e5))
		r.end(false)
		x.now = x.now.Add(time.Minute)
	}
}

func usage(in, out, nanos int64) func(*activity.Step) {
	return func(s *activity.Step) {
		s.Usage.InputTotal, s.Usage.OutputTotal = in, out
		s.Cost = activity.Cost{Nanos: nanos, Currency: "USD", Basis: activity.CostBook}
	}
}

// Twenty runs with twice the calls of the twenties before are told, though none of
// them is long for itself; and twenties as before are not.
func TestVolume(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	runs := func(n, calls int) {
		for i := range n {
			r := x.run("refunds")
			for k := range calls + i%3 {
				r.step(activity.KindTool, "search_orders", time.Duration(200+i%5*15)*time.Millisecond, args(k))
			}
			r.end(false)
			x.now = x.now.Add(time.Minute)
		}
	}
	runs(400, 3)
	if got := x.k.of("volume"); len(got) > 0 {
		t.Fatalf("as before, and told: %+v", got)
	}
	runs(60, 7)
	got := x.k.of("volume")
	if len(got) == 0 || got[0].Subject != "tool_calls" || !strings.Contains(got[0].Text, "more than before") {
		t.Errorf("found %+v", got)
	}
}

// Ordinary runs give no finding at all.
func TestUsualIsQuiet(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	x.usual("refunds", 300)
	for _, f := range x.k.list {
		t.Errorf("%s: %s (%s, %s)", f.Detector, f.Text, f.Expected, f.Why)
	}
	s := x.w.Stats()
	if s.Steps != 1200 || s.Agents != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestLoop(t *testing.T) {
	t.Parallel()
	for _, door := range []bool{false, true} {
		x := newWorld(t, nil)
		x.door = door
		x.usual("refunds", 60)
		r := x.run("refunds")
		for range 7 {
			r.step(activity.KindTool, "search_orders", 100*time.Millisecond, args(1))
			x.flush()
		}
		got := x.k.of("loop")
		if len(got) != 1 {
			t.Fatalf("found %d loops", len(got))
		}
		f := got[0]
		if f.Authenticated != door || f.Subject != "search_orders" || f.Runs[0] != r.id.String() || len(f.Steps) < 4 || f.Agent != "refunds" {
			t.Errorf("found %+v", f)
		}
		if !strings.Contains(f.Text, "times with the same arguments") || f.Expected == "" {
			t.Errorf("said %q, expected %q", f.Text, f.Expected)
		}
	}
}

// Telemetry that comes hours late is of runs as long as they were: what counts is
// when their steps were, not when they arrived.
func TestLateRunsTakeWhatTheyTook(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	for i := range 600 {
		r := x.run("late")
		took := time.Duration(2000+i%17*50) * time.Millisecond
		r.step(activity.KindModel, "gpt-4o", took, func(s *activity.Step) {
			late := int64(time.Hour) * int64(600-i) // each run came later after it was than the next
			s.Start, s.End = s.Start-late, s.End-late
		})
		if got := x.w.runs[r.id]; got != nil {
			t.Fatal("measured before it was written")
		}
		x.flush()
		for _, m := range x.w.runs[r.id] {
			if m.took() != took {
				t.Fatalf("run %d took %s, want %s", i, m.took(), took)
			}
		}
		r.end(false)
	}
	for _, name := range []string{"drift", "course"} {
		for _, f := range x.k.of(name) {
			if strings.Contains(f.Text, "duration") {
				t.Errorf("%s: %s (%s)", f.Detector, f.Text, f.Seen)
			}
		}
	}
}

// A call that is made again until a person has decided on it is neither a loop nor
// a storm of failures: the door asks for it.
func TestWaitingForAPersonIsNoFailure(t *testing.T) {
	t.Parallel()
	held := func(errorType string, door bool) (loops, storms int) {
		x := newWorld(t, nil)
		x.door = door
		x.usual("refunds", 60)
		r := x.run("refunds")
		for range 30 {
			r.step(activity.KindHTTP, "POST /api/refunds", 55*time.Second, func(s *activity.Step) {
				args(1)(s)
				s.Status, s.ErrorType = activity.StatusError, errorType
				x.w.Decided(&activity.Decision{
					ID: fmt.Sprintf("dec_%d", x.n), At: x.now.UnixNano(), Agent: "refunds", Registered: true, Credential: "agent_key", Team: "core", Environment: "production",
					Run: r.id, Step: s.Step, Resource: "POST /api/refunds", Verdict: activity.VerdictHold,
				})
			})
			x.flush()
		}
		if got := x.k.of("refusals"); len(got) > 0 {
			t.Errorf("one action that is held counts as many refusals: %+v", got)
		}
		return len(x.k.of("loop")), len(x.k.of("retry_storm"))
	}
	if loops, storms := held("approval.pending", true); loops+storms > 0 {
		t.Errorf("while a person decides: %d loops, %d storms", loops, storms)
	}
	if loops, storms := held("upstream.status", true); loops == 0 || storms == 0 {
		t.Errorf("an upstream that fails: %d loops, %d storms, want both", loops, storms)
	}
	if loops, storms := held("approval.pending", false); loops == 0 || storms == 0 {
		t.Errorf("an agent that says by itself that it waits: %d loops, %d storms, want both", loops, storms)
	}
}

// The same tool with other arguments is no loop, and neither is a tool that is
// always polled.
func TestNoLoop(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	for range 80 {
		r := x.run("poller")
		for range 12 {
			r.step(activity.KindTool, "job_status", 100*time.Millisecond, args(1))
		}
		r.end(false)
		x.now = x.now.Add(time.Minute)
	}
	before := len(x.k.of("loop"))
	for range 20 {
		r := x.run("poller")
		for range 13 {
			r.step(activity.KindTool, "job_status", 100*time.Millisecond, args(1))
		}
		for i := range 30 {
			r.step(activity.KindTool, "fetch", 100*time.Millisecond, args(i+10))
		}
		r.step(activity.KindTool, "no_arguments", 100*time.Millisecond, nil)
		r.end(false)
	}
	if got := x.k.of("loop")[before:]; len(got) > 0 {
		t.Errorf("found %+v", got)
	}
}

func TestDetectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		detector string
		act      func(x *world)
	}{
		{"retry_storm", func(x *world) {
			r := x.run("refunds")
			for i := range 6 {
				r.step(activity.KindTool, "search_orders", 100*time.Millisecond, func(s *activity.Step) {
					args(i)(s)
					s.Status, s.ErrorType = activity.StatusError, "timeout"
				})
				x.flush()
			}
		}},
		{"new_tool", func(x *world) {
			r := x.run("refunds")
			r.step(activity.KindTool, "delete_customer", time.Second, args(1))
			x.flush()
		}},
		{"new_model", func(x *world) {
			r := x.run("refunds")
			r.step(activity.KindModel, "llama-3", time.Second, usage(800, 100, 1e6))
			x.flush()
		}},
		{"cost", func(x *world) {
			r := x.run("refunds")
			for range 10 {
				r.step(activity.KindModel, "gpt-4o", time.Second, usage(900, 100, 5e7))
				x.flush()
			}
		}},
		{"run_length", func(x *world) {
			r := x.run("refunds")
			for i := range 80 {
				r.step(activity.KindTool, "search_orders", time.Millisecond, args(i))
			}
			x.flush()
		}},
		{"latency", func(x *world) {
			for range 8 {
				r := x.run("refunds")
				r.step(activity.KindTool, "search_orders", 900*time.Millisecond, args(1))
				r.step(activity.KindTool, "search_orders", 950*time.Millisecond, args(2))
				r.end(false)
				x.now = x.now.Add(time.Minute)
			}
		}},
		{"errors", func(x *world) {
			for i := range 12 {
				r := x.run("refunds")
				r.step(activity.KindTool, "search_orders", 200*time.Millisecond, func(s *activity.Step) {
					if i%2 == 0 {
						s.Status, s.ErrorType = activity.StatusError, "timeout"
					}
				})
				r.step(activity.KindTool, "get_customer", 150*time.Millisecond, func(s *activity.Step) { s.Status = activity.StatusError })
				r.end(false)
			}
		}},
		{"failed_runs", func(x *world) {
			for range 14 {
				r := x.run("refunds")
				r.step(activity.KindTool, "get_customer", 150*time.Millisecond, nil)
				r.end(true)
			}
		}},
		{"output_length", func(x *world) {
			for range 8 {
				r := x.run("refunds")
				for range 2 {
					r.step(activity.KindModel, "gpt-4o", time.Second, usage(900, 15, 2e6))
				}
				r.end(false)
			}
		}},
		{"provider_change", func(x *world) {
			for i := range 31 {
				r := x.run("refunds")
				r.step(activity.KindModel, "gpt-4o-2026-01", time.Second, func(s *activity.Step) {
					s.ModelRequested = "gpt-4o"
					if i == 30 {
						s.Model = "gpt-4o-2026-09"
					}
				})
				r.end(false)
			}
		}},
		{"off_hours", func(x *world) {
			x.now = time.Date(2026, 11, 13, 3, 0, 0, 0, time.UTC) // a Friday
			x.usual("office", 1)
		}},
		{"context_growth", func(x *world) {
			for i := range 40 {
				r := x.run("refunds")
				n := 4
				if i == 39 {
					n = 30
				}
				for k := range n {
					r.step(activity.KindModel, "gpt-4o", time.Second, usage(int64(800*(k+1)+i*5), 100, 2e5))
				}
				x.flush()
				r.end(false)
			}
		}},
		{"new_source", func(x *world) {
			for n := range 41 {
				r := x.run("refunds")
				r.step(activity.KindRetrieval, []string{"handbook", "prices"}[n/40], time.Second, args(1))
				r.end(false)
			}
		}},
		{"new_peer", func(x *world) {
			for n := range 31 {
				r := x.run("refunds")
				r.step(activity.KindHandoff, []string{"clerk", "stranger"}[n/30], time.Second, args(1))
				r.end(false)
			}
		}},
		{"new_error", func(x *world) {
			for n := range 31 {
				r := x.run("refunds")
				r.step(activity.KindTool, "search_orders", 200*time.Millisecond, func(s *activity.Step) {
					args(n)(s)
					s.Status, s.ErrorType = activity.StatusError, []string{"timeout", "out_of_memory"}[n/30]
				})
				r.end(false)
			}
		}},
		{"unusual_path", func(x *world) {
			tools := []string{"a", "b", "c", "d", "e", "f"}
			for n := range 201 {
				r := x.run("paths")
				for k := range tools {
					at := k
					if n == 200 {
						at = len(tools) - 1 - k
					}
					r.step(activity.KindTool, tools[at], 100*time.Millisecond, args(k))
				}
				r.end(false)
				x.now = x.now.Add(time.Minute)
			}
		}},
		{"course", func(x *world) {
			for n := range 1500 {
				r := x.run("steady")
				in := int64(1000 + n*37%90)
				if n > 1400 {
					in *= 20
				}
				r.step(activity.KindModel, "gpt-4o", time.Second, usage(in, 100, 2e6))
				r.end(false)
				x.now = x.now.Add(time.Minute)
			}
		}},
		{"topic_shift", func(x *world) {
			for n := range 45 * topicOf {
				r := x.run("desk")
				r.step(activity.KindModel, "gpt-4o", time.Second, usage(800, 100, 2e6))
				words := []string{"parcel", "invoice", "address", "delivery", "payment", "account", "voucher", "refund"}
				if n >= 43*topicOf {
					words = []string{"football", "weather", "mountain", "recipe", "concert", "holiday", "garden", "castle"}
				}
				r.say("user", fmt.Sprintf("%s %s %s please", words[n%8], words[n*3%8], words[n*5%8]))
				r.end(false)
				x.now = x.now.Add(time.Minute)
			}
		}},
	} {
		x := newWorld(t, nil)
		x.usual("refunds", 250)
		for d := range 9 {
			x.now = time.Date(2026, 11, 3+d, 10, 0, 0, 0, time.UTC)
			x.usual("office", 5)
		}
		if n := len(x.k.list); n > 0 {
			t.Fatalf("%s: %d findings before anything happened: %+v", c.detector, n, x.k.list[0])
		}
		c.act(x)
		got := x.k.of(c.detector)
		if len(got) == 0 {
			t.Errorf("%s was not found; found %v", c.detector, x.k.list)
			continue
		}
		f := got[0]
		if f.Text == "" || f.Expected == "" || f.Seen == "" || len(f.Runs) == 0 || len(f.Steps) == 0 || f.Team != "core" {
			t.Errorf("%s: without words or evidence: %+v", c.detector, f)
		}
		t.Logf("%s: %s | expected %s | seen %s | %s", f.Detector, f.Text, f.Expected, f.Seen, f.Why)
	}
}

// A step counts once however often it comes, and when it has ended.
func TestOnce(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	r := x.run("a")
	r.step(activity.KindTool, "t", time.Second, func(s *activity.Step) { s.Status, s.End = activity.StatusRunning, activity.Unknown })
	st := x.wr.Steps[0]
	x.flush()
	if n := x.w.Stats().Steps; n != 0 {
		t.Errorf("a running step counted %d", n)
	}
	st.Status, st.End, st.Revision = activity.StatusOK, st.Start+1e9, 2
	for range 3 {
		x.wr.Steps = append(x.wr.Steps, st)
		st.Revision++
		x.flush()
	}
	r.end(false)
	x.wr.Steps = append(x.wr.Steps, st)
	x.flush()
	if n := x.w.Stats().Steps; n != 1 {
		t.Errorf("it counted %d times", n)
	}
	b := x.w.Behaviour([]string{"a"}, "core", t0.Add(-time.Hour))
	if len(b) != 1 || b[0].Total.Tools != 1 || len(b[0].Points) != 1 {
		t.Errorf("measured %+v", b)
	}
}

// What was learned is there after a restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	x.usual("refunds", 250)
	x.w.save()
	y := newWorld(t, func(o *Options) { o.File = file })
	y.n, y.now = 1<<40, x.now
	if b, c := x.w.Behaviour([]string{"refunds"}, "", t0), y.w.Behaviour([]string{"refunds"}, "", t0); len(c) != 1 ||
		b[0].Total != c[0].Total || b[0].Runs != c[0].Runs || len(b[0].Ranges) != len(c[0].Ranges) || b[0].Entropy != c[0].Entropy || !slices.Equal(b[0].Moves, c[0].Moves) {
		t.Errorf("before\n%+v\nafter\n%+v", b, c)
	}
	r := y.run("refunds")
	r.step(activity.KindTool, "delete_customer", time.Second, args(1))
	y.flush()
	if len(y.k.of("new_tool")) != 1 {
		t.Errorf("found %+v", y.k.list)
	}
}

// People's verdicts change what is told.
func TestLearned(t *testing.T) {
	t.Parallel()
	alarms := func(noise int) int {
		x := newWorld(t, func(o *Options) {
			d, _ := detector("cost")
			v := defaults(d)
			v.AlarmsPerWeek, v.MinimumEffect = 8, 1.5
			o.Settings = &Settings{set: map[[2]string]Setting{{"cost", ""}: v}}
		})
		x.k.noise = finding.Learned{Noise: noise}
		// Costs that wander: now and then one is far out, by nature.
		r := rand.New(rand.NewPCG(3, 4))
		for range 4000 {
			s := x.run("wander")
			s.step(activity.KindModel, "m", time.Second, usage(800, 100, int64(2e6*math.Exp(0.7*r.NormFloat64()))))
			s.end(false)
			x.now = x.now.Add(5 * time.Minute)
		}
		return len(x.k.of("cost"))
	}
	if before, after := alarms(0), alarms(3); after >= before {
		t.Errorf("%d findings before, %d after three were called noise", before, after)
	} else {
		t.Logf("%d findings in two weeks of 8 allowed a week, %d of 1", before, after)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	var list []*rule.Rule
	for _, r := range []rule.Rule{
		{Name: "dear", When: "cost > 0.01 && task == ''", Severity: "critical", Text: "a run costs more than a cent"},
		{Name: "busy", When: "runs > 3 && p95_ms > 500.0", Scope: rule.Agent, Window: time.Hour},
		{Name: "calls", When: "'search_orders' in calls && calls['search_orders'] >= 2"},
		{Name: "others", When: "steps > 0", Agents: []string{"somebody"}},
		{Name: "breaks", When: "calls['nothing'] > 1"},
	} {
		c, err := rule.Compile(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	x := newWorld(t, func(o *Options) { o.Rules = func() []*rule.Rule { return list } })
	x.usual("refunds", 4)
	r := x.run("refunds")
	r.step(activity.KindModel, "gpt-4o", time.Second, usage(10, 10, 2e7))
	r.step(activity.KindTool, "search_orders", time.Second, args(1))
	r.step(activity.KindTool, "search_orders", time.Second, args(2))
	x.flush()
	for _, name := range []string{"dear", "busy", "calls"} {
		if got := x.k.of("rule:" + name); len(got) != 1 || len(got[0].Runs) == 0 || got[0].Seen == "" && name != "calls" {
			t.Errorf("rule %s found %+v", name, got)
		}
	}
	if n := len(x.k.list); n != 3 {
		t.Errorf("%d findings: %+v", n, x.k.list)
	}
	if list[4].Failures() == 0 {
		t.Error("a rule that breaks was not counted")
	}
}

// Settings: off, per agent, and what cannot be.
func TestSettings(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := OpenSettings(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Setting{
		{Detector: "nothing"},
		{Detector: "loop", AlarmsPerWeek: -1},
		{Detector: "loop", MinimumEffect: 0.5},
		{Detector: "loop", Severity: "awful"},
		{Detector: "loop", Rest: time.Nanosecond},
		{Detector: "loop", Agent: "a\nb"},
	} {
		if _, err := s.Put(t.Context(), "p", "ann", "", bad); err == nil {
			t.Errorf("took %+v", bad)
		}
	}
	for i := range detectors { // each can be given what it has, and switched off
		d := &detectors[i]
		if _, err := s.Put(t.Context(), "p", "ann", "", Setting{Detector: d.Name, Agent: "other", MinimumEffect: d.Effect, Off: true}); err != nil {
			t.Errorf("%s cannot be set: %v", d.Name, err)
		} else if !s.For(d, "other").Off {
			t.Errorf("%s was not switched off", d.Name)
		}
		if err := s.Reset(t.Context(), "p", "", d.Name, "other", "no more"); err != nil {
			t.Error(err)
		}
	}
	v, err := s.Put(t.Context(), "p", "ann", "", Setting{Detector: "loop", Agent: "refunds", Off: true, Reason: "it polls"})
	if err != nil || v.Revision != 1 || v.By != "ann" {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := s.Put(t.Context(), "p", "ann", "", Setting{Detector: "loop", Agent: "refunds", Revision: 7}); err == nil {
		t.Error("took a change of another revision")
	}
	again, err := OpenSettings(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := detector("loop")
	if !again.For(d, "refunds").Off || again.For(d, "other").Off {
		t.Errorf("after a restart %+v", again.List())
	}
	x := newWorld(t, func(o *Options) { o.Settings = again })
	x.usual("refunds", 60)
	r := x.run("refunds")
	for range 9 {
		r.step(activity.KindTool, "search_orders", 100*time.Millisecond, args(1))
	}
	x.flush()
	if got := x.k.of("loop"); len(got) != 0 {
		t.Errorf("found %+v", got)
	}
	if err := s.Reset(t.Context(), "p", "", "loop", "refunds", "it does not"); err != nil || s.For(d, "refunds").Off {
		t.Errorf("not reset: %v", err)
	}
}

// A rule on what only the door's decisions say is not tried: that it would never have
// held is not true. The words alone do not count.
func TestUntriable(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`refused > 2.0`: "rule.untriable",
		`cost > 1.0 && (!authenticated || steps > 5.0)`: "rule.untriable",
		`hijack_score >= 3.2`:                           "rule.untriable",
		`cost > 1.0 && task != "refused"`:               "",
	} {
		r, err := rule.Compile(rule.Rule{Name: "trial", When: when, Scope: "run", Severity: "warning", Rest: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := Try(t.Context(), nobody{}, r, Past{From: t0, To: t0.Add(time.Hour)}); err != nil {
			got = fault.From(err).Code
		}
		if got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
}

// nobody is a past in which nothing ran.
type nobody struct{}

func (nobody) Runs(context.Context, telemetry.RunsQuery) (p telemetry.RunsPage, err error) { return }

func (nobody) StepsPage(context.Context, activity.RunID, telemetry.StepsQuery) (p telemetry.StepsPage, err error) {
	return
}
