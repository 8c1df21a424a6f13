// Package workload is the SPIFFE Workload API: processes of this host get their
// identity from a Unix socket, without any secret of their own.
//
// What for: a process that speaks SPIFFE (go-spiffe, Envoy, a sidecar) fetches
// its X.509-SVID and JWT-SVIDs and gets new ones before the old ones end.
//
// Who calls it: app serves it on identity.workload_socket; api registers which
// process is which agent.
//
// Promises: only a process that the kernel vouches for (SO_PEERCRED) and that
// fits a registration gets anything, looked at again for every new SVID. A
// stream brings a new SVID at half the life of the last, and ends with
// PermissionDenied as soon as the agent is stopped or retired. Private keys are
// made for each SVID and are nowhere but in the answer. Safe for concurrent use.
//
// How it fails: PermissionDenied for whoever is not registered or forgot the
// header workload.spiffe.io; InvalidArgument for what cannot be asked;
// Unavailable when nothing can be issued now. Changes of registrations fail with
// workload.invalid, workload.not_found, workload.too_many.
//
// Start reading at Server.Serve, then Server.FetchX509SVID.
package workload

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	pb "github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/enrol"
	"reeve/internal/identity/token"
)

// Options are what a Server needs; Life, Now and Logger may be left out.
type Options struct {
	Registry *Registry
	Desk     *enrol.Desk
	CA       *ca.CA
	Keys     *token.Keys
	Verifier *token.Verifier
	Agents   token.Agents
	Standing func(token.Principal) error
	Life     time.Duration // of X.509-SVIDs; 0 is the longest
	Logger   *slog.Logger
}

// Server is the Workload API.
type Server struct {
	pb.UnimplementedSpiffeWorkloadAPIServer
	o Options

	mu        sync.Mutex // guards what follows
	changed   chan struct{}
	instances map[instanceKey]string
}

// instanceKey is one running copy of an agent.
type instanceKey struct {
	agent string
	pid   int32
	start uint64
}

const (
	maxInstances = 10_000
	bundleEvery  = 5 * time.Second // how soon streams see a new root
)

// New makes a Server.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o, changed: make(chan struct{}), instances: map[instanceKey]string{}}
}

// Changed has every stream look again at whom it serves: call it when an agent
// was stopped, retired or registered anew.
func (s *Server) Changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Serve answers on a Unix socket until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	g := grpc.NewServer(
		grpc.Creds(kernel{}), grpc.MaxRecvMsgSize(64<<10), grpc.MaxConcurrentStreams(100), grpc.ConnectionTimeout(5*time.Second),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := header(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := header(ss.Context()); err != nil {
				return err
			}
			return next(srv, ss)
		}),
	)
	pb.RegisterSpiffeWorkloadAPIServer(g, s)
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(l) }()
	tidy := time.NewTicker(time.Minute)
	defer tidy.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			g.Stop() // streams never end by themselves
			<-ended
			return context.Cause(ctx)
		case <-tidy.C:
			if err := s.o.Registry.tidy(ctx); err != nil && ctx.Err() == nil {
				s.o.Logger.WarnContext(ctx, "workloads that ended could not be removed", "err", err)
			}
		}
	}
}

// header holds callers to the Workload Endpoint's security header: it keeps a
// process that can be made to send requests from being used.
func header(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if v := md.Get("workload.spiffe.io"); len(v) != 1 || v[0] != "true" {
		return status.Error(codes.PermissionDenied, "the header workload.spiffe.io is missing")
	}
	return nil
}

// kernel is the transport: it asks the kernel for the caller and encrypts
// nothing.
type kernel struct{}

// caller is who a connection belongs to.
type caller struct {
	credentials.CommonAuthInfo
	pid      int32
	uid, gid uint32
	start    uint64
}

// AuthType names the transport.
func (caller) AuthType() string { return "peercred" }

func (kernel) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.New("not a Unix socket")
	}
	pid, uid, gid, err := peer(u)
	if err != nil {
		return nil, nil, err
	}
	p, err := inspect(pid, uid, gid)
	if err != nil {
		return nil, nil, err
	}
	return c, caller{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}, pid, uid, gid, p.Start}, nil
}

func (kernel) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("for servers only")
}

func (kernel) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "peercred"}
}
func (k kernel) Clone() credentials.TransportCredentials { return k }
func (kernel) OverrideServerName(string) error           { return nil }

var errDenied = status.Error(codes.PermissionDenied, "this process is no registered workload")

