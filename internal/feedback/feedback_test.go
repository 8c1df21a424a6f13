package feedback

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// house is a book with a real database and runs in memory.
type house struct {
	t    testing.TB
	file string
	db   *control.DB
	book *Book
	now  time.Time
	room int // how many may wait; 0: as usual

	mu   sync.Mutex
	runs map[activity.RunID]activity.Run
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, file: filepath.Join(t.TempDir(), "control.db"), now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), runs: map[activity.RunID]activity.Run{}}
	h.start()
	t.Cleanup(func() { h.db.Close() })
	return h
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.db, err = controltest.Open(h.t.Context(), h.file); err != nil {
		h.t.Fatal(err)
	}
	h.book, err = New(h.t.Context(), Options{
		DB: h.db, Key: []byte(strings.Repeat("k", 32)), Runs: h, Now: func() time.Time { return h.now }, Sealer: seals{}, waiting: h.room,
		Redact: func(_, _, text string) (string, []string) {
			if strings.Contains(text, "4111") {
				return strings.ReplaceAll(text, "4111", "[redacted:card]"), []string{"card"}
			}
			return text, nil
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// restart forgets everything that is not on disk.
func (h *house) restart() {
	h.t.Helper()
	h.db.Close()
	h.start()
}

type seals struct{}

func (seals) Seal(name string, secret []byte) ([]byte, error) {
	return append([]byte(name+"|"), secret...), nil
}

func (seals) Unseal(name string, sealed []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), name+"|")
	if !ok {
		return nil, fault.New(fault.KindInternal, "feedback.test", "another name")
	}
	return []byte(plain), nil
}

func (h *house) Run(_ context.Context, id activity.RunID) (Seen, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.runs[id]
	return SeenOf(&r), ok, nil
}

func (h *house) OfSession(_ context.Context, team, environment, session string, by time.Time) (Seen, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := slices.SortedFunc(maps.Values(h.runs), func(a, b activity.Run) int { return int(b.Start - a.Start) })
	for _, r := range list {
		if r.Team == team && r.Environment == environment && r.Session == session && r.Start <= by.UnixNano() {
			return SeenOf(&r), true, nil
		}
	}
	return Seen{}, false, nil
}

// trace is a trace's id as senders write it.
const trace = "0af7651916cd43dd8448eb211c80319c"

func traceID(t testing.TB) activity.TraceID {
	id, err := activity.ParseTraceID(trace)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// told stores a run and tells of it as the reader does.
func (h *house) told(r activity.Run) {
	h.mu.Lock()
	h.runs[r.ID] = r
	h.mu.Unlock()
	h.book.Observe(&telemetry.Write{Runs: []activity.Run{r}})
}

func (h *house) run(team string) activity.Run {
	return activity.Run{ID: activity.ScopeOf(team, "production").RunOfTrace(traceID(h.t)), Team: team, Environment: "production", Agent: "refund-agent", Version: "v2", Session: "chat-7", Start: h.now.UnixNano()}
}

var support = Sender{Source: "shop", Team: "support", Environment: "production", Verified: true}

func num(v float64) *float64 { return &v }

func (h *house) take(from Sender, r ...Report) []string {
	h.t.Helper()
	ids, err := h.book.Take(h.t.Context(), from, r)
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func (h *house) get(id string) Feedback {
	h.t.Helper()
	if err := h.book.Join(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	f, err := h.book.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

// Feedback joins its run whichever came first, by whatever the sender knew, and
// after the process was gone in between.
func TestJoinsInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]On{"trace": {Trace: trace}, "uuid": {Trace: "0AF76519-16CD-43DD-8448-EB211C80319C"}, "session": {Session: "chat-7"}, "join_key": {JoinKey: "order-1"}, "run": {}, "key, else session": {JoinKey: "nobody bound it", Session: "chat-7"}} {
		for _, order := range []string{"run first", "feedback first", "killed in between", "killed before the run is told"} {
			on := on
			t.Run(name+" "+order, func(t *testing.T) {
				t.Parallel()
				h := open(t)
				r := h.run("support")
				r.Labels = []activity.Label{{Key: "order_id", Value: "order-1"}}
				if name == "run" {
					on.Run = r.ID.String()
				}
				if order == "run first" {
					h.told(r)
					h.get2()
				}
				id := h.take(support, Report{On: on, Kind: Thumb, Value: num(0)})[0]
				switch order {
				case "killed in between":
					h.restart()
				case "killed before the run is told": // the store has it, nobody observed it
					h.runs[r.ID] = r
					if name == "join_key" {
						if err := h.book.Bind(t.Context(), "support", "production", "order-1", r.ID); err != nil {
							t.Fatal(err)
						}
					}
					h.restart()
				}
				if f := h.get(id); order != "run first" && order != "killed before the run is told" && f.Run != "" {
					t.Fatalf("joined to %s before there was one", f.Run)
				}
				if order == "feedback first" || order == "killed in between" {
					h.told(r)
				}
				h.now = h.now.Add(sessionSettles) // sessions settle
				f := h.get(id)
				if f.Run != r.ID.String() || f.Agent != "refund-agent" || f.Version != "v2" || f.Failed == nil || *f.Failed {
					t.Fatalf("%+v", f)
				}
				if h.book.wait.len() != 0 {
					t.Error("it still waits")
				}
			})
		}
	}
}

// get2 lets what is due happen.
func (h *house) get2() {
	h.t.Helper()
	if err := h.book.Join(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// What another team says of a run does not reach it, though it knows its id.
func TestAnotherTeamsRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.run("billing")
	h.told(r)
	for name, on := range map[string]On{"run": {Run: r.ID.String()}, "trace": {Trace: trace}, "session": {Session: "chat-7"}} {
		id := h.take(support, Report{On: on, Kind: Thumb, Value: num(0), Key: name})[0]
		h.now = h.now.Add(sessionSettles)
		if f := h.get(id); f.Run != "" {
			t.Errorf("%s: joined %s of another team", name, f.Run)
		}
	}
	if err := h.book.Bind(t.Context(), "support", "production", "k", r.ID); err != nil {
		t.Fatal(err)
	}
	if f := h.get(h.take(support, Report{On: On{JoinKey: "k"}, Kind: Thumb, Value: num(0)})[0]); f.Run != "" {
		t.Error("a join key led to another team's run")
	}
}

// The same word twice is one feedback; a newer one replaces it and an older one
// does not; what is taken back counts no more.
func TestTwice(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.told(h.run("support"))
	say := func(v float64, at time.Duration, removed bool) string {
		return h.take(support, Report{Key: "m1", On: On{Trace: trace}, Kind: Thumb, Value: num(v), At: h.now.Add(at), Removed: removed})[0]
	}
	h.now = h.now.Add(time.Hour)
	id := say(1, -30*time.Minute, false)
	h.get(id)
	if again := say(1, -30*time.Minute, false); again != id || h.book.Stats().Duplicates != 1 {
		t.Errorf("%s %+v", again, h.book.Stats())
	}
	say(0, -20*time.Minute, false)
	if f := h.get(id); f.Verdict != Negative || f.Run == "" {
		t.Errorf("the newer word is not there: %+v", f)
	}
	say(1, -25*time.Minute, false)
	if f := h.get(id); f.Verdict != Negative {
		t.Error("an older word undid a newer one")
	}
	counts, err := h.book.Counts(t.Context(), Filter{})
	if err != nil || len(counts) != 1 || counts[0].Negative != 1 || counts[0].Positive != 0 || counts[0].Runs != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
	say(0, -10*time.Minute, true)
	if f := h.get(id); !f.Removed || f.Verdict != "" {
		t.Errorf("%+v", f)
	}
}

// A run that goes on to fail, or is told of again with its version, is so on its
// feedback too.
func TestRunChangesAfterwards(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.run("support")
	r.Version = ""
	h.told(r)
	id := h.take(support, Report{On: On{Trace: trace}, Kind: Thumb, Value: num(1)})[0]
	h.get(id)
	r.Version, r.Errors = "v3", 1
	h.told(r)
	if f := h.get(id); f.Version != "v3" || !*f.Failed {
		t.Errorf("%+v", f)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		r    Report
		want string
	}{
		"up":              {Report{Kind: Thumb, Value: num(1)}, Positive},
		"down":            {Report{Kind: Thumb, Value: num(0)}, Negative},
		"not done":        {Report{Kind: Done, Value: num(0)}, Negative},
		"five stars":      {Report{Value: num(5)}, Positive},
		"three stars":     {Report{Value: num(3)}, Neutral},
		"two stars":       {Report{Value: num(2)}, Negative},
		"one of 0 to 1":   {Report{Value: num(1)}, Positive},
		"one of 1 to 5":   {Report{Value: num(1), Min: 1, Max: 5}, Negative},
		"csat of 1":       {Report{Name: "CSAT", Value: num(1)}, ""},
		"one star":        {Report{Name: "stars", Kind: Rating, Value: num(1)}, ""},
		"one star of 5":   {Report{Name: "stars", Value: num(1), Min: 1, Max: 5}, Negative},
		"a csat of 4":     {Report{Name: "csat", Value: num(4)}, Positive},
		"an nps of 5":     {Report{Name: "nps", Value: num(5)}, ""},
		"an nps of 0":     {Report{Name: "nps", Value: num(0)}, Negative},
		"a user's thumb":  {Report{Name: "user-feedback", Value: num(1)}, Positive},
		"ten of ten":      {Report{Value: num(10), Max: 10}, Positive},
		"a word":          {Report{Label: "Thumbs_Up"}, Positive},
		"an unknown word": {Report{Label: "meh"}, ""},
		"a comment alone": {Report{Comment: "this was bad"}, ""},
	} {
		c.r.On.Session = "s"
		if err := c.r.check(now); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := c.r.verdict(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t)
	nan := num(0)
	*nan /= *nan
	for name, r := range map[string]Report{
		"about nothing":       {Kind: Thumb, Value: num(1)},
		"says nothing":        {On: On{Session: "s"}},
		"a half thumb":        {On: On{Session: "s"}, Kind: Thumb, Value: num(.5)},
		"off its scale":       {On: On{Session: "s"}, Kind: Rating, Value: num(6), Min: 1, Max: 5},
		"no scale":            {On: On{Session: "s"}, Kind: Rating, Value: num(42)},
		"not a number":        {On: On{Session: "s"}, Kind: Rating, Value: nan},
		"another kind":        {On: On{Session: "s"}, Kind: "song", Value: num(1)},
		"another giver":       {On: On{Session: "s"}, Giver: "dog", Value: num(1)},
		"no trace":            {On: On{Trace: "xyz"}, Value: num(1)},
		"the zero trace":      {On: On{Trace: strings.Repeat("0", 32)}, Value: num(1)},
		"no run":              {On: On{Run: "run_1"}, Value: num(1)},
		"too long a session":  {On: On{Session: strings.Repeat("s", 301)}, Value: num(1)},
		"a key too long":      {On: On{Session: "s"}, Key: strings.Repeat("k", 301), Value: num(1)},
		"older than is kept":  {On: On{Session: "s"}, Value: num(1), At: h.now.AddDate(-2, 0, 0)},
		"nothing taken back":  {On: On{Session: "s"}, Removed: true},
		"a label of no words": {On: On{Session: "s"}, Kind: Label},
	} {
		if _, err := h.book.Take(t.Context(), support, []Report{{On: On{Session: "fine"}, Value: num(1)}, r}); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, _, err := h.book.List(t.Context(), Filter{}); err != nil || len(all) != 0 {
		t.Errorf("a refused delivery left %d feedbacks (%v)", len(all), err)
	}
}

func TestTickets(t *testing.T) {
	t.Parallel()
	h := open(t)
	text, _, err := h.book.Sign(Ticket{Team: "support", Environment: "production", On: On{Trace: trace}, User: "ada"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := h.book.Open(text)
	if err != nil || ticket.Team != "support" || ticket.On.Trace != trace {
		t.Fatalf("%+v, %v", ticket, err)
	}
	// Any changed byte is noticed.
	for i := range text {
		for _, c := range []byte{'A', 'B', '.', '_'} {
			if bad := text[:i] + string(c) + text[i+1:]; bad != text {
				if _, err := h.book.Open(bad); err == nil {
					t.Fatalf("byte %d changed to %c is taken", i, c)
				}
			}
		}
	}
	h.now = h.now.Add(2 * time.Hour)
	if _, err := h.book.Open(text); fault.From(err).Code != "feedback.expired" {
		t.Errorf("%v", err)
	}
	for _, life := range []time.Duration{0, -time.Hour, MaxTicketLife + 1} {
		if _, _, err := h.book.Sign(Ticket{On: On{Trace: trace}}, life); err == nil {
			t.Errorf("a ticket for %s", life)
		}
	}
}

func TestEraseAndRedact(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.told(h.run("support"))
	r := Report{Key: "1", On: On{Trace: trace}, Kind: Thumb, Value: num(0), Comment: "my card 4111 was charged", User: "ada@example.org", Contact: "ada@example.org"}
	id := h.take(support, r)[0]
	f := h.get(id)
	if f.Comment != "my card [redacted:card] was charged" || !slices.Equal(f.Redacted, []string{"card"}) {
		t.Errorf("%+v", f)
	}
	me := Actor{Person: "per_1", Can: func(role, team, _ string) bool { return team == "support" }}
	other := Actor{Person: "per_2", Can: func(role, team, _ string) bool { return team == "billing" }}
	if _, err := h.book.Erase(t.Context(), other, id, "", "", "asked"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("erased by another team: %v", err)
	}
	if _, contact, err := h.book.Tell(t.Context(), me, id, "it is repaired"); err != nil || contact != "ada@example.org" {
		t.Errorf("%q, %v", contact, err)
	}
	if n, err := h.book.Erase(t.Context(), me, "", "support", "ada@example.org", "asked"); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	f = h.get(id)
	if f.Comment != "" || f.UserRef != "" || f.Contact != nil || !f.Erased || f.Verdict != Negative || len(f.Told) != 0 {
		t.Errorf("%+v", f)
	}
	text, _, err := control.One(t.Context(), h.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT body FROM feedback WHERE id = ?`, id)
	if err != nil || strings.Contains(text, "ada") || strings.Contains(text, "card") {
		t.Errorf("the row still says %s", text)
	}
	// It does not come back when the sender sends again.
	r.At = h.now.Add(time.Minute)
	h.now = h.now.Add(time.Hour)
	h.take(support, r)
	if f = h.get(id); f.Comment != "" || !f.Erased {
		t.Errorf("it came back: %+v", f)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	h := open(t)
	me := Actor{Person: "per_1", Can: func(role, team, _ string) bool { return team == "support" }}
	f, err := h.book.PutForm(t.Context(), me, Form{Name: "shop", Team: "support", Environment: "production", Origins: []string{"https://Shop.example/"}})
	if err != nil || !strings.HasPrefix(f.Key, FormPrefix) || !f.May("https://shop.example") || f.May("https://evil.example") || f.May("") || f.May("http://shop.example") {
		t.Fatalf("%+v, %v", f, err)
	}
	if got, err := h.book.FormOf(t.Context(), f.Key); err != nil || got.Name != "shop" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := h.book.FormOf(t.Context(), f.Key+"x"); !fault.Is(err, fault.KindUnauthenticated) {
		t.Errorf("%v", err)
	}
	for name, bad := range map[string]Form{
		"again":          {Name: "shop", Team: "support", Environment: "production", Origins: []string{"https://a.example"}},
		"no origin":      {Name: "x", Team: "support"},
		"every origin":   {Name: "x", Team: "support", Origins: []string{"*"}},
		"a wildcard":     {Name: "x", Team: "support", Origins: []string{"https://*.example"}},
		"a path":         {Name: "x", Team: "support", Origins: []string{"https://a.example/x"}},
		"a script":       {Name: "x", Team: "support", Origins: []string{"javascript:alert(1)"}},
		"another team":   {Name: "x", Team: "billing", Origins: []string{"https://a.example"}},
		"a name of path": {Name: "a/b", Team: "support", Origins: []string{"https://a.example"}},
	} {
		if _, err := h.book.PutForm(t.Context(), me, bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	f.Ticket = true
	if f, err = h.book.PutForm(t.Context(), me, f); err != nil || f.Revision != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	if err := h.book.DeleteForm(t.Context(), me, "shop"); err != nil {
		t.Error(err)
	}
}

// A spike is found, users who are as they were raise none, and a spike is over
// when they are content again.
func TestSpike(t *testing.T) {
	t.Parallel()
	h := open(t)
	n := 0
	say := func(v float64) {
		n++
		h.get(h.take(support, Report{Key: fmt.Sprint(n), On: h.another("support", n), Kind: Thumb, Value: num(v)})[0])
	}
	for i := range 200 { // one in ten is unhappy
		say(map[bool]float64{true: 0, false: 1}[i%10 == 0])
		h.now = h.now.Add(30 * time.Minute)
	}
	pulses, err := h.book.Pulses(t.Context(), nil)
	if err != nil || len(pulses) != 0 {
		t.Fatalf("%+v, %v", pulses, err)
	}
	h.now = h.now.Add(2 * time.Hour)
	for range 3 {
		say(0)
	}
	if p, err := h.book.Pulses(t.Context(), nil); err != nil || slices.ContainsFunc(p, func(p Pulse) bool { return p.Spike() }) {
		t.Fatalf("three unhappy users are a spike: %+v, %v", p, err)
	}
	for range 5 {
		say(0)
		h.now = h.now.Add(time.Second)
	}
	p, err := h.book.Pulses(t.Context(), nil)
	if err != nil || len(p) != 1 || !p[0].Spike() || p[0].Agent != "refund-agent" || p[0].Versions != "v2" || len(p[0].Runs) != 8 || !strings.Contains(p[0].Text(), "8 of the 8 runs") {
		t.Fatalf("%+v, %v", p, err)
	}
	at := map[[3]string]bool{{"support", "production", "refund-agent"}: true}
	h.now = h.now.Add(2 * time.Hour)
	if p, err := h.book.Pulses(t.Context(), at); err != nil || len(p) != 1 || !p[0].Over() {
		t.Errorf("%+v, %v", p, err)
	}
}

// another tells of one more run, and says what names it.
func (h *house) another(team string, n int) On {
	h.t.Helper()
	text := fmt.Sprintf("%032x", n+1)
	id, err := activity.ParseTraceID(text)
	if err != nil {
		h.t.Fatal(err)
	}
	r := h.run(team)
	r.ID = activity.ScopeOf(team, "production").RunOfTrace(id)
	h.told(r)
	return On{Trace: text}
}

// One stranger who says of one run that it is bad, as often as they like, is no
// spike: neither now, nor as what was usual before.
func TestOneRunIsNoSpike(t *testing.T) {
	t.Parallel()
	h := open(t)
	on := h.another("support", 1)
	for i := range 40 {
		h.take(Sender{Source: "form:public", Team: "support", Environment: "production"}, Report{Key: fmt.Sprint(i), On: on, Kind: Thumb, Value: num(0)})
	}
	h.get2()
	at := map[[3]string]bool{{"support", "production", "refund-agent"}: true}
	p, err := h.book.Pulses(t.Context(), at)
	if err != nil || len(p) != 1 || p[0].Spike() || p[0].Negative != 1 || p[0].All != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// One sender who fills the room for what waits leaves the others theirs; and
// where there is none at all, what is there already is found still.
func TestRoomToWait(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.room = 40
	h.restart()
	form := func(name string) Sender {
		return Sender{Source: "form:" + name, Team: "a", Environment: "production"}
	}
	fill := func(name string) {
		for i := range 50 {
			h.take(form(name), Report{Key: fmt.Sprint(i), On: On{JoinKey: fmt.Sprint(name, i)}, Kind: Thumb, Value: num(0)})
		}
		h.get2()
	}
	fill("one")
	if n := h.book.wait.len(); n != 10 {
		t.Errorf("%d of 40 places are one form's", n)
	}
	waits := h.take(support, Report{On: On{Trace: trace}, Kind: Thumb, Value: num(0)})[0]
	for _, name := range []string{"two", "three", "four", "five"} {
		fill(name)
	}
	if n := h.book.wait.len(); n != 40 || len(h.book.wait.once) != 0 {
		t.Fatalf("%d wait, %d are still looked for", n, len(h.book.wait.once))
	}
	there := h.another("support", 1)
	if f := h.get(h.take(support, Report{On: there, Kind: Thumb, Value: num(1)})[0]); f.Run == "" {
		t.Error("a run that is there was not looked for")
	}
	session := h.take(support, Report{On: On{Session: "chat-7"}, Kind: Thumb, Value: num(1)})[0]
	h.get2()
	h.now = h.now.Add(sessionSettles)
	if f := h.get(session); f.Run == "" {
		t.Error("a session that settles was not looked for")
	}
	h.restart() // those who prove who they are first
	h.told(h.run("support"))
	if f := h.get(waits); f.Run == "" {
		t.Error("what waited does so no more")
	}
	turned := h.take(support, Report{On: On{JoinKey: "soon"}, Kind: Thumb, Value: num(1)})[0]
	h.get2()
	h.now = h.now.Add(waitUnproven)
	if err := h.book.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := h.book.wait.len(); n != 1 {
		t.Errorf("%d wait after a day", n)
	}
	if err := h.book.Bind(t.Context(), "support", "production", "soon", h.run("support").ID); err != nil {
		t.Fatal(err)
	}
	if f := h.get(turned); f.Run == "" {
		t.Error("what had no room has none when there is")
	}
	h.now = h.now.Add(waitFor)
	if err := h.book.tidy(t.Context()); err != nil || h.book.wait.len() != 0 || len(h.book.wait.share) != 0 {
		t.Errorf("%d wait after a month: %v", h.book.wait.len(), err)
	}
}

// A form's word is of the run that it names, however it names it.
func TestFormWord(t *testing.T) {
	t.Parallel()
	h := open(t)
	f := Form{Name: "shop", Team: "support", Environment: "production"}
	keys := map[string]bool{}
	for _, on := range []On{{Trace: trace}, {Trace: "0AF76519-16CD-43DD-8448-EB211C80319C"}, {Run: h.run("support").ID.String()}, {Trace: trace, Session: "x"}, {Trace: trace, JoinKey: "y"}} {
		_, key, err := f.Word(on)
		if err != nil {
			t.Fatal(err)
		}
		keys[key] = true
	}
	if len(keys) != 1 {
		t.Errorf("one run has %d words: %v", len(keys), keys)
	}
	on, key, err := f.Word(On{JoinKey: strings.Repeat("k", maxKey), Session: "chat-7"})
	if err != nil || len(key) > maxKey || on.Session != "" {
		t.Errorf("%+v %q %v", on, key, err)
	}
	if _, _, err := f.Word(On{}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("about nothing: %v", err)
	}
}

// What came with telemetry is erased with the rest of what a user of the team
// said, another team's is not, and who may not erase learns nothing.
func TestEraseTelemetry(t *testing.T) {
	t.Parallel()
	h := open(t)
	telemetry := Sender{Source: "telemetry", Verified: true}
	say := func(team, key string) string {
		id := h.take(telemetry, Report{Key: key, On: On{Run: activity.ScopeOf(team, "production").RunOfTrace(traceID(t)).String()}, Kind: Thumb, Value: num(0), Comment: "bad", User: "ada"})[0]
		h.told(h.run(team))
		if f := h.get(id); f.Team != team {
			t.Fatalf("%+v", f)
		}
		return id
	}
	mine, theirs := say("support", "1"), say("billing", "2")
	me := Actor{Person: "per_1", Can: func(_, team, _ string) bool { return team == "support" }}
	for _, user := range []string{"ada", "nobody"} {
		if _, err := h.book.Erase(t.Context(), me, "", "billing", user, "asked"); !fault.Is(err, fault.KindDenied) {
			t.Errorf("%s of another team: %v", user, err)
		}
	}
	if n, err := h.book.Erase(t.Context(), me, "", "support", "ada", "asked"); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	if f := h.get(mine); f.Comment != "" || f.UserRef != "" || !f.Erased {
		t.Errorf("%+v", f)
	}
	if f := h.get(theirs); f.Comment == "" || f.Erased {
		t.Errorf("another team's: %+v", f)
	}
}

// Many callers at once share transactions and lose nothing.
func TestTogether(t *testing.T) {
	t.Parallel()
	h := open(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for j := range 20 {
				if _, err := h.book.Take(t.Context(), support, []Report{{Key: fmt.Sprintf("%d %d", i, j), On: On{Session: "s"}, Value: num(1)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var seq int64
	seen := map[string]bool{}
	for {
		page, err := h.book.After(t.Context(), seq, 70)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, f := range page {
			seen[f.ID], seq = true, f.Seq
		}
	}
	if len(seen) != 400 {
		t.Errorf("%d of 400 are there", len(seen))
	}
}

func FuzzOpen(f *testing.F) {
	h := open(f)
	text, _, _ := h.book.Sign(Ticket{Team: "support", On: On{Trace: trace}}, time.Hour)
	f.Add(text)
	f.Add(TicketPrefix + ".")
	f.Add("rvf1.e30.AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := h.book.Open(s); err == nil && s != text {
			t.Fatalf("%q is taken", s)
		}
	})
}

// Of erased runs what anybody said goes, of every team; a system's verdict, which is
// nobody's words, stays as it is.
func TestEraseRuns(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := h.run("support")
	h.told(r)
	said := h.take(support, Report{Key: "1", On: On{Trace: trace}, Kind: Thumb, Value: num(0), Comment: "it is late", User: "ada"})[0]
	bare := h.take(support, Report{Key: "2", On: On{Trace: trace}, Kind: Thumb, Value: num(1), Giver: System})[0]
	run := h.get(said).Run
	if run == "" {
		t.Fatal("it has no run")
	}
	of := map[string]bool{run: true}
	for _, dry := range []bool{true, false} {
		if n, err := h.book.EraseRuns(t.Context(), Actor{Person: "per_1"}, of, "asked", dry); n != 1 || err != nil {
			t.Errorf("dry %v: %d, %v", dry, n, err)
		}
		if f := h.get(said); (f.Comment == "") == dry || f.Erased == dry || f.Verdict != Negative {
			t.Errorf("dry %v: %+v", dry, f)
		}
	}
	if f := h.get(bare); f.Erased || f.Verdict != Positive {
		t.Errorf("%+v", f)
	}
	if n, err := h.book.EraseRuns(t.Context(), Actor{Person: "per_1"}, map[string]bool{"run_9": true}, "asked", false); n != 0 || err != nil {
		t.Errorf("of another run: %d, %v", n, err)
	}
}
