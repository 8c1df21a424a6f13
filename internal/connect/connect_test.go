package connect

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"reeve/internal/fault"
)

var update = flag.Bool("update", false, "rewrite docs/connect.md")

func whole() Target {
	return Target{
		Console: "http://127.0.0.1:7300", OTLP: "http://127.0.0.1:4318", Door: "http://127.0.0.1:7301", Key: NoIntakeKey, AgentKey: NoAgentKey,
		Agent: "my-agent", Environment: "production",
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	open := regexp.MustCompile(`\{\{[A-Z_]*\}\}`)
	seen := map[string]bool{}
	for _, f := range all {
		if !named.MatchString(f.ID) || f.Title == "" || f.Group == "" || f.About == "" || len(f.Waits) == 0 || seen[f.ID] {
			t.Errorf("%+v is not whole, or twice there", f)
		}
		seen[f.ID] = true
		for _, k := range f.Keys {
			if k != "intake" && k != "agent" {
				t.Errorf("%s: key %q", f.ID, k)
			}
		}
		for _, w := range f.Waits {
			if w != "step" && w != "decision" {
				t.Errorf("%s: waits for %q", f.ID, w)
			}
		}
		if _, ok := upstreams[f.Upstream]; f.Upstream != "" && !ok {
			t.Errorf("%s: nothing says how upstream %s is made", f.ID, f.Upstream)
		}
		text := ""
		for _, p := range f.Fill(whole()) {
			if p.Title == "" || open.MatchString(p.Text) {
				t.Errorf("%s: part %q is not filled in:\n%s", f.ID, p.Title, p.Text)
			}
			text += p.Text
		}
		// What is made for it is used, and nothing else is asked for.
		for key, name := range map[string]string{"intake": NoIntakeKey, "agent": NoAgentKey} {
			if slices.Contains(f.Keys, key) != strings.Contains(text, name) {
				t.Errorf("%s: keys %v, but its parts are\n%s", f.ID, f.Keys, text)
			}
		}
		if slices.Contains(f.Waits, "step") && len(f.Dialects) == 0 && !slices.Contains(f.Waits, "decision") {
			t.Errorf("%s: nobody says what its steps are recognised as", f.ID)
		}
	}
}

// Where intake asks for no key, no line about one is left.
func TestFillWithoutKeys(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		to := whole()
		to.Key, to.Upstream = "", "mine"
		for _, p := range f.Fill(to) {
			for _, bad := range []string{"{{", "Bearer ''", "Bearer \"", "Bearer%20\"", NoIntakeKey, first} {
				if strings.Contains(p.Title+p.Text, bad) {
					t.Errorf("%s holds %q:\n%s", f.ID, bad, p.Text)
				}
			}
		}
	}
	f, err := Find("curl")
	if err != nil {
		t.Fatal(err)
	}
	to := whole()
	to.Key = ""
	if text := f.Fill(to)[0].Text; !strings.Contains(text, "-H 'Content-Type: application/json' \\\n  -d '{") {
		t.Errorf("without a key:\n%s", text)
	}
}

func TestBadTargets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a'b", `a"b`, "a$(id)", "a\nb", "-a", strings.Repeat("a", 101)} {
		to := whole()
		to.Agent = name
		if err := to.Check(); fault.From(err).Code != "connect.invalid" {
			t.Errorf("agent %q: %v", name, err)
		}
	}
	if _, err := Find("cobol"); fault.From(err).Code != "connect.unknown" {
		t.Errorf("an unknown framework: %v", err)
	}
}

// docs/connect.md is the table.
func TestConnectPage(t *testing.T) {
	t.Parallel()
	const file = "../../docs/connect.md"
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(`# Connect an agent

Written by ` + "`go test ./internal/connect -run ConnectPage -update`" + ` from the table that the console's page and ` + "`reeve connect`" + ` use: do not edit.

` + "`reeve connect FRAMEWORK --agent NAME --make-keys`" + ` prints the same for your server with fresh keys, and with ` + "`--wait`" + ` tells when the first step and the first decision have arrived, and what is still missing. The console's page does it live.
`)
	group := ""
	for _, f := range all {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\n`reeve connect %s`. %s\n", f.Title, f.ID, f.About)
		to := whole()
		if f.Upstream != "" {
			to.Upstream = f.Upstream
		}
		for _, p := range f.Fill(to) {
			fmt.Fprintf(&b, "\n%s:\n\n```\n%s\n```\n", p.Title, p.Text)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil || string(old) != b.String() {
		t.Errorf("%s is not what the table says: run with -update (%v)", file, err)
	}
}
