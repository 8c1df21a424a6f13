package policy

import (
	"slices"
	"strings"
	"testing"

	"reeve/internal/fault"
)

// schemas are accepted tools with the paths of their arguments.
type schemas map[string][]string

func (s schemas) HasPath(upstream, tool, path string) (has, known bool) {
	paths, known := s[upstream+"."+tool]
	return slices.Contains(paths, path), known
}

func (s schemas) Tools(upstream string) (out []string) {
	for name := range s {
		if u, tool, _ := strings.Cut(name, "."); u == upstream {
			out = append(out, tool)
		}
	}
	return out
}

// TestArgumentPaths: a path that an accepted tool's schema does not have is
// refused when the policy is saved, with its place.
func TestArgumentPaths(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	s.o.Tools = schemas{"orders.refund": {"/amount", "/items", "/items/*/sku"}, "mail.send": {"/to"}}
	reads := func(resource, path string) string {
		return `@id("a") permit (principal, action == Action::"call_tool", ` + resource + `)
when { context.args.text.hasTag("` + path + `") && context.args.text.getTag("` + path + `").contains("x") };`
	}
	for text, ok := range map[string]bool{
		reads(`resource == Tool::"orders.refund"`, "/amount"):       true,
		reads(`resource == Tool::"orders.refund"`, "/items/*/sku"):  true,
		reads(`resource == Tool::"orders.refund"`, "/items#count"):  true,
		reads(`resource == Tool::"orders.refund"`, "/amuont"):       false,
		reads(`resource == Tool::"orders.refund"`, "path:id"):       true,
		reads(`resource == Tool::"orders.nobody-accepted"`, "/any"): true,
		reads(`resource == Tool::"local.refund"`, "/any"):           true,
		reads(`resource in Upstream::"mail"`, "/to"):                true,
		reads(`resource in Upstream::"mail"`, "/cc"):                false,
		reads(`resource in Upstream::"not-there"`, "/cc"):           true,
		reads(`resource`, "/cc"):                                    true,
	} {
		_, err := s.Compile(Document{Name: "p", Cedar: text})
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && (fault.From(err).Code != "policy.invalid" || !strings.Contains(err.Error(), "line 2")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
