package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reeve/client"
)

// The five pillars as one story (identity, observation, incidents, figures, people's
// word): an agent is registered, entitled, runs, is found in a loop; that becomes an
// incident, which calls people; a person takes its run in hand and refuses, puts it
// into quarantine, reviews, and leaves a lesson; figures and feedback have moved.
// Each step is given the id that the step before found, and nothing else. Prometheus,
// Grafana, PagerDuty and ServiceNow are spoken to in their own words, both ways. The
// server is a process of its own, and is killed in the middle and at the end: what
// each id led to, it leads to afterwards.
func TestPillars(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	p := &pillars{t: t, dir: t.TempDir(), ids: map[string]string{}}
	p.vendors()
	p.start()
	p.setUp()
	for _, s := range []struct {
		name, from string // from: the step whose id it is given
		do         func(id string) string
	}{
		{"agent", "", p.register},
		{"entitlement", "agent", p.entitle},
		{"decision", "agent", p.work},
		{"run", "decision", p.runOf},
		{"finding", "run", p.anomaly},
		{"incident", "finding", p.incidentOf},
		{"alert", "incident", p.alertOf},
		{"grafana", "incident", p.grafanaOf},
		{"page", "incident", p.pageOf},
		{"delivery", "page", p.deliveryOf},
		{"kill", "incident", p.kill},
		{"answer", "incident", p.answered},
		{"override", "run", p.override},
		{"refusal", "override", p.refusedBy},
		{"quarantine", "incident", p.quarantine},
		{"ticket", "incident", p.ticketOf},
		{"review", "incident", p.review},
		{"lesson", "incident", p.lesson},
		{"kpi", "run", p.figures},
		{"feedback", "run", p.feedback},
		{"case", "run", p.caseOf},
		{"kill again", "incident", p.kill},
	} {
		id := p.ids[s.from]
		if s.from != "" && id == "" {
			t.Fatalf("%s has no id of %s to go by", s.name, s.from)
		}
		began := time.Now()
		p.ids[s.name] = s.do(id)
		t.Logf("%-11s %-44s from %-9s %s", s.name, p.ids[s.name], s.from, time.Since(began).Round(time.Millisecond))
	}
	p.again()
	if err := p.server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// pillars is the story's state: the server, what stands outside of it, and the ids.
type pillars struct {
	t      *testing.T
	dir    string
	server *child
	ids    map[string]string

	model, shop string // addresses
	refunds     sync.Map
	pager, snow vendor
	key         string
	before      map[string]client.KPIFigure
}

// vendor is a stub of somebody else's system.
type vendor struct {
	url string
	mu  sync.Mutex
	got []map[string]any
	row map[string]any // ServiceNow's one
}

func (v *vendor) find(is func(map[string]any) bool) map[string]any {
	v.mu.Lock()
	defer v.mu.Unlock()
	if i := slices.IndexFunc(v.got, is); i >= 0 {
		return v.got[i]
	}
	return nil
}

// vendors starts what is outside: a model, a shop, PagerDuty's Events API v2 and
// ServiceNow's Table API, each as its maker's document has it.
func (p *pillars) vendors() {
	serve := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		p.t.Cleanup(s.Close)
		return s.URL
	}
	p.model = serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"Your refund is on its way."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":6,"total_tokens":18}}`)
	})
	p.shop = serve(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.refunds.Store(string(b), true)
		_, _ = io.WriteString(w, `{"refunded":true}`)
	})
	p.pager.url = serve(func(w http.ResponseWriter, r *http.Request) {
		var e map[string]any
		payload := func() map[string]any { m, _ := e["payload"].(map[string]any); return m }
		bad := json.NewDecoder(r.Body).Decode(&e) != nil || len(fmt.Sprint(e["routing_key"])) != 32 || !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, fmt.Sprint(e["event_action"])) ||
			e["event_action"] != "trigger" && e["dedup_key"] == nil ||
			e["event_action"] == "trigger" && (payload()["summary"] == nil || payload()["source"] == nil || !slices.Contains([]string{"critical", "error", "warning", "info"}, fmt.Sprint(payload()["severity"])))
		w.Header().Set("Content-Type", "application/json")
		if bad {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"status":"invalid event","message":"Event object is invalid","errors":["bad"]}`)
			return
		}
		p.pager.mu.Lock()
		p.pager.got = append(p.pager.got, e)
		p.pager.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "message": "Event processed", "dedup_key": e["dedup_key"]})
	})
	p.snow.url = serve(func(w http.ResponseWriter, r *http.Request) {
		p.snow.mu.Lock()
		defer p.snow.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		user, password, _ := r.BasicAuth()
		if user != "reeve" || password != "snow-password" || !strings.HasPrefix(r.URL.Path, "/api/now/table/incident") {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"User Not Authenticated","detail":"Required to provide Auth information"},"status":"failure"}`)
			return
		}
		switch r.Method {
		case http.MethodGet:
			found := []any{}
			if p.snow.row != nil && r.URL.Query().Get("sysparm_query") == "correlation_id="+fmt.Sprint(p.snow.row["correlation_id"]) {
				found = append(found, p.snow.row)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"result": found})
			return
		case http.MethodPost:
			p.snow.row = map[string]any{"sys_id": "9d385017c611228701d22104cc95c371", "number": "INC0010023", "state": "1"}
			w.WriteHeader(http.StatusCreated)
		}
		var change map[string]any
		_ = json.NewDecoder(r.Body).Decode(&change)
		p.snow.got = append(p.snow.got, change)
		for k, v := range change {
			p.snow.row[k] = v
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"result": p.snow.row})
	})
}

