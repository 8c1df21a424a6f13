package poll

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
)

const (
	maxAnswer = 32 << 20
	maxToken  = 64 << 10
)

// call sends a request and reads the whole answer; anything but success is a
// fault.
func call(ctx context.Context, r Remote, req *http.Request, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := r.Transport().RoundTrip(req.WithContext(ctx))
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) {
			return nil, f
		}
		return nil, fault.New(fault.KindUnavailable, "poll.unreachable", "%s cannot be reached", req.URL.Host).WithCause(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.KindUnavailable, "poll.unreachable", "%s broke off its answer", req.URL.Host).WithCause(err)
	case res.StatusCode/100 != 2:
		return nil, refused(res, body)
	case int64(len(body)) > most:
		return nil, fault.New(fault.KindUnavailable, "poll.answer", "an answer of %s is larger than %d bytes", req.URL.Host, most)
	}
	return body, nil
}

// refused says what an answer that is no success means.
func refused(res *http.Response, body []byte) error {
	host, code := res.Request.URL.Host, errorCode(body)
	said := "answered " + res.Status
	if code != "" {
		said += " (" + code + ")"
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden || credentialCode(code):
		return fault.New(fault.KindUnavailable, "poll.credential", "%s does not take the credential: it %s", host, said).
			WithHint("look at the credential and at what it may read")
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500 || strings.Contains(code, "Throttling"):
		return fault.New(fault.KindUnavailable, "poll.refused", "%s is busy: it %s", host, said).WithRetryAfter(retryAfter(res.Header.Get("Retry-After")))
	}
	return fault.New(fault.KindUnavailable, "poll.refused", "%s %s", host, said)
}

// errorCode is the short name that Microsoft's and Amazon's errors have. Their
// messages are theirs and may hold what was asked; they are not shown.
func errorCode(body []byte) string {
	var v struct {
		Type  string          `json:"__type"`
		Error json.RawMessage `json:"error"`
	}
	code := ""
	if json.Unmarshal(body, &v) == nil {
		var inner struct {
			Code string `json:"code"`
		}
		if code = v.Type; code == "" && json.Unmarshal(v.Error, &inner) == nil {
			code = inner.Code
		}
		if code == "" {
			_ = json.Unmarshal(v.Error, &code) // of a token endpoint; else it stays empty
		}
	} else if _, rest, ok := strings.Cut(string(body[:min(len(body), 4096)]), "<Code>"); ok { // S3's XML
		code, _, _ = strings.Cut(rest, "</Code>")
	}
	code = code[strings.LastIndexByte(code, '#')+1:]
	if len(code) > 80 || strings.ContainsFunc(code, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return code
}

func credentialCode(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDeniedException", "MissingAuthenticationTokenException",
		"invalid_client", "unauthorized_client":
		return true
	}
	return false
}

func retryAfter(v string) time.Duration {
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return time.Until(at)
	}
	return 0
}

// token is an access token that a secret was changed for.
type token struct {
	mu    sync.Mutex // guards what follows; held while one is asked for
	value string
	until time.Time
	used  bool // it served a request before
}

// dropToken forgets a token that was refused, and reports whether there was one
// that may have been too old.
func (w *worker) dropToken() bool {
	w.token.mu.Lock()
	defer w.token.mu.Unlock()
	had := w.tokens != nil && w.token.value != "" && w.token.used
	w.token.value = ""
	return had
}

// bearer is a token that is good for a minute more.
func (w *worker) bearer(ctx context.Context) (string, error) {
	w.token.mu.Lock()
	defer w.token.mu.Unlock()
	now := w.p.o.Now()
	if w.token.value != "" && now.Before(w.token.until.Add(-time.Minute)) {
		w.token.used = true
		return w.token.value, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {w.d.Scope}}.Encode()
	req, err := http.NewRequest(http.MethodPost, w.d.TokenURL, strings.NewReader(form))
	if err != nil {
		return "", invalid("%.100q is no address", w.d.TokenURL)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := w.tokens.Authorize(req); err != nil {
		return "", err
	}
	body, err := call(ctx, w.tokens, req, maxToken)
	if err != nil {
		return "", err
	}
	var v struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &v); err != nil || v.AccessToken == "" || strings.ContainsFunc(v.AccessToken, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fault.New(fault.KindUnavailable, "poll.answer", "%s gave no token", req.URL.Host)
	}
	w.token.value, w.token.used = v.AccessToken, false
	w.token.until = now.Add(time.Duration(min(max(v.ExpiresIn, 60), 86_400)) * time.Second)
	return v.AccessToken, nil
}

// authorize adds the token, or the credential itself.
func (w *worker) authorize(ctx context.Context, req *http.Request) error {
	if w.tokens == nil {
		return w.remote.Authorize(req)
	}
	t, err := w.bearer(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t)
	return nil
}
