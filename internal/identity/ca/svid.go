package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
)

// MaxCSR is the longest certificate request in bytes.
const MaxCSR = 16 << 10

// SVID is an issued certificate.
type SVID struct {
	ID        string   // "spiffe://example.org/agent/billing/i1"
	Serial    string   // lower-case hex: what Revoke takes
	Chain     [][]byte // DER: the leaf, then its intermediate; not the root
	NotBefore time.Time
	NotAfter  time.Time
}

// Peer is who a verified client certificate speaks for.
type Peer struct {
	ID       string
	Agent    string
	Instance string
	Serial   string // lower-case hex
	Epoch    int64  // of the agent when the certificate was made
	NotAfter time.Time
}

// AgentID is the SPIFFE ID of an agent's instance in a trust domain.
func AgentID(trustDomain, agent, instance string) (string, error) {
	if !validSegment(agent) || !validSegment(instance) {
		return "", fault.New(fault.KindInvalid, "ca.name", "agent %q, instance %q cannot be parts of a SPIFFE ID", agent, instance).
			WithHint("letters, digits, dots, dashes and underscores, 128 at most")
	}
	return "spiffe://" + trustDomain + "/agent/" + agent + "/" + instance, nil
}

// ParseAgentID splits what AgentID made; anything else, of this trust domain
// or another, is not ok.
func ParseAgentID(trustDomain, id string) (agent, instance string, ok bool) {
	rest, ok := strings.CutPrefix(id, "spiffe://"+trustDomain+"/agent/")
	if !ok {
		return "", "", false
	}
	agent, instance, ok = strings.Cut(rest, "/")
	if !ok || !validSegment(agent) || !validSegment(instance) {
		return "", "", false
	}
	return agent, instance, true
}

// validSegment holds a path segment to SPIFFE-ID §2.2.
func validSegment(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func validTrustDomain(s string) bool {
	return validSegment(s) && s == strings.ToLower(s)
}

// Issue makes an X.509-SVID for the key in a certificate request (DER). The
// request proves possession of the key and names nothing else: a SAN in it may
// only repeat the ID. life is cut to MaxLeafLife, which 0 also means. epoch is
// the agent's now.
func (c *CA) Issue(csr []byte, agent, instance string, epoch int64, life time.Duration) (*SVID, error) {
	id, err := AgentID(c.o.TrustDomain, agent, instance)
	if err != nil {
		return nil, err
	}
	if epoch < 0 || epoch >= 1<<48 {
		return nil, fault.New(fault.KindInvalid, "ca.epoch", "epoch %d is out of range", epoch)
	}
	pub, err := requestKey(csr, id)
	if err != nil {
		return nil, err
	}
	if life <= 0 || life > MaxLeafLife {
		life = MaxLeafLife
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.advance(); err != nil {
		return nil, err
	}
	u, err := url.Parse(id)
	if err != nil {
		return nil, err
	}
	// The whole validity, backdating included, stays within the bound.
	return c.signLeaf(c.leaf(u, newSerial(epoch), commonName(agent), min(life, MaxLeafLife-backdate)), pub)
}

// Server makes a certificate for a server of this installation itself: its
// names and addresses, and the SPIFFE ID spiffe://<trust domain>/reeve/<part>,
// which Peer never takes for an agent. The key is the caller's.
func (c *CA) Server(part string, names []string, addresses []net.IP, key crypto.PublicKey, life time.Duration) (*SVID, error) {
	if !validSegment(part) {
		return nil, fault.New(fault.KindInvalid, "ca.name", "%q cannot be part of a SPIFFE ID", part)
	}
	if life <= 0 || life > MaxServerLife {
		life = MaxServerLife
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.advance(); err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: "spiffe", Host: c.o.TrustDomain, Path: "/reeve/" + part}
	t := c.leaf(u, newSerial(0), commonName(part), min(life, MaxServerLife-backdate))
	t.DNSNames, t.IPAddresses = names, addresses
	return c.signLeaf(t, key)
}

// leaf is what every certificate that is no authority has. Holds mu.
func (c *CA) leaf(id *url.URL, serial *big.Int, name string, life time.Duration) *x509.Certificate {
	now := c.o.Now().UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Reeve"}, CommonName: name},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:         []*url.URL{id},
		// Said, so that nobody takes a leaf for an authority.
		BasicConstraintsValid: true,
	}
	if c.o.CRLURL != "" {
		t.CRLDistributionPoints = []string{c.o.CRLURL}
	}
	return t
}

// signLeaf has the newest intermediate sign t. Holds mu.
func (c *CA) signLeaf(t *x509.Certificate, key crypto.PublicKey) (*SVID, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "ca.csr", "no certificate can be made for this key").WithCause(err)
	}
	id := sha256.Sum256(spki) // RFC 7093 §2, method 4; x509 makes one for authorities alone
	t.SubjectKeyId = id[:20]
	by := c.state.Intermediates[len(c.state.Intermediates)-1]
	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, key, by.key)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "ca.csr", "no certificate can be made for this key").WithCause(err)
	}
	return &SVID{ID: t.URIs[0].String(), Serial: serialText(t.SerialNumber), Chain: [][]byte{der, by.Cert}, NotBefore: t.NotBefore, NotAfter: t.NotAfter}, nil
}

