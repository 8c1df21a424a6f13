package arch

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rows is the direction of imports: a package imports only from rows above its
// own. A name stands for the package and everything below it.
var rows = [][]string{
	{"internal/fault", "internal/activity", "client", "internal/visible", "internal/jcs", "internal/durable", "internal/detect/chance"},
	{"internal/telemetry/search", "internal/stat", "internal/encoder"},
	{"internal/bus", "internal/control"},
	{"internal/audit"},
	{"internal/telemetry", "internal/price", "internal/content", "internal/genai", "internal/detect", "internal/erase"},
	{
		"internal/identity", "internal/agent", "internal/policy", "internal/budget", "internal/stop", "internal/upstream",
		"internal/source", "internal/steer", "internal/behaviour", "internal/pin", "internal/decision", "internal/approval", "internal/oncall", "internal/notify", "internal/siem", "internal/relay", "internal/poll", "internal/rerate", "internal/remap", "internal/cost", "internal/connect", "internal/invoice", "internal/run",
		"internal/hook", "internal/alert", "internal/change",
		"internal/provenance", "internal/dependency", "internal/backup", "internal/retention",
		"internal/outcome", "internal/kpi", "internal/objective",
		"internal/finding", "internal/rule", "internal/canary", "internal/lesson",
		"internal/feedback", "internal/evaluate", "internal/dataset", "internal/experiment",
		"internal/topic", "internal/compliance",
	},
	{
		"internal/intake", "internal/gateway", "internal/fleet", "internal/incident",
		"internal/watch", "internal/response",
	},
	{"internal/api", "web"},
	{"internal/app"},
	{"internal/testkit"},
	{"examples"},
	{"internal/demo", "internal/bench"},
	{"internal/cli"},
	{"cmd"},
}

// within are the edges allowed inside one row.
var within = map[string][]string{
	"internal/control/controltest":          {"internal/control"},
	"internal/telemetry/duck":               {"internal/telemetry"},
	"internal/telemetry/telemetrytest":      {"internal/telemetry"},
	"internal/intake":                       {"internal/intake/dialect", "internal/intake/alerts", "internal/intake/changes", "internal/intake/said"},
	"internal/intake/dialect/adk":           {"internal/intake/dialect"},
	"internal/intake/dialect/agentops":      {"internal/intake/dialect"},
	"internal/intake/dialect/bedrocklog":    {"internal/intake/dialect"},
	"internal/intake/dialect/copilotstudio": {"internal/intake/dialect"},
	"internal/intake/dialect/claudecode":    {"internal/intake/dialect"},
	"internal/intake/dialect/codex":         {"internal/intake/dialect"},
	"internal/intake/dialect/datadog":       {"internal/intake/dialect"},
	"internal/intake/dialect/genkit":        {"internal/intake/dialect"},
	"internal/intake/dialect/laminar":       {"internal/intake/dialect"},
	"internal/intake/dialect/langfuse":      {"internal/intake/dialect"},
	"internal/intake/dialect/langsmith":     {"internal/intake/dialect"},
	"internal/intake/dialect/livekit":       {"internal/intake/dialect"},
	"internal/intake/dialect/logfire":       {"internal/intake/dialect"},
	"internal/intake/dialect/mastra":        {"internal/intake/dialect"},
	"internal/intake/dialect/mlflow":        {"internal/intake/dialect"},
	"internal/intake/dialect/openaiagents":  {"internal/intake/dialect"},
	"internal/intake/dialect/openinference": {"internal/intake/dialect"},
	"internal/intake/dialect/openllmetry":   {"internal/intake/dialect"},
	"internal/intake/dialect/openlit":       {"internal/intake/dialect"},
	"internal/intake/dialect/opik":          {"internal/intake/dialect"},
	"internal/intake/dialect/otelgenai":     {"internal/intake/dialect"},
	"internal/intake/dialect/vercel":        {"internal/intake/dialect"},
	"internal/demo":                         {"internal/demo", "internal/bench"},
	"internal/audit":                        {"internal/audit"},
	"internal/audit/tree":                   {"internal/audit/record"},
	"internal/identity":                     {"internal/identity"},
	"internal/identity/token":               {"internal/identity/ca"},
	"internal/identity/oidc":                {"internal/identity"},
	"internal/identity/issuer":              {"internal/identity/token"},
	"internal/identity/oauth":               {"internal/identity/ca", "internal/identity/token"},
	"internal/identity/enrol":               {"internal/identity/ca", "internal/identity/token"},
	"internal/identity/workload":            {"internal/identity/ca", "internal/identity/token", "internal/identity/enrol"},
	"internal/bench":                        {"internal/bench"},
	"internal/upstream/connection":          {"internal/upstream"},
	"internal/evaluate":                     {"internal/evaluate"},
	"internal/provenance/judged":            {"internal/provenance"},
	"internal/topic":                        {"internal/topic"},
	"internal/gateway":                      {"internal/gateway"},
	"internal/gateway/llm":                  {"internal/gateway"},
	"internal/gateway/httpapi":              {"internal/gateway"},
	"internal/gateway/mcp":                  {"internal/gateway"},
	"internal/gateway/a2a":                  {"internal/gateway"},
	"internal/notify":                       {"internal/notify"},
	"internal/gateway/points":               {"internal/gateway"},
	"internal/gateway/extauthz":             {"internal/gateway", "internal/gateway/points"},
	"web":                                   {"internal/api"},
	"internal/api":                          {"internal/api"},
}

