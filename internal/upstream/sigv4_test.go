package upstream

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/fault"
)

func signed(t *testing.T, u *Upstream, method, target, body, value string, at time.Time) *http.Request {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	req := &http.Request{Method: method, URL: to, Host: to.Host, Header: http.Header{"Content-Type": {"application/json"}}}
	if body != "" {
		req.Body = io.NopCloser(strings.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	}
	// What an agent's own SDK leaves.
	req.Header.Set("X-Amz-Date", "20200101T000000Z")
	req.Header.Set("X-Amz-Content-Sha256", "x")
	if err := u.sign(req, value, at); err != nil {
		t.Fatal(err)
	}
	return req
}

// TestSign compares with what Amazon's own signer (@smithy/signature-v4) makes
// of the same requests.
func TestSign(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sigv4.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Method, Path, Query, Body, Service, Region, Token, Authorization string }
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range cases {
		u := &Upstream{Upstream: client.Upstream{Name: "up", Credential: &client.Credential{Kind: "sigv4", Region: c.Region, Header: c.Service}}}
		value := "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
		if c.Token != "" {
			value += ":" + c.Token
		}
		req := signed(t, u, c.Method, "https://bedrock-runtime.example.com"+c.Path+"?"+c.Query, c.Body, value, at)
		if got := req.Header.Get("Authorization"); got != c.Authorization {
			t.Errorf("%s %s for %s:\n got %s\nwant %s", c.Method, c.Path, c.Service, got, c.Authorization)
		}
		if got := req.Header.Get("X-Amz-Security-Token"); got != c.Token {
			t.Errorf("the session's token is %q, want %q", got, c.Token)
		}
	}
}

// TestSignVanilla is get-vanilla of Amazon's published test suite.
func TestSignVanilla(t *testing.T) {
	t.Parallel()
	u := &Upstream{Upstream: client.Upstream{Credential: &client.Credential{Kind: "sigv4", User: "AKIDEXAMPLE", Region: "us-east-1", Header: "service"}}}
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "example.amazonaws.com", Path: "/"}, Host: "example.amazonaws.com", Header: http.Header{}}
	if err := u.sign(req, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		user, value string
		want        keys
		ok          bool
	}{
		{"AKID", "secret/+=", keys{"AKID", "secret/+=", ""}, true},
		{"AKID", "secret:token", keys{"AKID", "secret", "token"}, true},
		{"", "AKID:secret", keys{"AKID", "secret", ""}, true},
		{"", "AKID:secret:token", keys{"AKID", "secret", "token"}, true},
		{"", "{\n\"AccessKeyId\": \"AKID\",\n\"SecretAccessKey\": \"secret\", \"SessionToken\": \"token\", \"Expiration\": \"2030\"}", keys{"AKID", "secret", "token"}, true},
		{"", `{"Credentials":{"AccessKeyId":"AKID","SecretAccessKey":"secret"}}`, keys{"AKID", "secret", ""}, true},
		{"", "secret", keys{}, false},
		{"", "", keys{}, false},
		{"", "a:b:c:d", keys{}, false},
		{"", `{"AccessKeyId":"AKID"}`, keys{"AKID", "", ""}, false},
		{"", `{"Credentials":"x"}`, keys{}, false},
		{"", `{`, keys{}, false},
		{"", "AK ID:secret", keys{"AK ID", "secret", ""}, false},
		{"", "AKID:secret:to\r\nken", keys{"AKID", "secret", "to\r\nken"}, false},
	} {
		got, ok := parseKeys(c.user, c.value)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("parseKeys(%q, %q) = %v %v, want %v %v", c.user, c.value, got, ok, c.want, c.ok)
		}
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ host, dialect, region, header, wantRegion, wantService string }{
		{"bedrock-runtime.eu-west-1.amazonaws.com", "bedrock", "", "", "eu-west-1", "bedrock"},
		{"bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock", "", "", "us-gov-west-1", "bedrock"},
		{"vpce-1-2.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "bedrock", "eu-west-1", "", "eu-west-1", "bedrock"},
		{"127.0.0.1", "bedrock", "us-east-1", "", "us-east-1", "bedrock"},
		{"dynamodb.us-west-2.amazonaws.com", "", "", "", "us-west-2", "dynamodb"},
		{"abc.execute-api.eu-central-1.amazonaws.com", "", "", "", "eu-central-1", "execute-api"},
		{"api.example.com", "", "eu-west-1", "execute-api", "eu-west-1", "execute-api"},
		{"api.example.com", "", "", "", "", ""},
	} {
		u := &Upstream{Upstream: client.Upstream{Dialect: c.dialect, Credential: &client.Credential{Kind: "sigv4", Region: c.region, Header: c.header}}}
		if region, service := u.scope(c.host); region != c.wantRegion || service != c.wantService {
			t.Errorf("scope(%s) = %s %s, want %s %s", c.host, region, service, c.wantRegion, c.wantService)
		}
	}
}

func TestSignedUpstream(t *testing.T) {
	t.Parallel()
	r := open(t)
	in := client.Upstream{
		Name: "bedrock", Kind: "llm", Dialect: "bedrock", URL: "https://bedrock-runtime.eu-west-1.amazonaws.com", Team: "core", Environment: "production",
		Credential: &client.Credential{Kind: "sigv4", Source: "value", Value: "AKIDEXAMPLE:wJalrXUtnFEMIK7MDENG:the-session-token"},
	}
	if _, err := r.Put(t.Context(), "pat", in); err != nil {
		t.Fatal(err)
	}
	u, _ := r.Lookup("bedrock")
	to, err := u.Target("/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fabc/converse", "")
	if err != nil {
		t.Fatalf("an ARN's slash is refused: %v", err)
	}
	if to.EscapedPath() != "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fabc/converse" {
		t.Errorf("the path became %s", to.EscapedPath())
	}
	for _, bad := range []string{"/model/a%2F..%2Fx/converse", "/model/..%2Fx/converse", "/model/a%5cb/converse", "/model/a%252Fb/converse"} {
		if _, err := u.Target(bad, ""); err == nil {
			t.Errorf("%s passes", bad)
		}
	}
	from := http.Header{"X-Amz-Security-Token": {"the agent's"}, "Authorization": {"AWS4-HMAC-SHA256 ..."}, "Content-Type": {"application/json"}}
	body := []byte(`{}`)
	req := &http.Request{Method: "POST", URL: to, Host: to.Host, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	Outgoing(req.Header, from)
	if err := u.Authorize(req); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Authorization"); !strings.Contains(got, "Credential=AKIDEXAMPLE/") || !strings.Contains(got, "/eu-west-1/bedrock/aws4_request") {
		t.Errorf("Authorization is %q", got)
	}
	if got := req.Header["X-Amz-Security-Token"]; len(got) != 1 || got[0] != "the-session-token" {
		t.Errorf("the session's token is %q", got)
	}
	leak := u.Leak()
	for _, secret := range []string{"wJalrXUtnFEMIK7MDENG", "the-session-token"} {
		if !leak.In("you sent " + secret) {
			t.Errorf("an answer with %s is not found", secret)
		}
	}
	for name, bad := range map[string]client.Credential{
		"no id":      {Kind: "sigv4", Source: "value", Value: "secret"},
		"bad region": {Kind: "sigv4", Source: "value", Value: "a:b", Region: "EU West"},
		"bad user":   {Kind: "sigv4", Source: "value", Value: "b", User: "a/b"},
		"line break": {Kind: "sigv4", Source: "value", Value: "a:b\n"},
	} {
		in.Name, in.Credential = "other", &bad
		if _, err := r.Put(t.Context(), "pat", in); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
