package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
)

func openTest(t testing.TB) *DB {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "control.db"))
}

func openFile(t testing.TB, file string) *DB {
	t.Helper()
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func write(t testing.TB, db *DB, f func(ctx context.Context, tx *Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := db.Write(ctx, func(tx *Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

var errStop = errors.New("stop")

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestOpenIsPrivateAndRemembers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "with space?#%")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "control.db")
	first := openFile(t, file)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", f.Name(), info.Mode().Perm())
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openFile(t, file)
	if first.Install() == "" || first.Install() != second.Install() {
		t.Errorf("install id was %q and is %q", first.Install(), second.Install())
	}
}

func TestOpenRefusals(t *testing.T) {
	t.Parallel()
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "control.db")
		db := openFile(t, file)
		write(t, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO schema_migrations (version, name, at) VALUES (9999, 'x', 0)`)
			return err
		})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), file); code(err) != "control.newer" {
			t.Errorf("got %v, want control.newer", err)
		}
	})
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "control.db")
		if err := os.WriteFile(file, []byte(strings.Repeat("this is no database", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), file); code(err) != "control.corrupt" {
			t.Errorf("got %v, want control.corrupt", err)
		}
	})
	t.Run("folder missing", func(t *testing.T) {
		t.Parallel()
		if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none", "control.db")); code(err) != "control.folder" {
			t.Errorf("got %v, want control.folder", err)
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
		if _, err := Open(t.Context(), filepath.Join(dir, "control.db")); code(err) != "control.read_only" {
			t.Errorf("got %v, want control.read_only", err)
		}
		if _, err := LockFolder(dir); code(err) != "control.read_only" {
			t.Errorf("got %v, want control.read_only", err)
		}
	})
}

func TestMigrationsAreNumbered(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	files := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		files[n] = &fstest.MapFile{}
	}
	add := func(number int, text string) {
		files[fmt.Sprintf("migrations/%04d_more.sql", number)] = &fstest.MapFile{Data: []byte(text)}
	}
	add(902, `CREATE TABLE more (a TEXT)`)
	if err := db.migrate(t.Context(), files); err != nil {
		t.Errorf("a number that is missing: %v", err)
	}
	add(901, `CREATE TABLE half (a TEXT); CREATE TABLE outbox (a TEXT)`)
	if err := db.migrate(t.Context(), files); err == nil {
		t.Error("a migration that fails should be refused")
	}
	files["migrations/0901_again.sql"] = &fstest.MapFile{}
	if err := db.migrate(t.Context(), files); err == nil {
		t.Error("a number that two have should be refused")
	}
	delete(files, "migrations/0901_again.sql")
	add(901, `CREATE TABLE half (a TEXT)`)
	for range 2 {
		if err := db.migrate(t.Context(), files); err != nil {
			t.Errorf("after the repair: %v", err)
		}
	}
}

func TestWriteIsAtomic(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	after := false
	err := db.Write(t.Context(), func(tx *Tx) error {
		tx.AfterCommit(func() { after = true })
		if err := tx.Event(t.Context(), Event{Type: "x"}); err != nil {
			return err
		}
		return errStop
	})
	if !errors.Is(err, errStop) || after {
		t.Errorf("got %v, after commit called: %v", err, after)
	}
	events, err := db.Events(t.Context(), 0, 10)
	if err != nil || len(events) != 0 {
		t.Errorf("got %v, %v after an undone write", events, err)
	}
	write(t, db, func(ctx context.Context, tx *Tx) error {
		tx.AfterCommit(func() { after = true })
		return tx.Event(ctx, Event{Type: "x"})
	})
	events, err = db.Events(t.Context(), 0, 10)
	if err != nil || len(events) != 1 || events[0].Seq != 1 || !after {
		t.Errorf("got %v, %v, after commit called: %v", events, err, after)
	}
}

func TestConcurrentWritersAndReaders(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				err := db.Write(t.Context(), func(tx *Tx) error { return tx.Event(t.Context(), Event{Type: "n"}) })
				if err != nil {
					t.Errorf("Write: %v", err)
				}
				if _, err := db.Events(t.Context(), 0, 1000); err != nil {
					t.Errorf("Events: %v", err)
				}
			}
		})
	}
	wg.Wait()
	events, err := db.Events(t.Context(), 0, 1000)
	if err != nil || len(events) != 160 || events[159].Seq != 160 {
		t.Errorf("got %d events, %v; want 160 without a gap", len(events), err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	exec := func(query string) error {
		return db.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), query)
			return err
		})
	}
	if err := exec(`INSERT INTO settings VALUES ('a', '1')`); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		`INSERT INTO settings VALUES ('a', '2')`:    "control.exists",
		`INSERT INTO team_people VALUES ('t', 'p')`: "control.reference",
		`INSERT INTO settings VALUES ('b', NULL)`:   "control.failed",
		`nonsense`: "control.failed",
		`INSERT INTO settings VALUES ('unused','1')`: "",
	} {
		if got := code(exec(query)); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if _, err := All(t.Context(), db, scanInt, `DELETE FROM settings RETURNING 1`); code(err) != "control.read_only" {
		t.Errorf("a write through a reader: got %v, want control.read_only", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	if err := db.Write(ctx, func(*Tx) error { return nil }); !errors.Is(err, errStop) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	write(t, db, func(ctx context.Context, tx *Tx) error {
		// Some room beyond what the tables take; what SQLite says at its end is
		// what it says of a full disk.
		pages, _, err := One(ctx, tx, scanInt, `PRAGMA page_count`)
		if err != nil {
			return err
		}
		_, err = All(ctx, tx, scanInt, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+30))
		return err
	})
	fill := func() error {
		return db.Write(t.Context(), func(tx *Tx) error {
			return tx.Event(t.Context(), Event{Type: "x", Data: []byte(`"` + strings.Repeat("x", 20_000) + `"`)})
		})
	}
	var err error
	stored := 0
	for ; err == nil && stored < 100; stored++ {
		err = fill()
	}
	if code(err) != "control.disk_full" {
		t.Errorf("got %v, want control.disk_full", err)
	}
	write(t, db, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM outbox`)
		return err
	})
	if err := fill(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestRelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		emit := func(names ...string) {
			write(t, db, func(ctx context.Context, tx *Tx) error {
				for _, n := range names {
					if err := tx.Event(ctx, Event{Type: n, Object: "o", Data: []byte(`{"n":1}`)}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		emit("a", "b", "c")
		got := make(chan Event)
		failures := 2
		publish := func(_ context.Context, e Event) error {
			if e.Type == "b" && failures > 0 {
				failures--
				return errors.New("the bus is down")
			}
			got <- e
			return nil
		}
		relay := func() (stop func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			done := make(chan error, 1)
			go func() { done <- db.Relay(ctx, publish) }()
			return func() {
				t.Helper()
				synctest.Wait() // nothing is left to relay and the cursor is noted
				cancel(errStop)
				if err := <-done; !errors.Is(err, errStop) {
					t.Errorf("Relay: %v", err)
				}
			}
		}
		expect := func(types ...string) {
			t.Helper()
			for _, want := range types {
				if e := <-got; e.Type != want || string(e.Data) != `{"n":1}` || e.Object != "o" {
					t.Errorf("got %+v, want %s", e, want)
				}
			}
		}
		stop := relay()
		expect("a", "b", "c")
		emit("d")
		expect("d")
		stop()
		emit("e")
		stop = relay()
		expect("e") // and nothing again
		stop()
	})
}

func TestTimers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		start := time.Now()
		fired := make(chan string, 10)
		fails := 2
		timers := NewTimers(db, map[string]TimerFunc{
			"note": func(ctx context.Context, tx *Tx, tm Timer) error {
				fired <- fmt.Sprintf("%s %s after %v", tm.ID, tm.Body, time.Since(start).Round(time.Second))
				return nil
			},
			"flaky": func(ctx context.Context, tx *Tx, tm Timer) error {
				if err := tx.Event(ctx, Event{Type: "flaky"}); err != nil {
					return err
				}
				if fails--; fails == 1 {
					return errors.New("not yet")
				} else if fails == 0 {
					panic("a bug")
				}
				fired <- fmt.Sprintf("%s attempts %d after %v", tm.ID, tm.Attempts, time.Since(start).Round(time.Second))
				return nil
			},
		}, nil)
		set := func(list ...Timer) {
			write(t, db, func(ctx context.Context, tx *Tx) error {
				for _, tm := range list {
					if err := tx.SetTimer(ctx, tm); err != nil {
						return err
					}
				}
				return nil
			})
		}
		at := func(d time.Duration) time.Time { return start.Add(d) }
		set(Timer{ID: "late", Kind: "note", Due: at(-time.Hour), Body: "b"},
			Timer{ID: "moved", Kind: "note", Due: at(time.Second), Body: "old"},
			Timer{ID: "gone", Kind: "note", Due: at(2 * time.Second)},
			Timer{ID: "orphan", Kind: "unknown", Due: at(0)},
			Timer{ID: "flaky", Kind: "flaky", Due: at(20 * time.Minute)})
		set(Timer{ID: "moved", Kind: "note", Due: at(10 * time.Minute), Body: "new"})
		write(t, db, func(ctx context.Context, tx *Tx) error {
			existed, err := tx.CancelTimer(ctx, "gone")
			if !existed {
				t.Error("the timer to cancel did not exist")
			}
			return err
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- timers.Run(ctx) }()
		var got []string
		got = append(got, <-fired)
		set(Timer{ID: "soon", Kind: "note", Due: at(5 * time.Second), Body: "s"})
		for range 3 {
			got = append(got, <-fired)
		}
		want := []string{"late b after 0s", "soon s after 5s", "moved new after 10m0s", "flaky attempts 2 after 20m3s"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fired (-want +got):\n%s", diff)
		}
		synctest.Wait()
		cancel(errStop)
		if err := <-done; !errors.Is(err, errStop) {
			t.Errorf("Run: %v", err)
		}
		events, err := db.Events(t.Context(), 0, 10)
		if err != nil || len(events) != 1 {
			t.Errorf("got %d events, %v; a failed handler's effect must be undone", len(events), err)
		}
	})
}

func TestLockFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	unlock, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = LockFolder(dir)
	if code(err) != "control.locked" || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("got %v, want control.locked with the pid", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	db := openTest(b)
	for b.Loop() {
		if err := db.Write(b.Context(), func(tx *Tx) error { return tx.Event(b.Context(), Event{Type: "x"}) }); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNarrowFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		mode, want os.FileMode
		ok         bool
	}{
		{"an empty one", "", 0o755, 0o700, true},
		{"a data folder", "control.db", 0o775, 0o700, true},
		{"somebody's folder", "letter.txt", 0o755, 0o755, false},
		{"a narrow one", "letter.txt", 0o700, 0o700, true},
		{"one that may not be written", "", 0o500, 0o500, true},
	} {
		dir := t.TempDir()
		if c.file != "" {
			if err := os.WriteFile(filepath.Join(dir, c.file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		ok := NarrowFolder(dir)
		info, err := os.Stat(dir)
		if err != nil || ok != c.ok || info.Mode().Perm() != c.want {
			t.Errorf("%s: %v, then %v (%v); want %v, %v", c.name, ok, info.Mode().Perm(), err, c.ok, c.want)
		}
	}
}

// What was deleted is not left in the file.
func TestDeletedIsGone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "control.db")
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-text-that-was-erased"
	do := func(query string, args ...any) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(t.Context(), query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE kept (id INTEGER PRIMARY KEY, body TEXT)`)
	for i := range 200 {
		do(`INSERT INTO kept (id, body) VALUES (?, ?)`, i, strings.Repeat(secret+" ", 20))
	}
	do(`DELETE FROM kept WHERE id % 2 = 0`)
	do(`UPDATE kept SET body = 'nothing'`)
	if err := db.Close(); err != nil { // the last to close writes the -wal back and removes it
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte(secret)); n > 0 {
			t.Errorf("%s has the text %d times", filepath.Base(name), n)
		}
	}
}

// What was committed is on disk before anybody is told so, in whatever durability
// the log of decisions has: a revocation survives a power cut.
func TestStopsAreSynced(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	err := db.Write(t.Context(), func(tx *Tx) error {
		if n, _, err := One(t.Context(), tx, scanInt, `PRAGMA synchronous`); err != nil || n != 2 { // FULL
			t.Errorf("synchronous is %d, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who is first waits for the one that writes and for nobody else; a writer that
// gives up takes no turn along.
func TestWriteFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		var order []string // each writer has its turn
		begun, let := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() {
			write(t, db, func(context.Context, *Tx) error {
				close(begun)
				<-let
				order = append(order, "running")
				return nil
			})
		})
		<-begun
		note := func(name string) func(*Tx) error {
			return func(*Tx) error { order = append(order, name); return nil }
		}
		for _, name := range []string{"a", "b"} {
			all.Go(func() {
				if err := db.Write(t.Context(), note(name)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		gone, leave := context.WithCancelCause(t.Context())
		all.Go(func() {
			if err := db.WriteFirst(gone, note("gone")); !errors.Is(err, errStop) {
				t.Errorf("one that gave up: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if err := db.WriteFirst(t.Context(), note("first")); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		leave(errStop)
		synctest.Wait()
		close(let)
		all.Wait()
		if got := strings.Join(order, " "); got != "running first a b" {
			t.Errorf("the order was %s", got)
		}
	})
}

// Bookkeeping does not wait for the disk, and the next write does again.
func TestLooseWritesAreFollowedBySyncedOnes(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	mode := func(tx *Tx) int64 {
		n, _, err := One(t.Context(), tx, scanInt, `PRAGMA synchronous`)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for i, w := range []struct {
		write func(context.Context, func(*Tx) error) error
		want  int64
	}{{db.Write, 2}, {db.writeLoose, 1}, {db.writeLoose, 1}, {db.WriteFirst, 2}, {db.writeLoose, 1}, {db.Write, 2}} {
		if err := w.write(t.Context(), func(tx *Tx) error {
			if got := mode(tx); got != w.want {
				t.Errorf("write %d: synchronous is %d, want %d", i, got, w.want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	// Whoever goes away at any moment leaves no connection that is taken for one
	// that syncs.
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_ = db.writeLoose(ctx, func(*Tx) error { return nil })
		if err := db.Write(t.Context(), func(tx *Tx) error {
			if got := mode(tx); got != 2 {
				t.Errorf("after one that went away: synchronous is %d", got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// Where events are relayed the log of the database is folded beside the writers,
// and stays small.
func TestTheLogIsFolded(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = db.Relay(ctx, func(context.Context, Event) error { return nil })
	}()
	defer func() { cancel(); <-ended }()
	for range 5 * checkpointEvery {
		write(t, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES ('x', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strings.Repeat("x", 10_000))
			return err
		})
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		var busy, pages, folded int64
		if err := db.folder.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &pages, &folded); err != nil {
			t.Fatal(err)
		}
		if folded > 0 && pages < 5*checkpointEvery {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d pages in the log, %d folded", pages, folded)
		}
		write(t, db, func(ctx context.Context, tx *Tx) error { return tx.Event(ctx, Event{Type: "n"}) })
	}
}
