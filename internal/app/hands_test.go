package app

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/incident"
	"reeve/internal/notify"
	"reeve/internal/notify/channel"
)

// aRun is a run of an agent's for a user, with a call of a model, as telemetry.
func aRun(agent, version, user, model string, n int, at time.Time) []byte {
	attr := func(k, v string) string { return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, v) }
	span := func(id, parent, name string, attrs ...string) string {
		return fmt.Sprintf(`{"traceId":"%032x","spanId":"%016x","parentSpanId":%q,"name":%q,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s]}`,
			n+1, len(id)+100*n, parent, name, at.UnixNano(), at.Add(time.Second).UnixNano(), strings.Join(attrs, ","))
	}
	root := span("r", "", "invoke_agent "+agent, attr("gen_ai.operation.name", "invoke_agent"), attr("gen_ai.agent.name", agent), attr("user.id", user), attr("gen_ai.agent.version", version))
	call := span("rc", fmt.Sprintf("%016x", 1+100*n), "chat "+model, attr("gen_ai.operation.name", "chat"), attr("gen_ai.agent.name", agent), attr("gen_ai.request.model", model), attr("gen_ai.response.model", model+"-2024-08-06"), attr("gen_ai.provider.name", "openai"))
	return []byte(`{"resourceSpans":[{"resource":{"attributes":[` + attr("service.name", agent) + `,` + attr("deployment.environment.name", "production") + `]},"scopeSpans":[{"spans":[` + root + `,` + call + `]}]}]}`)
}

