package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// outside writes a root made elsewhere and gives its files.
func outside(t *testing.T, k *clock, edit func(*x509.Certificate)) (certFile, keyFile string, der []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "House root"}, NotBefore: k.now().Add(-time.Hour), NotAfter: k.now().Add(RootLife),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if edit != nil {
		edit(x)
	}
	if der, err = x509.CreateCertificate(rand.Reader, x, x, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "root.pem"), filepath.Join(dir, "key.pem")
	for file, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, der
}

// A root from outside signs from the first certificate on; the next one in its
// files is a rotation that no reader notices.
func TestExternalRoot(t *testing.T) {
	t.Parallel()
	k := &clock{t: time.Now()}
	dir := t.TempDir()
	cert, key, der := outside(t, k, nil)
	o := Options{Dir: dir, Now: k.now, RootCert: cert, RootKey: key}
	c := open(t, o)
	if roots := c.RootCertificates(); len(roots) != 1 || !bytes.Equal(roots[0], der) {
		t.Fatalf("%d roots", len(roots))
	}
	_, chain := issue(t, c)
	if _, err := c.Peer(chain[0]); err != nil {
		t.Error(err)
	}
	if err := c.Rotate(false); code(err) != "ca.external" {
		t.Errorf("rotated by ourselves: %v", err)
	}
	sequence := c.Sequence()
	if c = open(t, o); c.Sequence() != sequence {
		t.Error("a restart with the same root changes the bundle")
	}
	o.RootCert, o.RootKey, _ = outside(t, k, nil)
	c = open(t, o)
	if n := len(c.RootCertificates()); n != 2 {
		t.Errorf("%d roots while the next is prepared", n)
	}
	_, early := issue(t, c)
	k.add(prepare)
	_, late := issue(t, c)
	for _, chain := range [][]*x509.Certificate{early, late} {
		if _, err := c.Peer(chain[0]); err != nil {
			t.Error(err)
		}
	}
	second, err := x509.ParseCertificate(c.RootCertificates()[1])
	if err != nil || late[1].CheckSignatureFrom(second) != nil || early[1].CheckSignatureFrom(second) == nil {
		t.Errorf("the old root still signs, or the new one did too early: %v", err)
	}
	k.add(overlap)
	c = open(t, o)
	if n := len(c.RootCertificates()); n != 1 {
		t.Errorf("%d roots at the end", n)
	}
	for name, edit := range map[string]func(*x509.Certificate){
		"no authority":   func(x *x509.Certificate) { x.IsCA = false },
		"may not sign":   func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageDigitalSignature },
		"signs leaves":   func(x *x509.Certificate) { x.MaxPathLenZero = true },
		"ends too soon":  func(x *x509.Certificate) { x.NotAfter = k.now().Add(24 * time.Hour) },
		"begins later":   func(x *x509.Certificate) { x.NotBefore = k.now().Add(time.Hour) },
		"has no subject": func(x *x509.Certificate) { x.Subject = pkix.Name{} },
	} {
		bad := o
		bad.Dir = t.TempDir()
		bad.RootCert, bad.RootKey, _ = outside(t, k, edit)
		bad.TrustDomain = domain
		if _, err := Open(bad); code(err) != "ca.external" {
			t.Errorf("%s: %v", name, err)
		}
	}
	mixed := o
	mixed.Dir, mixed.TrustDomain = t.TempDir(), domain
	_, mixed.RootKey, _ = outside(t, k, nil)
	if _, err := Open(mixed); code(err) != "ca.external" {
		t.Errorf("another's key: %v", err)
	}
}
