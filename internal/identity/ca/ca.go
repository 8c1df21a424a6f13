// Package ca is the certificate authority of an installation: it gives agent
// instances X.509-SVIDs and tells others what to trust.
//
// What for: an agent instance proves who it is as
// spiffe://<trust domain>/agent/<name>/<instance> with a certificate that lives
// an hour at most. A root that lives in the data folder signs 30-day
// intermediates, which sign the leaves.
//
// Who calls it: api issues from a CSR and publishes bundle and revocation
// lists; the gateway's verifier asks Peer who a client certificate is; token
// seals its own keys with Seal.
//
// Promises: private keys reach the disk only encrypted under a passphrase that
// is kept elsewhere, or FileMode says so. What Open, Rotate and Revoke changed
// is synced before they return. During a rotation the bundle carries old and
// new root for longer than a leaf and a reader's refresh take. A reader's clock
// may be a minute behind. Safe for concurrent use; Peer takes no lock.
//
// How it fails: with faults of codes ca.*: ca.passphrase (missing or wrong),
// ca.state (the file is damaged), ca.csr, ca.name, ca.peer, ca.disk. Nothing is
// issued when the state cannot be written.
//
// Start reading at Open, then CA.Issue and CA.Peer.
package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
)

// The lives of what the authority signs, and how often readers of the bundle
// are told to look again.
const (
	MaxLeafLife      = time.Hour
	MaxServerLife    = 24 * time.Hour
	IntermediateLife = 30 * 24 * time.Hour
	RootLife         = 5 * 365 * 24 * time.Hour
	RefreshHint      = 5 * time.Minute

	// A certificate is valid from a little before its making, for readers
	// whose clocks are behind.
	backdate = time.Minute
	// The intermediate is replaced with a third of its life left, the root
	// with more than a leaf's and an intermediate's life left.
	renewIntermediate = 10 * 24 * time.Hour
	renewRoot         = 90 * 24 * time.Hour
	// A new root signs only once every reader that keeps to the hint has it.
	prepare = 2 * RefreshHint
	// An old root stays until its last leaf has ended and readers have looked.
	overlap = MaxLeafLife + 2*RefreshHint
	crlLife = 10 * time.Minute
)

// Options says where an authority lives. Dir and TrustDomain are required.
type Options struct {
	Dir         string // the folder of its state file; made when missing
	TrustDomain string // "example.org": lower-case letters, digits, dot, dash, underscore

	// The passphrase under which keys are encrypted, from a file outside the
	// data folder (a systemd credential, a mounted secret) or the named
	// environment variable; the file wins. Neither: file mode.
	PassphraseFile string
	PassphraseEnv  string

	// RootCert and RootKey are PEM files of a root (or an authority below one)
	// that was brought from outside: EC P-256, may sign authorities. The key is
	// kept with the others, sealed. Another one in these files is a rotation.
	RootCert, RootKey string

	// CRLURL is put into leaves as distribution point; may be empty. RFC 5280
	// §4.2.1.13 wants http: to fetch a list over https is to verify a certificate
	// first, perhaps by that list.
	CRLURL string
	Now    func() time.Time // nil is time.Now
	Log    *slog.Logger     // nil discards
}

// CA is an open authority.
type CA struct {
	o     Options
	file  string
	vault *vault // nil in file mode

	mu    sync.Mutex // guards what follows, and the file
	state state
	crls  crlCache

	view atomic.Pointer[view] // what Peer reads
}

// state is the file. Keys are PKCS#8, sealed unless in file mode.
type state struct {
	TrustDomain   string   `json:"trust_domain"`
	Salt          []byte   `json:"salt,omitempty"` // of the passphrase; empty in file mode
	Sequence      int64    `json:"sequence"`       // of the bundle, raised at each change
	CRLNumber     int64    `json:"crl_number"`
	Roots         []root   `json:"roots"`         // oldest first
	Intermediates []signer `json:"intermediates"` // oldest first; the last signs
	Revoked       []struck `json:"revoked,omitempty"`
	Check         []byte   `json:"check,omitempty"` // sealed, to tell a wrong passphrase from a damaged file
}

