package agentkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Service says who sends.
type Service struct {
	Name        string // service.name
	Namespace   string // service.namespace: the team
	Version     string
	Environment string
}

// Telemetry is the SDK set up for one service.
type Telemetry struct {
	tracer   trace.Tracer
	logger   log.Logger
	tokens   metric.Int64Histogram
	shutdown []func(context.Context) error
}

// SetupOptions change where telemetry goes. The zero value follows the
// standard variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS,
// ...), with http://127.0.0.1:4318 when none is set.
type SetupOptions struct {
	Endpoint string            // base URL of an OTLP/HTTP endpoint; wins over the environment
	Headers  map[string]string // sent with each export; wins over the environment
	Interval time.Duration     // how often spans and logs leave [1 s: a live run should be seen living]
}

// Setup starts exporters for traces, logs and metrics. Call Shutdown at the
// end: it sends what is left.
func Setup(ctx context.Context, s Service, scope string, o SetupOptions) (*Telemetry, error) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Endpoint == "" && os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		o.Endpoint = "http://127.0.0.1:4318"
	}
	var traceOpts []otlptracehttp.Option
	var logOpts []otlploghttp.Option
	var metricOpts []otlpmetrichttp.Option
	if o.Endpoint != "" {
		traceOpts = append(traceOpts, otlptracehttp.WithEndpointURL(o.Endpoint+"/v1/traces"))
		logOpts = append(logOpts, otlploghttp.WithEndpointURL(o.Endpoint+"/v1/logs"))
		metricOpts = append(metricOpts, otlpmetrichttp.WithEndpointURL(o.Endpoint+"/v1/metrics"))
	}
	if o.Headers != nil {
		traceOpts = append(traceOpts, otlptracehttp.WithHeaders(o.Headers))
		logOpts = append(logOpts, otlploghttp.WithHeaders(o.Headers))
		metricOpts = append(metricOpts, otlpmetrichttp.WithHeaders(o.Headers))
	}
	res, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", s.Name),
		attribute.String("service.namespace", s.Namespace),
		attribute.String("service.version", s.Version),
		attribute.String("deployment.environment.name", s.Environment),
	))
	if err != nil {
		return nil, fmt.Errorf("describing the service: %w", err)
	}
	t := &Telemetry{}
	traces, err := otlptracehttp.New(ctx, traceOpts...)
	if err != nil {
		return nil, fmt.Errorf("starting the trace exporter: %w", err)
	}
	limits := sdktrace.NewSpanLimits()
	if os.Getenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT") == "" {
		// Dialects that flatten messages pass the SDK's limit of 128 attributes
		// after a dozen turns, and what is dropped then is the usage.
		limits.AttributeCountLimit = -1
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithBatcher(traces, sdktrace.WithBatchTimeout(o.Interval)))
	t.shutdown = append(t.shutdown, tp.Shutdown)
	t.tracer = tp.Tracer(scope, trace.WithInstrumentationVersion(s.Version))

	logs, err := otlploghttp.New(ctx, logOpts...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the log exporter: %w", err), t.Shutdown(ctx))
	}
	lp := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(logs, sdklog.WithExportInterval(o.Interval))))
	t.shutdown = append(t.shutdown, lp.Shutdown)
	t.logger = lp.Logger(scope, log.WithInstrumentationVersion(s.Version))

	metrics, err := otlpmetrichttp.New(ctx, metricOpts...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the metric exporter: %w", err), t.Shutdown(ctx))
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithInterval(30*time.Second))))
	t.shutdown = append(t.shutdown, mp.Shutdown)
	t.tokens, err = mp.Meter(scope).Int64Histogram("gen_ai.client.token.usage", metric.WithUnit("{token}"), metric.WithDescription("Tokens used by model calls"))
	if err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	return t, nil
}

// Log writes one line of the agent's own log, joined to the span in ctx.
func (t *Telemetry) Log(ctx context.Context, severity log.Severity, text string, attrs ...attribute.KeyValue) {
	var r log.Record
	r.SetTimestamp(time.Now())
	r.SetSeverity(severity)
	r.SetBody(attribute.StringValue(text))
	r.AddAttributes(attrs...)
	t.logger.Emit(ctx, r)
}

// Shutdown sends what is left and stops the exporters.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, f := range t.shutdown {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
