package gateway

import "net/http"

// Proxied is Proxies.client, for tests.
func Proxied(p *Proxies, r *http.Request) *http.Request { return p.client(r) }