// A signer is a certificate with its key.
type signer struct {
	Cert []byte `json:"cert"`
	Key  []byte `json:"key"`

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A root goes prepared -> active -> leaving -> dropped:
//
//	published            ActiveFrom             next root's ActiveFrom    DropAt
//	|--- in the bundle --|------ signs ---------|--- in the bundle -------|
type root struct {
	signer
	ActiveFrom time.Time `json:"active_from"`
	DropAt     time.Time `json:"drop_at,omitzero"` // zero: no successor
}

type struck struct {
	Serial  string    `json:"serial"` // lower-case hex
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"` // of the certificate
}

// view is the part of the state that verification needs, never changed.
type view struct {
	roots         *x509.CertPool
	dropAt        map[[32]byte]time.Time // by the hash of the root
	intermediates []*x509.Certificate
	revoked       map[string]time.Time
}

// Open reads the authority in o.Dir, or makes one. A state in file mode that
// is opened with a passphrase is encrypted under it. It starts nothing: Run
// renews what ages.
func Open(o Options) (*CA, error) {
	if !validTrustDomain(o.TrustDomain) {
		return nil, fault.New(fault.KindInvalid, "ca.trust_domain", "%q is not a SPIFFE trust domain", o.TrustDomain).
			WithHint("use lower-case letters, digits, dots, dashes and underscores, as in example.org")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	pass, err := passphrase(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, diskFault(err)
	}
	c := &CA{o: o, file: filepath.Join(o.Dir, "ca.json")}
	text, err := os.ReadFile(c.file)
	missing := err
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = c.found(pass)
	case err != nil:
		err = diskFault(err)
	default:
		err = c.load(text, pass)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.adopt(errors.Is(missing, fs.ErrNotExist)); err != nil {
		return nil, err
	}
	if err := c.advance(); err != nil {
		return nil, err
	}
	c.show()
	return c, nil
}

// found makes a new authority.
func (c *CA) found(pass []byte) error {
	c.state = state{TrustDomain: c.o.TrustDomain}
	if err := c.lock(pass); err != nil {
		return err
	}
	r, err := c.newRoot()
	if err != nil {
		return err
	}
	r.ActiveFrom = c.o.Now()
	c.state.Roots = []root{r}
	c.state.Sequence = 1
	return c.renewSigner()
}

// lock sets up the vault for a passphrase; without one there is none.
func (c *CA) lock(pass []byte) (err error) {
	if len(pass) == 0 {
		return nil
	}
	c.state.Salt = make([]byte, 16)
	if _, err := rand.Read(c.state.Salt); err != nil {
		return err
	}
	c.vault = newVault(pass, c.state.Salt)
	c.state.Check, err = c.Seal("check", []byte("reeve"))
	return err
}

func (c *CA) load(text, pass []byte) error {
	if err := json.Unmarshal(text, &c.state); err != nil {
		return stateFault(err)
	}
	s := &c.state
	if s.TrustDomain != c.o.TrustDomain {
		return fault.New(fault.KindConflict, "ca.trust_domain", "the authority is of trust domain %q, not %q", s.TrustDomain, c.o.TrustDomain)
	}
	if len(s.Roots) == 0 || len(s.Intermediates) == 0 {
		return stateFault(errors.New("no root or no intermediate"))
	}
	if len(s.Salt) > 0 {
		if len(pass) == 0 {
			return fault.New(fault.KindInvalid, "ca.passphrase", "the authority's keys are encrypted and no passphrase was given").
				WithHint("give the file or environment variable that holds it")
		}
		c.vault = newVault(pass, s.Salt)
		if _, err := c.Unseal("check", s.Check); err != nil {
			return fault.New(fault.KindInvalid, "ca.passphrase", "the passphrase does not open the authority's keys").WithCause(err)
		}
	}
	for i := range s.Roots {
		if err := c.open(&s.Roots[i].signer); err != nil {
			return err
		}
	}
	for i := range s.Intermediates {
		if err := c.open(&s.Intermediates[i]); err != nil {
			return err
		}
	}
	if c.vault == nil && len(pass) > 0 {
		if err := c.lock(pass); err != nil {
			return err
		}
		for i := range s.Roots {
			if err := c.seal(&s.Roots[i].signer); err != nil {
				return err
			}
		}
		for i := range s.Intermediates {
			if err := c.seal(&s.Intermediates[i]); err != nil {
				return err
			}
		}
		return c.save()
	}
	return nil
}

// FileMode reports that keys are protected by the file's rights only, since no
// passphrase was given. The start says so.
func (c *CA) FileMode() bool { return c.vault == nil }

// TrustDomain is the installation's, without "spiffe://".
func (c *CA) TrustDomain() string { return c.o.TrustDomain }

// Run renews the intermediate and the root as they age and ends old roots,
// until ctx ends, whose cause it returns.
func (c *CA) Run(ctx context.Context) error {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		c.mu.Lock()
		err := c.advance()
		c.mu.Unlock()
		if err != nil {
			// Tried again in a minute; what is signed now is still good.
			c.o.Log.ErrorContext(ctx, "certificate authority not renewed", "err", err)
		}
	}
}

// Rotate makes a new root. Readers get it with the next bundle; it signs once
// they have had time to, and the old one leaves when its last leaf has ended.
// compromised drops every other root and intermediate at once instead: all
// certificates issued so far are refused from then on.
func (c *CA) Rotate(compromised bool) error {
	if c.o.RootCert != "" {
		return fault.New(fault.KindConflict, "ca.external", "the root was brought from outside").
			WithHint("put the next one into its files and start again")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.state
	if err := c.rotate(compromised); err != nil {
		c.state = before
		return err
	}
	c.show()
	return nil
}

func (c *CA) rotate(compromised bool) error {
	now, s := c.o.Now(), &c.state
	r, err := c.newRoot()
	if err != nil {
		return err
	}
	s.Sequence++
	if compromised {
		r.ActiveFrom = now
		s.Roots, s.Intermediates, s.Revoked = []root{r}, nil, nil
		return c.renewSigner()
	}
	if last := s.Roots[len(s.Roots)-1]; last.ActiveFrom.After(now) {
		return fault.New(fault.KindConflict, "ca.rotating", "a new root is already prepared and signs from %s", last.ActiveFrom.UTC().Format(time.RFC3339))
	}
	r.ActiveFrom = now.Add(prepare)
	// A fresh slice: the caller restores the old one on error.
	roots := append([]root(nil), s.Roots...)
	for i := range roots {
		if roots[i].DropAt.IsZero() {
			roots[i].DropAt = r.ActiveFrom.Add(overlap)
		}
	}
	s.Roots = append(roots, r)
	return c.save()
}

// advance does what the time asks for: drop, activate, renew. Holds mu.
func (c *CA) advance() error {
	before := c.state
	if err := c.step(); err != nil {
		c.state = before
		return err
	}
	return nil
}

func (c *CA) step() error {
	now, s := c.o.Now(), &c.state
	changed := false
	var roots []root
	for _, r := range s.Roots {
		if !r.DropAt.IsZero() && !now.Before(r.DropAt) {
			s.Sequence++
			changed = true
			continue
		}
		roots = append(roots, r)
	}
	s.Roots = roots
	var kept []signer
	for _, m := range s.Intermediates {
		if now.Before(m.cert.NotAfter) {
			kept = append(kept, m)
		}
	}
	changed = changed || len(kept) != len(s.Intermediates)
	s.Intermediates = kept
	var revoked []struck
	for _, r := range s.Revoked {
		if now.Before(r.Expires.Add(crlLife)) {
			revoked = append(revoked, r)
		}
	}
	changed = changed || len(revoked) != len(s.Revoked)
	s.Revoked = revoked

	if last := s.Roots[len(s.Roots)-1]; c.o.RootCert == "" && last.cert.NotAfter.Sub(now) < renewRoot && !last.ActiveFrom.After(now) {
		c.o.Log.Info("certificate authority makes a new root")
		if err := c.rotate(false); err != nil {
			return err
		}
		changed = false // saved
		defer c.show()
	}
	if n := len(s.Intermediates); n == 0 || s.Intermediates[n-1].cert.NotAfter.Sub(now) < renewIntermediate ||
		s.Intermediates[n-1].cert.CheckSignatureFrom(c.signingRoot().cert) != nil {
		if err := c.renewSigner(); err != nil {
			return err
		}
		c.show()
		return nil
	}
	if changed {
		if err := c.save(); err != nil {
			return err
		}
		c.show()
	}
	return nil
}

// signingRoot is the newest active one.
func (c *CA) signingRoot() *root {
	now := c.o.Now()
	for i := len(c.state.Roots) - 1; i > 0; i-- {
		if !c.state.Roots[i].ActiveFrom.After(now) {
			return &c.state.Roots[i]
		}
	}
	return &c.state.Roots[0]
}

func (c *CA) newRoot() (root, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return root{}, err
	}
	t := c.authority("Reeve root", RootLife)
	t.MaxPathLen = 1
	s, err := c.sign(t, t, key, key)
	return root{signer: s}, err
}

// renewSigner makes a new intermediate under the signing root and saves.
func (c *CA) renewSigner() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	parent := c.signingRoot()
	t := c.authority("Reeve intermediate", IntermediateLife)
	t.MaxPathLenZero = true
	// Nothing outlives its issuer.
	if t.NotAfter.After(parent.cert.NotAfter) {
		t.NotAfter = parent.cert.NotAfter
	}
	s, err := c.sign(t, parent.cert, key, parent.key)
	if err != nil {
		return err
	}
	c.state.Intermediates = append(append([]signer(nil), c.state.Intermediates...), s)
	return c.save()
}

