package intake

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"reeve/internal/activity"
)

// shown is a line of the page.
type shown struct {
	dialect, title, way, gap string
	captures                 []string
}

// capturesOf says which recorded or made traffic shows a dialect, by its name in
// the registry, and what of it is known not to arrive.
var capturesOf = []shown{
	{"otel-genai", "OpenTelemetry GenAI, three generations", "OTLP", "", []string{"otel-genai", "otel-genai-022", "otel-genai-json", "otel-genai-grpc"}},
	{"openinference", "OpenInference (Arize, Phoenix)", "OTLP", "", []string{"openinference", "langgraph-openinference"}},
	{"openllmetry", "OpenLLMetry (Traceloop)", "OTLP", "", []string{"traceloop"}},
	{"vercel-ai", "Vercel AI SDK, `ai.*` (its later spans are OpenTelemetry's)", "OTLP", "each call of the SDK is a trace, and so a run, of one session", []string{"vercel-ai-v5"}},
	{"langfuse", "Langfuse 4 and later", "OTLP at `/api/public/otel/v1/traces`", "", []string{"langfuse"}},
	{"langfuse", "Langfuse 2 and 3", "`POST /api/public/ingestion`", "updates that come in another request than what they change win by value, not by time", []string{"langfuse-v3"}},
	{"datadog", "Datadog LLM Observability", "`/evp_proxy/v2/...`, `/api/v2/llmobs`, `/api/intake/llm-obs/...`", "of `/v0.4/traces` only span events that were not sent on their own; the requested model is in those alone", []string{"ddtrace", "ddtrace-6"}},
	{"langsmith", "LangSmith", "`POST /runs/multipart`, `/runs/batch`; OTLP at `/otel/v1/traces`", "attachments are not kept", []string{"langsmith"}},
	{"openai-agents", "OpenAI Agents SDK", "`POST /v1/traces/ingest`", "the exporter sends neither model nor content of its calls, only the response's id", []string{"openai-agents"}},
	{"claude-code", "Claude Code", "OTLP logs; spans where its tracing is on", "answers are not among its log records", []string{"../made/claude-code"}},
	{"copilot-studio", "Microsoft Copilot Studio", "a poller of its transcripts in Dataverse (docs/pollers.md), or `POST /v1/copilot-studio/transcripts`", "transcripts name neither models nor tokens nor cost, and come half an hour after the conversation's end", []string{"../made/copilot-studio"}},
	{"bedrock-logs", "Amazon Bedrock's invocation logs", "a poller of the bucket or log group (docs/pollers.md), or `POST /v1/bedrock/invocations`", "each call is a run of its own, unless its `requestMetadata` says where it belongs; bodies above 100 kB stay in the bucket", []string{"../made/bedrock-logs"}},
	{"codex", "Codex CLI", "OTLP logs; spans where its tracing is on", "nothing tells one turn from the next: a conversation is one run", []string{"../made/codex"}},
}

// unrecorded are the dialects whose table was made from documentation and public
// traces: nothing recorded is in this repository.
var unrecorded = map[string]string{
	"agentops": "AgentOps", "genkit": "Firebase Genkit", "google-adk": "Google ADK", "laminar": "Laminar", "livekit": "LiveKit agents",
	"logfire": "Logfire, Pydantic AI", "mastra": "Mastra", "mlflow": "MLflow", "openlit": "OpenLIT", "opik": "Opik",
}

// fieldsOf are the canonical fields that a fragment fills.
func fieldsOf(f *activity.Fragment, add func(string)) {
	for name, v := range map[string]string{
		"agent": f.Agent, "agent id": f.AgentID, "version": f.AgentVersion, "environment": f.Environment, "task": f.Task, "run name": f.RunName,
		"session": f.Session, "user": f.User, "provider": f.Provider, "requested model": f.ModelRequested, "model": f.Model,
		"response id": f.ResponseID, "finish reason": f.FinishReason, "tool": f.ToolName, "call id": f.ToolCallID, "error": f.ErrorType + f.StatusMessage,
	} {
		if v != "" {
			add(name)
		}
	}
	for name, n := range map[string]int64{
		"tokens": max(f.Usage.InputTotal, f.Usage.OutputTotal), "cached tokens": f.Usage.CacheRead, "reasoning tokens": f.Usage.Reasoning,
		"cost": f.ReportedCost.Nanos, "first token": f.TTFT,
	} {
		if n > 0 {
			add(name)
		}
	}
	for _, c := range f.Contents {
		add(c.Field.String())
	}
	if len(f.Tags) > 0 || len(f.Labels) > 0 {
		add("tags and labels")
	}
}

