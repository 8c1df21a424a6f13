package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/price"
	"reeve/internal/telemetry"
)

// sink is a store that forgets.
type sink struct{ telemetry.Store }

func (sink) Append(context.Context, *telemetry.Write) error { return nil }
func (sink) HasRun(activity.RunID) bool                     { return false }

// load encodes spans as agents send them: many runs at a time, about ten steps
// a run, every other one a model call that resends its history. extra is the
// size of the content at the end of a run.
func load(runs, steps, extra int) (envelopes [][]byte, spans int) {
	attrs := make([]byte, 0, 1200)
	for i := range 22 {
		kv := fmt.Sprintf("\x0a\x0fsome.attribute%x\x12\x12\x0a\x10value %010d", i%16, i)
		attrs = append(append(attrs, 0x0a, byte(len(kv))), kv...)
	}
	resource := attrs[:300]
	word := strings.Repeat("word ", max(extra, 1)/5/10)
	const wave = 64 // runs at a time
	for first := 0; first < runs; first += wave {
		histories := make([]string, wave)
		for n := range steps {
			b := batchOf()
			for k := range wave {
				run := first + k
				id := run*100 + n
				parent := run * 100
				kind := activity.KindModel
				switch {
				case n == 0:
					parent, kind = -1, activity.KindAgent
				case n%2 == 0:
					kind = activity.KindTool
				}
				f := span1(run, id, parent, kind)
				f.Agent, f.AgentExplicit, f.Session, f.User = "agent-"+strconv.Itoa(run%300), true, "conv-"+strconv.Itoa(run), "user-"+strconv.Itoa(run%5000)
				f.Start = start0 + int64(first)*1e6
				f.End = f.Start + int64(run%977)*1e6
				f.Attributes, f.Resource = attrs, resource
				if kind == activity.KindModel {
					f.Usage = activity.Usage{InputTotal: 1000, CacheRead: 100, CacheWrite: activity.Unknown, OutputTotal: 50, Reasoning: activity.Unknown}
				} else {
					f.ToolName = "lookup_order"
				}
				if extra > 0 && kind == activity.KindModel {
					answer := fmt.Sprintf(`{"role":"assistant","content":"%d %d %s"}`, run, n, word)
					histories[k] = strings.TrimPrefix(histories[k]+fmt.Sprintf(`,{"role":"user","content":"%d %d %s"}`, run, n, word), ",")
					f.Contents = []activity.Content{
						{Field: activity.ContentInput, Format: "openai.messages", From: "gen_ai.input.messages", Raw: []byte("[" + histories[k] + "]")},
						{Field: activity.ContentOutput, Format: "openai.messages", From: "gen_ai.output.messages", Raw: []byte("[" + answer + "]")},
					}
					histories[k] += "," + answer
				}
				b.Fragments = append(b.Fragments, f)
				spans++
			}
			envelopes = append(envelopes, activity.AppendBatch(nil, b))
		}
	}
	return envelopes, spans
}

func benchmarkFold(b *testing.B, runs, extra int) {
	book, err := price.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	envelopes, spans := load(runs, 10, extra)
	var size int
	for _, e := range envelopes {
		size += len(e)
	}
	r, err := New(Options{Log: newTape(), Store: sink{}, HashKey: make([]byte, 32), Prices: book})
	if err != nil {
		b.Fatal(err)
	}
	play := func() {
		for i, e := range envelopes {
			if err := r.handle(b.Context(), uint64(i+1), time.Unix(0, start0), [][]byte{e}); err != nil {
				b.Fatal(err)
			}
			if r.cur.full(&r.o) {
				r.commit(b.Context(), true)
			}
		}
		r.commit(b.Context(), true)
		// The same spans again must be new ones: all but the buffers is forgotten.
		r.runs, r.last, r.active, r.seq = make(map[activity.RunID]*live), nil, list{}, 0
		r.rows, r.dirty = rowQueue{}, nil
		r.contents = newSeen[[16]byte](64 << 10)
	}
	play()
	r.stats = Stats{}
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu()
	for b.Loop() {
		play()
	}
	if got := r.stats.Steps; got != int64(spans)*int64(b.N) {
		b.Fatalf("%d steps, want %d", got, spans*b.N)
	}
	if extra > 0 {
		b.ReportMetric(float64(r.stats.StoredBytes)/float64(r.stats.Steps), "content-B/span")
	}
	// Processor time, collector included: the machine may have other work.
	b.ReportMetric(float64((cpu()-began).Nanoseconds())/1e3/float64(r.stats.Steps), "cpu-µs/span")
	b.ReportMetric(float64(size)/float64(spans), "B/span")
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkFold(b *testing.B)        { benchmarkFold(b, 64*64, 0) }
func BenchmarkFoldContent(b *testing.B) { benchmarkFold(b, 64*64, 600) }
func BenchmarkFoldHistory(b *testing.B) { benchmarkFold(b, 64*16, 30_000) }

// TestMemoryOfLiveRuns holds what a stored run of ten steps takes.
func TestMemoryOfLiveRuns(t *testing.T) {
	envelopes, spans := load(64*128, 10, 0)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := New(Options{Log: newTape(), Store: sink{}, HashKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range envelopes {
		if err := r.handle(t.Context(), uint64(i+1), time.Unix(0, start0), [][]byte{e}); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 {
			r.commit(t.Context(), true)
		}
	}
	r.commit(t.Context(), true)
	r.spare = nil
	r.cur = r.begin()
	r.held = held{}
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	runs := len(r.runs)
	if os.Getenv("REEVE_BENCH") != "" || testing.Verbose() {
		t.Logf("%d B a run, %d B a step; estimate %d B a run", used/int64(runs), used/int64(spans), r.bytes/int64(runs))
	}
	if limit := int64(3000); used/int64(runs) > limit {
		t.Errorf("a live run of ten steps takes %d B, limit %d", used/int64(runs), limit)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(envelopes)
}
