package decision

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, took []int64, cpu time.Duration, perBatch float64) {
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))]) / 1000 }
	b.ReportMetric(at(0.5), "p50-µs")
	b.ReportMetric(at(0.99), "p99-µs")
	b.ReportMetric(float64(cpu.Microseconds())/float64(len(took)), "cpu-µs/decision")
	b.ReportMetric(perBatch, "decisions/message")
}

// BenchmarkEncode is what a caller pays apart from waiting.
func BenchmarkEncode(b *testing.B) {
	l := Log{o: Options{Now: time.Now}}
	d := sample(rand.New(rand.NewPCG(1, 1)), l.NewID())
	b.ReportAllocs()
	for b.Loop() {
		body, _, err := appendProposed(nil, d, d.User)
		if err != nil || len(body) == 0 {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	l := Log{o: Options{Now: time.Now}}
	d := sample(rand.New(rand.NewPCG(1, 1)), l.NewID())
	body, _, err := appendProposed(nil, d, d.User)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, err := readProposed(body); err != nil {
			b.Fatal(err)
		}
	}
}
