package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// lintRule is one fact of the minimal standard: which rows should have it, which
// of them do not, what it costs to miss it, and what sets it.
type lintRule struct {
	field, table string
	of, missing  string // searches
	weight       float64
	costs, fix   string
	line         string // sets it, to copy
	spans        bool   // only an agent's own spans carry it: the door cannot know it
}

// standard is the minimal standard for telemetry. Facts weigh by what fails
// without them.
var standard = []lintRule{
	{
		"agent", "steps", "root:true", "root:true flag:agent_guessed", 3,
		"its runs stand under the service's name: two agents of one service are one, policies and objectives cannot name them",
		"set the attribute gen_ai.agent.name (or reeve.agent) on the root span, or OTEL_SERVICE_NAME to the agent's name and register it",
		`export OTEL_SERVICE_NAME=my-agent`, false,
	},
	{
		"version", "runs", "", "version:unknown", 2,
		"what a release changed cannot be told: no comparison of versions, no cause \"since version 1.4\"",
		"OTEL_RESOURCE_ATTRIBUTES=service.version=1.4.2, or gen_ai.agent.version",
		`export OTEL_RESOURCE_ATTRIBUTES=service.version=1.4.2`, true,
	},
	{
		"environment", "runs", "", "environment:unknown", 1,
		"tests and production are counted together",
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=production, or an intake key for the environment",
		`export OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=production`, false,
	},
	{
		"session", "runs", "", "session:unknown", 1,
		"the runs of one conversation are not seen as one: repeat contact and escalation are missed",
		"gen_ai.conversation.id or session.id on the root span; X-Reeve-Session on calls at the door",
		`span.set_attribute("gen_ai.conversation.id", session_id)`, false,
	},
	{
		"user", "runs", "mode:interactive,unknown", "mode:interactive,unknown user:unknown", 1,
		"nobody can say whom a wrong answer reached",
		"user.id on the root span (a pseudonym does); X-Reeve-Subject-Token on calls at the door",
		`span.set_attribute("user.id", user_pseudonym)`, false,
	},
	{
		"outcome", "runs", "status:done", "status:done outcome:unknown", 2,
		"the run counts in no outcome: whether it helped is not known",
		"reeve.outcome on the root span, or feedback afterwards",
		`span.set_attribute("reeve.outcome", "resolved")`, false,
	},
	{
		"model", "steps", "kind:model", "kind:model model:unknown", 2,
		"the call has no price, and a change of model is not seen",
		"gen_ai.request.model and gen_ai.response.model on spans of calls",
		`span.set_attribute("gen_ai.request.model", model)`, false,
	},
	{
		"tokens", "steps", "kind:model counted:true -status:error", "kind:model counted:true -status:error input_tokens:unknown", 2,
		"cost and budgets miss these calls",
		"let streams report usage (OpenAI: stream_options.include_usage), or send the calls through the door, which counts",
		`stream_options={"include_usage": True}`, false,
	},
	{
		"tool call id", "steps", "kind:tool", "kind:tool tool_call_id:unknown", 1,
		"a tool's result in the next prompt cannot be joined to its call, nor a call to its decision",
		"gen_ai.tool.call.id on spans of tools",
		`span.set_attribute("gen_ai.tool.call.id", call.id)`, true,
	},
}

// argumentsRule asks for what tools were called with. It is told by content, not
// by a fact of each step: an agent of which there is none captures none.
var argumentsRule = lintRule{
	field: "tool arguments", table: "steps", missing: "kind:tool", weight: 1,
	costs: "where an argument came from, whether two calls are the same, and what exactly was done cannot be said",
	fix:   "let the instrumentation capture content, or set gen_ai.tool.call.arguments on spans of tools",
	line:  "export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true",
}

// lintKey is one agent of a team.
type lintKey struct{ agent, team string }

