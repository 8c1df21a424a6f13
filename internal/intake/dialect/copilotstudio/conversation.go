package copilotstudio

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"reeve/internal/intake/dialect"
)

// conversation is a row while its activities are read.
type conversation struct {
	out                         *dialect.Writer
	id, session, agent, agentID string
	started, first, last        int64

	user, locale, channel, outcome, reason string
	design, failed                         bool
	problem                                string

	turns []*turn
	order []*planStep
	steps map[string]*planStep
	other []event
	rated []rating
	seen  int
}

// turn is what the user said, and what came until the user spoke again.
type turn struct {
	id, said   string
	start, end int64
	answers    []string
}

// planStep is a step of the agent's plan: what was triggered, with what, and how
// it ended.
type planStep struct {
	id, task, kind, thought, state string
	turn                           *turn
	start, end                     int64
	arguments, result              dialect.Raw
}

// event is an activity that is none of these.
type event struct {
	name   string
	turn   *turn
	at     int64
	value  dialect.Raw
	failed string
	kind   string
}

// rating is what the user said of the conversation or an answer.
type rating struct {
	name, label, text string
	score             *float64
	at                int64
}

// maxActivities bounds what of one conversation is read: a transcript is at most
// a megabyte, an activity seldom below two hundred bytes.
const maxActivities = 20_000

// read takes one activity in the order in which they happened.
func (c *conversation) read(raw dialect.Raw) {
	a := raw.Object()
	if c.seen++; a == nil || c.seen > maxActivities {
		return
	}
	at := cmp.Or(dialect.Instant(a.Get("timestamp")), dialect.Instant(a.Get("timestampMs")), c.last, c.started)
	if at > 0 {
		if c.first == 0 || at < c.first {
			c.first = at
		}
		c.last = max(c.last, at)
	}
	if c.channel == "" {
		c.channel = a.Get("channelId").Text()
	}
	name := cmp.Or(a.Get("valueType").Text(), a.Get("name").Text())
	switch kind := a.Get("type").Text(); {
	case kind == "message":
		c.message(a, at)
	case kind == "invoke" && a.Get("value").Object().Get("actionName").Text() == "feedback":
		c.feedback(a.Get("value").Object().Get("actionValue").Object(), at)
	case kind == "typing" || name == "":
	default:
		c.trace(name, a.Get("value"), at)
	}
}

// fromUser reports whose message it is: 1 or "user" are the user's.
func fromUser(from dialect.Object) bool {
	role := from.Get("role").Word()
	return role == "1" || role == "user"
}

func (c *conversation) message(a dialect.Object, at int64) {
	from := a.Get("from").Object()
	text := a.Get("text").Text()
	if text == "" && a.Get("attachments") != nil {
		text = string(a.Get("attachments"))
	}
	if fromUser(from) {
		if c.user == "" {
			c.user = cmp.Or(from.Get("aadObjectId").Text(), from.Get("id").Text())
		}
		c.turns = append(c.turns, &turn{id: cmp.Or(a.Get("id").Text(), strconv.Itoa(len(c.turns))), said: text, start: at, end: at})
		return
	}
	t := c.turn(at)
	t.answers, t.end = append(t.answers, text), max(t.end, at)
}

// turn is the one at hand; what an agent says first, its greeting, has one of its
// own.
func (c *conversation) turn(at int64) *turn {
	if len(c.turns) == 0 {
		c.turns = append(c.turns, &turn{id: "greeting", start: at, end: at})
	}
	return c.turns[len(c.turns)-1]
}

// trace takes what the agent says of its own work.
func (c *conversation) trace(name string, value dialect.Raw, at int64) {
	v := value.Object()
	switch name {
	case "ConversationInfo":
		c.locale = v.Get("locale").Text()
		c.design, _ = v.Get("isDesignMode").Bool()
	case "SessionInfo":
		c.outcome, c.reason = v.Get("outcome").Text(), v.Get("outcomeReason").Text()
	case "CSATSurveyResponse", "PRRSurveyResponse":
		c.survey(name, v, at)
	case "DynamicPlanStepTriggered", "DynamicPlanStepBindUpdate", "DynamicPlanStepFinished", "DynamicPlanStepBlocked":
		c.plan(name, v, at)
	case "ErrorTraceData", "DynamicServerError":
		problem := cmp.Or(v.Get("errorCode").Text(), v.Get("reasonCode").Text(), name)
		c.failed, c.problem = true, cmp.Or(v.Get("errorMessage").Text(), problem)
		c.other = append(c.other, event{name: name, turn: c.turn(at), at: at, value: value, failed: problem, kind: "event"})
	case "HandOff", "EscalationRequested":
		c.other = append(c.other, event{name: name, turn: c.turn(at), at: at, value: value, kind: "handoff"})
	default:
		c.other = append(c.other, event{name: name, turn: c.turn(at), at: at, value: value, kind: "event"})
	}
}

func (c *conversation) plan(name string, v dialect.Object, at int64) {
	id := v.Get("stepId").Text()
	s := c.steps[id]
	if s == nil {
		s = &planStep{id: cmp.Or(id, "step "+strconv.Itoa(len(c.order))), turn: c.turn(at), start: at}
		c.steps[id] = s
		c.order = append(c.order, s)
	}
	s.task, s.kind = cmp.Or(s.task, v.Get("taskDialogId").Text()), cmp.Or(s.kind, v.Get("type").Text())
	s.thought, s.state = cmp.Or(s.thought, v.Get("thought").Text()), cmp.Or(v.Get("state").Text(), s.state)
	s.turn.end = max(s.turn.end, at)
	switch name {
	case "DynamicPlanStepBindUpdate":
		s.arguments = v.Get("arguments")
	case "DynamicPlanStepBlocked":
		s.state, s.end = "blocked", at
		s.result = v.Get("messageBlockedError")
	case "DynamicPlanStepFinished":
		s.result, s.end = v.Get("observation"), at
		if d := clock(v.Get("executionTime").Text()); d > 0 && s.start+d > s.end {
			s.end = s.start + d // times of activities are whole seconds
		}
		if e := v.Get("error"); e != nil {
			s.state = "failed"
			if s.result == nil {
				s.result = e
			}
		}
	}
}

