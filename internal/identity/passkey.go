package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// A passkey (W3C Web Authentication, Level 3) is a second factor that is also a
// first one: the device has asked for a finger, a face or a PIN before it signs
// (user verification is demanded), so it opens a session without a password,
// and what it opened counts as fresh.
//
// Passkeys belong to the origin where they were made. Browsers give one to any
// port of a host, so the origin is kept beside the key, and an answer that was
// made at another port is refused.
//
// Nobody's challenge is stored: it is random, says until when it is good, and
// carries a MAC over what it was given for. Only one that was answered well is
// remembered, until it ends, so that strangers can neither fill a table nor
// push others' challenges out of it, and no answer counts twice.

const (
	kindTOTP       = "totp"
	kindPasskey    = "passkey"
	challengeLife  = 5 * time.Minute
	maxPasskeyJSON = 32 << 10
)

// What a challenge was given for.
const (
	toEnrol  = "enrol"
	toSignIn = "sign in"
	toShow   = "show"
)

// Site is where a page stands that asks for a passkey.
type Site struct{ Origin string } // https://reeve.example.com

// rpID is the name that passkeys are bound to: the host. An address has none.
func (s Site) rpID() (string, error) {
	u, err := url.Parse(s.Origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" || len(s.Origin) > 300 {
		return "", fault.New(fault.KindInvalid, "identity.passkey_origin", "a passkey is asked for by a page").WithHint("open the console in a browser")
	}
	name := strings.ToLower(u.Hostname())
	_, noAddress := netip.ParseAddr(name)
	if noAddress == nil || net.ParseIP(name) != nil {
		return "", fault.New(fault.KindInvalid, "identity.passkey_name", "passkeys belong to a name, and %s is an address", name).
			WithHint("open the console as localhost or by a name of the configuration's hosts, or use an authenticator app")
	}
	if u.Scheme == "http" && name != "localhost" && !strings.HasSuffix(name, ".localhost") {
		return "", fault.New(fault.KindInvalid, "identity.passkey_tls", "browsers give no passkey to a page without TLS").WithHint("open the console over https")
	}
	return name, nil
}

// passkey is what is kept of one, sealed.
type passkey struct {
	Origin     string              `json:"origin"`
	RP         string              `json:"rp"`
	Credential webauthn.Credential `json:"credential"`
}

// keyHolder is a person as the library asks about one.
type keyHolder struct {
	id, name, fullName string
	keys               []webauthn.Credential
}

func (h keyHolder) WebAuthnID() []byte                         { return []byte(h.id) }
func (h keyHolder) WebAuthnName() string                       { return h.name }
func (h keyHolder) WebAuthnDisplayName() string                { return h.fullName }
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// challenges makes and checks challenges. The zero value is usable.
type challenges struct {
	mu   sync.Mutex
	key  []byte               // of the MAC; a new one at each start
	used map[string]time.Time // answered well, until when each would have been good
}

const (
	nonceLen = 16
	macLen   = 16
)

func (c *challenges) mac(nonceAndEnd []byte, words ...string) []byte {
	c.mu.Lock()
	if c.key == nil {
		c.key = randomBytes(32)
	}
	m := hmac.New(sha256.New, c.key)
	c.mu.Unlock()
	m.Write(nonceAndEnd)
	for _, w := range words {
		m.Write(binary.AppendUvarint(nil, uint64(len(w))))
		m.Write([]byte(w))
	}
	return m.Sum(nil)[:macLen]
}

// fresh is a challenge that is good for what words say.
func (c *challenges) fresh(now time.Time, words ...string) protocol.URLEncodedBase64 {
	b := make([]byte, nonceLen, nonceLen+8+macLen)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	b = binary.BigEndian.AppendUint64(b, uint64(now.Add(challengeLife).UnixNano()))
	return append(b, c.mac(b, words...)...)
}