// authority is the template of a signing certificate: SPIFFE X509-SVID §4.1
// wants cA and keyCertSign, and an ID without a path.
func (c *CA) authority(name string, life time.Duration) *x509.Certificate {
	now := c.o.Now().UTC().Truncate(time.Second)
	return &x509.Certificate{
		SerialNumber: newSerial(0),
		// Set and unlike any other: an empty or shared subject makes path
		// building guess.
		Subject:               pkix.Name{Organization: []string{"Reeve"}, CommonName: name + " " + now.Format("2006-01-02T15:04:05Z"), SerialNumber: newSerial(0).Text(62)[:12]},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(life),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		URIs:                  []*url.URL{{Scheme: "spiffe", Host: c.o.TrustDomain}},
	}
}

func (c *CA) sign(t, parent *x509.Certificate, key *ecdsa.PrivateKey, by crypto.Signer) (signer, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), by)
	if err != nil {
		return signer{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return signer{}, err
	}
	s := signer{Cert: der, cert: cert, key: key}
	return s, c.seal(&s)
}

// seal writes the signer's key as the file has it, bound to its certificate so
// that no other key can be put beside it.
func (c *CA) seal(s *signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return err
	}
	s.Key, err = c.Seal(sealName(s.Cert), der)
	return err
}

