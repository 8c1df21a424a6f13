package token

import (
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// CardKeysPath is where, below the issuer, the keys of agent cards are.
const CardKeysPath = "/a2a-card-keys"

// SignCard signs an agent card's canonical form as A2A 1.0 §8.4 asks: a JWS
// whose payload the card itself carries. Its key signs nothing else.
func (k *Keys) SignCard(payload []byte) (protected, signature string, err error) {
	by, err := k.newest(useCard)
	if err != nil {
		return "", "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: by.private, KeyID: by.ID}},
		(&jose.SignerOptions{}).WithType("JOSE").WithHeader("jku", k.o.Issuer+CardKeysPath))
	if err != nil {
		return "", "", err
	}
	s, err := signer.Sign(payload)
	if err != nil {
		return "", "", err
	}
	text, err := s.DetachedCompactSerialize()
	if err != nil {
		return "", "", err
	}
	protected, signature, _ = strings.Cut(text, "..")
	return protected, signature, nil
}

// CardJWKS is the public keys of agent cards as a JWK set.
func (k *Keys) CardJWKS() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.advance(); err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	for _, x := range k.state.Keys {
		if x.Use == useCard {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: x.private.Public(), KeyID: x.ID, Algorithm: string(jose.ES256), Use: "sig"})
		}
	}
	return json.Marshal(set)
}

// newest is the key that signs now.
func (k *Keys) newest(u use) (*key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.advance(); err != nil {
		return nil, err
	}
	return k.signing(u), nil
}

// signing is the key of a use that is active now. Holds mu.
func (k *Keys) signing(u use) (by *key) {
	now := k.o.Now()
	for _, x := range k.state.Keys {
		if x.Use == u && (by == nil || !x.ActiveFrom.After(now)) {
			by = x
		}
	}
	return by
}