// good reports whether a challenge was given for what words say, and not long
// ago.
func (c *challenges) good(text string, now time.Time, words ...string) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != nonceLen+8+macLen {
		return false
	}
	said := b[:nonceLen+8]
	end := time.Unix(0, int64(binary.BigEndian.Uint64(said[nonceLen:])))
	return hmac.Equal(b[nonceLen+8:], c.mac(said, words...)) && now.Before(end)
}

// spend takes a challenge that was answered well out of use; false when it is.
func (c *challenges) spend(text string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t, end := range c.used {
		if now.After(end) {
			delete(c.used, t)
		}
	}
	if _, done := c.used[text]; done {
		return false
	}
	if c.used == nil {
		c.used = map[string]time.Time{}
	}
	c.used[text] = now.Add(challengeLife)
	return true
}

func relyingParty(site Site, rp string) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: rp, RPDisplayName: "Reeve", RPOrigins: []string{site.Origin},
		// Nothing is decided by who made the device.
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
}

// BeginPasskey enrols a passkey of who asks, by the rules of BeginFactor. The
// options are what the browser's navigator.credentials.create takes.
func (d *Directory) BeginPasskey(ctx context.Context, who Principal, label, password string, site Site) (f Factor, options []byte, err error) {
	if who.Kind != KindPerson {
		return f, nil, fault.New(fault.KindDenied, "identity.person_only", "a passkey belongs to a person").WithHint("sign in as a person")
	}
	rp, err := site.rpID()
	if err != nil {
		return f, nil, err
	}
	if err := checkTexts(label); err != nil {
		return f, nil, err
	}
	if err := d.mayEnrol(ctx, who, password); err != nil {
		return f, nil, err
	}
	if label == "" {
		label = "passkey"
	}
	now := d.now()
	f = Factor{ID: newID("fac_", now), Kind: kindPasskey, Label: label, CreatedAt: now.UTC().Truncate(time.Microsecond)}
	holder, err := d.keyHolder(ctx, who.PersonID, rp)
	if err != nil {
		return f, nil, err
	}
	party, err := relyingParty(site, rp)
	if err != nil {
		return f, nil, err
	}
	made, _, err := party.BeginRegistration(holder,
		webauthn.WithExclusions(webauthn.Credentials(holder.keys).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = d.challenges.fresh(now, toEnrol, who.PersonID, f.ID, site.Origin)
			return nil
		})
	if err != nil {
		return f, nil, err
	}
	if options, err = json.Marshal(made.Response); err != nil {
		return f, nil, err
	}
	sealed, err := d.seal(f.ID, []byte(`{}`))
	if err != nil {
		return f, nil, err
	}
	return f, options, d.insertFactor(ctx, who, f, sealed)
}

