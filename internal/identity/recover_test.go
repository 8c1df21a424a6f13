package identity

import "testing"

func TestRecover(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	h.admin()
	_, _, err := h.Recover(ctx, "")
	h.wantCode("without a reason", err, "identity.invalid")
	p, password, err := h.Recover(ctx, "nobody has a key")
	h.wantCode("with one", err, "")
	n, err := h.SignIn(ctx, p.Name, password, "", "127.0.0.1", "")
	h.wantCode("signing in", err, "")
	who, err := h.Session(ctx, n.Cookie, n.Secret)
	if err != nil || !who.Everywhere(Admin) {
		t.Errorf("session: %+v, %v", who, err)
	}
	if all, err := h.Emergencies(ctx); err != nil || len(all) != 1 {
		t.Errorf("admins are told of %v, %v", all, err)
	}
	// It may repair, and cannot keep the house: the last real admin stays one.
	h.pass(RecoverLife)
	_, err = h.Session(ctx, n.Cookie, n.Secret)
	h.wantCode("its session an hour later", err, "identity.session")
	_, err = h.SignIn(ctx, p.Name, password, "", "127.0.0.1", "")
	h.wantCode("signing in an hour later", err, "identity.sign_in")
}
