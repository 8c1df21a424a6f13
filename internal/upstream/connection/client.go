package connection

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

// identity is who we are to an authorization server.
type identity struct {
	Issuer  string    `json:"issuer"` // that it is for
	ID      string    `json:"id"`
	Kind    string    `json:"kind"` // registered (by people), document (ours), dynamic
	Auth    string    `json:"auth"` // at the token endpoint
	Grant   string    `json:"grant"`
	Secret  string    `json:"secret,omitempty"` // of a dynamic registration
	Expires time.Time `json:"expires"`          // of it; zero: never
	// Back is the last part of the address that browsers come back to, which it was
	// registered with; "" for none.
	Back string `json:"back,omitempty"`
}

// own reports whether we need no person for a token.
func (i identity) own() bool { return i.Grant == "client_credentials" }

const assertionLife = 2 * time.Minute

// identify says who we are at a server: whom people registered, else our client
// id metadata document where the server reads such, else a dynamic registration,
// for which had is taken while it is good.
func (b *Book) identify(ctx context.Context, u *upstream.Upstream, s *server, had identity) (identity, error) {
	o := u.Credential.OAuth
	id := identity{Issuer: s.Issuer, Grant: o.Grant, Auth: o.ClientAuth}
	switch {
	case o.ClientID != "":
		id.ID, id.Kind, id.Back = o.ClientID, "registered", b.backFor(u, s, "registered")
		if id.Auth == "" {
			id.Auth = registeredAuth(u, s)
		}
		return id, nil
	case s.Documents && b.o.ClientID != "":
		id.Kind, id.Back = "document", b.backFor(u, s, "document")
		id.ID, id.Auth = b.documentFor(s, o.ClientAuth, id.own(), id.Back)
		return id, nil
	case had.Kind == "dynamic" && (had.own() || had.Back == markOf(u, s)) && had.Issuer == s.Issuer && had.Grant == o.Grant && (had.Expires.IsZero() || b.o.Now().Add(time.Hour).Before(had.Expires)):
		return had, nil
	case s.Registration != "":
		id.Back = b.backFor(u, s, "dynamic")
		return b.register(ctx, u, s, id)
	}
	return identity{}, fault.New(fault.KindInvalid, "upstream.client", "the authorization server %s lets nobody register", s.Issuer).
		WithHint("register Reeve there and set what it gives: `reeve upstream set %s --client-id ...`", u.Name)
}

// registeredAuth is how a client that people registered shows who it is.
func registeredAuth(u *upstream.Upstream, s *server) string {
	switch {
	case u.Credential.Source == "":
		return "none"
	case !slices.Contains(s.Auth, "client_secret_basic") && slices.Contains(s.Auth, "client_secret_post"):
		return "client_secret_post"
	}
	return "client_secret_basic"
}

// documentFor is which of our two documents a server reads: one says how it shows
// who it is.
func (b *Book) documentFor(s *server, asked string, own bool, back string) (id, auth string) {
	auth = "none"
	if own || asked == "private_key_jwt" || asked == "" && slices.Contains(s.Auth, "private_key_jwt") && b.hosted() {
		auth = "private_key_jwt"
	}
	if !b.hosted() {
		return b.o.ClientID, auth
	}
	if own {
		back = ""
	}
	return strings.TrimSuffix(b.o.ClientID, documentPath) + documentAt(auth, back), auth
}

// register registers us dynamically (RFC 7591).
func (b *Book) register(ctx context.Context, u *upstream.Upstream, s *server, id identity) (identity, error) {
	redirect := ""
	if !id.own() {
		redirect = b.redirect(id.Back)
	}
	id.Kind = "dynamic"
	if id.Auth == "" {
		id.Auth = dynamicAuth(s, id.own())
	}
	meta := map[string]any{"client_name": clientName, "token_endpoint_auth_method": id.Auth, "application_type": applicationType(redirect)}
	if id.own() {
		meta["grant_types"] = []string{"client_credentials"}
	} else {
		meta["grant_types"], meta["response_types"] = []string{"authorization_code", "refresh_token"}, []string{"code"}
		meta["redirect_uris"] = []string{redirect}
	}
	if id.Auth == "private_key_jwt" {
		meta["jwks"] = b.jwks()
	}
	body, err := json.Marshal(meta)
	if err != nil {
		return id, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Registration, bytes.NewReader(body))
	if err != nil {
		return id, err
	}
	req.Header.Set("Content-Type", "application/json")
	status, _, answer, err := asking(u).do(req)
	if err != nil {
		return id, err
	}
	var out struct {
		ID      string `json:"client_id"`
		Secret  string `json:"client_secret"`
		Expires int64  `json:"client_secret_expires_at"`
		Auth    string `json:"token_endpoint_auth_method"`
	}
	if status != http.StatusCreated && status != http.StatusOK {
		return id, refusal(s, status, answer)
	}
	if err := json.Unmarshal(answer, &out); err != nil || out.ID == "" || len(out.ID) > 2000 || len(out.Secret) > maxToken || strings.ContainsFunc(out.ID+out.Secret, unprintable) {
		return id, broken(s, "its registration cannot be read").WithCause(err)
	}
	id.ID, id.Secret = out.ID, out.Secret
	if known(out.Auth) {
		id.Auth = out.Auth
	}
	if out.Expires > 0 && out.Secret != "" {
		id.Expires = time.Unix(out.Expires, 0).UTC()
	}
	if strings.HasPrefix(id.Auth, "client_secret") && id.Secret == "" {
		return id, broken(s, "its registration has no secret, with which Reeve is to show who it is")
	}
	return id, nil
}