func (p *pillars) start() {
	p.server = startChild(p.t, childOptions{Dir: p.dir, Quiet: 3 * time.Second})
}

// must is what an operation answered.
func must[T any](p *pillars, what string) func(*T, error) *T {
	return func(v *T, err error) *T {
		p.t.Helper()
		if err != nil {
			p.t.Fatalf("%s: %v", what, err)
		}
		return v
	}
}

const (
	pagerSecret = "pager-secret"
	snowSecret  = "snow-secret"
)

// setUp is what a house has before the story: a team, what its agents call, and how
// people are called.
func (p *pillars) setUp() {
	c, ctx := p.server.api, p.t.Context()
	must[client.Team](p, "the team")(c.CreateTeam(ctx, client.CreateTeamRequest{Name: "support"}))
	must[client.Upstream](p, "the model")(c.PutUpstream(ctx, client.PutUpstreamRequest{Name: "openai", Kind: "llm", Dialect: "openai", URL: p.model, Team: "support", Environment: "production", AllowPrivate: true}))
	must[client.Upstream](p, "the shop")(c.PutUpstream(ctx, client.PutUpstreamRequest{
		Name: "shop", Kind: "http", URL: p.shop, Team: "support", Environment: "production", AllowPrivate: true, Routes: []client.Route{{Method: "POST", Path: "/refunds", Effect: "write"}},
	}))
	must[client.Channel](p, "PagerDuty")(c.PutChannel(ctx, client.PutChannelRequest{Name: "pager", Kind: "pagerduty", Team: "support", Settings: client.ChannelSettings{URL: p.pager.url}, Token: strings.Repeat("k", 32), Signing: pagerSecret}))
	must[client.Channel](p, "ServiceNow")(c.PutChannel(ctx, client.PutChannelRequest{Name: "snow", Kind: "servicenow", Team: "support", Settings: client.ChannelSettings{URL: p.snow.url, User: "reeve"}, Token: "snow-password", Signing: snowSecret, Incidents: "info"}))
	must[client.EscalationPolicy](p, "who is called")(c.PutEscalationPolicy(ctx, client.PutEscalationPolicyRequest{Name: "support", Team: "support", Levels: []client.EscalationLevel{{Channels: []string{"pager"}, After: "30m"}}}))
	for name, kind := range map[string]string{"prometheus": "alertmanager", "grafana": "grafana"} {
		s := must[client.AlertSourceWithSecret](p, name)(c.PutAlertSource(ctx, client.PutAlertSourceRequest{Name: name, Kind: kind, Team: "support", Environment: "production"}))
		p.ids["secret of "+name] = s.Secret
	}
	// Without it nothing that writes is permitted but by name.
	if err := c.DeletePolicy(ctx, client.DeletePolicyRequest{Name: "bounded", Reason: "each agent is entitled by name"}); err != nil {
		p.t.Fatal(err)
	}
	p.before = p.kpis()
}

