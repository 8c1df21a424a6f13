package channel

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Teams: a Workflow that takes a webhook; its address is its secret. Buttons
// open pages: an answer cannot come back this way.
func checkTeams(_ Settings, secret Secret) error {
	if err := needToken(secret, "the address of a Workflow (when a Teams webhook request is received)"); err != nil {
		return err
	}
	if strings.Contains(secret.Token, ".webhook.office.com") {
		return invalid("Office 365 connectors ended on 2026-03-31").WithHint("make a Workflow instead")
	}
	return checkURL(secret.Token, "api.powerautomate.com", "api.powerplatform.com", "flow.microsoft.com", "logic.azure.com")
}

func sendTeams(ctx context.Context, c *http.Client, _ Settings, secret Secret, m *Message) Answer {
	body := []any{map[string]any{"type": "TextBlock", "text": plainCard(m.Title), "weight": "Bolder", "wrap": true}}
	if m.Text != "" {
		body = append(body, map[string]any{"type": "TextBlock", "text": plainCard(clip(m.Text, 5000)), "wrap": true})
	}
	if len(m.Fields) > 0 {
		facts := []any{}
		for _, f := range m.Fields {
			facts = append(facts, map[string]any{"title": plainCard(f.Name), "value": plainCard(f.Value)})
		}
		body = append(body, map[string]any{"type": "FactSet", "facts": facts})
	}
	actions := []any{}
	if m.URL != "" {
		actions = append(actions, map[string]any{"type": "Action.OpenUrl", "title": "Open in Reeve", "url": m.URL})
	}
	card := map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions}
	return post(ctx, c, http.MethodPost, secret.Token, nil, map[string]any{
		"type":        "message",
		"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}},
	}, nil)
}

// plainCard keeps text from acting as a card's Markdown.
func plainCard(s string) string {
	return strings.NewReplacer("[", "\\[", "]", "\\]", "*", "\\*", "_", "\\_", "<", "&lt;").Replace(s)
}

// PagerDuty's Events API v2.
const pagerDutyAPI = "https://events.pagerduty.com/v2/enqueue"

func checkPagerDuty(s Settings, secret Secret) error {
	if len(secret.Token) != 32 {
		return invalid("an integration key of 32 characters is needed as the secret")
	}
	if s.URL != "" {
		return checkURL(s.URL, "pagerduty.com")
	}
	return nil
}

func sendPagerDuty(ctx context.Context, c *http.Client, s Settings, secret Secret, m *Message) Answer {
	body := map[string]any{"routing_key": secret.Token, "event_action": m.Action, "dedup_key": clip(m.Key, 255), "client": "Reeve"}
	if m.URL != "" {
		body["client_url"] = m.URL
	}
	if m.Action == Trigger {
		details := map[string]string{}
		for _, f := range m.Fields {
			details[f.Name] = f.Value
		}
		if m.Text != "" {
			details["text"] = clip(m.Text, 10_000)
		}
		body["payload"] = map[string]any{
			"summary": clip(m.Title, 1024), "source": cmp.Or(m.Source, "reeve"), "severity": cmp.Or(m.Severity, "warning"), "timestamp": m.At.UTC().Format(time.RFC3339), "custom_details": details,
		}
		if m.URL != "" {
			body["links"] = []any{map[string]any{"href": m.URL, "text": "Open in Reeve"}}
		}
	}
	return post(ctx, c, http.MethodPost, cmp.Or(s.URL, pagerDutyAPI), nil, body, func(_ int, b []byte) Answer {
		var a struct {
			DedupKey string `json:"dedup_key"`
		}
		if json.Unmarshal(b, &a) != nil {
			return Answer{Outcome: Unknown}
		}
		return Answer{Outcome: Sent, Ref: a.DedupKey}
	})
}

// Jira Service Management Operations speaks as Opsgenie did.
const jsmAPI = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"

func checkJSM(s Settings, secret Secret) error {
	if err := needToken(secret, "an integration's key"); err != nil {
		return err
	}
	if s.URL != "" {
		return checkURL(s.URL, "atlassian.com", "opsgenie.com")
	}
	return nil
}

func sendJSM(ctx context.Context, c *http.Client, s Settings, secret Secret, m *Message) Answer {
	base := cmp.Or(s.URL, jsmAPI)
	headers := map[string]string{"Authorization": "GenieKey " + secret.Token}
	read := func(_ int, b []byte) Answer {
		var a struct{ RequestID string }
		if json.Unmarshal(b, &a) != nil {
			return Answer{Outcome: Unknown}
		}
		return Answer{Outcome: Sent, Ref: a.RequestID}
	}
	alias := clip(m.Key, 512)
	switch m.Action {
	case Acknowledge, Resolve:
		verb := map[string]string{Acknowledge: "acknowledge", Resolve: "close"}[m.Action]
		return post(ctx, c, http.MethodPost, base+"/"+url.PathEscape(alias)+"/"+verb+"?identifierType=alias", headers, map[string]any{"source": "reeve"}, read)
	}
	details := map[string]string{"url": m.URL}
	for _, f := range m.Fields {
		details[f.Name] = f.Value
	}
	body := map[string]any{
		"message": clip(m.Title, 130), "alias": alias, "description": clip(describe(m), 15000), "details": details, "source": "reeve",
		"priority": map[string]string{"critical": "P1", "warning": "P3", "info": "P5"}[m.Severity],
	}
	if m.Source != "" {
		body["entity"] = m.Source
	}
	if s.Channel != "" {
		body["responders"] = []any{map[string]string{"type": "team", "name": s.Channel}}
	}
	return post(ctx, c, http.MethodPost, base, headers, body, read)
}

