package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// Jobs are model calls that go on at a provider after they were answered
// (background: true). Each stays among the live calls that stops look at: a stop
// that takes it cancels it at the provider. A job ends when an answer that passes
// the door says so, or after maxJobAge.
//
// Nothing on a call's way waits for the database: what is noted is stored by Run,
// so a crash within that moment forgets it.
type Jobs struct {
	o       JobsOptions
	mu      sync.Mutex
	jobs    map[jobKey]*job
	open    sync.WaitGroup
	writes  chan jobWrite
	context context.Context // of Run; ends every wait
}

// JobsOptions are what Jobs need: all but Logger.
type JobsOptions struct {
	DB        *control.DB
	Upstreams *upstream.Registry
	Stops     *stop.Board
	Logger    *slog.Logger
}

type jobKey struct{ upstream, id string }

// job is what is stored of one.
type job struct {
	Upstream string           `json:"upstream"`
	ID       string           `json:"id"`
	Path     string           `json:"path"` // of the call that began it
	Query    string           `json:"query,omitempty"`
	Model    string           `json:"model"`
	Call     stop.Call        `json:"call"`
	Run      activity.RunID   `json:"run"`
	Trace    activity.TraceID `json:"trace"`
	Step     activity.StepID  `json:"step"`
	At       time.Time        `json:"at"`

	done  bool   // the provider said so: it can still be asked for
	leave func() // of the stop board
}

type jobWrite struct {
	job  *job
	drop bool
}

const (
	maxJobs   = 20_000
	maxJobAge = 24 * time.Hour // providers keep none longer
	jobTime   = 10 * time.Second
	jobTries  = 8
)

// NewJobs makes the list of jobs, with those of before a restart. Run does its
// work.
func NewJobs(ctx context.Context, o JobsOptions) (*Jobs, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	j := &Jobs{o: o, jobs: map[jobKey]*job{}, writes: make(chan jobWrite, 1024)}
	scan := func(r control.Row) (*job, error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return nil, err
		}
		w := &job{}
		return w, json.Unmarshal([]byte(text), w)
	}
	list, err := control.All(ctx, o.DB, scan, `SELECT job FROM model_jobs WHERE at > ? ORDER BY at`, control.Micros(time.Now().Add(-maxJobAge)))
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		j.jobs[jobKey{w.Upstream, w.ID}] = w
	}
	return j, nil
}

// Run watches over jobs until ctx ends.
func (j *Jobs) Run(ctx context.Context) error {
	j.mu.Lock()
	j.context = ctx
	for _, w := range j.jobs {
		j.watch(w)
	}
	j.mu.Unlock()
	defer j.open.Wait()
	old := time.NewTicker(time.Hour)
	defer old.Stop()
	for {
		select {
		case <-ctx.Done():
			for { // what was noted before the end is kept
				select {
				case w := <-j.writes:
					j.store(ctx, w)
				default:
					return context.Cause(ctx)
				}
			}
		case w := <-j.writes:
			j.store(ctx, w)
		case <-old.C:
			j.expire(time.Now())
		}
	}
}

