package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"reeve/client"
	"reeve/internal/upstream"
)

// KPIConfig says where figures go besides /metrics.
type KPIConfig struct {
	Push []KPIPush `yaml:"push" doc:"OTLP receivers that get the KPIs of the last 24 hours each minute, as gauges; docs/outcomes.md tells their keys."`
}

// KPIPush is a receiver of figures.
type KPIPush struct {
	URL          string            `yaml:"url" doc:"Its whole address over HTTP, such as https://otlp.example.com/v1/metrics."`
	Headers      map[string]string `yaml:"headers" doc:"Sent with each request; no secrets."`
	Credential   *RelayCredential  `yaml:"credential" doc:"The key that it asks for, by reference."`
	AllowPrivate bool              `yaml:"allow_private" doc:"It is inside the house: private addresses and plain http."`
}

const (
	maxPushes   = 10
	pushTimeout = 10 * time.Second
)

// pushed is one receiver with what became of the sendings.
type pushed struct {
	url      string
	to       *upstream.Outside
	sent     prometheus.Counter
	failed   prometheus.Counter
	wasWrong bool // the last sending failed: said once
}

var kpiPushes = prometheus.CounterOpts{Name: "reeve_kpi_pushes_total", Help: "Sendings of KPIs over OTLP, by receiver and what became of them: sent, failed."}

// openPushes makes ready what figures are sent to; nothing is called.
func (a *App) openPushes(context.Context) error {
	list := a.o.Config.KPIs.Push
	if len(list) > maxPushes {
		return fmt.Errorf("kpis.push: at most %d receivers", maxPushes)
	}
	for i, p := range list {
		var c *client.Credential
		if p.Credential != nil {
			c = &client.Credential{Kind: p.Credential.Kind, Header: p.Credential.Header, User: p.Credential.User, Region: p.Credential.Region, Source: p.Credential.Source, Ref: p.Credential.Ref}
		}
		to, err := a.upstreams.Outside(fmt.Sprintf("kpis.push[%d]", i), p.URL, p.Headers, c, p.AllowPrivate, pushTimeout)
		if err != nil {
			return fmt.Errorf("kpis.push[%d]: %w", i, err)
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(p.URL, "https://"), "http://"), "/")
		counter := func(result string) prometheus.Counter {
			o := kpiPushes
			o.ConstLabels = prometheus.Labels{"receiver": fmt.Sprintf("%d %s", i, host), "result": result}
			return prometheus.NewCounter(o)
		}
		a.pushes = append(a.pushes, &pushed{url: p.URL, to: to, sent: counter("sent"), failed: counter("failed")})
	}
	return nil
}

// pushKPIs sends figures to every receiver at once, each with its own time. One that
// does not take them gets those of the next minute: what a gauge was a minute ago is
// of no use to anybody.
func (a *App) pushKPIs(ctx context.Context, e *exported) {
	if len(a.pushes) == 0 {
		return
	}
	body, err := proto.Marshal(otlpOf(e))
	if err != nil {
		a.log.Warn("KPIs cannot be written as OTLP", "err", err)
		return
	}
	var all sync.WaitGroup
	for _, p := range a.pushes {
		all.Go(func() {
			err := p.send(ctx, body)
			switch {
			case err == nil:
				p.sent.Inc()
			case ctx.Err() != nil:
				return // the process ends
			default:
				p.failed.Inc()
				if !p.wasWrong {
					a.log.Warn("KPIs are not taken", "receiver", p.to.Name(), "err", err)
				}
			}
			p.wasWrong = err != nil
		})
	}
	all.Wait()
}

// send sends once and follows no redirect: a credential goes nowhere else.
func (p *pushed) send(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if err := p.to.Authorize(req); err != nil {
		return err
	}
	resp, err := p.to.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection is used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answers %s", resp.Status)
	}
	return nil
}

// otlpOf writes figures as gauges. An export request of metrics and MetricsData are
// the same bytes.
func otlpOf(e *exported) *metrics.MetricsData {
	at := uint64(e.at.UnixNano())
	gauges := []struct {
		name, about string
		value       func(*exportedFigure) *float64
	}{
		{"reeve.kpi.value", "A KPI over the last 24 hours, by agent; agent is empty for all.", func(f *exportedFigure) *float64 { return f.Value }},
		{"reeve.kpi.low", "Lower end of its 95 % interval.", func(f *exportedFigure) *float64 { return f.Low }},
		{"reeve.kpi.high", "Upper end of its 95 % interval.", func(f *exportedFigure) *float64 { return f.High }},
		{"reeve.kpi.records", "Records that it is from.", func(f *exportedFigure) *float64 { n := float64(f.N); return &n }},
		{"reeve.kpi.coverage", "Records that it is from, of those that it could be from.", func(f *exportedFigure) *float64 { return f.Coverage }},
	}
	list := make([]*metrics.Metric, 0, len(gauges))
	for _, g := range gauges {
		points := make([]*metrics.NumberDataPoint, 0, len(e.list))
		for i := range e.list {
			f := &e.list[i]
			v := g.value(f)
			if v == nil {
				continue // unknown is absent, not zero
			}
			points = append(points, &metrics.NumberDataPoint{
				TimeUnixNano: at, Value: &metrics.NumberDataPoint_AsDouble{AsDouble: *v},
				Attributes: []*common.KeyValue{textAttribute("kpi", f.id), textAttribute("unit", f.unit), textAttribute("agent", f.agent)},
			})
		}
		list = append(list, &metrics.Metric{Name: g.name, Description: g.about, Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: points}}})
	}
	return &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource:     &resource.Resource{Attributes: []*common.KeyValue{textAttribute("service.name", "reeve")}},
		ScopeMetrics: []*metrics.ScopeMetrics{{Scope: &common.InstrumentationScope{Name: "reeve.kpi"}, Metrics: list}},
	}}}
}

func textAttribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}
