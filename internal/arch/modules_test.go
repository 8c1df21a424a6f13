package arch

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The modules that the program links are reviewed: a new one shows as a
// difference of modules.txt, and needs its line in docs/dependencies.md.
func TestLinkedModules(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/reeve")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	slices.Sort(lines)
	lines = slices.DeleteFunc(slices.Compact(lines), func(l string) bool { return l == "" || l == "reeve" })
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	compare(t, "modules.txt", b.Bytes())
}
