package app

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/budget"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/mcp"
	"reeve/internal/identity/oidc"
	"reeve/internal/outcome"
	"reeve/internal/pin"
	"reeve/internal/siem"
	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

// Config is everything an operator may set. Each value comes from, weakest
// first: the default, the file (--config), the environment (REEVE_ and the
// key's path in capitals, REEVE_LOG_LEVEL), the flag. Unknown keys are errors.
//
// The `doc` tag is the manual: `reeve config show` and docs/configuration.md
// are made from it.
type Config struct {
	Data           string               `yaml:"data" flag:"data" doc:"Folder that holds all state. One process at a time."`
	Dev            bool                 `yaml:"dev" flag:"dev" doc:"Open API and intake on loopback without a token, for trying out. Any other address is refused."`
	Listen         string               `yaml:"listen" flag:"listen" doc:"Console, API and all HTTP intake. Empty switches it off."`
	GatewayListen  string               `yaml:"gateway_listen" flag:"gateway-listen" doc:"The door (gateway): what agents call, and where they get their identity. Empty switches it off."`
	ExtAuthzListen string               `yaml:"ext_authz_listen" flag:"ext-authz-listen" doc:"Envoy's external authorization over gRPC, for proxies that ask here. Off loopback it needs TLS, and each proxy a token. Empty, the default, switches it off."`
	OTLPGRPCListen string               `yaml:"otlp_grpc_listen" flag:"otlp-grpc-listen" doc:"OTLP over gRPC. Empty switches it off."`
	OTLPHTTPListen string               `yaml:"otlp_http_listen" flag:"otlp-http-listen" doc:"OTLP over HTTP. Empty switches it off; /v1/* on listen stays."`
	Hosts          []string             `yaml:"hosts" doc:"Further host names by which browsers and agents reach the listeners; loopback names always work."`
	TrustedProxies []string             `yaml:"trusted_proxies" doc:"Addresses or networks (10.0.0.5, 10.1.0.0/24) of reverse proxies in front of listen: for whom they ask, by X-Forwarded-For, counts where feedback pages and links are limited by address; what others say does not. They must add the address that they saw to that header."`
	TLS            TLSConfig            `yaml:"tls" doc:"Certificate for all listeners; needed for any address off loopback."`
	Gateway        GatewayConfig        `yaml:"gateway" doc:"The door."`
	Identity       IdentityConfig       `yaml:"identity" doc:"The authority that gives agents their identity."`
	OIDC           []oidc.Provider      `yaml:"oidc" doc:"Providers that people sign in with by OpenID Connect; docs/people.md tells their keys."`
	Log            LogConfig            `yaml:"log" doc:"Messages on stderr."`
	Intake         IntakeConfig         `yaml:"intake" doc:"Limits on what senders may send."`
	Activity       BusConfig            `yaml:"activity" doc:"The activity log between intake and store."`
	Runs           RunsConfig           `yaml:"runs" doc:"When a run counts as ended."`
	Store          StoreConfig          `yaml:"store" doc:"How long telemetry stays."`
	Prices         PricesConfig         `yaml:"prices" doc:"What models cost."`
	Limits         budget.Config        `yaml:"limits" doc:"Limits of the door beside budgets and policies."`
	Vault          upstream.VaultConfig `yaml:"vault" doc:"HashiCorp Vault, for upstreams whose credential lies there."`
	Approvals      approval.Config      `yaml:"approvals" doc:"Actions that wait for a person; docs/approvals.md."`
	Policies       PolicyConfig         `yaml:"policies" doc:"Who may do what."`
	Tools          pin.Config           `yaml:"tools" doc:"The tools of MCP servers."`
	MCP            mcp.Config           `yaml:"mcp" doc:"MCP servers that are processes of this host."`
	Invoke         []InvokeConfig       `yaml:"invoke" doc:"Agents that are invoked for tests by a command of this host; docs/experiments.md tells their keys."`
	Connections    connection.Config    `yaml:"connections" doc:"Upstreams that are called with tokens of their authorization servers; docs/mcp.md."`
	Audit          AuditConfig          `yaml:"audit" doc:"The record of decisions and changes."`
	Channels       ChannelsConfig       `yaml:"channels" doc:"Where people are told; docs/oncall.md."`
	Responses      ResponsesConfig      `yaml:"responses" doc:"What follows from findings without a person; docs/response.md."`
	Standard       StandardConfig       `yaml:"standard" doc:"The standard that agents keep to."`
	Outcomes       outcome.Config       `yaml:"outcomes" doc:"When runs are settled; docs/outcomes.md."`
	KPIs           KPIConfig            `yaml:"kpis" doc:"Where KPIs are sent to besides /metrics."`
	Shutdown       time.Duration        `yaml:"shutdown" doc:"How long a stop may take before what is left is dropped."`
	Backup         BackupConfig         `yaml:"backup" doc:"Copies of everything; docs/backup.md."`
	Relay          RelayConfig          `yaml:"relay" doc:"Where telemetry is forwarded to; docs/relay.md."`
	SIEM           []siem.Config        `yaml:"siem" doc:"Where decisions and changes stream to; docs/audit.md tells the keys."`
}

