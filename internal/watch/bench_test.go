package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// BenchmarkObserve measures what a step costs in writes of the size that a busy
// server makes: 100 agents, 2,000 steps a write.
func BenchmarkObserve(b *testing.B) {
	x := newWorld(b, nil)
	agents := make([]string, 100)
	for i := range agents {
		agents[i] = fmt.Sprintf("agent-%d", i)
		x.usual(agents[i], 30)
	}
	var writes []telemetry.Write
	for range 8 {
		for i := range 500 {
			r := x.run(agents[i%100])
			r.step(activity.KindModel, "gpt-4o", time.Millisecond, usage(800, 120, 2e6))
			r.step(activity.KindTool, "search_orders", time.Millisecond, args(1))
			r.step(activity.KindTool, "get_customer", time.Millisecond, args(2))
			r.step(activity.KindModel, "gpt-4o", time.Millisecond, usage(1000, 160, 2e6))
			x.wr.Runs = append(x.wr.Runs, activity.Run{ID: r.id, Status: activity.RunDone})
		}
		x.wr.Received = x.now.UnixNano()
		writes = append(writes, x.wr)
		x.wr = telemetry.Write{}
	}
	b.ResetTimer()
	n := 0
	for b.Loop() {
		w := &writes[n%len(writes)]
		// Other runs each time: the same would be known.
		for i := range w.Steps {
			w.Steps[i].Run[0], w.Steps[i].Step[0], w.Steps[i].Run[1], w.Steps[i].Step[1] = byte(n), byte(n), byte(n>>8)+1, byte(n>>8)+1
		}
		for i := range w.Runs {
			w.Runs[i].ID[0], w.Runs[i].ID[1] = byte(n), byte(n>>8)+1
		}
		n++
		x.w.Observe(w)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/step")
}

// BenchmarkSave writes 200 agents of which whole runs are known: the most that there are.
func BenchmarkSave(b *testing.B) {
	file := filepath.Join(b.TempDir(), "watch")
	x := newWorld(b, func(o *Options) { o.File = file })
	r := rand.New(rand.NewPCG(5, 5))
	for range 700 {
		for a := range 4 {
			x.ended(r, fmt.Sprint("a", a), 1000)
		}
	}
	for a := range maxDeep - 4 {
		k := x.w.agents[who{"core", "production", fmt.Sprint("a", a%4), false}].keep()
		k.Name = fmt.Sprint("b", a)
		one := k.agent()
		if !x.w.restoreDeep(one, k.Deep) {
			b.Fatal("it does not fit")
		}
		x.w.agents[one.who] = one
	}
	for b.Loop() {
		x.w.dirty, x.w.savedAt = true, 0
		x.w.save()
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/maxDeep, "B/agent")
}