// ServiceNow: an incident of its table, found again by correlation_id, since its
// API takes no key of ours on a create.
func checkServiceNow(s Settings, secret Secret) error {
	if s.URL == "" {
		return invalid("the instance's address is needed, such as https://acme.service-now.com")
	}
	if err := checkURL(s.URL, "service-now.com", "servicenowservices.com"); err != nil {
		return err
	}
	return needToken(secret, "a password (with the user) or an access token")
}

func sendServiceNow(ctx context.Context, c *http.Client, s Settings, secret Secret, m *Message) Answer {
	base := strings.TrimRight(s.URL, "/") + "/api/now/table/incident"
	headers := map[string]string{"Authorization": "Bearer " + secret.Token}
	if s.User != "" {
		headers["Authorization"] = basic(s.User, secret.Token)
	}
	var found []struct {
		SysID  string `json:"sys_id"`
		Number string
	}
	ask := func(_ int, b []byte) Answer {
		var a struct{ Result json.RawMessage }
		if json.Unmarshal(b, &a) != nil || json.Unmarshal(a.Result, &found) != nil {
			return Answer{Outcome: Unknown, Text: "an answer that is not ServiceNow's"}
		}
		return Answer{Outcome: Sent}
	}
	// First whether it is there: an earlier try may have made it.
	query := url.Values{"sysparm_query": {"correlation_id=" + strings.NewReplacer("^", "", "=", "").Replace(clip(m.Key, 100))}, "sysparm_fields": {"sys_id,number"}, "sysparm_limit": {"1"}}
	if a := post(ctx, c, http.MethodGet, base+"?"+query.Encode(), headers, nil, ask); a.Outcome != Sent {
		if a.Outcome == Unknown {
			a.Outcome = Again // a question changes nothing
		}
		return a
	}
	one := func(_ int, b []byte) Answer {
		var a struct {
			Result struct {
				SysID  string `json:"sys_id"`
				Number string
			}
		}
		if json.Unmarshal(b, &a) != nil || a.Result.SysID == "" {
			return Answer{Outcome: Unknown}
		}
		return Answer{Outcome: Sent, Ref: a.Result.Number, Text: a.Result.Number}
	}
	level := map[string]string{"critical": "1", "warning": "2", "info": "3"}[m.Severity]
	if len(found) == 0 {
		if m.Action != Trigger {
			return Answer{Outcome: Failed, Text: "there is no such ticket"}
		}
		body := map[string]any{
			"short_description": clip(m.Title, 160), "description": clip(describe(m), 4000), "urgency": level, "impact": level,
			"correlation_id": clip(m.Key, 100), "correlation_display": "Reeve",
		}
		if s.Channel != "" {
			body["assignment_group"] = s.Channel
		}
		return post(ctx, c, http.MethodPost, base, headers, body, one)
	}
	at := base + "/" + url.PathEscape(found[0].SysID)
	switch m.Action {
	case Acknowledge:
		return post(ctx, c, http.MethodPatch, at, headers, map[string]any{"state": "2", "work_notes": clip(m.Title, 4000)}, one)
	case Resolve:
		return post(ctx, c, http.MethodPatch, at, headers, map[string]any{"state": "6", "close_code": "Solution provided", "close_notes": clip(m.Title, 4000)}, one)
	}
	return post(ctx, c, http.MethodPatch, at, headers, map[string]any{"work_notes": clip(m.Title+"\n"+describe(m), 4000)}, one)
}

// Webhook: our own shape, signed as Standard Webhooks say.
func checkWebhook(s Settings, secret Secret) error {
	if err := checkURL(s.URL); err != nil {
		return err
	}
	if len(secret.Token) < 16 {
		return invalid("a secret of at least 16 characters is needed, by which the receiver verifies").WithHint("`reeve channel put --token-file FILE` reads it; `openssl rand -hex 32` makes one")
	}
	return nil
}

func sendWebhook(ctx context.Context, c *http.Client, s Settings, secret Secret, m *Message) Answer {
	raw, err := json.Marshal(map[string]any{"type": "reeve." + m.Action, "key": m.Key, "title": m.Title, "text": m.Text, "severity": m.Severity, "url": m.URL, "fields": m.Fields, "data": m.Data, "at": m.At.UTC().Format(time.RFC3339)})
	if err != nil {
		return Answer{Outcome: Failed, Text: "the message could not be encoded"}
	}
	at := m.At.UTC().Format(time.RFC3339)
	return post(ctx, c, http.MethodPost, s.URL, map[string]string{
		"Idempotency-Key": m.ID, "X-Reeve-Timestamp": at, "X-Reeve-Signature": "v1=" + mac(secret.Token, at, ".", string(raw)),
	}, json.RawMessage(raw), nil)
}
