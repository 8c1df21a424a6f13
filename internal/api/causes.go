package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/identity"
	"reeve/internal/provenance"
	"reeve/internal/provenance/why"
	"reeve/internal/telemetry"
)

// causeOperations are the questions why.
func causeOperations() []operation {
	return []operation{
		define(operation{Name: "Different", Method: http.MethodPost, Path: "/runs/different", Permission: rows(identity.Viewer).reading(), Summary: "says what sets a selection of runs apart from the rest"}, different),
		define(operation{Name: "ListSuspects", Method: http.MethodGet, Path: "/runs/{id}/suspects", Permission: rows(identity.Reader), Audit: AuditContent, Summary: "ranks the steps at which a run may have gone wrong first"}, listSuspects),
		define(operation{Name: "JudgeSuspects", Method: http.MethodPost, Path: "/runs/{id}/suspects/judge", Permission: rows(identity.Developer, identity.Responder).onlyPeople(), Audit: AuditChange, Summary: "names the step at which a run went wrong, from which the order of suspects learns, or takes that back"}, judgeSuspects),
		define(operation{Name: "ListSuspectVerdicts", Method: http.MethodGet, Path: "/suspect-verdicts", Permission: rows(identity.Reader), Summary: "lists the steps that people named, and what the order of suspects learned of them by team"}, listSuspectVerdicts),
		define(operation{Name: "ListProbablyFailed", Method: http.MethodGet, Path: "/probably-failed", Permission: rows(identity.Reader), Audit: AuditContent, Summary: "lists runs of an agent that nobody judged by how likely each has failed, learned from its judged ones"}, listProbablyFailed),
	}
}

// mostBlamed is how many steps of a run are looked at.
const mostBlamed = 2_000

