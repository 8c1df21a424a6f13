package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"reeve/client"
	"reeve/internal/api"
	"reeve/internal/fault"
	"reeve/internal/identity/oidc"
	"reeve/internal/intake"
	"reeve/internal/intake/said"
	"reeve/web"
)

// listener is one open socket and what answers on it. serve accepts until ctx
// ends, lets requests finish within Config.Shutdown, and closes the socket.
type listener struct {
	key   string // configuration key
	net   net.Listener
	serve func(ctx context.Context) error
}

// Address is where a listener really listens (the port of ":0" is known only
// now), or "" when it is off.
func (a *App) Address(key string) string {
	for _, l := range a.listeners {
		if l.key == key {
			return l.net.Addr().String()
		}
	}
	return ""
}

// addresses are the URLs at which this server listens, for pages that tell
// people where to send to.
func (a *App) addresses() client.Addresses {
	at := func(key string) string {
		host, port, err := net.SplitHostPort(a.Address(key))
		if err != nil {
			return "" // it is off
		}
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = ""
		}
		if a.o.Config.TLS.Cert != "" {
			return "https://" + net.JoinHostPort(host, port)
		}
		return "http://" + net.JoinHostPort(host, port)
	}
	out := client.Addresses{Console: at("listen"), OTLPHTTP: at("otlp_http_listen"), OTLPGRPC: at("otlp_grpc_listen")}
	if a.Address("gateway_listen") != "" {
		out.Door = a.Door()
	}
	return out
}

// listen opens every socket before anything answers, so that a taken port is
// an error at start.
func (a *App) listen(context.Context) error {
	secure, err := a.fileTLS()
	if err != nil {
		return err
	}
	guard := api.GuardOptions{Hosts: a.o.Config.Hosts}
	if err := a.open("listen", a.o.Config.Listen, func(ctx context.Context, l net.Listener) error {
		open := guard
		open.Foreign = said.Foreign
		if u, err := url.Parse(a.o.Config.Approvals.Console); err == nil && u.Hostname() != "" {
			open.Hosts = append(slices.Clone(open.Hosts), u.Hostname()) // a proxy may pass on the name that people use
		}
		return a.serveHTTP(ctx, l, secure, api.Guard(a.console(), open))
	}); err != nil {
		return err
	}
	if err := a.open("otlp_http_listen", a.o.Config.OTLPHTTPListen, func(ctx context.Context, l net.Listener) error {
		return a.serveHTTP(ctx, l, secure, api.Guard(a.intake, guard))
	}); err != nil {
		return err
	}
	if err := a.open("ext_authz_listen", a.o.Config.ExtAuthzListen, func(ctx context.Context, l net.Listener) error {
		return a.serveExtAuthz(ctx, l, secure)
	}); err != nil {
		return err
	}
	return a.open("otlp_grpc_listen", a.o.Config.OTLPGRPCListen, func(ctx context.Context, l net.Listener) error {
		return a.intake.ServeGRPC(ctx, l, secure)
	})
}

// fileTLS is TLS with the certificate of the configuration, or nil for none.
func (a *App) fileTLS() (*tls.Config, error) {
	t := a.o.Config.TLS
	if t.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "app.tls", "the certificate %s or its key cannot be used", t.Cert).WithCause(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}

func (a *App) open(key, addr string, serve func(context.Context, net.Listener) error) error {
	if addr == "" {
		return nil
	}
	l, err := a.socket(key, addr)
	if err != nil {
		f := fault.New(fault.KindUnavailable, "app.listen", "%s: cannot listen on %s", key, addr).WithCause(err)
		if errors.Is(err, syscall.EADDRINUSE) {
			f = fault.New(fault.KindConflict, "app.port_taken", "%s: another program listens on %s", key, addr).
				WithHint("stop it, or choose another address with --%s", strings.ReplaceAll(key, "_", "-"))
		}
		return f
	}
	a.listeners = append(a.listeners, &listener{key: key, net: l, serve: func(ctx context.Context) error { return serve(ctx, l) }})
	a.stack.push(key, func(context.Context) error {
		_ = l.Close() // already closed when it served
		return nil
	})
	return nil
}

func (a *App) serveHTTP(ctx context.Context, l net.Listener, secure *tls.Config, h http.Handler) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		TLSConfig:         secure,
		ErrorLog:          slog.NewLogLogger(a.log.With("part", "http").Handler(), slog.LevelDebug),
		// No WriteTimeout: event streams stay open; operations have their own.
		// Requests get ctx, so that streams end when the server does.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() {
		if secure != nil {
			ended <- s.ServeTLS(l, "", "")
		} else {
			ended <- s.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.o.Config.Shutdown)
	defer cancel()
	if err := s.Shutdown(grace); err != nil {
		_ = s.Close() // what is left is dropped: its sender was not answered
	}
	<-ended
	return nil
}

// fromThisHost reports a request of a program on this host, which sees what the
// process counts without saying who it is. A proxy here that passes on what others ask
// is not one: it says for whom.
func (a *App) fromThisHost(r *http.Request) bool {
	for _, name := range [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && isLoopback(host)
}

// console is everything that the first listener serves.
func (a *App) console() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(api.Prefix+"/", a.api)
	for _, p := range intake.Paths() {
		mux.Handle(p, a.intake)
	}
	alertmanager := a.api.Alertmanager()
	mux.Handle("GET "+api.AlertmanagerPrefix, alertmanager)
	mux.Handle("POST "+api.AlertmanagerPrefix+"silences", alertmanager)
	mux.Handle("DELETE "+api.AlertmanagerPrefix+"silence/", alertmanager)
	mux.Handle("GET "+oidc.Prefix, a.signIns)
	mux.HandleFunc("GET "+backPath, a.cameBack)
	proxies, _ := networks("trusted_proxies", a.o.Config.TrustedProxies) // checked with the configuration
	said.NewPages(a.feedback, a.log.With("part", "feedback pages"), said.Around{URL: a.feedbackURL, Proxies: proxies}).Register(mux)
	mux.HandleFunc("GET "+backPath+"/{at}", a.cameBack)
	mux.HandleFunc("POST /chat/slack/{channel}", a.slackAnswer)
	mux.HandleFunc("POST /chat/{kind}/{channel}", a.stateBack)
	mux.HandleFunc("GET /calendar/{file}", a.calendar)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.health.ready)
	mux.Handle("GET /metrics", a.api.Viewers(promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}), a.fromThisHost))
	if a.o.Config.Dev {
		// Profiles tell about content in memory: only where nobody signs in.
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	for prefix, h := range a.o.Mount {
		mux.Handle(prefix, h)
	}
	mux.Handle("/", web.Handler(web.Options{PageHeaders: api.PageHeaders}))
	return mux
}
