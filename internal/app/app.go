// Package app builds the process from its configuration and runs it.
//
// What for: it is the only place that knows everyone. It opens the data
// folder, wires intake to the log, the log to the reader, the reader to the
// store and all of them to the API, and listens.
//
// Who calls it: cli (serve, demo) and tests that need a whole Reeve.
//
// Promises: New builds in order and undoes what it built when it fails; Run
// starts every loop in one group, the first failure stops the rest; stopping
// takes the reverse order (listeners, requests, intake, reader, stores) and is
// bounded by Config.Shutdown.
//
// How it fails: New returns a fault that says what is in the way (folder in
// use, port taken, no right to write); Run returns the first loop's error, or
// nil when its context ended.
//
// Start reading at New, then App.Run.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/alert"
	"reeve/internal/api"
	"reeve/internal/approval"
	"reeve/internal/audit"
	"reeve/internal/behaviour"
	"reeve/internal/budget"
	"reeve/internal/bus"
	"reeve/internal/canary"
	"reeve/internal/change"
	"reeve/internal/compliance"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/dataset"
	"reeve/internal/decision"
	"reeve/internal/evaluate"
	"reeve/internal/experiment"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/fleet"
	"reeve/internal/gateway"
	"reeve/internal/gateway/a2a"
	"reeve/internal/gateway/mcp"
	"reeve/internal/gateway/points"
	"reeve/internal/hook"
	"reeve/internal/identity"
	"reeve/internal/identity/oidc"
	"reeve/internal/incident"
	"reeve/internal/intake"
	"reeve/internal/intake/dialect"
	"reeve/internal/invoice"
	"reeve/internal/lesson"
	"reeve/internal/pin"
	"reeve/internal/policy"
	"reeve/internal/poll"
	"reeve/internal/price"
	"reeve/internal/relay"
	"reeve/internal/remap"
	"reeve/internal/rerate"
	"reeve/internal/run"
	"reeve/internal/siem"
	"reeve/internal/source"
	"reeve/internal/steer"
	"reeve/internal/stop"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/duck"
	"reeve/internal/topic"
	"reeve/internal/upstream"
	"reeve/internal/upstream/connection"
)

// Options are what New needs beside the configuration. Config and Logger are
// required.
type Options struct {
	Config  Config
	Logger  *slog.Logger
	Level   *slog.LevelVar // of Logger, set by Reload; may be nil
	Version string
	// Exec starts the query child; nil means this executable.
	Exec []string
	// Notices are shown to everybody who signs in; may be nil.
	Notices api.Notices
	// Mount adds handlers to the console's listener by path prefix, behind the
	// same guard as everything else.
	Mount map[string]http.Handler
	// Table says how attributes of telemetry are read; nil is intake's own.
	Table *dialect.Map
}

// App is a built Reeve. Run it once, then Stop it.
type App struct {
	o       Options
	log     *slog.Logger
	started time.Time
	stack   stack

	bus      *bus.Bus
	control  *control.DB
	api      *api.API
	identity *identity.Directory
	signIns  *oidc.Handler
	store    *duck.Store
	stages   telemetry.Stages // of the way from a body to the store
	turns    *telemetry.Turns // of work that nobody waits for
	accounting
	reader    *run.Reader
	intake    *intake.Intake
	agents    *agent.Registry
	fleet     *fleet.Fleet
	stops     *stop.Board
	upstreams *upstream.Registry
	engine    *policy.Engine
	policies  *policy.Store
	simulator *policy.Simulator
	metrics   *prometheus.Registry
	authority authority
	decisions *decision.Log
	decided   *decision.Index
	proofs    proofs
	siem      *siem.Exporter
	relays    *relay.Relay
	pollers   *poll.Poller
	rerates   *rerate.Book
	remaps    *remap.Book
	gateway   *gateway.Door
	mcp       *mcp.Protocol
	peers     *a2a.Protocol
	points    *points.Server
	coverage  *points.Coverage
	steps     *gateway.Steps
	jobs      *gateway.Jobs
	config    atomic.Pointer[reloaded] // nil: as it was at the start
	health    *health
	approvals *approval.Book
	steer     *steer.Book
	lessons   *lesson.Book
	incidents *incident.Book
	feedback  *feedback.Book
	timers    map[string]control.TimerFunc // by kind; each part adds its own while it is built
	budgets   *budget.Ledger
	sources   *source.Book
	hooks     *hook.Registry
	alerts    *alert.Book
	changes   *change.Book
	budgetsAt int64 // sequence of the log that they are read up to; the follower's
	content   *content.Set
	leaks     chan leak // keys of ours that were seen in content
	book      *price.Book
	behaviour *behaviour.Memory
	pins      *pin.Book
	watching  watching

	policyTopic bus.Topic[policyNotice]
	connections *connection.Book
	listeners   []*listener
	passed      map[string]net.Listener // sockets that this process was given and nobody took yet
	adminToken  string

	calling     calling
	asked       askings // of incidents
	canaries    *canary.Book
	alertsMoved chan struct{} // of one: alerts have news for incidents

	backups *backups
	keeping *keeping

	evaluations   *evaluate.Book
	datasets      *dataset.Book
	topics        *topic.Book
	experiments   *experiment.Book
	feedbackMoved chan struct{} // of one: users said something
}

