package gateway

import (
	"slices"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// challenge is the WWW-Authenticate of a refusal that another credential would
// help against; "" for the others. It leads clients that speak OAuth to where
// they get a token (RFC 9728), or says which scopes theirs lacks (RFC 6750 §3.1).
func (d *Door) challenge(x *passage, f *fault.Error) string {
	lacks := f.Code == errScope.Code
	if f.Kind != fault.KindUnauthenticated && !lacks || x.Request == nil {
		return ""
	}
	var params []string
	add := func(name, value string) { params = append(params, name+`="`+value+`"`) }
	if lacks {
		add("error", "insufficient_scope")
		// All that it takes in one: those that it has, and the missing one.
		need := slices.Clone(x.Caller.Scopes)
		if word := scopes[x.proposal.Action]; word != "" && !slices.Contains(need, word) {
			need = append(need, word)
		}
		add("scope", strings.Join(need, " "))
	} else if x.Request.Header.Get("Authorization") != "" {
		add("error", "invalid_token")
	}
	if d.o.Base != "" {
		part := ""
		if path := strings.TrimSuffix(x.Request.URL.EscapedPath(), "/"); token.Part(path) {
			part = path
		}
		add("resource_metadata", d.o.Base+"/.well-known/oauth-protected-resource"+part)
	}
	if len(params) == 0 {
		return "Bearer"
	}
	return "Bearer " + strings.Join(params, ", ")
}