func listSuspects(a *API, ctx context.Context, req *client.RunRequest) (*client.Suspects, error) {
	x, err := a.suspects(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return x.out, nil
}

// suspected is a run with the steps that it is asked about.
type suspected struct {
	run     *activity.Run
	steps   []activity.Step
	blamed  []provenance.Step
	from    []int // of each that is blamed, the step that it came from
	out     *client.Suspects
	nothing bool // is wrong with it
}

// suspects ranks a run's steps for who may read it.
func (a *API) suspects(ctx context.Context, id string) (*suspected, error) {
	run, err := a.run(ctx, id)
	if err != nil {
		return nil, err
	}
	if !whoOf(ctx).Can(identity.Reader, run.Team, run.Environment) {
		return nil, errContent
	}
	x := &suspected{run: run}
	var c why.Case
	complaints, _, err := a.complaints(ctx, run, &c)
	if err != nil {
		return nil, err
	}
	asked := why.Wrong(run, complaints)
	if x.nothing = len(asked) == 0; x.nothing {
		x.out = &client.Suspects{Items: []client.Suspect{}, Asked: []string{}}
		return x, a.learnedOf(ctx, x)
	}
	page, err := a.steps(ctx, run, telemetry.StepsQuery{Limit: mostBlamed})
	if err != nil {
		return nil, err
	}
	messages, err := a.messages(ctx, run.ID, nil)
	if err != nil {
		return nil, err
	}
	decided, err := a.decidedIn(ctx, run)
	if err != nil {
		return nil, err
	}
	weights, err := a.weightsOf(ctx, run.Team)
	if err != nil {
		return nil, err
	}
	x.steps = page.Steps
	x.blamed, x.from = blamable(run, page.Steps, messages, a.breaks(page.Steps, messages, decided))
	x.out = suspectsOf(x.blamed, x.from, page.Steps, weights)
	x.out.Asked = asked
	return x, a.learnedOf(ctx, x)
}

// decidedIn are the decisions of a run that the asker may see.
func (a *API) decidedIn(ctx context.Context, run *activity.Run) ([]activity.Decision, error) {
	if a.o.Decisions == nil {
		return nil, nil
	}
	decided, err := a.o.Decisions.List(ctx, telemetry.DecisionsQuery{Run: run.ID, Limit: 500})
	if err != nil {
		return nil, err
	}
	who := whoOf(ctx)
	return slices.DeleteFunc(decided.Decisions, func(d activity.Decision) bool { return !who.Can(identity.Viewer, d.Team, d.Environment) }), nil
}

// breaks are the calls whose arguments are not what their tool asks for: by the schema
// of the definition that a person accepted, or by the answer's kind of error. A call
// that the door did not see is held against a schema only where its tool goes by a
// name that is one upstream's alone.
func (a *API) breaks(steps []activity.Step, messages []activity.Message, decided []activity.Decision) map[activity.StepID]bool {
	out := map[activity.StepID]bool{}
	tools := map[activity.StepID][2]string{}
	for i := range steps {
		s := &steps[i]
		if s.Status == activity.StatusError && invalidArguments(s.ErrorType) {
			out[s.Step] = true
		}
		if a.o.Tools == nil || s.ToolName == "" {
			continue
		}
		if p, ok := a.o.Tools.ByAlias(s.ToolName); ok {
			tools[s.Step] = [2]string{p.Upstream, p.Tool}
		}
	}
	if a.o.Tools == nil {
		return out
	}
	for i := range decided {
		if d := &decided[i]; d.Tool != "" && !d.Step.IsZero() {
			tools[d.Step] = [2]string{d.Upstream, d.Tool}
		}
	}
	for i := range messages {
		m := &messages[i]
		t, ok := tools[m.Step]
		if ok && m.Field == activity.ContentArguments && a.o.Tools.Breaks(t[0], t[1], m.Raw) != "" {
			out[m.Step] = true
		}
	}
	return out
}

// invalidWords are in the kinds of error by which senders say that a call's arguments
// are wrong: JSON-RPC, gRPC, HTTP and the frameworks' own.
var invalidWords = []string{
	"-32602", "invalid_param", "invalidparam", "invalid_argument", "invalidargument", "invalid_tool_input", "invalidtoolinput", "invalid_tool_argument", "invalidtoolargument",
	"toolinputparsing", "tool_input", "validationerror", "validation_error", "schema", "http_422", "jsondecodeerror", "outputparser", "unprocessable",
}

func invalidArguments(code string) bool {
	code = strings.ToLower(code)
	return slices.ContainsFunc(invalidWords, func(w string) bool { return strings.Contains(code, w) })
}

// blamable turns a run's steps into what is blamed, with the index of the step
// that each came from. What contains other steps tells nothing that they do not.
func blamable(run *activity.Run, steps []activity.Step, messages []activity.Message, broken map[activity.StepID]bool) (out []provenance.Step, from []int) {
	said := map[activity.StepID]map[activity.ContentField]string{}
	for i := range messages {
		m := &messages[i]
		if m.Field == activity.ContentTools {
			continue
		}
		field := m.Field
		if field == activity.ContentInput && m.Role == "assistant" {
			continue // what a model said before, sent again
		}
		if said[m.Step] == nil {
			said[m.Step] = map[activity.ContentField]string{}
		}
		said[m.Step][field] += string(m.Raw) + "\n"
	}
	for i := range steps {
		s := &steps[i]
		text := said[s.Step]
		put := func(kind provenance.Kind, words string, alter func(*provenance.Step)) {
			p := provenance.Step{Agent: s.Agent, Kind: kind, Text: words}
			if p.Agent == "" {
				p.Agent = run.Agent
			}
			if alter != nil {
				alter(&p)
			}
			out, from = append(out, p), append(from, i)
		}
		given := text[activity.ContentInput] + text[activity.ContentSystem]
		failed := func(p *provenance.Step) {
			p.Failed = s.Status == activity.StatusError
			p.Denied = refused(s)
			p.Broken = broken[s.Step]
			p.Empty = s.Kind == activity.KindRetrieval && !p.Failed && emptyResult(text[activity.ContentDocuments]+text[activity.ContentResult])
		}
		switch s.Kind {
		case activity.KindModel:
			if given != "" {
				put(provenance.Asks, given, nil)
			}
			put(provenance.Says, text[activity.ContentOutput], failed)
		case activity.KindTool, activity.KindMCP, activity.KindHTTP, activity.KindRetrieval, activity.KindMemory:
			put(provenance.Calls, s.Name+" "+text[activity.ContentArguments]+text[activity.ContentQuery], failed)
			put(provenance.Tells, text[activity.ContentResult]+text[activity.ContentDocuments]+text[activity.ContentOutput], nil)
		case activity.KindHandoff:
			put(provenance.Hands, s.Name+" "+given+text[activity.ContentArguments], failed)
		case activity.KindPlan:
			put(provenance.Plans, s.Name+" "+text[activity.ContentOutput], failed)
		case activity.KindHuman:
			put(provenance.Asks, given+text[activity.ContentOutput], nil)
		}
	}
	return out, from
}

// refusals are the beginnings of codes with which the door refuses.
var refusals = []string{"decision.", "http.no_route", "policy.", "floor.", "content.", "budget.", "stop.", "approval.", "limit."}

// refused says that the door did not let a step happen.
func refused(s *activity.Step) bool {
	return s.Status == activity.StatusError && slices.ContainsFunc(refusals, func(code string) bool { return strings.HasPrefix(s.ErrorType, code) })
}

// emptyResult says that a retrieval brought nothing.
func emptyResult(text string) bool {
	return slices.Contains([]string{"", "[]", "{}", "null", `""`}, strings.TrimSpace(text))
}
