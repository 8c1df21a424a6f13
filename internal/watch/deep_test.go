package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
)

// ended is a run of usual length, its tokens around a middle.
func (x *world) ended(r *rand.Rand, agent string, tokens float64) {
	s := x.run(agent)
	for range 2 + r.IntN(2) {
		s.step(activity.KindModel, "m", time.Duration(800+r.IntN(400))*time.Millisecond, func(st *activity.Step) {
			st.Usage.InputTotal, st.Usage.OutputTotal = int64(tokens*(0.8+0.4*r.Float64())), 100+int64(r.IntN(50))
		})
		s.step(activity.KindTool, "search", time.Duration(200+r.IntN(200))*time.Millisecond, nil)
	}
	s.end(false)
	x.now = x.now.Add(2 * time.Minute)
}

// Inputs that grow by half are drift after some runs, and told once; a new normal
// begins when a version is approved.
func TestDriftLive(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	r := rand.New(rand.NewPCG(5, 5))
	for range 460 {
		x.ended(r, "a", 1000)
	}
	if got := x.k.of("drift"); len(got) != 0 {
		t.Fatalf("drift of what stays the same: %+v", got[0])
	}
	for range 200 {
		x.ended(r, "a", 1500)
	}
	got := x.k.of("drift")
	if len(got) != 1 || got[0].Subject != "input_tokens" || len(got[0].Runs) != 1 || !strings.Contains(got[0].Why, "PSI") {
		t.Fatalf("%d findings of drift: %+v", len(got), got)
	}
	x.w.Approved("a")
	for range 460 {
		x.ended(r, "a", 1500)
	}
	if got := x.k.of("drift"); len(got) != 1 {
		t.Errorf("after the approval: %d findings", len(got))
	}
}

// again begins another process with what the file keeps.
func (x *world) again(file string) *world {
	x.t.Helper()
	x.w.savedAt, x.w.dirty = 0, true
	x.w.save()
	y := newWorld(x.t, func(o *Options) { o.File = file })
	y.n, y.now, y.wr.Cursor = x.n+1<<32, x.now, x.wr.Cursor
	return y
}

// A restart in the middle finds what a process without one finds, after the same run,
// and tells nothing by itself: before the reference is full, while runs are compared,
// and after a new normal was approved.
func TestWholeRunsOutliveARestart(t *testing.T) {
	t.Parallel()
	// story is what is found, by the number of the run that led to it.
	story := func(restarts ...int) (out []string) {
		file := filepath.Join(t.TempDir(), "watch")
		x := newWorld(t, func(o *Options) { o.File = file })
		r := rand.New(rand.NewPCG(5, 5))
		for n := range 1500 {
			if slices.Contains(restarts, n) {
				before := len(out)
				x = x.again(file)
				if len(out) != before || len(x.k.list) != 0 {
					t.Errorf("the restart at %d tells %+v", n, x.k.list)
				}
			}
			tokens := 1000.0
			if n >= 460 {
				tokens = 1500
			}
			if n == 700 {
				x.w.Approved("a")
			}
			if n >= 1200 {
				tokens = 2400
			}
			had := len(x.k.list)
			x.ended(r, "a", tokens)
			for _, f := range x.k.list[had:] {
				out = append(out, fmt.Sprintf("%d %s %s %s", n, f.Detector, f.Subject, f.Seen))
			}
		}
		return out
	}
	want := story()
	drifts := 0
	for _, s := range want {
		if strings.Contains(s, " drift input_tokens") {
			drifts++
		}
	}
	if drifts != 2 {
		t.Fatalf("without a restart: %q", want)
	}
	for _, at := range [][]int{{10}, {200}, {400}, {470}, {500}, {520}, {699}, {701}, {900}, {1210, 1230, 1260}} {
		if diff := cmp.Diff(want, story(at...)); diff != "" {
			t.Errorf("with a restart before run %v (-without +with):\n%s", at, diff)
		}
	}
}

// A run that went on at a restart is not held to be as short as its end.
func TestCutRunsAreNotLearned(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	r := rand.New(rand.NewPCG(5, 5))
	for range 60 {
		x.ended(r, "a", 1000)
	}
	s := x.run("a")
	s.step(activity.KindTool, "search", time.Second, nil)
	x.flush()
	y := x.again(file)
	s.x = y
	s.step(activity.KindTool, "search", time.Second, nil)
	s.end(false)
	a := y.w.agents[who{"core", "production", "a", false}]
	if a.runs != 61 || a.deep.runs != 41 || a.ranges["run_length"].seen != 60 || len(y.w.cut) != 0 {
		t.Errorf("%d runs, %d looked at whole, %d lengths learned, %d still cut", a.runs, a.deep.runs, a.ranges["run_length"].seen, len(y.w.cut))
	}
}

