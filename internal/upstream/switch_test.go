package upstream

import (
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
)

// Calls of an upstream go where a person switched it to, over a restart, until its
// time is over or it is switched back; never to one that is unlike it.
func TestSwitch(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var db *control.DB
	dir := ""
	r := newRegistry(t, func(o *Options) {
		o.Now = func() time.Time { return now }
		db, dir = o.DB, o.Dir
	})
	put := func(u client.Upstream) {
		t.Helper()
		if u.Kind == "" {
			u.Kind, u.Dialect = "llm", "openai"
		}
		u.Environment, u.AllowPrivate, u.URL = "production", true, "http://127.0.0.1:1"
		if _, err := r.Put(t.Context(), "dev", u); err != nil {
			t.Fatal(u.Name, err)
		}
	}
	put(client.Upstream{Name: "main", Team: "core"})
	put(client.Upstream{Name: "spare", Team: "shop", Shared: true})
	put(client.Upstream{Name: "other", Team: "shop", Shared: true})
	put(client.Upstream{Name: "outside", Team: "core", External: true})
	put(client.Upstream{Name: "foreign", Team: "shop"})
	put(client.Upstream{Name: "claude", Team: "core", Kind: "llm", Dialect: "anthropic"})
	put(client.Upstream{Name: "tools", Team: "core", Kind: "mcp"})
	put(client.Upstream{Name: "tools2", Team: "core", Kind: "mcp"})
	who := Actor{Person: "per_1", Name: "ada"}
	for _, c := range []struct{ name, to, reason, want string }{
		{"main", "main", "x", "upstream.unlike"},
		{"main", "outside", "x", "upstream.unlike"},
		{"main", "foreign", "x", "upstream.unlike"},
		{"main", "claude", "x", "upstream.unlike"},
		{"tools", "tools2", "x", "upstream.unlike"},
		{"main", "gone", "x", "upstream.not_found"},
		{"gone", "main", "x", "upstream.not_found"},
		{"main", "spare", " ", "upstream.invalid"},
		{"main", "spare", "half of the calls fail", ""},
		{"outside", "main", "x", "upstream.switched"},
		{"spare", "main", "x", "upstream.unlike"},
		{"spare", "other", "x", "upstream.switched"},
	} {
		_, err := r.Switch(t.Context(), who, c.name, c.to, time.Time{}, c.reason)
		if got := code(err); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.name, c.to, got, c.want)
		}
	}
	if got := r.Alike("main"); len(got) != 2 || got[0] != "other" || got[1] != "spare" {
		t.Errorf("alike: %v", got)
	}
	chosen := func(want string) {
		t.Helper()
		u, instead, ok := r.Choose("main")
		if !ok || u.Name != want || want != "main" && instead != "main" {
			t.Errorf("chose %s instead of %q, want %s", u.Name, instead, want)
		}
	}
	chosen("spare")
	var err error
	if r, err = New(t.Context(), Options{DB: db, Dir: dir, Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	chosen("spare")
	if u, _ := r.Lookup("main"); u.Shape().Switch == nil || u.Shape().Switch.By != "ada" {
		t.Errorf("shown: %+v", u.Shape().Switch)
	}
	if _, err := r.SwitchBack(t.Context(), who, "main", "it is well"); err != nil {
		t.Fatal(err)
	}
	chosen("main")
	if _, err := r.SwitchBack(t.Context(), who, "main", "again"); code(err) != "upstream.not_switched" {
		t.Error(err)
	}
	if _, err := r.Switch(t.Context(), who, "main", "spare", now.Add(time.Hour), "for an hour"); err != nil {
		t.Fatal(err)
	}
	chosen("spare")
	now = now.Add(time.Hour)
	chosen("main")
	if _, err := r.Switch(t.Context(), who, "main", "spare", now, "no time"); code(err) != "upstream.invalid" {
		t.Error(err)
	}
}
