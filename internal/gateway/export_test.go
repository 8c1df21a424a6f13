package gateway

import (
	"net/http"

	"reeve/internal/activity"
)

// Proxied is Proxies.client, for tests.
func Proxied(p *Proxies, r *http.Request) *http.Request { return p.client(r) }

// Tell is Steps.tell, for tests.
func (s *Steps) Tell(b *activity.Batch) { s.tell(b) }