// What has another form is learned anew, and the rest of its agent stays; nothing that
// a file may say makes it panic.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	r := rand.New(rand.NewPCG(5, 5))
	for range 600 {
		x.ended(r, "a", 1000)
	}
	s := x.run("a")
	s.step(activity.KindTool, "search", time.Second, nil)
	x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Run: s.id, Agent: "a", Body: "started well"})
	s.end(false)
	a := x.w.agents[who{"core", "production", "a", false}]
	for name, alter := range map[string]func(k *keptAgent){
		"form":      func(k *keptAgent) { k.Deep.Form++ },
		"features":  func(k *keptAgent) { k.Deep.Drift.Features = k.Deep.Drift.Features[1:] },
		"names":     func(k *keptAgent) { k.Deep.Drift.Features[0].Name = "other" },
		"long":      func(k *keptAgent) { k.Deep.Drift.Features[0].Reference = make([]float64, 9999) },
		"place":     func(k *keptAgent) { k.Deep.Drift.Features[0].At = 100 },
		"kind":      func(k *keptAgent) { k.Deep.Drift.Features[7].Window = []float64{-1} },
		"random":    func(k *keptAgent) { k.Deep.Drift.Random = nil },
		"bad":       func(k *keptAgent) { k.Deep.Bad.N++ },
		"no bad":    func(k *keptAgent) { k.Deep.Bad.Rows = nil },
		"trees":     func(k *keptAgent) { k.Deep.Forest.Mass = k.Deep.Forest.Mass[1:] },
		"measures":  func(k *keptAgent) { k.Deep.Forest.Names = []string{"x"} },
		"courses":   func(k *keptAgent) { k.Deep.Course = k.Deep.Course[1:] },
		"sizes":     func(k *keptAgent) { k.Deep.Course[0].Above.Bins = nil },
		"symbols":   func(k *keptAgent) { k.Deep.Course[0].Symbols = nil },
		"rest":      func(k *keptAgent) { k.Deep.Course[0].RestAt = 99 },
		"volume":    func(k *keptAgent) { k.Deep.Volume.N = nil },
		"lines":     func(k *keptAgent) { k.Lines.Form++ },
		"templates": func(k *keptAgent) { k.Lines.Kinds.Groups[0].ID = 77 },
		"circle":    func(k *keptAgent) { k.Lines.Kinds.Into = map[int]int{1: 1} },
	} {
		k := a.keep()
		alter(&k)
		y := newWorld(t, nil)
		b := k.agent()
		fits := y.w.restoreDeep(b, k.Deep)
		if k.Lines != nil {
			fits = y.w.restoreLines(b, k.Lines) && fits
		}
		if fits || b.runs != a.runs {
			t.Errorf("%s: fits %v, %d runs", name, fits, b.runs)
		}
		y.n = 1 << 40
		y.w.agents[b.who] = b
		for range 30 {
			y.ended(r, "a", 1000)
		}
	}
}

// What a log said before a restart is not new after it, and what is new is told.
func TestLogsOutliveARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	line := func(body string) {
		s := x.run("a")
		s.step(activity.KindTool, "search", time.Second, nil)
		x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Run: s.id, Agent: "a", Body: body})
		s.end(false)
		x.now = x.now.Add(time.Minute)
	}
	for n := range 400 {
		line(fmt.Sprintf("order %d was looked up in %d ms", n, n%40))
		line(fmt.Sprintf("the %s stock was counted", []string{"red", "green", "blue", "white", "black", "grey"}[n%6]))
	}
	before := x.w.agents[who{"core", "production", "a", false}].lines.miner.Templates()
	x = x.again(file)
	if diff := cmp.Diff(before, x.w.agents[who{"core", "production", "a", false}].lines.miner.Templates()); diff != "" {
		t.Errorf("templates before and after:\n%s", diff)
	}
	line("order 7 was looked up in 12 ms")
	line("the pink stock was counted")
	if got := x.k.of("new_log"); len(got) != 0 {
		t.Errorf("the restart makes news of what was always said: %+v", got)
	}
	line("cannot reach the vault")
	if got := x.k.of("new_log"); len(got) != 1 {
		t.Errorf("%d findings of a new line after the restart", len(got))
	}
}

