package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity/workload"
)

func runCommands() []command {
	return []command{
		{name: "run", args: "[flags] --agent NAME -- CMD...", short: "run a process as an agent, behind the door", long: runHelp, run: runRun},
	}
}

const runHelp = `
CMD runs as the agent: what it calls at its model provider goes through the
door, what it tells by OpenTelemetry comes here, and both are known as one
session. The process gets a key that dies with it and never sees a provider's.

  reeve run --agent refund -- python agent.py

It sets OPENAI_BASE_URL, OPENAI_API_KEY, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY,
OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME, REEVE_DOOR, REEVE_AGENT, REEVE_AGENT_KEY
and REEVE_SESSION, and takes the keys of providers out of the environment. They
lead to this command, which adds the agent's own credential: the key in the
environment is good on this host and while this command lives. What is refused
or cut is told on stderr. The exit code is CMD's.

The address is one that is free; --listen gives it a fixed one, for clients whose
settings cannot take it from the environment. Claude Code asks before each tool
with the hooks of examples/points/claude-settings.json, which name this one:

  reeve run --agent NAME --listen 127.0.0.1:7391 -- claude --settings claude-settings.json`

// providerKeys are variables that would let a process call a provider past the
// door.
var providerKeys = []string{
	"OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_API_KEY",
	"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK",
	"GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "MISTRAL_API_KEY", "CODESTRAL_API_KEY", "COHERE_API_KEY", "CO_API_KEY",
	"GROQ_API_KEY", "TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "FIREWORKS_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY", "OPENROUTER_API_KEY", "PERPLEXITY_API_KEY", "PPLX_API_KEY",
	"HF_TOKEN", "HUGGINGFACE_API_KEY", "HUGGINGFACEHUB_API_TOKEN", "REPLICATE_API_TOKEN", "VOYAGE_API_KEY", "CEREBRAS_API_KEY", "NVIDIA_API_KEY", "AI21_API_KEY", "DATABRICKS_TOKEN",
	"WATSONX_APIKEY", "SAMBANOVA_API_KEY", "MOONSHOT_API_KEY", "DASHSCOPE_API_KEY", "ZHIPUAI_API_KEY", "JINA_API_KEY", "TAVILY_API_KEY",
	// Not a provider's: what lets a person act at Reeve is not the agent's.
	"REEVE_TOKEN", "REEVE_IDENTITY_PASSPHRASE",
}

// agentRun is one `reeve run`.
type agentRun struct {
	remote
	agent, door, session, run, openai, anthropic, socket string
	life, listen                                         string

	api     *client.Client
	l       net.Listener // of its proxy
	stderr  io.Writer
	undo    []func(context.Context)
	removed []string
}

func runRun(ctx context.Context, e env, c *command, args []string) error {
	a := agentRun{stderr: e.stderr}
	fs := c.flags(e)
	a.bind(fs)
	fs.StringVar(&a.agent, "agent", os.Getenv("REEVE_AGENT"), "`name` of the registered agent (REEVE_AGENT; needed)")
	fs.StringVar(&a.door, "door", "", "`address` of the door; empty: as the server says")
	fs.StringVar(&a.session, "session", "", "session that the calls belong to; empty: one of their own")
	fs.StringVar(&a.run, "run", "", "run that the calls belong to; empty: by trace")
	fs.StringVar(&a.openai, "openai", "", "`upstream` behind OPENAI_BASE_URL; empty: the first of dialect openai")
	fs.StringVar(&a.anthropic, "anthropic", "", "`upstream` behind ANTHROPIC_BASE_URL; empty: the first of dialect anthropic")
	fs.StringVar(&a.socket, "workload-socket", "", "also let CMD fetch SVIDs from the server's Workload API at this `path` of this host")
	fs.StringVar(&a.life, "life", "24h", "how long its key lives at most, should this command be killed")
	fs.StringVar(&a.listen, "listen", "127.0.0.1:0", "`address` on loopback that CMD's calls lead to; port 0: one that is free")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if at, err := netip.ParseAddrPort(a.listen); err != nil || !at.Addr().IsLoopback() {
		return fmt.Errorf("%w: --listen is an address on loopback, such as 127.0.0.1:7391", errUsage)
	}
	if a.agent == "" || len(list) == 0 {
		return fmt.Errorf("%w: name the agent and, after --, what to run (`reeve help run` lists what else there is)", errUsage)
	}
	path, err := exec.LookPath(list[0])
	if err != nil {
		return err
	}
	// Before a key is made that nobody could use.
	if a.l, err = net.Listen("tcp", a.listen); err != nil {
		return fault.New(fault.KindConflict, "cli.listen", "--listen: cannot listen on %s", a.listen).WithCause(err).
			WithHint("another `reeve run` may be there; give each its own port")
	}
	defer func() { _ = a.l.Close() }() // closed already once the proxy served on it
	// Ctrl-C is the child's; what was made for it is undone after it.
	ctx = context.WithoutCancel(ctx)
	a.api = a.client()
	defer a.end(ctx)
	proxy, err := a.prepare(ctx)
	if err != nil {
		return err
	}
	return a.exec(path, list, proxy)
}