// What is done about an incident: each act is previewed, done, seen where it holds,
// stands on the timeline, and is taken back, unless somebody else decided since.
func TestActsOnAnIncident(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	register(t, a, "refunds")
	c := client.New("http://"+a.Address("listen"), "")
	for n, user := range []string{"ann@example.com", "corp:bob@example.com", "user-7", "ann@example.com", "ann@example.com"} {
		model := "gpt-4o"
		if n == 4 {
			model = "gpt-4o-mini"
		}
		if r := post(ctx, "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", aRun("refunds", "v1", user, model, n, time.Now().Add(-time.Minute))); r.status != http.StatusOK {
			t.Fatal(r)
		}
	}
	for _, name := range []string{"main", "spare"} {
		if _, err := a.upstreams.Put(ctx, "dev", client.Upstream{Name: name, Kind: "llm", Dialect: "openai", URL: "http://127.0.0.1:1", Team: "core", Environment: "production", AllowPrivate: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.PutSource(ctx, client.PutSourceRequest{Name: "handbook", Kind: "corpus", Team: "core"}); err != nil {
		t.Fatal(err)
	}
	var hook outside
	everybody := incident.Actor{Person: "test", Name: "test", Can: func(string, string, string) bool { return true }}
	if _, err := a.calling.notices.Put(ctx, notify.Actor{Person: "test", Can: everybody.Can}, notify.Change{Name: "users", Kind: "webhook", Settings: channel.Settings{URL: hook.serve(t, 200, "")}, Token: strings.Repeat("s", 32)}); err != nil {
		t.Fatal(err)
	}
	i, err := c.OpenIncident(ctx, client.OpenIncidentRequest{Title: "wrong refunds", Severity: "warning", Kind: "wrong_action", Team: "core", Environment: "production", Agents: []string{"refunds"}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the runs to be counted", func() bool {
		x, err := c.GetIncident(ctx, client.IncidentRequest{ID: i.ID})
		return err == nil && x.People != nil && *x.People == 3 && x.Runs == 5
	})
	// An alias and the dated name that answers differ: offers are of what is asked for.
	if offers, err := c.ListIncidentOffers(ctx, client.IncidentRequest{ID: i.ID}); err != nil || !offered(offers, "pin_model", "gpt-4o > gpt-4o-mini") {
		t.Errorf("offers: %+v, %v", offers, err)
	}
	pinned := func() string {
		g, _ := a.agents.Lookup("refunds")
		return g.PinnedModel("gpt-4o", time.Now()) + g.PinnedVersion(time.Now())
	}
	switched := func() string {
		if s := a.upstreams.Switched("main"); s != nil {
			return s.To
		}
		return ""
	}
	out := func() string { return fmt.Sprint(a.sources.IsOut("core", "handbook", false)) }
	for _, x := range []struct {
		kind, target, level, preview string
		state                        func() string
		during, after                string
	}{
		{"pin_model", "refunds", "gpt-4o > gpt-4o-mini", "4 calls of it in the last 24 hours asked for that name", pinned, "gpt-4o-mini", ""},
		{"pin_version", "refunds", "v0", "refuses refunds as long as it is observed to be another version than v0", pinned, "v0", ""},
		{"switch_upstream", "main", "spare", "Each new call of main goes to spare", switched, "spare", ""},
		{"source_out", "handbook", "", "The door refuses to read handbook", out, "true", "false"},
	} {
		req := client.IncidentActRequest{ID: i.ID, Kind: x.kind, Target: x.target, Level: x.level, Reason: "it is worse"}
		p, err := c.PreviewIncidentAct(ctx, req)
		if err != nil || !strings.Contains(p.Text, x.preview) || p.Needs != "" || p.Second || x.state() != x.after {
			t.Errorf("%s: previewed %+v, %v", x.kind, p, err)
		}
		done, err := c.ActOnIncident(ctx, req)
		if err != nil || done.State != "done" || x.state() != x.during {
			t.Fatalf("%s: %+v, %v: %q", x.kind, done, err, x.state())
		}
		back, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: done.ID, Reason: "it is well"})
		if err != nil || back.State != "undone" || x.state() != x.after {
			t.Errorf("%s taken back: %+v, %v: %q", x.kind, back, err, x.state())
		}
		if _, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: done.ID, Reason: "again"}); apiCode(err) != "incident.conflict" {
			t.Errorf("%s taken back twice: %v", x.kind, err)
		}
	}
	for name, req := range map[string]client.IncidentActRequest{
		"no such model":    {Kind: "pin_model", Target: "refunds", Level: "gpt-4o"},
		"no such upstream": {Kind: "switch_upstream", Target: "main", Level: "gone"},
		"no such source":   {Kind: "source_out", Target: "gone"},
		"no such channel":  {Kind: "tell_affected", Target: "gone", Message: "x"},
		"no message":       {Kind: "tell_affected", Target: "users"},
		"a long message":   {Kind: "tell_affected", Target: "users", Message: strings.Repeat("x", 4001)},
		"no such act":      {Kind: "pray", Target: "refunds"},
	} {
		req.ID, req.Reason = i.ID, "why"
		if _, err := c.ActOnIncident(ctx, req); err == nil {
			t.Errorf("%s was done", name)
		}
	}

	// An undoing does not undo what somebody else decided since.
	first, err := c.ActOnIncident(ctx, client.IncidentActRequest{ID: i.ID, Kind: "pin_model", Target: "refunds", Level: "gpt-4o > gpt-4o-mini", Reason: "worse"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PinAgent(ctx, client.PinAgentRequest{Name: "refunds", Kind: "model", From: "gpt-4o", Value: "gpt-4.1", Reason: "better"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: first.ID, Reason: "well"}); apiCode(err) != "incident.act" || pinned() != "gpt-4.1" {
		t.Errorf("somebody else's pin was taken out: %v, %s", err, pinned())
	}

	// Two complained without an address, one of a run that it is about.
	list, err := c.ListRuns(ctx, client.ListRunsRequest{Agent: "refunds"})
	if err != nil || len(list.Items) != 5 {
		t.Fatalf("%+v %v", list, err)
	}
	var seen []string
	for _, about := range []client.FeedbackAbout{{Run: list.Items[0].ID}, {Trace: traceOf(4711)}} {
		link, err := c.CreateFeedbackLink(ctx, client.CreateFeedbackLinkRequest{FeedbackAbout: about})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, statusLink.FindStringSubmatch(answerBy(t, link.URL, "it is wrong"))[1])
	}
	eventually(t, "the complaint to be joined", func() bool {
		l, err := c.ListFeedback(ctx, client.ListFeedbackRequest{Run: list.Items[0].ID})
		return err == nil && len(l.Items) == 1 && l.Items[0].WatchedTill != nil
	})

	tell := client.IncidentActRequest{ID: i.ID, Kind: "tell_affected", Target: "users", Reason: "they should know", Message: "Your refund may be wrong."}
	p, err := c.PreviewIncidentAct(ctx, tell)
	if err != nil || !p.Second || !strings.Contains(p.Draft, "put right") || !strings.Contains(p.Text, "Sends 3 messages") || !strings.Contains(p.Text, "1 who complained and left no address") || strings.Contains(p.Text+strings.Join(p.Hits, " "), "ann@") {
		t.Fatalf("%+v, %v", p, err)
	}
	for n, want := range []string{"3 people are told", "0 people are told"} {
		done, err := c.ActOnIncident(ctx, tell)
		if err != nil || !strings.Contains(done.Result, want) || !strings.Contains(done.Result, "1 are shown it behind their link") {
			t.Fatalf("told for the time %d: %+v, %v", n+1, done, err)
		}
		eventually(t, "the messages", func() bool { return len(hook.all()) == 3 })
	}
	for n, want := range []string{"Your refund may be wrong.", "Nobody has said yet"} {
		if status, body := page(t, seen[n]); status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "it is wrong") {
			t.Errorf("link %d: %d %s", n, status, body)
		}
	}
	// What becomes of it in the house is not theirs: nobody is told a second time.
	told, err := a.incidents.Get(ctx, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{channel.Acknowledge, channel.Resolve} {
		if err := a.over(ctx, &endOf{object: told.ID, action: action, again: true, title: func(*notify.Delivery) string { return "it is over" }}); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := a.calling.notices.Deliveries(ctx, notify.Filter{Object: i.ID, Channel: "users"}); err != nil || len(all) != 3 {
		t.Errorf("%d deliveries to the users, %v", len(all), err)
	}
	x, err := c.GetIncident(ctx, client.IncidentRequest{ID: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Did: send refunds's calls of gpt-4o to gpt-4o-mini", "Taken back: take handbook out of use", "Did: tell the people whom it touched, through users"} {
		found := false
		for _, e := range x.Timeline {
			found = found || e.Text == want && e.Evidence != nil
		}
		if !found {
			t.Errorf("the timeline does not say %q", want)
		}
	}
	if _, err := c.UndoIncidentAct(ctx, client.UndoActRequest{ID: x.Acts[1].ID, Reason: "wrong"}); apiCode(err) != "incident.act" {
		t.Errorf("messages that went out were taken back: %v", err)
	}
}

// apiCode is the code that the API refused with.
func apiCode(err error) string {
	var p *client.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return code(err)
}

// An agent's marks name what is wrong and where that is seen, also of one that did
// nothing in the period.
func TestAgentMarks(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	ctx := t.Context()
	register(t, a, "quiet")
	c := client.New("http://"+a.Address("listen"), "")
	if r := post(ctx, "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", aRun("busy", "v1", "ann", "gpt-4o", 1, time.Now().Add(-time.Minute))); r.status != http.StatusOK {
		t.Fatal(r)
	}
	of := func(list []client.AgentMarks, name string) map[string]client.Mark {
		for _, m := range list {
			if m.Agent == name {
				out := map[string]client.Mark{}
				for _, k := range m.Marks {
					out[k.Name] = k
				}
				return out
			}
		}
		return nil
	}
	var last []client.AgentMarks
	defer func() {
		if t.Failed() {
			t.Logf("%+v", last)
		}
	}()
	eventually(t, "the run to be counted", func() bool {
		l, err := c.ListAgentMarks(ctx, client.ListAgentMarksRequest{})
		if err != nil {
			t.Fatal(err)
		}
		last = l.Items
		busy, quiet := of(l.Items, "busy"), of(l.Items, "quiet")
		return busy["behaviour"].State == "good" && busy["identity"].State == "warn" && busy["identity"].Path == "/agents/busy" &&
			quiet["identity"].Reason == "its purpose is shorter than 12 letters" && quiet["behaviour"].State == "unknown" && len(quiet) == 5
	})
	l, err := c.ListAgentMarks(ctx, client.ListAgentMarksRequest{Agent: "quiet"})
	if err != nil || len(l.Items) != 1 || l.Items[0].Agent != "quiet" {
		t.Errorf("of one alone: %+v, %v", l, err)
	}
}

func offered(list *client.List[client.IncidentOffer], kind, level string) bool {
	for _, o := range list.Items {
		if o.Kind == kind && o.Level == level {
			return true
		}
	}
	return false
}
