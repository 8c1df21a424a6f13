package stop

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// brittle is raiser while broken is false: a database that refuses.
type brittle struct {
	raiser
	broken *atomic.Bool
	raised *atomic.Int64
}

func (r brittle) Raise(ctx context.Context, tx *control.Tx, name string) (int, error) {
	if r.broken.Load() {
		return 0, errors.New("the disk is full")
	}
	r.raised.Add(1)
	return r.raiser.Raise(ctx, tx, name)
}

// A stop cuts and refuses while somebody else has the database, and answers once
// the database has it.
func TestAStopDoesNotWaitForTheDatabase(t *testing.T) {
	t.Parallel()
	journal := filepath.Join(t.TempDir(), "stops")
	b, db := open(t, func(o *Options) { o.Journal = journal })
	ctx, leave, err := b.Enter(t.Context(), full())
	if err != nil {
		t.Fatal(err)
	}
	taken, release, wrote := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		wrote <- db.Write(t.Context(), func(*control.Tx) error {
			close(taken)
			<-release
			return nil
		})
	}()
	<-taken
	answered := make(chan error, 1)
	go func() {
		_, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindAgent, Value: "refund-agent"}, "now", time.Time{})
		answered <- err
	}()
	<-ctx.Done() // cut, though the database is somebody else's
	leave()
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("the next call: %v", err)
	}
	select {
	case err := <-answered:
		t.Errorf("it was answered before it was stored: %v", err)
	default:
	}
	if held, err := os.ReadFile(journal); err != nil || !bytes.Contains(held, []byte("refund-agent")) {
		t.Errorf("the journal does not have it: %v", err)
	}
	close(release)
	if err := errors.Join(<-answered, <-wrote); err != nil {
		t.Fatal(err)
	}
	if _, left, err := openJournal(journal); err != nil || len(left) != 0 {
		t.Errorf("the journal still has %d, %v", len(left), err)
	}
	if list, err := b.List(t.Context(), true, 0); err != nil || len(list) != 1 {
		t.Errorf("stored: %+v, %v", list, err)
	}
}

// A process that ends after a stop began to hold and before the database had it
// leaves it to the next one: in force, stored once, with the agent's credentials
// dead.
func TestAStopOutlivesTheProcessThatBeganIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal, file := filepath.Join(dir, "stops"), filepath.Join(dir, "control.db")
	var broken atomic.Bool
	var raised atomic.Int64
	start := func() *Board {
		b, err := New(t.Context(), Options{DB: openDB(t, file), Node: "node-1", Agents: brittle{raiser{"refund-agent"}, &broken, &raised}, Journal: journal})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := start()
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindAgent, Value: "refund-agent"}, "now", time.Time{})
	if code(err) != "stop.not_stored" || !strings.Contains(err.Error()+hintOf(err), "over a restart") {
		t.Fatalf("Stop: %+v, %v", st, err)
	}
	broken.Store(true) // nor does the next one's database take it at once
	b = start()
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("before it is stored: %v", err)
	}
	if list, err := b.List(t.Context(), true, 0); err != nil || len(list) != 1 || list[0].ID != st.ID || list[0].Receipt == nil {
		t.Errorf("it is not listed: %+v, %v", list, err)
	}
	broken.Store(false)
	b.tick(t.Context())
	for range 2 {
		got, err := b.Get(t.Context(), st.ID)
		if err != nil || got.By != "ada" || got.Reason != "now" || got.Receipt == nil || got.Receipt.CredentialsRevoked != 2 || !got.CreatedAt.Equal(st.CreatedAt) {
			t.Errorf("stored: %+v, %v", got, err)
		}
		if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
			t.Errorf("afterwards: %v", err)
		}
		if all := b.stops.Load().all; len(all) != 1 || len(b.waiting()) != 0 {
			t.Errorf("in force: %d, waiting: %d", len(all), len(b.waiting()))
		}
		b = start()
	}
	if n := raised.Load(); n != 1 {
		t.Errorf("credentials were killed %d times", n)
	}
}