// ConfirmPasskey makes an enrolled passkey count by what the browser's
// navigator.credentials.create gave. See ConfirmFactor for the rest.
func (d *Directory) ConfirmPasskey(ctx context.Context, who Principal, id string, site Site, answer []byte) (recovery []string, err error) {
	if who.Kind != KindPerson {
		return nil, fault.New(fault.KindDenied, "identity.person_only", "a passkey belongs to a person").WithHint("sign in as a person")
	}
	rp, err := site.rpID()
	if err != nil {
		return nil, err
	}
	if len(answer) > maxPasskeyJSON {
		return nil, errPasskey(nil)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, errPasskey(err)
	}
	now := d.now()
	challenge := parsed.Response.CollectedClientData.Challenge
	if !d.challenges.good(challenge, now, toEnrol, who.PersonID, id, site.Origin) {
		return nil, errPasskey(errors.New("the challenge is not of this enrolment"))
	}
	party, err := relyingParty(site, rp)
	if err != nil {
		return nil, err
	}
	made, err := party.CreateCredential(keyHolder{id: who.PersonID}, webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: rp, UserID: []byte(who.PersonID), UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return nil, errPasskey(err)
	}
	if !d.challenges.spend(challenge, now) {
		return nil, errPasskey(errors.New("the challenge was answered before"))
	}
	kept, err := json.Marshal(passkey{Origin: site.Origin, RP: rp, Credential: *made})
	if err != nil {
		return nil, err
	}
	sealed, err := d.seal(id, kept)
	if err != nil {
		return nil, err
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE factors SET secret = ? WHERE id = ? AND person_id = ? AND kind = ? AND confirmed_at IS NULL`, sealed, id, who.PersonID, kindPasskey)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("second factor")
		}
		recovery, err = d.confirmed(ctx, tx, who, id)
		return err
	})
	return recovery, err
}

// AskPasskey gives what navigator.credentials.get takes: who has a session shows
// one of their own passkeys, everybody else signs in with one.
func (d *Directory) AskPasskey(ctx context.Context, who Principal, site Site) (options []byte, err error) {
	rp, err := site.rpID()
	if err != nil {
		return nil, err
	}
	party, err := relyingParty(site, rp)
	if err != nil {
		return nil, err
	}
	with := func(c protocol.URLEncodedBase64, allowed []protocol.CredentialDescriptor) webauthn.LoginOption {
		return func(o *protocol.PublicKeyCredentialRequestOptions) error {
			o.Challenge, o.AllowedCredentials = c, allowed
			return nil
		}
	}
	opt := with(d.challenges.fresh(d.now(), toSignIn, site.Origin), nil)
	if who.Kind == KindPerson {
		holder, err := d.keyHolder(ctx, who.PersonID, rp)
		if err != nil {
			return nil, err
		}
		if len(holder.keys) == 0 {
			return nil, fault.New(fault.KindNotFound, "identity.passkey_none", "this account has no passkey for %s", rp).WithHint("add one under Account, or show a code")
		}
		opt = with(d.challenges.fresh(d.now(), toShow, who.PersonID, site.Origin), webauthn.Credentials(holder.keys).CredentialDescriptors())
	}
	asked, _, err := party.BeginDiscoverableLogin(opt)
	if err != nil {
		return nil, err
	}
	return json.Marshal(asked.Response)
}

// SignInWithPasskey opens a session by what navigator.credentials.get gave. It
// counts as fresh. Attempts are limited by address as those with a password are.
func (d *Directory) SignInWithPasskey(ctx context.Context, site Site, answer []byte, address, agent string) (NewSignIn, error) {
	if wait, ok := d.byAddr.take(clip(address, 100), d.now()); !ok && !loopback(address) {
		return NewSignIn{}, tooMany(wait)
	}
	person, err := d.shownPasskey(ctx, "", site, answer, toSignIn, site.Origin)
	if err != nil {
		d.log.Info("sign-in by passkey refused", "address", address)
		return NewSignIn{}, err
	}
	return d.open(ctx, person, address, agent, d.now())
}

// RefreshWithPasskey makes the session count as fresh, as Refresh does with a
// code.
func (d *Directory) RefreshWithPasskey(ctx context.Context, who Principal, site Site, answer []byte) (until time.Time, err error) {
	if who.Kind != KindPerson {
		return time.Time{}, fault.New(fault.KindDenied, "identity.person_only", "only a person's session has a second factor").WithHint("sign in as a person")
	}
	if wait, ok := d.byFactor.take(who.PersonID, d.now()); !ok {
		return time.Time{}, tooMany(wait)
	}
	if _, err := d.shownPasskey(ctx, who.PersonID, site, answer, toShow, who.PersonID, site.Origin); err != nil {
		return time.Time{}, err
	}
	d.byFactor.giveBack(who.PersonID, d.now())
	return d.freshened(ctx, who)
}

// shownPasskey checks an answer against the passkeys of a person, or of whom the
// answer names, and tells whose it is. words are what its challenge was for.
func (d *Directory) shownPasskey(ctx context.Context, person string, site Site, answer []byte, words ...string) (string, error) {
	rp, err := site.rpID()
	if err != nil {
		return "", err
	}
	if len(answer) > maxPasskeyJSON {
		return "", errPasskey(nil)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return "", errPasskey(err)
	}
	now := d.now()
	challenge := parsed.Response.CollectedClientData.Challenge
	if !d.challenges.good(challenge, now, words...) {
		return "", errPasskey(errors.New("the challenge is none of ours, or was given for something else, or too long ago"))
	}
	owner := string(parsed.Response.UserHandle)
	if person != "" {
		owner = person
	}
	if owner == "" || len(owner) > 64 {
		return "", errPasskey(errors.New("the answer names nobody"))
	}
	keys, err := d.passkeysOf(ctx, d.db, owner)
	if err != nil {
		return "", err
	}
	holder := keyHolder{id: owner}
	id := ""
	var kept passkey
	for _, k := range keys {
		if k.RP == rp && k.Origin == site.Origin && string(k.Credential.ID) == string(parsed.RawID) {
			id, kept = k.id, k.passkey
			holder.keys = []webauthn.Credential{k.Credential}
		}
	}
	if id == "" {
		return "", errPasskey(errors.New("no such passkey"))
	}
	party, err := relyingParty(site, rp)
	if err != nil {
		return "", err
	}
	after, err := party.ValidateLogin(holder, webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: rp, UserID: []byte(owner), UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return "", errPasskey(err)
	}
	if after.Authenticator.CloneWarning {
		d.log.Warn("a passkey's counter went back: its key may have been copied", "person", owner, "factor", id)
		return "", errPasskey(errors.New("the counter went back"))
	}
	if !d.challenges.spend(challenge, now) {
		return "", errPasskey(errors.New("the challenge was answered before"))
	}
	kept.Credential = *after
	text, err := json.Marshal(kept)
	if err != nil {
		return "", err
	}
	sealed, err := d.seal(id, text)
	if err != nil {
		return "", err
	}
	return owner, d.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE factors SET secret = ?, used_at = ? WHERE id = ? AND confirmed_at IS NOT NULL`, sealed, control.Micros(now), id)
		if err == nil && n == 0 {
			err = errPasskey(errors.New("the passkey was removed"))
		}
		return err
	})
}