// TLSConfig names PEM files.
type TLSConfig struct {
	Cert string `yaml:"cert" doc:"Certificate chain, PEM."`
	Key  string `yaml:"key" doc:"Private key, PEM."`
}

// GatewayConfig shapes the door.
type GatewayConfig struct {
	TLS string `yaml:"tls" doc:"Where the door's own certificate comes from: auto (the built-in authority), files (tls.cert and tls.key), off (loopback only). Empty: files when they are given, else off."`
}

// tls is where the door's certificate comes from: auto, files or off.
func (c *Config) gatewayTLS() string {
	switch {
	case c.Gateway.TLS != "":
		return c.Gateway.TLS
	case c.TLS.Cert != "":
		return "files"
	}
	return "off"
}

// IdentityConfig shapes the authority.
type IdentityConfig struct {
	TrustDomain    string   `yaml:"trust_domain" doc:"SPIFFE trust domain of this installation. It is in every identity and cannot change once the authority was made."`
	Issuer         string   `yaml:"issuer" doc:"URL by which agents reach the door from outside; it is iss in our tokens. Empty: the door's own address."`
	PassphraseFile string   `yaml:"passphrase_file" doc:"File outside the data folder that holds the passphrase of the authority's keys. Empty: the systemd credential reeve-passphrase, else the environment variable REEVE_IDENTITY_PASSPHRASE, else the keys are protected by the file's rights only."`
	RootCert       string   `yaml:"root_cert" doc:"PEM file of a root brought from outside (EC P-256, may sign authorities). Empty: the authority makes its own. Another one here is a rotation."`
	RootKey        string   `yaml:"root_key" doc:"PEM file (PKCS #8) of its key. It is taken over, sealed like the others."`
	WorkloadSocket string   `yaml:"workload_socket" doc:"Unix socket of the SPIFFE Workload API for processes of this host, such as /run/reeve/workload.sock. Empty switches it off."`
	Proxies        []string `yaml:"proxies" doc:"Addresses or networks (10.0.0.5, 10.1.0.0/24) of proxies that end TLS before the door: what they say in proxy_header about the client's certificate counts, from nobody else. They must take that header out of what clients send."`
	ProxyHeader    string   `yaml:"proxy_header" doc:"The one header in which they say it: Client-Cert (RFC 9440) or X-Forwarded-Client-Cert (Envoy, with cert: true)."`
	CRLURL         string   `yaml:"crl_url" doc:"Plain http URL under which you publish the door's /crl, put into certificates. Empty: the door itself where it speaks plain http, else none; the list is at /crl in any case."`
}

// LogConfig shapes the log.
type LogConfig struct {
	Level  string `yaml:"level" doc:"debug, info, warn or error."`
	Format string `yaml:"format" doc:"text or json."`
}

