// Package extauthz decides for other proxies: Envoy's external authorization,
// gRPC service envoy.service.auth.v3.Authorization, which agentgateway speaks
// too.
//
// What for: agents whose traffic passes a proxy that is there already are
// governed by our policies and recorded here, without a second hop.
//
// Who calls it: app serves it on ext_authz_listen; proxies call Check for each
// request.
//
// Promises: the agent is who its own credential in the request says, or whom a
// proxy with a team's token names in its own configuration; nothing that the
// agent sends names an agent. The request is read as the upstream's protocol
// reads it at the door. A denial carries the status, headers and body that the
// upstream's clients read. What is allowed carries X-Reeve-Decision, and the
// agent's credential is taken out. A proxy replaces no body, so a decision that
// needs that is a denial. Answers are bounded in time by the call's deadline.
//
// How it fails: closed. What cannot be read or decided is denied; a proxy
// without a credential where one is needed gets the gRPC status Unauthenticated.
//
// Start reading at Server.check.
package extauthz

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccreds "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/points"
	"reeve/internal/upstream"
)

// Options are what a Server needs: Door, Points and Upstreams are required.
type Options struct {
	Door      *gateway.Door
	Points    *points.Server
	Upstreams *upstream.Registry
	// Required refuses proxies without a token: for listeners that other machines
	// reach.
	Required bool
	Logger   *slog.Logger
}

// Server answers Check.
type Server struct{ o Options }

// New makes a server. It starts nothing.
func New(o Options) (*Server, error) {
	if o.Door == nil || o.Points == nil || o.Upstreams == nil {
		return nil, errors.New("external authorization needs the door, decision points and upstreams")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{o}, nil
}

const (
	maxMessage = 10 << 20
	maxStreams = 256
	stopGrace  = 5 * time.Second
)

// Serve answers on l until ctx ends, and then lets calls finish for a while.
// certificates may be nil on loopback.
func (s *Server) Serve(ctx context.Context, l net.Listener, certificates *tls.Config) error {
	options := []grpc.ServerOption{grpc.ForceServerCodecV2(rawCodec{}), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxStreams)}
	if certificates != nil {
		options = append(options, grpc.Creds(grpccreds.NewTLS(certificates)))
	}
	g := grpc.NewServer(options...)
	g.RegisterService(&grpc.ServiceDesc{
		ServiceName: "envoy.service.auth.v3.Authorization",
		Methods: []grpc.MethodDesc{{
			MethodName: "Check",
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				return s.handle(ctx, decode)
			},
		}},
	}, nil)
	failed := make(chan error, 1)
	go func() { failed <- g.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving ext_authz: %w", err)
	case <-ctx.Done():
	}
	stopped := make(chan struct{})
	go func() { g.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(stopGrace):
		g.Stop() // ends GracefulStop too
		<-stopped
	}
	<-failed
	return nil
}

// message is a gRPC message as it is on the wire.
type message struct{ b []byte }

// rawCodec passes messages as bytes: the few fields that count are read here.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*message)
	if !ok {
		return nil, fmt.Errorf("extauthz: cannot send a %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(m.b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return fmt.Errorf("extauthz: cannot receive a %T", v)
	}
	m.b = data.Materialize()
	return nil
}

func (s *Server) handle(ctx context.Context, decode func(any) error) (reply any, err error) {
	defer func() {
		// gRPC recovers nothing: a bug met by one request must not end the rest.
		if v := recover(); v != nil {
			s.o.Logger.Error("a check failed", "panic", v, "stack", string(debug.Stack()))
			reply, err = &message{denied(fault.New(fault.KindInternal, "ext_authz.internal", "this request could not be decided"), nil)}, nil
		}
	}()
	proxy, err := s.proxy(ctx)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, fault.From(err).Message)
	}
	var m message
	if err := decode(&m); err != nil {
		return nil, status.Error(codes.InvalidArgument, "the message could not be read")
	}
	return &message{s.check(ctx, proxy, m.b)}, nil
}

var errProxy = fault.New(fault.KindUnauthenticated, "ext_authz.proxy", "the proxy has no token").
	WithHint("give it an API token with the role developer: initial_metadata authorization: Bearer rvt_...")

