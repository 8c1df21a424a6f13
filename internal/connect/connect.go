// Package connect knows how agents join, by what they are built with.
//
// What for: the page "Connect an agent", `reeve connect` and docs/connect.md say
// the same, because one table says it.
//
// Who calls it: api fills the table in for a server and a person; the test of
// this package writes the page of the manual.
//
// Promises: All is checked when it is read: every framework has parts, and names
// nothing that is not filled in. Fill changes nothing but its own answer. A
// value cannot break out of the place where it stands: names are checked.
//
// How it fails: connect.unknown for a framework that the table does not have,
// connect.invalid for a name that cannot stand in a snippet. A table that
// contradicts itself is a bug and fails its test.
//
// Start reading at Fill, and the table in frameworks.yaml.
package connect

import (
	_ "embed"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"reeve/internal/fault"
)

// Framework is one way to join.
type Framework struct {
	ID       string   `yaml:"id"`
	Title    string   `yaml:"title"`
	Group    string   `yaml:"group"`
	About    string   `yaml:"about"`
	Keys     []string `yaml:"keys"`     // intake, agent: what is made for it
	Waits    []string `yaml:"waits"`    // step, decision: what shows that it works
	Dialects []string `yaml:"dialects"` // what its spans are recognised as
	Upstream string   `yaml:"upstream"` // the dialect or kind of upstream that it needs
	Parts    []Part   `yaml:"parts"`
}

// Part is something to copy, and where to.
type Part struct {
	Title string `yaml:"title"`
	Text  string `yaml:"text"`
}

// Target is what snippets are filled in with.
type Target struct {
	Console, OTLP, Door string // addresses without a slash at the end; Door "" is off
	Key                 string // an intake key; "" where none is asked for
	AgentKey            string
	Agent, Environment  string
	Upstream            string // the one to use; "" is not there yet
}

//go:embed frameworks.yaml
var table []byte

var read = sync.OnceValues(func() ([]Framework, error) {
	var all []Framework
	return all, yaml.UnmarshalWithOptions(table, &all, yaml.Strict())
})

// All is the table in its order.
func All() ([]Framework, error) {
	all, err := read()
	if err != nil {
		return nil, fault.New(fault.KindInternal, "connect.table", "the table of frameworks cannot be read").WithCause(err)
	}
	return slices.Clone(all), nil
}

// Find is a framework by its id.
func Find(id string) (Framework, error) {
	all, err := All()
	if err != nil {
		return Framework{}, err
	}
	i := slices.IndexFunc(all, func(f Framework) bool { return f.ID == id })
	if i < 0 {
		return Framework{}, fault.New(fault.KindNotFound, "connect.unknown", "there is no framework %.40q", id).WithHint("`reeve connect` lists them; opentelemetry is for all others")
	}
	return all[i], nil
}

// named are what may stand in a shell, a YAML and a string of any language.
var named = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Check refuses names that cannot stand in a snippet.
func (t *Target) Check() error {
	for what, v := range map[string]string{"agent": t.Agent, "environment": t.Environment} {
		if !named.MatchString(v) {
			return fault.New(fault.KindInvalid, "connect.invalid", "%s: %.40q cannot stand in a snippet", what, v).
				WithHint("letters, digits, dots, - and _")
		}
	}
	return nil
}

// The names that stand for keys which are not made yet.
const (
	NoIntakeKey = "YOUR_INTAKE_KEY"
	NoAgentKey  = "YOUR_AGENT_KEY"
)

// Fill is a framework's parts for a target, with what has to be there first.
func (f *Framework) Fill(t Target) []Part {
	var out []Part
	if f.Upstream != "" && t.Upstream == "" {
		if p, ok := upstreams[f.Upstream]; ok {
			out = append(out, p)
		}
		t.Upstream = f.Upstream
	}
	host, port := t.OTLP, "4318"
	if u, err := url.Parse(t.OTLP); err == nil && u.Port() != "" {
		host, port = u.Scheme+"://"+u.Hostname(), u.Port()
	}
	anyKey := t.Key
	if anyKey == "" {
		anyKey = "any"
	}
	fill := strings.NewReplacer("{{CONSOLE}}", t.Console, "{{OTLP}}", t.OTLP, "{{OTLP_HOST}}", host, "{{OTLP_PORT}}", port, "{{DOOR}}", t.Door,
		"{{KEY}}", t.Key, "{{KEY_OR_ANY}}", anyKey, "{{AGENT_KEY}}", t.AgentKey, "{{AGENT}}", t.Agent, "{{ENVIRONMENT}}", t.Environment, "{{UPSTREAM}}", t.Upstream)
	for _, p := range f.Parts {
		text := p.Text
		if t.Key == "" {
			text = without(text, "{{KEY}}")
		}
		if text = strings.TrimRight(fill.Replace(text), "\n"); text != "" {
			out = append(out, Part{p.Title, text})
		}
	}
	return out
}

// without leaves lines out that hold word.
func without(text, word string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, word) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// upstreams say how what a framework needs is made, where it is not there.
var upstreams = map[string]Part{
	"openai":    model("openai", "https://api.openai.com", "OPENAI_API_KEY", ""),
	"anthropic": model("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", " --as header:x-api-key"),
	"azure":     model("azure", "https://NAME.openai.azure.com", "AZURE_OPENAI_API_KEY", " --as header:api-key"),
	"gemini":    model("gemini", "https://generativelanguage.googleapis.com", "GEMINI_API_KEY", " --as header:x-goog-api-key"),
	"bedrock":   {first, "reeve upstream set bedrock --kind llm --dialect bedrock --team TEAM \\\n    --url https://bedrock-runtime.REGION.amazonaws.com --credential file:/run/secrets/aws.json --as sigv4"},
	"mcp":       {first, "reeve upstream set mcp --kind mcp --team TEAM --url https://mcp.example.com/mcp --credential env:MCP_TOKEN\nreeve tool accept mcp --all --suggested --reason 'first look'"},
	"a2a":       {first, "reeve upstream set a2a --kind a2a --team TEAM --url https://peer.example.com --credential env:PEER_TOKEN\nreeve tool accept a2a a2a-card --effect write --reason 'first look'"},
	"http":      {first, "reeve upstream set http --kind http --team TEAM --url https://api.example.com --credential env:API_TOKEN \\\n    --route 'GET /v1/users/{id} read'"},
}

const first = "First, on the server: what the door forwards to"

func model(name, url, env, as string) Part {
	return Part{first, "reeve upstream set " + name + " --kind llm --dialect " + name + " --team TEAM \\\n    --url " + url + " --credential env:" + env + as}
}
