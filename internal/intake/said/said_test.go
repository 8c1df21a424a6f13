package said

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
	"reeve/internal/feedback"
)

func num(v float64) *float64 { return &v }

func TestReceivers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, body string
		want       []feedback.Report
	}{
		"plain": {"feedback", `{"trace":"0af7651916cd43dd8448eb211c80319c","kind":"thumb","value":0,"comment":"no","consent":false}`, []feedback.Report{{
			On: feedback.On{Trace: "0af7651916cd43dd8448eb211c80319c"}, Kind: "thumb", Value: num(0), Comment: "no", Consent: new(bool),
		}}},
		"a list":        {"feedback", `[{"session":"s","label":"pass"},{"session":"t","label":"fail"}]`, []feedback.Report{{On: feedback.On{Session: "s"}, Label: "pass"}, {On: feedback.On{Session: "t"}, Label: "fail"}}},
		"a named list":  {"feedback", `{"feedback":[{"session":"s","label":"pass"}]}`, []feedback.Report{{On: feedback.On{Session: "s"}, Label: "pass"}}},
		"an empty list": {"feedback", `[]`, []feedback.Report{}},
		"slack up": {"slack", `{"type":"event_callback","team_id":"T1","event":{"type":"reaction_added","user":"U1","reaction":"+1::skin-tone-2","item":{"type":"message","channel":"C1","ts":"1700000000.000100"},"event_ts":"1700000001.500000"}}`, []feedback.Report{{
			Key: "slack:C1:1700000000.000100 U1 +1", On: feedback.On{JoinKey: "slack:C1:1700000000.000100"}, Name: "reaction", Kind: "thumb", Value: num(1), User: "slack:T1:U1", At: time.UnixMicro(1700000001500000).UTC(),
		}}},
		"slack taken back": {"slack", `{"type":"event_callback","event":{"type":"reaction_removed","user":"U1","reaction":"x","item":{"type":"message","channel":"C1","ts":"1"},"event_ts":"2"}}`, []feedback.Report{{
			Key: "slack:C1:1 U1 x", On: feedback.On{JoinKey: "slack:C1:1"}, Name: "reaction", Kind: "thumb", Value: num(0), User: "slack::U1", At: time.Unix(2, 0).UTC(), Removed: true,
		}}},
		"slack neither":      {"slack", `{"type":"event_callback","event":{"type":"reaction_added","user":"U1","reaction":"eyes","item":{"type":"message","channel":"C1","ts":"1"}}}`, nil},
		"slack of a file":    {"slack", `{"type":"event_callback","event":{"type":"reaction_added","user":"U1","reaction":"+1","item":{"type":"file"}}}`, nil},
		"slack other events": {"slack", `{"type":"event_callback","event":{"type":"message","user":"U1"}}`, nil},
		"pendo": {"pendo", `{"type":"user_reaction","visitorId":"v1","timestamp":1700000001500,"properties":{"agentId":"a","conversationId":"c","messageId":"m","content":"negative"}}`, []feedback.Report{{
			Key: "pendo c m v1", On: feedback.On{JoinKey: "m", Session: "c"}, Name: "reaction", Kind: "thumb", Value: num(0), User: "pendo:v1", At: time.UnixMilli(1700000001500).UTC(),
		}}},
		"pendo others": {"pendo", `{"events":[{"event":"prompt","content":"hello"},{"event":"user_reaction","conversationId":"c","messageId":"m","content":"unreact"}]}`, []feedback.Report{{
			Key: "pendo c m ", On: feedback.On{JoinKey: "m", Session: "c"}, Name: "reaction", Kind: "thumb", Value: num(0), Removed: true,
		}}},
	} {
		got, err := Receivers[c.kind].Read(&Request{Body: []byte(c.body)})
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if got := string(Receivers["slack"].Answer(&Request{Body: []byte(`{"type":"url_verification","challenge":"a\"b"}`)})); got != `{"challenge":"a\"b"}` {
		t.Errorf("challenge: %s", got)
	}
	if got := Receivers["slack"].Answer(&Request{Body: []byte(`{"type":"event_callback","challenge":"x"}`)}); got != nil {
		t.Errorf("an event is answered as a challenge: %s", got)
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	for kind, bodies := range map[string][]string{
		"feedback": {"", "null", "3", "[3]", `{"value":"x"}`, `{"feedback":[3]}`, "{"},
		"slack":    {"", "[", `{"type":"event_callback","event":{"type":"reaction_added","reaction":"+1","item":{"type":"message"}}}`},
		"pendo":    {"", "7", `{"type":"user_reaction","content":"meh","messageId":"m"}`, `{"type":"user_reaction","content":"positive"}`, `{"type":"user_reaction","content":{},"messageId":"m"}`},
	} {
		for _, body := range bodies {
			if got, err := Receivers[kind].Read(&Request{Body: []byte(body)}); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%s %s: %+v, %v", kind, body, got, err)
			}
		}
	}
}

func FuzzReceivers(f *testing.F) {
	f.Add("slack", `{"type":"event_callback","event":{"type":"reaction_added","user":"U1","reaction":"+1","item":{"type":"message","channel":"C1","ts":"1"},"event_ts":"1e400"}}`)
	f.Add("pendo", `{"events":[{"event":"user_reaction","conversationId":"c","content":"positive","timestamp":1e999}]}`)
	f.Add("feedback", `[{"session":"s","label":"pass","at":"2026-01-01T00:00:00Z"}]`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		r, ok := Receivers[kind]
		if !ok {
			return
		}
		got, err := r.Read(&Request{Body: []byte(body)})
		if err != nil && got != nil || len(got) > maxReports {
			t.Fatalf("%d, %v", len(got), err)
		}
		if r.Answer != nil {
			r.Answer(&Request{Body: []byte(body)})
		}
	})
}
