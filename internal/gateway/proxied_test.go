package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"reeve/internal/gateway"
	"reeve/internal/identity/token"
)

// certificates takes a certificate for the agent that its subject names, as the
// authority's verifier does after checks that are its own tests' subject.
type certificates struct{}

// Bearer implements gateway.Tokens.
func (certificates) Bearer(context.Context, string, *http.Request) (token.Principal, error) {
	return token.Principal{}, errors.New("no token")
}

// Peer implements gateway.Tokens.
func (certificates) Peer(c *x509.Certificate) (token.Principal, error) {
	return token.Principal{Agent: c.Subject.CommonName, Credential: "x509_svid", CredentialID: c.SerialNumber.String(), Bound: true, Epoch: 1 << 40}, nil
}

func certificate(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, x, x, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A header with a client's certificate counts from a listed proxy, in the one
// form that it is listed with, and from nobody else.
func TestCertificateFromAProxy(t *testing.T) {
	t.Parallel()
	der := certificate(t, "refunds")
	text := base64.StdEncoding.EncodeToString(der)
	rfc := ":" + text + ":"
	escaped := url.QueryEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	escaped = strings.ReplaceAll(escaped, "+", "%20")
	stranger := url.QueryEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, "stranger")})))
	stranger = strings.ReplaceAll(stranger, "+", "%20")
	here, elsewhere := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	const none, bad, ok = "gateway.credential_missing", "gateway.client_cert", ""
	for _, c := range []struct {
		name    string
		from    []netip.Prefix
		header  string // that is listed
		headers []string
		want    string
	}{
		{"RFC 9440", here, gateway.ClientCert, []string{"Client-Cert", rfc}, ok},
		{"Envoy", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `By=spiffe://a/b;Hash=12;Cert="` + escaped + `";Subject="CN=x, O=\"y\"";URI=`}, bad}, // a backslash is not read
		{"Envoy, plain", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `By=spiffe://a/b;Hash=12;Subject="CN=x,O=y;z";Cert="` + escaped + `"`}, ok},
		{"Envoy behind another", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `Cert="` + stranger + `",Hash=1;Cert="` + escaped + `"`}, ok},
		{"another's address", elsewhere, gateway.ClientCert, []string{"Client-Cert", rfc}, none},
		{"nobody is listed", nil, gateway.ClientCert, []string{"Client-Cert", rfc}, none},
		{"the header that is not listed", here, gateway.ClientCert, []string{"X-Forwarded-Client-Cert", `Cert="` + escaped + `"`}, none},
		{"the other header that is not listed", here, gateway.ForwardedClientCert, []string{"Client-Cert", rfc}, none},
		{"no certificate", here, gateway.ClientCert, nil, none},
		{"empty", here, gateway.ClientCert, []string{"Client-Cert", ""}, none},
		{"no byte sequence", here, gateway.ClientCert, []string{"Client-Cert", text}, bad},
		{"parameters", here, gateway.ClientCert, []string{"Client-Cert", rfc + ";x=1"}, bad},
		{"no certificate in it", here, gateway.ClientCert, []string{"Client-Cert", ":AAAA:"}, bad},
		{"two", here, gateway.ClientCert, []string{"Client-Cert", rfc + ", " + rfc}, bad},
		{"too long", here, gateway.ClientCert, []string{"Client-Cert", ":" + strings.Repeat("A", 40<<10) + ":"}, bad},
		{"Envoy without certificate", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `Hash=12;URI=spiffe://example.org/agent/refunds/1`}, bad},
		{"Envoy, two certificates", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `Cert="` + stranger + `";Cert="` + escaped + `"`}, bad},
		{"Envoy, open quote", here, gateway.ForwardedClientCert, []string{"X-Forwarded-Client-Cert", `Cert="` + escaped}, bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, func(o *gateway.Options) { o.Tokens = certificates{} })
			h.agent("refunds")
			h.agent("stranger")
			var seen http.Header
			h.upstream("shop", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }), nil)
			h.serve(gateway.Serving{Drain: time.Second, Proxies: gateway.Proxies{Addresses: c.from, Header: c.header}})
			got := h.call("", "GET", "/http/shop/v1/orders/1", "", c.headers...)
			if got.problem != c.want {
				t.Fatalf("%d %s %s, want %q", got.status, got.problem, got.body, c.want)
			}
			if c.want != ok {
				if got.status != http.StatusUnauthorized {
					t.Errorf("status %d", got.status)
				}
				return
			}
			if d := h.log.Of(t, got.decision); d.Agent != "refunds" || d.Credential != "x509_svid" || !d.Bound {
				t.Errorf("decision: %+v", d)
			}
			if seen.Get("Client-Cert") != "" || seen.Get("X-Forwarded-Client-Cert") != "" {
				t.Errorf("the upstream saw %v", seen)
			}
		})
	}
}

// The header of a proxy is bytes from outside.
func FuzzClientCertHeader(f *testing.F) {
	f.Add(":AAAA:", `By=a;Cert="%2D"`)
	f.Add("", `Cert="x",Cert=y;Subject="a;b\"c"`)
	f.Fuzz(func(t *testing.T, one, other string) {
		for header, text := range map[string]string{gateway.ClientCert: one, gateway.ForwardedClientCert: other} {
			p := gateway.Proxies{Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Header: header}
			if r := gateway.Proxied(&p, &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{header: {text}}}); r == nil {
				t.Error("no request")
			}
		}
	})
}
