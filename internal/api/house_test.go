package api

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/identity"
)

const testPassword = "correct horse battery"

// house is the real directory of people. A caller is named by what they may
// do, "viewer", "viewer@core/production" or "viewer@a/*+reader@b/*"; the first
// use makes the account and signs it in.
type house struct {
	*identity.Directory
	t      testing.TB
	db     *control.DB
	admin  identity.Principal
	mu     sync.Mutex
	signed map[string][2]string // cookie and secret by caller
}

var teams = []string{"core", "shop"}

func newHouse(t testing.TB) *house {
	t.Helper()
	dir := t.TempDir()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, signed: map[string][2]string{}, admin: identity.Dev()}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("closing the control database: %v", err)
		}
	})
	if h.Directory, err = identity.New(identity.Options{DB: db, Dir: dir, Hashing: identity.Hashing{MemoryKB: 8, Passes: 1}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range teams {
		if _, err := h.CreateTeam(t.Context(), h.admin, name, ""); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h *house) audit(ctx context.Context, f audit.Filter) ([]audit.Entry, error) {
	return audit.List(ctx, h.db, f)
}

// session is the cookie and the secret of a caller, who has just shown a second
// factor; "bare " before the roles is somebody without one.
func (h *house) session(spec string) (cookie, secret string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.signed[spec]; ok {
		return s[0], s[1]
	}
	named := spec
	spec, bare := strings.CutPrefix(spec, "bare ")
	p := identity.NewPerson{Name: fmt.Sprintf("person%d", len(h.signed)), Password: testPassword}
	for _, g := range strings.Split(spec, "+") {
		role, place, ok := strings.Cut(g, "@")
		team, env, _ := strings.Cut(place, "/")
		if !ok {
			team, env = identity.Everything, identity.Everything
		}
		if role != "none" {
			p.Grants = append(p.Grants, identity.Grant{Role: identity.Role(role), Team: team, Environment: env})
		}
	}
	ctx := context.Background() // cleanup may ask, when the test's own is over
	if _, err := h.CreatePerson(ctx, h.admin, p); err != nil {
		h.t.Fatalf("making %s: %v", spec, err)
	}
	in, err := h.SignIn(ctx, p.Name, testPassword, "", "127.0.0.1", "test")
	if err != nil {
		h.t.Fatalf("signing in %s: %v", spec, err)
	}
	if !bare {
		h.enrol(in.Cookie, in.Secret)
	}
	h.signed[named] = [2]string{in.Cookie, in.Secret}
	return in.Cookie, in.Secret
}

// enrol gives a caller a second factor, fresh from now on.
func (h *house) enrol(cookie, secret string) (seed string) {
	h.t.Helper()
	ctx := context.Background()
	who, err := h.Session(ctx, cookie, secret)
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := h.BeginFactor(ctx, who, "phone", testPassword)
	if err != nil {
		h.t.Fatalf("enrolling a factor: %v", err)
	}
	if _, err := h.ConfirmFactor(ctx, who, e.Factor.ID, codeOf(h.t, e.Secret, time.Now())); err != nil {
		h.t.Fatalf("confirming a factor: %v", err)
	}
	return e.Secret
}

func codeOf(t testing.TB, seed string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(seed, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// token makes a token with all roles of a caller.
func (h *house) token(spec string) string {
	h.t.Helper()
	cookie, secret := h.session(spec)
	who, err := h.Session(context.Background(), cookie, secret)
	if err != nil {
		h.t.Fatal(err)
	}
	_, text, err := h.CreateToken(context.Background(), who, identity.NewToken{Name: "test"})
	if err != nil {
		h.t.Fatalf("making a token for %s: %v", spec, err)
	}
	return text
}
