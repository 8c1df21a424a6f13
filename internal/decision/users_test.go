package decision

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"reeve/internal/bus"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

func openDB(t testing.TB) *control.DB {
	t.Helper()
	db, err := controltest.Open(context.Background(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestUsersArePseudonyms(t *testing.T) {
	t.Parallel()
	b, db, dir := openBus(t, bus.Options{}), openDB(t), t.TempDir()
	r := rand.New(rand.NewPCG(31, 1))
	var pseudonyms []string
	for round := range 2 {
		l, err := Open(t.Context(), Options{Stream: b.Decisions(), Dir: dir, Install: "ins", Node: "n1", DB: db})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		for _, name := range []string{"ada@example.com", "bob@example.com", "ada@example.com", ""} {
			d := sample(r, l.NewID())
			d.User = name
			if err := l.Propose(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if d.User != name {
				t.Errorf("the caller's decision was changed: %q", d.User)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for _, rec := range chain(t, l)[round*8:] {
			if strings.Contains(string(rec.Body), "example.com") {
				t.Fatalf("a name in the log: %s", rec.Body)
			}
			if rec.Kind == KindProposed {
				d, _, err := readProposed(rec.Body)
				if err != nil {
					t.Fatal(err)
				}
				pseudonyms = append(pseudonyms, d.User)
			}
		}
		name, err := l.UserName(t.Context(), pseudonyms[0])
		if err != nil || name != "ada@example.com" {
			t.Errorf("behind %s is %q, %v", pseudonyms[0], name, err)
		}
		if of, err := l.Pseudonyms(t.Context(), "ada@example.com"); err != nil || len(of) == 0 || of[0] != pseudonyms[0] {
			t.Errorf("pseudonyms are %v, %v", of, err)
		}
	}
	p := pseudonyms
	if len(p) != 8 || p[0] != p[2] || p[0] == p[1] || p[3] != "" || p[4] != p[0] || p[5] != p[1] || !strings.HasPrefix(p[0], "usr_") {
		t.Errorf("pseudonyms of two processes: %q", p)
	}
}

func TestUsersStayBounded(t *testing.T) {
	t.Parallel()
	var u users
	first, fresh := u.pseudonym("first")
	if !fresh {
		t.Error("a new name is not fresh")
	}
	for i := range 2*usersKept + 10 {
		u.pseudonym(string(rune('a'+i%26)) + strings.Repeat("x", i%7) + string(rune(i)))
	}
	if len(u.young)+len(u.old) > 2*usersKept {
		t.Errorf("%d names in memory", len(u.young)+len(u.old))
	}
	again, fresh := u.pseudonym("first")
	if again == first && fresh {
		t.Error("the same pseudonym is fresh twice")
	}
}

func TestCommitIsKeyed(t *testing.T) {
	t.Parallel()
	b := openBus(t, bus.Options{})
	dir := t.TempDir()
	l, stop := running(t, b.Decisions(), dir)
	one := l.Commit([]byte("+49 30 1234567"))
	stop()
	l, stop = running(t, b.Decisions(), dir)
	if again := l.Commit([]byte("+49 30 1234567")); again != one {
		t.Error("another process gives another digest")
	}
	stop()
	l, stop = running(t, openBus(t, bus.Options{}).Decisions(), t.TempDir())
	if other := l.Commit([]byte("+49 30 1234567")); other == one {
		t.Error("another installation gives the same digest")
	}
	stop()
}
