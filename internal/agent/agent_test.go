package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// house is a Registry with a clock that the test moves.
type house struct {
	*Registry
	t    *testing.T
	db   *control.DB
	file string

	mu  sync.Mutex
	now time.Time
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, file: filepath.Join(t.TempDir(), "control.db"), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	h.start()
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), h.db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		if err := h.db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.db, err = controltest.Open(h.t.Context(), h.file); err != nil {
		h.t.Fatal(err)
	}
	h.Registry, err = New(h.t.Context(), Options{DB: h.db, Now: func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) restart() {
	h.t.Helper()
	if err := h.db.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// as is an actor with one role for the team core in every environment.
func as(role string) Actor {
	return Actor{Person: "prs_" + role, Name: role, Can: func(r, team, _ string) bool { return r == role && team == "core" }}
}

func (h *house) agent(name string) *Agent {
	h.t.Helper()
	a, err := h.Create(h.t.Context(), as(developer), Agent{Name: name, Team: "core", Purpose: "tests"}, "new")
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func (h *house) want(what string, err error, want string) {
	h.t.Helper()
	if got := code(err); got != want {
		h.t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.agent("refund")
	want := &Agent{
		Name: "refund", Team: "core", Owner: developer, Purpose: "tests", Kind: "internal", Environment: "production", Mode: "interactive",
		Lifecycle: Pilot, Autonomy: Supervised, Containment: None, Enforcement: Enforce, Content: "full", Origin: OriginRegistered,
		Epoch: 1, Revision: 1, CreatedAt: h.now, UpdatedAt: h.now,
	}
	if d := cmp.Diff(want, a); d != "" {
		t.Errorf("made (-want +got):\n%s", d)
	}
	for _, again := range []string{"in memory", "after a restart"} {
		if got, ok := h.Lookup("refund"); !ok || !cmp.Equal(want, got) {
			t.Errorf("%s:\n%s", again, cmp.Diff(want, got))
		}
		h.restart()
	}
	if _, ok := h.Lookup("other"); ok {
		t.Error("an agent that nobody made is there")
	}
	long := strings.Repeat("x", 65)
	for name, c := range map[string]struct {
		a    Agent
		who  Actor
		want string
	}{
		"taken":            {Agent{Name: "refund", Team: "core", Purpose: "p"}, as(developer), "agent.exists"},
		"another team":     {Agent{Name: "a", Team: "shop", Purpose: "p"}, as(developer), "agent.denied"},
		"a responder":      {Agent{Name: "a", Team: "core", Purpose: "p"}, as(responder), "agent.denied"},
		"nobody":           {Agent{Name: "a", Team: "core", Purpose: "p"}, Actor{Name: "x"}, "agent.denied"},
		"no purpose":       {Agent{Name: "a", Team: "core"}, as(developer), "agent.invalid"},
		"no team":          {Agent{Name: "a", Purpose: "p"}, as(developer), "agent.invalid"},
		"every team":       {Agent{Name: "a", Team: "*", Purpose: "p"}, as(developer), "agent.invalid"},
		"upper case":       {Agent{Name: "Refund", Team: "core", Purpose: "p"}, as(developer), "agent.invalid"},
		"a path":           {Agent{Name: "../a", Team: "core", Purpose: "p"}, as(developer), "agent.invalid"},
		"a long name":      {Agent{Name: long, Team: "core", Purpose: "p"}, as(developer), "agent.invalid"},
		"no name":          {Agent{Team: "core", Purpose: "p"}, as(developer), "agent.invalid"},
		"production":       {Agent{Name: "a", Team: "core", Purpose: "p", Lifecycle: Production}, as(security), "agent.invalid"},
		"unknown autonomy": {Agent{Name: "a", Team: "core", Purpose: "p", Autonomy: "free"}, as(developer), "agent.invalid"},
		"too autonomous":   {Agent{Name: "a", Team: "core", Purpose: "p", Autonomy: Autonomous}, as(developer), "agent.denied"},
		"contained":        {Agent{Name: "a", Team: "core", Purpose: "p", Containment: Throttled}, as(developer), "agent.invalid"},
		"bad label":        {Agent{Name: "a", Team: "core", Purpose: "p", Labels: map[string]string{"a=b": ""}}, as(developer), "agent.invalid"},
		"bad alias":        {Agent{Name: "a", Team: "core", Purpose: "p", Aliases: []Alias{{"mail", "x"}}}, as(developer), "agent.invalid"},
		"a name as alias":  {Agent{Name: "a", Team: "core", Purpose: "p", Aliases: []Alias{{"name", "refund"}}}, as(developer), "agent.alias_taken"},
	} {
		_, err := h.Create(t.Context(), c.who, c.a, "")
		h.want(name, err, c.want)
		if _, ok := h.Lookup("a"); ok {
			t.Fatalf("%s: the agent is there", name)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.agent("refund")
	h.agent("other")
	ptr := func(s string) *string { return &s }
	aliases := []Alias{{"service", "refund-svc"}}
	before, _ := h.Lookup("refund")
	a, err := h.Update(t.Context(), as(developer), "refund", Change{Revision: 1, Purpose: ptr("gives money back"), Aliases: &aliases, Labels: &map[string]string{"tier": "1"}, Reason: "clearer"})
	h.want("editing", err, "")
	if a.Revision != 2 || a.Purpose != "gives money back" || before.Purpose != "tests" {
		t.Errorf("edited %+v, before %+v", a, before)
	}
	for name, c := range map[string]struct {
		who  Actor
		c    Change
		want string
	}{
		"an old revision":       {as(developer), Change{Revision: 1, Purpose: ptr("x")}, "agent.conflict"},
		"a responder":           {as(responder), Change{Purpose: ptr("x")}, "agent.denied"},
		"autonomous":            {as(developer), Change{Autonomy: ptr(Autonomous)}, "agent.denied"},
		"unknown mode":          {as(developer), Change{Mode: ptr("x")}, "agent.invalid"},
		"nobody's owner":        {as(developer), Change{Owner: ptr("")}, "agent.invalid"},
		"a reason of two lines": {as(developer), Change{Reason: "a\nb"}, "agent.invalid"},
	} {
		_, err := h.Update(t.Context(), c.who, "refund", c.c)
		h.want(name, err, c.want)
	}
	_, err = h.Update(t.Context(), as(developer), "other", Change{Aliases: &aliases})
	h.want("another's alias", err, "agent.alias_taken")
	_, err = h.Update(t.Context(), as(developer), "gone", Change{})
	h.want("an unknown agent", err, "agent.not_found")
	_, err = h.Update(t.Context(), as(developer), "refund", Change{Autonomy: ptr(Bounded)})
	h.want("a pilot's autonomy", err, "")
	_, err = h.Update(t.Context(), as(developer), "refund", Change{Aliases: &[]Alias{}})
	h.want("taking the alias away", err, "")
	_, err = h.Update(t.Context(), as(developer), "other", Change{Aliases: &aliases})
	h.want("the alias, free now", err, "")

	list, err := h.Revisions(t.Context(), "refund")
	if err != nil || len(list) != 4 || list[2].Reason != "clearer" || list[2].Author != developer || list[2].Agent.Purpose != "gives money back" || list[3].Agent.Purpose != "tests" {
		t.Errorf("revisions %+v, %v", list, err)
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	ptr := func(s string) *string { return &s }
	promote := func(role, to string) error {
		_, err := h.Promote(ctx, as(role), "refund", to, "because")
		return err
	}
	h.want("a developer into production", promote(developer, Production), "agent.denied")
	h.want("back to draft", promote(developer, Draft), "")
	h.want("draft into production", promote(security, Production), "agent.transition")
	h.want("to pilot", promote(developer, Pilot), "")
	h.want("to pilot again", promote(developer, Pilot), "agent.transition")
	h.want("retired by promotion", promote(security, Retired), "agent.transition")
	h.want("into production", promote(security, Production), "")
	_, err := h.Update(ctx, as(developer), "refund", Change{Autonomy: ptr(Bounded)})
	h.want("more autonomy in production", err, "agent.denied")
	_, err = h.Update(ctx, as(developer), "refund", Change{Enforcement: ptr(Observe)})
	h.want("production unenforced", err, "agent.denied")
	_, err = h.Update(ctx, as(developer), "refund", Change{Autonomy: ptr(ReadOnly)})
	h.want("less autonomy", err, "")
	_, err = h.Promote(ctx, as(security), "refund", Pilot, " ")
	h.want("no reason", err, "agent.invalid")
	_, err = h.Retire(ctx, as(developer), "refund", "over")
	h.want("a developer retires", err, "agent.denied")
	a, err := h.Retire(ctx, as(security), "refund", "over")
	h.want("retiring", err, "")
	if a.Lifecycle != Retired || a.Epoch != 2 {
		t.Errorf("retired: %+v", a)
	}
	h.want("out of retirement", promote(security, Pilot), "agent.transition")
	_, err = h.Update(ctx, as(security), "refund", Change{})
	h.want("changing the retired", err, "agent.retired")
	_, _, err = h.CreateKey(ctx, as(security), "refund", NewKey{Label: "l"})
	h.want("a key for the retired", err, "agent.retired")
	_, err = h.Create(ctx, as(developer), Agent{Name: "refund", Team: "core", Purpose: "p"}, "")
	h.want("its name again", err, "agent.exists")
}

func TestContainment(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	contain := func(role, level string, life time.Duration) error {
		var till time.Time
		if life != 0 {
			till = h.now.Add(life)
		}
		_, err := h.Contain(ctx, as(role), "refund", level, till, "odd")
		return err
	}
	in := func(want string) {
		t.Helper()
		if a, _ := h.Lookup("refund"); a.Contained(h.now) != want {
			t.Errorf("contained %s until %v, want %s", a.Containment, a.ContainedTill, want)
		}
	}
	h.want("a developer", contain(developer, Quarantined, 0), "agent.denied")
	h.want("no containment", contain(responder, None, 0), "agent.invalid")
	h.want("an unknown word", contain(responder, "frozen", 0), "agent.invalid")
	h.want("in the past", contain(responder, Throttled, -time.Hour), "agent.invalid")
	h.want("throttling", contain(responder, Throttled, time.Hour), "")
	in(Throttled)
	h.want("sooner", contain(responder, Quarantined, time.Minute), "agent.release_needed")
	h.want("longer", contain(responder, Throttled, 2*time.Hour), "")
	h.want("quarantining", contain(responder, Quarantined, 3*time.Hour), "")
	h.want("loosening", contain(responder, ReadOnly, 0), "agent.release_needed")
	h.restart()
	in(Quarantined)
	h.pass(3 * time.Hour)
	in(None)
	if err := h.end(ctx); err != nil {
		t.Fatal(err)
	}
	if a, _ := h.Lookup("refund"); a.Containment != None || !a.ContainedTill.IsZero() {
		t.Errorf("after its time: %+v", a)
	}
	h.want("for good", contain(responder, Quarantined, 0), "")
	h.want("ending what has no end", contain(responder, Quarantined, time.Hour), "agent.release_needed")
	_, err := h.Release(ctx, as(responder), "refund", "fine")
	h.want("a responder releases", err, "agent.denied")
	_, err = h.Release(ctx, as(security), "refund", "")
	h.want("release without a reason", err, "agent.invalid")
	_, err = h.Release(ctx, as(security), "refund", "fine")
	h.want("releasing", err, "")
	in(None)
	_, err = h.Release(ctx, as(security), "refund", "fine")
	h.want("releasing the free", err, "agent.not_contained")
}

func TestBreakGlass(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	_, err := h.BreakGlass(ctx, as(developer), "refund", time.Hour, "outage")
	h.want("a developer", err, "agent.denied")
	_, err = h.BreakGlass(ctx, as(responder), "refund", 2*time.Hour, "outage")
	h.want("two hours", err, "agent.invalid")
	a, err := h.BreakGlass(ctx, as(responder), "refund", time.Hour, "outage")
	h.want("an hour", err, "")
	if a.Enforced(h.now) || !a.Enforced(h.now.Add(time.Hour)) {
		t.Errorf("observed until %v", a.ObserveTill)
	}
	_, err = h.BreakGlass(ctx, as(responder), "refund", time.Hour, "more")
	h.want("another hour", err, "agent.observed")
	h.pass(time.Hour)
	if err := h.end(ctx); err != nil {
		t.Fatal(err)
	}
	if a, _ := h.Lookup("refund"); a.Enforcement != Enforce {
		t.Errorf("after the hour: %+v", a)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	home, abroad := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		who  Actor
		n    NewKey
		want string
	}{
		"a responder": {as(responder), NewKey{Label: "l"}, "agent.denied"},
		"no label":    {as(developer), NewKey{}, "agent.invalid"},
		"91 days":     {as(developer), NewKey{Label: "l", Life: 91 * 24 * time.Hour}, "agent.invalid"},
		"no life":     {as(developer), NewKey{Label: "l", Life: -1}, "agent.invalid"},
		"no network":  {as(developer), NewKey{Label: "l", Networks: []string{"home"}}, "agent.invalid"},
	} {
		_, _, err := h.CreateKey(ctx, c.who, "refund", c.n)
		h.want(name, err, c.want)
	}
	k, text, err := h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "ci", Networks: []string{"10.0.0.0/8"}, Life: time.Hour})
	h.want("making", err, "")
	use := func(text string, from netip.Addr) string {
		_, _, err := h.Key(text, from)
		return code(err)
	}
	got, a, err := h.Key(text, netip.MustParseAddr("::ffff:10.1.2.3"))
	if err != nil || a.Name != "refund" || !cmp.Equal(got, k, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })) {
		t.Errorf("used: %+v %+v %v", got, a, err)
	}
	other := []byte(text)
	other[20] ^= 1
	forged := string(other[:keyLen-checkLen])
	forged += check(forged)
	for name, c := range map[string][2]string{
		"another address": {text, abroad.String()}, "a typing error": {string(other), home.String()}, "a forged secret": {forged, home.String()}, "nothing": {"", home.String()},
	} {
		if got := use(c[0], netip.MustParseAddr(c[1])); got != "agent.key" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if err := h.flush(ctx); err != nil {
		t.Fatal(err)
	}
	h.restart()
	list, err := h.Keys(ctx, as(auditor), "refund")
	if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(h.now) {
		t.Errorf("keys %+v, %v", list, err)
	}
	if got := use(text, home); got != "" {
		t.Errorf("after a restart: %q", got)
	}
	h.pass(time.Hour)
	if got := use(text, home); got != "agent.key" {
		t.Errorf("expired: %q", got)
	}

	k, text, err = h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "two"})
	h.want("another", err, "")
	h.want("revoking it elsewhere", h.RevokeKey(ctx, as(developer), "refund", "rvk_x", ""), "agent.key_not_found")
	h.want("revoking", h.RevokeKey(ctx, as(responder), "refund", k.ID, "old"), "")
	if got := use(text, home); got != "agent.key" {
		t.Errorf("revoked: %q", got)
	}
	_, text, err = h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "three"})
	h.want("a third", err, "")
	if died, err := h.Leaked(ctx, text); !died || err != nil || use(text, home) != "agent.key" {
		t.Errorf("leaked: %v, %v", died, err)
	}
	if died, err := h.Leaked(ctx, "rvk_nothing"); died || err != nil {
		t.Errorf("nothing leaked: %v, %v", died, err)
	}
}

