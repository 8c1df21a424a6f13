package siem

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"reeve/internal/fault"
)

// tlsOf trusts the authority that c names, else the system's.
func (c *Config) tlsOf() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, badConfig("%s: ca cannot be read", c.Name).WithCause(err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, badConfig("%s: ca has no certificate", c.Name)
	}
	return t, nil
}

// syslog speaks RFC 5424 over TLS (RFC 5425). That has no acknowledgement, so a
// batch counts as taken when the receiver has not closed the connection a moment
// after it; what was under way when it does close is sent again.
type syslog struct {
	address string
	dialer  tls.Dialer
	host    string
	conn    net.Conn
	buf     []byte
}

const (
	dialTimeout = 10 * time.Second
	// linger is how long a close is waited for behind a batch.
	linger = 100 * time.Millisecond
	// priority is facility 13 (log audit), severity 6 (informational).
	priority = 13*8 + 6
)

func newSyslog(c *Config, o *Options) (target, error) {
	t, err := c.tlsOf()
	if err != nil {
		return nil, err
	}
	return &syslog{address: c.Address, dialer: tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: t}, host: header(o.Host, 255)}, nil
}

// header makes a field of a syslog header: printable ASCII without spaces.
func header(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return cmp.Or(s[:min(len(s), most)], "-")
}

func (s *syslog) send(ctx context.Context, batch []Record) (err error) {
	if s.conn == nil {
		if s.conn, err = s.dialer.DialContext(ctx, "tcp", s.address); err != nil {
			return fault.New(fault.KindUnavailable, "siem.unreachable", "%s cannot be reached", s.address).WithCause(err)
		}
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	s.buf = s.buf[:0]
	for i := range batch {
		s.buf = appendFrame(s.buf, s.host, &batch[i])
	}
	deadline, _ := ctx.Deadline() // carry sets one
	if err := s.conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		return fault.New(fault.KindUnavailable, "siem.broken", "%s closed the connection", s.address).WithCause(err)
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(linger)); err != nil {
		return err
	}
	var one [1]byte
	if _, err := s.conn.Read(one[:]); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		return fault.New(fault.KindUnavailable, "siem.broken", "%s closed the connection", s.address).WithCause(err)
	}
	return nil // it talks, against the protocol: let it
}

// appendFrame writes one record: its length, a space, and the message.
func appendFrame(dst []byte, host string, r *Record) []byte {
	msg := fmt.Appendf(nil, "<%d>1 %s %s reeve - %s - ", priority, time.UnixMicro(r.At).UTC().Format("2006-01-02T15:04:05.000000Z"), host, header(r.Kind, 32))
	msg = append(msg, r.Line...)
	dst = fmt.Appendf(dst, "%d ", len(msg))
	return append(dst, msg...)
}

func (s *syslog) close() {
	if s.conn != nil {
		_ = s.conn.Close() // there is nothing to lose: what counts was not acknowledged
		s.conn = nil
	}
}

// post sends a batch in one request: JSON lines, or Splunk's events.
type post struct {
	c      *Config
	url    string
	host   string
	client *http.Client
}

const splunkPath = "/services/collector/event"

func newHTTP(c *Config, o *Options) (target, error) {
	t, err := c.tlsOf()
	if err != nil {
		return nil, err
	}
	p := &post{c: c, url: c.URL, host: o.Host, client: &http.Client{
		Timeout: sendTimeout, Transport: &http.Transport{TLSClientConfig: t, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes nowhere else
	}}
	if c.Kind == "splunk" && !strings.Contains(p.url, "/services/") {
		p.url = strings.TrimSuffix(p.url, "/") + splunkPath
	}
	_, err = p.token()
	return p, err
}

// token is read for each request, so that it can be renewed without a restart.
func (p *post) token() (string, error) {
	if p.c.TokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(p.c.TokenFile)
	if err != nil {
		return "", badConfig("%s: token_file cannot be read", p.c.Name).WithCause(err)
	}
	return strings.TrimSpace(string(text)), nil
}

// event is what Splunk's collector takes.
type event struct {
	Time       json.Number     `json:"time"`
	Host       string          `json:"host,omitempty"`
	Source     string          `json:"source"`
	SourceType string          `json:"sourcetype"`
	Event      json.RawMessage `json:"event"`
}

func (p *post) body(batch []Record) ([]byte, error) {
	var b []byte
	for _, r := range batch {
		if p.c.Kind == "https" {
			b = append(append(b, r.Line...), '\n')
			continue
		}
		e, err := json.Marshal(event{json.Number(fmt.Sprintf("%d.%06d", r.At/1e6, r.At%1e6)), p.host, r.Log, "reeve:audit", r.Line})
		if err != nil {
			return nil, err
		}
		b = append(append(b, e...), '\n')
	}
	return b, nil
}

func (p *post) send(ctx context.Context, batch []Record) error {
	body, err := p.body(batch)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	token, err := p.token()
	if err != nil {
		return err
	}
	kind, scheme := "application/x-ndjson", "Bearer "
	if p.c.Kind == "splunk" {
		kind, scheme = "application/json", "Splunk "
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", scheme+token)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return fault.New(fault.KindUnavailable, "siem.unreachable", "%s cannot be reached", p.c.where()).WithCause(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4096)) // only a help for people
	if res.StatusCode/100 != 2 {
		return fault.New(fault.KindUnavailable, "siem.refused", "%s answered %s", p.c.where(), res.Status).WithCause(errors.New(strings.ToValidUTF8(string(answer), "\uFFFD")))
	}
	return nil
}

func (p *post) close() { p.client.CloseIdleConnections() }

// file appends JSON lines and syncs.
type file struct{ path string }

func (f *file) send(_ context.Context, batch []Record) error {
	var b []byte
	for _, r := range batch {
		b = append(append(b, r.Line...), '\n')
	}
	w, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = w.Write(b)
		err = errors.Join(err, w.Sync(), w.Close())
	}
	if err != nil {
		return fault.New(fault.KindUnavailable, "siem.file", "%s cannot be written", f.path).WithCause(err)
	}
	return nil
}

func (f *file) close() {}