// New builds everything and listens, but answers nobody before Run.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, log: o.Logger, started: time.Now(), turns: telemetry.NewTurns(), alertsMoved: make(chan struct{}, 1), feedbackMoved: make(chan struct{}, 1)}
	a.stages.Turns = a.turns
	defer func() {
		if err != nil {
			err = errors.Join(err, a.stack.unwind(context.WithoutCancel(ctx), a.o.Config.Shutdown, a.log))
		}
	}()
	if a.passed, err = takeSockets(); err != nil {
		return nil, err
	}
	for _, build := range []func(context.Context) error{
		a.openFolder,
		a.openControl,
		a.bindDoor,
		a.openAgents,
		a.openStops,
		a.openApprovals,
		a.openIdentity,
		a.openUpstreams,
		a.openPeople,
		a.openBus,
		a.openAudit,
		a.openDecisions,
		a.openSIEM,
		a.openBudgets,
		a.openContent,
		a.openPins,
		a.openPolicies,
		a.openWatch,
		a.openStore,
		a.openRetention,
		a.openBackups,
		a.openFeedback,
		a.openEvaluations,
		a.openDatasets,
		a.openTopics,
		a.openExperiments,
		a.buildIndex,
		a.buildReader,
		a.openOutcomes,
		a.openPushes,
		a.openObjectives,
		a.openRelay,
		a.buildIntake,
		a.openPollers,
		a.openRerates,
		a.openRemaps,
		a.buildPeers,
		a.buildDoor,
		a.openOnCall,
		a.openLessons,
		a.openIncidents,
		a.buildSimulator,
		a.buildAPI,
		a.buildMetrics,
		a.listen,
	} {
		if err := build(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// AdminToken is the one-time token of the first start; "" later and in dev mode.
func (a *App) AdminToken() string { return a.adminToken }

// Run serves until ctx ends (then it returns nil) or a part fails. It stops
// accepting and finishes what was accepted before it returns.
func (a *App) Run(ctx context.Context) error {
	// The loops outlive ctx until the listeners are closed: what was accepted is
	// folded and stored before the reader ends.
	loops, endLoops := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endLoops(nil)
	g, failed := errgroup.WithContext(ctx)
	var background running

	start := func(name string, loop func(context.Context) error) {
		background.start(name, func() {
			err := loop(loops)
			if loops.Err() != nil && (err == nil || errors.Is(err, context.Cause(loops))) {
				return
			}
			if err == nil {
				err = errors.New("ended by itself")
			}
			err = fmt.Errorf("%s: %w", name, err)
			a.log.Error("part failed", "part", name, "err", err)
			g.Go(func() error { return err })
		})
	}
	start("reader", a.reader.Run)
	start("store upkeep", a.store.Maintain)
	start("retention", a.keeping.run)
	start("backups", a.backups.run)
	start("health", a.health.watch)
	start("outbox", a.relay)
	start("identity", a.identity.Run)
	start("agents", a.agents.Run)
	start("fleet", a.fleet.Run)
	start("findings", a.watching.findings.Run)
	start("responses", a.watching.runResponses)
	start("watch", a.watching.watch.Run)
	start("uses", a.incidents.FollowUses)
	start("asked rules", a.watching.asker.Run)
	start("canaries", a.canaries.Run)
	start("stops", a.stops.Run)
	start("budgets", a.budgets.Run)
	start("sources", a.sources.Run)
	start("sources of alerts", a.hooks.Run)
	start("alerts", a.alerts.Run)
	start("changes", a.changes.Run)
	start("upstreams", a.upstreams.Run)
	start("connections", a.connections.Run)
	start("approvals", a.approvals.Run)
	start("steering", a.steer.Run)
	start("incidents", a.incidents.Run)
	start("notices", a.calling.notices.Run)
	start("calls", a.callPeople)
	start("feedback", a.feedback.Run)
	start("evaluations", a.evaluations.Run)
	start("experiments", a.experiments.Run)
	start("spikes of feedback", a.watchFeedback)
	start("topics", a.topics.Run)
	start("feedback into topics", a.followSaid)
	start("lessons", a.lessons.Run)
	start("alerts into incidents", a.followAlerts)
	start("findings into incidents", a.followFindings)
	start("timers", control.NewTimers(a.control, a.timers, a.log.With("part", "timers")).Run)
	start("leaked keys", a.killLeaked)
	start("reservations", a.followReserved)
	start("authority", a.authority.ca.Run)
	start("tokens", a.authority.oauth.Run)
	start("enrolment", a.authority.desk.Run)
	start("decisions", a.decisions.Run)
	start("audit", a.keepAudit)
	start("siem", a.siem.Run)
	start("relay", a.relays.Run)
	start("pollers", a.pollers.Run)
	start("rerates", a.rerates.Run)
	start("remaps", a.remaps.Run)
	start("witness", a.proofs.witness.Run)
	start("rows of decisions", a.decided.Run)
	a.startAccounts(start)
	start("door's steps", a.steps.Run)
	start("background jobs", a.jobs.Run)
	start("peers", a.peers.Run)
	start("decision points", a.gateway.Sweep)
	start("coverage", a.coverage.Run)
	start("behaviour", a.behaviour.Run)
	start("servers of tools", a.mcp.Run)
	start("policies", a.policies.Run)
	start("policies of other nodes", a.followPolicies)
	start("simulations", a.simulator.Run)
	for _, l := range a.listeners {
		g.Go(func() error { return l.serve(failed) })
	}
	a.log.Info("ready", "console", a.Address("listen"), "otlp_http", a.Address("otlp_http_listen"), "otlp_grpc", a.Address("otlp_grpc_listen"), "data", a.o.Config.Data)
	err := g.Wait()

	// Everything accepted is in the log; give the reader a moment to store it.
	// What it does not manage is read again at the next start.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(a.o.Config.Shutdown/2, 5*time.Second))
	a.drain(drain)
	cancel()
	endLoops(errStopped)
	if left := background.wait(a.o.Config.Shutdown); len(left) > 0 {
		// What they hold is closed under them: the log is read again at the next start.
		a.log.Error("parts did not stop in time", "parts", left, "within", a.o.Config.Shutdown)
		err = errors.Join(err, fmt.Errorf("did not stop within %s: %s", a.o.Config.Shutdown, strings.Join(left, ", ")))
	}
	return err
}

var errStopped = errors.New("stopped")

// Stop closes what New opened, within Config.Shutdown and a few seconds. It may be
// called twice.
func (a *App) Stop(ctx context.Context) error { return a.stack.unwind(ctx, a.o.Config.Shutdown, a.log) }

// drain waits until the reader has stored what it read.
func (a *App) drain(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if lag, failing := a.reader.Lag(); lag == 0 || failing != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) openFolder(ctx context.Context) error {
	dir := a.o.Config.Data
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.New(fault.KindUnavailable, "app.data_folder", "the data folder %s cannot be made", dir).WithCause(err).
			WithHint("choose another with --data, or give this user the right to write there")
	}
	narrow := control.NarrowFolder(dir) // before the lock's file is in it
	unlock, err := a.lockFolder(ctx)
	if err != nil {
		return err
	}
	a.stack.push("data folder", func(context.Context) error { return unlock() })
	if err := halfRestored(dir); err != nil {
		return err
	}
	if !narrow {
		a.log.Warn("other users of this host may look into the data folder", "data", dir, "hint", "chmod go-rwx it")
	}
	return nil
}

func (a *App) openControl(ctx context.Context) (err error) {
	a.control, err = control.Open(ctx, filepath.Join(a.o.Config.Data, "control.db"))
	if err != nil {
		return err
	}
	a.stack.push("control database", func(context.Context) error { return a.control.Close() })
	return nil
}

func (a *App) openBus(ctx context.Context) (err error) {
	a.bus, err = bus.Open(ctx, bus.Options{
		Dir:           filepath.Join(a.o.Config.Data, "bus"),
		Durability:    bus.Durability(a.o.Config.Activity.Durability),
		ActivityBytes: int64(a.o.Config.Activity.MaxBytes),
		RelayBytes:    int64(a.o.Config.Relay.MaxBytes),
		EventsBytes:   16 << 20, // some 50,000 changes to resume over; older views load anew
		Logger:        a.log,
	})
	if err != nil {
		return err
	}
	a.stack.push("bus", func(context.Context) error { return a.bus.Close() })
	return nil
}

func (a *App) openStore(context.Context) (err error) {
	a.store, err = duck.Open(duck.Options{
		Dir:    filepath.Join(a.o.Config.Data, "telemetry"),
		Logger: a.log.With("part", "store"),
		Exec:   a.o.Exec,
		Stages: &a.stages,
	})
	if err != nil {
		return err
	}
	a.stack.push("telemetry store", func(context.Context) error { return a.store.Close() })
	return nil
}

func (a *App) buildReader(ctx context.Context) error {
	key, err := hashKey(filepath.Join(a.o.Config.Data, "telemetry", "hash-key"))
	if err != nil {
		return err
	}
	if a.book, err = a.prices(); err != nil {
		return err
	}
	a.reader, err = run.New(run.Options{
		Log:        a.bus.Activity(),
		Store:      watched{a.store, a.feedback, a.seeKeys},
		Observe:    a.stored,
		HashKey:    key,
		Prices:     a.book,
		Stages:     &a.stages,
		Keeps:      a.keeping.longest,
		Test:       func(t activity.TraceID) bool { return a.experiments != nil && a.experiments.Tests.Traced(t) },
		Notify:     a.notify,
		Nobody:     a.nobodyFollows,
		Logger:     a.log.With("part", "reader"),
		Quiet:      a.o.Config.Runs.Quiet,
		Deadline:   a.o.Config.Runs.Deadline,
		FlushBytes: 10 << 20, // two writes of it are in memory at once,
	})
	return errors.Join(err, a.fleet.CatchUp(ctx, a.store, 0), a.watching.watch.CatchUp(ctx, a.store, 0))
}

func (a *App) prices() (*price.Book, error) {
	book, err := price.Embedded()
	if err != nil {
		return nil, err
	}
	file := a.o.Config.Prices.File
	if file == "" {
		return book, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.KindInvalid, "config.invalid", "prices.file: %s cannot be read", file).WithCause(err)
	}
	card, err := price.ReadCard(text)
	if err != nil {
		return nil, fmt.Errorf("reading prices from %s: %w", file, err)
	}
	return book.With(card), nil
}

