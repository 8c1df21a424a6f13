package api

import (
	"context"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/experiment"
)

// someGate passes or refuses all, and remembers what was kept.
type someGate struct {
	refuses bool
	kept    *[]string
}

func (g someGate) Look(_ context.Context, name string, _ func(string, string) bool) (*client.Gate, error) {
	return &client.Gate{Agent: name, Passed: !g.refuses, Checks: []client.GateCheck{{Name: "policy", Passed: !g.refuses, Text: "it was refused", Run: "run_1"}}}, nil
}

func (g someGate) Keep(_ context.Context, _ *control.Tx, who experiment.Actor, _, outcome, _ string, _ any) (string, error) {
	if g.kept != nil {
		*g.kept = append(*g.kept, outcome+" "+who.Name)
	}
	return "gat_1", nil
}

func (someGate) Kept(context.Context, string, int) ([]experiment.GateResult, error) { return nil, nil }

// Into production there is one way, through the gate: by both operations, for whoever
// asks. Past it goes security alone, with a second factor, and no token.
func TestOneWayIntoProduction(t *testing.T) {
	t.Parallel()
	var kept []string
	a := newTestAPI(t, func(o *Options) { o.Gate = someGate{refuses: true, kept: &kept} })
	list, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = list
	dev, sec, token := "as developer@core/production", "as security@core/production", a.house.token("security@core/production")
	if got := send(a, "POST", Prefix+"/agents", dev, `{"name":"refund","team":"core","purpose":"gives money back"}`); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	ready, past := `{"to":"production","reason":"ready"}`, `{"to":"production","reason":"ready","ungated":true}`
	for i, c := range []struct {
		path, who, body string
		status          int
		says            string
	}{
		{"/promote", dev, ready, 403, "needs"},
		{"/gate", dev, ready, 403, "needs"},
		{"/promote", dev, past, 403, "needs"},
		{"/promote", sec, ready, 403, "policy: it was refused run_1"},
		{"/gate", sec, ready, 403, "run_1"},
		{"/gate", token, ready, 403, "run_1"},
		{"/promote", token, past, 403, "person"},
		{"/gate", token, past, 403, "person"},
		{"/gate", sec, `{"to":"pilot","reason":"x"}`, 400, "only production"},
		{"/gate", sec, `{"reason":" "}`, 400, "reason"},
		{"/gate", sec, past, 200, "gat_1"},
	} {
		if got := send(a, "POST", Prefix+"/agents/refund"+c.path, c.who, c.body); got.status != c.status || !strings.Contains(string(got.body), c.says) {
			t.Errorf("%d: %s %s as %s: %d %s", i, c.path, c.body, c.who, got.status, got.body)
		}
	}
	if g, _ := list.Lookup("refund"); g.Lifecycle != agent.Production || len(kept) != 4 || !strings.HasPrefix(kept[3], "overridden") || !strings.HasPrefix(kept[0], "refused") {
		t.Errorf("%s, %q", g.Lifecycle, kept)
	}
}
