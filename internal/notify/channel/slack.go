package channel

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Slack: chat.postMessage with a bot's token, or an incoming webhook, whose
// address is its secret.

const slackAPI = "https://slack.com/api/chat.postMessage"

func checkSlack(s Settings, secret Secret) error {
	if err := needToken(secret, "a bot's token (xoxb-...) or the address of an incoming webhook"); err != nil {
		return err
	}
	if strings.HasPrefix(secret.Token, "http") {
		return checkURL(secret.Token, "hooks.slack.com", "hooks.slack-gov.com")
	}
	if s.Channel == "" {
		return invalid("a bot needs the channel to write to")
	}
	if s.URL != "" {
		return checkURL(s.URL, "slack.com", "slack-gov.com")
	}
	return nil
}

// mrkdwn keeps text from acting as Slack's markup: no links, no mentions.
func mrkdwn(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

var slackMarks = map[string]string{"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}

// slackBlocks is a message as Block Kit has it.
func slackBlocks(m *Message) []any {
	word := slackMarks[m.Severity]
	if m.Action == Resolve {
		word = ":white_check_mark:"
	}
	title := strings.TrimSpace(word + " *" + mrkdwn(clip(m.Title, 1000)) + "*")
	if m.URL != "" {
		title += "\n<" + m.URL + "|Open in Reeve>"
	}
	blocks := []any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": clip(title, 2900)}}}
	if m.Text != "" {
		blocks = append(blocks, map[string]any{"type": "section", "text": map[string]any{"type": "plain_text", "text": clip(m.Text, 2900)}})
	}
	if len(m.Fields) > 0 {
		fields := []any{}
		for _, f := range m.Fields[:min(len(m.Fields), 10)] {
			fields = append(fields, map[string]any{"type": "plain_text", "text": clip(f.Name+": "+f.Value, 1900)})
		}
		blocks = append(blocks, map[string]any{"type": "section", "fields": fields})
	}
	if len(m.Buttons) > 0 {
		elements := []any{}
		for _, b := range m.Buttons {
			e := map[string]any{"type": "button", "action_id": b.ID, "value": b.Value, "text": map[string]any{"type": "plain_text", "text": clip(b.Label, 75)}}
			if b.Style != "" {
				e["style"] = b.Style
			}
			elements = append(elements, e)
		}
		blocks = append(blocks, map[string]any{"type": "actions", "elements": elements})
	}
	return blocks
}

func sendSlack(ctx context.Context, c *http.Client, s Settings, secret Secret, m *Message) Answer {
	body := map[string]any{"text": mrkdwn(clip(m.Title, 3000)), "blocks": slackBlocks(m), "unfurl_links": false}
	if strings.HasPrefix(secret.Token, "http") {
		return post(ctx, c, http.MethodPost, secret.Token, nil, body, nil)
	}
	body["channel"] = cmp.Or(m.To, s.Channel)
	if m.Ref != "" && m.Action != Trigger {
		if _, ts, ok := strings.Cut(m.Ref, "/"); ok {
			body["thread_ts"] = ts // the end stands under the beginning
		}
	}
	return post(ctx, c, http.MethodPost, cmp.Or(s.URL, slackAPI), map[string]string{"Authorization": "Bearer " + secret.Token}, body, readSlack)
}

// readSlack reads an answer of Slack's API, which says no with status 200.
func readSlack(_ int, body []byte) Answer {
	var a struct {
		OK      bool
		Error   string
		Channel string
		TS      string
	}
	if json.Unmarshal(body, &a) != nil {
		return Answer{Outcome: Unknown, Text: "an answer that is not Slack's"}
	}
	switch {
	case a.OK:
		return Answer{Outcome: Sent, Ref: a.Channel + "/" + a.TS, Text: "ok"}
	case a.Error == "ratelimited" || a.Error == "rate_limited":
		return Answer{Outcome: Again, Text: a.Error, Wait: 30 * time.Second}
	case a.Error == "internal_error" || a.Error == "fatal_error" || a.Error == "request_timeout":
		return Answer{Outcome: Unknown, Text: a.Error}
	}
	return Answer{Outcome: Failed, Text: a.Error}
}

// Interaction is a button that somebody pressed in Slack.
type Interaction struct {
	Team, User, Name string
	Action, Value    string
	ResponseURL      string
}

// ReadInteraction reads Slack's payload; ok is false for what is no button.
func ReadInteraction(payload []byte) (Interaction, bool) {
	var p struct {
		Type string
		Team struct{ ID string }
		User struct{ ID, Username, Name string }
		// Slack's names.
		ResponseURL string `json:"response_url"`
		Actions     []struct {
			ActionID string `json:"action_id"`
			Value    string
		}
	}
	if json.Unmarshal(payload, &p) != nil || p.Type != "block_actions" || len(p.Actions) != 1 || p.User.ID == "" {
		return Interaction{}, false
	}
	return Interaction{
		Team: p.Team.ID, User: p.User.ID, Name: cmp.Or(p.User.Username, p.User.Name), Action: p.Actions[0].ActionID, Value: p.Actions[0].Value, ResponseURL: p.ResponseURL,
	}, true
}

// Respond answers who pressed a button, seen by them alone.
func Respond(ctx context.Context, c *http.Client, address, text string) Answer {
	if checkURL(address, "hooks.slack.com", "slack.com", "hooks.slack-gov.com") != nil {
		return Answer{Outcome: Failed, Text: "the answer's address is not Slack's"}
	}
	return post(ctx, c, http.MethodPost, address, nil, map[string]any{"response_type": "ephemeral", "replace_original": false, "text": mrkdwn(clip(text, 2900))}, nil)
}
