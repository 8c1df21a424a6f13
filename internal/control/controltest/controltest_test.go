package controltest_test

import (
	"path/filepath"
	"testing"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	open := func(file string) *control.DB {
		db, err := controltest.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	one, two := filepath.Join(t.TempDir(), "control.db"), filepath.Join(t.TempDir(), "control.db")
	a, b := open(one), open(two)
	defer b.Close()
	if a.Install() == "" || a.Install() == b.Install() {
		t.Errorf("installation ids: %q and %q, want two different ones", a.Install(), b.Install())
	}
	err := a.Write(t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO settings (name, value) VALUES ('kept', 'yes')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(one)
	defer again.Close()
	if again.Install() != a.Install() {
		t.Errorf("opened again: installation %q, want %q", again.Install(), a.Install())
	}
	if _, found, err := control.One(t.Context(), again, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
		`SELECT value FROM settings WHERE name = 'kept'`); err != nil || !found {
		t.Errorf("what was written before is not there: %v", err)
	}

	direct, err := control.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	tables := func(db *control.DB) []string {
		names, err := control.All(t.Context(), db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) },
			`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name`)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	got, want := tables(b), tables(direct)
	if len(got) < 50 || len(got) != len(want) {
		t.Fatalf("%d tables and indexes, control.Open makes %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("a copy has %s, control.Open makes %s", got[i], want[i])
		}
	}
}
