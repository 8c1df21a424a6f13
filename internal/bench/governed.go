package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
)

// governed is a Reeve in a process of its own with agents that call through its
// door, and everything switched on that a call passes.
type governed struct {
	server  *Server
	cleanup func()
	api     *client.Client
	door    string
}

const (
	benchAgent = "bench-agent"
	benchModel = "gpt-4o-mini"
	// maxCallers bounds the agents that call.
	maxCallers = 64
)

func startGoverned(ctx context.Context, bin string, args []string) (*governed, error) {
	door, err := freeAddress()
	if err != nil {
		return nil, err
	}
	server, cleanup, err := tempServer(ctx, bin, "", append([]string{"--gateway-listen", door}, args...), io.Discard)
	if err != nil {
		return nil, err
	}
	return &governed{server: server, cleanup: cleanup, api: client.New("http://"+server.HTTP, ""), door: "http://" + door}, nil
}

// startConfigured is startGoverned with a configuration file that says yaml.
func startConfigured(ctx context.Context, bin, yaml string) (*governed, error) {
	dir, err := os.MkdirTemp("", "reeve-bench-")
	if err != nil {
		return nil, err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	file := filepath.Join(dir, "reeve.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		remove()
		return nil, err
	}
	g, err := startGoverned(ctx, bin, []string{"--config", file})
	if err != nil {
		remove()
		return nil, err
	}
	stop := g.cleanup
	g.cleanup = func() { stop(); remove() }
	return g, nil
}

func (g *governed) end() { g.cleanup() }

func callerName(i int) string {
	if i == 0 {
		return benchAgent
	}
	return fmt.Sprintf("%s-%d", benchAgent, i)
}

// settle registers upstreams, agents, policies, a budget and a content rule.
func (g *governed) settle(ctx context.Context, upstream string, policies, agents int) error {
	if _, err := g.api.CreateTeam(ctx, client.CreateTeamRequest{Name: "bench"}); err != nil {
		return err
	}
	for _, u := range []client.PutUpstreamRequest{
		{Name: "bench", Kind: "http", Routes: []client.Route{
			{Method: "GET", Path: "/1k", Effect: "read"}, {Method: "GET", Path: "/first", Effect: "read"}, {Method: "GET", Path: "/stream", Effect: "read"},
		}},
		{Name: "bench-model", Kind: "llm", Dialect: "openai"},
	} {
		u.URL, u.Team, u.Environment, u.AllowPrivate = upstream, "bench", "production", true
		if _, err := g.api.PutUpstream(ctx, u); err != nil {
			return err
		}
	}
	if err := g.agents(ctx, agents); err != nil {
		return err
	}
	for from := 0; from < policies; from += 100 {
		var b strings.Builder
		for i := from; i < min(policies, from+100); i++ {
			fmt.Fprintf(&b, "@id(\"p%d\") permit (principal == Agent::\"agent-%d\", action == Action::\"call_api\", resource in Upstream::\"up-%d\") when { resource.effect == Effect::\"read\" };\n", i, i, i%50)
		}
		if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{Name: fmt.Sprintf("bench-%d", from), Mode: "enforce", Cedar: b.String(), Reason: "measures the door"}); err != nil {
			return err
		}
	}
	// Real agents have rates of their own; these are measured.
	if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{
		Name: "read-only", Mode: "enforce", Reason: "measures the door", Revision: 1,
		Cedar: "@id(\"read\") @limit(\"100000000/m by agent\") permit (principal, action in [Action::\"call_tool\", Action::\"call_api\"], resource) when { resource.effect == Effect::\"read\" };\n" +
			"@id(\"models\") @limit(\"100000000/m by agent\") permit (principal, action == Action::\"call_model\", resource);",
	}); err != nil {
		return err
	}
	if _, err := g.api.PutBudget(ctx, client.PutBudgetRequest{Name: "bench", Scope: "team", Match: "bench", Unit: "calls", Limit: 1e9, Period: "day", Hard: true}); err != nil {
		return err
	}
	_, err := g.api.PutContentRule(ctx, client.PutContentRuleRequest{Name: "bench", Classes: []string{"secret", "pii"}, Action: "flag", Reason: "measures the door"})
	return err
}

// agents registers n agents; those that call are in production.
func (g *governed) agents(ctx context.Context, n int) error {
	var all errgroup.Group
	all.SetLimit(8)
	for i := range n {
		all.Go(func() error {
			name := callerName(i)
			if _, err := g.api.CreateAgent(ctx, client.CreateAgentRequest{Name: name, Team: "bench", Environment: "production", Purpose: "measures the door", Owner: "dev", Sponsor: "dev"}); err != nil {
				return err
			}
			if i >= maxCallers {
				return nil
			}
			_, err := g.api.PromoteAgent(ctx, client.PromoteAgentRequest{Name: name, To: "production", Reason: "measures the door", Ungated: true})
			return err
		})
	}
	return all.Wait()
}

// keys makes a key for each of the first n agents.
func (g *governed) keys(ctx context.Context, n int) ([]string, error) {
	out := make([]string, max(1, n))
	for i := range out {
		k, err := g.api.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: callerName(i), Label: "bench", ExpiresIn: "1d"})
		if err != nil {
			return nil, fmt.Errorf("making a key: %w", err)
		}
		out[i] = k.Key
	}
	return out, nil
}

// gatewayUpstream answers 1 kB at /1k and as a model, streams whose first piece
// comes at once, and at /stream a line each 20 ms until its reader goes away.
func gatewayUpstream() (base string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	body := []byte(strings.Repeat("x", 1024))
	answer := []byte(chatAnswer())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /1k", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body) // the proxy has gone away: nobody to tell
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		if strings.Contains(string(asked), `"stream":true`) {
			pieces(w, chatPieces)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
	mux.HandleFunc("GET /first", func(w http.ResponseWriter, _ *http.Request) { pieces(w, []string{"data: x\n\n", "data: y\n\n"}) })
	mux.HandleFunc("GET /stream", endless)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://" + l.Addr().String(), func() { _ = s.Close() }, nil
}

// chatAnswer is a whole answer of a model, of 1 kB.
func chatAnswer() string {
	const form = `{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"model":"` + benchModel + `","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":118,"total_tokens":330}}`
	text := strings.Repeat("Your order is on its way. ", 100)
	return fmt.Sprintf(form, text[:1024-len(form)+len("%s")])
}

var chatPieces = []string{
	`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","model":"` + benchModel + `","choices":[{"index":0,"delta":{"role":"assistant","content":"Your order "},"finish_reason":null}]}` + "\n\n",
	`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","model":"` + benchModel + `","choices":[{"index":0,"delta":{"content":"is on its way."},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
}

// pieces answers with a stream of two pieces, the second a little later.
func pieces(w http.ResponseWriter, list []string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i, p := range list {
		if i > 0 {
			time.Sleep(2 * time.Millisecond)
		}
		if _, err := io.WriteString(w, p); err != nil {
			return
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
			return
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
