//go:build linux

package workload

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/enrol"
	"reeve/internal/identity/token"
)

type world struct {
	socket string
	r      *Registry
	s      *Server
	ca     *ca.CA
	self   Process

	mu   sync.Mutex
	why  error // why the agent may have nothing now
	more int64 // epochs above 1
}

func (w *world) agents(name string) (token.Agent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return token.Agent{Name: name, Epoch: 1 + w.more}, w.why
}

func (w *world) stop(why error) {
	w.mu.Lock()
	w.why = why
	w.more++
	w.mu.Unlock()
	w.s.Changed()
}

func newWorld(t *testing.T, life time.Duration) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "wl") // short: a socket's path has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{socket: filepath.Join(dir, "s")}
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	err = db.Write(t.Context(), func(tx *control.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO agents (name, team, body, epoch, revision, version, created_at, updated_at) VALUES ('billing', 'core', '{}', 1, 1, '', 0, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.ca, err = ca.Open(ca.Options{Dir: dir, TrustDomain: "example.org"}); err != nil {
		t.Fatal(err)
	}
	keys, err := token.OpenKeys(token.Options{Dir: dir, Issuer: "https://reeve.example.org", TrustDomain: "example.org", Sealer: w.ca})
	if err != nil {
		t.Fatal(err)
	}
	standing := func(p token.Principal) error {
		if a, _ := w.agents(p.Agent); p.Epoch < a.Epoch {
			return errors.New("dead")
		}
		return nil
	}
	v := token.NewVerifier(token.VerifierOptions{Keys: keys, CA: w.ca, Audiences: []string{"https://reeve.example.org"}, Standing: standing})
	if w.r, err = OpenRegistry(t.Context(), db, nil); err != nil {
		t.Fatal(err)
	}
	desk := enrol.New(enrol.Options{DB: db, CA: w.ca, Keys: keys, Verifier: v, Agents: w.agents})
	w.s = New(Options{Registry: w.r, Desk: desk, CA: w.ca, Keys: keys, Verifier: v, Agents: w.agents, Standing: standing, Life: life})
	l, err := net.Listen("unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	if w.self, err = inspect(int32(os.Getpid()), uint32(os.Getuid()), uint32(os.Getgid())); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) register(t *testing.T) {
	t.Helper()
	uid := w.self.UID
	if _, err := w.r.Add(t.Context(), "ada", "billing", Selectors{UID: &uid, Exe: w.self.Exe}, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) option() workloadapi.ClientOption {
	return workloadapi.WithAddr("unix://" + w.socket)
}

// The reference client fetches, sees rotations at half life while calls through
// a TLS server go on without one failing, and loses its identity when the agent
// is stopped.
func TestGoSpiffe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4*time.Second)
	w.register(t)
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClientOptions(w.option()))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	first, err := source.GetX509SVID()
	if err != nil || !strings.HasPrefix(first.ID.String(), "spiffe://example.org/agent/billing/i-") {
		t.Fatalf("%v, %v", first, err)
	}
	// Both ends use what rotates; each call is a new handshake.
	l, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(first.ID)))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write([]byte("ok")) }), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }()
	defer func() { _ = srv.Close(); <-served }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(first.ID))}, Timeout: 5 * time.Second}
	serials := map[string]bool{}
	calls := 0
	for len(serials) < 4 {
		if ctx.Err() != nil {
			t.Fatalf("%d certificates in time", len(serials))
		}
		resp, err := client.Get("https://" + l.Addr().String())
		if err != nil {
			t.Fatalf("call %d failed with %d certificates seen: %v", calls, len(serials), err)
		}
		_ = resp.Body.Close()
		serials[resp.TLS.PeerCertificates[0].SerialNumber.String()] = true
		calls++
	}
	now, err := source.GetX509SVID()
	if err != nil || now.ID != first.ID {
		t.Errorf("the instance changed with the certificate: %v, %v", now, err)
	}
	t.Logf("%d calls over %d certificates", calls, len(serials))

	jwts, err := workloadapi.NewJWTSource(ctx, workloadapi.WithClientOptions(w.option()))
	if err != nil {
		t.Fatal(err)
	}
	defer jwts.Close()
	j, err := jwts.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "https://api.example.org"})
	if err != nil || j.ID != first.ID {
		t.Fatalf("%v, %v", j, err)
	}
	if _, err := jwtsvid.ParseAndValidate(j.Marshal(), jwts, []string{"https://api.example.org"}); err != nil {
		t.Error(err)
	}
	c, err := workloadapi.New(ctx, w.option())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.ValidateJWTSVID(ctx, j.Marshal(), "https://api.example.org"); err != nil || got.ID != first.ID {
		t.Errorf("%v, %v", got, err)
	}
	for name, tc := range map[string][2]string{"another audience": {j.Marshal(), "x"}, "words": {"a.b.c", "https://api.example.org"}} {
		if _, err := c.ValidateJWTSVID(ctx, tc[0], tc[1]); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "a", ExtraAudiences: []string{"b"}}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("two audiences: %v", err)
	}
	bundles, err := c.FetchX509Bundles(ctx)
	if err != nil || !bundles.Has(spiffeid.RequireTrustDomainFromString("example.org")) {
		t.Errorf("%v, %v", bundles, err)
	}
	// A new root reaches the stream by itself.
	if err := w.ca.Rotate(false); err != nil {
		t.Fatal(err)
	}
	td := spiffeid.RequireTrustDomainFromString("example.org")
	for {
		b, err := source.GetX509BundleForTrustDomain(td)
		if err == nil && len(b.X509Authorities()) == 2 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal("the new root did not come")
		case <-source.Updated():
		}
	}

	watch := &watcher{denied: make(chan error, 1)}
	go func() { _ = c.WatchX509Context(ctx, watch) }()
	w.stop(fault.New(fault.KindDenied, "stop.agent", "stopped"))
	select {
	case err := <-watch.denied:
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("after a stop: %v", err)
		}
	case <-ctx.Done():
		t.Error("the stream of a stopped agent went on")
	}
	if _, err := c.ValidateJWTSVID(ctx, j.Marshal(), "https://api.example.org"); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a stopped agent asks: %v", err)
	}
}