// IntakeConfig limits senders.
type IntakeConfig struct {
	MaxBody      Bytes `yaml:"max_body" doc:"Largest request after decompression."`
	MaxAttribute Bytes `yaml:"max_attribute" doc:"Largest single attribute or content; longer ones are cut and flagged."`
	InFlight     Bytes `yaml:"in_flight" doc:"Bytes of requests being worked on at once; more get 429."`
}

// BusConfig sizes the activity log.
type BusConfig struct {
	MaxBytes   Bytes  `yaml:"max_bytes" doc:"Size of the log between intake and store; at 80 % senders get 429."`
	Durability string `yaml:"durability" doc:"process (survives kill -9) or disk (also survives power loss; slower)."`
}

// RunsConfig decides when runs end.
type RunsConfig struct {
	Quiet    time.Duration `yaml:"quiet" doc:"A run whose root ended is done after this long without a new step."`
	Deadline time.Duration `yaml:"deadline" doc:"A run without an ended root is stale after this long without a new step."`
}

// AuditConfig shapes the audit log.
type AuditConfig struct {
	WitnessFile   string        `yaml:"witness_file" doc:"File outside the data folder, best on another machine, to which checkpoints are appended each second. Without a witness the removal of the newest records cannot be seen."`
	WitnessURL    string        `yaml:"witness_url" doc:"URL to which checkpoints are POSTed as JSON, at most every 10 s."`
	KeyOverlap    time.Duration `yaml:"key_overlap" doc:"How long the old key signs beside the new one after reeve audit rotate."`
	DecisionsAge  time.Duration `yaml:"decisions_max_age" doc:"Records of decisions older than this are dropped; their hashes stay. 0 keeps them for good."`
	DecisionsBody time.Duration `yaml:"decisions_content_max_age" doc:"Content that decisions commit to (the request that was decided) is dropped after this; 0 keeps it as long as the records."`
}

// ChannelsConfig bounds what channels may reach.
type ChannelsConfig struct {
	AllowPrivate bool `yaml:"allow_private" doc:"Let channels reach private addresses and this host, such as a mail relay inside the house. Those where a cloud hands out credentials are never reached."`
}

// ResponsesConfig bounds what follows from findings.
type ResponsesConfig struct {
	AgentsPerHour       int  `yaml:"agents_per_hour" doc:"How many agents response policies may contain in an hour without a person; beyond it people decide."`
	FeedbackFirst       bool `yaml:"feedback_first" doc:"An incident that users' feedback is part of can be resolved only when as many are content again as before."`
	AgentsPerHourOfTeam int  `yaml:"agents_per_hour_of_team" doc:"How many of those may be of one team, so that its trouble leaves some to the others."`
}

// StandardConfig names the standard that agents keep to.
type StandardConfig struct {
	File string `yaml:"file" doc:"YAML of the standard that agents keep to; it replaces the embedded one, which reeve standard show prints."`
}

// StoreConfig bounds the telemetry store.
type StoreConfig struct {
	MaxAge        time.Duration `yaml:"max_age" doc:"Telemetry older than this is dropped by whole days. 0 keeps all."`
	MaxBytes      Bytes         `yaml:"max_bytes" doc:"Above this the oldest days are dropped. 0 means no limit."`
	ContentMaxAge time.Duration `yaml:"content_max_age" doc:"Messages, arguments and results may go earlier than the rest. 0: with the rest."`
}

// PricesConfig adds prices.
type PricesConfig struct {
	File string `yaml:"file" doc:"YAML with your own prices; they win over the embedded price book."`
}

// PolicyConfig adds policies.
type PolicyConfig struct {
	Dir string `yaml:"dir" doc:"Folder of policies as files, read at the start and within a second of a change: NAME.cedar, guardrails/NAME.cedar, teams/TEAM/NAME.cedar; NAME.observe.cedar to observe. Empty: none."`
}