type pkg struct {
	ImportPath, Dir                string
	Imports                        []string
	GoFiles, CgoFiles, TestGoFiles []string
}

// packages lists the module's packages without compiling them.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,CgoFiles,TestGoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// row finds the row of a package by its longest listed prefix; -1 when none.
func row(path string) int {
	best, at := -1, 0
	for i, names := range rows {
		for _, n := range names {
			if (path == n || strings.HasPrefix(path, n+"/")) && len(n) > at {
				best, at = i, len(n)
			}
		}
	}
	return best
}

func TestImportDirections(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		self := strings.TrimPrefix(p.ImportPath, "reeve/")
		if self == "internal/arch" {
			continue
		}
		own := row(self)
		if own < 0 {
			t.Errorf("package %s stands in no row: give it a place in internal/arch and in docs/architecture.md", self)
			continue
		}
		for _, imp := range p.Imports {
			other, ok := strings.CutPrefix(imp, "reeve/")
			if !ok || other == self {
				continue
			}
			if r := row(other); r < own || (r == own && allowedWithin(self, other)) {
				continue
			}
			t.Errorf("%s imports %s, which stands in the same row or below: declare a small interface in %s and let internal/app fill it in", self, other, self)
		}
	}
}

func allowedWithin(self, other string) bool {
	if strings.HasPrefix(self, "examples/") && strings.HasPrefix(other, "examples/") {
		return true
	}
	for _, prefix := range within[self] {
		if other == prefix || strings.HasPrefix(other, prefix+"/") {
			return true
		}
	}
	return false
}

func TestForbiddenImports(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		self := strings.TrimPrefix(p.ImportPath, "reeve/")
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s has C code: only what telemetry/duck links may", self)
		}
		for _, imp := range p.Imports {
			switch {
			case strings.HasPrefix(imp, "github.com/duckdb/") && self != "internal/telemetry/duck":
				t.Errorf("%s imports %s: C code stays under internal/telemetry/duck", self, imp)
			case (imp == "testing" || imp == "reeve/internal/testkit" || imp == "reeve/internal/control/controltest") && self != "internal/telemetry/telemetrytest" && self != "internal/testkit":
				t.Errorf("%s imports %s in production code", self, imp)
			case (imp == "reeve/internal/demo" || strings.HasPrefix(imp, "reeve/examples")) && !knowsDemo(self):
				t.Errorf("%s imports %s: product packages know nothing of the demo", self, imp)
			}
		}
	}
}

func knowsDemo(self string) bool {
	return self == "internal/cli" || strings.HasPrefix(self, "internal/demo") || strings.HasPrefix(self, "examples")
}

// Every package says what it is for, who calls it, what it promises, how it
// fails and where to start; every exported name says what it is.
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		self := strings.TrimPrefix(p.ImportPath, "reeve/")
		fset := token.NewFileSet()
		var doc string
		for _, name := range append(slices.Clone(p.GoFiles), p.CgoFiles...) {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				doc += f.Doc.Text()
			}
			if ast.IsGenerated(f) {
				continue
			}
			for _, d := range f.Decls {
				for _, name := range undocumented(d) {
					t.Errorf("%s: %s has no comment", fset.Position(d.Pos()), name)
				}
			}
		}
		if len(p.GoFiles) == 0 {
			continue
		}
		if doc == "" {
			t.Errorf("package %s has no package comment", self)
		} else if strings.HasPrefix(self, "internal/") && self != "internal/arch" {
			for _, q := range []string{"What for", "Who calls", "Promises", "How it fails", "Start reading"} {
				if !strings.Contains(doc, q) {
					t.Errorf("package comment of %s does not say %q", self, q)
				}
			}
		}
	}
}

func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var out []string
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					out = append(out, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					out = append(out, s.Names[0].Name)
				}
			}
		}
		return out
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	name, ok := t.(*ast.Ident)
	return ok && name.IsExported()
}

// Tests wait for events, never for time to pass.
var sleeps = regexp.MustCompile(`\btime\.Sleep\(`)

func TestNoSleepInTests(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || strings.Contains(path, "node_modules") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if sleeps.Match(raw) && !strings.HasSuffix(path, "arch_test.go") {
			t.Errorf("%s sleeps: wait for a channel or use testing/synctest", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
