package decision

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/activity"
	"reeve/internal/audit/record"
	"reeve/internal/bus"
	"reeve/internal/fault"
)

func readShelf(t *testing.T, s *shelf, from int64) []string {
	t.Helper()
	var out []string
	if err := s.read(from, func(it item) error { out = append(out, fmt.Sprint(it.seq, " ", string(it.data))); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func items(seqs ...int64) (out []item) {
	for _, n := range seqs {
		out = append(out, item{n, fmt.Appendf(nil, "entry %d", n)})
	}
	return out
}

func texts(seqs ...int64) (out []string) {
	for _, n := range seqs {
		out = append(out, fmt.Sprintf("%d entry %d", n, n))
	}
	return out
}

func TestShelf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := openShelf(dir, shelfEnd{File: -1})
	if err != nil {
		t.Fatal(err)
	}
	put := func(seqs ...int64) {
		t.Helper()
		if err := s.append(items(seqs...), nil); err != nil {
			t.Fatal(err)
		}
	}
	same := func(from int64, want ...int64) {
		t.Helper()
		if diff := cmp.Diff(texts(want...), readShelf(t, s, from)); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", from, diff)
		}
	}
	put(0, 1, 5, fileSpan-1, fileSpan, fileSpan+1)
	put(fileSpan + 7)
	same(0, 0, 1, 5, fileSpan-1, fileSpan, fileSpan+1, fileSpan+7)
	same(6, fileSpan-1, fileSpan, fileSpan+1, fileSpan+7)
	same(fileSpan+2, fileSpan+7)
	end, err := s.sync()
	if err != nil {
		t.Fatal(err)
	}
	put(fileSpan+8, 2*fileSpan) // never committed
	same(fileSpan+8, fileSpan+8, 2*fileSpan)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if s, err = openShelf(dir, end); err != nil {
		t.Fatal(err)
	}
	same(fileSpan+1, fileSpan+1, fileSpan+7)
	put(fileSpan+8, 2*fileSpan, 3*fileSpan)
	if err := s.cut(end); err != nil {
		t.Fatal(err)
	}
	same(fileSpan+1, fileSpan+1, fileSpan+7)
	put(fileSpan+9, 2*fileSpan)
	same(0, 0, 1, 5, fileSpan-1, fileSpan, fileSpan+1, fileSpan+7, fileSpan+9, 2*fileSpan)
	erased, err := s.erase(func(it item) bool { return it.seq == 5 || it.seq == 2*fileSpan })
	if diff := cmp.Diff([]int64{5, 2 * fileSpan}, erased); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	put(2*fileSpan + 1)
	same(0, 0, 1, fileSpan-1, fileSpan, fileSpan+1, fileSpan+7, fileSpan+9, 2*fileSpan+1)
	if first, err := s.drop(2 * fileSpan); err != nil || first != 2*fileSpan {
		t.Errorf("dropped to %d, %v", first, err)
	}
	same(0, 2*fileSpan+1)
	if end, err = s.sync(); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path(2 * fileSpan)); err != nil {
		t.Fatal(err)
	}
	if _, err := openShelf(dir, end); fault.From(err).Code != "decision.archive_lost" {
		t.Errorf("without its newest file: %v", err)
	}
}

func TestDamagedBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := openShelf(dir, shelfEnd{File: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.append(items(0, 1, 2), nil); err != nil {
		t.Fatal(err)
	}
	end, err := s.sync()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x40
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(s.path(0))), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := openShelf(dir, end)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = again.read(0, func(it item) error { got = append(got, fmt.Sprint(it.seq, " ", string(it.data))); return nil })
		if err == nil && cmp.Equal(got, texts(0, 1, 2)) {
			t.Errorf("byte %d changed and nobody saw it", i)
		}
	}
}