// What names an erased person goes from what is kept too.
func TestForgetWholeRuns(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	r := rand.New(rand.NewPCG(5, 5))
	for range 60 {
		x.ended(r, "a", 1000)
	}
	s := x.run("a")
	s.step(activity.KindTool, "mail_to_ada", time.Second, func(st *activity.Step) { st.Task = "answer ada" })
	s.step(activity.KindTool, "mail_to_ada", time.Second, nil)
	x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Run: s.id, Agent: "a", Body: "a mail to ada was sent"})
	s.end(false)
	x.flush()
	cut := func(text string) (string, bool) {
		out := strings.ReplaceAll(text, "ada", "")
		return out, out != text
	}
	if n := x.w.Forget(cut, true); n < 3 {
		t.Errorf("dry: %d places", n)
	}
	x.w.Forget(cut, false)
	x.w.save()
	body, err := os.ReadFile(file)
	if err != nil || len(body) < 1000 {
		t.Fatal(len(body), err)
	}
	if strings.Contains(string(body), "ada") {
		t.Error("the file still names her")
	}
}

// More runs that end badly are told long before there are runs enough to compare all
// that they are made of; the same share for long is told at most once.
func TestBadRunsAreTold(t *testing.T) {
	t.Parallel()
	told := 0
	for seed := range uint64(20) {
		x := newWorld(t, nil)
		r := rand.New(rand.NewPCG(seed, 9))
		end := func(share float64) {
			s := x.run("a")
			s.step(activity.KindModel, "m", 10*time.Millisecond, nil)
			s.end(r.Float64() < share)
		}
		of := func() (n int) {
			for _, f := range x.k.of("drift") {
				if f.Measure == "share of bad runs" {
					n++
				}
			}
			return n
		}
		for range 300 {
			end(.1)
		}
		told += of()
		runs := 0
		for before := of(); of() == before && runs < 100; runs++ {
			end(.75)
		}
		if runs > 60 {
			t.Errorf("seed %d: three of four that end badly are told after %d runs", seed, runs)
		}
	}
	if told > 1 {
		t.Errorf("in 20 times 300 runs of which a tenth ends badly it is told %d times", told)
	}
}

// A run that is unlike the others in two measures together, each of which is
// ordinary alone, tells which.
func TestUnusualRun(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	r := rand.New(rand.NewPCG(6, 6))
	for range 700 {
		x.ended(r, "a", 1000)
	}
	before := len(x.k.of("unusual_run"))
	s := x.run("a")
	for range 40 {
		s.step(activity.KindTool, "search", 20*time.Millisecond, func(st *activity.Step) { st.Status = activity.StatusError })
	}
	s.step(activity.KindModel, "m", time.Millisecond, func(st *activity.Step) { st.Usage.InputTotal, st.Usage.OutputTotal = 90_000, 1 })
	s.end(false)
	got := x.k.of("unusual_run")
	if before > 3 || len(got) != before+1 || !strings.Contains(got[len(got)-1].Seen, "%") {
		t.Errorf("%d findings before, %d after: %+v", before, len(got), got)
	}
}

// A kind of log line that never came is told when its log was quiet, without its
// text.
func TestNewLog(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	line := func(body string, severity int32) {
		s := x.run("a")
		s.step(activity.KindTool, "search", time.Second, nil)
		x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Run: s.id, Agent: "a", Body: body, Severity: severity, Scope: "orders"})
		s.end(false)
		x.now = x.now.Add(time.Minute)
	}
	for n := range 400 {
		line(fmt.Sprintf("order %d was looked up in %d ms", n, n%40), 9)
	}
	if got := x.k.of("new_log"); len(got) != 0 {
		t.Fatalf("news of what is always said: %+v", got)
	}
	line("cannot reach the secret vault of Alice", 17)
	got := x.k.of("new_log")
	if len(got) != 1 || got[0].Severity != "warning" || !strings.Contains(got[0].Seen, "error") {
		t.Fatalf("%+v", got)
	}
	if all := fmt.Sprintf("%+v", got[0]); strings.Contains(all, "vault") || strings.Contains(all, "Alice") {
		t.Errorf("the finding tells what the line says: %s", all)
	}
	x.wr.Logs = append(x.wr.Logs, activity.LogRecord{Body: "of no run", Severity: 17})
	x.flush()
}

func TestDeepBounded(t *testing.T) {
	t.Parallel()
	x := newWorld(t, nil)
	for n := range maxDeep + 20 {
		a := x.w.agentOf(who{"core", "production", fmt.Sprint("a", n), false})
		a.runs = deepFrom
		if d := x.w.deepOf(a); (d == nil) != (n >= maxDeep) {
			t.Fatalf("agent %d: %v", n, d != nil)
		}
	}
	x.w.clock += int64(2 * time.Hour)
	a := x.w.agentOf(who{"core", "production", "late", false})
	a.runs = deepFrom
	if x.w.deepOf(a) == nil || x.w.deeps != maxDeep {
		t.Errorf("an agent of now finds no place among those long quiet: %d", x.w.deeps)
	}
}
