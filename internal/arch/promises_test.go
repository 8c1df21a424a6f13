package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	cellTest  = regexp.MustCompile("`([^`]+)`")
	namedTest = regexp.MustCompile(`^([a-z0-9/]+)\.((?:Test|Fuzz)\w+)(?:: (.+))?$`)
)

// TestPromises holds docs/security.md true: each promise names at least one test,
// and each test and case that is named exists. What the tests hold is theirs.
func TestPromises(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("../..", "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	promises := 0
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| promise") || strings.HasPrefix(line, "| what |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		promises++
		named := cellTest.FindAllStringSubmatch(cells[2], -1)
		if len(named) == 0 {
			t.Errorf("no test: %s", cells[0])
		}
		for _, n := range named {
			if problem := missing(n[1]); problem != "" {
				t.Errorf("%s: %s", strings.TrimSpace(cells[0]), problem)
			}
		}
	}
	if promises < 90 {
		t.Errorf("%d promises; there were more", promises)
	}
}

// missing says what of a named test there is not.
func missing(name string) string {
	if script, ok := strings.CutPrefix(name, "script."); ok {
		if _, err := os.Stat(filepath.Join("../..", "cmd/reeve/testdata/script", script+".txtar")); err != nil {
			return "no script " + script
		}
		return ""
	}
	m := namedTest.FindStringSubmatch(name)
	if m == nil {
		return "cannot read " + name
	}
	files, err := filepath.Glob(filepath.Join("../..", "internal", m[1], "*_test.go"))
	if err != nil {
		return err.Error()
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err.Error()
		}
		_, body, ok := strings.Cut(string(b), "\nfunc "+m[2]+"(")
		if !ok {
			continue
		}
		if i := strings.Index(body, "\n}\n"); i >= 0 {
			body = body[:i]
		}
		if m[3] != "" && !strings.Contains(body, m[3]) {
			return m[2] + " has no case " + m[3]
		}
		return ""
	}
	return "no test " + name
}
