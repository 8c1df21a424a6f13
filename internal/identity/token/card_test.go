package token

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A card's signature verifies with the published keys, and with no other use's;
// its key is in no other set.
func TestSignCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	payload := []byte(`{"name":"Refunds"}`)
	protected, signature, err := w.keys.SignCard(payload)
	if err != nil {
		t.Fatal(err)
	}
	head, err := base64.RawURLEncoding.DecodeString(protected)
	var h struct{ Alg, Typ, Kid, Jku string }
	if err != nil || json.Unmarshal(head, &h) != nil || h.Alg != "ES256" || h.Typ != "JOSE" || h.Kid == "" || !strings.HasSuffix(h.Jku, CardKeysPath) {
		t.Errorf("protected header %s %v", head, err)
	}
	text, err := w.keys.CardJWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
		t.Fatalf("key set %s %v", text, err)
	}
	s, err := jose.ParseSignedCompact(protected+"."+base64.RawURLEncoding.EncodeToString(payload)+"."+signature, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(set.Keys[0]); err != nil {
		t.Error(err)
	}
	svid, access, _, err := w.keys.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range append(svid, access...) {
		if strings.Contains(string(raw), h.Kid) {
			t.Errorf("a key of cards among those of tokens: %s", raw)
		}
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(k); err == nil {
			t.Error("another use's key verifies a card")
		}
	}
}