// attest looks at the caller now: it must be the process that connected, and
// fit a registration.
func (s *Server) attest(ctx context.Context) (Process, []string, error) {
	info, _ := grpcpeer.FromContext(ctx)
	if info == nil {
		return Process{}, nil, errDenied
	}
	c, ok := info.AuthInfo.(caller)
	if !ok {
		return Process{}, nil, errDenied
	}
	p, err := inspect(c.pid, c.uid, c.gid)
	if err != nil || p.Start != c.start {
		s.o.Logger.InfoContext(ctx, "workload refused", "pid", c.pid, "uid", c.uid, "err", err)
		return Process{}, nil, errDenied
	}
	agents := s.o.Registry.agents(p)
	if len(agents) == 0 {
		s.o.Logger.InfoContext(ctx, "workload refused", "pid", p.PID, "uid", p.UID, "exe", p.Exe, "cgroup", p.Cgroup)
		return Process{}, nil, errDenied
	}
	return p, agents, nil
}

// proofs are what the caller may have now: one for each agent that it is and
// that may have credentials; none is a refusal.
func (s *Server) proofs(ctx context.Context) ([]enrol.Proof, error) {
	p, agents, err := s.attest(ctx)
	if err != nil {
		return nil, err
	}
	var out []enrol.Proof
	for _, name := range agents {
		a, err := s.o.Agents(name)
		if err != nil {
			s.o.Logger.InfoContext(ctx, "workload refused", "pid", p.PID, "agent", name, "err", err)
			continue
		}
		out = append(out, enrol.Proof{Agent: a, Instance: s.instance(name, p), Via: "workload_api", ID: p.Exe})
	}
	if len(out) == 0 {
		return nil, status.Error(codes.PermissionDenied, "the agent of this process may have no identity now")
	}
	return out, nil
}

// instance is the id of this copy: made at its first call, and kept while we
// run.
func (s *Server) instance(agent string, p Process) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := instanceKey{agent, p.PID, p.Start}
	if id, ok := s.instances[k]; ok {
		return id
	}
	if len(s.instances) >= maxInstances {
		clear(s.instances) // they get new ids; none is used twice
	}
	id := enrol.NewInstance()
	s.instances[k] = id
	return id
}

// FetchX509SVID streams SVIDs: at once, at half their life, and when something
// about the caller changed.
func (s *Server) FetchX509SVID(_ *pb.X509SVIDRequest, stream grpc.ServerStreamingServer[pb.X509SVIDResponse]) error {
	return s.follow(stream.Context(), func() (time.Time, error) {
		proofs, err := s.proofs(stream.Context())
		if err != nil {
			return time.Time{}, err
		}
		resp := &pb.X509SVIDResponse{}
		var next time.Time
		for _, p := range proofs {
			x, until, err := s.x509(stream.Context(), p)
			if err != nil {
				return time.Time{}, s.unavailable(stream.Context(), err)
			}
			resp.Svids = append(resp.Svids, x)
			if half := time.Now().Add(time.Until(until) / 2); next.IsZero() || half.Before(next) {
				next = half
			}
		}
		if resp.Crl, err = s.o.CA.CRLs(); err != nil {
			return time.Time{}, s.unavailable(stream.Context(), err)
		}
		return next, stream.Send(resp)
	})
}

func (s *Server) x509(ctx context.Context, p enrol.Proof) (*pb.X509SVID, time.Time, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, time.Time{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	svid, _, err := s.o.Desk.Issue(ctx, p, csr, s.o.Life)
	if err != nil {
		return nil, time.Time{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, time.Time{}, err
	}
	return &pb.X509SVID{SpiffeId: svid.ID, X509Svid: slices.Concat(svid.Chain...), X509SvidKey: der, Bundle: s.roots(), Hint: p.Agent.Name}, svid.NotAfter, nil
}

func (s *Server) roots() []byte { return slices.Concat(s.o.CA.RootCertificates()...) }

// follow sends again when send's time has come, when something changed, or when
// the roots did, until the caller goes away or send refuses.
func (s *Server) follow(ctx context.Context, send func() (time.Time, error)) error {
	for {
		change, sequence := s.change(), s.o.CA.Sequence()
		next, err := send()
		if err != nil {
			return err
		}
		if next.IsZero() {
			next = time.Now().Add(24 * time.Hour)
		}
		timer := time.NewTimer(time.Until(next))
		roots := time.NewTicker(bundleEvery)
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				timer.Stop()
				roots.Stop()
				return status.FromContextError(ctx.Err()).Err()
			case <-timer.C:
				waiting = false
			case <-change:
				waiting = false
			case <-roots.C:
				waiting = s.o.CA.Sequence() == sequence
			}
		}
		timer.Stop()
		roots.Stop()
	}
}