func (p *pillars) register(string) string {
	c, ctx := p.server.api, p.t.Context()
	g := must[client.Agent](p, "registering")(c.CreateAgent(ctx, client.CreateAgentRequest{
		Name: "refunds", Team: "support", Environment: "production", Purpose: "refunds orders that came broken", Lifecycle: "pilot", Autonomy: "bounded", Enforcement: "enforce",
	}))
	p.key = must[client.AgentKey](p, "its key")(c.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: g.Name, Label: "pillars"})).Key
	return g.Name
}

// call is one of the agent's at the door, in the story's run.
func (p *pillars) call(path, body string) answer {
	p.t.Helper()
	return post(p.t.Context(), "http://"+p.server.Gateway+path, "application/json", []byte(body), "Authorization", "Bearer "+p.key, "X-Reeve-Run", "pillars", "X-Reeve-Version", "v1", "X-Reeve-Task", "refund")
}

func (p *pillars) entitle(agent string) string {
	c, ctx := p.server.api, p.t.Context()
	if got := p.call("/http/shop/refunds", `{"order":1}`); got.status != http.StatusForbidden || got.header.Get("X-Reeve-Code") == "" {
		p.t.Fatalf("before it is entitled: %+v", got)
	}
	x := must[client.Policy](p, "the entitlement")(c.PutPolicy(ctx, client.PutPolicyRequest{Name: "refunds-may", Team: "support", Mode: "enforce", Reason: "its purpose", Cedar: fmt.Sprintf(`@id("refund") permit (principal == Agent::%q, action == Action::"call_api", resource == Api::"shop POST /refunds");`, agent)}))
	return x.Name
}

// work is what the agent is for, once, and then the same question again and again.
func (p *pillars) work(agent string) string {
	done := p.call("/http/shop/refunds", `{"order":1}`)
	if done.status != http.StatusOK {
		p.t.Fatalf("as %s is entitled to: %+v", agent, done)
	}
	for range 14 {
		if got := p.call("/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"where is the refund of order 1?"}]}`); got.status != http.StatusOK {
			p.t.Fatalf("its model: %+v", got)
		}
	}
	return done.header.Get("X-Reeve-Decision")
}

func (p *pillars) runOf(decision string) string {
	var d *client.Decision
	eventually(p.t, "the decision", func() bool {
		var err error
		d, err = p.server.api.GetDecision(p.t.Context(), client.IDRequest{ID: decision})
		return err == nil && d.Result == "ok"
	})
	if !slices.ContainsFunc(d.Policies, func(r client.PolicyRef) bool { return r.Policy == p.ids["entitlement"] && r.Statement == "refund" }) {
		p.t.Errorf("the decision does not name what entitled it: %+v", d.Policies)
	}
	eventually(p.t, "the run", func() bool {
		r, err := p.server.api.GetRun(p.t.Context(), client.RunRequest{ID: d.RunID})
		return err == nil && r.Agent == p.ids["agent"] && r.StepCount >= 15
	})
	return d.RunID
}

func (p *pillars) anomaly(run string) (id string) {
	eventually(p.t, "the finding", func() bool {
		l, err := p.server.api.ListFindings(p.t.Context(), client.ListFindingsRequest{Run: run, Detector: "loop"})
		if err == nil && len(l.Items) == 1 {
			id = l.Items[0].ID
		}
		return id != ""
	})
	return id
}