func TestRaise(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	var texts []string
	for range 3 {
		_, text, err := h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "l"})
		h.want("making", err, "")
		texts = append(texts, text)
	}
	undone := errors.New("undone")
	if err := h.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := h.Raise(ctx, tx, "refund"); err != nil {
			return err
		}
		return undone
	}); !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if _, _, err := h.Key(texts[0], netip.Addr{}); err != nil {
		t.Errorf("after a stop that was undone: %v", err)
	}
	var died int
	if err := h.db.Write(ctx, func(tx *control.Tx) (err error) {
		died, err = h.Raise(ctx, tx, "refund")
		return err
	}); err != nil || died != 3 {
		t.Fatalf("%d keys died, %v", died, err)
	}
	for range 2 {
		a, _ := h.Lookup("refund")
		if a.Epoch != 2 {
			t.Errorf("epoch %d, want 2", a.Epoch)
		}
		for _, text := range texts {
			if _, _, err := h.Key(text, netip.Addr{}); code(err) != "agent.key" {
				t.Errorf("after the stop: %v", err)
			}
		}
		h.restart()
	}
	err := h.db.Write(ctx, func(tx *control.Tx) error {
		_, err := h.Raise(ctx, tx, "gone")
		return err
	})
	h.want("an unknown agent", err, "agent.not_found")
}

