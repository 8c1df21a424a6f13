package a2a_test

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2aclient"
	"github.com/a2aproject/a2a-go/v2/a2aclient/agentcard"
	sdkgrpc "github.com/a2aproject/a2a-go/v2/a2agrpc/v1"
	"github.com/a2aproject/a2a-go/v2/a2asrv"
	"github.com/a2aproject/a2a-go/v2/a2asrv/push"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/gateway"
	"reeve/internal/gateway/a2a"
	"reeve/internal/pin"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
	"reeve/internal/upstream"
)

// house is a door for peers with everything real around it but the log of
// decisions, which is kept in memory for the test to read.
type house struct {
	t         testing.TB
	db        *control.DB
	agents    *agent.Registry
	upstreams *upstream.Registry
	policies  *policy.Engine
	stops     *stop.Board
	pins      *pin.Book
	peers     *a2a.Protocol
	door      *gateway.Door
	url       string
	log       testkit.Decisions
	base      *testkit.House
}

// decisions are those that an agent proposed, as they were then.
func (h *house) decisions(agent string) []activity.Decision {
	return slices.DeleteFunc(h.log.Proposals(), func(d activity.Decision) bool { return d.Agent != agent })
}

// until waits for what another goroutine does.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 5000 {
		if is() {
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatalf("never came: %s", what)
}

const permitAll = testkit.PermitAll

type setup struct {
	gateway gateway.Options
	peers   a2a.Options
}

func newHouse(t testing.TB, change func(*house, *setup)) *house {
	t.Helper()
	base := testkit.NewHouse(t)
	h := &house{t: t, base: base, db: base.DB, agents: base.Agents, upstreams: base.Upstreams, policies: base.Policies, stops: base.Stops}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.pins, err = pin.New(t.Context(), pin.Options{DB: h.db})
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	h.url = "http://" + l.Addr().String()
	steps := gateway.NewSteps(base.Publish, slog.New(slog.DiscardHandler))
	s := &setup{
		gateway: gateway.Options{
			Agents: h.agents, Upstreams: h.upstreams, Policies: h.policies, Stops: h.stops, Decisions: &h.log, Steps: steps, Behaviour: base.Memory,
			Node: "n1", Logger: slog.New(slog.DiscardHandler),
		},
		peers: a2a.Options{
			Upstreams: h.upstreams, DB: h.db, Base: h.url, Pins: h.pins, Logger: slog.New(slog.DiscardHandler),
			Stopped: func(x a2a.Task) bool {
				return h.stops.Check(stop.Call{Agent: x.Agent, Upstream: x.Upstream, User: x.User, Team: x.Team}) != nil
			},
		},
	}
	if change != nil {
		change(h, s)
	}
	h.peers, err = a2a.New(t.Context(), s.peers)
	must(err)
	s.gateway.Protocols = append(s.gateway.Protocols, h.peers)
	h.door, err = gateway.New(s.gateway)
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{steps.Run, h.peers.Run, h.stops.Run} {
		all.Go(func() { _ = run(ctx) })
	}
	all.Go(func() { _ = h.door.Serve(ctx, l, gateway.Serving{Drain: time.Second}) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return h
}

func (h *house) permit(text string) {
	h.t.Helper()
	h.base.Permit(text)
}

func (h *house) agent(name string) string {
	h.t.Helper()
	return h.base.Agent(name)
}

func (h *house) key(name string) string {
	h.t.Helper()
	return h.base.Key(name)
}

const secret = "sk-peer-0123456789abcdef"

func (h *house) upstream(name, url string, peer *client.Peer) {
	h.t.Helper()
	if peer == nil {
		peer = &client.Peer{Effect: "write"}
	}
	if _, err := h.upstreams.Put(h.t.Context(), "ada", client.Upstream{
		Name: name, Kind: "a2a", URL: url, Team: "support", Environment: "production", AllowPrivate: true, Peer: peer,
		Credential: &client.Credential{Kind: "bearer", Source: "value", Value: secret},
	}); err != nil {
		h.t.Fatal(err)
	}
}

type answer struct {
	status   int
	header   http.Header
	body     string
	decision string
	problem  string
}

func (h *house) call(key, method, path, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), resp.Header.Get("X-Reeve-Decision"), resp.Header.Get("X-Reeve-Code")}
}

// rpc is a JSON-RPC call of 1.0.
func (h *house) rpc(key, upstream, method, params string) answer {
	h.t.Helper()
	return h.call(key, http.MethodPost, "/a2a/"+upstream, `{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":`+params+`}`,
		"A2A-Version", "1.0", "Content-Type", "application/json")
}