func (c *CA) open(s *signer) error {
	cert, err := x509.ParseCertificate(s.Cert)
	if err != nil {
		return stateFault(err)
	}
	der, err := c.Unseal(sealName(s.Cert), s.Key)
	if err != nil {
		return stateFault(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return stateFault(err)
	}
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok || !k.PublicKey.Equal(cert.PublicKey) {
		return stateFault(errors.New("key and certificate do not belong together"))
	}
	s.cert, s.key = cert, k
	return nil
}

func sealName(cert []byte) string {
	h := sha256.Sum256(cert)
	return "ca:" + string(h[:])
}

// show gives Peer the state as it is now. Holds mu.
func (c *CA) show() {
	v := &view{roots: x509.NewCertPool(), dropAt: map[[32]byte]time.Time{}, revoked: map[string]time.Time{}}
	for _, r := range c.state.Roots {
		v.roots.AddCert(r.cert)
		v.dropAt[sha256.Sum256(r.Cert)] = r.DropAt
	}
	for _, m := range c.state.Intermediates {
		v.intermediates = append(v.intermediates, m.cert)
	}
	for _, r := range c.state.Revoked {
		v.revoked[r.Serial] = r.At
	}
	c.view.Store(v)
	c.crls = crlCache{}
}

// newSerial makes a certificate's serial: 01, six bytes of the agent's epoch,
// twelve random bytes. The epoch is here because a stop must be able to kill a
// certificate by epoch without asking anybody, and an extension of our own
// would need an assigned number.
func newSerial(epoch int64) *big.Int {
	var b [19]byte
	if _, err := rand.Read(b[7:]); err != nil {
		panic(err) // documented never to happen
	}
	b[0] = 1
	for i := range 6 {
		b[6-i] = byte(epoch >> (8 * i))
	}
	return new(big.Int).SetBytes(b[:])
}

// serialEpoch reads what newSerial wrote.
func serialEpoch(n *big.Int) (int64, bool) {
	b := n.Bytes()
	if len(b) != 19 || b[0] != 1 {
		return 0, false
	}
	var e int64
	for _, x := range b[1:7] {
		e = e<<8 | int64(x)
	}
	return e, true
}
