package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/client"
	"reeve/internal/intake/dialect"
	"reeve/internal/relay"
)

// RelayConfig says where telemetry is forwarded to.
type RelayConfig struct {
	MaxBytes     Bytes              `yaml:"max_bytes" doc:"Size of the queue in front of all destinations. When it is full the oldest goes, and each destination that did not have it counts a gap."`
	Destinations []RelayDestination `yaml:"destinations" doc:"OTLP back ends that what arrives is forwarded to; nobody changes these at run time. docs/relay.md tells their keys."`
}

// RelayDestination is a destination as the configuration file says it.
type RelayDestination struct {
	Name         string            `yaml:"name" doc:"What it is called."`
	URL          string            `yaml:"url" doc:"Its address: below it /v1/traces and the others for HTTP, host and port for gRPC."`
	Protocol     string            `yaml:"protocol" doc:"http/protobuf (the default) or grpc."`
	Signals      []string          `yaml:"signals" doc:"traces, logs, metrics; all by default."`
	Agents       []string          `yaml:"agents" doc:"Only of these agents."`
	Teams        []string          `yaml:"teams" doc:"Only from keys of these teams."`
	Environments []string          `yaml:"environments" doc:"Only of these environments."`
	Dialects     []string          `yaml:"dialects" doc:"Only spans of these dialects."`
	Redact       []string          `yaml:"redact" doc:"Classes of content that are cut out, such as pii and secret, beside what content rules say."`
	Headers      map[string]string `yaml:"headers" doc:"Sent with each request; no secrets."`
	Credential   *RelayCredential  `yaml:"credential" doc:"The key that it asks for, by reference."`
	Compression  string            `yaml:"compression" doc:"gzip (the default) or none."`
	AllowPrivate bool              `yaml:"allow_private" doc:"It is inside the house: private addresses and plain http."`
	Timeout      time.Duration     `yaml:"timeout" doc:"Of one request; 10 s by default."`
}

// RelayCredential is a secret by reference.
type RelayCredential struct {
	Kind   string `yaml:"kind" doc:"bearer, header, basic or sigv4."`
	Header string `yaml:"header" doc:"Of kind header: its name."`
	User   string `yaml:"user" doc:"Of kind basic: the user."`
	Region string `yaml:"region" doc:"Of kind sigv4."`
	Source string `yaml:"source" doc:"env, file or vault."`
	Ref    string `yaml:"ref" doc:"The variable, the path, or PATH#KEY in Vault."`
}

func (d *RelayDestination) shape() client.RelayDestination {
	out := client.RelayDestination{
		Name: d.Name, URL: d.URL, Protocol: d.Protocol, Signals: d.Signals, Agents: d.Agents, Teams: d.Teams, Environments: d.Environments,
		Dialects: d.Dialects, Redact: d.Redact, Headers: d.Headers, Compression: d.Compression, AllowPrivate: d.AllowPrivate, TimeoutMS: d.Timeout.Milliseconds(),
	}
	if c := d.Credential; c != nil {
		out.Credential = &client.Credential{Kind: c.Kind, Header: c.Header, User: c.User, Region: c.Region, Source: c.Source, Ref: c.Ref}
	}
	return out
}

// openRelay loads the destinations; what is forwarded flows while the process
// runs.
func (a *App) openRelay(ctx context.Context) (err error) {
	o := relay.Options{
		DB: a.control, Queue: a.bus.Relay(), Plans: a.content, Secret: dialect.LooksSecret,
		Install: a.control.Install(), Logger: a.log.With("part", "relay"),
		Open: func(d *client.RelayDestination) (relay.Remote, error) {
			return a.upstreams.Outside("relay "+d.Name, d.URL, d.Headers, d.Credential, d.AllowPrivate, time.Duration(d.TimeoutMS)*time.Millisecond)
		},
	}
	for i := range a.o.Config.Relay.Destinations {
		o.Static = append(o.Static, a.o.Config.Relay.Destinations[i].shape())
	}
	a.relays, err = relay.New(ctx, o)
	return err
}

var (
	relayRecords = prometheus.NewDesc("reeve_relay_records_total", "Records by destination and what became of them: sent, filtered, rejected.", []string{"destination", "result"}, nil)
	relayLost    = prometheus.NewDesc("reeve_relay_lost_batches_total", "Batches that the queue dropped before a destination had them.", []string{"destination"}, nil)
	relayWaiting = prometheus.NewDesc("reeve_relay_waiting_batches", "Batches that a destination does not have yet.", []string{"destination"}, nil)
	relayLag     = prometheus.NewDesc("reeve_relay_lag_seconds", "Age of the oldest of them.", []string{"destination"}, nil)
	relayFailing = prometheus.NewDesc("reeve_relay_failing", "1 while a destination takes nothing.", []string{"destination"}, nil)
)

// relay gives how the destinations do.
func (p *parts) relay(ctx context.Context, out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	s := p.a.relays.Stats(ctx)
	for _, f := range []figure{
		{"reeve_relay_offered_total", "Records that some destination may want.", counter, float64(s.Offered)},
		{"reeve_relay_dropped_total", "Of them, what the queue did not take.", counter, float64(s.Dropped)},
		{"reeve_relay_queue_bytes", "Bytes of the queue.", gauge, float64(s.Bytes)},
		{"reeve_relay_queue_quota_bytes", "Most bytes it may hold.", gauge, float64(s.Quota)},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
	for _, d := range p.a.relays.List(ctx) {
		failing := 0.0
		if d.Status.State == "failing" {
			failing = 1
		}
		out <- prometheus.MustNewConstMetric(relayRecords, counter, float64(d.Status.Sent), d.Name, "sent")
		out <- prometheus.MustNewConstMetric(relayRecords, counter, float64(d.Status.Filtered), d.Name, "filtered")
		out <- prometheus.MustNewConstMetric(relayRecords, counter, float64(d.Status.Rejected), d.Name, "rejected")
		out <- prometheus.MustNewConstMetric(relayLost, counter, float64(d.Status.Lost), d.Name)
		out <- prometheus.MustNewConstMetric(relayWaiting, gauge, float64(d.Status.Waiting), d.Name)
		out <- prometheus.MustNewConstMetric(relayLag, gauge, d.Status.LagSeconds, d.Name)
		out <- prometheus.MustNewConstMetric(relayFailing, gauge, failing, d.Name)
	}
}