type heldPasskey struct {
	id string
	passkey
}

// passkeysOf reads a person's confirmed passkeys.
func (d *Directory) passkeysOf(ctx context.Context, r control.Reader, person string) (keys []heldPasskey, err error) {
	type row struct{ id, secret string }
	rows, err := control.All(ctx, r, func(r control.Row) (x row, err error) { return x, r.Scan(&x.id, &x.secret) },
		`SELECT id, secret FROM factors WHERE person_id = ? AND kind = ? AND confirmed_at IS NOT NULL`, person, kindPasskey)
	if err != nil {
		return nil, err
	}
	for _, x := range rows {
		text, err := d.unseal(x.id, x.secret)
		if err != nil {
			return nil, err
		}
		k := heldPasskey{id: x.id}
		if err := json.Unmarshal(text, &k.passkey); err != nil {
			return nil, fault.New(fault.KindInternal, "identity.damaged", "a second factor cannot be read").WithCause(err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// keyHolder is a person with their passkeys for a host.
func (d *Directory) keyHolder(ctx context.Context, person, rp string) (keyHolder, error) {
	p, err := d.Person(ctx, person)
	if err != nil {
		return keyHolder{}, err
	}
	h := keyHolder{id: p.ID, name: p.Name, fullName: p.FullName}
	if h.fullName == "" {
		h.fullName = p.Name
	}
	keys, err := d.passkeysOf(ctx, d.db, person)
	for _, k := range keys {
		if k.RP == rp {
			h.keys = append(h.keys, k.Credential)
		}
	}
	return h, err
}

// errPasskey refuses without saying why: the cause is for the log.
func errPasskey(cause error) error {
	return fault.New(fault.KindDenied, "identity.passkey", "the passkey was not accepted").
		WithHint("try again; a passkey works only where it was added, in a browser that is asked within five minutes").WithCause(cause)
}
