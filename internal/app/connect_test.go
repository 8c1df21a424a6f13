package app

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// Connecting an agent makes its key and registers it; what it then sends and
// asks is told, with what is missing.
func TestConnect(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	made, err := c.Connect(t.Context(), client.ConnectRequest{Framework: "decisions", Agent: "refund-agent", Team: "support", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	if !made.Registered || made.AgentKey == nil || made.IntakeKey != nil || made.AgentKey.Key != "" {
		t.Errorf("made %+v, want a registered agent and a key that stands in the parts alone", made)
	}
	text := made.Framework.Parts[0].Text
	_, rest, _ := strings.Cut(text, "Bearer ")
	key, _, _ := strings.Cut(rest, "'")
	if !strings.HasPrefix(key, "rvk_") || !strings.Contains(text, a.Door()+"/decisions") {
		t.Fatalf("parts:\n%s", text)
	}
	progress := func() *client.ConnectProgress {
		p, err := c.ConnectProgress(t.Context(), client.ConnectProgressRequest{Agent: "refund-agent", Since: made.Since.Format(time.RFC3339Nano)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := progress(); p.Run != nil || p.Decision != nil || len(p.Others) != 0 || p.Score != nil {
		t.Errorf("before anything came: %+v", p)
	}
	if r := post(t.Context(), a.Door()+"/decisions", "application/json", []byte(`{"tool":"pay","arguments":{"amount":5},"key":"call_1"}`), "Authorization", "Bearer "+key); r.status != http.StatusOK {
		t.Fatalf("asking: %+v", r)
	}
	eventually(t, "the decision", func() bool { p := progress(); return p.Decision != nil && p.Decision.Agent == "refund-agent" })

	// A step under another name is told as such, until one comes under its own.
	span := func(service, id string) {
		t.Helper()
		now := time.Now().UnixNano()
		body := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"` + service + `"}}]},"scopeSpans":[{"spans":[
			{"traceId":"0102030405060708090a0b0c0d0e0f` + id + `","spanId":"0102030405060708","name":"chat","startTimeUnixNano":` + strconv.FormatInt(now, 10) + `,"endTimeUnixNano":` + strconv.FormatInt(now, 10) + `,
			 "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}]}]}]}]}`
		if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(body)); r.status != http.StatusOK {
			t.Fatalf("sending: %+v", r)
		}
	}
	span("wrong-name", "01")
	eventually(t, "the other name", func() bool { p := progress(); return p.Run != nil || len(p.Others) == 1 && p.Others[0] == "wrong-name" })
	span("refund-agent", "02")
	eventually(t, "the step, and what is missing", func() bool {
		p := progress()
		return p.Run != nil && p.Run.Agent == "refund-agent" && p.Score != nil && len(p.Missing) > 0 && p.Missing[0].Fix != ""
	})
	for name, req := range map[string]client.ConnectRequest{
		"connect.unknown":       {Framework: "cobol", Agent: "a", Team: "support", Environment: "production"},
		"connect.invalid":       {Framework: "curl", Agent: "a'b", Team: "support", Environment: "production"},
		"api.parameter_invalid": {Framework: "curl", Agent: "a", Team: "support", Environment: "production", Host: "a/b"},
	} {
		_, err := c.Connect(t.Context(), req)
		var p *client.Problem
		if !errors.As(err, &p) || p.Code != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