func FuzzBlock(f *testing.F) {
	s, err := openShelf(f.TempDir(), shelfEnd{File: -1})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.append(items(7, 8, 11), nil); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(s.path(0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[:blockHeader], whole[blockHeader:])
	f.Fuzz(func(t *testing.T, h, packed []byte) {
		if len(h) < blockHeader {
			return
		}
		_, _ = unpackBlock(h, packed)
	})
}

// A log is read the same from memory, from the stream and from the archive.
func TestEachFromEverywhere(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	dir := t.TempDir()
	l, stop := running(t, b.Decisions(), dir)
	r := rand.New(rand.NewPCG(21, 1))
	var want []activity.Decision
	for i := range 300 {
		d := sample(r, l.NewID())
		d.At = time.Now().UnixNano() / 1000 * 1000
		if err := l.Propose(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if i != 150 {
			end(r, d)
			l.Complete(d)
		}
		want = append(want, *d)
	}
	all := func(l *Log) (out []activity.Decision) {
		t.Helper()
		err := l.Each(t.Context(), time.Unix(0, want[10].At), time.Unix(0, want[290].At), func(d *activity.Decision) error {
			out = append(out, *d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	check := func(name string, got []activity.Decision, unknown activity.Result) {
		t.Helper()
		want := append([]activity.Decision(nil), want[10:290]...)
		for i := range min(len(want), len(got)) {
			got[i].Seq, got[i].EndSeq, got[i].Node = activity.Unknown, activity.Unknown, ""
			if strings.HasPrefix(got[i].User, userPrefix) {
				want[i].User = got[i].User
			}
		}
		if unknown == activity.ResultUnknown {
			d := &want[140]
			got140 := got[140]
			d.Result, d.ErrorCode, d.Completed = activity.ResultUnknown, "decision.crashed", got140.Completed
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", name, diff)
		}
	}
	l.barrier(t)
	check("from memory", all(l), activity.ResultPending)
	l.ring.mu.Lock()
	l.ring.chunks = nil
	l.ring.mu.Unlock()
	check("from stream or archive", all(l), activity.ResultPending)
	stop()
	l.ring.chunks = nil
	check("from the archive", all(l), activity.ResultPending)
	if st, err := b.Decisions().Stats(t.Context()); err != nil || st.Messages != 0 {
		t.Errorf("the stream still has %d messages, %v", st.Messages, err)
	}
	l, stop = running(t, b.Decisions(), dir)
	l.barrier(t)
	check("after a restart", all(l), activity.ResultUnknown)
	stop()
	var some error = errors.New("enough")
	if err := l.Each(t.Context(), time.Time{}, time.Now(), func(*activity.Decision) error { return some }); !errors.Is(err, some) {
		t.Errorf("an error of the caller gives %v", err)
	}
}

// barrier waits until all that was pushed is written.
func (l *Log) barrier(t *testing.T) {
	t.Helper()
	e := &entry{kind: KindAlive, body: []byte("{}"), done: make(chan error, 1)}
	l.push(e)
	if err := <-e.done; err != nil {
		t.Fatal(err)
	}
}

// The keeper that cannot write leaves decisions alone and goes on later.
func TestArchiveThatFails(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	fail := errors.New("no tree today")
	failing := true
	o := Options{Stream: b.Decisions(), Dir: t.TempDir(), Install: "ins", Node: "n1"}
	o.Tree = treeFunc(func() error {
		if failing {
			return fail
		}
		return nil
	})
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.run(ctx) }()
	r := rand.New(rand.NewPCG(22, 1))
	for range 5 {
		if err := l.Propose(t.Context(), sample(r, l.NewID())); err != nil {
			t.Fatal(err)
		}
		if err := l.keepAll(t.Context()); !errors.Is(err, fail) {
			t.Fatalf("keeping: %v", err)
		}
	}
	failing = false
	if err := l.keepAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	l.ring.chunks = nil
	if got := outcomes(t, chain(t, l)); len(got) != 5 {
		t.Errorf("%d decisions", len(got))
	}
}

// treeFunc is a tree whose appends do as it says.
type treeFunc func() error

func (f treeFunc) Size() int64                       { return 0 }
func (f treeFunc) Append(int64, []record.Hash) error { return f() }
func (f treeFunc) Sign() error                       { return nil }
func (f treeFunc) Sync(int64) error                  { return nil }

// What is open is noted before a batch can be archived: a state that is older than
// the records it is saved with would end decisions twice after a crash, and others
// never.
func TestOpenIsNeverOlderThanWhatIsKept(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), Options{Stream: openBus(t, bus.Options{}).Decisions(), Dir: t.TempDir(), Install: "ins", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	d := sample(r, l.NewID())
	d.Result = activity.ResultPending
	proposed := make(chan error, 1)
	go func() { proposed <- l.Propose(t.Context(), d) }()
	var batch []*entry
	for len(batch) == 0 {
		runtime.Gosched()
		batch = l.take()
	}
	l.mu.Lock()
	wrote := make(chan error, 1)
	go func() { wrote <- l.write(t.Context(), batch) }()
	for deadline := time.After(100 * time.Millisecond); ; {
		l.ring.mu.Lock()
		head := l.ring.head
		l.ring.mu.Unlock()
		if head > 0 {
			t.Error("the batch can be kept, and what it opened is not known")
			break
		}
		select {
		case <-deadline:
		default:
			continue
		}
		break
	}
	l.mu.Unlock()
	if err := errors.Join(<-wrote, <-proposed); err != nil {
		t.Fatal(err)
	}
	if _, open := l.openNow()[d.ID]; !open {
		t.Error("what was proposed is not open")
	}
}
