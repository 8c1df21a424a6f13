package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"

	"reeve/internal/fault"
)

// adopt takes a root from outside. The first one of an authority that was made
// just now replaces the one it was made with; a later one is a rotation, with
// the time that readers need. Holds mu.
func (c *CA) adopt(fresh bool) error {
	if c.o.RootCert == "" && c.o.RootKey == "" {
		return nil
	}
	s, err := readRoot(c.o.RootCert, c.o.RootKey)
	if err != nil {
		return fault.New(fault.KindInvalid, "ca.external", "the root from outside cannot be used").WithCause(err).
			WithHint("PEM files of a certificate that may sign authorities and of its EC P-256 key")
	}
	now := c.o.Now()
	if now.Before(s.cert.NotBefore) || s.cert.NotAfter.Sub(now) < IntermediateLife {
		return fault.New(fault.KindInvalid, "ca.external", "the root from outside is not valid yet, or for less than %s", IntermediateLife)
	}
	for _, r := range c.state.Roots {
		if bytes.Equal(r.Cert, s.Cert) {
			return nil
		}
	}
	if err := c.seal(&s); err != nil {
		return err
	}
	before := c.state
	c.state.Sequence++
	if fresh {
		c.state.Roots, c.state.Intermediates = []root{{signer: s, ActiveFrom: now}}, nil
		err = c.renewSigner()
	} else {
		next := root{signer: s, ActiveFrom: now.Add(prepare)}
		roots := append([]root(nil), c.state.Roots...)
		for i := range roots {
			if roots[i].DropAt.IsZero() {
				roots[i].DropAt = next.ActiveFrom.Add(overlap)
			}
		}
		c.state.Roots = append(roots, next)
		err = c.save()
	}
	if err != nil {
		c.state = before
	}
	return err
}

func readRoot(certFile, keyFile string) (signer, error) {
	der, err := readPEM(certFile, "CERTIFICATE")
	if err != nil {
		return signer{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return signer{}, err
	}
	if der, err = readPEM(keyFile, "PRIVATE KEY"); err != nil {
		return signer{}, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return signer{}, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	switch {
	case !ok || key.Curve != elliptic.P256():
		return signer{}, errors.New("the key is not EC P-256")
	case !key.PublicKey.Equal(cert.PublicKey):
		return signer{}, errors.New("key and certificate do not belong together")
	case !cert.IsCA || cert.KeyUsage&x509.KeyUsageCertSign == 0 || cert.MaxPathLenZero:
		return signer{}, errors.New("the certificate may not sign authorities")
	case len(cert.RawSubject) <= 2 || len(cert.SubjectKeyId) == 0:
		return signer{}, errors.New("the certificate has no subject or no key identifier")
	}
	return signer{Cert: cert.Raw, cert: cert, key: key}, nil
}

func readPEM(file, kind string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b, _ := pem.Decode(raw)
	if b == nil || b.Type != kind {
		return nil, errors.New(file + " holds no " + kind)
	}
	return b.Bytes, nil
}
