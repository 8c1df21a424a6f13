import{r as e}from"./rolldown-runtime-XKyaHtl9.js";import{Jt as t,M as n,tt as r,yn as i}from"./base-VRDVBS4U.js";var a=e(i(),1),o={tabs:`_tabs_x3yll_1`,tab:`_tab_x3yll_1`,steps:`_steps_x3yll_24`,first:`_first_x3yll_57`,wait:`_wait_x3yll_69`,dot:`_dot_x3yll_75`,breathe:`_breathe_x3yll_1`};function s(e,t){return{endpoint:e,key:t}}var c=e=>/^[\w./:@-]+$/.test(e)?e:`'${e.replace(/'/g,`'\\''`)}'`,l=[`Environment`,`Python`,`Node`,`Go`,`curl`];function u(e,t){return[`export OTEL_EXPORTER_OTLP_ENDPOINT=${c(e.endpoint)}`,`export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`,...e.key?[`export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20${e.key}"`]:[],`export OTEL_SERVICE_NAME=${c(t)}`,`export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`].join(`
`)}function d(e,t,n=`my-first-agent`){switch(e){case`Environment`:return u(t,n);case`Python`:return`${u(t,n)}
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
with tracer.start_as_current_span("invoke_agent ${n}") as run:
    run.set_attribute("gen_ai.operation.name", "invoke_agent")
    run.set_attribute("gen_ai.agent.name", "${n}")
    with tracer.start_as_current_span("execute_tool lookup") as step:
        step.set_attribute("gen_ai.operation.name", "execute_tool")
        step.set_attribute("gen_ai.tool.name", "lookup")
provider.shutdown()
PY`;case`Node`:return`${u(t,n)}
npm install @opentelemetry/api @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
cat > first-trace.mjs <<'JS'
import { trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();
const tracer = trace.getTracer('first-trace');
tracer.startActiveSpan('invoke_agent ${n}', (run) => {
  run.setAttributes({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': '${n}' });
  tracer.startActiveSpan('execute_tool lookup', (step) => {
    step.setAttributes({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'lookup' });
    step.end();
  });
  run.end();
});
await sdk.shutdown();
JS
node first-trace.mjs`;case`Go`:return`${u(t,n)}
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
	ctx, run := tracer.Start(ctx, "invoke_agent ${n}")
	run.SetAttributes(attribute.String("gen_ai.operation.name", "invoke_agent"), attribute.String("gen_ai.agent.name", "${n}"))
	_, step := tracer.Start(ctx, "execute_tool lookup")
	step.SetAttributes(attribute.String("gen_ai.operation.name", "execute_tool"), attribute.String("gen_ai.tool.name", "lookup"))
	step.End()
	run.End()
	if err := provider.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
}
GO
go mod tidy && go run .`;case`curl`:return`NOW=$(date +%s)
curl -sS ${c(t.endpoint+`/v1/traces`)} \\
  -H 'Content-Type: application/json' \\${t.key?`\n  -H 'Authorization: Bearer ${t.key}' \\`:``}
  -d '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"${n}"}}]},
       "scopeSpans":[{"spans":[{"traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'",
       "name":"invoke_agent ${n}","kind":1,"startTimeUnixNano":"'$((NOW-2))'000000000","endTimeUnixNano":"'$NOW'000000000",
       "attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"invoke_agent"}},
                     {"key":"gen_ai.agent.name","value":{"stringValue":"${n}"}}]}]}]}]}'`}}var f=t();function p({apiKey:e,agent:t=`my-first-agent`}){let[i,c]=(0,a.useState)(`Environment`),u=r()?.dev,p=e??(u?void 0:`YOUR_INTAKE_KEY`);return(0,f.jsxs)(`div`,{children:[(0,f.jsx)(`div`,{className:o.tabs,role:`tablist`,"aria-label":`Language`,children:l.map((e,t)=>(0,f.jsx)(`button`,{type:`button`,role:`tab`,id:`tab-${e}`,"aria-selected":e===i,"aria-controls":`snippet`,tabIndex:e===i?0:-1,className:o.tab,onClick:()=>c(e),onKeyDown:e=>{let n=e.key===`ArrowRight`?t+1:e.key===`ArrowLeft`?t-1:void 0;if(n===void 0)return;let r=l[(n+l.length)%l.length];c(r),document.getElementById(`tab-${r}`)?.focus()},children:e},e))}),(0,f.jsx)(`div`,{role:`tabpanel`,id:`snippet`,"aria-labelledby":`tab-${i}`,children:(0,f.jsx)(n,{text:d(i,s(location.origin,p),t),label:i===`Environment`?`environment variables`:`commands for ${i}`})})]})}export{o as n,p as t};