package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// spanLike is about n bytes that compress as batches of spans do (some 4:1).
func spanLike(n int, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, `gen_ai.operation.name=chat gen_ai.request.model=model-%d trace=%016x%016x span=%016x input_tokens=%d the customer asks about order %d;`,
			rnd.IntN(5), rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.IntN(5000), rnd.IntN(100_000))
	}
	return b[:n]
}

// residentMB is what the system holds in memory for this process; 0 where it
// cannot be asked.
func residentMB() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}

// BenchmarkPublish490kB is the activity log at work: batches of 490 kB from
// two senders, a reader, and deletion behind it.
func BenchmarkPublish490kB(b *testing.B) {
	bus := openTest(b, Options{})
	var batches [16][]byte
	for i := range batches {
		batches[i] = spanLike(490_000, uint64(i))
	}
	runtime.GC()
	ctx, cancel := context.WithCancelCause(b.Context())
	read := make(chan error, 1)
	go func() {
		read <- bus.Activity().Read(ctx, 0, func(seq uint64, _ time.Time, _ [][]byte) error {
			if seq%64 == 0 {
				return bus.Activity().DeleteThrough(ctx, seq)
			}
			return nil
		})
	}()
	b.SetBytes(490_000)
	var n atomic.Uint64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bus.Activity().Publish(ctx, batches[n.Add(1)%16]); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	st, err := bus.Activity().Stats(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(st.Bytes)/float64(max(st.Messages, 1)), "stored_B/message")
	b.ReportMetric(residentMB(), "RSS_MB")
	cancel(errDone)
	if err := <-read; !errors.Is(err, errDone) {
		b.Error(err)
	}
}

// BenchmarkPublish600B is decision records from many calls at once.
func BenchmarkPublish600B(b *testing.B) {
	for _, d := range []Durability{DurabilityProcess, DurabilityDisk} {
		b.Run(string(d), func(b *testing.B) {
			bus := openTest(b, Options{Durability: d})
			record := spanLike(600, 1)
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := bus.Decisions().Publish(b.Context(), record); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			st, err := bus.Decisions().Stats(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/float64(st.Messages), "payloads/message")
		})
	}
}

// BenchmarkPublishOne is the latency of a lonely small record.
func BenchmarkPublishOne(b *testing.B) {
	bus := openTest(b, Options{})
	record := spanLike(600, 1)
	for b.Loop() {
		if _, err := bus.Decisions().Publish(b.Context(), record); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecisionBesideActivity is the latency of a decision record while
// telemetry fills the other stream as fast as it goes.
func BenchmarkDecisionBesideActivity(b *testing.B) {
	bus := openTest(b, Options{ActivityBytes: 256 << 20})
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		batch := spanLike(490_000, 3)
		for ctx.Err() == nil {
			seq, err := bus.Activity().Publish(ctx, batch)
			if err == nil && seq%64 == 0 {
				err = bus.Activity().DeleteThrough(ctx, seq)
			}
			if err != nil && ctx.Err() == nil {
				b.Error(err)
				return
			}
		}
	})
	record := spanLike(600, 1)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := bus.Decisions().Publish(ctx, record); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	cancel()
	wg.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50_µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99_µs")
}
