package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"reeve/internal/fault"
)

// window is how old a signed time may be, or how far ahead.
const window = 5 * time.Minute

// Delivery is what a sender's proof is looked for in.
type Delivery struct {
	Header http.Header
	Query  url.Values
	Body   []byte // as it came: before it was parsed, after it was decompressed
	Now    time.Time
}

// scheme is how a kind signs.
type scheme struct {
	// signatures are what the request carries, decoded; none is no proof.
	signatures func(h http.Header) [][]byte
	// message is what was signed. The time is zero where none is.
	message func(h http.Header, body []byte) (message []byte, at time.Time, ok bool)
	// key makes the key of the secret; nil takes it as it is.
	key func(secret []byte) []byte
}

func bodyOnly(_ http.Header, body []byte) ([]byte, time.Time, bool) { return body, time.Time{}, true }

// hexes reads hex signatures with a prefix, separated by commas.
func hexes(name, prefix string) func(http.Header) [][]byte {
	return func(h http.Header) (out [][]byte) {
		for _, part := range strings.Split(h.Get(name), ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(part), prefix)
			if b, err := hex.DecodeString(text); ok && err == nil && len(b) == sha256.Size && len(out) < 8 {
				out = append(out, b)
			}
		}
		return out
	}
}

var (
	pagerDuty = scheme{signatures: hexes("X-PagerDuty-Signature", "v1="), message: bodyOnly}
	sentry    = scheme{signatures: hexes("Sentry-Hook-Signature", ""), message: bodyOnly}
	gitHub    = scheme{signatures: hexes("X-Hub-Signature-256", "sha256="), message: bodyOnly}
	// Grafana signs the body, or time and body where its contact point names a
	// header for the time.
	grafana = scheme{
		signatures: hexes("X-Grafana-Alerting-Signature", ""),
		message: func(h http.Header, body []byte) ([]byte, time.Time, bool) {
			text := h.Get("X-Grafana-Alerting-Timestamp")
			if text == "" {
				return body, time.Time{}, true
			}
			at, ok := unix(text)
			return append([]byte(text+":"), body...), at, ok
		},
	}
	slack = scheme{
		signatures: hexes("X-Slack-Signature", "v0="),
		message: func(h http.Header, body []byte) ([]byte, time.Time, bool) {
			text := h.Get("X-Slack-Request-Timestamp")
			at, ok := unix(text)
			return append([]byte("v0:"+text+":"), body...), at, ok
		},
	}
	signalFX = scheme{
		signatures: func(h http.Header) [][]byte { return base64s(h.Get("X-SFX-Signature")) },
		message:    bodyOnly,
	}
	// standardWebhook is the scheme of standardwebhooks.com: id, time and body.
	standardWebhook = scheme{
		signatures: func(h http.Header) (out [][]byte) {
			for _, part := range strings.Fields(h.Get("Webhook-Signature")) {
				if text, ok := strings.CutPrefix(part, "v1,"); ok && len(out) < 8 {
					out = append(out, base64s(text)...)
				}
			}
			return out
		},
		message: func(h http.Header, body []byte) ([]byte, time.Time, bool) {
			at, ok := unix(h.Get("Webhook-Timestamp"))
			// A dot in the id would move where time and body begin: a part of what was
			// signed once could be sent as a delivery of today.
			ok = ok && !strings.Contains(h.Get("Webhook-Id"), ".")
			return append([]byte(h.Get("Webhook-Id")+"."+h.Get("Webhook-Timestamp")+"."), body...), at, ok
		},
		key: func(secret []byte) []byte {
			if text, ok := strings.CutPrefix(string(secret), "whsec_"); ok {
				if b, err := base64.StdEncoding.DecodeString(text); err == nil {
					return b
				}
			}
			return secret
		},
	}
)

func base64s(text string) [][]byte {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != sha256.Size {
		return nil
	}
	return [][]byte{b}
}

