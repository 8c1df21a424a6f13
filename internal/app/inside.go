package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/evaluate"
	"reeve/internal/fault"
	"reeve/internal/identity/token"
)

// inside is a call through the door that this process makes itself, as an agent: a
// judge's, or the repeat of a step. It takes the same way as any agent's, with a
// token of that agent that lives as long as the call.
type inside struct {
	agent, run   string // run: the key by which the agent names its run
	scope        string // of the token: what it may do
	upstream     string // of kind llm
	method, path string // below the upstream
	header       http.Header
	body         []byte
}

// insideAnswer is what came back.
type insideAnswer struct {
	status   int
	body     []byte
	decision string
	run      activity.RunID
	took     time.Duration
}

const (
	maxTokens  = 100_000_000 // of one call
	insideLife = 5 * time.Minute
	insideMost = 8 << 20 // of an answer
)

// call makes the call. A refusal of the door is its fault; what an upstream
// answers, errors too, is in the answer.
func (a *App) callInside(ctx context.Context, in inside) (out insideAnswer, err error) {
	g, ok := a.agents.Lookup(in.agent)
	if !ok || g.Lifecycle == agent.Retired {
		return out, fault.New(fault.KindNotFound, "agent.not_found", "there is no agent %.64s that could call", in.agent)
	}
	issued, err := a.authority.keys.Access(token.Access{
		Subject: token.Subject{Agent: g.Name, Epoch: g.Epoch}, Audience: a.authority.issuer, Scope: in.scope, Life: insideLife,
	})
	if err != nil {
		return out, err
	}
	at, err := url.Parse(a.authority.issuer)
	if err != nil {
		return out, err
	}
	req, err := http.NewRequestWithContext(ctx, in.method, at.Scheme+"://"+at.Host+"/llm/"+url.PathEscape(in.upstream)+in.path, bytes.NewReader(in.body))
	if err != nil {
		return out, err
	}
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:0"
	for k, v := range in.header {
		req.Header[k] = v
	}
	req.Header.Set("Authorization", "Bearer "+issued.Token)
	req.Header.Set("X-Reeve-Run", in.run)
	w := &bounded{header: http.Header{}, status: http.StatusOK}
	began := time.Now()
	if err := a.serveInside(w, req); err != nil {
		return out, err
	}
	out = insideAnswer{status: w.status, body: w.body.Bytes(), decision: w.Header().Get("X-Reeve-Decision"), run: a.doorScope(g).RunOfKey(in.run), took: time.Since(began)}
	if code := w.Header().Get("X-Reeve-Code"); code != "" {
		return out, refusedInside(code, out.status, out.body)
	}
	return out, nil
}

// serveInside has the door answer. It ends an answer that breaks off by a panic,
// as net/http wants it.
func (a *App) serveInside(w *bounded, req *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			err = fault.New(fault.KindUnavailable, "upstream.broken", "the answer broke off")
		}
	}()
	a.gateway.ServeHTTP(w, req)
	if w.full {
		return fault.New(fault.KindExhausted, "gateway.inside_large", "the answer has more than %d bytes", insideMost)
	}
	return nil
}

// refusedInside is the door's no, with its own code and words.
func refusedInside(code string, status int, body []byte) error {
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // without words the code says enough
	kind := fault.KindDenied
	switch status {
	case http.StatusTooManyRequests:
		kind = fault.KindExhausted
	case http.StatusNotFound:
		kind = fault.KindNotFound
	case http.StatusBadRequest:
		kind = fault.KindInvalid
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		kind = fault.KindUnavailable
	}
	return fault.New(kind, "gateway.inside", "the door refused the call: %s %.300s", code, said.Error.Message).WithHint("`reeve decision list` has it with its reasons")
}

// bounded keeps an answer in memory, up to a bound.
type bounded struct {
	header http.Header
	status int
	body   bytes.Buffer
	full   bool
}

func (b *bounded) Header() http.Header { return b.header }

func (b *bounded) WriteHeader(status int) { b.status = status }

// FlushError does nothing: what was written is in memory. Without it an answer of unknown
// length, which is passed on as it comes, could not be taken.
func (b *bounded) FlushError() error { return nil }

func (b *bounded) Write(p []byte) (int, error) {
	if b.body.Len()+len(p) > insideMost {
		b.full = true
		return 0, errors.New("too large")
	}
	return b.body.Write(p)
}

