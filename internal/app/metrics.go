package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"reeve/internal/pin"
	"reeve/internal/telemetry"
)

// buildMetrics makes /metrics: the process, and what the parts count. Names
// are stable; docs/benchmarks.md and dashboards use them.
func (a *App) buildMetrics(context.Context) error {
	a.metrics = prometheus.NewRegistry()
	a.metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&parts{a: a},
		house{a.backups},
	)
	return nil
}

// parts reads the parts' own counters when asked, so that the data path pays
// for no second set.
type parts struct{ a *App }

// metricsTimeout bounds what a scrape may wait for a part.
const metricsTimeout = 2 * time.Second

var stageDesc = prometheus.NewDesc("reeve_stage_seconds_total",
	"Processor seconds on the way from a request's body to the store, by stage; waiting is not in it.", []string{"stage"}, nil)

type figure struct {
	name, help string
	kind       prometheus.ValueType
	value      float64
}

func (f *figure) metric() prometheus.Metric {
	return prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
}

// Describe sends nothing: the list of figures is checked when collected.
func (p *parts) Describe(chan<- *prometheus.Desc) {}

// Collect reads every part once.
func (p *parts) Collect(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	in, rd := p.a.intake.Stats(), p.a.reader.Stats()
	lag, _ := p.a.reader.Lag()
	figures := []figure{
		{"reeve_intake_requests_total", "Requests to the intake.", counter, float64(in.Requests)},
		{"reeve_intake_refused_total", "Requests answered with an error.", counter, float64(in.Refused)},
		{"reeve_intake_bytes_total", "Bytes of bodies, decompressed.", counter, float64(in.Bytes)},
		{"reeve_intake_spans_total", "Spans accepted.", counter, float64(in.Spans)},
		{"reeve_intake_logs_total", "Log records accepted.", counter, float64(in.Logs)},
		{"reeve_intake_points_total", "Metric points accepted.", counter, float64(in.Points)},
		{"reeve_intake_rejected_total", "Records that could not be read.", counter, float64(in.Rejected)},
		{"reeve_intake_in_flight_bytes", "Bytes being worked on now.", gauge, float64(in.InFlight)},
		{"reeve_run_fragments_total", "Fragments read from the log.", counter, float64(rd.Fragments)},
		{"reeve_run_duplicates_total", "Exact resends among them.", counter, float64(rd.Duplicates)},
		{"reeve_run_undecodable_total", "Payloads of the log that were skipped.", counter, float64(rd.Undecodable)},
		{"reeve_run_refused_total", "Steps beyond the limit of a run.", counter, float64(rd.Refused)},
		{"reeve_run_writes_total", "Writes to the store.", counter, float64(rd.Writes)},
		{"reeve_run_write_failures_total", "Writes that the store refused.", counter, float64(rd.Failures)},
		{"reeve_run_steps_total", "Steps written, revisions included.", counter, float64(rd.Steps)},
		{"reeve_run_messages_total", "Message rows written.", counter, float64(rd.Messages)},
		{"reeve_run_rows_total", "Run rows written.", counter, float64(rd.Rows)},
		{"reeve_run_reloads_total", "Runs or steps that came back from the store.", counter, float64(rd.Reloads)},
		{"reeve_run_evicted_total", "Runs dropped from memory before they were done.", counter, float64(rd.Evicted)},
		{"reeve_run_history_hits_total", "Resent histories recognised by their prefix.", counter, float64(rd.PrefixHits)},
		{"reeve_run_content_bytes_total", "Bytes of messages looked at one by one.", counter, float64(rd.ContentBytes)},
		{"reeve_run_content_stored_bytes_total", "Bytes of content stored.", counter, float64(rd.StoredBytes)},
		{"reeve_run_live", "Runs in memory.", gauge, float64(rd.Live)},
		{"reeve_run_live_bytes", "Memory they take, about.", gauge, float64(rd.LiveBytes)},
		{"reeve_run_lag_seconds", "Age of the oldest record that is not yet stored.", gauge, lag.Seconds()},
	}
	for i, name := range telemetry.StageNames {
		out <- prometheus.MustNewConstMetric(stageDesc, counter, p.a.stages.Seconds(telemetry.Stage(i)), name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), metricsTimeout)
	defer cancel()
	if s, err := p.a.bus.Activity().Stats(ctx); err == nil {
		figures = append(figures,
			figure{"reeve_log_bytes", "Bytes of the activity log that wait to be stored.", gauge, float64(s.Bytes)},
			figure{"reeve_log_quota_bytes", "Most bytes it may hold.", gauge, float64(s.Quota)})
	}
	peers := p.a.peers.Stats()
	figures = append(figures,
		figure{"reeve_peer_tasks", "Tasks and contexts at peers whose owner is known.", gauge, float64(peers.Tasks)},
		figure{"reeve_peer_tasks_cancelled_total", "Tasks that peers ended since their agent was stopped.", counter, float64(peers.Cancelled)},
		figure{"reeve_peer_tasks_uncancelled_total", "Tasks of stopped agents that peers did not end.", counter, float64(peers.Uncancelled)})
	d := p.a.decisions.Stats()
	figures = append(figures,
		figure{"reeve_decisions_proposed_total", "Decisions recorded.", counter, float64(d.Proposed)},
		figure{"reeve_decisions_completed_total", "Completions recorded.", counter, float64(d.Completed)},
		figure{"reeve_decisions_refused_total", "Decisions that could not be recorded: their calls were refused.", counter, float64(d.Refused)},
		figure{"reeve_decisions_batches_total", "Messages that carried them to the log.", counter, float64(d.Batches)},
		figure{"reeve_decisions_open", "Decisions that are proposed and not completed.", gauge, float64(d.Open)},
		figure{"reeve_decisions_records", "Records of the log, the next number.", gauge, float64(d.Records)},
		figure{"reeve_decisions_archive_bytes", "Bytes of its archive on disk.", gauge, float64(d.Archive)})
	if s, err := p.a.store.Stats(ctx); err == nil {
		figures = append(figures,
			figure{"reeve_store_bytes", "Bytes of the telemetry store on disk.", gauge, float64(s.Bytes)},
			figure{"reeve_store_files", "Segments.", gauge, float64(s.Files)},
			figure{"reeve_store_steps", "Rows of steps.", gauge, float64(s.Steps)},
			figure{"reeve_store_messages", "Rows of messages.", gauge, float64(s.Messages)})
	}
	p.door(out)
	p.approvals(out)
	p.tools(out)
	p.connectionFigures(out)
	p.behaviour(out)
	p.relay(ctx, out)
	p.pollers(out)
	p.alertFigures(out)
	p.incidentFigures(ctx, out)
	p.outcomeFigures(out)
	p.feedbackFigures(out)
	p.topicFigures(out)
	p.evaluateFigures(out)
	for _, f := range figures {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}

var (
	doorCalls = prometheus.NewDesc("reeve_door_calls_total", "Calls at the door by kind of upstream, verdict, result and code.",
		[]string{"kind", "verdict", "result", "code"}, nil)
	doorWhole    = prometheus.NewDesc("reeve_door_call_seconds", "From a call's request to the end of its answer.", nil, nil)
	doorDeciding = prometheus.NewDesc("reeve_door_deciding_seconds", "Of it, before it was forwarded: identified, decided, recorded.", nil, nil)
)

// door gives the door's own counters.
func (p *parts) door(out chan<- prometheus.Metric) {
	s := p.a.gateway.Stats()
	for _, c := range s.Calls {
		out <- prometheus.MustNewConstMetric(doorCalls, prometheus.CounterValue, float64(c.Calls), c.Kind, c.Verdict, c.Result, c.Code)
	}
	out <- prometheus.MustNewConstHistogram(doorWhole, s.Whole.Count, s.Whole.Sum, s.Whole.Buckets)
	out <- prometheus.MustNewConstHistogram(doorDeciding, s.Deciding.Count, s.Deciding.Sum, s.Deciding.Buckets)
	for _, f := range []figure{
		{"reeve_door_live_calls", "Calls at the door now.", prometheus.GaugeValue, float64(s.Live)},
		{"reeve_door_strangers_total", "Refusals of callers that nobody knows; one a second is recorded.", prometheus.CounterValue, float64(s.Strangers)},
		{"reeve_door_steps_lost_total", "Steps of calls that found no room in the activity log; their decisions are complete.", prometheus.CounterValue, float64(s.StepsLost)},
		{"reeve_door_background_jobs", "Model calls that go on at a provider after their answer.", prometheus.GaugeValue, float64(p.a.jobs.Len())},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}

var toolStates = prometheus.NewDesc("reeve_tools", "Tools of MCP servers, by whether a person accepted what their server lists.", []string{"state"}, nil)

// tools gives how many tools are accepted and how many wait for a person.
func (p *parts) tools(out chan<- prometheus.Metric) {
	accepted, held := p.a.pins.Count()
	out <- prometheus.MustNewConstMetric(toolStates, prometheus.GaugeValue, float64(accepted), pin.Accepted)
	out <- prometheus.MustNewConstMetric(toolStates, prometheus.GaugeValue, float64(held), pin.Held)
}

var approvalAnswers = prometheus.NewDesc("reeve_approval_answers_total", "What people said about held actions.", []string{"verdict"}, nil)

// approvals gives what waits for people, and how they answered.
func (p *parts) approvals(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	s := p.a.approvals.Stats()
	for verdict, n := range s.Answers {
		out <- prometheus.MustNewConstMetric(approvalAnswers, counter, float64(n), verdict)
	}
	for _, f := range []figure{
		{"reeve_approvals_pending", "Held actions that wait for a person.", gauge, float64(s.Pending)},
		{"reeve_approvals_oldest_seconds", "How long the oldest of them has waited.", gauge, s.OldestPending.Seconds()},
		{"reeve_approvals_approved", "Approved actions whose call did not come yet.", gauge, float64(s.Approved)},
		{"reeve_approvals_executing", "Approved actions that are being forwarded.", gauge, float64(s.Executing)},
		{"reeve_approvals_requested_total", "Actions that were put to people.", counter, float64(s.Requested)},
		{"reeve_approvals_refused_total", "Held actions of agents that ask for too much: denied.", counter, float64(s.Refused)},
		{"reeve_approvals_denied_again_total", "Actions that a person denied in the last day: denied again.", counter, float64(s.DeniedAgain)},
		{"reeve_approvals_unopened_total", "Actions that were approved without having been opened.", counter, float64(s.Unopened)},
		{"reeve_approval_answer_seconds_total", "Seconds from question to answer, over all answers.", counter, s.AnswerSeconds},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}

var openFindings = prometheus.NewDesc("reeve_findings_open", "Findings that are open, by detector and severity.", []string{"detector", "severity"}, nil)

// behaviour gives what is watched and what was found.
func (p *parts) behaviour(out chan<- prometheus.Metric) {
	for k, n := range p.a.watching.findings.Counts() {
		out <- prometheus.MustNewConstMetric(openFindings, prometheus.GaugeValue, float64(n), k[0], k[1])
	}
	s := p.a.watching.watch.Stats()
	for _, f := range []figure{
		{"reeve_watch_steps_total", "Steps whose behaviour was measured.", prometheus.CounterValue, float64(s.Steps)},
		{"reeve_watch_findings_total", "Findings that were opened since the start.", prometheus.CounterValue, float64(s.Found)},
		{"reeve_watch_dropped_total", "Findings and decisions that the queue had no room for.", prometheus.CounterValue, float64(s.Dropped)},
		{"reeve_watch_forgotten_total", "Agents and unfinished runs forgotten for want of room.", prometheus.CounterValue, float64(s.Forgotten)},
		{"reeve_watch_agents", "Agents whose behaviour is known, by each way of knowing of them.", prometheus.GaugeValue, float64(s.Agents)},
		{"reeve_watch_runs", "Runs that are measured.", prometheus.GaugeValue, float64(s.Runs)},
		{"reeve_watch_slowest_seconds", "Longest time from a record's arrival to its finding since the last scrape.", prometheus.GaugeValue, s.Slowest.Seconds()},
	} {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(f.name, f.help, nil, nil), f.kind, f.value)
	}
}