func unix(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

func noProof(k Kind, auth string) error {
	e := fault.New(fault.KindUnauthenticated, "hook.no_proof", "this delivery carries no %s", auth)
	if auth == Token {
		return e.WithHint("send the source's token as Authorization: Bearer, as the password of Basic, or as X-Reeve-Token")
	}
	return e.WithHint("sign deliveries as %s does, with the source's secret", k.Title)
}

func forged(auth string) error {
	return fault.New(fault.KindUnauthenticated, "hook.forged", "the %s is not this source's", auth).
		WithHint("the secret may have been rotated: `reeve alert source rotate` makes a new one")
}

// Stranger is what is told outside to who names a source without its proof,
// whether it is there or not.
var Stranger = fault.New(fault.KindUnauthenticated, "hook.forged", "there is no such source, or the proof is not its own").
	WithHint("the secret may have been rotated: `reeve alert source rotate` makes a new one")

// Decoy takes as long as looking at a signature over the body does.
func Decoy(body []byte) {
	var key [sha256.Size]byte
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	_ = hmac.Equal(mac.Sum(nil), key[:]) // nobody asks
}

// Check reports whether a delivery is the source's: nil, or a fault of kind
// unauthenticated, which is counted.
func (h *Hook) Check(d *Delivery) error {
	err := h.check(d)
	if err != nil {
		h.stats.forged.Add(1)
		h.failed(d.Now, fault.From(err).Message)
	}
	return err
}

func (h *Hook) check(d *Delivery) error {
	if h.Auth == Token {
		return h.checkToken(d)
	}
	return h.checkSignature(d)
}

func (h *Hook) checkSignature(d *Delivery) error {
	given := h.kind.scheme.signatures(d.Header)
	if len(given) == 0 {
		return noProof(h.kind, Signature)
	}
	message, at, ok := h.kind.scheme.message(d.Header, d.Body)
	if !ok {
		return noProof(h.kind, Signature)
	}
	var right *secret
	for i := range h.secrets {
		s := &h.secrets[i]
		if s.plain == nil || !s.live(d.Now) {
			continue
		}
		key := s.plain
		if h.kind.scheme.key != nil {
			key = h.kind.scheme.key(key)
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(message)
		want := mac.Sum(nil)
		for _, g := range given { // all of them: the time tells nothing of which was right
			if hmac.Equal(want, g) {
				right = s
			}
		}
	}
	if right == nil {
		return forged(Signature)
	}
	if !at.IsZero() && (d.Now.Sub(at) > window || at.Sub(d.Now) > window) {
		return fault.New(fault.KindUnauthenticated, "hook.stale", "this delivery was signed at %s, which is not now", at.UTC().Format(time.RFC3339)).
			WithHint("deliveries are taken for five minutes; look at the sender's clock")
	}
	right.used.Store(d.Now.UnixMicro())
	return nil
}

func (h *Hook) checkToken(d *Delivery) error {
	given := Tokens(d.Header)
	if h.URLToken {
		given = append(given, d.Query["token"]...)
	}
	if len(given) == 0 {
		return noProof(h.kind, Token)
	}
	var right *secret
	for _, text := range given[:min(len(given), 8)] {
		sum := sha256.Sum256([]byte(text))
		for i := range h.secrets {
			if s := &h.secrets[i]; s.live(d.Now) && subtle.ConstantTimeCompare(sum[:], s.hash[:]) == 1 {
				right = s
			}
		}
	}
	if right == nil {
		return forged(Token)
	}
	right.used.Store(d.Now.UnixMicro())
	return nil
}

// tokenHeaders are the places where senders put a token of their own.
var tokenHeaders = [...]string{"X-Reeve-Token", "X-Gitlab-Token", "DD-API-KEY", "X-API-Key", "X-SF-Token"}

// Tokens are what a request carries that could be a source's token.
func Tokens(h http.Header) (out []string) {
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" && len(text) <= maxSecret {
			out = append(out, text)
		}
	}
	if auth := h.Get("Authorization"); auth != "" {
		scheme, rest, _ := strings.Cut(auth, " ")
		switch strings.ToLower(scheme) {
		case "bearer", "splunk", "token", "geniekey":
			add(rest)
		case "basic":
			if b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest)); err == nil {
				user, password, _ := strings.Cut(string(b), ":")
				add(password)
				add(user)
			}
		}
	}
	for _, name := range tokenHeaders {
		add(h.Get(name))
	}
	return out
}
