package identity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// house is a Directory with a clock that the test moves.
type house struct {
	*Directory
	t   testing.TB
	db  *control.DB
	dir string

	mu  sync.Mutex
	now time.Time
}

const good = "correct horse battery"

func open(t testing.TB) *house {
	t.Helper()
	dir := t.TempDir()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, dir: dir, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	h.Directory, err = New(Options{DB: db, Dir: dir, Hashing: Hashing{MemoryKB: 8, Passes: 1}, Now: func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// admin sets the house up and signs its first person in.
func (h *house) admin() Principal {
	h.t.Helper()
	token, err := h.AdminToken(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.CreateFirstPerson(h.t.Context(), token, "127.0.0.1", NewPerson{Name: "Ada", Password: good}); err != nil {
		h.t.Fatal(err)
	}
	return h.signIn("ada")
}

func (h *house) signIn(name string) Principal {
	h.t.Helper()
	n, err := h.SignIn(h.t.Context(), name, good, "", "127.0.0.1", "test")
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.Session(h.t.Context(), n.Cookie, n.Secret)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) person(by Principal, name string, grants ...Grant) Person {
	h.t.Helper()
	p, err := h.CreatePerson(h.t.Context(), by, NewPerson{Name: name, Password: good, Grants: grants})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) kinds() []string {
	h.t.Helper()
	list, err := audit.List(h.t.Context(), h.db, audit.Filter{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	var kinds []string
	for _, e := range list {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (h *house) wantCode(what string, err error, want string) {
	h.t.Helper()
	got := ""
	if err != nil {
		got = fault.From(err).Code
	}
	if got != want {
		h.t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
	}
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	token, err := h.AdminToken(ctx)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "admin-token")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("admin-token: %v, %v; want mode 0600", info, err)
	}
	again, err := h.AdminToken(ctx)
	if err != nil || again != token {
		t.Errorf("a second start gave %q, %v; want the same token", again, err)
	}
	if err := os.WriteFile(file, []byte("rva_planted\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fresh, err := h.AdminToken(ctx)
	if err != nil || fresh == token || fresh == "rva_planted" {
		t.Errorf("with a planted file: %q, %v; want a new token", fresh, err)
	}
	if info, err = os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("admin-token: %v, %v; want mode 0600", info, err)
	}
	ada := NewPerson{Name: "Ada", Password: good}
	_, err = h.CreateFirstPerson(ctx, token, "::1", ada)
	h.wantCode("the replaced token", err, "identity.admin_token")
	_, err = h.CreateFirstPerson(ctx, fresh, "::1", NewPerson{Name: "ada", Password: "short"})
	h.wantCode("a weak password", err, "identity.password")
	p, err := h.CreateFirstPerson(ctx, fresh, "::1", ada)
	if err != nil || p.Name != "ada" || len(p.Grants) != len(Roles()) {
		t.Fatalf("first person: %+v, %v", p, err)
	}
	_, err = h.CreateFirstPerson(ctx, fresh, "::1", NewPerson{Name: "eve", Password: good})
	h.wantCode("the used token", err, "identity.admin_token")
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("admin-token is still there: %v", err)
	}
	if token, err := h.AdminToken(ctx); token != "" || err != nil {
		t.Errorf("a start with an account gave %q, %v", token, err)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	if admin.Kind != KindPerson || admin.Name != "ada" || !admin.Everywhere(Admin) {
		t.Errorf("signed in as %+v", admin)
	}
	_, err := h.SignIn(ctx, "ada", "wrong", "", "10.0.0.1", "")
	h.wantCode("wrong password", err, "identity.sign_in")
	_, err = h.SignIn(ctx, "nobody", good, "", "10.0.0.1", "")
	h.wantCode("unknown name", err, "identity.sign_in")

	n, err := h.SignIn(ctx, " ADA ", good, "", "10.0.0.2", strings.Repeat("é", 500)+"\xff")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string][2]string{
		"no secret": {n.Cookie, ""}, "wrong secret": {n.Cookie, n.Cookie}, "no cookie": {"", n.Secret},
		"wrong cookie": {n.Secret, n.Secret}, "huge": {strings.Repeat("x", 1<<20), n.Secret},
	} {
		_, err := h.Session(ctx, c[0], c[1])
		h.wantCode(what, err, "identity.session")
	}
	list, err := h.SignIns(ctx, admin, false)
	if err != nil || len(list) != 2 {
		t.Fatalf("listed %d, %v", len(list), err)
	}
	h.pass(50 * time.Minute)
	if _, err := h.Session(ctx, n.Cookie, n.Secret); err != nil {
		t.Errorf("after 50 minutes: %v", err)
	}
	if err := h.flush(ctx); err != nil {
		t.Fatal(err)
	}
	h.pass(50 * time.Minute)
	if _, err := h.Session(ctx, n.Cookie, n.Secret); err != nil {
		t.Errorf("50 minutes after its last use: %v", err)
	}
	if list, err = h.SignIns(ctx, admin, true); err != nil || len(list) != 1 {
		t.Errorf("the idle one is still listed: %d, %v", len(list), err)
	}
	h.pass(time.Hour)
	_, err = h.Session(ctx, n.Cookie, n.Secret)
	h.wantCode("idle for an hour", err, "identity.session")

	n, err = h.SignIn(ctx, "ada", good, "", "10.0.0.2", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 23 {
		h.pass(30 * time.Minute)
		if _, err := h.Session(ctx, n.Cookie, n.Secret); err != nil {
			t.Fatal(err)
		}
	}
	h.pass(30 * time.Minute)
	_, err = h.Session(ctx, n.Cookie, n.Secret)
	h.wantCode("after 12 hours", err, "identity.session")

	n, err = h.SignIn(ctx, "ada", good, "", "10.0.0.2", "")
	if err != nil {
		t.Fatal(err)
	}
	bob := h.person(admin, "bob")
	h.wantCode("somebody else's", h.EndSignIn(ctx, Principal{Kind: KindPerson, PersonID: bob.ID}, n.SignIn.ID), "identity.not_found")
	h.wantCode("one's own", h.EndSignIn(ctx, admin, n.SignIn.ID), "")
	_, err = h.Session(ctx, n.Cookie, n.Secret)
	h.wantCode("ended", err, "identity.session")
}

func TestSignInRateLimit(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.admin()
	attempt := func(name, password, address string) string {
		_, err := h.SignIn(ctx, name, password, "", address, "")
		if err == nil {
			return ""
		}
		return fault.From(err).Code
	}
	const home, proxy, stranger = "10.0.0.1", "127.0.0.1", "10.0.2.2"
	if got := attempt("ada", good, home); got != "" {
		t.Fatalf("at home: %s", got)
	}
	for i := range 10 {
		if got := attempt("ada", "wrong", stranger); got != "identity.sign_in" {
			t.Fatalf("attempt %d: %s", i, got)
		}
	}
	if got := attempt("ada", good, stranger); got != "identity.too_many" {
		t.Errorf("the eleventh for a name from one address: %q", got)
	}
	if got := attempt("ada", good, "10.0.1.1"); got != "" {
		t.Errorf("the name from another address: %q", got)
	}
	h.pass(time.Minute)
	for range 50 {
		if got := attempt("ada", good, stranger); got != "" {
			t.Fatalf("successes must not count: %q", got)
		}
	}

	// Guesses from everywhere meet the limit of the name, which her own
	// addresses do not.
	seen := map[string]int{}
	for i := range 120 {
		seen[attempt("ada", "wrong", fmt.Sprintf("10.1.0.%d", i))]++
	}
	if seen["identity.too_many"] < 15 {
		t.Errorf("120 guesses from as many addresses: %v, want some 20 refused", seen)
	}
	if got := attempt("ada", good, "10.2.0.1"); got != "identity.too_many" {
		t.Errorf("from an address she never used: %q", got)
	}
	if got := attempt("ada", good, home); got != "" {
		t.Errorf("from an address she used before: %q", got)
	}

	// Many names from one address, and from the proxy that everybody shares.
	seen = map[string]int{}
	for i := range 320 {
		seen[attempt(fmt.Sprintf("guess-%d", i), "wrong", "10.3.0.1")]++
		if got := attempt(fmt.Sprintf("other-%d", i), "wrong", proxy); got != "identity.sign_in" {
			t.Fatalf("name %d through the proxy: %q", i, got)
		}
	}
	if seen["identity.too_many"] != 20 {
		t.Errorf("320 names from one address: %v, want 20 refused", seen)
	}
	h.pass(2 * time.Hour)
	if got := attempt("ada", good, "10.2.0.1"); got != "" {
		t.Errorf("two hours later: %q", got)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, time.Second)
	now := time.Unix(1000, 0)
	for i := range 3 * maxBuckets {
		l.take(newID("x", now.Add(time.Duration(i))), now)
	}
	if n := len(l.buckets); n > maxBuckets {
		t.Errorf("%d buckets, want at most %d", n, maxBuckets)
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	if _, err := h.CreateTeam(ctx, admin, "support", "#support"); err != nil {
		t.Fatal(err)
	}
	_, err := h.CreateTeam(ctx, admin, "support", "")
	h.wantCode("a second team of the name", err, "identity.exists")
	_, err = h.CreateTeam(ctx, admin, "a\nb", "")
	h.wantCode("an odd team name", err, "identity.invalid")

	grants := []Grant{{Reader, "support", Everything}}
	bob, err := h.CreatePerson(ctx, admin, NewPerson{Name: "Bob", FullName: "Bob B.", Email: "bob@example.com", Password: good, Teams: []string{"support"}, Grants: append(grants, grants...)})
	if err != nil {
		t.Fatal(err)
	}
	want := Person{ID: bob.ID, Name: "bob", FullName: "Bob B.", Email: "bob@example.com", Teams: []string{"support"}, Grants: grants, CreatedAt: h.now, Version: 1}
	if diff := cmp.Diff(want, bob); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	for what, n := range map[string]NewPerson{
		"identity.exists":   {Name: "BOB", Password: good},
		"identity.password": {Name: "carl", Password: "carl carl carl carl"},
		"identity.invalid":  {Name: "c\u0430rl", Password: good},
	} {
		_, err := h.CreatePerson(ctx, admin, n)
		h.wantCode(n.Name, err, what)
	}
	for what, n := range map[string]NewPerson{
		"unknown role": {Name: "x", Password: good, Grants: []Grant{{"boss", "*", "*"}}},
		"no team":      {Name: "x", Password: good, Grants: []Grant{{Viewer, "", "*"}}},
		"unknown team": {Name: "x", Password: good, Teams: []string{"nope"}},
		"bad text":     {Name: "x", Password: good, FullName: "a\x00b"},
	} {
		_, err := h.CreatePerson(ctx, admin, n)
		h.wantCode(what, err, "identity.invalid")
	}
	asBob := h.signIn("bob")
	_, err = h.CreatePerson(ctx, asBob, NewPerson{Name: "x", Password: good})
	h.wantCode("made by bob", err, "identity.denied")
	_, err = h.CreateTeam(ctx, asBob, "x", "")
	h.wantCode("team by bob", err, "identity.denied")

	full, disabled := "Robert", true
	bob, err = h.UpdatePerson(ctx, asBob, PersonChange{ID: bob.ID, Version: 1, FullName: &full})
	if err != nil || bob.FullName != "Robert" || bob.Version != 2 {
		t.Errorf("own name: %+v, %v", bob, err)
	}
	_, err = h.UpdatePerson(ctx, asBob, PersonChange{ID: bob.ID, Version: 1, FullName: &full})
	h.wantCode("old version", err, "identity.version")
	every := everyRole()
	_, err = h.UpdatePerson(ctx, asBob, PersonChange{ID: bob.ID, Version: 2, Grants: &every})
	h.wantCode("bob makes himself admin", err, "identity.denied")
	_, err = h.UpdatePerson(ctx, asBob, PersonChange{ID: admin.PersonID, Version: 1, FullName: &full})
	h.wantCode("bob renames ada", err, "identity.denied")
	_, err = h.UpdatePerson(ctx, admin, PersonChange{ID: admin.PersonID, Version: 1, Disabled: &disabled})
	h.wantCode("the last admin", err, "identity.last_admin")
	none := []Grant{}
	_, err = h.UpdatePerson(ctx, admin, PersonChange{ID: admin.PersonID, Version: 1, Grants: &none})
	h.wantCode("the last admin's role", err, "identity.last_admin")

	other := "another good pass phrase"
	in, err := h.SignIn(ctx, "bob", good, "", "::1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = h.UpdatePerson(ctx, asBob, PersonChange{ID: bob.ID, Version: 2, Password: &other}); err != nil {
		t.Fatal(err)
	}
	_, err = h.Session(ctx, in.Cookie, in.Secret)
	h.wantCode("another session after a new password", err, "identity.session")
	_, err = h.SignIn(ctx, "bob", good, "", "::1", "")
	h.wantCode("the old password", err, "identity.sign_in")
	if in, err = h.SignIn(ctx, "bob", other, "", "::1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.UpdatePerson(ctx, admin, PersonChange{ID: bob.ID, Version: 3, Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	_, err = h.Session(ctx, in.Cookie, in.Secret)
	h.wantCode("a disabled person's session", err, "identity.session")
	_, err = h.SignIn(ctx, "bob", other, "", "::1", "")
	h.wantCode("a disabled person", err, "identity.sign_in")

	people, next, err := h.People(ctx, "", 1)
	if err != nil || len(people) != 1 || people[0].Name != "ada" || next != "ada" {
		t.Errorf("first page: %v, %q, %v", people, next, err)
	}
	people, next, err = h.People(ctx, next, 1)
	if err != nil || len(people) != 1 || people[0].Name != "bob" || next != "" || len(people[0].Grants) != 1 {
		t.Errorf("second page: %v, %q, %v", people, next, err)
	}
	_, err = h.Person(ctx, "per_none")
	h.wantCode("unknown", err, "identity.not_found")
	teams, err := h.Teams(ctx)
	if err != nil || len(teams) != 1 || !cmp.Equal(teams[0].People, []string{"bob"}) {
		t.Errorf("teams: %+v, %v", teams, err)
	}
	wantKinds := []string{
		"admin.person_updated", "sign_in.opened", "admin.person_updated", "sign_in.opened", "admin.person_updated",
		"sign_in.opened", "admin.person_created", "admin.team_created", "sign_in.opened", "admin.person_created",
	}
	if diff := cmp.Diff(wantKinds, h.kinds()); diff != "" {
		t.Errorf("audit kinds, newest first (-want +got):\n%s", diff)
	}
	events, err := h.db.Events(ctx, 0, 100)
	if err != nil || len(events) != len(wantKinds) {
		t.Errorf("%d events, %v; want one a change", len(events), err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	h.person(admin, "bob", Grant{Developer, "support", "production"}, Grant{Viewer, Everything, Everything})
	bob := h.signIn("bob")
	tok, secret, err := h.CreateToken(ctx, bob, NewToken{Name: "ci", Grants: []Grant{{Reader, "support", "production"}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Token(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	want := Principal{Kind: KindToken, PersonID: bob.PersonID, Name: "bob", TokenID: tok.ID, Grants: []Grant{{Reader, "support", "production"}}, ExpiresAt: tok.ExpiresAt}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("principal (-want +got):\n%s", diff)
	}
	for what, n := range map[string]NewToken{
		"wider role":        {Name: "x", Grants: []Grant{{Approver, "support", "production"}}},
		"wider team":        {Name: "x", Grants: []Grant{{Reader, "sales", "production"}}},
		"wider environment": {Name: "x", Grants: []Grant{{Reader, "support", Everything}}},
	} {
		_, _, err := h.CreateToken(ctx, bob, n)
		h.wantCode(what, err, "identity.denied")
	}
	_, _, err = h.CreateToken(ctx, p, NewToken{Name: "x"})
	h.wantCode("a token makes a token", err, "identity.person_only")
	for what, n := range map[string]NewToken{"no name": {}, "kind": {Name: "x", Kind: "magic"}, "life": {Name: "x", Life: 1000 * 24 * time.Hour}} {
		_, _, err = h.CreateToken(ctx, bob, n)
		h.wantCode(what, err, "identity.invalid")
	}
	for what, text := range map[string]string{"empty": "", "cut": secret[:len(secret)-1], "other": secret[:20] + "A" + secret[21:], "unknown": func() string { _, s := newKey(tokenPrefix); return s }()} {
		_, err := h.Token(ctx, text)
		h.wantCode(what, err, "identity.token")
	}
	list, err := h.Tokens(ctx, bob, false)
	if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(h.now) {
		t.Errorf("listed %+v, %v", list, err)
	}
	_, err = h.Tokens(ctx, bob, true)
	h.wantCode("everybody's, by bob", err, "identity.denied")

	// A token is never more than its owner is now.
	viewer := []Grant{{Viewer, "support", Everything}}
	if _, err := h.UpdatePerson(ctx, admin, PersonChange{ID: bob.PersonID, Version: 1, Grants: &viewer}); err != nil {
		t.Fatal(err)
	}
	if p, err = h.Token(ctx, secret); err != nil || !cmp.Equal(p.Grants, []Grant{{Viewer, "support", "production"}}) {
		t.Errorf("after a demotion: %+v, %v", p.Grants, err)
	}
	adminTok, adminSecret, err := h.CreateToken(ctx, admin, NewToken{Name: "all", Kind: TokenService})
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.Token(ctx, adminSecret)
	if err != nil || !all.Everywhere(Admin) {
		t.Fatalf("%+v, %v", all, err)
	}
	_, err = h.CreatePerson(ctx, all, NewPerson{Name: "x", Password: good})
	h.wantCode("a token grants roles", err, "identity.person_only")

	h.wantCode("bob revokes ada's", h.RevokeToken(ctx, bob, adminTok.ID), "identity.not_found")
	for range 2 {
		h.wantCode("bob revokes his", h.RevokeToken(ctx, bob, tok.ID), "")
	}
	_, err = h.Token(ctx, secret)
	h.wantCode("revoked", err, "identity.token")
	h.pass(tokenLife)
	_, err = h.Token(ctx, adminSecret)
	h.wantCode("expired", err, "identity.token")
}

func TestIntakeKeys(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	h.person(admin, "dev", Grant{Developer, "support", "staging"})
	dev := h.signIn("dev")
	_, _, err := h.CreateIntakeKey(ctx, dev, NewIntakeKey{Name: "bot", Team: "support", Environment: "staging"})
	h.wantCode("no such team", err, "identity.invalid")
	if _, err := h.CreateTeam(ctx, admin, "support", ""); err != nil {
		t.Fatal(err)
	}
	k, secret, err := h.CreateIntakeKey(ctx, dev, NewIntakeKey{Name: "bot", Team: "support", Environment: "staging", SpansPerSecond: 100, BytesPerSecond: 1 << 20, Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.IntakeKey(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k, got, cmpopts.IgnoreUnexported(IntakeKey{})); diff != "" || got.hash != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	_, _, err = h.CreateIntakeKey(ctx, dev, NewIntakeKey{Name: "x", Team: "support", Environment: "production"})
	h.wantCode("production", err, "identity.denied")
	for what, n := range map[string]NewIntakeKey{
		"no name": {Team: "a", Environment: "b"}, "every team": {Name: "x", Team: Everything, Environment: "b"}, "quota": {Name: "x", Team: "a", Environment: "b", SpansPerSecond: -1},
	} {
		_, _, err := h.CreateIntakeKey(ctx, admin, n)
		h.wantCode(what, err, "identity.invalid")
	}
	// A database that does not answer does not stop intake.
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.IntakeKey(ended, secret); err != nil {
		t.Errorf("from memory: %v", err)
	}
	_, tokenText := newKey(tokenPrefix)
	for what, text := range map[string]string{"token": tokenText, "empty": "", "unknown": func() string { _, s := newKey(intakePrefix); return s }()} {
		_, err := h.IntakeKey(ctx, text)
		h.wantCode(what, err, "identity.key")
	}
	forever, foreverSecret, err := h.CreateIntakeKey(ctx, admin, NewIntakeKey{Name: "prod", Team: "support", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := h.IntakeKeys(ctx, dev); err != nil || len(list) != 1 || !list[0].LastUsed.Equal(h.now) {
		t.Errorf("dev sees %+v, %v", list, err)
	}
	if list, err := h.IntakeKeys(ctx, admin); err != nil || len(list) != 2 {
		t.Errorf("admin sees %d, %v", len(list), err)
	}
	h.wantCode("revoked by dev", h.RevokeIntakeKey(ctx, dev, forever.ID), "identity.not_found")
	if _, err := h.IntakeKey(ctx, foreverSecret); err != nil {
		t.Error(err)
	}
	h.wantCode("revoked by admin", h.RevokeIntakeKey(ctx, admin, forever.ID), "")
	_, err = h.IntakeKey(ctx, foreverSecret)
	h.wantCode("revoked", err, "identity.key")
	h.pass(time.Hour)
	_, err = h.IntakeKey(ctx, secret)
	h.wantCode("expired", err, "identity.key")
}

func TestRunWritesLastUses(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := h.admin()
	_, secret, err := h.CreateIntakeKey(t.Context(), admin, NewIntakeKey{Name: "k", Team: "a", Environment: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.IntakeKey(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if err := h.Run(ctx); !errors.Is(err, stop) {
		t.Errorf("Run: %v", err)
	}
	list, err := control.All(t.Context(), h.db, h.scanIntakeKey, `SELECT `+intakeKeyColumns)
	if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(h.now) || len(h.used) != 0 {
		t.Errorf("the database says %+v, %v", list, err)
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	p := Principal{Grants: []Grant{{Developer, "support", "production"}, {Viewer, "sales", Everything}, {Auditor, Everything, "staging"}}}
	for _, c := range []struct {
		role      Role
		team, env string
		want      bool
	}{
		{Developer, "support", "production", true},
		{Reader, "support", "production", true},
		{Viewer, "support", "production", true},
		{Developer, "support", "staging", false},
		{Developer, "sales", "production", false},
		{Approver, "support", "production", false},
		{Viewer, "sales", "anything", true},
		{Viewer, "sales", "", true},
		{Viewer, "", "", false},
		{Auditor, "other", "staging", true},
		{Auditor, "", "staging", true},
		{Viewer, "other", "production", false},
		{Auditor, Everything, Everything, false},
	} {
		if got := p.Can(c.role, c.team, c.env); got != c.want {
			t.Errorf("Can(%s, %q, %q) = %v, want %v", c.role, c.team, c.env, got, c.want)
		}
	}
	if diff := cmp.Diff([]string{"support"}, p.Teams(Reader)); diff != "" {
		t.Errorf("Teams(reader) (-want +got):\n%s", diff)
	}
	if got := p.Teams(Viewer); got != nil {
		t.Errorf("Teams(viewer) = %v, want nil for all", got)
	}
	if got := p.Teams(Admin); got == nil || len(got) != 0 {
		t.Errorf("Teams(admin) = %v, want empty", got)
	}
	for _, r := range Roles() {
		if !Dev().Everywhere(r) || (Principal{}).Can(r, "a", "b") {
			t.Errorf("role %s: dev must have it, nobody must not", r)
		}
		if !includes(r, Viewer) {
			t.Errorf("role %s must include viewer", r)
		}
	}
	if includes(Admin, Reader) || includes(Responder, Reader) {
		t.Error("managing people or stopping agents must not bring content")
	}
}

func TestIntersectIsNeverMore(t *testing.T) {
	t.Parallel()
	scopes := []string{Everything, "a", "b"}
	var all []Grant
	for _, r := range Roles() {
		for _, team := range scopes {
			for _, env := range scopes {
				all = append(all, Grant{r, team, env})
			}
		}
	}
	for _, x := range all {
		for _, y := range all {
			both := Principal{Grants: intersect([]Grant{x}, []Grant{y})}
			for _, ask := range all {
				want := x.covers(ask.Role, ask.Team, ask.Environment) && y.covers(ask.Role, ask.Team, ask.Environment)
				if got := both.Can(ask.Role, ask.Team, ask.Environment); got != want {
					t.Fatalf("%v and %v for %v: got %v, want %v", x, y, ask, got, want)
				}
			}
		}
	}
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		good: true, "Tr0ub4dor&3xyz": true, "пароль длинный и хороший": true,
		"short": false, "aaaaaaaaaaaaaaaa": false, "password12345678": false, "Passw0rd123456!": false,
		"ada lovelace was here": false, "qwertyuiop123456": false, "\xff\xfe aaaaaaaaaaaaaaa": false,
		strings.Repeat("long enough ", 30): false,
	} {
		if err := checkPassword(password, "ada"); (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted %v", password, err, ok)
		}
	}
}

func TestHashing(t *testing.T) {
	t.Parallel()
	h := newHasher(Hashing{MemoryKB: 64, Passes: 1, Concurrency: 1, Waiting: 1})
	a, err := h.hash(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.hash(t.Context(), good)
	if err != nil || a == b {
		t.Errorf("two hashes of one password are alike: %q, %v", a, err)
	}
	stronger := newHasher(Hashing{MemoryKB: 128, Passes: 2})
	for encoded, want := range map[string]bool{
		a: true, b: true, "": false, "$argon2id$": false, a + "x": false,
		strings.Replace(a, "m=64", "m=999999999", 1): false, strings.Replace(a, "argon2id", "argon2i", 1): false,
	} {
		if ok, err := stronger.verify(t.Context(), good, encoded); ok != want || err != nil {
			t.Errorf("verify(%q) = %v, %v; want %v", encoded, ok, err, want)
		}
	}
	// One runs, one waits, a third is refused.
	release := make(chan struct{})
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		if err := h.run(t.Context(), func() { close(started); <-release }); err != nil {
			t.Error(err)
		}
	})
	<-started
	h.waiting <- struct{}{}
	if err := h.run(t.Context(), func() {}); fault.From(err).Code != "identity.busy" {
		t.Errorf("got %v, want identity.busy", err)
	}
	<-h.waiting
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.run(ctx, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
	close(release)
	wg.Wait()
}

func TestKeysAndIDs(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{tokenPrefix, intakePrefix} {
		id, text := newKey(prefix)
		got, ok := parseKey(prefix, text)
		if !ok || got != id || len(text) != keyLen {
			t.Errorf("parseKey(%q) = %q, %v; want %q", text, got, ok, id)
		}
		for i := range text {
			changed := []byte(text)
			changed[i] ^= 1
			if _, ok := parseKey(prefix, string(changed)); ok {
				t.Errorf("%q with a typing error at %d is accepted", changed, i)
			}
		}
	}
	early, late := newID("x_", time.UnixMilli(1_700_000_000_000)), newID("x_", time.UnixMilli(1_700_000_000_001))
	if early >= late || len(early) != 27 {
		t.Errorf("ids do not sort by time: %s, %s", early, late)
	}
}

func FuzzParseKey(f *testing.F) {
	_, text := newKey(tokenPrefix)
	f.Add(text)
	f.Add("rvt_")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := parseKey(tokenPrefix, text)
		if ok && (!strings.HasPrefix(text, id+"_") || check(text[:keyLen-checkLen]) != text[keyLen-checkLen:]) {
			t.Errorf("parseKey(%q) = %q", text, id)
		}
	})
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, text string) {
		memory, passes, salt, sum, ok := parseHash(text)
		if ok && (memory > 1<<20 || passes > 100 || len(salt) != saltLen || len(sum) != hashLen) {
			t.Errorf("parseHash(%q) accepted m=%d t=%d", text, memory, passes)
		}
	})
}

func BenchmarkIntakeKey(b *testing.B) {
	dir := b.TempDir()
	db, err := controltest.Open(b.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	d, err := New(Options{DB: db, Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	_, secret, err := d.CreateIntakeKey(b.Context(), Dev(), NewIntakeKey{Name: "k", Team: "a", Environment: "b"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.IntakeKey(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	h := newHasher(Hashing{})
	for b.Loop() {
		if _, err := h.hash(b.Context(), good); err != nil {
			b.Fatal(err)
		}
	}
}
