/** What a sender needs: where Reeve listens and, unless in development mode, a key. */
export interface Target {
  /** The OTLP/HTTP base address, without /v1/traces. */
  endpoint: string;
  key?: string;
}

/** target is where this console's own server takes telemetry. */
export function target(origin: string, key?: string): Target {
  return { endpoint: origin, key };
}

const shell = (v: string) => (/^[\w./:@-]+$/.test(v) ? v : `'${v.replace(/'/g, `'\\''`)}'`);

export const languages = ['Environment', 'Python', 'Node', 'Go', 'curl'] as const;
export type Language = (typeof languages)[number];

/** The variables that every OpenTelemetry SDK reads. */
export function environment(t: Target, agent: string): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${shell(t.endpoint)}`,
    `export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,
    ...(t.key ? [`export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20${t.key}"`] : []),
    `export OTEL_SERVICE_NAME=${shell(agent)}`,
    `export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`,
  ].join('\n');
}

/** snippet is what to paste to send a first trace in a language. */
export function snippet(language: Language, t: Target, agent = 'my-first-agent'): string {
  switch (language) {
    case 'Environment':
      return environment(t, agent);
    case 'Python':
      return `${environment(t, agent)}
pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
python3 - <<'PY'
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("first-trace")
with tracer.start_as_current_span("invoke_agent ${agent}") as run:
    run.set_attribute("gen_ai.operation.name", "invoke_agent")
    run.set_attribute("gen_ai.agent.name", "${agent}")
    with tracer.start_as_current_span("execute_tool lookup") as step:
        step.set_attribute("gen_ai.operation.name", "execute_tool")
        step.set_attribute("gen_ai.tool.name", "lookup")
provider.shutdown()
PY`;
    case 'Node':
      return `${environment(t, agent)}
npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
cat > first-trace.mjs <<'JS'
import { trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();
const tracer = trace.getTracer('first-trace');
tracer.startActiveSpan('invoke_agent ${agent}', (run) => {
  run.setAttributes({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': '${agent}' });
  tracer.startActiveSpan('execute_tool lookup', (step) => {
    step.setAttributes({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup' });
    step.end();
  });
  run.end();
});
await sdk.shutdown();
JS
node first-trace.mjs`;
    case 'Go':
      return `${environment(t, agent)}
mkdir first-trace && cd first-trace && go mod init first-trace
cat > main.go <<'GO'
package main

import (
	"context"
	"log"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		log.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	tracer := provider.Tracer("first-trace")
	ctx, run := tracer.Start(ctx, "invoke_agent ${agent}")
	run.SetAttributes(attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("gen_ai.agent.name", "${agent}"))
	_, step := tracer.Start(ctx, "execute_tool lookup")
	step.SetAttributes(attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "lookup"))
	step.End()
	run.End()
	if err := provider.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
}
GO
go mod tidy && go run .`;
    case 'curl':
      return `NOW=$(date +%s)
curl -sS ${shell(t.endpoint + '/v1/traces')} \\
  -H 'Content-Type: application/json' \\${t.key ? `\n  -H 'Authorization: Bearer ${t.key}' \\` : ''}
  -d '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"${agent}"}}]},
       "scopeSpans":[{"spans":[{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'",
       "name":"invoke_agent ${agent}","kind":1,"startTimeUnixNano":"'$((NOW-2))'000000000","endTimeUnixNano":"'$NOW'000000000",
       "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"invoke_agent"}},
                     {"key":"gen_ai.agent.name","value":{"stringValue":"${agent}"}}]}]}]}]}'`;
  }
}
