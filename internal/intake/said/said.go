// Package said reads what people said of results, in the words of those who send
// it: bytes in, feedback out.
//
// What for: reactions in a chat, events of a product's analytics and the plain
// form of our own each name the result, the person and the verdict otherwise.
//
// Who calls it: intake, once a delivery was proved to be its source's.
//
// Promises: pure functions of the request. Events that say nothing of a result
// (a prompt, a reaction that is neither good nor bad) are taken, and nothing
// comes of them.
//
// How it fails: faults of kind invalid with codes said.*; they refuse the whole
// delivery, since a part that was taken would be taken again.
//
// Start reading at Receivers.
package said

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/feedback"
)

// Request is one delivery.
type Request struct {
	Body []byte
	Now  time.Time
}

// Receiver reads one kind of source.
type Receiver struct {
	Read func(*Request) ([]feedback.Report, error)
	// Answer is what a sender that asks whether this address is right expects; nil
	// for any other delivery. May be nil.
	Answer func(*Request) []byte
}

// Receivers are the receivers by the name of their kind.
var Receivers = map[string]Receiver{
	"feedback": {Read: plain},
	"slack":    {Read: slack, Answer: challenge},
	"pendo":    {Read: pendo},
}

// maxReports bounds one delivery.
const maxReports = 1000

func malformed(what string, err error) error {
	return fault.New(fault.KindInvalid, "said.malformed", "the body is not %s", what).WithCause(err)
}

func tooMany() error {
	return fault.New(fault.KindInvalid, "said.too_many", "a delivery has at most %d feedbacks", maxReports).WithHint("send smaller batches")
}

// eachOf reads one object, a list of them, or an object that has the list under
// a name.
func eachOf[T any](body []byte, name, what string) ([]T, error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		var all []T
		if err := json.Unmarshal(body, &all); err != nil {
			return nil, malformed(what, err)
		}
		if len(all) > maxReports {
			return nil, tooMany()
		}
		return all, nil
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(body, &in); err != nil || in == nil {
		return nil, malformed(what, err)
	}
	if list, ok := in[name]; ok && len(bytes.TrimSpace(list)) > 0 && bytes.TrimSpace(list)[0] == '[' {
		return eachOf[T](list, name, what)
	}
	var one T
	if err := json.Unmarshal(body, &one); err != nil {
		return nil, malformed(what, err)
	}
	return []T{one}, nil
}

// plain reads our own form, as the API takes it.
func plain(r *Request) ([]feedback.Report, error) {
	all, err := eachOf[client.CreateFeedbackRequest](r.Body, "feedback", "a feedback or a list of them")
	if err != nil {
		return nil, err
	}
	out := make([]feedback.Report, len(all))
	for i, f := range all {
		out[i] = Report(&f)
	}
	return out, nil
}

// Report is a feedback of the API's form.
func Report(f *client.CreateFeedbackRequest) feedback.Report {
	r := feedback.Report{
		Key: f.Key, On: feedback.On(f.FeedbackAbout), Name: f.Name, Kind: f.Kind, Value: f.Value, Min: f.Min, Max: f.Max, Label: f.Label, Comment: f.Comment,
		User: f.User, Giver: f.Giver, Consent: f.Consent, Contact: f.Contact, Removed: f.Removed,
	}
	if f.At != nil {
		r.At = *f.At
	}
	return r
}

// Reactions that say something of a result, by their names in Slack. A skin tone
// follows the name after two colons.
var (
	glad  = set("+1", "thumbsup", "white_check_mark", "heavy_check_mark", "heart", "tada", "raised_hands", "100", "star", "clap", "pray", "fire", "ok_hand", "smile", "heart_eyes")
	angry = set("-1", "thumbsdown", "x", "no_entry", "no_entry_sign", "disappointed", "confused", "angry", "rage", "face_with_rolling_eyes", "negative_squared_cross_mark", "cry")
)

func set(words ...string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}

type slackEvent struct {
	Type      string
	Challenge string
	TeamID    string `json:"team_id"`
	Event     struct {
		Type, User, Reaction string
		Item                 struct {
			Type, Channel, TS string
		}
		EventTS string `json:"event_ts"`
	}
}