// TestDialectsPage holds docs/dialects.md to what the captures give; -update
// writes it.
func TestDialectsPage(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(`# What is understood

Written by ` + "`go test ./internal/intake -run DialectsPage -update`" + ` from recorded traffic of the real clients: do not edit. "Seen" is what the steps of a recording fill in; whatever has no field is kept as an attribute all the same.

| vocabulary | how it comes | kinds of step seen | fields seen | gaps |
|---|---|---|---|---|
`)
	for _, d := range capturesOf {
		kinds, fields := map[string]bool{}, map[string]bool{}
		for _, name := range d.captures {
			in, log := fixture(t, nil)
			if made, ok := strings.CutPrefix(name, "../made/"); ok {
				sendMade(t, in, made)
			} else {
				send(t, in, name)
			}
			named := false
			for _, b := range log.batches(t) {
				for i := range b.Fragments {
					f := &b.Fragments[i]
					named = named || f.Dialect == d.dialect
					if !f.OnlyContent {
						kinds[f.Kind.String()] = true
					}
					fieldsOf(f, func(s string) { fields[s] = true })
				}
				if len(b.Logs) > 0 && b.Logs[0].EventName == "gen_ai.evaluation.result" {
					fields["scores"] = true
				}
			}
			if !named {
				t.Errorf("no step of %s has the dialect %s", name, d.dialect)
			}
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s |\n", d.title, d.way, list(kinds), list(fields), d.gap)
	}
	page.WriteString("\nRead by a table made from their documentation and public traces, without a recording here:")
	var rest []string
	for _, d := range registry() {
		if title, ok := unrecorded[d.Name]; ok {
			rest = append(rest, " "+title)
			continue
		}
		if !slices.ContainsFunc(capturesOf, func(c shown) bool { return c.dialect == d.Name }) {
			t.Errorf("dialect %s is on no list of this page", d.Name)
		}
	}
	slices.Sort(rest)
	page.WriteString(strings.Join(rest, ",") + `. Opik's, MLflow's and Phoenix's clients send OTLP (Opik at ` + "`/v1/private/otel/v1/traces`" + `); Strands, Semantic Kernel, Microsoft Agent Framework, Gemini CLI and AI SDK 7 use OpenTelemetry's names.

## How it is counted

- One call told by several nested spans counts once: of model steps inside each other, the inner.
- Containers (agents, workflows, turns that sum up) keep what they report; a run's tokens and cost are those of its calls.
- Totals include their parts. Senders whose input excludes cached tokens (Langfuse, Claude Code) are added up; the step says so.
- What was not reported is unknown, never zero.

## When the table changes

Which attribute feeds which field is a table with a version (` + "`map_version`" + ` of a step), and steps keep their attributes. What an older table made can be mapped again:

    reeve remap                # how many steps of which table and vocabulary differ, in which fields, with examples
    reeve remap --apply        # plan, then change them; goes on after a restart
    reeve remap --from 2026-11-01 --to 2026-11-08
    reeve remap --all          # also steps of today's table

- What today's table finds is laid over what is stored; what it does not find stays. Labels and tags are made anew.
- Attributes that are content by now become messages, behind content's permission; credentials by now are dropped. Ids, times, and an environment that is stored never change; a reported cost stays, and a price changes only where model, kind or tokens do.
- Steps, rows of runs, sums and search follow together. A step that does not differ is not written and keeps its version: a later plan looks at it again. Log records and metric points stay as they came, and so does what other parts noted of a run when it ended (feedback, evaluations, outcomes, findings, the register of agents): they keep the agent, version and user of then.
- A user whom today's table finds is a user for erasure from then on: erase such a person after mapping again. Messages that retention or erasure took do not come back; content that stood among attributes becomes content.
- It is not undone: make a backup first (` + "`reeve backup`" + `). Whoever plans and applies is an admin; both stand in the audit log.

In the console: Settings, **Retention**, Mapped again. API: ` + "`POST /remaps`, `/remaps/{id}/apply`" + `; ` + "`GET`" + ` tells the progress.

## Wrong costs elsewhere

Each was reported in public; each is a case that is sent to a whole server, whose runs, steps and sums must then give the right figure (` + "`internal/app`, `TestWrongCosts`" + `).

| reported as | what went wrong there | input, of it cached | output |
|---|---|---|---|
`)
	var costs []struct {
		Issue, Wrong string
		Want         struct {
			Input, Output int64
			Read          int64 `json:"cache_read"`
			Write         int64 `json:"cache_write"`
		}
	}
	read(t, "testdata/costs/cases.json", &costs)
	for _, c := range costs {
		repository, number, _ := strings.Cut(c.Issue, "#")
		fmt.Fprintf(&page, "| [%s](https://github.com/%s/issues/%s) | %s | %d, %d | %d |\n", c.Issue, repository, number, c.Wrong, c.Want.Input, c.Want.Read+c.Want.Write, c.Want.Output)
	}
	const file = "../../docs/dialects.md"
	if *update {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != page.String() {
		t.Errorf("docs/dialects.md is not what the captures give (%v): write it with -update", err)
	}
}

func list(set map[string]bool) string {
	var out []string
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
