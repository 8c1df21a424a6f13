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
	// Below these are the documents that say one place to come back to.
	documentsBelow    = "/oauth/client/"
	keyDocumentsBelow = "/oauth/client-with-key/"
)

// Paths are those that Documents serves; what ends with a stroke stands for all
// below it.
func Paths() []string {
	return []string{documentPath, keyDocumentPath, documentsBelow, keyDocumentsBelow}
}

// documentAt is the path of the document that shows us in a way, with one place
// to come back to; "" for that of all.
func documentAt(auth, back string) string {
	switch key := auth == "private_key_jwt"; {
	case key && back == "":
		return keyDocumentPath
	case key:
		return keyDocumentsBelow + back + ".json"
	case back == "":
		return documentPath
	}
	return documentsBelow + back + ".json"
}

// readDocumentAt is the other way; ok is false for no document of ours.
func readDocumentAt(path string) (auth, back string, ok bool) {
	switch path {
	case documentPath:
		return "none", "", true
	case keyDocumentPath:
		return "private_key_jwt", "", true
	}
	auth = "none"
	rest, ok := strings.CutPrefix(path, documentsBelow)
	if !ok {
		auth = "private_key_jwt"
		if rest, ok = strings.CutPrefix(path, keyDocumentsBelow); !ok {
			return "", "", false
		}
	}
	back, ok = strings.CutSuffix(rest, ".json")
	return auth, back, ok && isMark(back)
}

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
	auth, back, ok := readDocumentAt(r.URL.Path)
	if !ok || b.o.ClientID == "" || back != "" && !b.hosted() || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	id := b.o.ClientID
	if b.hosted() {
		id = strings.TrimSuffix(id, documentPath) + documentAt(auth, back)
	}
	redirect := b.redirect(back)
	doc := map[string]any{
		"client_id": id, "client_name": clientName, "redirect_uris": []string{redirect},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": auth, "application_type": applicationType(redirect),
	}
	if auth == "private_key_jwt" {
		doc["jwks"], doc["token_endpoint_auth_signing_alg"] = b.jwks(), "ES256"
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
// connection; at is the last part of the address that the browser came back to.
func Fragment(upstream, at string, said url.Values) string {
	q := url.Values{"upstream": {upstream}}
	if at != "" && len(at) <= maxToken {
		q.Set("at", at)
	}
	for _, name := range []string{"state", "code", "iss", "error", "error_description"} {
		if v := said.Get(name); v != "" && len(v) <= maxToken {
			q.Set(name, v)
		}
	}
	return q.Encode()
}