// prepare makes what CMD needs.
func (a *agentRun) prepare(ctx context.Context) (*runProxy, error) {
	host, _ := os.Hostname() // only for the label
	key, err := a.api.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: a.agent, Label: fmt.Sprintf("reeve run on %s, process %d", host, os.Getpid()), ExpiresIn: a.life})
	if err != nil {
		return nil, err
	}
	a.undo = append(a.undo, func(ctx context.Context) {
		if err := a.api.RevokeAgentKey(ctx, client.AgentKeyRequest{Name: a.agent, ID: key.ID}); err != nil {
			fmt.Fprintf(a.stderr, "reeve: key %s could not be revoked: %v\n", key.ID, err)
		}
	})
	authority, err := a.api.GetAuthority(ctx)
	if err != nil {
		return nil, err
	}
	if a.door == "" {
		a.door = authority.Issuer
	}
	if a.session == "" {
		a.session = "run-" + strings.ToLower(rand.Text()[:16])
	}
	if err := a.chooseUpstreams(ctx); err != nil {
		return nil, err
	}
	p, err := newRunProxy(a, key.Key, a.intakeKey(ctx), authority)
	if err != nil {
		return nil, err
	}
	a.undo = append(a.undo, p.close)
	if a.socket != "" {
		return p, a.registerWorkload(ctx)
	}
	return p, nil
}

// chooseUpstreams finds what the base URLs lead to when no flag says so.
func (a *agentRun) chooseUpstreams(ctx context.Context) error {
	if a.openai != "" && a.anthropic != "" {
		return nil
	}
	list, err := a.api.ListUpstreams(ctx)
	if err != nil {
		return err
	}
	for _, u := range list.Items {
		switch {
		case u.Kind != "llm":
		case u.Dialect == "openai" && a.openai == "":
			a.openai = u.Name
		case u.Dialect == "anthropic" && a.anthropic == "":
			a.anthropic = u.Name
		}
	}
	return nil
}

// intakeKey is a key for the child's telemetry, or "" where none is needed or
// none may be made: the agent can work without.
func (a *agentRun) intakeKey(ctx context.Context) string {
	g, err := a.api.GetAgent(ctx, client.AgentRequest{Name: a.agent})
	if err != nil {
		return ""
	}
	k, err := a.api.CreateIntakeKey(ctx, client.CreateIntakeKeyRequest{Name: "reeve run of " + a.agent, Team: g.Team, Environment: g.Environment, ExpiresIn: a.life})
	if err != nil {
		fmt.Fprintf(a.stderr, "reeve: no intake key (%v): telemetry is sent without\n", err)
		return ""
	}
	a.undo = append(a.undo, func(ctx context.Context) {
		if err := a.api.RevokeIntakeKey(ctx, client.IDRequest{ID: k.Key.ID}); err != nil {
			fmt.Fprintf(a.stderr, "reeve: intake key %s could not be revoked: %v\n", k.Key.ID, err)
		}
	})
	return k.Secret
}

