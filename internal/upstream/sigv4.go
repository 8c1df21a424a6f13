package upstream

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

// This file signs requests for Amazon's services: Signature Version 4, as
// "AWS Signature Version 4 for API requests" describes it. A library for it
// would bring Amazon's whole SDK.

// keys are what a credential of kind sigv4 is made of.
type keys struct{ id, secret, token string }

// parseKeys reads a credential's value: the secret key alone where the user is
// the access key's id, ID:SECRET or ID:SECRET:TOKEN, or the JSON that Amazon's
// own tools print, so that what is rotated together stands in one place.
func parseKeys(user, value string) (k keys, ok bool) {
	if strings.HasPrefix(value, "{") {
		var v struct {
			AccessKeyID     string `json:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Credentials     json.RawMessage // around them, from STS
		}
		if json.Unmarshal([]byte(value), &v) != nil {
			return keys{}, false
		}
		if v.AccessKeyID == "" && len(v.Credentials) > 0 && v.Credentials[0] == '{' {
			return parseKeys(user, string(v.Credentials))
		}
		k = keys{v.AccessKeyID, v.SecretAccessKey, v.SessionToken}
	} else if parts := strings.Split(value, ":"); user != "" && len(parts) <= 2 {
		k = keys{id: user, secret: parts[0]}
		if len(parts) == 2 {
			k.token = parts[1]
		}
	} else if len(parts) == 2 || len(parts) == 3 {
		k = keys{id: parts[0], secret: parts[1]}
		if len(parts) == 3 {
			k.token = parts[2]
		}
	}
	return k, k.id != "" && k.secret != "" && !strings.ContainsAny(k.id, ",/= ") && !strings.ContainsFunc(k.id+k.token, unprintable)
}

func goodKeys(c *client.Credential) bool {
	_, ok := parseKeys(c.User, c.Value)
	return ok
}

func unprintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// amazonHost is SERVICE.REGION.amazonaws.com, with what may be around it.
var amazonHost = regexp.MustCompile(`(?:^|\.)([a-z0-9-]+)\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$`)

// scope is the region and service that a request is signed for: as the
// credential says, else as the host does.
func (u *Upstream) scope(host string) (region, service string) {
	if m := amazonHost.FindStringSubmatch(host); m != nil {
		region, service = m[2], strings.TrimSuffix(m[1], "-fips")
	}
	if c := u.Credential; c != nil {
		region, service = cmp.Or(c.Region, region, u.Region), cmp.Or(c.Header, service)
	}
	if u.Dialect == "bedrock" || strings.HasPrefix(service, "bedrock") {
		service = "bedrock" // bedrock-runtime signs under the name of its elder
	}
	return region, service
}

// sign signs a request whose URL, headers and body are as they will be sent.
func (u *Upstream) sign(req *http.Request, value string, now time.Time) error {
	k, ok := parseKeys(u.Credential.User, value)
	if !ok {
		return missing(u.Name)
	}
	region, service := u.scope(req.URL.Hostname())
	if region == "" || service == "" {
		return fault.New(fault.KindUnavailable, "upstream.scope", "nothing says for which region and service calls of upstream %s are signed", u.Name).
			WithHint("give the credential a region, and a header with the service's name where the host does not show it")
	}
	hash, err := bodyHash(req)
	if err != nil {
		return err
	}
	at := now.UTC().Format("20060102T150405Z")
	// The agent's SDK may have signed with keys of its own.
	for name := range req.Header {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Target" {
			req.Header.Del(name)
		}
	}
	req.Header.Set("X-Amz-Date", at)
	if k.token != "" {
		req.Header.Set("X-Amz-Security-Token", k.token)
	}
	if service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", hash)
	}
	names, lines := signedHeaders(req)
	text := strings.Join([]string{req.Method, canonicalPath(req.URL, service), canonicalQuery(req.URL), lines, names, hash}, "\n")
	scope := strings.Join([]string{at[:8], region, service, "aws4_request"}, "/")
	sum := sha256.Sum256([]byte(text))
	key := []byte("AWS4" + k.secret)
	for _, part := range []string{at[:8], region, service, "aws4_request"} {
		key = mac(key, part)
	}
	signature := mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(sum[:]))
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+k.id+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(signature))
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, text)
	return h.Sum(nil)
}

// bodyHash reads a copy of the body.
func bodyHash(req *http.Request) (string, error) {
	h := sha256.New()
	if req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return "", fault.New(fault.KindInternal, "upstream.body", "a request that is signed has a body that can be read again")
		}
		body, err := req.GetBody()
		if err != nil {
			return "", err
		}
		if _, err := io.Copy(h, body); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// signedHeaders are the host and all that mean something to Amazon; others may
// change on their way.
func signedHeaders(req *http.Request) (names, lines string) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	all := map[string]string{"host": host}
	for name, values := range req.Header {
		if l := strings.ToLower(name); l == "content-type" || strings.HasPrefix(l, "x-amz") {
			trimmed := make([]string, len(values))
			for i, v := range values {
				trimmed[i] = strings.Join(strings.Fields(v), " ")
			}
			all[l] = strings.Join(trimmed, ",")
		}
	}
	list := make([]string, 0, len(all))
	for name := range all {
		list = append(list, name)
	}
	slices.Sort(list)
	var b strings.Builder
	for _, name := range list {
		b.WriteString(name + ":" + all[name] + "\n")
	}
	return strings.Join(list, ";"), b.String()
}

// canonicalPath is the path as it is sent, escaped once more; S3 alone takes it
// as it is.
func canonicalPath(u *url.URL, service string) string {
	path := cmp.Or(u.EscapedPath(), "/")
	if service == "s3" {
		return path
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escapeAmazon(p)
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, escapeAmazon(name)+"="+escapeAmazon(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escapeAmazon escapes all but RFC 3986's unreserved characters.
func escapeAmazon(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}
