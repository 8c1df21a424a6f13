package app

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
	"reeve/internal/gateway/mcp"
	"reeve/internal/identity/oidc"
	"reeve/internal/siem"
)

var update = flag.Bool("update", false, "rewrite generated files")

func noEnv(string) (string, bool) { return "", false }

func TestLoadOrder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "reeve.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:1\nlog:\n  level: warn\nintake:\n  max_body: 32MiB\nruns:\n  quiet: 9s\nhosts: [reeve.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"REEVE_LISTEN": "127.0.0.1:2", "REEVE_LOG_LEVEL": "error", "REEVE_HOSTS": "a.example, b.example"}
	got, err := Load(file, func(k string) (string, bool) { v, ok := env[k]; return v, ok }, map[string]string{"listen": "127.0.0.1:3", "dev": "true"})
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Listen, want.Dev, want.Log.Level = "127.0.0.1:3", true, "error"
	want.Intake.MaxBody, want.Runs.Quiet = 32<<20, 9*time.Second
	want.Hosts = []string{"a.example", "b.example"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load: -want +got\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yaml  string
		flags map[string]string
		want  string
	}{
		"unknown key":         {yaml: "lissten: x\n", want: "lissten"},
		"unknown nested key":  {yaml: "log:\n  levle: info\n", want: "levle"},
		"bad duration":        {yaml: "runs:\n  quiet: soon\n", want: "soon"},
		"bad size":            {yaml: "intake:\n  max_body: big\n", want: "no size"},
		"bad level":           {yaml: "log:\n  level: loud\n", want: "log.level"},
		"no address":          {flags: map[string]string{"listen": "7300"}, want: "host:port"},
		"off loopback":        {flags: map[string]string{"listen": "0.0.0.0:7300"}, want: "needs TLS"},
		"every interface":     {flags: map[string]string{"otlp-http-listen": ":4318"}, want: "needs TLS"},
		"dev off loopback":    {flags: map[string]string{"listen": "10.0.0.1:7300", "dev": "true"}, want: "loopback only"},
		"half of tls":         {yaml: "tls:\n  cert: a.pem\n", want: "both cert and key"},
		"bad bool":            {flags: map[string]string{"dev": "perhaps"}, want: "neither true nor false"},
		"body above the most": {yaml: "intake:\n  max_body: 512MiB\n  in_flight: 1GiB\n", want: "max_body of"},
		"attribute over body": {yaml: "intake:\n  max_body: 1MiB\n  max_attribute: 2MiB\n", want: "max_attribute of"},
		"negative age":        {yaml: "store:\n  max_age: -24h\n", want: "store.max_age: -24h0m0s is below zero"},
		"negative content":    {yaml: "store:\n  content_max_age: -1h\n", want: "store.content_max_age"},
		"negative decisions":  {yaml: "audit:\n  decisions_max_age: -1h\n", want: "audit.decisions_max_age"},
		"negative bodies":     {yaml: "audit:\n  decisions_content_max_age: -1h\n", want: "audit.decisions_content_max_age"},
		"zero quiet":          {yaml: "runs:\n  quiet: 0s\n", want: "above zero"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "reeve.yaml")
			if err := os.WriteFile(file, []byte(c.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(file, noEnv, c.flags)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load(%q, %v) = %v, want an error with %q", c.yaml, c.flags, err, c.want)
			}
		})
	}
}

// A variable that looks like a setting and is none changes nothing, in silence.
func TestCheckEnvironment(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]string{
		"REEVE_LISSTEN=127.0.0.1:1":       "is REEVE_LISTEN meant?",
		"REEVE_STORE_MAXAGE=24h":          "is REEVE_STORE_MAX_AGE meant?",
		"REEVE_STORE_RETENTION=24h":       "reeve config show",
		"REEVE_INTAKE_MAX_BODYS=1MiB":     "is REEVE_INTAKE_MAX_BODY meant?",
		"REEVE_LISTEN=127.0.0.1:1":        "",
		"REEVE_STORE_MAX_AGE=24h":         "",
		"REEVE_TOKEN=rvt_x":               "",
		"REEVE_IDENTITY_PASSPHRASE=x":     "",
		"REEVE_BACKUP_PASSPHRASE=x":       "",
		"REEVE_OUR_OWN_SECRET=x":          "", // a file may refer to it
		"OTHER_LISSTEN=x":                 "",
		"REEVE_UPSTREAM_OPENAI_API_KEY=x": "",
	} {
		err := CheckEnvironment([]string{"PATH=/bin", v})
		f := fault.From(err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s is refused: %v", v, err)
		case want != "" && (err == nil || f.Code != "config.unknown_variable" || !strings.Contains(f.Hint, want)):
			t.Errorf("%s: %v (%s), want a hint with %q", v, err, f.Hint, want)
		}
	}
}

// What `reeve config show` prints must be a file that `reeve serve` accepts.
func TestShowIsAFile(t *testing.T) {
	t.Parallel()
	want := DefaultConfig()
	want.Hosts = []string{"reeve.example"}
	want.TLS = TLSConfig{Cert: "c.pem", Key: "k.pem"}
	want.OIDC = []oidc.Provider{{Name: "corp", Issuer: "https://login.example.com", ClientID: "reeve", Scopes: []string{"groups"}, GroupsClaim: "groups", FactorMethods: []string{"mfa"}, FactorContexts: []string{"loa2"}, Groups: map[string]oidc.Group{"sre": {Teams: []string{"platform"}, Roles: []string{"responder"}}}}}
	want.SIEM = []siem.Config{} // none is written as an empty list
	want.TrustedProxies = []string{}
	want.MCP.Commands, want.MCP.Servers = []string{}, []mcp.Server{}
	want.Invoke = []InvokeConfig{}
	want.KPIs.Push = []KPIPush{}
	want.Identity.Proxies = []string{}
	want.Relay.Destinations = []RelayDestination{}
	var b bytes.Buffer
	if err := want.Show(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "reeve.yaml")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file, noEnv, nil)
	if err != nil {
		t.Fatalf("Load of\n%s: %v", b.String(), err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The reference page is made from the same table.
func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("# Configuration\n\nOne YAML file (`--config`), environment variables, flags; the later wins. Unknown keys are errors.\nThis page is generated (`go test ./internal/app -run ConfigurationPage -update`); `reeve config show` prints the same with your values, `reeve config check` tries a file.\n\n```yaml\n")
	if err := DefaultConfig().Show(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("```\n")
	const page = "../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(page, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("docs/configuration.md is old; run with -update: -want +got\n%s", diff)
	}
}

// In dev mode anybody on this host is any agent, so none may start programs.
func TestStdioIsNotForDev(t *testing.T) {
	t.Parallel()
	const servers = "mcp:\n  commands: [/usr/bin/true]\n  servers:\n    - {name: files, command: /usr/bin/true, team: core, digests: {/usr/bin/true: " +
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}\n"
	file := filepath.Join(t.TempDir(), "reeve.yaml")
	if err := os.WriteFile(file, []byte(servers), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, noEnv, nil); err != nil {
		t.Errorf("outside of dev mode: %v", err)
	}
	if _, err := Load(file, noEnv, map[string]string{"dev": "true"}); err == nil || !strings.Contains(err.Error(), "mcp.servers") {
		t.Errorf("in dev mode: %v", err)
	}
}