// challenge answers the question by which Slack tries an address.
func challenge(r *Request) []byte {
	var e slackEvent
	if json.Unmarshal(r.Body, &e) != nil || e.Type != "url_verification" || e.Challenge == "" || len(e.Challenge) > 1000 {
		return nil
	}
	out, _ := json.Marshal(map[string]string{"challenge": e.Challenge}) // a string
	return out
}

// slack reads reactions to messages. Whoever posts an agent's answers binds each
// to its run by the key slack:CHANNEL:TS.
func slack(r *Request) ([]feedback.Report, error) {
	var e slackEvent
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return nil, malformed("an event of Slack", err)
	}
	x := &e.Event
	removed := x.Type == "reaction_removed"
	if e.Type != "event_callback" || x.Type != "reaction_added" && !removed || x.Item.Type != "message" {
		return nil, nil
	}
	name, _, _ := bytes.Cut([]byte(x.Reaction), []byte("::"))
	var value float64
	switch {
	case glad[string(name)]:
		value = 1
	case angry[string(name)]:
	default:
		return nil, nil
	}
	if x.Item.Channel == "" || x.Item.TS == "" || x.User == "" {
		return nil, fault.New(fault.KindInvalid, "said.missing", "the reaction does not say to what, or whose it is")
	}
	at := "slack:" + x.Item.Channel + ":" + x.Item.TS
	return []feedback.Report{{
		Key: at + " " + x.User + " " + string(name), On: feedback.On{JoinKey: at}, Name: "reaction", Kind: feedback.Thumb, Value: &value, User: "slack:" + e.TeamID + ":" + x.User, At: seconds(x.EventTS), Removed: removed,
	}}, nil
}

// seconds reads a time in seconds with a fraction; zero when it is none.
func seconds(s string) time.Time {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0) || f > 1e11 {
		return time.Time{}
	}
	return time.UnixMicro(int64(f * 1e6)).UTC()
}

type pendoEvent struct {
	Type, Event, Name string
	VisitorID         string `json:"visitorId"`
	Timestamp         json.Number
	Properties        *pendoProps
	pendoProps        // where the event has its properties at its top
}

type pendoProps struct {
	AgentID        string          `json:"agentId"`
	ConversationID string          `json:"conversationId"`
	MessageID      string          `json:"messageId"`
	Content        json.RawMessage `json:"content"`
}

// pendo reads user_reaction events of Pendo's agent analytics: positive,
// negative or unreact. What else it sends is about the conversation itself.
func pendo(r *Request) ([]feedback.Report, error) {
	all, err := eachOf[pendoEvent](r.Body, "events", "an event of Pendo or a list of them")
	if err != nil {
		return nil, err
	}
	var out []feedback.Report
	for i := range all {
		e := &all[i]
		if e.Type != "user_reaction" && e.Event != "user_reaction" && e.Name != "user_reaction" {
			continue
		}
		p := e.pendoProps
		if e.Properties != nil {
			p = *e.Properties
		}
		var content string
		_ = json.Unmarshal(p.Content, &content) // anything but a word is refused below
		f := feedback.Report{Name: "reaction", Kind: feedback.Thumb, On: feedback.On{JoinKey: p.MessageID, Session: p.ConversationID}, At: millis(e.Timestamp)}
		if e.VisitorID != "" {
			f.User = "pendo:" + e.VisitorID
		}
		f.Key = "pendo " + p.ConversationID + " " + p.MessageID + " " + e.VisitorID
		value := 0.0
		switch content {
		case "positive":
			value = 1
		case "negative":
		case "unreact":
			f.Removed = true
		default:
			return nil, fault.New(fault.KindInvalid, "said.missing", "a user_reaction is positive, negative or unreact, not %.40q", content)
		}
		if p.MessageID == "" && p.ConversationID == "" {
			return nil, fault.New(fault.KindInvalid, "said.missing", "the reaction names neither message nor conversation")
		}
		f.Value = &value
		out = append(out, f)
	}
	return out, nil
}

func millis(n json.Number) time.Time {
	ms, err := n.Int64()
	if err != nil || ms <= 0 || ms > 1e14 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
