package connection

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const (
	clientName      = "Reeve"
	documentPath    = "/oauth/client.json"
	keyDocumentPath = "/oauth/client-with-key.json"
)

// Paths are those that Documents serves.
func Paths() []string { return []string{documentPath, keyDocumentPath} }

// DocumentAt is the address of our document below a public address of the door;
// "" where nobody outside could read it.
func DocumentAt(door string) string {
	if !strings.HasPrefix(door, "https://") {
		return ""
	}
	return strings.TrimSuffix(door, "/") + documentPath
}

// hosted reports whether the documents are at our own paths: then there are two.
func (b *Book) hosted() bool { return strings.HasSuffix(b.o.ClientID, documentPath) }

// Documents serves our client id metadata documents: to authorization servers
// that read such, their address is who we are. They differ in how we show it.
func (b *Book) Documents(w http.ResponseWriter, r *http.Request) {
	if b.o.ClientID == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	doc := map[string]any{
		"client_id": b.o.ClientID, "client_name": clientName, "redirect_uris": []string{b.o.Redirect()},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": "none", "application_type": applicationType(b.o.Redirect()),
	}
	if r.URL.Path == keyDocumentPath {
		doc["client_id"], _ = b.documentFor(&server{Auth: []string{"private_key_jwt"}}, "", true)
		doc["token_endpoint_auth_method"], doc["jwks"] = "private_key_jwt", b.jwks()
		doc["token_endpoint_auth_signing_alg"] = "ES256"
		doc["grant_types"] = []string{"authorization_code", "refresh_token", "client_credentials"}
	}
	text, err := json.Marshal(doc)
	if err != nil { // texts and a public key
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(text) // who asked may be gone
}

// Fragment carries what an authorization server said to the page that finishes a
// connection.
func Fragment(upstream string, said url.Values) string {
	q := url.Values{"upstream": {upstream}}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if v := said.Get(name); v != "" && len(v) <= maxToken {
			q.Set(name, v)
		}
	}
	return q.Encode()
}
