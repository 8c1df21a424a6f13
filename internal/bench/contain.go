package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"reeve/client"
)

// ContainOptions shape the measurement of how soon what is found of an agent binds
// its next call at the door.
type ContainOptions struct {
	Bin      string
	Agents   int // of each of the two ways; 0 is 20
	Spans    int // a second, sent beside it; 0: none
	Progress io.Writer
}

// ContainReport is what agents saw, in ms of the machine's clock: from the event that
// leads to a finding to the first call that is refused because of it.
type ContainReport struct {
	Agents int       `json:"agents"`
	Spans  int       `json:"spans_per_second"`
	Door   Quantiles `json:"door"`      // from the fifth same call at the door to a refusal by containment
	OTLP   Quantiles `json:"telemetry"` // from sending telemetry of a loop to a refusal by a policy about it
	Late   int       `json:"beyond_2s"`
}

// Text writes the report for people.
func (r *ContainReport) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d agents each way, beside %d spans/s\n", r.Agents, r.Spans)
	for _, l := range []struct {
		what string
		q    Quantiles
	}{
		{"loop at the door to its containment there", r.Door},
		{"loop in telemetry to a refusal at the door", r.OTLP},
	} {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-44s p50 %6.0f ms  p99 %6.0f ms  max %6.0f ms\n", l.what, l.q.P50, l.q.P99, l.q.Max)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "%d of %d took longer than 2 s\n", r.Late, 2*r.Agents)
	}
	return err
}

func containMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o ContainOptions
	var output string
	fs := flag.NewFlagSet("reeve bench contain", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.Agents, "agents", 20, "agents that get into a loop, one after the other, each of two ways (at most 32)")
	fs.IntVar(&o.Spans, "spans", 0, "spans a second that are taken in beside it")
	fs.StringVar(&o.Bin, "bin", "", "the program to measure (default: this one)")
	fs.StringVar(&output, "o", "text", "text or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if o.Agents < 1 || 2*o.Agents > maxCallers {
		fmt.Fprintf(stderr, "reeve: error: --agents %d: want 1 to %d\n", o.Agents, maxCallers/2)
		return errUsage
	}
	o.Progress = stderr
	r, err := Contain(ctx, o)
	if err != nil {
		return err
	}
	return report(stdout, output, r)
}

// Contain has agents get into a loop, at the door and in telemetry alone, and sees
// when the door refuses their next call because of it.
func Contain(ctx context.Context, o ContainOptions) (*ContainReport, error) {
	o.Agents = cmp.Or(o.Agents, 20)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	up, stop, err := gatewayUpstream()
	if err != nil {
		return nil, err
	}
	defer stop()
	// The brake against mass action is far below what is measured here.
	g, err := startConfigured(ctx, o.Bin, "responses:\n  agents_per_hour: 10000\n  agents_per_hour_of_team: 10000\n")
	if err != nil {
		return nil, err
	}
	defer g.end()
	if err := g.settle(ctx, up, 10, 2*o.Agents); err != nil {
		return nil, fmt.Errorf("setting the door up: %w", err)
	}
	keys, err := g.keys(ctx, 2*o.Agents)
	if err != nil {
		return nil, err
	}
	sender, err := g.api.CreateIntakeKey(ctx, client.CreateIntakeKeyRequest{Team: "bench", Environment: "production", Name: "bench"})
	if err != nil {
		return nil, fmt.Errorf("making an intake key: %w", err)
	}
	if o.Spans > 0 {
		end, err := beside(ctx, o.Bin, "http://"+g.server.OTLP, o.Spans)
		if err != nil {
			return nil, err
		}
		defer end()
		if err := wait(ctx, 3*time.Second); err != nil { // until the load flows
			return nil, err
		}
	}
	r := &ContainReport{Agents: o.Agents, Spans: o.Spans}
	// Telemetry first: while no response policy is there, nothing but the policy about
	// what telemetry claims can refuse.
	if _, err := g.api.PutPolicy(ctx, client.PutPolicyRequest{
		Name: "claims", Mode: "enforce", Reason: "measures the door",
		Cedar: `@id("claims") forbid (principal, action == Action::"call_api", resource) when { context.findings.contains("claimed:loop") };`,
	}); err != nil {
		return nil, err
	}
	var claimed, looped []float64
	for i := range o.Agents {
		fmt.Fprintf(o.Progress, "telemetry, agent %d of %d\n", i+1, o.Agents)
		took, err := g.claimedLoop(ctx, callerName(i), keys[i], sender.Secret)
		if err != nil {
			return nil, fmt.Errorf("a loop of %s in telemetry: %w", callerName(i), err)
		}
		claimed = append(claimed, ms(took))
	}
	if _, err := g.api.PutResponsePolicy(ctx, client.PutResponsePolicyRequest{
		Name: "loops", Detectors: []string{"loop"}, Contain: "quarantined", For: "1h", Mode: "enforce", Reason: "measures containment",
	}); err != nil {
		return nil, err
	}
	for i := o.Agents; i < 2*o.Agents; i++ {
		fmt.Fprintf(o.Progress, "door, agent %d of %d\n", i+1-o.Agents, o.Agents)
		took, err := g.loop(ctx, callerName(i), keys[i])
		if err != nil {
			return nil, fmt.Errorf("a loop of %s at the door: %w", callerName(i), err)
		}
		looped = append(looped, ms(took))
	}
	for _, took := range append(append([]float64{}, claimed...), looped...) {
		if took > 2000 {
			r.Late++
		}
	}
	r.Door, r.OTLP = quantilesOf(looped), quantilesOf(claimed)
	return r, nil
}