// Of says which model a job of an agent is, ok false when the agent has no such
// job.
func (j *Jobs) Of(upstream, agent, id string) (model string, ok bool) {
	if j == nil {
		return "", false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.jobs[jobKey{upstream, id}]
	if w == nil || w.Call.Agent != agent {
		return "", false
	}
	return w.Model, true
}

// Len is how many go on.
func (j *Jobs) Len() (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range j.jobs {
		if !w.done {
			n++
		}
	}
	return n
}

// begin notes that a call goes on under id.
func (j *Jobs) begin(x *passage, id string) {
	r := &x.record
	path, query := x.Path, x.Query
	if f := x.proposal.Forward; f != nil {
		path, query = f.Path, f.Query
	}
	w := &job{
		Upstream: r.Upstream, ID: id, Path: path, Query: query, Model: r.Model, Run: r.Run, Trace: r.Trace, Step: r.Step, At: x.started.UTC(),
		Call: stop.Call{
			ID: r.ID, Agent: r.Agent, Instance: r.Instance, Run: r.Run.String(), Session: r.Session, User: r.User, Version: r.Version,
			Model: r.Model, Upstream: r.Upstream, Team: r.Team, Credential: r.CredentialID, Resource: r.Resource, Chain: r.Chain,
			Labels: x.Caller.Agent.Labels, StartedAt: x.started,
		},
	}
	j.mu.Lock()
	if len(j.jobs) >= maxJobs { // what cannot be watched over must not go on
		j.mu.Unlock()
		j.open.Go(func() { j.cancel(w, nil) })
		return
	}
	j.later(jobWrite{job: w})
	j.jobs[jobKey{w.Upstream, id}] = w
	j.watch(w)
	j.mu.Unlock()
}

// ended notes that the provider said so, and returns the job the first time.
func (j *Jobs) ended(upstream, id string) *job {
	j.mu.Lock()
	w := j.jobs[jobKey{upstream, id}]
	if w == nil || w.done {
		j.mu.Unlock()
		return nil
	}
	w.done = true
	leave := w.leave
	j.mu.Unlock()
	if leave != nil {
		leave()
	}
	j.later(jobWrite{job: w, drop: true})
	return w
}

func (j *Jobs) expire(now time.Time) {
	j.mu.Lock()
	var gone []*job
	for k, w := range j.jobs {
		if now.Sub(w.At) > maxJobAge {
			delete(j.jobs, k)
			gone = append(gone, w)
		}
	}
	j.mu.Unlock()
	for _, w := range gone {
		if w.leave != nil {
			w.leave()
		}
		j.later(jobWrite{job: w, drop: true})
	}
}

func (j *Jobs) later(w jobWrite) {
	select {
	case j.writes <- w:
	default:
		j.o.Logger.Error("a job was not stored: the database does not keep up", "upstream", w.job.Upstream)
	}
}

// store writes what was noted, also while Run ends.
func (j *Jobs) store(ctx context.Context, w jobWrite) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobTime)
	defer cancel()
	err := j.o.DB.Write(ctx, func(tx *control.Tx) error {
		if w.drop {
			_, err := tx.Exec(ctx, `DELETE FROM model_jobs WHERE upstream = ? AND id = ?`, w.job.Upstream, w.job.ID)
			return err
		}
		text, err := json.Marshal(w.job)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO model_jobs (upstream, id, agent, at, job) VALUES (?, ?, ?, ?, ?) ON CONFLICT (upstream, id) DO NOTHING`,
			w.job.Upstream, w.job.ID, w.job.Call.Agent, control.Micros(w.job.At), string(text))
		return err
	})
	if err != nil {
		j.o.Logger.Error("a job was not stored", "upstream", w.job.Upstream, "err", err)
	}
}

// watch enters a job among the live calls; mu is held. Before Run nobody watches:
// Run begins with all there are.
func (j *Jobs) watch(w *job) {
	if j.context == nil || w.done {
		return
	}
	ctx, leave, err := j.o.Stops.Enter(j.context, w.Call)
	if err != nil { // stopped already
		j.open.Go(func() { j.cancel(w, nil) })
		return
	}
	w.leave = leave
	j.open.Go(func() {
		<-ctx.Done()
		var why *fault.Error
		if errors.As(context.Cause(ctx), &why) {
			j.cancel(w, leave)
		}
		leave()
	})
}

// cancel ends a job at its provider, trying again while that does not answer.
// left is called once it has: until then a stop's receipt waits for it.
func (j *Jobs) cancel(w *job, left func()) {
	ctx := context.Background()
	if j.context != nil {
		ctx = j.context
	}
	pause := time.Second
	for n := range jobTries {
		err := j.tell(ctx, w)
		if err == nil {
			if left != nil {
				left()
			}
			j.ended(w.Upstream, w.ID)
			j.o.Logger.Info("job cancelled at its provider", "agent", w.Call.Agent, "decision", w.Call.ID)
			return
		}
		level := slog.LevelWarn
		if n == jobTries-1 {
			level = slog.LevelError
		}
		j.o.Logger.Log(ctx, level, "job not cancelled at its provider", "agent", w.Call.Agent, "decision", w.Call.ID, "err", err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause *= 2
	}
}

// tell asks the provider to cancel. One that no longer knows the job, or says that
// it is over, has nothing left to cancel.
func (j *Jobs) tell(ctx context.Context, w *job) error {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	u, ok := j.o.Upstreams.Lookup(w.Upstream)
	if !ok {
		return errNoUpstream
	}
	target, err := u.Target(w.Path+"/"+url.PathEscape(w.ID)+"/cancel", w.Query)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), nil)
	if err != nil {
		return err
	}
	if err := u.Authorize(req); err != nil {
		return err
	}
	resp, err := u.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
	switch {
	case resp.StatusCode < 300, resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusConflict, resp.StatusCode == http.StatusBadRequest:
		return nil
	}
	return fault.New(fault.KindUnavailable, "upstream.status", "the provider answered %d", resp.StatusCode)
}

// Job says which model a job of the caller at this upstream is: work that it left
// going on there. ok is false when it has no such job.
func (c *Call) Job(id string) (model string, ok bool) {
	if c.door == nil || c.Caller.Agent == nil {
		return "", false
	}
	return c.door.o.Jobs.Of(c.Upstream.Name, c.Caller.Agent.Name, id)
}

// jobs notes what an answer says about work that goes on after it.
func (d *Door) jobs(x *passage) {
	p := x.proposal
	if d.o.Jobs == nil || p == nil || !x.hasFacts || !x.forwarded || x.record.Status >= 300 {
		return
	}
	switch f := &x.facts; {
	case p.Job != "":
		if f.FinishReason == "" {
			return
		}
		if w := d.o.Jobs.ended(x.record.Upstream, p.Job); w != nil {
			d.o.Steps.finished(x, w)
		}
	case p.Background && f.ResponseID != "" && f.FinishReason == "":
		d.o.Jobs.begin(x, f.ResponseID)
	}
}

// finished tells the step of the call that began a job what it came to.
func (s *Steps) finished(x *passage, w *job) {
	f := x.fragment(nil)
	f.Flags, f.Run, f.Step, f.Trace, f.Span, f.Parent = 0, w.Run, w.Step, w.Trace, activity.SpanID{}, activity.StepID{}
	f.Name, f.Kind, f.DecisionID, f.Start, f.End = "", activity.KindModel, w.Call.ID, w.At.UnixNano(), time.Now().UnixNano()
	f.Status, f.WholeFragment = activity.StatusOK, true
	t := &x.facts
	f.Usage, f.Model, f.ModelRequested, f.FinishReason = t.Usage, t.Model, w.Model, t.FinishReason
	f.Contents = x.stored(t.Contents, true)
	s.tell(x.batch(f))
}
