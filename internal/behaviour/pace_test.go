package behaviour

import (
	"path/filepath"
	"testing"
	"time"
)

func TestAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	m, err := New(Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a := Who{Credential: "k1", Run: "run_1"}
	for i := range 7 {
		if n := m.Again(a, "crm.find", []byte(`{"q":1}`)); n != i+1 || Looping(n) != (i >= 4) {
			t.Errorf("call %d counts %d, looping %t", i+1, n, Looping(n))
		}
	}
	for name, n := range map[string]int{
		"other arguments":  m.Again(a, "crm.find", []byte(`{"q":2}`)),
		"another tool":     m.Again(a, "crm.get", []byte(`{"q":1}`)),
		"another run":      m.Again(Who{Credential: "k1", Run: "run_2"}, "crm.find", []byte(`{"q":1}`)),
		"parts are apart":  m.Again(a, "crm.find", []byte(`{"q"`), []byte(`:1}`)),
		"without any name": m.Again(Who{Credential: "k1"}, "crm.find", []byte(`{"q":1}`)),
	} {
		if n != 1 {
			t.Errorf("%s counts %d", name, n)
		}
	}
	now = now.Add(paceFor)
	if n := m.Again(a, "crm.find", []byte(`{"q":1}`)); n != 8 {
		t.Errorf("a run that goes on counts %d", n)
	}
	now = now.Add(3 * paceFor)
	m.Again(a, "x")
	now = now.Add(paceFor)
	if n := m.Again(a, "crm.find", []byte(`{"q":1}`)); n != 1 {
		t.Errorf("what was long ago counts %d", n)
	}
}

func TestDid(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "behaviour.json")
	m, err := New(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	m.Do("a", "crm.delete")
	if !m.Did("a", "crm.delete") || m.Did("a", "crm.find") || m.Did("b", "crm.delete") {
		t.Error("not as it was done")
	}
	m.save()
	again, err := New(Options{File: file})
	if err != nil || !again.Did("a", "crm.delete") || again.Did("b", "crm.delete") {
		t.Errorf("after a restart it is not known, %v", err)
	}
}