// commonName keeps within RFC 5280's 64 characters; the name is for people,
// the SAN is who it is.
func commonName(agent string) string { return agent[:min(len(agent), 64)] }

func serialText(n *big.Int) string { return fmt.Sprintf("%x", n.Bytes()) }

// requestKey checks a request and gives its key.
func requestKey(csr []byte, id string) (any, error) {
	refuse := func(why string, cause error) error {
		return fault.New(fault.KindInvalid, "ca.csr", "the certificate request %s", why).WithCause(cause)
	}
	if len(csr) > MaxCSR {
		return nil, refuse("is too long", nil)
	}
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, refuse("cannot be read", err)
	}
	switch k := r.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			return nil, refuse("has a key of another curve than P-256 and P-384", nil)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		// Bounded before the signature is checked: the cost grows with the size.
		if n := k.N.BitLen(); n < 2048 || n > 4096 {
			return nil, refuse("has an RSA key of other than 2048 to 4096 bits", nil)
		}
	default:
		return nil, refuse("has a key of an unknown kind", nil)
	}
	if err := r.CheckSignature(); err != nil {
		return nil, refuse("is not signed by its own key", err)
	}
	if len(r.DNSNames)+len(r.EmailAddresses)+len(r.IPAddresses) > 0 || len(r.URIs) > 1 ||
		len(r.URIs) == 1 && r.URIs[0].String() != id {
		return nil, refuse("asks for another name than "+id, nil)
	}
	return r.PublicKey, nil
}

// Peer says who a client certificate is, or fails with ca.peer. The chain is
// verified to a root in use whatever TLS did before; intermediates that the
// client sent may be given, our own are known.
func (c *CA) Peer(leaf *x509.Certificate, intermediates ...*x509.Certificate) (Peer, error) {
	v, now := c.view.Load(), c.o.Now()
	if leaf == nil {
		return Peer{}, peerFault("is missing", nil)
	}
	if len(leaf.URIs) != 1 || len(leaf.DNSNames)+len(leaf.EmailAddresses)+len(leaf.IPAddresses) > 0 {
		return Peer{}, peerFault("is not an X.509-SVID of an agent", errors.New("not exactly one URI SAN"))
	}
	id := leaf.URIs[0].String()
	agent, instance, ok := ParseAgentID(c.o.TrustDomain, id)
	if !ok || leaf.IsCA || leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 ||
		leaf.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
		return Peer{}, peerFault("is not an X.509-SVID of an agent", errors.New(id))
	}
	pool := x509.NewCertPool()
	for _, m := range v.intermediates {
		pool.AddCert(m)
	}
	for _, m := range intermediates[:min(len(intermediates), 4)] {
		pool.AddCert(m)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: v.roots, Intermediates: pool, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return Peer{}, peerFault("does not verify", err)
	}
	if !slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool {
		drop := v.dropAt[sha256.Sum256(chain[len(chain)-1].Raw)]
		return drop.IsZero() || now.Before(drop)
	}) {
		return Peer{}, peerFault("hangs on a root that is no longer in use", nil)
	}
	serial := serialText(leaf.SerialNumber)
	if _, ok := v.revoked[serial]; ok {
		return Peer{}, peerFault("was revoked", nil)
	}
	epoch, ok := serialEpoch(leaf.SerialNumber)
	if !ok {
		return Peer{}, peerFault("was not issued here", nil)
	}
	return Peer{ID: id, Agent: agent, Instance: instance, Serial: serial, Epoch: epoch, NotAfter: leaf.NotAfter}, nil
}

// Revoked reports whether a certificate was revoked by its serial.
func (c *CA) Revoked(serial string) bool {
	_, ok := c.view.Load().revoked[serial]
	return ok
}

func peerFault(why string, cause error) error {
	return fault.New(fault.KindUnauthenticated, "ca.peer", "the client certificate %s", why).WithCause(cause)
}