func (p *pillars) incidentOf(finding string) (id string) {
	c, ctx := p.server.api, p.t.Context()
	f := must[client.Finding](p, "the finding")(c.GetFinding(ctx, client.FindingRequest{ID: finding}))
	eventually(p.t, "the incident of the finding", func() bool {
		l, err := c.ListIncidents(ctx, client.ListIncidentsRequest{Agent: f.Agent, State: "all"})
		if err != nil {
			return false
		}
		for _, i := range l.Items {
			x, err := c.GetIncident(ctx, client.IncidentRequest{ID: i.ID})
			if err == nil && slices.ContainsFunc(x.Members, func(s client.IncidentSignal) bool { return s.ID == finding }) {
				id = i.ID
			}
		}
		return id != ""
	})
	return id
}

// tell sends an alert as its sender does, and waits until the incident has it.
func (p *pillars) tell(incident, source, path, body string) (id string) {
	if got := post(p.t.Context(), "http://"+p.server.Console+path, "application/json", []byte(body), "Authorization", "Bearer "+p.ids["secret of "+source]); got.status != http.StatusOK && got.status != http.StatusAccepted {
		p.t.Fatalf("%s: %+v", source, got)
	}
	defer func() {
		if id != "" {
			return
		}
		l, err := p.server.api.ListIncidents(context.WithoutCancel(p.t.Context()), client.ListIncidentsRequest{State: "all"})
		p.t.Logf("incidents: %+v, %v", l, err)
		for _, i := range l.Items {
			x, _ := p.server.api.GetIncident(context.WithoutCancel(p.t.Context()), client.IncidentRequest{ID: i.ID})
			for _, s := range x.Members {
				p.t.Logf("%s %s: %+v", i.ID, s.Title, s.Reasons)
			}
		}
	}()
	eventually(p.t, "the alert of "+source, func() bool {
		x, err := p.server.api.GetIncident(p.t.Context(), client.IncidentRequest{ID: incident})
		if err != nil {
			return false
		}
		for _, s := range x.Members {
			if s.Kind == "alert" {
				if a, err := p.server.api.GetAlert(p.t.Context(), client.AlertRequest{ID: s.ID}); err == nil && a.Source == source && a.Incident == incident {
					id = a.ID
				}
			}
		}
		return id != ""
	})
	return id
}

// alertOf is Prometheus telling of the same agent, and scraping what came of it.
func (p *pillars) alertOf(incident string) string {
	now := time.Now().UTC()
	id := p.tell(incident, "prometheus", "/api/v1/alerts/prometheus/api/v2/alerts", fmt.Sprintf(
		`[{"annotations":{"summary":"Repeated calls: a loop of model calls"},"endsAt":%q,"startsAt":%q,"generatorURL":"http://prometheus.example:9090/graph?g0.expr=x","labels":{"alertname":"ModelCallsRepeated","agent":%q,"severity":"warning"}}]`,
		now.Add(4*time.Minute).Format(time.RFC3339Nano), now.Format(time.RFC3339Nano), p.ids["agent"]))
	eventually(p.t, "the incident among the metrics", func() bool {
		return strings.Contains(p.read("/metrics"), `reeve_incidents_live{severity="`) && strings.Contains(p.read("/metrics"), "reeve_alerts_firing")
	})
	return id
}

// grafanaOf is a contact point of Grafana telling, and its Alertmanager data source
// reading.
func (p *pillars) grafanaOf(incident string) string {
	now := time.Now().UTC()
	id := p.tell(incident, "grafana", "/api/v1/alerts/grafana", fmt.Sprintf(
		`{"receiver":"reeve","status":"firing","orgId":1,"version":"1","groupKey":"{}:{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":"**Firing**","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://grafana.example/","alerts":[{"status":"firing","labels":{"alertname":"Tokens of an agent","agent":%q,"severity":"warning"},"annotations":{"summary":"Spending of tokens rises: a loop"},"startsAt":%q,"endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://grafana.example/a","fingerprint":"c6eadffa33fcdf37","values":{"A":8.3},"valueString":"","orgId":1}]}`,
		p.ids["agent"], now.Format(time.RFC3339Nano)))
	eventually(p.t, "what fires, as Grafana reads it", func() bool {
		var fires []struct {
			Labels      map[string]string
			Fingerprint string
			Status      struct{ State string }
		}
		return json.Unmarshal([]byte(p.read("/api/v2/alerts?filter="+url.QueryEscape(`agent="`+p.ids["agent"]+`"`))), &fires) == nil && len(fires) >= 2 && fires[0].Fingerprint != "" && fires[0].Status.State == "active"
	})
	return id
}

