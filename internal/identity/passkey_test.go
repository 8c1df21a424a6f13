package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

var (
	console = Site{Origin: "https://reeve.example.com"}
	b64     = base64.RawURLEncoding
)

// device is an authenticator as W3C Web Authentication describes one.
type device struct {
	t        testing.TB
	key      *ecdsa.PrivateKey
	id, user []byte
	counter  uint32
	unsure   bool // it did not ask who holds it
}

func newDevice(t testing.TB) *device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, key: key, id: randomBytes(32)}
}

type asked struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Allow []struct {
		ID string `json:"id"`
	} `json:"allowCredentials"`
	Selection struct {
		Verify string `json:"userVerification"`
	} `json:"authenticatorSelection"`
}

func (d *device) read(options []byte) (a asked) {
	d.t.Helper()
	if err := json.Unmarshal(options, &a); err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *device) told(kind, challenge, origin string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false})
	return b
}

// data is the authenticator data for a host.
func (d *device) data(rp string, more ...byte) []byte {
	hash := sha256.Sum256([]byte(rp))
	flags := byte(1)
	if !d.unsure {
		flags |= 4
	}
	if len(more) > 0 {
		flags |= 64
	}
	out := append(hash[:], flags)
	return append(binary.BigEndian.AppendUint32(out, d.counter), more...)
}

// create answers an enrolment at an origin.
func (d *device) create(options []byte, origin string) []byte {
	d.t.Helper()
	a := d.read(options)
	user, err := b64.DecodeString(a.User.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.user = user
	public, err := d.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		d.t.Fatal(err)
	}
	cose, _ := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]})
	held := make([]byte, 16)
	held = binary.BigEndian.AppendUint16(held, uint16(len(d.id)))
	held = append(append(held, d.id...), cose...)
	object, _ := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": d.data(a.RP.ID, held...)})
	return d.answer(map[string]any{"clientDataJSON": b64.EncodeToString(d.told("webauthn.create", a.Challenge, origin)), "attestationObject": b64.EncodeToString(object)})
}

// get answers a question at an origin.
func (d *device) get(options []byte, origin string) []byte {
	d.t.Helper()
	a := d.read(options)
	d.counter++
	told, data := d.told("webauthn.get", a.Challenge, origin), d.data(a.RPID)
	hash := sha256.Sum256(told)
	sum := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{
		"clientDataJSON": b64.EncodeToString(told), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(d.user),
	})
}

func (d *device) answer(response map[string]any) []byte {
	id := b64.EncodeToString(d.id)
	b, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	return b
}

// enrolPasskey gives a person a passkey.
func (h *house) enrolPasskey(who Principal, site Site) *device {
	h.t.Helper()
	d := newDevice(h.t)
	f, options, err := h.BeginPasskey(h.t.Context(), who, "laptop", good, site)
	h.wantCode("enrolling", err, "")
	codes, err := h.ConfirmPasskey(h.t.Context(), who, f.ID, site, d.create(options, site.Origin))
	h.wantCode("confirming", err, "")
	if !who.HasFactor && len(codes) != recoveryCodes {
		h.t.Errorf("%d recovery codes, want %d", len(codes), recoveryCodes)
	}
	return d
}

// signInWith signs somebody in with their passkey.
func (h *house) signInWith(d *device) Principal {
	h.t.Helper()
	d.counter += 50
	options, err := h.AskPasskey(h.t.Context(), Principal{}, console)
	h.wantCode("asking", err, "")
	in, err := h.SignInWithPasskey(h.t.Context(), console, d.get(options, console.Origin), "127.0.0.1", "")
	h.wantCode("signing in", err, "")
	who, err := h.Session(h.t.Context(), in.Cookie, in.Secret)
	h.wantCode("the session", err, "")
	return who
}

func TestPasskeySignsInAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()
	d := h.enrolPasskey(ada, console)
	ada = h.again(ada)
	h.wantCode("fresh after enrolling", NeedFresh(ada, h.Directory.now()), "")
	_, err := h.SignIn(ctx, "ada", good, "", "127.0.0.1", "")
	h.wantCode("the password alone", err, "identity.factor_needed")

	options, err := h.AskPasskey(ctx, Principal{}, console)
	h.wantCode("asking a stranger", err, "")
	if a := d.read(options); len(a.Allow) > 0 || a.RPID != "reeve.example.com" {
		t.Errorf("a stranger is told of %v for %q", a.Allow, a.RPID)
	}
	answer := d.get(options, console.Origin)
	in, err := h.SignInWithPasskey(ctx, console, answer, "127.0.0.1", "a browser")
	h.wantCode("signing in", err, "")
	if in.Person.Name != "ada" {
		t.Errorf("signed in as %q", in.Person.Name)
	}
	who, err := h.Session(ctx, in.Cookie, in.Secret)
	h.wantCode("the session", err, "")
	h.wantCode("fresh after signing in", NeedFresh(who, h.Directory.now()), "")
	_, err = h.SignInWithPasskey(ctx, console, answer, "127.0.0.1", "a browser")
	h.wantCode("the same answer again", err, "identity.passkey")

	h.pass(FreshFor)
	h.wantCode("five minutes later", NeedFresh(h.again(who), h.Directory.now()), "identity.factor_stale")
	options, err = h.AskPasskey(ctx, who, console)
	h.wantCode("asking her", err, "")
	if a := d.read(options); len(a.Allow) != 1 {
		t.Errorf("she is asked for %v", a.Allow)
	}
	_, err = h.SignInWithPasskey(ctx, console, d.get(options, console.Origin), "127.0.0.1", "")
	h.wantCode("an answer to another question", err, "identity.passkey")
	_, err = h.RefreshWithPasskey(ctx, who, console, d.get(options, console.Origin))
	h.wantCode("showing it", err, "")
	h.wantCode("fresh again", NeedFresh(h.again(who), h.Directory.now()), "")

	all, codes, err := h.Factors(ctx, who, who.PersonID)
	h.wantCode("listing", err, "")
	if len(all) != 1 || all[0].Kind != "passkey" || all[0].LastUsed.IsZero() || codes != recoveryCodes {
		t.Errorf("factors %+v, %d codes", all, codes)
	}
	h.wantCode("removing it", h.RemoveFactor(ctx, h.again(who), all[0].ID), "")
	options, _ = h.AskPasskey(ctx, Principal{}, console)
	_, err = h.SignInWithPasskey(ctx, console, d.get(options, console.Origin), "127.0.0.1", "")
	h.wantCode("a removed passkey", err, "identity.passkey")
}

func TestPasskeyIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, ada := t.Context(), h.admin()
	d := h.enrolPasskey(ada, console)
	ada = h.again(ada)
	ask := func() []byte {
		options, err := h.AskPasskey(ctx, Principal{}, console)
		h.wantCode("asking", err, "")
		return options
	}
	in := func(what string, site Site, answer []byte, code string) {
		t.Helper()
		_, err := h.SignInWithPasskey(ctx, site, answer, "127.0.0.1", "")
		h.wantCode(what, err, code)
	}
	in("made for another origin", console, d.get(ask(), "https://evil.example.com"), "identity.passkey")
	other := Site{Origin: "https://reeve.example.com:8443"}
	options, _ := h.AskPasskey(ctx, Principal{}, other)
	in("another port of the host, whose page may use the key", other, d.get(options, other.Origin), "identity.passkey")
	in("no challenge of ours", console, d.get([]byte(`{"challenge":"`+strings.Repeat("A", 54)+`","rpId":"reeve.example.com"}`), console.Origin), "identity.passkey")
	old := ask()
	h.pass(challengeLife)
	in("too late", console, d.get(old, console.Origin), "identity.passkey")
	d.unsure = true
	in("nobody was verified", console, d.get(ask(), console.Origin), "identity.passkey")
	d.unsure = false
	thief := newDevice(t)
	thief.id, thief.user = d.id, d.user
	in("signed by another key", console, thief.get(ask(), console.Origin), "identity.passkey")
	d.counter = 20
	in("a good one", console, d.get(ask(), console.Origin), "")
	d.counter = 3
	in("a counter that went back", console, d.get(ask(), console.Origin), "identity.passkey")
	in("no JSON", console, []byte("{"), "identity.passkey")
	in("too much", console, []byte(`"`+strings.Repeat("x", maxPasskeyJSON)+`"`), "identity.passkey")
	for origin, code := range map[string]string{
		"": "identity.passkey_origin", "https://127.0.0.1": "identity.passkey_name", "http://[::1]:7300": "identity.passkey_name",
		"http://reeve.example.com": "identity.passkey_tls", "file:///x": "identity.passkey_origin",
	} {
		_, err := h.AskPasskey(ctx, Principal{}, Site{Origin: origin})
		h.wantCode("a page at "+origin, err, code)
	}
	_, err := h.AskPasskey(ctx, Principal{}, Site{Origin: "http://localhost:7300"})
	h.wantCode("localhost without TLS", err, "")
	_, err = h.AskPasskey(ctx, ada, Site{Origin: "http://localhost:7300"})
	h.wantCode("none for this name", err, "identity.passkey_none")

	// Enrolling: as for any factor, and only into one's own account.
	h.pass(time.Minute)
	_, _, err = h.BeginPasskey(ctx, ada, "second", good, console)
	h.wantCode("a second one without a fresh factor", err, "identity.factor_stale")
	h.person(h.signInWith(d), "bob")
	bob := h.signIn("bob")
	_, _, err = h.BeginPasskey(ctx, bob, "", "not the password", console)
	h.wantCode("the first without the password", err, "identity.password")
	f, options, err := h.BeginPasskey(ctx, bob, "", good, console)
	h.wantCode("beginning", err, "")
	if a := d.read(options); a.Selection.Verify != "required" {
		t.Errorf("asks for %q", a.Selection.Verify)
	}
	mine := newDevice(t)
	answer := mine.create(options, console.Origin)
	_, err = h.ConfirmPasskey(ctx, ada, f.ID, console, answer)
	h.wantCode("another's enrolment", err, "identity.passkey")
	_, err = h.ConfirmPasskey(ctx, bob, "fac_other", console, answer)
	h.wantCode("another enrolment", err, "identity.passkey")
	_, err = h.ConfirmPasskey(ctx, bob, f.ID, console, answer)
	h.wantCode("his own", err, "")
	_, err = h.ConfirmPasskey(ctx, bob, f.ID, console, answer)
	h.wantCode("twice", err, "identity.passkey")
	_, err = h.ConfirmFactor(ctx, bob, f.ID, "000000")
	h.wantCode("a code of a passkey", err, "identity.not_found")
}

func FuzzPasskeyAnswers(f *testing.F) {
	h := open(f)
	options, err := h.AskPasskey(f.Context(), Principal{}, console)
	if err != nil {
		f.Fatal(err)
	}
	d := &device{t: f, id: []byte("0123456789abcdef"), user: []byte("per_1")}
	d.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.Add(d.get(options, console.Origin))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := h.shownPasskey(t.Context(), "", console, answer, toSignIn, console.Origin); err == nil {
			t.Fatal("an answer that no device gave was accepted")
		}
	})
}