func known(auth string) bool {
	return auth == "none" || auth == "client_secret_basic" || auth == "client_secret_post" || auth == "private_key_jwt"
}

// dynamicAuth is how a registered client will show who it is: by key where that is
// taken, since a secret would be one more thing to lose.
func dynamicAuth(s *server, own bool) string {
	order := []string{"private_key_jwt", "none", "client_secret_basic", "client_secret_post"}
	if own {
		order = slices.DeleteFunc(order, func(a string) bool { return a == "none" })
	}
	for _, a := range order {
		if slices.Contains(s.Auth, a) {
			return a
		}
	}
	if own || len(s.Auth) == 0 && !s.Guessed { // RFC 8414: what says nothing takes client_secret_basic
		return "client_secret_basic"
	}
	return "none"
}

// applicationType is what registrations say of who comes back where.
func applicationType(redirect string) string {
	at, err := url.Parse(redirect)
	if err == nil && (at.Hostname() == "localhost" || at.Hostname() == "127.0.0.1" || at.Hostname() == "::1") {
		return "native"
	}
	return "web"
}

// show adds to a request of the token endpoint who we are.
func (b *Book) show(u *upstream.Upstream, s *server, id identity, form url.Values, h http.Header) error {
	secret := id.Secret
	if id.Kind == "registered" {
		var err error
		if secret, err = u.ClientSecret(); err != nil {
			return err
		}
		// A key signs for one server alone; a secret says all to whoever gets it.
		if secret != "" && id.Auth != "private_key_jwt" && u.Credential.OAuth.Issuer != s.Issuer {
			return fault.New(fault.KindInvalid, "upstream.secret_issuer", "nobody said that the client secret of upstream %s is for the authorization server %s", u.Name, s.Issuer).
				WithHint("say for which it is: `reeve upstream set %s --issuer %s`", u.Name, s.Issuer)
		}
	}
	switch id.Auth {
	case "client_secret_basic":
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id.ID)+":"+url.QueryEscape(secret))))
		return nil
	case "client_secret_post":
		form.Set("client_id", id.ID)
		form.Set("client_secret", secret)
		return nil
	case "private_key_jwt":
		text, err := b.assertion(s, id, secret)
		if err != nil {
			return err
		}
		form.Set("client_id", id.ID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", text)
		return nil
	}
	form.Set("client_id", id.ID)
	return nil
}

// assertion is a signed statement of who we are (RFC 7523), good once and briefly.
// key is that which people gave for the client; "" is our own.
func (b *Book) assertion(s *server, id identity, key string) (string, error) {
	signing := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: b.key, KeyID: b.kid()}}
	if key != "" {
		var err error
		if signing, err = readKey(key); err != nil {
			return "", err
		}
	}
	signer, err := jose.NewSigner(signing, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", errKey.WithCause(err)
	}
	now := b.o.Now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: id.ID, Subject: id.ID, Audience: jwt.Audience{s.Issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}

var errKey = fault.New(fault.KindUnavailable, "upstream.client_key", "the key with which Reeve is to sign as a client cannot be used").
	WithHint("a private key as JWK, or as PEM of PKCS #8: RSA from 2048 bits, EC P-256, P-384, P-521, or Ed25519")

// readKey reads a private key as people bring it.
func readKey(text string) (jose.SigningKey, error) {
	var k jose.JSONWebKey
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		if err := json.Unmarshal([]byte(text), &k); err != nil || !k.Valid() || k.IsPublic() {
			return jose.SigningKey{}, errKey
		}
	} else {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return jose.SigningKey{}, errKey
		}
		key, err := parsePrivate(block.Bytes)
		if err != nil {
			return jose.SigningKey{}, errKey
		}
		k.Key = key
	}
	alg := jose.SignatureAlgorithm(k.Algorithm)
	if alg == "" {
		alg = algorithmOf(k.Key)
	}
	if alg == "" {
		return jose.SigningKey{}, errKey
	}
	return jose.SigningKey{Algorithm: alg, Key: k}, nil
}

func parsePrivate(der []byte) (any, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return x509.ParsePKCS1PrivateKey(der)
}

// algorithmOf is the one by which a key signs; "" for none.
func algorithmOf(key any) jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384, 521: jose.ES512}[k.Curve.Params().BitSize]
	case *rsa.PrivateKey:
		if k.N.BitLen() >= 2048 {
			return jose.RS256
		}
	case ed25519.PrivateKey:
		return jose.EdDSA
	}
	return ""
}

// kid is the thumbprint of our own key.
func (b *Book) kid() string {
	sum, err := (&jose.JSONWebKey{Key: &b.key.PublicKey}).Thumbprint(crypto.SHA256)
	if err != nil { // of an EC key: cannot happen
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func (b *Book) jwks() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &b.key.PublicKey, KeyID: b.kid(), Algorithm: "ES256", Use: "sig"}}}
}
