package cli

import (
	"slices"
	"testing"

	"reeve/client"
)

// Routes are replaced as a whole only by --route, and what changes is said.
func TestRouteFlags(t *testing.T) {
	t.Parallel()
	there := []client.Route{{Method: "GET", Path: "/a", Effect: "read", Classes: []string{"personal"}}, {Method: "POST", Path: "/b", Effect: "write"}}
	for _, c := range []struct {
		name    string
		flags   routeFlags
		changes []string
		wrong   bool
	}{
		{name: "none"},
		{name: "one more", flags: routeFlags{add: texts{"PUT /c write amount=/n"}}, changes: []string{"+ PUT /c write amount=/n"}},
		{name: "another effect", flags: routeFlags{add: texts{"GET /a write"}}, changes: []string{"- GET /a read", "+ GET /a write"}},
		{name: "one less", flags: routeFlags{remove: texts{"POST /b"}}, changes: []string{"- POST /b write"}},
		{name: "one for another", flags: routeFlags{remove: texts{"POST /b"}, add: texts{"DELETE /b destructive"}}, changes: []string{"- POST /b write", "+ DELETE /b destructive"}},
		{name: "all", flags: routeFlags{all: texts{"GET /a read"}}, changes: []string{"- POST /b write"}},
		{name: "all and some", flags: routeFlags{all: texts{"GET /a read"}, add: texts{"GET /c read"}}, wrong: true},
		{name: "less than there is", flags: routeFlags{remove: texts{"GET /none"}}, wrong: true},
		{name: "no method", flags: routeFlags{remove: texts{"/b"}}, wrong: true},
		{name: "no effect", flags: routeFlags{add: texts{"GET /c"}}, wrong: true},
		{name: "an odd word", flags: routeFlags{add: texts{"GET /c read amonut=/x"}}, wrong: true},
	} {
		got, err := c.flags.merged(there, len(c.flags.all) > 0)
		if (err != nil) != c.wrong {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if changes := routeChanges(there, got); err == nil && !slices.Equal(changes, c.changes) {
			t.Errorf("%s: got %q, want %q", c.name, changes, c.changes)
		}
		if i := routeAt(got, "GET", "/a"); err == nil && i >= 0 && len(got[i].Classes) != 1 {
			t.Errorf("%s: the classes of a route are gone", c.name)
		}
	}
	if len(there) != 2 || there[0].Effect != "read" {
		t.Errorf("the old routes were changed: %+v", there)
	}
}
