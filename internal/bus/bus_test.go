package bus

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
)

func openTest(t testing.TB, o Options) *Bus {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

var errDone = errors.New("seen enough")

// readAll reads from a stream until it saw its last message.
func readAll(t testing.TB, s *Stream, from uint64) (payloads []string, seqs []uint64) {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Messages == 0 || from > st.LastSeq {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = s.Read(ctx, from, func(seq uint64, received time.Time, list [][]byte) error {
		if since := time.Since(received); since < 0 || since > 10*time.Minute {
			t.Errorf("message %d was received %v ago", seq, since)
		}
		for _, p := range list {
			payloads = append(payloads, string(p))
		}
		seqs = append(seqs, seq)
		if seq == st.LastSeq {
			return errDone
		}
		return nil
	})
	if !errors.Is(err, errDone) {
		t.Fatalf("Read: %v", err)
	}
	return payloads, seqs
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestPublishGathersAndReadsInOrder(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{})
	const publishers, each = 32, 50
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			var last uint64
			for i := range each {
				seq, err := b.Activity().Publish(t.Context(), fmt.Appendf(nil, "%02d/%03d", p, i))
				if err != nil {
					t.Errorf("Publish: %v", err)
					return
				}
				if seq <= last {
					t.Errorf("publisher %d got sequence %d after %d", p, seq, last)
				}
				last = seq
			}
		})
	}
	wg.Wait()
	got, seqs := readAll(t, b.Activity(), 0)
	next := map[string]int{}
	for _, p := range got {
		who, n, _ := strings.Cut(p, "/")
		if want := fmt.Sprintf("%03d", next[who]); n != want {
			t.Errorf("publisher %s: got %s, want %s", who, n, want)
		}
		next[who]++
	}
	if len(got) != publishers*each {
		t.Errorf("read %d payloads, want %d", len(got), publishers*each)
	}
	if len(seqs) >= publishers*each/2 {
		t.Errorf("%d payloads took %d messages; concurrent ones should share", publishers*each, len(seqs))
	}
}

func TestLargeAndSmallTogether(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 40 {
		p := make([]byte, []int{0, 10, gatherBelow - 1, gatherBelow, 500_000}[i%5])
		for j := range p {
			p[j] = byte(rnd.Uint32())
		}
		p = fmt.Appendf(p, "#%d", i)
		want[string(p)] = true
		wg.Go(func() {
			if _, err := b.Activity().Publish(t.Context(), p); err != nil {
				t.Errorf("Publish: %v", err)
			}
		})
	}
	wg.Wait()
	got, _ := readAll(t, b.Activity(), 1)
	for _, p := range got {
		if !want[p] {
			t.Errorf("unexpected payload of %d bytes", len(p))
		}
		delete(want, p)
	}
	if len(want) > 0 {
		t.Errorf("%d payloads are missing", len(want))
	}
}

func TestDeleteThrough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openTest(t, Options{Dir: dir})
	s := b.Activity()
	for i := 1; i <= 10; i++ {
		publish(t, s, fmt.Sprint(i))
	}
	deleteThrough := func(seq uint64) {
		t.Helper()
		if err := s.DeleteThrough(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	deleteThrough(0)
	deleteThrough(7)
	got, _ := readAll(t, s, 3)
	if diff := cmp.Diff([]string{"8", "9", "10"}, got); diff != "" {
		t.Errorf("after deleting through 7 (-want +got):\n%s", diff)
	}
	deleteThrough(10)
	if seq := publish(t, s, "11"); seq != 11 {
		t.Errorf("after deleting all, got sequence %d, want 11", seq)
	}
	// A cursor beyond the end: the log lost its tail, the store did not.
	deleteThrough(100)
	if seq := publish(t, s, "101"); seq != 101 {
		t.Errorf("after deleting through 100, got sequence %d, want 101", seq)
	}
	deleteThrough(101)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, Options{Dir: dir}).Activity()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Messages != 0 || st.LastSeq != 101 || st.FirstSeq != 102 {
		t.Errorf("after a restart: %+v, want no message, last 101, first 102", st)
	}
}

