package policy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// as is somebody with roles "security" for everybody, "security@support",
// "developer@support".
func as(roles ...string) Actor {
	has := func(role, team string) bool {
		return slices.Contains(roles, role) || slices.Contains(roles, role+"@"+team)
	}
	return Actor{
		Person: "per_1", Name: "ann",
		Can:  func(role, team, _ string) bool { return has(role, team) },
		Some: has,
	}
}

type storeRoom struct {
	*Store
	db     *control.DB
	engine *Engine
	now    time.Time
}

func newStore(t *testing.T, dir string) *storeRoom {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit: %+v, %v", r.Break, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &storeRoom{db: db, now: time.Unix(1_790_000_000, 0)}
	r.open(t, dir)
	return r
}

func (r *storeRoom) open(t *testing.T, dir string) {
	t.Helper()
	r.engine = &Engine{}
	s, err := NewStore(t.Context(), StoreOptions{
		DB: r.db, Engine: r.engine, Dir: dir, Now: func() time.Time { return r.now },
		AgentTeam: func(name string) (string, bool) {
			team, ok := map[string]string{"refunds": "support", "seller": "sales"}[name]
			return team, ok
		},
		Upstream: func(name string) (string, bool, bool) {
			switch name {
			case "orders":
				return "it", true, true
			case "vault":
				return "it", false, true
			}
			return "", false, false
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Store = s
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func (r *storeRoom) verdict(change func(*Request)) activity.Verdict {
	q := request()
	if change != nil {
		change(q)
	}
	return r.engine.Decide(q).Verdict
}

func TestStarters(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	if s.Version() != 1 || s.engine.Version() != 1 || len(s.List()) != len(starterNames) {
		t.Fatalf("version %d and %d, %d policies", s.Version(), s.engine.Version(), len(s.List()))
	}
	if first := s.List()[0]; !first.Guardrail || first.Origin != OriginStarter {
		t.Errorf("first %+v", first)
	}
	if err := s.Delete(t.Context(), as("security"), "autonomous", 0, "not here"); err != nil {
		t.Fatal(err)
	}
	s.open(t, "") // the starters do not come back
	if _, ok := s.Get("autonomous"); ok || s.Version() != 2 {
		t.Errorf("deleted starter came back, or version %d", s.Version())
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	ctx := t.Context()
	sec := as("security")
	if v := s.verdict(nil); v != activity.VerdictAllow {
		t.Fatalf("a read is %v", v)
	}
	p, err := s.Put(ctx, sec, Change{Document: Document{Name: "stop-reads", Cedar: "forbid (principal, action, resource);"}, Reason: "drill"})
	if err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(nil); v != activity.VerdictDeny || p.Revision != 1 || p.Author != "ann" {
		t.Errorf("after put: %v, %+v", v, p)
	}
	if _, err := s.Put(ctx, sec, Change{Document: p.Document}); code(err) != "policy.revision" {
		t.Errorf("put of an old revision: %v", err)
	}
	if _, err := s.Put(ctx, sec, Change{Document: Document{Name: "none", Cedar: "permit (principal, action, resource);"}, Revision: 4}); code(err) != "policy.not_found" {
		t.Errorf("put of what is not there: %v", err)
	}
	if _, err := s.SetMode(ctx, sec, "stop-reads", ModeObserve, "too much"); err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(nil); v != activity.VerdictAllow {
		t.Errorf("in observe: %v", v)
	}
	if _, err := s.SetMode(ctx, sec, "stop-reads", ModeObserve, ""); code(err) != "policy.mode" {
		t.Errorf("twice: %v", err)
	}
	if err := s.Delete(ctx, sec, "stop-reads", 1, ""); code(err) != "policy.revision" {
		t.Errorf("delete of an old revision: %v", err)
	}
	if err := s.Delete(ctx, sec, "stop-reads", 2, "over"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(ctx, sec, "stop-reads", 1, "again"); err != nil {
		t.Fatal(err)
	}
	if v := s.verdict(nil); v != activity.VerdictDeny {
		t.Errorf("restored: %v", v)
	}
	if _, err := s.Restore(ctx, sec, "stop-reads", 9, ""); code(err) != "policy.no_revision" {
		t.Errorf("restored what never was: %v", err)
	}
	list, err := s.Revisions(ctx, "stop-reads")
	var actions []string
	for _, r := range list {
		actions = append(actions, r.Action)
	}
	if err != nil || strings.Join(actions, " ") != "restore delete mode create" || list[0].Revision != 4 || list[0].Version != 5 {
		t.Errorf("revisions %v of %+v, %v", actions, list, err)
	}
	for version, want := range map[int64]int{1: 5, 2: 6, 4: 5, 5: 6} {
		if docs, err := s.SetAt(ctx, version); err != nil || len(docs) != want {
			t.Errorf("set %d has %d policies, %v", version, len(docs), err)
		}
	}
	s.open(t, "")
	if v := s.verdict(nil); v != activity.VerdictDeny || s.Version() != 5 {
		t.Errorf("after a restart: %v, version %d", v, s.Version())
	}
	entries, err := audit.List(ctx, s.db, audit.Filter{})
	if err != nil || len(entries) != 5+4 {
		t.Errorf("%d audit records, %v", len(entries), err)
	}
	if events, err := s.db.Events(ctx, 0, 100); err != nil || len(events) != 5+4 || events[8].Type != "policy.updated" || events[8].Object != "stop-reads" {
		t.Errorf("events %+v, %v", events, err)
	}
}

// Another process takes over what one changed, when it is told.
func TestRefresh(t *testing.T) {
	t.Parallel()
	one := newStore(t, "")
	two := &storeRoom{db: one.db, now: one.now}
	two.open(t, "")
	var told int64
	one.o.Changed = func(v int64) { told = v }
	if _, err := one.Put(t.Context(), as("security"), Change{Document: Document{Name: "x", Cedar: "forbid (principal, action, resource);"}}); err != nil {
		t.Fatal(err)
	}
	if err := two.Refresh(t.Context(), told); err != nil || two.verdict(nil) != activity.VerdictDeny || two.Version() != 2 {
		t.Errorf("%v, %v, version %d", err, two.verdict(nil), two.Version())
	}
	if err := two.Refresh(t.Context(), told-1); err != nil || two.Version() != 2 {
		t.Errorf("an old notice: %v, version %d", err, two.Version())
	}
}

// A write that fails leaves nothing behind.
func TestStoreUndoes(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Put(ctx, as("security"), Change{Document: Document{Name: "x", Cedar: "forbid (principal, action, resource);"}})
	if err == nil {
		t.Fatal("put without a database")
	}
	if _, ok := s.Get("x"); ok || s.verdict(nil) != activity.VerdictAllow || s.Version() != 1 {
		t.Error("an undone policy is in force")
	}
}

func TestStoreRoles(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	ctx := t.Context()
	team := func(observe bool) Document {
		return Document{Name: "refunds", Team: "support", Observe: observe, Cedar: `permit (principal == Agent::"refunds", action, resource);`}
	}
	token := as("security")
	token.Token = true
	guardrail := Document{Name: "no", Guardrail: true, Cedar: "forbid (principal, action, resource);"}
	for _, c := range []struct {
		name string
		who  Actor
		doc  Document
		want string
	}{
		{"nobody", as(), team(true), "policy.denied"},
		{"a developer of another team", as("developer@sales"), team(true), "policy.denied"},
		{"a developer enforces", as("developer@support"), team(false), "policy.denied"},
		{"a developer observes", as("developer@support"), team(true), ""},
		{"security of the team enforces", as("security@support"), team(false), ""},
		{"a developer loosens", as("developer@support"), team(true), "policy.denied"},
		{"security of a team takes it to everybody", as("security@support"), Document{Name: "refunds", Cedar: "permit (principal, action, resource);"}, "policy.denied"},
		{"security of a team makes a guardrail", as("security@support"), guardrail, "policy.denied"},
		{"a token makes a guardrail", token, guardrail, "policy.person_only"},
		{"a guardrail of a team", as("security"), Document{Name: "no", Team: "support", Guardrail: true, Cedar: guardrail.Cedar}, "policy.invalid"},
		{"security makes a guardrail", as("security"), guardrail, ""},
	} {
		in := Change{Document: c.doc}
		if old, ok := s.Get(c.doc.Name); ok {
			in.Revision = old.Revision
		}
		if _, err := s.Put(ctx, c.who, in); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := s.Delete(ctx, as("developer@support"), "refunds", 0, ""); code(err) != "policy.denied" {
		t.Errorf("a developer deletes what is enforced: %v", err)
	}
	if _, err := s.SetMode(ctx, as("developer@support"), "refunds", ModeObserve, ""); code(err) != "policy.denied" {
		t.Errorf("a developer changes the mode: %v", err)
	}
}

func TestTeamNamesItsOwn(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	for text, want := range map[string]string{
		`permit (principal == Agent::"refunds", action, resource in Upstream::"orders");`:                                                           "",
		`permit (principal == Agent::"later", action, resource in Upstream::"later");`:                                                              "",
		"permit (principal, action, resource)\nwhen { principal == Agent::\"seller\" };":                                                            "line 2, column 21: agent seller",
		`permit (principal == Agent::"seller", action, resource);`:                                                                                  "agent seller",
		`permit (principal in Team::"sales", action, resource);`:                                                                                    "not those of team sales",
		`permit (principal, action, resource in Upstream::"vault");`:                                                                                "upstream vault is not shared",
		`permit (principal, action == Action::"call_tool", resource == Tool::"vault.read");`:                                                        "upstream vault",
		`permit (principal, action == Action::"call_model", resource == Model::"vault/gpt");`:                                                       "upstream vault",
		`permit (principal, action == Action::"call_api", resource == Api::"vault GET /x");`:                                                        "upstream vault",
		`permit (principal, action == Action::"call_tool", resource) when { context.taint.upstreams.containsAny([Upstream::"vault"]) };`:            "upstream vault",
		`permit (principal, action == Action::"call_tool", resource) when { context has user && context.user in Team::"sales" };`:                   "",
		`@id("a") permit (principal, action, resource); @id("b") permit (principal == Agent::"seller", action, resource in Upstream::"elsewhere");`: "agent seller",
	} {
		_, err := s.Compile(Document{Name: "t", Team: "support", Cedar: text})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n gave %v, want %q", text, err, want)
		}
		var at *SyntaxError
		if err != nil && !errors.As(err, &at) {
			t.Errorf("%v has no place", err)
		}
	}
	statements, err := s.Compile(Document{Name: "t", Team: "support", Cedar: `permit (principal == Agent::"later", action, resource in Upstream::"later");`})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Warnings(&Policy{Statements: statements}); len(got) != 2 {
		t.Errorf("warnings %q", got)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("README.md", "not a policy")
	write("guardrails/no-reads.cedar", "forbid (principal, action, resource);")
	write("teams/support/refunds.observe.cedar", "permit (principal, action, resource);")
	s := newStore(t, dir)
	ctx := t.Context()
	p, ok := s.Get("refunds")
	if !ok || p.Team != "support" || !p.Observe || p.Origin != OriginFile || s.Version() != 2 {
		t.Fatalf("%+v, version %d", p, s.Version())
	}
	if v := s.verdict(nil); v != activity.VerdictDeny {
		t.Errorf("with the guardrail: %v", v)
	}
	if err := s.Delete(ctx, as("security"), "no-reads", 0, ""); code(err) != "policy.from_file" {
		t.Errorf("deleted a file: %v", err)
	}
	if _, err := s.SetMode(ctx, as("security"), "refunds", ModeEnforce, ""); code(err) != "policy.from_file" {
		t.Errorf("changed a file's mode: %v", err)
	}

	// A wrong file changes nothing, is said once, and what is mended is taken.
	if err := os.Remove(filepath.Join(dir, "guardrails/no-reads.cedar")); err != nil {
		t.Fatal(err)
	}
	write("broken.cedar", "permit (principal")
	if err := s.Reload(ctx); code(err) != "policy.invalid" || s.FileError() == nil {
		t.Errorf("broken file: %v", err)
	}
	if err := s.Reload(ctx); err != nil {
		t.Errorf("said again: %v", err)
	}
	if v := s.verdict(nil); v != activity.VerdictDeny || s.Version() != 2 {
		t.Errorf("a wrong folder took a guardrail away: %v", v)
	}
	write("broken.cedar", "permit (principal is Agent, action == Action::\"call_tool\", resource) when { context.depth > 100 };")
	if err := s.Reload(ctx); err != nil || s.FileError() != nil {
		t.Errorf("mended: %v, %v", err, s.FileError())
	}
	if v := s.verdict(nil); v != activity.VerdictAllow || s.Version() != 3 {
		t.Errorf("guardrail still there: %v, version %d", v, s.Version())
	}

	write("teams/misplaced.cedar", "forbid (principal, action, resource);")
	if err := s.Reload(ctx); code(err) != "policy.files" {
		t.Errorf("misplaced: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "teams/misplaced.cedar"), filepath.Join(dir, "read-only.cedar")); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(ctx); code(err) != "policy.files" {
		t.Errorf("a name that is taken: %v", err)
	}
	s.open(t, "") // no folder any more: its policies end
	if _, ok := s.Get("refunds"); ok {
		t.Error("a file's policy outlived its folder")
	}
}