// Revoke puts a certificate on the revocation list and has Peer refuse it.
// expires is the certificate's end; past it the entry goes. Revoking again
// changes nothing.
func (c *CA) Revoke(serial string, expires time.Time) error {
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok || n.Sign() <= 0 || n.BitLen() > 159 || serialText(n) != serial {
		return fault.New(fault.KindInvalid, "ca.serial", "%q is not a certificate's serial", serial)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Revoked(serial) {
		return nil
	}
	now, before := c.o.Now(), c.state
	if limit := now.Add(MaxLeafLife); expires.IsZero() || expires.After(limit) {
		expires = limit // no leaf lives longer
	}
	c.state.Revoked = append(slices.Clone(c.state.Revoked), struck{Serial: serial, At: now, Expires: expires})
	if err := c.save(); err != nil {
		c.state = before
		return err
	}
	c.show()
	return nil
}

// RevokeAll is Revoke for many at once: serial -> end of the certificate. What
// is revoked already, or has ended, is passed over.
func (c *CA) RevokeAll(list map[string]time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, before := c.o.Now(), c.state
	revoked := slices.Clone(c.state.Revoked)
	for serial, expires := range list {
		if !c.Revoked(serial) && expires.After(now) {
			revoked = append(revoked, struck{Serial: serial, At: now, Expires: expires})
		}
	}
	if len(revoked) == len(before.Revoked) {
		return nil
	}
	c.state.Revoked = revoked
	if err := c.save(); err != nil {
		c.state = before
		return err
	}
	c.show()
	return nil
}

type crlCache struct {
	lists [][]byte
	until time.Time
}

// CRLs gives the revocation lists (DER), the signing intermediate's first: a
// list speaks for its issuer, and leaves of the one before may still live.
// Every list carries every revoked serial, since serials are never used twice
// and who revokes need not know the issuer.
func (c *CA) CRLs() ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.advance(); err != nil {
		return nil, err
	}
	now := c.o.Now().UTC().Truncate(time.Second)
	if c.crls.lists != nil && now.Before(c.crls.until) {
		return c.crls.lists, nil
	}
	before := c.state
	c.state.CRLNumber++
	if err := c.save(); err != nil {
		c.state = before
		return nil, err
	}
	entries := make([]x509.RevocationListEntry, 0, len(c.state.Revoked))
	for _, r := range c.state.Revoked {
		n, _ := new(big.Int).SetString(r.Serial, 16)
		if n == nil {
			return nil, stateFault(errors.New("serial"))
		}
		entries = append(entries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: r.At.UTC()})
	}
	var lists [][]byte
	for _, m := range slices.Backward(c.state.Intermediates) {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(c.state.CRLNumber), ThisUpdate: now.Add(-backdate), NextUpdate: now.Add(crlLife),
			RevokedCertificateEntries: entries,
		}, m.cert, m.key)
		if err != nil {
			return nil, fmt.Errorf("signing the revocation list: %w", err)
		}
		lists = append(lists, der)
	}
	c.crls = crlCache{lists: lists, until: now.Add(crlLife / 2)}
	return lists, nil
}

// Roots gives the roots in the bundle, as a pool for tls.Config.ClientCAs and
// for clients. It is the caller's, and as old as the call.
func (c *CA) Roots() *x509.CertPool { return c.view.Load().roots.Clone() }

// Sequence is the bundle's, raised whenever the roots change.
func (c *CA) Sequence() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Sequence
}

// RootCertificates gives the bundle's roots (DER), oldest first.
func (c *CA) RootCertificates() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list [][]byte
	for _, r := range c.state.Roots {
		list = append(list, slices.Clone(r.Cert))
	}
	return list
}

// Bundle is the SPIFFE bundle (a JWK set with sequence and refresh hint): our
// roots, and the given JWT-SVID keys as they are. jwtSequence is how often
// those changed; it counts into the bundle's own sequence.
func (c *CA) Bundle(jwtKeys []json.RawMessage, jwtSequence int64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.advance(); err != nil {
		return nil, err
	}
	type jwk struct {
		Kty string   `json:"kty"`
		Use string   `json:"use"`
		Crv string   `json:"crv"`
		X   string   `json:"x"`
		Y   string   `json:"y"`
		X5c []string `json:"x5c"`
	}
	keys := make([]any, 0, len(c.state.Roots)+len(jwtKeys))
	for _, r := range c.state.Roots {
		point, err := r.key.PublicKey.Bytes() // 4, X, Y
		if err != nil {
			return nil, err
		}
		keys = append(keys, jwk{
			Kty: "EC", Use: "x509-svid", Crv: "P-256",
			X: base64.RawURLEncoding.EncodeToString(point[1:33]), Y: base64.RawURLEncoding.EncodeToString(point[33:]),
			X5c: []string{base64.StdEncoding.EncodeToString(r.Cert)},
		})
	}
	for _, k := range jwtKeys {
		keys = append(keys, k)
	}
	return json.Marshal(struct {
		Keys     []any `json:"keys"`
		Sequence int64 `json:"spiffe_sequence"`
		Hint     int64 `json:"spiffe_refresh_hint"`
	}{keys, c.state.Sequence + jwtSequence, int64(RefreshHint / time.Second)})
}

// CRLHandler serves the signing intermediate's revocation list; ?issuer=1 is
// the one before, and so on.
func (c *CA) CRLHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		if q := r.URL.Query().Get("issuer"); q != "" {
			var err error
			if n, err = strconv.Atoi(q); err != nil || n < 0 {
				http.Error(w, "no such issuer", http.StatusNotFound)
				return
			}
		}
		lists, err := c.CRLs()
		if err != nil {
			c.o.Log.ErrorContext(r.Context(), "revocation list not made", "err", err)
			http.Error(w, "revocation list not available", http.StatusServiceUnavailable)
			return
		}
		if n >= len(lists) {
			http.Error(w, "no such issuer", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/pkix-crl")
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write(lists[n])
	})
}