// Bytes is a size; it reads "16MB", "4GiB" or a plain number.
type Bytes int64

// DefaultConfig is the configuration of a plain `reeve serve`.
func DefaultConfig() Config {
	return Config{
		Data:           "./reeve-data",
		Listen:         "127.0.0.1:7300",
		GatewayListen:  "127.0.0.1:7301",
		OTLPGRPCListen: "127.0.0.1:4317",
		OTLPHTTPListen: "127.0.0.1:4318",
		Log:            LogConfig{Level: "info", Format: "text"},
		Intake:         IntakeConfig{MaxBody: 16 << 20, MaxAttribute: 1 << 20, InFlight: 64 << 20},
		Activity:       BusConfig{MaxBytes: 4 << 30, Durability: "process"},
		Runs:           RunsConfig{Quiet: 5 * time.Second, Deadline: 30 * time.Minute},
		Limits:         budget.Defaults(),
		Responses:      ResponsesConfig{AgentsPerHour: 5, AgentsPerHourOfTeam: 3},
		Vault:          upstream.DefaultVault(),
		Approvals:      approval.Default(),
		Store:          StoreConfig{MaxAge: 90 * 24 * time.Hour},
		Outcomes:       outcome.Defaults(),
		Relay:          RelayConfig{MaxBytes: 1 << 30},
		Backup:         BackupConfig{Keep: 7},
		Shutdown:       20 * time.Second,
		Audit:          AuditConfig{KeyOverlap: 7 * 24 * time.Hour},
		Identity:       IdentityConfig{TrustDomain: "reeve.internal"},
	}
}

