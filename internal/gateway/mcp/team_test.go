package mcp_test

import (
	"strings"
	"testing"

	"reeve/client"
)

// Another team's server is not shaken hands with, listed or called: its lists are
// read with its own credential.
func TestAnotherTeamsServer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	ledger, vault := offering("order", 2, &fake{session: true}), offering("file", 2, &fake{modern: true})
	treasury := func(u *client.Upstream) { u.Team = "treasury" }
	h.server("ledger", ledger, treasury)
	h.server("vault", vault, treasury)
	h.permit(`@id("a") permit (principal, action, resource);`)
	denied := func(what string, r reply) {
		t.Helper()
		if !strings.Contains(r.body, "floor.upstream_team") {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	denied("initialize", h.send(key, "POST", "/mcp/ledger", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`))
	for _, m := range []struct{ method, params string }{
		{"server/discover", ""},
		{"tools/list", ""},
		{"resources/list", ""},
		{"completion/complete", `"ref":{"type":"ref/prompt","name":"hello"},"argument":{"name":"a","value":"b"}`},
		{"tools/call", `"name":"file_0","arguments":{}`},
		{"resources/read", `"uri":"file://one"`},
	} {
		denied(m.method, h.modernCall(key, "/mcp/vault", "1", m.method, m.params))
	}
	if n := len(ledger.all()) + len(vault.all()); n > 0 {
		t.Errorf("the servers saw %d requests", n)
	}
}
