package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"reeve/client"
	"reeve/internal/alert"
)

// stormSource is the sender of the storm: an Alertmanager.
const stormSource = "storm"

// stormHTTP sends a storm to a server and follows some of its alerts.
type stormHTTP struct {
	o       StormOptions
	api     *client.Client
	url     string
	secret  string
	client  *http.Client
	turned  atomic.Int64
	probes  chan probe
	mu      sync.Mutex // guards took
	took    []time.Duration
	started string
}

// probe is an alert whose way into an incident is followed.
type probe struct {
	id   string
	sent time.Time
}

// stormProbes follow alerts at once: more would be a load of their own.
const stormProbes = 2

// StormHTTP is Storm over HTTP: the same alerts as notifications of an Alertmanager, to
// a whole server in a process of its own, in which the fleet's agents are registered.
func StormHTTP(ctx context.Context, o StormOptions) (*StormReport, error) {
	o = o.withDefaults()
	server, cleanup, err := tempServer(ctx, o.Bin, "", nil, io.Discard)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	list := stormFleet(o)
	s := &stormHTTP{
		o: o, api: client.New("http://"+server.HTTP, ""), url: "http://" + server.HTTP + "/api/v1/alerts/" + stormSource, started: time.Now().UTC().Format(time.RFC3339Nano),
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: stormSenders}}, probes: make(chan probe),
	}
	if err := s.settle(ctx, list); err != nil {
		return nil, fmt.Errorf("setting the server up: %w", err)
	}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	var followers errgroup.Group
	for range stormProbes {
		followers.Go(func() error { return s.follow(follow, ctx) })
	}
	began := time.Now()
	sent, err := s.send(ctx, list, began)
	took := time.Since(began)
	close(s.probes)
	if err = errors.Join(err, followers.Wait()); err != nil {
		return nil, err
	}
	r, err := s.judge(ctx, list)
	if err != nil {
		return nil, err
	}
	slices.Sort(s.took)
	all := make([]float64, len(s.took))
	for i, d := range s.took {
		all[i] = ms(d)
	}
	r.Reports, r.Seconds, r.PerSecond = sent, took.Seconds(), float64(sent)/took.Seconds()
	r.Samples, r.Turned = len(all), s.turned.Load()
	r.StoredP50, r.StoredP99 = rank(all, 0.5), rank(all, 0.99)
	return r, nil
}

const stormSenders = 8

// settle registers the sender and the agents that its alerts name.
func (s *stormHTTP) settle(ctx context.Context, list []stormAlert) error {
	teams, agents := map[string]bool{}, map[string]string{}
	for i := range list {
		if l := list[i].report.Labels; l["agent"] != "" {
			teams[l["team"]], agents[l["agent"]] = true, l["team"]
		}
	}
	for team := range teams {
		if _, err := s.api.CreateTeam(ctx, client.CreateTeamRequest{Name: team}); err != nil {
			return err
		}
	}
	for name, team := range agents {
		if _, err := s.api.CreateAgent(ctx, client.CreateAgentRequest{Name: name, Team: team, Environment: "production", Purpose: "has alerts", Owner: "dev", Sponsor: "dev"}); err != nil {
			return err
		}
	}
	source, err := s.api.PutAlertSource(ctx, client.PutAlertSourceRequest{Name: stormSource, Kind: "alertmanager", Environment: "production"})
	if err != nil {
		return err
	}
	s.secret = source.Secret
	return nil
}

// stormKey is the fingerprint by which a report's alert is known.
func stormKey(r *alert.Report) string {
	sum := sha256.Sum256([]byte(r.Key))
	return hex.EncodeToString(sum[:8])
}

// words are what an Alertmanager says of an alert.
func (s *stormHTTP) words(r *alert.Report) (json.RawMessage, error) {
	status := "firing"
	ends := "0001-01-01T00:00:00Z"
	if r.State == alert.Resolved {
		status, ends = "resolved", s.started
	}
	return json.Marshal(map[string]any{
		"status": status, "labels": r.Labels, "annotations": map[string]string{"summary": r.Title}, "startsAt": s.started, "endsAt": ends,
		"generatorURL": "https://prometheus.example/graph", "fingerprint": stormKey(r),
	})
}

// stormBatch is one request; fires are the alerts that fire in it for the first time.
type stormBatch struct {
	alerts []json.RawMessage
	fires  []string
}