var units = []struct {
	suffix string
	factor int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

// ParseBytes reads a size.
func ParseBytes(s string) (Bytes, error) {
	t := strings.TrimSpace(s)
	factor := int64(1)
	for _, u := range units {
		if strings.HasSuffix(t, u.suffix) {
			t, factor = strings.TrimSpace(strings.TrimSuffix(t, u.suffix)), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(t, 64)
	if err != nil || n < 0 || n*float64(factor) > 1<<62 {
		return 0, fmt.Errorf("%q is no size; write 16MB, 4GiB or a number of bytes", s)
	}
	return Bytes(n * float64(factor)), nil
}

// UnmarshalYAML lets sizes be written with units.
func (b *Bytes) UnmarshalYAML(raw []byte) error {
	n, err := ParseBytes(strings.Trim(string(bytes.TrimSpace(raw)), `"'`))
	*b = n
	return err
}

// MarshalYAML writes the size with the largest unit that divides it.
func (b Bytes) MarshalYAML() ([]byte, error) { return []byte(b.String()), nil }

// String writes the size with the largest binary unit that divides it.
func (b Bytes) String() string {
	for i := 3; i >= 0; i-- {
		if u := units[i]; b != 0 && int64(b)%u.factor == 0 {
			return strconv.FormatInt(int64(b)/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Load reads the configuration: defaults, then the file (path "" reads none),
// then the environment through lookup, then flags (by their names).
func Load(path string, lookup func(string) (string, bool), flags map[string]string) (Config, error) {
	c := DefaultConfig()
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return c, fault.New(fault.KindInvalid, "config.unreadable", "cannot read the configuration file %s", path).WithCause(err).
				WithHint("check the path given by --config or REEVE_CONFIG")
		}
		if err := decodeYAML(raw, &c); err != nil {
			return c, fault.New(fault.KindInvalid, "config.invalid", "%s: %s", path, yaml.FormatError(err, false, true)).
				WithHint("`reeve config show` lists every key with its meaning")
		}
	}
	for _, f := range fields(&c) {
		name := EnvName(f.path)
		if v, ok := lookup(name); ok {
			if err := f.set(v); err != nil {
				return c, fault.New(fault.KindInvalid, "config.invalid", "%s: %v", name, err)
			}
		}
		if v, ok := flags[f.flag]; ok && f.flag != "" {
			if err := f.set(v); err != nil {
				return c, fault.New(fault.KindInvalid, "config.invalid", "--%s: %v", f.flag, err)
			}
		}
	}
	return c, c.Validate()
}

// elsewhere are the variables that are read by others than Load, or by commands.
var elsewhere = []string{
	"REEVE_CONFIG", "REEVE_TOKEN", "REEVE_SERVER", "REEVE_SESSION", "REEVE_AGENT", "REEVE_AGENT_KEY", "REEVE_DOOR", "REEVE_RUN",
	"REEVE_JOIN_TOKEN", "REEVE_PASSWORD", "REEVE_BACKUP_PASSPHRASE", "REEVE_IDENTITY_PASSPHRASE", "REEVE_ADMIN_TOKEN", "REEVE_NAME", "REEVE_NOTICE",
}

// CheckEnvironment refuses variables (NAME=value) that look like a setting and are
// none: one letter too many, or a name in a section that has no such key. Others that
// begin with REEVE_ are let be, since secrets that a file refers to may be called so.
func CheckEnvironment(environ []string) error {
	c := DefaultConfig()
	known, sections := map[string]bool{}, map[string]bool{}
	for _, name := range elsewhere {
		known[name] = true
	}
	var settings []string
	for _, f := range fields(&c) {
		name := EnvName(f.path)
		settings, known[name] = append(settings, name), true
		if section, _, ok := strings.Cut(f.path, "."); ok {
			sections[EnvName(section)+"_"] = true
		}
	}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if value == "" {
			continue // changes nothing anyhow
		}
		if !strings.HasPrefix(name, "REEVE_") || known[name] {
			continue
		}
		close, best := "", 3 // two letters
		if len(name) < len("REEVE_")+8 {
			best = 2 // of a short name one
		}
		for _, s := range settings {
			if d := distance(name, s, best); d < best {
				close, best = s, d
			}
		}
		within := false
		for s := range sections {
			within = within || strings.HasPrefix(name, s)
		}
		if close == "" && !within {
			continue
		}
		f := fault.New(fault.KindInvalid, "config.unknown_variable", "%s is no setting", name)
		if close != "" {
			return f.WithHint("is %s meant? `reeve config show` lists every variable", close)
		}
		return f.WithHint("`reeve config show` lists every variable; call what is not for Reeve otherwise")
	}
	return nil
}

// distance is how many letters must be put in, taken out or changed, most at most.
func distance(a, b string, most int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0]++
		for j := range len(b) {
			d := before
			if a[i] != b[j] {
				d = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], d
		}
	}
	return min(row[len(b)], most)
}

// decodeYAML reads strictly; a file of comments only changes nothing.
func decodeYAML(raw []byte, c *Config) error {
	var document any
	if err := yaml.Unmarshal(raw, &document); err == nil && document == nil {
		return nil // decoding "nothing" into a struct would clear its defaults
	}
	err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(c)
	if err == nil || strings.HasPrefix(err.Error(), "[") {
		return err // with line and column
	}
	// Durations and sizes read themselves, and the decoder does not say where.
	scratch := DefaultConfig()
	for _, f := range fields(&scratch) {
		if v, ok := valueAt(document, f.path).(string); ok {
			if e := f.set(v); e != nil {
				return fmt.Errorf("%s: %w", f.path, e)
			}
		}
	}
	return err
}

// valueAt is what a document has under a path like runs.quiet; nil when nothing is there.
func valueAt(document any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		m, ok := document.(map[string]any)
		if !ok {
			return nil
		}
		document = m[part]
	}
	return document
}

// Validate says what is wrong with the configuration, or nil.
func (c *Config) Validate() error {
	bad := func(format string, args ...any) *fault.Error {
		return fault.New(fault.KindInvalid, "config.invalid", format, args...)
	}
	if c.Data == "" {
		return bad("data: the folder must not be empty")
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return bad("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return bad("log.format: %q is neither text nor json", c.Log.Format)
	}
	if c.Activity.Durability != "process" && c.Activity.Durability != "disk" {
		return bad("activity.durability: %q is neither process nor disk", c.Activity.Durability)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return bad("tls: give both cert and key, or neither")
	}
	if c.Responses.AgentsPerHour < 1 || c.Responses.AgentsPerHour > 10_000 {
		return bad("responses.agents_per_hour: %d is not from 1 to 10000", c.Responses.AgentsPerHour)
	}
	if c.Responses.AgentsPerHourOfTeam < 1 || c.Responses.AgentsPerHourOfTeam > 10_000 {
		return bad("responses.agents_per_hour_of_team: %d is not from 1 to 10000", c.Responses.AgentsPerHourOfTeam)
	}
	if err := c.validateDoor(bad); err != nil {
		return err
	}
	if err := c.Outcomes.Validate(); err != nil {
		return err
	}
	if err := c.Limits.Validate(); err != nil {
		return err
	}
	if err := c.Approvals.Validate(); err != nil {
		return err
	}
	if c.Dev && len(c.MCP.Servers) > 0 {
		return bad("mcp.servers: in dev mode anybody on this host could run them")
	}
	if err := c.Connections.Validate(); err != nil {
		return err
	}
	for i := range c.Invoke {
		t := c.Invoke[i].target()
		if !agent.ValidName(t.Agent) {
			return bad("invoke: %q is no agent's name", t.Agent)
		}
		if err := t.Check(true); err != nil {
			return bad("invoke of %s: %v", t.Agent, err)
		}
	}
	if err := c.MCP.Validate(c.Data); err != nil {
		return err
	}
	if err := c.Backup.validate(); err != nil {
		return err
	}
	for _, l := range []struct {
		name string
		v    Bytes
		min  Bytes
	}{
		{"intake.max_body", c.Intake.MaxBody, 64 << 10},
		{"intake.max_attribute", c.Intake.MaxAttribute, 1 << 10},
		{"intake.in_flight", c.Intake.InFlight, c.Intake.MaxBody},
		{"activity.max_bytes", c.Activity.MaxBytes, 64 << 20},
		{"relay.max_bytes", c.Relay.MaxBytes, 16 << 20},
	} {
		if l.v < l.min {
			return bad("%s: %s is below the least useful value %s", l.name, l.v, l.min)
		}
	}
	if err := c.intakeLimits().Validate(); err != nil {
		return bad("intake: %s", fault.From(err).Message)
	}
	for _, d := range []struct {
		name string
		v    time.Duration
	}{
		{"store.max_age", c.Store.MaxAge},
		{"store.content_max_age", c.Store.ContentMaxAge},
		{"audit.decisions_max_age", c.Audit.DecisionsAge},
		{"audit.decisions_content_max_age", c.Audit.DecisionsBody},
		{"audit.key_overlap", c.Audit.KeyOverlap},
	} {
		if d.v < 0 {
			return bad("%s: %s is below zero", d.name, d.v)
		}
	}
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"runs.quiet", c.Runs.Quiet}, {"runs.deadline", c.Runs.Deadline}, {"shutdown", c.Shutdown}} {
		if d.v <= 0 {
			return bad("%s: must be above zero", d.name)
		}
	}
	for _, l := range c.listeners() {
		if *l.addr == "" {
			continue
		}
		host, port, err := net.SplitHostPort(*l.addr)
		if err != nil {
			return bad("%s: %q is no address; write host:port, like 127.0.0.1:7300", l.key, *l.addr)
		}
		if n, err := strconv.Atoi(port); err == nil && (n < 0 || n > 65535) {
			return bad("%s: the port of %q is not between 0 and 65535", l.key, *l.addr)
		}
		if isLoopback(host) {
			continue
		}
		if c.Dev {
			return fault.New(fault.KindDenied, "config.dev_off_loopback", "%s: --dev needs no token and therefore serves loopback only, not %q", l.key, *l.addr).
				WithHint("leave --dev away, or listen on 127.0.0.1")
		}
		if l.key == "gateway_listen" && c.gatewayTLS() == "auto" {
			continue
		}
		if c.TLS.Cert == "" || l.key == "gateway_listen" && c.gatewayTLS() == "off" {
			if l.key == "gateway_listen" {
				return fault.New(fault.KindDenied, "config.tls_needed", "%s: %q is reachable from other machines and needs TLS", l.key, *l.addr).
					WithHint("set gateway.tls to auto, or tls.cert and tls.key, or listen on 127.0.0.1 behind a proxy")
			}
			return fault.New(fault.KindDenied, "config.tls_needed", "%s: %q is reachable from other machines and needs TLS", l.key, *l.addr).
				WithHint("set tls.cert and tls.key, or listen on 127.0.0.1 behind a proxy")
		}
	}
	return nil
}

