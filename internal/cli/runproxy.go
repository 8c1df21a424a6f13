package cli

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"reeve/client"
)

// runProxy stands between a process that `reeve run` started and the door: it
// adds the agent's key, so that the process never has it, and tells on stderr
// what is refused or cut.
type runProxy struct {
	run    *agentRun
	local  string // what the child shows to us
	key    string // what we show to the door
	intake string // what we show to the server; "" nothing
	door   *url.URL
	server *url.URL
	l      net.Listener
	http   *http.Server
	ended  chan struct{}

	mu   sync.Mutex // guards told
	told map[string]time.Time
}

func newRunProxy(a *agentRun, key, intake string, authority *client.Authority) (*runProxy, error) {
	p := &runProxy{run: a, local: "rvr_" + strings.ToLower(rand.Text()), key: key, intake: intake, told: map[string]time.Time{}, ended: make(chan struct{})}
	var err error
	if p.door, err = url.Parse(a.door); err == nil {
		p.server, err = url.Parse(a.server)
	}
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, r := range authority.Roots {
		roots.AppendCertsFromPEM([]byte(r.Certificate)) // the door's certificate may be of Reeve's own authority
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression: true, // what passes is not ours to change
	}
	p.l = a.l
	quiet := log.New(io.Discard, "", 0)
	forward := &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: transport, FlushInterval: -1, ModifyResponse: p.watch, ErrorLog: quiet,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if !errors.Is(err, context.Canceled) {
				p.tell("unreachable", fmt.Sprintf("the door at %s does not answer: %v", p.door.Host, err))
			}
			http.Error(w, `{"error":{"message":"Reeve does not answer","type":"api_error","code":"reeve.unreachable"}}`, http.StatusBadGateway)
		},
	}
	p.http = &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.known(r) {
			http.Error(w, `{"error":{"message":"this address is for the process that reeve run started","code":"reeve.local_key"}}`, http.StatusUnauthorized)
			return
		}
		forward.ServeHTTP(w, r)
	})}
	go func() {
		defer close(p.ended)
		_ = p.http.Serve(p.l) // until close
	}()
	return p, nil
}

func (p *runProxy) address() string { return p.l.Addr().String() }

func (p *runProxy) close(context.Context) {
	_ = p.http.Close() // the child is gone: nobody waits for an answer
	<-p.ended
}

// keyHeaders are where clients put their key.
var keyHeaders = []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// known reports whether a request shows the child's key: other processes of
// this host reach the address too.
func (p *runProxy) known(r *http.Request) bool {
	_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	shown := append([]string{bearer, r.URL.Query().Get("key")}, r.Header.Get(keyHeaders[0]), r.Header.Get(keyHeaders[1]), r.Header.Get(keyHeaders[2]))
	for _, s := range shown {
		if subtle.ConstantTimeCompare([]byte(s), []byte(p.local)) == 1 {
			return true
		}
	}
	return false
}

func (p *runProxy) rewrite(r *httputil.ProxyRequest) {
	to, key := p.door, p.key
	switch r.In.URL.Path {
	case "/v1/traces", "/v1/metrics", "/v1/logs":
		to, key = p.server, p.intake
	}
	r.SetURL(to)
	for _, h := range append(keyHeaders, "Authorization") {
		r.Out.Header.Del(h)
	}
	if q := r.Out.URL.Query(); q.Get("key") == p.local {
		q.Del("key")
		r.Out.URL.RawQuery = q.Encode()
	}
	if key != "" {
		r.Out.Header.Set("Authorization", "Bearer "+key)
	}
	if to == p.door {
		setDefault(r.Out.Header, "X-Reeve-Session", p.run.session)
		setDefault(r.Out.Header, "X-Reeve-Run", p.run.run)
	}
}

func setDefault(h http.Header, name, value string) {
	if value != "" && h.Get(name) == "" {
		h.Set(name, value)
	}
}

// watch tells of refusals, and of answers that end before they are whole.
func (p *runProxy) watch(r *http.Response) error {
	decision := r.Header.Get("X-Reeve-Decision")
	if code := r.Header.Get("X-Reeve-Code"); code != "" && r.StatusCode >= 400 {
		p.refused(code, decision)
	}
	r.Body = &watchedBody{ReadCloser: r.Body, cut: func(err error) {
		if r.Request.Context().Err() == nil { // else the child went away itself
			p.refused("cut", decision)
		}
	}}
	return nil
}

type watchedBody struct {
	io.ReadCloser
	cut func(error)
}

func (b *watchedBody) Read(buf []byte) (int, error) {
	n, err := b.ReadCloser.Read(buf)
	if err != nil && !errors.Is(err, io.EOF) {
		b.cut(err)
	}
	return n, err
}

// refused tells why the door said no; a stop is told with who stopped and why.
func (p *runProxy) refused(code, decision string) {
	text := "the door refused a call: " + code
	if code == "cut" {
		text = "a call was cut while it was answered"
	}
	if decision != "" {
		text += " (" + decision + ")"
	}
	if code == "cut" || strings.HasPrefix(code, "stop.") {
		if why := p.stopped(); why != "" {
			text = why
		}
	}
	p.tell(code, text)
}

// stopped looks up the stop that is in force, to say it in people's words.
func (p *runProxy) stopped() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := p.run.api.ListStops(ctx, client.ListStopsRequest{Active: true})
	if err != nil {
		return ""
	}
	for _, s := range list.Items {
		if s.Target.Kind == "agent" && s.Target.Value == p.run.agent || s.Target.Kind == "everything" || s.Target.Kind == "session" && s.Target.Value == p.run.session {
			what := s.Target.Kind
			if s.Target.Value != "" {
				what += " " + s.Target.Value
			}
			return fmt.Sprintf("%s was stopped by %s: %s (%s). Its calls are cut and new ones refused.", what, s.By, s.Reason, s.ID)
		}
	}
	return ""
}

// tell says a thing once in ten seconds, however often it happens.
func (p *runProxy) tell(code, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if last, ok := p.told[code]; ok && now.Sub(last) < 10*time.Second {
		return
	}
	p.told[code] = now
	fmt.Fprintf(cleaner{p.run.stderr}, "reeve: %s\n", text)
}