// proxy is who asks: a token's, or nobody where none is needed.
func (s *Server) proxy(ctx context.Context) (*points.Speaker, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get("authorization")
	if len(values) == 0 {
		if s.o.Required {
			return nil, errProxy
		}
		return nil, nil
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return nil, errProxy
	}
	who, err := s.o.Points.Token(ctx, strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	return &who, nil
}

var (
	errUnreadable = fault.New(fault.KindInvalid, "ext_authz.unreadable", "the proxy's question cannot be read")
	errNoHTTP     = fault.New(fault.KindInvalid, "ext_authz.http", "the proxy's question is about no HTTP request").
			WithHint("use the HTTP filter ext_authz, not the network filter")
	errBody = fault.New(fault.KindInvalid, "ext_authz.body", "the proxy did not send the request's whole body").
		WithHint("set with_request_body (Envoy) or includeRequestBody (agentgateway), large enough, and allow no partial message")
	errUpstream = fault.New(fault.KindNotFound, "ext_authz.upstream", "no upstream is registered for where this request goes").
			WithHint("register it with `reeve upstream create`, or name it in the proxy's context extension reeve-upstream")
)

// check answers one question of a proxy.
func (s *Server) check(ctx context.Context, proxy *points.Speaker, b []byte) []byte {
	q, err := readCheck(b)
	if err != nil {
		return denied(errUnreadable.WithCause(err), nil)
	}
	o := &gateway.Outside{Point: "ext_authz", Unreported: true, Header: q.header}
	if err := s.fill(ctx, proxy, q, o); err != nil {
		return s.refused(ctx, o, fault.From(err), "")
	}
	o.Onward = q.onward()
	out := s.o.Door.Judge(ctx, o)
	if out.Fault != nil {
		return s.refused(ctx, o, out.Fault, out.Record.ID)
	}
	return allowed(out.Record.ID, q.taken())
}

// fill finds out who acts, where it goes and what it does.
func (s *Server) fill(ctx context.Context, proxy *points.Speaker, q *check, o *gateway.Outside) (err error) {
	if q.method == "" || q.path == "" {
		return errNoHTTP
	}
	if o.Caller, err = s.caller(ctx, proxy, q); err != nil {
		return err
	}
	o.Method, o.Body = q.method, q.body
	if q.size > 0 && int64(len(q.body)) != q.size || q.header.Get("X-Envoy-Auth-Partial-Body") == "true" {
		return errBody
	}
	path, query, _ := strings.Cut(q.path, "?")
	u, below, ok := s.upstream(q, path)
	if !ok {
		return errUpstream
	}
	o.Upstream, o.Path, o.Query = u, below, query
	if u.Kind == "mcp" {
		return s.server(o, u)
	}
	return s.o.Door.ProposeAt(ctx, o)
}

// caller is the agent. A proxy with a token may name it in its configuration;
// else it is who the request's own credential stands for.
func (s *Server) caller(ctx context.Context, proxy *points.Speaker, q *check) (gateway.Caller, error) {
	if name := q.extensions["reeve-agent"]; name != "" {
		if proxy == nil {
			return gateway.Caller{}, errProxy
		}
		// What the request carries may be the upstream's, but no key of ours is.
		for _, h := range points.Shown(q.header) {
			if strings.Contains(strings.Join(q.header[h], " "), "rvk_") {
				q.shown = append(q.shown, h)
			}
		}
		return s.o.Points.Caller(*proxy, name)
	}
	r := (&http.Request{Method: q.method, URL: &url.URL{Scheme: q.scheme, Host: q.host, Path: q.path}, Host: q.host, Header: q.header, RequestURI: q.path, Body: http.NoBody}).WithContext(ctx)
	if a, err := netip.ParseAddr(q.source); err == nil {
		r.RemoteAddr = netip.AddrPortFrom(a, 1).String()
	}
	c, err := s.o.Door.Identify(r)
	if err == nil {
		q.shown = points.Shown(q.header)
	}
	return c, err
}

// upstream is where the request goes: the one that the proxy's configuration
// names, or the one with the request's host and the longest path before its own.
func (s *Server) upstream(q *check, path string) (u *upstream.Upstream, below string, ok bool) {
	if name := q.extensions["reeve-upstream"]; name != "" {
		u, ok := s.o.Upstreams.Lookup(name)
		return u, path, ok
	}
	best := -1
	for _, shape := range s.o.Upstreams.List() {
		at, err := url.Parse(shape.URL)
		if err != nil || !sameHost(at, q.scheme, q.host) {
			continue
		}
		base := strings.TrimSuffix(at.EscapedPath(), "/")
		rest, in := strings.CutPrefix(path, base)
		if !in || rest != "" && rest[0] != '/' || len(base) <= best {
			continue
		}
		if found, there := s.o.Upstreams.Lookup(shape.Name); there {
			best, u, below = len(base), found, or(rest, "/")
		}
	}
	return u, below, u != nil
}

func sameHost(at *url.URL, scheme, host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	if !strings.EqualFold(at.Hostname(), strings.Trim(name, "[]")) {
		return false
	}
	// A proxy ends TLS: which port its clients came to says little about the
	// upstream's own, so a request without a port is for any.
	return port == "" || port == at.Port() || at.Port() == "" && (port == "443" || port == "80")
}

// refused writes a refusal as clients of the upstream read it.
func (s *Server) refused(ctx context.Context, o *gateway.Outside, f *fault.Error, decision string) []byte {
	w := &answer{header: http.Header{}}
	s.o.Door.RefuseAs(ctx, w, o, f, decision)
	return denied(f, w)
}

// answer keeps what would be written to an HTTP client.
type answer struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