// doorScope is in which scope the door names an agent's runs.
func (a *App) doorScope(g *agent.Agent) activity.Scope {
	if a.o.Config.Dev && !a.identity.Keyed(g.Team, g.Environment) {
		return activity.Scope{}
	}
	return activity.ScopeOf(g.Team, g.Environment)
}

// askJudge asks a judge's model, in its provider's words.
func (a *App) askJudge(ctx context.Context, q evaluate.Question) (r evaluate.Reply, err error) {
	u, ok := a.upstreams.Lookup(q.Judge.Upstream)
	if !ok || u.Kind != "llm" {
		return r, fault.New(fault.KindNotFound, "evaluate.no_model", "there is no upstream %.64s with models", q.Judge.Upstream).WithHint("`reeve upstream list` lists them")
	}
	in := inside{agent: q.Judge.Agent, run: q.Run, scope: "models:call", upstream: u.Name, method: http.MethodPost, header: http.Header{"Content-Type": {"application/json"}}}
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	body := map[string]any{"model": q.Judge.Model, "max_tokens": q.MaxTokens, "temperature": 0}
	switch u.Dialect {
	case "openai":
		in.path = "/v1/chat/completions"
		body["messages"] = []message{{"system", q.System}, {"user", q.User}}
	case "anthropic":
		in.path = "/v1/messages"
		in.header["Anthropic-Version"] = []string{"2023-06-01"}
		body["system"], body["messages"] = q.System, []message{{"user", q.User}}
	default:
		return r, fault.New(fault.KindInvalid, "evaluate.no_model", "upstream %s speaks %s; a judge speaks the formats of OpenAI and Anthropic", u.Name, cmp.Or(u.Dialect, "another format"))
	}
	if in.body, err = json.Marshal(body); err != nil {
		return r, err
	}
	out, err := a.callInside(ctx, in)
	if err != nil {
		return r, err
	}
	if out.status != http.StatusOK {
		return r, fault.New(fault.KindUnavailable, "evaluate.model_failed", "the judge's provider answered with status %d", out.status)
	}
	text, model, usage := saidBy(out.body)
	r = evaluate.Reply{Text: text, Run: out.run.String(), Decision: out.decision, Cost: math.NaN()}
	r.Tokens, r.Cost = a.paid(u.Dialect, usage, model, q.Judge.Model)
	return r, nil
}

// paid is what a call used and cost, NaN where no price is known.
func (a *App) paid(provider string, u activity.Usage, models ...string) (tokens int64, cost float64) {
	// A provider's word: what nobody can have used is no figure.
	for _, n := range [...]int64{u.InputTotal, u.OutputTotal, max(u.CacheRead, 0), max(u.CacheWrite, 0)} {
		if n < 0 || n > maxTokens {
			return 0, math.NaN()
		}
	}
	for _, m := range models {
		if m == "" {
			continue
		}
		if c := a.book.Cost(provider, m, time.Now(), u); c.Basis != activity.CostUnknown {
			return u.InputTotal + u.OutputTotal, float64(c.Nanos) / 1e9
		}
	}
	return u.InputTotal + u.OutputTotal, math.NaN()
}

// saidBy is the text of a model's answer in the format of OpenAI or of Anthropic.
func saidBy(body []byte) (text, model string, u activity.Usage) {
	var x struct {
		Model   string `json:"model"`
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
		Usage *struct {
			Prompt     *int64 `json:"prompt_tokens"`
			Completion *int64 `json:"completion_tokens"`
			Input      *int64 `json:"input_tokens"`
			Output     *int64 `json:"output_tokens"`
			Read       int64  `json:"cache_read_input_tokens"`
			Written    int64  `json:"cache_creation_input_tokens"`
			Details    struct {
				Cached int64 `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		} `json:"usage"`
	}
	u = activity.NoUsage
	if json.Unmarshal(body, &x) != nil {
		return "", "", u
	}
	if len(x.Choices) > 0 {
		text = x.Choices[0].Message.Content
	}
	for _, c := range x.Content {
		if c.Type == "text" {
			text += c.Text
		}
	}
	if n := x.Usage; n != nil {
		switch {
		case n.Prompt != nil && n.Completion != nil:
			u.InputTotal, u.OutputTotal, u.CacheRead = *n.Prompt, *n.Completion, n.Details.Cached
		case n.Input != nil && n.Output != nil:
			u.InputTotal, u.OutputTotal, u.CacheRead, u.CacheWrite = *n.Input+n.Read+n.Written, *n.Output, n.Read, n.Written
		}
	}
	return text, x.Model, u
}
