// Package copilotstudio reads the conversation transcripts that Microsoft Copilot
// Studio leaves in Dataverse.
//
// What for: agents of Copilot Studio send no telemetry of ours; when a
// conversation was quiet for half an hour its transcript becomes a row. A row is
// a run: the conversation, a task for each thing that the user said, and below it
// the steps of the agent's plan: tools, knowledge searches, other agents.
//
// Who calls it: the registry of package intake hands Dialect to dialect.NewMap
// and its doors; package poll fetches rows and gives them to that door.
//
// Promises: pure functions. Ids come from the row's and its activities', so that
// a row read twice is one run. What no rule knows is kept as the step's
// attributes. Models, tokens and cost are not in a transcript and stay unknown.
//
// How it fails: a body without rows is refused whole; a row that cannot be read
// is counted.
//
// Start reading at transcripts; conversation.go makes the steps.
package copilotstudio

import (
	"bytes"
	"cmp"
	"net/http"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/genai"
	"reeve/internal/intake/dialect"
)

// Path is where rows are taken.
const Path = "/v1/copilot-studio/transcripts"

// AgentHeader names whose conversations the rows are where that should not be
// the name that Copilot Studio has.
const AgentHeader = "X-Reeve-Agent"

// Dialect is Copilot Studio.
func Dialect() dialect.Dialect {
	return dialect.Dialect{
		Name: "copilot-studio", Rules: rules,
		Endpoints: []dialect.Endpoint{{Method: "POST", Path: Path, Types: []string{"application/json"}, Take: transcripts}},
	}
}

const (
	kindKey  = "copilot_studio.step"
	agentKey = "copilot_studio.agent"
)

// kinds are what a step of ours is; plan steps say what they run.
var kinds = map[string]activity.Kind{
	"conversation": activity.KindAgent, "turn": activity.KindTask, "tool": activity.KindTool, "knowledge": activity.KindRetrieval,
	"agent": activity.KindHandoff, "handoff": activity.KindHandoff, "event": activity.KindEvent, "topic": activity.KindTask,
}

var rules = []dialect.Rule{
	{Key: kindKey, Field: dialect.Kind, Rank: 13, Kinds: kinds},
	{Key: agentKey, Field: dialect.Agent, Rank: 65},
	{Key: "copilot_studio.agent_id", Field: dialect.AgentID, Rank: 65},
	{Key: "copilot_studio.input", Field: dialect.ContentInput, Rank: 28, Format: genai.Text},
	{Key: "copilot_studio.output", Field: dialect.ContentOutput, Rank: 28, Format: genai.Text},
	{Key: "copilot_studio.arguments", Field: dialect.ContentArguments, Rank: 60, Format: genai.JSON},
	{Key: "copilot_studio.result", Field: dialect.ContentResult, Rank: 60, Format: genai.JSON},
	{Key: "copilot_studio.error", Field: dialect.ErrorType, Rank: 30},
	{Key: "copilot_studio.tool", Field: dialect.ToolName, Rank: 75},
}

// transcripts takes rows as Dataverse answers them ({"value": [...]}), a list of
// rows, or one.
func transcripts(out *dialect.Writer, r *dialect.Request) (dialect.Reply, error) {
	body, n := dialect.Raw(bytes.TrimSpace(r.Body)), 0
	each := func(raw dialect.Raw) {
		n++
		if why := row(out, raw, r.Header.Get(AgentHeader)); why != "" {
			out.Reject(why)
		}
	}
	o, ok := dialect.ParseObject(body)
	switch {
	case !ok:
		if !body.Each(each) {
			return dialect.Reply{}, errNone
		}
	case o.Get("value") != nil:
		o.Get("value").Each(each)
	case o.Get("content") != nil:
		each(body)
	default:
		return dialect.Reply{}, errNone
	}
	return dialect.Reply{Status: http.StatusAccepted}, nil
}

var errNone = fault.New(fault.KindInvalid, "intake.malformed", "the body holds no rows of conversationtranscripts").
	WithHint("send what Dataverse answers to GET /api/data/v9.2/conversationtranscripts")

// row writes one conversation; why says what is wrong with it.
func row(out *dialect.Writer, raw dialect.Raw, agent string) (why string) {
	o, ok := dialect.ParseObject(raw)
	id := o.Get("conversationtranscriptid").Text()
	if !ok || id == "" {
		return "a row is no JSON object or has no conversationtranscriptid"
	}
	text := []byte(o.Get("content").Text())
	if len(text) == 0 {
		text = o.Get("content") // somebody unpacked it
	}
	list := dialect.Raw(bytes.TrimSpace(text))
	if all := list.Object().Get("activities"); all != nil {
		list = all
	}
	meta := []byte(o.Get("metadata").Text())
	about, _ := dialect.ParseObject(meta)
	session, _, _ := strings.Cut(o.Get("name").Text(), "_")
	c := conversation{
		out: out, id: id, session: cmp.Or(session, id), started: dialect.Instant(o.Get("conversationstarttime")),
		agent:   cmp.Or(agent, about.Get("BotName").Text(), o.Get("_bot_conversationtranscriptid_value@OData.Community.Display.V1.FormattedValue").Text(), about.Get("BotId").Text()),
		agentID: cmp.Or(o.Get("_bot_conversationtranscriptid_value").Text(), about.Get("BotId").Text()),
		steps:   map[string]*planStep{},
	}
	if !list.Each(c.read) {
		return "the content of a row is no list of activities"
	}
	c.write(o)
	return ""
}
