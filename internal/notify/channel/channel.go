// Package channel speaks to the systems by which people are told: one file a
// kind, each a request as its vendor documents it and what its answer means.
//
// What for: notify decides what is sent when; here is only how.
//
// Who calls it: notify, with a message, the channel's settings and its secret.
//
// Promises: Send makes at most one request (e-mail: one conversation) and says
// of it whether it arrived, certainly did not, or nobody knows. It never follows
// a redirect, and reads a bounded answer. Nothing of a secret is in an Answer.
//
// How it fails: it does not return errors; what went wrong is in the Answer.
//
// Start reading at Kinds and Answer, then slack.go.
package channel

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reeve/internal/fault"
)

// Actions of a message.
const (
	Trigger     = "trigger"
	Acknowledge = "acknowledge"
	Resolve     = "resolve"
)

// Message is what is to be said. Texts are Reeve's own, with what others wrote
// made visible by the caller.
type Message struct {
	ID       string            `json:"id"`  // of the delivery: the same try after try
	Key      string            `json:"key"` // the same thing again: receivers that take one keep one of it
	Action   string            `json:"action"`
	Title    string            `json:"title"`
	Text     string            `json:"text,omitempty"`
	Severity string            `json:"severity"` // info, warning, critical
	URL      string            `json:"url,omitempty"`
	Source   string            `json:"source,omitempty"` // the agent or team it is about
	Fields   []Field           `json:"fields,omitempty"`
	Buttons  []Button          `json:"buttons,omitempty"`
	To       string            `json:"to,omitempty"` // an address within the channel
	Data     map[string]string `json:"data,omitempty"`
	At       time.Time         `json:"at"`
	Ref      string            `json:"ref,omitempty"` // what the receiver called it when it was triggered
	Files    []File            `json:"files,omitempty"`
}

// File is what goes along with a message where its channel carries files: a mail's
// attachment. Others leave it out.
type File struct {
	Name string `json:"name"` // without a folder
	Type string `json:"type"` // of media, such as application/pdf
	Data []byte `json:"data"`
}

// Field is a named value.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Button is something a reader may do at once. Value is opaque.
type Button struct {
	ID, Label, Value, Style string // Style is primary or danger
}

// The outcomes of a delivery.
const (
	Sent    = "sent"
	Again   = "again"   // it did not arrive, and may later
	Failed  = "failed"  // it did not arrive, and will not
	Unknown = "unknown" // it may have arrived
)

// Answer is what came of one attempt.
type Answer struct {
	Outcome string        `json:"outcome"`
	Status  int           `json:"status,omitempty"` // of HTTP or SMTP
	Text    string        `json:"text,omitempty"`   // what the receiver said, cut
	Ref     string        `json:"ref,omitempty"`    // what the receiver calls it
	Wait    time.Duration `json:"wait,omitempty"`   // before the next try
}

// Settings are what people say of a channel, without its secret.
type Settings struct {
	URL      string `json:"url,omitempty"`      // where to; of a kind that has a fixed address only for tests and regions
	Channel  string `json:"channel,omitempty"`  // Slack's channel, a mail's default recipient, a ticket's group
	From     string `json:"from,omitempty"`     // of mails
	User     string `json:"user,omitempty"`     // of Basic or SMTP authentication
	Signing  bool   `json:"signing,omitempty"`  // the secret holds a signing secret too, for what comes back
	Insecure bool   `json:"insecure,omitempty"` // SMTP without TLS: on loopback only
}

// Secret is a channel's secret, parsed: what sends, and what verifies.
type Secret struct {
	Token   string `json:"token"`
	Signing string `json:"signing,omitempty"`
}

// Kind is a kind of channel.
type Kind struct {
	Name, Title string
	// Keyed says that the receiver keeps one of what has the same key: then, and
	// only then, what may have arrived is sent again.
	Keyed   bool
	Check   func(Settings, Secret) error
	Send    func(context.Context, *http.Client, Settings, Secret, *Message) Answer
	Address string // what a person's address in it is; "" it has none
}

// Kinds are all kinds, by name.
func Kinds() []Kind {
	return []Kind{
		{Name: "email", Title: "E-mail (SMTP)", Check: checkMail, Send: sendMail, Address: "e-mail address"},
		{Name: "jsm", Title: "Jira Service Management Operations, Opsgenie", Keyed: true, Check: checkJSM, Send: sendJSM},
		{Name: "pagerduty", Title: "PagerDuty Events v2", Keyed: true, Check: checkPagerDuty, Send: sendPagerDuty},
		{Name: "servicenow", Title: "ServiceNow", Keyed: true, Check: checkServiceNow, Send: sendServiceNow},
		{Name: "slack", Title: "Slack", Check: checkSlack, Send: sendSlack, Address: "Slack member id"},
		{Name: "teams", Title: "Microsoft Teams Workflows", Check: checkTeams, Send: sendTeams},
		{Name: "webhook", Title: "Webhook, signed", Keyed: true, Check: checkWebhook, Send: sendWebhook},
	}
}