func publish(t testing.TB, s *Stream, data string) uint64 {
	t.Helper()
	seq, err := s.Publish(t.Context(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestReadFollowsAndEnds(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	seen := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- b.Decisions().Read(ctx, 0, func(_ uint64, _ time.Time, list [][]byte) error {
			seen <- string(list[0])
			return nil
		})
	}()
	for i := range 3 {
		want := fmt.Sprint(i)
		publish(t, b.Decisions(), want)
		if got := <-seen; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	cancel(errDone)
	if err := <-done; !errors.Is(err, errDone) {
		t.Errorf("Read ended with %v, want the context's cause", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	t.Run("full quota", func(t *testing.T) {
		t.Parallel()
		b := openTest(t, Options{ActivityBytes: 1 << 20})
		var err error
		stored := 0
		for err == nil {
			if _, err = b.Activity().Publish(t.Context(), noise[:200<<10]); err == nil {
				stored++
			}
		}
		if code(err) != "bus.full" || !fault.Is(err, fault.KindExhausted) {
			t.Errorf("got %v, want bus.full", err)
		}
		if got, _ := readAll(t, b.Activity(), 0); len(got) != stored {
			t.Errorf("read %d, want the %d acknowledged: a full log must drop nothing", len(got), stored)
		}
		publish(t, b.Decisions(), "decisions have a quota of their own")
		if err := b.Activity().DeleteThrough(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		publish(t, b.Activity(), "there is room again")
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		b := openTest(t, Options{MaxPayload: 1 << 20})
		if _, err := b.Activity().Publish(t.Context(), noise); code(err) != "bus.too_large" {
			t.Errorf("got %v, want bus.too_large", err)
		}
		if _, err := b.Activity().Publish(t.Context(), make([]byte, maxRaw+1)); code(err) != "bus.too_large" {
			t.Errorf("got %v, want bus.too_large", err)
		}
		// What counts is the size after compression.
		publish(t, b.Activity(), string(bytes.Repeat([]byte("x"), 3<<20)))
	})
	t.Run("disk nearly full", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		free := uint64(100 << 20)
		b := openTest(t, Options{FreeFunc: func(string) (uint64, error) {
			mu.Lock()
			defer mu.Unlock()
			return free, nil
		}})
		if _, err := b.Activity().Publish(t.Context(), []byte("x")); code(err) != "bus.disk_full" {
			t.Errorf("activity with 100 MB free: got %v, want bus.disk_full", err)
		}
		if err := b.Activity().Room(); code(err) != "bus.disk_full" {
			t.Errorf("room of activity with 100 MB free: got %v, want bus.disk_full", err)
		}
		if err := b.Decisions().Room(); err != nil {
			t.Errorf("room of decisions with 100 MB free: %v", err)
		}
		if err := b.Events().Publish(t.Context(), Event{Type: "x"}); code(err) != "bus.disk_full" {
			t.Errorf("events with 100 MB free: got %v, want bus.disk_full", err)
		}
		publish(t, b.Decisions(), "decisions go on")
		mu.Lock()
		free = 1 << 20
		mu.Unlock()
		if _, err := b.Decisions().Publish(t.Context(), []byte("x")); code(err) != "bus.disk_full" {
			t.Errorf("decisions with 1 MB free: got %v, want bus.disk_full", err)
		}
		mu.Lock()
		free = 1 << 40
		mu.Unlock()
		publish(t, b.Activity(), "it goes on by itself")
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		b := openTest(t, Options{})
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, gatherBelow} {
			if _, err := b.Activity().Publish(t.Context(), noise[:size]); code(err) != "bus.closed" {
				t.Errorf("%d bytes: got %v, want bus.closed", size, err)
			}
		}
		if err := b.Activity().Read(t.Context(), 0, nil); code(err) != "bus.closed" {
			t.Errorf("Read: got %v, want bus.closed", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		b := openTest(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Activity().Publish(ctx, noise[:gatherBelow]); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("second process", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		openTest(t, Options{Dir: dir})
		// flock binds an open file, so a second Open here stands for a second process.
		_, err := Open(t.Context(), Options{Dir: dir})
		if code(err) != "bus.locked" || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
			t.Errorf("got %v, want bus.locked with the pid", err)
		}
	})
	t.Run("folder is a file", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{Dir: dir}); code(err) != "bus.folder" {
			t.Errorf("got %v, want bus.folder", err)
		}
	})
	t.Run("read-only folder", func(t *testing.T) {
		t.Parallel()
		if os.Getuid() == 0 {
			t.Skip("root may write everywhere")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{Dir: dir}); code(err) != "bus.read_only" {
			t.Errorf("got %v, want bus.read_only", err)
		}
	})
	t.Run("options", func(t *testing.T) {
		t.Parallel()
		for _, o := range []Options{{}, {Dir: "x", Durability: "hope"}, {Dir: "x", MaxPayload: 12}} {
			if _, err := Open(t.Context(), o); code(err) != "bus.options" {
				t.Errorf("%+v: got %v, want bus.options", o, err)
			}
		}
	})
}

func TestDurabilityDisk(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{Durability: DurabilityDisk})
	publish(t, b.Decisions(), "synced")
	if got, _ := readAll(t, b.Decisions(), 0); !cmp.Equal(got, []string{"synced"}) {
		t.Errorf("got %q", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{EventsBytes: 1 << 20})
	e := b.Events()
	list := []Event{{Type: "a", ID: "1"}, {Type: "b", ID: "2", Data: []byte(`{"x":1}`)}, {Type: "c"}}
	if err := e.Publish(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	last, err := e.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := uint64(0)
	for n := range list {
		var got []Event
		var first uint64
		err := e.Read(t.Context(), after, func(pos uint64, _ time.Time, ev Event) error {
			if got = append(got, ev); first == 0 {
				first = pos
			}
			if pos <= after || pos > last {
				t.Errorf("position %d is not between %d and %d", pos, after, last)
			}
			if len(got) == len(list)-n {
				return errDone
			}
			return nil
		})
		if !errors.Is(err, errDone) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list[n:], got); diff != "" {
			t.Errorf("after position %d (-want +got):\n%s", after, diff)
		}
		after = first
	}
	if err := e.Read(t.Context(), last+1, nil); !errors.Is(err, ErrTooOld) {
		t.Errorf("a position of another log: got %v, want ErrTooOld", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 50<<10)
	for range 40 {
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		big := Event{Type: "big", Data: fmt.Appendf(nil, "%q", hex.EncodeToString(noise))}
		if err := e.Publish(t.Context(), big); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Read(t.Context(), last, nil); !errors.Is(err, ErrTooOld) {
		t.Errorf("a position whose successors were dropped: got %v, want ErrTooOld", err)
	}
}

// While nobody reads, events may be left out; whoever comes back to before that must
// load anew, and whoever begins behind it misses nothing.
func TestSkippedEvents(t *testing.T) {
	t.Parallel()
	e := openTest(t, Options{}).Events()
	long := func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked = time.Now().Add(-followFor - time.Second)
	}
	skip := func(want bool) {
		t.Helper()
		if got, err := e.Skip(t.Context()); err != nil || got != want {
			t.Fatalf("skip: got %v, %v, want %v", got, err, want)
		}
	}
	last := func() uint64 {
		t.Helper()
		n, err := e.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	read := func(after uint64) (got string, err error) {
		err = e.Read(t.Context(), after, func(_ uint64, _ time.Time, ev Event) error {
			got = ev.Type
			skip(false) // somebody reads
			return errDone
		})
		return got, err
	}
	skip(true) // nobody ever read
	before := last()
	for episode := range 2 {
		skip(false) // somebody is about to read
		long()
		skip(true)
		skip(true)
		if got, err := read(before); !errors.Is(err, ErrTooOld) {
			t.Errorf("episode %d: reading from before what was left out: got %q, %v, want ErrTooOld", episode, got, err)
		}
		before = last()
		if err := e.Publish(t.Context(), Event{Type: "run.updated"}); err != nil {
			t.Fatal(err)
		}
		if got, err := read(before); !errors.Is(err, errDone) || got != "run.updated" {
			t.Errorf("episode %d: reading from behind it: got %q, %v", episode, got, err)
		}
		before = last()
	}
}

func TestTopic(t *testing.T) {
	t.Parallel()
	b := openTest(t, Options{})
	type notice struct{ N int }
	topic := NewTopic[notice](b, "test.notice")
	ctx, cancel := context.WithCancelCause(t.Context())
	ready, got, done := make(chan struct{}), make(chan notice, 10), make(chan error, 1)
	go func() {
		done <- topic.Subscribe(ctx, func() { close(ready) }, func(n notice) { got <- n })
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	for i := range 10 {
		if err := topic.Publish(notice{i}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if n := <-got; n.N != i {
			t.Errorf("got notice %d, want %d", n.N, i)
		}
	}
	cancel(errDone)
	if err := <-done; !errors.Is(err, errDone) {
		t.Errorf("Subscribe ended with %v, want the context's cause", err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte{formAlone, 0})
	f.Add([]byte{formGathered, 4, 12, 2, 'h', 'i', 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, msg []byte) {
		if n := len(msg); n > 1<<16 {
			t.Skip()
		}
		_, payloads, err := unpack(msg, nil, nil)
		if err != nil && code(err) != "bus.corrupt" {
			t.Errorf("unpack(%x): %v", msg, err)
		}
		_ = payloads
	})
}
