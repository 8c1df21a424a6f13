package identity

import (
	"testing"
	"time"
)

// What stays open sees its roles go, and keeps no session alive by itself.
func TestAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	who, err := h.Again(ctx, admin)
	if err != nil || !who.Everywhere(Admin) || who.SignInID != admin.SignInID {
		t.Fatalf("a session that lives: %+v, %v", who, err)
	}
	made, secret, err := h.CreateToken(ctx, admin, NewToken{Name: "t", Grants: []Grant{{Viewer, "core", Everything}}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := h.Token(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := h.Again(ctx, token); err != nil || !who.Can(Viewer, "core", "x") || who.Everywhere(Viewer) {
		t.Errorf("a token that lives: %+v, %v", who, err)
	}
	if err := h.RevokeToken(ctx, admin, made.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.Again(ctx, token)
	h.wantCode("a revoked token", err, "identity.ended")
	for range 6 {
		h.pass(10 * time.Minute)
		who, err = h.Again(ctx, admin)
	}
	h.wantCode("a session that nobody used for an hour", err, "identity.ended")
	if who, err := h.Again(ctx, Dev()); err != nil || !who.Everywhere(Admin) {
		t.Errorf("dev: %+v, %v", who, err)
	}
}
