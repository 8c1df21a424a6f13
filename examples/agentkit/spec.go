package agentkit

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Spec is what one example agent is made of.
type Spec struct {
	Service     Service
	Dialect     Dialect
	Provider    string // openai or anthropic
	Model       string
	Stream      bool
	MaxTokens   int
	MaxTurns    int
	Description string
	System      string
	Mode        string
	Orders, KB  bool     // which tool servers it needs
	Tools       []string // which of their tools it may use
	// Reads names the data that a tool reads, by the tool; nil: none is known.
	Reads map[string]string
	// Task makes the next task; it gets a source of chance so that a fleet is
	// the same for the same seed.
	Task func(r *rand.Rand) Task
	// Every is the mean time between tasks of the running agent.
	Every time.Duration
}

// Env is where an agent finds its model, its tools and its telemetry endpoint.
type Env struct {
	OpenAIURL, OpenAIKey       string // base URL with /v1
	AnthropicURL, AnthropicKey string // base URL without /v1
	OrdersURL, KBURL           string
	OrdersKey, KBKey           string // shown to the servers there; "" none
	Setup                      SetupOptions
}

// EnvFromOS reads the standard variables; the defaults are the addresses of
// the model server and the tool servers of these examples.
func EnvFromOS() Env {
	get := func(name, def string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return def
	}
	return Env{
		OpenAIURL: get("OPENAI_BASE_URL", "http://127.0.0.1:8089/v1"), OpenAIKey: get("OPENAI_API_KEY", "unused"),
		AnthropicURL: get("ANTHROPIC_BASE_URL", "http://127.0.0.1:8089"), AnthropicKey: get("ANTHROPIC_API_KEY", "unused"),
		OrdersURL: get("ORDERS_MCP_URL", "http://127.0.0.1:8090/orders"), KBURL: get("KB_MCP_URL", "http://127.0.0.1:8090/kb"), KBKey: get("KB_MCP_KEY", ""),
		OrdersKey: get("ORDERS_MCP_KEY", ""),
	}
}

// Start connects an agent to its world. close flushes its telemetry.
func (s Spec) Start(ctx context.Context, e Env) (a *Agent, closeAgent func(context.Context) error, err error) {
	t, err := Setup(ctx, s.Service, s.Dialect.Scope(), e.Setup)
	if err != nil {
		return nil, nil, err
	}
	var servers []ToolServer
	if s.Orders {
		servers = append(servers, ToolServer{URL: e.OrdersURL, Key: e.OrdersKey})
	}
	if s.KB {
		servers = append(servers, ToolServer{URL: e.KBURL, Key: e.KBKey})
	}
	tools, err := ConnectTools(ctx, s.Service.Name, servers...)
	if err != nil {
		return nil, nil, errors.Join(err, t.Shutdown(ctx))
	}
	m := &Model{Provider: s.Provider, BaseURL: e.OpenAIURL, Key: e.OpenAIKey, Name: s.Model, MaxTokens: orDefault(s.MaxTokens, 1024), Stream: s.Stream}
	if s.Provider == "anthropic" {
		m.BaseURL, m.Key = e.AnthropicURL, e.AnthropicKey
	}
	a = &Agent{
		Name: s.Service.Name, ID: s.Service.Name + "-1", Version: s.Service.Version, Description: s.Description,
		System: s.System, Mode: s.Mode, Model: m, Tools: tools.Only(s.Tools...), Dialect: s.Dialect, Telemetry: t, MaxTurns: s.MaxTurns, Reads: s.Reads,
	}
	return a, func(ctx context.Context) error { return errors.Join(tools.Close(), t.Shutdown(ctx)) }, nil
}

// Main is the main function of an example: it works on tasks until it has done
// -count of them or is interrupted.
func Main(s Spec) {
	count := flag.Int("count", 1, "how many tasks; 0 goes on until interrupted")
	prompt := flag.String("task", "", "what to do, instead of a task of its own making")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the tasks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, *count, *prompt, *seed); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s Spec, count int, prompt string, seed uint64) (err error) {
	a, closeAgent, err := s.Start(ctx, EnvFromOS())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, closeAgent(ctx))
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	for i := 0; count == 0 || i < count; i++ {
		t := s.Task(r)
		if prompt != "" {
			t.Prompt = prompt
		}
		fmt.Println(">", t.Prompt)
		res, err := a.Run(ctx, t)
		if err != nil {
			return err
		}
		fmt.Println(res.Answer)
	}
	return nil
}