type watcher struct {
	updates atomic.Int64
	denied  chan error
}

func (w *watcher) OnX509ContextUpdate(*workloadapi.X509Context) { w.updates.Add(1) }

func (w *watcher) OnX509ContextWatchError(err error) {
	select {
	case w.denied <- err:
	default:
	}
}

// Nobody gets anything without the header, a registration that fits, and being
// the process that connected.
func TestDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	conn, err := grpc.NewClient("unix://"+w.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	api := pb.NewSpiffeWorkloadAPIClient(conn)
	fetch := func(ctx context.Context) codes.Code {
		_, err := api.FetchJWTSVID(ctx, &pb.JWTSVIDRequest{Audience: []string{"x"}})
		return status.Code(err)
	}
	stream := func(ctx context.Context) codes.Code {
		s, err := api.FetchX509SVID(ctx, &pb.X509SVIDRequest{})
		if err == nil {
			_, err = s.Recv()
		}
		return status.Code(err)
	}
	with := metadata.AppendToOutgoingContext(t.Context(), "workload.spiffe.io", "true")
	if c := fetch(with); c != codes.PermissionDenied {
		t.Errorf("not registered: %v", c)
	}
	if c := stream(with); c != codes.PermissionDenied {
		t.Errorf("stream, not registered: %v", c)
	}
	other := w.self.UID + 1
	for name, s := range map[string]Selectors{
		"another user":       {UID: &other, Exe: w.self.Exe},
		"another executable": {Exe: strings.Repeat("0", 64)},
		"another cgroup":     {Cgroup: "/other.slice", Exe: w.self.Exe},
		"another parent":     {Parent: &Parent{PID: w.self.PID, Start: w.self.Start + 1}},
	} {
		if _, err := w.r.Add(t.Context(), "ada", "billing", s, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if c := fetch(with); c != codes.PermissionDenied {
			t.Errorf("%s: %v", name, c)
		}
	}
	parent, err := w.r.Add(t.Context(), "ada", "billing", Selectors{Parent: &w.self.Ancestors[0]}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if c := fetch(with); c != codes.OK {
		t.Errorf("registered: %v", c)
	}
	for name, ctx := range map[string]context.Context{
		"no header":  t.Context(),
		"other":      metadata.AppendToOutgoingContext(t.Context(), "workload.spiffe.io", "false"),
		"two values": metadata.AppendToOutgoingContext(with, "workload.spiffe.io", "true"),
	} {
		if c := fetch(ctx); c != codes.PermissionDenied {
			t.Errorf("%s: %v", name, c)
		}
		if c := stream(ctx); c != codes.PermissionDenied {
			t.Errorf("stream, %s: %v", name, c)
		}
	}
	if err := w.r.Remove(t.Context(), "ada", "billing", parent.ID); err != nil {
		t.Fatal(err)
	}
	if c := fetch(with); c != codes.PermissionDenied {
		t.Errorf("removed: %v", c)
	}
	if err := w.r.Remove(t.Context(), "ada", "billing", parent.ID); fault.From(err).Code != "workload.not_found" {
		t.Errorf("twice: %v", err)
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	uid := uint32(5)
	for name, s := range map[string]Selectors{
		"nothing":        {},
		"a user alone":   {UID: &uid},
		"short digest":   {Exe: "abcd"},
		"upper digest":   {Exe: strings.Repeat("A", 64)},
		"root cgroup":    {Cgroup: "/"},
		"cgroup, dots":   {Cgroup: "/a/../b"},
		"cgroup, no /":   {Cgroup: "a"},
		"init":           {Parent: &Parent{PID: 1, Start: 1}},
		"parent, no age": {Parent: &Parent{PID: 7}},
	} {
		if err := s.check(); fault.From(err).Code != "workload.invalid" {
			t.Errorf("%s: %v", name, err)
		}
		if s.fit(Process{UID: 5, Ancestors: []Parent{{1, 1}}}) {
			t.Errorf("%s fits", name)
		}
	}
	p := Process{UID: 5, Exe: strings.Repeat("a", 64), Cgroup: "/system.slice/billing.service/x"}
	for cgroup, ok := range map[string]bool{"/system.slice/billing.service": true, "/system.slice/billing": false, "/system.slice/billing.service/x": true, "/x": false} {
		if got := (Selectors{Cgroup: cgroup}).fit(p); got != ok {
			t.Errorf("%s fits: %v", cgroup, got)
		}
	}
}

// A process whose name tries to look like stat's fields is read right, a child
// descends from us, and a dead one is refused.
func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	evil := filepath.Join(dir, "a) R 1 1 (b")
	if err := os.WriteFile(evil, raw, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(evil, "30")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := inspect(int32(cmd.Process.Pid), 0, 0)
	self, selfErr := Self()
	if err != nil || selfErr != nil || len(p.Ancestors) < 2 || p.Ancestors[1] != self || p.Start < self.Start {
		t.Errorf("%+v, %v, %v", p, err, selfErr)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := inspect(int32(cmd.Process.Pid), 0, 0); err == nil {
		t.Error("a process that is gone was attested")
	}
}

func TestExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	at := time.Now()
	w.r.now = func() time.Time { return at }
	if _, err := w.r.Add(t.Context(), "ada", "billing", Selectors{Exe: w.self.Exe}, at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := w.r.agents(w.self); len(got) != 1 {
		t.Errorf("%v", got)
	}
	at = at.Add(time.Minute)
	if got := w.r.agents(w.self); len(got) != 0 {
		t.Errorf("after its end: %v", got)
	}
	if err := w.r.tidy(t.Context()); err != nil || len(w.r.entries) != 0 {
		t.Errorf("%d kept, %v", len(w.r.entries), err)
	}
	if _, err := w.r.Add(t.Context(), "ada", "billing", Selectors{Exe: w.self.Exe}, at.Add(-time.Second)); fault.From(err).Code != "workload.invalid" {
		t.Errorf("ended already: %v", err)
	}
}
