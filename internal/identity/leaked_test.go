package identity

import "testing"

// Who holds a key may end it, and a text that only looks like one ends nothing.
func TestLeaked(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	admin := h.admin()
	if _, err := h.CreateTeam(ctx, admin, "support", ""); err != nil {
		t.Fatal(err)
	}
	_, key, err := h.CreateIntakeKey(ctx, admin, NewIntakeKey{Name: "bot", Team: "support", Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := h.CreateToken(ctx, admin, NewToken{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := newKey(tokenPrefix)
	for _, c := range []struct {
		name, text string
		died       bool
	}{
		{"unknown", stranger, false},
		{"cut", key[:len(key)-1], false},
		{"intake key", key, true},
		{"again", key, false},
		{"token", token, true},
		{"again", token, false},
		{"nothing", "", false},
	} {
		died, err := h.Leaked(ctx, c.text)
		if err != nil || died != c.died {
			t.Errorf("%s: died %v, %v; want %v", c.name, died, err, c.died)
		}
	}
	_, err = h.IntakeKey(ctx, key)
	h.wantCode("the key afterwards", err, "identity.key")
	_, err = h.Token(ctx, token)
	h.wantCode("the token afterwards", err, "identity.token")
}