// validateDoor checks what belongs to the door and its identities.
func (c *Config) validateDoor(bad func(string, ...any) *fault.Error) error {
	switch c.gatewayTLS() {
	case "auto", "off":
	case "files":
		if c.TLS.Cert == "" {
			return bad("gateway.tls: files needs tls.cert and tls.key")
		}
	default:
		return bad("gateway.tls: %q is none of auto, files, off", c.Gateway.TLS)
	}
	if (c.Identity.RootCert == "") != (c.Identity.RootKey == "") {
		return bad("identity: give both root_cert and root_key, or neither")
	}
	if u := c.Identity.CRLURL; u != "" && (!strings.HasPrefix(u, "http://") || len(u) > 200) {
		return bad("identity.crl_url: %q is no http URL; certificates name a list that is fetched without TLS", u)
	}
	if _, err := c.proxies(); err != nil {
		return err
	}
	if _, err := networks("trusted_proxies", c.TrustedProxies); err != nil {
		return err
	}
	if c.Identity.Issuer == "" {
		return nil
	}
	u, err := url.Parse(c.Identity.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") ||
		u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return bad("identity.issuer: %q is no issuer; write https://reeve.example.org, without a slash at the end", c.Identity.Issuer)
	}
	return nil
}

type listenerKey struct {
	key  string
	addr *string
}

