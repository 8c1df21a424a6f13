package behaviour

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
)

func memory(t testing.TB, file string) *Memory {
	t.Helper()
	m, err := New(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What was touched under any of the names is tainted under that name, and
// nowhere else.
func TestTaintFollowsItsNames(t *testing.T) {
	t.Parallel()
	m := memory(t, "")
	m.Touch(Who{Credential: "k1", User: "ada", Session: "s1"}, Taint{Classes: []string{"orders"}, Upstreams: []string{"shop"}})
	m.Touch(Who{Credential: "k1"}, Taint{Upstreams: []string{"web"}, Untrusted: true})
	for _, c := range []struct {
		who  Who
		want Taint
	}{
		{Who{Credential: "k1"}, Taint{[]string{"orders"}, []string{"shop", "web"}, true}},
		{Who{Credential: "k2"}, Taint{}},
		{Who{Credential: "k2", User: "ada"}, Taint{[]string{"orders"}, []string{"shop"}, false}},
		{Who{Credential: "k2", Session: "s1"}, Taint{[]string{"orders"}, []string{"shop"}, false}},
		{Who{Credential: "k2", User: "k1"}, Taint{}}, // a user's name is no key
		{Who{}, Taint{}},
	} {
		if diff := cmp.Diff(c.want, m.Taint(c.who)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.who, diff)
		}
	}
}

// A full memory taints whom it does not know, and sessions take no more than
// their credential's part.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := memory(t, "")
	for i := range 2 * maxSessions {
		m.Touch(Who{Credential: "k1", Session: fmt.Sprint(i)}, Taint{Untrusted: true})
	}
	if n := len(m.taints); n != maxSessions+1 || m.full {
		t.Errorf("%d entries of one credential, full %v", n, m.full)
	}
	for i := range maxEntries {
		m.Touch(Who{Credential: fmt.Sprint("c", i)}, Taint{Upstreams: []string{"web"}})
	}
	if n := len(m.taints); n != maxEntries {
		t.Errorf("%d entries, want %d", n, maxEntries)
	}
	if !m.Taint(Who{Credential: "nobody knows"}).Untrusted {
		t.Error("an unknown credential is taken for clean although taint was lost")
	}
	for i := range maxDomains + 10 {
		m.Reached("a", fmt.Sprint(i))
	}
	if m.First("a", "7") || !m.First("a", fmt.Sprint(maxDomains+5)) || !m.First("b", "7") {
		t.Error("domains")
	}
	var many []string
	for i := range maxListed + 1 {
		many = append(many, fmt.Sprint(i))
	}
	m.Touch(Who{Credential: "c0"}, Taint{Upstreams: many})
	if got := m.Taint(Who{Credential: "c0"}); len(got.Upstreams) != maxListed || !got.Untrusted {
		t.Errorf("%d upstreams, untrusted %v", len(got.Upstreams), got.Untrusted)
	}
}

func TestItSurvivesARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "behaviour.json")
	m := memory(t, file)
	m.Touch(Who{Credential: "k1", Session: "s1"}, Taint{Upstreams: []string{"web"}, Untrusted: true})
	m.Reached("a", "example.com")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if err := m.Run(ctx); !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	again := memory(t, file)
	if got := again.Taint(Who{Session: "s1"}); !got.Untrusted || len(got.Upstreams) != 1 || again.First("a", "example.com") || !again.First("a", "example.org") {
		t.Errorf("after a restart: %+v", got)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{File: file}); fault.From(err).Code != "behaviour.file" {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	m := memory(t, filepath.Join(t.TempDir(), "b.json"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				w := Who{Credential: fmt.Sprint(j % 7), User: fmt.Sprint(i), Session: fmt.Sprint(j)}
				m.Touch(w, Taint{Upstreams: []string{fmt.Sprint(j % 5)}})
				if len(m.Taint(w).Upstreams) == 0 {
					t.Error("a touch is not seen by the look after it")
				}
				m.Reached("a", fmt.Sprint(j))
				m.save()
			}
		})
	}
	wg.Wait()
}

func BenchmarkTaint(b *testing.B) {
	m := memory(b, "")
	w := Who{Credential: "k1", User: "ada", Session: "s1"}
	m.Touch(w, Taint{Upstreams: []string{"web"}, Untrusted: true})
	b.ReportAllocs()
	for b.Loop() {
		m.Touch(w, Taint{Upstreams: []string{"web"}, Untrusted: true})
		if !m.Taint(w).Untrusted {
			b.Fatal("not tainted")
		}
	}
}

// What an erased user and their sessions touched is forgotten, and a domain that names
// them; others' is not, and a restart brings nothing back.
func TestForget(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "behaviour.json")
	m := memory(t, file)
	taint := Taint{Classes: []string{"orders"}}
	m.Touch(Who{Credential: "k1", User: "kim", Session: "s1"}, taint)
	m.Touch(Who{Credential: "k1", User: "ada", Session: "s2"}, taint)
	m.Reached("refunds", "kim.example.org")
	m.Reached("refunds", "example.org")
	cut := func(text string) (string, bool) { return "", text == "kim.example.org" }
	for _, dry := range []bool{true, false} {
		if n := m.Forget("kim", []string{"s1"}, cut, dry); n != 3 {
			t.Errorf("dry %v: %d entries", dry, n)
		}
		if m.First("refunds", "kim.example.org") == dry {
			t.Errorf("dry %v: the domain", dry)
		}
	}
	m.save()
	for _, m := range []*Memory{m, memory(t, file)} {
		if len(m.Taint(Who{User: "kim", Session: "s1"}).Classes) != 0 || len(m.Taint(Who{User: "ada"}).Classes) != 1 || m.First("refunds", "example.org") || !m.First("refunds", "kim.example.org") {
			t.Error("not what should be left")
		}
	}
}