func lint(a *API, ctx context.Context, req *client.LintRequest) (*client.List[client.Lint], error) {
	from, to, err := a.period(cmp.Or(req.From, "-24h"), req.To)
	if err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = a.o.Now()
	}
	l := &linting{a: a, ctx: ctx, from: from, to: to, agent: req.Agent}
	var told, tools, arguments map[lintKey]int64 // told: steps that somebody else than the door told of
	var seen seenCounts
	counts := make([]map[lintKey]int64, 2*len(standard)+1)
	dialects := map[lintKey][]string{}
	var g errgroup.Group
	g.SetLimit(4)
	g.Go(func() (err error) {
		counts[2*len(standard)], err = l.count("runs", "")
		return err
	})
	g.Go(func() error { return l.dialects(dialects) })
	g.Go(func() (err error) { told, err = l.count("steps", "-reported_by:gateway"); return err })
	if somewhere(whoOf(ctx), identity.Reader) { // arguments are content: others are not asked about them
		g.Go(func() (err error) { tools, err = l.count("steps", "kind:tool"); return err })
		g.Go(func() (err error) { arguments, err = l.count("messages", "field:arguments"); return err })
	}
	g.Go(func() error { return l.seen(&seen) })
	for i, r := range standard {
		g.Go(func() (err error) { counts[2*i], err = l.count(r.table, r.of); return err })
		g.Go(func() (err error) { counts[2*i+1], err = l.count(r.table, r.missing); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := []client.Lint{}
	for k, runs := range counts[2*len(standard)] {
		one := lintOf(k, runs, counts, dialects[k], told[k] == 0 && slices.Equal(dialects[k], doorAlone), tools[k], arguments[k])
		one.Seen = seen.of(k, told[k])
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y client.Lint) int {
		return cmp.Or(cmp.Compare(x.Score, y.Score), cmp.Compare(y.Runs, x.Runs), cmp.Compare(x.Agent, y.Agent))
	})
	return listOf(out, nil, func(l client.Lint) client.Lint { return l })
}

// doorAlone are the dialects of an agent that sends no telemetry itself.
var doorAlone = []string{"door"}

func lintOf(k lintKey, runs int64, counts []map[lintKey]int64, dialects []string, byDoor bool, tools, arguments int64) client.Lint {
	out := client.Lint{Agent: k.agent, Team: k.team, Dialects: dialects, Runs: runs, Findings: []client.LintFinding{}}
	if out.Dialects == nil {
		out.Dialects = []string{}
	}
	weight, there := 0.0, 0.0
	weights := map[string]float64{}
	for i, r := range standard {
		of, missing := counts[2*i][k], counts[2*i+1][k]
		if of == 0 || byDoor && r.spans {
			continue // it does nothing of the sort, or sends no span to say it on
		}
		share := float64(min(missing, of)) / float64(of)
		weight += r.weight
		there += r.weight * (1 - share)
		if missing == 0 {
			continue
		}
		weights[r.field] = r.weight * share
		out.Findings = append(out.Findings, r.finding(k.agent, missing, of))
	}
	if r := argumentsRule; tools > 0 {
		weight += r.weight
		if arguments > 0 {
			there += r.weight
		} else {
			weights[r.field] = r.weight
			out.Findings = append(out.Findings, r.finding(k.agent, tools, tools))
		}
	}
	if weight > 0 {
		out.Score = there / weight
	}
	slices.SortStableFunc(out.Findings, func(x, y client.LintFinding) int { return cmp.Compare(weights[y.Field], weights[x.Field]) })
	return out
}

func (r *lintRule) finding(agent string, missing, of int64) client.LintFinding {
	return client.LintFinding{
		Field: r.field, Missing: missing, Of: of, Share: float64(min(missing, of)) / float64(of), Costs: r.costs, Fix: r.fix, Line: r.line,
		Open: strings.TrimSpace("agent:" + search.Quote(agent) + " " + r.missing), Table: r.table,
	}
}

// linting asks the store for counts by agent.
type linting struct {
	a        *API
	ctx      context.Context
	from, to time.Time
	agent    string
}

func (l *linting) ask(table, text string, by ...string) (*answers, error) {
	if l.agent != "" {
		text = strings.TrimSpace("agent:" + search.Quote(l.agent) + " " + text)
	}
	var where search.Expr
	if text != "" {
		var err error
		if where, err = search.ParseIn(queryTables[table], text); err != nil {
			return nil, fmt.Errorf("reading the search %q of the standard: %w", text, err)
		}
	}
	q := telemetry.Query{Table: table, Select: []telemetry.Measure{{Func: "count", As: "count"}}, GroupBy: append([]string{"agent", "team"}, by...), From: l.from, To: l.to, Limit: maxQueryRows}
	if err := l.a.restrict(l.ctx, &q, queryTables[table], where); err != nil {
		return nil, err
	}
	res, err := l.a.o.Store.Query(l.ctx, q)
	if err != nil {
		return nil, err
	}
	return newAnswers(res), nil
}

func (l *linting) count(table, text string) (map[lintKey]int64, error) {
	a, err := l.ask(table, text)
	if err != nil {
		return nil, err
	}
	out := make(map[lintKey]int64, len(a.rows))
	for _, row := range a.rows {
		out[lintKey{a.text(row, "agent"), a.text(row, "team")}] = a.count(row, "count")
	}
	return out, nil
}

func (l *linting) dialects(out map[lintKey][]string) error {
	a, err := l.ask("steps", "", "dialect")
	if err != nil {
		return err
	}
	for _, row := range a.rows {
		k := lintKey{a.text(row, "agent"), a.text(row, "team")}
		if d := a.text(row, "dialect"); d != "" {
			out[k] = append(out[k], d)
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return nil
}