func (c *Config) listeners() []listenerKey {
	return []listenerKey{
		{"listen", &c.Listen},
		{"gateway_listen", &c.GatewayListen},
		{"ext_authz_listen", &c.ExtAuthzListen},
		{"otlp_grpc_listen", &c.OTLPGRPCListen},
		{"otlp_http_listen", &c.OTLPHTTPListen},
	}
}

// isLoopback is true for addresses that only this machine reaches. An empty
// host listens everywhere.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// EnvName is the environment variable of a configuration key.
func EnvName(path string) string {
	return "REEVE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// field is one settable value of a Config.
type field struct {
	path, flag, doc string
	value           reflect.Value
}

// fields lists the leaves of a Config in order.
func fields(c *Config) []field { return walk("", reflect.ValueOf(c).Elem()) }

func walk(prefix string, v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		t := v.Type().Field(i)
		path := prefix + t.Tag.Get("yaml")
		if t.Type.Kind() == reflect.Struct {
			out = append(out, walk(path+".", v.Field(i))...)
			continue
		}
		out = append(out, field{path: path, flag: t.Tag.Get("flag"), doc: t.Tag.Get("doc"), value: v.Field(i)})
	}
	return out
}

func (f field) set(s string) error {
	switch p := f.value.Addr().Interface().(type) {
	case *string:
		*p = s
	case *bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*p = b
	case *int64:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no whole number", s)
		}
		*p = n
	case *float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", s)
		}
		*p = n
	case *time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is no duration; write 90s, 15m or 720h", s)
		}
		*p = d
	case *Bytes:
		b, err := ParseBytes(s)
		if err != nil {
			return err
		}
		*p = b
	case *[]string:
		*p = nil
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*p = append(*p, part)
			}
		}
	default:
		return fmt.Errorf("a %T cannot be set from text", p)
	}
	return nil
}

