package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"reeve/internal/canary"
	"reeve/internal/fault"
	"reeve/internal/finding"
	"reeve/internal/gateway"
	"reeve/internal/visible"
)

// openCanaries makes the book of canary prompts, which are asked through the door.
func (a *App) openCanaries() (err error) {
	a.canaries, err = canary.New(canary.Options{DB: a.control, Ask: a.askCanary, Changed: a.canaryChanged, Silent: a.canarySilent, Logger: a.log.With("part", "canaries")})
	return err
}

// canaryTime bounds one question, canaryTokens its answer.
const (
	canaryTime   = time.Minute
	canaryTokens = 32
)

// askCanary puts one prompt to a model as the canary's agent. What the door refuses
// and what the upstream does not answer is an answer with an error.
func (a *App) askCanary(ctx context.Context, c canary.Canary, prompt string) canary.Answer {
	u, ok := a.upstreams.Lookup(c.Upstream)
	if !ok || u.Kind != "llm" {
		return canary.Answer{Error: "there is no upstream " + c.Upstream + " with models"}
	}
	in := inside{
		agent: c.Agent, run: fmt.Sprintf("canary-%s-%d", c.Name, time.Now().Unix()/60), scope: "models:call", upstream: u.Name, method: http.MethodPost,
		header: http.Header{"Content-Type": {"application/json"}},
	}
	body := map[string]any{"model": c.Model, "max_tokens": canaryTokens, "temperature": 0, "messages": []map[string]string{{"role": "user", "content": prompt}}}
	switch u.Dialect {
	case "openai":
		in.path = "/v1/chat/completions"
		body["seed"] = 7
	case "anthropic":
		in.path = "/v1/messages"
		in.header["Anthropic-Version"] = []string{"2023-06-01"}
	default:
		return canary.Answer{Error: "upstream " + u.Name + " speaks neither OpenAI's nor Anthropic's format"}
	}
	var err error
	if in.body, err = json.Marshal(body); err != nil {
		return canary.Answer{Error: err.Error()}
	}
	// What is asked only to look counts for nobody's figures.
	ctx, cancel := context.WithTimeout(gateway.AsTest(ctx), canaryTime)
	defer cancel()
	out, err := a.callInside(ctx, in)
	if err != nil {
		return canary.Answer{Error: fault.From(err).Message, Decision: out.decision}
	}
	if out.status != http.StatusOK {
		return canary.Answer{Error: fmt.Sprintf("the provider answered with status %d", out.status), Decision: out.decision, Took: out.took}
	}
	text, model, usage := saidBy(out.body)
	var more struct {
		Fingerprint string `json:"system_fingerprint"`
		Stop        string `json:"stop_reason"`
		Choices     []struct {
			Finish string `json:"finish_reason"`
		} `json:"choices"`
	}
	_ = json.Unmarshal(out.body, &more) // what is not there is unknown
	r := canary.Answer{Model: model, Fingerprint: more.Fingerprint, Finish: more.Stop, Text: text, Took: out.took, Decision: out.decision}
	if len(more.Choices) > 0 {
		r.Finish = more.Choices[0].Finish
	}
	if usage.Known() {
		r.In, r.Out = usage.InputTotal, usage.OutputTotal
	}
	if text == "" && model == "" {
		r.Error = "the answer cannot be read"
	}
	return r
}

// canaryChanged makes a finding of what a canary's answers tell. It is about the
// model and names no agent, so that nothing is done to one for what a model says.
func (a *App) canaryChanged(ctx context.Context, c canary.Canary, shifts []canary.Shift) error {
	var what []string
	for _, s := range shifts {
		what = append(what, visible.Line(s.What, 200))
	}
	_, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: "provider_change", Severity: finding.Warning, Team: c.Team, Environment: c.Environment, Subject: c.Model,
		Text:    fmt.Sprintf("%s at %s answers fixed prompts otherwise than before", c.Model, c.Upstream),
		Measure: "canary", Expected: "the answers of its first rounds", Seen: strings.Join(what[:min(len(what), 4)], "; "),
		Why: fmt.Sprintf("canary %s, distance %.2f, by chance in %.2g of comparisons", c.Name, shifts[0].Distance, shifts[0].P), Event: time.Now().UnixNano(),
	})
	return err
}

// canarySilent makes a finding of a canary that gets no answers: while it does not,
// nobody would see another model behind its name.
func (a *App) canarySilent(ctx context.Context, c canary.Canary, s canary.Standing) error {
	since := "it never was answered"
	if !s.Answered.IsZero() {
		since = "last answered at " + s.Answered.Format(time.RFC3339)
	}
	_, _, err := a.watching.findings.See(ctx, finding.Finding{
		Detector: canary.SilentDetector, Severity: finding.Warning, Team: c.Team, Environment: c.Environment, Subject: c.Model,
		Fingerprint: finding.Fingerprint(canary.SilentDetector, c.Name),
		Text:        fmt.Sprintf("canary %s gets no answer from %s at %s: nobody would see another model behind that name", c.Name, c.Model, c.Upstream),
		Measure:     "rounds in a row without an answer", Expected: "an answer each " + c.Every.String(), Seen: fmt.Sprintf("%d rounds, %s", s.Silent, since),
		Why: visible.Line(s.Error, 200), Event: time.Now().UnixNano(),
	})
	return err
}