// A stop that the database has is not stored again when it was not taken out of
// the journal, and one that was lifted since stays lifted.
func TestAJournalThatIsBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal, file := filepath.Join(dir, "stops"), filepath.Join(dir, "control.db")
	start := func() *Board {
		b, err := New(t.Context(), Options{DB: openDB(t, file), Node: "node-1", Agents: raiser{"refund-agent"}, Journal: journal})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := start()
	st := stopIt(t, b, KindAgent, "refund-agent")
	for _, lifted := range []bool{false, true} {
		if lifted {
			if _, err := b.Lift(t.Context(), "ada", st.ID, "over"); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.journal.put(&st); err != nil {
			t.Fatal(err)
		}
		b = start()
		_, leave, err := b.Enter(t.Context(), full())
		if lifted != (err == nil) {
			t.Errorf("lifted %v: %v", lifted, err)
		}
		if err == nil {
			leave()
		}
		if len(b.journal.used) != 0 {
			t.Errorf("the journal keeps %v", b.journal.used)
		}
	}
}

// One that could not be stored can be lifted; its agent's credentials are dead all
// the same.
func TestLiftWhatIsNotStored(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	var raised atomic.Int64
	b, _ := open(t, func(o *Options) {
		o.Agents = brittle{raiser{"refund-agent"}, &broken, &raised}
		o.Journal = filepath.Join(t.TempDir(), "stops")
	})
	broken.Store(true)
	st, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindAgent, Value: "refund-agent"}, "now", time.Time{})
	if code(err) != "stop.not_stored" {
		t.Fatal(err)
	}
	if list, err := b.List(t.Context(), true, 0); err != nil || len(list) != 1 {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if got, err := b.Get(t.Context(), st.ID); err != nil || got.Receipt == nil || got.Receipt.ID != st.Receipt.ID || len(got.Receipt.Notes) != len(st.Receipt.Notes)+1 {
		t.Errorf("shown: %+v, %v", got, err)
	}
	if _, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindTeam, Value: "t"}, "another", time.Time{}); err != nil {
		t.Errorf("another stop waits for it: %v", err)
	}
	if _, err := b.Lift(t.Context(), "ada", st.ID, "over"); err == nil {
		t.Error("lifted while nothing can be stored")
	}
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.agent" {
		t.Errorf("after a lift that failed: %v", err)
	}
	broken.Store(false)
	got, err := b.Lift(t.Context(), "ada", st.ID, "over")
	if err != nil || got.LiftedAt == nil || raised.Load() != 1 || len(b.journal.used) != 0 || len(b.waiting()) != 0 {
		t.Errorf("%+v, %v; raised %d, journal %v", got, err, raised.Load(), b.journal.used)
	}
	if got, err := b.Get(t.Context(), st.ID); err != nil || got.LiftedAt == nil {
		t.Errorf("stored: %+v, %v", got, err)
	}
	_, leave, err := b.Enter(t.Context(), full())
	if err != nil {
		t.Fatal(err)
	}
	leave()
}

// What has no room in the journal waits for the database, and holds.
func TestAFullJournal(t *testing.T) {
	t.Parallel()
	b, _ := open(t, func(o *Options) { o.Journal = filepath.Join(t.TempDir(), "stops") })
	b.journal.free = nil
	if _, err := b.Stop(t.Context(), "ada", client.StopTarget{Kind: KindTeam, Value: "support"}, "now", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Enter(t.Context(), full()); code(err) != "stop.team" {
		t.Error(err)
	}
	long := &client.Stop{ID: "stop_long", Target: client.StopTarget{Kind: KindUser, Value: strings.Repeat("\x01", maxValue)}, Reason: strings.Repeat("\x01", maxReason)}
	b.journal.free = []int{0}
	if err := b.journal.put(long); !errors.Is(err, errNoSlot) || len(b.journal.free) != 1 {
		t.Errorf("one that is too long: %v", err)
	}
}

// A slot that was written in part is none, wherever it was torn, and a journal
// that is shorter than it should be is filled up.
func TestTornSlots(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stops")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Unix(1e9, 0).UTC()
	st := &client.Stop{ID: "stop_a", Target: client.StopTarget{Kind: KindAgent, Value: "a"}, Reason: "r", By: "ada", CreatedAt: until, Until: &until}
	if err := errors.Join(j.put(st), j.sync()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte(slotMagic))
	slot := bytes.TrimRight(text[at:at+slotSize], "\x00")
	for n := range len(slot) {
		torn := make([]byte, slotSize)
		copy(torn, slot[:n])
		if st, ok := readSlot(torn); ok {
			t.Fatalf("%d of %d bytes are a stop: %+v", n, len(slot), st)
		}
	}
	for i := range slot {
		changed := make([]byte, slotSize)
		copy(changed, slot)
		changed[i] ^= 0x20
		if st, ok := readSlot(changed); ok {
			t.Fatalf("with byte %d changed it is a stop: %+v", i, st)
		}
	}
	if err := os.Truncate(path, int64(at+len(slot))); err != nil {
		t.Fatal(err)
	}
	_, left, err := openJournal(path)
	if err != nil || len(left) != 1 || left[0].ID != "stop_a" || left[0].By != "ada" || !left[0].Until.Equal(until) {
		t.Errorf("%+v, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != slotSize*slotCount || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func FuzzReadSlot(f *testing.F) {
	f.Add([]byte(slotMagic + "\x00\x00\x00\x02\x00\x00\x00\x00{}"))
	f.Add([]byte(slotMagic + "\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		slot := make([]byte, slotSize)
		copy(slot, text)
		if st, ok := readSlot(slot); ok && (st.ID == "" || checkTarget(st.Target) != nil) {
			t.Errorf("%+v", st)
		}
	})
}

func hintOf(err error) string { return fault.From(err).Hint }