// clock reads a duration as .NET writes it: 00:00:05.1234567.
func clock(s string) int64 {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0
	}
	d, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0
	}
	return int64(d)
}

func (c *conversation) survey(name string, v dialect.Object, at int64) {
	r := rating{name: "csat", at: at, text: v.Get("comment").Text()}
	if name == "PRRSurveyResponse" {
		r.name, r.label = "resolved", v.Get("response").Word()
	} else if score, ok := v.Get("rating").Float(); ok {
		r.score = &score
	} else if score, ok := v.Get("score").Float(); ok {
		r.score = &score
	}
	c.rated = append(c.rated, r)
}

func (c *conversation) feedback(v dialect.Object, at int64) {
	text := v.Get("feedback").Object().Get("feedbackText").Text()
	if inner, ok := dialect.ParseObject([]byte(v.Get("feedback").Text())); ok {
		text = inner.Get("feedbackText").Text()
	}
	c.rated = append(c.rated, rating{name: "thumb", label: v.Get("reaction").Text(), text: text, at: at})
}

// outcomes are what the sessions' outcomes are in our words.
var outcomes = map[string]string{"Resolved": "resolved", "Escalated": "escalated", "HandOff": "escalated", "Abandoned": "abandoned"}

func (c *conversation) span(key, parent, name, kind string, start, end int64) dialect.OutSpan {
	s := dialect.OutSpan{
		Trace: dialect.TraceOf(c.id), ID: dialect.SpanOf(c.id+" "+key, false), Name: name, Start: cmp.Or(start, c.first, c.started), End: max(end, start, c.started, 1),
		Attributes: c.out.Attributes(),
	}
	if key != "" {
		s.Parent = dialect.SpanOf(c.id+" "+parent, false)
	}
	s.Text(kindKey, kind)
	s.Text(agentKey, c.agent)
	s.Text("copilot_studio.agent_id", c.agentID)
	s.Text("session.id", c.session)
	s.Text("user.id", c.user)
	if c.design {
		s.Text("reeve.mode", "test")
	}
	return s
}

// write makes the spans of the conversation.
func (c *conversation) write(row dialect.Object) {
	root := c.span("", "", cmp.Or(c.agent, "conversation"), "conversation", c.first, c.last)
	root.Text("reeve.outcome", outcomes[c.outcome])
	root.Failed, root.Message = c.failed, c.problem
	root.Text("copilot_studio.outcome", c.outcome)
	root.Text("copilot_studio.outcome_reason", c.reason)
	root.Text("copilot_studio.locale", c.locale)
	root.Text("copilot_studio.channel", c.channel)
	for _, m := range row {
		if m.Key != "content" {
			root.JSON("copilot_studio.row."+m.Key, m.Value)
		}
	}
	c.out.Span(&root)
	for _, t := range c.turns {
		s := c.span("turn "+t.id, "", "turn", "turn", t.start, t.end)
		s.Text("copilot_studio.input", t.said)
		s.Text("copilot_studio.output", strings.Join(t.answers, "\n\n"))
		c.out.Span(&s)
	}
	for _, p := range c.order {
		c.writeStep(p)
	}
	for i := range c.other {
		e := &c.other[i]
		s := c.span("event "+strconv.Itoa(i)+" "+e.name, "turn "+e.turn.id, e.name, e.kind, e.at, e.at)
		s.Failed, s.Message = e.failed != "", e.failed
		s.Text("copilot_studio.error", e.failed)
		s.JSON("copilot_studio.value", e.value)
		c.out.Span(&s)
	}
	for _, r := range c.rated {
		l := dialect.OutLog{Event: dialect.EvaluationEvent, Time: cmp.Or(r.at, c.last, c.started), Trace: root.Trace, Span: root.ID, Attributes: c.out.Attributes()}
		dialect.Evaluation{Name: r.name, Label: r.label, Explanation: r.text, Score: r.score}.Write(&l)
		l.Text("session.id", c.session)
		c.out.Log(&l)
	}
}

func (c *conversation) writeStep(p *planStep) {
	name := p.task[strings.LastIndexAny(p.task, ".:")+1:]
	kind := "tool"
	switch {
	case strings.Contains(p.task, "UniversalSearchTool") || strings.Contains(p.kind, "Knowledge"):
		kind = "knowledge"
	case strings.Contains(p.kind, "Agent"):
		kind = "agent"
	case strings.Contains(p.kind, "Topic") || strings.Contains(p.task, ".topic."):
		kind = "topic"
	}
	s := c.span("step "+p.id, "turn "+p.turn.id, cmp.Or(name, "step"), kind, p.start, cmp.Or(p.end, p.start))
	if kind == "tool" {
		s.Text("copilot_studio.tool", name)
	}
	switch p.state {
	case "failed", "blocked", "error":
		s.Failed, s.Message = true, p.state
		s.Text("copilot_studio.error", p.state)
	}
	s.JSON("copilot_studio.arguments", p.arguments)
	s.JSON("copilot_studio.result", p.result)
	s.Text("copilot_studio.task", p.task)
	s.Text("copilot_studio.type", p.kind)
	s.Text("copilot_studio.state", p.state)
	s.Text("copilot_studio.thought", p.thought)
	c.out.Span(&s)
}