// Find is a kind by its name.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// NewClient is the client that channels use: no redirects, bounded in time. check
// refuses addresses that nobody is to be told at, once they are resolved; nil
// refuses none.
func NewClient(check func(netip.Addr) error) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if check != nil {
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return check(at.Addr())
		}
	}
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 12 * time.Second, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
			DialContext: dialer.DialContext, DisableCompression: true,
			// A lost connection tells whether the request was written; a second try by
			// the transport itself would be a second message.
			DisableKeepAlives: true,
		},
	}
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "channel.invalid", format, args...)
}

// checkURL wants https, or plain http to this host.
func checkURL(raw string, hosts ...string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || len(raw) > 2000 {
		return invalid("an address such as https://host/path is needed")
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return invalid("the address needs https")
	}
	if len(hosts) == 0 || local {
		return nil
	}
	for _, h := range hosts {
		if u.Hostname() == h || strings.HasSuffix(u.Hostname(), "."+h) {
			return nil
		}
	}
	return invalid("%.80s is no host of this kind of channel", u.Hostname()).WithHint("it should be at %s", strings.Join(hosts, ", "))
}

const maxAnswer = 64 << 10

// post makes one request with a JSON body and reads what came of it. read looks
// at an answer that is no refusal; nil takes any 2xx.
func post(ctx context.Context, c *http.Client, method, address string, headers map[string]string, body any, read func(status int, body []byte) Answer) Answer {
	raw, err := json.Marshal(body)
	if err != nil {
		return Answer{Outcome: Failed, Text: "the message could not be encoded"}
	}
	if b, ok := body.(json.RawMessage); ok {
		raw = b
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(raw))
	if err != nil {
		return Answer{Outcome: Failed, Text: "the address cannot be used"}
	}
	req.GetBody = nil // or the transport would send it again by itself
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Reeve")
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := c.Do(req)
	if err != nil {
		return lost(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	a := Answer{Status: res.StatusCode, Text: cut(string(text))}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		a.Outcome, a.Wait = Again, retryAfter(res.Header)
	case res.StatusCode == http.StatusRequestTimeout, res.StatusCode >= 500:
		a.Outcome = Unknown // it may have been taken in before it failed
		if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "" {
			a.Outcome, a.Wait = Again, retryAfter(res.Header)
		}
	case res.StatusCode >= 300:
		a.Outcome = Failed
	case err != nil && read != nil:
		a.Outcome = Unknown // it said yes, and what it called it was lost
	case read != nil:
		out := read(res.StatusCode, text)
		out.Status = res.StatusCode
		if out.Text == "" {
			out.Text = a.Text
		}
		return out
	default:
		a.Outcome = Sent
	}
	return a
}

// lost says what a failed request means: one that never connected did not
// arrive.
func lost(err error) Answer {
	var op *net.OpError
	var dns *net.DNSError
	var f *fault.Error
	if errors.As(err, &f) {
		return Answer{Outcome: Failed, Text: f.Error() + "; channels.allow_private in the configuration lets channels reach addresses inside the house"}
	}
	if errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial" {
		return Answer{Outcome: Again, Text: "it could not be reached"}
	}
	return Answer{Outcome: Unknown, Text: "the connection was lost before it answered"}
}

func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		return min(time.Duration(s)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return min(max(time.Until(at), time.Second), time.Hour)
	}
	return 30 * time.Second
}

func cut(s string) string { return clip(strings.TrimSpace(s), 500) }

func clip(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "?")
	}
	return strings.ToValidUTF8(s[:n], "")
}

// mac is a hex HMAC-SHA256.
func mac(key string, parts ...string) string {
	h := hmac.New(sha256.New, []byte(key))
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Stale is how old a signed delivery may be.
const Stale = 5 * time.Minute

// VerifySlack checks that a request came from Slack: over the undecoded body,
// not older than five minutes. Any of the secrets will do, for a rotation.
func VerifySlack(secrets []string, timestamp, signature string, body []byte, now time.Time) error {
	forged := fault.New(fault.KindUnauthenticated, "channel.forged", "this was not signed by the chat")
	s, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(s, 0)).Abs() > Stale {
		return forged.WithHint("is the clock right?")
	}
	ok := 0
	for _, secret := range secrets {
		if secret != "" {
			ok |= subtle.ConstantTimeCompare([]byte("v0="+mac(secret, "v0:"+timestamp+":", string(body))), []byte(signature))
		}
	}
	if ok != 1 {
		return forged
	}
	return nil
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func needToken(s Secret, what string) error {
	if s.Token == "" || len(s.Token) > 4000 || strings.ContainsAny(s.Token, "\r\n\x00") {
		return invalid("%s is needed as the secret", what)
	}
	return nil
}

func describe(m *Message) string {
	var b strings.Builder
	b.WriteString(m.Text)
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "\n%s: %s", f.Name, f.Value)
	}
	if m.URL != "" {
		b.WriteString("\n" + m.URL)
	}
	return strings.TrimSpace(b.String())
}
