package connection_test

import (
	"strings"
	"testing"

	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

func TestChallenges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, metadata, code, scopes string }{
		{`Bearer resource_metadata="https://a/x", scope="a b"`, "https://a/x", "", "a b"},
		{`bearer  Error = "insufficient_scope" ,scope=a`, "", "insufficient_scope", "a"},
		{`Basic realm="Bearer scope=\"x\"", Bearer error="invalid_token"`, "", "invalid_token", ""},
		{`DPoP scope="no", Bearer scope="yes", Basic scope="no"`, "", "", "yes"},
		{`Bearer realm="a\"b, scope=evil", scope="ok"`, "", "", "ok"},
		{`Bearer scope="never closed`, "", "", ""},
		{`Bearer scope="a` + "\t" + `b \"q\" c"`, "", "", "a b c"},
		{`Bearer`, "", "", ""},
		{`scope="without a scheme"`, "", "", ""},
		{`=,=`, "", "", ""},
	} {
		metadata, code, scopes := connection.ReadChallenge(c.header)
		if metadata != c.metadata || code != c.code || strings.Join(scopes, " ") != c.scopes {
			t.Errorf("%s: got %q %q %q", c.header, metadata, code, scopes)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer resource_metadata="https://a/x", scope="a b"`)
	f.Add(`Basic realm="x\"y", Bearer error=insufficient_scope`)
	f.Fuzz(func(t *testing.T, header string) {
		_, _, scopes := connection.ReadChallenge(header)
		for _, s := range scopes {
			if !upstream.ValidScope(s) {
				t.Errorf("%q gives the scope %q", header, s)
			}
		}
	})
}