// BindFlags defines the flags that `reeve serve` and `reeve demo` share and
// returns a function that lists those the user gave.
func BindFlags(fs *flag.FlagSet) func() map[string]string {
	c := DefaultConfig()
	for _, f := range fields(&c) {
		switch {
		case f.flag == "":
		case f.value.Kind() == reflect.Bool:
			fs.Bool(f.flag, false, f.doc)
		default:
			fs.String(f.flag, fmt.Sprint(f.value.Interface()), f.doc)
		}
	}
	return func() map[string]string {
		given := map[string]string{}
		fs.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
		return given
	}
}

// Show writes the configuration as YAML with the meaning of each key above it.
// The output is itself a valid configuration file.
func (c Config) Show(w io.Writer) error {
	group := ""
	for _, f := range fields(&c) {
		name, indent := f.path, ""
		if g, rest, ok := strings.Cut(f.path, "."); ok {
			if g != group {
				if _, err := fmt.Fprintf(w, "\n%s:\n", g); err != nil {
					return err
				}
				group = g
			}
			name, indent = rest, "  "
		}
		raw, err := yaml.MarshalWithOptions(f.value.Interface(), yaml.Flow(true))
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
		flagName := ""
		if f.flag != "" {
			flagName = ", --" + f.flag
		}
		if _, err := fmt.Fprintf(w, "%s# %s (%s%s)\n%s%s: %s\n", indent, f.doc, EnvName(f.path), flagName, indent, name, bytes.TrimSpace(raw)); err != nil {
			return err
		}
	}
	return nil
}

// proxies are who may tell the door whose certificate they saw.
func (c *Config) proxies() (p gateway.Proxies, err error) {
	bad := func(format string, args ...any) *fault.Error {
		return fault.New(fault.KindInvalid, "config.invalid", format, args...)
	}
	switch p.Header = http.CanonicalHeaderKey(c.Identity.ProxyHeader); p.Header {
	case "":
		p.Header = gateway.ClientCert
	case gateway.ClientCert, gateway.ForwardedClientCert:
	default:
		return p, bad("identity.proxy_header: %q is neither Client-Cert nor X-Forwarded-Client-Cert", c.Identity.ProxyHeader)
	}
	p.Addresses, err = networks("identity.proxies", c.Identity.Proxies)
	return p, err
}

// networks reads addresses and networks.
func networks(key string, texts []string) (out []netip.Prefix, err error) {
	for _, text := range texts {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			var one netip.Addr
			if one, err = netip.ParseAddr(text); err == nil {
				n = netip.PrefixFrom(one.Unmap().WithZone(""), one.Unmap().BitLen())
			}
		}
		if err != nil || n.Bits() == 0 || n.Masked() != n {
			return nil, fault.New(fault.KindInvalid, "config.invalid", "%s: %q is no address and no network such as 10.1.0.0/24", key, text)
		}
		out = append(out, n)
	}
	return out, nil
}

// InvokeConfig is how an agent is invoked for tests by a command. It is in the
// configuration alone: whoever writes it may run what they like on this host.
type InvokeConfig struct {
	Agent   string        `yaml:"agent"`
	Command []string      `yaml:"command"`
	Env     []string      `yaml:"env"`     // NAME=value, with {{door}} for the test's own address of the door
	Sandbox []string      `yaml:"sandbox"` // upstreams whose calls are made in tests
	Local   []string      `yaml:"local"`   // tools of its own that may run
	Timeout time.Duration `yaml:"timeout"`
}

func (c *InvokeConfig) target() experiment.Target {
	return experiment.Target{
		Agent: c.Agent, Kind: experiment.Command, Command: c.Command, Env: c.Env, Sandbox: c.Sandbox, Local: c.Local, TimeoutS: int(c.Timeout / time.Second),
	}
}
