package upstream

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"reeve/client"
)

// Outside is a place outside that Reeve itself calls, not for an agent: a back
// end that telemetry is relayed to, a system that is asked for records. Its
// addresses are checked when dialled and its credential is given by reference,
// as an upstream's are. It belongs to no registry and its credential is never
// held.
type Outside struct{ u *Upstream }

// Outside checks an address, its headers and its credential and makes an
// Outside of them; nothing is called. The credential comes from env, file or
// vault: a value has nowhere to be kept.
func (r *Registry) Outside(name, address string, headers map[string]string, c *client.Credential, allowPrivate bool, timeout time.Duration) (*Outside, error) {
	if c != nil && c.Source == "value" {
		return nil, invalid("a credential here is given by reference").WithHint("env:NAME, file:PATH or vault:PATH#KEY")
	}
	base, err := url.Parse(address)
	if err != nil || len(address) > 2000 || base.Hostname() == "" || base.User != nil || base.Fragment != "" || base.Opaque != "" {
		return nil, invalid("%.100q is no address like https://otlp.example.com, without user and fragment", address)
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, invalid("an address begins with https:// or http://")
	case base.Scheme == "http" && !allowPrivate:
		return nil, invalid("plain http would show credential and content to everybody on the way").WithHint("use https, or --allow-private (allow_private) for an address inside the house")
	}
	if ip, err := netip.ParseAddr(base.Hostname()); err == nil {
		if err := CheckAddress(ip, allowPrivate); err != nil {
			return nil, err
		}
	}
	if err := checkHeaders(headers); err != nil {
		return nil, err
	}
	if err := r.checkCredential(c); err != nil {
		return nil, err
	}
	u := &Upstream{
		Upstream: client.Upstream{Name: name, Headers: headers, Credential: c, AllowPrivate: allowPrivate, TimeoutMS: timeout.Milliseconds()},
		registry: r, base: base, transport: newTransport(allowPrivate, timeout),
	}
	return &Outside{u}, nil
}

// Authorize adds the headers and the credential to a request whose URL and
// body are final.
func (o *Outside) Authorize(req *http.Request) error { return o.u.Authorize(req) }

// Name is what it was called.
func (o *Outside) Name() string { return o.u.Name }

// Transport dials only allowed addresses and follows no redirect. For gRPC
// without TLS ask Cleartext2.
func (o *Outside) Transport() http.RoundTripper { return o.u.transport }

// Cleartext2 is Transport for HTTP/2 without TLS.
func (o *Outside) Cleartext2() http.RoundTripper { return o.u.Cleartext2() }

// Set reports whether the credential is there now; true where there is none.
func (o *Outside) Set() bool {
	if o.u.Credential == nil {
		return true
	}
	_, err := o.u.value()
	return err == nil
}

// Close ends idle connections.
func (o *Outside) Close() { o.u.transport.CloseIdleConnections() }