// send keeps the rate by the clock, as far as the server takes it.
func (s *stormHTTP) send(ctx context.Context, list []stormAlert, began time.Time) (int, error) {
	said := make([]json.RawMessage, len(list))
	for i := range list {
		b, err := s.words(&list[i].report)
		if err != nil {
			return 0, err
		}
		said[i] = b
	}
	quiet, err := s.words(&alert.Report{Key: "heartbeat", State: alert.Resolved, Title: "heartbeat", Labels: map[string]string{"alertname": "heartbeat"}})
	if err != nil {
		return 0, err
	}
	requests := make(chan stormBatch, stormSenders)
	var senders errgroup.Group
	for range stormSenders {
		senders.Go(func() error {
			var failed error
			for b := range requests {
				if failed == nil { // after a failure the rest is drained
					failed = s.post(ctx, b)
				}
			}
			return failed
		})
	}
	total, sent, next, again := s.o.Rate*s.o.Seconds, 0, 0, 0
	for sent < total && ctx.Err() == nil {
		now := time.Since(began)
		due := min(int(now.Seconds()*float64(s.o.Rate)), total)
		if due-sent < s.o.Request && sent+s.o.Request <= total {
			if err := wait(ctx, time.Millisecond); err != nil {
				break
			}
			continue
		}
		var b stormBatch
		for len(b.alerts) < s.o.Request {
			switch {
			case next < len(list) && time.Duration(list[next].from)*time.Millisecond <= now:
				b.fires = append(b.fires, alert.ID(stormSource, stormKey(&list[next].report)))
				b.alerts = append(b.alerts, said[next])
				next++
			case next > 0:
				b.alerts = append(b.alerts, said[again%next])
				again++
			default:
				b.alerts = append(b.alerts, quiet)
			}
		}
		sent += len(b.alerts)
		requests <- b
	}
	for ; next < len(list); next++ { // what the clock left over still fires
		requests <- stormBatch{alerts: said[next : next+1], fires: []string{alert.ID(stormSource, stormKey(&list[next].report))}}
		sent++
	}
	close(requests)
	return sent, errors.Join(senders.Wait(), ctx.Err())
}

// post sends one request until the server takes it.
func (s *stormHTTP) post(ctx context.Context, b stormBatch) error {
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}", "status": "firing", "receiver": "reeve", "groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "https://alertmanager.example", "truncatedAlerts": 0, "alerts": b.alerts,
	})
	if err != nil {
		return err
	}
	at := time.Now()
	for _, id := range b.fires {
		select {
		case s.probes <- probe{id, at}:
		default: // both are busy with another
		}
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+s.secret)
		resp, err := s.client.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		_ = resp.Body.Close() // it was read
		switch {
		case err != nil:
			return err
		case resp.StatusCode/100 == 2:
			return nil
		case resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable:
			return fmt.Errorf("alerts were answered with %d: %s", resp.StatusCode, text)
		}
		s.turned.Add(1)
		if err := wait(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// follow asks for one alert after the other until each is in an incident.
func (s *stormHTTP) follow(ctx, all context.Context) error {
	for p := range s.probes {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		for {
			if err := wait(ctx, 5*time.Millisecond); err != nil {
				cancel()
				if all.Err() != nil {
					return all.Err()
				}
				return fmt.Errorf("alert %s is in no incident after half a minute", p.id)
			}
			a, err := s.api.GetAlert(ctx, client.AlertRequest{ID: p.id})
			if err == nil && a.Incident != "" {
				break
			}
			// It is not there yet: its request is on its way.
		}
		took := time.Since(p.sent)
		cancel()
		s.mu.Lock()
		s.took = append(s.took, took)
		s.mu.Unlock()
	}
	return nil
}

// judge asks for each alert which incident it is in, and compares with the truth.
func (s *stormHTTP) judge(ctx context.Context, list []stormAlert) (*StormReport, error) {
	r, size, groups := &StormReport{}, map[int]int{}, map[string][]int{}
	deadline := time.Now().Add(time.Minute)
	for i := range list {
		x := &list[i]
		size[x.fault]++
		id := alert.ID(stormSource, stormKey(&x.report))
		for {
			a, err := s.api.GetAlert(ctx, client.AlertRequest{ID: id})
			if err == nil && a.Incident != "" {
				groups[a.Incident] = append(groups[a.Incident], x.fault)
				break
			}
			if time.Now().After(deadline) {
				return nil, fmt.Errorf("alert %s is in no incident a minute after the storm: %w", id, err)
			}
			if err := wait(ctx, 20*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	r.Alerts = len(list)
	for f := range size {
		if f >= 0 {
			r.Faults++
		} else {
			r.Lone++
		}
	}
	out := make([][]int, 0, len(groups))
	for _, of := range groups {
		out = append(out, of)
	}
	r.compare(out, size)
	return r, nil
}