// Who holds a dead key is told how it died, also after a restart; who does not
// hold it learns nothing.
func TestKeysTellHowTheyDied(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	k, revoked, err := h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "one"})
	h.want("making", err, "")
	_, stopped, err := h.CreateKey(ctx, as(developer), "refund", NewKey{Label: "two", Networks: []string{"10.0.0.0/8"}})
	h.want("making", err, "")
	h.want("revoking", h.RevokeKey(ctx, as(responder), "refund", k.ID, "old"), "")
	h.pass(time.Minute)
	if err := h.db.Write(ctx, func(tx *control.Tx) error {
		_, err := h.Raise(ctx, tx, "refund")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	home := netip.MustParseAddr("10.1.2.3")
	_, never := mintKey()
	for range 2 {
		for _, c := range []struct {
			name, text string
			from       netip.Addr
			want       string
		}{
			{"revoked", revoked, home, "the agent key was revoked at " + h.now.Add(-time.Minute).UTC().Format(time.RFC3339)},
			{"stopped", stopped, home, "the agent key was revoked at " + h.now.UTC().Format(time.RFC3339) + " by a stop of its agent"},
			{"stopped, from elsewhere", stopped, netip.MustParseAddr("192.0.2.1"), "the agent key is not valid"},
			{"its id with another secret", stopped[:idLen] + never[idLen:], home, "the agent key is not valid"},
			{"never made", never, home, "the agent key is not valid"},
		} {
			_, _, err := h.Key(c.text, c.from)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != "agent.key" || f.Message != c.want {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
		}
		if err := h.flush(ctx); err != nil {
			t.Fatal(err)
		}
		h.restart()
	}
}

func TestSeen(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.agent("refund")
	h.Seen(Sighting{Agent: "refund", At: h.now, Version: "v1"})
	h.Seen(Sighting{Agent: "refund", At: h.now.Add(-time.Hour)})
	h.Seen(Sighting{Agent: "stranger", At: h.now})
	for range 2 { // the second finds nothing to write
		if err := h.flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if a, _ := h.Lookup("refund"); a.Version != "v1" || a.Revision != 1 || !h.LastSeen("refund").Equal(h.now) {
			t.Errorf("seen: %+v at %v", a, h.LastSeen("refund"))
		}
		h.restart()
	}
	events, err := h.db.Events(ctx, 0, 100)
	if err != nil || len(events) != 2 || events[1].Type != "agent.version" {
		t.Errorf("events %+v, %v", events, err)
	}
}

func TestEnsureDev(t *testing.T) {
	t.Parallel()
	h := open(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if a, err := h.EnsureDev(t.Context(), "dev"); err != nil || a.Lifecycle != Draft || a.Origin != OriginDev {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	wg.Wait()
	if n := len(h.List()); n != 1 {
		t.Errorf("%d agents, want 1", n)
	}
}

// Readers see each agent whole while it changes.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.agent("refund")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		var last int64
		for ctx.Err() == nil {
			a, _ := h.Lookup("refund")
			if a.Revision < last || a.Revision > 1 && a.Purpose != fmt.Sprint(a.Revision) {
				t.Errorf("revision %d says %q after %d", a.Revision, a.Purpose, last)
			}
			last = a.Revision
			h.Seen(Sighting{Agent: "refund", At: a.UpdatedAt})
		}
	})
	for n := int64(2); n < 50; n++ {
		text := fmt.Sprint(n)
		if _, err := h.Update(t.Context(), as(developer), "refund", Change{Revision: n - 1, Purpose: &text}); err != nil {
			t.Error(err)
		}
	}
	cancel()
	wg.Wait()
}

func FuzzParseKey(f *testing.F) {
	_, text := mintKey()
	f.Add(text)
	f.Add("rvk_")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := parseKey(text); ok && (len(text) != keyLen || !strings.HasPrefix(text, id+"_")) {
			t.Errorf("%q is read as %q", text, id)
		}
	})
}

func FuzzNetworks(f *testing.F) {
	f.Add("10.0.0.0/8")
	f.Add("::ffff:10.0.0.1/104")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := readNetworks([]string{text})
		if err == nil && (!list[0].IsValid() || list[0].Addr().Is4In6()) {
			t.Errorf("%q is read as %v", text, list)
		}
	})
}

func BenchmarkKey(b *testing.B) {
	db, err := controltest.Open(b.Context(), filepath.Join(b.TempDir(), "control.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	r, err := New(b.Context(), Options{DB: db})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Create(b.Context(), as(developer), Agent{Name: "a", Team: "core", Purpose: "p"}, ""); err != nil {
		b.Fatal(err)
	}
	_, text, err := r.CreateKey(b.Context(), as(developer), "a", NewKey{Label: "l"})
	if err != nil {
		b.Fatal(err)
	}
	from := netip.MustParseAddr("127.0.0.1")
	for b.Loop() {
		if _, _, err := r.Key(text, from); err != nil {
			b.Fatal(err)
		}
	}
}