// registerWorkload lets what descends from this process be the agent at the
// Workload API.
func (a *agentRun) registerWorkload(ctx context.Context) error {
	self, err := workload.Self()
	if err != nil {
		return err
	}
	uid := int64(os.Getuid())
	w, err := a.api.CreateWorkload(ctx, client.CreateWorkloadRequest{Name: a.agent, UID: &uid, ParentPID: int64(self.PID), ParentAge: self.Start, ExpiresIn: a.life})
	if err != nil {
		return err
	}
	a.undo = append(a.undo, func(ctx context.Context) {
		if err := a.api.DeleteWorkload(ctx, client.AgentItemRequest{Name: a.agent, ID: w.ID}); err != nil {
			fmt.Fprintf(a.stderr, "reeve: workload %s could not be removed: %v\n", w.ID, err)
		}
	})
	return nil
}

func (a *agentRun) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, f := range slices.Backward(a.undo) {
		f(ctx)
	}
}

// environment is the child's: ours, less the keys of providers, and pointing
// here.
func (a *agentRun) environment(p *runProxy) []string {
	base := "http://" + p.address()
	set := map[string]string{
		"REEVE_DOOR": base, "REEVE_AGENT": a.agent, "REEVE_AGENT_KEY": p.local, "REEVE_SESSION": a.session,
		"OTEL_EXPORTER_OTLP_ENDPOINT": base, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20" + p.local,
	}
	if a.run != "" {
		set["REEVE_RUN"] = a.run
	}
	if a.openai != "" {
		set["OPENAI_BASE_URL"], set["OPENAI_API_KEY"] = base+"/llm/"+a.openai+"/v1", p.local
	}
	if a.anthropic != "" {
		set["ANTHROPIC_BASE_URL"], set["ANTHROPIC_API_KEY"] = base+"/llm/"+a.anthropic, p.local
	}
	if a.socket != "" {
		set["SPIFFE_ENDPOINT_SOCKET"] = "unix://" + a.socket
	}
	var out []string
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case slices.Contains(providerKeys, name):
			a.removed = append(a.removed, name)
			continue
		case strings.HasPrefix(name, "OTEL_EXPORTER_OTLP_"):
			continue // one for a signal would win over ours
		case name == "OTEL_SERVICE_NAME":
			set[name] = value
		case name == "OTEL_RESOURCE_ATTRIBUTES":
			set[name] = value + ","
			continue
		}
		if _, ok := set[name]; !ok {
			out = append(out, kv)
		}
	}
	if set["OTEL_SERVICE_NAME"] == "" {
		set["OTEL_SERVICE_NAME"] = a.agent
	}
	set["OTEL_RESOURCE_ATTRIBUTES"] += "session.id=" + a.session
	for name, value := range set {
		out = append(out, name+"="+value)
	}
	return out
}

// exec runs the child with the terminal, hands signals on and gives its code.
func (a *agentRun) exec(path string, list []string, p *runProxy) error {
	cmd := exec.Command(path, list[1:]...)
	cmd.Args[0] = list[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = a.environment(p)
	withParent(cmd)
	if len(a.removed) > 0 {
		slices.Sort(a.removed)
		fmt.Fprintf(a.stderr, "reeve: not given to %s: %s\n", filepath.Base(path), strings.Join(a.removed, ", "))
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGINT && onTerminal() {
				continue // the terminal sent it to the child too
			}
			_ = cmd.Process.Signal(s) // it may have ended meanwhile
		case err := <-done:
			return exitOf(err)
		}
	}
}

// exitOf is the child's exit code, or 128 and the signal that ended it, as
// shells say it.
func exitOf(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return exitCode(128 + int(s.Signal()))
	}
	return exitCode(exit.ExitCode())
}

// onTerminal reports whether this process reads from a terminal.
func onTerminal() bool {
	info, err := os.Stdin.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
