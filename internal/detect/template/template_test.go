package template

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                                  "",
		"connection closed":                 "connection closed",
		"took 19.05 seconds":                "took <*> seconds",
		"ports 80, 81, 8080 open":           "ports <*> open",
		"user=root uid=0 tty=":              "user root uid <*> tty",
		"from 10.0.0.1:80 (host-1.example)": "from <*>",
		`GET /a/b?c=d,e&f=%3A HTTP/1.1`:     "GET <*> e&f <*>",
		`say "two words" again`:             "say two words again",
		`read C:\tmp\x.log now`:             `read <*> now`,
		"see https://example.com/x?y=z now": "see <*> now",
		"state.top:180, i:0":                "state.top <*> i <*>",
		"on Mon Jan 5 at":                   "on <*> at",
		"\"unclosed":                        "unclosed",
		"a,,,b;;[]{}":                       "a b",
	} {
		if got := strings.Join(mask(line, nil), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// Lines made from known templates come back in the same groups.
func TestGroups(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	names := []string{"ada", "bob", "cleo", "dan", "eve", "fred", "gus", "hal", "ida", "jo"}
	made := []func() string{
		func() string { return fmt.Sprintf("session opened for user %s by cron", names[r.IntN(len(names))]) },
		func() string { return fmt.Sprintf("session closed for user %s by cron", names[r.IntN(len(names))]) },
		func() string { return "service started in good order" },
		func() string { return "service stopped in good order" },
		func() string { return fmt.Sprintf("request %x took %d ms", r.Uint64(), r.IntN(1000)) },
		func() string { return fmt.Sprintf("cache holds %d entries, %d bytes", r.IntN(9), r.IntN(9999)) },
	}
	m := New(Options{})
	var ids, truth []int
	for range 2000 {
		k := r.IntN(len(made))
		ids, truth = append(ids, m.Add(made[k]()).ID), append(truth, k)
	}
	group := map[int]int{}
	for i, id := range ids {
		id = m.Current(id)
		if k, ok := group[id]; ok && k != truth[i] {
			t.Fatalf("a group of %q has lines of two templates", m.Text(id))
		}
		group[id] = truth[i]
	}
	if len(group) != len(made) {
		for id := range group {
			t.Logf("%q", m.Text(id))
		}
		t.Errorf("%d groups, want %d", len(group), len(made))
	}
}

// A log of nothing but new words takes no more memory and time than was allowed.
func TestBounds(t *testing.T) {
	t.Parallel()
	m := New(Options{Templates: 100})
	r := rand.New(rand.NewPCG(2, 2))
	word := func() string {
		b := make([]byte, 3+r.IntN(6))
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	for range 20_000 {
		m.Add("start " + word() + " " + word() + " " + word())
		m.Add(word() + " x")
	}
	if m.used.Len() > 100 || len(m.exact) > 100 || len(m.into) > 500 || m.Dropped == 0 {
		t.Errorf("%d templates, %d keys, %d former ones, %d dropped", m.used.Len(), len(m.exact), len(m.into), m.Dropped)
	}
	n := 0
	for _, b := range m.tree {
		n += len(b.lines) + len(b.merged)
	}
	if n > 100 {
		t.Errorf("%d in the tree", n)
	}
	if got := m.Add(strings.Repeat("word ", 5000)); got.ID == 0 {
		t.Error("a long line has no template")
	}
	if m.Text(-5) != "" {
		t.Error("a template that never was has a text")
	}
}

func TestNovelty(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	steady, busy := NewNovelty(1), NewNovelty(1)
	early, chatter := 0, 0
	m := New(Options{})
	for i := range 7 * 24 * 60 {
		at = at.Add(time.Minute)
		if steady.Look(at, m.Add(fmt.Sprintf("served %d requests", i))) {
			early++
		}
		if busy.Look(at, Match{New: i%50 == 0}) && i > 24*60 {
			chatter++
		}
	}
	if early != 0 || chatter > 2 {
		t.Errorf("%d alarms of a log that says the same, %d of one that always says something else", early, chatter)
	}
	if !steady.Look(at, m.Add("disk is on fire")) {
		t.Error("a new sentence after a week is no news")
	}
	if steady.Look(at.Add(time.Second), m.Add("and so is the backup")) {
		t.Error("a second alarm within its rest")
	}
	if steady.Look(at.Add(-time.Hour), m.Add("served 7 requests")) {
		t.Error("a known sentence is news")
	}
}

func FuzzAdd(f *testing.F) {
	for _, s := range []string{"", "a b 1", `x="y z" 0x1f`, "http://a/b", `C:\x`, "\xff\x00", strings.Repeat("(", 99), `"""""`, "a:b:c:1", "::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m := New(Options{Templates: 8})
		a := m.Add(line)
		b := m.Add(line)
		if !a.New || b.New || a.ID != b.ID || b.Count != 2 {
			t.Errorf("%q: %+v then %+v", line, a, b)
		}
		if len(m.words) > maxWords {
			t.Errorf("%d words", len(m.words))
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	m := New(Options{})
	lines := make([]string, 512)
	for i := range lines {
		lines[i] = fmt.Sprintf("request %d of user u%d took %d ms on node-%d", i, i%7, i*3, i%5)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Add(lines[i%len(lines)])
	}
}
