package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"reeve/internal/fault"
)

// The headers in which a proxy that ends TLS tells whose certificate it saw.
const (
	ClientCert          = "Client-Cert"             // RFC 9440
	ForwardedClientCert = "X-Forwarded-Client-Cert" // Envoy's
)

// Proxies are who may say whose certificate they saw, and in which header. Only
// one counts: a proxy that sets one may let a client's other pass.
type Proxies struct {
	Addresses []netip.Prefix
	Header    string // ClientCert or ForwardedClientCert
}

// maxCertHeader bounds what is read of such a header.
const maxCertHeader = 32 << 10

var errClientCert = fault.New(fault.KindUnauthenticated, "gateway.client_cert", "the proxy's header with the client's certificate cannot be read")

// badCertKey marks a request whose proxy told what cannot be read.
type badCertKey struct{}

// client gives a request from a listed proxy the certificate of its client in
// place of the proxy's own, which speaks for nobody here. Others' headers are
// not looked at. Whether the certificate is one of ours is found out where those
// of TLS are.
func (p *Proxies) client(r *http.Request) *http.Request {
	if len(p.Addresses) == 0 {
		return r
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r
	}
	from := at.Addr().Unmap().WithZone("")
	if !slices.ContainsFunc(p.Addresses, func(n netip.Prefix) bool { return n.Contains(from) }) {
		return r
	}
	cert, err := p.read(r.Header)
	if err != nil {
		r = r.WithContext(context.WithValue(r.Context(), badCertKey{}, err))
	}
	var state tls.ConnectionState
	if r.TLS != nil {
		state = *r.TLS
	}
	state.PeerCertificates, state.VerifiedChains = nil, nil
	if cert != nil {
		state.PeerCertificates = []*x509.Certificate{cert}
	}
	if r.TLS != nil || cert != nil {
		r = r.WithContext(r.Context()) // a copy: net/http keeps the other
		r.TLS = &state
	}
	return r
}

// read is the client's certificate; nil when the proxy saw none.
func (p *Proxies) read(h http.Header) (*x509.Certificate, error) {
	values := h[p.Header]
	switch {
	case len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "":
		return nil, nil
	case len(values) > 1 && p.Header == ClientCert:
		return nil, errors.New("the header stands twice")
	}
	text := strings.TrimSpace(values[len(values)-1])
	if len(text) > maxCertHeader {
		return nil, errors.New("the header is too long")
	}
	der, err := []byte(nil), error(nil)
	if p.Header == ClientCert {
		der, err = structured(text)
	} else {
		der, err = forwarded(text)
	}
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// structured reads RFC 9440's: a byte sequence of RFC 8941, without parameters.
func structured(text string) ([]byte, error) {
	inside, ok := strings.CutPrefix(text, ":")
	inside, closed := strings.CutSuffix(inside, ":")
	if !ok || !closed || inside == "" {
		return nil, errors.New("no byte sequence")
	}
	return base64.StdEncoding.DecodeString(inside)
}

// forwarded reads Envoy's: elements with commas between, the last of which is
// whom the nearest proxy saw, each of pairs with semicolons between.
func forwarded(text string) ([]byte, error) {
	elements := outside(text, ',')
	found := ""
	for _, pair := range outside(elements[len(elements)-1], ';') {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || !strings.EqualFold(name, "Cert") {
			continue
		}
		if found != "" {
			return nil, errors.New("two certificates in one element")
		}
		found = strings.Trim(value, `"`)
	}
	if found == "" {
		return nil, errors.New("no certificate in it: set_current_client_cert_details needs cert: true")
	}
	clear, err := url.PathUnescape(found)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode([]byte(clear))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("not one certificate in PEM")
	}
	return block.Bytes, nil
}

// outside splits at a mark that is not within quotes.
func outside(text string, mark byte) []string {
	var out []string
	quoted, from := false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\' && quoted:
			// The next is taken as it is, which no certificate needs: what follows
			// would differ between readers, so the element has none.
			return []string{""}
		case c == '"':
			quoted = !quoted
		case c == mark && !quoted:
			out, from = append(out, text[from:i]), i+1
		}
	}
	if quoted {
		return []string{""}
	}
	return append(out, text[from:])
}
