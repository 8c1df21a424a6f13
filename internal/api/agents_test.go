package api

import (
	"encoding/json"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
)

func TestAgents(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	list, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = list
	ask := func(method, path, caller, body string, status int) answer {
		t.Helper()
		got := send(a, method, Prefix+path, caller, body)
		if got.status != status {
			t.Errorf("%s %s as %s: %d %s, want %d", method, path, caller, got.status, got.body, status)
		}
		return got
	}
	dev, sec, resp := "as developer@core/production", "as security@core/production", "as responder@core/production"
	ask("POST", "/agents", dev, `{"name":"refund","team":"core","purpose":"gives money back"}`, 201)
	ask("POST", "/agents", dev, `{"name":"refund","team":"core","purpose":"again"}`, 409)
	ask("POST", "/agents", dev, `{"name":"other","team":"shop","purpose":"p"}`, 403)
	ask("POST", "/agents", dev, `{"name":"other","team":"gone","purpose":"p"}`, 400)
	ask("PATCH", "/agents/refund", dev, `{"revision":1,"labels":{"tier":"1"}}`, 200)
	ask("PATCH", "/agents/refund", dev, `{"revision":1,"purpose":"x"}`, 409)
	ask("POST", "/agents/refund/promote", dev, `{"to":"production","reason":"ready"}`, 403)
	ask("POST", "/agents/refund/promote", sec, `{"to":"production","reason":"ready"}`, 200)
	ask("POST", "/agents/refund/contain", resp, `{"containment":"quarantined","reason":"odd"}`, 200)
	ask("POST", "/agents/refund/release", a.house.token("security@core/production"), `{"reason":"fine"}`, 403)
	ask("POST", "/agents/refund/release", sec, `{"reason":"fine"}`, 200)
	got := get[client.Agent](t, a, "/agents/refund", "as viewer@core/production")
	if got.Lifecycle != "production" || got.Containment != "none" || got.Labels["tier"] != "1" || got.Revision != 5 {
		t.Errorf("the agent is %+v", got)
	}
	ask("GET", "/agents/refund", "as viewer@shop/production", "", 404)
	if page := get[client.List[client.Agent]](t, a, "/agents", "as viewer@shop/production"); len(page.Items) != 0 {
		t.Errorf("another team sees %+v", page.Items)
	}
	if page := get[client.List[client.Agent]](t, a, "/agents?limit=1&lifecycle=production", "as viewer"); len(page.Items) != 1 || page.Next != "" {
		t.Errorf("the list is %+v", page)
	}

	var key client.AgentKey
	made := ask("POST", "/agents/refund/keys", dev, `{"label":"ci","networks":["127.0.0.1"],"expires_in":"1d"}`, 201)
	if err := json.Unmarshal(made.body, &key); err != nil || key.Key == "" {
		t.Fatalf("the key is %s", made.body)
	}
	ask("POST", "/agents/refund/keys", dev, `{"label":"ci","expires_in":"91d"}`, 400)
	keys := get[client.List[client.AgentKey]](t, a, "/agents/refund/keys", dev)
	if len(keys.Items) != 1 || keys.Items[0].Key != "" || keys.Items[0].Secret != "" || key.Secret != key.Key || keys.Items[0].RevokedAt != nil {
		t.Errorf("the keys are %+v", keys)
	}
	ask("POST", "/keys/leaked", "", `{"key":"`+key.Key+`"}`, 204)
	ask("POST", "/keys/leaked", "", `{"key":"rvk_unknown"}`, 204)
	if keys := get[client.List[client.AgentKey]](t, a, "/agents/refund/keys", dev); keys.Items[0].RevokedAt == nil {
		t.Error("a leaked key lives")
	}
	// The same in the form in which GitHub tells partners of secrets that it found.
	var next client.AgentKey
	if err := json.Unmarshal(ask("POST", "/agents/refund/keys", dev, `{"label":"ci","expires_in":"1d"}`, 201).body, &next); err != nil {
		t.Fatal(err)
	}
	token := a.house.token("viewer@core/*")
	ask("POST", "/keys/leaked", "", `[{"token":"sk-other","type":"x","url":"u","source":"content"},{"token":"`+next.Key+`","type":"reeve_agent_key","url":"https://example.com/a","source":"commit","new":1},{"token":"`+token+`"}]`, 204)
	ask("POST", "/keys/leaked", "", `[]`, 204)
	ask("POST", "/keys/leaked", "", `[{"token":7}]`, 400)
	ask("POST", "/keys/leaked", "", `[`+strings.Repeat(`{},`, 1000)+`{}]`, 400)
	ask("POST", "/keys/leaked", "", `{"key":"a","other":"b"}`, 400)
	for _, k := range get[client.List[client.AgentKey]](t, a, "/agents/refund/keys", dev).Items {
		if k.ID == next.ID && k.RevokedAt == nil {
			t.Error("a reported key lives")
		}
	}
	if got := send(a, "GET", Prefix+"/agents", token, ""); got.status != 401 {
		t.Errorf("a reported token: %d", got.status)
	}
	ask("DELETE", "/agents/refund/keys/"+key.ID, dev, "", 204)
	ask("POST", "/agents/refund/retire", dev, `{"reason":"over"}`, 403)
	ask("POST", "/agents/refund/retire", sec, `{"reason":"over"}`, 200)
	ask("POST", "/agents/refund/keys", dev, `{"label":"late"}`, 409)
}