// peer is an agent made of the official Go library, which speaks all bindings at
// one address.
type peer struct {
	url   string
	mu    sync.Mutex
	heads []http.Header
	texts []string
	ended []sdk.TaskID
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	p := &peer{}
	card := &sdk.AgentCard{
		Name: "Refunds", Description: "Handles refunds", Version: "1.4.2",
		Capabilities:      sdk.AgentCapabilities{Streaming: true, PushNotifications: true, ExtendedAgentCard: true},
		DefaultInputModes: []string{"text/plain"}, DefaultOutputModes: []string{"text/plain"},
		Skills: []sdk.AgentSkill{{ID: "refund", Name: "Refund", Description: "Refund an order", Tags: []string{"payments"}}},
	}
	more := *card
	more.Description = "Handles refunds, and more for those it knows"
	handler := a2asrv.NewHandler(p, a2asrv.WithExtendedAgentCard(&more), a2asrv.WithTaskStore(taskstore.NewInMemory(&taskstore.InMemoryStoreConfig{Authenticator: func(context.Context) (string, error) { return "door", nil }})),
		a2asrv.WithPushNotifications(push.NewInMemoryStore(), push.NewHTTPPushSender(nil)))
	rpc := grpc.NewServer()
	sdkgrpc.NewHandler(handler).RegisterWith(rpc)
	mux := http.NewServeMux()
	mux.Handle("/rpc", a2asrv.NewJSONRPCHandler(handler))
	mux.Handle("/rest/", http.StripPrefix("/rest", a2asrv.NewRESTHandler(handler)))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.heads = append(p.heads, r.Header.Clone())
		p.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	p.url = "http://" + s.Listener.Addr().String()
	card.SupportedInterfaces = []*sdk.AgentInterface{
		sdk.NewAgentInterface(p.url+"/rpc", sdk.TransportProtocolJSONRPC),
		sdk.NewAgentInterface(p.url+"/rest", sdk.TransportProtocolHTTPJSON),
		sdk.NewAgentInterface(s.Listener.Addr().String(), sdk.TransportProtocolGRPC),
	}
	more.SupportedInterfaces = card.SupportedInterfaces
	mux.Handle(a2asrv.WellKnownAgentCardPath, a2asrv.NewStaticAgentCardHandler(card))
	s.Start()
	t.Cleanup(s.Close)
	return p
}

// Execute does what the message says.
func (p *peer) Execute(ctx context.Context, x *a2asrv.ExecutorContext) iter.Seq2[sdk.Event, error] {
	return func(yield func(sdk.Event, error) bool) {
		text := ""
		for _, part := range x.Message.Parts {
			text += part.Text()
		}
		p.mu.Lock()
		p.texts = append(p.texts, text)
		p.mu.Unlock()
		if text == "hello" {
			yield(sdk.NewMessageForTask(sdk.MessageRoleAgent, sdk.TaskInfo{ContextID: x.ContextID}, sdk.NewTextPart("hello yourself")), nil)
			return
		}
		if x.StoredTask == nil && !yield(sdk.NewSubmittedTask(x, x.Message), nil) {
			return
		}
		if !yield(sdk.NewStatusUpdateEvent(x, sdk.TaskStateWorking, nil), nil) {
			return
		}
		switch text {
		case "slow":
			<-ctx.Done()
			return
		case "ask":
			yield(sdk.NewStatusUpdateEvent(x, sdk.TaskStateInputRequired, sdk.NewMessageForTask(sdk.MessageRoleAgent, x, sdk.NewTextPart("which order?"))), nil)
			return
		}
		if !yield(sdk.NewArtifactEvent(x, sdk.NewTextPart("refunded: "+text), sdk.NewDataPart(map[string]any{"amount": 49.9}), sdk.NewRawPart([]byte{0xfb, 0xff, 1})), nil) {
			return
		}
		yield(sdk.NewStatusUpdateEvent(x, sdk.TaskStateCompleted, nil), nil)
	}
}

// Cancel ends a task.
func (p *peer) Cancel(_ context.Context, x *a2asrv.ExecutorContext) iter.Seq2[sdk.Event, error] {
	return func(yield func(sdk.Event, error) bool) {
		p.mu.Lock()
		p.ended = append(p.ended, x.TaskID)
		p.mu.Unlock()
		yield(sdk.NewStatusUpdateEvent(x, sdk.TaskStateCanceled, nil), nil)
	}
}

// keyed sends an agent key with every call of a client.
type keyed struct {
	a2aclient.PassthroughInterceptor
	key string
}

// Before implements a2aclient.CallInterceptor.
func (k keyed) Before(ctx context.Context, req *a2aclient.Request) (context.Context, any, error) {
	req.ServiceParams.Append("Authorization", "Bearer "+k.key)
	return ctx, nil, nil
}

// client is the official Go client, made from the card that the door serves.
func (h *house) client(t testing.TB, key, upstream string, binding sdk.TransportProtocol) *a2aclient.Client {
	t.Helper()
	card, err := agentcard.DefaultResolver.Resolve(t.Context(), h.url+"/a2a/"+upstream, agentcard.WithRequestHeader("Authorization", "Bearer "+key))
	if err != nil {
		t.Fatal(err)
	}
	c, err := a2aclient.NewFromCard(t.Context(), card, a2aclient.WithConfig(a2aclient.Config{PreferredTransports: []sdk.TransportProtocol{binding}}),
		sdkgrpc.WithGRPCTransport(grpc.WithTransportCredentials(insecure.NewCredentials())), a2aclient.WithCallInterceptors(keyed{key: key}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Destroy() })
	return c
}

func message(text string) *sdk.SendMessageRequest {
	return &sdk.SendMessageRequest{Message: sdk.NewMessage(sdk.MessageRoleUser, sdk.NewTextPart(text))}
}

func taskOf(t testing.TB, r sdk.SendMessageResult, err error) *sdk.Task {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	task, ok := r.(*sdk.Task)
	if !ok {
		t.Fatalf("answer is a %T", r)
	}
	return task
}