func (p *pillars) read(path string) string {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.server.Console+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func (p *pillars) pageOf(incident string) (id string) {
	eventually(p.t, "the page", func() bool {
		l, err := p.server.api.ListPages(p.t.Context(), client.ListPagesRequest{Object: incident})
		if err == nil && len(l.Items) == 1 && len(l.Items[0].Calls) == 1 && l.Items[0].Calls[0].State == "sent" {
			id = l.Items[0].ID
		}
		return id != ""
	})
	return id
}

func (p *pillars) deliveryOf(page string) string {
	c, ctx := p.server.api, p.t.Context()
	l := must[client.List[client.Page]](p, "pages")(c.ListPages(ctx, client.ListPagesRequest{Object: p.ids["incident"]}))
	i := slices.IndexFunc(l.Items, func(x client.Page) bool { return x.ID == page })
	if i < 0 {
		p.t.Fatalf("%+v", l.Items)
	}
	id := l.Items[i].Calls[0].Delivery
	d := must[client.List[client.Delivery]](p, "deliveries")(c.ListDeliveries(ctx, client.ListDeliveriesRequest{Object: p.ids["incident"], Channel: "pager"}))
	k := slices.IndexFunc(d.Items, func(x client.Delivery) bool { return x.ID == id })
	if k < 0 || d.Items[k].State != "sent" {
		p.t.Fatalf("%+v", d.Items)
	}
	if p.pager.find(func(e map[string]any) bool { return e["dedup_key"] == d.Items[k].Key && e["event_action"] == "trigger" }) == nil {
		p.t.Errorf("PagerDuty has no event of %s", d.Items[k].Key)
	}
	return id
}

// kill ends the server as a crash does and starts it again.
func (p *pillars) kill(incident string) string {
	before := must[client.IncidentDetail](p, "the incident")(p.server.api.GetIncident(p.t.Context(), client.IncidentRequest{ID: incident}))
	if err := p.server.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.server.cmd.Wait() // it was killed
	p.start()
	after := must[client.IncidentDetail](p, "the incident after a kill")(p.server.api.GetIncident(p.t.Context(), client.IncidentRequest{ID: incident}))
	if after.State != before.State || after.OpenedAt != before.OpenedAt || len(after.Members) < len(before.Members) || len(after.Acts) != len(before.Acts) {
		p.t.Errorf("after the kill it is %s with %d signals, it was %s with %d", after.State, len(after.Members), before.State, len(before.Members))
	}
	return after.ID
}

// answered is somebody taking it up in PagerDuty; its webhook says so, once forged.
func (p *pillars) answered(incident string) string {
	base, ctx := "http://"+p.server.Console, p.t.Context()
	body := fmt.Sprintf(`{"event":{"id":"01EVT","event_type":"incident.acknowledged","resource_type":"incident","occurred_at":%q,"agent":{"id":"PLH1HKV","type":"user_reference","summary":"Somebody"},"client":{"name":"PagerDuty"},"data":{"id":"PGR0VU2","type":"incident","number":2,"status":"acknowledged","incident_key":"incident-%s","title":"x","service":{"id":"PF9KMXH"},"assignees":[]}}}`, time.Now().UTC().Format(time.RFC3339Nano), incident)
	if got := post(ctx, base+"/chat/pagerduty/pager", "application/json", []byte(body), "X-PagerDuty-Signature", "v1="+hexMAC("forged", body)); got.status != http.StatusUnauthorized {
		p.t.Errorf("a forged answer: %+v", got)
	}
	if got := post(ctx, base+"/chat/pagerduty/pager", "application/json", []byte(body), "X-PagerDuty-Signature", "v1="+hexMAC(pagerSecret, body)); got.status != http.StatusOK {
		p.t.Fatalf("PagerDuty's answer: %+v", got)
	}
	id := ""
	eventually(p.t, "the end of calling", func() bool {
		x, err := p.server.api.GetIncident(ctx, client.IncidentRequest{ID: incident})
		if err != nil || x.State != "acknowledged" {
			return false
		}
		l, err := p.server.api.ListPages(ctx, client.ListPagesRequest{Object: incident})
		if err == nil && len(l.Items) == 1 && l.Items[0].State != "paging" {
			id = l.Items[0].ID
		}
		return id != ""
	})
	return id
}

// override is a person who holds the run: its next action waits, and is refused.
func (p *pillars) override(run string) (id string) {
	c, ctx := p.server.api, p.t.Context()
	eventually(p.t, "the run to be held", func() bool { // it goes on, or there is nothing to hold
		p.call("/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"and now?"}]}`)
		_, err := c.HoldRun(ctx, client.HoldRunRequest{ID: run, Reason: "it repeats itself"})
		return err == nil
	})
	said := make(chan answer, 1)
	go func() { said <- p.call("/http/shop/refunds", `{"order":2}`) }() // it waits at the door
	eventually(p.t, "what waits", func() bool {
		l, err := c.ListApprovals(ctx, client.ListApprovalsRequest{Run: run})
		if err == nil && len(l.Items) == 1 {
			id = l.Items[0].ID
		}
		return id != ""
	})
	must[client.Approval](p, "refusing it")(c.DenyApproval(ctx, client.ApprovalReasonRequest{ID: id, Reason: "order 2 was not broken"}))
	if got := <-said; got.status != http.StatusForbidden || !strings.Contains(got.body, id) {
		p.t.Errorf("what a person refused was answered with %+v", got)
	}
	if got := p.call("/http/shop/refunds", `{"order":2}`); got.status != http.StatusForbidden {
		p.t.Errorf("what was refused, again: %+v", got)
	}
	if _, did := p.refunds.Load(`{"order":2}`); did {
		p.t.Error("what a person refused was done")
	}
	return id
}

func (p *pillars) refusedBy(approval string) string {
	a := must[client.Approval](p, "the refusal")(p.server.api.GetApproval(p.t.Context(), client.IDRequest{ID: approval}))
	if a.State != "denied" || a.RunID != p.ids["run"] {
		p.t.Errorf("%s of run %s", a.State, a.RunID)
	}
	return a.DecisionID
}

func (p *pillars) quarantine(incident string) string {
	c, ctx := p.server.api, p.t.Context()
	act := must[client.IncidentAct](p, "quarantine")(c.ActOnIncident(ctx, client.IncidentActRequest{ID: incident, Kind: "contain", Target: p.ids["agent"], Level: "quarantined", Reason: "until it is understood"}))
	if got := p.call("/llm/openai/v1/chat/completions", `{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`); got.status != http.StatusForbidden && got.status != http.StatusUnauthorized {
		p.t.Errorf("a call out of quarantine: %+v", got)
	}
	g := must[client.Agent](p, "the agent")(c.GetAgent(ctx, client.AgentRequest{Name: p.ids["agent"]}))
	if g.Containment != "quarantined" {
		p.t.Errorf("it is %q", g.Containment)
	}
	return act.ID
}

// ticketOf is the ticket in ServiceNow, which is closed there; that ends the incident
// here.
func (p *pillars) ticketOf(incident string) string {
	c, ctx := p.server.api, p.t.Context()
	eventually(p.t, "the ticket", func() bool {
		p.snow.mu.Lock()
		defer p.snow.mu.Unlock()
		return p.snow.row != nil && p.snow.row["correlation_id"] == "incident-"+incident && p.snow.row["correlation_display"] == "Reeve" && p.snow.row["state"] == "2"
	})
	must[client.Incident](p, "people are safe")(c.MitigateIncident(ctx, client.IncidentNoteRequest{ID: incident, Note: "it is in quarantine"}))
	body := fmt.Sprintf(`{"sys_id":"9d385017c611228701d22104cc95c371","number":"INC0010023","correlation_id":"incident-%s","state":"6","sys_updated_by":"abel.tuter","sys_updated_on":%q,"sys_mod_count":"9","assigned_to":""}`, incident, time.Now().UTC().Add(time.Second).Format(time.DateTime))
	if got := post(ctx, "http://"+p.server.Console+"/chat/servicenow/snow", "application/json", []byte(body), "Authorization", "Bearer wrong"); got.status != http.StatusUnauthorized {
		p.t.Errorf("a forged ticket: %+v", got)
	}
	if got := post(ctx, "http://"+p.server.Console+"/chat/servicenow/snow", "application/json", []byte(body), "Authorization", "Bearer "+snowSecret); got.status != http.StatusOK {
		p.t.Fatalf("ServiceNow's word: %+v", got)
	}
	eventually(p.t, "the end", func() bool {
		x, err := c.GetIncident(ctx, client.IncidentRequest{ID: incident})
		return err == nil && x.State == "resolved"
	})
	eventually(p.t, "PagerDuty to be told of the end", func() bool {
		return p.pager.find(func(e map[string]any) bool {
			return e["dedup_key"] == "incident-"+incident && e["event_action"] == "resolve"
		}) != nil
	})
	return "INC0010023"
}

func (p *pillars) review(incident string) string {
	c, ctx := p.server.api, p.t.Context()
	r := must[client.IncidentReview](p, "the draft")(c.GetIncidentReview(ctx, client.IncidentRequest{ID: incident}))
	if !strings.Contains(r.Text, p.ids["agent"]) || !strings.Contains(r.Text, "quarantined") {
		p.t.Errorf("the draft leaves out who it was or what was done:\n%s", r.Text)
	}
	r = must[client.IncidentReview](p, "the review")(c.SaveIncidentReview(ctx, client.SaveReviewRequest{ID: incident, Text: r.Text + "\n\nIt asks once now.", Revision: r.Revision, Done: true}))
	return r.Incident
}

// lesson is what other agents of the team are given before they work.
func (p *pillars) lesson(incident string) string {
	c, ctx := p.server.api, p.t.Context()
	l := must[client.LessonDetail](p, "the lesson")(c.CreateLesson(ctx, client.CreateLessonRequest{
		Title: "Ask once", Text: "Ask for the state of a refund once; it takes a day.", Team: "support", Incident: incident, Owner: "me", Measure: "failures", ExpiresAt: time.Now().Add(24 * time.Hour),
	}))
	must[client.Agent](p, "another agent")(c.CreateAgent(ctx, client.CreateAgentRequest{Name: "returns", Team: "support", Environment: "production", Purpose: "takes orders back", Lifecycle: "pilot"}))
	key := must[client.AgentKey](p, "its key")(c.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: "returns", Label: "pillars"})).Key
	rpc := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"reeve://lessons/` + l.ID + `"}}`
	if got := post(ctx, "http://"+p.server.Gateway+"/lessons/mcp", "application/json", []byte(rpc), "Authorization", "Bearer "+key); got.status != http.StatusOK || !strings.Contains(got.body, "it takes a day") {
		p.t.Errorf("what the other agent is given: %+v", got)
	}
	return l.ID
}

func (p *pillars) kpis() map[string]client.KPIFigure {
	l := must[client.KPIList](p, "KPIs")(p.server.api.ListKPIs(p.t.Context(), client.ListKPIsRequest{From: "-3h"}))
	out := map[string]client.KPIFigure{}
	for _, k := range l.Items {
		out[k.ID] = k.KPIFigure
	}
	return out
}

// figures have moved by the run: what was refused and what a person overrode.
func (p *pillars) figures(run string) string {
	c, ctx := p.server.api, p.t.Context()
	must[client.RunOutcome](p, "how it ended")(c.DecideOutcome(ctx, client.DecideOutcomeRequest{ID: run, Outcome: "failed", Reason: "the user was not helped"}))
	for _, id := range []string{"override_rate", "policy_denial_rate", "runs", "failure_rate"} {
		eventually(p.t, id, func() bool {
			was, is := p.before[id], p.kpis()[id]
			return was.N == 0 && is.N > 0 && is.Value != nil && *is.Value > 0
		})
	}
	k := must[client.KPIDetail](p, "the figure")(c.GetKPI(ctx, client.KPIRequest{ID: "failure_rate", From: "-3h", Agent: p.ids["agent"]}))
	l := must[client.List[client.Run]](p, "its records")(c.ListRuns(ctx, client.ListRunsRequest{Query: k.Records, From: "-3h"}))
	if !slices.ContainsFunc(l.Items, func(r client.Run) bool { return r.ID == run }) {
		p.t.Errorf("the figure's records (%s) are not the run", k.Records)
	}
	return k.ID
}

func (p *pillars) feedback(run string) string {
	c, ctx := p.server.api, p.t.Context()
	no, yes := 0.0, true
	f := must[client.Feedback](p, "feedback")(c.CreateFeedback(ctx, client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Run: run}, Kind: "thumb", Value: &no, Comment: "my refund never came", User: "u1", Consent: &yes}))
	eventually(p.t, "feedback to be of the run", func() bool {
		x, err := c.GetFeedback(ctx, client.FeedbackRequest{ID: f.ID})
		return err == nil && x.Run == run && x.Agent == p.ids["agent"]
	})
	eventually(p.t, "satisfaction to move", func() bool {
		was, is := p.before["csat"], p.kpis()["csat"]
		return was.N == 0 && is.N == 1 && is.Value != nil && *is.Value == 0
	})
	return f.ID
}

// caseOf is the bad run as a case of a data set.
func (p *pillars) caseOf(run string) string {
	c, ctx := p.server.api, p.t.Context()
	must[client.Dataset](p, "the data set")(c.PutDataset(ctx, client.PutDatasetRequest{Name: "refunds", Team: "support", Environment: "production"}))
	i := must[client.DatasetItem](p, "the case")(c.AddDatasetItem(ctx, client.AddDatasetItemRequest{Name: "refunds", Run: run, Expected: "It takes a day."}))
	if i.Run != run {
		p.t.Errorf("%+v", i)
	}
	return i.ID
}

// again goes by each id once more, after the last kill.
func (p *pillars) again() {
	c, ctx := p.server.api, p.t.Context()
	x := must[client.IncidentDetail](p, "the incident")(c.GetIncident(ctx, client.IncidentRequest{ID: p.ids["incident"]}))
	if x.State != "reviewed" || len(x.Acts) != 1 || x.Acts[0].ID != p.ids["quarantine"] {
		p.t.Errorf("%s, %+v", x.State, x.Acts)
	}
	for name, id := range map[string]string{"finding": p.ids["finding"], "alert": p.ids["alert"], "grafana's alert": p.ids["grafana"]} {
		if !slices.ContainsFunc(x.Members, func(s client.IncidentSignal) bool { return s.ID == id }) {
			p.t.Errorf("the incident lost its %s", name)
		}
	}
	g := must[client.Agent](p, "the agent")(c.GetAgent(ctx, client.AgentRequest{Name: p.ids["agent"]}))
	if g.Containment != "quarantined" {
		p.t.Errorf("it is %q after a kill", g.Containment)
	}
	l := must[client.LessonDetail](p, "the lesson")(c.GetLesson(ctx, client.LessonRequest{ID: p.ids["lesson"]}))
	if l.Incident != p.ids["incident"] || len(l.Reads) != 1 || l.Reads[0].Agent != "returns" {
		p.t.Errorf("%+v", l)
	}
	must[client.Policy](p, "the entitlement")(c.GetPolicy(ctx, client.PolicyRequest{Name: p.ids["entitlement"]}))
	o := must[client.RunOutcome](p, "the outcome")(c.GetRunOutcome(ctx, client.RunRequest{ID: p.ids["run"]}))
	if o.Outcome != "failed" {
		p.t.Errorf("%+v", o)
	}
	if kept, err := c.VerifyAudit(ctx); err != nil || !kept.OK {
		p.t.Errorf("the logs: %+v, %v", kept, err)
	}
	if _, wrong := p.refunds.Load(`{"order":2}`); wrong {
		p.t.Error("what a person refused was done")
	}
}