// hashKey reads the key by which messages are hashed, making it at first. It
// stays for the life of the store: with another key, resent messages would be
// stored again.
func hashKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the message key: %w", err)
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making the message key: %w", err)
	}
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return nil, fault.New(fault.KindUnavailable, "app.data_folder", "the data folder cannot be written").WithCause(err)
	}
	return key, nil
}

func (a *App) buildAPI(context.Context) error {
	frameworks, err := compliance.New(a.control, nil)
	if err != nil {
		return err
	}
	a.api = api.New(api.Options{
		Store: a.store, Identity: a.identity, Audit: a.auditLog, Live: a.reader, Events: a.bus.Events(),
		Notices: a.o.Notices, Health: a.health, Logger: a.log.With("part", "api"), Dev: a.o.Config.Dev,
		Agents: a.agents, AgentPlace: a.agentPlace, Stops: a.stops, Upstreams: moving{a.upstreams, a.pins}, Connections: a.connections, Policies: a.policies,
		Fleet: a.fleet, Budgets: a.budgets, Sources: a.sources, Alerts: a.alerts, Changes: a.changes, Hooks: a.hooks, MatchLabels: a.matchLabels, Content: a.content, Tools: a.pins, Decisions: decided{a.decided, a.decisions},
		Peers:  a.peers,
		Proofs: &a.proofs, SIEM: a.siemStatus, Relay: a.relays, Invoices: invoice.New(a.control, nil),
		Pollers:       a.pollers,
		Rerates:       a.rerates,
		Remaps:        a.remaps,
		PoliciesAbout: a.policies.About, Version: a.o.Version,
		Backups: a.backups, Keeping: a.keeping,
		Door: a.gateway, Points: a.points, Coverage: a.coverage, Simulations: a.simulator, Approvals: a.approvals, Steer: a.steer, Rehearser: a.gateway, ApprovalPage: a.approvalPage,
		Accounts:  a.accounting.shown(),
		Spending:  api.Spending{Book: a.costs, Records: a.store, Prices: a.book, Install: a.control.Install(), Send: a.mailCosts},
		Incidents: a.incidents, Lessons: a.lessons, OnCall: a.onCallAPI(),
		Topics:   api.Topics{Topics: a.topics, Asked: askedIn{a}},
		Feedback: a.feedback, FeedbackURL: a.feedbackURL, Evaluations: a.evaluations, Datasets: a.datasets, Experiments: a.experiments, Gate: gate{a}, Replayer: replayer{a},
		Complaints: saidAgainst{a},
		Compliance: api.Compliance{Book: frameworks, Sign: a.proofs.keys.SignText, Install: a.control.Install()},
		Providers:  a.signIns, ProviderButtons: a.providerButtons(),
		Credentials: a.credentials(),
		Findings:    a.watching.findings, Detectors: a.watching.settings, Rules: a.watching.rules, Canaries: a.canaries, Judged: a.watching.judged, Watch: a.watching.watch, Responses: a.watching.respond,
	})
	return nil
}

func (a *App) auditLog(ctx context.Context, f audit.Filter) ([]audit.Entry, error) {
	return audit.List(ctx, a.control, f)
}