// containWithin is how long the measurement waits for a refusal.
const containWithin = time.Minute

// ask makes one call of an agent at the door.
func (g *governed) ask(ctx context.Context, method, path, key, run, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, g.door+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Reeve-Run", run)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// loop makes the same call of a model again and again, until it is refused. Less than
// five of them are no loop, so the fifth is the earliest that can lead to a finding.
func (g *governed) loop(ctx context.Context, agent, key string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, containWithin)
	defer cancel()
	var fifth time.Time
	for n := 1; ; n++ {
		at := time.Now()
		status, err := g.ask(ctx, http.MethodPost, "/llm/bench-model/v1/chat/completions", key, "loop-"+agent, `{"model":"`+benchModel+`","max_tokens":50,"messages":[{"role":"user","content":"where is order 7?"}]}`)
		switch {
		case err != nil:
			return 0, err
		case n == 5:
			fifth = at
		case status == http.StatusForbidden && n > 5:
			return time.Since(fifth), g.contained(ctx, agent)
		}
		if status != http.StatusOK {
			return 0, fmt.Errorf("call %d was answered with %d", n, status)
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (g *governed) contained(ctx context.Context, agent string) error {
	x, err := g.api.GetAgent(ctx, client.AgentRequest{Name: agent})
	if err == nil && x.Containment != "quarantined" {
		err = fmt.Errorf("it was refused and is %q", x.Containment)
	}
	return err
}

// claimedLoop sends telemetry of a loop, and asks at the door for something harmless
// and each time different until that is refused.
func (g *governed) claimedLoop(ctx context.Context, agent, key, sender string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, containWithin)
	defer cancel()
	if status, err := g.ask(ctx, http.MethodGet, "/http/bench/1k?n=0", key, "probe-"+agent, ""); err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("before it loops its call is answered with %d: %w", status, err)
	}
	body, err := loopTelemetry(agent, 8)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.server.OTLP+"/v1/traces", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+sender)
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	said, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	_ = resp.Body.Close() // it was read
	if err != nil || resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("its telemetry was answered with %d: %s", resp.StatusCode, said)
	}
	for n := 1; ; n++ {
		status, err := g.ask(ctx, http.MethodGet, fmt.Sprintf("/http/bench/1k?n=%d", n), key, "probe-"+agent, "")
		switch {
		case err != nil:
			return 0, err
		case status == http.StatusForbidden:
			return time.Since(began), g.claimed(ctx, agent)
		case status != http.StatusOK:
			return 0, fmt.Errorf("its call was answered with %d", status)
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// claimed checks that what refused was the finding of telemetry.
func (g *governed) claimed(ctx context.Context, agent string) error {
	list, err := g.api.ListFindings(ctx, client.ListFindingsRequest{Agent: agent, Detector: "loop", State: "open"})
	if err != nil {
		return err
	}
	for _, f := range list.Items {
		if !f.Authenticated {
			return nil
		}
	}
	return errors.New("it was refused without a finding of its telemetry")
}

// loopTelemetry is a run of an agent that calls one tool with the same arguments
// again and again, as OTLP in JSON.
func loopTelemetry(agent string, times int) (string, error) {
	type value struct {
		StringValue string `json:"stringValue"`
	}
	type attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	type span struct {
		TraceID    string      `json:"traceId"`
		SpanID     string      `json:"spanId"`
		Parent     string      `json:"parentSpanId,omitempty"`
		Name       string      `json:"name"`
		Kind       int         `json:"kind"`
		Start      string      `json:"startTimeUnixNano"`
		End        string      `json:"endTimeUnixNano"`
		Attributes []attribute `json:"attributes"`
	}
	id := make([]byte, 16)
	rand.Read(id)
	now := time.Now().UnixNano()
	made := func(n int, parent, name string, pairs ...string) span {
		s := span{TraceID: hex.EncodeToString(id), SpanID: fmt.Sprintf("%016x", n+1), Parent: parent, Name: name, Kind: 1, Start: fmt.Sprint(now - 1e9 + int64(n)*1e6), End: fmt.Sprint(now - 1e9 + int64(n)*1e6 + 5e5)}
		for i := 0; i+1 < len(pairs); i += 2 {
			s.Attributes = append(s.Attributes, attribute{pairs[i], value{pairs[i+1]}})
		}
		return s
	}
	root := made(0, "", "invoke_agent "+agent, "gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", agent)
	spans := []span{root}
	for n := range times {
		spans = append(spans, made(n+1, root.SpanID, "execute_tool search", "gen_ai.operation.name", "execute_tool", "gen_ai.agent.name", agent, "gen_ai.tool.name", "search", "gen_ai.tool.call.arguments", `{"q":"order 7"}`))
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{"scopeSpans": []any{map[string]any{"spans": spans}}}}})
	return string(body), err
}