func (s *Server) unavailable(ctx context.Context, err error) error {
	f := fault.From(err)
	s.o.Logger.ErrorContext(ctx, "workload not served", "code", f.Code, "err", err)
	if f.Kind == fault.KindDenied || f.Kind == fault.KindUnauthenticated {
		return status.Error(codes.PermissionDenied, f.Message)
	}
	return status.Error(codes.Unavailable, f.Message)
}

// FetchX509Bundles streams the roots.
func (s *Server) FetchX509Bundles(_ *pb.X509BundlesRequest, stream grpc.ServerStreamingServer[pb.X509BundlesResponse]) error {
	return s.follow(stream.Context(), func() (time.Time, error) {
		if _, err := s.proofs(stream.Context()); err != nil {
			return time.Time{}, err
		}
		lists, err := s.o.CA.CRLs()
		if err != nil {
			return time.Time{}, s.unavailable(stream.Context(), err)
		}
		return time.Now().Add(ca.RefreshHint), stream.Send(&pb.X509BundlesResponse{Crl: lists, Bundles: map[string][]byte{s.domain(): s.roots()}})
	})
}

func (s *Server) domain() string { return "spiffe://" + s.o.CA.TrustDomain() }

// FetchJWTSVID gives JWT-SVIDs for one audience.
func (s *Server) FetchJWTSVID(ctx context.Context, req *pb.JWTSVIDRequest) (*pb.JWTSVIDResponse, error) {
	if len(req.Audience) != 1 || req.Audience[0] == "" {
		return nil, status.Error(codes.InvalidArgument, "a JWT-SVID has one audience")
	}
	proofs, err := s.proofs(ctx)
	if err != nil {
		return nil, err
	}
	resp := &pb.JWTSVIDResponse{}
	for _, p := range proofs {
		id, err := ca.AgentID(s.o.CA.TrustDomain(), p.Agent.Name, p.Instance)
		if err != nil {
			return nil, s.unavailable(ctx, err)
		}
		if req.SpiffeId != "" && req.SpiffeId != id {
			continue
		}
		t, err := s.o.Desk.JWT(p, req.Audience[0], 0)
		if err != nil {
			return nil, s.unavailable(ctx, err)
		}
		resp.Svids = append(resp.Svids, &pb.JWTSVID{SpiffeId: id, Svid: t.Token, Hint: p.Agent.Name})
	}
	if len(resp.Svids) == 0 {
		return nil, status.Error(codes.PermissionDenied, "this process has not that identity")
	}
	return resp, nil
}

// FetchJWTBundles streams the keys of JWT-SVIDs.
func (s *Server) FetchJWTBundles(_ *pb.JWTBundlesRequest, stream grpc.ServerStreamingServer[pb.JWTBundlesResponse]) error {
	return s.follow(stream.Context(), func() (time.Time, error) {
		if _, err := s.proofs(stream.Context()); err != nil {
			return time.Time{}, err
		}
		keys, _, _, err := s.o.Keys.JWKS()
		if err != nil {
			return time.Time{}, s.unavailable(stream.Context(), err)
		}
		text, err := json.Marshal(map[string]any{"keys": keys})
		if err != nil {
			return time.Time{}, s.unavailable(stream.Context(), err)
		}
		return time.Now().Add(ca.RefreshHint), stream.Send(&pb.JWTBundlesResponse{Bundles: map[string][]byte{s.domain(): text}})
	})
}

// ValidateJWTSVID verifies a JWT-SVID of this trust domain for an audience.
func (s *Server) ValidateJWTSVID(ctx context.Context, req *pb.ValidateJWTSVIDRequest) (*pb.ValidateJWTSVIDResponse, error) {
	if _, err := s.proofs(ctx); err != nil {
		return nil, err
	}
	p, audience, err := s.o.Verifier.Inspect(ctx, req.Svid)
	if err == nil && (p.Credential != "jwt_svid" || audience != req.Audience || req.Audience == "") {
		err = errors.New("another kind of token, or another audience")
	}
	if err == nil {
		err = s.o.Standing(p)
	}
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "the JWT-SVID is not valid for that audience")
	}
	claims, err := claimsOf(req.Svid)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, "the JWT-SVID cannot be read")
	}
	return &pb.ValidateJWTSVIDResponse{SpiffeId: p.Identity.Subject, Claims: claims}, nil
}

// claimsOf reads the body of a token that was verified.
func claimsOf(text string) (*structpb.Struct, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("not three parts")
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var c map[string]any
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	return structpb.NewStruct(c)
}
