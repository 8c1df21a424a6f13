package connection

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"reeve/internal/fault"
	"reeve/internal/upstream"
)

const (
	fetchTime = 10 * time.Second
	maxAnswer = 256 << 10
)

// asker asks the places that one upstream names, with its rules about addresses.
// That an upstream may be in the house is said of it, and of the authorization
// server that a person named for it: not of what it names itself.
type asker struct {
	open, private *http.Client
	house         []string // hosts that may be inside
}

// asking makes an asker; close it when the asking is over.
func asking(u *upstream.Upstream) *asker {
	a := &asker{open: asks(false), private: asks(true)}
	if u.AllowPrivate {
		a.house = []string{u.Base().Hostname()}
		if at, err := url.Parse(u.Credential.OAuth.Issuer); err == nil && at.Hostname() != "" {
			a.house = append(a.house, at.Hostname())
		}
	}
	return a
}

func asks(private bool) *http.Client {
	t := upstream.Guarded(private, fetchTime)
	t.DisableKeepAlives = true // two or three questions, then long none
	return &http.Client{
		Transport: t, Timeout: fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// inside reports whether a host may be one of the house.
func (a *asker) inside(host string) bool {
	return slices.ContainsFunc(a.house, func(h string) bool { return strings.EqualFold(h, host) })
}

// client is by whom an address is asked.
func (a *asker) client(at *url.URL) *http.Client {
	if a.inside(at.Hostname()) {
		return a.private
	}
	return a.open
}

// place reads an address that somebody else named. Plain http is for the house.
func (a *asker) place(text string) (*url.URL, error) {
	at, err := url.Parse(text)
	if err != nil || len(text) > 2000 || at.Hostname() == "" || at.User != nil || at.Fragment != "" || at.Opaque != "" {
		return nil, discovery("%.80q is no address", text)
	}
	if at.Scheme != "https" && (at.Scheme != "http" || !a.inside(at.Hostname())) {
		return nil, discovery("%.80q is not https", text)
	}
	return at, nil
}

// do makes a request and reads its answer, which may be any status.
func (a *asker) do(req *http.Request) (status int, h http.Header, body []byte, err error) {
	if _, err := a.place(req.URL.String()); err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("User-Agent", "reeve")
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := a.client(req.URL).Do(req)
	if err != nil {
		return 0, nil, nil, unreachable(req.URL, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, nil, unreachable(req.URL, err)
	}
	if len(body) > maxAnswer {
		return 0, nil, nil, discovery("the answer of %s is too long", req.URL.Host)
	}
	return resp.StatusCode, resp.Header, body, nil
}

// document reads a JSON document; ok is false where there is none.
func (a *asker) document(ctx context.Context, at string, into any) (ok bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return false, discovery("%.80q is no address", at)
	}
	status, _, body, err := a.do(req)
	switch {
	case err != nil:
		return false, err
	case status >= 500 || status == http.StatusTooManyRequests:
		return false, discovery("%s answers with status %d", req.URL.Host, status)
	case status != http.StatusOK:
		return false, nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return false, discovery("%s is no document of metadata", at).WithCause(err)
	}
	return true, nil
}

func discovery(format string, args ...any) *fault.Error {
	return fault.New(fault.KindUnavailable, "upstream.discovery", format, args...)
}

// unreachable says that a place did not answer; a refusal of its address says so
// itself.
func unreachable(at *url.URL, err error) error {
	if f := fault.From(err); f.Code == "upstream.address" {
		return f
	}
	return discovery("%s does not answer", at.Host).WithCause(fmt.Errorf("asking %s: %w", at.Redacted(), err))
}

// origin is scheme and host of an address.
func origin(at *url.URL) string { return strings.ToLower(at.Scheme + "://" + at.Host) }
