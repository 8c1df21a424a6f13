package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
)

const doorAnswer = `{"id":"chatcmpl-77","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":30,"total_tokens":120}}`

// chatter is a server with an agent, its key, a model behind the door, and the
// tracer of the agent's SDK.
func chatter(t *testing.T) (a *App, key string, tracer trace.Tracer) {
	t.Helper()
	a = start(t, nil)
	register(t, a, "chatter")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "chatter", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, doorAnswer)
	}))
	t.Cleanup(up.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "openai", Kind: "llm", Dialect: "openai", URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
	}); err != nil {
		t.Fatal(err)
	}
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL("http://"+a.Address("otlp_http_listen")+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	t.Cleanup(func() { _ = provider.Shutdown(context.WithoutCancel(t.Context())) })
	tracer = provider.Tracer("test")
	return a, key, tracer
}

// A model call that an agent's own telemetry reports and that passed the door
// is one call of its run, and the door's figures count: the agent's say
// something else here. It is so whether the agent's HTTP client has a span of
// its own between, whichever word comes first, and with a trace that the agent
// names as its run.
func TestADoorCallAndItsSpanAreOneCall(t *testing.T) {
	t.Parallel()
	a, key, tracer := chatter(t)
	c := client.New("http://"+a.Address("listen"), "")
	for _, how := range []struct {
		name            string
		httpSpan, named bool
	}{{"span of the call", false, false}, {"span of the HTTP client below", true, false}, {"a named run", false, true}} {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			ctx, root := tracer.Start(t.Context(), "invoke_agent chatter", trace.WithAttributes(
				attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("gen_ai.agent.name", "chatter")))
			var attributes []attribute.KeyValue
			if how.named {
				attributes = append(attributes, attribute.String("reeve.run.id", "named-1"))
				root.SetAttributes(attributes...)
			}
			callCtx, call := tracer.Start(ctx, "chat gpt-4o-mini", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(append(attributes,
				attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"), attribute.String("gen_ai.request.model", "gpt-4o-mini"))...))
			httpCtx, span := callCtx, trace.Span(nil)
			if how.httpSpan {
				httpCtx, span = tracer.Start(callCtx, "POST", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("http.request.method", "POST")))
			}
			req, err := http.NewRequestWithContext(httpCtx, "POST", a.Door()+"/llm/openai/v1/chat/completions",
				strings.NewReader(`{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+key)
			req.Header.Set("Content-Type", "application/json")
			if how.named {
				req.Header.Set("X-Reeve-Run", "named-1")
			}
			propagation.TraceContext{}.Inject(httpCtx, propagation.HeaderCarrier(req.Header))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != 200 || string(body) != doorAnswer {
				t.Fatalf("%d %s", resp.StatusCode, body)
			}
			if span != nil {
				span.End()
			}
			call.SetAttributes(attribute.String("gen_ai.response.id", "chatcmpl-77"), attribute.Int("gen_ai.usage.input_tokens", 91), attribute.Int("gen_ai.usage.output_tokens", 31))
			call.End()
			root.End()

			run := activity.RunOfTrace(activity.TraceID(root.SpanContext().TraceID())).String()
			if how.named {
				run = activity.RunOfKey("named-1").String()
			}
			steps := int64(3)
			if how.httpSpan {
				steps = 4
			}
			var got client.Run
			eventually(t, "the whole run", func() bool {
				r, err := c.GetRun(t.Context(), client.RunRequest{ID: run})
				if err == nil {
					got = *r
				}
				// Until the door's end of the call is folded, the span's own 91 stand there.
				return err == nil && r.StepCount == steps && r.EndedAt != nil && r.Usage.InputTotal != nil && *r.Usage.InputTotal == 90
			})
			if got.ModelCalls != 1 || *got.Usage.InputTotal != 90 || *got.Usage.OutputTotal != 30 {
				t.Errorf("model calls %d, usage %d and %d; want the door's 1, 90 and 30", got.ModelCalls, *got.Usage.InputTotal, *got.Usage.OutputTotal)
			}
		})
	}
}

// An agent that passes no trace context on: the door's call stands in a run that
// the door made up, and the response id joins it to the agent's span. It counts
// once, with the door's figures, in the agent's run; each run says where the other
// is, and lists leave the made-up one out.
func TestADoorCallWithoutTraceIsJoined(t *testing.T) {
	t.Parallel()
	a, key, tracer := chatter(t)
	c := client.New("http://"+a.Address("listen"), "")
	ctx, root := tracer.Start(t.Context(), "invoke_agent chatter", trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("gen_ai.agent.name", "chatter")))
	_, call := tracer.Start(ctx, "chat gpt-4o-mini", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.agent.name", "chatter"),
		attribute.String("gen_ai.provider.name", "openai"), attribute.String("gen_ai.request.model", "gpt-4o-mini")))
	req, err := http.NewRequestWithContext(ctx, "POST", a.Door()+"/llm/openai/v1/chat/completions",
		strings.NewReader(`{"model":"gpt-4o-mini","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	decision := resp.Header.Get("X-Reeve-Decision")
	call.SetAttributes(attribute.String("gen_ai.response.id", "chatcmpl-77"), attribute.Int("gen_ai.usage.input_tokens", 91), attribute.Int("gen_ai.usage.output_tokens", 31))
	call.End()
	root.End()
	run := activity.RunOfTrace(activity.TraceID(root.SpanContext().TraceID())).String()
	var got *client.Run
	eventually(t, "the joined run", func() bool {
		r, err := c.GetRun(t.Context(), client.RunRequest{ID: run})
		if err == nil {
			got = r
		}
		return err == nil && len(r.Linked) == 1 && r.EndedAt != nil && r.ModelCalls == 1
	})
	other := got.Linked[0]
	if got.ModelCalls != 1 || *got.Usage.InputTotal != 90 || got.Joined || other.Kind != "same_call" || !other.Joined || other.Usage == nil || other.Usage.InputTotal != nil {
		t.Errorf("the agent's run: %+v, linked %+v", got, other)
	}
	made, err := c.GetRun(t.Context(), client.RunRequest{ID: other.RunID})
	if err != nil || !made.Joined || made.ModelCalls != 0 || len(made.Linked) != 1 || made.Linked[0].RunID != run {
		t.Errorf("the door's run: %+v, %v", made, err)
	}
	steps, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: run})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps.Items {
		if s.Kind == "model" && s.DecisionID != decision {
			t.Errorf("the agent's step names decision %q, want %q", s.DecisionID, decision)
		}
	}
	list, err := c.ListRuns(t.Context(), client.ListRunsRequest{})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != run {
		t.Errorf("listed: %+v, %v", list, err)
	}
	if list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: "flag:joined"}); err != nil || len(list.Items) != 1 || list.Items[0].ID != other.RunID {
		t.Errorf("asked for: %+v, %v", list, err)
	}
}
