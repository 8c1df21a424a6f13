package app

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
)

// A key of an agent that telemetry brings, in what was said, in an attribute or
// in a log record, or that a call at the door has in its body, is dead from then
// on, and a finding says where it was seen.
func TestAKeyThatIsSeenDies(t *testing.T) {
	t.Parallel()
	a, door, _ := chatter(t)
	c := client.New("http://"+a.Address("listen"), "")
	otlp := "http://" + a.Address("otlp_http_listen")
	span := func(n int, attributes string) string {
		at := time.Now().UnixNano()
		return fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","name":"chat m","startTimeUnixNano":"%d","endTimeUnixNano":"%d",
			"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},%s]}]}]}]}`, n, n, at, at+1, attributes)
	}
	said := `{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":\"use %s\"}]"}}`
	for n, place := range []struct{ name, path, body string }{
		{"a message of telemetry", "/v1/traces", span(1, said)},
		{"an attribute of telemetry", "/v1/traces", span(2, `{"key":"note","value":{"stringValue":"key=%s"}}`)},
		{"a log record", "/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","body":{"stringValue":"sent %s"}}]}]}]}`},
		{"a call at the door", "", `{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"my key is %s"}]}`},
	} {
		k, text, err := a.agents.CreateKey(t.Context(), everyRole(), "chatter", agent.NewKey{Label: "lost"})
		if err != nil {
			t.Fatal(err)
		}
		url, head := otlp+place.path, []string{}
		if place.path == "" {
			url, head = a.Door()+"/llm/openai/v1/chat/completions", []string{"Authorization", "Bearer " + door}
		}
		if got := post(t.Context(), url, "application/json", []byte(fmt.Sprintf(place.body, text)), head...); got.status != http.StatusOK {
			t.Fatalf("%s: %+v", place.name, got)
		}
		var found client.Finding
		eventually(t, "a finding of a key in "+place.name, func() bool {
			list, err := c.ListFindings(t.Context(), client.ListFindingsRequest{Detector: "leaked_key"})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list.Items {
				if f.Subject == k.ID {
					found = f
				}
			}
			return found.ID != ""
		})
		if _, _, err := a.agents.Key(text, netip.MustParseAddr("127.0.0.1")); err == nil {
			t.Errorf("the key in %s lives", place.name)
		}
		if found.Agent != "chatter" || found.Severity != "critical" || found.Authenticated || !strings.Contains(found.Text, place.name) || strings.Contains(fmt.Sprintf("%+v", found), text) {
			t.Errorf("%s: %+v", place.name, found)
		}
		if n < 2 && len(found.Runs) != 1 {
			t.Errorf("%s: shown by no run: %+v", place.name, found)
		}
	}
}
