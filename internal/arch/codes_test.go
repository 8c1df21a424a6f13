package arch

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite generated files")

var codeForm = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)

// Error codes are what programs branch on: the list is generated from the
// calls of fault.New, so that removing or renaming one shows in review.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	type entry struct{ kind, message string }
	codes := map[string]entry{}
	for _, p := range packages(t) {
		for _, name := range append(slices.Clone(p.GoFiles), p.CgoFiles...) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) < 3 || !isFaultNew(call.Fun) {
					return true
				}
				kind, ok := call.Args[0].(*ast.SelectorExpr)
				code := literal(call.Args[1])
				if !ok || code == "" {
					return true
				}
				if !codeForm.MatchString(code) {
					t.Errorf("%s: code %q is not dotted lower case", fset.Position(call.Pos()), code)
				}
				if _, ok := codes[code]; !ok {
					codes[code] = entry{strings.TrimPrefix(kind.Sel.Name, "Kind"), literal(call.Args[2])}
				}
				return true
			})
		}
	}
	var b bytes.Buffer
	b.WriteString("# Error codes\n\nStable names of what can go wrong, as problem documents, gRPC statuses and the command line carry them. Generated (`go test ./internal/arch -run ErrorCodes -update`).\n\n| code | kind | says |\n|---|---|---|\n")
	names := make([]string, 0, len(codes))
	for c := range codes {
		names = append(names, c)
	}
	slices.Sort(names)
	for _, c := range names {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c, strings.ToLower(codes[c].kind), strings.ReplaceAll(codes[c].message, "|", `\|`))
	}
	compare(t, "../../docs/errors.md", b.Bytes())
}

func isFaultNew(f ast.Expr) bool {
	s, ok := f.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "New" {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "fault"
}

func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return s
}

// compare holds a generated file to what it should be; -update rewrites it.
func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is old: run this test with -update and review the difference", path)
	}
}
