package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	"reeve/internal/fault"
)

const domain = "example.org"

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func open(t *testing.T, o Options) *CA {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.TrustDomain == "" {
		o.TrustDomain = domain
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func request(t *testing.T, edit func(*x509.CertificateRequest)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return requestOf(t, key, edit)
}

func requestOf(t *testing.T, key any, edit func(*x509.CertificateRequest)) []byte {
	t.Helper()
	var r x509.CertificateRequest
	if edit != nil {
		edit(&r)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &r, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func issue(t *testing.T, c *CA) (*SVID, []*x509.Certificate) {
	t.Helper()
	s, err := c.Issue(request(t, nil), "billing", "i1", 7, 0)
	if err != nil {
		t.Fatal(err)
	}
	var chain []*x509.Certificate
	for _, der := range s.Chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, cert)
	}
	return s, chain
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// The reference implementation reads our bundle and accepts our certificates.
func TestGoSpiffeAccepts(t *testing.T) {
	t.Parallel()
	c := open(t, Options{})
	s, chain := issue(t, c)
	text, err := c.Bundle(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	td := spiffeid.RequireTrustDomainFromString(domain)
	b, err := spiffebundle.Parse(td, text)
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := b.SequenceNumber(); !ok || n != 4 {
		t.Errorf("sequence %d, %v", n, ok)
	}
	if h, ok := b.RefreshHint(); !ok || h != RefreshHint {
		t.Errorf("hint %v, %v", h, ok)
	}
	id, _, err := x509svid.Verify(chain, b)
	if err != nil || id.String() != "spiffe://example.org/agent/billing/i1" || s.ID != id.String() {
		t.Errorf("verified %v, %v", id, err)
	}
	raw, err := x509bundle.ParseRaw(td, bytes.Join(c.RootCertificates(), nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x509svid.Verify(chain, raw); err != nil {
		t.Error(err)
	}
	other := open(t, Options{})
	foreign, err := x509bundle.ParseRaw(td, other.RootCertificates()[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x509svid.Verify(chain, foreign); err == nil {
		t.Error("a foreign root verified our leaf")
	}
}

// X509-SVID §4 and §5, field by field.
func TestProfile(t *testing.T) {
	t.Parallel()
	c := open(t, Options{CRLURL: "https://reeve.example.org/crl"})
	s, chain := issue(t, c)
	leaf, mid := chain[0], chain[1]
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || len(leaf.URIs) != 1 || len(leaf.DNSNames) != 0 {
		t.Errorf("leaf %+v", leaf)
	}
	critical := false
	for _, e := range leaf.Extensions {
		critical = critical || e.Id.String() == "2.5.29.15" && e.Critical
	}
	if !critical {
		t.Error("key usage is not critical")
	}
	if got := leaf.NotAfter.Sub(leaf.NotBefore); got > MaxLeafLife {
		t.Errorf("leaf lives %v", got)
	}
	if !mid.IsCA || !mid.MaxPathLenZero || mid.KeyUsage&x509.KeyUsageCertSign == 0 || mid.URIs[0].String() != "spiffe://example.org" {
		t.Errorf("intermediate %+v", mid)
	}
	if got := mid.NotAfter.Sub(mid.NotBefore); got != IntermediateLife+backdate {
		t.Errorf("intermediate lives %v", got)
	}
	if len(leaf.CRLDistributionPoints) != 1 || s.NotAfter != leaf.NotAfter {
		t.Errorf("leaf %+v", leaf)
	}
	root, err := x509.ParseCertificate(c.RootCertificates()[0])
	if err != nil || root.Subject.CommonName == "" || !root.IsCA || root.URIs[0].Path != "" {
		t.Errorf("root %+v, %v", root, err)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	c := open(t, Options{})
	good := request(t, nil)
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1
	p224, _ := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	id := func(s string) func(*x509.CertificateRequest) {
		return func(r *x509.CertificateRequest) { u, _ := url.Parse(s); r.URIs = []*url.URL{u} }
	}
	for name, tc := range map[string]struct {
		csr             []byte
		agent, instance string
		epoch           int64
		want            string
	}{
		"good":              {good, "a", "i", 0, ""},
		"own id":            {request(t, id("spiffe://example.org/agent/a/i")), "a", "i", 0, ""},
		"other agent":       {request(t, id("spiffe://example.org/agent/b/i")), "a", "i", 0, "ca.csr"},
		"dns":               {request(t, func(r *x509.CertificateRequest) { r.DNSNames = []string{"x"} }), "a", "i", 0, "ca.csr"},
		"not signed by key": {broken, "a", "i", 0, "ca.csr"},
		"small curve":       {requestOf(t, p224, nil), "a", "i", 0, "ca.csr"},
		"empty":             {nil, "a", "i", 0, "ca.csr"},
		"long":              {make([]byte, MaxCSR+1), "a", "i", 0, "ca.csr"},
		"slash":             {good, "a/b", "i", 0, "ca.name"},
		"dots":              {good, "a", "..", 0, "ca.name"},
		"percent":           {good, "a%2f", "i", 0, "ca.name"},
		"no instance":       {good, "a", "", 0, "ca.name"},
		"epoch":             {good, "a", "i", 1 << 48, "ca.epoch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := c.Issue(tc.csr, tc.agent, tc.instance, tc.epoch, 0); code(err) != tc.want {
				t.Errorf("got %v", err)
			}
		})
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	if _, err := c.Issue(requestOf(t, ed, nil), "a", "i", 0, 0); err != nil {
		t.Errorf("Ed25519: %v", err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err == nil { // Go itself may refuse to make one
		if _, err := c.Issue(requestOf(t, weak, nil), "a", "i", 0, 0); code(err) != "ca.csr" {
			t.Errorf("RSA 1024: %v", err)
		}
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	k := &clock{t: time.Now()}
	c := open(t, Options{Now: k.now})
	s, chain := issue(t, c)
	want := Peer{ID: s.ID, Agent: "billing", Instance: "i1", Serial: s.Serial, Epoch: 7, NotAfter: s.NotAfter}
	if got, err := c.Peer(chain[0]); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	other := open(t, Options{Now: k.now})
	_, strange := issue(t, other)
	if _, err := c.Peer(strange[0], strange[1]); code(err) != "ca.peer" {
		t.Errorf("foreign chain: %v", err)
	}
	if _, err := c.Peer(chain[1]); code(err) != "ca.peer" {
		t.Errorf("signing certificate: %v", err)
	}
	if _, err := c.Peer(nil); code(err) != "ca.peer" {
		t.Errorf("none: %v", err)
	}
	// Leaves that our own key signed, but not as Issue does.
	by := c.state.Intermediates[0]
	for name, edit := range map[string]func(*x509.Certificate){
		"two names": func(x *x509.Certificate) {
			x.URIs = append(x.URIs, &url.URL{Scheme: "spiffe", Host: domain, Path: "/agent/b/i"})
		},
		"dns name":    func(x *x509.Certificate) { x.DNSNames = []string{"x"} },
		"other kind":  func(x *x509.Certificate) { x.URIs[0].Path = "/node/a/b" },
		"other td":    func(x *x509.Certificate) { x.URIs[0].Host = "example.com" },
		"query":       func(x *x509.Certificate) { x.URIs[0].RawQuery = "a" },
		"server only": func(x *x509.Certificate) { x.ExtKeyUsage = x.ExtKeyUsage[:1] },
		"cert sign":   func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageCertSign },
		"serial":      func(x *x509.Certificate) { x.SerialNumber = big.NewInt(5) },
		"authority":   func(x *x509.Certificate) { x.IsCA = true },
	} {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		x := &x509.Certificate{
			SerialNumber: newSerial(0), NotBefore: k.now().Add(-time.Minute), NotAfter: k.now().Add(time.Minute), Subject: pkix.Name{CommonName: "x"},
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			BasicConstraintsValid: true, URIs: []*url.URL{{Scheme: "spiffe", Host: domain, Path: "/agent/a/i"}},
		}
		edit(x)
		der, err := x509.CreateCertificate(rand.Reader, x, by.cert, key.Public(), by.key)
		if err != nil {
			t.Fatal(name, err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			continue // refused by the parser already
		}
		if _, err := c.Peer(leaf); code(err) != "ca.peer" {
			t.Errorf("%s: %v", name, err)
		}
	}
	k.add(MaxLeafLife)
	if _, err := c.Peer(chain[0]); code(err) != "ca.peer" {
		t.Errorf("ended: %v", err)
	}
}

// The door's own certificate verifies by name and address against the bundle,
// and speaks for no agent.
func TestServer(t *testing.T) {
	t.Parallel()
	c := open(t, Options{})
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s, err := c.Server("door", []string{"reeve.example.org"}, []net.IP{net.IPv4(127, 0, 0, 1)}, key.Public(), 0)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(s.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	mid, err := x509.ParseCertificate(s.Chain[1])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(mid)
	for name, ok := range map[string]bool{"reeve.example.org": true, "127.0.0.1": true, "other.example.org": false, "127.0.0.2": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: c.Roots(), Intermediates: pool}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := leaf.NotAfter.Sub(leaf.NotBefore); got > MaxServerLife {
		t.Errorf("lives %v", got)
	}
	if leaf.URIs[0].String() != "spiffe://example.org/reeve/door" {
		t.Errorf("is %v", leaf.URIs)
	}
	if _, err := c.Peer(leaf); code(err) != "ca.peer" {
		t.Errorf("passes as an agent: %v", err)
	}
	if _, err := c.Server("a/b", nil, nil, key.Public(), 0); code(err) != "ca.name" {
		t.Errorf("a part with a slash: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	k := &clock{t: time.Now()}
	dir := t.TempDir()
	c := open(t, Options{Dir: dir, Now: k.now})
	s, chain := issue(t, c)
	for _, bad := range []string{"", "zz", "-1", "00ff", "0"} {
		if err := c.Revoke(bad, s.NotAfter); code(err) != "ca.serial" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := c.Revoke(s.Serial, s.NotAfter); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Peer(chain[0]); code(err) != "ca.peer" {
		t.Errorf("revoked: %v", err)
	}
	c = open(t, Options{Dir: dir, Now: k.now}) // it outlives the process
	if _, err := c.Peer(chain[0]); code(err) != "ca.peer" || !c.Revoked(s.Serial) {
		t.Errorf("revoked, after a restart: %v", err)
	}
	w := httptest.NewRecorder()
	c.CRLHandler().ServeHTTP(w, httptest.NewRequest("GET", "/crl", nil))
	list, err := x509.ParseRevocationList(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(chain[1]); err != nil {
		t.Error(err)
	}
	if len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].SerialNumber.Cmp(chain[0].SerialNumber) != 0 {
		t.Errorf("list %+v", list.RevokedCertificateEntries)
	}
	number := list.Number
	k.add(2 * MaxLeafLife)
	lists, err := c.CRLs()
	if err != nil {
		t.Fatal(err)
	}
	if list, err = x509.ParseRevocationList(lists[0]); err != nil || len(list.RevokedCertificateEntries) != 0 || list.Number.Cmp(number) <= 0 {
		t.Errorf("after its end: %+v, %v", list, err)
	}
}

// A leaf of the old root verifies until its end, with the bundle that readers
// have at each moment, and so does a leaf of the new.
func TestRotate(t *testing.T) {
	t.Parallel()
	k := &clock{t: time.Now()}
	dir := t.TempDir()
	c := open(t, Options{Dir: dir, Now: k.now})
	td := spiffeid.RequireTrustDomainFromString(domain)
	bundle := func() *spiffebundle.Bundle {
		text, err := c.Bundle(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := spiffebundle.Parse(td, text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sequence := func(b *spiffebundle.Bundle) uint64 { n, _ := b.SequenceNumber(); return n }
	stale := bundle()
	if err := c.Rotate(false); err != nil {
		t.Fatal(err)
	}
	if err := c.Rotate(false); code(err) != "ca.rotating" {
		t.Errorf("twice: %v", err)
	}
	both := bundle()
	if len(both.X509Authorities()) != 2 || sequence(both) <= sequence(stale) {
		t.Fatalf("bundle has %d roots", len(both.X509Authorities()))
	}
	verify := func(chain []*x509.Certificate, b *spiffebundle.Bundle) error {
		_, _, err := x509svid.Verify(chain, b, x509svid.WithTime(k.now()))
		return err
	}
	_, early := issue(t, c)
	if err := verify(early, stale); err != nil {
		t.Errorf("before readers had time, the new root signs: %v", err)
	}
	k.add(prepare - time.Second)
	_, last := issue(t, c)
	if err := verify(last, stale); err != nil {
		t.Error(err)
	}
	k.add(time.Second)
	_, fresh := issue(t, c)
	if err := verify(fresh, stale); err == nil {
		t.Error("the old root still signs")
	}
	for _, chain := range [][]*x509.Certificate{early, last, fresh} {
		if err := verify(chain, both); err != nil {
			t.Error(err)
		}
		if _, err := c.Peer(chain[0]); err != nil {
			t.Error(err)
		}
	}
	k.add(overlap - time.Second)
	c = open(t, Options{Dir: dir, Now: k.now})
	if b := bundle(); len(b.X509Authorities()) != 2 {
		t.Errorf("%d roots, while readers may be behind", len(b.X509Authorities()))
	}
	k.add(time.Second)
	if b := bundle(); len(b.X509Authorities()) != 1 || sequence(b) <= sequence(both) {
		t.Errorf("%d roots at the end", len(b.X509Authorities()))
	}
}

func TestRotateCompromised(t *testing.T) {
	t.Parallel()
	c := open(t, Options{})
	_, old := issue(t, c)
	if err := c.Rotate(true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Peer(old[0], old[1]); code(err) != "ca.peer" {
		t.Errorf("old leaf: %v", err)
	}
	_, fresh := issue(t, c)
	if _, err := c.Peer(fresh[0]); err != nil {
		t.Error(err)
	}
	if n := len(c.RootCertificates()); n != 1 {
		t.Errorf("%d roots", n)
	}
}

// An authority that runs for years keeps issuing what its bundle verifies.
func TestYears(t *testing.T) {
	t.Parallel()
	k := &clock{t: time.Now()}
	c := open(t, Options{Now: k.now})
	for range 6 * 365 / 5 {
		_, chain := issue(t, c)
		if _, err := c.Peer(chain[0]); err != nil {
			t.Fatal(k.now(), err)
		}
		if leaf, mid := chain[0], chain[1]; leaf.NotAfter.After(mid.NotAfter) {
			t.Fatal("a leaf outlives its issuer")
		}
		k.add(5 * 24 * time.Hour)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.state.Intermediates) > 3 || len(c.state.Roots) > 2 {
		t.Errorf("%d intermediates, %d roots kept", len(c.state.Intermediates), len(c.state.Roots))
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	dir, pass := t.TempDir(), filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, Options{Dir: dir})
	if !c.FileMode() {
		t.Error("no passphrase is not file mode")
	}
	_, chain := issue(t, c)
	sealed, err := c.Seal("x", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: dir, PassphraseFile: pass}
	if c = open(t, o); c.FileMode() {
		t.Error("file mode with a passphrase")
	}
	text, err := os.ReadFile(filepath.Join(dir, "ca.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for _, k := range []signer{s.Roots[0].signer, s.Intermediates[0]} {
		if k.Key[0] != sealedMark {
			t.Error("a key is in the clear")
		}
		if _, err := x509.ParsePKCS8PrivateKey(k.Key[1:]); err == nil {
			t.Error("a key is in the clear")
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c = open(t, o)
	if _, err := c.Peer(chain[0]); err != nil {
		t.Error(err)
	}
	if got, err := c.Unseal("x", sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if sealed, err = c.Seal("x", []byte("secret")); err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Errorf("%q, %v", sealed, err)
	}
	if got, err := c.Unseal("x", sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range [][]byte{nil, {9}, {sealedMark}, sealed[:len(sealed)-1]} {
		if _, err := c.Unseal("x", bad); code(err) != "ca.sealed" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := c.Unseal("y", sealed); code(err) != "ca.sealed" {
		t.Errorf("another name: %v", err)
	}

	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("incorrect horse"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    Options
		want string
	}{
		"wrong":        {Options{PassphraseFile: wrong}, "ca.passphrase"},
		"none":         {Options{}, "ca.passphrase"},
		"short":        {Options{PassphraseFile: short}, "ca.passphrase"},
		"missing":      {Options{PassphraseFile: "/nonexistent/x"}, "ca.passphrase"},
		"other domain": {Options{PassphraseFile: pass, TrustDomain: "example.com"}, "ca.trust_domain"},
		"bad domain":   {Options{PassphraseFile: pass, TrustDomain: "Example.com"}, "ca.trust_domain"},
	} {
		tc.o.Dir = dir
		if tc.o.TrustDomain == "" {
			tc.o.TrustDomain = domain
		}
		if _, err := Open(tc.o); code(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	file := filepath.Join(dir, "ca.json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var swapped state
	if err := json.Unmarshal(whole, &swapped); err != nil {
		t.Fatal(err)
	}
	swapped.Roots[0].Key = swapped.Intermediates[0].Key
	text, _ := json.Marshal(swapped)
	for name, bad := range map[string][]byte{
		"cut":     whole[:len(whole)/2],
		"empty":   []byte(`{"trust_domain":"example.org"}`),
		"swapped": text,
	} {
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: dir, TrustDomain: domain}); code(err) != "ca.state" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing is issued or rotated that the disk does not hold.
func TestDiskGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, Options{Dir: dir})
	s, chain := issue(t, c)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.Rotate(true); code(err) != "ca.disk" {
		t.Errorf("rotate: %v", err)
	}
	if err := c.Revoke(s.Serial, s.NotAfter); code(err) != "ca.disk" {
		t.Errorf("revoke: %v", err)
	}
	if _, err := c.Peer(chain[0]); err != nil {
		t.Errorf("what did not happen shows: %v", err)
	}
}

func FuzzRequest(f *testing.F) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	f.Add(der)
	f.Fuzz(func(t *testing.T, csr []byte) {
		pub, err := requestKey(csr, "spiffe://example.org/agent/a/i")
		if (pub == nil) != (err != nil) {
			t.Errorf("%v, %v", pub, err)
		}
	})
}

func BenchmarkPeer(b *testing.B) {
	c, err := Open(Options{Dir: b.TempDir(), TrustDomain: domain})
	if err != nil {
		b.Fatal(err)
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	csr, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	s, err := c.Issue(csr, "a", "i", 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(s.Chain[0])
	for b.Loop() {
		if _, err := c.Peer(leaf); err != nil {
			b.Fatal(err)
		}
	}
}
